"""Tails and ranks agree with `scipy.stats`."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pprl.core.distributions import average_ranks, binomial_tail, exceedances, hypergeometric


def exact_binomial_tail(least, trials, p):
    """By whole numbers: scipy is off by 2e-9 of some tails below 1e-280."""
    top, bottom = p.as_integer_ratio()
    term = total = math.comb(trials, least) * top**least * (bottom - top) ** (trials - least)
    for k in range(least, trials):
        term = term * (top * (trials - k)) // ((bottom - top) * (k + 1))  # leaves no remainder
        total += term
    return float(Fraction(total, bottom**trials))


@given(st.integers(1, 2000), st.data())
def test_the_binomial_tail(trials, data):
    least, p = data.draw(st.integers(0, trials)), data.draw(st.floats(0.0, 1.0))
    expected = stats.binom.sf(least - 1, trials, p)
    if 0 < expected < 1e-250:
        expected = exact_binomial_tail(least, trials, p)
    assert binomial_tail(least, trials, p) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_a_tail_of_which_scipy_is_not_sure():
    assert binomial_tail(619, 631, 0.3125) == pytest.approx(exact_binomial_tail(619, 631, 0.3125), rel=1e-11, abs=0)


@given(st.integers(1, 25_000), st.data())
def test_the_hypergeometric_distribution(population, data):
    marked, drawn = data.draw(st.integers(0, population)), data.draw(st.integers(0, population))
    count = data.draw(st.integers(0, drawn))
    many = {"population": population, "marked": marked, "drawn": drawn}
    below = stats.hypergeom.cdf(count, population, marked, drawn)
    assert hypergeometric(0, count, **many) == pytest.approx(below, rel=1e-8, abs=1e-300)
    above = stats.hypergeom.sf(count - 1, population, marked, drawn)
    assert hypergeometric(count, drawn, **many) == pytest.approx(above, rel=1e-8, abs=1e-300)


@given(st.integers(0, 300), st.integers(1, 3000), st.data())
def test_exceedances(people, decoys, data):
    rank = data.draw(st.integers(1, decoys))
    expected = stats.betabinom.pmf(np.arange(people + 1), people, rank, decoys + 1 - rank)
    assert exceedances(people, rank, decoys) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_exceedances_by_drawing():
    rng = np.random.default_rng(1)
    above = [(rng.random(20) > np.sort(rng.random(100))[-5]).sum() for _ in range(4000)]
    shares = np.bincount(above, minlength=21) / 4000
    chance = exceedances(20, 5, 100)
    assert (np.abs(shares - chance) < 4 * np.sqrt(chance / 4000) + 0.001).all()


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.5]), min_size=1, max_size=50))
def test_ranks(values):
    assert average_ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()
