"""What is compared and how: the agreed vocabulary of a linkage.

A schema is a small TOML file that both owners hold. Everything that decides an encoded bit (``[encoding]``, the
linked fields, the folding tables) enters its fingerprint, and the fingerprint enters every key: if two owners have
different schemas, their encodings cannot be compared, and a message says so. ``[policy]``, strata and further
fields that are not linked stay outside the fingerprint, since they change no bit.

Rates are kept as ten-thousandths, so that canonical bytes hold only integers and text.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pprl.core.errors import RefusedError, SchemaError

FORMAT = 1

FieldType = Literal[
    "surname", "given", "patronymic", "date", "year", "sex", "rank", "identifier", "category", "number", "text"
]
FieldRole = Literal["link", "stratum", "confirm", "joined"]

#: Expected tokens per value, by type (docs/encoding.md §4): fixed, never taken from data, since both owners must agree.
EXPECTED_TOKENS: dict[FieldType, int] = {
    "surname": 8,
    "given": 7,
    "patronymic": 10,
    "date": 11,
    "year": 5,
    "sex": 1,
    "rank": 1,
    "identifier": 13,
    "category": 1,
    "number": 5,
    "text": 12,
}
NAME_TYPES: tuple[FieldType, ...] = ("surname", "given", "patronymic")
ROLES: tuple[FieldRole, ...] = get_args(FieldRole)
PUBLIC = ("yes", "no", "unknown")
HARDENINGS = (0, 5, 8, 10)
SMALL_CELLS = ("round", "suppress")
LENGTHS = (256, 512, 1024, 2048, 4096, 8192)
MIN_EXPECTED_TOKENS = 12
MAX_K = 32
FULL_NAME = "full_name"


@dataclass(frozen=True)
class Field:
    """One field of a person; each of its tokens sets ``k`` bits (0 if the field is not linked)."""

    name: str
    type: FieldType
    role: FieldRole
    k: int


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The whole agreement on encoding and judging; ``docs/encoding.md`` explains every key."""

    name: str
    length: int
    hardening: int
    fill: int
    false_match_rate: int
    decoys: int
    disclosure: int
    fields: tuple[Field, ...]
    registry_as_of: datetime.date | None = None
    registry_public_before_list: str = "unknown"
    small_cells: str = "round"

    def linked(self) -> tuple[Field, ...]:
        """The fields that are encoded, in the order of the file."""
        return tuple(field for field in self.fields if field.role == "link")

    def canonical(self) -> bytes:
        """The bytes that both owners must agree on: only integers and text, keys sorted, no spaces."""
        linked = sorted((field.name, field.type, field.k) for field in self.linked())
        body = {
            "format": FORMAT,
            "encoding": {"length": self.length, "hardening": self.hardening, "fill": self.fill},
            "fields": [list(entry) for entry in linked],
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def fingerprint(self, folding: bytes) -> bytes:
        """32 bytes that differ whenever an encoded bit could differ: a hash of canonical bytes and folding tables."""
        return hashlib.sha256(b"pprl/1/schema\0" + folding + self.canonical()).digest()

    def with_hardening(self, hardening: int) -> Schema:
        """The same schema with another hardening. SchemaError: it is not 0, 5, 8 or 10."""
        if hardening not in HARDENINGS:
            raise SchemaError(
                f"hardening must be one of {', '.join(map(str, HARDENINGS))}",
                hint="8 is the default; 0 means no hardening",
            )
        return replace(self, hardening=hardening)

    def refuse_weak(self, linked: tuple[Field, ...] | None = None, because: Sequence[str] = ()) -> None:
        """RefusedError: fewer than two linked fields, or fewer than 12 expected tokens.

        A single field or a handful of tokens can be read from its encoding, and matches strangers. ``because`` says
        what could not be read.
        """
        linked = self.linked() if linked is None else linked
        tokens = sum(EXPECTED_TOKENS[field.type] for field in linked)
        if len(linked) < 2 or tokens < MIN_EXPECTED_TOKENS:
            more = "link at least two fields, say a name and a birth date, or pass --allow-weak"
            raise RefusedError(
                f"only {len(linked)} field(s) with {tokens} expected tokens can be linked: "
                "too few to protect people or to distinguish them",
                hint="; ".join((*because, more)),
            )


def ten_thousandths(value: object, below: float = 0.5) -> int:
    """A rate such as ``0.05`` or ``"5%"`` in ten-thousandths, here 500.

    ValueError: it is not a number, or not between 0 and ``below``, both excluded.
    """
    wanted = f"a rate above 0 and below {below:g}, such as 0.05 or 5%"
    try:
        text = str(value).strip()
        number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError(wanted) from None
    # The rounded value is checked too: 0.49999 would become 5,000, which is not below a half.
    if not 0 < number < below or not 0 < round(number * 10_000) < round(below * 10_000):
        raise ValueError(wanted)
    return round(number * 10_000)


def bits_per_weight(length: int, fill: int, fields: list[tuple[FieldType, float]]) -> float:
    """κ: bits per token of a field of weight 1, such that an average person fills ``fill`` of the filter.

    κ = ln(1 − fill) / (ln(1 − 1/length) · Σ weight · expected tokens); ``fields`` are (type, weight).
    """
    expected = sum(weight * EXPECTED_TOKENS[kind] for kind, weight in fields)
    return math.log1p(-fill / 10_000) / (math.log1p(-1 / length) * expected) if expected else 0.0
