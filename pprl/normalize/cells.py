"""What is in a cell besides its value: guards and escapes that programs left, words for nothing, damage.

Every cell is cleaned first (``clean``). Then ``why_missing`` says whether it holds a word for nothing, an error of a
spreadsheet, or a value of which a part was lost on the way. Such a cell is missing, and its owner is told why; a real
value is never changed. The words are in ``nothing.tsv``.
"""

from __future__ import annotations

import re
from functools import cache
from html.entities import name2codepoint

from pprl.normalize.text import read_table

NAMES = frozenset({"surname", "given", "patronymic", "text"})
OTHERS = frozenset({"date", "year", "sex", "rank", "identifier", "category", "number"})

NOTHING = "a word for nothing"
SHEET_ERROR = "an error of a spreadsheet"
LOST_DIGITS = "digits lost in a spreadsheet"
GARBLED = "letters lost in a wrong encoding"
GARBLED_IN_PART = "letters that a wrong encoding lost"  # the rest of the name is read
FORMULA = "a formula and not its value"

_INVISIBLE = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_UNUSUAL = re.compile(rf"[{_INVISIBLE}&%\\_\t-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
CODE = re.compile(r"_x([0-9A-Fa-f]{4})_|[\\%]u([0-9A-Fa-f]{4})")
ENTITY = re.compile(r"&(?:amp;)*(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z]{2,8}[0-9]{0,2}));")
PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
GUARD = re.compile(r'="((?:[^"]|"")*)"|=([0-9][0-9./-]*)')
SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,3})")
_INVISIBLES = re.compile(f"[{_INVISIBLE}]+")
_AMP = re.compile("&(?:amp;)+")
_MOST_DIGITS = 40


