"""The whole path from two rosters to matched people with an error rate.

`encode_list` and `encode_registry` make what crosses (`Encodings`) and what stays home (`HomeRows`);
`match_encodings` compares without key or labels; `judge` opens the labels. `link` is these steps in one process, for
someone who holds both rosters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.bits import BitMatrix, Encodings, Stamp, Words
from pprl.decoys import make_decoys, per_row, respelled
from pprl.draws import Draws, fresh_seed, seed_from
from pprl.encode import Encoder, encode, key_check
from pprl.errors import RefusedError, RosterError, naming
from pprl.estimate.assess import Assessment, asked_rate, judge
from pprl.keys import LinkageKey
from pprl.match.scores import match_encodings
from pprl.normalize.ages import refuse_wrong_ages, year_of_ages
from pprl.normalize.dates import Order
from pprl.normalize.people import LOST_LETTERS, MISSING, People, join_people, read_people, row_labels
from pprl.normalize.persons import fullest_spellings, persons_of
from pprl.normalize.proposals import propose_columns
from pprl.normalize.several import MOST_SPELLINGS
from pprl.normalize.text import folding_hash
from pprl.places import places_text, turns
from pprl.rows import CONTROL, REAL, SPELLING, HomeRows, Label, policy_of
from pprl.schema import Field, Schema
from pprl.tables import part_of

BIG_REGISTRY = 1_000_000
RELATIVES_A_ROW, RELATIVES_A_LIST = 4, 200
RELATIVES_FOR_BIG_REGISTRY = 1
MAX_ID_BYTES = 1_024  # the private rows hold every id at the width of the longest
DECOYS_FOR_BIG_REGISTRY = 4


def link(
    list_frame: pd.DataFrame | Sequence[pd.DataFrame],
    registry_frame: pd.DataFrame,
    schema: Schema,
    *,
    list_columns: Mapping[str, str] | None = None,
    registry_columns: Mapping[str, str] | None = None,
    list_orders: Mapping[str, Order] | None = None,
    registry_orders: Mapping[str, Order] | None = None,
    list_id: str | None = None,
    registry_id: str | None = None,
    seed: int | None = None,
    rate: float | str | None = None,
    allow_weak: bool = False,
    allow_larger_list: bool = False,
    list_any_age: bool = False,
    registry_any_age: bool = False,
) -> Assessment:
    """How many people of the list are in the registry, who they are, and how many of them are false.

    The frames hold text; several list frames are parts of one list, in which nobody counts twice. ``…_columns`` map
    fields of the schema to headers; fields that are not mapped are looked for under their own name, a usual header, or
    by their contents. ``…_orders`` settle the order of dates, ``…_id`` name a column of ids to carry into the pairs,
    ``…_any_age`` accept birth dates of children and the very old. ``seed`` makes a run that can be repeated and is not
    secret; ``rate`` is the false-match rate asked, such as 0.05 or "5%". PprlError, with a hint, for everything the
    caller can mend.
    """
    parts = numbered([list_frame] if isinstance(list_frame, pd.DataFrame) else list_frame)
    return link_people(
        people_of_parts(parts, schema, list_columns, list_orders, "list", any_age=list_any_age),
        people_of(registry_frame, schema, registry_columns, registry_orders, "registry", any_age=registry_any_age),
        schema,
        list_ids=ids_of(parts, list_id),
        registry_ids=ids_of([registry_frame], registry_id),
        seed=seed,
        rate=rate,
        allow_weak=allow_weak,
        allow_larger_list=allow_larger_list,
    )


def link_people(
    own: People,
    theirs: People,
    schema: Schema,
    *,
    list_ids: Mapping[int, str] | None = None,
    registry_ids: Mapping[int, str] | None = None,
    controls: People | None = None,
    seed: int | None = None,
    rate: float | str | None = None,
    allow_weak: bool = False,
    allow_larger_list: bool = False,
    kernel: str = "auto",
    map: Callable[..., Any] = map,  # noqa: A002  an engine is an object with a `map`
    progress: Callable[[int], None] | None = None,
) -> Assessment:
    """`link` for rosters that are folded already; ``progress`` is told how many pairs were compared since the last
    time."""
    if own.rows_read > theirs.rows_read and not allow_larger_list:
        raise RefusedError(
            "the list is larger than the registry",
            hint="are the two swapped? If not, pass --yes-list (in Python allow_larger_list=True)",
        )
    refuse_same_roster(own, theirs, schema)
    said = (*bare_lines(schema, own, "list"), *bare_lines(schema, theirs, "registry"))
    common = filled(schema, own, theirs)
    if not common and len(own) and len(theirs):
        raise RefusedError(
            "no linked field is filled in both rosters",
            hint="; ".join((*said, "name the columns, say --list-column surname=HEADER")),
        )
    if common and not allow_weak:
        schema.refuse_weak(common)
    asked = None if rate is None else asked_rate(rate)
    clock = _Clock()
    key = LinkageKey.make(seed)
    decoys = decoys_against(len(theirs), schema)
    encoded, rows = encode_list(
        own, schema, key, ids=list_ids, seed=seed, decoys=decoys, allow_weak=allow_weak, controls=controls
    )
    said = (*said, *unused_controls(controls, rows))
    their_encoded, their_rows = encode_registry(theirs, schema, key, ids=registry_ids, seed=seed, allow_weak=allow_weak)
    clock.lap("encode")
    scores = match_encodings(encoded, their_encoded, kernel=kernel, map=map, progress=progress)
    clock.lap("match")
    assessment = judge(scores, rows, their_rows, rate=asked, encodings=encoded)
    clock.lap("judge")
    return replace(assessment, seconds=clock.laps, warnings=(*said, *assessment.warnings))


def decoys_against(registry_rows: int, schema: Schema) -> int:
    """Decoys for each person: the schema's, or 4 against more than a million, where each costs much."""
    return min(schema.decoys, DECOYS_FOR_BIG_REGISTRY) if registry_rows > BIG_REGISTRY else schema.decoys


