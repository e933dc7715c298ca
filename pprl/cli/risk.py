"""pprl risk: attack your own encodings before they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import check_output, say, write_output
from pprl.cli.progress import steps
from pprl.core.container import STANDARD
from pprl.core.errors import RosterError

if TYPE_CHECKING:
    from pprl.core.schema import Schema
    from pprl.preflight.examine import Examination
    from pprl.roster.people import People


@click.command(
    short_help="Attack your own encodings before they leave.",
    epilog="""\b
Examples:
  pprl risk leaked.xlsx --schema schema.toml --population names.csv -o risk.html
  pprl risk leaked.xlsx --schema schema.toml --indicators       (a second; no attack)
  pprl risk leaked.xlsx --schema schema.toml --json             (the figures, for other tools)
""",
)
@click.argument("roster", type=options.FilePath)
@options.schema_option()
@options.more_lists_option
@options.columns_options()
@options.sheet_option()
@options.any_age_option()
@click.option(
    "--population",
    type=options.FilePath,
    metavar="FILE",
    help="People among whom the roster's are looked for, such as a public register; at most 20,000 are used. "
    "By default they are looked for among themselves.",
)
@options.columns_options("population")
@options.sheet_option("population")
@options.any_age_option("population")
@click.option("--indicators", is_flag=True, help="Only what shows without an attack.")
@click.option(
    "-o", "--output", type=options.NewFile(or_standard=True), help="Write the page, risk.html (- for standard output)."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Other keys and other samples.")
@click.option(
    "--tries",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    help="How often graph matching begins anew, some 15 seconds each; whoever attacks in earnest has days.",
)
@options.weak_option
@options.json_option
@options.force_option
def risk(
    roster: Path,
    schema_path: Path,
    more_lists: tuple[Path, ...],
    column: tuple[tuple[str, str], ...],
    columns_path: Path | None,
    sheet: str | None,
    any_age: bool,
    population: Path | None,
    population_column: tuple[tuple[str, str], ...],
    population_columns_path: Path | None,
    population_sheet: str | None,
    population_any_age: bool,
    indicators: bool,
    output: Path | None,
    seed: int,
    tries: int,
    allow_weak: bool,
    as_json: bool,
    force: bool,
) -> None:
    """Attack the encodings that ROSTER would get, and say what they give away to whom, and what hardening costs.

    All of it happens on this machine, with keys drawn for the purpose: no key of yours is read, and nothing that
    somebody else encoded. The agreed hardening stands beside t = 0, 5, 8 and 10. A roster of 1,010 people with a
    population of 20,000 takes about a minute; of a larger roster 5,000 rows are drawn.

    That no attack tried here succeeds does not mean that none would.
    """
    from pprl.core.schema_file import load_schema
    from pprl.roster.paths import look_at

    options.report_variables()
    if indicators and (output or population):
        raise click.UsageError("--indicators attacks nothing: leave --population and -o out")
    if as_json and output == STANDARD:
        raise click.UsageError("--json and -o - would both write to standard output")
    options.refuse_overwriting([output], [roster, *more_lists, population, schema_path, columns_path])
    check_output(output, force=force)
    schema = load_schema(schema_path)
    look_at({"roster": [roster, *more_lists], "population": [population]})
    from pprl.preflight.examine import examine, glance
    from pprl.roster.load import load

    columns = options.columns(column, columns_path)
    people = load(
        (roster, *more_lists), schema, columns=columns, sheet=sheet, any_age=any_age, note=options.note
    ).people
    others = None
    if population is not None:
        others = load(
            population,
            schema,
            "population",
            columns=options.columns(population_column, population_columns_path),
            sheet=population_sheet,
            any_age=population_any_age,
            note=options.note,
        ).people
    if indicators:
        found = glance(people, schema, seed=seed)
    else:
        with steps("attacking") as progress:
            found = examine(people, schema, others, seed=seed, tries=tries, allow_weak=allow_weak, progress=progress)
    if output is not None:
        from pprl.preflight.page import render

        write_output(output, [render(found).encode()], private=True, force=force)
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        say("\n".join(_lines(found) if found.dictionary else _indicator_lines(found)), output)
        if output not in (None, STANDARD):
            click.echo(f"{output.name}: open it in a browser; it is for you, and not for publication")


def _lines(found: Examination) -> list[str]:
    from pprl.preflight.page import answer, headline, table_rows

    among = f"{found.candidates:,}" + ("" if found.population else ", the roster alone: --population FILE for more")
    heads = [f"t = {here.hardening}" + ("*" if here is found.as_agreed else "") for here in found.hardened]
    rows = table_rows(found)
    width = max(len(name) for name, _ in rows) + 2
    line: Callable[[list[str]], str] = lambda cells: "".join(f"{cell:>11}" for cell in cells)  # noqa: E731
    return [
        f"{found.rows:,} rows; {found.people:,} different people, looked for among {among}",
        "",
        f"{'':{width}}{line(heads)}",
        *(f"{name:{width}}{line(cells)}" for name, cells in rows),
        "* as agreed",
        "",
        f"{headline(found)}.",
        *answer(found),
        "That no attack tried here succeeds does not mean that none would.",
        "",
        *_glance(found),
    ]


def _indicator_lines(found: Examination) -> list[str]:
    from pprl.preflight.page import LIMITS

    seen = found.as_agreed.indicators.to_dict()
    width = max(len(name) for name, _ in LIMITS.values()) + 2
    figures = [f"{name:{width}}{seen[key]:>8.4f}   {limit}" for key, (name, limit) in LIMITS.items()]
    return [*figures, "", *_glance(found), "nothing was attacked; leave --indicators out for that"]


def _glance(found: Examination) -> list[str]:
    from pprl.preflight.page import glance_lines

    first, second = glance_lines(found)
    return [f"encodings          {first}", f"told apart         {second}"]


def glanced(people: People, schema: Schema) -> Examination | None:
    """The cheap part, for commands that encode or preview a roster; None where people are too few."""
    from pprl.preflight.examine import glance

    try:
        return glance(people, schema)
    except RosterError:
        return None


def summary(people: People, schema: Schema) -> list[str]:
    """The same in two lines."""
    found = glanced(people, schema)
    if found is None:
        return ["encodings          too few people to say what they show"]
    first, second = _glance(found)
    return [first, f"{second}; `pprl risk` attacks them"]
