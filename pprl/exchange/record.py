"""What the statements of an exchange say, verified in the order in which they build on each other.

A **record** holds everything that was signed so far; what has not come is None. A **stage** is a record in which
nothing up to some point is missing: its type says what a step may rely on. The letters are those of docs/protocol.md
§9.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError
from pprl.core.planted import PlantedTable
from pprl.exchange.protocol.agreement import Agreement, Proposal, require_answers
from pprl.exchange.protocol.cards import Card, order
from pprl.exchange.protocol.commitments import Opening
from pprl.exchange.protocol.messages import (
    ACCEPTANCE,
    ACCEPTANCE_FILE,
    ACKNOWLEDGEMENT,
    ACKNOWLEDGEMENT_FILE,
    ANSWERS,
    CARD,
    COMMITMENT,
    COMMITMENT_VALUES,
    EVIDENCE,
    LIST_COMMITMENT_FILE,
    PACKAGE_COMMITMENT_FILE,
    PROPOSAL,
    QUERY,
    QUERY_FILE,
    RECEIPT,
    RECEIPT_FILE,
    REGISTRY_COMMITMENT_FILE,
    RELEASE,
    RESULT,
    RESULT_FILES,
    REVEAL,
    REVEAL_FILE,
    SCORE_TABLE,
    SCORES_FILE,
    HandOver,
    StatementKind,
)
from pprl.exchange.protocol.reveal import check_reveal, split_reveal
from pprl.exchange.protocol.roles import PARTIES, TITLES, OwnerRole, Role
from pprl.exchange.protocol.statements import AGAIN, Statement

TAKE_OUT = "take it out of the folder"


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """What an owner fixed before the other could see it. ``seed``, ``random`` and ``planted`` are b"" where there is
    none."""

    root: bytes
    key_check: bytes
    seed: bytes
    random: bytes
    planted: bytes  # the hash of the table of planted decoys
    statement: Statement


@dataclass(frozen=True, kw_only=True)
class Record:
    """Every verified statement of an exchange; what is missing is None."""

    cards: dict[Role, Card]
    proposal: Proposal | None = None
    agreement: Agreement | None = None
    list_rows: Commitment | None = None
    registry_rows: Commitment | None = None
    list_package: Commitment | None = None
    receipt: Statement | None = None
    table: Statement | None = None
    query: Statement | None = None
    acknowledgement: Statement | None = None
    reveal: Statement | None = None
    answers: Statement | None = None
    result: Statement | None = None
    release: Statement | None = None
    evidence: Statement | None = None

    @property
    def complete(self) -> bool:
        """Whether the cards of all three parties are there."""
        return set(PARTIES) <= set(self.cards)


#: What a message calls a part of a record that has not come, and the file that brings it.
MISSING: dict[str, tuple[str, HandOver | None]] = {
    "agreement": ("the acceptance of the registry owner", ACCEPTANCE_FILE),
    "list_rows": ("the first commitment of the list owner", LIST_COMMITMENT_FILE),
    "registry_rows": ("the commitment of the registry owner", REGISTRY_COMMITMENT_FILE),
    "list_package": ("the second commitment of the list owner", PACKAGE_COMMITMENT_FILE),
    "receipt": ("the receipt of the linkage unit", RECEIPT_FILE),
    "table": ("the signed score table of the linkage unit", SCORES_FILE),
    "query": ("the query of the linkage unit", QUERY_FILE),
    "acknowledgement": ("the acknowledgement of the registry owner", ACKNOWLEDGEMENT_FILE),
    "reveal": ("the reveal of the list owner", REVEAL_FILE),
    "answers": ("the reveal of the list owner", REVEAL_FILE),
    "result": ("the result of the linkage unit", RESULT_FILES["list"]),
    "evidence": ("the evidence of the linkage unit", None),
}


def not_come(part: str) -> OrderError:
    """The error for a part of a record that a step needs and that is missing."""
    what, file = MISSING[part]
    name = f": {file.name}" if file else ""
    return OrderError(f"{what} has not come{name}", hint="put it into the folder and repeat the command")


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """Both owners have signed the terms."""

    cards: dict[Role, Card]
    agreement: Agreement

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """OrderError: a part is missing; the message says which."""
        parts: dict[str, Any] = {field.name: getattr(record, field.name) for field in fields(cls)}
        for name, part in parts.items():
            if part is None:
                raise not_come(name)
        return cls(**parts)


@dataclass(frozen=True, kw_only=True)
class Committed(Agreed):
    """Both owners have committed to everything."""

    list_rows: Commitment
    registry_rows: Commitment
    list_package: Commitment


@dataclass(frozen=True, kw_only=True)
class Received(Committed):
    """The linkage unit has signed for all commitments."""

    receipt: Statement

    def package_commitment(self, owner: OwnerRole) -> Commitment:
        """What the rows of an owner's package must give."""
        return self.list_package if owner == "list" else self.registry_rows


