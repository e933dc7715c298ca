"""A rank is its step on the ladder, so that army and navy, Russian, Ukrainian and English meet.

``ranks.tsv`` gives each rank and each of its abbreviations a number; private and seaman are both 10,
lieutenant is 100. Spaces, full stops and hyphens do not count. Words that say where someone serves and not
how high (guards, reserve, medical service, justice) are rows without a number and are removed when the cell
is unknown with them.

Clerks also write the rank into the cell of the name; ``split_rank`` takes it out again."""

from __future__ import annotations

import re
from functools import cache
from itertools import product

from pprl.normalize.names import holds_name, name_words
from pprl.normalize.text import latin_text, letters, read_table


def fold_rank(text: str) -> str | None:
    """The number of the rank as text, or None for a rank that no row knows.

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
_NO_INITIALS = re.compile(r"[^\W\d_]{3}|[^\W\d_][-/][^\W\d_]|\d|[^\W\d_]{2}(?!\.)")
_LETTERS = re.compile(r"[^\W\d_]+")
_EDGES = " \t\n\xa0.,;:()/-–—"
_CAPITAL_INITIAL = re.compile(r"(?<![^\W\d_])[A-ZА-ЯІЇЄҐ]\.")
_MOST_WORDS = 7


def split_rank(text: str, *, whole: bool = True) -> tuple[str, str]:
    """A name and the rank that is glued to it: the rank (or nothing) and the rest, both as written.

    The longest beginning, or else the longest end, that is a rank, if what is left holds a name; in brackets it may
    stand anywhere. A rank of one word may be a surname (Майор Пётр Петрович), unless it is in small letters and the
    rest is not: then a surname and a given name or initials must be left, or in a cell that is no ``whole`` name any
    word. Initials are no rank (К.Н. Иванов).

    >>> split_rank("гв. ст. с-т Петров П.П."), split_rank("Иванов И.И. (ряд.)"), split_rank("Майор Пётр Петрович")
    (('гв. ст. с-т', 'Петров П.П.'), ('ряд.', 'Иванов И.И.'), ('', 'Майор Пётр Петрович'))
    """
    if not _may_hold_rank(text):
        return "", text
    for found in _BRACKETS.finditer(text):
        rest = (text[: found.start()] + " " + text[found.end() :]).strip()
        if fold_rank(found[1]) and name_words(rest):
            return found[1], rest
    units = [found.span() for found in _UNIT.finditer(text)]
    longest = min(_MOST_WORDS, len(units) - 1)
    cuts = [(text[: units[count][0]], text[units[count][0] :]) for count in range(longest, 0, -1)]
    cuts += [(text[units[-count][0] :], text[: units[-count][0]]) for count in range(longest, 0, -1)]
    for rank, rest in cuts:
        rank, rest = rank.strip(_EDGES.replace(".", "")), rest.lstrip(_EDGES).rstrip(_EDGES.replace(".", ""))
        if _is_no_initials(rank) and fold_rank(rank) and _leaves_name(rank, rest, whole):
            return rank, rest
    return "", text


def _is_no_initials(rank: str) -> bool:
    return _NO_INITIALS.search(rank) is not None and (rank.isupper() or not _CAPITAL_INITIAL.search(rank))


def _leaves_name(rank: str, rest: str, whole: bool) -> bool:
    words = name_words(rest)
    if not words or not any(len(word.rstrip(".")) > 1 for word in words):
        return False
    could_be_surname = _LETTERS.fullmatch(rank) and (not rank.islower() or rest.islower())
    return not (could_be_surname and whole) or holds_name(words)


def _may_hold_rank(text: str) -> bool:
    """A quick look at both ends: at three letters, which few names share with a rank, and only then at the words."""
    begins, ends = _edge_letters()
    tail = text[:-1] if text[-1:] == "." else text
    if text[:1].isalpha() and tail[-1:].isalpha() and "(" not in text:
        if not (text[:3] in begins or text[:2] in begins or tail[-3:] in ends):
            return False
        units = _UNIT.findall(text)
        first_words, last_words = _edge_words()
        return latin_text(units[0]) in first_words or latin_text(units[-1]) in last_words
    return not text.isspace() and text != ""


@cache
def _edge_words() -> tuple[frozenset[str], frozenset[str]]:
    ranks = [_UNIT.findall(row["abbreviation"]) for row in read_table("ranks.tsv")]
    return frozenset(latin_text(words[0]) for words in ranks), frozenset(latin_text(words[-1]) for words in ranks)


@cache
def _edge_letters() -> tuple[frozenset[str], frozenset[str]]:
    """With what a rank can begin and end, in small letters and capitals and with look-alike letters."""
    doubles: dict[str, set[str]] = {}
    for code, other in [*letters().to_latin.items(), *letters().to_cyrillic.items()]:
        doubles.setdefault(chr(code), {chr(code)}).add(other)
    begins: set[str] = set()
    ends: set[str] = set()
    for row in read_table("ranks.tsv"):
        rank = row["abbreviation"]
        first, phrase = re.split(r"[\s.]", rank)[0], rank.rstrip(".")
        for case in (str.lower, str.upper, str.capitalize):
            for edges, edge in ((begins, case(first[:3])), (ends, f" {case(phrase)}"[-3:])):
                edges |= {"".join(chosen) for chosen in product(*(doubles.get(each, each) for each in edge))}
    return frozenset(begins), frozenset(ends)
