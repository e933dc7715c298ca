"""Progress of long work: on stderr, and only on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST_AFTER = 1.0
EVERY = 0.2


@contextmanager
def searching() -> Iterator[Callable[[int], None] | None]:
    """Yields what the search tells its compared pairs to; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    start = shown = time.monotonic()
    compared = 0

    def tell(pairs: int) -> None:
        nonlocal compared, shown
        compared += pairs
        now = time.monotonic()
        if now - start > FIRST_AFTER and now - shown > EVERY:
            shown = now
            rate = compared / (now - start) / 1e6
            sys.stderr.write(f"\rmatching: {compared / 1e6:,.0f} million pairs compared, {rate:,.0f} million a second ")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown != start:
            sys.stderr.write("\r" + " " * 78 + "\r")
            sys.stderr.flush()
