"""Small cells of a table hidden, and as many others as it takes that they cannot be told from those."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

SLACK = 1e-6


def suppress(table: ArrayLike, threshold: int, *, open_rows: bool = False) -> NDArray[np.bool_]:
    """Which cells and margins of a table to hide, so that none below the threshold can be told from the others.

    ``table`` holds counts, shape (r,) or (r, c); the answer has shape (r + 1,) or (r + 1, c + 1), True for hidden, the
    last row and column for the margins. Hidden are all cells below ``threshold`` (a 0 says that nobody is, which is as
    telling as a 1), and as many others as it takes: for each hidden cell the least and the largest value that fits the
    published cells, all cells ≥ 0, is found by linear programming, and while they differ by less than the threshold
    one more cell is hidden: of a line (row or column) where only one is hidden, in as many such lines as possible, and
    the smallest of these; without such a line the smallest beside the cell; the grand total last. The constraints of a
    two-way table with margins are totally unimodular, so whole numbers attain these bounds. Deterministic.

    With ``open_rows`` the row totals are told whatever they are, and a hidden cell need only be as unsure as they
    leave it.

    Cox (1980), Suppression methodology and statistical disclosure control, JASA 75, 377–385; Fischetti & Salazar
    (2001), Solving the cell suppression problem on tabular data with linear constraints, Management Science 47,
    1008–1027 (they minimise what is hidden; here one cell after another is taken); Hundepool et al. (2012),
    Statistical Disclosure Control, ch. 4.

    ValueError: not one or two dimensions, an empty table, or counts that are no whole numbers ≥ 0.

    >>> suppress([3, 50, 80], 5).tolist()
    [True, True, False, False]
    """
    counts = np.asarray(table)
    if counts.ndim not in (1, 2) or not counts.size:
        raise ValueError("a table of one or two dimensions is needed")
    if counts.min() < 0 or (counts != np.floor(counts)).any():
        raise ValueError("counts are whole numbers, 0 or more")
    whole = counts.astype(np.int64)
    for axis in range(counts.ndim):
        whole = np.concatenate([whole, whole.sum(axis=axis, keepdims=True)], axis=axis)
    place = np.arange(whole.size).reshape(whole.shape)
    equations = [place] if whole.ndim == 1 else [*place, *place.T]  # the last of each is the sum of the others
    values, total = whole.ravel(), whole.size - 1
    needed = np.full(whole.size, threshold)
    kept: set[int] = set()
    if open_rows and whole.ndim == 2:
        kept = set(place[:, -1].tolist())
        needed = np.minimum(threshold, np.repeat(whole[:, -1], whole.shape[1]))
    hidden = {at for at in range(whole.size) if values[at] < threshold and at not in kept}
    lines: list[set[int]] = [set(np.ravel(equation).tolist()) for equation in equations]
    while (at := _too_sure(values, equations, sorted(hidden), needed)) is not None:
        alone = [
            line for line in lines if len(line & hidden) == 1
        ]  # one hidden cell of a line is its total less the rest
        beside = set().union(*(alone or [line for line in lines if at in line]))
        free = set(range(whole.size)) - hidden - kept
        candidates = (beside & free) - {total} or free - {total} or free
        if not candidates:
            break  # all is hidden that may be
        settled = {cell: sum(cell in line for line in alone) for cell in candidates}
        hidden.add(min(candidates, key=lambda cell: (-settled[cell], values[cell], cell)))
    mask = np.zeros(whole.size, dtype=np.bool_)
    mask[sorted(hidden)] = True
    return mask.reshape(whole.shape)


def _too_sure(
    values: NDArray[np.int64], equations: list[NDArray[np.int64]], hidden: list[int], needed: NDArray[np.int64]
) -> int | None:
    """The first hidden cell whose feasible interval is narrower than needed."""
    column = {cell: at for at, cell in enumerate(hidden)}
    rows, right = [], []
    for equation in equations:
        row, known = np.zeros(len(hidden)), 0.0
        for sign, cells in ((1, equation[:-1]), (-1, equation[-1:])):
            for cell in cells.tolist():
                if cell in column:
                    row[column[cell]] += sign
                else:
                    known += sign * float(values[cell])
        if row.any():
            rows.append(row)
            right.append(-known)
    for cell in hidden:
        ends = []
        for sign in (1, -1):
            aim = np.zeros(len(hidden))
            aim[column[cell]] = sign
            result = linprog(aim, A_eq=np.array(rows), b_eq=right, bounds=(0, None)) if rows else None
            ends.append(math.inf if result is None or result.fun is None else abs(float(result.fun)))  # unbounded
        if ends[1] - ends[0] < needed[cell] - SLACK:
            return cell
    return None
