"""Decoys come as near to a registry as people who are absent from it: what every error rate rests on."""

import random

import numpy as np
import pandas as pd
import pytest
from helpers import DATA

from pprl.core.schema_file import parse_schema
from pprl.demo import invent
from pprl.judge.diagnostics import auc
from pprl.judge.labels import open_labels
from pprl.link import encode_and_match
from pprl.roster.load import load

HEADER = 'format = 1\n[encoding]\nhardening = "plain"\n'
NAMES = '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
PATRONYMIC, DATE = '[fields.patronymic]\ntype = "patronymic"\n', '[fields.birth_date]\ntype = "date"\n'
HOME = '[fields.address]\ntype = "text"\n[fields.postcode]\ntype = "identifier"\n'
FULL_NAME = {"full_name": "Фамилия, имя, отчество"}
ABSENT, ROWS, LISTS = 100, 1_000, 2
TOLERANCE = 0.02  # what was measured stands beside each kind


def demo(number, *, date):
    """Names of three cultures with patronymics: people whom the registry does not hold, and 1,000 of its rows."""
    rosters = invent(1 + number)
    absent = [index for index, entry in enumerate(rosters.entries) if entry.person not in rosters.ids]
    listed = rosters.leaked.iloc[absent[:ABSENT]].reset_index(drop=True)
    columns = FULL_NAME | ({"birth_date": "Дата рожд."} if date else {})
    return NAMES + PATRONYMIC + DATE * date, listed, rosters.registry.head(ROWS), columns


def febrl(number):
    """Australians with an address and a postcode."""
    people = pd.read_csv(DATA / "febrl4" / "absent.csv", dtype=str, keep_default_na=False)
    listed = people[people.side == "list"].iloc[number * ABSENT : (number + 1) * ABSENT].reset_index(drop=True)
    return NAMES + DATE + HOME, listed, people[people.side == "registry"].reset_index(drop=True), None


def households(number):
    """Families that share surname, address and postcode: one member of each is listed, all of others are registered."""
    draw = random.Random(number)
    surnames, given = (
        [line for line in (DATA / name).read_text("utf-8").splitlines() if not line.startswith("#")]
        for name in ("surnames_f_400.txt", "given_f_400.txt")
    )

    def family():
        surname, home = draw.choice(surnames), f"ул. {draw.choice(surnames)} {draw.randint(1, 120)}"
        postcode = str(draw.randint(100_000, 700_000))
        for _ in range(draw.choice([1, 2, 3, 4])):
            born = f"{draw.randint(1950, 2004)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
            yield surname, draw.choice(given[:100]), born, home, postcode

    listed = [next(family()) for _ in range(ABSENT)]
    held = [person for _ in range(ROWS) for person in family()][:ROWS]
    frames = (
        pd.DataFrame(rows, columns=["surname", "given", "birth_date", "address", "postcode"], dtype=object)
        for rows in (listed, held)
    )
    return NAMES + DATE + HOME, *frames, None


KINDS = {
    "names, patronymic and date": lambda number: demo(number, date=True),  # .504
    "names and patronymic": lambda number: demo(number, date=False),  # .461
    "address and postcode": febrl,  # .493
    "households": households,  # .494
}


def nearness(fields, listed, held, columns, seed):
    """Best similarities of people and of their decoys."""
    schema = parse_schema(HEADER + fields)
    ours = load(listed, schema, "list", columns=columns, date_order="dmy", any_age=True)
    theirs = load(held, schema, "registry", any_age=True)
    compared = encode_and_match(ours, theirs, None, schema, seed=seed, allow_weak=True, threads=1, progress=None)
    _, cohort, _ = open_labels(compared.scores, compared.list_rows, compared.registry_rows)
    return cohort.real.best(), cohort.decoys.best()


def area_of(kind, *, present=0):
    """The mean area under the curve over `LISTS` lists, of whom the first ``present`` are registered, and how far it
    may be from ½: twice its standard error (Mann & Whitney 1947), and `TOLERANCE`."""
    areas, variance = [], 0.0
    for number in range(LISTS):
        fields, listed, held, columns = kind(number)
        if present:
            listed = pd.concat([held.head(present), listed.iloc[present:]], ignore_index=True)
        people, decoys = nearness(fields, listed, held, columns, seed=number)
        areas.append(auc(people, decoys))
        variance += (len(people) + len(decoys) + 1) / (12 * len(people) * len(decoys)) / LISTS**2
    return float(np.mean(areas)), 2 * variance**0.5 + TOLERANCE


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_decoys_come_as_near_as_absent_people(kind):
    area, band = area_of(kind)
    assert abs(area - 0.5) < band < 0.063


def test_the_area_shows_a_list_of_which_half_is_registered():
    area, band = area_of(households, present=50)
    assert area > 0.5 + band
