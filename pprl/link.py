"""Both rosters in hand: the whole path from two files to matched people with an error rate.

- load the list and the registry (`pprl.roster`)
- refuse comparisons that would mean nothing (here)
- encode both (`pprl.encode`) and compare the encodings (`pprl.match`)
- judge the scores (`pprl.judge`)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.encodings import Encodings, decoys_of_registry, is_big
from pprl.core.errors import RefusedError, with_options_of
from pprl.core.key import LinkageKey
from pprl.core.private_rows import PrivateRows
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.core.scores import Scores
from pprl.encode.decoys import decoys_per_person, enough_decoys
from pprl.encode.encoder import Encoder
from pprl.encode.list import encode_list, unused_controls, unused_spellings
from pprl.encode.planting import plant
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import Assessment, Provenance, judge
from pprl.judge.labels import asked_rate
from pprl.judge.missed import Planted
from pprl.match.encodings import match_encodings
from pprl.match.threads import threads as thread_pool
from pprl.normalize.dates import Order
from pprl.roster.columns_file import ColumnsLike, as_columns
from pprl.roster.empty_fields import refuse_empty
from pprl.roster.files.paths import look_at
from pprl.roster.ledger import count_in_ledger
from pprl.roster.load import Note, Roster, RosterLike, ignore, in_parts, load
from pprl.roster.people import People, encodable, filled

Progress = Callable[
    [int, int], None
]  # about how many pairs there are in all, and how many were compared since the last call


def link(
    leaked: RosterLike,
    registry: RosterLike,
    schema: Schema | Path | str,
    *,
    list_columns: ColumnsLike = None,
    registry_columns: ColumnsLike = None,
    list_sheet: str | None = None,
    registry_sheet: str | None = None,
    list_id: str | None = None,
    registry_id: str | None = None,
    list_date_order: Order | None = None,
    registry_date_order: Order | None = None,
    any_age: bool = False,
    controls: RosterLike | None = None,
    rate: float | str | None = None,
    seed: int | None = None,
    allow_weak: bool = False,
    allow_empty: bool = False,
    allow_larger_list: bool = False,
    threads: int | None = None,
    ledger: bool = False,
    progress: Progress | None = None,
    note: Note = ignore,
) -> Assessment:
    """How many people on the list appear in the registry, who they are, and how many of the matches are false.

    Several files or frames are parts of one list, in which nobody counts twice. Fields that ``…_columns`` do not map
    are found by header and contents; ``…_date_order`` settles dates that could be read in two ways; ``…_id`` name
    columns of ids to show in the pairs. ``controls`` are real people known to be in no registry, ``rate`` is the
    false-match rate asked for (0.05 or "5%"), and a ``seed`` makes the run repeatable and not secret. PprlError, with a
    hint, for everything that the caller can put right.
    """
    schema, columns = load_schema(schema), as_columns(list_columns)
    look_at({"list": in_parts(leaked), "control": in_parts(controls), "registry": in_parts(registry)})
    asked = schema.false_match_rate / 10_000 if rate is None else asked_rate(rate)
    if not allow_weak:
        schema.refuse_weak()
    with with_options_of("list"):
        listed = load(
            leaked,
            schema,
            "list",
            columns=columns,
            sheet=list_sheet,
            date_order=list_date_order,
            any_age=any_age,
            id_header=list_id,
            note=note,
        )
    with with_options_of("registry"):
        registered = load(
            registry,
            schema,
            "registry",
            columns=registry_columns,
            sheet=registry_sheet,
            date_order=registry_date_order,
            any_age=any_age,
            id_header=registry_id,
            note=note,
        )
    absent = None
    if controls is not None:
        with with_options_of("list"):
            absent = load(
                controls, schema, "control", columns=columns, date_order=list_date_order, any_age=any_age, note=note
            )
    for whose, roster in {"list": listed, "registry": registered, "control": absent}.items():
        if roster is not None:
            note(roster.counted(schema, whose))
    refuse_unwise(
        listed,
        registered,
        schema,
        allow_weak=allow_weak,
        allow_empty=allow_empty,
        allow_larger_list=allow_larger_list,
    )
    comparison = encode_and_match(
        listed, registered, absent, schema, seed=seed, allow_weak=allow_weak, threads=threads, progress=progress
    )
    if repeated := comparison.registry_rows.counts().get("repeated rows"):
        note(f"registry: {repeated:,} rows repeat others in everything compared, and count once")
    count = partial(count_in_ledger, listed, registered, absent, schema, asked, repeatable=seed is not None, note=note)
    return judge_comparison(comparison, asked, count if ledger else lambda: "")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Scores, and what is needed to judge them: private rows, the list's bits, people planted, warnings, seconds."""

    scores: Scores
    list_encodings: Encodings
    list_rows: PrivateRows
    registry_rows: PrivateRows
    planted: Planted | None
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]


