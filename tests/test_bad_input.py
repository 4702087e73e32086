"""What cannot be trained is refused in one readable line, with exit code 1, and leaves nothing half done."""

import gzip
import json
import logging
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import run_command
from mlflow import MlflowClient

import initlab
from initlab.errors import ConfigError, InitlabError
from initlab.runs.job import build
from initlab.sweeps.task import RememberFolder
from initlab.terminal import command, propagate, report

WIDEST = 3 * 80
SHORT = ("train.iterations=3", "plots.frames=0", "report.keep=false", "tracking.uri=null")
HUGE = 10**26

# A setting, and a part of what is said against it. They are all read and checked before anything is made.
VALUES = [
    ("seed=-1", "seed=-1: must be a whole number from 0 to 4294967295"),
    ("seed=4294967296", "seed=4294967296: must be"),
    ("seed=1.5", "seed=1.5: must be"),
    ("seed=nan", "seed=nan: must be"),
    ("seed=1e400", "seed=inf: must be"),
    ("seed=true", "seed=True: must be"),
    ("seed=[1,2]", "seed=[1, 2]: must be"),
    ("seed={a: 1}", "seed={'a': 1}: must be"),
    ("seed=null", "seed=null: must be"),
    ("seed=''", "seed='': must be"),
    ("seed=one", "seed=one: must be"),
    ("seed=???", "seed: Missing mandatory value"),
    ("seed=${nowhere}", "seed: Interpolation key 'nowhere' not found"),
    ("seed=${seed}", "seed: "),
    ("seed=${oc.env:INITLAB_NOWHERE}", "seed: "),
    ("seed=${nobody:1}", "seed: Unsupported interpolation type nobody"),
    ("seed=${oc.decode:'[['}", "seed: "),
    ("train.iterations=0", "train.iterations=0: must be a whole number of at least 1"),
    ("train.iterations=-inf", "train.iterations=-inf: must be"),
    ("train.iterations=1e15", "train.iterations=1000000000000000.0: must be a whole number"),
    (f"train.iterations={HUGE}", "of at least 1, and of at most 9223372036854775807"),
    ("train.iterations=1000000000000000", "PB of memory; this machine has"),
    ("train.batch_size=-1", "train.batch_size=-1: must be null or"),
    ("train.batch_size=1000", "must be null or at most the 300 training examples"),
    ("train.batch_size=[]", "train.batch_size=[]: must be null or"),
    ("train.clip=nan", "train.clip=nan: must be null or a finite number"),
    ("train.clip=-1", "train.clip=-1: must be null or a finite number"),
    ("train.precision=64", "train.precision=64: must be one of float64, float32"),
    ("train.precision=[float64]", "train.precision=['float64']: must be one of"),
    ("train.threads=0", "train.threads=0: must be"),
    ("train=null", "train=null: must be a section with iterations"),
    ("plots=7", "plots=7: must be a section with frames"),
    ("plots.frames=1.0", "plots.frames=1.0: must be"),
    ("plots.frames=1000000000", "plots.frames=1000000000: with this the run needs 100 GB of memory"),
    ("report.threshold=inf", "report.threshold=inf: must be"),
    ("report.by=both", "report.by=both: must be one of score, cost"),
    ("report.equal_within=-1", "report.equal_within=-1: must be"),
    ("report.keep=1", "report.keep=1: must be true or false"),
    ("report.keep='true'", "report.keep=true: must be true or false"),
    ("tracking.every=0", "tracking.every=0: must be"),
    (f"tracking.every={HUGE}", "of at least 1, or log, and of at most 9223372036854775807"),
    ("tracking.experiment=''", "tracking.experiment='': must be a non-empty text"),
    ("tracking.experiment=7", "tracking.experiment=7: must be a non-empty text"),
    ("tracking.uri=7", "tracking.uri=7: must be null or an MLflow tracking URI"),
    ("tracking.uri=[a]", "tracking.uri=['a']: must be"),
    ("diagnostics.every=-5", "diagnostics.every=-5: must be"),
    ("diagnostics.points=1000000000000", "diagnostics.points=1000000000000: with this the run needs 100 TB"),
    ("diagnostics.names=grad_norm", "diagnostics.names=grad_norm: must be a list of names"),
    ("diagnostics.names=[7]", "diagnostics.names=[7]: must be a list of names"),
    ("allow_targets=os", "allow_targets=os: must be a list of module names"),
    ("allow_targets=['']", "allow_targets=['']: must be"),
    ("+train.epochs=3", "train.epochs: is not a setting; the settings here are"),
    ("~train.iterations", "train.iterations: is missing"),
    ("~dataset", "dataset: is missing"),
    ("dataset.n_train=-1", "dataset.n_train=-1: must be"),
    ("dataset.n_train=1", "n_train=1: must be at least 2, one example of each class"),
    ("dataset.n_train=1000000000000", "dataset: n_train=1000000000000: needs 100 TB of memory; this machine"),
    ("dataset.n_test=1000000000000", "dataset: n_test=1000000000000: needs 100 TB of memory"),
    ("dataset.n_validation=1000000000000", "dataset: n_validation=1000000000000: needs 100 TB"),
    (f"dataset.n_train={HUGE}", "must be a whole number of at least 1, and of at most"),
    ("dataset.noise=nan", "dataset.noise=nan: must be a finite number of at least 0"),
    ("dataset.noise=é", "é"),
    ("+dataset.colour=red", "dataset.colour: is not a setting; the settings here are"),
    ("model.hidden=10", "model.hidden=10: must be a list of whole numbers"),
    ("model.hidden=[10,-5]", "model.hidden=[10, -5]: must be"),
    ("model.hidden=[[10]]", "model.hidden=[[10]]: must be"),
    (f"model.hidden=[{HUGE}]", "must be a list of whole numbers"),
    ("model.hidden=[100000000]", "model, hidden layers [100000000]: with this the run needs"),
    ("model.hidden=[100000,100000]", "GB of memory; this machine has"),
    ("model.activation=swish", "model.activation=swish: must be one of relu"),
    ("model.activation=null", "model.activation=null: must be one of"),
    ("model.l2=-1", "model.l2=-1: must be"),
    ("model.residual=yes_please", "model.residual=yes_please: must be true or false"),
    ("model.normalization=group", "model.normalization=group: must be one of none, batch, layer"),
    ("optimizer.learning_rate=0", "optimizer.learning_rate=0: must be a finite number greater than 0"),
    ("optimizer.learning_rate=1e400", "optimizer.learning_rate=inf: must be"),
    ("optimizer.learning_rate=[0.1]", "optimizer.learning_rate=[0.1]: must be"),
    ("schedule.warmup=-1", "schedule.warmup=-1: must be"),
    ("init._target_=7", "init: must name a function by _target_"),
    ("init._target_=''", "init._target_='': must be a path such as my_starts.spiral"),
    ("init._target_=.", "init._target_=.: must be a path such as"),
    ("init._target_=initlab..he", "init._target_=initlab..he: must be a path such as"),
    ("init._target_=os.system", "init._target_=os.system: is outside of initlab"),
    ("init._target_=initlab.initializers.__class__", "is outside of initlab"),
    ("init._target_=initlab.initializers.he.__globals__", "must be a function; it is a dict"),
    ("init._target_=initlab.errors.ConfigError", "is no init; Initlab's own are in initlab.initializers"),
]  # fmt: skip


