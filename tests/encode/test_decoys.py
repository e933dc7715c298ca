"""Decoys keep what belongs together, are nobody on the list, and repeat with the seed."""

import numpy as np
import pandas as pd

from pprl.core.randomness import RandomStream
from pprl.core.schema_file import parse_schema
from pprl.encode.decoys import enough_decoys, make_decoys
from pprl.normalize.names import fold_name
from pprl.roster.load import load

FULL = parse_schema(
    "format = 1\n[fields.surname]\ntype='surname'\n[fields.given]\ntype='given'\n"
    "[fields.patronymic]\ntype='patronymic'\n[fields.born]\ntype='date'\n[fields.sex]\ntype='sex'\n"
)
TWO_NAMES = parse_schema("format = 1\n[fields.surname]\ntype='surname'\n[fields.given]\ntype='given'\n")

NORTH = (
    ("Иванов", "Петров", "Сидоров", "Козлов", "Соколов", "Попов"),
    ("Иван", "Пётр", "Олег"),
    ("Иванович", "Олегович"),
)
SOUTH = ("Алиев", "Гасанов", "Мамедов", "Рагимов"), ("Али", "Расул", "Мурад"), ("Алиевич", "Расулович")


def roster(rows=200, seed=1):
    rng = np.random.default_rng(seed)
    people = []
    for at in range(rows):
        surnames, givens, patronymics = NORTH if at % 3 else SOUTH
        woman = at % 5 == 0
        date = (
            ""
            if at % 7 == 0
            else f"{rng.integers(1970, 2004)}"
            if at % 11 == 0
            else str(np.datetime64("1970-01-01") + np.timedelta64(int(rng.integers(12_000)), "D"))
        )
        people.append(
            {
                "surname": rng.choice(surnames) + ("а" if woman else ""),
                "given": rng.choice(givens) if at % 13 else "И.",
                "patronymic": rng.choice(patronymics),
                "born": date,
                "sex": "ж" if woman else "м",
            }
        )
    return pd.DataFrame(people, dtype=object)


def values(people, name):
    column = people.columns[name]
    return np.array([*column.values, None], dtype=object)[column.codes]


def made(schema=FULL, frame=None, count=20, seed=b"seed"):
    people = load(roster() if frame is None else frame, schema, "list").people
    return people, make_decoys(people, schema, count, RandomStream(seed, "decoys"))


def test_given_name_patronymic_sex_and_completeness_stay_with_the_base_row():
    people, decoys = made()
    for name in ("given", "patronymic", "sex"):
        assert (values(decoys.people, name) == values(people, name)[decoys.base]).all()
    assert (decoys.people.completeness(FULL) == people.completeness(FULL)[decoys.base]).all()
    assert len(decoys.base) > 0.8 * 20 * len(people)


def test_the_surname_is_another_and_comes_from_a_related_row():
    people, decoys = made(count=3)  # related rows have at most five surnames
    own, new = values(people, "surname")[decoys.base], values(decoys.people, "surname")
    assert (own != new).all()
    related = {
        (surname, key)
        for surname, *keys in zip(*(values(people, name) for name in ("surname", "given", "patronymic")), strict=True)
        for key in keys
    }
    shared = [
        (surname, given) in related or (surname, patronymic) in related
        for surname, given, patronymic in zip(
            *(values(decoys.people, n) for n in ("surname", "given", "patronymic")), strict=True
        )
    ]
    assert np.mean(shared) > 0.95
    assert decoys.fell_back.mean() <= 0.05


def test_decoys_of_one_person_have_different_surnames_while_there_are_enough():
    _, decoys = made(count=4)
    pairs = list(zip(decoys.base.tolist(), values(decoys.people, "surname"), strict=True))
    assert len(set(pairs)) > 0.95 * len(pairs)


def test_everybody_gives_their_surname_about_equally_often():
    """Rows that never give a surname could be distinguished from everything synthetic."""
    frame = roster(200)
    frame["surname"] = [f"Лугов{letter}{other}ин" for letter in "абвгдежзиклмно" for other in "абвгдежзиклмнопр"][:200]
    people, decoys = made(frame=frame, count=10)
    taken, given = (pd.Series(values(item, "surname")).value_counts() for item in (people, decoys.people))
    assert (given.reindex(taken.index, fill_value=0) >= 5 * taken).all()


def test_two_naming_cultures_are_not_blended():
    people, decoys = made(frame=roster(600), count=2)
    southern = {fold_name(name, given=False) for surname in SOUTH[0] for name in (surname, surname + "а")}
    from_south = np.isin(values(decoys.people, "surname"), list(southern))
    at_home_in_south = np.isin(values(people, "surname"), list(southern))[decoys.base]
    assert (from_south == at_home_in_south).mean() > 0.95


