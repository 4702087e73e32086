"""How all charts look: what Vega calls a config, and what the charts share."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
INK, GREY, FRAME, GRID = "var(--ink)", "var(--grey)", "var(--frame)", "var(--grid)"

CONFIG: Spec = {
    "background": None,
    "font": FONT,
    "padding": 2,
    "axis": {
        "domainColor": FRAME,
        "gridColor": GRID,
        "labelColor": GREY,
        "labelFontSize": 12,
        "labelPadding": 6,
        "tickColor": FRAME,
        "tickSize": 4,
        "titleColor": GREY,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "view": {"stroke": None},
}

VERDICTS = {
    "better": "var(--better)",
    "worse": "var(--worse)",
    "practically equal": "var(--equal)",
    "undecided": "var(--undecided)",
}


WITH_COMMAS = "format(datum.value, ',')"


def spec_of(chart: Any, **data: Rows) -> Spec:
    """Returns an Altair chart as a specification with its named data; the page brings the config."""
    spec: Spec = chart.to_dict()
    for left_out in ("config", "$schema"):
        spec.pop(left_out, None)
    return {**spec, "datasets": data}


def shown(value: float) -> float | None:
    """Returns a number with four digits, None for what is not finite."""
    return float(f"{value:.4g}") if isfinite(value) else None


def powers_of_ten(last: float) -> list[int]:
    """Returns 0, 1, 10, … up to last: the ticks of iterations."""
    ticks = [0, 1]
    while ticks[-1] * 10 <= last:
        ticks.append(ticks[-1] * 10)
    return ticks
