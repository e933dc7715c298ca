"""How many false matches must be expected of any threshold: the floor under the false-match rate.

    python benchmarks/floors.py DATA [--runs 40] [--only PREFIX]

Lists of calibration.py's kind. For each floor, in people, and each rate asked: people rightly matched, the share of
wrong pairs (0 where there are none), the rate stated, and in how many lists anybody matches. *by rate* is the one that
pprl uses (`least_false`); *last match* is the same without the decoys below the last match.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from calibration import Cell, Drawn, drawn_list

from pprl.judge.error_rates import Cut, Sample, least_false
from pprl.judge.matches import find_matches

RATES = (0.05, 0.01)
FLOORS = (0.0, 0.05, 0.1, 0.25, 1.0)
CELLS = tuple(
    Cell(size, registry, overlap, fields, "standard")
    for size, registry, overlap, fields in (
        (1_010, 2_100, "34", "date"),
        (1_010, 10_000, "30%", "date"),
        (100, 4_000, "30", "date"),
        (60, 4_000, "18", "date"),
        (30, 4_000, "9", "date"),
        (30, 4_000, "9", "names"),
        (30, 5_000, "9", "febrl4"),
        (30, 4_000, "0", "date"),
        (1_010, 2_100, "0", "date"),
    )
)


def matched(drawn: Drawn, rate: float, floor: float | str) -> tuple[int, int, float, float]:
    """Pairs, right pairs, people matched, and how many of these are expected to be false."""
    assignment = drawn.cohort.assignment()
    right, unsure = drawn.right(assignment.partners.ids), assignment.unsure
    pairs = good = found = 0
    false = 0.0
    for judged in find_matches(assignment, rate).classes:
        least = least_false(rate) if isinstance(floor, str) else floor
        group = Sample(judged.sample.real, judged.sample.decoy, judged.sample.low, judged.sample.lam, least)
        cut = cut_of(group, judged.pi0, rate, floor)
        if cut is None:
            continue
        matches = group.real >= cut.threshold
        sure = matches & ~unsure[judged.people]
        found, false = found + int(matches.sum()), false + cut.false
        pairs, good = pairs + int(sure.sum()), good + int((sure & right[judged.people]).sum())
    return pairs, good, found, false


def cut_of(group: Sample, pi0: float, rate: float, floor: float | str) -> Cut | None:
    curve = group.curve(pi0)
    if floor != "last match":
        return group.cut(curve, pi0, rate)
    index = curve.at_rate(rate)
    last = float(curve.threshold[index])
    return None if index < 0 else Cut(last, last, float(curve.false[index]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    for cell in CELLS:
        if not cell.name.startswith(given.only):
            continue
        lists = [drawn_list(given.data, cell, seed) for seed in range(given.runs)]
        print(f"{cell.name}, {given.runs} lists", flush=True)
        for rate in RATES:
            for floor in (*FLOORS, "by rate", "last match"):
                pairs, good, found, false = np.array([matched(drawn, rate, floor) for drawn in lists], dtype=float).T
                wrong, stated = (pairs - good) / np.maximum(pairs, 1), false / np.maximum(found, 1)
                print(
                    f"  {rate:3.0%}  floor {floor!s:10} right {good.mean():6.1f}   "
                    f"true {wrong.mean():5.2%} ± {wrong.std() / len(wrong) ** 0.5:.2%}   "
                    f"stated {stated.mean():5.2%}   any {(found > 0).mean():4.0%}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
