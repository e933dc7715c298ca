"""How two owners come to one linkage key: each seals a share of it to what it signs, and both shares make the key.

Neither owner alone decides a bit of the key, and the key holds for one agreement only (docs/protocol.md §6).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from pprl.core.errors import FileError, ForgedError, OrderError
from pprl.exchange.keystore import Keystore
from pprl.exchange.protocol.agreement import SEALED_SHARE, Agreement, Proposal, Terms
from pprl.exchange.protocol.cards import Card, Role, order
from pprl.exchange.protocol.crypto import WrongError, derive, digest
from pprl.exchange.protocol.statements import AGAIN, Body, Statement, bytes_of, canonical


def propose(keystore: Keystore, cards: Mapping[Role, Card], terms: Terms) -> tuple[Statement, Keystore]:
    """The list owner's proposal with a fresh nonce and a fresh share, and the keystore that remembers the share."""
    terms.check()
    body = {
        "answers": [card.statement.hash.hex() for card in order(cards)],
        "nonce": secrets.token_hex(32),
        "terms": terms.to_body(),
    }
    share = secrets.token_bytes(32)
    sealed = cards["registry"].keys.seal(share, _share_info("list", body))
    statement = Statement.make(b"pprl-prp", {**body, "share": digest(sealed).hex()}, keystore.keys, sealed)
    remembered = keystore.holding(proposal=statement.hash.hex(), share=share.hex(), linkage_key=None, agreement=None)
    return statement, remembered


def accept(keystore: Keystore, cards: Mapping[Role, Card], proposal: Proposal) -> tuple[Agreement, Keystore]:
    """The registry owner's acceptance, and the keystore that holds the linkage key."""
    theirs = _open_share(keystore, "list", proposal.statement)
    body = {"answers": [proposal.statement.hash.hex()], "nonce": secrets.token_hex(32)}
    share = secrets.token_bytes(32)
    sealed = cards["list"].keys.seal(share, _share_info("registry", body))
    statement = Statement.make(b"pprl-acc", {**body, "share": digest(sealed).hex()}, keystore.keys, sealed)
    agreement = Agreement.of(proposal, statement, cards)
    return agreement, _with_key(keystore, agreement, theirs, share)


def conclude(keystore: Keystore, agreement: Agreement) -> Keystore:
    """The list owner's keystore with the linkage key in place of the share."""
    if keystore.state.get("proposal") != agreement.proposal.statement.hash.hex():
        raise OrderError(
            "the acceptance answers another proposal than your last one",
            hint="send your last proposal again and ask for an acceptance of it",
        )
    if "share" not in keystore.state:
        return keystore
    theirs = _open_share(keystore, "registry", agreement.acceptance)
    own = bytes_of(keystore.state["share"], 32, "the keystore")
    return _with_key(keystore, agreement, own, theirs)


def _with_key(keystore: Keystore, agreement: Agreement, of_list: bytes, of_registry: bytes) -> Keystore:
    key = derive(of_list + of_registry, agreement.hash, b"pprl/1/linkage")
    return keystore.holding(share=None, linkage_key=key.hex(), agreement=agreement.hash.hex())


def _open_share(keystore: Keystore, sender: Role, statement: Statement) -> bytes:
    if len(statement.attachment) != SEALED_SHARE:
        raise FileError(f"{statement.says}: comes without its share of the key", hint=AGAIN)
    body: dict[str, Any] = {key: value for key, value in statement.body.items() if key != "share"}
    try:
        return keystore.keys.open(statement.attachment, _share_info(sender, body))
    except WrongError:
        raise ForgedError(
            f"{statement.says}: its share of the key was sealed for somebody else or for another agreement", hint=AGAIN
        ) from None


def _share_info(sender: Role, body: Body) -> bytes:
    """Binds a share to its sender and to all that is said beside it: cards, terms, nonce."""
    return b"pprl/1/share/" + sender.encode() + b"\0" + digest(canonical(body))
