"""The terms that both owners sign.

The list owner proposes, the registry owner accepts; each adds a nonce and a share of the key, sealed for the other. The
hash of both statements is the agreement: it enters the key, every commitment and every seal, so nothing of one
agreement fits another (docs/protocol.md §5, §6).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from pprl.core.errors import FileError, MismatchError, RefusedError
from pprl.core.schema import Schema
from pprl.core.schema_file import parse_schema, to_toml
from pprl.exchange.protocol.cards import TITLES, Card, Role, order
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.statements import AGAIN, Body, Statement, bytes_of, canonical

UNIT_IS = ("neither", "list", "registry")
OUTPUTS = {"list": ("report", "pairs"), "registry": ("report",), "auditor": ("audit",)}
MAX_LABELS = 1_000
MAX_ROWS = 1 << 40
SEALED_SHARE = 32 + 1_136


@dataclass(frozen=True)
class Terms:
    """What is compared, how it is judged, who gets what, and until when. Rows are people for a list."""

    schema_text: str
    folding: bytes
    fingerprint: bytes
    strata: Mapping[str, tuple[str, ...]]  # closed lists: what is in none of them counts as other
    list_people: tuple[int, int]  # at least, at most
    registry_rows: tuple[int, int]
    pad: int  # packages are filled up to a multiple of so many rows
    outputs: Mapping[str, tuple[str, ...]]
    runs: int
    earlier_runs: int
    unit_is: str
    plain: bool  # encodings without hardening were asked for in so many words
    expires: datetime.date

    @property
    def schema(self) -> Schema:
        return parse_schema(self.schema_text, "the agreement")

    def to_body(self) -> Body:
        return {
            "earlier_runs": self.earlier_runs,
            "expires": self.expires.isoformat(),
            "fingerprint": self.fingerprint.hex(),
            "folding": self.folding.hex(),
            "list_people": list(self.list_people),
            "outputs": {role: list(given) for role, given in self.outputs.items()},
            "pad": self.pad,
            "plain": "yes" if self.plain else "no",
            "registry_rows": list(self.registry_rows),
            "runs": self.runs,
            "schema": self.schema_text,
            "strata": {field: list(labels) for field, labels in self.strata.items()},
            "unit_is": self.unit_is,
        }

    @classmethod
    def of(cls, body: object) -> Terms:
        """FileError: not the terms of an agreement. Whether one wants to sign them is for people to decide."""
        try:
            if not isinstance(body, dict):
                raise TypeError
            terms = cls(
                _text(body["schema"]),
                bytes_of(body["folding"], 32, "the terms"),
                bytes_of(body["fingerprint"], 32, "the terms"),
                {_text(field): tuple(map(_text, labels)) for field, labels in body["strata"].items()},
                _limits(body["list_people"]),
                _limits(body["registry_rows"]),
                _number(body["pad"], 1, 1 << 24),
                {_text(role): tuple(map(_text, given)) for role, given in body["outputs"].items()},
                _number(body["runs"], 1, 1),
                _number(body["earlier_runs"], 0, 10_000),
                _text(body["unit_is"]),
                {"yes": True, "no": False}[body["plain"]],
                datetime.date.fromisoformat(body["expires"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FileError("a proposal: its terms are not written as terms are", hint=AGAIN) from None
        if canonical(terms.to_body()) != canonical(body):
            raise FileError("a proposal: its terms hold other things than terms do", hint=AGAIN)
        terms.check()
        return terms

    def check(self) -> None:
        """RefusedError or SchemaError: terms that no copy of pprl lets anybody sign."""
        schema = self.schema
        if to_toml(schema) != self.schema_text:
            raise FileError("a proposal: its schema is not in its one form", hint=AGAIN)
        if self.unit_is not in UNIT_IS or self.outputs.keys() != OUTPUTS.keys():
            raise FileError("a proposal: its terms hold words that are not known", hint=AGAIN)
        if any(not set(given) <= set(OUTPUTS[role]) for role, given in self.outputs.items()):
            raise RefusedError(
                "the terms let somebody have more than the exchange gives to anybody",
                hint="per-row results of the registry would tell its owner who is on the list",
            )
        if schema.hardening == 0 and not self.plain:
            raise RefusedError(
                "the schema hardens nothing, and the terms do not say so",
                hint="without hardening about 50 known people are enough to read an encoding: set hardening = 8, or "
                "pass --plain",
            )
        schema.refuse_weak()
        strata = {field.name for field in schema.fields if field.role == "stratum"}
        if strata != set(self.strata) or any(len(labels) > MAX_LABELS for labels in self.strata.values()):
            raise RefusedError("the labels of the strata do not fit the schema", hint="--labels FIELD=A,B,C")
        if any(len(set(labels)) < len(labels) or not all(map(_showable, labels)) for labels in self.strata.values()):
            raise RefusedError(
                "a label of the strata is empty, there twice, or not printable", hint="--labels FIELD=A,B,C"
            )

    def refuse_expired(self, today: datetime.date) -> None:
        if today > self.expires:
            raise RefusedError(
                f"the agreement expired on {self.expires}", hint="make a new one: `pprl agree` with a later --expires"
            )

    def lines(self, cards: Mapping[Role, Card]) -> list[str]:
        """The terms in plain words, for whoever decides whether to sign them."""
        schema = self.schema
        by_role = {role: [f.name for f in schema.fields if f.role == role] for role in ("link", "stratum", "confirm")}
        told = [
            *(f"{TITLES[card.role]:16} {card.name}" for card in order(cards)),
            f"linked           {', '.join(by_role['link'])}; hardening {schema.hardening}",
            f"told apart       {'; '.join(f'{n}: {_listed(self.strata[n])}' for n in by_role['stratum']) or 'nothing'}",
            f"confirm          {', '.join(by_role['confirm']) or 'nothing'}",
            f"list             {self.list_people[0]:,} to {self.list_people[1]:,} people, "
            f"{schema.decoys} made-up rows for each",
            f"registry         {self.registry_rows[0]:,} to {self.registry_rows[1]:,} rows, as of "
            f"{schema.registry_as_of or 'no day that is said'}; public before the list: "
            f"{schema.registry_public_before_list}",
            f"judged           at a false-match rate of {schema.false_match_rate / 100:g} %, counts disclosed to base "
            f"{schema.disclosure}",
            "they get         "
            + "; ".join(f"{TITLES[r]}: {_listed(self.outputs[r]) or 'nothing'}" for r in TITLES if r != "unit"),
            f"runs             {self.runs}, after {self.earlier_runs} between the two",
            f"expires          {self.expires}",
        ]
        if self.plain:
            told.append("WARNING          encodings are not hardened: about 50 known people are enough to read them")
        if self.unit_is != "neither":
            other: Role = "registry" if self.unit_is == "list" else "list"
            owner = TITLES["list" if self.unit_is == "list" else "registry"]
            told.append(
                f"WARNING          the linkage unit is the {owner}, who has the key: he can read every name in the "
                f"file of the {TITLES[other]}. This is disclosure, not protection"
            )
        return told


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words[:20]) + (f" and {len(words) - 20} more" if len(words) > 20 else "")


def _showable(label: str) -> bool:
    """Labels are shown to people who decide by what they see: none may move the cursor or hide the line above."""
    return bool(label.strip()) and label.isprintable()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


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
    """What the list owner proposes. ``code`` is what the other types to say that he has read these terms."""

    terms: Terms
    nonce: bytes
    statement: Statement

    @property
    def code(self) -> str:
        return self.statement.hash.hex()[:8]

    @classmethod
    def of(cls, statement: Statement, cards: Mapping[Role, Card]) -> Proposal:
        """MismatchError: made for other cards. ForgedError: not signed by the list owner."""
        # (4) signed by the list owner, for exactly these cards
        statement.expect(answers=list, nonce=str, share=str, terms=dict)
        statement.verify(cards["list"].keys)
        _same_cards(statement, cards)
        statement.bytes_of("share", 32)
        # (5) terms that may be agreed; no expiry here, since an expired agreement may still be read (`Matter.ready`)
        return cls(Terms.of(statement.body["terms"]), statement.bytes_of("nonce", 32), statement)


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
    def of(cls, proposal: Proposal, acceptance: Statement, cards: Mapping[Role, Card]) -> Agreement:
        """MismatchError: another proposal was accepted. ForgedError: not signed by the registry owner."""
        # (6) signed by the registry owner, of this proposal
        acceptance.expect(answers=list, nonce=str, share=str)
        acceptance.verify(cards["registry"].keys)
        require_answers(acceptance, [proposal.statement.hash])
        acceptance.bytes_of("nonce", 32)
        acceptance.bytes_of("share", 32)
        return cls(proposal, acceptance)


def require_answers(statement: Statement, hashes: list[bytes]) -> None:
    """MismatchError: the statement answers others than those, or in another order."""
    if statement.body["answers"] != [each.hex() for each in hashes]:
        raise MismatchError(
            f"{statement.says}: answers other files than those in this folder",
            hint="is a file of an earlier try or of another matter among them? Take it out",
        )


def _same_cards(statement: Statement, cards: Mapping[Role, Card]) -> None:
    if statement.body["answers"] != [card.statement.hash.hex() for card in order(cards)]:
        raise MismatchError(
            "a proposal: was made for other cards than those in this folder",
            hint="did a party make a new card? Then the words are compared and the proposal is made again",
        )
