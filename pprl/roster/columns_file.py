"""What the owner of a roster knows about its columns, passed in Python or written in a columns file (TOML)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pprl.core.errors import SchemaError
from pprl.core.schema import Schema
from pprl.core.schema_file import read_text, read_toml
from pprl.normalize.dates import Order

HINT = 'write lines such as surname = "HEADER" under [columns]; `pprl schema` writes such files'


@dataclass(frozen=True)
class Columns:
    """Headers, date orders and separators, each by the name of a field.

    ``orders`` settle dates whose order the cells leave open; ``order`` is one for all dates and overrides them.
    ``separators`` separate the values of
    fields whose cells hold several. ``birth_date.year`` may name a column of years that fills the field ``birth_date``
    where it is missing.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)
    separators: Mapping[str, str] = field(default_factory=dict)
    order: Order | None = None

    def orders_for(self, schema: Schema) -> Mapping[str, Order]:
        """The known order of each field of dates."""
        if self.order is None:
            return self.orders
        return dict.fromkeys((entry.name for entry in schema.fields if entry.type == "date"), self.order)


ColumnsLike = Columns | Mapping[str, str] | Path | str | None  # headers by field, or the path of a columns file


def as_columns(columns: ColumnsLike) -> Columns:
    """Headers by field, or the path of a columns file, as `Columns`."""
    if isinstance(columns, Columns):
        return columns
    if isinstance(columns, Path | str):
        return read_columns_file(Path(columns))
    return Columns(columns or {})


def read_columns_file(path: Path) -> Columns:
    """``[columns]`` FIELD = "HEADER", ``[date_order]`` FIELD = "dmy", "mdy" or "ymd", ``[several]`` FIELD = ";".

    SchemaError: the file cannot be read or holds something else.
    """
    try:
        data = read_toml(read_text(path, "the columns file", HINT), "the columns file")
    except SchemaError as error:
        raise SchemaError(str(error), hint=HINT) from None
    headers, orders, separators = (data.get(name, {}) for name in ("columns", "date_order", "several"))
    unknown = data.keys() - {"format", "columns", "date_order", "several"}
    if unknown or not all(isinstance(table, dict) for table in (headers, orders, separators)):
        raise SchemaError("the columns file may hold only [columns], [date_order] and [several]", hint=HINT)
    if not all(isinstance(header, str) for header in headers.values()):
        raise SchemaError("the columns file has something other than text in [columns]", hint=HINT)
    if not all(order in ("dmy", "mdy", "ymd") for order in orders.values()):
        raise SchemaError(
            "the columns file has an unknown order in [date_order]", hint='an order is "dmy", "mdy" or "ymd"'
        )
    if not all(isinstance(separator, str) and separator for separator in separators.values()):
        raise SchemaError(
            "the columns file has something other than text in [several]",
            hint='write what separates the values of a cell, say full_name = ";"',
        )
    return Columns(headers, orders, separators)
