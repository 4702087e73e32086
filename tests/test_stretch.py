"""A training in stretches leaves the bits of one that is never interrupted, and no run that is not whole."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import Compose, runs_of

from initlab.errors import ConfigError
from initlab.runs.checkpoints import FOLDER
from initlab.runs.identity import identity_of
from initlab.runs.job import build
from initlab.runs.outcome import read_outcomes
from initlab.runs.train import run_each

SMALL = (
    "tracking.uri=null",
    "train.iterations=53",
    "dataset.n_train=31",
    "dataset.n_test=17",
    "plots.frames=3",
)
KINDS = ("optimizer=adam", "schedule=cosine", "train.batch_size=7", "model.normalization=batch")


@pytest.fixture
def trained(config: Compose, tmp_path: Path) -> Callable:
    """Trains two starts as one stack, as far as a stretch says, and returns what comes of them."""
    composed = cache(lambda kind, init: config(*SMALL, kind, f"init={init}"))

    def train(
        stretch: list[int] | None = None, kind: str = "optimizer=momentum", resume: bool = False
    ) -> list:
        jobs = [composed(kind, init).copy() for init in ("he", "random")]
        for job in jobs:
            job.stretch, job.resume = stretch, resume
        return [one for _, one in sorted(run_each(jobs, folder=tmp_path))]

    return train


@pytest.mark.parametrize("kind", ["optimizer=momentum", *KINDS])
def test_stretches_leave_the_bits_of_one_training(trained, tmp_path, kind):
    whole = trained(kind=kind)
    _, _, in_stretches = (trained(stretch, kind) for stretch in ([0, 5], [5, 29], [29, 53]))
    for one, other in zip(whole, in_stretches, strict=True):
        assert one.history.keys() == other.history.keys()
        for name in one.history:
            np.testing.assert_array_equal(one.history[name], other.history[name], err_msg=name)
        np.testing.assert_array_equal(one.parameters, other.parameters)
    assert not list((tmp_path / FOLDER).glob("*"))


def test_a_stretch_trains_no_further_than_it_says(trained, tmp_path):
    [first, _] = trained([0, 5])
    assert len(first.history["cost"]) == first.summary.iterations == 5
    [second, _] = trained([5, 29])
    assert len(second.history["cost"]) == 29
    assert len(list((tmp_path / FOLDER).glob("*.npz"))) == 2


def test_without_its_checkpoint_a_stretch_begins_at_the_start(trained):
    [whole, _] = trained()
    [late, _] = trained([29, 53])
    np.testing.assert_array_equal(whole.parameters, late.parameters)


def test_a_checkpoint_past_its_end_does_not_lengthen_a_stretch(trained):
    trained([0, 29])
    [again, _] = trained([0, 5], resume=True)
    assert again.summary.iterations == 5


def test_a_stretch_is_no_setting_of_the_run(config):
    part, whole = (build(config(*SMALL, *words), {}) for words in (["stretch=[0,5]"], []))
    assert identity_of(part) == identity_of(whole)
    assert "stretch" not in part.values
    assert part.stack_key != whole.stack_key


@pytest.mark.parametrize("wrong", ["[5]", "[5,5]", "[9,5]", "[-1,5]", "[0,5.5]", "5", "[0,true]"])
def test_what_is_no_stretch_is_refused(config, wrong):
    with pytest.raises(ConfigError, match="must be null or two rising whole numbers"):
        build(config(*SMALL, f"stretch={wrong}"), {})


def test_a_stretch_beyond_the_training_is_refused(config):
    with pytest.raises(ConfigError, match=r"stretch=\[0, 54\]: must end at train.iterations=53 at most"):
        build(config(*SMALL, "stretch=[0,54]"), {})


def test_a_tracked_run_is_whole(command, client, folder):
    quick = ("train.iterations=53", "plots.frames=0")
    refused = command("stretch=[0,5]", *quick)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "stretch=[0, 5]: ends before train.iterations=53, and a run that is kept"
    )
    assert runs_of(client) == []
    assert command("stretch=[0,5]", "tracking.uri=null", *quick).returncode == 0
    assert command("stretch=[5,53]", *quick).returncode == 0
    [run] = runs_of(client)
    assert run.data.metrics["iterations"] == 53
    assert len(client.get_metric_history(run.info.run_id, "cost")) == 53


def test_a_job_in_part_is_not_taken_for_done(command, folder):
    words = ("-m", "init=he,zeros", "train.iterations=53", "tracking.uri=null", "hydra.sweep.dir=multirun/it")
    assert command(*words, "stretch=[0,5]").returncode == 0
    assert [one.stamp for one in read_outcomes(folder / "multirun" / "it")] == [None, None]
    done = command(*words, "resume=true")
    assert "finished before" not in done.stdout
    assert [one.summary.iterations for one in read_outcomes(folder / "multirun" / "it")] == [53, 53]
