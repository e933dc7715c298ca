"""XLSX and XLS to records of text, sheet by sheet, and never more than memory can hold."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from pprl.core.errors import RosterError

MAX_CELLS = 30_000_000
MAX_SHEETS = 1_000
MAX_UNPACKED = 1 << 30
MAX_STRINGS = 1 << 28
LONGEST_SECONDS = 300  # to read an old workbook, which holds 65,536 rows per sheet
MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_DAMAGED = "the roster is not a complete spreadsheet"
_COPY_AGAIN = "copy it again, or save it again from Excel"
_PROTECTED = "the roster is protected with a password"
_UNPROTECT = "open it in Excel, remove the password, and save a copy"

Records = Callable[[], Iterator[list[str]]]


def sheets_of(data: bytes) -> dict[str, Records]:
    """A function for each sheet, by name, that reads its records."""
    if data.startswith(b"PK"):
        _refuse_bombs(data)
        return _new_workbook(data)
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise RosterError(_PROTECTED, hint=_UNPROTECT)
    return _old_workbook(data)


def _new_workbook(data: bytes) -> dict[str, Records]:
    from pprl.roster import workbook

    with _reader_errors():
        book = workbook.open_workbook(data)
        names = workbook.names_of(book)
    _refuse_many(names)

    @functools.lru_cache(maxsize=1)
    def sheet_of(name: str) -> workbook.Sheet:
        with _reader_errors():
            return workbook.read_sheet(book, name)

    def records(name: str) -> Iterator[list[str]]:
        sheet = sheet_of(name)
        return _filled(sheet.merged, sheet.rows())

    return {name: functools.partial(records, name) for name in names}


def _old_workbook(data: bytes) -> dict[str, Records]:
    """An old workbook is read by a separate program, since a damaged one may end the process that reads it."""
    try:
        program = Path(__file__).with_name("workbook.py")
        done = subprocess.run(  # noqa: S603  our own file, nothing from the user; -P, since csv.py is beside it
            [sys.executable, "-P", str(program)], input=data, capture_output=True, timeout=LONGEST_SECONDS, check=True
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None
    if answer == "password":
        raise RosterError(_PROTECTED, hint=_UNPROTECT)
    _refuse_many(answer)
    return {name: functools.partial(_filled, merged, rows) for name, (merged, rows) in answer.items()}


def _refuse_many(names: Collection[str]) -> None:
    if len(names) > MAX_SHEETS:
        raise RosterError(f"the roster has more than {MAX_SHEETS:,} sheets", hint=_ONE_SHEET)


_ONE_SHEET = "save the sheet that holds the people as a separate workbook"


@contextlib.contextmanager
def _reader_errors() -> Iterator[None]:
    """Turn the reader's errors about a damaged file into ours; some files make it panic, which is not an Exception."""
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


def _filled(merged: Iterable[tuple[int, int, int]], rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows, with cells that are merged over several rows repeated in each of these.

    A rank or a unit that is written once for several people belongs to all of them. Rows without any other cell are
    not people and stay as they are.
    """
    below: dict[int, dict[int, tuple[int, list[str]]]] = {}
    for top, left, bottom in merged:
        value: list[str] = []
        for row in range(top, bottom + 1) if bottom < top + 100_000 else ():
            below.setdefault(row, {})[left] = top, value
    for number, record in enumerate(rows):
        if number in below and sum(1 for cell in record if cell) > 1:
            record = [*record]
            for column, (first, value) in below[number].items():
                if column >= len(record):
                    continue  # merged beyond the last cell
                if number == first:
                    value[:] = [record[column]]
                elif not record[column]:
                    record[column] = value[0] if value else ""
        yield record


def _refuse_bombs(data: bytes) -> None:
    """Inspect the packed parts before the reader does, which would unpack and lay out whatever they claim.

    This finds damaged parts too, since each is unpacked once, a piece at a time.
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
                if info.filename.lower().endswith("sharedstrings.xml"):
                    _refuse_lying_count(parts, info)
                _refuse_far_cells(parts, info, is_sheet=info in sheets)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None


_COUNT = re.compile(rb"[cC]ount\s*=\s*[\"'](\d+)")


def _refuse_lying_count(parts: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """The reader allocates as many strings as the table claims to hold; each takes at least a few bytes of the file."""
    with parts.open(info) as part:
        claims = map(int, _COUNT.findall(part.read(4096)))
    if max(claims, default=0) > info.file_size:
        raise RosterError(_DAMAGED, hint=_COPY_AGAIN)


_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{2,3})\d")
_ROW = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]*(\d{5,7})[\"']")


def _refuse_far_cells(parts: zipfile.ZipFile, info: zipfile.ZipInfo, *, is_sheet: bool) -> None:
    """A stray cell far below or right of the table would make the reader lay out everything in between."""
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
            f"the spreadsheet spans more than {MAX_CELLS:,} cells",
            hint="delete stray cells far below or right of the table, or save it as CSV",
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number
