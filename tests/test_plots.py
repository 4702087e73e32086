import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy.special import expit as sigmoid

from initlab.plots import (
    CHANCE,
    MOST_SEEDS,
    Boundary,
    CostCurve,
    Entry,
    comparison,
    contact_sheet,
    png,
    webp,
)
from initlab.plots.figures.contact_sheet import _heading
from initlab.runs.pictures import costs_of

WHITE = (255, 255, 255)
# The points lie in the picture's corners and leave the rest of it to the boundary.
X = np.array([[-1.0, -1.0, -0.9, 0.9, 1.0, 1.0, 0.95], [-1.0, 0.9, 1.0, -1.0, -0.9, 1.0, 0.95]])
Y = np.array([[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]])
COST = np.geomspace(2.0, 0.01, 301)  # before, between and after 300 updates


@pytest.fixture(scope="module")
def boundary():
    return Boundary(X, Y)


def pixels(image):
    return np.asarray(image).astype(int)


def heat_box(boundary):
    """Returns the first and last row and column of the probabilities, found by their absence."""
    unknown = (pixels(boundary.draw(None, "")) == 236).all(axis=-1)
    rows, columns = (np.nonzero(unknown.sum(axis=axis) > 200)[0] for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def pixel_of(boundary, x, y):
    """Returns the row and column of a point of the plane."""
    top, bottom, left, right = heat_box(boundary)
    low, high = boundary.points.min(axis=1), boundary.points.max(axis=1)
    across, up = (np.array([x, y]) - low) / (high - low)
    return round(bottom - up * (bottom - top)), round(left + across * (right - left))


def dark(image):
    return pixels(image).max(axis=-1) < 90


def dark_inside(boundary, image):
    top, bottom, left, right = heat_box(boundary)
    return dark(image)[top : bottom + 1, left : right + 1]


def is_orange(color):
    red, _, blue = color
    return red > blue + 50


def is_blue(color):
    red, _, blue = color
    return blue > red + 50


def test_class_1_is_orange_and_class_0_is_blue_where_the_network_says_so(boundary):
    x, y = boundary.points
    for field, one, zero in [(x, (0.5, 0.1), (-0.5, 0.1)), (y, (0.1, 0.5), (0.1, -0.5))]:
        image = pixels(boundary.draw(sigmoid(20 * field), ""))
        assert is_orange(image[pixel_of(boundary, *one)])
        assert is_blue(image[pixel_of(boundary, *zero)])


@pytest.mark.parametrize("crossing", [0.03, 0.97])  # near the edges, where an error of scale is largest
def test_the_colour_at_a_pixel_is_the_tint_of_its_probability(boundary, crossing):
    low, high = boundary.points.min(axis=1), boundary.points.max(axis=1)
    across = (boundary.points[0] - low[0]) / (high - low)[0]
    row = pixels(boundary.draw(sigmoid(90 * (across - crossing)), ""))[pixel_of(boundary, 0, 0)[0]]
    _, _, left, right = heat_box(boundary)
    for offset in (-9, -6, 6, 9):
        pixel = round(416 * crossing) + offset
        p = sigmoid(90 * ((pixel + 0.5) / 416 - crossing))  # a pixel's colour is that of its middle
        red, _, blue = row[left - 1 + pixel]  # the frame covers the first column
        assert red == pytest.approx(np.interp(p, [0, 0.5, 1], [150, 255, 252]), abs=8)
        assert blue == pytest.approx(np.interp(p, [0, 0.5, 1], [232, 255, 135]), abs=8)
    assert right - (left - 1) + 1 == 416


@pytest.mark.parametrize("steepness", [0.3, 8, 300])
def test_the_boundary_is_a_dark_line_exactly_where_p_crosses_one_half(boundary, steepness):
    x, y = boundary.points
    image = boundary.draw(sigmoid(steepness * (0.6**2 - (x - 0.2) ** 2 - (y + 0.1) ** 2)), "")
    for angle in np.linspace(0, 2 * np.pi, 29):
        row, column = pixel_of(boundary, 0.2 + 0.6 * np.cos(angle), -0.1 + 0.6 * np.sin(angle))
        assert dark(image)[row - 1 : row + 2, column - 1 : column + 2].any()
    center, above = (np.array(pixel_of(boundary, 0.2, height)) for height in (-0.1, 0.5))
    rows, columns = np.nonzero(dark_inside(boundary, image))
    row, column = center - np.array(heat_box(boundary))[[0, 2]]
    assert np.abs(np.hypot(rows - row, columns - column) - (center - above)[0]).max() < 3


def test_the_boundary_of_a_steep_network_lies_between_the_meshs_points(boundary):
    x = boundary.points[0]
    crossing = 0.137
    assert np.abs(x - crossing).min() > 0.005
    rows, columns = np.nonzero(dark_inside(boundary, boundary.draw(sigmoid(150 * (x - crossing)), "")))
    expected = pixel_of(boundary, crossing, 0)[1] - heat_box(boundary)[2]
    assert np.abs(columns - expected).max() <= 1
    assert len(set(rows)) > 400  # from edge to edge


def test_a_network_of_zeros_is_white_and_has_no_boundary(boundary):
    image = boundary.draw(np.full(boundary.points.shape[1], 0.5), "zeros")
    assert not dark_inside(boundary, image).any()
    top, bottom, left, right = heat_box(boundary)
    inside = pixels(image)[top + 60 : bottom - 60, left + 60 : right - 60]
    assert (inside == 255).all()


def test_a_network_that_answers_one_class_has_no_boundary(boundary):
    for answer in (0.0, 1.0, 0.3):
        image = boundary.draw(np.full(boundary.points.shape[1], answer), "")
        assert not dark_inside(boundary, image).any()


def test_hard_answers_of_0_and_1_have_a_boundary(boundary):
    x = boundary.points[0]
    image = boundary.draw((x > 0.2).astype(np.float64), "")
    assert dark_inside(boundary, image).any(axis=1).mean() > 0.95


def test_a_diverged_run_shows_the_training_points_over_grey(boundary):
    unknown = boundary.draw(None, "he", "diverged at iteration 7")
    assert tuple(pixels(unknown)[pixel_of(boundary, 0, 0)]) == (236, 236, 236)
    assert not dark_inside(boundary, unknown).any()
    assert tuple(pixels(unknown)[pixel_of(boundary, 1, 1)]) == (213, 94, 0)
    assert tuple(pixels(unknown)[pixel_of(boundary, -1, -1)]) == (0, 114, 178)
    missing = np.full(boundary.points.shape[1], np.nan)
    assert boundary.draw(missing, "he", "diverged at iteration 7") == unknown


def test_single_precision_probabilities_give_the_same_picture_where_they_are_exact(boundary):
    half = np.where(boundary.points[0] > 0, 0.75, 0.25)
    assert boundary.draw(half.astype(np.float32), "") == boundary.draw(half, "")


def test_a_boundary_drawn_after_others_is_the_same_to_the_byte(boundary):
    x, y = boundary.points
    circle = sigmoid(9 * (0.4 - x**2 - y**2))
    lone = png(Boundary(X, Y).draw(circle, "he · seed 3", "train 99 %"))
    boundary.draw(sigmoid(500 * x), "a long title " * 20, "random")
    boundary.draw(None, "", "diverged")
    assert png(boundary.draw(circle, "he · seed 3", "train 99 %")) == lone


def test_a_picture_keeps_its_pixels_when_another_is_drawn(boundary):
    first = boundary.draw(np.full(boundary.points.shape[1], 0.9), "first")
    before = first.tobytes()
    boundary.draw(None, "second")
    assert first.tobytes() == before


def test_titles_are_written_as_they_are_and_stay_inside_the_picture(boundary):
    plain = pixels(boundary.draw(None, "x_1 $a$", "b"))
    assert (plain != pixels(boundary.draw(None, "x_1 a", "b"))).any()
    for length in (40, 60, 500):
        image = pixels(boundary.draw(None, "W" * length, "m" * length))
        assert (image[:64, -4:] == 255).all()
        assert (image[:64, -40:-8] != 255).any()


def test_points_of_a_line_or_a_single_point_can_be_drawn():
    for points in (np.zeros((2, 1)), np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])):
        labels = np.ones((1, points.shape[1]))
        lone = Boundary(points, labels)
        assert np.isfinite(lone.points).all()
        lone.draw(np.full(lone.points.shape[1], 0.2), "")


