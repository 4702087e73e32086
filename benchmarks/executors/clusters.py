"""Real clusters on this machine alone: SLURM with one node, and Ray with nodes that can be killed."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.stores import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
PLACES = f"{os.environ['PATH']}:/usr/sbin:/sbin"  # where Debian has SLURM's own
SECONDS_TO_START = 30
SECONDS_TO_END = 10
TOKEN = secrets.token_hex(32)  # of Ray's nodes, one for a process: its own code remembers the first

CONFIGURATION = """\
ClusterName=initlab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
KillWait=10
JobRequeue=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class UnavailableError(Exception):
    """Says in a line why a cluster cannot be had here."""


@dataclass(frozen=True)
class Cluster:
    """A cluster: what a command needs in its environment, and in its words, to use it, and what kills a node
    of it when a command works in a folder; one process of it where there is but one node.
    """

    environment: Mapping[str, str]
    words: tuple[str, ...]
    kill_a_node: Callable[[Path], None]


@contextmanager
def slurm(cpus: int = 2) -> Iterator[Cluster]:
    """Gives a SLURM of Debian's packages slurm-wlm and munge: its controller and a node, on loopback, with a
    key and a configuration of its own.

    Raises UnavailableError where it is not installed or does not start.
    """
    if missing := [name for name in PROGRAMS if shutil.which(name, path=PLACES) is None]:
        raise UnavailableError(
            f"SLURM is not installed here: there is no {missing[0]} (Debian: slurm-wlm, munge)"
        )
    if os.geteuid() != 0:
        raise UnavailableError("SLURM's own programs start only as root")
    with tempfile.TemporaryDirectory() as place:
        folder, started = Path(place), list[Any]()
        _configure(folder, cpus)
        environment = {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": PLACES}
        try:
            for program in _programs(folder):
                with (folder / f"{Path(program[0]).name}.out").open("wb") as log:
                    whole = {**os.environ, **environment}
                    started.append(subprocess.Popen(program, env=whole, stdout=log, stderr=log))
            _wait_for_a_node(folder, environment, started)
            words = ("hydra/launcher=stacked_slurm", f"hydra.launcher.array_parallelism={cpus}")
            yield Cluster(environment, words, kill_a_task)
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                _end(process)


def kill_a_task(folder: Path) -> None:
    """Kills a process that trains for submitit, begun in a folder."""
    kill_one("submitit.core._submit", folder)


def kill_one(word: str, folder: Path) -> None:
    """Kills a process of Python that works in a folder of this machine and has a word in its command line."""
    found = psutil.process_iter(["name", "cmdline", "cwd"])
    ours = (one for one in found if one.info["cwd"] == str(folder) and one.info["name"].startswith("python"))
    next(one for one in ours if word in (one.info["cmdline"] or [])).kill()


def _configure(folder: Path, cpus: int) -> None:
    ports = {"controller": free_port(), "node": free_port()}
    said = CONFIGURATION.format(folder=folder, host=socket.gethostname(), cpus=cpus, **ports)
    (folder / "slurm.conf").write_text(said)
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o400)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)  # munge refuses a socket in a folder that others cannot enter


def _programs(folder: Path) -> list[list[str]]:
    kept = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    munge = [f"--{name}={folder}/munge.{end}" for name, end in kept.items()]
    found = {name: str(shutil.which(name, path=PLACES)) for name in PROGRAMS}
    return [
        [found["munged"], "--foreground", "--force", *munge],
        [found["slurmctld"], "-D", "-f", f"{folder}/slurm.conf"],
        [found["slurmd"], "-D", "-f", f"{folder}/slurm.conf", "-N", socket.gethostname()],
    ]


def _wait_for_a_node(folder: Path, environment: Mapping[str, str], started: list[Any]) -> None:
    asked, until = ["sinfo", "--noheader", "--format=%T"], time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and all(process.poll() is None for process in started):
        done = subprocess.run(asked, env={**os.environ, **environment}, capture_output=True, text=True)
        if done.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = (log.read_text().splitlines() for log in sorted(folder.glob("*.log")))
    raise UnavailableError(f"SLURM does not start here: {'; '.join(lines[-1] for lines in logs if lines)}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def ray_nodes(count: int = 2) -> Iterator[Cluster]:
    """Gives a Ray cluster whose nodes are sets of processes of this machine, each with one core, beside a
    head without any. They know each other by a token of their own.
    """
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    with _in_environment(environment):
        from ray.cluster_utils import Cluster as Nodes

        nodes: Any = Nodes(
            initialize_head=True, connect=False, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        try:
            added = [nodes.add_node(num_cpus=1) for _ in range(count)]
            words = ("hydra/launcher=stacked_ray", f"hydra.launcher.address={nodes.address}")
            yield Cluster(
                environment, words, lambda folder: nodes.remove_node(added.pop(), allow_graceful=False)
            )
        finally:
            nodes.shutdown()


@contextmanager
def _in_environment(more: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
