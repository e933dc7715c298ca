"""What a report gives away: every exact count that fits all it says is sought, and what too few fit is named.

Each count alone says where the exact one lies (`Reading`), sums and shares say more (`relations_of`), and integer
programming finds the least and the largest count that satisfy both (`_Box`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from pprl.report.disclosure.rounding import share_between, stands_for
from pprl.report.disclosure.rules import RATE_CLASSES, SHAPE, Kind, Pen
from pprl.report.disclosure.suppression import SLACK

#: The whole of every table: suppressed last, since a report without them says nothing.
_MARGINS = ("headline.people", "headline.found.count", "rosters.list_people")


@dataclass(frozen=True)
class Relation:
    """low ≤ Σ coefficient · cell ≤ high. ``part`` and ``whole`` where it says that one is within the other."""

    name: str
    terms: Mapping[str, float]
    low: float
    high: float
    part: str = ""
    whole: str = ""

    def holds(self, values: Mapping[str, float]) -> bool:
        if any(name not in values for name in self.terms):
            return False
        total = sum(factor * values[name] for name, factor in self.terms.items())
        return self.low - SLACK <= total <= self.high + SLACK


@dataclass(frozen=True)
class _Cell:
    """What a published count alone says: it lies from low to high. ``needed`` values must stay possible."""

    low: float
    high: float
    needed: int
    shown: int | None
    kind: Kind


def _leaves(shape: Any, value: Any, path: str, gone: bool) -> Iterator[tuple[str, Kind, Any, bool]]:
    """Each figure of a report or audit: its place, kind and value, and whether a count beside it is suppressed."""
    if isinstance(shape, Kind):
        yield path, shape, value, gone
    elif isinstance(shape, dict) and value:
        for key in value.keys() & shape.keys():
            yield from _leaves(shape[key], value[key], f"{path}.{key}" if path else key, bool(value.get("suppressed")))
    elif isinstance(shape, list) and value:
        for at, one in enumerate(value):
            yield from _leaves(shape[0], one, f"{path}.{at}", gone)


def _estimated(path: str) -> bool:
    return path.endswith(".net_found") or path.startswith("scores.decoys.")


def exact_values(audit: Mapping[str, Any]) -> dict[str, float]:
    """Exact counts and net estimates by their place."""
    values = {}
    for path, kind, value, _ in _leaves(SHAPE, audit, "", False):
        figure = value.get("value") if isinstance(value, Mapping) else value
        if (kind.counts or _estimated(path)) and figure is not None:
            values[path] = float(figure)
    return values


class Reading:
    """A report as whoever tries to undo it reads it: the cells, and what each alone says."""

    def __init__(self, report: Mapping[str, Any]) -> None:
        rule = report.get("disclosure") or {}
        if not rule.get("base"):
            raise ValueError("disclosure.base: a report says what its counts are rounded to")
        self.base = int(rule["base"])
        self.pen = Pen(
            report, self.base, rule.get("small_cells") == "suppress", bool(rule.get("list_exempt")), frozenset()
        )
        self.report = report
        self.cells: dict[str, _Cell] = {}
        for path, kind, value, gone in sorted(_leaves(SHAPE, report, "", False), key=lambda leaf: leaf[0]):
            if _estimated(path):
                figure = value.get("value") if isinstance(value, Mapping) else value
                if figure is not None:
                    self.cells[path] = _Cell(figure - self.base / 2, figure + self.base / 2, 0, None, kind)
            elif kind.counts and (value is not None or gone):
                self.cells[path] = self._cell(path, kind, value)

    def _cell(self, path: str, kind: Kind, shown: int | None) -> _Cell:
        base = self.base
        if shown is None:
            # A label that is named is somebody's.
            low = 1 if self.pen.suppressing and re.match(r"strata\..*people$", path) else 0
            return _Cell(low, math.inf, base + self.pen.suppressing, None, kind)
        if self.pen.exact(kind, path):
            meant = shown >= base or (self.pen.list_exempt and kind.own)
            return _Cell(shown, shown, 0 if meant else 2, shown, kind)
        if shown % base:
            return _Cell(shown, shown, 2, shown, kind)
        low, high = stands_for(shown, base)
        return _Cell(low, high, high - low + 1, shown, kind)


def relations_of(doc: Mapping[str, Any]) -> list[Relation]:
    """What holds between the counts of every report and audit, as docs/report.md says.

    Sums that hold only by chance, such as those with groups of nobody, are no knowledge of a reader's.
    """
    out: list[Relation] = []

    def total(name: str, parts: Iterable[str], wholes: Iterable[str], slack: float = 0) -> None:
        terms = dict.fromkeys(parts, 1.0) | dict.fromkeys(wholes, -1.0)
        out.append(Relation(name, terms, -slack, slack))

    def within(part: str, whole: str) -> None:
        out.append(Relation(f"{part} within {whole}", {whole: 1.0, part: -1.0}, 0, math.inf, part, whole))

    def table(above: str, rows: int, people: str, found: Iterable[str]) -> list[str]:
        parts = [f"{above}.{at}" for at in range(rows)]
        if parts:
            total(f"people of {above} sum", [f"{part}.people" for part in parts], [people])
            total(f"found of {above} sum", [f"{part}.found" for part in parts], found)
        return parts

    everyone, found, listed = "headline.people", "headline.found.count", "rosters.list_people"
    within(found, everyone)
    compared = [f"confirm.{at}.compared" for at, _ in _rows(doc, "confirm")]
    for part in ("headline.ambiguous", "copy_check.pairs", *compared):
        within(part, found)
    total("pairs and ambiguous are found", ["copy_check.pairs", "headline.ambiguous"], [found])
    rows = {"rosters.list_rows": 1.0, listed: -1.0, "rosters.duplicates": -1.0}
    out.append(Relation("people and duplicates within rows", rows, 0, math.inf))

    groups: list[str] = []
    if doc.get("eligibility"):
        groups = [f"eligibility.{name}" for name in ("eligible", "unknown", "ineligible")]
        total("eligibility sums to the list", [f"{group}.people" for group in groups], [listed])
        for key, whole in (("people", everyone), ("found", found)):
            total(f"{key} eligible and unknown sum", [f"{group}.{key}" for group in groups[:2]], [whole])
    else:
        total("people are the list's", [everyone], [listed])
    lists = len((doc.get("rosters") or {}).get("lists") or [])
    parts = table("rosters.lists", lists, listed, [f"{group}.found" for group in groups] or [found])
    for at, one in _rows(doc, "strata"):
        parts += table(f"strata.{at}.values", len(one["values"]), everyone, [found])
    parts += table("completeness", len(_rows(doc, "completeness")), everyone, [found])
    for above in (*parts, *groups, "controls"):
        within(f"{above}.found", f"{above}.people")
    for above in (*parts, *groups, "headline"):
        whole = found if above == "headline" else f"{above}.found"
        out.append(Relation(f"{above}.net_found", {whole: 1.0, f"{above}.net_found": -1.0}, -1, math.inf))

    for key, slack in (("real", 0), ("decoys", 1)):
        bins = len((doc.get("scores") or {}).get(key) or [])
        if bins:
            total(f"scores.{key} sum", [f"scores.{key}.{at}" for at in range(bins)], [everyone], slack)
    curve = [f"rates.{at}.found" for at, _ in _rows(doc, "rates")]
    for above, below in zip(curve, [*curve[1:], everyone], strict=False):
        within(above, below)
    for at, one in _rows(doc, "confirm"):
        within(f"confirm.{at}.agree", f"confirm.{at}.compared")
        if one.get("higher") is not None or one.get("suppressed"):
            parts = [f"confirm.{at}.{key}" for key in ("agree", "higher", "lower")]
            total(f"confirm.{at} sums", parts, [f"confirm.{at}.compared"])
    within("copy_check.identical", "copy_check.pairs")
    for at, _ in _rows(doc, "sensitivity"):
        within(f"sensitivity.{at}.found", everyone)
    return out


def _rows(doc: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
    return list(enumerate(doc.get(key) or []))


def _figures(reading: Reading) -> Iterator[Relation]:
    """What shares and the false-match rate say of exact counts, where they are not those of the published ones."""
    report, cells = reading.report, reading.cells
    shares = [("headline.found", "count", "of"), ("copy_check", "identical", "pairs")]
    shares += [(f"confirm.{at}", "agree", "compared") for at, _ in _rows(report, "confirm")]
    for above, part_key, whole_key in shares:
        row: Any = report
        for name in above.split("."):
            row = (row[int(name)] if name.isdigit() else row.get(name)) if row else None
        share = (row or {}).get("share")
        part, whole = f"{above}.{part_key}", "headline.people" if whole_key == "of" else f"{above}.{whole_key}"
        if share is None or part not in cells or whole not in cells:
            continue
        shown = cells[part].shown, cells[whole].shown
        if shown[0] is not None and shown[1] is not None:
            spans = [(int(cells[name].low), int(cells[name].high)) for name in (part, whole)]
            if share == share_between(spans[0], spans[1], (shown[0], shown[1])):
                continue
        low, high = _bounds_of(share)
        yield Relation(f"{above}.share", {part: 1.0, whole: -low}, 0, math.inf)
        yield Relation(f"{above}.share", {part: 1.0, whole: -high}, -math.inf, 0)
    headline = report.get("headline") or {}
    rate = headline.get("false_match_rate")
    if rate is not None and {"headline.net_found", "headline.found.count"} <= cells.keys():
        classes = sorted({0.0, *RATE_CLASSES, float(headline.get("false_match_rate_asked") or 1.0)})
        low, high = (classes[classes.index(rate) - 1], rate) if rate in classes[1:] else _bounds_of(rate)
        net, found = "headline.net_found", "headline.found.count"
        yield Relation("headline.false_match_rate", {found: 1 - low, net: -1.0}, -1, math.inf)
        yield Relation("headline.false_match_rate", {found: 1 - high, net: -1.0}, -math.inf, 1)


def _bounds_of(share: Any) -> tuple[float, float]:
    """From where to where a printed number may have been rounded."""
    if isinstance(share, Mapping):
        return float(share.get("at_least", 0.0)), float(share.get("at_most", 1.0))
    half = 0.5 * 10.0 ** -max(1, len(repr(float(share)).partition(".")[2]))
    return float(share) - half, float(share) + half


def given_away(
    report: Mapping[str, Any], sums: Iterable[Relation], known: Mapping[str, float] | None = None
) -> list[str]:
    """`exposed`, with these relations; with exact values ``known`` only what is true of them is read off figures."""
    reading = Reading(report)
    if reading.base == 1 or not reading.cells:
        return []
    cells = reading.cells
    figures = [one for one in _figures(reading) if known is None or one.holds(known)]
    relations = [one for one in (*sums, *figures) if one.terms.keys() <= cells.keys()]
    box = _Box(cells, relations)
    kept = {name for name, cell in cells.items() if reading.pen.list_exempt and cell.kind.own}
    nothing = {name: cell if name in kept else replace(cell, low=0.0, high=math.inf) for name, cell in cells.items()}
    at_most = _Box(nothing, [one for one in relations if one not in figures]) if kept else None
    room = {one.part: cells[one.whole].high for one in relations if one.part}

    def gives_away(terms: Mapping[str, float], needed: float, hidden: bool) -> bool:
        """Whether too few values are possible, though more would be if all were suppressed that may be."""
        if reading.pen.suppressing and not hidden:
            large = (float(reading.base), 0)  # where small cells are suppressed, large ones are exact
        else:
            large = (math.inf, 0) if hidden else (float(reading.base), 2)
        if not box.fewer_than(needed, terms, large):
            return False
        return at_most is None or box.fewer_than(min(needed, at_most.values_of(terms)), terms, large)

    found = [
        name
        for name, cell in cells.items()
        if cell.needed and gives_away({name: 1.0}, min(cell.needed, room.get(name, math.inf) + 1), cell.shown is None)
    ]
    for one in relations:
        if not one.part or not _counted(one):
            continue
        part, whole = cells[one.part], cells[one.whole]
        if part.shown is None and whole.shown is None:
            continue
        if gives_away(one.terms, min(stands_for(0, reading.base)[1] + 1, whole.high + 1), False):
            found.append(f"{one.part}.rest")
    return found


def _counted(one: Relation) -> bool:
    """Whether what is left of this whole is a group of people that somebody could be counted in."""
    return one.part.endswith((".found", "found.count", ".agree", ".identical")) and not one.part.startswith(
        ("rates.", "sensitivity.")
    )


class _Box:
    """All exact counts that fit: whole numbers within the cells' intervals that satisfy the relations."""

    def __init__(self, cells: Mapping[str, _Cell], relations: list[Relation]) -> None:
        self._at = {name: at for at, name in enumerate(cells)}
        low = np.array([cell.low for cell in cells.values()])
        high = np.array([cell.high for cell in cells.values()])
        largest = float(high[np.isfinite(high)].max(initial=0.0))
        self._far = 4 * largest + 1000  # stands for no bound
        self._bounds = Bounds(low, np.where(np.isfinite(high), high, self._far))
        self._whole = np.array([0 if _estimated(name) else 1 for name in cells])
        self._rules = None
        if relations:
            matrix = np.array([self._row(one.terms) for one in relations])
            self._rules = LinearConstraint(matrix, [one.low for one in relations], [one.high for one in relations])
        self._seen: list[NDArray[np.float64]] = []
        for sign in (1, -1):  # two corners settle most cells
            self._corner(np.full(len(cells), float(sign)))

    def fewer_than(self, needed: float, terms: Mapping[str, float], large: tuple[float, int]) -> bool:
        """Whether this sum of cells can take fewer values than needed; ``large``: from where on fewer are enough."""
        row = self._row(terms)
        seen = [float(point @ row) for point in self._seen]
        if max(seen) - min(seen) + 1 >= needed - SLACK:
            return False
        least, most = self._corner(row), self._corner(-row)
        return most - least + 1 < (needed if least < large[0] - SLACK else min(needed, large[1])) - SLACK

    def values_of(self, terms: Mapping[str, float]) -> float:
        row = self._row(terms)
        return 1 + self._corner(-row) - self._corner(row)

    def _row(self, terms: Mapping[str, float]) -> NDArray[np.float64]:
        row = np.zeros(len(self._at))
        for name, factor in terms.items():
            row[self._at[name]] = factor
        return row

    def _corner(self, aim: NDArray[np.float64]) -> float:
        """The least value of a sum over the box, times the sign that made it an aim."""
        exactly: Any = {"mip_rel_gap": 0.0}
        result = milp(aim, constraints=self._rules, bounds=self._bounds, integrality=self._whole, options=exactly)
        if result.x is None:
            raise ValueError("no exact counts fit this report")
        self._seen.append(np.where(self._whole, np.round(result.x), result.x))
        return abs(float(self._seen[-1] @ aim))


def to_hide(name: str, reading: Reading, sums: Iterable[Relation], hidden: set[str]) -> set[str]:
    """What to suppress next, if anything is left: the cell given away, else the smallest that shares a sum with it.

    The headline and the rosters' totals come last: a report without them says nothing.
    """
    cells = reading.cells
    free = {
        path: cell.shown
        for path, cell in cells.items()
        if cell.shown is not None and path not in hidden and not (reading.pen.list_exempt and cell.kind.own)
    }
    tables = {path for path in free if path not in _MARGINS}
    own = name.removesuffix(".rest")
    if own in tables:
        return {own}
    reached, near = set[str](), {own}
    while near:  # sums of sums, from the nearest
        reached |= near
        near = {path for one in sums if near & one.terms.keys() for path in one.terms} - reached
        if near & tables:
            return {min(near & tables, key=lambda path: (free[path], path))}
    last = sorted(reached & free.keys(), key=lambda path: (path != own, free[path], path))
    return set(last[:1])
