"""Passwords in addresses: in the environment and nowhere else."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import environment, run_command, run_python
from stores import execute, running_postgresql

from initlab.errors import TrackingError
from initlab.passwords import has_password, hidden, hidden_in_words, masked, revealed, without_passwords
from initlab.tracking.address import absolute_uri, address_of
from initlab.tracking.store import open_to_read

SHORT = ("train.iterations=5", "plots.frames=0")
HOLDING = "# @package _global_\ntracking:\n  uri: postgresql://ada:s3cret@127.0.0.1:9/runs\n"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test hides in the environment goes with it."""
    monkeypatch.setattr("os.environ", dict(environment()))


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The address, with its password, of a database that asks for it."""
    with running_postgresql() as server:
        execute(f"{server.address}/postgres", "ALTER USER initlab PASSWORD 's3cret/word'")
        rules = Path(server.folder) / "data" / "pg_hba.conf"
        rules.write_text(rules.read_text().replace("trust", "scram-sha-256"))
        server.call("pg_ctl", "reload")
        yield f"{server.address}/template".replace("initlab@", "initlab:s3cret%2Fword@")


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        ("postgresql://u:pass@h/db", "postgresql://u:***@h/db"),
        ("PostgreSQL+psycopg://u:s/x?y@h:5/db?password=zz", "postgresql+psycopg://u:***@h:5/db?password=***"),
        ("http://u:pass@h:5/a@b", "http://u:***@h:5/a@b"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dpass", "mssql+pyodbc:///?odbc_connect=***"),
        ("http://h:5000/a@b", "http://h:5000/a@b"),
        ("sqlite:////a:b@c.db", "sqlite:////a:b@c.db"),
        ("postgresql://u:${oc.env:PASSWORD}@h/d", "postgresql://u:${oc.env:PASSWORD}@h/d"),
    ],
)
def test_an_address_is_shown_without_its_password_and_found_again(whole, shown):
    assert masked(whole) == hidden(whole) == masked(shown) == shown
    assert revealed(shown).lower() == whole.lower()
    assert has_password(whole) == ("***" in shown)


def test_words_of_a_command_line_lose_their_passwords_whatever_their_quotes():
    words = [
        r"tracking.uri=postgresql://u:s3c\,ret@h/db",
        "+tracking.uri='postgresql://u:s3c,ret@h/db2'",
        "tracking={uri:postgresql://u:s3cret@h/db3,every:1}",
        "init=he",
    ]
    assert hidden_in_words(words) == [
        "tracking.uri=postgresql://u:***@h/db",
        "+tracking.uri='postgresql://u:***@h/db2'",
        "tracking={uri:postgresql://u:***@h/db3,every:1}",
        "init=he",
    ]
    assert revealed("postgresql://u:***@h/db") == "postgresql://u:s3c,ret@h/db"
    assert revealed("postgresql://u:***@h/db2") == "postgresql://u:s3c,ret@h/db2"


def test_a_password_that_is_known_is_taken_out_of_any_message():
    hidden("postgresql://u:s3c%2Fret@h/db")
    said = without_passwords("http://u:pass@h/x: password s3c/ret (s3c%2Fret) is wrong")
    assert said == "http://u:***@h/x: password *** (***) is wrong"


def test_a_password_that_is_not_known_is_asked_for(tmp_path):
    with pytest.raises(TrackingError, match=r"its password is not known; set MLFLOW_TRACKING_URI"):
        open_to_read("postgresql+psycopg://u:***@h/never")


def test_an_address_for_browsers_holds_no_password_at_all(tmp_path):
    uri = absolute_uri("HTTP://ada:s3cret@127.0.0.1:5000", tmp_path)
    assert uri == "http://ada:***@127.0.0.1:5000"
    assert address_of(uri, "1").startswith("http://ada@127.0.0.1:5000/#/")


def test_a_sweep_with_a_typed_password_leaves_it_nowhere(guarded, tmp_path):
    done = run_command("-m", "seed=1,2", *SHORT, f"tracking.uri={guarded}", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert without_passwords(guarded) in done.stdout + done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"multirun.yaml", "overrides.yaml", "outcome.json", "config.yaml", "runs.csv"} <= {
        path.name for path in written
    }
    assert not any(b"s3cret" in path.read_bytes() for path in written)
    assert "s3cret" not in done.stdout + done.stderr
    with sa.create_engine(guarded, poolclass=sa.NullPool).connect() as connection:
        for table in ("runs", "tags", "params", "experiments", "experiment_tags"):
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()
            assert rows
            assert "s3cret" not in str(rows)


def test_a_report_takes_the_password_from_the_environment_and_says_what_is_missing(guarded, tmp_path):
    def report(**changes: str) -> subprocess.CompletedProcess[str]:
        code = "from initlab.terminal.report import main; main()"
        return run_python("-c", code, f"uri={masked(guarded)}", "experiment=none", folder=tmp_path, **changes)

    without = report()
    assert without.returncode == 1
    assert "its password is not known; set MLFLOW_TRACKING_URI" in without.stderr
    given = report(MLFLOW_TRACKING_URI=guarded)
    assert "experiment" in given.stderr
    assert "password" not in given.stderr
    wrong = report(MLFLOW_TRACKING_URI=guarded.replace("s3cret", "s3cres"))
    assert "password authentication failed" in wrong.stderr
    assert "s3cre" not in wrong.stderr


@pytest.mark.parametrize("words", [(), ("-m", "hydra/launcher=basic", "seed=1"), ("-m", "seed=1,2")])
def test_a_config_file_that_holds_a_password_is_refused_before_anything_is_written(tmp_path, words):
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "guarded.yaml").write_text(HOLDING)
    done = run_command("--config-dir=mine", *words, "experiment=guarded", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "tracking.uri=postgresql://ada:***@127.0.0.1:9/runs: holds a password; "
        "set MLFLOW_TRACKING_URI to the whole address instead\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
