"""Which column is which field: proposals from headers and from the cells below them.

A header alone can mislead (``name`` above given names, ``number`` above 1, 2, 3), and a column may have none. So each
column gets the type that its header names, unless its cells are clearly of another; a column without a known header
gets the type that nearly all its cells fit. A proposal is used only when it is unambiguous, and the command reports it.
Where it is ambiguous, an error names the option that settles it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pandas as pd

from pprl.core.errors import RosterError
from pprl.core.schema import FULL_NAME, NAME_TYPES, Schema
from pprl.normalize.dates import ORDERS, parse_date
from pprl.normalize.names import fold_name, is_patronymic, split_full_name
from pprl.normalize.ranks import fold_rank
from pprl.normalize.text import known_text, latin_text, read_table, unread_alphabet
from pprl.normalize.values import fold_sex
from pprl.roster.headers import header_type
from pprl.roster.people import EMPTY_CELLS, text_of
from pprl.roster.spellings import distinct_values, separators

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
LIVING = range(12, 100)  # ages that birth dates must imply in a column without a header


@dataclass(frozen=True)
class Guess:
    """What a column seems to hold. ``confidence`` is from 0 to 1; ``because`` gives the reason."""

    header: str
    kind: str
    confidence: float
    because: str

    @property
    def source(self) -> str:
        """Where a field comes from, for notes."""
        return f"from column {self.header!r}" + (
            "" if self.because.startswith(("header", "the")) else " by its contents"
        )

    @property
    def word(self) -> str:
        return "sure" if self.confidence >= 0.85 else "likely" if self.confidence > DOUBTFUL else "doubtful"


DOUBTFUL = 0.5
BY_CONTENTS = 0.6  # times the share of cells that fit, where no header helps
MARGIN = 0.15  # by which a proposal must be surer than the next to be used


def guess_columns(frame: pd.DataFrame, year: int) -> list[Guess]:
    """The guesses, in the order of the columns; some columns have none. Ages are computed for ``year``."""
    guesses = []
    several = separators(frame)
    for index, header in enumerate(map(str, frame.columns)):
        column = frame.iloc[:ROWS_LOOKED_AT, index]
        texts = distinct_values([*map(text_of, column.unique())], several.get(header))
        cells = [text for text in texts if text.strip().lower() not in EMPTY_CELLS]
        if guess := _guess(header, cells[:LOOKED_AT], year):
            guesses.append(guess)
    return guesses


def _guess(header: str, cells: Sequence[str], year: int) -> Guess | None:
    named = header_type(header)
    if named == "row":
        return Guess(header, named, 1.0, "header")
    fits = _share(cells, _FITS[named], year) if named else 0.0
    if named and fits >= FITS:
        return Guess(header, named, 0.7 + 0.3 * fits, f"header, and {fits:.0%} of the contents fit")
    kind, share = best_fit(cells, year)  # only now: every cell is held against every type
    contents = f"contents: {share:.0%} of them are {_WORDS.get(kind, kind)}"
    if named is None:
        return Guess(header, kind, BY_CONTENTS * share, contents) if share >= NEARLY_ALL and len(cells) > 1 else None
    if share >= NEARLY_ALL and len(cells) >= ENOUGH and not _near(named, kind):
        return Guess(header, kind, BY_CONTENTS * share, f"{contents}, whatever the header says")
    if not cells:
        return Guess(header, named, 0.3, "header above an empty column")
    if (len(cells) < ENOUGH and fits > 0) or len(cells) < 2 or named in (*NAME_TYPES, FULL_NAME, "category"):
        return Guess(header, named, 0.7, "header")
    return Guess(header, named, DOUBTFUL, f"header, but only {fits:.0%} of the contents fit")


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
    shares = {kind: _share(cells, fits, year) for kind, fits in _FITS.items() if kind not in ("year", "joined")}
    if shares["date"] >= NEARLY_ALL and all(_year_only(text) for text in cells):
        return "year", shares["date"]
    return max(shares.items(), key=lambda entry: entry[1]) if cells else ("", 0.0)


def _are_running_numbers(cells: Sequence[str]) -> bool:
    """Whether cells are 1, 2, 3 and so on, with few gaps."""
    numbers = [int(text) for text in cells if text.strip().isdecimal() and len(text) < 9]
    steps = sum(later - earlier == 1 for earlier, later in pairwise(numbers))
    return len(numbers) == len(cells) and steps >= NEARLY_ALL * (len(cells) - 1)


def _share(cells: Sequence[str], fits: Callable[[str, int], bool], year: int) -> float:
    return sum(fits(text, year) for text in cells) / max(1, len(cells))


def _is_date_of_birth(text: str, year: int) -> bool:
    ages = {year - date.year for order in ORDERS if (date := parse_date(text, order))}
    return any(age in LIVING for age in ages)


def _year_only(text: str) -> bool:
    return re.fullmatch(r"\s*\d{4}\s*(?:\.0|г\.?|р\.?)?\s*", text) is not None


def _is_name_in_full(text: str, _year: int) -> bool:
    if any(letter.isdigit() for letter in text):
        return False
    surname, given, patronymic = split_full_name(text)
    if not surname or not given:
        return False
    words = [*given.split(), *surname.split()]
    return is_patronymic(patronymic) or given.endswith(".") or any(map(is_given_name, words))


def is_given_name(word: str) -> bool:
    return fold_name(word, given=True) in _given_names()


def _is_initial(text: str) -> bool:
    return re.fullmatch(r"\s*[^\W\d_]\.?\s*", text) is not None


@cache
def _given_names() -> frozenset[str]:
    return frozenset(fold_name(row["name"], given=True) for row in read_table("given_names.tsv"))


_SURNAME = re.compile(
    r"[^\W\d_]+(?:[оеё]ва?|[иы]на?|[сц]к(?:ий|ая|ой|а)|енко|ко|у?к|ян|[иы]х|дзе|швили|ец|ли"
    r"|[oe]va?|ina?|[st]s?k(?:ii|y|iy|yi|aia|aya|a|i)|enko|chuk|uk|yan|ykh|ikh|dze|shvili)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*(?:[^\W\d_]{1,3}[\s№-]*\d{4,9}|\d{6,14})\s*")
_SERVICE = re.compile(
    r"(?:po )?(?:kontrakt|mob(?:ili|$)|sroch|prizyv|dobrovol|kadr|stroko|contract|conscript|volunt|reserv)"
)

_FITS: dict[str, Callable[[str, int], bool]] = {
    FULL_NAME: _is_name_in_full,
    "patronymic": lambda text, _: is_patronymic(text.strip()) or _is_initial(text),
    "given": lambda text, _: is_given_name(text) or _is_initial(text),
    "surname": lambda text, _: _SURNAME.fullmatch(text.strip()) is not None and not is_patronymic(text.strip()),
    "date": _is_date_of_birth,
    "joined": lambda text, _: any(parse_date(text, order) for order in ORDERS),
    "year": _is_date_of_birth,
    "sex": lambda text, _: fold_sex(text) is not None,
    "rank": lambda text, _: fold_rank(text) is not None,
    "identifier": lambda text, _: _NUMBER.fullmatch(known_text(text)) is not None,
    "category": lambda text, _: _SERVICE.match(latin_text(text)) is not None,
}


def is_value(text: str) -> bool:
    """Whether a cell belongs to a person and not to a header: a day, a number, a full name, a patronymic.

    >>> is_value("12.03.1985"), is_value("Пётр Иванович Лугов"), is_value("Дата рождения"), is_value("2022")
    (True, True, False, False)
    """
    if any(map(str.isdigit, text)):
        day = any((date := parse_date(text, order)) and date.day for order in ORDERS)
        return day or _FITS["identifier"](text, 0)
    return len(text) < 200 and (is_patronymic(text.strip()) or is_given_name(text) or _is_name_in_full(text, 0))


def unread_columns(frame: pd.DataFrame) -> list[str]:
    """``column 'name' holds Thai letters, which are not read``, for each column that mostly does."""
    lines = []
    for index, header in enumerate(map(str, frame.columns)):
        texts = [*map(text_of, frame.iloc[:ROWS_LOOKED_AT, index].unique())][:LOOKED_AT]
        alphabets = [alphabet for text in texts if (alphabet := unread_alphabet(text))]
        if len(alphabets) > FITS * len(texts):
            most = max(dict.fromkeys(alphabets), key=alphabets.count)
            lines.append(f"column {header!r} holds {most} letters, which are not read")
    return lines


def propose_columns(frame: pd.DataFrame, schema: Schema, given: Mapping[str, str], year: int) -> dict[str, Guess]:
    """Columns for the fields that ``given`` does not map: by the field's own name, else the best guess of its type.

    RosterError: two columns could be one linked field.
    """
    guesses = [guess for guess in guess_columns(frame, year) if guess.header not in given.values()]
    headers = [str(header) for header in frame.columns]
    proposed: dict[str, Guess] = {}
    for field in schema.fields:
        kind = "joined" if field.role == "joined" else field.type
        alone = kind == "joined" or sum(f.type == kind and f.role != "joined" for f in schema.fields) == 1
        if field.name in given or (FULL_NAME in given and field.type in NAME_TYPES):
            continue
        best = _best(guesses, kind) if alone else []
        if headers.count(field.name) == 1 and not _says_otherwise(guesses, field.name, field.type):
            proposed[field.name] = Guess(field.name, field.type, 1.0, "the field's own name")
        elif len(best) == 1:
            proposed[field.name] = best[0]
        elif best and field.role == "link":
            raise RosterError(
                f"{len(best)} columns could be {field.name}: {', '.join(repr(guess.header) for guess in best[:5])}",
                hint=f"choose one with --column {field.name}=HEADER (link: --list-column, --registry-column)",
            )
    names = [field for field in schema.fields if field.type in NAME_TYPES and field.role == "link"]
    mapped = {field.type for field in names if field.name in proposed or field.name in given}
    whole = _best(guesses, FULL_NAME)
    if names and len(whole) == 1 and FULL_NAME not in given:
        given_names = [field.name for field in names if field.type == "given"]
        if not mapped:
            proposed[FULL_NAME] = whole[0]
        elif "surname" in mapped and "given" not in mapped and len(given_names) == 1:
            proposed[given_names[0]] = whole[0]  # `name` beside `surname`
    return proposed


def _best(guesses: Iterable[Guess], kind: str) -> list[Guess]:
    """The surest guesses of a type, all within the margin; where there is no date, a year will do, and vice versa."""
    kinds = ([kind], ["year" if kind == "date" else "date"] if kind in ("date", "year") else [])
    for wanted in kinds:
        found = sorted((guess for guess in guesses if guess.kind in wanted), key=lambda guess: -guess.confidence)
        if found:
            return [guess for guess in found if guess.confidence > found[0].confidence - MARGIN]
    return []


def _says_otherwise(guesses: Iterable[Guess], header: str, kind: str) -> bool:
    """Whether a column clearly holds another type than its header names: full names under ``surname``."""
    return any(guess.header == header and guess.kind == FULL_NAME and kind in NAME_TYPES for guess in guesses)


def propose_fields(rosters: Iterable[Iterable[Guess]]) -> dict[str, tuple[str, str]]:
    """The fields for which every roster has one best column: name to (type, role), in a fixed order.

    Strata and the date of joining are needed only in the first roster, the list.
    """
    shared: set[str] = set(PROPOSED_FIELDS)
    for number, guesses in enumerate(map(list, rosters)):
        types = {kind for kind in (*PROPOSED_FIELDS, FULL_NAME) if len(_best(guesses, kind)) == 1}
        if not any(guess.kind == "date" for guess in guesses):
            types.discard("date")
        list_only = {kind for kind, (_, role) in PROPOSED_FIELDS.items() if role in ("stratum", "joined")}
        shared &= types | (set(NAME_TYPES) if FULL_NAME in types else set()) | (list_only if number else set())
    if "date" in shared:
        shared.discard("year")
    return {
        name: ("date" if role == "joined" else kind, role)
        for kind, (name, role) in PROPOSED_FIELDS.items()
        if kind in shared
    }
