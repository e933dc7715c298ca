"""Attacks on one's own encodings: one that cannot work reports chance, one that must work reports everybody."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from pprl.core.bits import BitMatrix
from pprl.core.errors import RefusedError, RosterError
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema_file import parse_schema
from pprl.encode.bloom import encode
from pprl.encode.tokens import space, tokens
from pprl.preflight import indicators as cheap
from pprl.preflight.attacks.graph import graph_matching
from pprl.preflight.attacks.known_pairs import LEARNERS, known_pairs
from pprl.preflight.attacks.lookups import dictionary, frequency_alignment
from pprl.preflight.attacks.scheme import Crowd, Scheme, signs
from pprl.preflight.examine import examine, glance, known_ladder
from pprl.preflight.indicators import indicators, repeats, strata_cells
from pprl.preflight.utility import found_again
from pprl.roster.people import MISSING, Column, People

SCHEMA = parse_schema(
    """
format = 1
[encoding]
hardening = 0
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
    """Made-up people: names of syllables, so that many are alike, and birth dates of forty years."""
    draws = RandomStream(seed_from(seed), "people of a test")

    def names(count: int, parts: int) -> list[str]:
        drawn = draws.below(len(SYLLABLES), count * parts).reshape(count, parts).tolist()
        return sorted({"".join(SYLLABLES[at] for at in each) for each in drawn})

    pools = {"surname": names(surnames, 3), "given": names(40, 2)}
    days = np.datetime64("1960-01-01") + draws.below(14_600, rows).astype("timedelta64[D]")
    pools["birth_date"] = sorted(set(map(str, days)))
    pools |= {"unit": ["1 rota", "2 rota"], "rank": ["1", "2", "3"]}
    columns = {name: Column(tuple(pool), draws.below(len(pool), rows).astype(np.int32)) for name, pool in pools.items()}
    return People(np.arange(rows, dtype=np.int64), columns)


def crowd_of(people: People, population: People | None = None, scheme=None, seed: int = 1) -> Crowd:
    return Crowd(people, population, scheme or Scheme(SCHEMA), RandomStream(seed_from(seed), "test"))


@dataclass(frozen=True)
class Noise:
    """An encoding that says nothing: bits from the system's own generator, whoever it is."""

    schema: object = SCHEMA
    mixed: int = 1
    length: int = 1024

    def encode(self, people: People, key: bytes) -> BitMatrix:
        return BitMatrix(RandomStream(key, "noise").words(len(people) * 16).reshape(-1, 16))

    bits_of_tokens = Scheme(SCHEMA).bits_of_tokens


@dataclass(frozen=True)
class Bare:
    """An encoding that says everything: each token has its k bits to itself, whatever the key."""

    schema: object = SCHEMA
    mixed: int = 1
    length: int = 32_768  # so long that chance hits do not matter

    def encode(self, people: People, _key: bytes) -> BitMatrix:
        held = self.bits_of_tokens(people).toarray()
        bits = np.repeat(held > 0, np.round(held.max(axis=0) ** 2).astype(int), axis=1)
        wide = np.pad(bits, ((0, 0), (0, self.length - bits.shape[1])))
        return BitMatrix(np.packbits(wide, axis=1, bitorder="little").view("<u8"))

    bits_of_tokens = Scheme(SCHEMA).bits_of_tokens


def attacks(scheme, people: People, population: People | None = None):
    """Every attack that reads likeness, on a scheme: findings by name."""
    crowd = crowd_of(people, population, scheme)
    bits = scheme.encode(crowd.victims(), KEY)
    known, victims = np.arange(100), np.arange(100, crowd.roster)
    found = {name: known_pairs(crowd, scheme, bits, known, victims, name) for name in LEARNERS}
    found["graph"] = graph_matching(crowd, scheme, bits, RandomStream(KEY, "order"))
    return found


def test_an_attack_that_cannot_work_reports_chance():
    for name, found in attacks(Noise(), invented(300), invented(500, 2)).items():
        low, high = found.interval
        assert low <= found.chance <= high, name
        assert found.candidates == (300 if name == "graph" else 700)


def test_an_attack_that_must_work_names_everybody():
    found = attacks(Bare(), invented(180), invented(200, 2))
    assert {name: each.rate for name, each in found.items()} == {"linear": 1, "dice": 1, "scheme": 1, "graph": 1}
    assert all(found[name].top_ten == 80 for name in LEARNERS)


