"""How a result is shown and how files are written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli.options import note
from pprl.core import container
from pprl.core.container import STANDARD
from pprl.core.errors import FileError, needing
from pprl.core.outputs import all_or_none, make_folder
from pprl.core.tables import columns_of, csv_bytes, xlsx_bytes

if TYPE_CHECKING:
    import pandas as pd

    from pprl.judge.assessment import Assessment
    from pprl.report.fields import Number
    from pprl.report.record import Headline, Record, Verdict


TRYING_NAMES = (
    "anyone with this file and the key can recover names by guessing: "
    "send it only to someone who will never have the key"
)


def check_output(output: Path | None, *, force: bool) -> None:
    """Refuse an output that exists already, before any work is done for it."""
    if output is not None and output != STANDARD:
        container.check_absent(output, force=force)
        if as_parquet(output):
            with needing("pyarrow", "parquet", "a Parquet file"):
                import pyarrow  # noqa: F401


def as_parquet(output: Path) -> bool:
    return output.suffix.lower() == ".parquet"


def as_xlsx(output: Path) -> bool:
    return output.suffix.lower() == ".xlsx"


def refuse_ending(output: Path | None, option: str, endings: Iterable[str]) -> None:
    """UsageError: the ending of an output's name is none of those that say what to write."""
    if output is not None and output != STANDARD and output.suffix.lower() not in (known := tuple(endings)):
        *others, last = known
        raise click.UsageError(f"{option} writes {', '.join(others)} or {last}, by the ending of its name")


def write_output(output: Path, parts: Iterable[bytes], *, private: bool = False, force: bool = False) -> None:
    """A new file, or standard output."""
    if output == STANDARD:
        for part in parts:
            click.echo(part, nl=False)
    else:
        container.write_new(output, parts, private=private, force=force)


def say(text: str, output: Path | None) -> None:
    """A line about what was done: on stdout, or on stderr where ``output`` takes stdout."""
    click.echo(text, err=output == STANDARD)


def output_files(folder: Path | None) -> list[Path]:
    from pprl.report import REPORT_FILES

    return [] if folder is None else [folder / name for name in REPORT_FILES]


def check_outputs(pairs: Path | None, folder: Path | None, *, as_json: bool, force: bool) -> None:
    """Refuse outputs that exist already, before any work is done for them."""
    if pairs == STANDARD and as_json:
        raise click.UsageError("--json and --pairs - would both write to standard output")
    refuse_ending(pairs, "--pairs", WRITERS)
    check_output(pairs, force=force)
    if folder is not None and folder.exists() and not (force and folder.is_dir()):
        raise FileError(
            f"{folder.resolve().name}: exists already" + ("" if folder.is_dir() else " and is not a folder"),
            hint="choose another name" + (" or pass --force" if folder.is_dir() else ""),
        )


def write_outputs(
    assessment: Assessment, pairs: Path | None, folder: Path | None, *, force: bool, language: str = "en"
) -> None:
    """All outputs or none: the pairs; and a folder with the exact audit, the disclosed report and its page."""
    pairs_file = None if pairs == STANDARD else pairs
    with all_or_none(*filter(None, [pairs_file, *output_files(folder), folder])):
        if folder is not None:
            make_folder(folder)
            assessment.write(folder, language, force=force)
        if pairs_file is not None:
            write = WRITERS[pairs_file.suffix.lower()]
            container.write_new(pairs_file, [write(assessment.pairs)], private=True, force=force)
    if pairs == STANDARD:
        write_output(pairs, [pairs_csv(assessment.pairs)])


def pairs_csv(pairs: pd.DataFrame) -> bytes:
    return csv_bytes(columns_of(pairs))


def pairs_xlsx(pairs: pd.DataFrame) -> bytes:
    return xlsx_bytes([columns_of(pairs)])


def pairs_parquet(pairs: pd.DataFrame) -> bytes:
    """The pairs as Parquet, with ids as they are."""
    out = io.BytesIO()
    pairs.to_parquet(out, engine="pyarrow", index=False)
    return out.getvalue()


def pairs_entities(pairs: pd.DataFrame) -> bytes:
    """The pairs as FollowTheMoney entities, with ids as they are."""
    from pprl.interop.followthemoney import json_lines

    return json_lines(pairs)


WRITERS = {".csv": pairs_csv, ".xlsx": pairs_xlsx, ".parquet": pairs_parquet, ".json": pairs_entities}


def show_assessment(assessment: Assessment, *, as_json: bool, aside: bool = False) -> None:
    """The result on stdout, or on stderr if ``aside``; warnings and the kernel's notes on stderr."""
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
    """The answer in a few lines, each a name, a figure and what it means."""
    record = assessment.record
    lines = list(_compared(record))
    if record.headline.p is None:
        lines.append(_line("matched", "cannot tell"))
        lines += _to_be_seen(record.headline)
    else:
        lines += [
            *_matched(record.headline, record.verdict),
            *_parts(assessment),
            *_strata(record),
            *_known_absent(record),
            *_agreements(record),
            *_tests(record.headline),
        ]
    return lines + list(_verdict(record.verdict)) + ([_line("run", record.run)] if record.run else [])


def _line(name: str, text: str) -> str:
    return f"{name:18} {text}"


