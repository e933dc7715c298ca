"""Progress bars: on stderr, and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def linking() -> Iterator[Callable[[int, int], None] | None]:
    """Yield a callback that takes roughly how many pairs there are, and how many were compared since the last call.

    The bar appears with the first call, after the notes that come before the search. None if stderr is not a terminal.
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
def searching(pairs: int, list_rows: int = 0) -> Iterator[Callable[[int], None] | None]:
    """Yield a callback that takes the number of pairs compared since its last call; None if stderr is not a terminal.

    With ``list_rows``, the number of rows of the list, the speed is also shown in rows of the registry.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[speed]}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("matching", total=pairs, speed="")

        def advance(compared: int) -> None:
            bar.advance(task, compared)
            if speed := bar.tasks[0].speed:
                rows = f"{speed / list_rows:,.0f} rows, " if list_rows else ""
                bar.update(task, speed=f"{rows}{speed / 1e6:,.0f} million pairs per second")

        yield advance


@contextmanager
def reading() -> Iterator[Callable[[int], None] | None]:
    """Yield a callback that takes the number of rows read since its last call, for a roster of unknown length."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("encoding"), TimeElapsedColumn(), TextColumn("{task.fields[count]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, count="")

        def advance(rows: int) -> None:
            bar.advance(task, rows)
            count = f"{bar.tasks[0].completed:,.0f} rows"
            bar.update(task, count=count + (f", {speed:,.0f} per second" if (speed := bar.tasks[0].speed) else ""))

        yield advance


@contextmanager
def steps(what: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """Yield a callback to call before each step, with its name, how many are done, and how many there are."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[now]}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, now="")
        yield lambda now, done, total: bar.update(task, completed=done, total=total, now=now)
