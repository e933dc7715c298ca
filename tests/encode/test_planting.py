"""People planted in a registry are written as its office writes, as far as the two rosters show it."""

import numpy as np
import pytest
from helpers.offices import COLUMNS, NAMES, SCHEMA, offices

from pprl.core.randomness import RandomStream
from pprl.core.schema_file import parse_schema
from pprl.encode.planting import FEWEST_PAIRS, PLANTED, are_alike, differences_of, plant
from pprl.encode.respelling import Respeller, as_full_as, completed
from pprl.roster.load import load
from pprl.roster.people import MISSING, Column, People

SEED = bytes(32)
NAMES_ONLY = parse_schema(f"format = 1\n{NAMES}")


def draws():
    return RandomStream(SEED, "planted")


def loaded(two, schema=SCHEMA):
    sides = ((two.leaked, "list"), (two.registry, "registry"))
    return tuple(load(frame, schema, side, any_age=True).people for frame, side in sides)


def differences(two, schema=SCHEMA):
    found = differences_of(*loaded(two, schema), schema, schema.linked(), draws())
    return dict(zip((field.name for field in schema.linked()), found, strict=True))


@pytest.mark.parametrize("typed", [0.05, 0.3])
def test_pairs_that_are_sure_without_a_field_show_how_often_it_differs(typed):
    """Pairs that agree in enough to be matched would show fewer errors than there are."""
    found = differences(offices(1, 1_000, 3_000, 800, typed=typed))
    for name in ("surname", "given", "patronymic"):
        pairs, share = found[name].pairs, found[name].share
        assert pairs > 0.8 * 800 * (1 - typed) ** 2
        assert abs(share - typed) < 3 * (typed * (1 - typed) / pairs) ** 0.5
    assert found["born"].share < 0.01


def test_names_alone_show_it_where_few_others_have_the_same_names():
    """Two fields of three are seldom sure, and people in the registry leave less room for strangers than decoys do."""
    shares = []
    for seed in (1, 2):
        found = differences(offices(seed, 1_000, 1_500, 800, typed=0.15), NAMES_ONLY)
        assert found["surname"].pairs == 0  # thousands have the same given name and patronymic
        assert min(found[name].pairs for name in ("given", "patronymic")) > 300
        shares += [found[name].share for name in ("given", "patronymic")]
    assert abs(np.mean(shares) - 0.15) < 0.012


def test_changed_surnames_are_seen_where_strangers_are_few():
    two = offices(1, 1_000, 3_000, 500)
    two.registry.loc[:499:5, "surname"] = two.registry.surname[600:700].to_numpy()
    found = differences(two)["surname"]
    assert abs(found.share - 0.2) < 3 * (0.2 * 0.8 / found.pairs) ** 0.5
    assert not any(are_alike(one, other, "surname") for one, other in found.spellings[10:])


def test_fields_may_be_called_like_others():
    """A table of pairs has the fields of both sides beside each other."""
    names = {"surname": "x", "given": "x_x", "patronymic": "x_y", "born": "born"}
    fields = f'{NAMES}[fields.born]\ntype = "date"\n'
    for name, other in names.items():
        fields = fields.replace(f"[fields.{name}]", f"[fields.{other}]")
    schema = parse_schema(f"format = 1\n{fields}")
    two = offices(1, 300, 900, 200, typed=0.1)
    columns = {name: name for name in names.values()}
    people = [
        load(frame.rename(columns=names), schema, side, columns=columns, any_age=True).people
        for frame, side in ((two.leaked, "list"), (two.registry, "registry"))
    ]
    assert all(found.pairs > 50 for found in differences_of(*people, schema, schema.linked(), draws()))


def test_where_no_decoys_can_be_made_nothing_is_known():
    """One surname: nothing says how many of the pairs are strangers."""
    frame = offices(1, 300, 300, 300, typed=0.0).leaked.assign(surname="Иванов")
    people = load(frame, NAMES_ONLY, "list").people
    assert {found.pairs for found in differences_of(people, people, NAMES_ONLY, NAMES_ONLY.linked(), draws())} == {0.0}


def test_strangers_leave_no_spellings_behind():
    """Five of the pairs without the surname are strangers, as among decoys."""
    found = differences(offices(1, 1_000, 3_000, 500, typed=0.1))
    for name in ("surname", "given", "patronymic"):
        spellings = found[name].spellings
        assert len(spellings) == round(found[name].share * found[name].pairs) > 30
        assert all(are_alike(one, other, name) for one, other in spellings)


def test_strangers_are_no_sure_pairs():
    found = differences(offices(2, 1_000, 3_000, 0, typed=0.3))
    assert all(difference.pairs < FEWEST_PAIRS for difference in found.values())


