"""pprl schema: propose a schema, and which column is which field, from the headers and contents of rosters."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from pprl.cli import options
from pprl.cli.output import write_output
from pprl.core import container
from pprl.core.container import STANDARD
from pprl.core.errors import FileError, RosterError, naming
from pprl.core.outputs import all_or_none


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
@click.option("--name", default="proposed", show_default=True, help="The name of the exchange in the schema.")
@options.force_option
def schema(rosters: tuple[Path, ...], sheet: str | None, output: Path, name: str, force: bool) -> None:
    """Propose a schema from what all ROSTERs have in common, and for each roster which column is which field.

    Columns are recognised by header, contents, or both, and the output says how sure each guess is. The schema goes to
    both owners. Beside it, each roster gets a PRIVATE-….columns.toml that stays with its owner: correct wrong guesses
    by hand, and pass it with --columns.
    """
    from pprl.roster.paths import look_at

    options.refuse_overwriting([output], rosters)
    for number, path in enumerate(rosters, start=1):
        look_at({f"roster {number}": [path]})
    from pprl.core.schema_file import parse_schema, quoted, to_toml
    from pprl.roster.ages import year_of_ages
    from pprl.roster.column_guess import guess_columns, propose_columns, propose_fields, unread_columns
    from pprl.roster.read import read_roster

    frames = []
    for number, path in enumerate(rosters, start=1):
        with naming(f"roster {number}"):
            frames.append(read_roster(path, sheet))
        for text in frames[-1].attrs.get("notes", ()):
            options.note(f"roster {number}: {text}")
    unread = [f"roster {number}: {line}" for number, frame in enumerate(frames, 1) for line in unread_columns(frame)]
    for line in unread:
        options.note(line)
    today = datetime.date.today().year
    fields = propose_fields(guess_columns(frame, today) for frame in frames)
    if not any(role == "link" for _, role in fields.values()):
        raise RosterError(
            "no column of names or birth dates was recognised in every roster",
            hint="; ".join([*unread, "write the schema by hand; docs/encoding.md §9 lists its keys"]),
        )
    toml = f"format = 1\nname = {quoted(name)}\n" + "".join(
        f'[fields.{field}]\ntype = "{kind}"\nrole = "{role}"\n' for field, (kind, role) in fields.items()
    )
    proposed = parse_schema(toml)
    if output == STANDARD:
        write_output(output, [to_toml(proposed).encode()])
        return
    year = year_of_ages(proposed)
    mapped = {
        output.with_name(name): propose_columns(frame, proposed, {}, year)
        for name, frame in zip(_columns_names(rosters), frames, strict=True)
    }
    container.check_absent(output, force=force)
    if any(path.exists() for path in mapped) and not force:
        raise FileError("a PRIVATE-….columns.toml of a roster exists already", hint="move it away or pass --force")
    with all_or_none(output, *mapped):
        container.write_new(output, [to_toml(proposed).encode()], force=force)
        for path, columns in mapped.items():
            lines = "".join(
                f"{field} = {quoted(guess.header)}  # {guess.word}: {guess.because}\n"
                for field, guess in columns.items()
            )
            container.write_new(path, [f"[columns]\n{lines}".encode()], private=True, force=force)
    for field in proposed.fields:
        click.echo(f"{field.name:12} {field.type:12} {field.role:8}" + (f" k = {field.k}" if field.k else ""))
    for number, columns in enumerate(mapped.values(), start=1):
        click.echo(f"roster {number}:")
        for name, guess in columns.items():
            click.echo(f"  {name:12} {guess.word:9} {guess.header!r} ({guess.because})")
    click.echo(f"{output.name}: send it to the other owner; keep the PRIVATE-….columns.toml files to yourself")


def _columns_names(rosters: tuple[Path, ...]) -> list[str]:
    """A distinct name for each roster's columns file, even where rosters in two folders have the same name."""
    stems = ["input" if path == STANDARD else path.stem for path in rosters]
    return [
        f"PRIVATE-{stem}{f'-{stems[:index].count(stem) + 1}' if stem in stems[:index] else ''}.columns.toml"
        for index, stem in enumerate(stems)
    ]
