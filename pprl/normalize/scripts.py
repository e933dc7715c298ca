"""Words in Greek, Armenian, Arabic and Hebrew letters, spelled as passports spell them.

In these scripts a letter alone does not say its sound. Greek and Armenian write some sounds with two letters (``ου``,
``ու``). Arabic and Hebrew do not write short vowels: ``known_names.tsv`` has them for the commonest names, and in any
other word there is an ``a`` wherever consonants would stand without a vowel. Signs for vowels are read where they are
written. The rules are rows of ``scripts.tsv``, each a regular expression with an example; what is not Latin after them
becomes so by ``letters.tsv``. ``benchmarks/alphabets.py`` measures what this gains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from unicodedata import ucd_3_2_0 as frozen

SCRIPTS = ("greek", "armenian", "arabic", "hebrew")
WITHOUT_VOWELS = ("arabic", "hebrew")
"""Scripts without capitals and without short vowels; people write the given name first in them."""

ARTICLE = "ال"
_VOWELS = re.compile("[a-z']+")  # those that were written, and the sign for none

Rules = tuple[tuple[re.Pattern[str], str], ...]


@dataclass(frozen=True, kw_only=True)
class Script:
    """A script and its rules; ``words`` finds its words, with the spaces between them."""

    name: str
    words: re.Pattern[str]
    letters: Rules  # applied before a word is looked up among the known names
    sounds: Rules  # applied where it is not among them
    known_names: Mapping[str, str]  # the usual Latin spelling of common names, by their letters after the first stage
    latin: Mapping[int, str]  # the letters themselves


def make_script(
    name: str, letters: str, rows: Iterable[Mapping[str, str]], known_names: Mapping[str, str], latin: Mapping[int, str]
) -> Script:
    """A script by its letters and signs (escaped, for a class of a regular expression) and the rows of its rules."""
    stages: dict[str, list[tuple[re.Pattern[str], str]]] = {"letters": [], "sounds": []}
    for row in rows:
        if row["script"] == name:
            stages[row["stage"]].append((re.compile(row["pattern"]), row["replacement"]))
    return Script(
        name=name,
        words=re.compile(rf"[{letters}](?:[{letters}'’]|\s+(?=[{letters}]))*"),
        letters=tuple(stages["letters"]),
        sounds=tuple(stages["sounds"]),
        known_names=known_names,
        latin=latin,
    )


def in_latin(script: Script, words: re.Match[str]) -> str:
    """Words of a script in Latin letters, in capitals or with a capital where they are.

    A lone letter that becomes several gets a full stop, so that it stays an initial.
    """
    if script.name not in WITHOUT_VOWELS:
        written = frozen.normalize("NFKD", words[0]).split()
        spelled = [_like(word, _applied(script.sounds, word.lower()).translate(script.latin)) for word in written]
    else:
        written = _applied(script.letters, frozen.normalize("NFKC", words[0])).split()
        spelled = [_sounded(script, word) for word in written]
    lone = len(spelled) == 1 == len(written[0]) < len(spelled[0])
    return " ".join(spelled) + ("." if lone and words.string[words.end() : words.end() + 1] != "." else "")


def _applied(rules: Rules, text: str) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _like(word: str, spelled: str) -> str:
    if len(word) > 1 and word.isupper():
        return spelled.upper()
    return spelled.capitalize() if word[:1].isupper() else spelled


def _sounded(script: Script, word: str) -> str:
    """The word with its vowels and a capital; its article has none. Vowels that were written are Latin by now.

    A letter without a sound (``ע``) is a vowel where it stands alone.
    """
    bare = _VOWELS.sub("", word)
    if known := script.known_names.get(bare):
        spelled = known
    elif stem := script.known_names.get(bare.removeprefix(ARTICLE)):
        spelled = "al " + stem
    else:
        spelled = _applied(script.sounds, word).translate(script.latin) or "a"
    return "al " + spelled[3:].title() if spelled.startswith("al ") else spelled.title()


_SIGNS = "[\u0640\u064b-\u0652\u0670]*"
_IN_FORMS = re.compile("[\ufb50-\ufdfb\ufe70-\ufefc]")  # letters by their place in the word, as old programs write them
_CLOSE = re.compile(
    rf"\bع{_SIGNS}ب{_SIGNS}د{_SIGNS}\s+(?=[اٱ]ل)"
    rf"|(?<!\s)\s+(?=[اٱ]{_SIGNS}ل{_SIGNS}(?:ل{_SIGNS}[هة]|د{_SIGNS}ي{_SIGNS}ن){_SIGNS}(?!\w))"
)


def close_up(text: str) -> str:
    """The text with names of two Arabic words as one, as many people write them: ``عبد الرحمن``, ``نور الدين``."""
    if _IN_FORMS.search(text):
        text = frozen.normalize("NFKC", text)
    return _CLOSE.sub(lambda found: found[0].rstrip(), text)
