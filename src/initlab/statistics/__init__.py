"""Statistics of runs that share their seeds: intervals, paired comparisons, verdicts on pairs, ranks.

Everything takes plain numbers, where more is better and a run that diverged is the worst there can be,
−inf at the lowest.
"""

from initlab.statistics.intervals import Interval, median_interval, quartiles, share_interval
from initlab.statistics.pairs import Pair, compare_pairs
from initlab.statistics.ranks import Ranking, average_ranks
from initlab.statistics.sequence import fewest_to_decide, median_sequence
from initlab.statistics.specification import Specifications, specifications

__all__ = [
    "Interval",
    "Pair",
    "Ranking",
    "Specifications",
    "average_ranks",
    "compare_pairs",
    "fewest_to_decide",
    "median_interval",
    "median_sequence",
    "quartiles",
    "share_interval",
    "specifications",
]
