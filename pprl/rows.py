"""What stays at home: which handle is which row, and which rows are decoys.

`Encodings` cross to the linkage unit; `HomeRows` never do. With them and the scores that come back, the owner of the
list judges; whoever else gets them learns which rows were made up.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pprl import files
from pprl.bits import Encodings, Stamp
from pprl.errors import FileError

MAX_ID_BYTES = 65_535
CLASSES = 9  # of completeness


@dataclass(frozen=True)
class HomeRows:
    """One record for each encoded row: the people in the order of the roster, then the decoys of a list.

    ``person`` numbers the people; a decoy bears the number of the person it was made from. Rows of a list that are one
    person by their encodings are one record, under the first of them.
    """

    side: str
    stamp: Stamp
    rows_read: int
    rate: int  # the false-match rate asked, in ten-thousandths
    fallbacks: int  # decoys whose surname came from the class, not from a shared given name or patronymic
    repeatable: bool  # made from --seed: not secret
    handles: NDArray[np.void]  # shape (records,), 16 bytes each
    rows: NDArray[np.int64]  # row of the roster
    person: NDArray[np.int32]
    decoy: NDArray[np.bool_]
    completeness: NDArray[np.int8]
    ids: NDArray[np.bytes_]  # the owner's own ids, UTF-8; empty when none were asked for

    HEADER: ClassVar[struct.Struct] = struct.Struct(f"<B{Stamp.LAYOUT.size}sQQHQBH")

    def __len__(self) -> int:
        return len(self.handles)

    @property
    def people(self) -> int:
        """Encoded people, decoys not counted."""
        return int((~self.decoy).sum())

    def id_texts(self) -> list[str]:
        return [value.decode() for value in self.ids.tolist()]

    def write(self, path: Path, *, force: bool = False) -> None:
        width = max(1, self.ids.dtype.itemsize)
        if width > MAX_ID_BYTES:
            raise FileError(f"{path.name}: an id is longer than {MAX_ID_BYTES:,} bytes", hint="name another column")
        header = self.HEADER.pack(
            Encodings.SIDES.index(self.side),
            self.stamp.to_bytes(),
            len(self),
            self.rows_read,
            self.rate,
            self.fallbacks,
            self.repeatable,
            width,
        )
        records = np.zeros(len(self), dtype=self._record(width))
        records["handle"], records["row"], records["person"] = self.handles, self.rows, self.person
        records["decoy"], records["completeness"], records["id"] = self.decoy, self.completeness, self.ids
        files.write_new(path, [files.preamble(b"pprl-row"), header, records.tobytes()], private=True, force=force)

    @classmethod
    def read(cls, path: Path, side: str | None = None) -> HomeRows:
        """FileError: not a whole file of private rows, of the other side than ``side``, or readable by others."""
        body = files.read_body(path, b"pprl-row", private=True)
        (side_at, stamp, count, rows_read, rate, fallbacks, repeatable, width), data = body.header(cls.HEADER)
        if side_at >= len(Encodings.SIDES) or not 0 < rate < 5_000 or width == 0:
            raise FileError(f"{path.name}: is damaged in its header")
        found = Encodings.SIDES[side_at]
        if side and found != side:
            raise FileError(f"{path.name}: holds the rows of a {found}, those of a {side} are needed")
        record = cls._record(width)
        records = np.frombuffer(body.expect(data, count * record.itemsize), dtype=record)
        if not _sound(records):
            raise FileError(f"{path.name}: is damaged in its records")
        return cls(
            found,
            Stamp.from_bytes(stamp),
            rows_read,
            rate,
            fallbacks,
            bool(repeatable),
            records["handle"].copy(),
            records["row"].copy(),
            records["person"].copy(),
            records["decoy"] != 0,
            records["completeness"].copy(),
            records["id"].copy(),
        )

    @staticmethod
    def _record(width: int) -> np.dtype[np.void]:
        return np.dtype(
            [
                ("handle", "V16"),
                ("row", "<i8"),
                ("person", "<i4"),
                ("decoy", "u1"),
                ("completeness", "i1"),
                ("id", f"S{width}"),
            ]
        )


def _sound(records: NDArray[np.void]) -> bool:
    """Whether the records can be judged: labels, classes and people are in their ranges, and ids are text."""
    people = int((records["decoy"] == 0).sum())
    try:
        for value in records["id"].tolist():
            value.decode()
    except UnicodeDecodeError:
        return False
    return bool(
        (records["decoy"] <= 1).all()
        and ((records["completeness"] >= 0) & (records["completeness"] < CLASSES)).all()
        and ((records["person"] >= 0) & (records["person"] < people)).all()
    )
