"""Which column is which field: proposals from headers and from the cells below them.

A header alone can mislead (``name`` above given names, ``number`` above 1, 2, 3), and a column may have none. So each
column gets the type that its header names, unless its cells are clearly of another; a column without a known header
gets the type that nearly all its cells fit. A proposal is used only when it is unambiguous, and the command reports it.
Where it is ambiguous, an error names the option that settles it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.errors import RosterError
from pprl.core.schema import FULL_NAME, NAME_TYPES, Schema
from pprl.normalize.cells import why_missing
from pprl.normalize.dates import ORDERS, parse_date
from pprl.normalize.names import is_patronymic, split_full_name, split_patronymic
from pprl.normalize.recognise import (
    LOOKS_LIKE,
    SPELLED_OUT,
    is_given_alone,
    is_initial,
    is_year_alone,
)
from pprl.normalize.text import unread_alphabet
from pprl.normalize.values import fold_year
from pprl.roster.files.headers import column_name, header_type
from pprl.roster.people import distinct_texts, text_of, year_key
from pprl.roster.spellings import separators

#: The usual name and role of a proposed field, by type. A rank or a number is worth more if it is not linked.
PROPOSED_FIELDS = {
    "surname": ("surname", "link"),
    "given": ("given", "link"),
    "patronymic": ("patronymic", "link"),
    "date": ("birth_date", "link"),
    "year": ("birth_year", "link"),
    "sex": ("sex", "link"),
    "rank": ("rank", "confirm"),
    "identifier": ("number", "confirm"),
    "category": ("category", "stratum"),
    "joined": ("joined", "joined"),
}
LOOKED_AT = 400  # distinct cells of a column
ROWS_LOOKED_AT = 4_000
ENOUGH = 5  # distinct cells before the contents of a column count against its header
FITS, NEARLY_ALL = 0.5, 0.8
MOSTLY = 0.5  # of the rows


@dataclass(frozen=True)
class Guess:
    """What a column seems to hold. ``confidence`` is from 0 to 1; ``because`` gives the reason.

    ``column`` is how messages name it.
    """

    header: str
    kind: str
    confidence: float
    because: str
    filled: float = 1.0  # the share of rows that have a cell
    column: str = ""
    patronymics: bool = False  # whether most of its given names have a patronymic behind them

    @property
    def source(self) -> str:
        """Where a field comes from, for notes."""
        return f"from {self.column}" + (" by its contents" if self.by_contents else "")

    @property
    def by_contents(self) -> bool:
        return self.because.startswith("contents")

    @property
    def word(self) -> str:
        return "sure" if self.confidence >= 0.85 else "likely" if self.confidence > DOUBTFUL else "doubtful"


MIDDLE_NAME = "middle"  # headers of patronymics in one country and of second given names in another
UNUSED = ""  # the kind of a column whose cells are not what its header says
OWN_NAME = "the field's own name"
WHATEVER = ", whatever the header says"
DOUBTFUL = 0.5
BY_CONTENTS = 0.6  # times the share of cells that fit, where no header helps
MARGIN = 0.15  # by which a proposal must be surer than the next to be used


def guess_columns(frame: pd.DataFrame, year: int) -> list[Guess]:
    """The guesses, in the order of the columns; some columns have none. Ages are computed for ``year``."""
    guesses = []
    several = separators(frame)
    headers = list(map(str, frame.columns))
    for index, (header, named) in enumerate(zip(headers, _named_types(headers), strict=True)):
        column = frame.iloc[:ROWS_LOOKED_AT, index]
        texts = distinct_texts(column.unique(), several.get(header))
        cells = list(filter(is_filled, texts))[:LOOKED_AT]
        if guess := _guess(header, named, cells, year):
            filled = float(filled_rows(column).mean()) if len(column) else 0.0
            column_of = column_name(header, headers)
            guesses.append(replace(guess, filled=filled, column=column_of, patronymics=_have_patronymics(cells)))
    return guesses


def _have_patronymics(given_names: Sequence[str]) -> bool:
    return sum(bool(split_patronymic(text)[1]) for text in given_names) > MOSTLY * len(given_names)


def is_filled(text: str) -> bool:
    """Whether clean text says anything."""
    return text != "" and why_missing(text, "patronymic") is None


def filled_rows(column: pd.Series[str]) -> NDArray[np.bool_]:
    """Which rows of a column have a cell."""
    codes, distinct = pd.factorize(column)
    return np.array([*(is_filled(text_of(value)) for value in distinct), False], dtype=bool)[codes]


#: Letters that stand for the parts of a name: they mean it beside a surname only, since elsewhere they may be initials.
_LETTERS = {"ф": "surname", "п": "surname", "и": "given", "і": "given", "о": "patronymic", "б": "patronymic"}


def _named_types(headers: Sequence[str]) -> list[str | None]:
    """The types that headers name."""
    letters = [_LETTERS.get(header.strip(" .").lower()) for header in headers]
    named = [header_type(header) for header in headers]
    if "given" not in letters or "surname" not in (*named, *letters):
        return named
    return [known or letter for known, letter in zip(named, letters, strict=True)]


def _guess(header: str, named: str | None, cells: Sequence[str], year: int) -> Guess | None:
    if named == "row":
        return Guess(header, named, 1.0, "header")
    if named == MIDDLE_NAME:
        return _middle_name(header, cells, year)
    fits = _share(cells, LOOKS_LIKE[named], year) if named else 0.0
    if named and (fits > FITS or (fits == FITS and named != "sex")):
        return Guess(header, named, 0.7 + 0.3 * fits, f"header, and {fits:.0%} of the contents fit")
    kind, share = best_fit(cells, year)  # only now: every cell is held against every type
    contents = f"contents: {share:.0%} of them are {_WORDS.get(kind, kind)}"
    if named is None:
        return Guess(header, kind, BY_CONTENTS * share, contents) if share >= NEARLY_ALL and len(cells) > 1 else None
    if share >= NEARLY_ALL and len(cells) >= ENOUGH and not _near(named, kind):
        return Guess(header, kind, BY_CONTENTS * share, contents + WHATEVER)
    if not cells:
        return Guess(header, named, 0.3, "header above an empty column")
    if reason := _contradiction(named, cells):
        return Guess(header, UNUSED, 0.0, reason)
    if (len(cells) < ENOUGH and fits > 0) or len(cells) < 2 or named in (*NAME_TYPES, FULL_NAME, "category"):
        return Guess(header, named, 0.7, "header")
    return Guess(header, named, DOUBTFUL, f"header, but only {fits:.0%} of the contents fit")


def _middle_name(header: str, cells: Sequence[str], year: int) -> Guess:
    """A middle name is a patronymic where the contents are; elsewhere it is a second given name, and no field's."""
    share = _share(cells, SPELLED_OUT["patronymic"], year)
    if share >= FITS:
        return Guess(header, "patronymic", 0.7 + 0.3 * share, f"header, and {share:.0%} of the contents fit")
    return Guess(header, UNUSED, 0.0, "its middle names are no patronymics")


