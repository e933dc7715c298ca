"""How a result is shown and written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pprl.cli.options import note
from pprl.core import container
from pprl.core.container import STANDARD
from pprl.core.errors import FileError, needing
from pprl.core.outputs import all_or_none, make_folder

if TYPE_CHECKING:
    import pandas as pd

    from pprl.judge.assessment import Assessment


TRYING_NAMES = (
    "whoever holds this file and the key can try names until they fit: send it only to one who never gets the key"
)


def check_output(output: Path | None, *, force: bool) -> None:
    """Refuse an output that is in the way, before any work is done for it."""
    if output is not None and output != STANDARD:
        container.check_absent(output, force=force)
        if as_parquet(output):
            with needing("pyarrow", "parquet", "a Parquet file"):
                import pyarrow  # noqa: F401


def as_parquet(output: Path) -> bool:
    return output.suffix.lower() == ".parquet"


def write_output(output: Path, parts: Iterable[bytes], *, private: bool = False, force: bool = False) -> None:
    """A new file, or standard output."""
    if output == STANDARD:
        for part in parts:
            click.echo(part, nl=False)
    else:
        container.write_new(output, parts, private=private, force=force)


def say(text: str, output: Path | None) -> None:
    """A line on what was done: on stdout, or beside it where ``output`` has it to itself."""
    click.echo(text, err=output == STANDARD)


REPORT_FILES = ("audit.json", "report.json", "report.html")


def output_files(folder: Path | None) -> list[Path]:
    return [] if folder is None else [folder / name for name in REPORT_FILES]


def check_outputs(pairs: Path | None, folder: Path | None, *, as_json: bool, force: bool) -> None:
    """Refuse outputs that are in the way, before any work is done for them."""
    if pairs == STANDARD and as_json:
        raise click.UsageError("--json and --pairs - would both write to standard output")
    check_output(pairs, force=force)
    if folder is not None and folder.exists() and not (force and folder.is_dir()):
        raise FileError(
            f"{folder.resolve().name}: exists already" + ("" if folder.is_dir() else " and is no folder"),
            hint="choose another name" + (" or pass --force" if folder.is_dir() else ""),
        )


def write_outputs(
    assessment: Assessment, pairs: Path | None, folder: Path | None, *, force: bool, language: str = "en"
) -> None:
    """All outputs or none: the pairs, and in a folder the exact audit, the disclosed report, and its page."""
    pairs_file = None if pairs == STANDARD else pairs
    with all_or_none(*filter(None, [pairs_file, *output_files(folder), folder])):
        if folder is not None:
            make_folder(folder)
            for path, data in zip(output_files(folder), reports(assessment, language), strict=True):
                container.write_new(path, [data], private=path.name == "audit.json", force=force)
        if pairs_file is not None:
            write = WRITERS.get(pairs_file.suffix.lower(), pairs_csv)
            container.write_new(pairs_file, [write(assessment.pairs)], private=True, force=force)
    if pairs == STANDARD:
        write_output(pairs, [pairs_csv(assessment.pairs)])


def reports(assessment: Assessment, language: str) -> tuple[bytes, bytes, bytes]:
    """audit.json, report.json and report.html."""
    from pprl.report import render
    from pprl.report.disclosure import disclose

    audit = {**assessment.audit, "run": assessment.run or None}
    report = disclose(audit, assessment.disclosure, small_cells=assessment.small_cells)
    texts = [json.dumps(each, ensure_ascii=False, indent=1) + "\n" for each in (audit, report)]
    return texts[0].encode(), texts[1].encode(), render(report, language).encode()


FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def pairs_parquet(pairs: pd.DataFrame) -> bytes:
    """The pairs as Parquet, ids as they are."""
    out = io.BytesIO()
    pairs.to_parquet(out, engine="pyarrow", index=False)
    return out.getvalue()


def pairs_csv(pairs: pd.DataFrame) -> bytes:
    """The pairs as CSV; an id that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(pairs.columns)
    for row in pairs.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue().encode()


def pairs_entities(pairs: pd.DataFrame) -> bytes:
    """The pairs as FollowTheMoney entities, ids as they are."""
    from pprl.interop.followthemoney import json_lines

    return json_lines(pairs)


WRITERS = {".parquet": pairs_parquet, ".json": pairs_entities, ".jsonl": pairs_entities}


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


