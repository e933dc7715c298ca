"""What somebody on the way, a party that cheats, or a tired user may do to an exchange: each is refused by its name,
and a refusal writes nothing."""

import csv
import dataclasses
import datetime
import shutil
from unittest import mock

import pytest
from helpers.exchange import CHEAP, STEPS, Exchange, run
from helpers.forgeries import MAKE, plain, put, refused, signed, statements, without

import pprl.exchange.parties.list_owner
import pprl.exchange.parties.registry_owner
from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError, RefusedError
from pprl.exchange.folder import PART, agreed_parameters
from pprl.exchange.keystore import NAME, Keystore
from pprl.exchange.protocol.agreement import Terms
from pprl.exchange.protocol.cards import Card, check_heard, words_of
from pprl.exchange.protocol.crypto import SEAL_OVERHEAD, SecretKeys, digest
from pprl.exchange.protocol.package import (
    HEADER_SEGMENT,
    Manifest,
    SealedPackage,
    seal_segment,
    segment_info,
    write_package,
)
from pprl.exchange.protocol.statements import Statement

STRANGER = SecretKeys.make()


def looks(exchange, role):
    """What a party types to see whose turn it is: the folder is read and verified."""
    return ["next", exchange.folder(role), *exchange.secret(role)]


@pytest.fixture(scope="module")
def other_agreement(played, tmp_path_factory):
    """The same exchange, cards and rosters under another agreement, up to the match."""
    return played["propose"].copy(tmp_path_factory.mktemp("again") / "x").upto("match")


# --- files of another exchange, agreement, role or recipient ---


@pytest.mark.parametrize("role", ["list", "registry", "unit"])
def test_a_card_of_another_exchange(before, other_exchange, role):
    exchange = before("propose")
    put(exchange, role, other_exchange.folder("unit") / "unit-1-card.pprl")
    refused(exchange, MismatchError, "a card of the exchange brigade-2019", *looks(exchange, role))


def test_a_commitment_of_another_exchange(before, other_exchange):
    exchange = before("list package")
    put(exchange, "list", other_exchange.folder("unit") / "registry-3-commitment.pprl", "registry-3-commitment.pprl")
    refused(exchange, ForgedError, "not that of its sender", *exchange.command("list package"))


def test_a_receipt_of_another_exchange(before, other_exchange):
    exchange = before("list seal")
    put(exchange, "list", other_exchange.folder("list") / "unit-2-receipt.pprl", "unit-2-receipt.pprl")
    refused(exchange, ForgedError, "not that of its sender", *exchange.command("list seal"))


@pytest.mark.parametrize("name", ["list-5-package.pprl", "registry-4-package.pprl"])
def test_a_package_of_another_exchange(before, other_exchange, name):
    exchange = before("match")
    put(exchange, "unit", other_exchange.folder("unit") / name, name)
    refused(exchange, MismatchError, "sealed for another party", *exchange.command("match"))


@pytest.mark.parametrize("name", ["list-5-package.pprl", "registry-4-package.pprl"])
def test_a_package_of_an_earlier_agreement(before, other_agreement, name):
    exchange = before("match")
    put(exchange, "unit", other_agreement.folder("unit") / name, name)
    refused(exchange, MismatchError, "belongs to another agreement", *exchange.command("match"))


def test_a_commitment_of_an_earlier_agreement(before, other_agreement):
    exchange = before("list package")
    put(exchange, "list", other_agreement.folder("unit") / "registry-3-commitment.pprl", "registry-3-commitment.pprl")
    refused(exchange, MismatchError, "belongs to another agreement", *exchange.command("list package"))


def test_an_acceptance_of_an_earlier_agreement(before, other_agreement):
    exchange = before("conclude")
    put(exchange, "list", other_agreement.folder("list") / "registry-2-acceptance.pprl", "registry-2-acceptance.pprl")
    refused(exchange, OrderError, "no agreement in the folder", *exchange.command("list rows"))


