"""FollowTheMoney entities to a roster: JSON lines as Aleph and OpenSanctions write them, with a row for each Person.

Every property is a list of values, and all of them are kept: a cell holds them separated by "; ". The column ``name``
holds all spellings of a person's name, whole or joined from parts. Properties of edges get columns such as
``Employment.role``, ``Membership.organization`` or ``Identification.number``. Nothing is checked or corrected: a date
that FollowTheMoney would drop is read like one in a spreadsheet.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, product
from typing import Any, BinaryIO

import pandas as pd

from pprl.core.errors import RosterError
from pprl.core.row_labels import labels_text
from pprl.roster.files.layout import ALL
from pprl.roster.files.limits import MAX_COLUMNS, MAX_DEPTH, MAX_LINE, refuse_expanse

SEPARATOR = ";"
NAMES = ("name", "alias", "previousName")
PARTS = (("lastName",), ("firstName",), ("fatherName", "middleName", "secondName"))
EDGES = {  # the property that names the person, and the schema under which the edge is counted
    "Employment": ("employee", "Employment"),
    "Membership": ("member", "Membership"),
    "Occupancy": ("holder", "Occupancy"),
    "Identification": ("holder", "Identification"),
    "Passport": ("holder", "Identification"),
}
SHOWN = 20  # kinds listed in a note
MOST_NAMES = 65  # names joined from parts: one more than are considered, so that the excess is reported
_NEEDED = "FollowTheMoney entities are needed, one JSON object per line, some of them of schema Person"

Properties = dict[str, list[str]]


@dataclass
class _Read:
    """The contents of a file."""

    people: dict[str, tuple[int, Properties]] = field(default_factory=dict)  # by id: the first line, and properties
    edges: list[tuple[str, Properties]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of everything that is not a person
    others: Counter[str] = field(default_factory=Counter)  # entities of other schemas
    strange: list[int] = field(default_factory=list)  # lines that are not entities
    values: Counter[str] = field(default_factory=Counter)  # values that are not text, by schema and property
    size: int = 0


class Entities:
    """A file of entities as one table, held in memory, since an edge may be far from its person.

    Rows are the lines of the file, counted from 1; an entity in several lines is one row, labelled by its first line.
    ``notes`` list what was not understood.

    RosterError: a line is not JSON, longer than four million bytes or nested too deep, no entity is a person, or the
    table would span too many cells.
    """

    def __init__(self, reopen: Callable[[], BinaryIO], rows: int) -> None:
        self._rows = rows
        with reopen() as file:
            read = _read(file)
        if not read.people:
            raise RosterError("the roster holds no Person", hint=_NEEDED)
        lost = _attach_edges(read)
        columns = dict.fromkeys(name for _, properties in read.people.values() for name in properties)
        if len(columns) + 2 > MAX_COLUMNS:
            raise RosterError(f"the roster has more than {MAX_COLUMNS:,} properties", hint="are they entities?")
        refuse_expanse(len(read.people), len(columns) + 2, read.size)
        table: dict[str, list[str]] = {"id": list(read.people)}
        table["name"] = [_cell(_names(properties)) for _, properties in read.people.values()]
        for name in columns:
            if name not in _OF_NAMES:
                table[name] = [_cell(properties.get(name, [])) for _, properties in read.people.values()]
        lines = pd.Index([line for line, _ in read.people.values()], name="row", dtype="int64")
        self._frame = pd.DataFrame(table, index=lines, dtype=object)
        self.several = dict.fromkeys(list(table)[1:], SEPARATOR)
        self.notes = _notes(read, lost)

    def headers(self) -> list[str]:
        return list(self._frame.columns)

    def parts(self, most: int = ALL) -> Iterator[pd.DataFrame]:
        """Frames of at most ``most`` rows."""
        most = min(most, self._rows)
        for top in range(0, len(self._frame), most):
            yield self._frame.iloc[top : top + most]


def _read(file: BinaryIO) -> _Read:
    read = _Read()
    for number, line in enumerate(iter(partial(file.readline, MAX_LINE + 1), b""), start=1):
        read.size += len(line)
        if len(line) > MAX_LINE:
            raise RosterError(f"row {number:,} of the roster has more than {MAX_LINE:,} bytes", hint=_ONE_PER_LINE)
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        _refuse_depth(text, number)
        try:
            _take(json.loads(text), number, read)
        except ValueError:
            raise RosterError(f"row {number:,} of the roster is not JSON", hint=_ONE_PER_LINE) from None
    return read


_ONE_PER_LINE = "is the file complete? Each line must be one entity"
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"?')


def _refuse_depth(text: bytes, number: int) -> None:
    """RosterError: an entity is nested deeper than any reader of entities goes."""
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH:
        depth = deepest = 0
        for mark in re.sub(rb"[^][{}]", b"", _TEXTS.sub(b"", text)):
            depth += 1 if mark in b"[{" else -1
            deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            raise RosterError(f"row {number:,} of the roster is nested too deep", hint=_ONE_PER_LINE)


def _take(entity: Any, number: int, read: _Read) -> str | None:
    """Keep an entity and those nested in it; returns its id, or None where it is not an entity."""
    members = entity if isinstance(entity, dict) else {}
    name, schema, properties = members.get("id"), members.get("schema"), members.get("properties")
    if not isinstance(name, str) or not isinstance(schema, str) or not isinstance(properties, dict):
        read.strange.append(number)
        return None
    name, schema = _whole(name), _whole(schema)
    texts: Properties = {}
    for key, values in properties.items():
        for value in values if isinstance(values, list) else [values]:
            text = _take(value, number, read) if isinstance(value, dict) else _text(value)
            if text is None:
                read.values[f"{_named(schema)}.{_named(key)}"] += 1
            elif text:
                texts.setdefault(key, []).append(text)
    if schema == "Person":
        known = read.people.setdefault(name, (number, {}))[1]
        for key, more in texts.items():
            known[key] = list(dict.fromkeys([*known.get(key, []), *more]))
    elif schema in EDGES:
        read.edges.append((schema, texts))
    else:
        read.others[_named(schema)] += 1
        if any(texts.get(key) for key in NAMES):
            read.names[name] = next(texts[key][0] for key in NAMES if texts.get(key))
    return name


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return " ".join(_whole(value).replace(SEPARATOR, ",").split())
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _named(text: str) -> str:
    """The name of a schema or property for notes: anything else may be a cell or an escape sequence, and is hidden."""
    return text if re.fullmatch("[A-Za-z]{1,40}", text) else "(other)"


def _whole(text: str) -> str:
    """The text without lone surrogates, which JSON can hold and files cannot."""
    return text.encode(errors="replace").decode()


def _attach_edges(read: _Read) -> Counter[str]:
    """Give people the properties of their edges; returns how many edges of each schema belong to nobody here."""
    lost: Counter[str] = Counter()
    attached = 0
    known: dict[int, dict[str, dict[str, None]]] = {}  # by person and property: values, in their order
    for schema, texts in read.edges:
        end, counted_as = EDGES[schema]
        holders = [read.people[person][1] for person in texts.get(end, []) if person in read.people]
        lost[schema] += not holders
        for properties in holders:
            for key, values in texts.items():
                if key != end:
                    named = [read.names.get(value, value) for value in values]
                    attached += len(named)
                    refuse_expanse(attached, 10, read.size)  # a value takes more than an empty cell
                    known.setdefault(id(properties), {}).setdefault(f"{counted_as}.{key}", {}).update(
                        dict.fromkeys(named)
                    )
    for _, properties in read.people.values():
        for key, texts_of_edges in known.get(id(properties), {}).items():
            properties[key] = list(dict.fromkeys([*properties.get(key, []), *texts_of_edges]))
    return lost


def _names(properties: Mapping[str, list[str]]) -> list[str]:
    """All spellings of a name: those joined from parts, surname first, and those written as one."""
    written = [value for key in NAMES for value in properties.get(key, [])]
    if not _parts_count(properties):
        return list(dict.fromkeys(written))
    parts = ([value for key in part for value in properties.get(key, [])] or [""] for part in PARTS)
    whole = (" ".join(filter(None, combination)) for combination in islice(product(*parts), MOST_NAMES))
    return list(dict.fromkeys([*filter(None, whole), *written]))


def _parts_count(properties: Mapping[str, list[str]]) -> bool:
    """Whether the parts of a name are used: without a surname they add nothing to a whole name."""
    return "lastName" in properties or not any(map(properties.get, NAMES))


_OF_PARTS = [key for part in PARTS for key in part]
_OF_NAMES = {*NAMES, *_OF_PARTS}


def _cell(values: list[str]) -> str:
    return f"{SEPARATOR} ".join(values)


def _notes(read: _Read, lost: Mapping[str, int]) -> list[str]:
    """Lines that count and name what was not understood."""
    notes = [
        f"{count:,} {schema} left out: they belong to nobody in the file"
        for schema, count in sorted(lost.items())
        if count
    ]
    if read.others:
        kinds = _counted(read.others, "")
        notes.append(f"not people: {kinds}" + ("; some of their names are used" if read.names else ""))
    if read.values:
        kinds = _counted(read.values, "of ")
        notes.append(f"values that are not text, left out: {kinds}")
    unused = tuple(
        line
        for line, properties in read.people.values()
        if any(map(properties.get, _OF_PARTS)) and not _parts_count(properties)
    )
    if unused:
        notes.append(f"parts of a name without lastName beside a whole name, left out ({labels_text(unused)})")
    if read.strange:
        strange = labels_text(tuple(read.strange))
        notes.append(f"{len(read.strange):,} without id, schema or properties, left out ({strange})")
    return notes


def _counted(kinds: Counter[str], word: str) -> str:
    """The most frequent kinds by name, and the number of others."""
    shown = sorted(name for name, _ in kinds.most_common(SHOWN))
    more = sum(kinds.values()) - sum(kinds[name] for name in shown)
    return ", ".join([*(f"{kinds[name]:,} {word}{name}" for name in shown), *([f"{more:,} others"] if more else [])])
