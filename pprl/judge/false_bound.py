"""How many of the matches are false at most, with 95% confidence: a bound for this list, where a rate is a mean.

From the highest similarity down, people who can match falsely and decoys come in random order. So how many people come
before the (d + 1)-th decoy has a negative hypergeometric distribution (Gumbel & von Schelling 1950), and a quantile of
it bounds the false matches where d decoys reach the threshold. The threshold is chosen with the same decoys, so the
quantile is one that holds at every threshold at once: the uniform band of Ebadi, Luo, Freestone, Noble & Keich (2023,
TDC-UB), with n people against M decoys in place of one against one. docs/statistics.md, section 4, has the formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.distributions import exceedances
from pprl.judge.assignment import NONE
from pprl.judge.error_rates import UNIT
from pprl.judge.matches import ClassMatches, Matches

CONFIDENCE = 0.95
NEAREST = 0.01  # the share of the decoys, at least, by which their dependence is measured
LEAST_EFFECTIVE = 60  # with 0 of 60 the upper 95% limit is 5%: fewer decoys cannot say that no match is false
#: The level of one threshold at which all down to so many decoys hold together at 95% (benchmarks/false_bounds.py).
LEVELS = {
    0: 0.05, 1: 0.031, 2: 0.025, 3: 0.021, 5: 0.017, 10: 0.0128, 20: 0.0096, 30: 0.0082, 50: 0.0068, 100: 0.0054,
    200: 0.0043, 300: 0.0038, 1_000: 0.0029, 3_000: 0.0023, 10_000: 0.0019, 30_000: 0.0016, 100_000: 0.0014,
}  # fmt: skip
STEEPER = 1.2  # for a smaller share of the risk the level falls with this power, or more slowly

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class FalseBound:
    """Of so many ``matches`` ``at_most`` are false, with `CONFIDENCE`. ``effective_decoys`` is how many independent
    decoys would say as much as those of the classes with a threshold do."""

    matches: int
    at_most: int
    effective_decoys: int


def bound_false(matches: Matches, rate: float) -> FalseBound | None:
    """The bound over all classes; None where no threshold keeps the ``rate`` asked for.

    Every class bears a share of the risk of 5%, by its people, so that all bounds hold together and can be added
    (Bonferroni).
    """
    people = sum(len(group.people) for group in matches.classes)
    bounds = [
        _class_bound(group, matches, rate, (1 - CONFIDENCE) * len(group.people) / people)
        for group in matches.classes
        if group.cut
    ]
    if not bounds:
        return None
    at_most, effective = (sum(part) for part in zip(*bounds, strict=True))
    return FalseBound(matches=matches.count, at_most=at_most, effective_decoys=effective)


def _class_bound(group: ClassMatches, matches: Matches, rate: float, risk: float) -> tuple[int, int]:
    """The bound of a class with a threshold, and its effective decoys."""
    assignment, threshold = matches.assignment, group.threshold or 0.0
    people, decoys = assignment.real.best()[group.people], assignment.decoys.best()[group.decoys]
    reached = int((group.sample.decoy >= threshold).sum())
    nearest = nearest_decoys(decoys, reached)
    counted, effective = effective_numbers(assignment.decoys.ids[group.decoys[nearest], 0], reached, len(decoys))
    exposed = at_risk(people, decoys, np.maximum(decoys[nearest], threshold))
    most = max(counted, int(rate * len(people) * effective / exposed))  # no threshold below could keep the rate
    limit = false_limit(exposed, effective, counted, uniform_level(risk, most, effective))
    return min(limit, int(matches.found[group.people].sum())), effective


def nearest_decoys(best: Floats, reached: int) -> Ints:
    """The indices of the decoys closest to the registry: as many as ``reached`` the threshold, and at least a hundredth
    of all; equals count together."""
    most = max(reached, math.ceil(NEAREST * len(best)))
    return np.flatnonzero(best >= -np.sort(-best)[most - 1])


def effective_numbers(rows: Ints, reached: int, decoys: int) -> tuple[int, int]:
    """Of the decoys that ``reached`` the threshold and of all ``decoys``, how many count; at least 1 of all.

    Decoys that share values with each other come close to the same registry row. ``rows`` is the closest row of each of
    the nearest decoys, −1 for none. With c decoys on a row, Σ c² / Σ c count as one: the decoys on the row of a decoy,
    on average (the design effect of clusters, Kish 1965, §8.2, as if all on a row were one). The first number is
    rounded up, the second down.
    """
    counts = np.unique(rows[rows != NONE], return_counts=True)[1]
    if not len(counts):
        return reached, decoys
    all_of_them, squares = int(counts.sum()), int((counts**2).sum())
    return -(-reached * all_of_them // squares), max(1, decoys * all_of_them // squares)


def at_risk(people: Floats, decoys: Floats, similarities: Floats) -> int:
    """How many people can match falsely, since their own record is further than a stranger; mean over the
    ``similarities`` of strangers.

    With b of n people and c of M decoys below a similarity, these are n · (b + 1) / (n + 1) · M / c people: below it is
    who has no record of their own there, and meets no stranger either (the mix-max estimate of Keich, Kertesz-Farkas &
    Noble 2015). So they include people in the registry whose own record is garbled.
    """
    n, m = len(people), len(decoys)
    below = np.searchsorted(np.sort(people), similarities, side="left")
    met_nobody = np.searchsorted(np.sort(decoys), similarities, side="left")
    share = np.minimum(1.0, (below + 1) / (n + 1) * (m / np.maximum(met_nobody, 1)))
    return max(1, math.ceil(n * float(np.rint(share * UNIT).sum()) / UNIT / len(share)))


def uniform_level(risk: float, most: int, decoys: int) -> float:
    """The level at which all thresholds hold together, but for a ``risk`` of at most 5%, down to ``most`` of so many
    ``decoys``.

    `LEVELS` are those of decoys without end; with the last of few decoys the count of people is as uncertain as with
    the first, so what is counted are the odds of those that are used up.
    """
    most = min(most, decoys - 1)
    odds, knots = most * decoys / (decoys - most), np.array(list(LEVELS), dtype=np.float64)
    level = np.exp(np.interp(np.log1p(odds), np.log1p(knots), np.log(list(LEVELS.values()))))
    return float(level * (risk / (1 - CONFIDENCE)) ** STEEPER)


def false_limit(people: int, decoys: int, reached: int, level: float) -> int:
    """The fewest v so that more than v of ``people`` come before the decoy after those ``reached`` with a probability
    of at most ``level``; all of them where no decoy is left, and 0 only of `LEAST_EFFECTIVE` ``decoys`` or more."""
    if reached >= decoys:
        return people
    more = 1 - np.cumsum(exceedances(people, reached + 1, decoys))
    least = 0 if decoys >= LEAST_EFFECTIVE else 1
    return max(least, int(np.argmax(more <= level)) if (more <= level).any() else people)
