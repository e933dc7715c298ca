"""What NumPy lacks for rows and groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cumcount(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The position of each entry within its group, from 0, in the order of the entries: shape (entries,).

    >>> cumcount(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(groups, kind="stable")
    position = np.empty(len(groups), dtype=np.int64)
    position[order] = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order], side="left")
    return position
