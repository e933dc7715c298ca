"""The linkage unit's side of the exchange: it signs for what was committed, opens packages, compares, signs the scores.

It holds no linkage key and no label. Scores are finished and signed before anybody says which rows were made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl import files
from pprl.bits import BitMatrix
from pprl.errors import FileError, MismatchError, OrderError, RefusedError
from pprl.exchange.cards import TITLES
from pprl.exchange.commitments import HANDLE, LABEL_HASH, RowLayout
from pprl.exchange.matter import Matter, open_package, receive
from pprl.exchange.package import SealedPackage
from pprl.exchange.primitives import derive, digest
from pprl.exchange.statements import AGAIN, Statement, read_statement
from pprl.match import search
from pprl.match.scores import KEEP, Scores, scores_of

TABLE = "PRIVATE-scores.pprl"


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
    matter.stamp()  # the owners' keys agree
    return receive(matter, agreement)


def match_packages(
    matter: Matter,
    *,
    kernel: str = "auto",
    map: Callable[..., Any] = map,  # noqa: A002  an engine is an object with a `map`
    searching: Callable[[int], AbstractContextManager[Callable[[int], None] | None]] = lambda _: nullcontext(),
) -> tuple[Statement, Scores]:
    """The signed score table of both packages; ``searching`` is told how many pairs there are and gives the progress.

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
    most_of_list = terms.list_people[1] * (2 + 2 * schema.decoys) + 10_000  # relatives and controls ride along
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
    confirm = sum(field.role == "confirm" for field in schema.fields)
    layouts = {side: RowLayout(side, schema.length, confirm, len(schema.linked())) for side in ("list", "registry")}
    words, halves = _list_of(ours, layouts["list"], terms.pad)
    rows = _words_of(theirs, layouts["registry"], terms.pad)
    # Nothing leaves this function before the last segment is read: the rows iterator has then checked the root.
    with searching(len(words) * theirs.contents.rows) as progress:
        found = search.best(BitMatrix(words), rows, keep=KEEP, kernel=kernel, map=map, progress=progress)
    secret = derive(matter.keystore.seed, matter.receipt.hash, b"pprl/1/pseudonyms")
    scores = scores_of(
        found,
        ours.contents.stamp,
        numbers(len(words)),
        lambda at: pseudonyms(secret, at),
        theirs.contents.rows_read,
        theirs.contents.rows,
    )
    attachment = files.preamble(b"pprl-sco") + scores.to_bytes() + halves
    headers = [package.contents.statement.hash.hex() for package in (ours, theirs)]
    body = {
        "agreement": agreement.hash.hex(),
        "answers": [matter.receipt.hash.hex(), *headers],
        "role": "unit",
        "scores": digest(attachment).hex(),
    }
    return Statement.make(b"pprl-tab", body, matter.keystore.keys, attachment), scores


def open_table(table: Statement) -> tuple[Scores, bytes]:
    """The scores of a table and, for each row of the list, the hash of what crossed. FileError: not whole."""
    scores, halves = Scores.of(files.body_of(table.attachment, b"pprl-sco", table.says))
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


def publish(matter: Matter) -> Path | None:
    """Lay ready for the owners what a run that was killed had signed already; None if there is no such table.

    ForgedError, MismatchError: the table is not ours, or of another run.
    """
    private, public = matter.folder / TABLE, matter.folder / "unit-3-scores.pprl"
    if matter.table is not None or not private.exists():
        return None
    matter.ready()
    files.refuse_shared(private)
    table, _ = read_statement(private.read_bytes(), private.name)
    table.expect(agreement=str, answers=list, role=str, scores=str)
    table.verify(matter.cards["unit"].keys)
    if matter.receipt is None or table.body["answers"][:1] != [matter.receipt.hash.hex()]:
        raise MismatchError(f"{private.name}: belongs to another run", hint="take it out of the folder")
    files.write_new(public, [table.detached().to_bytes()])
    return public


def write_table(matter: Matter, table: Statement, *, force: bool = False) -> tuple[Path, Path]:
    """The signed table, which stays here, and the same without its scores, for the owners."""
    private, public = matter.folder / TABLE, matter.folder / "unit-3-scores.pprl"
    files.write_new(private, [table.to_bytes()], private=True, force=force)
    files.write_new(public, [table.detached().to_bytes()], force=force)
    return private, public
