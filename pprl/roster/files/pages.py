"""Which code page a text is in: the one under which it looks most like names of a language.

Every page of every language in `pages.tsv` makes a text of the same bytes. Its cost is the negative logarithm of how
likely such names are: frequent letters cost little; symbols, capitals inside words, two scripts in a word, and vowels
or consonants in a heap cost much. Each distinct word counts once. Pages in which two bytes make a letter, and others
that are not read, take part so that they are refused by name rather than read as something else.

Letters are as frequent as their ranks say (Gusein-Zade 1988): the r-th of n has the share log((n + 1) / r) of the sum.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pprl.core.errors import RosterError
from pprl.normalize.names import fold_name
from pprl.normalize.text import read_table

SAVE_AGAIN = "save it as XLSX or as CSV in UTF-8"
# By how much a page must be better than another that makes a different text, of another script or of the same.
_MARGIN, _MARGIN_IN_SCRIPT = 7.0, 4.5
_MOST_COST, _MOST_LATIN_COST = 4.6, 7.0  # per letter: noise and unknown languages cost more
_MOST_WORDS = 300  # distinct words that are looked at: more evidence than is ever needed
_NOT_READ = ("thai", "vietnamese")

_OTHER_LETTER, _USUAL_SIGN, _SIGN = 9.0, 5.0, 12.0
_LATIN_ACCENT = 2.0  # that a letter of a Latin alphabet is one outside ASCII
_RARER_PAGE, _RARER_LATIN_PAGE = 0.25, 1.0  # for each page before this one in the table
_SMALL = 1.5  # a word in small letters
_BREAK = 6.0  # a capital after a small letter, or two scripts in one word
_USUAL_SIGNS = frozenset("№«»–—’‘“”„…°§\u00a0")
_VOWELS = frozenset("аеёиоуыэюяіїєαειουωηάέήίόύώϊϋΐΰaeiouyøæœıўäöü")
# Vowels and consonants side by side: logarithms of the odds against independent letters.
_HEAPS = {"cv": -0.3, "cc": 0.4, "vc": -0.45, "vv": 1.5}


@dataclass(frozen=True)
class Alphabet:
    """The letters of a language by what they cost, and the pages in which its rosters are written."""

    script: str
    language: str
    pages: tuple[str, ...]
    costs: Mapping[str, float]
    rarity: float  # what its files cost beforehand, being rarer
    cased: bool

    @property
    def latin(self) -> bool:
        return self.script in ("latin", "vietnamese")


@functools.cache
def alphabets() -> tuple[Alphabet, ...]:
    found = []
    for row in read_table("pages.tsv"):
        letters, script = row["letters"], row["script"]
        weights = [math.log((len(letters) + 1) / rank) for rank in range(1, len(letters) + 1)]
        more = _LATIN_ACCENT if script in ("latin", "vietnamese") else 0.0
        costs = {
            letter: more - math.log(weight / sum(weights)) for letter, weight in zip(letters, weights, strict=True)
        }
        cased = letters.upper() != letters
        found.append(Alphabet(script, row["language"], tuple(row["pages"].split()), costs, float(row["rarity"]), cased))
    return tuple(found)


def likely_page(sample: bytes) -> str:
    """The code page under which the text looks most like names, or "" if it looks like names under none.

    RosterError: two pages make different texts, and neither is much more likely; or the page is one that is not read.
    """
    words = list(itertools.islice(dict.fromkeys(w for w in _WORD.findall(sample) if not w.isascii()), _MOST_WORDS))
    letters = sum(byte > 127 for word in words for byte in word)
    ranked = sorted([*_of_letters(words), *_of_pairs(sample, words)], key=lambda one: (one.cost, one.page))
    best = ranked[0]
    if best.cost > (_MOST_COST if best.read and best.script != "latin" else _MOST_LATIN_COST) * letters:
        return ""
    near = [
        one
        for one in ranked[1:]
        if one.text != best.text
        and one.cost < best.cost + (_MARGIN_IN_SCRIPT if best.script == one.script else _MARGIN)
    ]
    if not best.read:
        seem = [one.page for one in ranked if not one.read and one.cost < max(1.4 * best.cost, best.cost + _MARGIN)]
        raise RosterError(f"the roster seems to be in {' or '.join(seem)}, which is not read", hint=SAVE_AGAIN)
    for other in near:
        if not (other.read and _folds_alike(best.text, other.text)):
            raise RosterError(
                f"the roster could be in {best.page} or in {other.page}, and nothing shows which", hint=SAVE_AGAIN
            )
    return best.page


_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")


@dataclass(frozen=True)
class _Reading:
    page: str
    script: str
    text: str
    cost: float
    read: bool = True


def _of_letters(words: Sequence[bytes]) -> Iterator[_Reading]:
    """The text under each page in which a byte is a letter, at the cost of the language that suits it best."""
    joined = b"\n".join(words)
    best: dict[str, _Reading] = {}
    texts: dict[str, str] = {}
    for alphabet in alphabets():
        for index, page in enumerate(alphabet.pages):
            if page not in texts:
                texts[page] = joined.decode(page, "replace")
            rarity = alphabet.rarity + index * (_RARER_LATIN_PAGE if alphabet.latin else _RARER_PAGE)
            cost = cost_of(texts[page].split("\n"), alphabet) + rarity
            if page not in best or cost < best[page].cost:
                script = "latin" if alphabet.latin else alphabet.script
                best[page] = _Reading(page, script, texts[page], cost, alphabet.script not in _NOT_READ)
    yield from best.values()


def cost_of(words: Sequence[str], alphabet: Alphabet) -> float:
    """What words cost as names of a language."""
    cost = sum(_cost_of_word(word, alphabet) for word in words)
    clash = _CLASH.get(alphabet.script)
    return cost + 5 * sum(1 for _ in clash.finditer("\n".join(words))) if clash else cost


def _cost_of_word(word: str, alphabet: Alphabet) -> float:
    total, kinds, high_before, vowels = 0.0, "", False, ""
    for index, letter in enumerate(word):
        low, high = _lower(letter), letter > "\x7f"
        cost = alphabet.costs.get(low) if high else 0.0
        if cost is None and not letter.isalpha():
            inside = 0 < index < len(word) - 1 and letter != "’"
            total += _USUAL_SIGN if letter in _USUAL_SIGNS and not inside else _SIGN
            kinds, high_before, vowels = "", False, ""
            continue
        total += _OTHER_LETTER if cost is None else cost
        if kinds and high != high_before and not alphabet.latin:
            total += _BREAK
        near = high or high_before
        kinds += "u" if letter != low else "l"
        if alphabet.cased and near:
            total += _SMALL * (kinds == "l") + _BREAK * kinds.endswith(("lu", "uul"))
        if alphabet.cased:
            vowels += "v" if _base(low) in _VOWELS else "c"
            total += _HEAPS.get(vowels[-2:], 0.0) * near + (vowels[-3:] in ("ccc", "vvv")) * near
        high_before = high
    return total


def _lower(letter: str) -> str:
    return "i" if letter == "İ" else letter.lower()


@functools.cache
def _base(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


_CLASH = {  # signs and letters at the wrong end of a word
    "greek": re.compile("ς[ά-ώ]|σ(?![ά-ώ])|(?<![Ά-ώ])’[Ά-ώ]"),
    "hebrew": re.compile("[םןךףץ][א-ת]"),
    "arabic": re.compile("[ةى][ء-ی]"),
    "thai": re.compile("(?<![ก-ฮั-ฺ็-๎])[ะ-ฺ็-๎]|[เ-ไ](?![ก-ฮ])"),
}


@dataclass(frozen=True)
class _Pairs:
    """A page in which two bytes make a letter: what its letters cost by the first byte of each, in ranges."""

    page: str
    costs: tuple[tuple[int, int, float], ...]

    def reading(self, sample: bytes) -> _Reading | None:
        try:
            text = sample.decode(self.page)
        except UnicodeDecodeError:
            return None
        words = list(itertools.islice(dict.fromkeys(_HIGH.findall(text)), _MOST_WORDS))
        cost = 0.0
        for word in words:
            for letter in word:
                data = letter.encode(self.page)
                cost += next((cost for low, high, cost in self.costs if low <= int.from_bytes(data, "big") <= high), 11)
            cost += 4 * max(0, len(word) - 4)
        cost += _BREAK * sum(1 for _ in _BESIDE_LATIN.finditer(text))
        return _Reading(self.page, self.page, text, cost, read=False)


_BESIDE_LATIN = re.compile("[A-Za-z](?=[^\x00-\x7f])|[^\x00-\x7f](?=[A-Za-z])")
_HIGH = re.compile("[^\x00-\x7f]+")
_PAIRS = (
    _Pairs("gb18030", ((0xB0A1, 0xD7F9, 6.5), (0xD8A1, 0xF7FE, 10))),
    _Pairs("big5", ((0xA440, 0xC67E, 6.5), (0xC940, 0xF9D5, 10))),
    _Pairs("euc-kr", ((0xB0A1, 0xC8FE, 6),)),
    _Pairs("shift_jis", ((0xA1, 0xDF, 4.5), (0x829F, 0x8396, 4.5), (0x889F, 0x9872, 6.5), (0x989F, 0xEAA4, 10))),
    _Pairs("euc-jp", ((0xA4A1, 0xA5F6, 4.5), (0xB0A1, 0xCFD3, 6.5), (0xD0A1, 0xF4A6, 10))),
)


def _of_pairs(sample: bytes, words: Sequence[bytes]) -> Iterator[_Reading]:
    """The readings in which two bytes make a letter; of a long sample, those of the lines of its first words."""
    if len(words) == _MOST_WORDS:
        sample = sample[: sample.rfind(b"\n", 0, sample.index(words[-1])) + 1] or sample
    return filter(None, (pairs.reading(sample) for pairs in _PAIRS))


def _folds_alike(one: str, other: str) -> bool:
    """Whether two texts make the same values, so that it does not matter which of them is read."""
    words = zip(one.split("\n"), other.split("\n"), strict=True)
    return all(fold_name(a, given=given) == fold_name(b, given=given) for a, b in words for given in (False, True))
