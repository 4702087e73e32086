"""Configs in, trained and tracked runs out, in this process."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import runs_of

from initlab.errors import ConfigError, TrackingError
from initlab.runs import train as experiment
from initlab.runs.logged import logged_among, logged_steps
from initlab.runs.summary import Trained
from initlab.runs.train import run, run_each

UNTRACKED = ("tracking.uri=null", "train.iterations=53", "diagnostics.every=7")
TRACKED = ("tracking.uri=sqlite:///mlruns/mlflow.db", "train.iterations=23", "plots.frames=2")


def assert_same(one: Trained, other: Trained) -> None:
    for ours, theirs in ((one.history, other.history), (one.weights, other.weights)):
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert np.array_equal(ours[key], theirs[key], equal_nan=True), key
    assert replace(one.summary, seconds=0) == replace(other.summary, seconds=0)


MIXED = [
    ["init=he", "seed=5"],
    ["init=zeros"],
    ["init=random", "optimizer.learning_rate=0.3"],
    ["init=he", "dataset.seed=11"],
    ["optimizer=adam", "optimizer.beta1=0.5"],
    ["optimizer.learning_rate=1e200"],
    ["train.batch_size=64", "seed=2"],
    ["train.batch_size=64", "seed=3"],
    ["train.precision=float32", "model.hidden=[7]"],
    ["dataset=moons", "model.activation=tanh"],
    ["dataset=wine", "init=lsuv", "diagnostics=full", "schedule=cosine", "train.clip=0.5"],
    ["dataset=wine", "init=mean_field", "diagnostics=full", "schedule=cosine", "train.clip=0.5", "seed=5"],
    ["dataset=diabetes", "init=metainit", "init.steps=31", "model.l2=0.1", "bias=normal"],
    ["model=deep", "model.depth=3", "model.width=7", "model.residual=true", "init=orthogonal"],
    ["model.normalization=batch", "train.batch_size=64", "diagnostics=full", "seed=5"],
    ["model.normalization=batch", "train.batch_size=64", "diagnostics=full", "init=random"],
    ["model.normalization=layer", "model.activation=gelu", "diagnostics=full", "dataset=wine"],
    ["model.normalization=layer", "model.activation=gelu", "diagnostics=full", "dataset=wine", "seed=7"],
]


def test_any_list_of_configs_gives_what_each_gives_alone_bit_for_bit(config):
    cfgs = [config(*UNTRACKED, *overrides) for overrides in MIXED]
    for together, cfg in zip(run(cfgs), cfgs, strict=True):
        assert_same(together, run([cfg])[0])


def test_jobs_that_may_share_a_stack_do(config, monkeypatch):
    sizes = []
    train = experiment._train_stack
    monkeypatch.setattr(
        experiment, "_train_stack", lambda jobs, *rest: sizes.append(len(jobs)) or train(jobs, *rest)
    )
    run([config(*UNTRACKED, *overrides) for overrides in MIXED])
    assert sorted(sizes) == [1, 1, 1, 1, 1, 2, 2, 2, 2, 5]


def test_a_failing_config_leaves_the_others_alone(config):
    cfgs = [config(*UNTRACKED, f"optimizer.learning_rate={rate}") for rate in (0.1, -1, 0.2)]
    done = dict(run_each(cfgs))
    first, second, third = (done[place] for place in range(3))
    assert isinstance(second, ConfigError)
    assert isinstance(first, Trained)
    assert isinstance(third, Trained)
    with pytest.raises(ConfigError, match="learning_rate=-1"):
        run(cfgs)


def test_what_a_part_says_against_its_settings_is_named_by_its_group(config, tmp_path, monkeypatch):
    (tmp_path / "picky.py").write_text("def start(rng, shape):\n    raise ValueError('I will not')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("INITLAB_ALLOW_TARGETS", "picky")
    cfg = config(*UNTRACKED, "init._target_=picky.start")
    with pytest.raises(ConfigError, match="^init: I will not$"):
        run([cfg])


def test_a_run_that_cannot_write_its_files_fails_alone(config, folder, client, monkeypatch):
    from initlab.runs import record as tracked

    def draw(one):
        if one.job.settings.seed == 2:
            raise TrackingError("cost.png: cannot be written: No space left on device")
        return b"picture"

    monkeypatch.setattr(tracked, "cost_png", draw)
    cfgs = [config(*TRACKED, f"seed={seed}") for seed in (1, 2, 3)]
    outcomes = [came for _, came in run_each(cfgs, folder=folder)]
    assert [type(outcome) for outcome in outcomes] == [Trained, TrackingError, Trained]
    statuses = {run.data.tags["seed"]: run.info.status for run in runs_of(client)}
    assert statuses == {"1": "FINISHED", "2": "FAILED", "3": "FINISHED"}


def break_after(steps: int, monkeypatch, only_if_stacked: bool) -> None:
    """Makes training raise once it has measured so many times."""
    calls = []

    def breaking(step):
        calls.append(step)
        if len(calls) > steps and (len(step.parameters) > 1 or not only_if_stacked):
            raise MemoryError("no more")
        return {}

    monkeypatch.setattr(experiment, "diagnostics_named", lambda names: (breaking,) if names else ())


def test_the_jobs_of_a_stack_that_breaks_run_once_more_each_alone(config, folder, client, monkeypatch):
    break_after(7, monkeypatch, only_if_stacked=True)
    cfgs = [config(*TRACKED, f"seed={seed}", "diagnostics.every=1", "diagnostics.rare=[]") for seed in (1, 2)]
    results = run(cfgs, folder=folder)
    tracked_runs = {tracked_run.info.run_id: tracked_run for tracked_run in runs_of(client)}
    for result in results:
        assert tracked_runs.pop(result.summary.run_id).info.status == "FINISHED"
    for broken in tracked_runs.values():
        assert broken.info.status == "FAILED"
        costs = client.get_metric_history(broken.info.run_id, "cost")
        assert [metric.step for metric in costs] == list(range(7))


def test_a_job_that_breaks_alone_too_fails(config, folder, client, monkeypatch):
    break_after(0, monkeypatch, only_if_stacked=False)
    cfgs = [config(*TRACKED, f"seed={seed}", "diagnostics.every=1", "diagnostics.rare=[]") for seed in (1, 2)]
    assert [str(came) for _, came in run_each(cfgs, folder=folder)] == ["no more", "no more"]
    assert {tracked_run.info.status for tracked_run in runs_of(client)} == {"FAILED"}


def test_an_interrupted_stack_ends_killed(config, folder, client):
    def interrupt(label, iteration, iterations, costs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([config(*TRACKED)], folder=folder, progress=interrupt)
    assert [run.info.status for run in runs_of(client)] == ["KILLED"]


def test_tracking_every_thins_the_logged_costs_but_not_the_history(config, folder, client):
    [result] = run([config(*TRACKED, "tracking.every=5")], folder=folder)
    logged = client.get_metric_history(result.summary.run_id, "cost")
    assert [metric.step for metric in logged] == [0, 5, 10, 15, 20]
    assert len(result.history["cost"]) == 23


def test_tracking_every_log_logs_less_and_less_often_however_often_it_is_written(
    config, folder, client, monkeypatch
):
    from initlab.runs import throttle, train

    lasting = (*TRACKED, "train.iterations=3001", "plots.frames=0", "tracking.every=log")
    [result] = run([config(*lasting)], folder=folder)
    monkeypatch.setattr(throttle, "SECONDS_BETWEEN_GLANCES", 0)
    monkeypatch.setattr(train, "SECONDS_BETWEEN_FLUSHES", 0.01)
    [again] = run([config(*lasting)], folder=folder)
    every_tenth = np.arange(0, 3001, 10)
    expected = {"cost": logged_steps(3001), "grad_norm/global": logged_among(every_tenth, 3001)}
    for key, steps in expected.items():
        for one in (result, again):
            logged = client.get_metric_history(one.summary.run_id, key)
            assert [metric.step for metric in logged] == steps.tolist()
        assert steps[:3].tolist() == ([0, 1, 2] if key == "cost" else [0, 10, 20])
        assert steps[-1] == 3000
    assert len(result.history["cost"]) == 3001
    assert len(result.history["grad_norm/global"]) == 301
    assert 700 < len(expected["cost"]) < 1100
    cut_short = logged_among(every_tenth[:40], 3001, cut_short=True)
    assert cut_short.tolist() == [step for step in expected["grad_norm/global"] if step < 400]


def test_a_long_run_shows_its_metrics_while_it_trains(config, folder, client, monkeypatch):
    from initlab.runs import throttle as watch
    from initlab.runs import train

    monkeypatch.setattr(train, "SECONDS_BETWEEN_FLUSHES", 0)
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_GLANCES", 0)
    seen = []

    def look(label, iteration, iterations, costs):
        for tracked_run in runs_of(client):
            seen.append(len(client.get_metric_history(tracked_run.info.run_id, "cost")))

    [result] = run([config(*TRACKED)], folder=folder, progress=look)
    assert seen == list(range(23))
    latest = client.get_run(result.summary.run_id).data.metrics
    assert latest["cost"] == result.history["cost"][-1]
