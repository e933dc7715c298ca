"""How rows become bits, as an attacker knows it: all but the key.

Over keys that he does not know, the bits of two people agree more often the more tokens they share, and how often can
be said exactly. That is his best knowledge of the encodings, and every attack here starts from it.
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
from pprl.roster.people import MISSING, People, join_people

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Tokens = Any  # a sparse array of shape (people, tokens)


@dataclass(frozen=True)
class Scheme:
    """The published way from people to bits. Another encoding is attacked as an object with the same names."""

    schema: Schema

    @property
    def mixed(self) -> int:
        """How many bits of the filter are XORed into each published bit; one where nothing is mixed."""
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
        levels: dict[str, set[int]] = {}
        for field in self.schema.linked():
            levels.setdefault(space(field), set()).add(field.k)
        numbers: dict[tuple[str, str, int], int] = {}
        roots: list[float] = []
        blocks = []
        for field in self.schema.linked():
            column = people.columns[field.name].in_use()
            steps = [k for k in sorted(levels[space(field)]) if k <= field.k]
            at: list[int] = []
            starts = [0]
            for value in column.values:
                for token in tokens(field.type, value):
                    for below, k in zip((0, *steps), steps, strict=False):
                        number = numbers.setdefault((space(field), token, k), len(numbers))
                        if number == len(roots):
                            roots.append((k - below) ** 0.5)
                        at.append(number)
                starts.append(len(at))
            starts.append(len(at))  # the row of those without a value
            blocks.append((starts, at, column.codes))
        width, total = len(roots), sparse.csr_array((len(people), len(roots)))
        for starts, at, codes in blocks:
            block = sparse.csr_array((np.ones(len(at)), at, starts), shape=(len(starts) - 1, width))
            total = total + block[np.where(codes == MISSING, len(starts) - 2, codes)]
        total.data = np.array(roots)[total.indices]
        return total


class Crowd:
    """The different people of a roster, and those among whom they are looked for: themselves and a population.

    People with equal linked values are one, since their encodings are equal. The roster's come first, both in an order
    that is drawn; ``turn`` is drawn too, and settles ties.
    """

    def __init__(self, roster: People, population: People | None, scheme: Scheme, draws: RandomStream) -> None:
        everyone = roster if population is None else join_people([roster, population])
        first, which = different(everyone, scheme.schema)
        own = np.unique(which[: len(roster)])
        others = np.setdiff1d(np.arange(len(first)), own)
        order = np.concatenate([own[draws.permutation(len(own))], others[draws.permutation(len(others))]])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        self.people = everyone.take(first[order])
        self.roster = len(own)
        self.of_row: Places = place[which[: len(roster)]]
        self.seen: Places = np.bincount(
            place[which[len(roster) :]], minlength=len(order)
        )  # how often in the population
        self.turn = draws.permutation(len(order))
        self.tokens = scheme.bits_of_tokens(self.people)
        self.bits = np.asarray(self.tokens.multiply(self.tokens).sum(axis=1)).ravel()

    def __len__(self) -> int:
        return len(self.people)

    def victims(self) -> People:
        """The different people of the roster."""
        return self.people.take(np.arange(self.roster))

    def common(self, left: Places, right: Places) -> Floats:
        """Bits that two people set both, before chance hits: shape (left, right)."""
        return np.asarray((self.tokens[left] @ self.tokens[right].T).todense())

    def agreement(self, left: Places, right: Places, scheme: Scheme) -> Floats:
        """E[y y'] over keys, with bits y = ±1: shape (left, right).

        A bit of the filter is 0 with q = (1 − 1/length)^(bits set). The bits of two people differ with
        p = q_a + q_b − 2 q_ab, where q_ab is that of the tokens of both; XOR over ``mixed`` of them gives
        (1 − 2p)^mixed. Exact but for positions that diffusion draws without repetition.
        """
        none = np.log1p(-1 / scheme.length)
        a, b = self.bits[left][:, None], self.bits[right][None, :]
        either = a + b - self.common(left, right)
        return np.asarray((1 - 2 * (np.exp(none * a) + np.exp(none * b) - 2 * np.exp(none * either))) ** scheme.mixed)

    def mean(self, places: Places, scheme: Scheme) -> Floats:
        """E[y] over keys, shape (places,)."""
        none = np.log1p(-1 / scheme.length)
        return np.asarray(-((2 * np.exp(none * self.bits[places]) - 1) ** scheme.mixed))


def different(people: People, schema: Schema) -> tuple[Places, Places]:
    """People with equal linked values are one: the first row of each, and which of them each row is."""
    codes = np.column_stack([people.columns[field.name].codes for field in schema.linked()])
    _, first, which = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    return first, which.ravel()


def signs(bits: BitMatrix) -> Floats:
    """Bits as −1 and 1, shape (rows, length)."""
    rows = np.ascontiguousarray(bits.words).view(np.uint8)
    return np.unpackbits(rows, axis=1, bitorder="little").astype(np.float64) * 2 - 1
