"""What a cluster costs and gains: the best 16 of a registry, on threads and on Dask workers of the same machine.

    python benchmarks/cluster.py [--ours 1000 25000] [--theirs 1000000]

Each line: rows of the list, engine, seconds (best of two), and the ratio to as many threads of one process. Workers
have one thread each and are reached over the loopback interface, so the difference is the cost of sending and merging.
"""

from __future__ import annotations

import argparse
import sys

import distributed
import numpy as np
from search import fastest, random_rows

from pprl.match import dask as cluster
from pprl.match import search
from pprl.match.threads import threads as thread_pool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=int, nargs="+", default=[1_000, 25_000])
    parser.add_argument("--theirs", type=int, default=1_000_000)
    given = parser.parse_args()
    print("$ python", " ".join(sys.argv))
    rng = np.random.default_rng(1)
    theirs = random_rows(rng, given.theirs, 1024, 0.5)
    for count in given.ours:
        ours = random_rows(rng, count, 1024, 0.5)
        for workers in (1, 2):

            def here(ours=ours, workers=workers) -> object:
                with thread_pool(workers) as engine:
                    return search.best(ours, theirs, map=engine.map)

            with (
                distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as made,
                cluster.connected(made.scheduler_address) as client,
            ):
                one = fastest(here, 2)
                there = fastest(lambda ours=ours, client=client: cluster.best(client, ours, theirs), 2)
            print(
                f"{count:>7,} x {given.theirs:,}: {workers} threads {one:.2f} s, {workers} workers {there:.2f} s, "
                f"{there / one:.1f} x",
                flush=True,
            )


if __name__ == "__main__":
    main()
