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

from pprl.core.distributions import exceedances, hypergeometric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.uint64]
NumberOrArray = TypeVar("NumberOrArray", float, Floats)

MIN_DECOYS = 20
REGISTRY_SHARE = 0.001  # of the registry's decoys reach the limit of the test against them
LEAST_FALSE, MATCHES_AT_LEAST = 0.1, 5  # false matches that are expected of any threshold, in people
UNIT = 2.0**20  # what is summed over people is whole multiples of 2^-20, so that the order of adding decides no digit


@dataclass(frozen=True)
class Curve:
    """Matches, and how many of them are false, at each possible threshold from the highest similarity to the lowest."""

    threshold: Floats
    found: Floats
    false: Floats  # π0 · (what chance gives, and a little more)

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
class Cut:
    """The similarity of the last match, and how many matches are expected to be false: of the decoys those count that
    reach ``down_to``."""

    threshold: float
    down_to: float
    false: float


@dataclass(frozen=True)
class Sample:
    """One class of rows: the similarities of partners, ``real`` (n,) and ``decoy`` (M,), and how ``low`` each of the n
    people ranks among their own decoys (`rank_among_own_decoys`), at λ = ``lam``. At any threshold at least ``least``
    false matches are expected (`least_false`)."""

    real: Floats
    decoy: Floats
    low: Floats
    lam: float
    least: float = LEAST_FALSE

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
        false = false_by_chance(pi0, reached, len(falling), len(decoys), self.least)
        return Curve(threshold, (last_of_equals + 1).astype(np.float64), false)

    def cut(self, curve: Curve, pi0: float, rate: float) -> Cut | None:
        """The lowest threshold that keeps ``rate``; None where there is none.

        The last match is where it is because it was chosen, so fewer decoys reach it than people do by chance, and the
        rate would seem lower than it is. So decoys count down to the next person, as many as the rate allows. But where
        more than one person would match by chance in between, and nobody does, that choice decides nothing.
        """
        index = curve.at_rate(rate)
        if index < 0:
            return None
        last, found = float(curve.threshold[index]), float(curve.found[index])
        following = float(curve.threshold[index + 1]) if index + 1 < len(curve.threshold) else 0.0
        between = np.unique(self.decoy[(self.decoy > following) & (self.decoy < last)])
        reached = len(self.decoy) - np.searchsorted(np.sort(self.decoy), between, side="left")
        false = false_by_chance(pi0, reached, len(self.real), len(self.decoy), self.least)
        meets = np.flatnonzero((false / found <= rate) & (false - curve.false[index] <= 1))
        if len(meets):
            return Cut(last, float(between[meets[0]]), float(false[meets[0]]))
        return Cut(last, last, float(curve.false[index]))


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


def least_false(rate: float) -> float:
    """The false matches that are expected at the least of any threshold, by the rate asked for: 5 × rate, .1 to 1.

    So in a class where nearly everybody is absent, at least five matches count, and at 1% ten.
    """
    return min(1.0, max(LEAST_FALSE, MATCHES_AT_LEAST * rate))


def false_by_chance(
    pi0: float | Floats, reached: Ints | Floats, people: float | Floats, decoys: float | Floats, least: float
) -> Floats:
    """π0 · (n · r + max(least, n/M)), where r is the share of the M decoys that reach the threshold.

    Of n people like the decoys, n · r match (Elias & Gygi 2007). One decoy more is counted, since the threshold is
    chosen with these decoys (Levitsky et al. 2017; with several decoys a person Emery, Hasam, Noble & Keich 2020), or
    `least_false` where that is more, since decoys of a short list share its few values (docs/statistics.md §3). Only
    absent people can match falsely, so the sum is multiplied by π0 (Käll et al. 2008). ``reached`` is an array; the
    others are numbers or arrays of its shape.
    """
    false: Floats = pi0 * (reached / decoys * people + np.maximum(least, people / decoys))
    return false


def null_threshold(decoy_best: Floats, share: float = 0.01) -> tuple[float, int]:
    """T0 and r, from the decoys alone: the r-th largest of M best similarities, r = ⌈share · M⌉. Where several decoys
    share that similarity, or it is 1, the next value below it and its rank.

    Where namesakes abound, more than 1% of the decoys may have a similarity of 1, and nothing lies above that. T0 is −1
    where all decoys are equal.
    """
    falling = -np.sort(-decoy_best)
    r = math.ceil(share * len(falling))
    if falling[r - 1] == 1 or (falling == falling[r - 1]).sum() > 1:
        r = int((falling >= falling[r - 1]).sum()) + 1
    return (float(falling[r - 1]), r) if r <= len(falling) else (-1.0, r)


