"""People to hardened encodings: sparse keyed Bloom filters of 2^16 positions, under keyed min-wise hashing.

A token sets as many positions as it is worth: the weight of its field times its rarity. The filter itself is never
made: `pprl.encode.minwise` works on the positions, and only its output leaves the machine. Distinct tokens and values
are worked out once, and rows combine them. `reference` is the same for one person in plain Python, and the oracle of
the tests. ``docs/encoding.md`` §6 specifies everything.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.randomness import RandomStream
from pprl.core.schema import FieldType
from pprl.encode.minwise import RULERS, Groups, Map, Minwise
from pprl.encode.rarity import Rarity
from pprl.encode.siphash import siphash
from pprl.encode.tokens import tokens
from pprl.roster.people import People

MAX_POSITIONS = 32  # of a token
ROWS_AT_A_TIME = 1 << 17
GROUPS_AT_A_TIME = 1 << 17  # tokens and values of these rows, 2 KiB each
REMEMBERED = 1 << 16  # tokens, and values of a field


@dataclass(frozen=True)
class LinkedField:
    """A field that is encoded. Tokens under equal keys share their positions: all name fields have one key."""

    name: str
    type: FieldType
    weight: float
    tokens_key: bytes

    def worth(self, token: str, rarity: Rarity) -> int:
        """How many positions a token sets; halves are rounded to the even number."""
        return min(round(self.weight * rarity.worth(self.type, token)), MAX_POSITIONS)


def token_positions(tokens_key: bytes, token: str, count: int) -> NDArray[np.uint16]:
    """The first ``count`` of the 32 little-endian 16-bit words of keyed BLAKE2b-512."""
    return np.frombuffer(hashlib.blake2b(token.encode(), key=tokens_key, digest_size=64).digest(), dtype="<u2")[:count]


class SparseEncoder:
    """Encodes a roster part by part; it remembers the tokens of recent values and the positions of recent tokens."""

    def __init__(self, fields: Sequence[LinkedField], rarity: Rarity, minwise: Minwise) -> None:
        self._fields, self._rarity, self._minwise = fields, rarity, minwise
        self._forget()

    def _forget(self) -> None:
        self._positions: list[NDArray[np.uint16]] = []  # of tokens that are worth something
        self._numbers: dict[tuple[bytes, str, int], int] = {}  # of these tokens, by key, text and how many positions
        self._tokens: dict[str, dict[str, int]] = {field.name: {} for field in self._fields}  # their numbers, or -1
        self._values: dict[str, dict[str, list[int]]] = {field.name: {} for field in self._fields}  # tokens of values

    def encode(self, people: People, empty: RandomStream, map: Map = map) -> BitMatrix:  # noqa: A002
        """One encoding for each row, in order: shape (rows, length) bits.

        A row without a token that is worth anything gets random bits of ``empty``. ``map`` may be that of a thread
        pool (`Minwise.encode`); it changes nothing in the bits.
        """
        words = np.empty((len(people), self._minwise.length // 64), dtype="<u8")
        for top in range(0, len(people), ROWS_AT_A_TIME):
            self._fill(words, np.arange(top, min(top + ROWS_AT_A_TIME, len(people))), people, empty, map)
        return BitMatrix(words)

    def _fill(self, words: Words, rows: NDArray[np.int64], people: People, empty: RandomStream, map: Map) -> None:  # noqa: A002
        values, codes, varied = self._values_of(people.take(rows))
        used, members = np.unique(values.members, return_inverse=True)
        if len(used) + len(values) > GROUPS_AT_A_TIME and len(rows) > 1:
            for half in np.array_split(rows, 2):
                self._fill(words, half, people, empty, map)
            return
        positions = [self._positions[number] for number in used.tolist()]
        sizes = np.array([len(some) for some in positions], dtype=np.int64)
        tokens = Groups.by_size(np.concatenate([np.empty(0, dtype=np.int64), *positions]).astype(np.int64), sizes)
        order = np.argsort(codes[:, varied], kind="stable")  # what follows on itself stays in a processor's cache
        present = codes[order] >= 0
        groups = Groups.by_size(codes[order][present], present.sum(axis=1))
        words[rows[order]] = self._minwise.encode(tokens, Groups(members, values.starts), groups, map)
        nothing = rows[(codes < 0).all(axis=1)]
        words[nothing] = empty.words(len(nothing) * words.shape[1]).reshape(-1, words.shape[1])

    def _values_of(self, people: People) -> tuple[Groups, NDArray[np.int64], int]:
        """The values in use that are worth something, as groups of tokens; for each row and field the number of its
        value among them, or −1; and the field with the most values.
        """
        if len(self._numbers) > REMEMBERED or any(len(values) > REMEMBERED for values in self._values.values()):
            self._forget()
        groups: list[list[int]] = []
        codes = np.empty((len(people), len(self._fields)), dtype=np.int64)
        columns = [people.columns[field.name].in_use() for field in self._fields]
        for index, (field, column) in enumerate(zip(self._fields, columns, strict=True)):
            found = [self._tokens_of(field, value) for value in column.values]
            kept = np.flatnonzero([bool(group) for group in found])
            numbers = np.full(len(found) + 1, -1, dtype=np.int64)  # the last is that of missing values
            numbers[kept] = len(groups) + np.arange(len(kept))
            codes[:, index] = numbers[column.codes]
            groups += filter(None, found)
        members = np.fromiter(chain.from_iterable(groups), dtype=np.int64)
        sizes = np.fromiter(map(len, groups), dtype=np.int64)
        varied = max(range(len(columns)), key=lambda index: len(columns[index].values))
        return Groups.by_size(members, sizes), codes, varied

    def _tokens_of(self, field: LinkedField, value: str) -> list[int]:
        """The numbers of a value's tokens that are worth something."""
        found = self._values[field.name].get(value)
        if found is None:
            known, texts = self._tokens[field.name], tokens(field.type, value)
            found = [known[text] if text in known else self._number(field, text) for text in texts]
            found = self._values[field.name][value] = [number for number in found if number >= 0]
        return found

    def _number(self, field: LinkedField, token: str) -> int:
        """A token's number, −1 if it is worth nothing. Tokens of two fields with equal positions have one number."""
        count = field.worth(token, self._rarity)
        key = field.tokens_key, token, count
        number = self._numbers.setdefault(key, len(self._numbers)) if count else -1
        if number == len(self._positions):
            self._positions.append(token_positions(*key))
        self._tokens[field.name][token] = number
        return number


