"""Everything that was found out, exact, in the shape of docs/report.md: the audit, of which the report is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import pprl
from pprl.core.private_rows import CLASS_NAMES, UNKNOWN, Label, PrivateRows, RecordKind
from pprl.core.scores import Scores
from pprl.judge import diagnostics
from pprl.judge.assignment import NONE
from pprl.judge.cohort import Case
from pprl.judge.error_rates import MIN_DECOYS
from pprl.judge.matches import RULES, ClassFinding, Finding, Meeting, absent_weights, find, meet

if TYPE_CHECKING:
    from pprl.judge.assessment import Assessment

FORMAT = "pprl-audit/1"
PARTNER_RULE = RULES[0]
SMALLEST_STRATUM = 20
BINS = tuple(round(0.05 * at, 2) for at in range(21))

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What was found out on the way and stands in the audit."""

    finding: Finding
    p_harsh: float | None
    confirm: list[diagnostics.Agreement]
    copied: diagnostics.CopyCheck
    controls: diagnostics.Absent | None
    ineligible: diagnostics.Absent | None
    sound: diagnostics.Soundness | None
    strata: tuple[Label, ...]
    groups: list[Ints]
    ranges: list[tuple[float, float]]


def exact(told: Assessment, case: Case, known: Known | None, rows: PrivateRows, scores: Scores) -> dict[str, Any]:
    """The audit as plain values for JSON."""
    finding = known.finding if known else None
    return {
        "format": FORMAT,
        "version": pprl.__version__,
        "matter": rows.policy.title,
        "disclosure": {"base": 1},
        "verdict": {"rung": told.verdict.rung, "code": told.verdict.code, "reasons": list(told.verdict.reasons)},
        "headline": {
            "people": told.people,
            "found": _share(told.found, told.people),
            "net_found": _estimate(told.net_found),
            "expected_by_chance": told.expected_by_chance,
            "false_match_rate": told.false_match_rate,
            "false_match_rate_asked": told.false_match_rate_asked,
            "p": told.p_value,
            "p_harsh": known.p_harsh if known else None,
            "fewest_findable": told.fewest_findable,
            "matchable_share": told.matchable_share,
            "auc": round(diagnostics.auc(case.real.best(), case.decoys.best()), 4) if finding else None,
            "ambiguous": told.ambiguous,
            "threshold": told.threshold,
        },
        "rosters": {
            "list_rows": told.list_rows,
            "list_people": told.list_encoded,
            "duplicates": max(0, told.list_rows - told.list_encoded),
            "registry_rows": told.registry_rows,
            "registry_encoded": told.registry_encoded,
            "lists": [] if case.left_out else [{"people": people, "found": found} for people, found in told.lists],
        },
        "scores": _histogram(case) if finding and not case.left_out else None,
        "rates": _rates(finding) if finding else [],
        "strata": _strata(known, case.left_out) if known else [],
        "confirm": [
            {
                **asdict(each),
                "chance": each.chance,
                "share": round(each.agree / each.compared, 4) if each.compared else None,
            }
            for each in (known.confirm if known else [])
        ],
        "eligibility": _eligibility(case, known, rows) if case.unknown is not None else None,
        "controls": _absent(known.controls) if known and known.controls else None,
        "copy_check": {
            **asdict(known.copied),
            "share": round(known.copied.identical / known.copied.pairs, 4) if known.copied.pairs else None,
        }
        if known
        else None,
        "decoys": {
            "made": len(rows.of_kind(RecordKind.DECOY)),
            "a_person": round(len(rows.of_kind(RecordKind.DECOY)) / max(1, told.list_encoded), 1),
            "fallbacks": rows.fallbacks,
            "harsh": len(rows.of_kind(RecordKind.RELATIVE)),
            "auc_weight": known.sound.auc_weight if known and known.sound else None,
            "auc_similarity": known.sound.auc_similarity if known and known.sound else None,
            "sound": known.sound.sound if known and known.sound else None,
        },
        "sensitivity": _sensitivity(case, finding.meeting) if finding else [],
        "completeness": [_class(each, finding, rows, case) for each in finding.classes] + _not_judged(case)
        if finding
        else [],
        "parameters": {
            "hardening": told.hardening,
            "length": scores.parameters.length,
            "decoys": round(len(case.decoys) / max(1, told.people)),
            "false_match_rate": told.false_match_rate_asked,
            "kernel": told.kernel,
            "partner_rule": PARTNER_RULE,
            "secret": not told.repeatable,
            "registry_public_before_list": rows.policy.public,
        },
        "fingerprints": {"schema": scores.parameters.fingerprint.hex(), "folding": scores.parameters.folding.hex()},
        "run": told.run or None,
        "warnings": list(told.warnings),
    }


def _share(count: int | None, of: int) -> dict[str, Any]:
    return {"count": count, "of": of, "share": None if count is None or not of else round(count / of, 4)}


def _estimate(net: tuple[float, float, float] | None) -> dict[str, float | None]:
    return dict(zip(("value", "low", "high"), net or (None, None, None), strict=True))


def _absent(group: diagnostics.Absent) -> dict[str, Any]:
    return {**asdict(group), "flat": group.flat}


