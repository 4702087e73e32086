"""Seeds are added until every pair is decided, and what is said of that is true."""

import re

import pytest
from conftest import runs_of
from test_answer import run, starts, wobble

from initlab.report.answer import answer_of
from initlab.sweeps.until import more_jobs

QUICK = ("train.iterations=40", "optimizer.learning_rate=0.5", "plots.frames=0", "report.keep=false")


def added(outcomes, at_most=200):
    return more_jobs(outcomes, at_most, "score", 0.01)


def test_nothing_is_added_to_what_is_decided():
    assert added(starts({"zeros": lambda s: 0.5 + wobble(s), "he": lambda s: 0.9 + wobble(s)})) == []


def test_nothing_is_added_where_nothing_is_compared():
    assert added([run(0.9, seed) for seed in range(3)]) == []


def test_at_first_as_many_seeds_are_added_as_can_decide_at_all():
    jobs = added(starts({"zeros": lambda s: 0.5, "he": lambda s: 0.9}, seeds=[3]))
    assert jobs == [[f"init={init}", f"seed={seed}"] for init in ("zeros", "he") for seed in range(4, 10)]


def test_only_what_is_undecided_gets_more_seeds_the_same_for_both():
    scores = {"zeros": lambda s: 0.5, "xavier": lambda s: 0.9, "he": lambda s: 0.8 if s % 2 else 0.97}
    jobs = added(starts(scores))
    assert {job[0] for job in jobs} == {"init=xavier", "init=he"}
    by_start = [[job[1] for job in jobs if job[0] == f"init={init}"] for init in ("xavier", "he")]
    assert by_start[0] == by_start[1]
    assert by_start[0][0] == "seed=23"
    assert len(by_start[0]) >= 6


def test_no_start_gets_more_seeds_than_allowed():
    scores = {"xavier": lambda s: 0.9, "he": lambda s: 0.8 if s % 2 else 0.97}
    assert len(added(starts(scores), at_most=25)) == 2 * 2
    assert added(starts(scores), at_most=23) == []


def test_adding_seeds_in_rounds_ends_decided():
    scores = {"xavier": lambda s: 0.8 + wobble(s), "he": lambda s: 0.9 if s % 5 else 0.7}
    outcomes = starts(scores, seeds=range(2))
    for _ in range(20):
        jobs = added(outcomes)
        if not jobs:
            break
        for init, seed in (job for job in jobs):
            name, number = init.partition("=")[2], int(seed.partition("=")[2])
            outcomes.append(run(scores[name](number), number, init=name))
    assert answer_of(outcomes).decided
    assert len(outcomes) < 2 * 200


def test_the_command_adds_seeds_until_all_is_decided(command, client):
    done = command("-m", "init=zeros,he", "hydra.launcher.until=decided", "report.by=cost", *QUICK)
    assert done.returncode == 0, done.stderr
    [seeds] = re.findall(r"^Every pair is decided after (\d+) seeds\.$", done.stdout, re.MULTILINE)
    found = [(run.data.tags["init"], int(run.data.tags["seed"])) for run in runs_of(client)]
    assert sorted(found) == sorted((init, 3 + k) for init in ("zeros", "he") for k in range(int(seeds)))
    assert len({run.data.tags["sweep"] for run in runs_of(client)}) == 1


def test_the_command_stops_at_the_limit_and_says_so(command, client):
    limit = ("hydra.launcher.until=decided", "hydra.launcher.at_most=5")
    done = command("-m", "init=zeros,he", "report.by=cost", *limit, *QUICK)
    assert "Not every pair is decided after 5 seeds; at_most=5." in done.stdout
    assert len(runs_of(client)) == 10


@pytest.mark.parametrize(("setting", "words"), [
    ("until=tomorrow", "must be null or decided"), ("at_most=1", "must be a whole number of at least 2"),
])  # fmt: skip
def test_a_wrong_setting_is_one_readable_line(command, setting, words):
    done = command("-m", "init=zeros,he", f"hydra.launcher.{setting}", *QUICK)
    assert done.returncode == 1
    assert f"hydra.launcher.{setting}: {words}" in done.stderr
    assert "Traceback" not in done.stderr
