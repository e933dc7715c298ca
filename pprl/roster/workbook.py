"""What the spreadsheet reader gives, as text: sheets, their rows, their merged cells.

The reader is compiled code. At some damaged old workbooks it ends the whole process, so those are read by this file
run as a program of its own, which has the bytes on standard input and answers in JSON: `python workbook.py`. Hence it
imports nothing of ours.
"""

from __future__ import annotations

import datetime
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import python_calamine

MEMORY_OF_A_PROGRAM = 4 << 30


@dataclass(frozen=True)
class Sheet:
    """``merged`` are ranges that reach over several rows: top, left, bottom, counted from 0. ``rows`` can be read again
    and again."""

    merged: list[tuple[int, int, int]]
    rows: Callable[[], Iterator[list[str]]]


def names_of(workbook: python_calamine.CalamineWorkbook) -> list[str]:
    """Sheets of cells, without charts and macros."""
    return [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet]


def open_workbook(data: bytes) -> python_calamine.CalamineWorkbook:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))


def read_sheet(workbook: python_calamine.CalamineWorkbook, name: str) -> Sheet:
    """Hidden rows are read like others: the reader does not tell them apart. A formula is its last value."""
    sheet = workbook.get_sheet_by_name(name)
    merged = [(top, left, bottom) for (top, left), (bottom, _) in sheet.merged_cell_ranges or () if top < bottom]
    left = [""] * (sheet.start or (0, 0))[1]  # the reader lays out what is above the first cell, not what is beside it

    def rows() -> Iterator[list[str]]:
        for row in sheet.iter_rows():
            yield [*left, *(cell if type(cell) is str else cell_text(cell) for cell in row)]

    return Sheet(merged, rows)


def cell_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


def _answer() -> None:
    """The whole workbook on standard output, or the reason why not."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OF_A_PROGRAM, MEMORY_OF_A_PROGRAM))
    except (ImportError, ValueError, OSError):
        pass  # a system without such limits
    try:
        workbook = open_workbook(sys.stdin.buffer.read())
        sheets = {name: read_sheet(workbook, name) for name in names_of(workbook)}
        answer: object = {name: [sheet.merged, list(sheet.rows())] for name, sheet in sheets.items()}
    except python_calamine.PasswordError:
        answer = "password"
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    _answer()
