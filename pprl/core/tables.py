"""Every table that pprl hands out as CSV or XLSX.

Spreadsheets run a cell of a CSV that begins with ``=``, ``+``, ``-`` or ``@`` as a formula, even in quotation marks,
and ids are whatever the roster holds. Such texts get an apostrophe in front, as OWASP advises (*CSV injection*);
reading a roster takes it off again. In XLSX a text is written as a text, which nothing runs.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pprl.core.errors import PprlError

if TYPE_CHECKING:
    import pandas as pd

Table = Mapping[str, Sequence[Any]]  # columns by header; an empty cell is None or ""

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MOST_XLSX_ROWS = 1_048_575
DECIMALS = 6
WIDEST = 60  # characters of a column in XLSX


def columns_of(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns of a frame, with None for what is missing."""
    known = frame.astype(object).where(frame.notna(), None)
    return {str(name): known[name].tolist() for name in known.columns}


def guarded(text: str) -> str:
    """A text that no spreadsheet runs when it opens the CSV.

    >>> guarded("=1+1"), guarded("'=1+1"), guarded("O'Neil")
    ("'=1+1", "''=1+1", "O'Neil")
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_MARKS) else text


def csv_parts(parts: Iterable[Table]) -> Iterator[bytes]:
    """A CSV in UTF-8, whose table comes in parts with the same headers; at least one part, which may be empty."""
    for number, part in enumerate(parts):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if number == 0:
            writer.writerow(map(guarded, part))
        writer.writerows(zip(*(map(_csv_cell, column) for column in part.values()), strict=True))
        yield text.getvalue().encode()


def csv_bytes(table: Table) -> bytes:
    """A CSV in UTF-8."""
    return b"".join(csv_parts([table]))


def _csv_cell(value: object) -> object:
    return guarded(value) if isinstance(value, str) else value


def xlsx_bytes(parts: Iterable[Table]) -> bytes:
    """A workbook with one sheet: texts as texts, a header that stays in sight, and the same bytes for the same table.

    PprlError: more rows than a sheet can hold.
    """
    import xlsxwriter  # only now: it takes longer to import than all else here

    out = io.BytesIO()
    settings = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, settings) as book:
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # always the same bytes
        sheet = book.add_worksheet("pairs")
        bold, decimals = book.add_format({"bold": True}), book.add_format({"num_format": "0." + "0" * DECIMALS})
        widths: list[int] = []
        top = 1
        for part in parts:
            if top == 1:
                widths = [len(header) for header in part]
                for index, header in enumerate(part):
                    sheet.write_string(0, index, header, bold)
            count = len(next(iter(part.values())))
            if top + count > MOST_XLSX_ROWS + 1:
                raise PprlError(
                    f"a sheet holds {MOST_XLSX_ROWS:,} rows, and this table has more", hint="write .csv or .parquet"
                )
            for index, column in enumerate(part.values()):
                for row, value in enumerate(column, start=top):
                    _write(sheet, row, index, value, decimals)
                widths[index] = max(widths[index], *(len(_shown(value)) for value in column[:1_000]), 0)
            top += count
        for index, width in enumerate(widths):
            sheet.set_column(index, index, min(width, WIDEST) + 2)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, value: object, decimals: Any) -> None:
    if isinstance(value, str):
        if value:
            sheet.write_string(row, column, value)
    elif isinstance(value, float):
        sheet.write_number(row, column, value, decimals)
    elif value is not None:
        sheet.write_number(row, column, value)


def _shown(value: object) -> str:
    return "" if value is None else f"{value:.{DECIMALS}f}" if isinstance(value, float) else str(value)
