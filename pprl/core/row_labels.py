"""Row labels: the row of the spreadsheet, counted from 1 with the header, plus a step for each sheet and for each part
of a list in several files.
"""

from __future__ import annotations

SHEET_STEP = 10_000_000
LIST_STEP = 100_000_000_000


def label_text(row: int) -> str:
    """A row label in words.

    >>> label_text(17), label_text(30_000_017), label_text(200_000_000_017)
    ('row 17', 'sheet 3 row 17', 'list 2 row 17')
    """
    number, row = divmod(row, LIST_STEP)
    sheet, row = divmod(row, SHEET_STEP)
    return " ".join([f"list {number}"] * (number > 0) + [f"sheet {sheet}"] * (sheet > 0) + [f"row {row}"])


def labels_text(rows: tuple[int, ...], most: int = 5) -> str:
    """The first few labels: ``row 3, 5, 9, …``, or each in full where there are several sheets or parts."""
    first = list(map(label_text, rows[:most]))
    if all(text.startswith("row ") for text in first):
        first[1:] = [text.removeprefix("row ") for text in first[1:]]
    return ", ".join(first) + (", …" if len(rows) > most else "")
