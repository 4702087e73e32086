"""What counts as well trained: a score as good as is attainable, and better than luck, give or take the
errors of so few examples.
"""

import math

from initlab.verdicts.evidence import Evidence, Part

WITHIN = 0.045  # of a score: as good, in practice
ERRORS = 2.0  # standard errors: less may be luck
LUCK_R2 = 0.02  # of the variance


def short(e: Evidence) -> bool:
    """Returns whether both parts together, or the training part alone, fall short of what is attainable."""
    examples = e.train.examples + e.test.examples
    if e.train.score is None or e.test.score is None:
        return True
    score = (e.train.score * e.train.examples + e.test.score * e.test.examples) / examples
    both = Part(examples, score, 0.0, score + e.shortfall)
    return short_on(e, both) or short_on(e, e.train)


def short_on(e: Evidence, part: Part) -> bool:
    """Returns whether a part falls short of what is attainable there, by more than luck."""
    if part.score is None:
        return True
    error = _error(e, part.score, part.attainable, part.examples)
    return part.attainable - part.score > max(WITHIN, ERRORS * error)


def learned(e: Evidence) -> bool:
    """Returns whether the training part was learned, whatever the test part says."""
    return not (useless(e, e.train) or short_on(e, e.train) or too_sure(e))


def useless(e: Evidence, part: Part) -> bool:
    """Returns whether one answer for all would do as well on a part. To halve its mistakes is no luck."""
    if part.score is None:
        return True
    if not e.output.classifies:
        return part.score <= LUCK_R2
    mistakes = (1 - part.baseline) * part.examples
    luck = min(ERRORS * math.sqrt(max(mistakes * part.baseline, 0)), mistakes / 2)
    return (1 - part.score) * part.examples >= mistakes - luck


def gap(e: Evidence) -> float:
    """Returns by how much the test score is below the training score beyond ERRORS standard errors; 0 where
    that may be luck.
    """
    if e.train.score is None or e.test.score is None:
        return 0.0
    errors = (
        _error(e, e.train.score, e.train.score, e.train.examples),
        _error(e, e.test.score, e.test.score, e.test.examples),
    )
    difference = e.train.score - e.test.score
    return difference if difference > max(WITHIN, ERRORS * math.hypot(*errors) / math.sqrt(2)) else 0.0


def too_sure(e: Evidence) -> bool:
    """Returns whether it is so sure where it is wrong that one answer for all would cost less."""
    return e.final_cost is not None and not e.network.l2 and e.final_cost > e.baseline_cost


def well_trained(e: Evidence) -> bool:
    """Returns whether nothing is left to be wished for."""
    if e.train.score is None or e.test.score is None or useless(e, e.train) or useless(e, e.test):
        return False
    return not (short(e) or short_on(e, e.test) or too_sure(e))


def _error(e: Evidence, score: float, other: float, examples: int) -> float:
    """Returns the standard error of the difference of two scores on so many examples: that of two shares, or
    of two values of R² (Olkin & Finn 1995).
    """
    if e.output.classifies:
        variances = [max(s * (1 - s), 1 / examples) for s in (min(max(score, 0), 1), min(max(other, 0), 1))]
    else:
        variances = [4 * max(s, 0.05) * (1 - max(s, 0.05)) ** 2 for s in (score, other)]
    return math.sqrt(sum(variances) / examples)
