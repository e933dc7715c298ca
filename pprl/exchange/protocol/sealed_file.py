"""Files that only their maker and their reader can open: whatever is not public crosses in these.

A fresh key is sealed for the maker and for the reader, so both have it in their folder, and nobody has it any more once
they have destroyed their keystores. What stands under that key is filled up, so that the length of a file says only in
which of a few sizes it is (docs/protocol.md §3). A seal shows nobody's hand: what is inside is signed.
"""

from __future__ import annotations

import secrets
import struct

from pprl.core import container
from pprl.core.errors import FileError, ForgedError, MismatchError
from pprl.exchange.protocol.cards import Card
from pprl.exchange.protocol.crypto import SEAL_OVERHEAD, SecretKeys, WrongError, lock, unlock
from pprl.exchange.protocol.roles import ROLES, TITLES, Role
from pprl.exchange.protocol.statements import AGAIN

KIND = b"pprl-sld"
SMALLEST, STEP = 1 << 16, 1 << 20  # bytes: powers of two from the first to the second, then its multiples
_PARTIES, _LENGTH = struct.Struct("<BB"), struct.Struct("<Q")
_KEY, _NONCE, _TAG = 32, 12, 16
_SEALED_KEY = _KEY + SEAL_OVERHEAD
_HEAD = len(container.preamble(KIND)) + _PARTIES.size + 2 * _SEALED_KEY + _NONCE


def padded_size(size: int) -> int:
    """The length of a file that needs ``size`` bytes."""
    return max(SMALLEST, 1 << (size - 1).bit_length()) if size <= STEP else -(-size // STEP) * STEP


def seal_file(statements: bytes, exchange: str, maker: Card, reader: Card) -> bytes:
    """The bytes of a file with ``statements``, for the two parties of an ``exchange``."""
    key, nonce, roles = secrets.token_bytes(_KEY), secrets.token_bytes(_NONCE), (maker.role, reader.role)
    sealed = [card.keys.seal(key, _info(exchange, *roles, card.role)) for card in (maker, reader)]
    head = b"".join((container.preamble(KIND), _PARTIES.pack(*map(ROLES.index, roles)), *sealed, nonce))
    plain = _LENGTH.pack(len(statements)) + statements
    return head + lock(key, nonce, plain.ljust(padded_size(_HEAD + len(plain) + _TAG) - _HEAD - _TAG, b"\0"), head)


def open_file(data: bytes, name: str, exchange: str, role: Role, keys: SecretKeys) -> bytes:
    """The statements in a file that messages call ``name``, for the party ``role``, who holds ``keys``.

    FileError: not a complete file. MismatchError: between two other parties. ForgedError: it does not open.
    """
    container.body_of(data, KIND, name)
    if len(data) != padded_size(len(data)):
        raise FileError(f"{name}: is cut short, or has bytes after its end", hint=AGAIN)
    start = len(container.preamble(KIND))
    numbers = _PARTIES.unpack_from(data, start)
    if max(numbers) >= len(ROLES) or numbers[0] == numbers[1]:
        raise FileError(f"{name}: its header is damaged", hint=AGAIN)
    maker, reader = (ROLES[number] for number in numbers)
    if role not in (maker, reader):
        raise MismatchError(f"{name}: is sealed for the {TITLES[reader]}", hint="take it out, and give it to them")
    at = start + _PARTIES.size + (_SEALED_KEY if role == reader else 0)
    try:
        key = keys.open(data[at : at + _SEALED_KEY], _info(exchange, maker, reader, role))
        plain = unlock(key, data[_HEAD - _NONCE : _HEAD], data[_HEAD:], data[:_HEAD])
    except WrongError:
        raise ForgedError(
            f"{name}: does not open",
            hint=f"it was changed, or sealed for another card: ask the {TITLES[maker]} for the file again",
        ) from None
    (size,) = _LENGTH.unpack_from(plain)
    if size > len(plain) - _LENGTH.size or any(plain[_LENGTH.size + size :]):
        raise FileError(f"{name}: its statements are cut short, or something stands behind them", hint=AGAIN)
    return plain[_LENGTH.size : _LENGTH.size + size]


def _info(exchange: str, maker: Role, reader: Role, opener: Role) -> bytes:
    """What the seal of a key binds: whose file it is, and for whom."""
    return b"pprl/2/file\0" + "\0".join((exchange, maker, reader, opener)).encode()
