"""Every verdict is made to happen by a real run, and another real run must not get it."""

from functools import cache

import numpy as np
import pytest
from conftest import runs_of
from hydra import compose, initialize_config_module

from initlab.diagnosis import VERDICTS, diagnose, still_improving, trained_well
from initlab.evidence import Evidence, baseline, layers_at
from initlab.experiment import run
from initlab.network import Network
from initlab.results import diagnosis_tags

FAST = ("train.iterations=400", "optimizer=adam", "optimizer.learning_rate=0.02")
GOOD = ("init=he", "dataset=moons", "model.hidden=[20,10]", *FAST)
DEEP = ("model=deep", "model.depth=12", "model.width=17", "train.iterations=20")
FADING = ("init=small_random", *DEEP)
BLOBS = (
    "dataset=blobs",
    "dataset.noise=1.5",
    "train.iterations=2000",
    "model.hidden=[]",
    "optimizer.learning_rate=1",
)

CASES = {
    "diverged": (("optimizer.learning_rate=1e200", "train.iterations=20"), GOOD),
    "trained well": (GOOD, ("init=zeros", *GOOD[1:])),
    "symmetry never broken": (("init=constant", *GOOD[1:]), GOOD),
    "saturated start": (("init=random", "train.iterations=20"), GOOD),
    "vanishing gradients": (FADING, ("init=he", *DEEP)),
    "exploding gradients": (("init=random", *DEEP), ("init=he", *DEEP)),
    "dead units": (("bias=constant", "bias.value=-20", *GOOD), (*GOOD, "model.activation=tanh")),
    "no better than the larger class": (("init=zeros", *GOOD[1:]), GOOD),
    "no better than the mean": (
        ("dataset=diabetes", "init=zeros", "train.iterations=50"),
        ("dataset=diabetes", *FAST),
    ),
    "learned by heart": (("dataset=diabetes", "model.hidden=[50,50]", *FAST), GOOD),
    "learned in part": (("init=he", "train.iterations=3000"), GOOD),
    "still improving": (("init=he", "train.iterations=5000"), BLOBS),
}  # fmt: skip


@cache
def result_of(*overrides):
    with initialize_config_module("initlab.conf", version_base="1.3"):
        cfg = compose("config", overrides=["tracking.uri=null", *overrides])
    [result] = run([cfg])
    return result


def verdicts_of(overrides):
    return dict(result_of(*overrides).diagnosis)


def test_every_verdict_has_a_run_that_gets_it_and_one_that_must_not():
    assert set(CASES) == {verdict.__name__.replace("_", " ") for verdict in VERDICTS}


@pytest.mark.parametrize("verdict", CASES)
def test_a_run_gets_the_verdict_it_deserves(verdict):
    assert verdict in verdicts_of(CASES[verdict][0])


@pytest.mark.parametrize("verdict", CASES)
def test_a_run_that_does_not_deserve_a_verdict_does_not_get_it(verdict):
    found = verdicts_of(CASES[verdict][1])
    assert found
    assert verdict not in found


def test_with_zeros_and_relu_not_even_a_weight_moves():
    result = result_of("init=zeros", *GOOD[1:])
    assert "not one has moved" in dict(result.diagnosis)["symmetry never broken"]
    for name in ("W1", "W2", "W3"):
        np.testing.assert_array_equal(result.parameters[name], result.parameters[f"{name}_initial"])


def test_with_a_constant_start_the_units_move_together():
    result = result_of("init=constant", *GOOD[1:])
    assert "moved together" in dict(result.diagnosis)["symmetry never broken"]
    assert np.any(result.parameters["W1"] != result.parameters["W1_initial"])
    assert np.ptp(result.parameters["W1"], axis=0) == pytest.approx(0, abs=1e-9)


def test_a_layer_of_one_unit_is_not_symmetric():
    assert "symmetry never broken" not in verdicts_of(("model.hidden=[1]", "train.iterations=20"))


def test_the_iteration_of_divergence_and_a_smaller_rate_are_named():
    sentence = verdicts_of(CASES["diverged"][0])["diverged"]
    assert f"iteration {result_of(*CASES['diverged'][0]).diverged_at:,}" in sentence
    assert "learning rate of 1e+199" in sentence


def test_a_saturated_hidden_layer_is_named():
    found = verdicts_of(("init=random", "model.activation=tanh", "dataset=digits", "train.iterations=20"))
    assert "in layer 1 were near 0" in found["saturated start"]


