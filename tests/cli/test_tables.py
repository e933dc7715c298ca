"""Pairs as CSV, XLSX, Parquet and FollowTheMoney, by the ending of the name, and what a spreadsheet does with them."""

import csv
import io
import json
import shutil

import openpyxl
import pandas as pd
import pytest
from helpers import EXAMPLES
from helpers.sessions import run
from hypothesis import given
from hypothesis import strategies as st

from pprl.core.errors import PprlError
from pprl.core.tables import FORMULA_MARKS, csv_bytes, guarded, xlsx_bytes

LINK = "pprl link leaked.csv registry.csv --schema schema.toml --seed 7 --no-ledger --list-id № --registry-id id"
NASTY = ["=1+1", "+7", "-7", "@SUM(A1)", "\tx", "\rx", "＝1", "'=1", "007", "O'Neil", "", "http://x.example", "1e5"]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (EXAMPLES / "two_files").glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_pairs_are_the_same_in_every_format(desk):
    for ending in ("csv", "xlsx", "parquet", "json"):
        assert run(f"{LINK} --pairs pairs.{ending}")[-1] != "[exit 1]"
        assert (desk / f"pairs.{ending}").stat().st_mode & 0o777 == 0o600
    from_csv = pd.read_csv(desk / "pairs.csv", dtype={"list_id": str})
    from_xlsx = pd.read_excel(desk / "pairs.xlsx", dtype={"list_id": str})
    assert len(from_csv) > 20
    pd.testing.assert_frame_equal(from_csv, from_xlsx)
    pd.testing.assert_frame_equal(from_csv, pd.read_parquet(desk / "pairs.parquet"), check_dtype=False)
    entities = [json.loads(line) for line in (desk / "pairs.json").read_text(encoding="utf-8").splitlines()]
    assert sum(entity["schema"] == "Similar" for entity in entities) == len(from_csv)


def test_the_same_run_writes_the_same_workbook(desk):
    for name in ("one.xlsx", "two.xlsx"):
        run(f"{LINK} --pairs {name}")
    assert (desk / "one.xlsx").read_bytes() == (desk / "two.xlsx").read_bytes()


@pytest.mark.parametrize("name", ["pairs", "pairs.txt", "pairs.xls", "pairs.ods", "pairs.jsonl", "pairs.csv.gz"])
def test_another_ending_is_refused_before_anything_is_read(desk, name):
    (desk / "leaked.csv").unlink()
    *_, error, _, status = run(f"{LINK} --pairs {name}")
    assert error == "pprl: error: --pairs writes .csv, .xlsx, .parquet or .json, by the ending of its name"
    assert status == "[exit 2]"


def test_a_workbook_holds_texts_as_texts():
    table = {"list_row": list(range(len(NASTY))), "list_id": NASTY, "score": [0.5] * len(NASTY)}
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([table]))).active
    rows = list(sheet.iter_rows(min_row=2))
    assert [(row[1].value or "").replace("_x000D_", "\r") for row in rows] == NASTY  # as Excel reads it
    assert {row[1].data_type for row in rows if row[1].value} == {"s"}
    assert {row[2].value for row in rows} == {0.5}
    assert sheet.freeze_panes == "A2"
    assert all(cell.hyperlink is None for row in rows for cell in row)


def test_a_table_in_parts_is_one_table():
    parts = [{"a": [1, 2], "b": ["x", None]}, {"a": [3], "b": ["z"]}]
    rows = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(parts))).active.iter_rows(values_only=True)
    assert list(rows) == [("a", "b"), (1, "x"), (2, None), (3, "z")]


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch):
    monkeypatch.setattr("pprl.core.tables.MOST_XLSX_ROWS", 3)
    xlsx_bytes([{"a": [1, 2, 3]}])
    with pytest.raises(PprlError, match="a sheet holds 3 rows") as refusal:
        xlsx_bytes([{"a": [1, 2]}, {"a": [3, 4]}])
    assert ".csv or .parquet" in refusal.value.hint


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00") | st.sampled_from("=+-@'\t"))))
def test_no_text_of_a_csv_is_a_formula_and_the_guard_comes_off_again(texts):
    rows = list(csv.reader(io.StringIO(csv_bytes({"number": [-1.5] * len(texts), "text": texts}).decode(), newline="")))
    assert rows[0] == ["number", "text"]
    assert csv_bytes({"=now()": []}) == b"'=now()\n"
    for text, (number, cell) in zip(texts, rows[1:], strict=True):
        assert number == "-1.5"
        assert not cell.startswith(FORMULA_MARKS)
        assert text == (cell[1:] if cell != text else cell)
        assert cell == guarded(text)
