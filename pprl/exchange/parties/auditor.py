"""The auditor's side: check every statement of an exchange, and compute every figure again.

A transcript has fixed file names; none may be missing and none may be added. An auditor needs no key. The public keys
are in the cards, and the cards are those of the parties if they give the words that the parties read out on a call. An
auditor who had a card from the beginning gets the same files sealed (docs/protocol.md §11).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pprl.core.errors import FileError, ForgedError, MismatchError, PprlError
from pprl.core.planted import PlantedTable
from pprl.core.scores import Scores
from pprl.exchange.parties.linkage_unit import open_table
from pprl.exchange.parties.party import Party, Words
from pprl.exchange.parties.transcript import open_files, read_files, write_files
from pprl.exchange.protocol.cards import Card, check_heard, order, words_of
from pprl.exchange.protocol.commitments import Opening
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.messages import (
    ACCEPTANCE,
    CARD,
    PROPOSAL,
    TRANSCRIPT_FIGURES,
    TRANSCRIPT_STATEMENTS,
    StatementKind,
)
from pprl.exchange.protocol.roles import TITLES, Role
from pprl.exchange.protocol.statements import AGAIN, Statement, read_statements, signer_of
from pprl.exchange.record import Judged, read_judged
from pprl.exchange.replay import Evidence, figures_of
from pprl.report import render, text
from pprl.report.record import load

CARDS, AGREEMENT, COMMITMENTS, PACKAGES, SCORES, LABELS, RESULT, EVIDENCE = TRANSCRIPT_STATEMENTS
AUDIT, REPORT, PAGE = TRANSCRIPT_FIGURES

Cards = Mapping[Role, Card]
Statements = Mapping[str, list[Statement]]
Render = Callable[[bytes], bytes]


def page_of(report: bytes) -> bytes:
    """The page that the linkage unit makes from report.json."""
    return render(load(report)).encode()


@dataclass(frozen=True)
class Auditor(Party):
    """Has a card from the beginning, and gets the transcript sealed."""

    role: ClassVar[Role] = "auditor"

    def verify(self, heard: Mapping[Role, str] | None = None) -> Iterator[str]:
        """Check the sealed transcript; yields a line for each check that passed. ``heard`` are words to check again.

        OrderError: there is not exactly one, or the words have not been compared. FileError, ForgedError,
        MismatchError: what is wrong, and in which file.
        """
        folder = self.read()
        yield from verify_files(open_files(folder), heard or {}, known=folder.cards)

    def write_transcript(self, path: Path | str) -> list[Path]:
        """Write the files of the sealed transcript into a new folder."""
        return write_files(Path(path), open_files(self.read()))


def verify_folder(
    path: Path, heard: Mapping[Role, str], *, words: Callable[[Cards], Words] = words_of, page: Render = page_of
) -> Iterator[str]:
    """Check the folder of a transcript; yields a line for each check that passed.

    ``heard`` are the words that parties read out on a call. FileError, ForgedError, MismatchError: what is wrong, and
    in which file.
    """
    # (1) exactly the files of a transcript
    files = read_files(path)
    yield f"files: {len(files)}, none missing, none added"
    yield from verify_files(files, heard, words=words, page=page)


def verify_files(
    files: Mapping[str, bytes],
    heard: Mapping[Role, str],
    *,
    known: Cards | None = None,
    words: Callable[[Cards], Words] = words_of,
    page: Render = page_of,
) -> Iterator[str]:
    """The other checks. ``known`` are the cards whose words this auditor has compared; ``words`` and ``page`` are the
    slow functions, which may be given with a memory."""
    # (2) statements: form, file, signatures by the cards, order, each on those before it
    statements = _read_all(files)
    record = _verified(statements)
    titles = {role: f"{card.name} ({TITLES[role]})" for role, card in record.cards.items()}
    yield f"parties: {', '.join(titles.values())}; exchange {record.cards['unit'].exchange}"
    yield f"signatures and order: {sum(map(len, statements.values()))} statements, each on those before it"
    # (3) the words that were read out on a call are those of these cards
    yield from _check_words(record.cards, titles, heard, words)
    if known:
        _same_cards(record.cards, known)
        yield "words: the cards are those whose words you compared"
    # (4) what can be read without pprl is what was signed: the report, the page made from it, the audit
    _check_figures_signed(record, files, page)
    yield f"page: {PAGE} is made from {REPORT} and nothing else"
    # (5) the labels open what was committed to before the scores were known
    scores, openings, planted = _opened(record)
    if len(scores.decoys) != statements[PACKAGES][1].body["decoys"]:
        raise ForgedError(f"{SCORES}: not of all decoys that the registry's owner sent", hint=AGAIN)
    yield f"openings: {len(openings):,} labels give both roots that were committed to before the scores"
    # (6) every figure again
    verdict = _check_figures(record, files, scores, openings, planted)
    yield "figures: audit.json and report.json follow from scores, labels and evidence, to the last digit"
    yield f"verdict: {verdict}"
    # Two things are not checked, on purpose: the packages are not here, and no file can show that a roster is true.
    yield "not checked: that the scores are those of the packages (the linkage unit is trusted for that), and that"
    yield "the owners' rosters are true"


def _read_all(files: Mapping[str, bytes]) -> dict[str, list[Statement]]:
    """The statements of all files, in the right file and each with what belongs to it."""
    statements = {}
    for name in TRANSCRIPT_STATEMENTS:
        with naming(name):
            statements[name] = list(read_statements(files[name], name))
    for name, kinds in TRANSCRIPT_STATEMENTS.items():
        _require_kinds(name, [statement.kind for statement in statements[name]], kinds)
    for name, group in statements.items():
        for statement in group:
            # The shares of the key are for nobody else's eyes; everything else must be complete.
            if statement.kind.attachment and statement.kind not in (PROPOSAL, ACCEPTANCE):
                with naming(name):
                    if not statement.attachment_fits():
                        raise FileError(f"{statement.title}: comes without its attachment", hint=AGAIN)
    return statements


def _require_kinds(name: str, found: list[StatementKind], kinds: tuple[StatementKind, ...]) -> None:
    if name == CARDS:
        if any(kind is not CARD for kind in found):
            raise FileError(f"{name}: holds something other than cards", hint=AGAIN)
    elif tuple(found) != kinds:
        raise FileError(f"{name}: does not hold the statements that belong there", hint=AGAIN)


def _verified(statements: Statements) -> Judged:
    """The record that the statements make. Anything that was changed is reported with the name of its file."""
    _require_signatures(statements)
    with naming("the statements"):
        record = read_judged([statement for group in statements.values() for statement in group])
    with naming(PACKAGES):
        _require_headers(statements[PACKAGES], record)
    return record


def _require_signatures(statements: Statements) -> None:
    with naming(CARDS):
        cards = {card.role: card for card in map(Card.from_statement, statements[CARDS])}
        if len(cards) < len(statements[CARDS]):
            raise ForgedError("there are two cards of one role", hint=AGAIN)
        order(cards)
    for name, group in statements.items():
        for statement in group if name != CARDS else ():
            with naming(name):
                signer = signer_of(statement)
                if signer not in cards:
                    raise FileError(f"{statement.title}: does not name a party of this exchange", hint=AGAIN)
                statement.verify(cards[signer].keys)


def _require_headers(headers: list[Statement], record: Judged) -> None:
    """The headers are those that the score table names, of packages with the rows that were committed to."""
    if [header.hash.hex() for header in headers] != record.table.body["answers"][1:]:
        raise MismatchError("the headers are not those that the scores name", hint=AGAIN)
    roots = {"list": record.list_package.root, "registry": record.registry_rows.root}
    for header, (role, root) in zip(headers, roots.items(), strict=True):
        found = {key: header.body.get(key) for key in ("agreement", "answers", "role", "root")}
        wanted = {"agreement": record.agreement.hash.hex(), "answers": [record.receipt.hash.hex()]}
        if found != {**wanted, "role": role, "root": root.hex()}:
            raise MismatchError("a header is not of a package that was committed to", hint=AGAIN)


def _check_words(
    cards: Cards, titles: Mapping[Role, str], heard: Mapping[Role, str], words: Callable[[Cards], Words]
) -> Iterator[str]:
    expected = words(cards) if heard else {}
    for role, typed in heard.items():
        if role not in expected:
            raise MismatchError(
                f"there is no {TITLES[role]} in this exchange", hint="take the line out of the file of words"
            )
        check_heard(typed, expected[role], role)
        yield f"words: those of {titles[role]} are right"


def _same_cards(cards: Cards, known: Cards) -> None:
    if {role: card.statement.hash for role, card in known.items()} != {
        role: card.statement.hash for role, card in cards.items()
    }:
        raise MismatchError(f"{CARDS}: not the cards whose words you compared", hint="ask the linkage unit")


def _check_figures_signed(record: Judged, files: Mapping[str, bytes], page: Render) -> None:
    _same(record.result.attachment, files[REPORT], REPORT)
    evidence = record.evidence
    hidden = digest(evidence.bytes_of("nonce", 32), digest(evidence.attachment), digest(files[AUDIT]))
    if hidden.hex() != record.result.body["evidence_and_audit"]:
        raise ForgedError(f"{AUDIT}: is not, with {EVIDENCE}, what the result was made from", hint=AGAIN)
    _same(page(files[REPORT]), files[PAGE], PAGE)


def _opened(record: Judged) -> tuple[Scores, list[Opening], PlantedTable | None]:
    with naming(SCORES):
        scores, halves = open_table(record.table)
    with naming(LABELS):
        return scores, record.openings(halves), record.planted(halves)


def _check_figures(
    record: Judged,
    files: Mapping[str, bytes],
    scores: Scores,
    openings: list[Opening],
    planted: PlantedTable | None,
) -> str:
    """The sentence of the verdict, as published. ForgedError: a figure does not follow."""
    version = str(_json(files[AUDIT], AUDIT).get("version", ""))
    with naming(EVIDENCE):
        figures = figures_of(
            record.agreement.terms,
            scores,
            openings,
            record.reveal.body,
            record.answers.attachment,
            Evidence.from_bytes(record.evidence.attachment),
            planted=planted,
            version=version,
        )
    _same(figures.audit_json(), files[AUDIT], AUDIT)
    _same(figures.report_json(), files[REPORT], REPORT)
    return text.Words("en")(f"rung.{figures.verdict.code}")


def _json(data: bytes, name: str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FileError(f"{name}: is not what it should be", hint=AGAIN)
    return value


def _same(computed: bytes, received: bytes, name: str) -> None:
    if computed != received:
        raise ForgedError(
            f"{name}: does not follow from the signed files", hint="somebody changed it, or made it another way"
        )


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Name in a refusal the file that it is about."""
    try:
        yield
    except PprlError as error:
        if str(error).startswith(name):
            raise
        raise type(error)(f"{name}: {error}", hint=error.hint) from None
