"""The phase diagram of a sweep over the weights' scale and the depth: what trained, beside theory's line."""

from collections.abc import Callable, Sequence
from math import isfinite
from statistics import median

import numpy as np

from initlab.activations import ACTIVATIONS
from initlab.runs.job import Job
from initlab.runs.outcome import Outcome, varied
from initlab.theory.mean_field import critical_sigma_w, phase
from initlab.types import Array

SIGMA, DEPTH = "init.sigma_w", "model.depth"
FINE = 200  # points of σw at which the theory is drawn


def phase_png(outcomes: Sequence[Outcome], build: Callable[[], Job]) -> bytes | None:
    """Returns the phase diagram as a PNG; None where the sweep varied not both, σw and depth, or more.

    ``build`` makes one of the sweep's jobs: its activation, data and σb then hold for all.
    """
    measured = trainability(outcomes)
    if measured is None or set(varied(outcomes)) - {SIGMA, DEPTH, "seed"}:
        return None
    from initlab.plots import figure_png, phase_figure

    job = build()
    sigmas, depths, scores = measured
    sigma_b = float(job.init.keywords.get("sigma_b", 0.0))
    name = job.network.activation_name
    figure = phase_figure(
        sigmas,
        depths.tolist(),
        scores,
        critical_sigma_w(ACTIVATIONS[name], sigma_b**2),
        _reach(name, sigmas, sigma_b),
        measured_label=f"train {job.network.output.score_label}",
        title=f"{name} on {job.tags['dataset']} after {job.settings.train.iterations:,} iterations",
        subtitle=f"σb = {sigma_b:.3g}, {max(job.network.sizes[1:-1])} units a layer",
    )
    return figure_png(figure)


def trainability(outcomes: Sequence[Outcome]) -> tuple[Array, Array, Array] | None:
    """Returns the σw (S,), the depths (D,) and the median train score (D, S) over what else was varied.

    A cell is 0 where most of its runs diverged and NaN where none finished; None where not both were varied.
    """
    scores: dict[tuple[int, float], list[float]] = {}
    for outcome in outcomes:
        if SIGMA in outcome.settings and DEPTH in outcome.settings and outcome.summary:
            key = int(outcome.settings[DEPTH]), float(outcome.settings[SIGMA])
            scores.setdefault(key, []).append(outcome.summary.score_train or 0.0)
    depths, sigmas = sorted({depth for depth, _ in scores}), sorted({sigma for _, sigma in scores})
    if len(depths) < 2 or len(sigmas) < 2:
        return None
    table = [[median(scores.get((depth, sigma), [np.nan])) for sigma in sigmas] for depth in depths]
    return np.array(sigmas), np.array(depths), np.array(table)


def _reach(activation: str, sigmas: Array, sigma_b: float) -> tuple[Array, Array] | None:
    """Returns fine σw and 6 ξ at each: as deep as a network can be trained (Schoenholz et al. 2017)."""
    fine = np.linspace(sigmas.min(), sigmas.max(), FINE)
    scales = [phase(ACTIVATIONS[activation], float(s) ** 2, sigma_b**2).depth_scale for s in fine]
    reach = np.array([6 * scale if isfinite(scale) else np.inf for scale in scales])
    return fine, reach
