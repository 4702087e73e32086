"""The page's charts as Vega-Lite specifications, made by Altair.

Colours are CSS variables of the page, so one chart serves light, dark and paper. Data are named and inside
the specification; numbers have four digits, which is more than a screen can show.
"""

from initlab.report.charts.curves import curves_chart, range_of
from initlab.report.charts.look import CONFIG
from initlab.report.charts.maps import Scale, map_chart, scale_of
from initlab.report.charts.pairs import Difference, Measure, forest_chart, specification_chart
from initlab.report.charts.ranks import ranks_chart
from initlab.report.charts.trends import trend_chart

__all__ = [
    "CONFIG", "Difference", "Measure", "Scale", "curves_chart", "forest_chart", "map_chart", "range_of",
    "ranks_chart", "scale_of", "specification_chart", "trend_chart",
]  # fmt: skip
