"""People of a roster that is larger than memory: the file is read twice, part by part, and never held.

Some things show only in the roster as a whole: the order of its dates, whether they are birth dates, whether any row
has a section. The first reading settles these from the cells of dates alone. The second folds each part by itself,
and all parts together equal what `roster.load.load` makes of the whole file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from pprl.core.errors import RosterError, naming
from pprl.core.schema import Schema
from pprl.normalize.dates import ORDERS, Order, may_be_date, parse_date
from pprl.roster.ages import refuse_wrong_years, year_of_ages
from pprl.roster.column_guess import ROWS_LOOKED_AT
from pprl.roster.columns_file import Columns, ColumnsLike, as_columns
from pprl.roster.doubts import Doubts
from pprl.roster.files.read import ROWS_OF_A_PART, RosterFile, open_roster
from pprl.roster.load import Note, find_columns, ignore
from pprl.roster.people import (
    People,
    Reader,
    decide_orders,
    distinct_texts,
    fold_of,
    refuse_unusable,
    text_of,
    year_key,
)
from pprl.roster.spellings import separators, separators_by_header

DateCells = Mapping[str, Counter[str]]  # the distinct cells of each date field, and how often each occurs


@dataclass(frozen=True, kw_only=True)
class PeopleInParts:
    """The people of a roster, folded from its file each time they are iterated."""

    whose: str
    schema: Schema
    columns: Mapping[str, str]  # field to header
    orders: Mapping[str, Order]
    file: RosterFile

    def __iter__(self) -> Iterator[People]:
        reader = Reader(self.schema, self.columns, self.orders)
        with naming(self.whose):
            for frame in self.file.parts():
                yield reader.read(frame)


def people_in_parts(
    path: Path | str,
    schema: Schema,
    whose: str = "roster",
    *,
    columns: ColumnsLike = None,
    sheet: str | None = None,
    any_age: bool = False,
    rows: int = ROWS_OF_A_PART,
    note: Note = ignore,
) -> PeopleInParts:
    """The people of one file in parts of at most ``rows`` rows; the other parameters are those of `load`.

    RosterError: as `load`. All of the file is read once before this returns.
    """
    known = as_columns(columns)
    with naming(whose):
        file = open_roster(path, sheet, rows)
        cells, doubts = _first_reading(file, schema, known)
        head = file.head(ROWS_LOOKED_AT)
    headers = find_columns(head, schema, known.headers, whose, note)
    with naming(whose):
        refuse_unusable(head, schema, headers)
        file.several |= separators_by_header(known.separators, [headers])[0]
        dates = {
            field.name: cells[field.name] for field in schema.fields if field.type == "date" and field.name in headers
        }
        orders = decide_orders(dates, known.orders_for(schema))
        if not any_age:
            _refuse_wrong_ages(cells, schema, orders)
    for text in file.notes:
        note(f"{whose}: {text}")
    for text in doubts.lines(orders):
        note(f"warning: {whose}: {text}")
    return PeopleInParts(whose=whose, schema=schema, columns=headers, orders=orders, file=file)


def _refuse_wrong_ages(cells: DateCells, schema: Schema, orders: Mapping[str, Order]) -> None:
    for field in schema.linked():
        if field.type in ("date", "year") and field.name in cells:
            fold = fold_of(field, orders.get(field.name, "dmy"))
            counts_of = cells[field.name] + cells.get(year_key(field.name), Counter())
            born = [(value, count) for cell, count in counts_of.items() if (value := fold(cell)[0])]
            values, counts = [value for value, _ in born], [count for _, count in born]
            refuse_wrong_years(field.name, values, counts, year_of_ages(schema))


def _first_reading(file: RosterFile, schema: Schema, known: Columns) -> tuple[DateCells, Doubts]:
    """The cells of dates, and what looks wrong in a column as a whole.

    Cells that cannot be dates are dropped, so that a column of something else fills no memory.
    """
    head = file.head(ROWS_LOOKED_AT)
    try:
        headers = find_columns(head, schema, known.headers, "")
    except RosterError:
        headers = dict(
            known.headers
        )  # looked for again after the first reading, so that a faulty row is reported first
    fields = [field.name for field in schema.fields if field.type in ("date", "year") and field.name in headers]
    cells: dict[str, Counter[str]] = {key: Counter() for name in fields for key in (name, year_key(name))}
    doubts = Doubts(schema, headers)
    for part in file.parts():
        doubts.look(part)
        for name in fields:
            separator = known.separators.get(name) or separators(part).get(headers[name])
            dates = _column(part, headers[name])
            if dates is None:
                continue
            _count(cells[name], dates, separator)
            years = _column(part, headers.get(year_key(name)))
            if years is not None:
                _count(cells[year_key(name)], years[~dates.map(text_of).map(_is_date)], None)
    return cells, doubts


def _column(frame: pd.DataFrame, header: str | None) -> pd.Series[str] | None:
    labels = list(map(str, frame.columns))
    return frame.iloc[:, labels.index(header)] if header in labels else None


def _count(counter: Counter[str], column: pd.Series[str], separator: str | None) -> None:
    codes, distinct = pd.factorize(column)
    for value, count in zip(distinct, np.bincount(codes[codes >= 0]).tolist(), strict=True):
        for cell in distinct_texts([value], separator):
            if cell in counter or may_be_date(cell):
                counter[cell] += count


@lru_cache(1 << 16)
def _is_date(text: str) -> bool:
    return any(parse_date(text, order) for order in ORDERS)
