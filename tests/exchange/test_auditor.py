"""What the linkage unit hands to an auditor: he can tell who said it and that every figure follows, and a folder in
which anything was changed says which file. It holds no name, no key, no encoding and no handle of an owner."""

import json
import random
import re
import shutil
from functools import cache

import numpy as np
import pytest
from helpers.exchange import attempt, run
from helpers.taps import forms, packed, secrets_of

from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError, PprlError
from pprl.exchange.parties.auditor import (
    AUDIT,
    EVIDENCE,
    LABELS,
    PAGE,
    REPORT,
    RESULT,
    SCORES,
    verify_folder,
)
from pprl.exchange.protocol.cards import words_of
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.messages import TRANSCRIPT_NAMES as NAMES
from pprl.exchange.protocol.messages import TRANSCRIPT_STATEMENTS as STATEMENTS
from pprl.exchange.protocol.statements import Statement, read_statements
from pprl.exchange.record import read_judged
from pprl.report import render
from pprl.report.record import load
from pprl.report.text import Words

SIGNED = [name for name in STATEMENTS if name != "01-cards.pprl"]


@pytest.fixture(scope="module")
def folder(played):
    return played["end"].transcript("auditor-of-all")


@cache
def page_of(report):
    """No page is made twice."""
    return render(load(report)).encode()


@cache
def cached_words(exchange):
    return words_of(exchange.opened("unit").cards)


@pytest.fixture
def copy(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "auditor")
    return tmp_path / "auditor"


@pytest.fixture(scope="module")
def heard(played):
    return played["end"].words_file()


@pytest.fixture(scope="module")
def other(other_exchange, tmp_path_factory):
    """The folder of the same three parties and rosters with other keys."""
    exchange = other_exchange.copy(tmp_path_factory.mktemp("other auditor") / "x")
    exchange.upto("list result", "match")
    return exchange.transcript()


def says(folder, kind=PprlError):
    """What is said of a folder that does not hold."""
    with pytest.raises(kind) as caught:
        list(verify_folder(folder, {}, page=page_of))
    return str(caught.value)


def test_an_auditor_is_told_step_by_step_what_holds(folder, heard):
    done = run("verify", folder, "--words-file", heard)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    starts = ["files: 11", "parties: List (list owner), Registry", "signatures and order", "words: those of List"]
    starts += ["words: those of Registry", "words: those of Unit", "page", "openings", "figures", "verdict"]
    starts += ["not checked: that the scores are those of the packages", "the owners' rosters are true", "verified"]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
    code = json.loads((folder / "report.json").read_bytes())["verdict"]["code"]
    published = Words("en")(f"rung.{code}")
    assert f"verdict: {published}" in lines
    assert code not in done.out


def test_without_the_words_nobody_knows_who_said_it(folder, tmp_path):
    done = run("verify", folder)
    assert done.status == 1
    assert "the origin is not checked: anybody could have made such a folder" in done.out
    assert "verified" not in done.out
    assert "words" not in done.out.replace("--words-file", "")
    empty = tmp_path / "nothing"
    empty.write_text("\n")
    assert run("verify", folder, "--words-file", empty).status == 1


@pytest.mark.parametrize(("role", "at"), [("list", 0), ("registry", 4), ("unit", 9)])
def test_one_wrong_word(played, folder, heard, tmp_path, role, at):
    words = list(cached_words(played["end"])[role])
    words[at] = "abacus" if words[at] != "abacus" else "zoom"
    lines = [line for line in heard.read_text("utf-8").splitlines() if not line.startswith(role)]
    (tmp_path / "wrong").write_text("\n".join([*lines, f"{role}: {' '.join(words)}"]), encoding="utf-8")
    with pytest.raises(ForgedError, match=rf"\(word {at + 1}\)"):
        attempt("verify", folder, "--words-file", tmp_path / "wrong")


def test_words_of_somebody_who_was_not_there(played, folder):
    found = played["end"].words_file("more", auditor="abacus " * 10)
    with pytest.raises(MismatchError, match="no auditor in this exchange"):
        attempt("verify", folder, "--words-file", found)


