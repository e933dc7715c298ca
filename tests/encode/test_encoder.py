"""Encodings equal their definition, whatever the chunks; different keys, schemas and fields share nothing."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.values import VALUES, people_of_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pprl.core.hardening import SET_NAMES
from pprl.core.schema import EXPECTED_TOKENS, NAME_TYPES, Field, Schema, plain_bits
from pprl.core.schema_file import parse_schema
from pprl.encode import bloom
from pprl.encode.bloom import Masks, one_by_one, positions
from pprl.encode.encoder import Encoder, encode, reference
from pprl.encode.keys import key_check, subkey
from pprl.encode.tokens import space, tokens
from pprl.roster.people import Column, People

KEY = b"k" * 32
ONE_IN_A_BILLION = 1e-9  # how often a statistical test here would fail by chance, were its keys not fixed

# ---------------------------------------------------------------- what is drawn


@st.composite
def schemas(draw, sets=SET_NAMES):
    kinds = draw(st.lists(st.sampled_from(sorted(EXPECTED_TOKENS)), min_size=1, max_size=6))
    roles = draw(
        st.lists(st.sampled_from(["link", "link", "link", "confirm"]), min_size=len(kinds), max_size=len(kinds))
    )
    fields = tuple(
        Field(f"f{index}", kind, role, draw(st.sampled_from([50, 100, 150, 200])) if role == "link" else 0)
        for index, (kind, role) in enumerate(zip(kinds, ["link", *roles[1:]], strict=True))
    )
    return Schema(
        name="s",
        hardening=draw(st.sampled_from(sets)),
        false_match_rate=500,
        decoys=20,
        disclosure=5,
        fields=fields,
    )


@st.composite
def rosters(draw, schema, max_size=6):
    """People as canonical values by field name, any of them missing."""
    person = st.fixed_dictionaries({}, optional={field.name: VALUES[field.type] for field in schema.fields})
    return draw(st.lists(person, max_size=max_size))


def people_of(persons, schema):
    return people_of_values(persons, schema.fields)


def bits_of(matrix):
    """Each row as the set of its bits, found from its bytes."""
    return [
        {8 * place + bit for place, byte in enumerate(row.tobytes()) for bit in range(8) if byte >> bit & 1}
        for row in matrix.words
    ]


def schema_of(*fields, hardening="plain"):
    listed = tuple(Field(name, kind, "link", 100) for name, kind in fields)
    return Schema(name="s", hardening=hardening, false_match_rate=500, decoys=20, disclosure=5, fields=listed)


PERSON = schema_of(("surname", "surname"), ("given", "given"), ("birth_date", "date"))
BY_SET = [PERSON.with_hardening(name) for name in SET_NAMES]


# ---------------------------------------------------------------- the definition


@settings(max_examples=80)
@given(st.data())
def test_plain_encodings_are_their_definition(data):
    schema = data.draw(schemas(sets=["plain"]))
    persons = data.draw(rosters(schema))
    encoded = encode(people_of(persons, schema), schema, KEY)
    assert encoded.words.shape == (len(persons), schema.length // 64)
    assert bits_of(encoded) == [reference(person, schema, KEY) for person in persons]


@pytest.mark.parametrize("schema", BY_SET, ids=SET_NAMES)
def test_encodings_of_each_set_are_their_definition(schema):
    """Shorter ones are compared person by person in test_sparse.py: the definition takes a second for each."""
    person = {"surname": "li", "given": "o."}
    assert bits_of(encode(people_of([person], schema), schema, KEY)) == [reference(person, schema, KEY)]


@settings(max_examples=60)
@given(st.data(), st.integers(1, 5))
def test_chunks_change_nothing(data, at_a_time):
    schema = data.draw(schemas(sets=["plain"]))
    people = people_of(data.draw(rosters(schema, max_size=12)), schema)
    whole = encode(people, schema, KEY).to_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bloom, "AT_A_TIME", at_a_time)
        assert encode(people, schema, KEY).to_bytes() == whole


@settings(max_examples=40)
@given(st.data())
def test_rows_keep_their_order_and_know_nothing_of_each_other(data):
    schema = data.draw(schemas(sets=["plain"]) | st.sampled_from(BY_SET))
    persons = data.draw(rosters(schema, max_size=8))
    if schema.hardening != "plain":  # there a row of which nothing can be told is random
        persons = [person | {"surname": "lugova"} for person in persons]
    order = data.draw(st.permutations(range(len(persons))))
    encoded = encode(people_of(persons, schema), schema, KEY)
    shuffled = encode(people_of([persons[index] for index in order], schema), schema, KEY)
    assert shuffled.words.tolist() == encoded.words[order].tolist()
    for index, person in enumerate(persons):
        assert encode(people_of([person], schema), schema, KEY).to_bytes() == encoded.words[index].tobytes()


def test_values_that_no_row_holds_change_nothing():
    person = people_of([{"surname": "lugova"}], PERSON)
    more = {**person.columns, "surname": Column(("mirna", "lugova"), np.array([1], dtype=np.int32))}
    assert encode(People(person.rows, more), PERSON, KEY).to_bytes() == encode(person, PERSON, KEY).to_bytes()


def test_nobody():
    for schema in BY_SET:
        assert encode(people_of([], schema), schema, KEY).words.shape == (0, schema.length // 64)


def test_a_person_of_whom_nothing_is_known_has_an_empty_row_in_plain():
    assert bits_of(encode(people_of([{}, {}], PERSON), PERSON, KEY)) == [set(), set()]


@pytest.mark.parametrize("schema", BY_SET[1:], ids=SET_NAMES[1:])
def test_a_person_of_whom_nothing_can_be_told_gets_random_bits(schema):
    """They are nobody's: two such people share what strangers share, and another seed gives other bits."""
    people = people_of([{}, {"surname": "lugova"}, {}], schema)
    found, again, other = (Encoder(schema, KEY, seed * 32).encode(people) for seed in (b"a", b"a", b"b"))
    assert found.to_bytes() == again.to_bytes()
    assert found.words[1].tolist() == other.words[1].tolist()
    rows = [found.words[0], found.words[2], other.words[0], found.words[1]]
    for index, one in enumerate(rows):
        for two in rows[:index]:
            differing = int(np.bitwise_count(one ^ two).sum())
            assert abs(differing - schema.length / 2) < 3 * math.sqrt(schema.length)  # 6 standard deviations


