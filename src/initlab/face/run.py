"""One run to look at: ``initlab.run`` trains it, ``initlab.load`` reads it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from initlab.config.options import tracking_uri
from initlab.config.rules import Rule
from initlab.config.trust import trusting
from initlab.datasets import Dataset
from initlab.errors import ConfigError, InitlabError, naming
from initlab.face.in_process import overrides_of, refuse_study, run_job
from initlab.face.show import (
    Animation,
    Picture,
    format_of,
    paragraphs,
    plotted,
    side_by_side,
    table_of,
    words_of,
)
from initlab.networks.network import Network, flat_parameters
from initlab.predictor import Predictor
from initlab.runs.animation import forming
from initlab.runs.job import Job, job_of
from initlab.runs.model import meaning_of, predictor_of
from initlab.runs.outcome import Outcome
from initlab.runs.pictures import answers_at, boundary_png, cost_png, quantities_of
from initlab.runs.stored import read_back, rebuilt, stored_predictor
from initlab.runs.summary import Summary, Trained
from initlab.sweeps.task import train_job
from initlab.terminal.progress import ProgressLine
from initlab.tracking.address import absolute_uri
from initlab.tracking.reading import stored_run
from initlab.types import Array
from initlab.verdicts import Diagnosis

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # noqa: TID251  for type checkers alone

FRAMES = Rule("a whole number of at least 2", lambda n: isinstance(n, int) and n >= 2)
FIRST_MS, EACH_MS, LAST_MS = 700, 110, 2500  # how long the frames of an animation stand


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A trained run.

    * ``config``: its whole config, as dicts, lists and values
    * ``summary``: its name, tags, costs, scores and diagnosis, and where it is tracked
    * ``history``: arrays by name, as in history.npz: the ``cost`` (n,) before each update, what was measured,
      and at which iterations
    * ``weights``: arrays by name, as in weights.npz: ``W1_initial`` (n_1, n_0), ``b1_initial`` (n_1, 1), …
      before training and ``W1``, ``b1``, … after it
    """

    config: Mapping[str, Any]
    summary: Summary
    history: Mapping[str, NDArray[Any]]
    weights: Mapping[str, Array]
    _drawn: Callable[[str], bytes]
    _data_and_network: Callable[[], tuple[Dataset, Network]]
    _job: Callable[[], Job]
    _predictor: Callable[[], Predictor]

    @property
    def name(self) -> str:
        """Its name, such as he-seed3."""
        return self.summary.name

    @property
    def run_id(self) -> str | None:
        """The id of its MLflow run; None if it is not tracked."""
        return self.summary.run_id

    @property
    def final_cost(self) -> float | None:
        """The cost after the last update; None if the run diverged."""
        return self.summary.final_cost

    @property
    def diagnosis(self) -> Diagnosis:
        """What its measurements mean: findings, each a ``name`` and a ``sentence``, the weightiest first."""
        return self.summary.diagnosis

    @property
    def costs(self) -> Array:
        """The cost (n + 1,) after 0, 1, … n updates; (n,) if the run diverged at its last."""
        costs, final = self.history["cost"].astype(np.float64), self.summary.final_cost
        return costs if final is None else np.append(costs, final)

    @property
    def boundary(self) -> Picture:
        """The decision boundary or, of a regression, the predicted values, as a picture: boundary.png."""
        return Picture(self._drawn("boundary.png"))

    def predict(self, X: Any) -> NDArray[Any]:
        """Returns what the trained network says of each row of X (m, n): the name of its class (m,), or of a
        regression the target in its own unit, (m,) of one and (m, n_y) of several.

        X has a row for each example, as in scikit-learn, and its columns as they were measured: what the
        dataset did to make features of them, such as to standardise, is done here. It is an array with the
        inputs' columns in their order or, where they have names, a table that has these among others. A
        dataset without names of its classes numbers them from 0. Raises InitlabError for a run that diverged,
        and ConfigError, in one line, for an X that does not fit or where the run's data are no longer there.
        """
        network = self._trained_network()
        with naming("X"):
            return network.predict(X)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Returns the probability (m, K) that the trained network gives each class, for each row of X (m, n)
        as ``predict`` takes it; classes are in the order of ``classes``.

        Raises what ``predict`` does, and ConfigError for a regression.
        """
        network = self._trained_network()
        with naming("X"):
            return network.predict_proba(X)

    @property
    def classes(self) -> tuple[str | int, ...]:
        """The names of the classes, numbers where they have none; empty for a regression."""
        return tuple(self._predictor().classes)

    def log_model(self) -> str:
        """Returns the URI, models:/m-…, of this run as a logged model of its MLflow experiment, where it can
        be compared, registered and served; makes it if there is none yet.

        Raises InitlabError for a run that diverged, or that no store holds, and TrackingError where it cannot
        be written.
        """
        from initlab.tracking.logged_model import log_model

        network = self._trained_network()
        if self.run_id is None or self.summary.store is None:
            raise InitlabError(f"run {self.name}: no store holds it, and a model belongs to a tracked run")
        return log_model(self.summary.store, self.run_id, network, self.summary.metrics)

    def _trained_network(self) -> Predictor:
        if self.summary.diverged_at is not None:
            at = self.summary.diverged_at
            raise InitlabError(f"run {self.name}: diverged at iteration {at}, and so predicts nothing")
        return self._predictor()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Returns axes with the cost after every update and the cost of answers that ignore the inputs.

        Without ``ax`` the axes are those of a new figure, ``axes.figure``. Raises ConfigError where the
        run's data are no longer there.
        """
        from initlab.plots import chance_of, plot_costs

        dataset, _ = self._data_and_network()
        chance = chance_of(dataset.task, dataset.Y_train)
        return plotted(plot_costs, {self.name: self.costs}, chance=chance, ax=ax)

    def plot_boundary(self, ax: "Axes | None" = None) -> "Axes":
        """Returns axes with the decision boundary or, of a regression, the predicted values.

        Without ``ax`` the axes are those of a new figure, ``axes.figure``. Raises ConfigError where the
        run's data are no longer there.
        """
        from initlab.plots import plot_boundary

        dataset, network = self._data_and_network()
        answers = answers_at(dataset, network, flat_parameters(network, self.weights))
        about = {
            "task": dataset.task,
            "classes": dataset.classes,
            "quantities": quantities_of(dataset),
            "title": self.name,
        }
        return plotted(plot_boundary, dataset.X_train, dataset.Y_train, answers, **about, ax=ax)

    def animate(self, frames: int = 40, path: str | Path | None = None) -> Animation:
        """Returns how the decision boundary or, of a regression, the predicted values form: a moving picture
        of so many frames, closest together where most changes, each with its iteration and its cost.

        A notebook shows it; ``save("he.gif")``, ``save("he.webp")`` or ``path`` write it to a file. The run
        is trained again for it. Raises InitlabError where that does not lead to the same outcome, or for a
        path that ends otherwise, and ConfigError for fewer than two frames or where the run's data are no
        longer there.
        """
        if not FRAMES.accepts(frames):
            raise ConfigError(f"frames={frames}: must be {FRAMES.allowed}")
        if path is not None:
            format_of(path)
        shown = forming(self._job(), self.summary, frames)
        animation = Animation(shown, [FIRST_MS, *[EACH_MS] * (len(shown) - 2), LAST_MS])
        if path is not None:
            animation.save(path)
        return animation

    def __repr__(self) -> str:
        return f"<Run {self.name}: {words_of(self.summary)}>"

    def _repr_html_(self) -> str:
        table = table_of([Outcome([], self.summary)])
        lines = [f"{name.capitalize()}: {sentence}" for name, sentence in self.diagnosis]
        pictures = [self.boundary, Picture(self._drawn("cost.png"))]
        return table._repr_html_() + paragraphs(lines) + side_by_side(pictures)


