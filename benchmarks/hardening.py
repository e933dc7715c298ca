"""Other hardenings compared with diffusion under the package's own attacks, and how diffusion itself falls.

    python benchmarks/hardening.py DATA [--rows 1010] [--population 10000] [--seed 1] [--tries 1] [--only febrl4]
        [--like "t = 8"]
    python benchmarks/hardening.py DATA --falls [--seed 1] [--only demo] [--like "no pair"]

DATA holds `names_ru` and `febrl4`. Two rosters: generated ones (surname, given name, patronymic, birth date, by their
frequency) and FEBRL4 (surname, given name, birth date). None of the foreign hardenings is in the package. The attacker
knows each scheme, but not its key. Known pairs: over up to 500 people who are looked for among themselves and the
population. Graph matching: over 800 people whom the attacker knows in clear, with `--tries` starts. F1 is the best over
all thresholds when each list row is given the registry row with the highest Dice: a list of as many rows against the
other side of the data, where 60% (generated) or all (FEBRL4) have a partner. `--like` selects the hardenings whose name
contains a text.

`--falls` runs the settings in which diffusion was found to fall, on the demo's registry too: graph matching without a
pair, with a few, with twice the people in clear, on longer filters; XORs of three known encodings. `--like` selects
settings.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from diffusion import Diffused
from rosters import DATE, NAMES, PATRONYMIC, Case, Mess, febrl4, generated
from scipy import sparse

from pprl.core.bits import BitMatrix
from pprl.core.hardening import SET_NAMES
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema import Schema
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA, invent
from pprl.match.search import best
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.graph import PEOPLE, graph_matching
from pprl.preflight.attacks.known_pairs import known_pairs
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Scheme, Tokens, signs
from pprl.preflight.attacks.triples import known_triples
from pprl.roster.columns_file import Columns
from pprl.roster.load import load
from pprl.roster.people import People

KNOWN_PAIRS = (20, 50, 150, 500)
MAX_TARGETS = 500
TRIPLES_TARGETS, CANDIDATES = 100, 600


@dataclass(frozen=True)
class Folded(Diffused):
    """XOR-folding: the two halves of the filter, XORed (Schnell and Borgs 2016)."""

    xored_bits = 2

    def encode(self, people: People, key: bytes) -> BitMatrix:
        words = super().encode(people, key).words
        half = words.shape[1] // 2
        return BitMatrix(words[:, :half] ^ words[:, half:])


@dataclass(frozen=True)
class Rule90(Diffused):
    """Each bit becomes the XOR of its two neighbours, with the row as a ring (Schnell and Borgs 2018)."""

    xored_bits = 2

    def encode(self, people: People, key: bytes) -> BitMatrix:
        bits = bools(super().encode(people, key))
        return packed(np.roll(bits, 1, axis=1) ^ np.roll(bits, -1, axis=1))


@dataclass(frozen=True)
class Balanced(Diffused):
    """The filter and its complement, in an order that the key chooses, so that each row sets half of its bits (Schnell
    and Borgs 2016)."""

    def encode(self, people: People, key: bytes) -> BitMatrix:
        bits = bools(super().encode(people, key))
        order = RandomStream(key, "balanced").permutation(2 * bits.shape[1])
        return packed(np.hstack([bits, ~bits])[:, order])

    def mean(self, bits: Floats) -> Floats:
        return np.zeros_like(bits)


@dataclass(frozen=True)
class Flipped(Diffused):
    """BLIP: each bit is flipped with a fixed probability, by a secret of its owner (Alaggan, Gambs and Kermarrec
    2012)."""

    share: float = 0.05
    owner: str = "list"

    def encode(self, people: People, key: bytes) -> BitMatrix:
        bits = bools(super().encode(people, key))
        rolls = RandomStream(key, f"flipped by {self.owner}").words(bits.size).reshape(bits.shape)
        return packed(bits ^ (rolls < np.uint64(self.share * 2**64)))

    def agreement(self, bits_left: Floats, bits_right: Floats, common: Floats) -> Floats:
        return super().agreement(bits_left, bits_right, common) * (1 - 2 * self.share) ** 2

    def mean(self, bits: Floats) -> Floats:
        return super().mean(bits) * (1 - 2 * self.share)


@dataclass(frozen=True)
class Salted(Diffused):
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


def bools(bits: BitMatrix) -> np.ndarray:
    return signs(bits) > 0


def packed(bits: np.ndarray) -> BitMatrix:
    return BitMatrix(np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view("<u8"))


def years_of(people: People) -> np.ndarray:
    column = people.columns["birth_date"]
    return np.array([*(value[:4] for value in column.values), ""])[column.codes]


def schemes(schema: Schema) -> dict[str, Scheme]:
    return {
        "plain": Diffused(schema, 0),
        "balanced": Balanced(schema, 0),
        "XOR-folded": Folded(schema, 0),
        "Rule 90": Rule90(schema, 0),
        "BLIP .05": Flipped(schema, 0),
        "BLIP .1": Flipped(schema, 0, share=0.1),
        "salted by year": Salted(schema, 0),
        **{f"diffused, t = {t}": Diffused(schema, t) for t in (5, 8, 10)},
        **{name: scheme_of(schema.with_hardening(name)) for name in SET_NAMES if name != "plain"},
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


@dataclass(frozen=True)
class Fall:
    """A setting in which diffusion falls to graph matching, or to ``triples``."""

    t: int
    length: int = 1024
    people: int = 800
    encoded: int = 800
    known: int = 0
    tries: int = 2
    triples: bool = False

    def __str__(self) -> str:
        pairs = f"{self.known} known" if self.known else "no pair"
        attack = "triples" if self.triples else "graph"
        held = "" if self.encoded == self.people else f", {self.people:,} people held for {self.encoded:,}"
        return f"t = {self.t}, {self.length:,} bits, {attack}, {pairs}{held}"


FALLS = (
    *(Fall(8, known=known) for known in (0, 3, 10)),
    *(Fall(8, people=1_600, known=known) for known in (20, 50)),
    *(Fall(10, known=known) for known in (100, 150, 300)),
    *(Fall(10, length=length) for length in (4_096, 8_192)),
    Fall(8, known=150, triples=True),
    Fall(10, known=400, triples=True),
)


def fall(name: str, fields: str, people: People, seed: int, like: str) -> None:
    print(f"\n{name}", flush=True)
    for setting in (setting for setting in FALLS if like in str(setting)):
        schema, draws = parse_schema(f"format = 1\n{fields}"), RandomStream(seed_from(seed), str(setting))
        scheme = Diffused(schema, setting.t, setting.length)
        needed = setting.known + CANDIDATES if setting.triples else max(setting.people, setting.encoded) + 60
        pool = CandidatePool(people.take(np.sort(draws.permutation(len(people))[:needed])), None, schema, draws)
        view, start = pool.view(scheme, draws.bytes(32)), time.process_time()
        if setting.triples:
            known, targets = np.arange(setting.known), np.arange(pool.target_count)[-TRIPLES_TARGETS:]
            result = known_triples(pool, view, known, targets, draws)
            alone = f", by single encodings {known_pairs(pool, [view], known, targets).rate:.1%}"
        else:
            size = {"held": setting.people, "encoded": setting.encoded, "known": setting.known}
            result, alone = graph_matching(pool, [view], draws, tries=setting.tries, **size), ""
        seconds = time.process_time() - start
        print(f"{setting!s:62}{result.rate:>7.1%} of {result.attacked:,}{alone}; {seconds:.0f} s", flush=True)


def falls(data: Path, seed: int, only: str | None, like: str) -> None:
    schema = parse_schema(SCHEMA)
    if only in (None, "demo"):
        fall("demo", NAMES + PATRONYMIC + DATE, load(invent(7).registry, schema, "registry").people, seed, like)
    cases = {
        "generated": lambda: generated(data, seed, 1_700, 2_000, 1_000, date=True, mess=Mess(missing=0.02)),
        "febrl4": lambda: febrl4(data),
    }
    for name, make in cases.items():
        if only in (None, name):
            case = make()
            fall(name, case.fields, people_of(case, parse_schema("format = 1\n" + case.fields))[0], seed, like)


def people_of(case: Case, schema: Schema) -> tuple[People, People]:
    """The people of both sides."""
    orders = {"birth_date": "ymd"}
    sides = (("list", case.leaked, case.list_columns), ("registry", case.registry, case.registry_columns))
    own, theirs = (
        load(frame, schema, side, columns=Columns(columns or {}, orders), any_age=True).people
        for side, frame, columns in sides
    )
    return own, theirs


def attack(case: Case, rows: int, population: int, seed: int, tries: int, like: str) -> None:
    schema = parse_schema("format = 1\n" + case.fields)
    own, theirs = people_of(case, schema)
    chosen = np.sort(RandomStream(seed_from(seed), "rows").permutation(len(own))[:rows])
    own, others = own.take(chosen), theirs.take(np.arange(min(population, len(theirs))))
    print(f"\n{case.name}: {len(own):,} people, population {len(others):,}", flush=True)
    ladder = [m for m in KNOWN_PAIRS if 2 * m <= len(own)]
    attacked = min(MAX_TARGETS, len(own) - ladder[-1])
    print(f"{'':18}{'bits':>6}" + "".join(f"{f'm = {m}  ':>10}" for m in ladder) + f"{'graph':>8}{'F1':>7}")
    for name, scheme in ((name, scheme) for name, scheme in schemes(schema).items() if like in name):
        key = RandomStream(seed_from(seed), "key").bytes(32)
        pool = CandidatePool(own, others, schema, RandomStream(seed_from(seed), "crowd"))
        views = [pool.view(scheme, key)]
        targets = np.arange(pool.target_count)[-attacked:]
        graph = graph_matching(pool, views, RandomStream(seed_from(seed), "graph"), tries=tries).rate
        others_scheme = replace(scheme, owner="registry") if isinstance(scheme, Flipped) else scheme
        f1 = best_f1(scheme.encode(own, key), others_scheme.encode(theirs, key), case, chosen)
        shown = "".join(f"{known_pairs(pool, views, np.arange(m), targets).rate:>10.1%}" for m in ladder)
        print(f"{name:18}{views[0].bits.length:>6}{shown}{graph:>8.1%}{f1:>7.3f}", flush=True)
    print(f"{attacked} people are attacked by known pairs, {min(PEOPLE, len(own))} by graph matching")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=1_010)
    parser.add_argument("--population", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--like", default="")
    parser.add_argument("--only", choices=("generated", "febrl4", "demo"))
    parser.add_argument("--falls", action="store_true")
    given = parser.parse_args()
    print("python benchmarks/hardening.py DATA", *sys.argv[2:])
    if given.falls:
        falls(given.data, given.seed, given.only, given.like)
        return
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
