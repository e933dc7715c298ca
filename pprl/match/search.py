"""Exact search: the best rows of theirs for each of ours, or every pair at or above a threshold.

Similarity is Dice, ``2 * common / total`` where ``total`` is the sum of the two weights. It stays the pair of integers
(common, total), and scores are compared by cross-multiplication, so neither kernel, tile, chunk nor engine can change
an answer. Pairs with no common bit are never candidates; empty rows therefore match nothing.

Both searches walk through theirs in chunks and, for each chunk, map one piece of work over stretches of ours. ``best``
carries the best pairs of our rows from chunk to chunk, and of their rows only those in such a pair; ``all_pairs``
carries the pairs found. An engine is anything with a ``map``; progress and an interrupt come between two pieces of
work. Between two chunks all that ``best`` knows is a `SearchState`, from which it can resume after a crash.
"""

from __future__ import annotations

from builtins import map as serially
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from pprl.match.kernel import Ints, TopK

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
class SearchState:
    """The result after comparing the first ``done`` rows of theirs: the best among them, no encodings."""

    done: int
    theirs: Ints  # shape (rows, keep), as are the next two
    common: Ints
    total: Ints

    @classmethod
    def start(cls, rows: int, keep: int) -> SearchState:
        """Nothing is compared yet."""
        if keep < 1:
            raise ValueError("keep is at least 1")
        zeros = np.zeros((rows, keep), dtype=np.int64)
        return cls(0, np.full((rows, keep), -1, dtype=np.int64), zeros, zeros)

    def candidates(self, kernel: str) -> Candidates:
        return Candidates(self.theirs, self.common.astype(np.int32), self.total.astype(np.int32), kernel)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs in canonical order: by row of ours, then of theirs."""

    ours: NDArray[np.int64]
    theirs: NDArray[np.int64]
    common: NDArray[np.int32]
    total: NDArray[np.int32]
    kernel: str

    @classmethod
    def from_parts(cls, parts: Sequence[Ints], kernel: str) -> Pairs:
        """Parts in any order, each of shape (4, pairs): our row, theirs, common, total."""
        joined = np.concatenate([np.empty((4, 0), dtype=np.int64), *parts], axis=1)
        ours, theirs, common, total = joined[:, np.lexsort((joined[1], joined[0]))]
        common, total = common.astype(np.int32), total.astype(np.int32)
        return cls(ours=ours, theirs=theirs, common=common, total=total, kernel=kernel)


@dataclass(frozen=True)
class Table:
    """Rows of theirs: those in a pair so far, then, from ``start``, new ones from heavy to light."""

    words: Words
    weights: Ints
    numbers: Ints
    start: int

    @classmethod
    def empty(cls, length: int) -> Table:
        none = np.empty(0, dtype=np.int64)
        return cls(np.empty((0, length // 64), dtype=np.uint64), none, none, 0)


def best(
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    *,
    keep: int = 16,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    tile: tuple[int, int] | None = None,
) -> Candidates:
    """The best ``keep`` rows of theirs for every row of ours; memory is bounded by ours.

    Equal scores come in the order of their encodings' bytes, identical encodings in that of their row numbers, and the
    same order decides which pairs are kept. ``progress`` is called with the number of pairs compared since last time.

    >>> ours = BitMatrix.from_positions([[1, 2]], 64)
    >>> theirs = BitMatrix.from_positions([[3], [2], [1, 2]], 64)
    >>> best(ours, theirs, keep=3, kernel="numpy").theirs.tolist()
    [[2, 1, -1]]
    """
    last = start = SearchState.start(len(ours), keep)
    kernel = kernels.choose(kernel)
    for state in steps(ours, theirs, start, kernel=kernel, map=map, progress=progress, tile=tile):
        last = state
    return last.candidates(kernel)


def steps(
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    start: SearchState,
    *,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    tile: tuple[int, int] | None = None,
) -> Iterator[SearchState]:
    """`best` chunk by chunk from ``start`` on: yields the state after each chunk; the last state holds the answer.

    The rows must be those that led to ``start``, from the first on; chunks and tiles may differ.

    MismatchError: fewer rows than were compared before, or rows of another length.
    """
    kernel = kernels.choose(kernel)
    height, width = tile or TILES[kernel]
    words, weights = np.ascontiguousarray(ours.words), _weights(ours)
    stretches = [slice(top, top + height) for top in range(0, len(ours), height)]
    table, top_k, remaining = _resumed(start, chunks(theirs, ours.length, width), ours.length)
    if progress and start.done:
        progress(start.done * len(ours))
    tables = _tables(remaining, ours.length, most=start.theirs.size)
    coming = next(tables, None)
    while coming:
        count, done = len(coming[1].words), int(coming[1].numbers.max()) + 1
        table, top_k = _carried(table, top_k, *coming)
        pieces = [
            (words[stretch], weights[stretch], TopK(*(column[stretch] for column in top_k))) for stretch in stretches
        ]
        running = map(partial(_merge, kernel, table), pieces)
        coming = next(tables, None)  # an engine that starts at once is at work meanwhile
        merged = []
        for piece, part in zip(pieces, running, strict=True):
            merged.append(part)
            if progress:
                progress(len(piece[0]) * count)
        if merged:
            top_k = TopK(*(np.concatenate(column) for column in zip(*merged, strict=True)))
        yield SearchState(done, np.append(table.numbers, -1)[top_k.slots], top_k.common, top_k.total)


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
    """Every pair with ``2 * common / total >= threshold`` and a bit in common; memory is bounded by the pairs.

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
    found: list[Ints] = []
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
    return Pairs.from_parts(found, kernel)


