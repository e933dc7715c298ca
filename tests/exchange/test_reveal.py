"""What comes after the scores: who may do what and when, labels that are not those committed to, what reaches whom,
and that the report is that of `link`."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from helpers.exchange import BY_NAME, PARTIES, STEPS, run
from helpers.forgeries import put, refused, signed, statements, without
from helpers.taps import table_of

import pprl.encode.registry
import pprl.exchange.parties.list_owner
from pprl.core.bits import BitMatrix
from pprl.core.encodings import RegistryDecoys
from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError, RefusedError
from pprl.core.planted import PlantedTable
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA, invent
from pprl.encode.encoder import encode
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.exchange.next_step import PAGE, RESULT
from pprl.exchange.parties.auditor import verify_folder
from pprl.exchange.parties.linkage_unit import TABLE, near_doubles
from pprl.exchange.parties.owners import Secrets
from pprl.exchange.parties.packages import OpenPackage
from pprl.exchange.parties.transcript import AUDIT_FILE, EVIDENCE_FILE
from pprl.exchange.protocol.commitments import NONCE
from pprl.exchange.protocol.crypto import derive, digest
from pprl.exchange.protocol.messages import RELEASE
from pprl.exchange.protocol.reveal import DECOY, REAL, check_reveal, label_size, split_reveal
from pprl.exchange.replay import Evidence, figures_of
from pprl.judge import labels
from pprl.judge.assessment import judge
from pprl.match.encodings import match_encodings
from pprl.report.record import UNTRUSTED
from pprl.roster.load import load
from pprl.roster.people import Column, People

NAMES = ("surname", "given", "patronymic")
WITHOUT_DATE = "format = 1\n" + "".join(f'[fields.{name}]\ntype = "{name}"\n' for name in NAMES)
KEY = bytes(range(32))
REVEAL = "list-6-reveal.pprl"


def audit_of(exchange):
    return json.loads((exchange.folder("unit") / AUDIT_FILE).read_bytes())


# --- out of turn, and twice ---


@pytest.mark.parametrize(
    ("now", "step", "says"),
    [
        ("match", "reveal", "query of the linkage unit has not come"),
        ("acknowledge", "reveal", "acknowledgement of the registry owner has not come"),
        ("judge", "reveal", "revealed already"),
        ("end", "reveal", "revealed already"),
        ("match", "judge", "scores are not made yet"),
        ("acknowledge", "judge", "reveal of the list owner has not come"),
        ("reveal", "judge", "reveal of the list owner has not come"),
        ("registry result", "judge", "result is made already"),
        ("judge", "match", "made and signed already"),
    ],
)
def test_a_step_that_is_not_due(before, now, step, says):
    exchange = before(now)
    refused(exchange, OrderError, says, *exchange.command(step))


@pytest.mark.parametrize("role", ["registry", "unit"])
def test_only_the_list_owner_reveals(before, role):
    exchange = before("reveal")
    refused(exchange, OrderError, "this is the folder of", "reveal", exchange.folder(role), *exchange.secret(role))


def test_a_reveal_is_judged_only_beside_the_acknowledgement(before):
    exchange = before("judge")
    _, *rest = statements(exchange, "unit", REVEAL)
    put(exchange, "unit", b"".join(each.to_bytes() for each in rest), REVEAL)
    refused(exchange, OrderError, "has not come", *exchange.command("judge"))


@pytest.mark.parametrize("step", ["registry result", "list result"])
def test_a_result_is_unpacked_once(before, step):
    exchange = before("end")
    found = exchange.contents()
    assert run(*exchange.command(step)).status == 0
    assert exchange.contents() == found


# --- labels, answers, tables, results that are not the first ones ---


def kinds(labels, size):
    return np.array([labels[at + NONCE] for at in range(0, len(labels), size)])


def relabel(labels, size, old, new):
    at = int(np.flatnonzero(kinds(labels, size) == old)[0]) * size + NONCE
    return labels[:at] + bytes([new]) + labels[at + 1 :]


CHANGES = {
    "a person is called a decoy": (
        lambda labels, size: relabel(labels, size, REAL, DECOY),
        ForgedError,
        "committed to",
    ),
    "a decoy is called a person": (
        lambda labels, size: relabel(labels, size, DECOY, REAL),
        ForgedError,
        "committed to",
    ),
    "another order": (lambda labels, size: labels[size:] + labels[:size], ForgedError, "committed to"),
    "another nonce": (lambda labels, _: bytes([labels[0] ^ 1]) + labels[1:], ForgedError, "committed to"),
    "one row less": (lambda labels, size: labels[size:], ForgedError, "committed to"),
    "hardly any row": (lambda labels, size: labels[:size], FileError, "one label for each row"),
    "a planted decoy is written otherwise": (
        lambda labels, _: labels[:-1] + bytes([labels[-1] ^ 1]),
        ForgedError,
        "planted decoys are not those that were committed to",
    ),
    "more planted decoys": (lambda labels, _: labels + b"x", ForgedError, "planted decoys"),
}


@pytest.mark.parametrize(("change", "kind", "says"), CHANGES.values(), ids=CHANGES)
def test_a_reveal_that_does_not_open_its_commitment(before, change, kind, says):
    exchange = before("judge")
    acknowledgement, reveal, answers = statements(exchange, "unit", REVEAL)
    labels = change(reveal.attachment, label_size(exchange.opened("unit").agreement.terms))
    changed = dataclasses.replace(reveal, attachment=labels)
    changed = signed(exchange, "list", changed, labels=digest(labels).hex())
    put(exchange, "unit", b"".join(each.to_bytes() for each in (acknowledgement, changed, answers)), REVEAL)
    refused(exchange, kind, says, *exchange.command("judge"))


def test_a_second_reveal(before):
    exchange = before("judge")
    _, reveal, _ = statements(exchange, "unit", REVEAL)
    put(exchange, "unit", signed(exchange, "list", reveal, rows_read=1).to_bytes())
    refused(exchange, ForgedError, "more than one reveal", *exchange.command("judge"))


def test_a_second_query(before):
    exchange = before("reveal")
    _, query = statements(exchange, "list", "unit-3-query.pprl")
    ids = query.attachment[::-1]
    other = signed(exchange, "unit", dataclasses.replace(query, attachment=ids), ids=digest(ids).hex())
    put(exchange, "list", other.to_bytes())
    refused(exchange, ForgedError, "more than one query", *exchange.command("reveal"))


def test_answers_to_another_query_or_of_another_size(before):
    exchange = before("judge")
    acknowledgement, reveal, answers = statements(exchange, "unit", REVEAL)
    cut = dataclasses.replace(answers, attachment=answers.attachment[:-16])
    for changed, kind, says in (
        (signed(exchange, "list", answers, answers=["00" * 32]), MismatchError, "answers belongs to another run"),
        (signed(exchange, "list", cut, tags=digest(cut.attachment).hex()), FileError, "do not belong to the query"),
    ):
        put(exchange, "unit", b"".join(each.to_bytes() for each in (acknowledgement, reveal, changed)), REVEAL)
        refused(exchange, kind, says, *exchange.command("judge"))


def test_a_table_that_is_changed_after_the_reveal(before):
    exchange = before("judge")
    table, query = statements(exchange, "unit", TABLE)
    data = table.attachment[:-1] + bytes([table.attachment[-1] ^ 1])
    other = signed(exchange, "unit", dataclasses.replace(table, attachment=data), scores=digest(data).hex())
    path = exchange.folder("unit") / TABLE
    path.write_bytes(other.to_bytes() + query.to_bytes())
    refused(exchange, MismatchError, "belongs to another run", *exchange.command("judge"))
    path.write_bytes(dataclasses.replace(table, attachment=data).to_bytes() + query.to_bytes())
    refused(exchange, ForgedError, "what is attached is not what was signed", *exchange.command("judge"))
    path.unlink()
    refused(exchange, OrderError, "no longer in the folder", *exchange.command("judge"))


@pytest.mark.parametrize("role", ["list", "registry"])
def test_a_second_result(before, role):
    exchange = before(f"{role} result")
    result, *_ = statements(exchange, role, f"unit-4-result-for-the-{role}.pprl")
    put(exchange, role, signed(exchange, "unit", result, evidence_and_audit="00" * 32).to_bytes())
    refused(exchange, ForgedError, "more than one result", *exchange.command(f"{role} result"))


# --- lists and registries with which somebody cheats ---


def with_decoys(monkeypatch, change):
    """The list owner's copy of pprl makes other decoys: ``change`` gets the encodings, the records and the places."""
    made = pprl.exchange.parties.list_owner.encode_list

    def making(people, schema, key, **more):
        encoded, rows = made(people, schema, key, **more)
        known = {handle.tobytes(): at for at, handle in enumerate(encoded.handles)}
        places = np.array([known[rows.handles[at].tobytes()] for at in rows.of_kind(DECOY)])
        change(encoded.bits.words, places, key, schema)
        return encoded, rows

    monkeypatch.setattr(pprl.exchange.parties.list_owner, "encode_list", making)


