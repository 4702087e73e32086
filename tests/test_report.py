"""The report: made by the real command of a real sweep, opened in a real browser."""

import csv
import json
import re
import shutil
from dataclasses import replace
from html import escape
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import folder_with, run_command, runs_of
from mlflow import MlflowClient
from test_entry import typed

from initlab.numerals import number, percent
from initlab.report.answer import answer_of
from initlab.report.charts import curves_chart, range_of
from initlab.report.entrants import Combination
from initlab.report.files import report_files
from initlab.report.histories import courses_of, log_spaced
from initlab.report.latex import escaped
from initlab.report.page import page_of
from initlab.report.tracked import tracked_sweep
from initlab.runs.stored import RunFiles
from initlab.runs.summary import Summary
from tools.browser import system_chromium

WIDE, NARROW = (1440, 900), (390, 844)

SWEEP = ("init=zeros,random,he", "seed=range(0,7)", "train.iterations=53", "plots.frames=3")
NAMES = ["report.html", "report.md", "report.tex", "runs.csv"]


def opened(browser: Any, address: str, size: tuple[int, int] = WIDE, scheme: str = "light") -> Any:
    """Returns a page with what it said, in ``said``, once all its charts are drawn."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.said.extend([request.url] * request.url.startswith("http")))
    page.goto(address)
    page.wait_for_selector("html[data-drawn]", timeout=60_000)
    return page


@pytest.fixture(scope="module")
def swept(tmp_path_factory, migrated_database):
    """The folder of a sweep, and the sweep's name."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("report"))
    done = run_command("-m", *SWEEP, folder=folder)
    assert done.returncode == 0, done.stderr
    [sweep] = (folder / "multirun").iterdir()
    return folder, sweep.name


@pytest.fixture(scope="module")
def reported(swept):
    """The folder of the report that the command makes of the sweep."""
    folder, _ = swept
    done = typed("report", "out=made", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "made"


@pytest.fixture(scope="module")
def browser():
    with system_chromium() as browser:
        if browser is None:
            pytest.skip("there is no Chromium on this machine")
        yield browser


def store_of(folder):
    return f"sqlite:///{folder}/mlruns/mlflow.db"


def answered(folder, names=()):
    sweep, _ = tracked_sweep(store_of(folder), "initlab", names)
    return sweep, answer_of(sweep.outcomes)


def test_the_report_of_the_last_sweep_is_the_one_that_the_sweep_has_left(swept, reported):
    folder, name = swept
    for file in NAMES:
        left = (folder / "multirun" / name / "report" / file).read_text()
        assert (reported / file).read_text() == left, file
        [kept] = (folder / "mlruns" / "artifacts").rglob(f"artifacts/{file}")
        assert kept.read_text() == left


def test_the_command_says_the_verdict_and_the_paths_and_fits_the_terminal(swept):
    folder, name = swept
    done = typed("report", folder=folder)
    assert done.stderr == ""
    *words, a, b, c, d = done.stdout.splitlines()
    assert [a, b, c, d] == [f"reports/{name}/{file}" for file in NAMES]
    assert "he" in " ".join(words)
    assert " ".join(words).endswith(".")
    done = typed(f"sweep={name}", "out=other", folder=folder, command=("-m", "src.report"))
    assert done.stdout.splitlines()[-1] == "other/runs.csv", done.stderr
    shown = typed("report", "--help", folder=folder).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "initlab report sweep=" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["swep=x"], "swep: is not a key of this command. Did you mean sweep?"),
        (["zzzz=1"], "zzzz: is not a key of this command. Its keys: sweep, experiment, uri, out, by,"),
        (["sweep"], "sweep: must be sweep=VALUE"),
        (["sweep=gone"], "sweep=gone: no such sweep in the experiment initlab; the newest are {name}"),
        (["experiment=gone"], "experiment=gone: has no sweep in sqlite:///"),
        (["by=luck"], "by=luck: must be one of score, cost"),
        (["equal_within=much"], "equal_within=much: must be a finite number of at least 0"),
        (["equal_within=-1"], "equal_within=-1: must be a finite number of at least 0"),
        (["uri=sqlite:///gone.db"], "gone.db: there is no such database"),
        (["out=pyproject"], "out=pyproject: cannot be written"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(swept, words, says):
    folder, name = swept
    (folder / "pyproject").touch()
    done = typed("report", *words, folder=folder)
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert says.format(name=name) in line


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_page_opens_from_disk_without_a_word_and_without_network(browser, reported, size, scheme):
    page = opened(browser, (reported / "report.html").as_uri(), size, scheme)
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    charts = page.locator(".chart").count()
    assert charts == page.locator(".chart svg").count() == 2 + 9
    assert page.evaluate("Array.from(document.images, image => image.naturalWidth > 0)") == [True] * 3
    paper, ink = page.evaluate(
        "[b => b.backgroundColor, b => b.color].map(f => f(getComputedStyle(document.body)))"
    )
    brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (paper, ink)]
    assert (brightness[0] > brightness[1]) == (scheme == "light")
    # An axis's words are in the colour that the page has for them, not in Vega's own.
    label = page.evaluate("getComputedStyle(document.querySelector('.chart .role-axis-label text')).fill")
    note = page.evaluate("getComputedStyle(document.querySelector('.note')).color")
    assert label == note


