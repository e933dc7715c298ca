"""`pprl match`: compare encodings, without the key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pprl.cli import options
from pprl.cli.engine import Engine, engine_of
from pprl.cli.exchange_form import CommandWithExchangeForm, names_folder
from pprl.cli.options import note
from pprl.cli.output import as_parquet, as_xlsx, check_output, refuse_ending, say, write_output
from pprl.cli.progress import searching
from pprl.core.container import STANDARD
from pprl.core.tables import csv_parts, xlsx_bytes

if TYPE_CHECKING:
    from pprl.core.encodings import Encodings
    from pprl.match.search import Pairs


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
  pprl match clks.json theirs.json --threshold 0.8 -o pairs.csv    anonlink files
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
    help="The file of scores to write; with --threshold the pairs: .csv, .xlsx, .parquet, or - for standard output.",
)
@click.option(
    "--threshold",
    type=Share(),
    help="Write every pair whose Dice similarity is at least this, instead of scores to be judged.",
)
@click.option(
    "--approximate",
    type=Share(),
    metavar="RECALL",
    help="With --threshold: faster; each pair is found with at least this probability, such as 0.99.",
)
@click.option(
    "--groups",
    is_flag=True,
    help="For two JSON files of filters: anonlink's groups instead of pairs, with each record in at most one.",
)
@click.option("--resume", is_flag=True, help="Continue an interrupted run of the same command.")
@options.threads_option
@options.engine_options
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

    Two JSON files of filters, from clkhash, anonlink or `pprl convert clkhash`, can be compared with --threshold only.
    Pairs refer to their records by number, from 0. One of the files may be - for standard input.

    A run of more than a minute keeps a checkpoint beside its output. Large registries are not loaded into memory.
    """
    search_engine = engine_of(engine, scheduler, threads, resume=resume)
    if approximate is not None and (threshold is None or engine == "dask"):
        raise click.UsageError(
            "--approximate works with --threshold on this machine; scores that are judged are always exact"
        )
    if resume and (threshold is not None or engine == "dask"):
        raise click.UsageError("--resume is for scores made on this machine; --threshold and dask keep no checkpoint")
    if groups and (as_parquet(output) or as_xlsx(output)):
        raise click.UsageError("--groups writes JSON")
    if threshold is not None and not groups:
        refuse_ending(output, "-o with --threshold", (".csv", ".xlsx", ".parquet"))
    if threshold is None and output == STANDARD:
        raise click.UsageError("scores are written to a file; only pairs, with --threshold, go to standard output")
    if threshold is None and (as_parquet(output) or as_xlsx(output)):
        raise click.UsageError(
            "only pairs, with --threshold, are written as tables; `pprl convert parquet` converts scores"
        )
    options.refuse_overwriting([output], [list_path, registry_path])
    check_output(output, force=force)
    from pprl.interop.anonlink import looks_like_clks

    if looks_like_clks(list_path) and looks_like_clks(registry_path):
        if threshold is None or approximate is not None:
            raise click.UsageError("these JSON files can be compared with --threshold only")
        write_clk_pairs(list_path, registry_path, output, threshold, search_engine, groups=groups, force=force)
        return
    if STANDARD in (list_path, registry_path):
        raise click.UsageError("standard input is read as a JSON file of clkhash or anonlink; name files of encodings")
    if groups:
        raise click.UsageError("--groups is for the JSON files of clkhash and anonlink")
    if threshold is not None:
        write_pairs(list_path, registry_path, output, threshold, approximate, search_engine, force=force)
    else:
        write_scores(list_path, registry_path, output, search_engine, force=force)


def write_scores(list_path: Path, registry_path: Path, output: Path, search_engine: Engine, *, force: bool) -> None:
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
    if search_engine.resume and not checkpoint.path.exists():
        note("there is no checkpoint beside the output: starting from the first row")
    rows = len(ours) + (0 if theirs.decoys is None else len(theirs.decoys))
    with search_engine.finding(checkpoint) as find, searching(rows * len(theirs), rows) as progress:
        scores = match_encodings(ours, theirs, find=find, progress=progress)
    scores.write(output, force=force)
    checkpoint.remove()
    for text in notes():
        note(text)
    click.echo(
        f"{output.name}: scores of {len(ours):,} rows of the list against {len(theirs):,} of the registry; "
        "send it back to the list owner"
    )


