"""Who matches, class by class, and how certain that is: the core of the verdict.

`assign_partners` gives partners and what chance gives; `find_matches` decides who matches at a rate. Other choices
(another λ, fewer decoys, another rule for partners, relatives in place of decoys) run through the same two functions,
so the sensitivity of a result is the result computed again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.judge.assignment import NONE, Candidates, Partners, ambiguous, assign, lone_arrivals, prices
from pprl.judge.error_rates import Curve, Cut, Sample, fewest_findable, least_false, rank_among_own_decoys

FLOOR = 0.002  # partners must be more similar than this quantile of the decoys' best similarities
SMALL_CLASS = 50
RULES = ("arrivals", "mutual_best")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """People and decoys matched with the registry: the partners of the people, and what chance gives to the decoys.

    ``owner`` is the index of the person that each decoy was made from, ``classes`` the class of each person; a decoy is
    judged in the class of its owner. ``reached`` is the similarity of the partner that each decoy would get; ``unsure``
    are people with several equally good partners.
    """

    real: Candidates
    decoys: Candidates
    owner: Ints
    classes: Ints
    floors: dict[int, float]  # by class
    price: Floats
    partners: Partners
    reached: Floats
    unsure: Bools

    def floor_of(self, classes: Ints) -> Floats:
        return np.array([self.floors.get(number, 0.0) for number in classes.tolist()])


@dataclass(frozen=True, kw_only=True)
class ClassMatches:
    """One class of equally complete rows. ``threshold`` is None where none meets the rate asked for."""

    number: int
    people: Ints  # indices among the people
    decoys: Ints  # indices among the decoys
    sample: Sample
    pi0: float
    curve: Curve
    cut: Cut | None
    fewest: int

    @property
    def threshold(self) -> float | None:
        return self.cut.threshold if self.cut else None

    @property
    def false(self) -> float:
        return self.cut.false if self.cut else 0.0


@dataclass(frozen=True)
class Matches:
    """Who matches at a rate; ``unsure`` are matches with several equally good partners."""

    assignment: Assignment
    found: Bools
    unsure: Bools
    q_values: Floats
    classes: tuple[ClassMatches, ...]

    @property
    def partners(self) -> Partners:
        return self.assignment.partners

    @property
    def told(self) -> bool:
        """Whether any threshold keeps the rate, so that matches can be told from chance."""
        return any(group.cut for group in self.classes)

    @property
    def count(self) -> int:
        return int(self.found.sum())

    @property
    def false(self) -> float:
        return sum(group.false for group in self.classes)

    @property
    def net(self) -> float:
        """Estimated true matches."""
        return max(0.0, float(self.found.sum()) - self.false)

    @property
    def matchable(self) -> float:
        """People who are closer to the registry than decoys are: Σ (1 − π0) · people, over the classes."""
        return sum((1 - group.pi0) * len(group.people) for group in self.classes)

    def threshold_of(self, classes: Ints) -> Floats:
        """The threshold of each row's class; above any similarity where there is none."""
        known = {group.number: group.threshold for group in self.classes}
        return np.array([2.0 if (cut := known.get(number)) is None else cut for number in classes.tolist()])


def merged_classes(completeness: NDArray[np.int8]) -> Ints:
    """Classes of fewer than 50 people are judged as one, and with the largest class if they are still fewer."""
    classes = completeness.astype(np.int64)
    values, counts = np.unique(classes, return_counts=True)
    small = np.isin(classes, values[counts < SMALL_CLASS])
    if small.all():
        return np.zeros_like(classes)
    rest = values[np.argmax(counts)] if small.sum() < SMALL_CLASS else classes.max() + 1
    return np.where(small, rest, classes)


