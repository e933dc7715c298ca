"""What a key of audit.json and report.json can hold, and how a value of each kind is read from a file.

A record (`pprl.report.record`) is made of parts, and every field of a part has a `FieldSpec`: the kind of its values
and a sentence that says what they mean. Reading, writing, disclosure and the table of docs/report.md follow from it. A
file comes from another machine and may have been edited, so nothing in it is trusted: `Value` refuses values of the
wrong kind and names the key, never the value.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Self, TypeVar

from pprl.core.errors import FileError

LARGEST = 10**12  # more people than ever lived
P_CLASSES = ("<.001", "<.01", "<.05", ">=.05")
HINT = "`pprl link LIST REGISTRY --schema S -o DIR` writes it again; docs/report.md says what it holds"

Number = int | float
Plain = str | Number | bool | None
T = TypeVar("T")


class Estimate(NamedTuple):
    """An estimate with its 95% interval, where there is one."""

    value: Number
    low: Number | None = None
    high: Number | None = None


class Kind(enum.Enum):
    """What a key holds, in the words of docs/report.md."""

    FORMAT = "format"
    DISCLOSURE = "rule of disclosure"
    PART = "object"
    PARTS = "list of objects"
    SETTINGS = "object of settings"
    COUNT = "count"
    TOTAL = "count of people"
    EXPECTED = "expected count"
    ESTIMATE = "estimate"
    SHARE = "share of counts"
    PROPORTION = "proportion"
    RATE = "rate"
    BOUND = "upper bound"
    SPAN = "rate with an interval"
    SIMILARITY = "similarity"
    P_VALUE = "p-value"
    DECOY_COUNT = "number of decoys"
    DECOYS_A_PERSON = "decoys per person"
    NUMBER = "number"
    FLAG = "true or false"
    TEXT = "text"
    CODES = "list of codes"
    CHOICE = "code or number"
    RUN = "text of the ledger"
    WARNINGS = "list of warnings"


@dataclass(frozen=True, kw_only=True)
class FieldSpec:
    """One key: the kind of its value, what it means, and what its disclosure depends on."""

    kind: Kind
    text: str = ""
    composition: bool = False  # a count of the list itself, which says nothing about the registry
    part: str = ""  # of a share: the key of its count …
    whole: str = ""  # … and of what it is a share of; of a proportion or bound: the people it is about
    pattern: str = ""  # all a published text may be; empty for a label, which may be anything
    many: bool = False  # a list of such values
    required: bool = False  # a null is refused
    optional: bool = False  # of an object: null where nothing was asked
    omitted: bool = False  # left out of the file where it is null
    spelled_out: bool = False  # of an estimate: an object of nulls where it is null
    record: type[Part] | None = None
    keys: Mapping[str, FieldSpec] = dataclasses.field(default_factory=dict)


def _field(kind: Kind, text: str, **rest: Any) -> Any:
    spec = FieldSpec(kind=kind, text=text, **rest)
    if spec.omitted:
        return dataclasses.field(default=None, metadata={"spec": spec})
    return dataclasses.field(metadata={"spec": spec})


def _nested(kind: Kind, record: type[Part], text: str = "", **rest: Any) -> Any:
    return _field(kind, text, record=record, **rest)


# How a part declares its fields: `people: Number | None = count("people on the list", composition=True)`.
part = partial(_nested, Kind.PART)
parts = partial(_nested, Kind.PARTS)
count = partial(_field, Kind.COUNT)
expected = partial(_field, Kind.EXPECTED)
estimate = partial(_field, Kind.ESTIMATE)
share = partial(_field, Kind.SHARE)
proportion = partial(_field, Kind.PROPORTION)
rate = partial(_field, Kind.RATE)
span = partial(_field, Kind.SPAN)
similarity = partial(_field, Kind.SIMILARITY)
p_value = partial(_field, Kind.P_VALUE)
number = partial(_field, Kind.NUMBER)
flag = partial(_field, Kind.FLAG)
text = partial(_field, Kind.TEXT)
special = _field

CODE = r"[a-z_]+"


@dataclass(frozen=True)
class Part:
    """A part of a record: a dataclass whose fields are keys of the file, in their order."""

    @classmethod
    def specs(cls) -> dict[str, FieldSpec]:
        return {item.name: item.metadata["spec"] for item in dataclasses.fields(cls)}

    @classmethod
    def read(cls, value: Value) -> Self:
        """FileError: a value is of the wrong kind. A key that is missing is null."""
        return cls(**{name: value[name].read(spec) for name, spec in cls.specs().items()})

    def to_json(self) -> dict[str, Any]:
        """The part as plain values, keys in the order of the fields."""
        values = {name: (spec, getattr(self, name)) for name, spec in self.specs().items()}
        return {
            name: _plain(spec, value) for name, (spec, value) in values.items() if value is not None or not spec.omitted
        }


def _plain(spec: FieldSpec, value: Any) -> Any:
    if isinstance(value, Estimate) or (spec.kind is Kind.ESTIMATE and spec.spelled_out):
        return dict(zip(Estimate._fields, value or (None, None, None), strict=True))
    if isinstance(value, Part):
        return value.to_json()
    if isinstance(value, tuple):
        return [item.to_json() if isinstance(item, Part) else item for item in value]
    return dict(value) if isinstance(value, Mapping) else value


class Value:
    """A value of a file and the path of its key, which an error names."""

    def __init__(self, value: object, path: str = "") -> None:
        self.value, self.path = value, path

    @property
    def given(self) -> bool:
        return self.value is not None

    def wrong(self, wanted: str) -> FileError:
        return FileError(f"report: {self.path} is not {wanted}", hint=HINT)

    def __getitem__(self, key: str) -> Value:
        value = self.value if self.given else {}
        if not isinstance(value, dict):
            raise self.wrong("an object")
        return Value(value.get(key), f"{self.path}.{key}" if self.path else key)

    def items(self) -> list[Value]:
        value = [] if self.value is None else self.value
        if not isinstance(value, list):
            raise self.wrong("a list")
        return [Value(item, f"{self.path}[{number}]") for number, item in enumerate(value)]

    def read(self, spec: FieldSpec) -> Any:
        """The value in the type of its kind."""
        if spec.record is not None:
            return self._record(spec, spec.record)
        if spec.kind is Kind.CODES or spec.kind is Kind.WARNINGS:
            return tuple(text for item in self.items() if (text := item.text()))
        read = READERS[spec.kind]
        if spec.many:
            return tuple(item.needed(read(item), "a number") for item in self.items())
        return self.needed(read(self), "text") if spec.required else read(self)

    def _record(self, spec: FieldSpec, record: type[Part]) -> Part | tuple[Part, ...] | None:
        if spec.kind is Kind.PARTS:
            return tuple(record.read(item) for item in self.items() if item.given)
        return record.read(self) if self.given or not spec.optional else None

    def needed(self, value: T | None, wanted: str) -> T:
        if value is None:
            raise self.wrong(wanted)
        return value

    def settings(self) -> dict[str, Plain]:
        """An object of plain values, under any names."""
        value = {} if self.value is None else self.value
        if not isinstance(value, dict):
            raise self.wrong("an object")
        return {str(name): Value(item, f"{self.path}.…").plain() for name, item in value.items()}

    def plain(self) -> Plain:
        if self.value is None or isinstance(self.value, bool):
            return self.value
        return self.value if isinstance(self.value, str) else self.number("text, a number, or true or false")

    def choice(self) -> str | Number | None:
        value = self.plain()
        return str(value).lower() if isinstance(value, bool) else value

    def number(self, wanted: str = "a number") -> Number | None:
        value = self.value
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(wanted)
        if not -LARGEST < value < LARGEST or (isinstance(value, float) and math.isnan(value)):
            raise self.wrong(f"{wanted} in a sensible range")
        return value

    def count(self) -> Number | None:
        if (value := self.number("a count")) is not None and value < 0:
            raise self.wrong("a count")
        return value

    def fraction(self) -> Number | None:
        """A share; where it is a bound, ``{"at_most": s}`` or ``{"at_least": s}``, the bound itself."""
        if isinstance(self.value, dict) and len(self.value) == 1 and self.value.keys() <= {"at_most", "at_least"}:
            return self[next(iter(self.value))].fraction()
        if (value := self.number("a share between 0 and 1")) is not None and not 0 <= value <= 1:
            raise self.wrong("a share between 0 and 1")
        return value

    def text(self) -> str | None:
        if self.value is not None and not isinstance(self.value, str):
            raise self.wrong("text")
        return self.value

    def flag(self) -> bool | None:
        if self.value is not None and not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def p_value(self) -> str | Number | None:
        if isinstance(self.value, str):
            if self.value not in P_CLASSES:
                raise self.wrong("one of " + " ".join(P_CLASSES))
            return self.value
        return self.fraction()

    def estimate(self) -> Estimate | None:
        """A bare number is an estimate without an interval; an estimate whose value is null is unknown."""
        if isinstance(self.value, int | float):
            value = self.number()
            return None if value is None else Estimate(value)
        value, low, high = (self[key].number() for key in Estimate._fields)
        if value is None:
            return None
        if low is not None and high is not None and low > high:
            raise self.wrong("an estimate: its interval ends before it begins")
        return Estimate(value, low, high)

    def span(self) -> Estimate | None:
        """An estimate of a share, which lies with its interval between 0 and 1."""
        span = self.estimate()
        if span and not all(end is None or 0 <= end <= 1 for end in span):
            raise self.wrong("a share between 0 and 1")
        return span


READERS: dict[Kind, Callable[[Value], Any]] = {
    Kind.FORMAT: Value.text,
    Kind.SETTINGS: Value.settings,
    Kind.COUNT: Value.count,
    Kind.TOTAL: Value.count,
    Kind.EXPECTED: Value.count,
    Kind.ESTIMATE: Value.estimate,
    Kind.SHARE: Value.fraction,
    Kind.PROPORTION: Value.fraction,
    Kind.RATE: Value.fraction,
    Kind.BOUND: Value.count,
    Kind.SPAN: Value.span,
    Kind.SIMILARITY: Value.fraction,
    Kind.P_VALUE: Value.p_value,
    Kind.DECOY_COUNT: Value.count,
    Kind.DECOYS_A_PERSON: Value.count,
    Kind.NUMBER: Value.number,
    Kind.FLAG: Value.flag,
    Kind.TEXT: Value.text,
    Kind.CHOICE: Value.choice,
    Kind.RUN: Value.text,
}
