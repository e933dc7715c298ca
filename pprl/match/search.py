"""Exact search: the best rows of theirs for each of ours, or every pair at or above a threshold.

Similarity is Dice, ``2 * common / total`` with ``total`` the sum of the two weights, and stays the pair of
integers (common, total): scores are compared by multiplying across, so neither kernel, tile, chunk nor
engine can change an answer. Pairs with no common bit are never candidates, and so empty rows match nothing.

Both searches walk through theirs in chunks and, for each chunk, map one piece of work over stretches of
ours. ``best`` carries what each of our rows holds from chunk to chunk, and of theirs only the rows that are
held; ``all_pairs`` carries what it found. An engine is anything with a ``map``; progress and an interrupt
come between two pieces of work. Between two chunks everything that ``best`` knows is a `Sofar`, from which it
goes on after a crash.
"""

from __future__ import annotations

from builtins import map as serially
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.errors import MismatchError
from pprl.match import kernel as kernels
from pprl.match.kernel import Found, Ints

Map = Callable[..., Iterable[Any]]
Progress = Callable[[int], None]

TILES = {"numba": (256, 1 << 17), "numpy": (64, 1 << 12)}  # rows of ours and of theirs in one piece of work


@dataclass(frozen=True)
class Candidates:
    """For each row of ours its best rows of theirs, best first; -1, 0, 0 where there are no more."""

    theirs: NDArray[np.int64]  # shape (rows, keep), as are the next two
    common: NDArray[np.int32]
    total: NDArray[np.int32]
    kernel: str


