"""``make readme``: makes the README's pictures and its table of results anew."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra import compose, initialize_config_module

from initlab.numerals import number, percent
from initlab.plots import Entry, comparison, figure_png
from initlab.propagation.curves import curves_of
from initlab.propagation.report import picture_of
from initlab.propagation.setup import observe, setup_of
from initlab.propagation.verdict import verdict_line
from initlab.report.phase_diagram import phase_png
from initlab.runs.job import build
from initlab.runs.outcome import Outcome
from initlab.runs.pictures import costs_of, final_answers
from initlab.runs.summary import Trained
from initlab.runs.train import run
from initlab.statistics.intervals import median, quartiles
from tools.generated import replace_block

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
STARTS, SEEDS = ("zeros", "random", "he"), range(20)
MICROSCOPE = [
    "model.depth=30",
    "model.activation=tanh",
    "init=mean_field",
    "init.sigma_w=1.6",
    "init.sigma_b=0.2236",
]


def trained() -> dict[str, list[Trained]]:
    """Returns the headline's runs by their start, one for each seed."""
    fast = ["tracking.uri=null", "plots.frames=0", "diagnostics.names=[]", "diagnostics.rare=[]"]
    cfgs = [compose("config", [f"init={init}", f"seed={seed}", *fast]) for init in STARTS for seed in SEEDS]
    runs = run(cfgs)
    return {init: runs[len(SEEDS) * n : len(SEEDS) * (n + 1)] for n, init in enumerate(STARTS)}


def table(results: dict[str, list[Trained]]) -> str:
    """Returns the results as a markdown table of medians and quartiles."""
    lines = ["| init | first cost | final cost | train accuracy | test accuracy |", "|---|---|---|---|---|"]
    for init, runs in results.items():
        all_of = [one.summary for one in runs]
        cells = [
            spread([one.initial_cost for one in all_of], number),
            spread([one.objective for one in all_of], number),
            spread([one.score_train or 0.0 for one in all_of], percent),
            spread([one.score_test or 0.0 for one in all_of], percent),
        ]
        lines.append(f"| {init} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """Returns the median of values and, where they differ, their quartiles."""
    middle, low, high = (shown(value) for value in (median(values), *quartiles(values)))
    return middle if low == middle == high else f"{middle} [{low}, {high}]"


def typical(runs: Sequence[Trained]) -> Trained:
    """Returns the run of median final cost."""
    return sorted(runs, key=lambda one: one.summary.objective)[(len(runs) - 1) // 2]


def headline() -> None:
    """Writes docs/comparison.png and the README's table, both over the same runs."""
    results = trained()
    dataset = results["he"][0].job.dataset
    entries = [
        Entry(
            init,
            final_answers(typical(runs)),
            median([one.summary.score_train or 0.0 for one in runs]),
            [costs_of(one) for one in runs],
        )
        for init, runs in results.items()
    ]
    figure = comparison(dataset.X_train, dataset.Y_train, entries, part="train")
    (DOCS / "comparison.png").write_bytes(figure_png(figure))
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
