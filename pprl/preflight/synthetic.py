"""Registries of synthetic people similar to those of a roster, to try out what a linkage could show and would cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.randomness import RandomStream
from pprl.core.schema import NAME_TYPES, Schema
from pprl.encode.respelling import Respeller
from pprl.roster.people import MISSING, Column, People


class SyntheticRegistry:
    """Draws registries of people similar to those of a roster, in canonical values.

    A stranger's values are drawn independently by their frequency in the roster. As often as a value of the roster
    occurs only once, a new one is put together from the halves of two (Good 1953: that is how often the next draw from
    the population is none of those seen). Birthdays are drawn from the years of the roster and any day.
    """

    def __init__(self, people: People, schema: Schema, draws: RandomStream) -> None:
        self._people, self._schema, self._draws = people, schema, draws
        self._respeller = Respeller(draws)

    def draw(self, present: NDArray[np.int64], rows: int) -> People:
        """The ``present`` people as another office writes them (`Respeller`), then strangers."""
        columns = {}
        for field in self._schema.fields:
            column = self._people.columns[field.name]
            if field.role != "link" or not (column.codes != MISSING).any():
                columns[field.name] = Column((), np.full(rows, MISSING, dtype=np.int32))
                continue
            values = self._strangers(column, field.type, rows)
            originals = [column.values[code] if code != MISSING else None for code in column.codes[present].tolist()]
            for row, original in enumerate(originals):
                if original is not None:
                    values[row] = self._respeller.rewritten(original, values[row], field.type)
            codes, distinct = pd.factorize(np.array(values, dtype=object))
            columns[field.name] = Column(tuple(distinct), codes.astype(np.int32))
        return People(np.arange(rows, dtype=np.int64), columns)

    def _strangers(self, column: Column, kind: str, rows: int) -> list[str]:
        known = column.codes[column.codes != MISSING]
        drawn = known[self._draws.below(len(known), rows)].tolist()
        values = [column.values[code] for code in drawn]
        if kind in ("date", "year"):
            years = np.array([value[:4] for value in values])
            days = years.astype("datetime64[Y]").astype("datetime64[D]") + self._draws.below(365, rows)
            return list(map(str, (years if kind == "year" else days.astype(str)).tolist()))
        counts = np.bincount(known, minlength=len(column.values))
        is_new = self._draws.below(len(known), rows) < (counts == 1).sum()
        others = [column.values[code] for code in known[self._draws.below(len(known), rows)].tolist()]
        if kind in NAME_TYPES or kind == "text":
            whole_names = [value for value in column.values if not value.endswith(".")] or list(column.values)
            indices = self._draws.below(len(whole_names), rows).tolist()
            values = [
                whole_names[index] if value.endswith(".") else value
                for value, index in zip(values, indices, strict=True)
            ]
        if kind in (*NAME_TYPES, "text", "identifier"):
            values = [
                value[: len(value) // 2] + other[len(other) // 2 :] if new else value
                for value, other, new in zip(values, others, is_new.tolist(), strict=True)
            ]
        return values
