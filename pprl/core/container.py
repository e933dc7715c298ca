"""Our own files: complete or absent, closed to others if they are secret, and refused if they are damaged.

Each of our files begins with eight bytes for its kind and a version, holds fixed-width records, and has exactly the
size that its header promises. ``docs/encoding.md`` §7 specifies every byte.
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

VERSION = 2
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
    b"pprl-sld": "a sealed file",
}
_PREAMBLE = struct.Struct("<8sH")
STANDARD = Path("-")  # standard input or output


def called(folder: Path) -> str:
    """What messages call a folder: its name, or ``.`` for the current folder, which has none."""
    return folder.name or str(folder)


def data_of(path: Path, most: int = -1) -> bytes:
    """The first ``most`` bytes of a file in any format, or of standard input (``-``). OSError: from the system."""
    if path == STANDARD:
        return sys.stdin.buffer.read(most)
    with path.open("rb") as file:
        return file.read(most)


def check_absent(path: Path, *, force: bool = False) -> None:
    """Refuse an output that exists already, before any work is done for it."""
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
    """Write a temporary file, sync it and rename it: whatever happens, ``path`` is complete or as it was before.

    ``private`` files get mode 0600. FileError: the file exists and ``force`` is not set, or it cannot be written.
    """
    check_absent(path, force=force)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600 if private else 0o666), "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise FileError(f"{path.name}: cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files of runs that were killed: for a large registry they are gigabytes."""
    pattern = f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"
    with contextlib.suppress(OSError):
        for leftover in path.parent.glob(pattern):
            leftover.unlink()


def preamble(kind: bytes) -> bytes:
    return _PREAMBLE.pack(kind, VERSION)


@dataclass(frozen=True)
class Body:
    """The bytes of one of our files, and its name in messages."""

    name: str
    whole: memoryview

    @property
    def data(self) -> memoryview:
        """The bytes after the preamble."""
        return self.whole[_PREAMBLE.size :]

    def header(self, layout: struct.Struct) -> tuple[tuple[Any, ...], memoryview]:
        """The values in the header, and the bytes after it."""
        if len(self.data) < layout.size:
            raise self.cut_short()
        return layout.unpack(self.data[: layout.size]), self.data[layout.size :]

    def expect(self, data: memoryview, size: int) -> memoryview:
        """``data`` if it has exactly ``size`` bytes."""
        if len(data) < size:
            raise self.cut_short()
        if len(data) > size:
            raise FileError(f"{self.name}: has bytes after its end", hint="get the file again from its sender")
        return data

    def cut_short(self) -> FileError:
        return FileError(f"{self.name}: is cut short", hint="copy it again, or get it again from its sender")


def kind_of(path: Path) -> bytes | None:
    """The kind of one of our files; None for any other file."""
    try:
        with path.open("rb") as file:
            start = file.read(_PREAMBLE.size)
    except OSError as error:
        raise FileError(f"{path.name}: cannot be read ({error.strerror})") from None
    return start[:8] if start[:8] in KINDS else None


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet files do."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def body_of(data: bytes, kind: bytes, name: str) -> Body:
    """The body of one of our files that is embedded in another."""
    if len(data) < _PREAMBLE.size or data[:8] != kind or _PREAMBLE.unpack_from(data)[1] != VERSION:
        raise FileError(f"{name}: does not hold {KINDS[kind]} in this version's format", hint="get the file again")
    return Body(name, memoryview(data))


def read_body(path: Path, kind: bytes, *, private: bool = False, most: int | None = None, mapped: bool = False) -> Body:
    """A file of the given kind and of at most ``most`` bytes; a ``mapped`` file is read only as its bytes are used.

    FileError: it cannot be read, is of another kind or version, is too long, or is private and others can read it.
    """
    with contextlib.suppress(OSError):  # a path without a status cannot be opened either, and is reported then
        if path.is_dir():
            raise FileError(f"{path.name}: is a directory, not {KINDS[kind]}")
    found = kind_of(path)
    if found != kind:
        # A file in another format may be a roster, so it is not named.
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
        raise FileError(
            f"{path.name}: is in format {version}, but this version of pprl reads format {VERSION}",
            hint="make it again with this version; both sides need the same one",
        )
    return Body(path.name, memoryview(data))


def mapped_bytes(path: Path) -> mmap.mmap:
    """The bytes of a file that is not empty, read when they are used."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def refuse_shared(path: Path) -> None:
    """FileError: others on this machine can read a secret file. Windows has no such permissions, and is not checked."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise FileError(f"{path.name}: others on this machine can read it", hint=f"chmod 600 {path.name}")
