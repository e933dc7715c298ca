"""Rosters with a known truth for the benchmarks: public data sets from a folder, and generated ones.

`DATA` is a folder with `febrl4`, `dev_cross`, `foreigners_dev` and `names_ru`; its files are read, never copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pprl.demo.registry import OTHER_ROMAN, ROMAN

NAMES = '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
PATRONYMIC = '[fields.patronymic]\ntype = "patronymic"\n'
DATE = '[fields.birth_date]\ntype = "date"\n'
PLACE = '[fields.suburb]\ntype = "text"\n[fields.postcode]\ntype = "identifier"\n'
POSTCODE = '[fields.postcode]\ntype = "identifier"\n'
HOME = '[fields.address]\ntype = "text"\n' + POSTCODE


@dataclass(frozen=True)
class Case:
    """Two rosters; `truth` gives the number of each list row's person in `people_of_registry`, −1 for none."""

    name: str
    fields: str
    leaked: pd.DataFrame
    registry: pd.DataFrame
    list_columns: dict[str, str]
    registry_columns: dict[str, str]
    truth: np.ndarray
    people_of_registry: np.ndarray

    def without(self, gone: np.ndarray, name: str) -> Case:
        """The case without the registry partners of the list rows marked in `gone`."""
        keep = ~np.isin(self.people_of_registry, self.truth[gone & (self.truth >= 0)])
        return replace(
            self,
            name=name,
            registry=self.registry[keep].reset_index(drop=True),
            people_of_registry=self.people_of_registry[keep],
            truth=np.where(gone, -1, self.truth),
        )

    def rows(self, chosen: np.ndarray, name: str) -> Case:
        """Only the chosen list rows."""
        return replace(self, name=name, leaked=self.leaked[chosen].reset_index(drop=True), truth=self.truth[chosen])


def febrl4(data: Path, place: bool = False) -> Case:
    left, right = (pd.read_csv(data / "febrl4" / f"dataset4{side}.csv", dtype=str) for side in "ab")
    columns = {"surname": "surname", "given": "given_name", "birth_date": "date_of_birth"}
    if place:
        columns |= {"suburb": "suburb", "postcode": "postcode"}
    number = {identity: at for at, identity in enumerate(right.truth_id)}
    return Case(
        "FEBRL4" + (", suburb, postcode" if place else ""),
        NAMES + DATE + (PLACE if place else ""),
        left,
        right,
        columns,
        columns,
        np.array([number[identity] for identity in left.truth_id]),
        np.arange(len(right)),
    )


def dev_cross(data: Path, date: bool) -> Case:
    left, right = (pd.read_csv(data / "dev_cross" / name, dtype=str) for name in ("a_cyr.csv", "b_latin.csv"))
    columns = {"full_name": "ФИО"}, {"surname": "surname", "given": "given_names"}
    if date:
        columns[0]["birth_date"], columns[1]["birth_date"] = "Дата рождения", "birth_date"
    return Case(
        "dev_cross, name and date" if date else "dev_cross, name only",
        NAMES + (DATE if date else ""),
        left,
        right,
        *columns,
        _truth(data / "dev_cross", left, right),
        np.arange(len(right)),
    )


def foreigners(data: Path, date: bool) -> Case:
    left, right = (pd.read_csv(data / "foreigners_dev" / name, dtype=str) for name in ("a.csv", "b.csv"))
    columns = {"surname": "surname", "given": "fname"} | ({"birth_date": "date"} if date else {})
    return Case(
        "foreigners, name and date" if date else "foreigners, name only",
        NAMES + (DATE if date else ""),
        left,
        right,
        columns,
        columns,
        _truth(data / "foreigners_dev", left, right),
        np.arange(len(right)),
    )


def _truth(folder: Path, left: pd.DataFrame, right: pd.DataFrame) -> np.ndarray:
    pairs = pd.read_csv(folder / "truth.csv", dtype=str)
    partner = dict(zip(pairs.a, pairs.b, strict=True))
    number = {identity: at for at, identity in enumerate(right.id)}
    return np.array([number[partner[identity]] if identity in partner else -1 for identity in left.id])


