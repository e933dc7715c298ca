"""Attacks on our own encodings: one that cannot work reports chance, one that must work names everybody."""

import json
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from diffusion import Diffused
from scipy.stats import binom

from pprl.core.bits import BitMatrix
from pprl.core.errors import RefusedError, RosterError
from pprl.core.hardening import SET_NAMES
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema import Schema, plain_bits
from pprl.core.schema_file import parse_schema
from pprl.encode.encoder import encode, worth
from pprl.encode.tokens import space, tokens
from pprl.preflight.attacks.encodings import Plain, scheme_of
from pprl.preflight.attacks.graph import graph_matching
from pprl.preflight.attacks.known_pairs import known_pairs
from pprl.preflight.attacks.lookups import dictionary, frequency_alignment
from pprl.preflight.attacks.scheme import CandidatePool, signs
from pprl.preflight.attacks.triples import best_triples, known_triples
from pprl.preflight.indicators import correlation, divergence, gini, indicators, repeats, strata_cells
from pprl.preflight.risk import assess_indicators, assess_risk, known_ladder
from pprl.preflight.utility import measure_utility
from pprl.roster.people import MISSING, Column, People

SCHEMA = parse_schema(
    """
format = 1
[encoding]
hardening = "plain"
[fields.surname]
type = "surname"
[fields.given]
type = "given"
weight = 1.5
[fields.birth_date]
type = "date"
[fields.unit]
type = "category"
role = "stratum"
[fields.rank]
type = "rank"
role = "stratum"
"""
)
SYLLABLES = ("ba", "dro", "ki", "lu", "mer", "no", "pa", "rus", "shi", "tok", "va", "zel")
KEY = bytes(range(32))


def invented(rows: int, seed: int = 1, *, surnames: int = 300) -> People:
    """Synthetic people: names of syllables, so that many are similar, and birth dates of forty years."""
    draws = RandomStream(seed_from(seed), "people of a test")

    def names(count: int, parts: int) -> list[str]:
        drawn = draws.below(len(SYLLABLES), count * parts).reshape(count, parts).tolist()
        return sorted({"".join(SYLLABLES[index] for index in name) for name in drawn})

    pools = {"surname": names(surnames, 3), "given": names(40, 2)}
    days = np.datetime64("1960-01-01") + draws.below(14_600, rows).astype("timedelta64[D]")
    pools["birth_date"] = sorted(set(map(str, days)))
    pools |= {"unit": ["1 rota", "2 rota"], "rank": ["1", "2", "3"]}
    columns = {name: Column(tuple(pool), draws.below(len(pool), rows).astype(np.int32)) for name, pool in pools.items()}
    return People(np.arange(rows, dtype=np.int64), columns)


def pool_of(people: People, population: People | None = None, seed: int = 1) -> CandidatePool:
    return CandidatePool(people, population, SCHEMA, RandomStream(seed_from(seed), "test"))


@dataclass(frozen=True)
class Noise(Plain):
    """An encoding that shows nothing: random bits, the same for any people. The attacker takes it for a plain filter"""

    schema: Schema = SCHEMA

    def encode(self, people: People, key: bytes) -> BitMatrix:
        return BitMatrix(RandomStream(key, "noise").words(len(people) * 16).reshape(-1, 16))


@dataclass(frozen=True)
class Bare(Plain):
    """An encoding that shows everything: each token has k bits to itself, whatever the key."""

    schema: Schema = SCHEMA
    length = 32_768  # so long that chance hits do not matter

    def encode(self, people: People, _key: bytes) -> BitMatrix:
        tokens_of = self.bits_of_tokens(people).toarray()
        bits = np.repeat(tokens_of > 0, np.round(tokens_of.max(axis=0) ** 2).astype(int), axis=1)
        wide = np.pad(bits, ((0, 0), (0, self.length - bits.shape[1])))
        return BitMatrix(np.packbits(wide, axis=1, bitorder="little").view("<u8"))