def _contradiction(named: str, cells: Sequence[str]) -> str:
    """Why the cells under a known header cannot be what it says; nothing where they can."""
    if named in ("surname", FULL_NAME) and len(cells) > 1 and all(map(is_initial, cells)):
        return "it holds single letters"
    if named == FULL_NAME and len(cells) >= ENOUGH:
        splits = [split_full_name(text) for text in cells]
        if sum(bool(given) and not surname for surname, given, _ in splits) > FITS * len(cells):
            return "its names have no surnames"
    if named == "sex" and len(cells) > 1:  # where half of the words are unknown, `m` may be *mujer* beside `h`
        return "most of its words for a sex are unknown"
    return ""


_WORDS = {
    FULL_NAME: "whole names",
    "surname": "surnames",
    "given": "given names",
    "patronymic": "patronymics",
    "date": "dates of living people's birth",
    "year": "years of living people's birth",
    "sex": "words for a sex",
    "rank": "ranks",
    "identifier": "personal numbers",
    "category": "kinds of service",
    "joined": "dates",
    "row": "running numbers",
}


def _near(named: str, kind: str) -> bool:
    """Whether cells of the two types look alike, so that the header is trusted."""
    return named == "joined" or {named, kind} in ({"surname", "given"}, {"date", "year"}) or kind == "category"


