"""Invented people whom two offices write, each with errors of its own."""

import random
from dataclasses import dataclass

import pandas as pd

from helpers.rosters import GIVEN, PATRONYMICS, SURNAMES
from pprl.core.schema_file import parse_schema

NAMES = '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.patronymic]\ntype = "patronymic"\n'
SCHEMA = parse_schema(f'format = 1\n[encoding]\nhardening = "plain"\n{NAMES}[fields.born]\ntype = "date"\n')
COLUMNS = ["surname", "given", "patronymic", "born"]
LETTERS = "абвгдежзиклмнопрстуфхцч"


@dataclass(frozen=True)
class Offices:
    """The rows of both; the first ``present`` of each are the same people, in one order."""

    leaked: pd.DataFrame
    registry: pd.DataFrame
    present: int


def offices(seed: int, people: int, rows: int, present: int, *, typed: float = 0.0, undated: float = 0.0) -> Offices:
    """A list and a registry in which each name is mistyped with probability ``typed`` in the registry, and a share of
    the registry's rows is ``undated``."""
    draw = random.Random(seed)

    def person() -> list[str]:
        born = f"{draw.randint(1960, 2003)}-{draw.randint(1, 12):02d}-{draw.randint(13, 28):02d}"
        return [draw.choice(SURNAMES), draw.choice(GIVEN), draw.choice(PATRONYMICS), born]

    def elsewhere(row: list[str]) -> list[str]:
        *names, born = row
        return [*(mistyped(name) for name in names), "" if draw.random() < undated else born]

    def mistyped(name: str) -> str:
        if draw.random() >= typed:
            return name
        index = draw.randrange(1, len(name))
        others = LETTERS.replace(name[index], "")
        return name[:index] + draw.choice(others) + name[index + 1 :]

    listed = [person() for _ in range(people)]
    held = [elsewhere(row) for row in listed[:present]] + [elsewhere(person()) for _ in range(rows - present)]
    leaked, registry = (pd.DataFrame(part, columns=COLUMNS, dtype=object) for part in (listed, held))
    return Offices(leaked, registry, present)
