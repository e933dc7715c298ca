"""Both rosters in hand: the whole path from two files to matched people with an error rate.

load the list and the registry      roster
refuse what would mean nothing      here
encode both                         encode
compare the encodings               match
judge the scores                    judge
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pprl.core.errors import RefusedError
from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.encode.decoys import decoys_per_person, enough_decoys, is_big
from pprl.encode.list import encode_list, unused_controls
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import Assessment, asked_rate, judge
from pprl.match.encodings import match_encodings
from pprl.match.threads import threads as thread_pool
from pprl.roster.columns_file import ColumnsLike, as_columns
from pprl.roster.ledger import count_in_ledger
from pprl.roster.load import Note, Roster, RosterLike, ignore, in_parts, load
from pprl.roster.paths import look_at
from pprl.roster.people import People, filled

Progress = Callable[[int, int], None]  # about how many pairs there are, and how many were compared since the last call


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
    list_any_age: bool = False,
    registry_any_age: bool = False,
    controls: RosterLike | None = None,
    rate: float | str | None = None,
    seed: int | None = None,
    allow_weak: bool = False,
    allow_larger_list: bool = False,
    threads: int | None = None,
    ledger: bool = False,
    progress: Progress | None = None,
    note: Note = ignore,
) -> Assessment:
    """How many people on the list appear in the registry, who they are, and how many of the matches are false.

    ``leaked`` and ``registry`` are files, frames of text, or rosters loaded before; several files or frames are parts
    of one list, in which nobody counts twice. ``…_columns`` map fields of the schema to headers, or name a columns
    file; other fields are found by header and contents. ``…_id`` name columns of ids to show in the pairs, and
    ``…_any_age`` accept birth dates of children and of the very old. ``controls`` are real people known to be in no
    registry.

    ``rate`` is the false-match rate asked for, such as 0.05 or "5%"; by default the schema's. A ``seed`` makes the run
    repeatable and not secret. With ``ledger`` the run is counted in the ledger of runs, as the command does. ``note``
    is called with each line that the command prints while it works, ``progress`` during the search.

    PprlError, with a hint, for everything that the caller can mend.
    """
    schema, columns = load_schema(schema), as_columns(list_columns)
    look_at({"list": in_parts(leaked), "control": in_parts(controls), "registry": in_parts(registry)})
    if not allow_weak:
        schema.refuse_weak()
    listed = load(
        leaked, schema, "list", columns=columns, sheet=list_sheet, any_age=list_any_age, id_header=list_id, note=note
    )
    registered = load(
        registry,
        schema,
        "registry",
        columns=registry_columns,
        sheet=registry_sheet,
        any_age=registry_any_age,
        id_header=registry_id,
        note=note,
    )
    absent = None
    if controls is not None:
        absent = load(controls, schema, "control", columns=columns, any_age=list_any_age, note=note)

    refuse_unwise(listed, registered, schema, allow_weak=allow_weak, allow_larger_list=allow_larger_list)
    asked = schema.false_match_rate / 10_000 if rate is None else asked_rate(rate)

    stopwatch = Stopwatch()
    key, randomness = LinkageKey.make(seed), Randomness.make(seed)
    list_encodings, list_rows = encode_list(
        listed,
        schema,
        key,
        controls=absent.people if absent else None,
        big_registry=is_big(len(registered.people)),
        randomness=randomness,
        allow_weak=allow_weak,
    )
    registry_encodings, registry_rows = encode_registry(
        registered, schema, key, randomness=randomness, allow_weak=allow_weak
    )
    stopwatch.lap("encode")
    with thread_pool(threads) as engine:
        counted = progress and partial(progress, pairs_to_compare(listed.people, registered.people, schema))
        scores = match_encodings(list_encodings, registry_encodings, map=engine.map, progress=counted)
    stopwatch.lap("match")
    run = ""
    if ledger:
        run = count_in_ledger(listed, registered, absent, schema, asked, repeatable=seed is not None, note=note)
    warnings = [*listed.warnings, *registered.warnings]
    if absent:
        warnings += unused_controls(absent.people, list_rows)
    assessment = judge(scores, list_rows, registry_rows, rate=asked, encodings=list_encodings)
    stopwatch.lap("judge")
    # JOIN: `judge` is about to take warnings=, seconds= and run= itself.
    return replace(assessment, seconds=stopwatch.laps, warnings=(*warnings, *assessment.warnings), run=run)


def refuse_unwise(
    listed: Roster, registered: Roster, schema: Schema, *, allow_weak: bool = False, allow_larger_list: bool = False
) -> None:
    """RefusedError: the rosters are swapped, one and the same, or have too little in common to be linked."""
    own, theirs = listed.people, registered.people
    if own.rows_read > theirs.rows_read and not allow_larger_list:
        raise RefusedError(
            "the list is larger than the registry",
            hint="are the two swapped? If not, pass --yes-list (in Python allow_larger_list=True)",
        )
    if _same_people(own, theirs, schema):
        raise RefusedError(
            "list and registry hold the same people in the same order", hint="name two different rosters"
        )
    common = filled(schema, own, theirs)
    if not common and len(own) and len(theirs):
        name_columns = "name the columns, say --list-column surname=HEADER"
        raise RefusedError(
            "no linked field is filled in both rosters",
            hint="; ".join((*listed.warnings, *registered.warnings, name_columns)),
        )
    if common and not allow_weak:
        schema.refuse_weak(common)


def _same_people(own: People, theirs: People, schema: Schema) -> bool:
    """A list linked with itself finds everyone and means nothing."""
    if len(own) != len(theirs) or not len(own):
        return False
    pairs = [(own.columns[field.name], theirs.columns[field.name]) for field in schema.linked()]
    return all(left.values == right.values and np.array_equal(left.codes, right.codes) for left, right in pairs)


def pairs_to_compare(own: People, theirs: People, schema: Schema) -> int:
    """About how many pairs `link` compares, decoys included."""
    decoys = enough_decoys(decoys_per_person(schema, big=is_big(len(theirs))), len(own))
    return len(own) * (1 + decoys) * len(theirs)


class Stopwatch:
    """Seconds of each step, by name."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now
