"""Who is judged against whom: people who could be in the registry, synthetic records, and people known to be absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import RandomStream
from pprl.judge import diagnostics
from pprl.judge.assignment import NONE, Candidates
from pprl.judge.error_rates import MIN_DECOYS, Strangers
from pprl.judge.matches import RULES, Assignment, assign_partners, merged_classes

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """``records`` are the positions, among the private rows, of the people who could be in the registry and whose class
    has decoys. Owners are indices among these people."""

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
    strangers: Strangers | None  # None where the registry came without decoys of its own
    unknown: Bools | None  # whose eligibility is unknown; None where the roster or schema says nothing about it
    cannot: int  # people who cannot be in the registry
    left_out: int  # people of classes with too few decoys
    draws: RandomStream
    rate: float  # the false-match rate asked for

    @property
    def people(self) -> int:
        """People who could be in the registry, judged or left out."""
        return len(self.real) + self.left_out

    def assignment(self, rule: str = RULES[0]) -> Assignment:
        return assign_partners(self.real, self.decoys, self.owner, self.classes, rule=rule)

    def cumcount(self) -> Ints:
        """The number of each decoy among those of its owner, from 0."""
        return cumcount(self.owner)


def cohort_of(
    rows: PrivateRows, candidates: Candidates, strangers: Strangers | None, draws: RandomStream, rate: float
) -> Cohort:
    """``candidates`` are those of all private rows, in their order; ``strangers`` as in `Cohort`."""
    people = rows.of_kind(RecordKind.REAL)
    eligible = diagnostics.eligibility(rows.labels, rows.policy, people)
    can, cannot = eligible or (np.ones(len(people), dtype=bool), np.zeros(len(people), dtype=bool))
    classes, kept = _classes(rows, people, ~cannot)
    index = np.cumsum(kept) - 1  # people are numbered again without those who are left out

    def synthetic(kind: RecordKind) -> tuple[Candidates, Ints]:
        records = rows.of_kind(kind)
        records = records[kept[rows.person[records]]]
        return candidates.take(records), index[rows.person[records]].astype(np.int64)

    class_of = dict(zip(rows.completeness[people[kept]].tolist(), classes[kept].tolist(), strict=True))

    def known_absent(records: Ints) -> tuple[Candidates, Ints]:
        """Candidates and classes of the records whose class is judged."""
        numbers = [class_of.get(number, NONE) for number in rows.completeness[records].tolist()]
        known = np.array(numbers, dtype=np.int64)
        return candidates.take(records[known != NONE]), known[known != NONE]

    decoys, owner = synthetic(RecordKind.DECOY)
    relatives, relative_owner = synthetic(RecordKind.RELATIVE)
    ineligible, ineligible_classes = known_absent(people[cannot])
    controls, control_classes = known_absent(rows.of_kind(RecordKind.CONTROL))
    return Cohort(
        records=people[kept],
        real=candidates.take(people[kept]),
        classes=classes[kept],
        decoys=decoys,
        owner=owner,
        relatives=relatives,
        relative_owner=relative_owner,
        ineligible=ineligible,
        ineligible_classes=ineligible_classes,
        controls=controls,
        control_classes=control_classes,
        strangers=strangers,
        unknown=None if eligible is None else ~can[kept],
        cannot=int(cannot.sum()),
        left_out=int((~cannot & ~kept).sum()),
        draws=draws,
        rate=rate,
    )


def _classes(rows: PrivateRows, people: Ints, could: Bools) -> tuple[Ints, Bools]:
    """The class of each person, and who is judged: people of a class without decoys are not, and must not outbid those
    who are."""
    classes = np.full(len(people), NONE, dtype=np.int64)
    classes[could] = merged_classes(rows.completeness[people[could]])
    decoy_classes = classes[rows.person[rows.of_kind(RecordKind.DECOY)]]
    enough = np.flatnonzero(np.bincount(decoy_classes[decoy_classes != NONE], minlength=1) >= MIN_DECOYS)
    return classes, could & np.isin(classes, enough)