def attacks(scheme, people: People, population: People | None = None):
    """Every attack that uses similarity, on one scheme: results by name."""
    pool = pool_of(people, population)
    views = [pool.view(scheme, KEY)]
    known, targets = np.arange(100), np.arange(100, pool.target_count)
    return {
        "known pairs": known_pairs(pool, views, known, targets),
        "graph": graph_matching(pool, views, RandomStream(KEY, "order"), tries=2),
        "graph, known pairs": graph_matching(pool, views, RandomStream(KEY, "order"), known=100),
    }


def test_an_attack_that_cannot_work_reports_chance():
    for name, found in attacks(Noise(), invented(300), invented(500, 2)).items():
        assert found.named <= binom.ppf(0.9999, found.attacked, found.chance), name
        assert found.candidates == {"known pairs": 700, "graph": 300, "graph, known pairs": 200}[name]


def test_an_attack_that_must_work_names_everybody():
    found = attacks(Bare(), invented(180), invented(200, 2))
    assert {name: result.rate for name, result in found.items()} == dict.fromkeys(found, 1)
    assert found["known pairs"].top_ten == 80


def test_frequencies_name_those_whose_counts_differ_and_nobody_else():
    """Person i is listed i + 1 times, and as often in the population."""
    few = invented(60)
    rows = np.repeat(np.arange(60), np.arange(60) + 1)
    pool = pool_of(few.take(rows), few.take(rows))
    plain = frequency_alignment(pool, scheme_of(SCHEMA).encode(pool.targets(), KEY), RandomStream(KEY, "order"))
    assert (plain.named, plain.attacked) == (60, 60)
    once = pool_of(invented(500), invented(1_000, 2))
    blind = frequency_alignment(once, scheme_of(SCHEMA).encode(once.targets(), KEY), RandomStream(KEY, "order"))
    low, high = blind.interval
    assert low <= blind.chance <= high


def test_the_key_names_everybody_unless_all_encodings_are_equal():
    pool = pool_of(invented(300), invented(300, 2))
    for name in SET_NAMES:
        assert dictionary(pool, scheme_of(SCHEMA.with_hardening(name)), KEY).rate == 1

    @dataclass(frozen=True)
    class Mute(Noise):
        def encode(self, people: People, _key: bytes) -> BitMatrix:
            return BitMatrix(np.zeros((len(people), 16), dtype="<u8"))

    assert dictionary(pool, Mute(), KEY).named <= 1


SCHEMES = {name: scheme_of(SCHEMA.with_hardening(name)) for name in SET_NAMES} | {
    f"t = {t}": Diffused(SCHEMA, t) for t in (5, 8)
}


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_similarity_over_keys_is_what_the_formula_says(scheme):
    """The mean over keys of 60 times 1,024 bits, within 5 standard deviations of independent bits."""
    people = invented(30)
    pool = pool_of(people)
    everyone, seen = np.arange(len(pool)), []
    while sum(rows.shape[1] for rows in seen) < 60 * 1024:
        seen.append(signs(scheme.encode(pool.people, bytes([len(seen)] * 32))))
    mean = np.mean([rows.mean(axis=1) for rows in seen], axis=0)
    similarity = np.mean([rows @ rows.T / rows.shape[1] for rows in seen], axis=0)
    tolerance = 5 / np.sqrt(60 * 1024)
    assert np.abs(mean - pool.mean(everyone, scheme)).max() < tolerance
    assert np.abs(similarity - pool.agreement(everyone, everyone, scheme)).max() < tolerance


@pytest.mark.parametrize("name", SET_NAMES)
def test_bits_in_common_by_the_slow_definition(name):
    people, schema = invented(40), SCHEMA.with_hardening(name)
    pool, of_plain = pool_of(people), plain_bits(SCHEMA.linked(), SCHEMA.length)

    def positions(field, token: str) -> int:
        return of_plain[field.name] if name == "plain" else worth(field, token)

    def bits(row: int) -> set[tuple[str, str, int]]:
        person = [
            (field, column.values[column.codes[row]])
            for field in schema.linked()
            if (column := pool.people.columns[field.name]).codes[row] != MISSING
        ]
        found = [(field, token) for field, value in person for token in tokens(field.type, value)]
        return {(space(field), token, at) for field, token in found for at in range(positions(field, token))}

    everyone = np.arange(len(pool))
    slow = [[len(bits(left) & bits(right)) for right in everyone] for left in everyone]
    assert np.allclose(pool.tokens(scheme_of(schema)).common(everyone, everyone), slow, rtol=1e-5)
    assert np.allclose(pool.tokens(scheme_of(schema)).bits, np.diag(slow), rtol=1e-5)
    assert len(set(of_plain.values())) > 1, "a token of two fields must be tried with two numbers of bits"


