"""People to keyed Bloom filters: the one place where a name becomes bits.

Each token is hashed once, by keyed BLAKE2b, to 32 positions, of which a field of ``k`` bits takes the first ``k``;
the filters of a person's values are put together by OR and then diffused (`pprl.harden`). Work is done on distinct
tokens and distinct values, and rows only gather what is already there. `reference` says the same in ten lines, one
person at a time, and is the oracle in the tests. Specified in ``docs/encoding.md`` so that anyone can write it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from pprl.bits import BitMatrix, Words
from pprl.harden import diffuse, diffusion_indices
from pprl.normalize.people import Column, People
from pprl.normalize.text import folding_hash
from pprl.schema import Field, Schema
from pprl.tokens import space, tokens

VALUES_AT_A_TIME = 32_768


def subkey(linkage_key: bytes, schema: Schema, purpose: str) -> bytes:
    """32 bytes for one purpose: HKDF-SHA256, salt = schema fingerprint, info = ``pprl/1/`` + purpose (RFC 5869)."""
    salt = schema.fingerprint(folding_hash())
    return HKDF(hashes.SHA256(), length=32, salt=salt, info=b"pprl/1/" + purpose.encode()).derive(linkage_key)


def key_check(linkage_key: bytes, schema: Schema) -> bytes:
    """16 bytes that are equal for equal keys and schemas, and say nothing else of the key."""
    return subkey(linkage_key, schema, "key-check")[:16]


def positions(space_key: bytes, token: str, length: int) -> NDArray[np.uint16]:
    """The 32 bit positions of a token: 512 bits of keyed BLAKE2b as little-endian 16-bit words, modulo ``length``."""
    digest = hashlib.blake2b(token.encode(), key=space_key, digest_size=64).digest()
    return np.frombuffer(digest, dtype="<u2") & np.uint16(length - 1)


def encode(people: People, schema: Schema, linkage_key: bytes) -> BitMatrix:
    """One encoding for each row of ``people``, in its order: shape (rows, schema.length) bits."""
    words = np.zeros((len(people), schema.length // 64), dtype="<u8")
    for field in schema.linked():
        column = people.columns[field.name].in_use()
        masks = value_masks(column, field, schema, linkage_key)
        present = np.flatnonzero(column.codes >= 0)
        for start in range(0, len(present), VALUES_AT_A_TIME):
            rows = present[start : start + VALUES_AT_A_TIME]
            words[rows] |= masks[column.codes[rows]]
    return diffuse(BitMatrix(words), schema.hardening, subkey(linkage_key, schema, "diffusion"))


def value_masks(column: Column, field: Field, schema: Schema, linkage_key: bytes) -> Words:
    """The bits of each distinct value of a column: shape (values, length // 64)."""
    space_key = subkey(linkage_key, schema, f"tokens/{space(field)}")
    known: dict[str, int] = {}
    flat: list[int] = []
    counts = np.empty(len(column.values), dtype=np.int64)
    for at, value in enumerate(column.values):
        found = tokens(field.type, value)
        counts[at] = len(found)
        flat += [known.setdefault(token, len(known)) for token in found]
    token_masks = np.zeros((len(known), schema.length // 64), dtype="<u8")
    for token, at in known.items():
        places = positions(space_key, token, schema.length)[: field.k].astype(np.int64)
        np.bitwise_or.at(token_masks[at], places // 64, np.uint64(1) << (places % 64).astype(np.uint64))
    ids = np.array(flat, dtype=np.int64)
    ends = np.cumsum(counts)
    masks = np.zeros((len(counts), schema.length // 64), dtype="<u8")
    for top in range(0, len(counts), VALUES_AT_A_TIME):
        chunk = slice(top, min(top + VALUES_AT_A_TIME, len(counts)))
        starts = ends[chunk] - counts[chunk]
        masks[chunk] = np.bitwise_or.reduceat(token_masks[ids[starts[0] : ends[chunk][-1]]], starts - starts[0], axis=0)
    return masks


def reference(person: Mapping[str, str], schema: Schema, linkage_key: bytes) -> set[int]:
    """The definition: the set bits of one person, given as canonical values by field name (missing ones left out)."""
    bits: set[int] = set()
    for field in schema.linked():
        space_key = subkey(linkage_key, schema, f"tokens/{space(field)}")
        for token in tokens(field.type, person[field.name]) if field.name in person else ():
            bits |= set(positions(space_key, token, schema.length)[: field.k].tolist())
    if schema.hardening == 0:
        return bits
    indices = diffusion_indices(schema.length, schema.hardening, subkey(linkage_key, schema, "diffusion"))
    return {place for place in range(schema.length) if sum(int(row[place]) in bits for row in indices) % 2}
