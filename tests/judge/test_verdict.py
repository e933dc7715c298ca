"""The ladder and the checks that hold it back, by hand; and whole runs at the ends of what can happen."""

import json
import random
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import pprl
from pprl.cli.output import summary
from pprl.core.bits import BitMatrix
from pprl.core.key import LinkageKey
from pprl.core.private_rows import Label, Policy, RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema_file import parse_schema
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import judge
from pprl.judge.assignment import Candidates
from pprl.judge.confirmation import Agreement, agreement
from pprl.judge.diagnostics import (
    Absent,
    CopyCheck,
    Soundness,
    absent,
    auc,
    copy_check,
    diagnose,
    eligibility,
    resemblance,
    soundness,
)
from pprl.judge.labels import positions_of
from pprl.judge.matches import assign_partners, find_matches
from pprl.judge.verdict import Grounds, decide_verdict
from pprl.link import link
from pprl.match.encodings import match_encodings
from pprl.report import render
from pprl.report.disclosure import contradictions, disclose, exposed
from pprl.roster.load import load

SOUND, FLAT = Soundness(0.5, 0.6), Absent(50, 1, 1.0, 0.4)
AGREES = Agreement(field="rank", compared=100, missing=0, agree=80, chance=0.3, p=0.001)
NATURAL = CopyCheck(100, 60, True, 0.2)
TOP = {
    "p": 1e-9,
    "p_relatives": 1e-9,
    "p_registry": 1e-9,
    "p_with_margin": 1e-9,
    "low": 10.0,
    "needed": 10,
    "people": 100,
    "decoys": SOUND,
    "confirm": [AGREES],
    "copied": NATURAL,
    "controls": FLAT,
    "ineligible": None,
    "public": "no",
}
RUNGS = {
    "everything holds": ({}, 3, ()),
    "the test": ({"p": 0.001}, 0, ("test",)),
    "the test against relatives": ({"p_relatives": 0.02}, 0, ("harsh_test",)),
    "no test against relatives, since given names are missing": ({"p_relatives": None}, 1, ("no_harsh_test",)),
    "decoys that nobody checked": ({"decoys": None}, 1, ("decoys_unchecked",)),
    "one of many fields agrees": ({"confirm": [replace(AGREES, p=0.005)] * 3}, 1, ("confirm_disagrees",)),
    "a handful of controls": ({"controls": Absent(19, 0, 0.1, 1.0)}, 2, ("few_controls",)),
    "the interval": ({"low": 0.0}, 0, ("interval",)),
    "no threshold": ({"low": None}, 1, ("no_pairs",)),
    "no threshold and nothing to confirm with": ({"low": None, "confirm": []}, 1, ("no_pairs", "no_confirm_field")),
    "no threshold, and the test": ({"low": None, "p": 0.5}, 0, ("test",)),
    "no threshold, and no margin": ({"low": None, "p_with_margin": 0.001}, None, ("margin",)),
    "no nearer than the registry's decoys": ({"p_registry": 0.001}, None, ("registry_decoys",)),
    "a registry without decoys": ({"p_registry": None}, 3, ()),
    "no nearer than anybody's decoys": ({"p": 0.001, "p_registry": 0.5}, 0, ("test",)),
    "a threshold, and no margin": ({"p_with_margin": 0.001}, 3, ()),
    "fewer would not be seen": ({"low": None, "p": 0.5, "needed": 11}, None, ("power",)),
    "the power that the test has does not matter once it is passed": ({"needed": 90}, 3, ()),
    "the test against relatives, without power": ({"p_relatives": 0.02, "needed": 11}, 0, ("harsh_test",)),
    "nothing to confirm with": ({"confirm": []}, 1, ("no_confirm_field",)),
    "too few pairs to confirm": ({"confirm": [replace(AGREES, compared=19)]}, 1, ("confirm_disagrees",)),
    "agreement that chance gives": ({"confirm": [replace(AGREES, p=0.01)]}, 1, ("confirm_disagrees",)),
    "a copy that agrees": ({"copied": CopyCheck(100, 100, False, 0.0)}, 1, ("copying_not_excluded",)),
    "no controls": ({"controls": None}, 2, ("no_controls",)),
    "a public registry": ({"public": "yes"}, 2, ("registry_public",)),
    "nobody says whether it was public": ({"public": "unknown"}, 2, ("registry_obtainable_unknown",)),
    "controls that are found": ({"controls": Absent(50, 20, 1.0, 0.001)}, None, ("weak_decoys",)),
    "junk decoys": ({"decoys": Soundness(0.5, 0.1)}, None, ("unsound_decoys",)),
    "decoys of another weight": ({"decoys": Soundness(0.9, 0.5)}, None, ("unsound_decoys",)),
    "decoys that resemble nobody": ({"decoys": Soundness(0.5, 0.5, 0.005)}, None, ("unsound_decoys",)),
    "decoys that resemble the list": ({"decoys": Soundness(0.5, 0.5, 0.0049)}, 3, ()),
}


