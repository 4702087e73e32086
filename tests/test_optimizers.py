import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from initlab.optimizers import adam, gd, momentum

STEPS, PARAMETERS = 53, 13

HYPERS = {
    gd: {"learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1]},
    momentum: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "beta": [0.9, 0.0, 0.5, 0.99, 0.9],
    },
    adam: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "beta1": [0.9, 0.0, 0.5, 0.99, 0.9],
        "beta2": [0.999, 0.9, 0.0, 0.99, 0.5],
        "epsilon": [1e-8, 1e-3, 1.0, 1e-12, 1e-8],
    },
}


def gradients(runs, seed=7):
    # Scales from 1e-8 to 1: the small ones are where Adam's epsilon matters.
    scales = np.logspace(-8, 0, PARAMETERS)
    return np.random.RandomState(seed).randn(STEPS, runs, PARAMETERS) * scales


def path(update, sequence, dtype=np.float64, **hypers):
    """Returns the parameters after every step, from 0."""
    parameters, state, steps = np.zeros(sequence.shape[1:], dtype), {}, []
    for gradient in sequence:
        update(parameters, gradient.astype(dtype), state, **hypers)
        steps.append(parameters.copy())
    return np.stack(steps)


def path_by_scikit_learn(optimizer, sequence, before_step=lambda optimizer: None):
    point, steps = np.zeros(PARAMETERS), []
    for gradient in sequence[:, 0]:
        before_step(optimizer)
        optimizer.update_params([point], [gradient])
        steps.append(point.copy())
    return np.stack(steps)


def test_gradient_descent_by_hand():
    steps = path(gd, np.array([[[1.0, -2.0]], [[4.0, 0.5]]]), learning_rate=0.5)
    assert steps.tolist() == [[[-0.5, 1.0]], [[-2.5, 0.75]]]


def test_momentum_by_hand():
    steps = path(momentum, np.array([[[1.0]], [[1.0]], [[-2.0]]]), learning_rate=0.5, beta=0.5)
    assert steps[:, 0, 0].tolist() == [-0.5, -1.25, -0.625]  # velocities 1, 1.5, −1.25


def test_adam_by_hand():
    sequence = np.array([[[2.0]], [[-1.0]]])
    steps = path(adam, sequence, learning_rate=0.5, beta1=0.5, beta2=0.75, epsilon=0.25)
    # m = 1, then 0; v = 1, then 1; the hats: m̂ = 2, then 0; v̂ = 4.
    assert steps[:, 0, 0] == pytest.approx([-0.5 * 2 / 2.25] * 2, rel=1e-15)


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient():
    steps = path(
        adam, np.array([[[1e-3, -1.0, 1e6]]]),
        learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-30,
    )  # fmt: skip
    np.testing.assert_allclose(steps[0, 0], [-0.01, 0.01, -0.01], rtol=1e-13)


def test_gradient_descent_sums_the_gradients():
    sequence = gradients(1)
    expected = -0.3 * np.cumsum(sequence, axis=0)
    np.testing.assert_allclose(path(gd, sequence, learning_rate=0.3), expected, rtol=1e-12)


def test_momentum_equals_its_unrolled_sum():
    sequence, beta = gradients(1), 0.9
    steps = path(momentum, sequence, learning_rate=0.3, beta=beta)
    powers = beta ** np.arange(STEPS)
    velocities = [np.tensordot(powers[: t + 1][::-1], sequence[: t + 1], 1) for t in range(STEPS)]
    np.testing.assert_allclose(steps, -0.3 * np.cumsum(velocities, axis=0), rtol=1e-11)


def test_adam_equals_its_unrolled_sums():
    sequence, (beta1, beta2, rate, epsilon) = gradients(1), (0.9, 0.99, 0.3, 1e-4)
    point, expected = np.zeros((1, PARAMETERS)), []
    for t in range(1, STEPS + 1):
        age = np.arange(t)[::-1]
        mean = np.average(sequence[:t], axis=0, weights=beta1**age)
        square = np.average(sequence[:t] ** 2, axis=0, weights=beta2**age)
        point = point - rate * mean / (np.sqrt(square) + epsilon)
        expected.append(point)
    steps = path(adam, sequence, learning_rate=rate, beta1=beta1, beta2=beta2, epsilon=epsilon)
    np.testing.assert_allclose(steps, np.stack(expected), rtol=1e-11)


def test_momentum_equals_scikit_learns():
    sequence = gradients(1)
    theirs = SGDOptimizer([np.zeros(PARAMETERS)], 0.3, momentum=0.9, nesterov=False)
    expected = path_by_scikit_learn(theirs, sequence)
    steps = path(momentum, sequence, learning_rate=0.3, beta=0.9)
    np.testing.assert_allclose(steps[:, 0], expected, rtol=1e-11)


def test_adam_equals_scikit_learns():
    sequence, epsilon, beta2 = gradients(1), 1e-4, 0.99

    def move_epsilon(optimizer):
        # scikit-learn adds ε to √v, the paper's algorithm to √v̂ = √v / √(1 − β₂ᵗ).
        optimizer.epsilon = epsilon * np.sqrt(1 - beta2 ** (optimizer.t + 1))

    theirs = AdamOptimizer([np.zeros(PARAMETERS)], 0.3, beta_1=0.9, beta_2=beta2)
    expected = path_by_scikit_learn(theirs, sequence, move_epsilon)
    steps = path(adam, sequence, learning_rate=0.3, beta1=0.9, beta2=beta2, epsilon=epsilon)
    np.testing.assert_allclose(steps[:, 0], expected, rtol=1e-11)


@pytest.mark.parametrize("update", HYPERS)
def test_stacked_hyper_parameters_equal_lone_runs(update):
    sequence = gradients(5)
    columns = {name: np.array(values)[:, np.newaxis] for name, values in HYPERS[update].items()}
    stacked = path(update, sequence, **columns)
    for run in range(5):
        alone = {name: values[run] for name, values in HYPERS[update].items()}
        lone = path(update, sequence[:, run : run + 1], **alone)
        np.testing.assert_array_equal(stacked[:, run], lone[:, 0], strict=True)


@pytest.mark.parametrize("update", HYPERS)
def test_stacked_hyper_parameters_equal_lone_runs_in_float32(update):
    sequence = gradients(5)
    columns = {name: np.array(values, np.float32)[:, np.newaxis] for name, values in HYPERS[update].items()}
    stacked = path(update, sequence, np.float32, **columns)
    assert stacked.dtype == np.float32
    for run in range(5):
        alone = {name: values[run : run + 1] for name, values in columns.items()}
        lone = path(update, sequence[:, run : run + 1], np.float32, **alone)
        np.testing.assert_array_equal(stacked[:, run], lone[:, 0], strict=True)


def test_what_a_rule_remembers_is_in_its_state():
    point, gradient = np.zeros((3, 5)), np.ones((3, 5))
    kept = {gd: {}, momentum: {}, adam: {}}
    for update, state in kept.items():
        hypers = {name: values[0] for name, values in HYPERS[update].items()}
        update(point, gradient.copy(), state, **hypers)
    shapes = {update: {k: v.shape for k, v in state.items()} for update, state in kept.items()}
    assert shapes[gd] == {}
    assert shapes[momentum] == {"velocity": (3, 5)}
    assert shapes[adam] == {
        "mean": (3, 5), "square": (3, 5), "power1": (3, 1), "power2": (3, 1),
    }  # fmt: skip
