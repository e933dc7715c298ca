"""Two made-up rosters with a known truth: a leaked list in Cyrillic and a personnel registry in Latin letters.

1,010 men who left their division, as a clerk wrote them down until 2024, and 12,000 rows of the division's personnel
list of 1 June 2022, as another office romanised it. Everybody is invented. `people` draws who they are, `leaked` and
`registry` write them down; typing errors, initials and missing dates are as frequent as in lists of that kind.
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
REGISTRY_TWICE = 120  # of them second rows of somebody
HELD = 95  # percent of those who had joined by then whom the registry holds
FAMILIES = 20  # listed people with a brother in the registry who is in no list

SCHEMA = """\
format = 1
name = "demo: leaked list against the personnel list of 2022-06-01"

[encoding]
length = 1024
hardening = 8
fill = 0.20

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


@dataclass(frozen=True)
class Rosters:
    """Both tables as text, and the truth: the people of the list, its rows, and the registry's ids of each person."""

    leaked: pd.DataFrame
    registry: pd.DataFrame
    people: tuple[Person, ...]
    entries: tuple[Entry, ...]
    ids: Mapping[int, tuple[str, ...]]

    @property
    def present(self) -> dict[str, tuple[str, ...]]:
        """For each row of the list whose person is in the registry, by its number in the list: his ids there."""
        return {str(entry.cells[0]): self.ids[entry.person] for entry in self.entries if entry.person in self.ids}

    def workbook(self) -> bytes:
        """The list as the clerk's XLSX."""
        return leaked.workbook_of(self.entries)

    def status(self, person: int) -> str:
        if person in self.ids:
            return IN_REGISTRY
        return TOO_LATE if self.people[person].joined >= REGISTRY_DATE else ABSENT

    def marked(self, list_ids: Sequence[str], registry_ids: Sequence[str]) -> Marks:
        """Pairs held against the truth."""
        person_of = {str(entry.cells[0]): entry.person for entry in self.entries}
        pairs = [(person_of[ours], theirs) for ours, theirs in zip(list_ids, registry_ids, strict=True)]
        right = [person for person, theirs in pairs if theirs in self.ids.get(person, ())]
        return Marks(len(right), len(pairs) - len(right), len(self.ids) - len(set(right)))

    def truth(self) -> pd.DataFrame:
        """For each row of the list: whom it means, where he is, and his registry ids (one row each)."""
        return pd.DataFrame(
            [
                (str(entry.cells[0]), str(entry.person), self.status(entry.person), theirs)
                for entry in self.entries
                for theirs in self.ids.get(entry.person, ("",))
            ],
            columns=["№ п/п", "person", "status", "id"],
            dtype=object,
        )


@dataclass(frozen=True)
class Marks:
    """Pairs that are right and wrong, and people who are in the registry and in no right pair."""

    right: int
    wrong: int
    missed: int


def invent(seed: int) -> Rosters:
    """The same rosters for the same seed, on every machine."""
    root = seed_from(seed)
    draw = DemoRandom(root, "demo people")
    people = listed_people(draw)
    held = [at for at, person in enumerate(people) if person.joined < REGISTRY_DATE and draw.percent(HELD)]
    families = [people[at] for at in draw.order(len(people))[:FAMILIES]]
    others = serving_people(draw, REGISTRY_ROWS - REGISTRY_TWICE - len(held), families)
    entries = leaked.entries_of(people, DemoRandom(root, "demo list"))
    table, who = registry.frame_of(
        [*(people[at] for at in held), *others], len(held), REGISTRY_TWICE, DemoRandom(root, "demo registry")
    )
    rows = sorted((held[at], theirs) for at, theirs in zip(who, table.id, strict=True) if at < len(held))
    ids: dict[int, tuple[str, ...]] = {}
    for person, theirs in rows:
        ids[person] = (*ids.get(person, ()), theirs)
    return Rosters(leaked.frame_of(entries), table, tuple(people), tuple(entries), ids)