@pytest.mark.parametrize(("override", "part"), VALUES, ids=[override for override, _ in VALUES])
def test_a_value_is_refused_before_anything_is_made(config, tmp_path, monkeypatch, override, part):
    monkeypatch.chdir(tmp_path)
    if override == "dataset.noise=é":
        override = "dataset.noise='é'"
    with pytest.raises(ConfigError) as refused:
        build(config(override), {})
    assert_readable(str(refused.value), part)
    assert list(tmp_path.iterdir()) == []


TABLES = [
    (b"", "cannot be read: No columns to parse from file"),
    (b"\n\n\n", "cannot be read: No columns"),
    (b"\0" * 1000, "holds zero bytes"),
    (bytes(range(256)), "is not written in UTF-8"),
    ("café,y\n1,2\n".encode("latin-1"), "is not written in UTF-8; save it as UTF-8"),
    ("a,y\n1,2\n".encode("utf-16"), "is not written in UTF-8"),
    (gzip.compress(b"a,y\n1,2\n"), "is not written in UTF-8"),
    (b"a,y\n", "has no rows; at least 4 are needed"),
    (b"a,y\n1,p\n2,n\n", "has too few rows to split, 2"),
    (b"y\n1\n2\n3\n4\n", "has no column but the target"),
    (b"a,b\n" + b"1,2\n" * 5, "target=y: is not a column of"),
    (b",y\n1,2\n", "column 1 has no name"),
    (b"a,a,y\n1,2,3\n", "has two columns named a"),
    (b"a,y\n1,2,3\n4,5\n", "cannot be read: Length of header"),
    (b'a,y\n"1,2\n', "cannot be read: Error tokenizing data"),
    (b"a,y\n" + b"1," + b"p" * 200_000 + b"\n2,n\n", "field larger than field limit"),
    (b"a,y\n" + b"1,p\n" * 9, "has one class only, p"),
    (b"a,y\n" + b"nan,p\n1,n\n" * 9, "values are missing in a (9)"),
    (b"a,y\n" + b"1e400,p\n1,n\n" * 9, "values are infinite in a (9)"),
    (b"a,y\n" + b"99999999999999999999999999,p\n1,n\n" * 9, "features must be numbers"),
    (b"a,y\n" + b"2026-11-29,p\n2026-11-30,n\n" * 9, "holds dates such as"),
    (b"a,y\n" + b"".join(b"name%d,%s\n" % (i, b"pn"[i % 2 :][:1]) for i in range(40)), "an identifier, it"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "part"), TABLES, ids=range(len(TABLES)))
