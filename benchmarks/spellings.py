"""Several spellings of a person: do the figures hold, and what is gained?

    python benchmarks/spellings.py DATA [--runs 100] [--size 200] [--registry 2000] [--workers 2]

Generated rosters (`rosters.generated`). Half of the list's people and a third of the registry's have a second surname
that is not theirs, before or after the right one; a quarter of the list has two dates, one of them wrong. For each
number of people present: matched, stated and true false matches, how often the interval of the estimated true matches
covers the truth, and the highest rung. Also the same lists with only the right spelling, and with only the first.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from rosters import generated

import pprl
from pprl.core.schema_file import parse_schema

WAYS = ("all spellings", "right only", "first only")


def spelled(frame: pd.DataFrame, header: str, share: float, rng: np.random.Generator) -> tuple[pd.DataFrame, list[str]]:
    """Cells with another row's value before or after their own, and what a reader of only the first one sees."""
    others, cells = frame[header].to_numpy()[rng.permutation(len(frame))], frame[header].tolist()
    for at in np.flatnonzero(rng.random(len(frame)) < share):
        cells[at] = "; ".join(rng.permutation([cells[at], others[at]]).tolist())
    return frame.assign(**{header: cells}), [cell.split(";")[0] for cell in cells]


def run(task: tuple[Path, int, int, int, int]) -> list[tuple[float, ...]]:
    data, seed, size, registry, present = task
    case, rng = generated(data, seed, size, registry, present, date=True), np.random.default_rng([seed, present])
    schema = parse_schema("format = 1\n" + case.fields)
    leaked, surnames = spelled(case.leaked, "surname", 0.5, rng)
    leaked, dates = spelled(leaked, "birth_date", 0.25, rng)
    held, _ = spelled(case.registry, "surname", 1 / 3, rng)
    for frame in (leaked, held):
        frame.attrs["several"] = {"surname": ";", "birth_date": ";"}
    first = case.leaked.assign(surname=surnames, birth_date=dates)
    results = []
    for own in (leaked, case.leaked, first):
        answer = pprl.link(own, held, schema, seed=seed, any_age=True)
        pairs = answer.to_frame()
        right = case.people_of_registry[pairs.registry_row.to_numpy(int)] == case.truth[pairs.list_row.to_numpy(int)]
        assert pairs.list_row.is_unique
        found, (net, low, high) = answer.found or 0, answer.net_found or (0, 0, 0)
        sure = len(pairs)
        true = found - int((~right).sum()) * found / max(1, sure)
        results.append(
            (
                found,
                answer.false_match_rate or 0,
                (~right).mean() if sure else 0,
                low <= true <= high,
                net - true,
                answer.verdict.rung or 0,
            )
        )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--registry", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"# {' '.join(sys.argv)}")
    print(f"{'present':>8} {'':14} {'found':>6} {'stated':>7} {'false':>6} {'covered':>8} {'bias':>6} {'rung':>5}")
    with ProcessPoolExecutor(given.workers) as pool:
        for present in (0, round(0.2 * given.size), round(0.6 * given.size)):
            tasks = [(given.data, seed, given.size, given.registry, present) for seed in range(given.runs)]
            for way, rows in zip(WAYS, zip(*pool.map(run, tasks), strict=True), strict=True):
                found, stated, false, covered, bias, rung = np.array(rows, dtype=float).T
                print(
                    f"{present:8} {way:14} {found.mean():6.1f} {stated.mean():7.3f} {false.mean():6.3f} "
                    f"{covered.mean():8.2f} {bias.mean():6.1f} {rung.max():5.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
