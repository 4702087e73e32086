"""The runs of a stack's jobs: a new one for each or, where they are resumed, for those that are still to be
trained.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from initlab.errors import TakenError
from initlab.runs.job import Job
from initlab.runs.record import description_of
from initlab.runs.stored import summary_of
from initlab.runs.summary import Summary
from initlab.tracking import Description, Run, Tracker
from initlab.tracking.claims import Claim, claims_of, supersede
from initlab.tracking.reading import stored_runs
from initlab.tracking.turns import turn


class Runs(NamedTuple):
    """The RUNNING runs of jobs by the jobs' places and, for the other jobs, the summary of the run that has
    finished it, or who trains it.
    """

    new: Mapping[int, Run]
    known: Mapping[int, Summary | TakenError]


def claim_on(job: Job, folder: Path) -> Claim | None:
    """Returns what the store of a job, a relative one seen from a folder, holds of it; None if it is not
    tracked.
    """
    tracking = job.settings.tracking
    if tracking.uri is None:
        return None
    tracker = Tracker(tracking.uri, tracking.experiment, folder)
    return claims_of(tracker.client, tracker.experiment_id, [description_of(job)])[0]


@contextmanager
def runs_of(jobs: Sequence[Job], tracker: Tracker) -> Iterator[Runs]:
    """Gives the runs of a stack's jobs; ends the new ones when the block is left, as ``Tracker.runs``."""
    descriptions = [description_of(job) for job in jobs]
    with ExitStack() as leave:
        if not jobs[0].settings.resume:
            yield Runs(dict(enumerate(leave.enter_context(tracker.runs(descriptions)))), {})
            return
        tracker.reach()
        with turn(tracker.client, "claims"):
            claims = claims_of(tracker.client, tracker.experiment_id, descriptions)
            free = [place for place, claim in enumerate(claims) if claim.is_free]
            supersede(tracker.client, [run_id for place in free for run_id in claims[place].over])
            wanted = [_attempt(descriptions[place], claims[place].attempt) for place in free]
            new = leave.enter_context(tracker.runs(wanted)) if free else []
        yield Runs(dict(zip(free, new, strict=True)), _known(claims, tracker.uri))


def _attempt(description: Description, attempt: int) -> Description:
    if attempt == 1:
        return description
    return replace(description, tags={**description.tags, "attempt": str(attempt)})


def _known(claims: Sequence[Claim], uri: str) -> dict[int, Summary | TakenError]:
    finished = {place: claim.finished for place, claim in enumerate(claims) if claim.finished}
    stored = stored_runs(list(finished.values()), uri)
    known: dict[int, Summary | TakenError] = {
        place: summary_of(run_id, uri, stored[run_id]) for place, run_id in finished.items()
    }
    for place, claim in enumerate(claims):
        if claim.trained_by and not claim.finished:
            process = claim.trained_by
            known[place] = TakenError(f"is being trained by process {process.pid} on {process.host}")
    return known
