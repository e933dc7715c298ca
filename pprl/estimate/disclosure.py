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

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

FORMAT = "pprl-report/1"
STEP = 0.05  # of scores: histogram, curve, thresholds
P_CLASSES = (0.001, 0.01, 0.05)
RATE_CLASSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SEE_AUDIT = "see_audit"  # stands for warnings that are texts
_SLACK = 1e-6


# ---------------------------------------------------------------- rounding


def rounded(figure: float, base: int) -> int:
    """The nearest multiple of base, halves towards 0.

    Every published multiple then stands for exactly ``base`` counts, and 0 for ⌊base/2⌋ + 1, so never for one alone.
    Halves away from 0 would make 0 stand for 0 only at base 2, and halves to even would make every other multiple
    stand for ``base − 1``.

    >>> [rounded(count, 5) for count in (2, 3, 7, 8)], [rounded(count, 10) for count in (5, 6, 15)]
    ([0, 5, 5, 10], [0, 10, 10])
    """
    return int(math.copysign(base * math.ceil(round(abs(figure) / base - 0.5, 9)), figure))


def stands_for(published: int, base: int) -> tuple[int, int]:
    """The least and the largest count that are rounded to this one.

    >>> stands_for(0, 5), stands_for(10, 5), stands_for(10, 10)
    ((0, 2), (8, 12), (6, 15))
    """
    return max(0, published - (base - 1) // 2), published + base // 2


def share_between(count: tuple[int, int], of: tuple[int, int], shown: tuple[int, int]) -> Any:
    """A share of published counts; at its ends a bound, ``{"at_most": s}`` or ``{"at_least": s}``.

    ``shown`` are the two published counts, the others what they stand for. None where nobody is shown.
    """
    part, whole = shown
    if whole <= 0:
        return None
    share = round(part / whole, 3)
    if count[0] == count[1] and of[0] == of[1]:
        return share  # both are exact, and meant to be
    if share <= 0:
        return {"at_most": min(1.0, math.ceil(1000 * count[1] / max(1, of[0])) / 1000)}
    if share >= 1:
        return {"at_least": math.floor(1000 * min(1.0, count[0] / of[1])) / 1000}
    return share


# ---------------------------------------------------------------- suppression


def suppress(table: ArrayLike, threshold: int, *, open_rows: bool = False) -> NDArray[np.bool_]:
    """Which cells and margins of a table to hide, so that none below the threshold can be told from the others.

    ``table`` holds counts, shape (r,) or (r, c); the answer has shape (r + 1,) or (r + 1, c + 1), True for hidden, the
    last row and column for the margins. Hidden are all cells below ``threshold`` (a 0 says that nobody is, which is as
    telling as a 1), and as many others as it takes: for each hidden cell the least and the largest value that fits the
    published cells, all cells ≥ 0, is found by linear programming, and while they differ by less than the threshold
    one more cell is hidden: of a line (row or column) where only one is hidden, in as many such lines as possible, and
    the smallest of these; without such a line the smallest beside the cell; the grand total last. The constraints of a
    two-way table with margins are totally unimodular, so whole numbers attain these bounds. Deterministic.

    With ``open_rows`` the row totals are told whatever they are, and a hidden cell need only be as unsure as they
    leave it.

    Cox (1980), Suppression methodology and statistical disclosure control, JASA 75, 377–385; Fischetti & Salazar
    (2001), Solving the cell suppression problem on tabular data with linear constraints, Management Science 47,
    1008–1027 (they minimise what is hidden; here one cell after another is taken); Hundepool et al. (2012),
    Statistical Disclosure Control, ch. 4.

    ValueError: not one or two dimensions, an empty table, or counts that are no whole numbers ≥ 0.

    >>> suppress([3, 50, 80], 5).tolist()
    [True, True, False, False]
    """
    counts = np.asarray(table)
    if counts.ndim not in (1, 2) or not counts.size:
        raise ValueError("a table of one or two dimensions is needed")
    if counts.min() < 0 or (counts != np.floor(counts)).any():
        raise ValueError("counts are whole numbers, 0 or more")
    whole = counts.astype(np.int64)
    for axis in range(counts.ndim):
        whole = np.concatenate([whole, whole.sum(axis=axis, keepdims=True)], axis=axis)
    place = np.arange(whole.size).reshape(whole.shape)
    equations = [place] if whole.ndim == 1 else [*place, *place.T]  # the last of each is the sum of the others
    values, total = whole.ravel(), whole.size - 1
    needed = np.full(whole.size, threshold)
    kept: set[int] = set()
    if open_rows and whole.ndim == 2:
        kept = set(place[:, -1].tolist())
        needed = np.minimum(threshold, np.repeat(whole[:, -1], whole.shape[1]))
    hidden = {at for at in range(whole.size) if values[at] < threshold and at not in kept}
    lines: list[set[int]] = [set(np.ravel(equation).tolist()) for equation in equations]
    while (at := _too_sure(values, equations, sorted(hidden), needed)) is not None:
        alone = [
            line for line in lines if len(line & hidden) == 1
        ]  # one hidden cell of a line is its total less the rest
        beside = set().union(*(alone or [line for line in lines if at in line]))
        free = set(range(whole.size)) - hidden - kept
        candidates = (beside & free) - {total} or free - {total} or free
        if not candidates:
            break  # all is hidden that may be
        settled = {cell: sum(cell in line for line in alone) for cell in candidates}
        hidden.add(min(candidates, key=lambda cell: (-settled[cell], values[cell], cell)))
    mask = np.zeros(whole.size, dtype=np.bool_)
    mask[sorted(hidden)] = True
    return mask.reshape(whole.shape)


def _too_sure(
    values: NDArray[np.int64], equations: list[NDArray[np.int64]], hidden: list[int], needed: NDArray[np.int64]
) -> int | None:
    """The first hidden cell whose feasible interval is narrower than needed."""
    column = {cell: at for at, cell in enumerate(hidden)}
    rows, right = [], []
    for equation in equations:
        row, known = np.zeros(len(hidden)), 0.0
        for sign, cells in ((1, equation[:-1]), (-1, equation[-1:])):
            for cell in cells.tolist():
                if cell in column:
                    row[column[cell]] += sign
                else:
                    known += sign * float(values[cell])
        if row.any():
            rows.append(row)
            right.append(-known)
    for cell in hidden:
        ends = []
        for sign in (1, -1):
            aim = np.zeros(len(hidden))
            aim[column[cell]] = sign
            result = linprog(aim, A_eq=np.array(rows), b_eq=right, bounds=(0, None)) if rows else None
            ends.append(math.inf if result is None or result.fun is None else abs(float(result.fun)))  # unbounded
        if ends[1] - ends[0] < needed[cell] - _SLACK:
            return cell
    return None


# ---------------------------------------------------------------- the shape of a report


@dataclass(frozen=True)
class _Pen:
    """How figures are written: the rule, what is hidden, and the audit that they come from."""

    audit: Mapping[str, Any]
    base: int
    suppressing: bool
    list_exempt: bool
    hidden: frozenset[str]

    def exact(self, kind: _Kind, path: str) -> bool:
        """Whether this count is told as it is, unless it is hidden."""
        return self.base == 1 or (self.list_exempt and kind.own) or (self.suppressing and bool(_TABLED.match(path)))

    def count(self, kind: _Kind, row: Mapping[str, Any], key: str, path: str) -> int | None:
        if row[key] is None or path in self.hidden:
            return None
        count = _whole(row[key], path)
        return count if self.exact(kind, path) else rounded(count, self.base)

    def interval(self, kind: _Kind, shown: int, path: str) -> tuple[int, int]:
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
class _Kind:
    """How one key is told."""

    write: Callable[[_Pen, Mapping[str, Any], str, str], Any]
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


def _count(own: bool = False) -> _Kind:
    def write(pen: _Pen, row: Mapping[str, Any], key: str, path: str) -> int | None:
        return pen.count(OWN if own else COUNT, row, key, path)

    return _Kind(write, counts=True, own=own)


def _if_given(write: Callable[[_Pen, Any, str], Any]) -> _Kind:
    return _Kind(lambda pen, row, key, path: None if row[key] is None else write(pen, row[key], path))


def _text(pattern: str) -> _Kind:
    def write(pen: _Pen, value: Any, path: str) -> Any:  # noqa: ARG001
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"{path}: a report does not hold such a text")
        return value

    return _if_given(write)


