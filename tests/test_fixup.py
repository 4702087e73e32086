"""Residual branches of several layers, scalar biases and multipliers, and the start that is made for them."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from builders import every, fit_and_measure, gradients_at, labels_of, step_of
from hydra import compose
from oracles import PHI, lone_start, stack_of_starts
from threadpoolctl import threadpool_limits

from initlab import initializers
from initlab.config.targets import load_component
from initlab.diagnostics import DIAGNOSTICS, grad_norm, weight_norm
from initlab.diagnostics.derivatives import kernel_matrix
from initlab.errors import ConfigError
from initlab.initializers import fixup, he, initial_parameters, lsuv
from initlab.networks.hessian import hessian_products
from initlab.networks.network import Network, deep, flat_parameters, mlp, named_parameters
from initlab.networks.tape import Tape, evaluate, predict, with_ones
from initlab.optimizers.layer_rates import rate_factors
from initlab.optimizers.rules import adam, gd
from initlab.propagation.jacobian import jacobian_values
from initlab.propagation.setup import observe, setup_of
from initlab.runs.train import run

SIZES = (3, 7, 5, 7, 11, 13, 7, 5, 2)  # of two layers: 7 → 5 → 7 is a branch, → 11 → 13 and → 7 → 5 are none
BRANCHES = {1: [], 2: [range(1, 3)], 3: []}


def network_of(activation="tanh", normalization="none", scale=0.3, depth=2, scalars=True, sizes=SIZES):
    return Network(sizes, activation, "linear", True, 0.03, normalization, scale, depth, scalars)


def data_of(network, m=19):
    rng = np.random.RandomState(7)
    return rng.standard_normal((network.sizes[0], m)), labels_of(network, rng, m)


def points_of(network, seeds=(3, 5)):
    """Returns starts whose scalars have moved too."""
    points, rng = stack_of_starts(network, list(seeds)), np.random.RandomState(11)
    points[:, : network.trained] += 0.1 * rng.standard_normal((len(points), network.trained))
    return points


def plain_answers(network, point, X):
    """Returns the answers for X by hand, from the arrays of weights.npz."""
    named, phi = named_parameters(network, point), PHI[network.activation_name]
    hidden, m, layers = network.sizes[1:-1], network.branch_depth, len(network.shapes)
    starts = {
        first: first + m - 1
        for first in range(2, len(hidden) - m + 2, m)
        if network.residual and hidden[first - 2] == hidden[first + m - 2]
    }
    a, kept, ends = X, None, None
    for layer in range(1, layers):
        if layer in starts:
            kept, ends = a, starts[layer]
        a = a + named.get(f"bias_in{layer}", 0)
        z = named[f"W{layer}"] @ a + named[f"b{layer}"]
        if layer == ends:
            z = z * named.get(f"multiplier{layer}", 1)
        z = z + named.get(f"bias_out{layer}", 0)
        if layer == ends and m > 1:
            a = phi(network.branch_scale * z + kept)
        else:
            a = network.branch_scale * phi(z) + kept if layer == ends else phi(z)
    return named[f"W{layers}"] @ (a + named.get(f"bias_in{layers}", 0)) + named[f"b{layers}"]


CASES = [
    (1, (3, 7, 7, 5, 5, 2)),
    (2, SIZES),
    (2, (3, 5, 7, 5, 11, 5, 2)),
    (3, (3, 7, 5, 2, 7, 7, 7, 7, 13, 2)),
]


@pytest.mark.parametrize("scalars", [False, True])
@pytest.mark.parametrize(("depth", "sizes"), CASES)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_answers_are_those_by_hand(activation, depth, sizes, scalars):
    for scale in (1.0, 0.3):
        network = network_of(activation, scale=scale, depth=depth, scalars=scalars, sizes=sizes)
        points, (X, _) = points_of(network), data_of(network)
        assert network.branches
        for point, answers in zip(points, predict(network, points, X), strict=True):
            np.testing.assert_allclose(answers, plain_answers(network, point, X), rtol=1e-11, atol=1e-13)


def test_above_the_first_every_m_layers_are_a_branch_where_the_widths_allow_it():
    assert network_of().branches == [range(1, 3)]
    assert network_of(sizes=(3, *[7] * 10, 2), depth=3).branches == [range(1, 4), range(4, 7), range(7, 10)]
    assert network_of(sizes=(3, *[7] * 10, 2), depth=4).branches == [range(1, 5), range(5, 9)]
    for sizes in ((3, 2), (3, 7, 2), (3, 7, 7, 2)):
        assert network_of(sizes=sizes).branches == []
    assert replace(network_of(), residual=False).branches == []
    ones = network_of(sizes=(3, 7, 7, 5, 5, 5, 2), depth=1)
    assert ones.skips == [False, True, False, True, True]


@pytest.mark.parametrize("normalization", ["none", "layer", "batch"])
@pytest.mark.parametrize(("depth", "sizes"), CASES)
def test_gradients_and_hessian_products_are_central_differences(normalization, depth, sizes):
    network = network_of(normalization=normalization, depth=depth, sizes=sizes)
    X, Y = data_of(network)
    X1, targets, rng = with_ones(X), network.output.targets(Y), np.random.RandomState(13)
    points = points_of(network, (3, 5, 7))
    directions, moved = rng.standard_normal((3, network.trained)), np.zeros_like(points)
    moved[:, : network.trained] = 1e-6 * directions
    ahead, behind = (gradients_at(network, points + sign * moved, X1, targets) for sign in (1, -1))
    expected = (ahead - behind) / 2e-6
    products = hessian_products(network, points, directions, X1, targets)
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-7 * np.abs(expected).max())
    if normalization != "batch":
        costs = [evaluate(network, points + sign * moved, X, Y)[0] for sign in (1, -1)]
        slope = np.vecdot(gradients_at(network, points, X1, targets), directions)
        np.testing.assert_allclose((costs[0] - costs[1]) / 2e-6, slope, rtol=1e-6)


@pytest.mark.parametrize("name", ["bias_in3", "bias_out3", "multiplier3", "bias_out1", "bias_in8"])
def test_each_scalars_own_derivative_is_a_difference(name):
    network = network_of()
    [point], (X, Y) = points_of(network, (3,)), data_of(network)
    gradient = gradients_at(network, point[np.newaxis], with_ones(X), network.output.targets(Y))
    named, costs = named_parameters(network, point), []
    for sign in (1, -1):
        changed = {**named, name: named[name] + sign * 1e-6}
        costs.append(evaluate(network, flat_parameters(network, changed)[np.newaxis], X, Y)[0][0])
    own = named_parameters(network, gradient[0])[name]
    assert own.shape == (1, 1)
    assert own[0, 0] == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=1e-6)


def test_one_hessian_for_many_directions_is_that_of_each():
    network = network_of()
    [point], (X, Y) = points_of(network, (3,)), data_of(network)
    X1, directions = with_ones(X), np.random.RandomState(5).standard_normal((5, network.trained))
    together = hessian_products(network, point[np.newaxis], directions, X1, Y)
    for direction, product in zip(directions, together, strict=True):
        alone = hessian_products(network, point[np.newaxis], direction[np.newaxis], X1, Y)
        np.testing.assert_allclose(product, alone[0], rtol=1e-12, atol=1e-14)


def test_the_tangent_kernel_is_of_all_parameters_the_scalars_among_them():
    network, m = network_of(), 5
    [point], (X, _) = points_of(network, (3,)), data_of(network, m)
    rows = []
    for number in range(network.trained):
        step = np.zeros_like(point)
        step[number] = 1e-6
        ahead, behind = (predict(network, (point + sign * step)[np.newaxis], X)[0] for sign in (1, -1))
        rows.append(((ahead - behind) / 2e-6).ravel())
    slopes = np.array(rows)
    kernel = kernel_matrix(network, point[np.newaxis], with_ones(X))[0]
    np.testing.assert_allclose(kernel, slopes.T @ slopes, rtol=1e-7, atol=1e-8 * np.abs(kernel).max())


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_microscopes_jacobians_are_differences_within_and_above_a_branch(depth):
    network = network_of(depth=depth, sizes=(3, 7, 7, 7, 7, 2))
    points, x = points_of(network), np.random.RandomState(3).standard_normal((2, 3, 1))
    layers, step = (1, 2, 3, 4), 1e-6 * np.eye(3)
    tape = Tape(network, points, 6)
    tape.read(with_ones(np.concatenate([x + step, x - step], axis=-1)))
    tape.forward()
    for layer, values in zip(layers, jacobian_values(network, points, x, layers), strict=True):
        slopes = (tape.hidden[layer - 1][..., :3] - tape.hidden[layer - 1][..., 3:]) / 2e-6
        np.testing.assert_allclose(values, np.linalg.svdvals(slopes), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("normalization", "precision"), [("none", "float32"), ("batch", "float64")])
def test_a_run_gives_the_same_bits_alone_and_in_a_stack(normalization, precision):
    network = network_of("relu", normalization)
    points, (X, Y) = points_of(network, (3, 5, 7)).astype(precision), data_of(network, 37)
    X, Y, rates = X.astype(precision), Y.astype(precision), np.array([[0.01], [0.02], [0.005]], precision)

    def last(runs):
        update = partial(gd, learning_rate=rates[runs])
        trained = fit_and_measure(
            network,
            points[runs].copy(),
            X,
            Y,
            update,
            iterations=7,
            probes=[every(7, *DIAGNOSTICS, interval=6)],
        )
        return list(trained)[-1]

    with threadpool_limits(1):
        together = last([0, 1, 2])
        for number in range(3):
            alone = last([number])
            np.testing.assert_array_equal(alone.parameters[0], together.parameters[number])
            assert alone.measured[0].keys() == together.measured[0].keys()
            for name, values in alone.measured[0].items():
                np.testing.assert_array_equal(values[0], together.measured[0][name][number], err_msg=name)


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("scalars", [False, True])
def test_fixup_is_he_with_zeros_last_and_smaller_weights_inside_the_branches(m, scalars):
    network = Network((7, *[31] * (1 + 5 * m), 3), "relu", "softmax", True, branch_depth=m, scalars=scalars)
    made, usual = (named_parameters(network, lone_start(network, 3, init)) for init in (fixup, he))
    inside = {layer + 1 for branch in network.branches for layer in branch[:-1]}
    ends = {branch[-1] + 1 for branch in network.branches} | {len(network.shapes)}
    assert len(network.branches) == 5
    for name, values in made.items():
        layer = int(name.lstrip("W")) if name.startswith("W") else 0
        factor = 0 if layer in ends else 5 ** (-1 / (2 * m - 2)) if layer in inside else 1
        np.testing.assert_allclose(values, factor * usual[name], rtol=1e-14)
        if name.startswith("multiplier"):
            assert values == 1
        elif not layer:
            assert not values.any()
    assert any(name.startswith("multiplier") for name in made) == scalars
    within = np.concatenate([made[f"W{layer}"].ravel() for layer in inside])
    published = np.sqrt(2 / 31) * {2: 5**-0.5, 3: 5**-0.25}[m]  # the authors' factors for ResNet's two blocks
    assert np.std(within) == pytest.approx(published, rel=0.03)


@pytest.mark.parametrize("classes", [3, 5])
def test_a_fixup_start_passes_its_first_layer_on_and_costs_the_log_of_the_classes(classes):
    network = Network((7, *[11] * 13, classes), "relu", "softmax", True, branch_depth=2, scalars=True)
    X = np.random.RandomState(5).standard_normal((7, 23))
    Y = np.eye(classes)[np.arange(23) % classes].T
    flat = lone_start(network, 3, fixup)[np.newaxis]
    tape = Tape(network, flat, 23)
    tape.read(with_ones(X))
    tape.forward()
    W1 = named_parameters(network, flat[0])["W1"]
    for layer in (0, *(branch[-1] for branch in network.branches)):
        np.testing.assert_allclose(tape.hidden[layer][0], np.maximum(W1 @ X, 0), rtol=1e-13)
    assert not tape.output.z.any()
    assert evaluate(network, flat, X, Y)[0][0] == pytest.approx(np.log(classes), rel=1e-14)


SEEDS = (3, 5, 7)


def network_and_data(branches):
    """Returns a network of so many branches of two layers, inputs and labels."""
    sizes = (5, *[23] * (1 + 2 * branches), 3)
    network = Network(sizes, "relu", "softmax", True, branch_depth=2, scalars=True)
    return network, np.random.RandomState(3).standard_normal((5, 29)), np.eye(3)[np.arange(29) % 3].T


def pace(network, flat, X, Y, counts=1.0):
    """Returns how fast gradient flow moves the logits, root mean square, (R,), where the parameters that do
    not count stand still.
    """
    tape = Tape(network, flat, X.shape[1], keeps_z=True)
    tape.load(with_ones(X), Y)
    tape.forward()
    tape.cost()
    tape.backward()
    change = None
    for layer in tape.layers:
        change = layer.tangent(tape.gradient * counts, change)
    return np.sqrt(np.mean(change**2, axis=(-2, -1)))


def pace_at_start(init, branches):
    network, X, Y = network_and_data(branches)
    return pace(network, stack_of_starts(network, SEEDS, init), X, Y)


def pace_of_weights(branches, factor):
    """Returns the pace that weights alone make where the last layer is not 0 but as he has it, and weights
    inside the branches are a factor times fixup's.
    """
    network, X, Y = network_and_data(branches)
    flat = stack_of_starts(network, SEEDS, fixup)
    network.blocks(flat)[-1][:] = network.blocks(stack_of_starts(network, SEEDS, he))[-1]
    for branch in network.branches:
        network.blocks(flat)[branch[0]] *= factor
    weights = np.zeros((1, network.trained))
    for block in network.blocks(weights)[1:-1]:
        block[..., :-1] = 1
    return pace(network, flat, X, Y, weights)


def moved_by_steps(init, branches, steps):
    """Returns how far, root mean square, so many steps of gradient descent move the answers, (R,)."""
    network, X, Y = network_and_data(branches)
    flat = stack_of_starts(network, SEEDS, init)
    *_, last = fit_and_measure(network, flat.copy(), X, Y, partial(gd, learning_rate=0.05), iterations=steps)
    moved = predict(network, last.parameters, X) - predict(network, flat, X)
    return np.sqrt(np.mean(moved**2, axis=(-2, -1)))


def test_a_step_changes_the_answers_of_a_fixup_network_as_much_at_any_depth():
    small, middle, large = (pace_at_start(fixup, branches) for branches in (4, 16, 64))
    np.testing.assert_allclose([middle, large], [small, small], rtol=1e-12)


@pytest.mark.parametrize(("steps", "tolerance"), [(1, 1e-12), (20, 0.05)])
def test_so_do_several_steps_when_the_branches_have_begun_to_add(steps, tolerance):
    small, middle, large = (moved_by_steps(fixup, branches, steps) for branches in (4, 16, 64))
    np.testing.assert_allclose([middle, large], [small, small], rtol=tolerance)


def test_the_branches_weights_together_move_the_answers_as_much_at_any_depth_and_more_without_the_factor():
    # Sixteen times the branches; at this width one draw differs from another by a third.
    for factor, grows in ((lambda branches: 1.0, 1), (lambda branches: branches**0.5, 16)):
        small, large = (pace_of_weights(branches, factor(branches)) for branches in (4, 64))
        assert np.all(np.abs(np.log(large / small / grows)) < np.log(1.5))


def test_a_step_changes_the_answers_of_a_he_network_the_more_the_deeper_it_is():
    small, middle, large = (pace_at_start(he, branches) for branches in (4, 16, 64))
    assert np.all(middle > 100 * small)
    assert np.all(large > 1e6 * middle)


def test_a_deep_network_trains_at_a_rate_that_other_starts_do_not_survive():
    network, X, Y = network_and_data(16)
    rates = rate_factors(network, gd, {"learning_rate": 1}, layer_rates="fixup")
    last = {}
    for init in (fixup, initializers.zero_last, he):
        update, flat = partial(gd, learning_rate=0.1 * rates), stack_of_starts(network, SEEDS, init)
        with np.errstate(all="ignore"):
            *_, record = fit_and_measure(network, flat, X, Y, update, iterations=97)
        last[init.__name__] = record.cost
    assert np.all(last["fixup"] < 0.98 * np.log(3))
    assert not np.isfinite(last["zero_last"]).any()
    assert not np.isfinite(last["he"]).any()


@pytest.mark.parametrize(
    "network",
    [
        Network((2, 10, 5, 1), "relu"),
        Network((2, 7, 7, 7, 1), "relu", residual=True),
        Network((2, 7, 7, 7, 1), "relu", branch_depth=2),
        Network((2, 7, 7, 5, 1), "relu", residual=True, branch_depth=2),
    ],
)
def test_fixup_says_what_it_needs(network):
    with pytest.raises(ValueError, match=r"^fixup needs residual branches of two layers or more: "):
        initial_parameters(fixup, network, 3)


def test_a_job_that_cannot_have_a_fixup_start_is_refused_in_a_line(config):
    said = (
        r"^init: fixup needs residual branches of two layers or more: model\.residual=true, "
        r"model\.branch_depth=2 and hidden layers of one width, such as model\.hidden=\[10,10,10\]$"
    )
    with pytest.raises(ConfigError, match=said):
        run([config("init=fixup", "tracking.uri=null", "train.iterations=3")])


def test_what_the_refusal_advises_trains(config):
    common = ("init=fixup", "tracking.uri=null", "train.iterations=31", "diagnostics=full")
    advised = ("model.residual=true", "model.branch_depth=2", "model.hidden=[10,10,10]", "model.scalars=true")
    [done] = run([config(*common, *advised)])
    assert done.history["cost"][0] == pytest.approx(np.log(2), rel=1e-14)
    assert done.history["cost"][-1] < 0.999 * np.log(2)
    assert done.weights["multiplier3"].shape == done.weights["bias_in4_initial"].shape == (1, 1)
    assert done.weights["multiplier3"] != done.weights["multiplier3_initial"] == 1
    assert np.isfinite(done.parameters).all()


@pytest.mark.parametrize("name", ["he", "lsuv", "metainit", "orthogonal", "pytorch_default", "zero_last"])
def test_every_other_start_begins_with_multipliers_of_1_and_biases_of_0(name):
    network, X = network_of("relu", "batch"), np.random.RandomState(3).standard_normal((3, 41))
    options = {"metainit": {"steps": 3}, "orthogonal": {"gain": 1.0}}.get(name, {})
    made = initial_parameters(partial(getattr(initializers, name), **options), network, 3, X=X)
    for scalars in network.scalars_of(made[np.newaxis]):
        assert all(value == (kind == "multiplier") for kind, value in scalars.items())


def test_lsuv_gives_layers_unit_variance_with_scalars_and_branches_of_any_depth():
    X = np.random.RandomState(3).standard_normal((3, 211))
    for depth, sizes in CASES:
        network = network_of(depth=depth, sizes=sizes)
        flat = initial_parameters(lsuv, network, 3, X=X)[np.newaxis]
        tape = Tape(network, flat, 211)
        tape.read(with_ones(X))
        tape.forward()
        own = [np.var(block @ below) for block, below in zip(network.blocks(flat), tape.inputs, strict=True)]
        np.testing.assert_allclose(own, 1, rtol=1e-9)


def test_layers_have_rates_scalars_and_all_and_mups_are_1_for_scalars():
    network = network_of()
    given = rate_factors(network, gd, {"learning_rate": 1}, layer_rates=[2, 3, 5, 7, 11, 13, 17, 19])
    for number, scalars in enumerate(network.scalars_of(given[np.newaxis])):
        assert all(value == (2, 3, 5, 7, 11, 13, 17, 19)[number] for value in scalars.values())
    for rule in (gd, adam):
        made = rate_factors(network, rule, {"learning_rate": 1}, layer_rates="mup")
        assert all(
            value == 1 for scalars in network.scalars_of(made[np.newaxis]) for value in scalars.values()
        )


@pytest.mark.parametrize("rule", [gd, adam])
def test_fixups_rates_are_a_tenth_for_all_but_weights(rule):
    network = network_of(normalization="layer")
    made = named_parameters(network, rate_factors(network, rule, {"learning_rate": 1}, layer_rates="fixup"))
    assert {name: set(values.ravel()) for name, values in made.items()} == {
        name: {1.0 if name.startswith("W") else 0.1} for name in made
    }
    assert {"b8", "gain2", "shift7", "bias_in8", "bias_out1", "multiplier3"} < set(made)


def test_measurements_by_layer_count_the_scalars_in_gradients_and_not_in_weights():
    network = network_of("relu")
    points, (X, Y) = points_of(network), data_of(network)
    step = step_of(network, points, X, Y)
    own = {
        1: ("W", "b", "bias_out"),
        3: ("W", "b", "bias_in", "multiplier", "bias_out"),
        8: ("W", "b", "bias_in"),
    }
    for run_number, (flat, gradient) in enumerate(zip(points, step.gradient, strict=True)):
        named, slopes = named_parameters(network, flat), named_parameters(network, gradient)
        for layer, names in own.items():
            length = np.sqrt(sum(np.sum(slopes[f"{name}{layer}"] ** 2) for name in names))
            assert grad_norm(step)[f"layer{layer}"][run_number] == pytest.approx(length, rel=1e-12)
            weights = np.linalg.norm(named[f"W{layer}"])
            assert weight_norm(step)[f"layer{layer}"][run_number] == pytest.approx(weights, rel=1e-12)


def microscope(config, *overrides):
    config()  # opens the configs
    common = ["model.depth=5", "model.width=31", "model.residual=true", "seeds=7", "tracking.uri=null"]
    return observe(setup_of(compose("propagate", [*common, *overrides])))


def test_the_microscope_says_why_it_has_no_theory_of_branches_that_end_before_the_activation(config):
    seen = microscope(config, "init=fixup", "model.branch_depth=2", "model.scalars=true")
    assert seen.silence == "activations are added to pre-activations, which are then not Gaussian"
    assert np.isnan(seen.predicted.mean_squares).all()
    assert seen.phase is None
    # Where branches add nothing, ReLUs pass on what the first layer made, and all that comes down.
    squares, gradients = seen.measured.mean_squares, seen.measured.gradients
    np.testing.assert_allclose(squares[:, 2], squares[:, 4], rtol=1e-12)
    assert np.all(squares[:, 2] < squares[:, 0])
    np.testing.assert_array_equal(seen.measured.correlations[:, 2], seen.measured.correlations[:, 4])
    assert np.all(gradients[:, 4] > gradients[:, 2])
    np.testing.assert_allclose(gradients[:, 0], gradients[:, 2], rtol=1e-12)


def test_scalars_at_their_start_change_nothing_that_the_theory_says(config):
    plain, scalars = (microscope(config, "init=he", f"model.scalars={flag}") for flag in ("false", "true"))
    np.testing.assert_array_equal(plain.predicted.mean_squares, scalars.predicted.mean_squares)
    np.testing.assert_array_equal(plain.measured.mean_squares, scalars.measured.mean_squares)
    np.testing.assert_array_equal(plain.measured.gradients, scalars.measured.gradients)
    assert np.isfinite(plain.predicted.mean_squares).all()


def test_models_take_them_and_refuse_what_is_none():
    network = deep(3, depth=5, width=7, activation="relu", residual=True, branch_depth=2, scalars=True)
    assert network.branch_depth == 2
    assert network.scalars
    assert mlp(3, hidden=[5, 5], activation="relu") == Network((3, 5, 5, 1), "relu")
    for key, wrong, right in [
        ("branch_depth", 0, "a whole number of at least 1"),
        ("scalars", 1, "true or false"),
    ]:
        node = {"_target_": "initlab.networks.mlp", "hidden": [5], "activation": "relu", key: wrong}
        with pytest.raises(ConfigError, match=rf"^model\.{key}={wrong}: must be {right}$"):
            load_component({"model": node}, "model", ())
