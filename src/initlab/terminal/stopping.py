"""What the terminal says of a command that was stopped, or whose processes died, and how to go on."""

from collections.abc import Iterator, Sequence

from initlab.runs.outcome import Outcome
from initlab.signals import Stopped
from initlab.sweeps.launched import Launched

AT_ONCE = (
    "Ended at once. A run that was under way stays RUNNING until the next command on\nits store marks it."
)


def words_of_stop(stopped: Stopped, outcomes: Sequence[Outcome], told: Launched) -> list[str]:
    """Returns what was done when a signal stopped a command, and what has become of the runs under way."""
    killed, unmarked = (told.killed, told.unmarked) if told.jobs else (stopped.killed, stopped.unmarked)
    return [f"Stopped by {stopped}{_done(outcomes, told)}.", *_marked(killed, unmarked)]


def words_of_deaths(told: Launched) -> list[str]:
    """Returns how many processes died in a sweep, of what, and what was done about it."""
    if not told.deaths:
        return []
    count = len(told.deaths)
    who = "1 process died" if count == 1 else f"{count:,} processes died"
    again = f"{_jobs(told.again)} of it tried again" if told.again else "nothing of it tried again"
    return [f"{who} ({', '.join(dict.fromkeys(told.deaths))}), {again}."]


def _done(outcomes: Sequence[Outcome], told: Launched) -> str:
    if not told.jobs:
        return ""
    finished = sum(outcome.summary is not None for outcome in outcomes)
    return f" when {finished:,} of {_jobs(told.jobs)} had finished"


def _marked(killed: int, unmarked: int) -> Iterator[str]:
    if killed:
        yield f"{_runs(killed)} under way {'is' if killed == 1 else 'are'} marked KILLED."
    if unmarked:
        yield f"{_runs(unmarked)} could not be marked; the next command on the store does it."


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"