@pytest.mark.parametrize(("change", "rung", "reasons"), RUNGS.values(), ids=RUNGS)
def test_the_rungs_of_the_ladder(change, rung, reasons):
    verdict = decide_verdict(Grounds(**TOP | change))
    assert (verdict.rung, verdict.reasons) == (rung, reasons)


def test_the_area_under_the_curve_by_hand():
    assert auc(np.array([1.0, 2, 3]), np.array([0.0, 2])) == (1 + 1 + 1 + 0.5 + 0 + 1) / 6
    assert auc(np.array([]), np.array([1.0])) == 0.5


def label(name: str, kind: str, role: str, *values: str | None) -> Label:
    known = tuple(dict.fromkeys(value for value in values if value is not None))
    codes = [-1 if value is None else known.index(value) for value in values]
    return Label(name=name, type=kind, role=role, values=known, codes=np.array(codes, dtype=np.int32))


def test_agreement_against_permuted_partners_by_hand():
    # One group: list a a b c, registry a a b a; 3 of 4 agree; permuted: (2·3 + 1·1 + 1·0) / 4 = 7/4 of 4.
    ours, theirs = label("r", "category", "confirm", *"aabc"), label("r", "category", "confirm", *"aaba")
    positions = np.arange(4)
    found = agreement(ours, theirs, (positions, positions), np.zeros(4, dtype=np.int64), RandomStream(b"x" * 32, "t"))
    assert (found.compared, found.agree, found.chance) == (4, 3, round(7 / 4 / 4, 4))
    assert found.higher is None


def test_ranks_say_which_is_higher_and_missing_values_are_not_compared():
    ours, theirs = (
        label("r", "rank", "confirm", "10", "40", "20", None),
        label("r", "rank", "confirm", "20", "30", "20", "10"),
    )
    positions = np.arange(4)
    found = agreement(ours, theirs, (positions, positions), np.zeros(4, dtype=np.int64), RandomStream(b"x" * 32, "t"))
    assert (found.compared, found.missing, found.agree, found.higher, found.lower) == (3, 1, 1, 1, 1)


def test_partners_are_permuted_within_their_group():
    # Two groups that agree wholly within: permuting within them changes nothing, so agreement proves nothing.
    ours = label("r", "category", "confirm", *"aaaabbbb")
    positions, groups = np.arange(8), np.array([0] * 4 + [1] * 4)
    assert agreement(ours, ours, (positions, positions), groups, RandomStream(b"x" * 32, "t")).p == 1.0
    together = agreement(ours, ours, (positions, positions), np.zeros(8, dtype=np.int64), RandomStream(b"x" * 32, "t"))
    assert 0 < together.p < 0.1  # 2 of 70 ways agree as much


def test_who_could_be_in_the_registry():
    joined = label("j", "date", "joined", "2022-05-31", "2022-06-01", "2022-06-02", "2022", "2023", "2021", None)
    can, cannot = eligibility((joined,), Policy(as_of="2022-06-01"), np.arange(7))
    assert can.tolist() == [True, True, False, False, False, True, False]
    assert cannot.tolist() == [False, False, True, False, True, False, False]
    service = label("s", "category", "stratum", "mobilizaciya", "kontrakt")
    _, cannot = eligibility((service,), Policy(as_of="2022-06-01"), np.arange(2))
    assert cannot.tolist() == [True, False]
    assert eligibility((service,), Policy(as_of="2023-01-01"), np.arange(2)) is None
    assert eligibility((joined,), Policy(), np.arange(7)) is None


