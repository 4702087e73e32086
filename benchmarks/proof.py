"""``make proof``: do the statistics hold what they say? Measured where the truth is known.

Every table goes into docs/statistics.md, that of the microscope's bands into docs/microscope.md. All draws
follow from fixed seeds; the tests run short versions.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks import bands
from initlab.statistics.forecast import count_kinds, decides, forecast_seeds
from initlab.statistics.improvement import improvement
from initlab.statistics.intervals import median_interval
from initlab.statistics.sequence import excluded
from initlab.types import Array
from tools.generated import replace_block, table

PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
SIGNS, STEPS = np.array([-1.0, 0.0, 1.0]), np.array([-1.0, 0.0, 5.0])

CENTERED: dict[str, Draw] = {  # every median is 0
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails (Cauchy)": lambda rng, shape: rng.standard_cauchy(shape),
    "skewed (log-normal)": lambda rng, shape: rng.lognormal(sigma=1.5, size=shape) - 1,
    "six in ten are ties": lambda rng, shape: rng.choice(SIGNS, shape, p=[0.2, 0.6, 0.2]),
    "steps of one size, skewed": lambda rng, shape: rng.choice(STEPS, shape, p=[0.45, 0.1, 0.45]),
    "one in five diverged": lambda rng, shape: np.where(
        rng.random(shape) < 0.2, rng.choice([-np.inf, np.inf], shape), rng.normal(size=shape)
    ),
}


def median_coverage(draw: Draw, n: int, repeats: int, seed: int = 0) -> float:
    """Returns how often the interval of n values holds the median 0 of what they were drawn from."""
    samples = draw(np.random.default_rng(seed), (repeats, n))
    intervals = (median_interval(sample) for sample in samples)
    return float(np.mean([found is not None and found[0] <= 0 <= found[1] for found in intervals]))


def bootstrap_coverage(draw: Draw, n: int, repeats: int, seed: int = 0) -> float:
    """Returns the same of SciPy's percentile bootstrap, for comparison."""
    rng = np.random.default_rng(seed)
    samples = draw(rng, (repeats, n))
    found = stats.bootstrap(
        (samples,), np.median, axis=1, n_resamples=1999, method="percentile", batch=20, rng=rng
    ).confidence_interval
    return float(np.mean((found.low <= 0) & (found.high >= 0)))


def improvement_coverage(n: int, wins: Array, ties: float) -> Array:
    """Returns the exact coverage of the probability of improvement's interval, for each P(win): the sum over
    all numbers of wins, losses and ties among n seeds.
    """
    outcomes = [(w, lost, n - w - lost) for w in range(n + 1) for lost in range(n + 1 - w)]
    signs = [np.repeat([1.0, -1.0, 0.0], outcome) for outcome in outcomes]
    low, high = np.array([found[1:] for found in map(improvement, signs) if found]).T
    shares = np.stack([wins, 1 - wins - ties, np.full_like(wins, ties)], axis=-1)
    mass = stats.multinomial.pmf(np.array(outcomes), n, shares[:, None].clip(0))
    truth = (wins + ties / 2)[:, None]
    held = (low - 1e-12 <= truth) & (truth <= high + 1e-12)
    return np.asarray(np.sum(mass * held, axis=-1))


def misses(differences: Array, alpha: float, first: int = 2) -> NDArray[np.bool_]:
    """Returns for each repeat (..., n) whether the sequence's interval missed the median 0 at any look from
    the ``first`` seed on.
    """
    cuts = excluded(np.arange(1, differences.shape[-1] + 1), alpha)
    above = np.cumsum(differences <= 0, axis=-1) <= cuts
    below = np.cumsum(differences >= 0, axis=-1) <= cuts
    return np.asarray((above | below)[..., first - 1 :].any(axis=-1))


def wilcoxon_alarms(differences: Array, first: int = 6) -> float:
    """Returns how often Wilcoxon's p-value is below 0.05 at any look: what peeking does to a usual test."""
    looks = range(first, differences.shape[-1] + 1)
    alarms = [stats.wilcoxon(differences[:, :n], axis=1).pvalue < 0.05 for n in looks]
    return float(np.mean(np.any(alarms, axis=0)))


