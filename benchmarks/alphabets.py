"""How well names in other alphabets meet their Latin spellings.

    python benchmarks/alphabets.py

Reads `tests/data/alphabets`: Arabic script with the spellings of many people, and for the other languages pairs by
hand. For each it prints, over names: mean Dice coefficient of bigrams, share equal, share at .8 or more; and over
invented people (a given name and a surname, drawn by frequency, with any of their spellings): the same, the mean of
different people, and the recall at the similarity that one in 1,000 different pairs reaches.

The rules for Arabic and Hebrew were tuned on half of the names (an even first byte of SHA-256); `known_names.tsv` was
made without the countries called held out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from pprl.normalize.names import fold_name
from pprl.normalize.scripts import in_latin
from pprl.normalize.text import known_text, scripts

DATA = Path(__file__).parents[1] / "tests" / "data" / "alphabets"
HELD_OUT = ("AF", "BH", "JO", "KW", "LY")
LANGUAGES = {
    "el": "Greek",
    "hy": "Armenian",
    "ka": "Georgian",
    "fa": "Persian",
    "ur": "Urdu",
    "ckb": "Kurdish",
    "ps": "Pashto",
}
PEOPLE, STRANGERS = 4_000, 200_000

Fold = Callable[[str, bool], str]


@dataclass(frozen=True)
class Name:
    """A name as written, one of its spellings in other letters, and how often to draw it."""

    native: str
    spelled: str
    given: bool
    weight: float = 1.0


def rows(file: str) -> list[list[str]]:
    lines = (DATA / file).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")][1:]


def arabic(countries: Iterable[str]) -> dict[str, list[Name]]:
    found: dict[str, list[Name]] = {}
    for country, part, native, spelled, people in rows("arabic.tsv"):
        if country in countries:
            found.setdefault(country, []).append(Name(native, spelled, part == "given", float(people)))
    return found


def by_hand(file: str, language: str | None, column: int = 3) -> dict[str, list[Name]]:
    found = []
    for row in rows(file):
        code, (part, native, *spelled) = (row[0], row[1:]) if language else (None, row)
        usual = spelled[column - 3].split(" / ") if len(spelled) > column - 3 else []
        if code == language:
            found += [Name(native, one, part == "given", 1 / (at + 1)) for at, one in enumerate(usual)]
    return {language or file: found}


def with_sounds(text: str, *, sounds: bool, names: bool) -> str:
    """The text with its scripts in Latin letters, without the rules or the known names."""
    text = known_text(text)
    for script in scripts():
        parts = {} if sounds else {"sounds": ()}
        variant = type(script)(**{**vars(script), **parts, **({} if names else {"known_names": {}})})
        text = variant.words.sub(partial(in_latin, variant), text)
    return text


def consonants(folded: str) -> str:
    return " ".join(word.translate(dict.fromkeys(map(ord, "aeiou"))) for word in folded.split())


DESIGNS: dict[str, tuple[Fold, Fold]] = {  # how names are folded, and how their Latin spellings
    "letters alone": (
        lambda text, given: fold_name(with_sounds(text, sounds=False, names=False), given=given),
        lambda text, given: fold_name(text, given=given),
    ),
    "rules": (
        lambda text, given: fold_name(with_sounds(text, sounds=True, names=False), given=given),
        lambda text, given: fold_name(text, given=given),
    ),
    "consonants on both sides": (
        lambda text, given: consonants(fold_name(with_sounds(text, sounds=True, names=False), given=given)),
        lambda text, given: consonants(fold_name(text, given=given)),
    ),
    "rules and names (used)": (
        lambda text, given: fold_name(text, given=given),
        lambda text, given: fold_name(text, given=given),
    ),
}


def bigrams(folded: str, given: bool) -> frozenset[tuple[bool, str]]:
    return frozenset((given, a + b) for word in folded.split() for a, b in zip(f"_{word}", f"{word}_", strict=True))


def dice(one: frozenset[object], two: frozenset[object]) -> float:
    return 2 * len(one & two) / (len(one) + len(two)) if one or two else 0.0


def measure(groups: dict[str, list[Name]], design: str) -> str:
    """Figures over the names and over people drawn from each group alike."""
    native, latin = (lru_cache(None)(lambda t, g, f=f: bigrams(f(t, g), g)) for f in DESIGNS[design])
    names = [name for group in groups.values() for name in group]
    alike = [dice(native(name.native, name.given), latin(name.spelled, name.given)) for name in names]
    weights = [name.weight**0.5 for name in names]

    def share(reached: Callable[[float], float]) -> float:
        return sum(w * reached(a) for w, a in zip(weights, alike, strict=True)) / sum(weights)

    line = f"{share(float):5.3f} {share(lambda a: a == 1):6.1%} {share(lambda a: a >= 0.8):6.1%}"
    rng = random.Random(1)
    people = []
    for group in groups.values():
        parts = [[name for name in group if name.given == given] for given in (True, False)]
        drawn = [rng.choices(part, [name.weight for name in part], k=PEOPLE // len(groups)) for part in parts]
        people += zip(*drawn, strict=True)
    theirs = [native(g.native, True) | native(s.native, False) for g, s in people]
    spelled = [latin(g.spelled, True) | latin(s.spelled, False) for g, s in people]
    same = [dice(a, b) for a, b in zip(theirs, spelled, strict=True)]
    pairs = [(rng.randrange(len(people)), rng.randrange(len(people))) for _ in range(STRANGERS)]
    other = sorted(
        dice(theirs[a], spelled[b])
        for a, b in pairs
        if [name.native for name in people[a]] != [name.native for name in people[b]]
    )
    reached = other[-1 - len(other) // 1_000]
    recall = sum(a > reached for a in same) / len(same)
    return line + f" {sum(same) / len(same):8.3f} {sum(other) / len(other):6.3f} {reached:6.3f} {recall:7.1%}"


def main() -> None:
    tables: dict[str, dict[str, list[Name]]] = {
        "Arabic script, countries tuned on": arabic({row[0] for row in rows("arabic.tsv")} - set(HELD_OUT)),
        "Arabic script, countries held out": arabic(HELD_OUT),
        **{name: by_hand("others.tsv", code) for code, name in LANGUAGES.items()},
        **{f"{LANGUAGES[code]} and Russian": by_hand("others.tsv", code, 4) for code in ("el", "hy", "ka")},
        "Hebrew": by_hand("hebrew.tsv", None),
    }
    print(f"{'':36} {'design':25} {'names: Dice, equal, .8':>22} {'people: same':>12} other .1% at  recall")
    for title, groups in tables.items():
        for design in DESIGNS:
            print(f"{title:36} {design:25} {measure(groups, design)}", flush=True)


if __name__ == "__main__":
    main()
