import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import runs_of
from sklearn.preprocessing import StandardScaler

import initlab
from initlab.datasets import table
from initlab.datasets.dataset import split
from initlab.datasets.preparation import Filled

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


def made(path, target="label", test_share=0.3, task=None, seed=7, **settings):
    return table(path=str(path), target=target, test_share=test_share, task=task, seed=seed, **settings)


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
    train, _, test = split(y, 0.3, 7)
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
        train, _, _ = split(np.array([classes.index(one) for one in spelled]), 0.3, 7)
        found = data.Y_train[0] if task == "binary" else data.Y_train.argmax(axis=0)
        assert [classes[int(n)] for n in found] == [spelled[n] for n in train]
        if task == "classes":
            np.testing.assert_array_equal(data.Y_train.sum(axis=0), 1)


def test_a_regressions_target_is_standardised_by_the_training_part(tmp_path):
    y = RNG.standard_normal(M) * 3 + 11
    data = made(written(tmp_path, FRAME.drop(columns="label").assign(y=y)), "y")
    train, _, test = split(np.zeros(M, int), 0.3, 7)
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
        "target=label: 2 of 10 values are missing (empty, NA, None); "
        "dataset.missing=drop leaves their rows out",
    ),
    "an infinite target": (
        GOOD + "1,2,inf\n3,4,-inf\n", "target=label: 2 of 10 values are infinite; drop those rows",
    ),
    "missing features": (
        GOOD + ",,1\n1,,0\n",
        "path={path}: values are missing in a (1), b (2); choose dataset.missing=drop to leave those rows "
        "out or dataset.missing=median to fill them in",
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
    with pytest.raises(ValueError, match=r"^path=folder.csv: is no file"):
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
    with pytest.raises(ValueError, match=r"unlike day \(date such as '2024-01-01.*: dataset.drop=\[day\]$"):
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


CITIES = ["Bern", "Rome", "Oslo"]


def shop(folder, m=61, **columns):
    rng = np.random.RandomState(3)
    frame = pd.DataFrame(
        {
            "age": rng.randint(18, 80, m).astype(float),
            "city": [CITIES[n % 3] for n in range(m)],
            "income": rng.lognormal(10, 0.4, m),
            "label": np.where(np.arange(m) % 2, "yes", "no"),
            **columns,
        }
    )
    return frame, written(folder, frame)


def test_a_text_column_becomes_a_feature_for_each_category(tmp_path):
    frame, path = shop(tmp_path)
    data = made(path)
    train, _, test = split((frame["label"] == "yes").to_numpy(int), 0.3, 7)
    assert data.features == ("age", "city=Bern", "city=Oslo", "city=Rome", "income")
    for X, part in ((data.X_train, train), (data.X_test, test)):
        for row, city in zip(X[1:4], sorted(CITIES), strict=True):
            np.testing.assert_array_equal(row, frame["city"].to_numpy()[part] == city)
    scaler = StandardScaler().fit(frame[["age", "income"]].to_numpy()[train])
    numbers = scaler.transform(frame[["age", "income"]].to_numpy()[test]).T
    np.testing.assert_allclose(data.X_test[[0, 4]], numbers, rtol=0, atol=1e-13)
    prepared = data.preparation
    assert prepared.categories == {"city": ("Bern", "Oslo", "Rome")}
    np.testing.assert_allclose([*prepared.scales["age"]], [scaler.mean_[0], scaler.scale_[0]], rtol=1e-12)
    assert prepared.words == (
        "Text became one feature of 0 and 1 for each category: city (Bern, Oslo, Rome)."
    )
    assert json.loads(prepared.json)["features"] == [*data.features]


def test_a_table_of_numbers_has_nothing_to_say_of_its_preparation(tmp_path):
    data = made(written(tmp_path, FRAME))
    assert data.preparation.words == ""
    assert data.preparation.classes == ("no", "yes")
    assert set(data.preparation.scales) == {"height", "count", "member"}


@pytest.mark.parametrize("name", ["mine.csv", "mine.pq"])
def test_gaps_are_filled_by_what_the_training_part_holds(tmp_path, name):
    frame, _ = shop(tmp_path, member=[None if n % 7 == 0 else n % 4 != 1 for n in range(61)])
    frame.loc[[1, 5, 30], "age"] = np.nan
    frame.loc[[2, 8], "city"] = np.nan
    data = made(written(tmp_path, frame, name), missing="median")
    train, _, test = split((frame["label"] == "yes").to_numpy(int), 0.3, 7)
    median = frame["age"].iloc[train].median()
    city = frame["city"].iloc[train].value_counts().idxmax()
    age = frame["age"].fillna(median).to_numpy()
    mean, std = age[train].mean(), age[train].std()
    np.testing.assert_allclose(data.X_train[0], (age[train] - mean) / std, rtol=0, atol=1e-13)
    np.testing.assert_allclose(data.X_test[0], (age[test] - mean) / std, rtol=0, atol=1e-13)
    cities = frame["city"].fillna(city).to_numpy()
    np.testing.assert_array_equal(data.X_test[1], cities[test] == "Bern")
    member = frame["member"].isna() | frame["member"].eq(True)  # most are members
    known = data.X_train[-1] > 0
    np.testing.assert_array_equal(known, member.to_numpy()[train])
    assert data.preparation.filled == {
        "age": Filled(median, 3), "city": Filled(city, 2), "member": Filled(1.0, 9),
    }  # fmt: skip
    assert f"age by {median:g} (3), city by {city} (2), member by 1 (9)." in data.preparation.words


def test_rows_with_gaps_may_be_left_out_and_are_counted(tmp_path):
    frame, _ = shop(tmp_path)
    frame.loc[[1, 5, 30], "age"] = np.nan
    frame.loc[[5, 8], "city"] = np.nan
    frame.loc[[60], "label"] = np.nan
    path = written(tmp_path, frame)
    data, whole = made(path, missing="drop"), made(written(tmp_path, frame.dropna(), "whole.csv"))
    np.testing.assert_array_equal(data.X_train, whole.X_train)
    np.testing.assert_array_equal(data.Y_test, whole.Y_test)
    assert data.preparation.incomplete_rows == 5
    assert data.preparation.words.startswith("5 rows lack a value and are left out. Text became")
    filled = made(path, missing="median")
    assert filled.X_train.shape[1] + filled.X_test.shape[1] == 60
    assert filled.preparation.words.startswith("1 row lacks a value and is left out. Missing values")


def test_a_category_that_the_training_part_has_not_is_0_everywhere_and_said(tmp_path):
    frame, _ = shop(tmp_path)
    _, _, test = split((frame["label"] == "yes").to_numpy(int), 0.3, 7)
    frame.loc[test[[2, 4]], "city"] = "Lima"
    frame.loc[test[3], "city"] = "Quito"
    data = made(written(tmp_path, frame))
    assert "city=Lima" not in data.features
    np.testing.assert_array_equal(np.flatnonzero(data.X_test[1:4].sum(axis=0) == 0), [2, 3, 4])
    assert data.preparation.unknown == {"city": {"Lima": 2, "Quito": 1}}
    assert data.preparation.words.endswith(
        "Categories that the training part does not have are 0 in all features: city (Lima, Quito; 3 "
        "examples)."
    )


def test_columns_may_be_left_out(tmp_path):
    _, path = shop(tmp_path, id=[f"p{n}" for n in range(61)])
    data = made(path, drop=("id", "income"))
    assert data.features == ("age", "city=Bern", "city=Oslo", "city=Rome")
    assert data.preparation.words.startswith("Left out of mine.csv: id, income. ")


DAYS = [str(day)[:10] for day in pd.date_range("2024-01-01", periods=61)]
TEXTS = {
    "an identifier": (
        [f"p{n}" for n in range(61)],
        "odd holds 61 different texts in 61 rows, such as 'p0': an identifier, it seems, not categories; "
        "make fewer of them",
    ),
    "dates": (DAYS, "odd holds dates such as '2024-01-01'; make numbers of them"),
    "few dates": (
        ["1.2.2024", "2/3/2025"] * 30 + ["1.2.24"],
        "odd holds dates such as '1.2.2024'; make numbers of them",
    ),
    "decimal commas": (
        ["1,5", "2", "-0,25"] * 20 + ["3"],
        "odd holds numbers with decimal commas such as '1,5'; write them with points",
    ),
    "numbers with marks of gaps": (
        ["3", "?", "4.5", "1e3"] * 15 + ["7"],
        "odd holds numbers, but in 15 of 61 rows texts such as '?'; mend it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_texts_that_are_no_categories_are_refused_by_column_and_can_be_left_out(tmp_path, case):
    texts, what = TEXTS[case]
    _, path = shop(tmp_path, odd=texts)
    with pytest.raises(ValueError, match="odd") as caught:
        made(path)
    assert str(caught.value) == f"path={path}: {what}, or leave it out: dataset.drop=[odd]"
    assert "odd" not in made(path, drop=("odd",)).features


@pytest.mark.parametrize(("different", "rows", "fits"), [(100, 307, True), (101, 307, False), (30, 60, True),
                                                         (31, 61, False)])  # fmt: skip
def test_a_text_column_may_have_100_values_but_no_more_than_half_as_many_as_rows(
    tmp_path, different, rows, fits
):
    _, path = shop(tmp_path, rows, kind=[f"k{n % different}" for n in range(rows)])
    if fits:
        assert sum(name.startswith("kind=") for name in made(path).features) <= different
    else:
        with pytest.raises(ValueError, match=f"kind holds {different} different texts in {rows} rows"):
            made(path)


DROPS = {
    "no column": (["ag"], r"^drop=ag: is not a column of mine.csv; did you mean age\? It has age, city"),
    "the target": (["label"], "^drop=label: is the target"),
    "everything": (["age", "city", "income"], "has no column but the target; features are needed"),
}


@pytest.mark.parametrize("case", DROPS)
def test_what_cannot_be_left_out_is_refused(tmp_path, case):
    drop, message = DROPS[case]
    _, path = shop(tmp_path)
    with pytest.raises(ValueError, match=message):
        made(path, drop=drop)


def test_too_many_gaps_are_refused_in_one_line(tmp_path):
    _, path = shop(tmp_path, odd=[np.nan] * 61)
    with pytest.raises(ValueError, match=r"values are missing in odd \(61\)"):
        made(path)
    with pytest.raises(ValueError, match="has no rows where nothing is missing, of 61; at least 4"):
        made(path, missing="drop")
    with pytest.raises(ValueError, match=r"odd has no value in the training part .* dataset.drop=\[odd\]$"):
        made(path, missing="median")


SEPARATED = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@pytest.mark.parametrize("name", SEPARATED)
def test_the_separator_is_found_or_given(tmp_path, name):
    frame, path = shop(tmp_path)
    frame = frame.rename(columns={"city": "city, or town; if | any"}).assign(
        note=["a,b", "c;d|e", "f"] * 20 + ["f"]
    )
    other = tmp_path / "other.csv"
    frame.to_csv(path, index=False)
    frame.to_csv(other, index=False, sep=SEPARATED[name])
    expected = made(path)
    for separator in (None, name, SEPARATED[name]):
        data = made(other, separator=separator)
        np.testing.assert_array_equal(data.X_train, expected.X_train)
        assert data.features == expected.features


def test_a_wrong_separator_is_refused(tmp_path):
    _, path = shop(tmp_path)
    with pytest.raises(ValueError, match=r"^separator=tab: makes one column of .*mine.csv, 'age,city"):
        made(path, separator="tab")


def test_a_decimal_comma_beside_semicolons_does_not_hide_the_separator(tmp_path):
    rows = "".join(f"{n},5;{n % 3},25;{'yes' if n % 2 else 'no'}\n" for n in range(8))
    with pytest.raises(ValueError, match="a holds numbers with decimal commas such as '0,5'"):
        made(text(tmp_path, "a;b;label\n" + rows))


def test_the_validation_part_is_taken_out_of_the_training_part(tmp_path):
    frame, path = shop(tmp_path)
    data, without = made(path, validation_share=0.2), made(path)
    train, validation, test = split((frame["label"] == "yes").to_numpy(int), 0.3, 7, 0.2)
    np.testing.assert_array_equal(test, split((frame["label"] == "yes").to_numpy(int), 0.3, 7).test)
    np.testing.assert_array_equal(data.Y_test, without.Y_test)
    ages = frame["age"].to_numpy()
    expected = (ages[validation] - ages[train].mean()) / ages[train].std()
    np.testing.assert_allclose(data.X_validation[0], expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(data.Y_validation[0], (frame["label"] == "yes").to_numpy()[validation])
    assert without.X_validation is None


def test_the_command_says_what_became_of_a_table(command, client, folder):
    frame, _ = shop(folder, id=[f"p{n}" for n in range(61)])
    frame.loc[[1, 5], "city"] = np.nan
    frame.to_csv(folder / "shop.csv", index=False, sep=";")
    table = ("dataset=table", "dataset.path=shop.csv", "dataset.target=label", "train.iterations=20")
    refused = command(*table)
    assert refused.returncode == 1
    assert refused.stderr.startswith("dataset: path=shop.csv: values are missing in city (2)")
    assert len(refused.stderr.splitlines()) == 1
    chosen = ("dataset.drop=[id]", "dataset.missing=median", "dataset.validation_share=0.2")
    done = command(*table, *chosen)
    assert done.returncode == 0, done.stderr
    assert "validation accuracy" in done.stdout
    [run] = runs_of(client)
    assert "**The table.** Left out of shop.csv: id. Missing values" in run.data.tags["mlflow.note.content"]
    assert "city (Bern, Oslo, Rome)" in run.data.tags["mlflow.note.content"]
    kept = json.loads(Path(client.download_artifacts(run.info.run_id, "preprocessing.json")).read_text())
    assert kept["categories"] == {"city": ["Bern", "Oslo", "Rome"]}
    assert 0 <= run.data.metrics["accuracy/validation"] <= 1


def test_the_pictures_of_a_run_have_the_names_and_units_of_its_table(folder, monkeypatch):
    monkeypatch.chdir(folder)
    rng = np.random.RandomState(3)
    size = rng.uniform(20, 150, 61)
    frame = pd.DataFrame(
        {"size": size, "rent": 15 * size + rng.randn(61) * 50, "label": ["f", "m"] * 30 + ["f"]}
    )
    frame.to_csv("rent.csv", index=False)
    table = ("dataset=table", "dataset.path=rent.csv", "train.iterations=20", "plots.frames=1")
    run = initlab.run(*table, "dataset.target=rent", "dataset.drop=[label]")
    for one in (run, initlab.load(run.run_id)):
        ax = one.plot_boundary()
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("size", "rent")
        [points] = ax.lines
        drawn = (points.get_transform() - ax.transData).transform(points.get_xydata())
        found = {(round(x, 6), round(y, 6)) for x, y in drawn}
        assert found < {(round(x, 6), round(y, 6)) for x, y in frame[["size", "rent"]].to_numpy()}
        assert one.boundary.png == run.boundary.png
    two = initlab.run(*table, "dataset.target=label", "tracking.uri=null").plot_boundary()
    assert (two.get_xlabel(), two.get_ylabel()) == ("size", "rent")
    assert {text.get_text() for text in two.figure.axes[1].texts} == {"f", "m"}
    assert size.min() > two.get_xlim()[0] > 0
