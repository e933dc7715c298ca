"""What crosses in an exchange, opened: packages, tables, statements, and the secrets that must not be in them."""

import base64

import numpy as np

from helpers.exchange import PARTIES
from pprl.exchange.folder import open_package
from pprl.exchange.parties.linkage_unit import TABLE, open_table
from pprl.exchange.parties.owners import Secrets
from pprl.exchange.protocol.commitments import HANDLE
from pprl.exchange.protocol.statements import read_statements


def packed(exchange, side):
    """The rows of a package as the linkage unit reads them, without the registry's decoys: handles as bytes, and
    bits."""
    unit = exchange.opened("unit")
    layout, package = unit.agreement.terms.layout(side), open_package(unit, side)
    rows = b"".join(map(bytes, package.rows(layout, unit.agreement.terms.pad)))
    rows = np.frombuffer(rows, dtype=np.uint8).reshape(-1, layout.width)[package.contents.decoys :]
    bits = np.unpackbits(np.ascontiguousarray(rows[:, 16 : layout.record]), axis=1).astype(np.int64)
    return [row[:16].tobytes() for row in rows], bits, layout, rows


def secrets_of(exchange):
    """Every secret of every party, by name: raw bytes."""
    found = {}
    for role in PARTIES:
        keystore = exchange.opened(role).keystore
        found |= {f"{role} {name}": getattr(keystore.keys, name) for name in ("signing", "kem", "x25519")}
        found |= {f"{role} seed": keystore.seed, f"{role} passphrase": exchange.passphrase(role).encode()}
        found |= {f"{role} lock": keystore.lock.key}
        if "share" in keystore.state:
            found[f"{role} share"] = bytes.fromhex(keystore.state["share"])
        if role != "unit" and "linkage_key" in keystore.state:
            own = Secrets.derive(exchange.opened(role), exchange.opened(role).agreement)
            found |= {f"{role} linkage key": own.key.secret, f"{role} own": own.seed, f"{role} confirm": own.confirm}
    return found


def forms(secret):
    """A secret as it could have slipped out."""
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret).rstrip(b"=")[:-1],
            base64.urlsafe_b64encode(secret).rstrip(b"=")[:-1], repr(secret)[2:-1].encode()}  # fmt: skip


def table_of(exchange):
    """The linkage unit's signed table, and the scores in it."""
    table, _ = read_statements((exchange.folder("unit") / TABLE).read_bytes(), TABLE)
    scores, halves = open_table(table)
    assert len(halves) == 32 * len(scores)
    return table, scores


def handles_of(exchange, side):
    """The handles of a package's rows, in its order, as the linkage unit sees them."""
    unit = exchange.opened("unit")
    layout = unit.agreement.terms.layout(side)
    package = open_package(unit, side)
    rows = b"".join(map(bytes, package.rows(layout, unit.agreement.terms.pad)))
    packed = np.frombuffer(rows, dtype=np.uint8).reshape(-1, layout.width)[package.contents.decoys :]
    return np.ascontiguousarray(packed[:, :HANDLE]).view("V16").ravel()