def test_frequencies_name_those_whose_counts_differ_and_nobody_else():
    """Person i stands there i + 1 times, and as often in the population."""
    few = invented(60)
    rows = np.repeat(np.arange(60), np.arange(60) + 1)
    crowd = crowd_of(few.take(rows), few.take(rows))
    plain = frequency_alignment(crowd, Scheme(SCHEMA).encode(crowd.victims(), KEY), RandomStream(KEY, "order"))
    assert (plain.named, plain.attacked) == (60, 60)
    once = crowd_of(invented(500), invented(1_000, 2))
    blind = frequency_alignment(once, Scheme(SCHEMA).encode(once.victims(), KEY), RandomStream(KEY, "order"))
    low, high = blind.interval
    assert low <= blind.chance <= high


def test_the_key_names_everybody_unless_encodings_are_all_alike():
    crowd = crowd_of(invented(300), invented(300, 2))
    for hardening in (0, 8):
        assert dictionary(crowd, Scheme(SCHEMA.with_hardening(hardening)), KEY).rate == 1

    @dataclass(frozen=True)
    class Mute(Noise):
        def encode(self, people: People, _key: bytes) -> BitMatrix:
            return BitMatrix(np.zeros((len(people), 16), dtype="<u8"))

    assert dictionary(crowd, Mute(), KEY).named <= 1


@pytest.mark.parametrize("hardening", [0, 5, 8])
def test_likeness_over_keys_is_what_the_formula_says(hardening):
    """The mean over 60 keys of 1,024 bits, within 5 standard deviations of independent bits."""
    schema = SCHEMA.with_hardening(hardening)
    people = invented(30)
    scheme, crowd = Scheme(schema), crowd_of(people, scheme=Scheme(schema))
    everyone = np.arange(len(crowd))
    seen = [signs(scheme.encode(crowd.people, bytes([number] * 32))) for number in range(60)]
    mean = np.mean([each.mean(axis=1) for each in seen], axis=0)
    likeness = np.mean([each @ each.T / 1024 for each in seen], axis=0)
    room = 5 / np.sqrt(60 * 1024)
    assert np.abs(mean - crowd.mean(everyone, scheme)).max() < room
    assert np.abs(likeness - crowd.agreement(everyone, everyone, scheme)).max() < room


def test_bits_in_common_by_the_slow_definition():
    people = invented(40)
    crowd = crowd_of(people)

    def bits(row: int) -> set[tuple[str, str, int]]:
        person = [
            (field, column.values[column.codes[row]])
            for field in SCHEMA.linked()
            if (column := crowd.people.columns[field.name]).codes[row] != MISSING
        ]
        return {(space(f), token, at) for f, value in person for token in tokens(f.type, value) for at in range(f.k)}

    everyone = np.arange(len(crowd))
    slow = [[len(bits(left) & bits(right)) for right in everyone] for left in everyone]
    assert np.allclose(crowd.common(everyone, everyone), slow, rtol=1e-5)
    assert np.allclose(crowd.bits, np.diag(slow), rtol=1e-5)
    assert len({field.k for field in SCHEMA.linked()}) > 1, "a token of two fields must be tried with two k"


def test_plain_filters_fall_to_known_pairs_and_diffusion_delays_it():
    crowd = crowd_of(invented(700, surnames=600), invented(2_000, 2))
    known, victims = np.arange(150), np.arange(400, 700)
    rates = {}
    for hardening in (0, 5, 10):
        scheme = Scheme(SCHEMA.with_hardening(hardening))
        bits = scheme.encode(crowd.victims(), KEY)
        rates[hardening] = [known_pairs(crowd, scheme, bits, known, victims, name).rate for name in LEARNERS]
    assert min(rates[0]) > 0.9
    assert rates[0][2] == max(rates[0])
    assert rates[5][2] > rates[5][0]  # whoever knows the scheme does better than ridge regression
    assert max(rates[10]) < 0.5 * max(rates[5])


def test_known_people_are_no_candidates_and_nobody_counts_twice():
    people = invented(100)
    crowd = crowd_of(people.take(np.repeat(np.arange(100), 2)), people)
    assert (crowd.roster, len(crowd)) == (100, 100)
    assert np.bincount(crowd.of_row).tolist() == [2] * 100
    bits = Scheme(SCHEMA).encode(crowd.victims(), KEY)
    found = known_pairs(crowd, Scheme(SCHEMA), bits, np.arange(40), np.arange(60, 100), "scheme")
    assert (found.attacked, found.candidates, found.known) == (40, 60, 40)


