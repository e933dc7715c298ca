"""What holds between the counts of every report and audit: parts sum to their whole, and no part exceeds its whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pprl.report.disclosure.suppression import SLACK
from pprl.report.record import EVERYONE, FOUND

LISTED = "rosters.list_people"
GROUPS = ("eligible", "unknown", "ineligible")


@dataclass(frozen=True)
class Relation:
    """low ≤ Σ coefficient · cell ≤ high; with ``part`` and ``whole`` where one lies within the other."""

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


def relations_of(record: Mapping[str, Any]) -> list[Relation]:
    """All relations of a report or audit, as docs/report.md lists them.

    Sums that hold only by chance, such as those with empty groups, are unknown to readers.
    """
    groups = [f"eligibility.{name}" for name in GROUPS] if record.get("eligibility") else []
    tables = _tables(record)
    parts = [part for table in tables for part in table.parts]
    return [
        *_headline(record),
        *_people(groups),
        *(relation for table in tables for relation in table.relations(groups)),
        *(_within(f"{above}.found", f"{above}.people") for above in (*parts, *groups, "controls")),
        *(_net_found(above) for above in (*parts, *groups, "headline")),
        *_distributions(record),
        *_pairs(record),
        *(_within(f"sensitivity.{index}.found", EVERYONE) for index, _ in rows_of(record, "sensitivity")),
    ]


def rows_of(record: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
    return list(enumerate(record.get(key) or []))


def _total(name: str, parts: Iterable[str], wholes: Iterable[str], slack: float = 0) -> Relation:
    return Relation(name, dict.fromkeys(parts, 1.0) | dict.fromkeys(wholes, -1.0), -slack, slack)


def _within(part: str, whole: str) -> Relation:
    return Relation(f"{part} within {whole}", {whole: 1.0, part: -1.0}, 0, math.inf, part, whole)


def _net_found(above: str) -> Relation:
    found = FOUND if above == "headline" else f"{above}.found"
    return Relation(f"{above}.net_found", {found: 1.0, f"{above}.net_found": -1.0}, -1, math.inf)


def _headline(record: Mapping[str, Any]) -> list[Relation]:
    compared = [f"confirm.{index}.compared" for index, _ in rows_of(record, "confirm")]
    rows = {"rosters.list_rows": 1.0, LISTED: -1.0, "rosters.duplicates": -1.0}
    return [
        _within(FOUND, EVERYONE),
        *(_within(part, FOUND) for part in ("headline.ambiguous", "copy_check.pairs", *compared)),
        _total("pairs and ambiguous are found", ["copy_check.pairs", "headline.ambiguous"], [FOUND]),
        Relation("people and duplicates within rows", rows, 0, math.inf),
    ]


def _people(groups: list[str]) -> list[Relation]:
    if not groups:
        return [_total("people are the list's", [EVERYONE], [LISTED])]
    return [
        _total("eligibility sums to the list", [f"{group}.people" for group in groups], [LISTED]),
        *(
            _total(f"{key} eligible and unknown sum", [f"{group}.{key}" for group in groups[:2]], [whole])
            for key, whole in (("people", EVERYONE), ("found", FOUND))
        ),
    ]


@dataclass(frozen=True)
class _Table:
    """Groups of people that sum to everyone."""

    above: str
    rows: int

    @property
    def parts(self) -> list[str]:
        return [f"{self.above}.{index}" for index in range(self.rows)]

    def relations(self, groups: list[str]) -> list[Relation]:
        if not self.rows:
            return []
        lists = self.above == "rosters.lists"  # of all people on the list, eligible or not
        found = [f"{group}.found" for group in groups] if lists and groups else [FOUND]
        people = LISTED if lists else EVERYONE
        return [
            _total(f"people of {self.above} sum", [f"{part}.people" for part in self.parts], [people]),
            _total(f"found of {self.above} sum", [f"{part}.found" for part in self.parts], found),
        ]


def _tables(record: Mapping[str, Any]) -> list[_Table]:
    return [
        _Table("rosters.lists", len((record.get("rosters") or {}).get("lists") or [])),
        *(_Table(f"strata.{index}.values", len(item["values"])) for index, item in rows_of(record, "strata")),
        _Table("completeness", len(rows_of(record, "completeness"))),
    ]


def _distributions(record: Mapping[str, Any]) -> list[Relation]:
    relations = []
    for key, slack in (("real", 0), ("decoys", 1)):
        if bins := len((record.get("scores") or {}).get(key) or []):
            parts = [f"scores.{key}.{index}" for index in range(bins)]
            relations.append(_total(f"scores.{key} sum", parts, [EVERYONE], slack))
    curve = [f"rates.{index}.found" for index, _ in rows_of(record, "rates")]
    return relations + [_within(upper, lower) for upper, lower in zip(curve, [*curve[1:], EVERYONE], strict=False)]


def _pairs(record: Mapping[str, Any]) -> list[Relation]:
    relations = []
    for index, item in rows_of(record, "confirm"):
        above = f"confirm.{index}"
        relations.append(_within(f"{above}.agree", f"{above}.compared"))
        both = [f"{above}.compared", f"{above}.missing"]
        relations.append(_total(f"{above} compared and missing sum", both, ["copy_check.pairs"]))
        if item.get("higher") is not None or item.get("suppressed"):
            parts = [f"{above}.{key}" for key in ("agree", "higher", "lower")]
            relations.append(_total(f"{above} sums", parts, [f"{above}.compared"]))
    return [*relations, _within("copy_check.identical", "copy_check.pairs")]
