"""pprl link: both rosters in hand."""

from __future__ import annotations

from pathlib import Path

import click

from pprl.cli import options
from pprl.cli.output import check_outputs, show_assessment, write_outputs
from pprl.cli.progress import searching


@click.command(
    short_help="How many of LIST are in REGISTRY, both in hand.",
    epilog="""\b
Examples:
  pprl link leaked.csv registry.xlsx --schema schema.toml
  pprl link leaked.csv registry.csv --schema schema.toml --list-column full_name=ФИО --pairs pairs.csv
  pprl link leaked.csv registry.csv --schema schema.toml --false-match-rate 1% --json
""",
)
@click.argument("list_path", metavar="LIST", type=options.FilePath)
@click.argument("registry_path", metavar="REGISTRY", type=options.FilePath)
@options.schema_option
@options.columns_options("list")
@options.columns_options("registry")
@options.sheet_option("list")
@options.sheet_option("registry")
@click.option("--list-id", metavar="HEADER", help="Column of the list whose text names its rows in the pairs.")
@click.option("--registry-id", metavar="HEADER", help="The same for the registry.")
@click.option("--hardening", type=int, metavar="T", help="0, 5, 8 or 10 instead of the schema's.")
@click.option(
    "--false-match-rate",
    "rate",
    type=options.Rate(),
    help="Share of the found that may be false; by default the schema's.",
)
@options.weak_option
@click.option("--yes-list", is_flag=True, help="The list may be larger than the registry.")
@options.seed_option
@options.threads_option
@click.option(
    "--pairs",
    type=options.NewFile(or_standard=True),
    help="Write who matched whom (CSV; - for standard output). It links rows: keep it to yourself.",
)
@options.json_option
@click.option("-o", "--output", type=options.FilePath, metavar="DIR", help="Write result.json into a new folder.")
@options.force_option
def link(
    list_path: Path,
    registry_path: Path,
    schema_path: Path,
    list_column: tuple[tuple[str, str], ...],
    list_columns_path: Path | None,
    registry_column: tuple[tuple[str, str], ...],
    registry_columns_path: Path | None,
    list_sheet: str | None,
    registry_sheet: str | None,
    list_id: str | None,
    registry_id: str | None,
    hardening: int | None,
    rate: float | None,
    allow_weak: bool,
    yes_list: bool,
    seed: int | None,
    threads: int | None,
    pairs: Path | None,
    as_json: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Encode LIST and REGISTRY, match them, and say how many people of the list are in the registry.

    Everything happens on this machine, and the result is for your own eyes. LIST and REGISTRY are CSV, XLSX or
    XLS files as offices write them, titles and signatures included; one of them may be - for standard input.
    """
    from pprl.linkage import ids_of, link_people, pairs_to_compare
    from pprl.match.engines import threads as on_threads
    from pprl.schema import load_schema
    from pprl.tables import refuse_same_file

    schema = load_schema(schema_path)
    if hardening is not None:
        schema = schema.with_hardening(hardening)
    options.refuse_overwriting(
        [pairs, output and output / "result.json"],
        [list_path, registry_path, schema_path, list_columns_path, registry_columns_path],
    )
    check_outputs(pairs, output, as_json=as_json, force=force)
    refuse_same_file(list_path, registry_path)
    if not allow_weak:
        schema.refuse_weak()
    list_frame, own = options.load_people(list_path, schema, list_column, list_columns_path, "list", list_sheet)
    registry_frame, theirs = options.load_people(
        registry_path, schema, registry_column, registry_columns_path, "registry", registry_sheet
    )
    with on_threads(threads) as engine, searching(pairs_to_compare(own, theirs, schema)) as progress:
        assessment = link_people(
            own,
            theirs,
            schema,
            list_ids=ids_of(list_frame, list_id),
            registry_ids=ids_of(registry_frame, registry_id),
            seed=seed,
            rate=rate,
            allow_weak=allow_weak,
            allow_larger_list=yes_list,
            map=engine.map,
            progress=progress,
        )
    write_outputs(assessment, pairs, output, force=force)
    show_assessment(assessment, as_json=as_json, aside=pairs == options.STANDARD)
