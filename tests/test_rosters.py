"""Rosters as clerks write them come back as the people they list."""

import csv
import random
from pathlib import Path

import pandas as pd
import pytest

from pprl.errors import RosterError
from pprl.normalize.columns import propose_columns
from pprl.normalize.names import fold_name
from pprl.normalize.people import MISSING, People, read_people
from pprl.normalize.ranks import fold_rank
from pprl.normalize.values import fold_identifier
from pprl.schema import parse_schema
from pprl.tables import read_roster
from pprl.tables.layout import is_name, locate
from pprl.tables.text import find_delimiter, find_encoding

SAMPLES = Path(__file__).parent / "data" / "roster_formats"
SCHEMA = parse_schema(
    """
format = 1
name = "rosters"
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.birth_date]
type = "date"
[fields.rank]
type = "rank"
role = "confirm"
[fields.number]
type = "identifier"
role = "confirm"
"""
)
FIELDS = [field.name for field in SCHEMA.fields]
with (SAMPLES / "sample_truth.csv").open(encoding="utf-8") as lines:
    TRUTH = list(csv.DictReader(lines))


def canonical(person: dict[str, str]) -> dict[str, str | None]:
    """What a person of the truth folds to."""
    return {
        "surname": fold_name(person["surname"], given=False),
        "given": fold_name(person["given"], given=True),
        "patronymic": fold_name(person["patronymic"], given=True),
        "birth_date": person["birth_date"] or None,
        "rank": fold_rank(person["rank"]) if person["rank"] else None,
        "number": fold_identifier(person["number"]) if person["number"] else None,
    }


def folded(frame: pd.DataFrame) -> list[dict[str, str | None]]:
    """What the people of a roster fold to, with the columns that are proposed for them."""
    people = read_people(frame, SCHEMA, propose_columns(frame.columns, SCHEMA, {}))
    assert not people.unreadable
    return [{name: value(people, name, row) for name in FIELDS} for row in range(len(people))]


def value(people: People, name: str, row: int) -> str | None:
    column = people.columns[name]
    return None if column.codes[row] == MISSING else column.values[column.codes[row]]


def initial(name: str) -> str:
    return fold_name(name[0] + ".", given=True)


#: Cells of both samples that do not hold what the truth knows, and what they hold instead.
INITIALS_ONLY = ("P005", "P028", "P042", "P047")
YEAR_ONLY = {"P005": "1976", "P033": "1964"}
NO_DATE = ("P021",)
NO_NUMBER = ("P007", "P012", "P013", "P032", "P036", "P038", "P044", "P059")


def in_the_samples(person: dict[str, str]) -> dict[str, str | None]:
    who, known = person["person"], canonical(person)
    if who in INITIALS_ONLY:
        known |= {name: initial(person[name]) for name in ("given", "patronymic")}
    if who in YEAR_ONLY:
        known["birth_date"] = YEAR_ONLY[who]
    if who in NO_DATE:
        known["birth_date"] = None
    if who in NO_NUMBER:
        known["number"] = None
    return known


@pytest.mark.parametrize("name", ["sample_messy.xlsx", "sample_messy_cp1251.csv"])
def test_all_sixty_people_of_a_sample(name):
    frame = read_roster(SAMPLES / name)
    assert folded(frame) == [in_the_samples(person) for person in TRUTH]


def test_rows_of_a_sample_are_those_of_the_spreadsheet_and_know_their_section():
    frame = read_roster(SAMPLES / "sample_messy.xlsx")
    assert frame.index.tolist() == [*range(6, 36), *range(37, 67)]
    assert frame["section"].tolist() == [""] * 30 + ["2 взвод (вымышл.)"] * 30
    assert "section" not in read_roster(SAMPLES / "sample_messy_cp1251.csv").columns


ENCODINGS = ("utf-8", "utf-8-sig", "cp1251", "koi8-r", "cp866", "utf-16", "utf-16-le", "iso8859-5", "mac-cyrillic")


@pytest.mark.parametrize("header", [True, False], ids=["header", "bare"])
@pytest.mark.parametrize("rows", [1, 3, 10, 100, 2000])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_roster_in_any_encoding(encoding, rows, header):
    draw = random.Random(rows)
    text = "ФИО;Дата рождения;Звание;Личный номер\r\n" if header else ""
    for _ in range(rows):
        one, two, three = (draw.choice(TRUTH) for _ in range(3))
        name = f"{one['surname']} {two['given']} {three['patronymic']}"
        text += ";".join([name, one["birth_date"], two["rank"], three["number"]]) + "\r\n"
    data = text.encode(encoding)
    assert data.decode(find_encoding(data)).lstrip("\ufeff") == text


SHORT = {
    "capitals": "ИВАНОВ ИВАН ИВАНОВИЧ\n",
    "no capitals": "скорняков василий николаевич;старшина;фд-504097\n",
    "initials": "ФИО\nФедоров Е.Ф.\n",
    "Ukrainian": "Прізвище;Ім'я\nКовальчук;Сергій\n",
    "after a long run of ASCII": "name;date\n" + "Ivanov;1980-01-01\n" * 10_000 + "Иванов Пётр;1981-02-03\n",
}


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic"])
@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_little_text_is_enough(text, encoding):
    data = text.encode(encoding, "replace")
    assert data.decode(find_encoding(data)) == data.decode(encoding)


NO_TEXT = {
    "noise": random.Random(1).randbytes(5_000).replace(b"\x00", b""),
    "a Western code page": "name\nJürgen Müller\nFrançois Größe\n".encode("latin-1"),
    "UTF-8 with a letter cut": "Иванов Иван\nПетров Пётр\n".encode()[:-2],
}


