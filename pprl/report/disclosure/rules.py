"""What a report may hold and how each key of it is told: `SHAPE`, and the pen that writes by it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pprl.report.disclosure.rounding import rounded, share_between, stands_for

FORMAT = "pprl-report/1"
STEP = 0.05  # of scores: histogram, curve, thresholds
P_CLASSES = (0.001, 0.01, 0.05)
RATE_CLASSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SEE_AUDIT = "see_audit"  # stands for warnings that are texts


@dataclass(frozen=True)
class Pen:
    """How figures are written: the rule, what is hidden, and the audit that they come from."""

    audit: Mapping[str, Any]
    base: int
    suppressing: bool
    list_exempt: bool
    hidden: frozenset[str]

    def exact(self, kind: Kind, path: str) -> bool:
        """Whether this count is told as it is, unless it is hidden."""
        return self.base == 1 or (self.list_exempt and kind.own) or (self.suppressing and bool(_TABLED.match(path)))

    def count(self, kind: Kind, row: Mapping[str, Any], key: str, path: str) -> int | None:
        if row[key] is None or path in self.hidden:
            return None
        count = _whole(row[key], path)
        return count if self.exact(kind, path) else rounded(count, self.base)

    def interval(self, kind: Kind, shown: int, path: str) -> tuple[int, int]:
        return (shown, shown) if self.exact(kind, path) else stands_for(shown, self.base)

    def each(self) -> int:
        """Decoys a person: no more than the agreed number, since a list of few people gets 1,000 ÷ people instead."""
        asked = int((self.audit.get("parameters") or {}).get("decoys") or 20)
        people, made = self._people(), (self.audit.get("decoys") or {}).get("made") or 0
        return min(asked, round(made / people)) if people else 0

    def hides(self, path: str) -> bool:
        """Whether this count, or one of this list of counts, is hidden."""
        return path in self.hidden or any(
            name.startswith(f"{path}.") and name[len(path) + 1 :].isdigit() for name in self.hidden
        )

    def _people(self) -> int:
        return int((self.audit.get("rosters") or {}).get("list_people") or 0)

    def decoys(self, count: float) -> int:
        """A number of decoys in steps of as many people's decoys as counts are rounded to."""
        made = self.audit["decoys"].get("made") or 0
        people = self._people()
        base = 1 if self.list_exempt else self.base
        return rounded(count * people / made, base) * self.each() if made else 0

    def asked(self) -> float:
        headline = self.audit.get("headline") or {}
        return float(headline.get("false_match_rate_asked") or 1.0)


@dataclass(frozen=True)
class Kind:
    """How one key is told."""

    write: Callable[[Pen, Mapping[str, Any], str, str], Any]
    counts: bool = False
    own: bool = False  # of the list's own composition