def best_fit(cells: Sequence[str], year: int) -> tuple[str, float]:
    """The type that most cells fit, and their share; the first among equals in a fixed order."""
    if len(cells) >= ENOUGH and _are_running_numbers(cells):
        return "row", 1.0
    shares = {kind: _share(cells, fits, year) for kind, fits in LOOKS_LIKE.items() if kind not in ("year", "joined")}
    for kind, spelled in SPELLED_OUT.items():
        if _share(cells, spelled, year) < FITS:
            shares[kind] = 0.0
    if shares["date"] >= NEARLY_ALL and all(is_year_alone(text) for text in cells):
        return "year", shares["date"]
    return max(shares.items(), key=lambda entry: entry[1]) if cells else ("", 0.0)


def _are_running_numbers(cells: Sequence[str]) -> bool:
    """Whether cells are 1, 2, 3 and so on, with few gaps."""
    numbers = [int(text) for text in cells if text.strip().isdecimal() and len(text) < 9]
    steps = sum(later - earlier == 1 for earlier, later in pairwise(numbers))
    return len(numbers) == len(cells) and steps >= NEARLY_ALL * (len(cells) - 1)


def _share(cells: Sequence[str], fits: Callable[[str, int], bool], year: int) -> float:
    return sum(fits(text, year) for text in cells) / max(1, len(cells))


def propose_columns(
    frame: pd.DataFrame,
    schema: Schema,
    given: Mapping[str, str],
    year: int,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Guess]:
    """Columns for the fields that ``given`` does not map: by the field's own name, else the best guess of its type.

    The key ``birth_date.year`` is a column of years that fills the field ``birth_date`` where it is missing. ``note``
    is called with a line for each column that is not used although its header is that of a field.

    RosterError: two columns could be one linked field.
    """
    guesses = [guess for guess in guess_columns(frame, year) if guess.header not in given.values()]
    headers = [str(header) for header in frame.columns]
    proposed: dict[str, Guess] = {}
    unclear: dict[str, list[Guess]] = {}
    for field in schema.fields:
        kind = "joined" if field.role == "joined" else field.type
        alone = kind == "joined" or sum(f.type == kind and f.role != "joined" for f in schema.fields) == 1
        if field.name in given or (FULL_NAME in given and field.type in NAME_TYPES):
            continue
        best = _best(guesses, kind) if alone else []
        if headers.count(field.name) == 1 and not _says_otherwise(guesses, field.name, field.type):
            proposed[field.name] = Guess(field.name, field.type, 1.0, OWN_NAME, column=column_name(field.name, headers))
        elif len(best) == 1:
            proposed[field.name] = best[0]
        elif best and field.role == "link":
            unclear[field.name] = best
        elif best:
            note(f"{_several(field.name, best)}; none is used without --column {field.name}=HEADER")
    kinds = {FULL_NAME, *(field.type for field in schema.fields)}
    kinds |= {"date", "year"} if {"date", "year"} & kinds else set()
    unused = {
        guess.header: guess.because
        for guess in guesses
        if guess.kind == UNUSED or (guess.because.endswith(WHATEVER) and header_type(guess.header) in kinds)
    }
    if FULL_NAME not in given:
        names = {str(field.type): field.name for field in reversed(schema.linked()) if field.type in NAME_TYPES}
        unused |= _choose_names(frame, names, given, guesses, proposed, unclear)
    for name, best in unclear.items():
        same = len({guess.header for guess in best}) < len(best)
        choose = "give them different headers" if same else f"choose one with --column {name}=HEADER"
        raise RosterError(_several(name, best), hint=choose)
    for header in sorted(unused.keys() - {guess.header for guess in proposed.values()}):
        note(f"{column_name(header, headers)} is not used: {unused[header]}")
    return proposed | _years_for_dates(frame, schema, given, guesses, proposed)


