"""Pictures of runs: decision boundaries, cost curves, and both side by side; of sweeps: scores over what was
swept, heat maps, ranks; and figures of theory.

The functions ``plot_…`` draw in matplotlib's axes, their own or given ones, and return them. The rest makes
whole pictures. A sweep draws thousands of them, so what they share is drawn once, by matplotlib, and what
differs is laid over it: probabilities as pixels, lines by matplotlib's Agg renderer, titles by Pillow. A
lone run takes the same path, so its picture is the same to the byte.
"""

from initlab.plots.figures.animation import animation
from initlab.plots.figures.boundary import Boundary, plot_boundary
from initlab.plots.figures.comparison import Entry, comparison
from initlab.plots.figures.confusion import plot_confusion
from initlab.plots.figures.contact_sheet import MOST_SEEDS, contact_sheet
from initlab.plots.figures.costs import CHANCE, CostCurve, plot_costs
from initlab.plots.figures.heat import plot_heat
from initlab.plots.figures.panels import draw_key, draw_line, draw_theory, mark_values, panels
from initlab.plots.figures.phase import phase_figure, plot_phase
from initlab.plots.figures.predictions import plot_predictions
from initlab.plots.figures.propagation import Panel, plot_propagation, propagation_figure
from initlab.plots.figures.ranks import plot_ranks
from initlab.plots.figures.scores import plot_scores
from initlab.plots.figures.specifications import plot_specifications, specifications_figure
from initlab.plots.figures.spectrum import spectrum_figure
from initlab.plots.plane import Quantity
from initlab.plots.raster import figure_png, png, webp
from initlab.plots.tasks import Chance, chance_of

__all__ = [
    "CHANCE", "MOST_SEEDS", "Boundary", "Chance", "CostCurve", "Entry", "Panel", "Quantity", "animation",
    "chance_of", "comparison", "contact_sheet", "draw_key", "draw_line", "draw_theory", "figure_png",
    "mark_values", "panels", "phase_figure", "plot_boundary", "plot_confusion", "plot_costs",
    "plot_heat", "plot_phase", "plot_predictions", "plot_propagation", "plot_ranks", "plot_scores",
    "plot_specifications", "png", "propagation_figure", "specifications_figure", "spectrum_figure", "webp",
]  # fmt: skip
