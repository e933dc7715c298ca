"""What could make the figures wrong: weak or unsound decoys, matches of people known to be absent, a copied list.

None of these checks changes a figure; each can hold back the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import Words
from pprl.core.distributions import average_ranks, binomial_tail, exceedances, normal_tail, rounded_p
from pprl.core.private_rows import Label, Policy
from pprl.core.randomness import RandomStream
from pprl.judge.assignment import Candidates, lone_arrivals
from pprl.judge.error_rates import null_threshold
from pprl.judge.matches import Matches

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FLAT = 0.01  # below this p of the fixed test, people known to be absent come closer than decoys
SOUND_WEIGHT, SOUND_SIMILARITY = (0.34, 0.66), 0.43
UNLIKE = 0.005  # from this p on, nothing shows that decoys are made of the list's values
SAMPLE, NEIGHBOUR = 300, 3  # relatives are each other's nearest; the third nearest is a stranger
MOST_COMPARED = 2_000
MOST_TESTED = 20_000  # decoys that are held against everybody on the list
ROWS_AT_ONCE, WORD = 256, 64
LEAST_KNOWN_ABSENT = 20
LEAST_PAIRS = 20
MOBILISED = "mobilizaciya"  # as services.tsv spells it
MOBILISATION = "2022-09-21"  # nobody was mobilised before


def auc(high: Floats, low: Floats) -> float:
    """P(a member of ``high`` exceeds one of ``low``) + ½ P(they are equal): Mann & Whitney (1947)."""
    if not len(high) or not len(low):
        return 0.5
    ranks = average_ranks(np.concatenate([high, low]))[: len(high)]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))


# -- decoys ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Soundness:
    """Do decoys look like people on the list? Areas under the ROC curve, of weight and of similarity within the list (½
    means that they look the same), and the p of `resemblance`, None where the decoys need not show it. ``margin`` is
    how far the areas may lie outside their limits."""

    auc_weight: float
    auc_similarity: float
    p_unlike: float | None = None
    margin: float = 0.0

    @property
    def sound(self) -> bool:
        low, high = SOUND_WEIGHT[0] - self.margin, SOUND_WEIGHT[1] + self.margin
        looks = low <= self.auc_weight <= high and self.auc_similarity >= SOUND_SIMILARITY - self.margin
        return looks and (self.p_unlike is None or self.p_unlike < UNLIKE)


@dataclass(frozen=True)
class DecoyDiagnostics:
    """How the records of a list look by their bits alone. With these figures an auditor can repeat `soundness` without
    an encoding."""

    weights: Ints  # bits set, of every record
    near_real: Floats  # similarity of the third nearest person to each of at most 300 people
    near_decoys: Floats  # the same for at most 300 decoys, their owner left out
    resemblance: float | None  # z of `resemblance`; None where the decoys were made in the same run


def diagnose(words: Words, real: Ints, decoys: Ints, owner: Ints, draws: RandomStream) -> DecoyDiagnostics:
    """``real`` and ``decoys`` are positions in ``words``, ``owner`` holds indices in ``real``."""
    weights = np.bitwise_count(words).sum(axis=1).astype(np.int64)
    against = real[draws.permutation(len(real))[:MOST_COMPARED]]
    people = real[draws.permutation(len(real))[:SAMPLE]]
    chosen = draws.permutation(len(decoys))[:SAMPLE]
    tested = decoys[draws.permutation(len(decoys))[:MOST_TESTED]]
    return DecoyDiagnostics(
        weights,
        _near(words, weights, people, people, against),
        _near(words, weights, decoys[chosen], real[owner[chosen]], against),
        resemblance(words, real, tested),
    )


def soundness(found: DecoyDiagnostics, real: Ints, decoys: Ints) -> Soundness:
    """Decoys of random bits or rare names would be like nobody on the list, and make what chance gives look small.

    The bounds lie between what lists of 30 people and more give (the third nearest: above .43 in lists of every kind
    except families by their names alone) and what such decoys give (below .46, median .34): `docs/statistics.md`.
    Decoys that were made in the same run are nobody's forgery, so there an area is unsound only where chance would
    put it outside its limit in less than one of a hundred lists of this size.
    """
    weights = found.weights.astype(float)
    own = found.resemblance is None
    people, made = len(found.near_real), len(found.near_decoys)
    return Soundness(
        round(auc(weights[decoys], weights[real]), 4),
        round(auc(found.near_decoys, found.near_real), 4),
        None if found.resemblance is None else rounded_p(normal_tail(found.resemblance)),
        2.33 * math.sqrt((people + made + 1) / (12 * people * made)) if own and people and made else 0.0,
    )


def resemblance(words: Words, real: Ints, decoys: Ints) -> float:
    """How far decoys agree with the list more than bits of nobody would: a standard normal deviate where they resemble
    nobody on it.

    Hardened encodings of any two strangers agree on half of their bits, so neither weight nor nearest
    neighbours tell decoys that resemble nobody. But honest ones take all their values from the list, and many slight
    agreements add up. Each output bit gives a sum of products of a decoy's bit and a person's, each less its row's
    mean, over all decoys and people. Its mean over bits is 0 for decoys that resemble nobody; a t-statistic. The bits
    are the sample, so what decoys have in common with each other changes nothing.
    """
    of_decoys, of_people = _sum_of_bits(words, decoys), _sum_of_bits(words, real)
    products = (of_decoys * of_people).tolist()
    squares = math.fsum(float(value) ** 2 for value in products)
    return round(sum(products) / math.sqrt(squares), 4) if squares else 0.0


def _sum_of_bits(words: Words, rows: Ints) -> Ints:
    """Over rows, each bit less the mean of its row, times the length: exact integers, shape (length,)."""
    length = WORD * words.shape[1]
    total = np.zeros(length, dtype=np.int64)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = words[rows[start : start + ROWS_AT_ONCE]]
        total += length * np.unpackbits(part.view(np.uint8), axis=1).sum(axis=0, dtype=np.int64)
    return total - int(np.bitwise_count(words[rows]).sum(dtype=np.int64))


def _near(words: Words, weights: Ints, rows: Ints, left_out: Ints, against: Ints) -> Floats:
    """The similarity of each row's third nearest record among ``against``, one record left out for each row."""
    near = np.zeros(len(rows))
    for i, (row, excluded) in enumerate(zip(rows.tolist(), left_out.tolist(), strict=True)):
        common = np.bitwise_count(words[row] & words[against]).sum(axis=1)
        dice = 2 * common / np.maximum(weights[row] + weights[against], 1)
        dice[against == excluded] = 0
        near[i] = np.sort(dice)[-min(NEIGHBOUR, len(dice))]
    return near