def test_a_proposal_of_an_earlier_agreement(before, other_agreement):
    exchange = before("accept")
    command = exchange.command("accept")
    put(exchange, "registry", other_agreement.folder("list") / "list-2-proposal.pprl")
    refused(exchange, OrderError, "2 proposals", *command)


def test_a_receipt_of_an_earlier_agreement(before, other_agreement):
    exchange = before("list seal")
    put(exchange, "list", other_agreement.folder("list") / "unit-2-receipt.pprl", "unit-2-receipt.pprl")
    refused(exchange, MismatchError, "belongs to another agreement|answers other files", *exchange.command("list seal"))


def test_scores_of_an_earlier_agreement(before, other_agreement, tmp_path):
    exchange, earlier = before("acknowledge"), other_agreement.copy(tmp_path / "earlier")
    earlier.do("match")
    for role, name in (("list", "unit-3-query.pprl"), ("registry", "unit-3-scores.pprl")):
        put(exchange, role, earlier.folder(role) / name, name)
        refused(exchange, MismatchError, "belongs to another run", *looks(exchange, role))


def parameters_of(folder):
    return agreed_parameters(folder.agreement, folder.list_rows, folder.registry_rows)


def sealed(exchange, *, side="list", by=None, to=None, root=None, parameters=None, change=None, claimed=None):
    """A package as its owner could make it with a changed copy of pprl."""
    unit = exchange.opened("unit")
    committed = unit.list_package if side == "list" else unit.registry_rows
    layout = unit.agreement.terms.layout(side)
    package = SealedPackage(unit.packages[side], unit.keystore.keys, unit.cards)
    data = bytearray(b"".join(map(bytes, package.rows(layout, unit.agreement.terms.pad))))
    if change is not None:
        data[change] ^= 1
    path, rows = exchange.root / "made", len(data) // layout.width

    def claiming(kind, body, *rest):
        return MAKE(kind, {**body, "rows": claimed or rows}, *rest)

    with mock.patch.object(Statement, "make", claiming):
        write_package(
            path,
            [bytes(data)],
            Manifest(
                layout=layout,
                rows=rows,
                rows_read=0 if side == "list" else rows,
                decoys=package.contents.decoys,
                root=root or committed.root,
                parameters=parameters or parameters_of(unit),
                agreement=unit.agreement.hash,
                receipt=unit.receipt.hash,
            ),
            pad=unit.agreement.terms.pad,
            sender=exchange.opened(by or side).keystore.keys,
            recipient=to or unit.cards["unit"],
            force=True,
        )
    return path.read_bytes()


def test_a_package_signed_by_the_other_owner(before):
    exchange = before("match")
    put(exchange, "unit", sealed(exchange, side="registry", by="list"), "registry-4-package.pprl")
    refused(exchange, ForgedError, "not that of its sender", *exchange.command("match"))


def test_a_package_in_the_role_of_the_other(before):
    """The registry owner hands in the list's rows as their own, and the list owner's package is there too."""
    exchange = before("match")
    put(exchange, "unit", sealed(exchange, side="list"), "registry-4-package.pprl")
    refused(exchange, OrderError, "two packages of the list owner", *exchange.command("match"))


def test_a_commitment_in_the_role_of_the_other(before):
    exchange = before("list package")
    (commitment,) = statements(exchange, "list", "registry-3-commitment.pprl")
    forged = signed(exchange, "list", commitment, random="00" * 32)
    put(exchange, "unit", forged.to_bytes(), "registry-3-commitment.pprl")
    refused(exchange, ForgedError, "the signature is not that of its sender", *looks(exchange, "unit"))


def test_a_package_for_another_recipient(before):
    exchange = before("match")
    put(exchange, "unit", sealed(exchange, to=exchange.opened("unit").cards["registry"]), "list-5-package.pprl")
    refused(exchange, MismatchError, "sealed for another party", *exchange.command("match"))


def test_a_package_addressed_to_the_unit_and_sealed_for_another(before):
    exchange = before("match")
    card = exchange.opened("unit").cards["unit"]
    false = Card.make("unit", card.exchange, card.name, card.expires, STRANGER)
    false = dataclasses.replace(card, keys=false.keys)
    put(exchange, "unit", sealed(exchange, to=false), "list-5-package.pprl")
    refused(exchange, ForgedError, "segment 0 does not open", *exchange.command("match"))


