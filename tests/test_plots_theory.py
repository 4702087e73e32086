from io import BytesIO

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from PIL import Image

from initlab.plots import Panel, figure_png, phase_figure, propagation_figure

LAYERS = range(1, 8)
FALLING = np.geomspace(1, 1e-6, 7)
ZERO = np.zeros(7)


def panel(median, predicted, band=None, logarithmic=False):
    low, high = (None, None) if band is None else (predicted / band, predicted * band)
    return Panel("forward mean square", median, 0.9 * median, 1.1 * median, predicted, low, high, logarithmic)


def drawn(figure):
    """Returns what the figure looks like, (height, width, 3)."""
    return np.asarray(Image.open(BytesIO(figure_png(figure))).convert("RGB")).astype(int)


def axes_of(figure, number=0):
    drawn(figure)
    return figure.axes[number]


def texts_of(axes):
    return {text.get_text(): text for text in axes.texts}


def test_measured_medians_and_predictions_are_drawn_at_their_layers():
    axes = axes_of(propagation_figure(LAYERS, [panel(2 * FALLING, FALLING, 1.5, True)], "he"))
    measured, predicted = (line for line in axes.lines if len(line.get_xdata()) == 7)
    assert measured.get_xydata().T.tolist() == [list(LAYERS), list(2 * FALLING)]
    assert predicted.get_xydata().T.tolist() == [list(LAYERS), list(FALLING)]
    assert measured.get_color() != predicted.get_color()
    band, quartiles = (collection.get_paths()[0].vertices for collection in axes.collections)
    assert band[:, 1].max() == pytest.approx(1.5)
    assert band[:, 1].min() == pytest.approx(FALLING.min() / 1.5)
    assert quartiles[:, 1].max() == pytest.approx(2.2)
    assert axes.get_yscale() == "log"


def test_panels_lie_below_each_other_and_share_the_layers():
    panels = [panel(FALLING, FALLING), panel(np.full(7, 0.3), FALLING), panel(FALLING, FALLING, 2, True)]
    figure = propagation_figure(LAYERS, panels, "he · seed 3", "tanh")
    heights = [axes.get_position().y0 for axes in figure.axes]
    assert heights == sorted(heights, reverse=True)
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "layer"]
    assert drawn(figure).shape[1] == 760


def test_the_curves_are_named_beside_their_ends_and_apart():
    axes = axes_of(propagation_figure(LAYERS, [panel(FALLING, FALLING[::-1], None, True)], "he"))
    texts = texts_of(axes)
    assert texts["measured"].get_position()[1] < 0.2
    assert texts["theory"].get_position()[1] > 0.8
    same = texts_of(axes_of(propagation_figure(LAYERS, [panel(FALLING, FALLING)], "he")))
    heights = [same[name].get_position()[1] for name in ("measured", "theory")]
    assert abs(np.diff(heights)[0]) == pytest.approx(0.11)


def test_a_start_of_zeros_is_a_line_at_zero_on_a_linear_axis():
    axes = axes_of(propagation_figure(LAYERS, [panel(ZERO, ZERO, 2, True)], "zeros"))
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim() == (-0.08, 1)
    assert axes.lines[0].get_ydata().tolist() == [0] * 7


def test_zeros_on_a_logarithmic_axis_and_infinities_are_arrowheads_on_its_edges():
    median = np.array([1, 0.1, 0, np.inf, np.nan, 0.01, 0])
    axes = axes_of(propagation_figure(LAYERS, [panel(median, FALLING, None, True)], "he"))
    low, high = axes.get_ylim()
    heads = {line.get_marker(): line.get_xydata().tolist() for line in axes.lines}
    assert heads["v"] == [[3, low], [7, low]]
    assert heads["^"] == [[4, high]]
    assert low < FALLING.min()


def test_noise_does_not_look_like_a_trend():
    noisy = 2 + 0.01 * np.random.RandomState(3).randn(7)
    low, high = axes_of(propagation_figure(LAYERS, [panel(noisy, noisy, None, True)], "he")).get_ylim()
    assert high / low >= 9.99
    rounded = 0.7 + 1e-16 * np.arange(7)
    constant = Panel("input correlation", rounded, rounded, rounded, rounded)
    low, high = axes_of(propagation_figure(LAYERS, [constant], "he")).get_ylim()
    assert high - low > 0.5


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("values", [
    ZERO, ZERO + np.nan, ZERO + np.inf, ZERO - np.inf, FALLING * 1e-318, FALLING * 1e308, -FALLING,
    np.array([0, 1, np.nan, np.inf, -np.inf, 1e-300, 1e300]),
])  # fmt: skip
def test_any_curve_can_be_drawn_without_a_warning(values, logarithmic):
    panels = [
        Panel("first", values, ZERO, values, FALLING, values, ZERO + 1, logarithmic),
        Panel("second", FALLING, values, FALLING, values, None, None, logarithmic),
        Panel("third", values, values, values, values, values, values, logarithmic),
    ]
    assert drawn(propagation_figure(LAYERS, panels, "any $x_1", "kind")).shape[1] == 760


