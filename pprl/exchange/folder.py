"""A matter as its folder shows it: which statements are there, whether they fit, and what is missing.

Each party keeps one folder. It puts in whatever it is sent, under any name; files are known by what they hold. Nothing
is believed for standing in the folder: every statement is verified against the cards, and the cards against words
that were heard (docs/protocol.md §1, §9).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pprl.core import container
from pprl.core.encodings import EncodingParameters
from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError
from pprl.exchange import keystore as keystores
from pprl.exchange.keystore import Keystore, Lock
from pprl.exchange.protocol.agreement import Agreement, Proposal, require_answers
from pprl.exchange.protocol.cards import NEEDED, TITLES, Card, Role, digest_of, order
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.package import SealedPackage
from pprl.exchange.protocol.reveal import Ending
from pprl.exchange.protocol.statements import AGAIN, KINDS, Statement, read_statements

MAX_STATEMENTS = 1 << 28  # bytes of a file of statements
STATEMENT_KINDS = frozenset(KINDS)
PART = "PRIVATE-rows.part"  # an owner's rows until they are sealed
STAGES = (("list", "rows"), ("registry", "rows"), ("list", "package"))  # who commits to what


@dataclass(frozen=True)
class Commitment:
    """What an owner fixed before the other could see it. ``seed`` and ``random`` are b"" where there is none."""

    root: bytes
    key_check: bytes
    seed: bytes
    random: bytes
    statement: Statement


@dataclass(frozen=True)
class Record:
    """Everything that was said in a matter, verified; what is missing is None."""

    cards: dict[Role, Card]
    proposal: Proposal | None = None
    agreement: Agreement | None = None
    list_rows: Commitment | None = None
    registry_rows: Commitment | None = None
    list_package: Commitment | None = None
    receipt: Statement | None = None
    table: Statement | None = None
    ending: Ending = field(default_factory=Ending)

    @property
    def complete(self) -> bool:
        return set(NEEDED) <= set(self.cards)


@dataclass(frozen=True, kw_only=True)
class Matter(Record):
    """A matter as one party has it: what was said, its folder, and its secrets."""

    folder: Path
    keystore: Keystore
    packages: dict[Role, Path] = field(default_factory=dict)
    transcripts: tuple[Statement, ...] = ()  # sealed, and not verified here

    @property
    def role(self) -> Role:
        return self.keystore.role

    @property
    def heard(self) -> bool:
        return self.complete and heard_all(self.keystore, self.cards)

    def save(self, keystore: Keystore) -> None:
        keystore.write(self.folder / keystores.NAME, force=True)

    def ready(self, *, today: datetime.date | None = None) -> Agreement:
        """The agreement, by which work may be done now. OrderError: what must come before. RefusedError: expired."""
        if not self.complete:
            missing = [TITLES[role] for role in NEEDED if role not in self.cards]
            raise OrderError(
                f"the card of the {' and of the '.join(missing)} is not in the folder",
                hint="each party makes one with `pprl card` and sends it to the others",
            )
        if not self.heard:
            raise OrderError("the words of the others were not compared yet", hint="pprl agree, on a call with both")
        if self.agreement is None:
            raise OrderError("there is no agreement in the folder yet", hint=f"{self._agreement_due()}")
        self.agreement.terms.refuse_expired(today or datetime.date.today())
        return self.agreement

    def _agreement_due(self) -> str:
        if self.proposal is None:
            return "the list owner proposes one with `pprl agree --schema`"
        return "the registry owner accepts the proposal with `pprl agree`"

    def parameters(self) -> EncodingParameters:
        """What encodings of this agreement must be made with. MismatchError: the owners hold different keys."""
        assert self.agreement
        assert self.list_rows
        assert self.registry_rows
        # (10) both have the same key
        if self.list_rows.key_check != self.registry_rows.key_check:
            raise MismatchError(
                "the owners' linkage keys differ", hint="they make a new agreement: pprl agree, with new shares"
            )
        terms = self.agreement.terms
        schema = terms.schema
        return EncodingParameters(
            length=schema.length,
            hardening=schema.hardening,
            folding=terms.folding,
            fingerprint=terms.fingerprint,
            key_check=self.list_rows.key_check,
        )


def open_matter(folder: Path, passphrase: str | Lock) -> Matter:
    """Unlock the keystore of a folder and read what else is in it."""
    path = folder / keystores.NAME
    if not folder.is_dir() or not path.exists():
        raise FileError(
            f"{folder.name or 'the folder'}: holds no keystore", hint="make a card in it first: pprl card FOLDER"
        )
    return read_matter(folder, Keystore.read(path, passphrase))


def read_matter(folder: Path, keystore: Keystore) -> Matter:
    """Verify the statements of a folder in the order in which they build upon each other."""
    found = list(_statements(folder))
    cards = _cards(found, keystore.matter)
    own = cards.get(keystore.role)
    if own is None or own.keys != keystore.keys.public():
        raise MismatchError(
            f"the card of the {TITLES[keystore.role]} in the folder is not that of its keystore",
            hint="put back the card that `pprl card` made here",
        )
    last = str(keystore.state.get("proposal")) if keystore.role == "list" else None
    record = _record(found, cards, last)
    packages = _packages(folder, keystore, cards) if record.complete else {}
    transcripts = tuple(_of_kind(found, b"pprl-trn"))
    return Matter(**vars(record), folder=folder, keystore=keystore, packages=packages, transcripts=transcripts)


def read_transcript(found: list[Statement]) -> Record:
    """What an auditor was given. FileError: not all of it is there."""
    record = _record(found, _cards(found, None), None)
    order(record.cards)
    end = record.ending
    if not all((end.query, end.acknowledgement, end.reveal, end.answers, end.result, end.evidence)):
        raise FileError("a statement is missing", hint=AGAIN)
    return record


def _cards(found: list[Statement], matter: str | None) -> dict[Role, Card]:
    """(a) Cards: self-signed, one for each role, of this matter where it is known."""
    cards: dict[Role, Card] = {}
    for statement in _of_kind(found, b"pprl-crd"):
        card = Card.of(statement)
        if matter is not None and card.matter != matter:
            raise MismatchError(
                f"a card of the matter {card.matter} lies in the folder of {matter}", hint="take it out"
            )
        if card.role in cards:
            raise ForgedError(
                f"there are two cards of the {TITLES[card.role]} in the folder",
                hint="ask its owner, on a call, which one he made, and take the other out",
            )
        cards[card.role] = card
    return cards


def _record(found: list[Statement], cards: dict[Role, Card], last: str | None) -> Record:
    """Verify statements in the order in which they build upon each other; ``last`` is the list owner's last proposal,
    which he alone knows."""
    if not set(NEEDED) <= set(cards):
        return Record(cards)
    # (b) the proposal and its acceptance
    proposal, agreement = _agreement(found, cards, last)
    if agreement is None:
        return Record(cards, proposal)
    # (c) commitments, each upon those before it
    commitments = list(_of_kind(found, b"pprl-com"))
    if any((each.body.get("role"), each.body.get("stage")) not in STAGES for each in commitments):
        raise FileError("a commitment: of a role or to a stage that there is not", hint=AGAIN)
    list_rows = _commitment(commitments, cards, agreement, "list", "rows", [])
    registry_rows = list_package = receipt = table = None
    if list_rows:
        registry_rows = _commitment(commitments, cards, agreement, "registry", "rows", [list_rows])
    if list_rows and registry_rows:
        list_package = _commitment(commitments, cards, agreement, "list", "package", [list_rows, registry_rows])
    # (d) the receipt over all of them
    if list_rows and registry_rows and list_package:
        receipt = _receipt(found, cards, agreement, [list_rows, registry_rows, list_package])
    # (e) the score table
    if receipt:
        table = _table(found, cards, agreement, receipt)
    # (f) what comes after it, each upon those before
    ending = _ending(found, cards, agreement, table) if table else Ending()
    return Record(cards, proposal, agreement, list_rows, registry_rows, list_package, receipt, table, ending)


def _statements(folder: Path) -> Iterator[Statement]:
    """The different statements of all files of the folder; of equal ones the one that has its attachment."""
    told: dict[bytes, Statement] = {}
    for path in _files(folder):
        if container.kind_of(path) in STATEMENT_KINDS:
            if path.stat().st_size > MAX_STATEMENTS:
                raise FileError(f"{path.name}: is longer than any statement", hint=AGAIN)
            for statement in read_statements(path.read_bytes(), path.name):
                if statement.attachment or statement.hash not in told:
                    told[statement.hash] = statement
    yield from told.values()


def _files(folder: Path) -> Iterator[Path]:
    """Whatever was put into the folder, but for hidden files and what never leaves this machine."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith((".", "PRIVATE-")):
            yield path


