"""What is known of people beside the linked fields: strata, confirm fields, decades, how full a row is, ids."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.private_rows import Label
from pprl.core.schema import Field, Schema
from pprl.roster.people import MISSING, People


def labels_of(people: People, schema: Schema) -> tuple[Label, ...]:
    """What is known of people beside the linked fields, and the decade of their birth."""
    labels = [
        Label(
            name=field.name,
            type=field.type,
            role=field.role,
            values=people.columns[field.name].values,
            codes=people.columns[field.name].codes,
        )
        for field in schema.fields
        if field.role != "link" and len(people.columns[field.name].values)
    ]
    for field in schema.linked():
        if field.type in ("date", "year") and not any(label.role == "decade" for label in labels):
            column = people.columns[field.name]
            numbers = {decade: at for at, decade in enumerate(dict.fromkeys(value[:3] for value in column.values))}
            of = np.array([numbers[value[:3]] for value in column.values] + [MISSING], dtype=np.int32)
            labels.append(
                Label(name="decade", type="year", role="decade", values=tuple(numbers), codes=of[column.codes])
            )
    codes, distinct = pd.factorize(np.array(filled_shapes(people, schema), dtype=object))
    labels.append(
        Label(name="filled", type="text", role="filled", values=tuple(map(str, distinct)), codes=codes.astype(np.int32))
    )
    return tuple(labels)


def filled_shapes(people: People, schema: Schema) -> list[str]:
    """Of each row how full its linked fields are, a digit for each in the order of the schema."""
    return ["".join(each) for each in zip(*(_how_full(people, field) for field in schema.linked()), strict=True)]


def _how_full(people: People, field: Field) -> list[str]:
    """Of each row: 0 nothing, 1 an initial or part of a date, 2 the whole."""
    column = people.columns[field.name]

    def full(value: str) -> str:
        part = len(value) < len("1985-03-12") if field.type == "date" else value.endswith(".")
        return "1" if part else "2"

    of = [*map(full, column.values), "0"]
    return [of[code] for code in column.codes.tolist()]


def id_bytes(ids: Mapping[int, str], rows: NDArray[np.int64], count: int) -> NDArray[np.bytes_]:
    texts = [ids[row].encode(errors="replace") for row in rows.tolist()] if ids else []
    return np.array(texts + [b""] * (count - len(texts)), dtype=bytes)
