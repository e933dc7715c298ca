"""Whatever is handed in: one sentence and a hint, no traceback, no half-written file, and nothing of any cell.

Every roster of these tests has canaries in its cells, in its file's name and in the name of its folder. `run` looks
for them in everything that was printed and in every file that was not there before.
"""

import contextlib
import csv
import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from helpers import ROOT

import pprl
from pprl.cli import main
from pprl.core.schema_file import parse_schema
from pprl.demo import invent
from pprl.roster.columns_file import read_columns_file
from pprl.roster.files.read import read_roster

EXAMPLE = ROOT / "examples" / "two_files"
CANARIES = ("зкъхжв", "zqxjkv")
FOLDER, LIST, REGISTRY = "Zqxjkv-folder", "Зкъхжв-list.csv", "Zqxjkv-registry.csv"
SCHEMA = EXAMPLE.joinpath("schema.toml").read_text(encoding="utf-8")
HEADER = "Фамилия,Имя,Отчество,Дата рождения\n"
PERSON = "Зкъхжв,Zqxjkv,Иванович,01.02.1990\n"


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [
            line.removeprefix("pprl: error: ") for line in self.err.splitlines() if line.startswith("pprl: error: ")
        ]

    @property
    def hint(self) -> str:
        return "".join(line for line in self.err.splitlines() if line.startswith("pprl: hint: "))


@pytest.fixture(scope="session")
def small() -> tuple[str, str]:
    """The list and the registry of the example as CSV text, with canaries in the first row of each."""
    rows = EXAMPLE.joinpath("leaked.csv").read_text(encoding="utf-8").splitlines()[1:]
    ours = HEADER + PERSON + "".join(row.partition(",")[2] + "\n" for row in rows)
    rows = EXAMPLE.joinpath("registry.csv").read_text(encoding="utf-8").splitlines()[1:]
    theirs = "surname,given,patronymic,birth_date\nZqxjkv,Зкъхжв,Ivanovich,1990-02-01\n"
    return ours, theirs + "".join(row.partition(",")[2] + "\n" for row in rows)


@pytest.fixture
def desk(tmp_path, monkeypatch, small) -> Path:
    """The current folder, with good rosters in the folder of canaries, a schema and a key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / FOLDER).mkdir()
    for name, text in zip((LIST, REGISTRY), small, strict=True):
        (tmp_path / FOLDER / name).write_text(text, encoding="utf-8")
    (tmp_path / "schema.toml").write_text(SCHEMA, encoding="utf-8")
    assert run("key", "-o", "linkage.key", "--seed", "7").status == 0
    return tmp_path


def run(*words: object) -> Run:
    """The command line in process, with the promises that hold for every run."""
    before = listing()
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(word) for word in words])
    printed, errors = (stream.buffer.getvalue().decode() for stream in (out, err))
    new = listing() - before
    silent(printed + errors, *(name for name, _, _ in new))
    if status:
        assert not new, "a run that failed left files behind"
    for name, _, _ in new:
        assert not name.endswith(".part")
        if Path(name).is_file():
            silent(Path(name).read_bytes().decode(errors="ignore"))
    return Run(status, printed, errors)


def listing() -> set[tuple[str, int, int]]:
    """Every file under the current folder, with its size and time of modification."""
    return {
        (str(path), path.lstat().st_size if path.is_file() else 0, path.lstat().st_mtime_ns if path.is_file() else 0)
        for path in Path().rglob("*")
    }


def silent(*texts: str) -> None:
    for text in texts:
        assert not any(canary in text.lower() for canary in CANARIES), "a canary sang"
        assert "Traceback" not in text


def link(ours: object = f"{FOLDER}/{LIST}", theirs: object = f"{FOLDER}/{REGISTRY}", *words: object) -> Run:
    return run(
        "link", ours, theirs, "--schema", "schema.toml", "--seed", 7, "--pairs", "pairs.csv", "-o", "result", *words
    )


def encode(roster: object, *words: object) -> Run:
    fixed = ("--schema", "schema.toml", "--key-file", "linkage.key", "--as", "list", "-o", "x.pprl", "--seed", 7)
    return run("encode", roster, *fixed, *words)


def refused(result: Run, message: str, *, status: int = 1, hint: bool = True, lines: int = 1) -> None:
    assert result.status == status
    assert len(result.errors) == lines, result.err
    assert message in result.errors[0], result.err
    assert not result.errors[0].endswith(".")
    assert not result.errors[0][0].isupper() or result.errors[0].startswith("PRIVATE-")
    assert bool(result.hint) >= hint, "no hint"
    assert not result.out


def workbook(*, far: bool = False) -> bytes:
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(HEADER + PERSON * 40)):
        book.active.append(row)
    if far:
        book.active.cell(1_048_576, 300, "x")
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def flipped(data: bytes, part: bytes) -> bytes:
    """One byte changed in the middle of a part of a ZIP."""
    at = data.index(part) + len(part) + 100
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def table(*rows: str) -> bytes:
    return (HEADER + "".join(rows)).encode()


def packed(**parts: bytes) -> bytes:
    """The workbook with parts added; their names end in .xml."""
    data = io.BytesIO(workbook())
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as book:
        for name, part in parts.items():
            book.writestr(f"xl/{name.replace('__', '/')}.xml", part)
    return data.getvalue()


def undeclared(cell: str) -> bytes:
    """A stray cell far away, in a sheet that does not declare how far it reaches."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(data, "w") as new:
        for name in old.namelist():
            part = re.sub(rb"<dimension[^>]*>", b"", old.read(name))
            new.writestr(name, part.replace(b"</sheetData>", cell.encode() + b"</sheetData>"))
    return data.getvalue()


def claiming(size: int, **parts: bytes) -> bytes:
    """A workbook whose directory claims that its last part unpacks to so many bytes."""
    data = packed(**parts)
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + size.to_bytes(4, "little") + data[at + 28 :]


