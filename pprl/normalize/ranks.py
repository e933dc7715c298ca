"""A rank is its step on the ladder, so that army and navy, Russian, Ukrainian and English meet.

``ranks.tsv`` gives each rank and each of its abbreviations a number; private and seaman are both 10,
lieutenant is 100. Spaces, full stops and hyphens do not count. Words that say where someone serves and not
how high (guards, reserve, medical service, justice) are rows without a number and are removed when the cell
is unknown with them."""

from __future__ import annotations

import re
from functools import cache

from pprl.normalize.text import latin_text, read_table


def fold_rank(text: str) -> str | None:
    """The number of the rank as text, or None for a rank that no row knows.

    >>> fold_rank("ст. л-т"), fold_rank("гвардии старший лейтенант"), fold_rank("Senior Lieutenant")
    ('110', '110', '110')
    """
    words = latin_text(text)
    return _ranks().get(_key(words)) or _ranks().get(_key(_not_a_rank().sub(" ", words)))


def _key(words: str) -> str:
    return words.replace(" ", "")


@cache
def _ranks() -> dict[str, str]:
    return {
        _key(latin_text(row["abbreviation"])): row["order"] for row in read_table("ranks.tsv") if row["order"] != "-"
    }


@cache
def _not_a_rank() -> re.Pattern[str]:
    words = [latin_text(row["abbreviation"]) for row in read_table("ranks.tsv") if row["order"] == "-"]
    return re.compile(r"\b(?:{})\b".format("|".join(sorted(words, key=len, reverse=True))))
