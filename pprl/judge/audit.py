"""From findings to the record that audit.json holds, part by part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pprl.core.private_rows import CLASS_NAMES, UNKNOWN, Label, PrivateRows, RecordKind
from pprl.core.row_labels import LIST_STEP
from pprl.core.scores import Scores
from pprl.judge.bootstrap import absent_weights
from pprl.judge.cohort import Cohort
from pprl.judge.confirmation import Agreement
from pprl.judge.diagnostics import Absent, CopyCheck, auc
from pprl.judge.error_rates import MIN_DECOYS
from pprl.judge.findings import Findings, Partition, rounded_estimate
from pprl.judge.matches import RULES, ClassMatches, Matches, assign_partners, find_matches
from pprl.judge.verdict import is_withheld
from pprl.report import record
from pprl.report.fields import Estimate, Plain

SMALLEST_STRATUM = 20
BINS = tuple(round(0.05 * step, 2) for step in range(21))

Ints = NDArray[np.int64]


def record_of(
    scores: Scores,
    rows: PrivateRows,
    cohort: Cohort,
    findings: Findings | None,
    *,
    verdict: record.Verdict,
    warnings: tuple[str, ...],
    version: str,
    run: str,
) -> record.Record:
    """The exact record. ``findings`` are None where nobody could be judged, ``run`` is the ledger's line.

    Of a verdict that is withheld only what withholds it is shown.
    """
    shown = None if is_withheld(verdict) else findings
    told = can_count(verdict, findings)
    return record.Record(
        format=record.AUDIT,
        version=version,
        matter=rows.policy.title,
        disclosure=record.Disclosure(base=1),
        verdict=verdict,
        headline=_headline(cohort, shown, verdict, findings, told=told),
        rosters=_rosters(scores, rows, cohort, shown, told=told),
        scores=_histogram(cohort) if shown and not cohort.left_out else None,
        rates=_rates(shown.matches) if shown else (),
        strata=_strata(shown, cohort.left_out, told=told) if shown else (),
        confirm=tuple(_confirm(agreement) for agreement in shown.grounds.confirm) if shown else (),
        eligibility=_eligibility(rows, cohort, findings, shown, told=told),
        controls=_known_absent(findings.grounds.controls, findings, shown) if findings else None,
        copy_check=_copy_check(shown.grounds.copied) if shown else None,
        decoys=_decoys(rows, len(scores.decoys), findings, shown),
        sensitivity=_sensitivity(cohort, shown) if shown else (),
        completeness=_completeness(rows, cohort, shown, told=told) if shown else (),
        parameters=_parameters(scores, rows, cohort),
        fingerprints={"schema": scores.parameters.fingerprint.hex(), "folding": scores.parameters.folding.hex()},
        run=run or None,
        warnings=warnings,
    )


def can_count(verdict: record.Verdict, findings: Findings | None) -> bool:
    """Whether it can be told how many match: with a threshold, or where nobody stands out and somebody would have."""
    return findings is not None and (findings.matches.told or verdict.rung == 0)


def parts_of_list(rows: PrivateRows, cohort: Cohort, matches: Matches, *, told: bool) -> tuple[record.ListPart, ...]:
    """Judged people and matches in each part of a list that has several."""
    part_of_row = rows.rows // LIST_STEP
    parts = range(1, int(part_of_row[rows.of_kind(RecordKind.REAL)].max(initial=0)) + 1)
    part = part_of_row[cohort.records]
    return tuple(
        record.ListPart(people=int(inside.sum()), found=int(matches.found[inside].sum()) if told else None)
        for inside in (part == number for number in parts)
    )


def _headline(
    cohort: Cohort, shown: Findings | None, verdict: record.Verdict, findings: Findings | None, *, told: bool
) -> record.Headline:
    people, rate = cohort.people, cohort.rate
    if shown is None:
        return record.Headline(
            people=people,
            found=record.Share(count=None, of=people, share=None),
            net_found=None,
            expected_by_chance=None,
            false_match_rate=None,
            false_match_rate_asked=rate,
            false_at_most=None,
            missed_match_rate=None,
            missed_match_basis=None,
            p=None,
            p_harsh=None,
            p_registry=None,
            fewest_findable=findings.grounds.needed if findings and "registry_decoys" in verdict.reasons else None,
            matchable_share=None,
            auc=None,
            ambiguous=None,
            threshold=None,
        )
    matches, grounds = shown.matches, shown.grounds
    thresholds = [group.threshold for group in matches.classes if group.threshold is not None]
    count = matches.count if told else None
    return record.Headline(
        people=people,
        found=record.Share(count=count, of=people, share=None if count is None else _ratio(count, people)),
        net_found=shown.net,
        expected_by_chance=shown.by_chance,
        false_match_rate=round(matches.false / matches.count, 6) if matches.count else None,
        false_match_rate_asked=rate,
        false_at_most=shown.false_bound.at_most if shown.false_bound else None,
        missed_match_rate=shown.missed,
        missed_match_basis=shown.missed_basis,
        p=grounds.p,
        p_harsh=grounds.p_relatives,
        p_registry=grounds.p_registry,
        fewest_findable=grounds.needed,
        matchable_share=round(matches.matchable / len(cohort.real), 6),
        auc=round(auc(cohort.real.best(), cohort.decoys.best()), 4),
        ambiguous=int(matches.unsure.sum()) if told else None,
        threshold=round(min(thresholds), 6) if thresholds else None,
    )


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rosters(
    scores: Scores, rows: PrivateRows, cohort: Cohort, findings: Findings | None, *, told: bool
) -> record.Rosters:
    # Where people are left out, the parts of the list would not sum to it.
    parts = parts_of_list(rows, cohort, findings.matches, told=told) if findings and not cohort.left_out else ()
    return record.Rosters(
        list_rows=rows.rows_read,
        list_people=rows.people,
        duplicates=max(0, rows.rows_read - rows.people),
        registry_rows=scores.registry_read,
        registry_encoded=scores.registry_encoded,
        lists=parts,
    )


def _histogram(cohort: Cohort) -> record.Scores:
    real, decoys = (np.histogram(group.best(), BINS)[0] for group in (cohort.real, cohort.decoys))
    scale = len(cohort.real) / max(1, len(cohort.decoys))
    return record.Scores(
        edges=BINS,
        real=tuple(real.tolist()),
        decoys=tuple(round(float(count) * scale, 2) for count in decoys.tolist()),
    )


def _rates(matches: Matches) -> tuple[record.Rate, ...]:
    """Matches and false-match rate if one threshold held for all classes."""
    rates = []
    for threshold in reversed(BINS):
        found = false = 0.0
        for group in matches.classes:
            reached = np.flatnonzero(group.curve.threshold >= threshold)
            if len(reached):
                found += float(group.curve.found[reached[-1]])
                false += float(group.curve.false[reached[-1]])
        if found:
            rate = round(min(1.0, false / found), 4)
            rates.append(record.Rate(threshold=threshold, found=int(found), false_match_rate=rate))
    return tuple(rates)


def _strata(findings: Findings, left_out: int, *, told: bool) -> tuple[record.Stratum, ...]:
    return tuple(
        record.Stratum(
            field=label.name, values=tuple(_stratum_values(findings.matches, label, partition, left_out, told=told))
        )
        for label, partition in findings.strata
    )


def _stratum_values(
    matches: Matches, label: Label, partition: Partition, left_out: int, *, told: bool
) -> list[record.StratumValue]:
    """People, matches and estimated true matches of each value. People left out are among those without one."""
    values = []
    false = _false_by_group(matches, partition.groups, partition.size)
    for number, text in [*enumerate(label.values[: partition.size]), (UNKNOWN, None)]:
        inside = partition.groups == number
        people, found = int(inside.sum()), int((matches.found & inside).sum())
        people += left_out if number == UNKNOWN else 0
        if not people:
            continue
        net = None
        if number != UNKNOWN and people >= SMALLEST_STRATUM and matches.told:
            net = _net(found - float(false[number]), partition.ranges[number])
        values.append(record.StratumValue(label=text, people=people, found=found if told else None, net_found=net))
    return values


def _net(value: float, interval: tuple[float, float]) -> Estimate:
    return rounded_estimate(max(0.0, value), interval)


def _false_by_group(matches: Matches, groups: Ints, size: int) -> NDArray[np.float64]:
    shares = absent_weights(matches, groups, size)
    false = np.zeros(size)
    for group in matches.classes:
        false += group.false * shares[group.number]
    return false


def _confirm(agreement: Agreement) -> record.Confirm:
    return record.Confirm(
        field=agreement.field,
        compared=agreement.compared,
        missing=agreement.missing,
        agree=agreement.agree,
        chance=agreement.chance,
        p=agreement.p,
        higher=agreement.higher,
        lower=agreement.lower,
        share=_ratio(agreement.agree, agreement.compared),
    )


def _known_absent(group: Absent | None, findings: Findings, shown: Findings | None) -> record.KnownAbsent | None:
    """Where the verdict is withheld, only groups that withhold it have figures."""
    if group is None:
        return None
    if shown is None and group.flat:
        return record.KnownAbsent(people=group.people, found=None, expected=None)
    told = findings.matches.told
    return record.KnownAbsent(
        people=group.people,
        found=group.found if told else None,
        expected=group.expected if told else None,
        p=group.p,
        flat=group.flat,
    )


def _eligibility(
    rows: PrivateRows, cohort: Cohort, findings: Findings | None, shown: Findings | None, *, told: bool
) -> record.Eligibility | None:
    if cohort.unknown is None:
        return None
    ineligible = _known_absent(findings.grounds.ineligible, findings, shown) if findings else None
    return record.Eligibility(
        registry_as_of=rows.policy.as_of,
        eligible=_eligibility_group(cohort, shown, cohort.unknown, unknown=False, told=told),
        unknown=_eligibility_group(cohort, shown, cohort.unknown, unknown=True, told=told),
        ineligible=ineligible or record.KnownAbsent(people=cohort.cannot, found=None, expected=None),
    )


def _eligibility_group(
    cohort: Cohort, findings: Findings | None, unknown_of: NDArray[np.bool_], *, unknown: bool, told: bool
) -> record.EligibilityGroup:
    inside = unknown_of == unknown
    people, found, net = int(inside.sum()), None, None
    if findings and findings.eligibility:
        matches, partition = findings.matches, findings.eligibility
        matched = int((matches.found & inside).sum())
        found = matched if told else None
        if people >= SMALLEST_STRATUM and matches.told:
            false = float(_false_by_group(matches, partition.groups, 2)[int(unknown)])
            net = _net(matched - false, partition.ranges[int(unknown)])
    left_out = cohort.left_out if unknown else 0
    return record.EligibilityGroup(people=people + left_out, found=found, net_found=net)


def _copy_check(check: CopyCheck) -> record.CopyCheck:
    return record.CopyCheck(
        pairs=check.pairs,
        identical=check.identical,
        natural=check.natural,
        rank_drift=check.rank_drift,
        share=_ratio(check.identical, check.pairs),
    )


def _decoys(rows: PrivateRows, of_registry: int, findings: Findings | None, shown: Findings | None) -> record.Decoys:
    made, sound = len(rows.of_kind(RecordKind.DECOY)), findings.grounds.decoys if findings else None
    bound = shown.false_bound if shown else None
    return record.Decoys(
        made=made,
        a_person=round(made / max(1, rows.people), 1),
        fallbacks=rows.fallbacks,
        harsh=len(rows.of_kind(RecordKind.RELATIVE)),
        registry=of_registry,
        effective=bound.effective_decoys if bound else None,
        auc_weight=sound.auc_weight if sound else None,
        auc_similarity=sound.auc_similarity if sound else None,
        p_unlike=sound.p_unlike if sound else None,
        sound=sound.sound if sound else None,
    )


def _sensitivity(cohort: Cohort, findings: Findings) -> tuple[record.Choice, ...]:
    """The headline under other choices: λ, decoys per person, the rule for partners, relatives in place of decoys."""
    assignment, rate = findings.matches.assignment, cohort.rate
    every_other = np.flatnonzero(cohort.cumcount() % 2 == 0)
    half = assign_partners(cohort.real, cohort.decoys.take(every_other), cohort.owner[every_other], cohort.classes)
    choices = [
        _choice("lambda", 0.3, find_matches(assignment, rate, lam=0.3)),
        _choice("lambda", 0.7, find_matches(assignment, rate, lam=0.7)),
        _choice("decoys", round(len(every_other) / len(cohort.real)), find_matches(half, rate)),
        _choice("partner_rule", RULES[1], find_matches(cohort.assignment(RULES[1]), rate)),
    ]
    if len(cohort.relatives) >= MIN_DECOYS:
        against = assign_partners(cohort.real, cohort.relatives, cohort.relative_owner, cohort.classes)
        per_person = round(len(cohort.relatives) / len(cohort.real))
        choices.append(_choice("harsh_decoys", per_person, find_matches(against, rate)))
    return tuple(choices)


def _choice(what: str, value: str | float, matches: Matches) -> record.Choice:
    net = Estimate(round(matches.net, 1)) if matches.told else None
    return record.Choice(what=what, value=value, found=matches.count if net else None, net_found=net)


def _completeness(
    rows: PrivateRows, cohort: Cohort, findings: Findings, *, told: bool
) -> tuple[record.CompletenessClass, ...]:
    """Every class, and a line for the people of classes with too few decoys, so that all sum to the headline."""
    classes = [_class(group, findings.matches, rows, cohort, told=told) for group in findings.matches.classes]
    if cohort.left_out:
        found = 0 if told else None
        classes.append(
            record.CompletenessClass(
                name="too few decoys", people=cohort.left_out, found=found, threshold=None, matchable_share=None
            )
        )
    return tuple(classes)


def _class(
    group: ClassMatches, matches: Matches, rows: PrivateRows, cohort: Cohort, *, told: bool
) -> record.CompletenessClass:
    names = np.unique(rows.completeness[cohort.records[group.people]]).tolist()
    return record.CompletenessClass(
        name=" · ".join(CLASS_NAMES[name] for name in names),
        people=len(group.people),
        found=int(matches.found[group.people].sum()) if told else None,
        threshold=None if group.threshold is None else round(group.threshold, 4),
        matchable_share=round(1 - group.pi0, 4),
    )


def _parameters(scores: Scores, rows: PrivateRows, cohort: Cohort) -> dict[str, Plain]:
    return {
        "hardening": scores.parameters.hardening,
        "length": scores.parameters.length,
        "decoys": round(len(cohort.decoys) / max(1, cohort.people)),
        "false_match_rate": cohort.rate,
        "kernel": scores.kernel,
        "partner_rule": RULES[0],
        "secret": not rows.repeatable,
        "registry_public_before_list": rows.policy.public,
    }
