"""What a file of pprl is, in facts that name nobody."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from pprl.core import container
from pprl.core.encodings import EncodingParameters, Encodings
from pprl.core.errors import FileError, PprlError
from pprl.core.key import LinkageKey
from pprl.core.private_rows import PrivateRows
from pprl.core.scores import Scores

if TYPE_CHECKING:
    from pprl.exchange.protocol.cards import Card
    from pprl.exchange.protocol.statements import Statement


def describe(path: Path) -> dict[str, str | int]:
    """Facts about a file, by name. FileError: pprl did not write it, or it is damaged."""
    if path.is_dir():
        raise FileError("this is a directory", hint="name a file that pprl wrote")
    match container.kind_of(path):
        case b"pprl-key":
            return {
                "kind": "linkage key",
                "secret": "no: made from --seed" if LinkageKey.read(path).repeatable else "yes",
            }
        case b"pprl-enc":
            encodings = Encodings.read(path)
            return {
                "kind": f"encodings of a {encodings.side}",
                "rows": len(encodings),
                **({} if encodings.decoys is None else {"decoys": len(encodings.decoys)}),
                **_parameters(encodings.parameters),
            }
        case b"pprl-sco":
            scores = Scores.read(path)
            counts = {"list_rows": len(scores), "registry_rows": scores.registry_encoded}
            return {"kind": "scores", **counts, "kernel": scores.kernel, **_parameters(scores.parameters)}
        case b"pprl-row":
            rows = PrivateRows.read(path)
            counts = {name.replace(" ", "_"): count for name, count in rows.counts().items()}
            return {"kind": f"private rows of a {rows.side}", **counts, **_parameters(rows.parameters)}
        case b"pprl-kst":
            return {"kind": "keystore of a party", "secret": "yes: it opens only with its passphrase"}
        case b"pprl-pkg":
            from pprl.exchange.protocol.package import recipient_of

            with path.open("rb") as file:
                recipient = recipient_of(file.read(60), path.name)
            return {
                "kind": "sealed package",
                "for": _whose(path, recipient) or f"a card that is not in this folder: {recipient.hex()}",
                "bytes": path.stat().st_size,
                "signed_by": "its owner, inside: the linkage unit checks the signature when it opens the package",
            }
        case b"pprl-chk":
            from pprl.match.checkpoint import read_checkpoint

            _, state = read_checkpoint(path)
            return {"kind": "checkpoint of a search", "registry_rows_compared": state.done}
        case None if container.is_parquet(path):
            from pprl.interop.parquet import facts_of

            return facts_of(path)
        case None:
            raise FileError("this is not a file of pprl", hint="name a file that pprl wrote")
        case _:
            return _statements(path)


def _statements(path: Path) -> dict[str, str | int]:
    """Facts about the statements in a file. Only a card can be verified without the rest of its folder."""
    from pprl.exchange.folder import MAX_STATEMENTS
    from pprl.exchange.protocol.cards import Card
    from pprl.exchange.protocol.messages import CARD
    from pprl.exchange.protocol.roles import TITLES
    from pprl.exchange.protocol.statements import read_statements

    size = path.stat().st_size
    if size > MAX_STATEMENTS and not path.name.startswith("PRIVATE-"):
        raise FileError(f"{path.name}: is longer than any statement")
    statements = list(read_statements(path.read_bytes(), path.name))
    if [statement.kind for statement in statements] == [CARD]:
        card = Card.from_statement(statements[0])
        return {
            "kind": f"card of a {TITLES[card.role]}",
            "exchange": card.exchange,
            "name": card.name,
            "expires": card.expires.isoformat(),
            "hash": card.statement.hash.hex(),
            "signature": "by its own key; only the words read out can show whose key it is",
        }
    facts: dict[str, str | int] = {"kind": " and ".join(statement.title for statement in statements)}
    bodies = [statement.body for statement in statements]
    if agreement := next((body["agreement"] for body in bodies if "agreement" in body), None):
        facts["agreement"] = str(agreement)
    for statement in statements:
        facts[statement.title] = f"{statement.hash.hex()}, {_signer(path, statement)}"
    return facts


def _signer(path: Path, statement: Statement) -> str:
    """Who signed a statement, as far as the cards in its folder show."""
    from pprl.exchange.protocol.roles import TITLES
    from pprl.exchange.protocol.statements import signer_of

    role = signer_of(statement)
    for card in _cards_in_folder_of(path):
        if card.role == role:
            statement.verify(card.keys)
            return f"signed by the {TITLES[card.role]} {card.name} (according to the card in this folder)"
    return "signature not checked: the card of its signer is not in this folder"


def _whose(path: Path, card_hash: bytes) -> str:
    from pprl.exchange.protocol.roles import TITLES

    named = [f"{TITLES[c.role]} {c.name}" for c in _cards_in_folder_of(path) if c.statement.hash == card_hash]
    return f"the {named[0]}" if named else ""


def _cards_in_folder_of(path: Path) -> list[Card]:
    """The intact cards in the folder of a file."""
    from pprl.exchange.folder import MAX_STATEMENTS
    from pprl.exchange.protocol.cards import Card
    from pprl.exchange.protocol.statements import read_statements

    cards = []
    for file in sorted(path.resolve().parent.iterdir()):
        with contextlib.suppress(PprlError, OSError):
            if file.is_file() and container.kind_of(file) == b"pprl-crd" and file.stat().st_size <= MAX_STATEMENTS:
                statements = read_statements(file.read_bytes(), file.name)
                cards += [Card.from_statement(statement) for statement in statements]
    return cards


def _parameters(parameters: EncodingParameters) -> dict[str, str | int]:
    return {
        "length": parameters.length,
        "hardening": parameters.hardening,
        "schema_fingerprint": parameters.fingerprint.hex(),
        "folding_tables": parameters.folding.hex(),
        "key_check": parameters.key_check.hex(),
    }
