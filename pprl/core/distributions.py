"""Tails of distributions, and ranks, without scipy, whose import takes as long as a small linkage.

The discrete tails are sums of terms that follow from the first by their ratios, in logarithms. Tests compare them with
`scipy.stats`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def binomial_tail(least: int, trials: int, p: float) -> float:
    """P(at least ``least`` successes in ``trials`` trials of probability ``p``), to about ten digits."""
    if least <= 0 or p >= 1.0:
        return 1.0 if least <= trials else 0.0
    if p <= 0.0:
        return 0.0
    counts = np.arange(least, trials)
    first = _log_choose(trials, least) + least * math.log(p) + (trials - least) * math.log1p(-p)
    return _sum_of_terms(first, np.log((trials - counts) / (counts + 1)) + (math.log(p) - math.log1p(-p)))


def hypergeometric(low: int, high: int, *, population: int, marked: int, drawn: int) -> float:
    """P(``low`` to ``high`` marked items among ``drawn``, without replacement), to about ten digits."""
    unmarked = population - marked
    least, most = max(low, 0, drawn - unmarked), min(high, drawn, marked)
    if least > most:
        return 0.0
    counts = np.arange(least, most, dtype=np.float64)
    first = _log_choose(marked, least) + _log_choose(unmarked, drawn - least) - _log_choose(population, drawn)
    ratios = (marked - counts) / (counts + 1) * ((drawn - counts) / (unmarked - drawn + counts + 1))
    return _sum_of_terms(first, np.log(ratios))


def exceedances(people: int, rank: int, decoys: int) -> NDArray[np.float64]:
    """P(exactly x of ``people`` lie above the ``rank``-th largest of ``decoys``) if all are alike, for x = 0 … people.

    The distribution of exceedances (Gumbel & von Schelling 1950), a negative hypergeometric one.
    """
    x = np.arange(people, dtype=np.float64)
    first = _log_choose(people + decoys - rank, people) - _log_choose(people + decoys, people)
    ratios = (x + rank) / (x + 1) * (people - x) / (people - x + decoys - rank)
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(first + np.append(0.0, np.cumsum(np.log(ratios)))))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _sum_of_terms(log_first: float, log_ratios: NDArray[np.float64]) -> float:
    """The sum of a series, from the logarithms of its first term and of the ratios between neighbouring terms."""
    logs = log_first + np.append(0.0, np.cumsum(log_ratios))
    largest = logs.max()
    return float(min(1.0, np.exp(largest) * np.exp(logs - largest).sum()))


def normal_tail(deviate: float) -> float:
    """P(a standard normal variable exceeds ``deviate``)."""
    return math.erfc(deviate / math.sqrt(2)) / 2


def rounded_p(p: float) -> float:
    """Three digits of a p; anything below 1e-300 is a rounding error, and no p is 0."""
    return float(f"{max(p, 1e-300):.3g}")


def average_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs.

    >>> average_ranks(np.array([0.5, 0.1, 0.5])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[group.ravel()]
    return ranks
