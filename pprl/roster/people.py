"""A roster becomes people: for each field of the schema a short list of canonical values, and one code per row.

Everything after this point works on distinct values; a million rows hold far fewer names. Cells that cannot be read
are counted by field and reason, with their rows, and never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.errors import RosterError
from pprl.core.schema import FULL_NAME, NAME_TYPES, Field, Schema
from pprl.normalize.cells import (
    GARBLED_IN_PART,
    NOTHING,
    SHEET_ERROR,
    clean,
    is_plain_word,
    lost_letters,
    mark_lost_letters,
    may_end_in_nothing,
    split_nothing,
    why_missing,
    without_lost_letters,
)
from pprl.normalize.dates import Order, decide_order, parse_date, why_no_date
from pprl.normalize.names import (
    fold_name,
    split_full_name,
    split_patronymic,
    split_usual_name,
    without_remarks,
    without_titles,
)
from pprl.normalize.ranks import fold_rank, quick_look, split_rank
from pprl.normalize.sex import sex_of
from pprl.normalize.text import dropped_letters, unread_alphabet
from pprl.normalize.titles import may_hold_title
from pprl.normalize.values import fold_category, fold_identifier, fold_number, fold_sex, fold_year
from pprl.roster.files.headers import column_name, header_types, shown
from pprl.roster.files.serials import number_text
from pprl.roster.spellings import MOST_SPELLINGS, TOO_MANY, distinct_values, separators, spread

MISSING = -1
MAX_CELL_BYTES = 65_536
REMEMBERED = 65_536  # cells per column


def year_key(field: str) -> str:
    """The key of the column of years that fills a date field where its cell is missing, beside the fields' names."""
    return f"{field}.year"


@dataclass(frozen=True)
class Column:
    """Distinct canonical values and, for each row, the index of its value among them (−1 where it is missing)."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]  # shape (rows,)

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Column:
        """The column of one value a row, None where it is missing."""
        codes, distinct = pd.factorize(np.array(texts, dtype=object))
        return cls(tuple(distinct), codes.astype(np.int32))

    def texts(self) -> list[str | None]:
        """The value of each row, None where it is missing."""
        values = [*self.values, None]
        return [values[code] for code in self.codes.tolist()]

    def take(self, rows: NDArray[np.int64]) -> Column:
        return Column(self.values, self.codes[rows])

    def rewritten(self, chosen: NDArray[np.bool_], change: Callable[[str], str]) -> Column:
        """The same column with the values of the chosen rows changed; one that becomes empty is missing."""
        numbers, distinct = pd.factorize(np.array([*self.values, *map(change, self.values)], dtype=object))
        empty = [index for index, value in enumerate(distinct) if not value]
        codes = np.where(chosen & (self.codes != MISSING), self.codes + len(self.values), self.codes)
        codes = np.append(np.where(np.isin(numbers, empty), MISSING, numbers), MISSING)[codes]
        return Column(tuple(distinct), codes.astype(np.int32)).in_use()

    def in_use(self) -> Column:
        """The same column without the values that no row has; the others keep their order."""
        used = np.zeros(len(self.values) + 1, dtype=bool)  # the last entry belongs to MISSING
        used[self.codes] = True
        kept = np.flatnonzero(used[:-1])
        if len(kept) == len(self.values):
            return self
        numbers = np.full(len(used), MISSING, dtype=np.int32)
        numbers[kept] = np.arange(len(kept), dtype=np.int32)
        return Column(tuple(self.values[index] for index in kept), numbers[self.codes])


@dataclass(frozen=True)
class People:
    """A roster in canonical values. ``rows`` are its row labels: spreadsheet rows, header counted, if read from a file.
    Rows with the same label are spellings of one person. ``ids`` are the owner's ids by row label, if asked for, and
    ``persons`` what `persons_of` found before.
    """

    rows: NDArray[np.int64]
    columns: Mapping[str, Column]
    left_out: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)
    persons: dict[Schema, NDArray[np.int64]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def rows_read(self) -> int:
        """Rows of the roster, however many spellings they hold."""
        rising = bool((self.rows[1:] > self.rows[:-1]).all())  # as in most rosters, and quickly seen
        return len(self.rows) if rising else len(np.unique(self.rows))

    def take(self, chosen: NDArray[np.int64]) -> People:
        """The chosen rows, in the order given, without the report of unreadable cells."""
        columns = {name: column.take(chosen) for name, column in self.columns.items()}
        return People(self.rows[chosen], columns, ids=self.ids)

    def completeness(self, schema: Schema) -> NDArray[np.int8]:
        """The class of each row, 0 … 8, from its linked fields: ``3 · name + date`` (`private_rows.CLASS_NAMES`).

        The name is 0 if whole, 1 without a spelled-out given name, 2 without a surname; the date is 0 if whole, 1 if
        only a part of it is known, 2 if absent.
        """
        linked = {kind: [f.name for f in schema.linked() if f.type == kind] for kind in (*NAME_TYPES, "date", "year")}
        name = self._name_part(linked["surname"], linked["given"])
        date = np.full(len(self), 2, dtype=np.int8)
        for column in (self.columns[entry] for entry in (*linked["date"], *linked["year"])):
            full = _by_value(column, lambda value: len(value) == len("1985-03-12"))
            date = np.minimum(date, np.where(column.codes == MISSING, 2, np.where(full, 0, 1)).astype(np.int8))
        return (3 * name + date).astype(np.int8)

    def _name_part(self, surnames: list[str], givens: list[str]) -> NDArray[np.int8]:
        part = np.zeros(len(self), dtype=np.int8)
        for column in (self.columns[entry] for entry in givens):
            spelled = _by_value(column, lambda value: any(not word.endswith(".") for word in value.split(" ")))
            part = np.maximum(part, np.where(spelled, 0, 1).astype(np.int8))
        for column in (self.columns[entry] for entry in surnames):
            part = np.maximum(part, np.where(column.codes == MISSING, 2, 0).astype(np.int8))
        if not surnames and not givens:
            part[:] = 2
        return part


def _by_value(column: Column, holds: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Whether the value in each row has a property; False where it is missing."""
    truth = np.array([holds(value) for value in column.values] + [False], dtype=bool)
    return truth[column.codes]


