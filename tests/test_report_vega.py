"""The script that draws a page's charts, and the copy of it that is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from initlab.report import vega


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    vega.vega_script.cache_clear()
    yield tmp_path / "cache" / "initlab"
    vega.vega_script.cache_clear()


def test_the_script_is_kept_whole_and_read_again(cache):
    made = vega.vega_script()
    [kept] = cache.iterdir()
    assert kept.read_text(encoding="utf-8") == made
    assert "window.vegaEmbed" in made
    assert "</script" not in made
    kept.write_text("kept", encoding="utf-8")
    vega.vega_script.cache_clear()
    assert vega.vega_script() == "kept"


def test_where_nothing_can_be_kept_the_script_is_made_all_the_same(cache):
    cache.parent.write_text("a file where the folder should be")
    assert "window.vegaEmbed" in vega.vega_script()


def test_another_version_of_the_bundle_is_made_anew(cache, monkeypatch):
    cache.mkdir(parents=True)
    monkeypatch.setattr(vega, "version", lambda name: "0.1")
    vega.vega_script()
    assert [path.name.startswith("vega-0.1-") for path in cache.iterdir()] == [True]
