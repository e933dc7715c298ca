"""What stays home: which handle is which row, which records are synthetic, and what else is known about people.

`Encodings` cross to the linkage unit; `PrivateRows` never do. With them and the scores that come back, the list owner
judges. Anyone else who gets them learns which records are synthetic.
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
from pprl.core.planted import PlantedTable
from pprl.core.schema import FieldType, Schema

MAX_ID_BYTES = 1_024  # every id takes the width of the longest
CLASS_NAMES = tuple(  # of completeness
    f"{name}, {date}"
    for name in ("whole name", "initials", "no name")
    for date in ("whole date", "year or month", "no date")
)


class RecordKind(IntEnum):
    """What a record of a list is. A relative is a decoy of the stricter test; a spelling is a further spelling of the
    person or decoy of another record.
    """

    REAL = 0
    DECOY = 1
    RELATIVE = 2
    CONTROL = 3
    SPELLING = 4


UNKNOWN = -1  # the code of a missing value
LabelRole = Literal["stratum", "confirm", "joined", "decade", "filled"]


@dataclass(frozen=True, kw_only=True)
class Label:
    """A field of people that is not linked: distinct canonical values, and a code per record (−1 for none)."""

    name: str
    type: FieldType
    role: LabelRole
    values: tuple[str, ...]
    codes: NDArray[np.int32]  # shape (records,)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the schema says about the registry and about publishing; it travels with the rows as text."""

    as_of: str | None = None  # the day that the registry describes, ISO 8601
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

    _KEYS: ClassVar[dict[str, str]] = {"matter": "title"}  # the file's name for a field


