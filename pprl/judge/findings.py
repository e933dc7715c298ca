"""Everything that a judgement finds, in the order in which it is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.distributions import rounded_p
from pprl.core.encodings import shape_number
from pprl.core.private_rows import Label, PrivateRows
from pprl.judge import diagnostics
from pprl.judge.assignment import NONE
from pprl.judge.bootstrap import intervals
from pprl.judge.cohort import Cohort
from pprl.judge.confirmation import Agreement, PartnerEvidence, agreements, filled_alike, filled_of
from pprl.judge.error_rates import MIN_DECOYS, REGISTRY_SHARE, fewest_testable, p_registry, p_relatives, p_value
from pprl.judge.false_bound import FalseBound, bound_false
from pprl.judge.labels import decoys_of_judged, positions_of
from pprl.judge.matches import Matches, assign_partners, find_matches
from pprl.judge.missed import Planted, missed_match_rate
from pprl.judge.verdict import BEYOND, MARGIN, Grounds
from pprl.report.fields import Estimate

PLAYED = 5

Ints = NDArray[np.int64]
Handles = NDArray[np.void]
Range = tuple[float, float]


@dataclass(frozen=True)
class Pairs:
    """Matches with a single best partner: people by their index, the handle of each partner, and its position among the
    registry's private rows, where these are at hand."""

    people: Ints
    handles: Handles
    positions: Ints | None


@dataclass(frozen=True)
class Partition:
    """People in groups: by a stratum, or by whether their eligibility is known."""

    groups: Ints  # the group of each person, −1 for none
    ranges: list[Range]  # of the estimated true matches, by group

    @property
    def size(self) -> int:
        return int(self.groups.max(initial=NONE)) + 1


@dataclass(frozen=True, kw_only=True)
class Findings:
    matches: Matches
    pairs: Pairs
    net: Estimate | None  # None where no threshold keeps the rate asked for
    false_bound: FalseBound | None  # likewise
    by_chance: float | None
    grounds: Grounds
    strata: tuple[tuple[Label, Partition], ...]
    eligibility: Partition | None
    missed: Estimate | None = None  # the missed-match rate, None where it is not known
    missed_basis: str | None = None


def examine(
    rows: PrivateRows,
    cohort: Cohort,
    handles: Handles,
    registry_rows: PrivateRows | None,
    evidence: PartnerEvidence | None,
    diagnosis: diagnostics.DecoyDiagnostics | None,
    planted: Planted | None = None,
) -> Findings:
    """``handles`` are the registry handles by number; ``diagnosis`` describes the decoys by their bits, if known."""
    matches = find_matches(cohort.assignment(), cohort.rate)
    strata = rows.with_role("stratum")
    groups = [label.codes[cohort.records].astype(np.int64) for label in strata]
    unknown = [] if cohort.unknown is None else [cohort.unknown.astype(np.int64)]
    overall, *ranges = intervals(matches, [*groups, *unknown], cohort.draws)
    partitions = _partitions([*groups, *unknown], ranges)
    net = rounded_estimate(matches.net, overall) if matches.told else None
    pairs = _pairs(matches, handles, registry_rows)
    confirm = _confirm(rows, cohort, registry_rows, evidence, pairs)
    p = rounded_p(p_value(cohort.real.best(), cohort.decoys.best()))
    missed = missed_match_rate(planted, rows, cohort, matches) if planted else None
    # The order of the functions that draw at random is part of the result.
    return Findings(
        matches=matches,
        pairs=pairs,
        net=net,
        false_bound=bound_false(matches, cohort.rate),
        by_chance=_matches_by_chance(cohort),
        grounds=Grounds(
            p=p,
            p_relatives=_p_relatives(cohort),
            p_registry=_p_registry(rows, cohort),
            p_with_margin=_p_with_margin(cohort),
            low=float(net.low or 0) if net else None,
            needed=_needed(rows, cohort, matches),
            people=len(cohort.real),
            decoys=_soundness(rows, cohort, diagnosis),
            confirm=confirm,
            copied=_copy_check(rows, cohort, registry_rows, evidence, matches, pairs, confirm),
            controls=diagnostics.absent(cohort.controls, cohort.control_classes, matches, cohort.decoys),
            ineligible=diagnostics.absent(cohort.ineligible, cohort.ineligible_classes, matches, cohort.decoys),
            public=rows.policy.public,
        ),
        strata=tuple(zip(strata, partitions, strict=False)),
        eligibility=partitions[-1] if unknown else None,
        missed=missed,
        missed_basis=planted.basis if planted and missed else None,
    )


def rounded_estimate(value: float, interval: Range) -> Estimate:
    """Estimated true matches to one decimal, with an interval that holds them."""
    low, high = interval
    return Estimate(round(value, 1), round(min(low, value), 1), round(max(high, value), 1))


def _partitions(groups: list[Ints], ranges: list[Range]) -> list[Partition]:
    partitions, start = [], 0
    for group in groups:
        size = int(group.max(initial=NONE)) + 1
        partitions.append(Partition(group, ranges[start : start + size]))
        start += size
    return partitions


