"""How good the matches are, and whether the stated false-match rate is right.

    python benchmarks/quality.py DATA                  the table, five seeds (about 10 minutes)
    python benchmarks/quality.py DATA --seeds 1        a quick look
    python benchmarks/quality.py DATA --only FEBRL4    the cases whose name begins like this
    python benchmarks/quality.py DATA --rules          partner rules compared on the same candidates

F1 is for the pairs at the threshold that pprl chooses; "true" is the share of wrong pairs, "absent" the share whose
person is not in the registry at all. Figures are medians over the seeds, rates are means.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rosters
from partner_rules import RULES, compare
from rosters import Case

from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness
from pprl.core.schema_file import parse_schema
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import judge
from pprl.match.encodings import match_encodings
from pprl.match.threads import threads
from pprl.roster.load import load

RATES = (500, 100)


def run(case: Case, hardening: str, seed: int):
    """Scores and both owners' rows of one case."""
    schema = parse_schema(f'format = 1\n[encoding]\nhardening = "{hardening}"\n{case.fields}')
    key = LinkageKey.make(seed)
    own = load(case.leaked, schema, "list", columns=case.list_columns, any_age=True).people
    theirs = load(case.registry, schema, "registry", columns=case.registry_columns, any_age=True).people
    encoded, rows = encode_list(own, schema, key, randomness=Randomness.make(seed), allow_weak=True)
    their_encoded, their_rows = encode_registry(theirs, schema, key, randomness=Randomness.make(seed), allow_weak=True)
    with threads() as engine:
        return match_encodings(encoded, their_encoded, map=engine.map), rows, their_rows


def measured(case: Case, hardening: str, seed: int) -> Iterator[tuple[int, dict[str, float]]]:
    scores, rows, their_rows = run(case, hardening, seed)
    for rate in RATES:
        assessment = judge(scores, rows, their_rows, rate=rate / 10_000)
        pairs = assessment.pairs
        truth = case.truth[pairs.list_row.to_numpy(dtype=int)]
        got = case.people_of_registry[pairs.registry_row.to_numpy(dtype=int)]
        right, present = int((truth == got).sum()), int((case.truth >= 0).sum())
        count = max(1, len(pairs))
        yield (
            rate,
            {
                "f1": 2 * right / (len(pairs) + present) if present else float(len(pairs) == 0),
                "stated": assessment.false_match_rate or 0.0,
                "true": 1 - right / count if len(pairs) else 0.0,
                "absent": int((truth < 0).sum()) / count,
                "found": assessment.found,
                "net": assessment.net_found[0],
                "low": assessment.net_found[1],
                "high": assessment.net_found[2],
                "really": int((truth >= 0).sum()),
                "present": present,
            },
        )


def table(cases: list[tuple[str, Callable[[int], Case]]], hardenings: tuple[str, ...], seeds: range, only: str) -> None:
    print(f"{'case':58} {'set':8} {'asked':>5} {'F1':>6} {'stated':>7} {'true':>7} {'absent':>7}", end="")
    print(f" {'found':>7} {'net found':>10} {'95% interval':>16} {'of them present':>16} {'present':>8}")
    for name, make in cases:
        if not name.startswith(only):
            continue
        for hardening in hardenings:
            results: dict[int, list[dict[str, float]]] = {rate: [] for rate in RATES}
            for seed in seeds:
                for rate, figures in measured(make(seed), hardening, seed):
                    results[rate].append(figures)
            for rate, runs in results.items():
                middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                mean = {key: statistics.fmean(run[key] for run in runs) for key in ("stated", "true", "absent")}
                print(
                    f"{name:58} {hardening:8} {rate / 100:4.0f}% {middle['f1']:6.4f} "
                    f"{mean['stated']:7.2%} {mean['true']:7.2%} "
                    f"{mean['absent']:7.2%} {middle['found']:7.0f} {middle['net']:10.1f} "
                    f"{middle['low']:7.0f} –{middle['high']:7.0f} {middle['really']:16.0f} {middle['present']:8.0f}",
                    flush=True,
                )


