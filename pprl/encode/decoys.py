"""Decoys: invented people who show how well somebody who is absent from the registry matches it by chance.

The target-decoy method of proteomics (Elias & Gygi 2007) and the synthetic records of Robach, Hof and van de Wiel
(2025), applied to encodings. A decoy must match a stranger as easily as a real absent person does, so it is made of
the list's own values and keeps what belongs together, as lives do. Given name, patronymic, sex and completeness stay
with the base row. The surname comes from another row that shares the given name or the patronymic (where there is no
patronymic, the ending of the surname), so that two naming cultures are not blended; texts and identifiers, such as
address and postcode, come with it, since families share both. Given names have their fashions, so the date comes from
the decade of a third row that shares the given name. All other linked fields come together from one further row.

People on the list are distinct, so a decoy equals no row of the list and no other decoy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.arrays import cumcount
from pprl.core.encodings import ONE_SAYS_LESS
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.encode.respelling import initials
from pprl.roster.people import MISSING, Column, People

DECOYS_FOR_BIG_REGISTRY = 4
DECOYS_PER_LIST, RELATIVES_PER_LIST = 1_000, 200
ROUNDS = 12  # how often a decoy that is not a new person is drawn again
DRAWS_PER_DONOR, DEALS = 8, 4
PLACE = ("text", "identifier")  # linked fields that a family shares
REST = ("rank", "category", "number")  # linked fields that come together from one row

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def _year(value: str) -> str:
    return value[:4]


def _none(_: str) -> str:
    return ""


#: The ways in which lists say less than a registry: by type, what is left of a value.
LESS: tuple[Mapping[str, Callable[[str], str]], ...] = (
    {"given": initials},
    {"given": initials, "patronymic": initials},
    {"patronymic": _none},
    {"date": _year},
    {"date": _none},
    {"given": initials, "patronymic": initials, "date": _year},
    {"given": initials, "patronymic": initials, "date": _none},
    {"patronymic": _none, "date": _year},
    {"patronymic": _none, "date": _none},
)


@dataclass(frozen=True)
class Decoys:
    """Invented ``people``, the index of the list row that each was made from (``base``), and which ``fell_back``.

    Decoys that fell back found no related row and took any surname of their class and sex. All three have one length.
    """

    people: People
    base: Ints
    fell_back: Bools

    def take(self, chosen: Ints) -> Decoys:
        return Decoys(self.people.take(chosen), self.base[chosen], self.fell_back[chosen])


def decoys_per_person(schema: Schema, *, big: bool) -> int:
    """The schema's number of decoys, or at most 4 against a big registry."""
    return min(schema.decoys, DECOYS_FOR_BIG_REGISTRY) if big else schema.decoys


