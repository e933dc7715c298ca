"""Numbers of a spreadsheet as text: days counted from 1900 or 1904, and which number format makes a number a date."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

_BUILT_IN = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # ECMA-376 part 1, 18.8.30
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
EXACT = 2**53  # below it, every whole number is a float
_LAST_DAY = 2_958_466  # 31 December 9999


def is_date_format(number: int, code: str = "") -> bool:
    """Whether a number format shows days or times.

    >>> is_date_format(14), is_date_format(164, "dd.mm.yyyy;@"), is_date_format(165, '0.00" m"')
    (True, True, False)
    """
    if not code:
        return number in _BUILT_IN
    first = _LITERAL.sub("", code).split(";")[0].lower()
    return bool(re.search("[dmyhs]", first)) and "general" not in first


def is_duration_format(number: int, code: str = "") -> bool:
    """Whether a number format counts hours, minutes or seconds beyond a day: ``[h]:mm``."""
    return bool(re.search(r"\[[hms]+\]", code, re.IGNORECASE)) if code else number == 46


def number_text(value: float) -> str:
    """A whole number loses its ``.0``; one beyond 2^53, which was rounded, gets no digits of its own.

    >>> number_text(7.0), number_text(0.5), number_text(12345678901234567890.0)
    ('7', '0.5', '12345678901234567000')
    """
    if not float(value).is_integer():
        return str(value)
    return str(int(value)) if abs(value) < EXACT else f"{Decimal(repr(float(value))):f}".removesuffix(".0")


def date_text(serial: float, *, from_1904: bool = False) -> str:
    """A day as ISO date, with its time where that is not midnight; a number below 1 is a time of the day.

    The calendar from 1900 counts a 29 February that never was; what cannot be a date stays a number.

    >>> date_text(31108), date_text(31108.875), date_text(0.5), date_text(1), date_text(-3)
    ('1985-03-02', '1985-03-02 21:00:00', '12:00:00', '1900-01-01', '-3')
    """
    if not 0 <= serial < _LAST_DAY - (1462 if from_1904 else 0):
        return number_text(serial)
    seconds = round(serial * 86_400)
    if seconds < 86_400 and (seconds or not from_1904):
        return str(datetime.timedelta(seconds=seconds)).zfill(8)
    first = datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 30 if serial >= 60 else 31)
    moment = first + datetime.timedelta(seconds=seconds)
    return str(moment.date() if moment.time() == datetime.time() else moment)


def duration_text(seconds: float) -> str:
    """Hours, minutes and seconds, as a spreadsheet shows a duration.

    >>> duration_text(108_000), duration_text(-90)
    ('30:00:00', '-0:01:30')
    """
    minutes, second = divmod(round(abs(seconds)), 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}:{second:02}"
