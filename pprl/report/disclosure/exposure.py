"""What a report reveals: a count is exposed if too few exact values of it fit everything the report says.

A published count says where the exact one lies (`Reading`), sums and shares say more (`relations`), and integer
programming finds the least and the largest exact count that satisfy both (`_Box`).
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

from pprl.report.disclosure.relations import LISTED, Relation, rows_of
from pprl.report.disclosure.rounding import share_between, stands_for
from pprl.report.disclosure.rules import RATE_CLASSES, SHAPE, Discloser
from pprl.report.disclosure.suppression import SLACK
from pprl.report.fields import FieldSpec, Kind
from pprl.report.record import EVERYONE, FOUND

#: The totals of all tables: suppressed last, since a report without them says nothing.
MARGINS = (EVERYONE, FOUND, LISTED)


@dataclass(frozen=True)
class Cell:
    """What a published count says by itself: the exact one lies from ``low`` to ``high``. At least ``needed`` values
    must stay possible."""

    low: float
    high: float
    needed: int
    shown: int | None
    composition: bool


def _leaves(shape: Any, value: Any, path: str, suppressed: bool) -> Iterator[tuple[str, FieldSpec, Any, bool]]:
    """Every figure of a report or audit: its path, its specification, its value, and whether a count beside it is
    suppressed."""
    if isinstance(shape, FieldSpec):
        yield path, shape, value, suppressed
    elif isinstance(shape, dict) and value:
        for key in value.keys() & shape.keys():
            yield from _leaves(shape[key], value[key], f"{path}.{key}" if path else key, bool(value.get("suppressed")))
    elif isinstance(shape, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(shape[0], item, f"{path}.{index}", suppressed)


def _estimated(path: str) -> bool:
    return path.endswith(".net_found") or path.startswith("scores.decoys.")


def exact_values(audit: Mapping[str, Any]) -> dict[str, float]:
    """Exact counts and estimates of true matches, by path."""
    values = {}
    for path, spec, value, _ in _leaves(SHAPE, audit, "", False):
        figure = value.get("value") if isinstance(value, Mapping) else value
        if (spec.kind is Kind.COUNT or _estimated(path)) and figure is not None:
            values[path] = float(figure)
    return values


class Reading:
    """A report as somebody reads it who tries to undo the rounding: its cells, and what each says by itself."""

    def __init__(self, report: Mapping[str, Any]) -> None:
        rule = report.get("disclosure") or {}
        if not rule.get("base"):
            raise ValueError("disclosure.base: a report says what its counts are rounded to")
        self.base = int(rule["base"])
        suppressing, list_exempt = rule.get("small_cells") == "suppress", bool(rule.get("list_exempt"))
        self.discloser = Discloser(report, self.base, suppressing, list_exempt)
        self.report = report
        self.cells: dict[str, Cell] = {}
        for path, spec, value, suppressed in sorted(_leaves(SHAPE, report, "", False), key=lambda leaf: leaf[0]):
            if _estimated(path):
                figure = value.get("value") if isinstance(value, Mapping) else value
                if figure is not None:
                    self.cells[path] = Cell(figure - self.base / 2, figure + self.base / 2, 0, None, spec.composition)
            elif spec.kind is Kind.COUNT and (value is not None or suppressed):
                self.cells[path] = self._cell(path, spec, value)

    def _cell(self, path: str, spec: FieldSpec, shown: int | None) -> Cell:
        base, discloser = self.base, self.discloser
        if shown is None:
            # A label that is shown belongs to somebody.
            low = 1 if discloser.suppressing and re.match(r"strata\..*people$", path) else 0
            return Cell(low, math.inf, base + discloser.suppressing, None, spec.composition)
        if discloser.exact(spec, path):
            intended = shown >= base or (discloser.list_exempt and spec.composition)
            return Cell(shown, shown, 0 if intended else 2, shown, spec.composition)
        if shown % base:
            return Cell(shown, shown, 2, shown, spec.composition)
        low, high = stands_for(shown, base)
        return Cell(low, high, high - low + 1, shown, spec.composition)

    def published_anyway(self, cell: Cell) -> bool:
        """Whether the list owner lets this count be published exactly."""
        return self.discloser.list_exempt and cell.composition


def _figures(reading: Reading) -> Iterator[Relation]:
    """What shares and the false-match rate say about exact counts, unless computed from the published ones."""
    yield from _shares(reading)
    headline, cells = reading.report.get("headline") or {}, reading.cells
    rate = headline.get("false_match_rate")
    net = "headline.net_found"
    if rate is not None and {net, FOUND} <= cells.keys():
        classes = sorted({0.0, *RATE_CLASSES, float(headline.get("false_match_rate_asked") or 1.0)})
        low, high = (classes[classes.index(rate) - 1], rate) if rate in classes[1:] else _bounds_of(rate)
        yield Relation("headline.false_match_rate", {FOUND: 1 - low, net: -1.0}, -1, math.inf)
        yield Relation("headline.false_match_rate", {FOUND: 1 - high, net: -1.0}, -math.inf, 1)


def _shares(reading: Reading) -> Iterator[Relation]:
    report, cells = reading.report, reading.cells
    shares = [("headline.found", "count", "of"), ("copy_check", "identical", "pairs")]
    shares += [(f"confirm.{index}", "agree", "compared") for index, _ in rows_of(report, "confirm")]
    for above, part_key, whole_key in shares:
        row: Any = report
        for name in above.split("."):
            row = (row[int(name)] if name.isdigit() else row.get(name)) if row else None
        share = (row or {}).get("share")
        part, whole = f"{above}.{part_key}", EVERYONE if whole_key == "of" else f"{above}.{whole_key}"
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


def _bounds_of(share: Any) -> tuple[float, float]:
    """The range of numbers that are printed like this one."""
    if isinstance(share, Mapping):
        return float(share.get("at_least", 0.0)), float(share.get("at_most", 1.0))
    half = 0.5 * 10.0 ** -max(1, len(repr(float(share)).partition(".")[2]))
    return float(share) - half, float(share) + half


def revealed(
    report: Mapping[str, Any], sums: Iterable[Relation], known: Mapping[str, float] | None = None
) -> list[str]:
    """`exposed`, with these relations. With the exact values ``known``, only relations that hold for them are read
    from figures."""
    reading = Reading(report)
    if reading.base == 1 or not reading.cells:
        return []
    figures = [relation for relation in _figures(reading) if known is None or relation.holds(known)]
    relations = [relation for relation in (*sums, *figures) if relation.terms.keys() <= reading.cells.keys()]
    test = _Test(reading, relations, figures)
    return [*test.cells(), *test.rests()]


class _Test:
    """Whether too few values are possible for a sum of cells."""

    def __init__(self, reading: Reading, relations: list[Relation], figures: list[Relation]) -> None:
        self.reading, self.relations = reading, relations
        cells = reading.cells
        self.box = _Box(cells, relations)
        kept = {name for name, cell in cells.items() if reading.published_anyway(cell)}
        open_cells = {
            name: cell if name in kept else replace(cell, low=0.0, high=math.inf) for name, cell in cells.items()
        }
        # What would be possible if everything that may be suppressed were.
        self.at_most = (
            _Box(open_cells, [relation for relation in relations if relation not in figures]) if kept else None
        )

    def cells(self) -> Iterator[str]:
        cells = self.reading.cells
        room = {relation.part: cells[relation.whole].high for relation in self.relations if relation.part}
        for name, cell in cells.items():
            needed = min(cell.needed, room.get(name, math.inf) + 1)
            if cell.needed and self._reveals({name: 1.0}, needed, hidden=cell.shown is None):
                yield name

    def rests(self) -> Iterator[str]:
        """What is left of a whole without its part."""
        cells = self.reading.cells
        for relation in self.relations:
            if not relation.part or not _counted(relation):
                continue
            part, whole = cells[relation.part], cells[relation.whole]
            if part.shown is None and whole.shown is None:
                continue
            needed = min(stands_for(0, self.reading.base)[1] + 1, whole.high + 1)
            if self._reveals(relation.terms, needed, hidden=False):
                yield f"{relation.part}.rest"

    def _reveals(self, terms: Mapping[str, float], needed: float, *, hidden: bool) -> bool:
        """Whether fewer values are possible than needed, and suppressing all that may be would leave more."""
        base = float(self.reading.base)
        if self.reading.discloser.suppressing and not hidden:
            large = (base, 0)  # where small cells are suppressed, large ones are exact
        else:
            large = (math.inf, 0) if hidden else (base, 2)
        if not self.box.fewer_than(needed, terms, large):
            return False
        return self.at_most is None or self.box.fewer_than(min(needed, self.at_most.values_of(terms)), terms, large)


def _counted(relation: Relation) -> bool:
    """Whether the rest of this whole is a group of people."""
    return relation.part.endswith((".found", "found.count", ".agree", ".identical")) and not relation.part.startswith(
        ("rates.", "sensitivity.")
    )


class _Box:
    """All exact counts that fit: whole numbers within the cells' intervals that satisfy the relations."""

    def __init__(self, cells: Mapping[str, Cell], relations: list[Relation]) -> None:
        self._index = {name: index for index, name in enumerate(cells)}
        low = np.array([cell.low for cell in cells.values()])
        high = np.array([cell.high for cell in cells.values()])
        largest = float(high[np.isfinite(high)].max(initial=0.0))
        unbounded = 4 * largest + 1000
        self._bounds = Bounds(low, np.where(np.isfinite(high), high, unbounded))
        self._whole = np.array([0 if _estimated(name) else 1 for name in cells])
        self._rules = None
        if relations:
            matrix = np.array([self._row(relation.terms) for relation in relations])
            low_sums, high_sums = [relation.low for relation in relations], [relation.high for relation in relations]
            self._rules = LinearConstraint(matrix, low_sums, high_sums)
        self._seen: list[NDArray[np.float64]] = []
        for sign in (1, -1):  # two corners settle most cells
            self._corner(np.full(len(cells), float(sign)))

    def fewer_than(self, needed: float, terms: Mapping[str, float], large: tuple[float, int]) -> bool:
        """Whether this sum of cells can take fewer values than needed. ``large``: a bound, and how many values are
        enough for sums that cannot lie below it."""
        row = self._row(terms)
        seen = [float(point @ row) for point in self._seen]
        if max(seen) - min(seen) + 1 >= needed - SLACK:
            return False
        least, most = self._corner(row), self._corner(-row)
        return most - least + 1 < (needed if least < large[0] - SLACK else min(needed, large[1])) - SLACK

    def values_of(self, terms: Mapping[str, float]) -> float:
        """How many values the sum can take."""
        row = self._row(terms)
        return 1 + self._corner(-row) - self._corner(row)

    def _row(self, terms: Mapping[str, float]) -> NDArray[np.float64]:
        row = np.zeros(len(self._index))
        for name, factor in terms.items():
            row[self._index[name]] = factor
        return row

    def _corner(self, objective: NDArray[np.float64]) -> float:
        """The size of a sum where the objective is least over the box."""
        exactly: Any = {"mip_rel_gap": 0.0}
        result = milp(objective, constraints=self._rules, bounds=self._bounds, integrality=self._whole, options=exactly)
        if result.x is None:
            raise ValueError("no exact counts fit this report")
        self._seen.append(np.where(self._whole, np.round(result.x), result.x))
        return abs(float(self._seen[-1] @ objective))


def to_hide(name: str, reading: Reading, sums: Iterable[Relation], hidden: set[str]) -> set[str]:
    """What to suppress next, if anything is left: the exposed cell, else the smallest that shares a sum with it.

    The headline and the rosters' totals come last: a report without them says nothing.
    """
    free = {
        path: cell.shown
        for path, cell in reading.cells.items()
        if cell.shown is not None and path not in hidden and not reading.published_anyway(cell)
    }
    inner = {path for path in free if path not in MARGINS}
    target = name.removesuffix(".rest")
    if target in inner:
        return {target}
    reached, near = set[str](), {target}
    while near:  # sums of sums, the nearest first
        reached |= near
        near = {path for relation in sums if near & relation.terms.keys() for path in relation.terms} - reached
        if near & inner:
            return {min(near & inner, key=lambda path: (free[path], path))}
    last = sorted(reached & free.keys(), key=lambda path: (path != target, free[path], path))
    return set(last[:1])
