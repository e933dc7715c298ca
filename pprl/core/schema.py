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
from pprl.core.hardening import SET_NAMES, ParameterSet, SetName, set_name

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
SMALL_CELLS = ("round", "suppress")
MIN_EXPECTED_TOKENS = 12
MAX_K = 32  # bits of a plain filter for one token
PLAIN_FILL = 0.2  # of a plain filter by an average person
FULL_NAME = "full_name"


@dataclass(frozen=True)
class Field:
    """One field of a person. ``weight`` is how much its tokens count, in hundredths (0 if the field is not linked)."""

    name: str
    type: FieldType
    role: FieldRole
    weight: int


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The whole agreement on encoding and judging; ``docs/encoding.md`` explains every key."""

    name: str
    hardening: SetName
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
        linked = sorted((field.name, field.type, field.weight) for field in self.linked())
        numbers = self.parameters
        body = {
            "format": FORMAT,
            "encoding": {"hardening": numbers.name, "length": numbers.length, "minima": numbers.minima},
            "fields": [list(entry) for entry in linked],
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def fingerprint(self, folding: bytes) -> bytes:
        """32 bytes that differ whenever an encoded bit could differ: a hash of canonical bytes and folding tables."""
        return hashlib.sha256(b"pprl/2/schema\0" + folding + self.canonical()).digest()

    @property
    def parameters(self) -> ParameterSet:
        """The numbers of the encoding, which follow from the set and the linked fields."""
        return ParameterSet.of(self.hardening, distinguishing_tokens(self.linked()))

    @property
    def length(self) -> int:
        """Bits of an encoding."""
        return self.parameters.length

    def with_hardening(self, hardening: str) -> Schema:
        """The same schema under another parameter set. SchemaError: there is none of that name."""
        name = set_name(hardening)
        if name is None:
            raise SchemaError(
                f"hardening must be one of {', '.join(SET_NAMES)}",
                hint="standard is the default; plain means no hardening",
            )
        return replace(self, hardening=name)

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

    def refuse_large(self, rows: int) -> None:
        """RefusedError: a roster of so many rows holds so many similar people that the parameter set does not protect
        them (docs/risk.md).
        """
        if rows <= self.parameters.most_rows:
            return
        larger = [self.with_hardening(name) for name in SET_NAMES if name not in ("plain", self.hardening)]
        enough = [f'set hardening = "{other.hardening}"' for other in larger if rows <= other.parameters.most_rows]
        ways = [*enough, "link another field", "keep both files in one hand and link them with `pprl link`"]
        raise RefusedError(
            f"the parameter set {self.hardening} protects rosters of up to {self.parameters.most_rows:,} rows with "
            f"these fields, and {rows:,} are agreed",
            hint=", or ".join(ways),
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


def expected_tokens(fields: Sequence[Field]) -> float:
    """How many tokens an average person has in these fields, each counted by its field's weight."""
    return sum(field.weight * EXPECTED_TOKENS[field.type] for field in fields) / 100


def distinguishing_tokens(fields: Sequence[Field]) -> float:
    """The same without patronymics, which so many people share that they set hardly anybody apart."""
    return expected_tokens([field for field in fields if field.type != "patronymic"])


def plain_bits(fields: Sequence[Field], length: int) -> dict[str, int]:
    """How many bits of a plain filter each token of a field sets, such that an average person fills a fifth of it.

    Weight × κ, rounded, from 1 to 32; κ = ln(1 − fill) / (ln(1 − 1/length) · expected tokens).
    """
    kappa = math.log1p(-PLAIN_FILL) / (math.log1p(-1 / length) * expected_tokens(fields))
    return {field.name: max(1, min(MAX_K, round(field.weight / 100 * kappa))) for field in fields}
