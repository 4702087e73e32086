"""Jobs that share a config come out as each does alone: values, tags, folders and what stands in them."""

import shutil
from pathlib import Path

import pytest
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode

from initlab.config.options import setup_resolvers
from initlab.config.schema import plain
from initlab.errors import ConfigError
from initlab.sweeps import alike
from initlab.sweeps.alike import prepared
from initlab.sweeps.compose import Composer
from initlab.sweeps.plan import jobs_of
from initlab.sweeps.sweep_job import prepare


@pytest.fixture
def jobs_for(tmp_path, monkeypatch):
    """Returns a function that returns the jobs of a sweep in an empty folder."""
    monkeypatch.chdir(tmp_path)
    setup_globals()
    setup_resolvers()
    with initialize_config_module("initlab.conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()

        def jobs(lines, *hydra):
            words = [*hydra, "hydra.mode=MULTIRUN", "hydra.sweep.dir=sweep"]
            master = loader.load_configuration("config", words, run_mode=RunMode.MULTIRUN)
            assert master.hydra.sweep.dir
            return jobs_of(Composer(loader, master), [line.split() for line in lines], 3)

        yield jobs


def told(one):
    """Returns all that a prepared job is, and the files in its folder."""
    try:
        values = repr(plain(one.cfg))
    except ConfigError as error:
        values = f"{type(error)}: {error}"
    files = {path.name: path.read_bytes() for path in sorted((one.folder / ".hydra").glob("*"))}
    return values, one.folder, one.tags, one.home, files


def counted(monkeypatch):
    """Counts the jobs that are composed alone."""
    alone = []
    monkeypatch.setattr(alike, "prepare", lambda job, *rest: alone.append(job.number) or prepare(job, *rest))
    return alone


def compare(jobs, monkeypatch):
    """Returns the numbers of the jobs that were composed alone, when all are as if each had been."""
    alone = counted(monkeypatch)
    shared = [told(one) for one in prepared(jobs, None, False)]
    shutil.rmtree("sweep")
    assert shared == [told(prepare(job)) for job in jobs]
    return alone


@pytest.mark.parametrize(
    "lines",
    [
        ["seed=1", "seed=2", "seed=3"],
        ["init=he seed=1", "init=zeros seed=1", "init=he seed=2", "init=zeros seed=2"],
        ["seed=1 plots.frames=3", "seed=2 plots.frames=1", "seed=1 plots.frames=0.5"],
        ["train.iterations=7 seed=1", "train.iterations=7 seed=true", "train.iterations=7 seed=1"],
        ["tracking.uri=null seed=1", "tracking.uri=null seed=2"],
        ["tracking.uri=a.db", "tracking.uri=b.db", "tracking.uri='1e3'"],
        ["model.activation=relu", "model.activation=tanh", "model.activation=nonsense"],
        ["dataset.seed=1 seed=2", "dataset.seed=2 seed=1"],
    ],
    ids=" | ".join,
)  # fmt: skip
def test_jobs_that_differ_in_plain_values_share_a_config_and_come_out_as_alone(lines, jobs_for, monkeypatch):
    jobs = jobs_for(lines)
    assert len(compare(jobs, monkeypatch)) == len({job.recipe.form for job in jobs}) < len(jobs)


@pytest.mark.parametrize(
    "lines",
    [
        ["model.hidden=[3] seed=1", "model.hidden=[3,5] seed=2"],  # a list
        ["+note=a seed=1", "+note=b seed=2"],  # added
        ["seed=${train.iterations}", "seed=3", "seed=${train.iterations}"],  # read
        ["+note=${hydra:job.num} seed=1", "+note=${hydra:job.num} seed=2"],
        ["train.iterations=5 train.iterations=7", "train.iterations=9 train.iterations=5"],  # twice
        ["train.iterations=???", "train.iterations=???"],
        ["train.clip=null", "train.clip=1.5"],  # of two forms
        ["hydra.job.name=a seed=1", "hydra.job.name=b seed=1"],
        ["seed=1"],
    ],
    ids=" | ".join,
)
def test_jobs_that_differ_in_more_are_composed_alone(lines, jobs_for, monkeypatch):
    assert compare(jobs_for(lines), monkeypatch) == list(range(3, 3 + len(lines)))


def test_a_folder_may_be_named_by_the_jobs_values_and_its_number(jobs_for, monkeypatch):
    subdir = "hydra.sweep.subdir=${hydra.job.num}_${seed}_${hydra:job.override_dirname}"
    jobs = jobs_for(["seed=5 init=he", "seed=7 init=he", "seed=11 init=he"], subdir)
    assert len(compare(jobs, monkeypatch)) == 1
    assert {path.name for path in Path("sweep").iterdir()} == {
        f"{number}_{seed}_init=he,seed={seed}" for number, seed in ((3, 5), (4, 7), (5, 11))
    }


def of_experiment(jobs_for, text):
    """Returns two jobs, of seeds 5 and 7, whose experiment has these lines."""
    Path("own/experiment").mkdir(parents=True, exist_ok=True)
    Path("own/experiment/reading.yaml").write_text(f"# @package _global_\n{text}")
    lines = [f"experiment=reading seed={seed}" for seed in (5, 7)]
    return jobs_for(lines, f"hydra.searchpath=[file://{Path('own').absolute()}]")


@pytest.mark.parametrize(
    ("also", "alone"), [("${seed}", [3]), ("${train}", [3, 4]), ("${hydra:job.num}", [3, 4])]
)
def test_what_a_config_reads_is_read_for_each_job(also, alone, jobs_for, monkeypatch):
    monkeypatch.setenv("PLACE", "left")
    jobs = of_experiment(jobs_for, f"tracking:\n  uri: ${{oc.env:PLACE}}-${{seed}}.db\nalso: [1, '{also}']\n")
    assert compare(jobs, monkeypatch) == alone
    values = [plain(one.cfg) for one in prepared(jobs, None, False)]
    assert [one["tracking"]["uri"] for one in values] == ["left-5.db", "left-7.db"]


def test_names_that_omegaconf_would_read_as_paths_are_left_to_it(jobs_for, monkeypatch):
    jobs = of_experiment(jobs_for, "also: {a.b: '${seed}', 1: '${seed}'}\n")
    assert compare(jobs, monkeypatch) == [3, 4]
    assert [one.cfg["also"]["a.b"] for one in prepared(jobs, None, False)] == [5, 7]


@pytest.mark.parametrize("text", ["${no.such.key}", "???"])
def test_a_value_that_there_is_not_is_named_as_of_a_job_alone(text, jobs_for, monkeypatch):
    jobs = of_experiment(jobs_for, f"also: {text}\n")
    assert compare(jobs, monkeypatch) == [3, 4]
    for one in prepared(jobs, None, False):
        with pytest.raises(ConfigError, match=r"^also: "):
            plain(one.cfg)


def test_jobs_of_callbacks_have_a_config_each(jobs_for):
    one, other = prepared(jobs_for(["seed=5", "seed=7"]), None, True)
    assert one.whole is not other.whole
    assert (one.whole.seed, one.whole.hydra.job.num) == (5, 3)


def test_the_values_of_one_job_are_no_other_jobs(jobs_for):
    one, other = prepared(jobs_for(["seed=5", "seed=7"]), None, False)
    other.cfg["model"]["hidden"].append(13)
    other.cfg["seed"] = 17
    assert plain(one.cfg)["seed"] == 5
    assert plain(one.cfg)["model"]["hidden"] == [10, 5]
