"""A run that goes on from its checkpoint leaves the same bits as one that was never disturbed."""

import os
import re
import signal
import time
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import warm
from conftest import environment, runs_of

from initlab.config.trust import VARIABLE
from initlab.errors import ConfigError
from initlab.runs import checkpoints, throttle
from initlab.runs.stored import read_back
from initlab.runs.train import run
from initlab.training.loop import minibatches

SHORT = ("tracking.uri=null", "train.iterations=40", "plots.frames=3", "diagnostics.every=7")
ALWAYS = "train.checkpoint=1e-9"


class Killed(BaseException):
    """As by SIGKILL: nobody ends anything."""


@pytest.fixture(autouse=True)
def every_iteration_is_looked_at(monkeypatch):
    monkeypatch.setattr(throttle, "SECONDS_BETWEEN_GLANCES", 0.0)
    checkpoints._say.cache_clear()


@pytest.fixture
def left(tmp_path):
    return lambda: sorted((tmp_path / checkpoints.FOLDER).glob("*"))


@pytest.fixture
def killed(config, tmp_path):
    """Trains runs with a checkpoint after every iteration, and is killed after so many iterations."""

    def kill(at, *runs):
        def progress(label, iteration, iterations, costs):
            if iteration == at:
                raise Killed

        with pytest.raises(Killed):
            run([config(*SHORT, ALWAYS, *one) for one in runs], folder=tmp_path, progress=progress)

    return kill


@pytest.fixture
def resumed(config, tmp_path):
    """Trains runs with resume=true; returns them and, for each stack, its first iteration and its size."""

    def resume(*runs, options=("resume=true",)):
        begun = []

        def progress(label, iteration, iterations, costs):
            if not begun or iteration != last[0] + 1:
                begun.append((iteration - 1, len(costs)))
            last[0] = iteration

        last = [0]
        cfgs = [config(*SHORT, *one, *options) for one in runs]
        return run(cfgs, folder=tmp_path, progress=progress), begun

    return resume


def check_same_arrays(one, other):
    assert list(one) == list(other)
    for name in one:
        assert one[name].dtype == other[name].dtype, name
        assert one[name].tobytes() == other[name].tobytes(), name


def check_same_bits(one, other):
    check_same_arrays(one.history, other.history)
    check_same_arrays(one.weights, other.weights)
    assert replace(one.summary, seconds=0) == replace(other.summary, seconds=0)


