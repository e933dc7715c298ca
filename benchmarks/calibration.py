"""Is what the verdict states so? Many lists with a known truth, and how often each figure holds.

    python benchmarks/calibration.py run DATA RESULTS [--runs 200] [--only PREFIX] [--workers 2] [--minutes M]
    python benchmarks/calibration.py table RESULTS

`run` adds what is missing to the file RESULTS (one JSON line a run), so it may be stopped and started again. `table`
prints one line a cell. A run draws a list from a generated population (benchmarks/rosters.py: frequencies of names_ru,
typing errors in 10 % of the names of both sides, three romanisations, 10 % relatives, 20 % of a second naming culture,
missing dates, initials, registry duplicates); `RUNS_A_POPULATION` runs share a population and its encodings.
Of FEBRL4 and dev_cross a run draws the list from the one file and takes the partners of absent people out of the other.
Registries of 100,000 get a tenth of the runs.
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
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rosters import DATE, NAMES, PATRONYMIC, Case, Mess, dev_cross, febrl4, generated

from pprl.bits import Encodings
from pprl.estimate.assess import judge
from pprl.keys import LinkageKey
from pprl.linkage import encode_list, encode_registry, people_of
from pprl.match.scores import match_encodings
from pprl.normalize.people import People
from pprl.rows import HomeRows
from pprl.schema import Schema, parse_schema

ABSENT_PEOPLE = 2_000
LARGE = 100_000  # registries of this size get a tenth of the runs
RUNS_A_POPULATION = 5
RATES = (500, 100)
SIZES, REGISTRIES, HARDENINGS = (30, 100, 1_010), (2_000, 10_000), (0, 8)
OVERLAPS = ("0", "3", "10", "5%", "30%", "60%", "95%")
FIELDS = {
    "names": NAMES + PATRONYMIC,
    "date": NAMES + PATRONYMIC + DATE,
    "febrl4": NAMES + DATE,
    "cross": NAMES,
    "cross+date": NAMES + DATE,
}


@dataclass(frozen=True)
class Cell:
    size: int
    registry: int
    overlap: str
    fields: str  # of FIELDS: what is compared, and which data
    hardening: int

    @property
    def name(self) -> str:
        return f"{self.fields}/t{self.hardening}/{self.size}x{self.registry}/{self.overlap}"

    @property
    def present(self) -> int:
        share = self.overlap.endswith("%")
        return round(self.size * float(self.overlap[:-1]) / 100) if share else int(self.overlap)

    @property
    def generated(self) -> bool:
        return self.fields in ("names", "date")


def cells() -> Iterator[Cell]:
    for fields, hardening, size, registry, overlap in itertools.product(
        ("names", "date"), HARDENINGS, SIZES, REGISTRIES, OVERLAPS
    ):
        yield Cell(size, registry, overlap, fields, hardening)
    for fields, hardening, registry in itertools.product(("names", "date"), HARDENINGS, REGISTRIES):
        yield Cell(1_010, registry, "30", fields, hardening)
    for hardening, size, overlap in itertools.product(HARDENINGS, (100, 1_010), ("0", "10", "30%", "95%")):
        yield Cell(size, 5_000, overlap, "febrl4", hardening)
    for fields, hardening, overlap in itertools.product(("cross", "cross+date"), HARDENINGS, ("0", "10", "30%", "95%")):
        yield Cell(100, 300, overlap, fields, hardening)
    for fields, overlap in itertools.product(("names", "date"), ("0", "10", "30", "30%")):
        yield Cell(1_010, LARGE, overlap, fields, 8)


def schema_of(cell: Cell) -> Schema:
    return parse_schema(f"format = 1\n[encoding]\nhardening = {cell.hardening}\n{FIELDS[cell.fields]}")


@lru_cache(maxsize=2)
def population(data: Path, number: int, fields: str, registry: int) -> tuple[Case, People, People]:
    """The case with everybody in it, and the people of both sides, folded."""
    if fields == "febrl4":
        case = febrl4(data)
    elif fields.startswith("cross"):
        case = dev_cross(data, date=fields.endswith("date"))
    else:
        people, mess = registry + ABSENT_PEOPLE, Mess(initials=0.05)
        case = generated(data, number, people, registry, registry, date=fields == "date", mess=mess)
    schema = parse_schema(f"format = 1\n{FIELDS[fields]}")
    return (
        case,
        people_of(case.leaked, schema, case.list_columns, None, "list", any_age=True),
        people_of(case.registry, schema, case.registry_columns, None, "registry", any_age=True),
    )


def population_of(data: Path, number: int, cell: Cell) -> tuple[Case, People, People]:
    number = number if cell.generated else 0
    return population(data, number, cell.fields, LARGE if cell.registry == LARGE else max(REGISTRIES))


@lru_cache(maxsize=4)
def held(data: Path, number: int, cell: Cell, gone: tuple[int, ...] = ()) -> tuple[Encodings, HomeRows]:
    """The encoded registry of a population: its first people, as many as the cell has, without those ``gone``."""
    case, _, theirs = population_of(data, number, cell)
    keep = (case.people_of_registry < cell.registry) if cell.generated else ~np.isin(case.people_of_registry, gone)
    return encode_registry(theirs.take(np.flatnonzero(keep)), schema_of(cell), LinkageKey.make(number), seed=number)


def drawn(case: Case, cell: Cell, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """List rows of people who are present, and of people who are not."""
    inside = draw.permutation(np.flatnonzero((case.truth >= 0) & (case.truth < cell.registry)))
    outside = draw.permutation(np.flatnonzero(case.truth < 0))
    if not cell.generated:
        inside = draw.permutation(np.flatnonzero(case.truth >= 0))
        outside = np.concatenate([outside, inside[cell.present :]])
    return inside[: cell.present], outside[: cell.size - cell.present]


def run(data: Path, cell: Cell, seed: int) -> dict[str, Any]:
    """One list of the cell and what was said of it."""
    number = seed // RUNS_A_POPULATION
    case, everybody, _ = population_of(data, number, cell)
    draw = np.random.default_rng([seed, cell.size, cell.registry, cell.present, cell.hardening, len(cell.fields)])
    present, absent = drawn(case, cell, draw)
    gone = case.truth[absent][case.truth[absent] >= 0]
    # lists of all sizes and overlaps share the registry of a generated population
    registry, registry_rows = held(data, number, replace(cell, size=0, overlap=""), tuple(gone.tolist()))
    schema, key = schema_of(cell), LinkageKey.make(number)
    own = everybody.take(np.concatenate([present, absent]))
    list_encoded, rows = encode_list(own, schema, key, seed=seed, allow_weak=True)
    scores = match_encodings(list_encoded, registry)
    record: dict[str, Any] = {"cell": cell.name, "seed": seed, "people": rows.people}
    for rate in RATES:
        answer = judge(scores, rows, registry_rows, rate=rate / 10_000, encodings=list_encoded)
        pairs = answer.pairs
        truth = case.truth[pairs.list_row.to_numpy(dtype=int)]
        there = np.isin(truth, case.truth[present])
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
        for cell in cells()
        for seed in range(runs // 10 if cell.registry == LARGE else runs)
        if cell.name.startswith(only) and (cell.name, seed) not in known
    ]
    tasks.sort(key=lambda task: (task[1].registry == LARGE, task[2] // RUNS_A_POPULATION, *order(task[1])))
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


def order(cell: Cell) -> tuple[str, int, int]:
    """Cells that share a population and a registry stand together."""
    return cell.fields, cell.hardening, cell.registry


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
