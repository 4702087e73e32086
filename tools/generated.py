"""The blocks of README and docs that a command writes. Each stands between two markers:

<!-- results: made by `make readme` -->

what the command wrote last

<!-- end of results -->
"""

import re
from collections.abc import Sequence
from pathlib import Path


def read_block(page: Path, name: str) -> str:
    """Returns what stands in a page's block; exits with a line that says so where the page has none."""
    return _found(page, name)[1]


def replace_block(page: Path, name: str, text: str) -> None:
    """Puts a text into a page's block; exits with a line that says so where the page has none."""
    start, end = _found(page, name).span(1)
    words = page.read_text()
    page.write_text(words[:start] + text.strip("\n") + words[end:])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a markdown table of a column of words and columns of numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _found(page: Path, name: str) -> re.Match[str]:
    begin, end = rf"<!-- {name}: made by `make [\w-]+` -->", rf"<!-- end of {name} -->"
    found = re.search(rf"{begin}\n\n(.*?)\n\n{end}", page.read_text(), re.DOTALL)
    if found is None:
        markers = f"'<!-- {name}: made by `make …` -->' and below it '<!-- end of {name} -->'"
        raise SystemExit(f"{page}: has no block {name}; it needs {markers}, a blank line inside of each")
    return found
