"""Rosters in: CSV, XLSX and XLS as clerks write them, read as text. The only module that opens rosters.

``text`` and ``spreadsheet`` turn bytes into records, ``layout`` finds the table in them. Nothing is inferred: ``007``
stays ``007``. A spreadsheet's real dates become ISO dates and its whole numbers lose their ``.0``. The index of the
frame is the row of the spreadsheet, header counted, so that every message and every pair can be found again in the
file. No message holds a cell or the roster's path.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from pprl.errors import RosterError, SchemaError
from pprl.places import LIST_STEP, SHEET_STEP
from pprl.schema import read_text, read_toml
from pprl.tables.layout import NEEDED, SECTION, Table, locate
from pprl.tables.spreadsheet import MARKS, sheets_of
from pprl.tables.text import csv_records

STDIN = Path("-")
ALL_SHEETS = "all"
SHEET_HINT = "say which with --sheet NAME, or --sheet all (link: --list-sheet, --registry-sheet)"


def read_roster(path: Path | str, sheet: str | None = None) -> pd.DataFrame:
    """A frame of text: columns are the headers, the index is the row of the spreadsheet; an empty cell is "".

    ``-`` is standard input. Names of units that stand in rows of their own become the column ``section``, a list of
    names without a header the column ``full_name``, any other column without a header ``column C``. ``sheet`` is the
    name of a sheet or ``all``; by default there must be only one with a table. With ``all``, row 17 of the third of
    several sheets is labelled 30,000,017. A CSV is one sheet, whatever ``sheet`` says.

    RosterError: the file is missing, empty, no table, cut short, protected, or wider than 16,384 columns.
    """
    path = Path(path)
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except IsADirectoryError:
        raise RosterError("the roster is a directory", hint="name a CSV or XLSX file") from None
    except OSError as error:
        raise RosterError(f"the roster cannot be read: {error.strerror}", hint="name a CSV or XLSX file") from None
    start = data[:512].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if not start and not data.strip():
        raise RosterError("the roster is empty", hint=NEEDED)
    if data.startswith(b"pprl-"):
        raise RosterError(
            "the roster is a file of pprl, no table of people", hint="`pprl inspect FILE` says what it is"
        )
    if start[:1] == b"<":
        raise RosterError("the roster is a web page or XML", hint="open it in Excel and save it as XLSX")
    if not data.startswith(MARKS):
        return _frame(locate(csv_records(data)))
    tables = _tables(data, sheet)
    if len(tables) == 1:
        return _frame(next(iter(tables.values())))
    frames = [_frame(table, SHEET_STEP * number) for number, table in tables.items()]
    if any(not frame.columns.is_unique for frame in frames):
        raise RosterError(
            "a sheet has two columns of one name", hint="give them different headers, then join the sheets"
        )
    return pd.concat(frames).fillna("").rename_axis("row")


def _tables(data: bytes, sheet: str | None) -> dict[int, Table]:
    """The tables asked for, by the number of their sheet; by default the only one, if it is."""
    sheets = sheets_of(data)
    if sheet not in (None, ALL_SHEETS, *sheets):
        raise RosterError("the roster has no sheet of that name", hint=SHEET_HINT)
    tables: dict[int, Table] = {}
    refusal = RosterError("the roster has no sheet", hint=NEEDED)
    for number, (name, records) in enumerate(sheets.items(), start=1):
        if sheet in (None, ALL_SHEETS, name):
            try:
                tables[number] = locate(records, ragged=False)
            except RosterError as error:
                if error.hint != NEEDED:
                    raise
                refusal = refusal if tables or number > 1 else error
    if any(table.known for table in tables.values()):
        tables = {number: table for number, table in tables.items() if table.known}
    if not tables:
        raise refusal
    if sheet is None and len(tables) > 1:
        raise RosterError(f"{len(tables)} sheets of the roster hold a table", hint=SHEET_HINT)
    return tables


def part_of(number: int, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame as the ``number``-th of several lists, counted from 1."""
    return frame.set_axis(frame.index + number * LIST_STEP)


def _letters(at: int) -> str:
    return (_letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _frame(table: Table, offset: int = 0) -> pd.DataFrame:
    header = [label or f"column {_letters(at)}" for at, label in enumerate(table.header)]
    columns = list(table.columns)
    if any(table.sections):
        header.append(SECTION if SECTION not in header else f"{SECTION} (rows)")
        columns.append(table.sections)
    frame = pd.DataFrame(
        dict(enumerate(columns)), index=pd.Index(table.places, name="row", dtype="int64") + offset, dtype=object
    )
    frame.columns = pd.Index(header, dtype=object)
    return frame


def refuse_same_files(parts: Sequence[Path], registry: Path | None = None) -> None:
    """RosterError when two of the rosters are one file, or more than one is standard input."""
    paths = [*parts, registry] if registry else [*parts]
    if paths.count(STDIN) > 1:
        raise RosterError("standard input can be read once only", hint="name files for the other rosters")
    for at, left in enumerate(paths):
        for right in paths[at + 1 :]:
            try:
                same = left.samefile(right)
            except OSError:
                continue  # what cannot be read is reported when it is read
            if same:
                which = "list and registry" if right == registry else "two parts of the list"
                raise RosterError(f"{which} are the same file", hint="name different rosters")


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
