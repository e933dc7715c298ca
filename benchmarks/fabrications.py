"""Fabricated lists and forged decoys: which rung of the ladder do they reach?

    python benchmarks/fabrications.py DATA [--runs 20] [--size 300] [--registry 10000] [--fields date names]
                                           [--lists NAME ...] [--decoys NAME ...] [--workers 2]

None of the lists but those marked (true) names anybody in the registry who should be found, so at most one of 400 may
be called *beyond chance*. Copied lists may be *beyond chance, copying cannot be ruled out* and never more. `--decoys`
puts forged ones in place of the list's own: *honest* by default, *all* for every recipe. The last columns say how
often each check alone would have let the list pass: soundness, the list's own test, and the registry's decoys.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import RUNS_A_POPULATION, Cell, held, population_of, schema_of
from rosters import Case, frequent_names, is_second_culture

from pprl.core.bits import BitMatrix
from pprl.core.encodings import Encodings
from pprl.core.hardening import SET_NAMES
from pprl.core.key import LinkageKey
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import Randomness
from pprl.encode.encoder import encode
from pprl.encode.list import encode_list
from pprl.judge.assessment import judge
from pprl.match import search
from pprl.match.encodings import match_encodings
from pprl.roster.load import load

Frame = pd.DataFrame
Bits = np.ndarray  # shape (rows, length), 0 or 1
NAMES = ("surname", "given", "patronymic")


@dataclass(frozen=True)
class Forger:
    """Somebody who makes up a list, with what they know: a population like the registry's, and their own draws."""

    case: Case
    data: Path
    cell: Cell
    number: int
    draw: np.random.Generator

    @cached_property
    def absent(self) -> np.ndarray:
        return np.flatnonzero(self.case.truth < 0)

    @cached_property
    def present(self) -> np.ndarray:
        return np.flatnonzero((self.case.truth >= 0) & (self.case.truth < self.cell.registry))

    def some(self, rows: np.ndarray, count: int) -> Frame:
        rows = self.draw.permutation(rows)
        return self.case.leaked.iloc[np.resize(rows, count)].reset_index(drop=True)

    def independent(self, count: int) -> Frame:
        """Every field from another absent person."""
        leaked = self.case.leaked
        return pd.concat({header: self.some(self.absent, count)[header] for header in leaked}, axis=1)

    def generic(self, count: int) -> Frame:
        """The 30 most frequent names of each kind, dates of few years."""
        made = {name: self.draw.choice(frequent_names(self.data, name, 30), 3 * count) for name in NAMES}
        days = np.datetime64("1982-01-01") + self.draw.integers(0, 5_000, 3 * count).astype("timedelta64[D]")
        frame = pd.DataFrame(made | ({"birth_date": days.astype(str)} if "birth_date" in self.case.leaked else {}))
        return frame.drop_duplicates().head(count).reset_index(drop=True)

    def rare(self, count: int) -> Frame:
        """Names that nobody has, as long as names are."""
        frame = self.some(self.absent, count)
        letters = [np.array(list(text)) for text in ("бвгджзклмнпрстфхцчш", "аеиоуыэюя")]
        for name in NAMES:
            lengths = frame[name].str.len().clip(lower=4)
            frame[name] = [
                "".join(self.draw.choice(letters[at % 2]) for at in range(length)).capitalize() for length in lengths
            ]
        return frame

    def relatives(self, count: int) -> Frame:
        """Kin of registered people: their surname and patronymic, another given name and date."""
        kin, others = self.some(self.present, count), self.some(self.absent, count)
        return kin.assign(**{name: others[name] for name in others if name not in ("surname", "patronymic")})

    def registered(self, count: int) -> Frame:
        """A copy from the registry."""
        registry = self.case.registry.set_axis(self.case.leaked.columns, axis=1)
        return registry.iloc[self.draw.permutation(len(registry))[:count]].reset_index(drop=True)


def mixture(first: Callable[[int], Frame], second: Callable[[int], Frame], share: float) -> Callable[[int], Frame]:
    def made(count: int) -> Frame:
        return pd.concat([first(round(share * count)), second(count - round(share * count))], ignore_index=True)

    return made


