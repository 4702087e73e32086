"""The table of streams."""

import re

import numpy as np

from initlab import streams
from initlab.streams import derived_stream, lessons_stream, stream

PURPOSES = {
    name: value
    for name, value in vars(streams).items()
    if name.isupper() and name.isidentifier() and isinstance(value, int)
}


def test_the_table_lists_every_purpose_with_its_number():
    rows = re.findall(r"^\| ([A-Z_]+) +\|.*\((?:(?:dataset\.)?seed|0), (\d+)", streams.__doc__, re.MULTILINE)
    assert {name: int(number) for name, number in rows} == {k: v for k, v in PURPOSES.items() if v}
    assert len(set(PURPOSES.values())) == len(PURPOSES) == 12


def test_no_stream_of_one_seed_is_a_stream_of_another_or_of_another_purpose():
    begun = [stream(seed, purpose) for seed in (0, 1, 2, 3, 5, 2**32 - 1) for purpose in PURPOSES.values()]
    begun += [derived_stream(rng) for rng in begun]
    begun += [stream(3, streams.DIRECTIONS, iteration) for iteration in (0, 1, 2)]
    firsts = [tuple(rng.random_sample(3)) for rng in begun]
    assert len(set(firsts)) == len(firsts)


def test_the_weights_are_of_the_seed_alone():
    for seed in (0, 3, 2**32 - 1):
        np.testing.assert_array_equal(
            stream(seed, streams.WEIGHTS).standard_normal(7), np.random.RandomState(seed).standard_normal(7)
        )


def test_the_lessons_streams_are_those_of_seed_1_and_no_other():
    for purpose, own in ((streams.TRAINING, 1), (streams.TEST, 2), (streams.SPLIT, 1)):
        assert lessons_stream(1, purpose).rand() == np.random.RandomState(own).rand()
        for seed in (0, 2, 3):
            assert lessons_stream(seed, purpose).rand() == stream(seed, purpose).rand()
