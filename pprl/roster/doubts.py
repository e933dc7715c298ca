"""What only a column as a whole shows: dates of the day before, lost zeros, rounded numbers, days that nobody knew.

Nothing is changed: each cell by itself could be right. Parts of a roster are looked at one after another, and the lines
are the same however it was divided.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pprl.core.row_labels import labels_text
from pprl.core.schema import Schema
from pprl.normalize.cells import why_missing
from pprl.normalize.dates import Order, time_of_day
from pprl.roster.people import row_labels, text_of
from pprl.roster.spellings import separators, values_of

FEW = 3  # cells that may be a coincidence
SHOWN_ROWS = 5
EVENINGS, TIMES = 0.1, 6  # share of the dates and number of different times, from which time zones explain them
SHORT, LEAST_DIGITS = 0.35, 6
SHEET_DIGITS, MOST_DIGITS = 15, 17  # that a spreadsheet, and any other program that takes it for one, keep of a number
ROUNDED = 0.5
NEW_YEARS = 0.1  # share of 1 January; 1 in 365 were born then

_NEW_YEAR = re.compile(r"0?1[./-]0?1[./-][0-9]{4}|[0-9]{4}[./-]0?1[./-]0?1(?![0-9])")
_SEQUENCE = "01234567890"


@dataclass
class _Seen:
    """How many cells of a column share a property, and the first rows of them."""

    cells: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, rows: list[int]) -> None:
        self.cells += len(rows)
        self.rows += rows[: SHOWN_ROWS + 1 - len(self.rows)]

    def __str__(self) -> str:
        return labels_text(tuple(self.rows), SHOWN_ROWS)


Column = dict[str, _Seen]


class Doubts:
    """Looks at the cells of dates and identifiers, and says in the end what looks wrong in their columns."""

    def __init__(self, schema: Schema, columns: Mapping[str, str]) -> None:
        kinds: dict[str, Callable[[str], str]] = {"date": _date_property, "identifier": _number_property}
        self._looks = {
            entry.name: (columns[entry.name], kinds[entry.type], entry.type)
            for entry in schema.fields
            if entry.type in kinds and entry.name in columns
        }
        self._seen: dict[str, Column] = {name: {} for name in self._looks}

    def look(self, frame: pd.DataFrame) -> None:
        headers, rows = list(map(str, frame.columns)), row_labels(frame)
        for name, (header, property_of, kind) in self._looks.items():
            if headers.count(header) != 1:
                continue
            codes, distinct = pd.factorize(frame.iloc[:, headers.index(header)])
            separator = separators(frame).get(header)
            texts = [text_of(values_of(value, separator)[0] if separator else value) for value in distinct]
            said = [property_of(text) if text and not why_missing(text, kind) else "" for text in texts] + [""]
            names = {text: number for number, text in enumerate(dict.fromkeys(said))}
            by_row = np.array([names[text] for text in said])[codes]
            for text, number in names.items():
                if text:
                    self._seen[name].setdefault(text, _Seen()).add(rows[by_row == number].tolist())

    def lines(self, orders: Mapping[str, Order]) -> list[str]:
        """A sentence for each doubt. ``orders`` are those of the dates."""
        lines = []
        for name, seen in self._seen.items():
            if self._looks[name][2] == "date":
                if orders.get(name) == "days":
                    lines.append(
                        f"the numbers of {name} are read as a spreadsheet's days, counted from 30 December 1899"
                    )
                found = [_evenings(seen), _new_years(seen)]
            else:
                found = [_lost_zeros(seen), _rounded(seen), _fillers(seen)]
            lines += [line.format(name=name) for line in found if line]
        return lines


def _date_property(text: str) -> str:
    if time := time_of_day(text):
        return time
    return "new year" if _NEW_YEAR.match(text) else "date"


def _evenings(seen: Column) -> str:
    """Midnight in Moscow or Kyiv, written in UTC, is 20:00 to 22:00 of the day before."""
    times = {time: found for time, found in seen.items() if ":" in time and time[:2] > "12" and time[3:] in _QUARTERS}
    cells, total = sum(found.cells for found in times.values()), sum(found.cells for found in seen.values())
    if cells < FEW or cells < EVENINGS * total or len(times) > TIMES:
        return ""
    most = max(times, key=lambda time: times[time].cells)
    return (
        f"{cells:,} of {total:,} dates of {{name}} carry a time, most of them {most} ({times[most]}): if a program "
        "that converts time zones wrote them, they are midnight of the next day, and each date is a day early; "
        "write days as dates, without a time"
    )


_QUARTERS = ("00", "15", "30", "45")


def _new_years(seen: Column) -> str:
    first, total = seen.get("new year", _Seen()), sum(found.cells for found in seen.values())
    if first.cells < FEW + 2 or first.cells < NEW_YEARS * total:
        return ""
    return (
        f"{first.cells:,} of {total:,} dates of {{name}} are 1 January ({first}): "
        "where only the year was known, write the year alone"
    )


def _number_property(text: str) -> str:
    """The length of a number, and what is unusual about it."""
    digits = text.replace(" ", "").replace("\xa0", "")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    if len(digits) > 4 and (len(set(digits)) == 1 or digits in _SEQUENCE or digits in _SEQUENCE[::-1]):
        return "filler"
    if len(digits) > SHEET_DIGITS:
        ends = digits[SHEET_DIGITS:], digits[MOST_DIGITS:]
        return "rounded" if any(end and not end.strip("0") for end in ends) else "long"
    return ("zero " if digits[0] == "0" else "length ") + str(len(digits))


def _lost_zeros(seen: Column) -> str:
    """Numbers that are one or two digits shorter than nearly all others, and do not begin with zero."""
    lengths: Counter[int] = Counter()
    for what, found in seen.items():
        if what.startswith(("length ", "zero ")):
            lengths[int(what.split(" ")[1])] += found.cells
    if not lengths:
        return ""
    usual, total = lengths.most_common(1)[0][0], sum(lengths.values())
    short = _Seen()
    for length in (usual - 1, usual - 2):
        if shorter := seen.get(f"length {length}"):
            short.add(shorter.rows)
            short.cells += shorter.cells - len(shorter.rows)
    wrong = sum(count for length, count in lengths.items() if length > usual or length < usual - 2)
    if usual < LEAST_DIGITS or not 0 < short.cells <= SHORT * total or wrong > short.cells:
        return ""
    short.rows.sort()
    return (
        f"{short.cells:,} of {total:,} numbers of {{name}} have fewer than {usual} digits ({short}): if a spreadsheet "
        "took off their leading zeros, write them as text, with the zeros"
    )


def _rounded(seen: Column) -> str:
    rounded, exact = seen.get("rounded", _Seen()), seen.get("long", _Seen())
    if rounded.cells < FEW or rounded.cells < ROUNDED * (rounded.cells + exact.cells):
        return ""
    return (
        f"{rounded.cells:,} long numbers of {{name}} end in zeros after {SHEET_DIGITS} digits or more ({rounded}): "
        "a spreadsheet rounded them; ask for the column as text"
    )


def _fillers(seen: Column) -> str:
    filler = seen.get("filler", _Seen())
    if filler.cells < FEW:
        return ""
    return (
        f"{filler.cells:,} cells of {{name}} are fillers like 1111111 or 1234567 ({filler}): "
        "empty them, or they agree with each other"
    )
