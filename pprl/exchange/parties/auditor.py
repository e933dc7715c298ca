"""What an auditor gets, and how he checks it: every statement of an exchange, and every figure again.

The files have fixed names, none may be missing and none may be there besides. An auditor needs no key: public keys are
in the cards, and the cards are those of the parties if the words that he was told on a call are those that they give.
One who had a card from the beginning gets the same files sealed (docs/protocol.md §11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pprl.core import container
from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError, PprlError
from pprl.exchange.folder import Matter, Record, read_transcript, say
from pprl.exchange.parties.linkage_unit import AUDIT, EVIDENCE, headers_of, open_table, own_query, own_table
from pprl.exchange.protocol.cards import TITLES, Card, Role, check_heard, order, words_of
from pprl.exchange.protocol.crypto import WrongError, digest
from pprl.exchange.protocol.reveal import TRANSCRIPT, check_reveal
from pprl.exchange.protocol.statements import AGAIN, Statement, bytes_of, read_statements
from pprl.exchange.protocol.statements import KINDS as NAMED
from pprl.exchange.replay import Evidence, figures_of
from pprl.report import render
from pprl.report.record import load

CARDS, AGREEMENT, COMMITMENTS = "01-cards.pprl", "02-agreement.pprl", "03-commitments.pprl"
PACKAGES, SCORES, LABELS = "04-packages.pprl", "05-scores.pprl", "06-labels.pprl"
RESULT, OF_UNIT = "07-result.pprl", "08-evidence.pprl"
STATEMENTS = (CARDS, AGREEMENT, COMMITMENTS, PACKAGES, SCORES, LABELS, RESULT, OF_UNIT)
AUDIT_FILE, REPORT, PAGE = "audit.json", "report.json", "report.html"
NAMES = (*STATEMENTS, AUDIT_FILE, REPORT, PAGE)
MAX_BYTES = 1 << 30


def transcript_of(matter: Matter) -> dict[str, bytes]:
    """The auditor's files, by name. OrderError: there is no result yet."""
    end, agreement = matter.ending, matter.ready()
    if matter.role != "unit" or end.result is None:
        raise OrderError(
            "there is no result in this folder yet", hint="the linkage unit judges first: pprl next FOLDER"
        )
    evidence = matter.folder / EVIDENCE
    if not evidence.exists() or not (matter.folder / AUDIT).exists():
        raise OrderError(f"{EVIDENCE} is not in the folder any more", hint="without it no figure can be repeated")
    assert matter.list_rows
    assert matter.registry_rows
    assert matter.list_package
    assert matter.receipt
    assert end.acknowledgement
    assert end.reveal
    assert end.answers
    table, query = own_table(matter), own_query(matter)
    commitments = [each.statement for each in (matter.list_rows, matter.registry_rows, matter.list_package)]
    report = end.result.attachment
    files: dict[str, list[Statement]] = {
        CARDS: [card.statement for card in order(matter.cards)],
        AGREEMENT: [agreement.proposal.statement.detached(), agreement.acceptance.detached()],
        COMMITMENTS: [*commitments, matter.receipt],
        PACKAGES: headers_of(matter),
        SCORES: [table, query],
        LABELS: [end.acknowledgement, end.reveal, end.answers],
        RESULT: [end.result],
    }
    return {
        **{name: b"".join(each.to_bytes() for each in statements) for name, statements in files.items()},
        OF_UNIT: evidence.read_bytes(),
        AUDIT_FILE: (matter.folder / AUDIT).read_bytes(),
        REPORT: report,
        PAGE: render(load(report)).encode(),
    }


def seal_transcript(matter: Matter) -> Statement:
    """The same, sealed for the auditor of the matter and signed. OrderError: he has no card in it."""
    files, (agreement, result) = transcript_of(matter), (matter.ready(), matter.ending.result)
    assert result
    if "auditor" not in matter.cards:
        raise OrderError("there is no auditor in this matter", hint="-o FOLDER writes the transcript unsealed")
    plain = b"".join(len(data).to_bytes(8, "little") + data for data in files.values())
    sealed = matter.cards["auditor"].keys.seal(plain, TRANSCRIPT + result.hash)
    return say(matter, b"pprl-trn", agreement, [result], sealed)


