"""The list's encodings against the registry's: the candidates of a search become scores."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.encodings import EncodingParameters, Encodings
from pprl.core.scores import KEEP, Scores
from pprl.match import search


def match_encodings(
    ours: Encodings,
    theirs: Encodings,
    *,
    kernel: str = "auto",
    map: Callable[..., Any] = map,  # noqa: A002  an engine is an object with a `map`
    progress: Callable[[int], None] | None = None,
    find: Callable[..., search.Candidates] | None = None,
) -> Scores:
    """The scores of the list's encodings against the registry's. ``find`` replaces `search.best` where the search runs
    elsewhere. MismatchError: the two were encoded with different parameters."""
    ours.parameters.require_same(theirs.parameters)
    find = find or partial(search.best, kernel=kernel, map=map)
    found = find(ours.bits, theirs.bits, keep=KEEP, progress=progress)
    handles = theirs.handles if len(theirs) else np.zeros(1, dtype="V16")
    return scores_of(found, ours.parameters, ours.handles, lambda rows: handles[rows], theirs.rows_read, len(theirs))


def scores_of(
    found: search.Candidates,
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
    )
