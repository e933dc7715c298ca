"""What everyone may read of an audit: exact counts go in, and a report comes out that reveals no small count.

`disclose` writes every key by its kind (`pprl.report.disclosure.rules`) and refuses keys that no record has. Four
things could still reveal a count, and each has its answer here:

1. *A figure beside a count.* A share of 33.27% beside "5 of 15" reveals 499 of 1,500. So shares are computed from the
   published counts; figures without a count of their own (a matchable share, an AUC) are rounded in steps of as many
   people as counts are; rates and p-values are classes; similarities are published in steps of .05 only.
2. *Order and presence.* Labels are sorted by name, not by size. A label that is shown belongs to somebody, so labels
   of almost nobody are put together; this line, and that of people without a value, are shown even when empty.
3. *A handful.* The owner of a registry may fill it with noise, people whom they know to be on the list, and one whom
   they ask about: a bin then says 0 or 5. So histogram and curve are published only where 20 people are said to match.
4. *Sums.* Parts and their whole are rounded separately, and sometimes only few exact counts fit all of them.
   `exposed` finds such counts by integer programming over everything the report says, and `disclose` suppresses cells
   until there are none.

Rounding is deterministic: it does not protect a person from somebody who knows the exact counts of everyone else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pprl.report.disclosure.exposure import Reading, exact_values, revealed, to_hide
from pprl.report.disclosure.relations import GROUPS, Relation, relations_of
from pprl.report.disclosure.rounding import rounded, stands_for
from pprl.report.disclosure.rules import SHAPE, STEP, Discloser, refuse_unknown
from pprl.report.disclosure.suppression import SLACK, suppress
from pprl.report.record import AUDIT

Row = Mapping[str, Any]
FEWEST_MATCHED = 20  # as published; with fewer, a histogram or a curve is that of a handful of people


def disclose(audit: Row, base: int, *, small_cells: str = "round", list_exempt: bool = False) -> dict[str, Any]:
    """The report of an audit, for `base` and `small_cells` of the schema's policy.

    "round": every count is rounded to ``base`` by itself; sums are not made to fit. "suppress": strata, further fields,
    eligibility, lists and the headline are exact except for cells below ``base`` and what would reveal these; all else
    is rounded. A suppressed count is None, with ``"suppressed": true`` beside it. ``list_exempt``: the list owner
    lets the list's composition be published exactly, but not how many of the people are found.

    ValueError: not an audit, a key that no record has, or a value that is not of its kind.
    """
    if audit.get("format") != AUDIT:
        raise ValueError("format: an audit is needed")
    if base < 1 or small_cells not in ("round", "suppress"):
        raise ValueError("a base of 1 or more is needed, and small cells are rounded or suppressed")
    refuse_unknown(SHAPE, audit)
    suppressing = small_cells == "suppress" and base > 1
    whole = _prepared(audit, base, suppressing, list_exempt)
    return _suppressed(whole, base, suppressing, list_exempt)


def contradictions(audit: Row) -> list[str]:
    """The relations of docs/report.md that do not hold in an audit; `disclose` assumes that its readers do not use
    them."""
    known = exact_values(audit)
    relations = [relation for relation in relations_of(audit) if relation.terms.keys() <= known.keys()]
    return [relation.name for relation in relations if not relation.holds(known)]


def exposed(report: Row) -> list[str]:
    """Counts that this report reveals, by path, such as ``strata.0.values.2.found``.

    All exact counts that fit the report are considered: each would be rounded to the published one, parts sum to
    their whole (docs/report.md), no part exceeds its whole, and a share or rate that is not computed from the published
    counts is computed from the exact ones. For each count, and for what is left of a whole (``….found.rest``), integer
    programming finds the least and the largest feasible value. A count that may be below the base is revealed if fewer
    values are possible than rounding leaves: ``base``, and ⌊base/2⌋ + 1 for a 0; for a suppressed count ``base``,
    or ``base`` + 1 where small cells are suppressed; never more than its whole has room for. A larger count is
    revealed if only one value is possible, unless small cells are suppressed, where large ones are exact.

    ValueError: no exact counts fit this report.
    """
    return revealed(report, relations_of(report))


def _suppressed(whole: Row, base: int, suppressing: bool, list_exempt: bool) -> dict[str, Any]:
    """The report with as many cells hidden as it takes to reveal nothing."""
    known = exact_values(whole)
    sums = [relation for relation in relations_of(whole) if relation.holds(known)]
    hidden = set(_small_cells(whole, base, list_exempt)) if suppressing else set()
    at_once = 1
    while True:
        report = Discloser(whole, base, suppressing, list_exempt, frozenset(hidden)).report()
        found = revealed(report, sums, known)
        if not found:
            histogram = any(name.startswith("scores.real.") for name in hidden)
            return {**report, "scores": None} if histogram else report
        before = len(hidden)
        _hide(found[:at_once], Reading(report), sums, hidden)
        assert len(hidden) > before, "everything is suppressed, and a count is still revealed"
        at_once *= 2  # hiding one cell may settle others; where it does not, this ends soon


def _hide(names: list[str], reading: Reading, sums: list[Relation], hidden: set[str]) -> None:
    for name in names:
        hidden |= to_hide(name, reading, sums, hidden)
    if any(name.startswith("scores.real.") for name in hidden):  # a histogram is published whole or not at all
        hidden |= {name for name in reading.cells if name.startswith("scores.real.")}


# -- what changes before anything is rounded ---------------------------------------------------------------------------


def _prepared(audit: Row, base: int, suppressing: bool, list_exempt: bool) -> dict[str, Any]:
    """The audit with similarities in steps, and labels and classes of almost nobody put together; still exact."""
    whole = {**audit, "disclosure": {}}  # a report always states its rule
    if base == 1:
        return whole
    matched = (audit["headline"]["found"] or {}).get("count") or 0
    if rounded(matched, base) < FEWEST_MATCHED:
        whole |= {"scores": None, "rates": []}
        audit = {**audit, "scores": None, "rates": []}
    if audit.get("scores"):
        whole["scores"] = _histogram_in_steps(audit["scores"])
    if audit.get("rates"):
        whole["rates"] = _curve_in_steps(audit["rates"])
    fewest = 0 if list_exempt else base if suppressing else stands_for(0, base)[1] + 1
    if audit.get("strata"):
        whole["strata"] = [
            {**stratum, "values": _labels(stratum["values"], fewest, suppressing)} for stratum in audit["strata"]
        ]
    if any((row.get("people") or 0) < fewest for row in audit.get("completeness") or []):
        whole[
            "completeness"
        ] = []  # a class that is shown belongs to somebody, and a hidden one would follow from the others
    return whole


def _histogram_in_steps(scores: Row) -> dict[str, Any]:
    """The histogram in bins of .05 from 0 to 1; a finer bin counts where its middle lies."""
    edges = np.array(scores["edges"], dtype=np.float64)
    if len(edges) < 2 or edges.min() < -SLACK or edges.max() > 1 + SLACK or (np.diff(edges) <= 0).any():
        raise ValueError("scores: edges rise from 0 to 1")
    bins = round(1 / STEP)
    bin_of = np.minimum(((edges[:-1] + edges[1:]) / 2 / STEP).astype(int), bins - 1)
    stepped: dict[str, Any] = {"edges": [round(edge * STEP, 2) for edge in range(bins + 1)]}
    for key in ("real", "decoys"):
        stepped[key] = np.bincount(bin_of, weights=scores[key], minlength=bins).tolist()
    return stepped


def _curve_in_steps(rates: Iterable[Row]) -> list[dict[str, Any]]:
    """The curve at 1, .95 … 0: each with the lowest threshold at or above it, since thresholds are people's scores."""
    points = sorted(rates, key=lambda point: -point["threshold"])
    curve = []
    for step in range(round(1 / STEP), -1, -1):
        least = round(step * STEP, 2)
        above = [point for point in points if point["threshold"] >= least - 1e-9]
        near = bool(above) and above[-1]["threshold"] < least + STEP
        curve.append(
            {
                "threshold": least,
                "found": above[-1]["found"] if above else 0,
                "false_match_rate": above[-1]["false_match_rate"] if near else None,
            }
        )
    return curve


