"""Two made-up rosters with a known truth: a leaked list in Cyrillic and a personnel registry in Latin letters.

1,010 men who left their division, as a clerk wrote them down, and 12,000 of the division's 2022 personnel list, as
another office romanised them. Everybody is invented: names are drawn one part at a time from tables of frequent
names.
"""

from __future__ import annotations

import datetime
import functools
import importlib.resources
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.draws import Draws, seed_from

LIST_PEOPLE = 1_010
REGISTRY_PEOPLE = 12_000
PRESENT_PERCENT = 62

SCHEMA = """\
format = 1
name = "demo: leaked list against the 2022 personnel list"

[encoding]
length = 1024
hardening = 8
fill = 0.20

[policy]
false_match_rate = 0.05

[fields.surname]
type = "surname"

[fields.given]
type = "given"

[fields.patronymic]
type = "patronymic"

[fields.birth_date]
type = "date"
"""

LIST_HEADERS = ("№", "Фамилия", "Имя", "Отчество", "Дата рождения")
REGISTRY_HEADERS = ("id", "surname", "given", "patronymic", "birth_date")

#: Romanisation of travel documents (ICAO Doc 9303, part 3, section 6), and what other offices write instead.
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
LATIN = "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y - e iu ia"
ROMAN = {letter: roman.strip("-") for letter, roman in zip(CYRILLIC, LATIN.split(), strict=True)}
OTHER_ROMAN = {"й": "y", "ё": "yo", "ю": "yu", "я": "ya", "х": "h", "щ": "sch", "ъ": "", "ц": "c"}


@dataclass(frozen=True)
class Rosters:
    """Both tables as text, and ``present``: which list row (from 1) is which registry id."""

    leaked: pd.DataFrame
    registry: pd.DataFrame
    present: dict[str, str]


def invent(seed: int) -> Rosters:
    """The same rosters for the same seed, on every machine."""
    draws = Draws(seed_from(seed), "demo")
    total = REGISTRY_PEOPLE + LIST_PEOPLE
    names = {kind: _drawn(kind, total, draws) for kind in ("surname", "given", "patronymic")}
    dates = _dates(total, draws)
    present = LIST_PEOPLE * PRESENT_PERCENT // 100
    # Registry people come first; the list holds `present` of them and people who are in no registry.
    listed = np.concatenate(
        [
            draws.permutation(REGISTRY_PEOPLE)[:present],
            np.arange(REGISTRY_PEOPLE, REGISTRY_PEOPLE + LIST_PEOPLE - present),
        ]
    )
    listed = listed[draws.permutation(LIST_PEOPLE)]
    registry_ids = [f"R{number:05d}" for number in draws.permutation(REGISTRY_PEOPLE).tolist()]
    leaked = [
        (str(place), *_as_clerk([names[kind][at] for kind in names], dates[at], draws))
        for place, at in enumerate(listed.tolist(), start=1)
    ]
    registry = [
        (registry_ids[at], *_as_registry([names[kind][at] for kind in names], dates[at], draws))
        for at in range(REGISTRY_PEOPLE)
    ]
    registry.sort()
    truth = {str(place): registry_ids[at] for place, at in enumerate(listed.tolist(), start=1) if at < REGISTRY_PEOPLE}
    return Rosters(
        pd.DataFrame(leaked, columns=list(LIST_HEADERS), dtype=object),
        pd.DataFrame(registry, columns=list(REGISTRY_HEADERS), dtype=object),
        truth,
    )


def _as_clerk(names: list[str], date: str, draws: Draws) -> list[str]:
    """Typing errors in one name of ten, initials in one row of twenty, a year or nothing in place of some dates."""
    surname, given, patronymic = (_typed(name, draws) for name in names)
    habit, on_date = draws.below(100, 2).tolist()
    if habit < 5:
        given, patronymic = given[0] + ".", patronymic[0] + "."
    elif habit < 10:
        patronymic = ""
    year, month, day = date.split("-")
    written = year if on_date < 6 else "" if on_date < 10 else f"{day}.{month}.{year}"
    return [surname, given, patronymic, written]


def _as_registry(names: list[str], date: str, draws: Draws) -> list[str]:
    other = {
        letter for letter, roll in zip(OTHER_ROMAN, draws.below(4, len(OTHER_ROMAN)).tolist(), strict=True) if roll == 0
    }
    table = {**ROMAN, **{letter: OTHER_ROMAN[letter] for letter in other}}
    spelled = [
        "".join(table.get(letter, letter) for letter in _typed(name, draws).lower()).capitalize() for name in names
    ]
    return [*spelled, date if draws.below(100, 1)[0] >= 3 else ""]


def _typed(name: str, draws: Draws) -> str:
    """One name of ten has a letter left out, doubled, swapped or mistaken."""
    roll, at, kind = draws.below(np.array([10, max(1, len(name) - 2), 4]), 3).tolist()
    if roll or len(name) < 3:
        return name
    at += 1
    match kind:
        case 0:
            return name[:at] + name[at + 1 :]
        case 1:
            return name[:at] + name[at] + name[at:]
        case 2:
            return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
        case _:
            return name[:at] + "аеиоунклт"[int(draws.below(9, 1)[0])] + name[at + 1 :]


def _dates(count: int, draws: Draws) -> list[str]:
    """Birth dates of men aged about 18 to 50 in 2022."""
    first, last = datetime.date(1972, 1, 1), datetime.date(2004, 6, 29)
    days = draws.below((last - first).days + 1, count).tolist()
    return [(first + datetime.timedelta(days=day)).isoformat() for day in days]


def _drawn(kind: str, count: int, draws: Draws) -> NDArray[np.object_]:
    """Names by their frequency."""
    names, counts = _tables()[kind]
    ends = np.cumsum(counts)
    return names[np.searchsorted(ends, draws.below(int(ends[-1]), count), side="right")]


@functools.cache
def _tables() -> dict[str, tuple[NDArray[np.object_], NDArray[np.int64]]]:
    text = importlib.resources.files("pprl").joinpath("data/demo_names.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[2:]]
    return {
        kind: (
            np.array([name for k, name, _ in rows if k == kind], dtype=object),
            np.array([int(count) for k, _, count in rows if k == kind], dtype=np.int64),
        )
        for kind in ("surname", "given", "patronymic")
    }
