"""People to keyed Bloom filters: the one place where a name becomes bits.

Each token is hashed once, by keyed BLAKE2b, to 32 positions, of which a field of ``k`` bits takes the first ``k``;
the filters of a person's values are put together by OR and then diffused (`pprl.harden`). Work is done on distinct
tokens and distinct values, and rows only gather what is already there. `reference` says the same in ten lines, one
person at a time, and is the oracle in the tests. Specified in ``docs/encoding.md`` so that anyone can write it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from pprl.bits import BitMatrix, Words
from pprl.harden import diffuse, diffusion_indices
from pprl.normalize.people import People
from pprl.normalize.text import folding_hash
from pprl.schema import Field, Schema
from pprl.tokens import space, tokens

VALUES_AT_A_TIME = 32_768
REMEMBERED = 1 << 16  # values of a field, and tokens: 8 MiB each at 1,024 bits


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
    return Encoder(schema, linkage_key).encode(people)


class Encoder:
    """Encodes a roster part by part; what a frequent value becomes is worked out once and not for every part."""

    def __init__(self, schema: Schema, linkage_key: bytes) -> None:
        self._schema = schema
        self._masks = {field.name: Masks(field, schema, linkage_key) for field in schema.linked()}
        self._diffusion = subkey(linkage_key, schema, "diffusion")

    def encode(self, people: People) -> BitMatrix:
        words = np.zeros((len(people), self._schema.length // 64), dtype="<u8")
        for name, masks_of in self._masks.items():
            column = people.columns[name].in_use()
            masks = masks_of.of(column.values)
            present = np.flatnonzero(column.codes >= 0)
            for start in range(0, len(present), VALUES_AT_A_TIME):
                rows = present[start : start + VALUES_AT_A_TIME]
                words[rows] |= masks[column.codes[rows]]
        return diffuse(BitMatrix(words), self._schema.hardening, self._diffusion)


class Masks:
    """The bits of the values of a field; the last that were asked for are remembered, and every token."""

    def __init__(self, field: Field, schema: Schema, linkage_key: bytes) -> None:
        self._field, self._length = field, schema.length
        self._space_key = subkey(linkage_key, schema, f"tokens/{space(field)}")
        self._tokens: dict[str, int] = {}
        self._token_masks = np.zeros((0, schema.length // 64), dtype="<u8")
        self._values: dict[str, int] = {}
        self._remembered = self._token_masks

    def of(self, values: Sequence[str]) -> Words:
        """Shape (values, length // 64)."""
        new = [value for value in values if value not in self._values]
        if len(self._values) + len(new) > REMEMBERED:
            self._values, self._remembered = {}, self._remembered[:0]
            new = list(values)
        masks = self._made(new)
        if len(new) > REMEMBERED:
            return masks
        self._values |= zip(new, range(len(self._values), len(self._values) + len(new)), strict=True)
        self._remembered = np.concatenate([self._remembered, masks])
        return masks if len(new) == len(values) else self._remembered[[self._values[value] for value in values]]

    def _made(self, values: Sequence[str]) -> Words:
        flat: list[int] = []
        counts = np.empty(len(values), dtype=np.int64)
        known = len(self._tokens)
        for at, value in enumerate(values):
            found = tokens(self._field.type, value)
            counts[at] = len(found)
            flat += [self._tokens.setdefault(token, len(self._tokens)) for token in found]
        fresh = np.zeros((len(self._tokens) - known, self._length // 64), dtype="<u8")
        for at, token in enumerate(islice(self._tokens, known, None)):
            places = positions(self._space_key, token, self._length)[: self._field.k].astype(np.int64)
            np.bitwise_or.at(fresh[at], places // 64, np.uint64(1) << (places % 64).astype(np.uint64))
        if len(fresh):
            self._token_masks = np.concatenate([self._token_masks, fresh])
        ids = np.array(flat, dtype=np.int64)
        ends = np.cumsum(counts)
        masks = np.zeros((len(counts), self._length // 64), dtype="<u8")
        for top in range(0, len(counts), VALUES_AT_A_TIME):
            chunk = slice(top, min(top + VALUES_AT_A_TIME, len(counts)))
            starts = ends[chunk] - counts[chunk]
            of_chunk = self._token_masks[ids[starts[0] : ends[chunk][-1]]]
            masks[chunk] = np.bitwise_or.reduceat(of_chunk, starts - starts[0], axis=0)
        if len(self._tokens) > REMEMBERED:  # identifiers have no end of tokens
            self._tokens, self._token_masks = {}, self._token_masks[:0]
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
