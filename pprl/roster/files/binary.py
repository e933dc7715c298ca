"""Binary workbooks of Excel (XLSB) to sheets of text.

Each part is a row of records: type, length, content. They are read one by one, so that a length or a row number that
is not true costs nothing. Microsoft, [MS-XLSB]: Excel Binary File Format, 2.1.4 and 2.4.
"""

from __future__ import annotations

import math
import posixpath
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from pprl.core.errors import RosterError
from pprl.roster.files.limits import MAX_CELLS, MAX_COLUMNS, MAX_HELD, refuse_expanse, refuse_long_text
from pprl.roster.files.opendocument import DamagedError, Sheet
from pprl.roster.files.serials import date_text, duration_text, is_date_format, is_duration_format, number_text

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_PIECE = 1 << 20
_LONGEST = 1 << 24  # bytes of a record
_ROWS = 1 << 20
_ROW, _SST_ITEM, _FORMAT, _STYLE, _RICH_TEXT = 0, 19, 44, 47, 62
_PROPERTIES, _SHEET, _MERGED, _STYLES, _END_STYLES = 153, 156, 176, 617, 618
_KINDS = {1: "", 2: "rk", 3: "error", 4: "bool", 5: "real", 6: "text", 7: "shared"}
_WITHOUT_COLUMN = range(12, 19)  # the same, one right of the last cell
_KINDS |= {kind + 11: name for kind, name in _KINDS.items()}
_KINDS |= {8: "text", 9: "real", 10: "bool", 11: "error", _RICH_TEXT: "rich"}  # results of formulas; text with fonts


@dataclass
class _Book:
    sheets: dict[str, str] = field(default_factory=dict)  # name to part
    strings: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)  # of each style: "", "date" or "duration"
    from_1904: bool = False


