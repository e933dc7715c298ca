"""A birth date makes somebody of an age to serve; other dates of a roster do not.

Dates of call-up, of desertion, of issue stand in the same lists, and one of them taken for the birth date gives a
linkage that finds nobody, or the wrong ones.
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
    """The year in which ages are counted: that of the registry where the schema says it, else this one."""
    return (schema.registry_as_of or datetime.date.today()).year


def refuse_wrong_ages(people: People, schema: Schema, year: int) -> None:
    """RosterError: see `refuse_wrong_years`, of any field that is linked."""
    for field in schema.linked():
        if field.type in ("date", "year"):
            column = people.columns[field.name]
            counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
            refuse_wrong_years(field.name, column.values, counts, year)


def refuse_wrong_years(name: str, values: Sequence[str], counts: Sequence[int] | NDArray[np.int64], year: int) -> None:
    """RosterError: more than 5 % of the dates of a field, and more than one, make people younger than 16 or older
    than 75. The ``values`` stand for so many people each."""
    ages = year - np.array([int(value[:4]) for value in values], dtype=np.int64)
    people = np.array(counts, dtype=np.int64)
    young, old, total = int(people[ages < YOUNGEST].sum()), int(people[ages > OLDEST].sum()), int(people.sum())
    if young + old > TOLERATED * total and (young + old > 1 or total == 1):
        raise RosterError(
            f"the dates of {name} make {young:,} of {total:,} people younger than {YOUNGEST} and {old:,} "
            f"older than {OLDEST} in {year}",
            hint="is it a birth date, and no date of call-up or of leaving? Name the column, "
            f"say --column {name}=HEADER, or pass --any-age (link: --list-…, --registry-…)",
        )
