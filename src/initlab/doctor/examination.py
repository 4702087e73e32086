"""The checks in their order, and what comes of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from initlab import signals
from initlab.doctor.database import damaged, outdated, strange_rows
from initlab.doctor.fault import Fault
from initlab.doctor.files import lost
from initlab.doctor.histories import disagreeing
from initlab.doctor.identities import doubled
from initlab.doctor.latest import outdated_latest
from initlab.doctor.leftovers import checkpoints, undelivered
from initlab.doctor.patient import Patient
from initlab.doctor.places import elsewhere
from initlab.doctor.statuses import stale
from initlab.tracking.integrity import is_database, is_sqlite


@dataclass(frozen=True)
class Check:
    """A check by its name. It is made where ``possible`` says so of the store's URI; a ``vital`` one that
    finds something is the last one.
    """

    name: str
    find: Callable[[Patient], list[Fault]]
    possible: Callable[[str], bool] = lambda uri: True
    vital: bool = False


CHECKS = (
    Check("database", damaged, is_sqlite, vital=True),
    Check("schema", outdated, is_database, vital=True),
    Check("rows", strange_rows, is_sqlite),
    Check("statuses", stale),
    Check("doubles", doubled),
    Check("places", elsewhere, is_sqlite),
    Check("files", lost),
    Check("histories", disagreeing, is_database),
    Check("latest values", outdated_latest, is_database),
    Check("spool", undelivered),
    Check("checkpoints", checkpoints),
)


@dataclass(frozen=True)
class Result:
    """What a check found, and what was done about each fault, '' where nothing was; ``faults`` is None if it
    was not made. Where it is ``fatal`` nothing else can be asked of the store.
    """

    check: str
    faults: Sequence[Fault] | None
    done: Sequence[str] = ()
    fatal: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, or no longer."""
        faults = zip(self.faults or (), self.done, strict=True)
        return all(fault.harmless or done for fault, done in faults)


def examine(
    patient: Patient,
    before_mending: Callable[[], None] | None = None,
    tell: Callable[[str], None] = lambda check: None,
) -> Iterator[Result]:
    """Yields the result of each check in turn; tells the name of each that is made.

    With ``before_mending`` what can be mended is mended before the next check; it is called before each time.
    """
    over = False
    for check in CHECKS:
        if over or not check.possible(patient.uri):
            yield Result(check.name, None)
            continue
        signals.check()
        tell(check.name)
        faults = check.find(patient)
        done = [_mended(fault, before_mending) for fault in faults]
        if any(done):
            patient = replace(patient)  # which reads anew
        over = check.vital and bool(faults)
        yield Result(check.name, faults, done, fatal=over)


def _mended(fault: Fault, before_mending: Callable[[], None] | None) -> str:
    if before_mending is None or fault.mend is None:
        return ""
    before_mending()
    return fault.mend()
