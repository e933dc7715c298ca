"""Approximate search: rows are compared if they agree on some drawn bits, so pairs are missed with a known probability.

Hamming LSH by bit sampling (Indyk and Motwani 1998, "Approximate nearest neighbors", STOC, section 4.2). Each of L
tables draws k of the m bit positions; rows of ours and of theirs with the same k bits share a bucket and are compared
exactly. The pairs found are therefore pairs of the exact search, with the same integers: precision is exact, recall is
not. `pprl.match.lsh_plan` computes how many tables of how many bits give which recall.

Skewed data do little harm: when more candidates turn up than an exact search would cost, the exact search takes over.
Costs are constants, never measured, so that every machine decides alike; kernels and engines change no answer.
"""

from __future__ import annotations

import math
from builtins import map as serially
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from pprl.core.bits import BitMatrix, Words, on_its_side, upright
from pprl.core.errors import MismatchError
from pprl.core.intervals import wilson
from pprl.core.randomness import RandomStream
from pprl.match import kernel as kernels
from pprl.match import lsh_kernel, search
from pprl.match.kernel import Ints
from pprl.match.lsh_kernel import Joined
from pprl.match.lsh_plan import CANDIDATE_COST, SEED, Plan, checked_rows, sample_rows, tables_by_total
from pprl.match.search import Map, Pairs, Progress

TABLES_AT_ONCE = 8  # between two looks at the number of candidates


@dataclass(frozen=True, kw_only=True)
class SearchReport:
    """What was promised, what was done, and how it compares with the exact search on a sample of our rows."""

    plan: Plan
    pairs: int  # ours times theirs
    candidates: int  # compared, counted once for every table that brought them together; all pairs if exact
    exact: bool  # the exact search gave the answer, so nothing was missed
    overrun: bool  # it took over when candidates became more than it would cost
    sampled_rows: int = 0
    sampled_pairs: int = 0  # pairs of the sampled rows in the exact search
    sampled_found: int = 0  # those of them that were found

    def interval(self) -> tuple[float, float]:
        """95% interval of the recall, from the sample; pairs count as independent, which those of one row are not."""
        return wilson(self.sampled_found, self.sampled_pairs)

    def describe(self) -> str:
        """The report in plain text, a few lines."""
        plan = self.plan
        head = f"approximate search for Dice {float(plan.threshold):.3g} or more in {self.pairs:,} pairs"
        exact_time = f"the exact search is estimated to take {_times(plan.speedup)} as long"
        if self.exact:
            why = (
                "there were more candidates than expected, so the exact search took over"
                if self.overrun
                else f"it would not help: {exact_time}"
            )
            return f"{head}\n  {why}; nothing was missed"
        lines = [
            head,
            f"  promised: each such pair is found with a probability of at least {_percent(plan.recall)}",
            f"  check: {self._check()}",
            f"  {plan.tables:,} tables of {plan.bits} of {plan.length:,} bits; "
            f"rows with more than {plan.heaviest:,} bits set were compared with every row",
            f"  candidates compared: {self.candidates:,} ({plan.candidates:,.0f} expected); {exact_time}",
        ]
        return "\n".join(lines)

    def _check(self) -> str:
        rows = f"{self.sampled_rows:,} of our rows"
        if not self.sampled_pairs:
            return f"the exact search finds no such pair for {rows}, so recall could not be checked"
        recall = _percent(self.sampled_found / self.sampled_pairs)
        low, high = map(_percent, self.interval())
        return (
            f"{self.sampled_found:,} of the {self.sampled_pairs:,} pairs of {rows} were found, "
            f"recall {recall} (95% interval {low} to {high})"
        )


