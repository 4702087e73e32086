"""What the terminal shows while a command trains and when it has ended."""

import io
import re
import sys

import pytest

from initlab.sweep.outcome import Outcome
from initlab.terminal import progress
from initlab.terminal.progress import SweepProgress
from initlab.terminal.summary import print_summary

VARIED = [
    {"init": "mean_field", "init.sigma_w": sigma_w, "dataset": dataset, "model.activation": activation}
    for sigma_w in ("1", "3")
    for dataset in ("circles", "diabetes")
    for activation in ("tanh", "hard_swish")
]
VERDICTS = [("vanishing gradient", ""), ("no better than the larger class", ""), ("dead units", "")]


def outcome(**settings):
    variant = " ".join(f"{key}={value}" for key, value in settings.items())
    return Outcome(
        name=f"{settings['init']}-seed3 {variant}",
        tags={"init": settings["init"]},
        overrides=[f"{key}={value}" for key, value in settings.items()],
        final_cost=0.693,
        accuracy_train=0.5,
        accuracy_test=0.5,
        diagnosis=VERDICTS,
        seconds=0.7,
    )


def test_nothing_is_cut_in_a_pipe(capsys):
    print_summary([outcome(**settings) for settings in VARIED])
    header, *rows = capsys.readouterr().out.splitlines()
    assert "init.sigma_w" in header
    assert "model.activation" in header
    assert len(rows) == len(VARIED)
    for row, settings in zip(rows, VARIED, strict=True):
        assert row.split()[:4] == [*settings.values()]
        assert f"mean_field-seed3 {' '.join(f'{k}={v}' for k, v in settings.items())}" in row
        assert row.rstrip().endswith("vanishing gradient, no better than the larger class, dead units")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown_in_terminal(monkeypatch, outcomes, width):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    for variable, value in {"COLUMNS": width, "LINES": 50, "TERM": "xterm", "NO_COLOR": 1}.items():
        monkeypatch.setenv(variable, str(value))
    print_summary(outcomes)
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())


def test_a_terminal_has_no_column_for_names_that_are_made_of_the_others(monkeypatch):
    text = shown_in_terminal(monkeypatch, [outcome(**settings) for settings in VARIED], width=140)
    assert "mean_field" in text
    assert "seed3" not in text
    assert "…" not in text
    words = text.split()
    for verdict, _ in VERDICTS:  # in several lines
        assert words.count(verdict.split()[-1] + ("" if verdict == "dead units" else ",")) == len(VARIED)


def test_a_comparison_of_starts_fits_into_80_columns(monkeypatch):
    text = shown_in_terminal(monkeypatch, [outcome(init="he"), outcome(init="zeros")], width=80)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.split().count("vanishing") == text.split().count("gradient,") == 2


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("jobs", "seconds", "done", "line"),
    [
        (14, 11, 0.7, "1 of 14 jobs"),
        (14, 11, 1.5, "2 of 14 jobs, 8.2 a minute, 0:01:32 left"),
        (14, 20, 10, "10 of 14 jobs, 30 a minute, 8 s left"),
        (3000, 12, 299, "299 of 3,000 jobs"),
        (3000, 12, 1500, "1,500 of 3,000 jobs, 125.0 a second, 12 s left"),
        (7, 86400, 3.5, "4 of 7 jobs, 0.0024 a minute, 1 day, 0:00:00 left"),
        (7, 9, 5, ""),
        (7, 20, 0.3, ""),
    ],
)
def test_what_is_left_of_a_sweep_is_said_when_it_can_be_told(clock, capsys, jobs, seconds, done, line):
    with SweepProgress(jobs) as shown:
        clock.now = seconds
        shown.under_way("a batch", done)
    assert capsys.readouterr().out.strip() == line