def open_transcript(matter: Matter) -> dict[str, bytes]:
    """The files that were sealed for us.

    OrderError: none came, or several. ForgedError: changed, or not of the linkage unit whose words we heard.
    """
    if matter.role != "auditor" or len(matter.transcripts) != 1:
        raise OrderError(
            f"this is not an auditor's folder with one sealed transcript in it: {len(matter.transcripts)} are here",
            hint="the linkage unit makes one: pprl transcript",
        )
    if not matter.heard:
        raise OrderError("the words of the others were not compared yet", hint="pprl agree, on a call with them")
    (told,) = matter.transcripts
    told.expect(agreement=str, answers=list, role=str, sealed=str)
    told.verify(matter.cards["unit"].keys)
    answers = told.body["answers"]
    if len(answers) != 1 or digest(told.attachment) != told.bytes_of("sealed", 32):
        raise ForgedError("a transcript: what is attached is not what was signed", hint=AGAIN)
    try:
        plain = matter.keystore.keys.open(told.attachment, TRANSCRIPT + bytes_of(answers[0], 32, "a transcript"))
    except WrongError:
        raise ForgedError("a transcript: does not open", hint="it was sealed for somebody else, or changed") from None
    data, at = {}, 0
    for name in NAMES:
        size = int.from_bytes(plain[at : at + 8], "little")
        data[name] = plain[at + 8 : at + 8 + size]
        at += 8 + size
    if at != len(plain):
        raise FileError("a transcript: is not whole", hint=AGAIN)
    return data


def verify_folder(folder: Path, heard: Mapping[Role, str]) -> Iterator[str]:
    """Check an auditor's folder; yields a line for each step that held.

    FileError, ForgedError, MismatchError: what does not hold, and in which file.
    """
    # (1) exactly the files that a transcript has
    data = _files(folder)
    yield f"files: {len(data)}, none missing, none besides"
    yield from verify_files(data, heard)


def verify_files(
    data: Mapping[str, bytes], heard: Mapping[Role, str], known: Mapping[Role, Card] | None = None
) -> Iterator[str]:
    """The other steps. ``known`` are the cards of which an auditor compared the words himself."""
    # (2) statements: form, place, signatures by the cards, order, each upon those before it
    statements = {}
    for name in STATEMENTS:
        with naming(name):
            statements[name] = list(read_statements(data[name], name))
    _require_places(statements)
    _require_signatures(statements)
    with naming("the statements"):
        told = read_transcript([one for each in statements.values() for one in each])
    assert told.agreement
    assert told.list_rows
    assert told.registry_rows
    assert told.list_package
    end, table = told.ending, told.table
    assert table
    assert end.reveal
    assert end.answers
    assert end.result
    assert end.evidence
    with naming(PACKAGES):
        _require_headers(statements[PACKAGES], told)
    cards = {role: f"{card.name} ({TITLES[role]})" for role, card in told.cards.items()}
    yield f"parties: {', '.join(cards.values())}; matter {next(iter(told.cards.values())).matter}"
    yield f"signatures and order: {sum(map(len, statements.values()))} statements, each upon those before it"
    # (3) the words that were told on a call are those of these cards
    words = words_of(told.cards)
    for role, typed in heard.items():
        if role not in words:
            raise MismatchError(
                f"there is no {TITLES[role]} in this matter", hint="take the line out of the words file"
            )
        check_heard(typed, words[role], role)
        yield f"words: those of {cards[role]} are right"
    if known:
        if {role: card.statement.hash for role, card in known.items()} != {
            role: card.statement.hash for role, card in told.cards.items()
        }:
            raise MismatchError(f"{CARDS}: not the cards whose words you compared", hint="ask the linkage unit")
        yield "words: the cards are those whose words you compared"
    # (4) what may be read without pprl is what was signed: the report, the page made of it, the audit
    _same(end.result.attachment, data[REPORT], REPORT)
    hidden = digest(end.evidence.bytes_of("nonce", 32), digest(end.evidence.attachment), digest(data[AUDIT_FILE]))
    if hidden.hex() != end.result.body["evidence_and_audit"]:
        raise ForgedError(f"{AUDIT_FILE}: is not, with {OF_UNIT}, what the result was made of", hint=AGAIN)
    _same(render(load(data[REPORT])).encode(), data[PAGE], PAGE)
    yield "page: report.html is report.json and nothing else"
    # (5) the labels open what was committed to before the scores were known
    with naming(SCORES):
        scores, halves = open_table(table)
    with naming(LABELS):
        opened = check_reveal(
            end.reveal.attachment,
            halves,
            told.agreement,
            list_root=told.list_rows.root,
            package_root=told.list_package.root,
        )
    yield f"openings: {len(opened):,} labels give both roots that were committed to before the scores"
    # (6) every figure again
    with naming(OF_UNIT):
        evidence = Evidence.from_bytes(end.evidence.attachment)
    version = str(_json(data[AUDIT_FILE], AUDIT_FILE).get("version", ""))
    terms = told.agreement.terms
    with naming(OF_UNIT):
        figures = figures_of(terms, scores, opened, end.reveal.body, end.answers.attachment, evidence, version=version)
    _same(figures.audit_json(), data[AUDIT_FILE], AUDIT_FILE)
    _same(figures.report_json(), data[REPORT], REPORT)
    yield "figures: audit.json and report.json follow from scores, labels and evidence, to the last digit"
    yield f"verdict: {figures.verdict.code}"
    # Not checked, on purpose: that the scores are those of the packages, which are not here, and that rosters are true.
    yield "not checked: that the scores are those of the packages (the linkage unit is trusted for them), and that"
    yield "what the owners put in is true"


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise FileError(f"{container.called(folder)}: is no folder", hint="name the folder that `pprl transcript` made")
    there = {path.name for path in folder.iterdir()}
    if missing := [name for name in NAMES if name not in there]:
        raise FileError(f"{missing[0]} is missing", hint=AGAIN)
    if more := sorted(there - set(NAMES)):
        raise FileError(
            f"{more[0]} does not belong into the folder", hint="a transcript holds nothing else: take it out"
        )
    data = {}
    for name in NAMES:
        path = folder / name
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise FileError(f"{name}: is no file of a transcript", hint=AGAIN)
        data[name] = path.read_bytes()
    return data


