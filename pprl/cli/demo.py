"""pprl demo: the main job on made-up rosters, with the truth beside the result."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from pprl import files
from pprl.cli import options
from pprl.cli.output import all_or_none, make_folder, show_assessment, write_outputs
from pprl.cli.progress import searching
from pprl.errors import FileError

KEPT = ("leaked.csv", "registry.csv", "schema.toml", "truth.csv", "PRIVATE-pairs.csv")


@click.command(
    short_help="Link made-up rosters and show the truth beside the result.",
    epilog="\b\nExamples:\n  pprl demo\n  pprl demo shown     (keeps the rosters, to try the other commands on)",
)
@click.argument("folder", metavar="[DIR]", required=False, type=options.FilePath)
@click.option("--seed", type=click.IntRange(min=0), default=2022, show_default=True, help="Other people, same story.")
def demo(folder: Path | None, seed: int) -> None:
    """Invent a leaked list and a registry, link them, and print the result beside the truth.

    1,010 men in Cyrillic against 12,000 in Latin letters. Without DIR everything happens in a temporary folder; DIR
    must be absent or empty.
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
    leaked, registry, schema_path, truth_path, pairs = (folder / name for name in KEPT)
    files.write_new(leaked, [rosters.leaked.to_csv(index=False).encode()])
    files.write_new(registry, [rosters.registry.to_csv(index=False).encode()])
    files.write_new(schema_path, [SCHEMA.encode()])
    truth = "".join(f"{ours},{theirs}\n" for ours, theirs in rosters.present.items())
    files.write_new(truth_path, [("№,id\n" + truth).encode()])
    click.echo(
        f"invented           a leaked list of {len(rosters.leaked):,} men (Cyrillic) "
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
            list_ids=ids_of(own.frames, "№"),
            registry_ids=ids_of(theirs.frames, "id"),
            seed=seed,
            map=engine.map,
            progress=progress,
        )
    show_assessment(assessment, as_json=False)
    right = sum(
        rosters.present.get(ours) == theirs
        for ours, theirs in zip(assessment.pairs.list_id, assessment.pairs.registry_id, strict=True)
    )
    wrong = len(assessment.pairs) - right
    click.echo("")
    click.echo(f"the truth          {len(rosters.present):,} of the list are in the registry")
    click.echo(
        f"pairs              {right:,} right, {wrong:,} wrong ({wrong / max(1, len(assessment.pairs)):.2%}); "
        f"{len(rosters.present) - right:,} missed"
    )
    if kept:
        write_outputs(assessment, pairs, None, force=False)
        click.echo(f"kept               {', '.join(sorted(path.name for path in folder.iterdir()))}")
        click.echo("go on              pprl link leaked.csv registry.csv --schema schema.toml --pairs pairs.csv")
