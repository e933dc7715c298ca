"""Does the bound on false matches hold? Lists with a known truth, and the levels of the band behind it.

    python benchmarks/false_bounds.py lists DATA [--runs 40] [--only PREFIX]
    python benchmarks/false_bounds.py levels [--walks 200000]

`lists` draws lists as calibration.py does. *date shared* and *surname shared*: all 1,010 people on the list have one
birth date or surname; in the registry 34 people of the list have it, and one stranger. For each rate asked it prints in
how many lists anybody matched, in how many of these the bound held (in brackets those with 20 or more matches),
the means of matches, bound and false matches over them, and the mean share of decoys that count. *misses*: a binomial
test against 95% rejects at 1%.

`levels` simulates the band: d + 1 exponential gaps are the time of the (d + 1)-th decoy, and the level is the 5%
quantile of the smallest p-value of these times down to so many decoys.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from calibration import DATE, NAMES, PATRONYMIC, Cell, Drawn, compared, drawn_list
from rosters import Mess, generated
from scipy.special import gammaincc
from scipy.stats import binom

from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness
from pprl.core.schema_file import parse_schema
from pprl.encode.registry import encode_registry
from pprl.judge.false_bound import CONFIDENCE, LEVELS, bound_false
from pprl.judge.matches import find_matches
from pprl.roster.load import load

RATES = (0.05, 0.01)
ENOUGH = 20  # matches, from which on the bound is promised
CELLS = tuple(
    Cell(size, registry, overlap, fields, "standard")
    for size, registry, overlap, fields in (
        (1_010, 2_100, "34", "date"),
        (1_010, 10_000, "30%", "date"),
        (1_010, 10_000, "95%", "date"),
        (1_010, 10_000, "30%", "names"),
        (1_010, 2_000, "60%", "names"),
        (1_010, 5_000, "30%", "febrl4"),
        (1_010, 5_000, "95%", "febrl4"),
        (1_000, 10_000, "30%", "home"),
        (100, 10_000, "30%", "date"),
        (60, 4_000, "18", "date"),
        (30, 4_000, "9", "date"),
        (100, 300, "30%", "cross+date"),
    )
)
SHARED = {"birth_date": ("1990-05-01", "1990-05-01"), "surname": ("Иванов", "Ivanov")}  # list, registry
SAME = parse_schema(f"format = 1\n{NAMES}{PATRONYMIC}{DATE}")


def shared_list(data: Path, field: str, seed: int) -> Drawn:
    """A list whose people all have the same value, as do in the registry those who are there, and one stranger."""
    case = generated(data, seed, 1_010, 2_100, 34, date=True, mess=Mess(initials=0.05))
    present = np.flatnonzero(case.truth >= 0)
    stranger = np.flatnonzero(~np.isin(case.people_of_registry, case.truth))[:1]
    holders = np.append(np.flatnonzero(np.isin(case.people_of_registry, case.truth)), stranger)
    case.leaked[field], case.registry.loc[holders, field] = SHARED[field]
    key = LinkageKey.make(seed)
    listed = load(case.leaked, SAME, "list", columns=case.list_columns, any_age=True).people
    theirs = load(case.registry, SAME, "registry", columns=case.registry_columns, any_age=True).people
    registry = (theirs, *encode_registry(theirs, SAME, key, randomness=Randomness.make(seed)))
    return compared(case, present, listed, registry, SAME, key, seed)


def kinds(data: Path) -> Iterator[tuple[str, Callable[[int], Drawn]]]:
    for cell in CELLS:
        yield cell.name, partial(drawn_list, data, cell)
    for field in SHARED:
        yield f"{field} shared", partial(shared_list, data, field)


def figures(drawn: Drawn, rate: float) -> tuple[float, float, float, float] | None:
    """Matches, bound, false matches, and the share of the decoys that count; None where nobody matches."""
    matches = find_matches(drawn.cohort.assignment(), rate)
    bound = bound_false(matches, rate)
    if bound is None:
        return None
    false = int((matches.found & ~drawn.right(matches.partners.ids)).sum())
    decoys = sum(len(group.decoys) for group in matches.classes if group.cut)
    return bound.matches, bound.at_most, false, bound.effective_decoys / decoys


def row(name: str, rate: float, lists: list[tuple[float, float, float, float]]) -> str:
    found, at_most, false, share = np.array(lists, dtype=float).reshape(-1, 4).T
    held, enough = false <= at_most, found >= ENOUGH
    missed = any(
        binom.cdf(held[which].sum(), which.sum(), CONFIDENCE) < 0.01 for which in (enough, np.ones_like(enough))
    )
    means = (f"{values.mean():6.1f}" if len(lists) else "     –" for values in (found, at_most, false))
    return (
        f"{name:30} {rate:3.0%} {len(lists):4} {held.sum():4} ({(held & enough).sum()} of {enough.sum()}) "
        f"{' '.join(means)} {share.mean() if len(lists) else 0:5.0%} {'misses' if missed else ''}".rstrip()
    )


def lists(data: Path, runs: int, only: str) -> None:
    print(f"{'kind':30} asked any held (of 20+) matched at most false, decoys that count; of {runs} lists")
    for name, draw in kinds(data):
        if not name.startswith(only):
            continue
        found: dict[float, list[tuple[float, float, float, float]]] = {rate: [] for rate in RATES}
        for seed in range(runs):
            drawn = draw(seed)
            for rate in RATES:
                if (one := figures(drawn, rate)) is not None:
                    found[rate].append(one)
        for rate in RATES:
            print(row(name, rate, found[rate]), flush=True)


def levels(walks: int) -> None:
    """Beside the level of each knot the power with which it falls for a tenth of the risk."""
    draw = np.random.default_rng(1)
    steps = np.unique(np.concatenate([np.arange(300), np.geomspace(300, max(LEVELS), 600).astype(int)]))
    knots = np.searchsorted(steps, list(LEVELS))
    smallest = []
    for _ in range(0, walks, 2_000):
        times = draw.gamma(np.diff(np.append(-1, steps)), size=(2_000, len(steps))).cumsum(axis=1)
        p = gammaincc(steps + 1.0, times)
        smallest.append(np.minimum.accumulate(p, axis=1)[:, knots])
    for decoys, p in zip(LEVELS, np.concatenate(smallest).T, strict=True):
        at, few = np.quantile(p, [1 - CONFIDENCE, (1 - CONFIDENCE) / 10])
        print(f"{decoys:7,} {at:.5f} used {LEVELS[decoys]:.5f}; a tenth of the risk: power {np.log10(at / few):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    drawn = commands.add_parser("lists")
    drawn.add_argument("data", type=Path)
    drawn.add_argument("--runs", type=int, default=40)
    drawn.add_argument("--only", default="")
    commands.add_parser("levels").add_argument("--walks", type=int, default=200_000)
    given = parser.parse_args()
    if given.command == "lists":
        lists(given.data, given.runs, given.only)
    else:
        levels(given.walks)


if __name__ == "__main__":
    main()