def read_sheets(parts: zipfile.ZipFile, size: int) -> dict[str, Sheet]:
    """The sheets of a workbook of ``size`` bytes, by name, without charts and macros.

    RosterError: it spans too many cells, or a cell is too long. DamagedError: it is not such a workbook.
    """
    try:
        book = _read_book(parts)
        sheets: dict[str, Sheet] = {}
        cells = 0
        for name, part in book.sheets.items():
            sheets[name], span = _read_sheet(parts, part, book, size)
            refuse_expanse(cells := cells + span, 1, size, most=MAX_CELLS)
        return sheets
    except (struct.error, IndexError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise DamagedError from error


def _records(parts: zipfile.ZipFile, name: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each record of a part."""
    with parts.open(name) as part:
        yield from _split(part)


def _split(part: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    rest = b""
    while piece := part.read(_PIECE):
        data, at = rest + piece, 0
        while True:
            kind, begin = _varint(data, at, 2)
            length, begin = _varint(data, begin, 4) if begin else (0, 0)
            if length > _LONGEST:
                raise DamagedError
            if not begin or begin + length > len(data):
                break
            yield kind, data[begin : begin + length]
            at = begin + length
        rest = data[at:]
    if rest:
        raise DamagedError


def _varint(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the offset behind it, or 0 where the data end before."""
    value = 0
    for group in range(most):
        if at + group >= len(data):
            return 0, 0
        byte = data[at + group]
        value |= (byte & 0x7F) << (7 * group)
        if byte < 0x80:
            return value, at + group + 1
    return value, at + most


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length in front, and the offset behind it; a length of −1 is no text."""
    (length,) = struct.unpack_from("<I", data, at)
    if length == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * length
    if end > len(data):
        raise DamagedError
    refuse_long_text(length)
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def _read_book(parts: zipfile.ZipFile) -> _Book:
    names = {name.lower(): name for name in parts.namelist()}
    where = names["xl/workbook.bin"]
    targets = _targets(parts, names["xl/_rels/workbook.bin.rels"])
    book = _Book()
    for kind, data in _records(parts, where):
        if kind == _PROPERTIES:
            book.from_1904 = bool(data[0] & 1)
        elif kind == _SHEET:
            identifier, end = _text(data, 8)
            what, target = targets.get(identifier, ("", ""))
            if what.endswith("/worksheet"):
                path = posixpath.normpath(posixpath.join("xl", target)).lstrip("/")
                book.sheets[_text(data, end)[0]] = names[path.lower()]
    if (styles := names.get("xl/styles.bin")) is not None:
        book.dates = _read_styles(parts, styles)
    if (strings := names.get("xl/sharedstrings.bin")) is not None:
        held = 0
        for kind, data in _records(parts, strings):
            if kind == _SST_ITEM:
                text = _text(data, 1)[0]
                held += len(text) + 100
                if held > MAX_HELD // 4:
                    raise RosterError(
                        "the spreadsheet unpacks to more than a table of people can be", hint="save the table as CSV"
                    )
                book.strings.append(text)
    return book


def _targets(parts: zipfile.ZipFile, name: str) -> dict[str, tuple[str, str]]:
    """Type and part of each relation, by its id."""
    with parts.open(name) as part:
        text = part.read(_PIECE).decode("utf-8", "replace")
    relations = [dict(re.findall(r"\b(\w+)\s*=\s*[\"']([^\"']*)", tag)) for tag in re.findall("<[^<>]*>", text)]
    return {each["Id"]: (each.get("Type", ""), each["Target"]) for each in relations if {"Id", "Target"} <= each.keys()}


def _read_styles(parts: zipfile.ZipFile, name: str) -> list[str]:
    codes: dict[int, str] = {}
    kinds: list[str] = []
    inside = False
    for kind, data in _records(parts, name):
        if kind == _FORMAT:
            codes[struct.unpack_from("<H", data)[0]] = _text(data, 2)[0]
        elif kind in (_STYLES, _END_STYLES):
            inside = kind == _STYLES
        elif kind == _STYLE and inside:
            (number,) = struct.unpack_from("<H", data, 2)
            code = codes.get(number, "")
            duration = is_duration_format(number, code)
            kinds.append("duration" if duration else "date" if is_date_format(number, code) else "")
    return kinds


def _read_sheet(parts: zipfile.ZipFile, name: str, book: _Book, size: int) -> tuple[Sheet, int]:
    """A sheet, and how many cells it spans."""
    sheet, record = Sheet(), list[str]()
    row = column = width = 0
    for kind, data in _records(parts, name):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", data)
            if row < len(sheet.rows) or row >= _ROWS:
                raise DamagedError
            record, column = [], -1
        elif kind in _KINDS:
            if kind in _WITHOUT_COLUMN:
                column, data = column + 1, bytes(4) + data
            else:
                (column,) = struct.unpack_from("<I", data)
            text = _cell(_KINDS[kind], data, book)
            if not text:
                continue
            if column >= MAX_COLUMNS or column < len(record):
                raise DamagedError
            width = max(width, column + 1)
            if not record:
                refuse_expanse(row + 1, width, size, most=MAX_CELLS)
                sheet.rows += [[]] * (row - len(sheet.rows))
                sheet.rows.append(record)
            record += [""] * (column - len(record)) + [text]
        elif kind == _MERGED:
            top, bottom, left, _ = struct.unpack_from("<4I", data)
            if top < bottom:
                sheet.merged.append((top, left, bottom))
    return sheet, width * len(sheet.rows)


def _cell(what: str, data: bytes, book: _Book) -> str:
    """The value of a cell as text, behind its column and its style."""
    if what == "shared":
        return book.strings[int.from_bytes(data[8:12], "little")]
    if what in ("text", "rich"):
        return _text(data, 9 if what == "rich" else 8)[0]
    if what == "error":
        return ERRORS.get(data[8], "#N/A")
    if what == "bool":
        return "true" if data[8] else "false"
    if not what:
        return ""
    value: float = _rk(data) if what == "rk" else struct.unpack_from("<d", data, 8)[0]
    style = int.from_bytes(data[4:7], "little")
    kind = book.dates[style] if style < len(book.dates) else ""
    if not math.isfinite(value):
        raise DamagedError
    if kind == "duration":
        return duration_text(value * 86_400)
    return date_text(value, from_1904=book.from_1904) if kind else number_text(value)


def _rk(data: bytes) -> float:
    """A number in 30 bits: whole or the upper half of a float, perhaps times 100."""
    packed: int = struct.unpack_from("<i", data, 8)[0]
    value: float = packed >> 2 if packed & 2 else struct.unpack("<d", bytes(4) + struct.pack("<i", packed & ~3))[0]
    return value / 100 if packed & 1 else float(value)
