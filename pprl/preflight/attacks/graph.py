"""Graph matching: no pair is known, only who is like whom.

Every encoding that keeps likeness can be laid beside the same people in clear: the graph of who is like whom has the
same shape on both sides, and matching the two graphs names the people (Vidanage and others 2020; Schäfer, Armknecht
and Heng 2024).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.finding import Finding
from pprl.preflight.attacks.scheme import Crowd, Floats, Places, Scheme, signs

MOST = 800  # people; each round takes their cube
PROFILE = 100
ROUNDS = 60
SOLVED = 0.99  # of what the right match is expected to reach
ASSUMES = "holds a list of exactly these people in clear, and knows how the encodings are made; no key and no pair"
TRIED = (
    f"assignment by each person's {PROFILE} highest likenesses, then up to {ROUNDS} rounds of assignment by all edges "
    "of the two graphs, from two starts; the round whose graphs lie best on each other is kept"
)
SOURCE = (
    "the idea is that of Vidanage, Christen, Ranbaduge and Schnell (2020). A lower bound: more starts name more, and "
    "Schäfer, Armknecht and Heng (ACSAC 2024) name 80 to 100% of 20,000 people with plain filters while holding a "
    "tenth to all of them"
)


def graph_matching(crowd: Crowd, scheme: Scheme, bits: BitMatrix, draws: RandomStream, tries: int = 1) -> Finding:
    """How many of up to 800 people of the roster are named by the shape of their likenesses alone.

    The attacker's graph is what the scheme gives on average over keys, which is better than one made with a key of his
    own: there is no noise of that key in it. ``bits`` are the encodings of `Crowd.victims`. Each of ``tries`` takes the
    encodings in another order, which settles ties otherwise; the attacker sees which try lies best, and so does this.

    Each round is a step of the projected fixed point for the quadratic assignment max Σ A_ij B_m(i)m(j) over matches m.
    """
    n = min(MOST, crowd.roster)
    chosen = np.arange(n)  # the crowd is shuffled
    likeness = crowd.agreement(chosen, chosen, scheme)
    mean = crowd.mean(chosen, scheme)
    clear = likeness - np.outer(mean, mean)
    expected = SOLVED * (_edges(clear) ** 2).sum()
    named, best = 0, -np.inf
    for _ in range(tries):
        order = draws.permutation(n)  # of the encodings, as they are found
        seen = signs(BitMatrix(bits.words[:n]))[order]
        centred = _products(seen - seen.mean(axis=1, keepdims=True))
        for own, theirs in ((likeness, _products(seen)), (clear, centred)):  # how full a row is tells, or misleads
            if best < expected:
                match, laid = _laid_over(_edges(clear), _edges(centred), _by_profiles(own, theirs))
                if laid > best:
                    named, best = int((order[match] == chosen).sum()), laid
    tried = TRIED if tries == 1 else f"{TRIED}; {tries} times anew, of which the best is kept"
    return Finding("graph matching", tried, ASSUMES, SOURCE, n, named, n)


def _laid_over(clear: Floats, found: Floats, match: Places) -> tuple[Places, float]:
    """The best match on the way, and Σ A_ij B_m(i)m(j) of it."""
    best, laid = match, -np.inf
    for _ in range(ROUNDS):
        before, (_, match) = match, linear_sum_assignment(clear[:, np.argsort(match)] @ found, maximize=True)
        reached = float((clear * found[np.ix_(match, match)]).sum())
        if reached > laid:
            best, laid = match, reached
        if np.array_equal(match, before):
            break
    return best, laid


def _by_profiles(own: Floats, theirs: Floats) -> Places:
    """The assignment that brings each person's highest likenesses closest."""
    apart = np.zeros(own.shape)
    for left, right in zip(_profiles(own).T, _profiles(theirs).T, strict=True):
        apart += np.abs(left[:, None] - right[None, :])
    _, match = linear_sum_assignment(apart)
    return np.asarray(match)


def _products(rows: Floats) -> Floats:
    return np.asarray((rows @ rows.T) / rows.shape[1])


def _edges(likeness: Floats) -> Floats:
    return likeness * (1 - np.eye(len(likeness)))


def _profiles(likeness: Floats) -> Floats:
    """The highest likenesses of each person to others, falling."""
    others = likeness - 2 * np.eye(len(likeness))
    return -np.sort(-others, axis=1)[:, :PROFILE]
