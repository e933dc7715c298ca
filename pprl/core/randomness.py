"""Every random choice of the tool: unbiased draws from SHAKE256 over a seed and a label.

The seed is 32 bytes from the operating system if the choice is secret, and is given if a run must be repeatable.
Equal seeds and labels give equal draws on every machine and in every version; NumPy's generators promise no such thing.

The stream is SHAKE256(u16 length of label ‖ label ‖ seed ‖ u64 block), 8,192 bytes per block, read as little-endian
64-bit words. A draw below ``n`` is a word modulo ``n``. A word at or above the largest multiple of ``n`` is discarded,
and its draw takes a word after those already read (``docs/encoding.md`` §5).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 8192


class RandomStream:
    """A stream of draws; each read continues where the last one ended.

    >>> RandomStream(b"example", "demo").below(10, 5).tolist() == RandomStream(b"example", "demo").below(10, 5).tolist()
    True
    """

    def __init__(self, seed: bytes, label: str) -> None:
        encoded = label.encode()
        self._prefix = len(encoded).to_bytes(2, "little") + encoded + seed
        self._block = 0
        self._unread = np.empty(0, dtype="<u8")

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next ``count`` 64-bit words, shape (count,); how many are read at a time makes no difference."""
        parts = [self._unread]
        have = len(self._unread)
        while have < count:
            block = hashlib.shake_256(self._prefix + self._block.to_bytes(8, "little")).digest(BLOCK_BYTES)
            self._block += 1
            parts.append(np.frombuffer(block, dtype="<u8"))
            have += BLOCK_BYTES // 8
        words = np.concatenate(parts)
        self._unread = words[count:]
        return words[:count]

    def bytes(self, count: int) -> bytes:
        """The bytes of the next words; the rest of the last word is discarded."""
        return self.words(-(-count // 8)).tobytes()[:count]

    def below(self, bound: int | NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """``count`` draws, the i-th uniform on 0 … bound[i] − 1 (one bound for all, or one for each draw; all ≥ 1).

        A call reads ``count`` words, then one more for each that it discarded, in order, until none is discarded. So
        two calls give the same as one call for both, unless a word is discarded, which happens at most once in
        2^64 / bound words.
        """
        if not count:
            return np.empty(0, dtype=np.int64)
        bounds, words = np.asarray(bound, dtype=np.uint64), self.words(count)
        largest = np.uint64(2**64 - 1) - (np.uint64(2**64 - 1) % bounds + np.uint64(1)) % bounds  # less 2^64 mod bound
        discarded = np.flatnonzero(words > largest)
        while len(discarded):
            words = words.copy()
            words[discarded] = self.words(len(discarded))
            discarded = discarded[(words > largest)[discarded]]
        return (words % bounds).astype(np.int64)

    def permutation(self, count: int) -> NDArray[np.int64]:
        """An order of 0 … count − 1: the indices of the next ``count`` words, smallest word first."""
        return np.argsort(self.words(count), kind="stable").astype(np.int64)


@dataclass(frozen=True)
class Randomness:
    """The two seeds of an encoding: ``people`` draws the handles of real people, ``synthetic`` everything else.

    In an exchange the two differ: the real rows are fixed before bytes of the registry owner decide the second.
    ``repeatable`` marks seeds that somebody chose and that are therefore not secret.
    """

    people: bytes = field(repr=False)
    synthetic: bytes = field(repr=False)
    repeatable: bool = False

    @classmethod
    def make(cls, number: int | None = None) -> Randomness:
        """One seed for both: from the operating system, or from a number, for runs that can be repeated."""
        seed = fresh_seed() if number is None else seed_from(number)
        return cls(seed, seed, repeatable=number is not None)


def fresh_seed() -> bytes:
    """32 bytes from the operating system."""
    return secrets.token_bytes(32)


def seed_from(number: int) -> bytes:
    """The seed of ``--seed NUMBER``: repeatable, and so not secret."""
    return hashlib.sha256(b"pprl/1/seed\0" + str(number).encode()).digest()
