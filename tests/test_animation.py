"""How a boundary forms: a run trained again, the moments that are shown of it, and the moving picture."""

import base64
import doctest
import io
import sys

import numpy as np
import pytest
from PIL import Image

import initlab
from initlab.errors import ConfigError, InitlabError
from initlab.networks.network import flat_parameters
from initlab.plots import Boundary, animation, png
from initlab.runs.again import watched
from initlab.runs.animation import View, candidates, changes, spread_over, words_of
from initlab.runs.job import build

SHORT = {"iterations": 61}
UNTRACKED = {"uri": None}
X, Y = np.array([[-1.0, 1.0, 0.2], [-1.0, 1.0, 0.7]]), np.array([[0.0, 1.0, 1.0]])


@pytest.fixture(autouse=True)
def _here(folder, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(folder)


def frames_of(moving):
    """Returns the frames of a moving picture, in RGB, and for how long each stands."""
    picture, frames, ms = Image.open(io.BytesIO(moving)), [], []
    for number in range(picture.n_frames):
        picture.seek(number)
        frames.append(np.asarray(picture.convert("RGB")).astype(int))
        ms.append(picture.info["duration"])
    return frames, ms


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["train.precision=float32", "dataset=wine", "optimizer=adam", "schedule=cosine"],
        ["train.batch_size=97", "model.normalization=batch", "train.clip=0.5"],
        ["dataset=diabetes", "init=lsuv", "bias=normal"],
    ],
)
def test_a_run_trained_again_has_the_bits_that_it_had(overrides, config):
    run = initlab.run(*overrides, train=SHORT, tracking=UNTRACKED)
    job = build(config(*overrides, "train.iterations=61"), {})
    seen = watched(job, {0, 1, 17, 61}, lambda moment: moment)
    assert [moment.updates for moment in seen] == [0, 1, 17, 61]
    last = flat_parameters(job.network, run.weights)
    first = flat_parameters(
        job.network, {k.removesuffix("_initial"): v for k, v in run.weights.items() if "_i" in k}
    )
    assert np.array_equal(seen[-1].parameters, last)
    assert np.array_equal(seen[0].parameters, first)
    assert seen[-1].cost == run.final_cost
    assert not any(moment.diverged for moment in seen)
    if "train.batch_size=97" not in overrides:
        assert [moment.cost for moment in seen] == pytest.approx(run.costs[[0, 1, 17, 61]], rel=1e-6)


def test_a_run_that_diverges_is_looked_at_when_that_shows_and_no_more(config):
    overrides = ["dataset=diabetes", "optimizer.learning_rate=9.0"]
    run = initlab.run(*overrides, train={"iterations": 500}, tracking=UNTRACKED)
    job = build(config(*overrides, "train.iterations=500"), {})
    seen = watched(job, {0, 3, 400, 500}, lambda moment: moment)
    assert [moment.updates for moment in seen] == [0, 3, run.summary.diverged_at]
    assert [moment.diverged for moment in seen] == [False, False, True]


def test_candidates_reach_from_before_training_to_its_end():
    for iterations, frames in ((15000, 40), (61, 40), (1, 2), (2, 40)):
        found = candidates(iterations, frames)
        assert {0, 1, iterations} <= found
        assert found <= set(range(iterations + 1))
    assert len(candidates(15000, 40)) > 120


@pytest.mark.parametrize("count", [2, 3, 17, 90])
@pytest.mark.parametrize("frames", [2, 5, 40])
def test_so_many_views_are_drawn_the_first_and_the_last_included(count, frames):
    rng = np.random.RandomState(7)
    for steps in (np.zeros(count - 1), rng.rand(count - 1), np.eye(count - 1)[0], np.eye(count - 1)[-1]):
        chosen = spread_over(steps, frames)
        assert len(chosen) == min(count, frames)
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        assert (np.diff(chosen) > 0).all()


def test_pictures_are_closest_together_where_most_changes():
    even = spread_over(np.zeros(1000), 41)
    assert set(np.diff(even)) == {25}
    steps = np.zeros(1000)
    steps[600:700] = 1
    chosen = np.array(spread_over(steps, 41))
    inside = ((chosen >= 600) & (chosen <= 700)).sum()
    assert 21 <= inside <= 23  # half of them for what changes, and a tenth of the other half


def test_a_change_is_measured_in_parts_of_the_range_of_the_labels():
    at = [View(n, 1.0, np.full((1, 4), value)) for n, value in enumerate((0.0, 1.0, 1.0, 9.0))]
    assert changes(at, np.array([[-1.0, 4.0]])).tolist() == pytest.approx([0.2, 0, 0.6])
    gone = [*at[:2], View(2, np.inf, None)]
    assert changes(gone, np.array([[-1.0, 4.0]])).tolist() == pytest.approx([0.2, 1])
    assert changes(gone[2:] * 2, np.array([[-1.0, 4.0]])).tolist() == [1]


