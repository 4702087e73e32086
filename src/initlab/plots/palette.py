"""The colours of every picture."""

from matplotlib.colors import LinearSegmentedColormap

# Okabe and Ito's palette (2008), which colour-blind people can tell apart: blue and orange mean the
# classes, the rest are for curves. Probabilities get light tints of both, so that points stand out.
CLASS_COLORS = ("#0072b2", "#d55e00")
CLASS_MARKERS = ("o", "^")
TINTS = LinearSegmentedColormap.from_list("P(class 1)", ["#96c7e8", "#ffffff", "#fcc887"], N=255)
CURVE_COLORS = ("#7a7a7a", "#cc79a7", "#009e73", "#222222", "#b3a100", "#56b4e9")
INK, GREY, FRAME, GRID, UNKNOWN = "#222222", "#666666", "#b4b4b4", "#ebebeb", "#ececec"
