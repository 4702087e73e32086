"""The cases: networks that train well, each with faults put into its config one at a time; and AutoTrainer's.

A case is a list of overrides, what a user types. Whether it is faulty is not said here: that is told by how
its training went (``labels``). What is said here is the fault that was put in.

Cases are divided by architecture, before anything was tuned: those with an odd number of hidden layers are
tuned on, those with an even number are only measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

RATE = "optimizer.learning_rate"


@dataclass(frozen=True)
class Base:
    """A network, its data and a training of it that goes well."""

    dataset: str
    hidden: tuple[int, ...]
    activation: str
    optimizer: str
    rate: float
    iterations: int
    options: tuple[str, ...] = ()

    @property
    def init(self) -> str:
        """The start made for the activation."""
        return (
            "he" if "elu" in self.activation or self.activation in ("silu", "softplus") else "glorot_normal"
        )

    def overrides(self) -> tuple[str, ...]:
        """Returns its config."""
        return (
            f"dataset={self.dataset}",
            f"model.hidden=[{','.join(map(str, self.hidden))}]",
            f"model.activation={self.activation}",
            f"init={self.init}",
            f"optimizer={self.optimizer}",
            f"{RATE}={self.rate:g}",
            f"train.iterations={self.iterations}",
            *self.options,
        )


@dataclass(frozen=True)
class Case:
    """One training: the ``group`` it belongs to, how many hidden layers, what was put in (None: nothing) and
    the ``control``, the overrides of the same training without it.
    """

    group: str
    layers: int
    overrides: tuple[str, ...]
    fault: str | None = None
    control: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether it is only measured, never tuned on."""
        return self.layers % 2 == 0


WIDE = ("dataset.n_train=500", "dataset.n_test=300")
MANY = ("dataset.n_train=1500", "dataset.n_test=500")
UNSCALED = ("dataset.scale=1",)
TENTH = ("dataset.scale=0.1",)
NOISY = ("dataset.noise=0.2",)
BATCHES = ("train.batch_size=64",)

BASES = (
    Base("circles", (16,), "relu", "momentum", 0.1, 1500, WIDE),
    Base("circles", (16, 8), "relu", "gd", 0.5, 2500, WIDE),
    Base("moons", (12, 12, 12), "tanh", "gd", 0.3, 2000, (*WIDE, *NOISY)),
    Base("moons", (20, 20), "tanh", "gd", 0.5, 2000, (*WIDE, *NOISY)),
    Base("autotrainer_circle", (20, 20, 20), "relu", "adam", 0.01, 800, UNSCALED),
    Base("autotrainer_circle", (16, 16, 16, 16), "tanh", "adam", 0.005, 800, UNSCALED),
    Base("autotrainer_blob", (10, 10, 10), "softsign", "momentum", 0.05, 1500, TENTH),
    Base("autotrainer_blob", (12, 12), "elu", "gd", 0.1, 1500, TENTH),
    Base("spirals", (32, 32, 32), "relu", "adam", 0.01, 800, WIDE),
    Base("spirals", (40, 40), "tanh", "adam", 0.01, 1000, WIDE),
    Base("gaussian_quantiles", (24,), "tanh", "adam", 0.02, 1000, MANY),
    Base("gaussian_quantiles", (20, 20), "relu", "adam", 0.01, 800, WIDE),
    Base("moons", (16,) * 5, "relu", "momentum", 0.05, 1500, (*WIDE, *NOISY, *BATCHES)),
    Base("moons", (16,) * 6, "relu", "momentum", 0.05, 1500, (*WIDE, *NOISY, *BATCHES)),
    Base("xor", (16, 16, 16), "gelu", "adam", 0.005, 1000, (*WIDE, *BATCHES)),
    Base("xor", (16, 16), "sigmoid", "adam", 0.02, 1500, (*WIDE, *BATCHES)),
    Base("blobs", (10,) * 7, "tanh", "gd", 0.05, 1200, WIDE),
    Base("blobs", (10,) * 8, "selu", "gd", 0.05, 1200, WIDE),
)

# Each fault: what it changes in a base's config. Some suit some bases only.


