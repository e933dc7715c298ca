"""How many of the matches are false: the statistics of one class of equally complete rows.

Similarities of partners are those that n people have, and those that M decoys would get if each decoy joined the
assignment alone (0 for no partner); best similarities are those before anyone competes. Functions of counts take
numbers or arrays of them, so that the bootstrap repeats them for all replicates at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pprl.core.distributions import hypergeometric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NumberOrArray = TypeVar("NumberOrArray", float, Floats)

MIN_DECOYS = 20
UNIT = 2.0**20  # what is summed over people is whole multiples of 2^-20, so that the order of adding decides no digit


@dataclass(frozen=True)
class Curve:
    """Matches, and how many of them are false, at each possible threshold from the highest similarity to the lowest."""

    threshold: Floats
    found: Floats
    false: Floats  # π0 · (what chance gives, and one more)

    def false_match_rate(self) -> Floats:
        return np.minimum(1.0, self.false / self.found)

    def q_values(self) -> Floats:
        """The lowest false-match rate at which a pair of this similarity is still a match; it rises as similarity
        falls."""
        return np.minimum.accumulate(self.false_match_rate()[::-1])[::-1]

    def at_rate(self, rate: float) -> int:
        """The index of the lowest threshold whose false-match rate meets ``rate``; −1 where none does."""
        meets = np.flatnonzero(self.false_match_rate() <= rate)
        return int(meets[-1]) if len(meets) else -1


@dataclass(frozen=True)
class Sample:
    """One class of rows: the similarities of partners, ``real`` (n,) and ``decoy`` (M,), and how ``low`` each of the n
    people ranks among their own decoys (`rank_among_own_decoys`), at λ = ``lam``."""

    real: Floats
    decoy: Floats
    low: Floats
    lam: float

    def pi0(self) -> float:
        """The share of the class that is absent from the registry, estimated from above."""
        return float(estimate_pi0(float(self.low.sum()), float(len(self.low)), self.lam))

    def reach(self, threshold: float) -> float:
        """The share of decoys that get a partner at the threshold or above."""
        return float((self.decoy >= threshold).mean())

    def curve(self, pi0: float) -> Curve:
        """Matches and false matches at every distinct similarity of a person's partner."""
        falling, decoys = -np.sort(-self.real), np.sort(self.decoy)
        last_of_equals = np.flatnonzero(np.append(falling[1:] != falling[:-1], True) & (falling > 0))
        threshold = falling[last_of_equals]
        reached = len(decoys) - np.searchsorted(decoys, threshold, side="left")
        false = false_by_chance(pi0, reached, len(falling), len(decoys))
        return Curve(threshold, (last_of_equals + 1).astype(np.float64), false)


def rank_among_own_decoys(real_best: Floats, decoy_best: Floats, owner: Ints, lam: float) -> Floats:
    """The probability that each person is among the lowest ``lam`` of themselves and their own k decoys: shape (n,).

    clip(λ (k + 1) − b, 0, e + 1) / (e + 1), where b decoys are below the person and e are equal: the probability of
    being among the lowest if equals are in random order and a rank that λ cuts through counts in part. Its mean
    over the k + 1 is λ whatever their values, so it is λ for an absent person, who is like their decoys. A person
    without decoys is compared with all of them.

    One limit for all people would be wrong: among people written with initials, or with a rare name, those who are
    present may be no closer than everyone else's decoys are (docs/statistics.md).
    """
    people, sorted_decoys = len(real_best), np.sort(decoy_best)
    count = np.bincount(owner, minlength=people)
    below = np.bincount(owner, weights=decoy_best < real_best[owner], minlength=people)
    equal = np.bincount(owner, weights=decoy_best == real_best[owner], minlength=people)
    alone = np.flatnonzero(count == 0)
    count[alone], below[alone] = len(sorted_decoys), np.searchsorted(sorted_decoys, real_best[alone], side="left")
    equal[alone] = np.searchsorted(sorted_decoys, real_best[alone], side="right") - below[alone]
    low = np.clip(lam * (count + 1) - below, 0, equal + 1) / (equal + 1)
    whole_units: Floats = np.rint(low * UNIT) / UNIT
    return whole_units


