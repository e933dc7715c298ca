"""The whole path from two rosters to matched people with an error rate.

`encode_list` and `encode_registry` make what crosses (`Encodings`) and what stays home (`PrivateRows`);
`match_encodings` compares without key or labels; `judge` opens the labels. `link` is these steps in one process, for
someone who holds both rosters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pprl.core.errors import RefusedError
from pprl.core.key import LinkageKey
from pprl.core.schema import Schema
from pprl.encode.decoys import decoys_against, per_row
from pprl.encode.list import encode_list, unused_controls
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import Assessment, Provenance, judge
from pprl.judge.labels import asked_rate
from pprl.match.encodings import match_encodings
from pprl.normalize.dates import Order
from pprl.roster.load import bare_lines, ids_of, numbered, people_of, people_of_parts
from pprl.roster.people import People, filled


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
    run: Callable[[], str] = str,
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
    provenance = Provenance(warnings=said, run=run, seconds=lambda: clock.lap("judge"))
    return judge(scores, rows, their_rows, rate=asked, encodings=encoded, provenance=provenance)


def pairs_to_compare(own: People, theirs: People, schema: Schema) -> int:
    """About how many pairs `link_people` compares, decoys included."""
    return len(own) * (1 + per_row(decoys_against(len(theirs), schema), len(own))) * len(theirs)


def refuse_same_roster(own: People, theirs: People, schema: Schema) -> None:
    """A list against itself finds everyone and means nothing."""
    if len(own) != len(theirs) or not len(own):
        return
    for field in schema.linked():
        left, right = own.columns[field.name], theirs.columns[field.name]
        if left.values != right.values or not np.array_equal(left.codes, right.codes):
            return
    raise RefusedError("list and registry hold the same people in the same order", hint="name two different rosters")


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> dict[str, float]:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now
        return self.laps
