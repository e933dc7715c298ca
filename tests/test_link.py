"""The whole path: from two tables to an answer, compared with a known truth."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT
from scipy.stats import binom

import pprl
from pprl.cli.output import summary
from pprl.core.bits import BitMatrix
from pprl.core.encodings import Encodings
from pprl.core.errors import FileError, MismatchError, RefusedError, RosterError
from pprl.demo import SCHEMA, invent
from pprl.judge.assessment import PAIR_COLUMNS

NUMBER = "№ п/п"
LIST_COLUMNS = {"full_name": "Фамилия, имя, отчество", "birth_date": "Дата рожд."}
DEMO = pprl.parse_schema(SCHEMA)
MISSED = ("missed_match_rate", "missed_match_basis")  # which the separate steps do not know
NAMES_DATE = pprl.parse_schema(
    'format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.patronymic]\n'
    'type = "patronymic"\n[fields.birth_date]\ntype = "date"\n'
)


@pytest.fixture(scope="module")
def rosters():
    return invent(3)


@pytest.fixture(scope="module")
def small(rosters):
    """The first 150 of the list, and 1,200 of the registry with their partners among them."""
    leaked = rosters.leaked.head(150)
    present = {theirs for number in leaked[NUMBER] for theirs in rosters.present.get(number, ())}
    registry = pd.concat([rosters.registry[rosters.registry.id.isin(present)], rosters.registry.head(1200)])
    return leaked, registry.drop_duplicates("id").reset_index(drop=True), present


@pytest.fixture(scope="module")
def steps(small):
    leaked, registry, _ = small
    key = pprl.LinkageKey.make(5)
    randomness = pprl.Randomness.make(5)
    own = pprl.load(leaked, DEMO, "list", columns=LIST_COLUMNS, id_header=NUMBER)
    theirs = pprl.load(registry, DEMO, "registry", id_header="id")
    ours, rows = pprl.encode_list(own, DEMO, key, randomness=randomness)
    their, their_rows = pprl.encode_registry(theirs, DEMO, key, randomness=randomness)
    return ours, rows, their, their_rows


def link(leaked, registry, schema=DEMO, **options):
    options = {"list_columns": LIST_COLUMNS, "list_id": NUMBER, "registry_id": "id", "seed": 5} | options
    return pprl.link(leaked, registry, schema, **options)


def same(one, other, *, but=()):
    left, right = one.to_dict(), other.to_dict()
    for key in ("seconds", *but):
        assert left.pop(key) != right.pop(key) or key == "seconds"
    assert left == right
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())


@pytest.mark.parametrize("hardening", ["plain", "standard"])
def test_the_demo_finds_most_and_keeps_its_rate(rosters, hardening):
    answer = link(rosters.leaked, rosters.registry, DEMO.with_hardening(hardening), seed=3)
    pairs = answer.to_frame()
    marks = rosters.marked(pairs.list_id, pairs.registry_id)
    assert marks.right >= 0.85 * len(rosters.ids)
    assert marks.wrong <= binom.ppf(0.9999, len(pairs), 2 * 0.05)
    value, low, high = answer.net_found
    really = sum(a in rosters.present for a in pairs.list_id)
    assert low <= really + answer.record.headline.ambiguous
    assert really <= high
    assert low <= value <= high
    assert answer.false_match_rate <= answer.false_match_rate_asked == 0.05
    assert answer.expected_by_chance < 0.2 * answer.found
    assert answer.p_value < 0.001


def test_nobody_is_found_where_nobody_is(rosters):
    absent = rosters.leaked[~rosters.leaked[NUMBER].isin(rosters.present)]
    for seed in (5, 6):
        answer = link(absent, rosters.registry, seed=seed)
        assert answer.verdict.rung in (None, 0)
        assert not answer.found
        assert answer.net_found is None  # never 0, with an interval from 0 to 0
        assert len(answer.to_frame()) == 0
        assert answer.to_dict()["false_match_rate"] is None


def test_the_answer_has_the_promised_keys_in_order(small):
    answer = link(*small[:2]).to_dict()
    assert list(answer)[:-1] == [
        *("format", "verdict", "list_rows", "registry_rows", "list_encoded", "registry_encoded", "people", "hardening"),
        *("kernel", "partner_rule", "threshold", "found", "net_found", "expected_by_chance", "false_match_rate"),
        *("false_match_rate_asked", "false_at_most", *MISSED, "p_value", "p_registry", "matchable_share"),
        *("fewest_findable", "pairs", "ambiguous", "lists", "strata", "confirm", "eligibility", "controls"),
        *("copy_check", "sensitivity"),
        *("run", "secret", "warnings"),
    ]
    assert list(answer["found"]) == ["count", "share"]
    assert list(answer["net_found"]) == ["value", "low", "high"]
    assert answer["pairs"] + answer["ambiguous"] == answer["found"]["count"]


def test_pairs_name_rows_ids_scores_and_q_values(small):
    leaked, registry, _ = small
    answer = link(leaked, registry)
    pairs = answer.to_frame()
    assert tuple(pairs.columns) == PAIR_COLUMNS
    assert (leaked[NUMBER].loc[pairs.list_row].to_numpy() == pairs.list_id).all()
    assert (registry.id.loc[pairs.registry_row.astype(int)].to_numpy() == pairs.registry_id).all()
    assert pairs.registry_row.is_unique
    assert pairs.list_row.is_unique
    assert pairs.score.between(answer.threshold, 1).all()
    assert (pairs.q_value <= answer.false_match_rate_asked).all()


def test_separate_steps_give_what_link_gives(small, steps, tmp_path):
    ours, rows, their, their_rows = steps
    for name, thing in (("list", ours), ("registry", their), ("list.rows", rows), ("registry.rows", their_rows)):
        thing.write(tmp_path / name)
    scores = pprl.match_encodings(Encodings.read(tmp_path / "list", "list"), Encodings.read(tmp_path / "registry"))
    scores.write(tmp_path / "scores")
    answer = pprl.judge(
        pprl.Scores.read(tmp_path / "scores"),
        pprl.PrivateRows.read(tmp_path / "list.rows", "list"),
        pprl.PrivateRows.read(tmp_path / "registry.rows"),
        encodings=Encodings.read(tmp_path / "list", "list"),
    )
    same(answer, link(*small[:2]), but=MISSED)


def test_the_order_of_what_crosses_decides_nothing(steps):
    ours, rows, their, their_rows = steps
    plain = pprl.judge(pprl.match_encodings(ours, their), rows, their_rows)
    mixed = []
    for side, seed in ((ours, 1), (their, 2)):
        order = np.random.default_rng(seed).permutation(len(side))
        bits = BitMatrix(side.bits.words[order])
        mixed.append(dataclasses.replace(side, handles=side.handles[order], bits=bits))
    shuffled = pprl.judge(pprl.match_encodings(*mixed), rows, their_rows)
    counts = ("found", "ambiguous", "threshold", "false_match_rate", "p_value", "expected_by_chance")
    assert {name: plain.to_dict()[name] for name in counts} == {name: shuffled.to_dict()[name] for name in counts}
    pd.testing.assert_frame_equal(plain.to_frame(), shuffled.to_frame())


def test_a_seed_repeats_a_run_and_no_seed_is_secret(small):
    leaked, registry, _ = small
    same(link(leaked, registry), link(leaked, registry))
    secret = link(leaked, registry, seed=None)
    assert secret.to_dict()["secret"]
    assert not link(leaked, registry).to_dict()["secret"]
    assert abs(secret.found - link(leaked, registry).found) <= 15


def test_without_the_registrys_rows_pairs_hold_its_handles(steps):
    ours, rows, their, _ = steps
    pairs = pprl.judge(pprl.match_encodings(ours, their), rows).to_frame()
    known = {handle.tobytes().hex() for handle in their.handles}
    assert set(pairs.registry_id) <= known
    assert pairs.registry_row.isna().all()


def test_rows_of_one_person_count_once(small):
    leaked, registry, _ = small
    twice = pd.concat([leaked, leaked.head(40)], ignore_index=True)
    answer = link(twice, registry)
    rosters = answer.record.rosters
    assert (rosters.list_rows, rosters.list_people) == (190, link(leaked, registry).record.rosters.list_people)
    assert answer.to_frame().list_id.is_unique


def test_a_person_twice_in_the_registry_is_one_candidate(small):
    """Every row twice, in another order: the same people match as with the registry itself, and the pairs say so."""
    leaked, registry, _ = small
    plain = link(leaked, registry)
    said = []
    twice = pd.concat([registry, registry.iloc[::-1]], ignore_index=True)
    answer = link(leaked, twice, note=said.append)
    assert (answer.found, answer.record.headline.ambiguous) == (plain.found, plain.record.headline.ambiguous)
    one, two = plain.to_frame(), answer.to_frame()
    assert two.drop(columns="registry_repeats").equals(one.drop(columns="registry_repeats"))
    assert (two.registry_repeats == 2 * one.registry_repeats + 1).all()
    assert [text for text in said if "repeat others in everything compared, and count once" in text]


def few(rosters, there, absent):
    """People written as in the registry: the first of it, and others who are not in the part that is searched."""
    registry = rosters.registry.head(4_000)
    return pd.concat([registry.head(there), rosters.registry.iloc[5_000 : 5_000 + absent]], ignore_index=True), registry


@pytest.mark.parametrize(("rate", "told"), [("5%", True), ("1%", False)])
def test_six_of_twelve_people_are_there_beyond_chance(rosters, rate, told):
    """All six are equal in everything; at 1% seven would be needed, and the answer says so instead of "not found"."""
    leaked, registry = few(rosters, 6, 6)
    for seed in range(3):
        answer = pprl.link(leaked, registry, NAMES_DATE, seed=seed, rate=rate)
        assert (answer.verdict.rung, answer.p_value < 1e-6) == (1, True)
        shown = " ".join(summary(answer))
        assert (answer.found == 6) == told
        assert ("cannot be told pair by pair" in shown) != told
        assert "no_pairs" in answer.verdict.reasons or told


def test_nobody_of_twelve_people_cannot_be_told(rosters):
    """Three of twelve would have to be there for the test to see them: that nobody stands out shows little."""
    leaked, registry = few(rosters, 0, 12)
    answer = pprl.link(leaked, registry, NAMES_DATE, seed=1)
    assert (answer.verdict.code, answer.verdict.reasons) == ("cannot_tell", ("power",))
    assert (answer.found, answer.net_found) == (None, None)
    assert any("people would have to be there" in line for line in summary(answer))


def test_nobody_of_a_hundred_people_is_a_finding(rosters):
    leaked, registry = few(rosters, 0, 100)
    answer = pprl.link(leaked, registry, NAMES_DATE, seed=1)
    assert (answer.verdict.code, answer.found, answer.net_found) == ("not_beyond_chance", 0, None)


def test_figures_of_a_verdict_that_is_withheld_are_withheld(rosters):
    """Negative controls who are in the registry: nothing is said of anybody, in JSON, terminal and page alike."""
    leaked, registry = few(rosters, 40, 60)
    answer = pprl.link(leaked, registry, NAMES_DATE, controls=registry.tail(60), seed=1)
    assert answer.verdict.reasons == ("weak_decoys",)
    head = answer.audit["headline"]
    kept = {"people", "found", "net_found", "false_match_rate_asked"}
    assert {name for name, value in head.items() if value is not None} == kept
    assert (head["found"]["count"], head["net_found"]["value"]) == (None, None)
    assert [answer.audit[part] for part in ("scores", "rates", "strata", "confirm", "sensitivity")] == [None, *[[]] * 4]
    assert len(answer.to_frame()) == 0
    shown = summary(answer)
    assert [line.split()[0] for line in shown] == ["people", "matched", "verdict", "why"]
    printed = answer.to_dict()
    of_matches = ("threshold", "net_found", "false_match_rate", "false_at_most", "missed_match_rate", "p_value",
                  "p_registry", "matchable_share", "fewest_findable", "pairs", "ambiguous")  # fmt: skip
    assert {name: printed[name] for name in of_matches if printed[name] is not None} == {
        "net_found": {"value": None, "low": None, "high": None}
    }
    page = answer.to_html()
    assert "All figures about matches are withheld with the verdict" in page
    assert page.count("Not part of this report, since nothing can be said about matches.") == 7
    assert "could not be made" not in page
    assert "<figure" not in page
    assert "40" not in re.findall(r"(\d+) people", page)


def test_a_lower_rate_finds_no_more(small):
    leaked, registry, _ = small
    counts = [link(leaked, registry, rate=rate).found for rate in (0.01, 0.05, "20%")]
    assert counts == sorted(counts)


def test_whole_names_in_one_column(small):
    leaked, registry, _ = small
    names = registry.surname + " " + registry.given + " " + registry.patronymic
    whole = link(
        leaked,
        registry.assign(name=names),
        registry_columns={"full_name": "name", "birth_date": "birth_date"},
    )
    apart = link(leaked, registry)
    found = [
        set(zip(answer.to_frame().list_id, answer.to_frame().registry_id, strict=True)) for answer in (whole, apart)
    ]
    assert len(found[0] ^ found[1]) <= 3
    assert len(found[0]) > 80


REFUSED = {
    "the list is the larger one": (
        RefusedError,
        lambda leaked, registry: link(registry, leaked, list_columns=None, list_id=None, registry_id=None),
    ),
    "one field": (
        RefusedError,
        lambda leaked, registry: link(
            leaked, registry, pprl.parse_schema("format=1\n[fields.surname]\ntype='surname'"), list_columns=None
        ),
    ),
    "the same roster twice": (
        RefusedError,
        lambda leaked, _: link(leaked, leaked, registry_columns=LIST_COLUMNS, registry_id=NUMBER),
    ),
    "no such id column": (RosterError, lambda leaked, registry: link(leaked, registry, list_id="nowhere")),
}


@pytest.mark.parametrize(("kind", "run"), REFUSED.values(), ids=REFUSED)
def test_refused(kind, run, small):
    with pytest.raises(kind) as error:
        run(*small[:2])
    assert error.value.hint


def test_another_key_schema_hardening_or_scores_are_named(small, steps):
    leaked, registry, _ = small
    ours, rows, their, _ = steps
    theirs = pprl.load(registry, DEMO, "registry").people
    heavier = pprl.parse_schema(SCHEMA.replace('type = "given"', 'type = "given"\nweight = 2'))
    for word, schema, key in (
        ("hardening", DEMO.with_hardening("high"), pprl.LinkageKey.make(5)),
        ("schemas", heavier, pprl.LinkageKey.make(5)),
        ("linkage keys", DEMO, pprl.LinkageKey.make(6)),
    ):
        other, other_rows = pprl.encode_registry(theirs, schema, key, randomness=pprl.Randomness.make(5))
        with pytest.raises(MismatchError, match=word):
            pprl.match_encodings(ours, other)
        with pytest.raises(MismatchError, match=word):  # equal seeds give both the same handles
            pprl.judge(pprl.match_encodings(ours, their), rows, other_rows)
    own = pprl.load(leaked, DEMO, "list", columns=LIST_COLUMNS).people
    _, other_rows = pprl.encode_list(own, DEMO, pprl.LinkageKey.make(5), randomness=pprl.Randomness.make(6))
    with pytest.raises(FileError, match="not those of these scores"):
        pprl.judge(pprl.match_encodings(ours, their), other_rows)


def test_too_few_decoys_is_cannot_tell(small):
    _, registry, _ = small
    one = pd.DataFrame([{"surname": "Иванов", "given": "Иван", "patronymic": "Иванович", "birth_date": "1990-01-01"}])
    answer = pprl.link(one, registry, DEMO, seed=1)
    assert answer.found is None
    assert answer.to_dict()["net_found"] == {"value": None, "low": None, "high": None}
    assert any("cannot tell" in warning for warning in answer.warnings)


RATES = {"too much": 0.5, "nothing": 0, "less": -3, "no number": "banana", "ten-thousandths": 500}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_a_rate_that_is_none_is_refused(rate, small):
    with pytest.raises(pprl.PprlError, match=r"the false-match rate is not a rate above 0 and below 0\.5"):
        link(*small[:2], rate=rate)


def test_a_key_from_a_seed_is_remembered_as_no_secret(small, tmp_path):
    pprl.LinkageKey.make(5).write(tmp_path / "key")
    leaked, registry, _ = small
    own = pprl.load(leaked, DEMO, "list", columns=LIST_COLUMNS).people
    theirs = pprl.load(registry, DEMO, "registry").people
    key = pprl.LinkageKey.read(tmp_path / "key")
    ours, rows = pprl.encode_list(own, DEMO, key)
    their, _ = pprl.encode_registry(theirs, DEMO, key)
    answer = pprl.judge(pprl.match_encodings(ours, their), rows)
    assert not answer.to_dict()["secret"]
    assert any("not secret" in warning for warning in answer.warnings)
    assert pprl.LinkageKey.make().secret.hex() not in repr(pprl.LinkageKey.make())
    assert key.secret.hex() not in repr(key)


def test_a_person_listed_twice_takes_nobody_elses_partner(small):
    """The second row has surname and given name exchanged; the registry holds the person and a brother."""
    leaked, registry, _ = small
    rows = [["901", "Заболотный Аркадий Власович", "11.03.1988"], ["902", "Аркадий Заболотный Власович", "11.03.1988"]]
    listed = _with_rows(leaked, [NUMBER, *LIST_COLUMNS.values()], rows)
    known = [["R_him", "Zabolotnyi", "Arkadii", "Vlasovich", "1988-03-11"]]
    known += [["R_brother", "Zabolotnyi", "Valerii", "Vlasovich", "1988-03-11"]]
    held = _with_rows(registry, ["id", "surname", "given", "patronymic", "birth_date"], known)
    for hardening in ("plain", "standard"):
        pairs = link(listed, held, DEMO.with_hardening(hardening)).to_frame()
        assert pairs.registry_id[pairs.list_id.isin(["901", "902"])].tolist() == ["R_him"]


def _with_rows(frame, columns, rows):
    return pd.concat([frame, pd.DataFrame(rows, columns=columns)], ignore_index=True).fillna("")


def test_few_possible_decoys_make_little_findable():
    """Nearly every combination of the names is on the list, so next to no decoys can be made; nobody is present."""
    surnames = [
        f"{stem}ов" for stem in ("Иван", "Петр", "Сидор", "Козл", "Сокол", "Попл", "Лебед", "Орл", "Волк", "Зайц")
    ]
    givens = ["Иван", "Пётр", "Олег", "Борис", "Глеб", "Семён", "Тарас", "Фёдор", "Юрий", "Яков"]
    listed = [(surname, given) for surname in surnames for given in givens][:-4]
    strangers = [
        (f"{a}{b}енко", given) for a in ("Бон", "Кор", "Мар", "Тим") for b in ("дар", "ниль", "ош") for given in givens
    ]
    schema = pprl.parse_schema("format=1\n[fields.surname]\ntype='surname'\n[fields.given]\ntype='given'")
    frames = [pd.DataFrame(rows, columns=["surname", "given"], dtype=object) for rows in (listed, strangers)]
    found = [pprl.link(*frames, schema, seed=seed).found or 0 for seed in range(20)]
    assert sum(count > 0 for count in found) <= binom.ppf(0.9999, 20, 0.05)


EXAMPLE = ROOT / "examples" / "two_files"
PATHS = (EXAMPLE / "leaked.csv", EXAMPLE / "registry.csv", EXAMPLE / "schema.toml")


def test_paths_frames_and_loaded_rosters_are_linked_alike():
    ids = {"list_id": "№", "registry_id": "id", "seed": 7}
    by_paths = pprl.link(*map(str, PATHS), **ids)
    schema = pprl.load_schema(PATHS[2])
    frames = [pprl.read_roster(path) for path in PATHS[:2]]
    same(by_paths, pprl.link(*frames, schema, **ids))
    loaded = [pprl.load(frame, schema, id_header=header) for frame, header in zip(frames, ("№", "id"), strict=True)]
    same(by_paths, pprl.link(*loaded, schema, seed=7, threads=1))


def test_steps_take_paths(tmp_path):
    leaked, registry, schema = PATHS
    pprl.LinkageKey.make(7).write(tmp_path / "key")
    encoded, rows = pprl.encode_list(leaked, schema, tmp_path / "key", randomness=pprl.Randomness.make(7))
    registry_encoded, registry_rows = pprl.encode_registry(registry, schema, str(tmp_path / "key"))
    scores = pprl.match_encodings(encoded, registry_encoded)
    for part, name in ((scores, "scores"), (rows, "rows"), (registry_rows, "registry-rows"), (encoded, "list")):
        part.write(tmp_path / name)
    names = [tmp_path / name for name in ("scores", "rows", "registry-rows")]
    by_paths = pprl.judge(*names, encodings=tmp_path / "list", rate="5%")
    same(by_paths, pprl.judge(scores, rows, registry_rows, encodings=encoded, rate=0.05))


def test_notes_ledger_and_progress_of_a_run():
    notes, compared = [], []
    answer = pprl.link(
        *PATHS, seed=7, ledger=True, note=notes.append, progress=lambda pairs, new: compared.append((pairs, new))
    )
    assert notes[0].startswith("list: surname from column")
    assert answer.run == "1 with this list"
    assert pprl.link(*PATHS, seed=7, ledger=True).run.startswith("2 with this list")
    assert {pairs for pairs, _ in compared} == {compared[0][0]}
    assert sum(new for _, new in compared) > 0
    assert pprl.link(*PATHS, seed=7).run == ""
    people = [pprl.load(path, PATHS[2]).people for path in PATHS[:2]]
    assert pprl.link(*people, PATHS[2], seed=7, ledger=True, note=notes.append).run == ""
    assert "not counted" in notes[-1]


def test_check_in_one_call():
    seen = pprl.check(PATHS[0], PATHS[2], registry_rows=400, seed=7)
    assert seen.people == 120
    assert any(each.claim.what == "pairs" for each in seen.classes if each.claim)
    assert pprl.check(PATHS[0], PATHS[2]).registry_rows is None
