"""The list's encodings against the registry's: the candidates of a search become scores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.encodings import EncodingParameters, Encodings, RegistryDecoys
from pprl.core.scores import KEEP, Scores
from pprl.match import search
from pprl.match.search import Candidates

ROWS_AT_ONCE = 65_536


def match_encodings(
    ours: Encodings,
    theirs: Encodings,
    *,
    kernel: str = "auto",
    map: Callable[..., Any] = map,  # noqa: A002  an engine is an object with a `map`
    progress: Callable[[int], None] | None = None,
    find: Callable[..., Candidates] | None = None,
) -> Scores:
    """The scores of the list's encodings against the registry's. ``find`` replaces `search.best` where the search runs
    elsewhere. MismatchError: the two were encoded with different parameters."""
    ours.parameters.require_same(theirs.parameters)
    find = find or partial(search.best, kernel=kernel, map=map)
    found = find(with_decoys(ours.bits, theirs.decoys), theirs.bits, keep=KEEP, progress=progress)
    found, decoys = without_decoys(found, theirs.decoys)
    found = once_each(found, lambda rows: theirs.bits.words[rows])
    handles = theirs.handles if len(theirs) else np.zeros(1, dtype="V16")
    return scores_of(
        found, decoys, ours.parameters, ours.handles, lambda rows: handles[rows], theirs.rows_read, len(theirs)
    )


def with_decoys(ours: BitMatrix, decoys: RegistryDecoys | None) -> BitMatrix:
    """The list's rows, then the registry's decoys: one search finds the best registry records of both."""
    return ours if decoys is None else BitMatrix(np.concatenate([ours.words, decoys.bits.words]))


def without_decoys(found: Candidates, decoys: RegistryDecoys | None) -> tuple[Candidates, NDArray[np.uint64]]:
    """The candidates of the list's rows, and what `Scores.decoys` holds."""
    if decoys is None:
        return found, np.zeros((0, 3), dtype=np.uint64)
    rows = len(found.theirs) - len(decoys)
    common, total = (
        np.where(found.theirs[rows:, 0] >= 0, values[rows:, 0], 0) for values in (found.common, found.total)
    )
    listed = Candidates(found.theirs[:rows], found.common[:rows], found.total[:rows], found.kernel)
    return listed, np.stack([common.astype(np.uint64), total.astype(np.uint64), decoys.shapes], axis=1)


def once_each(found: Candidates, words_of: Callable[[NDArray[np.int64]], Words]) -> Candidates:
    """The same candidates, equal rows of the registry under the number of the first that is a candidate.

    Rows equal in everything compared are one candidate: as two they would be equally good partners, and no pair.
    ``words_of`` gives encodings by their rows, which rise.
    """
    rows = np.unique(found.theirs[found.theirs >= 0])
    first: dict[bytes, int] = {}
    stands_for = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        for at, (row, words) in enumerate(zip(part.tolist(), words_of(part), strict=True), start):
            stands_for[at] = first.setdefault(hashlib.blake2b(words.tobytes(), digest_size=16).digest(), row)
    if len(first) == len(rows):
        return found
    theirs = np.append(stands_for, -1)[np.where(found.theirs < 0, len(rows), np.searchsorted(rows, found.theirs))]
    in_order = np.argsort(theirs, axis=1, kind="stable")
    again = np.diff(np.take_along_axis(theirs, in_order, axis=1), axis=1, prepend=-1) == 0
    kept = np.empty_like(again)
    np.put_along_axis(kept, in_order, ~again, axis=1)
    kept &= theirs >= 0
    to_the_left = np.argsort(~kept, axis=1, kind="stable")
    theirs, common, total = (
        np.take_along_axis(np.where(kept, values, none), to_the_left, axis=1)
        for values, none in ((theirs, -1), (found.common, 0), (found.total, 0))
    )
    return Candidates(theirs, common, total, found.kernel)


def scores_of(
    found: Candidates,
    decoys: NDArray[np.uint64],
    parameters: EncodingParameters,
    handles: NDArray[np.void],
    their_names: Callable[[NDArray[np.int64]], NDArray[np.void]],
    registry_read: int,
    registry_encoded: int,
) -> Scores:
    """Candidates as scores; ``their_names`` gives the 16 bytes by which rows of the registry are referred to."""
    present = found.theirs >= 0
    theirs = np.zeros(found.theirs.shape, dtype="V16")
    theirs[present] = their_names(found.theirs[present])
    return Scores(
        parameters=parameters,
        registry_read=registry_read,
        registry_encoded=registry_encoded,
        kernel=found.kernel,
        handles=handles,
        theirs=theirs,
        common=np.where(present, found.common, 0).astype(np.uint32),
        total=np.where(present, found.total, 0).astype(np.uint32),
        decoys=decoys,
    )
