"""Walks through a whole register: how many people are named from a few known pairs, or from none.

    python benchmarks/walks.py DATA [--people 100000] [--seeds 0 20 200] [--set standard | --diffused 8]
        [--fields "names, date"] [--most 1000] [--seed 1]

DATA holds `names_ru`. The attacker holds everybody of a generated register in clear, all their encodings, and so many
known pairs. `right` and `wrong` are the people whom the walk took before nobody was certain any more or `--most` were
taken, after which a walk no longer stops by itself; `named` is the share of 300 drawn people who have their own
encoding then, those not taken by the best fit. `strangers` is how many people somebody has on average, by a sample of
1,500, who are as similar as the weakest partner that can be told from noise. What one known pair tells is L c²/2, the
mean over pairs of people of similarity c < .5: how much likelier it makes the right encoding of another, in natural
logarithms. To name somebody among n takes ln n. At 100,000 people, minutes for each number of known pairs.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from diffusion import Diffused
from rosters import Mess, generated
from sets import FIELDS, TYPES, pool_of, strangers

from pprl.core.hardening import SET_NAMES
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema_file import parse_schema
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.scheme import CandidatePool, Scheme
from pprl.preflight.attacks.walk import Hubs, walk

TARGETS = 300
SAMPLE = 300
SAME = 0.5  # similarity from which two are mostly one person twice


def told(pool: CandidatePool, scheme: Scheme, length: int) -> float:
    """Log-likelihood that one known person gives to the right encoding of another, on average."""
    people = np.arange(len(pool))
    total = 0.0
    for top in range(0, SAMPLE, 100):
        covariance = pool.covariance(people[top : top + 100], people, scheme)
        total += length / 2 * float(np.square(covariance[covariance < SAME]).sum())
    return total / SAMPLE / len(pool)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 20, 200], help="known pairs")
    parser.add_argument("--set", choices=SET_NAMES, default="standard")
    parser.add_argument("--diffused", type=int, metavar="T", help="XOR diffusion to 1,024 bits instead of a set")
    parser.add_argument("--fields", choices=FIELDS, default="names, patronymic, date")
    parser.add_argument("--most", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    text = "".join(f'[fields.{field}]\ntype = "{TYPES[field]}"\n' for field in FIELDS[given.fields])
    schema = parse_schema(f"format = 1\n{text}").with_hardening(given.set)
    case = generated(given.data, given.seed, 100, given.people, 60, date=True, mess=Mess(missing=0.02))
    pool = pool_of(case, schema, given.fields, given.people, given.seed)
    del case
    draws = RandomStream(seed_from(given.seed), "walks")
    scheme = scheme_of(schema) if given.diffused is None else Diffused(schema, given.diffused)
    name = f"t = {given.diffused}, 1,024 bits" if given.diffused else f"{given.set}, {schema.parameters.described()}"
    strong = "" if given.diffused else f", {strangers(pool, schema) * len(pool) / 100_000:.2f} strangers a person"
    print(f"{given.fields}; {name}; {len(pool):,} different people{strong}", flush=True)
    view = pool.view(scheme, draws.bytes(32))
    print(f"one known pair tells {told(pool, scheme, view.bits.length):.2g}")
    drawn = draws.permutation(len(pool))
    started = time.perf_counter()
    hubs = Hubs.of(pool, view, draws)
    print(
        f"{'known':>8}{'right':>8}{'wrong':>8}{'named':>8}{'seconds':>9}  hubs: {time.perf_counter() - started:.0f} s"
    )
    for known in given.seeds:
        started = time.perf_counter()
        found = walk(pool, view, drawn[:known], drawn[-TARGETS:], draws, hubs=hubs, most=given.most)
        shown = f"{known:>8}{found.right:>8,}{found.wrong:>8,}{found.result.rate:>8.1%}"
        print(f"{shown}{time.perf_counter() - started:>9.0f}", flush=True)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
