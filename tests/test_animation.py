"""The boundary as it forms: the training once more, as a GIF or as a WebP."""

import base64
import io
import re

import numpy as np
import pytest
from conftest import runs_of
from PIL import Image

import initlab
from initlab.errors import ConfigError
from initlab.plots import animation
from initlab.runs.film import parameters_along, spread_out
from initlab.runs.job import build
from initlab.runs.train import run

SHORT = {"iterations": 53}


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)


def frames_of(path):
    with Image.open(path) as picture:
        frames = []
        for number in range(picture.n_frames):
            picture.seek(number)
            frames.append((picture.convert("RGB"), picture.info["duration"]))
        return picture.format, picture.info.get("loop"), frames


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_is_saved_in_the_format_of_its_name_and_ends_in_the_boundary(tmp_path, kind):
    trained = initlab.run("optimizer.learning_rate=0.5", train=SHORT)
    film = trained.animate(frames=5)
    path = tmp_path / f"he.{kind.upper()}"
    film.save(path)
    form, loop, frames = frames_of(path)
    assert (form, loop, len(frames)) == (kind.upper(), 0, 5)
    durations = [duration for _, duration in frames]
    assert len(set(durations[:-1])) == 1
    assert durations[-1] >= 10 * durations[0]
    last, boundary = (
        np.asarray(one, float)[70:]
        for one in (frames[-1][0], Image.open(io.BytesIO(trained.boundary.png)).convert("RGB"))
    )
    assert np.abs(last - boundary).mean() < 3.5
    assert np.abs(last - np.asarray(frames[0][0], float)[70:]).mean() > 5


@pytest.mark.parametrize("overrides", [
    [], ["train.batch_size=32"], ["optimizer=adam", "schedule=cosine", "train.precision=float32"],
    ["model.normalization=batch", "train.clip=0.1"],
])  # fmt: skip
def test_training_once_more_gives_the_same_bits(config, overrides):
    cfg = config("tracking.uri=null", "train.iterations=53", *overrides)
    [one] = run([cfg])
    [shorter] = run([config("tracking.uri=null", "train.iterations=29", *overrides)])
    found = parameters_along(build(cfg, {}), [0, 29, 53])
    assert list(found) == [0, 29, 53]
    assert np.array_equal(found[0], one.job.initial)
    assert np.array_equal(found[53], one.parameters)
    if "schedule=cosine" not in overrides:  # which depends on how many iterations there are
        assert np.array_equal(found[29], shorter.parameters)


def test_every_frame_names_its_iteration_and_its_cost(monkeypatch):
    trained, said = initlab.run("init=random", train=SHORT), []
    monkeypatch.setattr("initlab.plots.Boundary.draw", lambda self, answers, title, words: said.append(words))
    trained.animate(frames=4)
    found = [re.fullmatch(r"iteration (\d+) · cost (\S+)", words).groups() for words in said]
    assert [int(iteration) for iteration, _ in found] == [0, 6, 24, 53]
    costs = [trained.costs[int(iteration)] for iteration, _ in found]
    assert [float(cost) for _, cost in found] == pytest.approx(costs, rel=5e-3)


@pytest.mark.parametrize("settings", [
    ["dataset=diabetes", "optimizer.learning_rate=5"],
    ["optimizer.learning_rate=1e200"],
])  # fmt: skip
def test_a_run_that_diverged_ends_where_it_did_in_grey(settings, monkeypatch):
    trained = initlab.run(*settings, train={"iterations": 300})
    at = trained.summary.diverged_at
    film = trained.animate(frames=9)
    pixels = np.asarray(film.frames[-1])[75:480, 65:470]
    assert ((pixels == 236).all(axis=-1)).mean() > 0.5
    said = []
    monkeypatch.setattr("initlab.plots.Boundary.draw", lambda self, answers, title, words: said.append(words))
    trained.animate(frames=9)
    assert said[-1] == f"diverged at iteration {at:,}"
    assert all("cost" in words and "∞" not in words for words in said[:-1])


def test_it_is_animated_when_loaded_and_leaves_nothing_in_the_store(client):
    trained = initlab.run("init=he", "dataset=moons", train=SHORT)
    loaded = initlab.load(trained.run_id)
    ours, theirs = (one.animate(frames=3).frames for one in (trained, loaded))
    assert [frame.tobytes() for frame in ours] == [frame.tobytes() for frame in theirs]
    assert len(runs_of(client)) == 1


def test_a_stored_run_does_not_choose_what_is_executed_to_train_it_again(folder, monkeypatch):
    (folder / "my_starts.py").write_text(
        "import numpy as np\ndef mine(rng, shape):\n    return rng.standard_normal(shape)\n"
    )
    monkeypatch.syspath_prepend(folder)
    own = ("init._target_=my_starts.mine", "allow_targets=[my_starts]")
    trained = initlab.run(*own, train=SHORT)
    assert len(initlab.load(trained.run_id, allow_targets=["my_starts"]).animate(2).frames) == 2
    with pytest.raises(ConfigError, match=r"my_starts"):
        initlab.load(trained.run_id).animate(2)


def test_a_notebook_shows_an_animation_as_a_picture_that_moves():
    html = initlab.run(train=SHORT).animate(frames=3)._repr_html_()
    kind, data = re.search(r'src="data:image/(\w+);base64,([^"]+)"', html).groups()
    assert frames_of(io.BytesIO(base64.b64decode(data)))[0] == kind.upper()


def test_what_cannot_be_animated_or_saved_is_said_in_a_line(tmp_path):
    trained = initlab.run(train=SHORT)
    with pytest.raises(ConfigError, match=r"^frames=0: must be at least 1$"):
        trained.animate(frames=0)
    with pytest.raises(ConfigError, match=r"he\.mp4: an animation is saved as \.gif or as \.webp$"):
        trained.animate(frames=1).save(tmp_path / "he.mp4")
    assert not (tmp_path / "he.mp4").exists()
    with pytest.raises(ValueError, match="^there are no pictures to animate$"):
        animation([], "gif")
    with pytest.raises(ValueError, match="^kind 'png' is not one of gif, webp$"):
        animation(trained.animate(1).frames, "png")


def test_frames_are_spread_from_start_to_end_and_closer_at_the_beginning():
    assert spread_out(15000, 1) == [15000]
    assert spread_out(3, 40) == [0, 1, 2, 3]
    found = spread_out(15000, 40)
    assert (found[0], found[-1], len(found)) == (0, 15000, 40)
    assert (np.diff(found, 2) >= -1).all()


def test_the_published_network_takes_less_than_a_megabyte(tmp_path):
    film = initlab.run("tracking.uri=null").animate()
    for kind in ("gif", "webp"):
        film.save(tmp_path / f"he.{kind}")
        assert (tmp_path / f"he.{kind}").stat().st_size < 1_000_000
    assert len(film.frames) == 40
