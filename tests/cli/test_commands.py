"""The command line as a whole: help, exit statuses, and tables in every shape that an office saves them in."""

import datetime
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from helpers import ROOT

import pprl
from pprl.cli import cli, main
from pprl.core.schema_file import parse_schema
from pprl.roster.load import load

EXAMPLE = ROOT / "examples" / "two_files"
COMMANDS = sorted(cli.commands)
HEAVY = ("pandas", "numpy", "scipy", "numba", "cryptography", "python_calamine", "pyarrow")


def own_process(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *words],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_commands_are_these():
    exchange = ["agree", "card", "destroy", "next", "reveal", "transcript", "verify"]
    others = [
        "check",
        "completion",
        "convert",
        "demo",
        "encode",
        "inspect",
        "judge",
        "key",
        "link",
        "match",
        "report",
        "risk",
        "schema",
    ]
    assert sorted(exchange + others) == COMMANDS


def test_help_is_also_h_and_the_first_words_of_everyone():
    assert own_process("-h").stdout == own_process("--help").stdout
    text = own_process("--help").stdout.decode()
    assert "pprl demo" in text
    assert all(re.search(rf"^  {name} ", text, re.M) for name in COMMANDS)


def test_help_loads_nothing_heavy():
    program = "import sys; from pprl.cli import main; main(['--help']); print([m for m in {} if m in sys.modules])"
    for words in ("--help", "link', '--help"):
        text = program.replace("--help", words).format(HEAVY)
        ended = subprocess.run([sys.executable, "-c", text], capture_output=True, cwd=ROOT, check=True)
        assert ended.stdout.decode().splitlines()[-1] == "[]"


LATE = {
    "link": ("none.csv", "registry.csv", "--schema", "schema.toml"),
    "check": ("none.csv", "--schema", "schema.toml"),
    "schema": ("none.csv", "-o", "-"),
    "judge": ("none.pprl", "--rows", "none.rows"),
}


@pytest.mark.parametrize("command", LATE)
def test_a_missing_file_is_reported_before_anything_heavy_is_imported(command):
    words = [command, *LATE[command]]
    program = f"import sys; from pprl.cli import main; main({words}); print([m for m in {HEAVY} if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=EXAMPLE)
    assert b"No such file" in ended.stderr
    assert "pandas" not in ended.stdout.decode()
    assert "scipy" not in ended.stdout.decode()


