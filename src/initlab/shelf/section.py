"""A paper's section of the page: its claim, what it printed beside what comes out here, and the verdict."""

import math
from collections.abc import Mapping

from initlab.numerals import number
from initlab.shelf.estimate import Estimate
from initlab.shelf.paper import Paper, Published

SECOND_HAND = "† not seen in the paper itself: known from what others write of it, or remembered."
WORDS = {True: "agrees", False: "differs", None: "cannot tell"}


def section(paper: Paper, ours: Mapping[str, Estimate], judged: str, picture: str) -> str:
    """Returns a paper's section in markdown, with the verdict on it and the figure at a path."""
    rows = [row(one, ours[key]) for key, one in paper.published.items()]
    missed = [
        f"- *{_escaped(one.what)}*: {one.why}"
        for key, one in paper.published.items()
        if one.why and one.agrees(ours[key]) is not True
    ]
    second_hand = any(one.second_hand for one in paper.published.values())
    return "\n".join(
        [
            f"**{paper.title}.** {paper.cited}, {paper.source}.",
            "",
            f"**Claim.** {paper.claim}",
            "",
            f"**Verdict: {judged}.**",
            "",
            "| result | published | where | here [95 %] | |",
            "|---|---|---|---|---|",
            *rows,
            *(["", SECOND_HAND] if second_hand else []),
            "",
            f"![{paper.name}]({picture})",
            "",
            paper.here,
            *(["", *missed] if missed else []),
        ]
    )


def row(one: Published, ours: Estimate) -> str:
    """Returns a result's row of the table."""
    cells = label(one), printed(one), place(one), shown(one, ours), outcome(one, ours)
    return f"| {' | '.join(cells)} |"


def label(one: Published) -> str:
    """Returns what a result is, in bold if the verdict rests on it."""
    return f"**{_escaped(one.what)}**" if one.claim else _escaped(one.what)


def place(one: Published) -> str:
    """Returns where a result stands in the paper, with a mark if that is known only second-hand."""
    return f"{one.where} †" if one.second_hand else one.where


def outcome(one: Published, ours: Estimate) -> str:
    """Returns in a word or two whether a result agrees with the paper's."""
    return WORDS[one.agrees(ours)] if one.allowed else "not tested"


def printed(one: Published) -> str:
    """Returns what the paper has, with the tolerance of the test."""
    if one.value is not None:
        text = one.printed or _text(one, one.value)
        return text if one.tolerance is None else f"{text} (± {_text(one, one.tolerance)})"
    return one.printed or _bounds(one)


def _bounds(one: Published) -> str:
    low, high = one.allowed or (-math.inf, math.inf)
    if math.isinf(high):
        return f"at least {_text(one, low)}"
    return f"at most {_text(one, high)}" if math.isinf(low) else f"{_text(one, low)} to {_text(one, high)}"


def shown(one: Published, ours: Estimate) -> str:
    """Returns our number with its interval, if it has one."""
    value = _text(one, ours.value)
    if ours.low == ours.high:
        return value
    return f"{value} [{_text(one, ours.low)}, {_text(one, ours.high)}]"


def _escaped(text: str) -> str:
    return text.replace("*", r"\*")


def _text(one: Published, value: float) -> str:
    return f"{100 * value:.3g} %" if one.percent else number(value)
