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

import numpy as np

from pprl.core import container
from pprl.core.errors import FileError, MismatchError
from pprl.match.search import Sofar

EVERY = 60.0  # seconds


def hash_of(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


HEADER = struct.Struct("<32sQQQ")
RECORD = np.dtype([("theirs", "<i8"), ("common", "<u4"), ("total", "<u4")])


def read_checkpoint(path: Path) -> tuple[bytes, Sofar]:
    """The hash of what was compared, and where the search stands. FileError: not a whole checkpoint."""
    body = container.read_body(path, b"pprl-chk", private=True)
    (identity, done, rows, keep), data = body.header(HEADER)
    size = rows * keep * RECORD.itemsize
    data = body.expect(data, size + 32)
    if hashlib.sha256(bytes(body.data[: HEADER.size]) + data[:size]).digest() != data[size:]:
        raise FileError(f"{path.name}: is damaged", hint="remove it, and begin the search anew")
    records = np.frombuffer(data[:size], dtype=RECORD).reshape(rows, keep)
    return identity, Sofar(done, *(records[name].astype(np.int64) for name in ("theirs", "common", "total")))


@dataclass
class Checkpoint:
    """The checkpoint of one search at ``path``.

    ``identity`` hashes what is compared: it is asked for only when a checkpoint is written or read, since it may have
    to read all of a large file.
    """

    path: Path
    identity: Callable[[], bytes]
    trouble: str = ""  # why none could be written: a full disk must not end the search that it should save
    _last: float = field(default_factory=time.monotonic)
    _known: bytes | None = None

    def save(self, sofar: Sofar) -> None:
        """Write, if a minute has passed since the last time."""
        if self.trouble or time.monotonic() - self._last < EVERY:
            return
        rows, keep = sofar.theirs.shape
        records = np.zeros((rows, keep), dtype=RECORD)
        records["theirs"], records["common"], records["total"] = sofar.theirs, sofar.common, sofar.total
        header = HEADER.pack(self._identity(), sofar.done, rows, keep)
        parts = [container.preamble(b"pprl-chk"), header, records.tobytes()]
        parts.append(hashlib.sha256(header + parts[2]).digest())
        try:
            container.write_new(self.path, parts, private=True, force=True)
        except FileError as error:
            self.trouble = f"no checkpoint was kept: {error}"
        self._last = time.monotonic()

    def read(self) -> Sofar:
        """FileError: not a whole checkpoint. MismatchError: of other inputs."""
        identity, sofar = read_checkpoint(self.path)
        if identity != self._identity():
            raise MismatchError(
                f"{self.path.name}: is of another search: an input or an option was changed since",
                hint="repeat the command as it was, or without --resume to begin anew",
            )
        return sofar

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _identity(self) -> bytes:
        if self._known is None:
            self._known = self.identity()
        return self._known
