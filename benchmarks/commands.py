"""What whole commands take, with the start of Python, all imports and the closing of a sweep."""

from .sweep import taken

LESSON = ("-m", "src.train")
SWEEP = ("-m", "src.train", "-m", "init=zeros,random,xavier,he", "seed=range(0,250)", "train.iterations=1500")
COMMANDS = {"one run of the lesson, 15,000 iterations": LESSON, "1,000 runs of 1500 iterations": SWEEP}
ROUNDS = 3


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each command: its name, seconds, and CPU seconds of all its processes; the least of
    three times.
    """
    rows = []
    for name, command in COMMANDS.items():
        wall, cpu = zip(*(taken(command) for _ in range(ROUNDS)), strict=True)
        rows.append((name, f"{min(wall):.1f}", f"{min(cpu):.1f}"))
    return rows
