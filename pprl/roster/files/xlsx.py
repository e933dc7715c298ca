"""What an XLSX holds, before the reader lays it out: how far its cells reach, how much text they repeat, its errors.

The reader is compiled code that trusts the file: it allocates what a count claims, lays out everything between the
first cell and the last, copies a shared text into each of its cells, and leaves out errors such as ``#N/A``. So each
part is unpacked here first, a piece at a time, which also finds damaged ones.
"""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pprl.core.errors import RosterError
from pprl.roster.files.limits import MAX_CELLS, refuse_expanse
from pprl.roster.files.opendocument import DamagedError

Errors = dict[int, dict[int, str]]  # row, column (counted from 0): what is shown

_PIECE = 1 << 20
_LONGEST = 1 << 16  # bytes of a cell that are kept together
_MAX_STRINGS = 1 << 28
_MOST_TEXT = 1 << 31  # bytes of text in all cells
_COUNT = re.compile(rb"uniqueCount\s*=\s*[\"'](\d+)")
_USUAL_COLUMN = re.compile(rb'<c r="([A-Z]+)')
_USUAL_ROW = re.compile(rb'<c r="[A-Z]+(\d{4,})')
_ANY_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]+)\d")
_ANY_ROW = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]*(\d{4,})[\"']")
_UNUSUAL = (b"'", b" =", b"= ", b"\t", b"\n", b"\r")
_STRING = re.compile(rb"<(?:\w+:)?si\b")
_ROW = re.compile(rb"<(?:\w+:)?row\b")
_CELL = re.compile(rb"<(?:\w+:)?c\s")
_IS_ERROR = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
_SHOWN = re.compile(rb"<(?:\w+:)?v>([^<]{1,40})<")
_PLACE = re.compile(rb"(?:^|\s)r\s*=\s*[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_WHOLE_NUMBER = re.compile(rb">\s*(\d{1,9})\s*<")
_TOO_MUCH = "the spreadsheet unpacks to more than a table of people can be"


@dataclass
class _Span:
    """How far the cells of a part reach."""

    row: int = 1
    column: int = 1
    rows: int = 0  # elements; those without a number count on
    cells: int = 0
    in_row: int = 0  # cells of the longest row
    errors: Errors = field(default_factory=dict)
    _open: int = 0

    def area(self) -> int:
        return max(self.row, self.rows) * max(self.column, self.in_row)

    def see(self, piece: bytes) -> None:
        columns = _USUAL_COLUMN.findall(piece)
        cells, rows = len(columns), piece.count(b'<row r="')
        placed = piece.count(b"<c") == cells and piece.count(b"<row") == rows and b":c" not in piece
        if placed and not any(mark in piece for mark in _UNUSUAL):
            numbers = _USUAL_ROW.findall(piece)
        else:
            columns, numbers = _ANY_COLUMN.findall(piece), _ANY_ROW.findall(piece)
            cells, rows = self._see_rows(piece)
        self.column = max([self.column, *map(column_number, set(columns))])
        self.row = max([self.row, *map(int, set(numbers))])
        self.cells, self.rows = self.cells + cells, self.rows + rows
        if b'"e"' in piece or b"'e'" in piece:
            self._see_errors(piece)

    def _see_rows(self, piece: bytes) -> tuple[int, int]:
        """How many cells and rows there are, which need not say where they are, and the longest row, of which the first
        may have begun in the last piece."""
        first, *others = (sum(map(row.count, (b"<c ", b"<c>", b":c ", b"<c/"))) for row in _ROW.split(piece))
        self._open += first
        if piece.count(b'<c r="') < first + sum(others):
            self.in_row = max([self.in_row, self._open, *others])
        self._open = others[-1] if others else self._open
        return first + sum(others), len(others)

    def _see_errors(self, piece: bytes) -> None:
        for cell in _CELL.split(piece)[1:]:
            attributes, _, content = cell.partition(b">")
            if (
                _IS_ERROR.search(attributes)
                and (place := _PLACE.search(attributes))
                and (shown := _SHOWN.search(content))
            ):
                row, text = int(place[2]) - 1, html.unescape(shown[1].decode("utf-8", "replace"))
                self.errors.setdefault(row, {})[column_number(place[1]) - 1] = text


def inspect(parts: zipfile.ZipFile, size: int) -> dict[str, Errors]:
    """The cells that show an error, by sheet, in a workbook of ``size`` bytes.

    RosterError: it unpacks to too much, or spans too many cells. DamagedError: a count cannot be true.
    """
    infos = parts.infolist()
    strings = [info for info in infos if info.filename.lower().endswith("sharedstrings.xml")]
    if sum(info.file_size for info in strings) > _MAX_STRINGS:
        raise RosterError(_TOO_MUCH, hint="save the table as CSV")
    lengths: list[int] = []
    for info in strings:
        lengths = _lengths_of_strings(parts, info)
    spans: dict[str, _Span] = {}
    for info in infos:
        if info not in strings:
            spans[info.filename] = _span(parts, info, size)
    refuse_expanse(sum(span.area() for span in spans.values()), 1, size, most=MAX_CELLS)
    if max(lengths, default=0) * sum(span.cells for span in spans.values()) > _MOST_TEXT:
        _refuse_repeated_text(parts, [info for info in infos if spans.get(info.filename, _Span()).cells], lengths)
    return {name: spans[part].errors for name, part in _sheets(parts).items() if part in spans and spans[part].errors}


def _pieces(parts: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a part in pieces that end where a cell or a row begins, or else an element."""
    rest = b""
    with parts.open(info) as part:
        while piece := part.read(_PIECE):
            piece = rest + piece
            cut = piece.rfind(b"<c ")
            if cut < len(piece) - _LONGEST:
                cut = max(map(piece.rfind, (b":c ", b"<row", b":row")))
            if cut < len(piece) - _LONGEST:
                cut = piece.rfind(b"<")
            if cut < len(piece) - _LONGEST:
                cut = len(piece)
            rest = piece[cut:]
            yield piece[:cut]
    yield rest


def _lengths_of_strings(parts: zipfile.ZipFile, info: zipfile.ZipInfo) -> list[int]:
    """How many bytes each shared text takes. The reader allocates as many as there are said to be."""
    lengths, begin = list[int](), 0
    with parts.open(info) as part:
        while piece := part.read(_PIECE):
            if not begin and not lengths and max(map(int, _COUNT.findall(piece[:4096])), default=0) > info.file_size:
                raise DamagedError
            first, *others = piece.split(b"<si") if b":si" not in piece else _STRING.split(piece)
            begin += len(first)
            for other in others:
                lengths.append(begin)
                begin = len(other)
    return [*lengths[1:], begin]


def _span(parts: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> _Span:
    span = _Span()
    for piece in _pieces(parts, info):
        span.see(piece)
        refuse_expanse(span.area(), 1, size, most=MAX_CELLS)
    return span


def _refuse_repeated_text(parts: zipfile.ZipFile, infos: list[zipfile.ZipInfo], lengths: list[int]) -> None:
    """The reader copies a shared text into each cell that refers to it. A number counts as if it referred to one."""
    of, total = np.array(lengths, dtype=np.int64), 0
    for info in infos:
        for piece in _pieces(parts, info):
            numbers = np.array(_WHOLE_NUMBER.findall(piece), dtype=np.int64)
            total += int(of[numbers[numbers < len(of)]].sum())
            if total > _MOST_TEXT:
                raise RosterError(_TOO_MUCH, hint="save the table as CSV")


def _sheets(parts: zipfile.ZipFile) -> dict[str, str]:
    """The part of each sheet, by its name."""
    names = {name.lower(): name for name in parts.namelist()}
    texts = []
    for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        if name not in names:
            return {}
        with parts.open(names[name]) as part:
            texts.append(part.read(_PIECE).decode("utf-8", "replace"))
    sheets, relations = ([_attributes(tag) for tag in re.findall("<[^<>]*>", text)] for text in texts)
    targets = {each["Id"]: each["Target"] for each in relations if {"Id", "Target"} <= each.keys()}
    found = {}
    for each in sheets:
        if "sheetId" in each and each.get("id") in targets:
            path = posixpath.normpath(posixpath.join("/xl", targets[each["id"]])).lstrip("/")
            found[each.get("name", "")] = names.get(path.lower(), path)
    return found


def _attributes(tag: str) -> dict[str, str]:
    """The attributes of an element, without their prefixes."""
    return {name: html.unescape(value) for name, value in re.findall(r"(\w+)\s*=\s*[\"']([^\"']*)", tag)}


def column_number(letters: bytes) -> int:
    """``A`` is 1, ``AA`` is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number