def _labels(values: Iterable[Row], fewest: int, suppressing: bool) -> list[dict[str, Any]]:
    """Labels by name; then people without a value; then the rest: labels that fewer than ``fewest`` people have."""
    labelled = sorted((row for row in values if row["label"] is not None), key=lambda row: str(row["label"]))
    kept = [dict(row) for row in labelled if row["people"] >= fewest]
    nobody = {"people": 0, "found": 0, "net_found": None}
    without = next((row for row in values if row["label"] is None), {"label": None, **nobody})
    rest: dict[str, Any] = {"label": None, "rest": True, **nobody}
    for row in labelled:
        if row["people"] < fewest:
            rest["people"] += row["people"]
            rest["found"] = None if row["found"] is None or rest["found"] is None else rest["found"] + row["found"]
    # A suppressed 0 would take another label with it; that these two lines are missing reveals only their own 0.
    return kept + [dict(row) for row in (without, rest) if row["people"] or not (suppressing or fewest == 0)]


# -- small cells -------------------------------------------------------------------------------------------------------


def _small_cells(whole: Row, base: int, list_exempt: bool) -> Iterator[str]:
    """What `suppress` hides of the headline, the lists, strata, eligibility and further fields."""
    for paths, counts in _tables(whole):
        if counts:
            yield from _small_groups(paths, counts, base, list_exempt)
    for index, row in enumerate(whole.get("confirm") or []):
        yield from _small_agreement(f"confirm.{index}", row, base)


