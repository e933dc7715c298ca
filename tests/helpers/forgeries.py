"""Files that somebody changed or forged, put into the folder of a party."""

import pytest

from helpers.exchange import attempt
from pprl.exchange.protocol.statements import Statement, read_statements

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
    """Lay a file into a party's folder, as mail or an attacker would."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    (exchange.folder(role) / name).write_bytes(data)


def statements(exchange, role, name):
    return list(read_statements((exchange.folder(role) / name).read_bytes(), name))


def signed(exchange, signer, statement, /, **changes):
    """A statement with other contents, truly signed by that party."""
    keys = exchange.opened(signer).keystore.keys
    return Statement.make(statement.kind, {**statement.body, **changes}, keys, statement.attachment)


def without(exchange, role, *names):
    for name in names:
        (exchange.folder(role) / name).unlink()