def test_plain_filters_fall_to_known_pairs_and_diffusion_delays_it():
    pool = pool_of(invented(700, surnames=600), invented(2_000, 2))
    known, targets = np.arange(150), np.arange(400, 700)
    rates = {}
    for hardening in (0, 5, 10):
        view = pool.view(Diffused(SCHEMA, hardening), KEY)
        rates[hardening] = known_pairs(pool, [view], known, targets).rate
    assert rates[0] > 0.98
    assert 2 * rates[10] < rates[5] <= rates[0]


def named_by_graph(hardening: int, *, people: int, tries: int = 2, **setting) -> float:
    pool = pool_of(invented(people, surnames=600))
    view = pool.view(Diffused(SCHEMA, hardening), KEY)
    return graph_matching(pool, [view], RandomStream(KEY, "order"), tries=tries, **setting).rate


def test_the_shape_of_the_graph_names_people_without_a_known_pair():
    assert named_by_graph(0, people=300) > 0.9
    assert named_by_graph(5, people=300, tries=3) > 0.9


def test_more_people_in_clear_than_encodings_or_fewer_only_delay_graph_matching():
    assert named_by_graph(0, people=400, held=400, encoded=200) > 0.9
    assert named_by_graph(0, people=400, held=200, encoded=400) > 0.9
    assert named_by_graph(5, people=400, held=400, encoded=200, known=20) > 0.5


def test_known_pairs_help_graph_matching_and_are_not_counted():
    pool = pool_of(invented(300))
    views = [pool.view(Diffused(SCHEMA, 8), KEY)]
    alone, helped, again = (
        graph_matching(pool, views, RandomStream(KEY, "order"), known=known) for known in (0, 100, 100)
    )
    assert helped == again
    assert (helped.attacked, helped.candidates, helped.known) == (200, 200, 100)
    assert helped.rate > max(0.2, alone.rate)


def test_two_views_of_a_person_show_more_than_one():
    pool = pool_of(invented(300))
    views = [pool.view(Diffused(SCHEMA, 10), bytes([number] * 32)) for number in range(3)]
    known, targets = np.arange(30), np.arange(100, 300)
    assert known_pairs(pool, views, known, targets).rate > known_pairs(pool, views[:1], known, targets).rate
    of_graph = [graph_matching(pool, seen, RandomStream(KEY, "order"), known=30).rate for seen in (views, views[:1])]
    assert of_graph[0] > of_graph[1] + 0.1


def test_three_known_encodings_name_more_than_one():
    pool = pool_of(invented(180, surnames=120))
    known, targets = np.arange(100), np.arange(140, 180)
    view = pool.view(Diffused(SCHEMA, 10), KEY)
    single, triples = (
        known_pairs(pool, [view], known, targets),
        known_triples(pool, view, known, targets, RandomStream(KEY, "own keys")),
    )
    assert triples.rate > single.rate + 0.1
    assert (triples.attacked, triples.candidates, triples.known) == (40, 80, 100)
    few, noisy = targets[:20], pool.view(Noise(), KEY)
    noise = known_triples(pool, noisy, known[:50], few, RandomStream(KEY, "own keys"), 30)
    assert noise == known_triples(pool, noisy, known[:50], few, RandomStream(KEY, "own keys"), 30)
    assert noise.candidates == 30
    assert noise.interval[0] <= noise.chance <= noise.interval[1]