Paths = list[tuple[str, str]]  # of people and of found, a line each
Counts = list[tuple[int | None, int | None]]


def _tables(whole: Row) -> Iterator[tuple[Paths, Counts]]:
    """Tables of people and how many of them are found."""
    headline, rosters = whole.get("headline") or {}, whole.get("rosters") or {}
    people, found = headline.get("people"), (headline.get("found") or {}).get("count")
    if people is not None:
        yield [("headline.people", "headline.found.count")], [(people, found)]
    groups = [("rosters.lists", rosters.get("lists") or [])]
    groups += [(f"strata.{index}.values", row["values"]) for index, row in enumerate(whole.get("strata") or [])]
    for above, rows in groups:
        paths = [(f"{above}.{index}.people", f"{above}.{index}.found") for index in range(len(rows))]
        yield paths, [(row["people"], row["found"]) for row in rows]
    if eligibility := whole.get("eligibility"):
        names = [name for name in GROUPS if eligibility.get(name)]
        paths = [(f"eligibility.{name}.people", f"eligibility.{name}.found") for name in names]
        yield paths, [(eligibility[name]["people"], eligibility[name]["found"]) for name in names]


def _small_groups(paths: Paths, counts: Counts, base: int, list_exempt: bool) -> Iterator[str]:
    if any(people is None or found is None for people, found in counts):
        mask = suppress([people or 0 for people, _ in counts], base)[:-1, None] & ~np.array([list_exempt])
        yield from (path[0] for path, (out,) in zip(paths, mask.tolist(), strict=True) if out)
        return
    split = np.array([(found, (people or 0) - (found or 0)) for people, found in counts])
    mask = suppress(split, base, open_rows=list_exempt)[:-1]
    for (people_path, found_path), (found_out, _, people_out) in zip(paths, mask.tolist(), strict=True):
        yield from [found_path] * found_out + [people_path] * people_out


def _small_agreement(above: str, row: Row, base: int) -> Iterator[str]:
    keys = [key for key in ("agree", "higher", "lower") if row.get(key) is not None]
    if row.get("compared") is None or not keys:
        return
    counts = [row[key] for key in keys]
    left = row["compared"] - sum(counts)
    mask = suppress([*counts, left] if left or len(counts) == 1 else counts, base)
    yield from (f"{above}.{key}" for key, out in zip(keys, mask.tolist(), strict=False) if out)
    if mask[-1]:
        yield f"{above}.compared"
