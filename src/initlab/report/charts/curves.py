"""Cost curves: the median of each entrant, its quartiles as a band, and its runs as thin lines."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from initlab.numerals import number
from initlab.report.charts.look import INK, WITH_COMMAS, Rows, Spec, powers_of_ten, shown, spec_of
from initlab.report.histories import Course
from initlab.runs.summary import Summary

TALL = 100  # times the largest median: what lies above is cut off, or the rest would be a flat line


def range_of(courses: Sequence[Course]) -> tuple[float, float]:
    """Returns the lowest and the highest cost that charts of these courses show."""
    medians = np.concatenate([course.median for course in courses])
    lines = np.concatenate([line.costs for course in courses for line in course.lines] + [medians])
    lines = lines[np.isfinite(lines) & (lines > 0)]
    if not len(lines):
        return 0.1, 1.0
    finite = medians[np.isfinite(medians)]
    top = min(lines.max(), TALL * finite.max()) if len(finite) else lines.max()
    low = float(lines.min())
    return low, max(float(top), 1.001 * low)


def curves_chart(
    courses: Sequence[Course],
    colors: Mapping[str, str],
    limits: tuple[float, float],
    link: Callable[[Summary], str],
    height: int,
) -> Spec:
    """Returns the chart of the courses of one setting. ``colors`` are by entrant; ``link`` gives the address
    that a click on a run's line opens.
    """
    low, high, y = _costs(limits)
    x = _iterations(max(int(course.steps[-1]) for course in courses))
    color = alt.Color(
        "entrant:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=None
    )
    bands = alt.Chart(alt.NamedData("bands"))
    band = bands.mark_area(opacity=0.16, clip=True).encode(
        x=x, y=alt.Y("low:Q", **y), y2="high:Q", color=color
    )
    median = bands.mark_line(strokeWidth=2.6, clip=True).encode(x=x, y=alt.Y("median:Q", **y), color=color)
    lines, targets, name = _runs(x, alt.Y("cost:Q", **y), color, _faintness(courses))
    chart = alt.layer(band, lines, median, targets, name).properties(width="container", height=height)
    return spec_of(chart, bands=_bands(courses, low, high), lines=_lines(courses, low, link))


def _iterations(last: int) -> alt.X:
    """Returns the axis of iterations, logarithmic from 1 on."""
    return alt.X(
        "step:Q",
        title="iteration",
        scale=alt.Scale(type="symlog", constant=1, domain=[0, last], nice=False),
        axis=alt.Axis(values=powers_of_ten(last), labelExpr=WITH_COMMAS),
    )


def _costs(limits: tuple[float, float]) -> tuple[float, float, dict[str, Any]]:
    """Returns the ends of the axis of costs, and the axis: linear from 0 where all are within a decade."""
    logarithmic = limits[1] > 10 * limits[0]
    low, high = limits if logarithmic else (0.0, 1.04 * limits[1])
    scale = alt.Scale(type="log" if logarithmic else "linear", domain=[low, high], nice=False)
    axis = _axis(low, high) if logarithmic else alt.Axis(tickCount=6)
    return low, high, {"scale": scale, "axis": axis, "title": "cost"}


def _runs(x: alt.X, y: alt.Y, color: alt.Color, faintness: float) -> tuple[alt.Chart, alt.Chart, alt.Chart]:
    """Returns the thin lines of single runs, what answers the pointer, and the name of the run under it."""
    hover = alt.selection_point(
        name="hover", fields=["run"], on="pointerover", clear="pointerout", empty=False
    )
    data = alt.Chart(alt.NamedData("lines"))
    runs = data.transform_flatten(["step", "cost"]).encode(x=x, y=y, color=color, detail="run:N")
    lines = runs.mark_line(clip=True).encode(
        opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(faintness)),
        strokeWidth=alt.when(hover).then(alt.value(2.6)).otherwise(alt.value(0.9)),
    )
    # A thin line is hard to hit, so what answers the pointer is a wide one that is not seen.
    targets = runs.mark_line(clip=True, cursor="pointer", opacity=0, strokeWidth=9).encode(href="href:N")
    # Vega shows the tooltip of a line near its points only, so the name stands in the corner.
    name = data.transform_filter(hover).mark_text(
        align="right", baseline="top", fontSize=13, fontWeight=600, color=INK
    )
    corner = {"x": alt.value("width"), "y": alt.value(2)}
    return lines, targets.add_params(hover), name.encode(text="name:N", **corner)


def _faintness(courses: Sequence[Course]) -> float:
    """Returns the opacity of a thin line, such that many of them do not hide the median."""
    return max(0.1, min(0.35, 4 / max(len(course.lines) for course in courses)))


def _axis(low: float, high: float) -> alt.Axis:
    """Returns the axis of costs on a logarithmic scale: 0.01, 0.1, 1 or, over many decades, 1e-9, 1e-6."""
    wide = low < 1e-4 or high > 1e5
    return alt.Axis(
        values=_ticks(low, high),
        labelExpr="replace(format(datum.value, '.0e'), 'e+', 'e')" if wide else "format(datum.value, '.3~r')",
    )


def _ticks(low: float, high: float) -> list[float]:
    """Returns powers of ten between low and high, at most seven; of few, 2 and 5 times them too."""
    first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
    every = max(1, -(-(last - first + 1) // 7))
    ticks = [10.0**power for power in range(first, last + 1) if power % every == 0]
    if len(ticks) < 3:
        ticks = [m * 10.0**power for power in range(first - 1, last + 1) for m in (1, 2, 5)]
    return [float(f"{tick:.1g}") for tick in ticks if low <= tick <= high]


def _bands(courses: Sequence[Course], low: float, high: float) -> Rows:
    """Returns the median and the quartiles; one that is infinite, of runs that diverged, ends the median and
    takes the band to the top.
    """
    rows = []
    for course in courses:
        columns = zip(course.steps, course.median, course.low, course.high, strict=True)
        for step, median, bottom, top in columns:
            if np.isfinite(bottom):
                edges = {"low": shown(max(bottom, low)), "high": shown(min(max(top, low), 10 * high))}
                middle = shown(max(median, low))
                rows.append(
                    {"entrant": course.combination.entrant, "step": int(step), "median": middle, **edges}
                )
    return rows


def _lines(courses: Sequence[Course], low: float, link: Callable[[Summary], str]) -> Rows:
    return [
        {
            "entrant": course.combination.entrant,
            "run": line.run.name,
            "name": f"{line.run.name}: {_ending(line.run)}",
            "href": link(line.run),
            "step": line.steps.tolist(),
            "cost": [shown(max(cost, low)) for cost in line.costs],
        }
        for course in courses
        for line in course.lines
        if len(line.steps)
    ]


def _ending(run: Summary) -> str:
    if run.final_cost is None:
        return f"diverged at {run.diverged_at:,}"
    return f"final cost {number(run.final_cost)}"
