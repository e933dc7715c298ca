"""Single random draws, the same on every machine, and typing errors."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import TypeVar

from pprl.core.randomness import RandomStream

T = TypeVar("T")


class DemoRandom:
    """Single draws from a random stream that nothing else reads.

    >>> DemoRandom(b"example", "demo").below(6) == DemoRandom(b"example", "demo").below(6)
    True
    """

    def __init__(self, seed: bytes, label: str) -> None:
        self._draws = RandomStream(seed, label)
        self._words: Iterator[int] = iter(())

    def below(self, bound: int) -> int:
        """Uniform on 0 … bound − 1: words at or above the largest multiple of the bound are rejected."""
        top = 2**64 - 2**64 % bound
        while True:
            for word in self._words:
                if word < top:
                    return word % bound
            self._words = iter(self._draws.words(4096).tolist())

    def percent(self, share: float) -> bool:
        """True with a chance of ``share`` per cent, exact to a thousandth."""
        return self.below(100_000) < round(1000 * share)

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def weighted(self, options: Sequence[tuple[T, int]]) -> T:
        roll = self.below(sum(weight for _, weight in options))
        for option, weight in options:
            roll -= weight
            if roll < 0:
                return option
        raise AssertionError("a roll is below the sum of the weights")

    def date(self, first: datetime.date, last: datetime.date) -> datetime.date:
        return first + datetime.timedelta(days=self.below((last - first).days + 1))

    def order(self, count: int) -> list[int]:
        """0 … count − 1, shuffled."""
        order: list[int] = self._draws.permutation(count).tolist()
        return order


def mistyped(name: str, draw: DemoRandom, letters: str) -> str:
    """The name with one letter left out, doubled, swapped with the one before it, or replaced.

    Never the first letter, which would change an initial, nor the last two, which mark a patronymic.
    """
    positions = [i for i in range(1, len(name) - 2) if name[i].isalpha() and name[i - 1].isalpha()]
    if not positions:
        return name
    i = draw.one_of(positions)
    match draw.below(4):
        case 0:
            return name[:i] + name[i + 1 :]
        case 1:
            return name[:i] + name[i] + name[i:]
        case 2 if i > 1:
            return name[: i - 1] + name[i] + name[i - 1] + name[i + 1 :]
        case _:
            return name[:i] + draw.one_of(letters) + name[i + 1 :]
