"""The report as one HTML page that needs no network: words first, then tables and charts."""

import base64
from collections.abc import Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initlab import palette
from initlab.numerals import number
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value, shown
from initlab.report.histories import Course, courses_of
from initlab.report.origin import origin_of
from initlab.report.sections import (
    facts_of,
    link_to,
    pair_line,
    pairing_words,
    pairs_shown,
    table_lines,
    verdicts_of,
)
from initlab.report.sweep import Sweep
from initlab.report.trends import numbers_of, scored, scores_over, swept
from initlab.report.vega import vega_script
from initlab.report.words import interval_words, judged_by, verdict, with_interval
from initlab.runs.stored import Read
from initlab.runs.summary import Summary
from initlab.statistics.pairs import Pair, verdict_on

if TYPE_CHECKING:
    from initlab.report.charts import Difference, Measure

MOST_ENTRANTS = 10  # as many colours as one chart has
MOST_SHOWN = 12  # sets of runs, each with maps and pictures of its own
MOST_SETTINGS = 12  # charts of cost curves
MOST_SPECIFICATIONS = 3
MOST_PICTURES = 60
SIGNS = {"score": "−", "cost": "÷"}
TEMPLATE = Path(__file__).parent / "template"

MAPS = {
    "grad_norm": "Gradient norm",
    "activation_mean_square": "Activation size (mean square)",
    "dead_units": "Dead units (share)",
}
CURVES = palette.CURVE_COLORS, palette.DARK_CURVE_COLORS

Charts = dict[str, dict[str, Any]]