JUNK = {
    "random bits": lambda bits, draw: draw.permuted(bits, axis=1),  # of the weights that decoys have
    # With ½ for each bit the decoys of one list of 60 in a thousand pass; benchmarks/fabrications.py has lists of 300.
    "bits at random": lambda bits, draw: draw.random(bits.shape) < 0.53,
    "rare names": lambda bits, draw: bits[:, draw.permutation(bits.shape[1])],  # like each other, and like nobody else
}


@pytest.mark.parametrize("kind", JUNK)
def test_decoys_that_are_like_nobody(kind, before, monkeypatch):
    """Beside them everybody on the list would seem to match: the verdict is withheld."""

    def junk(words, places, *_):
        bits = np.unpackbits(words[places].view(np.uint8), axis=1)
        made = np.packbits(JUNK[kind](bits, np.random.default_rng(1)), axis=1)
        words[places] = np.ascontiguousarray(made).view("<u8")

    with_decoys(monkeypatch, junk)
    exchange = before("list rows").upto("registry result", "list rows")
    assert audit_of(exchange)["verdict"]["reasons"] == ["unsound_decoys"]
    assert audit_of(exchange)["verdict"]["code"] == "cannot_tell"


def test_more_decoys_of_the_registry_than_there_may_be(before, monkeypatch):
    """They could be a list of its own, whose best similarities the linkage unit would sign."""
    monkeypatch.setattr(pprl.encode.registry, "decoys_of_registry", lambda _: 7_000)
    exchange = before("registry rows").upto("match", "registry rows")
    refused(exchange, RefusedError, "holds more rows as decoys than it may", *exchange.command("match"))


