"""How a report discloses each kind of figure: the `Discloser` writes every key of a record by its kind.

`SHAPE` is the record as nested tables of `FieldSpec`, by key; a list stands for lists of any length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pprl.report.disclosure.rounding import rounded, share_between, stands_for
from pprl.report.fields import CODE, FieldSpec, Kind, Part
from pprl.report.record import EVERYONE, REPORT, Headline, Record

STEP = 0.05  # of similarities: histogram, curve, thresholds
P_LIMITS = (0.001, 0.01, 0.05)
RATE_CLASSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SEE_AUDIT = "see_audit"  # replaces warnings that are sentences
#: Tables whose counts are exact where small cells are suppressed, with their margins.
TABLES = re.compile(
    r"strata\.|rosters\.(lists\.|list_people$)|confirm\.\d+\.(?!missing)|eligibility\.|headline\.(people|found\.count)$"
)


def shape_of(record: type[Part]) -> dict[str, Any]:
    return {key: _shape(spec) for key, spec in record.specs().items()}


def _shape(spec: FieldSpec) -> Any:
    if spec.kind is Kind.SETTINGS:
        return dict(spec.keys)
    if spec.kind is Kind.DISCLOSURE or spec.record is None:
        return [spec] if spec.many else spec
    return [shape_of(spec.record)] if spec.kind is Kind.PARTS else shape_of(spec.record)


SHAPE = shape_of(Record)


def spec_at(path: str) -> FieldSpec:
    shape: Any = SHAPE
    for step in path.split("."):
        shape = shape[0] if step.isdigit() else shape[step]
    assert isinstance(shape, FieldSpec)
    return shape


def refuse_unknown(shape: Any, value: Any, path: str = "") -> None:
    """ValueError: a key that no record has. A new figure stays out until its rule of disclosure is decided."""
    if isinstance(shape, dict) and value is not None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{path}: a table is needed")
        for key in value:
            if key not in shape:
                raise ValueError(f"{path}{key}: not a key of a report (docs/report.md)")
            refuse_unknown(shape[key], value[key], f"{path}{key}.")
    elif isinstance(shape, list) and value is not None:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path}: a list is needed")
        for index, item in enumerate(value):
            refuse_unknown(shape[0], item, f"{path}{index}.")


@dataclass(frozen=True)
class Discloser:
    """Writes a report from an audit: what is rounded, to which base, and which cells are hidden."""

    audit: Mapping[str, Any]
    base: int
    suppressing: bool
    list_exempt: bool
    hidden: frozenset[str] = frozenset()

    def report(self) -> dict[str, Any]:
        """The whole audit, disclosed."""
        report: dict[str, Any] = self._written(SHAPE, self.audit, "")
        return report

    def _written(self, shape: Any, value: Any, path: str) -> Any:
        if value is None:
            return None
        if isinstance(shape, list):
            return [self._item(shape[0], item, f"{path}.{index}") for index, item in enumerate(value)]
        written: dict[str, Any] = {}
        for key in value:
            inner = f"{path}.{key}" if path else key
            spec = shape[key]
            written[key] = (
                self.write(spec, value, key, inner)
                if isinstance(spec, FieldSpec)
                else self._written(spec, value[key], inner)
            )
        if any(self.hides(f"{path}.{key}") for key in value):
            written["suppressed"] = True
        if self.hidden & {f"{path}.people", f"{path}.found", f"{path}.found.count"}:
            # Estimates are computed from counts, so they are hidden with them.
            written.update({key: None for key in value if isinstance(shape[key], FieldSpec) and is_figure(shape[key])})
        return written

    def _item(self, shape: Any, item: Any, path: str) -> Any:
        if isinstance(shape, FieldSpec):
            return self.write(shape, {"": item}, "", path)
        return self._written(shape, item, path)

    def write(self, spec: FieldSpec, row: Mapping[str, Any], key: str, path: str) -> Any:
        """One figure as published. ``row`` is the object of the audit that holds it under ``key``."""
        if spec.kind in OF_ROW:
            return OF_ROW[spec.kind](self, spec, row, key, path)
        return None if row[key] is None else OF_VALUE[spec.kind](self, spec, row[key], path)

    # -- what rounding leaves --------------------------------------------------------------------------------------

    def exact(self, spec: FieldSpec, path: str) -> bool:
        """Whether this count is published as it is, unless it is hidden."""
        return (
            self.base == 1 or (self.list_exempt and spec.composition) or (self.suppressing and bool(TABLES.match(path)))
        )

    def hides(self, path: str) -> bool:
        """Whether this count, or one of this list of counts, is hidden."""
        return path in self.hidden or any(
            name.startswith(f"{path}.") and name[len(path) + 1 :].isdigit() for name in self.hidden
        )

    def count(self, spec: FieldSpec, row: Mapping[str, Any], key: str, path: str) -> int | None:
        if row[key] is None or path in self.hidden:
            return None
        count = _whole(row[key], path)
        return count if self.exact(spec, path) else rounded(count, self.base)

    def interval(self, spec: FieldSpec, shown: int, path: str) -> tuple[int, int]:
        """The least and the largest count that this published one stands for."""
        return (shown, shown) if self.exact(spec, path) else stands_for(shown, self.base)

    def decoys_a_person(self) -> int:
        """No more than the agreed number: a list of few people gets 1,000 ÷ people decoys each, which would count
        them."""
        agreed = int((self.audit.get("parameters") or {}).get("decoys") or 20)
        people, made = self._people(), (self.audit.get("decoys") or {}).get("made") or 0
        return min(agreed, round(made / people)) if people else 0

    def decoys(self, count: float) -> int:
        """A number of decoys, in steps of the decoys of as many people as counts are rounded to."""
        made = self.audit["decoys"].get("made") or 0
        base = 1 if self.list_exempt else self.base
        return rounded(count * self._people() / made, base) * self.decoys_a_person() if made else 0

    def rate_asked(self) -> float:
        headline = self.audit.get("headline") or {}
        return float(headline.get("false_match_rate_asked") or 1.0)

    def _people(self) -> int:
        return int((self.audit.get("rosters") or {}).get("list_people") or 0)


def is_figure(spec: FieldSpec) -> bool:
    """Whether this is an expected or estimated number of people."""
    return spec.kind in (Kind.EXPECTED, Kind.ESTIMATE)


def _whole(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != math.floor(value):
        raise ValueError(f"{path}: a count is a whole number, 0 or more")
    return int(value)


def _finite(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{path}: not a number")
    return float(value)


# -- kinds that depend on the figures beside them ----------------------------------------------------------------------


def _format(*_: Any) -> str:
    return REPORT


def _disclosure(discloser: Discloser, *_: Any) -> dict[str, Any]:
    return {
        "base": discloser.base,
        "small_cells": "suppress" if discloser.suppressing else "round",
        "list_exempt": discloser.list_exempt,
    }


def _total(discloser: Discloser, *_: Any) -> int | None:
    return discloser.count(Headline.specs()["people"], discloser.audit["headline"], "people", EVERYONE)


def _proportion(discloser: Discloser, spec: FieldSpec, row: Mapping[str, Any], key: str, path: str) -> Any:
    """A share without a count of its own: in steps of as many people as counts are rounded to."""
    where, _, name = spec.whole.rpartition(".")
    whole = (discloser.audit[where] if where else row).get(name)
    whole_path = spec.whole if where else f"{path.rpartition('.')[0]}.{spec.whole}"
    if row[key] is None or whole is None or whole_path in discloser.hidden:
        return None
    base = discloser.base
    part, shown = rounded(_finite(row[key], path) * whole, base), rounded(whole, base)
    return share_between(stands_for(part, base), stands_for(shown, base), (part, shown))


def _bound(discloser: Discloser, spec: FieldSpec, row: Mapping[str, Any], key: str, path: str) -> int | None:
    """Rounded up, to one base at least and the published whole at most: a larger bound would narrow the whole down."""
    part: Any = discloser.audit
    for step in spec.whole.split(".")[:-1]:
        part = part[step]
    whole = discloser.count(spec_at(spec.whole), part, spec.whole.rpartition(".")[2], spec.whole)
    if row[key] is None or not whole:
        return None
    bound, base = _whole(row[key], path), discloser.base
    return min(whole, bound if base == 1 else base * max(1, -(-bound // base)))


def _share(discloser: Discloser, spec: FieldSpec, row: Mapping[str, Any], key: str, path: str) -> Any:
    """The share of two published counts, whatever the audit says."""
    shown, spans = [], []
    for name in (spec.part, spec.whole):
        count_path = f"{path.rpartition('.')[0]}.{name}"
        if spec_at(count_path).kind is Kind.TOTAL:
            count_path = EVERYONE
        count_spec = spec_at(count_path)
        count = discloser.count(count_spec, row, name, count_path)
        if count is None:
            return None
        shown.append(count)
        spans.append(discloser.interval(count_spec, count, count_path))
    return None if row[key] is None else share_between(spans[0], spans[1], (shown[0], shown[1]))


def _choice(discloser: Discloser, spec: FieldSpec, row: Mapping[str, Any], key: str, path: str) -> Any:
    """The other choice, which is not a figure about people; but a threshold is somebody's score."""
    value = row[key]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(discloser, spec, value, path)
    return (
        _similarity(discloser, spec, value, path)
        if "threshold" in str(row.get("what"))
        else round(_finite(value, path), 4)
    )


