from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from PIL import Image
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

from initlab.plots import (
    Boundary,
    Entry,
    Quantity,
    chance_of,
    comparison,
    contact_sheet,
    plot_boundary,
    png,
)
from initlab.plots.plane import Plane
from initlab.plots.style import MANY_COLORS
from initlab.plots.tasks import ManyClasses

SIDE, TOP, LEFT = 416, 70, 60  # of a boundary's square, in pixels
SQUARE = np.array([[-1.0, -1.0, 1.0, 1.0, 0.9], [-1.0, 1.0, -1.0, 1.0, 1.0]])  # points in the corners
VIRIDIS = colormaps["viridis"]


def one_hot(labels, count):
    return (np.asarray(labels) == np.arange(count)[:, np.newaxis]).astype(np.float64)


def square_of(image):
    return np.asarray(image).astype(int)[TOP : TOP + SIDE, LEFT : LEFT + SIDE]


def across(boundary):
    """Returns how far each mesh point is from the left edge to the right, from 0 to 1."""
    x = boundary.points[0]
    return (x - x.min()) / np.ptp(x)


def tint(number, share=1.0):
    """Returns the tint of a class that is so far from white: 255 less 0.45 of the way to its colour."""
    return 255 * (1 - 0.45 * share * (1 - np.array(to_rgb(MANY_COLORS[number % 10]))))


@pytest.fixture(scope="module")
def classes():
    return Boundary(SQUARE, one_hot([0, 1, 2, 3, 4], 5), "classes")


@pytest.fixture(scope="module")
def regression():
    return Boundary(SQUARE, np.array([[-2.0, 0.0, 1.0, 3.0, 3.0]]), "regression")


RENT = [Quantity("size", 80.0, 20.0), Quantity("rent", 1500.0, 400.0)]
SIZES = np.linspace(-1.5, 1.5, 61)[np.newaxis]


def test_a_regression_on_one_input_is_drawn_as_a_curve_through_its_points():
    boundary = Boundary(SIZES, np.sin(2 * SIZES), "regression")
    inside = square_of(boundary.draw(np.sin(2 * boundary.points), ""))
    x = boundary.points[0, :100]
    low, height = -1 - 0.08 * 2, 1.16 * 2  # the window of targets from −1 to 1, with its margin
    for column in range(20, 400, 40):
        dark = np.flatnonzero(inside[:, column].max(axis=-1) < 60)
        expected = np.sin(2 * np.interp((column + 0.5) / SIDE, np.linspace(0, 1, 100), x))
        assert dark.mean() / SIDE == pytest.approx(1 - (expected - low) / height, abs=0.012)
    assert (inside[5:60, 5:60] == 255).all()


def test_the_points_under_a_curve_lie_at_their_targets():
    Y = np.array([[-2.0, 0.0, 1.0, 3.0, 3.0]])
    X = np.array([[0.0, 1.0, 2.0, 3.0, 4.0]])
    inside = square_of(Boundary(X, Y, "regression").draw(np.full((1, 100**2), -2.3), ""))
    for x, y in zip(X[0], Y[0], strict=True):
        right, up = (x + 0.08 * 4) / (1.16 * 4), (y + 2 + 0.08 * 5) / (1.16 * 5)
        color = inside[round(SIDE * (1 - up)), round(SIDE * right)]
        assert color == pytest.approx(255 * np.array(to_rgb("#0072b2")), abs=2)


def test_a_curve_ends_where_it_leaves_the_window_and_not_before():
    boundary = Boundary(SIZES, np.sin(2 * SIZES), "regression")
    steep = 50 * boundary.points  # from edge to edge within a twentieth of the width
    inside = square_of(boundary.draw(steep, "")).max(axis=-1) < 60
    assert inside[1].any()
    assert inside[-2].any()
    rows, columns = np.nonzero(inside)
    assert np.abs(columns - SIDE / 2).max() < 12
    assert len(set(rows)) > 400
    huge = np.where(boundary.points > 0, 1e308, -1e308)
    assert (square_of(boundary.draw(huge, "")).max(axis=-1) < 60).any(axis=1).mean() > 0.9
    away = square_of(boundary.draw(np.full(100**2, 9.0), ""))
    assert not (away.max(axis=-1) < 60).any()


