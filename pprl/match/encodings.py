"""The list's encodings against the registry's: what a search found becomes scores."""

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
    """The list's encodings against the registry's; MismatchError when they were not made to be compared. ``find``
    takes the place of `search.best` where that is to run elsewhere."""
    ours.parameters.require_same(theirs.parameters)
    find = find or partial(search.best, kernel=kernel, map=map)
    found = find(ours.bits, theirs.bits, keep=KEEP, progress=progress)
    names = theirs.handles if len(theirs) else np.zeros(1, dtype="V16")
    return scores_of(found, ours.parameters, ours.handles, lambda rows: names[rows], theirs.rows_read, len(theirs))


def scores_of(
    found: search.Candidates,
    parameters: EncodingParameters,
    handles: NDArray[np.void],
    names: Callable[[NDArray[np.int64]], NDArray[np.void]],
    registry_read: int,
    registry_encoded: int,
) -> Scores:
    """What a search found, as a score file; ``names`` gives the 16 bytes by which rows of the registry are called."""
    there = found.theirs >= 0
    theirs = np.zeros(found.theirs.shape, dtype="V16")
    theirs[there] = names(found.theirs[there])
    return Scores(
        parameters,
        registry_read,
        registry_encoded,
        found.kernel,
        handles,
        theirs,
        np.where(there, found.common, 0).astype(np.uint32),
        np.where(there, found.total, 0).astype(np.uint32),
    )
