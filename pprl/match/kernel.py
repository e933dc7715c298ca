"""Counting common bits: the innermost loops, once in NumPy and once compiled.

Both kernels answer the same two questions about some rows of ours (``left``) and a stretch of theirs (``table``), and
give the same integers. The NumPy one is the definition; the compiled one is fast because

* a tile of 64 rows of theirs is laid out word by word, so that one vector instruction works on the same word of
  several rows and no sum runs across a register; the tile stays in the nearest cache while our rows pass over it;
* a tile begins at the start of a cache line, since a vector across two lines costs two loads;
* theirs come sorted by weight, so a tile has nearly one weight, and the worst pair that a row of ours keeps gives one
  least count for the whole tile: most tiles end with one comparison, and a tile whose weights cannot reach it is not
  counted at all;
* where that least count is high enough, counting stops after a quarter, half or three quarters of the words: the count
  so far plus all remaining bits of our row may not reach it, and mostly do not;
* heavy rows come first: among rows filled at random they score best, so the least count is high early;
* the loops do not hold the interpreter's lock, so threads run side by side.

The population count is written with shifts and masks; the compiler knows the pattern and emits the machine's own
instruction, as a vector where there is one.

Scores are pairs (common, total), where total is the sum of the two weights. A pair goes before another if
``common * other_total > other_common * total``, then if its row's bytes come first, then if its slot does. A slot is a
row of ``table``: callers lay it out so that identical rows are in the order of their row numbers.

Nothing is compiled at import (`pprl.core.numba_cache`); ``notes`` reports whether numba, or a folder for the compiled
code, is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pprl.core import numba_cache
from pprl.core.bits import Words
from pprl.core.errors import PprlError

Ints = NDArray[np.int64]
Joined = tuple[Ints, Ints, Ints]  # left row, table row, common

LANES = 64  # rows of a tile: 8 KiB at 1,024 bits, 64 KiB at 8,192

INSTALL = "pip install numba, or choose the numpy kernel"

_notes: list[str] = []
_lock = Lock()


def choose(kernel: str) -> str:
    """The kernel that will run: "numba" or "numpy"; "auto" takes numba where it can be imported."""
    if kernel not in ("auto", "numba", "numpy"):
        raise ValueError("kernel is one of auto, numba, numpy")
    if kernel == "numpy" or (kernel == "auto" and compiled() is None):
        return "numpy"
    if compiled() is None:
        raise PprlError("the numba kernel was requested, but numba cannot be imported", hint=INSTALL)
    return "numba"


def notes() -> list[str]:
    """Notes for the user, a sentence each, to be shown once; empty if all is well or nothing has run yet."""
    return list(_notes)


class TopK(NamedTuple):
    """The best pairs of some left rows so far, best first; all of shape (rows, keep)."""

    slots: Ints  # rows of the table, -1 where there is no pair yet
    common: Ints
    total: Ints


def best(kernel: str, left: Words, left_weights: Ints, table: Words, weights: Ints, start: int, top: TopK) -> None:
    """Merge the rows of ``table`` from ``start`` on into the best of each left row, in place; ``weights`` fall from
    ``start`` on."""
    run = _best_numpy if kernel == "numpy" else _compiled_or_error().best
    run(left, left_weights, table, weights, start, *top)


def pairs(kernel: str, left: Words, left_weights: Ints, table: Words, weights: Ints, least: Ints) -> Joined:
    """Every (left row, table row, common) with ``common >= least[total]``; ``weights`` fall."""
    if kernel == "numpy":
        return _pairs_numpy(left, left_weights, table, weights, least)
    run, room = _compiled_or_error().pairs, 1024
    while True:
        out = np.empty((3, room), dtype=np.int64)
        found = int(run(left, left_weights, table, weights, least, out))
        if found <= room:
            return out[0, :found], out[1, :found], out[2, :found]
        room = found


def _best_numpy(
    left: Words,
    left_weights: Ints,
    table: Words,
    weights: Ints,
    start: int,
    slots: Ints,
    common: Ints,
    total: Ints,
) -> None:
    keep = slots.shape[1]
    # Different fractions with totals below 2**b differ by more than 2**(-2 * b), so quotients rounded down to this many
    # binary places are in the order of the fractions.
    places = 2 * (2 * 64 * table.shape[1]).bit_length() + 1
    new_slots = np.arange(start, len(table))
    for row in range(len(left)):
        counted = np.bitwise_count(table[start:] & left[row]).sum(axis=1, dtype=np.int64)
        sums = left_weights[row] + weights[start:]
        possible = counted > 0
        kept = slots[row] >= 0
        pairs = np.stack(
            [
                np.concatenate([slots[row, kept], new_slots[possible]]),
                np.concatenate([common[row, kept], counted[possible]]),
                np.concatenate([total[row, kept], sums[possible]]),
            ]
        )
        score = (pairs[1] << places) // pairs[2]
        if len(score) > keep:
            top = score >= np.partition(score, -keep)[-keep]
            pairs, score = pairs[:, top], score[top]
        columns = np.ascontiguousarray(table[pairs[0]]).view(">u8").T[::-1]
        order = np.lexsort((pairs[0], *columns, -score))[:keep]
        slots[row, : len(order)], common[row, : len(order)], total[row, : len(order)] = pairs[:, order]


def _pairs_numpy(left: Words, left_weights: Ints, table: Words, weights: Ints, least: Ints) -> Joined:
    rows: list[Joined] = []
    for row in range(len(left)):
        counted = np.bitwise_count(table & left[row]).sum(axis=1, dtype=np.int64)
        (columns,) = np.nonzero(counted >= least[left_weights[row] + weights])
        rows.append((np.full(len(columns), row), columns, counted[columns]))
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    lefts, rights, commons = zip(*rows, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(commons)


# From here to `Compiled`: bodies that numba compiles. Constants carry their type, since int64 and uint64 mixed would
# give a float.

_BY2, _BY4, _BY8 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_ONES = np.uint64(0x0101010101010101)
_1, _2, _4, _8, _56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(8), np.uint64(56)
_0, _255 = np.uint64(0), np.uint64(255)


def popcount(word: Any) -> Any:
    word = word - ((word >> _1) & _BY2)
    word = (word & _BY4) + ((word >> _2) & _BY4)
    word = (word + (word >> _4)) & _BY8
    return np.int64((word * _ONES) >> _56)


def _aligned(words: Any) -> Any:
    """An array that begins at the start of a cache line: a vector across two lines costs two loads."""
    memory = np.empty(words + 8, np.uint64)
    begin = (-(memory.ctypes.data // 8)) % 8
    return memory[begin : begin + words]


def _lay_out(table: Any, first: int, last: int, tile: Any) -> None:
    """Rows ``first`` to ``last``, word by word; lanes past the last row are empty rows."""
    for lane in range(LANES):
        for word in range(table.shape[1]):
            tile[word * LANES + lane] = table[first + lane, word] if first + lane < last else _0


def _four(tile: Any, start: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return (
        popcount(a & tile[start])
        + popcount(b & tile[start + LANES])
        + popcount(c & tile[start + 2 * LANES])
        + popcount(d & tile[start + 3 * LANES])
    )


def _count(left: Any, row: Any, tile: Any, w: Any, end: Any, counts: Any) -> Any:
    """Common bits of one row with a tile in the words ``w`` to ``end``, added to ``counts`` unless ``w`` is 0.

    Returns the largest count. Sixteen words at a time, since counts then pass through memory once.
    """
    largest = np.int64(0)
    while w + 16 <= end:
        a0, a1, a2, a3 = left[row, w], left[row, w + 1], left[row, w + 2], left[row, w + 3]
        a4, a5, a6, a7 = left[row, w + 4], left[row, w + 5], left[row, w + 6], left[row, w + 7]
        a8, a9, a10, a11 = left[row, w + 8], left[row, w + 9], left[row, w + 10], left[row, w + 11]
        a12, a13, a14, a15 = left[row, w + 12], left[row, w + 13], left[row, w + 14], left[row, w + 15]
        words, largest = tile[w * LANES :], np.int64(0)
        for j in range(LANES):
            count = counts[j] if w else np.int64(0)
            count += _four(words, j, a0, a1, a2, a3) + _four(words, j + 4 * LANES, a4, a5, a6, a7)
            count += _four(words, j + 8 * LANES, a8, a9, a10, a11) + _four(words, j + 12 * LANES, a12, a13, a14, a15)
            counts[j] = count
            largest = max(largest, count)
        w += 16
    while w + 8 <= end:
        a0, a1, a2, a3 = left[row, w], left[row, w + 1], left[row, w + 2], left[row, w + 3]
        a4, a5, a6, a7 = left[row, w + 4], left[row, w + 5], left[row, w + 6], left[row, w + 7]
        words, largest = tile[w * LANES :], np.int64(0)
        for j in range(LANES):
            count = counts[j] if w else np.int64(0)
            count += _four(words, j, a0, a1, a2, a3) + _four(words, j + 4 * LANES, a4, a5, a6, a7)
            counts[j] = count
            largest = max(largest, count)
        w += 8
    while w + 4 <= end:
        a0, a1, a2, a3 = left[row, w], left[row, w + 1], left[row, w + 2], left[row, w + 3]
        words, largest = tile[w * LANES :], np.int64(0)
        for j in range(LANES):
            count = (counts[j] if w else np.int64(0)) + _four(words, j, a0, a1, a2, a3)
            counts[j] = count
            largest = max(largest, count)
        w += 4
    while w < end:
        word = left[row, w]
        words, largest = tile[w * LANES :], np.int64(0)
        for j in range(LANES):
            count = (counts[j] if w else np.int64(0)) + popcount(word & words[j])
            counts[j] = count
            largest = max(largest, count)
        w += 1
    return largest


def _stages(left: Any, left_weights: Any) -> Any:
    """For each row and every fourth word: the bits from there on, and the least count that makes a stop there pay off.

    Rows filled at random share that many of the bits before the stop, plus three standard deviations.
    """
    words = left.shape[1]
    stops = (words - 1) // 4
    rest, paying = np.empty((len(left), stops), np.int64), np.empty((len(left), stops), np.int64)
    for row in range(len(left)):
        weight = left_weights[row]
        after = weight
        for stop in range(stops):
            for word in range(4 * stop, 4 * stop + 4):
                after -= popcount(left[row, word])
            shared = (weight - after) * weight / (64.0 * words)
            rest[row, stop] = after
            paying[row, stop] = np.int64(after + shared + 3 * np.sqrt(shared * (1 - weight / (64.0 * words))))
    return rest, paying


def _reach(left: Any, row: Any, tile: Any, counts: Any, rest: Any, paying: Any, least: Any) -> Any:
    """Whether some lane has ``least`` bits in common with the row; only then are ``counts`` complete."""
    words = left.shape[1]
    stop = 0
    while stop < rest.shape[1] and least <= paying[row, stop]:
        stop += 1
    if stop == rest.shape[1]:
        return _count(left, row, tile, 0, words, counts) >= least
    cut = 4 * stop + 4
    if _count(left, row, tile, 0, cut, counts) + rest[row, stop] < least:
        return False
    return _count(left, row, tile, cut, words, counts) >= least


def _before(table: Any, slot: Any, common: Any, total: Any, other: Any, other_common: Any, other_total: Any) -> bool:
    ahead = common * other_total - other_common * total
    if ahead != 0:
        return bool(ahead > 0)
    for word in range(table.shape[1]):
        ours, others = table[slot, word], table[other, word]
        if ours != others:
            while (ours & _255) == (others & _255):
                ours, others = ours >> _8, others >> _8
            return bool((ours & _255) < (others & _255))
    return bool(slot < other)


def _insert(table: Any, slot: Any, count: Any, weight: Any, slots: Any, common: Any, total: Any, row: Any) -> None:
    """Insert a pair among those that the row keeps, unless it comes after the last of a full row."""
    position = slots.shape[1]
    while position > 0 and (
        slots[row, position - 1] < 0
        or _before(
            table, slot, count, weight, slots[row, position - 1], common[row, position - 1], total[row, position - 1]
        )
    ):
        position -= 1
        if position + 1 < slots.shape[1]:
            slots[row, position + 1] = slots[row, position]
            common[row, position + 1] = common[row, position]
            total[row, position + 1] = total[row, position]
    if position < slots.shape[1]:
        slots[row, position], common[row, position], total[row, position] = slot, count, weight


def _best_compiled(
    left: Any, left_weights: Any, table: Any, weights: Any, start: Any, slots: Any, common: Any, total: Any
) -> None:
    tile = _aligned(table.shape[1] * LANES)
    counts = _aligned(LANES).view(np.int64)
    rest, paying = _stages(left, left_weights)
    end = slots.shape[1] - 1
    for first in range(start, len(table), LANES):
        last = min(len(table), first + LANES)
        heaviest, lightest = weights[first], weights[last - 1]
        _lay_out(table, first, last, tile)
        for row in range(len(left)):
            weight = left_weights[row]
            least = np.int64(1)
            if slots[row, end] >= 0:
                worst, worst_total = common[row, end], total[row, end]
                nearest = min(max(weight, lightest), heaviest)
                if min(weight, nearest) * worst_total < worst * (weight + nearest):
                    continue
                least = (worst * (weight + lightest) + worst_total - 1) // worst_total
            if not _reach(left, row, tile, counts, rest, paying, least):
                continue
            for lane in range(last - first):
                if counts[lane] >= least:
                    both = weight + weights[first + lane]
                    _insert(table, first + lane, counts[lane], both, slots, common, total, row)


def _pairs_compiled(left: Any, left_weights: Any, table: Any, weights: Any, least: Any, out: Any) -> Any:
    """Fill ``out`` as far as it reaches, and return how many pairs there are."""
    tile = _aligned(table.shape[1] * LANES)
    counts = _aligned(LANES).view(np.int64)
    rest, paying = _stages(left, left_weights)
    found = 0
    for first in range(0, len(table), LANES):
        last = min(len(table), first + LANES)
        heaviest, lightest = weights[first], weights[last - 1]
        _lay_out(table, first, last, tile)
        for row in range(len(left)):
            weight = left_weights[row]
            nearest = min(max(weight, lightest), heaviest)
            if min(weight, nearest) < least[weight + nearest]:
                continue
            if not _reach(left, row, tile, counts, rest, paying, least[weight + lightest]):
                continue
            for lane in range(last - first):
                if counts[lane] >= least[weight + weights[first + lane]]:
                    if found < out.shape[1]:
                        out[0, found], out[1, found], out[2, found] = row, first + lane, counts[lane]
                    found += 1
    return found


HELPERS = (popcount, _aligned, _lay_out, _four, _count, _stages, _reach, _before, _insert)


@dataclass(frozen=True)
class Compiled:
    best: Callable[..., Any]
    pairs: Callable[..., Any]


def compiled() -> Compiled | None:
    """The compiled kernel, or None where numba cannot be imported."""
    with _lock:
        return _load()


@cache
def _load() -> Compiled | None:
    # Counting references at every call of a helper would cost as much as counting bits.
    inlined = {helper: {"_nrt": helper in (_aligned, _stages), "forceinline": True} for helper in HELPERS}
    kernel, note = numba_cache.compiled(inlined, _compile)
    if note:
        _notes.append(note)
    return kernel


def _compiled_or_error() -> Compiled:
    kernel = compiled()
    if kernel is None:
        raise PprlError("numba cannot be imported on this machine, but the search began with it", hint=INSTALL)
    return kernel


def _compile(jit: numba_cache.Jit) -> Compiled:
    from numba import types

    words, ints = numba_cache.fixed(types.uint64, 2), numba_cache.fixed(types.int64, 1)
    held = types.Array(types.int64, 2, "C")
    return Compiled(
        jit(types.void(words, ints, words, ints, types.int64, held, held, held), _best_compiled),
        jit(types.int64(words, ints, words, ints, ints, held), _pairs_compiled),
    )
