"""Quotation marks and delimiters: no mark swallows a row, and no comma in a cell parts it."""

import pytest
from helpers.rosters import HEADER, as_csv, assert_nothing_lost_in_silence, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.errors import RosterError
from pprl.roster.files.read import read_roster

PEOPLE = [
    ["Обухов", "Пётр", "Львович", "09.02.1996", "10000001"],
    ["Щеглов", "Кирилл", "Ильич", "21.07.1978", "10000002"],
    ["Ельшин", "Лев", "Петрович", "27.07.1992", "10000003"],
    ["Осокин", "Егор", "Глебович", "15.05.1979", "10000004"],
    ["Абаев", "Иван", "Денисович", "01.01.1966", "10000005"],
    ["Яхонтов", "Никита", "Петрович", "13.11.1978", "10000006"],
]


@pytest.fixture
def roster(tmp_path):
    def write(data):
        path = tmp_path / "roster.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def lines_of(people, *, header=HEADER, delimiter=";"):
    return as_csv(people, header=header, delimiter=delimiter).decode().splitlines()


def faulty(*rows, delimiter=";"):
    """The lines of a roster in which some are replaced: (row of the spreadsheet, text)."""
    lines = lines_of(PEOPLE, delimiter=delimiter)
    for row, text in rows:
        lines[row - 1] = text
    return "\r\n".join(lines) + "\r\n"


MARKS = {
    "at the beginning of a row, closed nowhere": '"Щеглов;Кирилл;Ильич;21.07.1978;10000002',
    "at the beginning of a cell": 'Щеглов;"Кирилл;Ильич;21.07.1978;10000002',
    "around a nickname before the name": '"Кот" Щеглов;Кирилл;Ильич;21.07.1978;10000002',
    "inside a cell": 'Щеглов;Кирилл "Кот;Ильич;21.07.1978;10000002',
    "not doubled inside a quoted cell": '"Щеглов "Кот"";Кирилл;Ильич;21.07.1978;10000002',
    "escaped as databases do": '"Щеглов \\"Кот\\"";"Кирилл";Ильич;21.07.1978;10000002',
    "closed two cells on": '"Щеглов;Кирилл";Ильич;21.07.1978;10000002',
    "one too many": '"Щеглов"";"Кирилл";Ильич;21.07.1978;10000002',
}


@pytest.mark.parametrize("text", MARKS.values(), ids=MARKS)
def test_a_mark_out_of_order_swallows_nobody(roster, text):
    frame = read_roster(roster(faulty((3, text))))
    assert frame.index.tolist() == [2, 3, 4, 5, 6, 7]
    assert [row[1:] for row in frame.values.tolist()[2:]] == [row[1:] for row in PEOPLE[2:]]
    assert frame.iloc[1].tolist()[2:] == PEOPLE[1][2:]
    assert "Щеглов" in frame.iloc[1, 0]
    assert "Кирилл" in frame.iloc[1, 1]
    assert frame.attrs["notes"][0].startswith("row 3: a quotation mark")


def test_a_mark_that_is_closed_by_another_some_rows_on(roster):
    rows = (3, '"Щеглов;Кирилл;Ильич;21.07.1978;10000002'), (6, '"Абаев;Иван;Денисович;01.01.1966;10000005')
    frame = read_roster(roster(faulty(*rows)))
    assert frame.index.tolist() == [2, 3, 4, 5, 6, 7]
    assert frame.attrs["notes"][0].startswith("row 3, 6: a quotation mark")


def test_marks_that_close_each_other_in_the_same_column_are_letters(roster):
    """As a CSV this is one well-formed row with a remark of four lines."""
    rows = (3, 'Щеглов;Кирилл;Ильич;21.07.1978;"см. дело'), (6, 'Абаев;Иван;Денисович;01.01.1966;дело"')
    frame = read_roster(roster(faulty(*rows)))
    assert frame.index.tolist() == [2, 3, 4, 5, 6, 7]
    assert frame.attrs["notes"][0].startswith("row 3, 6: ")


def test_the_last_row_with_an_open_mark(roster):
    frame = read_roster(roster(faulty((7, '"Яхонтов;Никита;Петрович;13.11.1978;10000006'))))
    assert frame.iloc[-1, 0] == '"Яхонтов'
    assert frame.attrs["notes"][0].startswith("row 7: ")


