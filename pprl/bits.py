"""Packed bit rows: the one shape in which people leave their owner's machine.

A row of ``length`` bits is ``length // 64`` little-endian 64-bit words. Bit ``p`` of a row is bit ``p % 64`` of word
``p // 64``, so the bytes of a row are the bits in order, lowest bit of each byte first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pprl import files
from pprl.errors import FileError, MismatchError

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
        """The rows one after the other, ``length // 8`` bytes each."""
        return self.words.astype("<u8", copy=False).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, length: int) -> BitMatrix:
        return cls(np.frombuffer(data, dtype="<u8").reshape(-1, length // 64))

    @classmethod
    def from_positions(cls, rows: list[list[int]], length: int) -> BitMatrix:
        """Set the given bits in each row: for small examples, not for speed."""
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


@dataclass(frozen=True)
class Stamp:
    """How encodings were made; two files can be compared only if their stamps are equal.

    ``key_check`` is equal for equal keys and says nothing else of the key.
    """

    length: int
    hardening: int
    folding: bytes
    fingerprint: bytes
    key_check: bytes

    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IH32s32s16s")

    def to_bytes(self) -> bytes:
        return self.LAYOUT.pack(self.length, self.hardening, self.folding, self.fingerprint, self.key_check)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Stamp:
        return cls(*cls.LAYOUT.unpack(data))

    def require_same(self, other: Stamp) -> None:
        """MismatchError that names the first thing in which two files differ, from the outside in."""
        if self.hardening != other.hardening:
            raise MismatchError(
                f"the two were encoded with different hardening ({self.hardening} and {other.hardening})",
                hint="encode again with one schema on both sides",
            )
        if self.folding != other.folding:
            raise MismatchError(
                "the two were encoded with different folding tables",
                hint="install the same version of pprl on both sides",
            )
        if self.fingerprint != other.fingerprint or self.length != other.length:
            raise MismatchError(
                "the two were encoded with different schemas",
                hint="send one schema.toml to both sides and encode again",
            )
        if self.key_check != other.key_check:
            raise MismatchError(
                "the two were encoded with different linkage keys",
                hint="use the same key file on both sides and encode again",
            )


@dataclass(frozen=True)
class Encodings:
    """The rows one owner sends: encodings under random handles, in an order that says nothing. No row id, no value."""

    side: str  # "list" or "registry"
    stamp: Stamp
    rows_read: int  # rows of the roster, before unreadable ones were left out; 0 for a list
    handles: NDArray[np.void]  # shape (rows,), 16 bytes each
    bits: BitMatrix

    HEADER: ClassVar[struct.Struct] = struct.Struct(f"<B{Stamp.LAYOUT.size}sQQ")
    SIDES: ClassVar[tuple[str, str]] = ("list", "registry")

    def __len__(self) -> int:
        return len(self.bits)

    def write(self, path: Path, *, force: bool = False) -> None:
        """A new file, mode 0600: whoever has it and the key has the names."""
        start = self.start(self.side, self.stamp, len(self), self.rows_read)
        files.write_new(path, [start, self.records(self.handles, self.bits.words)], private=True, force=force)

    @classmethod
    def start(cls, side: str, stamp: Stamp, rows: int, rows_read: int) -> bytes:
        """The bytes of a file before its records."""
        return files.preamble(b"pprl-enc") + cls.HEADER.pack(cls.SIDES.index(side), stamp.to_bytes(), rows, rows_read)

    @classmethod
    def records(cls, handles: NDArray[np.void], words: Words) -> bytes:
        """The bytes of some rows, one after the other."""
        records = np.empty(len(handles), dtype=cls._record(64 * words.shape[1]))
        records["handle"], records["words"] = handles, words
        return records.tobytes()

    @classmethod
    def read(cls, path: Path, side: str | None = None, *, mapped: bool = False) -> Encodings:
        """The rows of a file; ``mapped`` ones stay in it and are fetched as they are used, whatever their number.

        FileError: not a whole file of encodings, or of the other side than ``side``.
        """
        body = files.read_body(path, b"pprl-enc", mapped=mapped)
        (side_at, stamp_bytes, rows, rows_read), data = body.header(cls.HEADER)
        stamp = Stamp.from_bytes(stamp_bytes)
        if side_at >= len(cls.SIDES) or stamp.length == 0 or stamp.length % 64 or stamp.length > MAX_LENGTH:
            raise FileError(f"{path.name}: is damaged in its header", hint="get the file again from whoever made it")
        found = cls.SIDES[side_at]
        if side and found != side:
            raise FileError(
                f"{path.name}: was encoded as a {found}, a {side} is needed here",
                hint="the list comes first, the registry second",
            )
        record = cls._record(stamp.length)
        records = np.frombuffer(body.expect(data, rows * record.itemsize), dtype=record)
        handles, words = records["handle"], records["words"]
        if not mapped:
            handles, words = handles.copy(), words.copy()
        return cls(found, stamp, rows_read, handles, BitMatrix(words))

    @staticmethod
    def _record(length: int) -> np.dtype[np.void]:
        return np.dtype([("handle", "V16"), ("words", "<u8", (length // 64,))])
