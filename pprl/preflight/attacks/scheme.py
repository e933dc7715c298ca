"""How rows become bits, as an attacker knows it: everything but the key.

Over keys unknown to the attacker, the bits of two people agree more often the more tokens the two share, and how often
can be computed exactly. That is the best knowledge of the encodings anyone can have without the key, and every attack
here starts from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema import Field, Schema
from pprl.encode.tokens import space, tokens
from pprl.roster.people import MISSING, People, join_people

Floats = NDArray[np.floating[Any]]  # float64, or float32 where there are many people
Indices = NDArray[np.int64]
Tokens = Any  # a sparse array of shape (people, tokens)


class Scheme(Protocol):
    """The published way from people to bits: what an attack needs to know of an encoding.

    ``agreement`` and ``mean`` are over keys, with bits y = ±1. They see how many positions of a filter each person
    sets (``bits``) and how many two people have in common.
    """

    def encode(self, people: People, key: bytes) -> BitMatrix: ...

    def bits_of_tokens(self, people: People) -> Tokens:
        """Shape (people, tokens): the inner product of two rows is how many positions both people set."""
        ...

    def agreement(self, bits_left: Floats, bits_right: Floats, common: Floats) -> Floats:
        """E[y y'] of two people; the arguments broadcast."""
        ...

    def mean(self, bits: Floats) -> Floats:
        """E[y]."""
        ...


class View(Protocol):
    """One thing that an attacker sees of every target of a pool, as a row of numbers of mean square 1, and expects."""

    def seen(self, people: Indices) -> Floats:
        """Shape (people, length)."""
        ...

    def own(self, people: Indices, number: int) -> Floats:
        """The same under the attacker's own key of this number."""
        ...

    def mean(self, people: Indices) -> Floats:
        """Over keys, shape (people,)."""
        ...

    def covariance(self, left: Indices, right: Indices) -> Floats:
        """Over keys, of any number in the rows of two people: shape (left, right)."""
        ...


def token_bits(people: People, schema: Schema, positions: Callable[[Field, str], int]) -> Tokens:
    """`Scheme.bits_of_tokens` where a token of a field sets the first ``positions(field, token)`` of one sequence.

    The sequence belongs to the token's space. So a token that fields of one space give different numbers of positions
    counts as a token of the smallest number, one of the step to the next, and so on; each entry is the root of a step.
    """
    fields = schema.linked()
    columns_of: dict[tuple[str, str], list[tuple[int, int]]] = {}  # (positions so far, column), rising
    roots: list[float] = []

    def columns(field: Field, token: str) -> list[int]:
        steps = columns_of.get((space(field), token))
        if steps is None:
            levels = {positions(other, token) for other in fields if space(other) == space(field)} - {0}
            rising = sorted(levels)
            steps = [(level, len(roots) + number) for number, level in enumerate(rising)]
            roots.extend((level - below) ** 0.5 for below, level in zip((0, *rising), rising, strict=False))
            columns_of[space(field), token] = steps
        most = positions(field, token)
        return [column for level, column in steps if level <= most]

    blocks = []
    for field in fields:
        values = people.columns[field.name].in_use()
        found = [[c for token in tokens(field.type, value) for c in columns(field, token)] for value in values.values]
        starts = np.cumsum([0, *map(len, found), 0])  # a last, empty value is for people without one
        blocks.append((values.codes, np.array([c for each in found for c in each], dtype=np.int64), starts))
    total = sparse.csr_array((len(people), len(roots)))
    for codes, indices, starts in blocks:
        block = sparse.csr_array((np.ones(len(indices)), indices, starts), shape=(len(starts) - 1, len(roots)))
        total = total + block[np.where(codes == MISSING, len(starts) - 2, codes)]
    total.data = np.array(roots)[total.indices]
    return total


@dataclass(frozen=True, eq=False)
class TokenBits:
    """The tokens of a pool under one scheme, and how many positions each person sets: shape (people,)."""

    tokens: Tokens
    bits: Floats

    def common(self, left: Indices, right: Indices) -> Floats:
        """Positions that both people set, before chance hits: shape (left, right)."""
        return np.asarray((self.tokens[left] @ self.tokens[right].T).todense())


class CandidatePool:
    """The different people of a roster, who are the targets, and everybody they are looked for among: themselves and a
    population.

    People with equal linked values count as one, since their encodings are equal. The targets come first; both groups
    are in a drawn order. ``tie_order`` is drawn too, and settles ties.
    """

    def __init__(self, roster: People, population: People | None, schema: Schema, draws: RandomStream) -> None:
        everyone = roster if population is None else join_people([roster, population])
        first, person_of = distinct_people(everyone, schema)
        targets = np.unique(person_of[: len(roster)])
        others = np.setdiff1d(np.arange(len(first)), targets)
        order = np.concatenate([targets[draws.permutation(len(targets))], others[draws.permutation(len(others))]])
        number = np.empty(len(order), dtype=np.int64)
        number[order] = np.arange(len(order))
        self.people = everyone.take(first[order])
        self.target_count = len(targets)
        self.person_of_row: Indices = number[person_of[: len(roster)]]
        self.population_counts: Indices = np.bincount(number[person_of[len(roster) :]], minlength=len(order))
        self.tie_order = draws.permutation(len(order))
        self._of_schemes: dict[Scheme, TokenBits] = {}
        self._own: dict[tuple[Scheme, int], BitMatrix] = {}

    def __len__(self) -> int:
        return len(self.people)

    def targets(self) -> People:
        """The different people of the roster."""
        return self.people.take(np.arange(self.target_count))

    def view(self, scheme: Scheme, key: bytes) -> Published:
        """The targets' encodings."""
        return Published(self, scheme, scheme.encode(self.targets(), key))

    def own_bits(self, scheme: Scheme, number: int) -> BitMatrix:
        """The targets' encodings under the attacker's own key of this number; kept, since every attack can use them."""
        if (scheme, number) not in self._own:
            self._own[scheme, number] = scheme.encode(self.targets(), own_key(number))
        return self._own[scheme, number]

    def tokens(self, scheme: Scheme) -> TokenBits:
        """The tokens of everybody under a scheme."""
        if scheme not in self._of_schemes:
            found = scheme.bits_of_tokens(self.people)
            self._of_schemes[scheme] = TokenBits(found, np.asarray(found.multiply(found).sum(axis=1)).ravel())
        return self._of_schemes[scheme]

    def agreement(self, left: Indices, right: Indices, scheme: Scheme) -> Floats:
        """E[y y'] over keys: shape (left, right)."""
        of_pool = self.tokens(scheme)
        bits, common = of_pool.bits, of_pool.common(left, right)
        agreement = np.asarray(scheme.agreement(bits[left][:, None], bits[right][None, :], common))
        agreement[left[:, None] == right[None, :]] = 1
        return agreement

    def mean(self, people: Indices, scheme: Scheme) -> Floats:
        """E[y] over keys, shape (people,)."""
        return np.asarray(scheme.mean(self.tokens(scheme).bits[people]))

    def covariance(self, left: Indices, right: Indices, scheme: Scheme) -> Floats:
        """The covariance of two people's bits over keys: shape (left, right)."""
        return self.agreement(left, right, scheme) - np.outer(self.mean(left, scheme), self.mean(right, scheme))


@dataclass(frozen=True, eq=False)
class Published:
    """The encodings of the targets of a pool, and how they were made; a person may have several encodings."""

    pool: CandidatePool
    scheme: Scheme
    bits: BitMatrix

    def seen(self, people: Indices) -> Floats:
        return signs(BitMatrix(self.bits.words[people]))

    def own(self, people: Indices, number: int) -> Floats:
        return signs(BitMatrix(self.pool.own_bits(self.scheme, number).words[people]))

    def mean(self, people: Indices) -> Floats:
        return self.pool.mean(people, self.scheme)

    def covariance(self, left: Indices, right: Indices) -> Floats:
        return self.pool.covariance(left, right, self.scheme)


def distinct_people(people: People, schema: Schema) -> tuple[Indices, Indices]:
    """The first row of each person, and the person of each row; people with equal linked values count as one."""
    codes = np.column_stack([people.columns[field.name].codes for field in schema.linked()])
    _, first, person_of = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    return first, person_of.ravel()


def signs(bits: BitMatrix) -> Floats:
    """Bits as −1 and 1, shape (rows, length)."""
    rows = np.ascontiguousarray(bits.words).view(np.uint8)
    return np.unpackbits(rows, axis=1, bitorder="little").astype(np.float64) * 2 - 1


def own_key(number: int) -> bytes:
    """A key of the attacker's own."""
    return RandomStream(number.to_bytes(32, "little"), "own key").bytes(32)