def run(*overrides: str, **settings: Any) -> Run:
    """Returns a run, trained and tracked as the command ``initlab`` does it.

    ``overrides`` are Hydra's, as on the command line; keywords are overrides too: ``seed=3``,
    ``train={"iterations": 100}``. ``initlab --help`` lists what there is to choose and to set. As the command
    does, it leaves an MLflow run, unless told ``tracking.uri=null``, and a folder in ``outputs``. Raises
    ConfigError, in one line, for what cannot be trained, and TrackingError where a run cannot be kept.

    >>> import initlab
    >>> run = initlab.run("init=he", "optimizer.learning_rate=0.1", seed=3, train={"iterations": 1000})
    >>> run
    <Run he-seed3: final cost 0.15, train accuracy 98.3%, test accuracy 96.0%>
    >>> run.history["cost"].shape
    (1000,)
    >>> run.diagnosis[0].name
    'trained well'
    >>> run.predict([[0.0, 0.7], [0.0, 1.1]])  # of points on the inner and the outer circle
    array([1, 0])
    """
    kept: list[Run | Exception] = []

    def train(cfg: DictConfig) -> None:
        try:
            refuse_study()
            with ProgressLine(quiet=True) as line:
                trained = train_job(cfg, line)
        except Exception as error:  # Hydra would print it
            kept.append(error)
            return
        kept.append(_run_of(trained))

    run_job(train, overrides_of(overrides, settings))
    [done] = kept
    if isinstance(done, Exception):
        raise done
    return done


def _run_of(trained: Trained) -> Run:
    job, draw = trained.job, {"boundary.png": boundary_png, "cost.png": cost_png}
    return Run(
        job.values,
        trained.summary,
        trained.history,
        trained.weights,
        lambda name: draw[name](trained),
        lambda: (job.dataset, job.network),
        lambda: job,
        lambda: predictor_of(job.network, meaning_of(job.dataset), trained.weights),
    )


def load(run_id: str, uri: str | None = None, *, allow_targets: Sequence[str] = ()) -> Run:
    """Returns a run that was tracked before, as ``initlab.run`` returned it.

    ``uri`` is any MLflow tracking URI; None is where the commands of the current folder track. Nothing that
    the store holds is executed: its plots rebuild data and network by Initlab's own functions and by those of
    the modules that ``allow_targets`` names. Raises TrackingError where there is no such store or run, or
    where the run has not finished.

    >>> import initlab
    >>> trained = initlab.run("init=zeros", train={"iterations": 20})
    >>> initlab.load(trained.run_id)
    <Run zeros-seed3: final cost 0.693, train accuracy 50.0%, test accuracy 50.0%>
    """
    store = absolute_uri(uri or tracking_uri(), Path.cwd())
    stored = read_back(run_id, store)

    def drawn(name: str) -> bytes:
        return stored_run(run_id, store, [name]).files[name]

    made = partial(rebuilt, stored.values, allow_targets)

    def job() -> Job:
        with trusting(allow_targets):  # what the run's own config allows does not count
            return job_of({**stored.values, "allow_targets": []}, stored.summary.tags)

    predictor = cache(partial(stored_predictor, stored, allow_targets))
    return Run(stored.values, stored.summary, stored.history, stored.weights, drawn, made, job, predictor)
