"""Trains a small network on handwritten digits: composed by Hydra, trained by PyTorch, kept by MLflow."""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from initlab.signals import stop_on_signals
from initlab.tracking import Data, Description, Tracker


@hydra.main(config_path="conf", config_name="config", version_base="1.3")
def main(cfg: DictConfig) -> float:
    """Trains and tracks one network; returns its loss on the test examples, which a sweeper may minimize."""
    stop_on_signals()  # whoever is asked to stop ends the run as KILLED
    torch.set_num_threads(1)  # the same numbers however many jobs share the machine
    torch.manual_seed(cfg.seed)
    X_train, X_test, y_train, y_test = digits()
    network = network_of(cfg.model, inputs=64, outputs=10)
    start(network, instantiate(cfg.init))
    optimizer = instantiate(cfg.optimizer)(network.parameters())
    batches = DataLoader(TensorDataset(X_train, y_train), cfg.batch_size, shuffle=True)

    tracker = Tracker(cfg.tracking.uri, cfg.tracking.experiment, Path.cwd())
    data = Data("digits", "sklearn.datasets.load_digits", X_train.numpy(), y_train.numpy())
    with tracker.runs([description_of(cfg, data)]) as [run]:
        for epoch in range(cfg.epochs):
            loss = train(network, optimizer, batches)
            test_loss, accuracy = evaluate(network, X_test, y_test)
            metrics = {"loss/train": loss, "loss/test": test_loss, "accuracy/test": accuracy}
            run.log(metrics, steps=epoch)
        run.write({"config.yaml": OmegaConf.to_yaml(cfg).encode(), "weights.pt": weights_of(network)})
        run.finish({"final_loss": test_loss})
    print(f"{accuracy:.1%} of the test digits are recognized: {tracker.run_address(run.run_id)}")
    return test_loss


def digits() -> list[Tensor]:
    """Returns X_train (m, 64), X_test, y_train (m,), y_test: pixels from 0 to 1 and the digits they show."""
    X, y = load_digits(return_X_y=True)
    parts = train_test_split((X / 16).astype("float32"), y, test_size=0.25, random_state=0, stratify=y)
    return [torch.from_numpy(part) for part in parts]


def network_of(model: DictConfig, inputs: int, outputs: int) -> nn.Sequential:
    """Returns linear layers of the hidden widths with the activation between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise([inputs, *model.hidden, outputs]):
        layers += [nn.Linear(fan_in, fan_out), instantiate(model.activation)]
    return nn.Sequential(*layers[:-1])


def start(network: nn.Sequential, init: Any) -> None:
    """Draws the weights of every linear layer by ``init``, one of ``torch.nn.init``; biases start at 0."""
    for layer in network:
        if isinstance(layer, nn.Linear):
            init(layer.weight)
            nn.init.zeros_(layer.bias)


def train(network: nn.Module, optimizer: torch.optim.Optimizer, batches: DataLoader[Any]) -> float:
    """Makes one pass over the batches and returns their mean loss, each before its update."""
    losses = []
    for X, y in batches:
        loss = cross_entropy(network(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def evaluate(network: nn.Module, X: Tensor, y: Tensor) -> tuple[float, float]:
    """Returns the loss and the accuracy."""
    logits = network(X)
    return cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def weights_of(network: nn.Module) -> bytes:
    """Returns the parameters as ``torch.load`` reads them."""
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    return buffer.getvalue()


def description_of(cfg: DictConfig, data: Data) -> Description:
    """Returns a run's name, its whole config as parameters, and what was chosen from each group as tags."""
    hydra_cfg = HydraConfig.get()
    tags = {group: hydra_cfg.runtime.choices[group] for group in ("model", "init", "optimizer")}
    tags |= {"seed": str(cfg.seed), "version.torch": str(torch.__version__)}
    if hydra_cfg.mode == RunMode.MULTIRUN:
        tags["sweep"] = Path(hydra_cfg.sweep.dir).name
    return Description(f"{tags['init']}-seed{cfg.seed}", dict(leaves(cfg)), tags, data)


def leaves(cfg: DictConfig, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yields the values of a nested config by their dotted keys: optimizer.lr, 0.02."""
    for key, value in cfg.items():
        if isinstance(value, DictConfig):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


if __name__ == "__main__":
    main()