@pytest.mark.parametrize("name", NAMES)
def test_any_byte_of_any_file(copy, name):
    """40 bytes of each file, the first ones and the last ones among them: it is refused, and the file is named."""
    chance, path = random.Random(name), copy / name
    data = path.read_bytes()
    offsets = {*chance.sample(range(len(data)), 30), *range(5), 12, 16, 20, *(len(data) - at for at in (1, 2))}
    for at in sorted(offsets):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
        assert name in says(copy), f"byte {at} of {len(data)}"
    path.write_bytes(data)
    assert list(verify_folder(copy, {}))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_cut_is_longer_or_empty(copy, name):
    data = (copy / name).read_bytes()
    for changed in (data[:-1], data + b"\n", data + data, b"", data[1:]):
        (copy / name).write_bytes(changed)
        assert name in says(copy)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_missing_or_is_none(copy, name):
    (copy / name).unlink()
    assert says(copy, FileError) == f"{name} is missing"
    (copy / name).mkdir()
    assert name in says(copy, FileError)


@pytest.mark.parametrize("name", ["09-more.pprl", ".hidden", "PRIVATE-pairs.csv", "report2.html"])
def test_a_file_too_many(copy, name):
    (copy / name).write_bytes(b"x")
    assert name in says(copy, FileError)


@pytest.mark.parametrize("name", SIGNED)
def test_a_file_of_another_exchange(copy, other, name):
    shutil.copy(other / name, copy / name)
    assert name in says(copy, ForgedError)


def test_a_folder_made_wholly_under_other_keys(other, heard):
    """It is consistent, and only the words tell."""
    assert list(verify_folder(other, {}))
    with pytest.raises(ForgedError, match="the words of the list owner differ"):
        attempt("verify", other, "--words-file", heard)


def statements(folder, name):
    return list(read_statements((folder / name).read_bytes(), name))


def write(folder, name, found):
    (folder / name).write_bytes(b"".join(each.to_bytes() for each in found))


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_that_are_doubled_left_out_or_elsewhere(copy, name):
    found = statements(copy, name)
    for changed in (
        [*found, found[-1]],
        found[:-1],
        [*found[:-1], *statements(copy, "03-commitments.pprl")[-1:], found[-1]],
    ):
        write(copy, name, changed)
        assert name in says(copy) or name == "01-cards.pprl"
    write(copy, name, found[::-1])
    if len(found) > 1 and name not in ("01-cards.pprl", "03-commitments.pprl"):
        assert name in says(copy)


@pytest.mark.parametrize("name", [SCORES, LABELS, RESULT, EVIDENCE])
def test_statements_without_what_belongs_to_them(copy, name):
    found = statements(copy, name)
    for at, each in enumerate(found):
        if each.attachment:
            write(copy, name, [*found[:at], each.detached(), *found[at + 1 :]])
            assert name in says(copy)


def again(played, copy, name, number, /, role, attachment=None, **changes):
    """A statement of the folder with other contents, truly signed by that party."""
    found = statements(copy, name)
    each = found[number]
    made = each.attachment if attachment is None else attachment
    keys = played["end"].opened(role).keystore.keys
    found[number] = Statement.make(each.kind, {**each.body, **changes}, keys, made)
    write(copy, name, found)
    return found[number]