def test_the_slider_moves_all_boundaries_at_once(browser, reported):
    page = opened(browser, (reported / "report.html").as_uri())
    pictures = "Array.from(document.querySelectorAll('.pictures img'), image => image.src)"
    last = page.evaluate(pictures)
    assert page.inner_text("#step-shown") == "52"
    page.locator("#step").focus()
    page.keyboard.press("Home")
    assert page.inner_text("#step-shown") == "0"
    first = page.evaluate(pictures)
    assert len(set(first + last)) == 6
    page.keyboard.press("End")
    assert page.evaluate(pictures) == last


def test_pointing_at_a_line_names_its_run_and_a_click_leads_to_it(browser, swept, reported):
    folder, _ = swept
    page = opened(browser, (reported / "report.html").as_uri())
    runs = {run.info.run_name: run.info.run_id for run in runs_of(MlflowClient(store_of(folder)))}
    links = page.evaluate(
        "Object.fromEntries(JSON.parse(document.getElementById('charts').textContent)['curves-0']"
        ".datasets.lines.map(line => [line.run, line.href]))"
    )
    assert links.keys() == runs.keys()
    for name, run_id in runs.items():
        assert re.fullmatch(
            rf"http://127.0.0.1:5000/#/experiments/\d+/runs/{run_id}\?workflowType=machine_learning",
            links[name],
        )
    chart = page.locator("#curves-0")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    name = chart.locator(".mark-text.role-mark text")
    assert name.count() == 0
    for y in range(5, int(box["height"]) - 40, 3):  # down beside the axis until a line is met
        page.mouse.move(box["x"] + 90, box["y"] + y)
        if name.count():
            break
    named, _, cost = name.text_content().partition(": final cost ")
    [run] = [run for run in runs_of(MlflowClient(store_of(folder))) if run.info.run_name == named]
    assert cost == number(run.data.metrics["final_cost"])
    with page.context.expect_page() as leads_to:
        page.mouse.click(box["x"] + 90, box["y"] + y)
    there = (links[named], "chrome-error://chromewebdata/")  # nothing listens there
    leads_to.value.wait_for_url(lambda url: url in there, wait_until="commit")
    page.mouse.move(box["x"], box["y"] - 20)
    assert name.count() == 0


def test_its_numbers_are_those_that_mlflow_holds(browser, swept, reported):
    folder, name = swept
    client = MlflowClient(store_of(folder))
    page = opened(browser, (reported / "report.html").as_uri())
    rows = page.evaluate(
        "Array.from(document.querySelectorAll('section:first-of-type tbody tr'), row => "
        "Array.from(row.cells, cell => "
        "(cell.firstChild.nodeType === 3 ? cell.firstChild.data : cell.innerText).trim()))"
    )
    assert [row[0] for row in rows] == ["zeros", "random", "he"]
    for start, seeds, cost, train, test, *_ in rows:
        runs = [run.data.metrics for run in runs_of(client) if run.data.tags["init"] == start]
        assert seeds == str(len(runs)) == "7"
        assert cost == number(median(metrics["final_cost"] for metrics in runs))
        assert train == percent(median(metrics["accuracy/train"] for metrics in runs))
        assert test == percent(median(metrics["accuracy/test"] for metrics in runs))
    histories = {
        run.data.tags["seed"]: [metric.value for metric in client.get_metric_history(run.info.run_id, "cost")]
        for run in runs_of(client)
        if run.data.tags["init"] == "he"
    }
    text = (reported / "report.html").read_text()
    charts = json.loads(re.search(r'<script type="application/json" id="charts">(.*?)</script>', text)[1])
    medians = {
        row["step"]: row["median"]
        for row in charts["curves-0"]["datasets"]["bands"]
        if row["entrant"] == "he"
    }
    assert set(range(53)) <= medians.keys()
    for step in range(53):
        exact = median(costs[step] for costs in histories.values())
        assert medians[step] == pytest.approx(exact, rel=1e-3)
    tags = runs_of(client)[0].data.tags
    assert f"numpy {tags['version.numpy']}" in text
    assert runs_of(client)[0].inputs.dataset_inputs[0].dataset.digest in text
    assert escape("initlab -m " + SWEEP[0]) in text
    assert name in text


