"""Is the missed-match rate true? Lists with a known truth: the rate stated, and the people truly missed.

    python benchmarks/missed.py DATA [--runs 3] [--only PREFIX] [--registry 4000]

Generated lists of 1,010, 100 and 30 people (`rosters.generated`: *messy* as calibration.py has them, *clean* with 3%
typing errors and nothing missing, *half dated* messy against a registry without the dates of every other row), and
lists drawn from FEBRL4, dev_cross and foreigners with the partners of absent people removed. For each kind and each
rate asked, over the lists in which anybody matches: the mean rate stated, the mean share of the people present who are
not matched with their own record, in how many lists the interval holds that share, and in how many the differences
are measured in the rosters and not assumed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from calibration import Drawn, compared
from rosters import Case, Mess, dev_cross, febrl4, foreigners, generated

from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness
from pprl.core.schema_file import parse_schema
from pprl.encode.registry import encode_registry
from pprl.judge.matches import find_matches
from pprl.judge.missed import Planted, missed_match_rate
from pprl.link import planted_people
from pprl.roster.load import load

RATES = (0.05, 0.01)
NEAR = 0.05
FEW = 34  # present; lists with so few are run three times as often
MESS = {"messy": Mess(initials=0.05), "clean": Mess(typed=0.03, missing=0.0), "half dated": Mess(initials=0.05)}
PUBLIC = {
    "febrl4": lambda data: febrl4(data),
    "febrl4, place": lambda data: febrl4(data, place=True),
    "cross": lambda data: dev_cross(data, date=False),
    "cross, date": lambda data: dev_cross(data, date=True),
    "foreigners, date": lambda data: foreigners(data, date=True),
}


@dataclass(frozen=True)
class Kind:
    """Lists of ``people``, of whom ``present`` are in the registry, from ``source``: a key of `MESS` or `PUBLIC`."""

    source: str
    hardening: str
    people: int
    present: int
    date: bool = True

    @property
    def name(self) -> str:
        fields = "" if self.source in PUBLIC else ", date" if self.date else ", names"
        return f"{self.source}{fields}/{self.hardening}/{self.people}/{self.present}"

    def case(self, data: Path, seed: int, registry: int) -> Case:
        if self.source in PUBLIC:
            return self._drawn(PUBLIC[self.source](data), np.random.default_rng([seed, self.people, self.present]))
        mess = MESS[self.source]
        case = generated(data, seed, self.people, registry, self.present, date=self.date, mess=mess)
        if self.source == "half dated":
            case.registry.loc[::2, "birth_date"] = ""
        return case

    def _drawn(self, case: Case, draw: np.random.Generator) -> Case:
        """A list of as many rows, most of whose partners are taken away."""
        inside, outside = (draw.permutation(np.flatnonzero(there)) for there in (case.truth >= 0, case.truth < 0))
        absent = np.concatenate([outside, inside[self.present :]])[: self.people - self.present]
        everybody = np.arange(len(case.truth))
        chosen = np.isin(everybody, np.concatenate([inside[: self.present], absent]))
        return case.without(np.isin(everybody, absent), case.name).rows(chosen, case.name)


def kinds() -> Iterator[Kind]:
    plain = (
        *(("messy", 1_010, present) for present in (34, 100, 300, 900)),
        ("messy", 100, 30),
        ("messy", 30, 9),
        *(("clean", 1_010, present) for present in (34, 600)),
        *(("half dated", 1_010, present) for present in (100, 600)),
        *(("febrl4", 1_010, present) for present in (100, 300, 900)),
        ("febrl4, place", 1_010, 300),
        *(("cross, date", 300, present) for present in (60, 200)),
        ("cross", 300, 200),
        ("foreigners, date", 600, 400),
    )
    names = ("messy", 300), ("messy", 600), ("clean", 600)
    for source, people, present in plain:
        yield Kind(source, "plain", people, present)
    for source, present in names:
        yield Kind(source, "plain", 1_010, present, date=False)
    for source, people, present in plain:
        if source != "half dated" and (present, people) not in ((100, 1_010), (60, 300)):
            yield Kind(source, "standard", people, present)
    for source, present in names:
        yield Kind(source, "standard", 1_010, present, date=False)


def with_planted(data: Path, kind: Kind, seed: int, registry: int) -> tuple[Drawn, Planted]:
    """A list of the kind, compared with its registry, and the people planted."""
    case = kind.case(data, seed, registry)
    schema = parse_schema(f'format = 1\n[encoding]\nhardening = "{kind.hardening}"\n{case.fields}')
    key, randomness = LinkageKey.make(seed), Randomness.make(seed)
    listed = load(case.leaked, schema, "list", columns=case.list_columns, any_age=True).people
    registered = load(case.registry, schema, "registry", columns=case.registry_columns, any_age=True).people
    held = encode_registry(registered, schema, key, randomness=randomness, allow_weak=True)
    drawn = compared(case, np.flatnonzero(case.truth >= 0), listed, held, schema, key, seed)
    planted = planted_people(listed, registered, schema, key, randomness)
    assert planted is not None
    return drawn, planted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--registry", type=int, default=4_000, help="rows of generated registries")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    near = cells = 0
    print("kind, hardening, people, present".ljust(38), "asked lists  stated    true  holds measured", flush=True)
    for kind in kinds():
        if not kind.name.startswith(given.only):
            continue
        figures: dict[float, list[tuple[float, float, bool, bool]]] = {rate: [] for rate in RATES}
        for seed in range(given.runs * (3 if kind.present <= FEW else 1)):
            drawn, planted = with_planted(given.data, kind, seed, given.registry)
            assignment = drawn.cohort.assignment()
            right, present = drawn.right(assignment.partners.ids), drawn.truth() >= 0
            for rate in RATES:
                matches = find_matches(assignment, rate)
                stated = missed_match_rate(planted, drawn.own_rows, drawn.cohort, matches)
                if stated is not None:
                    true = 1 - float((matches.found & right)[present].mean())
                    holds = stated.low <= true <= stated.high
                    figures[rate].append((stated.value, true, holds, planted.measured))
        for rate, lists in figures.items():
            if not lists:
                print(f"{kind.name:38} {rate:5.0%} {0:5}", flush=True)
                continue
            stated, true, holds, measured = np.array(lists, dtype=float).mean(axis=0)
            cells, near = cells + 1, near + int(abs(stated - true) <= NEAR)
            apart = "" if abs(stated - true) <= NEAR else f"  {stated - true:+.1%}"
            print(
                f"{kind.name:38} {rate:5.0%} {len(lists):5} {stated:7.1%} {true:7.1%} {holds:6.0%} "
                f"{measured:8.0%}{apart}",
                flush=True,
            )
    print(f"within {NEAR:.0%} in {near} of {cells} cells")


if __name__ == "__main__":
    main()
