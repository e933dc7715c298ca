"""The encoding of a text, which files do not state.

UTF-8 and UTF-16 can be recognised by their structure. Among the code pages, the one wins under which the text looks
most like names of a language: frequent letters, capitals at the start of words, no symbols inside words. Where two
pages make different texts that are nearly as plausible, both are named and the roster is refused.

Two exports that were put together may differ in their encoding. Then each line is read in its own.
"""

from __future__ import annotations

import codecs
import functools
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pprl.core.errors import RosterError
from pprl.roster.files.pages import SAVE_AGAIN, alphabets, likely_page

HEAD = 65_536
_CHUNK = 1 << 20
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MARK = "\ufdd0"  # before a line in another encoding than the rest; no letter, and so in no text


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text; ``others`` are those of single lines, and ``noted`` are the fewer of them."""

    name: str
    others: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    def note(self) -> str:
        """What is said of the rows in another encoding."""
        rest = ", ".join(name for name in (self.name, *self.others) if name not in self.noted)
        return f"in {' or '.join(self.noted)}, the other rows in {rest}: each was read in its own encoding"


def open_text(file: BinaryIO, encoding: Encoding, newline: str = "") -> io.TextIOWrapper | MixedText:
    """A file as text; lines in an encoding that is noted begin with `MARK`."""
    return MixedText(file, encoding) if encoding.others else io.TextIOWrapper(file, encoding.name, newline=newline)


class MixedText:
    """A text whose lines are in several encodings, to be read as other texts are."""

    def __init__(self, file: BinaryIO, encoding: Encoding) -> None:
        self._file, self._encoding = file, encoding

    def __enter__(self) -> MixedText:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> str:
        """At least ``size`` bytes of text, up to the end of a line."""
        data = self._file.read(size)
        return self._decoded(data + self._file.readline())

    def readline(self, size: int) -> str:
        return self._decoded(self._file.readline(size))

    def _decoded(self, data: bytes) -> str:
        encoding, lines = self._encoding, []
        for line in data.splitlines(keepends=True):
            name = encoding.name if line.isascii() else _encoding_of(line, encoding)
            text = line.decode(name, "replace")
            lines.append(MARK + text if name in encoding.noted and not line.isascii() else text)
        return "".join(lines)


def find_encoding(file: BinaryIO) -> Encoding:
    """The encoding in which the whole text, or each of its lines, can be decoded.

    RosterError: it is not text, in none of the known encodings, or two of them are nearly as plausible.
    """
    size = file.seek(0, io.SEEK_END)
    head = _bytes_at(file, 0, HEAD)
    name = "utf-16" if head.startswith(_BOMS) else _utf_16_without_mark(head, size) or "utf-8-sig"
    flaw = _first_flaw(file, size, name)
    if flaw is None:
        return Encoding(name)
    if name != "utf-8-sig":
        raise RosterError(_UNKNOWN, hint=SAVE_AGAIN)
    sample = _lines_in_a_page(file, flaw)
    page = "" if _is_damaged_utf_8(sample) else likely_page(sample)
    if not page:
        raise RosterError(f"row {_row_at(file, flaw)}: {_UNKNOWN}" if flaw > HEAD else _UNKNOWN, hint=SAVE_AGAIN)
    return _with_others(file, page)


def _lines_in_a_page(file: BinaryIO, flaw: int) -> bytes:
    """Lines that are neither ASCII nor UTF-8, from a little before the first flaw on, as many as show the page."""
    found, size = [], 0
    file.seek(max(0, flaw - HEAD // 2))
    for _ in range(_MOST_CHUNKS):
        for line in (file.read(HEAD) + file.readline(HEAD)).splitlines(keepends=True):
            if not line.isascii() and not _is_utf_8(line):
                found.append(line)
                size += len(line)
        if size > HEAD // 2:
            break
    return b"".join(found)


_MOST_CHUNKS = 256  # 16 MB: accents may be rare
_UNKNOWN = "the roster is neither XLSX nor text in a known encoding"


def _row_at(file: BinaryIO, offset: int) -> int:
    """The line in which an offset lies, counted from 1."""
    file.seek(0)
    return 1 + sum(file.read(min(_CHUNK, offset - at)).count(b"\n") for at in range(0, offset, _CHUNK))


def _with_others(file: BinaryIO, page: str) -> Encoding:
    """The encoding of a file whose lines are in a code page, or some of them in another encoding."""
    counts, first, flawed = Counter[str](), Encoding(page, ALL_BUT_UTF_16), False
    file.seek(0)
    while data := file.read(_CHUNK):
        data += file.readline()
        if b"\x00" in data:
            raise RosterError("the roster holds NUL bytes: it is not a table of text", hint=SAVE_AGAIN)
        flawed = flawed or any(byte in data for byte in _undefined(page))
        counts[page] += data.count(b"\n")
        for line in _suspects(data, page):
            counts[_encoding_of(line, first)] += 1
    others = tuple(sorted(name for name in counts if name != page))
    if not others:
        if flawed:
            raise RosterError(_UNKNOWN, hint=SAVE_AGAIN)
        return Encoding(page)
    counts[page] -= sum(counts[name] for name in others)
    most = max(counts, key=lambda name: (counts[name], name))
    return Encoding(page, others, tuple(sorted(name for name in counts if name != most and counts[name])))


@functools.cache
def _undefined(page: str) -> tuple[bytes, ...]:
    """The bytes that stand for nothing in a code page."""
    return tuple(byte for byte in map(bytes, zip(range(256))) if not byte.decode(page, "ignore"))


def _suspects(data: bytes, page: str) -> Iterator[bytes]:
    """The lines that may be in another encoding than this page."""
    if page in _of_script("cyrillic"):
        kinds = data.translate(_kinds(page))
        if b"luu" not in kinds and (b"s" not in kinds or not any(pair in kinds for pair in _ODD)):
            return
    else:
        kinds = data
    end = 0
    for match in (_ODD_PLACES if kinds is not data else _PAIRS).finditer(kinds):
        if match.start() >= end:
            begin = max(data.rfind(b"\n", 0, match.start()), data.rfind(b"\r", 0, match.start())) + 1
            ends = [at for at in (data.find(b"\n", match.end()), data.find(b"\r", match.end())) if at >= 0]
            end = min(ends, default=len(data))
            yield data[begin:end]


def _encoding_of(line: bytes, encoding: Encoding) -> str:
    """The encoding of one line: the main one unless it is certainly another of those possible."""
    if "utf-8" in encoding.others and _is_utf_8(line):
        return "utf-8"
    pages = [name for name in encoding.others if name != "utf-8"]
    if not pages or encoding.name not in _of_script("cyrillic"):
        return encoding.name
    texts = {page: line.decode(page, "replace") for page in (encoding.name, *pages)}
    scores = {page: plausibility(text) for page, text in texts.items()}
    best = max(scores, key=lambda page: (scores[page], page))
    as_it_is = max(scores[encoding.name], plausibility(texts[encoding.name].swapcase()))  # a caps lock inverts cases
    letters = sum(byte > 127 for byte in line)
    return best if scores[best] > -0.3 and (scores[best] - as_it_is) * letters > 2 else encoding.name


def _is_utf_8(line: bytes) -> bool:
    """Whether a line holds letters outside ASCII and is UTF-8, which hardly happens by chance."""
    if not _PAIRS.search(line):
        return False
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(text)


_PAIRS = re.compile(
    rb"(?:[\xc3-\xdf][\x80-\xbf]){2}|\xe1[\x82\x83][\x80-\xbf]"
    rb"|[A-Za-z][\xc3-\xc5][\x80-\xbf](?![\x80-\xff])|(?<![\x80-\xff])[\xc3-\xc5][\x80-\xbf][a-z]"
)


_ODD = (b"ls", b"sl", b"us", b"su", b"ss")  # capitals inside words, symbols beside letters
_ODD_PLACES = re.compile(b"luu|[lus]s|s[lu]")


@functools.cache
def _kinds(page: str) -> bytes:
    """The kind of each byte in a Cyrillic page: l or u for small letters and capitals, s for other signs."""
    letters = [bytes([code]).decode(page, "replace") for code in range(256)]
    ranks = _ranks()
    kinds = (
        "l" if letter in ranks else "u" if letter.lower() in ranks else " " if letter in _USUAL_SIGNS else "s"
        for letter in letters[128:]
    )
    dashes = {"–": "s", "—": "s"} if page == "mac-cyrillic" else {}  # the bytes with which most UTF-8 letters begin
    return bytes(128).replace(b"\0", b" ") + "".join(map(lambda k, x: dashes.get(x, k), kinds, letters[128:])).encode()


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
            raise RosterError("the roster holds NUL bytes: it is not a table of text", hint=SAVE_AGAIN)
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
    return 3 * text.count("�") < sum(letter > "\x7f" for letter in text)


@functools.cache
def _of_script(script: str) -> tuple[str, ...]:
    """The code pages of a script."""
    return tuple(dict.fromkeys(page for one in alphabets() if one.script == script for page in one.pages))


@functools.cache
def _ranks() -> dict[str, float]:
    """Points of each Russian and Ukrainian letter, 1 for the most frequent to −2."""
    letters = next(list(one.costs) for one in alphabets() if one.script == "cyrillic")
    return {letter: 1 - 3 * index / len(letters) for index, letter in enumerate(letters)}


ALL_BUT_UTF_16 = ("utf-8", "cp1251", "koi8-u", "cp866", "iso8859-5")
_USUAL_SIGNS = dict.fromkeys("№«»–—’\u00a0", 0.0)
_UNUSUAL_SIGN = -3.0
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x9f]")
# of cases, or of scripts; signs at the wrong end of a word
_CLASH = re.compile("[а-яё][А-ЯЁ]|[а-яёА-ЯЁ][a-zA-Z]|[a-zA-Z][а-яёА-ЯЁ]|[«»–—\u00a0](?=[а-яё])")


def plausibility(text: str) -> float:
    """Points per Cyrillic letter, −2 to 1: rare letters, symbols and clashing neighbours cost points."""
    ranks = _ranks()
    counts = Counter({letter: count for letter, count in Counter(text).items() if letter > "\x7f"})
    points = sum(
        count * (ranks.get(letter.lower()) or _USUAL_SIGNS.get(letter, _UNUSUAL_SIGN))
        for letter, count in counts.items()
    )
    wrong = sum(1 for _ in _CLASH.finditer(text)) + sum(1 for _ in _CONTROL.finditer(text))
    return (points - 3 * wrong) / max(1, counts.total())
