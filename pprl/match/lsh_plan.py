"""The plan of an approximate search and its promise: how many tables of how many bits give which recall.

A pair of weights w1 and w2 and Dice d lies at the Hamming distance h = w1 + w2 - 2 common = (w1 + w2)(1 - d). One table
puts it in a shared bucket with probability p = C(m - h, k) / C(m, k), since the k positions must avoid the h that
differ; at least one of L tables does with probability 1 - (1 - p)^L. The probability is over the draw of positions and
holds for any rows.

The promise: every single pair at or above the threshold is found with at least this probability. It is computed for
the most distant pair that the threshold allows between the heaviest rows, since among pairs at the threshold the heavy
ones lie farthest apart. Lighter pairs need fewer tables and skip the rest; pairs above the threshold are found more
often. Where a few heavy rows would make everything expensive, they are compared with every row instead
(``Plan.heaviest``) and lose no pair.

Whether it helps: p is averaged over all pairs of a sample from both sides, which gives the expected number of
candidates; k and L are the cheapest that keep the promise. If that is not well below the cost of the exact search, the
exact search runs. That happens with small files, low thresholds and, at most thresholds in use, diffused encodings:
unrelated rows lie at m/2 there, and related ones are not much closer.

Costs are constants, never measured, so that every machine decides alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream, seed_from
from pprl.match.kernel import Ints
from pprl.match.search import least_common, require_same_length

Floats = NDArray[np.float64]

MAX_KEY_BITS = 64  # one word
MAX_TABLES = 4096
# Costs, in pairs of the exact search: a row in a table, a candidate, preparing a row, a pair of the sample. Measured at
# 1,024 bits; the last two count double, since they run on one thread of several.
ROW_COST, CANDIDATE_COST, PREPARATION_COST, SAMPLE_COST = 14.0, 30.0, 900.0, 80.0
MIN_SPEEDUP = 5.0  # a smaller gain is not worth giving up certainty
SAMPLED_ROWS = 2000  # of each side at most, to see how far apart rows lie,
SAMPLED_SHARE = 0.05  # and at most this share of the exact search's cost
CHECKED_ROWS = 500  # rows of ours searched exactly to check the recall: at least this many, or 1%
HEAVY_SHARES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05)  # share of rows that may be compared with every row
SEED = seed_from(1)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the search will do and what it promises; ``tables`` 0 means the exact search."""

    threshold: Fraction
    length: int
    requested: float  # the recall that was asked for
    recall: float  # promised for every single pair at or above the threshold
    bits: int  # k, in a key
    tables: int  # L
    heaviest: int  # rows with more bits set are compared with every row
    candidates: float  # expected, over all tables
    speedup: float  # against the exact search, by the cost constants

    @property
    def exact(self) -> bool:
        return self.tables == 0


def collision_chance(length: int, distances: NDArray[Any], bits: int) -> Floats:
    """The probability that ``bits`` of ``length`` positions, drawn without replacement, avoid all that differ:
    C(length - h, bits) / C(length, bits) for each distance h."""
    chance = np.ones(np.shape(distances))
    for drawn in range(bits):
        chance *= np.maximum(length - np.asarray(distances) - drawn, 0) / (length - drawn)
    return chance


def recall_of(chance: float, tables: int) -> float:
    """1 - (1 - p)^L: at least one of L independent tables brings a pair together."""
    return 1.0 if chance >= 1 else -math.expm1(tables * math.log1p(-chance))


def tables_for(chance: float, recall: float) -> int | None:
    """The fewest tables with ``recall_of(chance, tables) >= recall``; None where no practical number is enough."""
    if chance >= 1:
        return 1
    if chance <= 0 or recall >= 1:
        return None
    needed = math.log1p(-recall) / math.log1p(-chance)
    if needed > MAX_TABLES:
        return None
    tables = max(1, math.ceil(needed) - 1)
    return tables if recall_of(chance, tables) >= recall else tables + 1


