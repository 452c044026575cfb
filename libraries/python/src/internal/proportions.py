"""The interval of a proportion: how far the share of successes in a sample may be from the true one."""

from math import sqrt

NORMAL_975 = 1.959963984540054  # the standard normal's 97.5 % quantile


def wilson_interval(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a proportion by Wilson's score (Wilson 1927, JASA 22), which stays within 0 and 1.

    Args:
        share: Successes over trials.
        count: Independent trials, above 0; where trials overlap, how many independent ones they are worth.

    >>> [round(edge, 4) for edge in wilson_interval(0.8, 10)]
    [0.4902, 0.9433]
    """
    spread = NORMAL_975**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL_975 * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)
