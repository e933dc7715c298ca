"""What the parameter sets hold against, by the fields that are linked: the figures by which their numbers were chosen.

    python benchmarks/sets.py DATA [--set standard] [--people 800] [--seed 1] [--only names]

DATA holds `names_ru`. For generated rosters and each choice of linked fields: how many strangers a person has who are
as similar as the weakest partner that can be told from noise (six standard deviations), in a register of 100,000; the
share of people named by graph matching without a known pair, with 20 and 100, and with 20 where twice as many people
are held in clear as were encoded; and by known pairs alone, 100 and 300. About two minutes a row on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rosters import Case, Mess, generated

from pprl.core.hardening import SET_NAMES
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema import Schema
from pprl.core.schema_file import parse_schema
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.graph import graph_matching
from pprl.preflight.attacks.known_pairs import known_pairs
from pprl.preflight.attacks.scheme import CandidatePool
from pprl.roster.columns_file import Columns
from pprl.roster.load import load

TYPES = {"surname": "surname", "given": "given", "patronymic": "patronymic", "birth_date": "date", "birth_year": "year"}
FIELDS = {
    "names": ("surname", "given"),
    "names, patronymic": ("surname", "given", "patronymic"),
    "names, year": ("surname", "given", "birth_year"),
    "names, date": ("surname", "given", "birth_date"),
    "names, patronymic, date": ("surname", "given", "patronymic", "birth_date"),
}
REGISTER, SAMPLE, BLOCK = 10_000, 1_500, 500
SAME = 0.95  # similarity of positions from which two rows are one person twice


def pool_of(case: Case, schema: Schema, rows: int, seed: int) -> CandidatePool:
    columns = {field.name: field.name.replace("year", "date") for field in schema.linked()}
    people = load(case.registry, schema, "registry", columns=Columns(columns, {}), any_age=True).people
    return CandidatePool(people.take(np.arange(rows)), None, schema, RandomStream(seed_from(seed), "pool"))


def strangers(pool: CandidatePool, schema: Schema) -> float:
    """In a register of 100,000, if their number grows with it."""
    scheme, everyone, strong = scheme_of(schema), np.arange(len(pool)), 0
    least, minima = 6 / schema.length**0.5, schema.parameters.minima
    for top in range(0, SAMPLE, BLOCK):
        rows = np.arange(top, top + BLOCK)
        agreement = pool.agreement(rows, everyone, scheme)
        strong += int(((agreement >= least) & (agreement < SAME**minima)).sum())
    return strong / SAMPLE * 100_000 / len(pool)


def measure(case: Case, name: str, setting: str, people: int, seed: int) -> None:
    text = "".join(f'[fields.{field}]\ntype = "{TYPES[field]}"\n' for field in FIELDS[name])
    schema = parse_schema(f"format = 1\n{text}").with_hardening(setting)
    strong = strangers(pool_of(case, schema, REGISTER, seed), schema)
    pool, draws = pool_of(case, schema, people + 200, seed), RandomStream(seed_from(seed), name)
    views = [pool.view(scheme_of(schema), draws.bytes(32))]
    rates = [graph_matching(pool, views, draws, held=people, known=known, tries=2).rate for known in (0, 20, 100)]
    rates.append(graph_matching(pool, views, draws, held=people, encoded=people // 2, known=20).rate)
    targets = np.arange(pool.target_count)[-300:]
    rates += [known_pairs(pool, views, np.arange(known), targets).rate for known in (100, 300)]
    shown = "".join(f"{rate:>8.1%}" for rate in rates)
    print(f"{name:24}{schema.parameters.described():36}{strong:>8.2f}{shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", choices=[name for name in SET_NAMES if name != "plain"], default="standard")
    parser.add_argument("--people", type=int, default=800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=FIELDS)
    given = parser.parse_args()
    case = generated(given.data, given.seed, 100, REGISTER, 60, date=True, mess=Mess(missing=0.02))
    heads = ("strangers", "0", "20", "100", "twice", "k 100", "k 300")
    print(f"{given.set}\n{'':60}" + "".join(f"{head:>8}" for head in heads))
    for name in FIELDS:
        if given.only in (None, name):
            measure(case, name, given.set, given.people, given.seed)


if __name__ == "__main__":
    main()
