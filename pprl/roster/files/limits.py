"""How large a roster may be. The limits are checked before a file is laid out in memory, whatever it claims to hold.

A few bytes can stand for millions of cells: a repeated cell, a stray one in the last row, a column of nulls. What a
table may span therefore depends on the size of its file. docs/rosters.md lists the limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TextIO

from pprl.core.errors import RosterError

MAX_COLUMNS = 16_384
MAX_SHEETS = 1_000
MAX_CELLS = 30_000_000  # of a workbook, which is held in memory
FREE_CELLS = 5_000_000  # a file of any size may span as many
CELLS_PER_BYTE = 10
FREE_VALUES = 1_000_000  # in lists; beyond, one for each byte of the file
MAX_TEXT = 1 << 20  # characters of a cell, and of a row of a CSV
MAX_LINE = 1 << 22  # bytes of an entity
MAX_DEPTH = 60  # brackets within brackets; an entity within an entity takes three
MAX_HELD = 1 << 30  # bytes of what is held in memory once it is unpacked
MAX_UNPACKED = 1 << 34  # bytes of what is read in parts
FREE_UNPACKED = 1 << 26
MAX_RATIO = 200
PAGES_RATIO = 20  # of pages and batches, which are unpacked as a whole

STRAY = "delete stray cells far below or right of the table, or save it as CSV"


def most_cells(size: int) -> int:
    """How many cells a file of ``size`` bytes may span."""
    return max(FREE_CELLS, CELLS_PER_BYTE * size)


def refuse_expanse(rows: int, columns: int, size: int, *, most: int | None = None) -> None:
    """RosterError: a table of so many rows and columns spans more cells than a file of this size could fill."""
    limit = most_cells(size) if most is None else min(most, most_cells(size))
    if rows * columns > limit:
        raise RosterError(f"the roster spans more than {limit:,} cells", hint=STRAY)


def refuse_long_text(length: int, where: str = "a cell of the roster") -> None:
    """RosterError: a text has more than a million characters."""
    if length > MAX_TEXT:
        raise RosterError(
            f"{where} has more than {MAX_TEXT:,} characters", hint="is it a table of people? Leave that column out"
        )


def refuse_unpacked(size: int, packed: int) -> None:
    """RosterError: what is unpacked at once is much more than its packed bytes could be."""
    if size > max(FREE_UNPACKED, PAGES_RATIO * packed):
        raise RosterError(
            "the roster unpacks to more than a table of people can be",
            hint="write it again with fewer rows per group or batch, or save the table as CSV",
        )


class Lines:
    """The lines of a CSV, none of which is read further than a row may be long, however many lines the row takes."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.length = 0  # of the row so far; set it to 0 after each row

    def __iter__(self) -> Iterator[str]:
        for line in iter(partial(self._text.readline, MAX_TEXT + 1), ""):
            self.length += len(line)
            if self.length > MAX_TEXT:
                raise RosterError(
                    f"a row of the roster has more than {MAX_TEXT:,} characters",
                    hint="is a quotation mark not closed, or a line end missing?",
                )
            yield line
