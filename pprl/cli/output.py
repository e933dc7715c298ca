"""How a result is shown and written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl import files
from pprl.cli.options import note
from pprl.errors import FileError

if TYPE_CHECKING:
    import pandas as pd

    from pprl.estimate.assess import Assessment

STDOUT = Path("-")


def check_outputs(pairs: Path | None, folder: Path | None, *, force: bool) -> None:
    """Refuse outputs that are in the way, before any work is done for them."""
    if pairs is not None and pairs != STDOUT:
        files.check_absent(pairs, force=force)
    if folder is not None and folder.exists() and not force:
        raise FileError(f"{folder.name}: exists already", hint="choose another name or pass --force")


def write_outputs(assessment: Assessment, pairs: Path | None, folder: Path | None, *, force: bool) -> None:
    if pairs == STDOUT:
        click.echo(pairs_csv(assessment.pairs), nl=False)
    elif pairs is not None:
        files.write_new(pairs, [pairs_csv(assessment.pairs).encode()], private=True, force=force)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(assessment.to_dict(), ensure_ascii=False, indent=1) + "\n"
        files.write_new(folder / "result.json", [text.encode()], force=force)


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
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return "" if not isinstance(value, int | float) and str(value) == "<NA>" else value


def show_assessment(assessment: Assessment, *, as_json: bool) -> None:
    """The result on stdout; warnings and the kernel's notes on stderr."""
    from pprl.match.kernel import notes

    for text in notes():
        note(text)
    for text in assessment.warnings:
        note(f"warning: {text}")
    if as_json:
        click.echo(json.dumps(assessment.to_dict(), ensure_ascii=False))
    else:
        click.echo("\n".join(summary(assessment)))


def summary(assessment: Assessment) -> list[str]:
    """The answer in a few lines, each a figure and what it means."""
    a = assessment
    lines = [
        f"people compared    {a.list_encoded:,} of the list ({a.list_rows:,} rows) "
        f"with {a.registry_encoded:,} of the registry"
    ]
    if a.found is None or a.net_found is None or a.expected_by_chance is None:
        return [*lines, "found              cannot tell"]
    asked = f"{a.false_match_rate_asked:.4g}"
    if a.found == 0:
        lines.append(
            f"found              0 at a false-match rate of {asked}; "
            f"fewer than {a.fewest_findable} could not have been found"
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
    assert a.p_value is not None
    p = "p < .001" if a.p_value < 0.001 else f"p = {a.p_value:.3f}"
    lines.append(f"list and chance    {p} that people like the decoys would score as high (one test, fixed beforehand)")
    return lines


def share(count: float, of: int) -> str:
    """A percentage that is 0 or 100 only when it is exactly so."""
    if count in (0, of):
        return f"{100 if count else 0} %"
    return f"{min(99.9, max(0.1, 100 * count / of)):.1f} %"
