"""Made-up people as the null: what the registry gives to people who are not in it.

The target-decoy method of proteomics (Elias & Gygi 2007) and the synthetic records of Robach, Hof and van de Wiel
(2025), for encodings. A decoy must be as likely to meet a stranger as a real absent person is, so it is made of the
list's own values and keeps what goes together: given name, patronymic, sex and completeness stay with the base row;
the surname comes from another row that shares the given name or the patronymic (or, where there is no patronymic, the
ending of the surname), so that a second naming culture is not blended into the first; the date from another row of
the same completeness; all other linked fields together from one further row.

People of the list are distinct, so a decoy equals no row of the list and no other decoy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.roster.people import MISSING, Column, People

BIG_REGISTRY = 1_000_000
DECOYS_FOR_BIG_REGISTRY = 4
DECOYS_PER_LIST, RELATIVES_PER_LIST = 1_000, 200
ROUNDS = 12  # how often a decoy that turned out to be no new person is drawn again
DRAWS_A_DONOR, DEALS = 8, 4
REST = ("rank", "identifier", "category", "number", "text")  # linked fields that come together from one row


@dataclass(frozen=True)
class Decoys:
    """``people`` are the made-up rows, ``base`` the list row each was made from; those that ``fell_back`` found no row
    akin and took any surname of their class and sex. All of one length."""

    people: People
    base: NDArray[np.int64]
    fell_back: NDArray[np.bool_]

    def take(self, chosen: NDArray[np.int64]) -> Decoys:
        return Decoys(self.people.take(chosen), self.base[chosen], self.fell_back[chosen])


def is_big(registry_rows: int) -> bool:
    """Whether a registry has more than a million rows, so that every decoy costs much."""
    return registry_rows > BIG_REGISTRY


def decoys_per_person(schema: Schema, *, big: bool) -> int:
    """The schema's number of decoys, or at most 4 against a big registry."""
    return min(schema.decoys, DECOYS_FOR_BIG_REGISTRY) if big else schema.decoys


