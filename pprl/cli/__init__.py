"""The command line: thin commands over library calls, and the one place where an error becomes an exit status.

Results go to stdout; notes, warnings, errors and (on a terminal only) progress go to stderr, in lower case and without
a full stop. Exit status 0 means done, 1 could not, 2 wrong usage, 130 interrupted. An error is one sentence and a hint.
An unexpected error shows its type and its line of code, never its message, which might quote a cell.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import cast

import click

import pprl
from pprl.core.errors import PprlError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

#: The module of each command.
MODULES = {
    "demo": "demo",
    "schema": "schemas",
    "check": "check",
    "risk": "risk",
    "link": "link",
    "key": "steps",
    "encode": "steps",
    "match": "match",
    "judge": "steps",
    "card": "exchange",
    "agree": "exchange",
    "reveal": "exchange",
    "next": "exchange",
    "transcript": "exchange",
    "verify": "exchange",
    "destroy": "exchange",
    "report": "report",
    "inspect": "steps",
    "convert": "convert",
    "completion": "completion",
}


class Commands(Mapping[str, click.Command]):
    """The commands by name; one is imported when it is called, and all of them when they are listed with their help."""

    def __getitem__(self, name: str) -> click.Command:
        module = importlib.import_module(f"pprl.cli.{MODULES[name]}")
        command: click.Command = getattr(module, "next_step" if name == "next" else name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


@click.group(
    commands=cast(dict[str, click.Command], Commands()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(pprl.__version__, prog_name="pprl", message="%(prog)s %(version)s")
def cli() -> None:
    """Estimate how many people on a list also appear in a registry, beyond chance, without showing a name.

    \b
    Try it:                 pprl demo
    What a roster can do:   pprl check leaked.xlsx --schema schema.toml
    What encodings leak:    pprl risk leaked.xlsx --schema schema.toml
    Both rosters in hand:   pprl link leaked.csv registry.xlsx --schema schema.toml
    A page of the result:   pprl report report.json -o report.html --language ru
    In separate steps:      pprl key, encode (each owner), match (the linkage unit), judge
    Three separate parties: pprl card, then pprl next FOLDER, which always names the next step
    """


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a Cyrillic header must not end a run in a limited terminal
    try:
        status = cli.main(argv, prog_name="pprl", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        _print_error(
            _usage(error, sys.argv[1:] if argv is None else argv),
            f"{context.command_path if context else 'pprl'} --help",
        )
        return error.exit_code
    except PprlError as error:
        _print_error(str(error), error.hint)
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("pprl: interrupted", err=True)
        return EXIT_INTERRUPTED
    except SystemExit as ended:  # how click answers a shell that asks for completions, or a reader that has gone away
        _abandon_stdout()
        return ended.code if isinstance(ended.code, int) else EXIT_FAILED
    except BrokenPipeError:  # the reader has gone away, as in `pprl … | head`
        _abandon_stdout()
        return EXIT_FAILED
    except OSError as error:
        _print_error(
            f"the system refused to read or write ({error.strerror}) at {_location(error)}",
            "is there room on the disk, and may you write there?",
        )
        return EXIT_FAILED
    except Exception as error:
        _print_error(
            f"unexpected {type(error).__name__} at {_location(error)}",
            "this is a bug in pprl; please report the line above, it contains none of your data",
        )
        return EXIT_FAILED
    return status if isinstance(status, int) else 0


def _print_error(error: str, hint: str) -> None:
    for line in error.splitlines():
        click.echo(f"pprl: error: {line}", err=True)
    if hint:
        click.echo(f"pprl: hint: {hint}", err=True)


def _usage(error: click.ClickException, typed: list[str]) -> str:
    """Click's message in our style; what was typed is not repeated, since it may be a roster's name."""
    text = error.format_message()
    if "extra argument" in text:
        text = re.sub(r" \(.*\)", "", text).rstrip(".") + _more_lists(error)
    for word in typed:
        value = word.partition("=")[2] if word.startswith("-") else word
        if value not in MODULES:
            text = text.replace(repr(value), "'…'").replace(f'"{value}"', "'…'")
    text = re.sub(r"[.;]? \(?Did you mean (.+?)\)?$", r"; did you mean \1", text)
    return text[:1].lower() + text[1:].rstrip(".")


def _more_lists(error: click.ClickException) -> str:
    """How a command that reads a list in several files takes the further ones."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    takes = context is not None and any(option.name == "more_lists" for option in context.command.params)
    return "; name each further part of a list with --list FILE" if takes else ""


def _abandon_stdout() -> None:
    """Discard stdout: nothing more can be printed, and buffered output must not fail again when Python ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _location(error: Exception) -> str:
    """File and line of the last frame in pprl."""
    location, trace = "?", error.__traceback__
    while trace:
        path = trace.tb_frame.f_code.co_filename
        if f"{os.sep}pprl{os.sep}" in path:
            location = f"{path.rpartition(f'{os.sep}pprl{os.sep}')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return location


def entry() -> None:
    """The console script."""
    # Imports create half a million objects that live until the end. Searching them for garbage, both during the imports
    # and when Python ends, takes a third of a second.
    gc.set_threshold(100_000, 20, 20)
    status = main()
    gc.freeze()
    sys.exit(status)