def test_a_broken_table_is_refused(config, tmp_path, content, part):
    (tmp_path / "mine.csv").write_bytes(content)
    assert_refused_table(config, tmp_path / "mine.csv", part)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,y\n1,2\n", b"PAR1" + b"\xff" * 100 + b"PAR1"])
def test_a_broken_parquet_file_is_refused(config, tmp_path, content):
    (tmp_path / "mine.parquet").write_bytes(content)
    assert_refused_table(config, tmp_path / "mine.parquet", "cannot be read: ")


def folder(path):
    path.mkdir()


def fifo(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def circle(path):
    path.symlink_to(path)


def nowhere(path):
    path.symlink_to("/nowhere")


def large(path):
    with path.open("wb") as file:
        file.truncate(2**43)  # a hole: it takes no place on the disk


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (folder, "is no file"), (fifo, "is no file"), (endless, "is no file"), (circle, "no such file"),
        (nowhere, "no such file"), (large, "needs 44 TB of memory; this machine has"),
    ],
)  # fmt: skip
def test_what_is_no_file_or_too_large_a_one_is_refused_at_once(config, tmp_path, make, part):
    make(tmp_path / "mine.csv")
    assert_refused_table(config, tmp_path / "mine.csv", part)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("''", "must be a non-empty text"), ("null", "must be a non-empty text"), ("7", "must be"),
        ("[a.csv]", "must be"), ("/", "must be a CSV or Parquet file"), ("mine.txt", "must be a CSV"),
        ("'~nobody/mine.csv'", "no such file"), ("'../../mine.csv'", "no such file"),
        ("'a\nb.csv'", "a b.csv: no such file"), ("'\x1b[31m.csv'", r"\x1b[31m.csv: no such file"),
        ("'https://x.example/d.csv'", "no such file"),
    ],
)  # fmt: skip
def test_a_path_that_names_no_table_is_refused(config, path, part):
    assert_refused_table(config, path, part)


