"""Private names of Hydra and OmegaConf that Initlab uses, as read in hydra-core 1.3.8 and omegaconf 2.3.1.

* ``ConfigLoaderImpl`` composes configs; it is made with a search path.
* ``ConfigLoaderImpl.load_configuration`` composes one, and so does each job's by way of it.
* ``ConfigLoaderImpl._apply_overrides_to_config`` changes values in a composed config, as the last step.
* ``BasicSweeper`` is Hydra's sweeper of grids; ``BasicSweeper.validate_batch_is_legal`` composes its jobs.
* ``get_overrides_dirname`` joins overrides to ``hydra.job.override_dirname``.
* ``Hydra.run`` and ``Hydra.multirun`` run a task function with overrides, as the command line does.
* ``run_and_report`` runs a part of a command; it prints an error and exits with 1.
* ``get_args_parser`` returns the argparse parser of a command line; the help of one option is no text yet.
* ``get_omega_conf_dumper`` returns the YAML dumper of ``OmegaConf.to_yaml``.
* ``Node._value`` returns what a node holds, with interpolations unresolved.
* ``Node._get_root`` returns the whole config that a node belongs to.

``tests/test_hydra_private.py`` says which of them is missing or takes other arguments in another version.
"""

import os
import re
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cache
from traceback import walk_tb
from typing import Any, NoReturn

import yaml
from hydra import initialize_config_module
from hydra._internal import utils
from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from hydra.types import TaskFunction
from hydra.version import VersionBase
from omegaconf import DictConfig, Node
from omegaconf._utils import get_omega_conf_dumper
from omegaconf.errors import OmegaConfBaseException

__all__ = ["ConfigLoaderImpl"]

# What libyaml may write in another way: escapes and broken quoted lines, long or empty keys.
_MAY_DIFFER = re.compile(r"\\|^[ -]*\? |'':(?: |$)|.{100,}:(?: |$)", re.MULTILINE)


def apply_overrides(overrides: Iterable[Override], cfg: DictConfig) -> None:
    """Changes the values in a composed config; raises Hydra's error where Hydra does."""
    ConfigLoaderImpl._apply_overrides_to_config(list(overrides), cfg)


def override_dirname(overrides: Sequence[Override], settings: Mapping[str, Any]) -> str:
    """Returns ``hydra.job.override_dirname`` by the settings in ``hydra.job.config.override_dirname``."""
    how = settings["exclude_keys"], settings["item_sep"], settings["kv_sep"]
    return get_overrides_dirname(list(overrides), *how)


def plain(value: Any) -> Any:
    """Returns what ``OmegaConf.to_container(value, enum_to_str=True)`` does, in a fifth of the time."""
    while isinstance(value, Node):
        value = value._value()
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.name if isinstance(value, Enum) else value


def yaml_text(content: Any) -> str:
    """Returns the YAML that OmegaConf writes for plain content, by libyaml where that writes the same."""
    if isinstance(content, dict | list) and (dumper := _libyaml_dumper()):
        try:
            text = _dump(content, dumper)
        except UnicodeEncodeError:  # a lone surrogate, which only the slow dumper can write
            text = "\\"
        if not _MAY_DIFFER.search(text):
            return text
    return _dump(content, get_omega_conf_dumper())


def _dump(content: Any, dumper: Any) -> str:
    return yaml.dump(content, Dumper=dumper, default_flow_style=False, allow_unicode=True, sort_keys=False)


@cache
def _libyaml_dumper() -> Any:
    """Returns libyaml's dumper with OmegaConf's representers, None where PyYAML was built without libyaml."""
    if not yaml.__with_libyaml__:
        return None
    names = ("yaml_representers", "yaml_multi_representers", "yaml_implicit_resolvers")
    return type("_Dumper", (yaml.CDumper,), {n: getattr(get_omega_conf_dumper(), n) for n in names})


def config_around(error: BaseException | None) -> DictConfig | None:
    """Returns the whole config in which a key was not found, None if the error is another one."""
    node = getattr(error, "parent_node", None)
    root = node._get_root() if isinstance(node, Node) else None
    return root if isinstance(root, DictConfig) else None


