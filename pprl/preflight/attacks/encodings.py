"""The encodings of a schema as an attacker knows them: everything but the key."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.schema import Schema, plain_bits
from pprl.encode.encoder import encode, worth
from pprl.encode.minwise import RULERS
from pprl.preflight.attacks.scheme import Floats, Scheme, Tokens, token_bits
from pprl.roster.people import People


@dataclass(frozen=True)
class Plain:
    """A Bloom filter as it is."""

    schema: Schema

    @property
    def length(self) -> int:
        return self.schema.length

    def encode(self, people: People, key: bytes) -> BitMatrix:
        return encode(people, self.schema, key)

    def bits_of_tokens(self, people: People) -> Tokens:
        bits = plain_bits(self.schema.linked(), self.schema.length)
        return token_bits(people, self.schema, lambda field, _token: bits[field.name])

    def agreement(self, bits_left: Floats, bits_right: Floats, common: Floats) -> Floats:
        """A bit is 0 with probability q = (1 − 1/length)^(bits set). The bits of two people differ with probability
        p = q_a + q_b − 2 q_ab, where q_ab is q for the tokens of both, and E[y y'] = 1 − 2p.
        """
        log_unset = np.log1p(-1 / self.length)
        either = bits_left + bits_right - common
        differ = np.exp(log_unset * bits_left) + np.exp(log_unset * bits_right) - 2 * np.exp(log_unset * either)
        return np.asarray(1 - 2 * differ)

    def mean(self, bits: Floats) -> Floats:
        return np.asarray(1 - 2 * np.exp(np.log1p(-1 / self.length) * bits))

    def filters(self, people: People, key: bytes) -> BitMatrix:
        return self.encode(people, key)

    def agreement_of_xors(self, differing: Floats) -> Floats:
        """E[y y'] of two XORs of encodings that differ in this share of bits under other keys."""
        return np.asarray(1 - 2 * differing)


@dataclass(frozen=True)
class Hardened:
    """Keyed min-wise hashing of a sparse filter: E[y y'] = J^w, J the Jaccard coefficient of the positions set."""

    schema: Schema

    @property
    def offsets(self) -> tuple[int, ...]:
        """Of the minima that decide a bit, from the bit."""
        return RULERS[self.schema.parameters.minima]

    def encode(self, people: People, key: bytes) -> BitMatrix:
        return encode(people, self.schema, key)

    def bits_of_tokens(self, people: People) -> Tokens:
        return token_bits(people, self.schema, worth)

    def agreement(self, bits_left: Floats, bits_right: Floats, common: Floats) -> Floats:
        """Chance hits in the filter of 65,536 positions are left out: about one in a thousand."""
        either = np.maximum(bits_left + bits_right - common, 1)
        return np.asarray((common / either) ** len(self.offsets))

    def mean(self, bits: Floats) -> Floats:
        return np.zeros_like(bits)


def scheme_of(schema: Schema) -> Scheme:
    """How the encodings of a schema are made."""
    return Plain(schema) if schema.hardening == "plain" else Hardened(schema)
