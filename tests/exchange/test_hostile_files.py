"""Files from others hold anything: errors of ours come out, in little time and memory, and nothing else."""

import ast
import contextlib
import json
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from fuzz_exchange import CHEAP, PASSPHRASE, Target, canonical_of
from helpers.encodings import PARAMETERS
from helpers.exchange import BY_NAME
from helpers.forgeries import plain, sealed, statements
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.errors import PprlError
from pprl.exchange.folder import read_folder
from pprl.exchange.keystore import NAME, Keystore
from pprl.exchange.parties.linkage_unit import TABLE
from pprl.exchange.parties.transcript import EVIDENCE_FILE
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.messages import (
    ACCEPTANCE,
    CARD,
    COMMITMENT,
    HEADER,
    PROPOSAL,
    RECEIPT,
    SCORE_TABLE,
)
from pprl.exchange.protocol.package import SealedPackage
from pprl.exchange.protocol.sealed_file import seal_file
from pprl.exchange.protocol.statements import Statement, canonical, read_statements

LIMIT = settings(max_examples=120, derandomize=True, suppress_health_check=list(HealthCheck))
SLOW = settings(LIMIT, max_examples=30)
#: What costs a key derivation or a seal for each try is tried less often.
COSTLY = ("keystore", "header", "folder")


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return Target(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def true_files(played, target):
    """For each parser some bytes that it takes, or would take with other keys."""
    exchange = played["end"]
    folders = [exchange.folder(role) for role in ("list", "registry", "unit")]
    found = {folder / name for folder in folders for name in BY_NAME if (folder / name).exists()}
    whole = [plain(exchange, path.parent.name, path.name) for path in sorted(found) if "package" not in path.name]
    each = [one for data in whole for one in read_statements(data, "x")]
    proposal = next(one for one in each if one.kind is PROPOSAL)
    table, _ = read_statements((folders[2] / TABLE).read_bytes(), "x")
    target.keystore.write(target.file.with_name("kst"), force=True)
    packages = [(folders[2] / name).read_bytes()[:20_000] for name in BY_NAME if "package" in name]
    (evidence,) = read_statements((folders[2] / EVIDENCE_FILE).read_bytes(), "x")
    head, counts, rest = (table.attachment[start:end] for start, end in ((0, 251), (259, 275), (283, 285 + 3 * 400)))
    few = head + struct.pack("<Q", 3) + counts + struct.pack("<Q", 0) + rest
    assert target.one("scores", few), "the shortened table is not one"
    return {
        "statements": whole,
        "canonical": [canonical_of(one) for one in each],
        "terms": [canonical(proposal.body["terms"])],
        "recipient": packages,
        "kind": whole + packages,
        "keystore": [target.file.with_name("kst").read_bytes(), (folders[0] / NAME).read_bytes()],
        "evidence": [evidence.attachment],
        "scores": [few],
        "package": packages,
        "header": [one.to_bytes() for one in each],
        "folder": [*whole, *packages],
        "sealed": [seal_file(whole[-1], "fuzz", target.cards["list"], target.cards["unit"])],
        "sealed folder": whole,
    }


def test_every_parser_takes_what_is_true(target, true_files):
    for name in ("statements", "canonical", "terms", "recipient", "kind", "evidence", "scores"):
        assert all(target.one(name, data) for data in true_files[name]), name
    assert target.one("keystore", true_files["keystore"][0])


STARTS = (b"", b"pprl-crd\x01\x00\x01\x00", b"pprl-kst\x01\x00\x01\x00", b"pprl-sco\x01\x00", b"{")
PARSERS = (
    "statements",
    "canonical",
    "terms",
    "recipient",
    "kind",
    "keystore",
    "evidence",
    "scores",
    "package",
    "header",
    "folder",
    "sealed",
    "sealed folder",
)


@pytest.mark.parametrize("name", PARSERS)
def test_any_bytes(target, name):
    @(SLOW if name in COSTLY else LIMIT)
    @given(st.binary(max_size=400), st.sampled_from(STARTS))
    def play(data, start):
        target.one(name, start + data)

    play()


@st.composite
def mutated(draw, true):
    """True bytes with some bytes changed, taken out, put in, doubled or cut off; or with a number that is too large."""
    data = bytearray(draw(st.sampled_from(true)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, min(len(data), 4_000)))
        match draw(st.integers(0, 5)):
            case 0 if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case 1:
                del data[at : at + draw(st.integers(1, 40))]
            case 2:
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
            case 3:
                data += data[at:]
            case 4:
                del data[at:]
            case _:
                data[at : at + 8] = struct.pack("<Q", draw(st.sampled_from([1 << 60, (1 << 64) - 1, 1 << 31, 1 << 20])))
    return bytes(data)


@pytest.mark.parametrize("name", PARSERS)
def test_true_files_that_were_changed(target, true_files, name):
    @(SLOW if name in COSTLY else LIMIT)
    @given(mutated(true_files[name]))
    def play(data):
        target.one(name, data)

    play()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def changed(kind, true, keys, key, value):
    """A statement of which one value is another, truly signed; None where JSON cannot say it."""
    try:
        body = json.loads(canonical({**true, key: value}))
    except ValueError:
        return None
    return Statement.make(kind, body, keys)


@pytest.mark.parametrize(
    "kind", [CARD, PROPOSAL, ACCEPTANCE, COMMITMENT, RECEIPT, SCORE_TABLE], ids=lambda kind: kind.title
)
def test_well_signed_statements_that_say_anything(played, tmp_path, kind):
    """The signer is a party himself, and each value in turn is another than it should be."""
    exchange = played["end"].copy(tmp_path / "x")
    folder, opened = exchange.folder("unit"), exchange.opened("unit")
    signers = {ACCEPTANCE: "registry", RECEIPT: "unit", SCORE_TABLE: "unit"}
    keys = exchange.opened(signers.get(kind, "list")).keystore.keys
    for path in folder.glob("*package*"):
        path.unlink()
    names = sorted(name for name in BY_NAME if (folder / name).exists())
    found = [(folder / name, one) for name in names for one in statements(exchange, "unit", name)]
    where, true = next((path, one) for path, one in found if one.kind == kind)
    others = [one for path, one in found if path == where and one is not true]

    @SLOW
    @given(st.sampled_from(sorted(true.body)), VALUES)
    def play(key, value):
        if made := changed(kind, true.body, keys, key, value):
            where.write_bytes(sealed(exchange, "unit", b"".join(one.to_bytes() for one in (made, *others))))
            with contextlib.suppress(PprlError):
                read_folder(folder, opened.keystore)

    play()


def test_terms_that_say_anything(true_files, target):
    """Each of the terms, and each of their values within, is another."""
    (true,) = map(json.loads, true_files["terms"])

    @LIMIT
    @given(st.sampled_from(sorted(true)), VALUES, st.sampled_from(["strata", "outputs"]))
    def play(key, value, table):
        with contextlib.suppress(ValueError):
            target.one("terms", canonical({**true, key: value}))
            target.one("terms", canonical({**true, table: {**true[table], next(iter(true[table])): value}}))

    play()


def test_the_header_of_a_package_that_says_anything(played, target):
    opened = played["match"].opened("unit")
    contents = SealedPackage(opened.packages["list"], opened.keystore.keys, opened.cards).contents
    recipient, preamble = target.cards["unit"].statement.hash.hex(), digest(target.preamble()).hex()
    true = {**contents.statement.body, "recipient": recipient, "preamble": preamble}
    keys = target.stores["list"].keys
    assert target.one("header", changed(HEADER, true, keys, "rows", 5).to_bytes())

    @SLOW
    @given(st.sampled_from(sorted(true)), VALUES)
    def play(key, value):
        if made := changed(HEADER, true, keys, key, value):
            target.one("header", made.to_bytes())

    play()


def test_evidence_whose_head_says_anything(target, true_files):
    """Of another size than the arrays behind it, or of no size at all; and, truly signed, for another exchange."""
    (data,) = true_files["evidence"]
    (size,) = struct.unpack_from("<Q", data)
    true = json.loads(data[8 : 8 + size])

    @LIMIT
    @given(st.sampled_from(sorted(true)), VALUES)
    def play(key, value):
        with contextlib.suppress(ValueError):
            head = canonical({**true, key: value})
            target.one("evidence", struct.pack("<Q", len(head)) + head + data[8 + size :])

    play()


def test_a_statement_after_the_scores_that_says_anything(played, tmp_path):
    """Truly signed by the one whose it is, in the folder of the linkage unit."""
    exchange = played["end"].copy(tmp_path / "x")
    unit, folder = exchange.opened("unit"), exchange.folder("unit")
    keys = {role: exchange.opened(role).keystore.keys for role in ("list", "registry", "unit")}
    said = [unit.query, unit.acknowledgement, unit.reveal, unit.answers, unit.result]
    for name in BY_NAME:
        if name.startswith(("registry-5", "list-6", "unit-4", "unit-3-query")):
            (folder / name).unlink(missing_ok=True)

    @SLOW
    @given(st.sampled_from(said), st.sampled_from(["agreement", "answers", "role", "labels", "rows_read"]), VALUES)
    def play(one, key, value):
        if made := changed(one.kind, one.body, keys[one.body["role"]], key, value):
            (folder / "stray.pprl").write_bytes(made.to_bytes())
            with contextlib.suppress(PprlError):
                read_folder(folder, unit.keystore)

    play()


PACK = Statement.HEADER.pack
SCORES = b"pprl-sco\x02\x00" + PARAMETERS.to_bytes()
HUGE = {
    "a body of 2^32 − 1 bytes": ("statements", PACK(b"pprl-crd", 2, 1, (1 << 32) - 1, 0) + b"{}" + bytes(64)),
    "an attachment of 2^60": ("statements", PACK(b"pprl-crd", 2, 1, 2, 1 << 60) + b"{}" + bytes(64)),
    "an attachment of 2^64 − 1": ("folder", PACK(b"pprl-prp", 2, 1, 2, (1 << 64) - 1) + b"{}" + bytes(64)),
    "a number of a million digits": ("canonical", b'{"a":' + b"9" * 1_000_000 + b"}"),
    "half a million brackets": ("canonical", b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}"),
    "brackets in a schema": ("terms", canonical({"schema": "a = " + "[" * 200_000})),
    "scores of 2^60 rows": (
        "scores",
        SCORES + struct.pack("<QQQQBB", 1 << 60, 1, 1, 0, 16, 0),
    ),
    "scores of 2^63 rows": (
        "scores",
        SCORES + struct.pack("<QQQQBB", 1 << 63, 1, 1, 0, 16, 0),
    ),
    "scores of 2^60 decoys": ("scores", SCORES + struct.pack("<QQQQBB", 0, 1, 1, 1 << 60, 16, 0)),
    "a keystore of 4 TiB": ("keystore", b"pprl-kst\x02\x00" + struct.pack("<HI", 1, (1 << 32) - 1) + bytes(200)),
    "a keystore of no memory": ("keystore", b"pprl-kst\x02\x00" + struct.pack("<HI", 1, 0) + bytes(200)),
    "nothing": ("statements", PACK(b"pprl-crd", 2, 1, 0, 0) + bytes(64)),
}


@pytest.mark.parametrize("what", HUGE)
def test_lengths_without_measure(target, what):
    name, data = HUGE[what]
    started = time.perf_counter()
    tracemalloc.start()
    try:
        assert not target.one(name, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(data) + (8 << 20), f"{peak >> 20} MiB for {len(data) >> 10} KiB"
    assert time.perf_counter() - started < 3


def test_many_small_statements_in_one_file(played, target):
    """Four mebibytes of cards, each true: read in a time that a person waits."""
    card = (played["end"].folder("list") / "list-1-card.pprl").read_bytes()
    started = time.perf_counter()
    assert not target.one("folder", card * ((4 << 20) // len(card)))
    assert time.perf_counter() - started < 3


def test_a_file_longer_than_any_of_statements_is_not_read(target):
    target.exchange.joinpath("stray.pprl").write_bytes(b"pprl-crd")
    with target.exchange.joinpath("stray.pprl").open("r+b") as file:
        file.truncate(1 << 40)  # a hole: it takes no room on the disk
    with pytest.raises(PprlError, match="longer than any statement"):
        read_folder(target.exchange, target.keystore)
    target.exchange.joinpath("stray.pprl").unlink()
    for path in (target.file, target.file.with_name("long")):
        path.write_bytes(b"pprl-kst\x01\x00\x01\x00")
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.truncate(1 << 40)
    with pytest.raises(PprlError, match="longer than a keystore"):
        Keystore.read(target.file, PASSPHRASE)
    target.file.unlink()


# --- the harness of the fuzzer ---


def test_the_fuzzer_needs_its_library_only_when_it_fuzzes():
    tree = ast.parse(Path(__file__).with_name("fuzz_exchange.py").read_text("utf-8"))
    at_top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert "atheris" not in at_top
    assert CHEAP < 16 * 1024


def test_the_fuzzer_plays_every_parser(target, true_files):
    assert set(target.parsers) == set(PARSERS) == set(true_files)
    for at, name in enumerate(target.parsers):
        for data in (b"", b"\0", b"pprl-crd", true_files[name][0], true_files[name][0][:-1]):
            target(bytes([at]) + data)
    target(b"")
