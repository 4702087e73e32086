"""What the terminal shows of a look through the microscope."""

import sys
from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from initlab.propagation.report import name_of, overflow_line, rows_of, sights_of, verdict_line
from initlab.propagation.setup import Observation, Specimen

PIPE_WIDTH = 200  # a pipe has no width; wide enough that no row is broken
THEORY = ("theory", "9 of 10")
COLUMNS = ("layer", "mean square", *THEORY, "correlation", THEORY[0], "gradient", *THEORY)
LEGEND = (
    "Medians over the seeds; theory: of infinite width; 9 of 10: where so many networks of this width are."
)


def print_observation(
    specimen: Specimen, choices: Mapping[str, str], observation: Observation, address: str | None
) -> None:
    """Prints medians over the seeds beside the theory at some layers, the verdict and where the run is."""
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    seeds = specimen.settings.seeds
    console.print(f"{name_of(specimen, choices)}, {seeds:,} {'seed' if seeds == 1 else 'seeds'}")
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows_of(sights_of(observation)):
        table.add_row(*row)
    console.print(table)
    console.print(LEGEND, style="dim", soft_wrap=True)
    if overflow := overflow_line(observation):
        console.print(overflow, soft_wrap=True)
    console.print(verdict_line(observation), soft_wrap=True)
    if address:
        console.print(f"By layer, with pictures, in MLflow (make ui): {address}", soft_wrap=True)