def _of_kind(statements: Iterable[Statement], kind: bytes) -> Iterator[Statement]:
    return (statement for statement in statements if statement.kind == kind)


def _packages(folder: Path, keystore: Keystore, cards: Mapping[Role, Card]) -> dict[Role, Path]:
    """The linkage unit's packages by the owner that their headers name, an owner's own by its name.

    MismatchError and the like: a package that is not for this folder, or two of one owner.
    """
    paths = [path for path in _files(folder) if container.kind_of(path) == b"pprl-pkg"]
    if keystore.role != "unit":
        own = [path for path in paths if path.name == package_name(keystore.role)]
        return dict(zip([keystore.role], own, strict=False))
    found: dict[Role, Path] = {}
    for path in paths:
        role = SealedPackage(path, keystore.keys, cards).contents.role
        if role in found:
            raise OrderError(
                f"there are two packages of the {TITLES[role]} in the folder",
                hint="keep the one that he sent last; what it holds is checked against his commitment",
            )
        found[role] = path
    return found


def package_name(role: Role) -> str:
    return f"{role}-{5 if role == 'list' else 4}-package.pprl"


def _agreement(
    found: list[Statement], cards: dict[Role, Card], last: str | None
) -> tuple[Proposal | None, Agreement | None]:
    proposals = list(_of_kind(found, b"pprl-prp"))
    if last is not None:  # our own earlier proposals may lie about
        proposals = [each for each in proposals if each.hash.hex() == last]
    if not proposals:
        return None, None
    if len(proposals) > 1:
        raise OrderError(
            f"{len(proposals)} proposals are in the folder",
            hint="keep the last one that the list owner sent, and take the others out",
        )
    proposal = Proposal.of(proposals[0], cards)
    accepted = [each for each in _of_kind(found, b"pprl-acc") if each.body.get("answers") == [proposals[0].hash.hex()]]
    if len(accepted) > 1:
        raise ForgedError("the proposal was accepted twice", hint="the registry owner says, on a call, which one holds")
    return proposal, Agreement.of(proposal, accepted[0], cards) if accepted else None


