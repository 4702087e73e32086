"""``make audit``: asks for known weaknesses of the versions in requirements.lock, by pip-audit.

pip-audit runs in an environment of its own, which goes again afterwards. Exits with 1 where a weakness is
known. Where pip-audit or the advisories cannot be had, that is said in one line and is no failure.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "requirements.lock"
SECONDS = 300


def report_of(output: str) -> tuple[int, list[str]]:
    """Returns the exit code and what there is to say of what pip-audit has found, as JSON."""
    try:
        packages: Sequence[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    audited = [one for one in packages if "skip_reason" not in one]
    if not audited:  # a registry that does not know the advisories answers, but has none of any package
        return 0, ["Nothing was audited: the advisories' service cannot be reached."]
    known = [
        f"{one['name']} {one['version']}: {weakness['id']}, mended in {weakness['fix_versions'] or 'none'}"
        for one in audited
        for weakness in one["vulns"]
    ]
    said = f"{len(known)} known weaknesses in {len(audited)} of {len(packages)} packages that were looked up."
    return int(bool(known)), [*known, said]


def main() -> None:
    """Audits the lock and exits with the code."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        _run(python, "-m", "pip", "install", "--quiet", "pip-audit>=2.7")
        asked = ("--requirement", str(LOCK), "--disable-pip", "--require-hashes", "--format", "json")
        code, said = report_of(_run(python, "-m", "pip_audit", *asked, "--timeout", "15"))
    print(*said, sep="\n")
    sys.exit(code)


def _run(*words: str) -> str:
    """Returns what a command prints, nothing where it does not come to an end."""
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS).stdout
    except subprocess.TimeoutExpired:
        return ""


if __name__ == "__main__":
    main()
