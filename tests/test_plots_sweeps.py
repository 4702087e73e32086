"""The figures of a sweep: what they draw is what they are given, and it can be read."""

import doctest

import numpy as np
import pytest
from figures import assert_readable
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix, r2_score

from initlab.plots import (
    contact_sheet,
    figure_png,
    plot_confusion,
    plot_heat,
    plot_predictions,
    plot_ranks,
    plot_scores,
    plot_specifications,
    specifications_figure,
)
from initlab.plots.figures import confusion, heat, predictions, ranks, scores, specifications

LONG = "glorot_truncated scale=1.5"
NAMES = ["zeros", LONG, "he", "orthogonal gain=1.4142", "lsuv", "metainit", "hadamard"]
NAMES += ["kaiming_uniform mode=fan_out gain=2", "mean_field sigma_w=1.6 sigma_b=0.2236", "zero_last"]
RNG = np.random.RandomState(3)
RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]
TITLE = f"{LONG}: what a title says that is as long as that of a sweep over many settings"


def lines(count, n):
    medians = {name: np.sort(RNG.rand(n)) for name in NAMES[:count]}
    return {name: (median, median - 0.05, median + 0.02) for name, median in medians.items()}


MATRIX = np.array([[9, 1, 0], [0, 5, 2], [0, 0, 0]])
EFFECTS = np.array([0.3, -0.1, 0.05, -0.4, np.inf])
INTERVALS = np.array([[0.1, 0.4], [-0.3, 0.2], [-np.inf, np.inf], [-0.6, -0.2], [0.2, np.inf]])
PLOTS = [
    lambda **ax: plot_scores(RATES, lines(3, 8), **ax),
    lambda **ax: plot_heat(RNG.rand(2, 3), ["zeros", "he"], ["0.1", "1", "10"], **ax),
    lambda **ax: plot_confusion(MATRIX, "abc", **ax),
    lambda **ax: plot_predictions(np.arange(7.0), np.arange(7.0) ** 2, **ax),
    lambda **ax: plot_ranks({"he": 1.2, "zeros": 2.8, "random": 2.0}, 1.1, **ax),
    lambda **ax: plot_specifications(EFFECTS, INTERVALS, **ax),
]


@pytest.mark.parametrize("module", [scores, heat, confusion, predictions, ranks, specifications])
def test_the_examples_in_the_docstrings_are_right(module):
    failed, attempted = doctest.testmod(module)
    assert failed == 0
    assert attempted >= 3


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_draws_in_given_axes_or_in_a_figure_of_its_own(plot):
    left, right = Figure().subplots(1, 2)
    assert plot(ax=right) is right
    assert right.has_data()
    assert not left.has_data()
    own = plot()
    assert own.figure is not left.figure
    assert_readable(own.figure)
    assert figure_png(own) == figure_png(own.figure)


@pytest.mark.parametrize("plot", PLOTS)
def test_text_follows_the_size_of_the_letters_of_given_axes(plot):
    ax = Figure().subplots()
    ax.xaxis.label.set_size(6)
    plot(ax=ax)
    assert {text.get_fontsize() for text in ax.texts} <= {7.0}


@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.parametrize(
    "x", [RATES, [5, 10, 20, 40], [1, 2, 3], [4], [1e-7, 123456789.0], list(range(1, 60))]
)
def test_scores_over_a_number_read_well(count, x):
    ax = plot_scores(x, lines(count, len(x)), xlabel="optimizer.learning_rate", title=TITLE)
    assert_readable(ax.figure)
    assert [text.get_text() for text in ax.texts] == NAMES[:count]


def test_the_numbers_drawn_are_the_scores_in_rising_order_of_the_number():
    median, low, high = np.array([0.7, 0.5, 0.9]), np.array([0.6, 0.5, 0.85]), np.array([0.8, 0.6, 0.95])
    ax = plot_scores([10, 2, 5], {LONG: (median, low, high)})
    [line] = ax.lines
    assert line.get_xydata().tolist() == [[2, 0.5], [5, 0.9], [10, 0.7]]
    [band] = [one for one in ax.collections if isinstance(one, PolyCollection)]
    corners = {tuple(np.round(vertex, 9)) for vertex in band.get_paths()[0].vertices}
    assert corners == {(2, 0.5), (2, 0.6), (5, 0.85), (5, 0.95), (10, 0.6), (10, 0.8)}


