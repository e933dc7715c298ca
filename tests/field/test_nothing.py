"""Words and marks for nothing, and errors of spreadsheets, are missing, counted by reason, and never compared."""

import pytest
from helpers import DATA
from helpers.rosters import HEADER, as_csv, assert_nothing_lost_in_silence, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.schema_file import parse_schema
from pprl.normalize.cells import NAMES, NOTHING, OTHERS, SHEET_ERROR, split_nothing, why_missing
from pprl.normalize.text import read_table
from pprl.roster.load import load
from pprl.roster.streaming import people_in_parts

ROWS = [
    ["Лугов", "Олег", "Львович", "09.02.1996", "10000013"],
    ["Мирный", "Пётр", "Ильич", "21.07.1978", "10015851"],
    ["Зимин", "Иван", "Егорович", "27.07.1992", "10031689"],
    ["Ёжиков", "Лев", "Петрович", "15.05.1979", "10047527"],
]
WORDS = read_table("nothing.tsv")
KINDS = sorted(NAMES | OTHERS)


def roster(tmp_path, column, cells, name="list.csv"):
    rows = [[*row[:column], cell, *row[column + 1 :]] for row, cell in zip(ROWS, cells, strict=False)]
    (tmp_path / name).write_bytes(as_csv(rows))
    return read(tmp_path / name)


@pytest.mark.parametrize(
    "word",
    [
        "б/н",
        "НЕТ",
        "не указано",
        "Отсутствует",
        "немає",
        "невідомо",
        "няма",
        "жоқ",
        "brak danych",
        "unbekannt",
        "k. A.",
        "non renseigné",
        "no consta",
        "Bilinmiyor",
        "unknown",
        "N/A",
        "უცნობია",
        "անհայտ",
        "άγνωστο",
        "لا يوجد",
        "ندارد",
        "לא ידוע",
        "NULL",
        "nan",
        "None",
        "<NA>",
        r"\N",
        "xxx",
        "—",
        "***",
        "[нет]",
        "«б/н».",
        "0000000",
        "000-000 000",
    ],
)
def test_a_number_that_says_nothing_is_missing_in_every_language(word):
    assert why_missing(word, "identifier") == NOTHING


@pytest.mark.parametrize("error", [row["word"] for row in WORDS if row["kind"] == "error"] + ["Err:502", "#####"])
def test_an_error_of_a_spreadsheet_is_nothing_in_any_field(error):
    assert {why_missing(error, kind) for kind in KINDS} == {SHEET_ERROR}


@pytest.mark.parametrize("column", range(5))
def test_missing_cells_are_counted_by_reason_in_linked_and_other_fields(tmp_path, column):
    seen = roster(tmp_path, column, ["н/д", "#N/A", "", ROWS[3][column]])
    assert [person[column] is None for person in seen.people] == [True, True, True, False]
    assert seen.names(2)
    assert seen.names(3)
    assert not seen.names(4), "an empty cell is nothing to report"


def test_words_for_nothing_do_not_agree_in_a_stratum(tmp_path):
    schema = parse_schema(
        'format = 1\n[fields.surname]\ntype = "surname"\n[fields.unit]\ntype = "category"\nrole = "stratum"\n'
    )
    path = tmp_path / "list.csv"
    path.write_text("Фамилия;unit\nЛугов;не указано\nМирный;#ССЫЛКА!\nЗимин;рота\n", encoding="utf-8")
    people = load(path, schema, "list", columns={"surname": "Фамилия", "unit": "unit"}).people
    assert people.columns["unit"].values == ("rota",)
    assert people.left_out == {("unit", NOTHING): (2,), ("unit", SHEET_ERROR): (3,)}


def test_a_field_of_which_nothing_is_left_is_named_whatever_its_role(tmp_path):
    line = "list: 4 cell(s) of number left out: a word for nothing (row 2, 3, 4, 5)"
    assert line in roster(tmp_path, 4, ["б/н"] * 4).lines
    some = roster(tmp_path, 4, ["б/н", "10015851", "б/н", "б/н"])
    assert not [line for line in some.lines if line.startswith("list: 3 cell(s)")]


