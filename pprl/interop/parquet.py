"""Encodings, scores and pairs as Parquet, for DuckDB, Spark and data frames; and encodings back from it.

Encodings have a column ``handle``, 32 hexadecimal digits as in the CSV of pairs, and a column ``bits``, with as many
bytes as the file of encodings has for each row. Scores are a long table, one row for each candidate. The file's
metadata say how they were made, under keys that begin with ``pprl.``; converting encodings back gives the same file,
byte for byte.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.bits import MAX_LENGTH, Words
from pprl.core.encodings import REGISTRY_DECOYS, EncodingParameters, Encodings, Side, checked_set, decoys_of_registry
from pprl.core.errors import FileError, needing
from pprl.core.scores import Scores

with needing("pyarrow", "parquet", "a Parquet file"):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

FORMAT = "2"
ROWS = 1 << 17  # in a row group: 20 MB at 1,024 bits
HINT = "`pprl convert parquet FILE.pprl` writes such files"
_SIZES = {"schema_fingerprint": 32, "folding_tables": 32, "key_check": 16}  # bytes, in hexadecimal digits
_PREFIX = "pprl."
PAIRS = {"handle": pa.string(), "their_handle": pa.string(), "score": pa.float64()}  # the rest are whole numbers


def encodings_parquet(encodings: Encodings) -> Iterator[bytes]:
    """The Parquet file of encodings, piece by piece; rows keep their order."""
    size = encodings.parameters.length // 8
    schema = pa.schema([pa.field("handle", pa.string(), False), pa.field("bits", pa.binary(size), False)])
    decoys = encodings.decoys
    facts = {"kind": "encodings", "side": encodings.side, "rows_read": encodings.rows_read}
    facts |= {"decoys": 0 if decoys is None else len(decoys)}

    def table(handles: NDArray[np.void], words: Words) -> pa.Table:
        buffer = pa.py_buffer(words.tobytes())
        bits = pa.Array.from_buffers(pa.binary(size), len(handles), [None, buffer])
        return pa.Table.from_arrays([pa.array(_hex(handles), pa.string()), bits], schema=schema)

    def tables() -> Iterator[pa.Table]:
        if decoys is not None:
            yield table(decoys.handles(), decoys.bits.words)
        for top in range(0, len(encodings), ROWS):
            rows = slice(top, top + ROWS)
            yield table(encodings.handles[rows], encodings.bits.words[rows])

    return _written(schema, facts | _facts(encodings.parameters), tables())


def scores_parquet(scores: Scores) -> Iterator[bytes]:
    """The Parquet file of scores: the candidates of each row of the list; the best has rank 1."""
    kinds = {"list_handle": pa.string(), "registry_handle": pa.string(), "rank": pa.uint8()}
    kinds |= {"common": pa.uint32(), "total": pa.uint32(), "dice": pa.float64()}
    schema = pa.schema([pa.field(name, kind, False) for name, kind in kinds.items()])
    counts = {"list_rows": len(scores), "registry_read": scores.registry_read}
    facts = {"kind": "scores", **counts, "registry_encoded": scores.registry_encoded, "kernel": scores.kernel}

    def tables() -> Iterator[pa.Table]:
        rows_at_once = ROWS // scores.total.shape[1]
        dice = scores.dice()
        for top in range(0, len(scores), rows_at_once):
            rows, ranks = np.nonzero(scores.total[top : top + rows_at_once])
            rows = rows + top
            columns = [
                pa.array(_hex(scores.handles[rows]), pa.string()),
                pa.array(_hex(scores.theirs[rows, ranks]), pa.string()),
                pa.array((ranks + 1).astype(np.uint8)),
                *(pa.array(values[rows, ranks]) for values in (scores.common, scores.total, dice)),
            ]
            yield pa.Table.from_arrays(columns, schema=schema)

    return _written(schema, facts | _facts(scores.parameters), tables())


def pairs_parquet(parts: Iterator[Mapping[str, Sequence[int | float | str]]]) -> Iterator[bytes]:
    """The Parquet file of pairs: all parts have the same columns, with the types of `PAIRS`; there is at least one
    part, which may be empty."""
    first = next(parts)
    schema = pa.schema([pa.field(name, PAIRS.get(name, pa.int64()), False) for name in first])
    tables = (pa.table(dict(part), schema=schema) for part in itertools.chain([first], parts))
    return _written(schema, {"kind": "pairs"}, (table for table in tables if len(table)))


def facts_of(path: Path) -> dict[str, str | int]:
    """What one of these files says about itself, as ``pprl inspect`` shows it.

    FileError: it is not such a file, or incomplete.
    """
    with _refusing_damage(path.name):
        texts = _metadata(_opened(path).schema_arrow, path.name)
    facts = {key: int(text) if text.isdecimal() and len(text) < 20 else text for key, text in texts.items()}
    return facts | {"kind": f"{texts.get('kind')} as Parquet"}


def encodings_pieces(path: Path) -> Iterator[bytes]:
    """The file of encodings that a Parquet file was made from, piece by piece.

    FileError: a column or an entry of the metadata is missing or of another kind; a row has no handle, that of another
    row, or bits of another length, and is named by its number.
    """
    name = path.name
    with _refusing_damage(name):
        parquet = _opened(path)
        facts = _metadata(parquet.schema_arrow, name)
    parameters, side, rows_read, decoys = _parameters_of(facts, name)
    rows, size = int(parquet.metadata.num_rows), parameters.length // 8
    _check_columns(parquet.schema_arrow, size, name)
    if decoys > (decoys_of_registry(rows - decoys) if side == "registry" and decoys <= rows else 0):
        raise FileError(f"{name}: pprl.decoys does not fit {rows:,} rows of a {side}", hint=HINT)
    if (rows_read < rows - decoys) if side == "registry" else rows_read:
        raise FileError(f"{name}: pprl.rows_read does not fit {rows:,} rows of a {side}", hint=HINT)
    yield Encodings.start(side, parameters, rows - decoys, rows_read, decoys)
    seen: list[NDArray[np.void]] = [np.empty(0, dtype="V16")]
    done, batches = 0, parquet.iter_batches(ROWS, columns=["handle", "bits"])
    while True:
        with _refusing_damage(name, done):
            batch = next(batches, None)
            if batch is None:
                break
            batch.validate(full=True)
        handles, bits = batch.column("handle"), batch.column("bits")
        valid = pc.match_substring_regex(handles.cast(pa.string()), "^[0-9a-f]{32}$")
        _refuse_any(valid, done, name, "has no handle of 32 hexadecimal digits")
        fits = pc.equal(pc.binary_length(bits.cast(pa.large_binary())), size)
        _refuse_any(fits, done, name, f"does not have {parameters.length:,} bits")
        seen.append(np.frombuffer(bytes.fromhex("".join(handles.to_pylist())), dtype="V16"))
        words = np.frombuffer(b"".join(bits.to_pylist()), dtype="<u8").reshape(-1, parameters.length // 64)
        yield Encodings.records(seen[-1], words)
        done += len(batch)
    if done != rows:
        raise FileError(f"{name}: has {done:,} rows, and its metadata say {rows:,}", hint=HINT)
    _refuse_repeated(np.concatenate(seen), name)


def _opened(path: Path) -> pq.ParquetFile:
    data = pa.py_buffer(container.mapped_bytes(path))
    return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)


def _hex(handles: NDArray[np.void]) -> list[str]:
    digits = handles.tobytes().hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def _facts(parameters: EncodingParameters) -> dict[str, object]:
    checks = {
        "schema_fingerprint": parameters.fingerprint,
        "folding_tables": parameters.folding,
        "key_check": parameters.key_check,
    }
    return {"length": parameters.length, "hardening": parameters.hardening} | {
        name: data.hex() for name, data in checks.items()
    }


class _Sink(io.RawIOBase):
    """A file that can only be appended to, and whose content is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._size += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._size

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _written(schema: pa.Schema, facts: Mapping[str, object], tables: Iterator[pa.Table]) -> Iterator[bytes]:
    metadata = {f"{_PREFIX}{name}": str(value) for name, value in {"format": FORMAT, **facts}.items()}
    sink = _Sink()
    options = {"compression": "zstd", "use_dictionary": False, "write_page_checksum": True}
    with pq.ParquetWriter(sink, schema.with_metadata(metadata), **options) as writer:
        for table in tables:
            writer.write_table(table.replace_schema_metadata(metadata), row_group_size=len(table))
            yield sink.take()
    yield sink.take()


