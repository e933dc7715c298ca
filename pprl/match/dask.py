"""The search on a cluster that somebody else set up: Dask workers compare stretches of theirs with all of ours.

Ours, the small side, are sent to every worker once, each stretch of theirs to one worker. A worker answers with what
the stretch alone would give, and answers are merged here in the order that `pprl.match.search` fixes, so engine,
stretch and the order in which workers finish change nothing. A stretch travels with its task: whatever a worker that
dies had in hand is done again by another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np

from pprl.core.bits import BitMatrix, Words
from pprl.core.errors import PprlError, needing
from pprl.match import search
from pprl.match.kernel import Ints
from pprl.match.search import Candidates, Pairs, Progress

STRETCH = 1 << 17  # rows of theirs in a task: 16 MiB at 1,024 bits
IN_FLIGHT = 3  # tasks for each thread of the cluster
PATIENCE = 20  # seconds until a scheduler is held to be absent


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at ``address``, whose workers have this version of pprl.

    PprlError: distributed is not installed, nobody answers, there are no workers, or one has no pprl or another one.
    """
    with needing("distributed", "dask", "the dask engine"):
        import distributed
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError):
        raise PprlError(
            f"no Dask scheduler answers at {address}", hint="`dask scheduler` prints the address it listens on"
        ) from None
    try:
        _require_alike(client)
        yield client
    finally:
        client.close()


def _require_alike(client: Any) -> None:
    """Every worker has the same version of pprl; asked by a function of the standard library, which all have."""
    told = client.run(version, "pprl", on_error="return")
    if not told:
        raise PprlError("the scheduler has no workers", hint="start some: dask worker ADDRESS")
    for worker, found in told.items():
        if isinstance(found, Exception):
            raise PprlError(f"the worker {worker} has no pprl", hint="pip install pprl on every worker, and restart it")
        if found != version("pprl"):
            raise PprlError(
                f"the worker {worker} has pprl {found}, and this is {version('pprl')}",
                hint="install the same version everywhere, and restart the workers",
            )


def best(
    client: Any,
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    *,
    keep: int = 16,
    stretch: int = STRETCH,
    progress: Progress | None = None,
) -> Candidates:
    """What `search.best` gives."""
    here = _Best.none(len(ours), keep, ours.length)
    kernels = set()
    for base, (kernel, found) in _run(client, ours, theirs, stretch, progress, partial(_best_of, keep=keep)):
        here = here.merged(found, base)
        kernels.add(kernel)
    kernel = "numpy" if "numpy" in kernels else next(iter(kernels), "numpy")
    there = here.slots >= 0
    numbers = np.where(there, np.append(here.numbers, -1)[here.slots], -1)
    return Candidates(numbers, here.common.astype(np.int32), here.total.astype(np.int32), kernel)


def all_pairs(
    client: Any,
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    threshold: Fraction,
    *,
    stretch: int = STRETCH,
    progress: Progress | None = None,
) -> Pairs:
    """What `search.all_pairs` gives."""
    found, kernels = [np.empty((4, 0), dtype=np.int64)], set()
    for base, (kernel, part) in _run(client, ours, theirs, stretch, progress, partial(_pairs_of, threshold=threshold)):
        found.append(part + np.array([[0], [base], [0], [0]]))
        kernels.add(kernel)
    joined = np.concatenate(found, axis=1)
    rows, numbers, common, total = joined[:, np.lexsort((joined[1], joined[0]))]
    kernel = "numpy" if "numpy" in kernels else next(iter(kernels), "numpy")
    return Pairs(rows, numbers, common.astype(np.int32), total.astype(np.int32), kernel)