def _commitment(
    found: list[Statement],
    cards: dict[Role, Card],
    agreement: Agreement,
    role: Role,
    stage: str,
    upon: list[Commitment],
) -> Commitment | None:
    """The one commitment of a role at a stage. ForgedError: there are two, so somebody chose again."""
    mine = [each for each in found if (each.body.get("role"), each.body.get("stage")) == (role, stage)]
    if not mine:
        return None
    types = {"agreement": str, "answers": list, "role": str, "root": str, "stage": str}
    if stage == "rows":
        types |= {"key_check": str, **({"seed": str} if role == "list" else {"random": str})}
    # (8) signed, of this agreement, upon exactly those before it
    for statement in mine:
        statement.expect(**types)
        statement.verify(cards[role].keys)
        if statement.body["agreement"] != agreement.hash.hex():
            raise MismatchError(
                f"a commitment of the {TITLES[role]} belongs to another agreement", hint="take it out of the folder"
            )
    # (9) once only
    if len(mine) > 1:
        raise ForgedError(
            f"there are two commitments of the {TITLES[role]} to the same",
            hint="nobody may choose again after what the other has shown: ask which came first, and stop if unclear",
        )
    require_answers(mine[0], [each.statement.hash for each in upon])
    return Commitment(
        mine[0].bytes_of("root", 32),
        mine[0].bytes_of("key_check", 16) if stage == "rows" else b"",
        mine[0].bytes_of("seed", 32) if "seed" in types else b"",
        mine[0].bytes_of("random", 32) if "random" in types else b"",
        mine[0],
    )


def commit(
    matter: Matter, agreement: Agreement, stage: str, root: bytes, upon: list[Commitment], **more: bytes
) -> Statement:
    """A commitment of this party; ``more`` are its key check and seed hash or random bytes."""
    body = {
        "agreement": agreement.hash.hex(),
        "answers": [each.statement.hash.hex() for each in upon],
        "role": matter.role,
        "root": root.hex(),
        "stage": stage,
        **{name: value.hex() for name, value in more.items()},
    }
    return Statement.make(b"pprl-com", body, matter.keystore.keys)


def receive(matter: Matter, agreement: Agreement) -> Statement:
    """The linkage unit's word that it agrees, and that all three commitments were there before any package."""
    upon = [each for each in (matter.list_rows, matter.registry_rows, matter.list_package) if each]
    body = {"agreement": agreement.hash.hex(), "answers": _answers(agreement, upon), "role": "unit"}
    return Statement.make(b"pprl-rcp", body, matter.keystore.keys)


def _answers(agreement: Agreement, upon: list[Commitment]) -> list[str]:
    hashes = [agreement.proposal.statement.hash, agreement.acceptance.hash, *(each.statement.hash for each in upon)]
    return [each.hex() for each in hashes]


def _receipt(
    found: list[Statement], cards: dict[Role, Card], agreement: Agreement, upon: list[Commitment]
) -> Statement | None:
    receipts = list(_of_kind(found, b"pprl-rcp"))
    for receipt in receipts:
        receipt.expect(agreement=str, answers=list, role=str)
        receipt.verify(cards["unit"].keys)
        if (receipt.body["agreement"], receipt.body["role"]) != (agreement.hash.hex(), "unit"):
            raise MismatchError("a receipt belongs to another agreement", hint="take it out of the folder")
        require_answers(receipt, [bytes.fromhex(each) for each in _answers(agreement, upon)])
    if len(receipts) > 1:
        raise ForgedError("there are two receipts in the folder", hint="ask the linkage unit which one it made")
    return receipts[0] if receipts else None