def all_pairs(
    ours: BitMatrix,
    theirs: BitMatrix,
    plan: Plan,
    *,
    seed: bytes = SEED,
    kernel: str = "auto",
    map: Map = serially,  # noqa: A002
    progress: Progress | None = None,
    at_once: int = TABLES_AT_ONCE,
) -> tuple[Pairs, SearchReport]:
    """Pairs with ``2 * common / total >= plan.threshold``, each found with a probability of at least ``plan.recall``.

    They are a subset of those of ``search.all_pairs``, in the same order. Memory is bounded by two more copies of both
    sides' rows, one table of about 30 bytes a row for each thread, and the pairs. Equal seeds give equal answers
    everywhere; draw one at random if somebody could have made rows that a known seed misses. ``at_once`` tables are
    mapped together; ``progress`` is called with the number of pairs done since the last call.

    MismatchError: the plan is for encodings of another length.

    >>> from fractions import Fraction
    >>> from pprl.match.lsh_plan import make_plan
    >>> ours = BitMatrix.from_positions([[1, 2]], 64)
    >>> theirs = BitMatrix.from_positions([[3], [2], [1, 2]], 64)
    >>> pairs, report = all_pairs(ours, theirs, make_plan(ours, theirs, Fraction(2, 3), 0.99), kernel="numpy")
    >>> pairs.theirs.tolist(), report.exact
    ([1, 2], True)
    """
    if {ours.length, theirs.length} != {plan.length}:
        raise MismatchError("the plan is for encodings of another length", hint="make a plan for these encodings")
    kernel = kernels.choose(kernel)
    size = len(ours) * len(theirs)
    search_exactly = partial(search.all_pairs, kernel=kernel, map=map)
    answer = None
    if not plan.exact:
        tables = _tables(kernel, ours, theirs, plan, seed)
        answer = _pairs_of_tables(tables, size, map, progress, at_once)
    if answer is None:
        pairs = search_exactly(ours, theirs, plan.threshold, progress=progress)
        return pairs, SearchReport(plan=plan, pairs=size, candidates=size, exact=True, overrun=not plan.exact)
    candidates, parts = answer
    parts += _pairs_of_heavy_rows(ours, theirs, plan, search_exactly)
    pairs = Pairs.from_parts(parts, kernel)
    sample = sample_rows("lsh check", seed, len(ours), checked_rows(len(ours)))
    expected = search_exactly(BitMatrix(ours.words[sample]), theirs, plan.threshold)
    wanted = sample[expected.ours] * len(theirs) + expected.theirs
    report = SearchReport(
        plan=plan,
        pairs=size,
        candidates=candidates,
        exact=False,
        overrun=False,
        sampled_rows=len(sample),
        sampled_pairs=len(wanted),
        sampled_found=int(np.isin(wanted, pairs.ours * len(theirs) + pairs.theirs).sum()),
    )
    return pairs, report


