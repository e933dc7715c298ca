"""The two inner loops of the approximate search, compiled: the keys of a table, and the pairs that share one.

What they compute is defined by their NumPy twins in `pprl.match.lsh`; the integers are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from pprl.core import numba_cache
from pprl.core.bits import Words
from pprl.match import kernel
from pprl.match.kernel import Ints

Joined = tuple[int, Ints, Ints, Ints]  # candidates; our row, their row and common bits of each pair


class Rows(NamedTuple):
    """One side of a table. Arrays must be contiguous and writable: the loops are compiled for exactly these types."""

    keys: Words  # of this table, padded to whole stacks
    first: Words  # keys of the first table: equal for most pairs that have met before
    words: Words
    weights: Ints


class Rules(NamedTuple):
    """What decides whether a candidate is a pair."""

    least: Ints  # fewest common bits, by total weight
    enough: Ints  # how many tables give a pair the promised recall, by total weight
    member: Words  # shape (length, ⌈tables / 64⌉): the tables of each position, as bits
    number: int  # of this table
    limit: int  # candidates after which the join gives up


def keys(columns: Words, positions: Ints) -> Words:
    """The bits of each row at the positions, as one word; padded with the keys of empty rows to whole stacks of 64."""
    out = np.empty(64 * columns.shape[1], dtype=np.uint64)
    compiled().keys(columns, positions, out)
    return out


def join(ours: Rows, theirs: Rows, rules: Rules) -> Joined:
    """How many pairs share a key, and the new ones among them that reach the threshold."""
    room = 1 << 14
    while True:
        out = np.empty((3, room), dtype=np.int64)
        candidates, found = (int(count) for count in compiled().join(ours, theirs, rules, out))
        if candidates > rules.limit:
            found, candidates = 0, rules.limit + 1
        if found <= room:
            return candidates, out[0, :found], out[1, :found], out[2, :found]
        room = found


# From here to `Compiled`: bodies that numba compiles.

_0, _1 = np.uint64(0), np.uint64(1)
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, TAOCP 3, section 6.4)
_SWAPS = np.array([sum(1 << bit for bit in range(64) if not bit & 32 >> stage) for stage in range(6)], dtype=np.uint64)


def _keys_body(columns: Any, positions: Any, out: Any) -> None:
    """Works on 8 stacks of 64 rows at a time: one vector instruction serves all 8."""
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
                out[64 * (first + lane) + bit] = square[bit, lane]


class _Grouped(NamedTuple):
    """Keys and their row numbers, grouped by bits of the keys' hash; ``starts`` are where the groups begin."""

    log: Any  # bits of the hash in use: 2^log is at least the number of their rows
    starts: Any
    keys: Any
    rows: Any


class _Work(NamedTuple):
    """Candidates that wait to be verified together, and the pairs found."""

    rows: Any
    others: Any
    counts: Any  # waiting, candidates so far, pairs so far
    out: Any  # shape (3, room); pairs past its end are only counted


def _bucket(key: Any, log: Any) -> Any:
    return np.int64((key * _MIX) >> np.uint64(64 - log))


