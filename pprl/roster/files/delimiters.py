"""How the lines of a CSV are parted into cells: the delimiter, the quotation mark, and what a row looks like.

The right delimiter parts most records into the same number of cells, the header among them. Counts of commas say
little: addresses and decimal numbers are full of them.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pprl.core.errors import RosterError
from pprl.core.schema import FULL_NAME, NAME_TYPES
from pprl.roster.files.headers import header_type

DELIMITERS = ";,\t|"
OTHER_DELIMITERS = "^~\x01\x1e¦:"  # of other programs; taken only where none of the usual ones parts the lines
NO_DELIMITER = "\x1f"
QUOTE = '"'
_EXAMINED = 200  # records
_MOST_WAYS = 8
_MOST_READINGS = 2_000  # steps in search of the one way to read quotation marks
_WORDS = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Shape:
    """How wide rows are, and for each column the only kind of cell it holds, or "" where there are several."""

    width: int
    kinds: tuple[str, ...]
    words: int = 1  # in a cell of a list of one column, at least

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether cells could be a row of the table: as many as a row has, and each of its column's kind."""
        if len(cells) != self.width:
            return False
        if self.width == 1:
            return self.words > 1 and _kind(cells[0]) == "words" and len(cells[0].split()) >= self.words
        known = [(_kind(cell), kind) for cell, kind in zip(cells, self.kinds, strict=True) if kind]
        return any(found == kind for found, kind in known) and all(found in ("", kind) for found, kind in known)


NO_SHAPE = Shape(0, ())

_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")


def _kind(cell: str) -> str:
    """What a cell holds: a date, a number, words or both; "" if it is empty."""
    text = cell.strip().strip(QUOTE)
    digits, letters = any(map(str.isdigit, text)), any(map(str.isalpha, text))
    if digits:
        return "mixed" if letters else "date" if _DATE.match(text) else "number"
    return "words" if letters else ""


def _shape(records: Sequence[Sequence[str]], width: int) -> Shape:
    """The shape of the records of this width, header included: it is one among many."""
    columns = list(zip(*(record for record in records if len(record) == width), strict=True))
    kinds = []
    for column in columns:
        counts = Counter(filter(None, map(_kind, column)))
        kind, count = counts.most_common(1)[0] if counts else ("", 0)
        kinds.append(kind if count > 2 and count >= counts.total() - 1 and kind != "mixed" else "")
    words = Counter(len(cell.split()) for cell in columns[0]).most_common(1)[0][0] if width == 1 and columns else 1
    return Shape(width, tuple(kinds), words)


def plain_cells(line: str, delimiter: str, quote: str = QUOTE) -> list[str]:
    """One line in cells: as its quotation marks say if they are in order, and as if they were letters if not."""
    if quote in line:
        try:
            (cells,) = csv.reader([line], delimiter=delimiter, quotechar=quote, strict=True)
        except (csv.Error, ValueError):
            pass
        else:
            return cells
    return line.rstrip("\r\n").split(delimiter)


def readings(text: str, delimiter: str, quote: str, width: int) -> list[list[str]]:
    """The ways to read a text as ``width`` cells, a few at most: each mark that opens a cell may be a letter, or be
    closed by any mark at the end of a cell. What is closed where its cell ends is a quoted cell and nothing else.
    """
    text, found, steps = text.rstrip("\r\n"), list[list[str]](), 0
    stack: list[tuple[int, list[str]]] = [(0, [])]
    while stack and len(found) < _MOST_WAYS and steps < _MOST_READINGS:
        steps += 1
        at, cells = stack.pop()
        if at > len(text):
            if len(cells) == width and cells not in found:
                found.append(cells)
        elif len(cells) < width:
            stack += [(end + 1, [*cells, cell]) for end, cell in _first_cells(text, at, delimiter, quote)]
    return found if steps < _MOST_READINGS else []


