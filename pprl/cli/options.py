"""Options that several commands share."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from pprl.core.container import STANDARD
from pprl.core.errors import RefusedError

if TYPE_CHECKING:
    from pprl.normalize.dates import Order
    from pprl.roster.columns_file import Columns

F = TypeVar("F", bound=Callable[..., Any])
STANDARD_INPUT = "pprl.standard_input"  # in a command's context: the parameter that reads it


class ReadFile(click.Path):
    """A file to read; one of them may be ``-``, standard input."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        if path == STANDARD and ctx is not None:
            if STANDARD_INPUT in ctx.meta:
                self.fail("standard input can be read only once; name files for the others", param, ctx)
            ctx.meta[STANDARD_INPUT] = param
        return path


class NamedPath(click.Path):
    """A folder, or a file in one of our formats, whose permissions and neighbours matter too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        if path == STANDARD:
            self.fail("give a name: this cannot go through a pipe", param, ctx)
        return path


FilePath, Named = ReadFile(path_type=Path), NamedPath(path_type=Path)


class Rate(click.ParamType[float]):
    """A rate: 0.05 or 5%."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from pprl.core.schema import ten_thousandths

        try:
            return ten_thousandths(value) / 10_000
        except ValueError as error:
            self.fail(f"write {error}", param, ctx)


class HeaderOfField(click.ParamType[tuple[str, str]]):
    """FIELD=HEADER."""

    name = "FIELD=HEADER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        field, equals, header = value.partition("=")
        if not equals or not field or not header:
            self.fail("write it as FIELD=HEADER, say surname=Фамилия", param, ctx)
        return field.strip(), header.strip()


class NewFile(click.ParamType[Path]):
    """A file to write. Our own formats do not go to standard output: their files are complete or absent, closed to
    others where they are secret, and often come in pairs.
    """

    name = "file"

    def __init__(self, *, or_standard: bool = False) -> None:
        self._or_standard = or_standard

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.name in ("", ".."):
            self.fail("name a file to write", param, ctx)
        if path == STANDARD and not self._or_standard:
            self.fail("name a file to write: this cannot go to standard output", param, ctx)
        return path


