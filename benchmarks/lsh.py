"""What approximate search promises, what it finds, and how much faster it is than the exact search.

    python benchmarks/lsh.py DATA [--rows 200000] [--hardened 50000] [--recall 0.99]

DATA holds `names_ru`. A list in Cyrillic and a registry in three romanisations, half of the list in the registry, with
names by their frequency, typing errors and missing dates (`rosters.generated`). At each threshold both searches run on
the same threads, and recall is measured over all pairs, not a sample. Read the ratios: machines differ and are rarely
idle.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from rosters import generated

from pprl.core.bits import BitMatrix
from pprl.core.key import LinkageKey
from pprl.core.schema_file import parse_schema
from pprl.encode.encoder import encode
from pprl.match import lsh, search
from pprl.match.lsh_plan import Plan, make_plan
from pprl.match.threads import threads
from pprl.roster.load import load


def sides(data: Path, rows: int, hardening: str) -> tuple[BitMatrix, BitMatrix]:
    case = generated(data, 1, rows, rows * 98 // 100, rows // 2, date=True)
    schema = parse_schema(f'format = 1\n[encoding]\nhardening = "{hardening}"\n{case.fields}')
    rosters = (case.leaked, case.list_columns, "list"), (case.registry, case.registry_columns, "registry")
    people = [load(frame, schema, side, columns=columns, any_age=True).people for frame, columns, side in rosters]
    ours, theirs = (encode(each, schema, LinkageKey.make(1).secret) for each in people)
    return ours, theirs


def codes(pairs: search.Pairs, theirs: BitMatrix) -> np.ndarray:
    return pairs.ours * len(theirs) + pairs.theirs


def compare(ours: BitMatrix, theirs: BitMatrix, threshold: Fraction, recall: float, workers: int) -> None:
    with threads(workers) as engine:
        began = time.perf_counter()
        plan = make_plan(ours, theirs, threshold, recall)
        pairs, report = lsh.all_pairs(ours, theirs, plan, map=engine.map)
        planned = time.perf_counter()
        print(report.describe())
        if report.exact:
            return
        exact = search.all_pairs(ours, theirs, threshold, map=engine.map)
        done = time.perf_counter()
    found = np.isin(codes(exact, theirs), codes(pairs, theirs))
    columns = ("ours", "theirs", "common", "total")
    same = all(np.array_equal(getattr(exact, name)[found], getattr(pairs, name)) for name in columns)
    print(
        f"  of all pairs: {int(found.sum()):,} of {len(found):,} found, recall {found.mean():.4%}; promised "
        f"{report.plan.recall:.4%}; nothing else, and the same integers: {same}"
    )
    fast, slow = planned - began, done - planned
    print(f"  {fast:.2f} s, plan and check included; exact search {slow:.2f} s: {slow / fast:.1f} times as long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--hardened", type=int, default=50_000, metavar="ROWS")
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    print("$ python benchmarks/lsh.py DATA", " ".join(sys.argv[2:]))
    warm = BitMatrix(np.ones((1, 16), dtype="<u8"))
    by_hand = Plan(
        threshold=Fraction(1),
        length=1024,
        requested=1.0,
        recall=1.0,
        bits=1,
        tables=1,
        heaviest=1024,
        candidates=1.0,
        speedup=1.0,
    )
    lsh.all_pairs(warm, warm, by_hand)  # compiles, or reads what was compiled
    settings = (("plain", arguments.rows, "0.9 0.85 0.8"), ("standard", arguments.hardened, "0.6 0.57 0.55"))
    for hardening, rows, thresholds in settings:
        ours, theirs = sides(arguments.data, rows, hardening)
        print(f"{hardening}: {len(ours):,} x {len(theirs):,} rows")
        for threshold in thresholds.split():
            compare(ours, theirs, Fraction(threshold), arguments.recall, arguments.threads)


if __name__ == "__main__":
    main()
