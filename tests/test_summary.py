"""What the terminal shows when a command has ended: every sentence and every number of it is a claim."""

import re
import sys
from itertools import product

import pytest
from terminals import shown_in_terminal

from initlab.numerals import number, percent, spread, telling_digits
from initlab.runs.outcome import Outcome, read_outcomes, write_outcome
from initlab.runs.summary import Summary
from initlab.terminal.summary import print_summary

VERDICTS = [
    ("vanishing gradient", "It vanishes."),
    ("no better than the larger class", ""),
    ("dead units", ""),
]
CHARTS = "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
STORE = "sqlite:////data/mlflow.db"


def outcome(
    cost=0.693, score=0.5, output="sigmoid", verdicts=VERDICTS, address=CHARTS, store=STORE, **settings
):
    """A finished job with these overrides; ``cost=None`` diverged."""
    init, there = settings.get("init", "he"), cost is not None
    variant = " ".join(f"{key}={value}" for key, value in settings.items())
    summary = Summary(
        run_id="r1" if store else None,
        name=f"{init}-seed3 {variant}",
        tags={"init": init},
        output=output,
        iterations=1000,
        seconds=0.7,
        initial_cost=2.0,
        final_cost=cost,
        score_train=score if there else None,
        score_test=score if there else None,
        diverged_at=None if there else 1234,
        diagnosis=verdicts,
        address=address,
        store=store,
    )
    return Outcome([f"{key}={value}" for key, value in settings.items()], summary)


OVERRIDES = [
    {"init": "mean_field", "init.sigma_w": sigma_w, "dataset": dataset, "model.activation": activation}
    for sigma_w, dataset, activation in product(("1", "3"), ("circles", "diabetes"), ("tanh", "hard_swish"))
]
LONG = "a_start_of_my_own_whose_name_is_as_long_as_this"
PATHS = [
    f"/data/measured/in/the/laboratory/of/the/institute/in/the/year/{year}/all.csv" for year in (2021, 2022)
]
SWEEPS = {
    "lone": [outcome(0.06481)],
    "comparison": [
        outcome(0.6931, init="zeros"),
        outcome(1774.2, init="random"),
        outcome(9.82e-7, init="he"),
    ],
    "seeds": [
        outcome(cost * (1 + seed / 100), 0.9, init=init, seed=seed)
        for (init, cost), seed in product({"zeros": 0.693, "glorot_truncated": 9.82e-7}.items(), range(20))
    ],
    "keys": [
        outcome(0.06, **{"init": init, "optimizer.learning_rate": rate, "model.activation": activation})
        for init, rate, activation in product(("he", "orthogonal"), ("1e-05", "0.1"), ("relu", "hard_swish"))
    ],
    "names": [outcome(0.06, init="he"), outcome(0.05, init=LONG)],
    "paths": [
        outcome(
            0.06, **{"dataset.path": path, "optimizer.learning_rate": rate, "model.activation": "hard_swish"}
        )
        for path, rate in product(PATHS, ("1e-05", "0.1"))
    ],
    "regressions": [
        outcome(cost, score, "linear", init=init)
        for init, cost, score in (("he", 0.21, 0.61), ("zeros", 0.5, -0.0003), ("random", 1.2e87, -2.4e87))
    ],
    "diverged": [outcome(None, init="random"), outcome(0.3, 0.9, init="he")],
    "seeds that diverged": [
        outcome(cost, 0.9, init=init, seed=seed)
        for init, cost in (("random", None), ("he", 1.2e87))
        for seed in range(7)
    ],
}


@pytest.fixture(scope="module", params=[80, 100, 200])
def terminal(request, tmp_path_factory):
    """The width of a real terminal, and what it shows of each sweep."""
    folder = tmp_path_factory.mktemp("sweeps")
    for name, outcomes in SWEEPS.items():
        for job, one in enumerate(outcomes):
            (folder / name / str(job) / ".hydra").mkdir(parents=True)
            write_outcome(folder / name / str(job), one)
    code = (
        "import sys; from pathlib import Path\n"
        "from initlab.runs.outcome import read_outcomes\n"
        "from initlab.terminal.summary import print_summary\n"
        "for name in sys.argv[1:]: print('\\f'); print_summary(read_outcomes(Path(name)))\n"
    )
    text = shown_in_terminal([sys.executable, "-c", code, *SWEEPS], request.param, folder)
    return request.param, dict(zip(SWEEPS, text.split("\f")[1:], strict=True))


