"""One line says what became of a roster's rows, whichever command reads it; and options that hints name exist."""

import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from helpers import EXAMPLES
from helpers.sessions import run

import pprl
from pprl.cli.exchange import published
from pprl.cli.output import summary

LINE = re.compile(r"pprl: (\w+(?: \d)?): [\d,]+ rows?, [\d,]+ (?:people|person), (?:no cell|\d+ cell\(s\)) left out.*")
SCHEMA = "--schema schema.toml"
READERS = {
    "link": (
        f"pprl link leaked.csv registry.csv {SCHEMA} --no-ledger --control absent.csv",
        ["list", "registry", "control"],
    ),
    "link of two files": (
        f"pprl link leaked.csv registry.csv {SCHEMA} --no-ledger --list more.csv",
        ["list", "registry"],
    ),
    "encode": (
        f"pprl encode leaked.csv {SCHEMA} --key-file k --as list -o l.pprl --control absent.csv",
        ["list", "control"],
    ),
    "encode a registry": (f"pprl encode registry.csv {SCHEMA} --key-file k --as registry -o r.pprl", ["registry"]),
    "risk": (f"pprl risk leaked.csv {SCHEMA} --indicators", ["roster"]),
    "schema": ("pprl schema leaked.csv registry.csv -o new.toml", ["roster 1", "roster 2"]),
}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (EXAMPLES / "two_files").glob("*.*"):
        shutil.copy(path, tmp_path)
    pprl.LinkageKey.make(1).write(tmp_path / "k")
    header, *rows = (tmp_path / "leaked.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "absent.csv").write_text(header + "".join(rows[:20]), encoding="utf-8")
    (tmp_path / "more.csv").write_text(header + "".join(rows[20:40]), encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("command", "rosters"), READERS.values(), ids=READERS)
def test_one_line_for_each_roster(command, rosters):
    lines = run(command)
    assert not lines[-1].startswith("[exit"), lines
    assert [found[1] for line in lines if (found := LINE.fullmatch(line))] == rosters


def test_the_line_counts_as_check_does(desk):
    rows = [
        "Лугов,Олег,Ильич,12.03.1985",
        "Лугов,Олег,Ильич,12.03.1985",
        "Бойко,Лев,Львович,33.03.1985",
        "Ким,Пётр,Ильич,1",
    ]
    (desk / "r.csv").write_text("Фамилия,Имя,Отчество,Дата рождения\n" + "\n".join(rows), encoding="utf-8")
    assert "pprl: list: 4 rows, 3 people, 2 cell(s) left out or read in part (`pprl check` lists them)" in run(
        f"pprl encode r.csv {SCHEMA} --key-file k --as list -o l.pprl"
    )
    lines = run(f"pprl check r.csv {SCHEMA}")
    assert "rows               4" in lines
    assert any(line.startswith("people             3;") for line in lines)
    assert "cells left out     2, or read in part" in lines
    assert "  birth_date       2 cell(s) of column 'Дата рождения': not a date (row 4, 5)" in lines
    assert not any(map(LINE.fullmatch, lines)), "said twice"


def test_check_names_the_column_of_whole_names(desk):
    (desk / "r.csv").write_text("ФИО,др\nЛугов Олег Ильич,12.03.1985\n123,13.03.1985\n", encoding="utf-8")
    result = pprl.check(pprl.load(desk / "r.csv", desk / "schema.toml"), desk / "schema.toml")
    assert [(entry["field"], entry["columns"]) for entry in result.to_dict()["left_out"]] == [("given", ["ФИО"])]
    assert result.to_dict()["empty_fields"] == []


FIRST = ["Тагизаде", "Гасанага", "Рзагулу", "Баладжары", "Бузовнавец"]
OTHERS = {
    "dates, one of them unread": ["01.02.1980", "02.03.1981", "33.03.1982", "04.05.1983", "05.06.1984"],
    "no date": ["-", "-", "-", "-", "-"],
    "ages": ["01.02.2019", "02.03.2018", "03.03.2020", "04.05.2018", "05.06.2020"],
}


@pytest.mark.parametrize("dates", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("again", [False, True], ids=["one column of surnames", "two"])
def test_a_column_is_called_by_its_number_where_its_header_may_be_a_person(desk, dates, again):
    names = ["Лугов,Пётр,Ильич", "Бойко,Лев,Львович", "Осокин,Егор,Фомич", "Ельшин,Олег,Львович", "Щеглов,Иван,Ильич"]
    last = [name.partition(",")[0] if again else "12" for name in names]
    rows = [",".join(cells) for cells in zip(names, dates, last, strict=True)]
    (desk / "leaked.csv").write_text("\n".join([",".join(FIRST), *rows]), encoding="utf-8")
    commands = [command.replace(" --control absent.csv", "") for command, _ in READERS.values()]
    check, own = f"pprl check leaked.csv {SCHEMA}", "--column birth_date=Баладжары"
    commands += [check, f"{check} --json", f"{check} {own}", f"{commands[0]} --list-column birth_date=Баладжары"]
    said = "\n".join(line for command in commands for line in run(command))
    assert "column 1" in said
    assert [word for word in FIRST if word in said] == []


OLD = ["Лугов,Олег,Ильич,12.03.1905", "Бойко,Лев,Львович,13.03.1906", "Ким,Пётр,Ильич,1907"]


def test_one_flag_accepts_any_age_in_both_rosters(desk):
    text = "Фамилия,Имя,Отчество,Дата рождения\n"
    (desk / "l.csv").write_text(text + "\n".join(OLD), encoding="utf-8")
    (desk / "r.csv").write_text(text + "\n".join(OLD[::-1] + OLD), encoding="utf-8")
    for command in (
        f"pprl link l.csv r.csv {SCHEMA} --no-ledger",
        f"pprl check l.csv {SCHEMA}",
        f"pprl risk l.csv {SCHEMA} --indicators --allow-weak",
        f"pprl encode l.csv {SCHEMA} --key-file k --as list -o l.pprl",
    ):
        *_, error, hint, status = run(command)
        assert "younger than 16 and 3 older than 75" in error
        assert status == "[exit 1]"
        assert re.findall(r"--[\w-]*age", hint) == ["--any-age"]
        assert "older than 75" not in "\n".join(run(f"{command} --any-age"))


def test_each_side_of_a_link_has_its_date_order(desk):
    text = "Фамилия,Имя,Отчество,Дата рождения\n"
    rows = [f"Лугов{'аеиоу'[at % 5]}в,Олег,Ильич,{at:02}/{13 - at:02}/1980\n" for at in range(1, 13)]
    (desk / "l.csv").write_text(text + "".join(rows), encoding="utf-8")
    (desk / "r.csv").write_text(text + "".join(rows[::-1]) + rows[0], encoding="utf-8")
    link = f"pprl link l.csv r.csv {SCHEMA} --no-ledger"
    assert "--list-date-order dmy" in run(link)[-2]
    assert "--registry-date-order dmy" in run(f"{link} --list-date-order dmy")[-2]
    assert not run(f"{link} --list-date-order dmy --registry-date-order dmy")[-1].startswith("[exit")
    assert "--date-order dmy" in run(f"pprl check l.csv {SCHEMA}")[-2]
    assert not run(f"pprl check l.csv {SCHEMA} --date-order mdy")[-1].startswith("[exit")


def test_python_takes_the_same_options(desk):
    frame = pd.DataFrame({"Фамилия": ["Лугов"] * 2, "др": ["01/02/1980", "02/01/1980"]})
    people = pprl.load(frame, desk / "schema.toml", date_order="mdy").people
    assert people.columns["birth_date"].values == ("1980-01-02", "1980-02-01")
    columns = pprl.Columns(orders={"birth_date": "dmy"}, order="mdy")
    again = pprl.load(frame, desk / "schema.toml", columns=columns).people
    assert again.columns["birth_date"].values == people.columns["birth_date"].values


@pytest.mark.usefixtures("desk")
def test_what_is_typed_wrongly_is_answered_with_what_is_near():
    assert "did you mean '--date-order'" in run(f"pprl check leaked.csv {SCHEMA} --list-date-order dmy")[0]
    assert "--list FILE" in run(f"pprl link leaked.csv more.csv registry.csv {SCHEMA}")[0]


BOUNDS = {
    "fewer than all": (7, "7 of these {found:,}, with 95% confidence"),
    "all of them": (None, "cannot be told with 95% confidence"),
}


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("at_most", "said"), BOUNDS.values(), ids=BOUNDS)
def test_a_line_says_how_many_matches_are_false_at_most(at_most, said):
    answer = pprl.link("leaked.csv", "registry.csv", "schema.toml", seed=1)
    head = answer.record.headline
    assert 0 < head.false_at_most < head.found.count
    other = replace(head, false_at_most=head.found.count if at_most is None else at_most)
    lines = summary(replace(answer, record=replace(answer.record, headline=other)))
    assert f"false at most      {said.format(found=head.found.count)}" in lines


def test_an_owner_reads_the_disclosed_bound():
    head = {"net_found": {"value": 70, "low": 60, "high": 75}, "found": {"count": 75}, "false_at_most": 10}
    report = {"headline": head, "verdict": {"code": "beyond_chance"}}
    line = "false at most      10 of 75, with 95% confidence, as disclosed"
    assert line in list(published(report))
    for unknown in (75, None):  # all of them, or withheld
        told = published({**report, "headline": {**head, "false_at_most": unknown}})
        assert not [line for line in told if line.startswith("false at most")]
