"""Letters of any script to plain Latin letters, the same on every machine.

Two owners who never meet must get the same bits from the same name, so nothing here depends on the Unicode version of
this Python. Every letter that counts is a row of ``letters.tsv``; decompositions come from the frozen Unicode 3.2
database of the standard library. Letters in no table are dropped (``dropped_letters`` counts them).

In order:

1. code points in no table are dropped: soft hyphens, joiners, direction marks, emoji;
2. letters written as base and combining mark are composed, so NFC and NFD are one spelling, and digits become 0-9;
3. in a word of two scripts, look-alike letters (Latin ``c`` for Cyrillic ``с``) are moved to the script of the
   majority, and in names the Caucasian palochka, however typed (``Ӏ I l 1``), is dropped;
4. where a letter shows a scholarly romanisation (``č š ž``), ``ch`` is the sound of ``х``, hence ``kh``;
5. words in Greek, Armenian, Arabic and Hebrew letters are spelled in Latin ones (``scripts``);
6. each letter becomes its Latin letters; apostrophes and primes vanish; hyphens and other punctuation become spaces.

The result is a readable romanisation, not yet one spelling per name: ``names`` does that.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from unicodedata import ucd_3_2_0 as frozen

from pprl.normalize.scripts import SCRIPTS, WITHOUT_VOWELS, Script, in_latin, make_script

CODE_VERSION = 4
"""Increased whenever code, rather than a table, changes what a value folds to."""

FOLDING_TABLES = (
    "letters.tsv",
    "lookalikes.tsv",
    "scripts.tsv",
    "known_names.tsv",
    "rules.tsv",
    "particles.tsv",
    "ranks.tsv",
    "months.tsv",
    "sex.tsv",
    "sex_endings.tsv",
    "services.tsv",
    "nothing.tsv",
    "titles.tsv",
    "date_words.tsv",
)

_COMPATIBLE = (
    range(0xA0, 0x700),
    range(0x1D00, 0x2300),
    range(0xFB00, 0xFE00),
    range(0xFE70, 0xFEFD),
    range(0xFF00, 0xFFF0),
)


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a table of this package by column name; lines that begin with ``#`` name its source."""
    text = resources.files("pprl.normalize").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.split("\n") if line and not line.startswith("#")]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def folding_hash() -> bytes:
    """SHA-256 over everything that decides how a value folds: the tables and the version of the code."""
    digest = hashlib.sha256(b"pprl-folding-%d" % CODE_VERSION)
    for name in FOLDING_TABLES:
        data = resources.files("pprl.normalize").joinpath("data", name).read_bytes()
        digest.update(b"%s %d\n" % (name.encode(), len(data)) + data)
    return digest.digest()


@dataclass(frozen=True, kw_only=True)
class Letters:
    """The letter tables, prepared for ``str.translate`` and ``re``."""

    latin: dict[int, str]  # code point -> Latin letters, digits, space or nothing
    kinds: dict[str, str]  # kinds of character: cyrillic, latin, ..., digit, space, stop, apostrophe, mark
    unknown: re.Pattern[str]
    loose: re.Pattern[str]  # a mark, a digit of another script, or a letter of a script without vowels
    tied: dict[int, str]  # takes marks away and writes those digits as 0-9
    cyrillic: re.Pattern[str]
    like_cyrillic: re.Pattern[str]
    to_cyrillic: dict[int, str]
    to_latin: dict[int, str]
    of_scripts: re.Pattern[str]  # a letter of one of `scripts`


@cache
def letters() -> Letters:
    latin: dict[str, str] = {}
    kinds: dict[str, str] = {}
    tied: dict[int, str] = {}
    for row in read_table("letters.tsv"):
        letter = chr(int(row["letter"][2:], 16)) if row["letter"].startswith("U+") else row["letter"]
        latin[letter] = row["latin"].replace("-", "").replace("_", " ")
        kinds[letter] = row["kind"]
        if row["kind"] in ("mark", "digit") and not letter.isascii():
            tied[ord(letter)] = latin[letter]
    for letter in list(latin):
        capital = letter.upper()
        if capital != letter and len(capital) == 1 and capital.lower() == letter:
            latin.setdefault(capital, latin[letter])
            kinds.setdefault(capital, kinds[letter])
    for code in (code for block in _COMPATIBLE for code in block):
        _add_composed(chr(code), latin, kinds)
    pairs = [(row["latin"], row["cyrillic"]) for row in read_table("lookalikes.tsv")]
    cyrillic_class, latin_class = (_class(kinds, kind) for kind in ("cyrillic", "latin"))
    return Letters(
        latin={ord(letter): plain for letter, plain in latin.items()},
        kinds=kinds,
        unknown=re.compile(f"[^{_class(kinds)}]+"),
        loose=re.compile(f"[{''.join(map(chr, tied))}{_class(kinds, *WITHOUT_VOWELS)}]"),
        tied=tied,
        cyrillic=re.compile(f"[{cyrillic_class}]"),
        like_cyrillic=re.compile(f"[{latin_class}1|]"),
        to_cyrillic={ord(a): b for a, b in pairs},
        to_latin={ord(b): a for a, b in pairs},
        of_scripts=re.compile(f"[{_class(kinds, *SCRIPTS)}]"),
    )


@cache
def scripts() -> tuple[Script, ...]:
    """The scripts whose letters alone do not say the sound."""
    tables, rows = letters(), read_table("scripts.tsv")
    names = {row["name"]: row["latin"] for row in read_table("known_names.tsv")}
    return tuple(make_script(name, _class(tables.kinds, name), rows, names, tables.latin) for name in SCRIPTS)


