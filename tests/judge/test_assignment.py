"""Partners and arrivals, compared with their definition: the whole assignment solved again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from pprl.judge.assignment import NONE, Candidates, Partners, ambiguous, assign, lone_arrivals, prices

FLOOR = 0.25
THEIRS = 5


def table(rows):
    """Candidates from a matrix of similarities, best first, as a search gives them."""
    ids = np.full((len(rows), THEIRS), NONE)
    dice = np.zeros((len(rows), THEIRS))
    for index, row in enumerate(rows):
        there = sorted((-similarity, column) for column, similarity in enumerate(row) if similarity > 0)
        for slot, (similarity, column) in enumerate(there):
            ids[index, slot], dice[index, slot] = column, -similarity
    return Candidates(ids.astype(np.int64), dice)


def floors(candidates):
    return np.full(len(candidates), FLOOR)


def best_sum(rows):
    """The largest sum of (similarity − floor), by the dense Hungarian method; a row may stay alone."""
    gain = np.maximum(np.array(rows, dtype=float).reshape(-1, THEIRS) - FLOOR, 0.0)
    return gain[linear_sum_assignment(gain, maximize=True)].sum()


similarities = st.integers(0, 32).map(lambda part: part / 32)  # exact in binary
matrices = st.lists(st.lists(similarities, min_size=THEIRS, max_size=THEIRS), min_size=1, max_size=7)


@given(matrices)
def test_partners_are_one_to_one_and_no_assignment_is_better(rows):
    candidates = table(rows)
    partners = assign(candidates, floors(candidates))
    taken = partners.ids[partners.ids != NONE]
    assert len(set(taken.tolist())) == len(taken)
    assert all(
        rows[index][i] == d for index, (i, d) in enumerate(zip(partners.ids, partners.dice, strict=True)) if i != NONE
    )
    assert partners.dice[partners.ids != NONE].sum() - FLOOR * len(taken) == best_sum(rows)


@settings(max_examples=300)
@given(matrices, st.lists(similarities, min_size=THEIRS, max_size=THEIRS))
def test_a_newcomer_gets_what_the_whole_assignment_would_give(rows, newcomer):
    candidates, alone = table(rows), table([newcomer])
    price = prices(candidates, floors(candidates), assign(candidates, floors(candidates)))
    reached = lone_arrivals(alone, floors(alone), price)[0]
    gain = best_sum([*rows, newcomer]) - best_sum(rows)
    if reached == 0:
        assert gain == 0
    else:  # the seat where the sum of all others plus the newcomer's gain is the best there is
        seats = [column for column, similarity in enumerate(newcomer) if similarity == reached]
        without = [best_sum([[s if c != seat else 0 for c, s in enumerate(row)] for row in rows]) for seat in seats]
        assert max(without) + reached - FLOOR == best_sum(rows) + gain
        assert gain > 0


def test_nobody_listed_leaves_every_row_free():
    nobody = table([])
    price = prices(nobody, floors(nobody), assign(nobody, floors(nobody)))
    newcomer = table([[0.5, 0.9, 0, 0, 0]])
    assert lone_arrivals(newcomer, floors(newcomer), price).tolist() == [0.9]


AMBIGUOUS = {
    "one clear partner": ([[0.9, 0.5, 0, 0, 0]], [False]),
    "two equal rows of the registry": ([[0.9, 0.9, 0, 0, 0]], [True]),
    "the equal row belongs to someone better": ([[0.9, 0.9, 0, 0, 0], [0, 1, 0, 0, 0]], [False, False]),
    "two people, one row": ([[0.9, 0, 0, 0, 0], [0.9, 0, 0, 0, 0]], "one of them"),
    "an equal suitor who has a better partner": ([[0.9, 0, 0, 0, 0], [0.9, 1, 0, 0, 0]], [False, False]),
    "two people who could change places": ([[0.875, 0.75, 0, 0, 0], [0.875, 0.75, 0, 0, 0]], [True, True]),
    "the sum is the same either way": ([[0.875, 0.75, 0, 0, 0], [0.75, 0.625, 0, 0, 0]], [True, True]),
    "nobody near": ([[0.1, 0.1, 0, 0, 0]], [False]),
}


def unsure(rows):
    candidates = table(rows)
    partners = assign(candidates, floors(candidates))
    price = prices(candidates, floors(candidates), partners)
    return partners, ambiguous(candidates, floors(candidates), partners, price).tolist()


@pytest.mark.parametrize(("rows", "wanted"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_is_what_order_alone_decides(rows, wanted):
    partners, found = unsure(rows)
    if wanted == "one of them":
        assert found == (partners.ids != NONE).tolist()
        assert sum(found) == 1
    else:
        assert found == wanted


@settings(max_examples=300)
@given(matrices)
def test_a_pair_is_ambiguous_if_and_only_if_another_best_assignment_lacks_it(rows):
    partners, found = unsure(rows)
    for index, record in enumerate(partners.ids):
        if record != NONE:
            without = [[0 if (i, j) == (index, record) else s for j, s in enumerate(row)] for i, row in enumerate(rows)]
            assert found[index] == (best_sum(without) == best_sum(rows))


def test_a_long_chain_is_priced_at_once():
    n = 20_000
    ids = np.stack([np.arange(n), np.arange(1, n + 1)], axis=1)
    dice = np.full((n, 2), 0.75)  # everyone could move on by one, and the last to a free row
    chain = Candidates(ids, dice)
    price = prices(chain, np.full(n, FLOOR), Partners(np.arange(n), np.full(n, 0.75)))
    assert not price.any()
