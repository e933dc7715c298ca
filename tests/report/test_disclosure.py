"""The disclosed report: what it says, what it withholds, and that nobody can work out a small count from it."""

from __future__ import annotations

import copy
import itertools
import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from pprl.report import render
from pprl.report.disclosure import contradictions, disclose, exposed
from pprl.report.disclosure.rounding import rounded, stands_for
from pprl.report.disclosure.suppression import suppress
from pprl.report.record import check, load

EDGES = [round(index * 0.01, 2) for index in range(101)]


def estimate(value, low, high):
    return {"value": value, "low": low, "high": high}


def example():
    """A list of 1,010 men and a registry of 12,000, as `pprl demo` has them."""
    real, decoys = [0] * 100, [0.0] * 100
    for index, count in {41: 3, 45: 149, 52: 231, 58: 4, 63: 57, 78: 211, 94: 302, 99: 53}.items():
        real[index] = count
    for index, count in {41: 220.35, 45: 401.2, 52: 370.4, 58: 18.05}.items():
        decoys[index] = count
    return {
        "format": "pprl-audit/1",
        "version": "0.1.0",
        "matter": "demo",
        "disclosure": {"base": 1},
        "verdict": {"rung": 2, "code": "confirmed", "reasons": ["no_controls", "registry_obtainable_unknown"]},
        "headline": {
            "people": 1010,
            "found": {"count": 620, "of": 1010, "share": 0.613861},
            "net_found": estimate(592.3, 561.4, 611.9),
            "expected_by_chance": 18.05,
            "false_match_rate": 0.044677,
            "false_match_rate_asked": 0.05,
            "false_at_most": 41,
            "missed_match_rate": estimate(0.1234, 0.0812, 0.1748),
            "missed_match_basis": "measured",
            "p": 1.2e-240,
            "p_harsh": 3.1e-4,
            "fewest_findable": 19,
            "matchable_share": 0.633663,
            "auc": 0.801234,
            "ambiguous": 7,
            "threshold": 0.587413,
        },
        "rosters": {
            "list_rows": 1033,
            "list_people": 1010,
            "duplicates": 23,
            "registry_rows": 12004,
            "registry_encoded": 11998,
            "lists": [{"people": 604, "found": 389}, {"people": 406, "found": 231}],
        },
        "scores": {"edges": EDGES, "real": real, "decoys": decoys},
        "rates": [
            {"threshold": 0.991234, "found": 40, "false_match_rate": 0.0251},
            {"threshold": 0.702345, "found": 566, "false_match_rate": 0.0117},
            {"threshold": 0.587413, "found": 620, "false_match_rate": 0.044677},
            {"threshold": 0.551234, "found": 661, "false_match_rate": 0.0912},
        ],
        "strata": [
            {
                "field": "unit",
                "values": [
                    {"label": "Б", "people": 611, "found": 402, "net_found": estimate(383.9, 360.0, 399.1)},
                    {"label": "А", "people": 392, "found": 214, "net_found": estimate(205.2, 190.0, 219.9)},
                    {"label": "Ж", "people": 4, "found": 3, "net_found": None},
                    {"label": "Я", "people": 1, "found": 0, "net_found": None},
                    {"label": "Э", "people": 2, "found": 1, "net_found": None},
                ],
            }
        ],
        "confirm": [
            {
                "field": "rank",
                "compared": 613,
                "missing": 0,
                "agree": 511,
                "share": 0.833605,
                "chance": 0.4127,
                "p": 0.0021,
                "higher": 31,
                "lower": 71,
            }
        ],
        "eligibility": None,
        "controls": {"people": 31, "found": 1, "expected": 1.3, "p": 0.72, "flat": True},
        "copy_check": {"pairs": 613, "identical": 4, "share": 0.006525, "natural": True, "rank_drift": 0.1664},
        "decoys": {
            "made": 20187,
            "a_person": 20,
            "fallbacks": 113,
            "harsh": 20190,
            "effective": 9871,
            "auc_weight": 0.5123,
            "auc_similarity": 0.4987,
            "sound": True,
        },
        "sensitivity": [{"what": "false_match_rate", "value": 0.01, "found": 571, "net_found": 565.4}],
        "completeness": [
            {"name": "whole name, whole date", "people": 901, "found": 571, "threshold": 0.61, "matchable_share": 0.64},
            {"name": "initials, whole date", "people": 109, "found": 49, "threshold": 0.58, "matchable_share": 0.5},
        ],
        "parameters": {
            "hardening": "standard",
            "length": 1024,
            "decoys": 20,
            "false_match_rate": 0.05,
            "kernel": "numba",
            "partner_rule": "arrivals",
            "secret": True,
            "registry_public_before_list": "unknown",
        },
        "fingerprints": {"schema": "ab" * 32, "folding": "cd" * 32},
        "run": "3 with this list; changed since the last: the list (about 2% of its cells), the schema",
        "warnings": ["weak_decoys", "row 17 of column 'Фамилия' holds no name"],
    }


def test_the_example_holds_together():
    assert contradictions(example()) == []


