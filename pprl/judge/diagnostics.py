"""What could make the figures wrong: weak or unsound decoys, people known to be absent who are found, a copied list.

None of these changes a figure; each can hold back the words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import Words
from pprl.core.distributions import average_ranks, binomial_tail
from pprl.core.private_rows import UNKNOWN, Label, Policy
from pprl.core.randomness import RandomStream
from pprl.judge.assignment import Candidates, arrivals
from pprl.judge.error_rates import fixed_limit
from pprl.judge.matches import Finding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FLAT = 0.01  # a group known to be absent exceeds the decoys when the fixed test falls below
SOUND_WEIGHT, SOUND_SIMILARITY = (0.34, 0.66), 0.43
SAMPLE, NEIGHBOUR = 300, 3  # brothers are the nearest to each other; the third nearest is a stranger
MOST_LOOKED_AT = 2_000
LEAST_KNOWN_ABSENT = 20
MOBILISED = "mobilizaciya"  # as services.tsv spells it
MOBILISATION = "2022-09-21"  # nobody was mobilised into the division before


def auc(high: Floats, low: Floats) -> float:
    """P(a member of ``high`` exceeds one of ``low``) + ½ P(they are equal): Mann & Whitney (1947)."""
    if not len(high) or not len(low):
        return 0.5
    ranks = average_ranks(np.concatenate([high, low]))[: len(high)]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))


@dataclass(frozen=True)
class Soundness:
    """Do decoys look like rows? Areas under the curve of weight and of similarity within the list; ½ is alike."""

    auc_weight: float
    auc_similarity: float

    @property
    def sound(self) -> bool:
        low, high = SOUND_WEIGHT
        return low <= self.auc_weight <= high and self.auc_similarity >= SOUND_SIMILARITY


@dataclass(frozen=True)
class DecoyDiagnostics:
    """How rows of a list look by their bits alone: the weight of each, and of samples how near the third nearest real
    row is. Whoever has these can repeat `soundness` without an encoding."""

    weights: Ints  # of every record
    near_real: Floats  # of at most 300 real rows, itself left out
    near_decoys: Floats  # of at most 300 decoys, their owner left out


def looks_of(words: Words, real: Ints, decoys: Ints, owner: Ints, draws: RandomStream) -> DecoyDiagnostics:
    """``owner`` holds places in ``real``."""
    weights = np.bitwise_count(words).sum(axis=1).astype(np.int64)
    against = real[draws.permutation(len(real))[:MOST_LOOKED_AT]]
    some = real[draws.permutation(len(real))[:SAMPLE]]
    chosen = draws.permutation(len(decoys))[:SAMPLE]
    return DecoyDiagnostics(
        weights,
        _near(words, weights, some, some, against),
        _near(words, weights, decoys[chosen], real[owner[chosen]], against),
    )


def soundness(looks: DecoyDiagnostics, real: Ints, decoys: Ints) -> Soundness:
    """Random bits or rare names are like nobody on the list; then what chance gives would look small.

    The bounds lie between what rows of 30 people and more give (the third nearest: above .43 in lists of every kind
    but families by their names alone) and what such decoys give (below .46, median .34): `docs/statistics.md`.
    """
    weights = looks.weights.astype(float)
    return Soundness(round(auc(weights[decoys], weights[real]), 4), round(auc(looks.near_decoys, looks.near_real), 4))


def _near(words: Words, weights: NDArray[np.int64], rows: Ints, own: Ints, against: Ints) -> Floats:
    near = np.zeros(len(rows))
    for at, (row, left_out) in enumerate(zip(rows.tolist(), own.tolist(), strict=True)):
        common = np.bitwise_count(words[row] & words[against]).sum(axis=1)
        dice = 2 * common / np.maximum(weights[row] + weights[against], 1)
        dice[against == left_out] = 0
        near[at] = np.sort(dice)[-min(NEIGHBOUR, len(dice))]
    return near


@dataclass(frozen=True)
class Absent:
    """People known to be absent: how many get a partner at the thresholds, how many decoys in their place would, and
    the fixed test of their best similarities against the decoys'."""

    people: int
    found: int
    expected: float
    p: float

    @property
    def flat(self) -> bool:
        return self.p >= FLAT

    @property
    def enough(self) -> bool:
        return self.people >= LEAST_KNOWN_ABSENT


def absent(group: Candidates, classes: Ints, finding: Finding, decoys: Candidates) -> Absent:
    """A group known to be absent, each of whom joins the finished assignment alone, as decoys do.

    p: how many lie above the T0 of their class (`fixed_limit`), binomial with the mean that its decoys give.
    """
    meeting = finding.meeting
    reached = arrivals(group, meeting.floor_of(classes), meeting.price) >= finding.threshold_of(classes)
    above, mean, expected = 0, 0.0, 0.0
    for each in finding.classes:
        here = classes == each.number
        limit, r = fixed_limit(decoys.best()[each.decoys])
        above += int((group.best()[here] > limit).sum())
        mean += int(here.sum()) * r / (len(each.decoys) + 1)
        if each.threshold is not None:
            expected += int(here.sum()) * each.sample.reach(each.threshold)
    people = len(group)
    p = float(binomial_tail(above, people, min(1.0, mean / people)))
    return Absent(people, int(reached.sum()), round(expected, 2), float(f"{p:.3g}"))


