"""Real terminals: a command that runs in one of so many columns, and what it shows there."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

from conftest import environment

COLORS_AND_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown_in_terminal(arguments: list[str], columns: int, folder: Path) -> str:
    """Returns all that a command writes into a terminal, without colours, lines as the command ended them."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    changes = {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    kept = {name: value for name, value in environment(**changes).items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        arguments, cwd=folder, env=kept, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    written = b""
    while chunk := _read(ours):
        written += chunk
    os.close(ours)
    assert process.wait(timeout=120) == 0, written.decode()
    return COLORS_AND_MOVES.sub("", written.decode()).replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # what Linux says when the other end is closed
        return b""
