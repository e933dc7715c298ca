"""Walks from known people to those similar to them: through encodings that must fall, and through random bits."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA, invent
from pprl.preflight.attacks.encodings import Plain
from pprl.preflight.attacks.scheme import CandidatePool
from pprl.preflight.attacks.walk import Hubs, walk
from pprl.roster.load import load

KEY = bytes(range(32))
PLAIN = Plain(parse_schema(SCHEMA).with_hardening("plain"))
TARGETS = np.arange(200, 400)


@dataclass(frozen=True)
class Noise(Plain):
    """Random bits, which the attacker takes for plain filters."""

    def encode(self, people, key):
        return BitMatrix(RandomStream(key, "noise").words(len(people) * 16).reshape(-1, 16))


@pytest.fixture(scope="module")
def pool():
    registry = load(invent(7).registry.head(500), PLAIN.schema, "registry", any_age=True).people
    return CandidatePool(registry, None, PLAIN.schema, RandomStream(KEY, "pool"))


def walked(pool, scheme, known):
    view, draws = pool.view(scheme, KEY), RandomStream(KEY, "walk")
    hubs = Hubs.of(pool, view, draws, count=150)
    return walk(pool, view, np.arange(known), TARGETS, draws, hubs=hubs)


@pytest.mark.parametrize("known", [0, 20])
def test_plain_filters_fall(pool, known):
    """To anyone who holds everybody, with few known pairs or none."""
    found = walked(pool, PLAIN, known)
    assert found.result.rate > 0.9, found.result
    assert found.right > 20 * found.wrong
    assert found.result.candidates == pool.target_count - known


@pytest.mark.parametrize("known", [0, 200])
def test_nobody_is_certain_among_random_bits(pool, known):
    found = walked(pool, Noise(PLAIN.schema), known)
    assert found.right <= 1
    assert found.wrong <= 1
    assert found.result.named <= binom.ppf(0.9999, found.result.attacked, found.result.chance)


def test_the_order_of_people_does_not_name_them(pool):
    """A walk among encodings of other people finds nobody, although each is given the number of somebody."""
    view = pool.view(PLAIN, KEY)
    view.bits.words[:] = view.bits.words[RandomStream(KEY, "order").permutation(len(view.bits))]
    found = walk(pool, view, np.arange(0), TARGETS, RandomStream(KEY, "walk"))
    assert found.result.named <= binom.ppf(0.9999, found.result.attacked, found.result.chance)


def test_hubs_are_the_people_similar_to_many(pool):
    hubs = Hubs.of(pool, pool.view(PLAIN, KEY), RandomStream(KEY, "hubs"), count=100)
    assert np.isin(hubs.people, hubs.encodings).mean() > 0.6
