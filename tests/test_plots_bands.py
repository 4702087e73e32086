"""Cost curves of several runs as bands, alone and below the boundaries of a comparison."""

import numpy as np
import pytest
from figures import assert_readable
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from scipy.special import expit

from initlab.plots import Boundary, Entry, chance_of, comparison, figure_png, plot_costs
from initlab.plots.style import CURVE_COLORS

LONG = "glorot_truncated scale=1.5"
NAMES = ["zeros", LONG, "he", "orthogonal gain=1.4142", "lsuv", "metainit", "hadamard"]
NAMES += ["kaiming_uniform mode=fan_out gain=2", "mean_field sigma_w=1.6 sigma_b=0.2236", "zero_last"]
X = np.array([[3.0, 3.0, 17.0, 17.0, 11.0], [-5.0, 9.0, -5.0, 9.0, 2.0]])
Y = np.array([[0.0, 0.0, 0.0, 0.0, 1.0]])
CHANCE = chance_of("binary", np.array([[0.0, 1.0]]))


def runs(seeds, end=0.01, iterations=53):
    """Returns falling costs, each run's a multiple of the first's."""
    return np.geomspace(2.0, end, iterations) * np.arange(1, seeds + 1)[:, np.newaxis]


def band(ax):
    """Returns the lower and the upper edge of the only band, by iteration."""
    [area] = [one for one in ax.collections if isinstance(one, PolyCollection)]
    points = area.get_paths()[0].vertices
    edges = {}
    for x, y in points:
        low, high = edges.get(x, (np.inf, -np.inf))
        edges[x] = min(low, y), max(high, y)
    return np.array([edges[x] for x in sorted(edges)]).T


@pytest.mark.parametrize("kind", [np.asarray, list])
@pytest.mark.parametrize(("seeds", "low", "high"), [(2, 0, 100), (4, 0, 100), (5, 25, 75), (23, 25, 75)])
def test_several_runs_are_the_median_over_quartiles_or_of_few_the_extremes(kind, seeds, low, high):
    costs = runs(seeds)[np.random.RandomState(3).permutation(seeds)]
    ax = plot_costs({"he": kind(costs)})
    [line] = ax.lines
    assert line.get_ydata() == pytest.approx(np.median(costs, axis=0))
    assert np.allclose(band(ax), np.percentile(costs, [low, high], axis=0), rtol=1e-12)
    words = "range" if seeds < 5 else "quartiles"
    assert [text.get_text() for text in ax.texts] == [
        f"he  {np.median(costs[:, -1]):.3g}",
        f"median and {words} of {seeds} runs",
    ]


def test_one_run_has_no_band_whatever_it_is_held_in():
    for costs in (runs(1)[0], runs(1), [runs(1)[0]]):
        ax = plot_costs({"he": costs})
        assert not ax.collections
        assert [text.get_text() for text in ax.texts] == ["he  0.01"]


def test_the_words_for_bands_hold_for_every_curve():
    def words(*seeds):
        ax = plot_costs({f"start {n}": runs(n) for n in seeds})
        return ax.texts[-1].get_text()

    assert words(20, 20, 1) == "median and quartiles of 20 runs"
    assert words(5, 1000) == "median and quartiles of 5 to 1,000 runs"
    assert words(2, 4) == "median and range of 2 to 4 runs"
    assert words(3, 20) == "median, with quartiles or, of fewer than 5 runs, the range"


def test_a_run_that_diverged_costs_infinitely_much_from_there_on():
    costs = list(runs(5))
    for run, end in ((0, 7), (3, 11)):  # the best and the second worst
        costs[run] = costs[run][:end]
    costs[0] = np.append(costs[0], [np.nan, 0.001])
    ax = plot_costs({"he": costs})
    factors = np.arange(1, 6)
    base = runs(1)[0]
    expected = [
        np.percentile(np.where((i >= 7) & (factors == 1) | (i >= 11) & (factors == 4), 1e9, factors), 50)
        for i in range(53)
    ]
    assert ax.lines[0].get_ydata() == pytest.approx(base * expected)
    low, high = band(ax)
    assert low[-1] == pytest.approx(3 * base[-1])
    assert (high[11:] == ax.get_ylim()[1]).all()
    assert high[6] == pytest.approx(4 * base[6])


