"""Going on with a sweep: which one a command means, and which of its jobs are done.

A job is done when its run is FINISHED and nothing has changed that its numbers follow from. A worker tells
that by the run's identity, for which it must compose the job. Here it is told without: by a stamp that each
outcome carries, a digest of all that the configs of a sweep are made from.
"""

import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from initlab.config.options import CONF
from initlab.config.trust import trusted
from initlab.errors import InitlabError
from initlab.runs.code import numerical_code
from initlab.runs.outcome import Outcome, read_outcomes
from initlab.sweeps.control import is_search, without_control
from initlab.sweeps.hydra_private import plain
from initlab.sweeps.launched import launched
from initlab.tracking.reading import finished_of

NOT_ITS_OWN = ("hydra.mode=", "hydra.sweep.dir=", "hydra.launcher.wait=")
VARIABLE = re.compile(r"oc\.env:\s*([A-Za-z_]\w*)")


def command_of(folder: Path) -> list[str]:
    """Returns the words that made the sweep of a folder: overrides, and where its own configs were.

    Raises InitlabError where the folder does not tell.
    """
    hydra = _hydra_of(folder)
    words = [str(override) for override in plain(hydra.overrides.task)]
    hydras = [str(override) for override in plain(hydra.overrides.hydra)]
    places = [one.path for one in hydra.runtime.config_sources if one.provider == "command-line"]
    return [
        *without_control(words),
        *(override for override in hydras if not override.startswith(NOT_ITS_OWN)),
        *(word for place in places for word in ("--config-dir", place)),
    ]


def sweeps_below(parent: Path) -> Iterator[Path]:
    """Yields the folders of sweeps right below a folder, the newest first.

    A sweep that was killed while Hydra wrote its command is left out: none of its jobs had begun.
    """
    found = [path.parent for path in parent.glob("*/multirun.yaml")]
    found.sort(key=lambda folder: (folder / "multirun.yaml").stat().st_mtime, reverse=True)
    yield from (folder for folder in found if _command_is_whole(folder))


def _command_is_whole(folder: Path) -> bool:
    try:
        command_of(folder)
    except InitlabError:
        return False
    return True


def _hydra_of(folder: Path) -> DictConfig:
    """Returns Hydra's own config of the sweep of a folder; raises InitlabError where it is not whole."""
    file = folder / "multirun.yaml"
    try:
        hydra = OmegaConf.load(file).hydra
        _ = hydra.overrides.task, hydra.runtime.config_sources
    except (OmegaConfBaseException, YAMLError) as error:
        raise InitlabError(f"{file}: is not whole, and there is nothing to go on with") from error
    assert isinstance(hydra, DictConfig)
    return hydra


def sweep_of(parent: Path, overrides: Sequence[str]) -> Path | None:
    """Returns the folder of the newest sweep below a folder that these overrides made, None if none did."""
    wanted = without_control(overrides)
    for folder in sweeps_below(parent):
        task = plain(_hydra_of(folder).overrides.task)
        if without_control([str(override) for override in task]) == wanted:
            return folder
    return None


def stamp_of(hydra: DictConfig) -> str | None:
    """Returns a digest of what the configs and the numbers of a sweep's jobs follow from, beside their own
    overrides: the numerical code, the YAML files, the variables of the environment that these read, and the
    data files that are named. None where functions of the user's may matter, which it does not know.
    """
    sources = [Path(one.path) for one in hydra.runtime.config_sources if one.schema == "file"]
    overrides = [str(override) for override in plain(hydra.overrides.task)]
    files = sorted(path for place in (Path(str(CONF)), *sources) for path in place.rglob("*.yaml"))
    content = sha256(numerical_code().encode())
    for path in files:
        text = path.read_text()
        if "allow_targets: [" in text.replace("allow_targets: []", ""):
            return None
        content.update(text.encode())
        for name in VARIABLE.findall(text):
            content.update(f"{name}={os.environ.get(name)}".encode())
    if any(override.startswith("allow_targets=") for override in overrides) or trusted():
        return None
    for path in _data_files(overrides):
        content.update(sha256(path.read_bytes()).digest())
    return content.hexdigest()


def _data_files(overrides: Sequence[str]) -> Iterator[Path]:
    for override in overrides:
        key, _, value = override.partition("=")
        if key.endswith(".path"):
            paths = (Path(one.strip("'\"")).expanduser() for one in value.split(","))
            yield from (path for path in paths if path.is_file())


def done_in(folder: Path, stamp: str | None) -> list[Outcome]:
    """Returns the outcomes of a sweep's jobs that are done, in the order of their numbers."""
    if stamp is None:
        return []
    summed = [one for one in read_outcomes(folder) if one.summary and one.stamp == stamp]
    stores: dict[str, list[str]] = {}
    for one in summed:
        if one.summary and one.summary.run_id:
            stores.setdefault(str(one.summary.store), []).append(one.summary.run_id)
    finished = {run_id for uri, run_ids in stores.items() for run_id in finished_of(uri, run_ids)}
    return [one for one in summed if one.summary and one.summary.run_id in {None, *finished}]


def is_done(folder: Path) -> bool:
    """Returns whether nothing is left to do in the sweep of a folder."""
    hydra = _hydra_of(folder)
    planned = launched(folder).jobs
    if not planned or hydra.launcher.get("until") or is_search(hydra):
        return False
    return len(done_in(folder, stamp_of(hydra))) == planned
