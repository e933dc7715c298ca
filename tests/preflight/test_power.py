"""What `pprl check` says about a roster holds when the roster is linked."""

import json
import os
import pty
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT
from helpers.rosters import GIVEN, PATRONYMICS, SURNAMES

import pprl
from pprl.cli import main
from pprl.core.key import LinkageKey
from pprl.core.randomness import seed_from
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA as DEMO
from pprl.demo import invent
from pprl.encode.registry import encode_registry
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
    assert (found.duplicates, found.equal) == (((2, 3),), 0)
    assert {(field, reason): rows for (field, reason), rows in found.left_out.items() if field == "birth_date"} == {
        ("birth_date", "a word for nothing"): (6,),
        ("birth_date", "not a date"): (7,),
    }
    assert {group.name: group.people for group in found.classes} == {
        "whole name, whole date": 2,
        "whole name, no date": 2,
    }
    assert all(group.claim is None for group in found.classes)


def test_the_owner_of_a_registry_is_told_which_rows_are_one_candidate(messy, capsys):
    """Rows that are one person: an equal one, and one that says less, which linkage cannot join."""
    messy.write_text(MESSY + "7;Лугов Иван Петрович;12.03.1985\n", encoding="utf-8")
    found, people = seen(messy)
    assert (len(found.duplicates), found.equal) == (2, 1)
    _, private = encode_registry(people, WITH_DATE, LinkageKey.make(1), allow_weak=True)
    assert private.counts()["repeated rows"] == found.equal
    schema = EXAMPLE / "schema.toml"
    assert main(["check", str(messy), "--schema", str(schema), "--any-age"]) == 0
    said = "1 of them equal another row and count as one candidate with it; 1 stay their own"
    assert f"as a registry      {said}" in capsys.readouterr().out


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


SOUTH = (
    [
        f"{stem}{end}"
        for stem in ("Али", "Гаса", "Маме", "Раги", "Исма", "Кери", "Сафа", "Нови")
        for end in ("ев", "ров")
    ],
    ["Али", "Расул", "Мурад", "Эльдар"],
    ["Алиевич", "Расулович", "Мурадович", "Эльдарович"],
)


def needed(seed, people, rows, *, dated):
    """How many people must be there, by `check` from the list alone, and by `link` where nobody is. A third of both
    rosters has names of another culture."""
    draw = random.Random(seed)

    def person():
        names = SOUTH if draw.random() < 1 / 3 else (SURNAMES, GIVEN, PATRONYMICS)
        born = f"{draw.randint(1960, 2003)}-{draw.randint(1, 12):02d}-{draw.randint(13, 28):02d}"
        return [*map(draw.choice, names), born]

    everybody = pd.DataFrame(
        [person() for _ in range(people + rows)], columns=["surname", "given", "patronymic", "birth_date"], dtype=object
    )
    schema = (WITH_DATE if dated else NAMES_ONLY).with_hardening("plain")
    listed = load(everybody.head(people), schema, "list")
    asked = pprl.check(listed, schema, registry_rows=rows, seed=seed, threads=1).needed
    linked = pprl.link(listed, everybody.iloc[people:], schema, seed=seed, allow_weak=True, threads=1)
    return asked, linked.audit["headline"]["fewest_findable"]


@pytest.mark.parametrize(("people", "asked"), [(20, 4), (30, 5), (60, 5), (120, 6)])
def test_check_asks_what_link_asks(people, asked):
    """With dates nobody is a namesake in everything, so the number follows from the sizes alone."""
    assert needed(1, people, 1_000, dated=True) == (asked, asked)


def test_check_asks_about_as_many_as_link_by_names_alone():
    """Then it follows from how many decoys are namesakes of registered people, and `check` knows the list alone.

    The sum over these three is .99 of what `link` says; it was .66 with names drawn without regard to culture.
    """
    asked, linked = np.sum([needed(seed, 100, 1_000, dated=False) for seed in range(3)], axis=0)
    assert 0.75 < asked / linked < 1.33


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
