"""Encodings, the only form in which people leave their owner's machine, and the parameters they were made with."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.bits import MAX_LENGTH, BitMatrix, Words
from pprl.core.errors import FileError, MismatchError
from pprl.core.hardening import SET_NAMES, SetName, lengths, set_name

Side = Literal["list", "registry"]


MOST_ENCODINGS = 8  # of one person, in the format of the files
BIG_REGISTRY = 1_000_000
REGISTRY_DECOYS, DECOYS_OF_BIG_REGISTRY = 6_400, 1_600
ONE_SAYS_LESS = 4


def is_big(registry_rows: int) -> bool:
    """Whether a registry has more than a million rows, so that every decoy is expensive."""
    return registry_rows > BIG_REGISTRY


def decoys_of_registry(rows: int) -> int:
    """How many decoys the owner of a registry of so many rows makes at most: two a row, since many of one row could be
    averaged."""
    return 0 if rows < 2 else DECOYS_OF_BIG_REGISTRY if is_big(rows) else min(REGISTRY_DECOYS, 2 * rows)


@dataclass(frozen=True, kw_only=True)
class EncodingParameters:
    """How encodings were made; two files can be compared only if their parameters are equal.

    ``encodings`` are the parameter set and the length in bits of each encoding that a row holds, one after another;
    in this version a row holds one. ``folding`` is a hash of the tables behind values and tokens. ``key_check`` is
    equal for equal keys and reveals nothing else about the key.
    """

    encodings: tuple[tuple[SetName, int], ...]
    folding: bytes
    fingerprint: bytes
    key_check: bytes

    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<B160s32s32s16s")
    ENTRY: ClassVar[struct.Struct] = struct.Struct("<16sI")

    @property
    def hardening(self) -> SetName:
        """The parameter set of the encoding that is searched."""
        return self.encodings[0][0]

    @property
    def length(self) -> int:
        """Bits of a row."""
        return sum(length for _, length in self.encodings)

    def to_bytes(self) -> bytes:
        entries = b"".join(self.ENTRY.pack(name.encode(), length) for name, length in self.encodings)
        return self.LAYOUT.pack(len(self.encodings), entries, self.folding, self.fingerprint, self.key_check)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, source: str) -> EncodingParameters:
        """The parameters in a file that messages call ``source``.

        FileError: several encodings a row, a parameter set that this version does not know, or a length that is not
        the set's.
        """
        count, entries, folding, fingerprint, key_check = cls.LAYOUT.unpack(data)
        if count != 1:
            raise FileError(
                f"{source}: has {count} encodings in each row, and this version of pprl reads one",
                hint="install the same version of pprl on both sides",
            )
        name, length = cls.ENTRY.unpack_from(entries)
        hardening = checked_set(name.rstrip(b"\0").decode("ascii", "replace"), length, source)
        return cls(encodings=((hardening, length),), folding=folding, fingerprint=fingerprint, key_check=key_check)

    def require_same(self, other: EncodingParameters) -> None:
        """MismatchError that names the first difference between two files, from the outside in."""
        if self.hardening != other.hardening:
            raise MismatchError(
                f"the two files were encoded with different hardening ({self.hardening} and {other.hardening})",
                hint="encode again with one schema on both sides",
            )
        if self.folding != other.folding:
            raise MismatchError(
                "the two files were encoded with different tables of folding or rarity",
                hint="install the same version of pprl on both sides",
            )
        if self.fingerprint != other.fingerprint or self.length != other.length:
            raise MismatchError(
                "the two files were encoded with different schemas",
                hint="send one schema.toml to both sides and encode again",
            )
        if self.key_check != other.key_check:
            raise MismatchError(
                "the two files were encoded with different linkage keys",
                hint="use the same key file on both sides and encode again",
            )


def checked_set(name: str, length: int, source: str) -> SetName:
    """The set of that name. FileError: this version does not know it, or its encodings never have this length.

    A plain filter may have any number of words, since other programs make them too.
    """
    known = set_name(name)
    if known is None:
        which = f"the parameter set {name!r}, which" if name.isascii() and name.isprintable() else "one that"
        raise FileError(
            f"{source}: was encoded with {which} this version of pprl does not know",
            hint=f"it knows {', '.join(SET_NAMES)}; install the same version of pprl on both sides",
        )
    if (known != "plain" and length not in lengths(known)) or not 0 < length <= MAX_LENGTH or length % 64:
        raise FileError(
            f"{source}: has encodings of {length:,} bits, which the parameter set {known!r} never has",
            hint="get the file again from its sender; it should come from the same version of pprl",
        )
    return known


@dataclass(frozen=True)
class RegistryDecoys:
    """Invented people made of a registry's values, and which linked fields each has filled (`shape_number`), by which
    they are compared with people of the list who have the same. One in `ONE_SAYS_LESS`, from the first on, says less
    than the row that it was made from; the others show how full the registry's rows are."""

    bits: BitMatrix
    shapes: NDArray[np.uint64]  # shape (decoys,)

    def __len__(self) -> int:
        return len(self.bits)

    def handles(self) -> NDArray[np.void]:
        """16 bytes each: the number of the decoy and that of its shape."""
        return numbered_handles(len(self), self.shapes)

    @classmethod
    def from_records(cls, handles: NDArray[np.void], words: Words) -> RegistryDecoys:
        return cls(BitMatrix(words), np.ascontiguousarray(handles).view("<u8").reshape(-1, 2)[:, 1].astype(np.uint64))


