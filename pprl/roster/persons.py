"""Rows of a roster that are one person: written twice, once with less, or under one personal number.

A row joins another when every linked value it has is the same or says less of the same: an initial for a name, a year
for a date, nothing for a patronymic. Surname, the initial of the given name and the year of birth must stand in both,
and only one person of the roster may fit: ``И. И. Петров, 1985`` is nobody in particular beside two of them. Rows with
one personal number, one surname and one initial are one person whatever the rest says, a mistyped date for instance,
if the numbers of the roster are personal (nine of ten differ). Rows without a date are joined only when they are
equal: two men of one name are no rarity.

Rows of one label are spellings of one person, who stands with the others by the spelling that says most: a second name
joins nobody.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pprl.core.schema import NAME_TYPES, Field, Schema
from pprl.roster.people import MISSING, Column, People

SHORTEST_NUMBER = 5
PERSONAL = 0.9


def persons_of(people: People, schema: Schema) -> NDArray[np.int64]:
    """For each row the place of the row that stands for its person: the one that says most, the first of equals."""
    fullest = fullest_spellings(people, schema)
    places = np.unique(fullest)
    if len(places) == len(people):
        return _persons_of(people, schema)
    stands = places[_persons_of(people.take(places), schema)]
    return np.asarray(stands[np.searchsorted(places, fullest)])


def fullest_spellings(people: People, schema: Schema) -> NDArray[np.int64]:
    """For each row the place of the row with its label that says most, the first of equals."""
    of = np.unique(people.rows, return_inverse=True)[1]
    order = np.lexsort((np.arange(len(people)), -_says(people, schema), of))
    return np.asarray(order[np.flatnonzero(np.diff(of[order], prepend=-1))][of])


def _says(people: People, schema: Schema) -> NDArray[np.int64]:
    """How much the linked values of each row say."""
    columns = [people.columns[field.name] for field in schema.linked()]
    return np.asarray(sum(_by_value(column, _how_much)[column.codes] for column in columns))


def _persons_of(people: People, schema: Schema) -> NDArray[np.int64]:
    linked = schema.linked()
    columns = [people.columns[field.name] for field in linked]
    codes = np.stack([column.codes for column in columns], axis=1)
    order = np.lexsort((np.arange(len(people)), -_says(people, schema)))
    parent = _equals(codes, order)
    key = _key(linked, columns)
    for group in _groups(np.where(parent == np.arange(len(people)), key, MISSING)[order], order):
        _join_lesser(parent, group, codes, linked, columns)
    for field in schema.fields:
        if field.type == "identifier":
            _join_by_number(parent, people.columns[field.name], _key(linked, columns, dated=False), order)
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return parent


def _how_much(value: str) -> int:
    return sum(1 if word.endswith(".") else 2 for word in value.split(" ")) + value.count("-")


def _by_value(column: Column, of: Callable[[str], int]) -> NDArray[np.int64]:
    """A number for each value; 0 for none, at the end, where the code −1 finds it."""
    return np.array([of(value) for value in column.values] + [0], dtype=np.int64)


def _equals(codes: NDArray[np.int32], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each row's first equal in this order; rows without any value equal none."""
    first, inverse = np.unique(codes[order], axis=0, return_index=True, return_inverse=True)[1:]
    parent = np.empty(len(order), dtype=np.int64)
    parent[order] = order[first[inverse.ravel()]]
    return np.where((codes == MISSING).all(axis=1), np.arange(len(order)), parent)


def _key(linked: tuple[Field, ...], columns: list[Column], *, dated: bool = True) -> NDArray[np.int64]:
    """One number for surname, initial and, if ``dated``, year of birth; −1 where one of them is missing."""
    parts: list[tuple[tuple[str, ...], int]] = [(("surname",), 0), (("given",), 1)]
    key = np.zeros(len(columns[0].codes), dtype=np.int64)
    for kinds, letters in [*parts, (("date", "year"), 4)] if dated else parts:
        column = next((column for field, column in zip(linked, columns, strict=True) if field.type in kinds), None)
        if column is None:
            return np.full(len(key), MISSING, dtype=np.int64)
        number: dict[str, int] = {}
        of = np.array([number.setdefault(v[: letters or None], len(number)) for v in column.values] + [0], np.int64)
        key = np.where((key == MISSING) | (column.codes == MISSING), MISSING, key * len(of) + of[column.codes])
    return key


def _groups(keys: NDArray[np.int64], rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each key that two or more share, in the order given; −1 is no key."""
    known = np.flatnonzero(keys != MISSING)
    sorted_by_key = known[np.argsort(keys[known], kind="stable")]
    bounds = np.flatnonzero(np.diff(keys[sorted_by_key])) + 1
    return [rows[group] for group in np.split(sorted_by_key, bounds) if len(group) > 1]


def _join_lesser(
    parent: NDArray[np.int64],
    group: NDArray[np.int64],
    codes: NDArray[np.int32],
    linked: tuple[Field, ...],
    columns: list[Column],
) -> None:
    """Fullest rows first: each that says less of exactly one person joins it, else it is a person of its own."""
    persons: list[int] = []
    for row in group.tolist():
        fits = [
            person
            for person in persons
            if all(
                says_no_more(_value(column, codes[row, at]), _value(column, codes[person, at]), field.type)
                for at, (field, column) in enumerate(zip(linked, columns, strict=True))
            )
        ]
        if len(fits) == 1:
            parent[row] = fits[0]
        else:
            persons.append(row)


def _value(column: Column, code: int) -> str:
    return "" if code == MISSING else column.values[code]


def says_no_more(lesser: str, fuller: str, kind: str) -> bool:
    """The value is missing, the same, or an earlier part or an initial of the fuller one.

    >>> says_no_more("i.", "ivan", "given"), says_no_more("iv", "ivan", "given"), says_no_more("1985", "1985-3", "date")
    (True, False, True)
    """
    if not lesser or lesser == fuller:
        return True
    if kind in ("date", "year"):
        return fuller.startswith(lesser)
    if kind not in NAME_TYPES or not fuller:
        return False
    words, full_words = lesser.split(" "), fuller.split(" ")
    return len(words) <= len(full_words) and all(
        word == full or (word.endswith(".") and full.startswith(word[:-1]))
        for word, full in zip(words, full_words, strict=False)
    )


def _join_by_number(
    parent: NDArray[np.int64], numbers: Column, key: NDArray[np.int64], order: NDArray[np.int64]
) -> None:
    long = np.array([len(value) >= SHORTEST_NUMBER for value in numbers.values] + [False])[numbers.codes]
    if len(np.unique(numbers.codes[long])) < PERSONAL * long.sum():
        return
    place = np.argsort(order)
    both = np.where(long & (key != MISSING), key * len(numbers.values) + numbers.codes, MISSING)
    for group in _groups(both[order], order):
        fullest, *others = sorted({_end(parent, row) for row in group.tolist()}, key=place.__getitem__)
        parent[others] = fullest


def _end(parent: NDArray[np.int64], row: int) -> int:
    while parent[row] != row:
        row = int(parent[row])
    return row
