"""Workbooks to records of text, sheet by sheet: XLSX, XLSB, XLS and ODS.

XLSX and XLS are read by compiled code, after `xlsx` and `xls` have looked at what they claim; XLSB and ODS are read
here, record by record. All of them are held in memory, and the limits are checked before.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import lzma
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from pprl.core.errors import RosterError
from pprl.roster.files import binary, opendocument, xls, xlsx
from pprl.roster.files.limits import FREE_UNPACKED, MAX_HELD, MAX_RATIO, MAX_SHEETS
from pprl.roster.files.opendocument import DamagedError

SECONDS, SECONDS_PER_MEGABYTE = 8, 10  # to read an old workbook
OLD = b"\xd0\xcf\x11\xe0"
_DAMAGED = "the roster is not a complete spreadsheet"
_COPY_AGAIN = "copy it again, or save it again from Excel"
_PROTECTED = "the roster is protected with a password"
_UNPROTECT = "open it in Excel or LibreOffice, remove the password, and save a copy"

Records = Callable[[], Iterator[list[str]]]
Merged = Iterable[tuple[int, int, int]]


def is_workbook(names: Collection[str]) -> bool:
    """Whether the names in a ZIP are those of a workbook or another document, not of files that somebody packed."""
    return bool({"[Content_Types].xml", "content.xml", "encrypted-package"}.intersection(names)) or any(
        name.lower().startswith("xl/") for name in names
    )


def sheets_of(data: bytes) -> dict[str, Records]:
    """A function for each sheet, by name, that reads its records.

    RosterError: the workbook is damaged or protected, or larger than the limits.
    """
    if data.startswith(OLD):
        if xls.is_encrypted(data):
            raise RosterError(_PROTECTED, hint=_UNPROTECT)
        with _refusing_damage():
            errors = xls.inspect(data)
        return _old_workbook(data, errors)
    with _refusing_damage(), zipfile.ZipFile(io.BytesIO(data)) as parts:
        names = parts.namelist()
        if opendocument.is_encrypted(parts) or any(info.flag_bits & 1 for info in parts.infolist()):
            raise RosterError(_PROTECTED, hint=_UNPROTECT)
        if sum(info.file_size for info in parts.infolist()) > min(
            2 * MAX_HELD, max(FREE_UNPACKED, MAX_RATIO * len(data))
        ):
            raise RosterError(
                "the spreadsheet unpacks to more than a table of people can be", hint="save the table as CSV"
            )
        if any(name.lower() == "xl/workbook.bin" for name in names):
            return _held(_read(binary.read_sheets, parts, len(data)))
        if "content.xml" in names:
            return _held(_read(opendocument.read_sheets, parts, len(data)))
        if not any(name.lower() == "xl/workbook.xml" for name in names):
            if any(name.startswith(("word/", "ppt/")) for name in names):
                raise RosterError(
                    "the roster is a text document or slides, not a table",
                    hint="copy its table into a spreadsheet, and save it as XLSX",
                )
            raise DamagedError  # the reader would try other formats
        _refuse_many([name for name in names if name.startswith("xl/worksheets/sheet")])
        return _new_workbook(data, xlsx.inspect(parts, len(data)))


def _read(
    read_sheets: Callable[[zipfile.ZipFile, int], dict[str, opendocument.Sheet]], parts: zipfile.ZipFile, size: int
) -> dict[str, opendocument.Sheet]:
    for info in parts.infolist():
        if info.filename.startswith(("xl/media/", "Pictures/", "Thumbnails/")):
            continue
        with parts.open(info) as part:  # reads its checksum
            while part.read(1 << 20):
                pass
    return read_sheets(parts, size)


def _held(sheets: Mapping[str, opendocument.Sheet]) -> dict[str, Records]:
    _refuse_many(sheets)
    return {name: functools.partial(_filled, sheet.merged, sheet.rows) for name, sheet in sheets.items()}


def _new_workbook(data: bytes, errors: Mapping[str, xlsx.Errors]) -> dict[str, Records]:
    from pprl.roster.files import workbook

    with _refusing_damage():
        book = workbook.open_workbook(data)
        names = workbook.names_of(book)
    _refuse_many(names)

    @functools.lru_cache(maxsize=1)
    def sheet_of(name: str) -> workbook.Sheet:
        with _refusing_damage():
            return workbook.read_sheet(book, name)

    def records(name: str) -> Iterator[list[str]]:
        sheet = sheet_of(name)
        return _filled(sheet.merged, _with_errors(errors.get(name, {}), _sayable(sheet.rows())))

    return {name: functools.partial(records, name) for name in names}


def _old_workbook(data: bytes, errors: Mapping[int, xlsx.Errors]) -> dict[str, Records]:
    """An old workbook is read by a separate program, since a damaged one may end the process that reads it."""
    try:
        answer = read_old(data)
    except (subprocess.SubprocessError, ValueError):
        raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None
    if answer == "password" or isinstance(answer, str):
        raise RosterError(_PROTECTED, hint=_UNPROTECT)
    _refuse_many(answer)
    return {
        name: functools.partial(_filled, merged, list(_with_errors(errors.get(number, {}), rows)))
        for name, (number, merged, rows) in answer.items()
    }


def read_old(data: bytes) -> dict[str, tuple[int, Merged, list[list[str]]]] | str:
    """What `pprl.roster.files.workbook` answers as a separate program, within a limit of memory and time."""
    program = Path(__file__).with_name("workbook.py")
    seconds = SECONDS + SECONDS_PER_MEGABYTE * len(data) / 1e6
    done = subprocess.run(  # noqa: S603  our own file, nothing from the user; -P, since csv.py is beside it
        [sys.executable, "-P", str(program)], input=data, capture_output=True, timeout=seconds, check=True
    )
    answer: dict[str, tuple[int, Merged, list[list[str]]]] | str = json.loads(done.stdout)
    return answer


def _refuse_many(names: Collection[str]) -> None:
    if len(names) > MAX_SHEETS:
        raise RosterError(
            f"the roster has more than {MAX_SHEETS:,} sheets",
            hint="save the sheet that holds the people as a separate workbook",
        )


@contextlib.contextmanager
def _refusing_damage() -> Iterator[None]:
    """Turn errors about a damaged file into ours; some files make the reader panic, which is not an Exception."""
    import python_calamine

    reader = (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError, OSError)
    packing = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
    try:
        yield
    except python_calamine.PasswordError:
        raise RosterError(_PROTECTED, hint=_UNPROTECT) from None
    except BaseException as error:
        if isinstance(error, reader + packing) or type(error).__name__ == "PanicException":
            raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None
        raise


def _sayable(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows. RosterError: a date or a duration is beyond all that can be said."""
    try:
        yield from rows
    except OverflowError:
        raise RosterError(_DAMAGED, hint=_COPY_AGAIN) from None


def _with_errors(errors: xlsx.Errors, rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows with what cells show in which a formula failed; the reader leaves these empty."""
    for number, record in enumerate(rows):
        if number in errors:
            record = [*record, *[""] * (max(errors[number]) + 1 - len(record))]
            for column, shown in errors[number].items():
                record[column] = record[column] or shown
        yield record


def _filled(merged: Merged, rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows, with cells that are merged over several rows repeated in each of these.

    A rank or a unit that is written once for several people belongs to all of them. Rows without any other cell are
    not people and stay as they are.
    """
    starts = sorted(((top, left, bottom) for top, left, bottom in merged), reverse=True)
    values: dict[int, tuple[int, str]] = {}  # column: the last row for which a value holds
    for number, record in enumerate(rows):
        while starts and starts[-1][0] <= number:
            top, left, bottom = starts.pop()
            values[left] = bottom, record[left] if top == number and left < len(record) else ""
        if values:
            filled = sum(1 for cell in record if cell) > 1
            for column, (bottom, value) in [*values.items()]:
                if bottom <= number:
                    del values[column]
                if filled and value and column < len(record) and not record[column]:
                    record = [*record]
                    record[column] = value
        yield record