@pytest.mark.parametrize("name", SWEEPS)
def test_nothing_is_cut_in_a_terminal(terminal, name):
    width, texts = terminal
    text, outcomes = texts[name], SWEEPS[name]
    assert "…" not in text
    lines = [line for line in text.splitlines() if CHARTS not in line and not line.startswith("row ")]
    assert max(map(len, lines)) <= width
    words = set(re.split(r"[\s=]+", text))
    assert {one.summary.tags["init"] for one in outcomes} <= words
    varied = {key for one in outcomes for key in one.settings if len({o.settings[key] for o in outcomes}) > 1}
    assert {one.settings[key] for one in outcomes for key in varied - {"seed"}} <= words
    for header in (
        "final",
        "cost",
        "train",
        "test",
        "diagnosis",
        "runs" if name.startswith("seeds") else "seconds",
    ):
        assert header in text
    for verdict, _ in VERDICTS[:2]:
        assert verdict.split()[-1] in text


@pytest.mark.parametrize("name", SWEEPS)
def test_every_cost_is_shown_to_three_digits_or_more(terminal, name):
    shown = [float(word) for word in re.findall(r"-?\d+\.?\d*(?:e[+-]\d+)?", terminal[1][name])]
    costs = [one.summary.final_cost for one in SWEEPS[name] if one.summary.final_cost is not None]
    costs = [spread(costs, quartiles=True)[0]] if name == "seeds that diverged" else costs
    costs = [] if name == "seeds" else costs
    for cost in costs:
        assert any(abs(one / cost - 1) < 1e-3 for one in shown if one), cost
    if name == "seeds":  # the median of 20
        assert {0.7588, 1.075e-6} <= set(shown)


def test_labels_that_leave_no_room_are_listed_by_their_row(terminal):
    width, texts = terminal
    lines = texts["paths"].splitlines()
    listed = [line for line in lines if line.startswith("row ") and ":" in line]
    if width == 200:
        assert not listed
        return
    assert len(listed) == 4
    assert listed[1].startswith(f"row 2: init=he dataset.path={PATHS[0]} optimizer.learning_rate=0.1")
    assert sum(line.split()[:1] == ["2"] for line in lines) >= 1


def test_a_comparison_of_starts_is_one_table_in_80_columns(terminal):
    assert terminal[1]["comparison"].count("─\n") == 1


def test_a_terminal_has_no_column_for_names_that_are_made_of_the_others(terminal):
    assert "seed3" not in terminal[1]["keys"]


def test_nothing_is_cut_in_a_pipe(capsys):
    print_summary([outcome(**settings) for settings in OVERRIDES])
    header, *rows, _ = capsys.readouterr().out.splitlines()
    assert "init.sigma_w" in header
    assert "model.activation" in header
    assert len(rows) == len(OVERRIDES)
    for row, settings in zip(rows, OVERRIDES, strict=True):
        assert row.split()[:4] == [*settings.values()]
        assert f"mean_field-seed3 {' '.join(f'{k}={v}' for k, v in settings.items())}" in row
        assert row.rstrip().endswith("vanishing gradient, no better than the larger class, dead units")


def said(capsys, outcomes):
    print_summary(outcomes)
    return capsys.readouterr()


@pytest.mark.parametrize(
    ("seeds", "header", "cell"),
    [
        (1, "final cost  ", "0.1 "),
        (4, "final cost, median [range]", "0.25 [0.1, 0.4]"),
        (5, "final cost, median [IQR]", "0.3 [0.2, 0.4]"),
    ],
)
def test_quartiles_are_of_five_runs_at_least(capsys, seeds, header, cell):
    runs = [outcome((1 + seed) / 10, init="he", seed=seed) for seed in range(seeds)]
    text = said(capsys, runs).out
    assert header in text
    assert f" {cell}" in text


def test_one_row_of_few_runs_makes_ranges_of_all(capsys):
    runs = [outcome(0.1, init=init, seed=seed) for init, n in (("he", 9), ("zeros", 4)) for seed in range(n)]
    assert "IQR" not in said(capsys, runs).out


def test_a_diverged_run_counts_as_the_worst_and_the_table_says_so(capsys):
    runs = [outcome(0.1 if seed < 2 else None, 0.8, init="he", seed=seed) for seed in range(5)]
    text = said(capsys, runs).out
    assert "∞ [0.1, ∞]" in text
    assert "0.0% [0.0%, 80.0%]" in text
    assert "A run that diverged counts as the worst: cost ∞, accuracy 0.0%." in text
    assert "counts as the worst" not in said(capsys, runs[:2]).out
    assert "diverged at 1,234" in said(capsys, [outcome(None)]).out


