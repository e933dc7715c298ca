"""The vectors of the exchange, each with one failure, and a exchange whose files must stay readable for ever."""

from __future__ import annotations

import importlib.util
import json
import os
import random
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from helpers import TESTS
from helpers.exchange import BY_NAME

from pprl.core import errors
from pprl.core.private_rows import PrivateRows
from pprl.core.scores import Scores
from pprl.exchange import keystore as keystores
from pprl.exchange.folder import agreed_parameters, open_package, read_folder
from pprl.exchange.keystore import Keystore
from pprl.exchange.linkage_key import accept, conclude
from pprl.exchange.next_step import next_step
from pprl.exchange.parties import class_of
from pprl.exchange.parties.auditor import verify_folder
from pprl.exchange.parties.linkage_unit import match_packages
from pprl.exchange.parties.list_owner import open_release
from pprl.exchange.parties.owners import agreed_schema
from pprl.exchange.protocol.agreement import Agreement, Proposal
from pprl.exchange.protocol.cards import Card, check_heard, words_of
from pprl.exchange.protocol.commitments import RowLayout
from pprl.exchange.protocol.crypto import PublicKeys
from pprl.exchange.protocol.messages import PACKAGE_FILES
from pprl.exchange.protocol.package import SealedPackage
from pprl.exchange.protocol.reveal import check_reveal
from pprl.exchange.protocol.sealed_file import open_file
from pprl.exchange.protocol.statements import Statement, read_statement, read_statements, signer_of
from pprl.exchange.replay import Evidence
from pprl.match import search

HERE = TESTS
EXCHANGE, VECTORS = HERE / "data" / "exchange", HERE / "vectors" / "exchange"
KINDS = {
    "format": errors.FileError,
    "forged": errors.ForgedError,
    "mismatch": errors.MismatchError,
    "order": errors.OrderError,
    "refused": errors.RefusedError,
    "schema": errors.SchemaError,
}
ROLES = ("list", "registry", "unit")
AFTER_THE_PACKAGES = [name for name in BY_NAME if name.startswith(("unit-3", "unit-4", "registry-5", "list-6"))]
KEYSTORE = "PRIVATE-keystore-of-the-{}.pprl"

_spec = importlib.util.spec_from_file_location("exchange_vectors", HERE / "vectors" / "exchange_vectors.py")
generator = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generator)


def private(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)
    return path


@cache
def keystore_of(role):
    """As it is in the repository, which does not keep the mode of a file."""
    folder = Path(os.environ["PPRL_LEDGER"]).parent
    path = private(folder / KEYSTORE.format(role), (EXCHANGE / KEYSTORE.format(role)).read_bytes())
    return Keystore.read(path, generator.PASSPHRASE)


def one(data, name="a file"):
    """The only statement of a file."""
    [statement] = read_statements(data, name)
    return statement


@cache
def cards():
    return {role: Card.from_statement(one((EXCHANGE / f"{role}-1-card.pprl").read_bytes())) for role in ROLES}


@cache
def words():
    return words_of(cards())


@cache
def proposal():
    return Proposal.from_statement(one((EXCHANGE / "list-2-proposal.pprl").read_bytes()), cards())


def folder_of(path, without=(), role="unit"):
    """The folder of a party when all is over, with what it never gets, but for its keystore and the packages."""
    path.mkdir()
    for file in EXCHANGE.glob("*.pprl"):
        if not file.name.startswith("PRIVATE-") and file.name not in without:
            (path / file.name).write_bytes(generator.sealed_for(role, file.read_bytes()))
    return path


def parameters_of(folder):
    return agreed_parameters(folder.agreement, folder.list_rows, folder.registry_rows)


def party_of(folder, keystore):
    """The party whose keystore this is, in that folder."""
    name = KEYSTORE.format(keystore.role)
    private(folder / keystores.NAME, (EXCHANGE / name).read_bytes())
    return class_of(keystore.role)(folder, keystore.lock)


