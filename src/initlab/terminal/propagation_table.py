"""What the terminal shows of a look through the microscope."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from initlab.numerals import number
from initlab.propagation.curves import Curves, LayerCurve, curves_of
from initlab.propagation.jacobian import Spectra, jacobian_line
from initlab.propagation.report import name_of
from initlab.propagation.setup import Observation, Setup
from initlab.propagation.verdict import bands_line, depth_line, overflow_line, verdict_line
from initlab.terminal.tables import Column, print_table, stdout
from initlab.terminal.wording import ui_command

MOST_ROWS = 12
MEASURED = ("mean square", "correlation", "gradient")
AT_WIDTH = "theory: the median of networks of this width; 9 of 10: where nine of ten of them are."
AT_INFINITY = "theory: of infinite width."


def print_observation(
    setup: Setup,
    choices: Mapping[str, str],
    observation: Observation,
    address: str | None,
    folder: Path | str = ".",
) -> None:
    """Prints medians over the seeds beside the theory at some layers, the verdict and where the run is.

    ``folder`` is where the command was started.
    """
    console, settings = stdout(), setup.settings
    seeds = "1 seed" if settings.seeds == 1 else f"{settings.seeds:,} seeds"
    console.print(f"{name_of(setup, choices)}, {seeds}")
    curves = curves_of(observation)
    layers, *blocks = columns_of(curves)
    print_table(console, layers, blocks)
    console.print(_legend(curves, settings.seeds), style="dim")
    lines = overflow_line(observation), verdict_line(observation), depth_line(curves), bands_line(observation)
    for line in filter(None, lines):
        console.print(line)
    if observation.spectra is not None:
        _print_spectra(console, observation.spectra)
    if address and settings.tracking.uri:
        command = ui_command(settings.tracking.uri, folder)
        console.print(
            f"By layer, with pictures, in MLflow{command and f' ({command})'}: {address}", soft_wrap=True
        )


def _print_spectra(console: Console, spectra: Spectra) -> None:
    """Prints the Jacobian's singular values at some layers, medians over the seeds, and what they come to."""
    console.print("\nJacobian of the activations by the inputs: its singular values")
    names = {
        "largest": "largest", "upper_quartile": "75 %", "median": "median", "lower_quartile": "25 %",
        "smallest": "smallest", "condition": "condition", "variance": "Var(JJᵀ)",
    }  # fmt: skip
    summary = spectra.summary
    columns = [Column(words, [*map(number, summary[name])]) for name, words in names.items()]
    columns.append(Column("theory", [*map(number, spectra.predicted)]))
    print_table(console, [Column("layer", [str(layer) for layer in spectra.layers])], [columns])
    console.print(
        "Var(JJᵀ): of the squares, over their squared mean; theory: of infinite width.", style="dim"
    )
    console.print(jacobian_line(spectra))


def _legend(curves: Curves, seeds: int) -> str:
    """Returns what the columns are."""
    words = []
    if seeds > 1:
        words.append("medians over the seeds")
    if not np.isnan(curves.forward.theory).all():
        words.append(AT_INFINITY if np.isnan(curves.forward.band_low).all() else AT_WIDTH)
    text = "; ".join(words).removesuffix(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def columns_of(curves: Curves) -> list[list[Column]]:
    """Returns the layers, log-spaced if there are many, and three blocks of columns beside them: what was
    measured of each quantity, its theory and its band.
    """
    layers = len(curves.forward.median)
    shown = np.unique(np.rint(np.geomspace(1, layers, MOST_ROWS)).astype(int))
    shown = np.arange(1, layers + 1) if layers <= MOST_ROWS else shown
    blocks = [_block(name, curve, shown - 1) for name, curve in zip(MEASURED, curves, strict=True)]
    return [[Column("layer", [str(layer) for layer in shown])], *blocks]


def _block(name: str, curve: LayerCurve, at: NDArray[np.int64]) -> list[Column]:
    block = [
        Column(name, [*map(number, curve.median[at])]),
        Column("theory", [*map(number, curve.theory[at])]),
    ]
    if not np.isnan(curve.band_low).all():
        bands = zip(curve.band_low[at], curve.band_high[at], strict=True)
        cells = ["–" if np.isnan(low) else f"[{number(low)}, {number(high)}]" for low, high in bands]
        block.append(Column("9 of 10", cells))
    return block
