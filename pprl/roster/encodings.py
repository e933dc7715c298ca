"""The encoding of a text, which files do not state.

UTF-8 and UTF-16 can be recognised by their structure. Among the Cyrillic code pages, the one in which the text looks
most like names wins: frequent letters, capitals at the start of words, no symbols inside words.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from typing import BinaryIO

from pprl.core.errors import RosterError

HEAD = 65_536
_CHUNK = 1 << 20
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AGAIN = "save it as XLSX or as CSV in UTF-8"

CODE_PAGES = ("cp1251", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic")  # koi8-u is koi8-r with the Ukrainian letters

Encoding = str


def open_text(file: BinaryIO, encoding: Encoding, newline: str = "") -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding, newline=newline)


def find_encoding(file: BinaryIO) -> str:
    """The encoding in which the whole text can be decoded.

    RosterError: it is not text, or in none of the known encodings.
    """
    size = file.seek(0, io.SEEK_END)
    head = _bytes_at(file, 0, HEAD)
    encoding = "utf-16" if head.startswith(_BOMS) else _utf_16_without_mark(head, size) or "utf-8-sig"
    flaw = _first_flaw(file, size, encoding)
    if flaw is not None and encoding == "utf-8-sig":
        begin = max(0, flaw - HEAD // 2)
        around = _bytes_at(file, begin, flaw + HEAD // 2 - begin)
        encoding = "" if _is_damaged_utf_8(around) else _likely_page(around)
        flaw = _first_flaw(file, size, encoding) if encoding else flaw
    if flaw is not None:
        raise RosterError("the roster is neither XLSX nor text in a known encoding", hint=_SAVE_AGAIN)
    return encoding


def _bytes_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _first_flaw(file: BinaryIO, size: int, encoding: str) -> int | None:
    """Roughly the offset of the first byte that is not text in this encoding; read in pieces, to save memory."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for offset in range(0, size, _CHUNK):
        try:
            text = decoder.decode(_bytes_at(file, offset, _CHUNK), offset + _CHUNK >= size)
        except UnicodeDecodeError as error:
            return offset + error.start
        if "\x00" in text:
            raise RosterError("the roster holds NUL bytes: it is not a table of text", hint=_SAVE_AGAIN)
    return None


def _utf_16_without_mark(head: bytes, size: int) -> str | None:
    """UTF-16 without a byte order mark: one byte of each digit, space and delimiter is NUL, always on the same side."""
    if size % 2 or b"\x00" not in head:
        return None
    before, after = head[0::2].count(0), head[1::2].count(0)
    encoding = "utf-16-le" if after else "utf-16-be"
    if min(before, after) or 40 * max(before, after) < len(head) // 2:
        return None
    text = head.decode(encoding, "replace")
    usual = sum(letter < "\u0530" or "\u2000" <= letter < "\u2200" for letter in text)
    return encoding if 10 * usual > 9 * len(text) else None


def _is_damaged_utf_8(sample: bytes) -> bool:
    """Whether nearly everything outside ASCII is valid UTF-8: then it is damaged UTF-8 rather than a code page."""
    text = sample.decode("utf-8", "replace")
    return 10 * text.count("�") < sum(letter > "\x7f" for letter in text)


_BY_FREQUENCY = "аоиенвртслкмідпугяьбзчйыхжшюцщэфїёєґъўќ"
_POINTS = {letter: 1 - index / 13 for index, letter in enumerate(_BY_FREQUENCY)}
_USUAL_SIGNS = dict.fromkeys("№«»–—\u00a0", 0.0)
_UNUSUAL_SIGN = -3.0
_LEAST = -0.5  # names of rare letters in few rows come near 0; noise and other alphabets are far below
_CLASH = re.compile("[а-яё][А-ЯЁ]|[а-яёА-ЯЁ][a-zA-Z]|[a-zA-Z][а-яёА-ЯЁ]")  # of cases, or of scripts
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x9f]")


def _likely_page(sample: bytes) -> str:
    """The code page under which the text looks most like names, or "" if it looks like names under none."""
    score, page = max((_plausibility(sample.decode(page, "replace")), page) for page in CODE_PAGES)
    return page if score > _LEAST else ""


def _plausibility(text: str) -> float:
    """Points per Cyrillic letter, −2 to 1: rare letters, symbols and clashing neighbours cost points."""
    counts = Counter(letter for letter in text if letter > "\x7f")
    points = sum(
        count * (_POINTS.get(letter.lower()) or _USUAL_SIGNS.get(letter, _UNUSUAL_SIGN))
        for letter, count in counts.items()
    )
    wrong = sum(1 for _ in _CLASH.finditer(text)) + sum(1 for _ in _CONTROL.finditer(text))
    return (points - 3 * wrong) / max(1, counts.total())