def test_the_tour_is_loaded_when_it_is_used():
    program = (
        f"import sys, pprl; print([m for m in {HEAVY} if m in sys.modules]); pprl.link; print('pandas' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True)
    assert ended.stdout.decode().splitlines() == ["[]", "True"]
    assert all(getattr(pprl, name) for name in pprl.__all__)
    assert set(pprl.__all__) <= set(dir(pprl))


def test_version():
    ended = own_process("--version")
    assert ended.stdout.decode() == f"pprl {pprl.__version__}\n"
    assert ended.returncode == 0


STATUSES = {
    "no words": ((), 2, "Usage: pprl [OPTIONS] COMMAND"),
    "unknown command": (("linc",), 2, "pprl: error: no such command '…'; did you mean 'link'?"),
    "option typed wrongly": (
        ("key", "--ouput", "x"),
        2,
        "pprl: error: no such option '--ouput'; did you mean '--output'?",
    ),
    "argument missing": (("match", "a.pprl", "-o", "x"), 2, "pprl: error: missing argument 'REGISTRY.pprl'"),
    "option missing": (("encode", "a.csv", "--schema", "s", "-o", "x"), 2, "pprl: error: missing option '--key-file'"),
    "value missing": (("key", "-o"), 2, "pprl: error: option '-o' requires an argument"),
    "negative seed": (("key", "-o", "x", "--seed", "-1"), 2, "pprl: error: invalid value for '--seed'"),
    "no threads": (("match", "a", "b", "-o", "x", "--threads", "0"), 2, "pprl: error: invalid value for '--threads'"),
    "could not": (("inspect", "none"), 1, "pprl: error: none: cannot be read (No such file or directory)"),
}


@pytest.mark.parametrize(("words", "status", "message"), STATUSES.values(), ids=STATUSES)
def test_exit_statuses(words, status, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(list(words)) == status
    shown = capsys.readouterr()
    assert shown.err.startswith(message), shown.err
    assert not shown.out
    assert not list(tmp_path.iterdir())


def test_cli_py_at_the_top_runs_a_command_and_passes_its_status(tmp_path):
    ended = own_process("inspect", str(tmp_path / "none.pprl"))
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"pprl: error: none.pprl: cannot be read")
    assert own_process("key", "-o", str(tmp_path / "a.key")).returncode == 0
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600


def test_the_console_script_is_the_same_main(monkeypatch, capsys):
    from pprl.cli import entry

    monkeypatch.setattr(sys, "argv", ["pprl", "--version"])
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("pprl ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_cyrillic(encoding):
    poor = {"LC_ALL": "C", "PYTHONIOENCODING": encoding}
    helped = own_process("link", "--help", **poor)
    assert (helped.returncode, helped.stderr) == (0, b"")
    assert b"full_name" in helped.stdout
    words = [str(EXAMPLE / name) for name in ("leaked.csv", "registry.csv")]
    words += ["--schema", str(EXAMPLE / "schema.toml"), "--seed", "7"]
    if encoding == "ascii":
        linked = own_process("link", *words, "--json", **poor)
        assert linked.returncode == 0
        assert json.loads(linked.stdout)["found"]["count"] > 50
    pairs = own_process("link", *words, "--list-id", "Фамилия", "--pairs", "-", **poor)
    assert pairs.returncode == 0
    assert b"surname from column" in pairs.stderr
    rows = pairs.stdout.decode("utf-8").splitlines()
    names = (EXAMPLE / "leaked.csv").read_text(encoding="utf-8")
    assert len(rows) > 50
    assert all(row.split(",")[2] in names for row in rows[1:])


def test_colour_is_neither_used_nor_asked_for():
    plain, forced = own_process("--help", NO_COLOR="1"), own_process("--help", FORCE_COLOR="1")
    assert plain.stdout == forced.stdout
    assert b"\x1b" not in plain.stdout + own_process("link", "a", FORCE_COLOR="1").stderr


def test_pairs_for_a_reader_that_goes_away(tmp_path):
    """Like `| head -1`, with more pairs than a pipe holds."""
    (tmp_path / "clks.json").write_text(json.dumps({"clks": ["/////w=="] * 300}), "utf-8")
    words = ["match", "-", str(tmp_path / "clks.json"), "--threshold", "0.5", "-o", "-"]
    with (
        open(tmp_path / "clks.json", "rb") as given,
        subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *words], stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as ended,
    ):
        assert ended.stdout.readline() == b"record,their_record,score\n"
        ended.stdout.close()
        lines = ended.stderr.read().decode().splitlines()
    assert ended.returncode == 1
    assert len(lines) == 1
    assert lines[0].startswith("pprl: warning: these files say neither how they were made")


# One roster in many clothes.

SCHEMA = parse_schema(EXAMPLE.joinpath("schema.toml").read_text(encoding="utf-8"))
ROWS = [
    ["№", "Фамилия", "Имя", "Отчество", "Дата рождения"],
    ["007", "Петров-Водкин", "Пётр", "Ильич", "12.03.1985"],
    ["008", 'Ким "Второй"', "Анна\nМария", "", "1990"],
    ["009", "О'Нил; Бек", "Юрий, мл.", "Н.", "01.12.1979"],
]


def written(mark: str = ",", end: str = "\n") -> str:
    return end.join(mark.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in ROWS) + end


def bare(mark: str) -> str:
    """Quotes only where they are needed."""

    def cell(text: str) -> str:
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(f'{mark}"\n\r') else text

    return "\n".join(mark.join(map(cell, row)) for row in ROWS)


CLOTHES = {
    "quotes where needed": bare(",").encode(),
    "line ends of Windows": written(end="\r\n").encode(),
    "line ends of the first Macintosh": written(end="\r").encode(),
    "no line end at the end": written().rstrip("\n").encode(),
    "byte order mark": written().encode("utf-8-sig"),
    "UTF-16, little end first": b"\xff\xfe" + written(end="\r\n").encode("utf-16-le"),
    "UTF-16, big end first": b"\xfe\xff" + written().encode("utf-16-be"),
    "semicolons": bare(";").encode(),
    "semicolons as Excel saves them": written(";", "\r\n").encode("utf-8-sig"),
    "tabs": bare("\t").encode(),
    "pipes": bare("|").encode(),
    "empty rows and columns": (bare(",").replace("рождения\n", "рождения,,\n\n") + "\n,,,,,,\n\n").encode(),
    "no-break and double spaces": bare(",").replace(" мл", "\u00a0 мл").replace("Ким ", "Ким\u00a0").encode(),
    "letters in two parts": bare(",").replace("ё", "ё").replace("й", "й").encode(),
}


def people_of(data: bytes, folder: Path, *, name: str = "roster") -> list[tuple[str | None, ...]]:
    """The canonical values of each row."""
    path = folder / name
    path.write_bytes(data)
    people = load([path], SCHEMA, "list").people
    columns = [people.columns[field.name] for field in SCHEMA.fields]
    return [
        tuple(column.values[code] if (code := int(column.codes[at])) >= 0 else None for column in columns)
        for at in range(len(people))
    ]


def test_the_plain_table_is_what_it_should_be(tmp_path):
    first, second, third = people_of(written().encode(), tmp_path)
    assert first[3] == "1985-03-12"
    assert second[2:] == (None, "1990")
    assert third[3] == "1979-12-01"
    assert None not in first


@pytest.mark.parametrize("data", CLOTHES.values(), ids=CLOTHES)
def test_the_same_people_from_any_csv(tmp_path, data):
    assert people_of(data, tmp_path) == people_of(written().encode(), tmp_path)


@pytest.mark.parametrize("dates", ["text", "dates", "times"])
def test_the_same_people_from_a_spreadsheet(tmp_path, dates):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in ROWS:
        *cells, date = row
        if dates != "text" and date.count(".") == 2:
            day, month, year = map(int, date.split("."))
            date = datetime.date(year, month, day) if dates == "dates" else datetime.datetime(year, month, day, 0, 0)
        elif date.isdigit() and dates != "text":
            date = int(date)  # a year alone is a number in a spreadsheet
        sheet.append([int(cells[0]) if cells[0].isdigit() else cells[0], *cells[1:], date])
    book.create_sheet("other").append(["Фамилия", "Лишний"])
    data = io.BytesIO()
    book.save(data)
    assert people_of(data.getvalue(), tmp_path, name="roster.xlsx") == people_of(written().encode(), tmp_path)
    assert people_of(data.getvalue(), tmp_path, name="roster.csv") == people_of(written().encode(), tmp_path)


def test_a_spreadsheet_keeps_its_numbers_and_rows(tmp_path):
    book = openpyxl.Workbook()
    for row in (["id", "x", "when", None], [7, 7.5, datetime.datetime(1985, 3, 12, 9, 30)], [], ["007", True, None]):
        book.active.append(row)
    book.save(tmp_path / "r.xlsx")
    frame = pprl.read_roster(tmp_path / "r.xlsx")
    assert frame.columns.tolist() == ["id", "x", "when"]
    assert frame.index.tolist() == [2, 4]
    assert frame.iloc[0].tolist() == ["7", "7.5", "1985-03-12 09:30:00"]
    assert frame.iloc[1, 0] == "007"


def test_a_shell_is_told_what_may_follow():
    asked = {"_PPRL_COMPLETE": "bash_complete", "COMP_WORDS": "pprl risk --pop", "COMP_CWORD": "2"}
    ended = subprocess.run(
        [sys.executable, "-m", "cli"], capture_output=True, cwd=ROOT, env=os.environ | asked, check=False
    )
    assert ended.returncode == 0
    assert ended.stdout.decode().split() == [
        "plain,--population",
        "plain,--population-column",
        "plain,--population-columns",
        "plain,--population-date-order",
        "plain,--population-sheet",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_that_shell(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_PPRL_COMPLETE={shell}_complete" in script
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=script.encode(), capture_output=True, check=True)
