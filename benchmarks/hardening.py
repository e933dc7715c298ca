"""Other hardenings compared with diffusion under the package's own attacks: what each withstands and what it costs.

    python benchmarks/hardening.py DATA [--rows 1010] [--population 10000] [--seed 1] [--tries 1] [--only febrl4]
        [--like "t = 8"]

DATA holds `names_ru` and `febrl4`. Two rosters: generated ones (surname, given name, patronymic, birth date, by their
frequency) and FEBRL4 (surname, given name, birth date). None of the foreign hardenings is in the package. The attacker
knows each scheme, but not its key. Known pairs: the strongest of three learners (l linear, d dice, s scheme; the first
if equal), over up to 500 people who are looked for among themselves and the population. Graph matching: over 800 people
whom the attacker knows in clear, with `--tries` starts. F1 is the best over all thresholds when each list row is given
the registry row with the highest Dice: a list of as many rows against the other side of the data, where 60% (generated)
or all (FEBRL4) have a partner. `--like` selects the hardenings whose name contains a text.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rosters import Case, Mess, febrl4, generated
from scipy import sparse

from pprl.core.bits import BitMatrix
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema import HARDENINGS, Schema
from pprl.core.schema_file import parse_schema
from pprl.match.search import best
from pprl.preflight.attacks.graph import MAX_PEOPLE, graph_matching
from pprl.preflight.attacks.known_pairs import LEARNERS, known_pairs
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Scheme, Tokens, signs
from pprl.roster.columns_file import Columns
from pprl.roster.load import load
from pprl.roster.people import People

KNOWN_PAIRS = (20, 50, 150, 500)
MAX_TARGETS = 500


@dataclass(frozen=True)
class Folded(Scheme):
    """XOR-folding: the two halves of the filter, XORed (Schnell and Borgs 2016)."""

    xored_bits = 2

    def encode(self, people: People, key: bytes) -> BitMatrix:
        words = super().encode(people, key).words
        half = words.shape[1] // 2
        return BitMatrix(words[:, :half] ^ words[:, half:])


@dataclass(frozen=True)
class Rule90(Scheme):
    """Each bit becomes the XOR of its two neighbours, with the row as a ring (Schnell and Borgs 2018)."""

    xored_bits = 2

    def encode(self, people: People, key: bytes) -> BitMatrix:
        bits = bools(super().encode(people, key))
        return packed(np.roll(bits, 1, axis=1) ^ np.roll(bits, -1, axis=1))


@dataclass(frozen=True)
class Balanced(Scheme):
    """The filter and its complement, in an order that the key chooses, so that each row sets half of its bits (Schnell
    and Borgs 2016)."""

    def encode(self, people: People, key: bytes) -> BitMatrix:
        bits = bools(super().encode(people, key))
        order = RandomStream(key, "balanced").permutation(2 * bits.shape[1])
        return packed(np.hstack([bits, ~bits])[:, order])


@dataclass(frozen=True)
class Flipped(Scheme):
    """BLIP: each bit is flipped with a fixed probability, by a secret of its owner (Alaggan, Gambs and Kermarrec
    2012)."""

    share: float = 0.05
    owner: str = "list"

    def encode(self, people: People, key: bytes) -> BitMatrix:
        bits = bools(super().encode(people, key))
        rolls = RandomStream(key, f"flipped by {self.owner}").words(bits.size).reshape(bits.shape)
        return packed(bits ^ (rolls < np.uint64(self.share * 2**64)))


@dataclass(frozen=True)
class Salted(Scheme):
    """Tokens are hashed under a key derived from the year of birth, so that people of different years share bits
    only by chance (Niedermeyer and others 2014)."""

    def encode(self, people: People, key: bytes) -> BitMatrix:
        years = years_of(people)
        words = np.zeros((len(people), self.length // 64), dtype="<u8")
        for year in np.unique(years):
            rows = np.flatnonzero(years == year)
            salted = hashlib.blake2b(str(year).encode(), key=key, digest_size=32).digest()
            words[rows] = super().encode(people.take(rows), salted).words
        return BitMatrix(words)

    def bits_of_tokens(self, people: People) -> Tokens:
        plain = super().bits_of_tokens(people)
        _, salt = np.unique(years_of(people), return_inverse=True)
        owner = np.repeat(np.arange(len(people)), np.diff(plain.indptr))
        places = plain.indices.astype(np.int64) + salt[owner] * plain.shape[1]
        return sparse.csr_array(
            (plain.data, places, plain.indptr), shape=(len(people), plain.shape[1] * (salt.max() + 1))
        )


class Onlookers(CandidatePool):
    """A pool as the attacker of a scheme sees it: what balancing and flipping do to the covariance of bits."""

    def agreement(self, left: Indices, right: Indices, scheme: Scheme) -> Floats:
        agreed = super().agreement(left, right, scheme) * kept(scheme) ** 2
        agreed[left[:, None] == right[None, :]] = 1
        return agreed

    def mean(self, places: Indices, scheme: Scheme) -> Floats:
        mean = super().mean(places, scheme) * kept(scheme)
        return np.zeros_like(mean) if isinstance(scheme, Balanced) else mean


def kept(scheme: Scheme) -> float:
    return 1 - 2 * scheme.share if isinstance(scheme, Flipped) else 1.0


def bools(bits: BitMatrix) -> np.ndarray:
    return signs(bits) > 0


def packed(bits: np.ndarray) -> BitMatrix:
    return BitMatrix(np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view("<u8"))


def years_of(people: People) -> np.ndarray:
    column = people.columns["birth_date"]
    return np.array([*(value[:4] for value in column.values), ""])[column.codes]


def schemes(schema: Schema) -> dict[str, Scheme]:
    plain = schema.with_hardening(0)
    return {
        "plain": Scheme(plain),
        "balanced": Balanced(plain),
        "XOR-folded": Folded(plain),
        "Rule 90": Rule90(plain),
        "BLIP .05": Flipped(plain),
        "BLIP .1": Flipped(plain, 0.1),
        "salted by year": Salted(plain),
        **{f"diffused, t = {t}": Scheme(schema.with_hardening(t)) for t in HARDENINGS if t},
    }


def best_f1(own: BitMatrix, theirs: BitMatrix, case: Case, rows: np.ndarray) -> float:
    """The best F1 over thresholds when each list row is given its most similar registry row."""
    found = best(own, theirs, keep=1)
    dice = (2 * found.common / np.maximum(found.total, 1)).ravel()
    truth = case.truth[rows]
    right = (truth >= 0) & (case.people_of_registry[found.theirs.ravel()] == truth)
    order = np.argsort(-dice, kind="stable")
    hits = np.cumsum(right[order])
    return float((2 * hits / (np.arange(1, len(order) + 1) + (truth >= 0).sum())).max())


def strongest(pool: CandidatePool, scheme: Scheme, bits: BitMatrix, known: int, targets: Indices) -> str:
    """The share that the best learner names, and the letter of that learner."""
    rates = {name: known_pairs(pool, scheme, bits, np.arange(known), targets, name).rate for name in LEARNERS}
    learner = max(LEARNERS, key=lambda name: rates[name])
    return f"{rates[learner]:.1%} {learner[0]}"


def attack(case: Case, rows: int, population: int, seed: int, tries: int, like: str) -> None:
    schema = parse_schema("format = 1\n" + case.fields)
    orders = {"birth_date": "ymd"}
    own = load(case.leaked, schema, "list", columns=Columns(case.list_columns or {}, orders), any_age=True).people
    theirs = load(
        case.registry, schema, "registry", columns=Columns(case.registry_columns or {}, orders), any_age=True
    ).people
    chosen = np.sort(RandomStream(seed_from(seed), "rows").permutation(len(own))[:rows])
    own, others = own.take(chosen), theirs.take(np.arange(min(population, len(theirs))))
    print(f"\n{case.name}: {len(own):,} people, population {len(others):,}", flush=True)
    ladder = [m for m in KNOWN_PAIRS if 2 * m <= len(own)]
    attacked = min(MAX_TARGETS, len(own) - ladder[-1])
    print(f"{'':18}{'bits':>6}" + "".join(f"{f'm = {m}  ':>10}" for m in ladder) + f"{'graph':>8}{'F1':>7}")
    for name, scheme in ((name, scheme) for name, scheme in schemes(schema).items() if like in name):
        key = RandomStream(seed_from(seed), "key").bytes(32)
        pool = Onlookers(own, others, scheme, RandomStream(seed_from(seed), "crowd"))
        bits = scheme.encode(pool.targets(), key)
        targets = np.arange(pool.target_count)[-attacked:]
        graph = graph_matching(pool, scheme, bits, RandomStream(seed_from(seed), "graph"), tries).rate
        others_scheme = replace(scheme, owner="registry") if isinstance(scheme, Flipped) else scheme
        f1 = best_f1(scheme.encode(own, key), others_scheme.encode(theirs, key), case, chosen)
        shown = "".join(f"{strongest(pool, scheme, bits, m, targets):>10}" for m in ladder)
        print(f"{name:18}{bits.length:>6}{shown}{graph:>8.1%}{f1:>7.3f}", flush=True)
    print(f"{attacked} people are attacked by known pairs, {min(MAX_PEOPLE, len(own))} by graph matching")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=1_010)
    parser.add_argument("--population", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--like", default="")
    parser.add_argument("--only", choices=("generated", "febrl4"))
    given = parser.parse_args()
    print("python benchmarks/hardening.py DATA", *sys.argv[2:])
    if given.only != "febrl4":
        people = 6 * given.rows // 10
        case = generated(
            given.data, given.seed, given.rows, given.population, people, date=True, mess=Mess(missing=0.02)
        )
        attack(case, given.rows, given.population, given.seed, given.tries, given.like)
    if given.only != "generated":
        attack(febrl4(given.data), given.rows, given.population, given.seed, given.tries, given.like)


if __name__ == "__main__":
    main()
