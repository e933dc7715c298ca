"""Rounded counts, the counts that a rounded one stands for, and shares that say no more than rounded counts do."""

from __future__ import annotations

import math
from typing import Any


def rounded(figure: float, base: int) -> int:
    """The nearest multiple of the base, halves towards 0.

    Every published multiple then stands for exactly ``base`` counts, and 0 for ⌊base/2⌋ + 1: never for a single one.
    If halves went away from 0, a published 0 would mean exactly 0 at base 2; if they went to even, every other
    multiple would stand for ``base − 1`` counts.

    >>> [rounded(count, 5) for count in (2, 3, 7, 8)], [rounded(count, 10) for count in (5, 6, 15)]
    ([0, 5, 5, 10], [0, 10, 10])
    """
    return int(math.copysign(base * math.ceil(round(abs(figure) / base - 0.5, 9)), figure))


def stands_for(published: int, base: int) -> tuple[int, int]:
    """The least and the largest count that round to this one.

    >>> stands_for(0, 5), stands_for(10, 5), stands_for(10, 10)
    ((0, 2), (8, 12), (6, 15))
    """
    return max(0, published - (base - 1) // 2), published + base // 2


def share_between(count: tuple[int, int], of: tuple[int, int], shown: tuple[int, int]) -> Any:
    """The share of two published counts; a bound, ``{"at_most": s}`` or ``{"at_least": s}``, where it is 0 or 1.

    ``shown`` holds the published counts, ``count`` and ``of`` the ranges that they stand for. None if the whole is 0.
    """
    part, whole = shown
    if whole <= 0:
        return None
    share = round(part / whole, 3)
    if count[0] == count[1] and of[0] == of[1]:
        return share  # both counts are published exactly
    if share <= 0:
        return {"at_most": min(1.0, math.ceil(1000 * count[1] / max(1, of[0])) / 1000)}
    if share >= 1:
        return {"at_least": math.floor(1000 * min(1.0, count[0] / of[1])) / 1000}
    return share
