"""All pairs above a threshold, compared with other libraries: speed, memory, and whether the pairs are the same.

    python benchmarks/match.py --anonlink PYTHON --numkong PYTHON --faiss PYTHON [--rows 10000 30000]

Each library, pprl included, runs in a process of its own with the Python given for it, since their dependencies
differ; filters and pairs pass through files. Rows are plain, about one fifth full, or the same diffused with t = 8,
half full. Half of theirs are rows of ours with up to 150 bits changed (60 before diffusion), so that there are pairs at
every threshold. Times are the best of a few rounds. pprl, numkong and faiss get two threads; anonlink is called as in
its documentation. Two of them do less than find pairs: numkong fills matrices of Jaccard distances, which are searched
off the clock; faiss takes a radius of differing bits wide enough for the heaviest pair, and its results are filtered
off the clock. Memory is the peak resident memory of the process (Linux only).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from diffusion import diffuse, diffusion_indices

from pprl.core.bits import BitMatrix

THRESHOLDS = (0.7, 0.8, 0.85, 0.9)
LENGTH, MIXED = 1024, 8

# Run by each Python. A contestant defines `prepare`, for both sides as bytes, and `run` and `pairs` by threshold.
FRAME = """
import json, sys, time
from fractions import Fraction
import numpy as np
folder, rounds, thresholds = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
ours, theirs = (np.load(f"{folder}/{side}.npy") for side in ("ours", "theirs"))
BODY
prepare()
for threshold in thresholds:
    wall, cpu = [], []
    for _ in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        found = run(threshold)
        wall.append(time.perf_counter() - clock)
        cpu.append(time.process_time() - processor)
    with open("/proc/self/status") as lines:
        most = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    np.save(f"{folder}/pairs.npy", np.unique(np.asarray(pairs(found, threshold), dtype=np.int64), axis=0))
    print(json.dumps([min(wall), min(cpu), most]), flush=True)
    sys.stdin.readline()
"""

PPRL = """
from pprl.core.bits import BitMatrix
from pprl.match import search
from pprl.match.threads import threads
def prepare():
    global left, right
    left, right = (BitMatrix(np.ascontiguousarray(rows).view("<u8")) for rows in (ours, theirs))
    search.all_pairs(BitMatrix(left.words[:1]), right, Fraction(1))
def run(threshold):
    with threads(2) as engine:
        return search.all_pairs(left, right, Fraction(str(threshold)), map=engine.map)
def pairs(found, threshold):
    return np.stack([found.ours, found.theirs], axis=1)
"""

ANONLINK = """
import anonlink
from bitarray import bitarray
def prepare():
    global datasets
    datasets = [[bitarray(buffer=row.tobytes(), endian="little") for row in rows] for rows in (ours, theirs)]
def run(threshold):
    return anonlink.candidate_generation.find_candidate_pairs(
        datasets, anonlink.similarities.dice_coefficient, threshold
    )
def pairs(found, threshold):
    return np.stack([np.array(found[2][0]), np.array(found[2][1])], axis=1)
"""

NUMKONG = """
from concurrent.futures import ThreadPoolExecutor
import numkong
STEP = 1024
def prepare():
    global packed
    packed = numkong.hammings_pack(theirs, dtype="uint1")
def distances(top):
    return numkong.jaccards_packed(ours[top : top + STEP], packed)
def filled(top):
    distances(top)
def run(threshold):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(filled, range(0, len(ours), STEP)))
def pairs(found, threshold):
    least = threshold / (2 - threshold)
    rows = []
    for top in range(0, len(ours), STEP):
        near = np.argwhere(1 - np.asarray(distances(top)) >= least - 1e-6)
        rows.append(near + [top, 0])
    return np.concatenate(rows)
"""

FAISS = """
import faiss
def prepare():
    global index, weights
    faiss.omp_set_num_threads(2)
    index = faiss.IndexBinaryFlat(8 * theirs.shape[1])
    index.add(theirs)
    weights = [np.bitwise_count(rows).sum(axis=1, dtype=np.int64) for rows in (ours, theirs)]
def run(threshold):
    widest = int((1 - Fraction(str(threshold))) * int(weights[0].max() + weights[1].max()))
    return index.range_search(ours, widest + 1)
