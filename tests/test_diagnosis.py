"""Every verdict is made to happen by a real run, and another real run must not get it."""

from functools import cache

import numpy as np
import pytest
from conftest import ROOT, runs_of
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from scipy.stats import entropy

from initlab.config.schema import Settings, plain, read
from initlab.networks.network import Network
from initlab.networks.outputs import OUTPUTS
from initlab.networks.tape import evaluate
from initlab.numerals import counted
from initlab.runs.train import run
from initlab.verdicts import VERDICTS, diagnose
from initlab.verdicts.evidence import Evidence, Part, Steps, layers_at
from initlab.verdicts.learning import still_improving, trained_well
from initlab.verdicts.reference import Attainable, Reference

FAST = ("train.iterations=400", "optimizer=adam", "optimizer.learning_rate=0.02")
GOOD = ("init=he", "dataset=moons", "model.hidden=[20,10]", *FAST)
GD = ("dataset=moons", "train.iterations=400", "optimizer.learning_rate=0.3")
DEEP = ("model=deep", "model.depth=12", "model.width=17", "train.iterations=20")
FADING = ("init=small_random", *DEEP)
DIABETES = ("dataset=diabetes", *FAST)
LINEAR = ("model.hidden=[]", "optimizer.learning_rate=0.5", "train.iterations=300")