def _require_places(statements: Mapping[str, list[Statement]]) -> None:
    """Every statement in its file, once: what stands twice or elsewhere was put there by somebody."""
    kinds = {
        AGREEMENT: [b"pprl-prp", b"pprl-acc"],
        COMMITMENTS: [b"pprl-com", b"pprl-com", b"pprl-com", b"pprl-rcp"],
        PACKAGES: [b"pprl-hdr", b"pprl-hdr"],
        SCORES: [b"pprl-tab", b"pprl-ask"],
        LABELS: [b"pprl-ack", b"pprl-rev", b"pprl-ans"],
        RESULT: [b"pprl-res"],
        OF_UNIT: [b"pprl-evi"],
    }
    for name, wanted in kinds.items():
        if [each.kind for each in statements[name]] != wanted:
            raise FileError(f"{name}: does not hold the statements that belong there", hint=AGAIN)
    if any(each.kind != b"pprl-crd" for each in statements[CARDS]):
        raise FileError(f"{CARDS}: holds something other than cards", hint=AGAIN)
    for name, each in ((name, each) for name, some in statements.items() for each in some):
        named = NAMED[each.kind]
        # The shares of the key are for nobody's eyes; everything else is there, and is what its statement names.
        if named and each.kind not in (b"pprl-prp", b"pprl-acc"):
            with naming(name):
                if named not in each.body or digest(each.attachment) != each.bytes_of(named, 32):
                    raise FileError(f"{each.says}: comes without what belongs to it", hint=AGAIN)


#: Who signs a statement, where its body does not say it.
SIGNERS: dict[bytes, Role] = {b"pprl-prp": "list", b"pprl-acc": "registry"}


def _require_signatures(statements: Mapping[str, list[Statement]]) -> None:
    """Whatever was changed on the way is named by the file that it stands in."""
    with naming(CARDS):
        cards = {card.role: card for card in map(Card.of, statements[CARDS])}
        if len(cards) < len(statements[CARDS]):
            raise ForgedError("there are two cards of one role", hint=AGAIN)
        order(cards)
    for name, each in ((file, one) for file in STATEMENTS[1:] for one in statements[file]):
        with naming(name):
            role = SIGNERS.get(each.kind) or each.body.get("role")
            if not isinstance(role, str) or role not in cards:
                raise FileError(f"{each.says}: names nobody of this matter", hint=AGAIN)
            each.verify(cards[role].keys)


def _require_headers(headers: list[Statement], told: Record) -> None:
    """The headers are those that the scores were made of, of packages that hold what was committed to."""
    assert told.agreement
    assert told.table
    assert told.receipt
    assert told.registry_rows
    assert told.list_package
    if [each.hash.hex() for each in headers] != told.table.body["answers"][1:]:
        raise MismatchError("the headers are not those that the scores name", hint=AGAIN)
    roots = {"list": told.list_package.root, "registry": told.registry_rows.root}
    for header, (role, root) in zip(headers, roots.items(), strict=True):
        said = {key: header.body.get(key) for key in ("agreement", "answers", "role", "root")}
        wanted = {"agreement": told.agreement.hash.hex(), "answers": [told.receipt.hash.hex()]}
        if said != {**wanted, "role": role, "root": root.hex()}:
            raise MismatchError("a header is not of a package that was committed to", hint=AGAIN)


def _json(data: bytes, name: str) -> dict[str, object]:
    import json

    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise FileError(f"{name}: is not what it should be", hint=AGAIN)
    return told


def _same(made: bytes, given: bytes, name: str) -> None:
    if made != given:
        raise ForgedError(
            f"{name}: is not what follows from the signed files", hint="somebody changed it, or made it another way"
        )


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Say in a refusal which file it is about."""
    try:
        yield
    except PprlError as error:
        if str(error).startswith(name):
            raise
        raise type(error)(f"{name}: {error}", hint=error.hint) from None
