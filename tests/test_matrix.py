"""The table that `make matrix` ends with: what passed, failed and was skipped, in 80 columns."""

from collections import Counter

import pytest
from conftest import ROOT, run_python

from tools import matrix
from tools.matrix import Counts, Outcome, Setting, count, main, settings

THREE_WAYS = """
import pytest

def test_that_passes(): pass
@pytest.mark.parametrize("number", [2, 3, 5])
def test_that_fails(number): assert number == 3
@pytest.fixture
def broken(): raise OSError("no disk")
def test_that_cannot_begin(broken): pass
@pytest.mark.skip(reason="SLURM cannot start here")
def test_that_is_skipped(): pass
"""
VERSIONS = ("3.11.7", "3.17.2", "1.3.8", "2.4.6", "1.17.1")


@pytest.fixture
def tested(monkeypatch):
    """Gives a function that has the matrix come to given outcomes."""

    def give(*outcomes: Outcome) -> list[str]:
        made = {outcome.setting.name: outcome for outcome in outcomes}
        monkeypatch.setattr(matrix, "run", lambda setting: made[setting.name])
        return list(made)

    return give


def named(name: str) -> Setting:
    return next(one for one in settings() if one.name == name)


def passed(name: str, *failed: str, **skipped: int) -> Outcome:
    return Outcome(named(name), Counts(541, failed, Counter(skipped)), VERSIONS, 8.6)


def test_what_pytest_reports_is_counted_with_names_and_reasons(tmp_path):
    (tmp_path / "test_three.py").write_text(THREE_WAYS)
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=tests.xml", "test_three.py")
    assert run_python(*words, folder=tmp_path).returncode == 1
    tests = count((tmp_path / "tests.xml").read_text())
    assert tests.passed == 2
    assert tests.failed == tuple(
        f"test_three.test_that_{end}" for end in ("fails[2]", "fails[5]", "cannot_begin")
    )
    assert tests.skipped == {"SLURM cannot start here": 1}


def test_the_table_has_a_row_for_each_setting_and_says_what_was_skipped_and_why(tested, capsys):
    why = "cannot be installed: " + "because nothing has a wheel for it and " * 5
    names = tested(
        passed("3.11", PostgreSQL=2), Outcome(named("3.14"), why=why), passed("lowest", **{"no Ray": 3})
    )
    assert main(names) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "setting  Python   mlflow hydra-core  numpy   scipy  passed failed skipped min",
        "3.11     3.11.7   3.17.2      1.3.8  2.4.6  1.17.1     541      0       2   9",
        "3.14     skipped: cannot be installed: because nothing has a wheel for it and",
    ]
    assert lines[-2:] == ["Skipped tests (2 with 3.11): PostgreSQL", "Skipped tests (3 with lowest): no Ray"]
    assert max(map(len, lines)) <= 80


def test_a_test_that_fails_is_named_and_the_matrix_fails(tested, capsys):
    name = "tests.test_launching.TestHydrasLauncherSuite." + "a_name_that_is_a_sentence" * 3
    names = tested(passed("3.12"), passed("3.13", name))
    assert main(names) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "Failed with 3.13 (all that was said is in .matrix/3.13/tests.txt):"
    assert lines[4].strip() == name  # unbroken, so that it can be copied


def test_a_matrix_in_which_nothing_ran_has_not_passed(tested):
    assert main(tested(Outcome(named("3.14"), why="there is no Python 3.14 here"))) == 1


def test_an_unknown_setting_is_refused_and_the_known_ones_are_named(capsys):
    assert main(["3.12", "3.10"]) == 2
    assert capsys.readouterr().err == (
        "3.10: no setting of the matrix; there are 3.11, 3.12, 3.13, 3.14, mlflow, lowest\n"
    )


def test_a_python_that_is_not_here_is_skipped(monkeypatch):
    outcome = matrix.run(Setting("3.99", "3.99"))
    assert outcome == Outcome(Setting("3.99", "3.99"), why="there is no Python 3.99 here")


def test_the_telling_tests_exist():
    assert [name for name in matrix.TELLING if not (ROOT / f"tests/test_{name}.py").exists()] == []