def p_value(real_best: Floats, decoy_best: Floats, *, times: int = 1, share: float = 0.01) -> float:
    """One test, fixed in advance: are the list's best similarities higher than its decoys'?

    T0 is the r-th largest of M decoys (`null_threshold`); with x of n people strictly above it, p = P(at most r − 1
    decoys among the x + r − 1 highest) under exchangeability, hypergeometric. Approximate, since decoys share values
    with the people they were made from. A test of the same scores by which its threshold was chosen would be wrong in
    17–26% of cases. With ``times`` the test holds even if absent people lie above T0 so many times as often as decoys
    do: as if so many times r decoys lay there.
    """
    n, m = len(real_best), len(decoy_best)
    limit, r = null_threshold(decoy_best, share)
    above, r = int((real_best > limit).sum()), times * r
    return hypergeometric(0, r - 1, population=n + m, marked=m, drawn=above + r - 1) if r <= m else 1.0


@dataclass(frozen=True)
class Strangers:
    """The registry's own decoys: their best similarities, and which fields each has filled (`shape_number`)."""

    best: Floats
    shapes: Shapes

    def like(self, shape: int) -> Floats:
        """The best similarities of those who have the same fields filled, or of the usual ones where few have.

        Those of the usual ones, who say more, come closer.
        """
        shapes, counts = np.unique(self.shapes, return_counts=True)
        alike = self.shapes == shape
        best: Floats = self.best[alike if alike.sum() >= MIN_DECOYS else self.shapes == shapes[counts.argmax()]]
        return best


def p_registry(real_best: Floats, shapes: Shapes, strangers: Strangers) -> float:
    """The test against the registry's own decoys: does the list come nearer to the registry than they do?

    Each person against those who have the same fields filled. How many lie above the T0 of those is compared with
    `exceedances`. T0 is a higher one (`REGISTRY_SHARE` of them reach it) than that of `p_value`, since these decoys
    share values with registered people more often than absent people do.
    """
    above, by_chance = 0, np.ones(1)
    for shape in np.unique(shapes).tolist():
        inside, null = shapes == shape, strangers.like(shape)
        limit, r = null_threshold(null, REGISTRY_SHARE)
        if r <= len(null):
            above += int((real_best[inside] > limit).sum())
            by_chance = np.convolve(by_chance, exceedances(int(inside.sum()), r, len(null)))
    return min(1.0, math.fsum(by_chance[above:].tolist())) if len(by_chance) > 1 else 1.0


def p_relatives(real_best: Floats, decoy_best: Floats, relative_best: Floats, *, times: int = 1) -> float:
    """The same test against relatives: do more people on the list than invented relatives lie above the decoys' T0?

    Fisher's exact test, one-sided, of x of n people against y of m relatives above T0: P(at least x) under
    hypergeom(n + m, x + y, n). T0 comes from the decoys, so it is fixed before people and relatives are
    compared. The highest relatives would be no limit, since in a large registry a relative's name is somebody's.
    ``times`` as for `p_value`.
    """
    limit, _ = null_threshold(decoy_best)
    n, m = len(real_best), len(relative_best)
    x, y = int((real_best > limit).sum()), min(m, times * int((relative_best > limit).sum()))
    return hypergeometric(x, n, population=n + m, marked=x + y, drawn=n)


def fewest_findable(rate: float, people: int, decoys: int, identical: int) -> int:
    """The fewest people of a class who must be present, and equal in everything, for any to match at ``rate``.

    ``identical`` of the decoys equal a registry row in everything. If c = n · r + max(`least_false`, n/M) false matches
    are expected where nobody is present, x people meet the rate where (1 − x/n) · c ≤ rate · x.
    """
    chance = float(false_by_chance(1.0, np.array(identical), people, decoys, least_false(rate)))
    return max(1, math.ceil(chance / (rate + chance / people) - 1e-9))


def fewest_testable(level: float, people: int, decoy_best: Floats, share: float = 0.01) -> int:
    """The fewest people who must be present, and closer than all decoys, for `p_value` to fall below ``level``.

    As many others as chance gives lie above T0 with them.
    """
    m = len(decoy_best)
    _, r = null_threshold(decoy_best, share)
    if r > m:
        return people + 1
    by_chance = round(people * (r - 1) / m)
    low, high = 0, people + 1
    while low < high:  # p falls as more lie above
        above = (low + high) // 2
        p = hypergeometric(0, r - 1, population=people + m, marked=m, drawn=above + r - 1)
        low, high = (low, above) if p < level else (above + 1, high)
    return max(1, min(low - by_chance, people + 1) if low <= people else people + 1)
