"""What `pprl check` says about a roster holds when the roster is linked."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

import pprl
from pprl.core.randomness import seed_from
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA as DEMO
from pprl.demo import invent
from pprl.preflight.power import preview, with_claims
from pprl.roster.load import load

EXAMPLE = ROOT / "examples" / "two_files"
PPRL = (sys.executable, str(ROOT / "cli.py"))
NAMES = '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.patronymic]\ntype = "patronymic"\n'
WITH_DATE = parse_schema(f'format = 1\nname = "x"\n{NAMES}[fields.birth_date]\ntype = "date"\n')
NAMES_ONLY = parse_schema(f'format = 1\nname = "x"\n{NAMES}')
MESSY = """№;ФИО;Дата рождения
1;Лугов Иван Петрович;12.03.1985
2;Лугов И.П.;1985
3;Зимин Олег;01.02.1980
4;Зимин Олег Ильич;
5;123;неизвестно
6;Ёжиков Пётр 漢;31.13.1980
"""


@pytest.fixture
def messy(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(MESSY, encoding="utf-8")
    return path


def seen(path, schema=WITH_DATE):
    loaded = load([path], schema, "roster", any_age=True)
    return preview(loaded.people, loaded.tables, loaded.columns, schema), loaded.people


def test_rows_people_duplicates_and_unreadable_cells(messy):
    found, _ = seen(messy)
    assert (found.rows, found.people, found.empty) == (6, 4, 1)
    assert found.duplicates == ((2, 3),)
    assert {(field, reason): rows for (field, reason), rows in found.left_out.items() if field == "birth_date"} == {
        ("birth_date", "a word for nothing"): (6,),
        ("birth_date", "not a date"): (7,),
    }
    assert {group.name: group.people for group in found.classes} == {
        "whole name, whole date": 2,
        "whole name, no date": 2,
    }
    assert all(group.claim is None for group in found.classes)


def test_the_linkage_keeps_the_claim():
    """A names-only list gives no pairs against 60,000 rows, a dated one gives pairs; against few, both do."""
    path = EXAMPLE / "leaked.csv"

    def claims(schema, rows):
        found, people = seen(path, schema)
        tried = with_claims(found, people, schema, rows, seed=seed_from(1))
        return {group.name: group.claim for group in tried.classes}

    few, many = claims(NAMES_ONLY, 400), claims(NAMES_ONLY, 60_000)
    assert few["whole name, no date"].what == "pairs"
    assert many["whole name, no date"].what != "pairs"
    dated = claims(WITH_DATE, 60_000)["whole name, whole date"]
    assert dated.what == "pairs"
    assert dated.found >= 0.8 * dated.present
    assert claims(WITH_DATE, 400) == claims(WITH_DATE, 400)


def terminal(*words: str, cwd: Path) -> str:
    """What a command prints on a terminal."""
    leader, follower = pty.openpty()
    subprocess.run([*PPRL, *words], cwd=cwd, stdout=follower, stderr=subprocess.PIPE, check=True)
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(leader)
    return text.decode()


def test_values_are_shown_only_on_a_terminal(messy):
    folder = messy.parent
    (folder / "s.toml").write_text(EXAMPLE.joinpath("schema.toml").read_text(encoding="utf-8"), encoding="utf-8")
    words = ("check", "roster.csv", "--schema", "s.toml", "--any-age", "--show-values")
    shown = terminal(*words, cwd=folder)
    assert "row 6: 'неизвестно'" in shown
    assert "row 7: '31.13.1980'" in shown
    piped = subprocess.run([*PPRL, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert piped.returncode == 1
    assert "standard output is not a terminal" in piped.stderr
    assert "неизвестно" not in piped.stdout + piped.stderr


def test_as_json(messy, monkeypatch, capsys):
    from pprl.cli import main

    monkeypatch.chdir(messy.parent)
    schema = EXAMPLE / "schema.toml"
    assert main(["check", "roster.csv", "--schema", str(schema), "--any-age", "--json", "--registry-rows", "50"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["format"] == 1
    assert output["duplicates"] == [[2, 3]]
    assert output["registry_rows"] == 50
    assert {group["claim"]["what"] for group in output["classes"]} <= {"pairs", "count", "nothing"}


def test_what_check_predicts_for_the_demo_is_what_link_finds():
    """The share of the people present who are matched: predicted from the list alone, and counted with the truth."""
    rosters = invent(3)
    schema = parse_schema(DEMO)
    loaded = pprl.load(rosters.leaked, schema, "list").people
    columns = {"full_name": "Фамилия, имя, отчество"}
    predicted = with_claims(
        preview(loaded, [rosters.leaked], [columns], schema), loaded, schema, len(rosters.registry), seed=seed_from(1)
    )
    answer = pprl.link(rosters.leaked, rosters.registry, schema, list_id="№ п/п", registry_id="id", seed=1)
    marks = rosters.marked(list(answer.pairs.list_id), list(answer.pairs.registry_id))
    claims = [group.claim for group in predicted.classes]
    share = sum(claim.found for claim in claims) / sum(claim.present for claim in claims)
    found = marks.right / len(rosters.ids)
    assert abs(share - found) < 0.05
    dated, initials = (
        next(group.claim for group in predicted.classes if group.name == name)
        for name in ("whole name, whole date", "initials, whole date")
    )
    assert dated.found / dated.present > 0.9 > 0.6 > initials.found / initials.present
