"""How the two owners get one linkage key: each seals a share for the other, and both shares make the key.

Neither owner alone decides a bit of the key, and the key is good for one agreement only (docs/protocol.md §6).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from pprl.core.errors import FileError, ForgedError, OrderError
from pprl.exchange.keystore import Keystore
from pprl.exchange.protocol.agreement import SEALED_SHARE, Agreement, Proposal, Terms
from pprl.exchange.protocol.cards import Card, order
from pprl.exchange.protocol.crypto import WrongError, derive, digest
from pprl.exchange.protocol.messages import ACCEPTANCE, PROPOSAL
from pprl.exchange.protocol.roles import OwnerRole, Role
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
    statement = Statement.make(PROPOSAL, {**body, "share": digest(sealed).hex()}, keystore.keys, sealed)
    remembered = keystore.holding(proposal=statement.hash.hex(), share=share.hex(), linkage_key=None, agreement=None)
    return statement, remembered


def accept(keystore: Keystore, cards: Mapping[Role, Card], proposal: Proposal) -> tuple[Agreement, Keystore]:
    """The registry owner's acceptance, and the keystore that holds the linkage key."""
    list_share = _open_share(keystore, "list", proposal.statement)
    body = {"answers": [proposal.statement.hash.hex()], "nonce": secrets.token_hex(32)}
    share = secrets.token_bytes(32)
    sealed = cards["list"].keys.seal(share, _share_info("registry", body))
    statement = Statement.make(ACCEPTANCE, {**body, "share": digest(sealed).hex()}, keystore.keys, sealed)
    agreement = Agreement.from_statements(proposal, statement, cards)
    return agreement, _with_key(keystore, agreement, list_share, share)


def conclude(keystore: Keystore, agreement: Agreement) -> Keystore:
    """The list owner's keystore with the linkage key in place of the share."""
    if keystore.state.get("proposal") != agreement.proposal.statement.hash.hex():
        raise OrderError(
            "the acceptance is for another proposal than your last one",
            hint="send your last proposal again and ask the registry owner to accept that one",
        )
    if "share" not in keystore.state:
        return keystore
    registry_share = _open_share(keystore, "registry", agreement.acceptance)
    list_share = bytes_of(keystore.state["share"], 32, "the keystore")
    return _with_key(keystore, agreement, list_share, registry_share)


def _with_key(keystore: Keystore, agreement: Agreement, list_share: bytes, registry_share: bytes) -> Keystore:
    key = derive(list_share + registry_share, agreement.hash, b"pprl/1/linkage")
    return keystore.holding(share=None, linkage_key=key.hex(), agreement=agreement.hash.hex())


def _open_share(keystore: Keystore, sender: OwnerRole, statement: Statement) -> bytes:
    if len(statement.attachment) != SEALED_SHARE:
        raise FileError(f"{statement.title}: comes without its share of the key", hint=AGAIN)
    body: dict[str, Any] = {key: value for key, value in statement.body.items() if key != "share"}
    try:
        return keystore.keys.open(statement.attachment, _share_info(sender, body))
    except WrongError:
        raise ForgedError(
            f"{statement.title}: its share of the key was sealed for another party or another agreement", hint=AGAIN
        ) from None


def _share_info(sender: OwnerRole, body: Body) -> bytes:
    """Binds a share to its sender and to the rest of the statement: cards, terms, nonce."""
    return b"pprl/1/share/" + sender.encode() + b"\0" + digest(canonical(body))
