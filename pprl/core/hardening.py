"""Named parameter sets: a schema picks one, and every number of the encoding follows from its name and its fields.

``plain`` is a keyed Bloom filter as it is, for people who hold both files. In ``standard`` and ``high`` each published
bit is a keyed random function of several minima of a sparse filter (`pprl.encode.minwise`). With more minima an
attacker names fewer people, and fewer people are matched whom two offices wrote differently. ``docs/encoding.md`` §6.4
has the figures by which the numbers were chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SetName = Literal["plain", "standard", "high"]
SET_NAMES: tuple[SetName, ...] = get_args(SetName)
DEFAULT_SET: SetName = "standard"

#: From how many distinguishing tokens on (docs/encoding.md §6.4): how many minima decide a bit, how many bits there
#: are, and up to how many rows of the larger roster a walk from known people to similar ones does not reach everybody.
_TABLE: dict[SetName, tuple[tuple[int, int, int, int], ...]] = {
    "plain": ((0, 0, 1024, 1 << 40),),
    "standard": ((0, 8, 4096, 18_000), (18, 6, 4096, 12_000), (23, 5, 8192, 20_000)),
    "high": ((0, 10, 4096, 40_000), (18, 8, 4096, 38_000), (23, 8, 8192, 100_000)),
}


@dataclass(frozen=True)
class ParameterSet:
    """The numbers of one schema under a set: ``length`` bits per encoding, each decided by so many ``minima`` (w).

    Without minima (``plain``) the encoding is the Bloom filter itself. ``most_rows`` is the size of the larger roster
    up to which the set holds.
    """

    name: SetName
    minima: int
    length: int
    most_rows: int

    def described(self) -> str:
        """The numbers in words, for people who decide whether to sign them."""
        return f"{self.length:,} bits, " + (f"{self.minima} minima for each" if self.minima else "no hardening")

    @classmethod
    def of(cls, name: SetName, tokens: float) -> ParameterSet:
        """The row of the table for so many distinguishing tokens."""
        _, *numbers = next(row for row in reversed(_TABLE[name]) if row[0] <= tokens)
        return cls(name, *numbers)


def lengths(name: SetName) -> set[int]:
    """All lengths that encodings of a set may have."""
    return {length for _, _, length, _ in _TABLE[name]}


def set_name(text: str) -> SetName | None:
    """The set of that name, if this version knows it."""
    return next((name for name in SET_NAMES if name == text), None)
