"""Ranks meet across languages; simple values have one text each, or none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprl.normalize.ranks import fold_rank
from pprl.normalize.text import read_table
from pprl.normalize.values import fold_category, fold_identifier, fold_number, fold_sex, fold_year

RANKS = {
    "рядовой": "10",
    "матрос": "10",
    "солдат": "10",
    "Private": "10",
    "мл. с-т": "30",
    "МЛ.СЕРЖАНТ": "30",
    "мл сержант": "30",
    "старшина ІІ статьи": "30",
    "сержант": "40",
    "Sergeant": "40",
    "головний сержант": "55",
    "ст. лейтенант": "110",
    "ст.л-т": "110",
    "старлей": "110",
    "Senior Lieutenant": "110",
    "кaпитaн": "120",  # two Latin letters
    "капітан": "120",
    "капитан-лейтенант": "120",
    "к3р": "130",
    "кап. III р.": "130",
    "майор": "130",
    "К1Р": "150",
    "генерал - майор": "160",
    "контр-адмирал": "160",
    "гвардии старший сержант": "50",
    "майор запаса": "130",
    "полковник в отставке": "150",
    "підполковник у відставці": "140",
    "капитан медицинской службы": "120",
    "капитан м/с": "120",
    "мл. лейтенант юстиции": "90",
    "Major (ret.)": "130",
    "ст. м-с": "20",
}


@pytest.mark.parametrize("text", RANKS)
def test_a_rank_is_its_step(text: str) -> None:
    assert fold_rank(text) == RANKS[text]


@pytest.mark.parametrize("text", ["", "-", "водитель", "старший", "гвардии", "10", "маршал какой-то"])
def test_what_is_no_rank_is_none(text: str) -> None:
    assert fold_rank(text) is None


def test_every_row_of_the_table_finds_its_own_number() -> None:
    rows = [row for row in read_table("ranks.tsv") if row["order"] != "-"]
    assert [row["abbreviation"] for row in rows if fold_rank(row["abbreviation"]) != row["order"]] == []
    assert {fold_rank(row["rank"]) == row["order"] for row in rows} == {True}


CASES: dict[str, tuple[Callable[[str], str | None], dict[str, str | None]]] = {
    "sex": (
        fold_sex,
        {"м": "m", "M": "m", "муж.": "m", "Мужской": "m", "чоловіча": "m", "male": "m", "ж": "f", "Жен.": "f"}
        | {"жіноча": "f", "FEMALE": "f", "?": None, "": None, "мж": None, "x": None},
    ),
    "identifier": (
        fold_identifier,
        {
            "АВ-123": "AB123",
            "AB 123": "AB123",
            "ав№123": "AB123",
            "ЖШ-1": "ZHSH1",
            "007": "007",
            "вр-100": "BP100",
        }
        | {"AГ-811171": "AG811171", "ё1": "E1", "١": None, "--": None, "": None},
    ),
    "category": (
        fold_category,
        {
            "в/ч  00000": "v ch 00000",
            "Улан-Удэ": "ulan ude",
            "ул1 2Б": "ul1 2b",
            "K1": "k1",
            " ": None,
            "": None,
        },
    ),
    "number": (
        fold_number,
        {
            "5": "5",
            "+5": "5",
            "007": "7",
            "1 234,5": "1235",
            "1\u00a0234": "1234",
            "2.5": "3",
            "2,4": "2",
            "-2.5": "-3",
        }
        | {"−3": "-3", "-0.4": "0", "0.5": "1", "1,234,567": "1234567", "1,234.5": "1235", "0,125": "0"}
        | {"1,234": None, "12,34,5": None, "1e5": None, "x": None, "": None, "5 кг": None, "٣": None},
    ),
    "year": (
        fold_year,
        {"1985": "1985", "1985 г.": "1985", "12.03.1985": "1985", "12/03/1985": "1985", "1985-03-12": "1985"}
        | {"19850312": "1985", "03.1985": "1985", "85": None, "05/03/12": None, "31.02.1985": None, "": None},
    ),
}
TABLE = [(kind, text, expected) for kind, (_, cells) in CASES.items() for text, expected in cells.items()]


@pytest.mark.parametrize(("kind", "text", "expected"), TABLE)
def test_simple_values(kind: str, text: str, expected: str | None) -> None:
    assert CASES[kind][0](text) == expected


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for fold in (fold_rank, fold_sex, fold_identifier, fold_category, fold_number, fold_year):
        folded = fold(text)
        assert folded is None or (folded != "" and folded.isascii())


@given(st.text())
def test_identifiers_and_categories_fold_to_themselves(text: str) -> None:
    for fold in (fold_identifier, fold_category):
        folded = fold(text)
        assert folded is None or fold(folded) == folded
