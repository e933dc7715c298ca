"""Encodings of nobody: random rows under random handles."""

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.encodings import EncodingParameters, Encodings

PARAMETERS = EncodingParameters(
    encodings=(("plain", 1024),), folding=b"f" * 32, fingerprint=b"s" * 32, key_check=b"k" * 16
)


def random_rows(seed, rows, words=16):
    return BitMatrix(np.random.default_rng(seed).integers(0, 1 << 63, (rows, words), dtype="<u8"))


def encodings(side, seed, rows):
    handles = np.arange(2 * rows, dtype="<u8").view("V16")
    return Encodings(side=side, parameters=PARAMETERS, rows_read=rows, handles=handles, bits=random_rows(seed, rows))