def reference(person: Mapping[str, str], fields: Sequence[LinkedField], rarity: Rarity, minwise: Minwise) -> int | None:
    """The definition: the encoding of one person as a number whose bit *j* is output *j*; None if it is random.

    ``person`` maps fields to canonical values, without missing ones.
    """
    filled: set[int] = set()
    for field in fields:
        for token in tokens(field.type, person[field.name]) if field.name in person else ():
            digest = hashlib.blake2b(token.encode(), key=field.tokens_key, digest_size=64).digest()
            filled |= set(struct.unpack("<32H", digest)[: field.worth(token, rarity)])
    if not filled:
        return None
    minima: list[int] = []
    for pair in range(minwise.length // 2):
        hashes = [siphash(minwise.ranks_key, struct.pack("<HH", position, pair)) for position in filled]
        minima += [min(ranks % 2**32 for ranks in hashes), min(ranks >> 32 for ranks in hashes)]
    bits = min(16, 56 // minwise.minima) if minwise.minima < 8 else 8
    encoding = 0
    for output in range(minwise.length):
        least = [minima[(output + offset) % minwise.length] % 2**bits for offset in RULERS[minwise.minima]]
        number = sum(minimum << bits * index for index, minimum in enumerate(least))
        message = number.to_bytes(max(7, minwise.minima), "little")
        encoding |= (siphash(minwise.outputs_key, message) & 1) << output
    return encoding