def test_triples_by_the_slow_definition():
    filters = RandomStream(KEY, "filters").words(12 * 2).reshape(12, 2)
    candidate, rows = filters[11], filters[:11]
    nearest = np.argsort(np.bitwise_count(rows ^ candidate).sum(axis=1), kind="stable")

    def distance(triple) -> int:
        return int(np.bitwise_count(candidate ^ np.bitwise_xor.reduce(rows[list(triple)])).sum())

    found = best_triples(rows, candidate, nearest)
    assert {frozenset(triple) for triple in found.tolist()} == set(map(frozenset, combinations(range(11), 3)))
    assert [distance(triple) for triple in found] == sorted(map(distance, combinations(range(11), 3)))


def test_known_people_are_not_candidates_and_nobody_counts_twice():
    people = invented(100)
    pool = pool_of(people.take(np.repeat(np.arange(100), 2)), people)
    assert (pool.target_count, len(pool)) == (100, 100)
    assert np.bincount(pool.person_of_row).tolist() == [2] * 100
    found = known_pairs(pool, [pool.view(scheme_of(SCHEMA), KEY)], np.arange(40), np.arange(60, 100))
    assert (found.attacked, found.candidates, found.known) == (40, 60, 40)


def test_indicators_by_hand():
    assert gini(np.array([1, 1, 1, 1])) == 0
    assert gini(np.array([0, 0, 0, 4])) == pytest.approx(3 / 4)
    assert divergence(np.array([2, 2])) == 0
    # (1, 0) against (½, ½): ½ · 1 · log2(4/3) + ½ · (½ log2(2/3) + ½ log2(2))
    assert divergence(np.array([0, 2])) == pytest.approx(0.5 * np.log2(4 / 3) + 0.25 * (np.log2(2 / 3) + 1))
    assert correlation(np.array([1, 1]), np.array([1, 2])) == 0


def test_indicators_distinguish_noise_from_names():
    pool = pool_of(invented(800))
    plain = indicators(pool, pool.view(scheme_of(SCHEMA), KEY), RandomStream(KEY, "pairs"))
    noise = indicators(pool, pool.view(Noise(), KEY), RandomStream(KEY, "pairs"))
    assert plain.similarity_leakage > 0.8
    assert plain.length_leakage > 0.8
    assert abs(noise.similarity_leakage) < 5 / np.sqrt(20_000)
    assert abs(noise.length_leakage) < 5 / np.sqrt(800)
    assert noise.gini < 0.1 < plain.gini
    assert noise.fill == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(800 * 1024))


def test_repeats_and_cells():
    people = invented(50).take(np.array([*range(50), 0, 0, 1]))
    again = repeats(people, SCHEMA)
    assert (again.rows, again.alone, again.largest, again.smallest_class) == (53, 48, 3, 1)
    units = Column(("1 rota", "2 rota"), np.array([0] * 12 + [1] * 5 + [MISSING] * 36, dtype=np.int32))
    ranks = Column(("1", "2"), np.array([0] * 11 + [1] * 42, dtype=np.int32))
    cells = strata_cells(People(people.rows, people.columns | {"unit": units, "rank": ranks}), SCHEMA)
    assert [(cell.strata, cell.cells, cell.alone, cell.few) for cell in cells] == [
        (("unit",), 2, 0, 5),
        (("rank",), 2, 0, 0),
        (("unit", "rank"), 3, 1, 6),
    ]


def test_who_is_still_matched():
    people = invented(300, surnames=3_000)
    easy = measure_utility(people, SCHEMA, KEY)
    assert easy == measure_utility(people, SCHEMA, KEY)
    assert (easy.present, easy.rows) == (150, 10_150)
    assert easy.rate > 0.8
    nobody = measure_utility(People(people.rows, people.columns | {"birth_date": _empty(300)}), SCHEMA, KEY)
    assert nobody.rate < easy.rate


def _empty(rows: int) -> Column:
    return Column((), np.full(rows, MISSING, dtype=np.int32))