def test_a_linkage_unit_that_leaves_decoys_of_the_registry_out(before, monkeypatch):
    """Without them nobody could tell forged ones; the auditor counts them in the registry's signed header."""
    whole = OpenPackage.registry_decoys

    def fewer(package):
        decoys = whole(package)
        return RegistryDecoys(BitMatrix(decoys.bits.words[:10]), decoys.shapes[:10])

    monkeypatch.setattr(OpenPackage, "registry_decoys", fewer)
    exchange = before("match").upto("registry result", "match")
    run("transcript", exchange.folder("unit"), "-o", exchange.root / "files", *exchange.secret("unit"))
    with pytest.raises(ForgedError, match="not of all decoys that the registry's owner sent"):
        list(verify_folder(exchange.root / "files", {}))


def test_people_of_the_registry_among_the_decoys(before, monkeypatch):
    """Probes under another label get partners like people, so that nobody of the list stands out; where they are no
    kin of the list, the check of the decoys may see it first."""
    exchange = before("list rows")
    people = load(exchange.roster["registry"], parse_schema(SCHEMA), "registry").people

    def probes(words, places, key, schema):
        theirs = encode_registry(people, schema, key, randomness=Randomness.make(1))[0].bits.words
        words[places] = theirs[np.arange(len(places)) % len(theirs)]

    with_decoys(monkeypatch, probes)
    exchange.upto("registry result", "list rows")
    audit = audit_of(exchange)
    told_nothing = {*UNTRUSTED, "power"}
    assert audit["verdict"]["rung"] == 0 or set(audit["verdict"]["reasons"]) <= told_nothing, audit["verdict"]
    assert not audit["headline"]["found"]["count"]


def test_more_decoys_than_agreed(before, monkeypatch):
    made = pprl.exchange.parties.list_owner.encode_list
    monkeypatch.setattr(
        pprl.exchange.parties.list_owner,
        "encode_list",
        lambda people, schema, *rest, **more: made(people, replaced(schema), *rest, **more),
    )
    exchange = before("list rows").upto("judge", "list rows")
    refused(exchange, RefusedError, "agreed numbers of people, synthetic records", *exchange.command("judge"))


def replaced(schema):
    return dataclasses.replace(schema, decoys=60)


def test_near_doubles_in_a_registry_are_seen(before):
    """A registry owner puts variants of people in: the audit says how many look so, and the report that there are."""
    exchange = before("registry rows")
    with exchange.roster["registry"].open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index("given")
    for row in rows[:750]:
        rows.append([*row[:at], row[at] + "а", *row[at + 1 :]])
    with exchange.roster["registry"].open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    exchange.upto("list result", "registry rows")
    warned = [text for text in audit_of(exchange)["warnings"] if "of the registry have a near double" in text]
    assert len(warned) == 1
    report = json.loads(statements(exchange, "registry", "unit-4-result-for-the-registry.pprl")[0].attachment)
    assert report["warnings"] == ["near_doubles_registry", "see_audit"]
    page = (exchange.folder("registry") / RESULT / PAGE).read_text(encoding="utf-8")
    assert "rows have a near double there: somebody may have added variants" in page


