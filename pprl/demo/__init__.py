"""Two invented rosters with a known truth: a leaked list in Cyrillic and a personnel registry in Latin letters.

The list has 1,010 men who left their division, as a clerk recorded them until 2024. The registry has 12,000 rows of the
division's personnel list of 1 June 2022, as another office romanised it. Everybody is invented. `people` draws who they
are, `leaked` and `registry` write them down. Typing errors, initials and missing dates are as frequent as in real lists
of this kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pprl.core.randomness import seed_from
from pprl.demo import leaked, registry
from pprl.demo.demo_random import DemoRandom
from pprl.demo.leaked import Entry
from pprl.demo.people import REGISTRY_DATE, Person, listed_people, serving_people

REGISTRY_ROWS = 12_000
REGISTRY_TWICE = 120  # of these are second rows of a person
PRESENT = 95  # percent of the people who had joined by then are in the registry
FAMILIES = 20  # people on the list with a brother who is only in the registry

SCHEMA = """\
format = 1
name = "demo: leaked list against the personnel list of 2022-06-01"

[encoding]
hardening = "standard"

[policy]
false_match_rate = 0.05
registry_as_of = 2022-06-01

[fields.surname]
type = "surname"

[fields.given]
type = "given"

[fields.patronymic]
type = "patronymic"

[fields.birth_date]
type = "date"

[fields.rank]
type = "rank"
role = "confirm"

[fields.personal_number]
type = "identifier"
role = "confirm"

[fields.category]
type = "category"
role = "stratum"

[fields.joined]
type = "date"
role = "joined"
"""

IN_REGISTRY, TOO_LATE, ABSENT = "in the registry", "joined after its date", "absent"


@dataclass(frozen=True, kw_only=True)
class Rosters:
    """Both tables as text, and the truth: the people of the list, its rows, and the registry's ids of each person."""

    leaked: pd.DataFrame
    registry: pd.DataFrame
    people: tuple[Person, ...]
    entries: tuple[Entry, ...]
    ids: Mapping[int, tuple[str, ...]]

    @property
    def present(self) -> dict[str, tuple[str, ...]]:
        """The ids in the registry of each person on the list who is there, by the number of the row on the list."""
        return {str(entry.cells[0]): self.ids[entry.person] for entry in self.entries if entry.person in self.ids}

    def workbook(self) -> bytes:
        """The list as the clerk's XLSX."""
        return leaked.workbook_of(self.entries)

    def status(self, person: int) -> str:
        if person in self.ids:
            return IN_REGISTRY
        return TOO_LATE if self.people[person].joined >= REGISTRY_DATE else ABSENT

    def marked(self, list_ids: Sequence[str], registry_ids: Sequence[str]) -> Marks:
        """Pairs compared with the truth."""
        person_of = {str(entry.cells[0]): entry.person for entry in self.entries}
        pairs = [(person_of[list_id], registry_id) for list_id, registry_id in zip(list_ids, registry_ids, strict=True)]
        right = [person for person, registry_id in pairs if registry_id in self.ids.get(person, ())]
        return Marks(len(right), len(pairs) - len(right), len(self.ids) - len(set(right)))

    def truth(self) -> pd.DataFrame:
        """For each row of the list the person, whether they are in the registry, and their ids there, one to a row."""
        return pd.DataFrame(
            [
                (str(entry.cells[0]), str(entry.person), self.status(entry.person), registry_id)
                for entry in self.entries
                for registry_id in self.ids.get(entry.person, ("",))
            ],
            columns=["№ п/п", "person", "status", "id"],
            dtype=object,
        )


@dataclass(frozen=True)
class Marks:
    """How many pairs are right and wrong, and how many people in the registry are in no right pair."""

    right: int
    wrong: int
    missed: int


def invent(seed: int) -> Rosters:
    """The same rosters for the same seed, on every machine."""
    root = seed_from(seed)
    draw = DemoRandom(root, "demo people")
    people = listed_people(draw)
    present = [index for index, person in enumerate(people) if person.joined < REGISTRY_DATE and draw.percent(PRESENT)]
    families = [people[index] for index in draw.order(len(people))[:FAMILIES]]
    others = serving_people(draw, REGISTRY_ROWS - REGISTRY_TWICE - len(present), families)
    entries = leaked.entries_of(people, DemoRandom(root, "demo list"))
    table, who = registry.frame_of(
        [*(people[index] for index in present), *others],
        len(present),
        REGISTRY_TWICE,
        DemoRandom(root, "demo registry"),
    )
    rows = sorted((present[index], row_id) for index, row_id in zip(who, table.id, strict=True) if index < len(present))
    ids: dict[int, tuple[str, ...]] = {}
    for person, row_id in rows:
        ids[person] = (*ids.get(person, ()), row_id)
    return Rosters(
        leaked=leaked.frame_of(entries), registry=table, people=tuple(people), entries=tuple(entries), ids=ids
    )