def family_misses(starts: int, seeds: int, repeats: int, alpha: float = 0.05, seed: int = 0) -> float:
    """Returns how often any pair of equal starts is called better or worse at any look."""
    values = np.random.default_rng(seed).normal(size=(repeats, starts, seeds))
    first, second = np.triu_indices(starts, 1)
    missed = misses(values[:, first] - values[:, second], alpha / len(first))
    return float(missed.any(axis=1).mean())


def power(effect: float, n: int, repeats: int, seed: int = 0) -> dict[str, float]:
    """Returns how often each test finds an effect, in deviations of a paired difference, with n seeds whose
    shared part makes the variance factor 4.
    """
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(0, 3**0.5, (repeats, n)), rng.normal(size=(2, repeats, n))
    first, second = shared + own[0] + effect * 2**0.5, shared + own[1]
    looks = excluded(np.arange(1, n + 1), 0.05)
    ahead = np.cumsum(first <= second, axis=1) <= looks
    return {
        "at n": float(ahead[:, -1].mean()),
        "by n": float(ahead.any(axis=1).mean()),
        "wilcoxon": float((stats.wilcoxon(first - second, axis=1).pvalue < 0.05).mean()),
        "mann-whitney": float((stats.mannwhitneyu(first, second, axis=1).pvalue < 0.05).mean()),
    }


FORECASTS: dict[str, tuple[Draw, float]] = {  # what differences are like, and equal_within
    "normal, median 0.8": (lambda rng, shape: rng.normal(0.8, 1, shape), 0.0),
    "normal, median 0.5": (lambda rng, shape: rng.normal(0.5, 1, shape), 0.0),
    "normal, median 0.35": (lambda rng, shape: rng.normal(0.35, 1, shape), 0.0),
    "heavy tails (t, 2 degrees), median 0.5": (lambda rng, shape: 0.5 + rng.standard_t(2, shape), 0.0),
    "skewed (exponential), median 0.3": (
        lambda rng, shape: 0.3 + rng.exponential(size=shape) - np.log(2),
        0.0,
    ),
    "accuracies in steps, one in five tied": (
        lambda rng, shape: rng.choice(SIGNS, shape, p=[0.15, 0.2, 0.65]),
        0.0,
    ),
    "equal: normal, within 0.7": (lambda rng, shape: rng.normal(size=shape), 0.7),
    "equal: heavy tails (t, 2), within 0.7": (lambda rng, shape: rng.standard_t(2, shape), 0.7),
}


def seeds_needed(
    draw: Draw, within: float, repeats: int, most: int = 2000, seed: int = 0
) -> NDArray[np.intp]:
    """Returns for each repeat at which seed the pair is decided."""
    differences = draw(np.random.default_rng(seed), (repeats, most))
    return first_decisions(differences, within)


def first_decisions(differences: Array, within: float, after: int = 0) -> NDArray[np.intp]:
    """Returns at which seed, later than ``after``, each repeat (repeats, n) is decided; n + 1 if never."""
    n = differences.shape[-1]
    counts = np.cumsum(count_kinds(differences[..., None], within), axis=1)
    decided = decides(counts, excluded(np.arange(1, n + 1), 0.05))[:, after:]
    return np.asarray(np.where(decided.any(axis=1), decided.argmax(axis=1) + 1 + after, n + 1))


