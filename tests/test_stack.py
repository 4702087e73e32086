"""The law of the stack: a run gives the same bits alone and in any stack."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from builders import every, fit_and_measure
from oracles import calm, stack_of_starts
from threadpoolctl import threadpool_limits

from initlab.activations import ACTIVATIONS
from initlab.diagnostics import DIAGNOSTICS, gradient_quotient, hessian, jacobian, tangent_kernel
from initlab.networks.network import Network
from initlab.networks.outputs import OUTPUTS
from initlab.networks.tape import evaluate, predict
from initlab.optimizers.rules import adagrad, adam, adamw, clipped, gd, momentum, nesterov, rmsprop
from initlab.optimizers.schedules import cosine, scheduled
from initlab.training.loop import minibatches

ADAM = {"beta1": (0.9, 0.5, 0.8), "beta2": (0.999, 0.9, 0.99), "epsilon": (1e-8, 1e-3, 1e-5)}
OPTIONS = {
    gd: {},
    momentum: {"beta": (0.9, 0.5, 0.99)},
    nesterov: {"beta": (0.9, 0.5, 0.99)},
    rmsprop: {"decay": (0.9, 0.5, 0.99), "epsilon": (1e-8, 1e-3, 1e-5)},
    adagrad: {"epsilon": (1e-8, 1e-3, 1e-5)},
    adam: ADAM,
    adamw: {**ADAM, "weight_decay": (0.01, 0.1, 0.0)},
}
OPTIMIZERS = {optimizer.__name__: optimizer for optimizer in OPTIONS}
COSTLY = (gradient_quotient, hessian, jacobian, tangent_kernel)
CHEAP = tuple(diagnostic for diagnostic in DIAGNOSTICS if diagnostic not in COSTLY)
PRECISIONS = ["float64", "float32"]
DATA = ["shared", "own"]


class Case(NamedTuple):
    """What the runs of a stack have in common."""

    sizes: tuple[int, ...] = (2, 10, 5, 1)
    activation: str = "relu"
    optimizer: str = "gd"
    precision: str = "float64"
    data: str = "shared"
    examples: int = 37
    batch_size: int | None = None
    iterations: int = 11
    output: str = "sigmoid"
    residual: bool = False
    l2: float = 0.0
    clip: float | None = None
    diagnostics: tuple[Any, ...] = CHEAP

    @property
    def network(self):
        return Network(self.sizes, self.activation, self.output, self.residual, self.l2)


class History(NamedTuple):
    """All that training leaves; the axis of the run comes last, but in the parameters."""

    costs: Any
    measures: dict[str, Any]
    parameters: Any

    def of_run(self, run):
        measures = {name: values[:, run] for name, values in self.measures.items()}
        return History(self.costs[:, run], measures, self.parameters[run])


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread():
    # With more threads BLAS may cut a matrix in other places.
    with threadpool_limits(1), np.errstate(all="ignore"):
        yield


def data_of(case, seed):
    rng = np.random.RandomState(1 if case.data == "shared" else seed)
    X, n_y = rng.randn(case.sizes[0], case.examples), case.sizes[-1]
    labels = {
        "sigmoid": rng.randint(2, size=(1, case.examples)),
        "softmax": np.eye(n_y)[:, rng.randint(n_y, size=case.examples)],
        "linear": rng.randn(n_y, case.examples),
    }
    return X.astype(case.precision), labels[case.output].astype(case.precision)


def data_of_stack(case, seeds):
    if case.data == "shared" or len(seeds) == 1:
        return data_of(case, seeds[0])
    return tuple(np.stack(part) for part in zip(*(data_of(case, s) for s in seeds), strict=True))


def update_of(case, seeds):
    """Returns the update rule, its hyper-parameters chosen by each run's seed."""
    choices = {"learning_rate": (0.1, 0.01, 0.3), **OPTIONS[OPTIMIZERS[case.optimizer]]}
    hypers = {
        name: np.array([[values[seed % 3]] for seed in seeds], case.precision)
        for name, values in choices.items()
    }
    update = partial(OPTIMIZERS[case.optimizer], **hypers)
    if case.clip is None:
        return update
    finals = np.array([[(0.5, 0.1, 0.0)[seed % 3]] for seed in seeds], case.precision)
    return clipped(
        scheduled(update, partial(cosine, final_factor=finals, warmup=3), case.iterations), case.clip
    )


def trained(case, seeds):
    parameters = (calm(case.network) * stack_of_starts(case.network, seeds)).astype(case.precision)
    batches = minibatches(seeds, case.examples, case.batch_size) if case.batch_size else None
    records = list(
        fit_and_measure(
            case.network, parameters, *data_of_stack(case, seeds), update_of(case, seeds),
            iterations=case.iterations, batches=batches, probes=[every(case.iterations, *case.diagnostics)],
        )
    )  # fmt: skip
    names = records[0].measured[0]
    measures = {name: np.stack([record.measured[0][name] for record in records]) for name in names}
    return History(np.stack([record.cost for record in records]), measures, parameters)


def trained_alone(case, seeds):
    return [trained(case, [seed]).of_run(0) for seed in seeds]


