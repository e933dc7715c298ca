"""Of a date as people and programs write it, what can be known is kept; what cannot be right is said."""

import datetime

import pandas as pd
import pytest
from helpers.rosters import SCHEMA, as_csv, assert_nothing_lost_in_silence, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.normalize.dates import decide_order, parse_date, time_of_day, why_no_date
from pprl.normalize.names import fold_name
from pprl.normalize.text import read_table
from pprl.roster.load import load
from pprl.roster.streaming import people_in_parts

KEPT = {
    "1985-03-12": [
        *("12.03.1985 р.н.", "12.03.1985г.р.", "12 марта 1985 года рождения", "12.03.1985.", "12.03.1985;"),
        *("12.III.1985", "12-III-85", "12/iii/1985", "12 III 1985", "12 mar 1985", "12-Mar-1985", "Mar 12, 1985"),
        *("1985-Mar-12", "12 марта 1985, 00:00", "12.03.1985 12:00:00 AM", "1985-03-12T00:00:00.000+03:00"),
        *("Tue Mar 12 1985 00:00:00 GMT+0300 (Moscow Standard Time)", "Tue, 12 Mar 1985", "род. 12.03.1985"),
        *("12 березня 1985 року народження", "12 сакавіка 1985 г.н.", "12 наурыз 1985 ж.", "12 marca 1985 r."),
        *("geb. am 12. März 1985", "né le 12 mars 1985", "12 de marzo de 1985", "12 Mart 1985", "12 მარტი 1985"),
        *("12 Մարտի 1985 թ.", "12 Μαρτίου 1985", "12 مارس 1985", "12 آذار 1985", "12 במרץ 1985", "12 marta 1985"),
        *("12.03.1985 (по паспорту)", "12.03.1985 (41 год)", "дата рождения: 12.03.1985", "12.03.1985 г. "),
    ],
    "1985-01-12": [
        "12 كانون الثاني 1985",
        "١٢.٠١.١٩٨٥",
        "۱۲ ژانویه ۱۹۸۵",
        "12 stycznia 1985",
        "12 қаңтар 1985",
        "12 yanvarya 1985",
        "12.І.1985",
    ],
    "1985-03": [
        *("00.03.1985", "??.03.1985", "xx.03.1985", "хх.03.1985", "__.03.1985", "--.03.1985", "1985-03-00"),
        *("1985-03-XX", "1985-03-??", "03.1985", "III.1985", "март 1985 г.", "1985, March", "00/03/1985"),
    ],
    "1985": [
        *("00.00.1985", "??.??.1985", "__.__.1985", "--.--.1985", "..1985", "01.??.1985", "1985-00-00", "xx/xx/1985"),
        *(
            "1985 р.н.",
            "1985 года рождения",
            "1985-го",
            "1985г.р.",
            "1985 rok",
            "born 1985",
            "нар. 1985",
            "Jahrgang 1985",
        ),
        *("около 1985", "ок. 1985 г.", "~1985", "1985?", "1985 (?)", "приблизно 1985 року", "ca. 1985", "vers 1985"),
        *("около 12.03.1985", "hacia 1985", "yaklaşık 1985", "حوالي 1985", "בערך 1985", "≈1985", "00.00.85"),
    ],
}
UNREADABLE = {
    "a date of another calendar": [
        *("1364/05/12", "12.05.1364", "1364", "12 فروردین 1364", "1405-02-03", "12.02.1405"),
        *("5 Adar 5745", "5745", "12 אדר 5745", "12.03.2528", "12 محرم 1405", "12 farvardin 64"),
    ],
    "a spreadsheet's number of a day": ["29657", "31118.0"],
    "not a date": [
        *("19??", "198?", "1985 или 1986", "1985-1986", "до 1985", "после 1985", "12.XIII.1985", "32 марта 1985"),
        *("12 мартобря 1985", "30.02.1985", "12 марта", "в детстве", "1849", "IV", "12.x.y", "xx", "?", "01.13.1985"),
    ],
}


@pytest.mark.parametrize(("date", "cell"), [(date, cell) for date, cells in KEPT.items() for cell in cells])
def test_what_is_known_of_a_date_is_kept(date, cell):
    assert str(parse_date(cell, "dmy")) == date


@pytest.mark.parametrize(("reason", "cell"), [(why, cell) for why, cells in UNREADABLE.items() for cell in cells])
def test_what_is_no_date_has_a_reason(reason, cell):
    assert parse_date(cell, "dmy") is None
    assert (why_no_date(cell) or "not a date") == reason


