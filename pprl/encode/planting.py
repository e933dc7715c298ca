"""People planted in a registry: people of a list as the registry's office would write them, if they were there.

How differently two offices write one person is not known before their records are paired, and pairs that agree in
everything tell nothing. But pairs that agree in all fields but one are sure without that one. They show how often and
in what way it differs, if errors in different fields are independent (as Fellegi & Sunter 1969, J. Am. Stat. Assoc.
64:1183, section 3.3.1, assume). Decoys say how many such pairs are strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.randomness import RandomStream
from pprl.core.schema import NAME_TYPES, Field, Schema
from pprl.encode.decoys import make_decoys
from pprl.encode.respelling import Respeller, as_full_as, completed
from pprl.roster.people import MISSING, Column, People, encodable, filled
from pprl.roster.persons import persons_of

PLANTED = 500
FEWEST_PAIRS = 10  # behind each field's share of differences; where fewer are sure, the others are assumed
FEWEST_DECOYS = 10
STRANGERS = 4  # at most one in so many of the sure pairs is a stranger
LETTERS = 4  # two spellings of a name differ in one letter, and one more in so many
WRONG_SIGNS = 2  # of two spellings of a date or number
UNIT = 2**20  # shares are whole numbers of 2^-20

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Planting:
    """People of the list as the list and as the registry would write them, in one order, under the list's row labels.

    ``differs`` says in which fields their spellings differ, shape (people, fields), and ``pairs`` how many pairs the
    share of differences of each field rests upon. ``measured``: all of them are pairs of the rosters.
    """

    listed: People
    registered: People
    differs: Bools
    pairs: NDArray[np.float64]
    measured: bool


@dataclass(frozen=True)
class Differences:
    """How two offices differ in one field: in a ``share`` of the ``pairs`` that are sure without it, and by these
    ``spellings``, of the list and of the registry."""

    pairs: float
    share: float
    spellings: Sequence[tuple[str, str]]


class Written(NamedTuple):
    """A value of a planted person on both sides, None where it is missing."""

    listed: str | None
    registered: str | None
    differs: bool


NOT_KNOWN = Differences(0.0, 0.0, ())


def plant(listed: People, registered: People, schema: Schema, draws: RandomStream) -> Planting:
    """`PLANTED` people of the list, drawn with replacement, each as full on the other side as some row of the registry.

    The list must have a person with a linked value, and the registry a row.
    """
    is_person = persons_of(listed, schema) == np.arange(len(listed))
    people = listed.take(np.flatnonzero(is_person & encodable(listed, schema)))
    fields = filled(schema, people, registered)
    differences = differences_of(people, registered, schema, fields, draws)
    chosen = people.take(draws.below(len(people), PLANTED))
    models = registered.take(draws.below(len(registered), PLANTED))
    ours, theirs = dict(chosen.columns), dict(models.columns)
    differs = np.zeros((PLANTED, len(fields)), dtype=bool)
    for index, (field, difference) in enumerate(zip(fields, differences, strict=True)):
        texts, model_texts = (side.columns[field.name].texts() for side in (chosen, models))
        written = _written(texts, model_texts, field.type, difference, draws)
        ours[field.name] = Column.of([value.listed for value in written])
        theirs[field.name] = Column.of([value.registered for value in written])
        differs[:, index] = [value.differs for value in written]
    pairs = np.array([difference.pairs for difference in differences])
    return Planting(
        People(chosen.rows, ours),
        People(chosen.rows, theirs),
        differs,
        np.maximum(pairs, FEWEST_PAIRS),
        measured=bool((pairs >= FEWEST_PAIRS).all()),
    )


def _written(
    ours: Sequence[str | None], models: Sequence[str | None], kind: str, difference: Differences, draws: RandomStream
) -> list[Written]:
    """One field of the planted people, each after the model of a pair.

    After a sure pair both sides write the same, or the spellings of one that differs. After an assumed pair the
    registry's office errs as a `Respeller` does.
    """
    count, respeller = len(ours), Respeller(draws)
    assumed = draws.below(UNIT, count) >= round(UNIT * difference.pairs / FEWEST_PAIRS)
    differing = draws.below(UNIT, count) < round(UNIT * difference.share)
    example = draws.below(max(1, len(difference.spellings)), count)
    written = []
    for row, (value, model) in enumerate(zip(ours, models, strict=True)):
        if value is None or model is None:
            written.append(Written(value, model, differs=False))
            continue
        left = right = completed(value, model, kind)
        if assumed[row]:
            right = respeller.retyped(left, kind)
        elif differing[row]:
            left, right = difference.spellings[example[row]]
        written.append(Written(as_full_as(left, value, kind), as_full_as(right, model, kind), differs=left != right))
    return written


def differences_of(
    people: People, registered: People, schema: Schema, fields: Sequence[Field], draws: RandomStream
) -> list[Differences]:
    """How each of the ``fields`` differs in the pairs that agree in all others, less what strangers would."""
    decoys = make_decoys(people, schema, 1, draws).people
    if len(decoys) < FEWEST_DECOYS:  # nothing says how many of the pairs are strangers
        return [NOT_KNOWN] * len(fields)
    known: list[dict[str, int]] = [{} for _ in fields]
    ours, strangers, theirs = (
        pd.DataFrame({field.name: _numbers(part, field, table) for field, table in zip(fields, known, strict=True)})
        for part in (people, decoys, _near(people, registered, fields))
    )
    differences = []
    for field, numbers in zip(fields, known, strict=True):
        others = [other.name for other in fields if other != field]
        pairs, chance = (_agreeing(side, theirs, others, field.name) for side in (ours, strangers))
        found, expected = (_by_similarity(side, list(numbers), field.type) for side in (pairs, chance))
        differences.append(_net(found, expected, len(people) / max(1, len(decoys))))
    return differences


def _near(people: People, registered: People, fields: Sequence[Field]) -> People:
    """The rows of the registry that have values of the list in all ``fields`` but one, or in all."""
    shared = np.zeros(len(registered), dtype=np.int8)
    for field in fields:
        column, known = registered.columns[field.name], set(people.columns[field.name].values)
        shared += np.array([*(value in known for value in column.values), False], dtype=bool)[column.codes]
    near = registered.take(np.flatnonzero(shared >= len(fields) - 1))
    return People(near.rows, {field.name: near.columns[field.name].in_use() for field in fields})


def _numbers(people: People, field: Field, known: dict[str, int]) -> Ints:
    """A number for each whole value of a field, the same in all rosters; −1 where there is none."""
    column = people.columns[field.name]
    whole = (is_whole(value, field.type) for value in column.values)
    numbers = [
        known.setdefault(value, len(known)) if full else MISSING
        for value, full in zip(column.values, whole, strict=True)
    ]
    return np.array([*numbers, MISSING], dtype=np.int64)[column.codes]


def is_whole(value: str, kind: str) -> bool:
    """Whether a value is no mere part, such as an initial or a year."""
    if kind == "date":
        return len(value) == len("1985-03-12")
    return kind not in NAME_TYPES or not any(word.endswith(".") for word in value.split(" "))


def _agreeing(ours: pd.DataFrame, theirs: pd.DataFrame, others: list[str], name: str) -> Ints:
    """The numbers of the field ``name`` in pairs that agree in the ``others``, shape (pairs, 2).

    Each is with the only such row of the registry: where there are several, most are strangers.
    """
    if not others:
        return np.zeros((0, 2), dtype=np.int64)
    left, right = (side[(side != MISSING).all(axis=1)] for side in (ours, theirs))
    alone = right.drop_duplicates().drop_duplicates(others, keep=False)
    pairs = left.merge(alone, on=others, suffixes=(" ours", " theirs"))  # no field has a space in its name
    return pairs[[f"{name} ours", f"{name} theirs"]].to_numpy(dtype=np.int64)


def _by_similarity(pairs: Ints, values: Sequence[str], kind: str) -> list[list[tuple[str, str]]]:
    """The pairs whose values are equal, alike, and unlike, in the order of the values."""
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    found: list[list[tuple[str, str]]] = [[], [], []]
    for (left, right), count in zip(distinct.tolist(), counts.tolist(), strict=True):
        one, other = values[left], values[right]
        found[0 if left == right else 1 if are_alike(one, other, kind) else 2] += [(one, other)] * count
    return [sorted(group) for group in found]


def _net(found: list[list[tuple[str, str]]], expected: list[list[tuple[str, str]]], scale: float) -> Differences:
    """Differences from pairs that are equal, alike and unlike, and from those of decoys, ``scale`` people to each.

    There are no more strangers than unlike pairs allow: who has a record of their own with a key has no stranger there.
    Unlike pairs count where strangers among them are few, or few beside the equal ones. If the others do not, nothing
    is known.
    """
    counts = [len(group) for group in found]
    if expected[2]:
        scale = min(scale, counts[2] / len(expected[2]))
    chance = [scale * len(group) for group in expected]
    sure = [STRANGERS * others <= max(count, counts[0] / 10) for count, others in zip(counts, chance, strict=True)]
    if not (sure[0] and sure[1]):
        return NOT_KNOWN
    equal, alike, unlike = (max(0.0, count - others) for count, others in zip(counts, chance, strict=True))
    spellings = [*_evenly(found[1], alike), *_evenly(found[2], unlike if sure[2] else 0.0)]
    pairs = equal + len(spellings)
    return Differences(pairs, len(spellings) / max(pairs, 1.0), spellings)


def _evenly(group: Sequence[tuple[str, str]], count: float) -> list[tuple[str, str]]:
    """About ``count`` of a sorted group: as many are left out as are strangers; which these are is not known."""
    kept = round(count)
    return [group[index * len(group) // kept] for index in range(kept)]


def are_alike(one: str, other: str, kind: str) -> bool:
    """Whether two values of a field of type ``kind`` could be spellings of one."""
    if kind in (*NAME_TYPES, "text"):
        return _distance(one, other) <= 1 + max(len(one), len(other)) // LETTERS
    if sorted(one) == sorted(other):  # day and month, or two signs, are swapped
        return True
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) <= WRONG_SIGNS


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, left out, replaced or swapped with the next (Damerau 1964)."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        row = [i + 1]
        for j, its in enumerate(other):
            row.append(min(above[j + 1] + 1, row[j] + 1, above[j] + (letter != its)))
            if i and j and letter == other[j - 1] and one[i - 1] == its:
                row[-1] = min(row[-1], before[j - 1] + 1)
        before, above = above, row
    return above[-1]
