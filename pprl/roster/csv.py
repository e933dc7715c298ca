"""Bytes of a CSV to records: finds the encoding and the delimiter, which files do not state.

UTF-8 and UTF-16 can be recognised by their structure. Among the Cyrillic code pages, the one in which the text looks
most like names wins: frequent letters, capitals at the start of words, no symbols inside words.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pprl.core.errors import RosterError
from pprl.roster.headers import header_type
from pprl.roster.limits import MAX_TEXT, Lines

DELIMITERS = ",;\t|"
NO_DELIMITER = "\x1f"
HEAD = 65_536
_CHUNK = 1 << 20
_END = "\x00end"  # cannot be a cell: text with NUL bytes is refused
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AGAIN = "save it as XLSX or as CSV in UTF-8"

CODE_PAGES = ("cp1251", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic")  # koi8-u is koi8-r with the Ukrainian letters


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written."""

    encoding: str
    delimiter: str


def find_dialect(file: BinaryIO) -> Dialect:
    """The encoding and the delimiter of a file. RosterError: as `find_encoding`."""
    encoding = find_encoding(file)
    file.seek(0)
    with _text(file, encoding) as text:
        return Dialect(encoding, find_delimiter(text.read(HEAD)))


def csv_records(file: BinaryIO, dialect: Dialect, *, newline: str | None = "") -> Iterator[list[str]]:
    """A list of cells per record. RosterError: a row is too long, or a quoted cell is never closed, and so swallows the
    end mark.

    With ``newline`` None every line end within a cell becomes a line feed, as in a file that is opened as text.
    """
    csv.field_size_limit(MAX_TEXT)
    with _text(file, dialect.encoding, newline) as text:
        lines = Lines(text)
        for record in csv.reader(itertools.chain(lines, [_END]), delimiter=dialect.delimiter):
            if record == [_END]:
                return
            lines.length = 0
            yield record
    raise RosterError(
        "the roster ends inside a quoted cell", hint="the file is cut short, or a quotation mark is not closed"
    )


def _text(file: BinaryIO, encoding: str, newline: str | None = "") -> io.TextIOWrapper:
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


def find_delimiter(head: str) -> str:
    """The delimiter under which the header is known and the next record has several cells too.

    `NO_DELIMITER` for a list of one column, even if there is a comma in every name.
    """
    lines = [line for line in head.splitlines()[:200] if line.strip()]
    if 10 * sum(_NAME_WITH_COMMA.fullmatch(line) is not None for line in lines) > 8 * len(lines):
        return NO_DELIMITER
    judged = [(_judge(head, mark), mark) for mark in DELIMITERS]
    (agrees, *_), mark = max(judged, key=lambda pair: pair[0])
    return mark if agrees else NO_DELIMITER


_NAME_WITH_COMMA = re.compile(r"[^\W\d_][^,;\t|\d]{0,60}, [^\W\d_][^,;\t|\d]{0,90}")


def _judge(head: str, mark: str) -> tuple[bool, int, int, bool]:
    """How well a delimiter fits: whether header and next record have several cells, known headers, records of the most
    frequent width, and whether it is a comma.
    """
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=mark)
    records = [record for record in itertools.islice(reader, 200) if any(map(str.strip, record))]
    known = [sum(header_type(cell) is not None for cell in record) for record in records]
    widths = [len(record) for record in records]
    if max(widths, default=1) == 1:
        return False, 0, 0, mark == ","
    header = known.index(max(known)) if any(known) else widths.index(max(widths))
    following = widths[header + 1] if header + 1 < len(widths) else 2
    most_alike = max(Counter(width for width in widths if width > 1).values())
    return widths[header] > 1 and following > 1, max(known), most_alike, mark == ","
