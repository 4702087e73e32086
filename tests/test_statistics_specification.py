import math

import pytest

from initlab.statistics.choosing import Choice, choose_settings
from initlab.statistics.specification import specification_curve

INF = math.inf


def seeds(*values):
    return dict(enumerate(values))


def level(value, n=8):
    return seeds(*[value] * n)


def test_the_curve_sorts_the_settings_and_counts_where_the_conclusion_survives():
    he = {
        "deep": level(0.9),
        "wide": level(0.8),
        "short": seeds(0.6, 0.9),
        "slow": level(0.5),
        "on": level(1),
    }
    xavier = {"deep": level(0.5), "wide": level(0.9), "short": seeds(0.5, 0.6), "slow": level(0.5), "off": {}}
    curve = specification_curve(he, xavier)
    assert [(one.setting, one.n, one.effect) for one in curve.specifications] == [
        ("wide", 8, pytest.approx(-0.1)),
        ("slow", 8, 0),
        ("short", 2, pytest.approx(0.2)),
        ("deep", 8, pytest.approx(0.4)),
    ]
    assert (curve.survives, curve.supported, curve.contradicted) == (0.5, 0.25, 0.25)
    assert [one.interval for one in curve.specifications] == [
        pytest.approx((-0.1, -0.1)),
        (0, 0),
        (-INF, INF),
        pytest.approx((0.4, 0.4)),
    ]


def test_there_is_no_curve_without_a_setting_in_common():
    assert specification_curve({"a": {1: 1.0}}, {"b": {1: 1.0}}) is None
    assert specification_curve({"a": {1: 1.0}}, {"a": {2: 1.0}}) is None


def test_a_setting_is_chosen_by_validation_and_not_by_the_test():
    validation = {"he": {0.1: seeds(0.8, 0.9), 0.01: seeds(0.7, 0.6)}}
    test = {"he": {0.1: seeds(0.5, 0.6), 0.01: seeds(0.9, 0.9)}}
    assert choose_settings(validation, test) == {"he": Choice(0.1, "validation")}
    assert choose_settings({}, test) == {"he": Choice(0.01, "test")}


def test_all_entrants_are_chosen_by_the_same():
    test = {"he": {1: seeds(1), 2: seeds(2)}, "xavier": {1: seeds(2), 2: seeds(1)}}
    validation = {"he": {1: seeds(9), 2: seeds(0)}, "xavier": {1: seeds(0), 2: {}}}
    assert choose_settings(validation, test) == {"he": Choice(2, "test"), "xavier": Choice(1, "test")}
    validation["xavier"][2] = seeds(5)
    found = choose_settings(validation, test)
    assert found == {"he": Choice(1, "validation"), "xavier": Choice(2, "validation")}


def test_where_there_is_one_setting_nothing_was_chosen():
    test = {"he": {0.1: seeds(0.5)}, "zeros": {0.1: seeds(0.1), 1.0: seeds(-INF)}}
    assert choose_settings({}, test) == {"he": Choice(0.1, "only one"), "zeros": Choice(0.1, "test")}


def test_the_median_over_seeds_counts_and_of_equals_the_first():
    validation = {"he": {"a": seeds(0.6, 0.6, 0.6), "b": seeds(1.0, 0.5, 0.5), "c": seeds(0.6, 0.6, 0.6)}}
    assert choose_settings(validation, validation)["he"].setting == "a"
