"""Keyed min-wise hashing: sets of filter positions to encodings of which no bit belongs to a token.

Minimum *i* of a set is the least keyed rank of its positions, so two sets agree on it with probability J, their Jaccard
coefficient (Broder 1997). Each output bit is a keyed pseudo-random function of ``minima`` of them: it agrees for sure
if all of them do, and with probability one half otherwise (one bit of a minimum: Li and König 2010). So encodings of
two sets agree on (1 + J^minima) / 2 of their bits in expectation, and are independent where the sets share nothing.

There are as many minima as outputs. Output *j* takes the minima *j* + o₁, *j* + o₂, … modulo the length, where the
offsets o are a Golomb ruler, so two outputs share at most one minimum. `docs/encoding.md` §6.3 is the specification,
and `pprl.encode.sparse.reference` the definition in plain Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core import numba_cache
from pprl.core.bits import Words
from pprl.encode.siphash import INLINED, absorb, finish, key_words, start

#: Optimal Golomb rulers by number of marks: all differences are distinct and no shorter ruler has as many (OEIS
#: A003022; Shearer's tables).
# fmt: off
RULERS: dict[int, tuple[int, ...]] = {
    1: (0,),
    2: (0, 1),
    3: (0, 1, 3),
    4: (0, 1, 4, 6),
    5: (0, 1, 4, 9, 11),
    6: (0, 1, 4, 10, 12, 17),
    7: (0, 1, 4, 10, 18, 23, 25),
    8: (0, 1, 4, 9, 15, 22, 32, 34),
    9: (0, 1, 5, 12, 25, 27, 35, 41, 44),
    10: (0, 1, 6, 10, 23, 26, 34, 41, 53, 55),
    11: (0, 1, 4, 13, 28, 33, 47, 54, 64, 70, 72),
    12: (0, 2, 6, 24, 29, 40, 43, 55, 68, 75, 76, 85),
    24: (0, 9, 33, 37, 38, 97, 122, 129, 140, 142, 152, 191, 205, 208, 252, 278, 286, 326, 332, 353, 368, 384, 403,
         425),
}
# fmt: on
MAX_LENGTH = 2**17  # the number of a pair of minima takes 16 bits

TILE = 512  # outputs at a time: few enough for the minima of a roster's tokens to stay in a processor's cache
WORD = 64  # outputs in a word of a row, which are hashed together

Map = Callable[..., Iterable[Any]]  # of the signature of Python's own `map`


@dataclass(frozen=True)
class Groups:
    """Groups of numbers: group *i* is ``members[starts[i] : starts[i + 1]]``."""

    members: NDArray[np.int64]
    starts: NDArray[np.int64]  # shape (groups + 1,)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, groups: Iterable[Iterable[int]]) -> Groups:
        """From lists; for small numbers of them.

        >>> Groups.of([[5, 3], [], [5]]).starts.tolist()
        [0, 2, 2, 3]
        """
        lists = [list(group) for group in groups]
        members = np.array([member for group in lists for member in group], dtype=np.int64)
        return cls.by_size(members, np.array([len(group) for group in lists], dtype=np.int64))

    @classmethod
    def by_size(cls, members: NDArray[np.int64], sizes: NDArray[np.int64]) -> Groups:
        return cls(members, np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)]))


class Minwise:
    """One set of parameters: ``length`` output bits of ``minima`` minima each, under two keys of 16 bytes.

    ValueError: the length is no multiple of 64 or above 2^17, or there is no ruler of so many marks that fits into it.
    """

    def __init__(self, length: int, minima: int, ranks_key: bytes, outputs_key: bytes) -> None:
        if length % WORD or minima not in RULERS or not 2 * RULERS[minima][-1] < length <= MAX_LENGTH:
            raise ValueError(f"no min-wise hashing of {minima} minima to {length} bits")
        self.length, self.minima, self.offsets = length, minima, RULERS[minima]
        self.ranks_key, self.outputs_key = ranks_key, outputs_key

    def encode(self, tokens: Groups, values: Groups, rows: Groups, map: Map = map) -> Words:  # noqa: A002
        """The encodings of ``rows``, shape (rows, length / 64): each is of the positions of the tokens of its values.

        ``tokens`` are groups of filter positions, ``values`` groups of tokens and ``rows`` groups of values, so that
        what many rows share is worked out once. Rows without any position are all equal: their caller replaces them.
        ``map`` may work on several tiles of the outputs at a time.
        """
        words = np.empty((len(rows), self.length // WORD), dtype="<u8")

        def fill(top: int) -> None:
            self._fill(top, tokens, values, rows, words[:, top // WORD : (top + TILE) // WORD])

        for _ in map(fill, range(0, self.length, TILE)):
            pass
        return words

    def _fill(self, top: int, tokens: Groups, values: Groups, rows: Groups, words: Words) -> None:
        """The output bits of all rows from bit ``top`` on, as many as ``words`` holds."""
        width = WORD * words.shape[1] + self.offsets[-1]
        pairs = (np.arange(top // 2, (top + width + 1) // 2) % (self.length // 2)).astype(np.uint64)
        loops = kernel(self.minima)
        of_tokens = np.empty((len(tokens), 2 * len(pairs)), dtype=np.uint32)
        loops.ranks(*key_words(self.ranks_key), tokens.members, tokens.starts, pairs, of_tokens)
        of_values = np.empty((len(values), 2 * len(pairs)), dtype=np.uint32)
        loops.least(of_tokens, values.members, values.starts, of_values)
        loops.outputs(*key_words(self.outputs_key), of_values, rows.members, rows.starts, self.offsets, words)


@dataclass(frozen=True)
class Kernel:
    """The three loops, compiled or in NumPy."""

    ranks: Callable[..., Any]
    least: Callable[..., Any]
    outputs: Callable[..., Any]


def kernel(minima: int) -> Kernel:
    """The compiled loops; where numba cannot be imported, those in NumPy, which are a hundred times slower."""
    with _lock:
        return _compiled(minima) or NUMPY


def _ranks_numpy(k0: Any, k1: Any, positions: Any, starts: Any, pairs: Any, out: Any) -> None:
    for token in range(len(out)):
        message = positions[starts[token] : starts[token + 1], None].astype(np.uint64) | np.uint64(4) << _56
        ranks = finish(*absorb(*start(np.full(1, k0), np.full(1, k1)), message | pairs << _16))
        out[token, ::2] = (ranks & _LOW32).min(axis=0, initial=_NONE)
        out[token, 1::2] = (ranks >> _32).min(axis=0, initial=_NONE)


def _least_numpy(table: Any, members: Any, starts: Any, out: Any) -> None:
    for group in range(len(out)):
        out[group] = table[members[starts[group] : starts[group + 1]]].min(axis=0, initial=_NONE)


def _outputs_numpy(k0: Any, k1: Any, table: Any, members: Any, starts: Any, offsets: Any, words: Any) -> None:
    minima, outputs = len(offsets), WORD * words.shape[1]
    bits = min(16, 56 // minima) if minima < 8 else 8
    for top in range(0, len(words), WORD):
        rows = words[top : top + WORD]
        least = np.empty((len(rows), table.shape[1]), dtype=np.uint32)
        _least_numpy(table, members, starts[top:], least)
        low = least.astype(np.uint64) & np.uint64(2**bits - 1)
        state = start(np.full(1, k0), np.full(1, k1))
        for block in range(minima // 8 + 1):
            message = np.full(
                (len(rows), outputs), max(7, minima) << 56 if block == minima // 8 else 0, dtype=np.uint64
            )
            for index, offset in enumerate(offsets[8 * block : 8 * block + 8]):
                message |= low[:, offset : offset + outputs] << np.uint64(bits * index)
            state = absorb(*state, message)
        rows[:] = np.packbits((finish(*state) & _1).astype(bool), axis=1, bitorder="little").view("<u8")


NUMPY = Kernel(_ranks_numpy, _least_numpy, _outputs_numpy)


# From here to `_compile`: bodies that numba compiles. Constants carry their type, since int64 and uint64 mixed would
# give a float.

_NONE = np.uint32(0xFFFFFFFF)  # the minimum of the empty set
_0, _1, _8, _16, _32, _56 = (np.uint64(number) for number in (0, 1, 8, 16, 32, 56))
_LOW32 = np.uint64(0xFFFFFFFF)


def _ranks(k0: Any, k1: Any, positions: Any, starts: Any, pairs: Any, out: Any) -> None:
    """The minima of each token: two from each hash of a position and the number of a pair, 4 bytes."""
    for token in range(len(out)):
        for e in range(out.shape[1]):
            out[token, e] = _NONE
        for at in range(starts[token], starts[token + 1]):
            message = np.uint64(positions[at]) | np.uint64(4) << _56
            for pair in range(len(pairs)):
                v0, v1, v2, v3 = start(k0, k1)
                v0, v1, v2, v3 = absorb(v0, v1, v2, v3, message | (pairs[pair] << _16))
                ranks = finish(v0, v1, v2, v3)
                out[token, 2 * pair] = min(out[token, 2 * pair], np.uint32(ranks & _LOW32))
                out[token, 2 * pair + 1] = min(out[token, 2 * pair + 1], np.uint32(ranks >> _32))


def _least_of(table: Any, members: Any, begin: Any, end: Any, least: Any) -> None:
    """The element-wise least of some rows of a table; four at a time, since ``least`` then passes memory once."""
    for e in range(len(least)):
        least[e] = _NONE
    at = begin
    while at + 4 <= end:
        a, b, c, d = table[members[at]], table[members[at + 1]], table[members[at + 2]], table[members[at + 3]]
        for e in range(len(least)):
            least[e] = min(least[e], min(min(a[e], b[e]), min(c[e], d[e])))
        at += 4
    while at < end:
        a = table[members[at]]
        for e in range(len(least)):
            least[e] = min(least[e], a[e])
        at += 1


def _least(table: Any, members: Any, starts: Any, out: Any) -> None:
    for group in range(len(out)):
        _least_of(table, members, starts[group], starts[group + 1], out[group])


def _outputs(k0: Any, k1: Any, table: Any, members: Any, starts: Any, offsets: Any, words: Any) -> None:
    """``offsets`` is a tuple, so the loops over minima and blocks disappear, and that over outputs becomes vectors."""
    numba_cache.wide_vectors()
    minima = len(offsets)
    bits = np.uint64(min(16, 56 // minima)) if minima < 8 else _8
    length = np.uint64(max(7, minima)) << _56
    least, low = np.empty(table.shape[1], np.uint32), np.empty(table.shape[1], np.uint64)
    for row in range(len(words)):
        _least_of(table, members, starts[row], starts[row + 1], least)
        for e in range(len(least)):
            low[e] = np.uint64(least[e]) & ((_1 << bits) - _1)
        for word in range(words.shape[1]):
            first = low[WORD * word :]
            out = _0
            for e in range(WORD):
                v0, v1, v2, v3 = start(k0, k1)
                for block in range(minima // 8 + 1):
                    message = length if block == minima // 8 else _0
                    for k in range(8 * block, min(8 * block + 8, minima)):
                        message |= first[e + offsets[k]] << (bits * np.uint64(k - 8 * block))
                    v0, v1, v2, v3 = absorb(v0, v1, v2, v3, message)
                out |= (finish(v0, v1, v2, v3) & _1) << np.uint64(e)
            words[row, word] = out


_lock = Lock()


@cache
def _compiled(minima: int) -> Kernel | None:
    inlined = INLINED | {_least_of: {"forceinline": True}}
    return numba_cache.compiled(inlined, lambda jit: _compile(jit, minima))[0]


def _compile(jit: numba_cache.Jit, minima: int) -> Kernel:
    from numba import types

    key, numbers, offsets = types.uint64, numba_cache.fixed(types.int64, 1), types.UniTuple(types.int64, minima)
    table, made = numba_cache.fixed(types.uint32, 2), types.Array(types.uint32, 2, "C")
    words = types.Array(types.uint64, 2, "A")
    return Kernel(
        jit(types.void(key, key, numbers, numbers, numba_cache.fixed(types.uint64, 1), made), _ranks),
        jit(types.void(table, numbers, numbers, made), _least),
        jit(types.void(key, key, table, numbers, numbers, offsets, words), _outputs),
    )
