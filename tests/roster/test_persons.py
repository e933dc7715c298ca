"""Rows that are one person count once; rows that only might be stay separate."""

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pprl
from pprl.core.schema_file import parse_schema
from pprl.roster.people import People
from pprl.roster.persons import is_no_fuller, persons_of

SCHEMA = parse_schema(
    'format = 1\nname = "x"\npolicy.registry_as_of = 2022-06-01\n'
    '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.patronymic]\ntype = "patronymic"\n'
    '[fields.born]\ntype = "date"\n[fields.number]\ntype = "identifier"\nrole = "confirm"\n'
)
UNDATED = parse_schema('format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n')


def people(*rows: str, schema=SCHEMA) -> People:
    cells = [[cell.strip() for cell in row.split(";")] for row in rows]
    frame = pd.DataFrame(cells, columns=[field.name for field in schema.fields][: len(cells[0])], dtype=object)
    return pprl.load(frame, schema, "list", any_age=True).people


FULL = "Лугов;Иван;Петрович;12.03.1985"
CASES = {
    "equal rows": ([FULL, FULL], [0, 0]),
    "other letters of one name": ([FULL, "Lugov;Ivan;Petrovich;1985-03-12"], [0, 0]),
    "initials": ([FULL, "Лугов;И.;П.;12.03.1985"], [0, 0]),
    "a year": ([FULL, "Лугов;Иван;;1985"], [0, 0]),
    "initials and a year, before the full row": (["Лугов;И.;П.;1985", FULL], [1, 1]),
    "two who fit: nobody in particular": ([FULL, "Лугов;Илья;Павлович;12.04.1985", "Лугов;И.;П.;1985"], [0, 1, 2]),
    "three steps of one person": ([FULL, "Лугов;И.;П.;12.03.1985", "Лугов;И.;;1985"], [0, 0, 0]),
    "another day": ([FULL, "Лугов;И.;П.;13.03.1985"], [0, 1]),
    "another name": ([FULL, "Лугов;Илья;Петрович;12.03.1985"], [0, 1]),
    "no date": ([FULL, "Лугов;Иван;Петрович;"], [0, 1]),
    "no given name": ([FULL, "Лугов;;;12.03.1985"], [0, 1]),
    "nothing at all, twice": ([";;;", ";;;"], [0, 1]),
}


@pytest.mark.parametrize(("rows", "person"), CASES.values(), ids=CASES)
def test_who_is_one_person(rows, person):
    assert persons_of(people(*rows), SCHEMA).tolist() == person


MORE = [f"Зимин;Олег;;0{index}.01.1980;АБ-00000{index}" for index in range(1, 10)]
BY_NUMBER = {
    "a mistyped date": (f"{FULL};АБ-123456", "Лугов;И.;П.;12.03.1958;аб 123456", True),
    "another surname": (f"{FULL};АБ-123456", "Зимин;Иван;Петрович;12.03.1985;АБ-123456", False),
    "another initial": (f"{FULL};АБ-123456", "Лугов;Пётр;Петрович;12.03.1985;АБ-123456", False),
    "too short to be personal": (f"{FULL};12", "Лугов;Иван;Петрович;12.03.1958;12", False),
}


@pytest.mark.parametrize(("first", "second", "one"), BY_NUMBER.values(), ids=BY_NUMBER)
def test_one_personal_number_is_one_person(first, second, one):
    assert persons_of(people(*MORE, first, second), SCHEMA).tolist()[9:] == ([9, 9] if one else [9, 10])


def test_a_number_that_many_bear_is_no_personal_one():
    rows = [f"Лугов;Иван;;0{index}.01.1980;в/ч 00000" for index in range(1, 6)]
    assert persons_of(people(*rows), SCHEMA).tolist() == [0, 1, 2, 3, 4]


def test_without_dates_only_equals_are_one():
    rows = people("Лугов;Иван", "Лугов;И.", "Лугов;Иван", schema=UNDATED)
    assert persons_of(rows, UNDATED).tolist() == [0, 1, 0]