def eligibility(labels: tuple[Label, ...], policy: Policy, records: Ints) -> tuple[Bools, Bools] | None:
    """(could be in the registry, cannot be) for each record; those that are neither are unknown. None when nothing
    tells: no day of the registry, or neither a joining date nor a kind of service.

    Who joined after the registry's day, or was mobilised when that was before 21 September 2022, cannot be in it.
    """
    as_of = policy.as_of
    if as_of is None:
        return None
    can, cannot = np.zeros(len(records), dtype=bool), np.zeros(len(records), dtype=bool)
    known = False
    for label in labels:
        if label.role == "joined":
            known = True
            can |= _of(label, records, [_before(value, as_of) for value in label.values])
            cannot |= _of(label, records, [_after(value, as_of) for value in label.values])
        elif label.type == "category" and as_of < MOBILISATION:
            mobilised = [value == MOBILISED for value in label.values]
            known |= any(mobilised)
            cannot |= _of(label, records, mobilised)
    return (can & ~cannot, cannot) if known else None


def _of(label: Label, records: Ints, truths: list[bool]) -> Bools:
    """A property of the value of each record; False where it is missing."""
    return np.array([*truths, False], dtype=bool)[label.codes[records]]


def _before(value: str, as_of: str) -> bool:
    return value < as_of[: len(value)] or value == as_of


def _after(value: str, as_of: str) -> bool:
    return value > as_of[: len(value)]


@dataclass(frozen=True)
class Agreement:
    """How matched people agree on a field that was not linked, and how permuted partners would."""

    field: str
    compared: int
    agree: int
    chance: float
    p: float | None
    higher: int | None
    lower: int | None

    def confirms(self, fields: int) -> bool:
        """Significant among so many fields that could have been (Bonferroni), and of enough pairs."""
        return self.p is not None and self.p < CONFIRMED / fields and self.compared >= LEAST_COMPARED


CONFIRMED, LEAST_COMPARED, PERMUTATIONS = 0.01, 20, 999


def agreement(ours: Label, theirs: Label, pairs: tuple[Ints, Ints], groups: Ints, draws: RandomStream) -> Agreement:
    """Agreement of pairs (list records, registry records), against partners permuted within ``groups``.

    The chance rate is exact: Σ over groups of Σ over values of a_v · b_v / n; p counts, with the observed one, how many
    of 999 permutations agree as often. A group of one cannot be permuted and stays as it is in all of them.
    """
    numbers = {value: at for at, value in enumerate(theirs.values)}
    known = np.array([numbers.get(value, -2) for value in ours.values] + [UNKNOWN])
    mine, other = known[ours.codes[pairs[0]]], theirs.codes[pairs[1]].astype(np.int64)
    both = (mine != UNKNOWN) & (other != UNKNOWN)
    mine, other, group = mine[both], other[both], groups[both]
    agree = int((mine == other).sum())
    chance = 0.0
    for each in np.unique(group):
        a, b = mine[group == each], other[group == each]
        a = a[a >= 0]
        top = len(theirs.values) + 1
        chance += float((np.bincount(a, minlength=top) * np.bincount(b, minlength=top)).sum()) / len(b)
    p = None
    if len(mine) > 1:
        as_often, in_order = 0, mine[np.argsort(group, kind="stable")]
        for _ in range(PERMUTATIONS):
            shuffled = np.lexsort((draws.words(len(group)), group))
            as_often += int((in_order == other[shuffled]).sum() >= agree)
        p = (1 + as_often) / (1 + PERMUTATIONS)
    higher = lower = None
    if ours.type == "rank":
        step = np.array([int(value) for value in theirs.values] + [0])
        own = np.array([int(value) for value in ours.values] + [0])[ours.codes[pairs[0]][both]]
        higher, lower = int((own > step[other]).sum()), int((own < step[other]).sum())
    return Agreement(ours.name, len(mine), agree, round(chance / max(1, len(mine)), 4), p, higher, lower)


SURE = 0.01  # q-value of pairs that are held against each other, where the list is long enough for it


@dataclass(frozen=True)
class CopyCheck:
    """Do the pairs differ as two independent records of one person do?

    A list copied from the registry repeats its encodings, or says less in some fields; false pairs differ in any case.
    So only sure pairs are held against each other that are filled alike on both sides (20 at least), and ``natural`` is
    when significantly more of them differ (binomial, .01) than 2 q + 2 %: twice what may be false, and a little.
    """

    pairs: int
    identical: int
    natural: bool
    rank_drift: float | None


def copy_check(similarity: Floats, q_values: Floats, filled_alike: Bools, ranks: Agreement | None) -> CopyCheck:
    """Sure are pairs with a q-value up to q = .01, or twice the lowest, since a short list has none so low."""
    same, q = similarity == 1.0, max(SURE, 2 * float(q_values.min(initial=1.0)))
    compared = filled_alike & (q_values <= q)
    alike, differ = int(compared.sum()), int((compared & ~same).sum())
    natural = bool(alike >= LEAST_COMPARED and binomial_tail(differ, alike, min(0.99, 2 * q + 0.02)) < FLAT)
    drift = None
    if ranks is not None and ranks.compared and ranks.higher is not None and ranks.lower is not None:
        drift = round((ranks.higher + ranks.lower) / ranks.compared, 4)
    return CopyCheck(len(similarity), int(same.sum()), natural, drift)