@pytest.mark.parametrize(
    "name", ["Null", "Nan", "Ni", "No", "Nemo", "Brak", "Yok", "Keine", "Nada", "Ни", "Ots", "Отс"]
)
def test_surnames_that_are_words_for_nothing_elsewhere_stay(name):
    assert why_missing(name, "surname") is None
    assert why_missing(name, "given") is None


@pytest.mark.parametrize("written", ["NULL", "null", "nan", "NaN", "None"])
def test_what_a_program_wrote_is_nobodys_surname(tmp_path, written):
    seen = roster(tmp_path, 0, ["Null", written])
    assert [person[0] for person in seen.people] == ["nul", None]
    assert seen.names(3)
    assert not seen.names(2)


@pytest.mark.parametrize(
    ("cell", "kind"), [("0", "number"), ("no", "category"), ("Б.Н.", "given"), ("А0", "identifier")]
)
def test_what_may_be_a_value_is_one(cell, kind):
    assert why_missing(cell, kind) is None


def test_no_name_of_the_lists_is_nothing():
    """All names that the tests know, in every field of a name and in the case of every program."""
    names = set()
    for path in ("surnames_m_5000.txt", "surnames_f_400.txt", "given_f_400.txt"):
        names |= set((DATA / path).read_text(encoding="utf-8").split())
    for path in ("groups.txt", "hardneg.txt"):
        names |= set((DATA / "names_cases" / path).read_text(encoding="utf-8").replace("|", " ").split())
    names = {name for name in names if any(map(str.isalpha, name))}
    written = {form for name in names for form in (name, name.upper(), name.lower())}
    assert not [name for name in written for kind in NAMES if why_missing(name, kind)]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Лугов Пётр б/о", "Лугов Пётр"),
        ("Лугов Пётр не указано", "Лугов Пётр"),
        ("Лугов Пётр (отчество не указано)", "Лугов Пётр"),
        ("Lugov Petr NULL", "Lugov Petr"),
        ("Lugov Petr no patronymic", "Lugov Petr"),
        ("Лугов нет нет", "Лугов"),
        ("Лугов Пётр #Н/Д", "Лугов Пётр"),
        ("Kim Van Nan", "Kim Van Nan"),
    ],
)
def test_words_at_the_end_of_a_whole_name_are_no_part_of_it(cell, name):
    assert split_nothing(cell)[0] == name


def test_a_whole_name_that_says_nothing_is_reported(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("ФИО;Дата рождения\nЛугов Пётр б/о;1985\nне указано;1986\n#REF!;1987\n", encoding="utf-8")
    seen = read(path)
    assert [person[:3] for person in seen.people] == [("lugov", "petr", None), (None,) * 3, (None,) * 3]
    assert seen.names(2)
    assert seen.names(3)
    assert seen.names(4)


def test_parts_of_a_file_count_what_the_whole_file_counts(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv([*ROWS, ["Лугов", "нет", "б/о", "н/д", "0000000"]] * 3))
    schema = parse_schema('format = 1\n[fields.given]\ntype = "given"\n[fields.birth_date]\ntype = "date"\n')
    whole = load(path, schema).people.left_out
    parts = [part.left_out for part in people_in_parts(path, schema, rows=4)]
    together = {key: sum((part.get(key, ()) for part in parts), ()) for key in whole}
    assert whole == together == {(field, NOTHING): (6, 11, 16) for field in ("given", "birth_date")}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=clean_rosters(), data=st.data())
def test_a_word_for_nothing_is_an_empty_cell_that_is_named(tmp_path, rows, data):
    column = data.draw(st.integers(0, len(HEADER) - 1))
    kind = ("surname", "given", "patronymic", "date", "identifier")[column]
    known = [row for row in WORDS if why_missing(row["word"], kind)]
    word = data.draw(st.sampled_from(known))["word"]
    at = data.draw(st.integers(0, len(rows) - 1))
    path = tmp_path / "list.csv"
    emptied, faulty = ([[*row] for row in rows] for _ in range(2))
    emptied[at][column], faulty[at][column] = "", word
    path.write_bytes(as_csv(emptied))
    clean = read(path)
    path.write_bytes(as_csv(faulty))
    seen = read(path)
    assert seen.people == clean.people
    assert seen.names(at + 2)
    path.write_bytes(as_csv(rows))
    assert_nothing_lost_in_silence(read(path), seen, [at + 2])
