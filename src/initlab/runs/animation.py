"""How a run's boundary forms: pictures of it along the way, closest together where it changes most."""

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from initlab.errors import InitlabError
from initlab.numerals import number
from initlab.runs.again import Moment, watched
from initlab.runs.job import Job
from initlab.runs.pictures import answers_at, boundary_of, title_of
from initlab.runs.summary import Summary
from initlab.training.probe import log_spaced
from initlab.types import Array

if TYPE_CHECKING:
    from PIL.Image import Image

CANDIDATES = 4  # looked at for each picture that is drawn
SAME = 1e-3  # relative difference of costs up to which a run trained again is the same


class View(NamedTuple):
    """What a run answered (n_y, k²) at a Boundary's points after so many updates; None once it diverged."""

    updates: int
    cost: float
    answers: Array | None


def forming(job: Job, summary: Summary, frames: int) -> list["Image"]:
    """Returns so many pictures of a run's boundary, from before training to its end; fewer of a shorter run.

    The run is trained again. Raises InitlabError where that does not lead to the outcome of its summary.
    """
    views = watched(job, candidates(job.settings.train.iterations, frames), lambda at: _view(job, at))
    _check(views[-1], summary)
    chosen = spread_over(changes(views, job.dataset.Y_train), frames)
    boundary = boundary_of(job.dataset)
    return [boundary.draw(views[n].answers, title_of(job), words_of(views[n])) for n in chosen]


def candidates(iterations: int, frames: int) -> frozenset[int]:
    """Returns the numbers of updates after which to look: half of them log-spaced, half evenly spaced."""
    half = CANDIDATES * frames // 2
    log = (step + 1 for step in log_spaced(iterations, half))
    return frozenset([*log, *np.linspace(0, iterations, half).round().astype(int).tolist()])


def changes(views: list[View], Y: Array) -> Array:
    """Returns how much the answers change from each view to the next, in parts of the range of labels Y."""
    low, high = float(Y.min()), float(Y.max())
    known = [np.clip(view.answers, low, high) for view in views if view.answers is not None]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(known)]
    steps += [high - low] * (len(views) - max(len(known), 1))
    return np.array(steps) / (high - low or 1)


def spread_over(steps: Array, frames: int) -> list[int]:
    """Returns which of n + 1 views to draw, the first and the last included, given the change (n,) from each
    to the next: half of them evenly spaced, half evenly over what changes.
    """
    count, total = len(steps) + 1, steps.sum()
    if frames >= count:
        return list(range(count))
    way = np.concatenate([[0], np.cumsum(steps / (total or 1) + 1 / len(steps))])
    nearest = np.searchsorted(way, np.linspace(0, way[-1], frames) * (1 - 1e-12)).tolist()
    chosen = [0]
    for place, wanted in enumerate(nearest[1:], start=1):
        room = count - frames + place  # so that each of those that follow has a view of its own
        chosen.append(min(max(wanted, chosen[-1] + 1), room))
    return chosen


def words_of(view: View) -> str:
    """Returns after how many iterations a picture shows the run, and its cost there."""
    if view.answers is None:
        return f"diverged at iteration {view.updates:,}"
    iterations = "1 iteration" if view.updates == 1 else f"{view.updates:,} iterations"
    when = f"after {iterations}" if view.updates else "before training"
    return f"{when} · cost {number(view.cost)}"


def _view(job: Job, at: Moment) -> View:
    answers = None if at.diverged else answers_at(job.dataset, job.network, at.parameters)
    return View(at.updates, at.cost, None if answers is None else answers.astype(np.float32))


def _check(last: View, summary: Summary) -> None:
    """Refuses a run whose data, versions or processor have become others, and with them its outcome."""
    ended = None if last.answers is None else last.cost
    before = summary.final_cost
    if (ended is None) != (before is None) or not np.isclose(ended or 0, before or 0, rtol=SAME, atol=1e-12):
        again, kept = ("diverges" if c is None else f"ends at cost {number(c)}" for c in (ended, before))
        raise InitlabError(
            f"run {summary.name}: {again} when it is trained again, but is kept as one that {kept}: its "
            "data, the libraries or the processor are others now; initlab.run trains it anew"
        )
