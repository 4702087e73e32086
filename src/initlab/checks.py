"""What a hyper-parameter may be, said once, in the signature of the function that takes it.

``def gd(..., *, learning_rate: Positive)`` reads as a type and is also the rule by which a config is
checked before any work is done (see ``config.check``).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Rule:
    """A test of one value, and the words that complete 'must be ...' when the test fails."""

    allowed: str
    accepts: Callable[[Any], bool]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Returns whether a value is a finite number, true and false left out."""
    return (_is_whole(value) or isinstance(value, float)) and math.isfinite(value)


def one_of(*choices: str) -> Rule:
    """Returns the rule for a value that must be one of these names."""
    return Rule(f"one of {', '.join(choices)}", lambda value: value in choices)


Count = Annotated[int, Rule("a whole number of at least 1", lambda v: _is_whole(v) and v >= 1)]
Size = Annotated[int, Rule("a whole number of at least 0", lambda v: _is_whole(v) and v >= 0)]
Seed = Annotated[int, Rule("a whole number from 0 to 4294967295", lambda v: _is_whole(v) and 0 <= v < 2**32)]
Number = Annotated[float, Rule("a finite number", is_number)]
Positive = Annotated[float, Rule("a finite number greater than 0", lambda v: is_number(v) and v > 0)]
NonNegative = Annotated[float, Rule("a finite number of at least 0", lambda v: is_number(v) and v >= 0)]
Decay = Annotated[
    float,
    Rule("a number of at least 0 and less than 1", lambda v: is_number(v) and 0 <= v < 1),
]
Flag = Annotated[bool, Rule("true or false", lambda v: isinstance(v, bool))]
Widths = Annotated[
    Sequence[int],
    Rule(
        "a list of whole numbers of at least 1, such as [10, 5]",
        lambda v: isinstance(v, list | tuple) and all(_is_whole(n) and n >= 1 for n in v),
    ),
]
Share = Annotated[
    float, Rule("a number greater than 0 and less than 1", lambda v: is_number(v) and 0 < v < 1)
]
Classes = Annotated[int, Rule("a whole number of at least 2", lambda v: _is_whole(v) and v >= 2)]
Name = Annotated[str, Rule("a non-empty text (a number in quotes)", lambda v: isinstance(v, str) and v != "")]
