"""Approximate search: rows are compared if they agree on some drawn bits, so pairs are missed, with a known chance.

Hamming LSH by bit sampling (Indyk and Motwani 1998, "Approximate nearest neighbors", STOC, section 4.2). Each of L
tables draws k of the m bit positions; rows of ours and of theirs with the same k bits share a bucket and are compared
exactly. What is found is therefore what the exact search finds, with the same integers, less what no table brought
together: precision is exact, recall is not.

A pair of weights w1 and w2 and Dice d lies at the Hamming distance h = w1 + w2 - 2 common = (w1 + w2)(1 - d). A table
brings it together with the chance p = C(m - h, k) / C(m, k), since the k positions must avoid the h that differ, and
one of L tables does with the chance 1 - (1 - p)^L. The chance is over the draw of the positions and holds for whatever
rows there are.

What is promised: every single pair at or above the threshold is found with at least this chance. It is computed for
the farthest pair that the threshold allows between the heaviest rows, since of pairs at the threshold the heavy ones
lie farthest apart. Lighter pairs need fewer tables and are left out of the rest; all above the threshold are found more
often. Where a few heavy rows would make everything dear, they are compared with everyone instead (``Plan.heaviest``)
and lose no pair.

Whether it helps: on a sample of both sides' rows the collision chance p is averaged over all pairs, which gives the
candidates to expect, and k and L are those of the least cost that keeps the promise. Where that cost is not well below
the exact search's, the exact search runs, and the account says so. So it does on small files, at low thresholds, and
for diffused encodings at most thresholds in use: unrelated rows lie at m/2 there, and related ones not much nearer.

Skewed data cannot hurt much: when more candidates come up than an exact search is worth, it takes over. Costs are
constants, never clocks, so that every machine decides alike; kernels and engines change no answer.
"""

from __future__ import annotations

import math
from builtins import map as serially
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words, on_its_side, upright
from pprl.core.errors import MismatchError
from pprl.core.intervals import wilson
from pprl.core.randomness import RandomStream, seed_from
from pprl.match import kernel as kernels
from pprl.match import numba_cache, search
from pprl.match.kernel import Ints
from pprl.match.search import Candidates, Map, Pairs, Progress

Floats = NDArray[np.float64]

MOST_BITS = 64  # of a key: one word
MOST_TABLES = 4096
# What a row costs a table, and a candidate, where a pair of the exact search costs 1; to make rows ready; and to look
# at a pair of the sample. Measured at 1,024 bits; the last two count double, for they run on one thread of several.
ROW, CANDIDATE, READY, SEEN = 14.0, 30.0, 900.0, 80.0
WORTH = 5.0  # how many times faster it must be to give up certainty
PLAN_ROWS = 2000  # of each side at most, to see how far apart rows are,
PLAN_SHARE = 0.05  # and of the exact search's cost
CHECK_ROWS = 500  # of ours at least, or one in a hundred
AT_ONCE = 8  # tables between two looks at the candidates so far
HEAVY_SHARES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05)  # of the rows, that may be compared with everyone
SEED = seed_from(1)


@dataclass(frozen=True)
class Plan:
    """What will be done and what it promises; ``tables`` 0 means the exact search."""

    threshold: Fraction
    length: int
    asked: float  # the recall that was asked for
    recall: float  # promised for every single pair at or above the threshold
    bits: int  # k, of a key
    tables: int  # L
    heaviest: int  # rows with more bits are compared with everyone
    candidates: float  # expected, all tables together
    faster: float  # times, against the exact search, by the cost constants

    @property
    def exact(self) -> bool:
        return self.tables == 0


@dataclass(frozen=True)
class Account:
    """What was promised, what was done, and what the exact search says of it on a sample of our rows."""

    plan: Plan
    pairs: int  # ours times theirs
    candidates: int  # compared, counted once for every table that brought them together; all pairs if exact
    exact: bool  # the exact search gave the answer, so nothing was missed
    overrun: bool  # it took over when more candidates came up than it would be worth
    sampled_rows: int = 0
    sampled_pairs: int = 0  # that the exact search finds for the sampled rows
    sampled_found: int = 0  # of these, that were found

    def interval(self) -> tuple[float, float]:
        """Of the recall, from the sample, 95 %; the pairs are taken as independent, which those of one row are not."""
        return wilson(self.sampled_found, self.sampled_pairs)

    def describe(self) -> str:
        """The account in plain text, a few lines."""
        plan = self.plan
        head = f"approximate search for Dice {float(plan.threshold):.3g} or more in {self.pairs:,} pairs"
        if self.exact:
            why = (
                "more candidates came up than expected, so the exact search took over"
                if self.overrun
                else f"it would not help: the exact search is estimated to take {_times(plan.faster)} as long"
            )
            return f"{head}\n  {why}; nothing was missed"
        low, high = self.interval()
        rows = f"{self.sampled_rows:,} of our rows"
        checked = f"  check: {rows}, searched exactly, have no such pair, so nothing is checked"
        if self.sampled_pairs:
            share = _percent(self.sampled_found / self.sampled_pairs)
            checked = (
                f"  check: {self.sampled_found:,} of the {self.sampled_pairs:,} pairs of {rows} were found, "
                f"recall {share} (95 % interval {_percent(low)} to {_percent(high)})"
            )
        lines = [
            head,
            f"  promised: each such pair is found with a chance of {_percent(plan.recall)} at least",
            checked,
            f"  {plan.tables:,} tables of {plan.bits} of {plan.length:,} bits; "
            f"rows with more than {plan.heaviest:,} bits set were compared with everyone",
            f"  candidates compared: {self.candidates:,} ({plan.candidates:,.0f} expected); "
            f"the exact search is estimated to take {_times(plan.faster)} as long",
        ]
        return "\n".join(lines)


