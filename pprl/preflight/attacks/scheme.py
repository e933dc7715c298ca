"""How rows become bits, as an attacker knows it: everything but the key.

Over keys unknown to the attacker, the bits of two people agree more often the more tokens the two share, and how often
can be computed exactly. That is the best knowledge of the encodings anyone can have without the key, and every attack
here starts from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.encode.bloom import encode
from pprl.encode.tokens import space, tokens
from pprl.roster.people import MISSING, Column, People, join_people

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Tokens = Any  # a sparse array of shape (people, tokens)


@dataclass(frozen=True)
class Scheme:
    """The published way from people to bits. To attack another encoding, pass an object with the same attributes."""

    schema: Schema

    @property
    def xored_bits(self) -> int:
        """How many bits of the filter are XORed into each published bit; 1 without hardening."""
        return max(1, self.schema.hardening)

    @property
    def length(self) -> int:
        """Bits of the filter that tokens are hashed to."""
        return self.schema.length

    def encode(self, people: People, key: bytes) -> BitMatrix:
        return encode(people, self.schema, key)

    def bits_of_tokens(self, people: People) -> Tokens:
        """Shape (people, tokens): the inner product of two rows is how many bits of a filter both people set.

        A token of two fields with different k sets the first bits of one sequence, so it counts as a token of the
        smaller k and one of the rest.
        """
        numbers = _TokenNumbers(self.schema)
        blocks = []
        for field in self.schema.linked():
            column = people.columns[field.name].in_use()
            blocks.append((column, *numbers.of_values(column, field.name)))
        roots = np.array(numbers.roots)
        total = sparse.csr_array((len(people), len(roots)))
        for column, indices, starts in blocks:
            values = np.ones(len(indices)), indices, starts
            block = sparse.csr_array(values, shape=(len(starts) - 1, len(roots)))
            total = total + block[np.where(column.codes == MISSING, len(starts) - 2, column.codes)]
        total.data = roots[total.indices]
        return total


class _TokenNumbers:
    """A column number for each token and step of k, and the square root of the bits it stands for."""

    def __init__(self, schema: Schema) -> None:
        self.roots: list[float] = []
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._fields = {field.name: field for field in schema.linked()}
        self._levels: dict[str, set[int]] = {}
        for field in schema.linked():
            self._levels.setdefault(space(field), set()).add(field.k)

    def of_values(self, column: Column, name: str) -> tuple[list[int], list[int]]:
        """The numbers of the tokens of all values, one value after the other, and where each value begins.

        A last, empty value is for people without one.
        """
        field = self._fields[name]
        steps = [k for k in sorted(self._levels[space(field)]) if k <= field.k]
        indices: list[int] = []
        starts = [0]
        for value in column.values:
            for token in tokens(field.type, value):
                for below, k in zip((0, *steps), steps, strict=False):
                    number = self._numbers.setdefault((space(field), token, k), len(self._numbers))
                    if number == len(self.roots):
                        self.roots.append((k - below) ** 0.5)
                    indices.append(number)
            starts.append(len(indices))
        starts.append(len(indices))
        return indices, starts


class CandidatePool:
    """The different people of a roster, who are the targets, and everybody they are looked for among: themselves and a
    population.

    People with equal linked values count as one, since their encodings are equal. The targets come first; both groups
    are in a drawn order. ``tie_order`` is drawn too, and settles ties.
    """

    def __init__(self, roster: People, population: People | None, scheme: Scheme, draws: RandomStream) -> None:
        everyone = roster if population is None else join_people([roster, population])
        first, person_of = distinct_people(everyone, scheme.schema)
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
        self.tokens = scheme.bits_of_tokens(self.people)
        self.bits = np.asarray(self.tokens.multiply(self.tokens).sum(axis=1)).ravel()

    def __len__(self) -> int:
        return len(self.people)

    def targets(self) -> People:
        """The different people of the roster."""
        return self.people.take(np.arange(self.target_count))

    def common(self, left: Indices, right: Indices) -> Floats:
        """Bits that both people set, before chance hits: shape (left, right)."""
        return np.asarray((self.tokens[left] @ self.tokens[right].T).todense())

    def agreement(self, left: Indices, right: Indices, scheme: Scheme) -> Floats:
        """E[y y'] over keys, with bits y = ±1: shape (left, right).

        A bit of the filter is 0 with probability q = (1 − 1/length)^(bits set). The bits of two people differ with
        probability p = q_a + q_b − 2 q_ab, where q_ab is q for the tokens of both; XOR over x bits gives (1 − 2p)^x.
        Exact, except that diffusion draws positions without repetition.
        """
        log_unset = np.log1p(-1 / scheme.length)
        a, b = self.bits[left][:, None], self.bits[right][None, :]
        either = a + b - self.common(left, right)
        differ = np.exp(log_unset * a) + np.exp(log_unset * b) - 2 * np.exp(log_unset * either)
        return np.asarray((1 - 2 * differ) ** scheme.xored_bits)

    def mean(self, people: Indices, scheme: Scheme) -> Floats:
        """E[y] over keys, shape (people,)."""
        log_unset = np.log1p(-1 / scheme.length)
        return np.asarray(-((2 * np.exp(log_unset * self.bits[people]) - 1) ** scheme.xored_bits))


def distinct_people(people: People, schema: Schema) -> tuple[Indices, Indices]:
    """The first row of each person, and the person of each row; people with equal linked values count as one."""
    codes = np.column_stack([people.columns[field.name].codes for field in schema.linked()])
    _, first, person_of = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    return first, person_of.ravel()


def signs(bits: BitMatrix) -> Floats:
    """Bits as −1 and 1, shape (rows, length)."""
    rows = np.ascontiguousarray(bits.words).view(np.uint8)
    return np.unpackbits(rows, axis=1, bitorder="little").astype(np.float64) * 2 - 1
