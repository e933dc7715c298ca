"""Canonical value to tokens: the pieces that two spellings of one value share.

Each type has one function; ``docs/encoding.md`` §4 says the same in prose. All name types share one token space, so
that a given name in the surname's column still meets its person; every other field has a space of its own.
"""

from __future__ import annotations

from pprl.core.schema import NAME_TYPES, Field


def tokens(kind: str, value: str) -> list[str]:
    """The distinct tokens of a canonical value, in the order they are met.

    >>> tokens("surname", "li")
    ['_l', 'li', 'i_']
    >>> tokens("given", "i. p.")
    ['_i', '_p']
    >>> tokens("date", "1985-03")
    ['y1985', 'm03', '0:1', '1:9', '2:8', '3:5', '4:0', '5:3']
    """
    match kind:
        case "surname" | "given" | "patronymic" | "text":
            found = name_tokens(value)
        case "date" | "year":
            found = date_tokens(value)
        case "identifier":
            found = [f"{place}:{letter}" for place, letter in enumerate(value)] + bigrams(value)
        case "number":
            found = [str(int(value) + step) for step in (-2, -1, 0, 1, 2)]
        case _:
            found = [value]
    return list(dict.fromkeys(found))


def space(field: Field) -> str:
    """Which tokens may meet: "name" for every name type, the field itself otherwise."""
    return "name" if field.type in NAME_TYPES else f"field/{field.name}"


def name_tokens(value: str) -> list[str]:
    """Padded bigrams of each word; an initial (``i.``) is the first of them, which the full name emits too."""
    found: list[str] = []
    for word in value.split(" "):
        found += [f"_{word[0]}"] if word.endswith(".") else bigrams(word)
    return found


def bigrams(word: str) -> list[str]:
    padded = f"_{word}_"
    return [padded[at : at + 2] for at in range(len(padded) - 1)]


def date_tokens(value: str) -> list[str]:
    """Year, month and day as wholes, and each digit with its place: one wrong digit costs two tokens of eleven."""
    parts = [letter + part for letter, part in zip("ymd", value.split("-"), strict=False)]
    return parts + [f"{place}:{digit}" for place, digit in enumerate(value.replace("-", ""))]