OF_ROW: dict[Kind, Callable[..., Any]] = {
    Kind.FORMAT: _format,
    Kind.DISCLOSURE: _disclosure,
    Kind.COUNT: Discloser.count,
    Kind.TOTAL: _total,
    Kind.PROPORTION: _proportion,
    Kind.SHARE: _share,
    Kind.BOUND: _bound,
    Kind.CHOICE: _choice,
}


# -- kinds that depend on their value alone ----------------------------------------------------------------------------


def _figure(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> Any:  # noqa: ARG001
    """An expected number of people, or an estimate of one."""
    if not isinstance(value, Mapping):
        return rounded(_finite(value, path), discloser.base)
    if value.keys() != {"value", "low", "high"}:
        raise ValueError(f"{path}: an estimate has value, low and high")
    return {key: None if end is None else rounded(_finite(end, path), discloser.base) for key, end in value.items()}


def _rate(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> float:  # noqa: ARG001
    """The smallest class at or above the rate. The rate asked for is a class, so that meeting it shows."""
    classes = sorted({*RATE_CLASSES, discloser.rate_asked()})
    return next(limit for limit in classes if min(1.0, _finite(value, path)) <= limit + 1e-12)


def _span(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> dict[str, float | None]:  # noqa: ARG001
    """A rate in whole per cents, 0 or 1 only if it is, and its interval outwards to steps of 5%.

    It says how people are written; of how many they are it says what is published (`pprl.judge.missed`).
    """
    if value.keys() != {"value", "low", "high"}:
        raise ValueError(f"{path}: an estimate has value, low and high")
    rate, low, high = (_finite(value[key], path) for key in ("value", "low", "high"))
    shown = rate if rate in (0, 1) else min(0.99, max(0.01, round(rate, 2)))
    ends = (round(whole(round(end / STEP, 9)) * STEP, 2) for whole, end in ((math.floor, low), (math.ceil, high)))
    return dict(zip(("value", "low", "high"), (shown, *ends), strict=True))


def _similarity(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> float:  # noqa: ARG001
    similarity = _finite(value, path)
    return similarity if discloser.base == 1 else round(round(similarity / STEP) * STEP, 2)


def _p_value(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> str:  # noqa: ARG001
    return next((f"<{limit}".replace("0.", ".") for limit in P_LIMITS if _finite(value, path) < limit), ">=.05")


def _decoy_count(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> int | None:  # noqa: ARG001
    """None where a number that is not 0 would be rounded to it."""
    count = _finite(value, path)
    shown = discloser.decoys(count)
    return None if count and not shown else shown


def _decoys_a_person(discloser: Discloser, *_: Any) -> int:
    return discloser.decoys_a_person()


def _number(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> Any:  # noqa: ARG001
    return value if isinstance(value, int) else _finite(value, path)


def _flag(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> bool:  # noqa: ARG001
    return bool(value)


def _text(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> str:  # noqa: ARG001
    pattern = spec.pattern or (CODE if spec.kind is not Kind.TEXT else "")
    if not pattern:
        return str(value)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(f"{path}: a report does not hold such a text")
    return value


def _codes(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> list[str]:
    return [_text(discloser, spec, code, path) for code in value]


def _warnings(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> list[str]:  # noqa: ARG001
    """Codes. Sentences hold counts, rows and headers: the report says only that there are any."""
    codes = [text for text in value if isinstance(text, str) and re.fullmatch(CODE, text)]
    return codes if len(codes) == len(value) else [*codes, SEE_AUDIT]


def _run(discloser: Discloser, spec: FieldSpec, value: Any, path: str) -> str | None:  # noqa: ARG001
    """The number of the run and what changed, without the share of cells that did."""
    run = re.sub(r" \(about [^)]*\)", "", str(value))
    return run if re.fullmatch(r"\d+ with this list(; changed since the last: [a-z ,()-]+)?", run) else None


OF_VALUE: dict[Kind, Callable[..., Any]] = {
    Kind.EXPECTED: _figure,
    Kind.ESTIMATE: _figure,
    Kind.RATE: _rate,
    Kind.SPAN: _span,
    Kind.SIMILARITY: _similarity,
    Kind.P_VALUE: _p_value,
    Kind.DECOY_COUNT: _decoy_count,
    Kind.DECOYS_A_PERSON: _decoys_a_person,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.TEXT: _text,
    Kind.CODES: _codes,
    Kind.RUN: _run,
    Kind.WARNINGS: _warnings,
}