def take(step, folder, keystore):
    """What a party does in its folder."""
    exchange = read_folder(folder, keystore)
    match step:
        case "ready":
            return exchange.ready()
        case "agreed":
            return exchange.agreement
        case "schema":
            return agreed_schema(exchange.proposal.terms)
        case "accept":
            return accept(keystore, exchange.cards, exchange.proposal)
        case "conclude":
            early = keystore.holding(share=generator.LIST_SHARE.hex(), linkage_key=None, agreement=None)
            concluded = conclude(early, exchange.agreement)
            assert "share" not in concluded.state
            return concluded.state["linkage_key"] == generator.LINKAGE_KEY.hex()
        case "sign":
            return party_of(folder, keystore).terms_to_sign()
        case "encode":
            return party_of(folder, keystore).due() == "seal"
        case "ended":
            return exchange.query or exchange.acknowledgement
        case "release":
            rows = SimpleNamespace(
                handles=np.array([row[:16] for row in generator.rows_of("list")], dtype="V16"),
                rows=np.arange(6),
                id_texts=lambda: [""] * 6,
            )
            with mock.patch.object(PrivateRows, "read", return_value=rows):
                return open_release(exchange)
        case "read":
            made = (exchange.agreement, exchange.list_rows, exchange.registry_rows, exchange.list_package)
            return all(made) and next_step(exchange)
    raise AssertionError(step)


def run(vector, data, tmp_path):
    """Do with the bytes of a vector what it says."""
    match vector["step"]:
        case "card":
            return Card.from_statement(one(data))
        case "proposal":
            return Proposal.from_statement(one(data), cards())
        case "acceptance":
            return Agreement.from_statements(proposal(), one(data), cards())
        case "keystore":
            path = private(tmp_path / "keystore", data, int(vector.get("mode", "600"), 8))
            return Keystore.read(path, vector.get("passphrase", generator.PASSPHRASE))
        case "words":
            check_heard(data.decode(), words()[vector["role"]], vector["role"])
            return "heard"
        case "open":
            values = {key: bytes.fromhex(value) for key, value in json.loads(data).items()}
            return check_reveal(
                **values, agreement=Agreement.from_statements(proposal(), one(generator.ACCEPTANCE), cards())
            )
        case "sealed":
            keys = keystore_of(vector["role"]).keys
            return open_file(data, "a file", "lugovo-2022", vector["role"], keys) == b"statements"
        case "evidence":
            return Evidence.from_bytes(data)
        case "auditor":
            return run_auditor({name: bytes.fromhex(value) for name, value in json.loads(data).items()}, tmp_path)
    if "side" in vector:
        return run_package(vector, json.loads(data), tmp_path)
    role = vector["folder"]
    folder = folder_of(tmp_path / "folder", vector.get("without", "").split(", "), role)
    (folder / vector["file"]).write_bytes(generator.sealed_for(role, data))
    return take(vector["step"], folder, keystore_of(role))


def run_auditor(values, folder):
    """Up to the openings; the report of this exchange is none, and nothing is made of it."""
    for name, data in values.items():
        (folder / name).write_bytes(data)
    (folder / "report.html").write_bytes(b"page")
    for line in verify_folder(folder, {}, page=lambda _: b"page"):
        if line.startswith("openings"):
            return line
    raise AssertionError("no openings")


def layout_of(side):
    return RowLayout(side, generator.LENGTH, 1, 3)


def run_package(vector, changed, tmp_path):
    """The package of one owner is another than it should be; that of the other is good."""
    folder = folder_of(tmp_path / "folder", AFTER_THE_PACKAGES)
    for side in ("list", "registry"):
        data = generator.package(side, **(changed if side == vector["side"] else {}))
        (folder / PACKAGE_FILES[side].name).write_bytes(data)
    exchange = read_folder(folder, keystore_of("unit"))
    if vector["step"] == "match":
        return match_packages(exchange, find=partial(search.best, kernel="numpy"))
    package = open_package(exchange, vector["side"])
    held = b"".join(map(bytes, package.rows(layout_of(vector["side"]), generator.PAD)))
    return held == b"".join(generator.rows_of(vector["side"]))


