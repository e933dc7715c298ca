"""pprl schema: propose a schema and the column mapping from the headers of rosters."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pprl import files
from pprl.cli import options
from pprl.errors import RosterError


@click.command(
    epilog="""\b
Examples:
  pprl schema leaked.csv registry.xlsx -o schema.toml
  pprl schema leaked.csv -o -
"""
)
@click.argument("rosters", metavar="ROSTER...", nargs=-1, required=True, type=options.FilePath)
@click.option(
    "-o", "--output", type=options.FilePath, required=True, help="The schema to write; - for standard output."
)
@click.option("--name", default="proposed", show_default=True, help="What the matter is called in the schema.")
@options.force_option
def schema(rosters: tuple[Path, ...], output: Path, name: str, force: bool) -> None:
    """Propose a schema from what all ROSTERs have in common, and for each roster which column is which field.

    The schema goes to both owners. Beside it, each roster gets a PRIVATE-….columns.toml that stays with its owner.
    """
    from pprl.normalize.columns import propose_columns, propose_fields
    from pprl.schema import parse_schema, to_toml
    from pprl.tables import read_roster

    headers: list[list[str]] = [list(read_roster(path).columns) for path in rosters]
    fields = propose_fields(headers)
    if not any(role == "link" for _, role in fields.values()):
        raise RosterError(
            "no header of a name or a birth date is known to stand in every roster",
            hint="write the schema by hand; README shows one",
        )
    text = f"format = 1\nname = {json.dumps(name, ensure_ascii=False)}\n" + "".join(
        f'[fields.{field}]\ntype = "{kind}"\nrole = "{role}"\n' for field, (kind, role) in fields.items()
    )
    proposed = parse_schema(text)
    if output == Path("-"):
        click.echo(to_toml(proposed), nl=False)
        return
    mapped = {
        output.with_name(f"PRIVATE-{path.stem}.columns.toml"): propose_columns(own, proposed, {})
        for path, own in zip(rosters, headers, strict=True)
    }
    for path in (output, *mapped):
        files.check_absent(path, force=force)
    files.write_new(output, [to_toml(proposed).encode()], force=force)
    for path, columns in mapped.items():
        lines = "".join(f"{field} = {json.dumps(header, ensure_ascii=False)}\n" for field, header in columns.items())
        files.write_new(path, [f"[columns]\n{lines}".encode()], private=True, force=force)
    for field in proposed.fields:
        click.echo(f"{field.name:12} {field.type:12} {field.role:8}" + (f" k = {field.k}" if field.k else ""))
    click.echo(f"{output.name}: send it to the other owner; the PRIVATE-….columns.toml stay with you")
