"""The registry: the division's personnel list of 1 June 2022, as another office kept it in Latin letters."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pprl.demo.demo_random import DemoRandom, mistyped
from pprl.demo.people import FIRST_OFFICER, Person

HEADERS = ("id", "surname", "given", "patronymic", "birth_date", "rank", "personal_number", "joined")
TYPED = 3  # percent of names with a typing error
NO_DATE = 3  # percent of rows

#: Romanisation in travel documents (ICAO Doc 9303, part 3, section 6), and what other offices write instead.
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
LATIN = "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y - e iu ia"
ROMAN = {letter: roman.strip("-") for letter, roman in zip(CYRILLIC, LATIN.split(), strict=True)}
OTHER_ROMAN = {"й": "y", "ё": "yo", "ю": "yu", "я": "ya", "х": "h", "щ": "sch", "ъ": "", "ц": "c"}
ENGLISH = ROMAN | {"й": "y", "ё": "yo", "ю": "yu", "я": "ya", "ъ": ""}
SCHOLARLY = ROMAN | {"й": "j", "ё": "jo", "ю": "ju", "я": "ja", "х": "h", "ц": "c", "ъ": ""}

ENGLISH_RANKS = (
    *("Private", "Private First Class", "Junior Sergeant", "Sergeant", "Senior Sergeant", "Starshina"),
    *("Praporshchik", "Senior Praporshchik", "Junior Lieutenant", "Lieutenant", "Senior Lieutenant", "Captain"),
    *("Major", "Lieutenant Colonel", "Colonel"),
)
LATIN_SHAPES = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")
LETTERS = "aeiounkltvpr"


def frame_of(people: Sequence[Person], listed: int, twice: int, draw: DemoRandom) -> tuple[pd.DataFrame, list[int]]:
    """The table, and the index of the person in each of its rows; ``twice`` of the people have two rows.

    The first ``listed`` people are also on the list, which was made later: some were promoted by then.
    """
    who_of = [*range(len(people)), *draw.order(len(people))[:twice]]
    order = draw.order(len(who_of))
    rows = []
    for number, row in enumerate(order):
        who = who_of[row]
        person = people[who]
        rank = person.rank
        if who < listed and rank not in (0, FIRST_OFFICER) and draw.percent(30):
            rank -= 1
        habit, short, parts = _habit(draw), draw.percent(30), (person.surname, person.given, person.patronymic)
        names = (_romanised(name, habit, draw, short=short) for name in parts)
        born = "" if draw.percent(NO_DATE) else person.born.isoformat()
        personal = person.number.translate(LATIN_SHAPES) if draw.percent(75) else ""
        rows.append([f"R{number:05d}", *names, born, ENGLISH_RANKS[rank], personal, person.joined.isoformat()])
    return pd.DataFrame(rows, columns=list(HEADERS), dtype=object), [who_of[row] for row in order]


def _habit(draw: DemoRandom) -> dict[str, str]:
    """How one typist romanises: by the table of passports, with or without exceptions, or by another table."""
    roll = draw.below(100)
    if roll < 40:
        return ROMAN
    if roll < 65:
        return ENGLISH
    if roll < 75:
        return SCHOLARLY
    return ROMAN | {letter: other for letter, other in OTHER_ROMAN.items() if draw.percent(40)}


def _romanised(name: str, habit: dict[str, str], draw: DemoRandom, *, short: bool) -> str:
    """``short`` typists write -y for -ий and -ый, as in Dmitry."""
    if short and name.endswith(("ий", "ый")):
        name = name[:-2] + "ы"
    letters = (habit.get(letter.lower(), letter) for letter in name)
    latin = "".join(
        roman.capitalize() if letter.isupper() else roman for letter, roman in zip(name, letters, strict=True)
    )
    return mistyped(latin, draw, LETTERS) if draw.percent(TYPED) else latin
