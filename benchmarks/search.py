"""``make bench-search``: does a search find what the grid finds, at a quarter of the grid's cost?

On six problems every setting of a grid is trained: with the seeds of a search, looked at where a search
looks, and with fresh ones, whose median test accuracy is taken for the truth. The searches, by Initlab's own
code and Optuna's studies, then ask for settings of the grid and are given what these came to: repeats cost
little.
Prints the tables and puts them into docs/search.md.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import optuna
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig
from optuna.distributions import CategoricalDistribution, IntDistribution

import initlab.terminal.command  # noqa: F401  registers what the config's folders use
from initlab.runs.outcome import Outcome
from initlab.runs.summary import Summary, Trained
from initlab.runs.train import run_each
from initlab.search.judging import score_of, value_of
from initlab.search.search import Plan, best_of, run_trials
from initlab.search.settings import SearchSettings
from initlab.search.space import Space
from initlab.search.study import pruner_of
from initlab.statistics.intervals import median
from initlab.sweeps.compose import Composer
from initlab.sweeps.job_folder import without_hydra
from tools.generated import replace_block, table

PAGE = Path(__file__).parent.parent / "docs" / "search.md"

DATA = {
    "circles": ("dataset=circles", "dataset.noise=0.15"),
    "spirals": ("dataset=spirals", "dataset.noise=0.05"),
    "nested rings": ("dataset=gaussian_quantiles",),
}
SIZES = ("dataset.n_train=200", "dataset.n_validation=200", "dataset.n_test=1000")
NETWORKS = {"2 layers": "model.hidden=[10,10]", "8 layers": f"model.hidden=[{','.join(['10'] * 8)}]"}
ITERATIONS = 400
INITS = ("he", "glorot_normal", "orthogonal", "random", "small_random")
ACTIVATIONS = ("relu", "tanh")
RATES = tuple(float(f"{rate:.3g}") for rate in np.geomspace(0.001, 3, 8))
SEEDS, FRESH = range(3, 11), range(11, 26)
RUNGS = (10, 30)
WITHIN = 0.01
REPEATS = 20
QUIET = ("tracking.uri=null", "plots.frames=0", "diagnostics.names=[]", "diagnostics.rare=[]")

Setting = tuple[str, str, int]


class Method(NamedTuple):
    """A way to search: how many trials of how many seeds, drawn and pruned how."""

    name: str
    trials: int
    seeds: int
    sampler: str
    pruner: str
    batch: int = 8

    def settings(self, seed: int) -> SearchSettings:
        """Returns the settings of one repeat."""
        return SearchSettings(
            n_trials=self.trials,
            batch=self.batch,
            seeds=self.seeds,
            sampler=self.sampler,
            pruner=self.pruner,
            rungs=() if self.pruner == "none" else RUNGS,
            diagnoses=() if self.pruner == "none" else DIAGNOSED,
            best=1,
            fresh_seeds=0,
            seed=seed,
        )


DIAGNOSED = ("diverged", "symmetry never broken", "saturated start")
METHODS = (
    Method("8 seeds, TPE, median pruning (Initlab's default)", 24, 8, "tpe", "median"),
    Method("8 seeds, TPE, successive halving", 36, 8, "tpe", "halving"),
    Method("8 seeds, random search", 20, 8, "random", "none"),
    Method("1 seed, TPE", 160, 1, "tpe", "none", batch=1),
)


@dataclass
class Grid:
    """What every setting of a problem came to: the summaries of its seeds by the iterations they had, and its
    median test accuracy over fresh seeds. ``cost`` counts iterations of runs that were asked for.
    """

    came: Mapping[tuple[Setting, int, int], Summary]
    truth: Mapping[Setting, float]
    cost: int = field(default=0)

    def train(self, jobs: Sequence[Sequence[str]]) -> list[Outcome]:
        """Returns what was kept of each job, as a launcher would."""
        return [Outcome(job, self._summary(_values(job))) for job in jobs]

    def iterations(self, job: Sequence[str]) -> int:
        """Returns how many iterations every job has."""
        return ITERATIONS

    def forget(self, jobs: Sequence[Sequence[str]]) -> None:
        """Keeps everything."""

    def _summary(self, values: Mapping[str, str]) -> Summary:
        begin, end = map(int, values.get("stretch", f"[0,{ITERATIONS}]").strip("[]").split(","))
        self.cost += end - begin
        return self.came[setting_of(values), int(values["seed"]), end]

    def best(self) -> Setting:
        """Returns the setting that the whole grid finds, by the medians of validation over its seeds."""
        values = {
            setting: value_of([self.came[setting, seed, ITERATIONS] for seed in SEEDS])
            for setting in self.truth
        }
        return max(values, key=lambda setting: values[setting])


def _values(job: Sequence[str]) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in job)


def setting_of(values: Mapping[str, object]) -> Setting:
    """Returns the setting of a job's or a trial's values by key."""
    return str(values["init"]), str(values["model.activation"]), int(str(values["rate"]))


SPACE = Space(
    {
        "init": CategoricalDistribution(INITS),
        "model.activation": CategoricalDistribution(ACTIVATIONS),
        "rate": IntDistribution(0, len(RATES) - 1),  # its place on a logarithmic scale
    },
    (),
)


def grid_of(problem: Sequence[str]) -> Grid:
    """Trains every setting of a problem, with the seeds of a search and with fresh ones."""
    settings: list[Setting] = list(product(INITS, ACTIVATIONS, range(len(RATES))))
    rungs = [ITERATIONS * share // 100 for share in RUNGS]
    configs = _configs([[*problem, *_overrides(setting)] for setting in settings])
    came: dict[tuple[Setting, int, int], Summary] = {}
    with TemporaryDirectory() as folder:
        train = partial(_trained, dict(zip(settings, configs, strict=True)), folder=folder)
        for begin, end in zip([0, *rungs], [*rungs, ITERATIONS], strict=True):
            for setting, summaries in train(SEEDS, [begin, end]).items():
                came |= {(setting, seed, end): one for seed, one in zip(SEEDS, summaries, strict=True)}
        fresh = train(FRESH, None)
    truth = {s: median([score_of(one, "test") for one in summaries]) for s, summaries in fresh.items()}
    return Grid(came, truth)


def _configs(cases: Sequence[Sequence[str]]) -> list[DictConfig]:
    with initialize_config_module("initlab.conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
        return [without_hydra(composer.compose(case)) for case in cases]


def _trained(
    configs: Mapping[Setting, DictConfig], seeds: range, stretch: list[int] | None, folder: str
) -> dict[Setting, list[Summary]]:
    jobs = [_changed(cfg, {"seed": seed, "stretch": stretch}) for cfg in configs.values() for seed in seeds]
    done = dict(run_each(jobs, folder=folder))
    summaries = iter([_summary(done[place]) for place in range(len(jobs))])
    return {setting: [next(summaries) for _ in seeds] for setting in configs}


def _changed(cfg: DictConfig, values: Mapping[str, object]) -> DictConfig:
    changed: DictConfig = pickle.loads(pickle.dumps(cfg))
    for key, value in values.items():
        changed[key] = value
    return changed


def _summary(came: object) -> Summary:
    if not isinstance(came, Trained):
        raise RuntimeError(came)
    return came.summary


def _overrides(setting: Setting) -> list[str]:
    init, activation, rate = setting
    return [
        f"init={init}",
        f"model.activation={activation}",
        "optimizer=momentum",
        f"optimizer.learning_rate={RATES[rate]}",
        f"train.iterations={ITERATIONS}",
        *QUIET,
    ]


class Repeat(NamedTuple):
    """What one search came to: its share of the grid's cost, the value by which it chose, and the truth."""

    cost: float
    value: float
    truth: float