def test_a_package_that_its_recipient_sealed_again_for_somebody_else(before):
    """The registry owner, sent a package by the list owner in some other role, passes it on as if made for the unit."""
    exchange = before("match")
    unit, keys = exchange.opened("unit"), exchange.opened("registry").keystore.keys
    data = sealed(exchange, to=unit.cards["registry"])
    start = 60
    preamble, header = data[:start], data[start : start + HEADER_SEGMENT + SEAL_OVERHEAD]
    plain = keys.open(header, segment_info(preamble, 0, last=False))
    again = preamble[:-32] + unit.cards["unit"].statement.hash
    rest = keys.open(data[start + len(header) :][: (1 << 20) + SEAL_OVERHEAD], segment_info(preamble, 1, last=False))
    segments = [seal_segment(unit.cards["unit"], again, 0, plain, last=False)]
    segments.append(seal_segment(unit.cards["unit"], again, 1, rest, last=False))
    put(exchange, "unit", again + b"".join(segments), "list-5-package.pprl")
    refused(exchange, MismatchError, "header belongs to another package", *exchange.command("match"))


def test_segments_in_another_order_left_out_or_behind_the_last(before):
    exchange = before("match")
    data = (exchange.folder("unit") / "list-5-package.pprl").read_bytes()
    size, start = (1 << 20) + SEAL_OVERHEAD, 60 + HEADER_SEGMENT + SEAL_OVERHEAD
    assert (len(data) - start) % size == 0
    first, second = data[start : start + size], data[start + size : start + 2 * size]
    for changed, kind in (
        (data[:start] + second + first + data[start + 2 * size :], ForgedError),
        (data[:start] + data[start + size :], FileError),
        (data[:-size], FileError),
        (data + data[-size:], FileError),
        (data + b"\0", FileError),
        (data[:start] + second + data[start + size :], ForgedError),
    ):
        put(exchange, "unit", changed, "list-5-package.pprl")
        refused(exchange, kind, "list-5-package", *exchange.command("match"))


# --- terms, hardening, days, schemas ---


def test_hardening_is_lowered_after_the_agreement(before, tmp_path):
    exchange = before("list rows")
    weaker = tmp_path / "weaker.toml"
    weaker.write_text(
        exchange.schema.read_text("utf-8").replace('hardening = "standard"', 'hardening = "plain"'), encoding="utf-8"
    )
    command = exchange.command("list rows", "--schema", weaker)
    refused(exchange, RefusedError, "not the schema of the agreement", *command)


def test_the_schema_is_changed_after_it_was_signed(before, tmp_path):
    exchange = before("registry rows")
    other = tmp_path / "other.toml"
    text = exchange.schema.read_text("utf-8")
    other.write_text(text.replace('[fields.patronymic]\ntype = "patronymic"', ""), encoding="utf-8")
    assert other.read_text("utf-8") != text
    command = exchange.command("registry rows", "--schema", other)
    refused(exchange, RefusedError, "not the schema of the agreement", *command)


def test_the_schema_in_the_folder_decides_nothing(before):
    """What the registry owner finds as schema.toml is for `pprl check`; their commitment follows the agreement."""
    exchange, changed = before("registry rows"), before("registry rows", "changed")
    (changed.folder("registry") / "schema.toml").write_text("format = 1\n[fields.given]\ntype = 'given'\n")
    for each in (exchange, changed):
        each.do("registry rows")
    one, other = (each.folder("registry") / "registry-3-commitment.pprl" for each in (exchange, changed))
    assert one.read_bytes() == other.read_bytes()


def test_a_package_whose_rows_say_that_they_are_less_hardened(before):
    exchange = before("match")
    parameters = parameters_of(exchange.opened("unit"))
    weaker = dataclasses.replace(parameters, encodings=(("plain", parameters.length),))
    put(exchange, "unit", sealed(exchange, parameters=weaker), "list-5-package.pprl")
    refused(exchange, MismatchError, "different hardening", *exchange.command("match"))