def pairs(found, threshold):
    limits, differing, rights = found
    lefts = np.repeat(np.arange(len(ours)), np.diff(limits.astype(np.int64)))
    total = weights[0][lefts] + weights[1][rights]
    share = Fraction(str(threshold))
    near = (total - differing.astype(np.int64)) * share.denominator >= total * share.numerator
    return np.stack([lefts[near], rights[near]], axis=1)
"""

PEERS = {"anonlink": ANONLINK, "numkong": NUMKONG, "faiss": FAISS}


def sides(rng: np.random.Generator, rows: int, moved: int) -> tuple[BitMatrix, BitMatrix]:
    """Plain rows; every other one of theirs is one of ours in which up to ``moved`` bits differ."""
    ours = rng.random((rows, LENGTH)) < rng.normal(0.2, 0.02, (rows, 1))
    theirs = rng.random((rows, LENGTH)) < rng.normal(0.2, 0.02, (rows, 1))
    copies = ours[rng.permutation(rows)[: (rows + 1) // 2]]
    # Bits are redrawn, set as often as elsewhere, which changes one third of them.
    redrawn = rng.random(copies.shape) < rng.uniform(0, moved / (0.32 * LENGTH), (len(copies), 1))
    theirs[::2] = np.where(redrawn, theirs[::2], copies)
    packed = (np.packbits(side, axis=1, bitorder="little").view("<u8") for side in (ours, theirs))
    left, right = (BitMatrix(words) for words in packed)
    return left, right


class Contestant:
    """One library in a process of its own, which waits after every threshold until its pairs are checked."""

    def __init__(self, python: str, body: str, folder: Path, rounds: int) -> None:
        code = FRAME.replace("BODY", body)
        command = [python, "-c", code, str(folder), str(rounds), json.dumps(THRESHOLDS)]
        self.folder = folder
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def results(self) -> list[tuple[float, float, float, Any]]:
        """Wall and processor seconds, most MB of memory, and the pairs, for each threshold."""
        answers = []
        assert self.process.stdin
        assert self.process.stdout
        with self.process:
            for _ in THRESHOLDS:
                wall, cpu, most = json.loads(self.process.stdout.readline())
                answers.append((wall, cpu, most, np.load(self.folder / "pairs.npy")))
                self.process.stdin.write("\n")
                self.process.stdin.flush()
        return answers


def compare(name: str, ours: BitMatrix, theirs: BitMatrix, pythons: dict[str, str], rounds: int) -> None:
    count = len(ours) * len(theirs)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for side, rows in (("ours", ours), ("theirs", theirs)):
            np.save(folder / f"{side}.npy", np.ascontiguousarray(rows.words).view(np.uint8))
        results = {"pprl": Contestant(sys.executable, PPRL, folder, rounds).results()}
        for peer, python in pythons.items():
            results[peer] = Contestant(python, PEERS[peer], folder, rounds).results()
    full = ours.weights().mean() / ours.length
    print(f"{name}: {len(ours):,} x {len(theirs):,} rows, {full:.0%} full")
    for place, threshold in enumerate(THRESHOLDS):
        base_wall, _, _, expected = results["pprl"][place]
        print(f"  at {threshold}: {len(expected):,} pairs")
        for peer, answers in results.items():
            wall, cpu, most, pairs = answers[place]
            said = "" if peer == "pprl" else f"  pprl takes {base_wall / wall:.3f} of its time, "
            if peer != "pprl":
                said += "same pairs" if np.array_equal(pairs, expected) else f"OTHER PAIRS: {len(pairs):,}"
            print(f"    {peer:9}{wall:8.3f} s{count / cpu / 1e6:8.0f} million pairs per CPU-s{most:7.0f} MB{said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in PEERS:
        parser.add_argument(f"--{peer}", metavar="PYTHON", help=f"a Python that can import {peer}")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 30_000])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    pythons = {peer: python for peer in PEERS if (python := vars(given)[peer])}
    for rows in given.rows:
        rng = np.random.default_rng(rows)
        compare("plain", *sides(rng, rows, 150), pythons, given.rounds)
        left, right = sides(rng, rows, 60)
        indices = diffusion_indices(left.length, MIXED, b"k" * 32)
        compare("diffused", diffuse(left, indices), diffuse(right, indices), pythons, given.rounds)


if __name__ == "__main__":
    main()
