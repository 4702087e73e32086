"""Pictures of runs, decision boundaries, cost curves, and both side by side, and figures of theory.

A sweep draws thousands of pictures, so what they share is drawn once, by matplotlib, and what differs is
laid over it: probabilities as pixels, lines by matplotlib's Agg renderer, titles by Pillow. A lone run
takes the same path, so its picture is the same to the byte.
"""

from initlab.plots.answers import chance_of
from initlab.plots.boundary import Boundary
from initlab.plots.comparison import Entry, comparison
from initlab.plots.contact_sheet import MOST_SEEDS, contact_sheet
from initlab.plots.cost_axes import CHANCE
from initlab.plots.cost_curve import CostCurve
from initlab.plots.encoding import figure_png, png, webp
from initlab.plots.phase import phase_figure
from initlab.plots.propagation import Panel, propagation_figure

__all__ = [
    "CHANCE",
    "MOST_SEEDS",
    "Boundary",
    "CostCurve",
    "Entry",
    "Panel",
    "chance_of",
    "comparison",
    "contact_sheet",
    "figure_png",
    "phase_figure",
    "png",
    "propagation_figure",
    "webp",
]