def test_a_file_of_quoted_cells_that_is_cut_short_is_refused_by_row(roster):
    text = "\r\n".join(";".join(f'"{cell}"' for cell in row) for row in [HEADER, *PEOPLE])
    assert len(read_roster(roster(text))) == 6
    for end in ("13.11.19", '13.11.1978";"1000'):
        with pytest.raises(RosterError, match="row 7: the roster ends inside a quoted cell"):
            read_roster(roster(text[: text.index("13.11.1978")] + end))


@pytest.mark.parametrize("end", ["\n", "\r\n", "_x000D_\n"])
def test_a_cell_that_ends_in_a_line_end_is_one_cell(roster, end):
    rows = [[PEOPLE[0][0] + end, *PEOPLE[0][1:]], *PEOPLE[1:]]
    frame = read_roster(roster(as_csv(rows)))
    assert frame.iloc[1:].values.tolist() == PEOPLE[1:]
    assert frame.iloc[0].tolist()[1:] == PEOPLE[0][1:]
    assert "notes" not in frame.attrs


@pytest.mark.parametrize("lost", [10, 21, 33])
def test_a_file_that_is_cut_short_in_its_last_row_says_so(roster, lost):
    text = "\r\n".join(lines_of(PEOPLE))
    note = "row 7: the last row has fewer cells than the header and no line end: is the file cut short?"
    assert note in read_roster(roster(text[:-lost])).attrs["notes"]
    assert note in read_roster(roster(text.replace("Обухов", '"Обухов"')[:-lost])).attrs["notes"]
    assert "notes" not in read_roster(roster(text)).attrs, "many programs write no line end after the last row"
    short = text[: -len(";10000006")]
    assert "notes" not in read_roster(roster(short.replace(";10000005", ""))).attrs, "nor empty cells at the end"


def test_rows_that_cannot_be_told_apart_are_refused_by_number(roster):
    with pytest.raises(RosterError, match="row 3: a quoted cell is not closed"):
        read_roster(roster(faulty((3, '"Щеглов;Кирилл'))))


HONEST = {
    "an address": '"г. Тверь\nул. Садовая, 5\nкв. 3"',
    "with marks doubled": '"ООО ""Ромашка""\nг. Тверь"',
    "with delimiters": '"Тверь; Садовая; 5;\r\n3; 4"',
    "with an empty line": '"Тверь\n\nСадовая"',
}


@pytest.mark.parametrize("cell", HONEST.values(), ids=HONEST)
def test_honest_cells_of_several_lines_stay_and_are_one_row(roster, cell):
    lines = lines_of(PEOPLE)
    text = lines[0] + ";Адрес\n" + "".join(f"{line};{cell}\n" for line in lines[1:])
    frame = read_roster(roster(text))
    assert frame.index.tolist() == [2, 3, 4, 5, 6, 7]
    assert frame["Адрес"].tolist() == [cell[1:-1].replace('""', '"')] * 6
    assert "notes" not in frame.attrs


def test_names_over_two_lines_in_a_list_of_one_column(roster):
    text = "ФИО\n" + "".join(
        f'"{surname.upper()}\n{given} {patronymic}"\n' for surname, given, patronymic, *_ in PEOPLE
    )
    assert len(read_roster(roster(text))) == 6


def test_a_mark_in_a_list_of_one_column(roster):
    names = [" ".join(row[:3]) for row in PEOPLE]
    names[2] = '"Кот ' + names[2]
    frame = read_roster(roster("ФИО\n" + "\n".join(names) + "\n"))
    assert frame["ФИО"].tolist() == names
    assert frame.attrs["notes"][0].startswith("row 4: ")


def test_cells_in_apostrophes(roster):
    text = "".join(",".join(f"'{cell}'" for cell in row) + "\n" for row in [HEADER, *PEOPLE])
    assert read_roster(roster(text)).values.tolist() == PEOPLE


