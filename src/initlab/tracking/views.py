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
OUR_NOTE = "initlab.note"  # keeps what Initlab has written there last
OURS = "initlab-"  # how the ids of Initlab's own views begin
MOST_VIEWS = 50  # of ours in an experiment
MOST_RUNS = 100  # that MLflow's page loads, unless its user asks for more
MOST_PICTURES = 10  # in MLflow's grid of images
MOST_LAYERS = 7  # in the charts of one kind of metric
LONGEST = 20_000  # letters of an experiment's tag


@dataclass(frozen=True)
class View:
    """A choice of charts: of which runs, by a filter in MLflow's language, how many they are, in which order
    (a metric, and whether its least value comes first), and by which tags or parameters they are grouped.

    ``metrics`` are the names of all that the runs have, in the order of the charts; ``scores`` those of the
    test scores, ``columns`` the swept parameters. ``step`` is that of the boundary pictures, None where there
    are none; MLflow shows none of grouped runs.
    """

    id: str
    name: str
    filter: str
    runs: int
    order: tuple[str, bool]
    metrics: Sequence[str]
    scores: Sequence[str]
    columns: Sequence[str]
    step: int | None
    group_by: Sequence[tuple[str, str]] = ()  # ("tag" or "param", its key) each


def save(client: "MlflowClient", experiment_id: str, views: Sequence[View]) -> None:
    """Saves views with an experiment, and removes the oldest of ours beyond the 50 newest.

    Raises TrackingError where the store does not take them.
    """
    with readable_errors("the views of MLflow's UI cannot be saved"):
        for view in views:
            client.set_experiment_tag(experiment_id, f"{TAG}{OURS}{view.id}", tag_of(view))
        for tag in old_tags(client.get_experiment(experiment_id).tags):
            client.delete_experiment_tag(experiment_id, tag)


def color(client: "MlflowClient", colors: Mapping[str, str]) -> None:
    """Gives runs, by their ids, colours for MLflow's charts, as #rrggbb; it would draw them by lot.

    Raises TrackingError where the store does not take them.
    """
    with readable_errors("the colours of runs cannot be saved"):
        for run_id, one in colors.items():
            client.set_tag(run_id, "mlflow.runColor", one)


def describe(client: "MlflowClient", experiment_id: str, text: str) -> None:
    """Writes what an experiment holds at the head of its page, unless somebody else has written there.

    Raises TrackingError where the store does not take it.
    """
    with readable_errors("the experiment's description cannot be written"):
        tags = client.get_experiment(experiment_id).tags
        if tags.get(NOTE, "") in ("", tags.get(OUR_NOTE)):
            for tag in (NOTE, OUR_NOTE):
                client.set_experiment_tag(experiment_id, tag, text[:LONGEST])


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
    text = _packed(view, state_of(view))
    if len(text) > LONGEST:  # by the names of some thousand metrics
        text = _packed(view, state_of(view, alone=False))
    if len(text) > LONGEST:
        raise ValueError(f"view {view.id}: has {len(text):,} letters; MLflow keeps {LONGEST:,}")
    return text


def _packed(view: View, state: Mapping[str, Any]) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(state, separators=(",", ":")).encode()))
    created = time.time_ns() // 1_000_000
    return json.dumps({"name": view.name, "createdAt": created, "state": f"deflate;{packed.decode()}"})


def state_of(view: View, alone: bool = True) -> dict[str, Any]:
    """Returns what MLflow's charts page shows: its sections, their charts, the runs, the table's columns.

    Unless ``alone``, MLflow may add sections of its own below.
    """
    sections = [section for section in _sections(view) if section[2]]
    charts = [chart for _, _, charts in sections for chart in charts]
    state: dict[str, Any] = {
        "compareRunSections": [_section(name, columns, height) for name, (columns, height), _ in sections],
        "compareRunCharts": [
            *(_chart(name, chart) for name, _, charts in sections for chart in charts),
            *(_removed(view, charts) if alone else []),
        ],
        "isAccordionReordered": True,
        "runListHidden": True,
        "compareRunsMode": "CHART",
        "runsHiddenMode": "SHOW_ALL",
        "searchFilter": view.filter,
        "selectedColumns": _columns(view),
        "orderByKey": f"metrics.`{view.order[0]}`",
        "orderByAsc": view.order[1],
        "autoRefreshEnabled": False,  # the runs have ended, and curves of many runs take a server seconds
    }
    if view.group_by:
        keys = [{"mode": mode, "groupByData": key} for mode, key in view.group_by]
        state["groupBy"] = {"aggregateFunction": "average", "groupByKeys": keys}
    return state