def clean(text: str) -> str:
    """A cell without what programs put around its value: guards, escapes, invisible characters, extra white space.

    >>> clean('="00123"'), clean("Лугов_x000D_"), clean("O&#39;Neil&nbsp;"), clean("12345678.0")
    ('00123', 'Лугов', "O'Neil", '12345678')
    """
    if text.isalnum():
        return text  # a quick look, since nearly all cells are clean
    while text:
        first, last = text[0], text[-1]
        if first in "'= " or last == " " or "  " in text or _UNUSUAL.search(text):
            pass
        elif not last.isdigit() or (text[-2:-1] not in (".", ",") and "E" not in text and "e" not in text):
            break
        cleaned = _cleaned(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def _cleaned(text: str) -> str:
    text = without_escapes(text)
    text = _INVISIBLES.sub("", text)
    text = " ".join(text.split())
    if guarded := GUARD.fullmatch(text):
        text = guarded[2] or (guarded[1] or "").replace('""', '"')
    text = text.lstrip("'") if text[:1] == "'" else text
    if text[-2:] in (".0", ",0") and text[:-2].isdecimal():
        return text[:-2]
    return _exact(text)


def without_escapes(text: str) -> str:
    """Characters in place of the codes that programs wrote for them.

    >>> without_escapes("&#1048;&amp;amp;"), without_escapes("%D0%98"), without_escapes("\\\\u0418")
    ('И&', 'И', 'И')
    """
    if "_x" in text or "u" in text:
        text = CODE.sub(lambda found: _character(int(found[1] or found[2], 16), found[0]), text)
    if "&" in text:
        text = _AMP.sub("&", ENTITY.sub(_entity, text))
    if "%" in text:
        text = PERCENT.sub(_bytes, text)
    return text


def _character(code: int, written: str) -> str:
    if 0xD800 <= code < 0xE000:
        return ""  # a half of a character that is no letter of a name
    return chr(code) if code < 0x110000 else written


def _entity(found: re.Match[str]) -> str:
    if found[3]:
        code = 0x27 if found[3] == "apos" else name2codepoint.get(found[3])
        return found[0] if code is None else chr(code)
    return _character(int(found[1]) if found[1] else int(found[2], 16), found[0])


def _bytes(found: re.Match[str]) -> str:
    """Percent signs as letters beyond ASCII show that they are an escape; ``%20`` alone is a space as well."""
    data = bytes.fromhex(found[0].replace("%", ""))
    try:
        return data.decode() if max(data) > 0x7F or data == b" " else found[0]
    except UnicodeDecodeError:
        return found[0]


def _exact(text: str) -> str:
    """``1.23456789012E+11`` in digits, if all of them are there."""
    found = SCIENTIFIC.fullmatch(text)
    if found and found[2] and len(found[2]) == int(found[3]) <= _MOST_DIGITS:
        return found[1] + found[2]
    return text


MARKS = " -‐‑‒–—―−_.,;:?!*/\\|~'\"`«»“”„()[]{}<>"
SHEET_ERRORS = re.compile(
    r"#{2,}|#[¡¿]?[^\W\d_][\w/.' ]{0,20}[!?]|(?:err|ошибка|помилка|fehler|erreur|błąd|hata|error): ?[0-9]{3}"
)
ZEROS = re.compile(r"[\W_]*0[\W_0]*")
CUT = re.compile(r"[+-]?[0-9](?:[.,][0-9]+[eе]\+?[0-9]{1,3}|[eе]\+[0-9]{1,3})")
FORMULAS = re.compile(r"=[^\W\d_][\w.]*\(.*")
LOST = re.compile(r"\ufffd+|\?+(?=[^\W\d_])|\?{2,}")
MIDNIGHT = re.compile(r"[ t]0{1,2}:00(?::00(?:\.0+)?)?(?:z|[+-][0-9]{2}:?[0-9]{2})?$")


PLAIN_VALUE = re.compile(r"(?:[A-ZА-Я]{1,4}[ -]?|(?=[0./-]*[1-9]))[0-9](?:[0-9./-]*[0-9])?")  # dates and numbers


def why_missing(text: str, kind: str) -> str | None:
    """Why a clean cell of a field type has no value although it is not empty; None if it may have one.

    >>> why_missing("н/д", "given"), why_missing("#ССЫЛКА!", "rank"), why_missing("1,23E+12", "identifier")
    ('a word for nothing', 'an error of a spreadsheet', 'digits lost in a spreadsheet')
    >>> why_missing("Null", "surname"), why_missing("NULL", "surname")
    (None, 'a word for nothing')
    """
    if text.isdecimal() and text[0] != "0":
        return None
    words = nothing_words(kind)
    if PLAIN_VALUE.fullmatch(text) and text.lower() not in words:
        return None
    bare = text.strip(MARKS)
    lower = bare.lower()
    if lower in words and (found := words[lower] or words.get("=" + bare)):
        return found
    if not bare:
        return _only_marks(text, kind)
    if (bare != text or "#" in text or ":" in text) and (found := _error(text.lower(), words)):
        return found
    if kind in NAMES:
        return GARBLED if ("?" in text or "\ufffd" in text) and _too_garbled(text) else None
    return _why_no_value(text, bare, kind)


def _why_no_value(text: str, bare: str, kind: str) -> str | None:
    words, lower = nothing_words(kind), bare.lower()
    if ZEROS.fullmatch(bare) and _zeros_are_nothing(bare, kind):
        return NOTHING
    if kind in ("date", "year") and (short := MIDNIGHT.sub("", lower)) != lower and words.get(short):
        return words[short]
    if CUT.fullmatch(lower):
        return LOST_DIGITS
    if kind == "identifier" and ("\ufffd" in bare or "?" in bare):
        return GARBLED
    return FORMULA if text[0] == "=" and FORMULAS.fullmatch(text) else None


def _only_marks(text: str, kind: str) -> str | None:
    if kind in NAMES and text.count("?") > 3:
        return GARBLED
    return NOTHING if text.strip() else None


def _error(text: str, words: dict[str, str]) -> str | None:
    """An error of a spreadsheet, or a word whose marks belong to it: ``#N/A``, ``<NA>``."""
    return words.get(text) or (SHEET_ERROR if SHEET_ERRORS.fullmatch(text) else None)


def _zeros_are_nothing(text: str, kind: str) -> bool:
    """A date or a document of zeros is nobody's; a number may be 0."""
    return kind in ("date", "year", "identifier") or (kind == "number" and text.count("0") > 2)


def _too_garbled(text: str) -> bool:
    """Whether more than a quarter of the letters of a name are lost."""
    lost = sum(len(found[0]) for found in LOST.finditer(text))
    return 4 * lost > lost + sum(map(str.isalpha, text))


def lost_letters(text: str) -> bool:
    """Whether a name has letters that became question marks or replacement characters on the way.

    >>> lost_letters("Лу?ов"), lost_letters("Лугов?"), lost_letters("??гов")
    (True, False, True)
    """
    return ("?" in text or "\ufffd" in text) and LOST.search(text) is not None


def mark_lost_letters(text: str) -> tuple[str, bool]:
    """A whole name with one mark in place of each run of lost letters, and whether a letter of each word is left.

    If not, nobody can say which of the words are the surname, and the mark alone stands for all.

    >>> mark_lost_letters("Лу??в Пётр"), mark_lost_letters("????? Пётр")
    (('Лу\ufffdв Пётр', True), ('\ufffd', False))
    """
    marked = LOST.sub("\ufffd", text)
    whole = all(any(map(str.isalpha, word)) for word in marked.split() if "\ufffd" in word)
    return (marked, True) if whole else ("\ufffd", False)


def without_lost_letters(text: str) -> str:
    """The letters of a name that are left."""
    return LOST.sub("", text) if lost_letters(text) else text


@cache
def nothing_words(kind: str) -> dict[str, str]:
    """The words for nothing in a field type, in lower case, and why each is missing.

    A word that counts only as it is written, ``NULL`` but not ``Null``, has an equals sign before it; in lower case it
    is there without a reason.
    """
    words: dict[str, str] = {}
    for row in read_table("nothing.tsv"):
        kinds = {"all": NAMES | OTHERS, "names": NAMES, "others": OTHERS}
        if any(kind in kinds.get(name, (name,)) for name in row["types"].split(" ")):
            reason = SHEET_ERROR if row["kind"] == "error" else NOTHING
            if row["case"] == "exact":
                words["=" + row["word"]] = reason
                words.setdefault(row["word"].lower(), "")
            else:
                words[row["word"].lower()] = reason
    return words


def split_nothing(text: str) -> tuple[str, str]:
    """A whole name without the words for nothing at its end, and these words.

    >>> split_nothing("Лугов Пётр б/о"), split_nothing("Лугов Пётр"), split_nothing("нет")
    (('Лугов Пётр', 'б/о'), ('Лугов Пётр', ''), ('нет', ''))
    """
    if not may_end_in_nothing(text):
        return text, ""
    words, known = text.split(), nothing_words("given")
    rest = len(words)
    while rest > 1:
        for count in range(min(_MOST_WORDS, rest - 1), 0, -1):
            phrase = " ".join(words[rest - count : rest])
            bare = phrase.strip(MARKS)
            if known.get(bare.lower()) or known.get("=" + bare) or known.get(phrase.lower()):
                rest -= count
                break
        else:
            break
    return (text, "") if rest == len(words) else (" ".join(words[:rest]), " ".join(words[rest:]))


_MOST_WORDS = 4


def may_end_in_nothing(text: str) -> bool:
    """A quick look at the last word of a whole name: whether a word for nothing may end so."""
    return text.rpartition(" ")[2].strip(MARKS).lower() in _last_words()


@cache
def _last_words() -> frozenset[str]:
    phrases = (word.lstrip("=").lower().split(" ")[-1] for kind in NAMES for word in nothing_words(kind))
    return frozenset(word.strip(MARKS) for word in phrases)


def is_plain_word(text: str, kind: str) -> bool:
    """A quick look at a cell: whether it is a word of letters alone, and not a word for nothing."""
    return text.isalpha() and text.lower() not in nothing_words(kind)
