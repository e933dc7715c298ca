"""A person's spellings: how similar they are to each other can be predicted without a key, and is seen in encodings.

The labels of a list say which of its encodings are spellings of one person. Their similarities among each other, in
falling order, are compared with those of everybody whose spellings are known in clear.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from pprl.core.arrays import cumcount
from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import Floats, Indices, Scheme, signs
from pprl.roster.people import People


def own_spellings(scheme: Scheme, people: People, bits: BitMatrix, owner: Indices, draws: RandomStream) -> AttackResult:
    """How many people of two or more spellings are named by these alone, among those with as many spellings.

    ``people`` are spellings, ``bits`` their encodings and ``owner`` the number of the person of each.
    """
    spellings = np.bincount(owner)
    attacked = np.flatnonzero(spellings >= 2)
    turn, named, candidates = cumcount(owner), 0, 0
    tokens = scheme.bits_of_tokens(people)
    sizes = np.asarray(tokens.multiply(tokens).sum(axis=1)).ravel()
    for count in np.unique(spellings[attacked]).tolist():
        persons = np.flatnonzero(spellings == count)
        rows = np.empty((len(persons), count), dtype=np.int64)
        for number in range(count):
            of_turn = np.flatnonzero((spellings[owner] == count) & (turn == number))
            rows[np.searchsorted(persons, owner[of_turn]), number] = of_turn
        left, right = np.triu_indices(count, 1)
        of_persons = (signs(BitMatrix(bits.words[own])) for own in rows)
        seen = np.sort([(bit[left] * bit[right]).mean(axis=1) for bit in of_persons])
        common = np.asarray(tokens[rows[:, left].ravel()].multiply(tokens[rows[:, right].ravel()]).sum(axis=1))
        between = (sizes[rows[:, left].ravel()], sizes[rows[:, right].ravel()], common.ravel())
        expected = np.sort(np.asarray(scheme.agreement(*between)).reshape(seen.shape))
        order = draws.permutation(len(persons))
        _, given = linear_sum_assignment(_distance(seen[order], expected))
        named += int((given == order).sum())
        candidates = max(candidates, len(persons))
    return AttackResult(
        attack="own spellings",
        tried="the similarities among a person's spellings, compared with those of everybody who has as many",
        assumes="has everybody's spellings in clear, and knows how the encodings are made and which belong together",
        source="found for this project in November 2026",
        attacked=len(attacked),
        named=named,
        candidates=candidates,
    )


def _distance(seen: Floats, expected: Floats) -> Floats:
    """Sum of squares, shape (people, people)."""
    distance = np.zeros((len(seen), len(expected)))
    for a, b in zip(seen.T, expected.T, strict=True):
        distance += (a[:, None] - b[None, :]) ** 2
    return distance
