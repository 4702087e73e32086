"""What the terminal shows while jobs train, by a clock that the tests set."""

import re
import sys

import numpy as np
import pytest
from terminals import shown_in_terminal

from initlab.sweeps import work
from initlab.sweeps.work import Work
from initlab.terminal import progress
from initlab.terminal.progress import ProgressLine, SweepProgress


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(work, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("jobs", "seconds", "done", "line"),
    [
        (14, 11, 0.7, "5 % of 14 jobs"),
        (14, 11, 1.5, "10 % of 14 jobs, 8.2 a minute, 0:01:32 left"),
        (14, 20, 10, "71 % of 14 jobs, 30 a minute, 8 s left"),
        (3000, 12, 299, "9 % of 3,000 jobs"),
        (3000, 12, 1500, "50 % of 3,000 jobs, 125.0 a second, 12 s left"),
        (3000, 12, 2999, "99 % of 3,000 jobs, 249.9 a second"),
        (7, 86400, 3.5, "50 % of 7 jobs, 0.0024 a minute, 1 day, 0:00:00 left"),
        (7, 9, 5, ""),
        (7, 20, 0, ""),
        (7, 20, 7, ""),
    ],
)
def test_what_is_left_of_a_sweep_is_said_when_it_can_be_told(clock, capsys, jobs, seconds, done, line):
    with SweepProgress(jobs) as shown:
        clock.now = seconds
        shown.under_way("a batch", done)
    assert capsys.readouterr().out.strip() == line


class Shown:
    """A sweep's line at every moment of a simulated sweep."""

    def __init__(self, clock, jobs):
        self.clock, self.line, self.shares, self.left = clock, SweepProgress(jobs), [], []

    def look(self):
        self.shares.append(self.line._share)
        self.left.append(self.line._left())

    def wait(self, seconds):
        for _ in range(int(seconds * 10)):
            self.clock.now += 0.1
            self.look()


def train_and_keep(shown, stacks, seconds_to_train, seconds_to_keep):
    """A job group of stacks of so many runs: each is trained, and then each of its runs is kept."""
    jobs = sum(stacks)
    group = Work(jobs, lambda share: shown.line.under_way("group", jobs * share))
    for runs in stacks:
        for iteration in range(1, 1001):
            group.trained("", iteration, 1000, np.zeros(runs))
            shown.wait(seconds_to_train / 1000)
            shown.look()
            shown.clock.now += seconds_to_train / 1000
        for _ in range(runs):
            shown.wait(seconds_to_keep)
            group.kept(1)
            shown.look()
    return group


@pytest.mark.parametrize("seconds_to_train", [2, 300])
@pytest.mark.parametrize("seconds_to_keep", [0.02, 0.15, 4])
def test_progress_only_grows_and_promises_no_end_that_does_not_come(clock, seconds_to_train, seconds_to_keep):
    shown = Shown(clock, 24)
    train_and_keep(shown, [16, 8], seconds_to_train, seconds_to_keep)
    assert shown.shares == sorted(shown.shares)
    assert shown.shares[-1] == 1
    assert not any(left.startswith("0 s") for left in shown.left)
    assert [left for left, share in zip(shown.left, shown.shares, strict=True) if left == "finishing"] == [
        "finishing"
    ] * shown.shares.count(1)


def test_writing_and_drawing_are_part_of_the_work(clock):
    shown = Shown(clock, 32)
    group = Work(32, lambda share: shown.line.under_way("group", 32 * share))
    group.trained("", 1, 1000, np.zeros(32))
    clock.now = work.SECONDS_TO_KEEP * 32
    group.trained("", 1000, 1000, np.zeros(32))
    assert shown.line._share == pytest.approx(1 / 2)
    group.kept(16)
    assert shown.line._share == pytest.approx(3 / 4)


def test_an_estimate_that_has_passed_is_left_out_until_there_is_a_new_one(clock):
    shown = SweepProgress(10)
    clock.now = 90.0
    shown.under_way("group", 9)
    assert shown._left() == "10 s left"
    clock.now = 97.0
    assert shown._left() == "3 s left"
    for clock.now in (100.0, 500.0):
        assert shown._left() == ""
    shown.under_way("group", 9.5)
    assert shown._left() == "26 s left"


def test_work_that_is_lost_and_done_again_takes_nothing_back(clock):
    shown = SweepProgress(10)
    shown.under_way("group", 6)
    shown.under_way("group", 0)
    assert shown._share == 0.6
    shown.ended(9)
    assert shown._share == 0.9
    shown.ended(1)
    assert (shown._share, shown._left()) == (1, "finishing")


def test_a_lone_run_tells_its_iterations_in_a_pipe(clock, capsys):
    with ProgressLine() as line:
        line("he-seed3", 1, 20_000, np.array([0.6931]))
        clock.now = 20.0
        line("he-seed3", 5_000, 20_000, np.array([0.0648]))
        line("he-seed3", 6_000, 20_000, np.array([0.0648]))
    assert capsys.readouterr().out == "he-seed3: 5,000 of 20,000 iterations, cost 0.0648, 0:01:00 left\n"


def test_what_was_trained_before_makes_a_run_that_goes_on_no_quicker(clock, capsys):
    with ProgressLine() as line:
        line("he-seed3", 10_001, 20_000, np.array([0.6931]))
        clock.now = 20.0
        line("he-seed3", 15_000, 20_000, np.array([0.0648]))
    assert capsys.readouterr().out == "he-seed3: 15,000 of 20,000 iterations, cost 0.0648, 20 s left\n"


SWEEP = ("-m", "init=zeros,he", "seed=range(0,3)", "train.iterations=300", "plots.frames=1")


def test_a_real_sweep_in_80_columns_ends_at_all_jobs_and_breaks_no_address(folder):
    arguments = [sys.executable, "-m", "src.train", *SWEEP, "hydra.launcher.n_jobs=1"]
    text = shown_in_terminal(arguments, 80, folder)
    shares = [int(share) for share in re.findall(r"(\d+) % of 6 jobs", text)]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert not re.search(r"\b0 s left", text)
    assert re.search(r"The means over seeds in MLflow \(initlab ui\):\nhttp://\S+-means\n", text)
    assert re.search(r"A typical run of each in MLflow:\nhttp://\S+-typical\n", text)
    assert re.search(r"Report:\nmultirun/\S+/report/report.html\n", text)
    assert "final cost," in text
    assert "…" not in text


def test_the_microscopes_table_in_80_columns_keeps_every_exponent(folder):
    overrides = ["model.depth=30", "model.width=20", "seeds=5", "init=xavier"]
    text = shown_in_terminal([sys.executable, "-m", "src.propagate", *overrides], 80, folder)
    assert "…" not in text
    tables = [part.splitlines() for part in text.split("layer  ")[1:]]
    for table, name in zip(tables, ("square", "correlation", "gradient"), strict=True):
        assert name in table[0]
        [last] = [line for line in table if re.match(r"\s+30 ", line)]
        assert len(re.findall(r"\d\.?\d*e-\d\d|\d\.\d+|\b1\b", last)) >= 4
    assert re.search(r"\de-\d\d", tables[2][3])
    assert "By layer, with pictures, in MLflow (initlab ui): http://" in text
