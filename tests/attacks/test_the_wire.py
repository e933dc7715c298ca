"""What crosses is read by those for whom it is, and by nobody on the way.

In the first edition query, reveal, answers and results crossed in clear. The owner of the registry has the confirm key
and knows which of their rows stands behind each id, so with two files that passed by they named people on the list; and
an outsider without a key read strata and kinds of all rows, and counted matches by the size of a file.
"""

import csv
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from helpers.exchange import STEPS, Exchange, rosters, run
from helpers.forgeries import plain, put, refused

from pprl.core.errors import FileError, ForgedError, MismatchError
from pprl.demo import invent
from pprl.exchange.parties.owners import Secrets, agreed_schema, confirm_fields, confirm_tag
from pprl.exchange.protocol.commitments import NONCE, TAG, Opening
from pprl.exchange.protocol.messages import HAND_OVERS, PUBLIC, QUERY_FILE, REVEAL_FILE, TRANSCRIPT_FILE
from pprl.exchange.protocol.reveal import ASKED, REAL, label_size
from pprl.exchange.protocol.roles import PARTIES
from pprl.exchange.protocol.sealed_file import SMALLEST, STEP, open_file, padded_size, seal_file
from pprl.exchange.protocol.statements import read_statements
from pprl.roster.load import load

SEALED = [file.name for file in HAND_OVERS if file.sealed]


def tapped(exchange):
    """Every file of the exchange as it crossed, by name."""
    for file in HAND_OVERS:
        path = exchange.folder(file.maker) / file.name
        if path.exists():
            yield file.name, path.read_bytes()


def read(files):
    """The statements that a reader without a key finds in some files, by kind."""
    found = {}
    for name, data in files:
        try:
            found |= {each.kind.tag: each for each in read_statements(data, name)}
        except FileError:
            continue  # sealed
    return found


def opened_by_reader(exchange):
    """The files that the registry's owner saw pass by, as they would be if they were not sealed."""
    return [(file.name, plain(exchange, file.readers[0], file.name)) for file in (QUERY_FILE, REVEAL_FILE)]


def named_by_the_registry_owner(exchange, files):
    """Rows of the list whose number the registry's owner finds by trying all numbers of their own registry."""
    seen = read(files)
    if not {b"pprl-ask", b"pprl-rev", b"pprl-ans"} <= set(seen):
        return set()
    folder = exchange.opened("registry")
    terms, own = folder.agreement.terms, Secrets.derive(folder, folder.agreement)
    schema = agreed_schema(terms)
    fields = [field.name for field in confirm_fields(schema)]
    number = fields.index("personal_number")
    ids, answers = (
        np.frombuffer(seen[tag].attachment, dtype=np.uint8).reshape(-1, len(fields), ASKED, TAG)[:, number, 0]
        for tag in (b"pprl-ask", b"pprl-ans")
    )
    known = load(exchange.roster["registry"], schema, "registry").people.columns["personal_number"].values
    return {
        row
        for row in range(len(ids))
        for value in known
        if confirm_tag(own.confirm, "personal_number", ids[row].tobytes(), value) == answers[row].tobytes()
    }


def test_the_registry_owner_names_nobody_by_what_passes_by(played):
    exchange = played["end"]
    named = named_by_the_registry_owner(exchange, opened_by_reader(exchange))
    assert len(named) >= 15, "the attack no longer works where nothing is sealed"
    assert named_by_the_registry_owner(exchange, tapped(exchange)) == set()


def test_an_outsider_reads_no_label(played):
    """Kinds, completeness and joint strata of every row, where nothing is sealed."""
    exchange = played["end"]
    terms = exchange.opened("unit").agreement.terms
    reveal = read(opened_by_reader(exchange))[b"pprl-rev"].attachment
    size = label_size(terms)
    kinds = Counter(
        Opening.from_bytes(reveal[at + NONCE : at + size], len(terms.strata)).kind for at in range(0, 60 * size, size)
    )
    assert kinds[REAL] < 60
    assert sum(kinds.values()) == 60
    assert {each.kind for each in read(tapped(exchange)).values()} <= set(PUBLIC)


def test_nothing_of_a_sealed_statement_stands_in_its_file(played):
    exchange = played["end"]
    for file in HAND_OVERS:
        if file.sealed and file.maker in PARTIES and file.readers[0] in PARTIES:
            data = (exchange.folder(file.maker) / file.name).read_bytes()
            inside = plain(exchange, file.maker, file.name)
            assert inside == plain(exchange, file.readers[0], file.name)
            pieces = {inside[at : at + 16] for at in range(0, len(inside) - 16, 997)}
            assert not [piece for piece in pieces if piece.strip(b"\0") and piece in data], file.name


