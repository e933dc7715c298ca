"""Encodings equal their definition, whatever the chunks; different keys, schemas and fields share nothing."""

from __future__ import annotations

import hashlib
import math
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pprl.core.bits import BitMatrix
from pprl.core.schema import EXPECTED_TOKENS, HARDENINGS, MAX_K, NAME_TYPES, Field, Schema
from pprl.core.schema_file import parse_schema
from pprl.encode import bloom as encode_module
from pprl.encode import hardening as harden_module
from pprl.encode.bloom import Masks, encode, key_check, one_by_one, positions, reference, subkey
from pprl.encode.hardening import diffuse, diffusion_indices
from pprl.encode.tokens import space, tokens
from pprl.roster.people import MISSING, Column, People

KEY = b"k" * 32
ONE_IN_A_BILLION = 1e-9  # how often a statistical test here would fail by chance, were its keys not fixed

# ---------------------------------------------------------------- what is drawn

words = st.text("abegiknorstvx", min_size=1, max_size=9)
names = st.lists(words | st.sampled_from(["i.", "p.", "o."]), min_size=1, max_size=3).map(" ".join)
dates = st.one_of(
    st.dates().map(lambda day: f"1985-{day:%m-%d}"),
    st.integers(1850, 2100).map(str),
    st.integers(1, 12).map(lambda month: f"1985-{month:02d}"),
)
VALUES = {
    "surname": names,
    "given": names,
    "patronymic": names,
    "text": names,
    "date": dates,
    "year": st.integers(1850, 2100).map(str),
    "sex": st.sampled_from(["m", "f"]),
    "rank": st.sampled_from(["10", "40", "110"]),
    "identifier": st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=12),
    "category": st.lists(words, min_size=1, max_size=3).map(" ".join),
    "number": st.integers(-(10**18), 10**18).map(str),
}


@st.composite
def schemas(draw, lengths=(256, 512, 1024)):
    kinds = draw(st.lists(st.sampled_from(sorted(EXPECTED_TOKENS)), min_size=1, max_size=6))
    roles = draw(
        st.lists(st.sampled_from(["link", "link", "link", "confirm"]), min_size=len(kinds), max_size=len(kinds))
    )
    fields = tuple(
        Field(f"f{index}", kind, role, draw(st.integers(1, MAX_K)) if role == "link" else 0)
        for index, (kind, role) in enumerate(zip(kinds, ["link", *roles[1:]], strict=True))
    )
    return Schema(
        name="s",
        length=draw(st.sampled_from(lengths)),
        hardening=draw(st.sampled_from(HARDENINGS)),
        fill=2000,
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
    columns = {}
    for field in schema.fields:
        values = {}
        codes = [
            values.setdefault(person[field.name], len(values)) if field.name in person else MISSING
            for person in persons
        ]
        columns[field.name] = Column(tuple(values), np.array(codes, dtype=np.int32))
    return People(np.arange(len(persons)), columns)


def hardened(plain, mixed):
    return diffuse(plain, diffusion_indices(plain.length, mixed, KEY))


def bits_of(matrix):
    """Each row as the set of its bits, found from its bytes."""
    return [
        {8 * place + bit for place, byte in enumerate(row.tobytes()) for bit in range(8) if byte >> bit & 1}
        for row in matrix.words
    ]


def plain_schema(*fields, length=1024, hardening=0):
    listed = tuple(Field(name, kind, "link", k) for name, kind, k in fields)
    return Schema(
        name="s",
        length=length,
        hardening=hardening,
        fill=2000,
        false_match_rate=500,
        decoys=20,
        disclosure=5,
        fields=listed,
    )


PERSON = plain_schema(("surname", "surname", 9), ("given", "given", 9), ("birth_date", "date", 9))


# ---------------------------------------------------------------- the definition


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_encodings_are_their_definition(data):
    schema = data.draw(schemas())
    persons = data.draw(rosters(schema))
    encoded = encode(people_of(persons, schema), schema, KEY)
    assert encoded.words.shape == (len(persons), schema.length // 64)
    assert bits_of(encoded) == [reference(person, schema, KEY) for person in persons]


@pytest.mark.parametrize("length", [2048, 4096, 8192])
def test_long_encodings_are_their_definition(length):
    schema = plain_schema(("surname", "surname", 32), ("birth_date", "date", 32), length=length, hardening=10)
    person = {"surname": "lugova mirna", "birth_date": "1985-03-07"}
    assert bits_of(encode(people_of([person], schema), schema, KEY)) == [reference(person, schema, KEY)]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 5), st.integers(1, 5))
