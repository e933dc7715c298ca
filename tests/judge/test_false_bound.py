"""The bound on false matches: at most so many are false, with 95% confidence, whichever threshold was chosen."""

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers.rosters import GIVEN, SURNAMES
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

import pprl
from pprl.core.schema_file import parse_schema
from pprl.judge import false_bound
from pprl.judge.assignment import NONE, Candidates
from pprl.judge.false_bound import (
    CONFIDENCE,
    LEAST_EFFECTIVE,
    at_risk,
    bound_false,
    effective_numbers,
    false_limit,
    nearest_decoys,
    uniform_level,
)
from pprl.judge.matches import assign_partners, find_matches

RISK = 1 - CONFIDENCE


def test_the_limit_in_fractions():
    # One person comes before 99 decoys with probability 1/100, and before the second of them with 2/100.
    assert [false_limit(1, 99, 0, level) for level in (0.0101, 0.0099)] == [0, 1]
    assert [false_limit(1, 99, 1, level) for level in (0.0201, 0.0199)] == [0, 1]
    # Of two people both come before 98 decoys with probability 2/100 · 1/99, and at least one with 2/100.
    assert [false_limit(2, 98, 0, level) for level in (0.0201, 0.0199, 0.000203, 0.000201)] == [0, 1, 1, 2]
    assert false_limit(7, 20, 20, 0.05) == 7  # no decoy is left


def test_no_match_is_called_false_only_by_sixty_decoys():
    assert false_limit(1, LEAST_EFFECTIVE - 1, 0, 0.5) == 1
    assert false_limit(1, LEAST_EFFECTIVE, 0, 0.5) == 0


def limit_by_counting(people, decoys, reached, level):
    """`false_limit` by definition: all orders of people and decoys."""
    orders = list(itertools.combinations(range(people + decoys), decoys))
    before = [order[reached] - reached for order in orders]  # people before the decoy after those reached
    for v in range(people + 1):
        if Fraction(sum(count > v for count in before), len(orders)) <= level:
            return v
    raise AssertionError


@pytest.mark.parametrize("people", range(1, 6))
@pytest.mark.parametrize("decoys", [1, 2, 5])
def test_the_limit_is_that_of_all_orders(people, decoys, monkeypatch):
    monkeypatch.setattr(false_bound, "LEAST_EFFECTIVE", 1)
    for reached, level in itertools.product(range(decoys), (0.9, 0.33, 0.07, 0.013)):
        assert false_limit(people, decoys, reached, level) == limit_by_counting(people, decoys, reached, level)


@given(st.integers(1, 40), st.integers(2, 300), st.integers(0, 30), st.floats(0.001, 0.05))
def test_more_people_or_fewer_decoys_or_less_risk_give_no_lower_limit(people, decoys, reached, level):
    limit = false_limit(people, decoys, reached, level)
    assert 0 <= limit <= people
    assert limit <= false_limit(people + 1, decoys, reached, level)
    assert limit <= false_limit(people, decoys, reached + 1, level)
    assert limit <= false_limit(people, decoys - 1, reached, level)
    assert limit <= false_limit(people, decoys, reached, level / 2)


def risk_of_the_band(people, decoys, most, level):
    """The probability that at some threshold down to ``most`` decoys more people come before the next decoy than the
    limit says, over all orders: paths on a lattice, of which those above the band are lost."""
    limits = [false_limit(people, decoys, reached, level) for reached in range(most + 1)]
    here, lost = np.zeros(people + 1), 0.0
    here[0] = 1.0
    left = people - np.arange(people + 1)
    for reached, limit in enumerate(limits):
        on = left / (left + decoys - reached)  # the next is a person, not a decoy
        after, carried = np.zeros(people + 1), 0.0
        for v in range(limit + 1):
            carried += here[v]
            after[v] = carried * (1 - on[v])
            carried *= on[v]
        lost += carried + here[limit + 1 :].sum()
        here = after
    return lost