TURKIC_ENDINGS = (
    *("уллин", "улин", "иев", "аев", "еев", "баев", "гулов", "динов", "шин", "аков", "беков", "ханов"),
    *("меджидов", "магомедов", "алиев", "утдинов", "яров"),
)
TURKIC_STEMS = (
    *("рашид", "раш", "риш", "рав", "фар", "ирек", "аза", "ильд", "рус", "ахм", "маг", "мур", "али", "айр"),
    *("баты", "булат", "дам", "зур", "камиль", "марат", "наиль", "раиф", "рафа", "саид", "тим", "шам", "эльд"),
    *("ибраг", "мус", "ома", "осм", "рамаз", "расул", "рамиль", "радик", "ренат", "рафик", "хас", "юсуп", "якуб"),
)
DIACRITIC_ROMAN = {"ж": "ž", "ч": "č", "ш": "š", "щ": "šč", "х": "h", "ц": "c", "й": "j", "ю": "ju", "я": "ja"}
ROMANISATIONS = (ROMAN, ROMAN | OTHER_ROMAN, ROMAN | DIACRITIC_ROMAN)


@dataclass(frozen=True)
class Mess:
    """How messy generated rosters are, as shares of the rows or names concerned."""

    typed: float = 0.10  # typing errors, each name on each side
    missing: float = 0.10  # no date on the list; a third as many in the registry and as many bare years on the list
    relatives: float = 0.10  # surname and patronymic of another person
    second_culture: float = 0.20
    registry_twice: float = 0.02
    initials: float = 0.0  # of the list: surname and initials only


def generated(
    data: Path, seed: int, people: int, registry: int, present: int, *, date: bool, mess: Mess | None = None
) -> Case:
    """A list in Cyrillic and a registry in three romanisations, with names by their frequency in `names_ru`."""
    mess = mess or Mess()
    rng = np.random.default_rng(seed)
    total = registry + people
    cultures, pools = rng.random(total) < mess.second_culture, _pools(data)
    names = {kind: np.empty(total, dtype=object) for kind in ("surname", "given", "patronymic")}
    for kind, both in pools.items():
        for culture, (texts, counts) in zip((False, True), both, strict=True):
            here = cultures == culture
            names[kind][here] = rng.choice(texts, int(here.sum()), p=counts / counts.sum())
    relatives = np.flatnonzero(rng.random(total) < mess.relatives)
    kin = rng.integers(0, total, len(relatives))
    same = cultures[kin] == cultures[relatives]
    for kind in ("surname", "patronymic"):
        names[kind][relatives[same]] = names[kind][kin[same]]
    days = np.datetime64("1972-01-01") + rng.integers(0, 11_868, total).astype("timedelta64[D]")
    dates = days.astype(str)
    listed = np.concatenate([rng.permutation(registry)[:present], np.arange(registry, total - present)])
    rng.shuffle(listed)
    held = np.concatenate([np.arange(registry), rng.integers(0, registry, int(mess.registry_twice * registry))])

    def as_listed(person: int) -> list[str]:
        roll = rng.random() / max(mess.missing, 1e-9)
        written = "" if roll < 1 else dates[person][:4] if roll < 4 / 3 else dates[person]
        surname, *others = (_typed(names[kind][person], rng, mess.typed) for kind in names)
        if mess.initials and rng.random() < mess.initials:
            others = [f"{name[0]}." for name in others]
        return [surname, *others, written]

    def as_held(person: int) -> list[str]:
        table = ROMANISATIONS[rng.integers(3)]
        spelled = (_typed(names[kind][person], rng, mess.typed).lower() for kind in names)
        written = "" if rng.random() < mess.missing / 3 else dates[person]
        return [*("".join(table.get(letter, letter) for letter in name).capitalize() for name in spelled), written]

    headers = [*names, "birth_date"]
    columns = {header: header for header in headers if date or header != "birth_date"}
    return Case(
        f"generated {people} × {registry}, {present} present, {'name and date' if date else 'name only'}",
        NAMES + PATRONYMIC + (DATE if date else ""),
        pd.DataFrame([as_listed(person) for person in listed], columns=headers, dtype=object),
        pd.DataFrame([as_held(person) for person in held], columns=headers, dtype=object),
        columns,
        columns,
        np.where(listed < registry, listed, -1),
        held,
    )


