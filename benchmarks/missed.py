"""Is the missed-match rate true? Lists with a known truth: the rate stated, and the people truly missed.

    python benchmarks/missed.py DATA [--runs 3] [--only PREFIX] [--registry 4000]

Generated lists of 1,010, 100 and 30 people (`rosters.generated`: *messy* as calibration.py has them, *clean* with 3%
typing errors and nothing missing, *half dated* messy against a registry without the dates of every other row), and
lists drawn from FEBRL4, dev_cross and foreigners with the partners of absent people removed. For each kind and each
rate asked, over the lists in which anybody matches: the mean rate stated, the mean share of the people present who are
not matched with their own record, in how many lists the interval holds that share, and in how many the differences
are measured in the rosters and not assumed. *link* has both rosters; in the exchange and the steps nobody has.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import astuple, dataclass
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


def drawn_list(data: Path, kind: Kind, seed: int, registry: int) -> Drawn:
    """A list of the kind, compared with its registry."""
    case = kind.case(data, seed, registry)
    schema = parse_schema(f'format = 1\n[encoding]\nhardening = "{kind.hardening}"\n{case.fields}')
    key = LinkageKey.make(seed)
    listed = load(case.leaked, schema, "list", columns=case.list_columns, any_age=True).people
    registered = load(case.registry, schema, "registry", columns=case.registry_columns, any_age=True).people
    encoded = encode_registry(registered, schema, key, randomness=Randomness.make(seed), allow_weak=True)
    present = np.flatnonzero(case.truth >= 0)
    return compared(case, present, listed, (registered, *encoded), schema, key, seed, planted=True)


@dataclass(frozen=True)
class Stated:
    """What was stated of one list, and the truth."""

    rate: float
    true: float
    holds: bool
    measured: bool


def stated_of(drawn: Drawn, asked: float) -> dict[str, Stated]:
    """What `pprl link` says, and what the exchange and the steps do; nothing where nobody matches."""
    matches = find_matches(drawn.cohort.assignment(), asked)
    right, present = drawn.right(matches.partners.ids), drawn.truth() >= 0
    true, found = 1 - float((matches.found & right)[present].mean()), {}
    for who, planted in {"link": drawn.planted, "exchange": Planted.of_table(drawn.rows.planted, drawn.scores)}.items():
        one = missed_match_rate(planted, drawn.own_rows, drawn.cohort, matches) if planted else None
        if planted and one:
            found[who] = Stated(one.value, true, one.low <= true <= one.high, planted.measured)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--registry", type=int, default=4_000, help="rows of generated registries")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    near: dict[str, list[bool]] = {"link": [], "exchange": []}
    print(
        "kind, hardening, people, present".ljust(38), "asked by       lists  stated    true  holds measured", flush=True
    )
    for kind in kinds():
        if not kind.name.startswith(given.only):
            continue
        figures: dict[tuple[float, str], list[Stated]] = {(rate, who): [] for rate in RATES for who in near}
        for seed in range(given.runs * (3 if kind.present <= FEW else 1)):
            drawn = drawn_list(given.data, kind, seed, given.registry)
            for rate in RATES:
                for who, one in stated_of(drawn, rate).items():
                    figures[rate, who].append(one)
        for (rate, who), lists in figures.items():
            start = f"{kind.name:38} {rate:5.0%} {who:8} {len(lists):5}"
            if not lists:
                print(start, flush=True)
                continue
            stated, true, holds, measured = np.array([astuple(one) for one in lists], dtype=float).mean(axis=0)
            near[who].append(bool(abs(stated - true) <= NEAR))
            apart = "" if near[who][-1] else f"  {stated - true:+.1%}"
            print(f"{start} {stated:7.1%} {true:7.1%} {holds:6.0%} {measured:8.0%}{apart}", flush=True)
    for who, cells in near.items():
        print(f"{who}: within {NEAR:.0%} in {sum(cells)} of {len(cells)} cells")


if __name__ == "__main__":
    main()
