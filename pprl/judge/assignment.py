"""Who is whose partner, and how often chance gives a partner.

People on the list get partners one to one, by the assignment with the largest sum of similarities above the floor.
Newcomers measure what chance gives: each decoy joins the finished assignment alone, and takes a registry record only
where it gains more than the list would lose. So a decoy has the competitors of an absent person, the present and the
other absent people, but no other decoys. All arrivals are computed at once from the prices of the registry records.
`docs/statistics.md` says why this rule was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from pprl.core.arrays import cumcount

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
UNIT = 2.0**30  # gains are whole numbers of 2^-30, so that sums of them are exact and no rounding decides a tie


@dataclass(frozen=True)
class Candidates:
    """The best registry records of each row: ``ids`` (rows, keep), −1 for none, and ``dice`` (rows, keep), best
    first."""

    ids: Ints
    dice: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def best(self) -> Floats:
        return self.dice[:, 0]

    def take(self, rows: Ints) -> Candidates:
        return Candidates(self.ids[rows], self.dice[rows])

    def best_of(self, stands_for: Ints) -> Candidates:
        """Each row with the candidates of all its spellings: every registry record once, at its best similarity, best
        first.

        ``stands_for`` is, for each row, the index of the row that it is a further spelling of, or its own index.
        """
        several = np.bincount(stands_for, minlength=len(self)) > 1
        in_order = np.sort(self.ids, axis=1)
        repeated = ((in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] != NONE)).any(axis=1)
        several[stands_for[repeated]] = True
        row, slot = np.nonzero((self.ids != NONE) & several[stands_for][:, None])
        owner, record, dice = stands_for[row], self.ids[row, slot], self.dice[row, slot]
        order = np.lexsort((slot, row, -dice, owner))
        owner, record, dice = owner[order], record[order], dice[order]
        first = np.sort(np.unique(np.stack([owner, record], axis=1), axis=0, return_index=True)[1])
        owner, record, dice = owner[first], record[first], dice[first]
        rank = cumcount(owner)
        kept = rank < self.ids.shape[1]
        ids, best = self.ids.copy(), self.dice.copy()
        ids[several], best[several] = NONE, 0.0
        ids[owner[kept], rank[kept]], best[owner[kept], rank[kept]] = record[kept], dice[kept]
        return Candidates(ids, best)


@dataclass(frozen=True)
class Partners:
    """The registry record of each row (−1 for none) and its similarity (0 for none)."""

    ids: Ints
    dice: Floats


def gains(candidates: Candidates, floor: Floats) -> Floats:
    """Similarity above the floor in units of 2^-30, −1 where there is no candidate: whole numbers, (rows, keep)."""
    gain = np.rint(candidates.dice * UNIT) - np.rint(floor * UNIT)[:, None]
    return np.where(candidates.ids == NONE, -1.0, gain)


def assign(candidates: Candidates, floor: Floats) -> Partners:
    """One-to-one partners with the largest sum of (similarity − floor); ``floor`` is one number for each row.

    A row may stay alone. Solved as a sparse assignment in which every row has a column of its own for staying alone
    (Jonker & Volgenant 1987).
    """
    rows = len(candidates)
    gain = gains(candidates, floor)
    allowed = gain > 0
    if not allowed.any():
        return Partners(np.full(rows, NONE, dtype=np.int64), np.zeros(rows))
    records, column = np.unique(candidates.ids[allowed], return_inverse=True)
    row = np.nonzero(allowed)[0]
    alone = np.arange(rows)
    costs = csr_array(
        (
            np.concatenate([2 * UNIT - gain[allowed], np.full(rows, 2 * UNIT)]),
            (np.concatenate([row, alone]), np.concatenate([column, len(records) + alone])),
        ),
        shape=(rows, len(records) + rows),
    )
    left, right = min_weight_full_bipartite_matching(costs)
    taken = right < len(records)
    ids = np.full(rows, NONE, dtype=np.int64)
    ids[left[taken]] = records[right[taken]]
    matched = (candidates.ids == ids[:, None]) & (ids[:, None] != NONE)
    return Partners(ids, np.where(matched, candidates.dice, 0.0).max(axis=1))


def prices(candidates: Candidates, floor: Floats, partners: Partners) -> Floats:
    """What the list would lose if a registry record were taken away, by id, in units of 2^-30; 0 for records that
    nobody has.

    Shape (largest id + 2,); the last entry, 0, is for "no record".

    The largest competitive prices of the assignment (Shapley & Shubik 1971): the row that has a record loses its gain
    there less the most it could gain elsewhere, at the prices there. Found by relaxing from above until nothing moves.
    """
    price = np.zeros(int(candidates.ids.max(initial=NONE)) + 2)
    owners = np.flatnonzero(partners.ids != NONE)
    gain = gains(candidates.take(owners), floor[owners])
    ids, owned = candidates.ids[owners], partners.ids[owners]
    is_owned = ids == owned[:, None]
    elsewhere = (gain > 0) & ~is_owned
    own_gain = np.where(is_owned, gain, 0.0).max(axis=1, initial=0.0)
    price[owned] = own_gain
    suitor, slot = np.nonzero(elsewhere)
    wanted = csr_array((np.ones(len(suitor)), (ids[suitor, slot], suitor)), shape=(len(price), len(owners)))
    stale = np.arange(len(owners))
    while len(stale):  # only rows that could move to a record that has become cheaper are computed again
        best_elsewhere = np.where(elsewhere[stale], gain[stale] - price[ids[stale]], 0.0).max(axis=1, initial=0.0)
        relaxed = own_gain[stale] - best_elsewhere
        cheaper = relaxed < price[owned[stale]]
        price[owned[stale[cheaper]]] = relaxed[cheaper]
        stale = np.unique(wanted[owned[stale[cheaper]]].indices)
    return price


def ambiguous(candidates: Candidates, floor: Floats, partners: Partners, price: Floats) -> Bools:
    """Rows whose partner is decided by order alone: another assignment with the same sum does not have the pair.

    By complementary slackness every best assignment uses tight edges only, those whose gain is the row's surplus plus
    the price. A pair can be exchanged if and only if it lies on a cycle of tight edges, taken alternately out of and
    into the assignment, where one more node represents staying alone at no loss (rows of surplus or price 0).
    """
    rows, last = len(candidates), len(price)
    gain = gains(candidates, floor)
    owner = np.flatnonzero(partners.ids != NONE)
    is_partner = (candidates.ids == partners.ids[:, None]) & (partners.ids != NONE)[:, None]
    surplus = np.where(is_partner, gain, 0.0).max(axis=1, initial=0.0)
    surplus[owner] -= price[partners.ids[owner]]
    tight = (gain > 0) & ~is_partner & (gain == surplus[:, None] + price[candidates.ids])
    left, slot = np.nonzero(tight)
    taken = np.zeros(last, dtype=bool)
    taken[partners.ids[owner]] = True
    outside = rows + last
    single = np.flatnonzero(partners.ids == NONE)
    no_loss = owner[surplus[owner] == 0]
    free = np.flatnonzero(~taken)
    cheap = np.flatnonzero(taken & (price == 0))
    edges = [
        (left, rows + candidates.ids[left, slot]),  # a row could move there
        (rows + partners.ids[owner], owner),  # its owner has to leave
        (np.full(len(single), outside), single),
        (no_loss, np.full(len(no_loss), outside)),
        (rows + free, np.full(len(free), outside)),
        (np.full(len(cheap), outside), rows + cheap),
    ]
    start, end = (np.concatenate(part) for part in zip(*edges, strict=True))
    graph = csr_array((np.ones(len(start)), (start, end)), shape=(outside + 1, outside + 1))
    _, cycle = connected_components(graph, directed=True, connection="strong")
    unsure = np.zeros(rows, dtype=bool)
    unsure[owner] = cycle[owner] == cycle[rows + partners.ids[owner]]
    return unsure


def surplus(candidates: Candidates, floor: Floats, price: Floats) -> Floats:
    """What each row would gain by each of its records if it alone joined the assignment: shape (rows, keep)."""
    # A record that nobody on the list comes near costs nothing.
    known = np.where(candidates.ids < len(price) - 1, candidates.ids, NONE)
    return gains(candidates, floor) - price[known]


def lone_arrivals(candidates: Candidates, floor: Floats, price: Floats) -> Floats:
    """The similarity of the partner each row would get if it alone joined the assignment, 0 for none: shape (rows,).

    A newcomer gets the registry record where its gain most exceeds the price, or none where it exceeds none.
    """
    gained = surplus(candidates, floor, price)
    choice = gained.argmax(axis=1)
    row = np.arange(len(candidates))
    return np.where(gained[row, choice] > 0, candidates.dice[row, choice], 0.0)
