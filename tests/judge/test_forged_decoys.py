"""An invented list whose owner forges its decoys: they look like people on the list and are noise to any registry, so
that the invented people stand out beside them. Only decoys that the list's owner cannot shape show it."""

from dataclasses import replace

import numpy as np
import pytest

from pprl.core.bits import BitMatrix
from pprl.core.key import LinkageKey
from pprl.core.private_rows import RecordKind
from pprl.core.randomness import Randomness
from pprl.core.schema_file import parse_schema
from pprl.demo import invent
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import judge
from pprl.match.encodings import match_encodings

SCHEMA = parse_schema(
    "format = 1\n"
    + "".join(f'[fields.{name}]\ntype = "{name}"\n' for name in ("surname", "given", "patronymic"))
    + '[fields.birth_date]\ntype = "date"\n'
)
KEY = LinkageKey.make(1)


@pytest.fixture(scope="module")
def registry():
    return encode_registry(invent(7).registry.head(6_000), SCHEMA, KEY, randomness=Randomness.make(1))


@pytest.fixture(scope="module")
def forger():
    """400 people who are nobody in the registry, as the forger encodes them."""
    return encode_list(invent(1_007).leaked.head(400), SCHEMA, KEY, randomness=Randomness.make(1))


def mixed(of):
    """Each decoy bit by bit from so many people of the list: of the weight of people, and near to the list."""

    def forge(bits, people, places, draw):
        chosen = np.array([draw.choice(people, of, replace=False) for _ in places])
        position = draw.integers(0, of, (len(places), bits.shape[1]))
        return bits[np.take_along_axis(chosen, position, axis=1), np.arange(bits.shape[1])]

    return forge


RECIPES = {"mixed of 2": mixed(2), "mixed of 4": mixed(4), "mixed of 16": mixed(16)}


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_invented_list_with_forged_decoys_is_withheld(recipe, registry, forger):
    encoded, rows = forger
    known = {handle.tobytes(): at for at, handle in enumerate(encoded.handles)}
    at = np.array([known[handle.tobytes()] for handle in rows.handles])
    people, places = at[rows.kind == RecordKind.REAL], at[np.isin(rows.kind, (RecordKind.DECOY, RecordKind.RELATIVE))]
    bits = np.unpackbits(encoded.bits.words.view(np.uint8), axis=1, bitorder="little")
    bits[places] = RECIPES[recipe](bits, people, places, np.random.default_rng(1))
    words = np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view("<u8")
    forged = replace(encoded, bits=BitMatrix(words))
    scores = match_encodings(forged, registry[0])
    answer = judge(scores, rows, encodings=forged)
    assert (answer.verdict.rung, answer.verdict.reasons) == (None, ("registry_decoys",))
    assert (answer.found, answer.net_found, len(answer.pairs)) == (None, None, 0)
    # What the forger would get without them: a list of inventions is beyond chance.
    alone = judge(replace(scores, decoys=scores.decoys[:0]), rows, encodings=forged)
    assert alone.verdict.rung == 1
    assert any("nobody but the list's owner vouches for the decoys" in text for text in alone.warnings)


def test_the_same_list_with_true_decoys_is_not_in_the_registry(registry, forger):
    encoded, rows = forger
    answer = judge(match_encodings(encoded, registry[0]), rows, encodings=encoded)
    assert answer.verdict.rung == 0


def test_a_true_list_is_found(registry):
    """Of the first 150 people of the other demo about 60 are in the registry."""
    encoded, rows = encode_list(invent(7).leaked.head(150), SCHEMA, KEY, randomness=Randomness.make(1))
    answer = judge(match_encodings(encoded, registry[0]), rows, encodings=encoded)
    assert answer.verdict.rung == 1
    assert answer.record.headline.p_registry < 1e-9
