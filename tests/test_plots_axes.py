"""The plots that draw in axes of the user's."""

import doctest
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from scipy.special import expit

import initlab.plots
from initlab.plots import (
    Boundary,
    CostCurve,
    Entry,
    Panel,
    chance_of,
    comparison,
    figure_png,
    plot_boundary,
    plot_costs,
    plot_phase,
    plot_propagation,
    png,
    webp,
)
from initlab.plots.figures import boundary, costs, phase, propagation

X = np.array([[3.0, 3.0, 17.0, 17.0, 11.0], [-5.0, 9.0, -5.0, 9.0, 2.0]])
Y = np.array([[0.0, 0.0, 0.0, 0.0, 1.0]])
FALLING = np.geomspace(2.0, 0.01, 301)
PANEL = Panel("mean square", *[np.geomspace(1, 0.1, 7)] * 4, logarithmic=True)
SIGMAS, DEPTHS, TRAINED = np.array([0.5, 1.0, 1.5]), [4, 16], np.array([[0.2, 0.4, 0.6], [0.1, np.nan, 1]])
PLOTS = [
    lambda **ax: plot_boundary(X, Y, None, **ax),
    lambda **ax: plot_costs({"he": FALLING, "zeros": np.full(7, 0.7)}, **ax),
    lambda **ax: plot_phase(SIGMAS, DEPTHS, TRAINED, critical=1.1, **ax),
    lambda **ax: plot_propagation(range(1, 8), PANEL, **ax),
]


def circle():
    """Returns P(class 1) at the mesh's points: 0.5 on a circle of radius 4 round (11, 2)."""
    x, y = Boundary(X, Y).points
    return expit(2 * (16 - (x - 11) ** 2 - (y - 2) ** 2))


@pytest.mark.parametrize("module", [boundary, costs, phase, propagation])
def test_the_examples_in_the_docstrings_are_right(module):
    failed, attempted = doctest.testmod(module)
    assert failed == 0
    assert attempted >= 4


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_draws_in_the_axes_that_it_is_given_and_returns_them(plot):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot(ax=right) is right
    assert right.has_data()
    assert not left.has_data()
    assert figure_png(figure)


@pytest.mark.parametrize("plot", PLOTS)
def test_without_axes_a_plot_makes_a_figure_of_its_own(plot):
    one, other = plot(), plot()
    assert isinstance(one.figure, Figure)
    assert one.figure is not other.figure
    assert figure_png(one.figure) == figure_png(other.figure)


def test_a_boundary_lies_in_the_coordinates_of_the_inputs():
    ax = plot_boundary(X, Y, circle(), ax=Figure(dpi=130).subplots())
    [line] = [patch for patch in ax.patches if isinstance(patch, PathPatch)]
    in_data = (line.get_transform() - ax.transData).transform(line.get_path().vertices)
    assert np.hypot(*(in_data - [11, 2]).T) == pytest.approx(4, abs=0.02)
    zeros, ones = ((marks.get_transform() - ax.transData).transform(marks.get_xydata()) for marks in ax.lines)
    assert zeros == pytest.approx(X.T[:4])
    assert ones == pytest.approx(X.T[4:])
    assert ax.images[0].get_extent() == [*ax.get_xlim(), *ax.get_ylim()]
    assert ax.get_xlim() == pytest.approx((10 - 0.58 * 14, 10 + 0.58 * 14))


def test_a_legend_names_the_classes_of_a_boundary():
    def names(*args, **kwargs):
        legend = plot_boundary(*args, **kwargs, ax=Figure().subplots()).legend()
        return [text.get_text() for text in legend.get_texts()]

    assert names(X, Y, None) == ["class 0", "class 1"]
    assert names(X, Y, None, classes=("out", "in")) == ["out", "in"]
    assert names(X, np.eye(5), None, task="classes", classes="abcde") == list("abcde")


def test_a_title_is_written_as_it_is():
    title = plot_boundary(X, Y, None, title="σ $x_1$")._left_title
    assert title.get_text() == "σ $x_1$"
    assert not title.get_parse_math()


def test_each_cost_curve_is_named_in_its_colour():
    chance = chance_of("binary", np.array([[0.0, 1.0]]))
    ax = plot_costs({"zeros": np.full(101, 0.7), "he": FALLING}, chance=chance)
    zeros, he = ax.lines[1:]
    assert ax.lines[0].get_ydata() == pytest.approx([np.log(2)] * 2)
    assert he.get_xydata() == pytest.approx(np.stack([np.arange(301), FALLING], axis=1))
    colors = {text.get_text(): to_hex(text.get_color()) for text in ax.texts}
    assert colors["zeros  0.7"] == zeros.get_color()
    assert colors["he  0.01"] == he.get_color() != zeros.get_color()
    assert ax.get_yscale() == "log"
    assert plot_costs({"zeros": np.full(101, 0.7)}).get_yscale() == "linear"


def test_costs_of_runs_that_diverged_at_once_are_drawn_and_no_costs_are_refused():
    assert figure_png(plot_costs({"he": np.array([np.nan]), "random": np.array([np.inf])}).figure)
    with pytest.raises(ValueError, match="^there are no costs to plot$"):
        plot_costs({})


def test_the_colours_of_a_phase_diagram_are_explained_beside_it_or_in_axes_for_them():
    figure = Figure()
    ax, cax = figure.subplots(1, 2)
    before = ax.get_position().width
    plot_phase(SIGMAS, DEPTHS, TRAINED, measured_label="train R²", ax=ax, cax=cax)
    assert ax.get_position().width == before
    assert cax.get_ylabel() == "train R²"
    alone = Figure().subplots()
    before = alone.get_position().width
    plot_phase(SIGMAS, DEPTHS, TRAINED, ax=alone)
    assert alone.get_position().width < before
    assert len(alone.figure.axes) == 2
    assert any(isinstance(artist, QuadMesh) for artist in alone.collections)


def test_text_follows_the_size_of_the_letters_of_given_axes():
    def sizes(size):
        axes = Figure().subplots(2, 2).ravel()
        for plot, ax in zip(PLOTS[1:], axes[1:], strict=True):
            ax.xaxis.label.set_size(size)
            plot(ax=ax)
        return [text.get_fontsize() for ax in axes for text in ax.texts]

    assert set(sizes(7)) == {8}
    assert max(sizes(30)) == 15


def test_the_panels_of_a_comparison_are_boundaries_in_axes():
    entry = Entry("he", circle(), 0.9, FALLING)
    panel = comparison(X, Y, [entry, entry]).axes[1]
    alone = plot_boundary(X, Y, circle(), ax=Figure(dpi=72).add_axes(panel.get_position()))
    paths = [
        (patch.get_transform() - ax.transAxes).transform(patch.get_path().vertices)
        for ax in (panel, alone)
        for patch in ax.patches
    ]
    assert paths[0] == pytest.approx(paths[1])


def test_the_pictures_of_a_lone_run_take_seven_files():
    root, files = Path(initlab.plots.__file__).parent, set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_name != "<module>":
            files.add(Path(frame.f_code.co_filename))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        image = Boundary(X, Y).draw(np.full(100**2, 0.3), "he", "iteration 3")
        curve = CostCurve(300, *chance_of("binary", Y)).draw(FALLING, "he")
        assert all([png(image), webp(image), png(curve)])
    finally:
        sys.setprofile(before)
    names = {str(file.relative_to(root)) for file in files if file.is_relative_to(root)}
    assert len(names) <= 7
    assert "tasks/two_classes.py" in names
    assert "tasks/many_classes.py" not in names
