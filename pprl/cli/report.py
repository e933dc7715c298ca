"""pprl report: the page of a report.json or audit.json."""

from __future__ import annotations

from pathlib import Path

import click

from pprl.cli import options
from pprl.cli.output import check_output, write_output
from pprl.core.container import STANDARD, data_of
from pprl.core.errors import FileError

LARGEST = 20_000_000  # bytes; a report has a few thousand figures


@click.command(
    short_help="Make report.html from report.json.",
    epilog="""\b
Examples:
  pprl report report.json -o report.html
  pprl report report.json -o report_ru.html --language ru
  pprl report audit.json -o PRIVATE-audit.html
""",
)
@click.argument("report_path", metavar="FILE", type=options.FilePath)
@click.option(
    "-o",
    "--output",
    type=options.NewFile(or_standard=True),
    required=True,
    help="The page to write (- for standard output).",
)
@options.language_option
@options.force_option
def report(report_path: Path, output: Path, language: str, force: bool) -> None:
    """Make the page of FILE, a report.json or audit.json from `pprl link -o DIR` (- for standard input).

    The page is one file, made from FILE and nothing else. It opens offline, loads nothing, runs no script and prints on
    A4. The page of an audit.json has exact figures and says so.
    """
    options.refuse_overwriting([output], [report_path])
    check_output(output, force=force)
    from pprl.report import exact, render
    from pprl.report.record import load

    figures = load(_bytes(report_path))
    page = render(figures, language).encode()
    write_output(output, [page], private=exact(figures), force=force)
    if output != STANDARD:
        click.echo(f"{output.name}: open it in a browser; it loads nothing")
    if exact(figures):
        options.note("exact figures: not for publication")


def _bytes(path: Path) -> bytes:
    """The contents of the file. A refusal does not name it, since it may be a roster."""
    try:
        data = data_of(path, LARGEST + 1)
    except OSError as error:
        raise FileError(
            f"the report cannot be read ({error.strerror})",
            hint="name report.json or audit.json from the folder that `pprl link … -o DIR` wrote",
        ) from None
    if len(data) > LARGEST:
        raise FileError("not a report of pprl: it is too large", hint="name report.json or audit.json")
    return data
