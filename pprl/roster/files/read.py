"""Opens rosters and reads them as text: CSV and workbooks as clerks write them, Parquet, Arrow, FollowTheMoney.

``archive`` unpacks a ZIP or a GZ, and ``limits`` says how large a roster may be. ``csv`` and ``spreadsheet`` turn bytes
into records, and ``layout`` finds the table in them; ``columnar`` reads files that describe their own columns.
Nothing is inferred: ``007`` stays ``007``. Real dates of a spreadsheet become ISO dates, and whole numbers lose their
``.0``. The index of a frame is the row of the spreadsheet, header counted, so that every message and every pair can be
traced back to the file. No message holds a cell or the roster's path.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd

from pprl.core.container import STANDARD
from pprl.core.errors import RosterError
from pprl.core.row_labels import LIST_STEP, SHEET_STEP
from pprl.roster.files.archive import unpack
from pprl.roster.files.csv import csv_records, find_dialect
from pprl.roster.files.findings import Findings, notes
from pprl.roster.files.garbled import mended, mended_frame
from pprl.roster.files.layout import ALL, NEEDED, SECTION, Table, locate
from pprl.roster.files.paths import reading
from pprl.roster.files.spreadsheet import OLD, Records, sheets_of

if TYPE_CHECKING:
    from pprl.roster.files.columnar import Columnar
    from pprl.roster.files.followthemoney import Entities

ALL_SHEETS = "all"
ROWS_OF_A_PART = 50_000
COLUMNAR_MARKS = (b"PAR1", b"PARE", b"ARROW1", b"\xff\xff\xff\xff")  # Parquet, encrypted; an Arrow file, a stream
SHEET_HINT = "say which with --sheet NAME, or --sheet all"


def read_roster(path: Path | str, sheet: str | None = None) -> pd.DataFrame:
    """A frame of text: columns are the headers, the index is the row of the spreadsheet, and an empty cell is "".

    ``-`` is standard input. Names of units in rows of their own become the column ``section``, a list of names without
    a header the column ``full_name``, and any other column without a header is called after its letter: ``column C``.
    ``sheet`` is the name of a sheet or ``all``; by default there must be only one with a table. With ``all``, row 17
    of the third of several sheets is labelled 30,000,017. A CSV is one sheet, whatever ``sheet`` says.

    A Parquet or Arrow file (``pip install 'pprl[parquet]'``) is one sheet too; having no header row, it counts its rows
    from 1. A list in a cell becomes several values, joined by "; ". Columns of bytes, structs and maps are left out.

    JSON lines are FollowTheMoney entities, with a row for each `Person`; ``attrs["notes"]`` lists what was not
    understood. ``attrs["several"]`` names the columns whose cells hold several values, and the separator: for a CSV,
    set ``frame.attrs["several"] = {"ФИО": ";"}``.

    A ZIP or GZ is the one table in it.

    RosterError: the file is missing, empty, not a table, cut short, protected, encrypted, or larger than the limits.
    """
    parts = list(read_roster_parts(path, sheet, ALL))
    return parts[0] if len(parts) == 1 else pd.concat(parts)


def read_roster_parts(path: Path | str, sheet: str | None = None, rows: int = ROWS_OF_A_PART) -> Iterator[pd.DataFrame]:
    """What `read_roster` returns, in frames of at most ``rows`` rows, one at a time."""
    roster = open_roster(path, sheet, rows)
    for _ in roster.parts():
        pass
    yield from roster.parts()


class RosterFile:
    """A roster that can be read in parts, again and again; `open_roster` opens one.

    Whether any row has a section, or a cell in a column without a header, shows only at the end. Until the whole file
    has been read once, a part has every possible column, and from then on those of `read_roster`.
    """

    def __init__(
        self,
        sheets: Sequence[_Sheet | Columnar | Entities],
        several: Mapping[str, str] | None = None,
        notes_of_format: Sequence[str] = (),
        identifier: str | None = None,
    ) -> None:
        self._sheets = sheets
        self.several = dict(several or {})  # header to separator, for columns whose cells may hold several values
        self._notes = tuple(notes_of_format)  # what in the file was not understood
        self._id = identifier  # the column of ids, if the format has one
        self._findings = Findings()  # of sources that are frames from the start

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not understood, or read otherwise than it is written; complete once the whole file has been read."""
        found = [sheet.findings.rows(sheet.offset) for sheet in self._sheets if isinstance(sheet, _Sheet)]
        return (*self._notes, *notes([*found, self._findings.rows()]))

    def parts(self, most: int = ALL) -> Iterator[pd.DataFrame]:
        """Frames of at most ``most`` rows, and no more than the roster was opened with.

        RosterError: as `read_roster`, when the faulty row is reached.
        """
        for part in self._parts(most):
            attrs = {"several": dict(self.several), "notes": self.notes, "id": self._id}
            part.attrs |= {name: value for name, value in attrs.items() if value}
            yield part

    def _parts(self, most: int) -> Iterator[pd.DataFrame]:
        if len(self._sheets) == 1:
            (only,) = self._sheets
            for part in only.parts(most):
                yield part if isinstance(only, _Sheet) else mended_frame(part, self._findings)
            return
        headers = list(dict.fromkeys(header for sheet in self._sheets for header in sheet.headers()))
        for part in (part for sheet in self._sheets for part in sheet.parts(most)):
            yield part.reindex(columns=pd.Index(headers, dtype=object), fill_value="").astype(object)

    def head(self, rows: int) -> pd.DataFrame:
        """The first ``rows`` rows, or all where there are fewer."""
        first: list[pd.DataFrame] = []
        for part in self.parts(rows):
            first.append(part)
            if sum(map(len, first)) >= rows:
                break
        return pd.concat(first).iloc[:rows]