@dataclass(frozen=True)
class Sofar:
    """What is known when the first ``done`` rows of theirs were compared: `Candidates` among them, no encoding."""

    done: int
    theirs: NDArray[np.int64]  # shape (rows, keep), as are the next two
    common: NDArray[np.int64]
    total: NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs in canonical order: by row of ours, then of theirs."""

    ours: NDArray[np.int64]
    theirs: NDArray[np.int64]
    common: NDArray[np.int32]
    total: NDArray[np.int32]
    kernel: str


@dataclass(frozen=True)
class Table:
    """Rows of theirs: those that ours hold, then, from ``start``, new ones from heavy to light."""

    words: Words
    weights: Ints
    numbers: Ints
    start: int


@dataclass(frozen=True)
class Held:
    """Some rows of ours with the best slots of the table for each."""

    words: Words
    weights: Ints
    slots: Ints
    common: Ints
    total: Ints

    def stretch(self, top: int, bottom: int) -> Held:
        here = slice(top, bottom)
        return Held(self.words[here], self.weights[here], self.slots[here], self.common[here], self.total[here])


def best(
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    *,
    keep: int = 16,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    tile: tuple[int, int] | None = None,
    sofar: Sofar | None = None,
    save: Callable[[Sofar], None] | None = None,
) -> Candidates:
    """The best ``keep`` rows of theirs for every row of ours; memory is bounded by ours.

    Equal scores are in the order of their encodings' bytes, identical encodings in that of their row numbers,
    and the same order decides who is kept. ``progress`` is told how many pairs were compared since last time.
    ``save`` is given what is known after each chunk; given back as ``sofar``, with the same rows from the first
    on, the search goes on there and ends with the same answer.

    >>> ours = BitMatrix.from_positions([[1, 2]], 64)
    >>> theirs = BitMatrix.from_positions([[3], [2], [1, 2]], 64)
    >>> best(ours, theirs, keep=3, kernel="numpy").theirs.tolist()
    [[2, 1, -1]]
    """
    if keep < 1:
        raise ValueError("keep is at least 1")
    kernel = kernels.choose(kernel)
    height, width = tile or TILES[kernel]
    none = np.full((len(ours), keep), -1, dtype=np.int64)
    zero = np.zeros((len(ours), keep), dtype=np.int64)
    held = Held(np.ascontiguousarray(ours.words), _weights(ours), none, zero, zero)
    table = _empty(ours.length)
    left = chunks(theirs, ours.length, width)
    if sofar is not None:
        table, held, left = _taken_up(sofar, held, left)
        if progress:
            progress(sofar.done * len(ours))
    tables = _tables(left, ours.length, most=len(ours) * keep)
    coming = next(tables, None)
    while coming:
        count, done = len(coming[1].words), int(coming[1].numbers.max()) + 1
        table, held = _carried(table, held, *coming)
        pieces = [held.stretch(top, top + height) for top in range(0, len(ours), height)]
        running = map(partial(_merge, kernel, table), pieces)
        coming = next(tables, None)  # a map that runs at once is at work meanwhile
        parts = []
        for piece, part in zip(pieces, running, strict=True):
            parts.append(part)
            if progress:
                progress(len(piece.words) * count)
        if parts:
            slots, common, total = (np.concatenate(column) for column in zip(*parts, strict=True))
            held = Held(held.words, held.weights, slots, common, total)
        if save:
            save(Sofar(done, np.append(table.numbers, -1)[held.slots], held.common, held.total))
    numbers = np.append(table.numbers, -1)[held.slots]
    return Candidates(numbers, held.common.astype(np.int32), held.total.astype(np.int32), kernel)


def all_pairs(
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    threshold: Fraction,
    *,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    tile: tuple[int, int] | None = None,
) -> Pairs:
    """Every pair with ``2 * common / total >= threshold`` and a bit in common; memory is bounded by them.

    >>> ours = BitMatrix.from_positions([[1, 2]], 64)
    >>> theirs = BitMatrix.from_positions([[3], [2], [1, 2]], 64)
    >>> all_pairs(ours, theirs, Fraction(2, 3), kernel="numpy").theirs.tolist()
    [1, 2]
    """
    kernel = kernels.choose(kernel)
    height, width = tile or TILES[kernel]
    least = least_common(threshold, ours.length)
    words, weights = np.ascontiguousarray(ours.words), _weights(ours)
    tops = range(0, len(ours), height)
    pieces = [(top, words[top : top + height], weights[top : top + height]) for top in tops]
    found = [np.empty((4, 0), dtype=np.int64)]
    tables = _tables(chunks(theirs, ours.length, width), ours.length, most=0)
    coming = next(tables, None)
    while coming:
        _, table = coming
        running = map(partial(_find, kernel, table, least), pieces)
        coming = next(tables, None)
        for piece, part in zip(pieces, running, strict=True):
            found.append(part)
            if progress:
                progress(len(piece[1]) * len(table.words))
    joined = np.concatenate(found, axis=1)
    rows, numbers, common, total = joined[:, np.lexsort((joined[1], joined[0]))]
    return Pairs(rows, numbers, common.astype(np.int32), total.astype(np.int32), kernel)


def _merge(kernel: str, table: Table, held: Held) -> Found:
    slots, common, total = held.slots.copy(), held.common.copy(), held.total.copy()
    ours, theirs = (held.words, held.weights), (table.words, table.weights)
    kernels.best(kernel, *ours, *theirs, table.start, slots, common, total)
    return slots, common, total


def _find(kernel: str, table: Table, least: Ints, piece: tuple[int, Words, Ints]) -> Ints:
    top, words, weights = piece
    rows, slots, common = kernels.pairs(kernel, words, weights, table.words, table.weights, least)
    return np.stack([rows + top, table.numbers[slots], common, weights[rows] + table.weights[slots]])


def least_common(threshold: Fraction, length: int) -> Ints:
    """The fewest common bits that reach the threshold, by total; in integers of any size, never rounded."""
    share, whole = threshold.numerator, 2 * threshold.denominator
    needed = (-(-share * total // whole) for total in range(2 * length + 1))
    return np.array([min(max(least, 1), length + 1) for least in needed], dtype=np.int64)


def _weights(rows: BitMatrix) -> Ints:
    return rows.weights().astype(np.int64)


def chunks(theirs: BitMatrix | Iterable[BitMatrix], length: int, width: int) -> Iterator[tuple[int, BitMatrix]]:
    """Pieces of at most ``width`` rows, each with the row number of its first."""
    base = 0
    for part in [theirs] if isinstance(theirs, BitMatrix) else theirs:
        if part.length != length:
            raise MismatchError(
                f"encodings of {length} bits cannot be compared with encodings of {part.length} bits",
                hint="encode both rosters with the same schema",
            )
        for top in range(0, len(part), width):
            chunk = BitMatrix(part.words[top : top + width])
            yield base, chunk
            base += len(chunk)


def _tables(left: Iterator[tuple[int, BitMatrix]], length: int, most: int) -> Iterator[tuple[Words, Table]]:
    """Chunks of theirs from heavy to light, behind room for ``most`` rows of earlier ones.

    Two stretches of memory take turns, so a table is good until the next but one is asked for: where memory is
    given out page by page, new memory for every chunk would take longer than sorting it.
    """
    spaces = [np.empty((0, length // 64), dtype="<u8") for _ in range(2)]
    for base, chunk in left:
        weights = _weights(chunk)
        order = np.argsort(-weights, kind="stable")  # identical rows keep the order of their numbers
        room = min(most, base)
        if len(spaces[0]) < room + len(chunk):
            spaces[0] = np.empty((min(most, 2 * base) + len(chunk), length // 64), dtype="<u8")
        space = spaces[0][: room + len(chunk)]
        np.take(chunk.words, order, axis=0, out=space[room:], mode="clip")
        yield space, Table(space[room:], weights[order], base + order, 0)
        spaces.reverse()


def _taken_up(
    sofar: Sofar, held: Held, left: Iterator[tuple[int, BitMatrix]]
) -> tuple[Table, Held, Iterator[tuple[int, BitMatrix]]]:
    """The table and what ours hold as they were, and the chunks that are left: rows of theirs that were compared
    already are passed over, but for those that are held."""
    numbers = np.unique(sofar.theirs[sofar.theirs >= 0])
    found, rest = [held.words[:0]], None
    for base, chunk in left:
        here = numbers[(numbers >= base) & (numbers < min(sofar.done, base + len(chunk)))]
        found.append(chunk.words[here - base])
        if base + len(chunk) > sofar.done:
            rest = sofar.done, BitMatrix(chunk.words[sofar.done - base :])
        if base + len(chunk) >= sofar.done:
            break
    words = np.ascontiguousarray(np.concatenate(found))
    if len(words) < len(numbers):
        raise MismatchError("there are fewer rows than were compared already", hint="begin the search anew")
    table = Table(words, _weights(BitMatrix(words)), numbers, len(words))
    slots = np.where(sofar.theirs >= 0, np.searchsorted(numbers, sofar.theirs), -1)
    more = left if rest is None else chain([rest], left)
    return table, Held(held.words, held.weights, slots, sofar.common.copy(), sofar.total.copy()), iter(more)


def _empty(length: int) -> Table:
    none = np.empty(0, dtype=np.int64)
    return Table(np.empty((0, length // 64), dtype=np.uint64), none, none, 0)


def _carried(table: Table, held: Held, space: Words, new: Table) -> tuple[Table, Held]:
    """The rows of the table that somebody holds, in their order, in front of the new ones; the rest are dropped."""
    taken = np.unique(held.slots[held.slots >= 0])
    place = np.full(len(table.words) + 1, -1, dtype=np.int64)
    place[taken] = np.arange(len(taken))
    words = space[len(space) - len(new.words) - len(taken) :]
    words[: len(taken)] = table.words[taken]
    joined = Table(
        words,
        np.concatenate([table.weights[taken], new.weights]),
        np.concatenate([table.numbers[taken], new.numbers]),
        len(taken),
    )
    return joined, Held(held.words, held.weights, place[held.slots], held.common, held.total)
