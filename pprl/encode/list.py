"""A list becomes what crosses and what stays home: its people, decoys, relatives, controls and further spellings.

All of them cross in one shuffled order; only the private rows say which is which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.bits import BitMatrix, Words
from pprl.core.encodings import Encodings
from pprl.core.key import LinkageKey, key_of
from pprl.core.planted import PlantedTable
from pprl.core.private_rows import CLASS_NAMES, Policy, PrivateRows, RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.encode.decoys import Decoys, decoys_per_person, enough_decoys, make_decoys, relatives_per_person, respelled
from pprl.encode.encoder import Encoder
from pprl.encode.keys import parameters_of
from pprl.encode.labels import filled_shapes, id_bytes, labels_of
from pprl.encode.planted_decoys import plant_decoys
from pprl.roster.load import RosterLike, load
from pprl.roster.people import MISSING, People, encodable, join_people, refuse_weak
from pprl.roster.persons import fullest_spellings, persons_of
from pprl.roster.spellings import MOST_SPELLINGS

FEWEST_ALIKE = 10
MOST_ALIKE = 0.05  # E[y y'] of two spellings of a person, y = ±1


@dataclass(frozen=True)
class Records:
    """Some records of a list, with their bits.

    ``base`` is the person that a record was made from or, for a further spelling, the record that it spells. Both are
    counted among all records of the list, where people come first.
    """

    kind: NDArray[np.uint8]  # RecordKind
    people: People
    words: Words
    base: NDArray[np.int64]

    @classmethod
    def of_kind(cls, kind: RecordKind, people: People, words: Words, base: NDArray[np.int64]) -> Records:
        return cls(np.full(len(people), kind, dtype=np.uint8), people, words, base)

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Synthetic:
    """Decoys or relatives, with their bits."""

    kind: RecordKind
    rows: Decoys
    words: Words

    def records(self) -> Records:
        return Records.of_kind(self.kind, self.rows.people, self.words, self.rows.base)


def encode_list(
    roster: RosterLike,
    schema: Schema | Path | str,
    key: LinkageKey | Path | str,
    *,
    controls: RosterLike | None = None,
    big_registry: bool = False,
    planted: bool = False,
    randomness: Randomness | None = None,
    allow_weak: bool = False,
) -> tuple[Encodings, PrivateRows]:
    """Encode the people of a list, their decoys and relatives, and ``controls``, in a shuffled order.

    Rows of one person (`persons_of`, or rows with equal encodings) become one record; the person's further spellings,
    and as many of every decoy, are records of their own. ``controls`` are real people known to be in no registry, with
    one spelling each; those who are also on the list are left out. There are as many decoys per person as the
    schema says, and fewer decoys and relatives against a ``big_registry`` (`is_big`), where each of them is expensive.
    With ``planted``, the private rows tell how similar some decoys are to themselves as a registry may spell them.

    RefusedError: the fields that are filled are too few to protect anyone.
    """
    schema, key = load_schema(schema), key_of(key)
    people = load(roster, schema, "list").people
    if not allow_weak and len(people):
        refuse_weak(schema, people)
    randomness = randomness or Randomness.make()
    encoder, seed = Encoder(schema, key.secret, randomness.people), randomness.synthetic
    persons, spellings = distinct_people(people, schema, encoder)
    taken = np.concatenate([persons.words, spellings.words])
    decoys = decoys_per_person(schema, big=big_registry)
    drawn = draw_decoys(persons.people, schema, seed, decoys, big_registry=big_registry)
    synthetic = drop_collisions(drawn, encoder, taken)
    made, kin = (each.records() for each in synthetic)
    records = [persons, deal_out(made, persons, spellings.base, schema, seed), kin]
    if controls is not None:
        absent = load(controls, schema, "control").people
        records.append(encode_controls(absent, schema, encoder, taken))
    if len(spellings):
        records += [spellings, *respell(synthetic, persons, spellings, schema, encoder, seed)]
    fell_back = int(synthetic[0].rows.fell_back.sum())
    encodings, rows = assemble(join(records), people, schema, key, randomness, fell_back)
    return encodings, replace(rows, planted=plant(synthetic[0], schema, key, seed)) if planted else rows


def distinct_people(people: People, schema: Schema, encoder: Encoder) -> tuple[Records, Records]:
    """The people of a list, each under their fullest row, and their further spellings, at most seven per person."""
    words = encoder.encode(people).words
    person = persons_of(people, schema)
    kept = np.flatnonzero(person == np.arange(len(people)))
    kept = kept[_first_of_equals(words[kept])]
    kept = kept[encodable(people, schema)[kept]]
    rows, base = _further_spellings(people, schema, person, kept, words)
    return (
        Records.of_kind(RecordKind.REAL, people.take(kept), words[kept], np.arange(len(kept))),
        Records.of_kind(RecordKind.SPELLING, people.take(rows), words[rows], base),
    )


def _further_spellings(
    people: People, schema: Schema, person: NDArray[np.int64], kept: NDArray[np.int64], words: Words
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that spell a kept person differently, and the index of that person among the kept."""
    index = np.full(len(people), MISSING, dtype=np.int64)
    index[kept] = np.arange(len(kept))
    further = fullest_spellings(people, schema) != np.arange(len(people))
    rows = np.flatnonzero(further & encodable(people, schema) & (index[person] != MISSING))
    base = index[person[rows]]
    with_person = np.column_stack([np.append(np.arange(len(kept)), base), np.concatenate([words[kept], words[rows]])])
    different = _first_of_equals(with_person)
    different = different[different >= len(kept)] - len(kept)
    if schema.hardening != "plain":
        different = different[_unlike(words[kept], words[rows[different]], base[different])]
    different = different[cumcount(base[different]) < MOST_SPELLINGS - 1]
    return rows[different], base[different]