@pytest.mark.parametrize(
    ("people", "decoys", "most"),
    [
        *((800, 10_000, 0), (800, 10_000, 1), (800, 10_000, 7), (800, 10_000, 40), (720, 5_000, 240), (22, 476, 25)),
        *((60, 60, 20), (300, 100, 3), (300, 100, 15), (1_000, 80, 40), (1_000, 80, 60), (1_000, 80, 79)),
        *((400, 900, 700), (3_000, 400, 4), (3_000, 400, 40), (30, 70, 69)),
    ],
)
@pytest.mark.parametrize("share", [1, 0.3, 0.05])
def test_all_thresholds_hold_together(people, decoys, most, share):
    """Exactly, for the whole risk of 5% and for the share of a small class."""
    assert risk_of_the_band(people, decoys, most, uniform_level(share * RISK, most, decoys)) <= share * RISK


def test_one_threshold_alone_would_hold_too_rarely():
    """A limit for one threshold fixed in advance is exceeded at some threshold far more often than in 5% of lists."""
    assert risk_of_the_band(720, 5_000, 240, RISK) > 4 * RISK


def test_the_band_is_not_needlessly_wide():
    assert risk_of_the_band(3_000, 400, 40, uniform_level(RISK, 40, 400)) > 0.9 * RISK


def test_decoys_on_one_row_count_as_one():
    # Three of four decoys share a row: the mean over the decoys is (3 + 3 + 3 + 1)/4 = 5/2 on a row.
    assert effective_numbers(np.array([7, 7, 7, 3]), reached=4, decoys=20) == (2, 8)
    assert effective_numbers(np.array([7, 2, 5, 3]), reached=4, decoys=20) == (4, 20)
    assert effective_numbers(np.full(20, 9), reached=20, decoys=20) == (1, 1)
    assert effective_numbers(np.full(30, 9), reached=0, decoys=20) == (0, 1)
    # Decoys without any candidate are on no row.
    assert effective_numbers(np.array([7, 7, NONE, NONE, NONE]), reached=2, decoys=20) == (1, 10)
    assert effective_numbers(np.full(20, NONE), reached=0, decoys=20) == (0, 20)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 100))
def test_no_more_decoys_count_than_there_are(rows, reached):
    counted, effective = effective_numbers(np.array(rows), reached, reached + len(rows))
    assert (reached > 0) <= counted <= reached
    assert 1 <= effective <= reached + len(rows)
    assert counted * (reached + len(rows)) >= reached * effective  # the share that reaches is not made smaller


def test_the_nearest_decoys():
    best = np.array([0.1, 0.9, 0.5, 0.9, 0.7])
    assert nearest_decoys(best, 0).tolist() == [1, 3]  # a hundredth is one, and equals count together
    assert nearest_decoys(best, 3).tolist() == [1, 3, 4]
    assert len(nearest_decoys(np.arange(1_000.0), 2)) == 10


def test_who_can_match_falsely():
    decoys = np.concatenate([np.full(80, 0.2), np.full(20, 0.7)])
    people = np.concatenate([np.full(60, 1.0), np.full(10, 0.6), np.full(29, 0.2)])
    # Below .7 are 39 people, of whom ten have a garbled record of their own there, and 80 of 100 decoys.
    assert at_risk(people, decoys, np.array([0.7])) == 50  # 99 · 40/100 ÷ 80/100 = 49.5
    assert at_risk(people, decoys, np.array([0.5])) == 38  # 99 · 30/100 ÷ 80/100 = 37.125
    assert at_risk(people, decoys, np.array([0.5, 0.7])) == 44  # their mean, 43.3
    assert at_risk(people, decoys, np.array([0.1])) == 99  # no decoy is that far away, so nothing is known
    assert at_risk(np.ones(9), decoys, np.array([1.0])) == 1  # never nobody


