import math
import re
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from omegaconf import OmegaConf
from oracles import lone_start, plain_layers, stack_of_starts
from scipy.linalg import hadamard as sylvester
from scipy.stats import beta, chisquare, kstest, norm, truncnorm
from scipy.stats import uniform as uniform_law

from initlab import initializers
from initlab.config.options import CONF, options_of, values_of
from initlab.config.targets import load_component
from initlab.errors import ConfigError
from initlab.initializers import initial_parameters
from initlab.networks.network import Network
from initlab.networks.tape import predict

SHAPE = (300, 400)
SMALL = Network((3, 7, 5), "relu")

LAWS = [
    pytest.param(initializers.random, {"scale": 10}, 10, id="random"),
    pytest.param(initializers.small_random, {"scale": 0.01}, 0.01, id="small_random"),
    pytest.param(initializers.normal, {"std": 0.05}, 0.05, id="normal"),
    pytest.param(initializers.xavier, {}, 400**-0.5, id="xavier"),
    pytest.param(initializers.he, {}, 200**-0.5, id="he"),
    pytest.param(initializers.lecun_normal, {}, 400**-0.5, id="lecun_normal"),
    pytest.param(initializers.glorot_normal, {}, 350**-0.5, id="glorot_normal"),
    pytest.param(initializers.glorot_normal, {"gain": 1.7}, 1.7 * 350**-0.5, id="glorot_normal, gain"),
]


def flat_law(low, high):
    return uniform_law(low, high - low)


def cut_law(std):
    """Returns the law of a normal that is cut at ±2 of its standard deviations and has this one after it."""
    return truncnorm(-2, 2, scale=std / 0.8796256610342398)


VARIANCE = {"scale": 3.1}
KAIMING = {"mode": "fan_out", "gain": "relu"}
OTHER_LAWS = [
    pytest.param(initializers.uniform, {"low": -0.3, "high": 0.7}, flat_law(-0.3, 0.7), id="uniform"),
    pytest.param(initializers.truncated_normal, {"std": 0.05}, truncnorm(-2, 2, scale=0.05), id="truncated"),
    pytest.param(
        initializers.he_uniform, {}, flat_law(-((6 / 400) ** 0.5), (6 / 400) ** 0.5), id="he_uniform"
    ),
    pytest.param(initializers.he_truncated, {}, cut_law((2 / 400) ** 0.5), id="he_truncated"),
    pytest.param(
        initializers.glorot_uniform, {}, flat_law(-((6 / 700) ** 0.5), (6 / 700) ** 0.5), id="glorot_uniform"
    ),
    pytest.param(
        initializers.glorot_uniform,
        {"gain": "leaky_relu"},
        flat_law(-((12 / 1.0001 / 700) ** 0.5), (12 / 1.0001 / 700) ** 0.5),
        id="glorot_uniform, gain of leaky_relu",
    ),
    pytest.param(initializers.glorot_truncated, {}, cut_law((2 / 700) ** 0.5), id="glorot_truncated"),
    pytest.param(
        initializers.lecun_uniform, {}, flat_law(-((3 / 400) ** 0.5), (3 / 400) ** 0.5), id="lecun_uniform"
    ),
    pytest.param(initializers.lecun_truncated, {}, cut_law(400**-0.5), id="lecun_truncated"),
    pytest.param(
        initializers.kaiming, {**KAIMING, "distribution": "normal"}, norm(0, (2 / 300) ** 0.5), id="kaiming"
    ),
    *(
        pytest.param(
            initializers.variance_scaling,
            {**VARIANCE, "mode": mode, "distribution": distribution},
            law,
            id=f"variance_scaling, {mode}, {distribution}",
        )
        for mode, n in (("fan_in", 400), ("fan_out", 300), ("fan_avg", 350))
        for distribution, law in (
            ("normal", norm(0, (3.1 / n) ** 0.5)),
            ("uniform", flat_law(-((9.3 / n) ** 0.5), (9.3 / n) ** 0.5)),
            ("truncated_normal", cut_law((3.1 / n) ** 0.5)),
        )
    ),
]


def drawn(init, seed, shape=SHAPE, **options):
    return init(np.random.RandomState(seed), shape, **options)


@pytest.mark.parametrize(("init", "options", "std"), LAWS)
def test_weights_follow_their_exact_law(init, options, std):
    weights = drawn(init, 11, **options)
    assert kstest(weights.ravel(), norm(scale=std).cdf).pvalue > 0.01
    assert np.std(weights) == pytest.approx(std, rel=0.01)
    assert abs(np.mean(weights)) < 4 * std / np.sqrt(weights.size)


