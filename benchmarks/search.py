"""How fast the search is, beside the NumPy kernel and whichever peers can be imported, in one run.

    python benchmarks/search.py --ours 20000 --theirs 12000 --threads 2

Each line is the best of a few rounds in millions of pairs a second and as a multiple of the NumPy kernel;
read the multiples, for machines differ and are rarely idle. Rows are random: half full, as diffused
encodings are, and one fifth full, as plain ones are. Peers do less or other work: anonlink keeps the best
16 above .3 in floating point, numkong fills a matrix of Jaccard distances and keeps nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from pprl.bits import BitMatrix
from pprl.match import engines, kernel, search


def random_rows(rng: np.random.Generator, count: int, length: int, full: float) -> BitMatrix:
    stretches = range(0, count, 4096)
    dense = (rng.random((min(4096, count - top), length)) < full for top in stretches)
    packed = [np.packbits(part, axis=1, bitorder="little") for part in dense]
    return BitMatrix(np.concatenate(packed).view("<u8"))


def pprl_runs(ours: BitMatrix, theirs: BitMatrix, counts: list[int]) -> dict[str, Callable[[], object]]:
    def best(threads: int) -> object:
        with engines.threads(threads) as engine:
            return search.best(ours, theirs, map=engine.map)

    def pairs(threads: int) -> object:
        with engines.threads(threads) as engine:
            return search.all_pairs(ours, theirs, Fraction(4, 5), map=engine.map)

    kinds = {"best": best, "pairs at .8": pairs}
    return {f"{name}, numba, threads: {n}": partial(run, n) for name, run in kinds.items() for n in counts}


def anonlink_runs(ours: BitMatrix, theirs: BitMatrix) -> dict[str, Callable[[], object]]:
    try:
        from anonlink.similarities import dice_coefficient_accelerated
        from bitarray import bitarray
    except ImportError:
        return {}

    def filters(rows: BitMatrix) -> list[Any]:
        return [bitarray(buffer=row.tobytes(), endian="little") for row in rows.words]

    datasets = filters(ours), filters(theirs)
    return {"anonlink, k = 16": partial(dice_coefficient_accelerated, datasets, 0.3, k=16)}


def numkong_runs(ours: BitMatrix, theirs: BitMatrix) -> dict[str, Callable[[], object]]:
    try:
        import numkong
    except ImportError:
        return {}
    left, right = (np.ascontiguousarray(rows.words).view(np.uint8) for rows in (ours, theirs))
    packed = numkong.hammings_pack(right, dtype="uint1")

    def run() -> None:
        for top in range(0, len(left), 1024):
            numkong.jaccards_packed(left[top : top + 1024], packed)

    return {"numkong, distances": run}


def fastest(run: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the search.")
    parser.add_argument("--ours", type=int, default=20_000)
    parser.add_argument("--theirs", type=int, default=12_000)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print("$ python", " ".join(sys.argv))

    began = time.perf_counter()
    if kernel.choose("auto") == "numba":
        print(f"kernel ready in {time.perf_counter() - began:.2f} s, importing numba included")
    print(*kernel.notes(), sep="\n", end="\n" if kernel.notes() else "")
    for full in (0.5, 0.2):
        rng = np.random.default_rng(1)
        ours = random_rows(rng, chosen.ours, chosen.length, full)
        theirs = random_rows(rng, chosen.theirs, chosen.length, full)
        pairs = chosen.ours * chosen.theirs
        few = BitMatrix(ours.words[: max(1, 2_000_000 // chosen.theirs)])
        slow = len(few) * chosen.theirs / fastest(lambda: search.best(few, theirs, kernel="numpy"), 2)  # noqa: B023
        print(f"{chosen.ours:,} x {chosen.theirs:,} rows of {chosen.length} bits, {full:.0%} full")
        print(f"  {'best, numpy':<28}{slow / 1e6:>8.1f} million pairs/s")
        runs = pprl_runs(ours, theirs, chosen.threads) if kernel.choose("auto") == "numba" else {}
        for name, run in {**runs, **anonlink_runs(ours, theirs), **numkong_runs(ours, theirs)}.items():
            speed = pairs / fastest(run, chosen.rounds)
            print(f"  {name:<28}{speed / 1e6:>8.1f} million pairs/s{speed / slow:>8.1f} x")


if __name__ == "__main__":
    main()