# -- people known to be absent -----------------------------------------------------------------------------------------


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


def absent(group: Candidates, classes: Ints, matches: Matches, decoys: Candidates) -> Absent | None:
    """A group known to be absent, whose members join the finished assignment alone, as decoys do. None if it is empty.

    p: how many lie above the T0 of their class (`null_threshold`), as `exceedances` of its decoys.
    """
    if not len(group):
        return None
    assignment = matches.assignment
    reached = lone_arrivals(group, assignment.floor_of(classes), assignment.price) >= matches.threshold_of(classes)
    above, expected, by_chance = 0, 0.0, np.ones(1)
    for judged in matches.classes:
        inside = classes == judged.number
        limit, r = null_threshold(decoys.best()[judged.decoys])
        if r <= len(judged.decoys):  # else nobody can be told from the decoys, which are all equal
            above += int((group.best()[inside] > limit).sum())
            by_chance = np.convolve(by_chance, exceedances(int(inside.sum()), r, len(judged.decoys)))
        if judged.threshold is not None:
            expected += int(inside.sum()) * judged.sample.reach(judged.threshold)
    p = min(1.0, math.fsum(by_chance[above:].tolist()))
    return Absent(len(group), int(reached.sum()), round(expected, 2), rounded_p(p))


def eligibility(labels: tuple[Label, ...], policy: Policy, records: Ints) -> tuple[Bools, Bools] | None:
    """(could be in the registry, cannot be) for each record; the eligibility of records that are neither is unknown.
    None where nothing says it: the registry has no date, or there is neither a joining date nor a kind of service.

    People who joined after the registry's date, or were mobilised when that date was before 21 September 2022, cannot
    be in it.
    """
    as_of = policy.as_of
    if as_of is None:
        return None
    can, cannot = np.zeros(len(records), dtype=bool), np.zeros(len(records), dtype=bool)
    known = False
    for label in labels:
        if label.role == "joined":
            known = True
            can |= _holds(label, records, [_before(value, as_of) for value in label.values])
            cannot |= _holds(label, records, [_after(value, as_of) for value in label.values])
        elif label.type == "category" and as_of < MOBILISATION:
            mobilised = [value == MOBILISED for value in label.values]
            known |= any(mobilised)
            cannot |= _holds(label, records, mobilised)
    return (can & ~cannot, cannot) if known else None


def _holds(label: Label, records: Ints, truths: list[bool]) -> Bools:
    """A property of the value of each record; False where the value is missing."""
    return np.array([*truths, False], dtype=bool)[label.codes[records]]


def _before(value: str, as_of: str) -> bool:
    return value < as_of[: len(value)] or value == as_of


def _after(value: str, as_of: str) -> bool:
    return value > as_of[: len(value)]


# -- copying -----------------------------------------------------------------------------------------------------------

SURE = 0.01  # the q-value of pairs that are examined, where the list is long enough for it


@dataclass(frozen=True)
class CopyCheck:
    """Do the pairs differ as independent records of one person do?

    A list copied from the registry repeats its encodings, or says less in some fields; false pairs differ in any case.
    So only sure pairs are examined whose two sides have the same fields filled (20 at least), and ``natural`` says that
    significantly more of them differ (binomial, .01) than 2 q + 2%: twice the share that may be false, and a little.
    """

    pairs: int
    identical: int
    natural: bool
    rank_drift: float | None


def copy_check(similarity: Floats, q_values: Floats, filled_alike: Bools, rank_drift: float | None) -> CopyCheck:
    """Sure pairs have a q-value up to q = .01, or up to twice the lowest, since a short list may have none so low."""
    same, q = similarity == 1.0, max(SURE, 2 * float(q_values.min(initial=1.0)))
    compared = filled_alike & (q_values <= q)
    alike, differ = int(compared.sum()), int((compared & ~same).sum())
    natural = bool(alike >= LEAST_PAIRS and binomial_tail(differ, alike, min(0.99, 2 * q + 0.02)) < FLAT)
    return CopyCheck(len(similarity), int(same.sum()), natural, rank_drift)
