"""The options --engine, --scheduler and --threads: where a search runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from pprl.cli.options import note

if TYPE_CHECKING:
    from pprl.match.checkpoint import Checkpoint
    from pprl.match.search import Candidates, Pairs


def engine_of(name: str, scheduler: str | None, threads: int | None, *, resume: bool) -> Engine:
    """UsageError: a cluster without an address, or an address without a cluster."""
    if (name == "dask") != (scheduler is not None):
        raise click.UsageError("--engine dask and --scheduler ADDRESS go together")
    return Engine(name, scheduler, threads, resume)


@dataclass(frozen=True)
class Engine:
    """Where the search runs: on threads of this machine, or on a cluster."""

    name: str = "local"
    scheduler: str | None = None
    threads: int | None = None
    resume: bool = False

    @contextmanager
    def finding(self, checkpoint: Checkpoint) -> Iterator[Callable[..., Candidates]]:
        """`search.best` on this engine, with a checkpoint unless it is a cluster."""
        if self.name == "dask":
            from pprl.match import dask as cluster

            with cluster.connected(self.scheduler or "") as client:
                yield partial(cluster.best, client)
            return
        start = None
        if checkpoint.path.exists():
            if self.resume:
                start = checkpoint.read()
                note(f"resuming after the first {start.done:,} rows")
            else:
                note(f"{checkpoint.path.name}: left by an unfinished run; --resume continues it")
        from pprl.match.checkpoint import best_with_checkpoint
        from pprl.match.threads import threads as on_threads

        with on_threads(self.threads) as engine:
            yield partial(best_with_checkpoint, checkpoint, start, map=engine.map)
        if checkpoint.trouble:
            note(checkpoint.trouble)

    @contextmanager
    def finding_pairs(self) -> Iterator[Callable[..., Pairs]]:
        """`search.all_pairs` on this engine."""
        from pprl.match import search

        if self.name == "dask":
            from pprl.match import dask as cluster

            with cluster.connected(self.scheduler or "") as client:
                yield partial(cluster.all_pairs, client)
            return
        from pprl.match.threads import threads as on_threads

        with on_threads(self.threads) as engine:
            yield partial(search.all_pairs, map=engine.map)
