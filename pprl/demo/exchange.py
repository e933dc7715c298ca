"""A whole exchange between invented parties, each with a folder of its own; only files are handed over.

>>> from pprl.demo import invent
>>> from pprl.demo.exchange import play, write_rosters
>>> write_rosters(Path("shown"), invent(2022))  # doctest: +SKIP
>>> for played in play(Path("shown")):  # doctest: +SKIP
...     print(played.folder, played.command)
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pprl.core import container
from pprl.core.outputs import make_folder
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.core.tables import columns_of, csv_bytes
from pprl.demo import SCHEMA, Rosters
from pprl.exchange.next_step import PAGE, RESULT, step_lines
from pprl.exchange.parties.linkage_unit import LinkageUnit
from pprl.exchange.parties.list_owner import ListOwner
from pprl.exchange.parties.party import Party
from pprl.exchange.parties.registry_owner import RegistryOwner
from pprl.exchange.parties.resubmission import SentRosters
from pprl.exchange.protocol.cards import word_list
from pprl.exchange.protocol.messages import HAND_OVERS
from pprl.exchange.protocol.roles import Role
from pprl.match import search
from pprl.match.threads import threads

FOLDERS: dict[Role, str] = {"list": "newsroom", "registry": "registry", "unit": "linkage-unit"}
NAMES: dict[Role, str] = {"list": "Newsroom Alfa", "registry": "Partner Bravo", "unit": "University"}
EXCHANGE = "exchange"  # the folder of the exchange within each of these
WORDS_OF_A_PASSPHRASE = 6
HEARD = "heard-on-the-phone.txt"
AUDITOR = "auditor"
NEXT = f"next {EXCHANGE}"

P = TypeVar("P", bound=Party)


@dataclass(frozen=True)
class Played:
    """A step that a party has done: in which folder, what they would have typed, and what is printed."""

    folder: str
    command: str
    lines: list[str]


@dataclass(frozen=True)
class _Stage:
    """The three parties, and their files below one folder."""

    root: Path
    newsroom: ListOwner
    registry: RegistryOwner
    unit: LinkageUnit

    @property
    def parties(self) -> tuple[Party, ...]:
        return self.newsroom, self.registry, self.unit

    def played(self, party: Party, command: str, *notes: str) -> Played:
        """Hand over the files of a step, and say what it was."""
        lines = [*notes, *step_lines(party.read())]
        self.hand_over()
        return Played(FOLDERS[party.role], command, lines)

    def hand_over(self) -> None:
        """Copy every file to the folders of its readers."""
        folders = {party.role: party.path for party in self.parties}
        for file in HAND_OVERS:
            for reader in file.readers:
                if file.maker in folders and reader in folders:
                    made, copy = folders[file.maker] / file.name, folders[reader] / file.name
                    if made.exists() and not copy.exists():
                        shutil.copyfile(made, copy)


def play(root: Path) -> Iterator[Played]:
    """Play every step in the folder where the rosters are; yields what was played, step by step."""
    schema = load_schema(root / "newsroom" / "schema.toml")
    parties = (_join(root, ListOwner), _join(root, RegistryOwner), _join(root, LinkageUnit))
    stage = _Stage(root, *parties)
    stage.hand_over()
    yield from _compare_words(stage)
    yield from _agree(stage, schema)
    yield from _commit(stage)
    yield from _match_and_judge(stage)
    stage.unit.write_transcript(root / AUDITOR)
    yield Played(FOLDERS["unit"], f"transcript {EXCHANGE} -o ../{AUDITOR}", [])
    shutil.copyfile(stage.newsroom.path / RESULT / PAGE, root / PAGE)


def write_rosters(root: Path, rosters: Rosters) -> None:
    """Write the list, the registry and the schema into their owners' folders, and the truth beside them."""
    for name in FOLDERS.values():
        make_folder(root / name)
    container.write_new(root / "newsroom" / "list.xlsx", [rosters.workbook()])
    container.write_new(root / "newsroom" / "schema.toml", [SCHEMA.encode()])
    container.write_new(root / "registry" / "registry.csv", [csv_bytes(columns_of(rosters.registry))])
    container.write_new(root / "truth.csv", [csv_bytes(columns_of(rosters.truth()))])


