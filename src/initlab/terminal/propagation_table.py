"""What the terminal shows of a look through the microscope."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from initlab.numerals import number
from initlab.propagation.report import Curves, LayerCurve, curves_of, name_of, overflow_line, verdict_line
from initlab.propagation.setup import Observation, Setup
from initlab.terminal.tables import Column, print_table, stdout
from initlab.terminal.wording import ui_command

MOST_ROWS = 12
MEASURED = ("mean square", "correlation", "gradient")
LEGEND = "theory: of infinite width; 9 of 10: where nine of ten networks of this width are."


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
    layers, *blocks = columns_of(curves_of(observation))
    print_table(console, layers, blocks)
    console.print(
        f"Medians over the seeds; {LEGEND}" if settings.seeds > 1 else LEGEND.capitalize(), style="dim"
    )
    if overflow := overflow_line(observation):
        console.print(overflow)
    console.print(verdict_line(observation))
    if address and settings.tracking.uri:
        command = ui_command(settings.tracking.uri, folder)
        console.print(
            f"By layer, with pictures, in MLflow{command and f' ({command})'}: {address}", soft_wrap=True
        )


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
        Column("theory", [*map(number, curve.predicted[at])]),
    ]
    if curve.band_low is not None and curve.band_high is not None:
        bands = zip(curve.band_low[at], curve.band_high[at], strict=True)
        cells = ["–" if np.isnan(low) else f"[{number(low)}, {number(high)}]" for low, high in bands]
        block.append(Column("9 of 10", cells))
    return block
