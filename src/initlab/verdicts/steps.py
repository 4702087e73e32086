"""Verdicts on how a run moved from its start: steps too large, too small, too few, or held back."""

import math

import numpy as np

from initlab.numerals import counted
from initlab.types import Array
from initlab.verdicts.advice import (
    larger_rate,
    more_iterations,
    other_start,
    rounded,
    smaller_rate,
    wider,
)
from initlab.verdicts.evidence import Evidence
from initlab.verdicts.starts import dead_start, symmetry_never_broken, vanishing_gradients

ROSE = 1.5  # times the first cost, or that of one answer for all: no descent does that
FEW = 8  # examples of a batch: the gradient of so few is mostly noise
HELD = 0.2  # of the rate: less, on average, is not what was asked for
TINY = 0.01  # of the best step along the gradient
TINY_ADAPTIVE = 1e-3  # of the weights' size
HUGE_ADAPTIVE = 0.3  # of the weights' size
FEWEST = 20  # iterations, of which the last tenth says something
FEW_STEPS = 300  # in all: ten times as many cost little, and bring ten times what the last tenth would
SHRUNK = 0.5  # of the weights' norm at the start
IMPROVING = 0.007  # of the cost lost within the last tenth: as much again, and again, is worth the wait
CONVERGED = 0.02  # of the cost at most: more iterations would not get it far


def diverged(e: Evidence) -> str | None:
    """Applies when the cost was no longer finite."""
    if e.diverged_at is None:
        return None
    if e.diverged_at == 0:
        explosive = e.network.activation_name == "exponential"
        advice = other_start(e) or ("model.activation=relu" if explosive else "init=lsuv")
        return (
            "The very first cost was not finite, before any step was made: the weights of the start, or the "
            f"inputs, are too large for a {e.network.activation_name} network of {len(e.network.sizes) - 2} "
            f"hidden layers. Try {advice}, and standardised inputs."
        )
    rate = f" of rate {e.steps.rate:g}" if e.steps.rate else ""
    return (
        f"The cost was no longer finite at iteration {e.diverged_at:,}: the steps{rate} were too large. Try "
        f"{smaller_rate(e)}, or train.clip=1."
    )


def noisy_batches(e: Evidence) -> str | None:
    """Applies when batches of few examples make steps of mostly noise, and the cost goes up and down."""
    size = e.steps.batch_size
    if size is None or size > FEW or not (_rose(e) or _restless(e)):
        return None
    return (
        f"Batches of {size} of the {e.train.examples:,} examples at a rate of {_rate(e)} make steps of "
        f"mostly noise: the cost ended at {_ended(e)}, after {e.first_cost:.4g} at the start. Try "
        f"train.batch_size={min(64, e.train.examples)}."
    )


def steps_too_large(e: Evidence) -> str | None:
    """Applies when the cost rose, or jumps up and down though every step sees all examples."""
    if e.diverged_at is not None or noisy_batches(e):
        return None
    if _rose(e):
        peak = int(np.argmax(e.costs))
        return (
            f"The cost rose from {e.first_cost:.4g} to {e.costs[peak]:.4g} at iteration {peak:,} and ended "
            f"at {_ended(e)}: steps of rate {_rate(e)} are too large. Try {smaller_rate(e)}."
        )
    share = _step_share(e) or 0.0
    if e.steps.adaptive and share > HUGE_ADAPTIVE:
        return (
            f"A step of {e.steps.rule} at rate {_rate(e)} moves a weight by {share:.2g} of the size it "
            f"started with: such steps are too large. Try {smaller_rate(e)}."
        )
    if e.steps.batch_size is None and _restless(e):
        return (
            f"In the last half of the training the cost rose in {_rises(e):.0%} of the iterations: steps of "
            f"rate {_rate(e)} jump over the valley. Try {smaller_rate(e)}."
        )
    return None


