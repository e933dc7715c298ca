"""Small cells of a table are hidden, and as many others as it takes to keep readers from computing them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

SLACK = 1e-6


def suppress(table: ArrayLike, threshold: int, *, open_rows: bool = False) -> NDArray[np.bool_]:
    """Which cells and margins of a table to hide, so that no count below the threshold follows from others.

    ``table`` holds counts, shape (r,) or (r, c); the answer has shape (r + 1,) or (r + 1, c + 1), True for hidden, with
    the margins in the last row and column. All cells below ``threshold`` are hidden (a 0 is as telling as a 1), and as
    many others as it takes: linear programming finds the least and the largest value of each hidden cell that fit the
    published cells, all cells ≥ 0, and while they differ by less than the threshold one more cell is hidden. It is
    taken from lines (rows or columns) with a single hidden cell, from as many of them as possible, and is the smallest
    of these; without such a line, the smallest beside the cell; the grand total last. The constraints of a two-way
    table with margins are totally unimodular, so whole numbers attain these bounds. Deterministic.

    With ``open_rows`` the row totals are always published, and a hidden cell need only be as uncertain as they leave
    it.

    Cox (1980), Suppression methodology and statistical disclosure control, JASA 75, 377–385; Fischetti & Salazar
    (2001), Solving the cell suppression problem on tabular data with linear constraints, Management Science 47,
    1008–1027 (they minimise what is hidden; here one cell after another is taken); Hundepool et al. (2012),
    Statistical Disclosure Control, ch. 4.

    ValueError: not one or two dimensions, an empty table, or counts that are not whole numbers ≥ 0.

    >>> suppress([3, 50, 80], 5).tolist()
    [True, True, False, False]
    """
    whole = _with_margins(table)
    cells = np.arange(whole.size).reshape(whole.shape)
    equations = [cells] if whole.ndim == 1 else [*cells, *cells.T]  # the last of each is the sum of the others
    values, total = whole.ravel(), whole.size - 1
    needed = np.full(whole.size, threshold)
    kept: set[int] = set()
    if open_rows and whole.ndim == 2:
        kept = set(cells[:, -1].tolist())
        needed = np.minimum(threshold, np.repeat(whole[:, -1], whole.shape[1]))
    hidden = {cell for cell in range(whole.size) if values[cell] < threshold and cell not in kept}
    lines: list[set[int]] = [set(np.ravel(equation).tolist()) for equation in equations]
    while (exposed := _too_certain(values, equations, sorted(hidden), needed)) is not None:
        # A single hidden cell of a line is its total less the rest.
        single = [line for line in lines if len(line & hidden) == 1]
        beside = set().union(*(single or [line for line in lines if exposed in line]))
        free = set(range(whole.size)) - hidden - kept
        candidates = (beside & free) - {total} or free - {total} or free
        if not candidates:
            break  # everything is hidden that may be
        settled = {cell: sum(cell in line for line in single) for cell in candidates}
        hidden.add(min(candidates, key=lambda cell: (-settled[cell], values[cell], cell)))
    mask = np.zeros(whole.size, dtype=np.bool_)
    mask[sorted(hidden)] = True
    return mask.reshape(whole.shape)


def _with_margins(table: ArrayLike) -> NDArray[np.int64]:
    counts = np.asarray(table)
    if counts.ndim not in (1, 2) or not counts.size:
        raise ValueError("a table of one or two dimensions is needed")
    if counts.min() < 0 or (counts != np.floor(counts)).any():
        raise ValueError("counts are whole numbers, 0 or more")
    whole = counts.astype(np.int64)
    for axis in range(counts.ndim):
        whole = np.concatenate([whole, whole.sum(axis=axis, keepdims=True)], axis=axis)
    return whole


def _too_certain(
    values: NDArray[np.int64], equations: list[NDArray[np.int64]], hidden: list[int], needed: NDArray[np.int64]
) -> int | None:
    """The first hidden cell whose feasible interval is narrower than needed."""
    column = {cell: index for index, cell in enumerate(hidden)}
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
            objective = np.zeros(len(hidden))
            objective[column[cell]] = sign
            result = linprog(objective, A_eq=np.array(rows), b_eq=right, bounds=(0, None)) if rows else None
            ends.append(math.inf if result is None or result.fun is None else abs(float(result.fun)))  # unbounded
        if ends[1] - ends[0] < needed[cell] - SLACK:
            return cell
    return None
