"""``make replications``: measures the papers on the shelf anew and writes docs/replications.md.

``python -m tools.replications lu2019`` measures one, and leaves what the page says of the others; with
``--tracked`` nothing is measured, and the page is made of what the tracking store holds.
"""

import re
import sys
from pathlib import Path

from initlab.config.options import tracking_uri
from initlab.shelf import paper
from initlab.shelf.replication import replicate, tracked
from initlab.tracking.address import absolute_uri
from tools.generated import read_block, replace_block

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "replications.md"
PICTURES = ROOT / "docs" / "replications"


def write(name: str, section: str, figure: bytes) -> None:
    """Puts a paper's section and figure into the docs."""
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(figure)
    replace_block(PAGE, name, section)


def summary() -> str:
    """Returns the table of all papers with their verdicts, as the page's blocks have them."""
    lines = ["| paper | claim | verdict |", "|---|---|---|"]
    for one in map(paper.read, paper.names()):
        found = re.search(r"^\*\*Verdict: (.*?)(?::.*)?\.\*\*$", read_block(PAGE, one.name), re.MULTILINE)
        verdict = found[1] if found else "not measured yet"
        lines.append(f"| [{one.cited}](#{one.name}) | {one.claim} | **{verdict}** |")
    return "\n".join(lines)


def main() -> None:
    """Measures the papers that are named, or all, one after another."""
    made = tracked if "--tracked" in sys.argv else replicate
    for name in [word for word in sys.argv[1:] if not word.startswith("-")] or paper.names():
        done = made(paper.read(name), absolute_uri(tracking_uri(), Path.cwd()))
        write(name, done.section(f"replications/{name}.png"), done.figure)
        print(f"{name}: {done.judged} ({done.seconds:.0f} s)", flush=True)
        replace_block(PAGE, "summary", summary())


if __name__ == "__main__":
    main()
