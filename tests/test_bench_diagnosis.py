"""The diagnosis's benchmark: cases, labels and counts, and a few cases whole."""

import numpy as np
import pytest
from conftest import ROOT

from benchmarks.diagnosis import labels
from benchmarks.diagnosis.cases import BASES, Case, made_cases, published_cases
from benchmarks.diagnosis.judging import NAMES, Judged, confusion, cured, judge, with_known_cause
from benchmarks.diagnosis.tables import confusion_table
from benchmarks.diagnosis.training import train
from initlab.verdicts import VERDICTS


def test_there_are_at_least_200_made_cases_and_both_parts_have_all_faults():
    cases = list(made_cases())
    assert len({case.overrides for case in cases}) == len(cases) >= 200
    for measured in (True, False):
        assert {case.fault for case in cases if case.measured == measured} == {None, *NAMES}


def test_no_architecture_is_in_both_parts():
    parts = [
        {case.group for case in (*made_cases(), *published_cases()) if case.measured == m} for m in (0, 1)
    ]
    assert not parts[0] & parts[1]
    assert {len(base.hidden) % 2 for base in BASES} == {0, 1}


def test_the_verdicts_that_name_faults_exist():
    known = {verdict.__name__.replace("_", " ") for verdict in VERDICTS}
    assert set().union(*NAMES.values()) <= known


def test_a_cure_takes_the_place_of_what_it_mends():
    words = ("dataset=moons", "init=random", "init.scale=30", "optimizer.learning_rate=3")
    assert cured(words, "init=he") == ("dataset=moons", "optimizer.learning_rate=3", "init=he")
    assert cured(words, "optimizer.learning_rate=0.1") == (*words[:3], "optimizer.learning_rate=0.1")


@pytest.mark.parametrize(("deficit", "label"), [
    (-0.02, "normal"), (0.0299, "normal"), (0.03, "neither"), (0.06, "neither"), (0.061, "faulty"),
    (np.inf, "faulty"),
])  # fmt: skip
def test_the_label_follows_from_the_shortfall_alone(deficit, label):
    for verdicts in (("trained well",), ("diverged",)):
        assert Judged(Case("a", 2, ()), deficit, verdicts, None).label == label


def test_the_confusion_counts_what_it_says():
    case = Case("a", 2, ("x",), "penalty", ("y",))
    judged = [
        Judged(Case("a", 2, ("y",), None, ("y",)), 0.0, ("trained well",), None),
        Judged(case, 0.4, ("penalty too strong", "underfitted"), "model.l2=0"),
        Judged(case, 0.4, ("trained well",), None),
        Judged(case, 0.0, ("underfitted",), None),
    ]
    assert confusion(judged) == {
        ("normal", False): 1, ("faulty", True): 1, ("faulty", False): 1, ("normal", True): 1,
    }  # fmt: skip
    assert [one.named_first for one in with_known_cause(judged)] == [True, False]
    assert "| made, only measured | 1 of 2 (50.0%) | 1 of 2 (50.0%) | 0 |" in confusion_table(judged)


def test_a_base_is_normal_and_a_fault_in_it_is_found_and_mended(monkeypatch):
    monkeypatch.setattr(labels, "FRESH", 2000)
    labels._fresh.cache_clear()
    plain = next(base for base in BASES if base.dataset == "blobs").overrides()
    case = Case("blobs", 7, (*plain, "model.l2=1"), "penalty", plain)
    good, ill = (
        judge(one, run)
        for one, run in zip((Case("blobs", 7, plain), case), train([plain, case.overrides]), strict=True)
    )
    assert (good.label, good.found_faulty) == ("normal", False)
    assert (ill.label, ill.named_first) == ("faulty", True)
    [run] = train([cured(case.overrides, ill.cure)])
    assert judge(case, run).label == "normal"
    labels._fresh.cache_clear()


def test_the_page_shows_what_the_command_writes():
    page = (ROOT / "docs" / "diagnosis.md").read_text()
    assert "<!-- diagnosis: made by `make bench-diagnosis` -->" in page
    assert "diagnosis.md" in (ROOT / "mkdocs.yml").read_text()
