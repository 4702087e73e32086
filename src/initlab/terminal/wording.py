"""The words of the command that was typed, for help texts and closing lines."""

import re
import shlex
import sys
from pathlib import Path

DEFAULT_STORE = "sqlite:///mlruns/mlflow.db"


def own_command(program: str = "train") -> str:
    """Returns how a user starts ``program`` the way this process was started: ``python -m src.propagate`` or
    ``initlab propagate``; training is ``python -m src.train`` or just ``initlab``.
    """
    checkout = _checkout()
    if checkout and (checkout / "src" / f"{program}.py").is_file():
        return f"python -m src.{program}"
    return "initlab" if program == "train" else f"initlab {program}"


def ui_command(uri: str = DEFAULT_STORE, folder: Path | str = ".") -> str:
    """Returns the command that shows a tracking store in MLflow's UI: ``make ui``, ``initlab ui``,
    ``initlab ui --uri …``, or '' for a server, which shows its runs itself.

    ``folder`` is where the command was started. ``make ui`` is only for the checkout's own store, and only
    where a Makefile can be asked for it.
    """
    from initlab.config.options import tracking_uri
    from initlab.tracking.address import absolute_uri, is_server

    folder = Path(folder).absolute()
    store, own = (absolute_uri(one, folder) for one in (uri, DEFAULT_STORE))
    if is_server(store):
        return ""
    if store == own and _checkout() == folder.resolve() and _has_target(folder / "Makefile", "ui"):
        return "make ui"
    served = absolute_uri(tracking_uri(), folder)
    return "initlab ui" if store == served else f"initlab ui --uri {shlex.quote(store)}"


def _checkout() -> Path | None:
    """Returns the folder of the checkout whose ``src.train`` or ``src.propagate`` was started, if any."""
    script = Path(sys.argv[0]).resolve()
    return script.parent.parent if script.suffix == ".py" and script.parent.name == "src" else None


def _has_target(makefile: Path, target: str) -> bool:
    return makefile.is_file() and re.search(rf"^{target}\s*:", makefile.read_text(), re.MULTILINE) is not None
