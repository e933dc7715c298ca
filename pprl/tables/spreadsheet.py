"""XLSX and XLS to records of text, sheet by sheet, never more than memory can hold."""

from __future__ import annotations

import contextlib
import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pprl.errors import RosterError

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MAX_CELLS = 30_000_000
MAX_SHEETS = 1_000
MAX_UNPACKED = 1 << 30
MAX_STRINGS = 1 << 28
MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_DAMAGED = "the roster is no whole spreadsheet"
_COPY_AGAIN = "copy it again, or save it again from Excel"
_PROTECTED = "the roster is protected with a password"
_UNPROTECT = "open it in Excel, take the password off, and save a copy"


def sheets_of(data: bytes) -> dict[str, Iterator[list[str]]]:
    """The records of each sheet by its name. They are read when they are asked for.

    Hidden sheets and rows are read like others: the reader does not tell them apart. A formula is its last value.
    """
    import python_calamine

    if data.startswith(b"PK"):
        _refuse_bombs(data)
    elif "EncryptedPackage".encode("utf-16-le") in data:
        raise RosterError(_PROTECTED, hint=_UNPROTECT)
    with _reader_errors():
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet]
    if len(names) > MAX_SHEETS:
        raise RosterError(f"the roster has more than {MAX_SHEETS:,} sheets", hint=_ONE_SHEET)
    return {name: _records(workbook, name) for name in names}


_ONE_SHEET = "save the sheet that holds the people as a workbook of its own"


@contextlib.contextmanager
def _reader_errors() -> Iterator[None]:
    """What the reader makes of a damaged file; in old workbooks it panics, which is no Exception in Python."""
    import python_calamine

    damaged = (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError, OSError)
    try:
        yield
    except python_calamine.PasswordError:
        raise RosterError(_PROTECTED, hint=_UNPROTECT) from None
    except BaseException as error:
        if isinstance(error, damaged) or type(error).__name__ == "PanicException":
            raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None
        raise


def _records(workbook: object, name: str) -> Iterator[list[str]]:
    import python_calamine

    assert isinstance(workbook, python_calamine.CalamineWorkbook)
    with _reader_errors():
        sheet = workbook.get_sheet_by_name(name)
    below = _merged_down(sheet)
    for at, row in enumerate(sheet.to_python(skip_empty_area=False)):
        record = [cell if type(cell) is str else _cell_text(cell) for cell in row]
        if at in below and sum(1 for cell in record if cell) > 1:
            for column, (first, value) in below[at].items():
                if at == first:
                    below[at][column][1][:] = [record[column]]
                elif not record[column]:
                    record[column] = value[0] if value else ""
        yield record


def _merged_down(sheet: CalamineSheet) -> dict[int, dict[int, tuple[int, list[str]]]]:
    """For each row, its columns that are merged with rows above or below: first row, and its text once it is read.

    What is written once for several people, a rank or a unit, holds for each of them. Rows that have nothing else of
    their own are no people and stay as they are.
    """
    below: dict[int, dict[int, tuple[int, list[str]]]] = {}
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        value: list[str] = []
        for row in range(top, bottom + 1) if top < bottom < top + 100_000 else ():
            below.setdefault(row, {})[left] = top, value
    return below


def _refuse_bombs(data: bytes) -> None:
    """Look into the packed parts before the reader does: it would unpack and lay out whatever they claim.

    A damaged part is found here too, since each is unpacked whole once, a piece at a time.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            infos = parts.infolist()
            sheets = [info for info in infos if info.filename.startswith("xl/worksheets/sheet")]
            if len(sheets) > MAX_SHEETS:
                raise RosterError(f"the roster has more than {MAX_SHEETS:,} sheets", hint=_ONE_SHEET)
            strings = sum(info.file_size for info in infos if info.filename.lower().endswith("sharedstrings.xml"))
            if sum(info.file_size for info in infos) > MAX_UNPACKED or strings > MAX_STRINGS:
                raise RosterError(
                    "the spreadsheet unpacks to more than a table of people can be", hint="save the table as CSV"
                )
            for info in infos:
                _refuse_far_cells(parts, info, is_sheet=info in sheets)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None


_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{2,3})\d")
_ROW = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]*(\d{5,7})[\"']")


def _refuse_far_cells(parts: zipfile.ZipFile, info: zipfile.ZipInfo, *, is_sheet: bool) -> None:
    """A stray cell far below and right of the table would make the reader lay out everything between."""
    row = column = 1
    rest = b""
    with parts.open(info) as part:
        while piece := part.read(1 << 20):
            if is_sheet:
                piece = rest + piece
                column = max([column, *map(_column_number, set(_COLUMN.findall(piece)))])
                row = max([row, *map(int, set(_ROW.findall(piece)))])
                rest = piece[-200:]
    if row * column > MAX_CELLS:
        raise RosterError(
            f"the spreadsheet reaches over more than {MAX_CELLS:,} cells",
            hint="delete stray cells far below or right of the table, or save it as CSV",
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
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
