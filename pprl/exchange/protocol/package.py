"""Packages of encodings: signed by their owner, sealed for the linkage unit, read segment by segment.

A package is a preamble in clear, one segment with the signed header, and segments of one mebibyte with rows of fixed
width. Each segment is sealed on its own, bound to its number and to whether it is the last, so none can be left out,
moved or brought in from elsewhere. A seal does not show who made it: the header is signed, and the rows must give the
root that the header and the commitment name (docs/protocol.md §8).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pprl.core import container
from pprl.core.encodings import EncodingParameters
from pprl.core.errors import FileError, ForgedError, MismatchError
from pprl.exchange.protocol.agreement import require_answers
from pprl.exchange.protocol.cards import Card
from pprl.exchange.protocol.commitments import RowLayout, Tree
from pprl.exchange.protocol.crypto import SEAL_OVERHEAD, SUITE, SecretKeys, WrongError, digest
from pprl.exchange.protocol.messages import HEADER
from pprl.exchange.protocol.roles import TITLES, OwnerRole, Role
from pprl.exchange.protocol.statements import AGAIN, Statement, read_statement

KIND = b"pprl-pkg"
SEGMENT = 1 << 20
HEADER_SEGMENT = 1 << 13
PREAMBLE = struct.Struct("<8sHH16s32s")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an owner signs about the rows of a package."""

    layout: RowLayout
    rows: int
    rows_read: int  # of the registry's roster, before unreadable rows were left out; 0 for a list
    decoys: int  # of the registry, its first rows; those of a list are known only by their labels
    root: bytes
    parameters: EncodingParameters
    agreement: bytes
    receipt: bytes

    def header(self, preamble: bytes, sender: SecretKeys, recipient: Card) -> Statement:
        body = {
            "agreement": self.agreement.hex(),
            "answers": [self.receipt.hex()],
            "decoys": self.decoys,
            "preamble": digest(preamble).hex(),
            "recipient": recipient.statement.hash.hex(),
            "role": self.layout.side,
            "root": self.root.hex(),
            "rows": self.rows,
            "rows_read": self.rows_read,
            "stamp": self.parameters.to_bytes().hex(),
        }
        return Statement.make(HEADER, body, sender)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the header of a package says, as the linkage unit reads it."""

    role: OwnerRole
    parameters: EncodingParameters
    rows: int
    rows_read: int  # of the registry's roster, before unreadable rows were left out; 0 for a list
    decoys: int  # of the registry, its first rows; those of a list are known only by their labels
    root: bytes
    statement: Statement


def segments_of(layout: RowLayout, rows: int, pad: int) -> tuple[int, int]:
    """Rows in a segment, and the number of segments, for ``rows`` rows filled up to a multiple of ``pad``."""
    rows_in_segment = SEGMENT // layout.width
    padded = -(-max(rows, 1) // pad) * pad
    return rows_in_segment, -(-padded // rows_in_segment)


def write_package(
    path: Path,
    chunks: Iterable[bytes],
    manifest: Manifest,
    *,
    pad: int,
    sender: SecretKeys,
    recipient: Card,
    force: bool = False,
) -> None:
    """Seal rows for the linkage unit. ``chunks`` are pieces of any size that together are the manifest's rows."""
    preamble = PREAMBLE.pack(KIND, container.VERSION, SUITE, secrets.token_bytes(16), recipient.statement.hash)
    header = manifest.header(preamble, sender, recipient).to_bytes()
    rows_in_segment, count = segments_of(manifest.layout, manifest.rows, pad)

    def parts() -> Iterator[bytes]:
        yield preamble
        yield seal_segment(recipient, preamble, 0, header.ljust(HEADER_SEGMENT, b"\0"), last=False)
        for number, plain in enumerate(_filled(chunks, rows_in_segment * manifest.layout.width, count), start=1):
            yield seal_segment(recipient, preamble, number, plain, last=number == count)

    container.write_new(path, parts(), force=force)


