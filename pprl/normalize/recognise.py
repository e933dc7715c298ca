"""What a cell seems to be: a date of birth, a whole name, a patronymic, a personal number.

Nothing is folded here. The answers help to find the header of a table and the fields of its columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from pprl.core.schema import FULL_NAME
from pprl.normalize.cells import clean
from pprl.normalize.dates import ORDERS, parse_date
from pprl.normalize.names import PARTICLE, fold_name, is_patronymic, split_full_name
from pprl.normalize.ranks import fold_rank
from pprl.normalize.text import known_text, latin_text, read_table
from pprl.normalize.values import fold_sex

LIVING = range(12, 100)  # ages that birth dates must imply in a column without a header


def is_date_of_birth(text: str, year: int) -> bool:
    ages = {year - date.year for order in ORDERS if (date := parse_date(text, order))}
    return any(age in LIVING for age in ages)


def is_year_alone(text: str) -> bool:
    return re.fullmatch(r"\s*\d{4}\s*(?:\.0|г\.?|р\.?)?\s*", text) is not None


def is_name_in_full(text: str, _year: int) -> bool:
    if any(letter.isdigit() for letter in text):
        return False
    surname, given, patronymic = split_full_name(text)
    if not surname or not given:
        return False
    words = [*given.split(), *surname.split()]
    return is_patronymic(patronymic) or given.endswith(".") or any(map(is_given_name, words))


def is_given_name(word: str) -> bool:
    return fold_name(word, given=True) in _given_names()


def is_patronymic_alone(text: str) -> bool:
    words = text.split()
    return is_patronymic(text.strip()) and (len(words) == 1 or PARTICLE.fullmatch(words[-1]) is not None)


def is_given_alone(text: str) -> bool:
    """A given name, with or without the patronymic behind it."""
    first, _, rest = text.strip().partition(" ")
    return is_given_name(text) or (bool(rest) and is_given_name(first) and is_patronymic_alone(rest))


def is_initial(text: str) -> bool:
    return re.fullmatch(r"\s*[^\W\d_]\.?\s*", text) is not None


@cache
def _given_names() -> frozenset[str]:
    return frozenset(fold_name(row["name"], given=True) for row in read_table("given_names.tsv"))


_SURNAME = re.compile(
    r"[^\W\d_]+(?:[оеё]ва?|[иы]на?|[сц]к(?:ий|ая|ой|а)|енко|ко|у?к|ян|[иы]х|дзе|швили|ец|ли"
    r"|[oe]va?|ina?|[st]s?k(?:ii|y|iy|yi|aia|aya|a|i)|enko|chuk|uk|yan|ykh|ikh|dze|shvili)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*(?:[^\W\d_]{1,3}[\s№-]*\d{4,9}|\d{6,14})\s*")
_SERVICE = re.compile(
    r"(?:po )?(?:kontrakt|mob(?:ili|$)|sroch|prizyv|dobrovol|kadr|stroko|contract|conscript|volunt|reserv)"
)

LOOKS_LIKE: dict[str, Callable[[str, int], bool]] = {
    FULL_NAME: is_name_in_full,
    "patronymic": lambda text, _: is_patronymic_alone(text) or is_initial(text),
    "given": lambda text, _: is_given_alone(text) or is_initial(text),
    "surname": lambda text, _: _SURNAME.fullmatch(text.strip()) is not None and not is_patronymic(text.strip()),
    "date": is_date_of_birth,
    "joined": lambda text, _: any(parse_date(text, order) for order in ORDERS),
    "year": is_date_of_birth,
    "sex": lambda text, _: fold_sex(text) is not None,
    "rank": lambda text, _: fold_rank(text) is not None,
    "identifier": lambda text, _: _NUMBER.fullmatch(known_text(text)) is not None,
    "category": lambda text, _: _SERVICE.match(latin_text(text)) is not None,
}
#: Without a header, single letters are codes as often as initials: most of the cells must be spelled out.
SPELLED_OUT: dict[str, Callable[[str, int], bool]] = {
    "patronymic": lambda text, _: is_patronymic_alone(text),
    "given": lambda text, _: is_given_alone(text),
}


def is_value(text: str) -> bool:
    """Whether a cell belongs to a person and not to a header: a day, a number, a full name, a patronymic.

    >>> is_value("12.03.1985"), is_value("Пётр Иванович Лугов"), is_value("Дата рождения"), is_value("2022")
    (True, True, False, False)
    """
    text = clean(text)
    if any(map(str.isdigit, text)):
        day = any((date := parse_date(text, order)) and date.day for order in ORDERS)
        return day or LOOKS_LIKE["identifier"](text, 0)
    return len(text) < 200 and (is_patronymic(text.strip()) or is_given_name(text) or is_name_in_full(text, 0))
