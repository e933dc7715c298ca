"""A roster in a ZIP or a GZ: unpacked as it is read, never onto the disk, and never further than the limits.

Archives are known by their bytes, whatever they are called. One that holds anything else than one table is refused.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, BinaryIO, cast

from pprl.core.errors import RosterError
from pprl.roster.files.limits import FREE_UNPACKED, MAX_HELD, MAX_RATIO, MAX_UNPACKED
from pprl.roster.files.spreadsheet import OLD, is_workbook

GZ = b"\x1f\x8b"
ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "XZ",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
HELD = (b"PK", OLD, b"PAR1", b"PARE", b"ARROW1", b"\xff\xff\xff\xff")  # what is held in memory to be read
_TABLES = re.compile(
    r".*\.(csv|tsv|tab|txt|xls[xmb]?|ods|parquet|arrow|feather|json|jsonl|ndjson|ijson|ftm|zip|gz)", re.I
)
_NO_FILES = ("thumbs.db", "desktop.ini")
_PIECE = 1 << 20
_UNPACK = "unpack it, and name the file that holds the people"

Reopen = Callable[[], BinaryIO]
Inner = Callable[[], "_Packed"]


def unpack(reopen: Reopen) -> tuple[Reopen, tuple[str, ...]]:
    """A function that opens the table in an archive, and notes; anything that is no archive is opened as it is.

    RosterError: the archive is damaged, encrypted or of a kind that is not read, holds no table, several, or another
    archive, or unpacks to more than the limits.
    """
    member: str | None = None
    notes: tuple[str, ...] = ()
    with reopen() as file:
        head = file.read(512)
        _refuse_others(head, "the roster is")
        if head.startswith(ZIPS):
            found = _member(file)
            if found is None:
                return reopen, ()
            member, notes = found
        elif not head.startswith(GZ):
            return reopen, ()
    inner = partial(_Packed, reopen, member)
    size = _measure(inner)
    opened = partial(_opened, inner, size)
    with opened() as file:
        head = file.read(512)
    _refuse_others(head, "the archive holds")
    if head.startswith(GZ) or head[257:262] == b"ustar" or _is_archive(head, opened):
        raise RosterError("the archive holds another archive", hint=_UNPACK)
    if head.startswith(HELD):
        if size > MAX_HELD:
            raise RosterError("the archive unpacks to more than is held in memory", hint=_UNPACK)
        with opened() as file:
            return partial(io.BytesIO, file.read()), notes
    return opened, notes


def _refuse_others(head: bytes, what: str) -> None:
    for mark, name in OTHERS.items():
        if head.startswith(mark):
            raise RosterError(f"{what} packed with {name}".replace("holds packed", "holds a file packed"), hint=_UNPACK)


def _is_archive(head: bytes, opened: Reopen) -> bool:
    if not head.startswith(ZIPS):
        return False
    with refusing_damage(), opened() as file, zipfile.ZipFile(file) as parts:
        return not is_workbook(parts.namelist())


def _member(file: BinaryIO) -> tuple[str, tuple[str, ...]] | None:
    """The only table in a ZIP, and a note about other files; None where the ZIP is a workbook."""
    try:
        with zipfile.ZipFile(file) as parts:
            infos = parts.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return None  # refused as a workbook
    if is_workbook([info.filename for info in infos]):
        return None
    files = [info for info in infos if info.filename and not info.is_dir() and not _is_hidden(info.filename)]
    tables = [info for info in files if _TABLES.fullmatch(info.filename)]
    if not tables and len(files) == 1:
        tables = files
    if len(tables) != 1:
        holds = f"holds {len(tables)} tables" if tables else "holds no table"
        raise RosterError(f"the archive {holds}", hint=_UNPACK)
    if tables[0].flag_bits & 1:
        raise RosterError("the archive is protected with a password", hint=_UNPACK)
    others = len(files) - 1
    notes = (f"{others:,} other file{'s' * (others > 1)} in the archive left out",) if others else ()
    return tables[0].filename, notes


def _is_hidden(name: str) -> bool:
    folders, _, last = name.replace("\\", "/").rpartition("/")
    return last.startswith(".") or last.lower() in _NO_FILES or "__MACOSX" in folders.split("/")


class _Packed:
    """What an archive holds, read from its beginning to its end."""

    def __init__(self, reopen: Reopen, member: str | None) -> None:
        self._file = reopen()
        try:
            self._unpacked, self._ratio = self._open(self._file, member)
        except BaseException:
            self._file.close()
            raise

    def _open(self, file: BinaryIO, member: str | None) -> tuple[IO[bytes], float]:
        if member is None:
            return cast("IO[bytes]", gzip.GzipFile(fileobj=file)), 0.0
        parts = zipfile.ZipFile(file)
        info = parts.getinfo(member)
        return parts.open(info), info.compress_size / max(1, info.file_size)

    def read(self, count: int) -> bytes:
        return self._unpacked.read(count)

    def packed(self) -> float:
        """How many packed bytes have been read."""
        return self._ratio * self._unpacked.tell() if self._ratio else self._file.tell()

    def close(self) -> None:
        self._unpacked.close()
        self._file.close()


@contextmanager
def refusing_damage() -> Iterator[None]:
    """Turn errors about a damaged archive into ours."""
    try:
        yield
    except (NotImplementedError, RuntimeError) as error:
        raise RosterError("the archive is packed in a way that is not read here", hint=_UNPACK) from error
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, ValueError):
        raise RosterError("the archive is damaged", hint="copy it again, or pack it again") from None


def _measure(inner: Inner) -> int:
    """How many bytes an archive unpacks to; all of it is unpacked once, and checked."""
    total = 0
    with refusing_damage(), contextlib.closing(inner()) as file:
        while piece := file.read(_PIECE):
            total += len(piece)
            if total > MAX_UNPACKED or total > max(FREE_UNPACKED, MAX_RATIO * file.packed()):
                raise RosterError("the archive unpacks to more than a table of people can be", hint=_UNPACK)
    return total


def _opened(inner: Inner, size: int) -> BinaryIO:
    return io.BufferedReader(_Unpacked(inner, size), _PIECE)


class _Unpacked(io.RawIOBase):
    """A packed file as if it were none. To go back, it is unpacked again from its beginning."""

    def __init__(self, inner: Inner, size: int) -> None:
        self._inner, self._size = inner, size
        self._file: _Packed | None = None
        self._at = self._wanted = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._wanted, io.SEEK_END: self._size}[whence]
        self._wanted = max(0, begin + offset)
        return self._wanted

    def tell(self) -> int:
        return self._wanted

    def readinto(self, buffer: Any) -> int:
        with refusing_damage():
            if self._file is None or self._wanted < self._at:
                self._close_file()
                self._file, self._at = self._inner(), 0
            while self._at < self._wanted:
                skipped = len(self._file.read(min(_PIECE, self._wanted - self._at)))
                if not skipped:
                    return 0
                self._at += skipped
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at = self._wanted = self._at + len(data)
        return len(data)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> None:
        self._close_file()
        super().close()
