"""What was noticed while a roster was read and belongs before its owner's eyes, by row."""

from __future__ import annotations

from collections.abc import Iterable

from pprl.core.row_labels import labels_text


class Findings:
    """Rows by what was noticed in them; a second reading of the same file changes nothing."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, None]] = {}

    def add(self, what: str, row: int) -> None:
        """Note something about a row, counted from 1."""
        self._rows.setdefault(what, {})[row] = None

    def rows(self, offset: int = 0) -> dict[str, list[int]]:
        """The rows of each note, in order; ``offset`` is added to their numbers."""
        return {what: sorted(row + offset for row in rows) for what, rows in self._rows.items()}


def notes(findings: Iterable[dict[str, list[int]]]) -> list[str]:
    """A line for each thing noticed in the sheets of a roster: ``row 11, 41: …``."""
    rows: dict[str, list[int]] = {}
    for found in findings:
        for what, labels in found.items():
            rows.setdefault(what, []).extend(labels)
    return [f"{labels_text(tuple(labels))}: {what}" for what, labels in rows.items()]
