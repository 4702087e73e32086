"""What may stand in a config, and what it becomes."""

import importlib
import sys

import pytest
from conftest import ROOT
from omegaconf import OmegaConf

from initlab.config.options import refuse_choices
from initlab.config.schema import Settings, leaves, plain, read
from initlab.config.targets import load_component
from initlab.errors import ConfigError
from initlab.runs.job import build
from initlab.sweeps.task import tags_of

PARTS = ("init", "bias", "dataset", "model", "optimizer", "schedule")
OPTIONS = {part: sorted(path.stem for path in (ROOT / "conf" / part).glob("*.yaml")) for part in PARTS}
# Every option of every group is in one of these.
CHOICES = [
    [f"{group}={options[number % len(options)]}" for group, options in OPTIONS.items()]
    for number in range(max(map(len, OPTIONS.values())))
]
NEEDED = {"dataset=table": ["dataset.path=mine.csv", "dataset.target=label"]}  # what only the user knows


@pytest.mark.parametrize("choices", CHOICES, ids=" ".join)
def test_every_choice_of_every_group_is_a_valid_part(config, choices):
    needed = [override for choice in choices for override in NEEDED.get(choice, [])]
    values = plain(config(*choices, *needed))
    read(Settings, values)
    for group in PARTS:
        assert load_component(values, group, []).func.__module__.startswith("initlab.")
        assert values[group]["_partial_"] is True


def test_every_group_is_of_parts_or_a_section_or_a_study():
    folders = {path.parent.name for path in (ROOT / "conf").glob("*/*.yaml")}
    assert folders == {*PARTS, "diagnostics", "experiment"}


@pytest.mark.parametrize("option", ["light", "full"])
def test_every_preset_of_diagnostics_is_a_valid_section(config, option):
    assert read(Settings, plain(config(f"diagnostics={option}"))).diagnostics.every == 10


def test_the_defaults_are_the_published_settings(config):
    assert config() == config("experiment=notebook")
    assert config().train.iterations == 15000


def test_the_notebook_stays_even_if_other_choices_are_made_first(config):
    cfg = config("experiment=notebook", "init=zeros")
    assert cfg.init._target_.endswith("zeros")
    assert list(cfg.model.hidden) == [10, 5]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=-1", r"^seed=-1: must be a whole number from 0 to 4294967295$"),
        ("seed=true", r"^seed=True: must be a whole number"),
        ("train.precision=float16", r"^train.precision=float16: must be one of float64, float32$"),
        ("train.batch_size=0", r"^train.batch_size=0: must be null or a whole number of at least 1$"),
        ("train=7", r"^train=7: must be a section with"),
        ("+train.epochs=3", r"^train.epochs: is not a setting; the settings here are batch_size"),
        ("~train.iterations", r"^train.iterations: is missing$"),
        ("~tracking", r"^tracking: is missing$"),
        ("tracking.every=1.5", r"^tracking.every=1.5: must be a whole number"),
        ("tracking.model=yes-please", r"^tracking.model=yes-please: must be true or false$"),
        ("diagnostics.every=0", r"^diagnostics.every=0: must be"),
        ("train.clip=0", r"^train.clip=0: must be null or a finite number greater than 0$"),
        ("plots.frames=-1", r"^plots.frames=-1: must be a whole number of at least 0$"),
        ("report.threshold=0", r"^report.threshold=0: must be a finite number greater than 0$"),
        ("report.by=loss", r"^report.by=loss: must be one of score, cost$"),
        ("report.equal_within=-0.1", r"^report.equal_within=-0.1: must be a finite number of at least 0$"),
        ("allow_targets=os", r"^allow_targets=os: must be a list of module names"),
        ("seed=${nowhere}", r"^.*nowhere"),
        ("seed=???", r"^seed: Missing mandatory value"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_value_and_what_may_be(config, override, message):
    with pytest.raises(ConfigError, match=message):
        read(Settings, plain(config(override)))


@pytest.mark.parametrize(
    ("group", "overrides", "message"),
    [
        ("optimizer", ["optimizer.learning_rate=0"], r"^optimizer.learning_rate=0: must be a finite"),
        ("optimizer", ["optimizer.learning_rate=.inf"], r"must be a finite number greater than 0$"),
        ("optimizer", ["optimizer.learning_rate=fast"], r"^optimizer.learning_rate=fast: must be"),
        ("optimizer", ["optimizer=adam", "optimizer.beta1=1"], r"^optimizer.beta1=1: must be .* less than 1"),
        ("optimizer", ["~optimizer.learning_rate"], r"^optimizer.learning_rate: is missing$"),
        ("init", ["+init.scale=3"], r"^init.scale: is not a setting; there is none$"),
        ("init", ["init=constant", "init.value=null"], r"^init.value=null: must be a finite number$"),
        ("dataset", ["dataset.n_train=0"], r"^dataset.n_train=0: must be a whole number of at least 1$"),
        ("model", ["model.hidden=10"], r"^model.hidden=10: must be a list of whole numbers"),
        ("init", ["~init._target_"], r"^init: must name a function by _target_$"),
        (
            "init",
            ["init._target_=initlab.initializers.hee"],
            r"^init._target_=initlab.initializers.hee: initlab.initializers has no hee$",
        ),
        ("init", ["init._target_=initlab.initializers.he.e"], r": initlab.initializers.he has no e$"),
        ("init", ["init._target_=initlab.initializers"], r": must be a function; it is a module$"),
        (
            "init",
            ["init._target_=initlab.activations.sigmoid"],
            r"^init._target_=initlab.activations.sigmoid: is no init; .* are in initlab.initializers$",
        ),
        ("model", ["model._target_=initlab.datasets.circles"], r": is no model; .* are in initlab.networks$"),
    ],
)
def test_a_part_that_cannot_be_is_named_with_its_value_and_what_may_be(config, group, overrides, message):
    with pytest.raises(ConfigError, match=message):
        load_component(plain(config(*overrides)), group, [])


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "initlab_evil.start",
        "initlab.networks.network.np.load",
        "initlab.terminal.application.os.system",
        "builtins.eval",
    ],
)
def test_targets_outside_the_project_are_refused(config, target):
    with pytest.raises(ConfigError, match="is outside of initlab"):
        load_component(plain(config(f"init._target_={target}")), "init", [])


