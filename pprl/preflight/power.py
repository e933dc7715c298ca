"""What of a roster would be encoded, and what it could show against a registry of a given size.

The claims come from the real path on invented registries: people of the roster with typing errors, and strangers made
of the roster's own names and of new ones. What is found there of those who were put in, and how many strangers with
them, says whether a class of rows can give pairs, only a count, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.key import LinkageKey
from pprl.core.private_rows import CLASS_NAMES
from pprl.core.randomness import RandomStream, fresh_seed
from pprl.core.schema import FULL_NAME, NAME_TYPES, Schema
from pprl.encode.decoys import decoys_against
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import Assessment, judge
from pprl.judge.matches import merged_classes
from pprl.match.encodings import match_encodings
from pprl.normalize.text import latin_text
from pprl.preflight.synthetic import Inventor
from pprl.roster.people import MISSING, People, encodable
from pprl.roster.persons import persons_of

MOST_STRANGERS = 1_000_000
MOST_PAIRS = 3_000_000_000
LEAST_PEOPLE = 20  # of a class, tried in one trial
LOOSEST = 0.49  # the false-match rate at which a count is still worth its interval


@dataclass(frozen=True)
class Claim:
    """What a class of rows can give against a registry: ``pairs``, ``count`` or ``nothing``.

    ``found`` of ``present`` people of the class who were in the invented registry were paired with themselves, at the
    false-match rate of the schema. ``within`` is half the width of the interval of net found, as a share of the people
    it was judged with.
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
class Preview:
    """A roster in figures. ``spellings`` are the distinct words of the names, before and after folding."""

    rows: int
    people: int
    empty: int
    classes: tuple[Class, ...]
    unreadable: Mapping[tuple[str, str], tuple[int, ...]]
    duplicates: tuple[tuple[int, int], ...]
    spellings: tuple[int, int]
    registry_rows: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": 1,
            "rows": self.rows,
            "people": self.people,
            "rows_without_any_value": self.empty,
            "duplicates": [list(pair) for pair in self.duplicates],
            "spellings": {"before": self.spellings[0], "after": self.spellings[1]},
            "unreadable": [
                {"field": name, "reason": reason, "rows": list(rows)}
                for (name, reason), rows in sorted(self.unreadable.items())
            ],
            "classes": [
                {"rows": each.name, "people": each.people, "claim": vars(each.claim) if each.claim else None}
                for each in self.classes
            ],
            "registry_rows": self.registry_rows,
        }


def preview(
    people: People, frames: Sequence[pd.DataFrame], columns: Sequence[Mapping[str, str]], schema: Schema
) -> Preview:
    """Rows, people, duplicates, classes, and what could not be read; ``columns`` is field to header in each frame."""
    stands, filled = persons_of(people, schema), encodable(people, schema)
    unique = people.take(_persons(stands, filled))
    classes, counts = np.unique(unique.completeness(schema), return_counts=True)
    twice = np.flatnonzero((people.rows[stands] != people.rows) & filled)
    return Preview(
        rows=people.rows_read,
        people=len(unique),
        empty=people.rows_read - people.take(np.flatnonzero(filled)).rows_read,
        classes=tuple(
            Class(CLASS_NAMES[each], count) for each, count in zip(classes.tolist(), counts.tolist(), strict=True)
        ),
        unreadable=people.unreadable,
        duplicates=tuple(dict.fromkeys((int(people.rows[stands[at]]), int(people.rows[at])) for at in twice.tolist())),
        spellings=_spellings(people, frames, columns, schema),
    )


def _spellings(
    people: People, frames: Sequence[pd.DataFrame], columns: Sequence[Mapping[str, str]], schema: Schema
) -> tuple[int, int]:
    names = {field.name for field in schema.linked() if field.type in NAME_TYPES}
    written: set[str] = set()
    for frame, own in zip(frames, columns, strict=True):
        for field, header in own.items():
            if field in names or field == FULL_NAME:
                written.update(word for cell in frame[header].unique() for word in latin_text(str(cell)).split())
    folded = {word for name in names for value in people.columns[name].values for word in value.split()}
    return len(written), len(folded)


def with_claims(
    seen: Preview,
    people: People,
    schema: Schema,
    registry_rows: int,
    *,
    seed: bytes | None = None,
    map: Callable[..., Any] = map,  # noqa: A002  an engine is an object with a `map`
    progress: Callable[[int], None] | None = None,
) -> Preview:
    """The preview with what each class could claim against a registry of that size; ``seed`` repeats the trial."""
    draws = RandomStream(seed or fresh_seed(), "preview")
    schema = replace(schema, registry_as_of=None)  # everybody could be in an invented registry
    unique = people.take(_persons(persons_of(people, schema), encodable(people, schema)))
    unique = People(np.arange(len(unique), dtype=np.int64), unique.columns)
    completeness = unique.completeness(schema)
    judged_together = merged_classes(completeness)
    strangers = min(registry_rows, MOST_STRANGERS)
    decoys = decoys_against(registry_rows, schema)
    groups = [np.flatnonzero(judged_together == each) for each in np.unique(judged_together)]
    most = max(LEAST_PEOPLE, MOST_PAIRS // (max(1, len(groups)) * (1 + decoys) * strangers))
    groups = [group[draws.permutation(len(group))[:most]] for group in groups]
    inside = np.concatenate([group[::2] for group in groups])
    registry = Inventor(unique, schema, draws).registry(inside, max(len(inside), strangers))
    key = LinkageKey(draws.bytes(32), repeatable=True)
    encoded, home = encode_registry(registry, schema, key, seed=_number(draws), allow_weak=True)
    claims: dict[int, Claim] = {}
    for group in groups:
        own, rows = encode_list(unique.take(group), schema, key, seed=_number(draws), decoys=decoys, allow_weak=True)
        scores = match_encodings(own, encoded, map=map, progress=progress)
        strict = judge(scores, rows, home)
        loose = strict if strict.found else judge(scores, rows, home, rate=LOOSEST)
        known = strict.pairs.registry_row.to_numpy(dtype=np.int64)
        known = np.where(known < len(inside), inside[np.minimum(known, len(inside) - 1)], MISSING)
        right = completeness[known[known == strict.pairs.list_row.to_numpy(dtype=np.int64)]]
        for each in np.unique(completeness[group]).tolist():
            present = int((completeness[group[::2]] == each).sum())
            claims[each] = _claim(int((right == each).sum()), present, loose, len(group))
    return replace(
        seen,
        classes=tuple(replace(each, claim=claims.get(CLASS_NAMES.index(each.name))) for each in seen.classes),
        registry_rows=registry_rows,
    )


def _claim(found: int, present: int, loose: Assessment, tried: int) -> Claim:
    net = loose.net_found
    low, high = (net.low or 0.0, net.high or 0.0) if net else (0.0, 0.0)
    within = round((high - low) / 2 / tried, 3)
    what = "pairs" if found else "count" if loose.found and low > 0 else "nothing"
    return Claim(what, found, present, within)


def _persons(stands: NDArray[np.int64], filled: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero((stands == np.arange(len(stands))) & filled)


def pairs_to_try(seen: Preview, schema: Schema, registry_rows: int) -> int:
    """About how many pairs `with_claims` compares."""
    strangers = min(registry_rows, MOST_STRANGERS)
    return int(min(MOST_PAIRS, seen.people * (1 + decoys_against(registry_rows, schema)) * strangers))


def _number(draws: RandomStream) -> int:
    return int.from_bytes(draws.bytes(8), "little")
