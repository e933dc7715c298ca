"""Learned attacks on min-wise hashing beside the best linear prediction: winning tokens, and trees for each bit.

    python benchmarks/learned.py DATA [--known 500 2000 10000] [--set standard|high] [--fields "names, patronymic"]
        [--only attacks|trees] [--candidates 2000] [--bits 32] [--seed 1]

DATA holds `names_ru`. The known people and the candidates are of a generated register of 12,500. For each choice of
linked fields and number of known pairs: the share of 300 people named by known pairs (kriging) and by winning tokens;
and what kriging and boosted trees say of the right person's encoding, as evidence.

Evidence is the mean of log2 (1 + y ŷ) over bits y with prediction ŷ, times the length of the encoding: the binary
digits by which the encoding tells the person from somebody unrelated. Naming one of 2,000 needs eleven, and more
because the wrong candidates are not unrelated. Trees are grown on tokens for `--bits` outputs alone, spread evenly,
since all take hours; their evidence is scaled by length / bits, beside that of kriging on the same bits. So the sample
says how much trees learn of a bit, and nobody is said to be named by them. Predictions are shrunk by what is best for
these very bits, which is in favour of both.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from rosters import Mess, generated
from sets import FIELDS, TYPES, pool_of

from pprl.core.hardening import SET_NAMES
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema_file import parse_schema
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.known_pairs import RIDGE, known_pairs
from pprl.preflight.attacks.scheme import CandidatePool, Floats, Indices, Published
from pprl.preflight.attacks.winning_tokens import winning_tokens

REGISTER, TARGETS = 12_500, 300
SHRUNK = np.arange(0, 1.01, 0.05)


def kriged(view: Published, known: Indices, people: Indices, bits: Floats) -> Floats:
    """The best linear prediction of ``bits``, seen of the known, for ``people``."""
    among = view.covariance(known, known) + RIDGE * np.eye(len(known))
    return np.asarray(view.covariance(people, known) @ np.linalg.solve(among, bits))


def grown(pool: CandidatePool, view: Published, known: Indices, people: Indices, bits: Floats) -> Floats:
    """The same by gradient-boosted trees, one model for each bit, on which tokens a person has."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    has = (pool.tokens(view.scheme).tokens > 0).toarray().astype(np.float32)
    predicted = np.empty((len(people), bits.shape[1]))
    for index, bit in enumerate(bits.T):
        trees = HistGradientBoostingClassifier(
            max_iter=40, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=10, max_features=0.3, random_state=1
        )
        predicted[:, index] = 2 * trees.fit(has[known], bit > 0).predict_proba(has[people])[:, 1] - 1
    return predicted


def evidence(predicted: Floats, bits: Floats, length: int) -> tuple[float, float]:
    """In binary digits for a whole encoding, under the best shrinkage of all predictions; and its standard error."""
    told = [np.log2(1 + bits * np.clip(shrunk * predicted, -0.98, 0.98)) for shrunk in SHRUNK]
    best = max(told, key=lambda each: float(each.mean()))
    return float(best.mean()) * length, float(best.mean(axis=1).std() / len(best) ** 0.5) * length


def measure(data: Path, given: argparse.Namespace, name: str, known_count: int) -> None:
    case = generated(data, given.seed, 100, REGISTER, 60, date=True, mess=Mess(missing=0.02))
    text = "".join(f'[fields.{field}]\ntype = "{TYPES[field]}"\n' for field in FIELDS[name])
    schema = parse_schema(f"format = 1\n{text}").with_hardening(given.set)
    pool = pool_of(case, schema, name, min(REGISTER, known_count + given.candidates), given.seed)
    draws = RandomStream(seed_from(given.seed), f"learned, {name}")
    view = pool.view(scheme_of(schema), draws.bytes(32))
    known, targets = np.arange(known_count), np.arange(pool.target_count)[-TARGETS:]
    label = f"{name}, {schema.parameters.described()}, m = {known_count:,}, {len(pool) - known_count:,} candidates"
    print(label, flush=True)
    attacks = (
        ()
        if given.only == "trees"
        else (
            lambda view: known_pairs(pool, [view], known, targets),
            lambda view: winning_tokens(pool, view, known, targets),
        )
    )
    for attack in attacks:
        start = time.process_time()
        result = attack(view)
        seconds = time.process_time() - start
        print(
            f"  {result.attack:28} {result.rate:6.1%} of {result.attacked}, among the first ten "
            f"{(result.top_ten or 0) / result.attacked:.1%}; {seconds:.0f} s",
            flush=True,
        )
    if given.only != "attacks":
        chosen = np.arange(0, schema.length, schema.length // given.bits)
        of_known, right = view.seen(known)[:, chosen], view.seen(targets)[:, chosen]
        for method, predicted in (
            ("kriging", kriged(view, known, targets, of_known)),
            ("trees", grown(pool, view, known, targets, of_known)),
        ):
            told, error = evidence(predicted, right, schema.length)
            print(f"  evidence by {method:8} {told:6.1f} ± {error:.1f}, from {len(chosen)} bits", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--known", type=int, nargs="+", default=[500, 2_000, 10_000])
    parser.add_argument("--set", choices=[name for name in SET_NAMES if name != "plain"], default="standard")
    parser.add_argument("--fields", choices=FIELDS, nargs="+", default=["names, patronymic, date", "names, patronymic"])
    parser.add_argument("--only", choices=("attacks", "trees"))
    parser.add_argument("--candidates", type=int, default=2_000)
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name in given.fields:
        for known_count in given.known:
            measure(given.data, given, name, known_count)


if __name__ == "__main__":
    main()
