"""Sexes, numbers, identifiers and categories: simple cells, each with one canonical text or None.

None means that the cell has no such value; it then counts as unreadable and is never guessed.
"""

from __future__ import annotations

import re
from functools import cache

from pprl.normalize.dates import ORDERS, parse_date
from pprl.normalize.text import known_text, latin_text, letters, plain_digits, read_table


def fold_sex(text: str) -> str | None:
    """``m`` or ``f``; None for an unknown word."""
    return _sex_words().get(latin_text(text))


@cache
def _sex_words() -> dict[str, str]:
    return {latin_text(row["word"]): row["sex"] for row in read_table("sex.tsv")}


SERIES_AND_NUMBER = re.compile(
    r"[\W_]*(?=[03]*[^\W\d_])((?:[03]|[^\W\d_]){1,3})(?:[\W_]+|(?<=[^\W\d_])(?=[0-9]))((?:[\W_]*[0-9OoОоЗзIlІі]){5,})[\W_]*"
)
_DIGITS = str.maketrans("OoОоЗзIlІі", "0000331111")
_LETTERS = str.maketrans("03", "OЗ")


def fold_identifier(text: str) -> str | None:
    """Capital Latin letters and digits: ``АВ-123456`` is ``AB123456`` whichever keyboard wrote it.

    If it clearly has one to three letters and at least five digits, letters typed for digits become digits
    (``АВ-12З4О6``), and digits typed for letters become letters (``0В-123456``).
    """
    text = known_text(text)
    found = SERIES_AND_NUMBER.fullmatch(text)
    if found and 2 * sum(map("0123456789".__contains__, found[2])) > sum(map(str.isalnum, found[2])):
        text = found[1].translate(_LETTERS) + found[2].translate(_DIGITS)
    return text.translate(_identifier_letters()).replace(" ", "") or None


@cache
def _identifier_letters() -> dict[int, str]:
    tables = letters()
    shapes = {code: tables.to_latin.get(ord(chr(code).upper()[0]), chr(code)) for code in tables.latin}
    return {code: tables.latin[ord(shape)].upper() for code, shape in shapes.items()}


def fold_category(text: str) -> str | None:
    """The words in Latin letters and digits, separated by one space; each kind of service as one word.

    >>> fold_category("в/ч 00000"), fold_category("По контракту"), fold_category("моб.")
    ('v ch 00000', 'kontrakt', 'mobilizaciya')
    """
    words = latin_text(text)
    return _services().get(words, words) or None


@cache
def _services() -> dict[str, str]:
    return {latin_text(row["word"]): row["service"] for row in read_table("services.tsv")}


NUMBER = re.compile(r"([+-]?)(\d{1,18}|\d{1,3}(?:,\d{3}){2,5}|\d{1,3}(?:,\d{3}){1,5}(?=\.))(?:[.,](\d+))?", re.ASCII)
THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


def fold_number(text: str) -> str | None:
    """A whole number; decimals are rounded, halves away from zero.

    A comma is a decimal comma, unless groups of three show that it separates thousands; ``1,234`` alone could be either
    and gives None.

    >>> fold_number("1 234,5"), fold_number("1,234.5"), fold_number("1,234")
    ('1235', '1235', None)
    """
    text = "".join(plain_digits(text).replace("−", "-").replace("'", "").split())
    found = NUMBER.fullmatch(text)
    if found is None or THOUSANDS_OR_DECIMALS.fullmatch(text):
        return None
    sign, whole, decimals = found.groups()
    size = int(whole.replace(",", "")) + (bool(decimals) and decimals[0] >= "5")
    return f"-{size}" if sign == "-" and size else str(size)


def fold_year(text: str) -> str | None:
    """The year of a cell with a year, or with a date if all orders agree on it."""
    years = {date.year for order in ORDERS if (date := parse_date(text, order))}
    return str(years.pop()) if len(years) == 1 else None
