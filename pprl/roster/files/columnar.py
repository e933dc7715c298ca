"""Parquet and Arrow files to frames of text: these tables describe their own columns.

Values become the text that a CSV would have: text as it is, whole numbers without ``.0``, days as ISO dates, and "" for
null and NaN. No row is a title, a section or a signature here. Each distinct value of a column is converted once per
part, and columns that hold nothing to compare people by are not even read.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.errors import RosterError, needing
from pprl.roster.files.layout import ALL
from pprl.roster.files.limits import MAX_COLUMNS, refuse_long_text, refuse_unpacked
from pprl.roster.files.serials import number_text

with needing("pyarrow", "parquet", "a Parquet or Arrow file"):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from pprl.roster.files import arrow_messages, parquet_pages

BETWEEN = "; "  # the values of a cell that holds a list
_NEEDED = "the file needs columns with names and at least one row of people"
_COPY_AGAIN = "copy it again, or write it again"


class Columnar:
    """A Parquet file, an Arrow file (Feather 2) or an Arrow stream as one table, read again whenever it is iterated.

    Rows are counted from 1, since there is no header row. A Parquet file is read in pieces of its row groups, an Arrow
    file in the batches in which it was written.
    """

    def __init__(self, reopen: Callable[[], BinaryIO], rows: int) -> None:
        self._reopen, self._rows = reopen, rows
        with _refusing_damage(0), reopen() as file:
            schema, _ = _opened(file)
            self._columns = _columns_of(schema)
        self.several = {
            header: BETWEEN.strip() for header, name in self._columns.items() if _is_list(schema.field(name).type)
        }
        if any(key.startswith(b"pprl.") for key in schema.metadata or ()):
            raise RosterError(
                "the roster holds encodings, not a table of people", hint="`pprl convert parquet` gives the file back"
            )

    def headers(self) -> list[str]:
        return list(self._columns)

    def parts(self, most: int = ALL) -> Iterator[pd.DataFrame]:
        """Frames of at most ``most`` rows; empty rows are left out, as in a CSV.

        RosterError: the file is damaged or encrypted, or has no rows.
        """
        most, seen, people = min(most, self._rows), 0, 0
        with _refusing_damage(0), self._reopen() as file:
            _, read = _opened(file)
            batches = read(most, list(self._columns.values()))
        while True:
            with _refusing_damage(seen):
                batch = next(batches, None)
                if batch is None:
                    break
            for top in range(0, batch.num_rows, most):
                frame = self._frame(batch.slice(top, most), seen + 1)
                seen, people = seen + min(most, batch.num_rows - top), people + len(frame)
                if len(frame):
                    yield frame
        if not people:
            what = "holds nothing but empty rows" if seen else "has columns and no rows"
            raise RosterError(f"the roster {what}", hint=_NEEDED)

    def _frame(self, batch: pa.RecordBatch, first: int) -> pd.DataFrame:
        filled = np.zeros(batch.num_rows, dtype=bool)
        columns = []
        for header, name in self._columns.items():
            with _refusing_damage(first - 1, f"column {header!r} of the roster"):
                _refuse_long_views(batch.column(name))
                batch.column(name).validate(full=True)  # text may not be UTF-8, and an Arrow file may point anywhere
                texts, codes = _texts(batch.column(name), header)
            filled |= np.array([bool(text.strip()) for text in texts], dtype=bool)[codes]
            columns.append(np.array(texts, dtype=object)[codes])
        rows = np.arange(first, first + batch.num_rows, dtype=np.int64)
        if not filled.all():
            columns, rows = [column[filled] for column in columns], rows[filled]
        frame = pd.DataFrame(dict(enumerate(columns)), index=pd.Index(rows, name="row"), dtype=object)
        frame.columns = pd.Index(self.headers(), dtype=object)
        return frame


@contextmanager
def _refusing_damage(seen: int, what: str = "") -> Iterator[None]:
    """Turn the reader's errors about a damaged file into ours: with the row, without its text, which may hold cells."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno:
            raise RosterError(f"the roster cannot be read: {error.strerror}", hint=_COPY_AGAIN) from None
        if "crypt" in str(error):
            raise RosterError("the roster is encrypted", hint="decrypt it, and write it as plain Parquet") from None
        if what or seen:
            message = f"{what or 'the roster'} is damaged" + (f" after row {seen:,}" if seen else "")
        else:
            message = "the roster is not a complete Parquet or Arrow file"
        raise RosterError(message, hint=_COPY_AGAIN) from None


