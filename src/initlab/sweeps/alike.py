"""Preparing the jobs of a group, most of which differ from one another in a few plain values.

Jobs of one form share a config: each sets its own values in it, and takes plain copies of the rest. That is a
quarter of the work of a config for each.
"""

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import OverrideType
from hydra.errors import HydraException
from omegaconf import OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from initlab.config.schema import plain as resolved
from initlab.errors import ConfigError
from initlab.signals import check
from initlab.sweeps.hydra_private import plain
from initlab.sweeps.job_folder import as_hydra_config, places_of, write_configs
from initlab.sweeps.sweep_job import Prepared, SweepJob, prepare
from initlab.sweeps.task import tags_in


def prepared(jobs: Sequence[SweepJob], elsewhere: Path | None, apart: bool) -> Iterator[Prepared]:
    """Yields every job with its folder made, each as it would come out alone; see ``prepare``. With ``apart``
    each has a whole config of its own.
    """
    forms: dict[Hashable, Form | Prepared | None] = {}
    for job in jobs:
        check()
        form = forms.get(key := job.recipe.form)
        if isinstance(form, Prepared):
            form = forms[key] = Form.of(form)
        if form and (one := form.prepare(job)):
            yield one
            continue
        yield (one := prepare(job, elsewhere))
        suits = key not in forms and not apart and not elsewhere and _may_be_shared(job)
        forms[key] = one if suits else None


def _may_be_shared(job: SweepJob) -> bool:
    """Returns whether its config becomes that of any job of its form where the values are set anew: whole
    values that are changed, none of them a part of another.
    """
    recipe = job.recipe
    keys = [f"{one.key_or_group}." for one in recipe.updates]
    apart = not any(a.startswith(b) for i, a in enumerate(keys) for j, b in enumerate(keys) if i != j)
    changes = all(one.type is OverrideType.CHANGE for one in recipe.updates)
    return recipe.dirname is not None and recipe.is_plain and apart and changes


class Form:
    """The config that jobs of one form share."""

    def __init__(self, first: Prepared) -> None:
        self._whole, self._recipe, self._home = first.whole, first.job.recipe, first.home
        self._hydra = plain(first.whole.hydra)
        self._read = [path for path, text in _texts(self._own_part()) if "${" in text]

    @classmethod
    def of(cls, first: Prepared) -> "Form | None":
        """Returns the form of a job that has been prepared alone, None where that cannot be shared: some part
        reads Hydra's config, or has no value yet or an odd name, or the job comes out otherwise.
        """
        form = cls(first)
        if any("hydra" in text or text == "???" for _, text in _texts(form._own_part())):
            return None
        if not all(isinstance(name, int) or name.isidentifier() for path in form._read for name in path):
            return None
        again = form.prepare(first.job)
        try:
            same = again and repr((resolved(first.cfg), first.folder, first.tags)) == repr(
                (resolved(again.cfg), again.folder, again.tags)
            )
        except ConfigError:  # the job will say so itself
            return None
        return form if same else None

    def prepare(self, job: SweepJob) -> Prepared | None:
        """Returns a job with its folder made, None if it must be prepared alone."""
        whole, hydra = self._whole, self._hydra
        try:
            sweep, folder = self._set(job)
            cfg = self._own_part()
            write_configs(cfg, hydra, folder)
            with as_hydra_config(whole):
                for path in self._read:
                    _put(cfg, path, OmegaConf.select(whole, ".".join(map(str, path))))
        except (HydraException, OmegaConfBaseException, _NotPlainError):
            return None
        return Prepared(job, whole, cfg, folder, tags_in(hydra, sweep, job.variant), self._home)

    def _set(self, job: SweepJob) -> tuple[str, Path]:
        """Sets a job's values and makes its folder; returns that of the sweep and its own."""
        whole, hydra = self._whole, self._hydra
        with read_write(whole.hydra):
            job.recipe.change(whole, self._recipe)
            self._recipe = job.recipe
            whole.hydra.job.id = whole.hydra.job.num = job.number
        sweep, folder = places_of(whole)
        with read_write(whole.hydra.runtime):
            whole.hydra.runtime.output_dir = str(folder)
        hydra["overrides"]["task"] = list(job.recipe.overrides)
        hydra["job"] = plain(whole.hydra.job)
        hydra["runtime"]["output_dir"] = str(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return sweep, folder

    def _own_part(self) -> dict[str, Any]:
        items = self._whole.items_ex(resolve=False)
        return {str(key): plain(node) for key, node in items if key != "hydra"}


class _NotPlainError(Exception):
    """A value that was read is more than a text or a number."""


def _texts(values: Any, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yields the texts in nested values after their paths: names in mappings, places in lists."""
    if isinstance(values, dict | list):
        for name, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from _texts(value, *path, name)
    elif isinstance(values, str):
        yield path, values


def _put(values: Any, path: Sequence[str | int], value: Any) -> None:
    """Puts a value at a path of nested values."""
    if not isinstance(value, str | int | float | None):
        raise _NotPlainError
    for name in path[:-1]:
        values = values[name]
    values[path[-1]] = value