def test_every_month_of_the_table_is_read_and_none_is_two():
    """In capitals too, and no name of a month folds to that of another."""
    months = read_table("months.tsv")
    folded: dict[str, set[str]] = {}
    for row in months:
        expected = "None" if row["month"] == "-" else f"1985-{int(row['month']):02d}-12"
        assert str(parse_date(f"12 {row['name']} 1985", "dmy")) == expected, row
        if row["name"].upper().lower() == row["name"] or "ı" in row["name"]:
            assert str(parse_date(f"12 {row['name'].upper()} 1985", "dmy")) == expected, row
        if row["name"] < "\u0590" or row["name"] > "\u08ff":
            folded.setdefault(fold_name(row["name"], given=False), set()).add(row["month"])
    assert not {name: numbers for name, numbers in folded.items() if len(numbers) > 1}


def test_every_word_beside_a_date_comes_off():
    for row in read_table("date_words.tsv"):
        cells = {
            "before": [f"{row['word']} 12.03.1985", f"{row['word']}. 12.03.1985"],
            "after": [f"12.03.1985 {row['word']}", f"12.03.1985 {row['word']}."],
        }[row["place"]]
        expected = "1985" if row["meaning"] == "about" else "1985-03-12"
        assert {str(parse_date(cell, "dmy")) for cell in cells} == {expected}, row


def test_open_parts_do_not_vote_on_the_order():
    assert decide_order(["00/13/1985", "13/00/1985", "31/12/1985"]) == "dmy"
    assert decide_order(["05/15/1979 12:00:00 AM", "1/2/1980 12:00:00 AM"]) == "mdy"
    assert {str(parse_date("00/00/1985", order)) for order in ("ymd", "dmy", "mdy")} == {"1985"}


def test_dates_of_another_calendar_are_named_and_ask_for_no_order(tmp_path):
    rows = [["Лугов", "Олег", "Львович", f"0{day}/0{day + 1}/{2510 + day}", str(10**7 + day)] for day in range(1, 8)]
    (tmp_path / "list.csv").write_bytes(as_csv(rows))
    found = read(tmp_path / "list.csv")
    assert [person[3] for person in found.people] == [None] * 7
    assert any("7 cell(s) of birth_date left out: a date of another calendar" in line for line in found.lines)


DAYS = [str(28_000 + 97 * row) for row in range(20)]


def test_a_column_of_a_spreadsheets_days_is_read_as_days(tmp_path):
    path = tmp_path / "list.csv"
    rows = [["Лугов", "Олег", "Львович", day, str(10_000_019 + 7 * row)] for row, day in enumerate(DAYS)]
    path.write_bytes(as_csv(rows))
    seen = read(path)
    days = [str(datetime.date(1899, 12, 30) + datetime.timedelta(days=int(day))) for day in DAYS]
    assert [person[3] for person in seen.people] == days
    assert any("spreadsheet's days" in line for line in seen.lines)
    parts = people_in_parts(path, SCHEMA, rows=6)
    assert [part.columns["birth_date"].values for part in parts] == [tuple(days[at : at + 6]) for at in (0, 6, 12, 18)]
    path.write_bytes(as_csv([*rows, ["Мирный", "Пётр", "Ильич", "12.03.1985", "10000013"]]))
    mixed = read(path)
    assert {person[3] for person in mixed.people} == {None, "1985-03-12"}
    assert mixed.names(2)


def times_of(tmp_path, cells, to_bytes=None):
    """What is said of times, by the whole file and by its parts."""
    path = tmp_path / "list"
    names = [f"Лугов{'ъ' * (row % 3)}" for row in range(len(cells))]
    if to_bytes:
        frame = pd.DataFrame({"Фамилия": names, "Дата рождения": cells})
        getattr(frame, to_bytes)(path, **({"engine": "xlsxwriter"} if to_bytes == "to_excel" else {}), index=False)
    else:
        path.write_bytes(as_csv(list(zip(names, cells, strict=True)), header=["Фамилия", "Дата рождения"]))
    lines: list[str] = []
    load(path, SCHEMA, "list", note=lines.append)
    parts: list[str] = []
    people_in_parts(path, SCHEMA, "list", rows=4, note=parts.append)
    said = [line for line in lines if "time zones" in line]
    assert said == [line for line in parts if "time zones" in line]
    return "".join(said)


BORN = [datetime.datetime(1979, 5, 14, 21) + datetime.timedelta(days=31 * row) for row in range(24)]


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M+00:00"],
)
def test_midnight_in_another_time_zone_is_said_with_rows(tmp_path, form):
    said = times_of(tmp_path, [day.strftime(form) for day in BORN])
    assert "24 of 24 dates of birth_date carry a time, most of them 21:00 (row 2, 3, 4, 5, 6, …)" in said
    assert "write days as dates" in said