def enough_decoys(decoys: int, people: int) -> int:
    """Decoys per person: as many as wanted, and at least 1,000 for the whole list."""
    return max(decoys, -(-DECOYS_PER_LIST // people)) if people else decoys


def relatives_per_person(people: int, *, big: bool) -> int:
    """4 relatives per person, or 1 against a big registry, and at least 200 for the whole list."""
    return max(1 if big else 4, -(-RELATIVES_PER_LIST // max(1, people)))


def make_decoys(people: People, schema: Schema, count: int, draws: RandomStream, *, relatives: bool = False) -> Decoys:
    """``count`` decoys for each row; fewer where the list's values do not allow as many new people.

    ``relatives`` are the harsher null: brothers of the people of the list, who keep surname and patronymic and take
    given name and date from elsewhere. A list of relatives of registered people is no more like the registry than they
    are. Without a given name that is linked there are none.
    """
    maker = _Maker(people, schema, draws, relatives=relatives)
    base = np.tile(np.arange(len(people), dtype=np.int64), count if maker.has_given or not relatives else 0)
    columns, fell_back, good = maker.draw(base)
    for turn in range(ROUNDS):
        if good.all() or not len(base):
            break
        again = np.flatnonzero(~good)
        too_few = good.sum() < DECOYS_PER_LIST
        redrawn, fell_again, _ = maker.draw(base[again], skip=max(0, turn - ROUNDS // 2) if too_few else 0)
        columns[again], fell_back[again] = redrawn, fell_again
        good = maker.new_people(columns)
    base = base[good]
    return Decoys(People(people.rows[base], _columns_of(people, columns[good])), base, fell_back[good])


def respelled(
    decoys: Decoys,
    people: People,
    spellings: People,
    spelled: NDArray[np.int64],
    schema: Schema,
    stream: RandomStream,
    *,
    relatives: bool = False,
) -> tuple[People, NDArray[np.int64]]:
    """Further spellings of decoys: for each further spelling of a person, one of each of their decoys.

    Returns the spellings and the index of the decoy that each belongs to. ``spelled`` are indices into ``people``; the
    columns of all three rosters have the same values.

    A person's best spelling competes with the best of as many spellings of a decoy. What a spelling shares with the
    person's first one, the decoy's spellings share too. Where it differs in surname or date, the decoy takes those of
    a further spelling of somebody else, so that names common as second names are as frequent among decoys. Where
    nobody else has one, it takes those of the person's next decoy. If anything, the spellings of a decoy differ more
    than those of a person, and the best of them scores higher.
    """
    order = np.argsort(decoys.base, kind="stable")
    count = np.bincount(decoys.base, minlength=len(people))
    start = np.cumsum(count) - count
    spelling = np.repeat(np.arange(len(spelled)), count[spelled])
    person, turn = spelled[spelling], cumcount(spelling)
    own_decoy = order[start[person] + turn]
    next_decoy = order[start[person] + (turn + 1 + cumcount(spelled)[spelling]) % count[person]]
    codes, first, of_decoys = (_codes_of(roster) for roster in (spellings, people, decoys.people))
    index = {name: number for number, name in enumerate(people.columns)}
    drawn, _, _ = _Maker(spellings, schema, stream, relatives=relatives).draw(spelling)
    for types in (("given",) if relatives else ("surname",), ("date", "year"), REST):
        fields = [index[field.name] for field in schema.linked() if field.type in types]
        same_as_first = (codes[:, fields] == first[spelled][:, fields]).all(axis=1)[spelling]
        no_donor = ~same_as_first & (drawn[:, fields] == codes[spelling][:, fields]).all(axis=1)
        for chosen, donor in ((same_as_first, own_decoy), (no_donor, next_decoy)):
            drawn[np.ix_(chosen, fields)] = of_decoys[donor[chosen]][:, fields]
    return People(decoys.people.rows[own_decoy], _columns_of(people, drawn)), own_decoy


def _codes_of(people: People) -> NDArray[np.int64]:
    return np.stack([column.codes for column in people.columns.values()], axis=1).astype(np.int64)


def _columns_of(people: People, codes: NDArray[np.int64]) -> dict[str, Column]:
    return {
        name: Column(column.values, codes[:, at].astype(np.int32))
        for at, (name, column) in enumerate(people.columns.items())
    }


class _Maker:
    """RandomStream decoys as rows of codes, one column for each field of the schema."""

    def __init__(self, people: People, schema: Schema, draws: RandomStream, *, relatives: bool = False) -> None:
        self._draws = draws
        self._relatives = relatives
        self._codes = _codes_of(people)
        place = {name: at for at, name in enumerate(people.columns)}
        linked = schema.linked()

        def of(*kinds: str) -> list[int]:
            return [place[field.name] for field in linked if field.type in kinds]

        self._linked = [place[field.name] for field in linked]
        self._surname = of("surname")
        self._given = of("given")
        self.has_given = bool(self._given)
        self._dates = of("date", "year")
        self._rest = of(*REST)
        self._unlinked = [place[f.name] for f in schema.fields if f.role == "confirm"]
        sex = self._codes[:, of("sex")].sum(axis=1) if of("sex") else np.zeros(len(people), dtype=np.int64)
        classes = people.completeness(schema).astype(np.int64)
        self._classes = _Groups(classes)
        kinds = classes * (sex.max(initial=0) + 2) + sex + 1
        self._kinds = _Groups(kinds)
        self._circles = self._surname_circles(people, of, kinds)

    def _surname_circles(
        self, people: People, of: Callable[..., list[int]], kinds: NDArray[np.int64]
    ) -> list[list[_Groups]]:
        """Where a decoy's surname is looked for, from the narrowest circle to the widest.

        Without a patronymic, a surname from a row that shares the given name would give that row's own name back;
        there the ending of the surname stands for sex and naming culture. ``kinds`` number the rows' class and sex.
        """
        circles = [[self._kinds]]
        for column in [list(people.columns.values())[at] for at in self._surname]:
            for letters in (2, 3):
                endings = {value: value[-letters:] for value in column.values}
                number = {ending: at for at, ending in enumerate(dict.fromkeys(endings.values()))}
                ending = np.array([number[endings[value]] for value in column.values] + [0], dtype=np.int64)[
                    column.codes
                ]
                circles.insert(
                    0,
                    [_Groups(np.where(column.codes == MISSING, MISSING, kinds * (len(number) + 1) + ending))],
                )
        if of("patronymic"):
            circles.insert(0, [_Groups(self._codes[:, at]) for at in of("given", "patronymic")])
        return circles

    def draw(
        self, base: NDArray[np.int64], skip: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Codes (decoys, fields), which fell back for the surname, and which are new people.

        The ``skip`` narrowest circles are left out: their people may all be on the list already.
        """
        made = self._codes[base].copy()
        fell_back = np.zeros(len(base), dtype=bool)
        if self._relatives and self._given:
            donors = self._donors([self._kinds], base, self._codes[:, self._given[0]])
            made[:, self._given] = self._codes[donors[:, None], self._given]
        elif self._surname:
            donors, fell_back = self._surname_donors(base, skip)
            made[:, self._surname] = self._codes[donors[:, None], self._surname]
        for columns in (self._dates, self._rest, self._unlinked):
            if columns:
                donors = self._donors([self._classes], base, _numbered(self._codes[:, columns]))
                made[:, columns] = self._codes[donors[:, None], columns]
        return made, fell_back, self.new_people(made)

    def new_people(self, made: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Neither a row of the list nor an earlier decoy, by linked fields."""
        return _new_ones(self._codes[:, self._linked], made[:, self._linked])

    def _donors(self, circle: list[_Groups], base: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Another row of the circle with another value; the row itself where there is none."""
        donors = base.copy()
        self._deal(circle, base, donors, np.arange(len(base)), values)
        return donors

    def _surname_donors(self, base: NDArray[np.int64], skip: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """A row with another surname, from the narrowest circle that has one.

        First one that no other decoy of the base has, so that decoys stand to each other as they stand to their base,
        and nothing that crosses says which is which. Where a circle holds too few, decoys share them: a surname of
        another culture would be worse.
        """
        donors = base.copy()
        surnames = self._codes[:, self._surname[0]]
        open_rows = np.flatnonzero(surnames[base] != MISSING)
        fell_back = np.zeros(len(base), dtype=bool)
        circles = self._circles[min(skip, len(self._circles) - 1) :]
        for circle in circles[:-1]:
            open_rows = self._deal(circle, base, donors, open_rows, surnames, distinct=True)
        for circle in circles:
            fell_back[open_rows] = circle is self._circles[-1]
            open_rows = self._deal(circle, base, donors, open_rows, surnames)
        return donors, fell_back

    def _deal(
        self,
        circle: list[_Groups],
        base: NDArray[np.int64],
        donors: NDArray[np.int64],
        open_rows: NDArray[np.int64],
        values: NDArray[np.int64],
        distinct: bool = False,
    ) -> NDArray[np.int64]:
        """Give ``donors`` to the open rows among each group of a circle, and return those that are left open.

        First the rows of a group are shuffled and dealt out among themselves, so that everybody gives as often as he
        takes: else those who give to nobody would stand apart from all that is made up. Who is left draws from the
        whole group. A donor has another value than the base and, if they are to be ``distinct``, than the donors that
        its other decoys have so far.
        """
        width = int(values.max(initial=0)) + 1
        told = np.ones(len(base), dtype=bool)
        told[open_rows] = False
        taken = base[told] * width + values[donors[told]]
        for turn in range(DRAWS_A_DONOR):
            if not len(open_rows):
                break
            rows = base[open_rows]
            chosen, number = self._choose(circle, rows)
            drawn = self._dealt(chosen, rows, circle) if turn < DEALS else self._member(chosen, number, rows, circle)
            fits = (values[drawn] != MISSING) & (values[drawn] != values[rows])
            if distinct:
                keys = rows * width + values[drawn]
                fits &= _new_ones(taken, keys)
                taken = np.concatenate([taken, keys[fits]])
            donors[open_rows[fits]] = drawn[fits]
            open_rows = open_rows[~fits]
        return open_rows

    def _choose(self, circle: list[_Groups], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """One of the groups of a circle for each row, the larger ones more often, and the number of a member of it;
        −1 where the row is in none."""
        sizes = np.stack([groups.sizes_of(rows) for groups in circle], axis=1)
        picked = self._draws.below(np.maximum(sizes.sum(axis=1), 1), len(rows))
        chosen = np.full(len(rows), -1, dtype=np.int64)
        before = np.zeros(len(rows), dtype=np.int64)
        number = picked.copy()
        for at in range(len(circle)):
            here = (picked >= before) & (picked < before + sizes[:, at])
            chosen[here], number[here] = at, (picked - before)[here]
            before += sizes[:, at]
        return chosen, number

    def _dealt(self, chosen: NDArray[np.int64], rows: NDArray[np.int64], circle: list[_Groups]) -> NDArray[np.int64]:
        """The rows of each group in a random order."""
        group = -1 - rows
        for at, groups in enumerate(circle):
            group[chosen == at] = groups.first_of(rows[chosen == at]) * len(circle) + at
        drawn = rows.copy()
        drawn[np.argsort(group, kind="stable")] = rows[np.lexsort((self._draws.words(len(rows)), group))]
        return drawn

    def _member(
        self, chosen: NDArray[np.int64], number: NDArray[np.int64], rows: NDArray[np.int64], circle: list[_Groups]
    ) -> NDArray[np.int64]:
        """That member of each row's group; the row itself where it is in none."""
        drawn = rows.copy()
        for at, groups in enumerate(circle):
            drawn[chosen == at] = groups.member(rows[chosen == at], number[chosen == at])
        return drawn


class _Groups:
    """Rows that share a code; rows without one (−1) are in no group."""

    def __init__(self, codes: NDArray[np.int64]) -> None:
        self._order = np.argsort(codes, kind="stable").astype(np.int64)
        in_order = codes[self._order]
        self._start = np.searchsorted(in_order, codes, side="left")
        self._size = np.where(codes == MISSING, 0, np.searchsorted(in_order, codes, side="right") - self._start)

    def sizes_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._size[rows]

    def member(self, rows: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self._order[self._start[rows] + number]
        return found

    def first_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """A number for each row's group."""
        return self._start[rows]


def _numbered(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each different row of codes; MISSING where nothing is there."""
    numbers = np.unique(codes, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    return np.where((codes == MISSING).all(axis=1), MISSING, numbers)


def _new_ones(known: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which keys, numbers or rows of numbers, equal no known one and no key before them."""
    both = np.concatenate([known, keys])
    again = pd.Index(both).duplicated() if both.ndim == 1 else pd.DataFrame(both).duplicated().to_numpy()
    return ~again[len(known) :]
