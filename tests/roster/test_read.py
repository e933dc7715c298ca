"""Rosters as clerks write them come back as the people they list."""

import csv
import datetime
import io
import random
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from helpers import DATA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.errors import RosterError
from pprl.core.schema_file import parse_schema
from pprl.normalize.names import fold_name
from pprl.normalize.ranks import fold_rank
from pprl.normalize.values import fold_identifier
from pprl.roster.column_guess import propose_columns
from pprl.roster.files.delimiters import find_delimiter
from pprl.roster.files.encodings import find_encoding
from pprl.roster.files.layout import is_name, locate
from pprl.roster.files.read import read_roster
from pprl.roster.people import MISSING, People, filled, read_people

SAMPLES = DATA / "roster_formats"
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
    people = read_people(
        frame, SCHEMA, {field: guess.header for field, guess in propose_columns(frame, SCHEMA, {}, 2024).items()}
    )
    assert not people.left_out
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
    assert data.decode(find_encoding(io.BytesIO(data)).name).lstrip("\ufeff") == text


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
    assert data.decode(find_encoding(io.BytesIO(data)).name) == data.decode(encoding)


NO_TEXT = {
    "noise": random.Random(1).randbytes(5_000).replace(b"\x00", b""),
    "a page of no language": "name\nJørgen Müłler\n".encode("cp1257"),
    "UTF-8 with a letter cut": "Иванов Иван\nПетров Пётр\n".encode()[:-2],
}