def _codes(pen: _Pen, value: Any, path: str) -> list[str]:
    return [CODE.write(pen, {"code": code}, "code", path) for code in value]


def _warnings(pen: _Pen, value: Any, path: str) -> list[str]:  # noqa: ARG001
    """Codes; texts hold counts, rows and headers, so that there are any is all that is said of them."""
    codes = [text for text in value if isinstance(text, str) and re.fullmatch(_CODE, text)]
    return codes if len(codes) == len(value) else [*codes, SEE_AUDIT]


def _run(pen: _Pen, value: Any, path: str) -> str | None:  # noqa: ARG001
    """The number of the run; what changed only without the share of cells that did."""
    said = re.sub(r" \(about [^)]*\)", "", str(value))
    return said if re.fullmatch(r"\d+ with this list(; changed since the last: [a-z ,()-]+)?", said) else None


def _figure(pen: _Pen, value: Any, path: str) -> Any:
    """An expected number of people, or an estimate of one."""
    if not isinstance(value, Mapping):
        return rounded(_finite(value, path), pen.base)
    if value.keys() != {"value", "low", "high"}:
        raise ValueError(f"{path}: an estimate has value, low and high")
    return {key: None if end is None else rounded(_finite(end, path), pen.base) for key, end in value.items()}


def _p(pen: _Pen, value: Any, path: str) -> str:  # noqa: ARG001
    return next((f"<{limit}".replace("0.", ".") for limit in P_CLASSES if _finite(value, path) < limit), ">=.05")


