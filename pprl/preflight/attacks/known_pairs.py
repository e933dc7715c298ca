"""Known pairs: an attacker who learned which encodings belong to m people infers the others.

The attacker predicts the encoding of every candidate from the known ones, and gives each encoding the candidate whose
prediction it fits best. ``linear`` (ridge regression of bits on tokens) and ``dice`` (kernel ridge regression with the
Dice coefficient of tokens, cubed) know how similarity works. ``scheme`` knows more: the covariance that the scheme
itself gives to the bits of two people, which makes the prediction the best linear one (simple kriging; Rasmussen and
Williams 2006, section 2.2). It also says how certain it is, so the attacker takes those named with 90% certainty as
known, and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Scheme, signs

Learner = Literal["linear", "dice", "scheme"]
LEARNERS: tuple[Learner, ...] = ("linear", "dice", "scheme")
RIDGE = {"linear": 0.1, "dice": 0.01, "scheme": 0.005}
MIN_VARIANCE = 1e-3
CERTAINTY = 0.9
ROUNDS = 6
ASSUMES = "knows how the encodings are made, and which encodings belong to {known:,} people of the roster; no key"
TRIED = {
    "linear": "ridge regression of bits on tokens",
    "dice": "kernel ridge regression with the Dice coefficient of tokens, cubed",
    "scheme": "best linear prediction of bits from the covariance that the scheme gives them; people named with 90% "
    "certainty are taken as known, up to five times",
}
SOURCE = "a known-plaintext attack by regression; docs/risk.md §2"


def known_pairs(
    pool: CandidatePool, scheme: Scheme, bits: BitMatrix, known: Indices, targets: Indices, learner: Learner
) -> AttackResult:
    """How many of ``targets`` are named by an attacker who knows the encodings of ``known``.

    ``bits`` are the encodings of `CandidatePool.targets`; both index arrays refer to these and do not overlap. The
    candidates are everybody except the known.
    """
    unknown = np.ones(len(pool), dtype=bool)
    unknown[known] = False
    candidates = np.flatnonzero(unknown)
    seen = signs(bits)
    puzzle = _Puzzle(
        pool=pool,
        scheme=scheme,
        known=known,
        candidates=candidates,
        known_bits=seen[known],
        target_bits=seen[targets],
    )
    scores = _scheme_scores(puzzle) if learner == "scheme" else _ridge_scores(puzzle, learner)
    ranks = _ranks(scores, np.searchsorted(candidates, targets), pool.tie_order[candidates])
    return AttackResult(
        attack="known pairs",
        tried=TRIED[learner],
        assumes=ASSUMES.format(known=len(known)),
        source=SOURCE,
        attacked=len(targets),
        named=int((ranks == 0).sum()),
        candidates=len(candidates),
        top_ten=int((ranks < 10).sum()),
        known=len(known),
    )


@dataclass(frozen=True, kw_only=True)
class _Puzzle:
    """``known_bits`` and ``target_bits`` are ±1, of shape (people, length)."""

    pool: CandidatePool
    scheme: Scheme
    known: Indices
    candidates: Indices
    known_bits: Floats
    target_bits: Floats

    def covariance(self, left: Indices, right: Indices) -> Floats:
        """The covariance of two people's bits over keys, shape (left, right)."""
        means = np.outer(self.pool.mean(left, self.scheme), self.pool.mean(right, self.scheme))
        return self.pool.agreement(left, right, self.scheme) - means


def _ranks(scores: Floats, right: Indices, tie_order: Indices) -> Indices:
    """How many candidates come before the right one, shape (targets,); equal scores go by ``tie_order``."""
    right_scores = scores[np.arange(len(right)), right][:, None]
    tied_before = (scores == right_scores) & (tie_order < tie_order[right][:, None])
    return np.asarray(((scores > right_scores) | tied_before).sum(axis=1), dtype=np.int64)


def _ridge_scores(puzzle: _Puzzle, learner: Learner) -> Floats:
    """Cosine of encoding and prediction, around the mean of the known encodings."""
    pool, known = puzzle.pool, puzzle.known

    def kernel(left: Indices) -> Floats:
        common = pool.common(left, known)
        if learner == "linear":
            return np.asarray(common / pool.bits.mean())
        total = pool.bits[left][:, None] + pool.bits[known][None, :]
        return np.asarray((2 * common / total) ** 3)

    mean = puzzle.known_bits.mean(axis=0)
    ridge = RIDGE[learner] * np.eye(len(known))
    predicted = kernel(puzzle.candidates) @ np.linalg.solve(kernel(known) + ridge, puzzle.known_bits - mean)
    predicted /= np.linalg.norm(predicted, axis=1, keepdims=True) + 1e-9
    return np.asarray((puzzle.target_bits - mean) @ predicted.T)


def _scheme_scores(puzzle: _Puzzle) -> Floats:
    """Log-likelihood of each encoding under each prediction, treating bits as normal and independent."""
    pool, scheme, candidates = puzzle.pool, puzzle.scheme, puzzle.candidates
    known, seen, length = puzzle.known, puzzle.known_bits, puzzle.target_bits.shape[1]
    mean = pool.mean(candidates, scheme)[:, None]
    covariance = puzzle.covariance(candidates, known)
    named = np.zeros(len(puzzle.target_bits), dtype=bool)
    for _ in range(ROUNDS):
        inverse = np.linalg.inv(puzzle.covariance(known, known) + RIDGE["scheme"] * np.eye(len(known)))
        weights = covariance @ inverse
        predicted = mean + weights @ (seen - pool.mean(known, scheme)[:, None])
        variance = np.maximum(1 - mean[:, 0] ** 2 - (weights * covariance).sum(axis=1), MIN_VARIANCE)
        distance = length + (predicted**2).sum(axis=1) - 2 * puzzle.target_bits @ predicted.T
        scores = np.asarray(-distance / (2 * variance) - length / 2 * np.log(variance))
        best = scores.argmax(axis=1)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)  # 1 over the best one's probability
        certain = odds < 1 / CERTAINTY
        if not (certain & ~named).any():
            break
        named = certain
        newly_known = candidates[best[certain]]
        known = np.concatenate([puzzle.known, newly_known])
        seen = np.concatenate([puzzle.known_bits, puzzle.target_bits[certain]])
        covariance = np.hstack([covariance[:, : len(puzzle.known)], puzzle.covariance(candidates, newly_known)])
    return scores
