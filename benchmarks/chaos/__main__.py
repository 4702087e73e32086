"""``make chaos``: sweeps are killed, lose their stores and their disks, and are gone on with; what is lost?

Exits with 1, and says how to see it again, if Initlab lost anything. ``--page`` puts the tables into
docs/reliability.md, where figures of plain Hydra + MLflow stand beside, under the same kills.
"""

import json
import shlex
import signal
import sys
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.generated import replace_block

from .applications import BASIC, INITLAB, JOBLIB, Application
from .campaign import Campaign, disks_can_be_small, keep
from .cases import Wanted
from .stores import STORES
from .tables import by_kind, by_moment, totals
from .trial import Result

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"
WHAT = ("kills", "outages", "disks")


def main(words: list[str]) -> None:
    """Runs the command line."""
    given = options(words)
    hear_signals()
    folder = Path(given.folder or tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    file = given.results or folder / "results.jsonl"
    results: list[Result] = []
    for application, wanted, number in campaigns(given, folder):
        one = Campaign(application, wanted, folder, partial(tell, file, wanted))
        results += one.run(given.only or range(number), given.lanes)
    show(file, given.page)
    if any(result.application == INITLAB.name and result.problems for result in results):
        sys.exit(f"\nThe folders of the cases with problems are in {folder}.")


def options(words: list[str]) -> Namespace:
    """Returns the options of a command line."""
    parser = ArgumentParser(
        "python -m benchmarks.chaos", description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="how many sweeps are killed")
    parser.add_argument("--outages", type=int, default=24, help="how many lose their store for a while")
    parser.add_argument("--disks", type=int, default=6, help="how many have a disk that is too small")
    parser.add_argument("--plain", type=int, default=30, help="how many plain ones, for each launcher")
    parser.add_argument("--seed", type=int, default=1, help="from which all cases follow")
    parser.add_argument("--only", type=int, nargs="+", help="the numbers of the only cases")
    parser.add_argument("--store", nargs="+", default=list(STORES), choices=STORES)
    parser.add_argument("--sweep", nargs="+", default=INITLAB.usual, choices=INITLAB.sweeps)
    parser.add_argument("--lanes", type=int, default=2, help="how many cases at once")
    parser.add_argument("--folder", help="of the cases; one of its own in the temporary folder if not given")
    parser.add_argument("--results", type=Path, help="a file to add the results to, all of which are shown")
    parser.add_argument("--page", action="store_true", help="put the tables into docs/reliability.md")
    return parser.parse_args(words)


def hear_signals() -> None:
    """Lets the commands start with signals as a terminal gives them, even if this one was told to ignore
    some, as in the background.
    """
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, signal.default_int_handler)


def campaigns(given: Namespace, folder: Path) -> Iterator[tuple[Application, Wanted, int]]:
    """Yields which cases are wanted of which application, and how many."""
    for what in WHAT:
        number = getattr(given, what)
        if number and what == "disks" and not disks_can_be_small(folder):
            print("Full disks are left out: this process may not mount any.", file=sys.stderr)
        elif number:
            yield INITLAB, Wanted(given.seed, given.sweep, given.store, what), number
    for application in (BASIC, JOBLIB) if given.plain else ():
        wanted = Wanted(given.seed, application.usual, ["sqlite"], "kills", application.targets)
        yield application, wanted, given.plain


def tell(file: Path, wanted: Wanted, result: Result) -> None:
    """Says what came of a case, and how to see it again where that was not right; keeps it in a file."""
    keep(result, file)
    case = result.case
    blows = "; then ".join(f"{blow.kind}, {blow.moment}" for blow in result.blows)
    first = ", a first start" if case.first else ""
    lines = [f"{result.application} {case.number}: {case.sweep} on {case.store}{first}: {blows}"]
    lines += [f"   {problem}" for problem in result.problems]
    if result.problems and result.application == INITLAB.name:
        lines.append(f"   again: {again(wanted, case.number)}")
    print("\n".join(lines), flush=True)


def again(wanted: Wanted, number: int) -> str:
    """Returns the command that makes a case again."""
    counts = {**dict.fromkeys((*WHAT, "plain"), 0), wanted.what: 1}
    words = [word for what, count in counts.items() for word in (f"--{what}", str(count))]
    drawn = ["--seed", str(wanted.seed), "--only", str(number)]
    among = ["--store", *wanted.stores, "--sweep", *wanted.sweeps]
    return shlex.join(["python", "-m", "benchmarks.chaos", *words, *drawn, *among])


def show(file: Path, page: bool) -> None:
    """Prints the tables of all results in a file, and puts them into the page if that is wanted."""
    results = [json.loads(line) for line in file.read_text().splitlines()]
    ours = [one for one in results if one["application"] == INITLAB.name]
    blocks = [totals(results), *([by_kind(ours), by_moment(ours)] if ours else [])]
    print("", *blocks, sep="\n\n")
    if page:
        replace_block(PAGE, "chaos", "\n\n".join(blocks))


if __name__ == "__main__":
    main(sys.argv[1:])
