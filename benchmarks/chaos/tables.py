"""What came of all cases, as tables in markdown, of results as plain values."""

from collections.abc import Callable, Sequence
from typing import Any

from tools.generated import table

from .faults import SECONDS_TO_STOP
from .moments import MOMENTS

Facts = dict[str, Any]

NAMES = {"initlab": "Initlab", "basic": "plain, basic launcher", "joblib": "plain, joblib launcher"}


def _sum(key: str) -> Callable[[Sequence[Facts]], str]:
    return lambda results: f"{sum(int(one[key]) for one in results):,}"


def _blows(results: Sequence[Facts]) -> list[Facts]:
    return [blow for one in results for blow in one["blows"]]


def _stops(results: Sequence[Facts]) -> list[float]:
    return [blow["seconds"] for blow in _blows(results) if blow["seconds"] is not None]


def _slowest(results: Sequence[Facts]) -> str:
    stops = _stops(results)
    return f"{max(stops):.1f} s" if stops else "–"


COUNTED: dict[str, Callable[[Sequence[Facts]], str]] = {
    "sweeps disturbed": lambda results: f"{len(results):,}",
    "faults": lambda results: f"{len(_blows(results)):,}",
    "jobs in these sweeps": _sum("jobs"),
    "jobs that never FINISHED": _sum("lost"),
    "jobs that FINISHED more than once": _sum("doubled"),
    "jobs with other numbers than undisturbed": _sum("other_bits"),
    "runs left RUNNING": _sum("running"),
    "stores ruined": _sum("ruined"),
    "processes that lived on": lambda results: f"{sum(blow['orphans'] for blow in _blows(results)):,}",
    "slowest stop": _slowest,
    f"stops that took more than {SECONDS_TO_STOP} s": lambda results: str(
        sum(seconds > SECONDS_TO_STOP for seconds in _stops(results))
    ),
}


def totals(results: Sequence[Facts]) -> str:
    """Returns what is counted, with a column for each application."""
    names = [name for name in NAMES if any(one["application"] == name for one in results)]
    of = {name: [one for one in results if one["application"] == name] for name in names}
    rows = [[what, *(counted(of[name]) for name in names)] for what, counted in COUNTED.items()]
    return table(["after each sweep was gone on with", *(NAMES[name] for name in names)], rows)


def by_kind(results: Sequence[Facts]) -> str:
    """Returns a row for each kind of first fault."""
    kinds = sorted({one["kind"] for one in results}, key=_rank)
    head = ["first fault", "sweeps", "slowest stop", "lost", "doubled", "RUNNING", "other bits", "ruined"]
    keys = "lost", "doubled", "running", "other_bits", "ruined"
    rows = []
    for kind in kinds:
        of = [one for one in results if one["kind"] == kind]
        rows.append([kind, str(len(of)), _slowest(of), *(_sum(key)(of) for key in keys)])
    return table(head, rows)


def _rank(kind: str) -> tuple[str, str]:
    signal, _, target = kind.partition(" to the ")
    return target or "x", signal


def by_moment(results: Sequence[Facts]) -> str:
    """Returns how many faults came at which moment, of sweeps whose store was new and of others."""
    rows = []
    for moment in MOMENTS:
        blows = [[blow["moment"] == moment for blow in one["blows"]] for one in results]
        first = [sum(of) for of, one in zip(blows, results, strict=True) if one["first"]]
        rows.append([moment, str(sum(map(sum, blows))), str(sum(first))])
    return table(["the moment of a fault", "faults", "of these at a first start"], rows)