def test_nobody_but_maker_and_reader_opens_a_file(played):
    exchange = played["end"]
    tried = 0
    for file in HAND_OVERS:
        path = exchange.folder(file.maker) / file.name
        if not file.sealed or not path.exists():
            continue
        for role in set(PARTIES) - {file.maker, *file.readers}:
            keystore = exchange.opened(role).keystore
            with pytest.raises(MismatchError, match="is sealed for the"):
                open_file(path.read_bytes(), file.name, keystore.exchange, role, keystore.keys)
            for claimed in {file.maker, *file.readers}:  # with their own keys under another's name
                with pytest.raises(ForgedError, match="does not open"):
                    open_file(path.read_bytes(), file.name, keystore.exchange, claimed, keystore.keys)
                tried += 1
    assert tried >= 10


def test_a_statement_that_came_unsealed_is_refused(before):
    exchange = before("judge")
    data = plain(exchange, "unit", REVEAL_FILE.name)
    (exchange.folder("unit") / REVEAL_FILE.name).write_bytes(data)
    refused(exchange, ForgedError, "came unsealed", *exchange.command("judge"))


def test_a_file_for_another_in_the_folder_is_named(before):
    exchange = before("judge")
    put(exchange, "registry", exchange.folder("unit") / REVEAL_FILE.name)
    command = "next", exchange.folder("registry"), *exchange.secret("registry")
    refused(exchange, MismatchError, "is sealed for the linkage unit", *command)


def test_a_file_of_another_exchange_does_not_open(played):
    exchange = played["end"]
    unit = exchange.opened("unit")
    data = seal_file(b"", "another-2022", unit.cards["list"], unit.cards["unit"])
    assert open_file(data, "x", "another-2022", "unit", unit.keystore.keys) == b""
    with pytest.raises(ForgedError, match="x: does not open"):
        open_file(data, "x", unit.keystore.exchange, "unit", unit.keystore.keys)


def test_no_byte_of_a_sealed_file_can_be_changed(played):
    unit = played["end"].opened("unit")
    whole = seal_file(b"statements", "here", unit.cards["list"], unit.cards["unit"])
    where = [0, 8, 10, 11, 12, 1_180, 2_347, 2_348, 2_360, len(whole) - 1]
    for at in where:
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises((FileError, ForgedError, MismatchError)):
            open_file(changed, "x", "here", "unit", unit.keystore.keys)
    for cut in (whole[:-1], whole + b"\0", whole[:100], b"", whole[: SMALLEST // 2]):
        with pytest.raises(FileError):
            open_file(cut, "x", "here", "unit", unit.keystore.keys)


def test_lengths_are_few():
    assert [padded_size(size) for size in (1, SMALLEST, SMALLEST + 1, STEP - 1, STEP, STEP + 1, 5 * STEP)] == [
        *(SMALLEST, SMALLEST, 2 * SMALLEST, STEP, STEP, 2 * STEP, 5 * STEP)
    ]
    lengths = {padded_size(size) for size in range(1, 64 * STEP, 4_099)}
    assert len(lengths) == 5 + 63


def without(roster, gone, made):
    """The registry without the rows of those ``gone``, and as many rows of other people."""
    rows = pd.read_csv(roster, dtype=str, keep_default_na=False)
    ids = {each for number in gone for each in made.present[number]}
    kept = rows[~rows["id"].isin(ids)]
    others = made.registry[~made.registry["id"].isin({*rows["id"], *ids})].head(len(rows) - len(kept))
    pd.concat([kept, others]).sort_values("id").to_csv(roster, index=False, quoting=csv.QUOTE_ALL)


def test_no_length_says_how_many_match(tmp_path):
    """Two exchanges on one list; in the second, fifty of its people are no longer in the registry."""
    rosters(tmp_path / "rosters", people=120)
    made, lengths, pairs = invent(7), [], []
    listed = pd.read_csv(tmp_path / "rosters" / "list.csv", dtype=str)["№ п/п"]
    present = [number for number in listed if number in made.present]
    for gone in (0, 50):
        exchange = Exchange.begin(tmp_path / f"without-{gone}", source=tmp_path / "rosters")
        without(exchange.roster["registry"], present[:gone], made)
        for step in STEPS:
            exchange.do(step)
        lengths.append({name: len(data) for name, data in tapped(exchange)})
        pairs.append(len((exchange.folder("list") / "result" / "PRIVATE-pairs.csv").read_text("utf-8").splitlines()))
    assert pairs[0] - pairs[1] > 30
    assert lengths[0] == lengths[1]
    assert set(SEALED) - set(lengths[0]) == {TRANSCRIPT_FILE.name}


def test_after_destroy_the_folder_does_not_open_what_is_sealed_in_it(before):
    exchange = before("end")
    folder, keystore = exchange.folder("unit"), exchange.opened("unit").keystore
    assert run("destroy", folder, "--yes").status == 0
    left = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert REVEAL_FILE.name in left
    for data in left.values():
        for secret in (keystore.keys.kem, keystore.keys.x25519, keystore.lock.key):
            assert secret not in data
            assert secret.hex().encode() not in data
    with pytest.raises(FileError, match="holds no keystore"):
        plain(exchange, "unit", REVEAL_FILE.name)