@pytest.mark.parametrize("to_bytes", ["to_parquet", "to_excel"])
def test_parquet_and_workbooks_carry_times_too(tmp_path, to_bytes):
    if to_bytes == "to_parquet":
        pytest.importorskip("pyarrow")
    assert "most of them 21:00" in times_of(tmp_path, BORN, to_bytes)


def test_summer_time_and_london_are_seen_through(tmp_path):
    summer = [f"1979-0{row}-12T2{row % 2}:00:00Z" for row in range(1, 10)]
    london = [f"1979-0{row}-12T{'23' if row > 5 else '00'}:00:00Z" for row in range(1, 10)]
    assert "9 of 9" in times_of(tmp_path, summer)
    assert "4 of 9" in times_of(tmp_path, london)


@pytest.mark.parametrize(
    "cells",
    [
        [f"1979-05-{row:02} 00:00:00" for row in range(1, 25)],
        [f"1979-05-{row:02} 12:00:00" for row in range(1, 25)],
        [f"1979-05-{row:02} {row % 24:02}:{row * 7 % 60:02}" for row in range(1, 25)],
        [*(f"1979-05-{row:02}" for row in range(1, 30)), "1979-05-30 21:00"],
        [f"1979-05-{row:02}T05:00:00Z" for row in range(1, 25)],
    ],
    ids=["midnight", "noon", "times of birth", "one in thirty", "New York, the right day"],
)
def test_other_times_are_no_reason_to_warn(tmp_path, cells):
    assert times_of(tmp_path, cells) == ""


def test_days_made_of_years_are_said(tmp_path):
    path = tmp_path / "list.csv"
    cells = [f"01.01.{1960 + row}" for row in range(12)] + [f"{row + 2}.07.1980" for row in range(20)]
    path.write_bytes(as_csv([["Лугов", cell] for cell in cells], header=["Фамилия", "Дата рождения"]))
    assert any("12 of 32 dates of birth_date are 1 January" in line for line in read(path).lines)


def test_a_time_of_day_is_that_of_the_clock():
    assert time_of_day("3/12/1985 9:00:00 PM") == "21:00"
    assert [time_of_day(text) for text in ("12:00", "1985", "1985-03-12 00:00", "Лугов: 21:00")] == [None] * 4


WRITE = {
    "of a year of birth": lambda day: f"{day:%d.%m.%Y} р.н.",
    "as a guard": lambda day: f'="{day:%d.%m.%Y}"',
    "with Roman months": lambda day: f"{day.day}.{ROMAN[day.month - 1]}.{day.year}",
    "with Polish months": lambda day: f"{day.day} {POLISH[day.month - 1]} {day.year} r.",
    "with a full stop": lambda day: f"{day:%d.%m.%Y}.",
    "open days": lambda day: f"00.{day:%m.%Y}",
    "open months": lambda day: f"??.??.{day:%Y}",
    "about": lambda day: f"ок. {day:%Y}",
    "ISO with unknown day": lambda day: f"{day:%Y-%m}-XX",
}
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
POLISH = [
    "stycznia",
    "lutego",
    "marca",
    "kwietnia",
    "maja",
    "czerwca",
    "lipca",
    "sierpnia",
    "września",
    "października",
    "listopada",
    "grudnia",
]


@pytest.mark.parametrize("way", WRITE)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=clean_rosters())
def test_of_every_date_at_least_the_year_is_kept(tmp_path, way, rows):
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows))
    clean = read(path)
    days = [datetime.datetime.strptime(row[3], "%d.%m.%Y") for row in rows]
    path.write_bytes(as_csv([[*row[:3], WRITE[way](day), row[4]] for row, day in zip(rows, days, strict=True)]))
    seen = read(path)
    for before, after in zip(clean.people, seen.people, strict=True):
        assert before[:3] == after[:3]
        assert after[3] is not None
        assert before[3].startswith(after[3])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=clean_rosters(), data=st.data())
def test_a_date_that_is_no_date_is_named(tmp_path, rows, data):
    wrong = data.draw(st.sampled_from([cell for cells in UNREADABLE.values() for cell in cells]))
    at = data.draw(st.integers(0, len(rows) - 1))
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows))
    clean = read(path)
    path.write_bytes(as_csv([*rows[:at], [*rows[at][:3], wrong, rows[at][4]], *rows[at + 1 :]]))
    assert_nothing_lost_in_silence(clean, read(path), [at + 2])
