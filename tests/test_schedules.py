from functools import partial

import numpy as np
import pytest

from initlab.optimizers.rules import State, adam, gd, momentum
from initlab.optimizers.schedules import constant, cosine, scheduled, step

ITERATIONS = 101
RULES = {
    constant: {"warmup": [0, 1, 7, 100, 1000]},
    step: {"factor": [0.1, 0.5, 1.0, 0.9, 2.0], "every": [50, 7, 1, 13, 40], "warmup": [0, 1, 7, 100, 13]},
    cosine: {"final_factor": [0.0, 0.1, 1.0, 0.01, 0.3], "warmup": [0, 1, 7, 100, 1000]},
}


def factors(schedule, iterations=ITERATIONS, **hypers):
    return np.array([schedule(i, iterations, **hypers) for i in range(iterations)])


def columns(schedule, dtype, runs=slice(None)):
    return {name: np.array(values, dtype)[runs, np.newaxis] for name, values in RULES[schedule].items()}


def test_without_warm_up_the_constant_schedule_is_exactly_1():
    assert factors(constant, warmup=0).tolist() == [1] * ITERATIONS


def test_the_warm_up_grows_by_equal_steps_to_1():
    assert factors(constant, 7, warmup=4).tolist() == [0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert factors(constant, 3, warmup=1).tolist() == [1, 1, 1]
    assert factors(constant, 2, warmup=4).tolist() == [0.25, 0.5]


def test_steps_by_hand():
    assert factors(step, 7, factor=0.5, every=3, warmup=0).tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert factors(step, 5, factor=0.5, every=3, warmup=4).tolist() == [0.25, 0.5, 0.75, 0.5, 0.5]


def test_the_cosine_by_hand():
    whole = factors(cosine, final_factor=0.2, warmup=0)
    assert (whole[0], whole[-1]) == (1, 0.2)
    assert whole[[25, 50]] == pytest.approx([0.2 + 0.8 * (2 + np.sqrt(2)) / 4, 0.6], rel=1e-15)
    warmed = factors(cosine, 7, final_factor=0, warmup=3)
    expected = [1 / 3, 2 / 3, 1, (2 + np.sqrt(2)) / 4, 0.5, (2 - np.sqrt(2)) / 4, 0]
    np.testing.assert_allclose(warmed, expected, rtol=1e-14)
    assert (warmed[2], warmed[-1]) == (1, 0)


@pytest.mark.parametrize("final_factor", [0, 1e-6, 0.01, 0.1, 0.3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_cosine_begins_at_exactly_1_and_ends_at_exactly_its_final_factor(final_factor, dtype):
    hypers = {"final_factor": np.array([[final_factor]], dtype), "warmup": np.array([[5]], dtype)}
    assert cosine(4, ITERATIONS, **hypers) == 1
    assert cosine(ITERATIONS - 1, ITERATIONS, **hypers) == hypers["final_factor"]


@pytest.mark.parametrize("warmup", [0, 1, 13])
def test_every_schedule_rises_while_it_warms_up_and_never_after(warmup):
    for schedule, hypers in (
        (constant, {}), (step, {"factor": 0.7, "every": 29}), (cosine, {"final_factor": 0.05}),
    ):  # fmt: skip
        values = factors(schedule, warmup=warmup, **hypers)
        first = max(warmup, 1) - 1
        assert np.all(np.diff(values[: first + 1]) > 0)
        assert values[first] == 1
        assert np.all(np.diff(values[first:]) <= 0)


@pytest.mark.parametrize(("iterations", "warmup"), [(1, 0), (1, 1), (2, 2), (3, 5)])
def test_a_cosine_without_room_after_its_warm_up_is_the_warm_up(iterations, warmup):
    values = factors(cosine, iterations, final_factor=0.1, warmup=warmup)
    assert values.tolist() == factors(constant, iterations, warmup=warmup).tolist()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("schedule", RULES)
def test_stacked_hyper_parameters_equal_lone_ones_in_their_precision(schedule, dtype):
    stacked = factors(schedule, **columns(schedule, dtype))
    assert stacked.shape == (ITERATIONS, 5, 1)
    assert stacked.dtype == dtype
    for run in range(5):
        lone = factors(schedule, **columns(schedule, dtype, slice(run, run + 1)))
        np.testing.assert_array_equal(stacked[:, run : run + 1], lone, strict=True)
        numbers = {name: values[run] for name, values in RULES[schedule].items()}
        tolerance = 1e-14 if dtype == np.float64 else 2e-6
        np.testing.assert_allclose(
            lone[:, 0, 0], factors(schedule, **numbers), rtol=tolerance, atol=tolerance
        )


def rates_by_pytorch(make):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule, rates = make(torch.optim.lr_scheduler, optimizer), []
    for _ in range(ITERATIONS):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return rates


def test_the_warm_up_equals_pytorchs():
    expected = rates_by_pytorch(lambda s, o: s.LinearLR(o, start_factor=1 / 13, total_iters=12))
    np.testing.assert_allclose(factors(constant, warmup=13), expected, rtol=1e-13)


def test_steps_equal_pytorchs():
    expected = rates_by_pytorch(lambda s, o: s.StepLR(o, step_size=29, gamma=0.3))
    np.testing.assert_allclose(factors(step, factor=0.3, every=29, warmup=0), expected, rtol=1e-13)


def test_the_cosine_equals_pytorchs():
    expected = rates_by_pytorch(lambda s, o: s.CosineAnnealingLR(o, T_max=ITERATIONS - 1, eta_min=0.05))
    np.testing.assert_allclose(factors(cosine, final_factor=0.05, warmup=0), expected, rtol=1e-11)


def path(update, sequence):
    parameters, state, steps = np.zeros_like(sequence[0]), State(), []
    for gradient in sequence:
        update(parameters, gradient.copy(), state)
        state.step += 1
        steps.append(parameters.copy())
    return np.stack(steps)


def gradients(runs, dtype=np.float64):
    return np.random.RandomState(11).randn(17, runs, 5).astype(dtype)


ADAM = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-5}


@pytest.mark.parametrize("rate", [0.3, "column"])
@pytest.mark.parametrize("warmup", [0, 1, "column"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("rule", "hypers"), [(gd, {}), (adam, ADAM)])
def test_a_factor_of_1_leaves_the_update_as_it_is_bit_for_bit(rule, hypers, dtype, warmup, rate):
    if rate == "column":
        rate = np.array([[0.3], [0.01], [0.7]], dtype)
    if warmup == "column":
        warmup = np.array([[0], [1], [0]], dtype)
    bare = partial(rule, learning_rate=rate, **hypers)
    ours = scheduled(bare, partial(constant, warmup=warmup), 17)
    sequence = gradients(3, dtype)
    np.testing.assert_array_equal(path(ours, sequence), path(bare, sequence), strict=True)


def test_a_scheduled_update_takes_each_iterations_rate():
    ours = scheduled(partial(gd, learning_rate=0.3), partial(step, factor=0.5, every=7, warmup=3), 17)
    sequence = gradients(1)
    expected = sequence * -0.3 * factors(step, 17, factor=0.5, every=7, warmup=3)[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(path(ours, sequence), np.cumsum(expected, axis=0), rtol=1e-12)


def test_a_schedule_changes_the_step_and_not_what_momentum_remembers():
    sequence = gradients(1)
    bare = partial(momentum, learning_rate=0.3, beta=0.9)
    expected = np.diff(path(bare, sequence), axis=0, prepend=np.zeros((1, 1, 5)))
    expected *= factors(cosine, 17, final_factor=0.1, warmup=0)[:, np.newaxis, np.newaxis]
    ours = path(scheduled(bare, partial(cosine, final_factor=0.1, warmup=0), 17), sequence)
    np.testing.assert_allclose(ours, np.cumsum(expected, axis=0), rtol=1e-10)


def test_a_scheduled_update_has_no_counter_but_the_state():
    update = scheduled(partial(gd, learning_rate=0.3), partial(cosine, final_factor=0, warmup=3), 17)
    np.testing.assert_array_equal(path(update, gradients(1)), path(update, gradients(1)), strict=True)
    state = State()
    state.step = 11
    parameters = np.zeros((1, 5))
    update(parameters, gradients(1)[11].copy(), state)
    steps = np.diff(path(update, gradients(1)), axis=0)
    np.testing.assert_allclose(parameters, steps[10], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("schedule", RULES)
def test_scheduled_runs_of_a_stack_equal_lone_runs(schedule, dtype):
    def update_of(runs):
        rates = np.array([[0.3], [0.01], [0.7], [0.1], [1e-3]], dtype)[runs]
        hypers = {name: np.array(value, dtype) for name, value in ADAM.items()}
        rule = partial(adam, learning_rate=rates, **hypers)
        return scheduled(rule, partial(schedule, **columns(schedule, dtype, runs)), 17)

    sequence = gradients(5, dtype)
    stacked = path(update_of(slice(None)), sequence)
    assert stacked.dtype == dtype
    for run in range(5):
        lone = slice(run, run + 1)
        np.testing.assert_array_equal(stacked[:, lone], path(update_of(lone), sequence[:, lone]), strict=True)


def test_a_rule_without_a_learning_rate_is_refused():
    with pytest.raises(ValueError, match="^adam: has no learning_rate, which a schedule would change$"):
        scheduled(partial(adam, **ADAM), partial(constant, warmup=0), 17)
