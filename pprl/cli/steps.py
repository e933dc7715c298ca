"""pprl key, encode, judge, inspect: the same path in separate steps. Two owners share a key, a third party compares.

Nothing is sealed or signed here.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.exchange_form import CommandWithExchangeForm, names_agreement, names_folder
from pprl.cli.options import note
from pprl.cli.output import TRYING_NAMES, check_outputs, output_files, show_assessment, write_outputs
from pprl.cli.risk import summary
from pprl.core import container
from pprl.core.outputs import all_or_none

if TYPE_CHECKING:
    from pprl.normalize.dates import Order


@click.command(short_help="Make the key that both owners share.", epilog="\b\nExample:\n  pprl key -o linkage.key")
@click.option(
    "-o",
    "--output",
    type=options.NewFile(),
    required=True,
    help="The key file to write; only you can read it.",
)
@options.seed_option
@options.force_option
def key(output: Path, seed: int | None, force: bool) -> None:
    """Make the linkage key, 32 random bytes, which both owners share and nobody else may see."""
    from pprl.core.key import LinkageKey

    LinkageKey.make(seed).write(output, force=force)
    if seed is not None:
        note("warning: a key from --seed is not secret: anyone can find it by trying numbers")
    click.echo(f"{output.name}: give it to the other owner over a safe channel, and never to the linkage unit")


@click.command(
    cls=CommandWithExchangeForm,
    exchange_form="encode_form",
    chosen_by=names_agreement,
    short_help="Encode a roster for the linkage unit.",
    epilog="""\b
Examples:
  pprl encode leaked.csv --schema schema.toml --key-file linkage.key --as list -o list.pprl
  pprl encode registry.xlsx --schema schema.toml --key-file linkage.key --as registry -o registry.pprl
  pprl encode leaked.csv --agreement alfa          a step of the exchange, in your folder
""",
)
@click.argument("roster", type=options.FilePath)
@options.schema_option
@click.option("--key-file", type=options.Named, required=True, help="The linkage key, from `pprl key`.")
@click.option(
    "--as",
    "side",
    type=click.Choice(["list", "registry"]),
    required=True,
    help="Which roster this is; a list gets decoys.",
)
@options.roster_options
@options.control_option
@click.option("--id", "id_header", metavar="HEADER", help="Column with ids to show in the pairs.")
@click.option("-o", "--output", type=options.NewFile(), required=True, help="The file of encodings to write.")
@click.option("--decoys", type=click.IntRange(1, 100), help="Decoys per person on a list; by default the schema's.")
@options.weak_option
@options.empty_option
@options.seed_option
@options.force_option
def encode(
    roster: Path,
    schema_path: Path,
    key_file: Path,
    side: str,
    more_lists: tuple[Path, ...],
    column: tuple[tuple[str, str], ...],
    columns_path: Path | None,
    date_order: Order | None,
    sheet: str | None,
    any_age: bool,
    control: Path | None,
    id_header: str | None,
    output: Path,
    decoys: int | None,
    allow_weak: bool,
    allow_empty: bool,
    seed: int | None,
    force: bool,
) -> None:
    """Encode ROSTER for the linkage unit, and record in PRIVATE-….rows which row is which.

    ROSTER is a CSV, XLSX, XLSB, XLS, ODS, Parquet or FollowTheMoney file, or - for standard input. You may send the
    file of encodings to a linkage unit that never gets the key. The PRIVATE file stays with you.

    With --agreement FOLDER this is a step of the exchange, which has other options:
    `pprl encode --agreement FOLDER --help`.
    """
    options.report_variables()
    from pprl.core.schema_file import load_schema
    from pprl.roster.files.paths import look_at

    private = output.with_name(f"PRIVATE-{output.stem}.rows")
    options.refuse_overwriting([output, private], [roster, *more_lists, control, schema_path, key_file, columns_path])
    if more_lists and side != "list":
        raise click.UsageError("--list adds parts to a list, and this is --as registry")
    if control and side != "list":
        raise click.UsageError("--control goes with a list, and this is --as registry")
    schema = load_schema(schema_path)
    if not allow_weak:
        schema.refuse_weak()
    for path in (output, private):
        container.check_absent(path, force=force)
    look_at({side: [roster, *more_lists], "control": [control]})
    from pprl.core.key import LinkageKey
    from pprl.core.randomness import Randomness
    from pprl.encode.list import encode_list, unused_controls, unused_spellings
    from pprl.encode.registry import encode_registry
    from pprl.roster.empty_fields import refuse_empty
    from pprl.roster.load import load

    linkage_key, randomness = LinkageKey.read(key_file), Randomness.make(seed)
    if linkage_key.repeatable or randomness.repeatable:
        note("warning: the key or the decoys come from --seed and are not secret: use them for trials only")
    columns = options.columns(column, columns_path, date_order)
    loaded = load(
        [roster, *more_lists],
        schema,
        side,
        columns=columns,
        sheet=sheet,
        any_age=any_age,
        id_header=id_header,
        note=note,
    )
    note(loaded.counted(schema, side))
    if not allow_empty:
        refuse_empty(loaded, schema, side)
    for text in loaded.warnings:
        note(f"warning: {text}")
    if loaded.people.rows_read > schema.parameters.most_rows:
        most = schema.parameters.most_rows
        note(f"warning: {schema.hardening} protects rosters of up to {most:,} rows with these fields")
    if side == "list":
        absent = None
        if control:
            absent = load(control, schema, "control", columns=columns, any_age=any_age, note=note)
            note(absent.counted(schema, "control"))
        encodings, rows = encode_list(
            loaded,
            replace(schema, decoys=decoys or schema.decoys),
            linkage_key,
            controls=absent,
            planted=True,
            randomness=randomness,
            allow_weak=allow_weak,
        )
        left_out = unused_controls(absent.people if absent else None, rows)
        for text in (*left_out, *unused_spellings(loaded.people, schema, rows)):
            note(f"warning: {text}")
    else:
        encodings, rows = encode_registry(loaded, schema, linkage_key, randomness=randomness, allow_weak=allow_weak)
    with all_or_none(private, output):
        rows.write(private, force=force)
        encodings.write(output, force=force)
    counts = rows.counts()
    if synthetic := counts.pop("decoys", 0) + counts.pop("relatives", 0):
        counts["synthetic records"] = synthetic
    click.echo(f"{output.name}: " + " and ".join(f"{count:,} {what}" for what, count in counts.items()))
    click.echo(f"{private.name}: tells which row is which; keep it to yourself")
    click.echo("\n".join(summary(loaded.people, schema)))
    click.echo(TRYING_NAMES)


@click.command(
    cls=CommandWithExchangeForm,
    exchange_form="judge_form",
    chosen_by=names_folder,
    short_help="Open the labels: who matches, and how many matches are false.",
    epilog="""\b
