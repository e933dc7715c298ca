"""Files and tables become people: columns are found, cells folded, and cells that are left out reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pprl.core.errors import RosterError, naming
from pprl.core.private_rows import MAX_ID_BYTES
from pprl.core.row_labels import labels_text
from pprl.core.schema import FULL_NAME, NAME_TYPES, Schema
from pprl.core.schema_file import load_schema
from pprl.normalize.dates import Order
from pprl.roster.ages import refuse_wrong_ages, year_of_ages
from pprl.roster.column_guess import propose_columns, unread_columns
from pprl.roster.columns_file import Columns, ColumnsLike, as_columns
from pprl.roster.doubts import Doubts
from pprl.roster.files.findings import Findings, notes
from pprl.roster.files.garbled import mended_frame
from pprl.roster.files.paths import part_names
from pprl.roster.files.read import part_of, read_roster
from pprl.roster.people import (
    MISSING,
    ONLY_COUNTED,
    READ_WITHOUT,
    UNREAD,
    People,
    encodable,
    join_people,
    orders_of,
    read_people,
    row_labels,
    unread,
)
from pprl.roster.persons import persons_of
from pprl.roster.spellings import separators, separators_by_header

Table = Path | str | pd.DataFrame
LeftOut = dict[tuple[str, str], tuple[int, ...]]  # rows by field and reason
Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Roster:
    """People, and the tables they were read from; ``columns`` maps the fields of each table to its headers.

    ``warnings`` name the fields that hold nothing and the cells that could not be read.
    """

    people: People
    tables: tuple[pd.DataFrame, ...]
    columns: tuple[Mapping[str, str], ...]
    warnings: tuple[str, ...]

    def counted(self, schema: Schema, whose: str) -> str:
        """A line: how many rows became how many people, how many cells were left out. Rows of a registry stay apart."""
        kept = encodable(self.people, schema)
        if whose != "registry":
            kept &= persons_of(self.people, schema) == np.arange(len(self.people))
        people = self.people.take(np.flatnonzero(kept)).rows_read
        return _counted(whose, self.people.rows_read, people, self.people.left_out)


RosterLike = Roster | People | Table | Sequence[Table]


def ignore(_: str) -> None:
    """Do nothing with a note."""


def load(
    roster: RosterLike,
    schema: Schema | Path | str,
    whose: str = "roster",
    *,
    columns: ColumnsLike = None,
    sheet: str | None = None,
    date_order: Order | None = None,
    any_age: bool = False,
    id_header: str | None = None,
    note: Note = ignore,
) -> Roster:
    """Read a roster from a file or a frame of text, or from several that are parts of one roster.

    A roster that was loaded before is returned unchanged.

    ``columns`` maps fields of the schema to headers, or names a columns file. Fields that it does not map are looked
    for under their own name, a usual header, or by their contents; ``note`` is called with a line for what was found.
    ``date_order`` settles dates that leave open whether the day or the month comes first.
    ``id_header`` names a column whose text will identify the rows in the pairs, ``any_age`` accepts birth dates of
    children and of the very old, and ``whose`` names the roster in messages.

    RosterError: a table cannot be read, a field has several columns to choose from, or a date is ambiguous.
    """
    schema, known = load_schema(schema), as_columns(columns)
    if date_order is not None:
        known = replace(known, order=date_order)
    if isinstance(roster, Roster):
        return roster
    if isinstance(roster, People):
        return Roster(people=roster, tables=(), columns=(), warnings=tuple(field_warnings(roster, schema, whose)))
    sources = in_parts(roster)
    names = part_names(whose, len(sources))
    frames = [_table(source, name, sheet) for source, name in zip(sources, names, strict=True)]
    headers = [
        find_columns(frame, schema, given, name, note)
        for frame, given, name in zip(frames, _headers_of_parts(frames, known.headers, whose), names, strict=True)
    ]
    frames = [
        _with_separators(frame, extra)
        for frame, extra in zip(frames, separators_by_header(known.separators, headers), strict=True)
    ]
    for frame, name in zip(frames, names, strict=True):
        for text in frame.attrs.get("notes", ()):
            note(f"{name}: {text}")
    if len(frames) > 1:
        frames = [part_of(number, frame) for number, frame in enumerate(frames, start=1)]
    parts = [
        _people(frame, schema, mapped, known, name, any_age=any_age, note=note)
        for frame, mapped, name in zip(frames, headers, names, strict=True)
    ]
    people = replace(join_people(parts), ids=_ids(frames, id_header))
    return Roster(
        people=people,
        tables=tuple(frames),
        columns=tuple(headers),
        warnings=tuple(field_warnings(people, schema, whose)),
    )


def in_parts(roster: RosterLike | None) -> list[Any]:
    """The files or frames of a roster, however many they are."""
    if roster is None:
        return []
    return [roster] if isinstance(roster, Table | Roster | People) else list(roster)


def find_columns(
    frame: pd.DataFrame, schema: Schema, given: Mapping[str, str], whose: str, note: Note = ignore
) -> dict[str, str]:
    """The header of each field: those given, and the best guesses for the others, which are noted.

    RosterError: two columns could be one linked field.
    """
    with naming(whose):
        guesses = propose_columns(frame, schema, given, year_of_ages(schema), lambda line: note(f"{whose}: {line}"))
    if sources := [f"{field} {guess.source}" for field, guess in guesses.items() if field != guess.header]:
        note(f"{whose}: {', '.join(sources)}")
    headers = {field: guess.header for field, guess in guesses.items()} | dict(given)
    names = {FULL_NAME, *(field.name for field in schema.linked() if field.type in NAME_TYPES)}
    if names - {FULL_NAME} and not names & headers.keys():
        for text in unread_columns(frame):
            note(f"{whose}: {text}")
    return headers


class WatchedParts:
    """Passes on the parts of a roster and collects what its owner should know at the end: `warnings` and `counted`.

    The ``first`` part is kept.
    """

    def __init__(self, parts: Iterable[People], schema: Schema) -> None:
        self._parts, self._schema = parts, schema
        self._filled: set[str] = set()
        self._left_out: LeftOut = {}
        self._rows = self._people = 0
        self.first: People | None = None

    def __iter__(self) -> Iterator[People]:
        for people in self._parts:
            self.first = people if self.first is None else self.first
            self._rows += people.rows_read
            self._people += people.take(np.flatnonzero(encodable(people, self._schema))).rows_read
            self._filled |= {name for name, column in people.columns.items() if bool((column.codes != MISSING).any())}
            for what, rows in people.left_out.items():
                self._left_out[what] = self._left_out.get(what, ()) + rows
            yield people

    def warnings(self, whose: str) -> list[str]:
        """A line for the linked fields that hold nothing, and one for each kind of cell that could not be read.

        Cells that say that nothing is known are only counted, unless nothing else is left of their field.
        """
        linked = [field.name for field in self._schema.linked()] if self._rows else []
        empty = [name for name in linked if name not in self._filled]
        why = "; ".join(unread(empty, self._left_out)) or "missing in every row"
        lines = [f"{whose}: nothing to read for {', '.join(empty)}: {why}"] if empty else []
        for (field, reason), rows in sorted(self._left_out.items()):
            if reason not in ONLY_COUNTED or field not in self._filled:
                lines.append(f"{whose}: {left_out_text(field, reason, rows)}")
        return lines

    def counted(self, whose: str) -> str:
        """`Roster.counted` of a registry."""
        return _counted(whose, self._rows, self._people, self._left_out)


def left_out_text(field: str, reason: str, rows: tuple[int, ...]) -> str:
    """How many cells of a field were left out, why, and where the first of them are."""
    what = "read without" if reason in READ_WITHOUT else "left out," if reason.startswith(UNREAD) else "left out:"
    return f"{len(rows):,} cell(s) of {field} {what} {reason} ({labels_text(rows)})"


def _counted(whose: str, rows: int, people: int, left_out: Mapping[tuple[str, str], tuple[int, ...]]) -> str:
    cells = sum(map(len, left_out.values()))
    lost = f"{cells:,} cell(s) left out or read in part (`pprl check` lists them)" if cells else "no cell left out"
    return f"{whose}: {rows:,} row{'s' * (rows != 1)}, {people:,} {'person' if people == 1 else 'people'}, {lost}"


def field_warnings(people: People, schema: Schema, whose: str) -> list[str]:
    """`WatchedParts.warnings` of a roster in one part."""
    watched = WatchedParts([people], schema)
    for _ in watched:
        pass
    return watched.warnings(whose)


def _table(source: Table, name: str, sheet: str | None) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return _mended(source)
    with naming(name):
        return read_roster(source, sheet)


def _mended(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame given in Python with garbled cells turned back, and a note of their rows."""
    findings = Findings()
    mended = mended_frame(frame, findings)
    if found := notes([findings.rows()]):
        mended.attrs = {**frame.attrs, "notes": (*frame.attrs.get("notes", ()), *found)}
    return mended


