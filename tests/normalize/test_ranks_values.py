"""Ranks agree across languages; simple values have one text each, or none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from pprl.normalize.names import fold_name
from pprl.normalize.ranks import fold_rank, quick_look, split_rank
from pprl.normalize.sex import sex_of
from pprl.normalize.text import latin_text, read_table
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
def test_anything_else_is_none(text: str) -> None:
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
        | {"AГ-811171": "AG811171", "ё1": "E1", "١": "1", "--": None, "": None}
        # letters for digits in the number, digits for letters in the series
        | {"АВ-12З4О6": "AB123406", "АВ12З4О6": "AB123406", "№ АВ 12З 4О6": "AB123406", "AB-12З4O6": "AB123406"}
        | {"АВ-l2345I": "AB123451", "Д-І23456": "D123456", "А-О12345": "A012345", "0В-123456": "OB123456"}
        | {"3Ж123456": "ZZH123456", "А0-123456": "AO123456", "АО-123456": "AO123456", "АО123456": "AO123456"}
        # no such shape, or it could be either: as it is
        | {"АВО12345": "ABO12345", "А0123456": "A0123456", "AB-12З4": "AB12Z4", "ABCD-12О456": "ABCD12O456"}
        | {"АВ-ОЗОЗО1": "ABOZOZO1", "03-12О456": "0312O456", "АВ-12345б": "AB12345B", "12О4567": "12O4567"},
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
        | {"1,234": None, "12,34,5": None, "1e5": None, "x": None, "": None, "5 кг": None, "٣": "3"},
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
def test_categories_fold_to_themselves(text: str) -> None:
    folded = fold_category(text)
    assert folded is None or fold_category(folded) == folded


@given(
    st.text("АВОЗЖабABOIl03", min_size=1, max_size=3).filter(lambda text: not text.isdigit()),
    st.sampled_from(["", "-", " ", "№ "]),
    st.text("0123456789ОЗl", min_size=5, max_size=8),
)
def test_numbers_fold_to_themselves(series: str, between: str, number: str) -> None:
    folded = fold_identifier(series + between + number)
    assert folded
    assert fold_identifier(folded) == folded


GLUED = {
    "гв. ст. с-т Петров П.П.": ("гв. ст. с-т", "Петров П.П."),
    "рядовой Иванов": ("рядовой", "Иванов"),
    "к-н Сидоров": ("к-н", "Сидоров"),
    "майор запаса Иванов": ("майор запаса", "Иванов"),
    "Капитан 3 ранга Иванов Иван": ("Капитан 3 ранга", "Иванов Иван"),
    "ст.л-т Иванов И.И.": ("ст.л-т", "Иванов И.И."),
    "ряд.Иванов И.И.": ("ряд.", "Иванов И.И."),
    "РЯДОВОЙ ИВАНОВ ИВАН": ("РЯДОВОЙ", "ИВАНОВ ИВАН"),
    "кaпитан Иванов Иван": ("кaпитан", "Иванов Иван"),  # a Latin letter
    "Senior Lieutenant Ivanov Ivan": ("Senior Lieutenant", "Ivanov Ivan"),
    "головний сержант Коваль Олег": ("головний сержант", "Коваль Олег"),
    "Майор Иванов И.И.": ("Майор", "Иванов И.И."),
    "Иванов Иван Иванович, рядовой": ("рядовой", "Иванов Иван Иванович"),
    "Иванов Иван Иванович - майор м/с": ("майор м/с", "Иванов Иван Иванович"),
    "Иванов И.И. (ряд.)": ("ряд.", "Иванов И.И."),
    "Иванов (Майор) И.И.": ("Майор", "Иванов   И.И."),
    "мл. с-т (к) Иванов И.И.": ("мл. с-т", "(к) Иванов И.И."),
    "Иванов И.И. (выбыл), ряд.": ("ряд.", "Иванов И.И. (выбыл)"),
    "Иванов И.И.,сержант": ("сержант", "Иванов И.И."),
    "Капитан Иван Иванович": ("", "Капитан Иван Иванович"),
    "Майор Пётр Петрович": ("", "Майор Пётр Петрович"),
    "МАЙОР ПЁТР ПЕТРОВИЧ": ("", "МАЙОР ПЁТР ПЕТРОВИЧ"),
    "Major Petr Petrovich": ("", "Major Petr Petrovich"),
    "Матрос Иван": ("", "Матрос Иван"),
    "Матрос И.И.": ("", "Матрос И.И."),
    "Иван Иванович Майор": ("", "Иван Иванович Майор"),
    "Матрос": ("", "Матрос"),
    "Майоров Иван Иванович": ("", "Майоров Иван Иванович"),
    "К.Н. Иванов": ("", "К.Н. Иванов"),  # not к-н
    "Иванов К.Л.": ("", "Иванов К.Л."),
    "Ген. М.Р. Иванов": ("Ген.", "М.Р. Иванов"),  # not генерал-майор
    "Иванов (выбыл)": ("", "Иванов (выбыл)"),
    "": ("", ""),
}


@pytest.mark.parametrize("text", GLUED)
def test_a_rank_comes_off_a_name(text: str) -> None:
    assert split_rank(text) == GLUED[text]


def test_a_column_of_surnames_needs_no_more_than_a_surname() -> None:
    assert split_rank("Майор Иванов", whole=False) == ("Майор", "Иванов")
    assert split_rank("Майор Иванов") == ("", "Майор Иванов")
    assert split_rank("Майор", whole=False) == ("", "Майор")


RANK_OR_INITIALS = {"гл. ст.", "г.-м.", "м.с-нт"}


@pytest.mark.parametrize("form", ["{rank} Лугов И.И.", "Лугов И.И. {rank}", "Лугов Иван Иванович, {rank}"])
@pytest.mark.parametrize("case", [str, str.upper, str.capitalize])
def test_every_rank_of_the_table_comes_off(form: str, case: Callable[[str], str]) -> None:
    ranks = {row["abbreviation"] for row in read_table("ranks.tsv") if row["order"] != "-"} - RANK_OR_INITIALS
    texts = [form.format(rank=case(rank)) for rank in ranks]
    assert [text for text in texts if fold_rank(split_rank(text)[0]) is None] == []
    assert {fold_name(split_rank(text)[1], given=False)[:5] for text in texts} == {"lugov"}


LETTERS = st.text(st.sampled_from("рядкапмйорнс-.,() ИванКЛ\xadaкo"), max_size=12)


@given(st.lists(st.sampled_from(["ряд.", "к-н", "майор", "Лугов", "И.И.", "запаса", "гв.", "(", ")", ","]) | LETTERS))
def test_the_quick_look_hides_no_rank(parts: list[str]) -> None:
    text = " ".join(parts)
    assert quick_look()(text) or split_rank(text) == ("", text)


@given(st.text())
def test_a_rank_that_comes_off_is_one(text: str) -> None:
    rank, rest = split_rank(text)
    assert (rest == text) if not rank else fold_rank(rank)


@pytest.mark.parametrize("row", read_table("sex_endings.tsv"), ids=lambda row: row["example"])
def test_each_ending_does_what_its_example_says(row: dict[str, str]) -> None:
    folded = fold_name(row["example"], given=row["part"] == "patronymic")
    assert ("_" + folded.rpartition(" ")[2]).endswith(row["ending"])
    assert (sex_of(row["part"], folded) or "-") == row["sex"]


SEXES = {
    ("Петров", "Ивановна"): "f",
    ("Петрова", "Иванович"): "m",
    ("Ковальчук", "Олегівна"): "f",
    ("Алиев", "Гасан оглы"): "m",
    ("Aliyeva", "Hasan qızı"): "f",
    ("Лугова-Мирнова", ""): "f",
    ("Щербина", ""): None,
    ("Черных", ""): None,
    ("Шевченко", ""): None,
    ("Ковальчук", ""): None,
    ("Мицкевич", ""): None,
    ("Дзюба", ""): None,
    ("Голова", ""): None,
    ("Сова", ""): None,
    ("Дубина", "П."): None,
    ("Петрова", "П."): "f",
    ("", ""): None,
}


@pytest.mark.parametrize("names", SEXES, ids=" ".join)
def test_the_sex_that_a_name_shows(names: tuple[str, str]) -> None:
    """The patronymic decides, or if it shows nothing, the surname."""
    surname, patronymic = fold_name(names[0], given=False), fold_name(names[1], given=True)
    assert (sex_of("patronymic", patronymic) or sex_of("surname", surname)) == SEXES[names]


@pytest.mark.parametrize(
    ("file", "sex", "share"), [("surnames_m_5000.txt", "m", 0.979), ("surnames_f_400.txt", "f", 0.93)]
)
def test_surnames_show_the_right_sex_or_none(file: str, sex: str, share: float) -> None:
    lines = [line for line in (DATA / file).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    found = [sex_of("surname", fold_name(line, given=False)) for line in lines]
    assert set(found) == {sex, None}
    assert found.count(sex) / len(found) == pytest.approx(share, abs=0.005)
    romanised = [sex_of("surname", fold_name(latin_text(line), given=False)) for line in lines]
    assert romanised == found


def test_kinds_of_service_are_one_word_each_and_other_categories_stay() -> None:
    assert {fold_category(text) for text in ("контракт", "По контракту", "КОНТРАКТНИК", "contract")} == {"kontrakt"}
    assert {fold_category(text) for text in ("моб.", "мобилизован", "mobilised")} == {"mobilizaciya"}
    assert fold_category("контракт до 2025") == "kontrakt do 2025"
