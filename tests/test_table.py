import re
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.preprocessing import StandardScaler

from initlab.datasets import table
from initlab.datasets.dataset import split

M = 23
RNG = np.random.RandomState(5)
FRAME = pd.DataFrame(
    {
        "height": RNG.standard_normal(M) * 7 + 170,
        "count": RNG.randint(0, 100, M),
        "member": RNG.rand(M) < 0.5,
        "label": np.where(np.arange(M) % 3 == 0, "yes", "no"),
    }
)
SEPARATE = {"index": False}


def made(path, target="label", test_share=0.3, task=None, seed=7):
    return table(path=str(path), target=target, test_share=test_share, task=task, seed=seed)


def written(folder, frame, name="mine.csv"):
    path = folder / name
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


def text(folder, content, name="mine.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", ["mine.csv", "MINE.CSV", "mine.parquet", "mine.Parquet", "mine.pq"])
def test_a_table_is_the_arrays_in_it(tmp_path, name):
    path = tmp_path / name
    if name.lower().endswith("csv"):
        FRAME.to_csv(path, index=False)
    else:
        FRAME.to_parquet(path)
    data = made(path)
    X = FRAME[["height", "count", "member"]].to_numpy(np.float64)
    y = (FRAME["label"] == "yes").to_numpy(int)
    train, test = split(y, 0.3, 7)
    scaler = StandardScaler().fit(X[train])
    np.testing.assert_allclose(data.X_train, scaler.transform(X[train]).T, rtol=0, atol=1e-13)
    np.testing.assert_allclose(data.X_test, scaler.transform(X[test]).T, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(data.Y_train, y[np.newaxis, train])
    np.testing.assert_array_equal(data.Y_test, y[np.newaxis, test])
    for array in (data.X_train, data.Y_train, data.X_test, data.Y_test):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
    assert (data.task, data.classes) == ("binary", ("no", "yes"))
    assert data.features == ("height", "count", "member")
    assert data.source == name


def test_csv_and_parquet_give_the_same_bits(tmp_path):
    frame = FRAME.assign(height=RNG.rand(M) / 3, tiny=RNG.rand(M) * 1e-200)
    a, b = (made(written(tmp_path, frame, name)) for name in ("mine.csv", "mine.parquet"))
    np.testing.assert_array_equal(a.X_train, b.X_train)
    np.testing.assert_array_equal(a.X_test, b.X_test)


def test_the_split_is_the_seeds(tmp_path):
    path = written(tmp_path, FRAME)
    first, again, other = (made(path, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.X_train, again.X_train)
    assert not np.array_equal(first.X_test, other.X_test)


def test_a_relative_path_starts_at_the_current_folder(tmp_path, monkeypatch):
    written(tmp_path, FRAME)
    monkeypatch.chdir(tmp_path)
    assert made("mine.csv").X_train.shape[0] == 3


TARGETS = {
    "text": (["b", "a", "c"], "classes", ("a", "b", "c")),
    "two texts": (["b", "a"], "binary", ("a", "b")),
    "true or false": ([True, False], "binary", ("False", "True")),
    "two numbers": ([7, -3], "binary", ("-3", "7")),
    "numbers, in their own order": ([10, 9, 100], "classes", ("9", "10", "100")),
    "whole floats": ([2.0, 1.0], "binary", ("1", "2")),
    "20 numbers": (list(range(20)), "classes", tuple(str(n) for n in range(20))),
    "21 numbers": (list(range(21)), "regression", ()),
    "fractions": ([0.5, 1.0], "regression", ()),
}


@pytest.mark.parametrize("name", ["mine.csv", "mine.pq"])
@pytest.mark.parametrize("case", TARGETS)
def test_the_target_chooses_the_task(tmp_path, case, name):
    values, task, classes = TARGETS[case]
    frame = pd.DataFrame({"x": np.arange(63.0), "y": (values * 63)[:63]})
    data = made(written(tmp_path, frame, name), "y")
    assert (data.task, data.classes) == (task, classes)
    assert len(data.Y_train) == (len(classes) if task == "classes" else 1)
    if task != "regression":
        spelled = [str(int(v)) if isinstance(v, float) else str(v) for v in frame["y"]]
        train, _ = split(np.array([classes.index(one) for one in spelled]), 0.3, 7)
        found = data.Y_train[0] if task == "binary" else data.Y_train.argmax(axis=0)
        assert [classes[int(n)] for n in found] == [spelled[n] for n in train]
        if task == "classes":
            np.testing.assert_array_equal(data.Y_train.sum(axis=0), 1)


def test_a_regressions_target_is_standardised_by_the_training_part(tmp_path):
    y = RNG.standard_normal(M) * 3 + 11
    data = made(written(tmp_path, FRAME.drop(columns="label").assign(y=y)), "y")
    train, test = split(np.zeros(M, int), 0.3, 7)
    assert data.task == "regression"
    assert (len(train), len(test)) == (16, 7)
    np.testing.assert_allclose(data.Y_train[0], (y[train] - y[train].mean()) / y[train].std(), rtol=1e-12)
    np.testing.assert_allclose(data.Y_test[0], (y[test] - y[train].mean()) / y[train].std(), rtol=1e-12)


def test_the_task_may_be_forced(tmp_path):
    path = written(tmp_path, pd.DataFrame({"x": range(84), "many": [*range(42)] * 2, "few": [0, 1] * 42}))
    assert len(made(path, "many", task="classification").Y_train) == 42
    data = made(path, "few", task="regression")
    assert data.task == "regression"
    assert data.Y_train.mean() == pytest.approx(0, abs=1e-12)
    assert data.Y_train.std() == pytest.approx(1, rel=1e-12)


def test_true_and_false_may_be_a_regression(tmp_path):
    path = written(tmp_path, FRAME.drop(columns="label"))
    data = made(path, "member", task="regression")
    assert len(np.unique(data.Y_train)) == 2


def test_fractions_may_be_classes(tmp_path):
    path = written(tmp_path, pd.DataFrame({"x": range(8), "y": [0.5, 1.0, 1.5, 2.5] * 2}))
    assert made(path, "y", task="classification").classes == ("0.5", "1", "1.5", "2.5")


def test_categories_are_the_values_they_stand_for(tmp_path):
    numbers = pd.Series([10, 9, 100, 9] * 5).astype("category")
    words = pd.Series(["b", "a"] * 10).astype(pd.CategoricalDtype(["c", "b", "a"]))
    path = written(tmp_path, pd.DataFrame({"x": range(20), "numbers": numbers, "words": words}), "mine.pq")
    frame = pd.read_parquet(path)
    assert made(written(tmp_path, frame.drop(columns="words"), "n.pq"), "numbers").classes == (
        "9",
        "10",
        "100",
    )
    assert made(written(tmp_path, frame.drop(columns="numbers"), "w.pq"), "words").classes == ("a", "b")


def test_nullable_columns_without_gaps_are_numbers(tmp_path):
    frame = FRAME.assign(count=FRAME["count"].astype("Int64"), member=FRAME["member"].astype("boolean"))
    a, b = made(written(tmp_path, frame, "a.pq")), made(written(tmp_path, FRAME, "b.pq"))
    np.testing.assert_array_equal(a.X_train, b.X_train)
    target = written(tmp_path, frame.drop(columns="label"), "c.pq")
    assert made(target, "member").classes == ("False", "True")
    assert made(target, "count", task="regression").task == "regression"


def test_spaces_after_commas_quotes_and_a_byte_order_mark_do_no_harm(tmp_path):
    rows = "".join(f'{n}, {n % 3}, "{"ja, ja" if n % 2 else "nein"}"\r\n' for n in range(8))
    data = made(text(tmp_path, b"\xef\xbb\xbf" + ("a, b, label\r\n" + rows).encode()))
    assert data.features == ("a", "b")
    assert data.classes == ("ja, ja", "nein")


def test_a_feature_that_is_constant_becomes_0(tmp_path):
    data = made(written(tmp_path, FRAME.assign(count=0.1)))
    assert not data.X_train[1].any()
    assert not data.X_test[1].any()


GOOD = "a,b,label\n" + "".join(f"{n},{n % 3},{n % 2}\n" for n in range(8))
MANY = [f"x{n}" for n in range(23)]
BROKEN = {
    "no rows": ("a,label\n", "path={path}: has no rows; at least 4 are needed"),
    "too few rows": (
        "a,label\n1,x\n2,y\n3,x\n", "path={path}: has too few rows to split, 3; at least 4 are needed",
    ),
    "an empty file": ("", "path={path}: cannot be read: No columns to parse from file"),
    "longer rows": ("a,label\n1,x,3\n2,y,4\n", "path={path}: cannot be read: Length of header"),
    "one longer row": (GOOD + "1,2,3,4\n", "path={path}: cannot be read: Error tokenizing data"),
    "no text": (b"a,label\n\xff\xfe,1\n", "path={path}: is not written in UTF-8; save it as UTF-8"),
    "Latin-1": (
        GOOD.replace("b", "größe").encode("latin-1"),
        "path={path}: is not written in UTF-8; save it as UTF-8",
    ),
    "semicolons": (
        GOOD.replace(",", ";"), "path={path}: has one column, 'a;b;label'; separate columns by commas",
    ),
    "a column without a name": (
        GOOD.replace("a,b", ",b"),
        "path={path}: column 1 has no name; name it, or leave it out if it counts the rows",
    ),
    "two of one name": (
        GOOD.replace("a,b", "b,b"), "path={path}: has two columns named b; rename one or leave it out",
    ),
    "no target": (
        GOOD.replace("label", "kind"), "target=label: is not a column of mine.csv; it has a, b, kind",
    ),
    "a misspelt target": (
        GOOD.replace("label", "lable"),
        "target=label: is not a column of mine.csv; did you mean lable? It has a, b, lable",
    ),
    "a target in capitals": (
        GOOD.replace("label", "LABEL"),
        "target=label: is not a column of mine.csv; did you mean LABEL? It has a, b, LABEL",
    ),
    "many columns": (
        ",".join(MANY) + "\n",
        f"target=label: is not a column of mine.csv; it has {', '.join(MANY[:20])} and 3 more",
    ),
    "no feature": (
        "label\n" + "1\n2\n" * 4, "path={path}: has no column but the target; features are needed",
    ),
    "one class": (
        GOOD.replace(",0\n", ",1\n"),
        "target=label: has one class only, 1; there is nothing to tell apart",
    ),
    "one text": (
        "a,label\n" + "1,x\n" * 4, "target=label: has one class only, x; there is nothing to tell apart",
    ),
    "a missing target": (
        GOOD + "1,2,\n3,4,NA\n",
        "target=label: 2 of 10 values are missing (empty, NA, None); drop those rows",
    ),
    "an infinite target": (
        GOOD + "1,2,inf\n3,4,-inf\n", "target=label: 2 of 10 values are infinite; drop those rows",
    ),
    "missing features": (
        GOOD + ",,1\n1,,0\n",
        "path={path}: values are missing in a (1), b (2); drop those rows or fill them in before",
    ),
    "text features": (
        "a,city,label,day\n" + "1,Bern,x,2024-01-01\n2,Rome,y,2024-01-02\n" * 4,
        "path={path}: features must be numbers: encode or leave out "
        "city (text such as 'Bern'), day (text such as '2024-01-01')",
    ),
    "infinite features": (
        GOOD + "inf,1,1\n-inf,2,0\n1,inf,1\n",
        "path={path}: values are infinite in a (2), b (1); drop those rows or bound them before",
    ),
    "lone classes": (
        "a,label\n" + "1,x\n2,y\n" * 4 + "3,z\n4,w\n",
        "target=label: each class needs 2 rows, one to train and one to test; only 1 is of class w, z",
    ),
    "lone numbers": (
        GOOD + "1,2,7\n",
        "target=label: each class needs 2 rows, one to train and one to test; only 1 is of class 7; "
        "or choose task=regression",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_line(tmp_path, case):
    content, message = BROKEN[case]
    path = text(tmp_path, content)
    with pytest.raises(ValueError, match="^" + re.escape(message.format(path=path))) as caught:
        made(path)
    assert "\n" not in str(caught.value)
    if "cannot be read" not in message:
        assert str(caught.value) == message.format(path=path)


def test_a_missing_file_is_named_with_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = f"path=my.csv: no such file; relative paths start at {tmp_path}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        made("my.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=r"^path=folder.csv: no such file"):
        made("folder.csv")


@pytest.mark.parametrize("name", ["mine.xlsx", "mine", "mine.csv.gz"])
def test_another_kind_of_file_is_refused_with_the_kinds_that_are_read(tmp_path, name):
    path = text(tmp_path, GOOD, name)
    message = f"path={path}: must be a CSV or Parquet file, named .csv, .parquet, .pq"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        made(path)


@pytest.mark.parametrize("content", ["", GOOD, "PAR1" + GOOD + "PAR1"])
def test_a_parquet_file_that_is_none_cannot_be_read(tmp_path, content):
    with pytest.raises(ValueError, match=r"^path=.*mine.parquet: cannot be read: .+$") as caught:
        made(text(tmp_path, content, "mine.parquet"))
    assert "\n" not in str(caught.value)


def test_a_parquet_file_may_break_the_same_rules(tmp_path):
    column = pa.array([1.0, 2.0, 3.0, 4.0])
    label = pa.array(["x", "y", "x", "y"])
    path = tmp_path / "mine.pq"
    pq.write_table(pa.table([column, column, label], names=["a", "a", "label"]), path)
    with pytest.raises(ValueError, match="has two columns named a"):
        made(path)
    pq.write_table(pa.table([pa.array([1.0, None, 3.0, 4.0]), label], names=["a", "label"]), path)
    with pytest.raises(ValueError, match=r"values are missing in a \(1\)"):
        made(path)
    pq.write_table(pa.table([column, pa.array(["x", None, "x", "y"])], names=["a", "label"]), path)
    with pytest.raises(ValueError, match="^target=label: 1 of 4 values are missing"):
        made(path)
    dates = pa.array(pd.date_range("2024-01-01", periods=4))
    pq.write_table(pa.table([column, dates, label], names=["a", "day", "label"]), path)
    with pytest.raises(ValueError, match=r"encode or leave out day \(date such as '2024-01-01"):
        made(path)


DATES = {
    "dates": [date(2024, 1, 1 + n % 2) for n in range(8)],
    "times of a day": [datetime(2024, 1, 1 + n % 2, tzinfo=UTC) for n in range(8)],
    "spans of time": [timedelta(n % 2) for n in range(8)],
}


@pytest.mark.parametrize("task", [None, "classification", "regression"])
@pytest.mark.parametrize("case", DATES)
def test_a_date_is_neither_a_number_nor_a_class(tmp_path, case, task):
    path = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"a": range(8), "day": DATES[case]}), path)
    with pytest.raises(ValueError, match=r"^target=day: holds dates such as '.*', neither numbers nor"):
        made(path, "day", task=task)


