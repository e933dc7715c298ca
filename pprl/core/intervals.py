"""Intervals for shares of counts."""

from __future__ import annotations

import math

Z = 1.959964  # 95% of a normal distribution lie within ± Z


def wilson(count: float, total: float) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209); 0 to 1 where nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    share, room = count / total, Z * Z / total
    middle, half = share + room / 2, Z * math.sqrt(share * (1 - share) / total + room / (4 * total))
    low, high = (middle - half) / (1 + room), (middle + half) / (1 + room)
    return (0.0 if count == 0 else low), (1.0 if count == total else high)


def observed(rate: float, interval: tuple[float, float], people: float) -> tuple[float, float]:
    """Where the share observed in ``people`` lies with 95%, from a rate and its interval.

    The distance of each end and that of chance are added in squares (after Zou & Donner 2008, Stat. Med. 27:1693).
    """

    def distance(end: float) -> float:
        return math.sqrt((rate - end) ** 2 + Z * Z * max(rate * (1 - rate), end * (1 - end)) / people)

    low, high = interval
    return max(0.0, rate - distance(low)), min(1.0, rate + distance(high))
