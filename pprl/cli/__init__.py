"""The command line: thin commands over library verbs, and the one place where an error becomes an exit status.

What is said where: the result on stdout; progress (on a terminal only), notes, warnings and errors on stderr, in
lower case and without a full stop. Exit status 0 is done, 1 could not, 2 wrong usage, 130 interrupted. An error is
one sentence and a hint; an error nobody foresaw shows its type and place, never its message, which might quote a
cell.
"""

from __future__ import annotations

import os
import sys

import click

import pprl
from pprl.cli.demo import demo
from pprl.cli.link import link
from pprl.cli.schemas import schema
from pprl.cli.steps import encode, inspect, judge, key, match
from pprl.errors import PprlError

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(pprl.__version__, prog_name="pprl", message="%(prog)s %(version)s")
def cli() -> None:
    """How much do two lists of people overlap, beyond chance, without showing a name?

    \b
    Try it:                pprl demo
    Both rosters in hand:  pprl link leaked.csv registry.xlsx --schema schema.toml
    In separate steps:     pprl key, encode (each owner), match (whoever compares), judge
    """


for command in (demo, schema, link, key, encode, match, judge, inspect):
    cli.add_command(command)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        status = cli.main(argv, prog_name="pprl", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PprlError as error:
        for line in str(error).splitlines():
            click.echo(f"pprl: error: {line}", err=True)
        if error.hint:
            click.echo(f"pprl: hint: {error.hint}", err=True)
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("pprl: interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:
        click.echo(f"pprl: error: unexpected {type(error).__name__} at {_place(error)}", err=True)
        click.echo(
            "pprl: hint: this is a mistake of pprl; report the line above, it holds no data of yours",
            err=True,
        )
        return EXIT_FAILED
    return status if isinstance(status, int) else 0


def _place(error: Exception) -> str:
    """File and line of the last frame that is ours."""
    place, trace = "?", error.__traceback__
    while trace:
        path = trace.tb_frame.f_code.co_filename
        if f"{os.sep}pprl{os.sep}" in path:
            place = f"{path.rpartition(f'{os.sep}pprl{os.sep}')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def entry() -> None:
    """The console script."""
    sys.exit(main())