def test_a_png_holds_the_picture_in_colours_that_the_eye_cannot_tell_from_its_own(boundary):
    x, y = boundary.points
    curve = CostCurve(301)
    for image in (boundary.draw(sigmoid(3 * x + y), "he", "99 %"), curve.draw(COST, "he", "99 %")):
        encoded = png(image)
        error = np.abs(pixels(Image.open(BytesIO(encoded)).convert("RGB")) - pixels(image))
        assert error.mean() < 1.5
        assert np.quantile(error, 0.99) <= 8
        assert (error[(pixels(image) == WHITE).all(axis=-1)] == 0).all()
        assert len(encoded) < 60_000


def test_a_tile_shows_the_same_answers_without_axes_in_a_few_kilobytes(boundary):
    x, y = boundary.points
    tile, whole = (draw(sigmoid(3 * x + y), "he") for draw in (boundary.draw_tile, boundary.draw))
    assert tile.size == (188, 216)
    image = Image.open(BytesIO(webp(tile)))
    assert (image.format, image.size) == ("WEBP", tile.size)
    assert len(webp(tile)) < 15_000
    assert len(png(tile)) < 20_000
    left, top, width, height = boundary._box
    box = whole.crop((left, top, left + width, top + height)).resize((184, 184), Image.Resampling.BOX)
    error = np.abs(pixels(box) - pixels(tile.crop((2, 30, 186, 214))))
    assert np.median(error) <= 2  # the heat; markers and lines are thinner in a large picture