def leaves(value, path=""):
    """Every figure and text of a report by its path."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, f"{path}.{key}".lstrip("."))
    else:
        yield path, value


def small(people, found, values, lists=(), **more):
    """An audit of the headline, one stratum and lists: what the sums run over."""
    headline = {"people": people, "found": {"count": found, "of": people, "share": found / max(1, people)}}
    rosters = {"list_people": people, "lists": [{"people": whole, "found": part} for whole, part in lists]}
    rows = [{"label": label, "people": whole, "found": part, "net_found": None} for label, whole, part in values]
    strata = [{"field": "unit", "values": rows}] if rows else []
    return {"format": "pprl-audit/1", "headline": headline, "rosters": rosters, "strata": strata, **more}


# ---------------------------------------------------------------- rounding

#: base -> the first counts that are published as 0, base, 2 · base
NEAREST = {
    2: [[0, 1], [2, 3], [4, 5]],
    3: [[0, 1], [2, 3, 4], [5, 6, 7]],
    4: [[0, 1, 2], [3, 4, 5, 6], [7, 8, 9, 10]],
    5: [[0, 1, 2], [3, 4, 5, 6, 7], [8, 9, 10, 11, 12]],
    10: [[*range(6)], [*range(6, 16)], [*range(16, 26)]],
}


@pytest.mark.parametrize(("base", "groups"), NEAREST.items(), ids=NEAREST)
def test_no_published_count_stands_for_a_single_one(base, groups):
    for index, counts in enumerate(groups):
        assert {rounded(count, base) for count in counts} == {index * base}
        assert stands_for(index * base, base) == (counts[0], counts[-1])


@given(st.integers(0, 10**7), st.integers(1, 100))
def test_a_count_is_among_those_that_its_published_one_stands_for(count, base):
    low, high = stands_for(rounded(count, base), base)
    assert low <= count <= high
    assert abs(rounded(count, base) - count) * 2 <= base


def test_estimates_are_rounded_as_counts_are():
    assert [rounded(figure, 5) for figure in (592.3, 2.5, 2.51, -2.6, 0.0)] == [590, 0, 5, -5, 0]


# ---------------------------------------------------------------- the example


def test_what_the_report_of_the_example_says():
    report = disclose(example(), 5)
    assert report["format"] == "pprl-report/1"
    assert report["headline"] == {
        "people": 1010,
        "found": {"count": 620, "of": 1010, "share": 0.614},
        "net_found": estimate(590, 560, 610),
        "expected_by_chance": 20,
        "false_match_rate": 0.05,  # of the classes .001, .002, .005, .01 …
        "false_match_rate_asked": 0.05,
        "false_at_most": 45,
        "missed_match_rate": estimate(0.12, 0.05, 0.2),
        "missed_match_basis": "measured",
        "p": "<.001",
        "p_harsh": "<.001",
        "fewest_findable": 20,
        "matchable_share": 0.634,  # 640 / 1010
        "auc": 0.802,  # 810 / 1010
        "ambiguous": 5,
        "threshold": 0.6,
    }
    assert report["strata"][0]["values"] == [
        {"label": "А", "people": 390, "found": 215, "net_found": estimate(205, 190, 220)},
        {"label": "Б", "people": 610, "found": 400, "net_found": estimate(385, 360, 400)},
        {"label": "Ж", "people": 5, "found": 5, "net_found": None},
        {"label": None, "people": 0, "found": 0, "net_found": None},
        {"label": None, "rest": True, "people": 5, "found": 0, "net_found": None},  # Э and Я
    ]
    assert report["confirm"][0] == {
        "field": "rank",
        "compared": 615,
        "missing": 0,
        "agree": 510,
        "share": 0.829,  # 510 / 615
        "chance": 0.415,  # 255 / 615
        "p": "<.01",
        "higher": 30,
        "lower": 70,
    }
    assert report["copy_check"]["share"] == 0.008  # 5 / 615
    assert report["decoys"]["effective"] == 9900  # in steps of the decoys of five people
    assert report["run"] == "3 with this list; changed since the last: the list, the schema"
    assert report["warnings"] == ["weak_decoys", "see_audit"]
    assert exposed(report) == []


@pytest.mark.parametrize("small_cells", ["round", "suppress"])
@pytest.mark.parametrize("missing", [0, 1, 3, 20, 219, 608, 612])
def test_how_many_pairs_have_no_value_reveals_no_small_count(missing, small_cells):
    """Beside the pairs, those with a value on both sides follow from those without, and the other way round."""
    audit = example()
    compared = 613 - missing
    audit["confirm"][0] |= {"compared": compared, "missing": missing, "agree": compared, "share": 1.0}
    audit["confirm"][0] |= {"higher": None, "lower": None}
    report = disclose(audit, 5, small_cells=small_cells)
    assert report["confirm"][0]["missing"] in (None, rounded(missing, 5))
    assert exposed(report) == []
    told = audit | {"confirm": [audit["confirm"][0] | {"missing": missing + 1}]}
    assert contradictions(told) == ["confirm.0 compared and missing sum"]


SPANS = {
    "nobody missed": (estimate(0.0, 0.0, 0.0734), estimate(0.0, 0.0, 0.1)),
    "hardly anybody": (estimate(0.002, 0.0001, 0.05), estimate(0.01, 0.0, 0.05)),
    "a step": (estimate(0.15, 0.15, 0.15), estimate(0.15, 0.15, 0.15)),
    "all": (estimate(1.0, 0.951, 1.0), estimate(1.0, 0.95, 1.0)),
    "hardly anybody found": (estimate(0.998, 0.951, 1.0), estimate(0.99, 0.95, 1.0)),
}


@pytest.mark.parametrize(("exact", "published"), SPANS.values(), ids=SPANS)
def test_a_rate_with_an_interval_is_published_in_steps(exact, published):
    audit = example()
    audit["headline"]["missed_match_rate"] = exact
    report = disclose(audit, 5)
    assert report["headline"]["missed_match_rate"] == published
    assert check(report).headline.missed_match_rate == tuple(published.values())


def test_a_rate_with_an_interval_has_three_values():
    audit = example()
    audit["headline"]["missed_match_rate"] = {"value": 0.1}
    with pytest.raises(ValueError, match=r"headline\.missed_match_rate"):
        disclose(audit, 5)


def test_similarities_are_published_in_steps():
    report = disclose(example(), 5)
    assert report["scores"]["edges"] == [round(0.05 * index, 2) for index in range(21)]
    assert report["scores"]["real"][8:] == [5, 150, 230, 5, 55, 0, 0, 210, 0, 0, 300, 55]  # 3, 149, 231, 4, 57 …
    curve = {point["threshold"]: (point["found"], point["false_match_rate"]) for point in report["rates"]}
    assert len(curve) == 21
    assert (curve[1.0], curve[0.95], curve[0.9], curve[0.55]) == ((0, None), (40, 0.05), (40, None), (660, 0.1))


@pytest.mark.parametrize("mode", [{}, {"small_cells": "suppress"}, {"list_exempt": True}], ids=str)
def test_nothing_exact_is_left(mode):
    """Neither an exact figure of the example nor a word of its warnings is in the report."""
    text = json.dumps(disclose(example(), 5, **mode), ensure_ascii=False)
    for planted in ("20187", "113", "587", "592.3", "18.05", "Фамилия", "row 17", "2%", "0.044677", "240", "991"):
        assert planted not in text
    if "list_exempt" not in mode:
        assert "1033" not in text
        assert "Я" not in text  # one man's label


def test_base_1_is_exact():
    report = disclose(example(), 1)
    assert report["headline"]["found"]["count"] == 620
    assert report["strata"][0]["values"][3] == {"label": "Я", "people": 1, "found": 0, "net_found": None}
    assert report["headline"]["threshold"] == 0.587413
    assert report["headline"]["p"] == "<.001"


def test_the_audit_stays_as_it_was():
    audit = example()
    disclose(audit, 5)
    assert audit == example()


def test_the_composition_of_the_list_may_be_published():
    report = disclose(example(), 5, list_exempt=True)
    assert [(row["label"], row["people"], row["found"]) for row in report["strata"][0]["values"]] == [
        ("А", 392, 215),
        ("Б", 611, 400),
        ("Ж", 4, None),  # 5 of 4 would say: 3 or 4 of them
        ("Э", 2, 0),
        ("Я", 1, 0),  # 0 stands for 0 or 1 here
    ]
    assert report["rosters"]["duplicates"] == 23
    assert report["headline"]["found"] == {"count": 620, "of": 1010, "share": 0.614}


def test_few_people_have_more_decoys_each_and_the_report_does_not_say_so():
    """1,020 decoys, 34 per person, would say that there are 30 people."""
    audit = small(30, 10, [])
    audit["decoys"] = {"made": 1020, "a_person": 34, "fallbacks": 0, "harsh": 1020, "sound": True}
    assert disclose(audit, 5)["decoys"] == {"made": 600, "a_person": 20, "fallbacks": 0, "harsh": 600, "sound": True}


# ---------------------------------------------------------------- what is refused


def planted(where, key, value):
    audit = example()
    row = audit
    for name in where:
        row = row[name]
    row[key] = value
    return audit


REFUSED = {
    "a new key": (planted([], "registry_path", "/home/x"), "registry_path: not a key of a report"),
    "a new figure of the headline": (planted(["headline"], "median", 3), "headline.median: not a key"),
    "a row of a stratum": (planted(["strata", 0, "values", 1], "rows", [17]), "strata.0.values.1.rows: not a key"),
    "a figure of an estimate": (planted(["headline", "net_found"], "sd", 1.5), "an estimate has value, low and high"),
    "a figure in a code": (planted(["verdict"], "reasons", ["only 12 decoys"]), "does not hold such a text"),
    "a path as kernel": (planted(["parameters"], "kernel", "/usr/lib/k.so"), "does not hold such a text"),
    "a long hash": (planted(["fingerprints"], "schema", "ab" * 64), "does not hold such a text"),
    "a count in parts": (planted(["controls"], "found", 0.5), "controls.found: a count is a whole number"),
    "a count below 0": (planted(["controls"], "found", -1), "controls.found: a count is a whole number"),
    "a p that is none": (planted(["headline"], "p", math.nan), "headline.p: not a number"),
    "edges that are scores": (planted(["scores"], "edges", [0.2, 1.7]), "scores: edges rise from 0 to 1"),
    "a report": ({**example(), "format": "pprl-report/1"}, "an audit is needed"),
}


@pytest.mark.parametrize(("audit", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(audit, message):
    with pytest.raises(ValueError, match=message):
        disclose(audit, 5)


# ---------------------------------------------------------------- a bound


def bounded(found, bound, base=5, **mode):
    """The published matches and the published bound."""
    audit = small(200, found, [("А", 120, min(found, 120)), ("Б", 80, max(0, found - 120))])
    audit["headline"]["false_at_most"] = bound
    headline = disclose(audit, base, **mode)["headline"]
    return headline["found"]["count"], headline["false_at_most"]


BOUNDS = {
    "rounded up": (bounded(100, 41), (100, 45)),
    "a multiple of the base": (bounded(100, 40), (100, 40)),
    "none: one base": (bounded(100, 0), (100, 5)),
    "more than the published matches": (bounded(12, 11), (10, 10)),
    "all matches": (bounded(8, 8), (10, 10)),
    "matches that round to none": (bounded(2, 1), (0, None)),
    "not known": (bounded(100, None), (100, None)),
    "another base": (bounded(100, 41, 10), (100, 50)),
    "exact": (bounded(100, 0, 1), (100, 0)),
    "small cells are suppressed": (bounded(103, 41, small_cells="suppress"), (103, 45)),
}


@pytest.mark.parametrize(("published", "expected"), BOUNDS.values(), ids=BOUNDS)
def test_bounds(published, expected):
    assert published == expected


def test_a_bound_does_not_narrow_the_matches_down():
    """Whatever is published: every number of matches that rounds to the published one, and at least as many bounds as
    the base says, are possible."""
    possible, rounds_to = {}, {}
    for found in range(3, 33):
        for bound in range(found + 1):
            possible.setdefault(bounded(found, bound), set()).add((found, bound))
    for found in range(3, 33):
        rounds_to.setdefault(bounded(found, 0)[0], set()).add(found)
    for (published, _), pairs in possible.items():
        assert {found for found, _ in pairs} == rounds_to[published]
        assert len({bound for _, bound in pairs}) >= 5


# ---------------------------------------------------------------- cases at the ends


def test_zero_overlap():
    audit = small(200, 0, [("А", 120, 0), ("Б", 80, 0)])
    audit["headline"] |= {"net_found": estimate(0.0, 0.0, 0.0), "false_match_rate": None, "p": 0.83, "auc": 0.0}
    headline = disclose(audit, 5)["headline"]
    assert headline["found"] == {"count": 0, "of": 200, "share": {"at_most": 0.011}}  # 2 of 198
    assert headline["p"] == ">=.05"
    assert headline["auc"] == {"at_most": 0.011}


def test_full_overlap():
    audit = small(200, 200, [("А", 120, 120), ("Б", 80, 80)])
    audit["headline"] |= {"matchable_share": 1.0, "false_match_rate": 0.0}
    report = disclose(audit, 5)
    assert report["headline"]["found"] == {"count": 200, "of": 200, "share": {"at_least": 0.98}}  # 198 of 202
    assert report["headline"]["matchable_share"] == {"at_least": 0.98}
    assert report["headline"]["false_match_rate"] == 0.001
    assert exposed(report) == []


def test_every_stratum_tiny():
    report = disclose(small(9, 4, [(label, 1, label in "абвг") for label in "абвгдежзи"]), 5)
    assert [(row["label"], row["people"], row["found"]) for row in report["strata"][0]["values"]] == [
        (None, 0, 0),
        (None, 10, 5),
    ]
    assert exposed(report) == []


@pytest.mark.parametrize("found", [0, 1])
def test_one_person(found):
    """Matched or not: the report is the same."""
    audit = small(1, found, [("А", 1, found)], lists=[(1, found)])
    audit["scores"] = {"edges": [0.0, 0.5, 1.0], "real": [1 - found, found], "decoys": [0.4, 0.6]}
    audit["rates"] = [{"threshold": 0.83, "found": found, "false_match_rate": 0.05}] * found
    assert disclose(audit, 5) == disclose({**audit, "rates": []}, 5) if not found else True
    report = disclose(audit, 5)
    published = dict(leaves(report))
    assert {published["headline.people"], published["headline.found.count"], published["strata.0.values.1.people"]} == {
        0
    }
    assert published["headline.found.share"] is None
    assert (report["scores"], report["rates"]) == (None, [])


def test_no_figure_is_known():
    audit = small(12, 0, [("А", 12, 0)])
    audit["headline"] |= {"found": None, "net_found": None, "threshold": None, "auc": None}
    audit["strata"][0]["values"][0]["found"] = None
    for mode in ("round", "suppress"):
        report = disclose(audit, 5, small_cells=mode)
        assert report["headline"]["found"] is None
        assert report["strata"][0]["values"][0]["found"] is None


def test_the_order_of_labels_says_nothing():
    item = disclose(small(20, 8, [("А", 11, 4), ("Б", 9, 4)]), 5)
    assert (
        item
        == disclose(small(20, 8, [("Б", 9, 4), ("А", 11, 4)]), 5)
        == disclose(small(20, 8, [("Б", 11, 4), ("А", 9, 4)]), 5)
    )


# ---------------------------------------------------------------- one person less


def without_one(audit):
    """The audit without one matched person of unit Б in part 1, whose similarity was .94."""
    less = copy.deepcopy(audit)
    headline, rosters = less["headline"], less["rosters"]
    rows = [headline, rosters["lists"][0], less["strata"][0]["values"][0], less["completeness"][0]]
    for row in rows:
        row["people"] -= 1
    for row in (*rows[1:], less["sensitivity"][0], *less["rates"][1:]):
        row["found"] -= 1
    people, found = headline["people"], headline["found"]["count"] - 1
    headline["found"] = {"count": found, "of": people, "share": found / people}
    headline["net_found"] = {key: end - 0.95 for key, end in headline["net_found"].items()}
    headline["false_match_rate"] *= 620 / found
    headline["matchable_share"] = (headline["matchable_share"] * 1010 - 1) / people
    headline["auc"] = (headline["auc"] * 1010 - 1) / people
    rosters["list_rows"] -= 1
    rosters["list_people"] -= 1
    less["scores"]["real"][94] -= 1
    less["scores"]["decoys"] = [count * people / (people + 1) for count in less["scores"]["decoys"]]
    confirm, pairs = less["confirm"][0], less["copy_check"]
    confirm["compared"] -= 1
    confirm["agree"] -= 1
    pairs["pairs"] -= 1
    for row, part, whole in ((confirm, "agree", "compared"), (pairs, "identical", "pairs")):
        row["share"] = row[part] / row[whole]
    less["decoys"]["made"] -= 20
    less["decoys"]["harsh"] -= 20
    return less


def test_one_person_less_changes_nothing_unless_a_count_rounds_differently():
    """Five people leave, one after another: each count that they are in moves once, by 5, and nothing else changes."""
    audit, before = example(), dict(leaves(disclose(example(), 5)))
    figures, moved = set(before), []
    for _ in range(5):
        audit = without_one(audit)
        assert contradictions(audit) == []
        after = dict(leaves(disclose(audit, 5)))
        moved.append({path for path in figures if after[path] != before[path]})
        for path in moved[-1]:
            if isinstance(after[path], int) and isinstance(before[path], int):
                assert before[path] - after[path] == (100 if path.startswith("decoys.") else 5)
        before = after
    assert moved[0] == {
        "rosters.list_rows",  # 1,032
        "confirm.0.compared",  # 612 of 613, and what is computed from it
        "confirm.0.share",
        "confirm.0.chance",
        "copy_check.pairs",
        "copy_check.rank_drift",
    }
    for path in ("headline.people", "headline.found.count", "rosters.list_people", "decoys.made", "scores.real.18"):
        assert sum(path in paths for paths in moved) == 1


# ---------------------------------------------------------------- what a report gives away


def rounded_only(audit, base):
    """What rounding alone would publish, in the shape of a report: no cell is suppressed."""
    report = copy.deepcopy(audit)
    report |= {"format": "pprl-report/1", "disclosure": {"base": base, "small_cells": "round", "list_exempt": False}}
    people, found = (
        rounded(count, base) for count in (report["headline"]["people"], audit["headline"]["found"]["count"])
    )
    report["headline"] |= {"people": people, "found": {"count": found, "of": people, "share": None}}
    report["rosters"]["list_people"] = people
    for row in (*report["rosters"]["lists"], *report["strata"][0]["values"]):
        row |= {"people": rounded(row["people"], base), "found": rounded(row["found"], base)}
    return report


def test_parts_that_leave_their_sum_little_room():
    """5 and 1,005 of 1,005: the parts are at least 3 + 1,003, the whole at most 1,007, so the 5 is 3 or 4."""
    audit = small(1007, 600, [("А", 3, 2), ("Б", 1004, 598)])
    assert "strata.0.values.0.people" in exposed(rounded_only(audit, 5))
    audit = small(1010, 600, [("А", 4, 2), ("Б", 1006, 598)])  # 5 and 1,005 of 1,010 leave room enough
    assert exposed(rounded_only(audit, 5)) == []


def test_disclose_suppresses_what_sums_give_away():
    report = disclose(small(1007, 600, [("А", 3, 2), ("Б", 1004, 598)], lists=[(3, 2), (1004, 598)]), 5)
    assert report["rosters"]["lists"][0] == {"people": None, "found": 0, "suppressed": True}
    assert report["rosters"]["lists"][1] == {"people": 1005, "found": 600}
    assert exposed(report) == []


SOME, ALL = small(14, 4, [("А", 8, 3), ("Б", 6, 1)]), small(14, 14, [("А", 8, 8), ("Б", 6, 6)])
LEAKS = {
    "an exact share": (SOME, ["headline", "found"], "share", 4 / 14, "headline.found.count"),
    "an exact share to four digits": (SOME, ["headline", "found"], "share", 0.2857, "headline.found.count"),
    "a share of 100%": (ALL, ["headline", "found"], "share", 1.0, "headline.found.count.rest"),
    "an exact count": (SOME, ["strata", 0, "values", 0], "found", 1, "strata.0.values.0.found"),
}


@pytest.mark.parametrize(("audit", "where", "key", "value", "name"), LEAKS.values(), ids=LEAKS)
def test_a_planted_leak_is_found(audit, where, key, value, name):
    report = disclose(audit, 5)
    assert exposed(report) == []
    row = report
    for step in where:
        row = row[step]
    row[key] = value
    assert name in exposed(report)


def test_an_exact_rate_beside_the_net_is_found():
    """4 found, net 3: 25% false; only 4 of 3 to 7 found leave a net of 2.5 to 7.5 … unless the rate is a class."""
    report = disclose(small(14, 4, []), 5)
    report["headline"] |= {"net_found": estimate(5, 0, 5), "false_match_rate_asked": 0.6, "false_match_rate": 0.6}
    assert exposed(report) == []
    report["headline"]["false_match_rate"] = 0.55
    assert exposed(report) == ["headline.found.count"]


def test_figures_that_nothing_fits():
    report = disclose(small(14, 4, [("А", 8, 3), ("Б", 6, 1)]), 5)
    report["strata"][0]["values"][0]["people"] = 40
    with pytest.raises(ValueError, match="no exact counts fit"):
        exposed(report)


def span(shown, base, hidden):
    return range(41) if hidden else range(stands_for(shown, base)[0], stands_for(shown, base)[1] + 1)


def options(row, base):
    """All (people, found) that one line of a table leaves possible."""
    return {
        (people, found)
        for people in span(row["people"], base, row["people"] is None)
        for found in span(row["found"], base, row["found"] is None)
        if found <= people
    }


def summed(sets):
    total = {(0, 0)}
    for item in sets:
        total = {(left + people, right + found) for left, right in total for people, found in item}
    return total


def possible(report, base):
    """By enumeration: for each line, all (people, found) that fit the whole report.

    Tables meet only in the totals, so it is enough to go through each table's sums."""
    head = {"people": report["headline"]["people"], "found": report["headline"]["found"]["count"]}
    tables = {"strata.0.values": report["strata"][0]["values"], "rosters.lists": report["rosters"]["lists"]}
    tables = {above: [options(row, base) for row in rows] for above, rows in tables.items() if rows}
    totals = options(head, base)
    for sets in tables.values():
        totals &= summed(sets)
    fits = {"headline": totals}
    for above, sets in tables.items():
        for index, item in enumerate(sets):
            others = summed(sets[:index] + sets[index + 1 :])
            fits[f"{above}.{index}"] = {
                (people, found)
                for people, found in item
                if any((people + left, found + right) in totals for left, right in others)
            }
    return fits