def test_plain_encodings_are_proposed_by_a_changed_copy(before):
    """Signed by the list owner himself, with a schema that sets no hardening and terms that do not say so."""
    exchange = before("accept")
    (proposal,) = statements(exchange, "list", "list-2-proposal.pprl")
    terms = proposal.body["terms"]
    schema = terms["schema"].replace('hardening = "standard"', 'hardening = "plain"')
    assert schema != terms["schema"]
    put(
        exchange,
        "registry",
        signed(exchange, "list", proposal, terms={**terms, "schema": schema}).to_bytes(),
        "list-2-proposal.pprl",
    )
    refused(exchange, RefusedError, "sets no hardening", *looks(exchange, "registry"))


def test_per_row_results_of_the_registry_are_proposed_by_a_changed_copy(before):
    exchange = before("accept")
    (proposal,) = statements(exchange, "list", "list-2-proposal.pprl")
    terms = {**proposal.body["terms"], "outputs": {"list": ["report"], "registry": ["report", "pairs"], "auditor": []}}
    put(exchange, "registry", signed(exchange, "list", proposal, terms=terms).to_bytes(), "list-2-proposal.pprl")
    refused(exchange, RefusedError, "more than any party may have", *looks(exchange, "registry"))


def test_terms_changed_on_the_way(before):
    exchange = before("accept")
    path = exchange.folder("registry") / "list-2-proposal.pprl"
    data = path.read_bytes()
    assert b'"earlier_runs":0' in data
    path.write_bytes(data.replace(b'"earlier_runs":0', b'"earlier_runs":1'))
    refused(exchange, ForgedError, "not that of its sender", *looks(exchange, "registry"))


def test_terms_other_than_those_that_were_read(before):
    """The registry owner types the code of terms that they have read, and finds others in the folder."""
    exchange = before("accept")
    read = exchange.command("accept")
    exchange.do("propose", "--list-people", 1, 20_000)
    refused(exchange, ForgedError, "not the code of these terms", *read)


def test_a_share_sealed_for_other_terms(before):
    """A share of the key is bound to all that is said beside it: it does not open under other terms."""
    exchange = before("accept")
    (proposal,) = statements(exchange, "list", "list-2-proposal.pprl")
    terms = {**proposal.body["terms"], "earlier_runs": 3}
    changed = signed(exchange, "list", proposal, terms=terms)
    put(exchange, "registry", changed.to_bytes(), "list-2-proposal.pprl")
    refused(exchange, ForgedError, "its share of the key was sealed", *exchange.command("accept"))


AFTER_EXPIRY = {
    "accept": lambda party: party.terms_to_sign(),
    "list rows": lambda party: party.due(),
    "registry rows": lambda party: party.due(),
    "list package": lambda party: party.due(),
    "receipt": lambda party: party.terms_to_sign(),
    "list seal": lambda party: party.seal(),
    "registry seal": lambda party: party.seal(),
    "match": lambda party: party.match(),
}


@pytest.mark.parametrize("step", AFTER_EXPIRY)
def test_an_agreement_that_has_expired(before, step):
    exchange = before(step)
    found = exchange.contents()
    party = exchange.party(STEPS[step], today=datetime.date(2029, 12, 31))
    with pytest.raises(RefusedError, match="the agreement expired on"):
        AFTER_EXPIRY[step](party)
    assert exchange.contents() == found, "a refusal wrote something"


def test_an_agreement_that_outlives_a_card(before):
    exchange = before("propose")
    refused(exchange, RefusedError, "outlive a card", *exchange.command("propose", "--expires", "2031-01-01"))


# --- what was committed to ---


@pytest.mark.parametrize("side", ["list", "registry"])
@pytest.mark.parametrize("place", [0, 20, -1])  # a handle, a bit of an encoding, what is revealed later or a tag
def test_rows_changed_after_committing(before, side, place):
    exchange = before("match")
    name = {"list": "list-5-package.pprl", "registry": "registry-4-package.pprl"}[side]
    put(exchange, "unit", sealed(exchange, side=side, change=place), name)
    refused(exchange, ForgedError, "rows are not those", *exchange.command("match"))