@pytest.mark.parametrize(("x", "scale"), [
    (RATES, "log"), ([2, 5, 10, 20, 40], "log"), ([1, 2, 4], "log"), ([0.01, 0.1], "log"),
    ([1, 2, 3], "linear"), ([10, 20], "linear"), ([0.5, 1, 1.5, 2], "linear"),
    ([0, 1, 10, 100], "linear"), ([-1, 1, 3], "linear"),
    ([7], "linear"),
])  # fmt: skip
def test_numbers_that_are_spaced_by_factors_get_a_logarithmic_axis(x, scale):
    assert plot_scores(x, lines(2, len(x))).get_xscale() == scale


def test_scores_below_the_axes_are_arrowheads_that_do_not_hide_each_other():
    bad = np.array([0.5, -np.inf, -40.0])
    ax = plot_scores([1, 2, 3], {"he": (bad, bad, bad), "lsuv": (bad, bad, bad)}, least=-1)
    low, high = ax.get_ylim()
    assert -1.2 < low < -1
    heads = [line for line in ax.lines if line.get_marker() == "v"]
    assert [head.get_xdata().tolist() for head in heads] == [[2, 3], [2, 3]]
    assert (heads[0].get_ydata() == low).all()
    assert (heads[1].get_ydata() > low + 0.02 * (high - low)).all()
    assert all(np.isnan(line.get_ydata()[1:]).all() for line in ax.lines if line.get_marker() == "o")
    assert_readable(ax.figure)


def test_gaps_and_scores_of_nothing_can_be_drawn():
    gap = np.array([0.5, np.nan, 0.7])
    none = np.full(3, np.nan)
    assert_readable(plot_scores([1, 2, 3], {"he": (gap, gap, gap), "lsuv": (none, none, none)}).figure)
    with pytest.raises(ValueError, match="^there are no scores to plot$"):
        plot_scores([1], {})


@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (10, 7), (3, 20)])
def test_a_heat_map_writes_every_value_in_its_cell(shape):
    values = RNG.rand(*shape)
    rows, columns = NAMES[: shape[0]], [f"{10.0**-k:g}" for k in range(shape[1])]
    ax = plot_heat(values, rows, columns, xlabel="optimizer.learning_rate", title=TITLE, text="{:.3f}".format)
    assert_readable(ax.figure)
    written = {
        (round(x - 0.5), round(shape[0] - 0.5 - y)): text.get_text()
        for text in ax.texts
        for x, y in [text.get_position()]
    }
    assert written == {(j, i): f"{values[i, j]:.3f}" for i, j in np.ndindex(*shape)}
    by_height = sorted(
        (tick, label.get_text()) for tick, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    )
    assert [name for _, name in by_height] == rows[::-1]
    [mesh] = [one for one in ax.collections if isinstance(one, QuadMesh)]
    assert np.array_equal(np.flipud(mesh.get_array()), values)


def test_cells_without_a_value_are_grey_and_infinities_are_written():
    ax = plot_heat(np.array([[np.nan, -np.inf], [0.25, np.inf]]), ["zeros", "he"], ["0.1", "1"])
    assert [text.get_text() for text in ax.texts] == ["−∞", "0.25", "∞"]
    ax.figure.canvas.draw()
    [mesh] = [one for one in ax.collections if isinstance(one, QuadMesh)]
    colors = mesh.to_rgba(mesh.get_array())
    assert colors[1, 0] == pytest.approx(np.array([236, 236, 236, 255]) / 255, abs=1e-6)
    assert figure_png(plot_heat(np.full((2, 2), np.nan), "ab", "cd"))


