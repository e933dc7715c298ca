"""The state of a long search in a file, so that a crash costs a minute and not the night.

It holds row numbers and scores, no values and no encodings, and identifies what was compared: the hashes of the two
inputs, and the number of candidates. It fits no other search. Like scores it shows near misses, so only its owner may
read it, and it is removed when the search is done.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pprl.core import container
from pprl.core.bits import BitMatrix
from pprl.core.errors import FileError, MismatchError
from pprl.match import kernel as kernels
from pprl.match.search import Candidates, Map, Progress, SearchState, steps

EVERY = 60.0  # seconds


def hash_of(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


HEADER = struct.Struct("<32sQQQ")
RECORD = np.dtype([("theirs", "<i8"), ("common", "<u4"), ("total", "<u4")])


def read_checkpoint(path: Path) -> tuple[bytes, SearchState]:
    """The hash of what was compared, and the state of the search. FileError: not a complete checkpoint."""
    body = container.read_body(path, b"pprl-chk", private=True)
    (identity, done, rows, keep), data = body.header(HEADER)
    size = rows * keep * RECORD.itemsize
    data = body.expect(data, size + 32)
    if hashlib.sha256(bytes(body.data[: HEADER.size]) + data[:size]).digest() != data[size:]:
        raise FileError(f"{path.name}: is damaged", hint="remove it, and start the search again")
    records = np.frombuffer(data[:size], dtype=RECORD).reshape(rows, keep)
    return identity, SearchState(done, *(records[name].astype(np.int64) for name in ("theirs", "common", "total")))


@dataclass
class Checkpoint:
    """The checkpoint of one search at ``path``.

    ``identity`` hashes what is compared. It is called only when a checkpoint is written or read, since it may have to
    read all of a large file.
    """

    path: Path
    identity: Callable[[], bytes]
    trouble: str = ""  # why none could be written: a full disk must not end the search
    _last: float = field(default_factory=time.monotonic)
    _known: bytes | None = None

    def save(self, state: SearchState) -> None:
        """Write the state, if a minute has passed since the last time."""
        if self.trouble or time.monotonic() - self._last < EVERY:
            return
        rows, keep = state.theirs.shape
        records = np.zeros((rows, keep), dtype=RECORD)
        records["theirs"], records["common"], records["total"] = state.theirs, state.common, state.total
        header = HEADER.pack(self._identity(), state.done, rows, keep)
        parts = [container.preamble(b"pprl-chk"), header, records.tobytes()]
        parts.append(hashlib.sha256(header + parts[2]).digest())
        try:
            container.write_new(self.path, parts, private=True, force=True)
        except FileError as error:
            self.trouble = f"no checkpoint was kept: {error}"
        self._last = time.monotonic()

    def read(self) -> SearchState:
        """FileError: not a complete checkpoint. MismatchError: a checkpoint of other inputs."""
        identity, state = read_checkpoint(self.path)
        if identity != self._identity():
            raise MismatchError(
                f"{self.path.name}: belongs to another search: an input or an option has changed since",
                hint="repeat the command as it was, or leave out --resume to start again",
            )
        return state

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _identity(self) -> bytes:
        if self._known is None:
            self._known = self.identity()
        return self._known


def best_with_checkpoint(
    checkpoint: Checkpoint,
    start: SearchState | None,
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    *,
    keep: int = 16,
    map: Map = map,  # noqa: A002
    progress: Progress | None = None,
) -> Candidates:
    """`search.best` from a saved state, or from the first row; its state is saved once a minute."""
    state = first = start or SearchState.start(len(ours), keep)
    kernel = kernels.choose("auto")
    for state in steps(ours, theirs, first, kernel=kernel, map=map, progress=progress):
        checkpoint.save(state)
    return state.candidates(kernel)