def given_away(report, base):
    """`exposed` by enumeration, where nothing is suppressed."""
    names = set()
    for above, pairs in possible(report, base).items():
        people, found = ({pair[index] for pair in pairs} for index in (0, 1))
        row = report
        for step in above.split("."):
            row = row[int(step)] if step.isdigit() else row[step]
        shown = row["people"], (row["found"]["count"] if above == "headline" else row["found"])
        room = stands_for(shown[0], base)[1] + 1
        rest = {pair[0] - pair[1] for pair in pairs}
        name = f"{above}.found.count" if above == "headline" else f"{above}.found"
        for cell, values, alone in (
            (f"{above}.people", people, len(span(shown[0], base, False))),
            (name, found, min(room, len(span(shown[1], base, False)))),
            (f"{name}.rest", rest, min(room, base // 2 + 1)),
        ):
            if max(values) - min(values) + 1 < (alone if min(values) < base else min(2, alone)):
                names.add(cell)
    return names


rows = st.integers(0, 9).flatmap(lambda people: st.tuples(st.just(people), st.integers(0, people)))


@st.composite
def audits(draw):
    """A stratum of up to four labels, and the same people in up to two lists."""
    values = draw(st.lists(rows, min_size=1, max_size=4))
    people, found = (sum(row[index] for row in values) for index in (0, 1))
    first = draw(st.integers(0, people))
    part = draw(st.integers(max(0, found - (people - first)), min(first, found)))
    lists = draw(st.sampled_from([[], [(people, found)], [(first, part), (people - first, found - part)]]))
    return small(people, found, [(label, *row) for label, row in zip("АБВГ", values, strict=False)], lists)


@settings(max_examples=60)
@given(audits(), st.sampled_from([2, 3, 4, 5]))
def test_what_is_given_away_is_what_enumeration_finds(audit, base):
    report = rounded_only(audit, base)
    assert {name for name in exposed(report) if "list_people" not in name} == given_away(report, base)


@settings(max_examples=25)
@given(audits(), st.sampled_from([2, 3, 4, 5, 10]))
def test_no_small_count_can_be_worked_out_from_others(audit, base):
    report = disclose(audit, base)
    assert exposed(report) == []
    for pairs in possible(report, base).values():
        for values in (
            {pair[0] for pair in pairs},
            {pair[1] for pair in pairs},
            {whole - part for whole, part in pairs},
        ):
            assert len(values) > 1 or min(values) >= base


@pytest.mark.parametrize("mode", [{}, {"small_cells": "suppress"}], ids=["rounded", "suppressed"])
def test_a_histogram_that_gives_counts_away_is_left_out(mode):
    """Four bins of 3 round to 5 each and their 12 people to 10: together that is 12 and 3, exactly."""
    edges = [index / 20 for index in range(21)]
    real = [3, 3, 3, 3, *[0] * 16]
    audit = small(12, 4, [("А", 12, 4)], scores={"edges": edges, "real": real, "decoys": [12.0, *[0.0] * 19]})
    report = disclose(dict.fromkeys(example()) | {"verdict": example()["verdict"]} | audit, 5, **mode)
    assert report["scores"] is None
    assert exposed(report) == []
    assert "The distribution of similarities is not part of this report." in render(load(json.dumps(report).encode()))


def test_that_property_can_fail():
    """Rounding alone does give small counts away."""
    report = rounded_only(small(12, 6, [("А", 3, 1), ("Б", 9, 5)]), 5)  # 5 and 10 of 10
    assert possible(report, 5)["strata.0.values.0"] == {(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2)}
    assert "strata.0.values.0.people" in given_away(report, 5)


# ---------------------------------------------------------------- suppression

#: table, threshold, what is published: a count, or None
SUPPRESSED = {
    "nothing small": ([7, 9], 5, [7, 9, 16]),
    "a small cell and its complement": ([3, 50, 80], 5, [None, None, 80, 133]),
    "two small cells that protect each other": ([3, 4, 80], 5, [None, None, 80, 87]),
    "two small cells that do not": ([1, 2, 80], 5, [None, None, None, 83]),
    "nobody": ([0, 80], 5, [None, None, 80]),
    "all small": ([1, 2], 5, [None, None, None]),
    "two ways": (
        [[3, 20, 30], [10, 20, 30], [40, 50, 60]],
        5,
        [[None, None, 30, 53], [None, None, 30, 60], [40, 50, 60, 150], [53, 90, 120, 263]],
    ),
}


@pytest.mark.parametrize(("table", "threshold", "published"), SUPPRESSED.values(), ids=SUPPRESSED)
def test_suppressed(table, threshold, published):
    counts = np.array(table)
    for axis in range(counts.ndim):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    assert np.where(suppress(table, threshold), None, counts).tolist() == published


@settings(max_examples=40)
@given(
    st.integers(1, 3).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(0, 12), min_size=columns, max_size=columns), min_size=1, max_size=3
        )
    ),
    st.integers(2, 4),
)
def test_a_hidden_cell_may_be_moved_by_the_threshold(table, threshold):
    """Another table fits what is published in which the cell differs by at least half the threshold, in integers."""
    counts = np.array(table)
    for axis in range(2):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    hidden = suppress(table, threshold)
    assert hidden[counts < threshold].all()
    shape = counts.shape
    sums = []
    for line in (*np.arange(counts.size).reshape(shape), *np.arange(counts.size).reshape(shape).T):
        row = np.zeros(counts.size)
        row[line] = 1
        row[line[-1]] = -1
        sums.append(row)
    free = hidden.ravel()
    bounds = Bounds(np.where(free, 0, counts.ravel()), np.where(free, 10**4, counts.ravel()))
    for cell in np.flatnonzero(free):
        ends = []
        for sign in (1, -1):
            aim = np.zeros(counts.size)
            aim[cell] = sign
            result = milp(aim, constraints=LinearConstraint(np.array(sums), 0, 0), bounds=bounds, integrality=1)
            ends.append(round(sign * result.fun))
        assert ends[1] - ends[0] >= threshold


