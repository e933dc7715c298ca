"""The sex that a name tells: for rosters without a column of it.

A patronymic nearly always tells it, a surname often: Орлов and Орлова, Зелінський and Зелінська. Шевченко, Черных and
Мицкевич tell nothing, and endings that nouns share are left alone (Щербина, Голова), since unknown is better than
wrong. Given names are not asked: Саша, Женя and all that no list holds would need one.

The endings stand in ``sex_endings.tsv``, for folded names, so that Cyrillic and Latin agree.
"""

from __future__ import annotations

from functools import cache

from pprl.normalize.text import read_table


def derive_sex(surname: str, patronymic: str) -> str | None:
    """``m`` or ``f`` from folded names, the patronymic first; None when neither tells.

    >>> derive_sex("kovalquk", "ivanovna"), derive_sex("orlov", ""), derive_sex("werbina", "")
    ('f', 'm', None)
    """
    return sex_of("patronymic", patronymic) or sex_of("surname", surname)


def sex_of(part: str, name: str) -> str | None:
    """What the longest known ending of the last word says; ``part`` is surname or patronymic."""
    word = "_" + name.rpartition(" ")[2]
    endings = _endings(part)
    for start in range(len(word)):
        letters, sex = endings.get(word[start:], (0, "-"))
        if letters and len(word) > letters:
            return None if sex == "-" else sex
    return None


@cache
def _endings(part: str) -> dict[str, tuple[int, str]]:
    return {
        row["ending"]: (int(row["letters"]), row["sex"]) for row in read_table("sex_endings.tsv") if row["part"] == part
    }
