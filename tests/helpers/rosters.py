"""Random clean rosters of invented people, what pprl reads in them, and what must hold when a fault is put in."""

import csv
import datetime
import io
import re
from dataclasses import dataclass

from hypothesis import strategies as st

from helpers import DATA
from pprl.core.schema_file import parse_schema
from pprl.roster.load import load
from pprl.roster.people import MISSING

HEADER = ["Фамилия", "Имя", "Отчество", "Дата рождения", "Личный номер"]
SCHEMA = parse_schema(
    """
format = 1
name = "field"
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.birth_date]
type = "date"
[fields.number]
type = "identifier"
role = "confirm"
"""
)
LINES = (DATA / "surnames_m_5000.txt").read_text(encoding="utf-8").splitlines()
SURNAMES = [line for line in LINES if not line.startswith("#")][:400]
GIVEN = ["Олег", "Кирилл", "Лев", "Пётр", "Иван", "Матвей", "Эдуард", "Никита", "Степан", "Виктор"]
PATRONYMICS = ["Семёнович", "Львович", "Петрович", "Тимофеевич", "Егорович", "Андреевич", "Ильич"]

people = st.tuples(
    st.sampled_from(SURNAMES),
    st.sampled_from(GIVEN),
    st.sampled_from(PATRONYMICS),
    st.dates(min_value=datetime.date(1960, 1, 13), max_value=datetime.date(2000, 12, 28)).map(
        lambda day: day.strftime("%d.%m.%Y")
    ),
    st.integers(10**7, 10**8 - 1).map(str),
).map(list)


@st.composite
def clean_rosters(draw, least=8, most=30):
    """Rows of people, all different."""
    return draw(
        st.lists(people, min_size=least, max_size=most, unique_by=(lambda row: tuple(row[:4]), lambda row: row[4]))
    )


def as_csv(rows, *, header=HEADER, delimiter=";", encoding="utf-8"):
    """The bytes of a CSV as spreadsheets write it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([header, *rows] if header else rows)
    return text.getvalue().encode(encoding)


@dataclass
class Reading:
    """The people of a roster as tuples of canonical values, and all lines that its owner sees."""

    people: list[tuple[str | None, ...]]
    rows: list[int]
    lines: list[str]

    def names(self, row: int) -> bool:
        """Whether a line names this row."""
        return any(str(row) in re.split(r"[\s,:()]+", line) for line in self.lines)


def read(path, schema=SCHEMA, **options) -> Reading:
    """A roster as `pprl check` and `pprl link` read it; the last lines are the rows that `check --json` lists."""
    lines: list[str] = []
    roster = load(path, schema, "list", note=lines.append, **options)
    columns = [roster.people.columns[field.name] for field in schema.fields]
    values = [[None if code == MISSING else column.values[code] for code in column.codes] for column in columns]
    people = list(zip(*values, strict=True))
    listed = [
        f"{field}: {reason} ({', '.join(map(str, rows))})" for (field, reason), rows in roster.people.left_out.items()
    ]
    return Reading(people, roster.people.rows.tolist(), [*lines, *roster.warnings, *listed])


def assert_nothing_lost_in_silence(clean: Reading, faulty: Reading, rows) -> None:
    """The promise of `docs/rosters.md`: the result is the clean one, or a line names each of the faulty ``rows``."""
    if faulty.people == clean.people:
        return
    assert len(faulty.people) >= len(clean.people), "people are lost"
    unnamed = [row for row in rows if not faulty.names(row)]
    assert not unnamed, f"rows {unnamed} were changed in silence; lines: {faulty.lines}"
