"""The search on an existing Dask cluster: its workers compare stretches of theirs with all of ours.

Ours, the small side, are sent to every worker once, each stretch of theirs to one worker. A worker answers with the
result for its stretch alone, and results are merged here in the order that `pprl.match.search` defines, so engine,
stretch and the order in which workers finish change nothing. A stretch travels with its task: if a worker dies, another
one repeats what it was doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
PATIENCE = 20  # seconds to wait for a scheduler


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at ``address``, whose workers have this version of pprl.

    PprlError: distributed is not installed, no scheduler answers, or a worker is missing or lacks this version of pprl.
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
        _require_same_version(client)
        yield client
    finally:
        client.close()


def _require_same_version(client: Any) -> None:
    """Ask the workers with a function of the standard library, which all of them have."""
    versions = client.run(version, "pprl", on_error="return")
    if not versions:
        raise PprlError("the scheduler has no workers", hint="start some: dask worker ADDRESS")
    for worker, found in versions.items():
        if isinstance(found, Exception):
            raise PprlError(
                f"pprl is not installed on the worker {worker}",
                hint="pip install pprl on every worker, then restart the workers",
            )
        if found != version("pprl"):
            raise PprlError(
                f"the worker {worker} has pprl {found}, and this is {version('pprl')}",
                hint="install the same version everywhere, then restart the workers",
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
    """The same as `search.best`."""
    result = PartialBest.empty(len(ours), keep, ours.length)
    kernels = set()
    for base, (kernel, part) in _run(client, ours, theirs, stretch, progress, partial(best_in_stretch, keep=keep)):
        result = result.merged(part, base)
        kernels.add(kernel)
    return Candidates(
        result.row_numbers(), result.common.astype(np.int32), result.total.astype(np.int32), _slowest(kernels)
    )


def all_pairs(
    client: Any,
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    threshold: Fraction,
    *,
    stretch: int = STRETCH,
    progress: Progress | None = None,
) -> Pairs:
    """The same as `search.all_pairs`."""
    parts: list[Ints] = []
    kernels = set()
    work = partial(_pairs_in_stretch, threshold=threshold)
    for base, (kernel, part) in _run(client, ours, theirs, stretch, progress, work):
        parts.append(part + np.array([[0], [base], [0], [0]]))
        kernels.add(kernel)
    return Pairs.from_parts(parts, _slowest(kernels))


def _slowest(kernels: set[str]) -> str:
    return "numpy" if "numpy" in kernels else next(iter(kernels), "numpy")


@dataclass(frozen=True, kw_only=True)
class PartialBest:
    """The best pairs of our rows among some of theirs, with those of their rows that are in a pair, by row number."""

    slots: Ints  # index into the kept rows, or -1; shape (rows, keep), as are the next two
    common: Ints
    total: Ints
    words: Words  # the kept rows
    numbers: Ints  # and their row numbers

    @classmethod
    def empty(cls, rows: int, keep: int, length: int) -> PartialBest:
        none, zero = np.full((rows, keep), -1, dtype=np.int64), np.zeros((rows, keep), dtype=np.int64)
        words, numbers = np.empty((0, length // 64), dtype="<u8"), np.empty(0, dtype=np.int64)
        return cls(slots=none, common=zero, total=zero, words=words, numbers=numbers)

    def row_numbers(self) -> Ints:
        """Row numbers of theirs, -1 where there are no more; shape (rows, keep)."""
        return np.where(self.slots >= 0, np.append(self.numbers, -1)[self.slots], -1)

    def merged(self, other: PartialBest, base: int) -> PartialBest:
        """The best of both, where ``other`` covers rows that begin at ``base``, before or after these."""
        words, numbers = np.concatenate([self.words, other.words]), np.append(self.numbers, other.numbers + base)
        their_slots = np.where(other.slots >= 0, other.slots + len(self.numbers), -1)
        slots, common, total = (
            np.concatenate(both, axis=1)
            for both in ((self.slots, their_slots), (self.common, other.common), (self.total, other.total))
        )
        columns = np.ascontiguousarray(words).view(">u8").T[::-1]
        rank = np.empty(len(numbers) + 1, dtype=np.int64)
        rank[np.lexsort((numbers, *columns))] = np.arange(len(numbers))
        rank[-1] = len(numbers)  # of an empty slot
        # Different fractions with totals below 2**b differ by more than 2**(-2 * b): see `kernel._best_numpy`.
        places = 2 * (128 * self.words.shape[1]).bit_length() + 1
        score = np.where(slots >= 0, (common << places) // np.maximum(total, 1), -1)
        order = np.lexsort((rank[slots], -score), axis=1)[:, : self.slots.shape[1]]
        slots, common, total = (np.take_along_axis(column, order, axis=1) for column in (slots, common, total))
        merged = PartialBest(slots=slots, common=common, total=total, words=words, numbers=numbers)
        return merged.without_unused_rows()

    def without_unused_rows(self) -> PartialBest:
        used = np.unique(self.slots[self.slots >= 0])
        new_slots = np.full(len(self.numbers) + 1, -1, dtype=np.int64)
        new_slots[used] = np.arange(len(used))
        return replace(self, slots=new_slots[self.slots], words=self.words[used], numbers=self.numbers[used])


def _run(
    client: Any,
    ours: BitMatrix,
    theirs: BitMatrix | Iterable[BitMatrix],
    stretch: int,
    progress: Progress | None,
    work: Callable[..., Any],
) -> Iterator[tuple[int, Any]]:
    """Results in the order they arrive, each with the first row number of its stretch; few tasks run at a time."""
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
                result = future.result()
            except (distributed.KilledWorker, distributed.client.FutureCancelledError, OSError) as error:
                raise PprlError(
                    f"the cluster gave up on a stretch ({type(error).__name__})",
                    hint="too many workers died: check their memory, then repeat the command",
                ) from None
            if (piece := next(pieces, None)) is not None:
                coming.add(submit(piece))
            if progress:
                progress(len(ours) * rows)
            yield base, result
    finally:
        client.cancel([*under_way, shared])


def best_in_stretch(ours: Words, theirs: Words, *, keep: int) -> tuple[str, PartialBest]:
    """The kernel that ran and the best pairs of one stretch; runs on a worker."""
    found = search.best(BitMatrix(ours), BitMatrix(theirs), keep=keep)
    best = PartialBest(
        slots=found.theirs,
        common=found.common.astype(np.int64),
        total=found.total.astype(np.int64),
        words=theirs,
        numbers=np.arange(len(theirs), dtype=np.int64),
    )
    return found.kernel, best.without_unused_rows()


def _pairs_in_stretch(ours: Words, theirs: Words, *, threshold: Fraction) -> tuple[str, Ints]:
    """Runs on a worker."""
    found = search.all_pairs(BitMatrix(ours), BitMatrix(theirs), threshold)
    return found.kernel, np.stack([found.ours, found.theirs, found.common, found.total])
