"""An engine is an object with a ``map``: it decides where the pieces of a search run, never what they return.

Python's own ``map`` is the serial engine. Threads are enough on one machine, since the kernels release the
interpreter's lock. A piece takes a fraction of a second, so an interrupt takes effect soon. A cluster, which should get
stretches of theirs and not of ours, is used through `pprl.match.dask`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Map = Callable[..., Iterable[Any]]


@dataclass(frozen=True)
class Engine:
    """An object with a ``map`` that is called like Python's own."""

    map: Map


@contextmanager
def threads(n: int | None = None) -> Iterator[Engine]:
    """``n`` threads; by default one for each processor that this process may use.

    >>> with threads(2) as engine:
    ...     list(engine.map(abs, [-1, 2]))
    [1, 2]
    """
    pool = ThreadPoolExecutor(n or _processors(), thread_name_prefix="pprl")
    try:
        yield Engine(pool.map)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