@pytest.mark.parametrize(("identical", "natural"), [(100, False), (96, False), (92, False), (80, True)])
def test_a_copy_is_as_similar_as_copies_are(identical, natural):
    similarity = np.array([1.0] * identical + [0.8] * (100 - identical))
    assert copy_check(similarity, np.full(100, 0.001), np.ones(100, dtype=bool), None).natural == natural


def test_false_pairs_make_no_list_natural():
    similarity, q = np.array([1.0] * 95 + [0.6] * 5), np.array([0.001] * 95 + [0.04] * 5)
    assert not copy_check(similarity, q, np.ones(100, dtype=bool), None).natural
    short = np.array([1.0] * 20 + [0.8] * 10)
    assert copy_check(
        short, np.full(30, 0.02), np.ones(30, dtype=bool), None
    ).natural  # 10 of 30, where 10% is expected


def test_a_field_filled_on_one_side_only_is_no_difference():
    similarity, alike = np.array([1.0] * 50 + [0.8] * 50), np.array([True] * 50 + [False] * 50)
    assert not copy_check(similarity, np.full(100, 0.001), alike, None).natural
    assert not copy_check(np.full(100, 0.8), np.full(100, 0.001), np.arange(100) < 19, None).natural


@pytest.mark.parametrize(
    "less", [{"patronymic": ""}, {"born": "1980"}, {"given": "И."}], ids=["no patronymic", "a year", "an initial"]
)
def test_a_copied_list_that_says_less_is_still_a_copy(less):
    ((field, value),) = less.items()
    copied = roster(60)
    copied[field] = [text[:4] if field == "born" else text[:1] + "." if value else "" for text in copied[field]]
    answer = pprl.link(copied, roster(400), SCHEMA, seed=1, allow_empty=True)
    assert answer.verdict.rung == 1
    assert "copying_not_excluded" in answer.verdict.reasons


def test_lone_pairs_prove_nothing():
    """Rank depends on the decade alone: nothing agrees within it, and pairs alone in their group are not permuted."""
    draw, sure = random.Random(1), 0
    for number in range(50):
        decades = [draw.randrange(5) for _ in range(60)]
        ours, theirs = (
            label("r", "category", "confirm", *(f"{decade + draw.randrange(2)}" for decade in decades)) for _ in "ab"
        )
        positions = np.arange(60)
        for groups in (positions, np.array(decades)):
            found = agreement(
                ours, theirs, (positions, positions), groups, RandomStream(number.to_bytes(32, "big"), "t")
            )
            sure += found.confirms(1)
    assert sure <= binom.ppf(0.9999, 100, 0.01)


def test_decoys_like_nobody_on_the_list_are_unsound():
    draw = np.random.default_rng(1)
    people = draw.integers(0, 2**64, (200, 16), dtype=np.uint64, endpoint=False) & draw.integers(
        0, 2**64, (200, 16), dtype=np.uint64, endpoint=False
    )
    base = people[:1] | np.zeros((200, 16), dtype=np.uint64)
    rows = np.where(draw.random((200, 16)) < 0.6, base, people)  # people who resemble each other
    alike = np.where(draw.random((200, 16)) < 0.6, base, np.roll(people, 1, axis=0))
    random = np.roll(people, 7, axis=1)
    positions, owner = np.arange(200), np.arange(200)
    for decoys, sound in ((alike, True), (random, False)):
        words = np.concatenate([rows, decoys])
        diagnosis = diagnose(words, positions, positions + 200, owner, RandomStream(b"x" * 32, "t"))
        assert soundness(diagnosis, positions, positions + 200).sound == sound


