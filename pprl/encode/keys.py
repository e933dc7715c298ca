"""Keys for every purpose from the one linkage key, and the parameters that say how encodings were made."""

from __future__ import annotations

import hashlib
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pprl.core.encodings import EncodingParameters
from pprl.core.key import LinkageKey
from pprl.core.schema import Schema
from pprl.encode.rarity import rarity_hash
from pprl.normalize.text import folding_hash


@cache
def tables_hash() -> bytes:
    """32 bytes that differ whenever a table of folding or rarity does."""
    return hashlib.sha256(b"pprl/2/tables\0" + folding_hash() + rarity_hash()).digest()


def subkey(linkage_key: bytes, schema: Schema, purpose: str, length: int = 32) -> bytes:
    """Bytes for one purpose: HKDF-SHA256, salt = schema fingerprint, info = ``pprl/2/`` + purpose (RFC 5869)."""
    salt, info = schema.fingerprint(tables_hash()), b"pprl/2/" + purpose.encode()
    return HKDF(hashes.SHA256(), length=length, salt=salt, info=info).derive(linkage_key)


def key_check(linkage_key: bytes, schema: Schema) -> bytes:
    """16 bytes that are equal for equal keys and schemas, and reveal nothing else about the key."""
    return subkey(linkage_key, schema, "key-check", 16)


def parameters_of(schema: Schema, key: LinkageKey) -> EncodingParameters:
    return EncodingParameters(
        encodings=((schema.hardening, schema.length),),
        folding=tables_hash(),
        fingerprint=schema.fingerprint(tables_hash()),
        key_check=key_check(key.secret, schema),
    )