def test_planted_people_follow_the_assumed_pairs_where_none_are_sure():
    planting = plant(*loaded(offices(2, 300, 600, 0)), SCHEMA, draws())
    assert not planting.measured
    assert planting.pairs.min() == FEWEST_PAIRS
    names, dates = planting.differs[:, :3].mean(), planting.differs[:, 3].mean()
    assert 0.07 < names < 0.14  # one word in ten is mistyped, and one in fifty is respelled
    assert dates == 0


def test_planted_people_differ_as_the_sure_pairs_do():
    two = offices(3, 600, 2_000, 500, typed=0.3, undated=0.4)
    planting = plant(*loaded(two), SCHEMA, draws())
    assert planting.measured
    assert len(planting.listed) == len(planting.registered) == len(planting.differs) == PLANTED
    assert abs(planting.differs[:, :3].mean() - 0.3) < 0.05
    undated = (planting.registered.columns["born"].codes == MISSING).mean()
    assert abs(undated - 0.4) < 0.07
    assert (planting.listed.columns["born"].codes != MISSING).all()
    for index, name in enumerate(COLUMNS[:3]):
        ours, theirs = (texts(side, name) for side in (planting.listed, planting.registered))
        assert [one != other for one, other in zip(ours, theirs, strict=True)] == planting.differs[:, index].tolist()


def texts(people, name):
    column = people.columns[name]
    return [column.values[code] if code != MISSING else None for code in column.codes.tolist()]


def test_planted_people_say_as_little_as_the_rows_they_follow():
    two = offices(4, 300, 600, 200)
    two.leaked.loc[::2, "given"] = "И."
    two.registry["born"] = two.registry.born.str[:4]
    planting = plant(*loaded(two), SCHEMA, draws())
    assert {len(born) for born in texts(planting.registered, "born")} == {4}
    assert {len(born) for born in texts(planting.listed, "born")} == {10}
    initials = np.array([given == "i." for given in texts(planting.listed, "given")])
    assert 0.4 < initials.mean() < 0.6
    assert not any(given.endswith(".") for given in texts(planting.registered, "given"))


def test_the_order_of_distinct_values_decides_nothing():
    """It follows from how a file is read, part by part."""
    two = loaded(offices(5, 300, 600, 200, typed=0.2))
    assert as_texts(plant(*two, SCHEMA, draws())) == as_texts(plant(*map(turned, two), SCHEMA, draws()))


def turned(people):
    columns = {}
    for name, column in people.columns.items():
        last = len(column.values) - 1
        codes = np.where(column.codes == MISSING, MISSING, last - column.codes).astype(np.int32)
        columns[name] = Column(column.values[::-1], codes)
    return People(people.rows, columns)


def as_texts(planting):
    sides = (planting.listed, planting.registered)
    return [texts(side, name) for side in sides for name in COLUMNS], planting.differs.tolist(), planting.pairs.tolist()


ALIKE = {
    ("ivan", "ivna", "given"): True,
    ("oleg", "igor", "given"): False,
    ("petrovich", "petrovisg", "patronymic"): True,
    ("petrovich", "ivanovich", "patronymic"): False,
    ("lugov", "lugova", "surname"): True,
    ("lugov", "zimin", "surname"): False,
    ("1985-03-12", "1985-12-03", "date"): True,
    ("1985-03-12", "1985-03-17", "date"): True,
    ("1985-03-12", "1978-11-24", "date"): False,
    ("123456", "123465", "identifier"): True,
    ("123456", "9123456", "identifier"): False,
}


@pytest.mark.parametrize(("one", "other", "kind"), ALIKE)
def test_what_could_be_two_spellings_of_one_value(one, other, kind):
    assert are_alike(one, other, kind) == are_alike(other, one, kind) == ALIKE[one, other, kind]


def test_values_are_completed_and_cut():
    assert completed("i.", "oleg", "given") == "ileg"
    assert completed("1985", "1990-03-12", "date") == "1985-03-12"
    assert completed("ivan", "oleg", "given") == "ivan"
    assert completed("12", "9999", "identifier") == "12"
    assert as_full_as("ivan ilya", "o. p.", "given") == "i. i."
    assert as_full_as("ivan", "oleg p.", "given") == "ivan"
    assert as_full_as("1985-03-12", "1990", "date") == "1985"
    assert as_full_as("12", "9999", "identifier") == "12"


def test_another_office_mistypes_one_word_in_ten_and_leaves_other_values():
    respeller = Respeller(draws())
    written = [respeller.retyped("bolotnaev", "surname") for _ in range(3_000)]
    assert 0.08 < np.mean([word != "bolotnaev" for word in written]) < 0.12
    assert {respeller.retyped("1985-03-12", "date") for _ in range(100)} == {"1985-03-12"}
