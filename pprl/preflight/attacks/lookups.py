"""What needs no likeness at all: counting equal encodings, and encoding every candidate with a key that leaked."""

from __future__ import annotations

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.finding import Finding
from pprl.preflight.attacks.scheme import Crowd, Scheme


def frequency_alignment(crowd: Crowd, bits: BitMatrix, draws: RandomStream) -> Finding:
    """The most frequent encoding is given the most frequent name, and so on down (Christen and others 2017).

    It reads whole encodings, so it can name only people whose linked values occur several times. Where there is no
    population, the roster's own frequencies serve, which nobody knows better. ``bits`` are the encodings of
    `Crowd.victims`.
    """
    rows = np.bincount(crowd.of_row, minlength=crowd.roster)
    order = draws.permutation(crowd.roster)  # equal counts come in no order that tells anything
    _, which = np.unique(bits.words[order], axis=0, return_inverse=True)
    encodings = np.bincount(which.ravel(), weights=rows[order]).astype(np.int64)
    counts = crowd.seen if crowd.seen.any() else rows
    people = np.lexsort((crowd.turn[: len(counts)], -counts))
    place = np.empty(len(encodings), dtype=np.int64)
    place[np.argsort(-encodings, kind="stable")] = np.arange(len(encodings))
    named = people[place[which.ravel()]]
    return Finding(
        "frequency alignment",
        "encodings and people, both from the most frequent down, are laid side by side",
        "knows how frequent each combination of values is" + ("" if crowd.seen.any() else " on the roster itself"),
        "Christen, Schnell, Vatsalan and Ranbaduge (PAKDD 2017)",
        crowd.roster,
        int((named == order).sum()),
        len(crowd),
    )


def dictionary(crowd: Crowd, scheme: Scheme, key: bytes) -> Finding:
    """With the key every candidate is encoded and looked up: about everybody is named, whatever the hardening."""
    words = scheme.encode(crowd.people, key).words
    _, first, which = np.unique(words, axis=0, return_index=True, return_inverse=True)
    named = first[which.ravel()[: crowd.roster]]
    return Finding(
        "dictionary with the key",
        "every candidate is encoded with the linkage key and looked up",
        "holds the linkage key and the encodings: an owner who gets the other's encodings, or whoever gets both",
        "nothing but the definition of a keyed encoding",
        crowd.roster,
        int((named == np.arange(crowd.roster)).sum()),
        len(crowd),
    )