ENDS = {"old Mac": "\r", "mixed": None, "twice translated": "\r\r\n"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_line_ends(roster, end):
    lines = lines_of(PEOPLE)
    ends = [end] * len(lines) if end else ["\r\n", "\n", "\r\n", "\n", "\n", "\r\n", "\n"]
    frame = read_roster(roster("".join(map("".join, zip(lines, ends, strict=True)))))
    assert frame.values.tolist() == PEOPLE
    assert frame.index.tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("mark", ["\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_line_ends_inside_a_cell_are_spaces(tmp_path, roster, mark):
    spaced = tmp_path / "spaced.csv"
    spaced.write_text(faulty((3, "Щеглов;Кирилл Иван;Ильич;21.07.1978;10000002")), newline="", encoding="utf-8")
    with_mark = read(roster(faulty((3, f"Щеглов;Кирилл{mark}Иван;Ильич;21.07.1978;10000002"))))
    assert with_mark.people == read(spaced).people


def test_the_line_of_excel_that_names_the_delimiter(roster):
    frame = read_roster(roster("sep=;\r\n" + faulty()))
    assert frame.values.tolist() == PEOPLE
    assert frame.index[0] == 2  # as Excel shows it


DELIMITERS = {
    "decimal commas": ("ФИО;Рост;Вес\n" + "Обухов Пётр;180,5;80,1\n" * 3, ["Обухов Пётр", "180,5", "80,1"]),
    "addresses": (
        "Фамилия, имя, отчество;Дата рождения;Адрес\n" + "Обухов Пётр Львович;09.02.1996;Тверь, Садовая, 1\n" * 3,
        ["Обухов Пётр Львович", "09.02.1996", "Тверь, Садовая, 1"],
    ),
    "bars and commas": (
        "Name, first name|Born|Town\n" + "Obukhov, Petr|09.02.1996|Tver, Russia\n" * 3,
        ["Obukhov, Petr", "09.02.1996", "Tver, Russia"],
    ),
    "semicolons in remarks": (
        "Фамилия,Имя,Прим.\n" + "Обухов,Пётр,отп.; болен; ранен\n" * 2 + "Щеглов,Лев,\n" * 2,
        ["Обухов", "Пётр", "отп.; болен; ранен"],
    ),
    "carets": ("surname^given^born\n" + "Obukhov^Petr^09.02.1996\n" * 4, ["Obukhov", "Petr", "09.02.1996"]),
    "tildes": ("surname~given~born\n" + "Obukhov~Petr~09.02.1996\n" * 4, ["Obukhov", "Petr", "09.02.1996"]),
    "colons": ("surname:given:born\n" + "Obukhov:Petr:09.02.1996\n" * 4, ["Obukhov", "Petr", "09.02.1996"]),
    "a title full of commas": (
        "Список, составленный в Твери, в Клину, в Ржеве\n\nФамилия;Имя\nОбухов;Пётр\nЩеглов;Лев\n",
        ["Обухов", "Пётр"],
    ),
}


@pytest.mark.parametrize(("text", "first"), DELIMITERS.values(), ids=DELIMITERS)
def test_the_delimiter_is_the_one_that_makes_a_table(roster, text, first):
    assert read_roster(roster(text)).iloc[0].tolist() == first


def test_delimiters_that_fit_equally_well_are_named(roster):
    text = "".join(f"а{at},б;в{at},г\n" for at in range(5))
    with pytest.raises(RosterError, match="by semicolons or by commas") as refusal:
        read_roster(roster(text))
    assert "sep=" in refusal.value.hint
    assert len(read_roster(roster("sep=,\n" + text)).columns) == 3


def test_columns_of_spaces_are_no_table_of_one_column(roster):
    text = "Фамилия      Имя     Дата рождения\n" + "Обухов       Пётр    09.02.1996\n" * 4
    with pytest.raises(RosterError, match="runs of spaces"):
        read_roster(roster(text))


@settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), people=clean_rosters())
def test_a_mark_typed_anywhere_loses_nobody_in_silence(tmp_path, data, people):
    path, delimiter = tmp_path / "roster.csv", data.draw(st.sampled_from(";,\t|"))
    path.write_bytes(as_csv(people, delimiter=delimiter))
    clean = read(path)
    lines = as_csv(people, delimiter=delimiter).decode().split("\r\n")
    rows = data.draw(st.sets(st.integers(2, len(people) + 1), min_size=1, max_size=3))
    for row in rows:
        cells = lines[row - 1].split(delimiter)
        at = data.draw(st.integers(0, len(cells) - 1))
        cells[at] = data.draw(st.sampled_from(['"{}', '"Кот" {}', '{}"', '{} "Кот', '"{}""', '"']))
        cells[at] = cells[at].format(people[row - 2][at])
        lines[row - 1] = delimiter.join(cells)
    path.write_text("\r\n".join(lines), encoding="utf-8", newline="")
    assert_nothing_lost_in_silence(clean, read(path), rows)