def test_without_a_patronymic_the_ending_of_the_surname_tells_the_culture():
    ends = {"енко": "Иван Пётр Сидор Ковал Бондар", "дзе": "Маза Гога Лома Каче Беридо"}
    surnames = [stem + end for end, stems in ends.items() for stem in stems.split()]
    givens = ("Михаил", "Борис", "Тарас", "Гиорги", "Давид", "Нодар")
    rows = [(s, g) for i, s in enumerate(surnames) for j, g in enumerate(givens) if (i + j) % 3 == 0]
    people, decoys = made(TWO_NAMES, pd.DataFrame(rows, columns=["surname", "given"], dtype=object), count=1)
    of_decoy = np.char.endswith(values(decoys.people, "surname").astype(str), "ze")
    of_base = np.char.endswith(values(people, "surname").astype(str), "ze")[decoys.base]
    assert len(of_decoy) > 10
    assert (of_decoy == of_base).mean() > 0.8


def test_decoys_are_new_and_distinct_people():
    people, decoys = made()
    names = [field.name for field in FULL.linked()]
    real = set(zip(*(values(people, name) for name in names), strict=True))
    fake = list(zip(*(values(decoys.people, name) for name in names), strict=True))
    assert not real & set(fake)
    assert len(set(fake)) == len(fake)


def test_equal_seeds_give_equal_decoys():
    (_, one), (_, same), (_, other) = made(), made(), made(seed=b"another")
    assert (values(one.people, "surname") == values(same.people, "surname")).all()
    assert len(one.base) != len(other.base) or (values(one.people, "surname") != values(other.people, "surname")).any()


def test_where_the_list_allows_no_new_people_there_are_no_decoys():
    twins = pd.DataFrame([("Иванов", "Иван")] * 5, columns=["surname", "given"], dtype=object)
    _, decoys = made(TWO_NAMES, twins)
    assert len(decoys.base) == 0
    _, decoys = made(TWO_NAMES, pd.DataFrame([], columns=["surname", "given"], dtype=object))
    assert len(decoys.base) == 0


def test_small_lists_get_at_least_a_thousand():
    assert enough_decoys(20, 10) == 100
    assert enough_decoys(20, 1000) == 20
    assert enough_decoys(4, 100_000) == 4
    assert enough_decoys(20, 0) == 20


HOME = parse_schema(
    "format = 1\n[fields.surname]\ntype='surname'\n[fields.given]\ntype='given'\n[fields.born]\ntype='date'\n"
    "[fields.address]\ntype='text'\n[fields.postcode]\ntype='identifier'\n"
)


def at_home(rows=200):
    """A surname, address and postcode for each; each given name is of one decade."""
    frame = roster(rows).drop(columns=["patronymic", "sex"])
    decade = {given: 1960 + 10 * (at % 4) for at, given in enumerate(sorted(frame.given.unique()))}
    years = [decade[given] + at % 10 for at, given in enumerate(frame.given)]
    return frame.assign(
        born=[f"{year}-{1 + at % 12:02d}-{1 + at % 28:02d}" for at, year in enumerate(years)],
        address=[f"Улица {at} дом {at % 9}" for at in range(rows)],
        postcode=[f"{100_000 + 7 * at}" for at in range(rows)],
    )


def test_decoys_live_with_their_surname_and_relatives_with_their_person():
    people, decoys = made(HOME, at_home())
    homes = set(zip(*(values(people, name) for name in ("surname", "address", "postcode")), strict=True))
    of_decoys = list(zip(*(values(decoys.people, name) for name in ("surname", "address", "postcode")), strict=True))
    assert len(of_decoys) > 1000
    assert set(of_decoys) <= homes
    kin = make_decoys(people, HOME, 4, RandomStream(b"seed", "relatives"), relatives=True)
    for name in ("surname", "address", "postcode"):
        assert (values(kin.people, name) == values(people, name)[kin.base]).all()


def test_dates_are_of_the_time_of_the_given_name_and_not_a_namesakes_day():
    people, decoys = made(HOME, at_home())
    decade = {given: born[:3] for given, born in zip(values(people, "given"), values(people, "born"), strict=True)}
    born, given = values(decoys.people, "born"), values(decoys.people, "given")
    assert np.mean([date[:3] == decade[name] for date, name in zip(born, given, strict=True)]) > 0.95
    of_person = list(zip(decoys.base.tolist(), born.tolist(), strict=True))
    assert len(set(of_person)) > 0.8 * len(of_person)
