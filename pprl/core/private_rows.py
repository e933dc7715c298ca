"""What stays at home: which handle is which row, which rows are made up, and what is known of people beside the linked.

`Encodings` cross to the linkage unit; `PrivateRows` never do. With them and the scores that come back, the owner of the
list judges; whoever else gets them learns which rows were made up.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.encodings import EncodingParameters, Encodings, Side
from pprl.core.errors import FileError
from pprl.core.schema import FieldType, Schema

MAX_ID_BYTES = 1_024  # every id takes the width of the longest
CLASSES = 9  # of completeness
CLASS_NAMES = tuple(
    f"{name}, {date}"
    for name in ("whole name", "initials", "no name")
    for date in ("whole date", "year or month", "no date")
)


class RecordKind(IntEnum):
    """What an encoded record of a list is. A relative is a decoy of the stricter test; a spelling is a further spelling
    of the person or decoy of another record."""

    REAL = 0
    DECOY = 1
    RELATIVE = 2
    CONTROL = 3
    SPELLING = 4


UNKNOWN = -1  # the code of a missing value
LabelRole = Literal["stratum", "confirm", "joined", "decade", "filled"]


@dataclass(frozen=True, kw_only=True)
class Label:
    """Something known of people that is not linked: distinct canonical values, and one code a record (−1 for none)."""

    name: str
    type: FieldType
    role: LabelRole
    values: tuple[str, ...]
    codes: NDArray[np.int32]  # shape (records,)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the schema says of the registry and of publishing; it travels with the rows as text."""

    as_of: str | None = None  # the day the registry shows, ISO 8601
    public: str = "unknown"  # was the registry public before the list: yes, no or unknown
    disclosure: int = 5  # published counts are multiples of it
    small_cells: str = "round"  # or "suppress"
    title: str = ""  # the schema's name

    @classmethod
    def from_schema(cls, schema: Schema) -> Policy:
        return cls(
            as_of=schema.registry_as_of.isoformat() if schema.registry_as_of else None,
            public=schema.registry_public_before_list,
            disclosure=schema.disclosure,
            small_cells=schema.small_cells,
            title=schema.name,
        )

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> Policy:
        """ValueError or TypeError: not what `to_texts` writes."""
        known = {cls._KEYS.get(key, key): value for key, value in texts.items()}
        if not all(isinstance(value, str) for value in known.values()):
            raise TypeError
        return cls(**{**known, "disclosure": int(known.get("disclosure", "5"))})  # type: ignore[arg-type]

    def to_texts(self) -> dict[str, str]:
        names = {name: key for key, name in self._KEYS.items()}
        return {names.get(name, name): str(value) for name, value in asdict(self).items() if value is not None}

    _KEYS: ClassVar[dict[str, str]] = {"matter": "title"}  # as the file has them


