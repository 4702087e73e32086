"""A stop is heard at safe points, whatever the program does when the signal comes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import environment

from initlab import signals
from initlab.signals import Stopped, stopping_on_signals

SWALLOWED = """
import os, signal, sys, time
from initlab.signals import check, stop_on_signals

class Fragile:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))
        print("not torn", flush=True)

stop_on_signals()
one = Fragile()
del one
print("goes on", flush=True)
check()
"""

DEAF = """
import sys, time
from initlab.signals import asked, stop_on_signals

stop_on_signals("Ended at once.")
print("ready", flush=True)
while asked() is None:
    time.sleep(0.01)
print("asked", flush=True)
time.sleep(600)
"""


ELSEWHERE = """
import signal, threading, time
from initlab.signals import sleep, stop_on_signals

def take():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(60)

stop_on_signals()
threading.Thread(target=take, daemon=True).start()
sleep(60)
"""


INTERRUPTED = (1, -signal.SIGINT)  # from Python 3.14 on the second: it dies of the signal, as of any Ctrl-C


@contextmanager
def started(code: str) -> "Iterator[subprocess.Popen[str]]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], env=environment(), **pipes) as process:
        try:
            yield process
        finally:
            process.kill()  # one that failed to end would be waited for


def test_a_signal_that_comes_where_exceptions_are_lost_is_heard_at_the_next_safe_point():
    with started(SWALLOWED) as process:
        said, errors = process.communicate(timeout=60)
    assert said == "not torn\ngoes on\n"
    assert errors.strip().endswith("initlab.signals.Stopped: SIGINT")


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_process_at_once_that_was_asked_to_stop(first):
    code = DEAF.replace('print("asked"', 'signals.alive(600)\nprint("asked"')  # it would not end by itself
    with started(f"from initlab import signals\n{code}") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(first)
        assert process.stdout.readline() == "asked\n"
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 128 + first  # the first is what it was stopped by
        assert process.stderr.read() == "Ended at once.\n"


def test_a_wait_ends_also_when_another_thread_was_given_the_signal():
    with started(ELSEWHERE) as process:
        assert process.wait(20) in INTERRUPTED
        assert "Stopped: SIGINT" in process.stderr.read()


def stopped_within_a_block():
    with stopping_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        signals.sleep(60)


def test_a_program_has_its_own_wakes_back():
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write)
    try:
        with pytest.raises(Stopped):
            stopped_within_a_block()
        with stopping_on_signals():
            signals.sleep(0.01)  # the last one is over
        assert signal.set_wakeup_fd(before) == write
    finally:
        signal.set_wakeup_fd(before)
        os.close(read)
        os.close(write)


def test_a_process_that_shows_no_sign_of_life_ends_by_itself():
    with started(DEAF) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # says nothing new
        assert process.wait(signals.SECONDS_WITHOUT_LIFE + 10) == 128 + signal.SIGTERM


def test_a_process_to_which_nobody_listens_ends_by_itself_too():
    with started(DEAF) as process:
        assert process.stdout.readline() == "ready\n"
        process.stderr.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(signals.SECONDS_WITHOUT_LIFE + 10) == 128 + signal.SIGTERM


def test_a_wait_ends_when_a_stop_is_asked_for():
    code = DEAF.replace("while asked", "from initlab.signals import sleep\nsleep(60)\nwhile asked")
    with started(code) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        assert process.wait(signals.SECONDS_WITHOUT_LIFE - 1) in INTERRUPTED
        assert "Stopped: SIGHUP" in process.stderr.read()


def test_within_a_program_of_others_the_handlers_are_theirs_again_afterwards():
    before = signal.getsignal(signal.SIGINT)
    with stopping_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.asked() == signal.SIGTERM
        with pytest.raises(Stopped):
            signals.check()
    assert signal.getsignal(signal.SIGINT) is before
    assert signals.asked() is None
    signals.check()
    signals.wait([], 0)  # nor is a later wait woken by it


def test_within_a_program_of_others_a_second_ctrl_c_interrupts_where_it_is():
    with stopping_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt) as interrupted:
            os.kill(os.getpid(), signal.SIGINT)
    assert not isinstance(interrupted.value, Stopped)
