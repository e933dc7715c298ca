"""All attacks on one roster, at the agreed hardening and at the others, so that gain and cost can be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pprl.core.bits import BitMatrix
from pprl.core.errors import RosterError
from pprl.core.hardening import SET_NAMES, SetName
from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema import Schema
from pprl.core.schema_file import load_schema
from pprl.encode.encoder import Encoder
from pprl.encode.list import distinct_people
from pprl.preflight.attacks.beside import beside_relatives
from pprl.preflight.attacks.encodings import scheme_of
from pprl.preflight.attacks.graph import PEOPLE, graph_matching
from pprl.preflight.attacks.known_pairs import known_pairs
from pprl.preflight.attacks.lookups import dictionary, frequency_alignment
from pprl.preflight.attacks.result import AttackResult
from pprl.preflight.attacks.scheme import CandidatePool, Indices, Published, View
from pprl.preflight.attacks.spellings import own_spellings
from pprl.preflight.attacks.triples import Linear, known_triples
from pprl.preflight.indicators import Cell, Indicators, Repeats, indicators, repeats, strata_cells
from pprl.preflight.utility import Utility, measure_utility
from pprl.roster.load import RosterLike, load
from pprl.roster.people import MISSING, People, encodable, join_people, refuse_weak

KNOWN_PAIRS = (10, 20, 50, 100, 200, 500, 1_000)
GRAPH_KNOWN = (0, 20, 100, 500)
TRIPLES_WITH, TRIPLES_BELOW = (100, 200), 0.9  # known pairs, and the share that single encodings name
TRIPLES_TARGETS, TRIPLES_CANDIDATES = 100, 300
MAX_TARGETS = 500
MAX_PEOPLE = 5_000  # of the roster, drawn at random
MAX_POPULATION = 20_000
MIN_PEOPLE = 40
FEW_PAIRS = 100  # that an attacker may come to know: the question that a recommendation answers

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all


@dataclass(frozen=True, kw_only=True)
class HardeningResult:
    """One hardening: what its encodings show, what attacks achieved, and what it costs. What was not tried is None."""

    hardening: SetName
    indicators: Indicators
    known_pairs: tuple[AttackResult, ...] = ()
    graph: tuple[AttackResult, ...] = ()
    spellings: AttackResult | None = None
    utility: Utility | None = None

    @property
    def graph_matching(self) -> AttackResult | None:
        """The one without a known pair."""
        return next((result for result in self.graph if not result.known and not result.partial), None)

    def worst(self) -> AttackResult:
        """The attack that named the largest share with at most ``FEW_PAIRS`` known pairs."""
        every = [*self.graph, *self.known_pairs]
        if self.spellings:
            every.append(self.spellings)
        few = (result for result in every if (result.known or 0) <= FEW_PAIRS)
        return max(few, key=lambda result: result.rate)

    def strongest(self, known: int) -> AttackResult:
        """The attack with this many known pairs that named the largest share."""
        return max((result for result in self.known_pairs if result.known == known), key=lambda result: result.rate)

    def ladder(self) -> list[AttackResult]:
        """The strongest attack for each number of known pairs, in rising order."""
        return [self.strongest(known) for known in sorted({r.known for r in self.known_pairs if r.known})]

    def falls_at(self) -> int | None:
        """The fewest known pairs with which 5% of the others were named, and more than chance alone would name."""
        return next((result.known for result in self.ladder() if result.succeeded), None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "hardening": self.hardening,
            "indicators": self.indicators.to_dict(),
            "known_pairs": [result.to_dict() for result in self.known_pairs],
            "known_pairs_that_name_5_percent": self.falls_at(),
            "graph_matching": self.graph_matching.to_dict() if self.graph_matching else None,
            "graph_matching_with_known_pairs": [result.to_dict() for result in self.graph if result.known],
            "own_spellings": self.spellings.to_dict() if self.spellings else None,
            "found_again": self.utility.to_dict() if self.utility else None,
        }


@dataclass(frozen=True, kw_only=True)
class RiskReport:
    """``rows`` of the roster have something to encode; ``people`` are the different people among at most 5,000
    of them that are drawn.

    ``candidates`` are these and the population. ``agreed`` is the schema's hardening.
    """

    rows: int
    people: int
    population: int
    candidates: int
    agreed: SetName
    repeats: Repeats
    strata: tuple[Cell, ...]
    hardenings: tuple[HardeningResult, ...]
    frequency: AttackResult | None = None
    dictionary: AttackResult | None = None

    @property
    def at_agreed(self) -> HardeningResult:
        return next(result for result in self.hardenings if result.hardening == self.agreed)

    def to_dict(self) -> dict[str, Any]:
        """What ``--json`` prints (docs/risk.md §4)."""
        return {
            "format": 1,
            "rows": self.rows,
            "people": self.people,
            "population": self.population,
            "candidates": self.candidates,
            "agreed_hardening": self.agreed,
            **self._repeats_and_strata(),
            "hardenings": [result.to_dict() for result in self.hardenings],
            "frequency_alignment": self.frequency.to_dict() if self.frequency else None,
            "dictionary_with_the_key": self.dictionary.to_dict() if self.dictionary else None,
        }

    def indicators_dict(self) -> dict[str, Any]:
        """What the agreed encodings show without an attack."""
        return {"hardening": self.agreed, **self.at_agreed.indicators.to_dict(), **self._repeats_and_strata()}

    def _repeats_and_strata(self) -> dict[str, Any]:
        cells = [{**vars(cell), "strata": list(cell.strata)} for cell in self.strata]
        return {"repeats": self.repeats.to_dict(), "strata": cells}


def assess_risk(
    roster: RosterLike,
    schema: Schema | Path | str,
    population: RosterLike | None = None,
    *,
    seed: int = 0,
    tries: int = 2,
    graph_people: int = PEOPLE,
    allow_weak: bool = False,
    progress: Progress | None = None,
) -> RiskReport:
    """Attack the encodings that a roster would get under ``schema``, with keys drawn for the purpose: `pprl risk`.

    The roster's people are looked for among ``population``, at most 20,000 of them, or without one among themselves. If
    the roster has more than 5,000 rows, 5,000 are drawn. Keys and samples are drawn from ``seed``, which is no secret.
    Graph matching starts up to ``tries`` times, as an attacker with time would,
    on up to ``graph_people`` (`pprl.preflight.attacks.graph.cost` estimates the time).

    RosterError: fewer than 40 different people, or a population that lacks what the roster has. RefusedError: the
    schema links too little.
    """
    schema = load_schema(schema)
    people = load(roster, schema).people
    others = None if population is None else load(population, schema, "population").people
    setting = _setting(people, schema, others, seed)
    if not allow_weak:
        refuse_weak(schema, people)
    _refuse_few(setting.pool)
    key_seed = setting.draws.bytes(32)
    ladder = graph_ladder(min(setting.pool.target_count, graph_people))
    steps = len(known_ladder(setting.pool.target_count)) + len(ladder) + 1
    step = _counted(progress, len(SET_NAMES) * steps + 1)
    schemas = [schema.with_hardening(name) for name in SET_NAMES]
    hardenings = [_attack_hardening(setting, each, key_seed, ladder, tries, step) for each in schemas]
    step("looking up")
    scheme, key = scheme_of(schema), setting.draws.bytes(32)
    bits = setting.pool.view(scheme, key).bits
    return _report(
        setting,
        schema,
        hardenings,
        frequency=frequency_alignment(setting.pool, bits, setting.draws),
        dictionary=dictionary(setting.pool, scheme, key),
    )


def assess_indicators(roster: RosterLike, schema: Schema | Path | str, *, seed: int = 0) -> RiskReport:
    """The cheap part of `assess_risk`: indicators at the agreed hardening, repeats, strata.

    RosterError: fewer than 40 different people.
    """
    schema = load_schema(schema)
    setting = _setting(load(roster, schema).people, schema, None, seed)
    _refuse_few(setting.pool)
    view = setting.pool.view(scheme_of(schema), setting.draws.bytes(32))
    shown = indicators(setting.pool, view, setting.draws)
    return _report(setting, schema, [HardeningResult(hardening=schema.hardening, indicators=shown)])


def known_ladder(people: int) -> list[int]:
    """How many known pairs are tried: at least half of the people are left as targets."""
    return [known for known in KNOWN_PAIRS if 2 * known <= people]


@dataclass(frozen=True)
class GraphSetting:
    """Who is encoded and who is held in clear, and how many known pairs there are."""

    held: int
    encoded: int
    known: int

    def __str__(self) -> str:
        pairs = f"{self.known:,} known pairs" if self.known else "no pair"
        return pairs if self.held == self.encoded else f"{pairs}, {self.held:,} people of whom {self.encoded:,} encoded"


def graph_ladder(people: int) -> list[GraphSetting]:
    """The attacks by graph matching on so many people, of whom at least a third are left as targets.

    The last attacker holds twice as many people as were encoded.
    """
    ladder = [GraphSetting(people, people, known) for known in GRAPH_KNOWN if 3 * known <= 2 * people]
    few = min(known for known in GRAPH_KNOWN if known)
    return [*ladder, GraphSetting(people, people // 2, few if 4 * few <= people else 0)]


def _attack_hardening(
    attacked: _Setting,
    schema: Schema,
    key_seed: bytes,
    graph_settings: Sequence[GraphSetting],
    tries: int,
    step: Callable[[str], None],
) -> HardeningResult:
    pool, draws = attacked.pool, RandomStream(key_seed, f"risk, {schema.hardening}")
    key = draws.bytes(32)
    view = pool.view(scheme_of(schema), key)
    views: list[View] = [view]
    if schema.hardening != "plain":  # which shows enough without them
        views.append(beside_relatives(pool, schema, key, draws))
    shown = indicators(pool, view, draws)
    ladder = known_ladder(pool.target_count)
    targets = np.arange(pool.target_count)[-min(MAX_TARGETS, pool.target_count - ladder[-1]) :]
    results: list[AttackResult] = []
    for known in ladder:
        step(f"{schema.hardening}: {known:,} known pairs")
        results += _by_known_pairs(pool, view, known, targets, draws)
    graph: list[AttackResult] = []
    for setting in graph_settings:
        step(f"{schema.hardening}: graph matching, {setting}")
        graph.append(
            graph_matching(
                pool,
                views,
                draws,
                held=setting.held,
                encoded=setting.encoded,
                known=setting.known,
                tries=tries,
            )
        )
    step(f"{schema.hardening}: people still matched")
    utility = measure_utility(pool.targets(), schema, key_seed)
    return HardeningResult(
        hardening=schema.hardening,
        indicators=shown,
        known_pairs=tuple(results),
        graph=tuple(graph),
        spellings=_by_spellings(attacked.people, schema, key, draws),
        utility=utility,
    )


def _by_spellings(people: People, schema: Schema, key: bytes, draws: RandomStream) -> AttackResult | None:
    """On those who have several spellings in a list; None where nobody has."""
    persons, spellings = distinct_people(people, schema, Encoder(schema, key, key))
    if not len(spellings):
        return None
    bits = BitMatrix(np.concatenate([persons.words, spellings.words]))
    owner = np.concatenate([persons.base, spellings.base])
    return own_spellings(scheme_of(schema), join_people([persons.people, spellings.people]), bits, owner, draws)


def _by_known_pairs(
    pool: CandidatePool, view: Published, known: int, targets: Indices, draws: RandomStream
) -> list[AttackResult]:
    """The cheap attack, and where it leaves room one by triples, on fewer people since it is slow."""
    singles = known_pairs(pool, [view], np.arange(known), targets)
    if known not in TRIPLES_WITH or singles.rate > TRIPLES_BELOW or not isinstance(view.scheme, Linear):
        return [singles]
    few = targets[-TRIPLES_TARGETS:]
    return [singles, known_triples(pool, view, np.arange(known), few, draws, TRIPLES_CANDIDATES)]


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """Who is attacked, among whom, and the random draws for it."""

    people: People  # with something to encode
    population: int
    pool: CandidatePool
    draws: RandomStream


def _setting(people: People, schema: Schema, population: People | None, seed: int) -> _Setting:
    draws = RandomStream(seed_from(seed), "risk")
    people = people.take(np.flatnonzero(encodable(people, schema)))
    if population is not None:
        _refuse_unlike(people, population, schema)
        population = population.take(np.flatnonzero(encodable(population, schema)))
        population = population.take(np.sort(draws.permutation(len(population))[:MAX_POPULATION]))
    attacked = people.take(np.sort(draws.permutation(len(people))[:MAX_PEOPLE]))
    return _Setting(
        people=people,
        population=0 if population is None else len(population),
        pool=CandidatePool(attacked, population, schema, draws),
        draws=draws,
    )


def _report(
    setting: _Setting,
    schema: Schema,
    hardenings: list[HardeningResult],
    *,
    frequency: AttackResult | None = None,
    dictionary: AttackResult | None = None,
) -> RiskReport:
    return RiskReport(
        rows=len(setting.people),
        people=setting.pool.target_count,
        population=setting.population,
        candidates=len(setting.pool),
        agreed=schema.hardening,
        repeats=repeats(setting.people, schema),
        strata=strata_cells(setting.people, schema),
        hardenings=tuple(hardenings),
        frequency=frequency,
        dictionary=dictionary,
    )


def _counted(progress: Progress | None, total: int) -> Callable[[str], None]:
    """A function that announces each step with its number."""
    numbers = iter(range(total))

    def step(what: str) -> None:
        done = next(numbers)
        if progress:
            progress(what, done, total)

    return step


def _refuse_few(pool: CandidatePool) -> None:
    if pool.target_count < MIN_PEOPLE:
        people = "person" if pool.target_count == 1 else "people"
        raise RosterError(
            f"the roster has {pool.target_count} different {people} to encode, and an attack needs {MIN_PEOPLE}",
            hint="try a larger roster of the same kind: the attack tests the encoding more than these people",
        )


def _refuse_unlike(people: People, population: People, schema: Schema) -> None:
    """People without a date of birth differ from those with one by that alone, so they hide nobody."""
    for field in schema.linked():
        of_people, of_population = (_readable(roster, field.name) for roster in (people, population))
        if 2 * of_population < of_people:
            raise RosterError(
                f"the population has a readable {field.name} in {of_population:.0%} of its rows and the roster in "
                f"{of_people:.0%}, so it hides nobody",
                hint=f"name its column, --population-column {field.name}=HEADER; names are read in Cyrillic and Latin "
                "letters; or leave --population out",
            )


def _readable(people: People, name: str) -> float:
    return float((people.columns[name].codes != MISSING).mean()) if len(people) else 0.0
