"""A year is an interval, not the first of January.

A date cell becomes a ``PartialDate`` with as much as was written: a year, a month of a year, or a day. The formats are
fixed and strict: anything that fits none of them, or is not a day of the calendar, is ``None`` and never a guess. Only
two forms are ambiguous, ``12/03/1985`` (also with hyphens) and eight digits; their order is decided once for a whole
column (``decide_order``). Dots always mean day first, a leading four-digit year always means year, month, day.
Two-digit years are 2000 to 2029 and 1930 to 1999, by rule, not by today's date.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pprl.normalize.text import prepare, read_table

Order = Literal["ymd", "dmy", "mdy"]

FIRST_YEAR, LAST_YEAR = 1850, 2100


@dataclass(frozen=True)
class PartialDate:
    """A date as far as it is known; ``str`` gives ``1985``, ``1985-03`` or ``1985-03-12``."""

    year: int
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        parts = [f"{self.year:04d}"] + [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


_DASH = re.compile("[‐-―−]")
TIME = r"(?:[ t]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})(?:\2(\d{{1,2}}))?{TIME}", re.ASCII)
DOTS = re.compile(rf"(\d{{1,2}})\s?\.\s?(\d{{1,2}})\s?\.\s?(\d{{4}}|\d{{2}}){TIME}", re.ASCII)
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){TIME}", re.ASCII)
MONTH_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})", re.ASCII)
YEAR = re.compile(r"(\d{4})(?:\.0)?", re.ASCII)
EIGHT = re.compile(r"(\d{8})(?:\.0)?", re.ASCII)
DAY_NAME_YEAR = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|-?го|-?е)?[\s.-]*)?([a-zа-яіїєґ]{3,})[\s.,-]*(\d{4}|\d{2})", re.ASCII
)
NAME_DAY_YEAR = re.compile(r"([a-zа-яіїєґ]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", re.ASCII)
TRAILER = re.compile(r"\s*(?<=[\d\s])(?:года?|год|г|року|рік|р)\.?(?:\s*р(?:ожд|\.)?\.?)?$")


def parse_date(text: str, order: Order) -> PartialDate | None:
    """The date in a cell, or None.

    >>> str(parse_date("12 марта 1985 г.", "dmy")), str(parse_date("1985", "dmy"))
    ('1985-03-12', '1985')
    """
    text = TRAILER.sub("", _cell(text)).strip()
    if found := YEAR.fullmatch(text):
        return _date(found[1], None, None)
    if found := YEAR_FIRST.fullmatch(text):
        return _date(found[1], found[3], found[4])
    if found := DOTS.fullmatch(text):
        return _date(found[3], found[2], found[1])
    if parts := _ambiguous(text):
        return _in_order(parts, order)
    if found := MONTH_YEAR.fullmatch(text):
        return _date(found[2], found[1], None)
    if found := DAY_NAME_YEAR.fullmatch(text):
        return _named(found[3], found[2], found[1])
    if found := NAME_DAY_YEAR.fullmatch(text):
        return _named(found[3], found[1], found[2])
    return None


def decide_order(values: Iterable[str]) -> Order | None:
    """The order of a column's ambiguous cells (``12/03/1985``, ``12-03-85``, eight digits), over distinct values.

    The order under which most of them are dates wins. None, which means "ask", if the two best are within 1% of those
    that are dates in any order: mistyped cells decide nothing. Without ambiguous cells it is ``dmy``.
    """
    ambiguous = [parts for value in set(values) if (parts := _ambiguous(_cell(value)))]
    if not ambiguous:
        return "dmy"
    fits = {order: sum(_in_order(parts, order) is not None for parts in ambiguous) for order in ORDERS}
    first, second = sorted(ORDERS, key=lambda order: -fits[order])[:2]
    return first if 100 * (fits[first] - fits[second]) > max(fits[first], 1) else None


ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy")


def may_be_date(text: str) -> bool:
    """A date in some order, or at least the form of one: every cell that counts when the order is decided.

    >>> may_be_date("12/03/1985"), may_be_date("99/99/1985"), may_be_date("unknown")
    (True, True, False)
    """
    return _ambiguous(_cell(text)) is not None or parse_date(text, "dmy") is not None


def _cell(text: str) -> str:
    return _DASH.sub("-", " ".join(prepare(text).lower().split()))


def _ambiguous(text: str) -> tuple[str, ...] | None:
    """Eight digits, or the three parts of a date with the year last; None if the cell has neither form."""
    text = TRAILER.sub("", text)
    if found := EIGHT.fullmatch(text):
        return (found[1],)
    if found := YEAR_LAST.fullmatch(text):
        return found[1], found[3], found[4]
    return None


def _in_order(parts: tuple[str, ...], order: Order) -> PartialDate | None:
    if len(parts) == 1:
        digits = parts[0]
        if order == "ymd":
            return _date(digits[:4], digits[4:6], digits[6:])
        parts = digits[:2], digits[2:4], digits[4:]
    first, second, year = parts
    if order == "ymd":
        return _date(first, second, year) if len(year) == 2 and len(first) == 2 else None
    return _date(year, second, first) if order == "dmy" else _date(year, first, second)


def _named(year: str, month: str, day: str | None) -> PartialDate | None:
    number = _months().get(month)
    return None if number is None else _date(year, number, day)


def _date(year: str, month: str | None, day: str | None) -> PartialDate | None:
    y = int(year)
    if len(year) == 2:
        y += 2000 if y < 30 else 1900
    m, d = (None if part is None else int(part) for part in (month, day))
    if not FIRST_YEAR <= y <= LAST_YEAR or (m is not None and not 1 <= m <= 12):
        return None
    if m is not None and d is not None and not 1 <= d <= monthrange(y, m)[1]:
        return None
    return PartialDate(y, m, d)


@cache
def _months() -> dict[str, str]:
    return {row["name"]: row["month"] for row in read_table("months.tsv")}
