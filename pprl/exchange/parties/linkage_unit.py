"""The linkage unit's side: sign for the commitments, compare the packages, sign the scores, judge.

It holds no linkage key and no label. The scores are finished and signed before anybody says which rows are synthetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.bits import BitMatrix
from pprl.core.encodings import Encodings, numbered_handles
from pprl.core.errors import FileError, MismatchError, OrderError
from pprl.core.hardening import ParameterSet
from pprl.core.scores import KEEP, Scores
from pprl.exchange.folder import ExchangeFolder, agreed_parameters, make_receipt, sign_statement, write_statements
from pprl.exchange.parties.packages import (
    OpenPackage,
    UnitRandomness,
    numbers_of,
    pseudonyms,
    refuse_sizes,
    tags_of,
)
from pprl.exchange.parties.party import Party, refuse_to_sign, require_code
from pprl.exchange.parties.transcript import AUDIT_FILE, EVIDENCE_FILE, seal_files, transcript_files, write_files
from pprl.exchange.protocol.agreement import Proposal, Terms
from pprl.exchange.protocol.commitments import LABEL_HASH, Opening
from pprl.exchange.protocol.crypto import derive, digest, mac
from pprl.exchange.protocol.messages import (
    EVIDENCE,
    QUERY,
    QUERY_FILE,
    RECEIPT_FILE,
    RELEASE,
    RESULT,
    RESULT_FILES,
    SCORE_TABLE,
    SCORES_FILE,
    TRANSCRIPT_FILE,
)
from pprl.exchange.protocol.reveal import REAL, RELEASE_PURPOSE, SPELLING
from pprl.exchange.protocol.roles import Role
from pprl.exchange.protocol.statements import AGAIN, Statement, canonical, read_statements
from pprl.exchange.record import Committed, Received, Revealed, answers_receipt
from pprl.exchange.replay import Evidence, figures_of, private_rows
from pprl.judge.assessment import Assessment
from pprl.judge.labels import diagnose_decoys
from pprl.match import search
from pprl.match.encodings import once_each, scores_of, with_decoys, without_decoys

TABLE = "PRIVATE-scores.pprl"
CHECKPOINT = "PRIVATE-match.checkpoint"
NEAR_PLAIN = 0.92  # similarity of two rows that differ by a typing slip, .95 on average, or by less
SLIP = 0.72  # share of their positions that such rows have in common; .65 to .9, the more fields the more
SAMPLE = 1_000  # rows of the registry that are examined for near doubles

Ints = NDArray[np.int64]
Find = Callable[..., search.Candidates]
Searching = Callable[[int, int], AbstractContextManager[Callable[[int], None] | None]]


def no_progress(_pairs: int, _rows: int) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class LinkageUnit(Party):
    """Compares the two packages, without a key and without knowing which rows are synthetic."""

    role: ClassVar[Role] = "unit"

    def terms_to_sign(self) -> Proposal:
        """The terms, to be read before the receipt is signed.

        OrderError: a commitment is missing, or the receipt is made already. MismatchError: the owners' keys differ.
        RefusedError: the terms have expired.
        """
        folder = self.read()
        agreement = folder.ready()
        if folder.receipt is not None:
            raise OrderError(f"the receipt is made already: {RECEIPT_FILE.name}", hint="send it to both owners")
        committed = Committed.from_record(folder)
        agreed_parameters(agreement, committed.list_rows, committed.registry_rows)
        refuse_to_sign(folder, agreement.proposal)
        return agreement.proposal

    def sign_receipt(self, code: str) -> Path:
        """Sign the terms that have this code, and for what both owners committed to.

        OrderError: out of turn. ForgedError: the code of other terms.
        """
        require_code(self.terms_to_sign(), code)
        folder = self.read()
        second = Committed.from_record(folder).list_package.statement
        return write_statements(folder, RECEIPT_FILE, make_receipt(folder), second)

    def package_hash(self) -> bytes:
        """The hash that ties a checkpoint of the search to its packages: of the signed headers of both."""
        folder = self.read()
        return digest(*(header.hash for header in headers_of(folder)))

    def match(self, *, find: Find = search.best, searching: Searching = no_progress) -> Scores | None:
        """Compare the packages, and sign the scores and the query about confirm fields.

        ``find`` is `pprl.match.search.best` or another search with its result; ``searching`` takes the number of pairs
        and of rows on the list, and yields a callback for the progress. None: an interrupted run had signed the scores
        already.

        OrderError: out of turn. ForgedError, MismatchError, FileError: what is wrong with which package. RefusedError:
        more or fewer rows than were agreed.
        """
        if self.publish_scores():
            return None
        folder = self.read()
        table, query, scores = match_packages(folder, find=find, searching=searching)
        path = folder.path / TABLE
        container.write_new(path, [table.to_bytes(), query.to_bytes()], private=True)
        _write_scores_files(folder, table, query)
        return scores

    def publish_scores(self) -> bool:
        """Write the files for the owners if an interrupted run had signed the scores already; False if it had not, or
        if both files are there.

        ForgedError, MismatchError: the table is not ours, or of another run.
        """
        folder = self.read()
        if not folder.holds(TABLE) or all(folder.holds(file.name) for file in (QUERY_FILE, SCORES_FILE)):
            return False
        folder.ready()
        table, query = _read_table(folder)
        _write_scores_files(folder, table, query)
        return True

    def judge(self) -> Assessment | None:
        """Open the labels, judge, and write the results for both owners and the evidence for an auditor.

        None: an interrupted run had judged already. OrderError: out of turn. ForgedError, FileError, RefusedError:
        labels or answers that are not what was committed to.
        """
        folder = self.read()
        if _publish_result(folder):
            return None
        judgement = judge_exchange(folder)
        container.write_new(folder.path / EVIDENCE_FILE, [judgement.evidence.to_bytes()], private=True, force=True)
        container.write_new(folder.path / AUDIT_FILE, [judgement.figures.audit_json()], private=True, force=True)
        for_list = [judgement.result, *([judgement.release] if judgement.release else [])]
        write_statements(folder, RESULT_FILES["list"], *for_list, force=True)
        write_statements(folder, RESULT_FILES["registry"], judgement.result, force=True)
        return judgement.figures

    def seal_transcript(self) -> Path:
        """Write the transcript, sealed for the auditor of this exchange.

        OrderError: there is no result yet, or no auditor has a card.
        """
        folder = self.read()
        return write_statements(folder, TRANSCRIPT_FILE, seal_files(folder, self._transcript(folder)))

    def write_transcript(self, path: Path | str) -> list[Path]:
        """Write the transcript into a new folder, for any auditor. OrderError: there is no result yet."""
        return write_files(Path(path), self._transcript(self.read()))

    def _transcript(self, folder: ExchangeFolder) -> dict[str, bytes]:
        if folder.result is None:
            raise OrderError("there is no result in this folder yet", hint="pprl next FOLDER says what is due")
        return transcript_files(folder, table=own_table(folder), headers=headers_of(folder))


def match_packages(
    folder: ExchangeFolder, *, find: Find = search.best, searching: Searching = no_progress
) -> tuple[Statement, Statement, Scores]:
    """The signed score table of both packages, and the query that goes to the list owner with it."""
    terms = folder.ready().terms
    if folder.table is not None or folder.holds(TABLE):
        raise OrderError(
            "the scores are made and signed already", hint=f"send {SCORES_FILE.name} to the registry owner"
        )
    if folder.receipt is None:
        raise OrderError("the receipt is not made yet", hint="pprl agree FOLDER, once all commitments have come")
    list_package, registry_package = OpenPackage.of_owner(folder, "list"), OpenPackage.of_owner(folder, "registry")
    refuse_sizes(terms, list_package, registry_package)
    words, halves = list_package.whole_list()
    decoys = registry_package.registry_decoys()
    ours = with_decoys(BitMatrix(words), decoys)
    # Nothing leaves this function before the last segment is read: only then is the root of the rows checked.
    with searching(len(ours) * registry_package.rows, len(ours)) as progress:
        found = find(ours, registry_package.bits(), keep=KEEP, progress=progress)
    found, of_decoys = without_decoys(found, decoys)
    candidates = once_each(found, lambda rows: registry_package.bits_of(rows).words)
    randomness = UnitRandomness.from_folder(folder)
    secret = randomness.pseudonym_key()
    scores = scores_of(
        candidates,
        of_decoys,
        list_package.sealed.contents.parameters,
        numbered_handles(len(words)),  # by its handle the owner would recognise a row
        lambda rows: pseudonyms(secret, rows),
        registry_package.sealed.contents.rows_read,
        registry_package.rows,
    )
    headers = [package.sealed.contents.statement for package in (list_package, registry_package)]
    attachment = container.preamble(b"pprl-sco") + scores.to_bytes() + halves
    table = sign_statement(folder, SCORE_TABLE, [folder.receipt, *headers], attachment)
    asked, _ = randomness.asked(candidates.theirs[:, 0], registry_package.rows)
    ids = tags_of(registry_package.rest_of(asked), registry_package.layout, asked)[..., 0, :]
    return table, sign_statement(folder, QUERY, [table], ids.tobytes()), scores


@dataclass(frozen=True)
class Judgement:
    """What the linkage unit signs in the end."""

    result: Statement  # with the disclosed report; for both owners
    release: Statement | None  # which rows of the list matched, sealed for its owner
    evidence: Statement  # for the auditor
    figures: Assessment


def judge_exchange(folder: ExchangeFolder) -> Judgement:
    """Open the labels and judge."""
    terms = folder.ready().terms
    if folder.result is not None:
        raise OrderError("the result is made already", hint="send it to both owners: pprl next FOLDER")
    if folder.table is None:
        raise OrderError("the scores are not made yet", hint="pprl match FOLDER")
    # (12) no label is looked at before the registry owner has acknowledged the scores
    stage = Revealed.from_record(folder)
    table = own_table(folder)
    scores, halves = open_table(table)
    openings = stage.openings(halves)
    evidence = _evidence_of(folder, terms, scores, openings, stage.reveal)
    planted = stage.planted(halves)
    figures = figures_of(
        terms, scores, openings, stage.reveal.body, stage.answers.attachment, evidence, planted=planted
    )
    evidence_bytes = evidence.to_bytes()
    evidence_nonce = derive(folder.keystore.seed, table.hash, b"pprl/1/evidence")
    # Behind a nonce: the exact figures are few enough to be guessed, and the owners see this hash.
    hidden = digest(evidence_nonce, digest(evidence_bytes), digest(figures.audit_json()))
    answered = [table, stage.acknowledgement, stage.reveal, stage.answers]
    result = sign_statement(folder, RESULT, answered, figures.report_json(), evidence_and_audit=hidden.hex())
    release = None
    if "pairs" in terms.outputs["list"]:
        sealed = folder.cards["list"].keys.seal(_released_pairs(folder, figures), RELEASE_PURPOSE + result.hash)
        release = sign_statement(folder, RELEASE, [result], sealed)
    signed_evidence = sign_statement(folder, EVIDENCE, [result], evidence_bytes, nonce=evidence_nonce.hex())
    return Judgement(result, release, signed_evidence, figures)


def _evidence_of(
    folder: ExchangeFolder, terms: Terms, scores: Scores, openings: list[Opening], reveal: Statement
) -> Evidence:
    """What only the linkage unit can see of the packages, in a form in which an auditor can repeat the figures."""
    list_package, registry_package = OpenPackage.of_owner(folder, "list"), OpenPackage.of_owner(folder, "registry")
    words, _ = list_package.whole_list()
    encodings = Encodings(
        side="list", parameters=scores.parameters, rows_read=0, handles=scores.handles, bits=BitMatrix(words)
    )
    decoys = diagnose_decoys(scores, private_rows(terms, scores.parameters, openings, reveal.body), encodings)
    randomness = UnitRandomness.from_folder(folder)
    secret = randomness.pseudonym_key()
    best = numbers_of(secret, scores, registry_package.rows)
    asked, position = randomness.asked(best[:, 0], registry_package.rows)
    of_people = best[[label.kind in (REAL, SPELLING) for label in openings]]  # nobody else gets a partner
    candidates = np.unique(of_people[of_people >= 0])
    rest = registry_package.rest_of(np.concatenate([asked.ravel(), candidates]))
    filled = {
        name.tobytes(): rest[number][-registry_package.layout.linked :].decode("ascii", "replace")
        for number, name in zip(candidates.tolist(), pseudonyms(secret, candidates), strict=True)
    }
    real = BitMatrix(words[np.array([label.kind == REAL for label in openings], dtype=bool)])
    sample = registry_package.bits_of(randomness.sample(registry_package.rows, SAMPLE))
    near = {
        "list": near_doubles(real, [real], terms.schema.parameters),
        "registry": near_doubles(sample, registry_package.bits(), terms.schema.parameters),
    }
    return Evidence(decoys, position, tags_of(rest, registry_package.layout, asked)[..., 1, :], filled, near)


def near_doubles(examined: BitMatrix, rows: Iterable[BitMatrix], parameters: ParameterSet) -> tuple[int, int]:
    """How many of the examined rows have another row near them, and how many were examined.

    Near is what a typing slip leaves, and more than six standard deviations above strangers.
    """
    candidates = search.best(examined, rows, keep=2)
    second = 2 * candidates.common[:, 1] / np.maximum(candidates.total[:, 1], 1)
    agreement = max(SLIP**parameters.minima, 6 / parameters.length**0.5)
    return int((second >= ((1 + agreement) / 2 if parameters.minima else NEAR_PLAIN)).sum()), len(examined)


def _released_pairs(folder: ExchangeFolder, figures: Assessment) -> bytes:
    """For each pair the list owner's handle and a name of the pair; no score, no near miss, nothing synthetic."""
    list_package = OpenPackage.of_owner(folder, "list")
    pairs = figures.pairs
    handles = list_package.handles_of(set(pairs["list_row"].tolist()))
    secret = derive(folder.keystore.seed, list_package.sealed.contents.statement.hash, b"pprl/1/pairs")
    released = [
        [handles[row].hex(), mac(secret, handles[row] + bytes.fromhex(name))[:16].hex()]
        for row, name in pairs[["list_row", "registry_id"]].itertuples(index=False)
    ]
    return canonical({"pairs": sorted(released)})


