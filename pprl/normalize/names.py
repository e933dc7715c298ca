"""One spelling per name, whichever alphabet, romanisation standard or typist it went through.

``Щербаков``, ``Shcherbakov``, ``Ščerbakov`` and ``Schtscherbakow`` all become ``werbakov``. The text is
first romanised (``text``), then the rules of ``rules.tsv`` are applied in their order, each a regular
expression with an example of what it does. The result is a key, not a name to print: one letter is one
sound, so ``w`` is sh or shch, ``j`` zh or dzh, ``q`` ch, ``c`` ts and ``x`` kh, and folding a key again
changes it.

The price is that near names can meet (Щукин and Шукин); the gain and the price are measured in
``tests/test_names.py``. In given names and patronymics kh is also g (Сергій, Serhii, Sergei); in surnames
it is not (Громов, Хромов).

An initial keeps its first sound and a full stop: ``И. П.`` is ``i. p.``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pprl.normalize.text import dropped_letters, letters, prepare, read_table

__all__ = ["Rule", "dropped_letters", "fold_name", "fold_with", "rules", "split_full_name"]


@dataclass(frozen=True)
class Rule:
    """One row of ``rules.tsv``."""

    name: str
    scope: str  # all, surname or given
    needs: str  # a letter without which the pattern cannot match, or nothing
    pattern: re.Pattern[str]
    replacement: str
    example: str
    folded: str


@cache
def rules() -> tuple[Rule, ...]:
    """All rules in their order."""
    return tuple(
        Rule(
            row["name"],
            row["scope"],
            row["needs"],
            re.compile(row["pattern"], re.ASCII),
            row["replacement"],
            row["example"],
            row["folded"],
        )
        for row in read_table("rules.tsv")
    )


@cache
def _rules_for(given: bool) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules() if rule.scope in ("all", "given" if given else "surname"))


def fold_name(text: str, *, given: bool) -> str:
    """The folded words of a name in the order written; ``given`` for given names and patronymics.

    >>> fold_name("Щербаков", given=False), fold_name("Shcherbakov", given=False)
    ('werbakov', 'werbakov')
    >>> fold_name("Ю.П.", given=True)
    'i. p.'
    """
    return fold_with(_rules_for(given), text)


_STOP, _LONE = "\x01", "\x02"  # written in for "this was an initial"; no input can hold them
_MAYBE_INITIAL = re.compile(r"\.|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
_INITIAL = re.compile(r"(?<![^\W\d_])(?:([^\W\d_]{1,2}|shch|sch|dzh)\.|([^\W\d_])(?![^\W\d_]))", re.IGNORECASE)
_FOLDED_INITIAL = re.compile(r"([A-Za-z])[A-Za-z]*[.']|[.']", re.ASCII)


@cache
def _name_letters() -> dict[int, str]:
    """Code point to Latin letters: digits are no part of a name."""
    tables = letters()
    digits = {letter for letter, kind in tables.kinds.items() if kind == "digit"}
    plain = {code: "" if chr(code) in digits else latin for code, latin in tables.latin.items()}
    return plain | {ord(_STOP): ".", ord(_LONE): "' "}


@cache
def _apostrophes() -> dict[int, None]:
    return {ord(letter): None for letter, kind in letters().kinds.items() if kind == "apostrophe"}


def fold_with(chosen: Sequence[Rule], text: str) -> str:
    """Fold by these rules only; while they run, ``yu.`` is an initial and ``o'`` a letter alone."""
    text = prepare(text, palochka=True)
    initials = _MAYBE_INITIAL.search(text) is not None
    if initials:
        text = _INITIAL.sub(_mark_initial, text.translate(_apostrophes()))
    text = text.translate(_name_letters())
    for rule in chosen:
        if rule.needs in text:
            text = rule.pattern.sub(rule.replacement, text)
    if initials:
        text = _FOLDED_INITIAL.sub(lambda found: found[1] + ". " if found[1] else " ", text)
    return " ".join(text.lower().split())


