"""Verdicts on what was learned, compared with one answer for all and with what is attainable."""

from initlab.numerals import counted
from initlab.verdicts.evidence import Evidence
from initlab.verdicts.judgement import WITHIN, gap, short, too_sure, useless, well_trained
from initlab.verdicts.steps import falling, fell_by

IMPROVING = 0.05  # of the cost lost within the last tenth: as much again would be well worth the wait
SOLVED = 0.01  # of cost: from there on more iterations change no answer worth changing
UNMOVED = 0.01  # of the first cost


def trained_well(e: Evidence) -> str | None:
    """Applies when on both parts it is as good as is attainable, and better than luck."""
    if not well_trained(e):
        return None
    best = e.reference.best
    if max(best.train, best.test, e.test.score or 0) < e.output.good_score:
        there = e.output.show(best.test)
        return f"{_reached(e)}, where {best.by} reaches {there}: what is missing may be noise."
    return f"{_reached(e)}."


def _reached(e: Evidence) -> str:
    on_train, on_test = (e.output.show(part.score or 0.0) for part in (e.train, e.test))
    return f"It reaches {on_train} on the training examples and {on_test} on the test examples"


def no_better_than_the_larger_class(e: Evidence) -> str | None:
    """Applies when answering the larger class for every example would score as well, give or take luck."""
    if e.train.score is None or not e.output.classifies or not useless(e, e.train):
        return None
    luck = f"; the difference may be luck on {e.train.examples:,} examples"
    luck = luck if e.train.score > e.train.baseline else ""
    return (
        f"With {e.train.score:.1%} of the training examples right it is no better than answering the larger "
        f"class every time ({e.train.baseline:.1%}{luck}).{_nothing(e)}"
    )


def no_better_than_the_mean(e: Evidence) -> str | None:
    """Applies when answering the mean for every example would score as well."""
    if e.train.score is None or e.output.classifies or not useless(e, e.train):
        return None
    how = "it does worse than" if e.train.score < -0.02 else "it does no better than"
    score = f"With R² {e.train.score:.3g} on the training examples"
    return f"{score} {how} answering the mean every time.{_nothing(e)}"


def _nothing(e: Evidence) -> str:
    """Returns that references found nothing to learn either, where that is so."""
    best = e.output.show(e.reference.best.train)
    if e.reference.best.train - e.train.baseline > WITHIN:
        return ""
    return f" Nor is a linear model or a vote of neighbours ({best}): perhaps nothing can be learned."


def cost_hardly_fell(e: Evidence) -> str | None:
    """Applies when the cost hardly changed, though weights did move."""
    if e.final_cost is None or not any(e.moved) or e.final_cost > e.first_cost:
        return None
    if e.first_cost - e.final_cost >= UNMOVED * e.first_cost:
        return None
    return (
        f"In {counted(len(e.costs), 'iteration')} the cost of all training examples went from "
        f"{e.first_cost:.4g} to {e.final_cost:.4g}, hardly down."
    )


def overfitted(e: Evidence) -> str | None:
    """Applies when the test examples fare worse than the training examples do, by more than luck."""
    if not gap(e) or useless(e, e.train) or e.test.score is None or e.train.score is None:
        return None
    on_train, on_test = e.output.show(e.train.score), e.output.show(e.test.score)
    beside = f"where {e.reference.best.by} reaches {e.output.show(e.reference.best.test)}"
    if useless(e, e.test):
        single = f"the larger class there ({e.test.baseline:.1%})" if e.output.classifies else "the mean"
        beside = f"no better than {single}"
    return (
        f"It was learned by heart: {on_train} of the training examples, {on_test} of the test examples, "
        f"{beside}. Try model.l2=0.01, more data or fewer iterations."
    )


def underfitted(e: Evidence) -> str | None:
    """Applies when it is better than one answer for all, and yet not as good as is attainable."""
    if (
        e.train.score is None
        or e.test.score is None
        or useless(e, e.train)
        or well_trained(e)
        or overfitted(e)
    ):
        return None
    if too_sure(e) and not short(e):
        return (
            f"It reaches {e.output.show(e.train.score)} on the training examples, but its cost "
            f"({e.final_cost:.4g}) is above that of one answer for all ({e.baseline_cost:.4g}): it is very "
            "sure where it is wrong."
        )
    best, show = e.reference.best, e.output.show
    return (
        f"{_reached(e)}, where {best.by} reaches {show(best.train)}, each example left out in turn, and "
        f"{show(best.test)}."
    )


def still_improving(e: Evidence) -> str | None:
    """Applies when the cost still fell notably within the last tenth of the training."""
    fell = falling(e)
    if fell is None or fell < IMPROVING or e.final_cost is None or e.final_cost < SOLVED:
        return None
    return f"The cost {fell_by(e)}."
