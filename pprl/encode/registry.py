"""A registry becomes what crosses and what stays home, all at once or part by part."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.encodings import Encodings, RegistryDecoys, decoys_of_registry, shape_number
from pprl.core.key import LinkageKey, key_of
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.encode.decoys import registry_decoys
from pprl.encode.encoder import Encoder
from pprl.encode.keys import parameters_of
from pprl.encode.labels import filled_shapes, id_bytes, labels_of
from pprl.roster.load import RosterLike, load
from pprl.roster.people import People, encodable, join_people, refuse_weak

SAMPLED = 10_000  # rows of a registry of which its decoys are made


@dataclass(frozen=True)
class RegistryPart:
    """The rows of a part of a registry that have anything to compare, in the order of the roster."""

    read: int  # rows of the part, whether or not they have anything to compare
    people: People
    handles: NDArray[np.void]
    words: Words


class RegistryEncoder:
    """Encodes a registry part by part, then its decoys; nothing depends on where it is cut.

    Decoys are made of a sample of the rows, those with the smallest draws, so that memory is bounded.
    """

    def __init__(self, schema: Schema, key: LinkageKey, seed: bytes) -> None:
        self._schema, self._encoder = schema, Encoder(schema, key.secret, seed)
        self._handles, self._decoys = RandomStream(seed, "registry handles"), RandomStream(seed, "registry decoys")
        self._sampling, self._sample, self._rows = RandomStream(seed, "registry sample"), _Sample(), 0

    def encode(self, people: People) -> RegistryPart:
        """The next part."""
        known = people.take(np.flatnonzero(encodable(people, self._schema)))
        handles = np.frombuffer(self._handles.bytes(16 * len(known)), dtype="V16")
        self._sample = self._sample.and_of(known, self._sampling.words(len(known)))
        self._rows += len(known)
        return RegistryPart(people.rows_read, known, handles, self._encoder.encode(known).words)

    def decoys(self) -> RegistryDecoys:
        """The decoys of all parts so far."""
        people, count = self._sample.people, decoys_of_registry(self._rows)
        if people is None:
            nothing = BitMatrix(np.zeros((0, self._schema.length // 64), dtype="<u8"))
            return RegistryDecoys(nothing, np.zeros(0, dtype=np.uint64))
        made = registry_decoys(people, self._schema, count, self._decoys)
        shapes = np.array([shape_number(shape) for shape in filled_shapes(made, self._schema)], dtype=np.uint64)
        return RegistryDecoys(self._encoder.encode(made), shapes)


@dataclass(frozen=True)
class _Sample:
    """The rows with the smallest draws, at most `SAMPLED`, in the order of their draws."""

    people: People | None = None
    draws: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def and_of(self, people: People, draws: NDArray[np.uint64]) -> _Sample:
        if len(self.draws) == SAMPLED:  # most rows of a long registry are out at once
            low = np.flatnonzero(draws < self.draws[-1])
            people, draws = people.take(low), draws[low]
        draws = np.concatenate([self.draws, draws])
        everybody = people if self.people is None else join_people([self.people, people])
        kept = np.argsort(draws, kind="stable")[:SAMPLED]
        people = everybody.take(kept)
        return _Sample(People(people.rows, {name: each.in_use() for name, each in people.columns.items()}), draws[kept])


def persons_of_records(people: People, schema: Schema) -> NDArray[np.int32]:
    """A number for each person, in the order of the registry: rows with the same spellings are one person."""
    codes = pd.DataFrame({field.name: people.columns[field.name].codes for field in schema.linked()})
    spelling = codes.groupby(list(codes), sort=False).ngroup()
    if not pd.Index(people.rows).duplicated().any():  # no row has several
        return spelling.to_numpy().astype(np.int32)
    of_row = spelling.groupby(people.rows).transform(lambda each: " ".join(map(str, sorted(each))))
    return pd.factorize(of_row)[0].astype(np.int32)


def encode_registry(
    roster: RosterLike,
    schema: Schema | Path | str,
    key: LinkageKey | Path | str,
    *,
    randomness: Randomness | None = None,
    allow_weak: bool = False,
) -> tuple[Encodings, PrivateRows]:
    """Encode every row of a registry that has anything to compare, in each of its spellings, in a shuffled order, and
    decoys made of its values.

    Rows that are equal in everything compared are one person.

    RefusedError: the fields that are filled are too few to protect anyone.
    """
    schema, key = load_schema(schema), key_of(key)
    people = load(roster, schema, "registry").people
    if not allow_weak and len(people):
        refuse_weak(schema, people)
    randomness = randomness or Randomness.make()
    encoder = RegistryEncoder(schema, key, randomness.people)
    part = encoder.encode(people)
    known, parameters = part.people, parameters_of(schema, key)
    rows = PrivateRows(
        side="registry",
        parameters=parameters,
        rows_read=part.read,
        rate=schema.false_match_rate,
        fallbacks=0,
        repeatable=key.repeatable or randomness.repeatable,
        handles=part.handles,
        rows=known.rows,
        person=persons_of_records(known, schema),
        kind=np.full(len(known), RecordKind.REAL, dtype=np.uint8),
        completeness=known.completeness(schema),
        ids=id_bytes(people.ids, known.rows, len(known)),
        labels=tuple(label for label in labels_of(known, schema) if label.role in ("confirm", "filled")),
    )
    order = RandomStream(randomness.people, "registry order").permutation(len(known))
    return Encodings(
        side="registry",
        parameters=parameters,
        rows_read=part.read,
        handles=part.handles[order],
        bits=BitMatrix(part.words[order]),
        decoys=encoder.decoys(),
    ), rows
