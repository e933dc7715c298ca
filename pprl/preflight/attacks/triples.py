"""Known pairs in threes: where bits are XORs, the XOR of three known encodings is as good as the encoding of one more.

Four names often make a parallelogram: Ivan Petrov, Ivan Orlov, Oleg Petrov, and a candidate Oleg Orlov. Their filters,
XORed, are nearly empty, whatever the key, so the XOR of three known encodings is similar to the encoding of the fourth
person even if nobody with a known encoding is. The attacker finds such triples among filters under keys of their own,
and predicts each candidate's encoding from single known encodings and triples together (`known_pairs`, kriging). How
often XORs of several filters differ is counted over the attacker's own filters too, and E[y y'] = (1 − 2p)^x follows
for XORs of x bits.

Found for this project in November 2026; the algebra is that of linear codes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pprl.core import numba_cache
from pprl.core.bits import BitMatrix, Words
from pprl.core.randomness import RandomStream
from pprl.match.kernel import popcount
from pprl.preflight.attacks.known_pairs import named
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Published, signs
from pprl.roster.people import People

SINGLES, TRIPLES = 60, 400  # features of a candidate; twice as many name a few percent more in four times the time
FIRST, SECOND = 20, 100  # a triple has one of the nearest 20 people, another of the nearest 100, and anyone
OWN_KEYS = 8
RIDGE = 0.02
MOST = 0.98  # the surest prediction of a bit
TRIED = (
    "the same from single encodings and from XORs of three, chosen by the XOR of filters under keys of the attacker's"
)

Differing = Callable[[Words, Words], NDArray[np.int32]]


@runtime_checkable
class Linear(Protocol):
    """A scheme whose bits are XORs of bits of a filter."""

    def filters(self, people: People, key: bytes) -> BitMatrix:
        """What is XORed."""
        ...

    def agreement_of_xors(self, differing: Floats) -> Floats:
        """E[y y'] of two XORs of encodings, the same XORs of whose filters differ in this share of bits."""
        ...


def known_triples(
    pool: CandidatePool,
    view: Published,
    known: Indices,
    targets: Indices,
    draws: RandomStream,
    max_candidates: int | None = None,
) -> AttackResult:
    """As `known_pairs`, for one view of a `Linear` scheme. Takes some 30 ms for each candidate with 400 known pairs, so
    those beyond ``max_candidates`` can be left out; targets never are."""
    scheme = view.scheme
    assert isinstance(scheme, Linear)
    unknown = np.ones(len(pool), dtype=bool)
    unknown[np.concatenate([known, targets])] = False
    others = np.flatnonzero(unknown)
    if max_candidates is not None:
        others = others[draws.permutation(len(others))[: max(0, max_candidates - len(targets))]]
    candidates = np.sort(np.concatenate([targets, others]))
    filters = _filters(pool.people.take(np.concatenate([known, candidates])), scheme, draws)
    scores = _scores(scheme, filters[: len(known)], filters[len(known) :], view.bits, known, targets)
    return named(pool, scores, known, targets, candidates, tried=TRIED, attack="known pairs, in threes")


def _filters(people: People, scheme: Linear, draws: RandomStream) -> Words:
    """Filters under several keys side by side; the first columns of words belong to the first key."""
    return np.hstack([scheme.filters(people, draws.bytes(32)).words for _ in range(OWN_KEYS)])


def _scores(
    scheme: Linear, known_filters: Words, filters: Words, bits: BitMatrix, known: Indices, targets: Indices
) -> Floats:
    """Log-likelihood of each target's encoding for each candidate: shape (targets, candidates)."""
    encodings, target_bits = bits.words[known], signs(BitMatrix(bits.words[targets]))
    differing, scores = differ(), np.empty((len(targets), len(filters)))
    width = known_filters.shape[1] // OWN_KEYS  # triples are looked for under one key
    narrow = np.ascontiguousarray(known_filters[:, :width])
    for index, candidate in enumerate(filters):
        nearest = np.argsort(differing(candidate[None, :width], narrow)[0], kind="stable")
        singles, triples = nearest[:SINGLES], best_triples(narrow, candidate[:width], nearest)
        features, observed = (
            np.vstack([words[singles], words[triples[:, 0]] ^ words[triples[:, 1]] ^ words[triples[:, 2]]])
            for words in (known_filters, encodings)
        )
        length = 64 * features.shape[1]
        among = scheme.agreement_of_xors(differing(features, features) / length) + RIDGE * np.eye(len(features))
        to_candidate = scheme.agreement_of_xors(differing(features, candidate[None])[:, 0] / length)
        weights = np.linalg.solve(among, to_candidate)
        predicted = np.clip(weights @ signs(BitMatrix(observed)), -MOST, MOST)
        set_, unset = np.log1p(predicted), np.log1p(-predicted)
        scores[:, index] = (target_bits @ (set_ - unset) + (set_ + unset).sum()) / 2
    return scores


def best_triples(filters: Words, candidate: Words, nearest: Indices) -> Indices:
    """The triples of rows of ``filters`` whose XOR is nearest to ``candidate``, best first: shape (triples, 3).

    ``nearest`` are all rows in the order of their distance. One of a triple is among the first 20 of these, another
    among the first 100.
    """
    first, second = np.triu_indices(min(FIRST, len(nearest)), 1, min(SECOND, len(nearest)))
    left = candidate ^ filters[nearest[first]] ^ filters[nearest[second]]
    distance = differ()(left, filters[nearest]).ravel()
    pair, third = np.divmod(np.arange(len(distance)), len(nearest))
    allowed = third > second[pair]  # each triple once
    distance[~allowed] = 64 * filters.shape[1] + 1
    count = min(TRIPLES, int(allowed.sum()))
    cut = np.partition(distance, count - 1)[count - 1] if count else -1
    found = np.flatnonzero(distance <= cut)
    found = found[np.argsort(distance[found], kind="stable")[:count]]
    return np.column_stack([nearest[first[pair[found]]], nearest[second[pair[found]]], nearest[third[found]]])


@cache
def differ() -> Differing:
    """A function that counts the bits in which each row of one array differs from each row of another."""

    def slow(left: Words, right: Words) -> NDArray[np.int32]:
        return np.stack([np.bitwise_count(row ^ right).sum(axis=1, dtype=np.int32) for row in left])

    loops, _ = numba_cache.compiled({popcount: {}}, _compile)
    if loops is None:
        return slow

    def fast(left: Words, right: Words) -> NDArray[np.int32]:
        out = np.empty((len(left), len(right)), dtype=np.int32)
        loops(np.ascontiguousarray(left), np.ascontiguousarray(right), out)
        return out

    return fast


def _compile(jit: numba_cache.Jit) -> Callable[..., Any]:
    from numba import types

    words = types.Array(types.uint64, 2, "C", readonly=True)
    return jit(types.void(words, words, types.Array(types.int32, 2, "C")), _differing)


def _differing(left: Any, right: Any, out: Any) -> None:
    for i in range(left.shape[0]):
        for j in range(right.shape[0]):
            count = np.int64(0)
            for word in range(left.shape[1]):
                count += popcount(left[i, word] ^ right[j, word])
            out[i, j] = count
