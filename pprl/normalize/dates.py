"""A year is an interval, not the first of January.

A date cell becomes a ``PartialDate`` with as much as was written: a year, a month of a year, or a day. What is left
open (``??.03.1985``, ``00.00.1985``) stays open, and of a date that is only about right the year is kept. The formats
are fixed and strict: anything that fits none of them, or is not a day of the calendar, is ``None`` and never a guess.
Only two forms are ambiguous, ``12/03/1985`` (also with hyphens) and eight digits; their order is decided once for a
whole column (``decide_order``). Dots always mean day first, a leading four-digit year always means year, month, day.
Two-digit years are 2000 to 2029 and 1930 to 1999, by rule, not by today's date.

A column may hold the numbers by which spreadsheets count days; that too is decided for the column as a whole.
"""

from __future__ import annotations

import datetime
import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pprl.normalize.names import fold_name
from pprl.normalize.text import prepare, read_table

Order = Literal["ymd", "dmy", "mdy", "days"]  # days: a spreadsheet's numbers; all else in the column is dmy

FIRST_YEAR, LAST_YEAR = 1850, 2100
ENOUGH_DAYS = 5  # distinct numbers before a column can hold a spreadsheet's days
DAY_ZERO = datetime.date(1899, 12, 30)


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
TIME = (
    r"(?:,?[ t] ?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?: ?[ap]\.?m\.?)?(?: ?(?:z|utc|gmt))?(?: ?[+-][0-9]{2}:?[0-9]{2})?)?"
)
OPEN = r"[?*_]{1,2}|xx|хх"
NAME = r"[^\W\d_]{2,20}(?: [^\W\d_]{2,20})??"
YEAR = re.compile(r"([0-9]{4})(?:\.0)?")
YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])({OPEN}|[0-9]{{1,2}})(?:\2({OPEN}|[0-9]{{1,2}}))?{TIME}")
DOTS = re.compile(rf"({OPEN}|--?|[0-9]{{1,2}}) ?\. ?({OPEN}|--?|[0-9]{{1,2}}) ?\. ?([0-9]{{4}}|[0-9]{{2}}){TIME}")
YEAR_LAST = re.compile(rf"({OPEN}|[0-9]{{1,2}})([-/])({OPEN}|[0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){TIME}")
MONTH_YEAR = re.compile(rf"({OPEN}|[0-9]{{1,2}})[./-]([0-9]{{4}})")
BLANKS_YEAR = re.compile(r"[ ._?*-]*[._] ?([0-9]{4})")
EIGHT = re.compile(r"([0-9]{8})(?:\.0)?")
ROMAN = re.compile(
    rf"(?:({OPEN}|[0-9]{{1,2}})[ ./-]{{1,3}})?([ivxіх]{{1,4}})[ ./-]{{1,3}}([0-9]{{4}}|[0-9]{{2}}){TIME}"
)
DAY_NAME_YEAR = re.compile(
    rf"(?:({OPEN}|[0-9]{{1,2}})(?:st|nd|rd|th|er|º|-?го|-?е)?[ ./-]*(?:de |d')?)?({NAME})[ ./,-]*(?:del? )?"
    rf"([0-9]{{4}}|[0-9]{{2}}){TIME}"
)
NAME_DAY_YEAR = re.compile(rf"({NAME})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){TIME}")
YEAR_NAME_DAY = re.compile(rf"([0-9]{{4}})[ ./,-]+({NAME})(?:[ ./-]+([0-9]{{1,2}}))?{TIME}")
DATE_REMARK = re.compile(r"[ ]?\((?:[^()0-9?]*|[0-9]{1,3}[^()0-9]*)\)$")
DAY_NUMBER = re.compile(r"([1-9][0-9]{4})(?:\.0)?")


def parse_date(text: str, order: Order) -> PartialDate | None:
    """The date in a cell, or None.

    >>> [str(parse_date(text, "dmy")) for text in ("12 марта 1985 г.", "??.03.1985", "ок. 1985")]
    ['1985-03-12', '1985-03', '1985']
    """
    text, about = _bare(text)
    date = _parse(text, order)
    return PartialDate(date.year) if date and about else date


