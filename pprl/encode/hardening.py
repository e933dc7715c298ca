"""Diffusion: each published bit is the XOR of ``t`` key-chosen bits, so that no bit speaks of one token.

Armknecht, Heng and Schnell (2023), "Strengthening privacy-preserving record linkage using diffusion", PoPETs 2023(2).
Known-pairs and graph attacks that read a plain filter fail against t ≥ 5 to 8; the price is that one differing input
bit flips ``t`` output bits, so similarities of different spellings fall faster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words, on_its_side, upright
from pprl.core.randomness import RandomStream

ROWS_AT_A_TIME = 8192


def diffusion_indices(length: int, mixed: int, seed: bytes) -> NDArray[np.int64]:
    """Which input bits make each output bit: shape (mixed, length), every column distinct, every row a permutation.

    Each row is a Fisher–Yates permutation from SHAKE256 keyed by ``seed``. An entry that repeats an input bit already
    in its column is swapped with a drawn place of the same row, until neither column holds a repetition; so every
    input bit is used exactly ``mixed`` times.
    """
    draws = RandomStream(seed, "diffusion")
    rows: list[list[int]] = []
    for _ in range(mixed):
        row = list(range(length))
        for place, other in enumerate(draws.below(np.arange(length, 0, -1), length).tolist()):
            row[place], row[place + other] = row[place + other], row[place]
        taken = [{earlier[place] for earlier in rows} for place in range(length)]
        for place in range(length):
            while row[place] in taken[place]:
                other = int(draws.below(length, 1)[0])
                if row[other] not in taken[place] and row[place] not in taken[other]:
                    row[place], row[other] = row[other], row[place]
        rows.append(row)
    return np.array(rows, dtype=np.int64).reshape(mixed, length)


def diffuse(plain: BitMatrix, mixed: int, seed: bytes) -> BitMatrix:
    """Rows to rows of the same length; ``mixed`` 0 leaves them as they are. An empty row stays empty."""
    return mix(plain, diffusion_indices(plain.length, mixed, seed))


def mix(plain: BitMatrix, indices: NDArray[np.int64]) -> BitMatrix:
    """`diffuse` by indices that are drawn already."""
    if not len(indices):
        return plain
    out = np.empty_like(plain.words)
    for top in range(0, len(plain), ROWS_AT_A_TIME):
        out[top : top + ROWS_AT_A_TIME] = _diffuse_rows(plain.words[top : top + ROWS_AT_A_TIME], indices)
    return BitMatrix(out)


def _diffuse_rows(words: Words, indices: NDArray[np.int64]) -> Words:
    """On its side, one XOR of words serves the same bit of 64 rows."""
    columns = on_its_side(words)
    mixed = columns[indices[0]]
    for row in indices[1:]:
        mixed ^= columns[row]
    return upright(mixed, len(words))
