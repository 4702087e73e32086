"""The overrides that verdicts advise, written as a user types them."""

import math

from initlab.verdicts.evidence import Evidence

RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")
BORN_DEAD = 0.1  # of networks: a start alone is then no remedy
DEEP = 5  # hidden layers
CUSTOMARY_RATE = 0.01  # of adaptive rules: larger ones are the exception
STARTS = ("he", "he_uniform", "he_truncated", "glorot_normal", "glorot_uniform", "glorot_truncated", "xavier",
          "lecun_normal", "lecun_uniform", "lecun_truncated", "kaiming", "orthogonal", "lsuv",
          "fixup")  # fmt: skip


def good_start(e: Evidence) -> str:
    """Returns the start that is made for the network's activation."""
    return "init=he" if e.network.activation_name in RECTIFIERS else "init=glorot_normal"


def other_start(e: Evidence) -> str | None:
    """Returns the start made for the activation; None where the run has a start that keeps signals
    already.
    """
    return None if e.init in STARTS else good_start(e)


def livelier(e: Evidence) -> str:
    """Returns what lets a signal through that small weights stop: another start or, where ReLUs of so many
    narrow layers would be born dead by any symmetric start, normalization. The signal of an input is dead
    with probability 1 − ∏ (1 − 2^−n) (Lu et al. 2019, arXiv:1903.06733).
    """
    alive = math.prod(1 - 2.0**-width for width in e.network.sizes[1:-1])
    narrow = e.network.activation.rectifies and 1 - alive > BORN_DEAD
    return (None if narrow else other_start(e)) or normalizing(e)


def reviving(e: Evidence) -> str:
    """Returns what keeps ReLUs from being born dead: a way around them in deep networks, or a slope."""
    widths = e.network.sizes[1:-1]
    deep = len(widths) >= DEEP and len(set(widths)) == 1 and not e.network.residual
    return "model.residual=true" if deep else "model.activation=leaky_relu"


def normalizing(e: Evidence) -> str:
    """Returns what keeps signals and gradients in size whatever the start."""
    return "model.normalization=batch" if e.network.normalization == "none" else "init=lsuv"


def smaller_rate(e: Evidence) -> str:
    """Returns a rate that does no harm along the first gradient: a half of 1 / its curvature at most, and a
    tenth of the present one.
    """
    rate, bend = (e.steps.rate or 0.1) / 10, abs(e.at_start.get("curvature", 0.0))
    if e.steps.adaptive:
        rate = min(rate, CUSTOMARY_RATE)
    elif 0 < bend < math.inf:
        rate = min(rate, 0.5 / bend)
    return f"optimizer.learning_rate={rounded(rate)}"


def larger_rate(e: Evidence) -> str:
    """Returns a rate that makes use of what the curvature along the gradient allows."""
    rate, bend = e.steps.rate or 0.01, abs(e.at_end.get("curvature", 0.0))
    if e.steps.adaptive:
        better = max(10 * rate, CUSTOMARY_RATE)
    else:
        better = min(0.5 / bend if bend > 0 else math.inf, max(1e4 * rate, 0.1))
    return f"optimizer.learning_rate={rounded(max(better, 3 * rate))}"


def rounded(number: float) -> str:
    """Returns a number with one digit."""
    return f"{float(f'{number:.0e}'):g}"


def more_iterations(e: Evidence) -> str:
    """Returns ten times the iterations."""
    return f"train.iterations={10 * e.steps.iterations}"


def wider(e: Evidence) -> str:
    """Returns wider layers."""
    width = max(16, 2 * max(e.network.sizes[1:-1], default=16))
    return f"{e.widths}={width}" if e.widths == "model.width" else f"{e.widths}=[{width},{width}]"
