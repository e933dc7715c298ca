"""Every example of `pprl COMMAND --help` is run word for word, and so is what `pprl --help` begins with.

The examples tell two stories, each in its own folder: work with rosters and files, command by command in the order of
`COMMANDS`, and the exchange, step by step. What is typed at a prompt is typed here too.
"""

import io
import re
import shlex
import shutil
import sys
from pathlib import Path

import click
import pandas as pd
import pytest
from helpers import TESTS, sessions
from helpers.exchange import rosters

from pprl.cli import cli, main
from pprl.exchange.folder import open_folder
from pprl.exchange.keystore import NAME as KEYSTORE
from pprl.exchange.protocol.cards import words_of
from pprl.exchange.protocol.messages import HAND_OVERS
from pprl.exchange.protocol.roles import TITLES
from pprl.match import dask as cluster

HERE = TESTS
FOLDERS = {"alfa": "list", "bravo": "registry", "unit": "unit", "auditor": "auditor"}
COMMANDS = ("completion", "schema", "check", "link", "report", "risk", "key", "encode", "convert clkhash", "match",
            "judge", "inspect", "convert parquet")  # fmt: skip
PLAYED_IN_TRANSCRIPTS = ("pprl demo", "pprl demo shown")


def commands(group=cli, name=""):
    for word, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{name}{word} ")
        else:
            yield f"{name}{word}", command


def examples(command):
    """The example lines of a command, without the remarks after three spaces."""
    _, _, text = (command.epilog or "").partition("Example")
    return [re.split(" {3,}", line.strip())[0] for line in text.splitlines() if line.startswith("  ")]


ALL = {name: examples(command) for name, command in commands()}
FIRST = re.findall(r"^ *\w[\w ]+: +(pprl [^,\n]+)$", cli.help, re.M)
OF_EXCHANGE = [line for lines in ALL.values() for line in lines if set(shlex.split(line)) & set(FOLDERS)]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def typed(line, monkeypatch):
    """Run a line as somebody at a terminal would, and return what it printed."""
    out, err = (Terminal(io.BytesIO(), encoding="utf-8", write_through=True), io.StringIO())
    for name, stream in (("stdin", Terminal(io.BytesIO())), ("stdout", out), ("stderr", err)):
        monkeypatch.setattr(sys, name, stream)
    name, *words = shlex.split(line)
    assert name == "pprl"
    assert main(words) == 0, f"{line}\n{err.getvalue()}"
    return out.buffer.getvalue().decode()


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_and_option_has_help_and_examples_of_itself(name, command, capsys):
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.strip().endswith((".", ")")), parameter.name
    assert main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert ALL[name]
    for line in ALL[name]:
        assert re.match(rf"pprl {name}\b", line)
        assert f"\n    {line}" in shown


def test_every_example_is_in_a_story():
    told = [line for name in COMMANDS for line in ALL[name]] + OF_EXCHANGE + list(PLAYED_IN_TRANSCRIPTS)
    assert {line for lines in ALL.values() for line in lines} == set(told)
    assert len(FIRST) == 5
    assert {line.split()[1] for line in FIRST} <= {*COMMANDS, "demo"}
    played = (HERE / "sessions" / "demo.txt").read_text("utf-8")
    for line in PLAYED_IN_TRANSCRIPTS:
        assert re.search(rf"^\$ {line}( > .*)?$", played, re.M), line


def office(folder):
    """Rosters as the examples name them: a list with whole names, absent people, the parts of a list, a registry."""
    leaked, registry = (pd.read_csv(folder / name, dtype=str, keep_default_na=False) for name in LISTS)
    leaked.insert(1, "ФИО", leaked.pop("Фамилия") + " " + leaked.pop("Имя") + " " + leaked.pop("Отчество"))
    absent = leaked.assign(ФИО=[f"Несуществуев {given}" for given in leaked["ФИО"].str.split(" ", n=1).str[1]])
    for name, frame in {
        "leaked.csv": leaked, "leaked.xlsx": leaked.head(40), "registry.xlsx": registry, "absent.csv": absent.tail(30),
        "names.csv": registry.head(150), "part1.xlsx": leaked.head(60), "part2.csv": leaked.tail(60),
        "roster.csv": registry.head(50),
    }.items():  # fmt: skip
        (frame.to_excel if name.endswith("x") else frame.to_csv)(folder / name, index=False)