def test_every_sentence_of_the_diagnosis_stands_by_its_run(browser, swept, reported):
    client = MlflowClient(store_of(swept[0]))
    page = opened(browser, (reported / "report.html").as_uri())
    told = page.evaluate(
        "Array.from(document.querySelectorAll('blockquote'), quote => "
        "[quote.querySelector('p').textContent, quote.querySelector('cite').textContent.trim()])"
    )
    runs = {run.info.run_name: run.data.tags for run in runs_of(client)}
    assert told
    for words, run in told:
        sentences = [text for key, text in runs[run].items() if key.startswith("diagnosis.")]
        assert words.removesuffix(run).strip() in sentences


HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"> {{ 7*7 }} & \\end{tabular} 100% $x_1^2$ #"


def test_names_from_users_are_shown_and_never_run(browser, swept, tmp_path):
    folder, _ = swept
    sweep, _ = answered(folder)
    outcomes = [
        replace(
            one,
            overrides=[override.replace("init=he", f"init={HOSTILE}") for override in one.overrides],
            summary=replace(
                one.summary,
                name=f"{HOSTILE}-{one.summary.tags['seed']}",
                tags={**one.summary.tags, "init": HOSTILE}
                if one.summary.tags["init"] == "he"
                else one.summary.tags,
                diagnosis=[(HOSTILE, HOSTILE)],
            ),
        )
        for one in sweep.outcomes
    ]
    sweep = replace(sweep, name=HOSTILE, command=HOSTILE, outcomes=outcomes)
    files = report_files(sweep, answer_of(outcomes), RunFiles)
    (tmp_path / "report.html").write_bytes(files["report.html"])
    page = opened(browser, (tmp_path / "report.html").as_uri())
    assert page.said == []
    assert page.title() == f"Sweep {HOSTILE} · Initlab"
    assert page.locator("img[src=x]").count() == 0
    assert page.inner_text("pre") == HOSTILE
    assert (
        HOSTILE in page.evaluate("document.querySelector('#forest svg').textContent")
        or page.locator("#forest svg").count()
    )
    box = page.locator("#forest path[aria-roledescription]").first
    box.hover(force=True)
    assert page.locator("img[src=x]").count() == 0
    tex = files["report.tex"].decode()
    assert r"\textbackslash{}end\{tabular\} 100\% \$x\_1\textasciicircum{}2\$ \#" in tex
    assert balanced(tex)
    rows = list(csv.DictReader(files["runs.csv"].decode().splitlines()))
    assert {row["init"] for row in rows} == {"zeros", "random", HOSTILE}


def balanced(tex):
    """Whether braces close in order, environments too, and each row of the table has as many columns."""
    text = re.sub(r"\\[\\{}%&_#$]", "", re.sub(r"^%.*$", "", tex, flags=re.MULTILINE))
    depth = 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            return False
    begun, ended = (re.findall(rf"\\{word}{{(\w+)}}", tex) for word in ("begin", "end"))
    body = re.search(r"\\toprule\n(.*)\\bottomrule", tex, re.DOTALL)[1]
    columns = {len(re.findall(r"(?<!\\)&", row)) for row in body.splitlines() if row.endswith(r"\\")}
    return depth == 0 and begun == ended[::-1] and len(columns) == 1


def test_the_table_for_papers_is_whole(reported):
    tex = (reported / "report.tex").read_text()
    assert balanced(tex)
    assert not balanced(tex.replace("zeros", "zeros}", 1))
    assert not balanced(tex.replace("zeros &", "zeros", 1))
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert tex.count(rule) == 1
    assert [line.split(" & ")[0] for line in tex.splitlines() if line.endswith(r"\\")] == [
        "",
        "zeros",
        "random",
        "he",
    ]
    assert escaped("[0.5]") == "{}[0.5]"  # behind a row's end it would be the argument of that


def test_runs_of_before_there_were_overrides_are_told_apart_by_their_tags(swept, tmp_path):
    folder, name = swept
    (tmp_path / "mlruns").mkdir()
    shutil.copy(folder / "mlruns" / "mlflow.db", tmp_path / "mlruns" / "mlflow.db")
    client = MlflowClient(store_of(tmp_path))
    for run in runs_of(client):
        client.delete_tag(run.info.run_id, "overrides")
    sweep, _ = tracked_sweep(store_of(tmp_path), "initlab", [name])
    assert [outcome.settings for outcome in sweep.outcomes] == [
        {"init": init, "seed": str(seed)} for init in ("zeros", "random", "he") for seed in range(7)
    ]
    known, _ = tracked_sweep(store_of(folder), "initlab")
    assert [one.summary.objective for one in sweep.outcomes] == [
        one.summary.objective for one in known.outcomes
    ]