@pytest.mark.parametrize("classes", [2, 3, 10, 11, 20])
def test_a_confusion_matrix_counts_as_scikit_learn_does_and_reads_well(classes):
    true, predicted = RNG.randint(classes, size=(2, 5003))
    matrix = confusion_matrix(true, predicted)
    for names in ([str(k) for k in range(classes)], [f"a class called number {k}" for k in range(classes)]):
        ax = plot_confusion(matrix, names, title=TITLE)
        assert_readable(ax.figure)
        cells = [text.get_text().split("\n") for text in ax.texts]
        assert [int(cell[0].replace(",", "")) for cell in cells] == matrix.ravel().tolist()
        shares = (matrix / matrix.sum(axis=1, keepdims=True)).ravel()
        if classes <= 10:
            assert [cell[1] for cell in cells] == [f"{100 * share:.0f} %" for share in shares]
        else:
            assert all(len(cell) == 1 for cell in cells)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_only_all_is_a_hundred_percent_and_a_class_without_examples_is_grey():
    ax = plot_confusion(np.array([[999, 1, 0], [0, 7, 0], [0, 0, 0]]), "abc")
    cells = [text.get_text() for text in ax.texts]
    assert cells == ["999\n> 99 %", "1\n< 1 %", "0", "0", "7\n100 %", "0", "0", "0", "0"]
    [mesh] = [one for one in ax.collections if isinstance(one, QuadMesh)]
    assert np.ma.getmaskarray(mesh.get_array())[0].all() or np.isnan(mesh.get_array()[0]).all()


def test_predictions_stand_over_the_truth_with_their_r2():
    true = RNG.randn(101) * 80 + 150
    predicted = 0.7 * true + 10 * RNG.randn(101)
    ax = plot_predictions(true, predicted, target="progression of the disease", title=TITLE)
    assert_readable(ax.figure)
    diagonal, points = ax.lines
    assert np.array_equal(points.get_xydata(), np.stack([true, predicted], axis=1))
    assert np.array_equal(*diagonal.get_data())
    assert ax.texts[0].get_text() == f"R² = {r2_score(true, predicted):.3f}"
    assert ax.get_xlim() == ax.get_ylim()
    assert (ax.get_xlabel(), ax.get_ylabel()) == tuple(
        f"{word} progression of the disease" for word in ("true", "predicted")
    )


def test_predictions_that_are_not_numbers_are_counted_instead_of_a_score():
    ax = plot_predictions(np.arange(3.0), np.array([0.0, np.nan, np.inf]))
    assert ax.texts[0].get_text() == "2 not finite"
    assert plot_predictions(np.ones(3), np.arange(3.0)).texts[0].get_text() == "R² = 0.000"
    assert plot_predictions(np.arange(3.0), -np.arange(3.0)).texts[0].get_text() == "R² = −9.000"


@pytest.mark.parametrize("count", range(2, 11))
def test_ranks_read_well_and_are_where_they_are(count):
    values = dict(zip(NAMES, np.round(np.sort(1 + (count - 1) * RNG.rand(count)), 3).tolist(), strict=False))
    ax = plot_ranks(values, 0.3 * count, title=TITLE)
    assert_readable(ax.figure)
    assert {text.get_text() for text in ax.texts} >= {f"{name}  {rank:.2f}" for name, rank in values.items()}
    left, right = ax.get_xlim()
    assert left > right == 1
    for name, rank in values.items():
        [text] = [text for text in ax.texts if text.get_text().startswith(f"{name}  ")]
        [line] = [line for line in ax.lines if len(line.get_xdata()) == 3 and line.get_xdata()[0] == rank]
        assert line.get_ydata()[-1] == text.xy[1]
        assert line.get_xdata()[-1] == text.xy[0]


def bars(ax):
    return [[round(end, 6) for end in line.get_xdata()] for line in ax.lines if line.get_linewidth() == 5]


def test_a_bar_joins_each_largest_group_within_the_critical_difference():
    values = {"a": 1.0, "b": 1.9, "c": 2.8, "d": 3.0, "e": 5.0}
    ax = plot_ranks(values, 1.0)
    assert bars(ax) == [[0.96, 1.94], [1.86, 2.84], [2.76, 3.04]]
    assert bars(plot_ranks(values, 1.1)) == [[0.96, 1.94], [1.86, 3.04]]
    assert bars(plot_ranks(values, 0.1)) == []
    assert bars(plot_ranks(values, 4.0)) == [[0.96, 5.04]]


