"""What rounds of pairs say: the median of their ratios, and how far it can be trusted."""

import math
import statistics


def interval(values):
    """Bounds of the median that hold in 19 of 20 cases, whatever the values' distribution: the order
    statistics of the sign test (Conover, Practical Nonparametric Statistics, 3.2). Below six values,
    the least and the largest, which hold in fewer."""
    ordered = sorted(values)
    count = len(ordered)
    skip = 0
    outside = 2 * 0.5 ** count  # how likely it is that the median is beyond the outermost values
    while skip < (count - 1) // 2:
        outside += 2 * math.comb(count, skip + 1) * 0.5 ** count
        if outside > 0.05:
            break
        skip += 1
    return ordered[skip], ordered[count - 1 - skip]


def bounds(values):
    return "{:.2f} to {:.2f}".format(*interval(values))


def sure(values, width):
    """Whether the median is known to `width` of itself to either side."""
    if len(values) < 6:
        return False
    low, high = interval(values)
    at = statistics.median(values)
    return high - at <= width * at and at - low <= width * at


def in_turn(items, number):
    """The order of a round: there in one, back in the next, so that a drift favours none."""
    return items if number % 2 == 0 else items[::-1]
