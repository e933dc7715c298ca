"""What of an audit may be read by everyone: exact counts go in, a report comes out that gives no small count away.

`disclose` copies only what `SHAPE` lists, so a new figure stays out until somebody has decided how it is told. Three
things could still give a count away, and each has its answer here:

1. *A figure beside a count.* A share of 33.27 % beside "5 of 15" says 499 of 1,500. So shares are computed from the
   counts as published; figures without a count of their own (a matchable share, an AUC) are rounded in steps of as many
   people as counts are; rates and p-values are classes; scores are told in steps of .05 only.
2. *Order and presence.* Labels are sorted by name, not by size. That a label is there at all says that somebody has
   it, so labels of nearly nobody are put together, and people without a value and this rest are told even if there are
   none.
3. *Sums.* Parts and their whole are rounded apart, and now and then only few exact counts fit all of them. `exposed`
   finds these by integer programming over everything the report says, and `disclose` suppresses until there are none.

Rounding is deterministic: it does not protect a person from whoever knows the exact counts of everybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pprl.report.disclosure.exposure import Reading, exact_values, given_away, relations_of, to_hide
from pprl.report.disclosure.rounding import stands_for
from pprl.report.disclosure.rules import SHAPE, STEP, Pen, refuse_unknown, tell
from pprl.report.disclosure.suppression import SLACK, suppress


def disclose(
    audit: Mapping[str, Any], base: int, *, small_cells: str = "round", list_exempt: bool = False
) -> dict[str, Any]:
    """The report of an audit: what anyone may read, for `base` and `small_cells` of the schema's policy.

    "round": every count is rounded to ``base`` by itself; sums are not made to fit. "suppress": strata, confirm fields,
    eligibility, lists and the headline are exact but for cells below ``base`` and what gives those away; all else is
    rounded. A suppressed count is None, and ``"suppressed": true`` stands beside it. ``list_exempt``: how many people
    the list has, and of what kinds, is told exactly, since its owner says so; how many of them are found is not.

    ValueError: no audit, a key that docs/report.md does not list, or a text, count or number that is none.
    """
    if audit.get("format") != "pprl-audit/1":
        raise ValueError("format: an audit is needed")
    if base < 1 or small_cells not in ("round", "suppress"):
        raise ValueError("a base of 1 or more is needed, and small cells are rounded or suppressed")
    refuse_unknown(SHAPE, audit, "")
    suppressing = small_cells == "suppress" and base > 1
    whole = _prepared(audit, base, suppressing, list_exempt)
    known = exact_values(whole)
    sums = [one for one in relations_of(whole) if one.holds(known)]
    hidden = set(_small(whole, base, list_exempt)) if suppressing else set()
    at_once = 1
    while True:
        pen = Pen(whole, base, suppressing, list_exempt, frozenset(hidden))
        report: dict[str, Any] = tell(pen, SHAPE, whole, "")
        found = given_away(report, sums, known)
        if not found:
            histogram = any(name.startswith("scores.real.") for name in hidden)
            return {**report, "scores": None} if histogram else report
        # One may settle the others; where it does not, twice as many each time, so that this ends soon.
        reading, before = Reading(report), len(hidden)
        for name in found[:at_once]:
            hidden |= to_hide(name, reading, sums, hidden)
        if any(name.startswith("scores.real.") for name in hidden):  # a histogram is told whole or not at all
            hidden |= {name for name in reading.cells if name.startswith("scores.real.")}
        assert len(hidden) > before, "all is suppressed and still something is given away"
        at_once *= 2


def contradictions(audit: Mapping[str, Any]) -> list[str]:
    """Sums of docs/report.md that do not hold in an audit; `disclose` takes them for unknown to its readers."""
    known = exact_values(audit)
    relations = [one for one in relations_of(audit) if one.terms.keys() <= known.keys()]
    return [one.name for one in relations if not one.holds(known)]


def exposed(report: Mapping[str, Any]) -> list[str]:
    """Counts that this report gives away, named by their place, such as ``strata.0.values.2.found``.

    All exact counts are sought that fit what the report says: each is one that would be rounded to the published one,
    parts sum to their whole (docs/report.md), no part exceeds its whole, and a share or rate that is not the one of the
    published counts is one of the exact counts. For each count, and for what is left of a whole (``….found.rest``), the
    least and the largest feasible value are found by integer programming. A count that may be below the base is given
    away if fewer values are possible than rounding leaves: ``base``, at 0 ⌊base/2⌋ + 1; for a suppressed one ``base``,
    and ``base`` + 1 where small cells are suppressed; never more than its whole has room for. A larger count is given
    away if only one value is possible, unless small cells are suppressed, where large ones are exact.

    ValueError: no exact counts fit this report.
    """
    return given_away(report, relations_of(report))


def _prepared(audit: Mapping[str, Any], base: int, suppressing: bool, list_exempt: bool) -> dict[str, Any]:
    """The audit with scores told by steps, and labels and classes of nearly nobody put together; still exact."""
    whole = {**audit, "disclosure": {}}  # a report always says its rule
    if base == 1:
        return whole
    if audit.get("scores"):
        whole["scores"] = _by_steps(audit["scores"])
    if audit.get("rates"):
        whole["rates"] = _curve_by_steps(audit["rates"])
    fewest = 0 if list_exempt else base if suppressing else stands_for(0, base)[1] + 1
    if audit.get("strata"):
        whole["strata"] = [{**one, "values": _named(one["values"], fewest, suppressing)} for one in audit["strata"]]
    if any((one.get("people") or 0) < fewest for one in audit.get("completeness") or []):
        whole["completeness"] = []  # a class that is named is somebody's, and one left out would be the others' rest
    return whole


def _by_steps(scores: Mapping[str, Any]) -> dict[str, Any]:
    """The histogram in bins of .05 from 0 to 1; a finer bin counts where its middle lies."""
    edges = np.array(scores["edges"], dtype=np.float64)
    if len(edges) < 2 or edges.min() < -SLACK or edges.max() > 1 + SLACK or (np.diff(edges) <= 0).any():
        raise ValueError("scores: edges rise from 0 to 1")
    bins = round(1 / STEP)
    at = np.minimum(((edges[:-1] + edges[1:]) / 2 / STEP).astype(int), bins - 1)
    told: dict[str, Any] = {"edges": [round(edge * STEP, 2) for edge in range(bins + 1)]}
    for key in ("real", "decoys"):
        told[key] = np.bincount(at, weights=scores[key], minlength=bins).tolist()
    return told


def _curve_by_steps(rates: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The curve at 1, .95 … 0: each with the lowest threshold at or above it, since thresholds are people's scores."""
    points = sorted(rates, key=lambda point: -point["threshold"])
    told = []
    for step in range(round(1 / STEP), -1, -1):
        least = round(step * STEP, 2)
        above = [point for point in points if point["threshold"] >= least - 1e-9]
        near = bool(above) and above[-1]["threshold"] < least + STEP
        told.append(
            {
                "threshold": least,
                "found": above[-1]["found"] if above else 0,
                "false_match_rate": above[-1]["false_match_rate"] if near else None,
            }
        )
    return told


