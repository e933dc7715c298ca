"""XOR diffusion, the hardening of the first edition, kept to compare with: each bit is the XOR of ``t`` filter bits.

Armknecht, Heng and Schnell (2023), "Strengthening privacy-preserving record linkage using diffusion", PoPETs 2023(2).
It falls: at t = 8 to graph matching without a known pair, at t = 10 to some known pairs, to XORs of three encodings,
and wholly to longer encodings (`hardening.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words, on_its_side, upright
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema, plain_bits
from pprl.encode.bloom import PlainEncoder
from pprl.encode.tokens import space
from pprl.preflight.attacks.scheme import Floats, Tokens, token_bits
from pprl.roster.people import People

ROWS_AT_A_TIME = 8192


def diffusion_indices(length: int, mixed: int, seed: bytes) -> NDArray[np.int64]:
    """Which input bits make each output bit: shape (mixed, length), no repetition in a column, rows are permutations.

    Each row is a Fisher–Yates permutation from SHAKE256 keyed by ``seed``. An entry that repeats an input bit already
    in its column is swapped with a drawn position of the same row, until neither column holds a repetition. So every
    input bit is used exactly ``mixed`` times.
    """
    stream = RandomStream(seed, "diffusion")
    rows: list[list[int]] = []
    for _ in range(mixed):
        row = list(range(length))
        for column, offset in enumerate(stream.below(np.arange(length, 0, -1), length).tolist()):
            row[column], row[column + offset] = row[column + offset], row[column]
        taken = [{earlier[column] for earlier in rows} for column in range(length)]
        for column in range(length):
            while row[column] in taken[column]:
                other = int(stream.below(length, 1)[0])
                if row[other] not in taken[column] and row[column] not in taken[other]:
                    row[column], row[other] = row[other], row[column]
        rows.append(row)
    return np.array(rows, dtype=np.int64).reshape(mixed, length)


def diffuse(plain: BitMatrix, indices: NDArray[np.int64]) -> BitMatrix:
    """Rows of the same length, hardened by ``indices`` (`diffusion_indices`); without any the rows stay as they are.

    An empty row stays empty.
    """
    if not len(indices):
        return plain
    out = np.empty_like(plain.words)
    for top in range(0, len(plain), ROWS_AT_A_TIME):
        out[top : top + ROWS_AT_A_TIME] = _diffuse_rows(plain.words[top : top + ROWS_AT_A_TIME], indices)
    return BitMatrix(out)


def _diffuse_rows(words: Words, indices: NDArray[np.int64]) -> Words:
    """Transposed, one XOR of words serves the same bit of 64 rows."""
    columns = on_its_side(words)
    mixed = columns[indices[0]]
    for row in indices[1:]:
        mixed ^= columns[row]
    return upright(mixed, len(words))


@dataclass(frozen=True)
class Diffused:
    """Filters of ``length`` bits, a fifth of them set by an average person, under diffusion with ``t``; 0 for none."""

    schema: Schema
    t: int = 8
    length: int = 1024

    @property
    def xored_bits(self) -> int:
        return max(1, self.t)

    def encode(self, people: People, key: bytes) -> BitMatrix:
        indices = diffusion_indices(self.length, self.t, hashlib.sha256(b"diffusion" + key).digest())
        return diffuse(self.filters(people, key), indices)

    def filters(self, people: People, key: bytes) -> BitMatrix:
        fields = self.schema.linked()
        spaces = {name: hashlib.sha256(name.encode() + key).digest() for name in {space(field) for field in fields}}
        return PlainEncoder(fields, self.length, spaces).encode(people)

    def bits_of_tokens(self, people: People) -> Tokens:
        bits = plain_bits(self.schema.linked(), self.length)
        return token_bits(people, self.schema, lambda field, _token: bits[field.name])

    def agreement(self, bits_left: Floats, bits_right: Floats, common: Floats) -> Floats:
        """(1 − 2p)^t, p as for plain filters; exact, except that diffusion draws positions without repetition."""
        log_unset = np.log1p(-1 / self.length)
        either = bits_left + bits_right - common
        differ = np.exp(log_unset * bits_left) + np.exp(log_unset * bits_right) - 2 * np.exp(log_unset * either)
        return np.asarray((1 - 2 * differ) ** self.xored_bits)

    def agreement_of_xors(self, differing: Floats) -> Floats:
        """E[y y'] of two XORs of encodings, the same XORs of whose filters differ in this share of bits."""
        return np.asarray(np.maximum(1 - 2 * differing, 0) ** self.xored_bits)

    def mean(self, bits: Floats) -> Floats:
        return np.asarray(-((2 * np.exp(np.log1p(-1 / self.length) * bits) - 1) ** self.xored_bits))
