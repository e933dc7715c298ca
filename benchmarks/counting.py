"""Ways to count the common bits of 512 rows with 16,384 others, each compiled: variants of the kernel's inner loop.

    NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES= python benchmarks/counting.py

Without the two variables it is compiled for this machine. Only the loop is compared, without least counts, stops and
hits. Rows have 1,024 bits and are laid out in tiles beforehand; the loop must return the largest count of every row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pprl.match.kernel import popcount

WORDS, OURS, THEIRS = 16, 512, 16_384
How = Callable[[list[str]], tuple[list[str], str]]
popcount = numba.njit(inline="always")(popcount)


def plain(words: list[str]) -> tuple[list[str], str]:
    return [], " + ".join(f"popcount({word})" for word in words)


def carry_save(words: list[str]) -> tuple[list[str], str]:
    """Full adders turn three words into a sum and a carry until no three of one weight are left (Harley and Seal)."""
    lines = [f"v{place} = {word}" for place, word in enumerate(words)]
    names, waiting, summed = len(lines), [[f"v{place}" for place in range(len(lines))]], []
    for level, queue in enumerate(waiting):
        while len(queue) >= 3:
            a, b, c = (queue.pop(0) for _ in range(3))
            half, total, carry = (f"v{names + place}" for place in range(3))
            names += 3
            lines += [f"{half} = {a} ^ {b}", f"{total} = {half} ^ {c}", f"{carry} = ({a} & {b}) | ({half} & {c})"]
            queue.append(total)
            if level + 1 == len(waiting):
                waiting.append([])
            waiting[level + 1].append(carry)
        summed += [f"{1 << level} * popcount({name})" for name in queue]
    return lines, " + ".join(summed)


def loop(lanes: int, rows: int, step: int, how: How, fused: bool, kind: str) -> Any:
    """``rows`` of ours at a time, ``step`` words at a time; the maximum in the same pass if ``fused``."""
    code = ["def run(ours, tiles, out):", f" counts = np.empty(({rows}, {lanes}), np.{kind})"]
    code += [" for t in range(len(tiles)):", "  tile = tiles[t]", f"  for row in range(0, len(ours), {rows}):"]
    code += [f"   most{r} = np.{kind}(out[row + {r}])" for r in range(rows)]
    for first in range(0, WORDS, step):
        here = range(first, first + step)
        code += [f"   a{r}_{w} = ours[row + {r}, {w}]" for r in range(rows) for w in here]
        code += [f"   for lane in range({lanes}):"]
        for r in range(rows):
            lines, total = how([f"(a{r}_{w} & tile[{w}, lane])" for w in here])
            code += [f"    {line}" for line in lines]
            code += [f"    count = {total}" + (f" + counts[{r}, lane]" if first else "")]
            code += [f"    count = np.{kind}(count)", f"    counts[{r}, lane] = count"]
            if fused and first + step == WORDS:
                code += [f"    most{r} = max(most{r}, count)"]
    for r in range(rows):
        if not fused:
            code += [f"   for lane in range({lanes}): most{r} = max(most{r}, counts[{r}, lane])"]
        code += [f"   out[row + {r}] = most{r}"]
    made: dict[str, Any] = {"np": np, "popcount": popcount}
    exec("\n".join(code), made)  # noqa: S102
    return numba.njit(nogil=True)(made["run"])


def tiles(theirs: NDArray[np.uint64], lanes: int, off: int) -> NDArray[np.uint64]:
    """Tiles that begin ``off`` bytes after the start of a cache line."""
    room = np.empty(theirs.size + 16, np.uint64)
    begin = (-(room.ctypes.data // 8)) % 8 + off // 8
    laid = room[begin : begin + theirs.size].reshape(-1, WORDS, lanes)
    laid[:] = theirs.reshape(-1, lanes, WORDS).transpose(0, 2, 1)
    return laid


def main() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = (rng.integers(0, 1 << 64, (rows, WORDS), dtype=np.uint64) for rows in (OURS, THEIRS))
    expected = [int(np.bitwise_count(theirs & row).sum(axis=1).max()) for row in ours]
    ways: dict[str, tuple[Any, ...]] = {"as it was: 32 bytes off, two passes": (128, 1, 16, plain, False, 32, "int64")}
    ways["on lines of the cache, two passes"] = (128, 1, 16, plain, False, 0, "int64")
    for lanes in (64, 128, 256, 512):
        ways[f"on lines, one pass, {lanes} lanes"] = (lanes, 1, 16, plain, True, 0, "int64")
    for kind in ("int32", "uint16"):
        ways[f"counts of {kind}"] = (128, 1, 16, plain, True, 0, kind)
    for step in (8, 4):
        ways[f"{step} words at a time"] = (128, 1, step, plain, True, 0, "int64")
    ways["two rows, 8 words at a time"] = (128, 2, 8, plain, True, 0, "int64")
    for step in (16, 8):
        ways[f"carry-save adders over {step} words"] = (128, 1, step, carry_save, True, 0, "int64")
    base = 0.0
    for name, (lanes, rows, step, how, fused, off, kind) in ways.items():
        run, laid, taken = loop(lanes, rows, step, how, fused, kind), tiles(theirs, lanes, off), []
        for _ in range(8):
            out = np.zeros(OURS, np.int64)
            began = time.perf_counter()
            run(ours, laid, out)
            taken.append(time.perf_counter() - began)
            assert out.tolist() == expected
        speed = OURS * THEIRS / min(taken[1:])
        base = base or speed
        print(f"{name:38}{speed / 1e6:8.0f} million pairs/s{speed / base:6.2f} x", flush=True)


if __name__ == "__main__":
    main()
