"""A value as another office writes it: complete where this one holds a part of it, with its own typing errors."""

from __future__ import annotations

import numpy as np

from pprl.core.randomness import RandomStream
from pprl.core.schema import NAME_TYPES

#: Differences between spellings of one name that remain after folding: of 33,600 romanisations of the 1,200 commonest
#: names of Russian men under 28 standards 166 still differ, and these are the commonest of their differences.
RESPELLINGS = (("sg", "w"), ("w", "q"), ("j", "i"), ("c", "s"), ("c", "k"), ("q", "g"))


class Respeller:
    """Writes canonical values as another office would.

    One word of a name in ten is mistyped, and one in fifty is spelled as another romanisation leaves it, where
    possible. Other values stay as they are.
    """

    def __init__(self, draws: RandomStream) -> None:
        self._draws = draws

    def rewritten(self, value: str, stranger: str, kind: str) -> str:
        """``value`` of a field of type ``kind``; what it lacks comes from a ``stranger``'s value of that field."""
        return self.retyped(completed(value, stranger, kind), kind)

    def retyped(self, value: str, kind: str) -> str:
        """A whole value with the errors of another office."""
        if kind not in NAME_TYPES:
            return value
        return " ".join(self._mistyped(self._respelled(word)) for word in value.split(" "))

    def _respelled(self, word: str) -> str:
        miss, first = self._draws.below(np.array([50, len(RESPELLINGS)]), 2).tolist()
        for old, new in () if miss else (*RESPELLINGS[first:], *RESPELLINGS[:first]):
            if old in word[1:]:
                return word[0] + word[1:].replace(old, new, 1)
        return word

    def _mistyped(self, word: str) -> str:
        miss, position, letter = self._draws.below(np.array([10, max(1, len(word) - 1), 26]), 3).tolist()
        if miss or len(word) < 3:
            return word
        return word[: position + 1] + chr(ord("a") + letter) + word[position + 2 :]


def completed(value: str, stranger: str, kind: str) -> str:
    """A part of a value made whole: an initial to a ``stranger``'s name, a year to their date."""
    if kind == "date":
        return value + stranger[len(value) :]
    if kind not in NAME_TYPES:
        return value
    return " ".join(word[:-1] + stranger.split(" ")[0][1:] if word.endswith(".") else word for word in value.split(" "))


def as_full_as(value: str, model: str, kind: str) -> str:
    """No more of a whole ``value`` than ``model`` says of another: initials for initials, the year for a year."""
    if kind == "date":
        return value[: len(model)]
    return initials(value) if kind in NAME_TYPES and all(word.endswith(".") for word in model.split(" ")) else value


def initials(value: str) -> str:
    """
    >>> initials("anna mariq")
    'a. m.'
    """
    return " ".join(f"{word[0]}." for word in value.split(" "))
