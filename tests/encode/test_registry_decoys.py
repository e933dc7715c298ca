"""Decoys of a registry: the same wherever it is cut, nobody's copy, and as near to it as strangers are."""

import numpy as np
import pandas as pd
import pytest

from pprl.core.encodings import decoys_of_registry, shape_number
from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema_file import parse_schema
from pprl.demo import invent
from pprl.encode import registry
from pprl.encode.decoys import registry_decoys
from pprl.encode.encoder import encode
from pprl.encode.labels import filled_shapes
from pprl.encode.registry import RegistryEncoder, encode_registry
from pprl.judge.error_rates import null_threshold
from pprl.match import search
from pprl.roster.load import load
from pprl.roster.people import join_people

NAMES = "format = 1\n" + "".join(f'[fields.{name}]\ntype = "{name}"\n' for name in ("surname", "given", "patronymic"))
DATED = NAMES + '[fields.birth_date]\ntype = "date"\n'
KEY, SEED = LinkageKey(bytes(range(32)), repeatable=True), bytes(32)


@pytest.fixture(scope="module")
def people():
    return load(invent(3).registry.head(3_000), parse_schema(DATED), "registry", any_age=True).people


def rows_of(people, schema):
    """Each row as a tuple of its linked values."""
    columns = [people.columns[field.name] for field in schema.linked()]
    return list(zip(*(np.array([*each.values, None], dtype=object)[each.codes] for each in columns), strict=True))


@pytest.mark.parametrize("cuts", [(1,), (500, 501), (10, 1_000, 2_999)])
@pytest.mark.parametrize("sampled", [700, 10_000])
def test_it_does_not_matter_where_a_registry_is_cut(cuts, sampled, people, monkeypatch):
    monkeypatch.setattr(registry, "SAMPLED", sampled)
    schema = parse_schema(DATED)
    whole, parts = (RegistryEncoder(schema, KEY, SEED) for _ in range(2))
    whole.encode(people)
    for start, end in zip((0, *cuts), (*cuts, len(people)), strict=True):
        part = people.take(np.arange(start, end))
        parts.encode(join_people([part.take(np.arange(0)), part]))
    one, other = whole.decoys(), parts.decoys()
    assert one.bits.to_bytes() == other.bits.to_bytes()
    assert one.shapes.tolist() == other.shapes.tolist()


def test_another_seed_gives_other_decoys(people):
    schema = parse_schema(DATED)
    one, other = (encode_registry(people, schema, KEY, randomness=Randomness.make(n))[0].decoys for n in (1, 2))
    assert len(one) == len(other) == decoys_of_registry(3_000) == 6_000
    assert [decoys_of_registry(rows) for rows in (0, 1, 2, 3_200, 10**6, 10**6 + 1)] == [0, 0, 4, 6_400, 6_400, 1_600]
    assert one.bits.to_bytes() != other.bits.to_bytes()


def test_decoys_are_nobodys_copy_but_may_be_namesakes(people):
    schema = parse_schema(NAMES)
    rows = rows_of(people, schema)
    made = registry_decoys(people, schema, 6_000, RandomStream(SEED, "decoys"))
    of_row = dict(zip(people.rows.tolist(), rows, strict=True))
    of_decoys = rows_of(made, schema)
    assert not any(of_row[row] == decoy for row, decoy in zip(made.rows.tolist(), of_decoys, strict=True))
    assert 0.005 < np.mean([decoy in set(rows) for decoy in of_decoys]) < 0.2


def test_some_say_less_as_lists_do(people):
    schema = parse_schema(DATED)
    made = registry_decoys(people, schema, 6_400, RandomStream(SEED, "decoys"))
    shapes = dict(zip(*np.unique(filled_shapes(made, schema), return_counts=True), strict=True))
    assert shapes["2222"] > 4_000
    assert all(100 < shapes[shape] < 400 for shape in ("2122", "2112", "2202", "2221", "2220", "2111", "2110", "2201"))
    initial = made.take(np.flatnonzero(np.array(filled_shapes(made, schema)) == "2112"))
    names = " ".join(f"{given} {patronymic}" for _, given, patronymic, _ in rows_of(initial, schema))
    assert all(len(word) == 2 and word[1] == "." for word in names.split(" "))


def test_a_registry_of_one_surname_or_of_nobody_has_none():
    schema = parse_schema('format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n')
    for rows in (0, 1, 30):
        frame = pd.DataFrame({"surname": ["Иванов"] * rows, "given": ["Иван"] * rows}, dtype=object)
        encodings, _ = encode_registry(frame, schema, KEY, randomness=Randomness.make(1), allow_weak=True)
        assert len(encodings.decoys) == 0


@pytest.mark.parametrize("fields", [NAMES, DATED])
def test_they_come_as_near_as_strangers_do(fields, people):
    """The limit that one in a hundred decoys reaches is reached by one in a hundred strangers of the same population:
    3,000 people of another demo, at most 60 (P < 1e-6 if 1%), and where names alone are compared at least 8."""
    schema = parse_schema(fields)
    others = load(invent(8).registry.head(3_000), schema, "registry", any_age=True).people
    encodings, _ = encode_registry(people, schema, KEY, randomness=Randomness.make(1))
    whole = np.flatnonzero(encodings.decoys.shapes == shape_number("2" * len(schema.linked())))
    decoys = encodings.decoys.bits.words[whole]
    both = type(encodings.bits)(np.concatenate([decoys, encode(others, schema, KEY.secret).words]))
    found = search.best(both, encodings.bits, keep=1)
    best = 2 * found.common[:, 0] / np.maximum(found.total[:, 0], 1)
    limit, _ = null_threshold(best[: len(whole)])
    above = int((best[len(whole) :] > limit).sum())
    assert above <= 60
    assert above >= (8 if fields is NAMES else 1)