@pytest.mark.parametrize("data", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_cyrillic_text_is_refused(data):
    with pytest.raises(RosterError, match="neither XLSX nor text"):
        find_encoding(data)


DELIMITED = {
    ";": "№ п/п;Фамилия, имя, отчество;Дата рожд.\n1;Иванов Иван;1980\n",
    ",": "Фамилия,Имя\nИванов,Иван\n",
    "\t": "Список, рота; взвод\nФИО\tДата рождения\nИванов Иван\t1980\n",
    "|": "Фамилия|Имя|Прим.\nИванов|Иван|a, b; c\n",
    "\x1f": "Фамилия, имя, отчество\nИванов Иван Иванович\nПетров Пётр Петрович\n",
}


@pytest.mark.parametrize("mark", DELIMITED, ids=["semicolon", "comma", "tab", "bar", "none"])
def test_the_delimiter(mark):
    assert find_delimiter(DELIMITED[mark]) == mark
    title = "Список личного состава, по состоянию на 01.03.2024\n\n"
    assert find_delimiter(title + DELIMITED[mark]) == mark


def rows_of(text: str) -> list[list[str]]:
    return [line.split(";") for line in text.strip("\n").split("\n")]


LAYOUTS = {
    "titles, two header rows, column numbers, sections, a total, signatures": (
        """Список

№;ФИО;;Дата рождения
;Фамилия;Имя;
1;2;3;4
1 рота;;;
1;Иванов;Иван;1980
2;Петров;Пётр;
;ООО «Ромашка»;;
3;Сидоров;;
4;;;
Итого;3;;
Командир роты;капитан;И.И. Петров;
«__» ____ 2024 г.;;;""",
        ["№", "Фамилия", "Имя", "Дата рождения"],
        [
            (7, "1", "Иванов", "Иван", "1980", "1 рота"),
            (8, "2", "Петров", "Пётр", "", "1 рота"),
            (10, "3", "Сидоров", "", "", "ООО «Ромашка»"),
        ],
    ),
    "heads of groups make two dates of one word": (
        "ФИО;Дата;;Звание\n;рождения;призыва;\nИванов Иван;1980;2000;рядовой",
        ["ФИО", "Дата рождения", "Дата призыва", "Звание"],
        [(3, "Иванов Иван", "1980", "2000", "рядовой", "")],
    ),
    "names without a header": (
        "Иванов Иван\nПетров П.П.",
        ["full_name"],
        [(1, "Иванов Иван", ""), (2, "Петров П.П.", "")],
    ),
    "numbered names below a title, a platoon between them, a commander after them": (
        "СПИСОК ЛИЧНОГО СОСТАВА\n1. Иванов Иван\n2) Петров П.П.\n2 взвод\nСидоров Пётр\nКомандир Сидоренко",
        ["full_name"],
        [(2, "Иванов Иван", ""), (3, "Петров П.П.", ""), (5, "Сидоров Пётр", "2 взвод")],
    ),
    "numbers beside names": (
        "1;Иванов Иван\n2;Петров Пётр",
        ["", "full_name"],
        [(1, "1", "Иванов Иван", ""), (2, "2", "Петров Пётр", "")],
    ),
    "the header again on the next page, and a date below": (
        "Фамилия;Имя\nАбай;Рахман\nФамилия;Имя\nЮн;Ян\n01.03.2024;",
        ["Фамилия", "Имя"],
        [(2, "Абай", "Рахман", ""), (4, "Юн", "Ян", "")],
    ),
    "people with one cell stay": (
        "id;name;born\nP000;;\nP001;Иванов;\n;;1980\nP002;Пётр;1981",
        ["id", "name", "born"],
        [
            (2, "P000", "", "", ""),
            (3, "P001", "Иванов", "", ""),
            (4, "", "", "1980", ""),
            (5, "P002", "Пётр", "1981", ""),
        ],
    ),
    "unknown headers: nothing but empty rows is left out": (
        "a;b;c\nx;;\n;;y\n;;\n12;;",
        ["a", "b", "c"],
        [(2, "x", "", "", ""), (3, "", "", "y", ""), (5, "12", "", "", "")],
    ),
    "a commander among the people, and as the last of them": (
        "Должность;ФИО;Дата рождения\nстрелок;Иванов И.И.;1980\nКомандир взвода;Петров Пётр;\n"
        "Начальник штаба ______ Иванов;;",
        ["Должность", "ФИО", "Дата рождения"],
        [(2, "стрелок", "Иванов И.И.", "1980", ""), (3, "Командир взвода", "Петров Пётр", "", "")],
    ),
}


@pytest.mark.parametrize(("text", "header", "people"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_table_in_a_layout(text, header, people):
    table = locate(rows_of(text))
    assert table.header == header
    assert list(zip(table.places, *table.columns, table.sections, strict=True)) == people


NAMES = [
    "Иванов Иван",
    "ИВАНОВ Иван Иванович",
    "Вержбицкий А.Б.",
    "А. Б. Вержбицкий",
    "Мамедов Рашид Али оглы",
    "Д'Арк Жанна",
]
NO_NAMES = [
    "2 взвод (вымышл.)",
    "Рота связи",
    "ООО «Ромашка»",
    "12345",
    "",
    "иванов иван",
    "Командир Иванов",
    "Итого людей",
]


@pytest.mark.parametrize("text", NAMES)
def test_what_looks_like_a_name(text):
    assert is_name(text)


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_looks_like_no_name(text):
    assert not is_name(text)