def test_the_length_of_the_critical_difference_is_true_or_not_drawn():
    def length(difference):
        ax = plot_ranks({"a": 1.0, "b": 2.0, "c": 3.0}, difference)
        drawn = [line.get_xdata() for line in ax.lines if line.get_marker() == "|"]
        return ax.texts[3].get_text(), [pytest.approx(abs(ends[0] - ends[1])) for ends in drawn]

    assert length(1.66) == ("critical difference 1.66", [1.66])
    assert length(3.31) == ("critical difference 3.31, longer than the axis", [])
    with pytest.raises(ValueError, match="^ranks to compare are at least two; got 1$"):
        plot_ranks({"a": 1.0}, 1.0)


def test_a_specification_curve_rises_and_colours_what_its_intervals_say():
    ax = plot_specifications(EFFECTS, INTERVALS, title=TITLE, ylabel="difference in test accuracy, points")
    assert_readable(ax.figure)
    low, high = ax.get_ylim()
    points = ax.collections[-1]
    shown = points.get_offsets()[:, 1]
    assert shown.tolist() == pytest.approx([-0.4, -0.1, 0.05, 0.3, high])
    [drawn] = [one for one in ax.collections if isinstance(one, LineCollection)]
    ends = [path.vertices[:, 1].tolist() for path in drawn.get_paths()]
    assert np.array(ends) == pytest.approx(
        np.array([[-0.6, -0.2], [-0.3, 0.2], [low, high], [0.1, 0.4], [0.2, high]])
    )
    assert [text.get_text() for text in ax.texts] == [
        "above 0 in 2",
        "below 0 in 1",
        "around 0 in 2",
        "of 5 settings",
    ]
    colors = [tuple(color) for color in points.get_facecolors()]
    assert len({colors[0], colors[1], colors[3]}) == 3
    assert colors[1] == colors[2]
    assert colors[3] == colors[4]


def test_below_a_specification_curve_stand_the_values_of_its_settings():
    n = 24
    effects = RNG.randn(n)
    intervals = effects[:, np.newaxis] + [-0.5, 0.5]
    choices = {
        "dataset": ["circles", "breast_cancer"] * 12,
        "learning_rate": [str(rate) for rate in (0.1, 0.01, 1) for _ in range(8)],
    }
    figure = specifications_figure(effects, intervals, choices, "difference in test accuracy", TITLE)
    assert_readable(figure)
    order = np.argsort(effects)
    for ax, (key, values) in zip(figure.axes[1:], choices.items(), strict=True):
        rows = [label.get_text() for label in ax.get_yticklabels()]
        [marks] = ax.lines
        assert [rows[int(row)] for row in marks.get_ydata()] == [f"{key}={values[i]}" for i in order]
    assert rows == ["learning_rate=0.01", "learning_rate=0.1", "learning_rate=1"]


def test_a_contact_sheet_has_a_title_that_is_not_cut():
    X, Y = np.eye(2), np.array([[0.0, 1.0]])
    plain = contact_sheet(X, Y, {"he": {0: None}})
    titled = contact_sheet(X, Y, {"he": {0: None}}, title="breast_cancer · learning rate 0.0123")
    assert titled.height == plain.height + 24
    tile = (plain.width - 110, plain.height - 110, plain.width, plain.height)
    same = np.asarray(titled)[-110:, : plain.width][:, -110:]
    assert np.array_equal(same, np.asarray(plain.crop(tile)))
    ink = np.nonzero((np.asarray(titled)[:32] < 200).all(axis=-1).any(axis=0))[0]
    assert ink[0] >= 12
    assert ink[-1] < titled.width - 8


@pytest.mark.parametrize("far", [1e6, 1e120, 1e200])
def test_predictions_that_are_far_off_can_be_read(far):
    ax = plot_predictions(np.arange(5.0), far * np.arange(5.0))
    assert_readable(ax.figure)
    assert (
        ax.texts[0].get_text() == "R² = −∞" if far > 1e150 else ax.texts[0].get_text().startswith("R² = −3e+")
    )
