"""The four guides of docs/guides are one exchange: their commands are played in the order of their steps.

Each party works in a folder of its own and finds there what it has at the beginning. A step has the same number in
every guide (a heading, or a comment between commands); within a step the parties come in the order of `PARTIES`. What
is printed says which file goes to whom, and only that is handed over. Questions are answered as at a keyboard. A line
``…`` stands for some that are left out. What chance decides may differ: keys, hence words, codes, figures of a match.

``python tests/rewrite.py guides`` writes what the commands print now into the guides, where it differs.
"""

import ast
import io
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import click.termui
import pytest
from helpers import ROOT, sessions

from pprl.core.schema_file import load_schema
from pprl.exchange.protocol.cards import Card, words_of
from pprl.exchange.protocol.statements import read_statements

GUIDES = ROOT / "docs" / "guides"
ROSTERS = ROOT / "examples" / "two_newsrooms"
PARTIES = ("newsroom", "registry-owner", "linkage-unit", "auditor")
#: Titles in what is printed, whose folder that is, and its place there.
PLACES = {
    "list owner": "newsroom/alfa",
    "registry owner": "registry-owner/bravo",
    "linkage unit": "linkage-unit/unit",
    "other owner": "registry-owner",
    "auditor": "auditor",
}
PART = re.compile(r"^## (?:(\d+)\. )?|^```console\n(.*?)^```$|^```toml\n(.*?)^```$", flags=re.M | re.S)
SENDING = re.compile(r"(?:send )?(\S+?):? (?:send it )?to the (.+?)(?:;.*)?|(\S+): \d+ files for the (auditor),.*")
FIGURES = (
    "found|of them|net found|by chance|ambiguous|  category|  cannot be|agree on|openings|signed: the scores"
    "|matched|false matches|false at most|true matches|missed|named with|  whole name"
)
CHANCE = (
    (re.compile(r"; [\d,]+ have none$", re.M), ""),
    (re.compile(r"^ambiguous .*\n", re.M), ""),
    (re.compile(r"(?<=aloud:) .*", flags=re.M), " words"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "code"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "day"),
    (
        re.compile(rf"^({FIGURES}).*", re.M),
        lambda line: re.sub(r"\d[\d.,]*", "n", line[0]),
    ),
)


@dataclass(frozen=True)
class Command:
    """A command of a guide, and what should follow it."""

    guide: str
    step: float
    text: str
    wanted: str
    schema: str = ""  # lines that the guide then puts into schema.toml by hand


def commands() -> list[Command]:
    """In the order in which they are played."""
    found = []
    for guide in PARTIES:
        step = float("inf")
        for number, console, toml in PART.findall((GUIDES / f"{guide}.md").read_text("utf-8")):
            if toml:
                found[-1] = Command(guide, step, found[-1].text, found[-1].wanted, toml)
            elif console:
                for mark, text, wanted in re.findall(r"^([$#]) (.*)\n((?:(?![$#] ).*\n)*)", console, flags=re.M):
                    if mark == "#":
                        step = float(text.partition(",")[0])
                    else:
                        found.append(Command(guide, step, text, wanted))
            else:
                step = float(number or "inf")
    return sorted(found, key=lambda each: each.step)


class Somebody(io.StringIO):
    """At the keyboard of a party: types its passphrase, the words that are heard, and the code that is read."""

    def __init__(self, root: Path, guide: str) -> None:
        super().__init__()
        self.root, self.guide = root, guide

    def isatty(self) -> bool:
        return True

    def hidden(self, _: str) -> str:
        return f"wombat gherkin {self.guide} sextant"

    def visible(self, question: str) -> str:
        if heard := re.search(r"\(([a-z ]+)\) reads aloud", question):
            answer = spoken(self.root)[heard[1]]
        elif "code" in question:
            answer = re.findall(r"^code +(\S+)$", sys.stdout.buffer.getvalue().decode(), flags=re.M)[-1]
        else:
            answer = "y"
        print(question + answer)
        return answer


def spoken(root: Path) -> dict[str, str]:
    """The ten words of each party, from the cards that they sent."""
    cards = {}
    for place, role in zip(list(PLACES.values())[:3], ("list", "registry", "unit"), strict=True):
        (statement,) = read_statements((root / place / f"{role}-1-card.pprl").read_bytes(), "a card")
        cards[role] = Card.from_statement(statement)
    return dict(zip(PLACES, (" ".join(words) for words in words_of(cards).values()), strict=False))


