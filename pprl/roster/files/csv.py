"""Text of a CSV to records. Quotation marks that are not closed, or closed wrongly, swallow no rows.

A row is what a spreadsheet shows as a row: a quoted cell may run over several lines. So every record is compared with
the shape of the others. Lines inside a quoted cell that look like rows are rows, and the mark that opened the cell was
typed by hand; such rows are read line by line and noted, or refused by number.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from pprl.core.errors import RosterError
from pprl.roster.files.delimiters import NO_SHAPE, QUOTE, Shape, find_quote, find_table, plain_cells, readings, shape_of
from pprl.roster.files.encodings import MARK, Encoding, MixedText, find_encoding, open_text
from pprl.roster.files.findings import Findings
from pprl.roster.files.garbled import is_plain, mended_record
from pprl.roster.files.limits import MAX_TEXT, Lines, refuse_long_text

HEAD = 65_536
_LINES_OF_A_CELL = 2_000
_HINT = "close the quotation mark or delete it; in a spreadsheet, save the table as XLSX"

CUT_SHORT = "the last row has fewer cells than the header and no line end: is the file cut short?"
MENDED = "a quotation mark is not closed, or closed wrongly, and was read as a letter"


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written."""

    encoding: Encoding
    delimiter: str
    quote: str = QUOTE
    shape: Shape = NO_SHAPE
    stray: bool = False  # whether a carriage return alone may be inside a cell, other line ends being usual
    quotes: bool = False  # whether most lines hold quotation marks
    named: bool = False  # its first line, ``sep=;``, names the delimiter; like a spreadsheet, we do not count it


def find_dialect(file: BinaryIO) -> Dialect:
    """How a file is written. RosterError: as `find_encoding` and `find_table`."""
    encoding = find_encoding(file)
    stray = _has_stray_returns(file)
    file.seek(0)
    with open_text(file, encoding) as text:
        head = text.read(HEAD).replace("\ufeff", "").replace(MARK, "")
    if stray:
        head = _RETURN.sub(" ", head.replace("\r\r\n", "\r\n"))
    lines = [line for line in io.StringIO(head, newline="") if line.strip()]
    if len(head) == HEAD and len(lines) > 1:
        lines.pop()  # cut short
    quote = find_quote(lines)
    quotes = 2 * sum(quote in line for line in lines) > len(lines)
    if lines and (named := _NAMED.fullmatch(lines[0].strip("\r\n"))):
        return Dialect(encoding, named[1], quote, shape_of(lines[1:], named[1], quote), stray, quotes, named=True)
    delimiter, shape = find_table(lines, quote)
    return Dialect(encoding, delimiter, quote, shape, stray, quotes)


_NAMED = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


_RETURN = re.compile(r"\r(?!\n)")


def _has_stray_returns(file: BinaryIO) -> bool:
    """Whether carriage returns alone are few among the line ends, or all come from line ends translated twice."""
    alone = doubled = feeds = 0
    file.seek(0)
    while piece := file.read(1 << 20):
        piece += file.readline(1 << 20)
        feeds += piece.count(b"\n")
        returns = piece.count(b"\r")
        if returns and (single := returns - piece.count(b"\r\n")):
            alone += single
            doubled += piece.count(b"\r\r\n")
    return alone > 0 and (2 * alone < feeds or alone == doubled)


def plain_records(file: BinaryIO) -> Iterator[list[str]]:
    """The records of a comma-separated file in UTF-8, as a program reads it that opens it as text.

    RosterError: a quoted cell is never closed.
    """
    csv.field_size_limit(MAX_TEXT)
    end = "\x00end"  # cannot be a cell
    with io.TextIOWrapper(file, "utf-8") as text:
        lines = Lines(text)
        for record in csv.reader(itertools.chain(lines, [end])):
            if record == [end]:
                return
            lines.length = 0
            yield record
    raise RosterError("the roster ends inside a quoted cell", hint=_HINT)


def csv_records(file: BinaryIO, dialect: Dialect, findings: Findings) -> Iterator[list[str]]:
    """A list of cells per record; what was read otherwise than it is written is added to the ``findings``.

    RosterError: a quoted cell swallows rows, or is never closed, and nothing shows what was meant.
    """
    csv.field_size_limit(MAX_TEXT)
    return itertools.chain.from_iterable(_batches(file, dialect, findings))


