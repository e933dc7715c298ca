"""The table of messages is what is played: every file goes to its readers, holds what it says, and is signed by whom it
says; and docs/protocol.md shows the same table."""

import re

import pytest
from helpers import ROOT
from helpers.exchange import BY_NAME, PARTIES
from helpers.forgeries import plain

from pprl.exchange.next_step import RESULT, next_step
from pprl.exchange.protocol.messages import (
    COMMITMENT,
    COMMITMENT_VALUES,
    HAND_OVERS,
    STATEMENT_KINDS,
    TRANSCRIPT_STATEMENTS,
    readers_present,
)
from pprl.exchange.protocol.statements import read_statements, signer_of

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
LETTERS = {"L": "list", "R": "registry", "U": "unit", "A": "auditor"}


def played_files(exchange):
    for role in PARTIES:
        for path in exchange.folder(role).iterdir():
            if path.name in BY_NAME:
                yield role, BY_NAME[path.name], path


def test_every_file_goes_to_its_readers_and_to_nobody_else(played):
    seen = {}
    for role, file, _ in played_files(played["end"]):
        seen.setdefault(file.name, set()).add(role)
    made = [file for file in HAND_OVERS if file.maker in PARTIES and readers_present(file, auditor=False)]
    assert set(seen) == {file.name for file in made}
    for file in made:
        assert seen[file.name] == {file.maker, *readers_present(file, auditor=False)}, file.name


@pytest.mark.parametrize("role", PARTIES)
def test_a_party_has_nothing_else_in_its_folder(played, role):
    exchange = played["end"]
    assert next_step(exchange.opened(role)).what.startswith("done")
    names = {path.name for path in exchange.folder(role).iterdir() if not path.name.startswith("PRIVATE-")}
    assert names - set(BY_NAME) <= {"schema.toml", RESULT}


def test_every_file_holds_the_statements_of_the_table_signed_by_their_signers(played):
    exchange = played["end"]
    for role, file, path in played_files(exchange):
        if not file.holds:
            continue
        statements = list(read_statements(plain(exchange, role, path.name), path.name))
        assert [statement.kind for statement in statements] == list(file.holds), file.name
        cards = exchange.opened(role).cards
        for statement in statements:
            signer = signer_of(statement)
            statement.verify(cards[signer].keys)
            reached = statement.kind.attachment and statement.kind not in file.detached
            assert bool(statement.attachment) == bool(reached), (file.name, statement.title)
            more = (
                COMMITMENT_VALUES[statement.body["role"], statement.body["stage"]]
                if statement.kind is COMMITMENT
                else ()
            )
            assert set(statement.body) == {*statement.kind.fields, *more}


@pytest.mark.parametrize("kind", STATEMENT_KINDS, ids=lambda kind: kind.title)
def test_the_readers_of_a_kind_are_those_of_its_files(kind):
    """A header is in a sealed package; transcripts hold the rest for an auditor."""
    readers = {reader for file in HAND_OVERS if kind in file.holds for reader in file.readers}
    readers |= {"unit"} if kind.tag == b"pprl-hdr" else set()
    readers |= {"auditor"} if any(kind in kinds for kinds in TRANSCRIPT_STATEMENTS.values()) else set()
    if len(kind.signers) == 1:  # its own statement comes back to the signer in a file of another party
        readers -= set(kind.signers)
    assert readers == set(kind.readers)


def section(number):
    return re.split(r"^## ", PAGE, flags=re.M)[number]


def test_the_files_of_the_page_are_those_of_the_table():
    """Names, makers and readers of docs/protocol.md §1, where makers or readers differ from file to file in order."""
    shown = {}
    for line in section(1).splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 5 or not re.match(r"`(list|registry|unit|auditor)-\d", cells[1]):
            continue
        names = re.findall(r"`((?:list|registry|unit|auditor)-\d-[a-z-]+)`", cells[1])
        makers, readers = re.findall(r"[LRUA]\b", cells[2]), cells[3].split(";")
        for number, name in enumerate(names):
            if makers:  # not of cards, which everybody makes for everybody
                to = re.findall(r"\b[LRUA]\b", readers[min(number, len(readers) - 1)])
                shown[f"{name}.pprl"] = (
                    LETTERS[makers[min(number, len(makers) - 1)]],
                    {LETTERS[letter] for letter in to},
                )
    wanted = {file.name: (file.maker, set(file.readers)) for file in HAND_OVERS if "card" not in file.name}
    assert {name: value for name, value in shown.items() if name in wanted} == {
        name: wanted[name] for name in wanted if name in shown
    }
    assert set(wanted) - set(shown) <= {"unit-5-transcript-for-the-auditor.pprl"}


def test_the_kinds_of_the_page_are_those_of_the_table():
    """Tag, title, signers, readers and the key of the attachment's hash, in docs/protocol.md §2."""
    row = re.compile(r"^\| `(pprl-[a-z]{3})` \| ([a-z ]+?) \| ([^|]+?) \| ([LRUA, ]+?) \| (none|`[a-z]+`) \|$", re.M)
    shown = {tag: (title, signers, readers, key.strip("`")) for tag, title, signers, readers, key in row.findall(PAGE)}
    assert len(shown) == len(STATEMENT_KINDS)
    for kind in STATEMENT_KINDS:
        title, signers, readers, key = shown[kind.tag.decode()]
        assert title == re.sub("^(a|an|the) ", "", kind.title)
        if signers != "its holder":
            assert {LETTERS[letter] for letter in signers.split(", ")} == set(kind.signers), kind.tag
        assert {LETTERS[letter] for letter in readers.split(", ")} == set(kind.readers), kind.tag
        assert key == (kind.attachment or "none"), kind.tag


def test_the_bodies_of_the_page_are_those_of_the_table():
    for kind in STATEMENT_KINDS:
        bodies = [
            set(re.findall(r'[{,]"([a-z_0-9]+)"', line))
            for line in re.findall(r"\{\"[^\n]*\}", PAGE)
            if not line.startswith('{"fields"')
        ]
        more = [set(values) for values in COMMITMENT_VALUES.values()] if kind is COMMITMENT else [set()]
        for values in more:
            assert {*kind.fields, *values} in bodies, kind.title