def test_row_totals_that_are_published_anyway():
    hidden = suppress([[3, 4], [9, 9], [30, 40]], 5, open_rows=True)
    assert not hidden[:, -1].any()
    assert hidden[:2, :2].all()  # column totals would give the 3 and the 4 away
    assert not hidden[2].any()


@pytest.mark.parametrize("table", [[], 3, [[[1]]], [-1, 2], [0.5, 1]], ids=str)
def test_no_table(table):
    with pytest.raises(ValueError, match=r"table|whole numbers"):
        suppress(table, 5)


def test_small_cells_are_suppressed_and_large_ones_exact():
    report = disclose(example(), 5, small_cells="suppress")
    values = report["strata"][0]["values"]
    assert values[1] == {"label": "Б", "people": 611, "found": 402, "net_found": estimate(385, 360, 400)}
    nothing = {"people": None, "found": None, "net_found": None, "suppressed": True}
    assert values[0] == {
        "label": "А",
        **nothing,
        "people": 392,
    }  # otherwise 620 found less 214 and 402 would be the rest's
    assert values[2] == {"label": None, "rest": True, **nothing, "people": 7}  # Ж, Э and Я: 4 of 7 found
    assert report["rosters"]["lists"] == [{"people": 604, "found": 389}, {"people": 406, "found": 231}]
    assert report["confirm"][0]["agree"] == 511
    assert report["disclosure"] == {"base": 5, "small_cells": "suppress", "list_exempt": False}
    assert exposed(report) == []


