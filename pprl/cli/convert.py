"""`pprl convert`: encodings in the formats of other tools, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from pprl.cli import options
from pprl.cli.options import note
from pprl.cli.output import TRYING_NAMES, check_output, write_output
from pprl.core import container
from pprl.core.container import STANDARD
from pprl.core.errors import FileError, RosterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORT_SECRET = 16  # bytes


@click.group(short_help="Files for other tools: clkhash and anonlink, DuckDB and Spark.")
def convert() -> None:
    """Exchange files with other tools: filters as clkhash makes them, encodings and scores as Parquet."""


@convert.command(
    "clkhash",
    short_help="Filters as clkhash makes them, bit for bit.",
    epilog="""\b
Examples:
  pprl convert clkhash linkage.json roster.csv --key-file secret.txt -o clks.json
  pprl convert clkhash linkage.json roster.csv --key-file secret.txt --header ignore -o clks.json
""",
)
@click.argument("schema_path", metavar="SCHEMA.json", type=options.FilePath)
@click.argument("roster", metavar="ROSTER.csv", type=options.FilePath)
@click.option(
    "--key-file",
    type=options.FilePath,
    required=True,
    help="The secret that both owners give to clkhash: the bytes of the file, without a final line end.",
)
@click.option(
    "--header",
    type=click.Choice(["check", "ignore", "none"]),
    default="check",
    show_default=True,
    help="The first row: check that it has the schema's names; ignore it; or there is no header.",
)
@click.option(
    "-o",
    "--output",
    type=options.NewFile(or_standard=True),
    required=True,
    help="The file of filters to write (- for standard output).",
)
@options.force_option
def clkhash(schema_path: Path, roster: Path, key_file: Path, header: str, output: Path, force: bool) -> None:
    """Encode ROSTER.csv (- for standard input) by a linkage schema of clkhash, version 3: the same bits as clkhash
    0.18.3, many times faster.

    None of the promises of `pprl` hold for such files: no hardening, no decoys, nothing sealed or signed.

    The CSV is read as clkhash reads it: UTF-8, commas, columns by their order. A cell that its format does not allow is
    reported by row and column.
    """
    from pprl.core.schema_file import read_text
    from pprl.interop.anonlink import clks_json
    from pprl.interop.clkhash import encode_records
    from pprl.interop.linkage_schema import parse_linkage_schema
    from pprl.roster.files.csv import plain_records

    options.refuse_overwriting([output], [schema_path, roster, key_file])
    check_output(output, force=force)
    schema = parse_linkage_schema(read_text(schema_path, "the linkage schema", "export it from clkhash"))
    secret = _secret(key_file)
    for name in schema.unknown:
        note(f"{name} is not a key of a linkage schema and is ignored")
    for text in schema.warnings():
        note(f"warning: {text}")
    if len(secret) < SHORT_SECRET:
        note(
            f"warning: a secret of {len(secret)} bytes can be guessed, and with it the names: use 32 random bytes, "
            "`openssl rand -base64 32`"
        )
    count = 0
    with _opened(roster) as file:
        records = plain_records(file)  # clkhash opens the file as text
        first = 1
        if header != "none":
            first = 2
            _check_header(next(records, None), schema.identifiers if header == "check" else None)

        def counted() -> Iterator[NDArray[np.uint8]]:
            nonlocal count
            for chunk in encode_records(records, schema, secret, first_row=first):
                count += len(chunk)
                yield chunk

        try:
            write_output(output, clks_json(counted()), private=True, force=force)
        except UnicodeDecodeError:
            raise RosterError("the roster is not UTF-8", hint="clkhash reads UTF-8; save it so") from None
    if output != STANDARD:
        click.echo(f"{output.name}: {count:,} filters of {schema.length:,} bits, one for each row; no cell left out")


@convert.command(
    "parquet",
    short_help="Encodings and scores as Parquet, and encodings back.",
    epilog="""\b
Examples:
  pprl convert parquet registry.pprl -o registry.parquet
  pprl convert parquet scores.pprl -o scores.parquet
  pprl convert parquet registry.parquet -o registry.pprl     the original file again
""",
)
@click.argument("path", metavar="FILE", type=options.Named)
@click.option("-o", "--output", type=options.NewFile(), required=True, help="The file to write (only you can read it).")
@options.force_option
def parquet(path: Path, output: Path, force: bool) -> None:
    """Write encodings or scores of pprl as Parquet, for DuckDB, Spark and data frames, or such encodings back.

    The content of FILE decides. Encodings have the columns handle (32 hexadecimal digits) and bits (bytes), scores
    list_handle, registry_handle, rank, common, total and dice. The metadata of the Parquet file say how they were made,
    as `pprl inspect` shows it.
    """
    options.refuse_overwriting([output], [path])
    container.check_absent(output, force=force)
    kind = container.kind_of(path)
    from pprl.core.encodings import Encodings
    from pprl.core.scores import Scores
    from pprl.interop import parquet as interop

    match kind:
        case b"pprl-enc":
            encodings = Encodings.read(path, mapped=True)
            pieces, what = interop.encodings_parquet(encodings), f"{len(encodings):,} encodings of a {encodings.side}"
        case b"pprl-sco":
            scores = Scores.read(path)
            count = int((scores.total > 0).sum())
            pieces, what = interop.scores_parquet(scores), f"{count:,} candidates of {len(scores):,} rows of the list"
        case None if container.is_parquet(path):
            pieces, what = interop.encodings_pieces(path), "the encodings, byte for byte as before"
        case None:
            raise FileError("this is neither a pprl file nor Parquet", hint="`pprl inspect FILE` says what a file is")
        case _:
            raise FileError(f"{path.name}: contains {container.KINDS[kind]}", hint="name a file of encodings or scores")
    container.write_new(output, pieces, private=True, force=force)
    click.echo(f"{output.name}: {what}")
    if kind != b"pprl-sco":
        click.echo(TRYING_NAMES)


def _opened(roster: Path) -> BinaryIO:
    if roster == STANDARD:
        return sys.stdin.buffer
    try:
        return roster.open("rb")
    except OSError as error:
        raise RosterError(f"the roster cannot be read: {error.strerror}", hint="name a CSV file") from None


def _secret(path: Path) -> bytes:
    try:
        secret = container.data_of(path)
    except OSError as error:
        raise FileError(
            f"the key file cannot be read: {error.strerror}", hint="name the file with the secret"
        ) from None
    secret = secret.removesuffix(b"\n").removesuffix(b"\r")
    if not secret:
        raise FileError("the key file is empty", hint="put the secret that both owners gave to clkhash into it")
    return secret


def _check_header(header: list[str] | None, identifiers: tuple[str, ...] | None) -> None:
    if header is None:
        raise RosterError(
            "the roster is empty", hint="a header and rows are needed; use --header none if there is no header"
        )
    if identifiers is None:
        return
    if header and header[0].startswith("\ufeff"):
        header = [header[0].removeprefix("\ufeff"), *header[1:]]
    if len(header) != len(identifiers):
        raise RosterError(
            f"the header has {len(header)} columns, and the schema has {len(identifiers)}",
            hint="ignored columns belong in the schema too; use --header none if there is no header",
        )
    for number, (found, expected) in enumerate(zip(header, identifiers, strict=True), 1):
        if found != expected:
            raise RosterError(
                f"column {number} of the header is not {expected!r}, as in the schema",
                hint="the order of columns counts; --header ignore skips this check",
            )
