"""False-match rates by hand, in fractions, and as statistics: seeded simulations against the binomial."""

import math
from copy import copy
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from pprl.core.randomness import RandomStream
from pprl.judge import bootstrap
from pprl.judge.assignment import NONE, Candidates
from pprl.judge.bootstrap import absent_weights, intervals
from pprl.judge.error_rates import (
    Sample,
    estimate_pi0,
    fewest_findable,
    fewest_testable,
    null_threshold,
    p_relatives,
    p_value,
    rank_among_own_decoys,
)
from pprl.judge.matches import assign_partners, find_matches, merged_classes


def sample(real, decoy):
    """One class in which nobody competes and everybody's decoys are like all decoys."""
    real, decoy = np.array(real, dtype=float), np.array(decoy, dtype=float)
    return Sample(real, decoy, (real <= np.median(decoy)).astype(float), 0.5, 0.1)


def test_the_curve_in_fractions():
    # 4 people with partners at 9, 8, 8, 5; of 8 decoys one reaches 9, another 5: 4 people like them give ½ and 1.
    curve = sample([9, 8, 8, 5], [9, 5, 1, 1, 1, 1, 1, 1]).curve(pi0=0.5)
    assert curve.threshold.tolist() == [9, 8, 5]
    assert curve.found.tolist() == [1, 3, 4]
    assert curve.false.tolist() == [Fraction(1, 2), Fraction(1, 2), Fraction(3, 4)]  # one decoy is half a person
    assert curve.false_match_rate().tolist() == [1 / 2, 1 / 6, 3 / 16]
    assert curve.q_values().tolist() == [1 / 6, 1 / 6, 3 / 16]
    assert curve.at_rate(0.2) == 2
    assert curve.at_rate(0.17) == 1
    assert curve.at_rate(0.15) == -1


def test_the_rate_counts_the_decoys_below_the_last_match_as_far_as_it_allows():
    """20 people above, one below; one of 84 decoys is a quarter of a person, and at 5% one person may be false."""
    group = sample([9] * 20 + [4], [8.5, 7, 6, 5.5, *[1] * 80])
    curve = group.curve(pi0=1.0)
    assert curve.at_rate(0.05) == 0
    found = group.cut(curve, 1.0, 0.05)  # three decoys and one more are a whole person
    assert (found.threshold, found.down_to, found.false) == (9, 6, 1)
    assert group.cut(curve, 1.0, 0.045).down_to == 7
    assert group.cut(curve, 1.0, 0.02).down_to == 9  # a quarter for the last match itself, and no decoy more
    assert group.cut(curve, 1.0, 0.01) is None
    lowest = group.cut(group.curve(pi0=0.01), 0.01, 0.1)  # not below the next person, who would match too
    assert (lowest.threshold, lowest.down_to) == (4, 1)


def test_decoys_do_not_count_where_nobody_matches_though_chance_would():
    """A decoy is half a person. Nobody comes between 9 and 1, where chance would put one at 7 and another at 5."""
    group = sample([9] * 19 + [1], [8, 7, 6, 5, *[0] * 36])
    found = group.cut(group.curve(pi0=1.0), 1.0, 0.12)
    assert (found.threshold, found.down_to, found.false) == (9, 7, 1.5)


def test_equal_decoys_count_together():
    group = sample([9] * 20 + [4], [8, 7, 7, 7, *[1] * 36])
    assert group.cut(group.curve(pi0=1.0), 1.0, 0.1).down_to == 8


def test_q_values_rise_as_similarity_falls():
    q = sample([9, 8, 7, 6, 5, 4], [9, 8, 7, 3, 2, 1]).curve(pi0=1.0).q_values()
    assert (np.diff(q) >= 0).all()


def test_pi0_in_fractions():
    # one of 4 people is in the lower half of themselves and their decoys: (1 + 1)/(4 + 1) ÷ ½ = ⅘
    assert sample([9, 9, 9, 1], [5, 6]).pi0() == pytest.approx(4 / 5)
    assert sample([1, 1, 1], [5, 6]).pi0() == 1.0
    assert estimate_pi0(np.array([1, 0]), np.array([4, 4]), 0.5).tolist() == [0.8, 0.4]


