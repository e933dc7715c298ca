"""The leaked list as a clerk kept it: a spreadsheet made for printing.

Titles, merged cells and a row of column numbers come first, the names of companies stand between the people, and
signatures end the sheet. A whole name is in one column, dates are dates or text, abbreviations of ranks vary with the
typist, and two further columns of dates are not birth dates.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pprl.demo.demo_random import DemoRandom, mistyped
from pprl.demo.people import CONSCRIPT, CONTRACT, LADDER, LIST_DATE, MOBILISED, REGISTRY_DATE, Person

HEADERS = (
    *("№ п/п", "В/зв", "Фамилия, имя, отчество", "Дата рожд.", "Личный №", "Категория"),
    *("Дата призыва / контракта", "Дата СОЧ", "Примечание"),
)
TITLES = ("Для служебного пользования", "СПИСОК", "военнослужащих, самовольно оставивших часть (ВЫМЫШЛЕННЫЕ ДАННЫЕ)")
AS_OF = "по состоянию на 01.08.2024 г."
UNITS = (
    *("1 мотострелковая рота", "2 мотострелковая рота", "3 мотострелковая рота", "Танковая рота"),
    *("Миномётная батарея", "Разведывательный взвод", "Взвод связи", "Рота материального обеспечения"),
)
SIGNATURES = ("Начальник штаба ____________________ / вымышл. /", "Исп. делопроизводитель ______________", "01.08.2024")
FIRST_ROW = 8  # of the sheet below titles, header and column numbers

TWICE = 6  # people who are on the list twice, the second time by another typist
TYPED = 3  # percent of names with a typing error
INITIALS, YEAR, NO_DATE = 1.2, 3, 1  # percent of rows with initials only, a year only, no date

RANKS = {
    "рядовой": ("рядовой", "ряд.", "ряд", "р-й", "Рядовой"),
    "ефрейтор": ("ефрейтор", "ефр.", "ефр", "еф-р"),
    "младший сержант": ("мл. сержант", "мл. с-т", "мл.с-т", "мл.серж.", "младший сержант", "м/с-т"),
    "сержант": ("сержант", "с-т", "серж.", "с-нт"),
    "старший сержант": ("ст. сержант", "ст. с-т", "ст.с-т", "ст.серж.", "старший сержант", "с/с-т"),
    "старшина": ("старшина", "ст-на", "с-на"),
    "прапорщик": ("прапорщик", "пр-к", "прап.", "пр-щик"),
    "старший прапорщик": ("ст. прапорщик", "ст. пр-к", "ст.пр-щик", "ст. прап."),
    "младший лейтенант": ("мл. лейтенант", "мл. л-т", "мл.л-т", "мл. лейт."),
    "лейтенант": ("лейтенант", "л-т", "лейт.", "л-нт"),
    "старший лейтенант": ("ст. лейтенант", "ст. л-т", "ст.л-т", "ст. лейт.", "старший лейтенант"),
    "капитан": ("капитан", "к-н", "кап.", "гв. капитан"),
    "майор": ("майор", "м-р"),
    "подполковник": ("подполковник", "п/п-к", "подп-к"),
}
SERVICES = {
    CONTRACT: ("контракт", "контракт", "по контракту", "Контракт"),
    MOBILISED: ("мобилизация", "мобилизация", "моб.", "мобилизован"),
    CONSCRIPT: ("срочная", "срочная служба"),
}
NOTES = (
    *("", "", "", "", "розыск", "розыск", "не прибыл из отпуска", "не вернулся из госпиталя", "в/ч 00000", "см. прим."),
    *("возбуждено УД", "материалы переданы в ВСО"),
)
MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
LOOKALIKES = str.maketrans("аеорсхАЕОРСХКМТ", "aeopcxAEOPCXKMT")
LETTERS = "аеиоунклтвпр"

Cell = str | int | datetime.date


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: the person, what the clerk recorded, and the cells of the sheet.

    ``surname``, ``given`` and ``patronymic`` include typing errors and initials; ``born`` is an ISO date, a year or
    empty.
    """

    person: int
    surname: str
    given: str
    patronymic: str
    born: str
    unit: str
    cells: tuple[Cell, ...]