def assert_refused_table(config, path, part):
    named = [f"dataset.path={path}", "dataset.target=y"]
    with pytest.raises(ConfigError) as refused:
        build(config("dataset=table", *named), {})
    told = str(refused.value).replace(f"{Path(path).parent}/", "")  # the tests' own folders are long
    assert_readable(told, part)


def unusable(folder):
    (folder / "file").write_text("mine")


# What is typed, and a part of what is said against it.
COMMANDS = [
    (["seed=-1"], "seed=-1: must be"),
    (["seed=${nowhere}"], "seed: Interpolation key 'nowhere' not found"),
    (["tracking.experiment=${oc.env:NOWHERE}"], "NOWHERE"),
    (["seed=1,2"], "seed=1,2: is several values: sweep over them by -m"),
    (["seed=range(0,3)"], "'seed=range(0,3)' requires --multirun"),
    (["seed=[1"], "seed=[1: cannot be read: "),
    (["seed=${"], "seed=${: cannot be read: "),
    (["seed='"], "cannot be read from "),
    (["seed==1"], "seed==1: cannot be read: "),
    (["dataset.noise=é"], "cannot be read from 'é' on"),
    (["é=1"], "cannot be read from "),
    (["a b=1"], "cannot be read from ' b=1' on"),
    ([""], "cannot be read"),
    (["\n"], "cannot be read"),
    (["nothing"], "nothing: cannot be read: "),
    (["=1"], "Config group override must be a string"),
    (["--nothing"], "--nothing: no such option; --help"),
    (["--cfg", "everything"], "invalid choice: 'everything'"),
    (["--resolve"], "can only be used in conjunction with --cfg"),
    (["--config-dir", "nowhere"], "nowhere' not found"),
    (["--config-name", "nothing"], "Cannot find primary config 'nothing'"),
    (["seed=1", "-m", "init=he"], "init=he: stands behind an option, others before it"),
    (["init=null"], "init=null: must be one of constant"),
    (["dataset=7"], "dataset=7: must be one of autotrainer_blob"),
    (["dataset=[moons]"], "dataset=[moons]: must be one of autotrainer_blob"),
    (["dataset={a:1}"], "dataset={a:1}: must be one of autotrainer_blob"),
    (["experiment=[depth]"], "experiment=[depth]: must be one of"),
    (["model.hidden={a:1}"], "model.hidden={a:1}: Cannot merge DictConfig with ListConfig"),
    (["hydra=null"], "Config group override must be"),
    (["~hydra"], "Could not delete 'hydra'"),
    (["~seed=4"], "The value of 'seed' is 3 and not 4"),
    (["hydra.mode=BOTH"], "hydra.mode=BOTH: Invalid value 'BOTH'"),
    (["hydra.run.dir=null"], "hydra.run.dir=null: field"),
    (["hydra.run.dir=file"], "file: cannot be used: File exists"),
    (["hydra.run.dir=file/job"], "file/job: cannot be used: Not a directory"),
    (["hydra.run.dir=/proc/nowhere"], "/proc/nowhere: cannot be used: No such file"),
    (["hydra.run.dir=${nowhere}"], "hydra.run.dir: Interpolation key 'nowhere' not found"),
    (["hydra.run.dir=" + "x" * 300], "cannot be used: File name too long"),
    (["hydra.callbacks.outcome._target_=os.system"], "Target 'os.system' is blocklisted"),
    (["+hydra.job.env_set.INITLAB_ALLOW_TARGETS=os"], "must be set before the command, not by a config"),
    (["-m", "seed=range(0,0)"], "seed=range(0,0): stands for no value at all, so the sweep has no jobs"),
    (["-m", "seed=range(5,1)"], "seed=range(5,1): stands for no value at all"),
    (["-m", "init=glob(zzz*)"], "init=glob(zzz*): stands for no value at all"),
    (["-m", "init=glob(zzz*)", "hydra/launcher=basic"], "The sweep has no jobs"),
    (["-m", "seed=range(0,3,0)"], "seed=range(0,3,0): has no end"),
    (["-m", "seed=range(1e400)"], "seed=range(1e400): has no end"),
    (["-m", "seed=range(0,100000000)"], "the sweep has 100,000,000 jobs, which need 300 GB of memory"),
    (["-m", "seed=range(10000)", "dataset.seed=range(10000)"], "the sweep has 100,000,000 jobs"),
    (["-m", "seed=interval(0,1)"], "does not support sweep type"),
    (["-m", "seed=choice()"], "seed=choice(): cannot be read"),
    (["-m", "hydra.launcher.n_jobs=0"], "hydra.launcher.n_jobs=0: must be null or"),
    (["-m", "hydra.launcher.n_jobs=two"], "hydra.launcher.n_jobs=two: Value 'two'"),
    (["-m", "hydra.launcher.until=never"], "hydra.launcher.until=never: must be null or decided"),
    (["-m", "hydra.launcher.at_most=1"], "hydra.launcher.at_most=1: must be"),
    (["-m", "hydra.launcher=null"], "Hydra launcher is not configured"),
    (["-m", "hydra.launcher._target_=os.system"], "Invalid plugin 'os.system'"),
    (["-m", "hydra.sweeper.max_batch_size=0"], "hydra.sweeper.max_batch_size=0: must be null or"),
    (["-m", "hydra.sweep.dir=file"], "file: cannot be used: File exists"),
    (["-m", "hydra.sweep.dir=${nowhere}"], "hydra.sweep.dir: Interpolation key"),
    (["-m", "hydra.sweep.subdir=/proc/nowhere"], "/proc/nowhere: cannot be used"),
    (["-m", "hydra.sweep.subdir=${nowhere}"], "hydra.sweep.subdir: Interpolation key"),
    (["-m", "seed=1,2", "hydra.sweep.subdir=same"], "hydra.sweep.subdir: must differ from job to job"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "part"), COMMANDS, ids=[" ".join(words)[:60] for words, _ in COMMANDS])