def test_the_costs_from_the_first_that_is_not_finite_are_dropped():
    curve = CostCurve(1000)
    lone = curve.draw(COST, "he").tobytes()
    for end in ([np.inf], [np.nan, np.nan], [np.inf, 0.3, 0.2]):
        assert curve.draw(np.concatenate([COST, end]), "he").tobytes() == lone


def test_a_run_that_stopped_early_ends_in_another_mark_than_a_complete_one():
    vermilion = (213, 94, 0)
    assert (pixels(CostCurve(1000).draw(COST, "")) == vermilion).all(axis=-1).any()
    assert (pixels(CostCurve(301).draw(COST, "")) == vermilion).all(axis=-1).any()
    assert not (pixels(CostCurve(300).draw(COST, "")) == vermilion).all(axis=-1).any()


def test_the_costs_of_a_finished_run_end_in_its_final_cost():
    history = {"cost": np.array([0.7, 0.5, 0.3], np.float32)}
    finished, diverged = (
        SimpleNamespace(history=history, summary=SimpleNamespace(final_cost=cost)) for cost in (0.2, None)
    )
    assert costs_of(finished) == pytest.approx([0.7, 0.5, 0.3, 0.2])
    assert costs_of(diverged) == pytest.approx([0.7, 0.5, 0.3])


def test_a_constant_cost_is_one_flat_line_whatever_its_rounding_errors():
    curve = CostCurve(5003)
    constant = np.full(5003, CHANCE)
    rounded = constant + 1.1e-16 * np.random.RandomState(7).randint(-1, 2, size=5003)
    assert curve.draw(rounded, "zeros") == curve.draw(constant, "zeros")
    box = dark(curve.draw(constant, "zeros"))[75:300, 90:480]
    assert box.any(axis=0).all()
    assert box.any(axis=1).sum() <= 3


@pytest.mark.parametrize(("chance", "label"), [(np.log(10), "chance: ln 10"), (0.5, "the mean: 0.5")])
def test_a_dashed_line_with_its_name_lies_at_the_cost_of_chance_that_is_given(chance, label):
    cost = np.linspace(3.0, 2.9, 301)  # on an axis from 0 to 4
    image = pixels(CostCurve(301, chance, label).draw(cost, ""))
    grey = (image == 102).all(axis=-1)[70:310, 80:480].sum(axis=1)
    assert 150 < grey.max() < 300  # most of the row, with gaps
    assert grey.argmax() == pytest.approx(240 * (1 - chance / 4), abs=1)
    assert (image != pixels(CostCurve(301, chance, "other").draw(cost, ""))).any()


