"""What hardening costs: people whom two offices wrote differently and who are no longer matched."""

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
from pprl.preflight.synthetic import SyntheticRegistry
from pprl.roster.people import People

STRANGERS = 10_000
MAX_PEOPLE = 1_000


@dataclass(frozen=True)
class Utility:
    """``matched`` of ``present`` people of the roster were matched with themselves in a synthetic registry of ``rows``,
    where each is written as another office would; at the schema's false-match rate."""

    matched: int
    present: int
    rows: int

    @property
    def rate(self) -> float:
        return self.matched / self.present

    def to_dict(self) -> dict[str, float]:
        low, high = wilson(self.matched, self.present)
        shares = {"rate": self.rate, "low": low, "high": high}
        counts = {"found": self.matched, "present": self.present, "rows": self.rows}
        return counts | {name: round(share, 6) for name, share in shares.items()}


def measure_utility(people: People, schema: Schema, seed: bytes) -> Utility:
    """Link as `pprl link` does, decoys and all, with half of up to 1,000 people in the registry.

    Equal seeds give the same registry for every schema.
    """
    draws = RandomStream(seed, "risk, price")
    schema = replace(schema, registry_as_of=None)  # everybody could be in a synthetic registry
    people = people.take(np.sort(draws.permutation(len(people))[:MAX_PEOPLE]))
    people = People(np.arange(len(people), dtype=np.int64), people.columns)
    present = np.arange(0, len(people), 2)
    registry = SyntheticRegistry(people, schema, draws).draw(present, len(present) + STRANGERS)
    key = LinkageKey(draws.bytes(32), repeatable=True)
    for_list, for_registry = (Randomness.make(int.from_bytes(draws.bytes(8), "little")) for _ in range(2))
    list_encodings, list_rows = encode_list(people, schema, key, randomness=for_list, allow_weak=True)
    registry_encodings, registry_rows = encode_registry(registry, schema, key, randomness=for_registry, allow_weak=True)
    scores = match_encodings(list_encodings, registry_encodings)
    pairs = judge(scores, list_rows, registry_rows).pairs
    partners = pairs.registry_row.to_numpy(dtype=np.int64)
    themselves = present[np.minimum(partners, len(present) - 1)] == pairs.list_row.to_numpy(dtype=np.int64)
    matched = (partners < len(present)) & themselves
    return Utility(int(matched.sum()), len(present), len(registry))