def test_chunks_change_nothing(data, values_at_a_time, rows_at_a_time):
    schema = data.draw(schemas())
    people = people_of(data.draw(rosters(schema, max_size=12)), schema)
    whole = encode(people, schema, KEY).to_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode_module, "AT_A_TIME", values_at_a_time)
        patch.setattr(harden_module, "ROWS_AT_A_TIME", rows_at_a_time)
        assert encode(people, schema, KEY).to_bytes() == whole


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_rows_keep_their_order_and_know_nothing_of_each_other(data):
    schema = data.draw(schemas())
    persons = data.draw(rosters(schema, max_size=8))
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
    for schema in (PERSON, PERSON.with_hardening(8)):
        assert encode(people_of([], schema), schema, KEY).words.shape == (0, 16)


@settings(max_examples=20, deadline=None)
@given(schemas())
def test_a_person_of_whom_nothing_is_known_has_an_empty_row(schema):
    assert bits_of(encode(people_of([{}, {}], schema), schema, KEY)) == [set(), set()]


def test_fields_that_are_not_linked_set_no_bit():
    seen = Schema(
        name="s",
        length=1024,
        hardening=0,
        fill=2000,
        false_match_rate=500,
        decoys=20,
        disclosure=5,
        fields=(*PERSON.fields, Field("rank", "rank", "confirm", 0)),
    )
    person = {"surname": "lugova", "rank": "110"}
    assert encode(people_of([person], seen), seen, KEY).to_bytes() == (
        encode(people_of([{"surname": "lugova"}], PERSON), PERSON, KEY).to_bytes()
    )


# ---------------------------------------------------------------- positions


@pytest.mark.parametrize("length", [256, 512, 1024, 2048, 4096, 8192])
def test_a_position_is_a_word_of_the_digest(length):
    digest = hashlib.blake2b("№".encode(), key=KEY, digest_size=64).digest()
    words = [digest[index] + 256 * digest[index + 1] for index in range(0, 64, 2)]
    assert positions(KEY, "№", length).tolist() == [word % length for word in words]


@pytest.mark.parametrize("k", [1, 2, 9, 31, 32])
def test_a_token_takes_the_first_k_positions(k):
    schema = plain_schema(("category", "category", k))
    (bits,) = bits_of(encode(people_of([{"category": "po kontraktu"}], schema), schema, KEY))
    space_key = subkey(KEY, schema, "tokens/field/category")
    assert bits == set(positions(space_key, "po kontraktu", 1024).tolist()[:k])


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
    for schema in (PERSON, PERSON.with_hardening(8)):
        first, second = bits_of(encode(people_of(swapped, schema), schema, KEY))
        assert first == second
        assert first
    assert {space(Field("x", kind, "link", 1)) for kind in NAME_TYPES} == {"name"}


def test_other_fields_have_a_space_each():
    """One value in two fields of one type: 10 positions among 8,192 share more than 3 by chance once in 10^9."""
    schema = plain_schema(("home", "category", 10), ("unit", "category", 10), ("note", "text", 10), length=8192)
    chance = stats.hypergeom.sf(3, 8192, 10, 10)
    assert chance < ONE_IN_A_BILLION
    persons = [{"home": "a"}, {"unit": "a"}]
    first, second = bits_of(encode(people_of(persons, schema), schema, KEY))
    assert len(first & second) <= 3
    assert space(Field("name", "text", "link", 1)) != "name"  # a field called "name" is not the names


def test_an_initial_is_part_of_the_full_name():
    schema = plain_schema(("given", "given", 9))
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


