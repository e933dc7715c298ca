"""Parquet and Arrow files are rosters like others: their values become the text that a CSV would have."""

import base64
import datetime
import io
import struct
import sys
import uuid
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import pytest
from helpers import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.cli import main
from pprl.core.errors import PprlError, RosterError
from pprl.core.schema_file import load_schema
from pprl.roster.files.read import open_roster, read_roster, read_roster_parts
from pprl.roster.streaming import people_in_parts

EXAMPLE = ROOT / "examples" / "two_files"
DAY, NIGHT = datetime.datetime(1985, 3, 2), datetime.datetime(1985, 3, 1, 21)


def parquet(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def arrow(table: pa.Table, new=pa.ipc.new_file, rows: int | None = None) -> bytes:
    out = io.BytesIO()
    with new(out, table.schema) as file:
        file.write_table(table, max_chunksize=rows)
    return out.getvalue()


def stream(table: pa.Table, rows: int | None = None) -> bytes:
    return arrow(table, pa.ipc.new_stream, rows)


FORMATS = {"Parquet": parquet, "Arrow file": arrow, "Arrow stream": stream}

CELLS = {
    "text": (["007", " Ёж ", None], None, ["007", " Ёж ", ""]),
    "long text": (["007", None], pa.large_string(), ["007", ""]),
    "dictionary": (["a", None, "a"], pa.dictionary(pa.int8(), pa.string()), ["a", "", "a"]),
    "whole numbers": ([7, None, -3], pa.int16(), ["7", "", "-3"]),
    "large numbers": ([2**64 - 1, 0], pa.uint64(), ["18446744073709551615", "0"]),
    "numbers": ([7.0, 2.5, float("nan"), None, 1e20], None, ["7", "2.5", "", "", "1" + 20 * "0"]),
    "short numbers": ([0.1, 7.0], pa.float32(), ["0.1", "7"]),
    "decimals": ([Decimal("12.00"), Decimal("-12.50"), None], None, ["12", "-12.5", ""]),
    "truth": ([True, False, None], None, ["true", "false", ""]),
    "days": ([DAY.date(), datetime.date(1, 1, 1), None], None, ["1985-03-02", "0001-01-01", ""]),
    "days as milliseconds": ([DAY.date(), None], pa.date64(), ["1985-03-02", ""]),
    "times": ([DAY, DAY.replace(hour=9), None], pa.timestamp("us"), ["1985-03-02", "1985-03-02 09:00:00", ""]),
    "times in a zone": ([NIGHT, None], pa.timestamp("us", "Europe/Moscow"), ["1985-03-02", ""]),
    "times in UTC": ([NIGHT, DAY], pa.timestamp("us", "UTC"), ["1985-03-01 21:00:00", "1985-03-02"]),
    "of the day": ([datetime.time(9), datetime.time(9, 0, 0, 500)], None, ["09:00:00", "09:00:00.0005"]),
    "lists": ([["Ёж", "Еж"], [], [None, "", "Ёж"], None], None, ["Ёж; Еж", "", "Ёж", ""]),
    "lists of numbers": ([[1, 2], [3, None]], pa.list_(pa.int64(), 2), ["1; 2", "3"]),
    "nothing": ([None, None], pa.null(), ["", ""]),
}
if hasattr(pa, "uuid"):  # as older versions of the reader have none, it is bytes there
    CELLS["uuid"] = [uuid.UUID(int=2**127 + 5)], pa.uuid(), [str(uuid.UUID(int=2**127 + 5))]


@pytest.mark.parametrize("to_bytes", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(("values", "kind", "texts"), CELLS.values(), ids=CELLS)
def test_cells(tmp_path, to_bytes, values, kind, texts):
    numbers = list(range(1, len(values) + 1))
    path = tmp_path / "roster"
    path.write_bytes(to_bytes(pa.table({"№": numbers, "cell": pa.array(values, kind)})))
    frame = read_roster(path)
    assert frame["cell"].tolist() == texts
    assert frame["№"].tolist() == list(map(str, numbers))
    assert frame.index.tolist() == numbers  # of the table: there is no header row
    assert (frame.index.name, {str(kind) for kind in frame.dtypes}) == ("row", {"object"})
    holds_lists = any(isinstance(value, list) for value in values)
    assert frame.attrs.get("several") == ({"cell": ";"} if holds_lists else None)


@pytest.mark.parametrize("to_bytes", FORMATS.values(), ids=FORMATS)
def test_what_no_person_could_be_compared_by_is_left_out(tmp_path, to_bytes):
    kinds = {
        "photo": pa.array([b"\xff", b"\xfe"]),
        "address": pa.array([{"street": "x"}, None]),
        "lists of lists": pa.array([[["x"]], None]),
        "map": pa.array([[("x", 1)], None], pa.map_(pa.string(), pa.int64())),
        "lasted": pa.array([1, 2], pa.duration("s")),
    }
    path = tmp_path / "roster"
    path.write_bytes(to_bytes(pa.table({"surname": ["Ёж", "Сова"], **kinds, "given\n name": ["Яна", "Ян"]})))
    assert list(read_roster(path)) == ["surname", "given name"]


TABLE = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from(["", " ", "007", "Ёж", "a; b", "1985-03-02"]), min_size=width, max_size=width),
        min_size=1,
        max_size=40,
    )
)