def test_words_say_after_how_many_updates_a_picture_was_taken():
    assert words_of(View(0, 0.8829, Y)) == "before training · cost 0.883"
    assert words_of(View(1, 0.5, Y)) == "after 1 iteration · cost 0.5"
    assert words_of(View(15000, 1773.586, Y)) == "after 15,000 iterations · cost 1774"
    assert words_of(View(1234, np.inf, None)) == "diverged at iteration 1,234"


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_moving_picture_shows_every_frame_for_its_time_and_without_end(kind):
    boundary = Boundary(X, Y)
    x, y = boundary.points
    drawn = [boundary.draw(1 / (1 + np.exp(-n * (x + y))), f"frame {n}") for n in (1, 5, 30)]
    moving = animation(drawn, [300, 110, 2500], kind)
    frames, ms = frames_of(moving)
    assert ms == [300, 110, 2500]
    assert Image.open(io.BytesIO(moving)).info["loop"] == 0
    for frame, picture in zip(frames, drawn, strict=True):
        error = np.abs(frame - np.asarray(picture))
        assert error.mean() < 2
    if kind == "gif":
        assert np.abs(frames[-1] - np.asarray(drawn[-1])).max() < 40
        assert (frames[-1][(np.asarray(drawn[-1]) == 255).all(axis=-1)] == 255).all()
        assert (np.asarray(drawn[-1]) == (213, 94, 0)).all(axis=-1).sum() > 9
        assert ((frames[-1] == (213, 94, 0)).all(axis=-1)).sum() > 9


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="^format 'mp4' is not one of gif, webp$"):
        animation([], [], "mp4")


def test_the_example_in_the_docstring_is_right():
    # the package's function of that name hides the module
    failed, attempted = doctest.testmod(sys.modules["initlab.plots.figures.animation"])
    assert (failed, attempted) == (0, 5)


def test_the_published_run_is_below_a_megabyte_and_ends_as_its_boundary_does(tmp_path):
    run = initlab.run(tracking=UNTRACKED)
    moving = run.animate()
    assert len(moving.frames) == 40
    for ending in ("gif", "webp"):
        moving.save(tmp_path / f"he.{ending}")
        assert (tmp_path / f"he.{ending}").stat().st_size < 1_000_000
        frames, ms = frames_of((tmp_path / f"he.{ending}").read_bytes())
        assert len(frames) == 40
        assert ms[-1] > 10 * ms[-2]
    kept = np.asarray(Image.open(io.BytesIO(run.boundary.png)).convert("RGB")).astype(int)
    last = np.asarray(Image.open(io.BytesIO(png(moving.frames[-1]))).convert("RGB")).astype(int)
    error = np.abs(last - kept)[70:]  # below the titles; the answers are in single precision
    assert error.max() < 25  # a colour of the palette further, here and there
    assert (error > 0).mean() < 0.01


def test_a_loaded_run_is_animated_as_the_run_that_was_trained():
    run = initlab.run("init=xavier", train=SHORT)
    ours, theirs = (one.animate(7).encoded("gif") for one in (run, initlab.load(run.run_id)))
    assert ours == theirs
    shown = run.animate(7)._repr_html_()
    moving = base64.b64decode(shown.removeprefix('<img src="data:image/webp;base64,').partition('"')[0])
    assert len(frames_of(moving)[0]) == 7


def test_a_diverged_run_is_animated_up_to_there():
    run = initlab.run(
        "dataset=diabetes", "optimizer.learning_rate=9.0", train={"iterations": 500}, tracking=UNTRACKED
    )
    last = np.asarray(run.animate(5).frames[-1])
    assert (last[100:400, 100:400] == 236).all(axis=-1).mean() > 0.4  # grey, but for the points


def test_a_path_chooses_the_format_by_its_ending_before_anything_is_trained(tmp_path, monkeypatch):
    run = initlab.run(train=SHORT, tracking=UNTRACKED)
    run.animate(3, tmp_path / "he.WEBP")
    assert (tmp_path / "he.WEBP").read_bytes()[8:12] == b"WEBP"
    monkeypatch.setattr("initlab.face.run.forming", None)
    for path in ("he.mp4", "gif", tmp_path / "he"):
        with pytest.raises(InitlabError, match=f"^{path}: a moving picture must end in .gif or .webp$"):
            run.animate(path=path)
    for frames in (1, 0, 2.5, True, "40"):
        with pytest.raises(ConfigError, match=f"^frames={frames}: must be a whole number of at least 2$"):
            run.animate(frames)


def test_a_run_whose_data_have_changed_is_refused(folder):
    rows = [f"{number},{number % 7},{number * 0.37 % 5}" for number in range(60)]
    table = folder / "mine.csv"
    table.write_text("\n".join(["x,y,height", *rows]))
    about = {"path": str(table), "target": "height"}
    run = initlab.run("dataset=table", dataset=about, train=SHORT)
    loaded = initlab.load(run.run_id)
    assert loaded.animate(3).frames
    table.write_text("\n".join(["x,y,height", *(row.replace("7", "1") for row in rows)]))
    with pytest.raises(
        InitlabError, match=r"^run he-seed3: ends at cost \S+ when it is trained again, but is"
    ):
        loaded.animate(3)


def test_a_stored_run_executes_no_code_unless_it_is_trusted(folder, monkeypatch):
    (folder / "my_rings.py").write_text(
        "from initlab.datasets import circles\n"
        "def rings(**settings): return circles(n_train=31, n_test=7, noise=0.1, seed=1)\n"
    )
    monkeypatch.syspath_prepend(folder)
    named = ["~dataset", "+dataset._target_=my_rings.rings"]
    run = initlab.run(*named, allow_targets=["my_rings"], train=SHORT)
    del sys.modules["my_rings"]
    with pytest.raises(ConfigError, match="my_rings.rings: is outside of initlab"):
        initlab.load(run.run_id).animate(2)
    assert "my_rings" not in sys.modules
    assert initlab.load(run.run_id, allow_targets=["my_rings"]).animate(2).frames
