"""The linkage unit's side of the exchange: it signs for what was committed, opens packages, compares, signs the scores.

It holds no linkage key and no label. Scores are finished and signed before anybody says which rows were made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.bits import BitMatrix
from pprl.core.encodings import Encodings
from pprl.core.errors import FileError, MismatchError, OrderError, RefusedError
from pprl.core.randomness import RandomStream
from pprl.core.scores import KEEP, Scores
from pprl.exchange.folder import Matter, open_package, receive, say
from pprl.exchange.next_step import RESULTS, SCORES
from pprl.exchange.protocol.agreement import Terms
from pprl.exchange.protocol.cards import TITLES
from pprl.exchange.protocol.commitments import HANDLE, LABEL_HASH, TAG, RowLayout
from pprl.exchange.protocol.crypto import derive, digest, mac
from pprl.exchange.protocol.package import SealedPackage
from pprl.exchange.protocol.reveal import ASKED, MOST_SPELLINGS, REAL, RELEASE, SPELLING, check_reveal
from pprl.exchange.protocol.statements import AGAIN, Statement, canonical, read_statements
from pprl.exchange.replay import NOT_ASKED, Evidence, figures_of, private_rows
from pprl.judge.assessment import Assessment
from pprl.judge.labels import diagnose_decoys
from pprl.match import search
from pprl.match.encodings import scores_of

TABLE, EVIDENCE, AUDIT = "PRIVATE-scores.pprl", "PRIVATE-evidence.pprl", "PRIVATE-audit.json"
QUERY, PUBLIC = SCORES

Ints = NDArray[np.int64]


def refuse_other_roles(matter: Matter) -> None:
    if matter.role != "unit":
        raise OrderError(
            f"this is the folder of the {TITLES[matter.role]}", hint="only the linkage unit compares: pprl next FOLDER"
        )


def sign_receipt(matter: Matter) -> Statement:
    """OrderError: a commitment is missing, or the receipt is made already."""
    refuse_other_roles(matter)
    agreement = matter.ready()
    if matter.receipt is not None:
        raise OrderError("the receipt is made already: unit-2-receipt.pprl", hint="send it to both owners")
    waiting = {
        "the first commitment of the list owner (list-3-commitment.pprl)": matter.list_rows,
        "the commitment of the registry owner (registry-3-commitment.pprl)": matter.registry_rows,
        "the second commitment of the list owner (list-4-commitment.pprl)": matter.list_package,
    }
    if missing := [what for what, there in waiting.items() if there is None]:
        raise OrderError(f"{missing[0]} has not come", hint="put it into the folder and repeat the command")
    matter.parameters()  # the owners' keys agree
    return receive(matter, agreement)


def match_packages(
    matter: Matter,
    *,
    find: Callable[..., search.Candidates] = search.best,
    searching: Callable[[int, int], AbstractContextManager[Callable[[int], None] | None]] = lambda *_: nullcontext(),
) -> tuple[Statement, Statement, Scores]:
    """The signed score table of both packages, and the query of confirm fields that goes to the list owner with it;
    ``find`` is `search.best` or takes its place, ``searching`` is told how many pairs
    and rows of the list there are, and gives the progress.

    OrderError: out of turn. ForgedError, MismatchError, FileError: what is wrong with which package. RefusedError: more
    or fewer rows than were agreed.
    """
    refuse_other_roles(matter)
    agreement = matter.ready()
    if matter.table is not None or (matter.folder / TABLE).exists():
        raise OrderError("the scores are made and signed already", hint="send unit-3-scores.pprl to both owners")
    if matter.receipt is None:
        raise OrderError("the receipt is not made yet", hint="pprl agree FOLDER, once all commitments have come")
    ours, theirs = open_package(matter, "list"), open_package(matter, "registry")
    terms = agreement.terms
    schema = terms.schema
    # Relatives, controls and spellings ride along; how many of each is checked with their labels.
    most_of_list = terms.list_people[1] * (2 + 2 * schema.decoys) * MOST_SPELLINGS + 10_000
    limits = ((ours, terms.list_people[0], most_of_list), (theirs, *terms.registry_rows))
    for package, least, most in limits:
        if package.contents.rows < least:
            raise RefusedError(
                f"the package of the {TITLES[package.contents.role]} holds fewer rows than were agreed",
                hint="among few rows each answer is about somebody: ask, and match nothing before you know",
            )
        if package.contents.rows > most:
            raise RefusedError(
                f"the package of the {TITLES[package.contents.role]} holds more rows than were agreed",
                hint="whoever sends more rows may be probing: ask, and match nothing before you know",
            )
    layouts = {side: _layout(terms, side) for side in ("list", "registry")}
    words, halves = _list_of(ours, layouts["list"], terms.pad)
    rows = _words_of(theirs, layouts["registry"], terms.pad)
    # Nothing leaves this function before the last segment is read: the rows iterator has then checked the root.
    with searching(len(words) * theirs.contents.rows, len(words)) as progress:
        found = find(BitMatrix(words), rows, keep=KEEP, progress=progress)
    secret = _pseudonym_key(matter)
    scores = scores_of(
        found,
        ours.contents.parameters,
        numbers(len(words)),
        lambda at: pseudonyms(secret, at),
        theirs.contents.rows_read,
        theirs.contents.rows,
    )
    attachment = container.preamble(b"pprl-sco") + scores.to_bytes() + halves
    headers = [package.contents.statement.hash.hex() for package in (ours, theirs)]
    body = {
        "agreement": agreement.hash.hex(),
        "answers": [matter.receipt.hash.hex(), *headers],
        "role": "unit",
        "scores": digest(attachment).hex(),
    }
    table = Statement.make(b"pprl-tab", body, matter.keystore.keys, attachment)
    asked, _ = _asked(matter, found.theirs[:, 0], theirs.contents.rows)
    rows_of = _gather(theirs, layouts["registry"], terms.pad, asked)
    ids = _tags_of(rows_of, layouts["registry"], asked)[..., 0, :]
    return table, say(matter, b"pprl-ask", agreement, [table], ids.tobytes()), scores


def _layout(terms: Terms, side: Literal["list", "registry"]) -> RowLayout:
    schema = terms.schema
    confirm = sum(field.role == "confirm" for field in schema.fields)
    return RowLayout(side, schema.length, confirm, len(schema.linked()))


def _asked(matter: Matter, best: Ints, rows: int) -> tuple[Ints, NDArray[np.uint8]]:
    """Which rows of the registry are asked about for each row of the list, shape (rows, 5): its best candidate and four
    random ones, in an order that only this side knows; and the place of the best, 255 where there is none."""
    assert matter.receipt
    draws = RandomStream(derive(matter.keystore.seed, matter.receipt.hash, b"pprl/1/query"), "query")
    asked = draws.below(max(1, rows), ASKED * len(best)).reshape(-1, ASKED)
    place = draws.below(ASKED, len(best))
    there = best >= 0
    asked[np.flatnonzero(there), place[there]] = best[there]
    return asked, np.where(there, place, NOT_ASKED).astype(np.uint8)


def _gather(package: SealedPackage, layout: RowLayout, pad: int, wanted: Ints) -> dict[int, bytes]:
    """What stands behind the encodings of some rows of a package, by their number: one more pass over all of it."""
    numbers, rows, start = np.unique(wanted), {}, 0
    for chunk in package.rows(layout, pad):
        count = len(chunk) // layout.width
        here = numbers[np.searchsorted(numbers, start) : np.searchsorted(numbers, start + count)]
        for number in here.tolist():
            at = (number - start) * layout.width
            rows[number] = bytes(chunk[at + layout.tags : at + layout.width])
        start += count
    return rows


def _tags_of(rows: Mapping[int, bytes], layout: RowLayout, asked: Ints) -> NDArray[np.uint8]:
    """Ids and tags of the rows asked about: shape (rows, fields, 5, 2, 16)."""
    nothing = bytes(2 * TAG * layout.confirm)
    packed = b"".join(rows.get(number, nothing)[: len(nothing)] for number in asked.ravel().tolist())
    told = np.frombuffer(packed, dtype=np.uint8).reshape(len(asked), ASKED, layout.confirm, 2, TAG)
    return told.transpose(0, 2, 1, 3, 4)


@dataclass(frozen=True)
class Judgement:
    """What the linkage unit says in the end, and to whom."""

    result: Statement  # with the disclosed report; for both owners
    release: Statement | None  # which rows of the list matched, sealed for its owner
    evidence: Statement  # for the auditor
    figures: Assessment


def judge_matter(matter: Matter) -> Judgement:
    """Open the labels and judge.

    OrderError: out of turn. ForgedError, FileError, RefusedError: labels or answers that are not what was committed to.
    """
    refuse_other_roles(matter)
    agreement, end = matter.ready(), matter.ending
    if end.result is not None:
        raise OrderError("the result is made already", hint="send it to both owners: pprl next FOLDER")
    if matter.table is None:
        raise OrderError("the scores are not made yet", hint="pprl match FOLDER")
    # (12) no label is looked at before the registry owner has acknowledged the scores
    if end.acknowledgement is None or end.reveal is None or end.answers is None:
        raise OrderError(
            "the reveal of the list owner has not come: list-6-reveal.pprl", hint="he makes it: pprl reveal"
        )
    assert matter.list_rows
    assert matter.list_package
    terms, table = agreement.terms, own_table(matter)
    scores, halves = open_table(table)
    opened = check_reveal(
        end.reveal.attachment,
        halves,
        agreement,
        list_root=matter.list_rows.root,
        package_root=matter.list_package.root,
    )
    ours, theirs = open_package(matter, "list"), open_package(matter, "registry")
    layout = _layout(terms, "registry")
    words, _ = _list_of(ours, _layout(terms, "list"), terms.pad)
    encodings = Encodings("list", scores.parameters, 0, scores.handles, BitMatrix(words))
    looks = diagnose_decoys(scores, private_rows(terms, scores.parameters, opened, end.reveal.body), encodings)
    best = _numbers_of(matter, scores, theirs.contents.rows)
    asked, place = _asked(matter, best[:, 0], theirs.contents.rows)
    real = np.array([label.kind == REAL for label in opened], dtype=bool)
    of_people = best[[label.kind in (REAL, SPELLING) for label in opened]]  # nobody else gets a partner
    candidates = np.unique(of_people[of_people >= 0])
    gathered = _gather(theirs, layout, terms.pad, np.concatenate([asked.ravel(), candidates]))
    tags = _tags_of(gathered, layout, asked)[..., 1, :]
    named = pseudonyms(_pseudonym_key(matter), candidates)
    filled = {
        name.tobytes(): gathered[number][-layout.linked :].decode("ascii", "replace")
        for number, name in zip(candidates.tolist(), named, strict=True)
    }
    near = {
        "list": _near_doubles(BitMatrix(words[real]), [BitMatrix(words[real])], terms),
        "registry": _near_doubles(
            _sample(matter, theirs, layout, terms.pad), _words_of(theirs, layout, terms.pad), terms
        ),
    }
    evidence = Evidence(looks, place, tags, filled, near)
    figures = figures_of(terms, scores, opened, end.reveal.body, end.answers.attachment, evidence)
    upon = [table, end.acknowledgement, end.reveal, end.answers]
    told, nonce = evidence.to_bytes(), derive(matter.keystore.seed, table.hash, b"pprl/1/evidence")
    # Behind a nonce: the exact figures are few enough to be guessed, and owners see this hash.
    hidden = digest(nonce, digest(told), digest(figures.audit_json()))
    result = say(matter, b"pprl-res", agreement, upon, figures.report_json(), evidence_and_audit=hidden.hex())
    release = None
    if "pairs" in terms.outputs["list"]:
        pairs = _released(matter, figures, ours, terms)
        sealed = matter.cards["list"].keys.seal(pairs, RELEASE + result.hash)
        release = say(matter, b"pprl-rel", agreement, [result], sealed)
    return Judgement(result, release, say(matter, b"pprl-evi", agreement, [result], told, nonce=nonce.hex()), figures)


NEAR, NEAR_PLAIN, LOOKED_AT = 0.75, 0.92, 1_000  # one typing slip leaves a similarity of about .8 (t = 8), .95 (t = 0)


def own_table(matter: Matter) -> Statement:
    """The score table with its scores, from the file that stays here."""
    path = matter.folder / TABLE
    if not path.exists():
        raise OrderError(f"{TABLE} is not in the folder any more", hint="without it nothing can be judged")
    container.refuse_shared(path)
    for statement in read_statements(path.read_bytes(), path.name):
        if matter.table is not None and statement.hash == matter.table.hash:
            statement.verify(matter.cards["unit"].keys)
            return statement
    raise MismatchError(f"{TABLE}: belongs to another run", hint="take it out of the folder")


def own_query(matter: Matter) -> Statement:
    """The query with its ids. OrderError: it is not in the folder."""
    if matter.ending.query is None:
        raise OrderError(f"{QUERY} is not in the folder any more", hint="it stands in the file of the scores too")
    return matter.ending.query


def headers_of(matter: Matter) -> list[Statement]:
    """The signed headers of both packages."""
    return [open_package(matter, "list").contents.statement, open_package(matter, "registry").contents.statement]


def _numbers_of(matter: Matter, scores: Scores, rows: int) -> Ints:
    """The rows of the package that candidates are, from their pseudonyms; −1 for none."""
    known = pseudonyms(_pseudonym_key(matter), np.arange(rows))
    order = np.argsort(known)
    found = order[np.minimum(np.searchsorted(known[order], scores.theirs), max(0, rows - 1))] if rows else scores.total
    return np.where(scores.total > 0, found, -1).astype(np.int64)


def _pseudonym_key(matter: Matter) -> bytes:
    assert matter.receipt
    return derive(matter.keystore.seed, matter.receipt.hash, b"pprl/1/pseudonyms")


def _sample(matter: Matter, package: SealedPackage, layout: RowLayout, pad: int) -> BitMatrix:
    """Some rows of the registry, drawn by this side."""
    assert matter.receipt
    draws = RandomStream(derive(matter.keystore.seed, matter.receipt.hash, b"pprl/1/sample"), "sample")
    wanted = np.unique(draws.below(max(1, package.contents.rows), LOOKED_AT))
    words, start = [np.zeros((0, layout.length // 64), dtype="<u8")], 0
    for chunk in package.rows(layout, pad):
        here = _words(chunk, layout)
        words.append(here[wanted[(wanted >= start) & (wanted < start + len(here))] - start])
        start += len(here)
    return BitMatrix(np.concatenate(words))


def _near_doubles(some: BitMatrix, rows: Iterable[BitMatrix], terms: Terms) -> tuple[int, int]:
    """How many of some rows have another row near them, and how many they are."""
    found = search.best(some, rows, keep=2)
    second = 2 * found.common[:, 1] / np.maximum(found.total[:, 1], 1)
    return int((second >= (NEAR if terms.schema.hardening else NEAR_PLAIN)).sum()), len(some)


def _released(matter: Matter, figures: Assessment, ours: SealedPackage, terms: Terms) -> bytes:
    """For each pair the list owner's own handle and a name for the pair; no score, no near miss, nothing made up."""
    layout = _layout(terms, "list")
    handles = {}
    start = 0
    wanted = set(figures.pairs["list_row"].tolist())
    for chunk in ours.rows(layout, terms.pad):
        for at in range(len(chunk) // layout.width):
            if start + at in wanted:
                handles[start + at] = bytes(chunk[at * layout.width : at * layout.width + HANDLE])
        start += len(chunk) // layout.width
    secret = derive(matter.keystore.seed, ours.contents.statement.hash, b"pprl/1/pairs")
    pairs = figures.pairs[["list_row", "registry_id"]].itertuples(index=False)
    told = [[handles[row].hex(), mac(secret, handles[row] + bytes.fromhex(name))[:16].hex()] for row, name in pairs]
    return canonical({"pairs": sorted(told)})


def open_table(table: Statement) -> tuple[Scores, bytes]:
    """The scores of a table and, for each row of the list, the hash of what crossed. FileError: not whole."""
    scores, halves = Scores.from_body(container.body_of(table.attachment, b"pprl-sco", table.says))
    if len(halves) != LABEL_HASH * len(scores):
        raise FileError("a score table: is cut short, or has bytes behind its end", hint=AGAIN)
    return scores, bytes(halves)


def pseudonyms(secret: bytes, rows: NDArray[np.int64]) -> NDArray[np.void]:
    """The linkage unit's own names for rows of the registry, by their number in the package: 16 bytes each."""
    numbers, place = np.unique(rows, return_inverse=True)
    made = [hashlib.blake2b(int(at).to_bytes(8, "little"), key=secret, digest_size=16).digest() for at in numbers]
    return np.frombuffer(b"".join(made), dtype="V16")[place] if made else np.zeros(0, dtype="V16")


def numbers(count: int) -> NDArray[np.void]:
    """What rows of the list are called in the scores: their number in the package. Its owner's handles, by which he
    would know a row, are in nothing that leaves the linkage unit but what is released to him."""
    named = np.zeros((count, 2), dtype="<u8")
    named[:, 0] = np.arange(count)
    return named.view("V16").ravel()


def _list_of(package: SealedPackage, layout: RowLayout, pad: int) -> tuple[NDArray[np.uint64], bytes]:
    """Encodings of the list, which is small, whole and verified, and the first halves of its leaves."""
    words, halves = [np.zeros((0, layout.length // 64), dtype="<u8")], []
    for chunk in package.rows(layout, pad):
        words.append(_words(chunk, layout))
        halves.append(layout.halves(chunk))
    return np.concatenate(words), b"".join(halves)


def _words_of(package: SealedPackage, layout: RowLayout, pad: int) -> Iterator[BitMatrix]:
    for chunk in package.rows(layout, pad):
        yield BitMatrix(_words(chunk, layout))


def _words(chunk: memoryview, layout: RowLayout) -> NDArray[np.uint64]:
    rows = np.frombuffer(chunk, dtype=np.uint8).reshape(-1, layout.width)
    return np.ascontiguousarray(rows[:, HANDLE : layout.record]).view("<u8")


def publish(matter: Matter) -> bool:
    """Lay ready for the owners what a run that was killed had signed already; False if there is no such table, or if
    both files are there.

    ForgedError, MismatchError: the table is not ours, or of another run.
    """
    private = matter.folder / TABLE
    if not private.exists() or all((matter.folder / name).exists() for name in SCORES):
        return False
    matter.ready()
    container.refuse_shared(private)
    statements = list(read_statements(private.read_bytes(), private.name))
    if [each.kind for each in statements] != [b"pprl-tab", b"pprl-ask"]:
        raise FileError(f"{private.name}: is no score table with its query")
    table, query = statements
    table.expect(agreement=str, answers=list, role=str, scores=str)
    table.verify(matter.cards["unit"].keys)
    query.verify(matter.cards["unit"].keys)
    if matter.receipt is None or table.body["answers"][:1] != [matter.receipt.hash.hex()]:
        raise MismatchError(f"{private.name}: belongs to another run", hint="take it out of the folder")
    _lay_ready(matter, table, query)
    return True


def write_table(matter: Matter, table: Statement, query: Statement) -> None:
    """The signed table with the query, which stays here, and for the owners the same without its scores: with the query
    for the list owner, who must not be the only one to have it, and without it for the registry owner, whose rows it is
    about."""
    container.write_new(matter.folder / TABLE, [table.to_bytes(), query.to_bytes()], private=True)
    _lay_ready(matter, table, query)


def _lay_ready(matter: Matter, table: Statement, query: Statement) -> None:
    without = table.detached().to_bytes()
    container.write_new(matter.folder / QUERY, [without, query.to_bytes()], force=True)
    container.write_new(matter.folder / PUBLIC, [without], force=True)


def write_judgement(matter: Matter, judgement: Judgement) -> None:
    """Results for both owners, and what the auditor gets."""
    folder, result = matter.folder, judgement.result.to_bytes()
    release = [judgement.release.to_bytes()] if judgement.release else []
    container.write_new(folder / EVIDENCE, [judgement.evidence.to_bytes()], private=True, force=True)
    container.write_new(folder / AUDIT, [judgement.figures.audit_json()], private=True, force=True)
    of_list, of_registry = RESULTS
    container.write_new(folder / of_list, [result, *release], force=True)
    container.write_new(folder / of_registry, [result], force=True)


def publish_result(matter: Matter) -> bool:
    """Lay ready for the registry owner what a run that was killed had for the list owner already; False if there is no
    such result, or if it is there. What is sealed for the list owner is never sealed a second time."""
    of_list, of_registry = (matter.folder / name for name in RESULTS)
    if matter.ending.result is None or not of_list.exists() or of_registry.exists():
        return False
    container.write_new(of_registry, [matter.ending.result.to_bytes()])
    return True
