"""What an Arrow file or stream claims, before it is read: values in its columns, and the size of its buffers.

A message says how many values each column has and, if its buffers are packed, how long they will be. Only this is read
here. Apache Arrow columnar format 1.5, Message.fbs and File.fbs; FlatBuffers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from pprl.roster.files.limits import refuse_expanse, refuse_unpacked

_GOES_ON = 0xFFFFFFFF
_DICTIONARY, _BATCH = 2, 3
_TAIL = 10  # of a file: the length of its footer, and its mark


def inspect(data: memoryview) -> None:
    """RosterError: the batches hold too many values, or unpack to too much. Damage is left to the reader."""
    values = 0
    is_file = bytes(data[:6]) == b"ARROW1"
    for at in _blocks(data) if is_file else _stream(data):
        try:
            more, unpacked, packed = _message(data, at)
        except (struct.error, IndexError, ValueError):
            return
        values += more
        refuse_expanse(values, 1, len(data))
        refuse_unpacked(unpacked, packed)


def _stream(data: memoryview) -> Iterator[int]:
    """Where each message of a stream begins."""
    at = 0
    while at + 8 <= len(data):
        try:
            begin, length = _metadata(data, at)
            if not length:
                return
            message = _Table.root(data, begin)
            yield at
            at = begin + length + max(0, message.int64(3))
        except (struct.error, IndexError, ValueError):
            return


def _blocks(data: memoryview) -> Iterator[int]:
    """Where the messages begin that the footer of a file lists; one may be listed many times."""
    try:
        (length,) = struct.unpack_from("<i", data, len(data) - _TAIL)
        footer = _Table.root(data, len(data) - _TAIL - length)
        for vector in (2, 3):
            yield from footer.numbers(vector, 24)[:, 0].tolist()
    except (struct.error, IndexError, ValueError):
        return


def _metadata(data: memoryview, at: int) -> tuple[int, int]:
    """Where the metadata of a message begin, and their length."""
    mark, length = struct.unpack_from("<Ii", data, at)
    return (at + 8, length) if mark == _GOES_ON else (at + 4, mark)  # before version 0.15 nothing came first


def _message(data: memoryview, at: int) -> tuple[int, int, int]:
    """The values of a message, and the size of its body unpacked and as it is."""
    begin, length = _metadata(data, at)
    message = _Table.root(data, begin)
    kind, body = message.uint8(1), begin + length
    if kind not in (_DICTIONARY, _BATCH):
        return 0, 0, 0
    batch = message.table(2)
    if kind == _DICTIONARY:
        batch = batch.table(1)
    lengths = batch.numbers(1, 16)[:, 0]
    values = max(0, batch.int64(0)) + int(np.maximum(lengths, 0).sum(dtype=object) if len(lengths) else 0)
    packed = max(0, message.int64(3))
    if not batch.has(3):
        return values, packed, packed
    unpacked = 0
    for offset, size in batch.numbers(2, 16).tolist():
        if size > 8:
            (claimed,) = struct.unpack_from("<q", data, body + offset)
            unpacked += size if claimed < 0 else claimed
    return values, unpacked, packed


class _Table:
    """A table of a FlatBuffer: fields are found by their number."""

    def __init__(self, data: memoryview, at: int) -> None:
        if not 0 <= at < len(data):
            raise IndexError
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        self._length = self._read("<H", self._fields)

    @classmethod
    def root(cls, data: memoryview, at: int) -> _Table:
        if at < 0:
            raise IndexError
        return cls(data, at + struct.unpack_from("<I", data, at)[0])

    def has(self, number: int) -> bool:
        return self._place(number) > 0

    def uint8(self, number: int) -> int:
        place = self._place(number)
        return self._data[place] if place else 0

    def int64(self, number: int) -> int:
        place = self._place(number)
        return self._read("<q", place) if place else 0

    def table(self, number: int) -> _Table:
        place = self._place(number)
        if not place:
            raise IndexError
        return _Table(self._data, place + self._read("<I", place))

    def numbers(self, number: int, width: int) -> np.ndarray:
        """A vector of structs of so many bytes, as rows of 64-bit numbers."""
        place = self._place(number)
        if not place:
            return np.empty((0, width // 8), dtype="<i8")
        begin = place + self._read("<I", place)
        count = self._read("<I", begin)
        return np.frombuffer(self._data, "<i8", count * width // 8, begin + 4).reshape(count, width // 8)

    def _place(self, number: int) -> int:
        entry = 4 + 2 * number
        offset = self._read("<H", self._fields + entry) if entry < self._length else 0
        return self._at + offset if offset else 0

    def _read(self, form: str, at: int) -> int:
        if at < 0:
            raise IndexError
        value: int = struct.unpack_from(form, self._data, at)[0]
        return value
