"""Files that somebody changed or forged, put into the folder of a party."""

import pytest

from helpers.exchange import attempt
from pprl.exchange.protocol.messages import BY_TAG, PUBLIC
from pprl.exchange.protocol.sealed_file import KIND, open_file, seal_file
from pprl.exchange.protocol.statements import Statement, read_statements
from pprl.exchange.record import read_cards

MAKE = Statement.make


def refused(exchange, kind, says, *words):
    """The command ends with an error of this class, and no file of any party is another than before."""
    found = exchange.contents()
    with pytest.raises(kind, match=says) as caught:
        attempt(*words)
    assert type(caught.value) is kind
    assert exchange.contents() == found, "a refusal wrote something"
    return caught.value


def put(exchange, role, source, name="stray.pprl"):
    """Lay a file into a party's folder, as mail or an attacker would; statements that are not public as their signer
    seals them."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    (exchange.folder(role) / name).write_bytes(sealed(exchange, role, data))


def sealed(exchange, role, data):
    """Statements sealed for a party by who signed them; public ones, and bytes that are no statements, as they are."""
    if data[:8] not in BY_TAG or BY_TAG[data[:8]] in PUBLIC:
        return data
    paths = exchange.folder(role).glob("*-1-card.pprl")
    cards = read_cards([each for path in paths for each in read_statements(path.read_bytes(), path.name)])
    maker = BY_TAG[data[:8]].signers[0]
    reader = role if maker != role else next(other for other in cards if other != maker)
    return seal_file(data, cards[maker].exchange, cards[maker], cards[reader])


def plain(exchange, role, name):
    """The bytes of the statements in a file of a party."""
    data = (exchange.folder(role) / name).read_bytes()
    if data[:8] != KIND:
        return data
    keystore = exchange.opened(role).keystore
    return open_file(data, name, keystore.exchange, role, keystore.keys)


def statements(exchange, role, name):
    return list(read_statements(plain(exchange, role, name), name))


def signed(exchange, signer, statement, /, **changes):
    """A statement with other contents, truly signed by that party."""
    keys = exchange.opened(signer).keystore.keys
    return Statement.make(statement.kind, {**statement.body, **changes}, keys, statement.attachment)


def without(exchange, role, *names):
    for name in names:
        (exchange.folder(role) / name).unlink()
