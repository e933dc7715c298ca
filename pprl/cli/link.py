"""pprl link: both rosters in hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import check_outputs, output_files, show_assessment, write_outputs
from pprl.cli.progress import searching
from pprl.core.container import STANDARD
from pprl.core.errors import PprlError

if TYPE_CHECKING:
    from pprl.core.schema import Schema


@click.command(
    short_help="How many of LIST are in REGISTRY, both in hand.",
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
@options.schema_option()
@options.more_lists_option
@options.columns_options("list")
@options.columns_options("registry")
@options.sheet_option("list")
@options.sheet_option("registry")
@options.any_age_option("list")
@options.any_age_option("registry")
@options.control_option
@click.option("--list-id", metavar="HEADER", help="Column of the list whose text names its rows in the pairs.")
@click.option("--registry-id", metavar="HEADER", help="The same for the registry.")
@click.option("--hardening", type=int, metavar="T", help="0, 5, 8 or 10 instead of the schema's.")
@options.rate_option
@options.weak_option
@click.option("--yes-list", is_flag=True, help="The list may be larger than the registry.")
@options.seed_option
@options.threads_option
@click.option("--no-ledger", is_flag=True, help="Leave no trace of this run in the ledger of runs.")
@click.option(
    "--pairs",
    type=options.NewFile(or_standard=True),
    help="Write who matched whom: CSV, .parquet, or .json (FollowTheMoney); - is standard output. Keep it to yourself.",
)
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
    list_any_age: bool,
    registry_any_age: bool,
    control: Path | None,
    list_id: str | None,
    registry_id: str | None,
    hardening: int | None,
    rate: float | None,
    allow_weak: bool,
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
    """Encode LIST and REGISTRY, match them, and say how many people of the list are in the registry.

    Everything happens on this machine, and the result is for your own eyes. LIST and REGISTRY are CSV, XLSX or
    XLS files as offices write them, titles and signatures included, Parquet, or FollowTheMoney; one may be - for
    standard input.

    The result says the how-manieth run with this list it is and what changed since the last: a figure that came after
    ten tries means less. The ledger that knows it stands in your own state folder (or where PPRL_LEDGER says) and holds
    keyed hashes only.
    """
    from pprl.core.schema_file import load_schema
    from pprl.link import link_people, pairs_to_compare
    from pprl.match.threads import threads as on_threads
    from pprl.roster.load import ids_of
    from pprl.roster.read import refuse_same_files

    options.tell_variables()
    schema = load_schema(schema_path)
    if hardening is not None:
        schema = schema.with_hardening(hardening)
    options.refuse_overwriting(
        [pairs, *output_files(output)],
        [list_path, *more_lists, control, registry_path, schema_path, list_columns_path, registry_columns_path],
    )
    check_outputs(pairs, output, as_json=as_json, force=force)
    refuse_same_files([list_path, *more_lists], registry_path, control)
    if not allow_weak:
        schema.refuse_weak()
    own = options.load(
        (list_path, *more_lists),
        schema,
        list_column,
        list_columns_path,
        "list",
        sheet=list_sheet,
        any_age=list_any_age,
    )
    theirs = options.load(
        (registry_path,),
        schema,
        registry_column,
        registry_columns_path,
        "registry",
        sheet=registry_sheet,
        any_age=registry_any_age,
    )
    controls = None
    if control:
        controls = options.load((control,), schema, list_column, list_columns_path, "control", any_age=list_any_age)
    with on_threads(threads) as engine, searching(pairs_to_compare(own.people, theirs.people, schema)) as progress:
        assessment = link_people(
            own.people,
            theirs.people,
            schema,
            list_ids=ids_of(own.frames, list_id),
            registry_ids=ids_of(theirs.frames, registry_id),
            controls=controls.people if controls else None,
            seed=seed,
            rate=rate,
            allow_weak=allow_weak,
            allow_larger_list=yes_list,
            run=str
            if no_ledger
            else lambda: _counted(own, theirs, controls, schema, rate, repeatable=seed is not None),
            map=engine.map,
            progress=progress,
        )
    write_outputs(assessment, pairs, output, force=force, language=language)
    show_assessment(assessment, as_json=as_json, aside=pairs == STANDARD)


def _counted(
    own: options.Loaded,
    theirs: options.Loaded,
    controls: options.Loaded | None,
    schema: Schema,
    rate: float | None,
    *,
    repeatable: bool,
) -> str:
    """What the ledger says of this run; a ledger that cannot be used stops nobody."""
    from pprl.cli.ledger import count_run
    from pprl.core.state_folder import ledger_path

    try:
        path = ledger_path()
        if path is None:
            return ""
        count = count_run(
            path,
            own.frames,
            theirs.frames,
            schema,
            [*own.columns, *theirs.columns],
            schema.false_match_rate if rate is None else round(rate * 10_000),
            repeatable=repeatable,
            controls=controls.frames if controls else (),
        )
    except PprlError as error:
        options.note(f"warning: this run is not counted: {error}; {error.hint}")
        return ""
    return str(count)
