"""Known pairs: whoever learned which encodings belong to m people reads the others off them.

The attacker predicts the encoding of every candidate from those he knows, and gives each encoding the candidate whose
prediction it fits best. ``linear`` (ridge regression of bits on tokens) and ``dice`` (kernel ridge regression with the
Dice coefficient of tokens, cubed) know how likeness works. ``scheme`` knows more: the covariance that the scheme itself
gives to the bits of two people, which makes the prediction the best linear one (simple kriging; Rasmussen and Williams
2006, section 2.2). It also says how sure it is, so the attacker takes those he is 90% sure of as known, and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.preflight.attacks.finding import Finding
from pprl.preflight.attacks.scheme import Crowd, Floats, Places, Scheme, signs

Learner = Literal["linear", "dice", "scheme"]
LEARNERS: tuple[Learner, ...] = ("linear", "dice", "scheme")
RIDGE = {"linear": 0.1, "dice": 0.01, "scheme": 0.005}
LEAST_VARIANCE = 1e-3
SURE = 0.9
ROUNDS = 6
ASSUMES = "knows how the encodings are made, and of {known:,} people of the roster which encodings are theirs; no key"
TRIED = {
    "linear": "ridge regression of bits on tokens",
    "dice": "kernel ridge regression with the Dice coefficient of tokens, cubed",
    "scheme": "best linear prediction of bits from the covariance that the scheme gives them; who is named with 90% "
    "certainty is taken as known, up to five times",
}
SOURCE = "a known-plaintext attack by regression; docs/risk.md §2"


def known_pairs(
    crowd: Crowd, scheme: Scheme, bits: BitMatrix, known: Places, victims: Places, learner: Learner
) -> Finding:
    """How many victims are named, by one who knows whose encodings those of ``known`` are.

    ``bits`` are the encodings of `Crowd.victims`; both places are among these, and nobody is in both. Candidates are
    everybody but the known.
    """
    everyone = np.ones(len(crowd), dtype=bool)
    everyone[known] = False
    candidates = np.flatnonzero(everyone)
    seen = signs(bits)
    score = _scheme if learner == "scheme" else _ridge
    scores = score(_Puzzle(crowd, scheme, known, candidates, seen[known], seen[victims]), learner)
    right = np.searchsorted(candidates, victims)
    rank = _ranks(scores, right, crowd.turn[candidates])
    return Finding(
        "known pairs",
        TRIED[learner],
        ASSUMES.format(known=len(known)),
        SOURCE,
        len(victims),
        int((rank == 0).sum()),
        len(candidates),
        int((rank < 10).sum()),
        len(known),
    )


@dataclass(frozen=True)
class _Puzzle:
    """``known_bits`` and ``victim_bits`` are ±1; the last have shape (victims, length)."""

    crowd: Crowd
    scheme: Scheme
    known: Places
    candidates: Places
    known_bits: Floats
    victim_bits: Floats


def _ranks(scores: Floats, right: Places, turn: Places) -> Places:
    """How many candidates stand before the right one, shape (victims,); among equals those whose turn is earlier."""
    own = scores[np.arange(len(right)), right][:, None]
    equal = (scores == own) & (turn < turn[right][:, None])
    return np.asarray(((scores > own) | equal).sum(axis=1), dtype=np.int64)


def _ridge(puzzle: _Puzzle, learner: Learner) -> Floats:
    """Cosine of encoding and prediction, around the mean of the known encodings."""
    crowd, known, everyone = puzzle.crowd, puzzle.known, puzzle.candidates

    def kernel(left: Places) -> Floats:
        common = crowd.common(left, known)
        if learner == "linear":
            return np.asarray(common / crowd.bits.mean())
        both = crowd.bits[left][:, None] + crowd.bits[known][None, :]
        return np.asarray((2 * common / both) ** 3)

    mean = puzzle.known_bits.mean(axis=0)
    ridge = RIDGE[learner] * np.eye(len(known))
    predicted = kernel(everyone) @ np.linalg.solve(kernel(known) + ridge, puzzle.known_bits - mean)
    predicted /= np.linalg.norm(predicted, axis=1, keepdims=True) + 1e-9
    return np.asarray((puzzle.victim_bits - mean) @ predicted.T)


def _scheme(puzzle: _Puzzle, _learner: Learner) -> Floats:
    """Log-likelihood of each encoding under each prediction, taking bits as normal and independent."""
    crowd, scheme, length = puzzle.crowd, puzzle.scheme, puzzle.victim_bits.shape[1]
    known, seen, everyone = puzzle.known, puzzle.known_bits, puzzle.candidates

    def covariance(left: Places, right: Places) -> Floats:
        means = np.outer(crowd.mean(left, scheme), crowd.mean(right, scheme))
        return crowd.agreement(left, right, scheme) - means

    mean = crowd.mean(everyone, scheme)[:, None]
    reach = covariance(everyone, known)
    taken = np.zeros(len(puzzle.victim_bits), dtype=bool)
    for _ in range(ROUNDS):
        inverse = np.linalg.inv(covariance(known, known) + RIDGE["scheme"] * np.eye(len(known)))
        weights = reach @ inverse
        predicted = mean + weights @ (seen - crowd.mean(known, scheme)[:, None])
        variance = np.maximum(1 - mean[:, 0] ** 2 - (weights * reach).sum(axis=1), LEAST_VARIANCE)
        distance = length + (predicted**2).sum(axis=1) - 2 * puzzle.victim_bits @ predicted.T
        scores = np.asarray(-distance / (2 * variance) - length / 2 * np.log(variance))
        best = scores.argmax(axis=1)
        others = np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)
        sure = others < 1 / SURE
        if not (sure & ~taken).any():
            break
        taken = sure
        known = np.concatenate([puzzle.known, everyone[best[sure]]])
        seen = np.concatenate([puzzle.known_bits, puzzle.victim_bits[sure]])
        reach = np.hstack([reach[:, : len(puzzle.known)], covariance(everyone, everyone[best[sure]])])
    return scores