def _unlike(first: Words, further: Words, base: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which further spellings of people agree neither with the first one nor with one kept before them.

    The labels say which encodings are of one person, and how similar these are needs no key to predict: three alike
    spellings name two in five people (docs/risk.md §3). A registry row that one of them would match agrees with the
    other as well.
    """
    most = (1 - MOST_ALIKE) / 2 * 64 * first.shape[1]
    kept: dict[int, list[Words]] = {}
    unlike = np.zeros(len(base), dtype=bool)
    for number, (person, words) in enumerate(zip(base.tolist(), further, strict=True)):
        own = kept.setdefault(person, [first[person]])
        if all(int(np.bitwise_count(words ^ other).sum()) > most for other in own):
            own.append(words)
            unlike[number] = True
    return unlike


def draw_decoys(
    people: People, schema: Schema, seed: bytes, decoys: int, *, big_registry: bool
) -> tuple[Decoys, Decoys]:
    """Decoys of every person, and the relatives of the stricter test."""
    relatives = relatives_per_person(len(people), big=big_registry)
    return (
        make_decoys(people, schema, enough_decoys(decoys, len(people)), RandomStream(seed, "decoys")),
        make_decoys(people, schema, relatives, RandomStream(seed, "relatives"), relatives=True),
    )


def drop_collisions(drawn: tuple[Decoys, Decoys], encoder: Encoder, taken: Words) -> tuple[Synthetic, Synthetic]:
    """Decoys and relatives whose bits are neither taken nor those of an earlier one."""
    decoys, relatives = (encoder.encode(made.people).words for made in drawn)
    new_decoys = _new_rows(taken, decoys)
    new_relatives = _new_rows(np.concatenate([taken, decoys]), relatives)
    return (
        Synthetic(RecordKind.DECOY, drawn[0].take(new_decoys), decoys[new_decoys]),
        Synthetic(RecordKind.RELATIVE, drawn[1].take(new_relatives), relatives[new_relatives]),
    )


def encode_controls(controls: People, schema: Schema, encoder: Encoder, taken: Words) -> Records:
    """People known to be absent, under their fullest spelling; those whose bits are taken are left out."""
    fullest = fullest_spellings(controls, schema) == np.arange(len(controls))
    people = controls.take(np.flatnonzero(fullest & encodable(controls, schema)))
    words = encoder.encode(people).words
    new = _new_rows(taken, words)
    return Records.of_kind(RecordKind.CONTROL, people.take(new), words[new], np.zeros(len(new), dtype=np.int64))


def respell(
    synthetic: tuple[Synthetic, Synthetic],
    persons: Records,
    spellings: Records,
    schema: Schema,
    encoder: Encoder,
    seed: bytes,
) -> Iterator[Records]:
    """For every further spelling of a person a spelling of each of their decoys, then of each of their relatives."""
    taken = _row_keys(np.concatenate([persons.words, spellings.words]))
    first = len(persons)
    for made, label in zip(synthetic, ("spellings of decoys", "spellings of relatives"), strict=True):
        is_relative = made.kind == RecordKind.RELATIVE
        stream = RandomStream(seed, label)
        people, spelled = respelled(
            made.rows, persons.people, spellings.people, spellings.base, schema, stream, relatives=is_relative
        )
        words = encoder.encode(people).words
        collides = np.isin(_row_keys(words), taken)
        words[collides] = made.words[spelled[collides]]  # it equals a real person: the decoy keeps one spelling
        yield Records.of_kind(RecordKind.SPELLING, people, words, first + spelled)
        first += len(made.words)


def deal_out(decoys: Records, persons: Records, spelled: NDArray[np.int64], schema: Schema, seed: bytes) -> Records:
    """The decoys, each beside a person who has the same fields filled and as many spellings, drawn at random.

    The linkage unit, which opens the labels, could otherwise take the mean over the decoys of a person, which share
    given name and patronymic, and read from 20 hardened encodings what none of them shows (docs/risk.md §1). Fields
    that say something of the person, such as strata, become those of the new one. ``spelled`` are the indices of the
    people of further spellings.
    """
    alike = _alike(persons.people, schema) * MOST_SPELLINGS + np.bincount(spelled, minlength=len(persons))
    group = alike[decoys.base]
    draws = RandomStream(seed, "dealt decoys").words(len(decoys))
    beside = np.empty_like(decoys.base)
    beside[np.argsort(group, kind="stable")] = decoys.base[np.lexsort((draws, group))]
    new = persons.people.take(beside)
    of_decoy = {field.name for field in schema.fields if field.role in ("link", "confirm")}
    columns = {name: decoys.people.columns[name] if name in of_decoy else new.columns[name] for name in new.columns}
    return Records(decoys.kind, People(new.rows, columns), decoys.words, beside)


def _alike(people: People, schema: Schema) -> NDArray[np.int64]:
    """A number for each group of people whose decoys can stand for each other: the same fields are filled, or, where
    fewer than ten people have these, name and date are as complete."""
    _, shape, counts = np.unique(filled_shapes(people, schema), return_inverse=True, return_counts=True)
    few = counts[shape] < FEWEST_ALIKE
    return np.where(few, people.completeness(schema).astype(np.int64), len(CLASS_NAMES) + shape.ravel())


def plant(decoys: Synthetic, schema: Schema, key: LinkageKey, seed: bytes) -> PlantedTable | None:
    """Some of the decoys as a registry may spell them."""
    draws, encoder = RandomStream(seed, "planted decoys"), Encoder(schema, key.secret, seed)
    return plant_decoys(decoys.rows.people, decoys.words, schema, encoder, draws)


def join(records: Sequence[Records]) -> Records:
    """Several sets of records as one, in their order."""
    return Records(
        np.concatenate([part.kind for part in records]),
        join_people([part.people for part in records]),
        np.concatenate([part.words for part in records]),
        np.concatenate([part.base for part in records]),
    )


def assemble(
    records: Records, people: People, schema: Schema, key: LinkageKey, randomness: Randomness, fell_back: int
) -> tuple[Encodings, PrivateRows]:
    """The records of the roster ``people`` under random handles: shuffled to cross, in order to stay at home."""
    parameters = parameters_of(schema, key)
    handles = _handles(records, randomness)
    rows = PrivateRows(
        side="list",
        parameters=parameters,
        rows_read=people.rows_read,
        rate=schema.false_match_rate,
        fallbacks=fell_back,
        repeatable=key.repeatable or randomness.repeatable,
        handles=handles,
        rows=records.people.rows,
        person=records.base.astype(np.int32),
        kind=records.kind,
        completeness=records.people.completeness(schema),
        ids=id_bytes(people.ids, records.people.rows[records.kind == RecordKind.REAL], len(records)),
        labels=labels_of(records.people, schema),
        policy=Policy.from_schema(schema),
    )
    order = RandomStream(randomness.synthetic, "list order").permutation(len(records))
    return Encodings(
        side="list", parameters=parameters, rows_read=0, handles=handles[order], bits=BitMatrix(records.words[order])
    ), rows


def _handles(records: Records, randomness: Randomness) -> NDArray[np.void]:
    """Handles from one seed for what was read, so that they do not depend on the seed of what is synthetic."""
    spelled = np.where(records.kind == RecordKind.SPELLING, records.base, np.arange(len(records)))
    was_read = np.isin(records.kind[spelled], (RecordKind.REAL, RecordKind.CONTROL))
    handles = np.empty(len(records), dtype="V16")
    handles[was_read] = random_handles(randomness.people, "list handles", int(was_read.sum()))
    handles[~was_read] = random_handles(randomness.synthetic, "made-up handles", int((~was_read).sum()))
    return handles


def random_handles(seed: bytes, label: str, count: int) -> NDArray[np.void]:
    return np.frombuffer(RandomStream(seed, label).bytes(16 * count), dtype="V16")


def unused_controls(controls: People | None, rows: PrivateRows) -> Iterator[str]:
    """A line that says how many controls were left out of an encoded list, if any were."""
    count = controls.rows_read if controls is not None else 0
    if unused := count - len(rows.of_kind(RecordKind.CONTROL)):
        yield f"{unused:,} of {count:,} controls left out: on the list too, repeated, or with nothing to compare"


def unused_spellings(people: People, schema: Schema, rows: PrivateRows) -> Iterator[str]:
    """A line that says how many further spellings were left out of an encoded list, if any were."""
    person = persons_of(people, schema)
    further = fullest_spellings(people, schema) != np.arange(len(people))
    further = np.flatnonzero(further & encodable(people, schema))
    with_further = np.unique(person[further])
    codes = np.column_stack([person, *(people.columns[field.name].codes for field in schema.linked())])
    count = len(np.unique(codes[np.append(with_further, further)], axis=0)) - len(with_further)
    if unused := count - rows.counts().get("further spellings", 0):
        yield (
            f"{unused:,} of {count:,} further spellings left out: encodings of one person that agree would help to "
            "name them"
        )


def _new_rows(taken: Words, words: Words) -> NDArray[np.int64]:
    """The indices of the rows that equal neither a taken row nor one before them, in order."""
    new = _first_of_equals(np.concatenate([taken, words]))
    return new[new >= len(taken)] - len(taken)


def _first_of_equals(words: Words) -> NDArray[np.int64]:
    """The indices of the rows that equal no row before them, in order."""
    return np.sort(np.unique(_row_keys(words), return_index=True)[1]).astype(np.int64)


def _row_keys(words: Words) -> NDArray[np.void]:
    """Each row as one comparable value."""
    rows = np.ascontiguousarray(words)
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
