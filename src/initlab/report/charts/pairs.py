"""Paired differences: of pairs as a forest plot, of one pair over many settings as a specification curve."""

from collections.abc import Sequence
from math import exp, isfinite
from typing import Any, NamedTuple

import altair as alt

from initlab.report.charts.look import FRAME, INK, VERDICTS, Spec, shown, spec_of
from initlab.statistics.intervals import Interval

ROW = 30  # pixels


class Difference(NamedTuple):
    """A median difference between two entrants over so many seeds, with its interval, and both in words."""

    label: str
    median: float
    interval: Interval
    words: str
    verdict: str
    seeds: int


class Measure(NamedTuple):
    """What differences are of: costs, which are drawn as ratios where less is better, or scores, accuracies
    among them in points; how large one may be that makes none in practice; and the axis's title.
    """

    costs: bool
    points: bool
    equal_within: float
    title: str


class _Axis:
    """Where differences are drawn. The ends of the axis stand for infinities."""

    def __init__(self, differences: Sequence[Difference], measure: Measure) -> None:
        self._measure = measure
        edges = [edge for one in differences for edge in (one.median, *one.interval) if isfinite(edge)]
        beyond = 1.6 * measure.equal_within
        low, high = min([-beyond, *edges]), max([beyond, *edges])
        room = 0.06 * (high - low) or 1.0
        self._low, self._high = low - room, high + room

    def at(self, difference: float) -> float | None:
        within = min(max(difference, self._low), self._high)
        if self._measure.costs:
            return shown(exp(-within))
        return shown(100 * within if self._measure.points else within)

    @property
    def scale(self) -> alt.Scale:
        ends = sorted(end for end in (self.at(self._low), self.at(self._high)) if end is not None)
        if self._measure.costs:
            return alt.Scale(type="log", domain=ends, nice=False)
        return alt.Scale(type="linear", domain=ends, nice=False, zero=False)

    @property
    def zero(self) -> list[dict[str, Any]]:
        return [{"at": self.at(0)}]

    @property
    def equal(self) -> list[dict[str, Any]]:
        within = self._measure.equal_within
        return [{"from": self.at(-within), "to": self.at(within)}]

    def row(self, one: Difference) -> dict[str, Any]:
        """Returns what is drawn; an interval that is open at both ends is left out."""
        low, high = one.interval
        known = isfinite(low) or isfinite(high)
        return {
            "label": one.label,
            "difference": self.at(one.median) if isfinite(one.median) else None,
            "low": self.at(low) if known else None,
            "high": self.at(high) if known else None,
            "verdict": one.verdict,
            "words": one.words,
            "seeds": one.seeds,
        }


def forest_chart(differences: Sequence[Difference], measure: Measure) -> Spec:
    """Returns the differences with their intervals, a row each, over the region in which a difference is
    practically none.
    """
    axis = _Axis(differences, measure)
    x: dict[str, Any] = {"scale": axis.scale, "title": measure.title}
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=170, labelColor=INK))
    marks = {"y": y, "color": _color(), "tooltip": _tips("pair")}
    region = alt.Chart(alt.NamedData("equal")).mark_rect(color="var(--equal)", opacity=0.13)
    zero = alt.Chart(alt.NamedData("zero")).mark_rule(color=FRAME, strokeWidth=1.2)
    rows = alt.Chart(alt.NamedData("rows"))
    ticks = alt.Axis(tickCount=6, grid=True)
    chart = alt.layer(
        region.encode(x=alt.X("from:Q", **x), x2="to:Q"),
        zero.encode(x=alt.X("at:Q", **x)),
        rows.mark_rule(strokeWidth=2.4).encode(x=alt.X("low:Q", axis=ticks, **x), x2="high:Q", **marks),
        rows.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("difference:Q", **x), **marks),
    ).properties(width="container", height=ROW * len(differences))
    return spec_of(chart, rows=[axis.row(one) for one in differences], equal=axis.equal, zero=axis.zero)


def specification_chart(differences: Sequence[Difference], measure: Measure) -> Spec:
    """Returns one pair's differences, each with its interval, in the order given; labels are of settings."""
    axis = _Axis(differences, measure)
    y: dict[str, Any] = {"scale": axis.scale, "title": measure.title}
    x = alt.X(
        "place:O",
        title=f"{len(differences)} settings, in the order of the difference",
        axis=alt.Axis(labels=False, ticks=False),
    )
    marks = {"x": x, "color": _color(), "tooltip": _tips("setting")}
    zero = alt.Chart(alt.NamedData("zero")).mark_rule(color=FRAME, strokeWidth=1.2)
    rows = alt.Chart(alt.NamedData("rows"))
    chart = alt.layer(
        zero.encode(y=alt.Y("at:Q", **y)),
        rows.mark_rule(strokeWidth=2.4).encode(y=alt.Y("low:Q", **y), y2="high:Q", **marks),
        rows.mark_point(filled=True, size=70, opacity=1).encode(y=alt.Y("difference:Q", **y), **marks),
    ).properties(width="container", height=220)
    drawn = [{**axis.row(one), "place": place} for place, one in enumerate(differences)]
    return spec_of(chart, rows=drawn, zero=axis.zero)


def _color() -> alt.Color:
    scale = alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values()))
    return alt.Color("verdict:N", scale=scale, legend=None)


def _tips(label: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("label:N", title=label),
        alt.Tooltip("words:N", title="difference"),
        alt.Tooltip("verdict:N"),
        alt.Tooltip("seeds:Q"),
    ]
