"""Known pairs: an attacker who learned which encodings belong to m people infers the others.

The attacker predicts the encoding of every candidate from the known ones, and gives each encoding the candidate whose
prediction it fits best. The prediction is the best linear one from the covariance that the scheme itself gives to the
bits of two people (simple kriging; Rasmussen and Williams 2006, section 2.2). It also says how certain it is, so the
attacker takes those named with 90% certainty as known, and goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, View

RIDGE = 0.005
MIN_VARIANCE = 1e-3
CERTAINTY = 0.9
ROUNDS = 6
ASSUMES = "knows how the encodings are made, and which encodings belong to {known:,} people of the roster; no key"
TRIED = (
    "best linear prediction of bits from the covariance that the scheme gives them; people named with 90% certainty "
    "are taken as known, up to five times"
)
SOURCE = "a known-plaintext attack by regression; docs/risk.md §2"


def known_pairs(pool: CandidatePool, views: Sequence[View], known: Indices, targets: Indices) -> AttackResult:
    """How many of ``targets`` are named by an attacker who knows the encodings of ``known``.

    ``views`` are encodings of `CandidatePool.targets`; both index arrays refer to these and do not overlap. The
    candidates are everybody except the known.
    """
    unknown = np.ones(len(pool), dtype=bool)
    unknown[known] = False
    candidates = np.flatnonzero(unknown)
    scores = with_the_certain(views, known, targets, candidates).scores
    return named(pool, scores, known, targets, candidates, tried=TRIED)


def named(
    pool: CandidatePool,
    scores: Floats,
    known: Indices,
    targets: Indices,
    candidates: Indices,
    *,
    tried: str,
    attack: str = "known pairs",
) -> AttackResult:
    """What scores of shape (targets, candidates) achieve when each target is given the best candidate."""
    ranks = _ranks(scores, np.searchsorted(candidates, targets), pool.tie_order[candidates])
    return AttackResult(
        attack=attack,
        tried=tried,
        assumes=ASSUMES.format(known=len(known)),
        source=SOURCE,
        attacked=len(targets),
        named=int((ranks == 0).sum()),
        candidates=len(candidates),
        top_ten=int((ranks < 10).sum()),
        known=len(known),
    )


def log_likelihoods(
    views: Sequence[View], known: Indices, seen: Indices, candidates: Indices, encodings: Indices
) -> Floats:
    """How well each of ``encodings`` fits the prediction for each of ``candidates``: shape (encodings, candidates).

    The encodings numbered ``seen`` belong to the people ``known``. Bits are treated as normal and independent.
    """
    learners = [_Learner(view, candidates) for view in views]
    known_bits, bits = ([view.seen(rows) for view in views] for rows in (seen, encodings))
    scores: Floats = np.sum(
        [
            learner.scores(known, of_known, each)
            for learner, of_known, each in zip(learners, known_bits, bits, strict=True)
        ],
        axis=0,
    )
    return scores


@dataclass(frozen=True, eq=False)
class Learned:
    """``scores`` are log-likelihoods, shape (targets, candidates).

    They follow from ``people``, the known and those named with certainty, whose encodings ``encodings`` numbers.
    """

    scores: Floats
    people: Indices
    encodings: Indices


def with_the_certain(views: Sequence[View], known: Indices, targets: Indices, candidates: Indices) -> Learned:
    """What is learned once those who are named with certainty are known too."""
    learners = [_Learner(view, candidates) for view in views]
    known_bits, bits = ([view.seen(rows) for view in views] for rows in (known, targets))
    taken = np.zeros(len(targets), dtype=bool)
    people, seen, encodings = known, known_bits, known
    for _ in range(ROUNDS):
        scores = np.sum(
            [learner.scores(people, *each) for learner, *each in zip(learners, seen, bits, strict=True)], axis=0
        )
        learned = Learned(np.asarray(scores), people, encodings)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)  # 1 over the best one's probability
        certain = odds < 1 / CERTAINTY
        if not (certain & ~taken).any():
            break
        taken = certain
        people = np.concatenate([known, candidates[scores[certain].argmax(axis=1)]])
        seen = [np.concatenate([before, new[certain]]) for before, new in zip(known_bits, bits, strict=True)]
        encodings = np.concatenate([known, targets[certain]])
    return learned


@dataclass(frozen=True)
class _Learner:
    """Predicts the encodings of ``candidates`` in one view."""

    view: View
    candidates: Indices

    def scores(self, known: Indices, known_bits: Floats, bits: Floats) -> Floats:
        """Log-likelihood of each row of ``bits`` under each prediction; rows as in `View.seen`."""
        view, length = self.view, bits.shape[1]
        mean, mean_known = view.mean(self.candidates)[:, None], view.mean(known)[:, None]
        covariance = view.covariance(self.candidates, known)
        of_known = view.covariance(known, known) + RIDGE * np.eye(len(known))
        weights = np.linalg.solve(of_known, covariance.T).T
        predicted = mean + weights @ (known_bits - mean_known)
        variance = np.maximum(1 - mean[:, 0] ** 2 - (weights * covariance).sum(axis=1), MIN_VARIANCE)
        distance = length + (predicted**2).sum(axis=1) - 2 * bits @ predicted.T
        return np.asarray(-distance / (2 * variance) - length / 2 * np.log(variance))


def _ranks(scores: Floats, right: Indices, tie_order: Indices) -> Indices:
    """How many candidates come before the right one, shape (targets,); equal scores go by ``tie_order``."""
    right_scores = scores[np.arange(len(right)), right][:, None]
    tied_before = (scores == right_scores) & (tie_order < tie_order[right][:, None])
    return np.asarray(((scores > right_scores) | tied_before).sum(axis=1), dtype=np.int64)