def tables_by_total(least: Ints, plan: Plan) -> Ints:
    """How many tables give a pair of each total weight the promised recall when it just reaches the threshold: light
    pairs lie closer together and need fewer than ``plan.tables``, which is what the heaviest need."""
    totals = np.arange(len(least))
    distances = np.clip(np.maximum.accumulate(totals - 2 * least), 0, plan.length)
    chances = collision_chance(plan.length, distances, plan.bits)
    recall = min(plan.recall, plan.requested)
    return np.array([tables_for(chance, recall) or plan.tables for chance in chances], dtype=np.int64)


def max_distance(least: Ints, our_heaviest: int, their_heaviest: int) -> int:
    """The largest Hamming distance at which rows of these weights or lighter still reach the threshold.

    ``least`` holds the fewest common bits by total; a total T with c bits in common lies at the distance T - 2 c.
    """
    totals = np.arange(our_heaviest + their_heaviest + 1)
    possible = least[totals] <= np.minimum(totals // 2, min(our_heaviest, their_heaviest))
    return int((totals - 2 * least[totals])[possible].max(initial=0))


def sample_rows(label: str, seed: bytes, rows: int, wanted: int) -> Ints:
    """``wanted`` row numbers drawn by ``seed``, or all, in rising order."""
    return np.sort(RandomStream(seed, label).permutation(rows)[:wanted])


def checked_rows(rows: int) -> int:
    """How many of our rows are searched exactly as well, to check the recall."""
    return min(rows, max(CHECKED_ROWS, rows // 100))


def make_plan(
    ours: BitMatrix,
    theirs: BitMatrix,
    threshold: Fraction,
    recall: float,
    *,
    min_speedup: float = MIN_SPEEDUP,
) -> Plan:
    """The cheapest k, L and weight limit that keep the promise; the exact search below ``min_speedup``.

    Costs are in pairs of the exact search, which skips those whose weights cannot reach the threshold. With n1 and n2
    rows and C expected candidates, a table costs ROW_COST (n1 + n2) + CANDIDATE_COST C, a heavy row all rows of the
    other side, the check its share of the exact search; rows are prepared once, and the sample is already paid for. C
    is n1 n2 times the mean of p over the pairs of up to 2,000 rows of each side, drawn by a constant seed: a kind
    of close pair rarer than one in some millions goes unseen, and does not matter.

    ValueError: the recall is not above 0 and at most 1, or the threshold not from 0 to 1. MismatchError: the encodings
    differ in length.
    """
    _refuse_bad_arguments(ours, theirs, threshold, recall)
    exact = _exact_plan(threshold, ours.length, recall)
    sides = [BitMatrix(side.words[np.flatnonzero(side.weights())]) for side in (ours, theirs)]
    if not len(sides[0]) or not len(sides[1]):
        return exact
    costs = _costs(sides[0], sides[1], least_common(threshold, ours.length), checked_rows(len(ours)))
    if not costs.exact:
        return exact
    cheapest, lowest = exact, math.inf
    for candidate, cost in _possible_plans(costs, exact):
        if cost < lowest:
            cheapest, lowest = candidate, cost
    if cheapest.speedup < min_speedup:
        return replace(exact, speedup=cheapest.speedup if cheapest.tables else 0.0)
    return cheapest


@dataclass(frozen=True, kw_only=True)
class _Costs:
    """What the plans for two sides of non-empty rows are compared by, in pairs of the exact search."""

    least: Ints  # fewest common bits by total weight
    weights: tuple[Ints, Ints]
    distances: Ints  # Hamming distances that occur in the sample
    shares: Floats  # of the sampled pairs at each
    comparable: float  # share of the sampled pairs whose weights can reach the threshold
    exact: float  # the exact search
    fixed: float  # check, preparation and sample

    @property
    def rows(self) -> tuple[int, int]:
        return len(self.weights[0]), len(self.weights[1])


def _costs(ours: BitMatrix, theirs: BitMatrix, least: Ints, checked: int) -> _Costs:
    counts, comparable = _sampled_distances(ours, theirs, least)
    exact = float(len(ours)) * len(theirs) * comparable
    seen = np.flatnonzero(counts)
    preparation = PREPARATION_COST * (len(ours) + len(theirs)) + SAMPLE_COST * int(counts.sum())
    return _Costs(
        least=least,
        weights=(ours.weights().astype(np.int64), theirs.weights().astype(np.int64)),
        distances=seen,
        shares=counts[seen] / counts.sum(),
        comparable=comparable,
        exact=exact,
        fixed=exact * checked / len(ours) + preparation,
    )


def _possible_plans(costs: _Costs, exact: Plan) -> Iterator[tuple[Plan, float]]:
    """Every number of key bits with every weight limit that can keep the promise, and its cost."""
    our_rows, their_rows = costs.rows
    falling = np.sort(np.concatenate(costs.weights))[::-1]
    limits = sorted({int(falling[min(int(share * len(falling)), len(falling) - 1)]) for share in HEAVY_SHARES})
    for bits in range(1, min(MAX_KEY_BITS, exact.length) + 1):
        mean_chance = float(collision_chance(exact.length, costs.distances, bits) @ costs.shares)
        candidates = float(our_rows) * their_rows * mean_chance
        for limit in limits:
            our_light, their_light = (int(weights[weights <= limit].max(initial=0)) for weights in costs.weights)
            distance = max_distance(costs.least, our_light, their_light)
            chance = float(collision_chance(exact.length, np.array(distance), bits))
            tables = tables_for(chance, exact.requested)
            if tables is None:
                continue
            our_heavy, their_heavy = (int((weights > limit).sum()) for weights in costs.weights)
            heavy = costs.comparable * (our_heavy * their_rows + their_heavy * our_rows)
            cost = tables * (ROW_COST * (our_rows + their_rows) + CANDIDATE_COST * candidates) + heavy + costs.fixed
            yield (
                replace(
                    exact,
                    recall=recall_of(chance, tables),
                    bits=bits,
                    tables=tables,
                    heaviest=limit,
                    candidates=tables * candidates,
                    speedup=costs.exact / cost,
                ),
                cost,
            )


def _exact_plan(threshold: Fraction, length: int, requested: float) -> Plan:
    return Plan(
        threshold=threshold,
        length=length,
        requested=requested,
        recall=1.0,
        bits=0,
        tables=0,
        heaviest=0,
        candidates=0.0,
        speedup=1.0,
    )


def _sampled_distances(ours: BitMatrix, theirs: BitMatrix, least: Ints) -> tuple[Ints, float]:
    """How many pairs of sampled rows lie at each Hamming distance, shape (length + 1,), and the share of them whose
    weights can reach the threshold."""
    wanted = min(SAMPLED_ROWS, max(100, math.isqrt(int(SAMPLED_SHARE / SAMPLE_COST * len(ours) * len(theirs)))))
    our_sample = BitMatrix(ours.words[sample_rows("lsh plan ours", SEED, len(ours), wanted)])
    their_sample = BitMatrix(theirs.words[sample_rows("lsh plan theirs", SEED, len(theirs), wanted)])
    our_weights, their_weights = (side.weights().astype(np.int64) for side in (our_sample, their_sample))
    counts, comparable = np.zeros(ours.length + 1, dtype=np.int64), 0
    by_word = np.ascontiguousarray(their_sample.words.T)
    for words, weight in zip(our_sample.words, our_weights, strict=True):
        distances = np.bitwise_count(by_word ^ words[:, None]).sum(axis=0, dtype=np.int64)
        counts += np.bincount(distances, minlength=len(counts))
        comparable += int((np.minimum(their_weights, weight) >= least[their_weights + weight]).sum())
    return counts, comparable / (len(our_sample) * len(their_sample))


def _refuse_bad_arguments(ours: BitMatrix, theirs: BitMatrix, threshold: Fraction, recall: float) -> None:
    if not 0 < recall <= 1:
        raise ValueError("the recall must be above 0 and at most 1")
    if not 0 <= threshold <= 1:
        raise ValueError("the threshold of an approximate search must be between 0 and 1")
    require_same_length(ours.length, theirs.length)
