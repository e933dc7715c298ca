"""What the linkage unit returns: the best registry records of every row of the list, people and decoys alike.

Scores are blind: they are complete before anyone learns which rows are synthetic. A similarity is kept as the integers
(common, total) of Dice = 2 · common / total.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.encodings import ONE_SAYS_LESS, EncodingParameters
from pprl.core.errors import FileError

KEEP = 16
KERNELS = ("numpy", "numba")
DECOY_BYTES = 24  # three numbers for each of the registry's decoys


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The candidates of each row of the list, best first; ``total`` is 0 where there are fewer than ``KEEP``.

    ``decoys`` are common and total of the best registry record of each of the registry's own decoys, and the number of
    its shape (`shape_number`).
    """

    parameters: EncodingParameters
    registry_read: int
    registry_encoded: int
    kernel: str
    handles: NDArray[np.void]  # shape (rows,), 16 bytes each
    theirs: NDArray[np.void]  # shape (rows, KEEP), 16 bytes each
    common: NDArray[np.uint32]  # shape (rows, KEEP)
    total: NDArray[np.uint32]  # shape (rows, KEEP)
    decoys: NDArray[np.uint64]  # shape (decoys, 3)

    HEADER: ClassVar[struct.Struct] = struct.Struct(f"<{EncodingParameters.LAYOUT.size}sQQQQBB")
    RECORD: ClassVar[np.dtype[np.void]] = np.dtype(
        [("handle", "V16"), ("theirs", "V16", (KEEP,)), ("common", "<u4", (KEEP,)), ("total", "<u4", (KEEP,))]
    )

    def __len__(self) -> int:
        return len(self.handles)

    def dice(self) -> NDArray[np.float64]:
        """Similarities, shape (rows, KEEP), 0 where there is no candidate.

        Correctly rounded division keeps equal fractions equal, and distinct ones with totals below 2^26 distinct.
        """
        return 2.0 * self.common / np.maximum(self.total, 1)

    def registry_shapes(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The shapes of the registry's rows and how many of its decoys have each, without those who say less."""
        says_less = np.arange(len(self.decoys)) % ONE_SAYS_LESS == 0
        shapes, counts = np.unique(self.decoys[~says_less, 2], return_counts=True)
        return shapes, counts.astype(np.int64)

    def decoy_dice(self) -> NDArray[np.float64]:
        """The best similarity of each of the registry's own decoys, shape (decoys,)."""
        return 2.0 * self.decoys[:, 0] / np.maximum(self.decoys[:, 1], 1)

    def to_bytes(self) -> bytes:
        header = self.HEADER.pack(
            self.parameters.to_bytes(),
            len(self),
            self.registry_read,
            self.registry_encoded,
            len(self.decoys),
            KEEP,
            KERNELS.index(self.kernel),
        )
        records = np.zeros(len(self), dtype=self.RECORD)
        records["handle"], records["theirs"] = self.handles, self.theirs
        records["common"], records["total"] = self.common, self.total
        return header + records.tobytes() + self.decoys.astype("<u8").tobytes()

    def write(self, path: Path, *, force: bool = False) -> None:
        """A new file, mode 0600."""
        container.write_new(path, [container.preamble(b"pprl-sco"), self.to_bytes()], private=True, force=force)

    @classmethod
    def read(cls, path: Path) -> Scores:
        """FileError: not a complete file of scores."""
        body = container.read_body(path, b"pprl-sco")
        scores, rest = cls.from_body(body)
        body.expect(rest, 0)
        return scores

    @classmethod
    def from_body(cls, body: container.Body) -> tuple[Scores, memoryview]:
        """The scores at the start of a body, and the bytes after them."""
        (parameters, rows, read, encoded, decoys, keep, kernel), data = body.header(cls.HEADER)
        if keep != KEEP or kernel >= len(KERNELS):
            raise FileError(f"{body.name}: its header is damaged", hint="get the file again")
        size = rows * cls.RECORD.itemsize
        end = size + decoys * DECOY_BYTES
        if len(data) < end:
            raise body.cut_short()
        records = np.frombuffer(data[:size], dtype=cls.RECORD)
        of_decoys = np.frombuffer(data[size:end], dtype="<u8").reshape(-1, 3)
        if not _sound(records) or (of_decoys[:, 0] > of_decoys[:, 1] // np.uint64(2)).any():
            raise FileError(f"{body.name}: holds scores that no search can give", hint="get the file again")
        scores = cls(
            parameters=EncodingParameters.from_bytes(parameters, body.name),
            registry_read=read,
            registry_encoded=encoded,
            kernel=KERNELS[kernel],
            handles=records["handle"].copy(),
            theirs=records["theirs"].copy(),
            common=records["common"].copy(),
            total=records["total"].copy(),
            decoys=of_decoys.astype(np.uint64),
        )
        return scores, data[end:]


def _sound(records: NDArray[np.void]) -> bool:
    """No row twice, no candidate twice in a row, similarities from 0 to 1 and falling, and no candidate after a gap."""
    common, total = records["common"].astype(np.int64), records["total"].astype(np.int64)
    present = total > 0
    falling = common[:, 1:] * np.maximum(total[:, :-1], 1) <= common[:, :-1] * np.maximum(total[:, 1:], 1)
    candidates = np.sort(records["theirs"], axis=1)
    repeated = (candidates[:, 1:] == candidates[:, :-1]) & (candidates[:, 1:] != np.zeros((), dtype="V16"))
    return bool(
        (2 * common <= total).all()
        and (present == (common > 0)).all()
        and falling.all()
        and not repeated.any()
        and len(np.unique(records["handle"])) == len(records)
    )
