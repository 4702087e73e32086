"""Average ranks over settings, each with a bar as wide as the critical difference."""

import altair as alt

from initlab.report.charts.look import INK, Spec, shown, spec_of
from initlab.statistics.ranks import Ranking


def ranks_chart(ranking: Ranking) -> Spec:
    """Returns the entrants' average ranks, the best at the top; two whose bars do not meet differ."""
    half = ranking.critical_difference / 2
    rows = [
        {"entrant": name, "rank": shown(rank), "low": shown(rank - half), "high": shown(rank + half)}
        for name, rank in ranking.average_ranks.items()
    ]
    ranks = list(ranking.average_ranks.values())
    ends = [min(1.0, ranks[0] - half), max(float(len(rows)), ranks[-1] + half)]
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    title = "average rank (1 is best)"
    y = alt.Y("entrant:N", sort=None, title=None, axis=alt.Axis(labelLimit=170, labelColor=INK))
    base = alt.Chart(alt.NamedData("ranks"))
    axis = alt.Axis(values=list(range(1, len(rows) + 1)), grid=True)
    bars = base.mark_rule(strokeWidth=2.4, color="var(--undecided)").encode(
        x=alt.X("low:Q", scale=scale, title=title, axis=axis), x2="high:Q", y=y
    )
    points = base.mark_point(filled=True, size=90, opacity=1, color=INK).encode(
        x=alt.X("rank:Q", scale=scale, title=title, axis=axis),
        y=y,
        tooltip=["entrant:N", alt.Tooltip("rank:Q", title="average rank", format=".2f")],
    )
    chart = alt.layer(bars, points).properties(width="container", height=30 * len(rows))
    return spec_of(chart, ranks=rows)
