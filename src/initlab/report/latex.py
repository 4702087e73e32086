"""The table of an answer for a paper: LaTeX with booktabs."""

from collections.abc import Sequence

from initlab.report.answer import Answer
from initlab.report.table import Row, Spread, table_of
from initlab.report.words import verdict

ESCAPED = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "∞": r"$\infty$", "−": r"$-$", "×": r"$\times$",
    "²": r"\textsuperscript{2}", "σ": r"$\sigma$", "\n": " ",
}  # fmt: skip


def latex_of(answer: Answer) -> str:
    """Returns a table environment whose rows are the sets of runs; it needs the package booktabs."""
    rows = table_of(answer)
    parts = list(rows[0].scores)
    label = escaped(rows[0].typical.rules.score_label)
    header = ["", "seeds", "final cost", *(f"{part} {label}" for part in parts), "reached", "diverged"]
    lines = [" & ".join(_cells(row, parts)) + r" \\" for row in rows]
    caption = [*verdict(answer), "Median [95 % interval of the median] over the seeds."]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(' '.join(caption))}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
            r"\toprule",
            " & ".join(header) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Returns text in which no character has a meaning of its own in LaTeX."""
    safe = "".join(ESCAPED.get(letter, letter) for letter in text)
    return f"{{}}{safe}" if safe.startswith("[") else safe  # which would be an argument of the \\ before it


def _cells(row: Row, parts: Sequence[str]) -> list[str]:
    cells = [row.name, f"{row.seeds}", _shown(row, "cost", row.cost)]
    cells += [_shown(row, part, row.scores[part]) for part in parts]
    return [escaped(cell) for cell in (*cells, f"{row.reached:.0%}", f"{row.diverged:.0%}")]


def _shown(row: Row, part: str, spread: Spread) -> str:
    median, *edges = (row.shown(part, value) for value in (spread.median, *(spread.interval or ())))
    return f"{median} [{', '.join(edges)}]" if edges else median