def test_a_root_other_than_the_one_committed_to(before):
    exchange = before("match")
    put(exchange, "unit", sealed(exchange, root=digest(b"another")), "list-5-package.pprl")
    refused(exchange, ForgedError, "is not what the list owner committed to", *exchange.command("match"))


def test_fewer_rows_than_committed_to(before):
    exchange = before("match")
    put(exchange, "unit", sealed(exchange, claimed=1_000), "list-5-package.pprl")
    refused(exchange, FileError, "something after its rows", *exchange.command("match"))


@pytest.mark.parametrize("side", ["list", "registry"])
def test_the_private_rows_are_changed_before_they_are_sealed(before, side):
    exchange = before(f"{side} seal")
    path = exchange.folder(side) / PART
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    refused(exchange, ForgedError, "does not hold the rows", *exchange.command(f"{side} seal"))
    path.write_bytes(data[:-1])
    refused(exchange, ForgedError, "does not hold the rows", *exchange.command(f"{side} seal"))
    path.unlink()
    refused(exchange, OrderError, "no longer in the folder", *exchange.command(f"{side} seal"))


@pytest.mark.parametrize("change", [lambda rows: rows[:-1], lambda rows: rows[::-1], lambda rows: rows[1:] + rows[:1]])
def test_the_roster_is_changed_between_the_two_commitments(before, change):
    exchange = before("list package")
    with exchange.roster["list"].open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    with exchange.roster["list"].open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *change(rows)])
    refused(exchange, ForgedError, "not the roster", *exchange.command("list package"))


def test_other_options_between_the_two_commitments(before):
    exchange = before("list package")
    controls = exchange.root / "controls.csv"
    controls.write_text("surname,given,patronymic,birth_date\nЛазурин,Фома,Кириллович,1984-05-06\n", encoding="utf-8")
    refused(exchange, ForgedError, "not the roster", *exchange.command("list package", "--control", controls))


@pytest.mark.parametrize(
    ("step", "limits", "says"),
    [
        ("list rows", ("--list-people", 500, 900), "agreed minimum of 500 people"),
        ("list rows", ("--list-people", 20, 30), "agreed maximum of 30 people"),
        ("registry rows", ("--registry-rows", 1_501, 1_600), "agreed minimum of 1,501 rows"),
        ("registry rows", ("--registry-rows", 1_000, 1_499), "agreed maximum of 1,499 rows"),
    ],
)
def test_rosters_of_other_sizes_than_agreed(before, step, limits, says):
    exchange = before("propose")
    exchange.do("propose", *limits)
    exchange.upto(step, "accept")
    refused(exchange, RefusedError, says, *exchange.command(step))


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (("--list-people", 20, 10_000, "--registry-rows", 1_000, 1_499), "registry owner holds more rows"),
        (("--list-people", 20, 10_000, "--registry-rows", 1_501, 1_600), "registry owner holds fewer rows"),
        (("--list-people", 9_000, 10_000), "list owner holds fewer rows"),
    ],
)
def test_a_changed_copy_that_minds_no_size(before, monkeypatch, limits, says):
    """The owners' copies of pprl count nothing; the linkage unit does."""
    exchange = before("propose")
    for module in (pprl.exchange.parties.list_owner, pprl.exchange.parties.registry_owner):
        monkeypatch.setattr(module, "refuse_size", lambda *_: None)
    monkeypatch.setattr(pprl.exchange.parties.registry_owner, "refuse_more", lambda *_: None)
    exchange.do("propose", *limits)
    exchange.upto("match", "accept")
    refused(exchange, RefusedError, says, *exchange.command("match"))


