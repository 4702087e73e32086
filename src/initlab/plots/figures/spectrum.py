"""The singular values of Jacobians: all of one layer, and their spread over the layers."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from initlab.plots.figures.labels import title_figure
from initlab.plots.figures.propagation import Panel, draw_key, plot_propagation
from initlab.plots.style import Box, new_axes, new_figure


def spectrum_figure(
    values: Panel, layers: Sequence[int], spread: Panel, title: str, subtitle: str = ""
) -> Figure:
    """Returns a figure, 760 pixels wide: ``values`` are singular values by rank, from the largest, below them
    stands their ``spread`` over the layers.
    """
    figure, box = new_figure(760, 660), Box(84, 132, 566, 190)
    title_figure(figure, box.left, title, subtitle)
    draw_key(figure, box.left, [values, spread])
    ranks = range(1, len(values.measured_median) + 1)
    plot_propagation(ranks, values, ax=new_axes(figure, box)).set_xlabel("rank, from the largest")
    plot_propagation(layers, spread, ax=new_axes(figure, box._replace(top=box.top + 270)))
    return figure
