"""An exchange from cards to the report, on three folders that share nothing but the files handed over."""

import io
import json
import sys

import numpy as np
import pytest
from helpers.exchange import BY_NAME, PARTIES, STEPS, Exchange, run
from helpers.forgeries import statements
from helpers.taps import handles_of, table_of

from pprl.core.container import preamble
from pprl.core.private_rows import PrivateRows
from pprl.core.randomness import Randomness
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.exchange.folder import PART
from pprl.exchange.next_step import next_step
from pprl.exchange.parties.list_owner import LIST_ROWS
from pprl.exchange.parties.owners import Secrets
from pprl.exchange.parties.packages import pseudonyms
from pprl.exchange.protocol.cards import check_heard, words_of
from pprl.exchange.protocol.crypto import derive, digest
from pprl.exchange.protocol.package import SealedPackage
from pprl.match.encodings import match_encodings
from pprl.roster.load import load


def test_the_scores_are_signed(before):
    exchange = before("acknowledge")
    table, scores = table_of(exchange)
    table.verify(exchange.opened("list").cards["unit"].keys)
    assert table.body["scores"] == digest(table.attachment).hex()
    assert table.attachment.startswith(preamble(b"pprl-sco"))
    assert scores.registry_encoded == scores.registry_read == 1_500
    for role in ("list", "registry"):
        assert exchange.opened(role).table.hash == table.hash
        assert not exchange.opened(role).table.attachment, "an owner got the scores"