MANY = [f"Иванов,Иван,Иванович,{1 + at % 28:02d}.03.1980\n" for at in range(60)]
NOT_ROSTERS = {
    "empty file": (b"", "the roster is empty"),
    "only spaces and line ends": (b" \r\n\n ", "the roster is empty"),
    "header only": (HEADER.encode(), "a header and no rows"),
    "header and empty rows": (table(",,,\n", "\n", " , ,,\n"), "a header and no rows"),
    "first row empty": (b",,,\n" + PERSON.encode(), "no column of the roster is mapped"),
    "no usual header": (b"a,b,c\nZqxjkv,1,2\n", "no column of the roster is mapped"),
    "no header at all": (PERSON.encode() * 3, "no column of the roster is mapped"),
    "a surname twice": (
        "Фамилия,Фамилия,Имя,Дата рождения\nЗкъхжв,Zqxjkv,Иван,01.02.1990\n".encode(),
        "2 columns could be surname",
    ),
    "a surname under two usual headers": (
        "Фамилия,last name,Имя\nЗкъхжв,Zqxjkv,Иван\n".encode(),
        "2 columns could be surname",
    ),
    "binary junk": (bytes(range(256)) * 40, "neither XLSX nor text"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(255, 0, -1)) * 9, "the roster is a picture"),
    "NUL bytes": (table(PERSON) + b"\0\0\0", "NUL bytes"),
    "UTF-16 cut in the middle of a letter": ((HEADER + PERSON).encode("utf-16")[:-1], "neither XLSX nor text"),
    "UTF-32": ((HEADER + PERSON).encode("utf-32"), "NUL bytes"),
    "a code page of no language": ("name\nJørgen Müłler\nZqxjkv\n".encode("cp1257"), "neither XLSX nor text"),
    "UTF-8 cut in the middle of a letter": (table(PERSON).rstrip() + "ж".encode()[:1], "neither XLSX nor text"),
    "XLSX cut in the middle": (workbook()[: len(workbook()) // 2], "not a complete spreadsheet"),
    "XLSX cut at its end": (workbook()[:-30], "not a complete spreadsheet"),
    "XLSX with one byte changed": (flipped(workbook(), b"xl/worksheets/sheet1.xml"), "not a complete spreadsheet"),
    "XLSX with a stray cell far away": (workbook(far=True), "spans more than 5,000,000 cells"),
    "XLSX with a far cell that is not declared": (
        undeclared('<row><c t="n" r="XFD1048576"><v>1</v></c></row>'),
        "spans more than 5,000,000 cells",
    ),
    "XLSX that unpacks to more than a gigabyte": (claiming(1 << 31, media=bytes(1 << 20)), "unpacks to more than"),
    "XLSX with an enormous table of strings": (
        claiming(300 << 20, sharedStrings=b"<sst>"),
        "unpacks to more",
    ),
    "XLSX that counts more strings than there is memory": (
        packed(sharedStrings=b'<sst count="9" uniqueCount="99999999999"><si><t>Zqxjkv</t></si></sst>'),
        "not a complete spreadsheet",
    ),
    "XLSX whose strings contain each other": (
        packed(sharedStrings=b'<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]><sst><si><t>&a;</t></si></sst>'),
        "not a complete spreadsheet",
    ),
    "XLSX that lies about what it unpacks to": (claiming(16, media=bytes(1 << 20)), "not a complete spreadsheet"),
    "XLSX of ten thousand sheets": (
        packed(**{f"worksheets__sheet{at}": b"<worksheet/>" for at in range(2, 10_001)}),
        "more than 1,000 sheets",
    ),
    "XLSX with a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + b"Zqxjkv" * 90,
        "protected with a password",
    ),
    "a web page": ("<html><table><tr><td>Зкъхжв</td></tr></table>".encode(), "a web page or XML"),
    "a web page as Windows saves it": ("\n<!DOCTYPE html>Зкъхжв".encode("utf-8-sig"), "a web page or XML"),
    "a web page in UTF-16": ("<table><tr><td>Зкъхжв".encode("utf-16"), "a web page or XML"),
    "a workbook of XML": ("<?xml version='1.0'?><Workbook>Зкъхжв</Workbook>".encode("cp1251"), "a web page or XML"),
    "a ZIP that is no XLSX": (b"PK\x03\x04" + b"Zqxjkv" * 40, "not a complete spreadsheet"),
    "XLS cut after its mark": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"Zqxjkv" * 90, "not a complete spreadsheet"),
    "CSV ending inside a quote": (
        table(PERSON * 3, '"Зкъхжв,Иван,Иванович\nZqxjkv,1'),
        "row 5: a quoted cell is not closed",
    ),
    "header ending inside a quote": (
        '"Фамилия,Имя\n'.encode() + PERSON.encode() * 9,
        "row 1: a quoted cell is not closed",
    ),
    "a row with too many cells": (
        table(PERSON, "Зкъхжв,Иван,Иванович,1990,Zqxjkv\n"),
        "row 3: 5 cells under 4 headers",
    ),
    "more than 16,384 columns": (
        (",".join(f"Zqxjkv{at}" for at in range(16_385)) + "\n1\n").encode(),
        "more than 16,384 columns",
    ),
    "day or month first, nobody can tell": (
        table(*[f"Зкъхжв,Иван,Иванович,{at:02d}/{at:02d}/1980\n" for at in range(1, 13)]),
        "do not show whether the day",
    ),
    "encodings in place of a roster": (b"pprl-enc\x01\x00" + b"Zqxjkv" * 20, "is a file of pprl"),
}


@pytest.mark.parametrize(("data", "message"), NOT_ROSTERS.values(), ids=NOT_ROSTERS)
def test_what_is_no_roster_is_refused(desk, data, message):
    bad = desk / FOLDER / "Зкъхжв-bad.csv"
    bad.write_bytes(data)
    for result, whose in ((link(bad), "list"), (link(f"{FOLDER}/{LIST}", bad), "registry"), (encode(bad), "list")):
        refused(result, message)
        assert result.errors[0].startswith(f"{whose}: ")
    if message.startswith("the roster"):
        proposed = run("schema", f"{FOLDER}/{LIST}", bad, "-o", "new.toml")
        refused(proposed, f"roster 2: {message}")


