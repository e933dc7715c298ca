"""`pprl match`: compare encodings, without the key."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pprl.cli import options
from pprl.cli.exchange_form import CommandWithExchangeForm, names_folder
from pprl.cli.options import note
from pprl.cli.output import as_parquet, check_output, say, write_output
from pprl.cli.progress import searching
from pprl.core.container import STANDARD

if TYPE_CHECKING:
    from pprl.core.encodings import Encodings
    from pprl.match.checkpoint import Checkpoint
    from pprl.match.search import Candidates, Pairs


Columns = Mapping[str, list[Any]]


class Share(click.ParamType[Fraction]):
    """A number from 0 to 1, exactly as it is written."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            share = value if isinstance(value, Fraction) else Fraction(value)
        except (ValueError, ZeroDivisionError):
            share = Fraction(-1)
        if not 0 < share <= 1:
            self.fail("write a number above 0 and up to 1, such as 0.85", param, ctx)
        return share


@dataclass(frozen=True)
class Engine:
    """Where the search runs: on threads of this machine, or on a cluster."""

    name: str = "local"
    scheduler: str | None = None
    threads: int | None = None
    resume: bool = False

    @contextmanager
    def finding(self, checkpoint: Checkpoint) -> Iterator[Callable[..., Candidates]]:
        """`search.best` there, with a checkpoint where it can have one."""
        from pprl.match import search

        if self.name == "dask":
            from pprl.match import dask as cluster

            with cluster.connected(self.scheduler or "") as client:
                yield partial(cluster.best, client)
            return
        sofar = None
        if checkpoint.path.exists():
            if self.resume:
                sofar = checkpoint.read()
                note(f"going on behind the first {sofar.done:,} rows")
            else:
                note(f"{checkpoint.path.name}: left by a run that did not end; --resume would go on with it")
        from pprl.match.threads import threads as on_threads

        with on_threads(self.threads) as engine:
            yield partial(search.best, map=engine.map, sofar=sofar, save=checkpoint.save)
        if checkpoint.trouble:
            note(checkpoint.trouble)

    @contextmanager
    def finding_pairs(self) -> Iterator[Callable[..., Pairs]]:
        """`search.all_pairs` there."""
        from pprl.match import search

        if self.name == "dask":
            from pprl.match import dask as cluster

            with cluster.connected(self.scheduler or "") as client:
                yield partial(cluster.all_pairs, client)
            return
        from pprl.match.threads import threads as on_threads

        with on_threads(self.threads) as engine:
            yield partial(search.all_pairs, map=engine.map)