def _met_before(left: Any, row: Any, right: Any, other: Any, member: Any, number: Any) -> bool:
    """Whether some table before ``number`` has none of the positions in which the two rows differ."""
    for stretch in range(number // 64 + 1):
        apart = _0
        for word in range(left.shape[1]):
            differing = left[row, word] ^ right[other, word]
            while differing != _0:
                rest = differing & (differing - _1)
                apart |= member[64 * word + kernel.popcount((differing ^ rest) - _1), stretch]
                differing = rest
        together = ~apart
        if stretch == number // 64:
            together &= (_1 << np.uint64(number % 64)) - _1
        if together != _0:
            return True
    return False


def _parted(keys: Any, count: Any, log: Any, coarse: Any) -> Any:
    """The keys of ``count`` rows in 2^coarse parts, each small enough for the nearest cache."""
    starts, grouped, rows = np.zeros((1 << coarse) + 1, np.int64), np.empty_like(keys), np.empty(len(keys), np.int32)
    drop = log - coarse
    for row in range(count):
        starts[(_bucket(keys[row], log) >> drop) + 1] += 1
    for part in range(1 << coarse):
        starts[part + 1] += starts[part]
    free = starts.copy()
    for row in range(count):
        part = _bucket(keys[row], log) >> drop
        grouped[free[part]], rows[free[part]] = keys[row], row
        free[part] += 1
    return _Grouped(log, starts, grouped, rows)


def _fill_bins(bins: Any, parts: Any, part: Any) -> None:
    """One part of theirs in about as many bins as it has rows: bin b begins at ``starts[b + 1]``."""
    starts, keys, rows, part_keys, part_rows = bins.starts, bins.keys, bins.rows, parts.keys, parts.rows
    count, begin, end = len(starts) - 2, parts.starts[part], parts.starts[part + 1]
    starts[:] = 0
    for entry in range(begin, end):
        starts[(_bucket(part_keys[entry], bins.log) & (count - 1)) + 1] += 1
    for before in range(count):
        starts[before + 1] += starts[before]
    starts[count + 1] = starts[count]
    for entry in range(begin, end):
        slot = (_bucket(part_keys[entry], bins.log) & (count - 1)) + 1
        starts[slot] -= 1  # each bin is filled from its end, so this ends as its beginning
        keys[starts[slot]], rows[starts[slot]] = part_keys[entry], part_rows[entry]


def _verify(ours: Any, theirs: Any, rules: Any, work: Any) -> None:
    """Counts the common bits of all waiting pairs, many at a time so that memory is requested ahead, and keeps those
    that reach the threshold and have not met before."""
    left, left_weights, right, right_weights = ours.words, ours.weights, theirs.words, theirs.weights
    rows, others, out, least, member = work.rows, work.others, work.out, rules.least, rules.member
    waiting, found = work.counts[0], work.counts[2]
    counts = np.empty(waiting, np.int64)
    for pair in range(waiting):
        row, other = rows[pair], others[pair]
        common = np.int64(0)
        for word in range(left.shape[1]):
            common += kernel.popcount(left[row, word] & right[other, word])
        counts[pair] = common
    for pair in range(waiting):
        row, other = rows[pair], others[pair]
        if counts[pair] < least[left_weights[row] + right_weights[other]]:
            continue
        if _met_before(left, row, right, other, member, rules.number):
            continue
        if found < out.shape[1]:
            out[0, found], out[1, found], out[2, found] = row, other, counts[pair]
        found += 1
    work.counts[0], work.counts[2] = 0, found


def _probe(ours: Any, theirs: Any, rules: Any, parts: Any, part: Any, bins: Any, work: Any) -> None:
    """Look up our keys of one part in their bins."""
    # Arrays are taken out of their tuples before the loop: counting references in it would take as long as the rest.
    our_weights, our_first, their_weights, their_first = ours.weights, ours.first, theirs.weights, theirs.first
    part_keys, part_rows, rows, others = parts.keys, parts.rows, work.rows, work.others
    starts, keys, numbers, enough, number = bins.starts, bins.keys, bins.rows, rules.enough, rules.number
    low = len(starts) - 3
    waiting, candidates = work.counts[0], work.counts[1]
    for entry in range(parts.starts[part], parts.starts[part + 1]):
        key, row = part_keys[entry], part_rows[entry]
        weight, first = our_weights[row], our_first[row]
        slot = (_bucket(key, bins.log) & low) + 1
        for position in range(starts[slot], starts[slot + 1]):
            if keys[position] != key:
                continue
            candidates += 1
            other = numbers[position]
            rows[waiting], others[waiting] = row, other
            met = number > 0 and their_first[other] == first
            waiting += np.int64(not met and number < enough[weight + their_weights[other]])
            if waiting == len(rows):
                work.counts[0] = waiting
                _verify(ours, theirs, rules, work)
                waiting = np.int64(0)
        if candidates > rules.limit:
            break
    work.counts[0], work.counts[1] = waiting, candidates


def _join_body(ours: Any, theirs: Any, rules: Any, out: Any) -> Any:
    """Both sides are parted by their keys; within a part theirs go into bins, where ours look them up.

    Fills ``out`` as far as it reaches. Returns the candidates, which are no longer counted past the limit, and the
    pairs.
    """
    log = 1
    while (1 << log) < len(theirs.words):
        log += 1
    coarse = min(max(log - 10, 0), 12)
    our_parts = _parted(ours.keys, len(ours.words), log, coarse)
    their_parts = _parted(theirs.keys, len(theirs.words), log, coarse)
    most = 0
    for part in range(1 << coarse):
        most = max(most, their_parts.starts[part + 1] - their_parts.starts[part])
    starts = np.empty((1 << (log - coarse)) + 2, np.int32)
    bins = _Grouped(log, starts, np.empty(most, np.uint64), np.empty(most, np.int32))
    work = _Work(np.empty(256, np.int32), np.empty(256, np.int32), np.zeros(3, np.int64), out)
    for part in range(1 << coarse):
        if our_parts.starts[part] == our_parts.starts[part + 1]:
            continue
        if their_parts.starts[part] == their_parts.starts[part + 1]:
            continue
        _fill_bins(bins, their_parts, part)
        _probe(ours, theirs, rules, our_parts, part, bins, work)
        if work.counts[1] > rules.limit:
            return work.counts[1], work.counts[2]
    _verify(ours, theirs, rules, work)
    return work.counts[1], work.counts[2]


HELPERS = (_bucket, _met_before, _parted, _fill_bins, _verify, _probe)


@dataclass(frozen=True)
class Compiled:
    keys: Callable[..., Any]
    join: Callable[..., Any]


_lock = Lock()


def compiled() -> Compiled:
    """The compiled loops. PprlError: numba cannot be imported."""
    if kernel.compiled() is None:
        kernel.choose("numba")  # raises
    with _lock:
        return _load()


@cache
def _load() -> Compiled:
    loops, _ = numba_cache.compiled({helper: {} for helper in HELPERS}, _compile)
    assert loops
    return loops


def _compile(jit: numba_cache.Jit) -> Compiled:
    from numba import types

    words, out = types.Array(types.uint64, 2, "C"), types.Array(types.int64, 2, "C")
    word, ints = types.Array(types.uint64, 1, "C"), types.Array(types.int64, 1, "C")
    rows = types.NamedTuple((word, word, words, ints), Rows)
    rules = types.NamedTuple((ints, ints, words, types.int64, types.int64), Rules)
    keys = types.void(numba_cache.fixed(types.uint64, 2), numba_cache.fixed(types.int64, 1), word)
    return Compiled(jit(keys, _keys_body), jit(types.UniTuple(types.int64, 2)(rows, rows, rules, out), _join_body))