@dataclass(frozen=True)
class _Best:
    """What rows of ours hold: slots of a small table of theirs, which stands in the order of its row numbers."""

    slots: Ints  # shape (rows, keep), as are the next two
    common: Ints
    total: Ints
    words: Words
    numbers: Ints

    @classmethod
    def none(cls, rows: int, keep: int, length: int) -> _Best:
        none, zero = np.full((rows, keep), -1, dtype=np.int64), np.zeros((rows, keep), dtype=np.int64)
        return cls(none, zero, zero, np.empty((0, length // 64), dtype="<u8"), np.empty(0, dtype=np.int64))

    def merged(self, other: _Best, base: int) -> _Best:
        """The best of both, ``other`` being of rows that begin at ``base``; it may come before or after."""
        words, numbers = np.concatenate([self.words, other.words]), np.append(self.numbers, other.numbers + base)
        theirs = np.where(other.slots >= 0, other.slots + len(self.numbers), -1)
        slots, common, total = (
            np.concatenate(both, axis=1)
            for both in ((self.slots, theirs), (self.common, other.common), (self.total, other.total))
        )
        columns = np.ascontiguousarray(words).view(">u8").T[::-1]
        rank = np.empty(len(numbers) + 1, dtype=np.int64)
        rank[np.lexsort((numbers, *columns))] = np.arange(len(numbers))
        rank[-1] = len(numbers)  # of a slot that holds nothing
        # Two different fractions with totals below 2**b differ by more than 2**(-2 * b): see `kernel._best_numpy`.
        places = 2 * (128 * self.words.shape[1]).bit_length() + 1
        score = np.where(slots >= 0, (common << places) // np.maximum(total, 1), -1)
        order = np.lexsort((rank[slots], -score), axis=1)[:, : self.slots.shape[1]]
        slots, common, total = (np.take_along_axis(each, order, axis=1) for each in (slots, common, total))
        return _Best(slots, common, total, words, numbers).without_what_nobody_holds()

    def without_what_nobody_holds(self) -> _Best:
        taken = np.unique(self.slots[self.slots >= 0])
        place = np.full(len(self.numbers) + 1, -1, dtype=np.int64)
        place[taken] = np.arange(len(taken))
        return _Best(place[self.slots], self.common, self.total, self.words[taken], self.numbers[taken])


def _run(
    client: Any,
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    stretch: int,
    progress: Progress | None,
    work: Callable[..., Any],
) -> Iterator[tuple[int, Any]]:
    """Answers as they come, each with the row number of the first of its stretch; few are under way at a time."""
    import dask
    import distributed

    shared = client.scatter(ours.words, broadcast=True, hash=False)
    pieces = search.chunks(theirs, ours.length, stretch)
    room = IN_FLIGHT * max(1, sum(client.nthreads().values()))
    under_way: dict[Any, tuple[int, int]] = {}

    def submit(piece: tuple[int, BitMatrix]) -> Any:
        base, chunk = piece
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):  # it travels with its task
            future = client.submit(work, shared, np.ascontiguousarray(chunk.words), pure=False)
        under_way[future] = base, len(chunk)
        return future

    first = [submit(piece) for piece in islice(pieces, room)]
    if not first:
        return
    with client.as_current():
        coming = distributed.as_completed(first)
    try:
        for future in coming:
            base, rows = under_way.pop(future)
            try:
                answer = future.result()
            except (distributed.KilledWorker, distributed.client.FutureCancelledError, OSError) as error:
                raise PprlError(
                    f"the cluster gave up on a stretch ({type(error).__name__})",
                    hint="too many workers died: look at their memory, and repeat the command",
                ) from None
            if (piece := next(pieces, None)) is not None:
                coming.add(submit(piece))
            if progress:
                progress(len(ours) * rows)
            yield base, answer
    finally:
        client.cancel([*under_way, shared])


def _best_of(ours: Words, theirs: Words, *, keep: int) -> tuple[str, _Best]:
    """On a worker."""
    found = search.best(BitMatrix(ours), BitMatrix(theirs), keep=keep)
    own = _Best(
        found.theirs,
        found.common.astype(np.int64),
        found.total.astype(np.int64),
        theirs,
        np.arange(len(theirs), dtype=np.int64),
    )
    return found.kernel, own.without_what_nobody_holds()


def _pairs_of(ours: Words, theirs: Words, *, threshold: Fraction) -> tuple[str, Ints]:
    """On a worker."""
    found = search.all_pairs(BitMatrix(ours), BitMatrix(theirs), threshold)
    return found.kernel, np.stack([found.ours, found.theirs, found.common, found.total])