@pytest.mark.parametrize(("cost", "chance"), [
    (np.geomspace(0.88, 0.0006, 301), CHANCE), (np.linspace(0.95, 0.9, 301), 0.98),
    (np.linspace(0.95, 0.9, 301), 0.03),
])  # fmt: skip
def test_the_name_of_chance_is_whole_even_near_an_edge(cost, chance):
    plain, named = (pixels(CostCurve(300, chance, label).draw(cost, "")) for label in ("", "chance: ln 2"))
    rows = np.nonzero((plain != named).any(axis=(1, 2)))[0]
    assert 70 + 1 < rows[0] < rows[-1] < 310 - 1  # within the axes, which cut what is beyond them
    assert len(rows) >= 9


def test_without_a_cost_of_chance_there_is_no_line():
    cost = np.linspace(3.0, 2.9, 301)
    image, marked = pixels(CostCurve(301, None).draw(cost, "")), pixels(CostCurve(301).draw(cost, ""))
    rows = np.nonzero((image != marked).any(axis=(1, 2)))[0]
    assert pytest.approx(rows.mean(), abs=8) == 70 + 240 * (1 - CHANCE / 4)
    assert (image == 102).all(axis=-1)[rows[0] : rows[-1] + 1, 80:480].sum() == 0


def middle_of_line(image, column):
    rows = np.nonzero(dark(image)[70:310, column])[0]
    return rows.mean() / 240


@pytest.mark.parametrize("iterations", [301, 15013])
def test_costs_over_more_than_a_decade_are_drawn_on_a_logarithmic_axis(iterations):
    cost = np.geomspace(3.0, 0.003, iterations)
    image = CostCurve(iterations).draw(cost, "")
    left, middle, right = (middle_of_line(image, column) for column in (180, 280, 380))
    assert middle == pytest.approx((left + right) / 2, abs=0.01)
    assert right > left + 0.3


def test_costs_within_a_decade_are_drawn_on_a_linear_axis_from_0():
    image = CostCurve(301).draw(np.linspace(1.6, 0.4, 301), "")  # from 4/5 to 1/5 of an axis up to 2
    left, middle, right = (middle_of_line(image, column) for column in (180, 280, 380))
    assert middle == pytest.approx((left + right) / 2, abs=0.01)
    assert middle == pytest.approx(0.5, abs=0.02)


def test_one_peak_among_thousands_of_iterations_is_seen():
    cost = np.full(15013, 0.5)
    cost[7919] = 1.9
    rows, columns = np.nonzero(dark(CostCurve(15013).draw(cost, ""))[100:200, 76:492])
    assert len(set(rows)) == 100
    assert np.abs(columns - 416 * 7919 / 15013).max() < 5


@pytest.mark.parametrize("cost", [
    [], [np.nan], [0.7], [0.0, 0.0], [1.0, 0.0], [0.7, 1e305, np.inf], [1773.0, 1e-3],
])  # fmt: skip
def test_any_cost_can_be_drawn(cost):
    image = CostCurve(7).draw(np.array(cost, dtype=np.float64), "he", "of any kind")
    assert image.size == CostCurve(7).draw(COST, "").size


def test_a_cost_curve_drawn_after_others_is_the_same_to_the_byte():
    lone = png(CostCurve(301).draw(COST, "he · seed 3", "final cost 0.01"))
    curve = CostCurve(301)
    for factor in np.geomspace(1e-9, 1e9, 50):  # more ranges of cost than are kept
        curve.draw(factor * COST[:37], "random")
    assert png(curve.draw(COST, "he · seed 3", "final cost 0.01")) == lone


def test_a_comparison_shows_every_entry_by_name(boundary):
    x = boundary.points[0]
    entries = [
        Entry("zeros", np.full_like(x, 0.5), 0.5, np.full(301, CHANCE)),
        Entry("random $x$", None, 0.25, COST[:11]),
        Entry("he", sigmoid(9 * x), 0.993, COST),
    ]
    figure = comparison(X, Y, entries)
    assert isinstance(figure, Figure)
    texts = {text.get_text(): text for axes in figure.axes for text in axes.texts}
    for words in ("zeros", "random $x$", "he", "accuracy 99.3 %", "he  0.01", "zeros  0.693"):
        assert not texts[words].get_parse_math()
    buffer = BytesIO()
    figure.savefig(buffer)
    assert Image.open(buffer).width == 1500