@pytest.mark.parametrize("role", ["list", "unit"])
def test_two_commitments_of_one_owner(before, role):
    """The registry owner commits, sees something, and commits again."""
    exchange, again = before("list package"), before("registry rows", "again")
    lines = again.roster["registry"].read_text("utf-8").splitlines(keepends=True)
    again.roster["registry"].write_text("".join(lines[:-1]), encoding="utf-8")
    again.do("registry rows")
    put(exchange, role, again.folder("registry") / "registry-3-commitment.pprl")
    refused(exchange, ForgedError, "two commitments of the registry owner", *looks(exchange, role))


def test_one_commitment_for_each_of_the_others(before):
    """The list owner shows the registry owner one commitment and the linkage unit another."""
    exchange = before("list package")
    *terms, commitment = statements(exchange, "unit", "list-3-commitment.pprl")
    other = signed(exchange, "list", commitment, root="ab" * 32)
    put(exchange, "unit", b"".join(each.to_bytes() for each in (*terms, other)), "list-3-commitment.pprl")
    refused(exchange, MismatchError, "answers other files", *looks(exchange, "unit"))


def test_the_same_commitment_twice_is_one(before):
    exchange = before("list package")
    put(exchange, "list", exchange.folder("list") / "registry-3-commitment.pprl", "the same again.pprl")
    exchange.do("list package")


def test_owners_whose_keys_differ(before):
    exchange = before("receipt")
    (commitment,) = statements(exchange, "unit", "registry-3-commitment.pprl")
    changed = signed(exchange, "registry", commitment, key_check="00" * 16)
    (package,) = statements(exchange, "unit", "list-4-commitment.pprl")
    first = package.body["answers"][0]
    put(exchange, "unit", changed.to_bytes(), "registry-3-commitment.pprl")
    answer = signed(exchange, "list", package, answers=[first, changed.hash.hex()])
    put(exchange, "unit", answer.to_bytes(), "list-4-commitment.pprl")
    refused(exchange, MismatchError, "linkage keys differ", *exchange.command("receipt"))


@pytest.mark.parametrize("change", [{"role": "list"}, {"agreement": "00" * 32}])
def test_a_receipt_that_says_other_things(before, change):
    exchange = before("list seal")
    receipt, package = statements(exchange, "list", "unit-2-receipt.pprl")
    changed = signed(exchange, "unit", receipt, **change)
    put(exchange, "list", changed.to_bytes() + package.to_bytes(), "unit-2-receipt.pprl")
    refused(exchange, MismatchError, "a receipt", *looks(exchange, "list"))


def test_a_receipt_for_other_commitments(before):
    exchange = before("list seal")
    receipt, _ = statements(exchange, "list", "unit-2-receipt.pprl")
    answers = [*receipt.body["answers"][:-1], "00" * 32]
    put(exchange, "list", signed(exchange, "unit", receipt, answers=answers).to_bytes())
    refused(exchange, MismatchError, "answers other files", *looks(exchange, "list"))


def test_a_receipt_that_an_owner_signs_himself(before):
    exchange = before("list seal")
    receipt, package = statements(exchange, "list", "unit-2-receipt.pprl")
    false = signed(exchange, "list", receipt)
    put(exchange, "registry", false.to_bytes() + package.to_bytes(), "unit-2-receipt.pprl")
    refused(exchange, ForgedError, "not that of its sender", *looks(exchange, "registry"))


def test_a_second_score_table(before):
    exchange = before("acknowledge")
    (table,) = statements(exchange, "registry", "unit-3-scores.pprl")
    for role in ("list", "registry"):
        put(exchange, role, signed(exchange, "unit", table, scores="00" * 32).to_bytes())
        refused(exchange, ForgedError, "two score tables", *looks(exchange, role))


# --- cards and words ---


