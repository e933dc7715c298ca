"""The terms that both owners sign.

The list owner proposes and the registry owner accepts. Each adds a nonce and a share of the key, sealed for the other.
The hash of both statements is the agreement. It enters the key, every commitment and every seal, so nothing made for
one agreement fits another (docs/protocol.md §5, §6).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pprl.core.errors import FileError, MismatchError, RefusedError
from pprl.core.schema import Schema
from pprl.core.schema_file import parse_schema, to_toml
from pprl.exchange.protocol.cards import Card, order
from pprl.exchange.protocol.commitments import RowLayout
from pprl.exchange.protocol.crypto import SEAL_OVERHEAD, digest
from pprl.exchange.protocol.roles import OWNERS, TITLES, OwnerRole, Role, other_owner
from pprl.exchange.protocol.statements import AGAIN, Body, Statement, bytes_of, canonical

UnitIs = Literal["neither", "list", "registry"]
UNIT_IS: tuple[UnitIs, ...] = ("neither", *OWNERS)
OUTPUTS: dict[str, tuple[str, ...]] = {"list": ("report", "pairs"), "registry": ("report",), "auditor": ("audit",)}
MAX_LABELS = 1_000
MAX_ROWS = 1 << 40
SEALED_SHARE = 32 + SEAL_OVERHEAD


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is compared, how it is judged, who gets what, and until when."""

    schema_text: str
    folding: bytes
    fingerprint: bytes
    strata: Mapping[str, tuple[str, ...]]  # the labels of each stratum; every other value counts as "other"
    list_people: tuple[int, int]  # at least, at most
    registry_rows: tuple[int, int]  # at least, at most
    pad: int  # packages are filled up to a multiple of this number of rows
    outputs: Mapping[str, tuple[str, ...]]
    runs: int
    earlier_runs: int  # between the same two owners
    unit_is: UnitIs
    plain: bool  # encodings without hardening were asked for explicitly
    expires: datetime.date

    @property
    def schema(self) -> Schema:
        return parse_schema(self.schema_text, "the agreement")

    def layout(self, side: OwnerRole) -> RowLayout:
        """The layout of the rows of an owner's package."""
        schema = self.schema
        confirm = sum(field.role == "confirm" for field in schema.fields)
        return RowLayout(side, schema.length, confirm, len(schema.linked()))

    def to_body(self) -> Body:
        return {
            "earlier_runs": self.earlier_runs,
            "expires": self.expires.isoformat(),
            "fingerprint": self.fingerprint.hex(),
            "folding": self.folding.hex(),
            "list_people": list(self.list_people),
            "outputs": {role: list(results) for role, results in self.outputs.items()},
            "pad": self.pad,
            "plain": "yes" if self.plain else "no",
            "registry_rows": list(self.registry_rows),
            "runs": self.runs,
            "schema": self.schema_text,
            "strata": {field: list(labels) for field, labels in self.strata.items()},
            "unit_is": self.unit_is,
        }

    @classmethod
    def from_body(cls, body: object) -> Terms:
        """FileError: not the terms of an agreement. Whether to sign them is for people to decide."""
        try:
            if not isinstance(body, dict):
                raise TypeError
            terms = cls(
                schema_text=_text(body["schema"]),
                folding=bytes_of(body["folding"], 32, "the terms"),
                fingerprint=bytes_of(body["fingerprint"], 32, "the terms"),
                strata={_text(field): tuple(map(_text, labels)) for field, labels in body["strata"].items()},
                list_people=_limits(body["list_people"]),
                registry_rows=_limits(body["registry_rows"]),
                pad=_number(body["pad"], 1, 1 << 24),
                outputs={_text(role): tuple(map(_text, results)) for role, results in body["outputs"].items()},
                runs=_number(body["runs"], 1, 1),
                earlier_runs=_number(body["earlier_runs"], 0, 10_000),
                unit_is=_unit_is(body["unit_is"]),
                plain={"yes": True, "no": False}[body["plain"]],
                expires=datetime.date.fromisoformat(body["expires"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FileError("a proposal: its terms are malformed", hint=AGAIN) from None
        if canonical(terms.to_body()) != canonical(body):
            raise FileError("a proposal: its terms hold something that terms do not have", hint=AGAIN)
        terms.check()
        return terms

    def check(self) -> None:
        """FileError: malformed. RefusedError or SchemaError: terms that pprl lets nobody sign."""
        schema = self.schema
        if to_toml(schema) != self.schema_text:
            raise FileError("a proposal: its schema is not in canonical form", hint=AGAIN)
        if self.outputs.keys() != OUTPUTS.keys():
            raise FileError("a proposal: its terms hold unknown words", hint=AGAIN)
        if any(not set(results) <= set(OUTPUTS[role]) for role, results in self.outputs.items()):
            raise RefusedError(
                "the terms give a party more than any party may have",
                hint="results for single rows of the registry would tell its owner who is on the list",
            )
        if schema.hardening == "plain" and not self.plain:
            raise RefusedError(
                "the schema sets no hardening, and the terms do not say so",
                hint="without hardening about 50 known people are enough to read an encoding: "
                'set hardening = "standard", or pass --plain',
            )
        schema.refuse_weak()
        schema.refuse_large(max(self.registry_rows[1], self.list_people[1]))
        strata = {field.name for field in schema.fields if field.role == "stratum"}
        if strata != set(self.strata) or any(len(labels) > MAX_LABELS for labels in self.strata.values()):
            raise RefusedError("the labels of the strata do not match the schema", hint="--labels FIELD=A,B,C")
        if any(len(set(labels)) < len(labels) or not all(map(_showable, labels)) for labels in self.strata.values()):
            raise RefusedError("a label of the strata is empty, repeated or not printable", hint="--labels FIELD=A,B,C")

    def refuse_expired(self, today: datetime.date) -> None:
        if today > self.expires:
            raise RefusedError(
                f"the agreement expired on {self.expires}", hint="make a new one: `pprl agree` with a later --expires"
            )

    def lines(self, cards: Mapping[Role, Card]) -> list[str]:
        """The terms in plain words, for the people who decide whether to sign them."""
        schema = self.schema
        by_role = {role: [f.name for f in schema.fields if f.role == role] for role in ("link", "stratum", "confirm")}
        strata = "; ".join(f"{name}: {_listed(self.strata[name])}" for name in by_role["stratum"])
        outputs = "; ".join(
            f"{TITLES[role]}: {_listed(self.outputs[role]) or 'nothing'}" for role in TITLES if role != "unit"
        )
        lines = [
            *(f"{TITLES[card.role]:16} {card.name}" for card in order(cards)),
            f"linked           {', '.join(by_role['link'])}; hardening {schema.hardening}: "
            f"{schema.parameters.described()}",
            f"counted by       {strata or 'nothing'}",
            f"confirmed by     {', '.join(by_role['confirm']) or 'nothing'}",
            f"list             {self.list_people[0]:,} to {self.list_people[1]:,} people, "
            f"{schema.decoys} decoys for each",
            f"registry         {self.registry_rows[0]:,} to {self.registry_rows[1]:,} rows, as of "
            f"{schema.registry_as_of or 'an unknown day'}; public before the list: "
            f"{schema.registry_public_before_list}",
            f"judged           at a false-match rate of {schema.false_match_rate / 100:g}%, counts disclosed to base "
            f"{schema.disclosure}",
            f"they get         {outputs}",
            f"runs             {self.runs}, after {self.earlier_runs} between the two owners",
            f"expires          {self.expires}",
        ]
        return lines + self._warnings()

    def _warnings(self) -> list[str]:
        warnings = []
        if self.plain:
            warnings.append(
                "WARNING          encodings are not hardened: about 50 known people are enough to read them"
            )
        if self.unit_is != "neither":
            owner: OwnerRole = self.unit_is
            warnings.append(
                f"WARNING          the linkage unit is the {TITLES[owner]}, who has the key: they can read every "
                f"name in the file of the {TITLES[other_owner(owner)]}. This is disclosure, not protection"
            )
        return warnings


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words[:20]) + (f" and {len(words) - 20} more" if len(words) > 20 else "")


def _showable(label: str) -> bool:
    """People decide by the labels that they see: none may move the cursor or hide the line above it."""
    return bool(label.strip()) and label.isprintable()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _unit_is(value: object) -> UnitIs:
    for known in UNIT_IS:
        if value == known:
            return known
    raise ValueError


def _number(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError
    return value


def _limits(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError
    low = _number(value[0], 1, MAX_ROWS)
    return low, _number(value[1], low, MAX_ROWS)


@dataclass(frozen=True)
class Proposal:
    """What the list owner proposes. Others type its ``code`` to show that they have read these terms."""

    terms: Terms
    nonce: bytes
    statement: Statement

    @property
    def code(self) -> str:
        return self.statement.hash.hex()[:8]

    @classmethod
    def from_statement(cls, statement: Statement, cards: Mapping[Role, Card]) -> Proposal:
        """MismatchError: made for other cards. ForgedError: not signed by the list owner."""
        # (4) signed by the list owner, for exactly these cards
        statement.require_form()
        statement.verify(cards["list"].keys)
        _same_cards(statement, cards)
        statement.bytes_of("share", 32)
        # (5) terms that may be agreed; no expiry here: an expired agreement may still be read (`ExchangeFolder.ready`)
        return cls(Terms.from_body(statement.body["terms"]), statement.bytes_of("nonce", 32), statement)


@dataclass(frozen=True)
class Agreement:
    """A proposal and its acceptance."""

    proposal: Proposal
    acceptance: Statement

    @property
    def terms(self) -> Terms:
        return self.proposal.terms

    @property
    def hash(self) -> bytes:
        return digest(b"pprl/1/agreement\0", self.proposal.statement.hash, self.acceptance.hash)

    @classmethod
    def from_statements(cls, proposal: Proposal, acceptance: Statement, cards: Mapping[Role, Card]) -> Agreement:
        """MismatchError: another proposal was accepted. ForgedError: not signed by the registry owner."""
        # (6) signed by the registry owner, for this proposal
        acceptance.require_form()
        acceptance.verify(cards["registry"].keys)
        require_answers(acceptance, [proposal.statement.hash])
        acceptance.require_hashes()
        return cls(proposal, acceptance)


def require_answers(statement: Statement, hashes: list[bytes]) -> None:
    """MismatchError: the statement answers other statements than these, or in another order."""
    if statement.body["answers"] != [answered.hex() for answered in hashes]:
        raise MismatchError(
            f"{statement.title}: answers other files than those in this folder",
            hint="is a file of an earlier attempt or of another exchange among them? Take it out",
        )


def _same_cards(statement: Statement, cards: Mapping[Role, Card]) -> None:
    if statement.body["answers"] != [card.statement.hash.hex() for card in order(cards)]:
        raise MismatchError(
            "a proposal: was made for other cards than those in this folder",
            hint="has a party made a new card? Then compare the words again and make the proposal again",
        )
