"""Attacks on a list as it is sent, with its decoys and relatives, by somebody who has seen its labels."""

import numpy as np
import pytest
from scipy.stats import binom

from pprl.core.bits import BitMatrix
from pprl.core.private_rows import RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema_file import parse_schema
from pprl.demo import SCHEMA, invent
from pprl.encode.decoys import make_decoys
from pprl.encode.encoder import Encoder
from pprl.encode.list import Records, deal_out
from pprl.preflight.attacks.beside import Beside
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.known_pairs import known_pairs
from pprl.preflight.attacks.scheme import CandidatePool, signs
from pprl.preflight.attacks.spellings import own_spellings
from pprl.roster.load import load
from pprl.roster.people import Column, People

KEY = bytes(range(32))
NOBODY = np.zeros(0, dtype=np.int64)


@pytest.fixture(scope="module")
def pool():
    schema = parse_schema(SCHEMA)
    registry = load(invent(7).registry.head(200), schema, "registry", any_age=True).people
    return CandidatePool(registry, None, schema, RandomStream(KEY, "pool"))


def decoys_of(pool, schema, *, dealt):
    """As `encode_list` makes them, or beside the people whose names they keep."""
    people = pool.targets()

    def bits(count):
        return np.zeros((count, 1), dtype=np.uint64)

    def make(draws):
        made = make_decoys(people, schema, 30, draws)
        if not dealt:
            return made.people, made.base
        persons = Records.of_kind(RecordKind.REAL, people, bits(len(people)), np.arange(len(people)))
        decoys = Records.of_kind(RecordKind.DECOY, made.people, bits(len(made.people)), made.base)
        found = deal_out(decoys, persons, NOBODY, schema, draws.bytes(32))
        return found.people, found.base

    return make


@pytest.mark.parametrize("dealt", [False, True])
def test_the_mean_of_a_persons_decoys(pool, dealt):
    """Decoys beside the person they were made of name them, although no single encoding does; dealt out, none does."""
    schema = parse_schema(SCHEMA)
    view = Beside(pool, scheme_of(schema), decoys_of(pool, schema, dealt=dealt), KEY, RandomStream(KEY, "draws"))
    found = known_pairs(pool, [view], np.arange(100), np.arange(100, pool.target_count))
    if dealt:
        assert found.named <= binom.ppf(0.9999, found.attacked, found.chance)
    else:
        assert found.rate > 0.2, found


def test_what_is_expected_of_a_mean_is_what_comes_out(pool):
    """Over keys, with the same relatives each time: a tenth of the people, so that all pairs have a mean of 30."""
    schema = parse_schema(SCHEMA)
    few = CandidatePool(pool.targets().take(np.arange(24)), None, schema, RandomStream(KEY, "few"))

    def make(_draws):
        made = make_decoys(few.targets(), schema, 4, RandomStream(KEY, "the same"), relatives=True)
        return made.people, made.base

    everybody, similarity = np.arange(24), np.zeros((24, 24))
    for number in range(30):
        rows = Beside(few, scheme_of(schema), make, bytes([number] * 32), RandomStream(KEY, "draws")).seen(everybody)
        similarity += rows @ rows.T / rows.shape[1] / 30
    expected = Beside(few, scheme_of(schema), make, KEY, RandomStream(KEY, "draws")).covariance(everybody, everybody)
    noise = 5 / np.sqrt(30 * schema.length)
    assert np.abs(similarity - expected).max() < noise + 0.02  # scaled by what was seen, and by what was expected


def spelled(pool, count):
    """Everybody in so many spellings: a letter is missing at another place of the names in each."""
    people, columns = pool.targets(), {}
    for name, column in people.columns.items():
        texts, codes = list(column.values), [column.codes]
        for turn in range(1, count):
            of_names = name in ("surname", "given")
            texts += [text[:turn] + text[turn + 1 :] if of_names else text for text in column.values]
            codes.append(np.where(column.codes < 0, column.codes, column.codes + turn * len(column.values)))
        columns[name] = Column(tuple(texts), np.concatenate(codes).astype(np.int32))
    owner = np.tile(np.arange(len(people)), count)
    return People(np.arange(len(owner)), columns), owner


def test_spellings_of_a_person_name_them_without_a_key(pool):
    """Four spellings have six similarities; two have one, which names hardly anybody. Random bits give chance."""
    schema, draws = parse_schema(SCHEMA), RandomStream(KEY, "draws")
    scheme, rates = scheme_of(schema), {}
    for count in (2, 4):
        people, owner = spelled(pool, count)
        rates[count] = own_spellings(scheme, people, scheme.encode(people, KEY), owner, draws).rate
    assert rates[4] > 0.5
    assert rates[2] < 0.1
    noise = BitMatrix(draws.words(len(people) * schema.length // 64).reshape(len(people), -1))
    found = own_spellings(scheme, people, noise, owner, draws)
    assert (found.attacked, found.candidates) == (pool.target_count, pool.target_count)
    assert found.named <= binom.ppf(0.9999, found.attacked, found.chance)


def test_nothing_says_which_person_a_decoy_was_made_of(pool):
    """Decoys beside a person agree with that person no more than with others, and take their strata from them."""
    schema = parse_schema(SCHEMA)
    people = pool.targets()
    encoder = Encoder(schema, KEY, KEY)
    words = encoder.encode(people).words
    made = make_decoys(people, schema, 20, RandomStream(KEY, "decoys"))
    persons = Records.of_kind(RecordKind.REAL, people, words, np.arange(len(people)))
    decoys = Records.of_kind(RecordKind.DECOY, made.people, encoder.encode(made.people).words, made.base)
    dealt = deal_out(decoys, persons, NOBODY, schema, Randomness.make(1).synthetic)
    of_people, of_decoys = (signs(BitMatrix(records.words)) for records in (persons, dealt))
    agreement = (of_decoys * of_people[dealt.base]).mean(axis=1)
    assert (of_decoys * of_people[made.base]).mean() > 0.005  # the people they keep given name and patronymic of
    assert abs(agreement.mean()) < 5 * agreement.std() / np.sqrt(len(agreement)) + 0.0005
    assert np.array_equal(np.sort(dealt.base), np.sort(made.base))
    for field in schema.fields:
        if field.role == "stratum":
            column, of_person = dealt.people.columns[field.name], people.columns[field.name]
            assert column.take(np.arange(len(dealt.base))).codes.tolist() == of_person.codes[dealt.base].tolist()