def test_a_card_swapped_on_the_way_is_found_by_the_words(before):
    """Between the two owners somebody replaces the card of the registry owner."""
    exchange = before("propose")
    true = exchange.opened("registry").cards
    swapped = Card.make("registry", true["registry"].exchange, "Registry", true["registry"].expires, STRANGER)
    put(exchange, "list", swapped.statement.to_bytes(), "registry-1-card.pprl")
    seen = exchange.opened("list")
    assert not seen.words_compared, "words heard for other cards still count"
    refused(exchange, OrderError, "words of the others have not been compared", *exchange.command("list rows"))
    shown, spoken = words_of(seen.cards), words_of(true)
    assert not set(shown["list"]) <= set(spoken["list"])
    with pytest.raises(ForgedError, match="words of the registry owner differ"):
        check_heard(" ".join(spoken["registry"]), shown["registry"], "registry")


def test_two_cards_of_one_role(before):
    exchange = before("propose")
    card = exchange.opened("list").cards["registry"]
    put(exchange, "list", Card.make("registry", card.exchange, "R", card.expires, STRANGER).statement.to_bytes())
    refused(exchange, ForgedError, "two cards of the registry owner", *looks(exchange, "list"))


def test_one_party_in_two_roles(before):
    """The list owner makes the linkage unit's card with their own keys."""
    exchange = before("propose")
    keys, card = exchange.opened("list").keystore.keys, exchange.opened("list").cards["unit"]
    own = Card.make("unit", card.exchange, "Unit", card.expires, keys)
    put(exchange, "registry", own.statement.to_bytes(), "unit-1-card.pprl")
    refused(exchange, ForgedError, "two roles have the same key", *looks(exchange, "registry"))


def test_a_new_card_after_the_words(before):
    """A party that begins again has new keys: proposals for the old ones are worth nothing."""
    exchange = before("accept")
    command = exchange.command("accept")
    made = Keystore.make("unit", "division-2022", exchange.passphrase("unit"), memory=CHEAP)
    card = Card.make("unit", "division-2022", "Unit", datetime.date(2030, 1, 1), made.keys)
    put(exchange, "registry", card.statement.to_bytes(), "unit-1-card.pprl")
    refused(exchange, MismatchError, "made for other cards", *command)


def test_a_card_that_is_not_of_the_keystore(before):
    exchange = before("propose")
    other = Keystore.make("list", "division-2022", exchange.passphrase("list"), memory=CHEAP)
    other.write(exchange.folder("list") / NAME, force=True)
    refused(exchange, MismatchError, "does not belong to its keystore", *looks(exchange, "list"))


def test_another_passphrase(before, tmp_path):
    exchange = before("propose")
    wrong = tmp_path / "wrong"
    wrong.touch(0o600)
    wrong.write_text("gherkin wombat list sextant\n")
    refused(exchange, ForgedError, "does not open", "next", exchange.folder("list"), "--passphrase-file", wrong)


# --- steps out of order, and twice ---


def test_a_card_twice(before):
    exchange = before("propose")
    command = ["card", exchange.folder("list"), "--role", "list", "--exchange", "division-2022", "--name", "Again"]
    refused(exchange, OrderError, "has a keystore already", *command, *exchange.secret("list"))


def test_agree_before_the_cards_have_come(before):
    exchange = before("propose")
    without(exchange, "list", "unit-1-card.pprl")
    refused(exchange, FileError, "card of the linkage unit is missing", *exchange.command("propose"))


def test_propose_before_the_words(before):
    exchange = Exchange.begin(
        before("propose").root.parent / "deaf", hear=False, source=before("propose", "b").root / "rosters"
    )
    refused(exchange, FileError, "words of Registry", *exchange.command("propose"))


@pytest.mark.parametrize(
    ("now", "step", "says"),
    [
        ("propose", "list rows", "no agreement in the folder"),
        ("propose", "registry rows", "no agreement in the folder"),
        ("accept", "list rows", "no agreement in the folder"),
        ("accept", "registry rows", "no agreement in the folder"),
        ("list rows", "registry rows", "commitment of the list owner has not come"),
        ("registry rows", "list package", "commitment of the registry owner has not come"),
        ("list package", "registry seal", "receipt of the linkage unit has not come"),
        ("receipt", "list seal", "receipt of the linkage unit has not come"),
        ("propose", "match", "no agreement in the folder"),
        ("list package", "match", "receipt is not made yet"),
        ("receipt", "match", "receipt is not made yet"),
        ("list seal", "match", "package of the list owner has not come"),
        ("registry seal", "match", "package of the registry owner has not come"),
        ("end", "match", "made and signed already"),
        ("end", "list rows", "list-5-package.pprl is made already"),
        ("registry seal", "list seal", "list-5-package.pprl is made already"),
        ("match", "registry rows", "registry-4-package.pprl is made already"),
        ("list package", "propose", "you have committed to a list"),
    ],
)
def test_a_step_that_is_not_due(before, now, step, says):
    exchange = before(now)
    refused(exchange, OrderError, says, *exchange.command(step))


