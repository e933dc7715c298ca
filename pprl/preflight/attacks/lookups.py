"""Attacks that need no similarity: counting equal encodings, and encoding every candidate with a leaked key."""

from __future__ import annotations

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Scheme


def frequency_alignment(pool: CandidatePool, bits: BitMatrix, draws: RandomStream) -> AttackResult:
    """The most frequent encoding is given the most frequent name, and so on down (Christen and others 2017).

    It looks at whole encodings, so it can name only people whose linked values occur several times. Without a
    population it uses the roster's own frequencies, which nobody knows better. ``bits`` are the encodings of
    `CandidatePool.targets`.
    """
    rows = np.bincount(pool.person_of_row, minlength=pool.target_count)
    order = draws.permutation(pool.target_count)  # so that the order of equal counts gives nothing away
    _, encoding_of = np.unique(bits.words[order], axis=0, return_inverse=True)
    counts = np.bincount(encoding_of.ravel(), weights=rows[order]).astype(np.int64)
    frequencies = pool.population_counts if pool.population_counts.any() else rows
    people = np.lexsort((pool.tie_order[: len(frequencies)], -frequencies))
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    named = people[rank[encoding_of.ravel()]]
    on_the_roster = "" if pool.population_counts.any() else " on the roster itself"
    return AttackResult(
        attack="frequency alignment",
        tried="encodings and people are matched in order of frequency, most frequent first",
        assumes=f"knows how frequent each combination of values is{on_the_roster}",
        source="Christen, Schnell, Vatsalan and Ranbaduge (PAKDD 2017)",
        attacked=pool.target_count,
        named=int((named == order).sum()),
        candidates=len(pool),
    )


def dictionary(pool: CandidatePool, scheme: Scheme, key: bytes) -> AttackResult:
    """With the key, every candidate is encoded and looked up: nearly everybody is named, whatever the hardening."""
    words = scheme.encode(pool.people, key).words
    _, first, encoding_of = np.unique(words, axis=0, return_index=True, return_inverse=True)
    named = first[encoding_of.ravel()[: pool.target_count]]
    return AttackResult(
        attack="dictionary with the key",
        tried="every candidate is encoded with the linkage key and looked up",
        assumes="holds the linkage key and the encodings, as an owner who obtains the other's encodings would",
        source="the definition of a keyed encoding",
        attacked=pool.target_count,
        named=int((named == np.arange(pool.target_count)).sum()),
        candidates=len(pool),
    )
