"""pprl link: both rosters in hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import check_outputs, output_files, show_assessment, write_outputs
from pprl.cli.progress import linking
from pprl.core.container import STANDARD
from pprl.core.hardening import SET_NAMES, SetName

if TYPE_CHECKING:
    from pprl.normalize.dates import Order


@click.command(
    short_help="Count the people on LIST who are in REGISTRY, with both in hand.",
    epilog="""\b
Examples:
  pprl link leaked.csv registry.xlsx --schema schema.toml
  pprl link leaked.csv registry.csv --schema schema.toml --list-column full_name=ФИО --pairs pairs.csv
  pprl link leaked.csv registry.csv --schema schema.toml --false-match-rate 1% --json
  pprl link part1.xlsx registry.csv --list part2.csv --schema schema.toml
  pprl link leaked.csv registry.csv --schema schema.toml --control absent.csv -o result
""",
)
@click.argument("list_path", metavar="LIST", type=options.FilePath)
@click.argument("registry_path", metavar="REGISTRY", type=options.FilePath)
@options.schema_option
@options.more_lists_option
@options.columns_options("list")
@options.columns_options("registry")
@options.sheet_option("list")
@options.sheet_option("registry")
@options.any_age_option
@options.control_option
@click.option("--list-id", metavar="HEADER", help="Column of the list with ids to show in the pairs.")
@click.option("--registry-id", metavar="HEADER", help="The same for the registry.")
@click.option("--hardening", type=click.Choice(SET_NAMES), help="A parameter set, instead of the schema's.")
@options.rate_option
@options.weak_option
@options.empty_option
@click.option("--yes-list", is_flag=True, help="Accept a list that is larger than the registry.")
@options.seed_option
@options.threads_option
@click.option("--no-ledger", is_flag=True, help="Do not count this run in the ledger of runs.")
@options.pairs_option
@options.json_option
@options.language_option
@options.folder_option
@options.force_option
def link(
    list_path: Path,
    registry_path: Path,
    schema_path: Path,
    more_lists: tuple[Path, ...],
    list_column: tuple[tuple[str, str], ...],
    list_columns_path: Path | None,
    registry_column: tuple[tuple[str, str], ...],
    registry_columns_path: Path | None,
    list_sheet: str | None,
    registry_sheet: str | None,
    list_date_order: Order | None,
    registry_date_order: Order | None,
    any_age: bool,
    control: Path | None,
    list_id: str | None,
    registry_id: str | None,
    hardening: SetName | None,
    rate: float | None,
    allow_weak: bool,
    allow_empty: bool,
    yes_list: bool,
    seed: int | None,
    threads: int | None,
    no_ledger: bool,
    pairs: Path | None,
    as_json: bool,
    language: str,
    output: Path | None,
    force: bool,
) -> None:
    """Encode LIST and REGISTRY, match them, and report how many people on the list appear in the registry.

    Everything happens on this machine, and the result is for your own eyes. LIST and REGISTRY are CSV, XLSX, XLSB, XLS
    or ODS files as offices write them, titles and signatures included, or Parquet or FollowTheMoney files, alone in a
    ZIP or GZ if you like; one of them may be - for standard input.

    The result says how many times this list has been linked here and what changed since. A count found on the tenth
    try is weaker evidence. The ledger that counts the runs is in your own state folder (or where PPRL_LEDGER says) and
    holds only keyed hashes.
    """
    from pprl.core.schema_file import load_schema
    from pprl.roster.files.paths import look_at

    options.report_variables()
    schema = load_schema(schema_path)
    if hardening is not None:
        schema = schema.with_hardening(hardening)
    options.refuse_overwriting(
        [pairs, *output_files(output)],
        [list_path, *more_lists, control, registry_path, schema_path, list_columns_path, registry_columns_path],
    )
    check_outputs(pairs, output, as_json=as_json, force=force)
    look_at({"list": [list_path, *more_lists], "control": [control], "registry": [registry_path]})
    from pprl.link import link as link_rosters  # only now: it takes longer than all of the above

    with linking() as progress:
        assessment = link_rosters(
            [list_path, *more_lists],
            registry_path,
            schema,
            list_columns=options.columns(list_column, list_columns_path),
            registry_columns=options.columns(registry_column, registry_columns_path),
            list_date_order=list_date_order,
            registry_date_order=registry_date_order,
            list_sheet=list_sheet,
            registry_sheet=registry_sheet,
            list_id=list_id,
            registry_id=registry_id,
            any_age=any_age,
            controls=control,
            rate=rate,
            seed=seed,
            allow_weak=allow_weak,
            allow_empty=allow_empty,
            allow_larger_list=yes_list,
            threads=threads,
            ledger=not no_ledger,
            progress=progress,
            note=options.note,
        )
    write_outputs(assessment, pairs, output, force=force, language=language)
    show_assessment(assessment, as_json=as_json, aside=pairs == STANDARD)
    if schema.hardening != "plain" and not as_json:
        options.note("both files are in your hands, so nothing needs hiding: --hardening plain may match more people")