def test_what_is_private_has_the_right_mode_and_encodings_are_gone(before):
    exchange = before("end")
    for path in exchange.root.rglob("PRIVATE-*"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.name != PART
    assert not list(exchange.root.rglob("*.part"))


def test_every_step_is_the_one_that_was_due(played):
    for step, role in STEPS.items():
        assert next_step(played[step].opened(role)).command, step


def test_the_current_folder_is_named_by_a_dot(before, monkeypatch):
    exchange = before("registry rows")
    monkeypatch.chdir(exchange.folder("list"))
    said = run("next", ".", *exchange.secret("list")).out
    assert said == (
        "send ./list-3-commitment.pprl to the registry owner and the linkage unit\n"
        "next: waiting for the commitment of the registry owner\n"
    )
    monkeypatch.chdir(exchange.folder("registry"))
    assert "— pprl encode REGISTRY --agreement .\n" in run("next", ".", *exchange.secret("registry")).out


def test_a_variable_proposes_nothing_and_changes_no_schema_that_is_agreed(before, monkeypatch):
    monkeypatch.setenv("PPRL_SCHEMA", "none.toml")
    exchange = before("propose")
    assert "nothing is proposed yet" in run("agree", exchange.folder("list"), *exchange.secret("list")).err
    done = before("list rows", "later").do("list rows")
    assert "PPRL_SCHEMA" not in done.err


def test_a_passphrase_and_words_from_a_pipe(tmp_path, monkeypatch):
    def piped(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    exchange = Exchange.begin(tmp_path / "x", hear=False)
    folder = exchange.folder("list")
    piped(exchange.words_file().read_text("utf-8"))
    assert run("agree", folder, "--words-file", "-", *exchange.secret("list")).out.count("are right") == 2
    piped(exchange.passphrase("list") + "\n")
    assert "next: propose the terms" in run("next", folder, "--passphrase-file", "-").out
    piped("another passphrase of nobody\n")
    assert "does not open" in run("next", folder, "--passphrase-file", "-").err
    both = run("agree", folder, "--words-file", "-", "--passphrase-file", "-")
    assert (both.status, "standard input can be read only once" in both.err) == (2, True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert "would be visible while you type it" in run("next", folder, "--passphrase-file", "-").err


def test_the_scores_are_those_of_link(before):
    """With the same key and the same draws `link` finds, for every row, the same candidates with the same scores."""
    exchange = before("acknowledge")
    (own, theirs), schema = (exchange.opened(role) for role in ("list", "registry")), parse_schema(SCHEMA)
    ours, other = Secrets.derive(own, own.agreement), Secrets.derive(theirs, theirs.agreement)
    assert ours.key.secret == other.key.secret
    assert ours.seed != other.seed
    hashes = own.list_rows.statement.hash + own.registry_rows.statement.hash
    made_root = derive(ours.seed, own.registry_rows.random, b"pprl/1/decoys\0" + hashes)
    people = {side: load(path, schema, side).people for side, path in exchange.roster.items()}
    encoded, rows = encode_list(people["list"], schema, ours.key, randomness=Randomness(ours.seed, made_root))
    randomness = Randomness(other.seed, other.seed)
    their_encoded, their_rows = encode_registry(people["registry"], schema, other.key, randomness=randomness)
    plain = match_encodings(encoded, their_encoded)

    _, scores = table_of(exchange)
    assert np.array_equal(handles_of(exchange, "list"), plain.handles)
    assert [int.from_bytes(handle.tobytes(), "little") for handle in scores.handles] == list(range(len(plain)))
    assert np.array_equal(scores.common, plain.common)
    assert np.array_equal(scores.total, plain.total)

    unit, handles = exchange.opened("unit"), handles_of(exchange, "registry")
    secret = derive(unit.keystore.seed, unit.receipt.hash, b"pprl/1/pseudonyms")
    row_of = {handle.tobytes(): row for handle, row in zip(their_rows.handles, their_rows.rows.tolist(), strict=True)}
    named = pseudonyms(secret, np.arange(len(handles)))
    meant = {name.tobytes(): row_of[handle.tobytes()] for name, handle in zip(named, handles, strict=True)}
    meant[bytes(16)] = row_of[bytes(16)] = -1  # fewer than sixteen have a bit in common
    found = [[meant[each.tobytes()] for each in row] for row in scores.theirs]
    assert found == [[row_of[each.tobytes()] for each in row] for row in plain.theirs]
    assert not set(meant) & set(row_of) - {bytes(16)}, "the unit calls rows by their owner's handles"

    home = PrivateRows.read(exchange.folder("list") / LIST_ROWS)
    assert np.array_equal(home.handles, rows.handles)
    assert np.array_equal(home.kind, rows.kind)


def test_people_who_are_in_both_are_found(before):
    """The exchange is not only consistent, it finds people: of those on the list most have one row far ahead."""
    exchange = before("acknowledge")
    _, scores = table_of(exchange)
    home = PrivateRows.read(exchange.folder("list") / LIST_ROWS)
    handles = (handle.tobytes() for handle in handles_of(exchange, "list"))
    best = dict(zip(handles, scores.dice()[:, 0].tolist(), strict=True))
    of_kind = {kind: [best[home.handles[at].tobytes()] for at in home.of_kind(kind)] for kind in (0, 1)}
    assert np.median(of_kind[0]) > np.quantile(of_kind[1], 0.99) > 0.5


def test_words_are_compared_on_a_call_and_typed(tmp_path):
    """The real way once: what is on the own screen is read aloud, what was heard is typed, and then one is ready."""
    exchange = Exchange.begin(tmp_path / "x", hear=False)
    spoken = words_of(exchange.opened("list").cards)
    typed = tmp_path / "heard"
    typed.write_text("".join(f"{role}: {' '.join(spoken[role])}\n" for role in ("registry", "unit")))
    assert not exchange.opened("list").words_compared
    done = run("agree", exchange.folder("list"), *exchange.secret("list"), "--words-file", typed)
    assert done.status == 0, done.err
    assert f"read aloud:  {' '.join(spoken['list'])}" in done.out
    assert spoken["registry"][0] not in done.out, "the words to be heard are on the screen"
    assert exchange.opened("list").words_compared


@pytest.mark.parametrize("typed", ["", "y", "yes", "ok"])
def test_a_yes_is_no_word(typed):
    from pprl.core.errors import FileError

    with pytest.raises(FileError):
        check_heard(typed, ("abacus",) * 10, "unit")


def test_files_may_come_under_any_name(before):
    exchange = before("match")
    unit = exchange.folder("unit")
    for name in BY_NAME:
        if (unit / name).exists():
            (unit / name).rename(unit / f"mail-{len(name)}-{name[::-1]}")
    assert run("match", unit, *exchange.secret("unit")).status == 0


def test_what_an_encoding_says_is_known_to_the_unit_only(before):
    """An owner has the other's commitment and no way from it to a row: packages open for the unit alone."""
    exchange = before("match")
    (path,) = exchange.folder("unit").glob("registry-4-*")
    opened = exchange.opened("list")
    with pytest.raises(Exception, match="does not open"):
        SealedPackage(path, opened.keystore.keys, opened.cards)


def test_a_statement_says_little(before):
    """Commitments, receipt and table are hashes and roles: nothing in them grows with the roster."""
    exchange = before("acknowledge")
    for name in ("list-4-commitment", "registry-3-commitment", "unit-2-receipt", "unit-3-scores"):
        for statement in statements(exchange, "unit", f"{name}.pprl"):
            for value in statement.body.values():
                for text in value if isinstance(value, list) else [value]:
                    assert len(text) in (32, 64) or text in (*PARTIES, "rows", "package"), json.dumps(statement.body)
