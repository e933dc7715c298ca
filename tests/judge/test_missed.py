"""The missed-match rate is that of the people who are in the registry, or it is not known."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.offices import SCHEMA, offices

import pprl
from pprl.cli.output import summary
from pprl.core.intervals import observed, wilson
from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness
from pprl.judge.assessment import judge
from pprl.judge.assignment import Candidates
from pprl.judge.labels import open_labels
from pprl.judge.matches import find_matches
from pprl.judge.missed import Planted, missed_match_rate
from pprl.report import render
from pprl.report.disclosure.rounding import rounded

NOT_KNOWN = "not known: these files do not show how differently the two sides write one person"


def linked(two, schema=SCHEMA, seed=1):
    return pprl.link(two.leaked, two.registry, schema, seed=seed)


def truly_missed(two, answer):
    """The share of the people present who are in no pair with themselves."""
    pairs = answer.to_frame()
    right = ((pairs.list_row == pairs.registry_row) & (pairs.list_row < two.present)).sum()
    return 1 - right / two.present


CASES = {
    "clean": ({}, (0.0, 0.02)),
    "one name in ten mistyped": ({"typed": 0.1}, (0.0, 0.1)),
    "half of the registry without dates": ({"undated": 0.5}, (0.1, 0.6)),
    "both": ({"typed": 0.15, "undated": 0.5}, (0.2, 0.6)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [7, 8])
def test_the_rate_is_within_five_points_of_the_truth(case, seed):
    options, (low, high) = CASES[case]
    two = offices(seed, 500, 2_000, 350, **options)
    answer = linked(two)
    stated, true = answer.missed_match_rate, truly_missed(two, answer)
    assert abs(stated.value - true) <= 0.05
    assert stated.low <= true <= stated.high
    assert low <= stated.value <= high
    assert answer.record.headline.missed_match_basis == "measured"


def test_people_whose_row_cannot_be_read_are_missed():
    two = offices(13, 300, 1_200, 200)
    two.registry.loc[::4] = "123 ?"
    answer = linked(two)
    assert truly_missed(two, answer) == pytest.approx(0.25, abs=0.01)
    assert answer.missed_match_rate.value == pytest.approx(0.25, abs=0.05)


def test_hardening_raises_it():
    """Not the step from plain filters, which lack the weights of rare tokens."""
    two = offices(8, 300, 1_000, 200, typed=0.25, undated=0.3)
    standard, high = (linked(two, SCHEMA.with_hardening(name)) for name in ("standard", "high"))
    assert high.missed_match_rate.value > standard.missed_match_rate.value + 0.05
    assert truly_missed(two, high) > truly_missed(two, standard) + 0.05


def test_equal_seeds_give_equal_rates():
    two = offices(9, 200, 600, 100, typed=0.2)
    assert linked(two).missed_match_rate == linked(two).missed_match_rate


def test_where_too_few_pairs_show_it_the_answer_says_that_it_is_assumed():
    """No given name is whole, so no pair is sure."""
    two = offices(10, 100, 600, 40)
    two.leaked["given"] = two.leaked.given.str[0] + "."
    answer = linked(two)
    assert answer.missed_match_rate
    assert answer.record.headline.missed_match_basis == "assumed"
    assert any(line.startswith("missed") and line.endswith("is assumed") for line in summary(answer))
    assert "is assumed, one word of a name in ten mistyped" in answer.to_html()


def test_where_no_threshold_keeps_the_rate_it_is_not_known():
    answer = linked(offices(11, 200, 600, 0))
    assert answer.threshold is None
    assert answer.missed_match_rate is None
    assert answer.to_dict()["missed_match_rate"] is answer.to_dict()["missed_match_basis"] is None
    assert not [line for line in summary(answer) if line.startswith("missed")]


@pytest.fixture(scope="module")
def steps():
    """Encodings compared, and private rows, as the separate steps have them."""
    return stepwise(offices(12, 300, 900, 150, typed=0.1))


def stepwise(two, schema=SCHEMA, planted=False):
    key, randomness = LinkageKey.make(1), Randomness.make(1)
    ours, rows = pprl.encode_list(two.leaked, schema, key, planted=planted, randomness=randomness)
    theirs, registry_rows = pprl.encode_registry(two.registry, schema, key, randomness=randomness)
    return pprl.match_encodings(ours, theirs), rows, registry_rows


#: Errors as frequent as the list's owner assumes where nobody has both rosters, and how full the registry is.
AS_ASSUMED = {
    "whole": {},
    "half without dates": {"undated": 0.5},
    "one in five without dates": {"undated": 0.2},
}


@pytest.mark.parametrize("case", AS_ASSUMED)
@pytest.mark.parametrize("hardening", ["plain", "standard"])
def test_the_separate_steps_know_it_from_planted_decoys(case, hardening):
    """How full the registry is, its own decoys say; that one name in ten is mistyped, is assumed."""
    two = offices(7, 500, 2_000, 350, typed=0.1, **AS_ASSUMED[case])
    answer = judge(*stepwise(two, SCHEMA.with_hardening(hardening), planted=True))
    stated, true = answer.missed_match_rate, truly_missed(two, answer)
    assert abs(stated.value - true) <= 0.05
    assert stated.low <= true <= stated.high
    assert answer.record.headline.missed_match_basis == "assumed"
    assert "is assumed, one word of a name in ten mistyped" in answer.to_html()


def test_a_registry_that_came_without_decoys_does_not_show_how_full_it_is():
    scores, rows, registry_rows = stepwise(offices(7, 300, 900, 150), planted=True)
    assert judge(scores, rows, registry_rows).missed_match_rate
    assert judge(replace(scores, decoys=scores.decoys[:0]), rows, registry_rows).missed_match_rate is None


def test_a_registry_with_sets_of_fields_that_the_table_lacks_is_not_known():
    """Up to one row in twenty may have others."""
    scores, rows, registry_rows = stepwise(offices(7, 300, 900, 150), planted=True)
    for share, known in ((0.04, True), (0.08, False)):
        decoys = scores.decoys.copy()
        decoys[: round(share * len(decoys)), 2] = 1_234
        answer = judge(replace(scores, decoys=decoys), rows, registry_rows)
        assert (answer.missed_match_rate is not None) == known


def test_without_planted_decoys_it_is_not_known_and_the_answer_says_so(steps):
    answer = judge(*steps)
    assert answer.found
    assert answer.missed_match_rate is None
    assert answer.to_dict()["missed_match_rate"] is None
    assert [line.split(maxsplit=1)[1] for line in summary(answer) if line.startswith("missed")] == [NOT_KNOWN]
    assert "How many of the people who are in the registry are missed is not known" in answer.to_html()
    assert render(answer.report(), "ru").count("неизвестно: по файлам этого сравнения") == 1


@pytest.fixture(scope="module")
def judged(steps):
    rows, cohort, _ = open_labels(*steps)
    return rows, cohort, find_matches(cohort.assignment(), 0.05)


def planted(judged, similarity=1.0, pairs=1_000.0, count=400):
    """The first people of the list again and again, one in four of whom differs in the first of two fields."""
    rows, cohort, _ = judged
    completeness = rows.completeness[cohort.records][np.arange(count) % len(cohort.records)]
    differs = np.stack([np.arange(count) % 4 == 0, np.zeros(count, dtype=bool)], axis=1)
    return Planted(
        completeness=completeness,
        similarity=np.broadcast_to(similarity, count).astype(float)[:, None],
        rows=np.array([1]),
        differs=differs,
        pairs=np.array([pairs, 1_000.0]),
        measured=True,
    )


def test_own_records_below_the_threshold_are_missed(judged):
    lowest = min(group.threshold for group in judged[2].classes)
    assert missed_match_rate(planted(judged), *judged).value == 0
    assert missed_match_rate(planted(judged, lowest - 0.001), *judged).value == 1
    assert missed_match_rate(planted(judged, 0.0), *judged).value == 1


def test_own_records_below_those_of_strangers_are_missed(judged):
    rows, cohort, matches = judged
    ids = np.full_like(cohort.decoys.ids, len(matches.assignment.price))  # a record that nobody has
    near = replace(cohort, decoys=Candidates(ids, np.full_like(cohort.decoys.dice, 0.95)))
    assert missed_match_rate(planted(judged, 0.94), rows, near, matches).value == 1
    assert missed_match_rate(planted(judged, 0.96), rows, near, matches).value == 0


def test_the_interval_holds_the_uncertainty_of_the_differences(judged):
    """Few pairs behind the share of a field widen it if those who differ there are the missed."""
    similarity = np.where(np.arange(400) % 4 == 0, 0.0, 1.0)
    wide, narrow = (missed_match_rate(planted(judged, similarity, pairs), *judged) for pairs in (10.0, 1e9))
    assert wide.value == narrow.value == 0.25
    assert wide.low < narrow.low < 0.25 < narrow.high < wide.high
    size = 1 / (1 / 400 + 0.5 / 1_000)  # the second field never differs
    expected = observed(0.25, wilson(size / 4, size), rounded(judged[2].net, 5) / 0.75)
    assert (narrow.low, narrow.high) == pytest.approx(expected, abs=1e-4)


def test_the_interval_tells_no_more_of_how_many_are_there_than_is_published(judged):
    """It is published beside the number rounded to 5, and few people make it wide."""
    rows, cohort, matches = judged
    similarity = np.where(np.arange(400) % 4 == 0, 0.0, 1.0)
    found = {}
    for net in (1.0, 3.0, 7.4, 7.6, 12.4, 12.6, 40.0):
        one = missed_match_rate(planted(judged, similarity), rows, cohort, WithNet(matches, net))
        found.setdefault(max(5, rounded(net, 5)), set()).add((one.low, one.high))
    assert sorted(found) == [5, 10, 15, 40]
    assert all(len(intervals) == 1 for intervals in found.values())
    assert len(set.union(*found.values())) == 4


class WithNet:
    """Matches of which another number is expected to be true."""

    def __init__(self, matches, net):
        self.matches, self.net = matches, net

    def __getattr__(self, name):
        return getattr(self.matches, name)


def test_the_share_observed_in_few_people_lies_in_a_wider_interval():
    assert observed(0.3, (0.2, 0.4), 1e12) == pytest.approx((0.2, 0.4))
    assert observed(0.3, (0.3, 0.3), 100) == pytest.approx((0.3 - 0.0898, 0.3 + 0.0898), abs=1e-4)
    assert observed(0.01, (0.002, 0.03), 100)[0] == 0  # most often none of them
    assert observed(0.0, (0.0, 0.0), 5) == (0, 0)
    assert observed(1.0, (0.9, 1.0), 5)[1] == 1


def test_people_who_are_not_judged_do_not_count(judged):
    strangers = replace(planted(judged), completeness=np.full(400, 8, dtype=np.int8))
    assert missed_match_rate(strangers, *judged) is None


def test_without_a_threshold_nobody_knows(judged):
    rows, cohort, _ = judged
    assert missed_match_rate(planted(judged), rows, cohort, find_matches(cohort.assignment(), 1e-9)) is None