def collision(length: int, distances: NDArray[Any], bits: int) -> Floats:
    """The chance that ``bits`` of ``length`` positions, drawn without replacement, avoid all that differ:
    C(length - h, bits) / C(length, bits) for each distance h."""
    chance = np.ones(np.shape(distances))
    for drawn in range(bits):
        chance *= np.maximum(length - np.asarray(distances) - drawn, 0) / (length - drawn)
    return chance


def recall_of(chance: float, tables: int) -> float:
    """1 - (1 - p)^L: at least one of L independent tables brings a pair together."""
    return 1.0 if chance >= 1 else -math.expm1(tables * math.log1p(-chance))


def tables_for(chance: float, recall: float) -> int | None:
    """The fewest tables with ``recall_of(chance, tables) >= recall``; None where no number of use will do."""
    if chance >= 1:
        return 1
    if chance <= 0 or recall >= 1:
        return None
    wanted = math.log1p(-recall) / math.log1p(-chance)
    if wanted > MOST_TABLES:
        return None
    tables = max(1, math.ceil(wanted) - 1)
    return tables if recall_of(chance, tables) >= recall else tables + 1


def farthest(least: Ints, our_heaviest: int, their_heaviest: int) -> int:
    """The largest Hamming distance at which rows of these weights or lighter still reach the threshold.

    ``least`` holds the fewest common bits by total; a total T with c of them lies at the distance T - 2 c.
    """
    totals = np.arange(our_heaviest + their_heaviest + 1)
    there = least[totals] <= np.minimum(totals // 2, min(our_heaviest, their_heaviest))
    return int((totals - 2 * least[totals])[there].max(initial=0))


def plan(
    ours: BitMatrix,
    theirs: BitMatrix,
    threshold: Fraction,
    recall: float,
    *,
    seed: bytes = SEED,
    worth: float = WORTH,
) -> Plan:
    """The k, L and weight limit of the least cost that keep the promise; the exact search if little is gained by it.

    Little is less than ``worth`` times the speed. Costs are in pairs of the exact search, which skips those whose
    weights cannot reach the threshold. With n1 and n2 rows and C candidates to expect, a table costs
    ROW (n1 + n2) + CANDIDATE C, a heavy row all rows of the other side, the check its share of the exact search; rows
    are made ready once, and the sample was looked at already. C is n1 n2 times the mean of p over the pairs of up to
    2,000 rows of each side, drawn by ``seed``: a kind of near pair that is rarer than one in some millions is not seen,
    and does not matter.

    ValueError: the recall is not above 0 and at most 1, or the threshold not from 0 to 1.
    """
    _check_arguments(ours, theirs, threshold, recall)
    length, least = ours.length, search.least_common(threshold, ours.length)
    exact = Plan(threshold, length, recall, 1.0, 0, 0, 0, 0.0, 1.0)
    sides = [BitMatrix(side.words[np.flatnonzero(side.weights())]) for side in (ours, theirs)]
    if not len(sides[0]) or not len(sides[1]):
        return exact
    weights = [side.weights().astype(np.int64) for side in sides]
    distances, reach = _sampled(sides[0], sides[1], least, seed)
    pairs = float(len(sides[0])) * len(sides[1])
    alone, check = pairs * reach, pairs * reach * _check_rows(len(ours)) / len(sides[0])
    if not alone:
        return exact
    rows = len(sides[0]) + len(sides[1])
    fixed = check + READY * rows + SEEN * int(distances.sum())
    chosen, cost = exact, math.inf
    together = np.sort(np.concatenate(weights))[::-1]
    limits = sorted({int(together[min(int(share * rows), rows - 1)]) for share in HEAVY_SHARES})
    seen = np.flatnonzero(distances)
    share_of = distances[seen] / distances.sum()
    for bits in range(1, min(MOST_BITS, length) + 1):
        expected = pairs * float(collision(length, seen, bits) @ share_of)
        for limit in limits:
            heavy = [int((each > limit).sum()) for each in weights]
            tops = [int(each[each <= limit].max(initial=0)) for each in weights]
            chance = float(collision(length, np.array(farthest(least, tops[0], tops[1])), bits))
            tables = tables_for(chance, recall)
            if tables is None:
                continue
            dear = reach * (heavy[0] * len(sides[1]) + heavy[1] * len(sides[0]))
            total = tables * (ROW * rows + CANDIDATE * expected) + dear + fixed
            if total < cost:
                cost = total
                promised = recall_of(chance, tables)
                chosen = Plan(
                    threshold, length, recall, promised, bits, tables, limit, tables * expected, alone / total
                )
    if chosen.faster < worth:
        return replace(exact, faster=chosen.faster if chosen.tables else 0.0)
    return chosen


def all_pairs(
    ours: BitMatrix,
    theirs: BitMatrix,
    threshold: Fraction,
    recall: float,
    *,
    seed: bytes = SEED,
    planned: Plan | None = None,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    at_once: int = AT_ONCE,
) -> tuple[Pairs, Account]:
    """Pairs with ``2 * common / total >= threshold``, each found with a chance of ``recall`` or more, and an account.

    What is found is a part of what ``search.all_pairs`` finds, in its order. Memory is bounded by two more copies of
    both sides' rows, by one table of about 30 bytes a row for each thread, and by the pairs. Equal seeds give equal
    answers everywhere; who fears rows made to be missed under a known seed gives one of his own. ``planned`` is a plan
    made before or by hand; ``at_once`` tables are mapped together; ``progress`` is told shares of the pairs.

    ValueError: as for ``plan``, or ``planned`` is for another threshold or length.

    >>> ours = BitMatrix.from_positions([[1, 2]], 64)
    >>> theirs = BitMatrix.from_positions([[3], [2], [1, 2]], 64)
    >>> pairs, account = all_pairs(ours, theirs, Fraction(2, 3), 0.99, kernel="numpy")
    >>> pairs.theirs.tolist(), account.exact
    ([1, 2], True)
    """
    kernel = kernels.choose(kernel)
    work = _planned(ours, theirs, threshold, recall, seed, planned)
    parts: list[Ints] = []
    run = _run(ours, theirs, work, seed, kernel, map, progress, at_once, parts.append)
    if run is None:
        whole = search.all_pairs(ours, theirs, work.threshold, kernel=kernel, map=map, progress=progress)
        return whole, _exact_account(ours, theirs, work)
    found = np.concatenate(parts, axis=1) if parts else np.empty((4, 0), dtype=np.int64)
    rows, numbers, common, total = found[:, np.lexsort((found[1], found[0]))]
    pairs = Pairs(rows, numbers, common.astype(np.int32), total.astype(np.int32), kernel)
    sample = _sample("lsh check", seed, len(ours), _check_rows(len(ours)))
    true = search.all_pairs(BitMatrix(ours.words[sample]), theirs, work.threshold, kernel=kernel, map=map)
    return pairs, _account(ours, theirs, work, run, sample, (true.ours, true.theirs), (rows, numbers))


def best(
    ours: BitMatrix,
    theirs: BitMatrix,
    floor: Fraction,
    recall: float,
    *,
    keep: int = 16,
    seed: bytes = SEED,
    planned: Plan | None = None,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    at_once: int = AT_ONCE,
) -> tuple[Candidates, Account]:
    """For every row of ours its best ``keep`` rows of theirs with a similarity of ``floor`` or more.

    Each row of theirs that ``search.best`` would keep is found with a chance of ``recall`` or more; where one is
    missed, the next best takes its place. Order and ties are those of ``search.best``, memory and the other
    arguments those of ``all_pairs``, and the check counts the rows that are kept.
    """
    if keep < 1:
        raise ValueError("keep is at least 1")
    kernel = kernels.choose(kernel)
    work = _planned(ours, theirs, floor, recall, seed, planned)
    places, parts = _places(theirs), [np.empty((4, 0), dtype=np.int64)]

    def take(part: Ints) -> None:
        """What is held stands first; the rest is merged into it when it is as much."""
        parts.append(part)
        if sum(each.shape[1] for each in parts[1:]) > parts[0].shape[1] + (1 << 16):
            parts[:] = [_top(np.concatenate(parts, axis=1), places, theirs.length, keep)]

    run = _run(ours, theirs, work, seed, kernel, map, progress, at_once, take)
    if run is None:
        found = search.best(ours, theirs, keep=keep, kernel=kernel, map=map, progress=progress)
        return _above(found, work.threshold), _exact_account(ours, theirs, work)
    held = _top(np.concatenate(parts, axis=1), places, theirs.length, keep)
    candidates = _spread(held, len(ours), keep, kernel)
    sample = _sample("lsh check", seed, len(ours), _check_rows(len(ours)))
    some = search.best(BitMatrix(ours.words[sample]), theirs, keep=keep, kernel=kernel, map=map)
    true = np.nonzero(_above(some, work.threshold).theirs >= 0)
    wanted = true[0], some.theirs[true]
    return candidates, _account(ours, theirs, work, run, sample, wanted, (held[0], held[1]))


@dataclass(frozen=True)
class Side:
    """The rows of one side that go through the tables, upright and on their side."""

    rows: Ints  # their numbers
    words: Words
    weights: Ints
    columns: Words  # shape (length, stacks), stacks a multiple of 8


@dataclass(frozen=True)
class Tables:
    """Everything a table needs, and that does not change from table to table."""

    kernel: str
    ours: Side
    theirs: Side
    least: Ints  # by total weight, the fewest common bits
    enough: Ints  # by total weight, the tables after which such a pair has had its chance
    positions: Ints  # shape (tables, bits)
    masks: Words  # shape (tables, words of a row): the positions of each table as bits
    member: Words  # shape (length, ceil(tables / 64)): the tables of each position as bits
    first: tuple[Words, Words]  # of each side the keys of the first table: they tell most pairs that have met
    limit: int  # candidates of one table


def _run(
    ours: BitMatrix,
    theirs: BitMatrix,
    work: Plan,
    seed: bytes,
    kernel: str,
    map: Map,  # noqa: A002
    progress: Progress | None,
    at_once: int,
    take: Callable[[Ints], None],
) -> int | None:
    """Hands every pair found to ``take``, once, and returns how many candidates were compared; None if the exact
    search is to do it.

    Candidates worth an exact search are the most in all, and an eighth of them in one table; so with 8 tables at once
    what is thrown away when that is exceeded cost about two exact searches at most.
    """
    if work.exact:
        return None
    least = search.least_common(work.threshold, ours.length)
    most = max(100_000, int(len(ours) * len(theirs) / CANDIDATE))
    weights = [side.weights().astype(np.int64) for side in (ours, theirs)]
    light = [np.flatnonzero((each > 0) & (each <= work.heaviest)) for each in weights]
    sides = [_side(side.words, each, rows) for side, each, rows in zip((ours, theirs), weights, light, strict=True)]
    tables = _tables(kernel, sides[0], sides[1], least, work, seed, max(1, most // 8))
    candidates = told = 0
    for top in range(0, work.tables, at_once):
        numbers = range(top, min(top + at_once, work.tables))
        parts, over = [], False
        for compared, found in map(partial(_table, tables), numbers):
            candidates += compared
            over |= compared > tables.limit or candidates > most
            parts.append(found)
        share = len(ours) * len(theirs) * numbers.stop // work.tables - told
        if progress:
            progress(-told if over else share)
        if over:
            return None
        told += share
        take(np.concatenate(parts, axis=1))
    for left, right in _dear(weights, work.heaviest):
        found = search.all_pairs(
            BitMatrix(ours.words[left]), BitMatrix(theirs.words[right]), work.threshold, kernel=kernel, map=map
        )
        take(np.stack([left[found.ours], right[found.theirs], found.common, found.total]))
    return candidates


def _dear(weights: list[Ints], heaviest: int) -> list[tuple[Ints, Ints]]:
    """Which rows are compared with everyone: our heavy ones with all, and our others with their heavy ones."""
    heavy, others = (np.flatnonzero(part) for part in (weights[0] > heaviest, weights[0] <= heaviest))
    return [(heavy, np.arange(len(weights[1]))), (others, np.flatnonzero(weights[1] > heaviest))]


def _side(words: Words, weights: Ints, rows: Ints) -> Side:
    chosen = np.ascontiguousarray(words[rows])
    columns = np.zeros((64 * words.shape[1], -(-len(rows) // 512) * 8), dtype="<u8")
    for top in range(0, len(rows), 8192):
        part = on_its_side(chosen[top : top + 8192])
        columns[:, top // 64 : top // 64 + part.shape[1]] = part
    return Side(rows, chosen, weights[rows], columns)


def _tables(kernel: str, ours: Side, theirs: Side, least: Ints, work: Plan, seed: bytes, limit: int) -> Tables:
    """Each table's positions are the first of a permutation, so that they are drawn without replacement."""
    draws = RandomStream(seed, "lsh tables")
    drawn = [draws.permutation(work.length)[: work.bits] for _ in range(work.tables)]
    positions = np.array(drawn, dtype=np.int64)
    numbers = np.repeat(np.arange(work.tables), work.bits).reshape(positions.shape)
    masks = np.zeros((work.tables, work.length // 64), dtype=np.uint64)
    np.bitwise_or.at(masks, (numbers, positions // 64), np.uint64(1) << (positions % 64).astype(np.uint64))
    member = np.zeros((work.length, -(-work.tables // 64)), dtype=np.uint64)
    np.bitwise_or.at(member, (positions, numbers // 64), np.uint64(1) << (numbers % 64).astype(np.uint64))
    keys = _keys_numpy if kernel == "numpy" else _keys_compiled
    first = keys(ours, positions[0]), keys(theirs, positions[0])
    enough = _enough(least, work)
    return Tables(kernel, ours, theirs, least, enough, positions, masks, member, first, limit)


def _enough(least: Ints, work: Plan) -> Ints:
    """How many tables give a pair of each total weight the promised recall, when it just reaches the threshold: light
    pairs lie nearer and need fewer than ``work.tables``, which is what the heaviest need."""
    totals = np.arange(len(least))
    distances = np.clip(np.maximum.accumulate(totals - 2 * least), 0, work.length)
    chances = collision(work.length, distances, work.bits)
    wanted = min(work.recall, work.asked)
    return np.array([tables_for(chance, wanted) or work.tables for chance in chances], dtype=np.int64)


def _table(tables: Tables, number: int) -> tuple[int, Ints]:
    """How many pairs share a bucket of one table, and those of them that reach the threshold and met in no earlier
    table, shape (4, pairs): our row, theirs, common, total. Past ``limit`` it stops at limit + 1, with no pairs."""
    ours, theirs = tables.ours, tables.theirs
    join = _join_numpy if tables.kernel == "numpy" else _join_compiled
    candidates, left, right, common = join(tables, number)
    total = ours.weights[left] + theirs.weights[right]
    return candidates, np.stack([ours.rows[left], theirs.rows[right], common, total])


Joined = tuple[int, Ints, Ints, Ints]


def _join_numpy(tables: Tables, number: int) -> Joined:
    ours, theirs = tables.ours, tables.theirs
    mine, its = (_keys_numpy(side, tables.positions[number]) for side in (ours, theirs))
    order = np.argsort(its, kind="stable")
    first, last = (np.searchsorted(its[order], mine, side=side) for side in ("left", "right"))
    ends = np.cumsum(last - first)
    candidates = int(ends[-1]) if len(ends) else 0
    if candidates > tables.limit:
        return tables.limit + 1, *_no_pairs()
    parts = [_no_pairs()]
    for top in range(0, candidates, 1 << 16):
        place = np.arange(top, min(top + (1 << 16), candidates))
        left = np.searchsorted(ends, place, side="right")
        right = order[last[left] - (ends[left] - place)]
        fresh = number < tables.enough[ours.weights[left] + theirs.weights[right]]
        left, right = left[fresh], right[fresh]
        common = np.bitwise_count(ours.words[left] & theirs.words[right]).sum(axis=1, dtype=np.int64)
        reach = common >= tables.least[ours.weights[left] + theirs.weights[right]]
        left, right, common = left[reach], right[reach], common[reach]
        differing = ours.words[left] ^ theirs.words[right]
        new = np.ones(len(left), dtype=bool)
        for mask in tables.masks[:number]:
            new &= (differing & mask).any(axis=1)
        parts.append((left[new], right[new], common[new]))
    lefts, rights, commons = (np.concatenate(column) for column in zip(*parts, strict=True))
    return candidates, lefts, rights, commons


def _keys_numpy(side: Side, positions: Ints) -> Words:
    """The bits of each row at the positions, as one word; shape (rows,)."""
    chosen = np.zeros((64, side.columns.shape[1]), dtype="<u8")
    chosen[: len(positions)] = side.columns[positions]
    return upright(chosen, len(side.rows))[:, 0]


def _no_pairs() -> tuple[Ints, Ints, Ints]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)


def _join_compiled(tables: Tables, number: int) -> Joined:
    run = _need_compiled()
    ours, theirs = tables.ours, tables.theirs
    mine, its = (_keys_compiled(side, tables.positions[number]) for side in (ours, theirs))
    room = 1 << 14
    while True:
        out = np.empty((3, room), dtype=np.int64)
        candidates, found = run.join(
            *(mine, its, ours.words, ours.weights, theirs.words, theirs.weights),
            *(tables.least, tables.enough, *tables.first, tables.member, number, tables.limit, out),
        )
        if candidates > tables.limit:
            return tables.limit + 1, *_no_pairs()
        if found <= room:
            return int(candidates), out[0, :found], out[1, :found], out[2, :found]
        room = int(found)


def _keys_compiled(side: Side, positions: Ints) -> Words:
    """As ``_keys_numpy``, with some keys of nobody behind the last row."""
    keys = np.empty(64 * side.columns.shape[1], dtype=np.uint64)
    _need_compiled().keys(side.columns, positions, keys)
    return keys


# From here to `Compiled`: bodies that numba compiles.

_0, _1 = np.uint64(0), np.uint64(1)
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, TAOCP 3, section 6.4)
_SWAPS = np.array([sum(1 << bit for bit in range(64) if not bit & 32 >> stage) for stage in range(6)], dtype=np.uint64)


def _keys_body(columns: Any, positions: Any, keys: Any) -> None:
    """As ``_keys_numpy``, on 8 stacks of 64 rows at a time: one vector instruction serves all 8."""
    square = np.empty((64, 8), np.uint64)
    for first in range(0, columns.shape[1], 8):
        for bit in range(64):
            for lane in range(8):
                square[bit, lane] = columns[positions[bit], first + lane] if bit < len(positions) else _0
        half = 32
        for stage in range(6):
            low, shift = _SWAPS[stage], np.uint64(half)
            for block in range(0, 64, 2 * half):
                for entry in range(block, block + half):
                    for lane in range(8):
                        swap = ((square[entry, lane] >> shift) ^ square[entry + half, lane]) & low
                        square[entry + half, lane] ^= swap
                        square[entry, lane] ^= swap << shift
            half //= 2
        for lane in range(8):
            for bit in range(64):
                keys[64 * (first + lane) + bit] = square[bit, lane]


def _met_before(left: Any, row: Any, right: Any, other: Any, member: Any, number: Any) -> bool:
    """Whether a table before ``number`` has none of the positions in which the two rows differ."""
    for stretch in range(number // 64 + 1):
        apart = _0
        for word in range(left.shape[1]):
            differing = left[row, word] ^ right[other, word]
            while differing != _0:
                rest = differing & (differing - _1)
                apart |= member[64 * word + kernels.popcount((differing ^ rest) - _1), stretch]
                differing = rest
        together = ~apart
        if stretch == number // 64:
            together &= (_1 << np.uint64(number % 64)) - _1
        if together != _0:
            return True
    return False


def _deal(keys: Any, count: Any, log: Any, coarse: Any, starts: Any, dealt: Any, rows: Any) -> None:
    """Keys and their row numbers by the first ``coarse`` bits of their hash; ``starts`` is all 0 at first."""
    shift, drop = np.uint64(64 - log), np.uint64(log - coarse)
    for row in range(count):
        starts[np.int64(((keys[row] * _MIX) >> shift) >> drop) + 1] += 1
    for before in range(len(starts) - 1):
        starts[before + 1] += starts[before]
    place = starts.copy()
    for row in range(count):
        part = np.int64(((keys[row] * _MIX) >> shift) >> drop)
        dealt[place[part]], rows[place[part]] = keys[row], row
        place[part] += 1


def _verify(
    rows: Any,
    others: Any,
    held: Any,
    left: Any,
    left_weights: Any,
    right: Any,
    right_weights: Any,
    least: Any,
    member: Any,
    number: Any,
    out: Any,
    found: Any,
) -> Any:
    """Counts what the first ``held`` pairs have in common, many at a time so that memory is asked for ahead, and puts
    those that reach the threshold and have not met before behind the ``found`` ones; returns how many there are."""
    counts = np.empty(len(rows), np.int64)
    for pair in range(held):
        row, other = rows[pair], others[pair]
        common = np.int64(0)
        for word in range(left.shape[1]):
            common += kernels.popcount(left[row, word] & right[other, word])
        counts[pair] = common
    for pair in range(held):
        row, other = rows[pair], others[pair]
        if counts[pair] < least[left_weights[row] + right_weights[other]]:
            continue
        if _met_before(left, row, right, other, member, number):
            continue
        if found < out.shape[1]:
            out[0, found], out[1, found], out[2, found] = row, other, counts[pair]
        found += 1
    return found


def _join_body(
    mine: Any,
    its: Any,
    left: Any,
    left_weights: Any,
    right: Any,
    right_weights: Any,
    least: Any,
    enough: Any,
    our_first: Any,
    their_first: Any,
    member: Any,
    number: Any,
    limit: Any,
    out: Any,
) -> Any:
    """Both sides are dealt by their keys into parts that fit the nearest cache, and within a part theirs again into
    about as many bins as there are rows, where ours look theirs up. Fills ``out`` as far as it reaches; returns the
    candidates, which past ``limit`` are no longer counted, and the pairs."""
    log = 1
    while (1 << log) < len(right):
        log += 1
    coarse = min(max(log - 10, 0), 12)
    fine = 1 << (log - coarse)
    parts = 1 << coarse
    our_starts, our_keys, our_rows = np.zeros(parts + 1, np.int64), np.empty_like(mine), np.empty(len(mine), np.int32)
    their_starts, their_keys, their_rows = (
        np.zeros(parts + 1, np.int64),
        np.empty_like(its),
        np.empty(len(its), np.int32),
    )
    _deal(mine, len(left), log, coarse, our_starts, our_keys, our_rows)
    _deal(its, len(right), log, coarse, their_starts, their_keys, their_rows)
    most = 0
    for part in range(parts):
        most = max(most, their_starts[part + 1] - their_starts[part])
    starts, keys, rows = np.empty(fine + 1, np.int32), np.empty(most, np.uint64), np.empty(most, np.int32)
    shift, low = np.uint64(64 - log), np.uint64(fine - 1)
    pair_rows, pair_others, held = np.empty(256, np.int32), np.empty(256, np.int32), np.int64(0)
    candidates, found = np.int64(0), np.int64(0)
    for part in range(parts):
        top, bottom = their_starts[part], their_starts[part + 1]
        if top == bottom or our_starts[part] == our_starts[part + 1]:
            continue
        starts[:] = 0
        for at in range(top, bottom):
            starts[np.int64(((their_keys[at] * _MIX) >> shift) & low) + 1] += 1
        for before in range(fine):
            starts[before + 1] += starts[before]
        for at in range(top, bottom):  # each bin is filled from its end, so that starts[bin + 1] ends as its beginning
            slot = np.int64(((their_keys[at] * _MIX) >> shift) & low) + 1
            starts[slot] -= 1
            keys[starts[slot]], rows[starts[slot]] = their_keys[at], their_rows[at]
        for at in range(our_starts[part], our_starts[part + 1]):
            key, row = our_keys[at], our_rows[at]
            weight, first = left_weights[row], our_first[row]
            slot = np.int64(((key * _MIX) >> shift) & low) + 1
            end = starts[slot + 1] if slot < fine else bottom - top
            for place in range(starts[slot], end):
                if keys[place] != key:
                    continue
                candidates += 1
                other = rows[place]
                pair_rows[held], pair_others[held] = row, other
                met = number > 0 and their_first[other] == first
                held += np.int64(not met and number < enough[weight + right_weights[other]])
                if held == len(pair_rows):
                    found = _verify(
                        *(pair_rows, pair_others, held, left, left_weights, right, right_weights),
                        *(least, member, number, out, found),
                    )
                    held = np.int64(0)
            if candidates > limit:
                return candidates, found
    found = _verify(
        *(pair_rows, pair_others, held, left, left_weights, right, right_weights, least, member, number, out, found)
    )
    return candidates, found


@dataclass(frozen=True)
class Compiled:
    keys: Callable[..., Any]
    join: Callable[..., Any]


_lock = Lock()


def _need_compiled() -> Compiled:
    if kernels.compiled() is None:
        kernels.choose("numba")  # says what is missing
    with _lock:
        return _load()


@cache
def _load() -> Compiled:
    made, _ = numba_cache.compiled({helper: {} for helper in (_deal, _met_before, _verify)}, _made)
    assert made
    return made


def _made(jit: numba_cache.Jit) -> Compiled:
    from numba import types

    words, word, ints = (numba_cache.fixed(*each) for each in ((types.uint64, 2), (types.uint64, 1), (types.int64, 1)))
    both = types.UniTuple(types.int64, 2)
    number, out = types.int64, types.Array(types.int64, 2, "C")
    return Compiled(
        jit(types.void(words, ints, types.Array(types.uint64, 1, "C")), _keys_body),
        jit(both(word, word, words, ints, words, ints, ints, ints, word, word, words, number, number, out), _join_body),
    )


def _check_arguments(ours: BitMatrix, theirs: BitMatrix, threshold: Fraction, recall: float) -> None:
    if not 0 < recall <= 1:
        raise ValueError("the recall asked for is above 0 and at most 1")
    if not 0 <= threshold <= 1:
        raise ValueError("the threshold of an approximate search is from 0 to 1")
    if ours.length != theirs.length:
        raise MismatchError(
            f"encodings of {ours.length} bits cannot be compared with encodings of {theirs.length} bits",
            hint="encode both rosters with the same schema",
        )


def _planned(
    ours: BitMatrix, theirs: BitMatrix, threshold: Fraction, recall: float, seed: bytes, planned: Plan | None
) -> Plan:
    if planned is None:
        return plan(ours, theirs, threshold, recall, seed=seed)
    _check_arguments(ours, theirs, threshold, recall)
    if (planned.threshold, planned.length) != (threshold, ours.length):
        raise ValueError("the plan is for another threshold or for encodings of another length")
    return planned


def _sample(label: str, seed: bytes, rows: int, wanted: int) -> Ints:
    """Some row numbers, rising: ``wanted`` of them, or all."""
    return np.sort(RandomStream(seed, label).permutation(rows)[:wanted])


def _check_rows(rows: int) -> int:
    return min(rows, max(CHECK_ROWS, rows // 100))


def _sampled(ours: BitMatrix, theirs: BitMatrix, least: Ints, seed: bytes) -> tuple[Ints, float]:
    """How many pairs of some rows of each side lie at each Hamming distance, shape (length + 1,), and the share of
    them whose weights can reach the threshold."""
    wanted = min(PLAN_ROWS, max(100, math.isqrt(int(PLAN_SHARE / SEEN * len(ours) * len(theirs)))))
    some = [
        BitMatrix(side.words[_sample(f"lsh plan {name}", seed, len(side), wanted)])
        for name, side in (("ours", ours), ("theirs", theirs))
    ]
    weights = [side.weights().astype(np.int64) for side in some]
    counts, reach = np.zeros(ours.length + 1, dtype=np.int64), 0
    by_word = np.ascontiguousarray(some[1].words.T)
    for words, weight in zip(some[0].words, weights[0], strict=True):
        distances = np.bitwise_count(by_word ^ words[:, None]).sum(axis=0, dtype=np.int64)
        counts += np.bincount(distances, minlength=len(counts))
        reach += int((np.minimum(weights[1], weight) >= least[weights[1] + weight]).sum())
    return counts, reach / (len(some[0]) * len(some[1]))


def _above(found: Candidates, floor: Fraction) -> Candidates:
    """Candidates of a lower similarity are taken away; they are the last of each row."""
    least = search.least_common(floor, int(found.total.max(initial=0)))
    low = found.common < least[found.total]
    gone = np.int32(0)
    return replace(
        found,
        theirs=np.where(low, -1, found.theirs),
        common=np.where(low, gone, found.common),
        total=np.where(low, gone, found.total),
    )


def _places(rows: BitMatrix) -> Ints:
    """The place of each row in the order of bytes, identical rows by their numbers; shape (rows,)."""
    columns = np.ascontiguousarray(rows.words).view(">u8").T[::-1]
    places = np.empty(len(rows), dtype=np.int64)
    places[np.lexsort(columns)] = np.arange(len(rows))
    return places


def _top(pairs: Ints, places: Ints, length: int, keep: int) -> Ints:
    """The best ``keep`` pairs of every row of ours, by row and then as ``search.best`` orders them.

    As in the kernel, quotients rounded down to enough binary places are in the order of the fractions.
    """
    score = (pairs[2] << (2 * (2 * length).bit_length() + 1)) // pairs[3]
    order = np.lexsort((places[pairs[1]], -score, pairs[0]))
    rows = pairs[0, order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    return pairs[:, order[rank < keep]]


def _spread(pairs: Ints, rows: int, keep: int, kernel: str) -> Candidates:
    """Pairs in order, ``keep`` at most for a row, as a table of candidates."""
    rank = np.arange(pairs.shape[1]) - np.searchsorted(pairs[0], pairs[0], side="left")
    theirs = np.full((rows, keep), -1, dtype=np.int64)
    common, total = np.zeros((2, rows, keep), dtype=np.int32)
    theirs[pairs[0], rank], common[pairs[0], rank], total[pairs[0], rank] = pairs[1:]
    return Candidates(theirs, common, total, kernel)


def _account(
    ours: BitMatrix,
    theirs: BitMatrix,
    work: Plan,
    candidates: int,
    sample: Ints,
    true: tuple[Ints, Ints],
    found: tuple[Ints, Ints],
) -> Account:
    """``true`` are pairs of sampled rows, counted within the sample, ``found`` pairs of all rows."""
    wanted = sample[true[0]] * len(theirs) + true[1]
    got = int(np.isin(wanted, found[0] * len(theirs) + found[1]).sum())
    pairs = len(ours) * len(theirs)
    return Account(work, pairs, candidates, False, False, len(sample), len(wanted), got)


def _exact_account(ours: BitMatrix, theirs: BitMatrix, work: Plan) -> Account:
    pairs = len(ours) * len(theirs)
    return Account(work, pairs, pairs, True, not work.exact)


def _percent(share: float) -> str:
    """Rounded down, so that no more is said than holds."""
    return f"{math.floor(share * 1000) / 10:.1f} %"


def _times(factor: float) -> str:
    return f"{factor:.1f} times" if factor >= 0.1 else "far less than a tenth"
