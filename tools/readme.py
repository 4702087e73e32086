"""``make readme``: makes the README's pictures and its table of results anew."""

import itertools
from pathlib import Path

from hydra import compose, initialize_config_module

from initlab.plots import Entry, comparison
from initlab.propagation.report import curves_of, picture_of, verdict_line
from initlab.propagation.setup import observe, setup_of
from initlab.report.phase_diagram import phase_png
from initlab.runs.job import build
from initlab.runs.outcome import Outcome
from initlab.runs.pictures import costs_of, final_answers
from initlab.runs.summary import Trained
from initlab.runs.train import run
from tools.generated import replace_block

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
STARTS = ("zeros", "random", "he")
MICROSCOPE = [
    "model.depth=30",
    "model.activation=tanh",
    "init=mean_field",
    "init.sigma_w=1.6",
    "init.sigma_b=0.2236",
]


def table(results: dict[str, Trained]) -> str:
    """Returns the results as a markdown table."""
    lines = ["| init | first cost | final cost | train accuracy | test accuracy |", "|---|---|---|---|---|"]
    for init, one in results.items():
        summary = one.summary
        shares = f"{summary.score_train:.1%} | {summary.score_test:.1%}"
        lines.append(f"| {init} | {summary.initial_cost:,.3f} | {summary.final_cost:.3f} | {shares} |")
    return "\n".join(lines)


def headline() -> None:
    """Writes docs/comparison.png and the README's table."""
    cfgs = {init: compose("config", [f"init={init}", "tracking.uri=null"]) for init in STARTS}
    results = dict(zip(cfgs, run(list(cfgs.values())), strict=True))
    job = build(cfgs["he"], {})
    entries = [
        Entry(init, final_answers(one), one.summary.score_train or 0, costs_of(one))
        for init, one in results.items()
    ]
    comparison(job.dataset.X_train, job.dataset.Y_train, entries).savefig(DOCS / "comparison.png")
    replace_block(ROOT / "README.md", "results", table(results))


def edge_of_chaos() -> None:
    """Writes docs/phase.png: the study of that name, trained here without tracking."""
    study = ["experiment=edge_of_chaos", "tracking.uri=null"]
    params = compose("config", study, return_hydra_config=True).hydra.sweeper.params
    axes = [[f"{key}={value}" for value in str(params[key]).split(",")] for key in params if key != "seed"]
    overrides = [[*choice, f"seed={seed}"] for choice in itertools.product(*axes) for seed in (0, 1)]
    cfgs = [compose("config", [*study, *one]) for one in overrides]
    tags = {"dataset": "digits"}
    results = run(cfgs, tags=[tags] * len(cfgs))
    outcomes = [Outcome(words, one.summary) for one, words in zip(results, overrides, strict=True)]
    picture = phase_png(outcomes, lambda: build(cfgs[0], tags))
    assert picture is not None
    (DOCS / "phase.png").write_bytes(picture)


def microscope() -> None:
    """Writes docs/propagation.png: a tanh network a little beyond the edge of chaos."""
    observation = observe(setup_of(compose("propagate", [*MICROSCOPE, "tracking.uri=null"])))
    title = "30 layers of 100 tanh units, σw = 1.6, before any training"
    (DOCS / "propagation.png").write_bytes(
        picture_of(curves_of(observation), title, verdict_line(observation).split(";")[0])
    )


def main() -> None:
    """Writes all that the README shows and ``make bench`` does not measure."""
    DOCS.mkdir(exist_ok=True)
    with initialize_config_module("initlab.conf", version_base="1.3"):
        headline()
        microscope()
        edge_of_chaos()


if __name__ == "__main__":
    main()
