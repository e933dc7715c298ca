"""What programs leave in cells comes off; what they destroyed is said, and never compared as if it were a value."""

import html
import json
import urllib.parse

import pandas as pd
import pytest
from helpers import DATA
from helpers.rosters import HEADER, SCHEMA, as_csv, assert_nothing_lost_in_silence, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.schema_file import parse_schema
from pprl.normalize.cells import GARBLED, GARBLED_IN_PART, LOST_DIGITS, clean, why_missing
from pprl.roster.doubts import Doubts
from pprl.roster.files.read import read_roster
from pprl.roster.files.serials import number_text
from pprl.roster.files.workbook import cell_text
from pprl.roster.load import load
from pprl.roster.streaming import people_in_parts

NUMBERS = parse_schema(
    'format = 1\n[fields.surname]\ntype = "surname"\n[fields.number]\ntype = "identifier"\nrole = "confirm"\n'
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('="00123"', "00123"),
        ('"00123"', '"00123"'),
        ("'00123", "00123"),
        ("=12.03.1985", "12.03.1985"),
        ('="Лугов ""Лис"""', 'Лугов "Лис"'),
        ("Лугов_x000D_\n", "Лугов"),
        ("Лугов_x0009_", "Лугов"),
        ("O_x005F_x000D_Neil", "O Neil"),
        ("O&#39;Neil", "O'Neil"),
        ("&#1051;&#x443;гов&nbsp;", "Лугов"),
        ("Лугов &amp;amp; сын", "Лугов & сын"),
        ("&copy;&nothing;", "©&nothing;"),
        ("AT&T", "AT&T"),
        ("%D0%9B%D1%83%D0%B3%D0%BE%D0%B2%20%D0%9F.", "Лугов П."),
        ("100%25", "100%25"),
        ("\\u041b\\u0443гов", "Лугов"),
        ("Лу\u00adгов", "Лугов"),
        ("\ufeffЛугов\u200b", "Лугов"),
        ("Лугов\xa0\xa0 Пётр\nИльич\t", "Лугов Пётр Ильич"),
        ("\x00Лугов\x07", "Лугов"),
        ("12345678.0", "12345678"),
        ("12345678,0", "12345678"),
        ("1.23456789012E+11", "123456789012"),
        ("", ""),
        ("'", ""),
    ],
)
def test_what_programs_leave_comes_off(written, value):
    assert clean(written) == value


def test_clean_values_stay_as_they_are():
    """All names that the tests know, and dates, numbers and ranks as people write them."""
    texts = ["12.03.1985", "1985-03-12 21:00:00", "АВ-123456", "ст. л-т", "д'Артаньян", "1E5", "7,5"]
    for path in ("surnames_m_5000.txt", "surnames_f_400.txt", "given_f_400.txt"):
        texts += (DATA / path).read_text(encoding="utf-8").split()
    for path in ("groups.txt", "hardneg.txt"):
        lines = (DATA / "names_cases" / path).read_text(encoding="utf-8").split("\n")
        texts += [cell.strip() for line in lines for cell in line.split("|")]
    assert [text for text in texts if clean(text) != text] == []


@given(st.text(max_size=30) | st.text("&#;x0D_amp'=\"%u\\E+1.2 \n\xa0", max_size=20))
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@given(st.text(max_size=30) | st.text("&#;x0D_amp'=\"%u\\E+1.2 \n\xa0", max_size=20))
def test_the_quick_look_at_a_cell_misses_nothing(text):
    """A character that no name has makes every cell be looked at in full."""
    assert clean(text + "\x00") == clean(text)


@pytest.mark.parametrize("number", ["1,23E+12", "1.23457E+11", "1E+12", "-1,2e+10", "9,99999Е+14"])
def test_digits_lost_in_a_spreadsheet_are_lost(number):
    assert why_missing(number, "identifier") == why_missing(number, "date") == LOST_DIGITS