def households(data: Path, seed: int, people: int, registry: int, *, kin: float, present: float, fields: str) -> Case:
    """A list of one member of each family, and a registry of families: surname, address and postcode are shared.

    Of a share ``kin`` of the list the rest of the family is in the registry, and ``present`` of it is there.
    """
    rng = np.random.default_rng([seed, 7])
    surnames, given = (_pools(data)[kind][0] for kind in ("surname", "given"))

    def drawn(pool: tuple[np.ndarray, np.ndarray], count: int) -> list[str]:
        return rng.choice(pool[0], count, p=pool[1] / pool[1].sum(), replace=count == 1).tolist()

    def family(size: int) -> list[list[str]]:
        (surname,), (street,) = drawn(surnames, 1), drawn(surnames, 1)
        home = f"ул. {street} {rng.integers(1, 120)}-{rng.integers(1, 90)}", str(rng.integers(100_000, 700_000))
        days = np.datetime64("1950-01-01") + rng.integers(0, 20_000, size).astype("timedelta64[D]")
        return [[surname, *each, *home] for each in zip(drawn(given, size), days.astype(str), strict=True)]

    listed, held, truth = [], [], []
    for _ in range(people):
        first, *others = family(int(rng.integers(2, 5)))
        truth.append(len(held) if rng.random() < present else -1)
        listed.append(first)
        held += [first] * (truth[-1] >= 0) + others * (rng.random() < kin)
    while len(held) < registry:
        held += family(int(rng.choice([1, 1, 2, 3, 4])))
    order = rng.permutation(len(held))
    headers = ["surname", "given", "birth_date", "address", "postcode"]
    columns = {header: header for header in headers if f"[fields.{header}]" in fields}
    return Case(
        f"households {people} × {registry}",
        fields,
        pd.DataFrame(listed, columns=headers, dtype=object),
        pd.DataFrame([held[number] for number in order], columns=headers, dtype=object),
        columns,
        columns,
        np.array(truth),
        order,
    )


def _typed(name: str, rng: np.random.Generator, share: float) -> str:
    if rng.random() > share or len(name) < 4:
        return name
    at = int(rng.integers(1, len(name) - 1))
    match int(rng.integers(4)):
        case 0:
            return name[:at] + name[at + 1 :]
        case 1:
            return name[:at] + name[at] + name[at:]
        case 2:
            return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
        case _:
            return name[:at] + "аеиоунклт"[rng.integers(9)] + name[at + 1 :]


def frequent_names(data: Path, kind: str, count: int) -> np.ndarray:
    """The most frequent names of a kind in the main culture."""
    texts, counts = _pools(data)[kind][0]
    return texts[np.argsort(-counts, kind="stable")[:count]]


def is_second_culture(data: Path, surnames: pd.Series) -> np.ndarray:
    """Which surnames are of the second culture."""
    return surnames.isin(set(_pools(data)["surname"][1][0])).to_numpy()


def _pools(data: Path) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Names and counts of the main and the second culture, for each kind of name."""
    tables = {
        "surname": ("surnames.csv", 6000, lambda row: row.text.lower().endswith(TURKIC_ENDINGS)),
        "given": ("given.csv", 400, lambda row: any(stem in row.text.lower() for stem in TURKIC_STEMS)),
        "patronymic": ("patronymics.csv", 800, lambda row: any(stem in row.text.lower() for stem in TURKIC_STEMS)),
    }
    pools = {}
    for kind, (file, most, second) in tables.items():
        table = pd.read_csv(data / "names_ru" / file, keep_default_na=False)
        table = table[table.gender.isin(["m", "u"]) & ~table.text.str.isupper()].head(most)
        other = np.array([second(row) for row in table.itertuples()])
        pools[kind] = [
            (table.text[part].to_numpy(dtype=object), table["count"][part].to_numpy(dtype=float))
            for part in (~other, other)
        ]
    return pools
