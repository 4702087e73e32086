"""Learning rates of layers."""

from functools import partial

import numpy as np
import pytest
from builders import fit_and_measure, labels_of
from oracles import lone_start, plain_gradient, plain_layers, stack_of_starts
from scipy.stats import kstest, norm

from initlab import initializers
from initlab.errors import ConfigError
from initlab.networks.network import Network
from initlab.networks.tape import passed, with_ones
from initlab.optimizers.layer_rates import rate_factors
from initlab.optimizers.rules import adagrad, adam, adamw, gd, momentum, nesterov, rmsprop
from initlab.runs.identity import identity_of
from initlab.runs.job import build, stack_of
from initlab.runs.summary import describe
from initlab.runs.train import run

RATES = {"learning_rate": 0.1}
SMALL = ("dataset.n_train=31", "dataset.n_test=11", "train.iterations=13", "tracking.uri=null")


def factors(network, rule, layer_rates):
    """Returns the factors of each layer's weights, and of its biases."""
    return [
        (W, b)
        for W, b in plain_layers(rate_factors(network, rule, RATES, layer_rates=layer_rates), network.sizes)
    ]


def test_a_list_gives_every_number_of_a_layer_its_factor():
    network = Network((2, 7, 5, 1), "relu")
    for (W, b), factor in zip(factors(network, gd, [1, 0.25, 3]), (1, 0.25, 3), strict=True):
        assert set(W.ravel()) == set(b.ravel()) == {factor}
    assert rate_factors(network, gd, RATES) is None


def test_a_layers_factor_is_that_of_its_gains_and_shifts_too():
    network = Network((2, 7, 5, 1), "relu", normalization="batch")
    found = rate_factors(network, gd, RATES, layer_rates=[2, 3, 5])
    assert found.shape == (network.trained,)
    assert [np.count_nonzero(found == factor) for factor in (2, 3, 5)] == [7 * 3 + 14, 5 * 8 + 10, 6]


@pytest.mark.parametrize("rule", [gd, momentum, nesterov])
def test_mup_of_rules_that_follow_the_gradient(rule):
    (W1, b1), (W2, b2), (W3, b3) = factors(Network((2, 7, 5, 3), "relu", "softmax"), rule, "mup")
    assert [set(W.ravel().tolist()) for W in (W1, W2, W3)] == [{7}, {1}, {1 / 5}]
    assert [set(b.ravel().tolist()) for b in (b1, b2, b3)] == [{7}, {5}, {3}]


@pytest.mark.parametrize("rule", [adam, adamw, rmsprop, adagrad])
def test_mup_of_rules_that_follow_its_sign(rule):
    (W1, b1), (W2, b2), (W3, b3) = factors(Network((2, 7, 5, 3), "relu", "softmax"), rule, "mup")
    assert [set(W.ravel().tolist()) for W in (W1, W2, W3)] == [{1}, {1 / 7}, {1 / 5}]
    assert [set(b.ravel().tolist()) for b in (b1, b2, b3)] == [{1}, {1}, {1}]


def test_gradient_descent_with_rates_of_layers_by_hand(config):
    job = build(config(*SMALL, "optimizer.layer_rates=[2,0,0.5]"), {})
    trained, sizes = job.initial.copy(), job.network.sizes
    by_hand = np.repeat([2, 0, 0.5], [10 * 3, 5 * 11, 6]) * 0.01
    for _ in range(13):
        trained -= by_hand * plain_gradient(trained, sizes, job.dataset.X_train, job.dataset.Y_train)
    [one] = run([config(*SMALL, "optimizer.layer_rates=[2,0,0.5]")])
    np.testing.assert_allclose(one.parameters, trained, rtol=1e-12)
    (W, b), (W0, b0) = plain_layers(one.parameters, sizes)[1], plain_layers(job.initial, sizes)[1]
    np.testing.assert_array_equal(np.hstack([W, b]), np.hstack([W0, b0]))


@pytest.mark.parametrize(("optimizer", "precision"), [("gd", "float64"), ("adamw", "float32")])
def test_runs_of_other_rates_share_a_stack_and_keep_their_bits(config, optimizer, precision):
    rates = ["null", "[1,1,1]", "[0.3,1,7]", "mup"]
    common = (*SMALL, f"optimizer={optimizer}", f"train.precision={precision}", "schedule=cosine")
    cfgs = [config(*common, f"optimizer.layer_rates={one}", "train.clip=0.5") for one in rates]
    jobs = [build(cfg, {}) for cfg in cfgs]
    assert len({job.stack_key for job in jobs}) == 1
    assert len({identity_of(job) for job in jobs}) == 4
    assert stack_of(jobs).update is not None
    stacked = run(cfgs)
    for cfg, one in zip(cfgs, stacked, strict=True):
        [lone] = run([cfg])
        np.testing.assert_array_equal(lone.parameters, one.parameters, strict=True)
    assert one.parameters.dtype == precision
    np.testing.assert_array_equal(stacked[0].parameters, stacked[1].parameters)
    assert not np.array_equal(stacked[0].parameters, stacked[2].parameters)