@pytest.mark.parametrize("schema", BY_SET, ids=SET_NAMES)
def test_fields_that_are_not_linked_set_no_bit(schema):
    seen = replace(schema, fields=(*schema.fields, Field("rank", "rank", "confirm", 0)))
    person = {"surname": "lugova", "rank": "110"}
    assert encode(people_of([person], seen), seen, KEY).to_bytes() == (
        encode(people_of([{"surname": "lugova"}], schema), schema, KEY).to_bytes()
    )


# ---------------------------------------------------------------- positions


@pytest.mark.parametrize("length", [256, 512, 1024, 2048, 4096, 8192])
def test_a_position_is_a_word_of_the_digest(length):
    digest = hashlib.blake2b("№".encode(), key=KEY, digest_size=64).digest()
    words = [digest[index] + 256 * digest[index + 1] for index in range(0, 64, 2)]
    assert positions(KEY, "№", length).tolist() == [word % length for word in words]


@pytest.mark.parametrize("weights", [(100, 100), (50, 200)], ids=str)
def test_a_token_takes_the_first_positions(weights):
    fields = zip(("category", "unit"), weights, strict=True)
    schema = replace(PERSON, fields=tuple(Field(name, "category", "link", weight) for name, weight in fields))
    (bits,) = bits_of(encode(people_of([{"category": "po kontraktu"}], schema), schema, KEY))
    space_key = subkey(KEY, schema, "tokens/field/category")
    count = plain_bits(schema.fields, 1024)["category"]
    assert bits == set(positions(space_key, "po kontraktu", 1024).tolist()[:count])


def test_positions_are_unbiased():
    """128,000 positions over 1,024 places, and the same for each of the 32 words by itself."""
    found = np.array([positions(KEY, f"token {number}", 1024) for number in range(4_000)])
    for drawn in (found, *found.T):
        expected = drawn.size / 1024
        chi_square = ((np.bincount(drawn.ravel(), minlength=1024) - expected) ** 2 / expected).sum()
        # 33 tests: a bound that all of them together would break once in a billion
        assert chi_square < stats.chi2.isf(ONE_IN_A_BILLION / 33, 1023)


def test_positions_of_one_token_are_independent():
    """Random hashing: under double hashing the second difference of the positions would always be 0."""
    found = np.array([positions(KEY, f"token {number}", 1024) for number in range(20_000)]).astype(np.int64)
    for steps in ((found[:, 2] - 2 * found[:, 1] + found[:, 0]), found[:, 1] - found[:, 0]):
        counts = np.bincount(steps % 16, minlength=16)
        assert ((counts - 1250) ** 2 / 1250).sum() < stats.chi2.isf(ONE_IN_A_BILLION / 2, 15)


# ---------------------------------------------------------------- who shares what


def test_names_share_one_space():
    swapped = [
        {"surname": "lugova", "given": "oleg", "birth_date": "1985"},
        {"surname": "oleg", "given": "lugova", "birth_date": "1985"},
    ]
    for schema in BY_SET:
        first, second = bits_of(encode(people_of(swapped, schema), schema, KEY))
        assert first == second
        assert first
    assert {space(Field("x", kind, "link", 100)) for kind in NAME_TYPES} == {"name"}


def test_other_fields_have_a_space_each():
    """One value in two fields of one type: 32 positions among 1,024 share more than 11 by chance once in 10^9."""
    schema = schema_of(("home", "category"), ("unit", "category"), ("note", "text"))
    count = plain_bits(schema.fields, 1024)["home"]
    chance = stats.hypergeom.sf(11, 1024, count, count)
    assert chance < ONE_IN_A_BILLION
    persons = [{"home": "a"}, {"unit": "a"}]
    first, second = bits_of(encode(people_of(persons, schema), schema, KEY))
    assert len(first & second) <= 11
    assert space(Field("name", "text", "link", 100)) != "name"  # a field called "name" is not the names


