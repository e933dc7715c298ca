"""Birth dates are recognised by the ages they imply.

The same lists hold dates of call-up, desertion and issue. A linkage that takes one of them for the birth date finds
nobody, or the wrong people.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pprl.core.errors import RosterError
from pprl.core.schema import Schema
from pprl.roster.people import MISSING, People

YOUNGEST, OLDEST = 16, 75
TOLERATED = 0.05


def year_of_ages(schema: Schema) -> int:
    """The year for which ages are computed: that of the registry if the schema names it, else the current one."""
    return (schema.registry_as_of or datetime.date.today()).year


def refuse_wrong_ages(people: People, schema: Schema, year: int) -> None:
    """RosterError: as `refuse_wrong_years`, for every linked field of dates or years."""
    for field in schema.linked():
        if field.type in ("date", "year"):
            column = people.columns[field.name]
            counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
            refuse_wrong_years(field.name, column.values, counts, year)


def refuse_wrong_years(name: str, values: Sequence[str], counts: Sequence[int] | NDArray[np.int64], year: int) -> None:
    """RosterError: more than 5% of a field's dates, and more than one, make people younger than 16 or older than 75.

    ``counts`` are the numbers of people with each of the ``values``.
    """
    ages = year - np.array([int(value[:4]) for value in values], dtype=np.int64)
    people = np.array(counts, dtype=np.int64)
    young, old, total = int(people[ages < YOUNGEST].sum()), int(people[ages > OLDEST].sum()), int(people.sum())
    if young + old > TOLERATED * total and (young + old > 1 or total == 1):
        raise RosterError(
            f"the dates of {name} make {young:,} of {total:,} people younger than {YOUNGEST} and {old:,} "
            f"older than {OLDEST} in {year}",
            hint="is this the birth date, or a date of call-up or leaving? Name the column, "
            f"say --column {name}=HEADER, or pass --any-age",
        )