def test_several_sweeps_are_compared_as_one(swept, tmp_path):
    folder, name = swept
    more = ("-m", "init=he", "seed=5,6", "optimizer.learning_rate=0.1,0.01", "dataset=circles")
    done = run_command(*more, *SWEEP[2:], f"tracking.uri={store_of(folder)}", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    [second] = (path.name for path in (tmp_path / "multirun").iterdir())
    sweep, answer = answered(folder, [name, second])
    # The rate that the first did not vary is its runs' own; what both have trained counts once.
    assert len(sweep.outcomes) == 21 + 2
    found = {
        (one.entrant, dict(one.setting)["optimizer.learning_rate"], len(one.runs))
        for one in answer.combinations
    }
    assert found == {("zeros", "0.01", 7), ("random", "0.01", 7), ("he", "0.01", 7), ("he", "0.1", 2)}
    assert sweep.command.splitlines()[0].startswith("initlab -m init=zeros")
    assert len(sweep.command.splitlines()) == 2
    text = page_of(sweep, answer, RunFiles)
    assert f"{name}, {second}" in text


def history_of(costs, final, **measured):
    arrays = {"cost": np.array(costs, float)} | {key: np.array(value) for key, value in measured.items()}

    def read(name, *members):
        assert name == "history.npz"
        return {key: arrays[key] for key in members or arrays if key in arrays}

    iterations = len(costs)
    summary = Summary(
        "run", {"init": "he", "seed": "0"}, "sigmoid", iterations, 0.1, costs[0], final, None, None,
        None if final is not None else iterations - 1, run_id=str(id(arrays)), address="http://there/#/e?x",
    )  # fmt: skip
    return summary, SimpleNamespace(arrays=read)


def course_of(*histories):
    files = {summary.run_id: read for summary, read in histories}
    one = Combination("he", (), [summary for summary, _ in histories])
    [course] = courses_of([one], lambda run: files[run.run_id])
    return course


def test_a_run_that_diverged_counts_as_infinite_from_then_on():
    layers = {"measured_at": [0, 2], "grad_norm/layer1": [1.0, 3.0], "grad_norm/layer2": [5.0, 7.0]}
    short = {"measured_at": [0], "grad_norm/layer1": [100.0], "grad_norm/layer2": [np.nan]}
    course = course_of(
        history_of([4, 3, 2], 1.0, **layers),
        history_of([6, 5, 4], 3.0, **layers),
        history_of([8, np.inf], None, **short),
    )
    assert course.steps.tolist() == [0, 1, 2, 3]
    assert course.median.tolist() == [6, 5, 4, 3]
    assert course.low.tolist() == [5, 4, 3, 2]
    assert course.high.tolist() == [7, np.inf, np.inf, np.inf]
    assert [line.costs.tolist() for line in course.lines] == [[4, 3, 2, 1], [6, 5, 4, 3], [8]]
    maps = course.layers["grad_norm"]
    assert maps.steps.tolist() == [0, 2]
    assert maps.medians.tolist() == [[1.0, 3.0], [5.0, 7.0]]
    spec = curves_chart([course], {"he": "red"}, range_of([course]), lambda run: "there", 100)
    assert [row["median"] for row in spec["datasets"]["bands"]] == [6, 5, 4, 3]
    assert "Infinity" not in json.dumps(spec, allow_nan=False)


def test_where_all_runs_diverged_at_once_the_chart_is_empty_and_whole():
    course = course_of(history_of([np.nan], None), history_of([np.inf], None))
    assert course.median.tolist() == [np.inf, np.inf]
    assert course.layers == {}
    spec = curves_chart([course], {"he": "red"}, range_of([course]), lambda run: "there", 100)
    assert spec["datasets"] == {"bands": [], "lines": []}


def test_many_runs_are_thinned_evenly_and_keep_their_extremes():
    rng = np.random.default_rng(0)
    costs = rng.permutation(np.arange(1.0, 502.0))
    course = course_of(*(history_of([600.0] * 1499, cost) for cost in costs))
    finals = [line.run.final_cost for line in course.lines]
    assert len(finals) == 100
    assert finals[0] == 1
    assert finals[-1] == 501
    assert max(np.diff(finals)) <= 6
    assert course.median[-1] == 251
    assert len(course.steps) <= 151
    for line in course.lines:
        assert line.steps[-1] == 1499  # a thin line goes on to the end
        assert line.costs[-1] == line.run.final_cost
        assert max(np.diff(line.steps) / line.steps[1:]) <= 1
        assert max(np.diff(line.steps)[-40:] / line.steps[-40:]) < 0.2


def test_of_a_very_large_set_a_thousand_histories_are_read_evenly_by_final_cost():
    rng, opened = np.random.default_rng(1), set()
    costs = rng.permutation(np.arange(1.0, 4002.0))
    files = {}
    for cost in costs:
        summary, read = history_of([9000.0], None if cost > 3000 else cost)
        files[summary.run_id] = summary, read
    one = Combination("he", (), [summary for summary, _ in files.values()])

    def read(run):
        opened.add(run.run_id)
        return files[run.run_id][1]

    [course] = courses_of([one], read)
    assert course.read == len(opened) == 1000
    finals = sorted(files[run_id][0].objective for run_id in opened)
    assert finals[0] == 1
    assert finals.count(np.inf) == pytest.approx(1000 * 1001 / 4001, abs=1)  # as many as diverged in all
    assert max(np.diff([cost for cost in finals if cost < np.inf])) <= 5
    assert course.median[-1] == pytest.approx(2001, abs=3)
    assert course.low[-1] == pytest.approx(1001, abs=3)
    assert course.high[-1] == np.inf
    assert len(course.lines) == 100


def test_of_many_sets_fewer_histories_are_read_but_never_fewer_than_are_drawn(monkeypatch):
    histories = [history_of([9.0], float(cost)) for cost in range(1, 12)]
    files = {summary.run_id: read for summary, read in histories}
    sets = [Combination("he", (("a", str(i)),), [summary for summary, _ in histories]) for i in range(3)]
    for name, value in (("MOST_LINES", 2), ("MOST_READ", 7), ("MOST_READ_IN_ALL", 15)):
        monkeypatch.setattr(f"initlab.report.histories.{name}", value)
    read = [course.read for course in courses_of(sets, lambda run: files[run.run_id])]
    assert read == [5, 5, 5]
    monkeypatch.setattr("initlab.report.histories.MOST_READ_IN_ALL", 3)
    assert [course.read for course in courses_of(sets, lambda run: files[run.run_id])] == [2, 2, 2]
    assert courses_of(sets[:1], lambda run: files[run.run_id])[0].read == 3


def test_the_page_says_of_how_many_runs_a_median_is(swept, monkeypatch):
    folder, name = swept
    sampled = "Median and band are of at most"
    assert sampled not in page_of(*answered(folder, [name]), RunFiles)
    monkeypatch.setattr("initlab.report.histories.MOST_LINES", 2)
    monkeypatch.setattr("initlab.report.histories.MOST_READ", 3)
    text = " ".join(page_of(*answered(folder, [name]), RunFiles).split())
    assert f"{sampled} 3 runs of each set, evenly from the lowest final cost to the highest." in text
    assert "diverged by then, among those whose median cost is drawn. Layer 1" in text


@pytest.mark.parametrize("last", [0, 1, 2, 7, 52, 15000])
def test_log_spaced_steps_hold_both_ends(last):
    steps = log_spaced(last, 150)
    assert steps[0] == 0
    assert steps[-1] == last
    assert len(steps) == len(set(steps.tolist())) <= 151
    assert steps.tolist() == sorted(steps)
    if last <= 150:
        assert steps.tolist() == list(range(last + 1))


def test_a_thousand_runs_fit_into_three_megabytes(swept):
    folder, _ = swept
    sweep, _ = answered(folder)
    outcomes = [
        replace(
            one,
            overrides=[*one.overrides[:1], f"seed={seed}"],
            summary=replace(one.summary, tags={**one.summary.tags, "seed": str(seed)}),
        )
        for seed in range(334)
        for one in sweep.outcomes[::7]
    ]
    rng = np.random.default_rng(0)

    def read(run):
        files = RunFiles(run)
        noise = rng.lognormal(size=15001)
        arrays = {**files.arrays("history.npz"), "cost": noise[:-1]}
        return SimpleNamespace(
            frames=files.frames,
            arrays=lambda name, *some: {key: arrays[key] for key in some or arrays if key in arrays},
        )

    outcomes = [replace(one, summary=replace(one.summary, iterations=15000)) for one in outcomes]
    page = page_of(replace(sweep, outcomes=outcomes), answer_of(outcomes), read)
    assert 1_000_000 < len(page.encode()) < 3_000_000
    assert "at most 100 of each set are drawn" in " ".join(page.split())
