"""Workers run tasks from any program, guarded or not, and what they lose is one task."""

import os
import subprocess
import sys
from collections import deque

import pytest
from conftest import environment

from initlab.sweeps.executors.processes import Halted, Lost, run_in_workers

WORK = """
import os, signal, sys

def square(task, report):
    report(os.getpid())
    main = getattr(sys.modules["__main__"], "__file__", None)
    os.write(1, f"main is {main}\\n".encode())  # at once: two processes write
    if task == 5:
        raise ValueError("five is refused")
    if task == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task
"""

SCRIPT = """
print("the script begins")
from collections import deque
from initlab.sweeps.executors.processes import run_in_workers
from work import square

class Mine:
    pass

pids = set()
results = dict(run_in_workers(square, deque([2, 3, 4]), 2, lambda task, pid: pids.add(pid)))
print(sorted(results.items()), len(pids), Mine.__module__)
import sys
assert sys.modules["__main__"].Mine is Mine
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    import work

    yield work.square
    del sys.modules["work"]


@pytest.mark.parametrize("how", ["script", "module", "standard input"])
def test_a_program_without_a_guard_is_not_run_again_by_the_workers(tmp_path, how):
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "unguarded.py").write_text(SCRIPT)
    arguments = {"script": ["unguarded.py"], "module": ["-m", "unguarded"], "standard input": ["-"]}[how]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=SCRIPT if how == "standard input" else None,
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("the script begins") == 1
    assert lines.count("main is None") == 3
    assert lines[-1] == "[(2, 4), (3, 9), (4, 16)] 2 __main__"


def test_a_task_that_raises_and_a_worker_that_dies_lose_one_task_each(work, capfd):
    main = sys.modules["__main__"]
    results = dict(run_in_workers(work, deque([2, 5, 7, 11]), 1, lambda task, pid: None))
    assert results == {
        2: 4,
        5: Lost("ValueError: five is refused"),
        7: Lost("its process was ended by SIGKILL"),
        11: 121,
    }
    assert sys.modules["__main__"] is main
    assert "ValueError: five is refused" in capfd.readouterr().err


def test_workers_end_with_an_iteration_that_is_broken_off(work):
    pids = []
    results = run_in_workers(work, deque([2, 3, 4]), 2, lambda task, what: pids.append(what))
    assert next(results)[0] in (2, 3)
    results.close()
    pids = [pid for pid in pids if not isinstance(pid, Halted)]
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_consumer_may_append_tasks(work):
    tasks = deque([2])
    seen = []
    for task, result in run_in_workers(work, tasks, 1, lambda task, pid: None):
        seen.append(result)
        if task < 4:
            tasks.append(task + 1)
    assert seen == [4, 9, 16]