def read_people(
    frame: pd.DataFrame, schema: Schema, columns: Mapping[str, str], orders: Mapping[str, Order] | None = None
) -> People:
    """Fold a table of text into people.

    ``columns`` maps fields of the schema (or ``full_name``) to headers of ``frame``; ``orders`` gives the order of day,
    month and year for date fields whose cells leave it open. The frame's index labels the rows.

    A rank written before a name goes to the schema's field of type rank, and the sex that the names imply to that of
    type sex, if there is exactly one such field, and only where it is empty.

    Where patronymics have no column, those behind given names are taken from there.

    A cell of a linked field that holds several values (`spellings.separators`) gives spellings of one person.

    RosterError: a header is missing or repeated, no linked field is mapped, or a date order cannot be decided.
    """
    refuse_unusable(frame, schema, columns)
    return Reader(schema, columns, orders_of(frame, schema, columns, orders or {})).read(frame)


def orders_of(
    frame: pd.DataFrame, schema: Schema, columns: Mapping[str, str], given: Mapping[str, Order]
) -> dict[str, Order]:
    """The order of each date field that is mapped. RosterError: cells leave it open."""
    several = separators(frame)
    dates = {
        field.name: distinct_texts(_one_column(frame, columns[field.name]).unique(), several.get(columns[field.name]))
        for field in schema.fields
        if field.type == "date" and field.name in columns
    }
    return decide_orders(dates, given)


def refuse_unusable(frame: pd.DataFrame, schema: Schema, columns: Mapping[str, str]) -> None:
    """RosterError: a header is missing or repeated, or no linked field is mapped."""
    fields = {entry.name: entry for entry in schema.fields}
    keys = {FULL_NAME, *fields, *(year_key(entry.name) for entry in schema.fields if entry.type == "date")}
    for name, header in columns.items():
        if name not in keys:
            raise RosterError(
                f"the schema has no field {name!r}",
                hint=f"its fields are {', '.join(fields)}; full_name fills the name fields",
            )
        _one_column(frame, header)
    if not any(name == FULL_NAME or (name in fields and fields[name].role == "link") for name in columns):
        raise RosterError(
            "no column of the roster is mapped to a linked field",
            hint=f"name one with --column FIELD=HEADER; {headers_hint(list(map(str, frame.columns)))}",
        )
    if FULL_NAME in columns and not _homes(fields, columns):
        raise RosterError("full_name needs a field of type surname, given or patronymic in the schema")


