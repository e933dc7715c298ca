"""Registries of synthetic people similar to those of a roster, to try out what a linkage could show and would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.randomness import RandomStream
from pprl.core.schema import NAME_TYPES, Schema
from pprl.encode.respelling import Respeller
from pprl.roster.people import MISSING, Column, People

STEPS = 50  # with 20, strangers are namesakes of people on the list too often; without end, cultures blend

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Circles:
    """Rows that share a given name or a patronymic: for each field the rows in the order of its values, and for each
    row where in that order its circle begins and how many it holds, 1 where nobody shares the value."""

    order: Ints
    first: Ints
    size: Ints

    @classmethod
    def of_columns(cls, columns: Sequence[Column], rows: int) -> _Circles:
        order, first, size = (np.zeros((len(columns), rows), dtype=np.int64) for _ in range(3))
        for number, column in enumerate(columns):
            whole = np.array([not value.endswith(".") for value in column.values] + [False])[column.codes]
            keys = np.where(whole, column.codes, -1 - np.arange(rows))  # an initial says nothing of a culture
            _, key, counts = np.unique(keys, return_inverse=True, return_counts=True)
            order[number] = np.argsort(key, kind="stable")
            first[number], size[number] = (np.cumsum(counts) - counts)[key], counts[key]
        return cls(order, first, size)


class SyntheticRegistry:
    """Draws registries of people similar to those of a roster, in canonical values.

    A stranger's values are drawn by their frequency in the roster, and independently, but names of one culture stay
    together: given name, surname and patronymic come from three rows of which each shares a given name or patronymic
    with the one before, as the surnames of decoys do (`pprl.encode.decoys`). As often as a value of the roster
    occurs only once, a new one is put together from the halves of two (Good 1953: that is how often the next draw from
    the population is none of those seen). Birthdays are drawn from the years of the roster and any day.
    """

    def __init__(self, people: People, schema: Schema, draws: RandomStream) -> None:
        self._people, self._schema, self._draws = people, schema, draws
        self._respeller = Respeller(draws)
        columns = [people.columns[field.name] for field in schema.linked() if field.type in ("given", "patronymic")]
        self._circles = _Circles.of_columns(columns, len(people))

    def draw(self, present: NDArray[np.int64], rows: int) -> People:
        """The ``present`` people as another office writes them (`Respeller`), then strangers."""
        columns = {}
        base = self._draws.below(len(self._people), rows)
        surname = self._related(base)
        donors = {"surname": surname, "patronymic": self._related(surname)}
        for field in self._schema.fields:
            column = self._people.columns[field.name]
            if field.role != "link" or not (column.codes != MISSING).any():
                columns[field.name] = Column((), np.full(rows, MISSING, dtype=np.int32))
                continue
            values = self._strangers(column, field.type, donors.get(field.type, base))
            originals = [column.values[code] if code != MISSING else None for code in column.codes[present].tolist()]
            for row, original in enumerate(originals):
                if original is not None:
                    values[row] = self._respeller.rewritten(original, values[row], field.type)
            codes, distinct = pd.factorize(np.array(values, dtype=object))
            columns[field.name] = Column(tuple(distinct), codes.astype(np.int32))
        return People(np.arange(rows, dtype=np.int64), columns)

    def _related(self, base: Ints) -> Ints:
        """For each row one of the same naming culture: `STEPS` away, each to a row that shares the given name or the
        patronymic. Every row is equally likely; one that shares neither with anybody leads to anybody."""
        circles, rows, related = self._circles, len(base), base
        alone = (circles.size[:, base] == 1).all(axis=0)
        for _ in range(STEPS if len(circles.size) else 0):
            field = self._draws.below(len(circles.size), rows)
            place = self._draws.below(circles.size[field, related], rows)
            related = circles.order[field, circles.first[field, related] + place]
        return np.where(alone, self._draws.below(len(self._people), rows), related)

    def _strangers(self, column: Column, kind: str, donors: Ints) -> list[str]:
        rows, known = len(donors), column.codes[column.codes != MISSING]
        drawn = known[self._draws.below(len(known), rows)]
        if kind in NAME_TYPES:
            drawn = np.where(column.codes[donors] == MISSING, drawn, column.codes[donors])
        values = [column.values[code] for code in drawn.tolist()]
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
