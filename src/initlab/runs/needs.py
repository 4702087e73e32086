"""How much memory a run needs, told from its settings and shapes before any is asked for."""

from initlab.config.schema import Settings
from initlab.datasets import Dataset
from initlab.errors import ConfigError
from initlab.memory import in_words, machine_bytes
from initlab.networks.network import Network

COPIES = 6  # of the parameters: the start, where they stand, the gradient, what an optimizer keeps, scratch
PER_UNIT = 4  # numbers of a unit for each example: its input, z, delta and scratch
PER_ITERATION = 16  # bytes: a cost and a time
PER_NUMBER = 120  # bytes of a measured number while it stands alone in Python
PER_PLACE = 100  # bytes of an iteration in a set of them


def check_memory(settings: Settings, dataset: Dataset, network: Network) -> None:
    """Raises ConfigError, naming the setting that asks for most, where a run needs more than there is."""
    has, needs = machine_bytes(), needs_of(settings, dataset, network)
    total = sum(needs.values())
    if has is not None and total > has:
        largest = max(needs, key=lambda name: needs[name])
        needed = f"with this the run needs {in_words(total)} of memory"
        raise ConfigError(f"{largest}: {needed}; this machine has {in_words(has)}")


def needs_of(settings: Settings, dataset: Dataset, network: Network) -> dict[str, int]:
    """Returns about how many bytes a run needs, by the setting that asks for them."""
    train, plots, measured = settings.train, settings.plots, settings.diagnostics
    number = 4 if train.precision == "float32" else 8
    parameters = number * sum(n_out * (n_in + 1) for n_out, n_in in network.shapes)
    examples = train.batch_size or dataset.X_train.shape[-1]
    layers, times = len(network.shapes), train.iterations // measured.every
    sizes = network.sizes[1:-1]
    shown = f"of {len(sizes)} × {sizes[0]}" if len(sizes) > 3 else list(sizes)
    return {
        f"model, hidden layers {shown}": COPIES * parameters + number * PER_UNIT * sum(sizes) * examples,
        f"train.iterations={train.iterations}": PER_ITERATION * train.iterations
        + times * (PER_PLACE + PER_NUMBER * layers * len(measured.names)),
        f"plots.frames={plots.frames}": PER_PLACE * plots.frames
        + parameters * min(plots.frames, train.iterations),
        f"diagnostics.points={measured.points}": PER_PLACE * measured.points
        + PER_NUMBER * layers * len(measured.rare) * min(measured.points, train.iterations),
    }
