"""What comes from others is shown as text and never executed, and nothing of the user's leaks."""

import ast
import http.client
import json
import re
from urllib.parse import urlparse

import pytest
from conftest import ROOT, mlflow_server

import initlab
from initlab.errors import InitlabError
from initlab.markup import code, escaped
from initlab.report.latex import escaped as escaped_for_latex
from initlab.terminal import resume
from tools.audit import report_of

HOSTILE = [
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)", r"\input{/etc/passwd}", "`rm -rf`", "a | b", r"\<script>",
    "<https://evil.example>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_the_texts_of_others_as_they_are(text):
    safe = escaped(text)
    assert not re.search(r"(?<!\\)(\\\\)*[<|`]", safe)  # every one has an odd number of backslashes before it
    assert "](" not in safe
    assert re.sub(r"\\(.)", r"\1", safe) == text


def test_code_ends_where_it_should():
    assert code("initlab -m") == "`initlab -m`"
    assert code("a `b` ``c``") == "``` a `b` ``c`` ```"


@pytest.mark.parametrize("text", HOSTILE)
def test_latex_has_no_command_of_others(text):
    ours = r"\\(textbackslash|textless|textgreater|textbar|textasciitilde|textasciicircum)\{\}|\\[&%$#_{}]"
    assert not set(re.sub(ours, "", escaped_for_latex(text).removeprefix("{}"))) & set("\\{}$&#^_%~")


def test_a_report_shows_hostile_names_as_text(folder, monkeypatch):
    monkeypatch.chdir(folder)
    rows = "".join(f"{i},{i * 7 % 5},{('<script>p', '</script>n')[i % 2]}\n" for i in range(40))
    (folder / "mine.csv").write_text(f"<script>a,b,y\n{rows}")
    sweep = initlab.sweep(
        "seed=1,2", "dataset=table", "dataset.path=mine.csv", "dataset.target=y",
        "tracking.experiment='<script>x'", "+note='<img src=x>','[x](javascript:y)'",
        train={"iterations": 3}, plots={"frames": 0},
    )  # fmt: skip
    assert not sweep.failed
    page = next(folder.rglob("report.html")).read_text()
    for hostile in ("<script>p", "<script>a", "<script>x", "<img src=x>"):
        assert hostile not in page
    code_or_text = next(folder.rglob("report.md")).read_text()
    markdown = re.sub(r"(?<!\\)(`+)[^`].*?\1", "", code_or_text)
    assert "](javascript:" not in markdown
    assert not re.search(r"(?<!\\)<(img|script)", markdown)
    assert "<img src=x>" not in sweep._repr_html_()


def test_arrays_are_read_without_pickles_and_yaml_safely():
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "np.save", "np.savez"):
                assert "allow_pickle=False" in ast.unparse(node), path
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "yaml.load":
                assert ast.unparse(node.args[1]) in ("LOADER", "_Loader"), path


def test_the_ui_answers_no_page_of_somebody_else(folder):
    with mlflow_server(folder) as address:
        for host, status in (("evil.example", 403), (urlparse(address).netloc, 200)):
            connection = http.client.HTTPConnection(urlparse(address).netloc, timeout=20)
            connection.request("GET", "/", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


def test_nothing_of_the_environment_is_written(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-write-this")
    initlab.run(train={"iterations": 3}, plots={"frames": 0})
    for path in folder.rglob("*"):
        assert not path.is_file() or b"do-not-write-this" not in path.read_bytes(), path


@pytest.mark.parametrize(
    "word", ["--config-dir", "hydra.launcher._target_=x", "+hydra.callbacks.x._target_=y", "hydra/launcher=z"]
)
def test_a_command_from_a_store_cannot_set_hydra_up(tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("initlab.tracking.reading.command_of_sweep", lambda *of: f"initlab -m seed=1 {word}")
    with pytest.raises(InitlabError, match="which is taken from no store"):
        resume._from_the_store("theirs")


def test_an_audit_says_what_it_looked_up_and_whether_it_could():
    skipped = {"name": "a", "skip_reason": "not found"}
    weak = {"name": "b", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    sound = {"name": "c", "version": "1", "vulns": []}
    unreachable = (0, ["Nothing was audited: the advisories' service cannot be reached."])
    assert report_of("") == report_of(json.dumps({"dependencies": [skipped]})) == unreachable
    code, said = report_of(json.dumps({"dependencies": [skipped, sound]}))
    assert (code, said) == (0, ["0 known weaknesses in 1 of 2 packages that were looked up."])
    code, said = report_of(json.dumps({"dependencies": [weak, sound]}))
    assert code == 1
    assert said[0].startswith("b 1: CVE-1, mended in")
