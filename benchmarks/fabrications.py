"""Fabricated lists: which rung of the ladder do they reach?

    python benchmarks/fabrications.py DATA [--runs 400] [--size 300] [--registry 10000] [--only NAME] [--workers 2]

None of the first five kinds of lists names anybody in the registry, so at most one of 400 may be called *beyond
chance*. Copied lists may be *beyond chance, copying cannot be ruled out* and never more. With junk as decoys no verdict
is allowed. The last columns are the areas that decide whether decoys are sound, lowest and highest over the runs:
weight and similarity.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import RUNS_A_POPULATION, Cell, held, population_of, schema_of

from pprl.core.bits import BitMatrix
from pprl.core.hardening import SET_NAMES
from pprl.core.key import LinkageKey
from pprl.core.private_rows import RecordKind
from pprl.core.randomness import Randomness
from pprl.encode.list import encode_list
from pprl.judge.assessment import judge
from pprl.match.encodings import match_encodings
from pprl.roster.load import load

LISTS = ("independent", "absent", "families", "relatives", "recombined", "copied 30%", "copied 100%")
JUNK = ("random bits", "even bits", "rare names")
Frame = pd.DataFrame


def fabricated(name: str, case, size: int, draw: np.random.Generator) -> Frame:
    """A list of that kind, as text, with the headers of the list."""
    leaked, registry = case.leaked, case.registry.set_axis(case.leaked.columns, axis=1)
    present, missing = np.flatnonzero(case.truth >= 0), np.flatnonzero(case.truth < 0)

    def some(frame: Frame, rows: np.ndarray | None = None, count: int = size) -> Frame:
        rows = np.arange(len(frame)) if rows is None else rows
        return frame.iloc[draw.permutation(rows)[:count]].reset_index(drop=True)

    def independent(count: int) -> Frame:
        return pd.concat({header: some(leaked, missing, count)[header] for header in leaked}, axis=1)

    match name:
        case "independent":
            return independent(size)
        case "absent":
            return some(leaked, missing)
        case "families":  # two in three have a brother on the list
            people, others = some(leaked, missing, size - size // 3), some(leaked, missing, size // 3)
            kin = people.head(size // 3).assign(given=others["given"], birth_date=others["birth_date"])
            return pd.concat([people, kin], ignore_index=True)
        case "relatives":
            kin, others = some(leaked, present), some(leaked, missing)
            return kin.assign(given=others["given"], birth_date=others["birth_date"])
        case "recombined":
            return pd.concat({header: some(registry)[header] for header in registry}, axis=1)
        case "copied 30%":
            copied = round(0.3 * size)
            return pd.concat([some(registry, None, copied), independent(size - copied)], ignore_index=True)
        case _:
            return some(registry)


def run(task: tuple[Path, str, Cell, int]) -> tuple[int | None, float, float]:
    """The rung that the list reached, and the areas of weight and similarity of its decoys."""
    data, name, cell, seed = task
    number = seed // RUNS_A_POPULATION
    case, everybody, _ = population_of(data, number, cell)
    registry, registry_rows = held(data, number, Cell(0, cell.registry, "", cell.fields, cell.hardening))
    draw = np.random.default_rng([seed, len(name), ord(name[0])])
    schema, key = schema_of(cell), LinkageKey.make(number)
    if name in JUNK:
        rows_of_list = np.flatnonzero(case.truth >= 0) if seed % 2 else np.flatnonzero(case.truth < 0)
        own = everybody.take(draw.permutation(rows_of_list)[: cell.size])
    else:
        frame = fabricated(name, case, cell.size, draw)
        own = load(frame, schema, "list", columns=case.list_columns, any_age=True).people
    encodings, rows = encode_list(own, schema, key, randomness=Randomness.make(seed), allow_weak=True)
    if name in JUNK:
        encodings = with_junk(name, encodings, rows, draw)
    scores = match_encodings(encodings, registry)
    answer = judge(scores, rows, registry_rows, encodings=encodings)
    decoys = answer.audit["decoys"]
    return answer.verdict.rung, decoys["auc_weight"], decoys["auc_similarity"]


def with_junk(name: str, encodings, rows, draw: np.random.Generator):
    """The list with its decoys replaced by bits of the same weight that nobody has, by bits that are each set with
    probability ½, or by rare names."""
    of_handle = {handle.tobytes(): at for at, handle in enumerate(rows.handles)}
    place = np.array([of_handle[handle.tobytes()] for handle in encodings.handles])
    made_up = np.isin(rows.kind[place], (RecordKind.DECOY, RecordKind.RELATIVE))
    words = encodings.bits.words.copy()
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    if name == "random bits":
        bits[made_up] = draw.permuted(bits[made_up], axis=1)
    elif name == "even bits":
        bits[made_up] = draw.integers(0, 2, bits[made_up].shape)
    else:  # the same unusual change of a third of the positions: names that share few q-grams with anybody
        bits[made_up] = bits[made_up][:, draw.permutation(bits.shape[1])]
    packed = np.packbits(bits, axis=1, bitorder="little").view("<u8")
    return replace(encodings, bits=BitMatrix(np.ascontiguousarray(packed)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--registry", type=int, default=10_000)
    parser.add_argument("--hardening", choices=SET_NAMES, default="standard")
    parser.add_argument("--only", default="")
    parser.add_argument("--fields", nargs="+", default=["date", "names"])
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"# {' '.join(sys.argv)}")
    print(
        f"{'list':14} {'fields':6} {'runs':>5} {'cannot tell':>12} {'rung 0':>7} {'1':>5} {'2':>5} {'3':>5}   "
        f"{'weight':>9}  {'similarity':>10}"
    )
    with ProcessPoolExecutor(given.workers) as pool:
        for fields in given.fields:
            cell = Cell(given.size, given.registry, "", fields, given.hardening)
            for name in (*LISTS, *JUNK):
                if name.startswith(given.only):
                    tasks = [(given.data, name, cell, seed) for seed in range(given.runs)]
                    played = list(pool.map(run, tasks, chunksize=RUNS_A_POPULATION))
                    rungs = Counter(rung for rung, *_ in played)
                    counts = [rungs[None], *(rungs[rung] for rung in range(4))]
                    weight, similarity = (
                        f"{min(area):.2f}–{max(area):.2f}" for area in list(zip(*played, strict=True))[1:]
                    )
                    print(
                        f"{name:14} {fields:6} {given.runs:5} {counts[0]:12} "
                        f"{counts[1]:7} {counts[2]:5} {counts[3]:5} {counts[4]:5}   {weight}  {similarity}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
