"""The invented rosters: as many of each kind as promised, as messy as lists are, and readable all the same."""

import datetime
import io
from collections import Counter

import numpy as np
import openpyxl
import pandas as pd
import pytest

import pprl
from pprl.demo import ABSENT, IN_REGISTRY, SCHEMA, TOO_LATE, invent, leaked
from pprl.demo.demo_random import DemoRandom, mistyped
from pprl.demo.people import CONSCRIPT, CONTRACT, LADDER, MOBILISATION, MOBILISED, REGISTRY_DATE, name_tables
from pprl.normalize.dates import parse_date
from pprl.normalize.names import fold_name
from pprl.normalize.ranks import fold_rank
from pprl.normalize.values import fold_category, fold_identifier
from pprl.roster.column_guess import propose_columns
from pprl.roster.load import load
from pprl.roster.people import MISSING

SEEDS = (1, 2, 2022)


@pytest.fixture(scope="module", params=SEEDS)
def rosters(request):
    return invent(request.param)


@pytest.fixture(scope="module")
def sheet(rosters, tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "list.xlsx"
    path.write_bytes(rosters.workbook())
    return pprl.read_roster(path)


def test_the_list_has_the_people_it_should(rosters):
    people = rosters.people
    assert Counter(person.service for person in people) == {CONTRACT: 858, MOBILISED: 150, CONSCRIPT: 2}
    ranks = Counter(LADDER[person.rank] for person in people)
    officers = [rank for rank in LADDER if "лейтенант" in rank or rank == "капитан"]
    assert len(officers) == 4
    assert (sum(ranks[rank] for rank in officers), ranks["майор"], ranks["подполковник"]) == (26, 1, 2)
    assert all(person.service == CONTRACT for person in people if person.rank >= LADDER.index(officers[0]))
    assert len(rosters.leaked) == len(people) + leaked.TWICE == 1_016
    assert set(Counter(entry.person for entry in rosters.entries).values()) == {1, 2}
    assert len({entry.person for entry in rosters.entries}) == 1_010


def test_some_stand_twice_by_another_hand(rosters):
    rows = {}
    for entry in rosters.entries:
        rows.setdefault(entry.person, []).append(entry)
    twice = [both for both in rows.values() if len(both) == 2]
    assert len(twice) == 6
    assert all(one.cells[2:4] != other.cells[2:4] for one, other in twice)
    assert sum(any(row.given.endswith(".") for row in both) for both in twice) >= 2
    assert sum(any(len(row.born) == 4 for row in both) for both in twice) >= 2


def test_two_naming_cultures_on_both_sides(rosters):
    tables = name_tables()
    others = {name for culture in ("buryat", "tuvan") for name in tables[culture, "surname"][0]}
    others -= set(tables["russian", "surname"][0])
    assert 0.14 < np.mean([person.surname in others for person in rosters.people]) < 0.22
    folded = {fold_name(name, given=False) for name in others}
    assert 0.14 < np.mean([fold_name(name, given=False) in folded for name in rosters.registry.surname]) < 0.22


def test_brothers_and_twins(rosters):
    families = Counter((person.surname, person.patronymic) for person in rosters.people)
    assert sum(count > 1 for count in families.values()) >= 16
    twins = Counter((person.surname, person.patronymic, person.born) for person in rosters.people)
    assert sum(count > 1 for count in twins.values()) >= 1
    assert max(Counter((p.surname, p.given, p.patronymic, p.born) for p in rosters.people).values()) == 1


def test_nobody_is_in_the_registry_before_they_joined(rosters):
    mobilised = [at for at, person in enumerate(rosters.people) if person.service == MOBILISED]
    assert {rosters.status(at) for at in mobilised} == {TOO_LATE}
    assert all(MOBILISATION[0] <= rosters.people[at].joined <= MOBILISATION[1] for at in mobilised)
    states = Counter(map(rosters.status, range(1_010)))
    assert all(rosters.people[at].joined < REGISTRY_DATE for at in rosters.ids)
    assert states[IN_REGISTRY] > 10 * states[ABSENT] > 0
    assert (pd.to_datetime(rosters.registry.joined).dt.date < REGISTRY_DATE).all()
    of_age = [person.joined - person.born for person in rosters.people]
    assert min(of_age) >= datetime.timedelta(days=18 * 365)


def test_the_registry(rosters):
    assert rosters.registry.shape == (12_000, 8)
    assert rosters.registry.id.is_unique
    assert rosters.registry.map(str.isascii).all(axis=None)
    assert 0.02 < (rosters.registry.birth_date == "").mean() < 0.04
    assert any(len(ids) == 2 for ids in rosters.ids.values())
    assert set(sum(rosters.ids.values(), ())) <= set(rosters.registry.id)


def test_a_seed_gives_the_same_files_and_another_seed_other_people():
    one, again, other = invent(1), invent(1), invent(2)
    pd.testing.assert_frame_equal(one.registry, again.registry)
    pd.testing.assert_frame_equal(one.truth(), again.truth())
    assert one.workbook() == again.workbook()
    assert not set(one.people) & set(other.people)


def test_the_sheet_reads_back_cell_by_cell(rosters, sheet):
    pd.testing.assert_frame_equal(sheet, rosters.leaked)


def test_every_person_reads_back_field_by_field(rosters, sheet):
    """No column is named: the headers are enough. What the clerk meant is what is read, and it is the person's own
    but for typing errors, initials and what the clerk left out."""
    schema = pprl.parse_schema(SCHEMA)
    people = load(sheet, schema, "list").people
    assert {reason for _, reason in people.left_out} <= {"a word for nothing"}
    read = {name: _texts(column) for name, column in people.columns.items()}
    for at, entry in enumerate(rosters.entries):
        person = rosters.people[entry.person]
        found = {name: values[at] for name, values in read.items()}
        assert found == {
            "surname": fold_name(entry.surname, given=False),
            "given": fold_name(entry.given, given=True),
            "patronymic": fold_name(entry.patronymic, given=True),
            "birth_date": entry.born,
            "rank": fold_rank(LADDER[person.rank]),
            "personal_number": fold_identifier(person.number) if entry.cells[4] else "",
            "category": fold_category(entry.cells[5]),
            "joined": str(parse_date(str(entry.cells[6]), "dmy") or ""),
        }, entry
    meant = [(entry, rosters.people[entry.person]) for entry in rosters.entries]
    assert all(person.born.isoformat().startswith(entry.born) for entry, person in meant)
    for name in ("surname", "given", "patronymic"):
        same = np.mean([getattr(entry, name) == getattr(person, name) for entry, person in meant])
        assert (0.93 if name == "surname" else 0.90) < same < 0.99
        assert all(
            getattr(entry, name)[:1] in ("", getattr(person, name)[0]) for entry, person in meant
        )  # an initial is theirs


def _texts(column):
    return ["" if code == MISSING else column.values[code] for code in column.codes]


def test_the_dates_of_joining_and_leaving_are_not_born(sheet):
    columns = propose_columns(sheet, pprl.parse_schema(SCHEMA), {}, 2022)
    assert columns["birth_date"].header == "Дата рожд."
    assert columns["full_name"].header == "Фамилия, имя, отчество"
    blank = sheet.set_axis([f"column {at}" for at in range(sheet.shape[1])], axis=1)
    columns = propose_columns(blank, pprl.parse_schema(SCHEMA), {}, 2022)
    assert {field: guess.header for field, guess in columns.items()} == {
        "birth_date": "column 3",
        "rank": "column 1",
        "personal_number": "column 4",
        "category": "column 5",
        "full_name": "column 2",
    }


def test_the_list_is_messy(rosters):
    names, dates = rosters.leaked["Фамилия, имя, отчество"], rosters.leaked["Дата рожд."]
    wanted = {
        "capitals": names.str.contains(r"^[А-ЯЁ-]{3,}\s[А-ЯЁ][а-яё]"),
        "a line break": names.str.contains("\n"),
        "initials": names.str.contains(r"[А-ЯЁ]\. ?[А-ЯЁ]\."),
        "a no-break space": names.str.contains("\N{NO-BREAK SPACE}"),
        "a Latin letter": names.str.contains("[a-zA-Z]"),
        "the surname last": names.str.contains(r"^\S+ \S+вич \S+$"),
        "a real date": dates.str.match(r"\d{4}-\d\d-\d\d$"),
        "text with the day first": dates.str.match(r"\d\d\.\d\d\.\d{4}$"),
        "slashes": dates.str.contains("/"),
        "a year in two digits": dates.str.match(r"\d\d\.\d\d\.\d\d$"),
        "a month in letters": dates.str.contains("[а-я]{3}"),
        "a year only": dates.str.match(r"\d{4}( г\.(р\.)?)?$"),
        "no date": dates.isin(["", "-", "н/д"]),
    }
    assert {what: int(rows.sum()) for what, rows in wanted.items() if not 3 <= rows.sum() <= 500} == {}
    ranks = rosters.leaked["В/зв"].map(fold_rank)
    assert rosters.leaked["В/зв"].groupby(ranks).nunique()["10"] >= 4


def test_the_workbook_is_laid_out_for_print(rosters):
    (page,) = openpyxl.load_workbook(io.BytesIO(rosters.workbook())).worksheets
    merged = {str(area) for area in page.merged_cells.ranges}
    assert {"A1:I1", "A2:I2", "A3:I3"} <= merged
    assert len(merged) == 4 + len(leaked.UNITS)
    assert page["A6"].font.b
    assert [cell.value for cell in page[7]] == list(range(1, 10))
    assert "____" in page.cell(page.max_row - 2, 3).value
    kinds = Counter(type(page.cell(row, 4).value).__name__ for row in range(9, page.max_row))
    assert {"datetime", "str", "int"} <= set(kinds)


def test_pairs_are_marked_by_person(rosters):
    number, ids = next((number, ids) for number, ids in rosters.present.items() if len(ids) == 2)
    other = next(theirs for theirs in rosters.registry.id if theirs not in ids)
    marks = rosters.marked([number, number, number], [*ids, other])
    assert (marks.right, marks.wrong, marks.missed) == (2, 1, len(rosters.ids) - 1)


def test_the_truth_names_every_row_and_every_copy(rosters):
    truth = rosters.truth()
    assert set(truth["№ п/п"]) == set(rosters.leaked["№ п/п"])
    assert set(truth.id[truth.status == IN_REGISTRY]) == set(sum(rosters.ids.values(), ()))
    assert (truth.id[truth.status != IN_REGISTRY] == "").all()


def test_draws_are_fair_and_repeatable():
    throws = Counter(DemoRandom(b"seed", "test").below(6) for _ in range(1))
    assert throws == Counter(DemoRandom(b"seed", "test").below(6) for _ in range(1))
    random = DemoRandom(b"seed", "test")
    counts = Counter(random.below(6) for _ in range(60_000))
    assert set(counts) == set(range(6))
    assert all(abs(count - 10_000) < 5 * np.sqrt(60_000 * 5 / 36) for count in counts.values())
    shares = Counter(random.weighted((("a", 1), ("b", 3))) for _ in range(40_000))
    assert abs(shares["a"] - 10_000) < 5 * np.sqrt(40_000 * 3 / 16)
    assert abs(sum(random.percent(2.5) for _ in range(40_000)) - 1_000) < 5 * np.sqrt(975)


def test_a_slip_changes_neither_the_first_letter_nor_the_ending():
    random = DemoRandom(b"seed", "test")
    slips = {mistyped("Иннокентьевич", random, "аеио") for _ in range(400)}
    assert len(slips) > 30
    assert all(slip.startswith("И") and slip.endswith("ич") for slip in slips)
    assert mistyped("Ян", random, "аеио") == "Ян"