def lists_of(forger: Forger) -> dict[str, Callable[[int], Frame]]:
    """The kinds of lists by name; each takes the number of people."""
    absent, present = (lambda count, rows=rows: forger.some(rows, count) for rows in (forger.absent, forger.present))
    second = np.flatnonzero(is_second_culture(forger.data, forger.case.leaked["surname"]))
    own_absent, own_present = (np.intersect1d(second, rows) for rows in (forger.absent, forger.present))

    def families(count: int) -> Frame:
        """Two in three have a brother on the list."""
        people, others = absent(count - count // 3), absent(count // 3)
        kin = people.head(count // 3).assign(**{n: others[n] for n in others if n not in ("surname", "patronymic")})
        return pd.concat([people, kin], ignore_index=True)

    def recombined(count: int) -> Frame:
        return pd.concat({header: forger.registered(count)[header] for header in forger.case.leaked}, axis=1)

    return {
        "absent": absent,
        "independent": forger.independent,
        "families": families,
        "relatives": forger.relatives,
        "recombined": recombined,
        "second culture": lambda count: forger.some(own_absent, count),
        "generic": forger.generic,
        "rare and generic": mixture(forger.generic, forger.rare, 0.15),
        "copied 30%": mixture(forger.registered, forger.independent, 0.3),
        "copied 100%": forger.registered,
        "10% present (true)": mixture(present, absent, 0.1),
        "30% present (true)": mixture(present, absent, 0.3),
        "second culture, 30% present (true)": mixture(lambda count: forger.some(own_present, count), absent, 0.3),
    }


@dataclass(frozen=True)
class Forged:
    """A list with honest decoys, and the rows of what its owner puts in place of them."""

    forger: Forger
    frame: Frame
    bits: Bits
    people: np.ndarray
    places: np.ndarray
    owners: np.ndarray  # the row of ``frame`` of each place's person
    key: LinkageKey

    def encoded(self, frame: Frame) -> Bits:
        """As many encodings of invented people as there are places."""
        schema = schema_of(self.forger.cell)
        people = load(frame, schema, "list", columns=self.forger.case.list_columns, any_age=True).people
        words = encode(people, schema, self.key.secret).words
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[np.arange(len(self.places)) % len(words)]

    def mixed(self, of: int) -> Bits:
        """Bit by bit from so many people of the list."""
        draw = self.forger.draw
        chosen = np.array([draw.choice(self.people, of, replace=False) for _ in self.places])
        position = draw.integers(0, of, (len(self.places), self.bits.shape[1]))
        return self.bits[np.take_along_axis(chosen, position, axis=1), np.arange(self.bits.shape[1])]

    def noisy(self, share: float) -> Bits:
        """Honest decoys with a share of their bits exchanged among themselves."""
        bits, draw = self.bits[self.places], self.forger.draw
        return np.where(draw.random(bits.shape) < share, draw.permuted(bits, axis=1), bits)

    def garbled(self) -> Bits:
        """The person beside whom they stand, with two in five letters exchanged."""
        frame, letters = (
            self.frame.iloc[self.owners].reset_index(drop=True),
            np.array(list("абвгдежзиклмнопрстуфхцчшя")),
        )
        for name in NAMES:
            frame[name] = [
                "".join(self.forger.draw.choice(letters) if self.forger.draw.random() < 0.4 else each for each in text)
                for text in frame[name].astype(str)
            ]
        return self.encoded(frame)

    def of_another_century(self) -> Bits:
        """The list's names drawn apart, with dates on which nobody was born; without dates, the wrong patronymic."""
        count, draw = len(self.places), self.forger.draw
        frame = pd.DataFrame(
            {name: self.frame[name].to_numpy()[draw.integers(0, len(self.frame), count)] for name in self.frame}
        )
        if "birth_date" not in frame:
            return self.encoded(frame.assign(given=frame["patronymic"]))
        days = np.datetime64("1905-01-01") + draw.integers(0, 9_000, count).astype("timedelta64[D]")
        return self.encoded(frame.assign(birth_date=days.astype(str)))

    def another_list(self) -> Bits:
        """People of another population of the same kind."""
        forger = self.forger
        other, _, _ = population_of(forger.data, forger.number + 50, forger.cell)
        return self.encoded(replace(forger, case=other).some(np.flatnonzero(other.truth < 0), len(self.places)))

    def tail_cut(self) -> Bits:
        """Honest decoys without the three in ten that come nearest to another registry of the same kind."""
        forger = self.forger
        _, _, theirs = population_of(forger.data, forger.number + 50, forger.cell)
        words = np.packbits(self.bits[self.places], axis=1, bitorder="little").view("<u8")
        found = search.best(
            BitMatrix(np.ascontiguousarray(words)), encode(theirs, schema_of(forger.cell), self.key.secret), keep=1
        )
        near = 2 * found.common[:, 0] / np.maximum(found.total[:, 0], 1)
        kept = np.flatnonzero(near <= np.quantile(near, 0.7))
        return self.bits[self.places[forger.draw.choice(kept, len(self.places))]]


RECIPES: dict[str, Callable[[Forged], Bits]] = {
    "mixed of 2": lambda forged: forged.mixed(2),
    "mixed of 4": lambda forged: forged.mixed(4),
    "mixed of 16": lambda forged: forged.mixed(16),
    "random bits": lambda forged: forged.noisy(1.0),
    "30% noise": lambda forged: forged.noisy(0.3),
    "other positions": lambda forged: forged.bits[forged.places][
        :, forged.forger.draw.permutation(forged.bits.shape[1])
    ],
    "rare names": lambda forged: forged.encoded(forged.forger.rare(len(forged.places))),
    "garbled": Forged.garbled,
    "of another century": Forged.of_another_century,
    "another list": Forged.another_list,
    "generic": lambda forged: forged.encoded(forged.forger.generic(len(forged.places))),
    "tail cut": Forged.tail_cut,
}


def run(task: tuple[Path, str, str, Cell, int]) -> tuple[int | None, bool, bool, bool]:
    """The rung that the list reached, and whether it passes each of three checks alone."""
    data, kind, recipe, cell, seed = task
    number = seed // RUNS_A_POPULATION
    case, _, _ = population_of(data, number, cell)
    registry, registry_rows = held(data, number, Cell(0, cell.registry, "", cell.fields, cell.hardening))
    draw = np.random.default_rng([seed, cell.size, *map(ord, kind), *map(ord, recipe)])
    forger, schema, key = Forger(case, data, cell, number, draw), schema_of(cell), LinkageKey.make(number)
    frame = lists_of(forger)[kind](cell.size)
    own = load(frame, schema, "list", columns=case.list_columns, any_age=True).people
    encodings, rows = encode_list(own, schema, key, randomness=Randomness.make(seed), allow_weak=True)
    if recipe != "honest":
        encodings = with_forged(RECIPES[recipe], encodings, rows, forger, frame, key)
    answer = judge(match_encodings(encodings, registry), rows, registry_rows, encodings=encodings)
    sound = "unsound_decoys" not in answer.verdict.reasons
    return (
        answer.verdict.rung,
        sound,
        "test" not in answer.verdict.reasons,
        "registry_decoys" not in answer.verdict.reasons,
    )


def with_forged(
    recipe: Callable[[Forged], Bits],
    encodings: Encodings,
    rows: PrivateRows,
    forger: Forger,
    frame: Frame,
    key: LinkageKey,
) -> Encodings:
    """The list with forged decoys and relatives."""
    of_handle = {handle.tobytes(): at for at, handle in enumerate(encodings.handles)}
    place = np.array([of_handle[handle.tobytes()] for handle in rows.handles])
    made_up, real = np.isin(rows.kind, (RecordKind.DECOY, RecordKind.RELATIVE)), rows.kind == RecordKind.REAL
    bits = np.unpackbits(encodings.bits.words.view(np.uint8), axis=1, bitorder="little")
    owners = rows.rows[real][rows.person[made_up]] % len(frame)
    forged = Forged(forger, frame, bits, place[real], place[made_up], owners, key)
    bits[place[made_up]] = recipe(forged)
    words = np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view("<u8")
    return replace(encodings, bits=BitMatrix(words))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--registry", type=int, default=10_000)
    parser.add_argument("--hardening", choices=SET_NAMES, default="standard")
    parser.add_argument("--fields", nargs="+", choices=["date", "names"], default=["date", "names"])
    parser.add_argument("--lists", nargs="+", default=["absent"], metavar="NAME", help="or all")
    parser.add_argument("--decoys", nargs="+", default=["honest"], metavar="NAME", help="or all")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"# {' '.join(sys.argv)}")
    rungs_head = f"{'cannot tell':>11} {'rung 0':>6} {'1':>4} {'2':>4} {'3':>4}"
    print(f"{'list':34} {'decoys':18} {'fields':6} {'runs':>4} {rungs_head}  {'sound':>5} {'test':>5} {'registry':>8}")
    recipes = ["honest", *RECIPES] if given.decoys == ["all"] else given.decoys
    with ProcessPoolExecutor(given.workers) as pool:
        for fields in given.fields:
            cell = Cell(given.size, given.registry, "", fields, given.hardening)
            case, _, _ = population_of(given.data, 0, cell)
            known = list(lists_of(Forger(case, given.data, cell, 0, np.random.default_rng(0))))
            for kind in known if given.lists == ["all"] else given.lists:
                for recipe in recipes:
                    tasks = [(given.data, kind, recipe, cell, seed) for seed in range(given.runs)]
                    rungs, *passed = zip(*pool.map(run, tasks, chunksize=RUNS_A_POPULATION), strict=True)
                    counts = Counter(rungs)
                    shares = " ".join(
                        f"{np.mean(one):{width}.0%}" for one, width in zip(passed, (5, 5, 8), strict=True)
                    )
                    print(
                        f"{kind:34} {recipe:18} {fields:6} {given.runs:4} {counts[None]:11} {counts[0]:6} "
                        f"{counts[1]:4} {counts[2]:4} {counts[3]:4}  {shares}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