def test_axes_of_named_inputs_are_in_their_own_units():
    ax = plot_boundary(SIZES, np.sin(2 * SIZES), None, task="regression", quantities=RENT)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("size", "rent")
    assert ax.get_xlim() == pytest.approx((80 - 20 * 1.74, 80 + 20 * 1.74))
    low, high = np.sin(2 * SIZES).min(), np.sin(2 * SIZES).max()
    margin = 0.08 * (high - low)
    assert ax.get_ylim() == pytest.approx((1500 + 400 * (low - margin), 1500 + 400 * (high + margin)))
    [points] = ax.lines
    drawn = (points.get_transform() - ax.transData).transform(points.get_xydata())
    np.testing.assert_allclose(drawn, np.stack([80 + 20 * SIZES[0], 1500 + 400 * np.sin(2 * SIZES[0])], 1))
    two = plot_boundary(SQUARE, np.ones((1, 5)), None, quantities=[RENT[0], Quantity("age")])
    assert (two.get_xlabel(), two.get_ylabel()) == ("size", "age")
    assert two.get_xlim() == pytest.approx((80 - 20 * 1.16, 80 + 20 * 1.16))
    assert two.get_ylim() == pytest.approx((-1.16, 1.16))
    lone = plot_boundary(SIZES, (SIZES > 0).astype(float), None, quantities=RENT[:1])
    assert lone.get_xlabel() == "size"
    assert lone.get_ylabel() == ""
    assert "the only input is size" in {text.get_text().split(";")[0] for text in lone.figure.texts}
    three = plot_boundary(np.random.RandomState(3).randn(3, 7), np.ones((1, 7)), None, quantities=[*RENT] * 2)
    assert "principal component" in three.get_xlabel()


def test_the_scale_of_a_named_target_is_in_its_own_units():
    Y = np.array([[-1.0, -0.5, 0.0, 0.5, 1.0]])
    ax = plot_boundary(SQUARE, Y, None, task="regression", quantities=[RENT[0], Quantity("age"), RENT[1]])
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "predicted rent"
    assert bar.get_ylim() == pytest.approx((1100, 1900))


def test_large_numbers_on_an_axis_have_room_and_long_names_are_cut():
    long = "a quantity whose name is a good deal longer than any axis of any picture of a network can be"
    quantities = [Quantity(long, 0, 1e5), Quantity(long, 1e6, 1e5)]
    for X, Y, task in ((SQUARE, np.ones((1, 5)), "binary"), (SIZES, np.sin(SIZES), "regression")):
        ax = plot_boundary(X, Y, None, task=task, quantities=quantities)
        figure = ax.figure
        figure.draw_without_rendering()
        whole = figure.bbox
        bottom, top = ax.get_ylim()
        numbers = [label for label in ax.get_yticklabels() if bottom <= label.get_position()[1] <= top]
        assert len(numbers) >= 3
        for text in (ax.xaxis.label, ax.yaxis.label, *numbers):
            extent = text.get_window_extent()
            assert whole.x0 <= extent.x0 < extent.x1 <= whole.x1, text.get_text()
            assert whole.y0 <= extent.y0 < extent.y1 <= whole.y1, text.get_text()
        image = Boundary(X, Y, task, quantities=quantities).draw(None, "")
        assert image.size == tuple(round(size) for size in whole.size)


def test_the_names_of_two_classes_stand_at_the_ends_of_their_scale():
    ax = plot_boundary(SQUARE, np.array([[0.0, 0, 1, 1, 1]]), None, classes=("f", "m"))
    assert {text.get_text() for text in ax.figure.axes[1].texts} == {"f", "m"}
    unnamed = plot_boundary(SQUARE, np.array([[0.0, 0, 1, 1, 1]]), None)
    assert not unnamed.figure.axes[1].texts


def test_a_png_of_a_curve_is_near_to_the_picture():
    boundary = Boundary(SIZES, np.sin(2 * SIZES), "regression", quantities=RENT)
    assert_near(boundary.draw(np.sin(2 * boundary.points), "he", "R² 1"))


