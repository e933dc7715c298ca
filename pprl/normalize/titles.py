"""Forms of address, degrees, callings and suffixes that stand before or after a name: ``titles.tsv``.

Many of them are surnames too, so this module only proposes; ``names.without_titles`` decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from pprl.normalize.text import read_table

_LAST = re.compile(r"([^ .,()\-–—]+)[ .,()]*$")
AROUND = " ,;:/-–—"
_LONGEST = 48  # a word and what is around it


@dataclass(frozen=True, kw_only=True)
class Title:
    """A title as written, what it needs to be one (``titles.tsv``), and the text without it."""

    written: str
    needs: str
    rest: str


def may_hold_title(text: str) -> bool:
    """A quick look at the first and the last word; letters alone leave no room for a title."""
    if text.isalpha():
        return False
    return _may_begin(text.partition(" ")[0]) or _may_end(text.rpartition(" ")[2])


def titles_around(text: str) -> list[Title]:
    """The words at the beginning and at the end of a text that may be titles, the longest of each.

    >>> [(title.written, title.rest) for title in titles_around("д-р Лугов-мл.")]
    [('д-р', 'Лугов-мл.'), ('мл.', 'д-р Лугов')]
    """
    proposed: list[Title | None] = []
    if found := _pattern("before").match(text):
        proposed.append(_title("before", found[1], text[found.end() :].lstrip(AROUND)))
    if found := _pattern("after").search(text):
        proposed.append(_title("after", found[1], text[: found.start()].rstrip(AROUND)))
    return [title for title in proposed if title]


def _title(place: str, written: str, rest: str) -> Title | None:
    words = _words(place)
    key = _key(written)
    needs = words.get(key) or words.get(key.removesuffix(".")) or words.get(_key(written.lower()))
    needs = needs or words.get(_key(written.lower()).removesuffix("."))
    return Title(written=written, needs=needs, rest=rest) if needs else None


def _key(word: str) -> str:
    return word.replace(" ", "")


@cache
def _rows(place: str) -> tuple[tuple[str, str], ...]:
    return tuple((row["word"], row["needs"]) for row in read_table("titles.tsv") if row["place"] == place)


@cache
def _words(place: str) -> dict[str, str]:
    """What each title needs. In lower case, except titles that count only as they are written."""
    return {_key(word if needs in ("capitals", "numeral") else word.lower()): needs for word, needs in _rows(place)}


def _may_begin(word: str) -> bool:
    return (word.lower() if word.isalpha() else _first_word(word)) in _edge_words("before")


def _may_end(word: str) -> bool:
    last = word.lower() if word.isalpha() else _last_word(word)
    return not last or last in _edge_words("after")


@lru_cache(4096)
def _first_word(text: str) -> str:
    return text.partition(" ")[0].partition(".")[0].rstrip(",").lower()


@lru_cache(4096)
def _last_word(text: str) -> str:
    found = _LAST.search(text[-_LONGEST:])
    return found[1].lower() if found else ""


@cache
def _edge_words(place: str) -> frozenset[str]:
    """The first words of titles before a name, or the last words of those after it."""
    edge = _first_word if place == "before" else _last_word
    return frozenset(edge(word) for word, _ in _rows(place))


@cache
def _pattern(place: str) -> re.Pattern[str]:
    """The longest title at its place; white space after its full stops is free, and one more full stop may end it."""
    words = sorted((word for word, _ in _rows(place)), key=len, reverse=True)
    written = "|".join(
        re.escape(word).replace(r"\.\ ", r"\.").replace(r"\.", r"\. ?").replace(r"\ ", " ") for word in words
    )
    if place == "before":
        return re.compile(rf"((?:{written})\.?)(?:(?<=\.)|(?<=\. )|(?=[ ,]))(?=.)", re.IGNORECASE)
    return re.compile(rf"(?:(?<=[ ,(.])|(?<=[^\W\d_][-–—]))\(?((?:{written})\.?)[ ,)]*$", re.IGNORECASE)