def _filled(chunks: Iterable[bytes], size: int, count: int) -> Iterator[bytes]:
    """``count`` segments, each with ``size`` bytes of rows and zeroes after them."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size]).ljust(SEGMENT, b"\0")
            del buffer[:size]
            count -= 1
    for _ in range(count):
        yield bytes(buffer).ljust(SEGMENT, b"\0")
        buffer.clear()


def seal_segment(recipient: Card, preamble: bytes, number: int, plain: bytes, *, last: bool) -> bytes:
    return recipient.keys.seal(plain, segment_info(preamble, number, last=last))


def segment_info(preamble: bytes, number: int, *, last: bool) -> bytes:
    return b"pprl/1/package\0" + digest(preamble) + struct.pack("<QB", number, last)


def recipient_of(preamble: bytes, name: str) -> bytes:
    """The hash of the card for which a package is sealed: all that anybody else can read."""
    if len(preamble) < PREAMBLE.size:
        raise FileError(f"{name}: is cut short", hint=AGAIN)
    kind, version, suite, _, recipient = PREAMBLE.unpack_from(preamble)
    if kind != KIND:
        raise FileError(f"{name}: is not a package", hint="`pprl inspect FILE` says what a file is")
    if (version, suite) != (container.VERSION, SUITE):
        raise FileError(
            f"{name}: written in format {version} and suite {suite}; "
            f"this version reads {container.VERSION} and {SUITE}",
            hint="use the same version of pprl on all sides",
        )
    return bytes(recipient)


class SealedPackage:
    """A package as the linkage unit reads it. Encodings are never written to disk: each pass opens it again."""

    def __init__(self, path: Path, keys: SecretKeys, cards: Mapping[Role, Card]) -> None:
        """Open the header.

        FileError: not a complete package. ForgedError: not sealed, or not signed by the owner that it names.
        MismatchError: for another recipient.
        """
        # (1) the preamble: kind, version, suite, and sealed for us
        with path.open("rb") as file:
            self._preamble = file.read(PREAMBLE.size)
            sealed = file.read(HEADER_SEGMENT + SEAL_OVERHEAD)
        recipient = recipient_of(self._preamble, path.name)
        if len(sealed) < HEADER_SEGMENT + SEAL_OVERHEAD:
            raise FileError(f"{path.name}: is cut short", hint=AGAIN)
        if recipient != cards["unit"].statement.hash:
            raise MismatchError(f"{path.name}: is sealed for another party", hint="give it to that party")
        # (2) the header opens, is alone in its segment, and is signed by the owner that it names
        self._path, self._keys, self.size = path, keys, path.stat().st_size
        plain = self._open(sealed, 0, last=False)
        statement, end = read_statement(plain, path.name)
        if statement.kind is not HEADER or not _empty(plain, end):
            raise FileError(f"{path.name}: its header is not a header", hint=AGAIN)
        self.contents = _contents(statement, cards)
        # (3) it is the header of this package, made for us
        header = statement.body
        if header["preamble"] != digest(self._preamble).hex() or header["recipient"] != recipient.hex():
            raise MismatchError(f"{path.name}: its header belongs to another package", hint=AGAIN)

    def require(self, agreement: bytes, receipt: bytes, parameters: EncodingParameters, root: bytes) -> None:
        """MismatchError: of another agreement or run. ForgedError: not what was committed to."""
        # (4) agreement and receipt
        statement = self.contents.statement
        if statement.body["agreement"] != agreement.hex():
            raise MismatchError(f"{self._path.name}: belongs to another agreement", hint=AGAIN)
        require_answers(statement, [receipt])
        # (5) schema, folding and hardening are those agreed
        self.contents.parameters.require_same(parameters)
        # (6) the root is the one its owner committed to
        if self.contents.root != root:
            raise ForgedError(
                f"{self._path.name}: is not what the {TITLES[self.contents.role]} committed to",
                hint="do not match rows that were made after the commitments",
            )

    def rows(self, layout: RowLayout, pad: int) -> Iterator[memoryview]:
        """The rows, some thousands at a time. Release no result before the iterator has ended: only then is it certain
        that the rows give the root that was committed to.

        FileError: longer or shorter than its rows. ForgedError: a segment does not open in its position, or the rows
        give another root.
        """
        rows_in_segment, count = segments_of(layout, self.contents.rows, pad)
        start = PREAMBLE.size + HEADER_SEGMENT + SEAL_OVERHEAD
        if self.size != start + count * (SEGMENT + SEAL_OVERHEAD):
            raise FileError(f"{self._path.name}: is longer or shorter than its rows", hint=AGAIN)
        tree, left = Tree(), self.contents.rows
        with self._path.open("rb") as file:
            file.seek(start)
            for number in range(1, count + 1):
                # (7) each segment opens in its position
                plain = memoryview(self._open(file.read(SEGMENT + SEAL_OVERHEAD), number, last=number == count))
                used = min(left, rows_in_segment) * layout.width
                left -= min(left, rows_in_segment)
                # (8) nothing is hidden after the rows
                if not _empty(plain, used):
                    raise FileError(f"{self._path.name}: holds something after its rows", hint=AGAIN)
                for leaf in layout.leaves(plain[:used]):
                    tree.add(leaf)
                if used:
                    yield plain[:used]
        # (9) all rows together give the root that was committed to
        if tree.root() != self.contents.root:
            raise ForgedError(
                f"{self._path.name}: its rows are not those that the {TITLES[self.contents.role]} committed to",
                hint="they were replaced: ask for the package again, and compare the words again",
            )

    def _open(self, sealed: bytes, number: int, *, last: bool) -> bytes:
        try:
            return self._keys.open(sealed, segment_info(self._preamble, number, last=last))
        except WrongError:
            raise ForgedError(
                f"{self._path.name}: segment {number} does not open",
                hint="it was changed, moved or sealed for another key: ask for the package again",
            ) from None


def _empty(plain: bytes | memoryview, start: int) -> bool:
    """Whether nothing but zeros follows."""
    return not np.frombuffer(plain, dtype=np.uint8)[start:].any()


def _contents(statement: Statement, cards: Mapping[Role, Card]) -> Contents:
    statement.require_form()
    role: OwnerRole
    match statement.body["role"]:
        case "list" | "registry" as role:
            statement.verify(cards[role].keys)
        case _:
            raise FileError("the header of a package: does not name an owner", hint=AGAIN)
    return Contents(
        role=role,
        parameters=EncodingParameters.from_bytes(
            statement.bytes_of("stamp", EncodingParameters.LAYOUT.size), "the header of a package"
        ),
        rows=statement.body["rows"],
        rows_read=statement.body["rows_read"],
        decoys=statement.body["decoys"],
        root=statement.bytes_of("root", 32),
        statement=statement,
    )