@pytest.mark.parametrize(("init", "options", "std"), LAWS)
def test_a_seed_gives_every_start_the_same_underlying_draws(init, options, std):
    normals = np.random.RandomState(13).randn(*SHAPE)
    np.testing.assert_allclose(drawn(init, 13, **options), normals * std, rtol=5e-16)


def test_a_run_draws_its_layers_one_after_another_from_one_stream():
    flat = initial_parameters(initializers.he, SMALL, seed=17)
    normals = np.random.RandomState(17).randn(7 * 3 + 5 * 7)
    (first, _), (second, _) = plain_layers(flat, (3, 7, 5))
    np.testing.assert_allclose(first.ravel(), normals[:21] * np.sqrt(2 / 3), rtol=5e-16)
    np.testing.assert_allclose(second.ravel(), normals[21:] * np.sqrt(2 / 7), rtol=5e-16)


@pytest.mark.parametrize(("init", "options", "std"), LAWS)
def test_biases_start_at_0(init, options, std):
    flat = initial_parameters(partial(init, **options), SMALL, seed=17)
    assert flat.shape == (7 * 4 + 5 * 8,)
    assert flat.dtype == np.float64
    assert all(np.all(b == 0) and np.all(W != 0) for W, b in plain_layers(flat, (3, 7, 5)))


def test_he_is_xavier_times_the_square_root_of_2():
    he, xavier = drawn(initializers.he, 19), drawn(initializers.xavier, 19)
    np.testing.assert_allclose(he, xavier * np.sqrt(2), rtol=5e-16)


def test_the_first_he_layer_of_seed_3_is_the_notebooks():
    weights = drawn(initializers.he, 3, (10, 2))
    np.testing.assert_array_equal(weights, np.random.RandomState(3).randn(10, 2) * np.sqrt(2 / 2))


def test_zeros_are_exactly_0_and_draw_nothing():
    rng = np.random.RandomState(23)
    np.testing.assert_array_equal(initializers.zeros(rng, (5, 3)), np.zeros((5, 3)), strict=True)
    assert rng.randn() == np.random.RandomState(23).randn()


@pytest.mark.parametrize("value", [0.1, -2.5, 1])
def test_a_constant_is_exact_and_draws_nothing(value):
    rng = np.random.RandomState(29)
    weights = initializers.constant(rng, (5, 3), value=value)
    np.testing.assert_array_equal(weights, [[float(value)] * 3] * 5, strict=True)
    assert weights.dtype == np.float64
    assert rng.randn() == np.random.RandomState(29).randn()


def test_a_scale_of_0_gives_zeros():
    assert not np.any(drawn(initializers.random, 31, (7, 5), scale=0))


def test_he_keeps_the_second_moment_through_relu_layers():
    # Its mean is 1 and its variance prod_k (1 + 5 / n_k) − 1 (REFERENCE 3.1), for any input.
    runs, network = 4001, Network((3, 10, 5, 1), "relu")
    x = np.array([[0.3], [-1.7], [0.9]])
    first, second = [], []
    for seed in range(runs):
        (W1, _), (W2, _), _ = plain_layers(lone_start(network, seed), network.sizes)
        a1 = np.maximum(W1 @ x, 0)
        first.append(np.sum(a1**2) / 10)
        second.append(np.sum(np.maximum(W2 @ a1, 0) ** 2) / 5)
    for ratio, variance in ((first, 0.5), (second, 2.0)):
        ratio = np.array(ratio) / np.mean(x**2)
        assert np.mean(ratio) == pytest.approx(1, abs=3 * np.sqrt(variance / runs))
        assert np.var(ratio) == pytest.approx(variance, rel=0.15)


@pytest.mark.parametrize(("init", "options", "law"), OTHER_LAWS)
def test_weights_follow_the_law_of_their_distribution_and_of_their_fan(init, options, law):
    weights = drawn(init, 11, **options)
    assert kstest(weights.ravel(), law.cdf).pvalue > 0.01
    assert np.std(weights) == pytest.approx(law.std(), rel=0.01)
    low, high = law.support()
    assert low <= weights.min() < weights.max() <= high


@pytest.mark.parametrize(("init", "options", "law"), OTHER_LAWS)
def test_other_distributions_carry_the_same_normals_in_the_same_order(init, options, law):
    normals = np.random.RandomState(13).randn(*SHAPE).ravel()
    weights = drawn(init, 13, **options).ravel()
    np.testing.assert_allclose(weights, law.ppf(norm.cdf(normals)), rtol=0, atol=1e-9 * law.std())