def test_a_list_of_relatives_does_not_make_decoys_strangers():
    """Each row has a relative who is closer than any decoy; all others resemble each other."""
    draw = np.random.default_rng(2)
    stock = draw.integers(0, 2**64, 16, dtype=np.uint64, endpoint=False)

    def of_stock(count):
        person = draw.integers(0, 2**64, (count, 16), dtype=np.uint64, endpoint=False)
        return np.where(draw.random((count, 16)) < 0.6, stock, person)

    brothers = np.repeat(of_stock(100), 2, axis=0)
    brothers[::2, 0] ^= np.uint64(0xFF)
    positions = np.arange(200)
    diagnosis = diagnose(
        np.concatenate([brothers, of_stock(200)]), positions, positions + 200, positions, RandomStream(b"x" * 32, "t")
    )
    assert soundness(diagnosis, positions, positions + 200).sound


SCHEMA = parse_schema(
    'format = 1\nname = "ends"\npolicy.registry_as_of = 2022-06-01\n'
    '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.patronymic]\ntype = "patronymic"\n'
    '[fields.born]\ntype = "date"\n[fields.rank]\ntype = "rank"\nrole = "confirm"\n'
    '[fields.unit]\ntype = "category"\nrole = "stratum"\n[fields.joined]\ntype = "date"\nrole = "joined"\n'
)
HEADERS = [field.name for field in SCHEMA.fields]


@pytest.mark.parametrize("name", ["plain", "standard", "high"])
def test_decoys_of_the_list_resemble_it_under_every_set(name):
    """Hardened strangers agree on half of their bits, so only many decoys together show what they are made of."""
    schema = SCHEMA.with_hardening(name)
    people = load(roster(100), schema, "list").people
    encodings, rows = encode_list(people, schema, LinkageKey.make(1), randomness=Randomness.make(1))
    words = encodings.bits.words[positions_of(rows.handles, encodings.handles)]
    real, decoys = rows.of_kind(RecordKind.REAL), rows.of_kind(RecordKind.DECOY)
    assert resemblance(words, real, decoys) > 2.6
    draw = np.random.default_rng(1)
    invented = draw.integers(0, 2**64, words.shape, dtype=np.uint64)
    bits = np.unpackbits(words.view("u1"), axis=1)
    moved = np.ascontiguousarray(np.packbits(bits[:, draw.permutation(bits.shape[1])], axis=1))
    for others in (invented, moved.view("<u8")):  # like nobody; like each other and nobody here
        forged = words.copy()
        forged[decoys] = others[decoys]
        assert resemblance(forged, real, decoys) < 2.6


SURNAMES = ["Лугов", "Зимин", "Озеров", "Полев", "Снегов", "Дубов", "Горин", "Речной", "Лесной", "Камнев"]
GIVEN = ["Иван", "Олег", "Юрий", "Глеб", "Павел", "Фёдор"]


def roster(count: int, first: int = 0, **same: str) -> pd.DataFrame:
    """Invented people, all different, always the same for a number; ``same`` fixes columns."""

    def person(number: int) -> dict[str, str]:
        draw = random.Random(number)
        year, month, day = draw.randint(1960, 2003), draw.randint(1, 12), draw.randint(1, 28)
        return {
            "surname": draw.choice(SURNAMES) + draw.choice(["", "ский", "ев"]),
            "given": draw.choice(GIVEN),
            "patronymic": draw.choice(GIVEN) + "ович",
            "born": f"{year}-{month:02d}-{day:02d}",
            "rank": draw.choice(["рядовой", "сержант", "майор"]),
            "unit": draw.choice(["первая", "вторая"]),
            "joined": "2020-01-01",
        }

    rows = [person(number) | same for number in range(first, first + count)]
    return pd.DataFrame(rows, columns=HEADERS, dtype=object)


def mistyped(frame: pd.DataFrame) -> pd.DataFrame:
    """A letter is missing in every third surname, as if another office had written it."""
    surnames = [name[:-1] if index % 3 == 0 else name for index, name in enumerate(frame["surname"])]
    return frame.assign(surname=surnames)


