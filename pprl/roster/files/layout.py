"""Finds the table in a sheet: records in, header and people out, without what the clerk wrote around them.

There may be titles above the header, a header over two rows, column numbers below it, names of units between the people
and signatures after them. A row is left out only when it is clearly not a person; in doubt it stays.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from pprl.core.errors import RosterError
from pprl.core.schema import FULL_NAME, NAME_TYPES
from pprl.normalize.cells import clean
from pprl.normalize.names import is_patronymic
from pprl.normalize.recognise import is_value
from pprl.roster.files.findings import Findings
from pprl.roster.files.headers import header_type, is_short_for
from pprl.roster.files.limits import MAX_COLUMNS

NEEDED = "the roster needs a header row and at least one row of people"
SECTION = "section"
ALL = sys.maxsize
_LOOK = 60  # rows at the top that are searched for the header
_TAIL = 12  # rows at the end that may be signatures
_BATCH = 100  # rows that are turned into columns at once: few enough to stay in a processor's cache
_KEPT = 100_000  # distinct texts that are held only once, however often they occur

#: A cell alone in a column of these types is a bad value, not a section.
VALUE_TYPES = ("date", "year", "sex", "rank", "identifier")

Numbered = tuple[int, list[str]]
Person = tuple[int, list[str], str]  # row, cells, section


@dataclass
class Table:
    """A located table or a part of it, by columns. ``rows`` are rows of the sheet, counted from 1; ``known`` says that
    headers were recognised.
    """

    header: list[str]
    known: bool
    columns: list[list[str]]
    rows: list[int] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)

    def width(self) -> int:
        """The number of columns, without those at the right that have neither a header nor a filled cell."""
        width = len(self.header)
        while width > 1 and not self.header[width - 1] and not any(map(str.strip, self.columns[width - 1])):
            width -= 1
        return width


HEADER_GUESSED = "was taken for the header, though no word in it is known as one"
JOINED = "continues the row above and was joined to it"


def locate(
    records: Iterable[list[str]], rows: int = ALL, *, ragged: bool = True, findings: Findings | None = None
) -> Iterator[Table]:
    """The table in the records of a sheet, in parts of ``rows`` rows, which together equal the table in one part.

    Rows that are joined to the one above, and a header that is only guessed, are added to the ``findings``.

    In ``ragged`` records (a CSV) a cell beyond the header is a mistake; in a spreadsheet it is a column without a name.

    RosterError: there is no table, or it has more than 16,384 columns.
    """
    filled = ((number, record) for number, record in enumerate(records, 1) if "".join(record).strip())
    head = list(itertools.islice(filled, _LOOK))
    if not head:
        raise RosterError("the roster holds nothing but empty rows", hint=NEEDED)
    if max(len(record) for _, record in head) > MAX_COLUMNS:
        raise RosterError(f"the roster has more than {MAX_COLUMNS:,} columns", hint="is it a table of people?")
    header, body, known = _find_header([record for _, record in head])
    if not ragged:
        header += [""] * (max(len(record) for _, record in head) - len(header))
    findings = Findings() if findings is None else findings
    if not known and body:
        findings.add(HEADER_GUESSED, head[body - 1][0])
    table = Table(header, known, [[] for _ in header])
    people, kept = _people(table, itertools.chain(head[body:], filled), findings), dict[str, str]()
    while batch := list(itertools.islice(people, _BATCH)):
        _add(table, batch, kept)
        while len(table.rows) > rows + _TAIL:  # the last part must hold all signatures, whatever its size
            yield _cut(table, rows)
    _drop_signatures(table)
    if not table.rows:
        raise RosterError("the roster has a header and no rows", hint=NEEDED)
    while table.rows:
        yield _cut(table, rows)


def _add(table: Table, people: list[Person], kept: dict[str, str]) -> None:
    rows, records, sections = zip(*people, strict=True)
    keep = kept.setdefault if len(kept) < _KEPT else kept.get
    for column, cells in zip(table.columns, zip(*records, strict=True), strict=True):
        column.extend(map(keep, cells, cells))
    table.rows.extend(rows)
    table.sections.extend(sections)


def _cut(table: Table, rows: int) -> Table:
    """Remove the first rows and return them."""
    first = replace(
        table,
        columns=[column[:rows] for column in table.columns],
        rows=table.rows[:rows],
        sections=table.sections[:rows],
    )
    for column in table.columns:
        del column[:rows]
    del table.rows[:rows], table.sections[:rows]
    return first


def _find_header(head: list[list[str]]) -> tuple[list[str], int, bool]:
    """The header, the index of the first record below it, and whether it was recognised.

    The header is the record with most known headers, alone or together with the next. Where none is known, the list may
    have names and no header; otherwise it is the first record that is as wide as the table, unless that is a person.
    """
    known = [sum(header_type(cell) is not None for cell in record) for record in head]
    for index in range(1, len(head)):
        if known[index] < 2 and known[index] < sum(1 for cell in head[index] if cell.strip()):
            known[index] = 0  # below the first record, a single such word may be a person's cell
    if any(known):
        best = known.index(max(known))
        for first in (best - 1, best):
            if 0 <= first < len(head) - 1 and _is_head_of(head[first], head[first + 1], known[best]):
                return _labels(_two_rows(head[first], head[first + 1])), first + 2, True
        return _labels(head[best]), best + 1, True
    if (column := _column_of_names(head)) is not None:
        first = next(i for i, record in enumerate(head) if is_name(_without_number(_cell(record, column))))
        return [""] * column + [FULL_NAME], first, True
    if (guessed := _header_above_values(head)) is not None:
        return _labels(head[guessed]), guessed + 1, False
    widths = [sum(1 for cell in record if cell.strip()) for record in head]
    first = next(i for i, width in enumerate(widths) if 2 * width >= max(widths))
    if max(widths) > 1 and any(map(is_value, filter(str.strip, head[first]))):
        return [""] * max(map(len, head)), first, False
    return _labels(head[first]), first + 1, False


def _header_above_values(head: list[list[str]]) -> int | None:
    """The row of words above columns of dates or numbers, below rows about the export itself; None if there is none."""
    width = Counter(map(len, head)).most_common(1)[0][0]
    typed = [
        column
        for column in range(width)
        if 2 * sum(_has_digits(_cell(record, column)) for record in head) > len(head) > 3
    ]
    for index in range(1, len(head) - 2):
        words = all(cell.strip() and not _has_digits(cell) for cell in head[index]) and len(head[index]) == width
        below = all(_has_digits(_cell(record, column)) for record in head[index + 1 : index + 4] for column in typed)
        if typed and words and below:
            return index
    return None


def _has_digits(text: str) -> bool:
    return any(map(str.isdigit, text))


def _labels(record: list[str]) -> list[str]:
    labels = [clean(cell) for cell in record]
    while labels and not labels[-1]:
        labels.pop()
    return labels


def _is_head_of(upper: list[str], lower: list[str], known: int) -> bool:
    """Whether two rows form one header: together they name more fields than either row alone."""
    both = _two_rows(upper, lower)
    below = sum(header_type(cell) is not None for cell in lower)
    joined = any(a.strip() and b.strip() and header_type(b) is None for a, b in zip(upper, lower, strict=False))
    if any(cell.strip().isdigit() for cell in lower):
        return False
    return sum(header_type(cell) is not None for cell in both) > known and (below > 0 or joined)


def _two_rows(upper: list[str], lower: list[str]) -> list[str]:
    """Join group headers with the headers below them; a group header is above its first column only."""
    both: list[str] = []
    group = ""
    for above, below in itertools.zip_longest(upper, lower, fillvalue=""):
        above, below = " ".join(above.split()), " ".join(below.split())
        if above or not below:
            group = above if below else ""
        whole = f"{group} {below}".strip() if below and group != below else above or below
        both.append(below if header_type(below) and not header_type(whole) else whole)
    return both


_OFFICE = re.compile(
    r"\b(?:спис\w*|состав\w*|рот[аыуе]|взвод\w*|батал[ьй]?он\w*|полк[ау]?|бригад\w*|дивизи\w*|дивизион\w*|батаре\w*|отделени[еяю]"
    r"|отдел\w*|групп[аы]|управлени[ея]|штаб\w*|част[ьи]|войсков\w*|приложени\w*|приказ\w*|утвержда\w*|экз\w*"
    r"|секретно|служб[аы]|организаци\w*|компани\w*|предприяти\w*|филиал\w*|цех|участок|смена|ооо|зао|оао|пао|ао|фгуп"
    r"|відділ\w*|підрозділ\w*|військов\w*|частин\w*|додаток|наказ\w*|загін|отряд\w*|экипаж\w*|расч[её]т\w*|вымышл\w*"
    r"|company|platoon|battalion|squad|brigade|unit|department|section|personnel|staff|roster|members)\b",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"(?:итого|всего|усього|разом|total|в том числе)\b", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:командир|командующий|начальник|нач\.|врио|вр\.?\s?и\.?\s?о|зам\.|заместитель|подпись|составил|исполнитель|исп\."
    r"|проверил|верно|утверждаю|председатель|секретарь|делопроизводитель|писарь|ответственный|дата|м\.?\s?п\."
    r"|склав|виконавець|підпис|signed|signature|prepared by|commander|commanding|date)(?!\w)|.*_{3}",
    re.IGNORECASE | re.DOTALL,
)
_OPENING = "\"'«„“(["  # before a nickname, or by mistake before a name
_PAGE = re.compile(
    r"[-–—\s]*(?:страница|стр|лист|старонка|сторінка|стор|аркуш|бет|page|seite|strona|str|página|pagina|pág|sayfa"
    r"|σελίδα|გვერდი|էջ|עמוד|صفحة|صفحه)[.:№#\s]+\d+(?:\s*(?:из|з|of|von|de|sur|z|/|-)\s*\d+)?[-–—.\s]*"
    r"|[-–—]\s*\d+\s*[-–—]",
    re.IGNORECASE,
)
_NO_PERSON = re.compile("[-–—1ивурслабtpsσგէעص]", re.IGNORECASE)  # how numbers of columns, totals and pages begin
_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`‐–-][^\W\d_]+)*\.?")
_NUMBER = re.compile(r"\s*\d+\s*[.)]?\s*(?=[^\W\d_])")


def is_name(text: str, words: int = 2) -> bool:
    """Whether a text could be a person's name: at least ``words`` words of letters, the first capitalised, no office.

    >>> is_name("Вержбицкий А.Б."), is_name("2 взвод (вымышл.)"), is_name("Рота связи")
    (True, False, False)
    """
    text = text.strip()
    if len(text) > 200 or not text[:1].isalpha() or not text[0].isupper():
        return False
    written = text.replace(".", ". ").replace(",", " ").split()
    if len(written) < words or not all(map(_WORD.fullmatch, written)):
        return False
    return not (_OFFICE.search(text) or _TOTAL.match(text) or _SIGNED.match(text))


def _column_of_names(head: list[list[str]]) -> int | None:
    """The column of a list without a header: one name per row, with at most a running number before it."""
    rows = [[i for i, cell in enumerate(record) if cell.strip() and not cell.strip().isdigit()] for record in head]
    commonest = Counter(row[0] for row in rows if row).most_common(1)
    if not commonest or any(len(row) > 1 for row in rows):
        return None
    column = commonest[0][0]
    names = sum(is_name(_without_number(_cell(record, column))) for record in head)
    return column if 2 * names >= len(head) else None


def _cell(record: list[str], column: int) -> str:
    return record[column] if column < len(record) else ""


def _without_number(text: str) -> str:
    return _NUMBER.sub("", text, count=1) if text[:1].isdigit() or text[:1] == " " else text


def _people(table: Table, rows: Iterator[Numbered], findings: Findings) -> Iterator[Person]:
    """The rows that are not clearly something else, as wide as the header, each with the section row above it."""
    header, width = table.header, len(table.header)
    bare_list = header[-1:] == [FULL_NAME] and not any(header[:-1])
    kinds = [header_type(label) for label in header]
    names = {column for column, kind in enumerate(kinds) if kind in (*NAME_TYPES, FULL_NAME)}
    numbers = {column for column, kind in enumerate(kinds) if kind == "row"}
    labels = {label.lower() for label in header if label}
    initials = {label[0] for label in labels}
    section = ""
    last: Person | None = None
    for row, record in rows:
        if len(record) > width and any(map(str.strip, record[width:])):
            if _alone(record, numbers) is None:
                raise RosterError(
                    f"row {row}: {len(record)} cells under {width} headers",
                    hint="does a cell hold the delimiter without being quoted?",
                )
            record = [*record[: width - 1], *filter(str.strip, record[width - 1 :])]
        if bare_list:
            record = [plain if is_name(plain := _without_number(cell), 1) else cell for cell in record]
        filled = [*filter(None, map(str.strip, record))]
        many = len(set(filled)) > 1 + len(numbers)  # as in most rows: no cell is alone
        alone = None if many else _alone(record, numbers)
        if alone is not None:
            if not alone[1] or _TOTAL.match(alone[1]) or _PAGE.fullmatch(alone[1]):
                continue
            if _is_section(*alone, names) and (kinds[alone[0]] not in VALUE_TYPES or _OFFICE.search(alone[1])):
                section = alone[1]
                continue
        else:
            first = filled[0][0]
            if _may_begin_no_person(first) and _is_no_person(record, filled, names):
                continue
            if first.lower() in initials:
                if _is_header_again(record, header, kinds):
                    continue
                if filled[0].lower() in labels and _is_another_header(record, kinds):
                    raise RosterError(
                        f"row {row}: the header of another table, with its columns in another order",
                        hint="divide the file above that row; a list may have several files (--list)",
                    )
        if len(record) != width:
            record = [*record, *[""] * width][:width]
        if alone is not None and last is not None and _continue(last, row, record, header):
            findings.add(JOINED, row)
            continue
        if last is not None:
            yield last
        last = row, record, section
    if last is not None:
        yield last


def _continue(last: Person, row: int, record: list[str], header: list[str]) -> bool:
    """Whether a row is the end of the name above it, a patronymic alone on its line; if so, join it."""
    if record.count("") < len(record) - 1:
        return False
    column = next((column for column, cell in enumerate(record) if cell.strip()), 0)
    above, text, kind = last[1][column].split(), record[column].strip(), header_type(header[column])
    if row != last[0] + 1 or " " in text or not is_patronymic(text):
        return False
    whole = kind == FULL_NAME and len(above) == 2 and not any(map(is_patronymic, above)) and "." not in above[-1]
    if whole or (kind == "patronymic" and not above):
        last[1][column] = " ".join([*above, text])
        return True
    return False


def _alone(record: list[str], numbers: set[int]) -> tuple[int, str] | None:
    """Column and text of the only filled cell of a record besides a running number; None where there are more."""
    found = (-1, "")
    for column, cell in enumerate(record):
        if column not in numbers or not cell.strip().rstrip(".)").isdigit():
            text = cell.strip()
            if text:
                if found[1] and (found[1] != text or len(record) < 3):
                    return None
                found = found if found[1] else (column, text)
    return found[0], " ".join(found[1].split())


def _is_section(column: int, text: str, names: set[int]) -> bool:
    """Whether a cell alone in its row names a section: it holds words, and no name."""
    if not _has_letters(text) or _SIGNED.match(text):
        return False
    if column in names:
        first_words = " ".join(text.split()[:2])  # an office may follow a name
        return bool(_OFFICE.search(first_words)) or not (
            text.lstrip(_OPENING)[:1].isalpha() or is_name(_without_number(text), words=1)
        )
    return bool(_OFFICE.search(text)) or (bool(names) and (" " in text or text.isalpha()))


@cache
def _may_begin_no_person(first: str) -> bool:
    """A quick look at the first character of a record."""
    return _NO_PERSON.match(first) is not None


def _is_no_person(record: list[str], filled: list[str], names: set[int]) -> bool:
    """Whether a record holds column numbers, the number of a page, or a total."""
    first = filled[0]
    if first == "1" and filled[1] == "2" and filled == [str(number) for number in range(1, len(filled) + 1)]:
        return True
    if _TOTAL.match(first):
        return not any(is_name(_cell(record, column), words=1) for column in names)
    return len(filled) < 5 and _PAGE.fullmatch(" ".join(filled)) is not None


def _is_header_again(record: list[str], header: list[str], kinds: list[str | None]) -> bool:
    """Whether a record is the header of another page: at least two cells, each its column's header, another word for
    the same field, or the beginning of its words.
    """
    cells = [entry for entry in zip(record, header, kinds, strict=False) if entry[0].strip()]
    return len(cells) > 1 and all(
        label and (is_short_for(cell, label) or (kind is not None and header_type(cell) == kind))
        for cell, label, kind in cells
    )


def _is_another_header(record: list[str], kinds: list[str | None]) -> bool:
    """Whether all cells are words for fields, two of them not for those of their columns: another file put below."""
    found = [(header_type(cell), kind) for cell, kind in zip(record, kinds, strict=False) if cell.strip()]
    return len(found) > 2 and all(ours for ours, _ in found) and sum(ours != kind for ours, kind in found) > 1


def _drop_signatures(table: Table) -> None:
    """Remove rows at the end that are signed or dated and name nobody in full."""
    kinds = [header_type(label) for label in table.header]
    names = [column for column, kind in enumerate(kinds) if kind in (*NAME_TYPES, FULL_NAME)]
    dates = [column for column, kind in enumerate(kinds) if kind in ("date", "year")]
    for _ in range(min(_TAIL, len(table.rows) - 1)):
        last = [column[-1].strip() for column in table.columns]
        filled = [cell for cell in last if cell]
        in_full = any(is_name(last[column]) and "." not in last[column] for column in names)
        in_full |= sum(is_name(last[column], words=1) for column in names) > 1
        born = any(last[column][:1].isdigit() for column in dates)
        signed = any("___" in cell for cell in filled) or (_SIGNED.match(filled[0]) and not in_full and not born)
        dated = len(filled) == 1 and names and not _has_letters(filled[0])
        if not (signed or dated):
            return
        for column in table.columns:
            column.pop()
        table.rows.pop()
        table.sections.pop()


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
