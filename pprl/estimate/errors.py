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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MIN_DECOYS = 20


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
    """One class of rows: similarities of partners, ``real`` (n,) and ``decoy`` (M,), and who is ``low``: no nearer to
    the registry than the person's own decoys are (`own_limits`)."""

    real: Floats
    low: Bools
    decoy: Floats
    decoy_low: Bools

    def share_without_partner(self) -> float:
        """π0 of the class."""
        counts = self.low.sum(), len(self.low), self.decoy_low.sum(), len(self.decoy_low)
        return float(share_without_partner(*counts))

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


def own_limits(decoy_best: Floats, owner: Ints, people: int, lam: float = 0.5) -> Floats:
    """λ of each person: the ``lam`` quantile of the best similarities of the decoys that were made of him, (people,);
    that of all decoys where he has none.

    A person who is absent and his decoys are alike, so each stands with equal chance on either side of their median.
    One λ for all would not do: among people written with initials, or with a rare name, who is present may be no
    nearer than everybody else's decoys are (docs/statistics.md).
    """
    limits = np.full(people, np.quantile(decoy_best, lam))
    values = decoy_best[np.lexsort((decoy_best, owner))]
    count = np.bincount(owner, minlength=people)
    known = np.flatnonzero(count)
    place = lam * (count[known] - 1)
    below = (np.cumsum(count) - count)[known] + place.astype(np.int64)
    above = np.minimum(below + 1, np.cumsum(count)[known] - 1)
    limits[known] = values[below] + (place % 1) * (values[above] - values[below])
    return limits


def share_without_partner(low: Any, people: Any, decoys_low: Any, decoys: Any) -> Any:
    """π0 = min(1, (#{s ≤ λ} + 1)/(n + 1) ÷ F_d(λ)), λ of each person and his decoys (`own_limits`), fixed.

    Storey (2002, J. R. Stat. Soc. B 64:479) with decoys in place of uniform p-values: an upper estimate, since
    present people with poor similarities count as absent. 1 where no decoy lies below λ. Counts of people and decoys at
    or below λ and of all, numbers or arrays of one shape; ``decoys`` ≥ 1.
    """
    below = decoys_low / decoys
    share = (low + 1) / (people + 1)
    return np.minimum(1.0, np.divide(share, below, out=np.ones(np.shape(below)), where=below > 0))


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
    from scipy.stats import hypergeom

    n, m = len(real_best), len(decoy_best)
    limit, r = fixed_limit(decoy_best)
    above = int((real_best > limit).sum())
    return float(hypergeom.cdf(r - 1, n + m, m, above + r - 1)) if r <= m else 1.0


def p_harsh(real_best: Floats, decoy_best: Floats, relative_best: Floats) -> float:
    """The same against relatives: do more rows than made-up brothers of the list lie above the decoys' T0?

    Fisher's exact test, one-sided, of x of n rows against y of m relatives above T0: P(at least x) under
    hypergeom(n + m, x + y, n). T0 comes from the decoys, so it is fixed before either is looked at; the highest
    relatives themselves would not do, since among many registered people a brother's name is somebody's.
    """
    from scipy.stats import hypergeom

    limit, _ = fixed_limit(decoy_best)
    x, y = int((real_best > limit).sum()), int((relative_best > limit).sum())
    n, m = len(real_best), len(relative_best)
    return float(hypergeom.sf(x - 1, n + m, x + y, n))


def fewest_findable(pi0: float, rate: float, people: int, decoys: int) -> int:
    """The fewest matches a class can find at ``rate``, all of them above every decoy: π0 · max(1, n/M) / x ≤ rate."""
    return math.ceil(pi0 * max(1.0, people / decoys) / rate - 1e-9)