def test_eligible_people_do_not_give_the_others_away():
    """1,010 people of whom 1,007 could be in the registry would say that 3 could not."""
    audit = small(1007, 600, [])
    audit["rosters"]["list_people"] = 1010
    groups = {"eligible": (900, 550), "unknown": (107, 50), "ineligible": (3, 0)}
    audit["eligibility"] = {name: {"people": whole, "found": part} for name, (whole, part) in groups.items()}
    assert contradictions(audit) == []
    for mode in ("round", "suppress"):
        report = disclose(audit, 5, small_cells=mode)
        assert exposed(report) == []
        published = report["rosters"]["list_people"], report["headline"]["people"]
        assert published != (1010, 1007)


@settings(max_examples=40)
@given(audits(), st.booleans())
def test_suppressed_reports_give_nothing_away(audit, list_exempt):
    report = disclose(audit, 5, small_cells="suppress", list_exempt=list_exempt)
    assert exposed(report) == []
    counts = [value for path, value in leaves(report) if path.endswith(("found", "count", "people"))]
    if not list_exempt:
        assert all(count is None or count >= 5 or count == 0 for count in counts)


def test_an_audit_that_does_not_sum():
    assert contradictions(planted(["rosters"], "list_people", 1009)) == [
        "people are the list's",
        "people of rosters.lists sum",
    ]