def _pairs(matches: Matches, handles: Handles, registry_rows: PrivateRows | None) -> Pairs:
    people = np.flatnonzero(matches.found & ~matches.unsure)
    partners = handles[matches.partners.ids[people]]
    return Pairs(people, partners, None if registry_rows is None else positions_of(partners, registry_rows.handles))


def _confirm(
    rows: PrivateRows,
    cohort: Cohort,
    registry_rows: PrivateRows | None,
    evidence: PartnerEvidence | None,
    pairs: Pairs,
) -> list[Agreement]:
    if evidence is not None:
        return evidence.agreements(rows.rows[cohort.records[pairs.people]], pairs.handles)
    if registry_rows is None or pairs.positions is None:
        return []
    return agreements(cohort, rows, registry_rows, pairs.people, pairs.positions)


def _copy_check(
    rows: PrivateRows,
    cohort: Cohort,
    registry_rows: PrivateRows | None,
    evidence: PartnerEvidence | None,
    matches: Matches,
    pairs: Pairs,
    confirm: list[Agreement],
) -> diagnostics.CopyCheck:
    filled = None
    if evidence is not None:
        filled = evidence.filled(pairs.handles)
    elif registry_rows is not None and pairs.positions is not None:
        filled = filled_of(registry_rows, pairs.positions)
    alike = filled_alike(rows, cohort.records[pairs.people], filled)
    drift = next((agreement.rank_drift for agreement in confirm if agreement.higher is not None), None)
    return diagnostics.copy_check(matches.partners.dice[pairs.people], matches.q_values[pairs.people], alike, drift)


def _soundness(
    rows: PrivateRows, cohort: Cohort, diagnosis: diagnostics.DecoyDiagnostics | None
) -> diagnostics.Soundness | None:
    if diagnosis is None:
        return None
    return diagnostics.soundness(diagnosis, cohort.records, decoys_of_judged(rows, cohort)[0])


def _p_relatives(cohort: Cohort) -> float | None:
    if len(cohort.relatives) < MIN_DECOYS:
        return None
    return rounded_p(p_relatives(cohort.real.best(), cohort.decoys.best(), cohort.relatives.best()))


def _p_registry(rows: PrivateRows, cohort: Cohort) -> float | None:
    if cohort.strangers is None:
        return None
    return rounded_p(p_registry(cohort.real.best(), _shapes(rows, cohort), cohort.strangers))


def _shapes(rows: PrivateRows, cohort: Cohort) -> NDArray[np.uint64]:
    """Which linked fields each judged person has filled (`shape_number`)."""
    for label in rows.with_role("filled"):
        numbers = np.array([*map(shape_number, label.values), 0], dtype=np.uint64)
        return numbers[label.codes[cohort.records]]
    return np.zeros(len(cohort.records), dtype=np.uint64)


def _p_with_margin(cohort: Cohort) -> float:
    """The larger p of both tests if absent people come close `MARGIN` times as often as decoys."""
    real, decoys, relatives = cohort.real.best(), cohort.decoys.best(), cohort.relatives.best()
    p = p_value(real, decoys, times=MARGIN)
    return p if len(relatives) < MIN_DECOYS else max(p, p_relatives(real, decoys, relatives, times=MARGIN))


def _needed(rows: PrivateRows, cohort: Cohort, matches: Matches) -> int:
    """How many people must be present to be seen, by the tests and by the matches."""
    people = len(cohort.real)
    fewest = [min(group.fewest for group in matches.classes), fewest_testable(BEYOND, people, cohort.decoys.best())]
    if cohort.strangers is not None:
        shapes, counts = np.unique(_shapes(rows, cohort), return_counts=True)
        usual = cohort.strangers.like(int(shapes[counts.argmax()]))
        fewest.append(fewest_testable(BEYOND, people, usual, REGISTRY_SHARE))
    return max(fewest)


def _matches_by_chance(cohort: Cohort) -> float | None:
    """How many people would match if nobody on the list were in the registry.

    One decoy of each person plays the list and is judged against the other decoys; the mean of `PLAYED` such lists,
    None where there are too few decoys to play one.
    """
    number, matched = cohort.cumcount(), []
    for turn in range(PLAYED):
        players = np.flatnonzero(number == turn)
        players = players[np.argsort(cohort.owner[players], kind="stable")]
        others = np.flatnonzero((number != turn) & np.isin(cohort.owner, cohort.owner[players]))
        if len(others) < MIN_DECOYS:
            break
        owner = np.searchsorted(cohort.owner[players], cohort.owner[others])
        classes = cohort.classes[cohort.owner[players]]
        played = assign_partners(cohort.decoys.take(players), cohort.decoys.take(others), owner, classes)
        matched.append(find_matches(played, cohort.rate).count * len(cohort.real) / len(players))
    return round(sum(matched) / len(matched), 2) if matched else None
