"""Graph matching: no pair is known, only who is like whom.

Every encoding that keeps likeness can be laid beside the same people in clear: the graph of who is like whom has the
same shape on both sides, and matching the two graphs names the people (Vidanage and others 2020; Schäfer, Armknecht
and Heng 2024 do it better).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pprl.bits import BitMatrix
from pprl.draws import Draws
from pprl.risk.finding import Finding
from pprl.risk.scheme import Crowd, Scheme, signs

MOST = 800  # people; the assignment takes their cube
PROFILE = 30
EDGES = 0.02
ROUNDS = 15
ASSUMES = "holds a list of exactly these people in clear, and knows how the encodings are made; no key and no pair"
TRIED = (
    "assignment by the highest similarities of each person, then {rounds} rounds of aligning the strongest 2% of edges"
)
SOURCE = (
    "a small form of Vidanage, Christen, Ranbaduge and Schnell (2020), and a lower bound: Schäfer, Armknecht and Heng "
    "(ACSAC 2024) name 80 to 100% of 20,000 people with plain filters where they hold a tenth to all of them; where "
    "they hold all, 1 to 4% at t = 5 and none at t = 8"
)


def graph_matching(crowd: Crowd, scheme: Scheme, bits: BitMatrix, draws: Draws) -> Finding:
    """How many of up to 800 people of the roster are named by the shape of their likenesses alone.

    The attacker's graph is what the scheme gives on average over keys, which is better than one made with a key of his
    own: there is no noise of that key in it. ``bits`` are the encodings of `Crowd.victims`.
    """
    n = min(MOST, crowd.roster)
    chosen = np.arange(n)  # the crowd is shuffled
    order = draws.permutation(n)  # of the encodings, as they are found
    clear = crowd.agreement(chosen, chosen, bits.length, scheme.mixed).astype(np.float64)
    seen = signs(bits)[order]
    found = (seen @ seen.T).astype(np.float64) / bits.length
    np.fill_diagonal(clear, -1)
    np.fill_diagonal(found, -1)
    apart = np.zeros((n, n))
    for left, right in zip(_profiles(clear).T, _profiles(found).T, strict=True):
        apart += np.abs(left[:, None] - right[None, :])
    _, match = linear_sum_assignment(apart)
    edges, other_edges = _strongest(clear), _strongest(found)
    for _ in range(ROUNDS):
        _, match = linear_sum_assignment(edges[:, np.argsort(match)] @ other_edges, maximize=True)
    return Finding(
        "graph matching",
        TRIED.format(rounds=ROUNDS),
        ASSUMES,
        SOURCE,
        n,
        int((order[match] == chosen).sum()),
        n,
    )


def _profiles(likeness: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.sort(-likeness, axis=1)[:, :PROFILE]


def _strongest(likeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """The strongest edges with their weights, the rest 0."""
    upper = likeness[np.triu_indices(len(likeness), 1)]
    return np.where(likeness >= np.quantile(upper, 1 - EDGES), likeness, 0.0) if len(upper) else likeness * 0