def _headers_of_parts(frames: Sequence[pd.DataFrame], given: Mapping[str, str], whose: str) -> list[dict[str, str]]:
    """The given headers that each part has; RosterError for a header that none of several parts has."""
    if len(frames) == 1:
        return [dict(given)]
    headers = [set(map(str, frame.columns)) for frame in frames]
    for header in given.values():
        if not any(header in part for part in headers):
            raise RosterError(f"{whose}: no part has a column {header!r}", hint="name a header of one of the parts")
    return [{field: header for field, header in given.items() if header in part} for part in headers]


def _with_separators(frame: pd.DataFrame, extra: Mapping[str, str]) -> pd.DataFrame:
    """The frame with further columns whose cells hold several values; the caller's own frame stays as it is."""
    if not extra:
        return frame
    frame = frame.copy(deep=False)
    frame.attrs = {**frame.attrs, "several": {**separators(frame), **extra}}
    return frame


def _people(
    frame: pd.DataFrame,
    schema: Schema,
    headers: Mapping[str, str],
    known: Columns,
    whose: str,
    *,
    any_age: bool,
    note: Note,
) -> People:
    with naming(whose):
        orders = orders_of(frame, schema, headers, known.orders_for(schema))
        people = read_people(frame, schema, headers, orders)
        if not any_age:
            refuse_wrong_ages(people, schema, year_of_ages(schema))
    doubts = Doubts(schema, headers)
    doubts.look(frame)
    for line in doubts.lines(orders):
        note(f"warning: {whose}: {line}")
    return people


def _ids(frames: Sequence[pd.DataFrame], header: str | None) -> dict[int, str]:
    """The owner's id of each row by its label, from the given column or from the one that the file itself names."""
    header = header or next((frame.attrs["id"] for frame in frames if "id" in frame.attrs), None)
    if header is None:
        return {}
    counts = [list(frame.columns).count(header) for frame in frames]
    if max(counts) != 1:
        raise RosterError(f"the ids need exactly one column {header!r}", hint="name its header with --id")
    ids: dict[int, str] = {}
    for frame, count in zip(frames, counts, strict=True):
        texts = ["" if pd.isna(value) else str(value) for value in frame[header]] if count else [""] * len(frame)
        for row, text in zip(frame.index, texts, strict=True):
            if len(text.encode(errors="replace")) > MAX_ID_BYTES:
                raise RosterError(
                    f"row {row}, column {header!r}: the id is longer than {MAX_ID_BYTES:,} bytes",
                    hint="name a column of short ids with --id",
                )
        ids |= zip(row_labels(frame).tolist(), texts, strict=True)
    return ids
