"""Signed statements: one canonical form for everything that the parties sign.

A statement is a kind, a body of canonical JSON, a signature, and for some kinds an attachment. The body names the
attachment by its hash, so it can be left out when a statement is passed on. A file holds statements one after another.
The bytes as received are verified, never a copy that was written again, and a body has exactly one form
(docs/protocol.md §2).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pprl.core import container
from pprl.core.errors import FileError, ForgedError
from pprl.exchange.protocol.crypto import SIGNATURE, SUITE, PublicKeys, SecretKeys, WrongError, digest
from pprl.exchange.protocol.messages import BY_TAG, HASH, TEXT, StatementKind
from pprl.exchange.protocol.roles import Role

MAX_BODY = 1 << 20
MAX_NUMBER = 1 << 53
LABEL = b"pprl/1/statement\0"
AGAIN = "get the file again from its sender"

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a party signed. ``start`` is everything under the signature; ``attachment`` may have been left out."""

    kind: StatementKind
    body: Body
    start: bytes
    signature: bytes
    attachment: bytes = b""

    HEADER: ClassVar[struct.Struct] = struct.Struct("<8sHHIQ")
    SIGNED: ClassVar[int] = 16  # bytes of the header under the signature: all but the size of the attachment

    @classmethod
    def make(cls, kind: StatementKind, body: Body, keys: SecretKeys, attachment: bytes = b"") -> Statement:
        text = canonical(body)
        start = cls.HEADER.pack(kind.tag, container.VERSION, SUITE, len(text), 0)[: cls.SIGNED] + text
        signature = keys.sign(LABEL + start)
        return cls(kind=kind, body=body, start=start, signature=signature, attachment=attachment)

    @property
    def hash(self) -> bytes:
        """The name by which other statements refer to it; the same with and without the attachment."""
        return digest(self.start, self.signature)

    @property
    def title(self) -> str:
        return self.kind.title

    def verify(self, keys: PublicKeys) -> None:
        """ForgedError: not signed by the holder of these keys, or with another attachment than the signed one."""
        try:
            keys.verify(LABEL + self.start, self.signature)
        except WrongError:
            raise ForgedError(
                f"{self.title}: the signature is not that of its sender",
                hint="it was changed on the way, or somebody else made it: ask for it again and compare the words",
            ) from None
        if self.attachment and not self.attachment_fits():
            raise ForgedError(f"{self.title}: what is attached is not what was signed", hint=AGAIN)

    def attachment_fits(self) -> bool:
        """Whether the attachment is the one that the body names."""
        name = self.kind.attachment
        return name in self.body and digest(self.attachment) == self.bytes_of(name, 32)

    def detached(self) -> Statement:
        """Without the attachment, as it is passed on to parties that must not see it."""
        return replace(self, attachment=b"")

    def to_bytes(self) -> bytes:
        size = struct.pack("<Q", len(self.attachment))
        return self.start[: self.SIGNED] + size + self.start[self.SIGNED :] + self.signature + self.attachment

    def require_form(self, *more: str) -> None:
        """FileError: the body has other fields than its kind has, or fields of other types. ``more`` are further fields
        of text."""
        fields = {name: TEXT if form is HASH else form for name, form in self.kind.fields.items()}
        fields |= dict.fromkeys(more, TEXT)
        if self.body.keys() != fields.keys() or any(type(self.body[name]) is not form for name, form in fields.items()):
            raise FileError(f"{self.title}: does not hold the fields of such a statement", hint=AGAIN)

    def require_hashes(self) -> None:
        """FileError: a field that should be a hash is none."""
        for name, form in self.kind.fields.items():
            if form is HASH:
                self.bytes_of(name, 32)

    def bytes_of(self, key: str, size: int) -> bytes:
        """A value in hexadecimal. FileError: it is not ``size`` bytes in lower case."""
        return bytes_of(self.body[key], size, self.title)


def signer_of(statement: Statement) -> Role | None:
    """Who must have signed a statement: the only signer of its kind, or the one that its body names."""
    signers = statement.kind.signers
    if len(signers) == 1:
        return signers[0]
    return next((role for role in signers if role == statement.body.get("role")), None)


def bytes_of(text: object, size: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        value = b""
    if len(value) != size or value.hex() != text:
        raise FileError(f"{what}: a value is not {size} bytes in hexadecimal", hint=AGAIN)
    return value


def read_statements(data: bytes, name: str) -> Iterator[Statement]:
    """The statements of a file, unverified. FileError: incomplete, not canonical, or of an unknown kind or suite."""
    position = 0
    while position < len(data):
        statement, position = read_statement(data, name, position)
        yield statement


def read_statement(data: bytes, name: str, start: int = 0) -> tuple[Statement, int]:
    """The statement that begins at ``start``, and the position after its end."""
    header = Statement.HEADER
    if len(data) - start < header.size:
        raise FileError(f"{name}: is cut short", hint=AGAIN)
    tag, version, suite, size, attached = header.unpack_from(data, start)
    kind = BY_TAG.get(tag)
    if kind is None:
        raise FileError(f"{name}: holds something that is not a statement of pprl", hint=AGAIN)
    if (version, suite) != (container.VERSION, SUITE):
        raise FileError(
            f"{name}: written in format {version} and suite {suite}; "
            f"this version reads {container.VERSION} and {SUITE}",
            hint="use the same version of pprl on all sides",
        )
    if size > MAX_BODY:
        raise FileError(f"{name}: a statement is longer than any can be", hint=AGAIN)
    if attached and not kind.attachment:  # no signature covers it, and nobody would look at it
        raise FileError(f"{name}: {kind.title} has something attached", hint=AGAIN)
    body_start = start + header.size
    body_end = body_start + size
    end = body_end + SIGNATURE
    if len(data) - end < attached:
        raise FileError(f"{name}: is cut short", hint=AGAIN)
    text = data[body_start:body_end]
    signed = data[start : start + Statement.SIGNED] + text
    signature, attachment = data[body_end:end], data[end : end + attached]
    body = parse_canonical(text, name)
    return Statement(kind=kind, body=body, start=signed, signature=signature, attachment=attachment), end + attached


def canonical(body: Body) -> bytes:
    """JSON in its one form: keys sorted, no spaces, ASCII; whole numbers, text, lists and tables only."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def parse_canonical(text: bytes, name: str) -> dict[str, Any]:
    """FileError: not in the form that `canonical` gives, or holding something other than numbers and text."""
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