def test_a_normal_cut_at_2_has_0_8796_of_its_width():
    weights = drawn(initializers.truncated_normal, 17, (1009, 1013), std=3)
    assert np.std(weights) == pytest.approx(3 * 0.8796256610, rel=0.002)
    assert np.abs(weights).max() <= 6


def test_the_variance_of_pytorchs_start_is_a_third_of_1_over_n():
    weights = drawn(initializers.pytorch_default, 19, (1009, 1013))[:, :-1]
    assert 1013 * np.var(weights) == pytest.approx(1 / 3, rel=0.003)


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (7, 7)])
def test_a_start_that_brings_biases_returns_them_as_the_last_column(shape):
    assert drawn(initializers.pytorch_default, 3, shape).shape == (shape[0], shape[1] + 1)
    assert drawn(initializers.mean_field, 3, shape, sigma_w=1, sigma_b=1).shape == (shape[0], shape[1] + 1)


def test_pytorchs_start_has_weights_and_biases_of_one_law():
    drawn_ = drawn(initializers.pytorch_default, 23, (20011, 7))
    law = flat_law(-(7**-0.5), 7**-0.5)
    assert kstest(drawn_[:, :-1].ravel(), law.cdf).pvalue > 0.01
    assert kstest(drawn_[:, -1], law.cdf).pvalue > 0.01


def test_a_mean_field_start_has_both_its_variances():
    drawn_ = drawn(initializers.mean_field, 29, (20011, 7), sigma_w=1.7, sigma_b=0.3)
    assert kstest(drawn_[:, :-1].ravel(), norm(0, 1.7 / 7**0.5).cdf).pvalue > 0.01
    assert kstest(drawn_[:, -1], norm(0, 0.3).cdf).pvalue > 0.01
    assert abs(np.corrcoef(drawn_[:, 0], drawn_[:, -1])[0, 1]) < 4 * 20011**-0.5


def test_in_every_unit_of_rai_one_number_of_an_even_place_is_of_beta_and_the_others_are_normal():
    units, fan_in = 20011, 7
    drawn_ = drawn(initializers.rai, 31, (units, fan_in))
    normals = np.random.RandomState(31).standard_normal((units, fan_in)) * 0.6007 / 7**0.5
    changed = ~np.isclose(drawn_[:, :-1], normals, rtol=1e-12, atol=0)
    assert set(changed.sum(axis=1)) == {0, 1}
    of_bias = ~changed.any(axis=1)
    places = [*changed.sum(axis=0), of_bias.sum()]
    assert chisquare(places).pvalue > 0.01
    asymmetric = np.concatenate([drawn_[:, :-1][changed], drawn_[of_bias, -1]])
    assert kstest(asymmetric, beta(2, 1).cdf).pvalue > 0.01
    other_biases = drawn_[~of_bias, -1]
    assert kstest(other_biases, norm(0, 0.6007 / 7**0.5).cdf).pvalue > 0.01
    assert abs(np.corrcoef(drawn_[~of_bias, 0], other_biases)[0, 1]) < 4 * len(other_biases) ** -0.5


def test_rai_is_born_dead_as_rarely_as_its_paper_says_and_he_as_often():
    # Lu et al. 2019: 10 hidden layers of 2 units collapse in 91.9 to 93.8 % of he's runs and 29.2 to 32.6 %
    # of rai's; of those most are constant from the start.
    network, X = Network((1, *[2] * 10, 1), "relu", "linear"), np.linspace(-(3**0.5), 3**0.5, 31)[np.newaxis]
    shares = []
    for init in (initializers.he, initializers.rai):
        answers = predict(network, stack_of_starts(network, range(307), init), X)
        shares.append(np.mean(np.ptp(answers, axis=(-2, -1)) < 1e-12))
    he, rai = shares
    assert he == pytest.approx(0.91, abs=0.05)
    assert rai == pytest.approx(0.28, abs=0.08)


@pytest.mark.parametrize(
    ("init", "options"),
    [
        (initializers.mean_field, {"sigma_w": 2**0.5, "sigma_b": 1}),
        (initializers.sparse, {"connections": 15}),
    ],
)
def test_what_is_drawn_aside_leaves_all_layers_their_normals(init, options):
    flat = lone_start(SMALL, 31, init, **options)
    scales = [1, 1] if init is initializers.sparse else [np.sqrt(2 / 3), np.sqrt(2 / 7)]
    normals = np.random.RandomState(31).randn(7 * 3 + 5 * 7)
    (first, b1), (second, b2) = plain_layers(flat, SMALL.sizes)
    np.testing.assert_allclose(first.ravel(), normals[:21] * scales[0], rtol=1e-15)
    np.testing.assert_allclose(second.ravel(), normals[21:] * scales[1], rtol=1e-15)
    assert len(set(np.concatenate([b1, b2])[:, 0])) == (1 if init is initializers.sparse else 12)


