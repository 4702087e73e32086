"""What is left of a paper here: holds, holds in kind, or does not hold here."""

from collections.abc import Mapping

from initlab.shelf.estimate import Estimate
from initlab.shelf.paper import Paper

HOLDS, IN_KIND, FAILS, UNDECIDED = "holds", "holds in kind", "does not hold here", "undecided"
SHORT = "short form, not judged"


def verdict(paper: Paper, ours: Mapping[str, Estimate]) -> str:
    """Returns the verdict on a paper from our estimates of its results.

    It *holds* where every tested result agrees, *holds in kind* where all that it is about does and some
    number does not, and *does not hold here* where something that it is about comes out otherwise. Where an
    interval of those is too wide to tell, it is *undecided*.
    """
    agreed = {key: one.agrees(ours[key]) for key, one in paper.published.items() if one.allowed}
    claims = [agrees for key, agrees in agreed.items() if paper.published[key].claim]
    if False in claims:
        return FAILS
    if None in claims:
        return UNDECIDED
    return HOLDS if all(agreed.values()) else IN_KIND


def explained(paper: Paper, ours: Mapping[str, Estimate]) -> str:
    """Returns the verdict in a sentence, with how many of the tested results agree."""
    tested = [one.agrees(ours[key]) for key, one in paper.published.items() if one.allowed]
    return f"{verdict(paper, ours)}: {tested.count(True)} of {len(tested)} tested results agree"