# ---------------------------------------------------------------- whole audits at random


def cut(rng, whole, parts):
    """A whole number cut into parts."""
    ends = [0, *sorted(rng.randint(0, whole) for _ in range(parts - 1)), whole]
    return [right - left for left, right in itertools.pairwise(ends)]


def within(rng, groups, found):
    """Matches, spread over groups."""
    people = [index for index, count in enumerate(groups) for _ in range(count)]
    chosen = rng.sample(people, found)
    return [chosen.count(index) for index in range(len(groups))]


def any_audit(seed):
    """The example with other counts throughout, whose sums hold."""
    rng, audit = random.Random(seed), example()
    people, absent, repeats = rng.choice([0, 1, 6, 30, 200]), rng.randint(0, 9), rng.randint(0, 5)
    found, absent_found, rate = rng.randint(0, people), rng.randint(0, absent), rng.random() * 0.05
    ambiguous = rng.randint(0, min(found, 8))
    pairs, listed = found - ambiguous, people + absent
    headline = {"people": people, "ambiguous": ambiguous, "false_match_rate": rate if found else None}
    headline["found"] = {"count": found, "of": people, "share": found / max(1, people)}
    headline["net_found"] = estimate(found * (1 - rate), 0.0, float(found))
    audit["headline"] |= headline
    audit["rosters"] |= {"list_people": listed, "duplicates": repeats, "list_rows": listed + repeats}
    groups, names = cut(rng, people, 2), ("eligible", "unknown", "ineligible")
    ends = zip(names, [*groups, absent], [*within(rng, groups, found), absent_found], strict=True)
    audit["eligibility"] = {name: {"people": whole, "found": part} for name, whole, part in ends}
    lists, values, classes = cut(rng, listed, 2), cut(rng, people, rng.randint(1, 6)), cut(rng, people, 2)
    audit["rosters"]["lists"] = [{"people": whole, "found": 0} for whole in lists]
    audit["strata"] = [
        {"field": "unit", "values": [{"label": str(index), "people": whole} for index, whole in enumerate(values)]}
    ]
    tables = [(audit["rosters"]["lists"], lists, found + absent_found)]
    tables += [(audit["strata"][0]["values"], values, found), (audit["completeness"], classes, found)]
    for table, counts, total in tables:
        for row, whole, part in zip(table, counts, within(rng, counts, total), strict=True):
            row |= {"people": whole, "found": part}
    audit["scores"] |= {"real": cut(rng, people, 100), "decoys": [people / 100] * 100}
    compared = rng.randint(0, pairs)
    agree, higher, lower = cut(rng, compared, 3)
    audit["confirm"][0] |= {"compared": compared, "missing": pairs - compared}
    audit["confirm"][0] |= {"agree": agree, "higher": higher, "lower": lower}
    audit["copy_check"] |= {"pairs": pairs, "identical": rng.randint(0, min(pairs, 9))}
    for row, part in zip(audit["rates"], sorted(rng.randint(0, people) for _ in audit["rates"]), strict=True):
        row["found"] = part
    audit["sensitivity"][0]["found"] = rng.randint(0, people)
    audit["decoys"] |= {"made": 20 * people, "harsh": 20 * people}
    return audit


@pytest.mark.parametrize("mode", [{}, {"small_cells": "suppress"}, {"list_exempt": True}], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_any_audit_is_disclosed_until_nothing_is_given_away(seed, mode):
    audit = any_audit(seed)
    for row in audit["strata"][0]["values"]:
        row.setdefault("net_found", None)
    assert contradictions(audit) == []
    assert exposed(json.loads(json.dumps(disclose(audit, 5, **mode)))) == []
