"""Are the verdict's figures true? Many lists with a known truth, and how often each figure holds.

    python benchmarks/calibration.py run DATA RESULTS.csv [--runs 200] [--only PREFIX] [--overlap 0] [--workers 2]
        [--minutes M]
    python benchmarks/calibration.py table RESULTS.csv

`run` adds missing runs to the file RESULTS.csv (one line each), so it can be stopped and started again. `table` prints
two lines per cell, and a summary below them; it reads RESULTS.csv.xz too.

A run draws a list from a generated population (benchmarks/rosters.py: frequencies of names_ru, typing errors in 10% of
the names of both sides, three romanisations, 10% relatives, 20% of a second naming culture, missing dates, initials,
registry duplicates); `RUNS_A_POPULATION` runs share a population and its encodings. *home* and *postcode* are
households: a list of one member of each family, whose other members are in the registry (`rosters.households`).
For FEBRL4 and dev_cross a run draws the list from one file and removes the partners of absent people from the other.
Registries of 100,000 get a tenth of the runs.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rosters import DATE, HOME, NAMES, PATRONYMIC, POSTCODE, Case, Mess, dev_cross, febrl4, generated, households
from scipy.stats import binom

from pprl.core.encodings import Encodings
from pprl.core.key import LinkageKey
from pprl.core.private_rows import PrivateRows
from pprl.core.randomness import Randomness
from pprl.core.schema import Schema
from pprl.core.schema_file import parse_schema
from pprl.core.scores import Scores
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import Provenance, judge
from pprl.judge.bootstrap import intervals
from pprl.judge.cohort import Cohort
from pprl.judge.false_bound import bound_false
from pprl.judge.labels import open_labels, positions_of
from pprl.judge.matches import find_matches
from pprl.judge.missed import Planted, missed_match_rate
from pprl.link import planted_people
from pprl.match.encodings import match_encodings
from pprl.roster.load import load
from pprl.roster.people import People

ABSENT_PEOPLE = 2_000
LARGE = 100_000  # registries of this size get a tenth of the runs
RUNS_A_POPULATION = 5
RATES = (500, 100)
FIGURES = (  # at each rate
    *("found", "ambiguous", "stated", "pairs", "right", "there", "net", "low", "high", "false", "at_most"),
    *("missed", "missed_low", "missed_high", "truly_missed"),
)
SIZES, REGISTRIES, HARDENINGS = (30, 100, 1_010), (2_000, 10_000), ("plain", "standard")
OVERLAPS = ("0", "3", "10", "5%", "30%", "60%", "95%")
FIELDS = {
    "names": NAMES + PATRONYMIC,
    "date": NAMES + PATRONYMIC + DATE,
    "febrl4": NAMES + DATE,
    "cross": NAMES,
    "cross+date": NAMES + DATE,
    "home": NAMES + DATE + HOME,
    "postcode": NAMES + POSTCODE,
}
HOUSEHOLDS = ("home", "postcode")  # with the families of everybody on the list in the registry


@dataclass(frozen=True)
class Cell:
    size: int
    registry: int
    overlap: str
    fields: str  # a key of FIELDS: what is compared, and which data
    hardening: str

    @property
    def name(self) -> str:
        return f"{self.fields}/{self.hardening}/{self.size}x{self.registry}/{self.overlap}"

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
    for fields, hardening, overlap in itertools.product(("names", "date"), HARDENINGS, ("0", "3", "10", "34")):
        yield Cell(1_010, 2_100, overlap, fields, hardening)
    for hardening, (size, there) in itertools.product(HARDENINGS, ((10, 5), (12, 6), (20, 7), (30, 9), (60, 18))):
        for fields, overlap in itertools.product(("names", "date"), ("0", str(there))):
            yield Cell(size, 4_000, overlap, fields, hardening)
    for fields, hardening, overlap in itertools.product(HOUSEHOLDS, HARDENINGS, ("0", "30%")):
        yield Cell(1_000, 10_000, overlap, fields, hardening)
    for fields, overlap in itertools.product(("names", "date"), ("0", "10", "30", "30%")):
        yield Cell(1_010, LARGE, overlap, fields, "standard")


def schema_of(cell: Cell) -> Schema:
    return parse_schema(f'format = 1\n[encoding]\nhardening = "{cell.hardening}"\n{FIELDS[cell.fields]}')


@lru_cache(maxsize=2)
def population(data: Path, number: int, fields: str, registry: int) -> tuple[Case, People, People]:
    """The case with everybody, and the people of both sides, folded."""
    if fields == "febrl4":
        case = febrl4(data)
    elif fields in HOUSEHOLDS:
        case = households(data, number, 2_400, 12_000, kin=1.0, present=0.45, fields=FIELDS[fields])
    elif fields.startswith("cross"):
        case = dev_cross(data, date=fields.endswith("date"))
    else:
        people, mess = registry + ABSENT_PEOPLE, Mess(initials=0.05)
        case = generated(data, number, people, registry, registry, date=fields == "date", mess=mess)
    schema = parse_schema(f"format = 1\n{FIELDS[fields]}")
    return (
        case,
        load(case.leaked, schema, "list", columns=case.list_columns, any_age=True).people,
        load(case.registry, schema, "registry", columns=case.registry_columns, any_age=True).people,
    )


def population_of(data: Path, number: int, cell: Cell) -> tuple[Case, People, People]:
    number = number if cell.generated or cell.fields in HOUSEHOLDS else 0
    return population(data, number, cell.fields, LARGE if cell.registry == LARGE else max(REGISTRIES))


@lru_cache(maxsize=4)
def held(data: Path, number: int, cell: Cell, gone: tuple[int, ...] = ()) -> tuple[People, Encodings, PrivateRows]:
    """The registry of a population: its first people, as many as the cell has, without those ``gone``."""
    case, _, theirs = population_of(data, number, cell)
    keep = (case.people_of_registry < cell.registry) if cell.generated else ~np.isin(case.people_of_registry, gone)
    people, key = theirs.take(np.flatnonzero(keep)), LinkageKey.make(number)
    return people, *encode_registry(people, schema_of(cell), key, randomness=Randomness.make(number))


def drawn(case: Case, cell: Cell, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """List rows of people who are in the registry, and of people who are not."""
    inside = draw.permutation(np.flatnonzero((case.truth >= 0) & (case.truth < cell.registry)))
    outside = draw.permutation(np.flatnonzero(case.truth < 0))
    if not cell.generated:
        inside = draw.permutation(np.flatnonzero(case.truth >= 0))
        outside = np.concatenate([outside, inside[cell.present :]])
    return inside[: cell.present], outside[: cell.size - cell.present]


def only_used(people: People) -> People:
    """The same people, in columns without the values of everybody else of the population."""
    return People(people.rows, {name: column.in_use() for name, column in people.columns.items()})


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A list of a cell, compared with its registry, and the truth."""

    case: Case
    present: np.ndarray  # rows of the case
    listed: People
    registered: People
    schema: Schema
    key: LinkageKey
    randomness: Randomness
    list_encoded: Encodings
    rows: PrivateRows
    registry_rows: PrivateRows
    scores: Scores
    own_rows: PrivateRows
    cohort: Cohort
    handles: np.ndarray

    @cached_property
    def planted(self) -> Planted:
        planted = planted_people(self.listed, self.registered, self.schema, self.key, self.randomness)
        assert planted is not None
        return planted

    def truth(self) -> np.ndarray:
        """The person of each judged person of the list, −1 for none."""
        return self.case.truth[self.own_rows.rows[self.cohort.records]]

    def right(self, partners: np.ndarray) -> np.ndarray:
        """Whether each judged person's partner, or a row that is equal to it in everything compared, is themselves."""
        known = np.flatnonzero(partners >= 0)
        at = positions_of(self.handles[partners[known]], self.registry_rows.handles)
        group, everybody = self.registry_rows.person, self.case.people_of_registry[self.registry_rows.rows]
        themselves = set(zip(group.tolist(), everybody.tolist(), strict=True))
        right, truth = np.zeros(len(partners), dtype=bool), self.truth()
        pairs = zip(group[at].tolist(), truth[known].tolist(), strict=True)
        right[known] = [pair in themselves for pair in pairs]
        return right


