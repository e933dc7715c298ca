"""OpenDocument spreadsheets (ODS), as LibreOffice and Google write them, to sheets of text.

A cell and a row state how often they are repeated, so a few bytes can stand for any number of cells. They are counted
while the file is read, piece by piece, and nothing is laid out that no filled cell follows.
OASIS, Open Document Format for Office Applications 1.3, part 3, chapter 9.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from xml.parsers import expat

from pprl.core.errors import RosterError
from pprl.roster.files.limits import MAX_CELLS, MAX_COLUMNS, refuse_expanse, refuse_long_text
from pprl.roster.files.serials import number_text

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0 "
_ERROR = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_CELLS = (_TABLE + "table-cell", _TABLE + "covered-table-cell")
_NOT_THE_CELL = (_OFFICE + "annotation", _TEXT + "note", _TEXT + "ruby-text", _TABLE + "tracked-changes")
_PIECE = 1 << 16
_DURATION = re.compile(r"-?PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")


class DamagedError(ValueError):
    """The file does not follow the format."""


@dataclass
class Sheet:
    """``merged`` are ranges over several rows: top, left, bottom, counted from 0. Rows end with a filled cell."""

    rows: list[list[str]] = field(default_factory=list)
    merged: list[tuple[int, int, int]] = field(default_factory=list)


def is_encrypted(parts: zipfile.ZipFile) -> bool:
    """Whether the spreadsheet, or all of its parts, are encrypted."""
    names = parts.namelist()
    if "encrypted-package" in names:
        return True
    if "META-INF/manifest.xml" not in names:
        return False
    with parts.open("META-INF/manifest.xml") as part:
        return b"encryption-data" in part.read(1 << 20)


def read_sheets(parts: zipfile.ZipFile, size: int) -> dict[str, Sheet]:
    """The sheets of an unencrypted file of ``size`` bytes, by name.

    RosterError: it spans too many cells, or a cell is too long. DamagedError: it is not a spreadsheet.
    """
    reader = _Reader(size)
    with parts.open("content.xml") as part:
        while piece := part.read(_PIECE):
            reader.feed(piece)
    reader.close()
    return reader.sheets


class _Reader:
    """Follows the elements of ``content.xml``. Empty cells and rows are only counted, until a filled one follows."""

    def __init__(self, size: int) -> None:
        self.sheets: dict[str, Sheet] = {}
        self._size = size
        self._sheet: Sheet | None = None
        self._depth = 0  # of tables within tables
        self._ignored = 0  # depth in an element that is no part of a cell's text
        self._row: list[str] = []
        self._empty_rows = self._empty_cells = 0
        self._width = self._rows = self._paragraphs = 0
        self._before = 0  # cells that the sheets before span
        self._cell: dict[str, str] | None = None
        self._text: list[str] = []
        self._length = 0
        self._known: dict[str, str] = {}
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_entities
        self._parser = parser

    def feed(self, piece: bytes) -> None:
        try:
            self._parser.Parse(piece)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise DamagedError from error

    def close(self) -> None:
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DamagedError from error

    def _refuse_entities(self, *_: object) -> None:
        raise DamagedError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._ignored or name in _NOT_THE_CELL or name.startswith(_DRAW):
            self._ignored += 1
        elif name == _TABLE + "table":
            self._depth += 1
            if self._depth == 1:
                self._begin_sheet(attributes.get(_TABLE + "name", ""))
        elif self._depth != 1:
            return
        elif name == _TABLE + "table-row":
            self._row, self._empty_cells = [], 0
            self._repeated = _count(attributes, "number-rows-repeated")
        elif name in _CELLS:
            self._cell, self._text, self._length, self._paragraphs = attributes, [], 0, 0
        elif self._cell is not None:
            self._start_text(name, attributes)

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == _TEXT + "p":
            if self._paragraphs:
                self._characters("\n")
            self._paragraphs += 1
        elif name == _TEXT + "s":
            self._characters(" " * min(_count(attributes, "c", _TEXT), 100))
        elif name in (_TEXT + "tab", _TEXT + "line-break"):
            self._characters("\t" if name.endswith("tab") else "\n")

    def _characters(self, text: str) -> None:
        if self._cell is not None and not self._ignored and self._paragraphs:
            self._length += len(text)
            refuse_long_text(self._length)
            self._text.append(text)

    def _end(self, name: str) -> None:
        if self._ignored:
            self._ignored -= 1
        elif name == _TABLE + "table":
            self._depth -= 1
        elif self._depth == 1 and name in _CELLS and self._cell is not None:
            self._end_cell(self._cell, covered=name != _CELLS[0])
            self._cell = None
        elif self._depth == 1 and name == _TABLE + "table-row":
            self._end_row()

    def _begin_sheet(self, name: str) -> None:
        self._sheet = Sheet()
        self._before += self._width * self._rows
        self._width = self._rows = self._empty_rows = 0
        if not name.startswith("'file:"):  # copies of cells of other files
            self.sheets[name] = self._sheet

    def _end_cell(self, attributes: dict[str, str], *, covered: bool) -> None:
        text = "" if covered else _value(attributes, "".join(self._text))
        times = _count(attributes, "number-columns-repeated")
        column = len(self._row) + self._empty_cells
        rows = _count(attributes, "number-rows-spanned")
        if rows > 1 and self._sheet:
            top = self._rows + self._empty_rows
            self._sheet.merged.append((top, column, top + rows - 1))
        if not text:
            self._empty_cells += times
            return
        refuse_long_text(len(text))
        if column + times > MAX_COLUMNS:
            raise RosterError(f"the roster has more than {MAX_COLUMNS:,} columns", hint="is it a table of people?")
        text = self._known.setdefault(text, text) if len(self._known) < MAX_COLUMNS else text
        self._row += [""] * self._empty_cells + [text] * times
        self._empty_cells = 0

    def _end_row(self) -> None:
        if not self._sheet:
            return
        if not self._row:
            self._empty_rows += self._repeated
            return
        self._width = max(self._width, len(self._row))
        self._rows += self._empty_rows + self._repeated
        refuse_expanse(self._before + self._rows * self._width, 1, self._size, most=MAX_CELLS)
        self._sheet.rows += [[]] * self._empty_rows + [self._row] * self._repeated
        self._empty_rows, self._row = 0, []


def _count(attributes: dict[str, str], name: str, space: str = _TABLE) -> int:
    text = attributes.get(space + name, "1")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise DamagedError
    return max(1, int(text))


def _value(attributes: dict[str, str], shown: str) -> str:
    """The value of a cell as text. An error has only what is shown, as has a text."""
    kind = attributes.get(_OFFICE + "value-type")
    if kind in (None, "string") or attributes.get(_ERROR) == "error":
        return shown or attributes.get(_OFFICE + "string-value", "")
    name = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}.get(kind, "value")
    value = attributes.get(_OFFICE + name, "")
    if kind == "date":
        return value.replace("T", " ").removesuffix(" 00:00:00") or shown
    if kind == "boolean":
        return value or shown
    if kind == "time":
        parts = _DURATION.fullmatch(value)
        return f"{parts[1]:0>2}:{parts[2]:0>2}:{parts[3]:0>2}" if parts else shown
    try:
        return number_text(float(value))
    except ValueError:  # also of what is not finite
        return shown
    except OverflowError:
        return shown