def refuse_overwriting(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """RefusedError: an output is also an input, which not even --force may replace."""
    read, written = (
        [path for path in paths if path is not None and path != STANDARD and os.path.exists(path)]
        for paths in (inputs, outputs)
    )
    if any(os.path.samefile(output, path) for output in written for path in read):
        raise RefusedError("an output is also an input", hint="choose another name for the output")


class Remembered(click.Option):
    """An option that an environment variable can set for many commands; docs/shell.md lists them.

    None of them is secret, names a roster or lifts a safeguard: a variable that somebody set a week ago must not change
    what a command discloses. A command says when a variable set one of the ``reported`` options, which affect figures.
    """

    def __init__(self, names: Sequence[str], *, variable: str, reported: bool = False, **settings: Any) -> None:
        super().__init__(names, envvar=variable, show_envvar=True, **settings)
        self.reported = reported

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Name the variable where it set the value, or could have."""
        given = ctx is not None and self.name and ctx.get_parameter_source(self.name) is ParameterSource.COMMANDLINE
        return click.Parameter.get_error_hint(self, ctx) if given else super().get_error_hint(ctx)


def from_variable(name: str | None) -> bool:
    return bool(name) and click.get_current_context().get_parameter_source(str(name)) is ParameterSource.ENVIRONMENT


def report_variables() -> None:
    """Note which options that affect figures come from a variable."""
    for option in click.get_current_context().command.params:
        if isinstance(option, Remembered) and option.reported and from_variable(option.name):
            note(f"{option.opts[0]} comes from {option.envvar}")


def remembered(*names: str, **settings: Any) -> Callable[[F], F]:
    return click.option(*names, cls=Remembered, **settings)


def schema_option(command: F) -> F:
    return remembered(
        "--schema",
        "schema_path",
        variable="PPRL_SCHEMA",
        reported=True,
        type=FilePath,
        required=True,
        help="What is compared and how (TOML).",
    )(command)


def rate_option(command: F) -> F:
    return remembered(
        "--false-match-rate",
        "rate",
        variable="PPRL_FALSE_MATCH_RATE",
        reported=True,
        type=Rate(),
        help="Share of the matches that may be false; by default the schema's.",
    )(command)


def columns_options(prefix: str = "") -> Callable[[F], F]:
    """--column, --columns and --date-order for one roster; with a prefix for one of two."""
    dash = f"{prefix}-" if prefix else ""
    name = f"{prefix}_" if prefix else ""

    def add(command: F) -> F:
        command = click.option(
            f"--{dash}date-order",
            f"{name}date_order",
            type=click.Choice(["dmy", "mdy", "ymd"]),
            help="Order of day, month and year in dates that do not show it; overrides the columns file.",
        )(command)
        command = click.option(
            f"--{dash}columns",
            f"{name}columns_path",
            type=FilePath,
            help=f"A columns file (TOML) with the headers; --{dash}column overrides it.",
        )(command)
        return click.option(
            f"--{dash}column",
            f"{name}column",
            type=HeaderOfField(),
            multiple=True,
            metavar="FIELD=HEADER",
            help="The header of a field; full_name=HEADER for a full name in one column. May be repeated.",
        )(command)

    return add


def sheet_option(prefix: str = "") -> Callable[[F], F]:
    dash, name = (f"{prefix}-", f"{prefix}_") if prefix else ("", "")
    return click.option(
        f"--{dash}sheet",
        f"{name}sheet",
        metavar="NAME|all",
        help="The sheet of a workbook, or all of them joined; by default the only one with a table.",
    )


def empty_option(command: F) -> F:
    return click.option(
        "--allow-empty",
        is_flag=True,
        help="Go on although a linked field has no value in any row of a roster; it is then compared with nothing.",
    )(command)


def weak_option(command: F) -> F:
    return click.option("--allow-weak", is_flag=True, help="Accept a schema that links too few fields.")(command)


def seed_option(command: F) -> F:
    return click.option("--seed", type=click.IntRange(min=0), help="Make the run repeatable, and so not secret.")(
        command
    )


def force_option(command: F) -> F:
    return click.option("--force", is_flag=True, help="Replace an existing output.")(command)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")(command)


def language_option(command: F) -> F:
    return remembered(
        "--language",
        variable="PPRL_LANGUAGE",
        type=click.Choice(["en", "ru"]),
        default="en",
        show_default=True,
        help="Language of report.html.",
    )(command)


def folder_option(command: F) -> F:
    return click.option(
        "-o",
        "--output",
        type=Named,
        metavar="DIR",
        help="Write audit.json, report.json and report.html into a folder.",
    )(command)


def threads_option(command: F) -> F:
    return remembered(
        "--threads",
        variable="PPRL_THREADS",
        type=click.IntRange(min=1),
        help="Threads of the search; by default one per processor.",
    )(command)


def engine_options(command: F) -> F:
    """--engine and --scheduler; `pprl.cli.engine.engine_of` checks them together."""
    command = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Address of the Dask cluster, such as tcp://HOST:8786 or tls://HOST:8786.",
    )(command)
    return click.option(
        "--engine",
        type=click.Choice(["local", "dask"]),
        default="local",
        show_default=True,
        help="Where to compare: on this machine, or on the workers of a Dask cluster, which then see the encodings.",
    )(command)


def any_age_option(command: F) -> F:
    return click.option(
        "--any-age",
        is_flag=True,
        help="Accept birth dates that make many people younger than 16 or older than 75, in every roster.",
    )(command)


def more_lists_option(command: F) -> F:
    return click.option(
        "--list",
        "more_lists",
        type=FilePath,
        multiple=True,
        metavar="FILE",
        help="Another part of the list; nobody counts twice. May be repeated.",
    )(command)


def roster_options(command: F) -> F:
    """The options of a command that reads one roster: --list, --column, --columns, --date-order, --sheet, --any-age."""
    return more_lists_option(columns_options()(sheet_option()(any_age_option(command))))


def pairs_option(command: F) -> F:
    return click.option(
        "--pairs",
        type=NewFile(or_standard=True),
        help="Write the pairs: .csv, .xlsx, .parquet, or .json (FollowTheMoney); - is CSV on standard output. "
        "Keep them to yourself.",
    )(command)


def control_option(command: F) -> F:
    return click.option(
        "--control",
        type=FilePath,
        metavar="FILE",
        help="Negative controls: real people like those on the list, known to be absent from the registry.",
    )(command)


def columns(column: tuple[tuple[str, str], ...], columns_path: Path | None, date_order: Order | None = None) -> Columns:
    """The columns that --column and --columns name, and the order of their dates; --column and --date-order win."""
    from pprl.roster.columns_file import Columns, as_columns

    from_file = as_columns(columns_path)
    return Columns({**from_file.headers, **dict(column)}, from_file.orders, from_file.separators, date_order)


def note(text: str) -> None:
    click.echo(f"pprl: {text}", err=True)
