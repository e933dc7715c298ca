"""People of a roster that is larger than memory: the file is read twice, part by part, and never held.

Some things only the whole of a roster tells: in which order its dates are written, whether they are birth dates,
whether any row has a section. The first reading answers these from the cells of dates alone; then every part is folded
by itself, and all of them together are what `people_of` makes of the whole frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pprl.core.errors import RosterError, naming
from pprl.core.schema import Schema
from pprl.normalize.dates import Order, may_be_date
from pprl.roster.ages import refuse_wrong_years, year_of_ages
from pprl.roster.column_guess import ROWS_LOOKED_AT, Guess, propose_columns
from pprl.roster.people import People, Reader, decide_orders, fold_of, refuse_unusable, text_of
from pprl.roster.read import ROWS_OF_A_PART, Roster, open_roster
from pprl.roster.spellings import distinct_values, headers_of_several, separators


@dataclass(frozen=True)
class PeopleInParts:
    """The people of a roster, folded anew from its file each time they are iterated.

    ``columns`` says which header serves which field, ``proposed`` which of them were proposed and why.
    """

    whose: str
    schema: Schema
    columns: Mapping[str, str]
    proposed: Mapping[str, Guess]
    orders: Mapping[str, Order]
    roster: Roster

    def __iter__(self) -> Iterator[People]:
        return (people for _, people in self.with_frames())

    def with_frames(self) -> Iterator[tuple[pd.DataFrame, People]]:
        """The people of each part beside the frame that they were read from."""
        reader = Reader(self.schema, self.columns, self.orders)
        with naming(self.whose):
            for frame in self.roster.parts():
                yield frame, reader.read(frame)


def people_in_parts(
    path: Path | str,
    schema: Schema,
    columns: Mapping[str, str] | None,
    orders: Mapping[str, Order] | None,
    whose: str,
    *,
    sheet: str | None = None,
    any_age: bool = False,
    several: Mapping[str, str] | None = None,
    rows: int = ROWS_OF_A_PART,
) -> PeopleInParts:
    """`people_of` for a file, in parts of at most so many rows; all of it is read once, for its dates. ``several`` says
    what stands between the values of a field whose cells hold several.

    RosterError: as `read_roster` and `people_of`.
    """
    given, year = dict(columns or {}), year_of_ages(schema)
    with naming(whose):
        roster = open_roster(path, sheet, rows)
        cells = _cells_of_dates(roster, schema, given, year, several or {})
        head = roster.head(ROWS_LOOKED_AT)
        proposed = propose_columns(head, schema, given, year)
        mapped = {field: guess.header for field, guess in proposed.items()} | given
        refuse_unusable(head, schema, mapped)
        roster.several |= headers_of_several(several or {}, [mapped])[0]
        dates = {
            entry.name: cells[entry.name] for entry in schema.fields if entry.type == "date" and entry.name in mapped
        }
        decided = decide_orders(dates, orders or {})
        for field in schema.linked() if not any_age else ():
            if field.type in ("date", "year") and field.name in mapped:
                fold = fold_of(field, decided.get(field.name, "dmy"))
                born = [(value, count) for cell, count in cells[field.name].items() if (value := fold(cell)[0])]
                refuse_wrong_years(field.name, [value for value, _ in born], [count for _, count in born], year)
    return PeopleInParts(whose, schema, mapped, proposed, decided, roster)


def _cells_of_dates(
    roster: Roster, schema: Schema, given: Mapping[str, str], year: int, several: Mapping[str, str]
) -> dict[str, Counter[str]]:
    """The first reading: the distinct cells of each field of dates or years, and how often each occurs.

    What is no date is left out, so that a column of other things cannot fill the memory.
    """
    head = roster.head(ROWS_LOOKED_AT)
    try:
        proposed = propose_columns(head, schema, given, year)
    except RosterError:
        proposed = {}  # it is raised again when the rest was read: what is wrong in a row comes first
    mapped = {field: guess.header for field, guess in proposed.items()} | dict(given)
    headers = list(map(str, head.columns))
    cells: dict[str, Counter[str]] = {
        field.name: Counter() for field in schema.fields if field.type in ("date", "year") and field.name in mapped
    }
    for part in roster.parts():
        for name, counter in cells.items():
            if mapped[name] in headers:
                codes, distinct = pd.factorize(part.iloc[:, headers.index(mapped[name])])
                separator = several.get(name) or separators(part).get(mapped[name])
                for text, count in zip(map(text_of, distinct), np.bincount(codes).tolist(), strict=True):
                    for cell in distinct_values([text], separator):
                        if cell in counter or may_be_date(cell):
                            counter[cell] += count
    return cells
