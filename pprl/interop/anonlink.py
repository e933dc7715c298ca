"""Files of filters as anonlink and its entity service exchange them: JSON and base64, without ids or parameters.

``{"clks": ["…", …]}``, or with names of blocks ``{"clknblocks": [["…", "block", …], …]}``: then two records are
compared only if they share a block.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import MAX_LENGTH, BitMatrix
from pprl.core.container import STANDARD, data_of
from pprl.core.errors import FileError, MismatchError
from pprl.match.search import Pairs

HINT = 'name a JSON object with "clks" or "clknblocks", as `anonlink` and `pprl convert clkhash` write it'


@dataclass(frozen=True)
class Clks:
    """Filters of whole bytes, in the order of the rows. ``bits`` are padded with zeros to whole words, which changes no
    similarity; ``blocks`` holds the names of each record's blocks, or is None if the file has none."""

    length: int
    bits: BitMatrix
    blocks: tuple[frozenset[str], ...] | None = None

    def __len__(self) -> int:
        return len(self.bits)

    def require_same(self, other: Clks) -> None:
        """MismatchError: they cannot be compared. Neither file says how the filters were made."""
        if self.length != other.length:
            raise MismatchError(
                f"the filters of the two files have {self.length:,} and {other.length:,} bits",
                hint="encode both with the same linkage schema",
            )
        if (self.blocks is None) != (other.blocks is None):
            raise MismatchError("only one of the two files has blocks", hint="use blocks for both or for neither")


def looks_like_clks(path: Path) -> bool:
    """Whether a file begins like a JSON object. Standard input can be read only once, and is assumed to be one."""
    if path == STANDARD:
        return True
    try:
        with path.open("rb") as file:
            return file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
    except OSError:
        return False


def read_clks(path: Path) -> Clks:
    """FileError: not such a file, or its filters differ in length."""
    name = "standard input" if path == STANDARD else path.name
    try:
        data = json.loads(data_of(path))
    except OSError as error:
        raise FileError(f"{name}: cannot be read ({error.strerror})", hint="check the path") from None
    except (ValueError, RecursionError):
        raise FileError(f"{name}: is not JSON, or is incomplete", hint=HINT) from None
    keys = isinstance(data, dict) and [key for key in ("clks", "clknblocks") if isinstance(data.get(key), list)]
    if not keys or len(keys) != 1:
        raise FileError(f"{name}: contains no filters", hint=HINT)
    texts, blocks = data[keys[0]], None
    if keys == ["clknblocks"]:
        texts, blocks = _without_blocks(texts, name)
    filters = [_filter(text, number, name) for number, text in enumerate(texts)]
    lengths = set(map(len, filters))
    if len(lengths) > 1:
        raise FileError(f"{name}: its filters differ in length", hint="encode all rows with the same linkage schema")
    size = lengths.pop() if lengths else 0
    if not size or 8 * size > MAX_LENGTH:
        raise FileError(f"{name}: filters of {8 * size:,} bits cannot be compared", hint=HINT)
    padded = np.zeros((len(filters), -(-size // 8) * 8), dtype=np.uint8)
    padded[:, :size] = np.frombuffer(b"".join(filters), dtype=np.uint8).reshape(len(filters), size)
    return Clks(8 * size, BitMatrix(padded.view("<u8")), blocks)


def _without_blocks(records: Sequence[object], name: str) -> tuple[list[object], tuple[frozenset[str], ...]]:
    for number, record in enumerate(records):
        if not isinstance(record, list) or not record or not all(isinstance(part, str) for part in record):
            raise FileError(f"{name}: record {number} is not a list of a filter and names of blocks", hint=HINT)
    rows = [record for record in records if isinstance(record, list)]
    return [row[0] for row in rows], tuple(frozenset(row[1:]) for row in rows)


def _filter(text: object, number: int, name: str) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise FileError(f"{name}: record {number} is not a filter in base64", hint=HINT) from None


def clks_json(filters: Iterator[NDArray[np.uint8]]) -> Iterator[bytes]:
    """The JSON file of filters, piece by piece."""
    from pprl.interop.clkhash import texts

    yield b'{"clks": ['
    separator = b""
    for chunk in filters:
        for text in texts(chunk):
            yield separator + b'"' + text.encode() + b'"'
            separator = b", "
    yield b"]}\n"


def share_a_block(pairs: Pairs, ours: Clks, theirs: Clks) -> NDArray[np.bool_]:
    """Which pairs may be compared: those that share a block, or all if the files have no blocks."""
    if ours.blocks is None or theirs.blocks is None:
        return np.ones(len(pairs.ours), dtype=bool)
    our_blocks, their_blocks = ours.blocks, theirs.blocks
    rows = zip(pairs.ours.tolist(), pairs.theirs.tolist(), strict=True)
    return np.array(
        [not our_blocks[our_row].isdisjoint(their_blocks[their_row]) for our_row, their_row in rows], dtype=bool
    )


def one_to_one(
    ours: NDArray[np.int64], theirs: NDArray[np.int64], similarity: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The indices of the pairs that a greedy matching keeps: from the most similar down, each record once.

    Pairs of equal similarity come in the order of the rows, as in anonlink's greedy solver.
    """
    our_free, their_free, kept = set(ours.tolist()), set(theirs.tolist()), []
    for pair in np.lexsort((theirs, ours, -similarity)).tolist():
        our_row, their_row = int(ours[pair]), int(theirs[pair])
        if our_row in our_free and their_row in their_free:
            our_free.remove(our_row)
            their_free.remove(their_row)
            kept.append(pair)
    return np.array(kept, dtype=np.int64)