@contextmanager
def errors_of_commands(show: Callable[[Exception], None]) -> Iterator[None]:
    """Lets ``show`` see each error of a command before Hydra prints it; ``show`` may print it and exit.

    With HYDRA_FULL_ERROR=1 errors go through with their traceback.
    """
    report = utils.run_and_report

    def run_and_report(func: Any) -> Any:
        return report(lambda: shown(func))

    def shown(func: Any) -> Any:
        try:
            return func()
        except Exception as error:
            if os.environ.get("HYDRA_FULL_ERROR") != "1":
                show(error)
            raise

    utils.run_and_report = run_and_report
    try:
        yield
    finally:
        utils.run_and_report = report


@contextmanager
def late_help() -> Iterator[None]:
    """Lets the help of Hydra's options become text when it is shown; argparse of Python 3.14 looks into it
    when an option is added, and refuses.
    """
    ArgumentParser._check_help = lambda parser, action: None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del ArgumentParser._check_help  # type: ignore[attr-defined]  # the inherited one is back


@contextmanager
def composed_configs(check: Callable[[DictConfig], None]) -> Iterator[None]:
    """Lets ``check`` see each config that Hydra composes, of a command and of its jobs, before anything is
    written of it; what it raises is an error of composing.
    """
    compose = ConfigLoaderImpl.load_configuration

    def load_configuration(loader: Any, *args: Any, **kwargs: Any) -> DictConfig:
        cfg = compose(loader, *args, **kwargs)
        check(cfg)
        return cfg

    ConfigLoaderImpl.load_configuration = load_configuration  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ConfigLoaderImpl.load_configuration = compose  # type: ignore[method-assign]


def was_refused(error: BaseException) -> bool:
    """Returns whether Hydra or OmegaConf raised an error by themselves: it is about what they were given."""
    if isinstance(error, HydraException | OmegaConfBaseException):
        return True
    frames = list(walk_tb(error.__traceback__))
    raised_in = frames[-1][0].f_globals.get("__name__", "") if frames else ""
    return raised_in.partition(".")[0] in ("hydra", "omegaconf", "antlr4")


def check_options(arguments: Sequence[str]) -> None:
    """Raises ValueError, in one line, for words of a command line that Hydra's parser would not take."""
    with late_help():
        parser = utils.get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise ValueError(message)

    parser.error = refuse  # type: ignore[method-assign]  # argparse prints a page and exits
    parser.parse_args(list(arguments))


def basic_sweeper(max_batch_size: int | None, params: Any) -> Any:
    """Returns Hydra's own sweeper. Hydra loads its module anew when it looks for plugins; a class that was
    imported before is no longer the one that the module knows.
    """
    from hydra._internal.core_plugins import basic_sweeper

    return basic_sweeper.BasicSweeper(max_batch_size, params)


def run_hydra(config_name: str, task_function: TaskFunction, overrides: Sequence[str], multirun: bool) -> Any:
    """Returns what Hydra returns for the overrides of a command line: the job's JobReturn, or with
    ``multirun`` what the sweeper returns (Hydra's own: a list with a list of JobReturn for each batch).

    Reads no command line and leaves the logging and the Hydra of the program around it as they are, so
    that scripts and notebooks can call it any number of times. Raises what composing or the job raised.
    """
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    mode = f"hydra.mode={'MULTIRUN' if multirun else 'RUN'}"
    with hydra_of_its_own() as hydra:
        run = hydra.multirun if multirun else hydra.run
        return run(config_name, task_function, [*quiet, *overrides, mode], with_log_configuration=False)


@contextmanager
def hydra_of_its_own() -> Iterator[Any]:
    """Yields a new Hydra with Initlab's configs, and afterwards puts back what Hydra keeps for a process."""
    name, base = JobRuntime.instance().get("name"), VersionBase.instance().version_base
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module("initlab.conf", job_name="initlab", version_base="1.3"):
            yield GlobalHydra.instance().hydra
    finally:
        GlobalHydra.instance().hydra = outer
        JobRuntime.instance().set("name", name)
        VersionBase.instance().version_base = base