def load(path):
    """The lines above the empty one, and what is below it."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    return dict(line.split(": ", 1) for line in head.decode().splitlines()), data


NAMES = sorted(path.name for path in VECTORS.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_vector(name, tmp_path):
    vector, data = load(VECTORS / name)
    if "mode" in vector and os.name != "posix":
        pytest.skip("file modes are POSIX")
    try:
        found = run(vector, data, tmp_path)
    except errors.PprlError as error:
        assert type(error) is KINDS.get(vector["expect"]), f"{type(error).__name__}: {error}"  # noqa: PT017
    else:
        assert vector["expect"] == "success"
        assert found


def test_memory_of_a_keystore_is_looked_at_before_it_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(keystores, "stretch", None)
    for name in (name for name in NAMES if name.startswith("keystore_memory_")):
        vector, data = load(VECTORS / name)
        if vector["expect"] == "format":
            with pytest.raises(errors.FileError, match="was not written by this version of pprl"):
                run(vector, data, tmp_path)


def test_weak_keys_are_refused_for_what_they_are(monkeypatch):
    """Each of these cards is right but for its key: the signatures under keys of small order verify."""
    monkeypatch.setattr(PublicKeys, "usable", lambda _: True)
    weak = [name for name in NAMES if "_small_" in name or "_coefficient" in name]
    assert len(weak) == 24
    for name in weak:
        assert run(*load(VECTORS / name), None).role == "registry"


def test_each_kind_of_error_has_vectors():
    values = [load(VECTORS / name)[0]["expect"] for name in NAMES]
    assert set(values) == {"success", *KINDS}
    assert len(values) > 300


def test_the_generator_writes_what_is_here():
    built = generator.build()
    assert set(built) == {*EXCHANGE.iterdir(), *VECTORS.iterdir()}
    for path, data in built.items():
        # When the format was changed on purpose: python tests/vectors/exchange_vectors.py
        assert path.read_bytes() == data, path.name


# ---------------------------------------------------------------- the exchange


@pytest.mark.parametrize("role", ROLES)
def test_the_keystores_open(role):
    keystore, party = keystore_of(role), generator.PARTIES[role]
    assert (keystore.role, keystore.exchange, keystore.seed) == (role, "lugovo-2022", party.seed)
    assert (keystore.keys.signing, keystore.keys.kem, keystore.keys.x25519) == party.seeds
    assert keystore.lock.memory == 8 * 1024
    assert dict(keystore.state) == generator.state_of(role)


@pytest.mark.parametrize("role", ROLES)
def test_the_exchange_can_be_read(role, tmp_path):
    exchange = read_folder(folder_of(tmp_path / role, role=role), keystore_of(role))
    assert {role: card.name for role, card in exchange.cards.items()} == {
        "list": "Newsroom Alfa",
        "registry": "Bravo",
        "unit": "University",
    }
    assert {card.expires.isoformat() for card in exchange.cards.values()} == {"2099-12-31"}
    assert exchange.words_compared
    assert exchange.ready().hash == generator.AGREEMENT
    terms = exchange.agreement.terms
    assert json.loads(json.dumps(terms.to_body())) == generator.TERMS
    assert (terms.list_people, terms.registry_rows, terms.pad) == ((2, 10), (20, 100), generator.PAD)
    assert exchange.proposal.code == generator.hash_of(generator.PROPOSAL).hex()[:8]
    assert exchange.list_rows.seed == generator.made_up("seed hash")
    assert exchange.registry_rows.random == generator.made_up("random")
    assert exchange.registry_rows.root == generator.root_of("registry", generator.rows_of("registry"))
    assert exchange.list_package.root == generator.root_of("list", generator.rows_of("list"))
    assert exchange.receipt.hash == generator.hash_of(generator.RECEIPT)
    assert exchange.table.hash == generator.hash_of(generator.TABLE)
    assert parameters_of(exchange).to_bytes() == generator.STAMP


def test_both_owners_come_to_the_key_of_the_exchange(tmp_path):
    early = keystore_of("registry").holding(linkage_key=None, agreement=None)
    agreement, later = accept(early, cards(), proposal())
    assert agreement.hash.hex() == later.state["agreement"] != generator.AGREEMENT.hex()  # another nonce and share
    folder = folder_of(tmp_path / "list", ["registry-2-acceptance.pprl", "list-3-commitment.pprl"], "list")
    (folder / "accepted.pprl").write_bytes(agreement.acceptance.to_bytes())
    exchange = read_folder(folder, keystore_of("list"))
    mine = conclude(exchange.keystore.holding(share=generator.LIST_SHARE.hex(), linkage_key=None), exchange.agreement)
    assert mine.state["linkage_key"] == later.state["linkage_key"] != generator.LINKAGE_KEY.hex()


def test_words_of_the_exchange():
    values = {role: " ".join(each) for role, each in words().items()}
    assert values == {
        "list": "pretended library earlobe shut pagan facebook bucked underage jingle unneeded",
        "registry": "caboose unrushed recast maverick morale dwarf bacteria word dispose scale",
        "unit": "banked rundown unexposed pogo antihero ellipse resurface capped hazily frigidity",
    }


def test_the_packages_give_the_scores_of_the_exchange(tmp_path):
    """The search, the pseudonyms and the table, against the generator, which compares in fractions."""
    folder = folder_of(tmp_path / "unit", AFTER_THE_PACKAGES)
    for side, start in (("list", "list-5-package.start"), ("registry", "registry-4-package.start")):
        whole = generator.package(side)
        assert whole.startswith((EXCHANGE / start).read_bytes())
        (folder / PACKAGE_FILES[side].name).write_bytes(whole)
    table, _, scores = match_packages(
        read_folder(folder, keystore_of("unit")), find=partial(search.best, kernel="numpy")
    )
    assert table.to_bytes() == (EXCHANGE / "unit-3-scores.pprl").read_bytes()
    size = 32 * len(scores)  # the halves of leaves behind the scores
    (tmp_path / "scores").write_bytes(table.attachment[:-size])
    assert Scores.read(tmp_path / "scores").theirs.tobytes() == scores.theirs.tobytes()


def test_what_is_written_today_is_written_as_in_the_exchange():
    """Statements have one form: reading and writing one gives the same bytes."""
    for path in EXCHANGE.glob("*-[1234]-*.pprl"):
        data = path.read_bytes()
        assert b"".join(each.to_bytes() for each in read_statements(data, path.name)) == data
        for each in read_statements(data, path.name):
            party = keystore_of(signer_of(each))
            assert Statement.make(each.kind, each.body, party.keys, each.attachment) == each
    header, _ = read_statement(generator.package_start("list")[1], "header")
    assert Statement.make(header.kind, header.body, keystore_of("list").keys) == header


# ---------------------------------------------------------------- every byte


def flips(data, offsets=None, bits=(0x01, 0x20, 0x80)):
    """Copies with one bit changed. 0x20 makes a capital of a small letter."""
    for at in range(len(data)) if offsets is None else offsets:
        for bit in bits:
            yield at, data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def refused(take, changed, at):
    """Whatever goes wrong is an error of ours."""
    try:
        take(changed)
    except errors.PprlError:
        return
    except Exception as error:  # would be shown as a traceback
        pytest.fail(f"byte {at}: {type(error).__name__}")
    pytest.fail(f"byte {at}: was taken")


STATEMENTS = {
    "card": (generator.CARDS["list"], lambda data: Card.from_statement(one(data))),
    "proposal": (generator.PROPOSAL, lambda data: Proposal.from_statement(one(data), cards())),
    "acceptance": (generator.ACCEPTANCE, lambda data: Agreement.from_statements(proposal(), one(data), cards())),
}


@pytest.mark.parametrize(("data", "take"), STATEMENTS.values(), ids=STATEMENTS)
def test_any_bit_of_a_statement(data, take):
    assert take(data)
    for at, changed in flips(data):
        refused(take, changed, at)


#: Its scores are cut off: reading a folder only needs their hash.
SMALL_TABLE = generator.table(attachment=b"pprl-sco", scores=generator.sha(b"pprl-sco").hex())

#: In a folder: the file, its bytes, and what must not be in the exchange when it is of no kind of ours any more.
IN_A_FOLDER = {
    "first commitment": ("list-3-commitment.pprl", generator.LIST_ROWS, "list_rows"),
    "commitment of the registry": ("registry-3-commitment.pprl", generator.REGISTRY_ROWS, "registry_rows"),
    "second commitment": ("list-4-commitment.pprl", generator.LIST_PACKAGE, "list_package"),
    "receipt": ("unit-2-receipt.pprl", generator.RECEIPT, "receipt"),
    "score table": ("unit-3-scores.pprl", SMALL_TABLE, "table"),
}
AFTER_ALL = [name for name in AFTER_THE_PACKAGES if name != "unit-3-scores.pprl"]


@pytest.mark.parametrize(("file", "data", "what"), IN_A_FOLDER.values(), ids=IN_A_FOLDER)
def test_any_byte_of_a_file_in_a_folder(file, data, what, tmp_path):
    later = [name for name, *_ in IN_A_FOLDER.values()]
    folder = folder_of(tmp_path / "folder", [*later[later.index(file) + 1 :], *AFTER_ALL], "registry")
    keystore = keystore_of("registry")

    def take(changed):
        (folder / file).write_bytes(generator.sealed_for("registry", changed))
        return getattr(read_folder(folder, keystore), what)

    assert take(data)
    for at, changed in flips(data, bits=(0x01,)):
        if at < 8:  # no file of ours: as if it had not come
            assert take(changed) is None
        else:
            refused(take, changed, at)


def test_any_byte_of_a_keystore(tmp_path, monkeypatch):
    data = (EXCHANGE / KEYSTORE.format("unit")).read_bytes()
    monkeypatch.setattr(keystores, "stretch", cache(keystores.stretch))  # nothing is derived twice

    def take(changed):
        return Keystore.read(private(tmp_path / "keystore", changed), generator.PASSPHRASE)

    assert take(data)
    for at, changed in flips(data, bits=(0x01,)):
        refused(take, changed, at)


@pytest.mark.parametrize("side", ["list", "registry"])
def test_bytes_of_a_package(side, tmp_path):
    """All of the preamble, the first 200 of each segment and some hundreds of the others."""
    data = generator.package(side)
    path = tmp_path / "package"
    path.write_bytes(data)
    keystore = keystore_of("unit")
    root = generator.root_of(side, generator.rows_of(side))
    parameters = parameters_of(read_folder(folder_of(tmp_path / "unit"), keystore))
    starts = [0, 60, *range(60 + 9_328, len(data), 2**20 + 1_136)]
    offsets = {at for start in starts for at in range(start, start + 200)}
    offsets |= set(random.Random(side).sample(range(len(data)), 300)) | {len(data) - 1}

    def take(changed):
        with path.open("r+b") as file:
            file.seek(at)
            file.write(changed)
        package = SealedPackage(path, keystore.keys, cards())
        package.require(generator.AGREEMENT, generator.hash_of(generator.RECEIPT), parameters, root)
        return sum(map(len, package.rows(layout_of(side), generator.PAD)))

    at = 0
    assert take(data[:1]) == generator.COUNTS[side] * generator.WIDTHS[side]
    for at in sorted(offsets):
        refused(take, bytes([data[at] ^ 0x01]), at)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(data[at : at + 1])
    assert path.read_bytes() == data


@pytest.mark.parametrize(("data", "take"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_cut_anywhere(data, take):
    for size in range(1, len(data)):
        with pytest.raises(errors.FileError):
            take(data[:size])
