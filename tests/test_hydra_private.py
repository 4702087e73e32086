"""The private names of Hydra and OmegaConf that Initlab uses are there, and are used in one file only."""

import ast
import inspect
import re
from argparse import Action, ArgumentParser
from importlib import import_module
from importlib.metadata import version
from operator import attrgetter

import pytest
from conftest import ROOT

ADAPTER = ROOT / "src" / "initlab" / "sweeps" / "hydra_private.py"

# Imports nothing of Initlab: where a name is gone, this file must still be able to say so.
PARAMETERS = {
    "hydra._internal.config_loader_impl:ConfigLoaderImpl": ["config_search_path"],
    "hydra._internal.config_loader_impl:ConfigLoaderImpl._apply_overrides_to_config": ["overrides", "cfg"],
    "hydra._internal.config_loader_impl:get_overrides_dirname": [
        *("overrides", "exclude_keys", "item_sep", "kv_sep"),
    ],
    "hydra._internal.core_plugins.basic_sweeper:BasicSweeper": ["max_batch_size", "params"],
    "hydra._internal.core_plugins.basic_sweeper:BasicSweeper.validate_batch_is_legal": ["self", "batch"],
    "hydra._internal.hydra:Hydra.run": [
        *("self", "config_name", "task_function", "overrides", "with_log_configuration"),
    ],
    "hydra._internal.hydra:Hydra.multirun": [
        *("self", "config_name", "task_function", "overrides", "with_log_configuration"),
    ],
    "hydra._internal.utils:run_and_report": ["func"],
    "hydra._internal.utils:get_args_parser": [],
    "omegaconf._utils:get_omega_conf_dumper": [],
    "omegaconf:Node._value": ["self"],
    "omegaconf:Node._get_root": ["self"],
}


def complaint(name, parameters):
    """What a person needs to know where a private name is not what the adapter was written for."""
    module, _, attributes = name.partition(":")
    package = "omegaconf" if module.startswith("omegaconf") else "hydra-core"
    written = f"{ADAPTER.name} was written for hydra-core 1.3.8 and omegaconf 2.3.1"
    try:
        found = attrgetter(attributes)(import_module(module))
    except (ImportError, AttributeError):
        return f"{package} {version(package)} has no {name}; {written}"
    actual = list(inspect.signature(found).parameters)
    if actual != parameters:
        return f"{name} of {package} {version(package)} takes {actual}, not {parameters}; {written}"
    return None


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_private_name_is_what_the_adapter_was_written_for(name):
    assert complaint(name, PARAMETERS[name]) is None


def test_a_missing_name_and_another_signature_are_told_with_name_and_version(monkeypatch):
    from hydra._internal import utils

    monkeypatch.delattr(utils, "run_and_report")
    told = complaint("hydra._internal.utils:run_and_report", ["func"])
    assert told.startswith(f"hydra-core {version('hydra-core')} has no hydra._internal.utils:run_and_report;")
    monkeypatch.setattr(utils, "run_and_report", lambda func, more: None, raising=False)
    told = complaint("hydra._internal.utils:run_and_report", ["func"])
    assert f"hydra-core {version('hydra-core')} takes ['func', 'more'], not ['func']" in told
    assert "no hydra._internal.gone:name;" in complaint("hydra._internal.gone:name", [])


def test_the_adapters_docstring_names_them_all_and_the_versions():
    words = ast.get_docstring(ast.parse(ADAPTER.read_text()))
    for name in PARAMETERS:
        assert name.partition(":")[2] in words
    assert "hydra-core 1.3.8 and omegaconf 2.3.1" in words


METHODS = {name.rpartition(".")[2] for name in PARAMETERS if "._" in name.partition(":")[2]}


def private_uses(code):
    """The private modules and methods of Hydra and OmegaConf that some code imports or calls."""
    for node in ast.walk(ast.parse(code)):
        names = [node.attr] if isinstance(node, ast.Attribute) and not is_self(node.value) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        yield from (name for name in names if name in METHODS or re.match(r"(hydra|omegaconf)\b.*\._", name))


def is_self(node):
    return isinstance(node, ast.Name) and node.id == "self"


def test_only_the_adapter_uses_private_names_of_hydra_and_omegaconf():
    assert set(private_uses("import omegaconf._utils\nx._value()\nfrom hydra.core import a")) == {
        *("omegaconf._utils", "_value"),
    }
    assert [path for path in (ROOT / "src").rglob("*.py") if [*private_uses(path.read_text())]] == [ADAPTER]


def test_an_option_whose_help_is_no_text_yet_is_let_pass_where_argparse_looks_into_it(monkeypatch):
    from initlab.sweeps.hydra_private import late_help

    def look(parser, action):  # as Python 3.14 does, whichever this is
        if "%" in action.help:
            raise ValueError(action.help)

    option = Action(["--late"], "late", help=object())
    monkeypatch.setattr("argparse._ActionsContainer._check_help", look, raising=False)
    with late_help():
        ArgumentParser()._check_help(option)
    with pytest.raises(TypeError, match="iterable"):
        ArgumentParser()._check_help(option)