def _several(name: str, best: Sequence[Guess]) -> str:
    return f"{len(best)} columns could be {name}: {', '.join(guess.column for guess in best[:5])}"


def _choose_names(
    frame: pd.DataFrame,
    names: Mapping[str, str],
    given: Mapping[str, str],
    guesses: Sequence[Guess],
    proposed: dict[str, Guess],
    unclear: dict[str, list[Guess]],
) -> dict[str, str]:
    """Take names from one column of whole names or from columns of their parts, whichever gives most people a surname.

    ``names`` are the linked name fields by type. Returns the columns of parts that are not used, and why.
    """
    whole = _best(guesses, FULL_NAME)
    parts = {kind: proposed[name] for kind, name in names.items() if name in proposed}
    known = {kind for kind, name in names.items() if name in {**proposed, **given, **unclear}}
    needed = names.keys() - {"patronymic"} or names.keys()
    surname, lost = parts.get("surname"), "there is no column of surnames"
    if not names or not whole:
        if "surname" not in names or "surname" in known:
            return {}
    elif needed <= known and not (surname and _is_worse(surname, whole[0])):
        return {}
    elif "surname" in known and needed - known == {"given"} and _holds_given_names(frame, whole[0]):
        proposed[names["given"]] = whole[0]
        return {}
    else:
        lost = f"{whole[0].column} has the whole names"
        if len(whole) == 1:
            proposed[FULL_NAME] = whole[0]
        else:
            unclear[FULL_NAME] = list(whole)
    for kind, part in parts.items():
        beside = kind == "patronymic" and whole and not part.by_contents and _lacks_patronymics(frame, whole[0].header)
        if part.because != OWN_NAME and not beside:
            del proposed[names[kind]]
    if whole:
        for name in names.values():
            unclear.pop(name, None)
    return {part.header: lost for part in parts.values() if not part.by_contents}


def _is_worse(part: Guess, whole: Guess) -> bool:
    """Whether whole names give more people a surname than a column of surnames."""
    return (part.by_contents and not whole.by_contents) or part.filled < min(MOSTLY, whole.filled)


def _holds_given_names(frame: pd.DataFrame, whole: Guess) -> bool:
    """Whether what looks like whole names, beside surnames, are given names, as under ``name``, or have patronymics."""
    cells = _some_cells(frame, whole.header) if whole.by_contents else []
    return whole.because == "header" or sum(map(is_given_alone, cells)) > MOSTLY * len(cells)


def _lacks_patronymics(frame: pd.DataFrame, header: str) -> bool:
    cells = _some_cells(frame, header)
    return sum(is_patronymic(split_full_name(text)[2]) for text in cells) < MOSTLY * len(cells)


def _some_cells(frame: pd.DataFrame, header: str) -> list[str]:
    column = frame.iloc[:ROWS_LOOKED_AT, list(map(str, frame.columns)).index(header)]
    return list(filter(is_filled, map(text_of, column.unique())))[:LOOKED_AT]


def _years_for_dates(
    frame: pd.DataFrame,
    schema: Schema,
    given: Mapping[str, str],
    guesses: Sequence[Guess],
    proposed: Mapping[str, Guess],
) -> dict[str, Guess]:
    """A column of years that fills a date where it is missing, as ``FIELD.year``: one that agrees with the dates.

    A few rows with both are enough to see that; without them only a header counts.
    """
    headers = list(map(str, frame.columns))
    mapped = {**given, **{name: guess.header for name, guess in proposed.items()}}
    dates = [field.name for field in schema.linked() if field.type == "date" and field.name in mapped]
    years = [guess for guess in _best(guesses, "year") if guess.kind == "year"]
    if len(dates) != 1 or len(years) != 1 or mapped[dates[0]] == years[0].header:
        return {}
    if year_key(dates[0]) in given or headers.count(mapped[dates[0]]) != 1 or headers.count(years[0].header) != 1:
        return {}
    columns = [frame.iloc[:ROWS_LOOKED_AT, headers.index(header)] for header in (mapped[dates[0]], years[0].header)]
    there = [filled_rows(column) for column in columns]
    if not (there[1] & ~there[0]).any():
        return {}
    both = [column[there[0] & there[1]].iloc[:LOOKED_AT].map(text_of) for column in columns]
    agree = [
        any((day := parse_date(date, order)) and fold_year(year) == str(day.year) for order in ORDERS)
        for date, year in zip(*both, strict=True)
    ]
    if len(agree) < ENOUGH:
        return {} if years[0].by_contents else {year_key(dates[0]): years[0]}
    return {year_key(dates[0]): years[0]} if sum(agree) >= NEARLY_ALL * len(agree) else {}