@pytest.mark.parametrize("shape", [(101, 101), (101, 61), (61, 101), (1, 7), (7, 1)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_orthogonal_weights_have_orthogonal_rows_or_columns_of_their_gain(shape, gain):
    W = drawn(initializers.orthogonal, 37, shape, gain=gain)
    product = W @ W.T if shape[0] <= shape[1] else W.T @ W
    np.testing.assert_allclose(product, gain**2 * np.eye(min(shape)), rtol=0, atol=1e-12)


def test_orthogonal_weights_are_uniform_over_all_rotations():
    # A component of a uniform direction in three dimensions is uniform between −1 and 1 (Archimedes).
    rng = np.random.RandomState(41)
    matrices = np.array([initializers.orthogonal(rng, (3, 3)) for _ in range(4001)])
    for row, column in ((0, 0), (1, 2), (2, 2)):
        assert kstest(matrices[:, row, column], flat_law(-1, 1).cdf).pvalue > 0.01
    assert abs(np.mean(np.linalg.det(matrices))) < 4 * 4001**-0.5


def test_the_gain_of_relu_is_the_square_root_of_2():
    by_name = drawn(initializers.orthogonal, 43, (7, 5), gain="relu")
    np.testing.assert_allclose(by_name, np.sqrt(2) * drawn(initializers.orthogonal, 43, (7, 5)), rtol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (5, 3)])
def test_an_identity_is_cut_to_its_shape(shape):
    W = drawn(initializers.identity, 47, shape, gain=1.5)
    assert W.shape == shape
    assert all(W[i, j] == (1.5 if i == j else 0) for i in range(shape[0]) for j in range(shape[1]))


def test_a_stack_of_identities_scales_a_signal_by_the_power_of_their_gain():
    network = Network((5,) * 12, "linear")
    x = np.array([1.0, -2, 3, -4, 5])
    for W, _ in plain_layers(lone_start(network, 1, initializers.identity, gain=0.5), network.sizes):
        x = W @ x
    np.testing.assert_array_equal(x, np.array([1.0, -2, 3, -4, 5]) * 0.5**11)


@pytest.mark.parametrize(("fan_in", "count"), [(101, 15), (15, 15), (7, 7)])
def test_a_sparse_unit_has_its_number_of_connections_or_all_of_a_narrower_layer(fan_in, count):
    W = drawn(initializers.sparse, 53, (211, fan_in), connections=15)
    np.testing.assert_array_equal(np.count_nonzero(W, axis=1), count)


def test_sparse_weights_are_normal_and_stand_anywhere():
    W = drawn(initializers.sparse, 59, (4001, 53), connections=15, std=0.7)
    assert kstest(W[W != 0], norm(0, 0.7).cdf).pvalue > 0.01
    share = np.count_nonzero(W, axis=0) / 4001
    np.testing.assert_allclose(share, 15 / 53, atol=4.5 * np.sqrt(15 / 53 * 38 / 53 / 4001))


def zero_by_hand(fan_out, fan_in):
    """Follows algorithm 1 of Zhao et al. 2022 with SciPy's matrix."""
    if fan_out <= fan_in:
        return np.eye(fan_out, fan_in)
    m = math.ceil(math.log2(fan_out))
    c = 2 ** (-(m - 1) / 2)
    return c * np.eye(fan_out, 2**m) @ sylvester(2**m) @ np.eye(2**m, fan_in)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (2, 1), (8, 4), (8, 7), (9, 8), (129, 2)])
def test_zero_is_its_papers_algorithm(shape):
    np.testing.assert_allclose(drawn(initializers.hadamard, 61, shape), zero_by_hand(*shape), rtol=1e-15)


@pytest.mark.parametrize(("shape", "scale"), [((8, 4), 2), ((64, 3), 2), ((2, 1), 2)])
def test_zero_widens_to_a_power_of_2_without_bending(shape, scale):
    W = drawn(initializers.hadamard, 67, shape)
    np.testing.assert_allclose(W.T @ W, scale * np.eye(shape[1]), rtol=0, atol=1e-14)


def test_ones_are_exactly_1():
    np.testing.assert_array_equal(drawn(initializers.ones, 71, (5, 3)), np.ones((5, 3)), strict=True)