ENDS = {
    "zero overlap": (roster(60), roster(400, 1000), 0),
    "full overlap": (mistyped(roster(60)), roster(400), 2),
    "a copy": (roster(60), roster(400), 1),
    "one list row": (roster(1), roster(400), None),
    "one registry row": (roster(60), roster(1), 0),
    "all rows identical": (
        roster(60, surname="Лугов", given="Иван", patronymic="Олегович", born="1980-01-01"),
        roster(99),
        None,
    ),
    "no decoys possible": (roster(60).assign(given="", patronymic="", born=""), roster(400), None),
    "every stratum tiny": (mistyped(roster(60)).assign(unit=[f"u{index}" for index in range(60)]), roster(400), 2),
    "nobody could be there": (roster(60, joined="2023-01-01"), roster(400), None),
    "half could be there": (pd.concat([mistyped(roster(60)), roster(60, 500, joined="2023-01-01")]), roster(400), 2),
    "a class without decoys": (
        pd.concat([mistyped(roster(60)), roster(60, 300).assign(given="", patronymic="", born="")]),
        roster(400),
        2,
    ),
    "nobody of those who cannot be there is judged": (
        pd.concat(
            [mistyped(roster(60)), roster(5, 500, joined="2023-01-01").assign(given="И.", patronymic="", born="")]
        ),
        roster(400),
        2,
    ),
    "no joining dates": (mistyped(roster(60, joined="")), roster(400), 2),
}


@pytest.mark.parametrize(("ours", "theirs", "rung"), ENDS.values(), ids=ENDS)
def test_the_ends_of_what_can_happen(ours, theirs, rung):
    """A correct verdict, no warning of a library, sums that hold, a report that gives nothing away, and a page."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        allowed = {"allow_weak": True, "allow_empty": True, "allow_larger_list": True}
        answer = pprl.link(ours.reset_index(drop=True), theirs, SCHEMA, seed=1, **allowed)
        assert answer.verdict.rung == rung, (answer.verdict, answer.audit["headline"])
        lines = summary(answer)
        assert lines[-max(1, len(answer.verdict.reasons)) - bool(answer.verdict.reasons)].startswith("verdict")
        audit = json.loads(json.dumps(answer.audit))
        assert contradictions(audit) == []
        report = disclose(audit, 5)
        assert exposed(report) == []
        for figures, language in ((audit, "en"), (report, "ru")):
            assert "<h1" in render(figures, language)


def test_people_known_to_be_absent_cannot_be_told_from_decoys_that_are_all_equal():
    def alike(count, row, similarity):
        return Candidates(np.full((count, 1), row), np.full((count, 1), similarity))

    decoys, owner = alike(60, 99, 0.5), np.repeat(np.arange(30), 2)
    real = Candidates(np.arange(30)[:, None], np.full((30, 1), 0.6))
    matches = find_matches(assign_partners(real, decoys, owner, np.zeros(30, dtype=np.int64)), 0.05)
    found = absent(alike(25, 98, 0.9), np.zeros(25, dtype=np.int64), matches, decoys)
    assert (found.p, found.flat) == (1.0, True)


def test_controls_are_judged_and_registered_people_are_no_controls():
    ours, theirs = roster(60), roster(400)
    listed, registered = (pprl.load(frame, SCHEMA, "list").people for frame in (ours, theirs))
    absent = pprl.load(roster(50, 2000), SCHEMA, "control").people
    present = pprl.load(roster(50, 100), SCHEMA, "control").people
    flat, found = (link(listed, registered, SCHEMA, controls=group, seed=1) for group in (absent, present))
    assert flat.audit["controls"]["flat"]
    assert flat.audit["controls"]["people"] == 50
    assert "no_controls" not in flat.verdict.reasons
    assert not found.audit["controls"]["flat"]
    assert (found.verdict.rung, found.verdict.reasons) == (None, ("weak_decoys",))


def test_controls_that_are_not_judged_are_named_in_warnings():
    listed, registered = (pprl.load(frame, SCHEMA, "list").people for frame in (roster(60), roster(400)))
    spoken_of = pd.concat([roster(30, 2000), roster(3, 0), roster(7, 2100).assign(given="И.", patronymic="", born="")])
    controls = pprl.load(spoken_of.reset_index(drop=True), SCHEMA, "control").people
    answer = link(listed, registered, SCHEMA, controls=controls, seed=1)
    assert answer.audit["controls"]["people"] == 30
    assert [text for text in answer.warnings if "controls" in text] == [
        "3 of 40 controls left out: on the list too, repeated, or with nothing to compare",
        "7 of 37 negative controls are in classes of rows without judged people: left out",
    ]
    shown = "\n".join(summary(answer))
    assert "all who reach the threshold do so by chance:\n  negative controls            0 of 30 reach it;" in shown


def found_in(value, path=""):
    """Every count of matches in an audit, by its path; the rates of other thresholds are of no match."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key != "rates":
                yield from found_in(item, f"{path}.{key}")
    elif path.endswith((".found", ".found.count", ".ambiguous")):
        yield path, value


