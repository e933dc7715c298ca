"""Progress of long work: on stderr, and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def linking() -> Iterator[Callable[[int, int], None] | None]:
    """Yields a callback for about how many pairs there are and how many were compared since its last call.

    The bar appears with the first call, when everything that is said before the search has been said.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None

        def compared(pairs: int, new: int) -> None:
            nonlocal advance
            advance = advance or stack.enter_context(searching(pairs))
            assert advance is not None
            advance(new)

        yield compared


@contextmanager
def searching(pairs: int, ours: int = 0) -> Iterator[Callable[[int], None] | None]:
    """Yields what the search tells how many pairs it compared since the last time; None where stderr is no terminal.

    With the rows of ours, the speed is shown in rows of theirs too.
    """
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
                rows = f"{speed / ours:,.0f} rows, " if ours else ""
                bar.update(task, speed=f"{rows}{speed / 1e6:,.0f} million pairs a second")

        yield tell


@contextmanager
def reading() -> Iterator[Callable[[int], None] | None]:
    """Yields what the encoding of a roster of unknown length tells how many rows it read since the last time."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("encoding"), TimeElapsedColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, told="")

        def tell(rows: int) -> None:
            bar.advance(task, rows)
            told = f"{bar.tasks[0].completed:,.0f} rows"
            bar.update(task, told=told + (f", {speed:,.0f} a second" if (speed := bar.tasks[0].speed) else ""))

        yield tell


@contextmanager
def steps(what: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """Yields what is told before each step: its name, how many are done, how many there are."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[now]}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, now="")
        yield lambda now, done, total: bar.update(task, completed=done, total=total, now=now)
