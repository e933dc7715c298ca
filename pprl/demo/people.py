"""The people of the demo: who they are, before anybody writes them down.

A division in 2022: about four in five have Russian names, the others Buryat or Tuvan ones, often with a Russian given
name or patronymic. Each part of a name is drawn on its own from a table of frequent names, so no real person is meant.
"""

from __future__ import annotations

import bisect
import datetime
import functools
import importlib.resources
import itertools
from dataclasses import dataclass, replace

from pprl.demo.demo_random import DemoRandom

REGISTRY_DATE = datetime.date(2022, 6, 1)
MOBILISATION = datetime.date(2022, 9, 21), datetime.date(2022, 10, 31)
LIST_DATE = datetime.date(2024, 8, 1)

CONTRACT, MOBILISED, CONSCRIPT = "contract", "mobilised", "conscript"

#: Ranks below the officers with their shares in per cent. A rank is stored as its index in LADDER.
ENLISTED = (
    *(("рядовой", 52), ("ефрейтор", 12), ("младший сержант", 12), ("сержант", 11), ("старший сержант", 6)),
    *(("старшина", 3), ("прапорщик", 3), ("старший прапорщик", 1)),
)
JUNIOR_OFFICERS = ("младший лейтенант", "лейтенант", "старший лейтенант", "капитан")
LADDER = (*(rank for rank, _ in ENLISTED), *JUNIOR_OFFICERS, "майор", "подполковник", "полковник")
SERGEANT_MAJOR, FIRST_OFFICER = 5, len(ENLISTED)
MAJOR, LIEUTENANT_COLONEL = LADDER.index("майор"), LADDER.index("подполковник")

CULTURES = (("russian", 82), ("buryat", 11), ("tuvan", 7))
RUSSIAN_BESIDE = {"surname": 0, "given": 40, "patronymic": 35}  # per cent of the others who have a Russian one
NUMBER_LETTERS = "АВЕКМНОРСТХ"


@dataclass(frozen=True, kw_only=True)
class Person:
    """``rank`` is the rank on the list, or in the registry for a person who is not on the list."""

    surname: str
    given: str
    patronymic: str
    born: datetime.date
    rank: int
    service: str
    joined: datetime.date
    number: str


def listed_people(draw: DemoRandom) -> list[Person]:
    """The 1,010 people of the list, in no order: 858 on contract, 150 mobilised, 2 conscripts.

    Among them are 26 junior officers, a major, two lieutenant colonels, 15 pairs of brothers and a pair of twins.
    """
    officers = [*(FIRST_OFFICER + draw.below(4) for _ in range(26)), MAJOR, LIEUTENANT_COLONEL, LIEUTENANT_COLONEL]
    on_contract = officers + [_enlisted(draw) for _ in range(858 - len(officers))]
    people = [_person(draw, CONTRACT, rank) for rank in on_contract]
    people += [_person(draw, MOBILISED, _enlisted(draw)) for _ in range(150)]
    people += [_person(draw, CONSCRIPT, 0) for _ in range(2)]
    order = draw.order(len(people) - 2)  # the conscripts are too young to have brothers there
    for pair in range(16):
        first, second = order[2 * pair], order[2 * pair + 1]
        people[second] = _brother(people[first], people[second], draw, twin=pair == 0)
    return people


def serving_people(draw: DemoRandom, count: int, families: list[Person]) -> list[Person]:
    """Others who served on the registry's date, with brothers among themselves and of ``families``."""
    people: list[Person] = []
    for index in range(count):
        kin = families[index] if index < len(families) else draw.one_of(people) if draw.percent(2.5) else None
        if kin:
            people.append(_brother(kin, _person(draw, CONTRACT, _enlisted(draw), serving=True), draw))
        elif draw.percent(15):
            people.append(_person(draw, CONSCRIPT, 0))
        else:
            ranks = ((FIRST_OFFICER + draw.below(4), 7), (MAJOR + draw.below(3), 1), (_enlisted(draw), 92))
            people.append(_person(draw, CONTRACT, draw.weighted(ranks), serving=True))
    return people


