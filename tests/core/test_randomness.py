"""Random streams are uniform, repeat on every machine, and skip words that would bias them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pprl.core.randomness import BLOCK_BYTES, RandomStream, fresh_seed, seed_from

SEED = b"s" * 32
ONE_IN_A_BILLION = 1e-9  # how often a test of uniformity would fail by chance, were the seed not fixed
WORDS_PER_BLOCK = BLOCK_BYTES // 8


def chi_square_bound(bins):
    return stats.chi2.isf(ONE_IN_A_BILLION, bins - 1)


def chi_square(found, bins):
    expected = len(found) / bins
    return float(((np.bincount(found, minlength=bins) - expected) ** 2 / expected).sum())


def below_by_definition(words, bounds):
    """The rule in plain integers: one word per draw, then further words for the discarded ones."""
    words = iter(words)
    drawn = [next(words) for _ in bounds]
    while wrong := [index for index, bound in enumerate(bounds) if drawn[index] >= 2**64 // bound * bound]:
        for index in wrong:
            drawn[index] = next(words)
    return [word % bound for word, bound in zip(drawn, bounds, strict=True)]


class Scripted(RandomStream):
    """A stream of the given words."""

    def __init__(self, *words):
        super().__init__(SEED, "scripted")
        self._unread = np.array(words, dtype="<u8")

    def left(self):
        return len(self._unread)


def test_the_stream_is_what_the_docstring_says():
    stream = b"".join(
        hashlib.shake_256(b"\x05\x00" + b"label" + SEED + block.to_bytes(8, "little")).digest(8192)
        for block in range(3)
    )
    assert RandomStream(SEED, "label").bytes(len(stream)) == stream
    assert RandomStream(SEED, "label").words(3).tolist() == [
        int.from_bytes(stream[index : index + 8], "little") for index in (0, 8, 16)
    ]


def test_label_and_seed_do_not_run_into_each_other():
    assert RandomStream(b"b" + SEED, "a").bytes(64) != RandomStream(SEED, "ab").bytes(64)


@given(st.lists(st.integers(0, 2 * WORDS_PER_BLOCK + 1), max_size=8))
def test_words_do_not_depend_on_how_they_are_asked_for(counts):
    draws = RandomStream(SEED, "split")
    parts = [draws.words(count) for count in counts]
    assert [len(part) for part in parts] == counts
    assert (
        np.concatenate([*parts, draws.words(1)]).tolist() == RandomStream(SEED, "split").words(sum(counts) + 1).tolist()
    )


@given(st.lists(st.integers(0, 700), max_size=8), st.integers(1, 2**20))
def test_small_draws_do_not_depend_on_how_they_are_asked_for(counts, bound):
    draws = RandomStream(SEED, "split")
    parts = [draws.below(bound, count) for count in counts]
    assert np.concatenate([*parts, draws.below(bound, 1)]).tolist() == (
        RandomStream(SEED, "split").below(bound, sum(counts) + 1).tolist()
    )


def test_bytes_end_at_a_word():
    draws = RandomStream(SEED, "bytes")
    stream = RandomStream(SEED, "bytes").bytes(64)
    assert [draws.bytes(count) for count in (0, 3, 8, 9)] == [b"", stream[:3], stream[8:16], stream[16:25]]
    assert draws.bytes(8) == stream[32:40]


def test_words_belong_to_their_caller():
    draws = RandomStream(SEED, "own")
    draws.words(5)[:] = 0
    assert draws.words(5).tolist() == RandomStream(SEED, "own").words(10)[5:].tolist()


@given(st.lists(st.integers(1, 2**63 - 1) | st.sampled_from([1, 2**62 + 1, 2**63 - 1, 3 * 2**61]), max_size=40))
def test_below_is_its_definition(bounds):
    found = RandomStream(SEED, "below").below(np.array(bounds, dtype=np.int64), len(bounds)).tolist()
    assert found == below_by_definition(RandomStream(SEED, "below").words(1000).tolist(), bounds)
    assert all(0 <= draw < bound for draw, bound in zip(found, bounds, strict=True))


def test_a_bound_of_one_leaves_one_choice():
    draws = RandomStream(SEED, "one")
    assert draws.below(1, 1000).tolist() == [0] * 1000
    assert draws.words(1).tolist() == RandomStream(SEED, "one").words(1001)[1000:].tolist()  # each still took its word


def test_no_draws():
    assert RandomStream(SEED, "none").below(10, 0).tolist() == []
    assert RandomStream(SEED, "none").permutation(0).tolist() == []


LAST = 2**64 - 1
SKIPS = {
    "the last word that counts": (10, [LAST - 6], [9], 0),  # 2^64 = 6 modulo 10, so 2^64 − 7 ends in 9
    "the first word that does not": (10, [LAST - 5, 23], [3], 0),
    "twice in a row": (10, [LAST, LAST, 23], [3], 0),
    "the second of three": (10, [1, LAST, 2, 23], [1, 3, 2], 0),
    "two of three, the first again": (10, [LAST, 4, LAST, LAST, 7, 8, 5], [8, 4, 7], 1),
    "a power of two skips nothing": (2**62, [LAST, LAST], [2**62 - 1, 2**62 - 1], 0),
    "the largest bound": (2**63 - 1, [LAST - 1, 2**63 - 1], [0], 0),
    "the largest draw of the largest bound": (2**63 - 1, [LAST - 2], [2**63 - 2], 0),
}


@pytest.mark.parametrize(("bound", "words", "drawn", "left"), SKIPS.values(), ids=SKIPS)
def test_skipped_words(bound, words, drawn, left):
    draws = Scripted(*words)
    assert draws.below(bound, len(drawn)).tolist() == drawn
    assert draws.left() == left


@pytest.mark.parametrize("bound", [2, 7, 10, 256, 1000])
def test_draws_are_uniform(bound):
    assert chi_square(RandomStream(SEED, "uniform").below(bound, 100_000), bound) < chi_square_bound(bound)


def test_draws_are_uniform_where_many_words_are_skipped():
    """Below 3 · 2^61 a quarter of the words is skipped; without that the lower two thirds would get three quarters."""
    thirds = RandomStream(SEED, "uniform").below(3 * 2**61, 100_000) // 2**61
    assert chi_square(thirds, 3) < chi_square_bound(3)


def test_neighbouring_draws_are_independent():
    draws = RandomStream(SEED, "pairs").below(10, 200_000).reshape(-1, 2)
    assert chi_square(10 * draws[:, 0] + draws[:, 1], 100) < chi_square_bound(100)


@given(st.integers(0, 3000))
def test_a_permutation_is_one(count):
    assert sorted(RandomStream(SEED, "order").permutation(count).tolist()) == list(range(count))


def test_a_permutation_is_the_order_of_its_words():
    words = RandomStream(SEED, "order").words(500).tolist()
    assert RandomStream(SEED, "order").permutation(500).tolist() == sorted(range(500), key=words.__getitem__)


def test_permutations_are_uniform():
    """The 24 orders of four, over 24,000 permutations."""
    draws = RandomStream(SEED, "orders")
    found = np.array([int("".join(map(str, draws.permutation(4).tolist())), 4) for _ in range(24_000)])
    orders, numbers = np.unique(found, return_inverse=True)
    assert len(orders) == 24
    assert chi_square(numbers, 24) < chi_square_bound(24)


def test_seeds():
    assert len(fresh_seed()) == 32
    assert fresh_seed() != fresh_seed()
    assert seed_from(7) == hashlib.sha256(b"pprl/1/seed\x007").digest()
    assert len({seed_from(number) for number in range(-3, 50)}) == 53