LISTS = ("leaked.csv", "registry.csv")
COPIED = {
    "report": (("result/report.json", "report.json"), ("result/audit.json", "audit.json")),
    "match": (("list.pprl", "one.pprl"), ("registry.pprl", "other.pprl"), ("clks.json", "theirs.json")),
}


def test_rosters_and_files(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    sessions.copy_examples()
    office(tmp_path)
    _, _, fixtures = sessions.steps(HERE / "sessions" / "interop.txt")
    for name in ("linkage.json", "secret.txt"):
        text = re.search(rf"^-- {name} --\n(.*?)^-- ", fixtures, re.M | re.S).group(1)
        Path(name).write_text(text, encoding="utf-8")
    near = distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None)
    connected = cluster.connected
    monkeypatch.setattr(cluster, "connected", {"tcp://10.0.0.5:8786": connected(near.scheduler_address)}.__getitem__)
    with near:
        for name in COMMANDS:
            for old, new in COPIED.get(name, ()):
                shutil.copy(old, new)
            lines = ALL[name] + [line for line in FIRST if line.split()[1] == name]
            for line in dict.fromkeys(lines):
                if line in OF_EXCHANGE:
                    continue
                for written in re.findall(r"(?:-o|--pairs) (\S+)", line):  # by the line before, or by another story
                    forget(Path(written))
                assert typed(line, monkeypatch), line
    for name in ("pairs.csv", "risk.html", "report_ru.html", "PRIVATE-audit.html", "scores.pprl", "result"):
        assert Path(name).exists(), name


def forget(path):
    for each in (path, path.with_name(f"PRIVATE-{path.stem}.rows")):
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)


PASSPHRASE = "wombat gherkin sextant tulip"


@pytest.mark.usefixtures("cheap_passphrases")
def test_the_exchange(tmp_path, monkeypatch):
    """Each line of the exchange is typed at least once; lines that only help along are no examples."""
    rosters(tmp_path)
    (tmp_path / "list.csv").rename(tmp_path / "leaked.csv")
    monkeypatch.chdir(tmp_path)
    place = {role: Path(folder) for folder, role in FOLDERS.items()}
    said, run = [], set()

    def prompt(text, **_):
        if text == "passphrase":
            return PASSPHRASE
        if text == "type the code if you agree":
            return re.search(r"^code +(\w+)$", sys.stdout.buffer.getvalue().decode(), re.M).group(1)
        role = next(role for role, title in TITLES.items() if title in text)
        return " ".join(words[role])

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: True)

    def types(*lines):
        for line in lines:
            run.add(line)
            said.append(typed(line, monkeypatch))
            for file in HAND_OVERS:
                for made, theirs in ((place[file.maker] / file.name, place[role] / file.name) for role in file.readers):
                    if made.exists() and (theirs.parent / KEYSTORE).exists():
                        shutil.copy(made, theirs)

    types(*ALL["card"], 'pprl card auditor --role auditor --exchange division-2022 --name "Auditor"')
    for card in Path("alfa").glob("*-1-card.pprl"):
        shutil.copy(card, "auditor")
    words = words_of(open_folder(Path("alfa"), PASSPHRASE).cards)
    Path("heard-on-the-phone.txt").write_text("".join(f"{role}: {' '.join(each)}\n" for role, each in words.items()))
    types("pprl agree alfa", "pprl agree bravo", "pprl agree unit", "pprl agree auditor")
    types("pprl agree alfa --schema schema.toml", "pprl agree bravo")
    types("pprl encode leaked.csv --agreement alfa", "pprl encode registry.csv --agreement bravo")
    types("pprl encode leaked.csv --agreement alfa", "pprl agree unit", "pprl next alfa", "pprl next bravo")
    types("pprl match unit", "pprl next bravo", "pprl reveal alfa", "pprl judge unit", "pprl next alfa")
    types("pprl transcript unit", "pprl transcript auditor -o files")
    shutil.rmtree("auditor")  # one who came later, and has no card
    types("pprl transcript unit -o auditor", "pprl verify auditor --words-file heard-on-the-phone.txt")
    types("pprl destroy alfa")
    assert set(OF_EXCHANGE) <= run
    assert "verified: these parties signed this" in said[-2]