@pytest.mark.parametrize("name", ["zeros", "ones", "constant", "identity", "hadamard"])
def test_a_start_without_chance_draws_nothing(name):
    rng = np.random.RandomState(73)
    getattr(initializers, name)(rng, (5, 3), **({"value": 2} if name == "constant" else {}))
    assert rng.randn() == np.random.RandomState(73).randn()


@pytest.mark.parametrize("shape", [(3, 7), (7, 5), (7,), (7, 3, 1)])
def test_weights_of_a_wrong_shape_are_told_in_one_line(shape):
    def spiral(rng, _):
        return np.zeros(shape)

    with pytest.raises(
        ValueError, match=r"^spiral returned an array of shape .*; it must be \(7, 3\) or \(7, 4\)$"
    ):
        initial_parameters(spiral, SMALL, seed=1)


def test_a_start_of_a_users_own_may_return_whole_numbers_and_keeps_its_array():
    kept = np.arange(21).reshape(7, 3)
    flat = initial_parameters(lambda rng, shape: kept if shape == (7, 3) else np.ones(shape), SMALL, seed=1)
    assert flat.dtype == np.float64
    np.testing.assert_array_equal(plain_layers(flat, SMALL.sizes)[0][0], kept)


def test_an_interval_that_is_upside_down_is_refused():
    with pytest.raises(ValueError, match=r"^low=0\.5: must be at most high, which is -0\.5$"):
        drawn(initializers.uniform, 1, low=0.5, high=-0.5)


@pytest.mark.parametrize("gain", [0, -1.0, "rely", True, None, math.inf, [1]])
def test_a_gain_must_be_positive_or_an_activation(gain):
    node = {"_target_": "initlab.initializers.orthogonal", "gain": gain}
    with pytest.raises(
        ConfigError, match=r"^init\.gain=.*: must be a finite number greater than 0, or an act"
    ):
        load_component({"init": node}, "init", [])


@pytest.mark.parametrize(
    ("name", "theirs", "options"),
    [
        ("glorot_uniform", "xavier_uniform_", {"gain": 1.3}),
        ("glorot_normal", "xavier_normal_", {"gain": 1.3}),
        ("he_uniform", "kaiming_uniform_", {}),
        ("he", "kaiming_normal_", {}),
        ("orthogonal", "orthogonal_", {"gain": 1.3}),
        ("identity", "eye_", {}),
        ("pytorch_default", None, {}),
    ],
)
def test_the_law_is_that_of_pytorchs_counterpart(name, theirs, options):
    torch = pytest.importorskip("torch")
    torch.manual_seed(79)
    layer = torch.nn.Linear(400, 300, dtype=torch.float64)
    if theirs:
        more = {"nonlinearity": "relu"} if "kaiming" in theirs else options
        getattr(torch.nn.init, theirs)(layer.weight, **more)
    ours = drawn(getattr(initializers, name), 83, **options)[:, :400]
    weights = layer.weight.detach().numpy()
    assert np.std(ours) == pytest.approx(np.std(weights), rel=0.01)
    assert kstest(ours.ravel(), weights.ravel()).pvalue > 0.01


EQUAL = [("he", "mean_field", 0), ("he", "kaiming", 1e-15), ("xavier", "lecun_normal", 0),
         ("lecun_truncated", "variance_scaling", 0)]  # fmt: skip


def test_starts_that_are_said_to_be_equal_are_and_the_gallery_shows_each_law_once():
    network, X = Network((2, 10, 5, 1), "relu"), np.random.RandomState(5).standard_normal((2, 97))
    quick = {"metainit": {"steps": 3}}

    def started(name):
        node = values_of("init", name) | quick.get(name, {})
        return initial_parameters(load_component({"init": node}, "init", ()), network, 3, X=X)

    for one, other, tolerance in EQUAL:
        np.testing.assert_allclose(started(one), started(other), rtol=tolerance, atol=0)
        assert other in initializers.__doc__
    study = OmegaConf.load(str(CONF / "experiment" / "gallery.yaml")).hydra.sweeper.params.init
    left_out = re.search(r"exclude=\[(.*)\]", study)[1].split(", ")
    assert set(left_out) == {other for _, other, _ in EQUAL} | {"fixup"}  # of residual networks alone
    shown = {name: started(name) for name in options_of("init") if name not in left_out}
    for one, other in combinations(shown, 2):
        assert not np.allclose(shown[one], shown[other], rtol=1e-9, atol=0), (one, other)