def _whole(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != math.floor(value):
        raise ValueError(f"{path}: a count is a whole number, 0 or more")
    return int(value)


def _finite(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{path}: not a number")
    return float(value)


def _count(own: bool = False) -> Kind:
    def write(pen: Pen, row: Mapping[str, Any], key: str, path: str) -> int | None:
        return pen.count(OWN if own else COUNT, row, key, path)

    return Kind(write, counts=True, own=own)


def _if_given(write: Callable[[Pen, Any, str], Any]) -> Kind:
    return Kind(lambda pen, row, key, path: None if row[key] is None else write(pen, row[key], path))


def _text(pattern: str) -> Kind:
    def write(pen: Pen, value: Any, path: str) -> Any:  # noqa: ARG001
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"{path}: a report does not hold such a text")
        return value

    return _if_given(write)


def _codes(pen: Pen, value: Any, path: str) -> list[str]:
    return [CODE.write(pen, {"code": code}, "code", path) for code in value]


def _warnings(pen: Pen, value: Any, path: str) -> list[str]:  # noqa: ARG001
    """Codes; texts hold counts, rows and headers, so that there are any is all that is said of them."""
    codes = [text for text in value if isinstance(text, str) and re.fullmatch(_CODE, text)]
    return codes if len(codes) == len(value) else [*codes, SEE_AUDIT]


def _run(pen: Pen, value: Any, path: str) -> str | None:  # noqa: ARG001
    """The number of the run; what changed only without the share of cells that did."""
    said = re.sub(r" \(about [^)]*\)", "", str(value))
    return said if re.fullmatch(r"\d+ with this list(; changed since the last: [a-z ,()-]+)?", said) else None


def _figure(pen: Pen, value: Any, path: str) -> Any:
    """An expected number of people, or an estimate of one."""
    if not isinstance(value, Mapping):
        return rounded(_finite(value, path), pen.base)
    if value.keys() != {"value", "low", "high"}:
        raise ValueError(f"{path}: an estimate has value, low and high")
    return {key: None if end is None else rounded(_finite(end, path), pen.base) for key, end in value.items()}


def _p(pen: Pen, value: Any, path: str) -> str:  # noqa: ARG001
    return next((f"<{limit}".replace("0.", ".") for limit in P_CLASSES if _finite(value, path) < limit), ">=.05")


def _rate(pen: Pen, value: Any, path: str) -> float:
    """The least class at or above it; the rate asked is one, so that a rate that met it is seen to."""
    classes = sorted({*RATE_CLASSES, pen.asked()})
    return next(limit for limit in classes if min(1.0, _finite(value, path)) <= limit + 1e-12)


def _score(pen: Pen, value: Any, path: str) -> float:
    return _finite(value, path) if pen.base == 1 else round(round(_finite(value, path) / STEP) * STEP, 2)


def _share_of(of: str) -> Kind:
    """A share without a count of its own: in steps of ``base`` people of ``of``, "headline.people" or a key beside."""

    def write(pen: Pen, row: Mapping[str, Any], key: str, path: str) -> Any:
        where, _, name = of.rpartition(".")
        whole = (pen.audit[where] if where else row).get(name)
        if row[key] is None or whole is None or (of if where else f"{path.rpartition('.')[0]}.{of}") in pen.hidden:
            return None
        part, base = rounded(_finite(row[key], path) * whole, pen.base), pen.base
        shown = rounded(whole, base)
        return share_between(stands_for(part, base), stands_for(shown, base), (part, shown))

    return Kind(write)


def _share_from(part: str, whole: str) -> Kind:
    """The share of two published counts, whatever the audit says."""

    def write(pen: Pen, row: Mapping[str, Any], key: str, path: str) -> Any:
        above = path.rpartition(".")[0]
        shown, spans = [], []
        for name in (part, whole):
            at, kind = f"{above}.{name}", kind_at(f"{above}.{name}")
            if kind is OF:
                at, kind = "headline.people", OWN
            count = pen.count(kind, row, name, at)
            if count is None:
                return None
            shown.append(count)
            spans.append(pen.interval(kind, count, at))
        return None if row[key] is None else share_between(spans[0], spans[1], (shown[0], shown[1]))

    return Kind(write)


def _of(pen: Pen, row: Mapping[str, Any], key: str, path: str) -> int | None:  # noqa: ARG001
    return pen.count(OWN, pen.audit["headline"], "people", "headline.people")


def _value(pen: Pen, row: Mapping[str, Any], key: str, path: str) -> Any:
    """The other choice itself, which is no figure; but a threshold is somebody's score."""
    value = row[key]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return CODE.write(pen, row, key, path)
    return _score(pen, value, path) if "threshold" in str(row.get("what")) else round(_finite(value, path), 4)


_CODE = r"[a-z_]+"
CODE, HEX, DAY = _text(_CODE), _text(r"[0-9a-f]{0,64}"), _text(r"\d{4}-\d\d-\d\d")
CLASS = _text(r"[^\W\d]+(?:[ ,·-]+[^\W\d]+)*")  # a class of rows is named in words
FIELD, LABEL = _text(r"\w+"), Kind(lambda pen, row, key, path: None if row[key] is None else str(row[key]))  # noqa: ARG005
NUMBER = _if_given(lambda pen, value, path: value if isinstance(value, int) else _finite(value, path))  # noqa: ARG005
FLAG = _if_given(lambda pen, value, path: bool(value))  # noqa: ARG005
COUNT, OWN, OF = _count(), _count(own=True), Kind(_of)
FIGURE, P = _if_given(_figure), _if_given(_p)
RATE, SCORE = _if_given(_rate), _if_given(_score)
DECOYS = _if_given(lambda pen, value, path: value if isinstance(value, bool) else pen.decoys(_finite(value, path)))
PEOPLE_SHARE = _share_of("headline.people")
GROUP = {"people": OWN, "found": COUNT, "net_found": FIGURE, "expected": FIGURE}

#: Everything that a report may hold (docs/report.md), and how it is told.
SHAPE: dict[str, Any] = {
    "format": Kind(lambda *_: FORMAT),
    "version": _text(r"\d+(\.\w+)*"),
    "matter": LABEL,
    "disclosure": Kind(
        lambda pen, *_: {
            "base": pen.base,
            "small_cells": "suppress" if pen.suppressing else "round",
            "list_exempt": pen.list_exempt,
        }
    ),
    "verdict": {"rung": NUMBER, "code": CODE, "reasons": _if_given(_codes)},
    "headline": {
        "people": OWN,
        "found": {"count": COUNT, "of": OF, "share": _share_from("count", "of")},
        "net_found": FIGURE,
        "expected_by_chance": FIGURE,
        "false_match_rate": RATE,
        "false_match_rate_asked": NUMBER,
        "p": P,
        "p_harsh": P,
        "fewest_findable": FIGURE,
        "matchable_share": PEOPLE_SHARE,
        "auc": PEOPLE_SHARE,
        "ambiguous": COUNT,
        "threshold": SCORE,
    },
    "rosters": {
        "list_rows": OWN,
        "list_people": OWN,
        "duplicates": OWN,
        "registry_rows": COUNT,
        "registry_encoded": COUNT,
        "lists": [{"people": OWN, "found": COUNT}],
    },
    "scores": {"edges": [NUMBER], "real": [COUNT], "decoys": [FIGURE]},
    "rates": [{"threshold": SCORE, "found": COUNT, "false_match_rate": RATE}],
    "strata": [
        {"field": FIELD, "values": [{"label": LABEL, "rest": FLAG, "people": OWN, "found": COUNT, "net_found": FIGURE}]}
    ],
    "confirm": [
        {
            "field": FIELD,
            "compared": COUNT,
            "agree": COUNT,
            "share": _share_from("agree", "compared"),
            "chance": _share_of("compared"),
            "p": P,
            "higher": COUNT,
            "lower": COUNT,
        }
    ],
    "eligibility": {
        "registry_as_of": DAY,
        "eligible": GROUP,
        "unknown": GROUP,
        "ineligible": {**GROUP, "p": P, "flat": FLAG},
    },
    "controls": {"people": OWN, "found": COUNT, "expected": FIGURE, "p": P, "flat": FLAG},
    "copy_check": {
        "pairs": COUNT,
        "identical": COUNT,
        "share": _share_from("identical", "pairs"),
        "natural": FLAG,
        "rank_drift": _share_of("pairs"),
    },
    "decoys": {
        "made": DECOYS,
        "a_person": _if_given(lambda pen, value, path: pen.each()),  # noqa: ARG005
        "fallbacks": DECOYS,
        "harsh": DECOYS,
        "auc_weight": PEOPLE_SHARE,
        "auc_similarity": PEOPLE_SHARE,
        "sound": FLAG,
    },
    "sensitivity": [{"what": CODE, "value": Kind(_value), "found": COUNT, "net_found": FIGURE}],
    "completeness": [
        {"name": CLASS, "people": OWN, "found": COUNT, "threshold": SCORE, "matchable_share": _share_of("people")}
    ],
    "parameters": {
        "hardening": NUMBER,
        "length": NUMBER,
        "decoys": NUMBER,
        "false_match_rate": NUMBER,
        "kernel": CODE,
        "partner_rule": CODE,
        "secret": FLAG,
        "registry_public_before_list": CODE,
    },
    "fingerprints": {"schema": HEX, "folding": HEX},
    "run": _if_given(_run),
    "warnings": _if_given(_warnings),
}
#: Tables whose counts are exact where small cells are suppressed, with their margins.
_TABLED = re.compile(
    r"strata\.|rosters\.(lists\.|list_people$)|confirm\.|eligibility\.|headline\.(people|found\.count)$"
)


def kind_at(path: str) -> Any:
    shape: Any = SHAPE
    for part in path.split("."):
        shape = shape[0] if part.isdigit() else shape[part]
    return shape


def refuse_unknown(shape: Any, value: Any, path: str) -> None:
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
        for at, one in enumerate(value):
            refuse_unknown(shape[0], one, f"{path}{at}.")


def tell(pen: Pen, shape: Any, value: Any, path: str) -> Any:
    if value is None:
        return None
    if isinstance(shape, list):
        if isinstance(shape[0], Kind):
            return [shape[0].write(pen, {"": one}, "", f"{path}.{at}") for at, one in enumerate(value)]
        return [tell(pen, shape[0], one, f"{path}.{at}") for at, one in enumerate(value)]
    told: dict[str, Any] = {}
    for key in value:
        at = f"{path}.{key}" if path else key
        kind = shape[key]
        told[key] = kind.write(pen, value, key, at) if isinstance(kind, Kind) else tell(pen, kind, value[key], at)
    if any(pen.hides(f"{path}.{key}") for key in value):
        told["suppressed"] = True
    if pen.hidden & {f"{path}.people", f"{path}.found", f"{path}.found.count"}:
        told.update({key: None for key in value if shape[key] is FIGURE})  # they are counts less something
    return told
