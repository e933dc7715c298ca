"""Cells that a program before us read in a wrong encoding and saved: ``РњРёСЂ`` for ``Мир``, ``Ìèð`` for ``Мир``.

Such text is turned back where that is certain. Text that was UTF-8 shows it: written in the wrong page again it is
valid UTF-8, which hardly happens by chance. Other text is turned back only if what comes out looks like names and what
stands there does not. The rest is noted by row.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from pprl.core.errors import RosterError
from pprl.roster.files.findings import Findings
from pprl.roster.files.pages import alphabets, cost_of, likely_page

MENDED = "text that was garbled by a wrong encoding ({} read as {}) was turned back"
GARBLED = "text is garbled by a wrong encoding, and nothing shows which: export the table again"
_BATCH = 100
_MOST_TIMES = 3  # garbled text is saved, and read wrongly again

#: Anything but plain Cyrillic and ASCII, and capitals inside words: only such text is looked at closely.
_UNUSUAL = re.compile("[^\x00-\x7fА-яЁёІіЇїЄєҐґ№«»–—’“”„…]")
_INVERTED = re.compile("[\t\n ,;|][а-яё][А-ЯЁ]{2}")
_HEADLESS = re.compile("[\t\n ,;|][«»…–—‘’“”„№\u00a0][а-яё]")  # capitals of cp1251 under mac-cyrillic


def _kind(letter: str) -> str:
    if letter in "\t\n ,;|":
        return " "
    if _UNUSUAL.match(letter):
        return "s"
    if _HEADLESS.match(f" {letter}а"):
        return "q"
    return "l" if "а" <= letter <= "ё" else "u" if "А" <= letter <= "Я" else "."


_KINDS = "".join(_kind(bytes([code]).decode("cp1251", "replace")) for code in range(256)).encode()
_OTHERS_READ_AS = (
    "cp1251",
    "cp1252",
    "latin-1",
    "koi8-r",
    "cp866",
    "mac-roman",
    "mac-cyrillic",
    "cp1250",
    "cp1253",
    "cp1254",
)
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
_ACCENTED = re.compile(
    "(?<![A-Za-z])[À-ÖØ-öø-ÿ¨¸ª¯¿º³²¥´¡¢ŒœŸıˆ˜˘˙˚˝˛ˇ‡·‚„‰÷◊⁄€‹›ﬁﬂ√ƒ≈∆¬«»…–—‘’“”\u00a0\uf8ff]{3,}(?![A-Za-z])"
)
_SYMBOLS = re.compile(
    "Ð[^A-Za-z\\s]|Ñ[\x80-\xbfƒ\u2000-\u2122�]|[\x80-\x9f\u2500-\u259f]|‚\xa0|[Ђ-џА-яЁёҐґ][¤¦§¬®±µ¶·‚†‡€‰‹›™]|[¤¦§¬®±µ¶·‚†‡€‰‹›™≤≥•√≈∆ƒ÷][Ђ-џА-яЁёҐґ]"
)
_BREAKS = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


def mended(records: Iterable[Sequence[str]], findings: Findings) -> Iterator[list[str]]:
    """The records with garbled cells turned back; their rows, counted from 1, are added to the ``findings``."""
    rows, row = iter(records), 0
    while batch := list(itertools.islice(rows, _BATCH)):
        text = "\n" + "\n".join(map("\t".join, batch))
        if is_plain(text):
            yield from batch  # type: ignore[misc]
        else:
            for number, record in enumerate(batch, row + 1):
                yield mended_record(record, number, findings)
        row += len(batch)


def mended_frame(frame: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """A frame with garbled cells turned back, its rows named by their labels; each distinct text is looked at once."""
    if not pd.api.types.is_integer_dtype(frame.index.dtype) or not frame.index.is_unique:
        return frame
    odd = np.zeros(len(frame), dtype=bool)
    columns = [at for at, kind in enumerate(frame.dtypes) if pd.api.types.is_object_dtype(kind) or kind == "string"]
    for at in columns:
        codes, distinct = pd.factorize(frame.iloc[:, at])
        texts = [text if isinstance(text, str) else "" for text in distinct]
        if not is_plain("\n" + "\n".join(texts)):
            unusual = np.array([not is_plain(f"\t{text}") for text in texts] + [False], dtype=bool)
            odd |= unusual[codes]
    if not odd.any():
        return frame
    frame = frame.copy()
    for place in np.flatnonzero(odd).tolist():
        values = [frame.iat[place, at] for at in columns]
        cells = [value if isinstance(value, str) else "" for value in values]
        after = mended_record(cells, int(frame.index[place]), findings)
        for at, cell, text in zip(columns, cells, after, strict=True):
            if text != cell:
                frame.iat[place, at] = text
    return frame


def is_plain(text: str) -> bool:
    """Whether a text holds nothing that needs a closer look; nearly all rosters hold nothing else, so this is fast."""
    if text.isascii():
        return True
    try:
        kinds = text.encode("cp1251").translate(_KINDS)
    except UnicodeEncodeError:
        return not (_UNUSUAL.search(text) or _INVERTED.search(text) or _HEADLESS.search(text))
    return b"s" not in kinds and b" luu" not in kinds and b" ql" not in kinds


def mended_record(record: Sequence[str], row: int, findings: Findings) -> list[str]:
    """One record with garbled cells turned back."""
    text = "\t" + "\t".join(record)
    if is_plain(text):
        return list(record)
    cells, pages = zip(*map(_utf_8_again, record), strict=True)
    if _BREAKS.search(text):
        cells = tuple(_BREAKS.sub(" ", cell) for cell in cells)  # line ends inside a cell
    for page in filter(None, pages):
        findings.add(MENDED.format("UTF-8", page), row)
    if any(map(_looks_garbled, cells)):
        odd = "\t".join(cell for cell in cells if _looks_garbled(cell))
        whole = "\t".join(cell for cell in cells if not cell.isascii())
        certain, gain = max(
            map(_pages_of, dict.fromkeys([odd, whole])), key=lambda found: (found[0] is not None, found[1])
        )
        if certain:
            right, wrong = certain
            findings.add(MENDED.format(right, wrong), row)
            return [cell if cell.isascii() else _better(cell, wrong, right) for cell in cells]
        if gain >= _NAMED_GAIN or _SYMBOLS.search(odd) or any(map(_is_no_word, _ACCENTED.findall(odd))):
            findings.add(GARBLED, row)
    return list(cells)


def _better(cell: str, wrong: str, right: str) -> str:
    """The cell turned back, unless it looks like names as it is."""
    turned = _turned(cell, wrong, right)
    return cell if turned is None or _cost(turned) > _cost(cell) else turned


def _is_no_word(letters: str) -> bool:
    """Whether accented letters do not all belong to one language, as in ``ÅÄÖ``, or are many."""
    return len(letters) > 4 or not any(one.latin and set(letters.lower()) <= one.costs.keys() for one in alphabets())


@functools.lru_cache(65_536)
def _utf_8_again(text: str) -> tuple[str, str]:
    """The text as it was in UTF-8, and the page as which it was read; the text and "" if it was not."""
    if text.isascii() or len(text) > 10_000:
        return text, ""
    page, again = "", text
    for _ in range(_MOST_TIMES):
        for wrong in _OTHERS_READ_AS:
            before = _as_utf_8(again, wrong)
            if before is not None:
                again, page = before, page or wrong
                break
        else:
            break
    return (again, page) if page and _is_usual(again) else (text, "")


def _as_utf_8(text: str, wrong: str) -> str | None:
    """The text with its bytes under a page read as UTF-8, or None if they are not UTF-8."""
    data = _bytes(text, wrong)
    if data is None and wrong == "cp1251" and _PAIR.search(text):  # the byte 98 and the hard space are lost easily
        data = _bytes(re.sub("Р[?�]", "Р\x98", text), wrong)
    if data is None or not _PAIRS.search(data):
        return None
    for attempt in (data, data.replace(b"\xd0 ", b"\xd0\xa0") if wrong == "cp1251" else b"\xff"):
        try:
            return attempt.decode()
        except UnicodeDecodeError:
            continue
    return None


_PAIR = re.compile("[РС].[РС]")
_PAIRS = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")


def _turned(text: str, wrong: str, right: str) -> str | None:
    data = _bytes(text, wrong)
    try:
        return None if data is None else data.decode(right)
    except UnicodeDecodeError:
        return None


def _bytes(text: str, page: str) -> bytes | None:
    """The bytes of a text in a page, or None; a byte that the page does not define is itself, as browsers have it."""
    known = _bytes_of(page)
    codes = [known.get(letter, -1) for letter in text]
    return None if -1 in codes else bytes(codes)


@functools.cache
def _bytes_of(page: str) -> dict[str, int]:
    return {bytes([code]).decode(page, "ignore") or chr(code): code for code in range(256)}


_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = re.compile(
    "[A-Za-zÀ-ÖØ-öø-žȘ-țəƏơưĐđ]+|[А-яЁёЂ-џҐґҒғҚқҢңӨөҰұҮүҺһӘә]+|[Ά-ώ]+|[א-ת]+|[ء-يپچژگکی]+|[Ա-և]+|[ა-ჰ]+"
)
_CLASH = re.compile("[а-яёα-ώ][А-ЯЁΑ-Ω]")
_RARE_MARKS = re.compile("[\u0330-\u036f]")  # no name is spelled with them


def _is_usual(text: str) -> bool:
    """Whether a text has words of one script each, no controls, and no capitals inside words."""
    words = _WORD.findall(text.replace("ʼ", "’"))
    return (
        bool(words)
        and all(map(_SCRIPTS.fullmatch, words))
        and not _SYMBOLS.search(text)
        and not _CLASH.search(text)
        and not _RARE_MARKS.search(text)
        and text.isprintable()
    )


def _looks_garbled(cell: str) -> bool:
    if cell.isascii():
        return False
    text = "\t" + cell
    headless = _HEADLESS.search(text) and len(_QUOTES.findall(cell)) < 2
    odd = headless or _SMALL_FOREIGN.search(text) or _CLASH_OF_CASES.search(cell)
    return bool(odd or _SYMBOLS.search(cell) or _ACCENTED.search(cell) or _INVERTED.search(text))


_QUOTES = re.compile("[«»‘’“”„]")
_CLASH_OF_CASES = re.compile("[а-яѐ-џґ][А-ЯЀ-ЏҐ]|[Ѐ-ӿ]\u00a0[Ѐ-ӿ]{1,2}\u00a0|\u00a0\u00ad")
_SMALL_FOREIGN = re.compile("[\t\n ,;|][ѕјћќўџ÷√ƒ≈∆¬][а-яё]|[а-яё]€")
_NAMED_GAIN, _MENDED_GAIN, _MARGIN = (
    3.0,
    7.0,
    5.0,
)  # by what the text turned back is likelier than as it is; than others
_LEAST_LETTERS = 4
_MOST_COST = 4.6  # per letter of a text that was turned back


def _cost(text: str) -> float:
    """What a text costs as Cyrillic names."""
    words = _WORDS.findall(text)
    return min(cost_of(words, one) for one in alphabets() if one.script == "cyrillic")


_WORDS = re.compile("[A-Za-z\x80-\uffff]+")


def _pages_of(text: str) -> tuple[tuple[str, str] | None, float]:
    """The page in which a text was written and the one as which it was read, if they are certain; and the gain."""
    if _ACCENTED.search(text) and not re.search("[Ѐ-ӿ]", text):
        return _read_as_western(text), 0.0
    found: list[tuple[float, str, str, str]] = []
    for wrong, right in itertools.permutations(_CYRILLIC, 2):
        before = _turned(text, wrong, right)
        if before is not None:
            found.append((_cost(before), right, wrong, before))
    if not found:
        return None, 0.0
    found.sort()
    cost, right, wrong, best = found[0]
    letters = sum(letter > "\x7f" for letter in text)
    as_it_is = [text, text.swapcase()] if _INVERTED.search("\t" + text) else [text]  # a caps lock inverts cases too
    gain = min(map(_cost, as_it_is)) - cost
    rivals = [other for other, *_, before in found if before != best]
    certain = gain >= _MENDED_GAIN and letters >= _LEAST_LETTERS and cost <= _MOST_COST * letters
    return ((right, wrong) if certain and (not rivals or rivals[0] >= cost + _MARGIN) else None), gain


def _read_as_western(text: str) -> tuple[str, str] | None:
    found: dict[str, tuple[str, str]] = {}
    for wrong in ("cp1252", "mac-roman"):
        data = _bytes(text, wrong)
        if data is None or sum(byte > 127 for byte in data) < 8:
            continue
        try:
            page = likely_page(data)
        except RosterError:
            continue
        if page and page != wrong and (before := _turned(text, wrong, page)) is not None:
            found[before] = (page, wrong)
    return next(iter(found.values())) if len(found) == 1 else None