def test_curves_in_a_contact_sheet_and_a_comparison():
    x = Boundary(SIZES, SIZES, "regression").points
    sheet = np.asarray(
        contact_sheet(SIZES, SIZES, {"he": {0: x, 5: -x}, "zeros": {0: None}}, task="regression")
    )
    assert (sheet == 0x22).all(axis=-1).any()
    figure = comparison(SIZES, SIZES, [Entry("he", x, 0.9, np.geomspace(1, 0.1, 7))], "regression")
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"training examples", "the network", "R² 0.900"} < texts


def test_more_than_two_inputs_are_shown_on_the_plane_of_scikit_learns_principal_components():
    X = load_wine().data.T
    pca = PCA(2, svd_solver="full").fit(X.T)
    plane = Plane(X)
    assert np.abs(np.sum(plane.basis * pca.components_.T, axis=0)) == pytest.approx([1, 1], abs=1e-12)
    assert np.abs(plane.coordinates(X)) == pytest.approx(np.abs(pca.transform(X.T).T), abs=1e-9)
    for name, share in zip(plane.names, pca.explained_variance_ratio_, strict=True):
        assert name.endswith(f" principal component ({100 * share:.0f} % of the variance)")


@pytest.mark.parametrize("seed", range(7))
def test_the_largest_loading_of_each_principal_component_is_positive(seed):
    X = np.random.RandomState(seed).randn(5, 13)
    basis = Plane(X).basis
    assert (basis[np.abs(basis).argmax(axis=0), [0, 1]] > 0).all()
    assert Plane(-X).basis == pytest.approx(basis)


@pytest.mark.parametrize("n_x", [3, 7])
def test_the_mesh_lies_in_the_plane_round_the_projected_points(n_x):
    X = 3 + np.random.RandomState(3).randn(n_x, 53)
    boundary = Boundary(X, np.ones((1, 53)))
    assert boundary.points.shape == (n_x, 100**2)
    from_mean = boundary.points - X.mean(axis=1, keepdims=True)
    components = PCA(2, svd_solver="full").fit(X.T).components_
    assert components.T @ (components @ from_mean) == pytest.approx(from_mean, abs=1e-12)
    mesh, points = Plane(X).coordinates(boundary.points), Plane(X).coordinates(X)
    assert (mesh.min(axis=1) < points.min(axis=1)).all()
    assert (mesh.max(axis=1) > points.max(axis=1)).all()


def test_two_inputs_are_shown_as_they_are_to_the_bit():
    X = np.random.RandomState(3).randn(2, 101) * [[1e-3], [1e5]]
    plane = Plane(X)
    assert np.array_equal(plane.coordinates(X), X)
    low, high = X.min(axis=1), X.max(axis=1)
    side = 1.16 * np.max(high - low)
    left, bottom = (low + high - side) / 2
    steps = np.linspace(0, side, 100)
    across, up = np.meshgrid(left + steps, bottom + steps[::-1])
    assert np.array_equal(Boundary(X, np.ones((1, 101))).points, [across.ravel(), up.ravel()])
    assert plane.note == ""


def test_a_lone_input_is_the_horizontal_axis_and_its_points_are_spread_over_the_other():
    X = np.linspace(-1, 1, 31)[np.newaxis]
    boundary = Boundary(X, (X > 0.2).astype(np.float64))
    assert boundary.points.shape == (1, 100**2)
    inside = square_of(boundary.draw((boundary.points > 0.2).astype(np.float64), ""))
    rows, columns = np.nonzero(inside.max(axis=-1) < 60)
    assert np.ptp(columns) <= 3
    assert len(set(rows)) > 350
    height = Plane(X).coordinates(X)[1]
    assert height.min() < -0.9
    assert height.max() > 0.9
    assert np.diff(np.sort(height)).min() > 0.02


@pytest.mark.parametrize("X", [
    np.ones((5, 1)), np.ones((5, 7)), np.eye(3)[:, :2], np.ones((1, 3)), np.outer([1, 2, 3], [0.0, 1, 2, 3]),
])  # fmt: skip
def test_points_without_a_plane_of_their_own_can_be_drawn(X):
    boundary = Boundary(X, np.ones((1, X.shape[1])))
    assert boundary.points.shape == (len(X), 100**2)
    assert np.isfinite(boundary.points).all()
    boundary.draw(np.full(100**2, 0.2), "")


