"""Signed files: one canonical form for everything that the parties say to each other.

A statement is a kind, a body of canonical JSON, a signature, and for some kinds an attachment that the body names by
its hash and that may be left out on the way. Statements stand one behind the other in a file. The bytes as received
are verified, never a copy that was written again, and a body has exactly one form (docs/protocol.md §2).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pprl.core import container
from pprl.core.errors import FileError, ForgedError
from pprl.exchange.protocol.crypto import SIGNATURE, SUITE, PublicKeys, SecretKeys, WrongError, digest

MAX_BODY = 1 << 20
MAX_NUMBER = 1 << 53
LABEL = b"pprl/1/statement\0"
#: The kinds of statement, in the order of the exchange, and the key under which a body names its attachment.
KINDS = {
    b"pprl-crd": None,
    b"pprl-prp": "share",
    b"pprl-acc": "share",
    b"pprl-com": None,
    b"pprl-rcp": None,
    b"pprl-hdr": None,
    b"pprl-tab": "scores",
    b"pprl-ask": "ids",
    b"pprl-ack": None,
    b"pprl-rev": "labels",
    b"pprl-ans": "tags",
    b"pprl-res": "report",
    b"pprl-rel": "sealed",
    b"pprl-evi": "evidence",
    b"pprl-trn": "sealed",
}
AGAIN = "get the file again from whoever made it"

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Statement:
    """What a party said. ``start`` is everything that is signed; ``attachment`` is empty where it was left out."""

    kind: bytes
    body: Body
    start: bytes
    signature: bytes
    attachment: bytes = b""

    HEADER: ClassVar[struct.Struct] = struct.Struct("<8sHHIQ")
    SIGNED: ClassVar[int] = 16  # bytes of the header under the signature: all but the size of the attachment

    @classmethod
    def make(cls, kind: bytes, body: Body, keys: SecretKeys, attachment: bytes = b"") -> Statement:
        text = canonical(body)
        start = cls.HEADER.pack(kind, container.VERSION, SUITE, len(text), 0)[: cls.SIGNED] + text
        return cls(kind, body, start, keys.sign(LABEL + start), attachment)

    @property
    def hash(self) -> bytes:
        """What other statements name it by; the same with and without the attachment."""
        return digest(self.start, self.signature)

    @property
    def says(self) -> str:
        return container.KINDS[self.kind]

    def verify(self, keys: PublicKeys) -> None:
        """ForgedError: not signed by the holder of these keys, or with another attachment than the signed one."""
        try:
            keys.verify(LABEL + self.start, self.signature)
        except WrongError:
            raise ForgedError(
                f"{self.says}: the signature is not that of its sender",
                hint="it was changed on the way, or made by somebody else: ask for it again and compare the words",
            ) from None

        named = KINDS[self.kind]
        if self.attachment and named and digest(self.attachment) != self.bytes_of(named, 32):
            raise ForgedError(f"{self.says}: what is attached is not what was signed", hint=AGAIN)

    def detached(self) -> Statement:
        return Statement(self.kind, self.body, self.start, self.signature)

    def to_bytes(self) -> bytes:
        size = struct.pack("<Q", len(self.attachment))
        return self.start[: self.SIGNED] + size + self.start[self.SIGNED :] + self.signature + self.attachment

    def expect(self, **types: type) -> None:
        """FileError: the body has other keys than these, or values of other types."""
        if self.body.keys() != types.keys() or not all(type(self.body[key]) is kind for key, kind in types.items()):
            raise FileError(f"{self.says}: holds other things than such a file does", hint=AGAIN)

    def bytes_of(self, key: str, size: int) -> bytes:
        """A value in hexadecimal. FileError: it is not ``size`` bytes in small letters."""
        return bytes_of(self.body[key], size, self.says)


def bytes_of(text: object, size: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        value = b""
    if len(value) != size or value.hex() != text:
        raise FileError(f"{what}: a value is no {size} bytes in hexadecimal", hint=AGAIN)
    return value


def read_statements(data: bytes, name: str) -> Iterator[Statement]:
    """The statements of a file, unverified. FileError: not whole, not canonical, or of an unknown kind or suite."""
    at = 0
    while at < len(data):
        statement, at = read_statement(data, name, at)
        yield statement


def read_statement(data: bytes, name: str, at: int = 0) -> tuple[Statement, int]:
    """The statement that begins there, and where it ends."""
    header = Statement.HEADER
    if len(data) - at < header.size:
        raise FileError(f"{name}: is cut short", hint=AGAIN)
    kind, version, suite, size, attached = header.unpack_from(data, at)
    if kind not in KINDS:
        raise FileError(f"{name}: holds something that is no statement of pprl", hint=AGAIN)
    if (version, suite) != (container.VERSION, SUITE):
        raise FileError(
            f"{name}: written in format {version} and suite {suite}; "
            f"this version reads {container.VERSION} and {SUITE}",
            hint="use the same version of pprl on all sides",
        )
    if size > MAX_BODY:
        raise FileError(f"{name}: a statement is longer than any can be", hint=AGAIN)
    if attached and KINDS[kind] is None:  # no signature covers it, and nobody would look at it
        raise FileError(f"{name}: {container.KINDS[kind]} has something attached", hint=AGAIN)
    body = at + header.size
    end = body + size + SIGNATURE
    if len(data) - end < attached:
        raise FileError(f"{name}: is cut short", hint=AGAIN)
    text = data[body : body + size]
    start = data[at : at + Statement.SIGNED] + text
    signature, attachment = data[body + size : end], data[end : end + attached]
    return Statement(kind, parse_canonical(text, name), start, signature, attachment), end + attached


def canonical(body: Body) -> bytes:
    """Integers, text, lists and tables only; keys sorted, no spaces, ASCII."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def parse_canonical(text: bytes, name: str) -> dict[str, Any]:
    """FileError: not the one form that `canonical` gives, or something other than numbers and text in it."""
    try:
        body = json.loads(text, parse_float=_refuse, parse_constant=_refuse)
        if isinstance(body, dict) and canonical(body) == text and _plain(body):
            return body
    except (ValueError, RecursionError):
        pass
    raise FileError(f"{name}: a statement is not in canonical form", hint=AGAIN)


def _refuse(_: str) -> Any:
    raise ValueError


def _plain(value: object) -> bool:
    match value:
        case bool() | None:
            return False
        case int():
            return 0 <= value < MAX_NUMBER
        case str():
            return not any("\ud800" <= letter <= "\udfff" for letter in value)
        case list():
            return all(map(_plain, value))
        case dict():
            return all(map(_plain, value)) and all(map(_plain, value.values()))
    return False
