"""What is known about people besides the linked fields: strata, further fields, decade of birth, completeness, ids."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.private_rows import Label
from pprl.core.schema import Field, Schema
from pprl.roster.people import MISSING, Column, People


def labels_of(people: People, schema: Schema) -> tuple[Label, ...]:
    """The fields that are not linked, the decade of birth, and how complete each row is."""
    labels = [
        _label_of(field, people.columns[field.name])
        for field in schema.fields
        if field.role != "link" and len(people.columns[field.name].values)
    ]
    if birth := next((field for field in schema.linked() if field.type in ("date", "year")), None):
        column = people.columns[birth.name]
        numbers = {decade: index for index, decade in enumerate(dict.fromkeys(value[:3] for value in column.values))}
        by_value = np.array([numbers[value[:3]] for value in column.values] + [MISSING], dtype=np.int32)
        decades = by_value[column.codes]
        labels.append(Label(name="decade", type="year", role="decade", values=tuple(numbers), codes=decades))
    codes, distinct = pd.factorize(np.array(filled_shapes(people, schema), dtype=object))
    shapes = tuple(map(str, distinct))
    labels.append(Label(name="filled", type="text", role="filled", values=shapes, codes=codes.astype(np.int32)))
    return tuple(labels)


def _label_of(field: Field, column: Column) -> Label:
    assert field.role != "link"
    return Label(name=field.name, type=field.type, role=field.role, values=column.values, codes=column.codes)


def filled_shapes(people: People, schema: Schema) -> list[str]:
    """How full the linked fields of each row are: a digit for each field, in the order of the schema."""
    digits = (_how_full(people, field) for field in schema.linked())
    return ["".join(row) for row in zip(*digits, strict=True)]


def _how_full(people: People, field: Field) -> list[str]:
    """For each row: 0 nothing, 1 an initial or part of a date, 2 the whole value."""
    column = people.columns[field.name]

    def full(value: str) -> str:
        part = len(value) < len("1985-03-12") if field.type == "date" else value.endswith(".")
        return "1" if part else "2"

    digits = [*map(full, column.values), "0"]
    return [digits[code] for code in column.codes.tolist()]


def id_bytes(ids: Mapping[int, str], rows: NDArray[np.int64], count: int) -> NDArray[np.bytes_]:
    """The ids of the first records, which are those of ``rows``; the rest of ``count`` records have none."""
    texts = [ids[row].encode(errors="replace") for row in rows.tolist()] if ids else []
    return np.array(texts + [b""] * (count - len(texts)), dtype=bytes)
