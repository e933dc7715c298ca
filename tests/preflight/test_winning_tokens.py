"""Known pairs by which tokens won the minima of a bit."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA, invent
from pprl.encode.minwise import RULERS, Minwise
from pprl.encode.rarity import rarity
from pprl.encode.sparse import LinkedField, SparseEncoder
from pprl.encode.tokens import space
from pprl.preflight.attacks.encodings import Hardened
from pprl.preflight.attacks.scheme import CandidatePool
from pprl.preflight.attacks.winning_tokens import predictions, winning_tokens
from pprl.roster.load import load

KEY = bytes(range(32))


@dataclass(frozen=True)
class Few(Hardened):
    """Min-wise hashing with other numbers than those of a set."""

    minima: int = 2
    length: int = 1024

    @property
    def offsets(self):
        return RULERS[self.minima]

    def encode(self, people, key):
        draws = RandomStream(key, "few minima")
        spaces = {space(field): draws.bytes(32) for field in self.schema.linked()}
        fields = [LinkedField(f.name, f.type, f.weight / 100, spaces[space(f)]) for f in self.schema.linked()]
        minwise = Minwise(self.length, self.minima, draws.bytes(16), draws.bytes(16))
        return SparseEncoder(fields, rarity(), minwise).encode(people, draws)


@dataclass(frozen=True)
class Noise(Few):
    """Random bits, which the attacker takes for hashed minima."""

    def encode(self, people, key):
        words = self.length // 64
        return BitMatrix(RandomStream(key, "noise").words(len(people) * words).reshape(-1, words))


@pytest.fixture(scope="module")
def pool():
    schema = parse_schema(SCHEMA)
    registry = load(invent(7).registry.head(500), schema, "registry", any_age=True).people
    return CandidatePool(registry, None, schema, RandomStream(KEY, "pool"))


def scheme(kind, **numbers):
    return kind(parse_schema(SCHEMA), **numbers)


def test_few_minima_fall(pool):
    known, targets = np.arange(300), np.arange(pool.target_count)[-100:]
    found = winning_tokens(pool, pool.view(scheme(Few), KEY), known, targets)
    assert found.rate > 0.9
    assert (found.attacked, found.candidates, found.known) == (100, len(pool) - 300, 300)


def test_random_bits_name_nobody(pool):
    known, targets = np.arange(300), np.arange(300, pool.target_count)
    found = winning_tokens(pool, pool.view(scheme(Noise), KEY), known, targets)
    assert found.named <= binom.ppf(0.9999, found.attacked, found.chance)


def test_bits_are_told_better_than_by_the_linear_prediction_alone(pool):
    """Binary digits of evidence, over two keys together."""
    known, people, few = np.arange(400), np.arange(400, pool.target_count), scheme(Few, minima=4)
    covariance = pool.covariance(people, known, few)
    weights = np.linalg.solve(pool.covariance(known, known, few) + 0.005 * np.eye(400), covariance.T).T
    told = []
    for number in range(2):
        view = pool.view(few, bytes([number]) * 32)
        right = view.seen(people)
        told.append(
            [
                np.log2(1 + right * np.clip(predicted, -0.98, 0.98)).mean()
                for predicted in (weights @ view.seen(known), predictions(view, known, known, people))
            ]
        )
    linear, by_winners = np.mean(told, axis=0)
    assert by_winners > 1.03 * linear
