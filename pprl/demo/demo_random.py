"""Single draws from a random stream, the same on every machine, and the slip of a typist's finger."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import TypeVar

from pprl.core.randomness import RandomStream

T = TypeVar("T")


class DemoRandom:
    """RandomStream one at a time, from a stream that nobody else reads.

    >>> DemoRandom(b"example", "demo").below(6) == DemoRandom(b"example", "demo").below(6)
    True
    """

    def __init__(self, seed: bytes, label: str) -> None:
        self._draws = RandomStream(seed, label)
        self._words: Iterator[int] = iter(())

    def below(self, bound: int) -> int:
        """Uniform on 0 … bound − 1: a word at or above the largest multiple of the bound is thrown away."""
        top = 2**64 - 2**64 % bound
        while True:
            for word in self._words:
                if word < top:
                    return word % bound
            self._words = iter(self._draws.words(4096).tolist())

    def percent(self, share: float) -> bool:
        """True in ``share`` of a hundred cases, to a thousandth."""
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
    """A letter left out, doubled, swapped with the one before it, or mistaken; never the first, which would change an
    initial, nor the last two, by which a patronymic is known."""
    places = [at for at in range(1, len(name) - 2) if name[at].isalpha() and name[at - 1].isalpha()]
    if not places:
        return name
    at = draw.one_of(places)
    match draw.below(4):
        case 0:
            return name[:at] + name[at + 1 :]
        case 1:
            return name[:at] + name[at] + name[at:]
        case 2 if at > 1:
            return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
        case _:
            return name[:at] + draw.one_of(letters) + name[at + 1 :]