def _parse(text: str, order: Order) -> PartialDate | None:
    if found := YEAR.fullmatch(text):
        return _date(found[1], None, None)
    if found := YEAR_FIRST.fullmatch(text):
        return _date(found[1], found[3], found[4])
    if found := DOTS.fullmatch(text):
        return _date(found[3], found[2], found[1])
    if parts := _ambiguous(text):
        return _in_order(parts, order)
    if found := ROMAN.fullmatch(text):
        return _named(found[3], _roman_months().get(found[2].translate(_TO_LATIN)), found[1])
    if found := MONTH_YEAR.fullmatch(text):
        return _date(found[2], found[1], None)
    if found := BLANKS_YEAR.fullmatch(text):
        return _date(found[1], None, None)
    if found := DAY_NAME_YEAR.fullmatch(text):
        return _named(found[3], _month(found[2]), found[1])
    if found := NAME_DAY_YEAR.fullmatch(text):
        return _named(found[3], _month(found[1]), found[2])
    if found := YEAR_NAME_DAY.fullmatch(text):
        return _named(found[1], _month(found[2]), found[3])
    if order == "days" and (found := DAY_NUMBER.fullmatch(text)):
        day = DAY_ZERO + datetime.timedelta(days=int(found[1]))
        return _date(f"{day.year:04d}", f"{day.month}", f"{day.day}")
    return None


def decide_order(values: Iterable[str]) -> Order | None:
    """The order of a column's ambiguous cells (``12/03/1985``, ``12-03-85``, eight digits), over distinct values.

    The order under which most of them are dates wins. None, which means "ask", if the two best are within 1% of those
    that are dates in any order: mistyped cells decide nothing. Without ambiguous cells, or if none of them is a date in
    any order, it is ``dmy``; but ``days`` if the column has no such cells, at least five numbers of five digits and no
    day that is written out.
    """
    texts = [_bare(value)[0] for value in set(values)]
    ambiguous = [parts for text in texts if (parts := _ambiguous(text)) and all(map(_is_known, parts))]
    if not ambiguous:
        return "days" if _are_days(texts) else "dmy"
    fits = {order: sum(_in_order(parts, order) is not None for parts in ambiguous) for order in ORDERS}
    if not any(fits.values()):
        return "dmy"
    first, second = sorted(ORDERS, key=lambda order: -fits[order])[:2]
    return first if 100 * (fits[first] - fits[second]) > max(fits[first], 1) else None


ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy")


def _are_days(texts: Iterable[str]) -> bool:
    texts = list(texts)
    numbers = sum(DAY_NUMBER.fullmatch(text) is not None for text in texts)
    return numbers >= ENOUGH_DAYS and not any((date := _parse(text, "dmy")) and date.day for text in texts)


def may_be_date(text: str) -> bool:
    """A date in some order, or at least the form of one: every cell that counts when the order is decided.

    >>> may_be_date("12/03/1985"), may_be_date("99/99/1985"), may_be_date("unknown")
    (True, True, False)
    """
    text, _ = _bare(text)
    return _ambiguous(text) is not None or DAY_NUMBER.fullmatch(text) is not None or _parse(text, "dmy") is not None


OTHER_CALENDARS = (range(1250, 1481), range(2400, 2581), range(5640, 5801))  # Persian and Islamic, Buddhist, Hebrew
_FOUR_DIGITS = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
_NAMES = re.compile(r"[^\W\d_]{2,20}(?: [^\W\d_]{2,20})?")


def why_no_date(text: str) -> str | None:
    """What a cell is that is no date, in the words of a report; None if nobody can tell.

    >>> why_no_date("1364/05/12"), why_no_date("29657"), why_no_date("unreadable")
    ('a date of another calendar', "a spreadsheet's number of a day", None)
    """
    text, _ = _bare(text)
    if DAY_NUMBER.fullmatch(text):
        return "a spreadsheet's number of a day"
    years = {int(year) for year in _FOUR_DIGITS.findall(text)}
    if any(year in calendar for year in years for calendar in OTHER_CALENDARS):
        return "a date of another calendar"
    if any(character.isdigit() for character in text):
        words = [name for found in _NAMES.findall(text) for name in (found, *found.split(" "))]
        if any(_months().get(word) == "-" for word in words):
            return "a date of another calendar"
    return None


TIME_OF_DAY = re.compile(rf"(?<=[0-9])(?!$){TIME}$")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})(:[0-9.,]+)?(?: ?([ap])\.?m)?")


def time_of_day(text: str) -> str | None:
    """The time behind a date, if it is not midnight; None without one.

    >>> time_of_day("1985-03-11T21:00:00.000Z"), time_of_day("3/12/1985 12:00:00 AM")
    ('21:00', None)
    """
    if ":" not in text:
        return None
    behind = TIME_OF_DAY.search(_bare(text)[0])
    found = _HOURS.search(behind[0]) if behind else None
    if found is None:
        return None
    hour = int(found[1]) % 12 + 12 * (found[4] == "p") if found[4] else int(found[1])
    return None if hour == 0 and not found[2].strip("0") else f"{hour:02d}:{found[2]}"