def test_a_refused_module_is_not_even_imported(config, tmp_path, monkeypatch):
    (tmp_path / "strangers.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError):
        load_component(plain(config("init._target_=strangers.start")), "init", [])


def test_targets_of_an_allowed_module_are_welcome(config, tmp_path, monkeypatch):
    (tmp_path / "my_starts.py").write_text("def ones(rng, shape):\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = load_component(plain(config("init._target_=my_starts.ones")), "init", ["my_starts"])
    assert found(None, None) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nowhere_at_all", "cannot be imported: No module named 'nowhere_at_all'"),
        ("raise SystemError", "cannot be imported: SystemError"),
        ("", "my_broken_starts has no ones"),
    ],
)
def test_why_a_module_of_the_users_own_cannot_be_imported_is_said(
    config, tmp_path, monkeypatch, capfd, source, reason
):
    monkeypatch.delitem(sys.modules, "my_broken_starts", raising=False)
    (tmp_path / "my_broken_starts.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    with pytest.raises(ConfigError, match=f"^init._target_=my_broken_starts.ones: {reason}$"):
        load_component(plain(config("init._target_=my_broken_starts.ones")), "init", ["my_broken_starts"])
    assert capfd.readouterr() == ("", "")


def test_null_for_a_group_is_answered_with_its_options():
    refuse_choices(["-m", "init=he,zeros", "seed=null", "train.batch_size=null", "+init.x=null", "a=null"])
    for argument in ("bias=null", "bias=zeros,null"):
        with pytest.raises(ConfigError, match=r"^bias=null: must be one of constant, normal, own, unif"):
            refuse_choices(["init=he", argument])


def test_a_group_that_is_left_out_is_named(config):
    cfg = OmegaConf.create({"runtime": {"choices": {**dict.fromkeys(PARTS, "x"), "init": None}}})
    assert set(tags_of(cfg, sweeping=False)) == {*PARTS} - {"init"}
    with pytest.raises(ConfigError, match=r"^init: is missing$"):
        load_component(plain(config("~init")), "init", [])


def test_a_diagnostic_that_is_not_there_is_named_with_those_that_are(config):
    with pytest.raises(ConfigError, match=r"^diagnostics.names: there is no diagnostic .moon."):
        build(config("diagnostics.names=[moon]"), {})


@pytest.mark.parametrize(
    ("override", "now"),
    [
        ("bias._target_=initlab.biases.zeros", "initlab.initializers.biases.zeros"),
        ("schedule._target_=initlab.schedules.cosine", "initlab.optimizers.schedules.cosine"),
        ("model._target_=initlab.network.mlp", "initlab.networks.mlp"),
    ],
)
def test_a_path_of_an_earlier_version_is_answered_with_the_new_one(config, override, now):
    group = override.partition(".")[0]
    with pytest.raises(ConfigError, match=rf"^{override}: has moved; it is now {now}$"):
        load_component(plain(config(override)), group, [])


def test_leaves_are_dotted_and_a_list_is_one(config):
    found = leaves(plain(config("+width=7", "model.hidden=[${width},3]")))
    assert found["model.hidden"] == "[7, 3]"
    assert found["dataset.noise"] == "0.05"
    assert found["width"] == "7"


def test_package_data_names_every_yaml():
    folders = [path for path in (ROOT / "conf").iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert all(path.suffix == ".yaml" for folder in folders for path in folder.iterdir())