Read = Callable[[int, list[str]], Iterator[pa.RecordBatch]]


def _opened(file: BinaryIO) -> tuple[pa.Schema, Read]:
    """The schema of a file, and a function that reads batches of some of its columns."""
    data = pa.py_buffer(
        file.getvalue() if isinstance(file, io.BytesIO) else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    )
    mark = data[:4].to_pybytes()
    if mark in (b"PAR1", b"PARE"):
        return _opened_parquet(data)
    arrow_messages.inspect(memoryview(data).cast("B"))
    if mark == b"ARRO":
        book = pa.ipc.open_file(data)
        return book.schema, lambda _most, _names: map(book.get_batch, range(book.num_record_batches))
    stream = pa.ipc.open_stream(data)
    return stream.schema, lambda _most, _names: iter(stream)


def _opened_parquet(data: pa.Buffer) -> tuple[pa.Schema, Read]:
    """Text is read as indices of distinct values where the file has them, so that none is held more than once."""
    how = {
        "coerce_int96_timestamp_unit": "us",
        "page_checksum_verification": True,
        "thrift_string_size_limit": parquet_pages.MAX_FOOTER,
        "thrift_container_size_limit": parquet_pages.MAX_ITEMS,
    }
    first = pq.ParquetFile(pa.BufferReader(data), **how)
    metadata, schema = first.metadata, first.schema_arrow

    def read(most: int, names: list[str]) -> Iterator[pa.RecordBatch]:
        at_once, plain = parquet_pages.inspect(memoryview(data).cast("B"), names, most)
        leaves = map(metadata.schema.column, range(len(metadata.schema)))
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY" and leaf.path not in plain]
        parquet = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts, metadata=metadata, **how)
        batches: Iterator[pa.RecordBatch] = parquet.iter_batches(at_once, columns=names)
        return batches

    return schema, read


def _columns_of(schema: pa.Schema) -> dict[str, str]:
    """The columns that can be read: header to name."""
    if len(schema) > MAX_COLUMNS:
        raise RosterError(f"the roster has more than {MAX_COLUMNS:,} columns", hint="is it a table of people?")
    headers = [" ".join(name.split()) for name in schema.names]
    seen: set[str] = set()
    for number, header in enumerate(headers, 1):
        if not header:
            raise RosterError(f"column {number} of the roster has no name", hint="give it one, or leave it out")
        if header in seen:
            raise RosterError(f"two columns of the roster are called {header!r}", hint="give them different names")
        seen.add(header)
    columns = {header: field.name for header, field in zip(headers, schema, strict=True) if _is_read(field.type)}
    if not columns:
        what = "no column of text, numbers or dates" if headers else "no columns"
        raise RosterError(f"the roster has {what}", hint=_NEEDED)
    return columns


def _is_read(kind: pa.DataType) -> bool:
    """Text, numbers, dates and times, booleans, and lists of them; not bytes, and nothing else that is nested."""
    if _is_list(kind) or pa.types.is_dictionary(kind):
        inner = kind.value_type
        return not (_is_list(inner) or pa.types.is_null(inner)) and _is_read(inner)
    if isinstance(kind, pa.BaseExtensionType):
        return _is_uuid(kind) or _is_read(kind.storage_type)
    types = pa.types
    plain = (types.is_string, types.is_large_string, types.is_string_view, types.is_integer, types.is_floating)
    others = (types.is_decimal, types.is_boolean, types.is_date, types.is_timestamp, types.is_time, types.is_null)
    return any(holds(kind) for holds in (*plain, *others))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid"


