"""The statistics of min-wise hashing: how often outputs agree, and that they depend on each other no more than outputs
that share no minimum.
"""

from __future__ import annotations

import hashlib
import re
from itertools import combinations

import numpy as np
import pytest
from helpers import ROOT
from scipy import stats

from pprl.encode.minwise import RULERS, Groups, Minwise

ONE_IN_A_BILLION = 1e-9  # how often a statistical test here would fail by chance, were its keys not fixed
KEYS, LENGTH = 40, 4096


def key_of(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:16]


def signs(sets, minima, length=LENGTH, keys=KEYS):
    """The encodings of sets of positions as ±1: shape (keys, sets, length)."""
    members = Groups.of(sets)
    itself = Groups.of([number] for number in range(len(members)))
    words = [
        Minwise(length, minima, key_of("ranks", key), key_of("outputs", key)).encode(members, itself, itself)
        for key in range(keys)
    ]
    bits = np.unpackbits(np.array(words).view(np.uint8), axis=-1, bitorder="little")
    return 1 - 2 * bits.astype(np.int8)


def unshared(outputs, minima):
    """Some of the outputs, of which no two share a minimum."""
    return outputs[..., : -RULERS[minima][-1] : RULERS[minima][-1] + 1]


def is_mean(values, expected, deviation):
    """Whether a mean of independent values of this standard deviation is as expected."""
    z = (values.mean() - expected) / (deviation / values.size**0.5)
    return 2 * stats.norm.sf(abs(z)) > ONE_IN_A_BILLION


@pytest.mark.parametrize("minima", RULERS)
def test_rulers_have_distinct_differences(minima):
    marks = RULERS[minima]
    assert marks[0] == 0
    assert len(set(marks)) == minima
    differences = [high - low for low, high in combinations(marks, 2)]
    assert len(differences) == len(set(differences))


def test_the_page_prints_the_rulers():
    page = (ROOT / "docs" / "encoding.md").read_text(encoding="utf-8")
    printed = re.findall(r"^\| (\d+) \| (0[ 0-9]*) \|$", page, re.MULTILINE)
    assert {int(marks): tuple(map(int, offsets.split())) for marks, offsets in printed} == RULERS


@pytest.mark.parametrize("minima", [2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize(("common", "each"), [(60, 5), (40, 20), (20, 10), (0, 30)])
def test_outputs_agree_as_often_as_the_jaccard_coefficient_says(minima, common, each):
    """Two outputs that share a minimum agree together more often: that widens the mean by what is computed here."""
    positions = np.random.default_rng(1).permutation(2**16)[: common + 2 * each].tolist()
    first, second = signs(
        [positions[: common + each], positions[:common] + positions[common + each :]], minima
    ).swapaxes(0, 1)
    agreement = (first * second).mean(axis=1)
    jaccard = common / (common + 2 * each)
    bits = min(16, 56 // minima) if minima < 8 else 8
    jaccard += (1 - jaccard) / 2**bits  # different minima whose low bits are equal
    alone, sharing = 1 - jaccard ** (2 * minima), jaccard ** (2 * minima - 1) - jaccard ** (2 * minima)
    variance = (alone + minima * (minima - 1) * sharing) / LENGTH
    assert is_mean(agreement, jaccard**minima, variance**0.5)
    spread = ((agreement - jaccard**minima) ** 2).sum() / variance  # χ² with as many degrees of freedom as keys
    assert ONE_IN_A_BILLION < stats.chi2.cdf(spread, KEYS) < 1 - ONE_IN_A_BILLION


@pytest.mark.parametrize("minima", [2, 3, 4])
def test_parallelograms_show_no_more_than_pairs_do(minima):
    """Four sets whose symmetric difference is empty: under XOR the product of their signs is 1.

    Here it is 1 only if the minima come in two pairs: one of the sixth of cases where both of the first, or both of
    the second halves rank below both others, for every minimum alike.
    """
    drawn = np.random.default_rng(2).permutation(2**16)[:400].reshape(-1, 4, 10)
    sets = [[*left, *right] for x0, x1, y0, y1 in drawn.tolist() for left in (x0, x1) for right in (y0, y1)]
    outputs = signs(sets, minima)
    for some in (outputs, unshared(outputs, minima)):
        product = some.reshape(KEYS, -1, 4, some.shape[-1]).prod(axis=2)
        assert is_mean(product.mean(axis=-1), 2 * 6.0**-minima, some.shape[-1] ** -0.5 * (1 + minima**2 * 6.0**-minima))


@pytest.mark.parametrize("minima", [2, 4, 5])
def test_outputs_that_share_a_minimum_are_not_correlated(minima):
    sets = np.random.default_rng(3).integers(0, 2**16, (50, 30)).tolist()
    outputs = signs(sets, minima)
    for low, high in combinations(RULERS[minima], 2):
        assert is_mean(outputs * np.roll(outputs, high - low, axis=-1), 0, 1)
    assert is_mean(outputs, 0, 1)