@pytest.mark.usefixtures("desk")
def test_a_folder_or_nothing_in_place_of_a_roster():
    for path, message in ((FOLDER, "the roster is a directory"), (f"{FOLDER}/Зкъхжв.csv", "No such file or directory")):
        refused(link(path), message)
        refused(encode(path), message)
        refused(run("schema", path, "-o", "new.toml"), message)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("name", ["Zqxjkv" * 60, "Zqxjkv/" * 900 + "x"], ids=["name", "path"])
def test_a_roster_whose_path_is_too_long(name):
    refused(link(name), "the roster cannot be read: File name too long")


def test_the_same_file_twice(desk):
    os.symlink(LIST, desk / FOLDER / "Zqxjkv-link.csv")
    os.link(desk / FOLDER / LIST, desk / FOLDER / "Zqxjkv-hard.csv")
    shutil.copy(desk / FOLDER / LIST, desk / FOLDER / "Zqxjkv-copy.csv")
    for name in (LIST, f"../{FOLDER}/{LIST}", "Zqxjkv-link.csv", "Zqxjkv-hard.csv"):
        refused(link(f"{FOLDER}/{LIST}", f"{FOLDER}/{name}"), "list and registry are the same file")
    refused(link(f"{FOLDER}/{LIST}", f"{FOLDER}/Zqxjkv-copy.csv"), "hold the same people in the same order")


@pytest.mark.usefixtures("desk")
def test_a_list_larger_than_the_registry_needs_a_word():
    swapped = f"{FOLDER}/{REGISTRY}", f"{FOLDER}/{LIST}"
    refused(link(*swapped), "the list is larger than the registry")
    allowed = link(*swapped, "--yes-list")
    assert allowed.status == 0
    assert "the list is larger than the registry" in allowed.err


