"""A roster read and folded in parts gives the same people as the whole, and the same refusals."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from helpers import DATA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.errors import RosterError, naming
from pprl.core.schema_file import parse_schema
from pprl.roster.columns_file import Columns
from pprl.roster.files.read import read_roster, read_roster_parts
from pprl.roster.load import load
from pprl.roster.people import MISSING, People
from pprl.roster.streaming import PeopleInParts, people_in_parts

SAMPLES = DATA / "roster_formats"
SIZES = (1, 2, 7, 1000)
SCHEMA = parse_schema(
    """
format = 1
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.birth_date]
type = "date"
[fields.sex]
type = "sex"
[fields.rank]
type = "rank"
role = "confirm"
[fields.section]
type = "category"
role = "stratum"
"""
)


def same_frames(path: Path, sheet: str | None = None) -> pd.DataFrame:
    whole = read_roster(path, sheet)
    for rows in SIZES:
        parts = list(read_roster_parts(path, sheet, rows))
        assert 0 < max(map(len, parts)) <= rows
        pd.testing.assert_frame_equal(pd.concat(parts), whole)
    return whole


def in_rows(people: People) -> Iterator[tuple[str | None, ...]]:
    columns = [[*column.values, None] for column in people.columns.values()]
    codes = [column.codes for column in people.columns.values()]
    assert all(code.dtype == "int32" and (code >= MISSING).all() for code in codes)
    for row in range(len(people)):
        yield people.rows[row], *(values[code[row]] for values, code in zip(columns, codes, strict=True))


def same_people(path: Path, sheet: str | None = None, **options) -> PeopleInParts:
    whole = load(read_roster(path, sheet), SCHEMA, "it", columns=options.pop("columns", None), **options).people
    for rows in SIZES:
        parts = people_in_parts(path, SCHEMA, "it", sheet=sheet, rows=rows, **options)
        for _ in range(2):  # as often as wanted
            people = list(parts)
            assert [row for part in people for row in in_rows(part)] == list(in_rows(whole))
            left_out: dict[tuple[str, str], tuple[int, ...]] = {}
            for part in people:
                assert tuple(part.columns) == tuple(whole.columns)
                for key, places in part.left_out.items():
                    left_out[key] = left_out.get(key, ()) + places
            assert left_out == whole.left_out
    return parts


@pytest.mark.parametrize("name", ["sample_messy.xlsx", "sample_messy_cp1251.csv", "sample_truth.csv", "small.xls"])
def test_a_sample_in_parts(name):
    same_frames(SAMPLES / name)
    same_people(SAMPLES / name)


SURNAMES = ["Иванов", "ПЕТРОВ", "ст. с-т Лугов", "Ковальчук (Сова)", "-", "", "123", "Итого", "Сидоров漢"]
GIVEN = ["Иван", "Пётр Петрович", "Л.", "", "?", "Анна"]
DATES = ["12.03.1985", "1985", "28/07/1984", "03/04/1983", "", "unknown", "19850312", "31.02.1990", "март 1985 г."]
NOTES = ["", "", "", "отп.", "рядовой", " "]
BETWEEN = [
    ["1 рота"],
    ["", "2 взвод"],
    [],
    ["", " "],
    ["Итого", "3"],
    ["Фамилия", "Имя", "Дата рождения", "Прим."],
    ["1", "2", "3", "4"],
]
AT_THE_END = [
    ["Командир роты", "капитан", "", "И.И. Петров"],
    ["Составил: ______"],
    ["01.03.2024"],
    ["", "ООО «Ромашка»"],
]
HEADERS = [
    [["Фамилия", "Имя", "Дата рождения", "Прим."]],
    [["СПИСОК"], [], ["Фамилия", "Имя", "Дата рождения", "Прим."]],
    [["ФИО", "", "Дата", ""], ["Фамилия", "Имя", "рождения", "Прим."]],
    [["№", "ФИО", "Дата рождения"]],
    [["Фамилия", "Имя", "Дата рождения"]],
    [["section", "Фамилия", "Имя"]],
    [],
]
person = st.tuples(*map(st.sampled_from, (SURNAMES, GIVEN, DATES, NOTES))).map(list)
rosters = st.tuples(
    st.sampled_from(HEADERS),
    st.lists(st.one_of(person, person, person, st.sampled_from(BETWEEN)), max_size=90),
    st.lists(st.sampled_from(AT_THE_END), max_size=14),
).map(lambda parts: [*parts[0], *parts[1], *parts[2]])


def write(path: Path, *sheets: list[list[str]], merged: str = "") -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append([cell or None for cell in row])
        if merged:
            sheet.merge_cells(merged)
    book.save(path)


def answer(make) -> object:
    """The result, or the refusal with its hint."""
    try:
        return make()
    except RosterError as error:
        return str(error), error.hint


@settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_generated_rosters_in_parts(tmp_path, data):
    sheets = [data.draw(rosters)]
    if data.draw(st.booleans()):
        text = io.StringIO()
        csv.writer(text, delimiter=data.draw(st.sampled_from(";,\t"))).writerows(sheets[0])
        (tmp_path / "roster").write_bytes(text.getvalue().encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))
    else:
        sheets += data.draw(st.lists(rosters, max_size=2))
        write(tmp_path / "roster", *sheets, merged=data.draw(st.sampled_from(["", "A3:A9", "D2:E30", "G1:G4"])))
    for sheet in (None, "all", "sheet 1") if len(sheets) > 1 else (None,):
        same_answers(tmp_path / "roster", sheet, any_age=data.draw(st.booleans()))


def same_answers(path: Path, sheet: str | None = None, **options) -> object:
    """Check that frames and people, or refusals, agree, and return them."""
    whole = answer(lambda: read_roster(path, sheet))
    if isinstance(whole, tuple):
        for rows in SIZES:
            assert answer(lambda rows=rows: list(read_roster_parts(path, sheet, rows))) == whole
    else:
        same_frames(path, sheet)

    def people() -> People:
        with naming("it"):
            frame = read_roster(path, sheet)
        return load(frame, SCHEMA, "it", **options).people

    whole = answer(people)
    if isinstance(whole, tuple):
        options |= {"whose": "it", "sheet": sheet}
        for rows in SIZES:
            assert answer(lambda rows=rows: people_in_parts(path, SCHEMA, rows=rows, **options)) == whole
        return whole
    return same_people(path, sheet, **options)


PLAIN = "surname,given,patronymic,birth_date\n" + "Ivanov,Ivan,Ivanovich,1985-03-12\n" * 20
REFUSED = {
    "empty": ("", "the roster is empty"),
    "blank": (" \n\n", "the roster is empty"),
    "empty rows": ('""\n""\n', "nothing but empty rows"),
    "a header only": ("surname,given\n", "a header and no rows"),
    "a section only": ("surname,given\n1 рота,\n", "a header and no rows"),
    "a cell too many": (PLAIN + "Petrov,Ivan,Ivanovich,1985-03-12,x\n" + PLAIN, "row 22: 5 cells under 4 headers"),
    "an open quote": (PLAIN + '"Petrov,Ivan\n' + PLAIN, "row 22: a quoted cell is not closed"),
    "NUL": (PLAIN + "\x00\n", "NUL bytes"),
    "no order": (PLAIN + "Petrov,Ivan,,03/04/1985\n" * 3, "do not show whether the day or the month"),
    "children": (PLAIN + "Petrov,Ivan,,2020-01-01\n" * 5, "make 5 of 25 people younger"),
    "old men": ("surname,birth_date\n" + "Petrov,1899\n" * 8, "make 0 of 8 people younger than 16 and 8 older"),
    "no linked column": ("town,house\nDol 7,12\nDol 8,15\n", "no column of the roster is mapped"),
    "two surnames": ("Фамилия,last name\n" + "Иванов,Петров\n" * 9, "2 columns could be surname"),
    "two wrongs": ("Фамилия,last name\n" + "Иванов,Петров\n" * 9 + "a,b,c,d\n", "4 cells under 2 headers"),
    "a web page": ("<html>", "a web page"),
    "a file of ours": ("pprl-list", "a file of pprl"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_agree(tmp_path, text, message):
    (tmp_path / "roster").write_text(text, encoding="utf-8")
    refusal = same_answers(tmp_path / "roster")
    assert isinstance(refusal, tuple)
    assert refusal[0].startswith("it: ")
    assert message in refusal[0]


def test_what_the_first_rows_do_not_show(tmp_path):
    """A section, the order of dates, a child: all are below the rows that proposals consider."""
    rows = "Фамилия,Имя,Дата рождения\n" + "Иванов,Иван,03/04/1985\n" * 4_500
    (tmp_path / "roster").write_text(rows + "1 рота,,\n" + "Петров,Пётр,28/07/1984\n", encoding="utf-8")
    whole = read_roster(tmp_path / "roster")
    assert whole["section"].tolist() == [""] * 4_500 + ["1 рота"]
    parts = people_in_parts(tmp_path / "roster", SCHEMA, "it", rows=1_000)
    assert parts.orders == {"birth_date": "dmy"}
    assert parts.columns == {
        "surname": "Фамилия",
        "given": "Имя",
        "birth_date": "Дата рождения",
        "section": "section",
    }
    read = [row for people in parts for row in in_rows(people)]
    assert read == list(in_rows(load(whole, SCHEMA, "it").people))
    assert read[-1] == (4503, "petrov", "petr", None, "1984-07-28", "m", None, "1 rota")


def test_given_columns_and_orders_count(tmp_path):
    (tmp_path / "roster").write_text("a,b,c\n" + "Lugov,Lev,03/04/1985\n" * 5, encoding="utf-8")
    columns, orders = {"surname": "a", "given": "b", "birth_date": "c"}, {"birth_date": "mdy"}
    (part,) = people_in_parts(tmp_path / "roster", SCHEMA, "it", columns=Columns(columns, orders))
    assert next(in_rows(part))[1:5] == ("lugov", "lev", None, "1985-03-04")
    with pytest.raises(RosterError, match="it: no column 'd'"):
        people_in_parts(tmp_path / "roster", SCHEMA, "it", columns=Columns({**columns, "birth_date": "d"}, orders))


def test_what_can_be_read_once_only_is_kept(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = os.fork()
    if not writer:
        (tmp_path / "pipe").write_text(PLAIN, encoding="utf-8")
        os._exit(0)
    assert sum(map(len, read_roster_parts(tmp_path / "pipe", rows=3))) == 20
    os.waitpid(writer, 0)


def test_signatures_of_parts_are_held_back(tmp_path):
    rows = [["Фамилия", "Имя"], *[["Лугов", "Лев"]] * 10, *[["Составил: ______", ""]] * 12]
    (tmp_path / "roster").write_text("\n".join(map(",".join, rows)), encoding="utf-8")
    assert len(same_frames(tmp_path / "roster")) == 10