@click.command(
    cls=CommandWithExchangeForm,
    exchange_form="match_form",
    chosen_by=names_folder,
    short_help="Compare two files of encodings, without the key.",
    epilog="""\b
Examples:
  pprl match list.pprl registry.pprl -o scores.pprl
  pprl match list.pprl registry.pprl -o scores.pprl --resume     after a crash
  pprl match one.pprl other.pprl --threshold 0.85 -o pairs.csv    every pair
  pprl match list.pprl registry.pprl -o scores.pprl --engine dask --scheduler tcp://10.0.0.5:8786
  pprl match clks.json theirs.json --threshold 0.8 -o pairs.csv    files of anonlink
  pprl match unit                                  the linkage unit's step of the exchange
""",
)
@click.argument("list_path", metavar="LIST.pprl", type=options.FilePath)
@click.argument("registry_path", metavar="REGISTRY.pprl", type=options.FilePath)
@click.option(
    "-o",
    "--output",
    type=options.NewFile(or_standard=True),
    required=True,
    help="The file of scores to write; with --threshold pairs: CSV or .parquet, or - for standard output.",
)
@click.option(
    "--threshold",
    type=Share(),
    help="Instead of scores to be judged: every pair whose Dice similarity is at least that.",
)
@click.option(
    "--approximate",
    type=Share(),
    metavar="RECALL",
    help="With --threshold: faster, and each pair is found with at least this chance, such as 0.99.",
)
@click.option(
    "--groups",
    is_flag=True,
    help="Of two JSON files of filters: anonlink's groups instead of pairs, each record in one at most.",
)
@click.option("--resume", is_flag=True, help="Go on where a run of the same command was broken off.")
@options.threads_option
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where to compare: here, or on the workers of a Dask cluster, which then see the encodings.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of the Dask cluster: tcp://HOST:8786, tls://HOST:8786.")
@options.force_option
def match(
    list_path: Path,
    registry_path: Path,
    output: Path,
    threshold: Fraction | None,
    approximate: Fraction | None,
    groups: bool,
    resume: bool,
    threads: int | None,
    engine: str,
    scheduler: str | None,
    force: bool,
) -> None:
    """Compare two files of encodings, without the key and without knowing which rows are decoys.

    With a FOLDER alone this is the linkage unit's step of the exchange: `pprl match FOLDER --help`.

    Two JSON files of filters, from clkhash, anonlink or `pprl convert clkhash`, are compared with --threshold
    alone, by the numbers of their records from 0; one of them may be - for standard input.

    A run of more than a minute keeps a checkpoint beside its output. Large registries stay on the disk: memory
    is bounded by the list.
    """
    if (engine == "dask") != (scheduler is not None):
        raise click.UsageError("--engine dask and --scheduler ADDRESS go together")
    if approximate is not None and (threshold is None or engine == "dask"):
        raise click.UsageError(
            "--approximate is for --threshold on this machine; scores that are judged are always exact"
        )
    where = Engine(engine, scheduler, threads, resume)
    if resume and (threshold is not None or engine == "dask"):
        raise click.UsageError("--resume is for scores that are made here; --threshold and dask keep no checkpoint")
    if groups and as_parquet(output):
        raise click.UsageError("--groups writes JSON")
    if threshold is None and output == STANDARD:
        raise click.UsageError("scores go into a file: only pairs, with --threshold, go to standard output")
    if threshold is None and as_parquet(output):
        raise click.UsageError(
            "only pairs, with --threshold, are written as Parquet; `pprl convert parquet` makes it of scores"
        )
    options.refuse_overwriting([output], [list_path, registry_path])
    check_output(output, force=force)
    from pprl.interop.anonlink import looks_like_clks

    if looks_like_clks(list_path) and looks_like_clks(registry_path):
        if threshold is None or approximate is not None:
            raise click.UsageError("filters without labels are compared with --threshold alone")
        write_clk_pairs(list_path, registry_path, output, threshold, where, groups=groups, force=force)
        return
    if STANDARD in (list_path, registry_path):
        raise click.UsageError(
            "standard input is taken for a JSON file of clkhash or anonlink; name files of encodings"
        )
    if groups:
        raise click.UsageError("--groups is for the JSON files of clkhash and anonlink")
    if threshold is not None:
        write_pairs(list_path, registry_path, output, threshold, approximate, where, force=force)
    else:
        write_scores(list_path, registry_path, output, where, force=force)


def write_scores(list_path: Path, registry_path: Path, output: Path, where: Engine, *, force: bool) -> None:
    import hashlib

    from pprl.core.encodings import Encodings
    from pprl.match.checkpoint import Checkpoint, hash_of
    from pprl.match.encodings import match_encodings
    from pprl.match.kernel import notes

    ours, theirs = Encodings.read(list_path, "list"), Encodings.read(registry_path, "registry", mapped=True)
    checkpoint = Checkpoint(
        output.with_name(output.name + ".checkpoint"),
        lambda: hashlib.sha256(hash_of(list_path) + hash_of(registry_path)).digest(),
    )
    if where.resume and not checkpoint.path.exists():
        note("there is no checkpoint beside the output: beginning anew")
    with where.finding(checkpoint) as find, searching(len(ours) * len(theirs), len(ours)) as progress:
        scores = match_encodings(ours, theirs, find=find, progress=progress)
    scores.write(output, force=force)
    checkpoint.remove()
    for text in notes():
        note(text)
    click.echo(
        f"{output.name}: scores of {len(ours):,} rows of the list against {len(theirs):,} of the registry; "
        "send it back to the list's owner"
    )