def _histogram(case: Case) -> dict[str, Any]:
    real, decoys = (np.histogram(group.best(), BINS)[0] for group in (case.real, case.decoys))
    scale = len(case.real) / max(1, len(case.decoys))
    return {
        "edges": list(BINS),
        "real": real.tolist(),
        "decoys": [round(float(count) * scale, 2) for count in decoys.tolist()],
    }


def _rates(finding: Finding) -> list[dict[str, Any]]:
    """Found and false-match rate if one threshold held for all classes."""
    lines = []
    for threshold in reversed(BINS):
        found = false = 0.0
        for each in finding.classes:
            reached = np.flatnonzero(each.line.threshold >= threshold)
            if len(reached):
                found += float(each.line.found[reached[-1]])
                false += float(each.line.false[reached[-1]])
        if found:
            rate = round(min(1.0, false / found), 4)
            lines.append({"threshold": threshold, "found": int(found), "false_match_rate": rate})
    return lines


def _not_judged(case: Case) -> list[dict[str, Any]]:
    """People of classes with too few decoys, on a line of their own, so that classes sum to the headline."""
    nobody = {"name": "too few decoys", "found": 0, "threshold": None, "matchable_share": None}
    return [{**nobody, "people": case.left_out}] if case.left_out else []


def _strata(known: Known, left_out: int) -> list[dict[str, Any]]:
    """People, found, and net found with its interval in each value of each stratum field."""
    fields, at = [], 1
    for label, group in zip(known.strata, known.groups, strict=False):
        values = []
        size = int(group.max(initial=NONE)) + 1
        false = _false_of(known.finding, group, size)
        for number, text in [*enumerate(label.values[:size]), (UNKNOWN, None)]:
            inside = group == number
            people, found = int(inside.sum()), int((known.finding.found & inside).sum())
            people += left_out if number == UNKNOWN else 0
            if not people:
                continue
            net = None
            if number != UNKNOWN and people >= SMALLEST_STRATUM:
                net = _net(found - float(false[number]), known.ranges[at + number])
            values.append({"label": text, "people": people, "found": found, "net_found": net})
        at += size
        fields.append({"field": label.name, "values": values})
    return fields


def _false_of(finding: Finding, group: Ints, size: int) -> NDArray[np.float64]:
    shares = absent_weights(finding, group, size)
    false = np.zeros(size)
    for each in finding.classes:
        false += each.false * shares[each.number]
    return false


def _eligibility(case: Case, known: Known | None, rows: PrivateRows) -> dict[str, Any]:
    assert case.unknown is not None
    told: dict[str, Any] = {"registry_as_of": rows.policy.as_of}
    for number, name in enumerate(("eligible", "unknown")):
        inside = case.unknown == bool(number)
        line: dict[str, Any] = {"people": int(inside.sum()), "found": None, "net_found": None}
        if known:
            line["found"] = int((known.finding.found & inside).sum())
            if line["people"] >= SMALLEST_STRATUM:
                false = float(_false_of(known.finding, known.groups[-1], 2)[number])
                at = len(known.ranges) - int(known.groups[-1].max(initial=NONE)) - 1
                line["net_found"] = _net(line["found"] - false, known.ranges[at + number])
        line["people"] += case.left_out if name == "unknown" else 0
        told[name] = line
    nobody = {"people": case.cannot, "found": None, "expected": None}
    told["ineligible"] = _absent(known.ineligible) if known and known.ineligible else nobody
    return told


def _net(value: float, interval: tuple[float, float]) -> dict[str, float | None]:
    value, (low, high) = max(0.0, value), interval
    return _estimate((round(value, 1), round(min(low, value), 1), round(max(high, value), 1)))


def _sensitivity(case: Case, meeting: Meeting) -> list[dict[str, Any]]:
    """The headline under other choices: λ, decoys a row, the rule for partners, the harsher null."""
    one_of_two = np.flatnonzero(case.cumcount() % 2 == 0)
    half = meet(case.real, case.decoys.take(one_of_two), case.owner[one_of_two], case.classes)
    others: list[tuple[str, Any, Finding]] = [
        ("lambda", 0.3, find(meeting, case.asked, lam=0.3)),
        ("lambda", 0.7, find(meeting, case.asked, lam=0.7)),
        ("decoys", round(len(one_of_two) / len(case.real)), find(half, case.asked)),
        ("partner_rule", RULES[1], find(case.meeting(RULES[1]), case.asked)),
    ]
    if len(case.relatives) >= MIN_DECOYS:
        harsh = meet(case.real, case.relatives, case.relative_owner, case.classes)
        others.append(("harsh_decoys", round(len(case.relatives) / len(case.real)), find(harsh, case.asked)))
    return [
        {
            "what": what,
            "value": value,
            "found": int(finding.found.sum()),
            "net_found": {"value": round(finding.net, 1), "low": None, "high": None},
        }
        for what, value, finding in others
    ]


def _class(each: ClassFinding, finding: Finding, rows: PrivateRows, case: Case) -> dict[str, Any]:
    names = np.unique(rows.completeness[case.records[each.people]]).tolist()
    return {
        "name": " · ".join(CLASS_NAMES[name] for name in names),
        "people": len(each.people),
        "found": int(finding.found[each.people].sum()),
        "threshold": None if each.threshold is None else round(each.threshold, 4),
        "matchable_share": round(1 - each.pi0, 4),
    }
