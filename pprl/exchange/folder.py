"""The folder of a party in an exchange: its keystore, the files that came, and what they say.

Each party keeps one folder and puts everything that it is sent into it, under any name: files are recognised by their
content. Being in the folder proves nothing. Every statement is verified with the cards, and the cards with words that
were compared on a call (docs/protocol.md §1, §9).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pprl.core import container
from pprl.core.encodings import EncodingParameters
from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError
from pprl.exchange import keystore as keystores
from pprl.exchange.keystore import Keystore, Lock
from pprl.exchange.protocol.agreement import Agreement
from pprl.exchange.protocol.cards import Card, digest_of, order
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.messages import (
    BY_TAG,
    COMMITMENT,
    PACKAGE_FILES,
    PUBLIC,
    RECEIPT,
    TRANSCRIPT,
    HandOver,
    StatementKind,
)
from pprl.exchange.protocol.package import SealedPackage
from pprl.exchange.protocol.roles import OWNERS, PARTIES, TITLES, OwnerRole, Role, titles_of
from pprl.exchange.protocol.sealed_file import KIND as SEALED_FILE
from pprl.exchange.protocol.sealed_file import open_file, seal_file
from pprl.exchange.protocol.statements import AGAIN, Statement, read_statements
from pprl.exchange.record import (
    Commitment,
    Committed,
    Received,
    Record,
    of_kind,
    read_cards,
    read_record,
    receipt_answers,
)

MAX_STATEMENTS = 1 << 28  # bytes of a file of statements
PART = "PRIVATE-rows.part"  # an owner's rows until they are sealed
PRIVATE = "PRIVATE-"  # files whose name begins so never leave this machine


@dataclass(frozen=True, kw_only=True)
class ExchangeFolder(Record):
    """An exchange as one party has it: what was signed, the party's folder, and its secrets."""

    path: Path
    keystore: Keystore
    today: datetime.date
    packages: dict[OwnerRole, Path] = field(default_factory=dict)
    transcripts: tuple[Statement, ...] = ()  # sealed, and not verified here

    @property
    def role(self) -> Role:
        return self.keystore.role

    @property
    def words_compared(self) -> bool:
        """Whether this party typed the words of every other party, for these cards and no others."""
        if not self.complete:
            return False
        others = {card.role for card in order(self.cards)} - {self.role}
        confirmed = self.keystore.state.get("heard", {})
        return all(confirmed.get(role) == digest_of(self.cards).hex() for role in others)

    def holds(self, name: str) -> bool:
        return (self.path / name).exists()

    def save(self, keystore: Keystore) -> None:
        keystore.write(self.path / keystores.NAME, force=True)

    def require_words(self) -> None:
        """OrderError: this party has not compared words with the others."""
        if not self.words_compared:
            raise OrderError(
                "the words of the others have not been compared yet", hint="pprl agree FOLDER, on a call with them"
            )

    def ready(self) -> Agreement:
        """The agreement under which work may be done now. OrderError: what must come first. RefusedError: expired."""
        if not self.complete:
            missing = [role for role in PARTIES if role not in self.cards]
            raise OrderError(
                f"the card of {titles_of(missing)} is not in the folder",
                hint="each party makes one with `pprl card` and sends it to the others",
            )
        self.require_words()
        if self.agreement is None:
            raise OrderError(
                "there is no agreement in the folder yet",
                hint="the list owner proposes one with `pprl agree --schema`"
                if self.proposal is None
                else "the registry owner accepts the proposal with `pprl agree`",
            )
        self.agreement.terms.refuse_expired(self.today)
        return self.agreement


def open_folder(path: Path, passphrase: str | Lock, *, today: datetime.date | None = None) -> ExchangeFolder:
    """Unlock the keystore of a folder and verify what else is in it."""
    keystore_path = path / keystores.NAME
    if not path.is_dir() or not keystore_path.exists():
        raise no_keystore(path)
    return read_folder(path, Keystore.read(keystore_path, passphrase), today=today)


def no_keystore(path: Path) -> FileError:
    return FileError(f"{container.called(path)}: holds no keystore", hint="make a card in it first: pprl card FOLDER")


def read_folder(path: Path, keystore: Keystore, *, today: datetime.date | None = None) -> ExchangeFolder:
    """Verify the statements of a folder. The errors say which file is wrong, and how."""
    statements = list(_statements(path, keystore))
    cards = read_cards(statements, keystore.exchange)
    own_card = cards.get(keystore.role)
    if own_card is None or own_card.keys != keystore.keys.public():
        raise MismatchError(
            f"the card of the {TITLES[keystore.role]} in the folder does not belong to its keystore",
            hint="put back the card that `pprl card` made here",
        )
    last_proposal = str(keystore.state.get("proposal")) if keystore.role == "list" else None
    record = read_record(statements, cards, last_proposal)
    return ExchangeFolder(
        **vars(record),
        path=path,
        keystore=keystore,
        today=today or datetime.date.today(),
        packages=_packages(path, keystore, cards) if record.complete else {},
        transcripts=tuple(of_kind(statements, TRANSCRIPT)),
    )


def _statements(path: Path, keystore: Keystore) -> Iterator[Statement]:
    """The distinct statements of all files of the folder; where two are equal, the one that has its attachment."""
    by_hash: dict[bytes, Statement] = {}
    for file in _files(path):
        for statement in _statements_of(file, keystore):
            if statement.attachment or statement.hash not in by_hash:
                by_hash[statement.hash] = statement
    yield from by_hash.values()