def _rose(e: Evidence) -> bool:
    peak = float(np.max(_smooth(e.costs)))
    limit = ROSE * max(e.first_cost, e.baseline_cost)
    ended = e.final_cost if e.final_cost is not None else math.inf
    return peak > limit and (ended > e.baseline_cost * 0.5 or peak > 10 * limit)


def _restless(e: Evidence) -> bool:
    if e.steps.batch_size is not None:
        last = e.costs[-len(e.costs) // 2 :]
        return len(last) > 20 and float(np.std(last)) > 0.3 * float(np.mean(last))
    last = e.costs[-len(e.costs) // 2 :]
    return len(last) > 20 and _rises(e) > 0.25 and float(np.ptp(last)) > 0.1 * float(np.mean(last))


def _rises(e: Evidence) -> float:
    last = e.costs[-len(e.costs) // 2 :]
    return float(np.mean(np.diff(last) > 1e-9 * np.abs(last[1:])))


def _smooth(costs: Array) -> Array:
    """Returns medians of three costs in a row: one odd batch is no rise."""
    if len(costs) < 3:
        return costs
    return np.asarray(np.median([costs[:-2], costs[1:-1], costs[2:]], axis=0))


def penalty_too_strong(e: Evidence) -> str | None:
    """Applies when large weights cost so much, or decay so fast, that they shrink instead of learning."""
    first, last = (math.hypot(*e.by_layer("weight_norm", end)) for end in (False, True))
    l2, decay = e.network.l2, e.steps.weight_decay
    cost = 0.5 * l2 * last**2
    gradient = e.at_end.get("grad_norm/global", 0.0)
    balanced = l2 * last > gradient and cost > 0.05 * e.baseline_cost
    if l2 and (last < SHRUNK * first or balanced):
        shrank = f"shrank the norm of the weights from {first:.3g} to {last:.3g}"
        costs = f"makes {cost:.2g} of a cost of {_ended(e)}, by weights of norm {last:.3g}"
        return (
            f"model.l2={l2:g} {costs if balanced else shrank}: the penalty outweighs the examples. Try "
            f"model.l2={rounded(min(l2 / 1000, 1e-5))}."
        )
    if decay and last < SHRUNK * first and (e.steps.rate or 0) * decay * e.steps.iterations > 0.5:
        return (
            f"optimizer.weight_decay={decay:g} shrank the norm of the weights from {first:.3g} to "
            f"{last:.3g}. Try optimizer.weight_decay={rounded(min(decay / 100, 0.01))}."
        )
    return None


def clipped_too_short(e: Evidence) -> str | None:
    """Applies when gradients were cut so short, at the end still, that the steps lead nowhere."""
    clip, gradient = e.steps.clip, e.at_end.get("grad_norm/global", 0.0)
    if clip is None or e.steps.adaptive or not gradient > clip:
        return None
    loose = max(1.0, 10 * clip)
    return (
        f"train.clip={clip:g} cuts gradients short, at the end still one of length {gradient:.3g} by a "
        f"factor of {gradient / clip:.2g}: the steps are too small. Try train.clip={loose:g}."
    )


def rate_held_back(e: Evidence) -> str | None:
    """Applies when the schedule left little of the learning rate on average."""
    if not e.steps.factor < HELD:
        return None
    warms = e.steps.schedule == "constant"
    how = "by a warm-up about as long as they or longer" if warms else "by a warm-up or an early decay"
    return (
        f"The schedule left {e.steps.factor:.2g} of the learning rate on average over the "
        f"{counted(e.steps.iterations, 'iteration')}, {how}. Try "
        f"{'schedule.warmup=0' if warms else 'schedule=constant'}."
    )


def steps_too_small(e: Evidence) -> str | None:
    """Applies when the steps are a small part of the best one along the gradient, so that the cost is far
    from where they could have taken it.
    """
    share = _step_share(e)
    limit = TINY_ADAPTIVE if e.steps.adaptive else TINY
    if share is None or share >= limit or clipped_too_short(e) or rate_held_back(e) or not _moving(e):
        return None
    what = "of the size of the weights" if e.steps.adaptive else "of the best step along the gradient"
    return (
        f"A step of rate {_rate(e)} is {share:.1g} {what}: in {counted(len(e.costs), 'iteration')} the cost "
        f"went from {e.first_cost:.4g} to {_ended(e)} only. Try {larger_rate(e)}."
    )


def _step_share(e: Evidence) -> float | None:
    """Returns the size of a step: relative to the best one along the gradient, where that is smaller, at the
    start or at the end, or, of an adaptive rule, which takes steps of its rate, relative to the weights.
    """
    if e.steps.rate is None:
        return None
    if e.steps.adaptive:
        weights = math.hypot(*e.by_layer("weight_norm")) / math.sqrt(e.network.trained)
        return e.steps.rate / weights if weights > 0 else None
    bend = max(abs(at.get("curvature", 0.0)) for at in (e.at_start, e.at_end))
    return e.steps.rate * bend * _momentum(e) if bend > 0 else None


def _momentum(e: Evidence) -> float:
    return 10.0 if e.steps.rule in ("momentum", "nesterov") else 1.0


def _moving(e: Evidence) -> bool:
    """Returns whether a gradient is there to be followed, which starts that fade do not have."""
    return not (vanishing_gradients(e) or symmetry_never_broken(e) or dead_start(e))


def too_short(e: Evidence) -> str | None:
    """Applies when the cost still fell notably at the end of a training that is far from what is
    attainable.
    """
    fell = falling(e)
    needed = IMPROVING if e.steps.iterations > FEW_STEPS else IMPROVING / 3
    if fell is None or fell < needed or steps_too_small(e) or rate_held_back(e) or clipped_too_short(e):
        return None
    return (
        f"After {counted(e.steps.iterations, 'iteration')} the cost, {_ended(e)}, {fell_by(e)}: the training "
        f"ended too early. Try {more_iterations(e)}."
    )


def fell_by(e: Evidence) -> str:
    """Returns by how much the cost fell in what ``falling`` looks at, as the end of a sentence."""
    fell = falling(e) or 0.0
    share = f"{fell:.0%}" if fell >= 0.095 else f"{fell:.1%}"
    if len(e.costs) < FEWEST:
        return f"had fallen by {share}"
    return f"still fell by {share} within the last tenth of the training"


def falling(e: Evidence) -> float | None:
    """Returns what share of the cost went within the last tenth of the training, by medians, because costs of
    batches jump; None of a training too short to say.
    """
    tenth = len(e.costs) // 10
    if e.final_cost is None:
        return None
    if len(e.costs) < FEWEST:
        return 1 - e.final_cost / e.first_cost if e.first_cost > 0 else None
    half = max(1, tenth // 4)
    before = float(np.median(e.costs[-tenth - half : -tenth + half]))
    last = float(np.median(e.costs[-tenth // 2 :]))
    return (before - last) / before if before > 0 else None


def too_few_units(e: Evidence) -> str | None:
    """Applies when a linear model, or a layer of one or two units, has learned all that it can hold."""
    hidden = e.network.sizes[1:-1]
    if hidden and min(hidden) > 2:
        return None
    fell = falling(e)
    if hidden and (fell is None or fell > CONVERGED):
        return None
    shape = f"its narrowest layer has {min(hidden)} of them" if hidden else "it is linear"
    return (
        f"The network has too few units, {shape}, to tell apart what {e.reference.best.by} tells apart "
        f"({e.output.show(e.reference.best.train)} on the training examples). Try {wider(e)}."
    )


def _rate(e: Evidence) -> str:
    return f"{e.steps.rate:g}" if e.steps.rate is not None else "this optimizer"


def _ended(e: Evidence) -> str:
    return f"{e.final_cost:.4g}" if e.final_cost is not None else "no number"