COLUMNS = {
    "unknown header": (("--list-column", "surname=Прозвище"), "list: no column 'Прозвище'"),
    "header of other capitals": (("--list-column", "surname=ФАМИЛИЯ"), "list: no column 'ФАМИЛИЯ'"),
    "field that the schema lacks": (("--registry-column", "rank=given"), "registry: the schema has no field 'rank'"),
    "id that is no header": (("--list-id", "номер"), "the ids need exactly one column 'номер'"),
    "columns file missing": (("--list-columns", "none.toml"), "the columns file: cannot be read"),
    "columns file that is a folder": (("--list-columns", FOLDER), "the columns file: cannot be read"),
    "columns file that is no TOML": (("--list-columns", f"{FOLDER}/{LIST}"), "the columns file:1: not TOML"),
    "columns file with other things": (("--list-columns", "schema.toml"), "may hold only [columns]"),
}


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("words", "message"), COLUMNS.values(), ids=COLUMNS)
def test_columns_that_cannot_be_used(words, message):
    refused(link(f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}", *words), message)
    own = [word.replace("--list-id", "--id").replace("--list-", "--").replace("--registry-", "--") for word in words]
    refused(encode(f"{FOLDER}/{LIST}", *own), message.removeprefix("list: ").removeprefix("registry: "))


COLUMNS_FILES = {
    "header that is a number": "[columns]\nsurname = 3\n",
    "order that is none": '[date_order]\nbirth_date = "American"\n',
    "columns that are no table": 'columns = "surname"\n',
    "unknown table": "[colums]\n",
    "nothing closed": "[columns\n",
    "Latin-1": "[columns]\nsurname = 'é'\n",
}


@pytest.mark.parametrize("text", COLUMNS_FILES.values(), ids=COLUMNS_FILES)
def test_columns_files_that_cannot_be_used(desk, text):
    (desk / "columns.toml").write_bytes(text.encode("latin-1"))
    refused(encode(f"{FOLDER}/{LIST}", "--columns", "columns.toml"), "the columns file")


def test_a_columns_file_as_an_editor_of_windows_saves_it(desk):
    (desk / "columns.toml").write_bytes('[columns]\r\nsurname = "Фамилия"\r\n'.encode("utf-8-sig"))
    assert read_columns_file(desk / "columns.toml").headers == {"surname": "Фамилия"}


def test_headers_are_shown_only_where_they_are_headers(desk):
    bad = desk / FOLDER / "Zqxjkv.csv"
    bad.write_bytes(PERSON.encode() * 3)
    headerless = link(bad, f"{FOLDER}/{REGISTRY}", "--list-column", "surname=Фамилия")
    refused(headerless, "list: no column 'Фамилия'")
    assert "does the first row hold the headers?" in headerless.hint
    assert "'Дата рождения'" in link(f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}", "--list-column", "surname=x").hint


def test_an_ambiguous_column_is_settled_by_naming_it(desk):
    bad = desk / FOLDER / "Zqxjkv.csv"
    bad.write_bytes(table(PERSON).replace("Фамилия".encode(), "Фамилия,last name".encode()).replace(b"Zq", b"x,Zq"))
    refused(encode(bad), "2 columns could be surname: column 'Фамилия', column 'last name'")
    assert encode(bad, "--column", "surname=Фамилия").status == 0


def test_several_sheets_stop_until_one_is_named(desk):
    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    book.create_sheet("Zqxjkv").append(["ФИО", "Дата рождения"])
    book["Zqxjkv"].append(["Зкъхжв Иван Иванович", "1990"])
    book.save(desk / FOLDER / "Zqxjkv.xlsx")
    roster, registry = f"{FOLDER}/Zqxjkv.xlsx", f"{FOLDER}/{REGISTRY}"
    for result in (encode(roster), link(roster), link(registry, roster), run("schema", roster, "-o", "new.toml")):
        refused(result, "2 sheets of the roster hold a table")
    assert "--sheet NAME" in encode(roster).hint
    assert "--list-sheet NAME" in link(roster).hint
    assert "--registry-sheet NAME" in link(registry, roster).hint
    refused(encode(roster, "--sheet", "зкъхжв"), "the roster has no sheet of that name")
    assert "1 people" in encode(roster, "--sheet", "Zqxjkv").out
    shutil.copy(roster, "plain.xlsx")
    assert run("schema", "plain.xlsx", "--sheet", "Sheet", "-o", "new.toml").status == 0
    assert link(roster, registry, "--list-sheet", "Sheet").status == 0
    (desk / "pairs.csv").unlink()
    shutil.rmtree(desk / "result")
    assert link(registry, roster, "--registry-sheet", "all", "--yes-list").status == 0


def test_a_field_without_a_column_is_said(desk):
    roster = desk / FOLDER / "Zqxjkv.csv"
    roster.write_text("Фамилия,Дата рождения\nЗкъхжв,01.02.1990\n", encoding="utf-8")
    result = encode(roster)
    refused(result, "list: no row has a value for what is linked: given, patronymic (no column found)")
    assert "--column given=HEADER" in result.hint
    assert "'Фамилия', 'Дата рождения'" in result.hint
    allowed = encode(roster, "--allow-empty")
    assert allowed.status == 0
    assert "nothing to read for given, patronymic: missing in every row" in allowed.err


def test_date_order_from_a_columns_file(desk):
    unclear = desk / FOLDER / "Zqxjkv.csv"
    unclear.write_bytes(table(*[f"Зкъхжв,Иван,Иванович,{at:02d}/{13 - at:02d}/1980\n" for at in range(1, 13)]))
    undecided = encode(unclear)
    refused(undecided, "do not show whether the day or the month comes first")
    assert "--date-order dmy" in undecided.hint
    assert "--list-date-order dmy" in link(unclear).hint
    assert "12 people" in encode(unclear, "--date-order", "dmy", "-o", "y.pprl").out
    (desk / "columns.toml").write_text('[date_order]\nbirth_date = "mdy"\n')
    decided = encode(unclear, "--columns", "columns.toml")
    assert decided.status == 0
    assert "12 people" in decided.out
    again = encode(unclear, "--columns", "columns.toml", "--date-order", "dmy", "-o", "z.pprl")
    assert again.status == 0  # the option wins


RATES = ["0", "0.5", "nan", "inf", "-0.05", "banana", "60%", "0.00001", "", "%", "5%%"]


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("rate", RATES)
def test_rates_that_are_none(rate):
    for words in (("link", "l", "r", "--schema", "s"), ("judge", "s", "--rows", "r")):
        refused(run(*words, "--false-match-rate", rate), "a rate above 0 and below 0.5", status=2)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("rate", ["5%", "0.05", " 5 %", "5e-2"])
def test_rates_that_are_one(rate):
    result = run(
        "link",
        f"{FOLDER}/{LIST}",
        f"{FOLDER}/{REGISTRY}",
        "--schema",
        "schema.toml",
        "--false-match-rate",
        rate,
        "--json",
    )
    assert json.loads(result.out)["false_match_rate_asked"] == 0.05


SCHEMAS = {
    "not TOML": ("format = \n", "schema.toml:1: not TOML"),
    "another format": ("format = 2\n" + SCHEMA.replace("format = 1", ""), "format = 1"),
    "empty": ("", "format"),
    "an unknown key": (SCHEMA.replace("hardening", "hardning"), "did you mean 'hardening'?"),
    "an unknown type": (SCHEMA.replace('"given"', '"givne"'), "did you mean 'given'?"),
    "a rate of one": (SCHEMA.replace("0.05", "1.0"), "policy.false_match_rate"),
}


@pytest.mark.parametrize(("text", "message"), SCHEMAS.values(), ids=SCHEMAS)
def test_schemas_that_cannot_be_used(desk, text, message):
    (desk / "schema.toml").write_text(text, encoding="utf-8")
    for result in (link(), encode(f"{FOLDER}/{LIST}")):
        assert result.status == 1
        assert result.errors
        assert any(message in line for line in result.errors)
        assert not result.out


def test_schemas_that_are_not_there(desk):
    (desk / "schema.toml").unlink()
    refused(link(), "schema.toml: cannot be read (No such file or directory)")
    (desk / "schema.toml").mkdir()
    refused(encode(f"{FOLDER}/{LIST}"), "schema.toml: cannot be read (Is a directory)")


def test_a_weak_schema_needs_a_word(desk):
    weak = 'format = 1\nname = "weak"\n[fields.birth_date]\ntype = "date"\n'
    (desk / "schema.toml").write_text(weak)
    refused(link(), "too few to protect")
    refused(encode(f"{FOLDER}/{LIST}"), "too few to protect")
    assert link(f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}", "--allow-weak").status == 0
    assert encode(f"{FOLDER}/{LIST}", "--allow-weak").status == 0


def test_cells_without_measure_are_counted_and_the_run_goes_on(desk, small):
    ours = small[0] + f"{'Зкъхжв' * 12_000},Иван,Иванович,01.02.1991\n" + f"Петров,{'Zqxjkv' * 11_000},,01.02.1992\n"
    roster = desk / FOLDER / "Zqxjkv.csv"
    roster.write_text(ours, encoding="utf-8")
    result = link(roster)
    assert result.status == 0
    last = len(small[0].splitlines())
    assert f"list: 1 cell(s) of surname left out: a cell over 64 KiB (row {last + 1})" in result.err
    assert f"list: 1 cell(s) of given left out: a cell over 64 KiB (row {last + 2})" in result.err


WITHOUT_MEASURE = {
    "many words": "Зкъхжв " * 12_000,
    "one word": "Zqxjkv" * 11_000,
    "three": " ".join(["Zqxjkv" * 5_000] * 3),
}


@pytest.mark.parametrize("cell", WITHOUT_MEASURE.values(), ids=WITHOUT_MEASURE)
def test_whole_names_without_measure_are_counted_once(desk, cell):
    roster = desk / FOLDER / "Zqxjkv.csv"
    roster.write_text(f"ФИО;Дата рождения\nЗкъхжв Иван;01.02.1990\n{cell};01.02.1991\n", encoding="utf-8")
    result = encode(roster, "--allow-empty")
    assert result.status == 0
    assert result.err.count("a cell over 64 KiB (row 3)") == 1


def test_unreadable_cells_are_counted_with_their_rows(desk, small):
    roster = desk / FOLDER / "Zqxjkv.csv"
    bad = "Зкъхжв,Иван,Иванович,Zqxjkv\n" * 7 + "12345,Иван,Иванович,31.02.1990\n"
    roster.write_text(small[0] + bad, encoding="utf-8")
    result = link(roster)
    first = len(small[0].splitlines()) + 1
    rows = ", ".join(str(first + at) for at in range(5))
    assert f"list: 8 cell(s) of birth_date left out: not a date (row {rows}, …)" in result.err
    assert f"list: 1 cell(s) of surname left out: no letters of a name (row {first + 7})" in result.err


@pytest.mark.parametrize("words", [(), ("--json",), ("--registry-rows", 50, "--seed", 1), ("--show-values",)])
def test_check_shows_no_cell(desk, words):
    roster = desk / FOLDER / "Zqxjkv.csv"
    odd = "Зкъхжв,Zqxjkv,漢漢,когда-то Зкъхжв\n"
    roster.write_bytes(table(*MANY, PERSON, PERSON, odd, "123,Zqxjkv,,31.13.1980\n"))
    result = run("check", roster, "--schema", "schema.toml", *words)
    assert result.status == ("--show-values" in words)  # run has looked for the canaries in all that was printed


def test_rows_of_which_nothing_can_be_read(desk):
    nothing = desk / FOLDER / "Zqxjkv.csv"
    nothing.write_bytes(table(*["123,456,?,Zqxjkv 1\n"] * 200))
    for rosters in ((f"{FOLDER}/{LIST}", nothing), (nothing, f"{FOLDER}/{REGISTRY}")):
        refused(link(*rosters, "--json"), "no linked field is filled in both rosters")
        refused(link(*rosters, "--allow-weak"), "no linked field is filled in both rosters")


def test_rosters_that_share_no_field(desk):
    names, dates = desk / "names.csv", desk / "dates.csv"
    names.write_text("surname,given\n" + "".join(f"Иванов{at},Иван\n" for at in range(30)), "utf-8")
    dates.write_text("birth_date\n" + "".join(f"1990-01-{at:02}\n" for at in range(1, 31)), "utf-8")
    result = link(names, dates)
    refused(result, "no linked field is filled in both rosters")
    assert "registry: nothing to read for surname, given, patronymic" in result.err


def test_fields_that_one_roster_lacks_do_not_count_against_weakness(desk):
    surnames = desk / "surnames.csv"
    surnames.write_text("surname\n" + "".join(f"Иванов{at}\n" for at in range(30)), "utf-8")
    words = surnames, f"{FOLDER}/{REGISTRY}"
    refused(link(*words), "given, patronymic, birth_date (no column found); the registry has given (column 'given')")
    assert "--list-column given=HEADER" in link(*words).hint
    refused(link(*words, "--allow-empty"), "only 1 field(s) with 8 expected tokens can be linked")


FEW = {
    "one person": [PERSON],
    "one person five times": [PERSON] * 5,
    "three people of one name": [f"Зкъхжв,Иван,Иванович,0{at}.02.1990\n" for at in (1, 2, 3)],
}


@pytest.mark.parametrize("rows", FEW.values(), ids=FEW)
def test_lists_too_small_for_decoys_cannot_tell(desk, rows):
    roster = desk / FOLDER / "Zqxjkv.csv"
    roster.write_bytes(table(*rows))
    result = link(roster)
    assert result.status == 0
    assert "matched            cannot tell" in result.out
    assert "pprl: warning: cannot tell" in result.err
    assert (
        desk / "pairs.csv"
    ).read_text() == "list_row,registry_row,list_id,registry_id,registry_repeats,score,q_value\n"
    assert json.loads((desk / "result" / "audit.json").read_text())["headline"]["found"]["count"] is None


OUTPUTS = {
    "folder that is not there": ("none/pairs.csv", "its folder does not exist"),
    "a directory": ("taken.csv", "is a directory"),
    "below a file": ("schema.toml/pairs.csv", "its folder does not exist"),
    "a place where nobody can write": ("/proc/pprl-pairs.csv", "cannot be written"),
    "a name too long": ("p" * 300 + ".csv", "cannot be written"),
}


@pytest.mark.parametrize(("path", "message"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs_that_cannot_be_written(desk, path, message):
    (desk / "taken.csv").mkdir()
    good = f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}"
    result = run("link", *good, "--schema", "schema.toml", "--seed", 7, "--pairs", path, "-o", "result")
    refused(result, message, hint=False)
    refused(encode(f"{FOLDER}/{LIST}", "-o", path), message, hint=False)
    refused(run("key", "-o", path), message, hint=False)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("path", [".", "..", "/", ""])
def test_outputs_without_a_name(path):
    good = f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}", "--schema", "schema.toml"
    for words in (("link", *good, "--pairs", path), ("key", "-o", path), ("schema", good[0], "-o", path)):
        refused(run(*words), "name a file to write", status=2)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("path", ["/proc/pprl/result", "schema.toml", "schema.toml/result"])
def test_result_folders_that_cannot_be_made(path):
    good = f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}"
    for force in ((), ("--force",)):
        result = run("link", *good, "--schema", "schema.toml", "--pairs", "pairs.csv", "-o", path, *force)
        assert result.status == 1
        assert len(result.errors) == 1
        assert result.hint
    refused(run("demo", "/proc/pprl-demo"), "the folder cannot be made")