@contextmanager
def _refusing_damage(name: str, seen: int = 0) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        what = f"is damaged after row {seen:,}" if seen else "is not a complete Parquet file"
        raise FileError(f"{name}: {what}", hint="ask the sender for the file again") from None


def _metadata(schema: pa.Schema, name: str) -> dict[str, str]:
    texts = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    facts = {key.removeprefix(_PREFIX): text for key, text in texts.items() if key.startswith(_PREFIX)}
    if "format" not in facts:  # it may be a roster, so its name is not shown
        raise FileError("the metadata of the Parquet file do not say how it was made", hint=HINT)
    if not all(text.isascii() and text.isprintable() for text in (*facts, *facts.values())):  # they are shown
        raise FileError(f"{name}: its metadata contain what pprl never writes", hint=HINT)
    if (version := facts.pop("format")) != FORMAT:
        raise FileError(f"{name}: pprl.format is {version[:9]!r}; this version reads format {FORMAT}")
    return facts


def _parameters_of(facts: Mapping[str, str], name: str) -> tuple[EncodingParameters, Side, int, int]:
    if facts.get("kind") != "encodings":
        hint = "scores and pairs cannot be converted back: keep the original file"
        raise FileError(f"{name}: contains no encodings", hint=hint)
    numbers, checks = {}, {}
    for key, most in (("length", MAX_LENGTH), ("rows_read", 2**63 - 1), ("decoys", REGISTRY_DECOYS)):
        text = facts.get(key, "")
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
            raise FileError(f"{name}: pprl.{key} in its metadata is not a number, or out of range", hint=HINT)
        numbers[key] = int(text)
    for key, size in _SIZES.items():
        try:
            checks[key] = bytes.fromhex(facts.get(key, ""))
        except ValueError:
            checks[key] = b""
        if len(checks[key]) != size:
            raise FileError(f"{name}: pprl.{key} in its metadata is not {2 * size} hexadecimal digits", hint=HINT)
    length, side = numbers["length"], next((side for side in Encodings.SIDES if side == facts.get("side")), None)
    if side is None:
        raise FileError(f"{name}: pprl.side in its metadata is neither list nor registry", hint=HINT)
    parameters = EncodingParameters(
        encodings=((checked_set(facts.get("hardening", ""), length, name), length),),
        folding=checks["folding_tables"],
        fingerprint=checks["schema_fingerprint"],
        key_check=checks["key_check"],
    )
    return parameters, side, numbers["rows_read"], numbers["decoys"]