def _table(
    found: list[Statement], cards: dict[Role, Card], agreement: Agreement, receipt: Statement
) -> Statement | None:
    tables = list(_of_kind(found, b"pprl-tab"))
    for table in tables:
        table.expect(agreement=str, answers=list, role=str, scores=str)
        table.verify(cards["unit"].keys)
        table.bytes_of("scores", 32)
        said = (table.body["agreement"], table.body["role"], table.body["answers"][:1], len(table.body["answers"]))
        if said != (agreement.hash.hex(), "unit", [receipt.hash.hex()], 3):  # and the headers of both packages
            raise MismatchError("a score table belongs to another run", hint="take it out of the folder")
    if len(tables) > 1:
        raise ForgedError(
            "there are two score tables in the folder",
            hint="scores are made once: ask the linkage unit why there are two",
        )
    return tables[0] if tables else None


def _ending(found: list[Statement], cards: dict[Role, Card], agreement: Agreement, table: Statement) -> Ending:
    """Statements after the scores. Not everybody gets all of them: what a party lacks is not checked by it."""

    def one(kind: bytes, role: Role, upon: list[Statement | None], **more: type) -> Statement | None:
        mine = list(_of_kind(found, kind))
        for statement in mine:
            statement.expect(agreement=str, answers=list, role=str, **more)
            statement.verify(cards[role].keys)
            for key in more:
                if more[key] is str:
                    statement.bytes_of(key, 32)
            answers = statement.body["answers"]
            fits = len(answers) == len(upon) and all(
                each is None or told == each.hash.hex() for told, each in zip(answers, upon, strict=True)
            )
            if (statement.body["agreement"], statement.body["role"]) != (agreement.hash.hex(), role) or not fits:
                raise MismatchError(f"{statement.says} belongs to another run", hint="take it out of the folder")
        if len(mine) > 1:
            raise ForgedError(
                f"there is more than one {mine[0].says.partition(' ')[2] or mine[0].says} in the folder",
                hint="each is made once: ask its sender why there are two, and stop if it stays unclear",
            )
        return mine[0] if mine else None

    query = one(b"pprl-ask", "unit", [table], ids=str)
    acknowledgement = one(b"pprl-ack", "registry", [table])
    reveal = one(b"pprl-rev", "list", [table, acknowledgement], labels=str, rows_read=int, fallbacks=int)
    answers = one(b"pprl-ans", "list", [query], tags=str)
    result = one(b"pprl-res", "unit", [table, acknowledgement, reveal, answers], report=str, evidence_and_audit=str)
    return Ending(
        query,
        acknowledgement,
        reveal,
        answers,
        result,
        one(b"pprl-rel", "unit", [result], sealed=str),
        one(b"pprl-evi", "unit", [result], evidence=str, nonce=str),
    )


def say(
    matter: Matter, kind: bytes, agreement: Agreement, upon: list[Statement], attachment: bytes = b"", **more: object
) -> Statement:
    """A statement of this party after the scores; its attachment is named by its hash."""
    named = KINDS[kind]
    body = {
        "agreement": agreement.hash.hex(),
        "answers": [each.hash.hex() for each in upon],
        "role": matter.role,
        **({named: digest(attachment).hex()} if named else {}),
        **more,
    }
    return Statement.make(kind, body, matter.keystore.keys, attachment)


def open_package(matter: Matter, role: Role) -> SealedPackage:
    """A package of this run, its header verified. OrderError: it has not come."""
    if role not in matter.packages:
        raise OrderError(
            f"the package of the {TITLES[role]} has not come: {package_name(role)}",
            hint=f"the {TITLES[role]} makes it with `pprl encode --agreement FOLDER` once he has your receipt",
        )
    agreement, receipt = matter.ready(), matter.receipt
    committed = matter.list_package if role == "list" else matter.registry_rows
    assert receipt
    assert committed
    package = SealedPackage(matter.packages[role], matter.keystore.keys, matter.cards)
    package.require(agreement.hash, receipt.hash, matter.parameters(), committed.root)
    return package


def heard_all(keystore: Keystore, cards: Mapping[Role, Card]) -> bool:
    """Whether this party typed the words of every other, for these cards and no others."""
    others = {card.role for card in order(cards)} - {keystore.role}
    told = keystore.state.get("heard", {})
    return all(told.get(role) == digest_of(cards).hex() for role in others)