def _first_cells(text: str, at: int, delimiter: str, quote: str) -> Iterator[tuple[int, str]]:
    """The cells that may begin here, each with its end."""
    end = text.find(delimiter, at)
    end = len(text) if end < 0 else end
    literal = text[at:end]
    broken = "\n" in literal or "\r" in literal  # only a quoted cell runs over several lines
    if literal[:1] != quote:
        if not broken:
            yield end, literal
        return
    if len(literal) > 1 and literal.endswith(quote) and literal.count(quote) % 2 == 0:
        yield end, literal[1:-1].replace(2 * quote, quote)
        return
    if not broken:
        yield end, literal
    while (end := text.find(quote, end)) >= 0:
        end += 1
        if text[end : end + 1] in ("", delimiter):
            yield end, text[at + 1 : end - 1].replace(2 * quote, quote)


def head_records(lines: Sequence[str], delimiter: str, quote: str = QUOTE) -> list[list[str]]:
    """The first records that hold anything: as the quotation marks say, or line by line where they swallow rows."""
    records = _quoted_records(lines, delimiter, quote)
    if any(quote in line for line in lines):
        by_line = [plain_cells(line, delimiter, quote) for line in lines[:_EXAMINED]]
        if 2 * _most_alike(by_line) > 3 * _most_alike(records):
            return by_line
    return records


def _most_alike(records: Sequence[Sequence[str]]) -> int:
    """How many records have the most frequent width above 1."""
    return max(Counter(len(record) for record in records if len(record) > 1).values(), default=0)


def _quoted_records(lines: Sequence[str], delimiter: str, quote: str) -> list[list[str]]:
    """The first records; a mark that is closed nowhere or wrongly counts as a letter."""
    pending, held, records = deque(lines), list[str](), list[list[str]]()

    def feed() -> Iterator[str]:
        while pending:
            held.append(pending.popleft())
            yield held[-1]

    while pending and len(records) < _EXAMINED:
        try:
            record = next(csv.reader(feed(), delimiter=delimiter, quotechar=quote, strict=True))
        except csv.Error:
            record = held[0].rstrip("\r\n").split(delimiter)
            pending.extendleft(reversed(held[1:]))
        held.clear()
        if any(map(str.strip, record)):
            records.append(record)
    return records


def find_quote(lines: Sequence[str]) -> str:
    """The apostrophe if it encloses the cells of most lines, as some databases write them; else the usual mark."""
    enclosed = sum(1 for line in lines if _IN_APOSTROPHES.search(line.strip()))
    return "'" if len(lines) > 1 and 10 * enclosed > 8 * len(lines) else QUOTE


_IN_APOSTROPHES = re.compile(r"^'[^'\"]*'[,;\t|]|[,;\t|]'[^'\"]*'$")


def find_delimiter(head: str, quote: str = QUOTE) -> str:
    """The delimiter under which most records have the same width, the header among them; see `find_table`."""
    return find_table(_lines(head), quote)[0]


