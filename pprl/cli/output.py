"""How a result is shown and written."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os.path
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl import files
from pprl.cli.options import STANDARD, note
from pprl.errors import FileError

if TYPE_CHECKING:
    import pandas as pd

    from pprl.estimate.assess import Assessment


@contextlib.contextmanager
def all_or_none(*paths: Path) -> Iterator[None]:
    """Files that belong together: when one cannot be written, those that were not there before go again."""
    new = [path for path in paths if not os.path.exists(path)]
    try:
        yield
    except BaseException:
        for path in new:
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{folder.name}: cannot be made a folder ({error.strerror})", hint="name a folder in a place of your own"
        ) from None


def check_outputs(pairs: Path | None, folder: Path | None, *, as_json: bool, force: bool) -> None:
    """Refuse outputs that are in the way, before any work is done for them."""
    if pairs == STANDARD and as_json:
        raise click.UsageError("--json and --pairs - would both write to standard output")
    if pairs is not None and pairs != STANDARD:
        files.check_absent(pairs, force=force)
    if folder is not None and folder.exists() and not (force and folder.is_dir()):
        raise FileError(
            f"{folder.resolve().name}: exists already" + ("" if folder.is_dir() else " and is no folder"),
            hint="choose another name" + (" or pass --force" if folder.is_dir() else ""),
        )


def write_outputs(assessment: Assessment, pairs: Path | None, folder: Path | None, *, force: bool) -> None:
    """Both outputs or neither."""
    pairs_file = None if pairs == STANDARD else pairs
    result = folder / "result.json" if folder is not None else None
    with all_or_none(*filter(None, [pairs_file, result, folder])):
        if folder is not None and result is not None:
            make_folder(folder)
            text = json.dumps(assessment.to_dict(), ensure_ascii=False, indent=1) + "\n"
            files.write_new(result, [text.encode()], force=force)
        if pairs_file is not None:
            files.write_new(pairs_file, [pairs_csv(assessment.pairs).encode()], private=True, force=force)
    if pairs == STANDARD:
        click.echo(pairs_csv(assessment.pairs).encode(), nl=False)


FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def pairs_csv(pairs: pd.DataFrame) -> str:
    """The pairs as CSV; an id that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(pairs.columns)
    for row in pairs.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_MARKS) else value
    return "" if not isinstance(value, int | float) and str(value) == "<NA>" else value


def show_assessment(assessment: Assessment, *, as_json: bool, aside: bool = False) -> None:
    """The result on stdout, or ``aside`` on stderr; warnings and the kernel's notes on stderr."""
    from pprl.match.kernel import notes

    for text in notes():
        note(text)
    for text in assessment.warnings:
        note(f"warning: {text}")
    if as_json:
        click.echo(json.dumps(assessment.to_dict()))
    else:
        click.echo("\n".join(summary(assessment)), err=aside)


def summary(assessment: Assessment) -> list[str]:
    """The answer in a few lines, each a figure and what it means."""
    a = assessment
    lines = [
        f"people compared    {a.list_encoded:,} of the list ({a.list_rows:,} rows) "
        f"with {a.registry_encoded:,} of the registry"
    ]
    if a.found is None or a.net_found is None:
        return [*lines, "found              cannot tell", *_run(a)]
    asked = f"{a.false_match_rate_asked:.2%}"
    if a.found == 0 or a.expected_by_chance is None:
        lines.append(
            f"found              0 at a false-match rate of {asked}; at least {a.fewest_findable} would be needed"
        )
    else:
        value, low, high = a.net_found
        lines += [
            f"found              {a.found:,} people ({share(a.found, a.list_encoded)}), "
            f"similarity {a.threshold:.3f} or more",
            f"of them false      about {a.false_match_rate:.2%} (asked: at most {a.false_match_rate_asked:.2%})",
            f"net found          {value:,.0f}, 95 % interval {low:,.0f} to {high:,.0f}",
            f"by chance alone    {a.expected_by_chance:,.1f} people at this similarity, "
            "if nobody on the list were in the registry",
        ]
        if a.ambiguous:
            lines.append(
                f"ambiguous          {a.ambiguous:,} of the found have several equally good partners and are in no pair"
            )
    for number, (people, found) in enumerate(a.lists, start=1):
        lines.append(f"{f'of them in list {number}':19}{found:,} of {people:,} people ({share(found, people)})")
    assert a.p_value is not None
    p = "p < .001" if a.p_value < 0.001 else f"p = {a.p_value:.3f}"
    lines.append(f"list and chance    {p} that people like the decoys would score as high (one test, fixed beforehand)")
    return lines + _run(a)


def _run(assessment: Assessment) -> list[str]:
    return [f"run                {assessment.run}"] if assessment.run else []


def share(count: float, of: int) -> str:
    """A percentage that is 0 or 100 only when it is exactly so."""
    if count in (0, of):  # of nobody, none
        return f"{100 if count else 0} %"
    return f"{min(99.9, max(0.1, 100 * count / of)):.1f} %"
