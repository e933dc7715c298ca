"""pprl check: what of a roster would be encoded, and what it could show."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import share
from pprl.cli.progress import linking
from pprl.cli.risk import glanced, summary
from pprl.core.errors import RefusedError

if TYPE_CHECKING:
    from pprl.preflight.power import Class, Preview
    from pprl.roster.load import Roster

SHOWN_ROWS = 20
ENOUGH_FOR_A_SHARE = 20


@click.command(
    short_help="What of a roster would be encoded, and what it could show.",
    epilog="""\b
Examples:
  pprl check leaked.xlsx --schema schema.toml
  pprl check leaked.xlsx --schema schema.toml --registry-rows 12000
  pprl check leaked.xlsx --schema schema.toml --show-values     (on a terminal, for your own eyes)
""",
)
@click.argument("roster", type=options.FilePath)
@options.schema_option()
@options.more_lists_option
@options.columns_options()
@options.sheet_option()
@options.any_age_option()
@click.option(
    "--registry-rows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Try what each class of rows could claim against an invented registry of N rows.",
)
@click.option("--show-values", is_flag=True, help="Print the cells that cannot be read; on a terminal only.")
@options.seed_option
@options.threads_option
@options.json_option
def check(
    roster: Path,
    schema_path: Path,
    more_lists: tuple[Path, ...],
    column: tuple[tuple[str, str], ...],
    columns_path: Path | None,
    sheet: str | None,
    any_age: bool,
    registry_rows: int | None,
    show_values: bool,
    seed: int | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Show what of ROSTER would be encoded: rows and people, what cannot be read, and who stands there twice.

    With --registry-rows, also what it could show against a registry of that size. For that, people of the roster with
    some letters mistyped, and strangers put together from its names, are linked with it as `pprl link` does. Nothing
    is written. The last two lines say what encodings of it show before anyone attacks them; `pprl risk` attacks them.
    """
    from pprl.core.schema_file import load_schema
    from pprl.roster.paths import look_at

    options.report_variables()
    if show_values and (as_json or not sys.stdout.isatty()):
        raise RefusedError(
            "--show-values prints cells, and standard output is no terminal",
            hint="look at them on a terminal; without it the rows are named and nothing of them is shown",
        )
    schema = load_schema(schema_path)
    look_at({"roster": [roster, *more_lists]})
    from pprl.preflight.check import check as check_roster
    from pprl.roster.load import load

    columns = options.columns(column, columns_path)
    loaded = load([roster, *more_lists], schema, columns=columns, sheet=sheet, any_age=any_age, note=options.note)
    with linking() as progress:
        seen = check_roster(loaded, schema, registry_rows=registry_rows, seed=seed, threads=threads, progress=progress)
    if as_json:
        glance = glanced(loaded.people, schema)
        click.echo(json.dumps({**seen.to_dict(), "encodings": glance and glance.glance_dict()}, ensure_ascii=False))
        return
    click.echo("\n".join([*_lines(seen), *summary(loaded.people, schema)]))
    if show_values:
        _show_values(seen, loaded)


def _lines(seen: Preview) -> list[str]:
    from pprl.core.row_labels import label_text, labels_text

    twice = len(seen.duplicates)
    lines = [
        f"rows               {seen.rows:,}",
        f"people             {seen.people:,}" + (f"; {twice:,} row(s) repeat one of them" if twice else ""),
    ]
    if twice:
        pairs = ", ".join(f"{label_text(again)} is {label_text(first)}" for first, again in seen.duplicates[:5])
        lines.append(f"                   {pairs}" + (", …" if twice > 5 else ""))
    if seen.empty:
        lines.append(f"nothing to encode  {seen.empty:,} row(s) have no value of any linked field")
    for (field, reason), rows in sorted(seen.unreadable.items()):
        lines.append(f"{field:18} {len(rows):,} cell(s): {reason} ({labels_text(rows, SHOWN_ROWS)})")
    before, after = seen.spellings
    if before:
        lines.append(f"names              {before:,} spellings of words, {after:,} after folding")
    if seen.registry_rows:
        lines.append(f"what could be claimed against a registry of {seen.registry_rows:,} rows:")
    else:
        lines.append("classes (say --registry-rows N for what each could claim):")
    return lines + [f"  {_class(each)}" for each in seen.classes]


def _class(each: Class) -> str:
    line = f"{each.name:26} {each.people:7,} people"
    if each.claim is None:
        return line
    claim = each.claim
    match claim.what:
        case "pairs":
            of = share(claim.found, claim.present) if claim.present >= ENOUGH_FOR_A_SHARE else f"{claim.found}"
            return f"{line}   pairs: {of} of {claim.present} who were put into it were found"
        case "count":
            return f"{line}   a net count within {claim.within:.0%} of the people; no single pair is sure enough"
        case _:
            return f"{line}   nothing: strangers are as like them as they themselves"


def _show_values(seen: Preview, loaded: Roster) -> None:
    """The cells that could not be read, for the owner's own eyes."""
    from pprl.core.row_labels import label_text
    from pprl.core.schema import FULL_NAME

    for (field, reason), rows in sorted(seen.unreadable.items()):
        click.echo(f"\n{field}: {reason}")
        for row in rows:
            for frame, columns in zip(loaded.tables, loaded.columns, strict=True):
                header = columns.get(field) or columns.get(FULL_NAME)
                if header is not None and row in frame.index:
                    click.echo(f"  {label_text(row)}: {frame.at[row, header]!r}")
