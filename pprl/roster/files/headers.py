"""What headers mean: words for the fields of a roster in the languages read, as clerks abbreviate them."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Iterable, Sequence

from pprl.normalize.cells import clean


def header_types(headers: Iterable[str]) -> dict[str, list[str]]:
    """The headers of each type that one of them names, and of ``full_name``."""
    found: dict[str, list[str]] = {}
    for header in headers:
        if kind := header_type(header):
            found.setdefault(kind, []).append(header)
    return found


def header_type(header: str) -> str | None:
    """The type that a header names: one of the schema's, ``full_name``, or ``row`` for the running number."""
    return _known_headers().get(_plain(clean(header))) if len(header) < 100 else None


def shown(header: str, headers: Sequence[str]) -> str | int:
    """A header, or the number of its column where no header is a known one: the first row may hold a person then."""
    return header if header_types(headers) else headers.index(header) + 1


def column_name(header: str, headers: Sequence[str]) -> str:
    """A column for messages, as `shown`.

    >>> column_name("Дом. адрес", ["Фамилия", "Дом. адрес"]), column_name("Лукич", ["Пров", "Лукич"])
    ("column 'Дом. адрес'", 'column 2')
    """
    return f"column {shown(header, headers)!r}"


def is_short_for(cell: str, header: str) -> bool:
    """Whether a cell is a header again, or the beginning of its words: ``Дата рожд.`` for ``Дата рождения``."""
    if _plain(cell) == _plain(header):
        return True
    short, full = (re.findall(r"[^\W_]+", text.lower()) for text in (cell, header))
    return bool(short) and len(short) <= len(full) and all(map(str.startswith, full, short))


@functools.cache
def _known_headers() -> dict[str, str]:
    text = importlib.resources.files("pprl.normalize").joinpath("data/headers.tsv").read_text(encoding="utf-8")
    known: dict[str, str] = {}
    for line in text.splitlines()[2:]:
        kind, _, words = line.partition("\t")
        known.update({_plain(word): kind for word in words.split(";")})
    return known


def _plain(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.replace("№", "n")).lower().replace("ё", "е")
