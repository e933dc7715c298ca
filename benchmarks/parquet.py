"""Encodings to Parquet and back, and whether DuckDB computes the same from it as pprl.

    python benchmarks/parquet.py [--rows 10000000]

Random bits and handles, 1,024 bits per row. Seconds and the most anonymous memory of each direction (Linux only). With
duckdb (`pip install '.[bench]'`), the query of docs/interop.md over the candidates of `pprl match` for 1,000 rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pprl.core import container
from pprl.core.encodings import EncodingParameters, Encodings
from pprl.match.encodings import match_encodings

STAMP = EncodingParameters(encodings=(("plain", 1024),), folding=bytes(32), fingerprint=bytes(32), key_check=bytes(16))
AT_ONCE = 100_000
CONVERT = """
import sys, threading, time
from pprl.cli import main

def anonymous():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))

def watch():
    while True:
        seen.append(anonymous())
        time.sleep(0.05)

seen = [anonymous()]
threading.Thread(target=watch, daemon=True).start()
mark = time.perf_counter()
assert main(["convert", "parquet", sys.argv[1], "-o", sys.argv[2]]) == 0
print(f"{time.perf_counter() - mark:.1f} s, most RssAnon {max(seen):,.0f} MB")
"""
QUERY = """
SELECT count(*), count(*) FILTER (common = bit_count(a.bits::BIT & b.bits::BIT)
    AND total = bit_count(a.bits::BIT) + bit_count(b.bits::BIT) AND dice = 2 * common / total)
FROM '{0}/scores.parquet'
JOIN '{0}/list.parquet' AS a ON a.handle = list_handle
JOIN '{0}/few.parquet' AS b ON b.handle = registry_handle
"""


def pieces(side: str, rows: int, draws: np.random.Generator) -> Iterator[bytes]:
    yield Encodings.start(side, STAMP, rows, rows if side == "registry" else 0)
    for top in range(0, rows, AT_ONCE):
        count = min(AT_ONCE, rows - top)
        words = np.frombuffer(draws.bytes(128 * count), dtype="<u8").reshape(count, 16)
        yield Encodings.records(np.frombuffer(draws.bytes(16 * count), dtype="V16"), words)


def convert(source: Path, target: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CONVERT, str(source), str(target)], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    print(f"# {' '.join(sys.argv)}")
    draws = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target, again = (folder / each for each in ("it.pprl", "it.parquet", "again.pprl"))
        container.write_new(source, pieces("registry", rows, draws))
        print(f"{rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB")
        print(f"to Parquet  {convert(source, target)}, {target.stat().st_size / 1e6:,.0f} MB")
        print(f"and back    {convert(target, again)}")
        with source.open("rb") as one, again.open("rb") as other:
            while piece := one.read(1 << 24):
                assert piece == other.read(1 << 24)
        for each in (source, target, again):
            each.unlink()
        container.write_new(folder / "list.pprl", pieces("list", 1_000, draws))
        container.write_new(folder / "few.pprl", pieces("registry", 20_000, draws))
        ours, theirs = Encodings.read(folder / "list.pprl"), Encodings.read(folder / "few.pprl")
        match_encodings(ours, theirs).write(folder / "scores.pprl")
        for each in ("list", "few", "scores"):
            convert(folder / f"{each}.pprl", folder / f"{each}.parquet")
        try:
            import duckdb
        except ImportError:
            print("DuckDB      not here")
            return
        pairs, same = duckdb.sql(QUERY.format(folder)).fetchall()[0]
        print(f"DuckDB {duckdb.__version__}  {same:,} of {pairs:,} pairs have the common bits, total and Dice of pprl")


if __name__ == "__main__":
    main()