@dataclass(frozen=True, kw_only=True)
class PrivateRows:
    """One record for each encoded row: people in the order of the roster, then a list's decoys, relatives, controls,
    and further spellings of people and of what is made up.

    ``kind`` tells them apart. ``person`` numbers the people; a decoy or relative bears the number of the person it was
    made from, a control 0, a spelling the place of the record that it is another spelling of. Rows of a list that are
    one person are one record, under the row that says most. Rows of a registry all are people; those with one
    ``person`` are spellings.
    """

    side: Side
    parameters: EncodingParameters
    rows_read: int
    rate: int  # the false-match rate asked, in ten-thousandths
    fallbacks: int  # decoys whose surname came from the class, not from a shared given name or patronymic
    repeatable: bool  # made from --seed: not secret
    handles: NDArray[np.void]  # shape (records,), 16 bytes each
    rows: NDArray[np.int64]  # row of the roster
    person: NDArray[np.int32]
    kind: NDArray[np.uint8]
    completeness: NDArray[np.int8]
    ids: NDArray[np.bytes_]  # the owner's own ids, UTF-8; empty when none were asked for
    labels: tuple[Label, ...] = ()
    policy: Policy = Policy()

    HEADER: ClassVar[struct.Struct] = struct.Struct(f"<B{EncodingParameters.LAYOUT.size}sQQHQBHI")

    def __len__(self) -> int:
        return len(self.handles)

    @property
    def people(self) -> int:
        """Encoded people: what is made up and controls are not counted."""
        return int((self.kind == RecordKind.REAL).sum())

    def counts(self) -> dict[str, int]:
        """How many people there are, and what else, with its spellings: what is not there is left out."""
        if self.side == "registry":
            people = len(np.unique(self.person))
            told = {"people": people, "further spellings": len(self) - people}
        else:
            kind = self.kind[self.stands_for()]
            further = int(((kind == RecordKind.REAL) & (self.kind == RecordKind.SPELLING)).sum())
            kinds = {"decoys": RecordKind.DECOY, "relatives": RecordKind.RELATIVE, "controls": RecordKind.CONTROL}
            told = {"people": self.people, "further spellings": further}
            told |= {name: int((kind == each).sum()) for name, each in kinds.items()}
        return {name: count for name, count in told.items() if count or name == "people"}

    def of_kind(self, kind: int) -> NDArray[np.int64]:
        """The places of the records of a kind."""
        return np.flatnonzero(self.kind == kind).astype(np.int64)

    def stands_for(self) -> NDArray[np.int64]:
        """For each record of a list its place, or that of the record that it is a spelling of."""
        return np.where(self.kind == RecordKind.SPELLING, self.person, np.arange(len(self)))

    def of_roster(self) -> NDArray[np.bool_]:
        """Which records of a list were read, and not made up."""
        return np.isin(self.kind[self.stands_for()], (RecordKind.REAL, RecordKind.CONTROL))

    def reorder(self, order: NDArray[np.int64]) -> PrivateRows:
        """All records in another order, in which people must stay in theirs."""
        labels = tuple(replace(label, codes=label.codes[order]) for label in self.labels)
        arrays = ("handles", "rows", "kind", "completeness", "ids")
        person, spelling = self.person[order], self.kind[order] == RecordKind.SPELLING
        person[spelling] = np.argsort(order)[person[spelling]]
        return replace(self, labels=labels, person=person, **{name: getattr(self, name)[order] for name in arrays})

    def with_role(self, role: LabelRole) -> tuple[Label, ...]:
        return tuple(label for label in self.labels if label.role == role)

    def id_texts(self) -> list[str]:
        return [value.decode() for value in self.ids.tolist()]

    def write(self, path: Path, *, force: bool = False) -> None:
        """A new file, mode 0600."""
        width = max(1, self.ids.dtype.itemsize)
        if width > MAX_ID_BYTES:
            raise FileError(f"{path.name}: an id is longer than {MAX_ID_BYTES:,} bytes", hint="name another column")
        told = {
            "labels": [[label.name, label.type, label.role, list(label.values)] for label in self.labels],
            "policy": self.policy.to_texts() if self.side == "list" else {},
        }
        block = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        header = self.HEADER.pack(
            Encodings.SIDES.index(self.side),
            self.parameters.to_bytes(),
            len(self),
            self.rows_read,
            self.rate,
            self.fallbacks,
            self.repeatable,
            width,
            len(block),
        )
        records = np.zeros(len(self), dtype=self._record(width))
        records["handle"], records["row"], records["person"] = self.handles, self.rows, self.person
        records["kind"], records["completeness"], records["id"] = self.kind, self.completeness, self.ids
        codes = [label.codes.astype("<i4").tobytes() for label in self.labels]
        parts = [container.preamble(b"pprl-row"), header, records.tobytes(), block, *codes]
        container.write_new(path, parts, private=True, force=force)

    @classmethod
    def read(cls, path: Path, side: Side | None = None) -> PrivateRows:
        """FileError: not a whole file of private rows, of the other side than ``side``, or readable by others."""
        body = container.read_body(path, b"pprl-row", private=True)
        (side_at, parameters, count, rows_read, rate, fallbacks, repeatable, width, told), data = body.header(
            cls.HEADER
        )
        if side_at >= len(Encodings.SIDES) or not 0 < rate < 5_000 or width == 0:
            raise FileError(f"{path.name}: is damaged in its header")
        found = Encodings.SIDES[side_at]
        if side and found != side:
            raise FileError(f"{path.name}: holds the rows of a {found}, those of a {side} are needed")
        record = cls._record(width)
        if len(data) < count * record.itemsize + told:
            raise body.cut_short()
        records = np.frombuffer(data[: count * record.itemsize], dtype=record)
        rest = data[count * record.itemsize :]
        try:
            labels, policy = _told(bytes(rest[:told]), count)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise FileError(f"{path.name}: is damaged in its labels") from None
        codes = np.frombuffer(body.expect(rest[told:], 4 * count * len(labels)), dtype="<i4").reshape(
            len(labels), count
        )
        labels = tuple(replace(label, codes=own.astype(np.int32)) for label, own in zip(labels, codes, strict=True))
        if not _sound(records) or not all(_fits(label) for label in labels):
            raise FileError(f"{path.name}: is damaged in its records")
        return cls(
            side=found,
            parameters=EncodingParameters.from_bytes(parameters),
            rows_read=rows_read,
            rate=rate,
            fallbacks=fallbacks,
            repeatable=bool(repeatable),
            handles=records["handle"].copy(),
            rows=records["row"].copy(),
            person=records["person"].copy(),
            kind=records["kind"].copy(),
            completeness=records["completeness"].copy(),
            ids=records["id"].copy(),
            labels=labels,
            policy=policy,
        )

    @staticmethod
    def _record(width: int) -> np.dtype[np.void]:
        return np.dtype(
            [
                ("handle", "V16"),
                ("row", "<i8"),
                ("person", "<i4"),
                ("kind", "u1"),
                ("completeness", "i1"),
                ("id", f"S{width}"),
            ]
        )


def _sound(records: NDArray[np.void]) -> bool:
    """Whether the records can be judged: labels, classes and people are in their ranges, and ids are text."""
    kind, person = records["kind"], records["person"]
    spelling, limit = kind == RecordKind.SPELLING, np.full(len(records), (kind == RecordKind.REAL).sum())
    limit[spelling] = len(records)
    try:
        for value in records["id"].tolist():
            value.decode()
    except UnicodeDecodeError:
        return False
    return bool(
        (kind <= RecordKind.SPELLING).all()
        and ((records["completeness"] >= 0) & (records["completeness"] < CLASSES)).all()
        and ((person >= 0) & (person < limit)).all()
        and (kind[person[spelling]] != RecordKind.SPELLING).all()
    )


def _told(block: bytes, count: int) -> tuple[tuple[Label, ...], Policy]:
    """The labels, their codes still missing, and the policy; ValueError and its like for what is neither."""
    told = json.loads(block.decode())
    empty = np.full(count, UNKNOWN, dtype=np.int32)
    labels = tuple(
        Label(name=name, type=kind, role=role, values=tuple(values), codes=empty)
        for name, kind, role, values in told["labels"]
    )
    texts: list[object] = []
    for label in labels:
        texts += [label.name, label.type, *label.values]
        if label.role not in get_args(LabelRole):
            raise ValueError
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return labels, Policy.from_texts(told["policy"])


def _fits(label: Label) -> bool:
    return bool(((label.codes >= UNKNOWN) & (label.codes < len(label.values))).all())