@dataclass(frozen=True, kw_only=True)
class Scored(Received):
    """The scores are signed."""

    table: Statement


@dataclass(frozen=True, kw_only=True)
class Revealed(Scored):
    """The registry owner has acknowledged the scores, and the list owner has revealed the labels."""

    reveal: Statement
    answers: Statement
    acknowledgement: Statement

    def openings(self, halves: bytes) -> list[Opening]:
        """The revealed labels, checked with the signed halves of the leaves; errors as in `check_reveal`."""
        return check_reveal(
            self.reveal.attachment,
            halves,
            self.agreement,
            list_root=self.list_rows.root,
            package_root=self.list_package.root,
            planted=self.list_package.planted,
        )

    def planted(self, halves: bytes) -> PlantedTable | None:
        """The decoys of the list as a registry may spell them. FileError: not a table of these fields."""
        _, table = split_reveal(self.reveal.attachment, halves, self.agreement.terms)
        planted = PlantedTable.from_bytes(table, "a reveal")
        if planted is not None and planted.differs.shape[1] != len(self.agreement.terms.schema.linked()):
            raise FileError("a reveal: its table of planted people has other fields", hint=AGAIN)
        return planted


@dataclass(frozen=True, kw_only=True)
class Judged(Revealed):
    """The whole exchange, as an auditor gets it."""

    query: Statement
    result: Statement
    evidence: Statement


def of_kind(statements: Iterable[Statement], kind: StatementKind) -> Iterator[Statement]:
    return (statement for statement in statements if statement.kind is kind)


def read_cards(statements: list[Statement], exchange: str | None = None) -> dict[Role, Card]:
    """(a) Cards: self-signed, one for each role, of this exchange where its name is known."""
    cards: dict[Role, Card] = {}
    for statement in of_kind(statements, CARD):
        card = Card.from_statement(statement)
        if exchange is not None and card.exchange != exchange:
            raise MismatchError(
                f"a card of the exchange {card.exchange} is in the folder of {exchange}", hint="take it out"
            )
        if card.role in cards:
            raise ForgedError(
                f"there are two cards of the {TITLES[card.role]} in the folder",
                hint="ask them, on a call, which one they made, and take the other out",
            )
        cards[card.role] = card
    return cards


def read_record(statements: list[Statement], cards: dict[Role, Card], last_proposal: str | None = None) -> Record:
    """Verify statements in the order in which they build on each other.

    ``last_proposal`` is the hash of the list owner's last proposal, which only they know.
    """
    if not set(PARTIES) <= set(cards):
        return Record(cards=cards)
    return _Reader(statements, cards).read(last_proposal)


def read_judged(statements: list[Statement]) -> Judged:
    """What an auditor gets. FileError: a statement is missing."""
    cards = read_cards(statements)
    record = read_record(statements, cards)
    order(cards)
    try:
        return Judged.from_record(record)
    except OrderError:
        raise FileError("a statement is missing", hint=AGAIN) from None


