"""pprl schema: propose a schema, and which column is which field, from the headers and contents of rosters."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import write_output
from pprl.core import container
from pprl.core.container import STANDARD
from pprl.core.errors import FileError, RosterError, naming
from pprl.core.outputs import all_or_none

if TYPE_CHECKING:
    import pandas as pd

    from pprl.core.schema import Schema
    from pprl.normalize.dates import Order
    from pprl.roster.column_guess import Guess


@click.command(
    short_help="Propose a schema from rosters.",
    epilog="""\b
Examples:
  pprl schema leaked.csv registry.xlsx -o schema.toml
  pprl schema leaked.csv -o -
""",
)
@click.argument("rosters", metavar="ROSTER...", nargs=-1, required=True, type=options.FilePath)
@options.sheet_option()
@click.option(
    "-o",
    "--output",
    type=options.NewFile(or_standard=True),
    required=True,
    help="The schema to write; - is standard output.",
)
@click.option(
    "--date-order",
    type=click.Choice(["dmy", "mdy", "ymd"]),
    help="Order of day, month and year in dates that do not show it, in every roster.",
)
@options.weak_option
@click.option("--name", default="proposed", show_default=True, help="The name of the exchange in the schema.")
@options.force_option
def schema(
    rosters: tuple[Path, ...],
    sheet: str | None,
    output: Path,
    date_order: Order | None,
    allow_weak: bool,
    name: str,
    force: bool,
) -> None:
    """Propose a schema from what all ROSTERs have in common, and for each roster which column is which field.

    Columns are recognised by header, contents, or both, and the output says how sure each guess is. The schema goes to
    both owners. Beside it, each roster gets a PRIVATE-….columns.toml that stays with its owner: correct wrong guesses
    by hand, and pass it with --columns.
    """
    from pprl.roster.files.paths import look_at

    options.refuse_overwriting([output], rosters)
    for number, path in enumerate(rosters, start=1):
        look_at({f"roster {number}": [path]})
    from pprl.core.schema_file import to_toml
    from pprl.roster.ages import year_of_ages
    from pprl.roster.column_guess import propose_columns, unread_columns
    from pprl.roster.files.read import read_roster

    frames = {}
    for number, path in enumerate(rosters, start=1):
        whose = f"roster {number}"
        with naming(whose):
            frames[whose] = read_roster(path, sheet)
        for text in frames[whose].attrs.get("notes", ()):
            options.note(f"{whose}: {text}")
    unread = [f"{whose}: {text}" for whose, frame in frames.items() for text in unread_columns(frame)]
    fields = _common_fields(frames, unread)
    proposed = _schema_of(fields, name)
    for empty, whose in _empty_fields(proposed, frames, date_order).items():
        options.note(f"{empty} is not proposed: no row of {whose} has a value for it")
        del fields[empty]
    for name_field in {"given", "patronymic"} & fields.keys() if "surname" not in fields else ():
        options.note(f"{name_field} is not proposed without surnames")
        del fields[name_field]
    if not any(role == "link" for _, role in fields.values()):
        raise RosterError(
            "no field of names or birth dates has a value in every roster",
            hint="; ".join((*unread, "what was left out, and why, stands above; write the schema by hand")),
        )
    proposed = _schema_of(fields, name)
    if not allow_weak:
        proposed.refuse_weak(because=unread)
    if output == STANDARD:
        write_output(output, [to_toml(proposed).encode()])
        return
    year = year_of_ages(proposed)
    mapped = {
        output.with_name(name): propose_columns(frame, proposed, {}, year)
        for name, frame in zip(_columns_names(rosters), frames.values(), strict=True)
    }
    container.check_absent(output, force=force)
    if any(path.exists() for path in mapped) and not force:
        raise FileError("a PRIVATE-….columns.toml of a roster exists already", hint="move it away or pass --force")
    with all_or_none(output, *mapped):
        container.write_new(output, [to_toml(proposed).encode()], force=force)
        for path, columns in mapped.items():
            text = _columns_file(columns, proposed, date_order)
            container.write_new(path, [text.encode()], private=True, force=force)
    for field in proposed.fields:
        click.echo(f"{field.name:12} {field.type:12} {field.role}")
    for number, columns in enumerate(mapped.values(), start=1):
        click.echo(f"roster {number}:")
        for name, guess in columns.items():
            click.echo(f"  {name:12} {guess.word:9} {guess.column} ({guess.because})")
    click.echo(f"{output.name}: send it to the other owner; keep the PRIVATE-….columns.toml files to yourself")


def _common_fields(frames: Mapping[str, pd.DataFrame], unread: list[str]) -> dict[str, tuple[str, str]]:
    """Name, type and role of the fields that all rosters show; ``unread`` says which columns cannot be read, and then
    also why given names are not proposed.
    """
    from pprl.roster.column_guess import guess_columns, propose_fields, unclear_columns

    today = datetime.date.today().year
    guesses = {whose: guess_columns(frame, today) for whose, frame in frames.items()}
    fields = propose_fields(guesses.values())
    for whose, found in guesses.items():
        for text in unclear_columns(found):
            options.note(f"{whose}: {text}")
    if not any(role == "link" for _, role in fields.values()):
        raise RosterError(
            "no column of names or birth dates was recognised in every roster",
            hint="; ".join((*unread, "write the schema by hand; docs/encoding.md §9 lists its keys")),
        )
    if "surname" not in fields and any(guess.kind == "given" for found in guesses.values() for guess in found):
        unread.append("given names are not proposed without surnames, and not every roster shows one column of these")
    for text in unread:
        options.note(text)
    return fields


def _schema_of(fields: Mapping[str, tuple[str, str]], name: str) -> Schema:
    from pprl.core.schema_file import parse_schema, quoted

    tables = (f'[fields.{field}]\ntype = "{kind}"\nrole = "{role}"\n' for field, (kind, role) in fields.items())
    return parse_schema(f"format = 1\nname = {quoted(name)}\n" + "".join(tables))


def _empty_fields(proposed: Schema, frames: Mapping[str, pd.DataFrame], date_order: Order | None) -> dict[str, str]:
    """The linked fields that a roster has in no row, at which `link` would stop, and which roster that is."""
    from pprl.roster.load import load
    from pprl.roster.people import filled

    empty: dict[str, str] = {}
    for whose, frame in frames.items():
        try:
            roster = load(frame, proposed, whose, date_order=date_order, any_age=True)
        except RosterError as error:
            options.note(f"{error}; {error.hint}")
            continue
        options.note(roster.counted(proposed, whose))
        for text in roster.warnings:
            options.note(f"warning: {text}")
        held = filled(proposed, roster.people) if len(roster.people) else proposed.linked()
        empty |= {field.name: whose for field in proposed.linked() if field not in held}
    return empty


def _columns_file(columns: Mapping[str, Guess], proposed: Schema, date_order: Order | None) -> str:
    from pprl.core.schema_file import quoted

    lines = ["[columns]"]
    for key, guess in columns.items():
        name = key if key.isidentifier() else quoted(key)
        lines.append(f"{name} = {quoted(guess.header)}  # {guess.word}: {guess.because}")
    if date_order:
        dates = [field.name for field in proposed.fields if field.type == "date" and field.name in columns]
        lines += ["[date_order]", *(f'{name} = "{date_order}"' for name in dates)]
    return "\n".join(lines) + "\n"


def _columns_names(rosters: tuple[Path, ...]) -> list[str]:
    """A distinct name for each roster's columns file, even where rosters in two folders have the same name."""
    stems = ["input" if path == STANDARD else path.stem for path in rosters]
    return [
        f"PRIVATE-{stem}{f'-{stems[:index].count(stem) + 1}' if stem in stems[:index] else ''}.columns.toml"
        for index, stem in enumerate(stems)
    ]
