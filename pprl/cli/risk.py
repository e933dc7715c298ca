"""`pprl risk`: attack your own encodings before they leave the machine."""

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
from pprl.core.errors import RosterError, with_options_of

if TYPE_CHECKING:
    from pprl.core.schema import Schema
    from pprl.normalize.dates import Order
    from pprl.preflight.risk import RiskReport
    from pprl.roster.people import People


@click.command(
    short_help="Attack your own encodings before they leave the machine.",
    epilog="""\b
Examples:
  pprl risk leaked.xlsx --schema schema.toml --population names.csv -o risk.html
  pprl risk leaked.xlsx --schema schema.toml --indicators       (a second; no attack)
  pprl risk leaked.xlsx --schema schema.toml --json             (the figures, for other tools)
""",
)
@click.argument("roster", type=options.FilePath)
@options.schema_option
@options.roster_options
@click.option(
    "--population",
    type=options.FilePath,
    metavar="FILE",
    help="People among whom the roster's are looked for, such as a public register; at most 20,000 are used. "
    "Without it, they are looked for among themselves.",
)
@options.columns_options("population")
@options.sheet_option("population")
@click.option("--indicators", is_flag=True, help="Only what encodings show without an attack.")
@click.option(
    "-o", "--output", type=options.NewFile(or_standard=True), help="Write the page, risk.html (- for standard output)."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draw other keys and other samples."
)
@click.option(
    "--tries",
    type=click.IntRange(1, 1_000),
    default=2,
    show_default=True,
    help="How many times graph matching starts, 1 to 10 seconds each; a real attacker has days.",
)
@click.option(
    "--graph-people",
    type=click.IntRange(40, 5_000),
    default=800,
    show_default=True,
    help="How many people graph matching attacks; time grows with their cube, and more people are easier to name.",
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
    date_order: Order | None,
    sheet: str | None,
    any_age: bool,
    population: Path | None,
    population_column: tuple[tuple[str, str], ...],
    population_columns_path: Path | None,
    population_date_order: Order | None,
    population_sheet: str | None,
    indicators: bool,
    output: Path | None,
    seed: int,
    tries: int,
    graph_people: int,
    allow_weak: bool,
    as_json: bool,
    force: bool,
) -> None:
    """Attack the encodings that ROSTER would get, and show what they reveal, to whom, and what hardening costs.

    Everything happens on this machine, with keys drawn for the purpose: it reads none of your keys, and nothing that
    somebody else encoded. The agreed hardening is shown beside the others. A roster of 1,010 people with a
    population of 20,000 takes some minutes; from a larger roster 5,000 rows are drawn.

    If no attack tried here succeeds, another one still might.
    """
    from pprl.core.schema_file import load_schema
    from pprl.preflight.attacks.graph import PEOPLE, cost
    from pprl.preflight.risk import assess_indicators, assess_risk
    from pprl.roster.files.paths import look_at

    options.report_variables()
    if indicators and (output or population):
        raise click.UsageError("--indicators runs no attack: leave out --population and -o")
    if as_json and output == STANDARD:
        raise click.UsageError("--json and -o - would both write to standard output")
    options.refuse_overwriting([output], [roster, *more_lists, population, schema_path, columns_path])
    check_output(output, force=force)
    schema = load_schema(schema_path)
    look_at({"roster": [roster, *more_lists], "population": [population]})
    from pprl.roster.load import load

    columns = options.columns(column, columns_path, date_order)
    loaded = load((roster, *more_lists), schema, columns=columns, sheet=sheet, any_age=any_age, note=options.note)
    options.note(loaded.counted(schema, "roster"))
    people, others = loaded.people, None
    if population is not None:
        columns = options.columns(population_column, population_columns_path, population_date_order)
        with with_options_of("population"):
            known = load(
                population,
                schema,
                "population",
                columns=columns,
                sheet=population_sheet,
                any_age=any_age,
                note=options.note,
            )
        options.note(known.counted(schema, "population"))
        others = known.people
    if indicators:
        report = assess_indicators(people, schema, seed=seed)
    else:
        if graph_people > PEOPLE:
            memory, seconds = cost(min(graph_people, len(people)), tries=tries)
            options.note(
                f"graph matching of {graph_people:,} people takes about {memory / 1e9:.1f} GB, and for each hardening "
                f"up to {seconds / 60:,.0f} minutes"
            )
        with steps("attacking") as progress:
            report = assess_risk(
                people,
                schema,
                others,
                seed=seed,
                tries=tries,
                graph_people=graph_people,
                allow_weak=allow_weak,
                progress=progress,
            )
    if output is not None:
        from pprl.preflight.page import render

        write_output(output, [render(report).encode()], private=True, force=force)
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        say("\n".join(_indicator_lines(report) if indicators else _lines(report)), output)
        if output not in (None, STANDARD):
            click.echo(f"{output.name}: open it in a browser; it is for you, not for publication")


def _lines(report: RiskReport) -> list[str]:
    from pprl.preflight.page import answer, headline, table_rows

    alone = "" if report.population else ", the roster alone: --population FILE adds more"
    heads = [result.hardening + ("*" if result is report.at_agreed else "") for result in report.hardenings]
    rows = table_rows(report)
    width = max(len(name) for name, _ in rows) + 2
    line: Callable[[list[str]], str] = lambda cells: "".join(f"{cell:>11}" for cell in cells)  # noqa: E731
    return [
        f"{report.rows:,} rows; {report.people:,} different people, looked for among {report.candidates:,}{alone}",
        "",
        f"{'':{width}}{line(heads)}",
        *(f"{name:{width}}{line(cells)}" for name, cells in rows),
        "* as agreed",
        "",
        f"{headline(report)}.",
        *answer(report),
        "If no attack tried here succeeds, another one still might.",
        "",
        *_two_lines(report),
    ]


def _indicator_lines(report: RiskReport) -> list[str]:
    from pprl.preflight.page import INDICATORS

    shown = report.at_agreed.indicators
    width = max(len(name) for name, _ in INDICATORS.values()) + 2
    figures = [f"{name:{width}}{getattr(shown, key):>8.4f}   {limit}" for key, (name, limit) in INDICATORS.items()]
    return [*figures, "", *_two_lines(report), "no attack was run; leave out --indicators to run them"]


def _two_lines(report: RiskReport) -> list[str]:
    from pprl.preflight.page import leakage_line, uniqueness_line

    return [f"encodings          {leakage_line(report)}", f"unique             {uniqueness_line(report)}"]


def indicators_of(people: People, schema: Schema) -> RiskReport | None:
    """The cheap part, for commands that encode or preview a roster; None where there are too few people."""
    from pprl.preflight.risk import assess_indicators

    try:
        return assess_indicators(people, schema)
    except RosterError:
        return None


def summary(people: People, schema: Schema) -> list[str]:
    """The same in two lines."""
    report = indicators_of(people, schema)
    if report is None:
        return ["encodings          too few people to say what they show"]
    encodings, unique = _two_lines(report)
    return [encodings, f"{unique}; `pprl risk` attacks them"]