@given(TABLE, st.integers(1, 50), st.integers(1, 50))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_are_the_whole_and_empty_rows_are_none(tmp_path, rows, size, group):
    whole = pd.DataFrame(rows, dtype=object, columns=pd.Index([f"c{i}" for i in range(len(rows[0]))], dtype=object))
    whole.index = pd.RangeIndex(1, len(whole) + 1, name="row")
    whole = whole[[any(map(str.strip, row)) for row in rows]]
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(whole)})
    for data in (parquet(table, row_group_size=group), arrow(table, rows=group), stream(table, rows=group)):
        (tmp_path / "roster").write_bytes(data)
        if not len(whole):
            with pytest.raises(RosterError, match="nothing but empty rows"):
                read_roster(tmp_path / "roster")
            continue
        parts = list(read_roster_parts(tmp_path / "roster", rows=size))
        assert max(map(len, parts)) <= size
        pd.testing.assert_frame_equal(pd.concat(parts), whole, check_index_type=False)
        pd.testing.assert_frame_equal(read_roster(tmp_path / "roster"), whole, check_index_type=False)


def test_a_part_is_there_before_the_next_is_read(tmp_path):
    """The second half of each file is damaged: the rows before it are returned, then the error names the row."""
    names = pa.table({"surname": [f"Ёж{i:05}" for i in range(10_000)]})
    whole = parquet(names, row_group_size=5_000, compression="zstd", use_dictionary=False)
    begin = pq.ParquetFile(io.BytesIO(whole)).metadata.row_group(1).column(0).data_page_offset + 40
    damaged = whole[:begin] + b"\xff" * 200 + whole[begin + 200 :]
    short = stream(names, rows=5_000)[:-1_000]
    for data in (damaged, short):
        (tmp_path / "roster").write_bytes(data)
        parts = open_roster(tmp_path / "roster", rows=5_000).parts()
        assert len(next(parts)) == 5_000
        with pytest.raises(RosterError, match=r"^the roster is damaged after row 5,000$"):
            next(parts)


class Keys(encryption.KmsClient):
    """A key service that protects nothing: it hands the keys out as they are."""

    def __init__(self, _):
        super().__init__()

    def wrap_key(self, key, _):
        return base64.b64encode(key)

    def unwrap_key(self, wrapped, _):
        return base64.b64decode(wrapped)


def encrypted(*, plaintext_footer: bool) -> bytes:
    factory, out = encryption.CryptoFactory(Keys), io.BytesIO()
    how = encryption.EncryptionConfiguration("footer", column_keys={"k": ["a"]}, plaintext_footer=plaintext_footer)
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), how)
    with pq.ParquetWriter(out, ONE.schema, encryption_properties=properties) as writer:
        writer.write_table(ONE)
    return out.getvalue()


def no_text() -> bytes:
    ends, bytes_ = b"\0\0\0\0\2\0\0\0", b"\xff\xfe"
    cell = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(bytes_)])
    return parquet(pa.table({"a": cell}))


def pointing_anywhere() -> bytes:
    """An Arrow file whose text begins far after its end."""
    ends = struct.Struct("<ii")
    return arrow(pa.table({"a": [777 * "x"]})).replace(ends.pack(0, 777), ends.pack(2**30, 2**30 + 777))


