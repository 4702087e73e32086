"""The README tells the truth."""

import re
import shlex

from conftest import ROOT
from hydra import compose, initialize_config_module
from PIL import Image

from initlab.activations import ACTIVATIONS

README = (ROOT / "README.md").read_text()


def test_the_pictures_are_there():
    paths = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert len(paths) == 6
    for path in paths:
        with Image.open(ROOT / path) as picture:
            assert picture.width > 600


def test_every_choice_of_every_group_is_named():
    named = set(re.findall(r"`([a-z0-9_]+)`", README))
    choices = {path.stem for path in (ROOT / "conf").glob("*/*.yaml")}
    assert choices - named == set()


def test_every_activation_is_named():
    for name in ACTIVATIONS:
        assert re.search(rf"\b{name}\b", README), name


def test_every_command_it_shows_composes():
    commands = re.findall(r"^python -m src\.train (.*?)(?:  +#.*)?$", README, re.MULTILINE)
    assert len(commands) > 5
    with initialize_config_module("initlab.conf", version_base="1.3"):
        for command in commands:
            words = [word for word in shlex.split(command) if "=" in word]
            assert compose("config", [word.split(",")[0] for word in words if "(" not in word])


def test_every_target_it_names_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)", README):
        assert f"\n{target}:" in makefile


def test_it_is_short():
    assert len(README.splitlines()) <= 190