@dataclass(frozen=True)
class Side:
    """The rows of one side that go through the tables, as rows and as columns."""

    rows: Ints  # their numbers
    words: Words
    weights: Ints
    columns: Words  # shape (length, stacks), stacks a multiple of 8


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What the tables have in common."""

    kernel: str
    ours: Side
    theirs: Side
    least: Ints  # fewest common bits, by total weight
    enough: Ints  # how many tables give a pair the promised recall, by total weight
    positions: Ints  # shape (tables, bits)
    masks: Words  # shape (tables, words of a row): the positions of each table, as bits
    member: Words  # shape (length, ⌈tables / 64⌉): the tables of each position, as bits
    first: tuple[Words, Words]  # keys of the first table, by side: equal for most pairs that have met
    limit: int  # the most candidates in one table


def _pairs_of_tables(
    tables: Tables,
    size: int,
    map: Map,  # noqa: A002
    progress: Progress | None,
    at_once: int,
) -> tuple[int, list[Ints]] | None:
    """How many candidates were compared, and the pairs found, each once; None if there are more candidates than an
    exact search would cost.

    That number is the limit in all, and an eighth of it in one table; with 8 tables at once, what is thrown away when
    it is exceeded cost about two exact searches at most.
    """
    candidates = done = 0
    parts: list[Ints] = []
    count = len(tables.positions)
    for top in range(0, count, at_once):
        numbers = range(top, min(top + at_once, count))
        overrun = False
        for compared, found in map(partial(_join, tables), numbers):
            candidates += compared
            overrun |= compared > tables.limit or candidates > _max_candidates(size)
            parts.append(found)
        if overrun:
            if progress:
                progress(-done)
            return None
        step = size * numbers.stop // count - done
        done += step
        if progress:
            progress(step)
    return candidates, parts


def _max_candidates(size: int) -> int:
    """As many candidates as cost what the exact search does."""
    return max(100_000, int(size / CANDIDATE_COST))


def _pairs_of_heavy_rows(ours: BitMatrix, theirs: BitMatrix, plan: Plan, find: Callable[..., Pairs]) -> list[Ints]:
    """Our heavy rows compared with all of theirs, and our other rows with their heavy ones."""
    our_heavy, their_heavy = (side.weights() > plan.heaviest for side in (ours, theirs))
    parts = []
    for left, right in (
        (np.flatnonzero(our_heavy), np.arange(len(theirs))),
        (np.flatnonzero(~our_heavy), np.flatnonzero(their_heavy)),
    ):
        found = find(BitMatrix(ours.words[left]), BitMatrix(theirs.words[right]), plan.threshold)
        parts.append(np.stack([left[found.ours], right[found.theirs], found.common, found.total]))
    return parts


def _side(rows: BitMatrix, heaviest: int) -> Side:
    weights = rows.weights().astype(np.int64)
    light = np.flatnonzero((weights > 0) & (weights <= heaviest))
    chosen = np.ascontiguousarray(rows.words[light])
    columns = np.zeros((rows.length, -(-len(light) // 512) * 8), dtype="<u8")
    for top in range(0, len(light), 8192):
        part = on_its_side(chosen[top : top + 8192])
        columns[:, top // 64 : top // 64 + part.shape[1]] = part
    return Side(light, chosen, weights[light], columns)


def draw_positions(plan: Plan, seed: bytes) -> Ints:
    """The positions of each table, shape (tables, bits): the first of a permutation, so without replacement."""
    stream = RandomStream(seed, "lsh tables")
    return np.array([stream.permutation(plan.length)[: plan.bits] for _ in range(plan.tables)], dtype=np.int64)


def _tables(kernel: str, ours: BitMatrix, theirs: BitMatrix, plan: Plan, seed: bytes) -> Tables:
    positions = draw_positions(plan, seed)
    numbers = np.repeat(np.arange(plan.tables), plan.bits).reshape(positions.shape)
    masks = np.zeros((plan.tables, plan.length // 64), dtype=np.uint64)
    np.bitwise_or.at(masks, (numbers, positions // 64), np.uint64(1) << (positions % 64).astype(np.uint64))
    member = np.zeros((plan.length, -(-plan.tables // 64)), dtype=np.uint64)
    np.bitwise_or.at(member, (positions, numbers // 64), np.uint64(1) << (numbers % 64).astype(np.uint64))
    our_side, their_side = (_side(side, plan.heaviest) for side in (ours, theirs))
    keys = _keys if kernel == "numpy" else _keys_compiled
    least = search.least_common(plan.threshold, plan.length)
    return Tables(
        kernel=kernel,
        ours=our_side,
        theirs=their_side,
        least=least,
        enough=tables_by_total(least, plan),
        positions=positions,
        masks=masks,
        member=member,
        first=(keys(our_side, positions[0]), keys(their_side, positions[0])),
        limit=max(1, _max_candidates(len(ours) * len(theirs)) // 8),
    )


def _join(tables: Tables, number: int) -> tuple[int, Ints]:
    """How many pairs share a bucket of one table, and those of them that reach the threshold and met in no earlier
    table, shape (4, pairs): our row, theirs, common, total. Past the limit it stops at limit + 1, with no pairs."""
    ours, theirs = tables.ours, tables.theirs
    join = _join_numpy if tables.kernel == "numpy" else _join_compiled
    candidates, left, right, common = join(tables, number)
    total = ours.weights[left] + theirs.weights[right]
    return candidates, np.stack([ours.rows[left], theirs.rows[right], common, total])


def _join_numpy(tables: Tables, number: int) -> Joined:
    ours, theirs = tables.ours, tables.theirs
    our_keys, their_keys = (_keys(side, tables.positions[number]) for side in (ours, theirs))
    order = np.argsort(their_keys, kind="stable")
    first, last = (np.searchsorted(their_keys[order], our_keys, side=side) for side in ("left", "right"))
    ends = np.cumsum(last - first)
    candidates = int(ends[-1]) if len(ends) else 0
    none = np.empty(0, np.int64)
    if candidates > tables.limit:
        return tables.limit + 1, none, none, none
    parts = [(none, none, none)]
    for top in range(0, candidates, 1 << 16):
        numbers = np.arange(top, min(top + (1 << 16), candidates))
        left = np.searchsorted(ends, numbers, side="right")
        parts.append(_verified(tables, number, left, order[last[left] - (ends[left] - numbers)]))
    lefts, rights, commons = (np.concatenate(column) for column in zip(*parts, strict=True))
    return candidates, lefts, rights, commons


def _verified(tables: Tables, number: int, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """The candidates that reach the threshold and met in no earlier table, with their common bits."""
    ours, theirs = tables.ours, tables.theirs
    in_time = number < tables.enough[ours.weights[left] + theirs.weights[right]]
    left, right = left[in_time], right[in_time]
    common = np.bitwise_count(ours.words[left] & theirs.words[right]).sum(axis=1, dtype=np.int64)
    similar = common >= tables.least[ours.weights[left] + theirs.weights[right]]
    left, right, common = left[similar], right[similar], common[similar]
    differing = ours.words[left] ^ theirs.words[right]
    new = np.ones(len(left), dtype=bool)
    for mask in tables.masks[:number]:
        new &= (differing & mask).any(axis=1)
    return left[new], right[new], common[new]


def _join_compiled(tables: Tables, number: int) -> Joined:
    ours, theirs = (
        lsh_kernel.Rows(_keys_compiled(side, tables.positions[number]), first, side.words, side.weights)
        for side, first in zip((tables.ours, tables.theirs), tables.first, strict=True)
    )
    return lsh_kernel.join(
        ours, theirs, lsh_kernel.Rules(tables.least, tables.enough, tables.member, number, tables.limit)
    )


def _keys(side: Side, positions: Ints) -> Words:
    """The bits of each row at the positions, as one word; shape (rows,)."""
    chosen = np.zeros((64, side.columns.shape[1]), dtype="<u8")
    chosen[: len(positions)] = side.columns[positions]
    return upright(chosen, len(side.rows))[:, 0]


def _keys_compiled(side: Side, positions: Ints) -> Words:
    return lsh_kernel.keys(side.columns, positions)


def _percent(share: float) -> str:
    """Rounded down, so that it never claims too much."""
    return f"{math.floor(share * 1000) / 10:.1f}%"


def _times(factor: float) -> str:
    return f"{factor:.1f} times" if factor >= 0.1 else "far less than a tenth"