def test_everybody_is_ranked_among_their_own_decoys():
    # the first person has four decoys, the second three, the third none
    decoys, owner = np.array([1, 9, 3, 5, 2, 8, 6], dtype=float), np.array([0, 1, 0, 0, 0, 1, 1])
    assert rank_among_own_decoys(np.array([2.5, 7, 0]), decoys, owner, 0.5).tolist() == [
        0.5,
        1,
        1,
    ]  # 2.5 is the third of five
    assert rank_among_own_decoys(np.array([4.0, 8, 9]), decoys, owner, 0.5).tolist() == [
        0,
        0.5,
        0,
    ]  # 8 is the second or third of four
    assert rank_among_own_decoys(np.array([2.5, 7, 0]), decoys, owner, 0.3).tolist() == pytest.approx(
        [0, 0.2, 1], abs=1e-6
    )


@given(st.lists(st.integers(0, 8), min_size=2, max_size=30), st.sampled_from([0.3, 0.5, 0.7]))
def test_people_like_their_decoys_are_low_as_often_as_lambda_says(alike, lam):
    """Each of k + 1 records in turn is the real one: the mean is λ, however many decoys there are and however equal."""
    values, others = np.array(alike) / 8, range(len(alike))
    decoys = np.concatenate([np.delete(values, index) for index in others])
    low = rank_among_own_decoys(values, decoys, np.repeat(others, len(alike) - 1), lam)
    assert low.mean() == pytest.approx(lam, abs=1e-6)


@pytest.mark.parametrize("decoys", [1, 2, 3, 19, 20])
@pytest.mark.parametrize("grid", [1000, 4])
def test_pi0_is_right_however_different_people_are(decoys, grid):
    """Half of the people match strangers easily. A fifth of all people are present, all from the other half, and no
    closer than decoys of the first. Few similarities are possible, or many."""
    rng = np.random.default_rng(decoys + grid)
    people = 20_000
    easily = np.where(np.arange(people) < people / 2, 0, 6)
    owner = np.repeat(np.arange(people), decoys)
    best = np.round((easily[owner] + rng.normal(size=people * decoys)) * grid) / grid
    present = np.arange(people) < people / 5
    real = np.round((easily + rng.normal(size=people)) * grid) / grid + np.where(present, 2, 0)
    found = estimate_pi0(rank_among_own_decoys(real, best, owner, 0.5).sum(), people, 0.5)
    error = (
        2 * math.sqrt(0.8 * people) / 2 / people
    )  # twice that of a share of absent people, who are low with probability ½
    few = 2 * (real[present] <= best.reshape(people, decoys)[present].max(axis=1)).mean() / 5  # present and low
    assert 0.8 - 4 * error < found < 0.8 + 4 * error + few
    if decoys >= 19:
        one_for_all = 2 * (real <= np.median(best)).mean()
        assert (
            one_for_all > found + 4 * error
        )  # it counts people as absent who are closer than their own decoys, but not than all


def test_fewest_findable():
    """x people where (1 − x/n) · c ≤ rate · x; c is 5 × rate, .1 or what one decoy is, and what equal decoys give."""
    assert fewest_findable(0.05, 100_000, 2_000_000, 0) == 5
    assert fewest_findable(0.01, 1010, 20_200, 0) == 10
    assert fewest_findable(0.01, 30, 1_200, 0) == 8
    assert fewest_findable(0.05, 12, 1_008, 0) == 4
    assert fewest_findable(0.05, 100, 20, 0) == 50  # a decoy is five people: 5 · ½ false of 50
    assert fewest_findable(0.05, 1000, 20_000, 8_000) == 889  # 400 people are like decoys equal to somebody


def test_fewest_testable():
    """So many above all decoys, beside those whom chance puts above T0, give p < .001; one less does not."""
    rng = np.random.default_rng(1)
    for people in (12, 30, 100, 1010):
        decoys = rng.random(max(1000, 20 * people))
        fewest = fewest_testable(0.001, people, decoys)
        limit, r = null_threshold(decoys)
        by_chance = round(people * (r - 1) / len(decoys))
        for count, clear in ((fewest, True), (fewest - 1, False)):
            real = np.where(np.arange(people) < count + by_chance, limit + 1, 0)
            assert (p_value(real, decoys) < 0.001) == clear, (people, count)
    assert fewest_testable(0.001, 5, np.ones(100)) == 6


def test_the_fixed_test_by_hand():
    # 100 decoys 1 … 100, so r = 1 and T0 = 100; 2 of 10 people lie above: p = P(no decoy among the 2 highest).
    decoys = np.arange(1, 101, dtype=float)
    people = np.array([101, 102, *[50] * 8], dtype=float)
    assert p_value(people, decoys) == pytest.approx(10 / 110 * 9 / 109)
    assert p_value(people, decoys) == pytest.approx(hypergeom.cdf(0, 110, 100, 2))


