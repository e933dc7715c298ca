"""Forms of address, degrees, callings and suffixes are no names, and no name is taken for one."""

import pytest
from helpers import DATA
from helpers.rosters import as_csv, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.schema_file import parse_schema
from pprl.normalize.names import split_full_name, without_titles
from pprl.normalize.text import read_table
from pprl.roster.load import load

TITLES = read_table("titles.tsv")
#: Rows whose letters no table knows yet are left alone.
KNOWN = [row for row in TITLES if not any("\u0590" <= letter <= "\u08ff" for letter in row["word"])]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Petr Miroedov III", "Petr Miroedov"),
        ("ИП Мироедов Пётр Ильич", "Мироедов Пётр Ильич"),
        ("ИП МИРОЕДОВ ПЁТР ИЛЬИЧ", "МИРОЕДОВ ПЁТР ИЛЬИЧ"),
        ("ИП глава КФХ Мироедов Пётр Ильич", "Мироедов Пётр Ильич"),
        ("адвокат Мироедов П.И.", "Мироедов П.И."),
        ("Адвокат Мироедов Пётр Ильич", "Мироедов Пётр Ильич"),
        ("д-р Мироедов", "Мироедов"),
        ("к.м.н. Мироедов Пётр Ильич", "Мироедов Пётр Ильич"),
        ("Мироедов Пётр Ильич, к. т. н.", "Мироедов Пётр Ильич"),
        ("Мироедов Пётр Ильич (мл.)", "Мироедов Пётр Ильич"),
        ("Мироедов Пётр старший", "Мироедов Пётр"),
        ("гр-н Мироедов П.И.", "Мироедов П.И."),
        ("ФОП Мироєдов Петро Ілліч", "Мироєдов Петро Ілліч"),
        ("пані Мироєдова Ганна", "Мироєдова Ганна"),
        ("Prof. Dr. Petr Miroedov, PhD", "Petr Miroedov"),
        ("Dr.Petr Miroedov", "Petr Miroedov"),
        ("Miroedov, Petr, Jr.", "Miroedov, Petr"),
        ("Dipl.-Ing. Hans Miroedov", "Hans Miroedov"),
        ("Herr Hans Miroedov", "Hans Miroedov"),
        ("Mme Anne Miroedov", "Anne Miroedov"),
        ("Sra. Ana Miroedova", "Ana Miroedova"),
        ("mgr inż. Jan Miroedow", "Jan Miroedow"),
        ("Doç. Ali Miroedov", "Ali Miroedov"),
        ("κος Πέτρος Μιροέντοφ", "Πέτρος Μιροέντοφ"),
        ("ბატონი პეტრე მიროედოვი", "პეტრე მიროედოვი"),
        ("պարոն Պետրոս Միրոեդով", "Պետրոս Միրոեդով"),
    ],
)
def test_titles_come_off_a_whole_name(cell, name):
    assert without_titles(cell, whole=True) == name
    assert split_full_name(cell) == split_full_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Доктор Иван Петрович",
            "Доктор Анна Сергеевна",
            "Пан Иван Петрович",
            "Старший Иван Петрович",
            "Гр. Мироедов",
        ),
        *("Ип Ман", "ИП МАН", "Адвокат Иван", "Монах Иван И.", "Мироедов К.И.Н.", "К.М.Н. Мироедов", "Мироедов Д.Р."),
        *(
            "Lord Peter Miroedov",
            "Don Juan Miroedov",
            "Major Peter Miroedov",
            "Jean Pierre Cadet",
            "John William Senior",
        ),
        *(
            "Jean MBA",
            "JEAN MBA",
            "Miroedov M.D.",
            "Dr",
            "III",
            "Msgr",
            "Herr Miroedov",
            "Junior Petr",
            "Врач Иван Ильич",
        ),
    ],
)
def test_names_that_look_like_titles_stay(name):
    assert without_titles(name, whole=True) == name


@pytest.mark.parametrize(
    ("cell", "surname"),
    [
        ("Miroedov III", "Miroedov"),
        ("Мироедов-мл.", "Мироедов"),
        ("Мироедов (ст.)", "Мироедов"),
        ("адвокат Лугов", "Лугов"),
        ("Доктор", "Доктор"),
        ("Пан Лугов", "Пан Лугов"),
        ("ИП Лугов", "Лугов"),
        ("Ван Дер Лугов", "Ван Дер Лугов"),
    ],
)
def test_a_surname_of_its_own(cell, surname):
    assert without_titles(cell, whole=False) == surname


def test_no_name_of_the_lists_loses_a_word():
    names = []
    for path in ("surnames_m_5000.txt", "surnames_f_400.txt", "given_f_400.txt"):
        names += (DATA / path).read_text(encoding="utf-8").split()
    for path in ("groups.txt", "hardneg.txt"):
        lines = (DATA / "names_cases" / path).read_text(encoding="utf-8").split("\n")
        names += [cell.strip() for line in lines if not line.startswith("#") for cell in line.split("|")]
    whole = [f"{surname} Пётр" for surname in names] + [f"Пётр Ильич {surname}" for surname in names]
    written = [form for name in names + whole for form in (name, name.upper())]
    assert not [name for name in written if without_titles(name, whole=True) != name]
    assert not [name for name in written[: 2 * len(names)] if without_titles(name, whole=False) != name]


def test_each_title_of_the_table_comes_off():
    for row in KNOWN:
        cell = f"{row['word']} Лугов Пётр" if row["place"] == "before" else f"Лугов Пётр {row['word']}"
        assert without_titles(cell, whole=True) == "Лугов Пётр", row


def test_ranks_and_titles_come_off_together(tmp_path):
    schema = parse_schema(
        'format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
        '[fields.rank]\ntype = "rank"\nrole = "confirm"\n'
    )
    path = tmp_path / "list.csv"
    path.write_text("ФИО\nст. л-т Мироедов-мл. Пётр Ильич\nCaptain Petr Miroedov III\n", encoding="utf-8")
    people = load(path, schema, columns={"full_name": "ФИО"}).people
    assert people.columns["surname"].values[0] == "mirodov"
    assert "iii" not in " ".join((*people.columns["surname"].values, *people.columns["given"].values))
    assert len(people.columns["rank"].values) == 2


def test_many_titles_take_no_time():
    assert split_full_name("III " * 15_000)[0]


PUT = {
    "a calling before": lambda name: f"адвокат {name}",
    "a trader": lambda name: f"ИП {name}",
    "a degree": lambda name: f"д-р {name}, PhD",
    "a numeral": lambda name: f"{name} III",
    "the younger": lambda name: f"{name} (мл.)",
    "two": lambda name: f"г-н проф. {name}",
}


@pytest.mark.parametrize("title", PUT)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=clean_rosters(), data=st.data())
def test_titles_change_nobody(tmp_path, title, rows, data):
    header = ["ФИО", "Дата рождения"]
    cells = [[" ".join(row[:3]), row[3]] for row in rows]
    entitled = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(cells, header=header))
    clean = read(path)
    path.write_bytes(
        as_csv(
            [[PUT[title](name) if at in entitled else name, day] for at, (name, day) in enumerate(cells)], header=header
        )
    )
    assert read(path).people == clean.people
