"""An auditor who has a card from the beginning: the linkage unit seals the transcript for them."""

import dataclasses
import shutil

import pytest
from helpers.exchange import PARTIES, STEPS, Exchange, attempt, run
from helpers.forgeries import put, statements

from pprl.core.errors import ForgedError, MismatchError, OrderError
from pprl.exchange.folder import sign_statement
from pprl.exchange.parties.auditor import verify_folder
from pprl.exchange.parties.linkage_unit import headers_of, own_table
from pprl.exchange.parties.transcript import transcript_files
from pprl.exchange.protocol.messages import TRANSCRIPT, TRANSCRIPT_FILE, TRANSCRIPT_NAMES
from pprl.exchange.protocol.reveal import TRANSCRIPT_PURPOSE as PURPOSE
from pprl.exchange.protocol.statements import Statement


@pytest.fixture(scope="module")
def audited(played, tmp_path_factory):
    """An exchange of four parties, up to the sealed transcript in the auditor's folder."""
    exchange = Exchange.begin(
        tmp_path_factory.mktemp("audited") / "x", hear=False, source=played["end"].root / "rosters"
    )
    exchange.join("auditor")
    exchange.hand_over()
    for role in PARTIES:
        exchange.hear(role)
    for step in STEPS:
        exchange.do(step)
    done = run("next", exchange.folder("unit"), *exchange.secret("unit"))
    assert "send unit/unit-5-transcript-for-the-auditor.pprl to the auditor" in done.out
    exchange.hand_over()
    return exchange


@pytest.fixture
def copied(audited, tmp_path):
    return audited.copy(tmp_path / "copied")


def files_of(unit):
    return transcript_files(unit, table=own_table(unit), headers=headers_of(unit))


def sealed(exchange) -> Statement:
    (sealed_statement,) = statements(exchange, "auditor", TRANSCRIPT_FILE.name)
    return sealed_statement


def verify(exchange, role="auditor"):
    return attempt("verify", exchange.folder(role), *exchange.secret(role))


def test_cards_go_to_the_auditor_too(copied):
    done = run("next", copied.folder("auditor"), *copied.secret("auditor"))
    assert "auditor-1-card.pprl to the list owner, the registry owner and the linkage unit" in done.out
    done = run("agree", copied.folder("auditor"), "--words-file", copied.words_file(), *copied.secret("auditor"))
    assert done.status == 0, done.err
    assert done.out.count("are right") == 3


def test_the_auditor_compares_words_once_and_needs_no_file_of_them(copied):
    with pytest.raises(OrderError, match="have not been compared yet"):
        verify(copied)
    copied.hear("auditor")
    assert (
        "next: check the exchange — pprl verify auditor"
        in run("next", copied.folder("auditor"), *copied.secret("auditor")).out
    )
    done = run("verify", copied.folder("auditor"), *copied.secret("auditor"))
    assert done.status == 0, done.err
    assert "words: the cards are those whose words you compared" in done.out
    assert "figures: audit.json and report.json follow" in done.out
    assert done.out.splitlines()[-1].startswith("verified: these parties signed this")


def test_what_the_auditor_unpacks_is_what_the_unit_would_have_written(copied, tmp_path):
    copied.hear("auditor")
    attempt("transcript", copied.folder("auditor"), "-o", tmp_path / "files", *copied.secret("auditor"))
    data = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert data == files_of(copied.opened("unit"))
    assert set(data) == set(TRANSCRIPT_NAMES)
    assert list(verify_folder(tmp_path / "files", {}))


def test_nothing_can_be_read_of_it_from_outside(copied):
    data = (copied.folder("auditor") / TRANSCRIPT_FILE.name).read_bytes()
    for sealed_statement in files_of(copied.opened("unit")).values():
        assert sealed_statement[200:264] not in data


def test_only_the_auditor_can_open_it(copied):
    for role in ("list", "registry"):
        shutil.copy(copied.folder("auditor") / TRANSCRIPT_FILE.name, copied.folder(role) / TRANSCRIPT_FILE.name)
        with pytest.raises(OrderError, match="this is the folder of"):
            verify(copied, role)


def test_a_byte_changed(copied):
    copied.hear("auditor")
    sealed_statement = sealed(copied)
    data = sealed_statement.to_bytes()
    places = (
        len(data) - len(sealed_statement.attachment) - 1,
        len(data) - 1,
        len(data) - len(sealed_statement.attachment) // 2,
    )
    for place in places:
        put(copied, "auditor", data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], TRANSCRIPT_FILE.name)
        with pytest.raises(ForgedError):
            verify(copied)


def test_what_the_unit_did_not_sign(copied):
    """Sealed again for the auditor, whose card everybody has, and signed by an owner."""
    copied.hear("auditor")
    sealed_statement = sealed(copied)
    other = Statement.make(
        sealed_statement.kind, sealed_statement.body, copied.opened("list").keystore.keys, sealed_statement.attachment
    )
    put(copied, "auditor", other.to_bytes(), TRANSCRIPT_FILE.name)
    with pytest.raises(ForgedError):
        verify(copied)


def of_another_result(exchange) -> bytes:
    """The transcript as the unit would sign it for another result."""
    sealed_statement = sealed(exchange)
    body = {**sealed_statement.body, "answers": ["00" * 32]}
    return Statement.make(
        sealed_statement.kind, body, exchange.opened("unit").keystore.keys, sealed_statement.attachment
    ).to_bytes()


def test_of_another_result(copied):
    """What is sealed names the result, so it cannot be passed off as of another run."""
    copied.hear("auditor")
    put(copied, "auditor", of_another_result(copied), TRANSCRIPT_FILE.name)
    with pytest.raises(ForgedError, match="does not open"):
        verify(copied)


def test_two_of_them(copied):
    copied.hear("auditor")
    put(copied, "auditor", of_another_result(copied), "more.pprl")
    with pytest.raises(OrderError, match="2 sealed transcripts"):
        verify(copied)


def test_without_its_attachment(copied):
    copied.hear("auditor")
    sealed_statement = dataclasses.replace(sealed(copied), attachment=b"")
    put(copied, "auditor", sealed_statement.to_bytes(), TRANSCRIPT_FILE.name)
    with pytest.raises(ForgedError, match="not what was signed"):
        verify(copied)


def test_an_exchange_of_other_cards(copied, played):
    """A linkage unit that shows the auditor other parties than those whose words they compared."""
    copied.hear("auditor")
    unit, auditor = copied.opened("unit"), copied.opened("auditor")
    strangers = files_of(played["end"].opened("unit"))
    result = unit.result
    plain = b"".join(len(data).to_bytes(8, "little") + data for data in strangers.values())
    hidden = auditor.cards["auditor"].keys.seal(plain, PURPOSE + result.hash)
    sealed_statement = sign_statement(unit, TRANSCRIPT, [result], hidden)
    put(copied, "auditor", sealed_statement.to_bytes(), TRANSCRIPT_FILE.name)
    with pytest.raises(MismatchError, match="not the cards whose words you compared"):
        verify(copied)


def test_there_is_nothing_to_seal_without_an_auditor(before):
    exchange = before("list result", "whole")
    with pytest.raises(OrderError, match="no auditor in this exchange"):
        attempt("transcript", exchange.folder("unit"), *exchange.secret("unit"))
    assert not (exchange.folder("unit") / TRANSCRIPT_FILE.name).exists()
