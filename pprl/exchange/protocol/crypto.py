"""Every cryptographic call of the exchange, each with the reason why it is safe here.

There is one suite per format version, and no file chooses it: Ed25519; HPKE (RFC 9180, base mode) with ML-KEM-768 and
X25519, HKDF-SHA256 and ChaCha20-Poly1305; Argon2id (RFC 9106); SHA-256. Nothing here knows a file format.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SUITE = 1
_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
SEAL_OVERHEAD = 1_136  # bytes that sealing adds
SIGNATURE = 64
KEM_PUBLIC, X25519_PUBLIC, SIGNING_PUBLIC = 1_184, 32, 32
ARGON_MEMORY = 256 * 1024  # KiB; more than RFC 9106 §4 recommends for small machines
ARGON_PASSES, ARGON_LANES = 3, 4

#: The points of order 1, 2, 4 and 8 of Curve25519 in Edwards form, reduced and unreduced. A key among them accepts
#: signatures that nobody made (Chalkias, Garillot, Nikolaenko 2020, "Taming the many EdDSAs", §2).
_SMALL_Y = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


class WrongError(Exception):
    """It does not verify, or does not open. The caller says what that means to the user."""


@dataclass(frozen=True)
class PublicKeys:
    """The keys with which others verify what a party signs and seal what only it may read, as raw bytes."""

    signing: bytes
    kem: bytes
    x25519: bytes

    def usable(self) -> bool:
        """Of the right sizes, well formed, and of full order."""
        if (len(self.signing), len(self.kem), len(self.x25519)) != (SIGNING_PUBLIC, KEM_PUBLIC, X25519_PUBLIC):
            return False
        without_sign = self.signing[:-1] + bytes([self.signing[-1] & 0x7F])
        if without_sign.hex() in _SMALL_Y:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.signing)
            MLKEM768PublicKey.from_public_bytes(self.kem)
            # The library refuses a shared secret of zeroes, which every key of small order gives.
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(self.x25519))
        except ValueError:
            return False
        return True

    def verify(self, message: bytes, signature: bytes) -> None:
        """WrongError: not signed by the holder of these keys."""
        try:
            Ed25519PublicKey.from_public_bytes(self.signing).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise WrongError from None

    def seal(self, plain: bytes, info: bytes) -> bytes:
        """Base mode authenticates nobody: what is sealed is signed inside, or committed to outside.

        Each call makes a fresh ephemeral key, so no nonce can repeat. ``info`` binds position and purpose.
        """
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.kem), X25519PublicKey.from_public_bytes(self.x25519)
        )
        return _HPKE.encrypt(plain, key, info)


@dataclass(frozen=True)
class SecretKeys:
    """The seeds of a party's keys: 32, 64 and 32 bytes."""

    signing: bytes
    kem: bytes
    x25519: bytes

    @classmethod
    def make(cls) -> SecretKeys:
        return cls(secrets.token_bytes(32), secrets.token_bytes(64), secrets.token_bytes(32))

    def public(self) -> PublicKeys:
        return PublicKeys(
            Ed25519PrivateKey.from_private_bytes(self.signing).public_key().public_bytes_raw(),
            MLKEM768PrivateKey.from_seed_bytes(self.kem).public_key().public_bytes_raw(),
            X25519PrivateKey.from_private_bytes(self.x25519).public_key().public_bytes_raw(),
        )

    def sign(self, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.signing).sign(message)

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """WrongError: sealed for another party or another purpose, or changed on the way."""
        key = MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(self.kem), X25519PrivateKey.from_private_bytes(self.x25519)
        )
        try:
            return _HPKE.decrypt(sealed, key, info)
        except (InvalidTag, ValueError):
            raise WrongError from None

    def __repr__(self) -> str:
        return "SecretKeys(…)"


def digest(*parts: bytes) -> bytes:
    """SHA-256 of concatenated parts. All but the last have a fixed length or text, so that no two inputs collide."""
    return hashlib.sha256(b"".join(parts)).digest()


def derive(secret: bytes, salt: bytes, info: bytes, size: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return HKDF(hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)


def stretch(secret: bytes, salt: bytes, *, memory: int = ARGON_MEMORY) -> bytes:
    """Argon2id, 32 bytes: half a second and 256 MiB for the caller, and as much for each guess of an attacker."""
    kdf = Argon2id(salt=salt, length=32, iterations=ARGON_PASSES, lanes=ARGON_LANES, memory_cost=memory)
    return kdf.derive(secret)


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, message, "sha256")


def lock(key: bytes, nonce: bytes, plain: bytes, header: bytes) -> bytes:
    """ChaCha20-Poly1305. ``nonce`` is 12 random bytes: a key locks only a handful of times in its life."""
    return ChaCha20Poly1305(key).encrypt(nonce, plain, header)


def unlock(key: bytes, nonce: bytes, locked: bytes, header: bytes) -> bytes:
    """WrongError: another key, or a changed byte of header or content; nobody can tell which."""
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, locked, header)
    except InvalidTag:
        raise WrongError from None
