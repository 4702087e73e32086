"""The overrides that verdicts advise, written as a user types them."""

import math

from initlab.verdicts.evidence import Evidence

RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")
CUSTOMARY_RATE = 0.01  # of adaptive rules: larger ones are the exception
STARTS = ("he", "he_uniform", "he_truncated", "glorot_normal", "glorot_uniform", "glorot_truncated", "xavier",
          "lecun_normal", "lecun_uniform", "lecun_truncated", "kaiming", "orthogonal", "lsuv")  # fmt: skip


def good_start(e: Evidence) -> str:
    """Returns the start that is made for the network's activation."""
    return "init=he" if e.network.activation_name in RECTIFIERS else "init=glorot_normal"


def other_start(e: Evidence) -> str | None:
    """Returns the start made for the activation; None where the run has a start that keeps signals
    already.
    """
    return None if e.init in STARTS else good_start(e)


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