@pytest.mark.usefixtures("desk")
def test_no_output_replaces_what_is_being_read():
    ours, theirs = f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}"
    for path in (ours, theirs, "schema.toml"):
        result = run("link", ours, theirs, "--schema", "schema.toml", "--pairs", path, "--force")
        refused(result, "an output is also an input")
    for path in (ours, "linkage.key", "schema.toml"):
        refused(encode(ours, "-o", path, "--force"), "an output is also an input")


@pytest.mark.usefixtures("desk")
def test_a_full_disk_leaves_nothing(monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device", "Зкъхжв")

    monkeypatch.setattr(os, "fsync", full)
    refused(link(), "cannot be written (No space left on device)", hint=False)
    refused(encode(f"{FOLDER}/{LIST}"), "cannot be written (No space left on device)", hint=False)


@pytest.mark.usefixtures("desk")
def test_when_the_second_output_fails_the_first_goes_again(monkeypatch):
    from pprl.core import container

    write_new, written = container.write_new, []

    def first_only(path, *rest, **options):
        if written:
            raise OSError(5, "Input/output error", "Зкъхжв")
        written.append(path)
        write_new(path, *rest, **options)

    monkeypatch.setattr(container, "write_new", first_only)
    for result in (lambda: link(), lambda: encode(f"{FOLDER}/{LIST}"), lambda: run("demo", "d")):
        written.clear()
        refused(result(), "the system refused to read or write (Input/output error) at ")
        assert written


KEYS = {
    "missing": (None, 0o600, "linkage.key: cannot be read (No such file or directory)"),
    "empty": (b"", 0o600, "not a file of pprl"),
    "short": (b"pprl-key\x02\x00" + bytes(32), 0o600, "is cut short"),
    "of its mark only": (b"pprl-key", 0o600, "is cut short"),
    "long": (b"pprl-key\x02\x00" + bytes(34), 0o600, "has bytes after its end"),
    "of another format": (b"pprl-key\x01\x00" + bytes(33), 0o600, "this version of pprl reads format 2"),
    "raw bytes": (bytes(32), 0o600, "not a file of pprl"),
    "encodings": (b"pprl-enc\x01\x00" + bytes(200), 0o600, "holds encodings; a linkage key needed here"),
    "readable by the group": (b"pprl-key\x02\x00" + bytes(33), 0o640, "others on this machine can read it"),
    "readable by all": (b"pprl-key\x02\x00" + bytes(33), 0o604, "others on this machine can read it"),
}


@pytest.mark.parametrize(("data", "mode", "message"), KEYS.values(), ids=KEYS)
def test_keys_that_cannot_be_used(desk, data, mode, message):
    key = desk / "linkage.key"
    key.unlink()
    if data is not None:
        key.write_bytes(data)
        key.chmod(mode)
    refused(encode(f"{FOLDER}/{LIST}"), message, hint=False)


@pytest.fixture(scope="session")
def exchanged(tmp_path_factory, small) -> Path:
    """Both rosters encoded and matched."""
    folder = tmp_path_factory.mktemp("exchanged")
    (folder / "schema.toml").write_text(SCHEMA, encoding="utf-8")
    with contextlib.chdir(folder):
        quiet("key", "-o", "linkage.key", "--seed", 7)
        for side, text in zip(("list", "registry"), small, strict=True):
            (folder / f"{side}.csv").write_text(text, encoding="utf-8")
            words = ("--schema", "schema.toml", "--key-file", "linkage.key", "--as", side, "--seed", 7)
            quiet("encode", f"{side}.csv", *words, "-o", f"{side}.pprl")
        quiet("match", "list.pprl", "registry.pprl", "-o", "scores.pprl")
    return folder


def quiet(*words: object) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main([str(word) for word in words]) == 0
    return out.getvalue()


@pytest.mark.parametrize("name", ["list.pprl", "registry.pprl", "scores.pprl", "PRIVATE-list.rows", "linkage.key"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 0.99999])
def test_files_of_ours_cut_anywhere(exchanged, tmp_path, monkeypatch, name, share):
    monkeypatch.chdir(tmp_path)
    for file in exchanged.iterdir():
        shutil.copy(file, tmp_path)
    os.truncate(name, int(share * Path(name).stat().st_size))
    command = {
        "linkage.key": ("encode", "list.csv", "--schema", "schema.toml", "--key-file", name, "--as", "list", "-o", "y"),
        "scores.pprl": ("judge", name, "--rows", "PRIVATE-list.rows", "--pairs", "pairs.csv"),
        "PRIVATE-list.rows": ("judge", "scores.pprl", "--rows", name, "--pairs", "pairs.csv"),
    }.get(name, ("match", "list.pprl", "registry.pprl", "-o", "new.pprl"))
    for words in (command, ("inspect", name)):
        result = run(*words)
        assert result.status == 1
        assert len(result.errors) == 1
        assert "cut short" in result.err or "not a file of pprl" in result.err


def test_scores_and_rows_of_two_runs(exchanged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in exchanged.iterdir():
        shutil.copy(file, tmp_path)
    words = ("--schema", "schema.toml", "--key-file", "linkage.key", "--as")
    quiet("encode", "list.csv", *words, "list", "-o", "again.pprl", "--seed", 8)
    quiet("encode", "registry.csv", *words, "registry", "-o", "other.pprl", "--seed", 8)
    refused(run("judge", "scores.pprl", "--rows", "PRIVATE-again.rows"), "not those of these scores")
    both = ("--rows", "PRIVATE-list.rows", "--registry-rows", "PRIVATE-other.rows")
    refused(run("judge", "scores.pprl", *both), "not those of these scores")


def test_separate_steps_give_what_link_gives(exchanged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in exchanged.iterdir():
        shutil.copy(file, tmp_path)
    words = ("--encodings", "list.pprl", "--registry-rows", "PRIVATE-registry.rows", "--pairs", "steps.csv", "--json")
    steps = json.loads(quiet("judge", "scores.pprl", "--rows", "PRIVATE-list.rows", *words))
    one = json.loads(
        quiet(
            "link", "list.csv", "registry.csv", "--schema", "schema.toml", "--seed", 7, "--pairs", "one.csv", "--json"
        )
    )
    assert one.pop("seconds").keys() == {"encode", "match", "plant", "judge"}
    assert (one.pop("missed_match_basis"), steps.pop("missed_match_basis")) == ("measured", "assumed")
    assert None not in (one.pop("missed_match_rate"), steps.pop("missed_match_rate"))
    assert (one.pop("run"), steps.pop("run")) == ("1 with this list", None)
    assert steps.pop("seconds") == {}
    assert one == steps
    assert one["found"]["count"] > 10
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "steps.csv").read_bytes()


STAGES = [
    "pprl.roster.load.read_roster",
    "pprl.encode.list.distinct_people",
    "pprl.match.encodings.scores_of",
    "pprl.cli.output.csv_bytes",
]


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("stage", STAGES)
def test_what_nobody_foresaw_shows_its_type_and_place_only(monkeypatch, stage):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Зкъхжв secret cell")

    monkeypatch.setattr(stage, fail)
    result = link()
    refused(result, "unexpected RuntimeError at ")
    assert "secret" not in result.err
    assert ".py:" in result.errors[0]
    assert str(Path.home()) + os.sep not in result.err


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("stage", [*STAGES, "pprl.encode.decoys.make_decoys", "os.fsync"])
def test_an_interrupt_at_any_stage_leaves_nothing(monkeypatch, stage):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if stage == "pprl.encode.decoys.make_decoys":
        stage = "pprl.encode.list.make_decoys"
    monkeypatch.setattr(stage, interrupt)
    result = link()
    assert result.status == 130
    assert result.err.splitlines()[-1] == "pprl: interrupted"
    assert not result.errors


@pytest.mark.usefixtures("desk")
def test_an_interrupted_demo_leaves_an_empty_place(monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pprl.exchange.parties.linkage_unit.match_packages", interrupt)
    assert run("demo", "new").status == 130
    assert not Path("new").exists()


PRELOADED = """
import signal, sys, pandas, numba, scipy.optimize, pprl.link, pprl.cli.output
from pprl.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.usefixtures("desk")
def test_control_c_in_the_middle_of_the_work():
    rosters = invent(5)
    many = pd.concat([rosters.registry] * 30)
    many["surname"] = many["surname"] + [f" {chr(97 + at % 26)}{chr(97 + at // 26 % 26)}" for at in range(len(many))]
    many.to_csv(f"{FOLDER}/many.csv", index=False)
    rosters.leaked.to_csv(f"{FOLDER}/leaked.csv", index=False)
    before = listing()
    words = ["link", f"{FOLDER}/leaked.csv", f"{FOLDER}/many.csv", "--schema", "schema.toml", "--pairs", "pairs.csv"]
    work = subprocess.Popen(
        [sys.executable, "-c", PRELOADED, *words, "-o", "result"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE.parents[1])},
    )
    assert work.stdout.readline() == b"ready\n"
    time.sleep(1)
    assert work.poll() is None, "the work was over before it could be interrupted"
    work.send_signal(signal.SIGINT)
    out, err = work.communicate(timeout=30)
    assert work.returncode == 130
    assert err.decode().splitlines()[-1] == "pprl: interrupted"
    assert b"Traceback" not in err
    assert not out
    assert listing() == before


def schema_into(stdout: object) -> tuple[int, list[str]]:
    """`pprl schema … -o -` in a separate process: its status and its messages."""
    words = [sys.executable, "-m", "cli", "schema", f"{FOLDER}/{LIST}", "-o", "-"]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE.parents[1])}
    ended = subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False)
    return ended.returncode, ended.stderr.decode().splitlines()


@pytest.mark.usefixtures("desk")
def test_a_reader_that_goes_away():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        assert schema_into(closed) == (1, ["pprl: roster 1: 121 rows, 121 people, no cell left out"])


class Gone(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


@pytest.mark.parametrize("words", [("--version",), ("link", "--help")])
def test_a_reader_that_goes_away_ends_in_a_status(words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # click puts a wrapper in its place
    assert main(list(words)) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("desk")
def test_standard_output_that_is_full():
    with open("/dev/full", "wb") as full:
        status, (_, error, hint) = schema_into(full)
    assert status == 1
    assert error.startswith("pprl: error: the system refused to read or write (No space left on device)")
    assert hint.startswith("pprl: hint: ")


INJECTED = ["=1+1", "+7", "-7", "@SUM(A1)", "\tx", "＝1"]


def test_ids_that_a_spreadsheet_would_run(desk, small):
    rows = [line.split(",") for line in small[1].splitlines()]
    registry = desk / "registry.csv"
    with registry.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows[0], "id"])
        writer.writerows([*row, INJECTED[at % len(INJECTED)] + str(at)] for at, row in enumerate(rows[1:]))
    good = f"{FOLDER}/{LIST}", registry, "--registry-id", "id"
    assert link(*good).status == 0
    with (desk / "pairs.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["registry_id"] for row in csv.DictReader(file)]
    assert len(ids) > 10
    assert all(text.startswith("'") for text in ids)
    assert {text[1] for text in ids} == {text[0] for text in INJECTED}


def test_ids_longer_than_ids_are(desk, small):
    roster = desk / FOLDER / "Zqxjkv.csv"
    lines = small[0].splitlines()
    long = ["id," + lines[0], "1," + lines[1], "Zqxjkv" * 200 + "," + lines[2]]
    roster.write_text("\n".join(long), encoding="utf-8")
    refused(encode(roster, "--id", "id"), "row 3, column 'id': the id is longer than 1,024 bytes")


def test_a_roster_from_standard_input_and_pairs_to_standard_output(desk, small, monkeypatch):
    assert link().status == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(small[0].encode())))
    result = run("link", "-", f"{FOLDER}/{REGISTRY}", "--schema", "schema.toml", "--seed", 7, "--pairs", "-")
    assert result.out == (desk / "pairs.csv").read_text(encoding="utf-8")
    assert "people compared" in result.err
    assert len(result.out.splitlines()) > 10
    refused(run("link", "-", "-", "--schema", "schema.toml"), "standard input can be read only once", status=2)
    both = run("link", f"{FOLDER}/{LIST}", f"{FOLDER}/{REGISTRY}", "--schema", "schema.toml", "--pairs", "-", "--json")
    refused(both, "would both write to standard output", status=2)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    refused(run("link", "-", f"{FOLDER}/{REGISTRY}", "--schema", "schema.toml"), "list: the roster is empty")


TYPED = {
    "a roster too many": ("link", "a", "b", f"{FOLDER}/{LIST}", "--schema", "schema.toml"),
    "a roster in place of a command": (f"{FOLDER}/{LIST}",),
    "a roster in place of a number": ("link", "a", "b", "--schema", "schema.toml", "--seed", f"{FOLDER}/{LIST}"),
    "a roster in place of a side": ("encode", "a", "--as", f"{FOLDER}/{LIST}", "--schema", "s", "-o", "x"),
    "a roster in place of a mapping": ("link", "a", "b", "--schema", "s", "--list-column", f"{FOLDER}/{LIST}"),
    "a roster with equals sign": ("link", "a", "b", "--schema", "s", f"--threads={FOLDER}/{LIST}"),
}


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("words", TYPED.values(), ids=TYPED)
def test_wrong_usage_does_not_repeat_a_rosters_name(words):
    result = run(*words)
    refused(result, "", status=2)
    assert "--help" in result.hint


@pytest.mark.usefixtures("desk")
def test_inspecting_a_roster_does_not_name_it():
    refused(run("inspect", f"{FOLDER}/{LIST}"), "this is not a file of pprl")
    refused(run("inspect", FOLDER), "this is a directory")


# The Python face.

OURS = {
    "surname": ["Иванов", None, float("nan"), "Петров"],
    "given": ["Иван", "Пётр", "Семён", "Павел"],
    "patronymic": ["Иванович", "", "Петрович", None],
    "birth_date": ["12.03.1985", "1985", None, "01.02.1990"],
}


@pytest.fixture(scope="module")
def frames(small) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tuple(pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False) for text in small)


@pytest.fixture(scope="module")
def usual(frames):
    return pprl.link(*frames, parse_schema(SCHEMA), seed=7)


def key_figures(assessment: pprl.Assessment) -> tuple[object, ...]:
    return assessment.found, assessment.net_found, assessment.threshold, assessment.p_value, len(assessment.pairs)


CHANGES = {
    "missing as NaN": lambda frame: frame.replace("", float("nan")),
    "missing as None": lambda frame: frame.replace("", None),
    "missing as NA": lambda frame: frame.astype("string").replace("", pd.NA),
    "categories": lambda frame: frame.astype("category"),
    "every row of one index": lambda frame: frame.set_axis([0] * len(frame)),
    "an index of text": lambda frame: frame.set_axis([f"r{at}" for at in range(len(frame))]),
    "columns in another order": lambda frame: frame[frame.columns[::-1]],
    "a column of numbers beside": lambda frame: frame.assign(**{"7": 1.5}).rename(columns={"7": 7}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_frames_of_any_making_give_the_same_answer(frames, usual, change):
    changed = pprl.link(change(frames[0]), change(frames[1]), parse_schema(SCHEMA), seed=7)
    assert key_figures(changed) == key_figures(usual)
    assert usual.found > 10


def test_numbers_that_became_fractions_beside_missing_ones():
    schema = parse_schema(
        "format = 1\n"
        + "".join(f'[fields.{name}]\ntype = "{kind}"\n' for name, kind in (("number", "identifier"), ("year", "year")))
    )
    whole = pd.DataFrame({"number": ["12345", "", "777"], "year": ["1980", "1981", ""]})
    fractions = pd.DataFrame({"number": [12345, None, 777], "year": [1980, 1981, None]})
    assert fractions["number"].dtype == float
    one, two = (pprl.load(frame, schema, "list").people.columns for frame in (whole, fractions))
    for name in ("number", "year"):
        assert one[name].values == two[name].values
        assert one[name].codes.tolist() == two[name].codes.tolist()


def test_frames_of_few_or_no_people(frames):
    schema = parse_schema(SCHEMA)
    few = pprl.link(pd.DataFrame(OURS), frames[1], schema)
    assert few.found is None
    assert few.record.rosters.list_people == 4
    none = pprl.link(frames[0].iloc[:0], frames[1], schema)
    assert none.found is None
    assert none.to_frame().empty
    empty_registry = pprl.link(frames[0], frames[1].iloc[:0], schema, allow_larger_list=True)
    assert (empty_registry.found, empty_registry.verdict.code) == (None, "cannot_tell")
    for empty in (pd.DataFrame(), pd.DataFrame({"town": ["Верхний Дол"]})):
        with pytest.raises(pprl.PprlError, match="no column of the roster is mapped"):
            pprl.link(empty, frames[1], schema)


def test_reading_a_roster_keeps_text_and_spreadsheet_rows(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("a,b\n007,1.0\n\n,\n x ,NA\n", encoding="utf-8")
    frame = read_roster(path)
    assert frame.index.tolist() == [2, 5]
    assert frame["a"].tolist() == ["007", " x "]
    assert frame["b"].tolist() == ["1.0", "NA"]


def test_letters_that_no_table_knows_are_counted(desk):
    roster = desk / "names.csv"
    rows = "".join(f"Иванов{letter}{at},Иван,Иванович,1990-01-{at + 1:02}\n" for at, letter in enumerate("ก漢абвгдежз"))
    roster.write_text("surname,given,patronymic,birth_date\n" + rows, "utf-8")
    result = encode(roster)
    assert result.status == 0
    assert "2 cell(s) of surname read without letters that no table knows (row 2, 3)" in result.err