@pytest.fixture(scope="module")
def invented():
    return invent(3).registry.head(500)


@pytest.mark.parametrize("hardening", ["plain", "standard", "high"])
@pytest.mark.parametrize("dated", [True, False])
def test_a_letter_too_few_leaves_near_doubles(invented, hardening, dated):
    """Each variant has one in another name than the next; people without variants have few near them."""
    schema = parse_schema(SCHEMA if dated else WITHOUT_DATE).with_hardening(hardening)
    people = load(invented, schema, "registry", any_age=True).people
    columns = {}
    for turn, (name, column) in enumerate(people.columns.items()):
        shorter = [text[:2] + text[3:] if name in ("surname", "given") else text for text in column.values]
        is_turn = np.arange(len(people)) % 2 == turn
        codes = np.where(is_turn & (column.codes >= 0), column.codes + len(column.values), column.codes)
        columns[name] = Column((*column.values, *shorter), codes.astype(np.int32))
    once, variants = (encode(each, schema, KEY) for each in (people, People(people.rows, columns)))
    examined = BitMatrix(once.words[:200])
    alone, count = near_doubles(examined, [once], schema.parameters)
    probed, _ = near_doubles(examined, [once, variants], schema.parameters)
    assert (count, alone < 0.1 * count, probed > 0.7 * count) == (200, True, True), (alone, probed)


def test_no_alarm_for_true_rosters(played):
    assert not [text for text in audit_of(played["end"])["warnings"] if "near double" in text]


# --- what reaches whom ---


def test_the_registry_owner_gets_the_report_and_no_more(before):
    exchange = before("end")
    (result,) = statements(exchange, "registry", "unit-4-result-for-the-registry.pprl")
    assert {path.name for path in (exchange.folder("registry") / "result").iterdir()} == {"report.html", "report.json"}
    other, release = statements(exchange, "list", "unit-4-result-for-the-list.pprl")
    assert other == result
    assert release.kind is RELEASE
    ours = {path.name for path in (exchange.folder("list") / "result").iterdir()}
    assert ours == {"report.html", "report.json", "PRIVATE-pairs.csv"}
    with (exchange.folder("list") / "result" / "PRIVATE-pairs.csv").open(encoding="utf-8", newline="") as file:
        header, *pairs = csv.reader(file)
    assert header == ["list_row", "list_id", "pair"]
    assert len(pairs) == len({pair for *_, pair in pairs})
    handles = {handle.hex() for handle in exchange_handles(exchange)}
    assert not {pair for *_, pair in pairs} & handles, "the pair is called by the registry's handle"


def exchange_handles(exchange):
    from helpers.taps import handles_of

    return [handle.tobytes() for side in ("list", "registry") for handle in handles_of(exchange, side)]


def test_what_the_registry_owner_gets_does_not_depend_on_who_matched(played, monkeypatch):
    """The rows of the list in another order, so that others are the ones with partners, and everything that belongs to
    a row goes with it. RandomStream are held fixed: they come from a hash of the scores, and say nothing of anybody."""
    exchange = played["end"]
    unit = exchange.opened("unit")
    table, scores = table_of(exchange)
    halves = table.attachment[-32 * len(scores) :]
    terms = unit.agreement.terms
    roots = {"list_root": unit.list_rows.root, "package_root": unit.list_package.root}
    roots["planted"] = unit.list_package.planted
    opened = check_reveal(unit.reveal.attachment, halves, unit.agreement, **roots)
    (statement,) = statements(exchange, "unit", EVIDENCE_FILE)
    evidence = Evidence.from_bytes(statement.attachment)
    planted = PlantedTable.from_bytes(split_reveal(unit.reveal.attachment, halves, terms)[1], "the reveal")
    assert planted is not None
    monkeypatch.setattr(labels, "seed_of", lambda _: b"seed")
    order = RandomStream(b"other people", "order").permutation(len(opened))
    answers = np.frombuffer(unit.answers.attachment, dtype=np.uint8).reshape(evidence.tags.shape)
    others = dataclasses.replace(
        scores, theirs=scores.theirs[order], common=scores.common[order], total=scores.total[order]
    )
    seen = dataclasses.replace(evidence, best=evidence.best[order], tags=evidence.tags[order])
    reports, found = [], []
    for args in (
        (scores, opened, answers, evidence),
        (others, [opened[at] for at in order], answers[order], seen),
    ):
        figures = figures_of(terms, args[0], args[1], unit.reveal.body, args[2].tobytes(), args[3], planted=planted)
        reports.append(figures.report_json())
        found.append(set(figures.pairs["list_row"]))
    assert found[0] != found[1]
    assert len(found[0]) == len(found[1])
    assert reports[0] == reports[1]