def _lines(head: str) -> list[str]:
    return [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", head) if line.strip()]


def shape_of(lines: Sequence[str], delimiter: str, quote: str = QUOTE) -> Shape:
    """The shape of the rows under a delimiter that is known."""
    records = head_records(lines, delimiter, quote)
    return _judge(records, delimiter, sure=False)[1] if delimiter != NO_DELIMITER else _shape(records, 1)


def find_table(lines: Sequence[str], quote: str = QUOTE) -> tuple[str, Shape]:
    """The delimiter of these lines and the shape of their rows.

    `NO_DELIMITER` for a list of one column, even if there is a comma in every name.

    RosterError: two delimiters part the lines equally well, or the columns are parted by runs of spaces.
    """
    lines = list(lines)[: 5 * _EXAMINED]
    one_column = head_records(lines, NO_DELIMITER, quote)
    if 10 * sum(_NAME_WITH_COMMA.fullmatch(line.strip()) is not None for line in lines) > 8 * len(lines):
        return NO_DELIMITER, _shape(one_column, 1)
    judged = _judged(lines, DELIMITERS, quote) or _judged(lines, OTHER_DELIMITERS, quote, sure=True)
    if not judged:
        _refuse_spaces(lines)
        return NO_DELIMITER, _shape(one_column, 1)
    (best, delimiter, shape), *others = judged
    if others and best - others[0][0] < _TIE:
        names = " or by ".join(_WORDS.get(mark, repr(mark)) for _, mark, _ in (judged[0], others[0]))
        raise RosterError(
            f"the cells of the roster could be parted by {names}",
            hint="save it as XLSX, or write sep=; (or the mark that parts the cells) as a line of its own at the top",
        )
    return delimiter, shape


_NAME_WITH_COMMA = re.compile(r"[^\W\d_][^,;\t|\d]{0,60}, [^\W\d_][^,;\t|\d]{0,90}")
_TIE = 0.15


def _judged(lines: Sequence[str], marks: str, quote: str, *, sure: bool = False) -> list[tuple[float, str, Shape]]:
    """The delimiters that make a table, the best first."""
    judged = []
    for mark in marks:
        if any(mark in line for line in lines):
            points, shape = _judge(head_records(lines, mark, quote), mark, sure=sure)
            if points > 0:
                judged.append((points, mark, shape))
    return sorted(judged, key=lambda entry: -entry[0])


def _judge(records: list[list[str]], mark: str, *, sure: bool) -> tuple[float, Shape]:
    """How well a delimiter fits, 0 if not at all.

    A point for the share of records as wide as most; half a point for each header whose cells are of its kind, and a
    quarter for each column of dates or numbers. A mark that is always followed by a space is punctuation.
    """
    widths = Counter(len(record) for record in records if len(record) > 1)
    if not widths:
        return 0, NO_SHAPE
    known = [sum(header_type(cell) is not None for cell in record) for record in records]
    width = max(widths, key=lambda width: (widths[width], width))
    if any(known) and widths[width] < 3:  # next to nothing but a header
        width = len(records[known.index(max(known))])
    alike = widths[width]
    if width < 2 or alike < min(2, len(records)) or 3 * sum(widths.values()) < len(records):
        return 0, NO_SHAPE
    shape = _shape(records, width)
    header = next(record for record in records if len(record) == width)
    if any(known) and len(records[known.index(max(known))]) == width:
        header = records[known.index(max(known))]
    fitting = sum(_fits_header(header_type(label), kind) for label, kind in zip(header, shape.kinds, strict=True))
    if sure and (alike < 0.9 * len(records) or alike < 3 or fitting + sum(map(bool, shape.kinds)) < 2):
        return 0, NO_SHAPE
    typed = sum(kind in ("date", "number") for kind in shape.kinds)
    parts = [cell for record in records if len(record) == width for cell in record[1:] if cell]
    spaced = mark in ",:" and sum(cell.startswith(" ") for cell in parts) > 0.9 * len(parts)
    return alike / len(records) + fitting / 2 + typed / 4 - spaced / 2, shape


def _fits_header(kind: str | None, cells: str) -> bool:
    if kind in (*NAME_TYPES, FULL_NAME, "sex", "rank", "category"):
        return cells in ("words", "")
    if kind in ("date", "joined"):
        return cells in ("date", "")
    return kind is not None


def _refuse_spaces(lines: Sequence[str]) -> None:
    """RosterError: most lines are parted into equally many cells by runs of spaces, as in text of fixed width."""
    widths = Counter(len(re.split(r"\s{2,}", line.strip())) for line in lines)
    (width, count), *_ = widths.most_common(1) or [(1, 0)]
    if width > 2 and count > 2 and 10 * count >= 9 * len(lines):
        raise RosterError(
            "the cells of the roster are parted by runs of spaces",
            hint="open it in a spreadsheet with fixed widths, and save it as XLSX",
        )