def test_an_initial_is_part_of_the_full_name():
    schema = schema_of(("given", "given"))
    initial, full, other = bits_of(
        encode(people_of([{"given": g} for g in ("o.", "oleg", "gelo")], schema), schema, KEY)
    )
    assert initial < full
    assert not initial <= other


def common_bits_of(pairs, length):
    """(common bits of all pairs, what independent rows of these weights have, the variance of that)."""
    common = sum(len(a & b) for a, b in pairs)
    law = [stats.hypergeom(length, len(a), len(b)) for a, b in pairs]
    return common, sum(entry.mean() for entry in law), sum(entry.var() for entry in law)


HARD = PERSON.with_hardening("high")
OTHER_SCHEMAS = {
    "another key": (PERSON, PERSON),
    "another field's name": (PERSON, schema_of(("a", "surname"), ("given", "given"), ("birth_date", "date"))),
    "another weight": (PERSON, replace(PERSON, fields=(*PERSON.fields[:2], replace(PERSON.fields[2], weight=110)))),
    "another key, hardened": (HARD, HARD),
    "another weight, hardened": (HARD, replace(HARD, fields=(*HARD.fields[:2], replace(HARD.fields[2], weight=110)))),
}


@pytest.mark.parametrize(("left", "right"), OTHER_SCHEMAS.values(), ids=OTHER_SCHEMAS)
def test_keys_and_schemas_share_nothing(left, right):
    """One person under 60 pairs of keys: as many common bits as random rows of the same weights.

    The keys are independent, so the common bits are a sum of hypergeometric draws; six standard deviations are
    allowed (once in 10^9). Equal encodings would be some hundred off.
    """
    values = dict(zip(("surname", "given", "birth_date"), ("lugova", "oleg", "1985-03-07"), strict=True))
    pairs = []
    for number in range(60):
        ours = hashlib.sha256(b"ours %d" % number).digest()
        theirs = hashlib.sha256(b"theirs %d" % number).digest() if left == right else ours
        rows = [
            bits_of(
                encode(
                    people_of([dict(zip([f.name for f in schema.fields], values.values(), strict=True))], schema),
                    schema,
                    key,
                )
            )[0]
            for schema, key in ((left, ours), (right, theirs))
        ]
        pairs.append(tuple(rows))
    common, mean, variance = common_bits_of(pairs, left.length)
    assert abs(common - mean) < 6 * math.sqrt(variance)
    same, mean, variance = common_bits_of([(a, a) for a, _ in pairs], left.length)
    assert same - mean > 60 * math.sqrt(variance)  # the test can tell


def test_purposes_have_keys_of_their_own():
    purposes = [
        "key-check",
        "minwise/ranks",
        "minwise/outputs",
        "tokens/name",
        "tokens/field/name",
        "tokens/field/birth_date",
    ]
    keys = {subkey(key, schema, p) for key in (KEY, b"l" * 32) for schema in (PERSON, OTHER) for p in purposes}
    assert len(keys) == 2 * 2 * len(purposes)
    assert all(len(key) == 32 for key in keys)
    assert key_check(KEY, PERSON) != key_check(b"l" * 32, PERSON)
    assert len(key_check(KEY, PERSON)) == 16


OTHER = PERSON.with_hardening("standard")


@settings(max_examples=50)
@given(st.sampled_from(sorted(EXPECTED_TOKENS)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind])))
def test_tokens_are_distinct_and_never_none(kind_and_value):
    """Every value has tokens: `reduceat` would give a value without any the bits of its neighbour."""
    found = tokens(*kind_and_value)
    assert found
    assert len(set(found)) == len(found)


def test_masks_of_no_values():
    masks = Masks(one_by_one(str.split), lambda tokens: (np.arange(len(tokens)), np.ones(len(tokens))), 1024)
    assert masks.of(()).shape == (0, 16)


def test_parts_of_a_roster_are_what_the_whole_is(monkeypatch):
    """However many values and tokens are remembered, and whenever they are forgotten."""
    draw = np.random.default_rng(3)
    names = ["".join(chr(97 + item) for item in draw.integers(0, 26, 5)) for _ in range(60)]
    schema = parse_schema(
        'format = 1\nencoding.hardening = "plain"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
    )
    some = zip(draw.choice(names, 200).tolist(), draw.choice(names[:9], 200).tolist(), strict=True)
    people = people_of([{"surname": surname, "given": given} for surname, given in some], schema)
    whole = encode(people, schema, KEY).words
    for remembered in (1, 20, 40, 55, 1 << 16):
        monkeypatch.setattr(bloom, "REMEMBERED", remembered)
        encoder = Encoder(schema, KEY, KEY)
        for size in (13, 53, 200):
            parts = [encoder.encode(people.take(np.arange(top, min(200, top + size)))) for top in range(0, 200, size)]
            assert np.array_equal(np.concatenate([part.words for part in parts]), whole)