def slow(rows: People) -> list[int]:
    """The definition, row by row: fullest first, each row joins the only person of whom it is a shorter form."""

    def values_of(index: int) -> list[str]:
        codes = [rows.columns[field.name].codes[index] for field in SCHEMA.linked()]
        return [
            "" if code < 0 else rows.columns[f.name].values[code]
            for f, code in zip(SCHEMA.linked(), codes, strict=True)
        ]

    def size(index: int) -> int:
        words = [word for value in values_of(index) if value for word in value.split(" ")]
        return sum(1 if word.endswith(".") else 2 for word in words) + sum(
            value.count("-") for value in values_of(index)
        )

    person = list(range(len(rows)))
    persons: list[int] = []
    for index in sorted(person, key=lambda index: (-size(index), index)):
        own = values_of(index)
        equal = [p for p in persons if values_of(p) == own and any(own)]
        fits = [
            p
            for p in persons
            if own[0] == values_of(p)[0] != ""
            and own[1][:1] == values_of(p)[1][:1] != ""
            and own[3][:4] == values_of(p)[3][:4] != ""
            and all(is_no_fuller(a, b, f.type) for a, b, f in zip(own, values_of(p), SCHEMA.linked(), strict=True))
        ]
        if equal or len(fits) == 1:
            person[index] = (equal or fits)[0]
        else:
            persons.append(index)
    return person


ROW = st.tuples(
    st.sampled_from(["Лугов", "Зимин", ""]),
    st.sampled_from(["Иван", "Илья", "И.", ""]),
    st.sampled_from(["Петрович", "П.", ""]),
    st.sampled_from(["12.03.1985", "13.03.1985", "03.1985", "1985", "1986", ""]),
)


@given(st.lists(ROW, min_size=1, max_size=12))
def test_persons_equal_their_definition(rows):
    read = people(*(";".join(row) for row in rows))
    assert persons_of(read, SCHEMA).tolist() == slow(read)


def roster(*rows: str) -> pd.DataFrame:
    return pd.DataFrame([row.split(";") for row in rows], columns=["Фамилия", "Имя", "Отчество", "Дата рождения"])


def test_parts_of_a_list_keep_their_own_columns_and_rows():
    parts = [roster(FULL), roster(FULL, "Зимин;Олег;;01.02.1980").rename(columns={"Имя": "Зовут"})]
    both = pprl.load(parts, SCHEMA, "list", columns={"given": "Зовут"}).people
    assert both.rows.tolist() == [100_000_000_000, 200_000_000_000, 200_000_000_001]
    assert persons_of(both, SCHEMA).tolist() == [0, 0, 2]
    with pytest.raises(pprl.PprlError, match="no part has a column 'nowhere'"):
        pprl.load(parts, SCHEMA, "list", columns={"given": "nowhere"})


def test_a_list_in_two_parts_is_linked_as_one():
    draw = random.Random(1)
    surnames, given = ["Лугов", "Зимин", "Озеров", "Полев", "Снегов", "Дубов"], ["Иван", "Олег", "Юрий", "Глеб"]
    rows = [
        f"{draw.choice(surnames)};{draw.choice(given)};{draw.choice(given)}ович;"
        f"{draw.randint(1, 28):02d}.{draw.randint(1, 12):02d}.{draw.randint(1960, 2003)}"
        for _ in range(400)
    ]
    registry = roster(*rows[:200], *rows[300:])
    whole = pprl.link(roster(*rows[100:300]), registry, SCHEMA, seed=1)
    parts = pprl.link([roster(*rows[100:220]), roster(*rows[180:300])], registry, SCHEMA, seed=1)
    people = whole.record.rosters.list_people
    assert (parts.record.rosters.list_rows, parts.record.rosters.list_people) == (240, people)
    assert (parts.found, parts.net_found) == (whole.found, whole.net_found)
    assert sum(part.people for part in parts.lists) == people
    assert sum(part.found for part in parts.lists) == whole.found
    assert set(parts.to_frame()["list"]) <= {1, 2}
    assert "list" not in whole.to_frame()