def _mark_initial(found: re.Match[str]) -> str:
    return found[1] + _STOP + " " if found[1] else found[2] + _LONE


_CHILD_OF = r"оглы|огли|улы|ұлы|уулу|[кқг]ызы|[кқ]изи|o[gğ]l[yui]|uulu|uly|[kqg][yi]z[yi]"
_PARTICLE = re.compile(_CHILD_OF, re.IGNORECASE)
_PATRONYMIC = re.compile(
    rf".+[ -](?:{_CHILD_OF})|..+(?:[уұ]лы|[кқ]ызы)"
    r"|..+(?:ич|[оеиіїў]вна|[аеоя]ўна|[иі]чна|v[iy]t?ch|v[iy][čc]|[oeiy]vna|[yi]chna|il[iy]+ch|lukich|kuz'?mich|fomich)",
    re.IGNORECASE,
)
_INITIAL_WORD = re.compile(r"[^\W\d_]{1,2}\.|[^\W\d_]")


def is_patronymic(text: str) -> bool:
    """It ends as patronymics do; some surnames do too."""
    return _PATRONYMIC.fullmatch(text) is not None


def split_full_name(text: str) -> tuple[str, str, str]:
    """Surname, given names and patronymic as written, from one cell.

    What follows a comma is no surname. A surname in capitals among words that are not gives itself away,
    then initials do, then a patronymic: it stands last, or second before the surname. Otherwise the surname
    comes first.

    >>> split_full_name("И.П. Иванов"), split_full_name("Роман Аркадьевич Абрамович")
    (('Иванов', 'И.', 'П.'), ('Абрамович', 'Роман', 'Аркадьевич'))
    """
    before, comma, after = text.strip(" ,;").partition(",")
    if comma:
        return (" ".join(_words(before)), *_given_and_patronymic(_words(after.replace(",", " "))))
    words = _words(before)
    long = [word for word in words if not _INITIAL_WORD.fullmatch(word)]
    capitals = [word for word in long if word.isupper()]
    if not long:
        return ("", *_given_and_patronymic(words))
    if capitals and len(capitals) < len(long):
        rest = [word for word in words if word not in capitals]
        return (" ".join(capitals), *_given_and_patronymic(rest))
    found = next((place for place, word in enumerate(words) if place and _PATRONYMIC.fullmatch(word)), 0)
    if len(words) > 2 and found:
        given, surname = words[found - 1], words[: found - 1] + words[found + 1 :]
        return " ".join(surname), given, words[found]
    if len(long) < len(words):
        return _around_initials(words, len(words) - len(long))
    return " ".join(words[:1]), " ".join(words[1:]), ""


def _words(text: str) -> list[str]:
    """Words with each initial apart, and ``оглы`` or ``кызы`` kept with the name before it."""
    words: list[str] = []
    for word in text.replace(".", ". ").split():
        if words and _PARTICLE.fullmatch(word):
            words[-1] += " " + word
        else:
            words.append(word)
    return words


def _given_and_patronymic(words: list[str]) -> tuple[str, str]:
    if len(words) > 1 and (_PATRONYMIC.fullmatch(words[-1]) or _INITIAL_WORD.fullmatch(words[-1])):
        return " ".join(words[:-1]), words[-1]
    return " ".join(words), ""


def _around_initials(words: list[str], initials: int) -> tuple[str, str, str]:
    """``И. П. Иванов``, ``Иван П. Иванов``, ``Иванов И. П.`` or ``Иванов Иван П.``"""
    if not _INITIAL_WORD.fullmatch(words[-1]):
        last = max(place for place, word in enumerate(words) if _INITIAL_WORD.fullmatch(word))
        return (" ".join(words[last + 1 :]), *_given_and_patronymic(words[: last + 1]))
    surname = 1 if initials == 1 else len(words) - initials
    return (" ".join(words[:surname]), *_given_and_patronymic(words[surname:]))
