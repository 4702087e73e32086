"""Quickly composed job configs are Hydra's own in every respect, and so are their folders and errors."""

import os
import pickle
import random
import string
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, run_command
from hydra import initialize_config_module
from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import run_job, setup_globals
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.base import Container

from initlab.sweeps import hydra_private
from initlab.sweeps.compose import Composer, QuickLoader, Recipe
from initlab.sweeps.hydra_private import plain, yaml_text
from initlab.sweeps.job_folder import save_hydra_folder, without_hydra

OPTIONS = {
    group.name: sorted(path.stem for path in group.glob("*.yaml"))
    for group in sorted((ROOT / "conf").iterdir())
    if any(group.glob("*.yaml"))
}
# Every option of every group is in one of these, beside options of all other groups.
JOBS = [
    [*(f"{group}={options[number % len(options)]}" for group, options in OPTIONS.items()), "seed=7"]
    for number in range(max(map(len, OPTIONS.values())))
]


@pytest.fixture(scope="module")
def loader():
    setup_globals()
    with initialize_config_module("initlab.conf", version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


def master_of(loader, *arguments):
    overrides = [*arguments, "hydra.mode=MULTIRUN"]
    master = loader.load_configuration("config", overrides, run_mode=RunMode.MULTIRUN)
    assert master.hydra.sweep.dir  # resolved by every sweeper before the first job
    return master


@pytest.fixture(scope="module")
def master(loader):
    return master_of(loader, "seed=1,2", "init=he,zeros")


@pytest.fixture(scope="module")
def composer(loader, master):
    return Composer(loader, master)


def anatomy(node):
    """Everything that a config is: its nodes' types, values, types expected of values, and flags."""
    content = node._value()
    if isinstance(content, dict):
        content = [(key, anatomy(value)) for key, value in content.items()]
    elif isinstance(content, list):
        content = [anatomy(value) for value in content]
    about = {name: value for name, value in vars(node._metadata).items() if name != "resolver_cache"}
    return type(node), type(node._value()), about, content if isinstance(content, list) else repr(content)


def resolved(node):
    try:
        return repr(OmegaConf.to_container(node, resolve=True))  # a nan is not equal to itself
    except Exception as error:
        return repr(error)


def outcome(compose):
    """What a way of composing comes to: a config in all its aspects, or an error with its causes."""
    try:
        cfg = compose()
    except Exception as error:
        causes = []
        while error:
            causes.append((type(error), str(error)))
            error = error.__cause__
        return causes
    task = OmegaConf.masked_copy(cfg, [key for key in cfg if key != "hydra"])
    hydra = [resolved(cfg.hydra[part]) for part in ("run", "sweep", "job", "overrides", "help")]
    return anatomy(cfg), resolved(task), hydra, OmegaConf.get_cache(cfg)


def assert_as_hydra(loader, composer, overrides):
    hydras = outcome(lambda: loader.load_sweep_config(composer.master_config, list(overrides)))
    assert outcome(lambda: composer.compose(overrides)) == hydras
    return hydras


@pytest.mark.parametrize("job", JOBS, ids=" ".join)
def test_every_option_of_every_group_composes_as_hydra_composes_it(loader, composer, job):
    assert not isinstance(assert_as_hydra(loader, composer, job), list)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["seed=7", "init=random", "optimizer.learning_rate=0.1", "train.iterations=1500"],
        ["init.scale=3", "init=random"],
        ["init=random", "init.scale=3", "init=he", "init=random"],
        ["experiment=notebook", "train.iterations=7", "init=zeros"],
        ["seed=4", "experiment=notebook"],
        ["seed=1", "plots.frames=2", "plots.frames=1", "seed=2"],
        ["train.threads=2", "seed=4", "plots.frames=0"],
        ["+note=x", "seed=4"],
        ["seed=4", "+note=x", "note=y"],
        ["+nested.key=1", "nested.key=2", "+nested.other.deep=[1,{a: 2}]"],
        ["seed=4", "++seed=5", "++seed=6"],
        ["++new.key={a: 1, b: [2]}", "new.a=3"],
        ["~train.batch_size", "seed=4"],
        ["seed=4", "~seed=4"],
        ["~init"],
        ["~dataset", "+dataset=moons"],
        ["~tracking", "+tracking.uri=null"],
        ["train={iterations: 5, threads: 2}", "train.iterations=6"],
        ["train.iterations=6", "train={iterations: 5}"],
        ["init=random", "init.scale=5", "init={scale: 3}"],
        ["+init={scale: 3}", "init.scale=4", "init=random"],
        ["train=7", "plots=null"],
        ["init=null"],
        ["model.hidden=[]", "model.hidden=[7,3,2]", "model.hidden.1=5", "allow_targets=[a.b,'c d']"],
        ["model.hidden=7", "allow_targets=[7,[3,a],{b: null}]"],
        ["dataset.seed=${seed}", "seed=11"],
        ["dataset.seed=${seed}", "~dataset.seed"],
        ["seed=null", "+a=${seed}", "~a"],
        ["+a=${train}", "a.threads=5"],
        ["+a=${hydra.job.config_name}", "~a"],
        ["+a=${hydra.job.config_name}", "seed=4", "+a=5"],
        ["+a=${hydra.job.override_dirname}", "seed=4"],
        ["tracking.experiment=job-${hydra:job.num}", "tracking.uri=sqlite:///${oc.env:HOME}/x.db"],
        [
            "tracking.experiment='a, b = c'",
            "tracking.uri=a\\,b\\ c",
            "train.precision='7'",
            "model.activation=",
        ],
        ['tracking.experiment="it\'s ${seed}"', "tracking.uri=Größe", "train.precision='???'", "seed=???"],
        ["train.batch_size=32", "train.batch_size=null", "seed=true", "plots.frames=False"],
        [
            "optimizer.learning_rate=1e-3",
            "dataset.noise=.5",
            "seed=1_000.5",
            "train.threads=inf",
            "plots=-nan",
        ],
        [
            "seed=1_000",
            "plots.frames=0x1F",
            "train.threads=int('3')",
            "tracking.every=NULL",
            "dataset.seed=+7",
        ],
        ["init._target_=initlab.initializers.zeros"],
        ["+init@backup=random", "backup.scale=4"],
        ["+init@backup=random", "init=zeros", "init.x=4"],
        ["hydra.job.name=other", "seed=4"],
        ["seed=4", "hydra/job_logging=disabled", "hydra.sweep.subdir=${seed}"],
        ["hydra.job.config.override_dirname.exclude_keys=[seed]", "seed=4", "init=zeros"],
        ["hydra.job.env_copy=[HOME]", "+hydra.job.env_set.A=b"],
        ["+hydra={job: {name: x}}"],
        ["hydra={job: {name: x}}"],
    ],
    ids=" ".join,
)
def test_awkward_overrides_come_to_what_they_come_to_in_hydra(loader, composer, overrides):
    assert_as_hydra(loader, composer, overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        ["init=hee"],
        ["init.scael=3"],
        ["seed=4", "sede=4"],
        ["+seed=4"],
        ["~nothing"],
        ["~seed=5"],
        ["~init=zeros"],
        ["seed=1,2"],
        ["init=glob(*)"],
        ["init@backup=he"],
        ["seed@backup=4"],
        ["++init=he"],
        ["init=7"],
        ["model.hidden.5=3"],
        ["model.hidden.x=3"],
        ["model.hidden={a: 1}"],
        ["train=[1]"],
        ["seed.x=3"],
        ["seed=[1"],
        ["seed=${"],
        ["seed='${'"],
        ["=3"],
        ["hydra.job.nme=x"],
        ["hydra.job.chdir=perhaps"],
        ["hydra/launcher=nowhere"],
        ["hydra.searchpath=7"],
    ],
    ids=" ".join,
)
def test_errors_are_hydras_own(loader, composer, overrides):
    assert isinstance(assert_as_hydra(loader, composer, overrides), list)


