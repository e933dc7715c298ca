"""Invented people as the list's office and as the registry's would write them: what the missed-match rate rests on
where nobody has both rosters.

The list's owner makes the table from decoys, whose names nobody has, and in no order, so that no row is that of an
encoding. The similarities say how much of a person's encoding each field is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pprl.core.errors import FileError

STEPS = 255  # a similarity is a whole number of these
MOST_PEOPLE, MOST_SHAPES, MOST_FIELDS = 1_000, 256, 40


@dataclass(frozen=True, kw_only=True)
class PlantedTable:
    """How similar the two spellings of each person are, by which linked fields the registry has filled.

    ``completeness`` is the class of the list's spelling (`pprl.core.private_rows.CLASS_NAMES`), shape (people,).
    ``shapes`` are the registry's, as `pprl.core.encodings.shape_number` has them, and ``similarity`` is in 255ths,
    shape (people, shapes). ``differs`` says in which linked fields the spellings differ, shape (people, fields).
    """

    completeness: NDArray[np.int8]
    shapes: NDArray[np.uint64]
    similarity: NDArray[np.uint8]
    differs: NDArray[np.bool_]

    HEADER: ClassVar[struct.Struct] = struct.Struct("<HHB")

    def to_bytes(self) -> bytes:
        people, fields = self.differs.shape
        head = self.HEADER.pack(people, len(self.shapes), fields)
        arrays = (self.completeness, self.shapes.astype("<u8"), self.similarity, self.differs.astype(np.uint8))
        return head + b"".join(array.tobytes() for array in arrays)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, name: str) -> PlantedTable | None:
        """The table in a file that messages call ``name``; None if there are no bytes. FileError: not a table."""
        if not len(data):
            return None
        damaged = FileError(f"{name}: its table of planted people is damaged", hint="get the file again")
        if len(data) < cls.HEADER.size:
            raise damaged
        people, shapes, fields = cls.HEADER.unpack_from(data)
        sizes = people, 8 * shapes, people * shapes, people * fields
        if not (0 < people <= MOST_PEOPLE and 0 < shapes <= MOST_SHAPES and 0 < fields <= MOST_FIELDS):
            raise damaged
        if len(data) != cls.HEADER.size + sum(sizes):
            raise damaged
        ends = (cls.HEADER.size + np.cumsum((0, *sizes))).tolist()
        parts = [bytes(data[start:end]) for start, end in pairwise(ends)]
        table = cls(
            completeness=np.frombuffer(parts[0], dtype=np.int8),
            shapes=np.frombuffer(parts[1], dtype="<u8").astype(np.uint64),
            similarity=np.frombuffer(parts[2], dtype=np.uint8).reshape(people, shapes),
            differs=np.frombuffer(parts[3], dtype=np.uint8).reshape(people, fields).astype(bool),
        )
        if np.frombuffer(parts[3], dtype=np.uint8).max() > 1 or len(np.unique(table.shapes)) < shapes:
            raise damaged
        return table