@dataclass(frozen=True, kw_only=True)
class PrivateRows:
    """One record per encoded row: people in the order of the roster, then a list's decoys, relatives, controls, and
    the further spellings of people and of synthetic records.

    ``kind`` says which is which. ``person`` numbers the people: a decoy or relative has the number of the person it was
    made from, a control 0, and a spelling the index of the record that it spells differently. Rows of a list that are
    one person are one record, under their fullest row. All records of a registry are people; those with the same
    ``person`` are spellings of one row, or rows that are equal in everything compared. ``planted`` are decoys of a list
    as a registry may spell them.
    """

    side: Side
    parameters: EncodingParameters
    rows_read: int
    rate: int  # the false-match rate asked for, in ten-thousandths
    fallbacks: int  # decoys whose surname came from the class, not from a shared given name or patronymic
    repeatable: bool  # made from --seed, and so not secret
    handles: NDArray[np.void]  # shape (records,), 16 bytes each
    rows: NDArray[np.int64]  # row of the roster
    person: NDArray[np.int32]
    kind: NDArray[np.uint8]
    completeness: NDArray[np.int8]
    ids: NDArray[np.bytes_]  # the owner's ids, UTF-8; empty where none were asked for
    labels: tuple[Label, ...] = ()
    policy: Policy = Policy()
    planted: PlantedTable | None = None

    HEADER: ClassVar[struct.Struct] = struct.Struct(f"<B{EncodingParameters.LAYOUT.size}sQQHQBHII")

    def __len__(self) -> int:
        return len(self.handles)

    @property
    def people(self) -> int:
        """How many people are encoded, without synthetic records and controls."""
        return int((self.kind == RecordKind.REAL).sum())

    def counts(self) -> dict[str, int]:
        """How many people there are, and how many records of each other kind that occurs, spellings included."""
        if self.side == "registry":
            people, rows = len(np.unique(self.person)), len(np.unique(self.rows))
            counts = {"people": people, "repeated rows": rows - people, "further spellings": len(self) - rows}
        else:
            kind = self.kind[self.stands_for()]
            further = int(((kind == RecordKind.REAL) & (self.kind == RecordKind.SPELLING)).sum())
            kinds = {"decoys": RecordKind.DECOY, "relatives": RecordKind.RELATIVE, "controls": RecordKind.CONTROL}
            counts = {"people": self.people, "further spellings": further}
            counts |= {name: int((kind == code).sum()) for name, code in kinds.items()}
        return {name: count for name, count in counts.items() if count or name == "people"}

    def of_kind(self, kind: int) -> NDArray[np.int64]:
        """The indices of the records of a kind."""
        return np.flatnonzero(self.kind == kind).astype(np.int64)

    def stands_for(self) -> NDArray[np.int64]:
        """For each record of a list its index, or that of the record that it is a further spelling of."""
        return np.where(self.kind == RecordKind.SPELLING, self.person, np.arange(len(self)))

    def of_roster(self) -> NDArray[np.bool_]:
        """Which records of a list were read from a roster and are not synthetic."""
        return np.isin(self.kind[self.stands_for()], (RecordKind.REAL, RecordKind.CONTROL))

    def reorder(self, order: NDArray[np.int64]) -> PrivateRows:
        """The records in another order, which must leave the people in the order they have."""
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
        """Write a new file, mode 0600."""
        width = max(1, self.ids.dtype.itemsize)
        if width > MAX_ID_BYTES:
            raise FileError(f"{path.name}: an id is longer than {MAX_ID_BYTES:,} bytes", hint="name another column")
        texts = {
            "labels": [[label.name, label.type, label.role, list(label.values)] for label in self.labels],
            "policy": self.policy.to_texts() if self.side == "list" else {},
        }
        block = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
        planted = self.planted.to_bytes() if self.planted else b""
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
            len(planted),
        )
        records = np.zeros(len(self), dtype=self._record(width))
        records["handle"], records["row"], records["person"] = self.handles, self.rows, self.person
        records["kind"], records["completeness"], records["id"] = self.kind, self.completeness, self.ids
        codes = [label.codes.astype("<i4").tobytes() for label in self.labels]
        parts = [container.preamble(b"pprl-row"), header, records.tobytes(), block, planted, *codes]
        container.write_new(path, parts, private=True, force=force)

    @classmethod
    def read(cls, path: Path, side: Side | None = None) -> PrivateRows:
        """The rows in a file.

        FileError: not a complete file of private rows, one of the other ``side``, or one that others can read.
        """
        body = container.read_body(path, b"pprl-row", private=True)
        head, data = body.header(cls.HEADER)
        side_index, parameters, count, rows_read, rate, fallbacks, repeatable, width, block, planted = head
        if side_index >= len(Encodings.SIDES) or not 0 < rate < 5_000 or width == 0:
            raise FileError(f"{path.name}: its header is damaged")
        actual = Encodings.SIDES[side_index]
        if side and actual != side:
            raise FileError(f"{path.name}: holds the rows of a {actual}, but those of a {side} are needed")
        record = cls._record(width)
        if len(data) < count * record.itemsize + block + planted:
            raise body.cut_short()
        records = np.frombuffer(data[: count * record.itemsize], dtype=record)
        rest = data[count * record.itemsize :]
        try:
            labels, policy = _labels_and_policy(bytes(rest[:block]), count)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise FileError(f"{path.name}: its labels are damaged") from None
        table, rest = PlantedTable.from_bytes(rest[block : block + planted], path.name), rest[block + planted :]
        codes = np.frombuffer(body.expect(rest, 4 * count * len(labels)), dtype="<i4").reshape(len(labels), count)
        labels = tuple(replace(label, codes=row.astype(np.int32)) for label, row in zip(labels, codes, strict=True))
        if not _sound(records) or not all(_fits(label) for label in labels):
            raise FileError(f"{path.name}: its records are damaged")
        return cls(
            side=actual,
            parameters=EncodingParameters.from_bytes(parameters, path.name),
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
            planted=table,
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
    """Whether the records can be judged: kinds, classes and people are in their ranges, and ids are text."""
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
        and ((records["completeness"] >= 0) & (records["completeness"] < len(CLASS_NAMES))).all()
        and ((person >= 0) & (person < limit)).all()
        and (kind[person[spelling]] != RecordKind.SPELLING).all()
    )


def _labels_and_policy(block: bytes, count: int) -> tuple[tuple[Label, ...], Policy]:
    """The labels, without codes yet, and the policy; ValueError, TypeError or KeyError for a block that is damaged."""
    data = json.loads(block.decode())
    empty = np.full(count, UNKNOWN, dtype=np.int32)
    labels = tuple(
        Label(name=name, type=kind, role=role, values=tuple(values), codes=empty)
        for name, kind, role, values in data["labels"]
    )
    texts: list[object] = []
    for label in labels:
        texts += [label.name, label.type, *label.values]
        if label.role not in get_args(LabelRole):
            raise ValueError
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return labels, Policy.from_texts(data["policy"])


def _fits(label: Label) -> bool:
    return bool(((label.codes >= UNKNOWN) & (label.codes < len(label.values))).all())
