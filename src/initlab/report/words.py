"""An answer in words: which entrant is better, by how much, how sure that is, and why."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import exp

from initlab.numerals import number, percent
from initlab.report.answer import Answer, Contest
from initlab.report.entrants import Combination, median_value
from initlab.runs.summary import Summary
from initlab.statistics.intervals import Interval
from initlab.statistics.pairs import Pair
from initlab.statistics.sequence import fewest_seeds

ALPHA = 0.05
MOST_NAMES = 3  # of entrants in one sentence


def verdict(answer: Answer) -> list[str]:
    """Returns what a sweep answers in a few sentences; none where nothing has finished."""
    if not answer.combinations:
        return []
    contest = answer.headline
    if contest is None:
        return _over_settings(answer)
    if len(contest.combinations) == 1:
        return [_alone(next(iter(contest.combinations.values())), answer.by)]
    return [*_chosen_words(answer), *_compared(contest, answer)]


def shown_value(run: Summary, by: str, value: float) -> str:
    """Returns as text what a run like this is judged by: an accuracy in percent, an R² or a cost."""
    if by == "cost":
        return f"{number(exp(-value)) if value > -700 else '∞'}"
    return percent(value) if run.rules.classifies else number(value)


def judged_by(run: Summary, by: str) -> str:
    """Returns what it is called that a run like this is judged by."""
    return "final cost" if by == "cost" else f"test {run.rules.score_label}"


def difference_words(run: Summary, by: str) -> Callable[[float], str]:
    """Returns the function that puts a difference between runs like this into words: '+4.0 points'; of costs
    the first as a multiple of the second, '0.61 ×'.
    """
    if by == "cost":
        return lambda difference: f"{number(exp(-difference))} ×" if difference > -700 else "∞ ×"
    if run.rules.classifies:
        return lambda difference: _signed(f"{100 * difference:+.1f}") + " points"
    return lambda difference: _signed(f"{difference:+.3g}")


def interval_words(pair: Pair, run: Summary, by: str) -> str:
    """Returns a pair's median difference with its interval: '+4.0 points [+2.1, +6.0]'."""
    return with_interval(pair.difference, pair.interval, run, by)


def with_interval(difference: float, interval: Interval, run: Summary, by: str) -> str:
    """Returns a difference between runs like this with its interval, as ``interval_words``."""
    words = difference_words(run, by)
    edges = sorted(interval, reverse=by == "cost")
    low, high = (words(edge).removesuffix(" points").removesuffix(" ×") for edge in edges)
    return f"{words(difference)} [{low}, {high}]"


def _alone(one: Combination, by: str) -> str:
    run, count = one.runs[0], len(one.runs)
    value = shown_value(run, by, median_value(one, by))
    seeds = "" if count == 1 else f", the median of {count:,} seeds"
    return f"Nothing is compared: {one.entrant} has a {judged_by(run, by)} of {value}{seeds}."


def _compared(contest: Contest, answer: Answer) -> list[str]:
    """Returns the sentences on one contest: what the leader beats, what it equals, what is undecided."""
    leader = leader_of(contest, answer.by)
    seen = [pair.seen_from(leader) for pair in contest.pairs if leader in (pair.first, pair.second)]
    run = contest.combinations[leader].runs[0]
    of_kind = {kind: [pair for pair in seen if pair.verdict == kind] for kind in SENTENCES}
    return [say(leader, of_kind[kind], run, answer) for kind, say in SENTENCES.items() if of_kind[kind]]


def leader_of(contest: Contest, by: str) -> str:
    """Returns the entrant that wins most pairs and loses fewest; of equals the one of the best median."""
    wins = Counter[str]()
    for pair in contest.pairs:
        score = {"better": 1, "worse": -1}.get(pair.verdict, 0)
        wins[pair.first] += score
        wins[pair.second] -= score
    entrants = contest.combinations
    return max(entrants, key=lambda name: (wins[name], median_value(entrants[name], by)))


def _beats(leader: str, pairs: Sequence[Pair], run: Summary, answer: Answer) -> str:
    what = judged_by(run, answer.by)
    if len(pairs) <= MOST_NAMES:
        names = _listed([f"{pair.second} ({interval_words(pair, run, answer.by)})" for pair in pairs])
        return f"{leader} is better than {names} in {what}, {_seeds(pairs)}."
    least = min(pairs, key=lambda pair: pair.difference)
    return (
        f"{leader} is better than {_names(pairs)} in {what}, {_seeds(pairs)}; the nearest is {least.second} "
        f"({interval_words(least, run, answer.by)})."
    )


