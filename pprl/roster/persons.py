"""Rows of a roster that are one person: written twice, once with less detail, or under one personal number.

A row joins another when each of its linked values is the same or a shorter form: an initial for a name, a year for a
date, nothing for a patronymic. Both must have the surname, the initial of the given name and the year of birth, and
only one person on the roster may fit: ``И. И. Петров, 1985`` is nobody in particular if two people fit. Rows with the
same personal number, surname and initial are one person whatever the rest says, for instance a mistyped date, if the
numbers of the roster are personal (nine in ten are distinct). Rows without a date are joined only when they are equal:
namesakes are not rare.

Rows with one label are spellings of one person, who is compared with others by the fullest spelling: a second name
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
    """For each row the index of the row that represents its person: the fullest one, the first among equals."""
    if schema not in people.persons:
        people.persons[schema] = _persons_by_label(people, schema)
        people.persons[schema].flags.writeable = False
    return people.persons[schema]


def _persons_by_label(people: People, schema: Schema) -> NDArray[np.int64]:
    fullest = fullest_spellings(people, schema)
    indices = np.unique(fullest)
    if len(indices) == len(people):
        return _persons_of(people, schema)
    representative = indices[_persons_of(people.take(indices), schema)]
    return np.asarray(representative[np.searchsorted(indices, fullest)])


def fullest_spellings(people: People, schema: Schema) -> NDArray[np.int64]:
    """For each row the index of the fullest row with its label, the first among equals."""
    label = np.unique(people.rows, return_inverse=True)[1]
    order = np.lexsort((np.arange(len(people)), -_fullness(people, schema), label))
    return np.asarray(order[np.flatnonzero(np.diff(label[order], prepend=-1))][label])


def _fullness(people: People, schema: Schema) -> NDArray[np.int64]:
    """How much detail the linked values of each row hold."""
    columns = [people.columns[field.name] for field in schema.linked()]
    return np.asarray(sum(_by_value(column, _how_much)[column.codes] for column in columns))


def _persons_of(people: People, schema: Schema) -> NDArray[np.int64]:
    linked = schema.linked()
    columns = [people.columns[field.name] for field in linked]
    codes = np.stack([column.codes for column in columns], axis=1)
    order = np.lexsort((np.arange(len(people)), -_fullness(people, schema)))
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


def _by_value(column: Column, number_of: Callable[[str], int]) -> NDArray[np.int64]:
    """A number for each value, and 0 at the end, which the code −1 selects."""
    return np.array([number_of(value) for value in column.values] + [0], dtype=np.int64)


def _equals(codes: NDArray[np.int32], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first row in this order that equals each row; rows without any value equal only themselves."""
    first, inverse = np.unique(codes[order], axis=0, return_index=True, return_inverse=True)[1:]
    parent = np.empty(len(order), dtype=np.int64)
    parent[order] = order[first[inverse.ravel()]]
    return np.where((codes == MISSING).all(axis=1), np.arange(len(order)), parent)


def _key(linked: tuple[Field, ...], columns: list[Column], *, dated: bool = True) -> NDArray[np.int64]:
    """A number for surname, initial and, if ``dated``, year of birth; −1 where any of them is missing."""
    parts: list[tuple[tuple[str, ...], int]] = [(("surname",), 0), (("given",), 1)]
    key = np.zeros(len(columns[0].codes), dtype=np.int64)
    for kinds, letters in [*parts, (("date", "year"), 4)] if dated else parts:
        column = next((column for field, column in zip(linked, columns, strict=True) if field.type in kinds), None)
        if column is None:
            return np.full(len(key), MISSING, dtype=np.int64)
        number: dict[str, int] = {}
        by_value = [number.setdefault(value[: letters or None], len(number)) for value in column.values]
        numbers = np.array([*by_value, 0], np.int64)[column.codes]
        missing = (key == MISSING) | (column.codes == MISSING)
        key = np.where(missing, MISSING, key * (len(by_value) + 1) + numbers)
    return key


def _groups(keys: NDArray[np.int64], rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each key that at least two rows share, in the order given; −1 is no key."""
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
    """Fullest rows first: a row that is a shorter form of exactly one person joins them; any other is a new person."""
    persons: list[int] = []
    for row in group.tolist():
        fits = [
            person
            for person in persons
            if all(
                is_no_fuller(_value(column, codes[row, index]), _value(column, codes[person, index]), field.type)
                for index, (field, column) in enumerate(zip(linked, columns, strict=True))
            )
        ]
        if len(fits) == 1:
            parent[row] = fits[0]
        else:
            persons.append(row)


def _value(column: Column, code: int) -> str:
    return "" if code == MISSING else column.values[code]


def is_no_fuller(lesser: str, fuller: str, kind: str) -> bool:
    """Whether a value is missing, the same as the fuller one, or its beginning or initial.

    >>> is_no_fuller("i.", "ivan", "given"), is_no_fuller("iv", "ivan", "given"), is_no_fuller("1985", "1985-3", "date")
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
    rank = np.argsort(order)
    both = np.where(long & (key != MISSING), key * len(numbers.values) + numbers.codes, MISSING)
    for group in _groups(both[order], order):
        fullest, *others = sorted({_end(parent, row) for row in group.tolist()}, key=rank.__getitem__)
        parent[others] = fullest


def _end(parent: NDArray[np.int64], row: int) -> int:
    while parent[row] != row:
        row = int(parent[row])
    return row
