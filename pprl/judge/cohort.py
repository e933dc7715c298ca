"""Who is judged against whom: people who could be in the registry, made-up rows, and people known to be absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import RandomStream
from pprl.judge import diagnostics
from pprl.judge.assignment import NONE, Candidates
from pprl.judge.error_rates import MIN_DECOYS
from pprl.judge.matches import RULES, Meeting, meet, merged_classes

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """Who is judged against whom. ``records`` are the places of the real rows who could be in the registry and whose
    class has decoys; owners are places among them."""

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
    cannot: int  # people who cannot be in the registry
    left_out: int  # people of classes with too few decoys
    draws: RandomStream
    asked: float

    @classmethod
    def of(cls, rows: PrivateRows, everyone: Candidates, draws: RandomStream, asked: float) -> Case:
        people = rows.of_kind(RecordKind.REAL)
        told = diagnostics.eligibility(rows.labels, rows.policy, people)
        can, cannot = told or (np.ones(len(people), dtype=bool), np.zeros(len(people), dtype=bool))
        could = ~cannot
        classes = np.full(len(people), NONE, dtype=np.int64)
        classes[could] = merged_classes(rows.completeness[people[could]])
        # Who has a class without decoys is judged by nobody, and must not outbid those who are.
        owners = rows.person[rows.of_kind(RecordKind.DECOY)]
        enough = np.flatnonzero(np.bincount(classes[owners][classes[owners] != NONE], minlength=1) >= MIN_DECOYS)
        kept = could & np.isin(classes, enough)
        new = np.cumsum(kept) - 1  # people are renumbered without those who are left out

        def made_up(kind: int) -> tuple[Candidates, Ints]:
            records = rows.of_kind(kind)
            records = records[kept[rows.person[records]]]
            return everyone.take(records), new[rows.person[records]].astype(np.int64)

        of_class = dict(zip(rows.completeness[people[kept]].tolist(), classes[kept].tolist(), strict=True))

        def judged(records: Ints) -> tuple[Candidates, Ints]:
            """Of people known to be absent those whose class is judged."""
            own = np.array([of_class.get(each, NONE) for each in rows.completeness[records].tolist()], dtype=np.int64)
            return everyone.take(records[own != NONE]), own[own != NONE]

        decoys, owner = made_up(RecordKind.DECOY)
        relatives, relative_owner = made_up(RecordKind.RELATIVE)
        return cls(
            people[kept],
            everyone.take(people[kept]),
            classes[kept],
            decoys,
            owner,
            relatives,
            relative_owner,
            *judged(people[cannot]),
            *judged(rows.of_kind(RecordKind.CONTROL)),
            None if told is None else ~can[kept],
            int(cannot.sum()),
            int((could & ~kept).sum()),
            draws,
            asked,
        )

    def meeting(self, rule: str = RULES[0]) -> Meeting:
        return meet(self.real, self.decoys, self.owner, self.classes, rule=rule)

    def cumcount(self) -> Ints:
        """Of each decoy the how-manieth of its owner it is, from 0."""
        return cumcount(self.owner)
