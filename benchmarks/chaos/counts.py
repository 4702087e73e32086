"""What is counted of a sweep when all is over: jobs that were lost, doubled, left RUNNING, or have other
bits.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from .state import Tracked, numbers_of
from .stores import Place
from .undisturbed import Numbers, Undisturbed


@dataclass(frozen=True)
class Count:
    """How many of a sweep's ``jobs`` never FINISHED, FINISHED more than once, and FINISHED with other numbers
    than the undisturbed sweep's; how many runs are RUNNING though nothing runs, or count without having
    FINISHED; and whether the store is ruined.
    """

    jobs: int
    lost: int = 0
    doubled: int = 0
    other_bits: int = 0
    running: int = 0
    unfinished: int = 0
    ruined: bool = False

    @property
    def problems(self) -> list[str]:
        """What should not have been."""
        words = {
            "lost": "jobs never FINISHED",
            "doubled": "jobs FINISHED more than once",
            "other_bits": "jobs have other numbers than undisturbed",
            "running": "runs are RUNNING, and nothing runs",
            "unfinished": "runs count and have not FINISHED",
            "ruined": "store is ruined",
        }
        found = ((int(getattr(self, name)), what) for name, what in words.items())
        return [f"{number} {what}" for number, what in found if number]


def count(place: Place, usual: Undisturbed, kept: tuple[str, ...]) -> Count:
    """Returns what there is in the end, beside what an undisturbed sweep comes to."""
    jobs = len(usual.jobs)
    if not place.opens():
        return Count(jobs, lost=jobs, ruined=True)
    try:
        runs = place.runs()
    except SQLAlchemyError:
        return Count(jobs, lost=jobs, ruined=True)
    finished = [run for run in runs if run.status == "FINISHED"]
    times = Counter(run.job for run in finished)
    counting = [run for run in finished if run.counts]
    return Count(
        jobs,
        lost=len(usual.jobs.keys() - {run.job for run in counting}),
        doubled=sum(number > 1 for job, number in times.items() if job in usual.jobs),
        other_bits=sum(numbers != usual.jobs.get(job) for job, numbers in _numbers(counting, place, kept)),
        running=sum(run.status == "RUNNING" for run in runs),
        unfinished=sum(run.counts for run in runs if run.status != "FINISHED"),
    )


def _numbers(runs: Iterable[Tracked], place: Place, kept: tuple[str, ...]) -> Iterable[tuple[str, Numbers]]:
    return ((run.job, numbers_of(run, place.database, place.files(run), kept)) for run in runs)
