"""Scores over what was swept: curves over each number, and a heat map of two keys."""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf, isfinite, isnan, nan

import numpy as np

from initlab.numerals import FEWEST_FOR_QUARTILES, spread_words
from initlab.report.entrants import NAMED_BY_TAG, NOT_COMPARED, OF_STARTS, shown, value_of
from initlab.runs.outcome import Outcome, varied
from initlab.statistics.intervals import median, quartiles

MOST_LINES, MOST_CELLS = 10, 400  # of a picture
LEAST_R2 = -1.0  # that an axis shows, as worse ones would leave no room for the rest

Spread = tuple[float, float, float]
Scores = Mapping[str, Mapping[str, Sequence[float]]]
"""The scores of runs by what names them and by the value of a key."""


def score_pngs(outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    """Returns those pictures that a sweep has, by their file names, as PNGs."""
    finished = [outcome for outcome in outcomes if outcome.summary]
    keys = [key for key in varied(finished) if key not in NOT_COMPARED]
    pictures = {
        f"scores-{key.lstrip('+')}.png": _curves(key, keys, finished)
        for key in keys
        if _are_numbers(_values(key, finished))
    }
    heat = _heat(keys, finished)
    return pictures | ({"heat.png": heat} if heat else {})


def _curves(key: str, keys: Sequence[str], finished: Sequence[Outcome]) -> bytes:
    """Returns the picture of the score over a number: a line for each set of runs that differ in nothing but
    that and their seeds, of many those with the best medians.
    """
    from initlab.plots import figure_png, plot_scores

    others = [other for other in keys if other != key]
    found = scores_by(finished, lambda outcome: name_of(outcome, others), key)
    x = sorted(_values(key, finished), key=float)
    spreads = {name: [spread_of(by_x.get(value, [])) for value in x] for name, by_x in found.items()}
    best = sorted(spreads, key=lambda name: -max(one[0] for one in spreads[name] if not isnan(one[0])))
    shown = best[:MOST_LINES]
    label, words = _label(finished), key.rsplit(".", 1)[-1].replace("_", " ")
    around = spread_words((len(scores) for name in shown for scores in found[name].values()), "seeds")
    title = f"{_title(label)} over {words}"
    title += f" (best {len(shown)} of {len(best)})" if len(best) > len(shown) else ""
    axes = plot_scores(
        [float(value) for value in x],
        {name: tuple(np.array(spreads[name]).T) for name in spreads if name in shown},
        xlabel=key.lstrip("+"),
        ylabel=label,
        title=f"{title}: {around}" if around else title,
        least=-inf if _classifies(finished) else LEAST_R2,
    )
    return figure_png(axes)


def _heat(keys: Sequence[str], finished: Sequence[Outcome]) -> bytes | None:
    """Returns the picture of the median score over two keys; None where more or fewer were swept.

    Starts count as one key, whatever belongs to them.
    """
    starts = {one.summary.tags["init"] for one in finished if one.summary}
    of_starts = [key for key in keys if key.lstrip("+").partition(".")[0] in OF_STARTS]
    free = [key for key in keys if len(starts) == 1 or key not in of_starts]
    if not free or len(free) + (len(starts) > 1) != 2:
        return None
    column = next((key for key in reversed(free) if _are_numbers(_values(key, finished))), free[-1])
    row = next((key for key in free if key != column), "init")
    if row in free:
        found = scores_by(finished, lambda outcome: outcome.settings.get(row, ""), column)
    else:
        found = scores_by(finished, lambda outcome: name_of(outcome, of_starts), column)
    columns = _in_order(_values(column, finished))
    if not 1 < len(found) * len(columns) <= MOST_CELLS:
        return None
    return _heat_png(found, columns, row.lstrip("+"), column.lstrip("+"), finished)


def _heat_png(
    found: Scores, columns: Sequence[str], row_key: str, column_key: str, finished: Sequence[Outcome]
) -> bytes:
    """Returns the picture of the medians of scores, accuracies in percent."""
    from initlab.plots import figure_png, plot_heat

    rows, percent = _in_order(found), _classifies(finished)
    medians = np.array([[spread_of(found[row].get(value, []))[0] for value in columns] for row in rows])
    counts = {len(scores) for by_column in found.values() for scores in by_column.values()}
    title = f"{_title(_label(finished))}{' in %' if percent else ''}"
    title += f", median of {max(counts)} seeds" if len(counts) == 1 and max(counts) > 1 else ""
    digits = 1 if percent else 3
    axes = plot_heat(
        100 * medians if percent else medians,
        rows,
        columns,
        xlabel=column_key,
        ylabel=row_key,
        title=title,
        text=lambda value: f"{value:.{digits}f}".replace("-", "−"),
    )
    return figure_png(axes)


def scores_by(finished: Sequence[Outcome], name: Callable[[Outcome], str], key: str) -> Scores:
    """Returns the scores of the runs by their names and their values of a key, in the order of the jobs."""
    found: dict[str, dict[str, list[float]]] = {}
    for outcome in finished:
        if outcome.summary and key in outcome.settings:
            score = value_of(outcome.summary, "score")
            found.setdefault(name(outcome), {}).setdefault(outcome.settings[key], []).append(score)
    return found


def name_of(outcome: Outcome, keys: Sequence[str]) -> str:
    """Returns the name of a run's start, with its settings of some keys."""
    assert outcome.summary is not None
    given = [key for key in keys if key in outcome.settings and key not in NAMED_BY_TAG]
    more = shown(tuple((key, outcome.settings[key]) for key in given))
    return f"{outcome.summary.tags['init']} {more}".strip()


def spread_of(scores: Sequence[float]) -> Spread:
    """Returns the median of scores and their quartiles or, of few, their extremes; NaN of none."""
    if not scores:
        return nan, nan, nan
    around = quartiles(scores) if len(scores) >= FEWEST_FOR_QUARTILES else (min(scores), max(scores))
    return median(scores), *around


def _values(key: str, finished: Sequence[Outcome]) -> list[str]:
    """Returns the different values of a key, in the order of the jobs."""
    return list(dict.fromkeys(one.settings[key] for one in finished if key in one.settings))


def _are_numbers(values: Collection[str]) -> bool:
    """Returns whether values are different numbers."""
    try:
        numbers = {float(value) for value in values}
    except ValueError:
        return False
    return len(numbers) == len(values) and all(isfinite(number) for number in numbers)


def _in_order(values: Collection[str]) -> list[str]:
    """Returns values in rising order if they are numbers, else as they are."""
    return sorted(values, key=float) if _are_numbers(values) else list(values)


def _classifies(finished: Sequence[Outcome]) -> bool:
    return all(one.summary.rules.classifies for one in finished if one.summary)


def _label(finished: Sequence[Outcome]) -> str:
    """Returns what the scores are called; of runs that have different ones, a score."""
    labels = {one.summary.rules.score_label for one in finished if one.summary}
    return f"test {labels.pop() if len(labels) == 1 else 'score'}"


def _title(label: str) -> str:
    return label[0].upper() + label[1:]
