"""Every verdict is made to happen by a real run, and another real run must not get it."""

from functools import cache

import numpy as np
import pytest
from conftest import runs_of
from hydra import compose, initialize_config_module
from scipy.stats import entropy

from initlab.networks.network import Network
from initlab.networks.outputs import OUTPUTS
from initlab.runs.train import run
from initlab.verdicts import VERDICTS, diagnose
from initlab.verdicts.evidence import Evidence, layers_at
from initlab.verdicts.learning import still_improving, trained_well

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
    "large start": (
        ("dataset=diabetes", "init=random", "optimizer.learning_rate=1e-9", "train.iterations=20"),
        ("dataset=diabetes", *FAST),
    ),
    "vanishing gradients": (FADING, ("init=he", *DEEP)),
    "exploding gradients": (("init=random", *DEEP), ("init=he", *DEEP)),
    "dead units": (("bias=constant", "bias.value=-20", *GOOD), (*GOOD, "model.activation=tanh")),
    "no better than the larger class": (("init=zeros", *GOOD[1:]), GOOD),
    "no better than the mean": (
        ("dataset=diabetes", "init=zeros", "train.iterations=50"),
        ("dataset=diabetes", *FAST),
    ),
    "cost hardly fell": (("init=he", "optimizer.learning_rate=1e-6", "train.iterations=50"), GOOD),
    "overfitted": (("dataset=diabetes", "model.hidden=[50,50]", *FAST), GOOD),
    "underfitted": (("init=he", "train.iterations=3000"), GOOD),
    "still improving": (("init=he", "train.iterations=5000"), BLOBS),
}  # fmt: skip


@cache
def result_of(*overrides):
    with initialize_config_module("initlab.conf", version_base="1.3"):
        cfg = compose("config", overrides=["tracking.uri=null", *overrides])
    [result] = run([cfg])
    return result


def verdicts_of(overrides):
    return dict(result_of(*overrides).summary.diagnosis)


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
    assert "not one has moved" in dict(result.summary.diagnosis)["symmetry never broken"]
    for name in ("W1", "W2", "W3"):
        np.testing.assert_array_equal(result.weights[name], result.weights[f"{name}_initial"])


def test_with_a_constant_start_the_units_move_together():
    result = result_of("init=constant", *GOOD[1:])
    assert "moved together" in dict(result.summary.diagnosis)["symmetry never broken"]
    assert np.any(result.weights["W1"] != result.weights["W1_initial"])
    assert np.ptp(result.weights["W1"], axis=0) == pytest.approx(0, abs=1e-9)


def test_a_layer_of_one_unit_is_not_symmetric():
    assert "symmetry never broken" not in verdicts_of(("model.hidden=[1]", "train.iterations=20"))


def test_the_iteration_of_divergence_and_a_smaller_rate_are_named():
    sentence = verdicts_of(CASES["diverged"][0])["diverged"]
    assert f"iteration {result_of(*CASES['diverged'][0]).summary.diverged_at:,}" in sentence
    assert "learning rate of 1e+199" in sentence


def test_a_saturated_hidden_layer_is_named():
    found = verdicts_of(("init=random", "model.activation=tanh", "dataset=digits", "train.iterations=20"))
    assert "in layer 1 were near 0" in found["saturated start"]


def test_vanishing_and_exploding_gradients_name_their_layers():
    assert "In the layers 1 to 11 of 12" in verdicts_of(FADING)["vanishing gradients"]
    exploding = verdicts_of(CASES["exploding gradients"][0])["exploding gradients"]
    assert "In the layers 1 to 10 of 12" in exploding


def test_units_that_died_on_the_way_are_told_from_those_dead_at_the_start():
    assert "100% were so from the start" in verdicts_of(CASES["dead units"][0])["dead units"]
    found = verdicts_of(("init=he", "train.iterations=2000", "optimizer.learning_rate=0.05"))
    assert "60% of the units are 0 for every training example; at the start it was 20%" in found["dead units"]


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
    assert OUTPUTS[output_name].best_constant(np.array(Y, float))[0] == expected


def evidence(**changes):
    units = {"distinct_units/layer1": 7.0, "distinct_units/layer2": 5.0}
    given = {
        "network": Network((2, 7, 5, 1), "relu"), "examples": 100, "costs": np.full(100, 0.5),
        "final_cost": 0.5, "diverged_at": None, "score": 0.97, "test_score": 0.96, "baseline": 0.5,
        "baseline_cost": 0.69, "learning_rate": 0.1, "at_start": units, "at_end": units, "moved": [1.0] * 3,
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
    assert "may be luck on 100 examples" in dict(diagnose(few))["no better than the larger class"]
    assert "underfitted" in dict(diagnose(many))


@pytest.mark.parametrize(("examples", "baseline_score"), [(4, 0.5), (40, 0.9), (1000, 0.996)])
def test_to_make_no_mistake_is_never_luck(examples, baseline_score):
    perfect = evidence(score=1.0, test_score=1.0, final_cost=0.01, examples=examples, baseline=baseline_score)
    assert "trained well" in dict(diagnose(perfect))


def test_a_good_score_at_a_cost_above_one_answer_for_all_is_too_sure_of_its_mistakes():
    found = dict(diagnose(evidence(score=0.97, final_cost=11.0)))
    assert "trained well" not in found
    assert "very sure where it is wrong" in found["underfitted"]


def test_a_regression_worse_than_the_mean_is_called_so():
    worse = evidence(
        network=Network((2, 7, 5, 1), "relu", "linear"), score=-21.0, test_score=-20.0, baseline=0
    )
    assert "worse than answering the mean" in dict(diagnose(worse))["no better than the mean"]


def test_a_first_cost_that_is_not_finite_blames_the_start_and_not_the_steps():
    found = verdicts_of(("init=random", "init.scale=1e200", "train.iterations=20"))
    assert "before any step was made" in found["diverged"]
    assert "learning rate" not in found["diverged"]
    assert "saturated start" not in found


def test_advice_does_not_contradict_itself():
    heart = verdicts_of(CASES["overfitted"][0])
    assert "still improving" not in heart
    falling = np.geomspace(5, 0.02, 100)
    perfect = evidence(score=1.0, test_score=1.0, costs=falling, final_cost=0.02)
    assert [name for name, _ in diagnose(perfect)] == ["trained well"]


def test_only_the_layers_concerned_are_named():
    sizes = {f"preactivation_gradient/layer{n}": size for n, size in enumerate((1.0, 1e-5, 1.0), start=1)}
    units = {"distinct_units/layer1": 7.0, "distinct_units/layer2": 5.0}
    found = dict(diagnose(evidence(at_start={**units, **sizes})))
    assert "In layer 2 of 2 the gradient was less" in found["vanishing gradients"]


def test_the_baselines_cost_is_the_entropy_of_the_classes_or_half_the_variance():
    assert OUTPUTS["sigmoid"].best_constant(np.array([[1.0, 0, 0, 0]]))[1] == pytest.approx(
        entropy([0.25, 0.75]), rel=1e-14
    )
    assert OUTPUTS["softmax"].best_constant(np.eye(3))[1] == pytest.approx(np.log(3), rel=1e-14)
    assert OUTPUTS["linear"].best_constant(np.array([[1.0, 3]]))[1] == 0.5


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
    assert result.summary.diagnosis_tags.items() <= tags.items()
    for name, sentence in result.summary.diagnosis:
        assert tags[f"diagnosis.{name.replace(' ', '_')}"] == sentence
        assert sentence in tags["mlflow.note.content"]
