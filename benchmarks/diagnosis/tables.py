"""The tables of docs/diagnosis.md."""

from collections.abc import Sequence

from tools.generated import table

from .judging import NAMES, Judged, confusion, with_known_cause

PUBLISHED = [  # counted from the listings in DeepDiagnosis's repository, "repaired" and "failed" as faulty
    ("DeepLocalize", "107 of 119", "20 of 73"),
    ("DeepDiagnosis", "81 of 119", "9 of 75"),
]


def confusion_table(judged: Sequence[Judged]) -> str:
    """Returns how many faulty runs were found, and how many normal ones raised an alarm, by part."""
    rows = [
        [name, *_cells([one for one, is_in in zip(judged, part, strict=True) if is_in])]
        for name, part in _parts(judged).items()
    ]
    return table(["cases", "faulty found", "false alarms", "neither, left out"], rows)


def _parts(judged: Sequence[Judged]) -> dict[str, list[bool]]:
    """Returns of each part which cases are in it."""
    return {
        "made, tuned on": [not (_public(one) or one.case.measured) for one in judged],
        "made, only measured": [one.case.measured and not _public(one) for one in judged],
        "AutoTrainer's, odd depths": [_public(one) and not one.case.measured for one in judged],
        "AutoTrainer's, even, only measured": [_public(one) and one.case.measured for one in judged],
        "**all that is only measured**": [one.case.measured for one in judged],
    }


def _public(one: Judged) -> bool:
    return one.case.fault == "published"


def _cells(judged: Sequence[Judged]) -> list[str]:
    found = confusion(judged)
    faulty, normal = (found[label, True] + found[label, False] for label in ("faulty", "normal"))
    return [
        _share(found["faulty", True], faulty),
        _share(found["normal", True], normal),
        str(sum(found.values()) - faulty - normal),
    ]


def causes_table(judged: Sequence[Judged]) -> str:
    """Returns how often the fault that was put in is named, first or among the sentences, by fault."""
    known = [one for one in with_known_cause(judged) if one.case.measured]
    faults = [fault for fault in NAMES if any(one.case.fault == fault for one in known)]
    rows = [[fault, *_named([one for one in known if one.case.fault == fault])] for fault in faults]
    rows.append(["**all**", *_named(known)])
    return table(["fault put in, only measured", "cases", "named first", "named"], rows)


def _named(judged: Sequence[Judged]) -> list[str]:
    n = len(judged)
    return [
        str(n),
        _share(sum(one.named_first for one in judged), n),
        _share(sum(one.named for one in judged), n),
    ]


def tools_table(judged: Sequence[Judged]) -> str:
    """Returns the figures of published tools beside Initlab's on AutoTrainer's architectures, those that are
    only measured.
    """
    found = confusion([one for one in judged if _public(one) and one.case.measured])
    faulty, normal = (found[label, True] + found[label, False] for label in ("faulty", "normal"))
    ours = (
        "Initlab, even depths",
        f"{found['faulty', True]} of {faulty}",
        f"{found['normal', True]} of {normal}",
    )
    rows = [list(row) for row in (ours, *PUBLISHED)]
    return table(["Circle and Blob, 5 units a layer", "faulty found", "false alarms"], rows)


def cures_table(judged: Sequence[Judged], after: Sequence[Judged]) -> str:
    """Returns what became of the faulty cases that were trained again with the override they were advised."""
    rows = []
    for name, part in _parts(judged).items():
        labels = [now.label for now, is_in in zip(after, part, strict=True) if is_in]
        better = len(labels) - labels.count("faulty")
        shares = (_share(labels.count("normal"), len(labels)), _share(better, len(labels)))
        rows.append([name, str(len(labels)), *shares])
    return table(["faulty, with advice", "trained again", "normal then", "no longer faulty"], rows)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "–"