@dataclass(frozen=True)
class _Reader:
    """The statements of a folder and the cards that verify them."""

    statements: list[Statement]
    cards: dict[Role, Card]

    def read(self, last_proposal: str | None) -> Record:
        # (b) the proposal and its acceptance
        proposal = self._proposal(last_proposal)
        agreement = self._agreement(proposal) if proposal else None
        parts: dict[str, Any] = {}
        if agreement:
            # (c) commitments, each on those before it
            parts |= self._commitments(agreement)
            committed = [parts.get(name) for name in ("list_rows", "registry_rows", "list_package")]
            # (d) the receipt for all of them
            if all(committed):
                parts["receipt"] = self._receipt(
                    agreement, [commitment.statement for commitment in committed if commitment]
                )
            # (e) the score table
            if parts.get("receipt"):
                parts["table"] = self._table(agreement, parts["receipt"])
            # (f) what comes after it, each on those before
            if parts.get("table"):
                parts |= self._after_scores(agreement, parts["table"])
        return Record(cards=self.cards, proposal=proposal, agreement=agreement, **parts)

    def _proposal(self, last: str | None) -> Proposal | None:
        proposals = list(of_kind(self.statements, PROPOSAL))
        if last is not None:  # the list owner's own earlier proposals may still be in the folder
            proposals = [statement for statement in proposals if statement.hash.hex() == last]
        if not proposals:
            return None
        if len(proposals) > 1:
            raise OrderError(
                f"{len(proposals)} proposals are in the folder",
                hint="keep the last one that the list owner sent, and take the others out",
            )
        return Proposal.from_statement(proposals[0], self.cards)

    def _agreement(self, proposal: Proposal) -> Agreement | None:
        answered = [proposal.statement.hash.hex()]
        accepted = [
            statement for statement in of_kind(self.statements, ACCEPTANCE) if statement.body.get("answers") == answered
        ]
        if len(accepted) > 1:
            raise ForgedError(
                "the proposal was accepted twice", hint="ask the registry owner, on a call, which acceptance holds"
            )
        return Agreement.from_statements(proposal, accepted[0], self.cards) if accepted else None

    def _commitments(self, agreement: Agreement) -> dict[str, Commitment | None]:
        for statement in of_kind(self.statements, COMMITMENT):
            if (statement.body.get("role"), statement.body.get("stage")) not in tuple(COMMITMENT_VALUES):
                raise FileError("a commitment: of an unknown role or stage", hint=AGAIN)
        list_rows = self._commitment(agreement, "list", "rows", [])
        registry_rows = list_package = None
        if list_rows:
            registry_rows = self._commitment(agreement, "registry", "rows", [list_rows])
        if list_rows and registry_rows:
            list_package = self._commitment(agreement, "list", "package", [list_rows, registry_rows])
        return {"list_rows": list_rows, "registry_rows": registry_rows, "list_package": list_package}

    def _commitment(
        self, agreement: Agreement, role: OwnerRole, stage: str, before: list[Commitment]
    ) -> Commitment | None:
        """The one commitment of a role at a stage. ForgedError: there are two, so somebody chose again."""
        found = [
            statement
            for statement in of_kind(self.statements, COMMITMENT)
            if (statement.body.get("role"), statement.body.get("stage")) == (role, stage)
        ]
        if not found:
            return None
        values = COMMITMENT_VALUES[role, stage]
        # (8) signed, of this agreement, answering exactly those before it
        for statement in found:
            statement.require_form(*values)
            statement.verify(self.cards[role].keys)
            if statement.body["agreement"] != agreement.hash.hex():
                raise MismatchError(f"a commitment of the {TITLES[role]} belongs to another agreement", hint=TAKE_OUT)
        # (9) only once
        if len(found) > 1:
            raise ForgedError(
                f"there are two commitments of the {TITLES[role]} at the same stage",
                hint="nobody may choose again after seeing what the other sent: ask which came first",
            )
        (statement,) = found
        require_answers(statement, [commitment.statement.hash for commitment in before])
        root = statement.bytes_of("root", 32)
        value = {name: statement.bytes_of(name, size) for name, size in values.items()}
        return Commitment(
            root=root,
            key_check=value.get("key_check", b""),
            seed=value.get("seed", b""),
            random=value.get("random", b""),
            planted=value.get("planted", b""),
            statement=statement,
        )

    def _receipt(self, agreement: Agreement, commitments: list[Statement]) -> Statement | None:
        receipts = list(of_kind(self.statements, RECEIPT))
        answered = receipt_answers(agreement, commitments)
        for receipt in receipts:
            receipt.require_form()
            receipt.verify(self.cards["unit"].keys)
            if (receipt.body["agreement"], receipt.body["role"]) != (agreement.hash.hex(), "unit"):
                raise MismatchError("a receipt belongs to another agreement", hint=TAKE_OUT)
            require_answers(receipt, [statement.hash for statement in answered])
        if len(receipts) > 1:
            raise ForgedError("there are two receipts in the folder", hint="ask the linkage unit which one it made")
        return receipts[0] if receipts else None

    def _table(self, agreement: Agreement, receipt: Statement) -> Statement | None:
        tables = list(of_kind(self.statements, SCORE_TABLE))
        for table in tables:
            table.require_form()
            table.verify(self.cards["unit"].keys)
            table.require_hashes()
            if (table.body["agreement"], table.body["role"]) != (agreement.hash.hex(), "unit") or not answers_receipt(
                table, receipt
            ):
                raise MismatchError("a score table belongs to another run", hint=TAKE_OUT)
        if len(tables) > 1:
            raise ForgedError(
                "there are two score tables in the folder",
                hint="scores are made once: ask the linkage unit why there are two",
            )
        return tables[0] if tables else None

    def _after_scores(self, agreement: Agreement, table: Statement) -> dict[str, Statement | None]:
        """Not every party gets all of these: a party does not check what it lacks."""

        def only(kind: StatementKind, *answered: Statement | None) -> Statement | None:
            return self._only(kind, agreement, answered)

        query = only(QUERY, table)
        acknowledgement = only(ACKNOWLEDGEMENT, table)
        reveal = only(REVEAL, table, acknowledgement)
        answers = only(ANSWERS, query)
        result = only(RESULT, table, acknowledgement, reveal, answers)
        return {
            "query": query,
            "acknowledgement": acknowledgement,
            "reveal": reveal,
            "answers": answers,
            "result": result,
            "release": only(RELEASE, result),
            "evidence": only(EVIDENCE, result),
        }

    def _only(
        self, kind: StatementKind, agreement: Agreement, answered: tuple[Statement | None, ...]
    ) -> Statement | None:
        """The one statement of a kind. An answered statement that this party never gets is None and not checked."""
        (signer,) = kind.signers
        found = list(of_kind(self.statements, kind))
        for statement in found:
            statement.require_form()
            statement.verify(self.cards[signer].keys)
            statement.require_hashes()
            answers = statement.body["answers"]
            fits = len(answers) == len(answered) and all(
                wanted is None or name == wanted.hash.hex() for name, wanted in zip(answers, answered, strict=True)
            )
            if (statement.body["agreement"], statement.body["role"]) != (agreement.hash.hex(), signer) or not fits:
                raise MismatchError(f"{statement.title} belongs to another run", hint=TAKE_OUT)
        if len(found) > 1:
            raise ForgedError(
                f"there is more than one {kind.title.removeprefix('a ').removeprefix('an ')} in the folder",
                hint="each is made once: ask its sender why there are two, and stop if it stays unclear",
            )
        return found[0] if found else None


def receipt_answers(agreement: Agreement, commitments: Iterable[Statement]) -> list[Statement]:
    """What a receipt answers: the terms, and every commitment."""
    return [agreement.proposal.statement, agreement.acceptance, *commitments]


def answers_receipt(table: Statement, receipt: Statement) -> bool:
    """Whether a score table answers this receipt and the headers of two packages."""
    answers = table.body["answers"]
    return len(answers) == 3 and answers[0] == receipt.hash.hex()
