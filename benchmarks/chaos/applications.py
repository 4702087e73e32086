"""What goes through the chaos: how its sweep is started, and how its user goes on after it was stopped."""

from collections.abc import Mapping
from dataclasses import dataclass

Words = tuple[str, ...]


@dataclass(frozen=True)
class Sweep:
    """So many jobs, and the overrides that ask for them."""

    jobs: int
    overrides: Words


UNANSWERED = "report.keep=false"
ALWAYS = ("plots.frames=1", "hydra.launcher.n_jobs=2")
TWO_STACKS = ("init=he", "model.activation=relu,tanh")  # one for each process
JOBS = ("init=zeros,xavier,he", "seed=range(0,8)")
LONG = ("train.iterations=20000", "train.checkpoint=0.2", "tracking.every=20")
PLAIN = ("init=zeros,he", "seed=0,1,2,3")  # fewer, because each takes longer


@dataclass(frozen=True)
class Application:
    """A program's command, its sweeps by name, which ``targets`` there are to kill, the ``kept`` files that
    hold a run's numbers, and what its user types afterwards.

    ``go_on`` is added to the command to go on with a sweep; ``resume`` goes on with the last one that there
    is, and ``deliver`` brings in what a store could not be told. An application that does not bear a first
    start fails without any disturbance where nothing was ever tracked.
    """

    name: str
    command: Words
    experiment: str  # the key of the experiment's name
    sweeps: Mapping[str, Sweep]
    targets: Words = ("parent", "worker", "group")
    bears_first_start: bool = True
    kept: Words = ()
    go_on: Words = ()
    resume: Words = ()
    deliver: Words = ()

    @property
    def usual(self) -> list[str]:
        """The names of the sweeps that it usually goes through."""
        return [name for name in self.sweeps if name != "smallest"]

    def start(self, sweep: str, experiment: str) -> Words:
        """Returns the arguments for Python that start a sweep."""
        return *self.command, f"{self.experiment}={experiment}", *self.sweeps[sweep].overrides

    def start_again(self, sweep: str, experiment: str, short: bool) -> Words:
        """Returns those that go on with it: by the ``short`` command, if there is one."""
        if short and self.resume:
            return self.resume
        return *self.start(sweep, experiment), *self.go_on


INITLAB = Application(
    "initlab",
    ("-m", "src.train", "-m"),
    "tracking.experiment",
    {
        "smallest": Sweep(6, (*ALWAYS, *TWO_STACKS, "seed=range(0,3)", "train.iterations=100", UNANSWERED)),
        "wide": Sweep(24, (*ALWAYS, *JOBS, "train.iterations=300", UNANSWERED)),
        "long": Sweep(8, (*ALWAYS, *TWO_STACKS, "seed=range(0,4)", *LONG, UNANSWERED)),
        "answered": Sweep(24, (*ALWAYS, *JOBS, "train.iterations=100")),  # with a summary and a report
    },
    kept=("history.npz", "weights.npz"),
    go_on=("resume=true",),
    resume=("-m", "initlab", "resume"),
    deliver=("-m", "initlab", "sync"),
)
BASIC = Application(
    "basic",
    ("-m", "benchmarks.chaos.plain", "-m"),
    "experiment",
    {"wide": Sweep(8, PLAIN)},
    ("parent", "group"),
)
JOBLIB = Application(
    "joblib",
    BASIC.command,
    BASIC.experiment,
    {"wide": Sweep(8, ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *PLAIN))},
    bears_first_start=False,  # the jobs that run side by side make the database at once, which ruins it
)
