"""The views of MLflow's charts page that a sweep gets: of all its runs or, over several seeds, of the means
and of one typical run for each start.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from initlab.errors import TrackingError
from initlab.palette import CURVE_COLORS, INK
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value
from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary
from initlab.tracking import Tracker
from initlab.tracking.views import MOST_PICTURES, MOST_RUNS, View, address, color, save

NAMED_BY_TAG = ("init", "init._target_")

Groups = Sequence[tuple[str, str]]
"""By what runs are grouped: "tag" or "param", and its key, each."""


def save_views(
    sweep: str, answer: Answer, outcomes: Sequence[Outcome], tracker: Tracker
) -> tuple[dict[str, str], str | None]:
    """Saves a sweep's views; returns their addresses, by what they show, and what went wrong, if anything.

    The format of a view is MLflow's own affair: what goes wrong costs the views and nothing else.
    """
    try:
        runs = tracker.read([str(run.run_id) for run in runs_loaded(answer)])
        metrics = list(dict.fromkeys(key for run in runs for key in run.metrics))
        pictures = any(run.params.get("plots.frames") != "0" for run in runs)
        views = views_of(sweep, answer, varied(outcomes), metrics, pictures)
        tracker.speed_up_charts()
        save(tracker.client, tracker.experiment_id, list(views.values()))
        color(tracker.client, colors_of(answer))
    except (TrackingError, ValueError) as error:
        return {}, f"MLflow's charts are not arranged for this sweep: {error}"
    return {what: address(tracker.address(), view.id) for what, view in views.items()}, None


def views_of(
    sweep: str, answer: Answer, keys: Sequence[str], metrics: Sequence[str], pictures: bool = True
) -> Mapping[str, View]:
    """Returns a sweep's views by what they show; ``keys`` were swept, ``metrics`` are all that its runs have,
    and ``pictures`` says whether they have boundary pictures.
    """
    scores = list(dict.fromkeys(f"{run.score_name}/test" for run in answer.runs))
    order = ("final_cost", True) if answer.by == "cost" else (scores[0], False)
    step = _usual([run.iterations for run in answer.runs]) - 1 if pictures else None

    def view(name: str, about: str, runs: Sequence[Summary], group_by: Groups = ()) -> View:
        return View(
            f"{sweep}{name}", f"{about} · {sweep}", _filter(sweep, runs, answer), len(runs), order,
            _natural(metrics), scores, _params(keys), step, group_by,
        )  # fmt: skip

    loaded = runs_loaded(answer)
    few = "" if len(loaded) == len(answer.runs) else f"{len(loaded)} of {len(answer.runs):,} runs"
    if all(len(one.runs) == 1 for one in answer.combinations):
        return {"The comparison": view("", few or "All runs", loaded)}
    means = f"Means over seeds{few and f', {few}'}"
    typical = [one.typical for one in _best(answer)[:MOST_PICTURES]]
    return {
        f"The means over seeds{few and f', of {few},'}": view("-means", means, loaded, _groups(keys)),
        "A typical run of each": view("-typical", "Typical runs", typical),
    }


def colors_of(answer: Answer) -> dict[str, str]:
    """Returns the colour of each combination's typical run by its id, as pictures and report have it, but for
    ink, which MLflow's dark pages would hide; nothing where there are more combinations than colours.
    """
    if len(answer.combinations) > len(CURVE_COLORS):
        return {}
    colors = zip(answer.combinations, CURVE_COLORS, strict=False)
    return {str(one.typical.run_id): color for one, color in colors if color != INK}


def runs_loaded(answer: Answer) -> list[Summary]:
    """Returns the runs that a view shows: all, or as many of each combination as MLflow's page loads at once;
    it would load the newest, and so those of one start.
    """
    of_each = max(1, MOST_RUNS // len(answer.combinations))
    if len(answer.runs) <= MOST_RUNS:
        return answer.runs
    return [run for one in _best(answer)[:MOST_RUNS] for run in one.runs[:of_each]]


def _best(answer: Answer) -> list[Combination]:
    """Returns the combinations, the best by their median first."""
    return sorted(answer.combinations, key=lambda one: -median_value(one, answer.by))


def _filter(sweep: str, runs: Sequence[Summary], answer: Answer) -> str:
    """Returns what finds these runs of the sweep."""
    if len(runs) == len(answer.runs):
        return f"tags.sweep = '{sweep}'"
    wanted = ", ".join(f"'{run.run_id}'" for run in runs)
    return f"attributes.run_id IN ({wanted})"


def _usual(numbers: Sequence[int]) -> int:
    """Returns the most frequent of the numbers, the largest of several."""
    return max(Counter(numbers).items(), key=lambda item: item[::-1])[0]


def _groups(keys: Sequence[str]) -> Groups:
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
