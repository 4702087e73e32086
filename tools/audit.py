"""``make audit``: asks for known weaknesses of the versions in requirements.lock, by pip-audit.

pip-audit runs in an environment of its own, which goes again afterwards. Exits with its code: 1 where a
weakness is known. Where pip-audit or the advisories cannot be had, that is said in one line and is no failure.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"
FOUND = "known vulnerabilit"  # as pip-audit says it, or that there are none
SECONDS = 300


def audit(python: Path, lock: Path = LOCK) -> tuple[int, str]:
    """Returns the exit code and what there is to say, by the pip-audit of an environment."""
    asked = [python, "-m", "pip_audit", "--requirement", lock, "--disable-pip", "--require-hashes"]
    done = _run([*map(str, asked), "--progress-spinner", "off", "--timeout", "15"])
    said = f"{done.stdout}\n{done.stderr}".strip()
    if FOUND in said.lower():
        return done.returncode, said
    why = said.splitlines()[-1] if said else "no answer"
    return 0, f"Nothing was audited: the advisories' service cannot be reached ({why[:100]})"


def main() -> None:
    """Audits the lock and exits with the code."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        installed = _run([str(python), "-m", "pip", "install", "--quiet", "pip-audit>=2.7"])
        if installed.returncode:
            print("Nothing was audited: pip-audit cannot be installed")
            return
        code, said = audit(python)
    print(said)
    sys.exit(code)


def _run(words: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", "no answer in time")


if __name__ == "__main__":
    main()