def write_pairs(
    one_path: Path,
    other_path: Path,
    output: Path,
    threshold: Fraction,
    recall: Fraction | None,
    where: Engine,
    *,
    force: bool,
) -> None:
    """Every pair at or above the threshold, by the handles of its rows."""
    from pprl.core.encodings import Encodings
    from pprl.match import lsh as approximate
    from pprl.match.kernel import notes
    from pprl.match.threads import threads as on_threads

    one, other = Encodings.read(one_path), Encodings.read(other_path, mapped=recall is None)
    one.parameters.require_same(other.parameters)
    with searching(len(one) * len(other), len(one)) as progress:
        if recall is None:
            with where.finding_pairs() as find:
                pairs = find(one.bits, other.bits, threshold, progress=progress)
        else:
            with on_threads(where.threads) as engine:
                pairs, account = approximate.all_pairs(
                    one.bits, other.bits, threshold, float(recall), map=engine.map, progress=progress
                )
            say(account.describe(), output)
    write_output(output, _as_file(_told(pairs, one, other), output), private=True, force=force)
    for text in notes():
        note(text)
    _say_found(output, _counted(len(pairs.ours), "pair"), threshold)


def write_clk_pairs(
    one_path: Path, other_path: Path, output: Path, threshold: Fraction, where: Engine, *, groups: bool, force: bool
) -> None:
    """Every pair of two files of clkhash or anonlink, or the groups of a greedy matching."""
    import numpy as np

    from pprl.interop.anonlink import in_one_block, one_to_one, read_clks
    from pprl.match.kernel import notes

    one, other = read_clks(one_path), read_clks(other_path)
    one.require_same(other)
    note("warning: these files say neither how they were made nor which rows are made up: no promise of pprl holds")
    with searching(len(one) * len(other), len(one)) as progress, where.finding_pairs() as find:
        pairs = find(one.bits, other.bits, threshold, progress=progress)
    may = in_one_block(pairs, one, other)
    ours, theirs = pairs.ours[may], pairs.theirs[may]
    similarity = 2 * pairs.common[may].astype(np.float64) / pairs.total[may]
    if groups:
        kept = one_to_one(ours, theirs, similarity)
        found = [[[0, row], [1, their]] for row, their in zip(ours[kept].tolist(), theirs[kept].tolist(), strict=True)]
        write_output(output, [json.dumps({"groups": found}).encode() + b"\n"], private=True, force=force)
    else:
        columns = {"record": ours, "their_record": theirs, "score": similarity}
        parts = ({name: column[here].tolist() for name, column in columns.items()} for here in _slices(len(ours)))
        write_output(output, _as_file(parts, output), private=True, force=force)
    for text in notes():
        note(text)
    _say_found(output, _counted(len(kept), "group") if groups else _counted(len(ours), "pair"), threshold)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)


def _say_found(output: Path, found: str, threshold: Fraction) -> None:
    to = "standard output" if output == STANDARD else output.name
    say(f"{to}: {found} with a similarity of {float(threshold):g} or more", output)
    say("no decoys were judged: how many of them are false is not known from here", output)


PAIRS_AT_ONCE = 1 << 16


def _slices(count: int) -> Iterator[slice]:
    """The places of so many pairs, part by part, one part at least."""
    return (slice(top, top + PAIRS_AT_ONCE) for top in range(0, max(1, count), PAIRS_AT_ONCE))


def _told(pairs: Pairs, one: Encodings, other: Encodings) -> Iterator[Columns]:
    """The pairs by columns, part by part."""
    import numpy as np

    for here in _slices(len(pairs.ours)):
        rows, theirs = pairs.ours[here], pairs.theirs[here]
        common, total = pairs.common[here], pairs.total[here]
        yield {
            "row": rows.tolist(),
            "their_row": theirs.tolist(),
            "handle": [each.tobytes().hex() for each in one.handles[rows]],
            "their_handle": [each.tobytes().hex() for each in other.handles[theirs]],
            "common": common.tolist(),
            "total": total.tolist(),
            "score": (2 * common.astype(np.float64) / total).tolist(),
        }


def _as_file(parts: Iterator[Columns], output: Path) -> Iterator[bytes]:
    """Pairs as CSV, or as Parquet where the file's name says so."""
    if as_parquet(output):
        from pprl.interop.parquet import pairs_parquet

        yield from pairs_parquet(parts)
        return
    first = next(parts)
    yield ",".join(first).encode() + b"\n"
    line = ",".join("{:.6f}" if name == "score" else "{}" for name in first) + "\n"
    for part in itertools.chain([first], parts):
        yield "".join(map(line.format, *part.values())).encode()
