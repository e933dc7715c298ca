"""A rank is its step on the ladder, so that army and navy, Russian, Ukrainian and English agree.

``ranks.tsv`` gives each rank and each of its abbreviations a number; private and seaman are both 10, lieutenant is 100.
Spaces, full stops and hyphens do not count. Words that say where someone serves and not how high (guards, reserve,
medical service, justice) are rows without a number; they are removed if the cell is unknown with them.

Clerks also write the rank into the cell of the name; ``split_rank`` takes it out again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from pprl.normalize.names import holds_name, name_words
from pprl.normalize.text import latin_text, read_table


def fold_rank(text: str) -> str | None:
    """The number of the rank as text, or None for a rank in no row.

    >>> fold_rank("ст. л-т"), fold_rank("гвардии старший лейтенант"), fold_rank("Senior Lieutenant")
    ('110', '110', '110')
    """
    words = latin_text(text)
    return _ranks().get(_key(words)) or _ranks().get(_key(_not_a_rank().sub(" ", words)))


def _key(words: str) -> str:
    return words.replace(" ", "")


@cache
def _ranks() -> dict[str, str]:
    return {
        _key(latin_text(row["abbreviation"])): row["order"] for row in read_table("ranks.tsv") if row["order"] != "-"
    }


@cache
def _not_a_rank() -> re.Pattern[str]:
    words = [latin_text(row["abbreviation"]) for row in read_table("ranks.tsv") if row["order"] == "-"]
    return re.compile(r"\b(?:{})\b".format("|".join(sorted(words, key=len, reverse=True))))


_UNIT = re.compile(r"[^\s.,;:()]+\.?")
_BRACKETS = re.compile(r"\(([^()]+)\)")
NOT_INITIALS = re.compile(r"[^\W\d_]{3}|[^\W\d_][-/][^\W\d_]|\d|[^\W\d_]{2}(?!\.)")
_CAPITAL_INITIAL = re.compile(r"(?<![^\W\d_])[A-ZА-ЯІЇЄҐ]\.")
_ONE_WORD = re.compile(r"[^\W\d_]+")
_AROUND = " \t\n\r\xa0,;:/-–—"
_MOST_WORDS = 7


def split_rank(text: str, *, whole: bool = True) -> tuple[str, str]:
    """The rank written with a name (or nothing) and the rest, both as written.

    In brackets a rank may be anywhere; otherwise it is the longest beginning or, failing that, the longest end of the
    text that is a rank, if a name remains. A rank of one word may be a surname (Майор Пётр Петрович), unless it is in
    lower case and the rest is not: then a surname and a given name or initials must remain, or, in a cell that is not a
    ``whole`` name, any word. Initials are not a rank (К.Н. Иванов).

    >>> split_rank("гв. ст. с-т Петров П.П."), split_rank("Иванов И.И. (ряд.)"), split_rank("Майор Пётр Петрович")
    (('гв. ст. с-т', 'Петров П.П.'), ('ряд.', 'Иванов И.И.'), ('', 'Майор Пётр Петрович'))
    """
    for found in _BRACKETS.finditer(text):
        rest = (text[: found.start()] + " " + text[found.end() :]).strip()
        if fold_rank(found[1]) and name_words(rest):
            return found[1], rest
    units = list(_UNIT.finditer(text))
    counts = range(min(_MOST_WORDS, len(units) - 1), 0, -1)
    cuts: list[tuple[str, str]] = []
    if counts and _can_begin(units[0][0]):
        cuts += [(text[: units[count - 1].end()], text[units[count - 1].end() :]) for count in counts]
    if counts and _can_end(units[-1][0]):
        cuts += [(text[units[-count].start() :], text[: units[-count].start()]) for count in counts]
    for rank, rest in cuts:
        rank, rest = rank.strip(_AROUND + "()"), rest.lstrip(_AROUND + ".)").rstrip(_AROUND + "(")
        if _is_not_initials(rank) and fold_rank(rank) and _leaves_name(rank, rest, whole):
            return rank, rest
    return "", text


def quick_look() -> Callable[[str], bool]:
    """A function that says whether `split_rank` can find anything in a text, by its first and last word. It remembers
    the words, which repeat in a column."""
    begins: dict[str, bool] = {}
    ends: dict[str, bool] = {}

    def may_hold_rank(text: str) -> bool:
        words = text.split()
        if not words:
            return False
        first, last = words[0], words[-1]
        if first not in begins:
            units = _UNIT.findall(first)
            begins[first] = not units or _can_begin(units[0])
        if last not in ends:
            units = _UNIT.findall(last)
            ends[last] = not units or _can_end(units[-1])
        return begins[first] or ends[last] or "(" in text

    return may_hold_rank


def _is_not_initials(rank: str) -> bool:
    return NOT_INITIALS.search(rank) is not None and (rank.isupper() or not _CAPITAL_INITIAL.search(rank))


def _leaves_name(rank: str, rest: str, whole: bool) -> bool:
    words = name_words(rest)
    if all(len(word.rstrip(".")) < 2 for word in words):
        return False
    could_be_surname = _ONE_WORD.fullmatch(rank) and (not rank.islower() or rest.islower())
    return not (could_be_surname and whole) or holds_name(words)


def _can_begin(word: str) -> bool:
    return latin_text(word) in _edge_words()[0]


def _can_end(word: str) -> bool:
    return latin_text(word) in _edge_words()[1]


@cache
def _edge_words() -> tuple[frozenset[str], frozenset[str]]:
    """The first and the last words of all ranks."""
    ranks = [_UNIT.findall(row["abbreviation"]) for row in read_table("ranks.tsv")]
    return frozenset(latin_text(words[0]) for words in ranks), frozenset(latin_text(words[-1]) for words in ranks)
