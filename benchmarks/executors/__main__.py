"""``make bench-executors``: one sweep in processes, on Ray, by submitit alone and by SLURM, each on
PostgreSQL, undisturbed and with a node or process killed in the middle. Is a job lost, doubled, or other in
any bit?

``--page`` puts the table into docs/scale.md. Exits with 1 if anything was lost or differs.
"""

import sys
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.chaos.stores import PostgreSQL, postgresql
from tools.generated import replace_block, table

from .clusters import Cluster, UnavailableError, kill_a_task, kill_one, ray_nodes, slurm
from .trial import Result, Trial

PAGE = Path(__file__).parent.parent.parent / "docs" / "scale.md"
LOCAL = ("hydra/launcher=stacked_slurm", "hydra.launcher.cluster=local")
HEAD = (
    "executor", "killed in the middle", "jobs", "FINISHED once", "lost", "doubled", "other bits",
    "left RUNNING", "tried again", "seconds",
)  # fmt: skip
KINDS = ("processes", "Ray, two nodes", "submitit, local", "SLURM")


def main() -> None:
    """Runs the command line."""
    parser = ArgumentParser(
        "python -m benchmarks.executors", description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--iterations", type=int, default=1500)
    parser.add_argument("--only", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--page", action="store_true", help="put the table into docs/scale.md")
    given = parser.parse_args()
    with ExitStack() as stack:
        store = stack.enter_context(postgresql())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="executors-")))
        results = list(trials(store, folder, given.jobs, given.iterations, given.only))
    said = table(HEAD, [result.row for result in results])
    print(said)
    if given.page:
        replace_block(PAGE, "executors", said)
    if any(result.problems for result in results):
        sys.exit("Something was lost, doubled or differs.")


def trials(store: PostgreSQL, folder: Path, jobs: int, iterations: int, only: list[str]) -> Iterator[Result]:
    """Yields what came of each sweep; the first is what the others are compared with."""
    first = Trial(store, folder, jobs, iterations).run(
        "processes", Cluster({}, (), lambda folder: None), kill=False
    )
    yield first
    for kind in only:
        for kill in (False, True):
            if (kind, kill) == ("processes", False):
                continue
            try:
                with ExitStack() as stack:
                    cluster = _cluster(kind, stack)
                    trial = Trial(store, folder, jobs, iterations, first)
                    result = trial.run(kind, cluster, kill)
            except UnavailableError as error:
                print(f"{kind}: left out. {error}", file=sys.stderr)
                break
            print(*result.row, sep=" | ", file=sys.stderr, flush=True)
            yield result


def _cluster(kind: str, stack: ExitStack) -> Cluster:
    if kind == "Ray, two nodes":
        return stack.enter_context(ray_nodes(2))
    if kind == "SLURM":
        return stack.enter_context(slurm())
    if kind == "submitit, local":
        return Cluster({}, LOCAL, kill_a_task)
    return Cluster({}, ("hydra.launcher.n_jobs=2",), partial(kill_one, "--multiprocessing-fork"))


if __name__ == "__main__":
    main()