# --- the same as link ---


def test_the_report_is_that_of_link(before):
    """On the same rosters, with the same key and decoys. Left out is `confirm`, whose chance the exchange measures
    against four random rows of the registry and link by permuting; and with it the drift of ranks, which is seen only
    where both have the values. How many pairs have a value on both sides, and how many agree, is the same."""
    exchange = before("end")
    (own, theirs), schema = (exchange.opened(role) for role in ("list", "registry")), parse_schema(SCHEMA)
    ours, other = Secrets.derive(own, own.agreement), Secrets.derive(theirs, theirs.agreement)
    hashes = own.list_rows.statement.hash + own.registry_rows.statement.hash
    made_root = derive(ours.seed, own.registry_rows.random, b"pprl/1/decoys\0" + hashes)
    people = {side: load(path, schema, side).people for side, path in exchange.roster.items()}
    seeds = Randomness(ours.seed, made_root)
    encoded, rows = encode_list(people["list"], schema, ours.key, planted=True, randomness=seeds)
    randomness = Randomness(other.seed, other.seed)
    their_encoded, their_rows = encode_registry(people["registry"], schema, other.key, randomness=randomness)
    plain = judge(match_encodings(encoded, their_encoded), rows, their_rows, encodings=encoded).audit
    audit = audit_of(exchange)
    plain = json.loads(json.dumps(plain))
    for each in (plain, audit):
        assert each["copy_check"].pop("rank_drift") is None or each is plain
    assert audit["headline"]["missed_match_basis"] == "assumed"
    assert plain.keys() == audit.keys()
    assert {key for key in plain if plain[key] != audit[key]} == {"confirm"}
    counts = ("field", "compared", "missing", "agree")
    one, other = ([[each[key] for key in counts] for each in figures["confirm"]] for figures in (plain, audit))
    assert sorted(one) == sorted(other)
    assert any(missing > 0 for _, _, missing, _ in one)


# --- the end of an exchange ---


@pytest.mark.parametrize("role", PARTIES)
def test_an_exchange_is_destroyed(before, role):
    exchange = before("end")
    folder = exchange.folder(role)
    was = {path.name for path in folder.rglob("*") if path.is_file()}
    private = {path.name for path in folder.iterdir() if "PRIVATE-" in path.name}
    refused(exchange, RefusedError, "nothing is removed without asking", "destroy", folder)
    done = run("destroy", folder, "--yes")
    assert done.status == 0
    assert {path.name for path in folder.rglob("*") if path.is_file()} == was - private
    for text in (
        *private,
        "what survives",
        "copies on this disk",
        "still holds the linkage key",
        "only the word of the others",
    ):
        assert text in done.out
    mine = [step for step, whose in STEPS.items() if whose == role and step not in ("accept", "receipt")]
    steps = [exchange.command(step) for step in mine]
    steps += [["transcript", folder, "-o", exchange.root / "auditor", *exchange.secret(role)]]
    steps += [["destroy", folder, "--yes"]]
    steps += [["agree", folder, "--accept", "00000000", *exchange.secret(role)]]
    for words in steps:
        refused(exchange, FileError, "holds no keystore", *words)


def test_an_auditors_folder_outlives_the_exchange(before):
    exchange = before("end")
    folder = exchange.transcript()
    heard = exchange.words_file()
    for role in PARTIES:
        assert run("destroy", exchange.folder(role), "--yes").status == 0
    assert run("verify", folder, "--words-file", heard).status == 0


def test_private_things_of_a_run_that_was_killed_go_too(before):
    exchange = before("end")
    without(exchange, "list", *(name for name in BY_NAME if (exchange.folder("list") / name).exists()))
    left = exchange.folder("list") / ".PRIVATE-rows.part.0011aabb.part"
    left.write_bytes(b"rows")
    assert run("destroy", exchange.folder("list"), "--yes").status == 0
    assert not left.exists()
