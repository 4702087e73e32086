"""Input that nobody thought of, made by Hypothesis: it is taken, or refused in one readable line."""

import copy
import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from initlab import datasets
from initlab.config.rules import check_arguments
from initlab.config.schema import Settings, plain, read
from initlab.errors import ConfigError
from initlab.tracking import Description, Series, Tracker
from initlab.tracking.client import ClientWriter

# The same examples every time, and few of them: a failure is everybody's, and the suite stays quick.
FEW = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["cost", "float32"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
SECTIONS = ("train", "diagnostics", "plots", "report", "tracking")


def assert_one_line(error):
    said = str(error)
    assert said
    assert "\n" not in said


@pytest.fixture
def values(config):
    return plain(config())


@FEW
@given(st.data(), VALUES)
def test_settings_are_taken_or_refused(values, data, value):
    changed = copy.deepcopy(values)
    section = data.draw(st.sampled_from([*SECTIONS, "seed", "allow_targets"]))
    if section in SECTIONS and data.draw(st.booleans()):
        changed[section][data.draw(st.sampled_from([*changed[section], "another"]))] = value
    else:
        changed[section] = value
    try:
        taken = read(Settings, changed)
    except ConfigError as error:
        assert_one_line(error)
    else:
        assert isinstance(taken, Settings)


@FEW
@given(st.sampled_from(["circles", "spirals", "gaussian_quantiles", "table"]), st.data())
def test_arguments_are_taken_or_refused(name, data):
    function = getattr(datasets, name)
    keys = st.sampled_from(["n_train", "n_test", "noise", "turns", "classes", "path", "target", "seed", "x"])
    arguments = data.draw(st.dictionaries(keys, VALUES, max_size=6))
    try:
        check_arguments(function, arguments, "dataset")
    except ConfigError as error:
        assert_one_line(error)


CELLS = st.sampled_from(["1", "2.5", "-1e300", "1e400", "nan", "", "p", "n", "true", "é", '"', '"a,b"', "\0"])
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4).map(",".join), max_size=12).map("\n".join)
FILES = st.one_of(
    ROWS.map(lambda rows: f"a,b,y\n{rows}".encode()),
    ROWS.map(lambda rows: f"a;b;y\n{rows.replace(',', ';')}".encode()),
    st.binary(max_size=200),
)


@FEW
@given(FILES, st.sampled_from(["error", "drop", "median"]), st.sampled_from([None, "regression"]))
def test_a_table_is_taken_or_refused(tmp_path, content, missing, task):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    try:
        taken = datasets.table(
            path=str(path), target="y", missing=missing, task=task, test_share=0.25, seed=1
        )
    except ValueError as error:
        assert_one_line(error)
    else:
        assert np.isfinite(taken.X_train).all()
        assert taken.X_train.shape[1] == taken.Y_train.shape[1] > 0


KEYS = st.text(string.ascii_letters + string.digits + "_-. /é", min_size=1, max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 5e-324, 1.7e308])


@settings(FEW, max_examples=12)
@given(st.dictionaries(KEYS, st.lists(NUMBERS, min_size=1, max_size=5), min_size=1, max_size=3), st.data())
def test_what_is_written_in_bulk_is_what_mlflows_client_writes(store, values, data):
    tracker, theirs = store
    series = []
    for key, numbers in values.items():
        steps = sorted(
            data.draw(st.sets(st.integers(0, 2**40), min_size=len(numbers), max_size=len(numbers)))
        )
        times = np.array([1_700_000_000_000 + step % 1000 for step in steps])
        series.append((key, np.array(numbers), np.array(steps), times))
    try:
        with tracker.runs([Description("one", {}, {})]) as [run]:
            tracker.log([Series(run.run_id, *one) for one in series])
    except Exception as error:
        assert_one_line(error)
        with pytest.raises(Exception, match="."):
            theirs.log([Series(run.run_id, *one) for one in series])
        return
    with tracker.runs([Description("other", {}, {})]) as [other]:
        theirs.log([Series(other.run_id, *one) for one in series])
    for key in values:
        ours, its = (
            [(m.value, m.timestamp, m.step) for m in tracker.client.get_metric_history(one.run_id, key)]
            for one in (run, other)
        )
        assert sorted(ours) == sorted(its)
    latest = [tracker.client.get_run(one.run_id).data.metrics for one in (run, other)]
    assert latest[0] == latest[1]


@pytest.fixture
def store(folder):
    tracker = Tracker(f"sqlite:///{folder}/mlruns/mlflow.db", "generated", folder)
    return tracker, ClientWriter(tracker.client)
