"""``make readme``: makes the README's picture and its table of results from the headline comparison."""

import re
from pathlib import Path

from hydra import compose, initialize_config_module

from initlab.experiment import run
from initlab.job import build
from initlab.pictures import final_answers
from initlab.plots import Entry, comparison
from initlab.results import Result

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "comparison.png"
STARTS = ("zeros", "random", "he")
TABLE = re.compile(r"(?<=<!-- results: made by `make readme` -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)


def table(results: dict[str, Result]) -> str:
    """Returns the results as a markdown table."""
    lines = ["| init | first cost | final cost | train accuracy | test accuracy |", "|---|---|---|---|---|"]
    for init, result in results.items():
        shares = f"{result.accuracy_train:.1%} | {result.accuracy_test:.1%}"
        lines.append(f"| {init} | {result.initial_cost:,.3f} | {result.final_cost:.3f} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Writes docs/comparison.png and the README's table."""
    with initialize_config_module("initlab.conf", version_base="1.3"):
        cfgs = {init: compose("config", [f"init={init}", "tracking.uri=null"]) for init in STARTS}
    results = dict(zip(cfgs, run(list(cfgs.values())), strict=True))
    job = build(cfgs["he"], {})
    entries = [
        Entry(init, final_answers(job, result), result.accuracy_train or 0, result.history["cost"])
        for init, result in results.items()
    ]
    PICTURE.parent.mkdir(exist_ok=True)
    comparison(job.dataset.X_train, job.dataset.Y_train, entries).savefig(PICTURE)
    readme = ROOT / "README.md"
    readme.write_text(TABLE.sub(lambda _: table(results), readme.read_text()))


if __name__ == "__main__":
    main()