def test_indicators_by_hand():
    assert cheap._gini(np.array([1, 1, 1, 1])) == 0
    assert cheap._gini(np.array([0, 0, 0, 4])) == pytest.approx(3 / 4)
    assert cheap._divergence(np.array([2, 2])) == 0
    # (1, 0) against (½, ½): ½ · 1 · log2(4/3) + ½ · (½ log2(2/3) + ½ log2(2))
    assert cheap._divergence(np.array([0, 2])) == pytest.approx(0.5 * np.log2(4 / 3) + 0.25 * (np.log2(2 / 3) + 1))
    assert cheap._correlation(np.array([1, 1]), np.array([1, 2])) == 0


def test_indicators_tell_noise_from_names():
    crowd = crowd_of(invented(800))
    plain = indicators(crowd, Scheme(SCHEMA).encode(crowd.victims(), KEY), RandomStream(KEY, "pairs"))
    noise = indicators(crowd, Noise().encode(crowd.victims(), KEY), RandomStream(KEY, "pairs"))
    assert plain.likeness_leaks > 0.8
    assert plain.weight_tells_length > 0.8
    assert abs(noise.likeness_leaks) < 5 / np.sqrt(20_000)
    assert abs(noise.weight_tells_length) < 5 / np.sqrt(800)
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


def test_who_is_found_again():
    people = invented(300, surnames=3_000)
    easy = found_again(people, SCHEMA, KEY)
    assert easy == found_again(people, SCHEMA, KEY)
    assert (easy.present, easy.rows) == (150, 10_150)
    assert easy.rate > 0.8
    nobody = found_again(People(people.rows, people.columns | {"birth_date": _empty(300)}), SCHEMA, KEY)
    assert nobody.rate < easy.rate


def _empty(rows: int) -> Column:
    return Column((), np.full(rows, MISSING, dtype=np.int32))


def test_an_examination_is_repeatable_and_whole():
    people, population = invented(90), invented(200, 2)
    one, same, other = (examine(people, SCHEMA, population, seed=seed) for seed in (1, 1, 2))
    assert json.dumps(one.to_dict()) == json.dumps(same.to_dict()) != json.dumps(other.to_dict())
    assert [each.hardening for each in one.hardened] == [0, 5, 8, 10]
    assert known_ladder(90) == [10, 20]
    for here in one.hardened:
        assert [each.known for each in here.ladder()] == [10, 20]
        assert {each.attacked for each in here.known_pairs} == {70}
        assert here.strongest(20).named == max(each.named for each in here.known_pairs if each.known == 20)
        assert here.graph_matching.attacked == 90
    assert one.dictionary.rate == 1
    assert one.as_agreed.hardening == 0
    assert one.to_dict()["hardenings"][0]["known_pairs_that_name_5_percent"] == 10


def test_progress_is_told_step_by_step():
    told = []
    examine(invented(60), SCHEMA, progress=lambda *each: told.append(each))
    names, done, totals = zip(*told, strict=True)
    assert list(done) == list(range(len(told)))
    assert set(totals) == {len(told)}
    assert names[:4] == ("t = 0: 10 known pairs", "t = 0: 20 known pairs", "t = 0: graph matching",
                         "t = 0: who is found again")  # fmt: skip


def test_what_cannot_be_attacked_is_refused():
    people = invented(39)
    with pytest.raises(RosterError, match="39 different people"):
        examine(people, SCHEMA)
    with pytest.raises(RosterError, match="1 different person"):
        glance(people.take(np.zeros(50, dtype=np.int64)), SCHEMA)
    nameless = People(people.rows, {name: _empty(39) for name in people.columns})
    with pytest.raises(RosterError, match="0 different people"):
        glance(nameless, SCHEMA)
    one_field = People(
        people.rows, {name: _empty(39) for name in people.columns} | {"surname": people.columns["surname"]}
    )
    with pytest.raises(RefusedError, match="only 1 field"):
        examine(one_field, SCHEMA)
    undated = invented(50)
    undated = People(undated.rows, undated.columns | {"birth_date": _empty(50)})
    with pytest.raises(RosterError, match="a birth_date that can be read in 0% of its rows and the roster in 100%"):
        examine(invented(50), SCHEMA, undated)


def test_encodings_of_the_package_are_what_is_attacked():
    people = invented(50)
    crowd = crowd_of(people)
    assert np.array_equal(Scheme(SCHEMA).encode(people, KEY).words, encode(people, SCHEMA, KEY).words)
    assert np.array_equal(
        Scheme(SCHEMA).encode(crowd.victims(), KEY).words[crowd.of_row], encode(people, SCHEMA, KEY).words
    )
