"""Encodings and scores as Parquet: other tools compute the same from them, and encodings come back byte for byte."""

import io
import re
import sys
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pprl.cli import main
from pprl.cli.output import check_outputs, write_outputs
from pprl.core.bits import BitMatrix
from pprl.core.encodings import EncodingParameters, Encodings
from pprl.core.errors import FileError, PprlError
from pprl.interop import parquet
from pprl.match.encodings import match_encodings


def encodings_of(rows: int, *, side: str = "registry", length: int = 128) -> Encodings:
    """Encodings of nobody, with arbitrary bits."""
    bytes_ = bytes((7 * i * i + i) % 251 for i in range(rows * length // 8))
    handles = np.frombuffer(b"".join((i * 2**100 + 5).to_bytes(16, "big") for i in range(rows)), dtype="V16")
    parameters = EncodingParameters(
        encodings=(("plain", length),), folding=b"f" * 32, fingerprint=b"s" * 32, key_check=b"k" * 16
    )
    return Encodings(
        side=side,
        parameters=parameters,
        rows_read=rows + 3 if side == "registry" else 0,
        handles=handles,
        bits=BitMatrix(np.frombuffer(bytes_, dtype="<u8").reshape(-1, length // 64)),
    )


@pytest.mark.parametrize("rows", [0, 1, 7, 100])
@pytest.mark.parametrize(("side", "length"), [("list", 64), ("registry", 1024)])
def test_encodings_come_back_byte_for_byte(tmp_path, monkeypatch, rows, side, length):
    """Whatever the size of a row group."""
    monkeypatch.setattr(parquet, "ROWS", 7)
    encodings_of(rows, side=side, length=length).write(tmp_path / "it.pprl")
    for name, other in (("it.pprl", "it.parquet"), ("it.parquet", "again.pprl")):
        assert main(["convert", "parquet", str(tmp_path / name), "-o", str(tmp_path / other)]) == 0
        assert (tmp_path / other).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "again.pprl").read_bytes() == (tmp_path / "it.pprl").read_bytes()


@pytest.mark.parametrize(("threshold", "fewest", "most"), [("0.5", 20, 600), ("1", 0, 0)])
def test_pairs_are_the_same_as_csv_and_as_parquet(tmp_path, monkeypatch, threshold, fewest, most):
    monkeypatch.setattr("pprl.cli.match.PAIRS_AT_ONCE", 7)
    encodings_of(20, side="list").write(tmp_path / "list.pprl")
    theirs = encodings_of(31)
    again = Encodings(
        side="registry",
        parameters=theirs.parameters,
        rows_read=34,
        handles=theirs.handles[20:],
        bits=BitMatrix(theirs.bits.words[20:] ^ np.uint64(1)),
    )
    (again if threshold == "1" else theirs).write(tmp_path / "registry.pprl")
    inputs = [str(tmp_path / "list.pprl"), str(tmp_path / "registry.pprl")]
    for name in ("pairs.csv", "pairs.parquet"):
        assert main(["match", *inputs, "--threshold", threshold, "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    from_csv, from_parquet = pd.read_csv(tmp_path / "pairs.csv"), pd.read_parquet(tmp_path / "pairs.parquet")
    assert fewest <= len(from_csv) <= most
    assert list(from_csv) == list(from_parquet)
    pd.testing.assert_frame_equal(from_csv, from_parquet, atol=5e-7, check_dtype=False)
    kinds = {"handle": "string", "their_handle": "string", "score": "double"}
    kinds_in_file = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "pairs.parquet")}
    assert kinds_in_file == {name: kinds.get(name, "int64") for name in from_csv}
    assert parquet.facts_of(tmp_path / "pairs.parquet")["kind"] == "pairs as Parquet"
    with pytest.raises(FileError, match="contains no encodings"):
        list(parquet.encodings_pieces(tmp_path / "pairs.parquet"))


def test_the_bits_have_the_similarity_of_the_scores(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS", 50)
    ours, theirs = encodings_of(20, side="list"), encodings_of(30)
    scores = match_encodings(ours, theirs, kernel="numpy")
    ours.write(tmp_path / "list.pprl")
    theirs.write(tmp_path / "registry.pprl")
    scores.write(tmp_path / "scores.pprl")
    frames = {}
    for name in ("list", "registry", "scores"):
        paths = [str(tmp_path / f"{name}.{kind}") for kind in ("pprl", "parquet")]
        assert main(["convert", "parquet", paths[0], "-o", paths[1]]) == 0
        frames[name] = pd.read_parquet(paths[1])
    bits = {name: frames[name].set_index("handle")["bits"].map(lambda cell: int.from_bytes(cell)) for name in
            ("list", "registry")}  # fmt: skip
    table = frames["scores"]
    assert len(table) == int((scores.total > 0).sum()) > 200
    for pair in table.itertuples():
        one, other = bits["list"][pair.list_handle], bits["registry"][pair.registry_handle]
        assert pair.common == (one & other).bit_count()
        assert pair.total == one.bit_count() + other.bit_count()
        assert pair.dice == 2 * pair.common / pair.total
    best = table[table["rank"] == 1]
    assert best.list_handle.tolist() == [handle.tobytes().hex() for handle in scores.handles]
    assert best.dice.tolist() == scores.dice()[:, 0].tolist()


ROWS = encodings_of(9)


def table(**changes: object) -> pa.Table:
    """The exported table with some columns or facts changed; a fact that is None is left out."""
    whole = pq.read_table(io.BytesIO(b"".join(parquet.encodings_parquet(ROWS))))
    facts = {key: value for key, value in whole.schema.metadata.items() if key.startswith(b"pprl.")}
    columns = {name: changes.pop(name, whole[name]) for name in ("handle", "bits")}
    for key, value in changes.items():
        facts[f"pprl.{key}".encode()] = value
    metadata = {key: value for key, value in facts.items() if value is not None}
    return pa.table({name: column for name, column in columns.items() if column is not None}).replace_schema_metadata(
        metadata
    )


HANDLES = [handle.tobytes().hex() for handle in ROWS.handles]
BITS = [words.tobytes() for words in ROWS.bits.words]
WRONG = {
    "no metadata": (table().replace_schema_metadata({}), "the metadata of the Parquet file do not say how it was made"),
    "another format": (table(format="1"), "it.parquet: pprl.format is '1'; this version reads format 2"),
    "scores": (table(kind="scores"), "it.parquet: contains no encodings"),
    "what a terminal would obey": (table(kind="\x1b[2J"), "it.parquet: its metadata contain what pprl never writes"),
    "no length": (table(length=None), "it.parquet: pprl.length in its metadata is not a number, or out of range"),
    "a vast length": (table(length="65600"), "it.parquet: pprl.length in its metadata is not a number, or out of"),
    "an odd length": (table(length="100"), "it.parquet: has encodings of 100 bits, which the parameter set 'plain'"),
    "another length": (table(length="64"), "it.parquet: column bits does not have 64 bits, as pprl.length says"),
    "no side": (table(side="unit"), "it.parquet: pprl.side in its metadata is neither list nor registry"),
    "half a key check": (table(key_check="00"), "it.parquet: pprl.key_check in its metadata is not 32 hexadecimal"),
    "no fingerprint": (table(schema_fingerprint=None), "it.parquet: pprl.schema_fingerprint in its metadata is not 64"),
    "fewer read than rows": (table(rows_read="8"), "it.parquet: pprl.rows_read does not fit 9 rows of a registry"),
    "a list with rows": (table(side="list"), "it.parquet: pprl.rows_read does not fit 9 rows of a list"),
    "no column of bits": (table(bits=None), "it.parquet: its columns are not handle and bits"),
    "handles as bytes": (
        table(handle=pa.array([bytes.fromhex(handle) for handle in HANDLES])),
        "it.parquet: column handle is not text",
    ),
    "a handle of capitals": (
        table(handle=[*HANDLES[:4], "A" * 32, *HANDLES[5:]]),
        "it.parquet: row 5 has no handle of 32 hexadecimal digits",
    ),
    "a handle missing": (table(handle=[*HANDLES[:8], None]), "it.parquet: row 9 has no handle of 32 hexadecimal digit"),
    "one handle twice": (
        table(handle=[*HANDLES[:8], HANDLES[2]]),
        "it.parquet: row 9 has the handle of an earlier row",
    ),
    "bits missing": (table(bits=[*BITS[:3], None, *BITS[4:]]), "it.parquet: row 4 does not have 128 bits"),
    "a bit too few": (table(bits=[*BITS[:3], BITS[3][1:], *BITS[4:]]), "it.parquet: row 4 does not have 128 bits"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_is_refused_by_row_or_column(tmp_path, wrong, message, capsys):
    pq.write_table(wrong, tmp_path / "it.parquet", row_group_size=4)
    assert main(["convert", "parquet", str(tmp_path / "it.parquet"), "-o", str(tmp_path / "it.pprl")]) == 1
    assert capsys.readouterr().err.startswith(f"pprl: error: {message}")
    assert [path.name for path in tmp_path.iterdir()] == ["it.parquet"]


def test_a_column_of_any_length_is_accepted_if_its_values_fit(tmp_path):
    """As DuckDB writes them."""
    pq.write_table(table(bits=pa.array(BITS, pa.large_binary())), tmp_path / "it.parquet")
    ROWS.write(tmp_path / "it.pprl")
    assert b"".join(parquet.encodings_pieces(tmp_path / "it.parquet")) == (tmp_path / "it.pprl").read_bytes()


def test_an_incomplete_file(tmp_path):
    whole = b"".join(parquet.encodings_parquet(ROWS))
    for data in (whole[:-9], whole[:400] + whole[:4], whole[:4]):
        (tmp_path / "it.parquet").write_bytes(data)
        with pytest.raises(FileError, match=re.escape("it.parquet: is not a complete Parquet file")):
            list(parquet.encodings_pieces(tmp_path / "it.parquet"))


def test_a_flipped_bit(tmp_path):
    whole = bytearray(b"".join(parquet.encodings_parquet(ROWS)))
    whole[whole.index(BITS[4]) + 3] ^= 4
    (tmp_path / "it.parquet").write_bytes(whole)
    with pytest.raises(FileError, match="not a complete Parquet file"):
        list(parquet.encodings_pieces(tmp_path / "it.parquet"))


def test_handles_with_the_same_beginning_are_distinct(tmp_path):
    similar = [f"{'0' * 16}{number:016x}" for number in range(9)]
    pq.write_table(table(handle=similar), tmp_path / "it.parquet")
    assert sum(map(len, parquet.encodings_pieces(tmp_path / "it.parquet"))) > 9 * 32


def test_no_file_is_overwritten_unless_asked_and_never_an_input(tmp_path, capsys):
    path, other = tmp_path / "it.pprl", tmp_path / "it.parquet"
    ROWS.write(path)
    before = path.read_bytes()
    assert main(["convert", "parquet", str(path), "-o", str(path), "--force"]) == 1
    assert path.read_bytes() == before
    other.write_text("something")
    assert main(["convert", "parquet", str(path), "-o", str(other)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert other.read_text() == "something"
    assert main(["convert", "parquet", str(path), "-o", str(other), "--force"]) == 0


def test_pairs_by_the_ending_of_their_file(tmp_path):
    pairs = pd.DataFrame({"list_row": [2, 4], "list_id": ["=1+1", "Ёж"], "score": [0.5, 1.0]})
    pairs["registry_row"] = pd.array([7, None], "Int64")
    assessment = types.SimpleNamespace(pairs=pairs)
    for name in ("pairs.csv", "pairs.parquet", "other.PARQUET"):
        write_outputs(assessment, tmp_path / name, None, force=False)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pairs.csv").read_bytes().startswith(b"list_row,list_id,score,registry_row\n2,'=1+1,0.5,7\n4,")
    for name in ("pairs.parquet", "other.PARQUET"):
        table = pq.read_table(tmp_path / name).to_pydict()
        assert table == {"list_row": [2, 4], "list_id": ["=1+1", "Ёж"], "score": [0.5, 1.0], "registry_row": [7, None]}


def test_without_pyarrow_the_error_says_what_to_install(tmp_path, monkeypatch, capsys):
    ROWS.write(tmp_path / "it.pprl")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pprl.interop.parquet")
    monkeypatch.delattr("pprl.interop.parquet")
    assert main(["convert", "parquet", str(tmp_path / "it.pprl"), "-o", str(tmp_path / "it.parquet")]) == 1
    assert "pip install 'pprl[parquet]'" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "it.pprl")]) == 0
    with pytest.raises(PprlError, match="a Parquet file needs the package pyarrow"):
        check_outputs(tmp_path / "pairs.parquet", None, as_json=False, force=False)
    check_outputs(tmp_path / "pairs.csv", None, as_json=False, force=False)