def _add_composed(letter: str, latin: dict[str, str], kinds: dict[str, str]) -> bool:
    """Add an accented or compatibility character by its parts; False if it has none or one is unknown."""
    if letter in latin:
        return True
    parts = [chr(int(code, 16)) for code in frozen.decomposition(letter).split() if not code.startswith("<")]
    if not parts or not all(_add_composed(part, latin, kinds) for part in parts):
        return False
    latin[letter] = "".join(latin[part] for part in parts)
    kinds[letter] = kinds[parts[0]]
    return True


def _class(kinds: dict[str, str], *wanted: str) -> str:
    return "".join(sorted(re.escape(letter) for letter, kind in kinds.items() if not wanted or kind in wanted))


def plain_digits(text: str) -> str:
    """The text with digits 0-9 for those of other scripts, and the Arabic signs for decimals and thousands as ours."""
    return text if text.isascii() else text.translate(letters().tied | _ARABIC_SIGNS)


_ARABIC_SIGNS = {ord("٫"): ".", ord("٬"): ","}


def known_text(text: str) -> str:
    """Steps 1 and 2: known code points only, composed, with digits 0-9; keeps the case."""
    if _USUAL.fullmatch(text):
        return text
    tables = letters()
    text = tables.unknown.sub("", text)
    if tables.loose.search(text):
        text = tables.unknown.sub("", frozen.normalize("NFC", text).translate(tables.tied))
    return text


def prepare(text: str, *, palochka: bool = False) -> str:
    """Steps 1 to 5; keeps the case. Only in names can ``I l 1`` be a ``palochka``: elsewhere they are numerals."""
    if _PLAIN.fullmatch(text):
        return text
    tables, text = letters(), known_text(text)
    if not text.isascii():
        if tables.cyrillic.search(text) and tables.like_cyrillic.search(text):
            text = _WORD.sub(lambda word: _one_script(word[0], palochka), text)
        if _SCHOLARLY.search(text):
            text = _CH.sub("kh", text)
        if tables.of_scripts.search(text):
            for script in scripts():
                text = script.words.sub(partial(in_latin, script), text)
    return text


_WORD = re.compile(r"[^\s.,;:/()-]+")
PALOCHKA = re.compile(
    r"[lӀӏ]|(?<=[гкптхцчГКПТХЦЧ])[1|](?=[^\W\d])"
    r"|(?:(?<!\w)|(?<=[гкптхцчГКПТХЦЧ]))I(?=[аеёиоуыэюяьъАЕЁИОУЫЭЮЯЬЪ])|(?<=[гкптхцч])I"
)


def _one_script(word: str, palochka: bool) -> str:
    """The word in the script of most of its letters; letters without a look-alike count first."""
    tables = letters()
    cyrillic = [letter for letter in word if tables.kinds[letter] == "cyrillic"]
    latin = [letter for letter in word if tables.kinds[letter] == "latin"]
    sure = sum(ord(a) not in tables.to_latin for a in cyrillic) - sum(ord(a) not in tables.to_cyrillic for a in latin)
    if not cyrillic or (sure or len(cyrillic) - len(latin)) < 0:
        return word.translate(tables.to_latin)
    if palochka:
        word = PALOCHKA.sub("", word)
    return word.translate(tables.to_cyrillic)


_USUAL = re.compile("[0-9A-Za-zА-Яа-яЁёІіЇїЄєҐґ .-]*+")  # known and composed, as most texts are
_PLAIN = re.compile("[A-Za-z .-]*+|[А-Яа-яЁёІіЇїЄєҐґ .-]*+")  # in one script, too: nothing to prepare
_SCHOLARLY = re.compile("[čšžěëŝğŭČŠŽĚËŜĞŬ]")
_CH = re.compile("[Cc][Hh]")


def latin_text(text: str) -> str:
    """Lower-case Latin letters and digits, words separated by one space.

    >>> latin_text("Щербаков-Дёмин")
    'shcherbakov demin'
    """
    return " ".join(prepare(text).translate(letters().latin).split())


def dropped_letters(text: str) -> int:
    """How many letters of the text are in no table, and so lost: for reports only, never for the encoding."""
    return len(_unknown_letters(text))


def unread_alphabet(text: str) -> str | None:
    """The alphabet of a text all of whose letters are in no table; None for any other text. For reports only.

    >>> unread_alphabet("สมชาย"), unread_alphabet("สมชาย S."), unread_alphabet("12")
    ('Thai', None, None)
    """
    unknown = _unknown_letters(text)
    if not unknown or any(map(str.isalpha, letters().unknown.sub("", text))):
        return None
    names = [_alphabet_of(letter) for letter in unknown]
    return max(dict.fromkeys(names), key=names.count)


def _unknown_letters(text: str) -> list[str]:
    tables = letters()
    if not tables.unknown.search(text):
        return []
    return [letter for letter in text if letter not in tables.kinds and _is_letter(letter)]


def _is_letter(character: str) -> bool:
    """Letters of Unicode 3.2, and what was added to the alphabets since."""
    category = frozen.category(character)
    return category[0] == "L" or (category == "Cn" and _alphabet_of(character) != "unknown")


def _alphabet_of(letter: str) -> str:
    starts, names = _alphabets()
    return names[bisect_right(starts, ord(letter)) - 1]


@cache
def _alphabets() -> tuple[list[int], list[str]]:
    """The code points at which an alphabet or a gap begins, and which."""
    starts = {0: "unknown"}
    for row in read_table("alphabets.tsv"):
        starts[int(row["first"], 16)] = row["alphabet"]
        starts.setdefault(int(row["last"], 16) + 1, "unknown")
    return sorted(starts), [starts[start] for start in sorted(starts)]
