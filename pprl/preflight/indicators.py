"""What encodings give away without being attacked: a second's work, and each figure with what it cannot say.

Flat figures are necessary, not enough: XOR-folded and Rule 90 filters look as flat as diffused ones and fall to known
pairs all the same (docs/risk.md §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.preflight.attacks.scheme import Crowd, different
from pprl.roster.people import MISSING, People

PAIRS = 20_000
UNRELATED = 0.6  # Dice of tokens below which two people are strangers


@dataclass(frozen=True)
class Indicators:
    """Of the encodings of the different people of a roster.

    ``fill`` is the mean share of bits set, ``fill_spread`` its standard deviation over people. ``gini`` (0 to 1) and
    ``divergence`` (Jensen-Shannon, bits, against an even distribution) say how unequally often the bits are set.
    ``weight_tells_length`` is the correlation of a row's bits set with its tokens, ``likeness_leaks`` that of the
    agreement of two encodings with the Dice coefficient of their people's tokens, over 20,000 pairs, and
    ``likeness_of_strangers_leaks`` the same below Dice .6. Correlations are 0 where one side does not vary.
    """

    fill: float
    fill_spread: float
    gini: float
    divergence: float
    weight_tells_length: float
    likeness_leaks: float
    likeness_of_strangers_leaks: float

    def to_dict(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Repeats:
    """Encodings that occur more than once tell who is equal to whom. ``alone`` rows are of nobody else."""

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
    """People who are told apart by strata alone: ``alone`` in their cell, ``few`` in one of fewer than ten."""

    strata: tuple[str, ...]
    cells: int
    alone: int
    few: int


def indicators(crowd: Crowd, bits: BitMatrix, draws: RandomStream) -> Indicators:
    """``bits`` are the encodings of `Crowd.victims`."""
    n, length = len(bits), bits.length
    weights = bits.weights()
    set_bits = np.unpackbits(np.ascontiguousarray(bits.words).view(np.uint8), axis=1, bitorder="little")
    columns = np.sort(set_bits.sum(axis=0, dtype=np.int64))
    left, right = draws.below(n, PAIRS), draws.below(n, PAIRS)
    left, right = left[left != right], right[left != right]
    apart = np.bitwise_count(bits.words[left] ^ bits.words[right]).sum(axis=1, dtype=np.int64)
    common = np.asarray(crowd.tokens[left].multiply(crowd.tokens[right]).sum(axis=1)).ravel()
    dice = 2 * common / (crowd.bits[left] + crowd.bits[right])
    strangers = dice < UNRELATED
    return Indicators(
        fill=float(weights.mean()) / length,
        fill_spread=float(weights.std()) / length,
        gini=_gini(columns),
        divergence=_divergence(columns),
        weight_tells_length=_correlation(weights, crowd.bits[:n]),
        likeness_leaks=_correlation(-apart, dice),
        likeness_of_strangers_leaks=_correlation(-apart[strangers], dice[strangers]),
    )


def repeats(people: People, schema: Schema) -> Repeats:
    """Over all rows of a roster, those who stand there twice included."""
    counts = np.bincount(different(people, schema)[1])
    return Repeats(len(people), int((counts == 1).sum()), int(counts.max(initial=0)))


def strata_cells(people: People, schema: Schema) -> tuple[Cell, ...]:
    """Each stratum, and all of them together: how many people stand alone in a cell, or with fewer than ten."""
    names = [field.name for field in schema.fields if field.role == "stratum"]
    names = [name for name in names if (people.columns[name].codes != MISSING).any()]
    together = [tuple(names)] if len(names) > 1 else []
    found = []
    for strata in (*((name,) for name in names), *together):
        codes = np.column_stack([people.columns[name].codes for name in strata])
        _, counts = np.unique(codes[(codes != MISSING).all(axis=1)], axis=0, return_counts=True)
        found.append(Cell(strata, len(counts), int((counts == 1).sum()), int(counts[counts < 10].sum())))
    return tuple(found)


def _gini(rising: Any) -> float:
    """Σ (2j − n − 1) c_j / (n Σ c) over counts in rising order, j from 1."""
    n, total = len(rising), float(rising.sum())
    return float(((2 * np.arange(1, n + 1) - n - 1) * rising).sum()) / (n * total) if total else 0.0


def _divergence(counts: Any) -> float:
    """Jensen-Shannon divergence, base 2, of the counts' distribution from the even one (Lin 1991)."""
    total = float(counts.sum())
    if not total:
        return 0.0
    seen, even = counts / total, 1 / len(counts)
    middle = (seen + even) / 2
    held = seen > 0
    own = float((seen[held] * np.log2(seen[held] / middle[held])).sum())
    return (own + float((even * np.log2(even / middle)).sum())) / 2


def _correlation(one: Any, other: Any) -> float:
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
