"""The score over a number that was swept: a median and a band of quartiles for each start."""

from collections.abc import Mapping
from math import exp, isfinite
from typing import Any

import altair as alt

from initlab.report.charts.look import Spec, shown, spec_of
from initlab.report.trends import Trend


def trend_chart(trend: Trend, by: str, title: str, percent: bool, colors: Mapping[str, str]) -> Spec:
    """Returns the chart of a trend, of costs on a logarithmic axis. ``colors`` are by start."""
    ticks = sorted({point.at for points in trend.points.values() for point in points})
    x = alt.X(
        "at:Q",
        title=trend.key,
        scale=_scale(trend.logarithmic, nice=False, padding=14),
        axis=alt.Axis(values=ticks if len(ticks) <= 8 else alt.Undefined, format=".3~r", labelOverlap=True),
    )
    y: dict[str, Any] = {
        "scale": _scale(by == "cost"),
        "title": title,
    }
    axis = alt.Axis(format=".3~%" if percent else ".4~r", tickCount=6)
    color = alt.Color(
        "start:N", legend=None, scale=alt.Scale(domain=list(colors), range=list(colors.values()))
    )
    base = alt.Chart(alt.NamedData("points"))
    band = base.mark_area(opacity=0.16).encode(
        x=x, y=alt.Y("low:Q", axis=axis, **y), y2="high:Q", color=color
    )
    line = base.mark_line(strokeWidth=2.4).encode(x=x, y=alt.Y("median:Q", axis=axis, **y), color=color)
    tips = ["start:N", "at:Q", alt.Tooltip("median:Q", format=".1%" if percent else ".4g"), "runs:Q"]
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, y=alt.Y("median:Q", axis=axis, **y), color=color, tooltip=tips
    )
    chart = alt.layer(band, line, points).properties(width="container", height=260)
    return spec_of(chart, points=_rows(trend, by))


def _scale(logarithmic: bool, **more: Any) -> alt.Scale:
    return alt.Scale(type="log", **more) if logarithmic else alt.Scale(type="linear", zero=False, **more)


def _rows(trend: Trend, by: str) -> list[dict[str, object]]:
    """Returns the points; a median that is infinite, of runs that diverged, is left out with its band."""
    rows: list[dict[str, object]] = []
    for start, points in trend.points.items():
        for point in points:
            low, high = (edge if isfinite(edge) else point.median for edge in point.quartiles)
            if isfinite(point.median):
                edges = {"median": point.median, "low": low, "high": high}
                drawn = {name: shown(exp(-edge) if by == "cost" else edge) for name, edge in edges.items()}
                rows.append({"start": start, "at": point.at, "runs": point.runs, **drawn})
    return rows
