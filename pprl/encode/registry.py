"""A registry becomes what crosses and what stays home, all at once or part by part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.encodings import Encodings
from pprl.core.key import LinkageKey, key_of
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.encode.encoder import Encoder
from pprl.encode.keys import parameters_of
from pprl.encode.labels import id_bytes, labels_of
from pprl.roster.load import RosterLike, load
from pprl.roster.people import People, encodable, refuse_weak


@dataclass(frozen=True)
class RegistryPart:
    """The rows of a part of a registry that have anything to compare, in the order of the roster."""

    read: int  # rows of the part, whether or not they have anything to compare
    people: People
    handles: NDArray[np.void]
    words: Words


def encode_registry_parts(
    parts: Iterable[People], schema: Schema, key: LinkageKey, seed: bytes
) -> Iterator[RegistryPart]:
    """A registry encoded part by part; its rows and handles do not depend on where it is cut."""
    handles, encoder = RandomStream(seed, "registry handles"), Encoder(schema, key.secret, seed)
    for people in parts:
        known = people.take(np.flatnonzero(encodable(people, schema)))
        names = np.frombuffer(handles.bytes(16 * len(known)), dtype="V16")
        yield RegistryPart(people.rows_read, known, names, encoder.encode(known).words)


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
    """Encode every row of a registry that has anything to compare, in each of its spellings, in a shuffled order.

    Rows that are equal in everything compared are one person.

    RefusedError: the fields that are filled are too few to protect anyone.
    """
    schema, key = load_schema(schema), key_of(key)
    people = load(roster, schema, "registry").people
    if not allow_weak and len(people):
        refuse_weak(schema, people)
    randomness = randomness or Randomness.make()
    (part,) = encode_registry_parts([people], schema, key, randomness.people)
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
    ), rows
