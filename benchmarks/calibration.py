"""Is what the verdict states so? Many lists with a known truth, and how often each figure holds.

    python benchmarks/calibration.py run DATA RESULTS [--runs 200] [--only PREFIX] [--workers 2] [--minutes M]
    python benchmarks/calibration.py table RESULTS

`run` adds what is missing to the file RESULTS (one JSON line a run), so it may be stopped and started again. `table`
prints one line a cell. A run draws a list from a generated population (benchmarks/rosters.py: frequencies of names_ru,
typing errors in 10 % of the names of both sides, three romanisations, 10 % relatives, 20 % of a second naming culture,
missing dates, initials, registry duplicates); `RUNS_A_POPULATION` runs share a population and its encodings.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rosters import DATE, NAMES, PATRONYMIC, Mess, generated

from pprl.bits import Encodings
from pprl.estimate.assess import judge
from pprl.keys import LinkageKey
from pprl.linkage import encode_list, encode_registry, people_of
from pprl.match.scores import match_encodings
from pprl.rows import HomeRows
from pprl.schema import Schema, parse_schema

LARGEST_REGISTRY, ABSENT_PEOPLE = 10_000, 2_000
RUNS_A_POPULATION = 5
RATES = (500, 100)
SIZES, REGISTRIES, HARDENINGS = (30, 100, 1_010), (2_000, 10_000), (0, 8)
OVERLAPS = ("0", "3", "10", "5%", "30%", "60%", "95%")
FIELDS = {"names": NAMES + PATRONYMIC, "date": NAMES + PATRONYMIC + DATE}


@dataclass(frozen=True)
class Cell:
    size: int
    registry: int
    overlap: str
    fields: str
    hardening: int

    @property
    def name(self) -> str:
        return f"{self.fields}/t{self.hardening}/{self.size}x{self.registry}/{self.overlap}"

    @property
    def present(self) -> int:
        share = self.overlap.endswith("%")
        return round(self.size * float(self.overlap[:-1]) / 100) if share else int(self.overlap)


def cells() -> Iterator[Cell]:
    for fields, hardening, size, registry, overlap in itertools.product(
        FIELDS, HARDENINGS, SIZES, REGISTRIES, OVERLAPS
    ):
        yield Cell(size, registry, overlap, fields, hardening)


def schema_of(cell: Cell) -> Schema:
    return parse_schema(f"format = 1\n[encoding]\nhardening = {cell.hardening}\n{FIELDS[cell.fields]}")


@lru_cache(maxsize=2)
def population(data: Path, number: int, fields: str) -> tuple[Any, Any]:
    """The case with everybody in it, and the people of its list side, folded."""
    case = generated(
        data,
        number,
        LARGEST_REGISTRY + ABSENT_PEOPLE,
        LARGEST_REGISTRY,
        LARGEST_REGISTRY,
        date=fields == "date",
        mess=Mess(initials=0.05),
    )
    schema = parse_schema(f"format = 1\n{FIELDS[fields]}")
    return case, people_of(case.leaked, schema, case.list_columns, None, "list", any_age=True)


@lru_cache(maxsize=4)
def held(data: Path, number: int, cell: Cell) -> tuple[Encodings, HomeRows]:
    """The encoded registry of a population, cut to the people of the cell's registry; `cell` is the key of a cache."""
    case, _ = population(data, number, cell.fields)
    schema = schema_of(cell)
    theirs = people_of(case.registry, schema, case.registry_columns, None, "registry", any_age=True)
    theirs = theirs.take(np.flatnonzero(case.people_of_registry < cell.registry))
    return encode_registry(theirs, schema, LinkageKey.make(number), seed=number)


def run(data: Path, cell: Cell, seed: int) -> dict[str, Any]:
    """One list of the cell and what was said of it."""
    number = seed // RUNS_A_POPULATION
    case, everybody = population(data, number, cell.fields)
    key = Cell(0, cell.registry, "", cell.fields, cell.hardening)  # lists of all sizes and overlaps share the registry
    registry, registry_rows = held(data, number, key)
    draw = np.random.default_rng([seed, cell.size, cell.registry, cell.present, cell.hardening, len(cell.fields)])
    inside = np.flatnonzero((case.truth >= 0) & (case.truth < cell.registry))
    outside = np.flatnonzero(case.truth < 0)
    chosen = np.concatenate(
        [draw.permutation(inside)[: cell.present], draw.permutation(outside)[: cell.size - cell.present]]
    )
    schema = schema_of(cell)
    list_encoded, rows = encode_list(
        everybody.take(chosen), schema, LinkageKey.make(number), seed=seed, allow_weak=True
    )
    scores = match_encodings(list_encoded, registry)
    record: dict[str, Any] = {"cell": cell.name, "seed": seed, "people": rows.people}
    for rate in RATES:
        answer = judge(scores, rows, registry_rows, rate=rate / 10_000, encodings=list_encoded)
        pairs = answer.pairs
        truth = case.truth[pairs.list_row.to_numpy(dtype=int)]
        there = (truth >= 0) & (truth < cell.registry)
        right = truth == case.people_of_registry[pairs.registry_row.to_numpy(dtype=int)]
        record |= {"p": answer.p_value, "matchable": answer.matchable_share}
        record |= {"p_harsh": answer.audit["headline"]["p_harsh"]}
        record[str(rate)] = {
            "found": answer.found,
            "ambiguous": answer.ambiguous,
            "stated": answer.false_match_rate,
            "pairs": len(pairs),
            "right": int(right.sum()),
            "there": int(there.sum()),
            "net": answer.net_found,
            "rung": answer.verdict.rung,
        }
    return record


