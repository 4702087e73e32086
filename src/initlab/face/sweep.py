"""Many runs to look at: ``initlab.sweep`` trains them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from math import inf
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from initlab.errors import InitlabError
from initlab.face.in_process import overrides_of, run_sweep
from initlab.face.run import load
from initlab.face.show import Picture, Table, Words, paragraphs, picture_of, plotted, side_by_side, table_of
from initlab.runs.outcome import Outcome, rows_of
from initlab.runs.summary import Summary
from initlab.sweeps.closing import Closing
from initlab.sweeps.task import train_job, trains_in_stacks
from initlab.terminal.progress import ProgressLine
from initlab.tracking.reading import stored_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # noqa: TID251  for type checkers alone
    from pandas import DataFrame

MOST_CURVES = 12  # as many as can be told apart


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """Runs that were trained together: ``outcomes`` holds of each its overrides and its summary or error, and
    ``closing`` what they answer and where that can be seen.
    """

    outcomes: Sequence[Outcome]
    closing: Closing = Closing()  # noqa: RUF009  it cannot be changed

    @property
    def summaries(self) -> list[Summary]:
        """The summaries of the runs that finished, in order; ``initlab.load(summary.run_id)`` is a run."""
        return [outcome.summary for outcome in self.outcomes if outcome.summary]

    @property
    def failed(self) -> list[Outcome]:
        """The jobs that failed or were stopped, each with its ``overrides`` and its ``error``."""
        return [outcome for outcome in self.outcomes if not outcome.summary]

    @property
    def table(self) -> Table:
        """The command's closing table: each run or, over several seeds, medians of each set of runs."""
        return table_of(self.outcomes)

    @property
    def verdict(self) -> Words:
        """What the sweep answers: which start is better, by how much, and how sure that is."""
        return Words(" ".join(self.closing.verdict))

    @property
    def picture(self) -> Picture:
        """The decision boundaries of typical runs, those of median final cost, above the cost curves of all:
        comparison.png of the sweep's summary run. Raises InitlabError where none was tracked.
        """
        if self.closing.run_id is None:
            raise InitlabError("there is no picture of this sweep: no summary run is tracked")
        name = "comparison.png"
        return Picture(stored_run(self.closing.run_id, str(self.summaries[0].store), [name]).files[name])

    def frame(self) -> "DataFrame":
        """Returns a row for each job: its overrides, its name, its costs, scores and verdicts, its MLflow run
        and its error, as in the runs.csv that the sweep tracks.
        """
        from pandas import DataFrame

        rows = ({key: _typed(value) for key, value in row.items()} for row in rows_of(self.outcomes))
        return DataFrame(list(rows))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Returns axes with cost curves: over several seeds, of each set of runs that of median final cost.

        Of more than 12 sets, the 12 of the lowest medians are drawn. The costs are read from MLflow: raises
        InitlabError where nothing is tracked or no run finished. Without ``ax`` the axes are those of a new
        figure, ``axes.figure``.
        """
        from initlab.plots import plot_costs

        medians = _medians(self.summaries)
        if not medians or any(summary.run_id is None for summary in medians.values()):
            raise InitlabError("there are no costs to plot: nothing is tracked, or no run has finished")
        drawn = sorted(medians, key=lambda name: medians[name].objective)[:MOST_CURVES]
        shown = {name: summary for name, summary in medians.items() if name in drawn}
        costs = {name: load(str(summary.run_id), summary.store).costs for name, summary in shown.items()}
        return plotted(plot_costs, costs, ax=ax)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __repr__(self) -> str:
        runs = "1 run" if len(self) == 1 else f"{len(self):,} runs"
        return f"<Sweep of {runs}, {len(self.failed):,} failed>" if self.failed else f"<Sweep of {runs}>"

    def _repr_html_(self) -> str:
        verdict = "".join(f"<p><strong>{escape(line)}</strong></p>" for line in self.closing.verdict)
        failed = paragraphs([f"{one.name}: {one.error}" for one in self.failed])
        tracked = bool(self.summaries) and all(summary.run_id for summary in self.summaries)
        pictures = [self.picture if self.closing.run_id else picture_of(self.plot())] if tracked else []
        return verdict + self.table._repr_html_() + failed + side_by_side(pictures)


def sweep(*overrides: str, until: str | None = None, at_most: int = 200, **settings: Any) -> Sweep:
    """Returns the runs of a sweep, trained and tracked as the command ``initlab -m`` does it: as stacks, on
    all cores, each with the bits of a lone run.

    ``overrides`` are Hydra's, as on the command line, several values of a key by commas or ``range(0,20)``;
    keywords are overrides too: ``seed=range(20)``. ``experiment=depth`` trains a study. With
    ``until="decided"`` seeds are added until every pair of starts is decided, ``at_most`` for each start. A
    job that fails harms no other: see ``Sweep.failed``. Raises ConfigError, in one line, for overrides that
    make no config.

    >>> import initlab
    >>> starts, steps = "init=zeros,random,he", {"learning_rate": 0.1}
    >>> sweep = initlab.sweep(starts, seed=range(2), optimizer=steps, train={"iterations": 1000})
    >>> sweep
    <Sweep of 6 runs>
    >>> sweep.frame().groupby("init").final_cost.median().idxmin()
    'he'
    >>> sweep.plot().get_xlabel()
    'iteration'
    """
    wanted = [] if until is None else [f"hydra.launcher.until={until}", f"hydra.launcher.at_most={at_most}"]
    return Sweep(*run_sweep(_train_job, [*overrides_of(overrides, settings), *wanted]))


def _train_job(cfg: DictConfig) -> float:
    """Trains a job for launchers that train one by one; what it came to is left in its folder."""
    with suppress(Exception), ProgressLine(quiet=True) as line:
        return train_job(cfg, line).summary.objective
    return inf


trains_in_stacks(_train_job, quiet=True)


def _typed(value: Any) -> Any:
    """Returns the number that a text says, if it says one."""
    for kind in (int, float) if isinstance(value, str) else ():
        with suppress(ValueError):
            return kind(value)
    return value


def _medians(summaries: Sequence[Summary]) -> dict[str, Summary]:
    """Returns by its name, of each set of runs that differ in nothing but their seeds, the median one, in the
    order of the jobs.
    """
    sets: dict[str, list[Summary]] = {}
    for summary in summaries:
        name = f"{summary.tags['init']} {summary.tags.get('variant', '')}".strip()
        sets.setdefault(name, []).append(summary)
    return {
        name: sorted(runs, key=lambda run: run.objective)[(len(runs) - 1) // 2] for name, runs in sets.items()
    }
