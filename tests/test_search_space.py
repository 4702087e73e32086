"""What a search may choose is what Hydra's grammar, or a mapping, says: no value more and no value less."""

import math

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from initlab.errors import ConfigError
from initlab.search.space import read_space

KEY = "optimizer.learning_rate"


def chosen(word, key=KEY):
    """The distribution of one override."""
    return read_space({}, {}, [f"{key}={word}"]).choices[key]


@pytest.mark.parametrize(("word", "meant"), [
    ("interval(0.25,2)", FloatDistribution(0.25, 2.0)),
    ("interval(1,8)", FloatDistribution(1.0, 8.0)),
    ("int(interval(1,8))", IntDistribution(1, 8)),
    ("tag(log,interval(0.001,1))", FloatDistribution(0.001, 1.0, log=True)),
    ("tag(log,int(interval(2,128)))", IntDistribution(2, 128, log=True)),
    ("range(1,9,2)", IntDistribution(1, 7, step=2)),
    ("range(9,1,-2)", IntDistribution(3, 9, step=2)),
    ("range(5)", IntDistribution(0, 4)),
    ("range(0.1,0.5,0.1)", FloatDistribution(0.1, 0.4, step=0.1)),
    ("choice(he,xavier)", CategoricalDistribution(["he", "xavier"])),
    ("he,xavier,he", CategoricalDistribution(["he", "xavier"])),
    ("choice(he,[10,5],0.1)", CategoricalDistribution(["he", "[10,5]", "0.1"])),
    ("shuffle(range(1,4))", None),
])  # fmt: skip
def test_overrides_mean_what_they_mean_in_hydra(word, meant):
    if meant is None:
        assert sorted(chosen(word).choices) == ["1", "2", "3"]
    else:
        assert chosen(word) == meant


@pytest.mark.parametrize(
    "word", ["range(1,9,2)", "range(9,1,-2)", "range(2,5)", "range(0.5,2,0.5)", "a,b", "1,2.5"]
)
def test_a_search_can_choose_exactly_what_a_sweep_would_train(word):
    swept = OverridesParser.create().parse_override(f"{KEY}={word}").sweep_string_iterator()
    choice = chosen(word)
    if isinstance(choice, CategoricalDistribution):
        assert list(choice.choices) == list(swept)
        return
    steps = round((choice.high - choice.low) / choice.step)
    can = {float(choice.low + step * choice.step) for step in range(steps + 1)}
    assert can == {float(value) for value in swept}


def test_a_mapping_says_the_same_as_overrides():
    mapping = {
        "a": {"type": "float", "low": 0.001, "high": 1, "log": True},
        "b": {"type": "int", "low": 1, "high": 7, "step": 2},
        "c": {"type": "categorical", "choices": ["he", None, [10, 5], 0.1]},
        "d": {"type": "float", "low": 0, "high": 1, "step": 0.25},
    }
    words = [
        "a=tag(log,interval(0.001,1))",
        "b=range(1,9,2)",
        "c=he,null,[10,5],0.1",
        "d=range(0,1.25,0.25)",
    ]
    assert read_space(mapping, {}, []).choices == read_space({}, {}, words).choices


def test_steps_that_do_not_meet_the_upper_end_stop_below_it():
    mapping = {
        "a": {"type": "float", "low": 0, "high": 1, "step": 0.4},
        "b": {"type": "int", "low": 1, "high": 6, "step": 2},
    }
    assert read_space(mapping, {}, []).choices == {
        "a": FloatDistribution(0.0, 0.8, step=0.4),
        "b": IntDistribution(1, 5, step=2),
    }


def test_the_command_line_counts_more_than_params_and_these_more_than_the_mapping():
    mapping = {"a": {"type": "int", "low": 1, "high": 2}, "b": {"type": "int", "low": 1, "high": 2}}
    space = read_space(mapping, {"b": "range(5,8)", "c": "x,y", "d": 1}, ["c=z", "e=int(interval(3,4))"])
    assert space.choices == {
        "a": IntDistribution(1, 2),
        "b": IntDistribution(5, 7),
        "e": IntDistribution(3, 4),
    }
    assert space.fixed == ["d=1", "c=z"]