def _rate(pen: _Pen, value: Any, path: str) -> float:
    """The least class at or above it; the rate asked is one, so that a rate that met it is seen to."""
    classes = sorted({*RATE_CLASSES, pen.asked()})
    return next(limit for limit in classes if min(1.0, _finite(value, path)) <= limit + 1e-12)


def _score(pen: _Pen, value: Any, path: str) -> float:
    return _finite(value, path) if pen.base == 1 else round(round(_finite(value, path) / STEP) * STEP, 2)


def _share_of(of: str) -> _Kind:
    """A share without a count of its own: in steps of ``base`` people of ``of``, "headline.people" or a key beside."""

    def write(pen: _Pen, row: Mapping[str, Any], key: str, path: str) -> Any:
        where, _, name = of.rpartition(".")
        whole = (pen.audit[where] if where else row).get(name)
        if row[key] is None or whole is None or (of if where else f"{path.rpartition('.')[0]}.{of}") in pen.hidden:
            return None
        part, base = rounded(_finite(row[key], path) * whole, pen.base), pen.base
        shown = rounded(whole, base)
        return share_between(stands_for(part, base), stands_for(shown, base), (part, shown))

    return _Kind(write)


def _share_from(part: str, whole: str) -> _Kind:
    """The share of two published counts, whatever the audit says."""

    def write(pen: _Pen, row: Mapping[str, Any], key: str, path: str) -> Any:
        above = path.rpartition(".")[0]
        shown, spans = [], []
        for name in (part, whole):
            at, kind = f"{above}.{name}", _kind(f"{above}.{name}")
            if kind is OF:
                at, kind = "headline.people", OWN
            count = pen.count(kind, row, name, at)
            if count is None:
                return None
            shown.append(count)
            spans.append(pen.interval(kind, count, at))
        return None if row[key] is None else share_between(spans[0], spans[1], (shown[0], shown[1]))

    return _Kind(write)


def _of(pen: _Pen, row: Mapping[str, Any], key: str, path: str) -> int | None:  # noqa: ARG001
    return pen.count(OWN, pen.audit["headline"], "people", "headline.people")


def _value(pen: _Pen, row: Mapping[str, Any], key: str, path: str) -> Any:
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
FIELD, LABEL = _text(r"\w+"), _Kind(lambda pen, row, key, path: None if row[key] is None else str(row[key]))  # noqa: ARG005
NUMBER = _if_given(lambda pen, value, path: value if isinstance(value, int) else _finite(value, path))  # noqa: ARG005
FLAG = _if_given(lambda pen, value, path: bool(value))  # noqa: ARG005
COUNT, OWN, OF = _count(), _count(own=True), _Kind(_of)
FIGURE, P = _if_given(_figure), _if_given(_p)
RATE, SCORE = _if_given(_rate), _if_given(_score)
DECOYS = _if_given(lambda pen, value, path: value if isinstance(value, bool) else pen.decoys(_finite(value, path)))
PEOPLE_SHARE = _share_of("headline.people")
GROUP = {"people": OWN, "found": COUNT, "net_found": FIGURE, "expected": FIGURE}