def _merge(kernel: str, table: Table, piece: tuple[Words, Ints, TopK]) -> TopK:
    words, weights, top_k = piece
    merged = TopK(*(column.copy() for column in top_k))
    kernels.best(kernel, words, weights, table.words, table.weights, table.start, merged)
    return merged


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
        require_same_length(length, part.length)
        for top in range(0, len(part), width):
            chunk = BitMatrix(part.words[top : top + width])
            yield base, chunk
            base += len(chunk)


def require_same_length(our_length: int, their_length: int) -> None:
    """MismatchError: rows of these two lengths cannot be compared."""
    if our_length != their_length:
        raise MismatchError(
            f"encodings of {our_length} bits cannot be compared with encodings of {their_length} bits",
            hint="encode both rosters with the same schema",
        )


def _tables(remaining: Iterator[tuple[int, BitMatrix]], length: int, most: int) -> Iterator[tuple[Words, Table]]:
    """Chunks of theirs from heavy to light, after room for at most ``most`` rows of earlier ones.

    Two buffers take turns, so a table is valid until the one after the next is requested: where the system hands out
    memory page by page, new memory for every chunk would take longer than sorting it.
    """
    spaces = [np.empty((0, length // 64), dtype="<u8") for _ in range(2)]
    for base, chunk in remaining:
        weights = _weights(chunk)
        order = np.argsort(-weights, kind="stable")  # identical rows keep the order of their numbers
        room = min(most, base)
        if len(spaces[0]) < room + len(chunk):
            spaces[0] = np.empty((min(most, 2 * base) + len(chunk), length // 64), dtype="<u8")
        space = spaces[0][: room + len(chunk)]
        np.take(chunk.words, order, axis=0, out=space[room:], mode="clip")
        yield space, Table(space[room:], weights[order], base + order, 0)
        spaces.reverse()


def _resumed(
    state: SearchState, remaining: Iterator[tuple[int, BitMatrix]], length: int
) -> tuple[Table, TopK, Iterator[tuple[int, BitMatrix]]]:
    """The table and the best pairs as they were, and the chunks that are left. Rows that were compared before are kept
    only if they are in a pair."""
    if not state.done:
        return Table.empty(length), TopK(state.theirs, state.common, state.total), remaining
    numbers = np.unique(state.theirs[state.theirs >= 0])
    kept, rest = [np.empty((0, length // 64), dtype="<u8")], None
    for base, chunk in remaining:
        in_chunk = numbers[(numbers >= base) & (numbers < min(state.done, base + len(chunk)))]
        kept.append(chunk.words[in_chunk - base])
        if base + len(chunk) > state.done:
            rest = state.done, BitMatrix(chunk.words[state.done - base :])
        if base + len(chunk) >= state.done:
            break
    words = np.ascontiguousarray(np.concatenate(kept))
    if len(words) < len(numbers):
        raise MismatchError("there are fewer rows than were compared before", hint="start the search again")
    table = Table(words, _weights(BitMatrix(words)), numbers, len(words))
    slots = np.where(state.theirs >= 0, np.searchsorted(numbers, state.theirs), -1)
    more = remaining if rest is None else chain([rest], remaining)
    return table, TopK(slots, state.common, state.total), iter(more)


def _carried(table: Table, top_k: TopK, space: Words, new: Table) -> tuple[Table, TopK]:
    """The rows of the table that are in a pair, in their order, in front of the new ones; the rest are dropped."""
    used = np.unique(top_k.slots[top_k.slots >= 0])
    new_slots = np.full(len(table.words) + 1, -1, dtype=np.int64)
    new_slots[used] = np.arange(len(used))
    words = space[len(space) - len(new.words) - len(used) :]
    words[: len(used)] = table.words[used]
    joined = Table(
        words,
        np.concatenate([table.weights[used], new.weights]),
        np.concatenate([table.numbers[used], new.numbers]),
        len(used),
    )
    return joined, top_k._replace(slots=new_slots[top_k.slots])