def test_the_names_of_curves_that_end_together_stand_apart_round_their_end():
    cost = np.geomspace(2.0, 0.1, 301)
    lowest = Entry("lowest", None, 0.5, COST)
    figure = comparison(X, Y, [lowest, *(Entry(name, None, 0.5, cost) for name in "abc")])
    costs = figure.axes[-1]
    heights = [text.get_position()[1] for text in costs.texts if text.get_text().endswith("  0.1")]
    assert np.diff(sorted(heights)) == pytest.approx([0.07, 0.07])
    end = (costs.transData + costs.transAxes.inverted()).transform((0, 0.1))[1]
    assert np.mean(heights) == pytest.approx(end)
    assert all(text.get_position()[1] >= 0 for text in comparison(X, Y, [lowest] * 5).axes[-1].texts)


def tile_colors(image, rows, columns):
    """Returns the colour in the middle of each tile: they are 102 pixels apart, from right and bottom."""
    array = pixels(image)
    centers = [[(-62 - 102 * row, -62 - 102 * column) for column in range(columns)] for row in range(rows)]
    return [[tuple(array[at]) for at in line[::-1]] for line in centers[::-1]]


def test_a_contact_sheet_has_a_row_for_each_name_and_a_column_for_each_seed(boundary):
    size = boundary.points.shape[1]
    answers = {0: np.ones(size), 5: np.zeros(size)}
    sheet = contact_sheet(X, Y, {"he": answers, "random": {0: None}})
    (he_0, he_5), (diverged, missing) = tile_colors(sheet, rows=2, columns=2)
    assert is_orange(he_0)
    assert is_blue(he_5)
    assert diverged == (236, 236, 236)
    assert missing == WHITE


def test_a_tile_shows_the_training_points_in_their_places():
    tile = pixels(contact_sheet(X, Y, {"he": {0: None}}))[-108:-12, -108:-12]
    assert (tile[-14:, :14] == (0, 114, 178)).all(axis=-1).any()
    assert (tile[:14, -14:] == (213, 94, 0)).all(axis=-1).any()


def test_a_contact_sheet_of_many_seeds_shows_the_first(boundary):
    answers = np.ones(boundary.points.shape[1])
    first = contact_sheet(X, Y, {"he": dict.fromkeys(range(MOST_SEEDS), answers)})
    many = contact_sheet(X, Y, {"he": dict.fromkeys(range(249, -1, -1), answers)})
    assert many.size == first.size
    below_the_count = (0, 32, *first.size)
    assert many.crop(below_the_count) == first.crop(below_the_count)
    assert many != first


@pytest.mark.parametrize(("drawn", "in_all", "heading"), [
    (1, 1, "1 seed"), (2, 2, "2 seeds"), (1, 1000, "1 of 1,000 seeds"),
])  # fmt: skip
def test_a_contact_sheets_heading_counts_its_seeds(drawn, in_all, heading):
    assert _heading(drawn, in_all, "") == heading
    assert _heading(drawn, in_all, "a plane") == f"{heading} · a plane"


def test_drawing_needs_no_pyplot():
    program = """
import sys
import numpy as np
from initlab.plots import Boundary, CostCurve, figure_png, phase_figure, plot_boundary, plot_costs, png
X, Y = np.eye(2), np.array([[0.0, 1.0]])
png(Boundary(X, Y).draw(None, "he"))
png(Boundary(np.eye(3), np.eye(3), "classes").draw(None, "he"))
png(CostCurve(7).draw(np.ones(7), "he"))
figure_png(plot_boundary(X, Y, None).figure)
figure_png(plot_costs({"he": np.ones(7)}).figure)
figure_png(phase_figure(np.ones(1), [2], np.ones((1, 1))))
assert "matplotlib.pyplot" not in sys.modules
"""
    source = str(Path(__file__).parent.parent / "src")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"PYTHONPATH": source, "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