def assign_partners(
    real: Candidates, decoys: Candidates, owner: Ints, classes: Ints, *, rule: str = RULES[0]
) -> Assignment:
    """Partners one to one for the people, by a rule of `RULES`, and the partner that each decoy would get."""
    decoy_class = classes[owner]
    best = decoys.best()
    floors = {
        int(number): float(np.quantile(class_best, FLOOR)) if len(class_best := best[decoy_class == number]) else 0.0
        for number in np.unique(classes)
    }
    if rule == "mutual_best":
        partners, reached = _mutual_best(real, decoys)
        price, unsure = np.zeros(int(real.ids.max(initial=NONE)) + 2), np.zeros(len(real), dtype=bool)
    else:
        floor, decoy_floor = (
            np.array([floors[number] for number in numbers.tolist()]) for numbers in (classes, decoy_class)
        )
        partners = assign(real, floor)
        price = prices(real, floor, partners)
        reached, unsure = lone_arrivals(decoys, decoy_floor, price), ambiguous(real, floor, partners, price)
    return Assignment(
        real=real,
        decoys=decoys,
        owner=owner,
        classes=classes,
        floors=floors,
        price=price,
        partners=partners,
        reached=reached,
        unsure=unsure,
    )


def find_matches(assignment: Assignment, rate: float, *, lam: float = 0.5) -> Matches:
    """For each class the lowest threshold at which at most ``rate`` of the matches are false.

    ``lam`` is the share of the lowest ranks, among a person and their decoys, by which π0 is estimated.
    """
    partners, decoy_class = assignment.partners.dice, assignment.classes[assignment.owner]
    found, q_values = np.zeros(len(partners), dtype=bool), np.ones(len(partners))
    judged: list[ClassMatches] = []
    for number in np.unique(assignment.classes).tolist():
        people, decoys = np.flatnonzero(assignment.classes == number), np.flatnonzero(decoy_class == number)
        if not len(decoys):
            continue
        group = _class_matches(assignment, number, (people, decoys), rate, lam)
        judged.append(group)
        if group.threshold is not None:
            found[people] = partners[people] >= group.threshold
            q_values[people] = _q_of(group.curve, partners[people])
    return Matches(assignment, found, found & assignment.unsure, q_values, tuple(judged))


def _class_matches(
    assignment: Assignment, number: int, members: tuple[Ints, Ints], rate: float, lam: float
) -> ClassMatches:
    people, decoys = members
    owner = np.searchsorted(people, assignment.owner[decoys])
    low = rank_among_own_decoys(assignment.real.best()[people], assignment.decoys.best()[decoys], owner, lam)
    sample = Sample(assignment.partners.dice[people], assignment.reached[decoys], low, lam, least_false(rate))
    pi0 = sample.pi0()
    curve = sample.curve(pi0)
    return ClassMatches(
        number=number,
        people=people,
        decoys=decoys,
        sample=sample,
        pi0=pi0,
        curve=curve,
        cut=sample.cut(curve, pi0, rate),
        fewest=fewest_findable(rate, len(people), len(decoys), int((assignment.decoys.best()[decoys] >= 1).sum())),
    )


def _q_of(curve: Curve, similarity: Floats) -> Floats:
    """The q-value at each similarity; 1 where there is no partner."""
    index = np.searchsorted(-curve.threshold, -similarity, side="left")
    return np.append(curve.q_values(), 1.0)[np.minimum(index, len(curve.threshold))]


def _mutual_best(real: Candidates, decoys: Candidates) -> tuple[Partners, Floats]:
    """The other rule for partners: each other's best among people and decoys alike."""
    everyone = Candidates(np.concatenate([real.ids, decoys.ids]), np.concatenate([real.dice, decoys.dice]))
    first, best = everyone.ids[:, 0], everyone.best()
    top = np.zeros(int(first.max(initial=NONE)) + 2)
    np.maximum.at(top, first, best)
    mutual = (first != NONE) & (best >= top[first])
    ids, dice = np.where(mutual, first, NONE), np.where(mutual, best, 0.0)
    return Partners(ids[: len(real)], dice[: len(real)]), dice[len(real) :]