def cut(case: Case, seed: int) -> Case:
    """The partners of 40% of the list removed from the registry."""
    gone = np.random.default_rng(seed).random(len(case.truth)) < 0.4
    return case.without(gone, f"{case.name}, cut")


def nobody(case: Case, seed: int) -> Case:
    """Half of the list against the partners of the other half."""
    half = np.random.default_rng(seed).permutation(len(case.truth)) < len(case.truth) // 2
    return case.without(half, "").rows(half, f"{case.name}, all partners removed")


def empty_handed(data: Path) -> None:
    case, found = rosters.febrl4(data), []
    for seed in range(1, 21):
        scores, rows, their_rows = run(nobody(case, seed), "plain", seed)
        found.append(judge(scores, rows, their_rows).found)
    print(
        f"FEBRL4, all partners removed, 20 seeds: found 0 in {sum(count == 0 for count in found)}, at most {max(found)}"
    )


def rules(data: Path, seeds: range) -> None:
    dense = rosters.febrl4(data)
    cases: list[tuple[str, Callable[[int], Case]]] = [
        ("FEBRL4, full", lambda _: dense),
        ("FEBRL4, cut", lambda seed: cut(dense, seed)),
        ("dev_cross, name only", lambda _: rosters.dev_cross(data, date=False)),
        ("dev_cross, name and date", lambda _: rosters.dev_cross(data, date=True)),
        ("generated 1,000 × 20,000, 600 present", lambda s: rosters.generated(data, s, 1000, 20_000, 600, date=True)),
        ("generated 1,000 × 2,000, 600 present", lambda s: rosters.generated(data, s, 1000, 2_000, 600, date=True)),
    ]
    print(f"{'case':40} {'set':8} {'rule':>24} {'F1':>7} {'true':>7} {'net found':>10} {'of them present':>16}")
    for name, make in cases:
        for hardening in ("plain", "standard"):
            runs = []
            for seed in seeds:
                case = make(seed)
                runs.append(compare(*run(case, hardening, seed), case.truth, case.people_of_registry))
            for rule in RULES:
                f1, true, net, present = (statistics.fmean(run[rule][at] for run in runs) for at in range(4))
                print(
                    f"{name:40} {hardening:8} {rule:>24} {f1:7.4f} {true:7.2%} {net:10.1f} {present:16.1f}", flush=True
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--rules", action="store_true")
    arguments = parser.parse_args()
    data, seeds = arguments.data, range(1, arguments.seeds + 1)
    if arguments.rules:
        rules(data, seeds)
        return
    dense, placed = rosters.febrl4(data), rosters.febrl4(data, place=True)
    cross = {date: rosters.dev_cross(data, date=date) for date in (False, True)}
    abroad = {date: rosters.foreigners(data, date=date) for date in (False, True)}
    table(
        [
            ("FEBRL4, full", lambda _: dense),
            ("FEBRL4, cut", lambda seed: cut(dense, seed)),
            ("FEBRL4, suburb, postcode, full", lambda _: placed),
            ("FEBRL4, suburb, postcode, cut", lambda seed: cut(placed, seed)),
            *((case.name, lambda _, case=case: case) for case in cross.values()),
            *((case.name, lambda _, case=case: case) for case in abroad.values()),
            *(
                (
                    f"generated {people:,} × {registry:,}, {present} present, {'date' if date else 'name only'}",
                    lambda seed, size=(people, registry, present), date=date: rosters.generated(
                        data, seed, *size, date=date
                    ),
                )
                for people, registry, present in (
                    (1000, 20_000, 0),
                    (1000, 20_000, 100),
                    (1000, 20_000, 600),
                    (1000, 2_000, 600),
                )
                for date in (False, True)
            ),
        ],
        ("plain", "standard"),
        seeds,
        arguments.only,
    )
    if not arguments.only:
        empty_handed(data)


if __name__ == "__main__":
    main()
