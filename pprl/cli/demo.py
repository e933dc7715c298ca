"""pprl demo: link invented rosters, and show the truth beside the result."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import show_assessment
from pprl.cli.progress import linking
from pprl.core import container
from pprl.core.errors import FileError
from pprl.core.outputs import make_folder
from pprl.core.tables import columns_of, csv_bytes

if TYPE_CHECKING:
    from pprl.demo import Rosters

ROSTERS = ("list.xlsx", "registry.csv", "schema.toml", "truth.csv")


@click.command(
    short_help="Link invented rosters and show the truth beside the result.",
    epilog="\b\nExamples:\n  pprl demo\n  pprl demo shown     (the whole exchange, every party's folder kept)",
)
@click.argument("folder", metavar="[DIR]", required=False, type=options.Named)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=2022,
    show_default=True,
    help="Seed of the invented people; another number gives other people.",
)
def demo(folder: Path | None, seed: int) -> None:
    """Invent a leaked list and a registry, link them, and print the result beside the truth.

    A clerk's XLSX of 1,010 men in Cyrillic is linked with a CSV of 12,000 in Latin letters, which was made before
    some of them joined. Without DIR this happens on one machine, in a temporary folder. In DIR, which must be absent or
    empty, newsroom, registry owner and linkage unit play the whole exchange, each with their own folder, and leave a
    transcript for an auditor.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="pprl-demo-") as temporary:
            _link(Path(temporary), seed)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"{folder.resolve().name}: is not an empty folder", hint="name a new folder")
    try:
        make_folder(folder)
        _exchange(folder, seed)
    except BaseException:  # leave nothing behind: the folder was empty, and holds invented people only
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _link(folder: Path, seed: int) -> None:
    from pprl.core.schema_file import load_schema
    from pprl.demo import SCHEMA, invent
    from pprl.link import link

    rosters = invent(seed)
    leaked, registry, schema_path, _ = (folder / name for name in ROSTERS)
    container.write_new(leaked, [rosters.workbook()])
    container.write_new(registry, [csv_bytes(columns_of(rosters.registry))])
    container.write_new(schema_path, [SCHEMA.encode()])
    click.echo(_invented(rosters))
    schema = load_schema(schema_path)
    with linking() as progress:
        assessment = link(
            leaked, registry, schema, list_id="№ п/п", registry_id="id", seed=seed, progress=progress, note=options.note
        )
    show_assessment(assessment, as_json=False)
    click.echo("")
    marks = rosters.marked(list(assessment.pairs.list_id), list(assessment.pairs.registry_id))
    net = assessment.net_found
    lines = _truth(rosters, None if net is None else (net.value, net.low or 0, net.high or 0))
    lines.append(
        f"pairs              {marks.right:,} right, {marks.wrong:,} wrong "
        f"({marks.wrong / max(1, len(assessment.pairs)):.2%}); {marks.missed:,} missed"
    )
    click.echo("\n".join(lines))


def _invented(rosters: Rosters) -> str:
    return (
        f"invented           a leaked list of {len(rosters.people):,} men in {len(rosters.entries):,} rows (Cyrillic) "
        f"and a registry of {len(rosters.registry):,} (Latin)"
    )


def _exchange(folder: Path, seed: int) -> None:
    """Play every step of every party, and print it."""
    from pprl.demo import invent
    from pprl.demo.exchange import AUDITOR, HEARD, play, write_rosters
    from pprl.exchange.next_step import PAGE

    rosters = invent(seed)
    write_rosters(folder, rosters)
    click.echo(_invented(rosters))
    for step in play(folder):
        click.echo(f"\n{step.folder}$ pprl {step.command}")
        for line in step.lines:
            click.echo(line)
    report = folder / "newsroom" / "exchange" / "result" / "report.json"
    net = json.loads(report.read_bytes())["headline"]["net_found"]
    interval = (net["value"], net["low"], net["high"]) if net["value"] is not None else None
    click.echo("")
    click.echo("\n".join(_truth(rosters, interval)))
    click.echo(f"the page           {folder.name}/{PAGE}")
    click.echo(f"an auditor         pprl verify {folder.name}/{AUDITOR} --words-file {folder.name}/{HEARD}")


def _truth(rosters: Rosters, net: tuple[float, float, float] | None) -> list[str]:
    """The truth, in the words of the result."""
    from pprl.demo import ABSENT, IN_REGISTRY, TOO_LATE

    states = Counter(map(rosters.status, range(len(rosters.people))))
    present = states[IN_REGISTRY]
    lines = [
        f"the truth          {present:,} of the {len(rosters.people):,} are in the registry; "
        f"{states[TOO_LATE]:,} joined after its date and cannot be; {states[ABSENT]:,} are missing there",
    ]
    if net is not None:
        _, low, high = net
        holds = "holds" if low <= present <= high else "does not hold"
        lines.append(f"the interval       {low:,.0f} to {high:,.0f} {holds} the truth of {present:,}")
    return lines
