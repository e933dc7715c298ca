"""pprl demo: the main job on made-up rosters, with the truth beside the result."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl import files
from pprl.cli import options
from pprl.cli.output import REPORT_FILES, all_or_none, make_folder, show_assessment, write_outputs
from pprl.cli.progress import searching
from pprl.errors import FileError

if TYPE_CHECKING:
    from pprl.demo import Rosters
    from pprl.estimate.assess import Assessment

KEPT = ("list.xlsx", "registry.csv", "schema.toml", "truth.csv", "PRIVATE-pairs.csv", *REPORT_FILES)


@click.command(
    short_help="Link made-up rosters and show the truth beside the result.",
    epilog="\b\nExamples:\n  pprl demo\n  pprl demo shown     (keeps the rosters, to try the other commands on)",
)
@click.argument("folder", metavar="[DIR]", required=False, type=options.FilePath)
@click.option("--seed", type=click.IntRange(min=0), default=2022, show_default=True, help="Other people, same story.")
def demo(folder: Path | None, seed: int) -> None:
    """Invent a leaked list and a registry, link them, and print the result beside the truth.

    A clerk's XLSX of 1,010 men in Cyrillic against a CSV of 12,000 in Latin letters, which is older than part of the
    list. Without DIR everything happens in a temporary folder; DIR must be absent or empty.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="pprl-demo-") as temporary:
            _play(Path(temporary), seed, kept=False)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"{folder.resolve().name}: is not an empty folder", hint="name a new folder")
    with all_or_none(*(folder / name for name in KEPT), folder):
        make_folder(folder)
        _play(folder, seed, kept=True)


def _play(folder: Path, seed: int, *, kept: bool) -> None:
    from pprl.demo import SCHEMA, invent
    from pprl.linkage import ids_of, link_people, pairs_to_compare
    from pprl.match.engines import threads
    from pprl.schema import load_schema

    rosters = invent(seed)
    leaked, registry, schema_path, truth_path, pairs, *_ = (folder / name for name in KEPT)
    files.write_new(leaked, [rosters.workbook()])
    files.write_new(registry, [rosters.registry.to_csv(index=False).encode()])
    files.write_new(schema_path, [SCHEMA.encode()])
    files.write_new(truth_path, [rosters.truth().to_csv(index=False).encode()])
    click.echo(
        f"invented           a leaked list of {len(rosters.people):,} men in {len(rosters.entries):,} rows (Cyrillic) "
        f"and a registry of {len(rosters.registry):,} (Latin)"
    )
    schema = load_schema(schema_path)
    own = options.load((leaked,), schema, (), None, "list")
    theirs = options.load((registry,), schema, (), None, "registry")
    with threads() as engine, searching(pairs_to_compare(own.people, theirs.people, schema)) as progress:
        assessment = link_people(
            own.people,
            theirs.people,
            schema,
            list_ids=ids_of(own.frames, "№ п/п"),
            registry_ids=ids_of(theirs.frames, "id"),
            seed=seed,
            map=engine.map,
            progress=progress,
        )
    show_assessment(assessment, as_json=False)
    click.echo("")
    click.echo("\n".join(_truth(rosters, assessment)))
    if kept:
        write_outputs(assessment, pairs, folder, force=False)
        click.echo(f"kept               {', '.join(sorted(path.name for path in folder.iterdir()))}")
        click.echo("go on              pprl link list.xlsx registry.csv --schema schema.toml --pairs PRIVATE-again.csv")


def _truth(rosters: Rosters, assessment: Assessment) -> list[str]:
    """What is so, in the words of the result."""
    from pprl.demo import ABSENT, IN_REGISTRY, TOO_LATE

    states = Counter(map(rosters.status, range(len(rosters.people))))
    present = states[IN_REGISTRY]
    marks = rosters.marked(list(assessment.pairs.list_id), list(assessment.pairs.registry_id))
    lines = [
        f"the truth          {present:,} of the {len(rosters.people):,} are in the registry; "
        f"{states[TOO_LATE]:,} joined after its date and cannot be; {states[ABSENT]:,} are missing there",
        f"pairs              {marks.right:,} right, {marks.wrong:,} wrong "
        f"({marks.wrong / max(1, len(assessment.pairs)):.2%}); {marks.missed:,} missed",
    ]
    if assessment.net_found is not None:
        _, low, high = assessment.net_found
        holds = "holds" if low <= present <= high else "does not hold"
        lines.insert(1, f"the interval       {low:,.0f} to {high:,.0f} {holds} the truth of {present:,}")
    return lines
