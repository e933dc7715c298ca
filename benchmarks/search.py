"""How fast the search for the best rows is: the kernels compared, then a streamed registry.

    python benchmarks/search.py [--theirs 10000 100000 1000000 10000000]

First come millions of pairs per second for each kernel on data in memory, the best of a few rounds, for rows that are
half full, like diffused encodings, and one fifth full, like plain ones. Then come the best 16 for 1,000 rows in
registries of growing size, half full and read from a memory-mapped file in a temporary folder (1.28 GB for ten million
rows), compared with the time for counting the pairs alone at the rate of the compiled kernel in the same run. RssAnon
is the highest seen between two pieces of work, including numba and its compiler but not the mapped pages (Linux only).
Read the ratios, since machines differ and are rarely idle. match.py compares other libraries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.match import kernel, search
from pprl.match.threads import threads as thread_pool

WRITTEN = 1 << 17  # rows at a time
LISTED = 1000


def random_rows(rng: np.random.Generator, count: int, length: int, full: float) -> BitMatrix:
    stretches = range(0, count, 4096)
    dense = (rng.random((min(4096, count - top), length)) < full for top in stretches)
    packed = [np.packbits(part, axis=1, bitorder="little") for part in dense]
    return BitMatrix(np.concatenate(packed).view("<u8"))


def half_full(rng: np.random.Generator, count: int, length: int) -> BitMatrix:
    return BitMatrix(rng.integers(0, 1 << 64, (count, length // 64), dtype="<u8"))


def fastest(run: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return min(taken)


def kernels(ours: BitMatrix, theirs: BitMatrix, counts: list[int], rounds: int) -> None:
    def best(threads: int) -> object:
        with thread_pool(threads) as engine:
            return search.best(ours, theirs, map=engine.map)

    def pairs(threads: int, threshold: Fraction) -> object:
        with thread_pool(threads) as engine:
            return search.all_pairs(ours, theirs, threshold, map=engine.map)

    few = BitMatrix(ours.words[: max(1, 2_000_000 // len(theirs))])
    slow = len(few) * len(theirs) / fastest(lambda: search.best(few, theirs, kernel="numpy"), 2)
    print(f"  {'best, numpy':<28}{slow / 1e6:>8.1f} million pairs/s")
    for n in counts:
        runs: dict[str, Callable[[], object]] = {"best": partial(best, n)}
        runs.update({f"pairs at {at}": partial(pairs, n, Fraction(at)) for at in ("0.6", "0.8")})
        for name, run in runs.items():
            speed = len(ours) * len(theirs) / fastest(run, rounds)
            print(f"  {f'{name}, numba, threads: {n}':<28}{speed / 1e6:>8.1f} million pairs/s{speed / slow:>8.1f} x")


def counting_rate(ours: BitMatrix, theirs: BitMatrix, threads: int) -> float:
    """Pairs per second of the compiled kernel in memory, when hardly any row of theirs is still good enough."""
    weights = theirs.weights().astype(np.int64)
    order = np.argsort(-weights)
    words, weights = theirs.words[order], weights[order]
    stretches = [BitMatrix(part) for part in np.array_split(ours.words, threads)]

    def count(some: BitMatrix) -> None:
        # Every row already has one match of .6: too good for most tiles, not good enough to stop halfway.
        mine = some.weights().astype(np.int64)
        slots, tenth = np.zeros((len(some), 1), np.int64), mine[:, None] // 10
        kernel.best("numba", some.words, mine, words, weights, 0, kernel.TopK(slots, 3 * tenth, 10 * tenth))

    with thread_pool(threads) as engine:
        return len(ours) * len(theirs) / fastest(lambda: list(engine.map(count, stretches)), 5)


def anonymous() -> int:
    with Path("/proc/self/status").open() as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def streamed(rng: np.random.Generator, count: int, length: int, threads: int) -> tuple[float, int, float]:
    """Seconds of the search for LISTED rows, most KiB of anonymous memory, and the kernel's pairs per second."""
    ours, most = half_full(rng, LISTED, length), 0

    def watch(_pairs: int) -> None:
        nonlocal most
        most = max(most, anonymous())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "registry"
        with path.open("wb") as file:
            for top in range(0, count, WRITTEN):
                file.write(half_full(rng, min(WRITTEN, count - top), length).to_bytes())
        registry = np.memmap(path, dtype="<u8", mode="r", shape=(count, length // 64))

        def stretches() -> Iterator[BitMatrix]:
            for top in range(0, count, WRITTEN):
                yield BitMatrix(registry[top : top + WRITTEN])

        began = time.perf_counter()
        with thread_pool(threads) as engine:
            search.best(ours, stretches(), map=engine.map, progress=watch)
        seconds = time.perf_counter() - began
    return seconds, most, counting_rate(ours, half_full(rng, 1 << 16, length), threads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--theirs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print("$ python", " ".join(sys.argv))

    began = time.perf_counter()
    kernel.choose("numba")
    print(f"kernel ready in {time.perf_counter() - began:.2f} s, importing numba included")
    print(*kernel.notes(), sep="\n", end="\n" if kernel.notes() else "")
    for full in (0.5, 0.2):
        rng = np.random.default_rng(1)
        ours, theirs = (random_rows(rng, rows, given.length, full) for rows in (20_000, 12_000))
        print(f"{len(ours):,} x {len(theirs):,} rows of {given.length} bits, {full:.0%} full")
        kernels(ours, theirs, given.threads, given.rounds)
    threads = max(given.threads)
    print(f"best 16 for {LISTED:,} rows, theirs streamed, threads: {threads}")
    for count in given.theirs:
        seconds, most, rate = streamed(np.random.default_rng(count), count, given.length, threads)
        speed, ratio = LISTED * count / seconds, seconds * rate / (LISTED * count)
        print(
            f"  {count:>12,}{seconds:>8.2f} s{speed / 1e6:>8.0f} million pairs/s,{ratio:>6.2f} x pairs / kernel rate "
            f"({rate / 1e6:,.0f} million/s){most / 1024:>6.0f} MB RssAnon"
        )


if __name__ == "__main__":
    main()
