"""People to encodings: the only module in which a name becomes bits that leave the machine.

The schema's parameter set decides whether they are plain filters (`pprl.encode.bloom`) or hardened ones
(`pprl.encode.sparse`). ``docs/encoding.md`` specifies everything, so that anyone can implement it independently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema import Field, Schema
from pprl.encode import bloom, sparse
from pprl.encode.keys import subkey
from pprl.encode.minwise import Minwise
from pprl.encode.rarity import rarity
from pprl.encode.tokens import space
from pprl.roster.people import People


class Encoder:
    """Encodes a roster part by part. People of whom nothing can be told get random bits drawn from ``seed``."""

    def __init__(self, schema: Schema, linkage_key: bytes, seed: bytes) -> None:
        self._encode: Callable[[People], BitMatrix]
        if schema.hardening == "plain":
            self._encode = bloom.PlainEncoder(schema.linked(), schema.length, _spaces(schema, linkage_key)).encode
        else:
            fields, minwise = _sparse_fields(schema, linkage_key), _minwise(schema, linkage_key)
            encoder, empty = sparse.SparseEncoder(fields, rarity(), minwise), RandomStream(seed, "empty encodings")
            self._encode = lambda people: encoder.encode(people, empty)

    def encode(self, people: People) -> BitMatrix:
        """One encoding for each row of a part, in its order: shape (rows, schema.length) bits."""
        return self._encode(people)


def encode(people: People, schema: Schema, linkage_key: bytes) -> BitMatrix:
    """One encoding for each row of ``people``, in its order: shape (rows, schema.length) bits.

    Rows of which nothing can be told get bits that depend on the key, so nobody must publish them (`Encoder`).
    """
    return Encoder(schema, linkage_key, linkage_key).encode(people)


def reference(person: Mapping[str, str], schema: Schema, linkage_key: bytes) -> set[int] | None:
    """The definition: the set bits of one person, None if they are random.

    ``person`` maps fields to canonical values, without missing ones.
    """
    if schema.hardening == "plain":
        return bloom.reference(person, schema.linked(), schema.length, _spaces(schema, linkage_key))
    number = sparse.reference(person, _sparse_fields(schema, linkage_key), rarity(), _minwise(schema, linkage_key))
    return None if number is None else {bit for bit in range(schema.length) if number >> bit & 1}


def worth(field: Field, token: str) -> int:
    """How many positions of a sparse filter a token of a field sets."""
    return sparse.LinkedField(field.name, field.type, field.weight / 100, b"").worth(token, rarity())


def _spaces(schema: Schema, linkage_key: bytes) -> dict[str, bytes]:
    """The key of each space in which tokens are compared."""
    spaces = {space(field) for field in schema.linked()}
    return {name: subkey(linkage_key, schema, f"tokens/{name}") for name in spaces}


def _sparse_fields(schema: Schema, linkage_key: bytes) -> list[sparse.LinkedField]:
    spaces = _spaces(schema, linkage_key)
    return [
        sparse.LinkedField(field.name, field.type, field.weight / 100, spaces[space(field)])
        for field in schema.linked()
    ]


def _minwise(schema: Schema, linkage_key: bytes) -> Minwise:
    numbers = schema.parameters
    ranks, outputs = (subkey(linkage_key, schema, f"minwise/{part}", 16) for part in ("ranks", "outputs"))
    return Minwise(numbers.length, numbers.minima, ranks, outputs)
