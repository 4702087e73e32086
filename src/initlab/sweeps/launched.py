"""What a launcher leaves in a sweep's folder for the closing words, beside what the jobs leave."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from initlab.files import write_whole

FILE = "launch.json"


@dataclass
class Launched:
    """What a launcher knows that no job's folder tells: how many jobs there are, how workers died and how
    many jobs were tried again for that, how many runs were marked KILLED and how many could not be, how many
    jobs another process trains, and how many were submitted by a command that has not waited for them.
    """

    jobs: int = 0
    deaths: list[str] = field(default_factory=list)
    again: int = 0
    killed: int = 0
    unmarked: int = 0
    elsewhere: int = 0
    submitted: int = 0

    def write(self, folder: Path) -> None:
        """Leaves it in the sweep's folder."""
        write_whole(folder / FILE, json.dumps(asdict(self), indent=1).encode())


def launched(folder: Path) -> Launched:
    """Returns what the launcher of a sweep has left in its folder; nothing is known of another launcher's."""
    file = folder / FILE
    return Launched(**json.loads(file.read_text())) if file.is_file() else Launched()
