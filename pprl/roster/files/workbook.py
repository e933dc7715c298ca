"""Workbooks as text: sheets, their rows, and their merged cells.

The spreadsheet reader is compiled code. Some damaged old workbooks make it end the whole process, so old workbooks are
read by this file as a separate program, `python workbook.py`, which gets the bytes on standard input and answers in
JSON. Hence it imports nothing from pprl.
"""

from __future__ import annotations

import datetime
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import python_calamine

MEMORY_OF_A_PROGRAM = 4 << 30  # addresses, most of them of libraries and threads


@dataclass(frozen=True)
class Sheet:
    """``merged`` are ranges that span several rows: top, left, bottom, counted from 0. ``rows`` can be called again."""

    merged: list[tuple[int, int, int]]
    rows: Callable[[], Iterator[list[str]]]


def names_of(workbook: python_calamine.CalamineWorkbook) -> dict[str, int]:
    """The sheets of cells, without charts and macros: name to number in the workbook."""
    cells = python_calamine.SheetTypeEnum.WorkSheet
    return {sheet.name: number for number, sheet in enumerate(workbook.sheets_metadata) if sheet.typ == cells}


def open_workbook(data: bytes) -> python_calamine.CalamineWorkbook:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))


def read_sheet(workbook: python_calamine.CalamineWorkbook, name: str) -> Sheet:
    """Hidden rows are read like others: the reader does not mark them. A formula becomes its last value."""
    sheet = workbook.get_sheet_by_name(name)
    merged = [(top, left, bottom) for (top, left), (bottom, _) in sheet.merged_cell_ranges or () if top < bottom]
    _, first_column = sheet.start or (0, 0)
    left = [""] * first_column  # the reader fills in rows above the first cell, but not columns left of it

    def rows() -> Iterator[list[str]]:
        for row in sheet.iter_rows():
            yield [*left, *(cell if type(cell) is str else cell_text(cell) for cell in row)]

    return Sheet(merged, rows)


def cell_text(cell: object) -> str:
    """Whole numbers without ``.0``, days as ISO dates, ``true`` and ``false``, durations in hours."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():  # as `serials.number_text`
        return str(int(cell)) if abs(cell) < 2**53 else f"{Decimal(repr(cell)):f}".removesuffix(".0")
    if isinstance(cell, datetime.timedelta):
        seconds = round(cell.total_seconds())
        sign, minutes = "-" * (seconds < 0), abs(seconds) // 60
        return f"{sign}{minutes // 60}:{minutes % 60:02}:{abs(seconds) % 60:02}"
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


def read_all(data: bytes) -> dict[str, tuple[int, list[tuple[int, int, int]], list[list[str]]]]:
    """Number, merged ranges and rows of each sheet, by name."""
    workbook = open_workbook(data)
    sheets = ((name, number, read_sheet(workbook, name)) for name, number in names_of(workbook).items())
    return {name: (number, sheet.merged, list(sheet.rows())) for name, number, sheet in sheets}


def _answer() -> None:
    """Write the whole workbook to standard output, or the reason why it cannot be read."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OF_A_PROGRAM, MEMORY_OF_A_PROGRAM))
    except (ImportError, ValueError, OSError):
        pass  # a system without such limits
    try:
        answer: object = read_all(sys.stdin.buffer.read())
    except python_calamine.PasswordError:
        answer = "password"
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    _answer()