def _run(task: tuple[Path, Cell, int]) -> dict[str, Any]:
    return run(*task)


def fill(data: Path, results: Path, runs: int, only: str, workers: int, minutes: float) -> None:
    """Runs that are missing in the file, population by population, until they are done or the time is over."""
    known = {(record["cell"], record["seed"]) for record in read(results)}
    tasks = [
        (data, cell, seed)
        for seed in range(runs)
        for cell in cells()
        if cell.name.startswith(only) and (cell.name, seed) not in known
    ]
    tasks.sort(key=lambda task: (task[2] // RUNS_A_POPULATION, task[1].fields, task[1].hardening, task[1].registry))
    end = time.monotonic() + 60 * minutes
    with results.open("a", encoding="utf-8") as file, ProcessPoolExecutor(workers) as pool:
        size = 1 + len(tasks) // 2_000
        for begin in range(0, len(tasks), 40 * size):
            if time.monotonic() > end:
                break
            for record in pool.map(_run, tasks[begin : begin + 40 * size], chunksize=20):
                file.write(json.dumps(record) + "\n")
            file.flush()
            print(f"{min(begin + 40 * size, len(tasks)):,} of {len(tasks):,}", file=sys.stderr, flush=True)


def read(results: Path) -> Iterable[dict[str, Any]]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def table(results: Path) -> None:
    """A line a cell. true: mean share of wrong pairs (runs that found none count 0); absent: of pairs of nobody who is
    there; covered: the interval of net found holds the people who were paired with themselves."""
    by_cell: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in read(results):
        by_cell[record["cell"]].append(record)
    tests = sum(1 for cell in cells() if cell.name in by_cell) * len(RATES)
    print(f"# {' '.join(sys.argv)}")
    print(
        f"{'cell':32} {'runs':>4} {'p<.05':>6} {'asked':>5} {'found':>7} {'stated':>7} {'true':>7}",
        end="",
    )
    print(f" {'absent':>7} {'net':>7} {'right':>7} {'covered':>8} {'± / n':>6} {'>0':>6}  misses")
    for cell in cells():
        records = by_cell.get(cell.name, [])
        if not records:
            continue
        for rate in RATES:
            told = [record[str(rate)] for record in records]
            size = statistics.fmean(record["people"] for record in records)
            found = [one["found"] or 0 for one in told]
            stated = statistics.fmean(one["stated"] or 0 for one in told)
            true = statistics.fmean(1 - one["right"] / one["pairs"] if one["pairs"] else 0 for one in told)
            absent = statistics.fmean(1 - one["there"] / one["pairs"] if one["pairs"] else 0 for one in told)
            covered = [_covers(one) for one in told]
            half = statistics.fmean((one["net"][2] - one["net"][1]) / 2 for one in told if one["net"])
            misses = []
            if true > 2 * max(stated, rate / 10_000):
                misses.append("rate")
            if _too_few(sum(covered), len(covered), 0.05 / tests):
                misses.append("coverage")
            if size >= 1000 and half > 0.06 * size:
                misses.append("width")
            print(
                f"{cell.name:32} {len(records):4} {_share(record['p'] < 0.05 for record in records):6.0%} "
                f"{rate / 100:4.0f}% {statistics.fmean(found):7.1f} {stated:7.2%} {true:7.2%} {absent:7.2%} "
                f"{statistics.fmean(one['net'][0] for one in told):7.1f} "
                f"{statistics.fmean(_right(one) for one in told):7.1f} {_share(covered):8.1%} {half / size:6.3f} "
                f"{_share(one['net'][1] > 0 for one in told):6.0%}  {' '.join(misses)}"
            )


def _right(one: dict[str, Any]) -> float:
    """People found who were paired with themselves; ambiguous ones in the proportion of the pairs."""
    return one["right"] + (one["ambiguous"] * one["right"] / one["pairs"] if one["pairs"] else 0)


def _covers(one: dict[str, Any]) -> bool:
    _, low, high = one["net"]
    return low - 0.5 <= _right(one) <= high + 0.5


def _share(truths: Iterable[bool]) -> float:
    values = list(truths)
    return sum(values) / len(values)


def _too_few(hits: int, runs: int, level: float) -> bool:
    """Significantly fewer than nine in ten: P(at most so many hits) under 0.9 is below the level."""
    chance = sum(math.comb(runs, at) * 0.9**at * 0.1 ** (runs - at) for at in range(hits + 1))
    return chance < level


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    runner = commands.add_parser("run")
    runner.add_argument("data", type=Path)
    runner.add_argument("results", type=Path)
    runner.add_argument("--runs", type=int, default=200)
    runner.add_argument("--only", default="")
    runner.add_argument("--workers", type=int, default=2)
    runner.add_argument("--minutes", type=float, default=1e9)
    shower = commands.add_parser("table")
    shower.add_argument("results", type=Path)
    given = parser.parse_args()
    if given.command == "run":
        fill(given.data, given.results, given.runs, given.only, given.workers, given.minutes)
    else:
        table(given.results)


if __name__ == "__main__":
    main()
