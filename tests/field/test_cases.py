"""Nineteen rosters with one fault each: nobody is lost in silence, and nothing is read as what it is not.

`cases/*/expect.md` says what is wrong with the file, and which public report describes the fault.
"""

import json

import pytest
from helpers import TESTS
from helpers.sessions import run

CASES = TESTS / "field" / "cases"


@pytest.fixture
def at(monkeypatch):
    return lambda name: monkeypatch.chdir(next(CASES.glob(f"{name}-*")))


def link(*, list_name="list.csv"):
    """What `pprl link` prints as JSON, and the lines beside it."""
    lines = run(f"pprl link {list_name} registry.csv --schema schema.toml --seed 3 --no-ledger --threads 1 --json")
    assert lines[-1].startswith("{"), lines
    return json.loads(lines[-1]), "\n".join(lines[:-1])


@pytest.fixture(scope="module")
def clean():
    """What is found with the people of these lists where nothing is wrong with the file."""
    clean = next(CASES.glob("07-*")) / "list.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(next(CASES.glob("01-*")))
        result, _ = link(list_name=str(clean))
    assert result["people"] == 60
    return result["found"]


def check(*, list_name="list.csv"):
    lines = run(f"pprl check {list_name} --schema schema.toml --seed 3 --json")
    assert lines[-1].startswith("{"), lines
    return json.loads(lines[-1]), "\n".join(lines[:-1])


def refusal(command):
    """The sentence and the hint of a command that refuses."""
    lines = run(command)
    assert lines[-1] == "[exit 1]", lines
    return "\n".join(lines[:-1])


def classes(result):
    return {entry["rows"]: entry["people"] for entry in result["classes"]}


def left_out(result, field):
    return {entry["reason"]: entry["rows"] for entry in result["left_out"] if entry["field"] == field}


def test_an_unclosed_quotation_mark_swallows_nobody(at, clean):
    at("01")
    result, lines = link()
    assert result["people"] == 60
    assert result["found"] == clean
    assert "row 11" in lines


def test_commas_in_cells_do_not_make_the_comma_the_delimiter(at, clean):
    at("03")
    result, _ = link()
    assert result["found"] == clean


def test_code_letters_are_no_patronymics_and_displace_no_whole_names(at, clean):
    at("05")
    result, lines = link()
    assert "Группа учёта" not in lines
    assert result["found"] == clean


def test_no_number_on_both_sides_confirms_nothing(at):
    at("07")
    result, _ = link()
    (number,) = result["confirm"]
    assert number["compared"] < 30
    assert number["agree"] == 0


def test_numbers_cut_by_a_spreadsheet_are_not_compared(at):
    at("09")
    result, lines = link()
    assert not any(entry["compared"] for entry in result["confirm"])
    assert "digits lost in a spreadsheet" in lines


def test_words_for_nothing_are_not_patronymics(at):
    at("10")
    result, lines = check()
    assert sum(map(len, left_out(result, "patronymic").values())) == 60
    assert "patronymic" in lines  # nothing to read for it


def test_a_file_in_two_encodings_loses_nobody(at, clean):
    at("12")
    result, lines = link()
    assert result["found"] == clean
    assert "row 56" in lines


def test_garbled_rows_are_mended_and_named(at, clean):
    at("13")
    result, lines = link()
    assert result["found"] == clean
    assert "row 2" in lines


def test_greek_is_never_read_as_cyrillic(at):
    at("15")
    result, _ = check()
    assert classes(result) == {"whole name, whole date": 30}


def test_names_in_an_alphabet_are_read_or_named(at):
    at("17")
    result, _ = check()
    assert classes(result) == {"whole name, whole date": 60}


def test_armenian_letter_pairs_are_one_sound(at):
    at("19")
    result, _ = link()
    assert 38 <= result["found"]["count"] <= 42


def test_midnight_written_in_another_time_zone_is_said(at):
    at("21")
    _, lines = check()
    assert "21:00" in lines


def test_of_every_date_at_least_the_year_is_kept(at):
    at("23")
    result, _ = check()
    assert not left_out(result, "birth_date")
    assert "whole name, no date" not in classes(result)


def test_escapes_of_a_workbook_are_no_letters(at, clean):
    at("24")
    result, _ = link(list_name="list.xlsx")
    assert result["found"] == clean


def test_errors_of_a_spreadsheet_are_no_names(at):
    at("26")
    result, _ = check(list_name="list.xlsx")
    reasons = left_out(result, "patronymic")
    assert [len(rows) for reason, rows in reasons.items() if "spreadsheet" in reason] == [40]


@pytest.mark.parametrize("case", ["27", "28"])
def test_repeated_headers_are_no_people(at, case):
    at(case)
    result, _ = check()
    assert (result["rows"], result["people"]) == (60, 60)
    assert classes(result) == {"whole name, whole date": 60}


def test_metadata_and_unknown_headers_are_no_people(at):
    at("29")
    result, lines = check()
    assert result["people"] == 60 or ("row 1" in lines and "row 3" in lines)
    assert "Apellidos" not in lines.replace("'Apellidos'", "")


def test_titles_and_suffixes_are_no_surnames(at):
    at("30")
    result, _ = check()
    assert classes(result) == {"whole name, whole date": 60}
    assert result["spellings"]["after"] < 81
