"""A linked field that holds nothing in a roster: a linkage would lose it in silence, so it is refused.

Each row lacks the field then, whether it has no column or a column that nobody filled or that cannot be read. What
the other roster says in it is compared with nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import pandas as pd

from pprl.core.errors import RefusedError
from pprl.core.schema import Schema
from pprl.roster.load import LeftOut, Roster, left_out_text
from pprl.roster.people import filled, headers_hint, read_from
from pprl.roster.streaming import PeopleInParts


def refuse_empty(roster: Roster, schema: Schema, whose: str, other: Roster | None = None, others: str = "") -> None:
    """RefusedError: a linked field has no value in any row of the roster. ``other`` is the roster of ``others``."""
    people = roster.people
    held = {field.name for field in filled(schema, people)}
    empty = [field.name for field in schema.linked() if field.name not in held] if len(people) else []
    if not empty:
        return
    elsewhere = ""
    if other is not None and (there := [f.name for f in filled(schema, other.people) if f.name in empty]):
        elsewhere = f"; the {others} has {_with_columns(there, other.columns, _headers(other.tables), schema)}"
    headers = _headers(roster.tables)
    raise _refusal(whose, empty, roster.columns, schema, headers, people.left_out, elsewhere)


def refuse_empty_parts(parts: PeopleInParts) -> None:
    """`refuse_empty` of a roster in parts, of which as many are read as hold a value of every linked field."""
    linked = [field.name for field in parts.schema.linked()]
    empty, left_out, rows = linked, LeftOut(), 0
    for people in parts:
        held = {field.name for field in filled(parts.schema, people)}
        empty, rows = [name for name in empty if name not in held], rows + len(people)
        if not empty:
            return
        for what, found in people.left_out.items():
            left_out[what] = left_out.get(what, ()) + found
    if rows:
        headers = _headers([parts.file.head(1)])
        raise _refusal(parts.whose, empty, [parts.columns], parts.schema, headers, left_out, "")


def _refusal(
    whose: str,
    empty: Sequence[str],
    columns: Sequence[Mapping[str, str]],
    schema: Schema,
    headers: Sequence[Sequence[str]],
    left_out: Mapping[tuple[str, str], tuple[int, ...]],
    elsewhere: str,
) -> RefusedError:
    named = _with_columns(empty, columns, headers, schema)
    unread = "".join(f"; {left_out_text(*what, left_out[what])}" for what in sorted(left_out) if what[0] in empty)
    return RefusedError(
        f"{whose}: no row has a value for what is linked: {named}{unread}{elsewhere}",
        hint=f"name the column with --column {empty[0]}=HEADER, take the field out of the schema, or pass "
        f"--allow-empty to link without it; {headers_hint(list(chain.from_iterable(headers)))}",
    )


def _headers(tables: Iterable[pd.DataFrame]) -> list[list[str]]:
    return [list(map(str, table.columns)) for table in tables]


def _with_columns(
    names: Sequence[str], columns: Sequence[Mapping[str, str]], headers: Sequence[Sequence[str]], schema: Schema
) -> str:
    """Fields, and the columns from which they were to be read."""
    by_source: dict[str, list[str]] = {}
    for name in names:
        found = read_from(name, schema, columns, headers)
        by_source.setdefault(f"column {found[0]!r}" if found else "no column found", []).append(name)
    return "; ".join(f"{', '.join(fields)} ({source})" for source, fields in by_source.items())
