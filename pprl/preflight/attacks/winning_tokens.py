"""Winning tokens: known pairs for encodings whose bits are decided by which tokens win the minima.

The best linear prediction (`known_pairs`) expects the same of every bit. But each has its own winners: where tokens
that many people have won all minima of a bit, these people have the same bit for sure, and where rare tokens won,
nobody tells anything about anybody. So known people who share tokens show, by how much they agree in a bit, whether
their tokens won it: among everybody, among those who share tokens with the candidate, and in the other bits of the same
minima. The linear prediction of each bit is scaled by this evidence. How much each part of it is worth is learned from
encodings under a key of the attacker's own, where the truth is known.

Found for this project in November 2026: these are fourth moments of min-wise hashing (Broder 1997), beside the
second ones of kriging.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from pprl.preflight.attacks.known_pairs import RIDGE, named, with_the_certain
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Published

NEAREST = 150  # known people by whom it is seen whether a candidate's tokens won
CALIBRATED = 150  # people by whose encodings under the attacker's own key the evidence is weighed
MOST = 0.98  # the surest prediction of a bit
TRIED = (
    "best linear prediction of bits, scaled for each bit and candidate by how much known people who share tokens "
    "agree; the scale is learned under a key of the attacker's own"
)


@runtime_checkable
class Winning(Protocol):
    """A scheme whose bits are random functions of several minima each, which lie at ``offsets`` from the bit."""

    @property
    def offsets(self) -> tuple[int, ...]: ...


def winning_tokens(pool: CandidatePool, view: Published, known: Indices, targets: Indices) -> AttackResult:
    """As `known_pairs`, for one view of a `Winning` scheme."""
    unknown = np.ones(len(pool), dtype=bool)
    unknown[known] = False
    candidates = np.flatnonzero(unknown)
    learned = with_the_certain([view], known, targets, candidates)
    predicted = predictions(view, learned.people, learned.encodings, candidates)
    scores = log_likelihoods(predicted, view.seen(targets))
    return named(pool, scores, known, targets, candidates, tried=TRIED, attack="known pairs, winning tokens")


def log_likelihoods(predicted: Floats, bits: Floats) -> Floats:
    """Of each row of ``bits`` under each row of predictions E[y]: shape (rows of bits, rows of predictions)."""
    likely = np.clip(predicted, -MOST, MOST).astype(np.float64)
    set_, unset = np.log1p(likely), np.log1p(-likely)
    scores: Floats = (bits @ (set_ - unset).T + (set_ + unset).sum(axis=1)) / 2
    return scores


def predictions(view: Published, known: Indices, encodings: Indices, candidates: Indices) -> Floats:
    """E[y] of every bit of ``candidates`` if ``encodings`` belong to ``known``: shape (candidates, bits)."""
    with_own = known[known < view.pool.target_count]  # only targets are encoded under the attacker's own key
    learnt_from = np.setdiff1d(np.arange(view.pool.target_count), with_own)[:CALIBRATED]
    own = _features(view, with_own, view.own(with_own, 0), learnt_from)
    weights = _weights(own, view.own(learnt_from, 0))
    features = _features(view, known, view.seen(encodings), candidates)
    return np.asarray(np.tanh(np.einsum("f,fcb->cb", weights, features)))


def _features(view: Published, known: Indices, known_bits: Floats, people: Indices) -> Floats:
    """Half the log-odds of each bit by linear prediction, alone and times each kind of evidence that the tokens of many
    people won: shape (5, people, bits)."""
    covariance, among = view.covariance(people, known), view.covariance(known, known)
    alone = np.diag_indices_from(among)
    among[alone] += RIDGE
    explained = cho_solve(cho_factor(among), known_bits)
    among[alone] = 0
    linear = np.arctanh(np.clip(covariance @ explained, -MOST, MOST))
    everybody = _standard(np.sum(explained * (among @ explained), axis=0))
    features = np.empty((5, len(people), known_bits.shape[1]), dtype=np.float32)
    features[0] = linear
    features[1] = linear * everybody
    features[2] = linear * _of_same_minima(view, everybody)
    small, explained = among.astype(np.float32), explained.astype(np.float32)
    for row, likely in enumerate(covariance):
        nearest = np.sort(np.argsort(-likely, kind="stable")[:NEAREST])
        shared = np.sqrt(np.maximum(likely[nearest], 0), dtype=np.float32)[:, None] * explained[nearest]
        beside = _standard(np.sum(shared * (small[np.ix_(nearest, nearest)] @ shared), axis=0))
        features[3, row] = linear[row] * beside
        features[4, row] = linear[row] * _of_same_minima(view, beside)
    return features


def _standard(evidence: Floats) -> Floats:
    """With mean 0 and variance 1 over bits."""
    return np.asarray((evidence - evidence.mean()) / max(float(evidence.std()), 1e-12))


def _of_same_minima(view: Published, evidence: Floats) -> Floats:
    """The mean evidence of the other bits that share a minimum with each bit."""
    assert isinstance(view.scheme, Winning)
    offsets = view.scheme.offsets
    others = [np.roll(evidence, second - first) for first in offsets for second in offsets if first != second]
    return _standard(np.mean(others, axis=0)) if others else np.zeros_like(evidence)


def _weights(features: Floats, right: Floats) -> Floats:
    """Of the features, by logistic regression on bits that are known: shape (features,)."""
    columns, bits = features.reshape(len(features), -1).astype(np.float64), right.ravel()
    linear_alone = np.eye(len(columns))[0]
    weights = linear_alone
    for _ in range(20):
        fitted = np.tanh(weights @ columns)
        curvature = (columns * (1 - fitted**2)) @ columns.T + np.eye(len(columns))
        weights = weights + np.linalg.solve(curvature, columns @ (bits - fitted) - (weights - linear_alone))
    return np.asarray(weights)