def test_a_report_is_repeatable_and_complete():
    people, population = invented(90), invented(200, 2)
    one, same = (assess_risk(people, SCHEMA, population, seed=1) for _ in range(2))
    assert json.dumps(one.to_dict()) == json.dumps(same.to_dict())
    shown = [json.dumps(assess_indicators(people, SCHEMA, seed=seed).to_dict()) for seed in (1, 1, 2)]
    assert shown[0] == shown[1] != shown[2]
    assert [result.hardening for result in one.hardenings] == list(SET_NAMES)
    assert known_ladder(90) == [10, 20]
    for result in one.hardenings:
        assert [attack.known for attack in result.ladder()] == [10, 20]
        assert {attack.attacked for attack in result.known_pairs} == {70}
        assert result.strongest(20).named == max(attack.named for attack in result.known_pairs if attack.known == 20)
        assert result.graph_matching.attacked == 90
        assert [(attack.candidates, attack.attacked, attack.known) for attack in result.graph] == [
            (90, 90, None),
            (70, 70, 20),
            (70, 25, 20),
        ]
    assert one.dictionary.rate == 1
    assert one.at_agreed.hardening == "plain"
    assert one.to_dict()["hardenings"][0]["known_pairs_that_name_5_percent"] == 10


def spelled(people: People, count: int) -> People:
    """Everybody under so many surnames, in rows of one number; all but the first lack a letter."""
    columns = {name: column.take(np.tile(np.arange(len(people)), count)) for name, column in people.columns.items()}
    own, codes = people.columns["surname"], columns["surname"].codes.copy()
    shorter = [text[:turn] + text[turn + 1 :] for turn in range(count - 1) for text in own.values]
    codes += np.repeat(np.arange(count), len(people)).astype(np.int32) * len(own.values)
    columns["surname"] = Column((*own.values, *shorter), codes)
    return People(np.tile(people.rows, count), columns)


def test_risk_goes_step_by_step_and_attacks_the_spellings_that_would_be_sent():
    """All spellings are sent in plain encodings; hardened ones lack those that agree, so nobody has several."""
    steps = []
    report = assess_risk(spelled(invented(15), 4), SCHEMA, progress=lambda *step: steps.append(step))
    plain, *hardened = (result.spellings for result in report.hardenings)
    assert (plain.attacked, hardened) == (15, [None, None])
    assert report.to_dict()["hardenings"][0]["own_spellings"]["named"] == plain.named
    names, done, totals = zip(*steps, strict=True)
    assert list(done) == list(range(len(steps)))
    assert set(totals) == {len(steps)}
    assert names[:6] == (
        "plain: 10 known pairs",
        "plain: 20 known pairs",
        "plain: graph matching, no pair",
        "plain: graph matching, 20 known pairs",
        "plain: graph matching, no pair, 60 people of whom 30 encoded",
        "plain: people still matched",
    )


def test_what_cannot_be_attacked_is_refused():
    people = invented(39)
    with pytest.raises(RosterError, match="39 different people"):
        assess_risk(people, SCHEMA)
    with pytest.raises(RosterError, match="1 different person"):
        assess_indicators(people.take(np.zeros(50, dtype=np.int64)), SCHEMA)
    nameless = People(people.rows, {name: _empty(39) for name in people.columns})
    with pytest.raises(RosterError, match="0 different people"):
        assess_indicators(nameless, SCHEMA)
    one_field = People(
        people.rows, {name: _empty(39) for name in people.columns} | {"surname": people.columns["surname"]}
    )
    with pytest.raises(RefusedError, match="only 1 field"):
        assess_risk(one_field, SCHEMA)
    undated = invented(50)
    undated = People(undated.rows, undated.columns | {"birth_date": _empty(50)})
    with pytest.raises(RosterError, match="a readable birth_date in 0% of its rows and the roster in 100%"):
        assess_risk(invented(50), SCHEMA, undated)


def test_encodings_of_the_package_are_what_is_attacked():
    people = invented(50)
    pool = pool_of(people)
    assert np.array_equal(scheme_of(SCHEMA).encode(people, KEY).words, encode(people, SCHEMA, KEY).words)
    assert np.array_equal(
        scheme_of(SCHEMA).encode(pool.targets(), KEY).words[pool.person_of_row], encode(people, SCHEMA, KEY).words
    )
