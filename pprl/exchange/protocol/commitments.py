"""Hashes that fix a roster before anybody has seen what the others sent, and that can be opened by halves.

The leaf of a list row is SHA-256(0 ‖ H(row without its label) ‖ H(nonce ‖ label)). So the linkage unit can
check the rows that it got against the root without learning which are synthetic, and later the labels without getting
the rows again. A registry has no labels; its leaf is SHA-256(0 ‖ row). Trees are those of RFC 6962 §2.1
(docs/protocol.md §7).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from pprl.exchange.protocol.roles import OwnerRole

NONCE = HANDLE = TAG = 16
LABEL_HASH = 32


class Tree:
    """The root of a hash tree whose leaves come one by one. Memory grows with the logarithm of their number.

    >>> tree = Tree()
    >>> tree.root().hex()[:16]
    'e3b0c44298fc1c14'
    """

    def __init__(self) -> None:
        self._full: list[tuple[int, bytes]] = []  # heights and hashes of complete subtrees, from left to right

    def add(self, leaf: bytes) -> None:
        height, node = 0, leaf
        while self._full and self._full[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._full.pop()[1] + node).digest()
            height += 1
        self._full.append((height, node))

    def root(self) -> bytes:
        if not self._full:
            return hashlib.sha256(b"").digest()
        node = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


@dataclass(frozen=True)
class RowLayout:
    """The layout of a row in a package: handle ‖ encoding ‖ nonce ‖ tags ‖ (list) hash of the label.

    For each confirm field the row of a list has one tag of 16 bytes, the row of a registry an id and a tag. A registry
    row ends with one byte for each linked field that says how complete it is; the label of a list row says the same.
    """

    side: OwnerRole
    length: int  # bits of an encoding
    confirm: int  # how many confirm fields
    linked: int  # how many linked fields

    @property
    def record(self) -> int:
        """Bytes of handle and encoding, as in a file of encodings."""
        return HANDLE + self.length // 8

    @property
    def crossing(self) -> int:
        """Bytes of a row that are hashed together: in a list all except the hash of the label."""
        if self.side == "list":
            return self.tags + self.confirm * TAG
        return self.tags + self.confirm * 2 * TAG + self.linked

    @property
    def tags(self) -> int:
        """The position of the first tag."""
        return self.record + NONCE

    @property
    def width(self) -> int:
        return self.crossing + (LABEL_HASH if self.side == "list" else 0)

    def leaf(self, row: bytes | memoryview) -> bytes:
        if self.side == "registry":
            return hashlib.sha256(b"\x00" + row).digest()
        return leaf_of(hashlib.sha256(row[: self.crossing]).digest(), row[self.crossing :])

    def halves(self, rows: bytes | memoryview) -> bytes:
        """For each list row the hash of all but its label, 32 bytes. With the hash of the label it gives the leaf."""
        view = memoryview(rows)
        starts = range(0, len(view), self.width)
        return b"".join(hashlib.sha256(view[start : start + self.crossing]).digest() for start in starts)

    def leaves(self, rows: bytes | memoryview) -> Iterator[bytes]:
        """The leaf of each row of some consecutive rows."""
        view = memoryview(rows)
        for start in range(0, len(view), self.width):
            yield self.leaf(view[start : start + self.width])


def leaf_of(crossing: bytes, label: bytes | memoryview) -> bytes:
    """The leaf of a list row from its two halves."""
    return hashlib.sha256(b"\x00" + crossing + label).digest()


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is revealed about a row of the list once all scores are signed."""

    kind: int  # `pprl.exchange.protocol.reveal.REAL` and the kinds after it
    completeness: int
    eligible: int  # whether the person could be in the registry: 0 unknown, 1 yes, 2 no
    person: int
    strata: tuple[int, ...]  # for each stratum field the index of the label in the agreed list, −1 for other
    filled: str  # for each linked field, in the order of the schema: 0 empty, 1 a part, 2 complete

    FIXED: ClassVar[int] = 7

    def to_bytes(self) -> bytes:
        fixed = struct.pack("<BBBI", self.kind, self.completeness, self.eligible, self.person)
        return fixed + struct.pack(f"<{len(self.strata)}h", *self.strata) + self.filled.encode()

    @classmethod
    def from_bytes(cls, data: bytes, strata: int) -> Opening:
        """From bytes of the right size. Whether the values make sense depends on the terms and is not checked here."""
        kind, completeness, eligible, person = struct.unpack_from("<BBBI", data)
        labels = struct.unpack_from(f"<{strata}h", data, cls.FIXED)
        filled = data[cls.FIXED + 2 * strata :].decode("ascii", "replace")
        return cls(kind=kind, completeness=completeness, eligible=eligible, person=person, strata=labels, filled=filled)

    @classmethod
    def size(cls, strata: int, linked: int) -> int:
        return cls.FIXED + 2 * strata + linked

    def hash(self, nonce: bytes) -> bytes:
        return hashlib.sha256(nonce + self.to_bytes()).digest()
