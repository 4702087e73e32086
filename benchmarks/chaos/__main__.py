"""``make chaos``: sweeps are killed, lose their stores and their disks, and are gone on with; what is lost?

Exits with 1 and a command for each case in which anything was. ``--page`` puts the tables into
docs/reliability.md.
"""

import json
import shlex
import signal
import sys
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from tools.generated import replace_block

from .applications import APPLICATIONS
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
    given.results = given.results or folder / "results.jsonl"
    broken = []
    for name in given.application:
        for what in WHAT:
            broken += [one for one in campaign(given, name, what, folder) if one.problems]
    show(given)
    if broken:
        print(f"\nThe folders of Initlab's cases with problems are in {folder}.")
    sys.exit(any(one.application == "initlab" for one in broken))


def options(words: list[str]) -> Namespace:
    """Returns the options of a command line."""
    parser = ArgumentParser(
        "python -m benchmarks.chaos", description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--application", nargs="+", default=["initlab"], choices=APPLICATIONS)
    parser.add_argument("--kills", type=int, default=200, help="how many sweeps are killed")
    parser.add_argument("--outages", type=int, default=24, help="how many lose their store for a while")
    parser.add_argument("--disks", type=int, default=6, help="how many have a disk that is too small")
    parser.add_argument("--seed", type=int, default=1, help="from which all cases follow")
    parser.add_argument("--only", type=int, nargs="+", help="the numbers of the only cases")
    parser.add_argument("--store", nargs="+", default=list(STORES), choices=STORES)
    parser.add_argument("--sweep", nargs="+", help="which of the application's sweeps, if not its usual ones")
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


def campaign(given: Namespace, name: str, what: str, folder: Path) -> list[Result]:
    """Returns what came of all cases of an application of one of the three kinds."""
    number = getattr(given, what)
    if not number:
        return []
    if what == "disks" and not disks_can_be_small(folder):
        print("Full disks are left out: this process may not mount any.", file=sys.stderr)
        return []
    application = APPLICATIONS[name]
    wanted = Wanted(given.seed, given.sweep or application.usual, given.store, what)
    one = Campaign(application, wanted, folder, partial(tell, given, wanted))
    return one.run(given.only or range(number), given.lanes)


def tell(given: Namespace, wanted: Wanted, result: Result) -> None:
    """Says what came of a case, and how to see it again where that was not right; keeps it."""
    keep(result, given.results)
    case = result.case
    blows = "; then ".join(f"{blow.kind}, {blow.moment}" for blow in result.blows)
    first = ", a first start" if case.first else ""
    print(f"{case.number}: {case.sweep} on {case.store}{first}: {blows}", flush=True)
    for problem in result.problems:
        print(f"   {problem}", flush=True)
    if result.problems:
        print(f"   again: {again(wanted, result)}", flush=True)


def again(wanted: Wanted, result: Result) -> str:
    """Returns the command that makes a case again."""
    counts = {f"--{one}": str(int(one == wanted.what)) for one in WHAT}
    words = [word for pair in counts.items() for word in pair]
    drawn = ["--seed", str(wanted.seed), "--only", str(result.case.number)]
    among = ["--store", *wanted.stores, "--sweep", *wanted.sweeps, "--application", result.application]
    return shlex.join(["python", "-m", "benchmarks.chaos", *words, *drawn, *among])


def show(given: Namespace) -> None:
    """Prints the tables of all results in the file, and puts them into the page if that is wanted."""
    results = [json.loads(line) for line in given.results.read_text().splitlines()]
    ours = [one for one in results if one["application"] == "initlab"]
    blocks = [totals(results), *([by_kind(ours), by_moment(ours)] if ours else [])]
    print("", *blocks, sep="\n\n")
    if given.page:
        replace_block(PAGE, "chaos", "\n\n".join(blocks))


if __name__ == "__main__":
    main(sys.argv[1:])
