"""How certain the estimated true matches are: people are drawn again and again with their decoys.

Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 13.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pprl.core.randomness import RandomStream
from pprl.judge.assignment import NONE
from pprl.judge.error_rates import estimate_pi0, false_by_chance
from pprl.judge.matches import ClassMatches, Matches

REPLICATES = 400
DRAWN_AT_ONCE = 2**22  # people times replicates in memory
LEVEL = 0.95

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def intervals(matches: Matches, groups: Sequence[Ints], draws: RandomStream) -> list[tuple[float, float]]:
    """The middle 95% of the estimated true matches, over all people and for each group of a partition.

    Each of 400 replicates repeats π0 and the false matches at the thresholds of the classes. The thresholds stay: if
    they were chosen again, the interval of a class on the edge of matching would reach down to 0, and cover no better
    (docs/statistics.md). ``groups`` are partitions: the number of each person's group, −1 for none. The false matches
    of a class fall on its groups as their absent people do (`absent_weights`). The lower end counts the decoys that
    `Cut` counts, the upper end those that reach the last match. The first interval is that of all people; then come the
    groups of each partition in order.
    """
    people = len(matches.found)
    sizes = [int(group.max(initial=NONE)) + 1 for group in groups]
    shares = [absent_weights(matches, group, size) for group, size in zip(groups, sizes, strict=True)]
    fewest, most = np.zeros((2, 1 + sum(sizes), REPLICATES))
    width = max(1, min(REPLICATES, DRAWN_AT_ONCE // max(1, people)))
    for begin in range(0, REPLICATES, width):
        drawn = _draw(people, min(width, REPLICATES - begin), draws)
        for judged in matches.classes:
            if judged.cut is None:
                continue
            found = drawn[judged.people] * matches.found[judged.people][:, None]
            of_groups = [
                _sum_by_group(group[judged.people], size, found) for group, size in zip(groups, sizes, strict=True)
            ]
            for totals, down_to in ((fewest, judged.cut.down_to), (most, judged.cut.threshold)):
                block = totals[:, begin : begin + width]
                counted, false = _drawn_false(judged, down_to, matches, drawn, found)
                block[0] += np.maximum(0.0, found.sum(axis=0) * counted - false)
                start = 1
                for group_found, size, share in zip(of_groups, sizes, shares, strict=True):
                    block[start : start + size] += group_found * counted - np.outer(share[judged.number], false)
                    start += size
    low, high = (
        np.quantile(np.maximum(totals, 0.0), (1 + sign * LEVEL) / 2, axis=1)
        for totals, sign in ((fewest, -1), (most, 1))
    )
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _draw(people: int, replicates: int, draws: RandomStream) -> Floats:
    """How often each person is drawn in each replicate, (people, replicates)."""
    replicate = np.repeat(np.arange(replicates), people)
    cells = draws.below(people, len(replicate)) * replicates + replicate
    return np.bincount(cells, minlength=len(cells)).reshape(people, replicates).astype(np.float64)


def _sum_by_group(group: Ints, size: int, found: Floats) -> Floats:
    """Matches of a class by group, (size, replicates)."""
    inside = np.flatnonzero(group != NONE)
    membership = csr_array((np.ones(len(inside)), (group[inside], np.arange(len(inside)))), shape=(size, len(inside)))
    return np.asarray(membership @ found[inside])


def _drawn_false(
    judged: ClassMatches, down_to: float, matches: Matches, drawn: Floats, found: Floats
) -> tuple[Bools, Floats]:
    """Which replicates count for a class, (replicates,), and their false matches if decoys count down to a similarity.

    ``drawn`` is how often each person of the list was drawn, (all people, replicates), ``found`` the same for those of
    the class who match. A replicate without decoys of the class, or without a match, has no matches.
    """
    sample, owner = judged.sample, matches.assignment.owner[judged.decoys]

    def decoys(which: Bools) -> Floats:
        counts: Floats = np.bincount(owner[which], minlength=len(drawn)) @ drawn
        return counts

    people_drawn = drawn[judged.people]
    made = decoys(np.ones(len(owner), dtype=bool))
    counted = (found.sum(axis=0) > 0) & (made > 0)
    people, made = people_drawn.sum(axis=0), np.maximum(made, 1.0)
    pi0 = estimate_pi0(sample.low @ people_drawn, people, sample.lam)
    return counted, counted * false_by_chance(pi0, decoys(sample.decoy >= down_to), people, made, sample.least)


def absent_weights(matches: Matches, group: Ints, size: int) -> dict[int, Floats]:
    """How the false matches of each class fall on the groups: in proportion to π0 of the group times its people.

    π0 of a group is that of its people over all classes. Shape (size,); the sum is the share of the class that is in a
    group.
    """
    low, members, lam = np.zeros(size), np.zeros(size), 0.5
    for judged in matches.classes:
        class_groups, lam = group[judged.people], judged.sample.lam
        inside = class_groups != NONE
        members += np.bincount(class_groups[inside], minlength=size)
        low += np.bincount(class_groups[inside], weights=judged.sample.low[inside], minlength=size)
    pi0 = estimate_pi0(low, members, lam)
    shares: dict[int, Floats] = {}
    for judged in matches.classes:
        class_groups = group[judged.people]
        absent = pi0 * np.bincount(class_groups[class_groups != NONE], minlength=size)
        inside_share = (class_groups != NONE).mean() if len(class_groups) else 0.0
        shares[judged.number] = absent / max(absent.sum(), 1e-12) * inside_share
    return shares
