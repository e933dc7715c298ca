"""Decoys as a registry may spell them: what the missed-match rate rests on where nobody has both rosters."""

import itertools

import numpy as np
import pytest
from helpers.offices import NAMES, SCHEMA, offices

from pprl.core.encodings import shape_number
from pprl.core.key import LinkageKey
from pprl.core.planted import STEPS
from pprl.core.randomness import Randomness
from pprl.core.schema_file import parse_schema
from pprl.encode.list import encode_list
from pprl.encode.planted_decoys import PLANTED_DECOYS, shapes_of_registry

KEY = LinkageKey.make(1)
WHOLE = shape_number("2222")


def encoded(leaked, schema=SCHEMA, seed=1):
    return encode_list(leaked, schema, KEY, planted=True, randomness=Randomness.make(seed))


@pytest.fixture(scope="module")
def table():
    return encoded(offices(1, 300, 300, 0).leaked)[1].planted


def similarity(table, shape):
    (column,) = np.flatnonzero(table.shapes == shape_number(shape))
    return table.similarity[:, column] / STEPS


def test_a_registry_may_have_filled_any_fields():
    shapes = shapes_of_registry(SCHEMA.linked())
    assert shapes[:4] == ["2222", "2122", "2212", "2221"]
    assert len(set(shapes)) == len(shapes) == 2 * 3 * 3 * 3 - 1
    assert "0000" not in shapes


def test_the_less_the_registry_says_the_less_similar(table):
    assert table.similarity.shape == (PLANTED_DECOYS, 53)
    whole, year, undated, initials = (similarity(table, shape).mean() for shape in ("2222", "2221", "2220", "2112"))
    assert 0.93 < whole < 1
    assert whole > year > undated
    assert whole > initials


def test_one_word_in_ten_is_mistyped_and_only_then_do_spellings_differ(table):
    spread = (PLANTED_DECOYS * 3 * 0.1 * 0.9) ** 0.5
    assert abs(table.differs[:, :3].sum() - 3 * 0.1 * PLANTED_DECOYS) < 4 * spread
    assert not table.differs[:, 3].any()
    equal = ~table.differs.any(axis=1)
    assert (similarity(table, "2222") == 1).tolist() == equal.tolist()


def test_a_list_that_says_less_is_less_similar_to_a_full_registry():
    leaked = offices(1, 300, 300, 0).leaked
    leaked.loc[:199, "given"] = leaked.given.str[0] + "."
    leaked.loc[::3, "born"] = ""
    _, rows = encoded(leaked)
    whole = similarity(rows.planted, "2222")
    full = rows.planted.completeness == 0
    assert whole[full].mean() > 0.93
    assert whole[~full].mean() < whole[full].mean() - 0.05
    assert set(rows.planted.completeness.tolist()) <= set(rows.completeness.tolist())


def test_where_a_linked_field_is_empty_or_never_whole_there_is_no_table():
    leaked = offices(1, 60, 60, 0).leaked
    for change in ({"born": ""}, {"given": leaked.given.str[0] + "."}):
        assert encoded(leaked.assign(**change))[1].planted is None


def test_it_changes_nothing_that_crosses_in_the_encodings():
    leaked = offices(2, 60, 60, 0).leaked
    with_table, rows = encoded(leaked)
    without, other = encode_list(leaked, SCHEMA, KEY, randomness=Randomness.make(1))
    assert (with_table.bits.words == without.bits.words).all()
    assert (rows.handles == other.handles).all()
    assert (
        encoded(leaked)[1].planted.to_bytes()
        == rows.planted.to_bytes()
        != encoded(leaked, seed=2)[1].planted.to_bytes()
    )


def test_the_order_says_nothing_of_the_encodings():
    """The first people of the table are not the first decoys, nor those of the first people of the list."""
    two = offices(3, 300, 300, 0)
    two.leaked.loc[:149, "born"] = ""
    first = encoded(two.leaked)[1].planted.completeness[:50]
    assert 10 < (first == 2).sum() < 40


def with_texts(count):
    fields = "".join(f'[fields.extra{number}]\ntype = "text"\n' for number in range(count))
    return parse_schema(f'format = 1\n[encoding]\nhardening = "plain"\n{NAMES}{fields}')


def test_the_fullest_sets_of_fields_are_tried():
    """Found field by field, they are those found among all sets."""
    for count in (3, 6):
        linked = with_texts(count).linked()
        digits = ["20", "210", "210", *["20"] * count]
        every = ["".join(shape) for shape in itertools.product(*digits)]
        fullest = sorted(every, key=lambda shape: (-sum(map(int, shape)), shape))[:256]
        assert shapes_of_registry(linked) == [shape for shape in fullest if shape.strip("0")]


def test_many_fields_make_no_endless_table():
    """Of 37 fields there are more sets than anybody can count."""
    shapes = shapes_of_registry(with_texts(34).linked())
    assert len(shapes) == 256
    assert shapes[0] == "2" * 37


def test_more_fields_than_a_table_holds_give_none():
    leaked = offices(1, 30, 30, 0).leaked
    for count, known in ((37, True), (38, False)):
        table = encoded(leaked.assign(**{f"extra{number}": "x y" for number in range(count)}), with_texts(count))[
            1
        ].planted
        assert (table is not None) == known