#: What may be said, in the words of the terminal; docs/report.md has the rule of each rung.
SENTENCES = {
    "cannot_tell": "nothing can be told",
    "not_beyond_chance": "the list is not found in the registry beyond chance",
    "beyond_chance": "the list is found in the registry beyond chance; that it was copied from there is not excluded",
    "confirmed": "the list is found beyond chance, and agrees with the registry on what was not linked",
    "confirmed_and_controlled": "the list is found beyond chance and agrees on what was not linked; controls are not "
    "found, and the registry was not public before it",
}
REASONS = {
    "few_decoys": "too few decoys",
    "nobody": "nobody to compare",
    "unsound_decoys": "the decoys do not look like people of the list",
    "weak_decoys": "people known to be absent are found more often than decoys",
    "test": "the test against decoys is not below .001",
    "harsh_test": "the test against made-up brothers is not below .001",
    "interval": "the interval of net found reaches 0",
    "no_confirm_field": "no field that was not linked stands in both",
    "confirm_disagrees": "matched people agree on no unlinked field more than permuted ones",
    "copying_not_excluded": "the pairs do not show that the two were written apart",
    "no_controls": "no controls (--control)",
    "few_controls": "fewer than 20 controls",
    "no_harsh_test": "no test against made-up brothers, for want of a given name that is linked",
    "decoys_unchecked": "the decoys were not held against the list's encodings (--encodings)",
    "registry_public": "the registry was public before the list",
    "registry_obtainable_unknown": "whether the registry was public before the list is not said",
}


def summary(assessment: Assessment) -> list[str]:
    """The answer in a few lines, each a figure and what it means."""
    a = assessment
    registry = f"{a.registry_encoded:,} of the registry"
    if a.registry_encoded > a.registry_rows:
        registry = f"{a.registry_rows:,} of the registry ({a.registry_encoded:,} spellings)"
    lines = [f"people compared    {a.list_encoded:,} of the list ({a.list_rows:,} rows) with {registry}"]
    eligibility = a.audit.get("eligibility")
    if a.people < a.list_encoded:
        lines.append(
            f"could be in it     {a.people:,}; {a.list_encoded - a.people:,} joined after its date and are left out"
        )
    if a.found is None or a.net_found is None:
        return [*lines, "found              cannot tell", *_verdict(a), *_run(a)]
    asked = f"{a.false_match_rate_asked:.2%}"
    if a.found == 0:
        lines.append(
            f"found              0 at a false-match rate of {asked}; at least {a.fewest_findable} would be needed"
        )
    else:
        value, low, high = a.net_found
        lines += [
            f"found              {a.found:,} people ({share(a.found, a.people)}), similarity {a.threshold:.3f} or more",
            f"of them false      about {a.false_match_rate:.2%} (asked: at most {a.false_match_rate_asked:.2%})",
            f"net found          {value:,.0f}, 95 % interval {low:,.0f} to {high:,.0f}",
            *([_chance(a.expected_by_chance)] if a.expected_by_chance is not None else []),
        ]
        if a.ambiguous:
            lines.append(
                f"ambiguous          {a.ambiguous:,} of the found have several equally good partners and are in no pair"
            )
    for number, (people, found) in enumerate(a.lists, start=1):
        lines.append(f"{f'of them in list {number}':19}{found:,} of {people:,} people ({share(found, people)})")
    for field in a.audit.get("strata", ()):
        for each in field["values"]:
            lines.append(_stratum(field["field"], each))
    known_absent = {"cannot be in it": (eligibility or {}).get("ineligible"), "controls": a.audit.get("controls")}
    for name, absent in known_absent.items():
        if a.threshold is not None and absent and absent["found"] is not None:
            lines.append(
                f"{name:18} {absent['found']:,} of {absent['people']:,} reach the similarity; "
                f"decoys in their place {absent['expected']:,.1f}"
            )
    for each in a.audit.get("confirm", ()):
        if each["compared"]:
            lines.append(
                f"{'agree on ' + each['field']:18} {share(each['agree'], each['compared'])} "
                f"of {each['compared']:,} pairs; permuted partners {share(each['chance'], 1)}"
            )
    assert a.p_value is not None
    p = "p < .001" if a.p_value < 0.001 else f"p = {a.p_value:.3f}"
    lines.append(f"list and chance    {p} that people like the decoys would score as high (one test, fixed beforehand)")
    return lines + _verdict(a) + _run(a)


def _chance(found: float) -> str:
    return f"by chance alone    {found:,.1f} people would be found if nobody of the list were in the registry"


def _stratum(field: str, each: dict[str, Any]) -> str:
    name = f"{field} {each['label'] or '(none)'}"
    net = each["net_found"]
    told = f"net found {net['value']:,.0f} ({net['low']:,.0f} to {net['high']:,.0f})" if net else "too few for a figure"
    return f"  {name:28.28} {each['found']:,} of {each['people']:,} found; {told}"


def _verdict(assessment: Assessment) -> list[str]:
    verdict = assessment.verdict
    lines = [f"verdict            {SENTENCES[verdict.code]}"]
    if verdict.reasons:
        lines.append("                   because: " + "; ".join(REASONS[reason] for reason in verdict.reasons))
    return lines


def _run(assessment: Assessment) -> list[str]:
    return [f"run                {assessment.run}"] if assessment.run else []


def share(count: float, of: int) -> str:
    """A percentage that is 0 or 100 only when it is exactly so."""
    if count in (0, of):  # of nobody, none
        return f"{100 if count else 0} %"
    return f"{min(99.9, max(0.1, 100 * count / of)):.1f} %"
