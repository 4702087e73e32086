"""Keeps what the microscope saw as an MLflow run, whose steps are the layers."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml
from omegaconf import DictConfig

from initlab.config.schema import leaves
from initlab.propagation import report
from initlab.propagation.curves import curves_of, metrics_by_layer
from initlab.propagation.jacobian import Spectra, jacobian_line
from initlab.propagation.setup import Observation, Setup, observe, setup_of
from initlab.propagation.verdict import verdict_line, verdict_of
from initlab.tracking import Description, Run, Tracker
from initlab.tracking.beginning import begin_with


def look(
    cfg: DictConfig, tags: Mapping[str, str], folder: Path | str = "."
) -> tuple[Setup, Observation, str | None]:
    """Returns what is looked at, what was seen and, where it is tracked, the run's address: none of one that
    waits for a store that does not answer.

    ``tags`` must hold the choices of model, init and bias; a relative path in ``tracking.uri`` is seen from
    ``folder``.
    """
    setup = setup_of(cfg)
    tracking = setup.settings.tracking
    if tracking.uri is None:
        return setup, observe(setup), None
    begin_with(tracking.uri, Path(folder))
    tracker = Tracker(tracking.uri, tracking.experiment, Path(folder).absolute())
    with tracker.runs([_description(setup, tags)]) as [run]:
        observation = observe(setup)
        _keep(run, setup, tags, observation)
    return setup, observation, None if run.waits else tracker.file_address(run.run_id)


def _description(setup: Setup, tags: Mapping[str, str]) -> Description:
    known = {**tags, "activation": setup.network.activation_name, "seed": str(setup.settings.seed)}
    return Description(report.name_of(setup, tags), leaves(setup.values), known)


def _keep(run: Run, setup: Setup, tags: Mapping[str, str], observation: Observation) -> None:
    """Writes the metrics and the files of a run, and how it ends."""
    curves = curves_of(observation)
    run.log(metrics_by_layer(curves), np.arange(1, len(curves.forward.median) + 1))
    title = report.name_of(setup, tags)
    files = {
        "config.yaml": yaml.safe_dump(dict(setup.values), sort_keys=False, allow_unicode=True).encode(),
        "propagation.npz": _arrays(setup, observation),
        "propagation.png": report.picture_of(curves, title, verdict_line(observation).split(";")[0]),
    }
    if observation.spectra is not None:
        spectra = observation.spectra
        named = {f"jacobian/{name}": values for name, values in spectra.summary.items()}
        run.log(named | {"jacobian/predicted_variance": spectra.predicted}, np.array(spectra.layers))
        subtitle = jacobian_line(spectra).rstrip(".")
        files["jacobian.png"] = report.spectrum_picture(spectra, title, subtitle)
        files["jacobian.npz"] = _singular_values(spectra)
    run.write(files)
    said = {
        "verdict": verdict_of(observation),
        "mlflow.note.content": report.describe(setup, tags, observation),
    }
    run.finish(report.metrics_of(observation.phase), said)


def _singular_values(spectra: Spectra) -> bytes:
    """Returns all singular values of every seed (R, k), by layer, as an NPZ file."""
    by_layer = {f"layer{layer}": values for layer, values in zip(spectra.layers, spectra.values, strict=True)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, predicted_variance=spectra.predicted, **by_layer)
    return buffer.getvalue()


def _arrays(setup: Setup, observation: Observation) -> bytes:
    """Returns what was measured of every seed (R, L) and what the theory says (L,) as an NPZ file."""
    predicted = {f"predicted_{name}": values for name, values in vars(observation.predicted).items()}
    given = {"sigma_w2": observation.given.sigma_w2, "sigma_b2": observation.given.sigma_b2}
    buffer = io.BytesIO()
    arrays = vars(observation.measured) | predicted | given
    np.savez(buffer, allow_pickle=False, seeds=np.array(setup.seeds), **arrays)
    return buffer.getvalue()