def test_a_single_layer_can_be_drawn():
    single = [Panel("one", *(np.ones(1) for _ in range(6)), True)]
    axes = axes_of(propagation_figure([1], single, "he"))
    assert [label.get_text() for label in axes.get_xticklabels()].count("1") == 1


SIGMAS, DEPTHS = np.array([0.5, 1.0, 1.5, 2.0, 2.5]), [4, 8, 16]
TRAINED = np.linspace(0, 1, 15).reshape(3, 5)


def cells_of(axes):
    return next(artist for artist in axes.collections if isinstance(artist, QuadMesh))


def test_each_cell_of_a_phase_diagram_lies_round_its_width_and_depth():
    axes = axes_of(phase_figure(SIGMAS, DEPTHS, TRAINED))
    mesh = cells_of(axes)
    assert mesh.get_array().tolist() == TRAINED.tolist()
    corners = np.asarray(mesh.get_coordinates())
    assert corners[0, :, 0] == pytest.approx([0.25, 0.75, 1.25, 1.75, 2.25, 2.75])
    assert corners[:, 0, 1] == pytest.approx([1.5, 2.5, 3.5, 4.5])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["4", "8", "16"]


def test_the_order_of_a_phase_diagrams_runs_does_not_matter():
    across, up = [3, 0, 4, 1, 2], [2, 0, 1]
    figure = phase_figure(SIGMAS[across], np.array(DEPTHS)[up], TRAINED[np.ix_(up, across)])
    assert np.array_equal(drawn(figure), drawn(phase_figure(SIGMAS, DEPTHS, TRAINED)))


def test_more_training_is_darker_and_a_missing_run_is_grey():
    measured = TRAINED.copy()
    measured[1, 2] = np.nan
    figure = phase_figure(SIGMAS, DEPTHS, measured)
    image, to_pixels = drawn(figure), figure.axes[0].transData
    points = to_pixels.transform([(sigma, height) for height in (2, 3, 4) for sigma in SIGMAS])
    colors = [image[image.shape[0] - round(y), round(x)] for x, y in points]
    assert colors.pop(7).tolist() == [236, 236, 236]
    lightness = np.array(colors) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) < 0).all()
    assert "grey: no run" in texts_of(figure.axes[0])
    assert "grey: no run" not in texts_of(axes_of(phase_figure(SIGMAS, DEPTHS, TRAINED)))


def test_the_critical_line_parts_the_phases():
    axes = axes_of(phase_figure(SIGMAS, DEPTHS, TRAINED, critical=1.327))
    (line,) = axes.lines
    assert line.get_xdata() == [1.327, 1.327]
    texts = texts_of(axes)
    ordered, chaotic = (texts[name].get_window_extent() for name in ("← ordered", "chaotic →"))
    at = axes.transData.transform((1.327, 2))[0]
    assert ordered.x1 < at < chaotic.x0
    assert any(text.endswith("= 1.33") for text in texts)
    outside = axes_of(phase_figure(SIGMAS, DEPTHS, TRAINED, critical=2.9))
    assert not outside.lines
    assert not outside.texts


def test_the_curve_of_scales_is_drawn_at_its_depths_and_leaves_the_axes_where_it_diverges():
    sigmas = np.linspace(0.5, 2.5, 41)
    with np.errstate(divide="ignore"):
        depths = np.round(3 / np.abs(sigmas - 1.5), 12)
    axes = axes_of(phase_figure(SIGMAS, DEPTHS, TRAINED, scales=(sigmas, depths)))
    x, y = axes.lines[0].get_data()
    inside = depths < 16
    assert x == pytest.approx(sigmas)
    assert 2 ** y[inside] == pytest.approx(depths[inside])
    assert y[~inside].max() > axes.get_ylim()[1]
    assert np.isfinite(y).all()
    assert axes.get_ylim() == (1.5, 4.5)
    assert "depth 6 ξ" in texts_of(axes)


@pytest.mark.parametrize("value", [np.nan, 0.0, np.inf])
def test_a_phase_diagram_of_one_run_without_theory_can_be_drawn(value):
    scales = SIGMAS, np.full(5, value)
    assert drawn(phase_figure([1.5], [3], np.full((1, 1), np.nan), np.nan, scales, "", "$", "_")).any()


def test_a_figure_has_the_same_bytes_each_time():
    one, other = (figure_png(phase_figure(SIGMAS, DEPTHS, TRAINED, 1.3, title="tanh")) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("theory", "band", "key"),
    [
        (1.0, 0.5, "theory at this width: median, nine of ten networks"),
        (1.0, np.nan, "theory: infinite width"),
        (np.nan, np.nan, None),
    ],
)
def test_the_key_says_of_which_networks_the_theory_is(theory, band, key):
    values, edges = np.ones(3), np.full(3, band)
    panel = Panel("mean square", values, values, values, np.full(3, theory), edges, 2 * edges)
    texts = [text.get_text() for text in propagation_figure([1, 2, 3], [panel], "title").texts]
    assert [text for text in texts if text.startswith("theory")] == [key] * (key is not None)
