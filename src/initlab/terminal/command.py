"""The command that trains: Hydra composes and launches, ``runs`` trains, the terminal shows."""

import sys
from collections.abc import Sequence
from math import inf
from os.path import isdir
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from initlab.errors import InitlabError
from initlab.memory import collect_seldom
from initlab.passwords import hidden_in_words
from initlab.runs.outcome import Outcome, read_outcomes, remove_unstarted
from initlab.search.found import Found, found_in
from initlab.signals import Stopped, alive, stop_on_signals
from initlab.sweeps.control import DRY_RUN, RESUME
from initlab.sweeps.launched import Launched, launched
from initlab.sweeps.task import JobFailed, RememberFolder, train_job, trains_in_stacks
from initlab.terminal.application import (
    NO_JOBS,
    run_application,
    sweeps_over_nothing,
    wants_tracebacks,
)
from initlab.terminal.stopping import AT_ONCE

SECONDS_TO_CLOSE = 60  # a stop may take so long once it has got that far


@hydra.main(version_base="1.3", config_path="pkg://initlab.conf", config_name="config")
@trains_in_stacks
def train(cfg: DictConfig) -> float:
    """Trains one job and returns its final cost, infinite if it diverged, so that a sweeper can minimize
    it.
    """
    from initlab.sweeps.dry_run import tell_of_one
    from initlab.terminal.progress import ProgressLine

    stop_on_signals(AT_ONCE)  # another launcher runs this in a process of its own
    try:
        if cfg.dry_run:
            tell_of_one(cfg)
            return inf
        with ProgressLine() as line:
            return train_job(cfg, line).summary.objective
    except InitlabError as error:
        if wants_tracebacks():
            raise
        if HydraConfig.get().mode == RunMode.RUN and RememberFolder.folder is not None:
            sys.exit(1)  # the closing summary says it in one line
        raise JobFailed(str(error)) from error


def main() -> None:
    """Runs the command line; whatever happened, closes with what the jobs left behind and a true exit
    code.
    """
    stop_on_signals(AT_ONCE)
    collect_seldom()
    sys.argv[1:] = hidden_in_words(sys.argv[1:])
    stopped = None
    try:
        if not _is_done_before():
            stopped = run_application(train, "config")
    except InitlabError as error:
        if wants_tracebacks():
            raise
        sys.exit(str(error))
    finally:
        alive(SECONDS_TO_CLOSE)
        if RememberFolder.folder is not None and isdir(RememberFolder.folder):
            if DRY_RUN not in sys.argv:
                stopped = _close(RememberFolder.folder, stopped)
            remove_unstarted(RememberFolder.folder)
    if stopped:
        sys.exit(128 + stopped.signum)
    if DRY_RUN not in sys.argv and sweeps_over_nothing(
        RememberFolder.folder is not None and isdir(RememberFolder.folder)
    ):
        sys.exit(NO_JOBS)


def _is_done_before() -> bool:
    """Returns whether the command line goes on with a sweep of which nothing is left to do; has Hydra use the
    sweep's folder if there is.
    """
    if RESUME not in sys.argv:
        return False
    from initlab.sweeps.resume import is_done
    from initlab.terminal.resume import folder_meant

    folder, added = folder_meant(sys.argv[1:])
    sys.argv += added
    if folder is None or DRY_RUN in sys.argv or not is_done(folder):
        return False
    RememberFolder.folder, RememberFolder.sweeping = folder.absolute(), True
    print("All of its jobs have finished before.", flush=True)
    return True


def _close_search(
    folder: Path, found: Found, outcomes: Sequence[Outcome], told: Launched, stopped: Stopped | None
) -> Stopped | None:
    """Shows what a search has found, and keeps it if it was not stopped; returns by which signal it was."""
    from initlab.search.closing import OwnRun, close
    from initlab.terminal.search import markdown_of, print_search

    own, runs = OwnRun(), [outcome.summary for outcome in outcomes if outcome.summary]
    try:
        if not stopped:
            own = close(folder, found, runs, markdown_of(found) if found.best else "")
    except Stopped as late:
        stopped = late
    finally:
        print_search(found, outcomes, told, stopped, own)
    return stopped


def _close(folder: Path, stopped: Stopped | None) -> Stopped | None:
    """Shows what the command's jobs came to and, of a sweep that was not stopped, what they answer; returns
    by which signal it was stopped, if it was.
    """
    from initlab.sweeps.closing import Closing, closing_of
    from initlab.sweeps.settling import settle
    from initlab.terminal.summary import print_submitted, print_summary

    if RememberFolder.sweeping and not stopped:
        settle(folder)
    outcomes, closing, told = read_outcomes(folder), Closing(), launched(folder)
    if found := found_in(folder):
        return _close_search(folder, found, outcomes, told, stopped)
    ended = sum(bool(one.summary or one.error) for one in outcomes)
    whole = RememberFolder.sweeping and ended == (told.jobs if told.submitted else len(outcomes))
    try:
        if whole and not stopped:
            closing = closing_of(folder, outcomes)
    except Stopped as late:
        stopped = late
    finally:
        print_summary(outcomes, closing, told, stopped)
        if told.submitted and not whole:
            print_submitted(folder.name, told.jobs - ended)
    return stopped
