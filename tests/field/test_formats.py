"""Every format gives the same people, nothing a workbook shows is lost, and no file costs more than it holds."""

import datetime
import gzip
import importlib
import io
import itertools
import json
import re
import struct
import subprocess
import sys
import tarfile
import time
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import python_calamine
from helpers import DATA, ROOT, workbooks
from helpers.bombs import BOMBS
from helpers.rosters import HEADER, as_csv, clean_rosters, read
from helpers.workbooks import WRITERS, Error, unzipped, zipped
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pprl.core.errors import RosterError
from pprl.roster.files import parquet_pages
from pprl.roster.files.read import open_roster, read_roster, read_roster_parts
from pprl.roster.files.serials import date_text, is_date_format
from pprl.roster.files.workbook import cell_text

PEOPLE = [
    ["Ёжиков", "Лев", "Львович", "02.03.1985", "12345678"],
    ["Совина", "Яна", "", "03.04.1986", "00000007"],
    ["Рысин", "Пётр", "Ильич", "04.05.1987", "87654321"],
]
CSV = as_csv(PEOPLE)
OLD = (DATA.parent / "data" / "roster_formats" / "small.xls").read_bytes()


@pytest.fixture
def roster(tmp_path):
    """Writes bytes to a file and reads it."""

    def read_bytes(data, **options):
        (tmp_path / "roster").write_bytes(data)
        return read_roster(tmp_path / "roster", **options)

    return read_bytes


def refusal(roster, data):
    with pytest.raises(RosterError) as refused:
        roster(data)
    assert refused.value.hint
    return str(refused.value)


# --- one roster, many formats ---


