"""The installed command ``initlab``: it trains, or does what its first word says."""

import sys
from importlib import import_module

import initlab
from initlab.memory import collect_seldom
from initlab.signals import stop_on_signals

SUBCOMMANDS = {
    "doctor": "initlab.terminal.doctor",
    "propagate": "initlab.terminal.propagate",
    "replicate": "initlab.terminal.replicate",
    "report": "initlab.terminal.report",
    "rerun": "initlab.terminal.rerun",
    "resume": "initlab.terminal.resume",
    "sync": "initlab.terminal.sync",
    "ui": "initlab.terminal.ui",
}
TRAINING = "initlab.terminal.command"


def main() -> None:
    """Runs the command line."""
    stop_on_signals()  # before anything is imported that takes time
    collect_seldom()
    if not sys.flags.safe_path:
        # As for `python -m`, so that a config may name functions of the folder's modules.
        sys.path.insert(0, "")
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first == "--version":
        from initlab.terminal.application import end_with_the_reader

        end_with_the_reader()
        print(f"initlab {initlab.__version__}")
        return
    if first in SUBCOMMANDS:
        del sys.argv[1]
    import_module(SUBCOMMANDS.get(first, TRAINING)).main()
