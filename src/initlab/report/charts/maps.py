"""Heat maps of a measurement over layer × iteration."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np

from initlab.report.charts.look import WITH_COMMAS, Spec, shown, spec_of
from initlab.report.histories import Layers

DECADES = 12  # of a logarithmic colour scale; what is smaller has the colour of its low end
ROW = 24  # pixels a layer, of few layers
MOST_LAYERS = 24


@dataclass(frozen=True)
class Scale:
    """The values that have the first and the last colour, and whether those between are spaced by ratio."""

    low: float
    high: float
    logarithmic: bool


def scale_of(maps: Sequence[Layers], share: bool) -> Scale:
    """Returns the colours' scale that maps of one measurement share: from 0 to 1 if it is a share, else over
    the positive values there are.
    """
    if share:
        return Scale(0.0, 1.0, logarithmic=False)
    values = np.concatenate([one.medians.ravel() for one in maps])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return Scale(0.1, 1.0, logarithmic=True)
    high = float(values.max())
    low = max(float(values.min()), high / 10.0**DECADES)
    return Scale(min(low, high / 2), high, logarithmic=True)


def map_chart(layers: Layers, scale: Scale, title: str) -> Spec:
    """Returns the heat map of a set of runs, its first layer at the top; of many layers, some."""
    rows = _rows(layers)
    color = alt.Color(
        "drawn:Q",
        legend=None,
        scale=alt.Scale(
            type="log" if scale.logarithmic else "linear",
            domain=[scale.low, scale.high],
            scheme="viridis",
            clamp=True,
        ),
    )
    chart = (
        alt.Chart(alt.NamedData("layers"))
        .transform_flatten(["step", "value"])
        .transform_filter("isValid(datum.value)")
        .transform_calculate(drawn=f"max(datum.value, {scale.low!r})")
        .mark_rect(strokeWidth=0.7)  # or its neighbours would leave a seam
        .encode(
            x=alt.X("step:O", title="iteration", axis=_axis(_ticks(layers.steps.tolist()))),
            y=alt.Y("layer:O", title="layer", axis=alt.Axis(labelOverlap=True, domain=False)),
            color=color,
            stroke=color,
            tooltip=["layer:O", "step:O", alt.Tooltip("value:Q", title=title, format=".3~g")],
        )
        .properties(width="container", height=min(320, max(60, ROW * len(rows))))
    )
    return spec_of(chart, layers=rows)


def _axis(ticks: list[int]) -> alt.Axis:
    return alt.Axis(values=ticks, labelAngle=0, labelExpr=WITH_COMMAS, domain=False)


def _ticks(steps: list[int]) -> list[int]:
    """Returns four of the steps, evenly spaced."""
    places = np.unique(np.linspace(0, len(steps) - 1, 4).round().astype(int))
    return [steps[place] for place in places]


def _rows(layers: Layers) -> list[dict[str, object]]:
    shown_layers = np.unique(np.linspace(0, len(layers.names) - 1, MOST_LAYERS).round().astype(int))
    steps = layers.steps.tolist()
    return [
        {
            "layer": int(layers.names[i].rpartition("layer")[2]),
            "step": steps,
            "value": [shown(value) for value in layers.medians[i]],
        }
        for i in shown_layers
    ]