def test_scores_are_called_what_they_are(capsys):
    def runs(*outputs, cost=0.3):
        return [outcome(cost, 0.61, output, dataset=output) for output in outputs]

    text = said(capsys, runs("sigmoid", "softmax")).out
    assert "train accuracy" in text
    assert "61.0%" in text
    text = said(capsys, runs("linear")).out
    assert "train R²" in text
    assert "0.61 " in text
    assert "%" not in text.splitlines()[1]
    text = said(capsys, runs("linear", "sigmoid")).out
    assert "train score" in text
    assert "0.61 " in text
    assert "61.0%" in text
    assert "train R²" in said(capsys, runs("linear", cost=None)).out


def test_runs_of_different_starts_or_settings_share_no_row(capsys):
    runs = [
        outcome(0.1, **{"init": init, "dataset.seed": d, "seed": s})
        for init in "ab"
        for d in "01"
        for s in "01"
    ]
    rows = said(capsys, runs).out.splitlines()[1:-1]
    assert [row.split()[:3] for row in rows] == [
        ["a", "0", "2"],
        ["a", "1", "2"],
        ["b", "0", "2"],
        ["b", "1", "2"],
    ]


def test_verdicts_that_are_not_named_are_counted(capsys):
    runs = [outcome(0.1, init="he", seed=seed) for seed in range(3)]
    text = said(capsys, runs).out
    assert "vanishing gradient 3/3, no better than the larger class 3/3 and 1 more" in text


def test_what_failed_is_counted_among_the_jobs_that_ended(capsys, tmp_path):
    broken = Outcome(["init=he", "seed=2"], error="seed=2: must be odd")
    assert said(capsys, [broken]).err == "seed=2: must be odd\n"
    told = said(capsys, [outcome(init="he", seed=1), broken])
    assert told.err == "Of 2 jobs that ended, 1 failed:\n  init=he seed=2: seed=2: must be odd\n"
    assert told.out.count("he-seed3") == 1
    many = said(capsys, [broken] * 1025)
    assert many.err.startswith("Of 1,025 jobs that ended, 1,025 failed:")
    assert many.err.endswith("  … and 1,005 more\n")
    assert many.out == ""
    for job in range(2):
        (tmp_path / str(job)).mkdir()
    write_outcome(tmp_path / "0", broken)
    write_outcome(tmp_path / "1", Outcome(["init=he", "seed=3"]))  # as a job leaves it that begins
    stopped = said(capsys, read_outcomes(tmp_path)).err
    assert stopped == "Of 1 job that ended, 1 failed:\n  init=he seed=2: seed=2: must be odd\n" + (
        "1 job stopped before the end.\n"
    )


def test_the_closing_line_is_of_all_runs_and_names_each_place_once(capsys):
    lone, other = outcome(), outcome(address="http://host/#/2", store="http://host", init="he")
    assert said(capsys, [lone]).out.splitlines()[-1] == (
        f"See it in MLflow (initlab ui --uri {STORE}): {CHARTS}"
    )
    *_, here, there = said(capsys, [lone, lone, other]).out.splitlines()
    assert here == f"Compare them in MLflow (initlab ui --uri {STORE}): {CHARTS}"
    assert there == "Compare them in MLflow: http://host/#/2"
    assert "MLflow" not in said(capsys, [outcome(address=None, store=None)]).out


def test_numbers_are_shown_by_their_significant_digits():
    values = [0.06481, 9.82e-7, 1774.3, 1.2e87, 999.6, 123456.7, 0, -0.00031, float("inf"), float("nan")]
    shown = ["0.0648", "9.82e-07", "1774", "1.2e+87", "1000", "123457", "0", "-0.00031", "∞", "–"]
    assert [number(value) for value in values] == shown
    assert number(0.06481, 4) == "0.06481"
    assert telling_digits([0.69314, 0.69312, 0.1], least=3) == 5
    assert telling_digits([0.5, 0.5, 0.25], least=3) == 3
    assert telling_digits([1 / 3, 1 / 3 + 1e-12], least=3) == 3
    assert telling_digits([1 / 3, 1 / 3 + 1e-12, 0.33331], least=3) == 5


def test_only_all_is_shown_as_a_hundred_percent():
    assert [percent(share) for share in (1, 0.9996, 0.5, 0)] == ["100.0%", "99.9%", "50.0%", "0.0%"]


def test_a_spread_is_the_median_and_the_quartiles_or_extremes():
    inf = float("inf")
    assert spread([3.0, 1.0, 2.0, 5.0, 4.0], quartiles=True) == (3, 2, 4)
    assert spread([3.0, 1.0], quartiles=False) == (2, 1, 3)
    assert spread([1.0, inf, inf, 2.0], quartiles=True) == (inf, 1.75, inf)
    assert spread([-inf, 1.0], quartiles=False) == (-inf, -inf, 1)
    assert spread([7.0], quartiles=True) == (7,)
