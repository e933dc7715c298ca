"""Rows of the registry that are equal in everything compared are one candidate."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pprl.match.encodings import once_each
from pprl.match.search import Candidates

KEEP = 4


@st.composite
def found(draw):
    """Which of eight rows of a registry are candidates of each row of a list, and what each of the eight encodes."""
    encoded = np.array(draw(st.lists(st.integers(1, 4), min_size=8, max_size=8)), dtype=np.uint64)[:, None]
    rows = draw(st.lists(st.lists(st.integers(0, 7), max_size=KEEP, unique=True), min_size=1, max_size=5))
    theirs = np.array([[*row, *[-1] * (KEEP - len(row))] for row in rows], dtype=np.int64)
    scores = np.where(theirs >= 0, 10 * (KEEP - np.arange(KEEP)), 0).astype(np.int32)
    return encoded, Candidates(theirs, scores, 2 * scores, "numpy")


@given(found())
def test_by_the_slow_definition(given_candidates):
    encoded, candidates = given_candidates
    seen = sorted({row for row in candidates.theirs.ravel().tolist() if row >= 0})
    first = {row: next(other for other in seen if encoded[other, 0] == encoded[row, 0]) for row in seen}
    merged = once_each(candidates, lambda rows: encoded[rows])
    assert merged.kernel == "numpy"
    for at, row in enumerate(candidates.theirs.tolist()):
        kept = {}
        for slot, number in enumerate(row):
            if number >= 0:
                kept.setdefault(first[number], int(candidates.common[at, slot]))
        wanted = [*kept, *[-1] * (KEEP - len(kept))]
        assert merged.theirs[at].tolist() == wanted
        assert merged.common[at].tolist() == [*kept.values(), *[0] * (KEEP - len(kept))]
        assert (merged.total[at] == 2 * merged.common[at]).all()
