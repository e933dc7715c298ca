"""How matched people agree on further fields that were not linked, and how often chance would agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.private_rows import UNKNOWN, Label, PrivateRows
from pprl.core.randomness import RandomStream
from pprl.judge.cohort import Cohort
from pprl.judge.diagnostics import LEAST_PAIRS, DecoyDiagnostics

CONFIRMED, PERMUTATIONS = 0.01, 999

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Handles = NDArray[np.void]
Texts = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How often pairs agree on a field that was not linked, and how often permuted partners would."""

    field: str
    compared: int
    missing: int  # pairs that a side has no value for
    agree: int
    chance: float
    p: float | None
    higher: int | None = None  # for ranks: pairs in which the list has the higher one
    lower: int | None = None

    def confirms(self, fields: int) -> bool:
        """Significant among as many fields as could have been (Bonferroni), and in enough pairs."""
        return self.p is not None and self.p < CONFIRMED / fields and self.compared >= LEAST_PAIRS

    @property
    def rank_drift(self) -> float | None:
        """The share of pairs whose ranks differ."""
        if self.higher is None or self.lower is None or not self.compared:
            return None
        return round((self.higher + self.lower) / self.compared, 4)


@dataclass(frozen=True)
class PartnerEvidence:
    """What a linkage unit knows of pairs where the registry's private rows are not at hand.

    ``agreements`` takes the list rows of pairs and the handles of their partners, in the same order; ``filled`` takes
    handles and says which linked fields of each registry row are filled.
    """

    decoys: DecoyDiagnostics | None
    agreements: Callable[[Ints, Handles], list[Agreement]]
    filled: Callable[[Handles], Texts]
    warnings: tuple[str, ...] = ()


def agreements(
    cohort: Cohort, rows: PrivateRows, registry_rows: PrivateRows, people: Ints, partners: Ints
) -> list[Agreement]:
    """Agreement of pairs on every further field that both rosters have, compared with partners permuted within class,
    decade of birth and strata.

    ``people`` are indices among the people of the cohort, ``partners`` positions among the registry's rows.
    """
    in_registry = {label.name: label for label in registry_rows.with_role("confirm")}
    shared = [label for label in rows.with_role("confirm") if label.name in in_registry]
    if not shared or not len(people):
        return []
    groups = _groups(cohort, rows, people)
    pairs = cohort.records[people], partners
    return [agreement(label, in_registry[label.name], pairs, groups, cohort.draws) for label in shared]


def _groups(cohort: Cohort, rows: PrivateRows, people: Ints) -> Ints:
    """The group of each pair within which partners are permuted: by decade alone, where strata leave too few pairs to
    permute."""
    decade, strata = rows.with_role("decade"), rows.with_role("stratum")
    groups = np.zeros(0, dtype=np.int64)
    for labels in ((*decade, *strata), decade):
        codes = [label.codes[cohort.records[people]] for label in labels]
        keys = np.stack([cohort.classes[people], *codes], axis=1)
        groups = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
        if 2 * (np.bincount(groups)[groups] > 1).sum() >= len(groups):
            break
    return groups


def agreement(ours: Label, theirs: Label, pairs: tuple[Ints, Ints], groups: Ints, draws: RandomStream) -> Agreement:
    """Agreement of pairs (list records, registry records) on one field, compared with partners permuted within
    ``groups``.

    The chance rate is exact: Σ over groups of Σ over values of a_v · b_v / n; p counts how many of 999 permutations,
    and the observed order with them, agree as often. A group of one pair cannot be permuted and is the same in all.
    """
    code_of = {value: code for code, value in enumerate(theirs.values)}
    translated = np.array([code_of.get(value, -2) for value in ours.values] + [UNKNOWN])
    left, right = translated[ours.codes[pairs[0]]], theirs.codes[pairs[1]].astype(np.int64)
    both = (left != UNKNOWN) & (right != UNKNOWN)
    left, right, groups = left[both], right[both], groups[both]
    agree = int((left == right).sum())
    chance = _chance(left, right, groups, len(theirs.values))
    p = _permuted(left, right, groups, draws) if len(left) > 1 else None
    higher = lower = None
    if ours.type == "rank":
        our_steps = np.array([int(value) for value in ours.values] + [0])[ours.codes[pairs[0]][both]]
        their_steps = np.array([int(value) for value in theirs.values] + [0])[right]
        higher, lower = int((our_steps > their_steps).sum()), int((our_steps < their_steps).sum())
    return Agreement(
        field=ours.name,
        compared=len(left),
        missing=int((~both).sum()),
        agree=agree,
        chance=round(chance / max(1, len(left)), 4),
        p=p,
        higher=higher,
        lower=lower,
    )


def _chance(left: Ints, right: Ints, groups: Ints, values: int) -> float:
    """The expected number of agreeing pairs if partners are permuted within groups."""
    chance = 0.0
    for group in np.unique(groups):
        a, b = left[groups == group], right[groups == group]
        a = a[a >= 0]  # a value that the registry does not have agrees with none
        counts = np.bincount(a, minlength=values + 1) * np.bincount(b, minlength=values + 1)
        chance += float(counts.sum()) / len(b)
    return chance


def _permuted(left: Ints, right: Ints, groups: Ints, draws: RandomStream) -> float:
    """How often permuted partners agree at least as often as the pairs do, the pairs counted too."""
    agree = int((left == right).sum())
    as_often, in_order = 0, left[np.argsort(groups, kind="stable")]
    for _ in range(PERMUTATIONS):
        shuffled = np.lexsort((draws.words(len(groups)), groups))
        as_often += int((in_order == right[shuffled]).sum() >= agree)
    return (1 + as_often) / (1 + PERMUTATIONS)


def filled_alike(rows: PrivateRows, records: Ints, partners: Texts | None) -> Bools:
    """Which pairs have the same linked fields filled on both sides; none where the registry's are unknown."""
    labels = rows.with_role("filled")
    if partners is None or not labels or not len(records):
        return np.zeros(len(records), dtype=bool)
    alike: Bools = np.array([*labels[0].values, "-"])[labels[0].codes[records]] == partners
    return alike


def filled_of(registry_rows: PrivateRows, positions: Ints) -> Texts | None:
    """Which linked fields of registry rows are filled; None where the private rows do not say."""
    labels = registry_rows.with_role("filled")
    return np.array([*labels[0].values, ""])[labels[0].codes[positions]] if labels else None