def estimate_pi0(low: NumberOrArray, people: NumberOrArray, lam: float) -> NumberOrArray:
    """π0 = min(1, (L + 1) / (n + 1) / λ), where L is the sum of the `rank_among_own_decoys` of n people.

    Storey (2002, J. R. Stat. Soc. B 64:479), with each person's rank among their decoys in place of a p-value: an upper
    estimate, since present people with poor similarities count as absent. Numbers, or arrays of one shape.
    """
    pi0: NumberOrArray = np.minimum(1.0, (low + 1) / (people + 1) / lam)
    return pi0


def false_by_chance(
    pi0: float | Floats, reached: Ints | Floats, people: float | Floats, decoys: float | Floats
) -> Floats:
    """π0 · (n · r + max(1, n/M)), where r is the share of the M decoys that reach the threshold.

    Of n people like the decoys, n · r match (Elias & Gygi 2007). One decoy more is counted, or one person if that is
    more, so that a threshold chosen with these decoys stays conservative (Levitsky et al. 2017); and since only absent
    people can match falsely, the sum is multiplied by π0 (Käll et al. 2008). ``reached`` is an array; the others are
    numbers or arrays of its shape.
    """
    false: Floats = pi0 * (reached / decoys * people + np.maximum(1.0, people / decoys))
    return false


def null_threshold(decoy_best: Floats) -> tuple[float, int]:
    """T0 and r, from the decoys alone: the r-th largest of M best similarities, r = ⌈.01 M⌉. Where several decoys share
    that similarity, the next value below it and its rank.

    Where namesakes abound, more than 1% of the decoys may have a similarity of 1, and nothing lies above that. T0 is −1
    where all decoys are equal.
    """
    falling = -np.sort(-decoy_best)
    r = math.ceil(0.01 * len(falling))
    if (falling == falling[r - 1]).sum() > 1:
        r = int((falling >= falling[r - 1]).sum()) + 1
    return (float(falling[r - 1]), r) if r <= len(falling) else (-1.0, r)


def p_value(real_best: Floats, decoy_best: Floats) -> float:
    """One test, fixed in advance: are the list's best similarities higher than its decoys'?

    T0 is the r-th largest of M decoys (`null_threshold`); with x of n people strictly above it, p = P(at most r − 1
    decoys among the x + r − 1 highest) under exchangeability, hypergeometric. Approximate, since decoys share values
    with the people they were made from. A test of the same scores by which its threshold was chosen would be wrong in
    17–26% of cases.
    """
    n, m = len(real_best), len(decoy_best)
    limit, r = null_threshold(decoy_best)
    above = int((real_best > limit).sum())
    return hypergeometric(0, r - 1, population=n + m, marked=m, drawn=above + r - 1) if r <= m else 1.0


def p_relatives(real_best: Floats, decoy_best: Floats, relative_best: Floats) -> float:
    """The same test against relatives: do more people on the list than invented relatives lie above the decoys' T0?

    Fisher's exact test, one-sided, of x of n people against y of m relatives above T0: P(at least x) under
    hypergeom(n + m, x + y, n). T0 comes from the decoys, so it is fixed before people and relatives are
    compared. The highest relatives would be no limit, since in a large registry a relative's name is somebody's.
    """
    limit, _ = null_threshold(decoy_best)
    x, y = int((real_best > limit).sum()), int((relative_best > limit).sum())
    n, m = len(real_best), len(relative_best)
    return hypergeometric(x, n, population=n + m, marked=x + y, drawn=n)


def fewest_findable(pi0: float, rate: float, people: int, decoys: int) -> int:
    """The fewest matches of a class that can meet ``rate``, all of them above every decoy: π0 · max(1, n/M) / x ≤
    rate."""
    return math.ceil(pi0 * max(1.0, people / decoys) / rate - 1e-9)
