"""What a column of years gains where half of the birth dates are missing: `PYTHONPATH=. python benchmarks/years.py`.

Lists of 600 invented people, half of whom are in a registry of 8,000 with whole dates; one surname in four has a wrong
letter. The year is left out, fills the date where it is missing, or is a field of its own.
"""

from __future__ import annotations

import random

import pandas as pd

import pprl
from pprl.core.schema_file import parse_schema

LISTS, PEOPLE, PRESENT, REGISTRY = 3, 600, 300, 8_000
STEMS = (
    "Бел Вор Гор Дол Жук Зим Кор Луг Мор Нос Пет Рож Сад Тих Ула Фад Хор Цел Чер Шор Ярм Ант Бур Вол Гал Дуб Ерм Зуб "
    "Ива Кам Лап Мал Нед Оси Пол Рез Сол Туг Уша Фил"
)
ENDINGS = "ов ин енко ский анов аров ицын усов ёнов ыкин ухин ечко ичев онский ютин ашев обин агин елов имов"
SURNAMES = [stem + ending for stem in STEMS.split() for ending in ENDINGS.split()]
GIVEN = ["Олег", "Кирилл", "Лев", "Пётр", "Иван", "Матвей", "Эдуард", "Никита", "Степан", "Виктор"]
NAMES = '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.birth_date]\ntype = "date"\n'
DATE = parse_schema(f'format = 1\nname = "years"\n{NAMES}')
BOTH = parse_schema(f'format = 1\nname = "years"\n{NAMES}[fields.birth_year]\ntype = "year"\n')
HEADER = ["Фамилия", "Имя", "Дата рождения"]


def person(draws: random.Random) -> list[str]:
    day = f"{draws.randint(1, 28):02}.{draws.randint(1, 12):02}.{draws.randint(1960, 2000)}"
    return [draws.choice(SURNAMES), draws.choice(GIVEN), day]


def mistyped(word: str, draws: random.Random) -> str:
    if draws.random() > 0.25:
        return word
    at = draws.randrange(len(word))
    return word[:at] + draws.choice("абвгдеиклмнопрст") + word[at + 1 :]


def rightly_matched(seed: int) -> dict[str, int]:
    """How many people were matched with themselves, by what was done with the year."""
    draws = random.Random(seed)
    registry = [person(draws) for _ in range(REGISTRY)]
    present = draws.sample(range(REGISTRY), PRESENT)
    people = [registry[at] for at in present] + [person(draws) for _ in range(PEOPLE - PRESENT)]
    leaked = pd.DataFrame([[mistyped(name, draws), *rest] for name, *rest in people], columns=HEADER, dtype=object)
    years = leaked[HEADER[2]].str[-4:]
    leaked[HEADER[2]] = [day if draws.random() < 0.5 else "" for day in leaked[HEADER[2]]]
    with_year = leaked.assign(**{"Год рождения": years})
    held = pd.DataFrame(registry, columns=HEADER, dtype=object)
    tried = {"left out": (leaked, DATE), "fills the date": (with_year, DATE), "a field of its own": (with_year, BOTH)}
    right = {}
    for what, (frame, schema) in tried.items():
        columns = {"birth_date": HEADER[2], "birth_year": "Год рождения"} if schema is BOTH else None
        pairs = pprl.link(frame, held, schema, list_columns=columns, seed=seed).pairs
        partners = zip(pairs.list_row.tolist(), pairs.registry_row.tolist(), strict=True)
        right[what] = sum(row < PRESENT and registry[other] == registry[present[row]] for row, other in partners)
    return right


if __name__ == "__main__":
    results = [rightly_matched(seed) for seed in range(1, LISTS + 1)]
    for what in results[0]:
        counts = [result[what] for result in results]
        print(f"{what:20} {sum(counts) / len(counts):6.1f} of {PRESENT} matched with themselves ({counts})")