def clumped_list(rng, people=200, present=60, clump=100):
    """Present people are close to a row of their own, absent people to any row. A hundred decoys at a time come equally
    close to one row: they say as much as one."""
    rows, groups = 10_000, 20 * people // clump
    there = np.arange(people) < present
    similarity = np.where(there, rng.uniform(0.6, 1, people), rng.uniform(0, 0.8, people))
    closest = np.where(there, np.arange(people), rng.integers(people, rows, people))
    real = Candidates(closest[:, None], similarity[:, None])
    row, near = (np.repeat(drawn, clump) for drawn in (rng.integers(people, rows, groups), rng.uniform(0, 0.8, groups)))
    decoys = Candidates(row[:, None], near[:, None])
    return there, assign_partners(real, decoys, np.arange(len(row)) % people, np.zeros(people, dtype=np.int64))


def lists_in_which_it_held(runs):
    rng, held, exact = np.random.default_rng(5), 0, []
    for _ in range(runs):
        there, assignment = clumped_list(rng)
        matches = find_matches(assignment, 0.1)
        bound = bound_false(matches, 0.1)
        assert bound.at_most <= bound.matches == matches.count
        false = int((matches.found & ~there).sum())
        held += false <= bound.at_most
        exact.append(bound.effective_decoys)
    return held, np.mean(exact)


def test_the_bound_holds_where_decoys_come_in_clumps(monkeypatch):
    """In 95% of lists, by a binomial test at 1%; as if all decoys were independent it does not."""
    runs = 200
    held, effective = lists_in_which_it_held(runs)
    assert held >= binom.ppf(0.01, runs, CONFIDENCE)
    assert effective == 40  # of 4,000 decoys
    monkeypatch.setattr(false_bound, "effective_numbers", lambda _, reached, decoys: (reached, decoys))
    held, effective = lists_in_which_it_held(runs)
    assert effective == 4_000
    assert held < binom.ppf(0.0001, runs, CONFIDENCE)


def test_the_order_of_people_and_decoys_decides_nothing():
    rng = np.random.default_rng(2)
    _, assignment = clumped_list(rng)
    people, decoys = rng.permutation(200), rng.permutation(4_000)
    shuffled = assign_partners(
        assignment.real.take(people),
        assignment.decoys.take(decoys),
        np.argsort(people)[assignment.owner[decoys]],
        assignment.classes,
    )
    bounds = [bound_false(find_matches(one, 0.1), 0.1) for one in (assignment, shuffled)]
    assert bounds[0] == bounds[1]
    assert 0 < bounds[0].at_most < bounds[0].matches


def test_without_a_threshold_there_is_no_bound():
    rng = np.random.default_rng(2)
    _, assignment = clumped_list(rng, present=0)
    assert bound_false(find_matches(assignment, 0.001), 0.001) is None


FIELDS = ("surname", "given", "date")


def invented(numbers):
    """People, always the same for a number."""
    born = pd.Timestamp("1970-01-01")
    rows = [
        (SURNAMES[7 * number % 400], GIVEN[number % 10], f"{born + pd.Timedelta(days=37 * number):%Y-%m-%d}")
        for number in numbers
    ]
    return pd.DataFrame(rows, columns=FIELDS, dtype=object)


def test_a_date_that_everybody_shares_leaves_few_decoys():
    """Everybody on the list was born on one day, as were in the registry those who are there, and one stranger."""
    schema = parse_schema("format = 1\n" + "".join(f'[fields.{name}]\ntype = "{name}"\n' for name in FIELDS))
    leaked, registry = invented(range(60)), invented(range(20, 400))
    usual = pprl.link(leaked, registry, schema, seed=1)
    leaked["date"] = registry.loc[[*range(40), 379], "date"] = "1990-05-01"
    shared = pprl.link(leaked, registry, schema, seed=1)
    assert 0 < usual.false_at_most < usual.found
    counted = [answer.record.decoys.effective for answer in (shared, usual)]
    assert counted[0] < counted[1] / 2
    assert shared.false_at_most is None or shared.false_at_most >= usual.false_at_most
