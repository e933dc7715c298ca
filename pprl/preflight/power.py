"""What a roster would encode, and what it could show against a registry of a given size.

The claims come from real linkages with synthetic registries: people of the roster with typing errors, and strangers
made from the roster's own names and from new ones. How many of the people put in are matched, and how many strangers
with them, shows whether a class of rows can give pairs, only a count, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.encodings import is_big
from pprl.core.hardening import ParameterSet
from pprl.core.key import LinkageKey
from pprl.core.private_rows import CLASS_NAMES
from pprl.core.randomness import Randomness, RandomStream, fresh_seed
from pprl.core.schema import FULL_NAME, NAME_TYPES, Schema
from pprl.encode.decoys import decoys_per_person
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry, persons_of_records
from pprl.judge.assessment import Assessment, judge
from pprl.judge.matches import merged_classes
from pprl.match.encodings import match_encodings
from pprl.normalize.text import latin_text
from pprl.preflight.synthetic import SyntheticRegistry
from pprl.roster.people import MISSING, People, encodable, read_from
from pprl.roster.people import filled as filled_fields
from pprl.roster.persons import persons_of

MAX_STRANGERS = 1_000_000
MAX_PAIRS = 3_000_000_000
MIN_PEOPLE = 20  # of a class, in one trial
HIGHEST_RATE = 0.49  # the false-match rate at which a count is still worth its interval


@dataclass(frozen=True)
class Claim:
    """What a class of rows can give against a registry: ``pairs``, ``count`` or ``nothing``.

    ``found`` of ``present`` people of the class who were in the synthetic registry were matched with themselves, at the
    false-match rate of the schema. ``within`` is half the width of the interval of the estimated true matches, as a
    share of the people judged with them.
    """

    what: str
    found: int
    present: int
    within: float


@dataclass(frozen=True)
class Class:
    """Rows of one completeness; ``claim`` is None where no registry was tried."""

    name: str
    people: int
    claim: Claim | None = None


@dataclass(frozen=True)
class Cost:
    """What hardening costs: of ``present`` people who were put into a synthetic registry ``matched`` were matched with
    themselves, and ``plain`` would have been without hardening."""

    matched: int
    plain: int
    present: int

    @property
    def notable(self) -> bool:
        """More than one in fifty is lost."""
        return self.plain - self.matched > self.present / 50


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A roster in figures. ``duplicates`` are rows that are one person with a fuller row, ``equal`` how many of them
    are the same in everything compared, and so one candidate where the roster is a registry. ``spellings`` is how many
    distinct words its names have, before and after folding.

    ``left_out`` are the rows of cells that are not read, or not in full, by field and reason; ``columns`` says from
    which columns each of these fields is read, by header or number. ``empty_fields`` are linked and have no value in
    any row. ``cost`` is None where no registry was tried, or nothing is hardened. ``needed`` is how many people would
    have to be in the registry, written alike, for `pprl link` to see them.
    """

    rows: int
    people: int
    empty: int
    classes: tuple[Class, ...]
    left_out: Mapping[tuple[str, str], tuple[int, ...]]
    columns: Mapping[str, tuple[str | int, ...]]
    empty_fields: tuple[str, ...]
    duplicates: tuple[tuple[int, int], ...]
    equal: int
    spellings: tuple[int, int]
    hardening: ParameterSet
    registry_rows: int | None = None
    cost: Cost | None = None
    needed: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": 1,
            "rows": self.rows,
            "people": self.people,
            "rows_without_any_value": self.empty,
            "duplicates": [list(pair) for pair in self.duplicates],
            "equal_rows": self.equal,
            "spellings": {"before": self.spellings[0], "after": self.spellings[1]},
            "left_out": [
                {"field": name, "columns": list(self.columns.get(name, ())), "reason": reason, "rows": list(rows)}
                for (name, reason), rows in sorted(self.left_out.items())
            ],
            "empty_fields": list(self.empty_fields),
            "classes": [
                {"rows": group.name, "people": group.people, "claim": vars(group.claim) if group.claim else None}
                for group in self.classes
            ],
            "registry_rows": self.registry_rows,
            "needed": self.needed,
            "hardening": {**vars(self.hardening), "cost": vars(self.cost) if self.cost else None},
        }

    def found(self) -> tuple[int, int]:
        """People who were matched with themselves in the trial, of those put into the registry."""
        claims = [group.claim for group in self.classes if group.claim]
        return sum(claim.found for claim in claims), sum(claim.present for claim in claims)


