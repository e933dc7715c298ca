"""Intervals for shares of counts."""

from __future__ import annotations

import math


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209); 0 to 1 where nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    z = 1.959964
    share, room = count / total, z * z / total
    middle, half = share + room / 2, z * math.sqrt(share * (1 - share) / total + room / (4 * total))
    low, high = (middle - half) / (1 + room), (middle + half) / (1 + room)
    return (0.0 if count == 0 else low), (1.0 if count == total else high)