def test_vanishing_and_exploding_gradients_name_their_layers():
    assert "In the layers up to 11 of 12" in verdicts_of(FADING)["vanishing gradients"]
    exploding = verdicts_of(CASES["exploding gradients"][0])["exploding gradients"]
    assert "In the layers up to 10 of 12" in exploding


def test_units_that_died_on_the_way_are_told_from_those_dead_at_the_start():
    assert "100% of them were so from the start" in verdicts_of(CASES["dead units"][0])["dead units"]


def test_the_larger_class_is_measured_not_assumed():
    sentence = verdicts_of(("dataset=breast_cancer", "init=zeros", "train.iterations=20"))
    assert "(62.8%)" in sentence["no better than the larger class"]  # 357 of its 569 are benign


@pytest.mark.parametrize(("output_name", "Y", "expected"), [
    ("sigmoid", [[1, 0, 0, 0, 0]], 0.8),
    ("sigmoid", [[1, 0, 1, 1, 1]], 0.8),
    ("softmax", [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0]], 0.4),
    ("linear", [[0.3, -2, 5]], 0),
])  # fmt: skip
def test_the_baseline_is_the_best_single_answer(output_name, Y, expected):
    assert baseline(Network((2, 3, len(Y)), "relu", output_name), np.array(Y, float)) == expected


def evidence(**changes):
    given = {
        "network": Network((2, 7, 5, 1), "relu"), "examples": 100, "costs": np.full(100, 0.5), "final_cost": 0.5,
        "diverged_at": None, "score": 0.97, "test_score": 0.96, "baseline": 0.5, "learning_rate": 0.1,
        "at_start": {"distinct_units/layer1": 7.0, "distinct_units/layer2": 5.0},
        "at_end": {"distinct_units/layer1": 7.0, "distinct_units/layer2": 5.0}, "moved": [1.0, 1.0, 1.0],
    }  # fmt: skip
    return Evidence(**{**given, **changes})


def test_trained_well_needs_both_parts_and_more_than_the_larger_class():
    assert trained_well(evidence())
    assert trained_well(evidence(score=0.949)) is None
    assert trained_well(evidence(test_score=0.86)) is None
    assert trained_well(evidence(baseline=0.96)) is None


def test_a_cost_that_jumps_between_mini_batches_but_does_not_fall_is_not_still_improving():
    noise = np.random.RandomState(3).rand(1000)
    assert still_improving(evidence(costs=0.5 + 0.2 * noise)) is None
    assert still_improving(evidence(costs=np.geomspace(5, 0.05, 1000) * (1 + 0.1 * noise)))
    assert still_improving(evidence(costs=np.geomspace(5, 0.005, 1000))) is None  # nothing left to win


def test_what_is_luck_depends_on_the_number_of_examples():
    few, many = evidence(score=0.55, examples=100), evidence(score=0.55, examples=10_000)
    assert "no better than the larger class" in dict(diagnose(few))
    assert "learned in part" in dict(diagnose(many))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_do_no_harm(number):
    hidden = ("dead_units", "distinct_units", "saturation", "preactivation_gradient")
    layers = {f"{name}/layer{n}": number for name in hidden for n in (1, 2)}
    found = diagnose(
        evidence(diverged_at=3, final_cost=None, score=None, test_score=None, at_start=layers, at_end=layers)
    )
    assert found[0].name == "diverged"


def test_layers_are_measured_run_by_run():
    network, rng = Network((3, 7, 5, 1), "relu"), np.random.RandomState(5)
    flat, X = rng.randn(3, network.offsets[-1]), rng.randn(3, 31)
    Y = rng.randint(2, size=(1, 31)).astype(np.float64)
    together = layers_at(network, flat, X, Y)
    assert together == [layers_at(network, flat[run : run + 1], X, Y)[0] for run in range(3)]


def test_a_tracked_run_is_tagged_and_described_by_its_diagnosis(config, folder, client):
    tracking = ("tracking.uri=sqlite:///mlruns/mlflow.db", "plots.frames=0")
    [result] = run([config("init=zeros", "train.iterations=20", *tracking)], folder=folder)
    [tracked_run] = runs_of(client)
    tags = tracked_run.data.tags
    assert tags["diagnosis"] == "symmetry never broken, no better than the larger class"
    assert diagnosis_tags(result).items() <= tags.items()
    for name, sentence in result.diagnosis:
        assert tags[f"diagnosis.{name.replace(' ', '_')}"] == sentence
        assert sentence in tags["mlflow.note.content"]
