"""The files of examples/compose: as far as a machine without Docker can tell, they say what exists."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, run_python

FOLDER = ROOT / "examples" / "compose"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]


@cache
def help_of(*command: str) -> str:
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run([program, *command[1:], "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("service", [name for name, one in SERVICES.items() if "command" in one])
def test_each_option_of_a_services_command_exists(service):
    program, verb, *words = shlex.split(SERVICES[service]["command"])
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert options
    assert options <= set(re.findall(r"--[a-z-]+", help_of(program, verb)))


def test_services_are_reached_only_from_this_machine_and_hold_no_password():
    ports = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert ports == ["127.0.0.1:5000:5000"]
    text = (FOLDER / "compose.yaml").read_text()
    for name in ("POSTGRES_PASSWORD", "RAY_AUTH_TOKEN"):
        assert re.search(rf"\${{{name}:\?", text)
        assert f"\n{name}=\n" in (FOLDER / ".env.example").read_text()


def test_services_depend_on_services_and_mount_volumes_that_there_are():
    whole = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    for one in SERVICES.values():
        assert set(one.get("depends_on", ())) <= SERVICES.keys()
        sources = {volume.partition(":")[0] for volume in one.get("volumes", ())}
        assert {source for source in sources if not source.startswith(".")} <= whole["volumes"].keys()
    assert (FOLDER / SERVICES["mlflow"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / SERVICES["mlflow"]["build"]["dockerfile"]).is_file()


def test_the_command_that_the_readme_types_is_one_of_initlabs(tmp_path):
    found = re.search(r"exec head initlab (.*?)\n```", (FOLDER / "README.md").read_text(), re.DOTALL)
    assert found is not None
    words = shlex.split(found[1].replace("\\\n", " "))
    store = "tracking.uri=http://127.0.0.1:9"
    done = run_python("-m", "initlab", *words, store, "dry_run=true", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "60 jobs" in done.stdout
