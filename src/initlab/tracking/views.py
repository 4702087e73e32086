"""Saved views of MLflow's charts page: a sweep's charts, chosen and ordered, behind one address.

MLflow keeps a view as a tag of the experiment, and opens the page as the view says where the address names
its id. The format is internal (read in MLflow 3.17 and 3.18), so a view is a help that may fail.
"""

import base64
import json
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from initlab.tracking.store import readable_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "mlflow.sharedViewState."
NOTE = "mlflow.note.content"
SIGN = "*(kept up to date by Initlab, until you write something else here)*"
OURS = "initlab-"  # how the ids of Initlab's own views begin
MOST_VIEWS = 50  # of ours in an experiment
MOST_RUNS = 10  # in one chart
MOST_LAYERS = 8  # of one kind of metric
LONGEST = 20_000  # letters of an experiment's tag


@dataclass(frozen=True)
class View:
    """A choice of charts: which runs, by a filter in MLflow's language, grouped by which tags and parameters.

    ``metrics`` are the names of those that the runs have, ``score`` that of the test score, ``columns`` the
    swept parameters, ``last`` the step of the last boundary picture.
    """

    id: str
    name: str
    filter: str
    metrics: Sequence[str]
    score: str
    columns: Sequence[str]
    last: int
    group_by: Sequence[tuple[str, str]] = ()  # ("tag" or "param", its key) each
    runs: int = MOST_RUNS


def save(client: "MlflowClient", experiment_id: str, views: Sequence[View]) -> None:
    """Saves views with an experiment, and removes the oldest of ours beyond the 50 newest.

    Raises TrackingError where the store does not take them.
    """
    with readable_errors("the views of MLflow's UI cannot be saved"):
        for view in views:
            client.set_experiment_tag(experiment_id, f"{TAG}{OURS}{view.id}", tag_of(view))
        for tag in old_tags(client.get_experiment(experiment_id).tags):
            client.delete_experiment_tag(experiment_id, tag)


def describe(client: "MlflowClient", experiment_id: str, text: str) -> None:
    """Writes what an experiment holds at the head of its page, unless somebody else has written there.

    Raises TrackingError where the store does not take it.
    """
    with readable_errors("the experiment's description cannot be written"):
        written = client.get_experiment(experiment_id).tags.get(NOTE, SIGN)
        if SIGN in written:
            client.set_experiment_tag(experiment_id, NOTE, f"{text}\n\n{SIGN}"[:LONGEST])


def address(charts: str, view: str) -> str:
    """Returns the address of an experiment's charts, ``charts``, as a view shows them."""
    return f"{charts.split('&searchFilter')[0]}&viewStateShareKey={OURS}{view}"


def newest(tags: Mapping[str, str]) -> str | None:
    """Returns the id of the newest of our views among an experiment's tags; None if there is none."""
    ours = _by_age(tags)
    return ours[-1].removeprefix(f"{TAG}{OURS}") if ours else None


def old_tags(tags: Mapping[str, str]) -> list[str]:
    """Returns the tags of our views beyond the newest 50; those that users made are not ours."""
    return _by_age(tags)[:-MOST_VIEWS]


def tag_of(view: View) -> str:
    """Returns a view as MLflow keeps it; raises ValueError for one longer than a tag may be."""
    packed = base64.b64encode(zlib.compress(json.dumps(state_of(view), separators=(",", ":")).encode()))
    made = {
        "name": view.name,
        "createdAt": time.time_ns() // 1_000_000,
        "state": f"deflate;{packed.decode()}",
    }
    text = json.dumps(made)
    if len(text) > LONGEST:
        raise ValueError(f"view {view.id}: has {len(text):,} letters; MLflow keeps {LONGEST:,}")
    return text