CASES = {
    "diverged": (("optimizer.learning_rate=1e200", "train.iterations=20"), GOOD),
    "trained well": (GOOD, ("init=zeros", *GOOD[1:])),
    "symmetry never broken": (("init=constant", *GOOD[1:]), GOOD),
    "outliers": (("dataset=table", "dataset.target=y", *LINEAR), GOOD),
    "large biases": (("bias=constant", "bias.value=-10", *GOOD), GOOD),
    "saturated start": (("init=random", "train.iterations=20"), GOOD),
    "large start": (
        ("dataset=diabetes", "init=random", "optimizer.learning_rate=1e-9", "train.iterations=20"),
        DIABETES,
    ),
    "vanishing gradients": (FADING, ("init=he", *DEEP)),
    "exploding gradients": (("init=random", *DEEP), ("init=he", *DEEP)),
    "dead start": (("init=he", "model=deep", "model.depth=15", "model.width=2", "train.iterations=20"), GOOD),
    "noisy batches": ((*GD[:2], "train.batch_size=1", "optimizer.learning_rate=3"), GD),
    "penalty too strong": (("model.l2=1", *GOOD), ("model.l2=1e-5", *GOOD)),
    "steps too large": (("dataset=moons", "model.activation=tanh", "optimizer.learning_rate=100", GD[1]), GD),
    "clipped too short": (("train.clip=1e-4", *GD), ("train.clip=10", *GD)),
    "rate held back": (("schedule=warmup", "schedule.warmup=100000", *GD), ("schedule=cosine", *GD)),
    "steps too small": (("optimizer.learning_rate=1e-6", "train.iterations=50"), GOOD),
    "too few units": (("dataset=circles", *LINEAR), ("dataset=blobs", *LINEAR)),
    "too short": (("init=he", "train.iterations=3000"), GOOD),
    "no better than the larger class": (("init=zeros", *GOOD[1:]), GOOD),
    "no better than the mean": (("dataset=diabetes", "init=zeros", "train.iterations=50"), DIABETES),
    "cost hardly fell": (("init=he", "optimizer.learning_rate=1e-6", "train.iterations=50"), GOOD),
    "overfitted": ((*DIABETES, "model.hidden=[50,50]"), GOOD),
    "underfitted": (("init=he", "train.iterations=3000"), GOOD),
    "still improving": ((), ("dataset=blobs", *LINEAR)),
}  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def tables(tmp_path_factory):
    """Tables of examples that two features tell apart, one of them with an outlier, and of noise."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.RandomState(0)
    X = rng.standard_normal((300, 2))
    told_apart = X.sum(axis=1) > 0
    X[7, 0] = 1e4
    TABLES["outlier"] = _table(folder / "outlier.csv", X, told_apart)
    X = rng.standard_normal((400, 20))
    TABLES["noise"] = _table(folder / "noise.csv", X, rng.uniform(size=400) < 0.05)


TABLES = {}


def _table(path, X, labels):
    head = ",".join([*(f"x{n}" for n in range(X.shape[1])), "y"])
    np.savetxt(path, np.column_stack([X, labels]), delimiter=",", header=head, comments="")
    return f"dataset.path={path}"


@cache
def result_of(*overrides):
    with initialize_config_module("initlab.conf", version_base="1.3"):
        cfg = compose("config", overrides=["tracking.uri=null", *overrides])
    [result] = run([cfg])
    return result


def verdicts_of(overrides):
    if "dataset=table" in overrides:
        overrides = (*overrides, TABLES["outlier"])
    return dict(result_of(*overrides).summary.diagnosis)


def test_every_verdict_has_a_run_that_gets_it_and_one_that_must_not():
    names = {verdict.__name__.replace("_", " ") for verdict in VERDICTS}
    assert set(CASES) | {"dead units", "large inputs"} == names  # these two from evidence alone, below


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
    assert "Try optimizer.learning_rate=0.4, or train.clip=1." in sentence


def test_a_saturated_hidden_layer_is_named():
    found = verdicts_of(("init=random", "model.activation=tanh", "dataset=digits", "train.iterations=20"))
    assert "in layer 1 were near 0" in found["saturated start"]


def test_vanishing_and_exploding_gradients_name_their_layers():
    assert "In the layers 1 to 11 of 12" in verdicts_of(FADING)["vanishing gradients"]
    exploding = verdicts_of(CASES["exploding gradients"][0])["exploding gradients"]
    assert "In the layers 1 to 10 of 12" in exploding


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


UNITS = {"distinct_units/layer1": 7.0, "distinct_units/layer2": 5.0}


def evidence(score=0.97, test_score=0.96, examples=300, baseline=0.5, attainable=0.97, **changes):
    best = Reference("a linear model", attainable, attainable)
    one_answer = Reference("the larger class", baseline, baseline)
    given = {
        "network": Network((2, 7, 5, 1), "relu"), "costs": np.full(100, 0.5), "final_cost": 0.5,
        "diverged_at": None, "train": Part(examples, score, baseline, attainable),
        "test": Part(examples, test_score, baseline, attainable), "baseline_cost": 0.69,
        "reference": Attainable(best, one_answer, examples), "steps": Steps("gd", 0.1, 100),
        "at_start": {**UNITS, "curvature": 1.0, "cost": 0.5}, "at_end": UNITS, "moved": [1.0] * 3,
    }  # fmt: skip
    return Evidence(**{**given, **changes})


def names_of(found):
    return [name for name, _ in found]


def test_trained_well_needs_both_parts_and_more_than_the_larger_class():
    assert trained_well(evidence())
    assert trained_well(evidence(score=0.91)) is None
    assert trained_well(evidence(test_score=0.86)) is None
    assert trained_well(evidence(baseline=0.96)) is None


def test_what_is_good_is_what_is_attainable():
    assert "may be noise" in trained_well(evidence(score=0.8, test_score=0.79, attainable=0.81))
    assert "may be noise" not in trained_well(evidence(score=0.97, test_score=0.96, attainable=0.97))
    found = dict(diagnose(evidence(score=0.8, test_score=0.79, attainable=0.97)))
    assert "where a linear model reaches 97.0%" in found["underfitted"]


def test_a_shortfall_that_may_be_luck_is_none():
    assert trained_well(evidence(score=0.75, test_score=0.75, attainable=0.85, examples=40))
    assert trained_well(evidence(score=0.75, test_score=0.75, attainable=0.85, examples=4000)) is None


def test_labels_that_have_nothing_to_do_with_the_features_are_never_learned_well():
    found = result_of(
        "dataset=table", "dataset.target=y", TABLES["noise"], "model.hidden=[60,60]", "optimizer=adam",
        "optimizer.learning_rate=0.003", "train.iterations=200",
    ).summary  # fmt: skip
    assert found.score_train == 1
    assert names_of(found.diagnosis) == ["overfitted"]
    assert "no better than the larger class there" in dict(found.diagnosis)["overfitted"]


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "softsign"])
def test_zeros_keep_units_equal_with_every_activation(activation):
    steps = ("train.iterations=200", "optimizer.learning_rate=0.5")
    found = verdicts_of(("init=zeros", f"model.activation={activation}", *steps))
    assert "symmetry never broken" in found


def test_weights_of_rounding_noise_are_zero():
    noise = {**UNITS, "weight_norm/layer1": 1e-33, "weight_norm/layer2": 1e-33, "weight_norm/layer3": 1.0}
    found = diagnose(evidence(score=0.5, test_score=0.5, at_start=noise, at_end=noise, moved=[1e-33] * 3))
    assert "not one has moved" in dict(found)["symmetry never broken"]


@pytest.mark.parametrize("seed", range(5))
def test_a_logistic_regression_on_60_rows_has_learned_nothing_by_heart(seed):
    few = ("dataset.n_train=60", "dataset.n_test=30", "dataset.noise=1.5", f"dataset.seed={seed}")
    found = verdicts_of(("dataset=blobs", *few, *LINEAR))
    assert "overfitted" not in found


def test_a_cost_that_rose_is_not_hardly_down_and_asks_for_smaller_steps():
    found = result_of(*CASES["steps too large"][0]).summary.diagnosis
    assert "rose from 0.4512 to 103" in found[0].sentence
    [override] = found[0].overrides
    assert 0 < float(override.removeprefix("optimizer.learning_rate=")) < 10
    assert "cost hardly fell" not in names_of(found)


def test_a_strong_penalty_is_blamed_and_neither_dead_units_nor_the_rate():
    found = result_of(*CASES["penalty too strong"][0]).summary.diagnosis
    assert found[0].name == "penalty too strong"
    assert "dead units" not in names_of(found)
    assert "learning_rate" not in " ".join(sentence for _, sentence in found)


def test_biases_are_blamed_and_not_the_weights():
    found = result_of(*CASES["large biases"][0]).summary.diagnosis
    assert found[0].overrides == ["bias=zeros"]
    assert "weights are too large" not in " ".join(sentence for _, sentence in found)
    assert "init=" not in " ".join(sentence for _, sentence in found)


def test_the_first_and_the_final_cost_are_of_the_same_examples():
    batches = ("dataset=digits", "train.batch_size=32", "optimizer=adam", "optimizer.learning_rate=1e-6")
    run = result_of(*batches, "train.iterations=100")
    whole = evaluate(
        run.job.network, run.job.initial[np.newaxis], run.job.dataset.X_train, run.job.dataset.Y_train
    )[0]
    assert (
        f"from {whole[0]:.4g} to {run.summary.final_cost:.4g}"
        in dict(run.summary.diagnosis)["steps too small"]
    )


def test_a_linear_model_has_too_few_units_for_circles_and_xor_but_not_for_blobs():
    for dataset, expected in (("circles", True), ("xor", True), ("blobs", False)):
        assert ("too few units" in verdicts_of((f"dataset={dataset}", *LINEAR))) == expected
    assert "its narrowest layer has 1" in verdicts_of((*GOOD, "model.hidden=[1]"))["too few units"]


def test_a_noise_ceiling_is_no_failure():
    found = result_of("dataset=diabetes", *LINEAR, "optimizer.learning_rate=0.1").summary.diagnosis
    assert names_of(found) == ["trained well"]
    assert "what is missing may be noise" in found[0].sentence


def test_an_outlier_is_named_before_what_it_does():
    found = verdicts_of(CASES["outliers"][0])
    assert list(found) == ["outliers", "underfitted"]
    assert "100% of the variance" in found["outliers"]


def test_dead_units_of_the_first_layer_alone_never_come_back():
    for layer, certain in ((1, True), (2, False)):
        dead = {**UNITS, "dead_units/layer1": 0.0, "dead_units/layer2": 0.0, f"dead_units/layer{layer}": 0.6}
        alive = {**dead, f"dead_units/layer{layer}": 0.2, "curvature": 1.0}
        found = dict(diagnose(evidence(score=0.8, test_score=0.8, at_start=alive, at_end=dead)))
        assert (
            "60% of the units are 0 for every training example; at the start it was 20%"
            in found["dead units"]
        )
        assert ("will not come back" in found["dead units"]) == certain


def test_large_inputs_are_named_where_nothing_weightier_is():
    assert "is 57," in dict(diagnose(evidence(score=0.8, test_score=0.8, input_scale=57.0)))["large inputs"]
    assert "large inputs" not in dict(diagnose(evidence(input_scale=57.0)))


def test_weight_decay_that_shrinks_the_weights_is_named():
    norms = [{**UNITS, **{f"weight_norm/layer{n}": size for n in (1, 2, 3)}} for size in (2.0, 0.1)]
    steps = Steps("adamw", 0.01, 1000, weight_decay=3.0)
    found = dict(
        diagnose(evidence(score=0.6, test_score=0.6, at_start=norms[0], at_end=norms[1], steps=steps))
    )
    assert "optimizer.weight_decay=3 shrank the norm of the weights" in found["penalty too strong"]


def test_the_published_lesson_with_he_is_left_alone():
    found = result_of().summary.diagnosis
    assert names_of(found) == ["trained well", "still improving"]
    assert not [override for finding in found for override in finding.overrides]


def all_found():
    for cases in CASES.values():
        for overrides in cases:
            words = (*overrides, TABLES["outlier"]) if "dataset=table" in overrides else overrides
            yield overrides, result_of(*words).summary.diagnosis


def test_a_diagnosis_has_one_to_three_sentences_each_with_a_number():
    for _, found in all_found():
        assert 1 <= len(found) <= 3
        assert all(any(letter.isdigit() for letter in sentence) for name, sentence in found[:1])


def test_the_overrides_that_are_advised_compose():
    advised = {
        override.partition("=")[0]: override
        for _, found in all_found()
        for finding in found
        for override in finding.overrides
    }
    assert len(advised) > 8
    with initialize_config_module("initlab.conf", version_base="1.3"):
        cfg = compose("config", overrides=["tracking.uri=null", *advised.values()])
    assert read(Settings, plain(cfg))


CURES = OmegaConf.load(ROOT / "conf" / "experiment" / "cures.yaml")


@pytest.mark.parametrize("fault", CURES.hydra.sweeper.params.fault.split(","))
def test_the_study_of_cures_trains_each_fault_with_what_its_diagnosis_advises(fault):
    study = ("experiment=cures", f"fault={fault}")
    found = result_of(*study).summary.diagnosis
    key, _, value = found[0].overrides[0].partition("=")
    cured = result_of(*study, "training=cured")
    advised = OmegaConf.select(OmegaConf.create(cured.job.values), key)
    if OmegaConf.is_config(advised) and "_target_" in advised:
        assert advised["_target_"].endswith(f".{value}")
    else:
        assert advised == OmegaConf.from_dotlist([f"value={value}"]).value
    assert "trained well" in names_of(cured.summary.diagnosis)


def test_a_cost_that_jumps_between_mini_batches_but_does_not_fall_is_not_still_improving():
    noise = np.random.RandomState(3).rand(1000)
    assert still_improving(evidence(costs=0.5 + 0.2 * noise)) is None
    assert still_improving(evidence(costs=np.geomspace(5, 0.05, 1000) * (1 + 0.1 * noise), final_cost=0.05))
    assert (
        still_improving(evidence(costs=np.geomspace(5, 0.005, 1000), final_cost=0.005)) is None
    )  # nothing left to win


def test_what_is_luck_depends_on_the_number_of_examples():
    few, many = (evidence(score=0.55, test_score=0.55, examples=n) for n in (100, 10_000))
    assert "may be luck on 100 examples" in dict(diagnose(few))["no better than the larger class"]
    assert "underfitted" in dict(diagnose(many))


@pytest.mark.parametrize(("examples", "baseline_score"), [(4, 0.5), (40, 0.9), (1000, 0.996)])
def test_to_make_no_mistake_is_never_luck(examples, baseline_score):
    perfect = evidence(1.0, 1.0, examples, baseline_score, 1.0, final_cost=0.01)
    assert "trained well" in dict(diagnose(perfect))


def test_a_good_score_at_a_cost_above_one_answer_for_all_is_too_sure_of_its_mistakes():
    found = dict(diagnose(evidence(final_cost=11.0)))
    assert "trained well" not in found
    assert "very sure where it is wrong" in found["underfitted"]


def test_a_regression_worse_than_the_mean_is_called_so():
    worse = evidence(
        network=Network((2, 7, 5, 1), "relu", "linear"),
        score=-21.0,
        test_score=-20.0,
        baseline=0,
        attainable=0.5,
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
    assert "too short" not in heart
    solved = evidence(score=1.0, test_score=1.0, costs=np.geomspace(5, 0.002, 100), final_cost=0.002)
    assert names_of(diagnose(solved)) == ["trained well"]


def test_only_the_layers_concerned_are_named():
    sizes = {f"preactivation_gradient/layer{n}": size for n, size in enumerate((1.0, 1e-5, 1.0), start=1)}
    found = dict(diagnose(evidence(score=0.8, test_score=0.8, at_start={**UNITS, **sizes})))
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
    assert "diverged" in names_of(found)


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


@pytest.mark.parametrize("iterations", [1, 7, 19])
def test_of_few_iterations_none_is_called_a_tenth(iterations):
    found = verdicts_of(("init=he", f"train.iterations={iterations}"))
    assert f"After {counted(iterations, 'iteration')} the cost" in found["too short"]
    assert "had fallen by" in found["too short"]
    assert not any("tenth" in sentence or "1 iterations" in sentence for sentence in found.values())
