"""Which classes a network takes for which: its confusion matrix."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from numpy.typing import NDArray

from initlab.plots.figures.heat import draw_cells, grid_axes, write_cell
from initlab.plots.figures.labels import title_axes, widest
from initlab.plots.raster import cut, dejavu
from initlab.plots.style import UNKNOWN

_SHARES = ListedColormap(colormaps["Blues"](np.linspace(0, 0.85, 256))).with_extremes(bad=UNKNOWN)
_LETTERS, _WIDEST = 12.5, 200
_ROOMY = 52  # pixels of a cell in which its share has room below its count


def plot_confusion(
    matrix: NDArray[np.integer], classes: Sequence[str], *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Returns axes with a confusion matrix (K, K): in row i and column j how many examples of class i were
    taken for class j, and up to ten classes also which share of row i that is, in whose colour it stands.

    A class without examples has a grey row. Without ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import plot_confusion
    >>> ax = plot_confusion(np.array([[9, 1], [0, 5]]), ["no", "yes"])
    >>> [cell.get_text().split() for cell in ax.texts]
    [['9', '90', '%'], ['1', '10', '%'], ['0'], ['5', '100', '%']]
    """
    names = [cut(str(name), dejavu("Sans", _LETTERS), _WIDEST) for name in classes]
    longest, side = widest(names, "Sans", _LETTERS), max(34, min(110, 560 // len(matrix)))
    turned = longest > side - 8
    if ax is None:
        ax = grid_axes(matrix.shape, (side, side), names, below=36 + (longest if turned else 14))
    total = matrix.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, matrix / np.maximum(total, 1), np.nan)
    norm = Normalize(0, 1)
    draw_cells(ax, shares, names, names, _SHARES, norm)
    ax.tick_params(axis="x", labelrotation=90 if turned else 0)
    roomy = ax.bbox.width / len(matrix) >= _ROOMY
    for (row, column), count in np.ndenumerate(matrix):
        share = float(shares[row, column])
        below = _percent(share) if roomy else ""
        write_cell(ax, row, column, f"{count:,}{below}", _SHARES(norm(np.nan_to_num(share))))
    ax.set(xlabel="predicted class", ylabel="true class")
    title_axes(ax, title)
    return ax


def _percent(share: float) -> str:
    """Returns a share for a line of its own, 100 % only where it is all and 0 % nowhere; nothing of none."""
    if np.isnan(share) or share == 0:
        return ""
    if share < 0.005 or 0.995 <= share < 1:
        return "\n< 1 %" if share < 0.5 else "\n> 99 %"
    return f"\n{100 * share:.0f} %"