def test_where_it_cannot_be_told_how_many_match_no_part_says_nobody_does():
    """Nobody of a dozen is there, and too many would have to be: a 0 in a group would claim more than the headline."""
    listed, absent = (pprl.load(frame, SCHEMA, "list").people for frame in (roster(12, 3000), roster(30, 2000)))
    answer = link(listed, pprl.load(roster(400), SCHEMA, "registry").people, SCHEMA, controls=absent, seed=1)
    assert (answer.verdict.rung, answer.verdict.reasons, answer.found) == (None, ("power",), None)
    found = dict(found_in(answer.audit))
    assert {".strata.0.values.0.found", ".completeness.0.found", ".eligibility.eligible.found"} <= found.keys()
    assert set(found.values()) == {None}
    assert answer.to_dict()["pairs"] is None
    assert not any("reach" in line for line in summary(answer))


def test_controls_keep_their_figures_only_where_they_withhold_the_verdict():
    """Beside decoys that look like nobody, how many controls reach a threshold is no better than the rest."""
    key, absent = LinkageKey.make(1), pprl.load(roster(50, 2000), SCHEMA, "control")
    encodings, rows = encode_list(roster(60), SCHEMA, key, controls=absent, randomness=Randomness.make(1))
    registry, registry_rows = encode_registry(roster(400), SCHEMA, key, randomness=Randomness.make(1))
    scores = match_encodings(encodings, registry)
    words = encodings.bits.words.copy()
    decoys = positions_of(rows.handles, encodings.handles)[rows.of_kind(RecordKind.DECOY)]
    words[decoys] = np.random.default_rng(1).integers(0, 2**64, (len(decoys), words.shape[1]), dtype=np.uint64)
    forged = replace(encodings, bits=BitMatrix(words))
    true, withheld = (judge(scores, rows, registry_rows, encodings=seen).audit for seen in (encodings, forged))
    assert true["controls"]["found"] is not None
    assert withheld["verdict"]["reasons"] == ["unsound_decoys"]
    assert withheld["controls"] == {"people": 50, "found": None, "expected": None}
    assert set(dict(found_in(withheld)).values()) == {None}


def test_strata_and_eligibility_sum_to_the_headline():
    ours = pd.concat([roster(80), roster(40, 500), roster(30, 700, joined="2023-05-05"), roster(9, 900, joined="")])
    answer = pprl.link(ours.reset_index(drop=True), roster(600), SCHEMA, seed=2)
    audit = answer.audit
    assert audit["eligibility"]["ineligible"]["people"] == 30
    assert audit["eligibility"]["unknown"]["people"] == 9
    (unit,) = audit["strata"]
    assert sum(row["people"] for row in unit["values"]) == answer.people == 129
    assert sum(row["found"] for row in unit["values"]) == answer.found
    nets = [row["net_found"]["value"] for row in unit["values"]]
    assert sum(nets) == pytest.approx(answer.net_found[0], abs=0.2)
    assert all(
        row["net_found"]["low"] <= row["net_found"]["value"] <= row["net_found"]["high"] for row in unit["values"]
    )
