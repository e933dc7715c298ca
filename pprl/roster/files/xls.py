"""What an old workbook (XLS) holds, before the reader lays it out: how far its cells reach, its errors, a password.

An XLS is a file system of its own (a compound file) with a stream of records: type, length, content. Only those that
place a cell are looked at. Microsoft, [MS-CFB] 2.2–2.6 and [MS-XLS] 2.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pprl.roster.files.binary import ERRORS
from pprl.roster.files.limits import MAX_CELLS, refuse_expanse
from pprl.roster.files.opendocument import DamagedError
from pprl.roster.files.xlsx import Errors

_STREAMS = ("Workbook", "Book")
_END = 0xFFFFFFFA  # from here on, numbers of sectors have a meaning of their own
_BEGIN, _END_OF_PART, _PASSWORD, _SHEET = 0x0809, 0x000A, 0x002F, 0x0085
_ONE = {0x0203, 0x027E, 0x0204, 0x00FD, 0x0205, 0x0006, 0x00D6, 0x0003, 0x0002, 0x0004, 0x0005, 0x0206, 0x0406}
_MANY = 0x00BD  # numbers side by side


def is_encrypted(data: bytes) -> bool:
    """Whether an OLE file holds an encrypted workbook, of this format or of a newer one."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return True
    try:
        return any(kind == _PASSWORD for _, kind, _ in _records(_workbook(data)))
    except (DamagedError, struct.error):
        return False


def inspect(data: bytes) -> dict[int, Errors]:
    """The cells that show an error, by the number of the sheet in the workbook, counted from 0.

    RosterError: it spans too many cells. DamagedError: it is not an old workbook.
    """
    try:
        stream = _workbook(data)
        places = [
            struct.unpack_from("<I", content)[0]
            for at, kind, content in _records(stream)
            if kind == _SHEET and len(content) >= 4
        ]
        errors, total = {}, 0
        for number, place in enumerate(places):
            errors[number], span = _sheet(stream, place, len(data))
            refuse_expanse(total := total + span, 1, len(data), most=MAX_CELLS)
        return errors
    except struct.error as error:
        raise DamagedError from error


def _sheet(stream: bytes, place: int, size: int) -> tuple[Errors, int]:
    """The errors in the part that begins here, and how many cells it spans."""
    rows = columns = 0
    errors: Errors = {}
    for at, kind, content in _records(stream, place):
        if kind == _END_OF_PART and at > place:
            break
        if (kind not in _ONE and kind != _MANY) or len(content) < 6:
            continue
        row, column = struct.unpack_from("<HH", content)
        last = struct.unpack_from("<H", content, len(content) - 2)[0] if kind == _MANY else column
        rows, columns = max(rows, row + 1), max(columns, last + 1)
        if kind == 0x0205 and len(content) >= 8 and content[7]:  # its value, and that it is an error
            errors.setdefault(row, {})[column] = ERRORS.get(content[6], "#N/A")
        elif kind in (0x0006, 0x0206, 0x0406) and content[6:7] == b"\x02" and content[12:14] == b"\xff\xff":
            errors.setdefault(row, {})[column] = ERRORS.get(content[8], "#N/A")
    refuse_expanse(rows, columns, size, most=MAX_CELLS)
    return errors, rows * columns


def _records(stream: bytes, at: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """Offset, type and content of each record, until the stream ends."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _workbook(data: bytes) -> bytes:
    """The stream of the workbook in a compound file."""
    sector, small = (1 << min(shift, 30) for shift in struct.unpack_from("<HH", data, 30))
    if sector not in (512, 4096) or small != 64:
        raise DamagedError
    first_entry, cutoff, first_small, _, first_table = struct.unpack_from("<I4xIIII", data, 48)
    numbers = list(struct.unpack_from("<109I", data, 76))
    while first_table < _END:
        more = struct.unpack_from(f"<{sector // 4}I", data, (first_table + 1) * sector)
        numbers, first_table = numbers + list(more[:-1]), more[-1]
        if len(numbers) > len(data):
            raise DamagedError  # a ring, in which the reader would go round and round
    table: list[int] = []
    for number in numbers:
        if number < _END and (number + 2) * sector <= len(data) + sector:
            place = data[(number + 1) * sector : (number + 2) * sector]
            table += struct.unpack(f"<{len(place) // 4}I", place[: len(place) // 4 * 4])
    folder = _chain(data, table, first_entry, sector, sector)
    entries: dict[str, tuple[int, int]] = {}
    for begin in range(0, len(folder) - 127, 128):
        length, first, size = struct.unpack_from("<H50xII", folder, begin + 64)
        name = folder[begin : begin + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        entries.setdefault("" if folder[begin + 66] == 5 else name, (first, size))
    for name in _STREAMS:
        if name in entries:
            first, size = entries[name]
            if size >= cutoff or "" not in entries:
                return _chain(data, table, first, sector, sector)[:size]
            smalls = _chain(data, table, entries[""][0], sector, sector)
            links = _chain(data, table, first_small, sector, sector)
            small_table = list(struct.unpack(f"<{len(links) // 4}I", links[: len(links) // 4 * 4]))
            return _chain(smalls, small_table, first, small, 0)[:size]
    raise DamagedError


def _chain(data: bytes, table: list[int], number: int, sector: int, offset: int) -> bytes:
    """The bytes of sectors that are linked by a table. DamagedError: the links form a ring."""
    pieces: list[bytes] = []
    while number < len(table):
        if len(pieces) > len(data) // sector:
            raise DamagedError
        pieces.append(data[offset + number * sector : offset + (number + 1) * sector])
        number = table[number]
    return b"".join(pieces)
