"""Progress of long work: on stderr, and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def searching(pairs: int) -> Iterator[Callable[[int], None] | None]:
    """Yields what the search tells how many pairs it compared since the last time; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[speed]}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("matching", total=pairs, speed="")

        def tell(compared: int) -> None:
            bar.advance(task, compared)
            if speed := bar.tasks[0].speed:
                bar.update(task, speed=f"{speed / 1e6:,.0f} million pairs a second")

        yield tell
