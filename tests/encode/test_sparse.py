"""Sparse filters under min-wise hashing equal their definition, whatever the chunks, and people without a token get
random bits.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.values import VALUES, people_of_values
from hypothesis import given, settings
from hypothesis import strategies as st

from pprl.core.randomness import RandomStream
from pprl.core.schema import EXPECTED_TOKENS, NAME_TYPES
from pprl.encode import minwise as minwise_module
from pprl.encode import sparse as sparse_module
from pprl.encode.minwise import Minwise
from pprl.encode.rarity import Rarity, rarity
from pprl.encode.sparse import LinkedField, SparseEncoder, reference


def key_of(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()


def minwise_of(length, minima, seed=0):
    return Minwise(length, minima, key_of("ranks", seed)[:16], key_of("outputs", seed)[:16])


def field(name, kind, weight=1.0):
    return LinkedField(name, kind, weight, key_of("tokens", "name" if kind in NAME_TYPES else name))


def encoder(fields, minwise):
    return SparseEncoder(fields, rarity(), minwise)


def random_bits():
    return RandomStream(b"seed", "random bits")


def numbers_of(matrix):
    """Each row as a number whose bit j is bit j of the row."""
    return [int.from_bytes(row.tobytes(), "little") for row in matrix.words]


PERSON = (field("surname", "surname"), field("given", "given"), field("birth_date", "date"))
SMALL = [(64, 2), (64, 5), (128, 4), (128, 8), (64, 3), (128, 7)]


@st.composite
def linked_fields(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(EXPECTED_TOKENS)), min_size=1, max_size=4))
    weights = st.sampled_from([0.01, 0.25, 0.5, 1.0, 1.5])
    return [field(f"f{index}", kind, draw(weights)) for index, kind in enumerate(kinds)]


def persons_of(fields, **size):
    person = st.fixed_dictionaries({}, optional={field.name: VALUES[field.type] for field in fields})
    return st.lists(person, **size)


# ---------------------------------------------------------------- the definition


@settings(max_examples=30)
@given(st.data())
def test_encodings_are_their_definition(data):
    fields, minwise = data.draw(linked_fields()), minwise_of(*data.draw(st.sampled_from(SMALL)))
    persons = data.draw(persons_of(fields, max_size=2))
    encoded = encoder(fields, minwise).encode(people_of_values(persons, fields), random_bits())
    assert encoded.words.shape == (len(persons), minwise.length // 64)
    random = random_bits()
    for person, found in zip(persons, numbers_of(encoded), strict=True):
        expected = reference(person, fields, rarity(), minwise)
        if expected is None:
            expected = int.from_bytes(random.bytes(minwise.length // 8), "little")
        assert found == expected


@pytest.mark.parametrize(("length", "minima"), [(896, 24), (2048, 8), (4096, 5), (8192, 3)])
def test_long_encodings_are_their_definition(length, minima):
    fields, minwise = [field("surname", "surname"), field("year", "year")], minwise_of(length, minima)
    person = {"surname": "li", "year": "1985"}
    encoded = encoder(fields, minwise).encode(people_of_values([person], fields), random_bits())
    assert numbers_of(encoded) == [reference(person, fields, rarity(), minwise)]


# ---------------------------------------------------------------- chunks


@pytest.fixture(scope="module")
def people():
    """Rows with frequent and rare values, missing ones and a few with nothing."""
    rng = np.random.default_rng(5)
    letters = np.array(list("abegiknorstvx"))
    surnames = ["".join(rng.choice(letters, 6)) for _ in range(60)]
    persons = []
    for _ in range(300):
        person = {"surname": surnames[int(60 * rng.random() ** 3)], "given": surnames[int(rng.integers(9))]}
        person["birth_date"] = f"19{rng.integers(50, 99)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
        persons.append({name: value for name, value in person.items() if rng.random() > 0.2})
    return people_of_values(persons, PERSON)


@pytest.fixture(scope="module")
def whole(people):
    return encoder(PERSON, minwise_of(1024, 5)).encode(people, random_bits()).words


@pytest.mark.parametrize("limit", ["ROWS_AT_A_TIME", "GROUPS_AT_A_TIME", "REMEMBERED"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_chunks_change_nothing(monkeypatch, people, whole, limit, size):
    monkeypatch.setattr(sparse_module, limit, size)
    encode = encoder(PERSON, minwise_of(1024, 5)).encode
    assert (encode(people, random_bits()).words == whole).all()


@pytest.mark.parametrize("tile", [64, 192, 1024])
def test_tiles_and_threads_change_nothing(monkeypatch, people, whole, tile):
    monkeypatch.setattr(minwise_module, "TILE", tile)
    with ThreadPoolExecutor(3) as pool:
        encode = encoder(PERSON, minwise_of(1024, 5)).encode
        assert (encode(people, random_bits(), pool.map).words == whole).all()


def test_parts_of_a_roster_are_encoded_as_the_whole(people, whole):
    random, encode = random_bits(), encoder(PERSON, minwise_of(1024, 5)).encode
    parts = [encode(people.take(rows), random).words for rows in np.array_split(np.arange(len(people)), 7)]
    assert (np.concatenate(parts) == whole).all()


@pytest.mark.parametrize("minima", [3, 5, 8])
def test_without_numba_the_bits_are_the_same(monkeypatch, people, minima):
    compiled = encoder(PERSON, minwise_of(256, minima)).encode(people, random_bits()).words
    monkeypatch.setattr(minwise_module, "kernel", lambda _minima: minwise_module.NUMPY)
    assert (encoder(PERSON, minwise_of(256, minima)).encode(people, random_bits()).words == compiled).all()


# ---------------------------------------------------------------- what is nothing


def test_people_without_a_token_get_random_bits_that_no_key_decides():
    fields = [field("surname", "surname"), field("sex", "sex")]
    nobody = people_of_values([{}, {"sex": "m"}, {"surname": "li"}], fields)  # a sex is worth nothing
    first, second = (encoder(fields, minwise_of(1024, 4, seed)).encode(nobody, random_bits()).words for seed in (0, 1))
    assert (first[:2] == second[:2]).all()
    assert (first[:2].ravel() == random_bits().words(32)).all()
    assert not (first[2] == second[2]).any()


def test_no_rows():
    assert encoder(PERSON, minwise_of(1024, 4)).encode(people_of_values([], PERSON), random_bits()).words.shape == (
        0,
        16,
    )


def test_names_match_across_name_fields_and_nothing_else_matches_across_fields():
    persons = [{"surname": "ivan", "given": "li"}, {"surname": "li", "given": "ivan"}]
    first, second = encoder(PERSON, minwise_of(1024, 4)).encode(people_of_values(persons, PERSON), random_bits()).words
    assert (first == second).all()
    places = [field("born", "text"), field("lives", "text")]
    persons = [{"born": "minsk"}, {"lives": "minsk"}]
    words = encoder(places, minwise_of(1024, 4)).encode(people_of_values(persons, places), random_bits()).words
    assert 400 < np.bitwise_count(words[0] ^ words[1]).sum() < 624


def test_a_worth_is_the_weight_times_the_rarity_to_the_even_number_and_at_most_32():
    table = Rarity({("name", "zh"): 5, ("name", "*"): 3, ("name", "an"): 0})
    for weight, token, positions in [
        (1, "zh", 5),
        (0.5, "zh", 2),
        (0.5, "qq", 2),
        (0.1, "zh", 0),
        (9, "zh", 32),
        (9, "an", 0),
    ]:
        assert field("surname", "surname", weight).worth(token, table) == positions


@pytest.mark.parametrize(("length", "minima"), [(1000, 4), (1024, 0), (1024, 25), (64, 9), (2**18, 4)])
def test_what_no_ruler_measures_is_refused(length, minima):
    with pytest.raises(ValueError, match="no min-wise hashing"):
        minwise_of(length, minima)
