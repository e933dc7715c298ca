"""Tails of two distributions, and ranks, without `scipy.stats`, whose import takes as long as a small linkage.

Tests compare them with `scipy.stats`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def binomial_tail(least: int, trials: int, p: float) -> float:
    """P(at least ``least`` successes): the regularised incomplete beta function I_p(least, trials − least + 1)."""
    from scipy.special import betainc

    return float(betainc(least, trials - least + 1, p)) if least > 0 else 1.0


def hypergeometric(low: int, high: int, *, population: int, marked: int, drawn: int) -> float:
    """P(``low`` to ``high`` marked ones among those drawn without replacement), to about ten digits."""
    from scipy.special import gammaln

    def log_choose(n: int, k: NDArray[np.int64] | int) -> Any:
        return gammaln(n + 1) - gammaln(np.asarray(k) + 1) - gammaln(n - np.asarray(k) + 1)

    first, last = max(low, 0, drawn - (population - marked)), min(high, drawn, marked)
    if first > last:
        return 0.0
    counts = np.arange(first, last + 1)
    logs = log_choose(marked, counts) + log_choose(population - marked, drawn - counts) - log_choose(population, drawn)
    largest = logs.max()
    return float(min(1.0, np.exp(largest) * np.exp(logs - largest).sum()))


def average_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs.

    >>> average_ranks(np.array([0.5, 0.1, 0.5])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[group.ravel()]
    return ranks