def preview(
    people: People, frames: Sequence[pd.DataFrame], columns: Sequence[Mapping[str, str]], schema: Schema
) -> Preview:
    """Rows, people, duplicates, classes, and cells left out; ``columns`` maps fields to headers in each frame."""
    first_rows, filled = persons_of(people, schema), encodable(people, schema)
    unique = people.take(_first_rows(first_rows, filled))
    classes, counts = np.unique(unique.completeness(schema), return_counts=True)
    held = filled_fields(schema, people)
    repeated = np.flatnonzero((people.rows[first_rows] != people.rows) & filled)
    return Preview(
        rows=people.rows_read,
        people=len(unique),
        empty=people.rows_read - people.take(np.flatnonzero(filled)).rows_read,
        classes=tuple(
            Class(CLASS_NAMES[number], count) for number, count in zip(classes.tolist(), counts.tolist(), strict=True)
        ),
        left_out=people.left_out,
        columns={
            field: read_from(field, schema, columns, [list(map(str, frame.columns)) for frame in frames])
            for field, _ in people.left_out
        },
        empty_fields=tuple(f.name for f in schema.linked() if len(people) and f not in held),
        duplicates=tuple(
            dict.fromkeys((int(people.rows[first_rows[row]]), int(people.rows[row])) for row in repeated.tolist())
        ),
        equal=_equal_rows(people.take(np.flatnonzero(filled)), schema),
        spellings=_spellings(people, frames, columns, schema),
        hardening=schema.parameters,
    )


def _equal_rows(people: People, schema: Schema) -> int:
    """How many rows repeat another in everything compared."""
    first = np.unique(people.rows, return_index=True)[1]
    return len(first) - len(np.unique(persons_of_records(people, schema)[first]))


def _spellings(
    people: People, frames: Sequence[pd.DataFrame], columns: Sequence[Mapping[str, str]], schema: Schema
) -> tuple[int, int]:
    names = {field.name for field in schema.linked() if field.type in NAME_TYPES}
    written: set[str] = set()
    for frame, headers in zip(frames, columns, strict=True):
        for field, header in headers.items():
            if field in names or field == FULL_NAME:
                written.update(word for cell in frame[header].unique() for word in latin_text(str(cell)).split())
    folded = {word for name in names for value in people.columns[name].values for word in value.split()}
    return len(written), len(folded)


def with_claims(
    result: Preview,
    people: People,
    schema: Schema,
    registry_rows: int,
    *,
    seed: bytes | None = None,
    map: Callable[..., Any] = map,  # noqa: A002  an engine is an object with a `map`
    progress: Callable[[int], None] | None = None,
) -> Preview:
    """The preview with what each class could claim against a registry of that size, and what hardening costs; ``seed``
    repeats the trial."""
    seed = seed or fresh_seed()
    tried = _with_claims(result, people, schema, registry_rows, seed, map, progress)
    if schema.hardening == "plain":
        return tried
    without = _with_claims(result, people, schema.with_hardening("plain"), registry_rows, seed, map, progress)
    matched, present = tried.found()
    return replace(tried, cost=Cost(matched, without.found()[0], present))


