"""What `pprl check` does, in one call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pprl.core.randomness import seed_from
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.match.threads import threads as thread_pool
from pprl.preflight.power import Preview, pairs_to_try, preview, with_claims
from pprl.roster.load import RosterLike, load


def check(
    roster: RosterLike,
    schema: Schema | Path | str,
    *,
    registry_rows: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Preview:
    """What of a roster would be encoded: rows, people, duplicates, and the cells that cannot be read.

    With ``registry_rows`` also what each class of rows could claim against an invented registry of that size; a
    ``seed`` repeats that trial, and ``progress`` is called with about how many pairs it compares in all and how many
    since the last call.

    RosterError: as `load`.
    """
    schema = load_schema(schema)
    loaded = load(roster, schema)
    result = preview(loaded.people, loaded.tables, loaded.columns, schema)
    if registry_rows is None or not result.people:
        return result
    with thread_pool(threads) as engine:
        return with_claims(
            result,
            loaded.people,
            schema,
            registry_rows,
            seed=None if seed is None else seed_from(seed),
            map=engine.map,
            progress=progress and partial(progress, pairs_to_try(result, schema, registry_rows)),
        )