def _sections(view: View) -> list[tuple[str, tuple[int, int], list[dict[str, Any]]]]:
    """Returns the sections: name, columns and height of a card in pixels, and charts."""
    rows = -(-min(view.runs, MOST_PICTURES) // 3)  # three fit beside MLflow's assistant, on 1440 pixels
    boundaries = [] if view.group_by or view.step is None else [_image(view.step)]
    return [
        ("Comparison", (2, 320), [_line("cost", logarithmic=True), *map(_bar, view.scores)]),
        ("Decision boundaries", (1, 120 + 252 * rows), boundaries),
        ("Gradients", (2, 320), _by_layer(view, "grad_norm", logarithmic=True)),
        ("Units", (2, 320), [*_by_layer(view, "dead_units"), *_by_layer(view, "saturation")]),
    ]


def _by_layer(view: View, kind: str, logarithmic: bool = False) -> list[dict[str, Any]]:
    """Returns charts of a kind of metric: the whole network's, and layers from the first to the last."""
    names = [name for name in view.metrics if name.startswith(f"{kind}/")]
    layers = [name for name in names if name[-1].isdigit()]
    shown = {layers[round(i * (len(layers) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS) if layers}
    return [_line(name, logarithmic) for name in names if name in shown or name not in layers]


def _removed(view: View, charts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns charts of all that the runs have besides, as if a user had removed them: MLflow would add a
    section of its own for each kind.
    """
    shown = {chart.get("metricKey") for chart in charts}
    rest: list[dict[str, Any]] = [_bar(name) for name in view.metrics if name not in shown]
    if all(chart["type"] != "IMAGE" for chart in charts):
        rest.append(_image(0))
    return [
        {
            "uuid": chart.get("metricKey", "boundary"),
            "metricSectionId": "Comparison",
            "deleted": True,
            **chart,
        }
        for chart in rest
    ]


def _line(key: str, logarithmic: bool) -> dict[str, Any]:
    return {
        "type": "LINE",
        "metricKey": key,
        "selectedMetricKeys": [key],
        "xAxisKey": "step",
        "scaleType": "log" if logarithmic else "linear",
        "xAxisScaleType": "linear",
        "lineSmoothness": 0,
        "useGlobalLineSmoothing": False,
        "useGlobalXaxisKey": False,
    }


def _bar(key: str) -> dict[str, Any]:
    return {"type": "BAR", "metricKey": key}


def _image(step: int) -> dict[str, Any]:
    return {"type": "IMAGE", "imageKeys": ["boundary"], "step": step, "showRunParams": False}


def _section(name: str, columns: int, height: int) -> dict[str, Any]:
    made = {"isReordered": False, "deleted": False, "isGenerated": False, "display": True}
    return {"uuid": name, "name": name, **made, "columns": columns, "cardHeight": height}


def _chart(section: str, chart: Mapping[str, Any]) -> dict[str, Any]:
    key = chart.get("metricKey", "boundary")
    made = {"runsCountToCompare": MOST_RUNS, "deleted": False, "isGenerated": False}
    return {"uuid": key, "metricSectionId": section, "displayName": key, **made, **chart}


def _columns(view: View) -> list[str]:
    shown = ["init", "seed", *(key for key in view.columns if key not in ("init", "seed"))]
    params = [f"params.`{key}`" for key in shown]
    scores = [f"metrics.`{score}`" for score in view.scores]
    return [*params, "metrics.`final_cost`", *scores, "tags.`diagnosis`"]


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
