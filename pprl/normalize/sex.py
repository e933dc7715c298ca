"""The sex that a name shows, for rosters without a column of it.

A patronymic nearly always shows it, a surname often: Орлов and Орлова, Зелінський and Зелінська. Шевченко, Черных and
Мицкевич show nothing, and endings shared with nouns are left alone (Щербина, Голова), since unknown is better than
wrong. Given names are not used: Саша, Женя and the many names on no list would need a list.

The endings are in ``sex_endings.tsv``, for folded names, so that Cyrillic and Latin agree.
"""

from __future__ import annotations

from functools import cache

from pprl.normalize.text import read_table


def sex_of(part: str, name: str) -> str | None:
    """``m`` or ``f`` by the longest known ending of a folded name's last word, None if it shows neither; ``part`` is
    surname or patronymic.

    >>> sex_of("patronymic", "ivanovna"), sex_of("surname", "orlov"), sex_of("surname", "werbina")
    ('f', 'm', None)
    """
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