def drawn_list(data: Path, cell: Cell, seed: int) -> Drawn:
    """The list of a run. Lists of all sizes and overlaps share the registry of a generated population."""
    number = seed // RUNS_A_POPULATION
    case, everybody, _ = population_of(data, number, cell)
    hardening = HARDENINGS.index(cell.hardening)
    draw = np.random.default_rng([seed, cell.size, cell.registry, cell.present, hardening, len(cell.fields)])
    present, absent = drawn(case, cell, draw)
    gone = case.truth[absent][case.truth[absent] >= 0]
    registry = held(data, number, replace(cell, size=0, overlap=""), tuple(gone.tolist()))
    people = only_used(everybody.take(np.concatenate([present, absent])))
    return compared(case, present, people, registry, schema_of(cell), LinkageKey.make(number), seed)


def compared(
    case: Case,
    present: np.ndarray,
    listed: People,
    registry: tuple[People, Encodings, PrivateRows],
    schema: Schema,
    key: LinkageKey,
    seed: int,
    *,
    planted: bool = False,
) -> Drawn:
    """The people of a list, encoded with decoys from ``seed`` and compared with an encoded registry.

    With ``planted``, the rows hold what the missed-match rate rests on where nobody has both rosters.
    """
    registered, registry_encoded, registry_rows = registry
    randomness = Randomness.make(seed)
    list_encoded, rows = encode_list(listed, schema, key, planted=planted, randomness=randomness, allow_weak=True)
    scores = match_encodings(list_encoded, registry_encoded)
    own_rows, cohort, handles = open_labels(scores, rows, registry_rows)
    return Drawn(
        case=case,
        present=present,
        listed=listed,
        registered=registered,
        schema=schema,
        key=key,
        randomness=randomness,
        list_encoded=list_encoded,
        rows=rows,
        registry_rows=registry_rows,
        scores=scores,
        own_rows=own_rows,
        cohort=cohort,
        handles=handles,
    )


