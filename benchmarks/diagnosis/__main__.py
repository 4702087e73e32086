"""``make bench-diagnosis``: does the diagnosis say what is true, and does its advice mend?

Trains every case, labels it by examples that nothing else has seen, and trains those that failed again with
the override they were advised. Prints the tables and puts them into docs/diagnosis.md.
"""

from pathlib import Path

from tools.generated import replace_block

from .cases import made_cases, published_cases
from .judging import Judged, cured, judge
from .tables import causes_table, confusion_table, cures_table, tools_table
from .training import train

PAGE = Path(__file__).parent.parent.parent / "docs" / "diagnosis.md"


def main() -> None:
    """Measures everything."""
    cases = [*made_cases(), *published_cases()]
    judged = [judge(case, run) for case, run in zip(cases, train([c.overrides for c in cases]), strict=True)]
    blocks = [confusion_table(judged), tools_table(judged), causes_table(judged)]
    print(*blocks, sep="\n\n", end="\n\n", flush=True)
    faulty = [one for one in judged if one.label == "faulty" and one.cure]
    blocks.append(cures_table(faulty, _treated(faulty)))
    print(blocks[-1])
    replace_block(PAGE, "diagnosis", "\n\n".join(blocks))


def _treated(faulty: list[Judged]) -> list[Judged]:
    """Returns what becomes of cases with the override that they were advised."""
    runs = train([cured(one.case.overrides, one.cure or "") for one in faulty])
    return [judge(one.case, run) for one, run in zip(faulty, runs, strict=True)]


if __name__ == "__main__":
    main()
