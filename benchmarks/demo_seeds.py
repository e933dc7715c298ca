"""Does the interval of `pprl demo` cover the truth?

    python benchmarks/demo_seeds.py                    seeds 1 to 100 (about 3 minutes on two cores)
    python benchmarks/demo_seeds.py --seeds 1-10       a quick look
    python benchmarks/demo_seeds.py --hardening plain  without hardening

One line per seed: how many different people on the list are in the registry, how many were matched, the estimated true
matches with their interval, right and wrong pairs, and whether the interval covers the people present. The list is read
back from its XLSX file.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from pprl.core.hardening import SET_NAMES
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA, invent
from pprl.link import link


def seeds_of(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default=range(1, 101))
    parser.add_argument("--hardening", choices=SET_NAMES, default="standard")
    asked = parser.parse_args()
    print(f"seeds {asked.seeds.start}-{asked.seeds.stop - 1}, {asked.hardening}")
    print(f"{'seed':>4} {'present':>7} {'found':>5} {'net':>6} {'low':>5} {'high':>5} {'right':>5} {'wrong':>5} holds")
    schema = parse_schema(SCHEMA).with_hardening(asked.hardening)
    start, differences, wrongs, stated = time.perf_counter(), [], [], []
    holds = holds_found = pairs = flat = 0
    absent, verdicts = np.zeros(3), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        for seed in asked.seeds:
            rosters = invent(seed)
            path.write_bytes(rosters.workbook())
            answer = link(path, rosters.registry, schema, list_id="№ п/п", registry_id="id", seed=seed)
            assert answer.net_found is not None
            net, low, high = answer.net_found
            marks = rosters.marked(answer.pairs.list_id, answer.pairs.registry_id)
            present = len(rosters.ids)
            held = low <= present <= high
            print(
                f"{seed:4} {present:7} {answer.found:5} {net:6.1f} {low:5.0f} {high:5.0f} "
                f"{marks.right:5} {marks.wrong:5} {'yes' if held else 'NO'}",
                flush=True,
            )
            holds += held
            holds_found += low <= marks.right + answer.record.headline.ambiguous <= high
            differences.append(net - present)
            wrongs.append(marks.wrong)
            pairs += len(answer.pairs)
            stated.append(answer.false_match_rate or 0.0)
            ineligible = answer.audit["eligibility"]["ineligible"]
            absent += np.array([ineligible["people"], ineligible["found"], ineligible["expected"]])
            flat += ineligible["flat"]
            verdicts[answer.verdict.code] += 1
    count = len(asked.seeds)
    print(f"the interval holds the people present in {holds} of {count}")
    print(f"it holds those of them who were found (right pairs and ambiguous) in {holds_found} of {count}")
    print(f"net found less present: mean {statistics.fmean(differences):+.1f}", end="")
    print(f", from {min(differences):+.1f} to {max(differences):+.1f}")
    print(f"false matches: {sum(wrongs) / max(1, pairs):.2%} of all pairs, stated {statistics.fmean(stated):.2%}")
    people, found, expected = absent / count
    print(
        f"people who cannot be there: {people:.0f} a list, {found:.1f} found, decoys in their place {expected:.1f}",
        end="",
    )
    print(f"; flat in {flat} of {count}")
    print("verdicts: " + ", ".join(f"{code} {times}" for code, times in verdicts.most_common()))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
