"""What the terminal shows when a command has ended: what came out, where to see it, and what failed."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary
from initlab.signals import Stopped
from initlab.sweeps.closing import Closing
from initlab.sweeps.launched import Launched
from initlab.terminal.results import Run, print_results
from initlab.terminal.stopping import words_of_deaths, words_of_stop
from initlab.terminal.tables import stdout
from initlab.terminal.wording import own_command, ui_command

NOTHING_MORE, NOTHING_TOLD = Closing(), Launched()
MOST_FAILURES = 20  # a thousand lines would bury the table; the rest are in the jobs' folders


def print_summary(
    outcomes: Sequence[Outcome],
    closing: Closing = NOTHING_MORE,
    told: Launched = NOTHING_TOLD,
    stopped: Stopped | None = None,
) -> None:
    """Prints a table of what finished, what it answers and where to see it and, to stderr, every job that
    failed and why, what the launcher of a sweep told, by which signal it was stopped, and how to go on.
    """
    finished = [outcome for outcome in outcomes if outcome.summary]
    runs = [Run(outcome.settings, outcome.summary) for outcome in finished if outcome.summary]
    if runs:
        console = stdout()
        print_results(console, runs, varied(finished))
        if len(outcomes) == 1:
            for name, sentence in runs[0].summary.diagnosis:
                console.print(f"{name.capitalize()}: {sentence}")
        for sentence in closing.verdict:
            console.print(sentence)
        if closing.addresses:
            _print_places(console, runs[0].summary, closing)
        else:
            print_addresses(console, [run.summary for run in runs])
    print_troubles(outcomes, closing.problem, told, stopped)


def print_submitted(sweep: str, jobs: int) -> None:
    """Prints that jobs of a sweep go on without the command that has submitted them, and how to collect
    them.
    """
    are = "is submitted, and goes on" if jobs == 1 else "are submitted, and go on"
    print(f"{_jobs(jobs)} {are} without this command.")
    print(f"To wait for the end: {own_command('resume')} {sweep}", flush=True)


def print_troubles(
    outcomes: Sequence[Outcome], problem: str | None, told: Launched, stopped: Stopped | None
) -> None:
    """Prints to stderr which runs wait for the store, which jobs failed and why, and what was broken off."""
    summaries = [outcome.summary for outcome in outcomes if outcome.summary]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if waiting := sum(summary.waits for summary in summaries):
        _print_waiting(waiting)
    if problem:
        print(problem, file=sys.stderr)
    if len(outcomes) == 1 and failed:
        print(failed[0].error, file=sys.stderr)
    elif failed:
        _print_failures(failed, len(summaries) + len(failed))
    for line in _interruptions(outcomes, told, stopped):
        print(line, file=sys.stderr)


def _interruptions(outcomes: Sequence[Outcome], told: Launched, stopped: Stopped | None) -> Iterator[str]:
    """Yields what was broken off, and how to go on."""
    yield from words_of_deaths(told)
    open_ones = sum(outcome.summary is None and outcome.error is None for outcome in outcomes)
    open_ones -= told.elsewhere
    if told.submitted and not stopped:
        return
    if told.elsewhere:
        yield f"{_jobs(told.elsewhere)} under way in another process."
    if stopped:
        yield from words_of_stop(stopped, outcomes, told)
    elif open_ones:
        yield f"{_jobs(open_ones)} stopped before the end."
    if told.jobs and (stopped or any(outcome.summary is None for outcome in outcomes)):
        yield f"To go on: {own_command('resume')}"
    elif stopped and outcomes:
        yield "To go on: the same command with resume=true"


def _print_waiting(runs: int) -> None:
    command = own_command("sync")
    wait, them = ("1 run waits", "it") if runs == 1 else (f"{runs:,} runs wait", "them")
    print(f"{wait} in mlruns/spool for the store; `{command}` delivers {them}.", file=sys.stderr)


def print_addresses(console: Console, summaries: Sequence[Summary]) -> None:
    """Prints where runs can be seen, a line for each place."""
    what = "See it" if len(summaries) == 1 else "Compare them"
    for address, store in dict.fromkeys((summary.address, summary.store) for summary in summaries):
        if address and store:
            command = ui_command(store)
            console.print(f"{what} in MLflow{command and f' ({command})'}: {address}", soft_wrap=True)


def _print_places(console: Console, summary: Summary, closing: Closing) -> None:
    """Prints where a sweep can be seen: each address below what it shows, on a line of its own."""
    command = ui_command(str(summary.store))
    how = f" ({command})" if command else ""
    for what, address in (closing.addresses or {}).items():
        console.print(f"{what} in MLflow{how}:")
        console.print(address, soft_wrap=True)
        how = ""
    if closing.report:
        path = Path(closing.report)
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        console.print("Report:")
        console.print(str(shown), soft_wrap=True)


def _print_failures(failed: Sequence[Outcome], ended: int) -> None:
    print(f"Of {_jobs(ended)} that ended, {len(failed):,} failed:", file=sys.stderr)
    for outcome in failed[:MOST_FAILURES]:
        print(f"  {outcome.name}: {outcome.error}", file=sys.stderr)
    if len(failed) > MOST_FAILURES:
        print(f"  … and {len(failed) - MOST_FAILURES:,} more", file=sys.stderr)


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
