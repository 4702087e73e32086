"""``make bench``: measures and prints, side by side, and puts the tables into docs/speed.md."""

import sys
from pathlib import Path

from tools.generated import replace_block, table

from . import commands, iteration, larger, ledger, measuring, metrics, sweep

PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
MEASUREMENTS = {
    "iteration": (("one iteration of one run", "µs", "of plain NumPy"), iteration.measure),
    "larger": (("one iteration of a larger network, batch 128", "ms", "of Initlab"), larger.measure),
    "diagnostics": (("what the diagnostics cost", "light", "full"), measuring.measure),
    "metrics": (("metric rows into SQLite", "rows a second", "of log_batch"), metrics.measure),
    "ledger": (("where the CPU time of a tracked run goes", "CPU-ms", "of training"), ledger.measure),
    "commands": (("a whole command", "seconds", "CPU-seconds"), commands.measure),
    "sweep": (("one tracked run of 1500 iterations", "seconds", "of Initlab"), sweep.measure),
}


def main(wanted: list[str]) -> None:
    """Measures what is named, or everything, and puts each table into docs/speed.md. Exits with an error
    where a tracked run takes more beside its training than it may.
    """
    for name in wanted or MEASUREMENTS:
        head, measure = MEASUREMENTS[name]
        made = table(head, measure())
        print(made, end="\n\n", flush=True)
        replace_block(PAGE, name, made)
    ledger.hold()


if __name__ == "__main__":
    main(sys.argv[1:])