def _person(draw: DemoRandom, service: str, rank: int, *, serving: bool = False) -> Person:
    """Three in four people on contract had signed by the registry's date; all of them if ``serving``."""
    culture = draw.weighted(CULTURES)
    if service == CONSCRIPT:
        born = draw.date(datetime.date(2001, 6, 1), datetime.date(2003, 8, 31))
        joined = draw.date(datetime.date(2021, 10, 1), datetime.date(2022, 5, 31))
    elif service == MOBILISED:
        born = draw.date(datetime.date(1974, 1, 1), datetime.date(_youngest(rank) - 1, 12, 31))
        joined = draw.date(*MOBILISATION)
    elif serving or draw.percent(75):
        born = draw.date(datetime.date(1972, 1, 1), datetime.date(_youngest(rank), 12, 31))
        joined = draw.date(max(datetime.date(2006, 1, 1), _of_age(born)), REGISTRY_DATE - datetime.timedelta(days=1))
    else:
        born = draw.date(datetime.date(1972, 1, 1), datetime.date(_youngest(rank) + 1, 12, 31))
        joined = draw.date(max(REGISTRY_DATE, _of_age(born)), datetime.date(2024, 2, 1))
    return Person(
        surname=_name(culture, "surname", draw),
        given=_name(culture, "given", draw),
        patronymic=_name(culture, "patronymic", draw),
        born=born,
        rank=rank,
        service=service,
        joined=joined,
        number=f"{draw.one_of(NUMBER_LETTERS)}{draw.one_of(NUMBER_LETTERS)}-{draw.below(1_000_000):06d}",
    )


def _youngest(rank: int) -> int:
    """The latest year of birth that a rank allows in 2022."""
    return 1988 if rank >= MAJOR else 1998 if rank >= SERGEANT_MAJOR else 2003


def _of_age(born: datetime.date) -> datetime.date:
    return born + datetime.timedelta(days=6_600)  # a month after the eighteenth birthday


def _brother(kin: Person, person: Person, draw: DemoRandom, *, twin: bool = False) -> Person:
    """The person as a brother of ``kin``: the same surname and patronymic, another given name, born one to seven years
    apart or on the same day. The kind of service stays; nobody signs a contract before coming of age."""
    born = kin.born
    if not twin:
        born += datetime.timedelta(days=(330 + draw.below(2200)) * (1 if kin.born.year < 1985 else -1))
    given = person.given
    while given == kin.given:
        given = _name("russian", "given", draw)
    brother = replace(person, surname=kin.surname, given=given, patronymic=kin.patronymic, born=born)
    if brother.service != CONTRACT:
        return brother
    return replace(brother, joined=max(brother.joined, _of_age(born)))


def _enlisted(draw: DemoRandom) -> int:
    return draw.weighted([(rank, share) for rank, (_, share) in enumerate(ENLISTED)])


def _name(culture: str, kind: str, draw: DemoRandom) -> str:
    """A name, drawn by its frequency."""
    if culture != "russian" and draw.percent(RUSSIAN_BESIDE[kind]):
        culture = "russian"
    names, ends = name_tables()[culture, kind]
    return names[bisect.bisect_right(ends, draw.below(ends[-1]))]


@functools.cache
def name_tables() -> dict[tuple[str, str], tuple[list[str], list[int]]]:
    """For each culture and kind of name, the names and the running sum of their counts."""
    folder = importlib.resources.files("pprl.demo").joinpath("data")
    russian = folder.joinpath("demo_names.tsv").read_text(encoding="utf-8").splitlines()[2:]
    others = folder.joinpath("demo_names_buryat_tuvan.tsv").read_text(encoding="utf-8").splitlines()[2:]
    tables: dict[tuple[str, str], dict[str, int]] = {}
    for line in [f"russian\t{line}" for line in russian] + others:
        culture, kind, name, count = line.split("\t")
        tables.setdefault((culture, kind), {})[name] = int(count)
    return {key: (list(table), list(itertools.accumulate(table.values()))) for key, table in tables.items()}
