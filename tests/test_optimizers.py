import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from initlab.optimizers.rules import adagrad, adam, adamw, gd, momentum, nesterov, rmsprop

STEPS, PARAMETERS = 53, 13

HYPERS = {
    gd: {"learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1]},
    momentum: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "beta": [0.9, 0.0, 0.5, 0.99, 0.9],
    },
    nesterov: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "beta": [0.9, 0.0, 0.5, 0.99, 0.9],
    },
    rmsprop: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "decay": [0.99, 0.0, 0.5, 0.999, 0.9],
        "epsilon": [1e-8, 1e-3, 1.0, 1e-12, 1e-8],
    },
    adagrad: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "epsilon": [1e-10, 1e-3, 1.0, 1e-12, 1e-8],
    },
    adam: {
        "learning_rate": [0.5, 0.01, 0.3, 1e-7, 0.1],
        "beta1": [0.9, 0.0, 0.5, 0.99, 0.9],
        "beta2": [0.999, 0.9, 0.0, 0.99, 0.5],
        "epsilon": [1e-8, 1e-3, 1.0, 1e-12, 1e-8],
    },
}
HYPERS[adamw] = {**HYPERS[adam], "weight_decay": [0.01, 0.0, 1.0, 0.1, 1e-3]}


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


def path_by_pytorch(optimizer, sequence, **options):
    torch = pytest.importorskip("torch")
    point, steps = torch.zeros(PARAMETERS, dtype=torch.float64, requires_grad=True), []
    theirs = getattr(torch.optim, optimizer)([point], **options)
    for gradient in sequence[:, 0]:
        point.grad = torch.tensor(gradient)
        theirs.step()
        steps.append(point.detach().numpy().copy())
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


def test_nesterovs_momentum_by_hand():
    steps = path(nesterov, np.array([[[1.0]], [[1.0]], [[-2.0]]]), learning_rate=0.5, beta=0.5)
    # Velocities 1, 1.5, −1.25; steps −0.5 (1 + 0.5), −0.5 (1 + 0.75), −0.5 (−2 − 0.625).
    assert steps[:, 0, 0].tolist() == [-0.75, -1.625, -0.3125]


def test_rmsprop_by_hand():
    steps = path(rmsprop, np.array([[[4.0]], [[-2.0]]]), learning_rate=0.5, decay=0.75, epsilon=2.0)
    # s = 0.25 · 16 = 4, then 3 + 0.25 · 4 = 4.
    assert steps[:, 0, 0].tolist() == [-0.5, -0.25]


def test_adagrad_by_hand():
    steps = path(adagrad, np.array([[[3.0]], [[-4.0]]]), learning_rate=0.5, epsilon=1.0)
    # s = 9, then 25.
    assert steps[:, 0, 0] == pytest.approx([-1.5 / 4, -1.5 / 4 + 2 / 6], rel=1e-15)


def test_the_weight_decay_of_adamw_by_hand():
    parameters, options = np.array([[8.0]]), {"beta1": 0.5, "beta2": 0.75, "epsilon": 0.25}
    adamw(parameters, np.array([[2.0]]), {}, learning_rate=0.5, weight_decay=0.25, **options)
    assert parameters[0, 0] == pytest.approx(8 * (1 - 0.125) - 0.5 * 2 / 2.25, rel=1e-15)


def test_adamw_without_decay_is_adam_bit_for_bit():
    sequence, options = gradients(3), {"learning_rate": 0.3, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-4}
    ours = path(adamw, sequence, weight_decay=0.0, **options)
    np.testing.assert_array_equal(ours, path(adam, sequence, **options), strict=True)


@pytest.mark.parametrize(("update", "options"), [
    (rmsprop, {"decay": 0.99, "epsilon": 1e-8}), (adagrad, {"epsilon": 1e-10}),
])  # fmt: skip
def test_a_gradient_of_0_moves_nothing(update, options):
    assert not path(update, np.zeros((3, 1, 2)), learning_rate=0.1, **options).any()


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


def test_nesterovs_momentum_equals_its_unrolled_sum():
    sequence, beta = gradients(1), 0.9
    steps = path(nesterov, sequence, learning_rate=0.3, beta=beta)
    powers = beta ** np.arange(STEPS)
    velocities = [np.tensordot(powers[: t + 1][::-1], sequence[: t + 1], 1) for t in range(STEPS)]
    looked_ahead = sequence + beta * np.stack(velocities)
    np.testing.assert_allclose(steps, -0.3 * np.cumsum(looked_ahead, axis=0), rtol=1e-11)


def test_rmsprop_equals_its_unrolled_sum():
    sequence, decay = gradients(1), 0.9
    weights = decay ** np.arange(STEPS) * (1 - decay)
    squares = [np.tensordot(weights[: t + 1][::-1], sequence[: t + 1] ** 2, 1) for t in range(STEPS)]
    expected = -0.3 * np.cumsum(sequence / (np.sqrt(squares) + 1e-4), axis=0)
    steps = path(rmsprop, sequence, learning_rate=0.3, decay=decay, epsilon=1e-4)
    np.testing.assert_allclose(steps, expected, rtol=1e-11)


