"""Graph matching: no pair is known, only who is similar to whom.

Any encoding that preserves similarity can be compared with the same people in clear: the graph of who is similar to
whom has the same shape on both sides, and matching the two graphs names the people (Vidanage and others 2020; Schäfer,
Armknecht and Heng 2024).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Scheme, signs

MAX_PEOPLE = 800  # each round takes time proportional to their cube
PROFILE = 100
ROUNDS = 60
SOLVED = 0.99  # share of the right match's expected fit at which no further start is tried
ASSUMES = "holds a list of exactly these people in clear, and knows how the encodings are made; no key and no pair"
TRIED = (
    f"assignment by each person's {PROFILE} highest similarities, then up to {ROUNDS} rounds of assignment by all "
    "edges of the two graphs, from two starting points; the round in which the graphs fit best is kept"
)
SOURCE = (
    "the idea is from Vidanage, Christen, Ranbaduge and Schnell (2020). A lower bound: more starting points name more, "
    "and Schäfer, Armknecht and Heng (ACSAC 2024) name 80 to 100% of 20,000 people with plain filters while holding a "
    "tenth to all of them"
)


def graph_matching(
    pool: CandidatePool, scheme: Scheme, bits: BitMatrix, draws: RandomStream, tries: int = 1
) -> AttackResult:
    """How many of up to 800 people of the roster are named by the pattern of their similarities alone.

    The attacker's graph is what the scheme gives on average over keys, which is better than one made with a key of
    their own: it has none of that key's noise. ``bits`` are the encodings of `CandidatePool.targets`. Each of ``tries``
    takes the encodings in another order, which settles ties differently; the attacker sees which try fits best, and so
    does this function.

    Each round is a step of the projected fixed point for the quadratic assignment max Σ A_ij B_m(i)m(j) over matches m.
    """
    n = min(MAX_PEOPLE, pool.target_count)
    chosen = np.arange(n)  # the pool is shuffled
    similarity = pool.agreement(chosen, chosen, scheme)
    mean = pool.mean(chosen, scheme)
    clear = similarity - np.outer(mean, mean)
    expected = SOLVED * (_edges(clear) ** 2).sum()
    named, best = 0, -np.inf
    for _ in range(tries):
        order = draws.permutation(n)  # in which the attacker has the encodings
        seen = signs(BitMatrix(bits.words[:n]))[order]
        centred = _products(seen - seen.mean(axis=1, keepdims=True))
        # How full a row is may help or mislead, so one start uses it and the other does not.
        for expected_similarity, seen_similarity in ((similarity, _products(seen)), (clear, centred)):
            if best < expected:
                start = _match_profiles(expected_similarity, seen_similarity)
                match, fit = _improved(_edges(clear), _edges(centred), start)
                if fit > best:
                    named, best = int((order[match] == chosen).sum()), fit
    return AttackResult(
        attack="graph matching",
        tried=TRIED if tries == 1 else f"{TRIED}; repeated {tries} times, keeping the best",
        assumes=ASSUMES,
        source=SOURCE,
        attacked=n,
        named=named,
        candidates=n,
    )


def _improved(clear: Floats, seen: Floats, match: Indices) -> tuple[Indices, float]:
    """The best match on the way, and its Σ A_ij B_m(i)m(j)."""
    best, best_fit = match, -np.inf
    for _ in range(ROUNDS):
        before, (_, match) = match, linear_sum_assignment(clear[:, np.argsort(match)] @ seen, maximize=True)
        fit = float((clear * seen[np.ix_(match, match)]).sum())
        if fit > best_fit:
            best, best_fit = match, fit
        if np.array_equal(match, before):
            break
    return best, best_fit


def _match_profiles(expected: Floats, seen: Floats) -> Indices:
    """The assignment that brings each person's highest similarities closest."""
    distance = np.zeros(expected.shape)
    for left, right in zip(_profiles(expected).T, _profiles(seen).T, strict=True):
        distance += np.abs(left[:, None] - right[None, :])
    _, match = linear_sum_assignment(distance)
    return np.asarray(match)


def _products(rows: Floats) -> Floats:
    return np.asarray((rows @ rows.T) / rows.shape[1])


def _edges(similarity: Floats) -> Floats:
    return similarity * (1 - np.eye(len(similarity)))


def _profiles(similarity: Floats) -> Floats:
    """The highest similarities of each person to others, falling."""
    others = similarity - 2 * np.eye(len(similarity))
    return -np.sort(-others, axis=1)[:, :PROFILE]