def faults_of(base: Base) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields each fault that suits a base, with the overrides that put it in."""
    adaptive = base.optimizer == "adam"
    deep = len(base.hidden) >= 5
    yield "large rate", (f"{RATE}={base.rate * (300 if adaptive else 1000):g}",)
    yield "large rate", (f"{RATE}={base.rate * 60:g}",)
    yield "small rate", (f"{RATE}={base.rate * 1e-4:g}",)
    yield "small rate", (f"{RATE}={base.rate * 3e-3:g}",)
    yield "too short", (f"train.iterations={max(5, base.iterations // 100)}",)
    yield "too short", (f"train.iterations={max(10, base.iterations // 30)}",)
    yield "small start", ("init=small_random", f"init.scale={1e-2 if deep else 1e-4:g}")
    yield "small start", ("init=normal", f"init.std={0.05 if deep else 1e-6:g}")
    yield "large start", ("init=random", "init.scale=30")
    yield "large start", ("init=random", "init.scale=10")
    yield "symmetry", ("init=zeros",)
    yield "symmetry", ("init=constant", "init.value=0.3")
    yield "biases", ("bias=constant", "bias.value=-20")
    yield "penalty", ("model.l2=1",)
    yield "penalty", ("model.l2=0.1",)
    yield "capacity", ("model.hidden=[1]",)
    yield "capacity", ("model.hidden=[]",)
    yield "warm-up", ("schedule=warmup", f"schedule.warmup={base.iterations * 3000}")
    yield (
        "decay",
        ("schedule=step", "schedule.factor=0.1", f"schedule.every={max(2, base.iterations // 200)}"),
    )
    if not adaptive:
        yield "clip", ("train.clip=0.0001",)
        yield "clip", ("train.clip=0.001",)
        yield "batch noise", ("train.batch_size=1", f"{RATE}={base.rate * 2:g}")
    if "autotrainer" in base.dataset:
        yield "unscaled inputs", ("dataset.scale=100",)


def healthy_variants(base: Base) -> Iterator[tuple[str, ...]]:
    """Yields changes that should do no harm."""
    yield from ((f"seed={seed}",) for seed in range(4, 10))
    yield (f"{RATE}={base.rate * 0.6:g}",)
    yield (f"{RATE}={base.rate * 1.5:g}",)
    yield ("model.l2=1e-5",)
    yield ("train.clip=10",)
    yield ("init=lsuv",)
    yield ("schedule=cosine",)
    yield ("schedule=warmup",)
    yield (f"train.iterations={base.iterations * 2}",)


def made_cases() -> Iterator[Case]:
    """Yields every base, its harmless variants and its faults."""
    for base in BASES:
        plain, layers = base.overrides(), len(base.hidden)
        group = f"{base.dataset} {list(base.hidden)} {base.activation}"
        yield Case(group, layers, plain, None, plain)
        for change in healthy_variants(base):
            yield Case(group, layers, (*plain, *change), None, plain)
        for fault, change in faults_of(base):
            yield Case(group, layers, (*plain, *change), fault, plain)


VS, RU = "init=he_uniform", "init=uniform"
PUBLISHED = (  # dataset, activation, start, numbers of hidden layers: REFERENCE's list of architectures
    ("autotrainer_circle", "exponential", VS, (8, 9, 10, 11)),
    ("autotrainer_circle", "sigmoid", VS, (11, 12, 13)),
    ("autotrainer_circle", "relu", VS, (15, 16, 17)),
    ("autotrainer_circle", "relu", RU, (8, 9)),
    ("autotrainer_circle", "tanh", VS, (5, 6, 8, 9, 11, 12, 15, 16)),
    ("autotrainer_blob", "exponential", VS, (8, 9, 10)),
    ("autotrainer_blob", "sigmoid", VS, (11, 12)),
    ("autotrainer_blob", "relu", VS, (15,)),
    ("autotrainer_blob", "relu", RU, (8, 9)),
    ("autotrainer_blob", "tanh", VS, (5, 6, 8, 9, 11, 12, 15, 16)),
)
# The training configurations are not public: these are swept.
TRAININGS = (
    ("optimizer=gd", f"{RATE}=0.01"),
    ("optimizer=adam", f"{RATE}=0.001"),
    ("optimizer=adam", f"{RATE}=0.01"),
)


def published_cases() -> Iterator[Case]:
    """Yields AutoTrainer's architectures, each with every training that is swept, on features as published
    and on features of ordinary size.
    """
    for dataset, activation, start, depths in PUBLISHED:
        scales = ("dataset.scale=100", f"dataset.scale={1 if dataset == 'autotrainer_circle' else 0.2}")
        for depth, training, scale in product(depths, TRAININGS, scales):
            hidden = f"model.hidden=[{','.join(['5'] * depth)}]"
            data = (f"dataset={dataset}", scale)
            rest = (*data, hidden, f"model.activation={activation}", start, *training)
            yield Case(
                f"{dataset} {depth} × 5 {activation} {start[5:]}",
                depth,
                (*rest, "train.iterations=2000", "train.batch_size=32"),
                "published",
            )
