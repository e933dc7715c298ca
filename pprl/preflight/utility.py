"""What hardening costs: people who are in a registry and are not found again, since two hands wrote them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pprl.core.intervals import wilson
from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Schema
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import judge
from pprl.match.encodings import match_encodings
from pprl.preflight.synthetic import Inventor
from pprl.roster.people import People

STRANGERS = 10_000
MOST_PEOPLE = 1_000


@dataclass(frozen=True)
class FoundAgain:
    """``found`` of ``present`` people of the roster were paired with themselves in an invented registry of ``rows``, in
    which each stands as another hand wrote him; at the schema's false-match rate."""

    found: int
    present: int
    rows: int

    @property
    def rate(self) -> float:
        return self.found / self.present

    def to_dict(self) -> dict[str, float]:
        low, high = wilson(self.found, self.present)
        return {**vars(self), "rate": round(self.rate, 6), "low": round(low, 6), "high": round(high, 6)}


def found_again(victims: People, schema: Schema, seed: bytes) -> FoundAgain:
    """Every other of up to 1,000 people is in the registry; equal seeds give the same registry for every schema.

    Linked as `pprl link` does, decoys and all.
    """
    draws = RandomStream(seed, "risk, price")
    schema = replace(schema, registry_as_of=None)  # everybody could be in an invented registry
    chosen = np.sort(draws.permutation(len(victims))[:MOST_PEOPLE])
    people = victims.take(chosen)
    people = People(np.arange(len(people), dtype=np.int64), people.columns)
    inside = np.arange(0, len(people), 2)
    registry = Inventor(people, schema, draws).registry(inside, len(inside) + STRANGERS)
    key = LinkageKey(draws.bytes(32), repeatable=True)
    numbers = [int.from_bytes(draws.bytes(8), "little") for _ in range(2)]
    own, rows = encode_list(people, schema, key, randomness=Randomness.make(numbers[0]), allow_weak=True)
    theirs, home = encode_registry(registry, schema, key, randomness=Randomness.make(numbers[1]), allow_weak=True)
    pairs = judge(match_encodings(own, theirs), rows, home, encodings=own).pairs
    found = pairs.registry_row.to_numpy(dtype=np.int64)
    themselves = inside[np.minimum(found, len(inside) - 1)] == pairs.list_row.to_numpy(dtype=np.int64)
    right = (found < len(inside)) & themselves
    return FoundAgain(int(right.sum()), len(inside), len(registry))