def open_roster(path: Path | str, sheet: str | None = None, rows: int = ROWS_OF_A_PART) -> RosterFile:
    """Open a roster, to be read in parts of at most ``rows`` rows.

    A workbook is held in memory. A CSV or Parquet file is not, unless it can be read only once, like standard input.

    RosterError: as `read_roster`, for whatever shows before the rows of a CSV are read.
    """
    with reading():
        reopen, noted = unpack(_opener(Path(path)))
        with reopen() as file:
            head = file.read(512)
            start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
            if not start and not head.strip() and not any(map(bytes.strip, iter(partial(file.read, 1 << 20), b""))):
                raise RosterError("the roster is empty", hint=NEEDED)
            _refuse_other_files(head, start)
            if head.startswith(COLUMNAR_MARKS):
                from pprl.roster.files.columnar import Columnar

                columnar = Columnar(reopen, min(rows, ROWS_OF_A_PART))
                return RosterFile([columnar], columnar.several, noted)
            if start[:1] == b"{":
                from pprl.roster.files.followthemoney import Entities

                entities = Entities(reopen, rows)
                return RosterFile([entities], entities.several, [*noted, *entities.notes], "id")
            if head.startswith((b"PK\x03\x04", OLD)):
                return RosterFile(_sheets(head + file.read(), sheet, rows), notes_of_format=noted)
            dialect = find_dialect(file)

    findings = Findings()

    def records() -> Iterator[list[str]]:
        with reading(), reopen() as file:
            yield from csv_records(file, dialect, findings)

    return RosterFile([_Sheet(records, rows, ragged=True, findings=findings)], notes_of_format=noted)


_DOCUMENTS = {
    b"%PDF": "a PDF",
    b"{\\rtf": "a text document (RTF)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"II*\x00": "a picture",
    b"MM\x00*": "a picture",
}
_COPY_TABLE = "copy its table into a spreadsheet, compare the two row by row, and save it as XLSX"


def _refuse_other_files(head: bytes, start: bytes) -> None:
    if head.startswith(b"pprl-"):
        raise RosterError(
            "the roster is a file of pprl, not a table of people", hint="`pprl inspect FILE` says what it is"
        )
    if re.match(rb"\[\s*\{", start):
        raise RosterError("the roster is one JSON list", hint="write one object per line: jq -c '.[]' FILE")
    for mark, what in _DOCUMENTS.items():
        if start.startswith(mark) or head.startswith(mark):
            raise RosterError(f"the roster is {what}, not a table", hint=_COPY_TABLE)
    if start[:1] == b"<":
        raise RosterError("the roster is a web page or XML", hint="open it in Excel and save it as XLSX")


