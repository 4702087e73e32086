"""``make matrix``: the telling part of the tests with other Pythons, other MLflows and the oldest packages.

Every environment is made by uv below .matrix/ from what pyproject.toml allows, not from the lock. What is
not on this machine, or cannot be installed, is skipped and said. ``python -m tools.matrix 3.12 lowest`` runs
some of them. Exits with 1 where a test failed or nothing was tested.
"""

import os
import re
import subprocess
import sys
import textwrap
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".matrix"
TELLING = (
    "hydra_private", "composing", "run_hydra", "launching", "processes", "executors", "resume", "headline",
    "stack", "network", "optimizers", "initializers", "datasets", "table", "tracking", "tracking_bulk",
    "passwords", "views", "closing", "answer", "statistics_ranks", "plots", "plots_axes", "sweep_pictures",
    "report", "search_space", "search_command", "model", "signals", "face", "cli", "wheel",
)  # fmt: skip
PACKAGES = ("mlflow", "hydra-core", "numpy", "scipy")
ROW = "{:8} {:7} {:>7} {:>10} {:>6} {:>7} {:>7} {:>6} {:>7} {:>3}"  # 77 letters
HEADER = ("setting", "Python", *PACKAGES, "passed", "failed", "skipped", "min")
WIDTH = 80


@dataclass(frozen=True)
class Setting:
    """An environment: a Python, and what its packages are resolved to beside what pyproject.toml says."""

    name: str
    python: str
    more: tuple[str, ...] = ()
    resolution: str = "highest"


@dataclass(frozen=True)
class Counts:
    """What came of tests: how many passed, the names of those that failed, and why how many were skipped."""

    passed: int
    failed: tuple[str, ...]
    skipped: Counter[str]


@dataclass(frozen=True)
class Outcome:
    """What came of a setting: its tests and the versions they ran with, or in words why none ran."""

    setting: Setting
    tests: Counts | None = None
    versions: tuple[str, ...] = ()  # of Python and of PACKAGES
    minutes: float = 0
    why: str = ""


def settings() -> list[Setting]:
    """Returns the environments to test, the newest packages of each Python first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [bounds] = [one for one in project["dependencies"] if one.startswith("mlflow>=")]
    lowest = re.findall(r"[\d.]+", bounds)[0]
    return [
        *(Setting(python, python) for python in ("3.11", "3.12", "3.13", "3.14")),
        Setting("mlflow", "3.11", (f"mlflow=={lowest}",)),
        Setting("lowest", "3.11", resolution="lowest-direct"),
    ]


def run(setting: Setting) -> Outcome:
    """Returns what came of the tests in an environment that is made anew."""
    began = time.monotonic()
    place = PLACE / setting.name
    python = str(place / "bin" / "python")
    interpreter = _interpreter(setting.python)
    if interpreter is None:
        return Outcome(setting, why=f"there is no Python {setting.python} here")
    made = _uv("venv", "--quiet", "--clear", "--seed", "--python", interpreter, str(place))
    if made.returncode:
        return Outcome(setting, why=f"no environment: {_said(made.stderr)}")
    words = ("--resolution", setting.resolution, "-e", f"{ROOT}[dev]", *setting.more)
    installed = _uv("pip", "install", "--quiet", "--python", python, *words)
    if installed.returncode:
        return Outcome(setting, why=f"cannot be installed: {_said(installed.stderr)}")
    tests = _tested(python, place)
    return Outcome(setting, tests, _versions(python), (time.monotonic() - began) / 60)


def _tested(python: str, place: Path) -> Counts:
    """Returns what came of the tests by the Python of an environment, which also leaves what they said."""
    tests = [f"tests/test_{name}.py" for name in TELLING]
    report = place / "tests.xml"
    words = ("-q", "-n", "logical", "--dist", "loadfile", "-p", "no:cacheprovider", f"--junitxml={report}")
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [python, "-m", "pytest", *words, *tests]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    (place / "tests.txt").write_text(done.stdout + done.stderr)
    counted = count(report.read_text()) if report.exists() else Counts(0, (), Counter())
    if done.returncode and not counted.failed:
        return Counts(counted.passed, (_said(done.stderr or done.stdout),), counted.skipped)
    return counted


def count(report: str) -> Counts:
    """Returns what a report of pytest as JUnit's XML says."""
    cases = list(ElementTree.fromstring(report).iter("testcase"))
    failed = [one for one in cases if one.find("failure") is not None or one.find("error") is not None]
    skipped = [one.find("skipped") for one in cases]
    reasons = Counter(one.get("message", "") for one in skipped if one is not None)
    names = (f"{one.get('classname')}.{one.get('name')}" for one in failed)
    return Counts(len(cases) - len(failed) - reasons.total(), tuple(dict.fromkeys(names)), reasons)


def _interpreter(version: str) -> str | None:
    """Returns a Python of a version, of those that uv knows or of pyenv's, that runs."""
    known = _uv("python", "find", "--system", "--no-project", "--no-python-downloads", version).stdout.strip()
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
    for path in [*([known] if known else []), *map(str, pyenv)]:
        if subprocess.run([path, "-c", "import venv"], capture_output=True).returncode == 0:
            return path
    return None


def _uv(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "uv", *words], cwd=ROOT, capture_output=True, text=True)


def _versions(python: str) -> tuple[str, ...]:
    code = "import platform, importlib.metadata as m, sys; "
    code += "print(platform.python_version(), *map(m.version, sys.argv[1:]))"
    said = subprocess.run([python, "-c", code, *PACKAGES], capture_output=True, text=True, check=True)
    return tuple(said.stdout.split())


def _said(text: str) -> str:
    """Returns what a command said, as one line."""
    return " ".join(text.split())


def row(outcome: Outcome) -> list[str]:
    """Returns the lines of a setting in the table."""
    name, tests = outcome.setting.name, outcome.tests
    if tests is None:
        return _wrapped(f"{name:8} skipped: {outcome.why}", indent=9)
    counts = (tests.passed, len(tests.failed), tests.skipped.total(), f"{outcome.minutes:.0f}")
    return [ROW.format(name, *outcome.versions, *counts)]


def remarks(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Returns the lines below the table: which tests failed, and why others were skipped."""
    tested = [(one.setting.name, one.tests) for one in outcomes if one.tests is not None]
    for name, tests in tested:
        if tests.failed:
            yield f"Failed with {name} (all that was said is in .matrix/{name}/tests.txt):"
            yield from (f"  {one}" for one in tests.failed)
    for reason in dict.fromkeys(reason for _, tests in tested for reason in tests.skipped):
        where = ", ".join(
            f"{tests.skipped[reason]} with {name}" for name, tests in tested if reason in tests.skipped
        )
        yield from _wrapped(f"Skipped tests ({where}): {reason}", indent=2)


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def main(wanted: Sequence[str]) -> int:
    """Counts the settings that are named, or all; returns 1 if a test failed or none ran."""
    known = {setting.name: setting for setting in settings()}
    if unknown := [name for name in wanted if name not in known]:
        print(f"{unknown[0]}: no setting of the matrix; there are {', '.join(known)}", file=sys.stderr)
        return 2
    print(ROW.format(*HEADER))
    outcomes = []
    for name in wanted or known:
        outcomes.append(run(known[name]))
        print(*row(outcomes[-1]), sep="\n", flush=True)
    print(*remarks(outcomes), sep="\n")
    tested = [outcome.tests for outcome in outcomes if outcome.tests is not None]
    return int(not tested or any(tests.failed for tests in tested))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
