"""Rosters in: CSV, XLSX and XLS as clerks write them, Parquet and Arrow, read as text. The only module that opens
rosters.

``text`` and ``spreadsheet`` turn bytes into records, ``layout`` finds the table in them; ``columnar`` reads files that
say themselves where it is. Nothing is inferred: ``007`` stays ``007``. A spreadsheet's real dates become ISO dates and
its whole numbers lose their ``.0``. The index of the frame is the row of the spreadsheet, header counted, so that every
message and every pair can be found again in the file. No message holds a cell or the roster's path.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd

from pprl.core.container import STANDARD
from pprl.core.errors import RosterError
from pprl.core.row_labels import LIST_STEP, SHEET_STEP
from pprl.roster.csv import csv_records, find_dialect
from pprl.roster.layout import ALL, NEEDED, SECTION, Table, locate
from pprl.roster.paths import reading
from pprl.roster.spreadsheet import MARKS, Records, sheets_of

if TYPE_CHECKING:
    from pprl.roster.columnar import Columnar
    from pprl.roster.followthemoney import Entities

ALL_SHEETS = "all"
ROWS_OF_A_PART = 50_000
COLUMNAR_MARKS = (b"PAR1", b"PARE", b"ARROW1", b"\xff\xff\xff\xff")  # Parquet, encrypted; an Arrow file, a stream
SHEET_HINT = "say which with --sheet NAME, or --sheet all (link: --list-sheet, --registry-sheet)"


def read_roster(path: Path | str, sheet: str | None = None) -> pd.DataFrame:
    """A frame of text: columns are the headers, the index is the row of the spreadsheet; an empty cell is "".

    ``-`` is standard input. Names of units that stand in rows of their own become the column ``section``, a list of
    names without a header the column ``full_name``, any other column without a header ``column C``. ``sheet`` is the
    name of a sheet or ``all``; by default there must be only one with a table. With ``all``, row 17 of the third of
    several sheets is labelled 30,000,017. A CSV is one sheet, whatever ``sheet`` says.

    A Parquet or Arrow file (``pip install 'pprl[parquet]'``) is one sheet too; its rows are counted from 1, since there
    is no header row. A list in a cell is several values, joined by "; ". Columns of bytes, structs, maps are left out.

    JSON lines are entities of FollowTheMoney, a row for each `Person`; what else they hold that was not understood
    stands in ``attrs["notes"]``. ``attrs["several"]`` says which columns have cells of several values, and what stands
    between them: ``frame.attrs["several"] = {"ФИО": ";"}`` says it of a CSV.

    RosterError: the file is missing, empty, no table, cut short, protected, encrypted, or wider than 16,384 columns.
    """
    parts = list(read_roster_parts(path, sheet, ALL))
    return parts[0] if len(parts) == 1 else pd.concat(parts)


def read_roster_parts(path: Path | str, sheet: str | None = None, rows: int = ROWS_OF_A_PART) -> Iterator[pd.DataFrame]:
    """What `read_roster` gives, in frames of at most so many rows, one at a time."""
    roster = open_roster(path, sheet, rows)
    for _ in roster.parts():
        pass
    yield from roster.parts()


class RosterFile:
    """A roster that is read in parts, as often as wanted; `open_roster` makes one.

    Whether any row has a section, or a cell in a column without a header, shows only at the end: until all of it was
    read once, a part has every column that there may be, and from then on the same as `read_roster`.
    """

    def __init__(
        self,
        sheets: Sequence[_Sheet | Columnar | Entities],
        several: Mapping[str, str] | None = None,
        notes: Sequence[str] = (),
        identifier: str | None = None,
    ) -> None:
        self._sheets = sheets
        self.several = dict(several or {})  # header and separator of columns whose cells may hold several values
        self.notes = tuple(notes)  # what of the file was not understood
        self._id = identifier  # the column that names its rows

    def parts(self, most: int = ALL) -> Iterator[pd.DataFrame]:
        """Frames of at most so many rows, and no more than the roster was opened with.

        RosterError: as `read_roster`, when the row that is wrong is reached.
        """
        for part in self._parts(most):
            told = {"several": dict(self.several), "notes": self.notes, "id": self._id}
            part.attrs |= {name: value for name, value in told.items() if value}
            yield part

    def _parts(self, most: int) -> Iterator[pd.DataFrame]:
        if len(self._sheets) == 1:
            yield from self._sheets[0].parts(most)
            return
        headers = list(dict.fromkeys(header for sheet in self._sheets for header in sheet.headers()))
        for part in (part for sheet in self._sheets for part in sheet.parts(most)):
            yield part.reindex(columns=pd.Index(headers, dtype=object), fill_value="").astype(object)

    def head(self, rows: int) -> pd.DataFrame:
        """The first so many rows, or all where there are fewer."""
        first: list[pd.DataFrame] = []
        for part in self.parts(rows):
            first.append(part)
            if sum(map(len, first)) >= rows:
                break
        return pd.concat(first).iloc[:rows]


def open_roster(path: Path | str, sheet: str | None = None, rows: int = ROWS_OF_A_PART) -> RosterFile:
    """A roster in parts of at most so many rows. A CSV or Parquet file is never held in memory, unless it can be read
    once only, like standard input; a spreadsheet is.

    RosterError: as `read_roster`, where it shows before the rows of a CSV are read.
    """
    with reading():
        again = _opener(Path(path))
        with again() as file:
            head = file.read(512)
            start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
            if not start and not head.strip() and not any(map(bytes.strip, file)):
                raise RosterError("the roster is empty", hint=NEEDED)
            if head.startswith(b"pprl-"):
                raise RosterError(
                    "the roster is a file of pprl, no table of people", hint="`pprl inspect FILE` says what it is"
                )
            if head.startswith(COLUMNAR_MARKS):
                from pprl.roster.columnar import Columnar

                columnar = Columnar(again, min(rows, ROWS_OF_A_PART))
                return RosterFile([columnar], columnar.several)
            if start[:1] == b"{":
                from pprl.roster.followthemoney import Entities

                entities = Entities(again, rows)
                return RosterFile([entities], entities.several, entities.notes, "id")
            if re.match(rb"\[\s*\{", start):
                raise RosterError("the roster is one JSON list", hint="write one object a line: jq -c '.[]' FILE")
            if start[:1] == b"<":
                raise RosterError("the roster is a web page or XML", hint="open it in Excel and save it as XLSX")
            if head.startswith(MARKS):
                return RosterFile(_sheets(head + file.read(), sheet, rows))
            dialect = find_dialect(file)

    def records() -> Iterator[list[str]]:
        with reading(), again() as file:
            yield from csv_records(file, dialect)

    return RosterFile([_Sheet(records, rows, ragged=True)])


def _opener(path: Path) -> Callable[[], BinaryIO]:
    """Opens a file at its beginning, each time anew; what can be read once only is held in memory."""
    if path == STANDARD:
        return partial(io.BytesIO, sys.stdin.buffer.read())
    with path.open("rb") as file:
        return (lambda: path.open("rb")) if file.seekable() else partial(io.BytesIO, file.read())


@dataclass
class _Sheet:
    """The records of one sheet, and what is known of the table in them when it was read once."""

    records: Records
    rows: int
    ragged: bool
    offset: int = 0
    header: Sequence[str] = ()
    known: bool = False
    width: int = 1
    sections: bool = False
    _read: bool = False
    _only: Table | None = None  # a table of one part is kept, not read again

    def parts(self, most: int = ALL) -> Iterator[pd.DataFrame]:
        if self._only and len(self._only.places) <= most:
            yield self._frame(self._only)
            return
        only = None
        for number, table in enumerate(locate(self.records(), min(most, self.rows), ragged=self.ragged)):
            only = None if number else table
            self.header, self.known = table.header, table.known
            self.width = max(self.width, len(table.header) if self.ragged else table.width())
            self.sections |= any(table.sections)
            yield self._frame(table)
        self._read, self._only = True, self._only or only

    def headers(self) -> list[str]:
        width = self.width if self._read else len(self.header)
        headers = [label or f"column {_letters(at)}" for at, label in enumerate(self.header[:width])]
        if self.sections or not self._read:
            headers.append(SECTION if SECTION not in headers else f"{SECTION} (rows)")
        return headers

    def _frame(self, table: Table) -> pd.DataFrame:
        headers = self.headers()
        columns = [*table.columns[: self.width if self._read else None], table.sections][: len(headers)]
        frame = pd.DataFrame(
            dict(enumerate(columns)),
            index=pd.Index(table.places, name="row", dtype="int64") + self.offset,
            dtype=object,
        )
        frame.columns = pd.Index(headers, dtype=object)
        return frame


def _sheets(data: bytes, sheet: str | None, rows: int) -> list[_Sheet]:
    """The sheets asked for that hold a table, each read once; by default the only one, if it is."""
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
            "a sheet has two columns of one name", hint="give them different headers, then join the sheets"
        )
    return sheets


def part_of(number: int, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame as the ``number``-th of several lists, counted from 1."""
    return frame.set_axis(frame.index + number * LIST_STEP)


def _letters(at: int) -> str:
    return (_letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)
