"""The tables of docs/diagnosis.md."""

from collections.abc import Sequence

from tools.generated import table

from .judging import NAMES, Judged, confusion, with_known_cause

PUBLISHED = [  # counted from their listings on Circle and Blob; see the page
    ("DeepLocalize", "105 of 117", "20 of 73"),
    ("DeepDiagnosis", "81 of 119", "9 of 75"),
]


def confusion_table(judged: Sequence[Judged]) -> str:
    """Returns how many faulty runs were found, and how many normal ones raised an alarm, by part."""
    parts = {
        "made, tuned on": [one for one in judged if not (_public(one) or one.case.measured)],
        "made, only measured": [one for one in judged if one.case.measured and not _public(one)],
        "AutoTrainer's, odd depths": [one for one in judged if _public(one) and not one.case.measured],
        "AutoTrainer's, even, only measured": [one for one in judged if _public(one) and one.case.measured],
        "**all that is only measured**": [one for one in judged if one.case.measured],
    }
    rows = [[name, *_cells(part)] for name, part in parts.items()]
    return table(["cases", "faulty found", "false alarms", "neither, left out"], rows)


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
    """Returns the figures of published tools beside Initlab's on AutoTrainer's architectures."""
    found = confusion([one for one in judged if _public(one)])
    faulty, normal = (found[label, True] + found[label, False] for label in ("faulty", "normal"))
    ours = ("Initlab", f"{found['faulty', True]} of {faulty}", f"{found['normal', True]} of {normal}")
    rows = [list(row) for row in (ours, *PUBLISHED)]
    return table(["Circle and Blob, 5 units a layer", "faulty found", "false alarms"], rows)


def cures_table(judged: Sequence[Judged], after: Sequence[Judged]) -> str:
    """Returns what became of the faulty cases that were trained again with the override they were advised."""
    rows = []
    groups = (
        ("made, tuned on", False, False),
        ("made, only measured", False, True),
        ("AutoTrainer's", True, None),
    )
    for name, public, measured in groups:
        chosen = [
            (before, now)
            for before, now in zip(judged, after, strict=True)
            if _public(before) == public and measured in (None, before.case.measured)
        ]
        normal = sum(now.label == "normal" for _, now in chosen)
        better = sum(now.label != "faulty" for _, now in chosen)
        rows.append([name, str(len(chosen)), _share(normal, len(chosen)), _share(better, len(chosen))])
    return table(["faulty, with advice", "trained again", "normal then", "no longer faulty"], rows)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "–"
