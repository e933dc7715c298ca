"""Plain keyed Bloom filters: the values of people to bits, without any hardening.

Each token is hashed once, by keyed BLAKE2b, to 32 positions, of which it takes as many as its field's weight bears. The
filters of a person's values are joined by OR. The work is done on distinct tokens and distinct values, and rows only
gather the results. `reference` is the same in ten lines, one person at a time, and the oracle of the tests.
``docs/encoding.md`` §5 specifies everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.schema import MAX_K, Field, plain_bits
from pprl.encode.tokens import space, tokens
from pprl.roster.people import People

T = TypeVar("T", bound=Hashable)
Positions = tuple[NDArray[np.int64], NDArray[np.int64]]  # of many tokens, and how many each token has

AT_A_TIME = 4_096  # rows or tokens: few enough for their bits to stay in a processor's cache
REMEMBERED = 1 << 16  # values of a field, and tokens: 8 MiB each at 1,024 bits


def positions(space_key: bytes, token: str, length: int) -> NDArray[np.uint16]:
    """The 32 bit positions of a token: 512 bits of keyed BLAKE2b as little-endian 16-bit words, modulo ``length``."""
    digest = hashlib.blake2b(token.encode(), key=space_key, digest_size=64).digest()
    return np.frombuffer(digest, dtype="<u2") & np.uint16(length - 1)


def _first_positions(space_key: bytes, length: int, k: int, texts: Sequence[str]) -> Positions:
    """The first ``k`` `positions` of each of many tokens."""
    digests = [hashlib.blake2b(text.encode(), key=space_key, digest_size=64).digest() for text in texts]
    drawn = np.frombuffer(b"".join(digests), dtype="<u2").reshape(-1, MAX_K)[:, :k] & np.uint16(length - 1)
    return drawn.ravel().astype(np.int64), np.full(len(texts), k)


class PlainEncoder:
    """Encodes a roster part by part, and works out the bits of a frequent value once, not for every part.

    ``spaces`` are the keys of the token spaces. The bits of a token are the first of its 32 positions.
    """

    def __init__(self, fields: Sequence[Field], length: int, spaces: Mapping[str, bytes]) -> None:
        self._length, bits = length, plain_bits(fields, length)
        self._masks = {
            field.name: Masks(
                one_by_one(partial(tokens, field.type)),
                partial(_first_positions, spaces[space(field)], length, bits[field.name]),
                length,
            )
            for field in fields
        }

    def encode(self, people: People) -> BitMatrix:
        """One encoding for each row of a part, in its order; a row without any value has no bit set."""
        columns = [people.columns[name].in_use() for name in self._masks]
        fields = [
            (masks.of(column.values), column.codes) for masks, column in zip(self._masks.values(), columns, strict=True)
        ]
        return BitMatrix(gathered(fields, len(people), self._length // 64))


def gathered(fields: Sequence[tuple[Words, NDArray[np.int32]]], rows: int, width: int) -> Words:
    """The bits of each row's values joined, as words: shape (rows, width).

    A field is the masks of its values and, for each row, the index of its value among them, negative where it has none.
    """
    words = np.zeros((rows, width), dtype="<u8")
    for top in range(0, rows, AT_A_TIME):
        chunk = slice(top, min(top + AT_A_TIME, rows))
        for masks, codes in fields:
            chunk_codes = codes[chunk]
            if (chunk_codes >= 0).all():
                words[chunk] |= masks.take(chunk_codes, axis=0)
            else:
                present = np.flatnonzero(chunk_codes >= 0)
                words[top + present] |= masks.take(chunk_codes[present], axis=0)
    return words


@dataclass(frozen=True)
class Tokenised(Generic[T]):
    """The tokens of some values: the ``distinct`` ones, an index into them for every token of every value in turn, and
    how many tokens each value has.
    """

    distinct: Sequence[T]
    indices: NDArray[np.int64]
    counts: NDArray[np.int64]


Tokeniser = Callable[[Sequence[str]], Tokenised[T]]


def one_by_one(tokens_of: Callable[[str], Sequence[T]]) -> Tokeniser[T]:
    """Make a tokeniser of many values from a function that tokenises one."""

    def tokenise(values: Sequence[str]) -> Tokenised[T]:
        numbers: dict[T, int] = {}
        flat: list[int] = []
        counts = np.empty(len(values), dtype=np.int64)
        for index, value in enumerate(values):
            value_tokens = tokens_of(value)
            counts[index] = len(value_tokens)
            flat += [numbers.setdefault(token, len(numbers)) for token in value_tokens]
        return Tokenised(list(numbers), np.array(flat, dtype=np.int64), counts)

    return tokenise


class Masks(Generic[T]):
    """The bits of values that consist of tokens. It remembers recent values and tokens.

    Every value must have a token. ``positions_of`` gives the bit positions of many tokens, below ``length``, and how
    many positions each token has.
    """

    def __init__(self, tokenise: Tokeniser[T], positions_of: Callable[[Sequence[T]], Positions], length: int) -> None:
        self._tokenise, self._positions_of, self._width = tokenise, positions_of, -(-length // 64)
        self._tokens: dict[T, int] = {}
        self._token_masks = np.zeros((0, self._width), dtype="<u8")
        self._values: dict[str, int] = {}
        self._remembered = self._token_masks
        self._latest: tuple[Sequence[str], Words] = (), self._token_masks  # remembered only on the next call

    def of(self, values: Sequence[str]) -> Words:
        """Shape (values, length // 64)."""
        self._remember(*self._latest)
        self._latest = (), self._remembered[:0]
        new = [value for value in values if value not in self._values] if self._values else values
        if len(self._values) + len(new) > REMEMBERED:
            self._values, self._remembered = {}, self._remembered[:0]
            new = list(values)
        masks = self._made(new)
        if len(new) > REMEMBERED:
            return masks
        if len(new) == len(values):
            self._latest = new, masks
            return masks
        self._remember(new, masks)
        return self._remembered[[self._values[value] for value in values]]

    def _remember(self, values: Sequence[str], masks: Words) -> None:
        self._values |= zip(values, range(len(self._values), len(self._values) + len(values)), strict=True)
        self._remembered = np.concatenate([self._remembered, masks])

    def _made(self, values: Sequence[str]) -> Words:
        tokenised, known = self._tokenise(values), len(self._tokens)
        numbers = np.array(
            [self._tokens.setdefault(token, len(self._tokens)) for token in tokenised.distinct], dtype=np.int64
        )
        if new := list(islice(self._tokens, known, None)):
            self._token_masks = np.concatenate([self._token_masks, self._masks_of_tokens(new)])
        token_masks, ends = self._token_masks[numbers], np.cumsum(tokenised.counts)
        masks = np.empty((len(values), self._width), dtype="<u8")
        values_at_a_time = max(1, AT_A_TIME * len(values) // max(1, len(tokenised.indices)))
        for top in range(0, len(values), values_at_a_time):
            chunk = slice(top, top + values_at_a_time)
            starts = ends[chunk] - tokenised.counts[chunk]
            chunk_masks = token_masks.take(tokenised.indices[starts[0] : ends[chunk][-1]], axis=0)
            np.bitwise_or.reduceat(chunk_masks, starts - starts[0], axis=0, out=masks[chunk])
        if len(self._tokens) > REMEMBERED:  # identifiers have countless tokens
            self._tokens, self._token_masks = {}, self._token_masks[:0]
        return masks

    def _masks_of_tokens(self, tokens: Sequence[T]) -> Words:
        drawn, counts = self._positions_of(tokens)
        masks = np.zeros((len(tokens), self._width), dtype="<u8")
        bits = np.uint64(1) << (drawn % 64).astype(np.uint64)
        np.bitwise_or.at(masks, (np.repeat(np.arange(len(tokens)), counts), drawn // 64), bits)
        return masks


def reference(person: Mapping[str, str], fields: Sequence[Field], length: int, spaces: Mapping[str, bytes]) -> set[int]:
    """The definition: the set bits of one person. ``person`` maps fields to canonical values, without missing ones."""
    bits: set[int] = set()
    for field in fields:
        for token in tokens(field.type, person[field.name]) if field.name in person else ():
            drawn = positions(spaces[space(field)], token, length)
            bits |= set(drawn[: plain_bits(fields, length)[field.name]].tolist())
    return bits