def deliver(root: Path, post: list[tuple[Path, str]]) -> None:
    """Put into the folders of others what was sent to them, once they have one."""
    for path, title in post:
        place = root / PLACES[title]
        if place.is_dir() and not (place / path.name).exists():
            shutil.copytree(path, place / path.name) if path.is_dir() else shutil.copy(path, place)


def play(root: Path, monkeypatch) -> list[tuple[Command, str]]:
    """Each command with what it prints; blank lines and spaces at the ends of lines left out."""
    for guide in PARTIES:
        (root / guide).mkdir()
    shutil.copy(ROSTERS / "leaked.csv", root / "newsroom")
    shutil.copy(ROSTERS / "registry.csv", root / "registry-owner")
    played, post = [], []
    for command in commands():
        deliver(root, post)
        here = root / command.guide
        monkeypatch.chdir(here)
        somebody = Somebody(root, command.guide)
        monkeypatch.setattr(click.termui, "hidden_prompt_func", somebody.hidden)
        monkeypatch.setattr(click.termui, "visible_prompt_func", somebody.visible)
        if "--words-file" in command.text:
            told = zip(("list", "registry", "unit"), spoken(root).values(), strict=False)
            Path("heard.txt").write_text("".join(f"{role}: {words}\n" for role, words in told))
        lines = [line.rstrip() for line in sessions.run(command.text, somebody) if line.strip()]
        played.append((command, "".join(f"{line}\n" for line in lines)))
        if command.schema:
            edit(Path("schema.toml"), command.schema)
        for sent in filter(None, map(SENDING.fullmatch, lines)):
            file, to = filter(None, sent.groups())
            post += [(here / file, title) for title in re.split(", the | and the ", to)]
    return played


def edit(path: Path, lines: str) -> None:
    """Change or add the lines of a schema that the guide has, below their section's name."""
    text = path.read_text("utf-8")
    for line in lines.splitlines():
        if line.startswith("["):
            section = line
            continue
        key = line.partition(" ")[0]
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.M)
        text = re.sub(rf"^{re.escape(section)}.*\n", lambda found, line=line: f"{found[0]}{line}\n", text, flags=re.M)
    path.write_text(text, "utf-8")


def holds(wanted: str, printed: str) -> bool:
    """Is this what was printed, apart from what is left out and from chance?"""
    for pattern, same in CHANCE:
        wanted, printed = pattern.sub(same, wanted), pattern.sub(same, printed)
    shapes = [
        "(?:.*\n)*?" if line == "…" else re.escape(line.removesuffix("…")) + (".*\n" if line.endswith("…") else "\n")
        for line in wanted.splitlines()
    ]
    return bool(re.fullmatch("".join(shapes), printed))


def test_the_guides_play_one_exchange(tmp_path, monkeypatch):
    for command, printed in play(tmp_path, monkeypatch):
        assert holds(command.wanted, printed), f"{command.guide}: {command.text}\n{printed}"
    schema = load_schema(tmp_path / "newsroom" / "schema.toml")
    assert schema == load_schema(ROSTERS / "schema.toml"), "the schema of the example"
    assert not list(tmp_path.rglob("PRIVATE-keystore.pprl"))[1:], "what was destroyed is gone; the auditor's stays"


def test_what_the_guides_quote_as_refused_is_what_is_said():
    said = "\n".join(
        "…".join(part.value for part in node.values if isinstance(part, ast.Constant))
        if isinstance(node, ast.JoinedStr)
        else node.value
        for path in (ROOT / "pprl").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    )
    for guide in PARTIES:
        rows = re.findall(r"^\| (`.+?) \|", (GUIDES / f"{guide}.md").read_text("utf-8"), flags=re.M)
        quoted = [words for row in rows for words in re.findall("`(.+?)`", row)]
        assert len(quoted) > 3
        assert not [words for words in quoted if words not in said], guide


def rewrite() -> None:
    with sessions.fresh_folder(), pytest.MonkeyPatch.context() as monkeypatch:
        played = play(Path.cwd(), monkeypatch)
    for guide in PARTIES:
        path = GUIDES / f"{guide}.md"
        done, rest = "", path.read_text("utf-8")
        for command, printed in (each for each in played if each[0].guide == guide):
            before, line, rest = rest.partition(f"$ {command.text}\n")
            done += before + line + (command.wanted if holds(command.wanted, printed) else printed)
            rest = rest.removeprefix(command.wanted)
        path.write_text(done + rest, "utf-8")
