"""A list becomes what crosses and what stays at home: people, their decoys and relatives, controls, and spellings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.bits import BitMatrix, Words
from pprl.core.encodings import Encodings
from pprl.core.key import LinkageKey
from pprl.core.private_rows import Policy, PrivateRows, RecordKind
from pprl.core.randomness import RandomStream, fresh_seed, seed_from
from pprl.core.schema import Schema
from pprl.encode.bloom import encode, parameters_of
from pprl.encode.decoys import DECOYS_FOR_BIG_REGISTRY, make_decoys, per_row, respelled
from pprl.encode.labels import id_bytes, labels_of
from pprl.roster.people import MISSING, People, encodable, filled, join_people
from pprl.roster.persons import fullest_spellings, persons_of
from pprl.roster.spellings import MOST_SPELLINGS

RELATIVES_A_ROW, RELATIVES_A_LIST = 4, 200


RELATIVES_FOR_BIG_REGISTRY = 1


def encode_list(
    people: People,
    schema: Schema,
    key: LinkageKey,
    *,
    ids: Mapping[int, str] | None = None,
    seed: int | None = None,
    roots: tuple[bytes, bytes] | None = None,
    decoys: int | None = None,
    allow_weak: bool = False,
    controls: People | None = None,
) -> tuple[Encodings, PrivateRows]:
    """Encode the people of a list, their decoys and relatives, and ``controls``, in a shuffled order.

    Rows of one person (`persons_of`, or of equal encodings) become one; its further spellings, and as many of every
    decoy, are records of their own. ``controls`` are real people who are known to be in no registry, under one spelling
    each; those who are on the list too are left out. All that is random comes from the operating system, from ``seed``,
    or from two ``roots``: the first gives real people their handles, the second makes what is made up and shuffles.
    """
    if not allow_weak and len(people):
        schema.refuse_weak(filled(schema, people))
    root = fresh_seed() if seed is None else seed_from(seed)
    own_root, root = roots or (root, root)
    own = encode(people, schema, key.secret).words
    stands = persons_of(people, schema)
    kept = np.flatnonzero(stands == np.arange(len(people)))
    kept = kept[_first_of_equals(own[kept])]
    kept = kept[encodable(people, schema)[kept]]
    unique = people.take(kept)
    others, of = _further_spellings(people, schema, stands, kept, own)
    known = np.concatenate([own[kept], own[others]])
    decoys = decoys or schema.decoys
    relatives = RELATIVES_A_ROW if decoys > DECOYS_FOR_BIG_REGISTRY else RELATIVES_FOR_BIG_REGISTRY
    relatives = max(relatives, -(-RELATIVES_A_LIST // max(1, len(unique))))
    made = [
        make_decoys(unique, schema, per_row(decoys, len(unique)), RandomStream(root, "decoys")),
        make_decoys(unique, schema, relatives, RandomStream(root, "relatives"), relatives=True),
    ]
    made_bits = encode(join_people([each.people for each in made]), schema, key.secret).words
    new = _first_of_equals(np.concatenate([known, made_bits]))  # a decoy that reads like somebody before it is none
    new = new[new >= len(known)] - len(known)
    made_bits, first = made_bits[new], len(made[0].base)
    made = [made[0].take(new[new < first]), made[1].take(new[new >= first] - first)]
    parts, bits = [unique, *(each.people for each in made)], [own[kept], made_bits]
    if controls is not None:
        absent = fullest_spellings(controls, schema) == np.arange(len(controls))
        them = controls.take(np.flatnonzero(absent & encodable(controls, schema)))
        theirs = encode(them, schema, key.secret).words
        away = _first_of_equals(np.concatenate([known, theirs]))
        away = away[away >= len(known)] - len(known)
        parts.append(them.take(away))
        bits.append(theirs[away])
    sizes = list(map(len, parts))
    kind = np.repeat(np.arange(len(parts), dtype=np.uint8), sizes)
    base = _in_all(len(kind), np.arange(len(unique)), *(each.base for each in made))
    if len(others):
        told = [
            respelled(
                each, unique, people.take(others), of, schema, RandomStream(root, name), relatives=each is made[1]
            )
            for each, name in zip(made, ("spellings of decoys", "spellings of relatives"), strict=True)
        ]
        anew = encode(join_people([each for each, _ in told]), schema, key.secret).words
        place = np.concatenate([sizes[0] + told[0][1], sizes[0] + sizes[1] + told[1][1]])
        taken = np.isin(_keys(anew), _keys(known))
        anew[taken] = np.concatenate(bits)[place[taken]]  # it reads like somebody: the decoy stays with one spelling
        parts += [people.take(others), *(each for each, _ in told)]
        bits += [own[others], anew]
        kind = np.append(kind, np.full(len(others) + len(anew), RecordKind.SPELLING, dtype=np.uint8))
        base = np.concatenate([base, of, place])
    everybody, words = join_people(parts), np.concatenate(bits)
    parameters, total = parameters_of(schema, key), len(kind)
    rows = PrivateRows(
        side="list",
        parameters=parameters,
        rows_read=people.rows_read,
        rate=schema.false_match_rate,
        fallbacks=int(made[0].fell_back.sum()),
        repeatable=key.repeatable or seed is not None,
        handles=np.empty(total, dtype="V16"),
        rows=everybody.rows,
        person=base.astype(np.int32),
        kind=kind,
        completeness=everybody.completeness(schema),
        ids=id_bytes(ids, unique.rows, total),
        labels=labels_of(everybody, schema),
        policy=Policy.from_schema(schema),
    )
    of_roster = rows.of_roster()
    rows.handles[of_roster] = _handles(own_root, "list", int(of_roster.sum()))
    rows.handles[~of_roster] = _handles(root, "made-up", int((~of_roster).sum()))
    order = RandomStream(root, "list order").permutation(total)
    return Encodings("list", parameters, 0, rows.handles[order], BitMatrix(words[order])), rows


def unused_controls(controls: People | None, rows: PrivateRows) -> Iterator[str]:
    """A line where some of the controls were left out of an encoded list."""
    count = controls.rows_read if controls is not None else 0
    if unused := count - len(rows.of_kind(RecordKind.CONTROL)):
        yield f"{unused:,} of {count:,} controls are on the list too, stand twice or have nothing to compare: left out"


def _further_spellings(
    people: People, schema: Schema, stands: NDArray[np.int64], kept: NDArray[np.int64], words: Words
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are other spellings of the people who are kept, at most seven each, and the places of these people."""
    place = np.full(len(people), MISSING, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    spelled = fullest_spellings(people, schema) != np.arange(len(people))
    rows = np.flatnonzero(spelled & encodable(people, schema) & (place[stands] != MISSING))
    of = place[stands[rows]]
    numbered_words = np.column_stack([np.append(np.arange(len(kept)), of), np.concatenate([words[kept], words[rows]])])
    different = _first_of_equals(numbered_words)
    different = different[different >= len(kept)] - len(kept)
    different = different[cumcount(of[different]) < MOST_SPELLINGS - 1]
    return rows[different], of[different]


def _in_all(count: int, *parts: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers of the first records, 0 for those after them."""
    numbers = np.zeros(count, dtype=np.int64)
    numbers[: sum(map(len, parts))] = np.concatenate(parts)
    return numbers


def _first_of_equals(words: Words) -> NDArray[np.int64]:
    """The places of the rows that equal no row before them, in order."""
    return np.sort(np.unique(_keys(words), return_index=True)[1]).astype(np.int64)


def _keys(words: Words) -> NDArray[np.void]:
    """Each row as one comparable value."""
    rows = np.ascontiguousarray(words)
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()


def _handles(root: bytes, side: str, count: int) -> NDArray[np.void]:
    return np.frombuffer(RandomStream(root, f"{side} handles").bytes(16 * count), dtype="V16")
