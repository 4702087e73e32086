"""The pictures of a sweep over several settings: average ranks, and a specification curve of the best two."""

import numpy as np

from initlab.report.answer import Answer
from initlab.report.words import judged_by
from initlab.runs.summary import Summary
from initlab.statistics.specification import SpecificationCurve

MOST_VALUES = 20  # of a key below a specification curve


def setting_pngs(answer: Answer) -> dict[str, bytes]:
    """Returns ``ranks.png`` and ``specifications.png``, where there is enough for them."""
    pictures = {"ranks.png": _ranks(answer), "specifications.png": _specifications(answer)}
    return {name: picture for name, picture in pictures.items() if picture}


def _ranks(answer: Answer) -> bytes | None:
    """Returns the critical-difference diagram of a sweep over several settings."""
    from initlab.plots import figure_png, plot_ranks

    ranking = answer.ranking
    if ranking is None:
        return None
    title = f"Average ranks by {judged_by(answer.runs[0], answer.by)} over {ranking.settings} settings"
    return figure_png(plot_ranks(ranking.average_ranks, ranking.critical_difference, title=title))


def _specifications(answer: Answer) -> bytes | None:
    """Returns the specification curve of the best two by their ranks, or of the first two, the one that wins
    more settings first.
    """
    if len(answer.contests) < 2 or len(answer.entrants) < 2:
        return None
    first, second = list(answer.ranking.average_ranks if answer.ranking else answer.entrants)[:2]
    curve = answer.specifications(first, second)
    if curve and curve.survives < 0.5:
        first, second = second, first
        curve = answer.specifications(first, second)
    if curve is None or len(curve.specifications) < 2:
        return None
    return _drawn(curve, answer.runs[0], answer.by, f"{first} − {second}")


def _drawn(curve: SpecificationCurve, run: Summary, by: str, title: str) -> bytes:
    """Returns the picture of a specification curve of runs like this."""
    from initlab.plots import figure_png, specifications_figure

    found = curve.specifications
    points = 100 if by == "score" and run.rules.classifies else 1
    settings = [dict(one.setting) for one in found if isinstance(one.setting, tuple)]
    choices = {key.rsplit(".", 1)[-1]: [setting[key] for setting in settings] for key in settings[0]}
    return figure_png(
        specifications_figure(
            points * np.array([one.effect for one in found]),
            points * np.array([one.interval for one in found]),
            {key: values for key, values in choices.items() if len(set(values)) <= MOST_VALUES},
            ylabel=f"difference in {_difference(run, by)}",
            title=title,
        )
    )


def _difference(run: Summary, by: str) -> str:
    if by == "cost":
        return "−ln(final cost)"
    return f"{judged_by(run, by)}, points" if run.rules.classifies else judged_by(run, by)