def _loses(leader: str, pairs: Sequence[Pair], run: Summary, answer: Answer) -> str:
    return f"Yet {leader} is worse than {_names(pairs)} in {judged_by(run, answer.by)}, {_seeds(pairs)}."


def _equals(leader: str, pairs: Sequence[Pair], run: Summary, answer: Answer) -> str:
    near = f"{100 * answer.equal_within:g}"
    if answer.by == "cost":
        near += " %"
    elif run.rules.classifies:
        near += " point" if near == "1" else " points"
    else:
        near = f"{answer.equal_within:g}"
    return (
        f"{leader} and {_names(pairs)} are practically equal: the median difference in "
        f"{judged_by(run, answer.by)} is within {near}, {_seeds(pairs)}."
    )


def _undecided(leader: str, pairs: Sequence[Pair], run: Summary, answer: Answer) -> str:
    contest, names = answer.headline, _names(pairs)
    seeds = min(pair.n for pair in pairs)
    fewest = fewest_seeds(ALPHA / len(contest.pairs)) if contest else 0
    if seeds < fewest:
        have = "One seed decides" if seeds == 1 else f"{seeds} seeds decide"
        return f"{have} nothing between {_listed([leader, *_rivals(pairs)])}: it takes at least {fewest}."
    shown = f" ({interval_words(pairs[0], run, answer.by)})" if len(pairs) == 1 else ""
    return f"{leader} against {names}{shown} is undecided after {seeds} seeds; {_forecast(pairs)}."


SENTENCES = {"better": _beats, "worse": _loses, "practically equal": _equals, "undecided": _undecided}


def _forecast(pairs: Sequence[Pair]) -> str:
    more = [pair.more_seeds for pair in pairs]
    known = [count for count in more if count is not None]
    if len(known) < len(more):
        return "how many more would decide cannot be told"
    return f"about {max(known):,} more would decide"


def _over_settings(answer: Answer) -> list[str]:
    """Returns the sentences on several settings: who ranks best, and in how many it beats whom."""
    ranking, entrants = answer.ranking, answer.entrants
    if ranking is not None:
        entrants = list(ranking.average_ranks)
        first = (
            f"Over {ranking.settings} settings {entrants[0]} has the best average rank, "
            f"{ranking.average_ranks[entrants[0]]:.1f} of {len(entrants)}."
        )
        return [first, *(_survives(entrants[0], other, answer) for other in entrants[1:MOST_NAMES])]
    best, other = sorted(entrants[:2], key=lambda name: -_wins(name, answer))
    return [_survives(best, other, answer)]


def _wins(name: str, answer: Answer) -> int:
    pairs = [pair for contest in answer.contests for pair in contest.pairs]
    return sum(
        pair.seen_from(name).verdict == "better" for pair in pairs if name in (pair.first, pair.second)
    )


def _survives(best: str, other: str, answer: Answer) -> str:
    pairs = [pair for _, pair in answer.over_settings(best, other)]
    if not pairs:
        return f"{best} and {other} have no setting in common."
    counts = Counter[str](pair.verdict for pair in pairs)
    found = [f"{kind} in {counts[kind]}" for kind in SENTENCES if counts[kind]]
    return f"{best} against {other}: {_listed(found)} of {len(pairs)} settings."


def _chosen_words(answer: Answer) -> list[str]:
    """Returns at which settings the entrants are compared, if validation has chosen them."""
    if answer.chosen is None:
        return []
    chosen = [one.name for one in answer.chosen.combinations.values()]
    return [f"Each at its best by validation: {_listed(chosen)}."]


def _seeds(pairs: Sequence[Pair]) -> str:
    counts = sorted({pair.n for pair in pairs})
    many = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"in the median of {many} paired seeds"


def _names(pairs: Sequence[Pair]) -> str:
    """Returns the names of the leader's rivals in words."""
    return _listed(_rivals(pairs))


def _rivals(pairs: Sequence[Pair]) -> list[str]:
    """Returns the names of the leader's rivals; of many, the first and how many more."""
    names = [pair.second for pair in pairs]
    return names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES - 1], f"{len(names) - 2} more"]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _signed(text: str) -> str:
    if not text.strip("+-0.") and text[0] in "+-":  # neither more nor less
        text = text[1:]
    return text.replace("-", "−").replace("inf", "∞")
