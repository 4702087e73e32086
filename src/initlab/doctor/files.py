"""Does every finished training run have its files, and can they be read?"""

from collections.abc import Callable

import yaml

from initlab.doctor.expected import history_of
from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.errors import TrackingError
from initlab.numerals import counted
from initlab.runs.stored import CONFIG, HISTORY, WEIGHTS
from initlab.signals import check
from initlab.tracking.inspection import TrackedRun, files_of
from initlab.tracking.places import local_folder
from initlab.tracking.reading import file_of

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times faster
FILES = (CONFIG, HISTORY, WEIGHTS)
AGAIN = "nothing: train them again"


def lost(patient: Patient) -> list[Fault]:
    """Returns which files are not there, and which cannot be read."""
    return [*missing(patient), *unreadable(patient)]


def missing(patient: Patient) -> list[Fault]:
    """Returns which files are not there."""
    trained = patient.trained
    there = files_of(patient.uri, trained)
    faults = []
    for name in FILES:
        without = [run for run, names in zip(trained, there, strict=True) if name not in names]
        if without:
            faults.append(Fault(f"{name} is missing in {counted(len(without), 'run')}", AGAIN, without))
    return faults


def unreadable(patient: Patient) -> list[Fault]:
    """Returns which files on this machine's disks are there but cannot be read."""
    readers = {CONFIG: _read_config, HISTORY: history_of, WEIGHTS: _read_weights}
    local = [run for run in patient.trained if local_folder(run.place) is not None]
    faults = []
    if others := len(patient.trained) - len(local):
        found = f"the files of {counted(others, 'run')} are not on this machine's disks"
        faults.append(Fault(found, "nothing: they are there, but were not read", harmless=True))
    for name, read in readers.items():
        broken = [run for run in local if _is_there(run, name) and not _can(read, patient, run)]
        if broken:
            faults.append(Fault(f"{name} cannot be read in {counted(len(broken), 'run')}", AGAIN, broken))
    return faults


def _is_there(run: TrackedRun, name: str) -> bool:
    folder = local_folder(run.place)
    return folder is not None and (folder / name).is_file()


def _can(read: Callable[[Patient, TrackedRun], object], patient: Patient, run: TrackedRun) -> bool:
    check()
    try:
        read(patient, run)
    except TrackingError:
        return False
    return True


def _read_config(patient: Patient, run: TrackedRun) -> None:
    with file_of(patient.uri, run.run_id, run.place, CONFIG) as path:
        try:
            values = yaml.load(path.read_text(), LOADER)
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            raise TrackingError(f"{path}: cannot be read") from error
    if not isinstance(values, dict):
        raise TrackingError(f"{path}: is not a config")


def _read_weights(patient: Patient, run: TrackedRun) -> None:
    patient.arrays(run, WEIGHTS)