def test_adagrad_equals_its_unrolled_sum():
    sequence = gradients(1)
    norms = np.sqrt(np.cumsum(sequence**2, axis=0))
    expected = -0.3 * np.cumsum(sequence / (norms + 1e-4), axis=0)
    steps = path(adagrad, sequence, learning_rate=0.3, epsilon=1e-4)
    np.testing.assert_allclose(steps, expected, rtol=1e-11)


def test_adamw_equals_its_unrolled_sums():
    sequence, rate, decay = gradients(1), 0.3, 0.1
    options = {"learning_rate": rate, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-4}
    # Adam's own steps do not depend on where the parameters are; each then shrinks with age.
    own = np.diff(path(adam, sequence, **options), axis=0, prepend=np.zeros((1, 1, PARAMETERS)))
    shrunk = (1 - rate * decay) ** np.arange(STEPS)
    expected = [np.tensordot(shrunk[: t + 1][::-1], own[: t + 1], 1) for t in range(STEPS)]
    steps = path(adamw, sequence, weight_decay=decay, **options)
    np.testing.assert_allclose(steps, np.stack(expected), rtol=1e-11)


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


@pytest.mark.parametrize("update", [momentum, nesterov])
def test_momentum_equals_scikit_learns(update):
    sequence = gradients(1)
    theirs = SGDOptimizer([np.zeros(PARAMETERS)], 0.3, momentum=0.9, nesterov=update is nesterov)
    expected = path_by_scikit_learn(theirs, sequence)
    steps = path(update, sequence, learning_rate=0.3, beta=0.9)
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


@pytest.mark.parametrize(("update", "hypers", "theirs", "options"), [
    (gd, {}, "SGD", {}),
    (momentum, {"beta": 0.9}, "SGD", {"momentum": 0.9}),
    (nesterov, {"beta": 0.9}, "SGD", {"momentum": 0.9, "nesterov": True}),
    (rmsprop, {"decay": 0.9, "epsilon": 1e-4}, "RMSprop", {"alpha": 0.9, "eps": 1e-4}),
    (adagrad, {"epsilon": 1e-4}, "Adagrad", {"eps": 1e-4}),
    (
        adam, {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-4},
        "Adam", {"betas": (0.8, 0.99), "eps": 1e-4},
    ),
    (
        adamw, {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-4, "weight_decay": 0.1},
        "AdamW", {"betas": (0.8, 0.99), "eps": 1e-4, "weight_decay": 0.1},
    ),
])  # fmt: skip
def test_every_rule_equals_pytorchs(update, hypers, theirs, options):
    sequence = gradients(1)
    expected = path_by_pytorch(theirs, sequence, lr=0.3, **options)
    steps = path(update, sequence, learning_rate=0.3, **hypers)
    np.testing.assert_allclose(steps[:, 0], expected, rtol=1e-10)


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


@pytest.mark.parametrize(("update", "shapes"), [
    (gd, {}),
    (momentum, {"velocity": (3, 5)}),
    (nesterov, {"carried": (3, 5)}),
    (rmsprop, {"square": (3, 5)}),
    (adagrad, {"square": (3, 5)}),
    (adam, {"mean": (3, 5), "square": (3, 5), "power1": (3, 1), "power2": (3, 1)}),
    (adamw, {"mean": (3, 5), "square": (3, 5), "power1": (3, 1), "power2": (3, 1)}),
])  # fmt: skip
def test_what_a_rule_remembers_is_in_its_state(update, shapes):
    state = {}
    hypers = {name: values[0] for name, values in HYPERS[update].items()}
    update(np.zeros((3, 5)), np.ones((3, 5)), state, **hypers)
    assert {name: values.shape for name, values in state.items()} == shapes


def test_nesterovs_parameters_are_the_places_where_its_method_takes_its_gradients():
    # Nesterov's method in its own words: v ← β v − α ∇f(θ + β v), θ ← θ + v (Sutskever et al. 2013).
    H = np.diag([1.0, 3.0, 7.0])
    theta, v, ahead, state = np.ones(3), np.zeros(3), np.ones((1, 3)), {}
    for _ in range(13):
        np.testing.assert_allclose(ahead[0], theta + 0.9 * v, rtol=1e-12)
        v = 0.9 * v - 0.05 * H @ (theta + 0.9 * v)
        theta = theta + v
        nesterov(ahead, ahead @ H, state, learning_rate=0.05, beta=0.9)


def test_a_rate_that_changes_scales_the_whole_velocity():
    parameters, state = np.zeros((1, 1)), {}
    for rate, expected in ((0.5, -0.5), (0.25, -0.5 - 0.25 * 1.5)):  # velocities 1, 1.5
        momentum(parameters, np.array([[1.0]]), state, learning_rate=rate, beta=0.5)
        assert parameters[0, 0] == expected


@pytest.mark.parametrize(("update", "options", "root"), [
    (rmsprop, {"decay": 0.5}, 1e-9 * 0.5**0.5), (adagrad, {}, 1e-9),
    (adam, {"beta1": 0.0, "beta2": 0.5}, 1e-9),
])  # fmt: skip
def test_epsilon_stands_beside_the_root(update, options, root):
    # With √(s + ε), or ε before Adam's correction, the step would be another.
    parameters = np.zeros((1, 1))
    update(parameters, np.array([[1e-9]]), {}, learning_rate=1.0, epsilon=1e-8, **options)
    assert parameters[0, 0] == pytest.approx(-1e-9 / (root + 1e-8), rel=1e-12)