def _batches(file: BinaryIO, dialect: Dialect, findings: Findings) -> Iterator[Iterable[list[str]]]:
    with open_text(file, dialect.encoding, "\n" if dialect.stray else "") as text:
        if dialect.named:
            text.readline(HEAD)
        records = _Records(text, dialect, findings)
        yield from records.batches()
        if records.may_be_cut_short():
            findings.add(CUT_SHORT, records.row)


class _Records:
    """The records of one reading. ``row`` is the number of the last one."""

    def __init__(self, text: TextIO | MixedText, dialect: Dialect, findings: Findings) -> None:
        self._chunks = _chunks(text)
        self._dialect, self._findings = dialect, findings
        self._pending = deque[str]()  # lines to be read before those of the next chunk
        self._held: list[str] = []  # the lines of the record that is being read
        self._plain = True  # whether no text of the pending lines looks garbled
        self._last = ""  # the last chunk
        self.row = 0

    def batches(self) -> Iterator[Iterable[list[str]]]:
        """All records, those of a chunk at a time; each batch is to be read before the next."""
        while chunk := self._next_chunk():
            if (records := self._in_order(chunk)) is not None:
                yield records if self._plain else self._mended(records)
                self.row += len(records)
            else:
                self._pending.extend(io.StringIO(chunk, newline=""))
                while self._pending:
                    yield self._one_by_one()
            self._plain = True

    def _in_order(self, chunk: str) -> list[list[str]] | None:
        """The records of a chunk whose quotation marks, if it has any, are plainly in order: each line is a record as
        wide as the table. Most chunks are like this; None for any other.
        """
        quote, delimiter, width = self._dialect.quote, self._dialect.delimiter, self._dialect.shape.width
        if MARK in chunk:
            return None
        if quote not in chunk:
            return list(csv.reader(io.StringIO(chunk, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE))
        lines = list(io.StringIO(chunk, newline=""))
        try:
            records = list(csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True))
        except csv.Error:
            return None
        in_pairs = not any(map((1).__and__, map(str.count, lines, itertools.repeat(quote))))
        return records if len(records) == len(lines) and in_pairs and {*map(len, records)} == {width} else None

    def _mended(self, records: list[list[str]]) -> Iterator[list[str]]:
        for number, record in enumerate(records, self.row + 1):
            yield mended_record(record, number, self._findings)

    def _one_by_one(self) -> Iterator[list[str]]:
        for record in self._quoted_records():
            yield record if self._plain else mended_record(record, self.row, self._findings)

    def _next_chunk(self) -> str:
        """The next piece of text, "" at the end; notes whether it needs a closer look."""
        chunk = next(self._chunks, "")
        if self._dialect.stray:
            chunk = self._without_stray_returns(chunk)
        self._plain &= is_plain(chunk)
        self._last = chunk or self._last
        return chunk

    def may_be_cut_short(self) -> bool:
        """Whether the last line ends before its line end and before its last cell, unlike the line above it."""
        *_, above, last = ["", "", *self._last.splitlines()[-2:]]
        width = self._dialect.shape.width
        ends = self._last.endswith(("\n", "\r"))
        return not ends and len(self._cells(last)) < width == len(self._cells(above)) and bool(last)

    def _without_stray_returns(self, chunk: str) -> str:
        """The chunk with spaces for carriage returns alone, except where they part whole rows."""
        if "\r" not in chunk.replace("\r\n", ""):
            return chunk
        lines = []
        for line in io.StringIO(chunk, newline="\n"):
            parts = line.rstrip("\r\n").split("\r")
            rows = all(self._dialect.shape.fits(self._cells(part)) for part in parts)
            lines.append(("\n" if rows else " ").join(parts) + ("\n" if line.endswith("\n") else ""))
        return "".join(lines)

    def _quoted_records(self) -> Iterator[list[str]]:
        """The records of the pending lines, up to the first whose marks are out of order."""
        width, held = self._dialect.shape.width, self._held
        reader = csv.reader(self._feed(), delimiter=self._dialect.delimiter, quotechar=self._dialect.quote, strict=True)
        while True:
            held.clear()
            try:
                record = next(reader, None)
            except (csv.Error, _TooLongError):
                record = None
            if not held:
                return
            self.row += 1
            marks = held[0].count(self._dialect.quote)
            if record is not None and len(held) == 1 and (len(record) == width or not marks):
                if marks % 2:
                    self._findings.add(MENDED, self.row)
                yield record
            else:
                cells, again = self._examined(record, held)
                self._pending.extendleft(reversed(again))
                yield cells
                if record is None or again:
                    return

    def _feed(self) -> Iterator[str]:
        """The pending lines, and those of the next chunk while a record is open."""
        size = 0
        while self._pending or (self._held and self._more()):
            line = self._pending.popleft()
            if line[0] == MARK:
                line = line[1:]
                self._findings.add(self._dialect.encoding.note(), self.row + 1)
            size = size + len(line) if self._held else len(line)
            self._held.append(line)
            if len(self._held) > _LINES_OF_A_CELL or size > MAX_TEXT:
                raise _TooLongError
            yield line

    def _more(self) -> bool:
        self._pending.extend(io.StringIO(self._next_chunk(), newline=""))
        return bool(self._pending)

    def _examined(self, record: list[str] | None, held: Sequence[str]) -> tuple[list[str], Sequence[str]]:
        """The record that these lines begin with, and the lines to be read again after it.

        ``record`` is what the quotation marks say, or None if they are out of order.
        """
        shape, rest = self._dialect.shape, held[1:]
        first = self._only_reading(held[0])
        is_whole = first is not None and shape.fits(first)
        like_rows = sum(self._is_like_a_row(line, alone=is_whole) for line in rest)
        if record is not None and not rest and (not is_whole or shape.fits(record)):
            return record, ()
        if record is not None and rest and not like_rows:
            return record, ()
        if record is None and self._ends_in(held):
            raise RosterError(f"row {self.row}: the roster ends inside a quoted cell", hint="is the file cut short?")
        self._findings.add(MENDED, self.row)
        if first is not None and 2 * like_rows >= sum(1 for line in rest if line.strip()):
            return first, rest
        if not like_rows and (whole := self._only_reading("".join(held))) is not None:
            return whole, ()
        if not rest and len(cells := self._cells(held[0])) <= max(shape.width, 1):
            return cells, ()
        lines = f" before its line {len(held):,}" if rest else ""
        raise RosterError(f"row {self.row}: a quoted cell is not closed{lines}", hint=_HINT)

    def _is_like_a_row(self, line: str, *, alone: bool) -> bool:
        """Whether a line inside a quoted cell could be a row. A mark alone closes a cell that ended in a line end,
        unless the line above it is a row as it stands ``alone``.
        """
        cells = self._cells(line)
        return self._dialect.shape.fits(cells) and (alone or self._dialect.quote not in map(str.strip, cells))

    def _cells(self, line: str) -> list[str]:
        return plain_cells(line, self._dialect.delimiter, self._dialect.quote)

    def _only_reading(self, text: str) -> list[str] | None:
        """The one way to read a text as a row: the only one of the right width, or else of the right shape."""
        if len(text) > HEAD:
            return None
        dialect = self._dialect
        if "\\" + dialect.quote in text:
            text = text.replace("\\" + dialect.quote, 2 * dialect.quote)
        ways = readings(text, dialect.delimiter, dialect.quote, dialect.shape.width)
        if len(ways) > 1:
            ways = [way for way in ways if dialect.shape.fits(way)]
        return ways[0] if len(ways) == 1 else None

    def _ends_in(self, held: Sequence[str]) -> bool:
        """Whether the file ends with these lines, and ends without a line end although its cells are quoted."""
        return self._dialect.quotes and not self._pending and not held[-1].endswith(("\n", "\r"))


class _TooLongError(Exception):
    """A record runs over more lines than any cell has."""


def _chunks(text: TextIO | MixedText) -> Iterator[str]:
    """The text in pieces of whole lines."""
    while chunk := text.read(HEAD):
        rest = text.readline(MAX_TEXT + 1)
        refuse_long_text(len(rest), "a row of the roster")
        chunk += rest
        if "\ufeff" in chunk:
            chunk = chunk.replace("\ufeff", "")  # the mark of another file that was put behind this one
        yield chunk
