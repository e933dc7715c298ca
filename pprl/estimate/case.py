"""Who is judged against whom: people who could be in the registry, made-up rows, and people known to be absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.draws import Draws
from pprl.estimate import checks
from pprl.estimate.finding import merged_classes
from pprl.estimate.partners import Candidates
from pprl.rows import CONTROL, DECOY, REAL, RELATIVE, HomeRows

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
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
    def of(cls, rows: HomeRows, everyone: Candidates, draws: Draws, asked: float) -> Case:
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