#: Everything that a report may hold (docs/report.md), and how it is told.
SHAPE: dict[str, Any] = {
    "format": _Kind(lambda *_: FORMAT),
    "version": _text(r"\d+(\.\w+)*"),
    "matter": LABEL,
    "disclosure": _Kind(
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
    "sensitivity": [{"what": CODE, "value": _Kind(_value), "found": COUNT, "net_found": FIGURE}],
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


#: The whole of every table: suppressed last, since a report without them says nothing.
_MARGINS = ("headline.people", "headline.found.count", "rosters.list_people")


def _kind(path: str) -> Any:
    shape: Any = SHAPE
    for part in path.split("."):
        shape = shape[0] if part.isdigit() else shape[part]
    return shape


# ---------------------------------------------------------------- audit to report


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
    _refuse_unknown(SHAPE, audit, "")
    suppressing = small_cells == "suppress" and base > 1
    whole = _prepared(audit, base, suppressing, list_exempt)
    known = _values(whole)
    sums = [one for one in _relations(whole) if one.holds(known)]
    hidden = set(_small(whole, base, list_exempt)) if suppressing else set()
    at_once = 1
    while True:
        pen = _Pen(whole, base, suppressing, list_exempt, frozenset(hidden))
        report: dict[str, Any] = _write(pen, SHAPE, whole, "")
        found = _exposed(report, sums, known)
        if not found:
            histogram = any(name.startswith("scores.real.") for name in hidden)
            return {**report, "scores": None} if histogram else report
        # One may settle the others; where it does not, twice as many each time, so that this ends soon.
        reading, before = _Reading(report), len(hidden)
        for name in found[:at_once]:
            hidden |= _to_hide(name, reading, sums, hidden)
        if any(name.startswith("scores.real.") for name in hidden):  # a histogram is told whole or not at all
            hidden |= {name for name in reading.cells if name.startswith("scores.real.")}
        assert len(hidden) > before, "all is suppressed and still something is given away"
        at_once *= 2


def contradictions(audit: Mapping[str, Any]) -> list[str]:
    """Sums of docs/report.md that do not hold in an audit; `disclose` takes them for unknown to its readers."""
    known = _values(audit)
    relations = [one for one in _relations(audit) if one.terms.keys() <= known.keys()]
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
    return _exposed(report, _relations(report))


def _refuse_unknown(shape: Any, value: Any, path: str) -> None:
    if isinstance(shape, dict) and value is not None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{path}: a table is needed")
        for key in value:
            if key not in shape:
                raise ValueError(f"{path}{key}: not a key of a report (docs/report.md)")
            _refuse_unknown(shape[key], value[key], f"{path}{key}.")
    elif isinstance(shape, list) and value is not None:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path}: a list is needed")
        for at, one in enumerate(value):
            _refuse_unknown(shape[0], one, f"{path}{at}.")


def _write(pen: _Pen, shape: Any, value: Any, path: str) -> Any:
    if value is None:
        return None
    if isinstance(shape, list):
        if isinstance(shape[0], _Kind):
            return [shape[0].write(pen, {"": one}, "", f"{path}.{at}") for at, one in enumerate(value)]
        return [_write(pen, shape[0], one, f"{path}.{at}") for at, one in enumerate(value)]
    told: dict[str, Any] = {}
    for key in value:
        at = f"{path}.{key}" if path else key
        kind = shape[key]
        told[key] = kind.write(pen, value, key, at) if isinstance(kind, _Kind) else _write(pen, kind, value[key], at)
    if any(pen.hides(f"{path}.{key}") for key in value):
        told["suppressed"] = True
    if pen.hidden & {f"{path}.people", f"{path}.found", f"{path}.found.count"}:
        told.update({key: None for key in value if shape[key] is FIGURE})  # they are counts less something
    return told


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
    if len(edges) < 2 or edges.min() < -_SLACK or edges.max() > 1 + _SLACK or (np.diff(edges) <= 0).any():
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


# ---------------------------------------------------------------- what a report gives away


@dataclass(frozen=True)
class _Relation:
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
        return self.low - _SLACK <= total <= self.high + _SLACK


@dataclass(frozen=True)
class _Cell:
    """What a published count alone says: it lies from low to high. ``needed`` values must stay possible."""

    low: float
    high: float
    needed: int
    shown: int | None
    kind: _Kind


def _leaves(shape: Any, value: Any, path: str, gone: bool) -> Iterator[tuple[str, _Kind, Any, bool]]:
    """Each figure of a report or audit: its place, kind and value, and whether a count beside it is suppressed."""
    if isinstance(shape, _Kind):
        yield path, shape, value, gone
    elif isinstance(shape, dict) and value:
        for key in value.keys() & shape.keys():
            yield from _leaves(shape[key], value[key], f"{path}.{key}" if path else key, bool(value.get("suppressed")))
    elif isinstance(shape, list) and value:
        for at, one in enumerate(value):
            yield from _leaves(shape[0], one, f"{path}.{at}", gone)


def _estimated(path: str) -> bool:
    return path.endswith(".net_found") or path.startswith("scores.decoys.")


def _values(audit: Mapping[str, Any]) -> dict[str, float]:
    """Exact counts and net estimates by their place."""
    values = {}
    for path, kind, value, _ in _leaves(SHAPE, audit, "", False):
        figure = value.get("value") if isinstance(value, Mapping) else value
        if (kind.counts or _estimated(path)) and figure is not None:
            values[path] = float(figure)
    return values


class _Reading:
    """A report as whoever tries to undo it reads it: the cells, and what each alone says."""

    def __init__(self, report: Mapping[str, Any]) -> None:
        rule = report.get("disclosure") or {}
        if not rule.get("base"):
            raise ValueError("disclosure.base: a report says what its counts are rounded to")
        self.base = int(rule["base"])
        self.pen = _Pen(
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

    def _cell(self, path: str, kind: _Kind, shown: int | None) -> _Cell:
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


def _relations(doc: Mapping[str, Any]) -> list[_Relation]:
    """What holds between the counts of every report and audit, as docs/report.md says.

    Sums that hold only by chance, such as those with groups of nobody, are no knowledge of a reader's.
    """
    out: list[_Relation] = []

    def total(name: str, parts: Iterable[str], wholes: Iterable[str], slack: float = 0) -> None:
        terms = dict.fromkeys(parts, 1.0) | dict.fromkeys(wholes, -1.0)
        out.append(_Relation(name, terms, -slack, slack))

    def within(part: str, whole: str) -> None:
        out.append(_Relation(f"{part} within {whole}", {whole: 1.0, part: -1.0}, 0, math.inf, part, whole))

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
    out.append(_Relation("people and duplicates within rows", rows, 0, math.inf))

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
        out.append(_Relation(f"{above}.net_found", {whole: 1.0, f"{above}.net_found": -1.0}, -1, math.inf))

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


def _figures(reading: _Reading) -> Iterator[_Relation]:
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
        yield _Relation(f"{above}.share", {part: 1.0, whole: -low}, 0, math.inf)
        yield _Relation(f"{above}.share", {part: 1.0, whole: -high}, -math.inf, 0)
    headline = report.get("headline") or {}
    rate = headline.get("false_match_rate")
    if rate is not None and {"headline.net_found", "headline.found.count"} <= cells.keys():
        classes = sorted({0.0, *RATE_CLASSES, float(headline.get("false_match_rate_asked") or 1.0)})
        low, high = (classes[classes.index(rate) - 1], rate) if rate in classes[1:] else _bounds_of(rate)
        net, found = "headline.net_found", "headline.found.count"
        yield _Relation("headline.false_match_rate", {found: 1 - low, net: -1.0}, -1, math.inf)
        yield _Relation("headline.false_match_rate", {found: 1 - high, net: -1.0}, -math.inf, 1)


def _bounds_of(share: Any) -> tuple[float, float]:
    """From where to where a printed number may have been rounded."""
    if isinstance(share, Mapping):
        return float(share.get("at_least", 0.0)), float(share.get("at_most", 1.0))
    half = 0.5 * 10.0 ** -max(1, len(repr(float(share)).partition(".")[2]))
    return float(share) - half, float(share) + half


def _exposed(
    report: Mapping[str, Any], sums: Iterable[_Relation], known: Mapping[str, float] | None = None
) -> list[str]:
    """`exposed`, with these relations; with exact values ``known`` only what is true of them is read off figures."""
    reading = _Reading(report)
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


def _counted(one: _Relation) -> bool:
    """Whether what is left of this whole is a group of people that somebody could be counted in."""
    return one.part.endswith((".found", "found.count", ".agree", ".identical")) and not one.part.startswith(
        ("rates.", "sensitivity.")
    )


class _Box:
    """All exact counts that fit: whole numbers within the cells' intervals that satisfy the relations."""

    def __init__(self, cells: Mapping[str, _Cell], relations: list[_Relation]) -> None:
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
        if max(seen) - min(seen) + 1 >= needed - _SLACK:
            return False
        least, most = self._corner(row), self._corner(-row)
        return most - least + 1 < (needed if least < large[0] - _SLACK else min(needed, large[1])) - _SLACK

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


def _to_hide(name: str, reading: _Reading, sums: Iterable[_Relation], hidden: set[str]) -> set[str]:
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