def forecast_beside_truth(
    draw: Draw, within: float, known: int, repeats: int, most: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Returns the median forecast of the seeds needed in all, and the median of what was needed, of repeats
    that are undecided after so many ``known`` seeds.
    """
    differences = draw(np.random.default_rng(seed), (repeats, most))
    open_ones = differences[first_decisions(differences[:, :known], within, after=known - 1) > known]
    forecasts = [forecast_seeds(one[:known], within, 0.05) for one in open_ones]
    needed = [np.inf if more is None else known + more for more in forecasts]
    return float(np.median(needed)), float(np.median(first_decisions(open_ones, within, after=known)))


def medians_table() -> str:
    """Returns the coverage of the median's interval, beside the percentile bootstrap's."""
    rows = []
    draws = list(CENTERED.items())[:3]
    for n in (6, 7, 8, 9, 10, 12, 15, 20, 30, 50, 100):
        ours = [median_coverage(draw, n, 8000, seed) for seed, (_, draw) in enumerate(draws)]
        boot = [bootstrap_coverage(draw, n, 2000, seed) for seed, (_, draw) in enumerate(draws)]
        rows.append([str(n), *(f"{share:.1%}" for share in ours), f"{min(boot):.1%} to {max(boot):.1%}"])
    return table(["seeds", *(name for name, _ in draws), "percentile bootstrap"], rows)


def improvements_table() -> str:
    """Returns the exact coverage of the interval of the probability of improvement."""
    rows = []
    for n in (5, 8, 10, 15, 20, 30, 50, 100):
        cells = []
        for ties in (0.0, 0.2, 0.5):
            wins = np.linspace(0.05, 0.95, 91) - ties / 2
            held = improvement_coverage(n, wins[(wins >= 0) & (wins <= 1 - ties)], ties)
            cells.append(f"{held.mean():.1%} ({held.min():.1%} to {held.max():.1%})")
        rows.append([str(n), *cells])
    return table(["seeds", "no ties", "one in five tied", "half tied"], rows)


def peeking_table() -> str:
    """Returns how often peeking after every seed raises a false alarm."""
    rows = []
    for seed, (name, draw) in enumerate(CENTERED.items()):
        differences = draw(np.random.default_rng(seed), (20_000, 200))
        usual = f"{wilcoxon_alarms(differences[:2000]):.1%}" if seed < 2 else "–"
        rows.append([name, f"{misses(differences, 0.05).mean():.1%}", usual])
    for starts in (3, 5, 10):
        rows.append([f"any pair of {starts} equal starts", f"{family_misses(starts, 200, 5000):.1%}", "–"])
    return table(["differences with median 0", "this interval", "Wilcoxon, p < 0.05"], rows)


def power_table() -> str:
    """Returns how often an effect is found."""
    rows = []
    for effect in (0.5, 1.0, 1.5):
        for n in (8, 16, 32, 64):
            found = power(effect, n, 4000)
            rows.append([f"{effect:g}", str(n), *(f"{share:.0%}" for share in found.values())])
    head = ["effect", "seeds", "verdict at n", "verdict by n, peeking", "Wilcoxon", "Mann–Whitney, unpaired"]
    return table(head, rows)


def forecasts_table() -> str:
    """Returns forecasts beside what was really needed."""
    rows = []
    for name, (draw, within) in FORECASTS.items():
        typical = int(np.median(seeds_needed(draw, within, 1000)))
        cells = [forecast_cell(draw, within, known) for known in (10, typical // 3, typical // 2)]
        rows.append([name, *cells])
    return table(["differences", "after 10 seeds", "after a third", "after half of what is needed"], rows)


def forecast_cell(draw: Draw, within: float, known: int) -> str:
    """Returns forecast / truth, or a dash where fewer than ten seeds would be known."""
    if known < 10:
        return "–"
    forecast, needed = forecast_beside_truth(draw, within, known, 500, seed=1)
    return f"{forecast:.0f} / {needed:.0f} = {forecast / needed:.2f}"


TABLES: dict[str, Callable[[], str]] = {
    "Coverage of the 95 % interval of a median": medians_table,
    "Exact coverage of the 95 % interval of the probability of improvement": improvements_table,
    "False alarms when looking after every seed from the 2nd to the 200th": peeking_table,
    "Power": power_table,
    "Seeds needed: forecast / truth, both medians": forecasts_table,
}


def main() -> None:
    """Measures everything, prints it and puts it into the pages."""
    blocks = []
    for heading, measure in TABLES.items():
        blocks.append(f"**{heading}**\n\n{measure()}")
        print(blocks[-1], end="\n\n", flush=True)
    replace_block(PAGE, "proof", "\n\n".join(blocks))
    found = bands.coverage_table()
    print(f"**Networks in the microscope's bands, which claim nine of ten**\n\n{found}")
    replace_block(bands.PAGE, "bands", found)


if __name__ == "__main__":
    main()