def entries_of(people: Sequence[Person], draw: DemoRandom) -> list[Entry]:
    """The rows in order, unit by unit; ``TWICE`` people have two."""
    who = [*range(len(people)), *draw.order(len(people))[:TWICE]]
    placed = sorted(((draw.below(len(UNITS)), row) for row in draw.order(len(who))), key=lambda pair: pair[0])
    return [
        _entry(number, who[row], people[who[row]], max(-1, row - len(people)), UNITS[unit], draw)
        for number, (unit, row) in enumerate(placed, start=1)
    ]


def _entry(number: int, index: int, person: Person, again: int, unit: str, draw: DemoRandom) -> Entry:
    """``again`` is −1 for a first row and numbers the second rows. These have initials only, a year only, or the name
    in another order."""
    surname, given, patronymic = (
        mistyped(name, draw, LETTERS) if draw.percent(TYPED) else name
        for name in (person.surname, person.given, person.patronymic)
    )
    first, other_hand = again < 0, again % 3
    if draw.percent(INITIALS) if first else other_hand == 0:
        given, patronymic = given[0] + ".", patronymic[0] + "."
        name = _with_initials(surname, given, patronymic, draw) if first else f"{surname} {given[0]} {patronymic[0]}"
    elif first and draw.percent(1):
        patronymic = ""
        name = f"{surname} {given}"
    else:
        name = _whole_name(surname, given, patronymic, draw, last=not first and other_hand == 2)
    born, born_cell = _birth(person.born, draw, bare_year=not first and other_hand == 1)
    left = draw.date(max(REGISTRY_DATE, person.joined) + datetime.timedelta(days=20), LIST_DATE)
    personal = person.number if draw.percent(70) else person.number.replace("-", draw.one_of(("", " ")))
    cells = (
        number,
        draw.one_of(RANKS[LADDER[person.rank]]),
        name,
        born_cell,
        personal if draw.percent(88) else "",
        draw.one_of(SERVICES[person.service]),
        _other_date(person.joined, draw) if draw.percent(94) else "",
        _other_date(left, draw),
        draw.one_of(NOTES),
    )
    return Entry(person=index, surname=surname, given=given, patronymic=patronymic, born=born, unit=unit, cells=cells)


def _whole_name(surname: str, given: str, patronymic: str, draw: DemoRandom, *, last: bool) -> str:
    """Most typists write surname, given name, patronymic. Some use capitals, break the line or put the surname last;
    with ``last`` it always comes last, in capitals."""
    if draw.percent(1.5):
        surname = _with_lookalike(surname)
    roll = draw.below(100)
    if last:
        return f"{given} {patronymic} {surname.upper()}"
    if roll < 8:
        return f"{given} {patronymic} {surname}"
    if roll < 24:
        return f"{surname.upper()} {given} {patronymic}"
    if roll < 32:
        return f"{surname.upper()}\n{given} {patronymic}"
    if roll < 35:
        return f"{surname}\n{given} {patronymic}"
    if roll < 37:
        return f"{surname} {given} {patronymic}".upper()
    if roll < 39:
        return f"{surname}  {given}\N{NO-BREAK SPACE}{patronymic} "
    return f"{surname} {given} {patronymic}"


def _with_lookalike(name: str) -> str:
    """With one Cyrillic letter typed as the Latin one that looks like it."""
    i = next((i for i, letter in enumerate(name) if i and letter.translate(LOOKALIKES) != letter), None)
    return name if i is None else name[:i] + name[i].translate(LOOKALIKES) + name[i + 1 :]


def _with_initials(surname: str, given: str, patronymic: str, draw: DemoRandom) -> str:
    # After initials, a surname such as Петрович would be read as a patronymic, by people too.
    if draw.percent(15) and not surname.endswith("ич"):
        return f"{given}{patronymic} {surname}"
    space = " " if draw.percent(25) else ""
    return f"{surname.upper() if draw.percent(25) else surname} {given}{space}{patronymic}"


