"""Who is whose partner, and how often chance hands one out.

Rows of the list get partners one to one, by the assignment that makes the sum of similarities above the floor
largest. What chance gives is measured by newcomers: each decoy in turn joins the finished assignment alone, and takes
a registry row only where it gains more than the list would lose. So a decoy meets just what an absent person met:
everybody who is present, and the other absent people, but no crowd of decoys. All arrivals are computed at once from
the prices of the registry rows. `docs/statistics.md` says why this rule and not another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
UNIT = 2.0**30  # gains are whole numbers of 2^-30, so that sums of them are exact and no rounding decides a tie


@dataclass(frozen=True)
class Candidates:
    """Of each row its best registry rows: ``ids`` (rows, keep), −1 for none, and ``dice`` (rows, keep), best first."""

    ids: Ints
    dice: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def best(self) -> Floats:
        return self.dice[:, 0]

    def take(self, rows: Ints) -> Candidates:
        return Candidates(self.ids[rows], self.dice[rows])


@dataclass(frozen=True)
class Partners:
    """The registry row of each row (−1 for none) and its similarity (0 for none)."""

    ids: Ints
    dice: Floats


def gains(candidates: Candidates, floor: Floats) -> Floats:
    """Similarity above the floor in units of 2^-30, −1 where there is no candidate: whole numbers, (rows, keep)."""
    gain = np.rint(candidates.dice * UNIT) - np.rint(floor * UNIT)[:, None]
    return np.where(candidates.ids == NONE, -1.0, gain)


def assign(candidates: Candidates, floor: Floats) -> Partners:
    """One-to-one partners with the largest sum of (similarity − floor); ``floor`` is one number for each row.

    A row may stay alone. Solved as a sparse assignment with one place of its own for every row (Jonker & Volgenant
    1987).
    """
    rows = len(candidates)
    gain = gains(candidates, floor)
    allowed = gain > 0
    if not allowed.any():
        return Partners(np.full(rows, NONE, dtype=np.int64), np.zeros(rows))
    theirs, column = np.unique(candidates.ids[allowed], return_inverse=True)
    row = np.nonzero(allowed)[0]
    alone = np.arange(rows)
    costs = csr_array(
        (
            np.concatenate([2 * UNIT - gain[allowed], np.full(rows, 2 * UNIT)]),
            (np.concatenate([row, alone]), np.concatenate([column, len(theirs) + alone])),
        ),
        shape=(rows, len(theirs) + rows),
    )
    left, right = min_weight_full_bipartite_matching(costs)
    taken = right < len(theirs)
    ids = np.full(rows, NONE, dtype=np.int64)
    ids[left[taken]] = theirs[right[taken]]
    return Partners(
        ids,
        np.where((candidates.ids == ids[:, None]) & (ids[:, None] != NONE), candidates.dice, 0.0).max(axis=1),
    )


def ambiguous(candidates: Candidates, partners: Partners) -> Bools:
    """Rows whose partner is a matter of order: an equally good one was free, or an equally good suitor went without."""
    owner_dice = np.zeros(max(int(candidates.ids.max(initial=0)), int(partners.ids.max(initial=0))) + 2)
    owner_dice[partners.ids] = np.where(partners.ids == NONE, 0.0, partners.dice)
    owner_dice[NONE] = 2.0
    here = (partners.ids != NONE)[:, None]
    other = here & (candidates.ids != NONE) & (candidates.ids != partners.ids[:, None])
    free_equal = other & (candidates.dice == partners.dice[:, None]) & (owner_dice[candidates.ids] <= candidates.dice)
    suitor = (candidates.ids != NONE) & (candidates.ids != partners.ids[:, None])
    suitor &= (candidates.dice == owner_dice[candidates.ids]) & (partners.dice[:, None] < candidates.dice)
    contested = np.isin(partners.ids, candidates.ids[suitor])
    unsure: Bools = (partners.ids != NONE) & (free_equal.any(axis=1) | contested)
    return unsure


def prices(candidates: Candidates, floor: Floats, partners: Partners) -> Floats:
    """What the list would lose if a registry row were taken away, by id, in units of 2^-30; 0 where nobody has it.

    Shape (largest id + 2,); the last entry, 0, stands for "no row".

    The largest competitive prices of the assignment (Shapley & Shubik 1971): the owner of a row loses its gain there
    less the best it could have elsewhere, at the prices there. Found by relaxing from above until nothing moves.
    """
    price = np.zeros(int(candidates.ids.max(initial=NONE)) + 2)
    owners = np.flatnonzero(partners.ids != NONE)
    gain = gains(candidates.take(owners), floor[owners])
    ids, theirs = candidates.ids[owners], partners.ids[owners]
    mine = ids == theirs[:, None]
    elsewhere = (gain > 0) & ~mine
    here = np.where(mine, gain, 0.0).max(axis=1, initial=0.0)
    price[theirs] = here
    while True:
        best_elsewhere = np.where(elsewhere, gain - price[ids], 0.0).max(axis=1, initial=0.0)
        relaxed = here - best_elsewhere
        if (relaxed >= price[theirs]).all():
            return price
        price[theirs] = np.minimum(price[theirs], relaxed)


def arrivals(candidates: Candidates, floor: Floats, price: Floats) -> Floats:
    """The similarity of the partner each row would get if it alone joined the assignment, 0 for none: shape (rows,).

    A newcomer gets the registry row where its gain most exceeds the price, or none where it exceeds none.
    """
    known = np.where(
        candidates.ids < len(price) - 1, candidates.ids, NONE
    )  # a row nobody of the list is near costs nothing
    surplus = gains(candidates, floor) - price[known]
    choice = surplus.argmax(axis=1)
    row = np.arange(len(candidates))
    return np.where(surplus[row, choice] > 0, candidates.dice[row, choice], 0.0)