def test_with_a_margin_the_tests_hold_where_absent_people_come_close_more_often():
    """Absent people lie above T0 twice as often as decoys: with twice the decoys the test keeps its level."""
    rng = np.random.default_rng(3)
    runs, plain, with_margin, relatives = 1000, 0, 0, 0
    for _ in range(runs):
        decoys, kin = rng.random(4000), rng.random(800)
        people = np.where(rng.random(200) < 0.01, 2.0, rng.random(200))
        plain += p_value(people, decoys) < 0.05
        with_margin += p_value(people, decoys, times=2) < 0.05
        relatives += p_relatives(people, decoys, kin, times=2) < 0.05
    most = binom.ppf(0.9999, runs, 0.05)
    assert plain > most >= with_margin > 0
    assert relatives <= 2 * most  # few relatives lie above T0, and each counts twice
    assert p_value(np.full(20, 2.0), rng.random(1000), times=2) < 1e-20


def test_the_fixed_test_keeps_its_level_when_nobody_is_present():
    rng = np.random.default_rng(1)
    runs = 2000
    rejected = sum(p_value(rng.normal(size=200), rng.normal(size=4000)) < 0.05 for _ in range(runs))
    assert rejected <= binom.ppf(0.9999, runs, 0.05)
    assert rejected > 0


def simulate(rng, people, present, decoys):
    """Present people score high, absent people and decoys alike; which partners are true, and their similarities."""
    true = np.arange(people) < present
    real = np.where(true, rng.normal(4, 1, people), rng.normal(0, 1, people))
    decoy = rng.normal(0, 1, decoys)
    shift = 10  # similarities are positive
    return true, sample(real + shift, decoy + shift), real + shift


@pytest.mark.parametrize("present", [0, 30, 300, 950])
@pytest.mark.parametrize(("rate", "decoys"), [(0.05, 20_000), (0.01, 20_000), (0.05, 1000), (0.05, 100), (0.05, 20)])
def test_the_stated_rate_is_kept_and_the_estimate_covers_the_truth(present, rate, decoys):
    rng = np.random.default_rng(present + 1)
    rates, excess, found_any = [], [], 0
    for _ in range(200):
        true, group_sample, real = simulate(rng, 1000, present, decoys)
        pi0 = group_sample.pi0()
        cut = group_sample.cut(group_sample.curve(pi0), pi0, rate)
        chosen = real >= cut.threshold if cut else np.zeros(1000, dtype=bool)
        found_any += bool(chosen.any())
        rates.append((chosen & ~true).sum() / max(1, chosen.sum()))
        excess.append(chosen.sum() - (cut.false if cut else 0) - (chosen & true).sum())
    error = np.std(rates) / np.sqrt(len(rates))
    assert np.mean(rates) <= rate + 3 * error
    one_more = max(1, 1000 / decoys)  # people for each decoy
    assert abs(np.mean(excess)) <= 1.5 * one_more + 3 * np.std(excess) / np.sqrt(len(excess))
    assert found_any >= 190 if present >= 300 and decoys >= 1000 else True
    assert found_any <= binom.ppf(0.9999, 200, 0.05) if present == 0 else True


def drawn_one_by_one(matches, groups, sizes, draws):
    """`intervals` by definition: people are drawn one by one, each with all their decoys."""
    people, shares = (
        len(matches.found),
        [absent_weights(matches, *judged) for judged in zip(groups, sizes, strict=True)],
    )
    ends = []
    for end, sign in (("down_to", -1), ("threshold", 1)):
        totals = totals_one_by_one(matches, groups, sizes, shares, people, copy(draws), end)
        ends.append(np.quantile(totals, (1 + sign * bootstrap.LEVEL) / 2, axis=0))
    return np.column_stack(ends)


def totals_one_by_one(matches, groups, sizes, shares, people, draws, end):
    totals = []
    for _ in range(bootstrap.REPLICATES):
        total = [0.0] * (1 + sum(sizes))
        drawn = draws.below(people, people).tolist()
        for judged in matches.classes:
            sample, low_of = judged.sample, dict(zip(judged.people.tolist(), judged.sample.low.tolist(), strict=True))
            ours = [person for person in drawn if person in low_of]
            decoys = [
                index for person in ours for index in np.flatnonzero(matches.assignment.owner[judged.decoys] == person)
            ]
            found = [person for person in ours if matches.found[person]]
            if judged.threshold is None or not found or not decoys:
                continue
            low = (sum(Fraction(low_of[person]) for person in ours) + 1) / (len(ours) + 1)
            reached = Fraction(
                int(sum(sample.decoy[index] >= getattr(judged.cut, end) for index in decoys)), len(decoys)
            )
            chance = reached * len(ours) + max(sample.least, Fraction(len(ours), len(decoys)))
            false = min(1, low / Fraction(sample.lam)) * chance
            total[0] += max(0, len(found) - false)
            index = 1
            for group, size, share in zip(groups, sizes, shares, strict=True):
                for number in range(size):
                    inside = sum(group[person] == number for person in found)
                    total[index + number] += inside - float(false) * share[judged.number][number]
                index += size
        totals.append([max(0.0, float(value)) for value in total])
    return totals


