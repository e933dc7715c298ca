"""The promise follows from a formula and is kept; the pairs found are a subset of those of the exact search."""

import hashlib
import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from helpers.searches import tuples
from scipy.stats import binom

from pprl.core.bits import BitMatrix
from pprl.core.errors import MismatchError
from pprl.core.intervals import wilson
from pprl.match import lsh, lsh_plan, search, threads
from pprl.match.lsh_plan import Plan, make_plan

KERNELS = ["numba", "numpy"]
EMPTY = BitMatrix.from_positions([], 128)
BLANK = BitMatrix.from_positions([[], [], []], 128)


def packed(dense):
    return BitMatrix(np.packbits(dense, axis=1, bitorder="little").view("<u8"))


def two_sides(seed, rows, length=256, full=0.25, near=0.06):
    """Random rows; every other one of theirs is a row of ours with some bits flipped."""
    rng = np.random.default_rng(seed)
    ours = rng.random((rows, length)) < rng.uniform(0.7, 1.3, (rows, 1)) * full
    theirs = rng.random((rows, length)) < full
    half = rng.permutation(rows)[: rows // 2]
    flipped = rng.random((len(half), length)) < near * rng.random((len(half), 1))
    theirs[half] = ours[half] ^ flipped
    return packed(ours), packed(theirs)


def by_hand(threshold, bits, tables, length=256, heaviest=10_000):
    """A plan not chosen by cost: pairs of every total get all tables."""
    return a_plan(threshold, 1.0, 1.0, bits, tables, length=length, heaviest=heaviest)


def a_plan(threshold, requested, recall, bits, tables, *, length=256, heaviest=10_000):
    return Plan(
        threshold=Fraction(threshold),
        length=length,
        requested=requested,
        recall=recall,
        bits=bits,
        tables=tables,
        heaviest=heaviest,
        candidates=0.0,
        speedup=9.0,
    )


# --- the formula ---


@pytest.mark.parametrize("length", [1, 4, 7, 9])
def test_the_chance_of_a_table_is_the_share_of_its_draws(length):
    for bits in range(1, length + 1):
        draws = list(combinations(range(length), bits))
        for distance in range(length + 1):
            together = sum(
                all(position >= distance for position in draw) for draw in draws
            )  # the first `distance` differ
            share = Fraction(together, len(draws))
            assert share == Fraction(math.comb(length - distance, bits), math.comb(length, bits))
            assert float(lsh_plan.collision_chance(length, np.array([distance]), bits)[0]) == pytest.approx(
                share, abs=1e-12
            )


def test_recall_of_some_tables_in_fractions():
    for chance in (Fraction(1, 7), Fraction(1, 2), Fraction(1, 1000), Fraction(0), Fraction(1)):
        for tables in (1, 2, 30):
            exactly = 1 - (1 - chance) ** tables
            assert lsh_plan.recall_of(float(chance), tables) == pytest.approx(float(exactly), abs=1e-12)


def test_the_fewest_tables_are_enough_and_one_less_is_not():
    for chance in (1e-2, 0.3, 0.999):
        for recall in (0.001, 0.5, 0.9, 0.99, 1 - 1e-9):
            tables = lsh_plan.tables_for(chance, recall)
            assert lsh_plan.recall_of(chance, tables) >= recall
            assert tables == 1 or lsh_plan.recall_of(chance, tables - 1) < recall
    assert lsh_plan.tables_for(1.0, 1.0) == 1
    assert lsh_plan.tables_for(0.5, 1.0) is None
    assert lsh_plan.tables_for(0.0, 0.5) is None
    assert lsh_plan.tables_for(1e-9, 0.99) is None


@pytest.mark.parametrize("threshold", [Fraction(0), Fraction(1, 2), Fraction(7, 10), Fraction(9, 10), Fraction(1)])
def test_the_most_distant_pair_by_trying_all(threshold):
    least = search.least_common(threshold, 64)
    for ours, theirs in [(0, 5), (1, 1), (10, 10), (20, 9), (40, 40)]:
        tried = [
            one + other - 2 * common
            for one in range(1, ours + 1)
            for other in range(1, theirs + 1)
            for common in range(1, min(one, other) + 1)
            if Fraction(2 * common, one + other) >= threshold
        ]
        assert lsh_plan.max_distance(least, ours, theirs) == max(tried, default=0)


def test_wilson_by_hand():
    """Wilson's bounds are the shares p with (p - found / n)^2 = z^2 p (1 - p) / n."""
    for found, of in [(3, 10), (97, 100), (1, 2)]:
        for bound in wilson(found, of):
            assert (bound - found / of) ** 2 == pytest.approx(1.959964**2 * bound * (1 - bound) / of)
    assert wilson(0, 0) == (0, 1)
    assert wilson(5, 5)[1] == 1
    assert wilson(0, 5)[0] == 0


# --- the search ---


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("threshold", ["3/5", "4/5", "19/20"])
def test_pairs_are_exact_ones_whatever_the_kernel_the_engine_and_the_number_at_once(seed, threshold):
    ours, theirs = two_sides(seed, 300)
    exact = tuples(search.all_pairs(ours, theirs, Fraction(threshold)))
    plan = by_hand(threshold, 16, 70, heaviest=70)
    answers = []
    for kernel in KERNELS:
        for at_once in (1, 8, 100):
            steps = []
            pairs, report = lsh.all_pairs(ours, theirs, plan, kernel=kernel, at_once=at_once, progress=steps.append)
            assert pairs.kernel == kernel
            assert [column.dtype for column in (pairs.ours, pairs.theirs)] == [np.int64] * 2
            assert [column.dtype for column in (pairs.common, pairs.total)] == [np.int32] * 2
            assert sum(steps) == len(ours) * len(theirs)
            assert not report.exact
            answers.append((tuples(pairs), report))
    with threads.threads(2) as engine:
        pairs, report = lsh.all_pairs(ours, theirs, plan, map=engine.map)
    answers.append((tuples(pairs), report))
    assert all(answer == answers[0] for answer in answers)
    found = answers[0][0]
    assert set(found) <= set(exact)
    assert found == sorted(found)
    assert len(found) > 0
    heavy = [set(np.flatnonzero(side.weights() > 70)) for side in (ours, theirs)]
    assert {pair for pair in exact if pair[0] in heavy[0] or pair[1] in heavy[1]} <= set(found)
    assert report.sampled_rows == 300
    assert (report.sampled_pairs, report.sampled_found) == (len(exact), len(found))


def test_a_pair_is_found_by_the_first_table_that_brings_it_together_and_by_no_other():
    ours, theirs = two_sides(9, 80)
    plan = by_hand("3/5", 12, 130)
    pairs, report = lsh.all_pairs(ours, theirs, plan)
    drawn = lsh.draw_positions(plan, lsh_plan.SEED)
    assert all(len(set(positions)) == 12 for positions in drawn.tolist())
    bits = [np.unpackbits(side.words.view(np.uint8), axis=1, bitorder="little") for side in (ours, theirs)]
    met = sum(
        (bits[0][:, None, drawn_bits] == bits[1][None, :, drawn_bits]).all(axis=2).astype(int) for drawn_bits in drawn
    )
    assert report.candidates == met.sum()
    wanted = {pair for pair in tuples(search.all_pairs(ours, theirs, plan.threshold)) if met[pair[:2]]}
    assert set(tuples(pairs)) == wanted
    assert len(pairs.ours) == len(wanted) > 20


@pytest.mark.parametrize("kernel", KERNELS)
def test_with_recall_one_or_too_small_a_gain_the_answer_is_the_exact_one(kernel):
    ours, theirs = two_sides(5, 60)
    exact = search.all_pairs(ours, theirs, Fraction(4, 5), kernel=kernel)
    for recall in (1, 0.9):
        plan = make_plan(ours, theirs, Fraction(4, 5), recall)
        pairs, report = lsh.all_pairs(ours, theirs, plan, kernel=kernel)
        assert tuples(pairs) == tuples(exact)
        assert report.exact
        assert report.plan.recall == 1
        assert "would not help" in report.describe()


def test_many_tables_of_one_bit_find_everything():
    ours, theirs = two_sides(6, 50)
    pairs, _ = lsh.all_pairs(ours, theirs, by_hand("1/2", 1, 200))
    assert tuples(pairs) == tuples(search.all_pairs(ours, theirs, Fraction(1, 2)))


@pytest.mark.parametrize("length", [64, 1024, 2048])
def test_kernels_agree_over_thousands_of_rows_and_more_tables_than_a_word_has_bits(length):
    ours, theirs = two_sides(length, 2500, length=length, near=0.1)
    plan = by_hand("7/10", min(24, length // 8), 66, length=length)
    answers = [lsh.all_pairs(ours, theirs, plan, kernel=name) for name in KERNELS]
    assert tuples(answers[0][0]) == tuples(answers[1][0])
    assert answers[0][1] == answers[1][1]
    assert len(answers[0][0].ours) > 1000


# --- the promise ---


def exactly_at(rng, count, weights, distance, length=256):
    """Pairs of rows with the given weights and distance, and bits at random positions."""
    one, other = np.zeros((2, count, length), dtype=bool)
    common = (sum(weights) - distance) // 2
    for row in range(count):
        positions = rng.permutation(length)
        one[row, positions[: weights[0]]] = True
        other[row, positions[weights[0] - common :][: weights[1]]] = True
    return packed(one), packed(other)


@pytest.mark.parametrize("weights", [(60, 60), (48, 72), (40, 40), (30, 30)])
def test_pairs_at_the_threshold_are_found_as_often_as_promised(weights):
    """Over draws of the positions; the promise is computed for the heaviest and must hold for light ones too."""
    rng = np.random.default_rng(3)
    total, threshold = sum(weights), Fraction(4, 5)
    distance = total - 2 * int(search.least_common(threshold, 256)[total])
    ours, theirs = exactly_at(rng, 300, weights, distance)
    chance = float(lsh_plan.collision_chance(256, np.array(24), 30))
    tables = lsh_plan.tables_for(chance, 0.9)
    plan = a_plan(threshold, 0.9, lsh_plan.recall_of(chance, tables), 30, tables, heaviest=72)
    assert lsh_plan.max_distance(search.least_common(threshold, 256), 60, 60) == 24
    runs, found = 40, 0
    for seed in range(runs):
        pairs, _ = lsh.all_pairs(ours, theirs, plan, seed=bytes([seed]))
        found += int((pairs.ours == pairs.theirs).sum())
    # pairs of a run share its tables, but positions are random, so their chances are nearly independent
    assert found / (300 * runs) >= 0.9 - 4 * math.sqrt(0.09 / (300 * runs)) - 0.002
    if weights == (60, 60):
        low, high = binom.interval(0.9999, 300 * runs, plan.recall)
        assert low <= found <= high


def test_a_plan_for_a_run_of_usual_size_keeps_its_promise():
    ours, theirs = two_sides(8, 6000, length=512, near=0.1)
    for threshold in ("17/20", "19/20"):
        plan = make_plan(ours, theirs, Fraction(threshold), 0.95, min_speedup=0)
        assert plan.recall >= 0.95
        assert plan.tables > 0
        assert make_plan(ours, theirs, Fraction(threshold), 0.95).exact == (plan.speedup < lsh_plan.MIN_SPEEDUP)
        with threads.threads(2) as engine:
            pairs, report = lsh.all_pairs(ours, theirs, plan, map=engine.map)
        exact = set(tuples(search.all_pairs(ours, theirs, Fraction(threshold))))
        assert set(tuples(pairs)) <= exact
        assert len(pairs.ours) >= binom.ppf(1e-4, len(exact), 0.95)
        assert report.plan == plan
        assert report.sampled_rows == 500
        low, high = report.interval()
        assert low <= report.sampled_found / report.sampled_pairs <= high
        text = report.describe()
        assert f"{plan.tables} tables of {plan.bits} of 512 bits" in text
        assert "promised: each such pair is found with a probability of at least 95." in text
        assert f"check: {report.sampled_found} of the {report.sampled_pairs} pairs of 500 of our rows" in text


def test_half_full_rows_that_are_far_apart_are_left_to_the_exact_search():
    rng = np.random.default_rng(1)
    ours, theirs = (packed(rng.random((3000, 512)) < 0.5) for _ in range(2))
    plan = make_plan(ours, theirs, Fraction(3, 5), 0.99)
    assert plan.exact
    assert plan.speedup < 1
    assert plan.recall == 1


def test_equal_seeds_give_equal_answers_and_other_seeds_others():
    ours, theirs = two_sides(7, 200)
    plan = by_hand("1/2", 60, 2)
    one, again, other = (tuples(lsh.all_pairs(ours, theirs, plan, seed=seed)[0]) for seed in (b"one", b"one", b"other"))
    assert one == again
    assert one != other


def test_positions_are_the_first_of_a_permutation_of_the_words_of_the_stream():
    positions = lsh.draw_positions(by_hand("1", 5, 2, length=1024), b"a seed")
    for block in (0, 1):
        stream = (10).to_bytes(2, "little") + b"lsh tables" + b"a seed" + block.to_bytes(8, "little")
        digest = hashlib.shake_256(stream).digest(8192)
        words = [int.from_bytes(digest[start : start + 8], "little") for start in range(0, 8192, 8)]
        assert positions[block].tolist() == sorted(range(1024), key=words.__getitem__)[:5]


# --- edges ---


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("ours", "theirs"), [(EMPTY, BLANK), (BLANK, EMPTY), (EMPTY, EMPTY), (BLANK, BLANK)])
def test_nothing_matches_an_empty_row_or_side(kernel, ours, theirs):
    for plan in (
        make_plan(ours, theirs, Fraction(1, 2), 0.9),
        by_hand("1/2", 8, 3, length=128),
        by_hand("1/2", 8, 3, length=128, heaviest=0),
    ):
        pairs, report = lsh.all_pairs(ours, theirs, plan, kernel=kernel)
        assert tuples(pairs) == []
        assert report.describe()


@pytest.mark.parametrize("kernel", KERNELS)
def test_identical_rows_are_all_found_by_one_table(kernel):
    rows = BitMatrix.from_positions([[1, 2, 3]] * 40 + [[]] * 3, 128)
    pairs, report = lsh.all_pairs(rows, rows, by_hand("1", 8, 5, length=128), kernel=kernel)
    assert tuples(pairs) == [(one, other, 3, 6) for one in range(40) for other in range(40)]
    assert report.candidates == 5 * 40 * 40
    assert (report.sampled_pairs, report.sampled_found) == (1600, 1600)


def test_at_threshold_one_a_single_table_promises_everything_and_at_zero_nothing_can():
    ours, theirs = two_sides(2, 4000)
    plan = make_plan(ours, theirs, Fraction(1), 1.0, min_speedup=0)
    assert (plan.tables, plan.recall) == (1, 1.0)
    pairs, report = lsh.all_pairs(ours, theirs, plan)
    assert tuples(pairs) == tuples(search.all_pairs(ours, theirs, Fraction(1)))
    assert not report.exact
    assert make_plan(ours, theirs, Fraction(0), 0.5).exact


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_the_exact_search_takes_over_when_candidates_cost_more_than_it_does(kernel, at_once):
    """All rows in one bucket: 1,000,000 candidates per table. Progress starts again and adds up."""
    rng = np.random.default_rng(0)
    dense = np.zeros((2, 1000, 256), dtype=bool)
    dense[:, :, :8] = rng.random((2, 1000, 8)) < 0.5
    ours, theirs = packed(dense[0]), packed(dense[1])
    steps = []
    _, report = lsh.all_pairs(
        ours, theirs, by_hand("4/5", 4, 50), kernel=kernel, at_once=at_once, progress=steps.append
    )
    assert report.exact
    assert report.overrun
    assert report.candidates == report.pairs == 1_000_000
    assert "took over" in report.describe()
    assert sum(steps) == 1_000_000


def test_a_sample_without_pairs_says_so():
    ours = BitMatrix.from_positions([[1, 2, 3]], 128)
    theirs = BitMatrix.from_positions([[60, 61]], 128)
    _, report = lsh.all_pairs(ours, theirs, by_hand("1/2", 8, 2, length=128))
    assert (report.sampled_rows, report.sampled_pairs) == (1, 0)
    assert report.interval() == (0, 1)
    assert "finds no such pair for 1 of our rows" in report.describe()


def test_arguments_that_make_no_sense_are_refused():
    for recall in (0, -0.5, 1.01, math.nan):
        with pytest.raises(ValueError, match="the recall must be above 0 and at most 1"):
            make_plan(BLANK, BLANK, Fraction(1, 2), recall)
    for threshold in (Fraction(-1, 2), Fraction(3, 2)):
        with pytest.raises(ValueError, match="the threshold of an approximate search must be between 0 and 1"):
            make_plan(BLANK, BLANK, threshold, 0.9)
    shorter = BitMatrix.from_positions([[1]], 64)
    with pytest.raises(MismatchError, match=r"128 bits .* 64 bits"):
        make_plan(BLANK, shorter, Fraction(1, 2), 0.9)
    for theirs, length in ((BLANK, 64), (shorter, 128)):
        with pytest.raises(MismatchError, match="the plan is for encodings of another length"):
            lsh.all_pairs(BLANK, theirs, by_hand("1/2", 8, 1, length=length))
