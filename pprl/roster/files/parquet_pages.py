"""What a Parquet file claims, before it is read: rows, values in lists, and the size of its pages once unpacked.

The footer and the header in front of each page say how much memory the reader will allocate. Both are read here without
unpacking anything. Apache Parquet format 2.11, parquet.thrift; Thrift compact protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa

from pprl.core.errors import RosterError
from pprl.roster.files.limits import FREE_VALUES, MAX_HELD, MAX_RATIO, refuse_expanse, refuse_unpacked

MAX_ITEMS = 1 << 17  # of a list in the footer
MAX_FOOTER = 1 << 24
_MAX_STRUCTS = 1 << 20
_DEEPEST = 12  # structs within structs
_TAIL = 8  # of a file: the length of its footer, and its mark
_INDICES = (2, 8)  # PLAIN_DICTIONARY, RLE_DICTIONARY
_PREFIXED = 7  # DELTA_BYTE_ARRAY, in which a text begins like the one before
_CODECS = {0: "", 1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
_TEXT_OF_A_BATCH = 1 << 28

Struct = dict[int, object]


@dataclass
class _Chunk:
    """Sizes of the pages of a column in a row group."""

    path: list[str]
    values: int = 0
    unpacked: int = 0
    packed: int = 0
    largest: int = 0
    longest: int = 0  # bytes of a text that a few bytes can repeat
    is_plain: bool = False  # not only indices of distinct values


def inspect(data: memoryview, names: Collection[str], most: int) -> tuple[int, set[str]]:
    """How many rows of these columns, ``most`` at best, may be read at once; and which of their paths hold more than
    indices of distinct values. Damage is left to the reader.

    RosterError: the file spans too many cells, or its pages unpack to too much.
    """
    size, rows, at_once, plain = len(data), 0, most, set[str]()
    try:
        footer = _footer(data)
    except (IndexError, struct.error, ValueError):
        return at_once, plain
    for group in _structs(footer.get(4)):
        rows += _number(group, 3)
        refuse_expanse(rows, len(names), size)
        chunks = [
            _chunk(data, column, _path(column), _TEXT_OF_A_BATCH // most)
            for column in (_struct(chunk.get(3)) for chunk in _structs(group.get(1)))
            if _path(column)[:1] and _path(column)[0] in names
        ]
        for chunk in chunks:
            if chunk.is_plain:
                plain.add(".".join(chunk.path))
                at_once = min(at_once, max(1, _TEXT_OF_A_BATCH // max(1, chunk.longest)))
        _refuse_pages(chunks)
        nested = sum(chunk.values for chunk in chunks if chunk.values > _number(group, 3))
        if nested > (most_values := max(FREE_VALUES, size)):
            raise RosterError(
                f"lists of the roster hold more than {most_values:,} values", hint="leave these columns out"
            )
    refuse_expanse(_number(footer, 3), len(names), size)
    return at_once, plain


def _refuse_pages(chunks: list[_Chunk]) -> None:
    """The reader holds a page of each column, and unpacks all of them in turn."""
    packed = sum(chunk.packed for chunk in chunks)
    refuse_unpacked(sum(chunk.largest for chunk in chunks), packed)
    whole = sum(chunk.unpacked for chunk in chunks)
    refuse_unpacked(whole if whole > max(MAX_HELD, MAX_RATIO * packed) else 0, packed)


def _footer(data: memoryview) -> Struct:
    (length,) = struct.unpack_from("<I", data, len(data) - _TAIL)
    if length > MAX_FOOTER:
        raise RosterError("the roster describes more columns and groups than a table of people can have", hint=_SMALLER)
    if length + _TAIL > len(data):
        raise ValueError
    return _Thrift(data, len(data) - _TAIL - length).struct()


_SMALLER = "write it again with fewer columns and larger row groups"


def _chunk(data: memoryview, column: Struct, path: list[str], short: int) -> _Chunk:
    """The pages of a column; whether a text is ``short`` or long does not matter."""
    chunk = _Chunk(path)
    at, first = _number(column, 9), _number(column, 11)
    values = slice(0, 0)  # the page of distinct values
    for header, body in _pages(data, first if 0 < first < at else at):
        unpacked, packed = _number(header, 2), _number(header, 3)
        kind = _struct(header.get(5) or header.get(8))
        chunk.unpacked, chunk.packed = chunk.unpacked + unpacked, chunk.packed + packed
        chunk.largest = max(chunk.largest, unpacked)
        chunk.values += _number(kind, 1)
        encoding = _number(kind, 2 if 5 in header else 4)
        if 7 in header:
            values, chunk.longest = slice(body, body + packed), unpacked
        elif encoding == _PREFIXED:
            chunk.longest = max(chunk.longest, unpacked)
        chunk.is_plain |= bool(kind) and encoding not in _INDICES
        if chunk.values >= _number(column, 5) or body + packed > len(data):
            break
    if chunk.is_plain and chunk.longest > short and values.stop:
        refuse_unpacked(chunk.longest, values.stop - values.start)
        chunk.longest = _longest(bytes(data[values]), chunk.longest, _number(column, 4))
    return chunk


def _longest(page: bytes, size: int, codec: int) -> int:
    """The bytes of the longest text in a page of ``size`` bytes unpacked; where that cannot be told, its size."""
    try:
        name = _CODECS[codec]
        texts = pa.Codec(name).decompress(page, size, asbytes=True) if name else page
        at = longest = 0
        while at < size:
            (length,) = struct.unpack_from("<I", texts, at)
            at, longest = at + 4 + length, max(longest, length)
    except (struct.error, KeyError, OSError, ValueError):
        return size
    return longest


def _struct(value: object) -> Struct:
    return value if isinstance(value, dict) else {}


def _structs(value: object) -> Iterator[Struct]:
    return map(_struct, value if isinstance(value, list) else [])


def _path(column: Struct) -> list[str]:
    path = column.get(3)
    return (
        [part.decode("utf-8", "replace") for part in path if isinstance(part, bytes)] if isinstance(path, list) else []
    )


def _pages(data: memoryview, at: int) -> Iterator[tuple[Struct, int]]:
    """The header of each page from here on, and where the page begins; ends where there is no header."""
    while 0 <= at < len(data):
        try:
            reader = _Thrift(data, at)
            header, at = reader.struct(), reader.at
        except (IndexError, struct.error, ValueError):
            return
        yield header, at
        at += _number(header, 3)


def _number(of: Struct, name: int) -> int:
    value = of.get(name, 0)
    return max(0, value) if isinstance(value, int) else 0


class _Thrift:
    """Reads the compact protocol: numbers, texts, lists and structs, which are fields by number."""

    def __init__(self, data: memoryview, at: int) -> None:
        self._data, self.at = data, at
        self._depth = self._structs = 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        self._depth, self._structs = self._depth + 1, self._structs + 1
        if self._depth > _DEEPEST or self._structs > _MAX_STRUCTS:
            raise ValueError
        while kind := self._byte():
            number = number + (kind >> 4) if kind >> 4 else self._signed()
            fields[number] = self._value(kind & 15, in_list=False)
        self._depth -= 1
        return fields

    def _value(self, kind: int, *, in_list: bool) -> object:
        if kind in (1, 2):
            return self._byte() == 1 if in_list else kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind == 7:
            self.at += 8
            return None
        if kind == 8:
            begin = self._varint() + self.at
            begin, self.at = self.at, begin
            return bytes(self._data[begin : self.at]) if self.at - begin < MAX_ITEMS else None
        if kind == 12:
            return self.struct()
        if kind != 9:
            raise ValueError  # a footer has no maps and no sets
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > MAX_ITEMS:
            raise ValueError
        return [self._value(head & 15, in_list=True) for _ in range(count)]

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