def own_table(folder: ExchangeFolder) -> Statement:
    """The score table with its scores, from the file that stays here."""
    path = folder.path / TABLE
    if not path.exists():
        raise OrderError(f"{TABLE} is no longer in the folder", hint="without it nothing can be judged")
    container.refuse_shared(path)
    for statement in read_statements(path.read_bytes(), path.name):
        if folder.table is not None and statement.hash == folder.table.hash:
            statement.verify(folder.cards["unit"].keys)
            return statement
    raise MismatchError(f"{TABLE}: belongs to another run", hint="take it out of the folder")


def headers_of(folder: ExchangeFolder) -> list[Statement]:
    """The signed headers of both packages."""
    return [OpenPackage.of_owner(folder, owner).sealed.contents.statement for owner in ("list", "registry")]


def open_table(table: Statement) -> tuple[Scores, bytes]:
    """The scores of a table and, for each row of the list, the hash of what was sent. FileError: incomplete."""
    scores, halves = Scores.from_body(container.body_of(table.attachment, b"pprl-sco", table.title))
    if len(halves) != LABEL_HASH * len(scores):
        raise FileError("a score table: is cut short, or has bytes after its end", hint=AGAIN)
    return scores, bytes(halves)


def _read_table(folder: ExchangeFolder) -> tuple[Statement, Statement]:
    """The signed table and query that an interrupted run left behind."""
    path = folder.path / TABLE
    container.refuse_shared(path)
    statements = list(read_statements(path.read_bytes(), path.name))
    if [statement.kind for statement in statements] != [SCORE_TABLE, QUERY]:
        raise FileError(f"{path.name}: is not a score table with its query")
    table, query = statements
    table.require_form()
    table.verify(folder.cards["unit"].keys)
    query.verify(folder.cards["unit"].keys)
    if not answers_receipt(table, Received.from_record(folder).receipt):
        raise MismatchError(f"{path.name}: belongs to another run", hint="take it out of the folder")
    return table, query


def _write_scores_files(folder: ExchangeFolder, table: Statement, query: Statement) -> None:
    """The table without its scores: with the query for the list owner, without it for the registry owner, whose rows
    the query is about."""
    write_statements(folder, QUERY_FILE, table.detached(), query, force=True)
    write_statements(folder, SCORES_FILE, table.detached(), force=True)


def _publish_result(folder: ExchangeFolder) -> bool:
    """Write the registry owner's file if an interrupted run had only written the list owner's; False otherwise.

    What is sealed for the list owner is never sealed a second time.
    """
    for_list, for_registry = RESULT_FILES["list"], RESULT_FILES["registry"]
    if folder.result is None or not folder.holds(for_list.name) or folder.holds(for_registry.name):
        return False
    write_statements(folder, for_registry, folder.result)
    return True