def test_a_unit_that_signs_another_report(played, copy):
    """It has its keys and the evidence; the figures do not follow."""
    report = json.loads((copy / REPORT).read_bytes())
    report["headline"]["net_found"]["value"] += 5
    data = (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode()
    result = again(played, copy, RESULT, 0, "unit", data, report=digest(data).hex())
    again(played, copy, EVIDENCE, 0, "unit", answers=[result.hash.hex()])
    (copy / REPORT).write_bytes(data)
    (copy / PAGE).write_bytes(page_of(data))
    assert says(copy, ForgedError).startswith(REPORT)


def test_a_unit_that_signs_another_audit(played, copy):
    audit = (copy / AUDIT).read_bytes()
    changed = audit.replace(b'"found": ', b'"found":  ', 1)
    assert changed != audit
    (copy / AUDIT).write_bytes(changed)
    (evidence,) = statements(copy, EVIDENCE)
    hidden = digest(bytes.fromhex(evidence.body["nonce"]), digest(evidence.attachment), digest(changed))
    result = again(played, copy, RESULT, 0, "unit", evidence_and_audit=hidden.hex())
    again(played, copy, EVIDENCE, 0, "unit", answers=[result.hash.hex()])
    assert says(copy, ForgedError).startswith(AUDIT)


def test_a_unit_that_signs_other_scores_later(played, copy):
    """A point more for the best candidate of one row: what came after was said to another table."""
    (table, _) = statements(copy, SCORES)
    data = bytearray(table.attachment)
    data[-40] ^= 1
    again(played, copy, SCORES, 0, "unit", bytes(data), scores=digest(bytes(data)).hex())
    assert "belongs to another run" in says(copy, MismatchError)


def test_headers_are_those_that_the_scores_name(played, copy):
    again(played, copy, "04-packages.pprl", 0, "list", rows_read=7)
    assert says(copy, MismatchError).startswith("04-packages.pprl: the headers are not those")


def test_it_is_made_only_when_there_is_a_result(before, tmp_path):
    exchange = before("judge")
    command = ["transcript", exchange.folder("unit"), "-o", tmp_path / "auditor", *exchange.secret("unit")]
    with pytest.raises(OrderError, match="no result in this folder"):
        attempt(*command)
    exchange = before("end", "whole")
    for role in ("list", "registry"):
        with pytest.raises(OrderError, match="only the linkage unit does this"):
            attempt("transcript", exchange.folder(role), "-o", tmp_path / "auditor", *exchange.secret(role))
    assert not (tmp_path / "auditor").exists()
    (exchange.folder("unit") / "PRIVATE-evidence.pprl").unlink()
    with pytest.raises(OrderError, match="no longer in the folder"):
        attempt("transcript", exchange.folder("unit"), "-o", tmp_path / "auditor", *exchange.secret("unit"))


def test_the_folder_is_for_nobody_else(folder):
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0


# --- what it does not hold ---


def bytes_of(folder):
    """All bytes of the folder, and what is written in hexadecimal, decoded from both nibbles."""
    whole = b"\0".join((folder / name).read_bytes() for name in NAMES)
    runs = re.findall(rb"[0-9a-f]{32,}", whole)
    return whole + b"".join(
        bytes.fromhex(run[at : at + (len(run) - at) // 2 * 2].decode()) for run in runs for at in (0, 1)
    )


def windows(data):
    """The eight bytes that begin at each place, as numbers."""
    return np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, dtype=np.uint8), 8).copy().view("<u8").ravel()


def among(some, values):
    """Which of some numbers are in a sorted array."""
    return values[np.minimum(np.searchsorted(values, some), len(values) - 1)] == some


@pytest.mark.parametrize("side", ["list", "registry"])
def test_no_encoding_and_no_handle(played, folder, side):
    """No sixteen bytes in a row of any encoding, and no handle by which an owner knows a row."""
    handles, _, layout, rows = packed(played["end"], side)
    found = np.unique(windows(bytes_of(folder)))
    handles = np.frombuffer(b"".join(handles), dtype="<u8").reshape(-1, 2)[:, 0]
    assert not among(handles, found).any()
    for at in range(16, layout.record - 15):
        one, two = (np.ascontiguousarray(rows[:, start : start + 8]).view("<u8") for start in (at, at + 8))
        assert not (among(one, found) & among(two, found)).any()


def test_the_search_for_encodings_finds_one(played):
    _, _, _, rows = packed(played["end"], "list")
    hidden = b"x" * 5 + rows[3, 40:56].tobytes() + b"y"
    assert np.isin(np.ascontiguousarray(rows[3:4, 40:48]).view("<u8"), windows(hidden)).all()


def test_no_key_and_no_secret(played, folder):
    whole = bytes_of(folder)
    found = [name for name, secret in secrets_of(played["end"]).items() if any(form in whole for form in forms(secret))]
    assert not found


def test_no_share_of_the_key_even_sealed(folder):
    found = read_judged([one for name in STATEMENTS for one in statements(folder, name)])
    assert not found.agreement.proposal.statement.attachment
    assert not found.agreement.acceptance.attachment