def _opener(path: Path) -> Callable[[], BinaryIO]:
    """A function that opens a file at its beginning; what can be read only once is held in memory."""
    if path == STANDARD:
        return partial(io.BytesIO, sys.stdin.buffer.read())
    with path.open("rb") as file:
        return (lambda: path.open("rb")) if file.seekable() else partial(io.BytesIO, file.read())


@dataclass
class _Sheet:
    """The records of one sheet, and what is known of its table once it has been read."""

    records: Records
    rows: int
    ragged: bool
    offset: int = 0
    findings: Findings = field(default_factory=Findings)
    header: Sequence[str] = ()
    known: bool = False
    width: int = 1
    sections: bool = False
    _read: bool = False
    _only: Table | None = None  # a table in one part is kept, not read again

    def parts(self, most: int = ALL) -> Iterator[pd.DataFrame]:
        if self._only and len(self._only.rows) <= most:
            yield self._frame(self._only)
            return
        only, records = None, self.records() if self.ragged else mended(self.records(), self.findings)
        for number, table in enumerate(
            locate(records, min(most, self.rows), ragged=self.ragged, findings=self.findings)
        ):
            only = None if number else table
            self.header, self.known = table.header, table.known
            self.width = max(self.width, len(table.header) if self.ragged else table.width())
            self.sections |= any(table.sections)
            yield self._frame(table)
        self._read, self._only = True, self._only or only

    def headers(self) -> list[str]:
        width = self.width if self._read else len(self.header)
        headers = [label or f"column {_letters(index)}" for index, label in enumerate(self.header[:width])]
        if self.sections or not self._read:
            headers.append(SECTION if SECTION not in headers else f"{SECTION} (rows)")
        return headers

    def _frame(self, table: Table) -> pd.DataFrame:
        headers = self.headers()
        columns = [*table.columns[: self.width if self._read else None], table.sections][: len(headers)]
        frame = pd.DataFrame(
            dict(enumerate(columns)),
            index=pd.Index(table.rows, name="row", dtype="int64") + self.offset,
            dtype=object,
        )
        frame.columns = pd.Index(headers, dtype=object)
        return frame


def _sheets(data: bytes, sheet: str | None, rows: int) -> list[_Sheet]:
    """The requested sheets that hold a table, each read once; by default the only one, if there is only one."""
    records = sheets_of(data)
    if sheet not in (None, ALL_SHEETS, *records):
        raise RosterError("the roster has no sheet of that name", hint=SHEET_HINT)
    sheets: list[_Sheet] = []
    refusal = RosterError("the roster has no sheet", hint=NEEDED)
    for number, name in enumerate(records, start=1):
        if sheet in (None, ALL_SHEETS, name):
            read = _Sheet(records[name], rows, ragged=False, offset=SHEET_STEP * number)
            try:
                for _ in read.parts():
                    pass
                sheets.append(read)
            except RosterError as error:
                if error.hint != NEEDED:
                    raise
                refusal = refusal if sheets or number > 1 else error
    sheets = [read for read in sheets if read.known] or sheets
    if not sheets:
        raise refusal
    if len(sheets) == 1:
        return [replace(sheets[0], offset=0)]
    if sheet is None:
        raise RosterError(f"{len(sheets)} sheets of the roster hold a table", hint=SHEET_HINT)
    if any(len(set(read.headers())) < len(read.headers()) for read in sheets):
        raise RosterError(
            "a sheet has two columns with the same name", hint="give them different headers, then join the sheets"
        )
    return sheets


def part_of(number: int, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with the row labels of the ``number``-th of several lists, counted from 1."""
    return frame.set_axis(frame.index + number * LIST_STEP)


def _letters(index: int) -> str:
    """The letters of a spreadsheet's column, counted from 0."""
    return (_letters(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)