def test_a_picture_says_that_its_plane_is_one_of_principal_components():
    X = np.random.RandomState(3).randn(3, 17)
    flat = Boundary(X[:2], np.ones((1, 17))).draw(None, "")
    deep = Boundary(X, np.ones((1, 17))).draw(None, "")
    assert deep.height > flat.height
    assert (np.asarray(deep)[flat.height + 2 :] < 150).any()


@pytest.mark.parametrize("winner", range(5))
def test_a_region_has_the_tint_of_its_winning_class(classes, winner):
    answers = np.full((5, 100**2), 1e-9)
    answers[winner] = 1 - 4e-9
    middle = square_of(classes.draw(answers, ""))[100:300, 100:300]
    assert np.abs(middle - tint(winner)).max() <= 2


@pytest.mark.parametrize("p", [0.2, 0.4, 0.7])
def test_the_tint_is_the_paler_the_lower_the_winning_probability(classes, p):
    answers = np.full((5, 100**2), (1 - p) / 4)
    answers[2] = p
    middle = square_of(classes.draw(answers, ""))[100:300, 100:300]
    assert np.abs(middle - tint(2, (p - 0.2) / 0.8)).max() <= 3


@pytest.mark.parametrize("steepness", [7, 90])
def test_dark_lines_lie_exactly_where_another_class_wins(classes, steepness):
    x = across(classes)
    logits = np.stack([0 * x, steepness * (x - 0.3), 2 * steepness * (x - 0.5), 0 * x - 50, 0 * x - 70])
    answers = softmax(logits, axis=0)  # 0 wins up to 0.3, 1 up to 0.7, then 2
    inside = square_of(classes.draw(answers, ""))
    rows, columns = np.nonzero(inside[60:350].max(axis=-1) < 60)
    near = np.abs(columns[:, np.newaxis] / SIDE - [0.3, 0.7])
    assert near.min(axis=1).max() < 2 / SIDE
    assert (np.bincount(rows, minlength=290) >= 2).all()
    for number, column in enumerate((60, 205, 350)):
        p = np.interp((column + 0.5) / SIDE, x[:100], answers[number, :100])
        assert np.abs(inside[200, column] - tint(number, (p - 0.2) / 0.8)).max() <= 3


def test_a_class_that_keeps_winning_has_no_line_however_its_probability_varies(classes):
    p = 0.6 + 0.39 * np.sin(20 * across(classes))
    answers = np.stack([p, *[(1 - p) / 4] * 4])
    answers[0] = np.maximum(answers[0], 0.21)
    answers[1:] = (1 - answers[0]) / 4
    assert not (square_of(classes.draw(answers, "")).max(axis=-1) < 60).any()


def test_the_same_answer_to_everything_is_white_without_lines_whatever_its_rounding_errors(classes):
    noise = 1e-16 * np.random.RandomState(3).randint(-1, 2, size=(5, 100**2))
    inside = square_of(classes.draw(0.2 + noise, ""))[60:350, 60:350]
    assert inside.min() >= 252


def test_hard_answers_have_a_line_between_the_classes(classes):
    inside = square_of(classes.draw(one_hot((3 * across(classes)).astype(int), 5), ""))
    assert ((inside.max(axis=-1) < 60).sum(axis=1) >= 2).mean() > 0.95


def test_colours_come_again_after_ten_classes_but_in_another_marker():
    labels = np.arange(23)
    X = np.random.RandomState(3).randn(2, 23)
    markers = ManyClasses(one_hot(labels, 23)).markers(X, 1000)
    assert len({(marker.get_markerfacecolor(), marker.get_marker()) for marker in markers}) == 23
    assert [marker.get_xydata().tolist() for marker in markers] == [[list(point)] for point in X.T]
    boundary = Boundary(X, one_hot(labels, 23), "classes")
    answers = one_hot(np.full(100**2, 17), 23)
    assert np.abs(square_of(boundary.draw(answers, ""))[5, 5] - tint(7)).max() <= 2


