"""Rosters in: CSV and XLSX with the header in the first row, read as text. The only module that opens rosters.

Nothing is inferred: ``007`` stays ``007``. A spreadsheet's real dates become ISO dates and its whole numbers lose
their ``.0``. The index of the frame is the row of the spreadsheet, header counted, so that every message and every
pair can be found again in the file. No message holds a cell or the roster's path.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import itertools
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from pprl.errors import RosterError, SchemaError
from pprl.schema import read_text, read_toml

MAX_COLUMNS = 16_384
MAX_CELLS = 100_000_000
DELIMITERS = ",;\t|"
STDIN = Path("-")
_END = "\x00end"  # can be no cell: text with NUL bytes is refused


NEEDED = "a header row and at least one row of people are needed"


def read_roster(path: Path | str) -> pd.DataFrame:
    """A frame of text: columns are the headers, the index is the row of the spreadsheet; an empty cell is "".

    ``-`` is standard input. RosterError: the file is missing, empty, no table, cut short, or wider than 16,384
    columns.
    """
    path = Path(path)
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except IsADirectoryError:
        raise RosterError("the roster is a directory", hint="name a CSV or XLSX file") from None
    except OSError as error:
        raise RosterError(f"the roster cannot be read: {error.strerror}", hint="name a CSV or XLSX file") from None
    if not data.strip():
        raise RosterError("the roster is empty", hint=NEEDED)
    if data.startswith(b"pprl-"):
        raise RosterError(
            "the roster is a file of pprl, no table of people", hint="`pprl inspect FILE` says what it is"
        )
    records = _excel_records(data) if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0") else _csv_records(_text(data))
    return _frame(records)


def refuse_same_file(left: Path, right: Path) -> None:
    """RosterError when both names lead to one file, or both to standard input."""
    if left == right == STDIN:
        raise RosterError("standard input can be read once only", hint="name a file for one of the two rosters")
    try:
        same = left.samefile(right)
    except OSError:
        return  # what cannot be read is reported when it is read
    if same:
        raise RosterError("list and registry are the same file", hint="name two different rosters")


def _frame(records: Iterator[list[str]]) -> pd.DataFrame:
    header = next(records, [])
    while header and not header[-1].strip():
        header = header[:-1]
    if not header:
        raise RosterError("the first row of the roster is empty", hint="the header must stand in the first row")
    if len(header) > MAX_COLUMNS:
        raise RosterError(f"the roster has more than {MAX_COLUMNS:,} columns", hint="is it a table of people?")
    width = len(header)
    rows: list[list[str]] = []
    places: list[int] = []
    for place, record in enumerate(records, start=2):
        if len(record) > width and any(cell.strip() for cell in record[width:]):
            raise RosterError(
                f"row {place}: {len(record)} cells under {width} headers",
                hint="is a cell that holds the delimiter not in quotes?",
            )
        if any(cell.strip() for cell in record):
            rows.append(record[:width] + [""] * (width - len(record)))
            places.append(place)
    if not rows:
        raise RosterError("the roster has a header and no rows", hint=NEEDED)
    return pd.DataFrame(
        rows,
        columns=pd.Index([cell.strip() for cell in header], dtype=object),
        index=pd.Index(places, name="row"),
        dtype=object,
    )


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(
            "the roster is neither XLSX nor text in UTF-8 or UTF-16",
            hint="save it as XLSX or as CSV in UTF-8",
        ) from None
    if "\x00" in text:
        raise RosterError(
            "the roster holds NUL bytes: it is no table of text", hint="save it as XLSX or as CSV in UTF-8"
        )
    return text


def _csv_records(text: str) -> Iterator[list[str]]:
    """One list of cells a record; a quote that is never closed swallows the end mark and is noticed by that."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(itertools.chain(io.StringIO(text, newline=""), [_END]), delimiter=_delimiter(text))
    for record in reader:
        if record == [_END]:
            return
        yield record
    raise RosterError("the roster ends inside a quoted cell", hint="it is cut short, or a quotation mark is not closed")


def _delimiter(text: str) -> str:
    """The one that stands most often in the header; a comma where there is none."""
    header = next(iter(csv.reader(io.StringIO(text[:65_536], newline=""), delimiter="\x01")), [""])
    line = header[0] if header else ""
    return max(DELIMITERS, key=lambda mark: (line.count(mark), mark == ","))


def _excel_records(data: bytes) -> Iterator[list[str]]:
    import python_calamine

    _refuse_far_cells(data)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = workbook.get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (
        python_calamine.CalamineError,
        python_calamine.ZipError,
        python_calamine.XmlError,
        OSError,
        IndexError,
    ):
        raise RosterError(
            "the roster is no whole spreadsheet", hint="copy it again, or save it again from Excel"
        ) from None
    return ([_cell_text(cell) for cell in row] for row in rows)


def _refuse_far_cells(data: bytes) -> None:
    """A stray cell far below and right of the table: the reader would lay out everything between, and run out of
    memory. What a sheet says of its own extent is believed; damaged files are left to the reader."""
    damaged = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
    with contextlib.suppress(*damaged), zipfile.ZipFile(io.BytesIO(data)) as parts:
        for name in parts.namelist():
            if not name.startswith("xl/worksheets/"):
                continue
            with parts.open(name) as sheet:
                extent = re.search(rb'<dimension ref="[A-Z]+\d+:([A-Z]{1,3})(\d+)"', sheet.read(4096))
            if extent and _column_number(extent[1]) * int(extent[2]) > MAX_CELLS:
                raise RosterError(
                    f"the spreadsheet reaches over more than {MAX_CELLS:,} cells",
                    hint="delete stray cells far below or right of the table, or save it as CSV",
                )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _cell_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


@dataclass(frozen=True)
class ColumnsFile:
    """Which header is which field, and the order of dates that cannot be told from the cells."""

    columns: dict[str, str]
    orders: dict[str, Literal["ymd", "dmy", "mdy"]]


COLUMNS_HINT = 'write lines such as surname = "HEADER" under [columns]; `pprl schema` writes such files'


def read_columns_file(path: Path) -> ColumnsFile:
    """``[columns]`` FIELD = "HEADER" and ``[date_order]`` FIELD = "dmy", "mdy" or "ymd"."""
    try:
        data = read_toml(read_text(path, "the columns file", COLUMNS_HINT), "the columns file")
    except SchemaError as error:
        raise SchemaError(str(error), hint=COLUMNS_HINT) from None
    columns, orders = data.get("columns", {}), data.get("date_order", {})
    unknown = data.keys() - {"format", "columns", "date_order"}
    if unknown or not isinstance(columns, dict) or not isinstance(orders, dict):
        raise SchemaError("the columns file holds other things than [columns] and [date_order]", hint=COLUMNS_HINT)
    if not all(isinstance(header, str) for header in columns.values()):
        raise SchemaError("the columns file has something other than text in [columns]", hint=COLUMNS_HINT)
    if not all(order in ("dmy", "mdy", "ymd") for order in orders.values()):
        raise SchemaError(
            "the columns file has an unknown order in [date_order]", hint='an order is "dmy", "mdy" or "ymd"'
        )
    return ColumnsFile(columns, orders)