def decide_orders(dates: Mapping[str, Iterable[str]], orders: Mapping[str, Order]) -> dict[str, Order]:
    """The order of each date field: the given one, or that of its distinct cells. RosterError: cells leave it open."""
    decided: dict[str, Order] = {}
    for name, cells in dates.items():
        order = orders.get(name) or decide_order(cells)
        if order is None:
            raise RosterError(
                f"field {name!r}: its dates do not show whether the day or the month comes first",
                hint="pass --date-order dmy (or mdy, ymd); for one field of several, "
                f'write {name} = "dmy" under [date_order] in a columns file, and pass it with --columns',
            )
        decided[name] = order
    return decided


class Reader:
    """Folds one table after another in the same way, and remembers the canonical value of each cell.

    ``orders`` holds an order for each date field that is mapped.
    """

    def __init__(self, schema: Schema, columns: Mapping[str, str], orders: Mapping[str, Order]) -> None:
        remembered = lru_cache(REMEMBERED)
        self._fields = {entry.name: entry for entry in schema.fields}
        self._columns = columns
        self._folds = {entry.name: remembered(fold_of(entry, orders.get(entry.name, "dmy"))) for entry in schema.fields}
        self._ranks = {whole: remembered(_rank_splitter(whole=whole)) for whole in (False, True)}
        self._homes = _homes(self._fields, columns)
        self._names = remembered(partial(_split, homes=self._homes))
        given, patronymic = (_only(self._fields, kind) for kind in ("given", "patronymic"))
        shared = given in columns and FULL_NAME not in columns and patronymic and patronymic not in columns
        self._given_and_patronymic = [str(given), str(patronymic)] if shared else []
        self._given_names = remembered(_split_given)

    def read(self, frame: pd.DataFrame) -> People:
        fields, columns = self._fields, self._columns
        frame, too_many = self._spread(frame.set_axis(row_labels(frame)))
        cells = {name: _one_column(frame, columns[name]) for name in fields if name in columns}
        ranks_before: NDArray[np.object_] | None = None
        for name in cells:
            if fields[name].type == "surname":
                cells[name], ranks_before = _without_ranks(cells[name], ranks_before, self._ranks[False])
        if FULL_NAME in columns:
            whole, ranks_before = _without_ranks(
                _one_column(frame, columns[FULL_NAME]), ranks_before, self._ranks[True]
            )
            for name, part in _split_names(whole, self._homes, self._names).items():
                cells[name] = _filled_up(cells[name], part.to_numpy(dtype=object)) if name in cells else part
        if self._given_and_patronymic:
            given = cells[self._given_and_patronymic[0]]
            cells |= _split_names(given, self._given_and_patronymic, self._given_names)
        rank, sex = (_only(fields, kind) for kind in ("rank", "sex"))
        if rank and ranks_before is not None:
            cells[rank] = (
                _filled_up(cells[rank], ranks_before)
                if rank in cells
                else pd.Series(ranks_before, index=frame.index, dtype=object)
            )
        read: dict[str, Column] = {}
        left_out: dict[tuple[str, str], tuple[int, ...]] = {}
        rows = frame.index.to_numpy(dtype=np.int64)
        for name in fields:
            if name not in cells:
                read[name] = Column((), np.full(len(frame), MISSING, dtype=np.int32))
                continue
            read[name], wrong = _fold_column(cells[name], self._folds[name])
            if year_key(name) in columns:
                years = _fold_column(_one_column(frame, columns[year_key(name)]), self._folds[name])
                read[name], wrong = _with_years(read[name], wrong, *years)
            for reason, indices in wrong.items():
                left_out[name, reason] = tuple(rows[indices].tolist())
        if sex:
            parts = {kind: name for name, entry in reversed(fields.items()) if (kind := entry.type) in NAME_TYPES}
            read[sex] = _with_sex_of_names(read[sex], {kind: read[name] for kind, name in parts.items()})
        return _different(People(rows, read, left_out), [f.name for f in fields.values() if f.role == "link"], too_many)

    def _spread(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
        """The frame with one value per cell, and the labels of rows with too many combinations to consider."""
        known = separators(frame)
        several = {header: known[header] for header in known if header in self._columns.values()}
        names = {FULL_NAME, *(name for name, entry in self._fields.items() if entry.role == "link")}
        linked = [header for key, header in self._columns.items() if key.partition(".")[0] in names]
        return spread(frame, linked, [*self._columns.values()], several) if several else (frame, [])


def _different(people: People, linked: Sequence[str], too_many: Sequence[int]) -> People:
    """Spellings that differ in a linked field, at most eight per person; rows with more are reported as left out."""
    if len(np.unique(people.rows)) == len(people) and not too_many:
        return people
    keys = np.stack([people.rows, *(people.columns[name].codes for name in linked)], axis=1)
    first = np.sort(np.unique(keys, axis=0, return_index=True)[1])
    labels, counts = np.unique(people.rows[first], return_counts=True)
    kept = people.take(first[cumcount(people.rows[first]) < MOST_SPELLINGS])
    left_out = {what: tuple(dict.fromkeys(rows)) for what, rows in people.left_out.items()}
    if more := sorted({*labels[counts > MOST_SPELLINGS].tolist(), *too_many}):
        left_out[linked[0], TOO_MANY] = tuple(more)
    return People(kept.rows, kept.columns, left_out)


def _only(fields: Mapping[str, Field], kind: str) -> str | None:
    """The name of the only field of a type; None where there is none, or more than one."""
    names = [name for name, entry in fields.items() if entry.type == kind]
    return names[0] if len(names) == 1 else None


def _rank_splitter(*, whole: bool) -> Callable[[str], tuple[str, str]]:
    may_hold_rank = quick_look()

    def split(text: str) -> tuple[str, str]:
        return split_rank(text, whole=whole) if may_hold_rank(text) and not _too_long(text) else ("", text)

    return split


def _without_ranks(
    names: pd.Series[str], ranks_before: NDArray[np.object_] | None, split: Callable[[str], tuple[str, str]]
) -> tuple[pd.Series[str], NDArray[np.object_] | None]:
    """A column of clean names without ranks, and the ranks written before them, after those that other columns had.

    The ranks are None where there are none.
    """
    codes, distinct = _factorize(names)
    texts = list(map(text_of, distinct))
    splits = [*map(split, texts), ("", "")]
    if not any(rank for rank, _ in splits):
        clean_already = all(text is value for text, value in zip(texts, distinct, strict=True))
        return names if clean_already else _by_row(texts, codes, names.index), ranks_before
    ranks, rests = (np.array(column, dtype=object) for column in zip(*splits, strict=True))
    by_row = ranks[codes] if ranks_before is None else np.where(ranks_before == "", ranks[codes], ranks_before)
    return pd.Series(rests[codes], index=names.index, dtype=object), by_row


def _filled_up(cells: pd.Series[str], others: NDArray[np.object_]) -> pd.Series[str]:
    """The cells, with ``others`` in place of the empty ones."""
    codes, distinct = _factorize(cells)
    texts_of = [text_of(value) for value in distinct]
    empty = np.array([*(not text or why_missing(text, "rank") is not None for text in texts_of), True])[codes]
    texts: NDArray[np.object_] = np.where(empty, others, cells.to_numpy(dtype=object))
    return pd.Series(texts, index=cells.index, dtype=object)


def _with_sex_of_names(column: Column, names: Mapping[str, Column]) -> Column:
    """The sexes of a column and, where it has none, the sex that the patronymic or else the surname implies."""
    values = {value: index for index, value in enumerate(column.values)}
    codes = column.codes
    for part in ("patronymic", "surname"):
        if part in names:
            sexes = [sex_of(part, value) for value in names[part].values]
            numbers = [values.setdefault(sex, len(values)) if sex else MISSING for sex in sexes]
            by_value = np.array([*numbers, MISSING], dtype=np.int32)
            codes = np.where(codes == MISSING, by_value[names[part].codes], codes)
    return Column(tuple(values), codes)


def _with_years(
    dates: Column, wrong: dict[str, NDArray[np.int64]], years: Column, wrong_years: Mapping[str, NDArray[np.int64]]
) -> tuple[Column, dict[str, NDArray[np.int64]]]:
    """Dates, with the year in place of those that are missing, and the rows that could not be read in full."""
    missing = dates.codes == MISSING
    filled = join_columns([dates, years])
    codes = np.where(missing, filled.codes[len(missing) :], dates.codes)
    for reason, rows in wrong_years.items():
        wrong[reason] = np.union1d(wrong.get(reason, rows[:0]), rows[missing[rows]])
    return Column(filled.values, codes).in_use(), {reason: rows for reason, rows in wrong.items() if len(rows)}


def _one_column(frame: pd.DataFrame, header: str) -> pd.Series[str]:
    labels = [str(label) for label in frame.columns]
    if labels.count(header) != 1:
        several = f"{labels.count(header)} columns have the header of "
        what = several + column_name(header, labels) if header in labels else f"no column {header!r}"
        raise RosterError(what, hint=headers_hint(labels))
    return frame.iloc[:, labels.index(header)]


def headers_hint(labels: list[str]) -> str:
    """The known headers of a roster. Others are not shown: where none is known, the first row may hold a person."""
    if not header_types(labels):
        return "none of its headers is a known one: does the first row hold the headers?"
    known = [label for hits in header_types(labels).values() for label in hits]
    return "the known ones among its headers are: " + ", ".join(map(repr, known[:20]))


def read_from(
    name: str, schema: Schema, columns: Iterable[Mapping[str, str]], headers: Iterable[Sequence[str]]
) -> tuple[str | int, ...]:
    """The columns of a field in the parts of a roster, which have these ``headers``, as messages `shown` them."""
    full = any(field.name == name and field.type in NAME_TYPES for field in schema.fields)
    found = []
    for mapped, labels in zip(columns, headers, strict=True):
        if header := mapped.get(name) or (mapped.get(FULL_NAME) if full else None):
            found.append(shown(header, labels))
    return tuple(dict.fromkeys(found))


def row_labels(frame: pd.DataFrame) -> NDArray[np.int64]:
    """The row labels of a frame, or numbers from 0 where its labels are not whole numbers or not unique."""
    if pd.api.types.is_integer_dtype(frame.index.dtype) and frame.index.is_unique:
        return frame.index.to_numpy(dtype=np.int64)
    return np.arange(len(frame), dtype=np.int64)


def _homes(fields: Mapping[str, Field], columns: Iterable[str]) -> list[str]:
    """The fields for the parts of a full name, by type; parts whose type has no field join the given name.

    A field with a column of its own gets its part only where no other has its type, and where that column is empty.
    """
    linked = [(name, entry) for name, entry in reversed(list(fields.items())) if entry.role == "link"]
    by_type = {entry.type: name for name, entry in linked if name in columns}
    by_type |= {entry.type: name for name, entry in linked if name not in columns}
    home = by_type.get("given") or by_type.get("surname") or by_type.get("patronymic")
    return [by_type.get(kind, home) for kind in NAME_TYPES] if home else []


def _split_names(
    names: pd.Series[str], homes: Sequence[str], split: Callable[[str], tuple[str, ...]]
) -> dict[str, pd.Series[str]]:
    """Split a column of clean names into the fields at ``homes``."""
    codes, distinct = _factorize(names)
    splits = list(map(split, distinct))
    parts: dict[str, list[str]] = {}
    for name in dict.fromkeys(homes):
        indices = [index for index, home in enumerate(homes) if home == name]
        if len(indices) == 1:
            parts[name] = [split[indices[0]] for split in splits]
        else:
            parts[name] = [" ".join(split[index] for index in indices if split[index]) for split in splits]
    return {name: _by_row(values, codes, names.index) for name, values in parts.items()}


def _by_row(texts: Sequence[str], codes: NDArray[np.int64], index: pd.Index[int]) -> pd.Series[str]:
    return pd.Series(np.array([*texts, ""], dtype=object)[codes], index=index, dtype=object)


def _factorize(cells: pd.Series[str]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """The number of each row's value, and the values as Python objects; −1 for missing cells."""
    codes, distinct = pd.factorize(cells)
    return codes, distinct.to_numpy(dtype=object)


def _split(text: str, homes: Sequence[str]) -> tuple[str, ...]:
    """A full name in parts. A text that cannot be split stays whole, so that it is reported as one cell."""
    if len(text) < _USUAL_LENGTH and not may_end_in_nothing(text) and not may_hold_title(text):
        usual = split_usual_name(text)
        if usual is not None and any(usual):
            return usual
    home = homes.index(homes[1])
    if _too_long(text) or why_missing(text, "surname") or unread_alphabet(text):
        return _as_one(text, home)
    if lost_letters(text):
        text, certain = mark_lost_letters(text)
        if not certain:
            return _as_one(text, home)
    name, nothing = split_nothing(text)
    parts = split_full_name(name)
    if not any(parts):
        return _as_one(text, home)
    if nothing and not parts[2] and homes.count(homes[2]) == 1:
        return (*parts[:2], nothing)
    return parts


_USUAL_LENGTH = 256


def _split_given(cell: object) -> tuple[str, str]:
    """The given names in a cell, and the patronymic behind them."""
    text = text_of(cell)
    if _too_long(text) or why_missing(text, "given") or unread_alphabet(text) or lost_letters(text):
        return text, ""
    return split_patronymic(text)


def _as_one(text: str, home: int) -> tuple[str, ...]:
    return tuple(text if index == home else "" for index in range(3))


def _fold_column(cells: pd.Series[str], fold: Fold) -> tuple[Column, dict[str, NDArray[np.int64]]]:
    """The canonical values of a column, and by reason the indices of the rows that could not be read in full."""
    codes, distinct = _factorize(cells)
    canonical: dict[str, int] = {}
    target = np.full(len(distinct) + 1, MISSING, dtype=np.int32)
    reasons: dict[str, list[int]] = {}
    for index, (value, reason) in enumerate(map(fold, map(text_of, distinct))):
        if value:
            target[index] = canonical.setdefault(value, len(canonical))
        if reason:
            reasons.setdefault(reason, []).append(index)
    wrong = {reason: np.flatnonzero(np.isin(codes, indices)) for reason, indices in reasons.items()}
    return Column(tuple(canonical), target[codes]), wrong


Fold = Callable[[str], tuple[str | None, str | None]]


def fold_of(entry: Field, order: Order = "dmy") -> Fold:
    """A function from a cell of a field to its canonical value or None, and the reason why it was not read in full, or
    None.
    """
    canonical, folded, unreadable = _folder(entry, order), entry.type in FOLDED_TYPES, UNREADABLE[entry.type]
    is_name, is_date = entry.type in (*NAME_TYPES, "text"), entry.type in ("date", "year")
    words = folded or entry.type in ("sex", "rank")
    given = entry.type in ("given", "patronymic")

    def fold(text: str) -> tuple[str | None, str | None]:
        plain = is_name and len(text) < _USUAL_LENGTH and is_plain_word(text, entry.type) and not dropped_letters(text)
        if plain and (name := fold_name(text, given=given)):
            return name, None
        if _too_long(text):
            return None, "a cell over 64 KiB"
        if not text:
            return None, None
        if reason := why_missing(text, entry.type):
            return None, reason
        value = canonical(text)
        if not value:
            alphabet = unread_alphabet(text) if words else None
            known = f"{UNREAD}{alphabet} letters" if alphabet else why_no_date(text) if is_date else None
            return None, known or unreadable
        if is_name and lost_letters(text):
            return value, GARBLED_IN_PART
        return value, LOST_LETTERS if folded and dropped_letters(text) else None

    return fold


def text_of(value: object) -> str:
    """A cell as clean text (`cells.clean`); a whole number that pandas turned into 7.0 beside missing cells is 7 again.

    Every look at a cell begins here, once for each distinct cell.
    """
    if type(value) is str:
        return clean(value) if len(value) <= MAX_CELL_BYTES else value
    return number_text(value) if isinstance(value, float) and value.is_integer() else clean(str(value))


def distinct_texts(cells: Iterable[object], separator: str | None) -> list[str]:
    """The distinct values of cells as clean text."""
    values = distinct_values([cell if isinstance(cell, str) else text_of(cell) for cell in cells], separator)
    return list(dict.fromkeys(map(text_of, values)))


def _too_long(text: str) -> bool:
    if len(text) <= MAX_CELL_BYTES // 4:
        return False
    return len(text) > MAX_CELL_BYTES or len(text.encode(errors="replace")) > MAX_CELL_BYTES


LOST_LETTERS = "letters that no table knows"
READ_WITHOUT = frozenset({LOST_LETTERS, GARBLED_IN_PART})  # reasons that leave the rest of the cell to be read
ONLY_COUNTED = frozenset({NOTHING, SHEET_ERROR})  # `pprl check` lists these cells, other commands only count them
UNREAD = "unreadable: "  # before the name of an alphabet that no table knows
FOLDED_TYPES = frozenset({*NAME_TYPES, "text", "category"})

UNREADABLE = {
    "surname": "no letters of a name",
    "given": "no letters of a name",
    "patronymic": "no letters of a name",
    "text": "no letters of a name",
    "date": "not a date",
    "year": "not a year",
    "sex": "not a known word for a sex",
    "rank": "not a known rank",
    "identifier": "no letters or digits",
    "category": "no letters or digits",
    "number": "not a number",
}


def _folder(entry: Field, order: Order) -> Callable[[str], str | None]:
    match entry.type:
        case "surname":
            return lambda text: fold_name(_name_alone(text), given=False)
        case "text":
            return lambda text: fold_name(without_lost_letters(text), given=False)
        case "given" | "patronymic":
            return lambda text: fold_name(_name_alone(text), given=True)
        case "date":
            return lambda text: str(date) if (date := parse_date(text, order)) else None
        case "year":
            return fold_year
        case "sex":
            return fold_sex
        case "rank":
            return fold_rank
        case "identifier":
            return fold_identifier
        case "number":
            return fold_number
        case _:
            return fold_category


def _name_alone(text: str) -> str:
    return without_remarks(without_titles(without_lost_letters(text), whole=False))


def join_people(parts: Sequence[People]) -> People:
    """Several rosters as one, in their order; their row labels must be distinct."""
    first, *others = parts
    if not others:
        return first
    columns: dict[str, Column] = {}
    for name in first.columns:
        columns[name] = join_columns([part.columns[name] for part in parts])
    left_out: dict[tuple[str, str], tuple[int, ...]] = {}
    for part in parts:
        for key, rows in part.left_out.items():
            left_out[key] = left_out.get(key, ()) + rows
    ids = {row: text for part in parts for row, text in part.ids.items()}
    return People(np.concatenate([part.rows for part in parts]), columns, left_out, ids)


def join_columns(parts: Sequence[Column]) -> Column:
    """The rows of several columns as one column."""
    numbers: dict[str, int] = {}
    codes = []
    for column in parts:
        target = [numbers.setdefault(value, len(numbers)) for value in column.values] + [MISSING]
        codes.append(np.array(target, dtype=np.int32)[column.codes])
    return Column(tuple(numbers), np.concatenate(codes))


def filled(schema: Schema, *rosters: People) -> tuple[Field, ...]:
    """The linked fields that are not empty in any of the rosters."""
    return tuple(
        field
        for field in schema.linked()
        if all(bool((people.columns[field.name].codes != MISSING).any()) for people in rosters)
    )


def refuse_weak(schema: Schema, people: People) -> None:
    """RefusedError: what is filled is too little to link; the hint names letters that are not read."""
    fields = filled(schema, people)
    empty = [entry.name for entry in schema.linked() if entry not in fields]
    schema.refuse_weak(fields, unread(empty, people.left_out))


def unread(fields: Sequence[str], left_out: Iterable[tuple[str, str]]) -> list[str]:
    """``surname holds Thai letters, which are not read``, for each field with cells left out for that reason."""
    return [
        f"{name} holds {reason.removeprefix(UNREAD)}, which are not read"
        for name, reason in sorted(left_out)
        if name in fields and reason.startswith(UNREAD)
    ]


def encodable(people: People, schema: Schema) -> NDArray[np.bool_]:
    """Which rows have any linked value."""
    present = np.zeros(len(people), dtype=bool)
    for linked in schema.linked():
        present |= people.columns[linked.name].codes != MISSING
    return present