ONE = pa.table({"a": ["x"]})
TWICE = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["a", " a"])
REFUSED = {
    "no rows": (parquet(ONE.slice(0, 0)), "the roster has columns and no rows"),
    "no columns": (parquet(pa.table({})), "the roster has no columns"),
    "no column of text": (parquet(pa.table({"a": [b"x"]})), "the roster has no column of text, numbers or dates"),
    "one name twice": (parquet(TWICE), "two columns of the roster are called 'a'"),
    "no name": (parquet(pa.table({"a": ["x"], " ": ["y"]})), "column 2 of the roster has no name"),
    "wider than any": (
        parquet(pa.table({f"{i}": ["x"] for i in range(16_385)})),
        "the roster has more than 16,384 columns",
    ),
    "the beginning only": (parquet(ONE)[:-9], "the roster is not a complete Parquet or Arrow file"),
    "the mark only": (b"PAR1", "the roster is not a complete Parquet or Arrow file"),
    "half of an Arrow file": (arrow(ONE)[:200], "the roster is not a complete Parquet or Arrow file"),
    "encrypted": (encrypted(plaintext_footer=False), "the roster is encrypted"),
    "encrypted columns": (encrypted(plaintext_footer=True), "the roster is encrypted"),
    "no UTF-8": (no_text(), "column 'a' of the roster is damaged"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path, data, message):
    (tmp_path / "roster").write_bytes(data)
    with pytest.raises(RosterError) as refused:
        read_roster(tmp_path / "roster")
    assert str(refused.value) == message
    assert refused.value.hint


def test_an_arrow_file_that_points_anywhere(tmp_path):
    (tmp_path / "roster").write_bytes(pointing_anywhere())
    with pytest.raises(
        RosterError, match=r"damaged|not a complete"
    ):  # some versions of the reader look for that themselves
        read_roster(tmp_path / "roster")


def test_a_null_whose_view_points_anywhere_is_a_null(tmp_path):
    """Nobody checks such a view, since nobody needs it; but what casts views follows it."""
    people = pa.array(["Ежовский Лев Андреевич", None, "Тихая Нина Олеговна"], pa.string_view())
    valid, views, *texts = people.buffers()
    stray = bytearray(views)
    stray[16:32] = struct.pack("<iiii", -(1 << 24), -1, (1 << 24) - 1, 0)
    people = pa.Array.from_buffers(people.type, 3, [valid, pa.py_buffer(bytes(stray)), *texts], 1)
    path = tmp_path / "list.arrow"
    path.write_bytes(arrow(pa.table({"ФИО": people, "дата": ["1.2.1980", "1.3.1980", "1.4.1980"]})))
    assert read_roster(path)["ФИО"].tolist() == ["Ежовский Лев Андреевич", "", "Тихая Нина Олеговна"]


def test_a_zone_that_nobody_knows(tmp_path):
    (tmp_path / "roster").write_bytes(stream(pa.table({"born": pa.array([DAY], pa.timestamp("s", "Moon/Copernicus"))})))
    with pytest.raises(RosterError, match=r"^column 'born': its time zone is unknown$"):
        read_roster(tmp_path / "roster")


def test_without_pyarrow_the_error_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "roster").write_bytes(parquet(ONE))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pprl.roster.files.columnar", raising=False)
    with pytest.raises(PprlError, match="needs the package pyarrow") as refused:
        read_roster(tmp_path / "roster")
    assert refused.value.hint == "pip install 'pprl[parquet]'"
    assert len(read_roster(EXAMPLE / "leaked.csv")) == 120  # and other rosters need none


def as_parquet(name: str, folder: Path, **kinds: pa.DataType) -> Path:
    """A file of the example with real types."""
    frame = read_roster(EXAMPLE / name)
    texts = {header: pa.array(frame[header].replace("", None)) for header in frame}
    path = folder / f"{Path(name).stem}.parquet"
    pq.write_table(pa.table({h: array.cast(kinds.get(h, pa.string())) for h, array in texts.items()}), path)
    return path


def test_the_same_people_from_a_file_and_from_standard_input(tmp_path, monkeypatch, capsys):
    """Row numbers are one lower, since only the CSV has a header row."""
    registry = as_parquet("registry.csv", tmp_path, birth_date=pa.date32())
    schema = load_schema(EXAMPLE / "schema.toml")
    rosters = (people_in_parts(path, schema, "it", rows=90) for path in (EXAMPLE / "registry.csv", registry))
    for from_csv, from_parquet in zip(*rosters, strict=True):
        assert (from_csv.rows - 1).tolist() == from_parquet.rows.tolist()
        assert {name: column.values for name, column in from_csv.columns.items()} == {
            name: column.values for name, column in from_parquet.columns.items()
        }
    printed = []
    for path in (EXAMPLE / "leaked.csv", "-"):
        with as_parquet("leaked.csv", tmp_path).open("rb") as leaked:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(leaked))
            assert main(["check", str(path), "--schema", str(EXAMPLE / "schema.toml")]) == 0
        printed.append(capsys.readouterr())
    assert printed[0] == printed[1]
    assert "120" in printed[0].out
