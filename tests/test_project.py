"""The files around the code agree with it and with each other."""

import re
import tomllib

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import initlab
from initlab.config.targets import MOVED

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
GITHUB = ROOT / ".github"
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))


def read_yaml(path):
    return yaml.safe_load(path.read_text())


def test_the_workflow_makes_the_check_on_every_python_that_is_allowed():
    job = read_yaml(GITHUB / "workflows" / "check.yml")["jobs"]["check"]
    allowed = SpecifierSet(PYPROJECT["project"]["requires-python"])
    minors = [f"3.{minor}" for minor in range(40) if f"3.{minor}" in allowed]
    assert job["strategy"]["matrix"]["python"] == minors == ["3.11", "3.12", "3.13", "3.14"]
    used = {step["uses"]: step.get("with", {}) for step in job["steps"] if "uses" in step}
    [setup] = [settings for action, settings in used.items() if action.startswith("actions/setup-python@")]
    assert setup["python-version"] == "${{ matrix.python }}"
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make check"]


def test_the_workflow_uses_githubs_own_actions_and_names_no_host():
    text = (GITHUB / "workflows" / "check.yml").read_text()
    assert all(action.startswith("actions/") for action in re.findall(r"uses: (\S+)", text))
    assert "://" not in text


def test_the_check_builds_the_docs():
    assert re.search(r"^check: .*\bdocs\b", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert read_yaml(ROOT / "mkdocs.yml")["strict"] is True


def test_the_version_is_said_once_and_changelog_and_citation_agree_with_it():
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "initlab.__version__"}
    version, date = re.search(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE).groups()
    citation = read_yaml(ROOT / "CITATION.cff")
    assert initlab.__version__ == version == citation["version"]
    assert date == citation["date-released"]
    assert citation["license"] == PYPROJECT["project"]["license"]


def test_the_changelog_names_every_target_that_has_moved():
    for old, new in MOVED.items():
        assert f"| `{old}.…` | `{new}.…` |" in CHANGELOG


def test_the_lock_names_versions_and_hashes_and_no_address():
    lock = (ROOT / "requirements.lock").read_text()
    entries = lock.replace("\\\n", " ").splitlines()
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9.-]+==\S+( ; [^-]+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", entry), entry
    extras = PYPROJECT["project"]["optional-dependencies"]
    wanted = [
        Requirement(one) for some in (PYPROJECT["project"]["dependencies"], *extras.values()) for one in some
    ]
    for requirement in (one for one in wanted if one.name != "initlab"):
        locked = re.findall(rf"^{re.escape(requirement.name)}==(\S+)", lock, re.MULTILINE)
        assert locked, requirement
        assert all(version in requirement.specifier for version in locked), requirement


def test_hooks_come_from_the_environment_alone():
    config = read_yaml(ROOT / ".pre-commit-config.yaml")
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_each_question_once(path):
    form = read_yaml(path)
    assert form["name"]
    assert form["description"]
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert all(field["attributes"]["label"] for field in form["body"])


def test_the_architecture_page_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {path.parent.name for path in (ROOT / "src" / "initlab").glob("*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
