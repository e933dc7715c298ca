"""Scores and the owner's own rows to an answer: who is found, how many of them falsely, and what may be said of it.

The labels are opened here and nowhere before. `finding` finds, `checks` looks for what could make that wrong, `verdict`
chooses the words; this module puts them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.bits import Encodings
from pprl.draws import Draws
from pprl.errors import FileError, PprlError
from pprl.estimate import checks
from pprl.estimate.errors import MIN_DECOYS, p_harsh, p_value
from pprl.estimate.finding import RULES, ClassFinding, Finding, absent_weights, find, intervals, merged_classes
from pprl.estimate.partners import NONE, Candidates, assign
from pprl.estimate.verdict import Verdict, cannot_tell, climb
from pprl.match.scores import Scores
from pprl.places import LIST_STEP
from pprl.rows import CLASS_NAMES, CONTROL, DECOY, REAL, RELATIVE, UNKNOWN, HomeRows, Label
from pprl.schema import ten_thousandths

FORMAT = 1
PARTNER_RULE = RULES[0]
SMALLEST_P = 1e-300  # what lies below is rounding, and no p is 0
SMALLEST_STRATUM = 20
PAIR_COLUMNS = ("list_row", "registry_row", "list_id", "registry_id", "score", "q_value")
BINS = tuple(round(0.05 * at, 2) for at in range(21))

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Assessment:
    """The answer. Counts are people of the list who could be in the registry, not rows.

    ``found`` are people whose partner reaches the threshold of their class; ``net_found`` is found minus the expected
    false matches, with a 95 % interval; ``threshold`` is the lowest of the classes' thresholds. None stands for
    "cannot tell". ``people`` could be in the registry; people of the list who cannot are judged apart. ``lists`` are
    people and found of each part, where the list has several; ``run`` is what the ledger of runs said; ``audit`` holds
    everything, as docs/report.md describes it.
    """

    list_rows: int
    registry_rows: int
    list_encoded: int
    registry_encoded: int
    hardening: int
    kernel: str
    false_match_rate_asked: float
    repeatable: bool
    people: int = 0
    verdict: Verdict = field(default_factory=lambda: cannot_tell("nobody"))
    threshold: float | None = None
    found: int | None = None
    net_found: tuple[float, float, float] | None = None
    expected_by_chance: float | None = None
    false_match_rate: float | None = None
    p_value: float | None = None
    matchable_share: float | None = None
    fewest_findable: int | None = None
    ambiguous: int = 0
    pairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PAIR_COLUMNS)))
    lists: tuple[tuple[int, int], ...] = ()
    run: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """The matched pairs: one row a pair, columns list_row, registry_row, list_id, registry_id, score, q_value;
        before them ``list``, the part, where the list has several."""
        return self.pairs.copy()

    def to_dict(self) -> dict[str, Any]:
        """The result as ``--json`` prints it."""

        def share(count: float | None) -> dict[str, float | None]:
            return {
                "count": count,
                "share": None if count is None else round(count / max(1, self.people), 6),
            }

        net = dict(zip(("value", "low", "high"), self.net_found or (None, None, None), strict=True))
        return {
            "format": FORMAT,
            "verdict": asdict(self.verdict),
            "list_rows": self.list_rows,
            "registry_rows": self.registry_rows,
            "list_encoded": self.list_encoded,
            "registry_encoded": self.registry_encoded,
            "people": self.people,
            "hardening": self.hardening,
            "kernel": self.kernel,
            "partner_rule": PARTNER_RULE,
            "threshold": self.threshold,
            "found": share(self.found),
            "net_found": net,
            "expected_by_chance": share(self.expected_by_chance),
            "false_match_rate": self.false_match_rate,
            "false_match_rate_asked": self.false_match_rate_asked,
            "p_value": self.p_value,
            "matchable_share": self.matchable_share,
            "fewest_findable": self.fewest_findable,
            "pairs": len(self.pairs),
            "ambiguous": self.ambiguous,
            "lists": [{"people": people, "found": found} for people, found in self.lists],
            **{
                key: self.audit.get(key)
                for key in ("strata", "confirm", "eligibility", "controls", "copy_check", "sensitivity")
            },
            "run": self.run or None,
            "secret": not self.repeatable,
            "warnings": list(self.warnings),
            "seconds": dict(self.seconds),
        }


def judge(
    scores: Scores,
    rows: HomeRows,
    registry_rows: HomeRows | None = None,
    *,
    rate: float | str | None = None,
    encodings: Encodings | None = None,
) -> Assessment:
    """Open the labels and judge.

    ``rate`` is the false-match rate asked, such as 0.05 or "5%"; without it the schema's. With the registry's own rows
    the pairs name its rows and ids and confirm fields are compared, else its handles stand in ``registry_id``. With
    the list's ``encodings`` decoys are held against rows.

    FileError: the rows are not those of these scores.
    """
    at = _find(scores, rows)
    if registry_rows is not None:
        scores.stamp.require_same(registry_rows.stamp)
    asked = rows.rate / 10_000 if rate is None else asked_rate(rate)
    ids, numbers = _number(scores.theirs, scores.total > 0)
    everyone = Candidates(numbers[at], scores.dice()[at])
    case = _Case.of(rows, everyone, Draws(_seed(scores), "judge"), asked)
    base = Assessment(
        list_rows=rows.rows_read,
        registry_rows=scores.registry_read,
        list_encoded=rows.people,
        registry_encoded=scores.registry_encoded,
        hardening=scores.stamp.hardening,
        kernel=scores.kernel,
        false_match_rate_asked=asked,
        repeatable=rows.repeatable,
        people=len(case.real),
        warnings=tuple(_warnings(rows, scores)),
    )
    if len(case.decoys) < MIN_DECOYS or not len(case.real):
        reason = "nobody" if not len(case.real) else "few_decoys"
        text = f"cannot tell: only {len(case.decoys)} decoys could be made from this list, {MIN_DECOYS} are needed"
        if reason == "nobody":
            text = "cannot tell: nobody of this list could be in the registry"
        elif len(case.real):
            text += " for an error rate"
        told = replace(base, verdict=cannot_tell(reason), warnings=(*base.warnings, text))
        return replace(told, audit=_audit(told, case, None, rows, scores))
    return _judge(base, case, rows, registry_rows, ids, encodings, scores)


def asked_rate(rate: float | str) -> float:
    """A false-match rate such as 0.05 or "5%", as a number; PprlError for what is none."""
    try:
        return ten_thousandths(rate) / 10_000
    except ValueError as error:
        raise PprlError(f"the false-match rate is not {error}", hint='say 0.05 or "5%"') from None


@dataclass(frozen=True)
class _Case:
    """Who is judged against whom. ``records`` are the places of the real rows who could be in the registry; owners are
    places among them."""

    records: Ints
    real: Candidates
    classes: Ints
    decoys: Candidates
    owner: Ints
    relatives: Candidates
    relative_owner: Ints
    ineligible: Candidates
    ineligible_classes: Ints
    controls: Candidates
    control_classes: Ints
    unknown: NDArray[np.bool_] | None  # of the real rows; None when eligibility is not asked for
    draws: Draws
    asked: float

    @classmethod
    def of(cls, rows: HomeRows, everyone: Candidates, draws: Draws, asked: float) -> _Case:
        people = rows.of_kind(REAL)
        told = checks.eligibility(rows.labels, rows.policy, people)
        can, cannot = told or (np.ones(len(people), dtype=bool), np.zeros(len(people), dtype=bool))
        merged = merged_classes(rows.completeness[people])
        new = np.cumsum(~cannot) - 1  # people are renumbered without those who cannot be there

        def made_up(kind: int) -> tuple[Candidates, Ints]:
            records = rows.of_kind(kind)
            records = records[~cannot[rows.person[records]]]
            return everyone.take(records), new[rows.person[records]].astype(np.int64)

        of_class = dict(zip(rows.completeness[people].tolist(), merged.tolist(), strict=True))
        usual = int(np.bincount(merged).argmax()) if len(merged) else 0
        controls = rows.of_kind(CONTROL)
        control_classes = [of_class.get(each, usual) for each in rows.completeness[controls].tolist()]
        decoys, owner = made_up(DECOY)
        relatives, relative_owner = made_up(RELATIVE)
        return cls(
            people[~cannot],
            everyone.take(people[~cannot]),
            merged[~cannot],
            decoys,
            owner,
            relatives,
            relative_owner,
            everyone.take(people[cannot]),
            merged[cannot],
            everyone.take(controls),
            np.array(control_classes, dtype=np.int64),
            None if told is None else ~can[~cannot],
            draws,
            asked,
        )


def _judge(
    base: Assessment,
    case: _Case,
    rows: HomeRows,
    registry_rows: HomeRows | None,
    ids: NDArray[np.void],
    encodings: Encodings | None,
    scores: Scores,
) -> Assessment:
    finding = find(case.real, case.decoys, case.owner, case.classes, case.asked)
    warnings = list(base.warnings)
    if finding.left_out:
        warnings.append(
            f"{finding.left_out} people of one completeness have fewer than {MIN_DECOYS} decoys: none is counted"
        )
    strata = rows.with_role("stratum")
    groups = [label.codes[case.records].astype(np.int64) for label in strata]
    if case.unknown is not None:
        groups.append(case.unknown.astype(np.int64))
    ranges = intervals(finding, groups, case.asked, case.draws)
    low, high = ranges[0]
    thresholds = [each.threshold for each in finding.classes if each.threshold is not None]
    count = int(finding.found.sum())
    net = (round(finding.net, 1), round(min(low, finding.net), 1), round(max(high, finding.net), 1))
    sure = np.flatnonzero(finding.found & ~finding.unsure)
    confirm = _confirm(case, finding, rows, registry_rows, ids, sure)
    ranks = next((each for each in confirm if each.higher is not None), None)
    false_match_rate = round(finding.false / count, 6) if count else None
    copied = checks.copy_check(finding.partners.dice[sure], false_match_rate or 0.0, ranks)
    controls, ineligible = (
        checks.absent(group, classes, finding, case.decoys) if len(group) else None
        for group, classes in ((case.controls, case.control_classes), (case.ineligible, case.ineligible_classes))
    )
    sound = None
    if encodings is not None:
        place = _places(encodings.handles, rows.handles)
        people, decoys = rows.of_kind(REAL), rows.of_kind(DECOY)
        sound = checks.soundness(
            encodings.bits.words[place], people, decoys, rows.person[decoys].astype(np.int64), case.draws
        )
    p, harsh = _told(p_value(case.real.best(), case.decoys.best())), None
    if len(case.relatives) >= MIN_DECOYS:
        harsh = _told(p_harsh(case.real.best(), case.decoys.best(), case.relatives.best()))
    verdict = climb(
        p=p,
        p_harsh=harsh,
        low=net[1],
        decoys=sound,
        known_absent=[group for group in (controls, ineligible) if group is not None],
        confirm=confirm,
        copied=copied,
        controls=controls,
        public=rows.policy.get("public", "unknown"),
    )
    told = replace(
        base,
        verdict=verdict,
        threshold=round(min(thresholds), 6) if thresholds else None,
        found=count,
        net_found=net,
        expected_by_chance=round(_nobody_present(case, finding), 2) if thresholds else None,
        false_match_rate=false_match_rate,
        p_value=p,
        matchable_share=round(finding.matchable / len(case.real), 6),
        fewest_findable=min((each.fewest for each in finding.classes), default=None),
        ambiguous=int(finding.unsure.sum()),
        lists=_parts(rows.rows[case.records] // LIST_STEP, finding.found),
        pairs=_pairs(sure, case, finding, rows, registry_rows, ids),
        warnings=tuple(warnings),
    )
    known = _Known(finding, harsh, confirm, copied, controls, ineligible, sound, strata, groups, ranges)
    return replace(told, audit=_audit(told, case, known, rows, scores))


@dataclass(frozen=True)
class _Known:
    """What was found out on the way and stands in the audit."""

    finding: Finding
    p_harsh: float | None
    confirm: list[checks.Agreement]
    copied: checks.CopyCheck
    controls: checks.Absent | None
    ineligible: checks.Absent | None
    sound: checks.Soundness | None
    strata: tuple[Label, ...]
    groups: list[Ints]
    ranges: list[tuple[float, float]]


def _told(p: float) -> float:
    return float(f"{max(p, SMALLEST_P):.3g}")


def _nobody_present(case: _Case, finding: Finding) -> float:
    """How many would be found if nobody of the list were in the registry: one decoy for each person, one to one."""
    one_each = np.unique(case.owner, return_index=True)[1]
    classes = case.classes[case.owner[one_each]]
    reached = assign(case.decoys.take(one_each), finding.floor_of(classes)).dice >= finding.threshold_of(classes)
    return sum(
        float(reached[classes == each.number].mean()) * len(each.people)
        for each in finding.classes
        if each.threshold is not None and (classes == each.number).any()
    )


def _confirm(
    case: _Case,
    finding: Finding,
    rows: HomeRows,
    registry_rows: HomeRows | None,
    ids: NDArray[np.void],
    sure: Ints,
) -> list[checks.Agreement]:
    """Agreement on every confirm field that both rosters have, permuted within birth decade, strata and class."""
    if registry_rows is None or not len(sure):
        return []
    theirs = {label.name: label for label in registry_rows.with_role("confirm")}
    ours = [label for label in rows.with_role("confirm") if label.name in theirs]
    if not ours:
        return []
    place = _places(registry_rows.handles, ids[finding.partners.ids[sure]])
    kinds = [*rows.with_role("decade"), *rows.with_role("stratum")]
    keys = np.stack([case.classes[sure], *(label.codes[case.records[sure]] for label in kinds)], axis=1)
    groups = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    pairs = case.records[sure], place
    return [checks.agreement(label, theirs[label.name], pairs, groups, case.draws) for label in ours]


def _audit(told: Assessment, case: _Case, known: _Known | None, rows: HomeRows, scores: Scores) -> dict[str, Any]:
    """Everything, exact, in the shape of docs/report.md; fields that the caller knows are filled in by him."""
    finding = known.finding if known else None
    return {
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
            "auc": round(checks.auc(case.real.best(), case.decoys.best()), 4) if finding else None,
            "ambiguous": told.ambiguous,
            "threshold": told.threshold,
        },
        "rosters": {
            "list_rows": told.list_rows,
            "list_people": told.list_encoded,
            "duplicates": max(0, told.list_rows - told.list_encoded),
            "registry_rows": told.registry_rows,
            "registry_encoded": told.registry_encoded,
            "lists": [{"people": people, "found": found} for people, found in told.lists],
        },
        "scores": _histogram(case),
        "rates": _rates(finding) if finding else [],
        "strata": _strata(known) if known else [],
        "confirm": [
            {
                **asdict(each),
                "chance": each.chance,
                "share": round(each.agree / each.compared, 4) if each.compared else None,
            }
            for each in (known.confirm if known else [])
        ],
        "eligibility": _eligibility(case, known, rows) if known and case.unknown is not None else None,
        "controls": _absent(known.controls) if known and known.controls else None,
        "copy_check": {
            **asdict(known.copied),
            "share": round(known.copied.identical / known.copied.pairs, 4) if known.copied.pairs else None,
        }
        if known
        else None,
        "decoys": {
            "made": len(case.decoys),
            "a_person": round(len(case.decoys) / max(1, told.people), 1),
            "fallbacks": rows.fallbacks,
            "harsh": len(case.relatives),
            "auc_weight": known.sound.auc_weight if known and known.sound else None,
            "auc_similarity": known.sound.auc_similarity if known and known.sound else None,
            "sound": known.sound.sound if known and known.sound else None,
        },
        "sensitivity": _sensitivity(case) if finding else [],
        "completeness": [_class(each, finding, rows, case) for each in finding.classes] if finding else [],
        "parameters": {
            "hardening": told.hardening,
            "length": scores.stamp.length,
            "false_match_rate": told.false_match_rate_asked,
            "kernel": told.kernel,
            "partner_rule": PARTNER_RULE,
            "secret": not told.repeatable,
            "registry_public_before_list": rows.policy.get("public", "unknown"),
        },
        "fingerprints": {"schema": scores.stamp.fingerprint.hex(), "folding": scores.stamp.folding.hex()},
        "warnings": list(told.warnings),
    }


def _share(count: int | None, of: int) -> dict[str, Any]:
    return {"count": count, "of": of, "share": None if count is None or not of else round(count / of, 4)}


def _estimate(net: tuple[float, float, float] | None) -> dict[str, float | None]:
    return dict(zip(("value", "low", "high"), net or (None, None, None), strict=True))


def _absent(group: checks.Absent) -> dict[str, Any]:
    return {**asdict(group), "flat": group.flat}


def _histogram(case: _Case) -> dict[str, Any]:
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


def _strata(known: _Known) -> list[dict[str, Any]]:
    """People, found, and net found with its interval in each value of each stratum field."""
    fields, at = [], 1
    for label, group in zip(known.strata, known.groups, strict=False):
        values = []
        size = int(group.max(initial=NONE)) + 1
        false = _false_of(known.finding, group, size)
        for number, text in [*enumerate(label.values[:size]), (UNKNOWN, None)]:
            inside = group == number
            people, found = int(inside.sum()), int((known.finding.found & inside).sum())
            if not people:
                continue
            net = None
            if number != UNKNOWN and people >= SMALLEST_STRATUM:
                value, (low, high) = max(0.0, found - false[number]), known.ranges[at + number]
                net = _estimate((round(value, 1), round(min(low, value), 1), round(max(high, value), 1)))
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


def _eligibility(case: _Case, known: _Known, rows: HomeRows) -> dict[str, Any]:
    assert case.unknown is not None
    false = _false_of(known.finding, known.groups[-1], 2)
    at = len(known.ranges) - int(known.groups[-1].max(initial=NONE)) - 1

    def line(number: int) -> dict[str, Any]:
        inside = known.groups[-1] == number
        people, found = int(inside.sum()), int((known.finding.found & inside).sum())
        net = None
        if people >= SMALLEST_STRATUM:
            value, (low, high) = max(0.0, found - float(false[number])), known.ranges[at + number]
            net = _estimate((round(value, 1), round(min(low, value), 1), round(max(high, value), 1)))
        return {"people": people, "found": found, "net_found": net}

    return {
        "registry_as_of": rows.policy["as_of"],
        "eligible": line(0),
        "unknown": line(1) if (known.groups[-1] == 1).any() else {"people": 0, "found": 0, "net_found": None},
        "ineligible": _absent(known.ineligible) if known.ineligible else {"people": 0, "found": 0, "expected": 0.0},
    }


def _sensitivity(case: _Case) -> list[dict[str, Any]]:
    """The headline under other choices: λ, decoys a row, the rule for partners, the harsher null."""
    one_of_two = np.flatnonzero(np.arange(len(case.decoys)) % 2 == 0)
    others: list[tuple[str, Any, Finding]] = [
        ("lambda", lam, find(case.real, case.decoys, case.owner, case.classes, case.asked, lam=lam))
        for lam in (0.3, 0.7)
    ]
    half = find(case.real, case.decoys.take(one_of_two), case.owner[one_of_two], case.classes, case.asked)
    others.append(("decoys", len(one_of_two), half))
    rule = RULES[1]
    others.append(("partners", rule, find(case.real, case.decoys, case.owner, case.classes, case.asked, rule=rule)))
    if len(case.relatives) >= MIN_DECOYS:
        harsh = find(case.real, case.relatives, case.relative_owner, case.classes, case.asked)
        others.append(("harsher_null", len(case.relatives), harsh))
    return [
        {
            "what": what,
            "value": value,
            "found": int(finding.found.sum()),
            "net_found": {"value": round(finding.net, 1), "low": None, "high": None},
        }
        for what, value, finding in others
    ]


def _class(each: ClassFinding, finding: Finding, rows: HomeRows, case: _Case) -> dict[str, Any]:
    names = np.unique(rows.completeness[case.records[each.people]]).tolist()
    return {
        "name": "; ".join(CLASS_NAMES[name] for name in names),
        "people": len(each.people),
        "found": int(finding.found[each.people].sum()),
        "threshold": None if each.threshold is None else round(each.threshold, 4),
        "matchable_share": round(1 - each.pi0, 4),
    }


def _parts(part: Ints, found: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """People and found of each part of a list that was read in several."""
    numbers = range(1, int(part.max(initial=0)) + 1)
    return tuple((int((part == number).sum()), int(found[part == number].sum())) for number in numbers)


def _pairs(
    chosen: Ints,
    case: _Case,
    finding: Finding,
    rows: HomeRows,
    registry_rows: HomeRows | None,
    ids: NDArray[np.void],
) -> pd.DataFrame:
    people = case.records[chosen]
    handles = ids[finding.partners.ids[chosen]]
    own_ids = rows.id_texts()
    if registry_rows is None:
        their_rows: list[int | None] = [None] * len(chosen)
        their_ids = [handle.tobytes().hex() for handle in handles]
    else:
        place = _places(registry_rows.handles, handles)
        all_ids = registry_rows.id_texts()
        their_rows = registry_rows.rows[place].tolist()
        their_ids = [all_ids[at] for at in place]
    part = rows.rows[people] // LIST_STEP
    pairs = pd.DataFrame(
        {
            "list_row": rows.rows[people] % LIST_STEP,
            "registry_row": pd.array(their_rows, dtype="Int64"),
            "list_id": [own_ids[at] for at in people],
            "registry_id": their_ids,
            "score": np.round(finding.partners.dice[chosen], 6),
            "q_value": np.round(finding.q_values[chosen], 6),
        },
        columns=list(PAIR_COLUMNS),
    )
    if part.any():
        pairs.insert(0, "list", part)
    return pairs


def _warnings(rows: HomeRows, scores: Scores) -> list[str]:
    warnings = []
    people, decoys = rows.people, len(rows.of_kind(DECOY))
    if rows.repeatable:
        warnings.append("the key and the decoys come from --seed: this run can be repeated and is not secret")
    if people and decoys and rows.fallbacks > 0.1 * decoys:
        warnings.append(
            f"{rows.fallbacks / decoys:.0%} of the decoys took their surname from a row that is not akin: "
            "the error rate is less sure"
        )
    if people > scores.registry_encoded:
        warnings.append("the list is larger than the registry")
    return warnings


def _seed(scores: Scores) -> bytes:
    """From the scores themselves, so that judging twice gives the same interval."""
    return hashlib.sha256(b"pprl/1/bootstrap\0" + scores.common.tobytes() + scores.total.tobytes()).digest()


def _number(handles: NDArray[np.void], there: NDArray[np.bool_]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Distinct registry handles, and the place in them of each candidate (−1 for none)."""
    numbers = np.full(handles.shape, NONE, dtype=np.int64)
    distinct, inverse = np.unique(handles[there], return_inverse=True)
    numbers[there] = inverse
    return distinct, numbers


def _places(known: NDArray[np.void], wanted: NDArray[np.void]) -> NDArray[np.int64]:
    """Where each wanted handle stands among the known ones; FileError when one is not there."""
    order = np.argsort(known)
    place = np.searchsorted(known[order], wanted)
    found = order[np.minimum(place, len(known) - 1)] if len(known) else np.zeros(0, dtype=np.int64)
    if len(found) != len(wanted) or not bool((known[found] == wanted).all()):
        raise FileError(
            "the private rows are not those of these scores",
            hint="use the .rows file written with the encodings",
        )
    return found.astype(np.int64)


def _find(scores: Scores, rows: HomeRows) -> NDArray[np.int64]:
    """The place in the scores of each of the owner's rows, so that the shuffled order is left behind."""
    scores.stamp.require_same(rows.stamp)
    if len(scores) != len(rows):
        raise FileError(
            "the private rows are not those of these scores",
            hint="use the .rows file written with the encodings",
        )
    return _places(scores.handles, rows.handles)