def test_where_most_runs_diverge_the_median_ends_in_a_cross_and_says_so():
    costs = [cost[:17] if run < 3 else cost for run, cost in enumerate(runs(5))]
    ax = plot_costs({"he": costs, "random": np.append(runs(1)[0][:5], np.inf)})
    lines = {line.get_marker(): line for line in ax.lines}
    assert [text.get_text() for text in ax.texts[:2]] == ["he  diverged", "random  diverged"]
    crosses = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "X"]
    assert crosses == [16, 4]
    assert lines.keys() == {"None", "X"}
    assert figure_png(plot_costs({"he": [np.array([np.inf])] * 3, "zeros": [np.ones(3)] * 2}).figure)


def test_a_band_of_many_iterations_keeps_its_extremes():
    costs = np.ones((5, 15013))
    costs[:, 7919] = [0.2, 0.3, 1, 3, 4]
    low, high = band(plot_costs({"he": costs}))
    assert (low.min(), high.max()) == (0.3, 3)


def test_ten_names_have_ten_colours():
    ax = plot_costs({name: runs(5, 10.0**-k) for k, name in enumerate(NAMES, start=1)})
    colors = [line.get_color() for line in ax.lines]
    assert len(set(colors)) == 10 == len(CURVE_COLORS)
    for name, color in zip(NAMES, colors, strict=True):
        [text] = [text for text in ax.texts if text.get_text().startswith(f"{name}  ")]
        assert to_hex(text.get_color()) == color
    assert_readable(ax.figure)


def entries(count, seeds):
    size = Boundary(X, Y).points.shape[1]
    grow = [np.full(size, expit(k - 2.0)) for k in range(count)]
    return [
        Entry(NAMES[k], grow[k], 0.9 - 0.01 * k, runs(seeds, 10.0 ** (-k / 3), 101)) for k in range(count)
    ]


@pytest.mark.parametrize("count", range(1, 11))
@pytest.mark.parametrize("seeds", [1, 20])
def test_a_comparison_of_up_to_ten_reads_well(count, seeds):
    figure = comparison(X, Y, entries(count, seeds), part="train")
    assert_readable(figure)
    axes, words = figure.axes, "median train accuracy" if seeds > 1 else "train accuracy"
    for k, panel in enumerate(axes[:count]):
        label, score = (text.get_text() for text in panel.texts[:2])
        assert label.replace("\n", " ") == NAMES[k]
        assert score == f"{words} {90 - k:.1f} %"
    rows = {round(panel.get_position().y0, 6) for panel in axes[:count]}
    assert len(rows) == (1 if count <= 5 else 2)


def test_a_comparison_of_classes_or_of_a_regression_reads_well():
    classes = ("setosa", "versicolor", "virginica of the north", "d", "e")
    tables = {"classes": np.eye(5), "regression": np.arange(5.0)[np.newaxis]}
    for task, labels in tables.items():
        X5 = np.random.RandomState(3).randn(7, 5)
        some = [Entry(name, None, -0.25, runs(3)) for name in NAMES[:7]]
        figure = comparison(X5, labels, some, task, classes if task == "classes" else ())
        assert_readable(figure)
    assert figure.axes[0].texts[1].get_text() == "median R² −0.250"


def test_a_comparison_says_which_have_diverged():
    figure = comparison(X, Y, [Entry("he", None, np.nan, runs(5)), Entry("zeros", None, -np.inf, runs(1)[0])])
    assert [panel.texts[1].get_text() for panel in figure.axes[:2]] == ["diverged", "diverged"]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e5, 1e30])
def test_costs_of_any_size_can_be_read_on_their_axis(scale):
    for end in (0.01, 1.5):  # a logarithmic axis and a linear one
        figure = comparison(X, Y, [Entry("he", None, 0.9, scale * runs(5, end))])
        assert_readable(figure)
        assert_readable(plot_costs({"he": scale * runs(5, end)}).figure)


def test_costs_that_explode_do_not_flatten_those_of_the_others():
    exploding = np.append(2.0 * 1e40 ** np.arange(5), np.inf)
    ax = plot_costs({"he": runs(1)[0], "random": [exploding] * 5, "zeros": runs(5)})
    low, high = ax.get_ylim()
    assert low < 0.01
    assert 2 * 4 < high <= 3000
    [cross] = [line for line in ax.lines if line.get_marker() == "X"]
    assert cross.get_xydata().tolist() == [[4, high]]
    assert_readable(ax.figure)
    alone = plot_costs({"random": exploding})
    assert alone.get_ylim()[1] <= 300
    assert plot_costs({"he": np.array([1e30, 1.0])}).get_ylim()[1] >= 1e30  # it came back
