"""Headers, pages and broken rows: what is no person is none, and nobody is lost between the pages."""

import openpyxl
import pytest
from helpers.rosters import HEADER, as_csv, assert_nothing_lost_in_silence, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.errors import RosterError
from pprl.roster.files.headers import header_type, is_short_for
from pprl.roster.files.read import read_roster

PEOPLE = [
    ["Обухов", "Пётр", "Львович", "09.02.1996", "10000001"],
    ["Щеглов", "Кирилл", "Ильич", "21.07.1978", "10000002"],
    ["Ельшин", "Лев", "Петрович", "27.07.1992", "10000003"],
    ["Осокин", "Егор", "Глебович", "15.05.1979", "10000004"],
]


@pytest.fixture
def roster(tmp_path):
    def write(rows, encoding="utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes(as_csv(rows, header=None, encoding=encoding))
        return path

    return write


HEADERS_OF_PAGES = {
    "the same": HEADER,
    "with more spaces": ["Фамилия ", "Имя", "Отчество", "Дата  рождения", "Личный номер"],
    "shortened": ["Фамилия", "Имя", "Отч.", "Дата рожд.", "Личн. №"],
    "in other words": ["Фамилия", "Имя", "Отчество", "Д.р.", "Жетон"],
    "in capitals": [label.upper() for label in HEADER],
}


@pytest.mark.parametrize("again", HEADERS_OF_PAGES.values(), ids=HEADERS_OF_PAGES)
def test_the_header_of_another_page(roster, again):
    frame = read_roster(roster([HEADER, *PEOPLE[:2], again, *PEOPLE[2:]]))
    assert frame.values.tolist() == PEOPLE
    assert frame.index.tolist() == [2, 3, 5, 6]


@pytest.mark.parametrize(
    "foot", ["Страница 1 из 3", "стор. 2", "Page 2 of 7", "Аркуш 3", "Seite 2 von 4", "- 2 -", "Pág. 4", "עמוד 3"]
)
def test_the_foot_of_a_page_is_neither_a_person_nor_a_section(roster, foot):
    frame = read_roster(roster([HEADER, *PEOPLE[:2], [foot], *PEOPLE[2:]]))
    assert frame.values.tolist() == PEOPLE
    assert "section" not in frame.columns


def test_another_table_put_below_with_other_columns_is_refused_by_its_row(roster):
    """Its surnames would be read as given names."""
    swapped = [[HEADER[1], HEADER[0], *HEADER[2:]], *([row[1], row[0], *row[2:]] for row in PEOPLE[2:])]
    with pytest.raises(RosterError, match="row 4: the header of another table") as refusal:
        read_roster(roster([HEADER, *PEOPLE[:2], *swapped]))
    assert "--list" in refusal.value.hint


def test_people_who_share_words_with_the_header_stay(roster):
    rows = [["Дата", "Имя", "Отчествов", "09.02.1996", "1"], ["Фамилия", "Лев", "", "", ""]]
    assert len(read_roster(roster([HEADER, *PEOPLE, *rows]))) == 6


UNKNOWN = {
    "metadata above": [["Reporte", "2022-03-01", "x"], ["Filtro", "todos", ""], ["Qwe", "Asd", "Zxc"]],
    "a line on the export": [["Export", "", ""], ["Qwe", "Asd", "Zxc"]],
}


@pytest.mark.parametrize("above", UNKNOWN.values(), ids=UNKNOWN)
def test_headers_that_nobody_knows_are_found_above_their_columns(roster, above):
    people = [[row[0], row[1], row[3]] for row in PEOPLE]
    frame = read_roster(roster([*above, *people]))
    assert frame.columns.tolist() == above[-1]
    assert frame.values.tolist() == people
    assert frame.attrs["notes"] == (
        f"row {len(above)}: was taken for the header, though no word in it is known as one",
    )


def test_a_first_row_that_may_be_a_person_is_named(roster):
    """No rule can tell a rare name from a header in a language that is not known."""
    frame = read_roster(roster([["Тагизаде", "Гасанага"], ["Лугов", "Пётр"], ["Осокин", "Лев"], ["Ельшин", "Егор"]]))
    assert len(frame) == 3
    assert "row 1: was taken for the header, though no word in it is known as one" in frame.attrs["notes"]


def test_a_roster_without_any_header_keeps_its_first_person(roster):
    assert len(read_roster(roster(PEOPLE))) == 4


LANGUAGES = [
    ["Nazwisko", "Imię", "Imię ojca", "Data urodzenia"],
    ["Nachname", "Vorname", "Vatersname", "Geburtsdatum"],
    ["Nom", "Prénom", "Prénom du père", "Date de naissance"],
    ["Apellidos", "Nombres", "Nombre del padre", "Fecha de nacimiento"],
    ["Soyadı", "Adı", "Baba adı", "Doğum tarihi"],
    ["Прозвішча", "Імя", "Імя па бацьку", "Дата нараджэння"],
    ["Тегі", "Аты", "Әкесінің аты", "Туған күні"],
    ["გვარი", "სახელი", "მამის სახელი", "დაბადების თარიღი"],
    ["Ազգանուն", "Անուն", "Հայրանուն", "Ծննդյան ամսաթիվ"],
    ["Επώνυμο", "Όνομα", "Πατρώνυμο", "Ημερομηνία γέννησης"],
    ["שם משפחה", "שם פרטי", "שם האב", "תאריך לידה"],
    ["نام خانوادگی", "نام", "نام پدر", "تاریخ تولد"],
    ["اللقب", "الاسم الأول", "اسم الأب", "تاريخ الميلاد"],
]


@pytest.mark.parametrize("labels", LANGUAGES, ids=[labels[0] for labels in LANGUAGES])
def test_headers_in_the_languages_read(labels):
    assert [header_type(label) for label in labels] == ["surname", "given", "patronymic", "date"]


def test_a_header_is_shortened_at_the_end_of_its_words():
    assert is_short_for("Дата рожд.", "Дата рождения")
    assert is_short_for("дата  рождения", "Дата рождения")
    assert not is_short_for("Дата смерти", "Дата рождения")
    assert not is_short_for("", "Дата рождения")


def test_a_name_broken_over_two_rows_is_one_person(roster):
    rows = [
        ["ФИО", "Дата рождения"],
        ["Обухов Пётр", "09.02.1996"],
        ["Львович", ""],
        ["Щеглов Лев Ильич", "21.07.1978"],
    ]
    frame = read_roster(roster(rows))
    assert frame["ФИО"].tolist() == ["Обухов Пётр Львович", "Щеглов Лев Ильич"]
    assert frame.attrs["notes"] == ("row 3: continues the row above and was joined to it",)


def test_a_patronymic_alone_below_a_whole_name_stays_and_loses_nobody(roster):
    rows = [
        ["ФИО", "Дата рождения"],
        ["Обухов Пётр Ильич", "09.02.1996"],
        ["Львович", ""],
        ["Щеглов Лев", "21.07.1978"],
    ]
    assert len(read_roster(roster(rows))) == 3


def test_a_header_on_each_page_of_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    for row in [HEADER, *PEOPLE[:2], HEADERS_OF_PAGES["shortened"], *PEOPLE[2:]]:
        book.active.append(row)
    book.save(tmp_path / "roster.xlsx")
    assert read_roster(tmp_path / "roster.xlsx").values.tolist() == PEOPLE


@settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), people=clean_rosters())
def test_pages_put_together_lose_nobody(tmp_path, data, people):
    path, mark = tmp_path / "roster.csv", data.draw(st.sampled_from(["", "\ufeff"]))
    path.write_bytes(as_csv(people))
    clean = read(path)
    again = data.draw(st.sampled_from(list(HEADERS_OF_PAGES.values())))
    at = data.draw(st.integers(1, len(people)))
    data_of_pages = as_csv(people[:at]), (mark.encode() + as_csv([*people[at:]], header=again))
    path.write_bytes(b"".join(data_of_pages))
    assert read(path).people == clean.people
    assert_nothing_lost_in_silence(clean, read(path), [])
