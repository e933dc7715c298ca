"""Diffusion: each published bit is the XOR of ``t`` bits chosen by the key, so that no bit reveals a single token.

Armknecht, Heng and Schnell (2023), "Strengthening privacy-preserving record linkage using diffusion", PoPETs 2023(2).
Known-pairs and graph attacks that read a plain filter fail at t ≥ 5 to 8. The price: one differing input bit flips
``t`` output bits, so the similarity of different spellings falls faster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words, on_its_side, upright
from pprl.core.randomness import RandomStream

ROWS_AT_A_TIME = 8192


def diffusion_indices(length: int, mixed: int, seed: bytes) -> NDArray[np.int64]:
    """Which input bits make each output bit: shape (mixed, length), no repetition in a column, rows are permutations.

    Each row is a Fisher–Yates permutation from SHAKE256 keyed by ``seed``. An entry that repeats an input bit already
    in its column is swapped with a drawn position of the same row, until neither column holds a repetition. So every
    input bit is used exactly ``mixed`` times.
    """
    stream = RandomStream(seed, "diffusion")
    rows: list[list[int]] = []
    for _ in range(mixed):
        row = list(range(length))
        for column, offset in enumerate(stream.below(np.arange(length, 0, -1), length).tolist()):
            row[column], row[column + offset] = row[column + offset], row[column]
        taken = [{earlier[column] for earlier in rows} for column in range(length)]
        for column in range(length):
            while row[column] in taken[column]:
                other = int(stream.below(length, 1)[0])
                if row[other] not in taken[column] and row[column] not in taken[other]:
                    row[column], row[other] = row[other], row[column]
        rows.append(row)
    return np.array(rows, dtype=np.int64).reshape(mixed, length)


def diffuse(plain: BitMatrix, indices: NDArray[np.int64]) -> BitMatrix:
    """Rows of the same length, hardened by ``indices`` (`diffusion_indices`); without any the rows stay as they are.

    An empty row stays empty.
    """
    if not len(indices):
        return plain
    out = np.empty_like(plain.words)
    for top in range(0, len(plain), ROWS_AT_A_TIME):
        out[top : top + ROWS_AT_A_TIME] = _diffuse_rows(plain.words[top : top + ROWS_AT_A_TIME], indices)
    return BitMatrix(out)


def _diffuse_rows(words: Words, indices: NDArray[np.int64]) -> Words:
    """Transposed, one XOR of words serves the same bit of 64 rows."""
    columns = on_its_side(words)
    mixed = columns[indices[0]]
    for row in indices[1:]:
        mixed ^= columns[row]
    return upright(mixed, len(words))
