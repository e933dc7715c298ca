"""A file or a frame becomes people: its columns found, its cells folded, and what was left out said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from pprl.core.errors import RosterError, naming
from pprl.core.row_labels import places_text
from pprl.core.schema import Field, Schema
from pprl.normalize.dates import Order
from pprl.roster.ages import refuse_wrong_ages, year_of_ages
from pprl.roster.column_guess import propose_columns
from pprl.roster.people import LOST_LETTERS, People, filled, join_people, read_people, row_labels
from pprl.roster.read import part_of

MAX_ID_BYTES = 1_024  # the private rows hold every id at the width of the longest


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
