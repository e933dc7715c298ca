"""Canonical value to tokens: the pieces that two spellings of one value share.

Each type has one function; ``docs/encoding.md`` §4 describes them in prose. All name types share one token space, so
that a given name in the surname column still matches its person; every other field has its own space.
"""

from __future__ import annotations

from pprl.core.schema import NAME_TYPES, Field


def tokens(kind: str, value: str) -> list[str]:
    """The distinct tokens of a canonical value, in order of first appearance.

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
            found = [f"{position}:{letter}" for position, letter in enumerate(value)] + bigrams(value)
        case "number":
            found = [str(int(value) + step) for step in (-2, -1, 0, 1, 2)]
        case _:
            found = [value]
    return list(dict.fromkeys(found))


def space(field: Field) -> str:
    """The space in which tokens are compared: "name" for every name type, the field itself otherwise."""
    return "name" if field.type in NAME_TYPES else f"field/{field.name}"


def name_tokens(value: str) -> list[str]:
    """Padded bigrams of each word. An initial (``i.``) is the first bigram alone, which the full name has too."""
    found: list[str] = []
    for word in value.split(" "):
        found += [f"_{word[0]}"] if word.endswith(".") else bigrams(word)
    return found


def bigrams(word: str) -> list[str]:
    padded = f"_{word}_"
    return [padded[start : start + 2] for start in range(len(padded) - 1)]


def date_tokens(value: str) -> list[str]:
    """Year, month and day, and each digit with its position: one wrong digit costs two of eleven tokens."""
    parts = [letter + part for letter, part in zip("ymd", value.split("-"), strict=False)]
    return parts + [f"{position}:{digit}" for position, digit in enumerate(value.replace("-", ""))]