def enough_decoys(decoys: int, people: int) -> int:
    """Decoys per person: ``decoys``, or more if the whole list would have fewer than 1,000."""
    return max(decoys, -(-DECOYS_PER_LIST // people)) if people else decoys


def relatives_per_person(people: int, *, big: bool) -> int:
    """4 relatives per person, or 1 against a big registry, and at least 200 for the whole list."""
    return max(1 if big else 4, -(-RELATIVES_PER_LIST // max(1, people)))


def make_decoys(people: People, schema: Schema, count: int, stream: RandomStream, *, relatives: bool = False) -> Decoys:
    """``count`` decoys for each row, or fewer where the list's values do not yield as many new people.

    ``relatives`` are the stricter null: brothers and sisters of the people on the list, who keep surname, patronymic
    and address and take given name and date from elsewhere. A list of relatives of registered people resembles the
    registry no more than these relatives do. There are none where no given name is linked.
    """
    maker = _Maker(people, schema, stream, relatives=relatives)
    base = np.tile(np.arange(len(people), dtype=np.int64), count if maker.has_given or not relatives else 0)
    codes, fell_back, new = maker.draw(base)
    for attempt in range(ROUNDS):
        if new.all() or not len(base):
            break
        repeats = np.flatnonzero(~new)
        too_few = new.sum() < DECOYS_PER_LIST
        skip = max(0, attempt - ROUNDS // 2) if too_few else 0
        codes[repeats], fell_back[repeats], _ = maker.draw(base[repeats], skip)
        new = maker.new_people(codes)
    base = base[new]
    return Decoys(People(people.rows[base], _columns_of(people, codes[new])), base, fell_back[new])


def registry_decoys(people: People, schema: Schema, count: int, stream: RandomStream) -> People:
    """``count`` decoys of rows of a registry, or fewer where a row has nobody to take a name from, in random order.

    They show how near the registry somebody comes who has nothing to do with it. The owner of the list, whose own
    decoys answer the same question, cannot shape them. Namesakes of registered people stay among them, since strangers
    are often namesakes; only copies of the row itself are left out. One in `ONE_SAYS_LESS` says less than its row, as
    lists do (`LESS`). Each row must have a linked value.
    """
    maker = _Maker(people, schema, stream)
    base = np.arange(count if len(people) else 0, dtype=np.int64) % max(1, len(people))
    codes, _, _ = maker.draw(base)
    differ = np.flatnonzero(maker.differs(codes, base))
    order = differ[stream.permutation(len(differ))]
    return _saying_less(People(people.rows[base[order]], _columns_of(people, codes[order])), schema)


def _saying_less(people: People, schema: Schema) -> People:
    """The same people; one in `ONE_SAYS_LESS` in one of the ways in which a list says less than a registry, if that
    leaves anything."""
    linked = {field.name: field.type for field in schema.linked()}
    ways = [way for way in LESS if set(way) <= set(linked.values())]
    if not ways:
        return people
    turn, rest = np.divmod(np.arange(len(people)), ONE_SAYS_LESS)
    which = np.where(rest == 0, turn % len(ways), MISSING)
    columns = dict(people.columns)
    for number, way in enumerate(ways):
        kept = [name for name, kind in linked.items() if way.get(kind) is not _none]
        left = np.any([people.columns[name].codes != MISSING for name in kept], axis=0)
        for name, kind in linked.items():
            if kind in way:
                columns[name] = columns[name].rewritten((which == number) & left, way[kind])
    return People(people.rows, columns)


def respelled(
    decoys: Decoys,
    people: People,
    spellings: People,
    spelled: Ints,
    schema: Schema,
    stream: RandomStream,
    *,
    relatives: bool = False,
) -> tuple[People, Ints]:
    """Further spellings of decoys: for each further spelling of a person, one of each of their decoys.

    Returns the spellings and the index of the decoy that each belongs to. ``spelled`` are indices into ``people``; the
    columns of all three rosters have the same values.

    A person's best spelling competes with the best of equally many spellings of a decoy. Fields that a spelling shares
    with the person's first one are shared by the decoy's spellings too. Where surname or date differ, the decoy takes
    them from a further spelling of somebody else, so that names common as second names are as frequent among decoys.
    Where nobody else has one, it takes them from the person's next decoy. If anything, the spellings of a decoy differ
    more than those of a person, and the best of them scores higher.
    """
    order = np.argsort(decoys.base, kind="stable")
    count = np.bincount(decoys.base, minlength=len(people))
    start = np.cumsum(count) - count
    spelling = np.repeat(np.arange(len(spelled)), count[spelled])
    person, turn = spelled[spelling], cumcount(spelling)
    own_decoy = order[start[person] + turn]
    next_decoy = order[start[person] + (turn + 1 + cumcount(spelled)[spelling]) % count[person]]
    codes, first, decoy_codes = (_codes_of(roster) for roster in (spellings, people, decoys.people))
    index = {name: number for number, name in enumerate(people.columns)}
    drawn, _, _ = _Maker(spellings, schema, stream, relatives=relatives).draw(spelling)
    for types in (("given",) if relatives else ("surname", *PLACE), ("date", "year"), REST):
        fields = [index[field.name] for field in schema.linked() if field.type in types]
        same_as_first = (codes[:, fields] == first[spelled][:, fields]).all(axis=1)[spelling]
        no_donor = ~same_as_first & (drawn[:, fields] == codes[spelling][:, fields]).all(axis=1)
        for chosen, donor in ((same_as_first, own_decoy), (no_donor, next_decoy)):
            drawn[np.ix_(chosen, fields)] = decoy_codes[donor[chosen]][:, fields]
    return People(decoys.people.rows[own_decoy], _columns_of(people, drawn)), own_decoy


def _codes_of(people: People) -> Ints:
    return np.stack([column.codes for column in people.columns.values()], axis=1).astype(np.int64)


def _columns_of(people: People, codes: Ints) -> dict[str, Column]:
    return {
        name: Column(column.values, codes[:, index].astype(np.int32))
        for index, (name, column) in enumerate(people.columns.items())
    }


class _Maker:
    """Draws decoys as rows of codes, one column for each field of the schema."""

    def __init__(self, people: People, schema: Schema, stream: RandomStream, *, relatives: bool = False) -> None:
        self._stream = stream
        self._relatives = relatives
        self._codes = _codes_of(people)
        index = {name: number for number, name in enumerate(people.columns)}
        linked = schema.linked()

        def of_type(*types: str) -> list[int]:
            return [index[field.name] for field in linked if field.type in types]

        self._linked = [index[field.name] for field in linked]
        self._surname = of_type("surname")
        self._given = of_type("given")
        self.has_given = bool(self._given)
        self._dates = of_type("date", "year")
        self._place = of_type(*PLACE)
        self._rest = of_type(*REST)
        self._confirm = [index[field.name] for field in schema.fields if field.role == "confirm"]
        sex = self._codes[:, of_type("sex")].sum(axis=1) if of_type("sex") else np.zeros(len(people), dtype=np.int64)
        self._class_codes = classes = people.completeness(schema).astype(np.int64)
        self._classes = _Groups(classes)
        class_and_sex = classes * (sex.max(initial=0) + 2) + sex + 1
        self._class_and_sex = _Groups(class_and_sex)
        self._circles = self._surname_circles(people, of_type, class_and_sex)
        self._named_alike = self._class_of(self._codes[:, self._given[0]]) if self._given else self._classes
        self._of_decade = self._class_of(self._decades(people))

    def _surname_circles(
        self, people: People, of_type: Callable[..., list[int]], class_and_sex: Ints
    ) -> list[list[_Groups]]:
        """The circles that are searched for a decoy's surname, from the narrowest to the widest.

        Without a patronymic, the surname of a row that shares the given name would make that row's whole name again.
        Then the ending of the surname represents sex and naming culture.
        """
        circles = [[self._class_and_sex]]
        for column in [list(people.columns.values())[index] for index in self._surname]:
            for letters in (2, 3):
                endings = {value: value[-letters:] for value in column.values}
                number = {ending: index for index, ending in enumerate(dict.fromkeys(endings.values()))}
                numbers = np.array([number[endings[value]] for value in column.values] + [0], dtype=np.int64)
                keys = class_and_sex * (len(number) + 1) + numbers[column.codes]
                circles.insert(0, [_Groups(np.where(column.codes == MISSING, MISSING, keys))])
        if of_type("patronymic"):
            circles.insert(0, [_Groups(self._codes[:, index]) for index in of_type("given", "patronymic")])
        return circles

    def _class_of(self, codes: Ints) -> _Groups:
        """Rows of one class that share a code; a row without one is in no group."""
        numbered = np.unique(np.column_stack([self._class_codes, codes]), axis=0, return_inverse=True)[1].ravel()
        return _Groups(np.where(codes == MISSING, MISSING, numbered.astype(np.int64)))

    def _decades(self, people: People) -> Ints:
        """Of the first date or year that is linked."""
        if not self._dates:
            return np.full(len(people), MISSING, dtype=np.int64)
        column = list(people.columns.values())[self._dates[0]]
        decades = np.array([int(value[:3]) for value in column.values] + [MISSING], dtype=np.int64)
        return decades[column.codes]

    def draw(self, base: Ints, skip: int = 0) -> tuple[Ints, Bools, Bools]:
        """Codes (decoys, fields), which decoys fell back for the surname, and which are new people.

        The ``skip`` narrowest circles are left out: their people may all be on the list already.
        """
        codes = self._codes[base].copy()
        fell_back = np.zeros(len(base), dtype=bool)
        named = base
        if self._relatives and self._given:
            named = self._donors([self._class_and_sex], base, self._codes[:, self._given[0]])
            codes[:, self._given] = self._codes[named[:, None], self._given]
        elif self._surname:
            donors, fell_back = self._surname_donors(base, skip)
            with_surname = [*self._surname, *self._place]
            codes[:, with_surname] = self._codes[donors[:, None], with_surname]
        if self._dates:
            donors = self._date_donors(base, named)
            codes[:, self._dates] = self._codes[donors[:, None], self._dates]
        for columns in (self._rest, self._confirm):
            if columns:
                donors = self._donors([self._classes], base, _numbered(self._codes[:, columns]))
                codes[:, columns] = self._codes[donors[:, None], columns]
        return codes, fell_back, self.new_people(codes)

    def new_people(self, codes: Ints) -> Bools:
        """Which decoys equal neither a row of the list nor an earlier decoy in their linked fields."""
        return _new_ones(self._codes[:, self._linked], codes[:, self._linked])

    def differs(self, codes: Ints, base: Ints) -> Bools:
        """Which decoys differ from their base in a linked field."""
        differs: Bools = (codes[:, self._linked] != self._codes[base[:, None], self._linked]).any(axis=1)
        return differs

    def _donors(self, circle: list[_Groups], base: Ints, values: Ints) -> Ints:
        """For each base another row of the circle with another value, or the base itself where there is none."""
        donors = base.copy()
        self._deal(circle, base, donors, np.arange(len(base)), values)
        return donors

    def _date_donors(self, base: Ints, named: Ints) -> Ints:
        """For each base a row of the decade of another that shares the given name; else of the same decade or class.

        ``named`` are the rows that the given names come from. Not the other row itself: that would be the given name
        and the day of birth of somebody on the list. Dates that no other decoy of the base has come first.
        """
        dates = _numbered(self._codes[:, self._dates])
        donors, width = base.copy(), int(dates.max(initial=0)) + 1
        open_rows = np.arange(len(base))
        for _ in range(DRAWS_PER_DONOR):
            alike = self._donors([self._named_alike], named[open_rows], dates)
            drawn = self._donors([self._of_decade], alike, dates)
            alone = np.flatnonzero((drawn == alike) | (dates[drawn] == dates[base[open_rows]]))
            drawn[alone] = self._donors([self._classes], base[open_rows[alone]], dates)
            donors[open_rows] = drawn
            new = _new_ones(np.zeros(0, dtype=np.int64), base * width + dates[donors])
            open_rows = np.flatnonzero(~new & (dates[base] != MISSING))
            if not len(open_rows):
                break
        return donors

    def _surname_donors(self, base: Ints, skip: int) -> tuple[Ints, Bools]:
        """For each base a row with another surname, from the narrowest circle that has one, and which bases fell back.

        Surnames that no other decoy of the base has come first, so that decoys resemble each other as much as they
        resemble their base, and nothing in the encodings distinguishes them. Where a circle has too few surnames,
        decoys share them: a surname of another culture would be worse.
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
        base: Ints,
        donors: Ints,
        open_rows: Ints,
        values: Ints,
        distinct: bool = False,
    ) -> Ints:
        """Fill in ``donors`` for the open rows within each group of a circle, and return the rows still open.

        First the rows of a group are shuffled and dealt out among themselves, so that each gives as often as it takes:
        rows that never give would be distinguishable from everything synthetic. The rows left over draw from the whole
        group. A donor has another value than the base and, if they are to be ``distinct``, than the donors that its
        other decoys have so far.
        """
        width = int(values.max(initial=0)) + 1
        closed = np.ones(len(base), dtype=bool)
        closed[open_rows] = False
        taken = base[closed] * width + values[donors[closed]]
        for turn in range(DRAWS_PER_DONOR):
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

    def _choose(self, circle: list[_Groups], rows: Ints) -> tuple[Ints, Ints]:
        """One of the circle's groups for each row, larger ones more often, and the number of a member of it.

        The group is −1 where the row is in none.
        """
        sizes = np.stack([groups.sizes_of(rows) for groups in circle], axis=1)
        picked = self._stream.below(np.maximum(sizes.sum(axis=1), 1), len(rows))
        chosen = np.full(len(rows), -1, dtype=np.int64)
        before = np.zeros(len(rows), dtype=np.int64)
        number = picked.copy()
        for group in range(len(circle)):
            inside = (picked >= before) & (picked < before + sizes[:, group])
            chosen[inside], number[inside] = group, (picked - before)[inside]
            before += sizes[:, group]
        return chosen, number

    def _dealt(self, chosen: Ints, rows: Ints, circle: list[_Groups]) -> Ints:
        """The rows of each group in a random order."""
        key = -1 - rows
        for group, groups in enumerate(circle):
            key[chosen == group] = groups.first_of(rows[chosen == group]) * len(circle) + group
        drawn = rows.copy()
        drawn[np.argsort(key, kind="stable")] = rows[np.lexsort((self._stream.words(len(rows)), key))]
        return drawn

    def _member(self, chosen: Ints, number: Ints, rows: Ints, circle: list[_Groups]) -> Ints:
        """The numbered member of each row's group, or the row itself where it is in none."""
        drawn = rows.copy()
        for group, groups in enumerate(circle):
            drawn[chosen == group] = groups.member(rows[chosen == group], number[chosen == group])
        return drawn


class _Groups:
    """Rows that share a code; rows without one (−1) are in no group."""

    def __init__(self, codes: Ints) -> None:
        self._order = np.argsort(codes, kind="stable").astype(np.int64)
        in_order = codes[self._order]
        self._start = np.searchsorted(in_order, codes, side="left")
        self._size = np.where(codes == MISSING, 0, np.searchsorted(in_order, codes, side="right") - self._start)

    def sizes_of(self, rows: Ints) -> Ints:
        return self._size[rows]

    def member(self, rows: Ints, number: Ints) -> Ints:
        members: Ints = self._order[self._start[rows] + number]
        return members

    def first_of(self, rows: Ints) -> Ints:
        """A number for each row's group."""
        return self._start[rows]


def _numbered(codes: Ints) -> Ints:
    """A number for each distinct row of codes, and MISSING where all of them are missing."""
    numbers = np.unique(codes, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    return np.where((codes == MISSING).all(axis=1), MISSING, numbers)


def _new_ones(known: Ints, keys: Ints) -> Bools:
    """Which keys (numbers or rows of numbers) equal no known key and no key before them."""
    both = np.concatenate([known, keys])
    repeated = pd.Index(both).duplicated() if both.ndim == 1 else pd.DataFrame(both).duplicated().to_numpy()
    return ~repeated[len(known) :]
