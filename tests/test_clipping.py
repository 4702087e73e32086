from functools import partial

import numpy as np
import pytest

from initlab.optimizers.rules import clipped, gd, momentum


def clip_of(gradient, clip):
    """Returns the gradient as the update rule sees it."""
    seen = []
    clipped(lambda parameters, g, state: seen.append(g.copy()), clip)(None, gradient.copy(), {})
    return seen[0]


def gradients(runs, dtype=np.float64, parameters=91):
    rng = np.random.RandomState(13)
    return (rng.randn(runs, parameters) * np.logspace(-6, 6, runs)[:, np.newaxis]).astype(dtype)


def test_a_clipped_gradient_by_hand():
    assert clip_of(np.array([[3.0, -4.0], [0.3, 0.4], [0.0, 0.0]]), 1.0) == pytest.approx(
        np.array([[0.6, -0.8], [0.3, 0.4], [0.0, 0.0]]), rel=1e-15
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_long_gradient_gets_the_norm_and_keeps_its_direction(dtype):
    gradient = gradients(7, dtype)
    ours = clip_of(gradient, 0.5)
    assert ours.dtype == dtype
    before, after = (np.linalg.norm(g.astype(np.float64), axis=-1) for g in (gradient, ours))
    long = before > 0.5
    assert 0 < long.sum() < 7
    tolerance = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(after[long], 0.5, rtol=tolerance)
    np.testing.assert_allclose(ours[long] / 0.5, gradient[long] / before[long, np.newaxis], rtol=tolerance)
    np.testing.assert_array_equal(ours[~long], gradient[~long], strict=True)


@pytest.mark.parametrize("clip", [5.0, 5.0000001, 7.3, 1e300])
def test_a_gradient_that_is_not_too_long_keeps_its_bits(clip):
    gradient = np.array([[3.0, -4.0, -0.0], [1e-300, -1e-300, 0.1]])
    ours = clip_of(gradient, clip)
    np.testing.assert_array_equal(ours, gradient, strict=True)
    np.testing.assert_array_equal(np.signbit(ours), np.signbit(gradient))


def test_the_squares_of_an_exploding_float32_gradient_do_not_overflow():
    ours = clip_of(np.array([[3e30, -4e30]], np.float32), 1.0)
    np.testing.assert_allclose(ours, [[0.6, -0.8]], rtol=1e-6)


def test_a_gradient_that_is_not_finite_neither_raises_nor_touches_another_run():
    gradient = np.array([[1.0, np.inf], [3.0, 4.0], [np.nan, 1.0], [-np.inf, np.inf], [1e200, 1e200]])
    ours = clip_of(gradient, 1.0)
    assert not np.isfinite(ours[[0, 2, 3]]).all(axis=-1).any()
    np.testing.assert_allclose(ours[1], [0.6, 0.8], rtol=1e-15)
    assert np.linalg.norm(ours[4]) <= 1  # finite, but its square is not


@pytest.mark.parametrize("parameters", [1, 7, 91, 4481])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_runs_of_a_stack_equal_lone_runs(dtype, parameters):
    gradient = gradients(13, dtype, parameters)
    clips = np.logspace(-2, 1, 13).astype(dtype)[:, np.newaxis]
    stacked, alike = clip_of(gradient, clips), clip_of(gradient, 0.5)
    for run in range(13):
        lone = slice(run, run + 1)
        np.testing.assert_array_equal(stacked[lone], clip_of(gradient[lone], clips[lone]), strict=True)
        np.testing.assert_array_equal(alike[lone], clip_of(gradient[lone], 0.5), strict=True)


def test_the_rule_remembers_clipped_gradients():
    parameters, state = np.zeros((1, 2)), {}
    update = clipped(partial(momentum, learning_rate=0.5, beta=0.5), 5.0)
    for gradient in ([[6.0, 8.0]], [[3.0, 4.0]]):
        update(parameters, np.array(gradient), state)
    np.testing.assert_allclose(state["velocity"], [[4.5, 6.0]], rtol=1e-15)
    np.testing.assert_allclose(parameters, [[-3.75, -5.0]], rtol=1e-15)


def test_clipping_equals_pytorchs():
    torch = pytest.importorskip("torch")
    for gradient in gradients(7):
        weights = torch.zeros(91, dtype=torch.float64, requires_grad=True)
        weights.grad = torch.tensor(gradient)
        torch.nn.utils.clip_grad_norm_([weights], 0.5)
        point = np.zeros((1, 91))
        clipped(partial(gd, learning_rate=1.0), 0.5)(point, gradient[np.newaxis].copy(), {})
        # Theirs divides by the norm + 1e-6.
        np.testing.assert_allclose(-point[0], weights.grad.numpy(), rtol=3e-6)
