"""The lesson's notebook runs, and what it shows is what comes out."""

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import ROOT, folder_with
from hydra import compose, initialize_config_module

from tools.lesson import LESSON, executed

IMAGE = re.compile(r'src="data:image/\w+;base64,[^"]+"')
SWEEP = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-[0-9a-f]{8}")  # when, and a draw


@pytest.fixture(scope="module")
def kept():
    return nbformat.read(LESSON, as_version=4)


@contextmanager
def one_core():
    """Has what is started inside see one core: its sweeps train where they are, without processes that
    import everything again for each of them.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.fixture(scope="module")
def new(tmp_path_factory, migrated_database):
    with one_core():
        return executed(LESSON, folder_with(migrated_database, tmp_path_factory.mktemp("lesson")))


def code_of(lesson):
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def texts_of(cell):
    """Returns what a cell shows, as text by its format, without pictures and what differs every time."""
    shown = []
    for output in cell.outputs:
        data = output.get("data") or {output.name: output.text}
        texts = {kind: "" if kind == "image/png" else IMAGE.sub("", text) for kind, text in data.items()}
        shown.append({kind: _apart_from_numbers(text) for kind, text in texts.items()})
    return shown


def _apart_from_numbers(text):
    """Returns a text without its numbers and their room: elsewhere a chaotic start may end elsewhere."""
    return re.sub(r"\s+", " ", re.sub(r"[-−+]?\d[\d.,]*", "N", SWEEP.sub("SWEEP", text)))


def test_every_cell_runs_and_shows_what_is_kept(kept, new):
    assert [cell.execution_count for cell in code_of(new)] == list(range(1, len(code_of(kept)) + 1))
    for ours, theirs in zip(code_of(kept), code_of(new), strict=True):
        assert texts_of(ours) == texts_of(theirs), ours.source
        assert texts_of(ours), ours.source


def test_nothing_but_results_is_kept(kept):
    for cell in code_of(kept):
        assert {output.output_type for output in cell.outputs} <= {"stream", "execute_result"}
        assert {output.name for output in cell.outputs if output.output_type == "stream"} <= {"stdout"}
        assert all("\x1b" not in text for texts in texts_of(cell) for text in texts.values())
        assert cell.metadata == {}
    assert set(kept.metadata) == {"kernelspec", "language_info"}


def test_it_names_no_path_of_a_machine(kept):
    written = [cell.source for cell in kept.cells]
    written += [text for cell in code_of(kept) for texts in texts_of(cell) for text in texts.values()]
    for text in written:
        for path in (ROOT, Path.home(), Path(tempfile.gettempdir())):
            assert f"{path}/" not in text
        assert not re.search(r"(?<![\w.:/<])/(?:home|root|tmp|usr|var|Users)\b", text)


def test_it_is_small_and_every_cell_is_introduced(kept):
    assert LESSON.stat().st_size < 900_000
    kinds = "".join(cell.cell_type[0] for cell in kept.cells)
    assert re.fullmatch(r"m(m?cm)+", kinds)
    assert 9 <= kinds.count("c") <= 12


def test_it_shows_the_animation_and_the_pictures(kept):
    shown = "".join(
        output.get("data", {}).get("text/html", "") for c in code_of(kept) for output in c.outputs
    )
    assert shown.count("data:image/webp") == 1
    assert shown.count("data:image/png") == 1
    assert sum("image/png" in output.get("data", {}) for c in code_of(kept) for output in c.outputs) == 2


def test_what_is_to_be_changed_can_be_changed(kept):
    exercises = kept.cells[-1].source.split("\n* ")[1:]
    tried = 0
    with initialize_config_module("initlab.conf", version_base="1.3"):
        for exercise in exercises:
            words = [word.split(",")[0] for word in re.findall(r'"([\w.]+=[\w.,]+)"', exercise)]
            alone = len({word for word in words if word.startswith("dataset=")}) > 1
            for some in [[word] for word in words if word.startswith("dataset=")] if alone else [words]:
                tried += bool(compose("config", some)) and len(some)
    assert tried >= 8


def test_the_docs_show_it_as_it_is():
    config = yaml.load((ROOT / "mkdocs.yml").read_text(), yaml.BaseLoader)
    assert {"Lesson": "lesson.ipynb"} in config["nav"]
    [settings] = [one["mkdocs-jupyter"] for one in config["plugins"] if "mkdocs-jupyter" in one]
    assert settings["execute"] == "false"
