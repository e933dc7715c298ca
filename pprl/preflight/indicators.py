"""What encodings show without any attack: takes a second, and each figure comes with what it cannot say.

Even figures are necessary but not sufficient: XOR-folded and Rule 90 filters look as even as diffused ones and fall to
known pairs all the same (docs/risk.md §3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.preflight.attacks.scheme import CandidatePool, Published, distinct_people
from pprl.roster.people import MISSING, People

SAMPLED_PAIRS = 20_000
UNRELATED = 0.6  # Dice of tokens below which two people are unrelated


@dataclass(frozen=True, kw_only=True)
class Indicators:
    """Figures about the encodings of the different people of a roster.

    ``fill`` is the mean share of bits set, ``fill_spread`` its standard deviation over people. ``gini`` (0 to 1) and
    ``divergence`` (Jensen-Shannon, bits, from an even distribution) measure how unequally often the bits are set.
    Leakage is a correlation: ``length_leakage`` that of a row's bits set with its number of tokens,
    ``similarity_leakage`` that of the agreement of two encodings with the Dice coefficient of their people's tokens,
    over 20,000 pairs, and ``unrelated_similarity_leakage`` the same below Dice .6. It is 0 where one side does not
    vary.
    """

    fill: float
    fill_spread: float
    gini: float
    divergence: float
    length_leakage: float
    similarity_leakage: float
    unrelated_similarity_leakage: float

    def to_dict(self) -> dict[str, float]:
        figures = {
            "fill": self.fill,
            "fill_spread": self.fill_spread,
            "gini": self.gini,
            "divergence": self.divergence,
            "weight_tells_length": self.length_leakage,
            "likeness_leaks": self.similarity_leakage,
            "likeness_of_strangers_leaks": self.unrelated_similarity_leakage,
        }
        return {name: round(value, 4) for name, value in figures.items()}


@dataclass(frozen=True)
class Repeats:
    """Equal encodings show who has equal values. ``alone`` rows share their encoding with no other."""

    rows: int
    alone: int
    largest: int

    @property
    def smallest_class(self) -> int:
        """The k of k-anonymity: 1 as soon as one row is alone."""
        return 1 if self.alone else self.largest

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "k_anonymity": self.smallest_class}


@dataclass(frozen=True)
class Cell:
    """People who can be singled out by strata: ``alone`` in their cell, ``few`` in one of fewer than ten."""

    strata: tuple[str, ...]
    cells: int
    alone: int
    few: int


def indicators(pool: CandidatePool, view: Published, draws: RandomStream) -> Indicators:
    """``view`` has the encodings of `CandidatePool.targets`."""
    bits, of_pool = view.bits, pool.tokens(view.scheme)
    n, length = len(bits), bits.length
    weights = bits.weights()
    set_bits = np.unpackbits(np.ascontiguousarray(bits.words).view(np.uint8), axis=1, bitorder="little")
    frequencies = np.sort(set_bits.sum(axis=0, dtype=np.int64))
    left, right = draws.below(n, SAMPLED_PAIRS), draws.below(n, SAMPLED_PAIRS)
    left, right = left[left != right], right[left != right]
    differing = np.bitwise_count(bits.words[left] ^ bits.words[right]).sum(axis=1, dtype=np.int64)
    common = np.asarray(of_pool.tokens[left].multiply(of_pool.tokens[right]).sum(axis=1)).ravel()
    dice = 2 * common / (of_pool.bits[left] + of_pool.bits[right])
    unrelated = dice < UNRELATED
    return Indicators(
        fill=float(weights.mean()) / length,
        fill_spread=float(weights.std()) / length,
        gini=gini(frequencies),
        divergence=divergence(frequencies),
        length_leakage=correlation(weights, of_pool.bits[:n]),
        similarity_leakage=correlation(-differing, dice),
        unrelated_similarity_leakage=correlation(-differing[unrelated], dice[unrelated]),
    )


def repeats(people: People, schema: Schema) -> Repeats:
    """Over all rows of a roster, including those of people listed twice."""
    counts = np.bincount(distinct_people(people, schema)[1])
    return Repeats(len(people), int((counts == 1).sum()), int(counts.max(initial=0)))


def strata_cells(people: People, schema: Schema) -> tuple[Cell, ...]:
    """Each stratum, and all of them combined: how many people are alone in a cell, or with fewer than ten."""
    names = [field.name for field in schema.fields if field.role == "stratum"]
    names = [name for name in names if (people.columns[name].codes != MISSING).any()]
    combined = [tuple(names)] if len(names) > 1 else []
    cells = []
    for strata in (*((name,) for name in names), *combined):
        codes = np.column_stack([people.columns[name].codes for name in strata])
        _, counts = np.unique(codes[(codes != MISSING).all(axis=1)], axis=0, return_counts=True)
        cells.append(Cell(strata, len(counts), int((counts == 1).sum()), int(counts[counts < 10].sum())))
    return tuple(cells)


def gini(rising: Any) -> float:
    """Σ (2j − n − 1) c_j / (n Σ c) over counts in rising order, j from 1."""
    n, total = len(rising), float(rising.sum())
    return float(((2 * np.arange(1, n + 1) - n - 1) * rising).sum()) / (n * total) if total else 0.0


def divergence(counts: Any) -> float:
    """Jensen-Shannon divergence, base 2, of the counts' distribution from the even one (Lin 1991)."""
    total = float(counts.sum())
    if not total:
        return 0.0
    observed, even = counts / total, 1 / len(counts)
    middle = (observed + even) / 2
    positive = observed > 0
    from_observed = float((observed[positive] * np.log2(observed[positive] / middle[positive])).sum())
    return (from_observed + float((even * np.log2(even / middle)).sum())) / 2


def correlation(left: Any, right: Any) -> float:
    """Pearson's; 0 where one side does not vary."""
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])