def state_of(view: View) -> dict[str, Any]:
    """Returns what MLflow's charts page shows: its sections, their charts, the runs, the table's columns."""
    sections = [section for section in _sections(view) if section[2]]
    state: dict[str, Any] = {
        "compareRunSections": [_section(name, columns, height) for name, (columns, height), _ in sections],
        "compareRunCharts": [
            _chart(view, name, number, chart)
            for name, _, charts in sections
            for number, chart in enumerate(charts)
        ],
        "isAccordionReordered": True,
        "runListHidden": not view.group_by,
        "compareRunsMode": "CHART",
        "runsHiddenMode": "FIRST_10_RUNS" if not view.group_by else "SHOWALL",
        "searchFilter": view.filter,
        "selectedColumns": _columns(view),
        "orderByKey": "attributes.start_time",
        "orderByAsc": True,
        "autoRefreshEnabled": True,
    }
    if view.group_by:
        keys = [{"mode": mode, "groupByData": key} for mode, key in view.group_by]
        state["groupBy"] = {"aggregateFunction": "average", "groupByKeys": keys}
    return state


def _sections(view: View) -> list[tuple[str, tuple[int, int], list[dict[str, Any]]]]:
    """Returns the sections: name, columns and height of a card, and charts."""
    boundaries = [] if view.group_by else [_image(view.last)]
    return [
        ("Comparison", (2, 400), [_line("Cost", ["cost"], logarithmic=True), _bar(view.score)]),
        ("Decision boundaries", (1, 760), boundaries),
        ("Gradients", (2, 360), _by_layer(view, "grad_norm", logarithmic=True)),
        ("Units", (2, 360), [*_by_layer(view, "dead_units"), *_by_layer(view, "saturation")]),
    ]


def _by_layer(view: View, kind: str, logarithmic: bool = False) -> list[dict[str, Any]]:
    names = [name for name in view.metrics if name.startswith(f"{kind}/")][:MOST_LAYERS]
    return [_line(name, [name], logarithmic) for name in names]


def _line(title: str, keys: Sequence[str], logarithmic: bool = False) -> dict[str, Any]:
    return {
        "type": "LINE",
        "metricKey": keys[0],
        "selectedMetricKeys": list(keys),
        "xAxisKey": "step",
        "scaleType": "log" if logarithmic else "linear",
        "xAxisScaleType": "linear",
        "lineSmoothness": 0,
        "useGlobalLineSmoothing": False,
        "useGlobalXaxisKey": False,
        "displayName": title,
    }


def _bar(key: str) -> dict[str, Any]:
    return {"type": "BAR", "metricKey": key, "displayName": key}


def _image(step: int) -> dict[str, Any]:
    shown = {"imageKeys": ["boundary"], "step": step, "showRunParams": False}
    return {"type": "IMAGE", **shown, "displayName": "Decision boundary"}


def _section(name: str, columns: int, height: int) -> dict[str, Any]:
    made = {"isReordered": False, "deleted": False, "isGenerated": False, "display": True}
    return {"uuid": name, "name": name, **made, "columns": columns, "cardHeight": height}


def _chart(view: View, section: str, number: int, chart: Mapping[str, Any]) -> dict[str, Any]:
    made = {"runsCountToCompare": view.runs, "deleted": False, "isGenerated": False}
    return {"uuid": f"{section} {number}", "metricSectionId": section, **made, **chart}


def _columns(view: View) -> list[str]:
    shown = ["init", "seed", *(key for key in view.columns if key not in ("init", "seed"))]
    params = [f"params.`{key}`" for key in shown]
    return [*params, "metrics.`final_cost`", f"metrics.`{view.score}`", "tags.`diagnosis`"]


def _by_age(tags: Iterable[str] | Mapping[str, str]) -> list[str]:
    """Returns the tags of our views, the oldest first."""
    assert isinstance(tags, Mapping)
    ours = [name for name in tags if name.startswith(f"{TAG}{OURS}")]
    return sorted(ours, key=lambda name: (_made_at(tags[name]), name))


def _made_at(tag: str) -> int:
    try:
        return int(json.loads(tag)["createdAt"])
    except (ValueError, KeyError, TypeError):  # written by another version: the first to go
        return 0
