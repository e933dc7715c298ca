"""Columns are recognised by header, by contents, or not at all; ages distinguish birth dates from other dates."""

import pandas as pd
import pytest

import pprl
from pprl.core.errors import RosterError
from pprl.core.schema_file import parse_schema
from pprl.normalize.recognise import is_value
from pprl.roster.column_guess import Guess, guess_columns, propose_columns, propose_fields
from pprl.roster.people import People

YEAR = 2024
SCHEMA = parse_schema(
    'format = 1\nname = "x"\npolicy.registry_as_of = 2022-06-01\n'
    '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.patronymic]\ntype = "patronymic"\n'
    '[fields.birth_date]\ntype = "date"\n[fields.rank]\ntype = "rank"\nrole = "confirm"\n'
    '[fields.number]\ntype = "identifier"\nrole = "confirm"\n'
)
COLUMNS = {
    "full_name": ["Иванов Иван Иванович", "ПЕТРОВ Пётр", "Сидоров С.С.", "Павел Ильич Лугов", "Ким Олег"],
    "surname": ["Иванов", "Петрова", "Лугской", "Шевченко", "Ткачук"],
    "given": ["Иван", "Пётр", "Sergei", "Баир", "О."],
    "patronymic": ["Иванович", "Петровна", "Ильич", "Олексіївна", "Мамед оглы"],
    "date": ["12.03.1985", "1990-01-02", "3 мая 1979", "04.05.2001", "01.01.1970"],
    "year": ["1985", "1990", "1979", "2001", "1970"],
    "rank": ["ряд.", "ефр.", "ст. л-т", "майор", "п/п-к"],
    "sex": ["м", "ж", "муж."],
    "identifier": ["ТС-967127", "ГА 766701", "MД811171", "БР-784752", "РФ№009519"],
    "category": ["контракт", "мобилизация", "срочная служба", "Контрактник", "мобилизованный"],
    "row": ["1", "2", "3", "4", "5", "6", "8"],
}
NO_FIELD = {
    "dates of desertion": ["12.03.2023", "01.02.2022", "24.02.2022", "30.09.2022", "01.01.2024"],
    "towns": ["Верхний Дол", "Тихая", "Омск", "Чита", "Луга"],
    "remarks": ["отп.", "", "см. прим.", "в/ч 00000", "госпиталь"],
    "years of call-up": ["2022", "2023", "2019", "2021", "2020"],
    "mixed": ["Иванов", "12.03.1985", "7", "ряд.", "прочее"],
}


