"""Intervals for shares that were counted."""

from __future__ import annotations

import math


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % interval for a share (Wilson 1927, J. Am. Stat. Assoc. 22:209); 0 to 1 where there is nothing to count."""
    if of == 0:
        return 0.0, 1.0
    z = 1.959964
    share, room = found / of, z * z / of
    middle, half = share + room / 2, z * math.sqrt(share * (1 - share) / of + room / (4 * of))
    low, high = (middle - half) / (1 + room), (middle + half) / (1 + room)
    return (0.0 if found == 0 else low), (1.0 if found == of else high)
