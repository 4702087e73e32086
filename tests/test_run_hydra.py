"""Hydra runs inside a program that is not Hydra's: a script, a notebook, an application of its own."""

import json
import logging
import subprocess
import sys

import hydra
import pytest
from conftest import environment, run_python
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException
from hydra.version import VersionBase
from omegaconf import OmegaConf

from initlab.sweeps.hydra_private import run_hydra

BASIC = "hydra/launcher=basic"


def seed_of(cfg):
    return cfg.seed


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["notebook", "-f", "seed=99", "--multirun"])
    return tmp_path


def test_a_run_returns_what_the_task_function_returned_any_number_of_times(somewhere):
    for seed in (7, 11):
        returned = run_hydra("config", seed_of, [f"seed={seed}", "init=zeros"], False)
        assert returned.return_value == seed
        assert returned.overrides == [f"seed={seed}", "init=zeros"]
    [one, other] = (somewhere / "outputs").iterdir()
    assert OmegaConf.load(one / ".hydra" / "config.yaml").init._target_ == "initlab.initializers.zeros"
    assert other.is_dir()


def test_a_sweep_returns_every_job_in_order(somewhere):
    for _ in range(2):
        [batch] = run_hydra("config", seed_of, [BASIC, "seed=range(3,6)", "init=he,zeros"], True)
        assert [job.return_value for job in batch] == [3, 3, 4, 4, 5, 5]
    assert len(list((somewhere / "multirun").iterdir())) == 2


def test_the_stacked_launcher_serves_it_too():
    [batch] = run_hydra("config", seed_of, ["seed=5,7"], True)
    assert [job.return_value for job in batch] == [5, 7]


def test_the_microscopes_config_can_be_run(somewhere):
    assert run_hydra("propagate", lambda cfg: cfg.model.depth, ["model.depth=13"], False).return_value == 13


def test_the_hydra_of_the_user_is_as_it_was(somewhere):
    before = HydraConfig.instance().cfg
    (somewhere / "conf").mkdir()
    (somewhere / "conf" / "mine.yaml").write_text("colour: red\n")
    with hydra.initialize_config_dir(str(somewhere / "conf"), job_name="mine", version_base="1.2"):
        loader = GlobalHydra.instance().config_loader()
        assert run_hydra("config", seed_of, ["seed=5"], False).return_value == 5
        with pytest.raises(ConfigCompositionException):
            run_hydra("config", seed_of, ["sede=5"], False)
        assert GlobalHydra.instance().config_loader() is loader
        assert hydra.compose("mine", return_hydra_config=True).hydra.job.name == "mine"
        assert str(VersionBase.instance().getbase()) == "1.2"
    assert not GlobalHydra.instance().is_initialized()
    assert HydraConfig.instance().cfg is before


def state_of_logging():
    root = logging.getLogger()
    names = sorted(logging.Logger.manager.loggerDict)
    return root.level, list(root.handlers), [(n, logging.getLogger(n).level) for n in names if "hydra" in n]


@pytest.mark.parametrize(
    ("overrides", "multirun"), [([], False), ([BASIC, "seed=1,2"], True), (["seed=1,2"], True)]
)
def test_the_logging_of_the_program_around_it_is_not_touched(overrides, multirun, capfd):
    run_hydra("config", seed_of, overrides, multirun)
    before = state_of_logging()
    run_hydra("config", seed_of, overrides, multirun)
    assert state_of_logging() == before
    assert capfd.readouterr() == ("", "")


def test_what_the_job_raised_is_raised():
    def fail(cfg):
        raise ZeroDivisionError(f"seed {cfg.seed}")

    with pytest.raises(ZeroDivisionError, match="seed 5"):
        run_hydra("config", fail, ["seed=5"], False)
    with pytest.raises(ZeroDivisionError, match="seed 6"):
        run_hydra("config", fail, [BASIC, "seed=6,7"], True)


def test_a_script_needs_nothing_else_of_initlab(somewhere):
    script = somewhere / "script.py"
    script.write_text(
        "import json\n"
        "from initlab.sweeps.hydra_private import run_hydra\n"
        "one = run_hydra('config', lambda cfg: cfg.seed, ['seed=5'], False)\n"
        "[jobs] = run_hydra('config', lambda cfg: cfg.seed, ['hydra/launcher=basic', 'seed=5,7'], True)\n"
        "print(json.dumps([one.return_value, *[job.return_value for job in jobs]]))\n"
    )
    done = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, env=environment(), cwd=somewhere
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == [5, 5, 7]


def test_a_script_without_a_guard_sweeps_in_two_processes_and_is_run_once(somewhere):
    script = somewhere / "script.py"
    script.write_text(
        "print('begins')\n"
        "from initlab.sweeps.hydra_private import run_hydra\n"
        "from initlab.terminal.command import train\n"
        "jobs = ['init=he,zeros', 'seed=range(0,8)', 'hydra.launcher.n_jobs=2']\n"
        "short = ['train.iterations=5', 'plots.frames=0', 'tracking.uri=null']\n"
        "[returned] = run_hydra('config', train, [*jobs, *short], True)\n"
        "print([len(returned), *{0 < job.return_value < 3 for job in returned}])\n"
    )
    done = run_python(script, folder=somewhere)
    assert done.stdout.splitlines() == ["begins", "[16, True]"]
    assert done.stderr == ""
