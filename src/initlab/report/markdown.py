"""An answer as markdown, for MLflow's description of the summary run and for pull requests."""

from collections.abc import Sequence

from initlab.markup import code, escaped
from initlab.report.answer import Answer
from initlab.report.table import Row, Spread, table_of
from initlab.report.words import interval_words, verdict

MOST_ROWS = 40  # of a table in a description


def markdown_of(answer: Answer, command: str, links: Sequence[tuple[str, str]] = ()) -> str:
    """Returns the verdict, the table, the pairs, the diagnosis counts, the command and links (label, URL)."""
    parts = [escaped(" ".join(verdict(answer))), _table(table_of(answer)), _pairs(answer), _diagnoses(answer)]
    parts += [f"Made by {code(command)}.", " · ".join(f"[{label}]({address})" for label, address in links)]
    return "\n\n".join(part for part in parts if part)


def _table(rows: Sequence[Row]) -> str:
    parts = list(rows[0].scores)
    label = rows[0].typical.rules.score_label
    header = ["", "seeds", "final cost", *(f"{part} {label}" for part in parts), "reached", "diverged"]
    lines = [header, ["---"] * len(header), *(_cells(row, parts) for row in rows[:MOST_ROWS])]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    note = "Median [95 % interval of the median]; reached: the share of runs at half the chance cost."
    more = f" {len(rows) - MOST_ROWS} more rows are in runs.csv." if len(rows) > MOST_ROWS else ""
    return f"{text}\n\n{note}{more}{_of_diverged(rows)}"


def _of_diverged(rows: Sequence[Row]) -> str:
    """Returns what is said where runs diverged; an infinite number cannot be a metric in MLflow."""
    if not any(row.diverged for row in rows):
        return ""
    typical = rows[0].typical
    worst = f"cost ∞, {typical.rules.score_label} {rows[0].shown('score', typical.rules.worst_score)}"
    return (
        f" A run that diverged counts as the worst ({worst}); what is infinite is here alone, in no metric."
    )


def _cells(row: Row, parts: Sequence[str]) -> list[str]:
    reached = f"{row.reached:.0%}"
    if row.reached_after is not None:
        reached += f" after {row.reached_after:,.0f}"
    return [
        escaped(row.name),
        str(row.seeds),
        _shown(row, "cost", row.cost),
        *(_shown(row, part, row.scores[part]) for part in parts),
        reached,
        f"{row.diverged:.0%}",
    ]


def _shown(row: Row, part: str, spread: Spread) -> str:
    median, *edges = (row.shown(part, value) for value in (spread.median, *(spread.interval or ())))
    return f"{median} [{', '.join(edges)}]" if edges else median


def _pairs(answer: Answer) -> str:
    contest = answer.headline
    if contest is None or not contest.pairs:
        return ""
    run = answer.runs[0]
    lines = [
        "| pair | median difference [interval] | P(first better) | Wilcoxon p (Holm) | pairing | verdict |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for pair in contest.pairs[:MOST_ROWS]:
        ratio = "–" if pair.variance_factor is None else f"{pair.variance_factor:.1f} ×"
        wins = "–" if pair.improvement is None else f"{pair.improvement.probability:.0%}"
        p_value = "–" if pair.wilcoxon_p is None else f"{pair.wilcoxon_p:.2g}"
        lines.append(
            f"| {escaped(pair.first)} − {escaped(pair.second)} | {interval_words(pair, run, answer.by)} "
            f"| {wins} | {p_value} | {ratio} | {pair.verdict} |"
        )
    return "\n".join(lines)


def _diagnoses(answer: Answer) -> str:
    counts = [f"{name} {len(runs)}" for name, runs in answer.diagnoses.items()]
    return f"Diagnoses of {len(answer.runs)} runs: {', '.join(counts)}." if counts else ""