def lab(rgb):
    """Returns CIE L*a*b* of linear sRGB."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira & Fernandes (2009), table 1, severity 1: normal sight, then the three deficiencies.
SIGHTS = [
    np.eye(3),
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
]


@pytest.mark.parametrize("sight", SIGHTS)
def test_ten_classes_can_be_told_apart_by_colour_blind_people(sight):
    linear = [np.array([((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(color)]) for color in MANY_COLORS]
    seen = [lab(np.clip(sight @ color, 0.001, 1)) for color in linear]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 9


def test_the_names_of_the_classes_are_written_beside_the_picture():
    Y = one_hot([0, 1, 2, 1, 0], 3)
    plain = Boundary(SQUARE, Y, "classes").draw(None, "")
    named = Boundary(SQUARE, Y, "classes", ["setosa", "versicolor", "virginica of the north"]).draw(None, "")
    assert named.width > plain.width
    assert (np.asarray(named)[TOP : TOP + 100, plain.width :] < 150).any()
    assert (np.asarray(named)[:, -3:] == 255).all()
    two = [Boundary(SQUARE, Y[:1], classes=names).draw(None, "") for names in ((), ("no", "yes"))]
    assert two[0] != two[1]


def test_predicted_values_rise_in_lightness_from_the_lowest_target_to_the_highest(regression):
    values = 10 * across(regression) - 4  # the targets' range begins at 0.2 and ends at 0.7
    row = square_of(regression.draw(values[np.newaxis], ""))[SIDE // 2, 1:-1]
    lightness = row @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) >= -1).all()
    for column in (30, 145, 208, 260, 380):
        share = np.clip((10 * (column + 1.5) / SIDE - 2) / 5, 0.0, 1.0)
        assert row[column] == pytest.approx(255 * np.array(VIRIDIS(share)[:3]), abs=4)


def test_training_points_have_the_colour_of_their_targets_on_the_scale_of_the_heat(regression):
    low, high = (regression.points.min(axis=1), regression.points.max(axis=1))
    inside = square_of(regression.draw(np.full((1, 100**2), -2.0), ""))
    for point, target in zip(SQUARE.T[:4], (-2.0, 0.0, 1.0, 3.0), strict=True):
        right, up = (point - low) / (high - low)
        color = inside[round(SIDE * (1 - up)), round(SIDE * right)]
        assert color == pytest.approx(255 * np.array(VIRIDIS((target + 2) / 5)[:3]), abs=2)
    assert np.abs(inside[200, 200] - 255 * np.array(VIRIDIS(0.0)[:3])).max() <= 1


def test_a_regression_has_no_boundary_line(regression):
    inside = square_of(regression.draw(np.sin(9 * regression.points[:1]), ""))
    assert not (inside == 0x22).all(axis=-1).any()


@pytest.mark.parametrize("task", ["binary", "classes", "regression"])
def test_answers_that_are_not_known_are_grey(task):
    Y = {"binary": [[0, 1, 0, 1, 1]], "classes": one_hot([0, 1, 2, 0, 1], 3), "regression": [[0, 1, 2, 3, 4]]}
    boundary = Boundary(SQUARE, np.array(Y[task], dtype=np.float64), task)
    unknown = boundary.draw(None, "")
    assert (square_of(unknown)[100:300, 100:300] == 236).all()
    answers = np.full((len(Y[task]), 100**2), 0.3)
    for bad in (np.nan, np.inf):
        answers[-1, 7919] = bad
        assert boundary.draw(answers, "") == unknown


@pytest.mark.parametrize("count", [3, 10])
def test_a_png_of_classes_is_near_to_the_picture(count):
    boundary = Boundary(SQUARE, one_hot([0, 1, 2, 0, 1], count), "classes")
    angles = np.arange(count)[:, np.newaxis] * 2 * np.pi / count
    directions = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    assert_near(boundary.draw(softmax(5 * directions @ boundary.points, axis=0), "he", "99 %"))


def test_a_png_of_a_regression_is_near_to_the_picture(regression):
    assert_near(regression.draw(4 * regression.points[:1] + regression.points[1:], "he", "99 %"))
    Y = np.linspace(-1, 1, 5)[np.newaxis]
    assert_near(contact_sheet(SQUARE, Y, {"he": {0: regression.points[:1]}}, task="regression"))


def assert_near(image):
    encoded = png(image)
    error = np.abs(np.asarray(Image.open(BytesIO(encoded)).convert("RGB")).astype(int) - np.asarray(image))
    assert error.mean() < 1.5
    assert np.quantile(error, 0.99) <= 8
    assert (error[(np.asarray(image) == 255).all(axis=-1)] == 0).all()
    assert len(encoded) < 80_000


def test_a_picture_of_any_task_drawn_after_others_is_the_same_to_the_byte(classes, regression):
    share = across(classes)
    for boundary, answers in ((classes, np.stack([share, *[(1 - share) / 4] * 4])), (regression, share)):
        lone = png(boundary.draw(answers, "he"))
        boundary.draw(answers[..., ::-1], "random")
        boundary.draw(None, "diverged")
        assert png(boundary.draw(answers, "he")) == lone


def test_a_contact_sheet_shows_classes_and_values_in_their_colours(regression):
    answers = {0: one_hot(np.full(100**2, 3), 5), 5: one_hot(np.full(100**2, 1), 5)}
    sheet = np.asarray(contact_sheet(SQUARE, one_hot(range(5), 5), {"he": answers}, task="classes"))
    assert np.abs(sheet[-62, -164] - tint(3)).max() <= 2
    assert np.abs(sheet[-62, -62] - tint(1)).max() <= 2
    values = np.asarray(
        contact_sheet(
            SQUARE, np.array([[-1.0, 1, 0, 0, 0]]), {"he": {0: np.full((1, 100**2), 0.5)}}, task="regression"
        )
    )
    assert values[-62, -62] == pytest.approx(255 * np.array(VIRIDIS(0.75)[:3]), abs=3)


def test_a_contact_sheet_of_one_seed_is_wide_enough_for_the_note_on_its_plane():
    X = np.random.RandomState(3).randn(3, 17)
    sheet = np.asarray(contact_sheet(X, np.ones((1, 17)), {"he": {0: None}}))
    assert (sheet[:40, -10:] == 255).all()
    assert (sheet[:40, -60:-10] < 150).any()


def test_a_comparison_says_what_its_task_calls_chance_and_score():
    x = np.linspace(0, 1, 100**2)[np.newaxis]
    cost = np.geomspace(3.0, 0.1, 301)
    classes = Entry("he", np.concatenate([x, 1 - x, 0 * x, 0 * x, 0 * x]), 0.731, cost)
    figure = comparison(SQUARE, one_hot(range(5), 5), [classes] * 2, "classes", tuple("abcde"))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"accuracy 73.1 %", "chance: ln 5", "he  0.1", *"abcde"} < set(texts)
    figure = comparison(
        SQUARE, np.arange(5.0)[np.newaxis], [Entry("he", x, -0.731, cost)] * 2, task="regression"
    )
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"R² −0.731", "the mean: 0.5"} < set(texts)


def test_the_cost_of_chance_is_the_entropy_of_the_classes_or_half_the_variance():
    targets = np.random.RandomState(3).randn(1, 101)
    targets = (targets - targets.mean()) / targets.std()
    assert chance_of("binary", np.arange(307)[np.newaxis] % 2.0) == (
        pytest.approx(np.log(2), rel=1e-5),
        "chance: ln 2",
    )
    assert chance_of("classes", np.eye(7)) == (pytest.approx(np.log(7)), "chance: ln 7")
    assert chance_of("regression", targets) == (pytest.approx(np.mean(targets**2) / 2), "the mean: 0.5")


def test_the_cost_of_chance_of_classes_of_unequal_size_is_the_entropy_of_their_shares():
    rare = one_hot([1] * 17 + [0] * 283, 2)[1:]
    assert chance_of("binary", rare) == (
        pytest.approx(entropy([17, 283]), rel=1e-12),
        "same answer for all: 0.218",
    )
    three = one_hot([0] * 59 + [1] * 71 + [2] * 48, 3)
    assert chance_of("classes", three) == (
        pytest.approx(entropy([59, 71, 48]), rel=1e-12),
        "same answer for all: 1.09",
    )
    assert chance_of("binary", np.ones((1, 3))).cost == 0
    assert chance_of("classes", one_hot([0, 1, 0, 1], 3)).cost == pytest.approx(np.log(2), rel=1e-12)


def test_an_unknown_task_is_refused_by_name():
    with pytest.raises(ValueError, match="task 'ranking' is not one of binary, classes, regression"):
        Boundary(SQUARE, np.ones((1, 5)), "ranking")
