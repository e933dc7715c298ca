"""Counting common bits: the innermost loops, once in NumPy and once compiled.

Both kernels answer the same two questions about some rows of ours (``left``) and a stretch of theirs
(``table``), and give the same integers. The NumPy one is the definition; the compiled one is fast because

* a tile of 128 rows of theirs is laid out word by word, so that one vector instruction works on the same
  word of several rows and no sum runs across a register; it stays in the nearest cache while our rows pass
  over it;
* theirs come sorted by weight, so a tile has nearly one weight, and what a row of ours already holds turns
  into one least count for the whole tile: most tiles end with one comparison, and a tile whose weights
  cannot reach it is not counted at all;
* heavy rows come first: of rows filled at random they score best, so the bar is high early;
* the loops hold no lock, so threads run side by side.

The population count is written with shifts and masks; the compiler knows the form and emits the machine's
own instruction, in vectors where it has one.

Scores are pairs (common, total), total being the sum of the two weights. A pair goes before another when
``common * other_total > other_common * total``, then when its row's bytes come first, then when its slot
does. A slot is a row of ``table``: callers lay it out so that identical rows stand in the order of their
row numbers.

Nothing is compiled at import. The first use compiles, or reads what an earlier run compiled from a folder
of our own in the user's cache; ``notes`` says when that, or numba as a whole, was not to be had.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pprl.bits import Words
from pprl.errors import PprlError

Ints = NDArray[np.int64]
Found = tuple[Ints, Ints, Ints]

LANES = 128  # rows of a tile: 16 KiB at 1024 bits

INSTALL = "pip install numba, or ask for the numpy kernel"
NO_NUMBA = "numba cannot be imported, so the much slower NumPy kernel does the search"
NO_CACHE = "no cache folder is writable, so each run compiles the search kernel anew; NUMBA_CACHE_DIR can name one"

_notes: list[str] = []
_lock = Lock()


def choose(kernel: str) -> str:
    """The kernel that will run: "numba" or "numpy"; "auto" takes numba where it can be imported."""
    if kernel not in ("auto", "numba", "numpy"):
        raise ValueError("kernel is one of auto, numba, numpy")
    if kernel == "numpy" or (kernel == "auto" and compiled() is None):
        return "numpy"
    if compiled() is None:
        raise PprlError("the numba kernel was asked for and numba cannot be imported", hint=INSTALL)
    return "numba"


def notes() -> list[str]:
    """What the user should be told once, each a sentence; empty when all is well or nothing has run yet."""
    return list(_notes)


def best(
    kernel: str,
    left: Words,
    left_weights: Ints,
    table: Words,
    weights: Ints,
    start: int,
    slots: Ints,
    common: Ints,
    total: Ints,
) -> None:
    """Merge the rows of ``table`` from ``start`` on into what each left row holds, in place.

    ``weights`` fall from ``start`` on; ``slots`` is -1 where a row holds nothing yet.
    """
    run = _best_numpy if kernel == "numpy" else _need_compiled().best
    run(left, left_weights, table, weights, start, slots, common, total)


def pairs(kernel: str, left: Words, left_weights: Ints, table: Words, weights: Ints, least: Ints) -> Found:
    """Every (left row, table row, common) with ``common >= least[total]``; ``weights`` fall."""
    if kernel == "numpy":
        return _pairs_numpy(left, left_weights, table, weights, least)
    run, room = _need_compiled().pairs, 1024
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
    # Two different fractions with totals below 2**b differ by more than 2**(-2 * b), so this many binary
    # places tell them apart, and quotients rounded down to them are in the order of the fractions.
    places = 2 * (2 * 64 * table.shape[1]).bit_length() + 1
    fresh = np.arange(start, len(table))
    for row in range(len(left)):
        counted = np.bitwise_count(table[start:] & left[row]).sum(axis=1, dtype=np.int64)
        sums = left_weights[row] + weights[start:]
        some = counted > 0
        held = slots[row] >= 0
        rivals = np.stack(
            [
                np.concatenate([slots[row, held], fresh[some]]),
                np.concatenate([common[row, held], counted[some]]),
                np.concatenate([total[row, held], sums[some]]),
            ]
        )
        score = (rivals[1] << places) // rivals[2]
        if len(score) > keep:
            near = score >= np.partition(score, -keep)[-keep]
            rivals, score = rivals[:, near], score[near]
        columns = np.ascontiguousarray(table[rivals[0]]).view(">u8").T[::-1]
        order = np.lexsort((rivals[0], *columns, -score))[:keep]
        slots[row, : len(order)], common[row, : len(order)], total[row, : len(order)] = rivals[:, order]


def _pairs_numpy(left: Words, left_weights: Ints, table: Words, weights: Ints, least: Ints) -> Found:
    rows: list[Found] = []
    for row in range(len(left)):
        counted = np.bitwise_count(table & left[row]).sum(axis=1, dtype=np.int64)
        (columns,) = np.nonzero(counted >= least[left_weights[row] + weights])
        rows.append((np.full(len(columns), row), columns, counted[columns]))
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    lefts, rights, commons = zip(*rows, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(commons)


# From here to `Compiled`: bodies that numba compiles. Constants carry their type, for int64 and uint64 mixed
# would give a float.

_BY2, _BY4, _BY8 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_ONES = np.uint64(0x0101010101010101)
_1, _2, _4, _8, _56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(8), np.uint64(56)
_0, _255 = np.uint64(0), np.uint64(255)


def _popcount(word: Any) -> Any:
    word = word - ((word >> _1) & _BY2)
    word = (word & _BY4) + ((word >> _2) & _BY4)
    word = (word + (word >> _4)) & _BY8
    return np.int64((word * _ONES) >> _56)


def _lay_out(table: Any, first: int, last: int, tile: Any) -> None:
    """Rows ``first`` to ``last``, word by word; lanes past the last row are empty rows."""
    for lane in range(LANES):
        for word in range(table.shape[1]):
            tile[word, lane] = table[first + lane, word] if first + lane < last else _0


def _count(left: Any, row: Any, tile: Any, counts: Any) -> Any:
    """Common bits of one row with a tile, into ``counts``; returns the largest."""
    words = left.shape[1]
    for j in range(LANES):
        counts[j] = 0
    w = 0
    while w + 16 <= words:
        a0 = left[row, w]
        a1 = left[row, w + 1]
        a2 = left[row, w + 2]
        a3 = left[row, w + 3]
        a4 = left[row, w + 4]
        a5 = left[row, w + 5]
        a6 = left[row, w + 6]
        a7 = left[row, w + 7]
        a8 = left[row, w + 8]
        a9 = left[row, w + 9]
        a10 = left[row, w + 10]
        a11 = left[row, w + 11]
        a12 = left[row, w + 12]
        a13 = left[row, w + 13]
        a14 = left[row, w + 14]
        a15 = left[row, w + 15]
        for j in range(LANES):
            counts[j] += (
                _popcount(a0 & tile[w, j])
                + _popcount(a1 & tile[w + 1, j])
                + _popcount(a2 & tile[w + 2, j])
                + _popcount(a3 & tile[w + 3, j])
                + _popcount(a4 & tile[w + 4, j])
                + _popcount(a5 & tile[w + 5, j])
                + _popcount(a6 & tile[w + 6, j])
                + _popcount(a7 & tile[w + 7, j])
                + _popcount(a8 & tile[w + 8, j])
                + _popcount(a9 & tile[w + 9, j])
                + _popcount(a10 & tile[w + 10, j])
                + _popcount(a11 & tile[w + 11, j])
                + _popcount(a12 & tile[w + 12, j])
                + _popcount(a13 & tile[w + 13, j])
                + _popcount(a14 & tile[w + 14, j])
                + _popcount(a15 & tile[w + 15, j])
            )
        w += 16
    while w < words:
        word = left[row, w]
        for j in range(LANES):
            counts[j] += _popcount(word & tile[w, j])
        w += 1
    largest = np.int64(0)
    for j in range(LANES):
        largest = max(largest, counts[j])
    return largest


def _before(table: Any, slot: Any, common: Any, total: Any, other: Any, other_common: Any, other_total: Any) -> bool:
    ahead = common * other_total - other_common * total
    if ahead != 0:
        return bool(ahead > 0)
    for word in range(table.shape[1]):
        mine, its = table[slot, word], table[other, word]
        if mine != its:
            while (mine & _255) == (its & _255):
                mine, its = mine >> _8, its >> _8
            return bool((mine & _255) < (its & _255))
    return bool(slot < other)


def _insert(table: Any, slot: Any, count: Any, weight: Any, slots: Any, common: Any, total: Any, row: Any) -> None:
    """Put a pair in its place among what the row holds, unless it comes after the last of a full row."""
    place = slots.shape[1]
    while place > 0 and (
        slots[row, place - 1] < 0
        or _before(table, slot, count, weight, slots[row, place - 1], common[row, place - 1], total[row, place - 1])
    ):
        place -= 1
        if place + 1 < slots.shape[1]:
            slots[row, place + 1] = slots[row, place]
            common[row, place + 1] = common[row, place]
            total[row, place + 1] = total[row, place]
    if place < slots.shape[1]:
        slots[row, place], common[row, place], total[row, place] = slot, count, weight


def _best_compiled(
    left: Any, left_weights: Any, table: Any, weights: Any, start: Any, slots: Any, common: Any, total: Any
) -> None:
    tile = np.empty((table.shape[1], LANES), np.uint64)
    counts = np.empty(LANES, np.int64)
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
            if _count(left, row, tile, counts) < least:
                continue
            for lane in range(last - first):
                if counts[lane] >= least:
                    both = weight + weights[first + lane]
                    _insert(table, first + lane, counts[lane], both, slots, common, total, row)


def _pairs_compiled(left: Any, left_weights: Any, table: Any, weights: Any, least: Any, out: Any) -> Any:
    """Fills ``out`` as far as it reaches and returns how many pairs there are."""
    tile = np.empty((table.shape[1], LANES), np.uint64)
    counts = np.empty(LANES, np.int64)
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
            if _count(left, row, tile, counts) < least[weight + lightest]:
                continue
            for lane in range(last - first):
                if counts[lane] >= least[weight + weights[first + lane]]:
                    if found < out.shape[1]:
                        out[0, found], out[1, found], out[2, found] = row, first + lane, counts[lane]
                    found += 1
    return found


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
    try:
        from numba.core import config as settings
        from numba.extending import register_jitable
    except ImportError:
        _notes.append(NO_NUMBA)
        return None
    for helper in (_popcount, _lay_out, _count, _before, _insert):
        register_jitable(helper)
    config: Any = settings
    folder = Path(config.CACHE_DIR) if config.CACHE_DIR else cache_folder()
    if folder is not None and _writable(folder):
        # A function takes note of its folder when it is made: put the setting back for others.
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            return _compile(on_disk=True)
        except (OSError, RuntimeError):
            pass
        finally:
            config.CACHE_DIR = before
    _notes.append(NO_CACHE)
    return _compile(on_disk=False)


def _need_compiled() -> Compiled:
    kernel = compiled()
    if kernel is None:
        raise PprlError("numba cannot be imported here, and the search began with it", hint=INSTALL)
    return kernel


def _compile(on_disk: bool) -> Compiled:
    import numba
    from numba import types

    def fixed(kind: Any, dimensions: int) -> Any:
        return types.Array(kind, dimensions, "C", readonly=True)

    def jit(signature: Any, body: Callable[..., Any]) -> Callable[..., Any]:
        dispatcher: Any = numba.njit(signature, nogil=True, cache=on_disk, error_model="numpy")(body)
        return cast(Callable[..., Any], dispatcher)

    words, ints, held = fixed(types.uint64, 2), fixed(types.int64, 1), types.Array(types.int64, 2, "C")
    return Compiled(
        jit(types.void(words, ints, words, ints, types.int64, held, held, held), _best_compiled),
        jit(types.int64(words, ints, words, ints, ints, held), _pairs_compiled),
    )


def cache_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path | None:
    """Where this user's caches live on this system, and in it a folder of ours; None without a home."""
    try:
        home = Path(environ.get("HOME") or Path.home())
    except RuntimeError:
        return None
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "pprl" / "Cache"
    if platform == "darwin":
        return home / "Library" / "Caches" / "pprl"
    named = environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if named.startswith("/") else home / ".cache") / "pprl"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
