"""pprl check: how much of a roster would be encoded, and what it could show."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import share
from pprl.cli.progress import linking
from pprl.cli.risk import indicators_of, summary
from pprl.core.errors import RefusedError

if TYPE_CHECKING:
    from pprl.normalize.dates import Order
    from pprl.preflight.power import Class, Preview
    from pprl.roster.load import Roster

SHOWN_ROWS = 20
ENOUGH_FOR_A_SHARE = 20


@click.command(
    short_help="Preview how much of a roster would be encoded, and what it could show.",
    epilog="""\b
Examples:
  pprl check leaked.xlsx --schema schema.toml
  pprl check leaked.xlsx --schema schema.toml --registry-rows 12000
  pprl check leaked.xlsx --schema schema.toml --show-values     (on a terminal, for your own eyes)
""",
)
@click.argument("roster", type=options.FilePath)
@options.schema_option
@options.roster_options
@click.option(
    "--registry-rows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Test what each class of rows could claim against an invented registry of N rows.",
)
@click.option("--show-values", is_flag=True, help="Print the cells that cannot be read, on a terminal only.")
@options.seed_option
@options.threads_option
@options.json_option
def check(
    roster: Path,
    schema_path: Path,
    more_lists: tuple[Path, ...],
    column: tuple[tuple[str, str], ...],
    columns_path: Path | None,
    date_order: Order | None,
    sheet: str | None,
    any_age: bool,
    registry_rows: int | None,
    show_values: bool,
    seed: int | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Show how much of ROSTER would be encoded: rows and people, cells that are left out, and people listed twice.

    With --registry-rows, also show what it could claim against a registry of that size. For this test, an invented
    registry of people from the roster, with some letters mistyped, and of strangers with names made from its names, is
    linked with the roster as `pprl link` does. Nothing is written. The last two lines say what its encodings leak even
    before anyone attacks them; `pprl risk` attacks them.
    """
    from pprl.core.schema_file import load_schema
    from pprl.roster.files.paths import look_at

    options.report_variables()
    if show_values and (as_json or not sys.stdout.isatty()):
        raise RefusedError(
            "--show-values prints cells, and standard output is not a terminal",
            hint="run it on a terminal; without --show-values only the numbers of the rows are shown",
        )
    schema = load_schema(schema_path)
    look_at({"roster": [roster, *more_lists]})
    from pprl.preflight.check import check as check_roster
    from pprl.roster.load import load

    columns = options.columns(column, columns_path, date_order)
    loaded = load([roster, *more_lists], schema, columns=columns, sheet=sheet, any_age=any_age, note=options.note)
    with linking() as progress:
        result = check_roster(
            loaded, schema, registry_rows=registry_rows, seed=seed, threads=threads, progress=progress
        )
    if result.empty_fields:
        empty = ", ".join(result.empty_fields)
        options.note(f"warning: no row has a value for {empty}; `pprl link` stops at that, or needs --allow-empty")
    if as_json:
        risk = indicators_of(loaded.people, schema)
        click.echo(json.dumps({**result.to_dict(), "encodings": risk and risk.indicators_dict()}, ensure_ascii=False))
        return
    click.echo("\n".join([*_lines(result), *summary(loaded.people, schema)]))
    if show_values:
        _show_values(result, loaded)


def _lines(result: Preview) -> list[str]:
    from pprl.core.row_labels import label_text, labels_text

    twice = len(result.duplicates)
    lines = [
        f"rows               {result.rows:,}",
        f"people             {result.people:,}" + (f"; {twice:,} row(s) repeat one of them" if twice else ""),
    ]
    if twice:
        pairs = ", ".join(f"{label_text(again)} is {label_text(first)}" for first, again in result.duplicates[:5])
        lines.append(f"                   {pairs}" + (", …" if twice > 5 else ""))
        lines.append(f"as a registry      {_repeats_of_a_registry(twice, result.equal)}")
    if result.empty:
        lines.append(f"nothing to encode  {result.empty:,} row(s) have no value in any linked field")
    cells = sum(map(len, result.left_out.values()))
    lines.append(f"cells left out     {cells:,}, or read in part" if cells else "cells left out     none")
    for (field, reason), rows in sorted(result.left_out.items()):
        columns = ", ".join(map(repr, result.columns.get(field, ())))
        column = f" of column {columns}" if columns else ""
        lines.append(f"  {field:16} {len(rows):,} cell(s){column}: {reason} ({labels_text(rows, SHOWN_ROWS)})")
    before, after = result.spellings
    if before:
        lines.append(f"names              {before:,} distinct words, {after:,} after folding")
    if result.registry_rows:
        lines.append(f"what each class could claim against a registry of {result.registry_rows:,} rows:")
    else:
        lines.append("classes (add --registry-rows N to see what each could claim):")
    lines += [f"  {_class_line(rows)}" for rows in result.classes]
    if result.needed is not None:
        lines.append(f"to be seen         at least {result.needed:,} people would have to be there, written alike")
    return [*lines, *_hardening_lines(result)]


def _repeats_of_a_registry(twice: int, equal: int) -> str:
    """What linkage makes of these rows where the roster is the registry, whose rows it cannot join."""
    if equal == twice:
        return "they equal another row in everything compared and count as one candidate with it"
    if not equal:
        return "they say other or less than the rows that they repeat, so each stays a candidate of its own"
    return f"{equal:,} of them equal another row and count as one candidate with it; {twice - equal:,} stay their own"


def _hardening_lines(result: Preview) -> Iterator[str]:
    """What the parameter set costs, and the ways out."""
    numbers, cost = result.hardening, result.cost
    line = f"hardening          {numbers.name}: {numbers.described()}"
    if cost is None:
        yield line
        return
    yield f"{line}; {cost.matched} of {cost.present} people put in were matched, {cost.plain} with plain"
    if cost.notable:
        yield "                   to match more, link another field, such as a date of birth; or, where both files are"
        yield "                   in one hand, hide nothing: pprl link --hardening plain"


def _class_line(rows: Class) -> str:
    line = f"{rows.name:26} {rows.people:7,} people"
    claim = rows.claim
    if claim is None:
        return line
    match claim.what:
        case "pairs":
            found = share(claim.found, claim.present) if claim.present >= ENOUGH_FOR_A_SHARE else f"{claim.found}"
            return f"{line}   pairs: {found} of the {claim.present} people put into it were matched"
        case "count":
            return f"{line}   a count within {claim.within:.0%} of the people; no single pair is certain enough"
        case _:
            return f"{line}   nothing: strangers match them as well as they do themselves"


def _show_values(result: Preview, loaded: Roster) -> None:
    """The cells that could not be read, for the owner's own eyes."""
    from pprl.core.row_labels import label_text
    from pprl.core.schema import FULL_NAME

    for (field, reason), rows in sorted(result.left_out.items()):
        click.echo(f"\n{field}: {reason}")
        for row in rows:
            for frame, columns in zip(loaded.tables, loaded.columns, strict=True):
                header = columns.get(field) or columns.get(FULL_NAME)
                if header is not None and row in frame.index:
                    click.echo(f"  {label_text(row)}: {frame.at[row, header]!r}")