def test_cut_numbers_are_named_and_agree_with_nothing(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('Фамилия;Личный номер\nЛугов;"1,23E+12"\nМирный;"1,23E+12"\nЗимин;10031689\n', encoding="utf-8")
    people = load(path, NUMBERS).people
    assert people.columns["number"].values == ("10031689",)
    assert people.left_out == {("number", LOST_DIGITS): (2, 3)}


def lines_of(tmp_path, numbers):
    """What is said of a column of numbers, by the whole file and by its parts."""
    path = tmp_path / "list.csv"
    cells = [f"Лугов{'ъ' * (row % 3)};{number}" for row, number in enumerate(numbers)]
    path.write_text("\n".join(["Фамилия;Личный номер", *cells]), encoding="utf-8")
    lines: list[str] = []
    load(path, NUMBERS, "list", note=lines.append)
    parts: list[str] = []
    people_in_parts(path, NUMBERS, "list", rows=7, note=parts.append)
    assert lines == parts
    return "\n".join(line for line in lines if "warning" in line)


def test_lost_leading_zeros_are_told_by_the_lengths(tmp_path):
    numbers = [str(2_345_678_917 + 7_919_117 * row) for row in range(40)]
    numbers[5], numbers[9] = "234567891", "34567812"
    said = lines_of(tmp_path, numbers)
    assert "2 of 40 numbers of number have fewer than 10 digits (row 7, 11)" in said


@pytest.mark.parametrize(
    "numbers",
    [
        [str(number) for number in range(1, 60)],
        [f"{number:08}" for number in range(1, 60)],
        [str(10_000_000 + 77 * row) for row in range(40)],
        ["123", "12345", "1234567", "12345678901"] * 5,
        [f"АВ-{100_000 + row}" for row in range(40)],
    ],
    ids=["running numbers", "zeros kept", "one length", "any length", "letters"],
)
def test_other_lengths_say_nothing_of_zeros(tmp_path, numbers):
    assert "leading zeros" not in lines_of(tmp_path, numbers)


def test_numbers_rounded_after_15_digits_are_named(tmp_path):
    said = lines_of(tmp_path, [f"{123456789012345 + 7 * row}000" for row in range(10)])
    assert "10 long numbers of number end in zeros after 15 digits or more (row 2, 3, 4, 5, 6, …)" in said
    assert not lines_of(tmp_path, [f"{123456789012345 + 7 * row}{row}17" for row in range(10)])


def test_numbers_that_no_float_can_hold_get_no_digits_that_are_not_in_the_file(tmp_path):
    """Beyond 2^53 a workbook has lost digits; what is left of them is read, and the owner is told."""
    numbers = [12345678901234567890.0 + 10_000 * row for row in range(9)]
    rows = [["Лугов", "Олег", "Львович", f"{row + 1:02}.02.1996", number] for row, number in enumerate(numbers)]
    frame = pd.DataFrame(rows, columns=HEADER)
    frame.to_excel(tmp_path / "list.xlsx", index=False, engine="xlsxwriter")
    frame.to_parquet(tmp_path / "list.parquet", index=False)
    for name in ("list.xlsx", "list.parquet"):
        said: list[str] = []
        people = load(tmp_path / name, SCHEMA, "list", note=said.append).people
        assert all(value.endswith("000") for value in people.columns["number"].values)
        assert any("9 long numbers of number end in zeros" in line for line in said)
    assert number_text(12345678901234567890.0) == cell_text(12345678901234567890.0) == "12345678901234567000"
    assert number_text(2.0**53) == cell_text(2.0**53) == "9007199254740992"
    assert number_text(-7.0) == cell_text(-7.0) == "-7"


def test_fillers_are_named_if_there_are_several(tmp_path):
    real = [str(10_000_019 + 770_077 * row) for row in range(20)]
    assert "3 cells of number are fillers" in lines_of(tmp_path, [*real, "11111111", "99999999", "12345678"])
    assert not lines_of(tmp_path, [*real, "11111111"])


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        ("Щер\ufffdаков", "werakov", GARBLED_IN_PART),
        ("Щер?аков", "werakov", GARBLED_IN_PART),
        ("Щербаков?", "werbakov", None),
        ("?????", None, GARBLED),
        ("Щ?р??ков", None, GARBLED),
        ("?", None, "a word for nothing"),
    ],
)
def test_letters_lost_in_a_wrong_encoding(tmp_path, cell, value, reason):
    path = tmp_path / "list.csv"
    path.write_text(f"Фамилия;Личный номер\n{cell};10031689\nЗимин;10031690\n", encoding="utf-8")
    people = load(path, NUMBERS).people
    assert people.columns["surname"].values == tuple(filter(None, (value, "zimin")))
    assert people.left_out == ({("surname", reason): (2,)} if reason else {})


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("Щер\ufffdаков Пётр Ильич", ("werakov", "petr", "iliq")),
        ("Щербаков Пётр Иль?ич", ("werbakov", "petr", "iliq")),
        ("???????? Пётр Ильич", (None, None, None)),
        ("???????? ???? ?????", (None, None, None)),
    ],
)
def test_lost_letters_never_make_another_word_the_surname(tmp_path, cell, people):
    path = tmp_path / "list.csv"
    path.write_text(f"ФИО;Дата рождения\n{cell};12.03.1985\nЗимин Олег Львович;1986\n", encoding="utf-8")
    seen = read(path)
    assert seen.people[0][:3] == people
    assert seen.names(2)