def write_pairs(
    our_path: Path,
    their_path: Path,
    output: Path,
    threshold: Fraction,
    recall: Fraction | None,
    search_engine: Engine,
    *,
    force: bool,
) -> None:
    """Write every pair at or above the threshold, by row numbers and handles."""
    from pprl.core.encodings import Encodings
    from pprl.match import lsh
    from pprl.match.kernel import notes
    from pprl.match.lsh_plan import make_plan
    from pprl.match.threads import threads as on_threads

    ours, theirs = Encodings.read(our_path), Encodings.read(their_path, mapped=recall is None)
    ours.parameters.require_same(theirs.parameters)
    with searching(len(ours) * len(theirs), len(ours)) as progress:
        if recall is None:
            with search_engine.finding_pairs() as find:
                pairs = find(ours.bits, theirs.bits, threshold, progress=progress)
        else:
            plan = make_plan(ours.bits, theirs.bits, threshold, float(recall))
            with on_threads(search_engine.threads) as engine:
                pairs, report = lsh.all_pairs(ours.bits, theirs.bits, plan, map=engine.map, progress=progress)
            say(report.describe(), output)
    write_output(output, _as_file(_columns(pairs, ours, theirs), output), private=True, force=force)
    for text in notes():
        note(text)
    _say_found(output, _counted(len(pairs.ours), "pair"), threshold)


def write_clk_pairs(
    our_path: Path,
    their_path: Path,
    output: Path,
    threshold: Fraction,
    search_engine: Engine,
    *,
    groups: bool,
    force: bool,
) -> None:
    """Write every pair of two files of clkhash or anonlink, or the groups of a greedy matching."""
    import numpy as np

    from pprl.interop.anonlink import one_to_one, read_clks, share_a_block
    from pprl.match.kernel import notes

    ours, theirs = read_clks(our_path), read_clks(their_path)
    ours.require_same(theirs)
    note("warning: these files say neither how they were made nor which rows are decoys: no promise of pprl holds")
    with searching(len(ours) * len(theirs), len(ours)) as progress, search_engine.finding_pairs() as find:
        pairs = find(ours.bits, theirs.bits, threshold, progress=progress)
    comparable = share_a_block(pairs, ours, theirs)
    our_rows, their_rows = pairs.ours[comparable], pairs.theirs[comparable]
    similarity = 2 * pairs.common[comparable].astype(np.float64) / pairs.total[comparable]
    if groups:
        kept = one_to_one(our_rows, their_rows, similarity)
        rows = zip(our_rows[kept].tolist(), their_rows[kept].tolist(), strict=True)
        json_groups = [[[0, our_row], [1, their_row]] for our_row, their_row in rows]
        write_output(output, [json.dumps({"groups": json_groups}).encode() + b"\n"], private=True, force=force)
    else:
        columns = {"record": our_rows, "their_record": their_rows, "score": similarity}
        parts = ({name: column[part].tolist() for name, column in columns.items()} for part in _slices(len(our_rows)))
        write_output(output, _as_file(parts, output), private=True, force=force)
    for text in notes():
        note(text)
    _say_found(output, _counted(len(kept), "group") if groups else _counted(len(our_rows), "pair"), threshold)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)


def _say_found(output: Path, found: str, threshold: Fraction) -> None:
    name = "standard output" if output == STANDARD else output.name
    say(f"{name}: {found} with a similarity of {float(threshold):g} or more", output)
    say("no decoys were judged, so it is unknown how many of them are false", output)


PAIRS_AT_ONCE = 1 << 16


def _slices(count: int) -> Iterator[slice]:
    """Slices of `PAIRS_AT_ONCE` pairs; at least one, which may be empty."""
    return (slice(top, top + PAIRS_AT_ONCE) for top in range(0, max(1, count), PAIRS_AT_ONCE))


def _columns(pairs: Pairs, ours: Encodings, theirs: Encodings) -> Iterator[Columns]:
    """The pairs as columns, part by part."""
    import numpy as np

    for part in _slices(len(pairs.ours)):
        our_rows, their_rows = pairs.ours[part], pairs.theirs[part]
        common, total = pairs.common[part], pairs.total[part]
        yield {
            "row": our_rows.tolist(),
            "their_row": their_rows.tolist(),
            "handle": [handle.tobytes().hex() for handle in ours.handles[our_rows]],
            "their_handle": [handle.tobytes().hex() for handle in theirs.handles[their_rows]],
            "common": common.tolist(),
            "total": total.tolist(),
            "score": (2 * common.astype(np.float64) / total).tolist(),
        }


def _as_file(parts: Iterator[Columns], output: Path) -> Iterator[bytes]:
    """Pairs as CSV, or as the file's name says."""
    if as_parquet(output):
        from pprl.interop.parquet import pairs_parquet

        yield from pairs_parquet(parts)
    elif as_xlsx(output):
        yield xlsx_bytes(parts)
    else:
        yield from csv_parts({**part, "score": list(map("{:.6f}".format, part["score"]))} for part in parts)
