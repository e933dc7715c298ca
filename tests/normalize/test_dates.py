"""A date is read as far as it is written, in the order of its column, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprl.normalize.dates import ORDERS, Order, PartialDate, decide_order, parse_date

IN_ANY_ORDER = {
    "1985-03-12": "1985-03-12",
    "1985-3-2": "1985-03-02",
    "1985/03/12": "1985-03-12",
    "1985.03.12": "1985-03-12",
    "1985-03-12 00:00:00": "1985-03-12",
    "1985-03-12T00:00:00": "1985-03-12",
    "1985-03-12T00:00:00Z": "1985-03-12",
    "12.03.1985": "1985-03-12",
    "12.3.1985": "1985-03-12",
    " 12.03.1985\u00a0": "1985-03-12",
    "12.03.1985 г.": "1985-03-12",
    "12.03.1985г": "1985-03-12",
    "12.03.1985 р.": "1985-03-12",
    "12.03.1985 г.р.": "1985-03-12",
    "12.03.1985 00:00": "1985-03-12",
    "12.3.85": "1985-03-12",
    "12.03.29": "2029-03-12",
    "12.03.30": "1930-03-12",
    "29.02.2000": "2000-02-29",
    "12 марта 1985 г.": "1985-03-12",
    "12 МАРТА 1985": "1985-03-12",
    "12 мар. 1985": "1985-03-12",
    "12 березня 1985 року": "1985-03-12",
    "5 травня 1985 р.": "1985-05-05",
    "12-Mar-1985": "1985-03-12",
    "12 March 1985": "1985-03-12",
    "March 12, 1985": "1985-03-12",
    "март 1985": "1985-03",
    "1985-03": "1985-03",
    "03.1985": "1985-03",
    "1985": "1985",
    "1985 г.": "1985",
    "1985 года": "1985",
    "1985г.р.": "1985",
    "1985.0": "1985",
    "00.03.1985": "1985-03",
    "00.00.1985": "1985",
    "1985-03-00": "1985-03",
    "??.??.1985": "1985",
}
NO_DATE = [
    "",
    "--",
    "?",
    "31.02.1985",
    "29.02.1900",
    "29.02.1985",
    "12.13.1985",
    "1985-13-01",
    "1985-02-30",
    "1849",
    "2101",
    "12.03.1849",
    "0000-00-00",
    "12 марта",
    "12 мартобря 1985",
    "32 марта 1985",
    "12.03.1985 и 13.03.1985",
    "12.03.19855",
    "1985-03/12",
    "31121",
    "45000",
    "Иванов",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", IN_ANY_ORDER)
def test_an_unambiguous_form(text: str, order: Order) -> None:
    assert str(parse_date(text, order)) == IN_ANY_ORDER[text]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", NO_DATE)
def test_anything_else_is_none(text: str, order: Order) -> None:
    assert parse_date(text, order) is None


BY_ORDER = {  # ymd, dmy, mdy
    "12/03/1985": (None, "1985-03-12", "1985-12-03"),
    "12-03-1985": (None, "1985-03-12", "1985-12-03"),
    "12–03–1985": (None, "1985-03-12", "1985-12-03"),
    "25/12/1985": (None, "1985-12-25", None),
    "12/25/1985": (None, None, "1985-12-25"),
    "85/03/12": ("1985-03-12", None, None),
    "05/03/12": ("2005-03-12", "2012-03-05", "2012-05-03"),
    "19850312": ("1985-03-12", None, None),
    "12031985": (None, "1985-03-12", "1985-12-03"),
    "19851332": (None, None, None),
    "20102010": (None, "2010-10-20", None),
}


@pytest.mark.parametrize("text", BY_ORDER)
def test_the_order_decides(text: str) -> None:
    found = tuple(None if (date := parse_date(text, order)) is None else str(date) for order in ("ymd", "dmy", "mdy"))
    assert found == BY_ORDER[text]


def test_a_partial_date_is_not_its_first_day() -> None:
    assert parse_date("1985", "dmy") == PartialDate(1985) != parse_date("01.01.1985", "dmy")
    assert parse_date("03.1985", "dmy") == PartialDate(1985, 3)


DECIDED = {
    "one day above 12": (["01/02/1985", "13/03/1985"], "dmy"),
    "one American day above 12": (["01/02/1985", "03/13/1985"], "mdy"),
    "eight digits, year first": (["19850312", "19990131"], "ymd"),
    "eight digits, day first": (["12031985", "31121980"], "dmy"),
    "all could be either": (["01/02/1985", "03/04/1985"], None),
    "dots leave no choice": (["01.02.1985", "13.03.1985"], "dmy"),
    "ISO leaves no choice": (["1985-03-12"], "dmy"),
    "nothing": ([], "dmy"),
    "no date at all": (["99/99/1985"], "dmy"),
    "both orders, one of each": (["13/03/1985", "03/13/1985"], None),
    "a year first of two digits": (["85/03/31", "86/01/02"], "ymd"),
    "the year word does not hide a shape": (["13/03/1985 г."], "dmy"),
}


@pytest.mark.parametrize(("values", "order"), DECIDED.values(), ids=DECIDED)
def test_the_column_decides_its_order(values: list[str], order: Order | None) -> None:
    assert decide_order(values) == order


def test_a_few_mistyped_cells_decide_nothing() -> None:
    good = [f"{day:02d}/{month:02d}/1985" for day in range(1, 28) for month in range(1, 13)]
    wrong = [f"{month:02d}/{day:02d}/1986" for day in (30, 31) for month in (1, 3)] + [
        "88/88/1985",
        "00/00/0000",
    ]
    assert len(wrong) < 0.02 * len(good)
    assert decide_order(good + wrong) == "dmy"
    assert decide_order([*good, "no date"] * 2) == decide_order(reversed(good)) == "dmy"


def test_within_one_percent_the_user_must_decide() -> None:
    either = [
        f"{day:02d}/{month:02d}/{year}" for day in range(1, 13) for month in range(1, 13) for year in (1985, 1986)
    ]
    assert decide_order([*either, "13/01/1985", "14/01/1985"]) is None
    assert decide_order([*either, *(f"{day}/01/1985" for day in range(13, 18))]) == "dmy"


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for order in ORDERS:
        date = parse_date(text, order)
        assert date is None or 1850 <= date.year <= 2100
    decide_order([text])


@given(st.dates())
def test_every_day_of_the_calendar(day: object) -> None:
    iso = str(day)
    inside = "1850" <= iso[:4] <= "2100"
    assert str(parse_date(iso, "dmy")) == (iso if inside else "None")
    assert str(parse_date(iso.replace("-", ""), "ymd")) == (iso if inside else "None")