@pytest.mark.parametrize(
    "command",
    [
        ["init=glob(*)", "seed=range(0,3)"],
        ["init=glob([*e*],exclude=[xavier,he])", "optimizer.learning_rate=1e-3,.5", "+note='a,b','c d'"],
        ["tracking.experiment='x y',\"=\",'${seed}'", "model.hidden=[7],[5,3]", "train.batch_size=null,7"],
        ["seed=5", "init={scale: 3}", "~plots"],
        ["optimizer=gd,momentum", "optimizer.learning_rate=range(0.1,0.3,0.1)", "experiment=notebook"],
    ],
    ids=" ".join,
)
def test_jobs_as_the_basic_sweeper_splits_them_compose_as_in_hydra(loader, composer, command):
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(command)
    [jobs] = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    for job in jobs[:: max(1, len(jobs) // 5)]:
        assert_as_hydra(loader, composer, job)


@pytest.mark.parametrize(
    ("fine", "others"),
    [
        (["~seed=3"], [["~seed=4"], ["~seed=3"]]),
        (["tracking.experiment=a"], [["tracking.experiment='${'"], ["tracking.experiment='${seed}'"]]),
        (
            ["seed=7"],
            [["seed=-0"], ["seed=007"], ["seed=1_0"], ["seed=7.0"], ["seed=${train}"], ["seed=null"]],
        ),
        (["model.hidden.0=7"], [["model.hidden.0=11"], ["model.hidden.7=3"]]),
        (["train.threads=null"], [["train.threads=2"], ["train.threads={a: 1}"], ["train.threads=[2]"]]),
        (["+train.more=1"], [["+train.more=2"], ["+train.more={a: 1}"], ["+train.more=b c"]]),
        (["train=null"], [["train=5"], ["train={a: 1}"], ["train=[1]"]]),
    ],
    ids=str,
)
def test_a_job_that_was_fine_vouches_for_no_other_that_is_not(loader, master, fine, others):
    composer = Composer(loader, master)
    assert_as_hydra(loader, composer, fine)
    for job in others:
        assert_as_hydra(loader, composer, job)


def test_the_sweeper_tries_jobs_that_differ_in_numbers_once(loader, master, monkeypatch):
    composed = []
    whole = Recipe.compose
    monkeypatch.setattr(Recipe, "compose", lambda self: composed.append(self) or whole(self))
    jobs = [[f"init={init}", f"seed={seed}"] for init in ("he", "zeros") for seed in range(97)]
    QuickLoader(loader).check_jobs(master, jobs)
    assert len(composed) == 2
    with pytest.raises(HydraException, match="Could not override 'sede'"):
        QuickLoader(loader).check_jobs(master, [*jobs, ["init=he", "sede=4"]])


POOL = """
    seed=7 seed=null ~seed ++seed=8 +seed=9 +note=${seed} ~note note=b +note=c ++note.a=1 train={threads:3}
    train=5 train.threads=4 ~train.threads +train.more=[1,2] init=random init=zeros init.scale=3
    ++init.scale=4 init={a:1} model.hidden=[3] model.hidden.0=2 dataset=moons dataset.noise=.3
    ++a.b.c=${train} a.b.c.threads=6 a.b=3 ~plots
    tracking.experiment='${init}' optimizer.learning_rate=1e-2 +copy=${optimizer} copy.learning_rate=4
"""


def test_any_mixture_of_overrides_composes_as_in_hydra(loader, composer):
    draw = random.Random(20261123)
    errors = 0
    for _ in range(20):
        job = draw.sample(POOL.split(), draw.randint(1, 5))
        errors += isinstance(assert_as_hydra(loader, composer, job), list)
    assert 3 < errors < 17


def test_what_hydra_was_told_for_the_whole_sweep_holds_in_every_job(loader, monkeypatch):
    monkeypatch.setenv("COLOUR", "red")
    master = master_of(
        loader,
        "seed=1,2",
        "hydra.job.config.override_dirname.exclude_keys=[seed]",
        "hydra.job.config.override_dirname.item_sep=';'",
        "hydra.job.env_copy=[COLOUR]",
        "hydra.output_subdir=null",
        "+hydra.job.env_set.A=${seed}",
    )
    composer = Composer(loader, master)
    for job in (["seed=5", "init=he", "plots.frames=0"], ["init=zeros"], ["seed=6", "hydra.output_subdir=x"]):
        assert_as_hydra(loader, composer, job)
    assert composer.compose(["seed=5", "init=he", "plots.frames=0"]).hydra.job.override_dirname == (
        "init=he;plots.frames=0"
    )
    monkeypatch.setenv("COLOUR", "blue")
    assert_as_hydra(loader, composer, ["seed=7", "init=he"])


def test_jobs_share_a_base_unless_they_choose_other_options(composer):
    seeds = [composer.recipe(["init=he", f"seed={seed}", "+note=x"]) for seed in range(20)]
    assert len({id(recipe.base) for recipe in seeds}) == 1
    assert composer.recipe(["optimizer.learning_rate=3", "init=he"]).base is seeds[0].base
    assert composer.recipe(["init=zeros", "seed=3"]).base is not seeds[0].base
    assert composer.recipe(["init=he", "seed=3", "hydra.job.name=x"]).base is not seeds[0].base


def test_every_config_is_a_new_one(composer):
    recipe = composer.recipe(["seed=7"])
    first, second = recipe.compose(), recipe.compose()
    first.seed, first.model.hidden = 8, [1]
    OmegaConf.get_cache(first)["now"]["%Y"] = "1999"
    assert second.seed == 7
    assert outcome(recipe.compose) == outcome(lambda: second) == outcome(lambda: composer.compose(["seed=7"]))


def test_recipes_survive_pickling_and_hold_each_base_once(composer):
    jobs = [["init=he", f"seed={seed}", "train.threads=2"] for seed in range(200)]
    recipes = [composer.recipe(job) for job in jobs]
    pickled = pickle.dumps(recipes)
    assert len(pickled) < len(recipes[0].base) + 200 * 150
    for job, recipe in list(zip(jobs, pickle.loads(pickled), strict=True))[::50]:
        assert recipe.overrides == tuple(job)
        assert outcome(recipe.compose) == outcome(lambda job=job: composer.compose(job))


def test_names_made_once_a_sweep_are_the_same_in_every_job(loader):
    overrides = ["hydra.mode=MULTIRUN", "seed=1,2"]
    master = loader.load_configuration("config", overrides, run_mode=RunMode.MULTIRUN)
    composer = Composer(loader, master)
    early = composer.recipe(["seed=1"])  # made before the sweep has its folder
    folder = master.hydra.sweep.dir
    jobs = [composer.recipe([f"seed={seed}"]).compose() for seed in (1, 2, 3)]
    assert {job.hydra.sweep.dir for job in jobs} == {folder}
    assert early.compose().hydra.sweep.dir == folder
    assert pickle.loads(pickle.dumps(early)).compose().hydra.sweep.dir == folder


def test_the_quick_loader_is_hydras_loader_with_quick_jobs(loader, master):
    quick = QuickLoader(loader)
    job = ["seed=7", "init=random"]
    hydras = outcome(lambda: loader.load_sweep_config(master, job))
    assert outcome(lambda: quick.load_sweep_config(master, job)) == hydras
    assert quick.composer(master) is quick.composer(master)
    other = master_of(loader, "seed=1,2", "hydra.job.name=other")
    assert quick.load_sweep_config(other, job).hydra.job.name == "other"
    assert quick.get_group_options("init") == loader.get_group_options("init")
    whole = [each.load_configuration("config", job, run_mode=RunMode.RUN) for each in (loader, quick)]
    assert anatomy(whole[0]) == anatomy(whole[1])


def folder_of(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (path / ".hydra").glob("*")}


def test_the_hydra_folder_is_what_the_command_writes_with_the_basic_launcher(loader, tmp_path, monkeypatch):
    hydra = ["hydra/launcher=basic", "hydra.sweep.dir=sweep"]
    subdir = "hydra.sweep.subdir=${hydra.job.num}_${hydra:job.num}_${seed}"
    jobs = ["init=zeros,random", "seed=3,4", "+note='Größe: \\'1e3\\', yes'", "model.hidden=[3]"]
    rest = ["tracking.uri=null", "train.iterations=5", "plots.frames=0"]
    done = run_command("-m", *hydra, subdir, *jobs, *rest, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    written = {path.name: folder_of(path) for path in (tmp_path / "sweep").glob("*_*")}
    (tmp_path / "sweep").rename(tmp_path / "hydras")

    monkeypatch.chdir(tmp_path)
    master = master_of(loader, *hydra, subdir, *jobs, *rest)
    composer = Composer(loader, master)
    parsed = OverridesParser.create(config_loader=loader).parse_overrides([*jobs, *rest])
    [overrides] = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    for number, job in enumerate(overrides):
        cfg = composer.compose(job)
        cfg.hydra.job.id = cfg.hydra.job.num = number
        save_hydra_folder(cfg)
    again = {path.name: folder_of(path) for path in (tmp_path / "sweep").glob("*_*")}
    assert len(written) == 4
    assert again == written
    assert set(written["0_0_3"]) == {"config.yaml", "hydra.yaml", "overrides.yaml"}


@pytest.mark.parametrize(
    "job", [[], ["seed=7", "init=random", "+note=${hydra:job.num}"], ["hydra.output_subdir=null", "seed=7"]]
)
def test_the_task_gets_the_config_and_the_folder_that_hydra_gives_it(
    loader, composer, tmp_path, monkeypatch, job
):
    monkeypatch.chdir(tmp_path)
    hydras, cfg = loader.load_sweep_config(composer.master_config, job), composer.compose(job)
    # The composer was made in another folder.
    hydras.hydra.runtime.cwd = cfg.hydra.runtime.cwd
    for each in (hydras, cfg):
        each.hydra.job.id = each.hydra.job.num = 5
    context = HydraContext(config_loader=loader, callbacks=Callbacks())
    expected = run_job(lambda task: None, hydras, "hydra.sweep.dir", "hydra.sweep.subdir", context, False)
    folder = Path(hydras.hydra.runtime.output_dir)
    written = folder_of(folder)
    for file in (folder / ".hydra").glob("*"):
        file.unlink()
    task, made = without_hydra(cfg), save_hydra_folder(cfg)
    assert made == folder
    assert folder_of(made) == written
    assert anatomy(task) == anatomy(expected.cfg)
    assert OmegaConf.get_cache(task) == OmegaConf.get_cache(expected.cfg)
    assert anatomy(cfg) == anatomy(hydras)


class Colour(Enum):
    RED = "r"


@dataclass
class Odd:
    colour: Colour = Colour.RED
    path: Path = Path("a b/c")
    raw: bytes = b"\x00\xff" * 60
    either: int | str = 3
    by_colour: dict[Colour, float] = field(default_factory=lambda: {Colour.RED: float("nan")})
    missing: dict[str, int] = "???"  # type: ignore[assignment]
    nothing: dict[str, int] | None = None


AWKWARD = [
    *(
        "",
        " ",
        "yes",
        "No",
        "null",
        "~",
        "7",
        "1e3",
        ".5",
        "0x1f",
        "1_000",
        "1:30",
        "2020-01-01",
        "inf",
        ".nan",
    ),
    *(
        "- a",
        "# c",
        "a #b",
        "a: b",
        "a:",
        ":a",
        "?",
        "? a",
        "[a]",
        "{a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
    ),
    *("'", '"', "it's", 'a "b"', "\\", "C:\\x\\", "a\tb", "\ta", "a ", " a", "a\nb", "\n", "a\n\n b\n", "\r"),
    *(
        "${seed}",
        "${a:b,'c d'}",
        "???",
        "<<",
        "=",
        "---",
        "--- a",
        "...",
        "Größe",
        "漢字",
        "😀",
        "\u2028",
        "\x85",
    ),
    *(
        "\x00",
        "\x7f",
        "\ufeff",
        "\ud800",
        "word " * 40,
        "ä " * 90,
        "x" * 200,
        "a\n" * 50,
        '" ' * 60,
        "\\ é " * 50,
    ),
]


def same_yaml(content):
    cfg = content if isinstance(content, Container) else OmegaConf.create(content)
    assert yaml_text(plain(cfg)) == OmegaConf.to_yaml(cfg)


@pytest.mark.parametrize("text", AWKWARD, ids=ascii)
def test_awkward_texts_are_dumped_as_omegaconf_dumps_them(text):
    # OmegaConf.create would take '${…' for an interpolation that is not closed
    same_yaml({"a": text, "b": {"c": text, "d": {"e": [text, [text]]}, "f": [{"g": text}]}})
    same_yaml({text: 1, "b": {text: {text: text}, "z": {text: {}}}})


@pytest.mark.parametrize(
    "content",
    [
        *(
            {},
            [],
            {"a": {}},
            {"a": []},
            {"a": [[], {}]},
            [1, {"a": None}],
            {"a": {"b": {"c": {"d": {"e": 1}}}}},
        ),
        *(
            {"a": 1, 2: {"b": 3}, True: 4, 0.5: {"x": 5}, b"k": {"y": 6}},
            {"k" * n: {"a": n} for n in range(95, 135)},
        ),
        *({"a": 0.1 + 0.2, "b": 1e200, "c": -0.0, "d": float("inf"), "e": 10**30, "f": False, "g": b"abc"},),
        *(
            {
                "a": 1,
                "b": {"a": True},
                "c": {"a": 1.0},
                "d": {"a": "1"},
                "e": {"a": None},
                "f": {"a": "None"},
            },
        ),
        *(
            DictConfig(None),
            ListConfig(None),
            DictConfig("???"),
            DictConfig({"a": DictConfig("${b}"), "b": {}}),
        ),
        *(OmegaConf.structured(Odd), DictConfig({"a": Odd()})),
    ],
    ids=ascii,
)
def test_awkward_values_and_keys_are_dumped_as_omegaconf_dumps_them(content):
    same_yaml(content)


def test_an_object_in_two_places_is_dumped_once_as_omegaconf_does():
    path = Path("x")
    cfg = OmegaConf.create({"a": path, "b": {"c": path}})
    assert "&id001" in OmegaConf.to_yaml(cfg)
    same_yaml(cfg)


def test_any_tree_is_dumped_as_omegaconf_dumps_it():
    draw = random.Random(7)
    letters = string.printable + "äé漢😀\u2028" + " " * 30

    def text(longest):
        if draw.random() < 0.3:
            return draw.choice([words for words in AWKWARD if "${" not in words])
        return "".join(draw.choices(letters, k=draw.randint(0, longest))).replace("$", "")

    def tree(depth):
        kind = draw.random()
        if depth < 5 and kind < 0.3:
            return {text(draw.choice([5, 30, 130])): tree(depth + 1) for _ in range(draw.randint(0, 4))}
        if depth < 5 and kind < 0.4:
            return [tree(depth + 1) for _ in range(draw.randint(0, 3))]
        return draw.choice([None, True, draw.randint(-9, 9), draw.gauss(0, 1)]) if kind < 0.6 else text(200)

    for _ in range(300):
        same_yaml({key: tree(0) for key in ("a", text(20), text(130))})


def test_every_job_config_is_dumped_as_omegaconf_dumps_it(composer):
    studies = [[f"experiment={study}"] for study in OPTIONS["experiment"]]
    for job in [*JOBS, *studies]:
        same_yaml(composer.compose([*job, "+note='${x} Ä'"]))


@pytest.fixture
def no_slow_dumper(monkeypatch):
    def refuse():
        raise AssertionError("OmegaConf's own dumper was asked")

    hydra_private._libyaml_dumper()  # takes its representers from that dumper, once
    monkeypatch.setattr(hydra_private, "get_omega_conf_dumper", refuse)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="this PyYAML was built without libyaml")
def test_job_configs_are_written_by_libyaml(composer, no_slow_dumper):
    for job in JOBS:
        assert "\nseed: 7\n" in yaml_text(plain(composer.compose(job)))
    with pytest.raises(AssertionError, match="OmegaConf's own dumper"):
        yaml_text({"note": "a smile 😀"})


def test_yaml_is_the_same_where_libyaml_is_missing(composer, monkeypatch):
    monkeypatch.setattr(hydra_private, "_libyaml_dumper", lambda: None)
    same_yaml(composer.compose(JOBS[0]))


@pytest.mark.parametrize(
    "letters", ["abc def ", "äß 漢é:- ", "'\"\\ #x", "a😀 ", "ab\n ", "a\t \x85", "?-: ,[]{}"]
)
def test_texts_of_any_length_are_dumped_as_omegaconf_dumps_them(letters):
    draw = random.Random(letters)
    for length in [*range(12), *range(70, 90), *range(95, 135, 3), 160, 300]:
        text = "".join(draw.choices(letters, k=length))
        same_yaml({"a": text, "b": [text, {"c": text}], text + "_": {text + ".": 1}})


def test_nothing_of_this_leaves_the_current_hydra_config_changed(composer, tmp_path, monkeypatch):
    from hydra.core.hydra_config import HydraConfig

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)  # whatever ran here before
    cfg = composer.compose(["seed=7"])
    cfg.hydra.job.num = 0
    save_hydra_folder(cfg)
    assert not HydraConfig.initialized()
    assert os.listdir() == ["multirun"]