def test_what_is_typed_is_refused_in_one_line(typed, tmp_path, words, part):
    status, told = typed(command.main, words)
    assert status == 1
    assert_readable(told, part)
    assert_nothing_half_done(tmp_path)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["seeds=0"], "seeds=0: must be"),
        (["seeds=4000000000"], "seeds: 4,000,000,000 networks: needs"),
        (["seed=4294967295", "seeds=2"], "the last seed must be at most 4294967295"),
        (["input.correlation=2"], "input.correlation=2: must be a number from -1 to 1"),
        (["input.size=1000000000000"], "units: needs"),
        (["model.width=1000000000"], "of memory; this machine has"),
        (["model.depth=1000000000"], "depth=1000000000: needs"),
        (["init=null"], "init=null: must be one of"),
        (["seed=${nowhere}"], "seed: Interpolation key 'nowhere' not found"),
        (["hydra.run.dir=/proc/nowhere"], "/proc/nowhere: cannot be used"),
        (["-m", "init=glob(zzz*)"], "The sweep has no jobs"),
    ],
)
def test_the_microscope_refuses_in_one_line_too(typed, tmp_path, words, part):
    status, told = typed(propagate.main, words)
    assert status == 1
    assert_readable(told, part)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["last"], "last: is not a key of this command"),
        (["sweep"], "sweep: must be sweep=VALUE"),
        (["by=both"], "by=both: must be one of score, cost"),
        (["equal_within=nan"], "equal_within=nan: must be"),
        (["uri=sqlite:///nowhere.db"], "there is no such database"),
    ],
)
def test_the_report_refuses_in_one_line_too(typed, tmp_path, words, part):
    status, told = typed(report.main, words)
    assert status == 1
    assert_readable(told, part)
    assert not (tmp_path / "reports").exists()


REAL = [
    ["seed=-1"],
    ["seed=${nowhere}"],
    ["train.iterations=1000000000000000"],
    ["hydra.run.dir=/proc/nowhere"],
    ["-m", "init=glob(zzz*)"],
    ["-m", "hydra.sweep.subdir=/proc/nowhere", "seed=range(0,20)", "hydra.launcher.n_jobs=2"],
    ["dataset=table", "dataset.path=mine.csv", "dataset.target=y"],
    ["--nothing"],
]


