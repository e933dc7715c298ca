"""The missed-match rate: how many of the people who are in the registry would not be matched with their own record.

People are planted: people of the list, each with a record of their own, written as the registry's office would write it
(`pprl.encode.planting`), or where no party has both rosters some of the list's decoys (`pprl.encode.planted_decoys`). A
planted person meets the registry as decoys do, alone and against the finished assignment. They are missed unless their
own record reaches the threshold of their class and is worth more than any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.intervals import observed, wilson
from pprl.core.planted import STEPS, PlantedTable
from pprl.core.private_rows import PrivateRows
from pprl.core.scores import Scores
from pprl.judge.assignment import UNIT, surplus
from pprl.judge.cohort import Cohort
from pprl.judge.matches import Matches
from pprl.report.disclosure.rounding import rounded
from pprl.report.fields import Estimate

SHARE = 2**20  # chances are whole multiples of 2^-20
FEWEST_PAIRS = 10.0  # as many as an assumed share of differences is worth
OTHER_SHAPES = 20  # at most one in so many rows of the registry has other fields filled than the table knows

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """People planted in a registry.

    ``completeness`` is the class of each person's spelling on the list, shape (people,). ``similarity`` is that of
    their two spellings, where the registry's office has filled one set of fields or another, shape (people, sets), and
    ``rows`` how many rows of the registry have each set. ``differs`` says in which fields the spellings differ, shape
    (people, fields), and ``pairs`` how many pairs the share of differences of each field rests upon. ``measured``:
    these are pairs of the two rosters, not assumed ones.
    """

    completeness: NDArray[np.int8]
    similarity: Floats
    rows: Ints
    differs: Bools
    pairs: Floats
    measured: bool

    @classmethod
    def of_table(cls, table: PlantedTable | None, scores: Scores) -> Planted | None:
        """The decoys that the list's owner planted; None where nobody knows which fields the registry has filled."""
        shapes, counts = scores.registry_shapes()
        if table is None or not len(shapes):
            return None
        known = np.isin(shapes, table.shapes)
        if int(counts[~known].sum()) * OTHER_SHAPES > int(counts.sum()):
            return None
        order = np.argsort(table.shapes)
        column = order[np.searchsorted(table.shapes[order], shapes[known])]
        return cls(
            completeness=table.completeness,
            similarity=table.similarity[:, column] / STEPS,
            rows=counts[known],
            differs=table.differs,
            pairs=np.full(table.differs.shape[1], FEWEST_PAIRS),
            measured=False,
        )

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
    class_of = dict(zip(rows.completeness[cohort.records].tolist(), cohort.classes.tolist(), strict=True))
    judged = np.array([number in class_of for number in planted.completeness.tolist()], dtype=bool)
    if not matches.told or not judged.any():
        return None
    classes = np.array([class_of[number] for number in planted.completeness[judged].tolist()], dtype=np.int64)
    units = _missed(planted.similarity[judged], classes, cohort, matches)
    missed = (units * planted.rows).sum(axis=1).tolist()
    most = SHARE * int(planted.rows.sum())
    total = len(missed)
    rate = sum(missed) / (most * total)
    shares = [_squared_correlation(missed, differs.tolist()) for differs in planted.differs[judged].T]
    known = zip(shares, planted.pairs.tolist(), strict=True)
    size = 1 / (1 / total + sum((1 / len(shares) if share is None else share) / pairs for share, pairs in known))
    base = rows.policy.disclosure
    published = max(base, rounded(matches.net, base))
    low, high = observed(rate, wilson(rate * size, size), published / (1 - rate) if rate < 1 else 1.0)
    return Estimate(round(rate, 4), round(low, 4), round(high, 4))


def _missed(similarity: Floats, classes: Ints, cohort: Cohort, matches: Matches) -> Ints:
    """The chance that each planted person is missed, in units of 1 / `SHARE`, shape (people, sets of fields).

    They get their own record, which nobody else wants, if it reaches the threshold and is worth no less than what a
    decoy of their class would get, drawn at random.
    """
    assignment, missed = matches.assignment, np.empty(similarity.shape, dtype=np.int64)
    for number in np.unique(classes).tolist():
        members = np.flatnonzero(classes == number)
        (threshold,), (floor,) = (
            find(np.array([number])).tolist() for find in (matches.threshold_of, assignment.floor_of)
        )
        decoys = cohort.decoys.take(np.flatnonzero(cohort.classes[cohort.owner] == number))
        elsewhere = np.sort(surplus(decoys, np.full(len(decoys), floor), assignment.price).max(axis=1))
        own = np.rint(similarity[members] * UNIT) - np.rint(floor * UNIT)
        wanting = len(elsewhere) - np.searchsorted(elsewhere, own, side="right")  # decoys to whom another is worth more
        lost = (2 * SHARE * wanting + len(elsewhere)) // (2 * max(1, len(elsewhere)))
        missed[members] = np.where((similarity[members] >= threshold) & (own > 0), lost, SHARE)
    return missed


def _squared_correlation(one: Sequence[int], other: Sequence[bool]) -> float | None:
    """From whole numbers, so that it is the same on every machine; None where one of the two never varies."""
    total, left, right = len(one), sum(one), sum(other)
    spread = (total * sum(value * value for value in one) - left * left) * (total * right - right * right)
    both = sum(value for value, differs in zip(one, other, strict=True) if differs)
    return (total * both - left * right) ** 2 / spread if spread else None
