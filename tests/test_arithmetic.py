"""What a run's last bits depend on, as tags."""

import platform
import re
import subprocess

import pytest

from initlab.runs import arithmetic
from initlab.runs.arithmetic import arithmetic_tags


@pytest.fixture(autouse=True)
def anew():
    arithmetic._processor.cache_clear()
    yield
    arithmetic._processor.cache_clear()


def test_the_tags_name_the_machine_and_what_multiplies(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    tags = arithmetic_tags(1)
    assert list(tags) == ["blas", "simd", "cpu", "os"]
    assert re.fullmatch(r".+ \S+, 1 thread", tags["blas"])
    assert arithmetic_tags(2)["blas"] == tags["blas"].replace("1 thread", "2 threads")
    assert tags["os"] == platform.platform()
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        listed = subprocess.run(
            ["grep", "-m1", "model name", "/proc/cpuinfo"], capture_output=True, text=True
        )
        assert tags["cpu"] == listed.stdout.partition(":")[2].strip()


@pytest.mark.parametrize(("name", "more"), [("Haswell", {"openblas_coretype": "Haswell"}), ("", {})])
def test_a_kernel_that_is_set_is_told(monkeypatch, name, more):
    monkeypatch.setenv("OPENBLAS_CORETYPE", name)
    tags = arithmetic_tags(1)
    assert {key: tags[key] for key in tags if key == "openblas_coretype"} == more


@pytest.mark.parametrize("text", ["", "processor : 0\nmodel name :\n", None])
def test_a_processor_that_has_no_name_is_known_by_its_architecture(monkeypatch, tmp_path, text):
    monkeypatch.setattr(arithmetic, "CPUINFO", tmp_path / "cpuinfo")
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert arithmetic._processor() == "riscv64"