@pytest.mark.parametrize("words", REAL, ids=" ".join)
def test_the_real_command_does_so_too(tmp_path, words):
    done = run_command(*words, "tracking.uri=null", folder=tmp_path, fresh=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert_readable(done.stderr, "")
    assert_nothing_half_done(tmp_path)


@pytest.mark.parametrize("words", [[], ["-m", "seed=1,2"], ["-m", "seed=1,2", "hydra/launcher=basic"]])
def test_jobs_without_hydras_folders_are_summed_up_all_the_same(typed, tmp_path, capfd, words):
    status, told = typed(command.main, [*words, "hydra.output_subdir=null", *SHORT])
    assert (status, told) == (0, "")
    outcomes = [json.loads(path.read_text()) for path in tmp_path.rglob("outcome.json")]
    assert len(outcomes) == max(1, len(words) and 2)
    assert all(outcome["summary"] for outcome in outcomes)
    assert not list(tmp_path.rglob(".hydra"))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory, migrated_database):
    """A run that is tracked, to be ruined: its folder, and its id."""
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "mlruns").mkdir()
    (folder / "mlruns" / "mlflow.db").write_bytes(migrated_database.read_bytes())
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    done = initlab.run(*SHORT[:3], f"tracking.uri={uri}", f"hydra.run.dir={folder}/outputs")
    return (
        Path(MlflowClient(uri).get_run(done.run_id).info.artifact_uri.removeprefix("file://")),
        uri,
        done.run_id,
    )


def pickled(path):
    np.savez(path, cost=np.array([{"a": "pickle"}], object), allow_pickle=True)


@pytest.mark.parametrize("name", ["weights.npz", "history.npz", "config.yaml"])
@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\0\xff" * 50, "pickle", "half", None])
def test_a_run_with_a_ruined_file_is_told_by_its_name(tracked, name, content):
    if (name, content) == ("config.yaml", "half"):
        pytest.skip("the first half of a config is one, too")
    folder, uri, run_id = tracked
    path, whole = folder / name, (folder / name).read_bytes()
    try:
        if content is None:
            path.unlink()
        elif content == "pickle":
            pickled(path) if name.endswith(".npz") else path.write_text(
                "!!python/object/apply:os.system [ls]"
            )
        else:
            path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
        with pytest.raises(InitlabError) as refused:
            _ = initlab.load(run_id, uri).costs
        assert_readable(str(refused.value), name)
    finally:
        path.write_bytes(whole)
    assert len(initlab.load(run_id, uri).costs) == 4


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    """Runs a command in this process as it runs by itself; gives its exit code and what it says to stderr."""
    unusable(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/nowhere/mlflow.db")
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def run(main, words):
        for module in (command, propagate):
            monkeypatch.setattr(module, "stop_on_signals", lambda *words: None)
        monkeypatch.setattr(RememberFolder, "folder", None)
        monkeypatch.setattr(propagate, "FAILURES", [])
        monkeypatch.setattr(propagate, "LOOKED", [])
        monkeypatch.setattr(sys, "argv", ["initlab", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        said = capfd.readouterr().err
        return (1, f"{said}{code}") if isinstance(code, str) else (code, said)

    yield run
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def assert_readable(told, part):
    lines = told.strip().splitlines()
    assert len(lines) == 1, told
    assert part in lines[0]
    assert len(lines[0]) <= WIDEST or "x" * 300 in lines[0]
    assert lines[0].isprintable()
    for words in ("Traceback", "HYDRA_FULL_ERROR", "object_type", "See https"):
        assert words not in lines[0]


def assert_nothing_half_done(folder):
    """There is nothing but folders of jobs, each with what it came to."""
    left = {path.name for path in folder.iterdir()} - {"file"}
    assert left <= {"outputs", "multirun"}
    jobs = [path for kind in left for path in (folder / kind).rglob(".hydra")]
    assert all(json.loads((job.parent / "outcome.json").read_text())["error"] for job in jobs)
    assert bool(jobs) == bool(left)