def _join(root: Path, party: type[P]) -> P:
    """A party with a folder, a card, and a passphrase that is kept in a file."""
    folder = root / FOLDERS[party.role]
    passphrase = " ".join(secrets.choice(word_list()) for _ in range(WORDS_OF_A_PASSPHRASE))
    container.write_new(folder / "passphrase.txt", [passphrase.encode() + b"\n"], private=True)
    return party.create(folder / EXCHANGE, exchange="demo", name=NAMES[party.role], passphrase=passphrase)


def _compare_words(stage: _Stage) -> Iterator[Played]:
    """Everybody reads ten words aloud and types those of the others; an auditor will ask for them too."""
    words = stage.unit.words()
    spoken = {role: " ".join(words[role]) for role in words}
    container.write_new(stage.root / HEARD, [f"{role}: {text}\n".encode() for role, text in spoken.items()])
    for party in stage.parties:
        party.confirm_words(spoken, words)
        yield stage.played(party, f"agree {EXCHANGE}", f"reads aloud  {spoken[party.role]}")


def _agree(stage: _Stage, schema: Schema) -> Iterator[Played]:
    proposal = stage.newsroom.propose(schema)
    terms = [f"  {line}" for line in proposal.terms.lines(stage.newsroom.read().cards)]
    yield stage.played(stage.newsroom, f"agree {EXCHANGE} --schema schema.toml", *terms)
    stage.registry.accept(stage.registry.terms_to_sign().code)
    yield stage.played(stage.registry, f"agree {EXCHANGE}", "accepted by the code of the terms")


def _commit(stage: _Stage) -> Iterator[Played]:
    """Both owners commit before either can know what the other holds; then the list owner commits to the decoys."""
    leaked, registry = stage.root / "newsroom" / "list.xlsx", stage.root / "registry" / "registry.csv"
    nowhere = SentRosters(None)  # invented people are not remembered as sent
    encode_list = f"encode list.xlsx --agreement {EXCHANGE}"
    path = stage.newsroom.commit(leaked, sent=nowhere)
    yield stage.played(stage.newsroom, encode_list, f"{path.name}: committed to the list")
    path = stage.registry.commit(registry, sent=nowhere)
    yield stage.played(
        stage.registry, f"encode registry.csv --agreement {EXCHANGE}", f"{path.name}: committed to the registry"
    )
    path = stage.newsroom.commit(leaked, sent=nowhere)
    yield stage.played(stage.newsroom, encode_list, f"{path.name}: committed to the package, decoys included")
    path = stage.unit.sign_receipt(stage.unit.terms_to_sign().code)
    yield stage.played(stage.unit, f"agree {EXCHANGE}", f"{path.name}: signed for what both owners committed to")
    for owner in (stage.newsroom, stage.registry):
        path = owner.seal()
        yield stage.played(owner, NEXT, f"{path.name}: sealed; only the linkage unit can open it")


def _match_and_judge(stage: _Stage) -> Iterator[Played]:
    with threads() as engine:
        stage.unit.match(find=partial(search.best, map=engine.map))
    yield stage.played(stage.unit, NEXT, "compared; the scores are signed and stay here")
    path = stage.registry.acknowledge()
    yield stage.played(stage.registry, NEXT, f"{path.name}: acknowledged; only now may the labels be opened")
    path = stage.newsroom.reveal()
    yield stage.played(stage.newsroom, f"reveal {EXCHANGE}", f"{path.name}: which rows are synthetic")
    stage.unit.judge()
    yield stage.played(stage.unit, NEXT, "judged; the exact figures stay here, the owners get the disclosed ones")
    for owner in (stage.newsroom, stage.registry):
        files = [f"{EXCHANGE}/{RESULT}/{path.name}" for path in owner.receive_result()]
        yield stage.played(owner, NEXT, *files)
