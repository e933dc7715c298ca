"""Hashes that fix a roster before anybody can choose by what he has seen, and open one half at a time.

A list row's leaf is SHA-256(0 ‖ H(what crosses) ‖ H(nonce ‖ what is revealed later)), so the linkage unit can check the
rows it got against the root without learning which are made up, and later the labels without getting the rows again. A
registry has no labels; its leaf is SHA-256(0 ‖ row). Trees are those of RFC 6962 §2.1 (docs/protocol.md §7).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

NONCE = HANDLE = TAG = 16
LABEL_HASH = 32


class Tree:
    """The root of a hash tree whose leaves come one by one; memory grows with the logarithm of their number.

    >>> tree = Tree()
    >>> tree.root().hex()[:16]
    'e3b0c44298fc1c14'
    """

    def __init__(self) -> None:
        self._full: list[tuple[int, bytes]] = []  # heights and hashes of whole subtrees, from left to right
        self.leaves = 0

    def add(self, leaf: bytes) -> None:
        height, node = 0, leaf
        while self._full and self._full[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._full.pop()[1] + node).digest()
            height += 1
        self._full.append((height, node))
        self.leaves += 1

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
    """Where things stand in a row of a package: handle ‖ encoding ‖ nonce ‖ tags ‖ (list) hash of the label.

    For each confirm field a list's row has one tag of 16 bytes, a registry's an id and a tag. Behind the tags a
    registry's row says with one byte for each linked field how full it is; a list's label says the same, later.
    """

    side: Literal["list", "registry"]
    length: int  # bits of an encoding
    confirm: int  # fields
    linked: int  # fields

    @property
    def record(self) -> int:
        """Handle and encoding, as in a file of encodings."""
        return HANDLE + self.length // 8

    @property
    def crossing(self) -> int:
        """All that is hashed as one."""
        if self.side == "list":
            return self.tags + self.confirm * TAG
        return self.tags + self.confirm * 2 * TAG + self.linked

    @property
    def tags(self) -> int:
        """Where the tags begin."""
        return self.record + NONCE

    @property
    def width(self) -> int:
        return self.crossing + (LABEL_HASH if self.side == "list" else 0)

    def leaf(self, row: bytes | memoryview) -> bytes:
        if self.side == "registry":
            return hashlib.sha256(b"\x00" + row).digest()
        return leaf_of(hashlib.sha256(row[: self.crossing]).digest(), row[self.crossing :])

    def halves(self, rows: bytes | memoryview) -> bytes:
        """Of each list row the hash of what crosses, 32 bytes: with the label's they give the leaves."""
        view = memoryview(rows)
        starts = range(0, len(view), self.width)
        return b"".join(hashlib.sha256(view[at : at + self.crossing]).digest() for at in starts)

    def leaves(self, rows: bytes | memoryview) -> Iterator[bytes]:
        """A leaf for each of some rows that stand one behind the other."""
        view = memoryview(rows)
        for at in range(0, len(view), self.width):
            yield self.leaf(view[at : at + self.width])


def leaf_of(crossing: bytes, label: bytes | memoryview) -> bytes:
    """The leaf of a list row from its two halves."""
    return hashlib.sha256(b"\x00" + crossing + label).digest()


@dataclass(frozen=True)
class Opening:
    """What is revealed of a list's row once all scores are signed."""

    kind: int  # real, decoy, relative or control
    completeness: int
    eligible: int  # ELIGIBLE
    person: int
    strata: tuple[int, ...]  # for each stratum field the place of the label in its closed list, −1 for other
    filled: str  # for each linked field, as they stand in the schema: 0 nothing, 1 a part, 2 the whole

    FIXED: ClassVar[int] = 7
    ELIGIBLE: ClassVar[tuple[str, ...]] = ("unknown", "yes", "no")

    def to_bytes(self) -> bytes:
        fixed = struct.pack("<BBBI", self.kind, self.completeness, self.eligible, self.person)
        return fixed + struct.pack(f"<{len(self.strata)}h", *self.strata) + self.filled.encode()

    @classmethod
    def of(cls, data: bytes, strata: int) -> Opening:
        """From bytes of the right size; whether they say anything sensible is for whoever knows the terms."""
        kind, completeness, eligible, person = struct.unpack_from("<BBBI", data)
        labels = struct.unpack_from(f"<{strata}h", data, cls.FIXED)
        filled = data[cls.FIXED + 2 * strata :].decode("ascii", "replace")
        return cls(kind, completeness, eligible, person, labels, filled)

    @classmethod
    def size(cls, strata: int, linked: int) -> int:
        return cls.FIXED + 2 * strata + linked

    def hash(self, nonce: bytes) -> bytes:
        return hashlib.sha256(nonce + self.to_bytes()).digest()
