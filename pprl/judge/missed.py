"""The missed-match rate: how many of the people who are in the registry would not be matched with their own record.

People of the list are planted: each is given a record of their own, written as the registry's office would write it
(`pprl.encode.planting`). A planted person meets the registry as their decoy does, alone and against the finished
assignment, and is missed unless their own record reaches the threshold of their class and is worth more than any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.intervals import observed, wilson
from pprl.core.private_rows import PrivateRows
from pprl.judge.assignment import UNIT, surplus
from pprl.judge.cohort import Cohort
from pprl.judge.matches import Matches
from pprl.report.disclosure.rounding import rounded
from pprl.report.fields import Estimate

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """People planted in a registry.

    ``rows`` are the labels of their rows on the list, ``similarity`` that of their two spellings. ``differs`` says in
    which fields these differ, shape (people, fields), and ``pairs`` how many pairs the share of differences of each
    field rests upon. ``measured``: these are pairs of the two rosters, not assumed ones.
    """

    rows: Ints
    similarity: Floats
    differs: Bools
    pairs: Floats
    measured: bool

    @property
    def basis(self) -> str:
        return "measured" if self.measured else "assumed"


def missed_match_rate(planted: Planted, rows: PrivateRows, cohort: Cohort, matches: Matches) -> Estimate | None:
    """The share of the planted people who are missed, with a 95% interval; None where no threshold keeps the rate.

    The interval holds three uncertainties. Wilson's (1927) at n' people holds two, that of n planted people and that of
    each field's share of differences, by the squared correlation of being missed with differing there (delta method):
    1 / n' = 1 / n + Σ ρ² / pairs. It is widened by the chance with which the people present are missed (`observed`), of
    whom there are as many as are published: a report would else give more away by this interval.
    """
    labels = rows.rows[cohort.records]
    order = np.argsort(labels, kind="stable")
    person = order[np.minimum(np.searchsorted(labels[order], planted.rows), len(labels) - 1)]
    judged = labels[person] == planted.rows
    if not matches.told or not judged.any():
        return None
    person = person[judged]
    missed = ~_matched(planted.similarity[judged], person, cohort, matches)
    count, total = int(missed.sum()), len(missed)
    rate = count / total
    shares = [_squared_correlation(missed, differs) for differs in planted.differs[judged].T]
    known = zip(shares, planted.pairs.tolist(), strict=True)
    size = 1 / (1 / total + sum((1 / len(shares) if share is None else share) / pairs for share, pairs in known))
    base = rows.policy.disclosure
    published = max(base, rounded(matches.net, base))
    low, high = observed(rate, wilson(rate * size, size), published / (1 - rate) if count < total else 1.0)
    return Estimate(round(rate, 4), round(low, 4), round(high, 4))


def _matched(similarity: Floats, person: Ints, cohort: Cohort, matches: Matches) -> Bools:
    """Which planted people get their own record, which nobody else wants, though others are there for their decoy."""
    assignment, classes = matches.assignment, cohort.classes[person]
    floor = assignment.floor_of(classes)
    own = np.rint(similarity * UNIT) - np.rint(floor * UNIT)
    first = np.full(len(cohort.real), len(cohort.decoys), dtype=np.int64)
    np.minimum.at(first, cohort.owner, np.arange(len(cohort.owner)))
    met = first[person] < len(cohort.decoys)
    elsewhere = np.zeros(len(person))
    elsewhere[met] = surplus(cohort.decoys.take(first[person[met]]), floor[met], assignment.price).max(axis=1)
    return (similarity >= matches.threshold_of(classes)) & (own > 0) & (own >= elsewhere)


def _squared_correlation(one: Bools, other: Bools) -> float | None:
    """From whole numbers, so that it is the same on every machine; None where one of the two never varies."""
    total, left, right = len(one), int(one.sum()), int(other.sum())
    spread = left * (total - left) * right * (total - right)
    return (total * int((one & other).sum()) - left * right) ** 2 / spread if spread else None