@pytest.mark.parametrize(("different", "rows"), [(23, 23), (23, 43), (101, 307)])
def test_too_many_different_texts_are_taken_for_an_identifier(tmp_path, different, rows):
    path = written(
        tmp_path, pd.DataFrame({"x": range(rows), "id": [f"p{n % different}" for n in range(rows)]})
    )
    message = f"target=id: holds {different} different texts in {rows} rows, such as 'p0': an identifier"
    with pytest.raises(ValueError, match=f"^{message}"):
        made(path, "id")
    if rows > 2 * different:
        assert len(made(path, "id", task="classification").classes) == different


def test_a_hundred_different_texts_may_be_classes(tmp_path):
    path = written(tmp_path, pd.DataFrame({"x": range(307), "id": [f"p{n % 100}" for n in range(307)]}))
    assert len(made(path, "id").classes) == 100


REGRESSIONS = {
    "text": ("a,label\n" + "1,x\n2,y\n" * 4, "target=label: holds text such as 'x'; a regression needs"),
    "constant": ("a,label\n" + "1,3\n2,3\n" * 4, "target=label: is constant, 3; there is nothing to learn"),
    "constant in training": (
        "a,label\n" + "1,3\n" * 3 + "1,4\n", "seed=1: leaves a constant target to train on; choose another",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REGRESSIONS)
def test_a_regression_needs_numbers_that_vary(tmp_path, case):
    content, message = REGRESSIONS[case]
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        made(text(tmp_path, content), task="regression", seed=1)