def change_after(width, init, rule, layer_rates, steps=5):
    """Returns the mean change of an activation of the last hidden layer, and of an answer."""
    network, seeds = Network((5, width, width, 1), "tanh", "linear"), range(5)
    rng = np.random.RandomState(11)
    X, Y = rng.standard_normal((5, 23)), labels_of(network, rng, 23)
    start = stack_of_starts(network, seeds, init)
    factors = rate_factors(network, rule.func, rule.keywords, layer_rates=layer_rates)
    rate = rule.keywords["learning_rate"] * (1 if factors is None else factors)
    *_, last = fit_and_measure(
        network, start.copy(), X, Y, partial(rule, learning_rate=rate), iterations=steps
    )
    before, after = (passed(network, flat, with_ones(X), Y) for flat in (start, last.parameters))
    return [
        np.mean(np.abs(b - a))
        for a, b in ((before.hidden[-1], after.hidden[-1]), (before.answers, after.answers))
    ]


@pytest.mark.parametrize(
    "rule",
    [
        partial(gd, learning_rate=0.1),
        partial(adam, learning_rate=0.03, beta1=0.9, beta2=0.999, epsilon=1e-12),
    ],
    ids=["gd", "adam"],
)
def test_a_network_in_mup_changes_as_much_at_every_width(rule):
    # The coordinate check of Yang & Hu 2021: without mup the change grows or shrinks with the width.
    mup = partial(initializers.mup, gain=1.0)
    widths = (53, 211)
    narrow, wide = (np.array(change_after(width, mup, rule, "mup")) for width in widths)
    np.testing.assert_allclose(wide, narrow, rtol=0.1)
    usual = (np.array(change_after(width, initializers.lecun_normal, rule, None)) for width in widths)
    first, second = usual
    assert (second > 2 * first).all()


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ("[1,2]", r"\[1, 2\]: must have 3 numbers, one a layer, the output's too"),
        (
            "[1,-1,1]",
            r"\[1, -1, 1\]: must be null, mup, fixup, or a list of numbers of at least 0, one for each",
        ),
        ("[1,1,.inf]", r"\[1, 1, '\.inf'\]: must be null, mup, fixup, or a list"),
        ("muP", "muP: must be null, mup, fixup, or a list of numbers"),
        ("2", "2: must be null, mup, fixup, or a list of numbers"),
        ("[]", r"\[\]: must have 3 numbers"),
    ],
)
def test_rates_that_do_not_fit_are_told_in_one_line(config, rates, words):
    with pytest.raises(ConfigError, match=rf"^optimizer[.:] ?layer_rates={words}"):
        build(config(f"optimizer.layer_rates={rates}"), {})


def test_a_rule_of_a_users_own_may_have_a_list_and_not_mup():
    def jump(parameters, gradient, state, *, learning_rate):
        """Moves."""

    network = Network((2, 7, 1), "relu")
    assert rate_factors(network, jump, RATES, layer_rates=[1, 2]) is not None
    with pytest.raises(ValueError, match=r"^layer_rates=mup: is known of gd, .* not of jump; give a list$"):
        rate_factors(network, jump, RATES, layer_rates="mup")
    with pytest.raises(ValueError, match=r"^layer_rates=\[1, 2\]: jump has no learning_rate$"):
        rate_factors(network, jump, {"speed": 1}, layer_rates=[1, 2])


def test_a_mistyped_setting_is_told_that_there_are_rates_of_layers(config):
    with pytest.raises(
        ConfigError, match=r"^optimizer\.layer_rate: is not a setting; the settings here are layer_rates, le"
    ):
        build(config("+optimizer.layer_rate=[1,1,1]"), {})


def test_a_run_says_its_rates(config):
    for rates, words in (
        ("mup", "as mup has it"),
        ("fixup", "as fixup has it"),
        ("[1,0.5,0.1]", "× 1, 0.5, 0.1"),
    ):
        [one] = run([config(*SMALL, f"optimizer.layer_rates={rates}")])
        assert f"by gd (learning rate 0.01, by layer {words})," in describe(one.job, one.summary)


@pytest.mark.parametrize(("gain", "variance"), [("relu", 2), (1.0, 1), (0.5, 0.25)])
def test_mup_starts_as_kaiming_but_for_its_last_layer(gain, variance):
    network = Network((503, 499, 211, 41), "relu", "softmax")
    layers = plain_layers(lone_start(network, 7, initializers.mup, gain=gain), network.sizes)
    for (W, b), expected in zip(layers, (variance / 503, variance / 499, 1 / 211**2), strict=True):
        assert kstest(W.ravel(), norm(0, expected**0.5).cdf).pvalue > 0.01
        assert not b.any()


def test_mup_of_one_layer_is_that_of_inputs():
    network = Network((503, 1), "relu")
    [(W, _)] = plain_layers(lone_start(network, 7, initializers.mup, gain=1.0), network.sizes)
    assert kstest(W.ravel(), norm(0, 503**-0.5).cdf).pvalue > 0.01
