"""Closing a sweep: what it answers, kept with its runs and in its folder, whatever launched its jobs."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from omegaconf import OmegaConf

from initlab.config.schema import Report, read
from initlab.config.trust import trusted
from initlab.errors import InitlabError
from initlab.files import write_whole
from initlab.report.answer import Answer, answer_of
from initlab.report.words import verdict
from initlab.runs.outcome import Outcome, read_outcomes
from initlab.sweeps.control import without_control
from initlab.sweeps.hydra_private import plain
from initlab.sweeps.settling import settle
from initlab.sweeps.task import name_of_sweep

FILE = "sweep.json"
MOST_ADDRESSES = 2
WAITS = "The sweep's summary was not kept: the store does not hold all of its runs yet."
REPORT = "report"  # the folder of its files within the sweep's


@dataclass(frozen=True)
class Closing:
    """What is said when a sweep has ended: its verdict in sentences, addresses by what they show, the path of
    its report, what went wrong in keeping it, and the id of its summary run in MLflow.
    """

    verdict: Sequence[str] = ()
    addresses: Mapping[str, str] | None = None
    report: str | None = None
    problem: str | None = None
    run_id: str | None = None


@dataclass(frozen=True)
class CloseSweep:
    """The task of closing a sweep, for a process that has at hand what its report needs."""

    folder: Path

    def run(self, report: object) -> None:
        """Closes it; what there is to say is left in its folder."""
        settle(self.folder)
        close(self.folder, read_outcomes(self.folder))


def forget(folder: Path) -> None:
    """Forgets what was said of a sweep when it ended before, as some of its jobs are trained now."""
    (folder / FILE).unlink(missing_ok=True)


def closing_of(folder: Path, outcomes: Sequence[Outcome]) -> Closing:
    """Returns what is to be said of a sweep, which is closed unless a launcher has done so."""
    file = folder / FILE
    return Closing(**json.loads(file.read_text())) if file.is_file() else close(folder, outcomes)


def close(folder: Path, outcomes: Sequence[Outcome]) -> Closing:
    """Returns what is to be said of a sweep whose jobs have left these outcomes below folder.

    Where its runs are tracked, a summary run, views for MLflow's UI and a report are left too. What goes
    wrong there is told and costs no more than that: the runs are kept.
    """
    finished = [outcome for outcome in outcomes if outcome.summary]
    if len(finished) < 2:
        return Closing()
    settings = settings_of_report(folder)
    answer = answer_of(finished, settings.by, settings.equal_within)
    said = Closing()
    waits = any(run.waits for run in answer.runs)
    if settings.keep and waits:
        said = Closing(problem=WAITS)
    elif settings.keep and answer.runs[0].run_id:
        said = _kept(folder, outcomes, answer)
    said = replace(said, verdict=[*verdict(answer), *_until(folder, answer)])
    if not waits:  # it can still be closed as a whole
        write_whole(folder / FILE, json.dumps(asdict(said), indent=1).encode())
    return said


def _kept(folder: Path, outcomes: Sequence[Outcome], answer: Answer) -> Closing:
    from initlab.report.summary_run import keep
    from initlab.report.sweep import Sweep

    try:
        sweep = Sweep(name_of_sweep(folder), _experiment_of(answer), _command(folder), outcomes, trusted())
        kept = keep(sweep, answer)
    except InitlabError as error:
        return Closing(problem=f"The sweep's summary was not kept: {error}")
    (folder / REPORT).mkdir(exist_ok=True)
    for name, content in kept.files.items():
        (folder / REPORT / name).write_bytes(content)
    page = folder / REPORT / "report.html"
    addresses = dict(list(kept.addresses.items())[:MOST_ADDRESSES])
    return Closing((), addresses, str(page) if page.is_file() else None, kept.problem, kept.run_id)


def _experiment_of(answer: Answer) -> str:
    """Returns the experiment of the sweep's first run: a config may name one by what only its job knows."""
    from initlab.tracking.reading import experiment_of

    first = answer.runs[0]
    assert first.store is not None
    assert first.run_id is not None
    return experiment_of(first.store, first.run_id)


def _until(folder: Path, answer: Answer) -> list[str]:
    """Returns what came of adding seeds until all is decided, if the command asked for that."""
    launcher = OmegaConf.load(folder / "multirun.yaml").hydra.launcher
    if launcher.get("until") != "decided" or not any(contest.pairs for contest in answer.contests):
        return []
    counts = [len(one.runs) for one in answer.combinations]
    few, most = min(counts), max(counts)
    if answer.decided:
        return [f"Every pair is decided after {most if few == most else f'{few} to {most}'} seeds."]
    return [f"Not every pair is decided after {most} seeds; at_most={launcher.at_most}."]


def _command(folder: Path) -> str:
    """Returns a command line that trains the jobs of a folder's sweep again, without how Hydra was to do it:
    who reads it from a store would obey somebody else.
    """
    overrides = plain(OmegaConf.load(folder / "multirun.yaml").hydra.overrides.task)
    return shlex.join(["initlab", "-m", *without_control([str(one) for one in overrides])])


def settings_of_report(folder: Path) -> Report:
    """Returns the section ``report`` of a sweep's config, which Hydra's sweeper has left in its folder."""
    values = OmegaConf.to_container(OmegaConf.load(folder / "multirun.yaml").report, resolve=True)
    assert isinstance(values, dict)
    return read(Report, {str(key): value for key, value in values.items()}, "report")
