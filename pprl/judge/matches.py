"""Who is found, class by class, and how sure that is: the core of the verdict.

`meet` gives partners and says what chance gives; `find` says who is found at a rate. Everything that is judged
otherwise (another λ, fewer decoys, another rule for partners, a harsher null) runs through them, so that the
sensitivity of a result is the result again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pprl.core.randomness import RandomStream
from pprl.judge.assignment import NONE, Candidates, Partners, ambiguous, arrivals, assign, prices
from pprl.judge.error_rates import Curve, Sample, false_by_chance, fewest_findable, lows, share_without_partner

FLOOR = 0.002  # partners are looked for above this quantile of the decoys' best similarities
SMALL_CLASS = 50
REPLICATES = 400
DRAWN_AT_ONCE = 2**22  # people times replicates in memory
LEVEL = 0.95
RULES = ("arrivals", "mutual_best")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Meeting:
    """Real rows and decoys before the registry: the partners of the ones, and what chance gives to the others.

    ``owner`` is the real row that each decoy was made from, ``classes`` the class of each real row; a decoy is judged
    with the class of its owner. ``reached`` is the similarity of the partner that each decoy would get; ``unsure`` are
    rows with several equally good partners.
    """

    real: Candidates
    decoys: Candidates
    owner: Ints
    classes: Ints
    floors: dict[int, float]  # of each class
    price: Floats
    partners: Partners
    reached: Floats
    unsure: Bools

    def floor_of(self, classes: Ints) -> Floats:
        return np.array([self.floors.get(each, 0.0) for each in classes.tolist()])


@dataclass(frozen=True)
class ClassFinding:
    """One class of equally complete rows. ``threshold`` is None where none meets the rate asked."""

    number: int
    people: Ints  # places among the real rows
    decoys: Ints  # places among the decoys
    sample: Sample
    pi0: float
    line: Curve
    cut: int
    fewest: int

    @property
    def threshold(self) -> float | None:
        return None if self.cut == NONE else float(self.line.threshold[self.cut])

    @property
    def false(self) -> float:
        return 0.0 if self.cut == NONE else float(self.line.false[self.cut])


@dataclass(frozen=True)
class Finding:
    """Who is found at a rate; ``unsure`` are found but of several equally good partners."""

    meeting: Meeting
    found: Bools
    unsure: Bools
    q_values: Floats
    classes: tuple[ClassFinding, ...]

    @property
    def partners(self) -> Partners:
        return self.meeting.partners

    @property
    def false(self) -> float:
        return sum(each.false for each in self.classes)

    @property
    def net(self) -> float:
        return max(0.0, float(self.found.sum()) - self.false)

    @property
    def matchable(self) -> float:
        """People who are nearer to the registry than decoys are: Σ (1 − π0) · people, over the classes."""
        return sum((1 - each.pi0) * len(each.people) for each in self.classes)

    def threshold_of(self, classes: Ints) -> Floats:
        """The threshold of each row's class; above any similarity where there is none."""
        known = {each.number: each.threshold for each in self.classes}
        return np.array([2.0 if (cut := known.get(each)) is None else cut for each in classes.tolist()])


def merged_classes(completeness: NDArray[np.int8]) -> Ints:
    """Classes of fewer than 50 people are judged as one, and with the largest class if they are still fewer."""
    classes = completeness.astype(np.int64)
    values, counts = np.unique(classes, return_counts=True)
    small = np.isin(classes, values[counts < SMALL_CLASS])
    if small.all():
        return np.zeros_like(classes)
    rest = values[np.argmax(counts)] if small.sum() < SMALL_CLASS else classes.max() + 1
    return np.where(small, rest, classes)


def meet(real: Candidates, decoys: Candidates, owner: Ints, classes: Ints, *, rule: str = RULES[0]) -> Meeting:
    """Partners one to one for the real rows, by a rule of `RULES`, and what each decoy would get in their place."""
    decoy_class = classes[owner]
    floors = {
        int(each): float(np.quantile(here, FLOOR)) if len(here := decoys.best()[decoy_class == each]) else 0.0
        for each in np.unique(classes)
    }
    if rule == "mutual_best":
        partners, reached = _mutual_best(real, decoys)
        nothing = np.zeros(int(real.ids.max(initial=NONE)) + 2)
        return Meeting(
            real, decoys, owner, classes, floors, nothing, partners, reached, np.zeros(len(real), dtype=bool)
        )
    floor, decoy_floor = (np.array([floors[each] for each in of.tolist()]) for of in (classes, decoy_class))
    partners = assign(real, floor)
    price = prices(real, floor, partners)
    reached, unsure = arrivals(decoys, decoy_floor, price), ambiguous(real, floor, partners, price)
    return Meeting(real, decoys, owner, classes, floors, price, partners, reached, unsure)


def find(meeting: Meeting, asked: float, *, lam: float = 0.5) -> Finding:
    """For each class the lowest threshold at which at most ``asked`` of the found are false.

    ``lam`` is the share of the lowest, of a person and his decoys, by which π0 is estimated.
    """
    real, decoys, partners = meeting.real.best(), meeting.decoys.best(), meeting.partners.dice
    decoy_class = meeting.classes[meeting.owner]
    found, q_values = np.zeros(len(real), dtype=bool), np.ones(len(real))
    judged: list[ClassFinding] = []
    for number in np.unique(meeting.classes).tolist():
        ours, theirs = np.flatnonzero(meeting.classes == number), np.flatnonzero(decoy_class == number)
        if not len(theirs):
            continue
        low = lows(real[ours], decoys[theirs], np.searchsorted(ours, meeting.owner[theirs]), lam)
        sample = Sample(partners[ours], meeting.reached[theirs], low, lam)
        pi0 = sample.share_without_partner()
        line = sample.curve(pi0)
        fewest = fewest_findable(pi0, asked, len(ours), len(theirs))
        each = ClassFinding(number, ours, theirs, sample, pi0, line, line.at_rate(asked), fewest)
        judged.append(each)
        if each.threshold is not None:
            found[ours] = partners[ours] >= each.threshold
            q_values[ours] = _q_of(line, partners[ours])
    return Finding(meeting, found, found & meeting.unsure, q_values, tuple(judged))


