"""How fast commands start: each as a ratio to the import of what it cannot do without, all in one run.

    python benchmarks/start.py [--rounds 9]

The least of several rounds is taken, warm: the first run of all, which compiles kernels and fills the caches of the
disk, is not counted. Fails where `pprl link` on examples/two_files takes more than twice the import of its libraries.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "two_files"
CLICK, LIBRARIES = "import click", "import numpy, pandas, scipy, numba"
ROSTERS = ("registry.csv", "--schema", "schema.toml", "--no-ledger")
COMMANDS = {
    "pprl --help": (["--help"], 0),
    "a missing file": (["link", "missing.csv", *ROSTERS], 1),
    "a wrong option": (["link", "leaked.csv", *ROSTERS, "--lsit"], 2),
    "link on examples/two_files": (["link", "leaked.csv", *ROSTERS], 0),
}
MOST = 2.0  # times the libraries' import, for the last


def seconds(words: list[str], status: int, rounds: int) -> float:
    """The least wall time of a process, in the folder of the example."""
    least = float("inf")
    for number in range(rounds + 1):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *words],
            cwd=EXAMPLE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        taken = time.perf_counter() - start
        assert done.returncode == status, done.stderr.decode()
        least = min(least, taken) if number else least
    return least


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    click, libraries = (seconds(["-c", code], 0, rounds) for code in (CLICK, LIBRARIES))
    print(f"{'python -c ' + repr(CLICK):46} {click:6.3f} s")
    print(f"{'python -c ' + repr(LIBRARIES):46} {libraries:6.3f} s  {libraries / click:5.1f} × click")
    ratio = 0.0
    for name, (words, status) in COMMANDS.items():
        taken = seconds([str(ROOT / "cli.py"), *words], status, rounds)
        ratio = taken / libraries
        print(f"{name:46} {taken:6.3f} s  {taken / click:5.1f} × click  {ratio:5.2f} × libraries")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