def _statements_of(file: Path, keystore: Keystore) -> Iterator[Statement]:
    """The statements of a file, none if it holds something else.

    ForgedError: a statement that is not public came unsealed.
    """
    kind = container.kind_of(file)
    if kind not in (*BY_TAG, SEALED_FILE):
        return
    if file.stat().st_size > MAX_STATEMENTS:
        raise FileError(f"{file.name}: is longer than any statement", hint=AGAIN)
    data = file.read_bytes()
    if kind == SEALED_FILE:
        data = open_file(data, file.name, keystore.exchange, keystore.role, keystore.keys)
    for statement in read_statements(data, file.name):
        if kind != SEALED_FILE and statement.kind not in PUBLIC:
            raise ForgedError(
                f"{file.name}: {statement.title} came unsealed, so anybody could read it on the way",
                hint="do not use this run: the sender must use this version of pprl, and start again",
            )
        yield statement


def _files(path: Path) -> Iterator[Path]:
    """All files of the folder except hidden ones and those that never leave this machine."""
    for file in sorted(path.iterdir()):
        if file.is_file() and not file.name.startswith((".", PRIVATE)):
            yield file


def _packages(path: Path, keystore: Keystore, cards: Mapping[Role, Card]) -> dict[OwnerRole, Path]:
    """The packages by owner: for the linkage unit as their headers say, for an owner their own, by its file name.

    MismatchError and the like: a package that is not for this folder. OrderError: an owner has two.
    """
    files = [file for file in _files(path) if container.kind_of(file) == b"pprl-pkg"]
    if keystore.role != "unit":
        names = {PACKAGE_FILES[owner].name: owner for owner in OWNERS if owner == keystore.role}
        return {names[file.name]: file for file in files if file.name in names}
    packages: dict[OwnerRole, Path] = {}
    for file in files:
        owner = SealedPackage(file, keystore.keys, cards).contents.role
        if owner in packages:
            raise OrderError(
                f"there are two packages of the {TITLES[owner]} in the folder",
                hint="keep the one that they sent last; its content is checked against their commitment",
            )
        packages[owner] = file
    return packages


def agreed_parameters(agreement: Agreement, list_rows: Commitment, registry_rows: Commitment) -> EncodingParameters:
    """The parameters that encodings of an agreement must have. MismatchError: the owners hold different keys."""
    # (10) both owners have the same key
    if list_rows.key_check != registry_rows.key_check:
        raise MismatchError(
            "the owners' linkage keys differ", hint="make a new agreement, with new shares: pprl agree FOLDER --schema"
        )
    terms = agreement.terms
    schema = terms.schema
    return EncodingParameters(
        encodings=((schema.hardening, schema.length),),
        folding=terms.folding,
        fingerprint=terms.fingerprint,
        key_check=list_rows.key_check,
    )


def make_commitment(
    folder: ExchangeFolder, stage: str, root: bytes, before: list[Commitment], **values: bytes
) -> Statement:
    """A commitment of this party that answers those before it. ``values`` are its key check and seed hash or random
    bytes."""
    body = {
        "agreement": folder.ready().hash.hex(),
        "answers": [commitment.statement.hash.hex() for commitment in before],
        "role": folder.role,
        "root": root.hex(),
        "stage": stage,
        **{name: value.hex() for name, value in values.items()},
    }
    return Statement.make(COMMITMENT, body, folder.keystore.keys)


def make_receipt(folder: ExchangeFolder) -> Statement:
    """The linkage unit's signature under the terms and under all three commitments, before it has seen any package."""
    committed = Committed.from_record(folder)
    commitments = (committed.list_rows, committed.registry_rows, committed.list_package)
    answered = receipt_answers(committed.agreement, [commitment.statement for commitment in commitments])
    return sign_statement(folder, RECEIPT, answered)


def sign_statement(
    folder: ExchangeFolder,
    kind: StatementKind,
    answered: list[Statement],
    attachment: bytes = b"",
    **more: object,
) -> Statement:
    """A statement of this party under the agreement; the body names the attachment by its hash."""
    body = {
        "agreement": folder.ready().hash.hex(),
        "answers": [statement.hash.hex() for statement in answered],
        "role": folder.role,
        **({kind.attachment: digest(attachment).hex()} if kind.attachment else {}),
        **more,
    }
    return Statement.make(kind, body, folder.keystore.keys, attachment)


def open_package(folder: ExchangeFolder, owner: OwnerRole) -> SealedPackage:
    """A package of this run, its header verified. OrderError: it has not come."""
    if owner not in folder.packages:
        raise OrderError(
            f"the package of the {TITLES[owner]} has not come: {PACKAGE_FILES[owner].name}",
            hint=f"the {TITLES[owner]} makes it with `pprl next` once they have your receipt",
        )
    folder.ready()
    received = Received.from_record(folder)
    package = SealedPackage(folder.packages[owner], folder.keystore.keys, folder.cards)
    package.require(
        received.agreement.hash,
        received.receipt.hash,
        agreed_parameters(received.agreement, received.list_rows, received.registry_rows),
        received.package_commitment(owner).root,
    )
    return package


def write_statements(folder: ExchangeFolder, file: HandOver, *statements: Statement, force: bool = False) -> Path:
    """A file of statements in the folder, one after another, sealed for its reader unless all of them are public.

    Refused if it is there already, without ``force``.
    """
    path, data = folder.path / file.name, b"".join(statement.to_bytes() for statement in statements)
    if file.sealed:
        (reader,) = file.readers
        data = seal_file(data, folder.keystore.exchange, folder.cards[file.maker], folder.cards[reader])
    container.write_new(path, [data], private=file.sealed, force=force)
    return path


def private_files(path: Path) -> list[Path]:
    """The keystore of a folder and what else must not outlive the exchange. FileError: there is no keystore."""
    if not (path / keystores.NAME).exists():
        raise FileError(f"{container.called(path)}: holds no keystore", hint="has it been destroyed already?")
    return sorted(file for file in path.iterdir() if file.is_file() and PRIVATE in file.name)