Examples:
  pprl judge scores.pprl --rows PRIVATE-list.rows
  pprl judge scores.pprl --rows PRIVATE-list.rows --encodings list.pprl -o result
  pprl judge scores.pprl --rows PRIVATE-list.rows --registry-rows PRIVATE-registry.rows --pairs pairs.csv
  pprl judge unit                                  the linkage unit's step of the exchange
""",
)
@click.argument("scores_path", metavar="SCORES.pprl", type=options.Named)
@click.option("--rows", "rows_path", type=options.Named, required=True, help="The PRIVATE-….rows file of the list.")
@click.option(
    "--encodings",
    "encodings_path",
    type=options.Named,
    help="The file of encodings of the list, to check the decoys against people.",
)
@click.option(
    "--registry-rows",
    "registry_rows_path",
    type=options.Named,
    help="The PRIVATE-….rows file of the registry, if you own it.",
)
@options.rate_option
@options.pairs_option
@options.json_option
@options.language_option
@options.folder_option
@options.force_option
def judge(
    scores_path: Path,
    rows_path: Path,
    encodings_path: Path | None,
    registry_rows_path: Path | None,
    rate: float | None,
    pairs: Path | None,
    as_json: bool,
    language: str,
    output: Path | None,
    force: bool,
) -> None:
    """Open the labels of the list and report the matches, how many of them are false, and the estimated true matches.

    With a FOLDER in place of the scores this is the linkage unit's step of the exchange.
    """
    options.report_variables()
    from pprl.judge.files import judge as judge_files

    options.refuse_overwriting(
        [pairs, *output_files(output)], [scores_path, rows_path, encodings_path, registry_rows_path]
    )
    check_outputs(pairs, output, as_json=as_json, force=force)
    assessment = judge_files(scores_path, rows_path, registry_rows_path, encodings=encodings_path, rate=rate)
    write_outputs(assessment, pairs, output, force=force, language=language)
    show_assessment(assessment, as_json=as_json, aside=pairs == container.STANDARD)


@click.command(short_help="Describe a file of pprl.", epilog="\b\nExample:\n  pprl inspect list.pprl")
@click.argument("path", metavar="FILE", type=options.Named)
@options.json_option
def inspect(path: Path, as_json: bool) -> None:
    """Describe FILE: kind, schema fingerprint, hardening, key check, number of rows. No row is shown."""
    from pprl.cli.describe import describe

    facts = describe(path)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        width = max(map(len, facts)) + 2
        for name, value in facts.items():
            click.echo(
                f"{name.replace('_', ' '):{width}}{value:,}"
                if isinstance(value, int)
                else f"{name.replace('_', ' '):{width}}{value}"
            )