def repeated(method: Method, grid: Grid, seed: int) -> Repeat:
    """Returns what a method finds on a grid with a seed of its own."""
    settings = method.settings(seed)
    seeds = range(SEEDS.start, SEEDS.start + method.seeds)
    plan = Plan(settings, SPACE, seeds, range(0), "accuracy", classifies=True)
    study = optuna.create_study(direction="maximize", pruner=pruner_of(settings))
    grid.cost = 0
    run_trials(study, grid, plan)
    [best] = best_of(study, 1)
    whole = len(grid.truth) * len(SEEDS) * ITERATIONS
    return Repeat(grid.cost / whole, best.value or 0.0, grid.truth[setting_of(best.params)])


def main() -> None:
    """Measures everything."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    grids: dict[str, Grid] = {}
    for (data, words), (depth, hidden) in product(DATA.items(), NETWORKS.items()):
        grids[f"{data}, {depth}"] = grid_of([*words, *SIZES, hidden])
        print(f"{data}, {depth}: trained", flush=True)
    found = {
        (method, name): list(map(partial(repeated, method, grid), range(REPEATS)))
        for method in METHODS
        for name, grid in grids.items()
    }
    blocks = [_summary_table(grids, found), _problem_table(grids, found)]
    print(*blocks, sep="\n\n")
    replace_block(PAGE, "search", "\n\n".join(blocks))


Results = Mapping[tuple[Method, str], Sequence[Repeat]]


def _summary_table(grids: Mapping[str, Grid], found: Results) -> str:
    """Returns the table of methods over all problems."""
    rows = []
    for method in METHODS:
        repeats = [(one, grids[name]) for name in grids for one in found[method, name]]
        lost = [grid.truth[grid.best()] - one.truth for one, grid in repeats]
        rows.append([
            method.name,
            f"{np.mean([one.cost for one, _ in repeats]):.0%}",
            f"{max(one.cost for one, _ in repeats):.0%}",
            f"{sum(loss <= WITHIN for loss in lost)} of {len(lost)}",
            f"{100 * np.mean(lost):.2f}",
            f"{100 * max(lost):.1f}",
            f"{100 * np.mean([one.value - one.truth for one, _ in repeats]):.1f}",
        ])  # fmt: skip
    head = [
        "way",
        "cost, mean",
        "cost, most",
        "within 1 point",
        "lost, mean",
        "lost, most",
        "too good by",
    ]
    return table(head, rows)


def _problem_table(grids: Mapping[str, Grid], found: Results) -> str:
    """Returns the table of problems: the truth of the grid's choice, and how often each way comes near it."""
    rows = []
    for name, grid in grids.items():
        aim = grid.truth[grid.best()]
        near = [sum(aim - one.truth <= WITHIN for one in found[method, name]) for method in METHODS]
        good = np.mean([aim - truth <= WITHIN for truth in grid.truth.values()])
        rows.append([name, f"{aim:.1%}", f"{good:.0%}", *(f"{count} of {REPEATS}" for count in near)])
    head = ["problem", "grid's choice", "settings as good", *(method.name for method in METHODS)]
    return table(head, rows)


if __name__ == "__main__":
    main()