def _birth(born: datetime.date, draw: DemoRandom, *, bare_year: bool) -> tuple[str, Cell]:
    """The date of birth as recorded, and its cell: a date, text with the day first, the year only, or nothing."""
    if bare_year:
        return str(born.year), f"{born.year} г.р."
    if draw.percent(YEAR):
        cells: tuple[Cell, ...] = (born.year, f"{born.year} г.", f"{born.year}")
        return str(born.year), draw.one_of(cells)
    if draw.percent(NO_DATE):
        return "", draw.one_of(("", "", "-", "н/д"))
    full, roll = born.isoformat(), draw.below(100)
    if roll < 38:
        return full, born
    if roll < 80:
        return full, f"{born:%d.%m.%Y}"
    if roll < 87:
        return full, f"{born.day}.{born.month}.{born.year}"
    if roll < 92:
        return full, f"{born:%d.%m.%Y} г."
    if roll < 95:
        return full, f"{born:%d.%m.%y}"
    if roll < 98:
        return full, f"{born:%d/%m/%Y}"
    return full, f"{born.day} {MONTHS[born.month - 1]} {born.year} г."


def _other_date(day: datetime.date, draw: DemoRandom) -> Cell:
    return day if draw.percent(50) else f"{day:%d.%m.%Y}" if draw.percent(85) else f"{day:%m.%Y}"


def frame_of(entries: Sequence[Entry]) -> pd.DataFrame:
    """The list as it is read back from the sheet: text, each row labelled by its row of the sheet, and the unit in the
    column ``section``."""
    rows, labels, label, unit = [], [], FIRST_ROW, ""
    for entry in entries:
        label += entry.unit != unit  # a row with the name of the unit comes before its first person
        unit = entry.unit
        rows.append([*(str(cell) for cell in entry.cells), unit])
        labels.append(label)
        label += 1
    index = pd.Index(labels, name="row", dtype="int64")
    columns = pd.Index([*HEADERS, "section"], dtype=object)
    return pd.DataFrame(rows, columns=columns, index=index, dtype=object)


def workbook_of(entries: Sequence[Entry]) -> bytes:
    """The workbook, ready to be printed on A4, landscape."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": datetime.datetime.combine(LIST_DATE, datetime.time()), "author": "", "title": ""})
    style = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
    title = book.add_format({**style, "bold": True, "align": "center", "font_size": 14})
    small = book.add_format({**style, "italic": True, "align": "right"})
    head = book.add_format(
        {**style, "bold": True, "align": "center", "border": 1, "text_wrap": True, "bg_color": "#D9D9D9"}
    )
    numbers = book.add_format({**style, "italic": True, "align": "center", "border": 1, "font_size": 8})
    unit_style = book.add_format({**style, "bold": True, "align": "center", "border": 1})
    text = book.add_format({**style, "border": 1, "text_wrap": True})
    date = book.add_format({**style, "border": 1, "align": "left", "num_format": "dd.mm.yyyy"})
    plain = book.add_format(style)

    sheet = book.add_worksheet("Лист1")
    last = len(HEADERS) - 1
    for column, width in enumerate((6, 18, 36, 19, 13, 14, 14, 12, 26)):
        sheet.set_column(column, column, width)
    sheet.merge_range(0, 0, 0, last, TITLES[0], small)
    sheet.merge_range(1, 0, 1, last, TITLES[1], title)
    sheet.merge_range(2, 0, 2, last, TITLES[2], title)
    sheet.merge_range(3, 0, 3, last, AS_OF, small)
    sheet.write_row(5, 0, HEADERS, head)
    sheet.set_row(5, 32)
    sheet.write_row(6, 0, range(1, len(HEADERS) + 1), numbers)
    row, unit = FIRST_ROW - 1, ""
    for entry in entries:
        if entry.unit != unit:
            unit = entry.unit
            sheet.merge_range(row, 0, row, last, unit, unit_style)
            row += 1
        if any("\n" in str(cell) for cell in entry.cells):
            sheet.set_row(row, 30)
        for column, cell in enumerate(entry.cells):
            if isinstance(cell, datetime.date):
                sheet.write_datetime(row, column, datetime.datetime.combine(cell, datetime.time()), date)
            elif isinstance(cell, int):
                sheet.write_number(row, column, cell, text)
            elif cell:
                sheet.write_string(row, column, cell, text)
            else:
                sheet.write_blank(row, column, None, text)
        row += 1
    for line in SIGNATURES:
        row += 1
        sheet.write_string(row, 2, line, plain)
    sheet.freeze_panes(FIRST_ROW - 1, 0)
    sheet.repeat_rows(5, 6)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    book.close()
    return out.getvalue()