@pytest.mark.parametrize("data", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_cyrillic_text_is_refused(data):
    with pytest.raises(RosterError, match="neither XLSX nor text"):
        find_encoding(io.BytesIO(data))


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
    "names that could be sections or totals stay": (
        "№;name;born\n1;van Dyke Jan;\n;иванов иван;\n2;Иванов Иван (выбыл);\n"
        ";Петров Пётр, командир отделения 2;\n;x;1980",
        ["№", "name", "born"],
        [
            (2, "1", "van Dyke Jan", "", ""),
            (3, "", "иванов иван", "", ""),
            (4, "2", "Иванов Иван (выбыл)", "", ""),
            (5, "", "Петров Пётр, командир отделения 2", "", ""),
            (6, "", "x", "1980", ""),
        ],
    ),
    "a surname that is a word for sums": (
        "surname;given\nTotal;Jean\nTotal;2",
        ["surname", "given"],
        [(2, "Total", "Jean", "")],
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
    (table,) = locate(rows_of(text))
    assert table.header == header
    assert list(zip(table.rows, *table.columns, table.sections, strict=True)) == people


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


def test_no_cell_takes_long_to_be_no_name():
    begin = time.process_time()
    assert not any(is_name(part * 60 + "1") for part in ("А.", "А-", "А б ", "А, ", "Аб.в.", "А.А. "))
    assert time.process_time() - begin < 1


DATES = {
    "12.03.1985": "{2:02d}.{1:02d}.{0}",
    "12.3.85": "{2}.{1}.{3:02d}",
    "12.03.1985 г.": "{2:02d}.{1:02d}.{0} г.",
    "12/03/1985": "{2:02d}/{1:02d}/{0}",
    "1985-03-12": "{0}-{1:02d}-{2:02d}",
    "1985": "{0}",
}
WHOLE_NAMES = {
    "surname first": "{surname} {given} {patronymic}",
    "surname last": "{given} {patronymic} {surname}",
    "capitals on a line of their own": "{SURNAME}\n{given} {patronymic}",
    "comma": "{surname}, {given} {patronymic}",
    "initials": "{surname} {g}.{p}.",
}
CODE_PAGES = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")


def written(draw, people: list[dict[str, str]]) -> tuple[list[list[str]], list[dict[str, str | None]]]:
    """People as a clerk writes them, and what can be read of each."""
    date, name = draw(st.sampled_from(sorted(DATES))), draw(st.sampled_from(sorted(WHOLE_NAMES)))
    in_parts, two_rows = draw(st.booleans()), draw(st.booleans())
    head = ["Фамилия", "Имя", "Отчество"] if in_parts else [draw(st.sampled_from(["ФИО", "Фамилия, имя, отчество"]))]
    head = ["№ п/п", *head, "Дата рождения", "Воинское звание", "Личный №", "Прим."]
    rows = [[title, *[""] * (len(head) - 1)] for title in draw(st.sampled_from(TITLES))]
    if two_rows and in_parts:
        rows += [["№ п/п", "ФИО", "", "", *head[4:]], ["", *head[1:4], "", "", "", ""]]
    else:
        rows.append(head)
    if draw(st.booleans()):
        rows.append([str(i) for i in range(1, len(head) + 1)])
    sections, truth = draw(st.booleans()), []
    for number, person in enumerate(people, 1):
        if sections and number % 3 == 1:
            rows.append(["", f"{number} взвод", *[""] * (len(head) - 2)])
        year, month, day = map(int, person["birth_date"].split("-"))
        parts = {**person, "SURNAME": person["surname"].upper(), "g": person["given"][0], "p": person["patronymic"][0]}
        whole = [person["surname"], person["given"], person["patronymic"]]
        cells = whole if in_parts else [WHOLE_NAMES[name].format(**parts)]
        born = DATES[date].format(year, month, day, year % 100)
        rows.append([str(number), *cells, born, person["rank"], person["number"], draw(st.sampled_from(["", "отп."]))])
        known = canonical(person)
        if date == "1985":
            known["birth_date"] = str(year)
        if name == "initials" and not in_parts:
            known |= {field: initial(person[field]) for field in ("given", "patronymic")}
        truth.append(known)
    signature = draw(st.sampled_from([[], ["Командир роты", "капитан", "И.И. Петров"], ["Составил: ______ / /"]]))
    rows += [[], [*signature, *[""] * (len(head) - len(signature))]] if signature else []
    return rows, truth


TITLES = ([], ["СПИСОК"], ["Приложение 1", "Список личного состава на 01.03.2024 г.", ""])


@settings(max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_generated_layouts_come_back_equal_to_their_truth(tmp_path, data):
    people = data.draw(st.lists(st.sampled_from(TRUTH), min_size=4, max_size=20, unique_by=lambda one: one["person"]))
    people = [*people, TRUTH[1]]  # born on 28 July, so that the order of dates is never ambiguous
    rows, truth = written(data.draw, people)
    kind = data.draw(st.sampled_from([*CODE_PAGES, "xlsx"]))
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append([cell or None for cell in row])
        book.save(tmp_path / "roster")
    else:
        text = io.StringIO()
        mark, end = data.draw(st.sampled_from(";,\t|")), data.draw(st.sampled_from(["\r\n", "\n"]))
        pages_without_number_sign = ("koi8-r",)
        csv.writer(text, delimiter=mark, lineterminator=end).writerows(rows)
        plain = text.getvalue()
        if kind in pages_without_number_sign:
            plain = plain.replace("№ п/п", "п/п").replace("Личный №", "Личный номер")
        (tmp_path / "roster").write_bytes(plain.encode(kind))
    assert folded(read_roster(tmp_path / "roster")) == truth


def save(tmp_path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "roster.xlsx")
    return tmp_path / "roster.xlsx"


HEAD = ["ФИО", "Звание"]


def test_the_only_sheet_with_a_table_is_read(tmp_path):
    path = save(tmp_path, note=[["Пояснение"], ["к списку"]], people=[HEAD, ["Иванов Иван", "рядовой"]], empty=[])
    assert read_roster(path).values.tolist() == [["Иванов Иван", "рядовой"]]


def test_several_sheets_are_named_or_joined(tmp_path):
    one, two = [HEAD, ["Иванов Иван", "рядовой"]], [["Список"], ["ФИО", "Жетон"], ["Петров Пётр", "А-1"]]
    path = save(tmp_path, one=one, two=two)
    with pytest.raises(RosterError, match="2 sheets of the roster hold a table") as refusal:
        read_roster(path)
    assert "--sheet" in refusal.value.hint
    assert read_roster(path, "two").index.tolist() == [3]
    joined = read_roster(path, "all")
    assert joined.columns.tolist() == ["ФИО", "Звание", "Жетон"]
    assert joined.index.tolist() == [10_000_002, 20_000_003]
    assert joined.values.tolist() == [["Иванов Иван", "рядовой", ""], ["Петров Пётр", "", "А-1"]]
    with pytest.raises(RosterError, match="no sheet of that name"):
        read_roster(path, "three")


def test_what_is_merged_down_holds_for_each_person(tmp_path):
    rows = [["Звание", "ФИО", "Дата рождения"], ["рядовой", "Иванов Иван", 1980], [None, "Петров Пётр", 1981]]
    path = save(tmp_path, people=[*rows, [None, "Сидоров Пётр", 1982]])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("A2:A4")
    book.save(path)
    assert read_roster(path)["Звание"].tolist() == ["рядовой"] * 3


def test_hidden_rows_are_read_and_dates_and_formulas_are_values(tmp_path):
    rows = [
        ["ФИО", "Дата рождения", "Звание"],
        ["Иванов Иван", datetime.date(1985, 3, 12), None],
        ["Петров Пётр", "1981", None],
    ]
    path = save(tmp_path, people=rows)
    book = openpyxl.load_workbook(path)
    book.active.row_dimensions[3].hidden = True
    book.save(path)
    formula = b'<c r="C2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>'
    path.write_bytes(
        with_part(
            path.read_bytes(), SHEET, lambda part: part.replace(b'</row><row r="3"', formula + b'</row><row r="3"')
        )
    )
    assert read_roster(path).values.tolist() == [["Иванов Иван", "1985-03-12", "ab"], ["Петров Пётр", "1981", ""]]


SHEET = "xl/worksheets/sheet1.xml"


def with_part(data: bytes, name: str, change) -> bytes:
    """A ZIP with one part changed or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, change(old.read(name) if name in old.namelist() else b""))
    return out.getvalue()


def test_a_million_empty_rows_are_nothing(tmp_path):
    path = save(tmp_path, people=[HEAD, ["Иванов Иван", "рядовой"]])
    empty = b"".join(b'<row r="%d"><c r="A%d"/></row>' % (row, row) for row in range(3, 1_000_003))
    path.write_bytes(
        with_part(path.read_bytes(), SHEET, lambda part: part.replace(b"</sheetData>", empty + b"</sheetData>"))
    )
    assert read_roster(path).index.tolist() == [2]


def test_an_old_workbook():
    frame = read_roster(SAMPLES / "small.xls")
    assert frame.index.tolist() == [4, 5]
    assert frame.values.tolist() == [
        ["1", "Локтионов Евгений Георгиевич", "2002-04-11", "ТС-967127"],
        ["2", "Мясников Л.В.", "28.07.1964", "007"],
    ]


@pytest.mark.parametrize("length", [512, 4096, 5300], ids=["an error", "a panic", "another panic"])
def test_an_old_workbook_cut_short_is_refused_however_the_reader_takes_it(tmp_path, length):
    (tmp_path / "roster.xls").write_bytes((SAMPLES / "small.xls").read_bytes()[:length])
    with pytest.raises(RosterError, match="not a complete spreadsheet"):
        read_roster(tmp_path / "roster.xls")


def test_an_old_workbook_at_which_the_reader_dies_is_refused(tmp_path):
    data = bytearray((SAMPLES / "small.xls").read_bytes())
    data[1864] = 150  # a length beyond any memory: the compiled reader aborts its process
    (tmp_path / "roster.xls").write_bytes(data)
    with pytest.raises(RosterError, match="not a complete spreadsheet"):
        read_roster(tmp_path / "roster.xls")


SEXED = parse_schema(
    """
format = 1
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.sex]
type = "sex"
[fields.rank]
type = "rank"
"""
)


def in_rows(people: People, name: str) -> list[str | None]:
    return [value(people, name, row) for row in range(len(people))]


def test_a_rank_that_is_glued_to_a_name_goes_to_the_rank():
    cells = ["гв. ст. с-т Петров П.П.", "Иванов Иван Иванович, рядовой", "Лугов Лев", "Майор Пётр Петрович", None]
    frame = pd.DataFrame({"ФИО": cells}, dtype=object)
    people = read_people(frame, SEXED, {"full_name": "ФИО"})
    assert in_rows(people, "surname") == ["petrov", "ivanov", "lugov", "maer", None]
    assert in_rows(people, "given") == ["p.", "ivan", "lev", "petr", None]
    assert in_rows(people, "rank") == ["50", "10", None, None, None]
    assert not people.left_out


def test_a_cell_of_the_rank_stands_above_a_glued_one():
    frame = pd.DataFrame(
        {"Ф": ["майор Иванов", "Капитан Петров", "Матрос"], "И": ["Иван", "Пётр", "Лев"], "З": ["сержант", "-", ""]}
    )
    people = read_people(frame, SEXED, {"surname": "Ф", "given": "И", "rank": "З"})
    assert in_rows(people, "surname") == ["ivanov", "petrov", "matros"]
    assert in_rows(people, "rank") == ["40", "120", None]


def test_a_rank_comes_off_a_name_where_no_field_wants_it():
    frame = pd.DataFrame({"ФИО": ["рядовой Иванов Иван"]})
    schema = parse_schema('format=1\n[fields.surname]\ntype="surname"\n[fields.given]\ntype="given"')
    people = read_people(frame, schema, {"full_name": "ФИО"})
    assert (in_rows(people, "surname"), in_rows(people, "given")) == (["ivanov"], ["ivan"])


def test_the_sex_comes_from_the_cell_else_the_patronymic_else_the_surname():
    frame = pd.DataFrame(
        {
            "Ф": ["Петрова", "Ковальчук", "Петров", "Ковальчук", "Орлова", None],
            "О": ["Ивановна", "Иванович", "", "П.", "Лукична", None],
            "Пол": ["м", "", "?", "-", "да", "ж"],
        }
    )
    mapped = {"surname": "Ф", "patronymic": "О"}
    people = read_people(frame, SEXED, {**mapped, "sex": "Пол"})
    assert in_rows(people, "sex") == ["m", "m", "m", None, "f", "f"]
    assert people.left_out == {("sex", "a word for nothing"): (2, 3), ("sex", "not a known word for a sex"): (4,)}
    assert in_rows(read_people(frame, SEXED, mapped), "sex") == ["f", "m", "m", None, "f", None]


def test_sex_that_names_imply_counts_as_filled():
    frame = pd.DataFrame({"ФИО": ["Петров Иван Иванович", "Petrova Anna Ivanovna"]})
    people = read_people(frame, SEXED, {"full_name": "ФИО"})
    assert [field.name for field in filled(SEXED, people)] == ["surname", "given", "patronymic", "sex"]


def test_what_stands_in_brackets_is_no_part_of_a_name():
    frame = pd.DataFrame({"Ф": ["Иванова (Петрова)", "(Орлова)"], "И": ["Анна «Сова»", 'Лук"ян']})
    people = read_people(frame, SEXED, {"surname": "Ф", "given": "И"})
    assert (in_rows(people, "surname"), in_rows(people, "given")) == (["ivanova", "orlova"], ["ana", "lukian"])
