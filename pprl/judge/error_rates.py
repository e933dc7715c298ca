"""How many of the found are false: the statistics of one class of rows that are equally complete.

Similarities of partners are those that n real rows have, and that M decoys would get if each arrived alone (0 where
there is none); best similarities are those before anyone competes.
What is computed from counts takes numbers or arrays of them, so that the bootstrap repeats it for all replicates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.distributions import hypergeometric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_DECOYS = 20
UNIT = 2.0**20  # what is summed over people is whole numbers of 2^-20, so that no order of adding decides a digit


@dataclass(frozen=True)
class Curve:
    """What is found and what of it is false at each possible threshold, from the highest similarity to the lowest."""

    threshold: Floats
    found: Floats
    false: Floats  # π0 · (what chance gives, and one more)

    def false_match_rate(self) -> Floats:
        return np.minimum(1.0, self.false / self.found)

    def q_values(self) -> Floats:
        """The lowest false-match rate at which a pair of this similarity would still be found; rises as similarity
        falls."""
        return np.minimum.accumulate(self.false_match_rate()[::-1])[::-1]

    def at_rate(self, rate: float) -> int:
        """The place of the lowest threshold whose false-match rate meets ``rate``; −1 where none does."""
        meets = np.flatnonzero(self.false_match_rate() <= rate)
        return int(meets[-1]) if len(meets) else -1


@dataclass(frozen=True)
class Sample:
    """One class of rows: the similarities of partners, ``real`` (n,) and ``decoy`` (M,), and how ``low`` each of the n
    people stands among his own decoys (`lows`), at λ = ``lam``."""

    real: Floats
    decoy: Floats
    low: Floats
    lam: float

    def share_without_partner(self) -> float:
        """π0 of the class."""
        return float(share_without_partner(self.low.sum(), len(self.low), self.lam))

    def reach(self, threshold: float) -> float:
        """The share of decoys that get a partner at the threshold or above."""
        return float((self.decoy >= threshold).mean())

    def curve(self, pi0: float) -> Curve:
        """Found and false at every distinct similarity of a real partner."""
        falling, decoys = -np.sort(-self.real), np.sort(self.decoy)
        last_of_equals = np.flatnonzero(np.append(falling[1:] != falling[:-1], True) & (falling > 0))
        threshold = falling[last_of_equals]
        reached = len(decoys) - np.searchsorted(decoys, threshold, side="left")
        false = false_by_chance(pi0, reached, len(falling), len(decoys))
        return Curve(threshold, (last_of_equals + 1).astype(np.float64), false)


def lows(real_best: Floats, decoy_best: Floats, owner: Ints, lam: float) -> Floats:
    """How surely each person is among the lowest ``lam`` of himself and the k decoys that were made of him: (n,), from
    0 to 1.

    clip(λ (k + 1) − b, 0, e + 1) / (e + 1), where b decoys lie below him and e are equal: the chance that he is, if
    equals are put in a random order and a place that λ cuts through counts in part. Its mean over the k + 1 is λ
    whatever their values, so it is λ for an absent person, who is like his decoys. Who has none is held against all.

    One limit for all would not do: among people written with initials, or with a rare name, who is present may be no
    nearer than everybody else's decoys are (docs/statistics.md).
    """
    people, place = len(real_best), np.sort(decoy_best)
    count = np.bincount(owner, minlength=people)
    below = np.bincount(owner, weights=decoy_best < real_best[owner], minlength=people)
    equal = np.bincount(owner, weights=decoy_best == real_best[owner], minlength=people)
    alone = np.flatnonzero(count == 0)
    count[alone], below[alone] = len(place), np.searchsorted(place, real_best[alone], side="left")
    equal[alone] = np.searchsorted(place, real_best[alone], side="right") - below[alone]
    low = np.clip(lam * (count + 1) - below, 0, equal + 1) / (equal + 1)
    whole: Floats = np.rint(low * UNIT) / UNIT
    return whole


def share_without_partner(low: Any, people: Any, lam: float) -> Any:
    """π0 = min(1, (L + 1) / (n + 1) / λ), where L is the sum of how `low` the n people are.

    Storey (2002, J. R. Stat. Soc. B 64:479), each person ranked among his decoys in place of a p-value: an upper
    estimate, since present people with poor similarities count as absent. Numbers or arrays of one shape.
    """
    return np.minimum(1.0, (low + 1) / (people + 1) / lam)


def false_by_chance(pi0: Any, reached: Any, people: Any, decoys: Any) -> Any:
    """π0 · (n · r + max(1, n/M)), where r is the share of the M decoys that reach the threshold.

    Of n people like the decoys, n · r are found (Elias & Gygi 2007). One decoy more is counted, or one person if that
    is more, so that a threshold chosen with these decoys stays conservative (Levitsky et al. 2017); and since only
    absent people can be found falsely, the sum is multiplied by π0 (Käll et al. 2008). Numbers or arrays of one shape.
    """
    return pi0 * (reached / decoys * people + np.maximum(1.0, people / decoys))


def fixed_limit(decoy_best: Floats) -> tuple[float, int]:
    """T0 and r, from the decoys alone: the r-th largest of M best similarities, r = ⌈.01 M⌉, and where several decoys
    share it, the next below them and its place.

    Where namesakes abound, more than 1 % of decoys may have a similarity of 1, and nothing lies above that. −1 where
    all decoys are alike.
    """
    falling = -np.sort(-decoy_best)
    r = math.ceil(0.01 * len(falling))
    if (falling == falling[r - 1]).sum() > 1:
        r = int((falling >= falling[r - 1]).sum()) + 1
    return (float(falling[r - 1]), r) if r <= len(falling) else (-1.0, r)


def p_value(real_best: Floats, decoy_best: Floats) -> float:
    """One test, fixed beforehand: are the list's best similarities higher than its decoys'?

    T0 is the r-th largest of M decoys (`fixed_limit`); with x of n rows strictly above it, p = P(at most r − 1 decoys
    among the x + r − 1 highest) under exchangeability, hypergeometric. Approximate, since decoys share values with
    the rows they were made from. Choosing a threshold and then testing on the same scores is wrong 17–26 % of the
    time.
    """
    n, m = len(real_best), len(decoy_best)
    limit, r = fixed_limit(decoy_best)
    above = int((real_best > limit).sum())
    return hypergeometric(0, r - 1, population=n + m, marked=m, drawn=above + r - 1) if r <= m else 1.0


def p_harsh(real_best: Floats, decoy_best: Floats, relative_best: Floats) -> float:
    """The same against relatives: do more rows than made-up brothers of the list lie above the decoys' T0?

    Fisher's exact test, one-sided, of x of n rows against y of m relatives above T0: P(at least x) under
    hypergeom(n + m, x + y, n). T0 comes from the decoys, so it is fixed before either is looked at; the highest
    relatives themselves would not do, since among many registered people a brother's name is somebody's.
    """
    limit, _ = fixed_limit(decoy_best)
    x, y = int((real_best > limit).sum()), int((relative_best > limit).sum())
    n, m = len(real_best), len(relative_best)
    return hypergeometric(x, n, population=n + m, marked=x + y, drawn=n)


def fewest_findable(pi0: float, rate: float, people: int, decoys: int) -> int:
    """The fewest matches a class can find at ``rate``, all of them above every decoy: π0 · max(1, n/M) / x ≤ rate."""
    return math.ceil(pi0 * max(1.0, people / decoys) / rate - 1e-9)
