"""Cells that hold several values: the spellings of a name, or two birth dates on which sources disagree.

They are spellings of one person. A row whose linked cells hold several values becomes several rows with one label, one
for each combination. The linkage unit takes the best of them, and the person counts once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import islice, product

import pandas as pd

from pprl.core.errors import RosterError
from pprl.normalize.cells import without_escapes

MOST_SPELLINGS = 8  # of one person that differ after folding
MOST_WRITTEN = 64  # combinations that are considered per row
TOO_MANY = f"more than {MOST_SPELLINGS} spellings of a person"


def separators(frame: pd.DataFrame) -> dict[str, str]:
    """The columns whose cells may hold several values: header to separator, from ``frame.attrs["several"]``."""
    return dict(frame.attrs.get("several", {}))


def separators_by_header(several: Mapping[str, str], columns: Collection[Mapping[str, str]]) -> list[dict[str, str]]:
    """Separators by field as separators by header, for each part of a roster with its own columns.

    RosterError: no part has a column for a field.
    """
    for field in several:
        if not any(field in headers for headers in columns):
            raise RosterError(
                f"no column holds {field!r}, which [several] lists as a field of several values",
                hint="[several] in a columns file names fields that have a column, say full_name",
            )
    return [
        {headers[field]: separator for field, separator in several.items() if field in headers} for headers in columns
    ]


def values_of(cell: str, separator: str) -> list[str]:
    """The distinct values of a cell in their order, or one empty value where there is none.

    >>> values_of("Müller; Mueller;; Müller", ";")
    ['Müller', 'Mueller']
    """
    return list(dict.fromkeys(filter(None, map(str.strip, without_escapes(cell).split(separator))))) or [""]


def distinct_values(cells: Collection[str], separator: str | None) -> list[str]:
    """The distinct values of all cells of a column."""
    if separator is None:
        return list(dict.fromkeys(cells))
    return list(dict.fromkeys(value for cell in cells for value in values_of(cell, separator)))


def spread(
    frame: pd.DataFrame, spelled: Collection[str], single: Collection[str], several: Mapping[str, str]
) -> tuple[pd.DataFrame, list[int]]:
    """The frame with one value per cell, and the labels of rows with more combinations than are considered.

    Columns in ``spelled`` keep every value, those in ``single`` the first.
    """
    frame = frame.copy(deep=False)
    for header, separator in several.items():
        if header in single and header not in spelled:
            frame[header] = frame[header].map(lambda cell, between=separator: _values(cell, between)[0])
    cells = {header: frame[header].tolist() for header in dict.fromkeys(spelled) if header in several}
    too_many: list[int] = []
    sources: list[int] = []
    rows: list[tuple[object, ...]] = []
    for source, row in enumerate(zip(*cells.values(), strict=True)):
        values = [_values(cell, several[header]) for header, cell in zip(cells, row, strict=True)]
        written = list(islice(product(*values), MOST_WRITTEN))
        if math.prod(map(len, values)) > MOST_WRITTEN:
            too_many.append(int(frame.index[source]))
        sources += [source] * len(written)
        rows += written
    if not cells:
        return frame, []
    repeated = frame.iloc[sources].copy()
    for index, header in enumerate(cells):
        repeated[header] = pd.Series([row[index] for row in rows], index=repeated.index, dtype=object)
    return repeated, too_many


def _values(cell: object, separator: str) -> list[object]:
    return [*values_of(cell, separator)] if isinstance(cell, str) else [cell]
