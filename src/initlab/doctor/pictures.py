"""The pictures of boundaries along the training: which can go, and removing them."""

from collections.abc import Sequence
from pathlib import Path

from initlab.tracking.inspection import TrackedRun
from initlab.tracking.places import local_folder


def older(runs: Sequence[TrackedRun], keep: int) -> list[TrackedRun]:
    """Returns the finished training runs of all sweeps but the newest ``keep`` of each experiment.

    ``runs`` are in the order of their start. One that is of no sweep is never among them.
    """
    newest: dict[str, dict[str, None]] = {}
    for run in reversed(runs):
        if "sweep" in run.tags:
            newest.setdefault(run.experiment, {})[run.tags["sweep"]] = None
    kept = {name: list(sweeps)[:keep] for name, sweeps in newest.items()}
    return [
        run for run in runs
        if run.trained and "sweep" in run.tags and run.tags["sweep"] not in kept[run.experiment]
    ]  # fmt: skip


def frames_of(run: TrackedRun) -> list[Path]:
    """Returns the pictures of a run's boundary along its training, as far as they are on this machine."""
    folder = local_folder(run.place)
    return sorted(folder.glob("images/boundary+step+*")) if folder else []


def remove_frames(runs: Sequence[TrackedRun]) -> tuple[int, int]:
    """Removes these pictures of the runs, and returns how many they were and their bytes."""
    paths = [path for run in runs for path in frames_of(run)]
    size = sum(path.stat().st_size for path in paths)
    for path in paths:
        path.unlink()
    return len(paths), size