ADAMW = ["optimizer=adamw", "optimizer.weight_decay=0.1"]
CASES = {
    **{name: [f"optimizer={name}"] for name in ("gd", "momentum", "nesterov", "rmsprop", "adagrad", "adam")},
    "adamw": ADAMW,
    "mini-batches": ["train.batch_size=32", "optimizer=momentum"],
    "batch normalization": ["train.batch_size=64", "model.normalization=batch"],
    "layer normalization": ["model.normalization=layer", "model.residual=true", "model.hidden=[6,6]"],
    "a schedule": ["schedule=cosine", "schedule.warmup=30"],
    "steps": ["schedule=step", "schedule.every=13", *ADAMW],
    "clipping": ["train.clip=0.1", "optimizer.learning_rate=1"],
    "float32": ["train.precision=float32", "optimizer=adam", "model.activation=tanh"],
    "all diagnostics": ["diagnostics=full", "diagnostics.every=5", "diagnostics.points=9"],
    "many classes": ["dataset=wine", "init=lsuv", "model.l2=0.01"],
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_goes_on_where_it_was_and_leaves_the_same_bits(config, killed, resumed, left, case):
    [undisturbed] = run([config(*SHORT, *CASES[case])])
    killed(23, CASES[case])
    assert len(left()) == 1
    [again], begun = resumed(CASES[case])
    assert begun == [(22, 1)]  # the checkpoint after iteration 23 was not yet written
    check_same_bits(again, undisturbed)
    assert left() == []


@pytest.mark.parametrize("batches", [[], ["train.batch_size=50"]], ids=["all examples", "mini-batches"])
@pytest.mark.parametrize("at", [2, 31])
def test_runs_of_one_stack_go_on_in_others_also_one_that_has_diverged(config, killed, resumed, at, batches):
    def one(seed, rate):
        return [f"seed={seed}", f"optimizer.learning_rate={rate}", *batches]

    first, diverges, third, late = (one(*a) for a in ((3, 0.1), (4, 1e200), (5, 0.3), (6, 1e30)))
    new = one(9, 0.1)
    undisturbed = run([config(*SHORT, *each) for each in (third, new, diverges, first)])
    assert undisturbed[2].summary.diverged_at is not None
    killed(at, first, diverges, third, late)
    again, begun = resumed(third, new, diverges, first)
    assert sorted(begun) == [(0, 1), (at - 1, 3)]
    for mine, others in zip(again, undisturbed, strict=True):
        check_same_bits(mine, others)


def test_a_run_that_has_diverged_goes_on_alone_to_its_end(config, killed, resumed):
    diverges = ["optimizer.learning_rate=1e200"]
    [undisturbed] = run([config(*SHORT, *diverges)])
    killed(30, diverges, ["seed=4"])
    [again], begun = resumed(diverges)
    assert begun == []
    check_same_bits(again, undisturbed)


def test_one_that_was_killed_after_its_last_iteration_trains_no_more(config, killed, resumed, tmp_path):
    [undisturbed] = run([config(*SHORT)])
    killed(40, [])
    killed_at = np.load(next((tmp_path / checkpoints.FOLDER).glob("*")))["iteration"]
    assert killed_at == 39
    [again], begun = resumed([])
    assert begun == [(39, 1)]
    check_same_bits(again, undisturbed)


def test_it_can_be_killed_again_and_again(config, resumed, tmp_path, left):
    [undisturbed] = run([config(*SHORT, *ADAMW)])
    for at in (10, 25, 26, 35):

        def progress(label, iteration, iterations, costs, at=at):
            if iteration == at:
                raise Killed

        with pytest.raises(Killed):
            run([config(*SHORT, ALWAYS, *ADAMW, "resume=true")], folder=tmp_path, progress=progress)
    [again], begun = resumed(ADAMW)
    assert begun == [(34, 1)]
    check_same_bits(again, undisturbed)
    assert left() == []


def test_the_seconds_before_count(killed, resumed, tmp_path, left):
    killed(30, [])
    with np.load(left()[0]) as arrays:
        kept = {**arrays, "seconds": 1000.0}
    np.savez(left()[0], **kept)
    [again], _ = resumed([])
    assert 1000 < again.summary.seconds < 1100


def test_without_resume_it_begins_at_its_start(killed, resumed, left):
    killed(30, [])
    _, begun = resumed([], options=())
    assert begun == [(0, 1)]
    assert left() == []  # what was trained anew needs it no more


def damaged(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


DAMAGES = {
    "a changed byte": damaged,
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "nothing": lambda path: path.write_bytes(b""),
    "something else": lambda path: path.write_text("not a checkpoint"),
    "other arrays": lambda path: np.savez(path, a=1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_not_used_and_that_is_said(config, killed, resumed, left, caplog, damage):
    killed(30, [])
    DAMAGES[damage](left()[0])
    [again], begun = resumed([])
    assert begun == [(0, 1)]
    [said] = caplog.messages
    assert re.fullmatch(
        r"mlruns/checkpoints/\w{32}\.npz: cannot be read \(.+\), so he-seed3 is trained from its beginning",
        said,
    )
    check_same_bits(again, run([config(*SHORT)])[0])


def changed(name, value):
    def change(path):
        with np.load(path) as arrays:
            kept = {**arrays, name: value}
        np.savez(path, **{key: array for key, array in kept.items() if array is not None})

    return change


UNFIT = {
    "is that of another run": changed("identity", "0" * 32),
    "does not hold what it should": changed("parameters", np.zeros(7)),
    "has no snapshots for plots.frames=3": changed("snapshot/0", None),
    "was made with NumPy 1.0 on a pocket calculator, and here is NumPy": changed(
        "arithmetic", "NumPy 1.0 on a pocket calculator"
    ),
}


@pytest.mark.parametrize("problem", UNFIT)
def test_one_that_does_not_fit_is_not_used_and_that_is_said(killed, resumed, left, caplog, problem):
    killed(30, [])
    UNFIT[problem](left()[0])
    _, begun = resumed([])
    assert begun == [(0, 1)]
    [said] = caplog.messages
    assert f".npz: {problem}" in said
    assert said.endswith(", so he-seed3 is trained from its beginning")


def test_more_pictures_than_were_asked_for_before_make_it_begin_anew(config, killed, resumed, caplog):
    killed(30, [])
    more = ["plots.frames=9"]
    [again], begun = resumed(more)
    assert begun == [(0, 1)]
    assert "has no snapshots for plots.frames=9" in caplog.text
    check_same_bits(again, run([config(*SHORT, *more)])[0])


def test_fewer_pictures_do_not(config, killed, resumed):
    killed(30, [])
    fewer = ["plots.frames=0"]
    [again], begun = resumed(fewer)
    assert begun == [(29, 1)]
    check_same_bits(again, run([config(*SHORT, *fewer)])[0])


@pytest.mark.parametrize("seconds", ["60", "null"])
def test_nothing_is_written_before_its_time(config, tmp_path, seconds):
    run([config(*SHORT, f"train.checkpoint={seconds}")], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["0", "-1", "often", "true", "inf"])
def test_its_seconds_are_checked(config, value):
    with pytest.raises(ConfigError, match=f"train.checkpoint={value.title() if value == 'true' else value}"):
        run([config(*SHORT, f"train.checkpoint={value}")])


def test_where_none_can_be_written_training_goes_on_and_it_is_said_once(config, tmp_path, caplog):
    (tmp_path / "mlruns").write_text("a file where the folder should be")
    [trained] = run([config(*SHORT, ALWAYS)], folder=tmp_path)
    [said] = caplog.messages
    folder = tmp_path / checkpoints.FOLDER
    assert said == f"{folder}: cannot be written (Not a directory); training goes on without checkpoints"
    check_same_bits(trained, run([config(*SHORT)])[0])


def test_a_rule_that_keeps_a_count_has_no_checkpoints(config, tmp_path, caplog, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(VARIABLE, "counting_rule")
    (tmp_path / "counting_rule.py").write_text(
        "def counting(parameters, gradient, state, *, learning_rate):\n"
        "    state['count'] = state.get('count', 0) + 1\n"
        "    parameters -= learning_rate / state['count'] * gradient\n"
    )
    own = ["optimizer._target_=counting_rule.counting", "allow_targets=[counting_rule]"]
    run([config(*SHORT, ALWAYS, *own)], folder=tmp_path)
    [said] = caplog.messages
    assert said.startswith("optimizer._target_=counting_rule.counting: keeps what is no array with a row")
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize("first", [0, 1, 4, 5, 6, 23])
def test_mini_batches_from_an_iteration_on_are_those_of_the_whole_order(first):
    whole = list(islice(minibatches([3, 4], 37, 8), 40))
    for one, other in zip(islice(minibatches([3, 4], 37, 8, first), 15), whole[first:], strict=False):
        np.testing.assert_array_equal(one, other)


def killed_in_training(folder, *arguments, runs):
    """Starts a command in a session of its own and kills all of it once each run has a checkpoint."""
    process = warm.Process(["-m", "src.train", *arguments], folder, environment(), session=True)
    while len(list((folder / checkpoints.FOLDER).glob("*.npz"))) < runs:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


LONG = (
    "train.iterations=9000", "plots.frames=0", "train.checkpoint=0.2", "train.batch_size=40",
    "optimizer=adam", "report.keep=false",
)  # fmt: skip


@pytest.mark.parametrize("starts", [["he"], ["he", "xavier"]], ids=["alone", "a sweep"])
def test_a_command_that_was_killed_goes_on_with_the_same_bits(folder, command, client, config, starts):
    words = (*(["-m"] if len(starts) > 1 else []), f"init={','.join(starts)}", *LONG)
    killed_in_training(folder, *words, runs=len(starts))
    done = command(*words, "resume=true")
    assert done.returncode == 0, done.stderr
    finished = [one for one in runs_of(client) if one.info.status == "FINISHED"]
    assert sorted(one.data.tags["init"] for one in finished) == starts
    assert all(0 < int(one.data.tags["resumed_at"]) < 9000 for one in finished)
    for one in finished:
        [undisturbed] = run([config("tracking.uri=null", *LONG, f"init={one.data.tags['init']}")])
        kept = read_back(one.info.run_id, f"sqlite:///{folder}/mlruns/mlflow.db")
        check_same_arrays(kept.history, undisturbed.history)
        check_same_arrays(kept.weights, undisturbed.weights)
    assert list((folder / checkpoints.FOLDER).glob("*")) == []