@pytest.mark.parametrize(("now", "says"), [("registry rows", "registry-3"), ("list package", "list-4")])
def test_a_receipt_before_all_commitments(before, now, says):
    exchange = before(now)
    refused(exchange, OrderError, f"has not come: {says}", *exchange.command("receipt"))


def test_accept_before_the_proposal(before):
    exchange = before("propose")
    command = ["agree", exchange.folder("registry"), "--accept", "00000000", *exchange.secret("registry")]
    refused(exchange, OrderError, "proposal of the list owner has not come", *command)


@pytest.mark.parametrize("step", ["accept", "receipt"])
def test_nothing_is_signed_without_the_code(before, step):
    exchange = before(step)
    role = STEPS[step]
    refused(exchange, OrderError, "nothing is signed yet", "agree", exchange.folder(role), *exchange.secret(role))
    wrong = f"{int(exchange.code, 16) ^ 1:08x}"
    command = ["agree", exchange.folder(role), "--accept", wrong, *exchange.secret(role)]
    refused(exchange, ForgedError, "not the code", *command)


@pytest.mark.parametrize(("now", "step"), [("conclude", "accept"), ("list rows", "conclude"), ("list seal", "receipt")])
def test_what_is_signed_once_is_not_signed_again(before, now, step):
    exchange = before(now)
    found = exchange.contents()
    assert run(*exchange.command(step)).status == 0
    assert exchange.contents() == found


@pytest.mark.parametrize("role", ["list", "registry"])
def test_an_owner_does_not_compare(before, role):
    exchange = before("match")
    refused(
        exchange, OrderError, f"the folder of the {role} owner", "match", exchange.folder(role), *exchange.secret(role)
    )
    command = ["encode", exchange.roster[role], "--agreement", exchange.folder("unit"), *exchange.secret("unit")]
    refused(exchange, OrderError, "who has no roster", *command)


@pytest.mark.parametrize(
    "gone",
    [["unit-3-scores.pprl"], ["unit-3-query.pprl"], ["unit-3-query.pprl", "unit-3-scores.pprl", "PRIVATE-scores.pprl"]],
)
def test_the_unit_gets_no_other_scores_by_deleting_them(before, gone):
    exchange = before("acknowledge")
    without(exchange, "unit", *gone)
    assert run(*exchange.command("match")).status == 0
    for role, name in (("list", "unit-3-query.pprl"), ("registry", "unit-3-scores.pprl")):
        assert plain(exchange, "unit", name) == plain(exchange, role, name)


def test_terms_of_a_proposal_are_read_without_trust():
    """Not the terms of anything: an error of ours, whatever the value."""
    for body in (None, [], {}, {"schema": 1}, {"schema": "", "folding": "zz"}):
        with pytest.raises(FileError):
            Terms.from_body(body)


def test_a_package_that_claims_rows_without_number(before):
    """A header that is truly signed, and a file that is as short as any other."""
    exchange = before("match")
    put(exchange, "unit", sealed(exchange, claimed=(1 << 53) - 1), "list-5-package.pprl")
    refused(exchange, RefusedError, "more rows than were agreed", *exchange.command("match"))


def test_a_folder_that_is_a_copy_of_a_copy(before):
    """Nothing depends on where a folder lies."""
    exchange = before("match")
    moved = exchange.root / "elsewhere"
    shutil.move(exchange.folder("unit"), moved)
    assert run("match", moved, *exchange.secret("unit")).status == 0