@pytest.mark.parametrize("at_once", [1, 130, 2**22])
@pytest.mark.parametrize("seed", range(3))
def test_intervals_draw_people_with_their_decoys(seed, at_once, monkeypatch):
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(bootstrap, "REPLICATES", 40)
    monkeypatch.setattr(bootstrap, "DRAWN_AT_ONCE", at_once)
    people = 60
    classes = np.repeat([7, 4, 0, 2], [2, 18, 30, 10])  # the first is often not drawn at all; the last has no decoys
    owner = np.repeat(np.arange(50), np.append([8, 8], rng.integers(0, 9, 48)))
    best = np.where(
        (np.arange(people) % 2) | (classes == 7), rng.uniform(0.6, 1, people), rng.uniform(0.2, 0.6, people)
    )
    real = Candidates(np.arange(people)[:, None], best[:, None])
    decoys = Candidates(np.full((len(owner), 1), 99), rng.uniform(0.2, 0.7, (len(owner), 1)))
    matches = find_matches(assign_partners(real, decoys, owner, classes), 0.6)
    assert {judged.number for judged in matches.classes if judged.threshold is not None} >= {7, 0}
    assert matches.found[classes == 7].any()
    assert len(matches.classes) == 3
    groups = [rng.integers(-1, 3, people), np.full(people, NONE), np.zeros(people, dtype=np.int64)]
    sizes = [3, 0, 1]
    for level in (0.95, 0.6, 0.2):  # looks at other positions of the 40 totals too
        monkeypatch.setattr(bootstrap, "LEVEL", level)
        fast = intervals(matches, groups, RandomStream(b"seed", "test"))
        slowly = drawn_one_by_one(matches, groups, sizes, RandomStream(b"seed", "test"))
        np.testing.assert_allclose(fast, slowly, atol=1e-9)


def test_small_classes_are_judged_together():
    classes = np.repeat([0, 1, 2, 5], [100, 30, 40, 200])
    merged = merged_classes(classes.astype(np.int8))
    assert len(set(merged[classes == 1]) | set(merged[classes == 2])) == 1
    assert set(merged[classes == 0]) != set(merged[classes == 1])


def test_a_few_odd_rows_join_the_largest_class():
    classes = np.repeat([0, 8], [100, 3]).astype(np.int8)
    assert set(merged_classes(classes)) == {0}


def test_a_small_list_is_one_class():
    assert set(merged_classes(np.array([0, 1, 2, 8], dtype=np.int8))) == {0}


def test_the_fixed_test_where_decoys_share_the_highest_similarity():
    # 2 of 100 decoys at 1: T0 is the next below, r = 3; 5 of 10 people above it: P(at most 2 decoys in the 7 highest).
    decoys = np.array([1.0, 1.0, *np.arange(98) / 100])
    people = np.array([1.0] * 5 + [0.1] * 5)
    assert null_threshold(decoys) == (0.97, 3)
    one = np.array([1.0, 0.97, *np.linspace(0.1, 0.9, 98)])  # one namesake is enough: nothing lies above 1
    assert null_threshold(one) == (0.97, 2)
    ways = sum(math.comb(100, k) * math.comb(10, 7 - k) for k in range(3))
    assert p_value(people, decoys) == pytest.approx(ways / math.comb(110, 7))
    assert p_value(people, np.ones(100)) == 1.0


def test_the_test_against_relatives_by_hand():
    # T0 = 100: 3 of 4 people and 1 of 6 relatives lie above. P(at least 3 of the 4 highest are people) of 10.
    decoys = np.arange(1, 101, dtype=float)
    people, relatives = np.array([101.0, 102, 103, 5]), np.array([101.0, 1, 2, 3, 4, 5])
    ways = math.comb(4, 3) * math.comb(6, 1) + math.comb(4, 4)
    assert p_relatives(people, decoys, relatives) == pytest.approx(ways / math.comb(10, 4))
