"""What determines a run's numbers determines its identity, and nothing else does."""

import shutil

import pytest
from conftest import runs_of

from initlab.config.trust import VARIABLE
from initlab.runs import code, identity
from initlab.runs.code import HOME
from initlab.runs.identity import identity_of
from initlab.runs.job import build, job_of

SHORT = ("train.iterations=5", "plots.frames=0")


@pytest.fixture
def identified(config):
    def of(*overrides):
        return identity_of(build(config(*overrides), {}))

    return of


def test_it_is_32_hex_digits_and_the_same_each_time_it_is_asked_for(identified):
    assert identified() == identified()
    assert len(identified()) == 32
    assert int(identified(), 16)


@pytest.mark.parametrize(
    "override",
    [
        "seed=4", "init=xavier", "bias=constant", "model.hidden=[10,4]", "model.activation=tanh",
        "optimizer=adam", "optimizer.learning_rate=0.011", "schedule=cosine", "schedule.warmup=3",
        "train.iterations=14999", "train.batch_size=30", "train.clip=1", "train.precision=float32",
        "train.threads=2", "diagnostics=full", "diagnostics.every=7", "dataset=moons", "dataset.noise=0.06",
        "dataset.seed=2", "dataset.n_validation=30", "model.l2=0.1", "report.threshold=0.4",
    ],
)  # fmt: skip
def test_what_a_number_follows_from_changes_it(identified, override):
    assert identified(override) != identified()


@pytest.mark.parametrize(
    "override",
    [
        "tracking.uri=null", "tracking.experiment=other", "tracking.every=10", "plots.frames=0",
        "report.by=cost", "report.equal_within=0.1", "report.keep=false", "allow_targets=[os]", "+note=mine",
    ],
)  # fmt: skip
def test_what_is_kept_and_shown_does_not(identified, override, monkeypatch):
    monkeypatch.setenv(VARIABLE, "os")
    assert identified(override) == identified()


def test_the_order_in_which_settings_are_written_does_not(config):
    job = build(config(), {})
    turned = dict(reversed(job.values.items()))
    turned["optimizer"] = dict(reversed(turned["optimizer"].items()))
    assert identity_of(job_of(turned, {})) == identity_of(job)


def test_a_tables_content_counts_and_not_where_it_lies(identified, tmp_path):
    rows = [f"{n},{n % 7},{n % 2}" for n in range(40)]
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("\n".join(["a,b,label", *rows]))

    def of(name):
        return identified("dataset=table", f"dataset.path={tmp_path / name}", "dataset.target=label")

    first = of("one.csv")
    assert of("two.csv") == first
    (tmp_path / "one.csv").write_text("\n".join(["a,b,label", *rows[:-1], "39,5,1"]))
    assert of("one.csv") != first


def test_the_source_of_a_users_own_start_counts(identified, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(VARIABLE, "starts_for_identity")
    source = "import numpy as np\n\n\ndef flat_start(rng, shape):\n    return np.full(shape, 0.1)\n"
    (tmp_path / "starts_for_identity.py").write_text(source)
    own = (
        "init._target_=starts_for_identity.flat_start",
        "allow_targets=[starts_for_identity]",
    )
    first = identified(*own)
    assert identified(*own) == first
    (tmp_path / "starts_for_identity.py").write_text(source.replace("0.1", "0.2"))
    identity._digest_of_file.cache_clear()  # as in a new process
    assert identified(*own) != first


@pytest.mark.parametrize(
    ("file", "changes"), [("networks/layers.py", True), ("training/loop.py", True), ("plots/style.py", False)]
)
def test_a_change_of_the_numerical_code_changes_it(identified, tmp_path, monkeypatch, file, changes):
    first = identified()
    shutil.copytree(HOME, tmp_path / "initlab", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "HOME", tmp_path / "initlab")
    code.numerical_code.cache_clear()
    assert identified() == first
    with (tmp_path / "initlab" / file).open("a") as source:
        source.write("\nCHANGED = True\n")
    code.numerical_code.cache_clear()
    assert (identified() != first) == changes
    code.numerical_code.cache_clear()


def test_all_of_the_numerical_code_is_where_it_is_looked_for():
    assert all((HOME / name).exists() for name in code.NUMERICAL)


def test_every_run_has_it_as_a_tag_the_same_alone_and_in_a_sweep(command, client):
    assert command(*SHORT, PYTHONHASHSEED="1").returncode == 0
    assert command("-m", "seed=3,4", *SHORT, "report.keep=false", PYTHONHASHSEED="2").returncode == 0
    tags = sorted((run.data.tags["seed"], run.data.tags["identity"]) for run in runs_of(client))
    assert [seed for seed, _ in tags] == ["3", "3", "4"]
    assert tags[0] == tags[1]
    assert tags[1][1] != tags[2][1]