def run(data: Path, cell: Cell, seed: int) -> dict[str, Any]:
    """One list of the cell and the verdict on it."""
    one = drawn_list(data, cell, seed)
    answer = judge(
        one.scores,
        one.rows,
        one.registry_rows,
        rate=RATES[0] / 10_000,
        encodings=one.list_encoded,
        provenance=Provenance(own_decoys=True),
    )
    record: dict[str, Any] = {"cell": cell.name, "seed": seed, "people": one.rows.people, "p": answer.p_value}
    record |= {"p_harsh": answer.audit["headline"]["p_harsh"], "rung": answer.verdict.rung}
    assignment = one.cohort.assignment()
    right, present = one.right(assignment.partners.ids), np.isin(one.truth(), one.case.truth[one.present])
    for rate in RATES:  # what `judge` finds at each, without asking everything else again
        matches = find_matches(assignment, rate / 10_000)
        low, high = intervals(matches, [], copy(one.cohort.draws))[0]
        paired = matches.found & ~matches.unsure
        found = int(matches.found.sum())
        bound = bound_false(matches, rate / 10_000)
        missed = missed_match_rate(one.planted, one.own_rows, one.cohort, matches) if matches.told else None
        figures = {
            "found": found,
            "ambiguous": int(matches.unsure.sum()),
            "stated": round(matches.false / found, 6) if found else None,
            "pairs": int(paired.sum()),
            "right": int((paired & right).sum()),
            "there": int((paired & present).sum()),
            "net": round(matches.net, 1),
            "low": round(min(low, matches.net), 1),
            "high": round(max(high, matches.net), 1),
            "false": int((matches.found & ~right).sum()),
            "at_most": bound and bound.at_most,
            "missed": missed and missed.value,
            "missed_low": missed and missed.low,
            "missed_high": missed and missed.high,
            "truly_missed": round(1 - (matches.found & right)[present].mean(), 4) if present.any() else None,
        }
        record |= {f"{what}_{rate}": value for what, value in figures.items()}
    return record


def _run(task: tuple[Path, Cell, int]) -> dict[str, Any]:
    return run(*task)