def _named(values: Iterable[Mapping[str, Any]], fewest: int, suppressing: bool) -> list[dict[str, Any]]:
    """Labels by name; then people without a value; then the rest, whose labels fewer than ``fewest`` people have."""
    named = sorted((one for one in values if one["label"] is not None), key=lambda one: str(one["label"]))
    kept = [dict(one) for one in named if one["people"] >= fewest]
    nobody = {"people": 0, "found": 0, "net_found": None}
    without = next((one for one in values if one["label"] is None), {"label": None, **nobody})
    rest: dict[str, Any] = {"label": None, "rest": True, **nobody}
    for one in named:
        if one["people"] < fewest:
            rest["people"] += one["people"]
            rest["found"] = None if one["found"] is None or rest["found"] is None else rest["found"] + one["found"]
    # A suppressed 0 would take another label with it, and that these two are missing gives only a 0 of theirs away.
    return kept + [dict(one) for one in (without, rest) if one["people"] or not (suppressing or fewest == 0)]


def _small(whole: Mapping[str, Any], base: int, list_exempt: bool) -> Iterator[str]:
    """What `suppress` hides of the headline, the lists, strata, eligibility and confirm fields."""
    headline, rosters = whole.get("headline") or {}, whole.get("rosters") or {}
    people, found = headline.get("people"), (headline.get("found") or {}).get("count")
    tables: list[tuple[list[tuple[str, str]], list[tuple[int | None, int | None]]]] = []
    if people is not None:
        tables.append(([("headline.people", "headline.found.count")], [(people, found)]))
    groups = [("rosters.lists", rosters.get("lists") or [])]
    groups += [(f"strata.{at}.values", one["values"]) for at, one in enumerate(whole.get("strata") or [])]
    for above, rows in groups:
        paths = [(f"{above}.{at}.people", f"{above}.{at}.found") for at in range(len(rows))]
        tables.append((paths, [(row["people"], row["found"]) for row in rows]))
    if eligibility := whole.get("eligibility"):
        names = [name for name in ("eligible", "unknown", "ineligible") if eligibility.get(name)]
        paths = [(f"eligibility.{name}.people", f"eligibility.{name}.found") for name in names]
        tables.append((paths, [(eligibility[name]["people"], eligibility[name]["found"]) for name in names]))
    for paths, counts in tables:
        if not counts:
            continue
        if any(of is None or part is None for of, part in counts):
            mask = suppress([of or 0 for of, _ in counts], base)[:-1, None] & ~np.array([list_exempt])
            yield from (path[0] for path, (out,) in zip(paths, mask.tolist(), strict=True) if out)
            continue
        split = np.array([(part, (of or 0) - (part or 0)) for of, part in counts])
        mask = suppress(split, base, open_rows=list_exempt)[:-1]
        for (of_path, part_path), (part_out, _, of_out) in zip(paths, mask.tolist(), strict=True):
            yield from [part_path] * part_out + [of_path] * of_out
    for at, one in enumerate(whole.get("confirm") or []):
        keys = [key for key in ("agree", "higher", "lower") if one.get(key) is not None]
        if one.get("compared") is None or not keys:
            continue
        parts = [one[key] for key in keys]
        left = one["compared"] - sum(parts)
        mask = suppress([*parts, left] if left or len(parts) == 1 else parts, base)
        yield from (f"confirm.{at}.{key}" for key, out in zip(keys, mask.tolist(), strict=False) if out)
        if mask[-1]:
            yield f"confirm.{at}.compared"