@pytest.mark.parametrize(("values", "words"), [
    ({"rate": 1e-05, "init": "he", "width": 7}, ["rate=1e-05", "init=he", "width=7"]),
    ({"rate": 1 / 3, "init": "[10,5]", "width": 7}, ["rate=0.3333333333333333", "init=[10,5]", "width=7"]),
])  # fmt: skip
def test_what_was_chosen_is_typed_so_that_hydra_reads_it_back(values, words):
    space = read_space({}, {}, ["+mine=3", "rate=interval(0,1)", "init=he,[10,5]", "width=range(5,9)"])
    assert space.overrides(values) == ["+mine=3", *words]
    parse = OverridesParser.create().parse_override
    assert parse(space.overrides(values)[1]).value() == values["rate"]


def test_samples_hold_every_named_choice():
    space = read_space({}, {}, ["a=x,y,z", "b=1,2", "c=interval(0.5,1)"])
    found = {word for job in space.samples() for word in job}
    assert found == {"a=x", "a=y", "a=z", "b=1", "b=2", "c=0.5"}


@pytest.mark.parametrize(("word", "said"), [
    ("interval(1,0.1)", "high"),
    ("tag(log,interval(0,1))", "low"),
    ("tag(lin,interval(0,1))", "the tag lin is not known; the one tag is log"),
    ("tag(log,range(1,9))", "a range has no tags"),
    ("range(3,3)", "stands for no value at all"),
])  # fmt: skip
def test_a_space_that_cannot_be_is_one_line_that_begins_with_the_override(word, said):
    with pytest.raises(ConfigError) as caught:
        chosen(word)
    assert str(caught.value).startswith(f"{KEY}={word}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(("entry", "said"), [
    ({"type": "flat"}, "a.type=flat: must be one of float, int, categorical"),
    ({"low": 1, "high": 2}, "a.type=null: must be one of float, int, categorical"),
    ({"type": "float", "low": 1}, "a.high: is missing"),
    ({"type": "int", "low": 0.5, "high": 2}, "a.low=0.5: must be a whole number"),
    ({"type": "float", "low": 0, "high": math.inf}, "a.high=inf: must be a finite number"),
    ({"type": "float", "low": 0, "high": 1, "choices": [1]}, "a.choices: is not a setting; the settings"),
    ({"type": "categorical", "choices": []}, "a.choices=[]: must be a list of at least one value"),
    (3, "a=3: must be a section with type"),
])  # fmt: skip
def test_a_wrong_entry_of_the_mapping_names_its_key(entry, said):
    with pytest.raises(ConfigError) as caught:
        read_space({"a": entry}, {}, [])
    assert str(caught.value).startswith(f"hydra.sweeper.search_space.{said}")


def test_ends_in_the_wrong_order_are_told_after_their_key_in_optunas_words():
    with pytest.raises(ConfigError, match=r"^hydra\.sweeper\.search_space\.a: .*low.*high"):
        read_space({"a": {"type": "float", "low": 2, "high": 1}}, {}, [])


@pytest.mark.parametrize("word", [
    "seed=1,2", "dataset=circles,moons", "dataset.noise=interval(0,1)", "stretch=[0,1],[0,2]",
    "resume=true,false",
])  # fmt: skip
def test_what_makes_trials_incomparable_is_not_searched_for(word):
    with pytest.raises(ConfigError, match=f"^{word.partition('=')[0]}: cannot be searched for: "):
        read_space({}, {}, [word])


def test_a_mapping_may_hold_truth_values_and_null():
    mapping = {"a": {"type": "categorical", "choices": [True, False, None]}}
    assert [job[0] for job in read_space(mapping, {}, []).samples()] == ["a=true", "a=false", "a=null"]


def test_a_search_needs_something_to_choose():
    with pytest.raises(ConfigError, match="has nothing to choose"):
        read_space({}, {}, ["init=he"])
