"""Verdicts on what was learned, compared with giving the same answer for every example."""

import math

import numpy as np

from initlab.verdicts.causes import symmetry_never_broken
from initlab.verdicts.evidence import Evidence

GAP = 0.1  # of score between training and test examples: more is learned by heart
CHANCE = 2.0  # standard errors of the number of mistakes: fewer than that many less may be luck
CHANCE_R2 = 0.02  # of the variance
UNMOVED = 0.01  # of the first cost: what a training takes away that is far too slow, or too short
IMPROVING = 0.05  # of the cost lost within the last tenth: as much again would be well worth the wait
SOLVED = 0.01  # of cost: from there on more iterations change no answer worth changing


def no_better_than_the_larger_class(e: Evidence) -> str | None:
    """Applies when answering the larger class for every example would score as well, give or take luck."""
    if e.score is None or not e.output.classifies or not _useless(e):
        return None
    luck = f"; the difference may be luck on {e.examples:,} examples" if e.score > e.baseline else ""
    return (
        f"With {e.score:.1%} of the training examples right it is no better than answering the larger class "
        f"every time ({e.baseline:.1%}{luck})."
    )


def no_better_than_the_mean(e: Evidence) -> str | None:
    """Applies when answering the mean for every example would score as well."""
    if e.score is None or e.output.classifies or not _useless(e):
        return None
    how = "it does worse than" if e.score < -CHANCE_R2 else "it does no better than"
    return f"With R² {e.score:.3g} on the training examples {how} answering the mean every time."


def _useless(e: Evidence) -> bool:
    """Returns whether one answer for all would do as well. To halve its mistakes is no luck."""
    if e.score is None:
        return False
    if not e.output.classifies:
        return e.score <= CHANCE_R2
    mistakes = (1 - e.baseline) * e.examples
    luck = min(CHANCE * math.sqrt(mistakes * e.baseline), mistakes / 2)
    return (1 - e.score) * e.examples >= mistakes - luck


def cost_hardly_fell(e: Evidence) -> str | None:
    """Applies when the cost hardly fell, though weights did move and nothing was good from the start."""
    if e.final_cost is None or e.score is None or e.score >= e.output.good_score or not any(e.moved):
        return None
    first = float(e.costs[0])
    if first - e.final_cost >= UNMOVED * first or symmetry_never_broken(e):
        return None
    return (
        f"In {len(e.costs):,} iterations the cost went from {first:.4g} to {e.final_cost:.4g}, hardly down: "
        "try a larger learning rate, more iterations, or another start."
    )


def overfitted(e: Evidence) -> str | None:
    """Applies when the test examples fare much worse than the training examples."""
    if e.score is None or e.test_score is None or _useless(e) or e.score - e.test_score <= GAP:
        return None
    return (
        f"It does much better on the training examples ({e.output.show(e.score)}) than on the test examples "
        f"({e.output.show(e.test_score)}): more data, model.l2 or fewer iterations close the gap."
    )


def underfitted(e: Evidence) -> str | None:
    """Applies when it is better than one answer for all, and yet not good."""
    if e.score is None or _useless(e) or (e.score >= e.output.good_score and not _too_sure(e)):
        return None
    reached, good = f"It reaches {e.output.show(e.score)} on the training examples", e.output.good_score
    if e.score < good:
        return f"{reached}, where {e.output.show(good)} is good."
    return (
        f"{reached}, but its cost ({e.final_cost:.4g}) is above that of one answer for all "
        f"({e.baseline_cost:.4g}): it is very sure where it is wrong."
    )


def _too_sure(e: Evidence) -> bool:
    return e.final_cost is not None and not e.network.l2 and e.final_cost > e.baseline_cost


def trained_well(e: Evidence) -> str | None:
    """Applies when the score is good, on the test examples too, and the cost is not that of mere luck."""
    if e.score is None or e.test_score is None or _useless(e) or _too_sure(e):
        return None
    if e.score < e.output.good_score or e.score - e.test_score > GAP:
        return None
    on_train, on_test = e.output.show(e.score), e.output.show(e.test_score)
    return f"It reaches {on_train} on the training examples and {on_test} on the test examples."


def still_improving(e: Evidence) -> str | None:
    """Applies when the cost still fell notably within the last tenth of the training."""
    tenth = len(e.costs) // 10
    if e.final_cost is None or tenth < 2 or overfitted(e) or e.score == e.test_score == 1:
        return None
    # Medians over half a tenth, because costs of mini-batches jump.
    half = max(1, tenth // 4)
    before = float(np.median(e.costs[-tenth - half : -tenth + half]))
    now = float(np.median(e.costs[-tenth // 2 :]))
    if not before > SOLVED or (before - now) / before < IMPROVING:
        return None
    return (
        f"The cost still fell by {(before - now) / before:.0%} within the last tenth of the training: more "
        "iterations, or a larger learning rate, would take it further."
    )