def _check_columns(schema: pa.Schema, size: int, name: str) -> None:
    if sorted(schema.names) != ["bits", "handle"]:
        raise FileError(f"{name}: its columns are not handle and bits", hint="select these two and nothing else")
    handle, bits = schema.field("handle").type, schema.field("bits").type
    if not (pa.types.is_string(handle) or pa.types.is_large_string(handle)):
        raise FileError(f"{name}: column handle is not text", hint=HINT)
    any_size = pa.types.is_binary(bits) or pa.types.is_large_binary(bits)  # as DuckDB writes them
    if not any_size and bits != pa.binary(size):
        raise FileError(f"{name}: column bits does not have {8 * size:,} bits, as pprl.length says", hint=HINT)


def _refuse_any(valid: pa.Array, before: int, name: str, problem: str) -> None:
    wrong = np.flatnonzero(~valid.fill_null(False).to_numpy(zero_copy_only=False))
    if len(wrong):
        raise FileError(f"{name}: row {before + int(wrong[0]) + 1:,} {problem}", hint=HINT)


def _refuse_repeated(handles: NDArray[np.void], name: str) -> None:
    halves = np.sort(handles.view("<u8")[::2])  # handles are random, so unequal halves mean unequal handles
    if (halves[1:] == halves[:-1]).any():
        _, firsts = np.unique(handles, return_index=True)
        repeated = np.setdiff1d(np.arange(len(handles)), firsts)
        if len(repeated):
            raise FileError(f"{name}: row {repeated[0] + 1:,} has the handle of an earlier row", hint=HINT)