def _q_of(line: Curve, similarity: Floats) -> Floats:
    """The q-value at each similarity; 1 where there is no partner."""
    place = np.searchsorted(-line.threshold, -similarity, side="left")
    return np.append(line.q_values(), 1.0)[np.minimum(place, len(line.threshold))]


def _mutual_best(real: Candidates, decoys: Candidates) -> tuple[Partners, Floats]:
    """The other rule for partners: each other's best among real rows and decoys alike."""
    everyone = Candidates(np.concatenate([real.ids, decoys.ids]), np.concatenate([real.dice, decoys.dice]))
    first, best = everyone.ids[:, 0], everyone.best()
    top = np.zeros(int(first.max(initial=NONE)) + 2)
    np.maximum.at(top, first, best)
    mutual = (first != NONE) & (best >= top[first])
    ids, dice = np.where(mutual, first, NONE), np.where(mutual, best, 0.0)
    return Partners(ids[: len(real)], dice[: len(real)]), dice[len(real) :]


def intervals(finding: Finding, groups: Sequence[Ints], draws: RandomStream) -> list[tuple[float, float]]:
    """The middle 95 % of net found, over all and for each group of a partition, when people are drawn anew with their
    decoys.

    Each of 400 replicates (Efron & Tibshirani 1993, ch. 13) repeats π0 and what is false at the thresholds of the
    classes. The thresholds stay: to choose them anew makes the interval of a class that is just found or not reach
    down to 0, and covers no better (docs/statistics.md). ``groups`` are partitions: for each real row the number of its
    group, −1 for none. What is false in a class falls on its groups as their people without a partner do
    (`absent_weights`). Returned: all, then the groups of each partition in order.
    """
    people = len(finding.found)
    sizes = [int(group.max(initial=NONE)) + 1 for group in groups]
    shares = [absent_weights(finding, group, size) for group, size in zip(groups, sizes, strict=True)]
    totals = np.zeros((1 + sum(sizes), REPLICATES))
    width = max(1, min(REPLICATES, DRAWN_AT_ONCE // max(1, people)))
    for begin in range(0, REPLICATES, width):
        told = totals[:, begin : begin + width]
        replicate = np.repeat(np.arange(told.shape[1]), people)
        at = draws.below(people, len(replicate)) * told.shape[1] + replicate
        drawn = np.bincount(at, minlength=len(at)).reshape(people, told.shape[1]).astype(np.float64)
        for each in finding.classes:
            if each.threshold is None:
                continue
            found, false = _drawn_anew(each, each.threshold, finding, drawn)
            told[0] += np.maximum(0.0, found.sum(axis=0) - false)
            at = 1
            for group, size, share in zip(groups, sizes, shares, strict=True):
                inside = np.flatnonzero(group[each.people] != NONE)
                of_group = group[each.people[inside]], np.arange(len(inside))
                sums = csr_array((np.ones(len(inside)), of_group), shape=(size, len(inside)))
                told[at : at + size] += sums @ found[inside] - np.outer(share[each.number], false)
                at += size
    low, high = np.quantile(np.maximum(totals, 0.0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _drawn_anew(each: ClassFinding, threshold: float, finding: Finding, drawn: Floats) -> tuple[Floats, Floats]:
    """Of a class how often each of its people is found, (people, replicates), and how many falsely, (replicates,).

    ``drawn`` is how often each person of the list was drawn, (all people, replicates). A replicate without decoys of
    the class, or with nobody found, finds nobody.
    """
    sample, owner = each.sample, finding.meeting.owner[each.decoys]

    def decoys(which: Bools) -> Floats:
        counts: Floats = np.bincount(owner[which], minlength=len(drawn)) @ drawn
        return counts

    ours = drawn[each.people]
    found = ours * finding.found[each.people][:, None]
    made = decoys(np.ones(len(owner), dtype=bool))
    counted = (found.sum(axis=0) > 0) & (made > 0)
    people, made = ours.sum(axis=0), np.maximum(made, 1.0)
    pi0 = share_without_partner(sample.low @ ours, people, sample.lam)
    false = false_by_chance(pi0, decoys(sample.decoy >= threshold), people, made)
    return found * counted, false * counted


def absent_weights(finding: Finding, group: Ints, size: int) -> dict[int, Floats]:
    """How the false ones of each class fall on the groups: in proportion to π0 of the group times its people.

    π0 of a group is that of its people over all classes; shape (size,), and the sum is the share of the class that is
    in a group.
    """
    low, members, lam = np.zeros(size), np.zeros(size), 0.5
    for each in finding.classes:
        here, lam = group[each.people], each.sample.lam
        inside = here != NONE
        members += np.bincount(here[inside], minlength=size)
        low += np.bincount(here[inside], weights=each.sample.low[inside], minlength=size)
    pi0 = share_without_partner(low, members, lam)
    shares: dict[int, Floats] = {}
    for each in finding.classes:
        here = group[each.people]
        absent = pi0 * np.bincount(here[here != NONE], minlength=size)
        shares[each.number] = absent / max(absent.sum(), 1e-12) * ((here != NONE).mean() if len(here) else 0.0)
    return shares
