"""Our own files: complete or absent, closed to others where they are secret, and refused when they are not what they
say.

Every file of ours begins with eight bytes that name its kind and a version, holds fixed-width records, and has
exactly the size its header promises. ``docs/encoding.md`` §7 specifies each byte.
"""

from __future__ import annotations

import contextlib
import glob
import mmap
import os
import secrets
import stat
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pprl.core.errors import FileError

VERSION = 1
KINDS = {
    b"pprl-key": "a linkage key",
    b"pprl-enc": "encodings",
    b"pprl-sco": "scores",
    b"pprl-row": "private rows",
    b"pprl-kst": "a keystore",
    b"pprl-pkg": "a sealed package",
    b"pprl-crd": "a card",
    b"pprl-prp": "a proposal",
    b"pprl-acc": "an acceptance",
    b"pprl-com": "a commitment",
    b"pprl-rcp": "a receipt",
    b"pprl-hdr": "the header of a package",
    b"pprl-tab": "a score table",
    b"pprl-ask": "a query",
    b"pprl-ack": "an acknowledgement",
    b"pprl-rev": "a reveal",
    b"pprl-ans": "answers",
    b"pprl-res": "a result",
    b"pprl-rel": "a release",
    b"pprl-evi": "evidence",
    b"pprl-trn": "a transcript",
    b"pprl-chk": "a checkpoint",
}
_PREAMBLE = struct.Struct("<8sH")
STANDARD = Path("-")  # standard input or output


def called(folder: Path) -> str:
    """A folder by its name; the current one has none, and is ``.``."""
    return folder.name or str(folder)


def data_of(path: Path, most: int = -1) -> bytes:
    """The bytes of a file that is none of ours, or of standard input where it is ``-``; the first ``most`` of them.

    OSError: as the system says it.
    """
    if path == STANDARD:
        return sys.stdin.buffer.read(most)
    with path.open("rb") as file:
        return file.read(most)


def check_absent(path: Path, *, force: bool = False) -> None:
    """Refuse an output that is already there, before any work is done for it."""
    try:
        if path.is_dir():
            raise FileError(f"{path.name}: is a directory", hint="name a file to write")
        if path.exists() and not force:
            raise FileError(f"{path.name}: exists already", hint="choose another name or pass --force")
        if not path.parent.is_dir():
            raise FileError(f"{path.name}: its folder does not exist", hint="make the folder first")
    except OSError as error:  # a name too long, a folder that may not be entered
        raise FileError(f"{path.name}: cannot be written ({error.strerror})") from None


def write_new(path: Path, parts: Iterable[bytes], *, private: bool = False, force: bool = False) -> None:
    """Write beside, sync, rename: whatever happens, ``path`` is complete or as it was. ``private`` files are 0600."""
    check_absent(path, force=force)
    _clear_up(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(beside, flags, 0o600 if private else 0o666), "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise FileError(f"{path.name}: cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _clear_up(path: Path) -> None:
    """Take away what a run that was killed left beside a file: gigabytes of encodings, for a large registry."""
    left = f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"
    with contextlib.suppress(OSError):
        for each in path.parent.glob(left):
            each.unlink()


def preamble(kind: bytes) -> bytes:
    return _PREAMBLE.pack(kind, VERSION)


@dataclass(frozen=True)
class Body:
    """The bytes of one of our files, and the name to call it by in messages."""

    name: str
    whole: memoryview

    @property
    def data(self) -> memoryview:
        """The bytes behind the preamble."""
        return self.whole[_PREAMBLE.size :]

    def header(self, layout: struct.Struct) -> tuple[tuple[Any, ...], memoryview]:
        """The header's values, and the bytes behind it."""
        if len(self.data) < layout.size:
            raise self.cut_short()
        return layout.unpack(self.data[: layout.size]), self.data[layout.size :]

    def expect(self, data: memoryview, size: int) -> memoryview:
        """``data`` if it has exactly ``size`` bytes."""
        if len(data) < size:
            raise self.cut_short()
        if len(data) > size:
            raise FileError(f"{self.name}: has bytes behind its end", hint="get the file again from whoever made it")
        return data

    def cut_short(self) -> FileError:
        return FileError(f"{self.name}: is cut short", hint="copy it again, or get it again from whoever made it")


def kind_of(path: Path) -> bytes | None:
    """The kind of one of our files, or None when it is none of ours."""
    try:
        with path.open("rb") as file:
            start = file.read(_PREAMBLE.size)
    except OSError as error:
        raise FileError(f"{path.name}: cannot be read ({error.strerror})") from None
    return start[:8] if start[:8] in KINDS else None


def is_parquet(path: Path) -> bool:
    """Whether a file that can be read begins as Parquet does."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def body_of(data: bytes, kind: bytes, name: str) -> Body:
    """Bytes of one of our files that came inside another."""
    if len(data) < _PREAMBLE.size or data[:8] != kind or _PREAMBLE.unpack_from(data)[1] != VERSION:
        raise FileError(f"{name}: does not hold {KINDS[kind]} of this version", hint="get the file again")
    return Body(name, memoryview(data))


def read_body(path: Path, kind: bytes, *, private: bool = False, most: int | None = None, mapped: bool = False) -> Body:
    """A file of the given kind, of at most ``most`` bytes; ``mapped`` reads it as it is used.

    FileError: it cannot be read, is of another kind or version, too long, or is private and others may read it.
    """
    with contextlib.suppress(OSError):  # what cannot even be looked at cannot be opened either, and is reported then
        if path.is_dir():
            raise FileError(f"{path.name}: is a directory, not {KINDS[kind]}")
    found = kind_of(path)
    if found != kind:
        # A file that is none of ours may be a roster, so it is not named.
        what = f"{path.name}: holds {KINDS[found]}" if found else "not a file of pprl"
        raise FileError(f"{what}; {KINDS[kind]} needed here", hint="`pprl inspect FILE` says what a file is")
    if private:
        refuse_shared(path)
    try:
        if most is not None and path.stat().st_size > most:
            raise FileError(f"{path.name}: is longer than {KINDS[kind]} can be")
        data = mapped_bytes(path) if mapped else path.read_bytes()
    except OSError as error:
        raise FileError(f"{path.name}: cannot be read ({error.strerror})") from None
    if len(data) < _PREAMBLE.size:
        raise FileError(f"{path.name}: is cut short")
    if (version := _PREAMBLE.unpack_from(data)[1]) != VERSION:
        raise FileError(f"{path.name}: written in format {version}; this version reads format {VERSION}")
    return Body(path.name, memoryview(data))


def mapped_bytes(path: Path) -> mmap.mmap:
    """The bytes of a file that is not empty, read as they are used."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def refuse_shared(path: Path) -> None:
    """A secret that others on the machine may read is no secret. Windows keeps no such bits; there it is not
    checked."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise FileError(f"{path.name}: others on this machine can read it", hint=f"chmod 600 {path.name}")
