"""Packed bit rows.

A row of ``length`` bits is ``length // 64`` little-endian 64-bit words. Bit ``p`` of a row is bit ``p % 64`` of word
``p // 64``, so the bytes of a row are the bits in order, lowest bit of each byte first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_LENGTH = 65_536

Words = NDArray[np.uint64]  # shape (rows, length // 64)


@dataclass(frozen=True)
class BitMatrix:
    """Rows of equal length, packed.

    >>> BitMatrix.from_positions([[0, 65], [63]], 128).weights().tolist()
    [2, 1]
    """

    words: Words

    def __post_init__(self) -> None:
        if self.words.ndim != 2 or self.words.dtype != np.dtype("<u8"):
            raise ValueError("a BitMatrix holds a two-dimensional array of little-endian 64-bit words")

    def __len__(self) -> int:
        return len(self.words)

    @property
    def length(self) -> int:
        """Bits in a row."""
        return 64 * int(self.words.shape[1])

    def weights(self) -> NDArray[np.int32]:
        """Bits set in each row, shape (rows,)."""
        weights: NDArray[np.int32] = np.bitwise_count(self.words).sum(axis=1, dtype=np.int32)
        return weights

    def to_bytes(self) -> bytes:
        """The rows one after another, ``length // 8`` bytes each."""
        return self.words.astype("<u8", copy=False).tobytes()

    @classmethod
    def from_positions(cls, rows: list[list[int]], length: int) -> BitMatrix:
        """Rows with the given bits set; for small examples, not fast."""
        words = np.zeros((len(rows), length // 64), dtype="<u8")
        for row, positions in enumerate(rows):
            for position in positions:
                words[row, position // 64] |= np.uint64(1 << position % 64)
        return cls(words)


def on_its_side(words: Words) -> Words:
    """Rows to columns: bit ``r % 64`` of word ``r // 64`` of column ``p`` is bit ``p`` of row ``r``.

    Shape (rows, width) to (64 · width, ⌈rows / 64⌉); bits past the last row are 0.
    """
    rows, width = words.shape
    stacks = -(-rows // 64)
    padded = np.zeros((stacks * 64, width), dtype="<u8")
    padded[:rows] = words
    square = np.ascontiguousarray(padded.reshape(stacks, 64, width).transpose(1, 2, 0))  # (row of 64, word, stack)
    transpose_bits(square)
    return np.ascontiguousarray(square.transpose(1, 0, 2)).reshape(64 * width, stacks)


def upright(columns: Words, rows: int) -> Words:
    """Columns back to rows, shape (64 · width, stacks) to (rows, width): the inverse of ``on_its_side``."""
    width, stacks = len(columns) // 64, columns.shape[1]
    square = np.ascontiguousarray(columns.reshape(width, 64, stacks).transpose(1, 0, 2))
    transpose_bits(square)
    return square.transpose(2, 0, 1).reshape(stacks * 64, width)[:rows]


def transpose_bits(square: Words) -> None:
    """Bit i of entry r becomes bit r of entry i, in place: ``square`` has shape (64, …).

    Halves swap their off-diagonal quarters, at 32, 16, … 1 bits (Warren, Hacker's Delight, section 7-3).
    """
    half = 32
    while half:
        low = np.uint64(sum(1 << bit for bit in range(64) if not bit & half))
        pairs = square.reshape(32 // half, 2, half, *square.shape[1:])
        upper, lower = pairs[:, 0], pairs[:, 1]
        swap = ((upper >> np.uint64(half)) ^ lower) & low
        upper ^= swap << np.uint64(half)
        lower ^= swap
        half //= 2