OTHER_SCHEMAS = {
    "another key": (PERSON, PERSON),
    "another field's name": (
        PERSON,
        plain_schema(("a", "surname", 9), ("given", "given", 9), ("birth_date", "date", 9)),
    ),
    "another k": (
        PERSON,
        plain_schema(("surname", "surname", 9), ("given", "given", 9), ("birth_date", "date", 10)),
    ),
    "another key, diffused": (PERSON.with_hardening(8), PERSON.with_hardening(8)),
    "another hardening": (PERSON, PERSON.with_hardening(5)),
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
    common, mean, variance = common_bits_of(pairs, 1024)
    assert abs(common - mean) < 6 * math.sqrt(variance)
    same, mean, variance = common_bits_of([(a, a) for a, _ in pairs], 1024)
    assert same - mean > 60 * math.sqrt(variance)  # the test can tell


def test_purposes_have_keys_of_their_own():
    purposes = ["key-check", "diffusion", "tokens/name", "tokens/field/name", "tokens/field/birth_date"]
    keys = {subkey(key, schema, p) for key in (KEY, b"l" * 32) for schema in (PERSON, OTHER) for p in purposes}
    assert len(keys) == 2 * 2 * len(purposes)
    assert all(len(key) == 32 for key in keys)
    assert key_check(KEY, PERSON) != key_check(b"l" * 32, PERSON)
    assert len(key_check(KEY, PERSON)) == 16


OTHER = PERSON.with_hardening(5)


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


# ---------------------------------------------------------------- diffusion


def random_rows(seed, count, length):
    return BitMatrix(np.random.default_rng(seed).integers(0, 2**64, (count, length // 64), dtype=np.uint64))


@pytest.mark.parametrize("mixed", HARDENINGS[1:])
@pytest.mark.parametrize("length", [256, 512, 1024, 2048])
def test_each_input_bit_is_used_t_times_and_each_output_has_t_of_them(length, mixed):
    indices = diffusion_indices(length, mixed, KEY)
    assert indices.shape == (mixed, length)
    assert set(Counter(indices.ravel().tolist()).values()) == {mixed}
    assert all(sorted(row) == list(range(length)) for row in indices.tolist())
    assert all(len(set(column)) == mixed for column in indices.T.tolist())


def test_entries_are_anywhere():
    """First row and last, over 40 seeds: which quarter an entry comes from does not depend on its position."""
    for row in (0, 7):
        tables = np.array([diffusion_indices(256, 8, bytes([seed]) * 32)[row] for seed in range(40)])
        cells = np.bincount((4 * (np.arange(256) // 64) + tables // 64).ravel(), minlength=16)
        expected = tables.size / 16
        assert ((cells - expected) ** 2 / expected).sum() < stats.chi2.isf(ONE_IN_A_BILLION, 9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 130), st.sampled_from([256, 512, 1024]), st.sampled_from(HARDENINGS))
def test_diffusion_is_its_definition(seed, count, length, mixed):
    plain = random_rows(seed, count, length)
    indices = diffusion_indices(length, mixed, KEY)
    expected = [
        {place for place in range(length) if sum(int(row[place]) in bits for row in indices) % 2} if mixed else bits
        for bits in bits_of(plain)[:3]
    ]
    assert bits_of(hardened(plain, mixed))[:3] == expected


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200), st.sampled_from(HARDENINGS))
def test_diffusion_is_linear(seed, count, mixed):
    a, b = random_rows(seed, count, 512), random_rows(seed + 1, count, 512)
    both = BitMatrix(a.words ^ b.words)
    assert (hardened(both, mixed).words == hardened(a, mixed).words ^ hardened(b, mixed).words).all()


def test_no_hardening_is_identity():
    plain = random_rows(1, 100, 1024)
    assert hardened(plain, 0).to_bytes() == plain.to_bytes()


@pytest.mark.parametrize("mixed", HARDENINGS)
def test_an_empty_row_stays_empty(mixed):
    assert not hardened(BitMatrix(np.zeros((70, 16), dtype="<u8")), mixed).words.any()


@pytest.mark.parametrize("mixed", HARDENINGS[1:])
def test_one_input_bit_turns_t_output_bits(mixed):
    single = BitMatrix.from_positions([[place] for place in range(512)], 512)
    assert hardened(single, mixed).weights().tolist() == [mixed] * 512


def test_another_seed_is_another_table():
    assert (diffusion_indices(512, 8, KEY) == diffusion_indices(512, 8, b"l" * 32)).mean() < 0.05


def test_parts_of_a_roster_are_what_the_whole_is(monkeypatch):
    """However many values and tokens are remembered, and whenever they are forgotten."""
    draw = np.random.default_rng(3)
    names = ["".join(chr(97 + item) for item in draw.integers(0, 26, 5)) for _ in range(60)]
    schema = parse_schema('format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n')
    some = zip(draw.choice(names, 200).tolist(), draw.choice(names[:9], 200).tolist(), strict=True)
    people = people_of([{"surname": surname, "given": given} for surname, given in some], schema)
    whole = encode(people, schema, KEY).words
    for remembered in (1, 20, 40, 55, 1 << 16):
        monkeypatch.setattr(encode_module, "REMEMBERED", remembered)
        encoder = encode_module.Encoder(schema, KEY)
        for size in (13, 53, 200):
            parts = [encoder.encode(people.take(np.arange(top, min(200, top + size)))) for top in range(0, 200, size)]
            assert np.array_equal(np.concatenate([part.words for part in parts]), whole)