@dataclass(frozen=True, kw_only=True)
class Encodings:
    """The rows that one owner sends: encodings under random handles in random order, without row numbers or values.

    A registry's owner sends ``decoys`` too, whom nobody can match.
    """

    side: Side
    parameters: EncodingParameters
    rows_read: int  # rows of a registry's roster, before rows with nothing to compare were left out; 0 for a list
    handles: NDArray[np.void]  # shape (rows,), 16 bytes each
    bits: BitMatrix
    decoys: RegistryDecoys | None = None

    HEADER: ClassVar[struct.Struct] = struct.Struct(f"<B{EncodingParameters.LAYOUT.size}sQQQ")
    SIDES: ClassVar[tuple[Side, Side]] = ("list", "registry")

    def __len__(self) -> int:
        return len(self.bits)

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write a new file, mode 0600: anyone with it and the key can recover the names."""
        decoys = 0 if self.decoys is None else len(self.decoys)
        parts = [self.start(self.side, self.parameters, len(self), self.rows_read, decoys)]
        if self.decoys is not None:
            parts.append(self.records(self.decoys.handles(), self.decoys.bits.words))
        parts.append(self.records(self.handles, self.bits.words))
        container.write_new(path, parts, private=True, force=force)

    @classmethod
    def start(cls, side: Side, parameters: EncodingParameters, rows: int, rows_read: int, decoys: int) -> bytes:
        """The bytes of a file before its records: first the decoys, then the rows."""
        return container.preamble(b"pprl-enc") + cls.HEADER.pack(
            cls.SIDES.index(side), parameters.to_bytes(), rows, rows_read, decoys
        )

    @classmethod
    def records(cls, handles: NDArray[np.void], words: Words) -> bytes:
        """The bytes of some rows, one after another."""
        records = np.empty(len(handles), dtype=cls._record(64 * words.shape[1]))
        records["handle"], records["words"] = handles, words
        return records.tobytes()

    @classmethod
    def read(cls, path: Path, side: Side | None = None, *, mapped: bool = False) -> Encodings:
        """The rows of a file. ``mapped`` rows stay in the file and are read only when they are used.

        FileError: not a complete file of encodings, or one of the other ``side``.
        """
        body = container.read_body(path, b"pprl-enc", mapped=mapped)
        (side_index, parameter_bytes, rows, rows_read, decoys), data = body.header(cls.HEADER)
        parameters = EncodingParameters.from_bytes(parameter_bytes, path.name)
        if side_index >= len(cls.SIDES):
            raise FileError(f"{path.name}: its header is damaged", hint="get the file again from its sender")
        actual = cls.SIDES[side_index]
        if side and actual != side:
            raise FileError(
                f"{path.name}: was encoded as a {actual}, but a {side} is needed here",
                hint="the list comes first, the registry second",
            )
        record = cls._record(parameters.length)
        if decoys > (decoys_of_registry(rows) if actual == "registry" else 0):
            raise FileError(
                f"{path.name}: has {decoys:,} decoys, more than a {actual} of {rows:,} rows may have",
                hint="get the file again from its sender",
            )
        records = np.frombuffer(body.expect(data, (decoys + rows) * record.itemsize), dtype=record)
        handles, words = records["handle"][decoys:], records["words"][decoys:]
        if not mapped:
            handles, words = handles.copy(), words.copy()
        return cls(
            side=actual,
            parameters=parameters,
            rows_read=rows_read,
            handles=handles,
            bits=BitMatrix(words),
            decoys=RegistryDecoys.from_records(records["handle"][:decoys], records["words"][:decoys].copy())
            if decoys
            else None,
        )

    @staticmethod
    def _record(length: int) -> np.dtype[np.void]:
        return np.dtype([("handle", "V16"), ("words", "<u8", (length // 64,))])


def shape_number(shape: str) -> int:
    """A number for which linked fields are filled: a digit for each (0 empty, 1 a part, 2 the whole), of the first 40.

    >>> shape_number("202")
    20
    """
    return int(shape[:40] or "0", 3)


def numbered_handles(count: int, second: NDArray[np.uint64] | int = 0) -> NDArray[np.void]:
    """Handles for rows that have none of their own: their number from 0 and a second number, as ``u64``."""
    numbers = np.zeros((count, 2), dtype="<u8")
    numbers[:, 0], numbers[:, 1] = np.arange(count), second
    return numbers.view("V16").ravel()