def pairs_to_compare(own: People, theirs: People, schema: Schema) -> int:
    """About how many pairs `link_people` compares, decoys included."""
    return len(own) * (1 + per_row(decoys_against(len(theirs), schema), len(own))) * len(theirs)


def people_of(
    frame: pd.DataFrame,
    schema: Schema,
    columns: Mapping[str, str] | None,
    orders: Mapping[str, Order] | None,
    whose: str,
    *,
    any_age: bool = False,
) -> People:
    """A frame folded into people; fields that are not mapped are looked for under their own name, a usual header, or
    by their contents."""
    mapped, year = dict(columns or {}), year_of_ages(schema)
    with naming(whose):
        proposed = propose_columns(frame, schema, mapped, year)
        people = read_people(frame, schema, {field: guess.header for field, guess in proposed.items()} | mapped, orders)
        if not any_age:
            refuse_wrong_ages(people, schema, year)
    return people


def numbered(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Parts of one list, their rows labelled apart; a single frame stays as it is."""
    if len(frames) == 1:
        return list(frames)
    return [part_of(number, frame) for number, frame in enumerate(frames, start=1)]


def people_of_parts(
    frames: Sequence[pd.DataFrame],
    schema: Schema,
    columns: Mapping[str, str] | None,
    orders: Mapping[str, Order] | None,
    whose: str,
    *,
    any_age: bool = False,
) -> People:
    """Parts of one list, each with columns of its own, as one; a mapped header counts in each part that has it."""
    mapped = columns_of_parts(frames, dict(columns or {}), whose)
    names = [whose] if len(frames) == 1 else [f"{whose} {number}" for number in range(1, len(frames) + 1)]
    return join_people(
        [
            people_of(frame, schema, own, orders, name, any_age=any_age)
            for frame, own, name in zip(frames, mapped, names, strict=True)
        ]
    )


def columns_of_parts(frames: Sequence[pd.DataFrame], columns: Mapping[str, str], whose: str) -> list[dict[str, str]]:
    """The part of a mapping that each frame has headers for; a header that none of several has is an error."""
    if len(frames) == 1:
        return [dict(columns)]
    headers = [set(map(str, frame.columns)) for frame in frames]
    for header in columns.values():
        if not any(header in own for own in headers):
            raise RosterError(f"{whose}: no part has a column {header!r}", hint="name a header of one of the parts")
    return [{field: header for field, header in columns.items() if header in own} for own in headers]


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
) -> tuple[Encodings, HomeRows]:
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
        make_decoys(unique, schema, per_row(decoys, len(unique)), Draws(root, "decoys")),
        make_decoys(unique, schema, relatives, Draws(root, "relatives"), relatives=True),
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
            respelled(each, unique, people.take(others), of, schema, Draws(root, name), relatives=each is made[1])
            for each, name in zip(made, ("spellings of decoys", "spellings of relatives"), strict=True)
        ]
        anew = encode(join_people([each for each, _ in told]), schema, key.secret).words
        place = np.concatenate([sizes[0] + told[0][1], sizes[0] + sizes[1] + told[1][1]])
        taken = np.isin(_keys(anew), _keys(known))
        anew[taken] = np.concatenate(bits)[place[taken]]  # it reads like somebody: the decoy stays with one spelling
        parts += [people.take(others), *(each for each, _ in told)]
        bits += [own[others], anew]
        kind = np.append(kind, np.full(len(others) + len(anew), SPELLING, dtype=np.uint8))
        base = np.concatenate([base, of, place])
    everybody, words = join_people(parts), np.concatenate(bits)
    stamp, total = stamp_of(schema, key), len(kind)
    rows = HomeRows(
        "list",
        stamp,
        people.rows_read,
        schema.false_match_rate,
        int(made[0].fell_back.sum()),
        key.repeatable or seed is not None,
        np.empty(total, dtype="V16"),
        everybody.rows,
        base.astype(np.int32),
        kind,
        everybody.completeness(schema),
        _id_bytes(ids, unique.rows, total),
        _labels(everybody, schema),
        policy_of(schema),
    )
    of_roster = rows.of_roster()
    rows.handles[of_roster] = _handles(own_root, "list", int(of_roster.sum()))
    rows.handles[~of_roster] = _handles(root, "made-up", int((~of_roster).sum()))
    order = Draws(root, "list order").permutation(total)
    return Encodings("list", stamp, 0, rows.handles[order], BitMatrix(words[order])), rows


def unused_controls(controls: People | None, rows: HomeRows) -> Iterator[str]:
    """A line where some of the controls were left out of an encoded list."""
    count = controls.rows_read if controls is not None else 0
    if unused := count - len(rows.of_kind(CONTROL)):
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
    different = different[turns(of[different]) < MOST_SPELLINGS - 1]
    return rows[different], of[different]


def _in_all(count: int, *parts: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers of the first records, 0 for those after them."""
    numbers = np.zeros(count, dtype=np.int64)
    numbers[: sum(map(len, parts))] = np.concatenate(parts)
    return numbers


def _labels(people: People, schema: Schema) -> tuple[Label, ...]:
    """What is known of people beside the linked fields, and the decade of their birth."""
    labels = [
        Label(field.name, field.type, field.role, people.columns[field.name].values, people.columns[field.name].codes)
        for field in schema.fields
        if field.role != "link" and len(people.columns[field.name].values)
    ]
    for field in schema.linked():
        if field.type in ("date", "year") and not any(label.role == "decade" for label in labels):
            column = people.columns[field.name]
            numbers = {decade: at for at, decade in enumerate(dict.fromkeys(value[:3] for value in column.values))}
            of = np.array([numbers[value[:3]] for value in column.values] + [MISSING], dtype=np.int32)
            labels.append(Label("decade", "year", "decade", tuple(numbers), of[column.codes]))
    codes, distinct = pd.factorize(np.array(filled_shapes(people, schema), dtype=object))
    labels.append(Label("filled", "text", "filled", tuple(map(str, distinct)), codes.astype(np.int32)))
    return tuple(labels)


def filled_shapes(people: People, schema: Schema) -> list[str]:
    """Of each row how full its linked fields are, a digit for each in the order of the schema."""
    return ["".join(each) for each in zip(*(_how_full(people, field) for field in schema.linked()), strict=True)]


def _how_full(people: People, field: Field) -> list[str]:
    """Of each row: 0 nothing, 1 an initial or part of a date, 2 the whole."""
    column = people.columns[field.name]

    def full(value: str) -> str:
        part = len(value) < len("1985-03-12") if field.type == "date" else value.endswith(".")
        return "1" if part else "2"

    of = [*map(full, column.values), "0"]
    return [of[code] for code in column.codes.tolist()]


@dataclass(frozen=True)
class RegistryPart:
    """Some rows of a registry that have anything to compare, in the order of the roster."""

    read: int  # rows of the roster
    people: People
    handles: NDArray[np.void]
    words: Words


def encode_registry_parts(
    parts: Iterable[People], schema: Schema, key: LinkageKey, root: bytes
) -> Iterator[RegistryPart]:
    """A registry encoded part by part; however it is cut, the rows and their handles are the same."""
    handles, encoder = Draws(root, "registry handles"), Encoder(schema, key.secret)
    for people in parts:
        known = people.take(np.flatnonzero(encodable(people, schema)))
        names = np.frombuffer(handles.bytes(16 * len(known)), dtype="V16")
        yield RegistryPart(people.rows_read, known, names, encoder.encode(known).words)


def encode_registry(
    people: People,
    schema: Schema,
    key: LinkageKey,
    *,
    ids: Mapping[int, str] | None = None,
    seed: int | None = None,
    allow_weak: bool = False,
) -> tuple[Encodings, HomeRows]:
    """Encode every row of a registry that has anything to compare, and every spelling of it, in a shuffled order."""
    if not allow_weak and len(people):
        schema.refuse_weak(filled(schema, people))
    root = fresh_seed() if seed is None else seed_from(seed)
    (part,) = encode_registry_parts([people], schema, key, root)
    known, stamp = part.people, stamp_of(schema, key)
    rows = HomeRows(
        "registry",
        stamp,
        part.read,
        schema.false_match_rate,
        0,
        key.repeatable or seed is not None,
        part.handles,
        known.rows,
        np.unique(known.rows, return_inverse=True)[1].astype(np.int32),
        np.full(len(known), REAL, dtype=np.uint8),
        known.completeness(schema),
        _id_bytes(ids, known.rows, len(known)),
        tuple(label for label in _labels(known, schema) if label.role in ("confirm", "filled")),
    )
    order = Draws(root, "registry order").permutation(len(known))
    return Encodings("registry", stamp, part.read, part.handles[order], BitMatrix(part.words[order])), rows


def stamp_of(schema: Schema, key: LinkageKey) -> Stamp:
    folding = folding_hash()
    return Stamp(schema.length, schema.hardening, folding, schema.fingerprint(folding), key_check(key.secret, schema))


def filled(schema: Schema, *rosters: People) -> tuple[Field, ...]:
    """The linked fields that hold something in every one of the rosters."""
    return tuple(
        field
        for field in schema.linked()
        if all(bool((people.columns[field.name].codes != MISSING).any()) for people in rosters)
    )


class Watched:
    """Parts of a roster as they pass, and what a user must know of all of them: fields that hold nothing, and cells
    that were left out. The ``first`` is kept."""

    def __init__(self, parts: Iterable[People], schema: Schema) -> None:
        self._parts, self._schema = parts, schema
        self._filled: set[Field] = set()
        self._unreadable: dict[tuple[str, str], tuple[int, ...]] = {}
        self._rows = 0
        self.first: People | None = None

    def __iter__(self) -> Iterator[People]:
        for people in self._parts:
            self.first = people if self.first is None else self.first
            self._rows += people.rows_read
            self._filled |= set(filled(self._schema, people))
            for what, rows in people.unreadable.items():
                self._unreadable[what] = self._unreadable.get(what, ()) + rows
            yield people

    def lines(self, whose: str) -> list[str]:
        empty = [field.name for field in self._schema.linked() if field not in self._filled]
        return _bare_lines(empty if self._rows else [], self._unreadable, whose)


def bare_lines(schema: Schema, people: People, whose: str) -> list[str]:
    """What a user must know of the fields of a roster: those that hold nothing, and cells that were left out."""
    watched = Watched([people], schema)
    list(watched)
    return watched.lines(whose)


def _bare_lines(empty: list[str], unreadable: Mapping[tuple[str, str], tuple[int, ...]], whose: str) -> list[str]:
    lines = [f"{whose}: nothing to read for {', '.join(empty)}: missing in every row"] if empty else []
    for (field, reason), rows in sorted(unreadable.items()):
        what = "read without" if reason == LOST_LETTERS else "left out:"
        lines.append(f"{whose}: {len(rows):,} cell(s) of {field} {what} {reason} ({places_text(rows)})")
    return lines


def refuse_same_roster(own: People, theirs: People, schema: Schema) -> None:
    """A list against itself finds everyone and means nothing."""
    if len(own) != len(theirs) or not len(own):
        return
    for field in schema.linked():
        left, right = own.columns[field.name], theirs.columns[field.name]
        if left.values != right.values or not np.array_equal(left.codes, right.codes):
            return
    raise RefusedError("list and registry hold the same people in the same order", hint="name two different rosters")


def encodable(people: People, schema: Schema) -> NDArray[np.bool_]:
    """The rows that have any linked value."""
    present = np.zeros(len(people), dtype=bool)
    for field in schema.linked():
        present |= people.columns[field.name].codes != MISSING
    return present


def _first_of_equals(words: Words) -> NDArray[np.int64]:
    """The places of the rows that equal no row before them, in order."""
    return np.sort(np.unique(_keys(words), return_index=True)[1]).astype(np.int64)


def _keys(words: Words) -> NDArray[np.void]:
    """Each row as one comparable value."""
    rows = np.ascontiguousarray(words)
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()


def _handles(root: bytes, side: str, count: int) -> NDArray[np.void]:
    return np.frombuffer(Draws(root, f"{side} handles").bytes(16 * count), dtype="V16")


def ids_of(frames: Sequence[pd.DataFrame], header: str | None) -> dict[int, str] | None:
    """The owner's own id of each row, by its label, over all parts of a roster; None when none are asked for, and the
    roster has none of itself."""
    header = header or next((frame.attrs["id"] for frame in frames if "id" in frame.attrs), None)
    if header is None:
        return None
    counts = [list(frame.columns).count(header) for frame in frames]
    if max(counts) != 1:
        raise RosterError(f"no single column {header!r} for the ids", hint="--list-id and --registry-id name a header")
    ids: dict[int, str] = {}
    for frame, count in zip(frames, counts, strict=True):
        texts = ["" if pd.isna(value) else str(value) for value in frame[header]] if count else [""] * len(frame)
        for row, text in zip(frame.index, texts, strict=True):
            if len(text.encode(errors="replace")) > MAX_ID_BYTES:
                raise RosterError(
                    f"row {row}, column {header!r}: an id of more than {MAX_ID_BYTES} bytes",
                    hint="--list-id and --registry-id name a column of short ids",
                )
        ids |= zip(row_labels(frame).tolist(), texts, strict=True)
    return ids


def _id_bytes(ids: Mapping[int, str] | None, rows: NDArray[np.int64], count: int) -> NDArray[np.bytes_]:
    texts = [ids[row].encode(errors="replace") for row in rows.tolist()] if ids else []
    return np.array(texts + [b""] * (count - len(texts)), dtype=bytes)


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now
