"""All attacks on one roster, at the agreed hardening and at the others, so that price and gain stand side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.errors import RosterError
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema import HARDENINGS, Schema
from pprl.preflight.attacks.finding import Finding
from pprl.preflight.attacks.graph import graph_matching
from pprl.preflight.attacks.known_pairs import LEARNERS, known_pairs
from pprl.preflight.attacks.lookups import dictionary, frequency_alignment
from pprl.preflight.attacks.scheme import Crowd, Scheme
from pprl.preflight.indicators import Cell, Indicators, Repeats, indicators, repeats, strata_cells
from pprl.preflight.utility import FoundAgain, found_again
from pprl.roster.people import MISSING, People, encodable, filled

KNOWN = (10, 20, 50, 100, 200, 500, 1_000)
MOST_VICTIMS = 500
MOST_PEOPLE = 5_000  # of the roster, drawn from it
MOST_POPULATION = 20_000
LEAST_PEOPLE = 40
FALLEN = 0.05

Progress = Callable[[str, int, int], None]  # what is done now, steps done, steps in all


@dataclass
class Hardened:
    """One hardening: what it gives away, what attacks made of it, and what it costs. What was not tried is None."""

    hardening: int
    indicators: Indicators
    known_pairs: list[Finding] = field(default_factory=list)
    graph_matching: Finding | None = None
    found_again: FoundAgain | None = None

    def strongest(self, known: int) -> Finding:
        """Of the known-pairs attacks with so many pairs the one that named most."""
        return max((one for one in self.known_pairs if one.known == known), key=lambda one: one.named)

    def ladder(self) -> list[Finding]:
        """The strongest attack for each number of known pairs, in rising order."""
        return [self.strongest(known) for known in sorted({one.known for one in self.known_pairs if one.known})]

    def falls_at(self) -> int | None:
        """The fewest known pairs tried with which 5 % of the others were named, and more than chance names of few."""
        fallen = (one for one in self.ladder() if one.rate >= FALLEN and one.interval[0] > one.chance)
        return next((one.known for one in fallen), None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "hardening": self.hardening,
            "indicators": self.indicators.to_dict(),
            "known_pairs": [one.to_dict() for one in self.known_pairs],
            "known_pairs_that_name_5_percent": self.falls_at(),
            "graph_matching": self.graph_matching.to_dict() if self.graph_matching else None,
            "found_again": self.found_again.to_dict() if self.found_again else None,
        }


@dataclass
class Examination:
    """``rows`` of the roster have something to encode; of at most 5,000 that are drawn, ``people`` are different.
    ``candidates`` are these and the population's. ``agreed`` is the schema's hardening."""

    rows: int
    people: int
    population: int
    candidates: int
    agreed: int
    repeats: Repeats
    strata: tuple[Cell, ...]
    hardened: list[Hardened] = field(default_factory=list)
    frequency: Finding | None = None
    dictionary: Finding | None = None

    @property
    def as_agreed(self) -> Hardened:
        return next(one for one in self.hardened if one.hardening == self.agreed)

    def to_dict(self) -> dict[str, Any]:
        """What ``--json`` prints (docs/risk.md §5)."""
        return {
            "format": 1,
            "rows": self.rows,
            "people": self.people,
            "population": self.population,
            "candidates": self.candidates,
            "agreed_hardening": self.agreed,
            **self._repeated(),
            "hardenings": [one.to_dict() for one in self.hardened],
            "frequency_alignment": self.frequency.to_dict() if self.frequency else None,
            "dictionary_with_the_key": self.dictionary.to_dict() if self.dictionary else None,
        }

    def glance_dict(self) -> dict[str, Any]:
        """What shows without an attack."""
        return {"hardening": self.agreed, **self.as_agreed.indicators.to_dict(), **self._repeated()}

    def _repeated(self) -> dict[str, Any]:
        cells = [{**vars(cell), "strata": list(cell.strata)} for cell in self.strata]
        return {"repeats": self.repeats.to_dict(), "strata": cells}


def examine(
    people: People,
    schema: Schema,
    population: People | None = None,
    *,
    seed: int = 0,
    tries: int = 1,
    allow_weak: bool = False,
    progress: Progress | None = None,
) -> Examination:
    """Attack the encodings that ``people`` would get under ``schema``, with keys drawn for the purpose.

    ``population`` are people among whom the roster's are looked for, at most 20,000 of them; without, they are looked
    for among themselves. Of a roster of more than 5,000 rows so many are drawn. Keys and samples are drawn from
    ``seed``, which is no secret. Graph matching begins ``tries`` times, as an attacker would who has time.

    RosterError: fewer than 40 different people, or a population without what the roster has. RefusedError: the schema
    links too little.
    """
    scene = _Scene(people, schema, population, seed)
    if not allow_weak:
        schema.refuse_weak(filled(schema, people))
    scene.refuse_few()
    trial = scene.draws.bytes(32)
    tasks: list[tuple[str, Callable[[], None]]] = []
    for t in HARDENINGS:
        tasks += _tasks(scene, schema.with_hardening(t), RandomStream(trial, f"risk, t = {t}"), trial, tries)
    tasks.append(("looking up", lambda: _look_up(scene, Scheme(schema))))
    for done, (what, task) in enumerate(tasks):
        if progress:
            progress(what, done, len(tasks))
        task()
    return scene.found


def glance(people: People, schema: Schema, *, seed: int = 0) -> Examination:
    """The cheap part of `examine`: indicators at the agreed hardening, repeats, strata.

    RosterError: fewer than 40 different people.
    """
    scene = _Scene(people, schema, None, seed)
    scene.refuse_few()
    _look(scene, Scheme(schema), scene.draws)
    return scene.found


def known_ladder(people: int) -> list[int]:
    """How many known pairs are tried: at least half of the people are left to be attacked."""
    return [known for known in KNOWN if 2 * known <= people]


class _Scene:
    """Who is attacked among whom, what is found so far, and the draws."""

    def __init__(self, people: People, schema: Schema, population: People | None, seed: int) -> None:
        self.draws = RandomStream(seed_from(seed), "risk")
        people = people.take(np.flatnonzero(encodable(people, schema)))
        if population is not None:
            _refuse_unlike(people, population, schema)
            population = population.take(np.flatnonzero(encodable(population, schema)))
            population = population.take(np.sort(self.draws.permutation(len(population))[:MOST_POPULATION]))
        attacked = people.take(np.sort(self.draws.permutation(len(people))[:MOST_PEOPLE]))
        self.crowd = Crowd(attacked, population, Scheme(schema), self.draws)
        self.found = Examination(
            rows=len(people),
            people=self.crowd.roster,
            population=0 if population is None else len(population),
            candidates=len(self.crowd),
            agreed=schema.hardening,
            repeats=repeats(people, schema),
            strata=strata_cells(people, schema),
        )

    def refuse_few(self) -> None:
        if self.crowd.roster < LEAST_PEOPLE:
            people = "person" if self.crowd.roster == 1 else "people"
            raise RosterError(
                f"the roster has {self.crowd.roster} different {people} to encode, and an attack needs {LEAST_PEOPLE}",
                hint="try a larger roster of the same kind: it is the scheme that is attacked, more than these people",
            )


def _refuse_unlike(people: People, population: People, schema: Schema) -> None:
    """Who has no date of birth is told from those who have one by that alone, and hides nobody."""
    for each in schema.linked():
        own, theirs = (_share(roster, each.name) for roster in (people, population))
        if 2 * theirs < own:
            raise RosterError(
                f"the population has a {each.name} that can be read in {theirs:.0%} of its rows and the roster in "
                f"{own:.0%}, so it hides nobody",
                hint=f"name its column, --population-column {each.name}=HEADER; names are read in Cyrillic and Latin "
                "letters; or leave --population out",
            )


def _share(people: People, name: str) -> float:
    return float((people.columns[name].codes != MISSING).mean()) if len(people) else 0.0


def _look(scene: _Scene, scheme: Scheme, draws: RandomStream) -> tuple[Hardened, BitMatrix]:
    bits = scheme.encode(scene.crowd.victims(), draws.bytes(32))
    here = Hardened(scheme.schema.hardening, indicators(scene.crowd, bits, draws))
    scene.found.hardened.append(here)
    return here, bits


def _look_up(scene: _Scene, scheme: Scheme) -> None:
    key = scene.draws.bytes(32)
    bits = scheme.encode(scene.crowd.victims(), key)
    scene.found.frequency = frequency_alignment(scene.crowd, bits, scene.draws)
    scene.found.dictionary = dictionary(scene.crowd, scheme, key)


def _tasks(
    scene: _Scene, schema: Schema, draws: RandomStream, trial: bytes, tries: int
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is to be done at one hardening, in steps of some seconds at most."""
    crowd, scheme, name = scene.crowd, Scheme(schema), f"t = {schema.hardening}: "
    here, bits = _look(scene, scheme, draws)
    ladder = known_ladder(crowd.roster)
    victims = np.arange(crowd.roster)[-min(MOST_VICTIMS, crowd.roster - ladder[-1]) :]

    def pairs(known: int) -> None:
        here.known_pairs += [
            known_pairs(crowd, scheme, bits, np.arange(known), victims, learner) for learner in LEARNERS
        ]

    def match_graph() -> None:
        here.graph_matching = graph_matching(crowd, scheme, bits, draws, tries)

    def pay() -> None:
        here.found_again = found_again(crowd.victims(), schema, trial)

    for known in ladder:
        yield f"{name}{known:,} known pairs", partial(pairs, known)
    yield f"{name}graph matching", match_graph
    yield f"{name}who is found again", pay