def test_headers_are_cleaned_like_cells(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('Фамилия_x000D_;="Личный номер"\nЛугов;10031689\nЗимин;10031690\n', encoding="utf-8")
    assert list(read_roster(path).columns) == ["Фамилия", "Личный номер"]
    assert load(path, NUMBERS).people.columns["number"].values == ("10031689", "10031690")


def test_several_values_are_divided_after_entities(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("Фамилия,Личный номер\nЛугов;O&#39;Neil,10031689\nЗимин,10031690\n", encoding="utf-8")
    frame = read_roster(path)
    frame.attrs["several"] = {"Фамилия": ";"}
    assert load(frame, NUMBERS).people.columns["surname"].values == ("lugov", "oneil", "zimin")


def test_a_cell_of_nothing_but_guards_takes_no_time():
    for text in ('="' * 20_000, "&amp;" * 12_000, "_x005F" * 10_000 + "_", "'" * 60_000, "%20" * 20_000, "=1" * 30_000):
        assert isinstance(clean(text), str)


LEAVE = {
    "guard": lambda text: f'="{text}"',
    "apostrophe": lambda text: f"'{text}",
    "carriage return": lambda text: text + "_x000D_\n",
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "named entities": lambda text: html.escape(text) + "&nbsp;",
    "address": urllib.parse.quote,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "invisible": lambda text: "\ufeff" + "\u200b".join(text) + "\xa0",
    "control": lambda text: f"\x02{text}\x1f",
}
SPOIL = {
    "replaced": lambda text: "\ufffd" * (len(text) // 6 + 1) + text[len(text) // 6 + 1 :],
    "asked": lambda text: text[0] + "?" + text[2:],
    "all lost": lambda text: "?" * max(4, len(text)),
}


@pytest.mark.parametrize("program", LEAVE)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=clean_rosters(), data=st.data())
def test_a_roster_as_a_program_leaves_it_is_the_clean_one(tmp_path, program, rows, data):
    column = data.draw(st.integers(0, len(HEADER) - 1))
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows))
    clean_reading = read(path)
    path.write_bytes(as_csv([[*row[:column], LEAVE[program](row[column]), *row[column + 1 :]] for row in rows]))
    assert read(path).people == clean_reading.people


@pytest.mark.parametrize("fault", SPOIL)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=clean_rosters(), data=st.data())
def test_nothing_is_damaged_in_silence(tmp_path, fault, rows, data):
    column = data.draw(st.sampled_from([0, 1, 2, 4]))
    at = data.draw(st.integers(0, len(rows) - 1))
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows))
    clean_reading = read(path)
    spoiled = SPOIL[fault](rows[at][column])
    path.write_bytes(as_csv([*rows[:at], [*rows[at][:column], spoiled, *rows[at][column + 1 :]], *rows[at + 1 :]]))
    assert_nothing_lost_in_silence(clean_reading, read(path), [at + 2])


def test_doubts_need_no_header(tmp_path):
    """A field whose column another part of the list has is not looked at here."""
    path = tmp_path / "list.csv"
    path.write_text("Фамилия;Звание\nЛугов;рядовой\n", encoding="utf-8")
    doubts = Doubts(NUMBERS, {"number": "Личный номер"})
    doubts.look(read_roster(path))
    assert doubts.lines({}) == []
