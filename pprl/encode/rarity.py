"""How much a token is worth by its rarity: a public table that ships with the package.

Tokens that most people have, such as `ov` in a name or `1` at the beginning of a year, distinguish nobody, and
strangers who share them are what an attacker counts. They are worth nothing or half. All others, known or not, are
worth the same: finer steps help with the names that the table was made of, and cost more with others. The shares of
people come from public lists of names and from arithmetic on dates, never from a roster: both owners must arrive at the
same worth, and a roster's own shares would tell about it.

``benchmarks/rarity.py`` makes the table; `docs/encoding.md` §6.1 specifies its use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pprl.core.schema import NAME_TYPES, FieldType

TABLE = "rarity.tsv"
UNKNOWN = "*"


@dataclass(frozen=True)
class Rarity:
    """Worths by kind of value (``name`` for the three name types, otherwise the field type) and token."""

    worths: Mapping[tuple[str, str], int]

    def worth(self, kind: FieldType, token: str) -> int:
        """A whole number, 0 for a token that is worth nothing.

        >>> rarity().worth("date", "0:1")
        0
        """
        table = "name" if kind in NAME_TYPES else kind
        known = self.worths.get((table, token))
        return self.worths[table, UNKNOWN] if known is None else known

    @classmethod
    def from_text(cls, text: str) -> Rarity:
        """From the table's text; lines that begin with ``#`` name its version and sources."""
        lines = [line.split("\t") for line in text.split("\n") if line and not line.startswith("#")]
        assert lines[0] == ["kind", "token", "worth"]
        return cls({(kind, token): int(worth) for kind, token, worth in lines[1:]})


@cache
def rarity() -> Rarity:
    """The table that ships."""
    return Rarity.from_text(_table().decode())


@cache
def rarity_hash() -> bytes:
    """SHA-256 of the bytes of the table."""
    return hashlib.sha256(_table()).digest()


def _table() -> bytes:
    return resources.files("pprl.encode").joinpath("data", TABLE).read_bytes()