def page_of(sweep: Sweep, answer: Answer, read: Read) -> str:
    """Returns the page of a sweep's answer."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup

    from initlab.report.charts import CONFIG

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["link"] = link_to
    charts: Charts = {}
    content = _content(sweep, answer, read, charts)
    page = environment.get_template("page.html")
    return page.render(content, charts=charts, config=CONFIG, vega=Markup(vega_script()))


def _content(sweep: Sweep, answer: Answer, read: Read, charts: Charts) -> dict[str, Any]:
    """Returns what the template shows, and puts the charts into ``charts`` by the ids of their places."""
    run = answer.runs[0]
    finished = sum(outcome.summary is not None for outcome in sweep.outcomes)
    labels, lines = table_lines(answer)
    best = sorted(answer.entrants, key=partial(_best_of, answer))[:MOST_ENTRANTS]
    entrants = [name for name in answer.entrants if name in best]
    colors = {name: f"var(--curve-{i})" for i, name in enumerate(entrants)}
    settings = [contest.setting for contest in answer.contests][:MOST_SETTINGS]
    drawn = [one for one in answer.combinations if one.setting in settings and one.entrant in colors]
    courses = courses_of(drawn, read)
    return {
        "sweep": sweep,
        "sentences": verdict(answer),
        "judged": judged_by(run, answer.by),
        "score": judged_by(run, "score"),
        "facts": facts_of(answer, len(sweep.outcomes) - finished),
        "labels": labels,
        "lines": lines,
        "pairs": _pairs(answer, charts),
        "settings": _settings(answer, charts),
        "curves": _curves(answer, courses, colors, charts),
        "colors": colors,
        "frames": _frames(_shown(answer, drawn), read),
        "trends": _trends(sweep, answer, colors, charts),
        "maps": _maps(answer, courses, charts),
        "verdicts": verdicts_of(answer),
        "runs": len(answer.runs),
        "origin": origin_of(answer),
        "palette": palette,
        "curve_colors": CURVES,
    }


def _best_of(answer: Answer, entrant: str) -> float:
    return -max(median_value(one, answer.by) for one in answer.combinations if one.entrant == entrant)


def _shown(answer: Answer, drawn: Sequence[Combination]) -> list[Combination]:
    """Returns the sets of runs that have pictures and maps of their own: those of the best medians."""
    best = sorted(drawn, key=lambda one: -median_value(one, answer.by))[:MOST_SHOWN]
    return [one for one in drawn if one in best]


def _pairs(answer: Answer, charts: Charts) -> dict[str, Any] | None:
    """Returns the pairs of the one contest that answers for the sweep, as a table and as a forest plot."""
    contest = answer.headline
    if contest is None or not contest.pairs:
        return None
    from initlab.report.charts import forest_chart

    run, pairs = answer.runs[0], pairs_shown(contest, answer.by)
    differences = [_difference(pair, run, answer.by) for pair in pairs]
    charts["forest"] = forest_chart(differences, _measure(answer))
    return {
        "lines": [pair_line(pair, run, answer.by) for pair in pairs],
        "sign": SIGNS[answer.by],
        "more": len(contest.pairs) - len(pairs),
        "pairing": pairing_words(contest.pairs),
        "open": any(-pair.interval[0] == pair.interval[1] == inf for pair in pairs),
    }


def _difference(pair: Pair, run: Summary, by: str) -> "Difference":
    from initlab.report.charts import Difference

    words, label = interval_words(pair, run, by), f"{pair.first} {SIGNS[by]} {pair.second}"
    return Difference(label, pair.difference, pair.interval, words, pair.verdict, pair.n)


def _measure(answer: Answer) -> "Measure":
    from initlab.report.charts import Measure

    run, costs = answer.runs[0], answer.by == "cost"
    points = run.rules.classifies and not costs
    title = "ratio of final costs" if costs else f"difference in {judged_by(run, answer.by)}"
    return Measure(costs, points, answer.equal_within, title + ", points" * points)


def _settings(answer: Answer, charts: Charts) -> dict[str, Any] | None:
    """Returns the entrants over all settings: their average ranks, and how the best compares in each."""
    if len(answer.contests) < 2 or len(answer.entrants) < 2:
        return None
    ranking = answer.ranking
    if ranking is not None:
        from initlab.report.charts import ranks_chart

        charts["ranks"] = ranks_chart(ranking)
    best, *others = list(ranking.average_ranks) if ranking else _by_settings(answer)
    curves = [
        curve
        for place, other in enumerate(others[:MOST_SPECIFICATIONS])
        if (curve := _specification(answer, best, other, f"specification-{place}", charts))
    ]
    return {"ranking": ranking, "curves": curves} if ranking or curves else None


def _by_settings(answer: Answer) -> list[str]:
    """Returns the first two entrants, first that which is better in more settings."""
    first, second = answer.entrants[:2]
    curve = answer.specifications(first, second)
    return [second, first] if curve and curve.survives < 0.5 else [first, second]


def _specification(
    answer: Answer, best: str, other: str, place: str, charts: Charts
) -> dict[str, str] | None:
    """Returns a specification curve with its words; None where the two have no setting in common."""
    curve = answer.specifications(best, other)
    if curve is None:
        return None
    from initlab.report.charts import Difference, specification_chart

    run, by = answer.runs[0], answer.by
    differences = [
        Difference(
            shown(one.setting),  # type: ignore[arg-type]
            one.effect,
            one.interval,
            with_interval(one.effect, one.interval, run, by),
            verdict_on(one.interval, answer.equal_within),
            one.n,
        )
        for one in curve.specifications
    ]
    charts[place] = specification_chart(differences, _measure(answer))
    words = f"better in the median in {curve.survives:.0%} of {len(differences)} settings"
    words += (
        f", with an interval that says so in {curve.supported:.0%}, against it in {curve.contradicted:.0%}"
    )
    return {"chart": place, "title": f"{best} {SIGNS[by]} {other}", "shares": words}


def _curves(
    answer: Answer, courses: Sequence[Course], colors: Mapping[str, str], charts: Charts
) -> dict[str, Any]:
    """Returns a chart of cost curves for each setting."""
    from initlab.report.charts import curves_chart, range_of

    limits, shown_charts = range_of(courses), []
    by_setting: dict[Any, list[Course]] = {}
    for course in courses:
        by_setting.setdefault(course.combination.setting, []).append(course)
    height = 340 if len(by_setting) == 1 else 220
    for place, (setting, some) in enumerate(by_setting.items()):
        charts[f"curves-{place}"] = curves_chart(some, colors, limits, link_to, height)
        shown_charts.append({"chart": f"curves-{place}", "title": shown(setting)})
    lines = max(len(course.lines) for course in courses)
    return {
        "charts": shown_charts,
        "lines": lines,
        "thinned": any(len(course.lines) < len(course.combination.runs) for course in courses),
        "read": max(course.read for course in courses),
        "sampled": any(course.read < len(course.combination.runs) for course in courses),
        "several": any(len(course.combination.runs) > 1 for course in courses),
        "settings": len(answer.contests),
        "entrants": len(answer.entrants),
    }


def _frames(combinations: Sequence[Combination], read: Read) -> dict[str, Any] | None:
    """Returns the pictures of the boundary as it forms, of the typical run of each set, as data URIs."""
    runs = [(one, read(one.typical).frames) for one in combinations]
    runs = [(one, frames) for one, frames in runs if frames]
    if not runs:
        return None
    most = max(2, MOST_PICTURES // len(runs))
    runs = [(one, _some(frames, most)) for one, frames in runs]
    steps = sorted({step for _, frames in runs for step in frames})
    return {
        "steps": steps,
        "runs": [
            {"name": one.name, "run": one.typical, "last": _data_uri(frames[max(frames)])}
            for one, frames in runs
        ],
        "data": {
            "steps": steps,
            "runs": [
                # The last one is there already, as what the page shows before anything is moved.
                [[step, _data_uri(frames[step]) if step < max(frames) else None] for step in sorted(frames)]
                for _, frames in runs
            ],
        },
    }


def _some(frames: Mapping[int, bytes], most: int) -> dict[int, bytes]:
    steps = sorted(frames)
    places = {round(i * (len(steps) - 1) / (most - 1)) for i in range(most)}
    return {step: frames[step] for place, step in enumerate(steps) if place in places}


def _data_uri(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode()


def _trends(sweep: Sweep, answer: Answer, colors: Mapping[str, str], charts: Charts) -> list[dict[str, Any]]:
    """Returns a chart of the test score for each number that was swept."""
    from initlab.report.charts import trend_chart

    runs, rules, found = scored(sweep.outcomes), answer.runs[0].rules, []
    title = judged_by(answer.runs[0], "score")
    for place, (key, numbers) in enumerate(numbers_of(swept(runs)).items()):
        scores = scores_over(key, numbers, runs)
        own = {start: colors.get(start, f"var(--curve-{i})") for i, start in enumerate(scores)}
        charts[f"trend-{place}"] = trend_chart(key, numbers, scores, title, rules.classifies, own)
        found.append({"chart": f"trend-{place}", "title": key, "colors": own})
    return found


def _maps(answer: Answer, courses: Sequence[Course], charts: Charts) -> list[dict[str, Any]]:
    """Returns for each measurement its maps, one for each set of runs, in the same colours."""
    from initlab.report.charts import map_chart, scale_of

    kept = _shown(answer, [course.combination for course in courses])
    of_kept = [course for course in courses if course.combination in kept]
    sections = []
    for name, title in MAPS.items():
        measured = [course for course in of_kept if name in course.layers]
        if not measured:
            continue
        scale = scale_of([course.layers[name] for course in measured], share=name == "dead_units")
        maps = []
        for place, course in enumerate(measured):
            charts[f"{name}-{place}"] = map_chart(course.layers[name], scale, title)
            maps.append({"chart": f"{name}-{place}", "title": course.combination.name})
        ends = (number(scale.low, 2), number(scale.high, 2))
        sections.append({"title": title, "maps": maps, "ends": ends})
    return sections