def encode_and_match(
    listed: Roster,
    registered: Roster,
    controls: Roster | None,
    schema: Schema,
    *,
    seed: int | None,
    allow_weak: bool,
    threads: int | None,
    progress: Progress | None,
) -> Comparison:
    """Both rosters under a key drawn for this run, and the best partners of every record of the list."""
    start = time.perf_counter()
    key, randomness = LinkageKey.make(seed), Randomness.make(seed)
    list_encodings, list_rows = encode_list(
        listed,
        schema,
        key,
        controls=controls,
        big_registry=is_big(len(registered.people)),
        randomness=randomness,
        allow_weak=allow_weak,
    )
    registry_encodings, registry_rows = encode_registry(
        registered, schema, key, randomness=randomness, allow_weak=allow_weak
    )
    encoded = time.perf_counter()
    with thread_pool(threads) as engine:
        counted = progress and partial(progress, pairs_to_compare(listed.people, registered.people, schema))
        scores = match_encodings(list_encodings, registry_encodings, map=engine.map, progress=counted)
    matched = time.perf_counter()
    planted = planted_people(listed.people, registered.people, schema, key, randomness)
    unused = (
        *unused_controls(controls.people if controls else None, list_rows),
        *unused_spellings(listed.people, schema, list_rows),
    )
    return Comparison(
        scores=scores,
        list_encodings=list_encodings,
        list_rows=list_rows,
        registry_rows=registry_rows,
        planted=planted,
        warnings=(*listed.warnings, *registered.warnings, *unused),
        seconds={
            "encode": round(encoded - start, 3),
            "match": round(matched - encoded, 3),
            "plant": round(time.perf_counter() - matched, 3),
        },
    )


def planted_people(
    listed: People, registered: People, schema: Schema, key: LinkageKey, randomness: Randomness
) -> Planted | None:
    """How similar people of the list would be to their records in the registry; None where a side is empty."""
    if not encodable(listed, schema).any() or not len(registered):
        return None
    planting = plant(listed, registered, schema, RandomStream(randomness.synthetic, "planted people"))
    encoder = Encoder(schema, key.secret, randomness.synthetic)
    ours, theirs = (encoder.encode(people) for people in (planting.listed, planting.registered))
    common = BitMatrix(ours.words & theirs.words).weights()
    total = np.maximum(1, ours.weights() + theirs.weights())
    return Planted(
        completeness=planting.listed.completeness(schema),
        similarity=np.where(encodable(planting.registered, schema), 2 * common / total, 0.0)[:, None],
        rows=np.array([1]),
        differs=planting.differs,
        pairs=planting.pairs,
        measured=planting.measured,
    )


def judge_comparison(comparison: Comparison, rate: float, run: Callable[[], str]) -> Assessment:
    """Open the labels and judge; ``run`` counts this run once its figures are known, and describes the count."""
    start = time.perf_counter()
    provenance = Provenance(
        warnings=comparison.warnings,
        run=run,
        own_decoys=True,
        seconds=lambda: {**comparison.seconds, "judge": round(time.perf_counter() - start, 3)},
    )
    return judge(
        comparison.scores,
        comparison.list_rows,
        comparison.registry_rows,
        rate=rate,
        encodings=comparison.list_encodings,
        planted=comparison.planted,
        provenance=provenance,
    )


def refuse_unwise(
    listed: Roster,
    registered: Roster,
    schema: Schema,
    *,
    allow_weak: bool = False,
    allow_empty: bool = False,
    allow_larger_list: bool = False,
) -> None:
    """RefusedError: the rosters are swapped or identical, or a linked field is empty, or too little is in common."""
    list_people, registry_people = listed.people, registered.people
    if list_people.rows_read > registry_people.rows_read and not allow_larger_list:
        raise RefusedError(
            "the list is larger than the registry",
            hint="are the two swapped? If not, pass --yes-list (in Python allow_larger_list=True)",
        )
    if _same_people(list_people, registry_people, schema):
        raise RefusedError(
            "list and registry hold the same people in the same order", hint="name two different rosters"
        )
    common = filled(schema, list_people, registry_people)
    lost = (*listed.warnings, *registered.warnings)
    if not common and len(list_people) and len(registry_people):
        raise RefusedError(
            "no linked field is filled in both rosters",
            hint="; ".join((*lost, "name the columns, say --list-column surname=HEADER")),
        )
    if not allow_empty and len(list_people) and len(registry_people):
        with with_options_of("list"):
            refuse_empty(listed, schema, "list", registered, "registry")
        with with_options_of("registry"):
            refuse_empty(registered, schema, "registry", listed, "list")
    if common and not allow_weak:
        schema.refuse_weak(common, lost)


def _same_people(list_people: People, registry_people: People, schema: Schema) -> bool:
    """A list linked with itself finds everyone and means nothing."""
    if len(list_people) != len(registry_people) or not len(list_people):
        return False
    pairs = [(list_people.columns[field.name], registry_people.columns[field.name]) for field in schema.linked()]
    return all(left.values == right.values and np.array_equal(left.codes, right.codes) for left, right in pairs)


def pairs_to_compare(list_people: People, registry_people: People, schema: Schema) -> int:
    """About how many pairs `link` compares, decoys included."""
    rows = len(registry_people)
    decoys = enough_decoys(decoys_per_person(schema, big=is_big(rows)), len(list_people))
    return (len(list_people) * (1 + decoys) + decoys_of_registry(rows)) * rows
