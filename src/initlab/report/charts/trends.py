"""The score over a number that was swept: a median and a band of quartiles for each start."""

from collections.abc import Mapping, Sequence
from math import isfinite, isinf, isnan
from typing import Any

import altair as alt

from initlab.report.charts.look import Spec, shown, spec_of
from initlab.types import Array

WIDE = 16  # times: values that span more have a logarithmic axis


def trend_chart(
    key: str,
    numbers: Sequence[float],
    scores: Mapping[str, Array],
    title: str,
    percent: bool,
    colors: Mapping[str, str],
) -> Spec:
    """Returns the chart of the scores over a key's numbers: by start their medians and quartiles (3, n).
    ``colors`` are by start.
    """
    x = alt.X(
        "at:Q",
        title=key,
        scale=_scale(numbers),
        axis=alt.Axis(
            values=list(numbers) if len(numbers) <= 8 else alt.Undefined, format=".3~r", labelOverlap=True
        ),
    )
    axis = alt.Axis(format=".3~%" if percent else ".4~r", tickCount=6)
    y: dict[str, Any] = {"scale": alt.Scale(zero=False), "title": title, "axis": axis}
    color = alt.Color(
        "start:N", legend=None, scale=alt.Scale(domain=list(colors), range=list(colors.values()))
    )
    tips = ["start:N", "at:Q", alt.Tooltip("median:Q", format=".1%" if percent else ".4g")]
    if any(isinf(value) for table in scores.values() for value in table.ravel().tolist()):
        tips.append(alt.Tooltip("below:N", title="below the axis"))
    base = alt.Chart(alt.NamedData("points"))
    median = alt.Y("median:Q", **y)
    chart = alt.layer(
        base.mark_area(opacity=0.16).encode(x=x, y=alt.Y("low:Q", **y), y2="high:Q", color=color),
        base.mark_line(strokeWidth=2.4).encode(x=x, y=median, color=color),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=median, color=color, tooltip=tips),
    ).properties(width="container", height=260)
    return spec_of(chart, points=_rows(numbers, scores))


def _scale(numbers: Sequence[float]) -> alt.Scale:
    if min(numbers) > 0 and max(numbers) / min(numbers) >= WIDE:
        return alt.Scale(type="log", nice=False, padding=14)
    return alt.Scale(type="linear", zero=False, nice=False, padding=14)


def _rows(numbers: Sequence[float], scores: Mapping[str, Array]) -> list[dict[str, object]]:
    """Returns the points; a median that no run has is left out. One that is −∞, of runs that diverged, or a
    quartile that is, stands at the lowest number there is, and ``below`` says so.
    """
    finite = [value for table in scores.values() for value in table.ravel().tolist() if isfinite(value)]
    floor = min(finite, default=0.0)
    return [
        {"start": start, "at": at, "below": _below(middle, low)}
        | {name: shown(max(edge, floor)) for name, edge in (("median", middle), ("low", low), ("high", high))}
        for start, table in scores.items()
        for at, (middle, low, high) in zip(numbers, table.T.tolist(), strict=True)
        if not isnan(middle)
    ]


def _below(median: float, low: float) -> str:
    """Returns what runs that diverged have taken below all numbers, in words."""
    if isinf(median):
        return "median and lower quartile −∞"
    return "lower quartile −∞" if isinf(low) else "nothing"
