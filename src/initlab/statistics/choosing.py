"""Which of its settings an entrant is judged by: chosen by validation, so that the test stays honest."""

from collections.abc import Hashable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from initlab.statistics.intervals import median

BySetting: TypeAlias = Mapping[Hashable, Mapping[int, float]]


class Choice(NamedTuple):
    """The setting of an entrant, such as its learning rate, and what it was chosen by.

    'validation': the test values of this setting come from data that had no say in the choice. 'test': they
    had one, so they are too good on average, the more so the more settings there were. 'only one': nothing
    was chosen.
    """

    setting: Hashable
    chosen_by: Literal["validation", "test", "only one"]


def choose_settings(validation: Mapping[str, BySetting], test: Mapping[str, BySetting]) -> dict[str, Choice]:
    """Returns for each entrant of ``test`` the setting with the best median over its seeds, the first of
    equals.

    Values are by entrant, setting and seed; higher is better, −∞ where a run diverged. All entrants are
    chosen by the same: by validation if every run of ``test`` has a value there, else by the test values.
    The seeds are the same in both, so luck with a seed's weights is in both; over many seeds it is small.
    """
    validated = all(
        test[name][setting].keys() <= validation.get(name, {}).get(setting, {}).keys()
        for name in test
        for setting in test[name]
    )
    source = validation if validated else test
    choices = {}
    for name, by_setting in test.items():
        medians = {setting: median(list(source[name][setting].values())) for setting in by_setting}
        by: Literal["validation", "test"] = "validation" if validated else "test"
        best = max(medians, key=lambda setting: medians[setting])
        choices[name] = Choice(best, by if len(medians) > 1 else "only one")
    return choices