def _best(guesses: Iterable[Guess], kind: str) -> list[Guess]:
    """The surest guesses of a type, all within the margin; where there is no date, a year will do, and vice versa."""
    kinds = ([kind], ["year" if kind == "date" else "date"] if kind in ("date", "year") else [])
    for wanted in kinds:
        found = sorted((guess for guess in guesses if guess.kind in wanted), key=lambda guess: -guess.confidence)
        if found:
            return [guess for guess in found if guess.confidence > found[0].confidence - MARGIN]
    return []


def _says_otherwise(guesses: Iterable[Guess], header: str, kind: str) -> bool:
    """Whether a column clearly holds something else than its header says: whole names or letters under ``surname``."""
    kinds = [guess.kind for guess in guesses if guess.header == header]
    return UNUSED in kinds or (FULL_NAME in kinds and kind in NAME_TYPES)


def unread_columns(frame: pd.DataFrame) -> list[str]:
    """A line for each column that is mostly in letters that are not read."""
    lines, headers = [], list(map(str, frame.columns))
    for header in frame.columns:
        if headers.count(str(header)) > 1:
            continue
        cells = _some_cells(frame, str(header))
        alphabets = Counter(alphabet for text in cells if (alphabet := unread_alphabet(text)))
        for alphabet, count in alphabets.most_common(1):
            if count > MOSTLY * len(cells):
                shown = f"{count:,} of {len(cells):,} different cells"
                lines.append(f"{column_name(str(header), headers)} is not read: {alphabet} letters in {shown}")
    return lines


def unclear_columns(guesses: Sequence[Guess]) -> list[str]:
    """A line for each type that several columns of a roster could be, and that is therefore not proposed."""
    names = {kind: name for kind, (name, _) in PROPOSED_FIELDS.items()} | {FULL_NAME: FULL_NAME}
    best = {name: [guess for guess in _best(guesses, kind) if guess.kind == kind] for kind, name in names.items()}
    return [f"{_several(name, found)}; none is proposed" for name, found in best.items() if len(found) > 1]


def propose_fields(rosters: Iterable[Iterable[Guess]]) -> dict[str, tuple[str, str]]:
    """The fields for which every roster has one best column: name to (type, role), in a fixed order.

    Strata and the date of joining are needed only in the first roster, the list. Other names need surnames.
    """
    shared: set[str] = set(PROPOSED_FIELDS)
    for number, guesses in enumerate(map(list, rosters)):
        types = {kind for kind in (*PROPOSED_FIELDS, FULL_NAME) if len(_best(guesses, kind)) == 1}
        if not any(guess.kind == "date" for guess in guesses):
            types.discard("date")
        list_only = {kind for kind, (_, role) in PROPOSED_FIELDS.items() if role in ("stratum", "joined")}
        if any(guess.patronymics for guess in guesses if guess.kind == "given"):
            types.add("patronymic")
        shared &= types | (set(NAME_TYPES) if FULL_NAME in types else set()) | (list_only if number else set())
    if "date" in shared:
        shared.discard("year")
    if "surname" not in shared:
        shared -= {"given", "patronymic"}
    return {
        name: ("date" if role == "joined" else kind, role)
        for kind, (name, role) in PROPOSED_FIELDS.items()
        if kind in shared
    }
