"""What a party must keep secret during an exchange, in one file under a passphrase.

The keystore holds the party's keys, its seed, the linkage key once there is one, and what its owner confirmed in
person: whose words were compared, which terms were accepted. All other files of an exchange may be lost and sent again.
Anyone with the file and the passphrase can act as the party; anyone who also has the packages has the names
(docs/protocol.md §4).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pprl.core import container
from pprl.core.errors import FileError, ForgedError
from pprl.exchange.protocol.crypto import ARGON_MEMORY, SUITE, SecretKeys, WrongError, lock, stretch, unlock
from pprl.exchange.protocol.roles import ROLES, Role
from pprl.exchange.protocol.statements import bytes_of, canonical, parse_canonical

KIND = b"pprl-kst"
NAME = "PRIVATE-keystore.pprl"
MEMORY = ARGON_MEMORY  # KiB of Argon2id for a new keystore
LEAST_MEMORY, MOST_MEMORY = 8 * 1024, 1024 * 1024  # KiB, checked before anything is derived
SHORTEST = 12
MAX_BYTES = 1 << 20
_LAYOUT = struct.Struct("<8sHHI16s12s")


@dataclass(frozen=True)
class Lock:
    """The key derived from a passphrase, and how it was derived. It is kept for one run: deriving it takes a while."""

    key: bytes
    salt: bytes
    memory: int

    @classmethod
    def new(cls, passphrase: str, memory: int | None = None) -> Lock:
        return cls.derive(passphrase, secrets.token_bytes(16), memory or MEMORY)

    @classmethod
    def derive(cls, passphrase: str, salt: bytes, memory: int) -> Lock:
        return cls(stretch(passphrase.encode(), salt, memory=memory), salt, memory)

    def __repr__(self) -> str:
        return "Lock(…)"


@dataclass(frozen=True, kw_only=True)
class Keystore:
    """The secrets of one party in one exchange. ``state`` holds what later steps add: text, numbers and tables."""

    role: Role
    exchange: str
    keys: SecretKeys
    seed: bytes
    lock: Lock
    state: Mapping[str, Any] = field(default_factory=dict)

    FIELDS: ClassVar[frozenset[str]] = frozenset({"role", "matter", "signing", "kem", "x25519", "seed", "state"})

    @classmethod
    def make(cls, role: Role, exchange: str, passphrase: str, *, memory: int | None = None) -> Keystore:
        """New keys and a new seed. ``memory`` in KiB is what each guess of the passphrase costs, by default 256 MiB."""
        return cls(
            role=role,
            exchange=exchange,
            keys=SecretKeys.make(),
            seed=secrets.token_bytes(32),
            lock=Lock.new(passphrase, memory),
        )

    def holding(self, **more: Any) -> Keystore:
        """The same keystore with more state; None removes an entry."""
        state = {key: value for key, value in {**self.state, **more}.items() if value is not None}
        return replace(self, state=state)

    def write(self, path: Path, *, force: bool = False) -> None:
        body = {
            "role": self.role,
            "matter": self.exchange,
            "signing": self.keys.signing.hex(),
            "kem": self.keys.kem.hex(),
            "x25519": self.keys.x25519.hex(),
            "seed": self.seed.hex(),
            "state": dict(self.state),
        }
        nonce = secrets.token_bytes(12)
        header = _LAYOUT.pack(KIND, container.VERSION, SUITE, self.lock.memory, self.lock.salt, nonce)
        locked = lock(self.lock.key, nonce, canonical(body), header)
        container.write_new(path, [header, locked], private=True, force=force)

    @classmethod
    def read(cls, path: Path, passphrase: str | Lock) -> Keystore:
        """Open with a passphrase, or with the lock that was derived from it before.

        FileError: not a complete keystore, or readable by others. ForgedError: it does not open.
        """
        data = bytes(container.read_body(path, KIND, private=True, most=MAX_BYTES).whole)
        if len(data) < _LAYOUT.size + 16:
            raise FileError(f"{path.name}: is cut short", hint="take it from your backup")
        _, _, suite, memory, salt, nonce = _LAYOUT.unpack_from(data)
        if suite != SUITE or not LEAST_MEMORY <= memory <= MOST_MEMORY:
            raise FileError(f"{path.name}: was not written by this version of pprl", hint="take it from your backup")
        key = passphrase if isinstance(passphrase, Lock) else Lock.derive(passphrase, salt, memory)
        try:
            text = unlock(key.key, nonce, data[_LAYOUT.size :], data[: _LAYOUT.size])
        except WrongError:
            raise ForgedError(
                f"{path.name}: does not open",
                hint="wrong passphrase or damaged file; nobody can tell which",
            ) from None
        body = parse_canonical(text, path.name)
        known = body.keys() == cls.FIELDS and body["role"] in ROLES
        if not known or not isinstance(body["matter"], str) or not isinstance(body["state"], dict):
            raise FileError(f"{path.name}: was not written by this version of pprl")
        keys = SecretKeys(*(bytes_of(body[name], size, path.name) for name, size in _SEEDS))
        seed = bytes_of(body["seed"], 32, path.name)
        return cls(role=body["role"], exchange=body["matter"], keys=keys, seed=seed, lock=key, state=body["state"])

    def __repr__(self) -> str:
        return f"Keystore(role={self.role!r}, exchange={self.exchange!r})"


_SEEDS = (("signing", 32), ("kem", 64), ("x25519", 32))


def refuse_short(passphrase: str) -> None:
    if len(passphrase) < SHORTEST:
        raise FileError(
            f"a passphrase of fewer than {SHORTEST} characters is quickly guessed",
            hint="take six or more unrelated words",
        )
