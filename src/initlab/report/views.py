"""The views of MLflow's charts page that a sweep gets: of all its runs or, over several seeds, of the means
and of one typical run for each start.
"""

import re
from collections.abc import Mapping, Sequence

from initlab.errors import TrackingError
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value
from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary
from initlab.tracking import Tracker
from initlab.tracking.views import MOST_RUNS, View, address, describe, save

NAMED_BY_TAG = ("init", "init._target_")


def save_views(
    sweep: str, answer: Answer, outcomes: Sequence[Outcome], tracker: Tracker, links: Mapping[str, str]
) -> tuple[dict[str, str], str | None]:
    """Saves a sweep's views and describes its experiment, with links.

    Returns the views' addresses, by what they show, and what went wrong, if anything: the format of a view is
    MLflow's own affair, so that costs the views and nothing else.
    """
    try:
        metrics = tracker.metrics_of(str(answer.runs[0].run_id))
        views = views_of(sweep, answer, varied(outcomes), metrics)
        save(tracker.client, tracker.experiment_id, list(views.values()))
        describe(tracker.client, tracker.experiment_id, about_experiment(sweep, links))
    except (TrackingError, ValueError) as error:
        return {}, f"MLflow's charts are not arranged for this sweep: {error}"
    return {what: address(tracker.address(), view.id) for what, view in views.items()}, None


def about_experiment(sweep: str, links: Mapping[str, str]) -> str:
    """Returns what the runs' experiment holds, how to find them, and where the last sweep's own run is."""
    shown = " · ".join(f"[{what}]({link})" for what, link in links.items())
    return (
        "Each run is one training of a network: its cost at every iteration, gradient norms, decision "
        "boundary and diagnosis.\n\n"
        "Find runs by `params.init = 'he'`, `params.dataset`, `tags.sweep`, `tags.diagnosis LIKE "
        "'%dead units%'`, ``metrics.`accuracy/test` > 0.9``.\n\n"
        f"The last sweep is `{sweep}`: {shown}."
    )


def views_of(sweep: str, answer: Answer, keys: Sequence[str], metrics: Sequence[str]) -> Mapping[str, View]:
    """Returns a sweep's views by what they show; ``keys`` were swept, ``metrics`` are those its runs have."""
    run, all_runs = answer.runs[0], f"tags.sweep = '{sweep}'"
    last = max(one.iterations for one in answer.runs) - 1

    def view(name: str, about: str, runs: str, group_by: Sequence[tuple[str, str]] = ()) -> View:
        title, score = f"{about} · {sweep}", f"{run.score_name}/test"
        return View(f"{sweep}{name}", title, runs, _natural(metrics), score, _params(keys), last, group_by)

    if all(len(one.runs) == 1 for one in answer.combinations):
        return {"The comparison": view("", "All runs", all_runs)}
    typical = ", ".join(f"'{one.run_id}'" for one in _typical(answer))
    return {
        "The means over seeds": view("-means", "Means over seeds", all_runs, _groups(keys)),
        "A typical run of each": view("-typical", "Typical runs", f"attributes.run_id IN ({typical})"),
    }


def _typical(answer: Answer) -> list[Summary]:
    """Returns the run of median final cost of each combination, of at most ten: those of the best medians."""

    def rank(one: Combination) -> float:
        return -median_value(one, answer.by)

    return [one.typical for one in sorted(answer.combinations, key=rank)[:MOST_RUNS]]


def _groups(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Returns by what runs are grouped: the tag of their start, and the other swept parameters."""
    params = [("param", key) for key in _params(keys) if key not in ("init", "seed")]
    return [("tag", "init"), *params] if set(keys) & set(NAMED_BY_TAG) or not params else params


def _params(keys: Sequence[str]) -> list[str]:
    """Returns the names that swept keys have among MLflow's parameters."""
    return list(dict.fromkeys("init" if key in NAMED_BY_TAG else key.lstrip("+") for key in keys))


def _natural(names: Sequence[str]) -> list[str]:
    """Returns names in the order that people expect: layer2 before layer10."""

    def parts(name: str) -> list[str | int]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]

    return sorted(names, key=parts)