def frame_of(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({header: pd.Series(cells, dtype=object) for header, cells in columns.items()}).fillna("")


def guess_of(header: str, cells: list[str]) -> Guess | None:
    guesses = guess_columns(frame_of(**{header: cells}), YEAR)
    return guesses[0] if guesses else None


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_without_a_known_header_is_known_by_its_contents(kind):
    guess = guess_of("графа", COLUMNS[kind])
    assert guess is not None
    assert guess.kind == kind
    assert guess.word == "likely"


@pytest.mark.parametrize("cells", NO_FIELD.values(), ids=NO_FIELD)
def test_what_is_no_field_is_not_guessed(cells):
    assert guess_of("графа", cells) is None


@pytest.mark.parametrize(
    ("header", "held", "kind", "word"),
    [
        ("Фамилия", "surname", "surname", "sure"),
        ("Имя", "full_name", "full_name", "likely"),  # the whole name under a word for a part of it
        ("name", "given", "given", "likely"),
        ("Номер", "row", "row", "likely"),
        ("Дата рождения", "date", "date", "sure"),
        ("Отчество", "given", "given", "likely"),  # columns shifted by one
    ],
)
def test_contents_overrule_a_header_only_when_they_are_plain(header, held, kind, word):
    guess = guess_of(header, COLUMNS[held])
    assert (guess.kind, guess.word) == (kind, word)


def test_a_header_whose_cells_cannot_be_read_is_doubtful_and_one_above_nothing_more_so():
    assert guess_of("Дата рождения", NO_FIELD["dates of desertion"]).word == "doubtful"
    assert guess_of("Фамилия", ["", ""]).confidence < guess_of("Дата рождения", NO_FIELD["towns"]).confidence


def mapped(frame: pd.DataFrame, schema=SCHEMA, **given: str) -> dict[str, str]:
    return {field: guess.header for field, guess in propose_columns(frame, schema, given, YEAR).items()}


def test_an_unknown_table_is_mapped_by_contents():
    frame = frame_of(a=COLUMNS["full_name"], b=COLUMNS["date"], c=COLUMNS["rank"], d=NO_FIELD["dates of desertion"])
    assert mapped(frame) == {"full_name": "a", "birth_date": "b", "rank": "c"}


def test_a_known_header_goes_before_contents():
    frame = frame_of(**{"выдан": COLUMNS["date"], "Дата рождения": COLUMNS["date"][::-1]})
    assert mapped(frame) == {"birth_date": "Дата рождения"}


def test_two_equal_candidates_stop_the_command_and_name_the_option():
    frame = frame_of(a=COLUMNS["date"], b=COLUMNS["date"][::-1])
    with pytest.raises(RosterError, match="2 columns could be birth_date: column 1, column 2") as refusal:
        mapped(frame)
    assert "--column birth_date=HEADER" in refusal.value.hint
    assert mapped(frame, birth_date="b") == {}


def test_a_year_serves_a_date_where_there_is_no_date():
    assert mapped(frame_of(**{"г.р.": COLUMNS["year"]})) == {"birth_date": "г.р."}


def test_names_in_parts_beside_a_given_name_called_name():
    frame = frame_of(surname=COLUMNS["surname"], name=COLUMNS["given"])
    assert mapped(frame) == {"surname": "surname", "given": "name"}


def test_fields_that_all_rosters_share():
    one = guess_columns(frame_of(ФИО=COLUMNS["full_name"], b=COLUMNS["date"], c=COLUMNS["rank"]), YEAR)
    two = guess_columns(frame_of(surname=COLUMNS["surname"], given=COLUMNS["given"], yob=COLUMNS["year"]), YEAR)
    assert list(propose_fields([one])) == ["surname", "given", "patronymic", "birth_date", "rank"]
    assert list(propose_fields([one, two])) == ["surname", "given", "birth_year"]


@pytest.mark.parametrize("text", ["12.03.1985", "Пётр Иванович Лугов", "Ильич", "ТС-967127", "Иван"])
def test_a_cell_of_a_person(text):
    assert is_value(text)


@pytest.mark.parametrize("text", ["Дата рождения", "2022", "Фамилия Имя Отчество", "№", "Combat unit", "", "1"])
def test_a_cell_of_a_header(text):
    assert not is_value(text)


HEADERLESS = {
    "whole rows": (
        "ряд.;Иванов Иван Иванович;12.03.1985;АБ-123456\nефр.;Петров Пётр Петрович;30.11.1986;АБ-123457\n",
        ["column A", "column B", "column C", "column D"],
        2,
    ),
    "names with a comma": ("Иванов, Иван Иванович\nПетров, Пётр\nСидоров, С.С.\n", ["full_name"], 3),
    "an unknown header stays one": ("кто;когда\nИванов Иван;12.03.1985\n", ["кто", "когда"], 1),
}


@pytest.mark.parametrize(("text", "columns", "rows"), HEADERLESS.values(), ids=HEADERLESS)
def test_a_table_without_a_header_keeps_its_first_person(text, columns, rows, tmp_path):
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    frame = pprl.read_roster(tmp_path / "roster.csv")
    assert (list(frame.columns), len(frame)) == (columns, rows)


def people(dates: list[str], **options: bool) -> People:
    frame = frame_of(surname=["Лугов"] * len(dates), birth_date=dates)
    return pprl.load(frame, SCHEMA, "list", **options).people


def test_dates_that_make_children_are_no_birth_dates():
    with pytest.raises(RosterError, match="make 2 of 21 people younger than 16 and 0 older than 75 in 2022") as refusal:
        people(["01.01.1990"] * 19 + ["24.02.2022", "30.09.2021"])
    assert "--column birth_date=HEADER" in refusal.value.hint
    assert "--any-age" in refusal.value.hint


def test_the_limits_of_ages():
    assert len(people(["01.01.2006"] * 10 + ["31.12.1947"] * 10)) == 20  # 16 and 75 in 2022
    with pytest.raises(RosterError, match="10 of 20 people younger than 16 and 10 older than 75"):
        people(["01.01.2007"] * 10 + ["31.12.1946"] * 10)
    assert len(people(["24.02.2022"] + ["1990"] * 19)) == 20  # one of twenty may be mistyped
    assert len(people(["24.02.2022"] + ["1990"] * 5)) == 6  # and one of six
    assert len(people(["24.02.2022"] * 10, any_age=True)) == 10


def test_without_a_day_in_the_schema_ages_are_counted_now():
    from pprl.roster import ages

    today = parse_schema('format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.born]\ntype = "year"\n')
    assert ages.year_of_ages(SCHEMA) == 2022
    assert ages.year_of_ages(today) == pd.Timestamp.now().year
