"""Synthetic records of a list: several encodings beside each person, whose mean shows what they have in common.

A list is sent with decoys and relatives, and when its labels are opened the linkage unit learns beside whom each of
them stands. The noise of one hardened encoding is what protects it, and the mean over k encodings that share a name has
√k times less. So these means are attacked like encodings. What the attacker expects of them comes from synthetic
records of their own: the procedure is public.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.encode.decoys import make_decoys, relatives_per_person
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Scheme, own_key, signs
from pprl.roster.people import People

ROWS_AT_ONCE = 500

#: People in clear and the targets beside whom they stand, from random draws.
Make = Callable[[RandomStream], tuple[People, Indices]]


class Beside:
    """The mean encoding of the records beside each target, scaled to a mean square of 1: a `View`.

    A target without any has a row of zeros.
    """

    def __init__(self, pool: CandidatePool, scheme: Scheme, make: Make, key: bytes, draws: RandomStream) -> None:
        self._pool, self._scheme, self._make = pool, scheme, make
        self._seen = self._means(key, draws.bytes(32))
        self._expected = self._covariance(draws.bytes(32))
        self._own: dict[int, Floats] = {}

    def seen(self, people: Indices) -> Floats:
        return self._seen[people]

    def own(self, people: Indices, number: int) -> Floats:
        if number not in self._own:
            self._own[number] = self._means(own_key(number), own_key(number))
        return self._own[number][people]

    def mean(self, people: Indices) -> Floats:
        return np.zeros(len(people))

    def covariance(self, left: Indices, right: Indices) -> Floats:
        return self._expected[np.ix_(left, right)]

    def _records(self, seed: bytes) -> tuple[People, Indices]:
        """In the order of the targets."""
        people, beside = self._make(RandomStream(seed, "records beside people"))
        order = np.argsort(beside, kind="stable")
        return people.take(order), beside[order]

    def _means(self, key: bytes, seed: bytes) -> Floats:
        people, beside = self._records(seed)
        words = self._scheme.encode(people, key).words
        sums = np.zeros((self._pool.target_count, 64 * words.shape[1]))
        for top in range(0, len(beside), ROWS_AT_ONCE):
            part = slice(top, top + ROWS_AT_ONCE)
            np.add.at(sums, beside[part], signs(BitMatrix(words[part])))
        return np.asarray(sums / _positive(np.sqrt((sums**2).mean(axis=1)))[:, None])

    def _covariance(self, seed: bytes) -> Floats:
        """Of the scaled means: shape (targets, targets)."""
        people, beside = self._records(seed)
        tokens = self._scheme.bits_of_tokens(people)
        bits = np.asarray(tokens.multiply(tokens).sum(axis=1)).ravel()
        totals = np.zeros((self._pool.target_count, self._pool.target_count))
        owners, starts = np.unique(beside, return_index=True)
        for top in range(0, len(beside), ROWS_AT_ONCE):
            part = slice(top, top + ROWS_AT_ONCE)
            common = np.asarray((tokens[part] @ tokens.T).todense())
            agreement = self._scheme.agreement(bits[part, None], bits[None, :], common)
            np.add.at(totals, (beside[part, None], owners[None, :]), np.add.reduceat(agreement, starts, axis=1))
        scale = _positive(np.sqrt(np.diag(totals)))
        return np.asarray(totals / scale[:, None] / scale)


def beside_relatives(pool: CandidatePool, schema: Schema, key: bytes, draws: RandomStream) -> Beside:
    """The relatives of a list, who stand beside the people whose surname and patronymic they keep.

    Decoys are dealt out (`pprl.encode.list.deal_out`), and the mean of those beside a person shows nothing.
    """
    people = pool.targets()

    def make(stream: RandomStream) -> tuple[People, Indices]:
        made = make_decoys(people, schema, relatives_per_person(len(people), big=False), stream, relatives=True)
        return made.people, made.base

    return Beside(pool, scheme_of(schema), make, key, draws)


def _positive(scale: Floats) -> Floats:
    return np.where(scale > 0, scale, 1.0)
