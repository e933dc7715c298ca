"""A birth date makes somebody of an age to serve; other dates of a roster do not.

Dates of call-up, of desertion, of issue stand in the same lists, and one of them taken for the birth date gives a
linkage that finds nobody, or the wrong ones.
"""

from __future__ import annotations

import datetime

import numpy as np

from pprl.errors import RosterError
from pprl.normalize.people import MISSING, People
from pprl.schema import Schema

YOUNGEST, OLDEST = 16, 75
TOLERATED = 0.05


def year_of_ages(schema: Schema) -> int:
    """The year in which ages are counted: that of the registry where the schema says it, else this one."""
    return (schema.registry_as_of or datetime.date.today()).year


def refuse_wrong_ages(people: People, schema: Schema, year: int) -> None:
    """RosterError: more than 5 % of the dates of a linked field, and more than one, make people younger than 16 or
    older than 75."""
    for field in schema.linked():
        if field.type not in ("date", "year"):
            continue
        column = people.columns[field.name]
        born = np.array([int(value[:4]) for value in column.values], dtype=np.int64)
        ages = year - born[column.codes[column.codes != MISSING]]
        young, old = int((ages < YOUNGEST).sum()), int((ages > OLDEST).sum())
        if young + old > TOLERATED * len(ages) and (young + old > 1 or len(ages) == 1):
            raise RosterError(
                f"the dates of {field.name} make {young:,} of {len(ages):,} people younger than {YOUNGEST} and {old:,} "
                f"older than {OLDEST} in {year}",
                hint="is it a birth date, and no date of call-up or of leaving? Name the column, "
                f"say --column {field.name}=HEADER, or pass --any-age (link: --list-…, --registry-…)",
            )