def _bare(text: str) -> tuple[str, bool]:
    """A cell without the words beside its date (``date_words.tsv``), and whether one of them says that it is only
    about right.
    """
    if NUMBERS.fullmatch(text):
        return text.rstrip("."), False
    text = _plain(text.translate(_SIGNS))
    text = _DASH.sub("-", " ".join(text.lower().split()))
    if not LETTER.search(text):
        return text.rstrip(" ,;."), False
    about = False
    for _ in range(_MOST_WORDS):
        rest = DATE_REMARK.sub("", text.strip(" ,;")).rstrip(" ,;.")
        for place in ("before", "after"):
            if found := _words(place).search(rest):
                about = about or _meanings()[place, _key(found[1])] == "about"
                rest = (rest[: found.start()] + rest[found.end() :]).strip(" ,;:")
        if rest == text:
            break
        text = rest
    return text, about


def _plain(text: str) -> str:
    """Prepared, unless it has letters of other alphabets than Latin and Cyrillic: those stay as they are."""
    return text if OTHER_ALPHABETS.search(text) else prepare(text)


OTHER_ALPHABETS = re.compile("[\u0370-\u03ff\u0530-\u1cff\u1f00-\u1fff\u2300-\ufeff\U00010000-\U0010ffff]")
_SIGNS = str.maketrans("≈،٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "~,01234567890123456789")
NUMBERS = re.compile(r"[0-9./-]*+")
LETTER = re.compile(r"[^0-9 ./:,+_*tz-]")
_MOST_WORDS = 6


def _key(word: str) -> str:
    return word.replace(" ", "")


@cache
def _meanings() -> dict[tuple[str, str], str]:
    return {(row["place"], _key(row["word"])): row["meaning"] for row in read_table("date_words.tsv")}


@cache
def _words(place: str) -> re.Pattern[str]:
    """The longest word at its place."""
    words = [row["word"] for row in read_table("date_words.tsv") if row["place"] == place]
    written = "|".join(re.escape(word).replace(r"\.\ ", r"\. ?") for word in sorted(words, key=len, reverse=True))
    written = re.sub(r"\\\.(?! \?)", r"\\. ?", written)
    if place == "before":
        return re.compile(rf"^({written})(?![^\W\d_])[ .:]*(?=.)")
    return re.compile(rf"(?<=[0-9.) ])({written})\.?$")


def _ambiguous(text: str) -> tuple[str, ...] | None:
    """Eight digits, or the three parts of a date with the year last; None if the cell has neither form."""
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
    if not (_is_known(first) or _is_known(second)):
        return _date(year, None, None)
    if order == "ymd":
        return _date(first, second, year) if len(year) == 2 and len(first) == 2 and _is_known(first) else None
    return _date(year, second, first) if order != "mdy" else _date(year, first, second)


def _is_known(part: str) -> bool:
    """Whether a day or a month is written; zeros and question marks leave it open."""
    return part.isdigit() and part.strip("0") != ""


def _date(year: str, month: str | None, day: str | None) -> PartialDate | None:
    """The date as far as its parts are written; without a month the day says nothing."""
    y = int(year)
    if len(year) == 2:
        y += 2000 if y < 30 else 1900
    m, d = (int(part) if part is not None and _is_known(part) else None for part in (month, day))
    if not FIRST_YEAR <= y <= LAST_YEAR or (m is not None and not 1 <= m <= 12):
        return None
    if d is not None and not 1 <= d <= (31 if m is None else monthrange(y, m)[1]):
        return None
    return PartialDate(y, m, d if m is not None else None)


def _named(year: str, month: str | None, day: str | None) -> PartialDate | None:
    """The date of a month that has a name, if the name is known."""
    return None if month in (None, "-") else _date(year, month, day)


def _month(name: str) -> str | None:
    """The number of a month; ``-`` for one of another calendar."""
    if number := _months().get(name):
        return number
    return None if _CONSONANTS.search(name) else _folded_months().get(fold_name(name, given=False))


_CONSONANTS = re.compile("[\u0590-\u08ff]")  # alphabets without vowels, in which two months could fold alike


@cache
def _months() -> dict[str, str]:
    return {_plain(row["name"]).lower(): row["month"] for row in read_table("months.tsv")}


@cache
def _folded_months() -> dict[str, str]:
    """The same in any romanisation."""
    names = {row["name"]: row["month"] for row in read_table("months.tsv")}
    return {fold_name(name, given=False): month for name, month in names.items() if not _CONSONANTS.search(name)}


_TO_LATIN = str.maketrans("іх", "ix")


@cache
def _roman_months() -> dict[str, str]:
    numerals = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
    return {numeral: str(number) for number, numeral in enumerate(numerals, start=1)}
