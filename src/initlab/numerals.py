"""Numbers as text, by significant digits, never 0 for what is not; and what stands for many of them."""

import math
from collections.abc import Iterable, Sequence

MOST_DIGITS = 6
FEWEST_FOR_QUARTILES = 5  # values; fewer are summed up by their extremes


def number(value: float, digits: int = 3) -> str:
    """Returns a number by its significant digits: 0.0648, 1774, 9.82e-07, 1.2e+87; NaN as –."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.0f}" if 10**digits - 0.5 <= abs(value) < 1e6 else f"{value:.{digits}g}"


def percent(share: float) -> str:
    """Returns a share in percent, 100.0% only where it is all."""
    return f"{share if share == 1 else min(share, 0.999):.1%}"


def counted(number: int, one: str, several: str = "") -> str:
    """Returns a number with its noun: '1 run', '1,200 runs'."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def size(number_of_bytes: float) -> str:
    """Returns a number of bytes by three digits: 812 bytes, 34.9 kB, 736 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number_of_bytes < 999.5 or unit == "GB":
            break
        number_of_bytes /= 1000
    return f"{number(number_of_bytes)} {unit}"


def telling_digits(values: Iterable[float], least: int = 3) -> int:
    """Returns how many digits tell as many of the values apart as can be: ``least`` if more do not help."""
    different = set(values)
    return max(range(least, MOST_DIGITS + 1), key=lambda digits: len({number(v, digits) for v in different}))


def spread(values: Sequence[float], quartiles: bool) -> tuple[float, ...]:
    """Returns the median and what lies around it, the quartiles or the extremes; or the only value."""
    if len(values) == 1:
        return tuple(values)
    edges = (0.25, 0.75) if quartiles else (0.0, 1.0)
    return tuple(_quantile(sorted(values), share) for share in (0.5, *edges))


def spread_words(counts: Iterable[int], of: str) -> str:
    """Returns what stands for so many values each: 'median and quartiles of 20 runs', '' of lone ones."""
    several = sorted({count for count in counts if count > 1})
    if not several:
        return ""
    if several[0] < FEWEST_FOR_QUARTILES <= several[-1]:
        return f"median, with quartiles or, of fewer than {FEWEST_FOR_QUARTILES} {of}, the range"
    around = "range" if several[-1] < FEWEST_FOR_QUARTILES else "quartiles"
    many = f"{several[0]:,}" if len(several) == 1 else f"{several[0]:,} to {several[-1]:,}"
    return f"median and {around} of {many} {of}"


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Returns a quantile by linear interpolation; between a number and an infinity it is the infinity."""
    at = share * (len(ordered) - 1)
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return low if low == high else low * (1 - at % 1) + high * (at % 1)
