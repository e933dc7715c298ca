"""Cells that hold several values: the spellings of a name, two birth dates that sources disagree about.

They are spellings of one person. A row whose linked cells hold several values becomes several rows with one label, one
for each combination; whoever compares takes the best of them and counts the person once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import islice, product

import pandas as pd

from pprl.core.errors import RosterError

MOST_SPELLINGS = 8  # of one person, as they differ when folded
MOST_WRITTEN = 64  # combinations of one row that are looked at
TOO_MANY = f"more than {MOST_SPELLINGS} spellings of a person"


def separators(frame: pd.DataFrame) -> dict[str, str]:
    """Headers of the columns whose cells may hold several values, and what stands between them.

    They are kept in ``frame.attrs["several"]``, where `read_roster` writes them.
    """
    return dict(frame.attrs.get("several", {}))


def separators_by_header(several: Mapping[str, str], columns: Collection[Mapping[str, str]]) -> list[dict[str, str]]:
    """Separators by field as separators by header, for each of several parts that have columns of their own.

    RosterError: no part has a column of a field.
    """
    for field in several:
        if not any(field in own for own in columns):
            raise RosterError(
                f"no column is {field!r}, whose cells hold several values",
                hint="[several] in a columns file names fields that have a column, say full_name",
            )
    return [{own[field]: separator for field, separator in several.items() if field in own} for own in columns]


def values_of(cell: str, separator: str) -> list[str]:
    """The different values of a cell, in their order; one that is empty where there is none.

    >>> values_of("Müller; Mueller;; Müller", ";")
    ['Müller', 'Mueller']
    """
    return list(dict.fromkeys(filter(None, map(str.strip, cell.split(separator))))) or [""]


def distinct_values(cells: Collection[str], separator: str | None) -> list[str]:
    """The different values of all cells of a column."""
    if separator is None:
        return list(dict.fromkeys(cells))
    return list(dict.fromkeys(value for cell in cells for value in values_of(cell, separator)))


def spread(
    frame: pd.DataFrame, spelled: Collection[str], single: Collection[str], several: Mapping[str, str]
) -> tuple[pd.DataFrame, list[int]]:
    """The frame with one value a cell, and the labels of rows that have more combinations than are looked at.

    Of columns in ``spelled`` every value counts, of those in ``single`` the first.
    """
    frame = frame.copy(deep=False)
    for header, separator in several.items():
        if header in single and header not in spelled:
            frame[header] = frame[header].map(lambda cell, sign=separator: _values(cell, sign)[0])
    cells = {header: frame[header].tolist() for header in dict.fromkeys(spelled) if header in several}
    many: list[int] = []
    places: list[int] = []
    rows: list[tuple[object, ...]] = []
    for place, row in enumerate(zip(*cells.values(), strict=True)):
        values = [_values(cell, several[header]) for header, cell in zip(cells, row, strict=True)]
        written = list(islice(product(*values), MOST_WRITTEN))
        if math.prod(map(len, values)) > MOST_WRITTEN:
            many.append(int(frame.index[place]))
        places += [place] * len(written)
        rows += written
    if not cells:
        return frame, []
    repeated = frame.iloc[places].copy()
    for at, header in enumerate(cells):
        repeated[header] = pd.Series([row[at] for row in rows], index=repeated.index, dtype=object)
    return repeated, many


def _values(cell: object, separator: str) -> list[object]:
    return [*values_of(cell, separator)] if isinstance(cell, str) else [cell]
