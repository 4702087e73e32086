"""What README and docs show that nobody writes by hand."""

import re

import griffe
import pytest
from conftest import ROOT

from tools.doctest_blocks import DoctestBlocks
from tools.generated import read_block, replace_block

PAGE = """# A page

<!-- first: made by `make readme` -->

old

<!-- end of first -->

Between.

<!-- second: made by `make bench` -->

| a |
| 1 |

<!-- end of second -->
"""


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    return page


def test_a_block_is_replaced_and_nothing_else(page):
    replace_block(page, "first", "new\n\nand \\1 more")
    assert page.read_text() == PAGE.replace("old", "new\n\nand \\1 more")
    assert read_block(page, "second") == "| a |\n| 1 |"


def test_a_block_can_be_replaced_again_and_again(page):
    for text in ("one", "two"):
        replace_block(page, "second", text)
        assert read_block(page, "second") == text


@pytest.mark.parametrize("lost", ["<!-- first: made by `make readme` -->", "<!-- end of first -->"])
def test_a_missing_marker_is_said_in_one_line_and_the_page_stays(page, lost):
    page.write_text(PAGE.replace(lost, ""))
    with pytest.raises(SystemExit, match=r"page\.md: has no block first; it needs '<!-- first: made by"):
        replace_block(page, "first", "new")
    assert page.read_text() == PAGE.replace(lost, "")


PAGES = ("diagnosis", "microscope", "replications", "speed", "statistics")


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{page}.md" for page in PAGES)])
def test_every_block_says_a_make_target_that_writes_it(name):
    text = (ROOT / name).read_text()
    begun = re.findall(r"<!-- (\w+): made by `make ([\w-]+)` -->", text)
    assert begun
    for block, target in begun:
        assert read_block(ROOT / name, block)
        assert f"\n{target}: " in (ROOT / "Makefile").read_text()


def test_the_reference_shows_examples_as_code_and_words_as_they_are(tmp_path):
    (tmp_path / "sample.py").write_text('''"""Returns.\n\n>>> f(2)\n[1][0]\n\nMore words."""''')
    extensions = griffe.load_extensions(DoctestBlocks)
    module = griffe.load("sample", search_paths=[tmp_path], extensions=extensions)
    assert module.docstring.value == "Returns.\n\n```pycon\n>>> f(2)\n[1][0]\n```\n\nMore words."