def _texts(array: pa.Array, header: str) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct values of a column as text, and the index of each row's value among them."""
    as_uuid = _is_uuid(array.type)
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if pa.types.is_string_view(array.type):
        array = _without_views_of_nulls(array).cast(pa.large_string())
    if _is_list(array.type):
        array = pa.array(_joined(array, header), pa.large_string())
    elif pa.types.is_decimal(array.type):
        if abs(array.type.scale) > 76:
            raise ValueError("a scale beyond any decimal")
        array = array.cast(pa.decimal256(76, array.type.scale))
    values, codes = _distinct(array)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        refuse_long_text(pc.max(pc.utf8_length(values)).as_py() or 0, f"a cell of column {header!r}")
    texts = [_uuid_text(value.hex()) for value in values.to_pylist()] if as_uuid else _as_text(values, header)
    return [*texts, ""], codes


def _distinct(array: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """The values that occur, and the index of each row's value among them; a null has the index behind the last."""
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
        count = len(array.dictionary)
        return array.dictionary, array.indices.cast(pa.int64()).fill_null(count).to_numpy(zero_copy_only=False)
    indices = array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    used, codes = np.unique(indices, return_inverse=True)
    missing = int(len(used) > 0 and used[0] < 0)
    values = array.dictionary.take(pa.array(used[missing:]))
    return values, np.where(indices < 0, len(values), codes - missing)


def _refuse_long_views(array: pa.Array) -> None:
    """Views of one long text take a few bytes each, and all of it once they are texts of their own."""
    if pa.types.is_string_view(array.type) and len(array):
        lengths = np.frombuffer(array.buffers()[1], "<i4")[::4][array.offset : array.offset + len(array)]
        refuse_long_text(int(lengths.max(initial=0)))
        refuse_unpacked(int(lengths.sum(dtype=np.int64)), array.nbytes)


def _without_views_of_nulls(array: pa.Array) -> pa.Array:
    """What a view says where the value is null is nobody's, may point anywhere, and is followed by a cast."""
    if not array.null_count:
        return array
    valid, views, *texts = array.buffers()
    cleared = np.frombuffer(views, "<u8").reshape(-1, 2).copy()
    cleared[array.offset : array.offset + len(array)][array.is_null().to_numpy(zero_copy_only=False)] = 0
    buffers = [valid, pa.py_buffer(cleared), *texts]
    return pa.Array.from_buffers(array.type, len(array), buffers, array.null_count, array.offset)


def _uuid_text(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _joined(array: pa.Array, header: str) -> list[str]:
    array = array.cast(pa.large_list(array.type.value_type))
    texts, codes = _texts(array.flatten(), header)
    ends = np.cumsum(pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)).tolist()
    lengths = np.concatenate([[0], np.cumsum(np.array([len(text) + len(BETWEEN) for text in texts])[codes])])
    of_cells = np.diff(lengths[[0, *ends]])
    refuse_long_text(int(of_cells.max(initial=0)), f"a cell of column {header!r}")
    refuse_unpacked(int(lengths[-1]), array.nbytes)
    values = [texts[code] for code in codes.tolist()]
    return [BETWEEN.join(filter(str.strip, values[top:end])) for top, end in zip([0, *ends], ends, strict=False)]


def _as_text(values: pa.Array, header: str) -> list[str]:
    """Distinct values as text; null is a value where a column holds nothing else."""
    kind = values.type
    if pa.types.is_floating(kind):
        return ["" if x != x else number_text(x) for x in values.to_numpy()]
    if pa.types.is_decimal(kind):
        plain = (format(value, "f") for value in values.to_pylist())
        return [text.rstrip("0").rstrip(".") if "." in text else text for text in plain]
    if pa.types.is_timestamp(kind):
        values = _on_the_wall(values, header)
    texts: list[str] = values.cast(pa.large_string()).fill_null("").to_pylist()
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        texts = [text.rstrip("0").removesuffix(".") if "." in text else text for text in texts]
        return [text.removesuffix(" 00:00:00") for text in texts]
    return texts


def _on_the_wall(values: pa.Array, header: str) -> pa.Array:
    """Date and time as local clocks showed them in the column's time zone."""
    if values.type.tz in (None, "UTC"):
        return values.cast(pa.timestamp(values.type.unit))
    try:
        return pc.local_timestamp(values)
    except pa.ArrowInvalid:
        raise RosterError(
            f"column {header!r}: its time zone is unknown", hint="write its days as dates, without a time zone"
        ) from None
