"""The house's colours, for pictures and pages alike, as CSS names them."""

# Okabe and Ito's palette (2008), which colour-blind people can tell apart: blue and orange mean the
# classes, the rest are for curves.
CLASS_COLORS = ("#0072b2", "#d55e00")
CURVE_COLORS = (
    "#7a7a7a", "#cc79a7", "#009e73", "#222222", "#b3a100", "#56b4e9", "#5500bb", "#990000", "#770055",
    "#0b5d1e",
)  # fmt: skip
INK, GREY, FRAME, GRID, UNKNOWN = "#222222", "#666666", "#b4b4b4", "#ebebeb", "#ececec"

DARK_CURVE_COLORS = (  # the same on a dark ground
    "#9a9a9a", "#e08fbc", "#2fbf93", "#e6e6e6", "#cdbb2f", "#6fc3f2", "#a98bf0", "#ef7d7d", "#d77fb4",
    "#7fcf8f",
)  # fmt: skip
