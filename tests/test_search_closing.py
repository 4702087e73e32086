"""What is said of a search is true: every sentence is a claim, with cases in which it would be false."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from scipy.stats import binom
from terminals import COLORS_AND_MOVES
from test_answer import run

import initlab.terminal.search as closing
from initlab.runs.outcome import Outcome
from initlab.search.found import Candidate, Found, found_in
from initlab.sweeps.launched import Launched

ONE = Candidate(
    ["init=he", "optimizer.learning_rate=0.012345678"], 4, 0.95, (0.9, 0.92, 0.94), (0.89, 0.9, 0.91)
)
FOUND = Found(
    wanted=19, seeds=[3, 5], fresh_seeds=[8, 3], score="accuracy", classifies=True, whole=11, different=9,
    behind=6, diagnosed={"diverged": 2}, saved=0.375, best=[ONE],
)  # fmt: skip


def said(**changes) -> list[str]:
    return list(closing.sentences(replace(FOUND, **changes)))


def shown(found: Found, monkeypatch, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, force_terminal=True)
    monkeypatch.setattr(closing, "stdout", lambda: console)
    closing.print_search(found, [], Launched())
    return COLORS_AND_MOVES.sub("", console.file.getvalue())


def test_all_that_is_said_of_a_whole_search():
    assert said() == [
        "19 trials with seeds 3 to 7: 11 trained to the end, 6 pruned because they were behind, 2 pruned "
        "because most of their seeds were diagnosed: diverged.",
        "Pruning saved 37.5% of the training of these trials.",
        "The value in the search is the best of 9 and tends to be too good (the winner's curse).",
        "Seeds 8 to 10 were in no trial. The validation examples are those of the search; by the test "
        "examples nothing was chosen.",
        "For an interval of a median 3 seeds are too few; hydra.sweeper.fresh_seeds=6 is enough.",
    ]


def test_a_search_that_was_stopped_says_how_far_it_came():
    assert said(wanted=40)[0].startswith("19 of 40 trials with seeds 3 to 7: ")
    assert said(failed=2, wanted=21)[0].startswith("21 trials with")
    assert said(failed=2, wanted=21)[0].endswith(", 2 failed.")


def test_one_trial_is_it_and_several_are_they():
    assert (
        "1 pruned because it was behind, 1 pruned because most of its seeds"
        in said(behind=1, diagnosed={"diverged": 1}, whole=17)[0]
    )


@pytest.mark.parametrize(("wanted", "open_ones"), [(19, False), (20, True)])
def test_jobs_that_were_broken_off_count_only_while_trials_are_missing(
    monkeypatch, capsys, wanted, open_ones
):
    monkeypatch.setattr(closing, "print_addresses", lambda *_: None)
    closing.print_search(replace(FOUND, wanted=wanted), [Outcome(["init=he"])], Launched())
    assert ("1 job stopped before the end." in capsys.readouterr().err) == open_ones


def test_a_job_that_failed_and_then_was_trained_is_no_failure(monkeypatch, capsys):
    monkeypatch.setattr(closing, "print_addresses", lambda *_: None)
    broken, well = Outcome(["init=he", "seed=3"], error="it is broken"), run(0.9, 3)
    other = Outcome(["init=he", "seed=5"], error="it is broken")
    vars(well).update(overrides=["init=he", "seed=3"])
    closing.print_search(FOUND, [broken, well], Launched(jobs=2))
    assert capsys.readouterr().err == ""
    closing.print_search(FOUND, [broken, well, other], Launched(jobs=3))
    assert "Of 2 jobs that ended, 1 failed:\n  init=he seed=5: it is broken" in capsys.readouterr().err


def test_nothing_is_said_of_pruning_that_was_not():
    assert not any("Pruning" in sentence for sentence in said(saved=0.0, behind=0, diagnosed={}))


def test_of_one_setting_nobody_says_that_it_was_chosen():
    assert not any("winner" in sentence for sentence in said(different=1))
    assert any("winner" in sentence for sentence in said(different=2))


def test_without_fresh_seeds_nothing_is_said_of_them():
    seen = said(best=[replace(ONE, validation=(), test=())], fresh_seeds=[8, 0])
    assert seen[-1].endswith("(the winner's curse).")


def test_one_seed_is_not_several():
    seen = said(seeds=[3, 1], fresh_seeds=[4, 1], best=[replace(ONE, validation=(0.9,), test=(0.9,))])
    assert seen[0].startswith("19 trials with seed 3: ")
    assert seen[-1].startswith("Seed 4 was in no trial. ")


def test_a_search_without_an_end_has_no_table_to_speak_of():
    seen = said(best=[], whole=0, different=0, behind=0, diagnosed={"saturated start": 19})
    assert seen[0].endswith(
        "0 trained to the end, 19 pruned because most of their seeds were diagnosed: saturated start."
    )
    assert len(seen) == 2


def test_six_seeds_are_enough_for_an_interval_and_five_are_not():
    assert 1 - 2 * binom.cdf(0, 6, 0.5) >= 0.95 > 1 - 2 * binom.cdf(0, 5, 0.5)
    for count, few in ((5, True), (6, False)):
        scores = tuple(0.9 + 0.01 * k for k in range(count))
        seen = said(fresh_seeds=[8, count], best=[replace(ONE, validation=scores, test=scores)])
        assert any("too few" in sentence for sentence in seen) == few


@pytest.mark.parametrize(("count", "header"), [(5, "median"), (6, "median [95 %]")])
def test_the_header_names_an_interval_where_there_is_one(monkeypatch, count, header):
    scores = tuple(0.9 + 0.01 * k for k in range(count))
    one = replace(ONE, validation=scores, test=scores)
    for [column] in closing._blocks(replace(FOUND, best=[one]))[1:]:
        assert column.header.partition("fresh seeds, ")[2] == header


@pytest.mark.parametrize("width", [80, 200])
def test_the_table_fits_the_terminal_and_nothing_is_cut(monkeypatch, width):
    scores = tuple(0.9 + 0.001 * k for k in range(20))
    best = [replace(ONE, trial=k, validation=scores, test=scores) for k in (4, 11, 17)]
    text = shown(replace(FOUND, best=best, fresh_seeds=[8, 20]), monkeypatch, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for cell in ("he", "0.01235", "95.0%", "91.0% [90.5%, 91.4%]"):
        assert text.count(cell) >= 3


def test_scores_of_regressions_are_numbers(monkeypatch):
    best = [replace(ONE, value=0.8125, validation=(0.75,), test=(-float("inf"),))]
    text = shown(replace(FOUND, score="R²", classifies=False, best=best), monkeypatch, 200)
    assert "0.812" in text
    assert "-∞" in text
    assert "%" not in text.splitlines()[2].replace("[95 %]", "")


def test_what_was_found_is_read_back_as_it_was(tmp_path):
    found = replace(FOUND, best=[replace(ONE, value=-float("inf"))])
    found.write(tmp_path)
    again = found_in(tmp_path)
    assert again is not None
    assert [list(one.validation) for one in again.best] == [list(ONE.validation)]
    assert (again.best[0].value, again.diagnosed, again.ended) == (-float("inf"), {"diverged": 2}, 19)


def test_a_folder_without_a_search_has_found_nothing(tmp_path):
    assert found_in(tmp_path) is None
