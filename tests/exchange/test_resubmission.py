"""A roster that nearly went into an exchange before is not sent again without asking."""

import numpy as np
import pandas as pd
import pytest

from pprl.core.errors import FileError, RefusedError
from pprl.core.schema_file import parse_schema
from pprl.exchange.parties.resubmission import FEWEST, SentRosters, distinct
from pprl.roster.load import load

SCHEMA = parse_schema('format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n')
FIRST, SECOND = bytes(32), bytes(31) + b"\1"


def people(rows):
    frame = pd.DataFrame(rows, columns=["surname", "given"], dtype=object)
    return load(frame, SCHEMA, "list").people


def hashes(sent, rows, parts=1):
    hashes_of_parts = []
    pieces = [people([rows[row] for row in numbers]) for numbers in np.array_split(np.arange(len(rows)), parts)]
    list(sent.hashed(pieces, SCHEMA, hashes_of_parts))
    return distinct(hashes_of_parts)


@pytest.fixture
def sent(tmp_path):
    return SentRosters(tmp_path / "sent")


ROSTER = [(f"Лугов{letter}ин", given) for letter in "абвгдежзик" for given in ("Иван", "Олег", "Юрий", "Глеб", "Павел")]


@pytest.mark.parametrize("fewer", [0, 1, FEWEST - 1])
def test_a_second_exchange_minus_some_rows(sent, fewer):
    sent.remember(hashes(sent, ROSTER), FIRST, "division-2022", "Bravo")
    with pytest.raises(RefusedError, match="sent to Bravo in the exchange division-2022"):
        sent.refuse_nearly_sent(hashes(sent, ROSTER[fewer:]), SECOND)


def test_another_roster_and_the_same_step_done_again(sent):
    sent.remember(hashes(sent, ROSTER), FIRST, "division-2022", "Bravo")
    sent.refuse_nearly_sent(hashes(sent, ROSTER), FIRST)
    sent.refuse_nearly_sent(hashes(sent, ROSTER[2 * FEWEST :]), SECOND)


def test_order_parts_and_spelling_do_not_matter(sent):
    upper = [(surname.upper(), given) for surname, given in reversed(ROSTER)]
    assert (hashes(sent, ROSTER) == hashes(sent, upper, parts=7)).all()


def test_what_is_kept_names_nobody(sent, tmp_path):
    sent.remember(hashes(sent, ROSTER), FIRST, "division-2022", "Bravo")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "sent").iterdir())
    assert all(text.encode() not in kept for row in ROSTER for text in row)
    assert b"lugov" not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "sent").iterdir())


def test_two_machines_hash_differently(tmp_path):
    one, other = (hashes(SentRosters(tmp_path / name), ROSTER) for name in ("one", "other"))
    assert not set(one.tolist()) & set(other.tolist())


def test_switched_off(monkeypatch):
    monkeypatch.setenv("PPRL_LEDGER", "off")
    sent = SentRosters.at_home()
    rows = hashes(sent, ROSTER)
    sent.remember(rows, FIRST, "division-2022", "Bravo")
    sent.refuse_nearly_sent(rows, SECOND)
    assert not len(rows)


def test_a_place_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be kept") as refusal:
        hashes(SentRosters(tmp_path / "file" / "sent"), ROSTER)
    assert "PPRL_LEDGER" in refusal.value.hint


@pytest.mark.parametrize("data", [b"", b"pprl-snt", b"pprl-snt\xff\xff\xff\xff", b"pprl-snt\2\0\0\0{}"])
def test_a_damaged_record(sent, tmp_path, data):
    hashes(sent, ROSTER)
    (tmp_path / "sent" / "x.rows").write_bytes(data)
    with pytest.raises(FileError, match="damaged"):
        sent.refuse_nearly_sent(hashes(sent, ROSTER), SECOND)