def fill(data: Path, results: Path, runs: int, chosen: Collection[Cell], workers: int, minutes: float) -> None:
    """Adds the runs missing in the file, population by population, until all are done or time is up."""
    begun = results.exists() and results.stat().st_size
    known = set(read(results)[["cell", "seed"]].itertuples(index=False, name=None)) if begun else set()
    tasks = [
        (data, cell, seed)
        for cell in chosen
        for seed in range(runs // 10 if cell.registry == LARGE else runs)
        if (cell.name, seed) not in known
    ]
    tasks.sort(key=lambda task: (task[1].registry == LARGE, task[2] // RUNS_A_POPULATION, *order(task[1])))
    end = time.monotonic() + 60 * minutes
    with results.open("a", encoding="utf-8", newline="") as file, ProcessPoolExecutor(workers) as pool:
        records = pool.map(_run, tasks, chunksize=20)
        for done in range(0, len(tasks), 100):
            if time.monotonic() > end:
                pool.shutdown(cancel_futures=True)
                break
            pd.DataFrame(itertools.islice(records, 100)).to_csv(file, index=False, header=not file.tell())
            file.flush()
            print(f"{min(done + 100, len(tasks)):,} of {len(tasks):,}", file=sys.stderr, flush=True)


def order(cell: Cell) -> tuple[str, int, int]:
    """Cells that share a population and a registry are next to each other."""
    return cell.fields, cell.hardening, cell.registry


def read(results: Path) -> pd.DataFrame:
    return pd.read_csv(results)


def table(results: Path) -> None:
    """Two lines per cell, and a summary. true: mean share of wrong pairs (0 in runs without pairs); absent: share of
    pairs whose person is not in the registry; covered: the interval of the estimated true matches covers the people who
    were matched with themselves; rung 1: the verdict is "beyond chance" or more."""
    runs = read(results)
    tests = runs["cell"].nunique() * len(RATES)
    print(f"# {' '.join(sys.argv)}\n{len(runs):,} runs of {runs['cell'].nunique()} cells")
    print(f"{'cell':27} runs p<.05 asked   found stated   true absent     net   right covered ± / n rung 1  misses")
    for cell in cells():
        of_cell = runs[runs["cell"] == cell.name]
        for rate in RATES if len(of_cell) else ():
            one = of_rate(of_cell, rate)
            stated, true, half = one["stated"].mean(), one["wrong"].mean(), one["half"].mean() / cell.size
            misses = {
                "rate": true > 2 * max(stated, rate / 10_000),
                "coverage": _too_few(int(one["covered"].sum()), len(one), 0.05 / tests),
                "width": cell.size >= 1_000 and half > 0.06,
            }
            missed = " ".join(name for name, truth in misses.items() if truth)
            print(
                f"{cell.name:27} {len(one):4} {(of_cell['p'] < 0.05).mean():5.0%} {rate / 10_000:5.0%} "
                f"{one['found'].mean():7.1f} {stated:6.2%} {true:6.2%} {one['absent'].mean():6.2%} "
                f"{one['net'].mean():7.1f} {one['right'].mean():7.1f} {one['covered'].mean():7.1%} {half:5.3f} "
                f"{(of_cell['rung'] >= 1).mean():6.1%}  {missed}".rstrip()
            )
    print()
    for rate in RATES:
        one = of_rate(runs, rate)
        found, many = one[one["found"] > 0], one[one["found"] >= 20]
        if len(found):
            near = (found["missed"] - found["truly_missed"]).groupby(runs["cell"]).mean().abs() <= 0.05
            print(
                f"asked {rate / 10_000:.0%}: covered {found['covered'].mean():.1%} of {len(found):,} lists that match; "
                f"bound held in {(many['false'] <= many['at_most']).sum():,} of {len(many):,} with 20 matches or more; "
                f"missed matches within 5 points in {near.sum()} of {len(near)} cells"
            )
    nobody = runs[runs["cell"].str.endswith("/0")]
    print(
        f"nobody present: {len(nobody):,} lists, {(nobody['rung'] >= 1).sum()} beyond chance, "
        f"{(nobody['p'] < 0.05).sum()} with p < .05, {(nobody['p'] < 0.001).sum()} with p < .001"
    )


def of_rate(runs: pd.DataFrame, rate: int) -> pd.DataFrame:
    """What was stated at one rate, and how it compares with the truth."""
    one = pd.DataFrame({what: runs[f"{what}_{rate}"] for what in FIGURES}).fillna({"found": 0, "stated": 0})
    pairs = one["pairs"].clip(lower=1)
    one["wrong"], one["absent"] = (one["pairs"] - one["right"]) / pairs, (one["pairs"] - one["there"]) / pairs
    one["right"] += one["ambiguous"] * one["right"] / pairs  # ambiguous ones in the proportion of the pairs
    one["covered"] = (one["low"] - 0.5 <= one["right"]) & (one["right"] <= one["high"] + 0.5)
    one["half"] = (one["high"] - one["low"]) / 2
    return one


def _too_few(hits: int, runs: int, level: float) -> bool:
    """Significantly fewer than nine in ten: P(at most so many hits) under 0.9 is below the level."""
    return bool(binom.cdf(hits, runs, 0.9) < level)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    runner = commands.add_parser("run")
    runner.add_argument("data", type=Path)
    runner.add_argument("results", type=Path)
    runner.add_argument("--runs", type=int, default=200)
    runner.add_argument("--only", default="", help="the beginning of a cell's name")
    runner.add_argument("--overlap", choices=sorted({cell.overlap for cell in cells()}))
    runner.add_argument("--workers", type=int, default=2)
    runner.add_argument("--minutes", type=float, default=1e9)
    shower = commands.add_parser("table")
    shower.add_argument("results", type=Path)
    given = parser.parse_args()
    if given.command == "run":
        chosen = [
            cell for cell in cells() if cell.name.startswith(given.only) and given.overlap in (None, cell.overlap)
        ]
        fill(given.data, given.results, given.runs, chosen, given.workers, given.minutes)
    else:
        table(given.results)


if __name__ == "__main__":
    main()
