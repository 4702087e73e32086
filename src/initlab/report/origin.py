"""What it takes to make a sweep's runs again: versions, commit, data."""

from collections.abc import Sequence
from dataclasses import dataclass

from initlab.report.answer import Answer
from initlab.tracking.reading import StoredRun, stored_run

MOST_READ = 12  # runs, of as many settings: each is a question to the store


@dataclass(frozen=True)
class Origin:
    """Where runs come from: versions by what they are of, the commit ('' where there was no repository, with
    '+ changes' if files differed from it), and the data's names and digests.
    """

    versions: dict[str, str]
    commit: str
    data: Sequence[tuple[str, str]]


def origin_of(answer: Answer) -> Origin:
    """Returns the origin of an answer's runs, of one for each setting."""
    runs = []
    for contest in answer.contests[:MOST_READ]:
        summary = next(iter(contest.combinations.values())).typical
        assert summary.run_id is not None
        assert summary.store is not None
        runs.append(stored_run(summary.run_id, summary.store, []))
    return Origin(
        _versions(runs), _commit(runs), list(dict.fromkeys(one for run in runs for one in run.data))
    )


def _versions(runs: Sequence[StoredRun]) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for key, version in run.tags.items():
            if key.startswith("version."):
                found.setdefault(key.removeprefix("version."), {})[version] = None
    return {name: ", ".join(versions) for name, versions in found.items()}


def _commit(runs: Sequence[StoredRun]) -> str:
    commits = [
        run.tags["git.commit"] + (" + changes" if run.tags.get("git.dirty") == "true" else "")
        for run in runs
        if "git.commit" in run.tags
    ]
    return ", ".join(dict.fromkeys(commits))