def check_same_bits(case, stack, lone_runs):
    for run, lone in enumerate(lone_runs):
        ours = stack.of_run(run)
        assert ours.costs.dtype == ours.parameters.dtype == case.precision
        assert np.isfinite(ours.costs).all()
        np.testing.assert_array_equal(ours.costs, lone.costs, strict=True)
        np.testing.assert_array_equal(ours.parameters, lone.parameters, strict=True)
        assert ours.measures.keys() == lone.measures.keys()
        for name, values in ours.measures.items():
            np.testing.assert_array_equal(values, lone.measures[name], name, strict=True)


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("activation", "optimizer"), [
    *((activation, "adam") for activation in ACTIVATIONS), *(("relu", optimizer) for optimizer in OPTIMIZERS),
])  # fmt: skip
def test_stacked_runs_equal_lone_runs(activation, optimizer, precision, batch_size):
    for data in DATA:
        case = Case(
            activation=activation, optimizer=optimizer,
            precision=precision, data=data, batch_size=batch_size, iterations=5,
        )  # fmt: skip
        seeds = range(3, 8)
        check_same_bits(case, trained(case, seeds), trained_alone(case, seeds))


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_with_residuals_l2_schedule_and_clipping_in_a_stack_equals_lone_runs(
    output, precision, batch_size
):
    for sizes in ((3, 7, 7, 7, 5), (3, 5, 11, 2), (3, 7)):
        case = Case(
            (*sizes[:-1], 1 if output == "sigmoid" else sizes[-1]), "gelu", "momentum", precision,
            batch_size=batch_size, output=output, residual=True, l2=0.01, clip=0.1, iterations=3,
            diagnostics=DIAGNOSTICS,
        )  # fmt: skip
        check_same_bits(case, trained(case, range(3)), trained_alone(case, range(3)))


@pytest.fixture(scope="module", params=[None, 64], ids=["whole", "batches"])
def batch_size(request):
    return request.param


@pytest.fixture(scope="module", params=DATA)
def data(request):
    return request.param


@pytest.fixture(scope="module", params=PRECISIONS)
def precision(request):
    return request.param


@pytest.fixture(scope="module")
def sixty_four(precision, data, batch_size):
    """A case of the notebook's size and its 64 lone runs."""
    case = Case(precision=precision, data=data, batch_size=batch_size, examples=300, iterations=5)
    return case, trained_alone(case, range(64))


@pytest.mark.parametrize("runs", [1, 2, 7, 32, 64])
def test_stacks_of_every_size_equal_lone_runs(sixty_four, runs):
    case, lone_runs = sixty_four
    # The last ones, so that a run stands at another place in every stack.
    check_same_bits(case, trained(case, range(64 - runs, 64)), lone_runs[-runs:])


@pytest.mark.parametrize(("activation", "optimizer"), [
    ("relu", "gd"), ("tanh", "momentum"), ("sigmoid", "adam"), ("linear", "gd"),
])  # fmt: skip
def test_wide_layers_in_a_stack_equal_lone_runs(precision, data, batch_size, activation, optimizer):
    case = Case(
        (2, 64, 64, 1), activation, optimizer, precision, data,
        examples=300, batch_size=batch_size, iterations=5,
    )  # fmt: skip
    check_same_bits(case, trained(case, range(5)), trained_alone(case, range(5)))


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 7, 1), (17, 13, 1, 1), (5, 31, 1)])
@pytest.mark.parametrize("examples", [1, 2, 41])
@pytest.mark.parametrize("batch_size", [None, 1, 5], ids=["whole", "ones", "fives"])
def test_odd_shapes_in_a_stack_equal_lone_runs(sizes, examples, batch_size, precision, data):
    # Axes of length 1 are where matrix products take other paths.
    case = Case(
        sizes, precision=precision, data=data,
        examples=examples, batch_size=batch_size, iterations=5,
    )  # fmt: skip
    check_same_bits(case, trained(case, range(3)), trained_alone(case, range(3)))


def test_long_training_in_a_stack_equals_lone_runs():
    case = Case(examples=300, iterations=503)
    check_same_bits(case, trained(case, range(3)), trained_alone(case, range(3)))


def test_the_order_of_the_runs_in_a_stack_does_not_matter():
    case, seeds = Case(data="own", batch_size=8), [7, 3, 11, 5, 2]
    forwards, backwards = trained(case, seeds), trained(case, seeds[::-1])
    check_same_bits(case, forwards, [backwards.of_run(run) for run in reversed(range(5))])


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predictions_of_a_stack_equal_those_of_lone_runs(activation, shared, precision):
    case = Case(activation=activation, precision=precision, data="shared" if shared else "own")
    seeds = range(7)
    parameters = (calm(case.network) * stack_of_starts(case.network, seeds)).astype(precision)
    X, Y = data_of_stack(case, seeds)
    probabilities = predict(case.network, parameters, X)
    costs, accuracies = evaluate(case.network, parameters, X, Y)
    for run in seeds:
        alone = case.network, parameters[run : run + 1]
        X_run, Y_run = data_of(case, run)
        cost, accuracy = evaluate(*alone, X_run, Y_run)
        np.testing.assert_array_equal(probabilities[run], predict(*alone, X_run)[0], strict=True)
        assert (costs[run], accuracies[run]) == (cost[0], accuracy[0])