def _with_claims(
    result: Preview,
    people: People,
    schema: Schema,
    registry_rows: int,
    seed: bytes,
    map: Callable[..., Any],  # noqa: A002
    progress: Callable[[int], None] | None,
) -> Preview:
    draws = RandomStream(seed, "preview")
    schema = replace(schema, registry_as_of=None)  # everybody could be in a synthetic registry
    unique = people.take(_first_rows(persons_of(people, schema), encodable(people, schema)))
    unique = People(np.arange(len(unique), dtype=np.int64), unique.columns)
    completeness = unique.completeness(schema)
    strangers = min(registry_rows, MAX_STRANGERS)
    big = is_big(registry_rows)
    decoys = decoys_per_person(schema, big=big)
    groups = _trial_groups(completeness, (1 + decoys) * strangers, draws)
    present = np.concatenate([group[::2] for group in groups])
    registry = SyntheticRegistry(unique, schema, draws).draw(present, max(len(present), strangers))
    key = LinkageKey(draws.bytes(32), repeatable=True)
    encoded, registry_private = encode_registry(registry, schema, key, randomness=_randomness(draws), allow_weak=True)
    claims: dict[int, Claim] = {}
    needed: list[int] = []
    for group in groups:
        encodings, rows = encode_list(
            unique.take(group), schema, key, randomness=_randomness(draws), big_registry=big, allow_weak=True
        )
        scores = match_encodings(encodings, encoded, map=map, progress=progress)
        strict = judge(scores, rows, registry_private)
        loose = strict if strict.found else judge(scores, rows, registry_private, rate=HIGHEST_RATE)
        if strict.record.headline.fewest_findable is not None:
            needed.append(int(strict.record.headline.fewest_findable))
        matched = completeness[_rightly_matched(strict, present)]
        for number in np.unique(completeness[group]).tolist():
            in_registry = int((completeness[group[::2]] == number).sum())
            claims[number] = _claim(int((matched == number).sum()), in_registry, loose, len(group))
    return replace(
        result,
        classes=tuple(replace(group, claim=claims.get(CLASS_NAMES.index(group.name))) for group in result.classes),
        registry_rows=registry_rows,
        needed=min(needed, default=None),
    )


def _trial_groups(
    completeness: NDArray[np.int8], pairs_per_person: int, draws: RandomStream
) -> list[NDArray[np.int64]]:
    """The people of each group of classes that is judged together, few enough that at most `MAX_PAIRS` pairs result."""
    judged_together = merged_classes(completeness)
    groups = [np.flatnonzero(judged_together == number) for number in np.unique(judged_together)]
    most = max(MIN_PEOPLE, MAX_PAIRS // (max(1, len(groups)) * pairs_per_person))
    return [group[draws.permutation(len(group))[:most]] for group in groups]


def _rightly_matched(assessment: Assessment, present: NDArray[np.int64]) -> NDArray[np.int64]:
    """The people who were matched with themselves; the registry begins with those present."""
    partners = assessment.pairs.registry_row.to_numpy(dtype=np.int64)
    people = np.where(partners < len(present), present[np.minimum(partners, len(present) - 1)], MISSING)
    return np.asarray(people[people == assessment.pairs.list_row.to_numpy(dtype=np.int64)])


def _claim(found: int, present: int, loose: Assessment, tried: int) -> Claim:
    net = loose.net_found
    low, high = (net.low or 0.0, net.high or 0.0) if net else (0.0, 0.0)
    within = round((high - low) / 2 / tried, 3)
    what = "pairs" if found else "count" if loose.found and low > 0 else "nothing"
    return Claim(what, found, present, within)


def _first_rows(first_row_of: NDArray[np.int64], filled: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero((first_row_of == np.arange(len(first_row_of))) & filled)


def pairs_to_try(result: Preview, schema: Schema, registry_rows: int) -> int:
    """Roughly how many pairs `with_claims` compares."""
    strangers = min(registry_rows, MAX_STRANGERS)
    pairs = min(MAX_PAIRS, result.people * (1 + decoys_per_person(schema, big=is_big(registry_rows))) * strangers)
    return int(pairs * (1 if schema.hardening == "plain" else 2))


def _randomness(draws: RandomStream) -> Randomness:
    return Randomness.make(int.from_bytes(draws.bytes(8), "little"))
