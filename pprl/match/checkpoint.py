"""Where a long search stands, in a file of its own, so that a crash costs a minute and not the night.

It holds row numbers and scores, no value and no encoding, and what was compared: the two inputs by their hashes and the
number of candidates. To anything else it does not fit. Like scores it tells near misses, so it is for its owner alone,
and it is gone when the search is done.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from pprl import files
from pprl.errors import FileError, MismatchError
from pprl.match.search import Sofar

EVERY = 60.0  # seconds


def hash_of(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@dataclass
class Checkpoint:
    """The checkpoint of one search at ``path``.

    ``identity`` hashes what is compared: it is asked for only when a checkpoint is written or read, since it may have
    to read all of a large file.
    """

    path: Path
    identity: Callable[[], bytes]
    _last: float = field(default_factory=time.monotonic)
    _known: bytes | None = None

    HEADER: ClassVar[struct.Struct] = struct.Struct("<32sQQQ")
    RECORD: ClassVar[np.dtype[np.void]] = np.dtype([("theirs", "<i8"), ("common", "<u4"), ("total", "<u4")])

    def save(self, sofar: Sofar) -> None:
        """Write, if a minute has passed since the last time."""
        if time.monotonic() - self._last < EVERY:
            return
        rows, keep = sofar.theirs.shape
        records = np.zeros((rows, keep), dtype=self.RECORD)
        records["theirs"], records["common"], records["total"] = sofar.theirs, sofar.common, sofar.total
        header = self.HEADER.pack(self._identity(), sofar.done, rows, keep)
        parts = [files.preamble(b"pprl-chk"), header, records.tobytes()]
        files.write_new(self.path, [*parts, hashlib.sha256(header + parts[2]).digest()], private=True, force=True)
        self._last = time.monotonic()

    def read(self) -> Sofar:
        """FileError: not a whole checkpoint. MismatchError: of other inputs, or of another kind of search."""
        body = files.read_body(self.path, b"pprl-chk", private=True)
        (identity, done, rows, keep), data = body.header(self.HEADER)
        size = rows * keep * self.RECORD.itemsize
        data = body.expect(data, size + 32)
        header = body.data[: self.HEADER.size]
        if hashlib.sha256(bytes(header) + data[:size]).digest() != data[size:]:
            raise FileError(f"{self.path.name}: is damaged", hint="remove it, and begin the search anew")
        if identity != self._identity():
            raise MismatchError(
                f"{self.path.name}: is of another search: an input or an option was changed since",
                hint="repeat the command as it was, or without --resume to begin anew",
            )
        records = np.frombuffer(data[:size], dtype=self.RECORD).reshape(rows, keep)
        return Sofar(done, *(records[name].astype(np.int64) for name in ("theirs", "common", "total")))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _identity(self) -> bytes:
        if self._known is None:
            self._known = self.identity()
        return self._known