def _compared(record: Record) -> Iterator[str]:
    rosters, people = record.rosters, record.headline.people or 0
    listed, encoded, rows = rosters.list_people or 0, rosters.registry_encoded or 0, rosters.registry_rows or 0
    spellings = f" ({encoded:,} spellings)" if encoded > rows else ""
    registry = f"{min(encoded, rows):,} in the registry{spellings}"
    yield _line("people compared", f"{listed:,} on the list ({rosters.list_rows:,} rows) with {registry}")
    if people < listed:
        yield _line(
            "could be in it", f"{people:,}; the other {listed - people:,} joined after its date and are left out"
        )


def _matched(head: Headline, verdict: Verdict) -> Iterator[str]:
    found, net = head.found.count, head.net_found
    asked = f"{head.false_match_rate_asked:.2%}"
    if found is None or net is None:
        some = "cannot be told pair by pair" if verdict.rung else "nobody"
        yield _line("matched", f"{some} at a false-match rate of {asked}")
        if not verdict.rung:
            yield from _to_be_seen(head)
        return
    yield _line(
        "matched",
        f"{found:,} people ({share(found, head.people or 0)}), at a similarity of {head.threshold:.3f} or more",
    )
    yield _line("false matches", f"about {head.false_match_rate:.2%} of them (at most {asked} asked for)")
    bounded = head.false_at_most is not None and head.false_at_most < found
    at_most = f"{head.false_at_most:,} of these {found:,}," if bounded else "cannot be told"
    yield _line("false at most", f"{at_most} with 95% confidence")
    yield _line("true matches", f"an estimated {net.value:,.0f} (95% interval {net.low:,.0f} to {net.high:,.0f})")
    yield _line("missed", _missed(head))
    if head.expected_by_chance is not None:
        chance = f"{head.expected_by_chance:,.1f} people would match if nobody on the list were in the registry"
        yield _line("by chance", chance)
    if head.ambiguous:
        yield _line(
            "ambiguous", f"{head.ambiguous:,} of the matches have several equally good partners and are in no pair"
        )


def _to_be_seen(head: Headline) -> Iterator[str]:
    if head.fewest_findable is not None:
        yield _line("to be seen", f"at least {head.fewest_findable:,} people would have to be there, written alike")


def _missed(head: Headline) -> str:
    missed, written = head.missed_match_rate, "how differently the two sides write one person"
    if missed is None:
        return f"not known: these files do not show {written}"
    assumed = f"; {written} is assumed" if head.missed_match_basis == "assumed" else ""
    interval = f"95% interval {missed.low:.1%} to {missed.high:.1%}"
    return f"about {missed.value:.1%} of those who are in the registry ({interval}){assumed}"


def _parts(assessment: Assessment) -> Iterator[str]:
    told = assessment.net_found is not None
    for number, part in enumerate(assessment.lists if told else (), start=1):
        found, people = part.found or 0, part.people or 0
        yield _line(f"matched in list {number}", f"{found:,} of {people:,} people ({share(found, people)})")


def _strata(record: Record) -> Iterator[str]:
    for field in record.strata if record.headline.net_found else ():
        for group in field.values:
            net = group.net_found
            estimate = (
                f"an estimated {net.value:,.0f} true ({net.low:,.0f} to {net.high:,.0f})"
                if net
                else "too few people for an estimate"
            )
            name = f"{field.field} {group.label or '(none)'}"
            yield f"  {name:28.28} {group.found:,} of {group.people:,} matched; {estimate}"


def _known_absent(record: Record) -> Iterator[str]:
    ineligible = record.eligibility.ineligible if record.eligibility else None
    groups = (("cannot be in it", ineligible), ("negative controls", record.controls))
    shown = [(name, group) for name, group in groups if group and group.found is not None]
    if record.headline.threshold is None or not shown:
        return
    yield "known to be absent from the registry, so all who reach the threshold do so by chance:"
    for name, absent in shown:
        line = f"{absent.found:,} of {absent.people:,} reach it; of as many decoys, {absent.expected:,.1f} would"
        yield f"  {name:28} {line}"


def _agreements(record: Record) -> Iterator[str]:
    for field in record.confirm:
        if field.compared:
            missing = f"; {field.missing:,} have none" if field.missing else ""
            yield _line(
                f"agree on {field.field}",
                f"{field.agree:,} of the {field.compared:,} pairs that have it on both sides "
                f"({share(field.agree or 0, field.compared)}), by chance {share(field.chance or 0, 1)}{missing}",
            )


def _tests(head: Headline) -> Iterator[str]:
    yield _line("test", _test(head.p, "strangers would match this closely") + " (one test, fixed in advance)")
    if head.p_registry is not None:
        yield _line("registry's decoys", _test(head.p_registry, "strangers with the registry's names would do so"))


def _test(value: str | Number | None, what: str) -> str:
    """``p < .001: … less than once in 1,000``"""
    p = float(value or 0)
    if p < 0.001:
        return f"p < .001: {what} less than once in 1,000"
    return f"p = {f'{p:.3f}'.removeprefix('0')}: {what} in {p:.1%} of cases"


def _verdict(verdict: Verdict) -> Iterator[str]:
    from pprl.report.text import Words

    words = Words("en")
    yield _line("verdict", words(f"rung.{verdict.code}"))
    for number, reason in enumerate(verdict.reasons):
        yield _line("" if number else "why not more", words.reason(reason))


def share(count: float, total: float) -> str:
    """A percentage; 0% and 100% only if it is exactly that, and 0% of nobody."""
    if count in (0, total):
        return f"{100 if count else 0}%"
    return f"{min(99.9, max(0.1, 100 * count / total)):.1f}%"
