"""Pairs of entrants: their differences as a forest plot, and over many settings as a specification curve."""

from collections.abc import Callable, Sequence
from math import exp, isfinite
from typing import Any

import altair as alt

from initlab.report.charts.look import FRAME, INK, VERDICTS, Spec, shown, spec_of
from initlab.statistics import Pair

ROW = 30  # pixels


def _color() -> alt.Color:
    scale = alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values()))
    return alt.Color("verdict:N", scale=scale, legend=None)


class _Axis:
    """How differences are drawn: of scores as they are, of accuracies in points, of costs as ratios on a
    logarithmic axis, where less is better.
    """

    def __init__(self, pairs: Sequence[Pair], by: str, percent: bool, equal_within: float) -> None:
        self.ratio = by == "cost"
        self.factor = 100 if percent and not self.ratio else 1
        known = [edge for pair in pairs for edge in (pair.difference, *pair.interval) if isfinite(edge)]
        most = max([1.6 * equal_within, *map(abs, known)]) * 1.08 or 1.0
        low, high = min([-1.6 * equal_within, *known]), max([1.6 * equal_within, *known])
        room = 0.06 * (high - low) or most
        self.low, self.high = low - room, high + room

    def at(self, difference: float) -> float | None:
        """Returns where a difference is drawn; one that is infinite at the axis's end."""
        within = min(max(difference, self.low), self.high)
        return shown(exp(-within) if self.ratio else self.factor * within)

    @property
    def scale(self) -> alt.Scale:
        ends = sorted(end for end in (self.at(self.low), self.at(self.high)) if end is not None)
        if self.ratio:
            return alt.Scale(type="log", domain=ends, nice=False)
        return alt.Scale(type="linear", domain=ends, nice=False, zero=False)


def _row(pair: Pair, axis: _Axis, words: Callable[[Pair], str]) -> dict[str, Any]:
    """Returns what is drawn of a pair. An interval that is open at both ends is left out."""
    known = isfinite(pair.interval.low) or isfinite(pair.interval.high)
    return {
        "pair": f"{pair.first} − {pair.second}",
        "difference": axis.at(pair.difference) if isfinite(pair.difference) else None,
        "low": axis.at(pair.interval.low) if known else None,
        "high": axis.at(pair.interval.high) if known else None,
        "verdict": pair.verdict,
        "words": words(pair),
        "seeds": pair.n,
    }


def forest_chart(
    pairs: Sequence[Pair],
    by: str,
    percent: bool,
    equal_within: float,
    title: str,
    words: Callable[[Pair], str],
) -> Spec:
    """Returns the pairs' differences with their intervals, a row each, over the region in which a difference
    is practically none. ``words`` says a difference with its interval.
    """
    axis = _Axis(pairs, by, percent, equal_within)
    x = alt.X("low:Q", scale=axis.scale, title=title, axis=alt.Axis(tickCount=6, grid=True))
    y = alt.Y("pair:N", sort=None, title=None, axis=alt.Axis(labelLimit=170, labelColor=INK))
    tips = [alt.Tooltip("pair:N"), alt.Tooltip("words:N", title="difference"), "verdict:N", "seeds:Q"]
    equal = {"from": axis.at(-equal_within), "to": axis.at(equal_within)}
    region = (
        alt.Chart(alt.NamedData("equal"))
        .mark_rect(color="var(--equal)", opacity=0.13)
        .encode(x=alt.X("from:Q", scale=axis.scale, title=title), x2="to:Q")
    )
    zero = (
        alt.Chart(alt.NamedData("zero"))
        .mark_rule(color=FRAME, strokeWidth=1.2)
        .encode(x=alt.X("at:Q", scale=axis.scale, title=title))
    )
    rows = alt.Chart(alt.NamedData("pairs"))
    intervals = rows.mark_rule(strokeWidth=2.4).encode(x=x, x2="high:Q", y=y, color=_color(), tooltip=tips)
    points = rows.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("difference:Q", scale=axis.scale, title=title), y=y, color=_color(), tooltip=tips
    )
    chart = alt.layer(region, zero, intervals, points)
    chart = chart.properties(width="container", height=ROW * len(pairs))
    drawn = [_row(pair, axis, words) for pair in pairs]
    return spec_of(chart, pairs=drawn, equal=[equal], zero=[{"at": axis.at(0)}])


def specification_chart(
    pairs: Sequence[Pair],
    settings: Sequence[str],
    by: str,
    percent: bool,
    equal_within: float,
    title: str,
    words: Callable[[Pair], str],
) -> Spec:
    """Returns one pair's differences in all settings, in rising order, each with its interval."""
    axis = _Axis(pairs, by, percent, equal_within)
    y: dict[str, Any] = {"scale": axis.scale, "title": title}
    x = alt.X("place:O", title=f"{len(pairs)} settings, in the order of the difference",
              axis=alt.Axis(labels=False, ticks=False))  # fmt: skip
    tips = [alt.Tooltip("setting:N"), alt.Tooltip("words:N", title="difference"), "verdict:N", "seeds:Q"]
    zero = (
        alt.Chart(alt.NamedData("zero")).mark_rule(color=FRAME, strokeWidth=1.2).encode(y=alt.Y("at:Q", **y))
    )
    rows = alt.Chart(alt.NamedData("pairs"))
    intervals = rows.mark_rule(strokeWidth=2.4).encode(
        x=x, y=alt.Y("low:Q", **y), y2="high:Q", color=_color(), tooltip=tips
    )
    points = rows.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=alt.Y("difference:Q", **y), color=_color(), tooltip=tips
    )
    chart = alt.layer(zero, intervals, points).properties(width="container", height=220)
    drawn = [
        {**_row(pair, axis, words), "setting": setting, "place": place}
        for place, (pair, setting) in enumerate(zip(pairs, settings, strict=True))
    ]
    return spec_of(chart, pairs=drawn, zero=[{"at": axis.at(0)}])