@given(clean_rosters(least=4, most=8))
@settings(max_examples=4, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_format_gives_the_same_people(tmp_path, rows):
    (tmp_path / "list").write_bytes(as_csv(rows))
    clean = read(tmp_path / "list")
    for name, write in WRITERS.items():
        (tmp_path / "list").write_bytes(write(HEADER, rows))
        assert read(tmp_path / "list").people == clean.people, name
    (tmp_path / "list").write_bytes(workbooks.entities(rows))
    assert read(tmp_path / "list").people == clean.people


CELLS = st.one_of(
    st.text("Ёжаb1 <&;", min_size=1, max_size=6).filter(str.strip),
    st.integers(-(2**28), 2**28),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
    st.booleans(),
    st.datetimes(datetime.datetime(1900, 3, 1), datetime.datetime(2100, 1, 1)).map(
        lambda day: day.replace(microsecond=0)
    ),
    st.just(""),
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_our_readers_of_ods_and_xlsb_agree_with_another(tmp_path, rows):
    rows = [["ФИО", "Дата рождения", "Номер"], *[["Ёжиков Лев", *row] for row in rows]]
    rows[0].append("Звание")
    for write in (workbooks.ods, workbooks.xlsb):
        data = write(rows)
        (tmp_path / "list").write_bytes(data)
        (sheet,) = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).sheet_names
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(sheet)
        theirs = [[cell_text(cell).strip() for cell in row] for row in book.to_python()[1:]]
        ours = [[cell.strip() for cell in row] for row in read_roster(tmp_path / "list").values.tolist()]
        assert ours == [row + [""] * (len(ours[0]) - len(row)) for row in theirs]


# --- what a workbook shows ---

BOOKS = {"xlsx": workbooks.xlsx, "xlsb": workbooks.xlsb, "ods": workbooks.ods}


@pytest.mark.parametrize("write", BOOKS.values(), ids=BOOKS)
def test_errors_are_the_text_that_the_cell_shows(roster, write):
    shown = [*workbooks.ERROR_CODES]
    rows = [
        ["ФИО", "Отчество"],
        *[[f"Ёжиков{letter} Лев", Error(text)] for letter, text in zip("абвгдеж", shown, strict=True)],
    ]
    assert roster(write(rows))["Отчество"].tolist() == shown


def test_errors_of_an_old_workbook_too(roster):
    """The cell `007` becomes an error, and another the result of a formula that failed."""
    at = OLD.index(struct.pack("<HHHH", 0x00FD, 10, 4, 3))
    data = OLD[:at] + struct.pack("<HH", 0x0205, 10) + OLD[at + 4 : at + 10] + b"\x2a\x01\0\0" + OLD[at + 14 :]
    assert roster(data).values.tolist()[1] == ["2", "Мясников Л.В.", "28.07.1964", "#N/A"]


def test_errors_of_an_xlsx_whose_sheet_has_another_name_and_prefix(roster):
    parts = unzipped(workbooks.xlsx([["ФИО", "Отчество"], ["Ёжиков Лев", Error("#N/A")]]))
    sheet = parts.pop("xl/worksheets/sheet1.xml").replace(b't="e"', b"t = 'e'")
    parts["xl/worksheets/people.xml"] = sheet
    for name in ("xl/_rels/workbook.xml.rels", "[Content_Types].xml"):
        parts[name] = parts[name].replace(b"sheet1.xml", b"people.xml")
    assert roster(zipped(parts))["Отчество"].tolist() == ["#N/A"]


@pytest.mark.parametrize("write", BOOKS.values(), ids=BOOKS)
def test_days_times_durations_and_truth(roster, write):
    values = {
        datetime.date(1985, 3, 2): "1985-03-02",
        datetime.datetime(1985, 3, 2, 21): "1985-03-02 21:00:00",
        datetime.date(1900, 3, 1): "1900-03-01",
        datetime.timedelta(hours=30, minutes=5): "30:05:00",
        True: "true",
        7: "7",
        1.5: "1.5",
        -12.25: "-12.25",
    }
    if write is workbooks.ods:  # counts no days
        values[datetime.date(1885, 3, 2)] = "1885-03-02"
    rows = [["ФИО", "Дата рождения"], *[["Ёжиков Лев", value] for value in values]]
    assert roster(write(rows))["Дата рождения"].tolist() == [*values.values()]


@pytest.mark.parametrize("write", BOOKS.values(), ids=BOOKS)
def test_a_few_texts_in_many_cells_are_no_bomb(roster, write):
    rows = [["ФИО", "Звание", "Часть", "Город"], *[["Ёжиков Лев", "рядовой", "Рота", "Тверь"]] * 2_000]
    assert len(roster(write(rows))) == 2_000


def test_days_counted_from_1904(roster):
    day = datetime.date(1985, 3, 2)
    rows = [["ФИО", "Дата рождения"], ["Ёжиков Лев", day]]
    assert roster(workbooks.xlsx(rows, from_1904=True))["Дата рождения"].tolist() == ["1985-03-02"]
    later = [["ФИО", "Дата рождения"], ["Ёжиков Лев", day - datetime.timedelta(days=1462)]]
    assert roster(workbooks.xlsb(later, from_1904=True))["Дата рождения"].tolist() == ["1985-03-02"]


def test_numbers_as_days():
    assert [date_text(serial) for serial in (1, 59, 61, 2_958_465)] == [
        "1900-01-01",
        "1900-02-28",
        "1900-03-01",
        "9999-12-31",
    ]
    assert date_text(2_958_466) == "2958466"
    assert date_text(0) == "00:00:00"
    assert date_text(0.99999999) == "1900-01-01"
    formats = {
        "dd/mm/yy": True,
        '0" дней"': False,
        "General": False,
        "[Red]0.00": False,
        "[h]:mm": True,
        "mmm\\-yy": True,
    }
    assert {code: is_date_format(200, code) for code in formats} == formats


@pytest.mark.parametrize("name", BOOKS)
def test_what_is_merged_down_holds_for_each_person(roster, name):
    rows = [["Звание", "ФИО", "Год"], ["рядовой", "Ёжиков Лев", 1980], ["", "Совин Ян", 1981], ["", "Рысин Пётр", 1982]]
    if name == "ods":
        spans = workbooks.ods_rows(rows).replace(
            workbooks.ods_cell("рядовой"), workbooks.ods_cell("рядовой", ' table:number-rows-spanned="3"')
        )
        data = workbooks.ods(spans)
    else:
        data = BOOKS[name](rows, merged=[(1, 3, 0, 0)])
    assert roster(data)["Звание"].tolist() == ["рядовой"] * 3


def test_text_of_an_ods_cell_is_what_it_shows(roster):
    """Lines, runs of spaces and links belong to it; a remark, a drawing and tracked changes do not."""
    cell = (
        '<table:table-cell office:value-type="string"><office:annotation><text:p>Зкъхжв</text:p></office:annotation>'
        '<text:p>Ёжиков<text:s text:c="3"/><text:span>Лев</text:span></text:p><text:p>Львович</text:p>'
        "</table:table-cell>"
    )
    rows = workbooks.ods_rows([["ФИО", "Год"]]) + f"<table:table-row>{cell}{workbooks.ods_cell(1985)}</table:table-row>"
    assert roster(workbooks.ods(rows)).values.tolist() == [["Ёжиков   Лев\nЛьвович", "1985"]]


def test_repeated_cells_and_rows_of_an_ods_are_people(roster):
    """LibreOffice writes equal neighbours once, and a million empty rows at the end."""
    rows = workbooks.ods_rows([["ФИО", "Место рождения", "Место жительства"]])
    twice = workbooks.ods_cell("Тверь", ' table:number-columns-repeated="2"')
    rows += '<table:table-row table:number-rows-repeated="2">' + workbooks.ods_cell("Ёжиков Лев") + twice
    rows += '<table:table-cell table:number-columns-repeated="16381"/></table:table-row>'
    rows += '<table:table-row table:number-rows-repeated="1048573"><table:table-cell/></table:table-row>'
    frame = roster(workbooks.ods(rows))
    assert frame.values.tolist() == [["Ёжиков Лев", "Тверь", "Тверь"]] * 2
    assert frame.index.tolist() == [2, 3]


def test_sheets_of_an_ods_are_named_or_joined(roster):
    more = f'<table:table table:name="Второй">{workbooks.ods_rows([HEADER, *PEOPLE])}</table:table>'
    data = workbooks.ods([HEADER, *PEOPLE], more=more)
    assert "2 sheets of the roster hold a table" in refusal(roster, data)
    assert roster(data, sheet="Второй").index.tolist() == [2, 3, 4]
    assert roster(data, sheet="all").index.tolist()[-1] == 20_000_004


# --- archives ---


def test_a_registry_in_a_gz_is_read_in_parts(tmp_path):
    rows = [[f"Ёжиков{letter}", "Лев", "Львович", "02.03.1985", f"{at:08}"] for at in range(400) for letter in "абв"]
    (tmp_path / "registry.csv.gz").write_bytes(gzip.compress(as_csv(rows)))
    file = open_roster(tmp_path / "registry.csv.gz", rows=100)
    parts = list(file.parts())
    assert [len(part) for part in parts] == [100] * 12
    assert pd.concat(list(file.parts())).values.tolist() == rows
    assert len(pd.concat(list(read_roster_parts(tmp_path / "registry.csv.gz", rows=70)))) == 1200


PACKED = {
    "a folder, and what systems leave behind": (
        {"list/": b"", "list/a.csv": CSV, "__MACOSX/list/._a.csv": b"\0\5", "list/.DS_Store": b"\0", "Thumbs.db": b"x"},
        (),
    ),
    "a letter beside it": ({"a.csv": CSV, "read me.pdf": b"%PDF"}, ("1 other file in the archive left out",)),
    "a name without ending": ({"Список": CSV}, ()),
    "a workbook": ({"a.xlsx": workbooks.xlsx([HEADER, *PEOPLE])}, ()),
    "an ODS": (
        {"a.ods": workbooks.ods([HEADER, *PEOPLE]), "x.jpg": b"x", "y.jpg": b"y"},
        ("2 other files in the archive left out",),
    ),
    "a Parquet": ({"a.parquet": workbooks.parquet(HEADER, PEOPLE)}, ()),
}


@pytest.mark.parametrize(("parts", "notes"), PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_the_only_table_in_a_zip_is_read(roster, parts, notes, method):
    frame = roster(zipped(parts, method=method))
    assert frame.values.tolist() == PEOPLE
    assert tuple(frame.attrs.get("notes", ())) == notes


def encrypted(data):
    """A ZIP whose members say that they are encrypted."""
    data = data.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0")
    return data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0")


def tar_gz():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        member = tarfile.TarInfo("list.csv")
        member.size = len(CSV)
        file.addfile(member, io.BytesIO(CSV))
    return out.getvalue()


NOT_READ = {
    "three tables": (zipped({"a.csv": CSV, "b.xlsx": b"x", "c.CSV": CSV}), "the archive holds 3 tables"),
    "no table": (zipped({"a.pdf": b"x", "b.jpg": b"x"}), "the archive holds no table"),
    "nothing": (zipped({}), "the archive holds no table"),
    "a file without a name": (zipped({"": CSV}), "the archive holds no table"),
    "a ZIP in a ZIP": (zipped({"a.zip": zipped({"a.csv": CSV})}), "another archive"),
    "a GZ in a ZIP": (zipped({"a.csv.gz": gzip.compress(CSV)}), "another archive"),
    "a ZIP in a GZ": (gzip.compress(zipped({"a.csv": CSV})), "another archive"),
    "a GZ in a GZ": (gzip.compress(gzip.compress(CSV)), "another archive"),
    "tar.gz": (tar_gz(), "another archive"),
    "an encrypted ZIP": (encrypted(zipped({"a.csv": CSV})), "protected with a password"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(90), "the roster is packed with 7-Zip"),
    "RAR in a ZIP": (zipped({"a.csv": b"Rar!\x1a\x07" + bytes(90)}), "the archive holds a file packed with RAR"),
    "a GZ cut short": (gzip.compress(CSV)[:-20], "the archive is damaged"),
    "a GZ with a wrong checksum": (gzip.compress(CSV)[:-8] + bytes(8), "the archive is damaged"),
    "a damaged member": (zipped({"a.csv": CSV}).replace("Лев".encode(), b"xxxxxx"), "the archive is damaged"),
}
NOT_READ["a damaged member"] = (
    zipped({"a.csv": CSV}, method=zipfile.ZIP_STORED).replace("Лев".encode(), b"xxxxxx", 1),
    "the archive is damaged",
)


DOCUMENTS = {
    "PDF": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "the roster is a PDF, not a table"),
    "RTF": (b"{\\rtf1\\ansi hello}", "the roster is a text document (RTF), not a table"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(90), "the roster is a picture, not a table"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(90), "the roster is a picture, not a table"),
    "DOCX": (zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "a text document or slides"),
}


@pytest.mark.parametrize(("data", "message"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents_and_pictures_are_named_as_such(roster, data, message):
    assert message in refusal(roster, data)


@pytest.mark.parametrize(("data", "message"), NOT_READ.values(), ids=NOT_READ)
def test_any_other_archive_says_what_to_do(roster, data, message):
    assert message in refusal(roster, data)


def test_a_duration_beyond_all_is_refused(roster):
    book = openpyxl.Workbook()
    book.active.append(["ФИО", "срок"])
    book.active.append(["Лугов Олег", 1e12])
    book.active["B2"].number_format = "[h]:mm:ss"
    data = io.BytesIO()
    book.save(data)
    assert refusal(roster, data.getvalue()) == "the roster is not a complete spreadsheet"


def with_a_password(data):
    """An old workbook whose second record says that the others are encrypted."""
    at = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20
    return data[:at] + struct.pack("<H", 0x002F) + data[at + 2 :]


PROTECTED = {
    "XLSX or XLSB": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + bytes(504)
    + "EncryptedPackage".encode("utf-16-le")
    + bytes(90),
    "XLS": with_a_password(OLD),
    "ODS": workbooks.ods([HEADER, *PEOPLE], manifest="<manifest:encryption-data/>"),
    "ODS as a whole": zipped({"mimetype": b"x", "encrypted-package": b"x"}),
    "XLSX packed with a password": encrypted(workbooks.xlsb([HEADER, *PEOPLE])),
}


@pytest.mark.parametrize("data", PROTECTED.values(), ids=PROTECTED)
def test_workbooks_with_a_password_are_named_as_such(roster, data):
    assert refusal(roster, data) == "the roster is protected with a password"
    assert refusal(roster, zipped({"a.xlsx": data})) == "the roster is protected with a password"


# --- Parquet ---


def test_columns_in_any_encoding_are_the_same(roster):
    people = [
        [f"{name}{at}" if column != 1 else name for column, name in enumerate(row)]
        for at in range(30)
        for row in PEOPLE
    ]
    for options in (
        {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"},
        {"use_dictionary": False, "column_encoding": "DELTA_LENGTH_BYTE_ARRAY", "data_page_version": "2.0"},
        {"use_dictionary": False, "compression": "zstd", "row_group_size": 7},
        {"dictionary_pagesize_limit": 40, "write_batch_size": 5, "data_page_size": 64},
    ):
        frame = roster(workbooks.parquet(HEADER, people, **options))
        assert frame.values.tolist() == people, options


def test_the_pages_of_a_column_are_seen_before_they_are_read():
    data = workbooks.parquet(HEADER, PEOPLE, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    assert parquet_pages.inspect(memoryview(data), HEADER[:2], 50_000) == (50_000, {*HEADER[:2]})
    assert parquet_pages.inspect(memoryview(workbooks.parquet(HEADER, PEOPLE)), HEADER, 50_000) == (50_000, set())


def test_a_long_text_that_may_be_repeated_is_read_in_few_rows(roster):
    """One in the page of distinct values, beside pages that hold texts; one that others begin with."""
    people = [["Ё" * 20_000 if at == 3 else f"Ёжиков{at}", "Лев"] for at in range(60)]
    for options in (
        {"dictionary_pagesize_limit": 80, "write_batch_size": 5},
        {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"},
    ):
        data = workbooks.parquet(["name", "given"], people, **options)
        at_once, plain = parquet_pages.inspect(memoryview(data), ["name", "given"], 50_000)
        assert "name" in plain
        assert at_once <= (1 << 28) // 40_000
        assert roster(data).values.tolist() == people


def test_lists_whose_values_are_repeated_are_read_or_refused(roster):
    def table(text, times):
        lists = pa.ListArray.from_arrays(list(range(0, 4 * times, times)), pa.array([text] * (3 * times)))
        out = io.BytesIO()
        pq.write_table(pa.table({"name": lists}), out)
        return out.getvalue()

    assert roster(table("Ёж", 2)).values.tolist() == [["Ёж; Ёж"]] * 3
    assert "more than 1,048,576 characters" in refusal(roster, table("Ё" * 1_000, 2_000))


# --- limits ---

MEASURE = """
import json, re, sys, time
import numpy, pandas, pyarrow.parquet
from pprl.roster.files.read import read_roster

def megabytes(name):
    with open("/proc/self/status") as file:
        return int(re.search(name + r":\\s+(\\d+)", file.read())[1]) / 1024

for line in sys.stdin:
    if sys.platform == "linux":
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    before, begin = megabytes("VmRSS") if sys.platform == "linux" else 0, time.perf_counter()
    try:
        how = str(read_roster(line.strip()).shape)
    except Exception as error:
        how = f"{type(error).__name__}: {error}"
    took = time.perf_counter() - begin
    print(json.dumps([how, took, megabytes("VmHWM") - before if sys.platform == "linux" else 0]), flush=True)
"""


@pytest.fixture(scope="module")
def measured():
    """A process that reads files one by one: what became of each, seconds, and megabytes."""
    command = [sys.executable, "-c", MEASURE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:

        def measure(path):
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield measure
        process.stdin.close()


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_is_refused_before_it_is_laid_out(measured, tmp_path, name):
    make, message = BOMBS[name]
    (tmp_path / "bomb").write_bytes(make())
    how, seconds, megabytes = measured(tmp_path / "bomb")
    (tmp_path / "bomb").unlink()
    assert how.startswith("RosterError")
    assert re.search(message, how), how
    assert seconds < 2
    assert megabytes < 300


@pytest.fixture(scope="module")
def fuzz():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        patch.setattr(sys, "argv", ["fuzz_rosters"])
        yield importlib.import_module("fuzz_rosters")


FORMATS = ("csv", "xlsx", "xlsb", "ods", "parquet", "arrow", "arrow stream", "ftm", "zip", "gz")


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_read_or_refused(fuzz, tmp_path, name):
    """`benchmarks/fuzz_rosters.py` does this with a hundred thousand files of each format."""
    valid = fuzz.seeds(name)
    counts = {"read": 0, "refused": 0}
    begin = time.monotonic()
    for number in itertools.count():
        (tmp_path / "roster").write_bytes(fuzz.file_of(name, valid, 0, number))
        counts[fuzz.read(tmp_path / "roster")] += 1
        if number >= 30 or (number > 10 and time.monotonic() - begin > 0.5):
            break
    assert counts["refused"], "nothing was damaged"


def test_damaged_old_workbooks_are_read_or_refused(fuzz):
    row = fuzz.fuzz("xls", files=20, seed=0)
    assert not row.failures
    assert sum(row.counts.values()) == 20


def test_a_failure_is_seen_by_the_fuzzing(fuzz):
    """The judge itself: an exception, an excess of time, one of memory."""
    row = fuzz.Row("csv")
    for how, seconds, megabytes in (("refused", 1, 1), ("KeyError: 1", 1, 1), ("read", 11, 1), ("read", 1, 501)):
        row.take(7, how, seconds, megabytes)
    assert len(row.failures) == 3
