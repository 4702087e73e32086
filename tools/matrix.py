"""``make matrix``: the telling part of the tests with other Pythons, other MLflows and the oldest packages.

Every environment is made by uv below .matrix/ from what pyproject.toml allows, not from the lock. What is
not on this machine, or cannot be installed, is skipped and said. ``python -m tools.matrix 3.12 lowest`` runs
some of them.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".matrix"
TELLING = (
    "hydra_private", "composing", "run_hydra", "launching", "processes", "resume", "headline", "stack",
    "network", "optimizers", "initializers", "datasets", "tracking", "tracking_bulk", "views", "closing",
    "plots", "plots_axes", "report", "face", "cli",
)  # fmt: skip
RESULT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)")


@dataclass(frozen=True)
class Setting:
    """An environment: a Python, and what its packages are resolved to beside what pyproject.toml says."""

    name: str
    python: str
    more: tuple[str, ...] = ()
    resolution: str = "highest"


@dataclass(frozen=True)
class Outcome:
    """What came of a setting: the versions that were tested and how many tests did what, or why none ran."""

    setting: Setting
    versions: str = ""
    words: str = ""
    passed: bool | None = None  # None: it was skipped


def settings() -> list[Setting]:
    """Returns the environments to test, the newest packages of each Python first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [bounds] = [one for one in project["dependencies"] if one.startswith("mlflow>=")]
    lowest = re.findall(r"\d+\.\d+", bounds)[0]
    return [
        *(Setting(python, python) for python in ("3.11", "3.12", "3.13", "3.14")),
        Setting("mlflow", "3.11", (f"mlflow=={lowest}.*",)),
        Setting("lowest", "3.11", resolution="lowest-direct"),
    ]


def run(setting: Setting) -> Outcome:
    """Returns what came of the tests in an environment that is made anew."""
    place = PLACE / setting.name
    python = str(place / "bin" / "python")
    interpreter = _interpreter(setting.python)
    if interpreter is None:
        return Outcome(setting, words=f"skipped: there is no Python {setting.python} here")
    made = _uv("venv", "--quiet", "--clear", "--python", interpreter, str(place))
    if made.returncode:
        return Outcome(setting, words=f"skipped: no environment: {_last(made.stderr)}")
    words = ("--resolution", setting.resolution, "-e", f"{ROOT}[dev]", *setting.more)
    installed = _uv("pip", "install", "--quiet", "--python", python, *words)
    if installed.returncode:
        return Outcome(setting, words=f"skipped: cannot be installed: {_last(installed.stderr)}")
    return _tested(setting, python)


def _tested(setting: Setting, python: str) -> Outcome:
    """Returns what came of the tests by the Python of an environment, which also leaves what they said."""
    tests = [f"tests/test_{name}.py" for name in TELLING]
    words = ("-q", "-n", "logical", "--dist", "loadfile", "-p", "no:cacheprovider", *tests)
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [python, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    (PLACE / setting.name / "tests.txt").write_text(done.stdout + done.stderr)
    last = _last(done.stdout)
    counts = ", ".join(f"{n} {what}" for n, what in RESULT.findall(last)) or last
    return Outcome(setting, _versions(python), counts, done.returncode == 0)


def _interpreter(version: str) -> str | None:
    """Returns a Python of a version, on the path or among pyenv's, that runs."""
    found = shutil.which(f"python{version}")
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
    for path in [*([found] if found else []), *map(str, pyenv)]:
        if subprocess.run([path, "-c", "import venv"], capture_output=True).returncode == 0:
            return path
    return None


def _uv(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "uv", *words], cwd=ROOT, capture_output=True, text=True)


def _versions(python: str) -> str:
    code = (
        "import platform, importlib.metadata as m; print(platform.python_version(), *map(m.version, NAMES))"
    )
    names = ("mlflow", "hydra-core", "numpy", "scipy", "matplotlib")
    said = subprocess.run(
        [python, "-c", code.replace("NAMES", repr(names))], capture_output=True, text=True, check=True
    )
    version, *others = said.stdout.split()
    return ", ".join([f"Python {version}", *map(" ".join, zip(names, others, strict=True))])


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def main(wanted: list[str]) -> int:
    """Tests the settings that are named, or all; returns 1 if a test failed."""
    chosen = [one for one in settings() if not wanted or one.name in wanted]
    failed = 0
    for setting in chosen:
        began = time.monotonic()
        outcome = run(setting)
        minutes = (time.monotonic() - began) / 60
        print(
            f"{setting.name:8} {outcome.words} ({minutes:.0f} min)\n         {outcome.versions}", flush=True
        )
        failed += outcome.passed is False
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
