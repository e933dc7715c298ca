"""The shape of report.json, checked once: behind this module every figure has its type or is None.

``docs/report.md`` says what each key means. A report comes from another machine and may have been edited, so nothing in
it is believed: a value of the wrong kind, a number no count can have or a verdict that contradicts itself is refused
with the place where it stands, never with the value. None means *cannot tell* or *not asked*; inside the parts a
missing key is the same.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pprl.core.errors import FileError

FORMATS = {"pprl-report/1": False, "pprl-audit/1": True}  # is it exact?
LARGEST = 10**12  # more people than ever lived
LADDER = ("not_beyond_chance", "beyond_chance", "confirmed", "confirmed_and_controlled")
CANNOT_TELL = "cannot_tell"
P_CLASSES = ("<.001", "<.01", "<.05", ">=.05")
KEYS = (
    "format",
    "version",
    "matter",
    "disclosure",
    "verdict",
    "headline",
    "rosters",
    "scores",
    "rates",
    "strata",
    "confirm",
    "eligibility",
    "controls",
    "copy_check",
    "decoys",
    "sensitivity",
    "completeness",
    "parameters",
    "fingerprints",
    "run",
    "warnings",
)
HINT = "`pprl link LIST REGISTRY --schema S -o DIR` writes it again; docs/report.md says what it holds"

Number = int | float
T = TypeVar("T")


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, where there is one."""

    value: Number
    low: Number | None = None
    high: Number | None = None


@dataclass(frozen=True)
class Share:
    """A count of a total. Shares are shown from these two, never from a third number that could disagree."""

    count: Number
    of: Number


@dataclass(frozen=True)
class Verdict:
    rung: int | None
    code: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Headline:
    people: Number | None
    found: Share | None
    net_found: Estimate | None
    expected_by_chance: Number | None
    false_match_rate: Number | None
    false_match_rate_asked: Number | None
    p: str | Number | None
    p_harsh: str | Number | None
    fewest_findable: Number | None
    matchable_share: Number | None
    auc: Number | None
    ambiguous: Number | None
    threshold: Number | None


@dataclass(frozen=True)
class Group:
    """Some people, how many of them were found, and the net of it or what decoys would give."""

    people: Number | None
    found: Number | None
    net_found: Estimate | None = None
    expected: Number | None = None
    label: str | None = None
    rest: bool = False  # several labels of nearly nobody in one line


@dataclass(frozen=True)
class Rosters:
    list_rows: Number | None
    list_people: Number | None
    duplicates: Number | None
    registry_rows: Number | None
    registry_encoded: Number | None
    lists: tuple[Group, ...]


@dataclass(frozen=True)
class Scores:
    """Two histograms over the same edges."""

    edges: tuple[Number, ...]
    real: tuple[Number, ...]
    decoys: tuple[Number, ...]


@dataclass(frozen=True)
class Rate:
    threshold: Number
    found: Number | None
    false_match_rate: Number


@dataclass(frozen=True)
class Stratum:
    field: str
    values: tuple[Group, ...]


@dataclass(frozen=True)
class Confirm:
    field: str
    compared: Number | None
    agree: Number | None
    chance: Number | None
    p: str | Number | None
    higher: Number | None
    lower: Number | None

    @property
    def share(self) -> float | None:
        return float(self.agree / self.compared) if self.compared and self.agree is not None else None


@dataclass(frozen=True)
class Eligibility:
    registry_as_of: str | None
    eligible: Group | None
    unknown: Group | None
    ineligible: Group | None


@dataclass(frozen=True)
class Controls:
    people: Number | None
    found: Number | None
    expected: Number | None
    p: str | Number | None
    flat: bool | None


@dataclass(frozen=True)
class CopyCheck:
    pairs: Number | None
    identical: Number | None
    natural: bool | None
    rank_drift: Number | None


@dataclass(frozen=True)
class Decoys:
    made: Number | None
    a_person: Number | None
    fallbacks: Number | None
    harsh: Number | None
    auc_weight: Number | None
    auc_similarity: Number | None
    sound: bool | None


@dataclass(frozen=True)
class Choice:
    """The headline under another choice."""

    what: str
    value: str | Number | None
    found: Number | None
    net_found: Estimate | None


@dataclass(frozen=True)
class Completeness:
    name: str
    people: Number | None
    found: Number | None
    threshold: Number | None
    matchable_share: Number | None


@dataclass(frozen=True)
class Report:
    exact: bool
    base: int
    version: str | None
    matter: str | None
    verdict: Verdict
    headline: Headline
    rosters: Rosters
    scores: Scores | None
    rates: tuple[Rate, ...]
    strata: tuple[Stratum, ...]
    confirm: tuple[Confirm, ...]
    eligibility: Eligibility | None
    controls: Controls | None
    copy_check: CopyCheck | None
    decoys: Decoys | None
    sensitivity: tuple[Choice, ...]
    completeness: tuple[Completeness, ...]
    parameters: Mapping[str, str | Number | bool | None]
    fingerprints: Mapping[str, str | Number | bool | None]
    run: str | None
    warnings: tuple[str, ...]


class At:
    """A value of the file and where it stands, so that a refusal can say which one it is."""

    def __init__(self, value: object, place: str = "") -> None:
        self.value, self.place = value, place

    @property
    def given(self) -> bool:
        return self.value is not None

    def wrong(self, wanted: str) -> FileError:
        return FileError(f"report: {self.place} is not {wanted}", hint=HINT)

    def __getitem__(self, key: str) -> At:
        value = self.value if self.given else {}
        if not isinstance(value, dict):
            raise self.wrong("an object")
        return At(value.get(key), f"{self.place}.{key}" if self.place else key)

    def items(self) -> list[At]:
        value = [] if self.value is None else self.value
        if not isinstance(value, list):
            raise self.wrong("a list")
        return [At(item, f"{self.place}[{number}]") for number, item in enumerate(value)]

    def fields(self) -> dict[str, str | Number | bool | None]:
        """An object of plain values."""
        value = {} if self.value is None else self.value
        if not isinstance(value, dict):
            raise self.wrong("an object")
        return {str(name): At(item, f"{self.place}.…").plain() for name, item in value.items()}

    def plain(self) -> str | Number | bool | None:
        if self.value is None or isinstance(self.value, bool):
            return self.value
        return self.value if isinstance(self.value, str) else self.number("a text, a number or true or false")

    def number(self, wanted: str = "a number") -> Number | None:
        value = self.value
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(wanted)
        if not -LARGEST < value < LARGEST or (isinstance(value, float) and math.isnan(value)):
            raise self.wrong(f"{wanted} that can be meant")
        return value

    def count(self) -> Number | None:
        if (value := self.number("a count")) is not None and value < 0:
            raise self.wrong("a count")
        return value

    def fraction(self) -> Number | None:
        """A share; where it is a bound, ``{"at_most": s}`` or ``{"at_least": s}``, the bound itself."""
        if isinstance(self.value, dict) and len(self.value) == 1 and self.value.keys() <= {"at_most", "at_least"}:
            return self[next(iter(self.value))].fraction()
        if (value := self.number("a share between 0 and 1")) is not None and not 0 <= value <= 1:
            raise self.wrong("a share between 0 and 1")
        return value

    def text(self) -> str | None:
        if self.value is not None and not isinstance(self.value, str):
            raise self.wrong("a text")
        return self.value

    def flag(self) -> bool | None:
        if self.value is not None and not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def p(self) -> str | Number | None:
        if isinstance(self.value, str):
            if self.value not in P_CLASSES:
                raise self.wrong("one of " + " ".join(P_CLASSES))
            return self.value
        return self.fraction()

    def estimate(self) -> Estimate | None:
        """A bare number is an estimate without an interval; one whose value is null cannot be told."""
        if isinstance(self.value, int | float):
            value = self.number()
            return None if value is None else Estimate(value)
        value, low, high = (self[key].number() for key in ("value", "low", "high"))
        if value is None:
            return None
        if low is not None and high is not None and low > high:
            raise self.wrong("an estimate: its interval ends before it begins")
        return Estimate(value, low, high)

    def share(self) -> Share | None:
        count, of = self["count"].count(), self["of"].count()
        self["share"].fraction()
        return None if count is None or of is None else Share(count, of)

    def group(self, label: str | None = None, *, rest: bool = False) -> Group | None:
        if not self.given:
            return None
        return Group(
            self["people"].count(),
            self["found"].count(),
            self["net_found"].estimate(),
            self["expected"].count(),
            label,
            rest,
        )


def needed(value: T | None, at: At, wanted: str) -> T:
    if value is None:
        raise at.wrong(wanted)
    return value


def some(groups: Iterable[Group | None]) -> tuple[Group, ...]:
    return tuple(group for group in groups if group is not None)


def load(data: bytes) -> dict[str, Any]:
    """The object in a JSON file. FileError: it is none, and then its name is not said, since it may be a roster."""
    hint = "report.json or audit.json, as `pprl link … -o DIR` writes them, is needed here"
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        raise FileError("not a report of pprl", hint=hint) from None
    if not isinstance(report, dict) or "format" not in report:
        raise FileError("not a report of pprl", hint=hint)
    return report


def check(report: Mapping[str, Any]) -> Report:
    """The report with every figure in its type. FileError says which part cannot be used."""
    top = At(dict(report))
    name = top["format"].value
    if not isinstance(name, str) or name not in FORMATS:
        known = " or ".join(FORMATS)
        raise FileError(f"report: its format is not {known}", hint="a newer pprl may read it; or is it another file?")
    if missing := [key for key in KEYS if key not in report]:
        raise FileError(f"report: {', '.join(missing)} is missing", hint=HINT)
    exact = FORMATS[name]
    base = top["disclosure"]["base"]
    rounded = needed(base.count(), base, "a count")
    if rounded != int(rounded) or rounded < 1 or (rounded == 1) != exact:
        raise base.wrong("1 in an audit and more in a report")
    return Report(
        exact=exact,
        base=int(rounded),
        version=top["version"].text(),
        matter=top["matter"].text(),
        verdict=_verdict(top["verdict"]),
        headline=_headline(top["headline"]),
        rosters=_rosters(top["rosters"]),
        scores=_scores(top["scores"]),
        rates=_rates(top["rates"]),
        strata=tuple(
            Stratum(
                needed(at["field"].text(), at["field"], "a text"),
                some(
                    value.group(value["label"].text(), rest=bool(value["rest"].flag()))
                    for value in at["values"].items()
                ),
            )
            for at in top["strata"].items()
        ),
        confirm=tuple(_confirm(at) for at in top["confirm"].items()),
        eligibility=_eligibility(top["eligibility"]),
        controls=_controls(top["controls"]),
        copy_check=_copy_check(top["copy_check"]),
        decoys=_decoys(top["decoys"]),
        sensitivity=tuple(_choice(at) for at in top["sensitivity"].items()),
        completeness=tuple(_completeness(at) for at in top["completeness"].items()),
        parameters=top["parameters"].fields(),
        fingerprints=top["fingerprints"].fields(),
        run=top["run"].text(),
        warnings=tuple(filter(None, (at.text() for at in top["warnings"].items()))),
    )


def _verdict(at: At) -> Verdict:
    code, rung = at["code"], at["rung"]
    if not isinstance(code.value, str) or code.value not in (CANNOT_TELL, *LADDER):
        raise code.wrong("a rung of the ladder")
    told = None if code.value == CANNOT_TELL else LADDER.index(str(code.value))
    if rung.number() != told:
        raise rung.wrong("the rung that its code names")
    return Verdict(told, str(code.value), tuple(filter(None, (reason.text() for reason in at["reasons"].items()))))


def _headline(at: At) -> Headline:
    return Headline(
        people=at["people"].count(),
        found=at["found"].share(),
        net_found=at["net_found"].estimate(),
        expected_by_chance=at["expected_by_chance"].count(),
        false_match_rate=at["false_match_rate"].fraction(),
        false_match_rate_asked=at["false_match_rate_asked"].fraction(),
        p=at["p"].p(),
        p_harsh=at["p_harsh"].p(),
        fewest_findable=at["fewest_findable"].count(),
        matchable_share=at["matchable_share"].fraction(),
        auc=at["auc"].fraction(),
        ambiguous=at["ambiguous"].count(),
        threshold=at["threshold"].fraction(),
    )


def _rosters(at: At) -> Rosters:
    return Rosters(
        list_rows=at["list_rows"].count(),
        list_people=at["list_people"].count(),
        duplicates=at["duplicates"].count(),
        registry_rows=at["registry_rows"].count(),
        registry_encoded=at["registry_encoded"].count(),
        lists=some(part.group() for part in at["lists"].items()),
    )


def _scores(at: At) -> Scores | None:
    if not at.given:
        return None

    def row(name: str) -> tuple[Number, ...]:
        return tuple(needed(item.count(), item, "a count") for item in at[name].items())

    edges, real, decoys = row("edges"), row("real"), row("decoys")
    if len(edges) < 2 or any(one >= two for one, two in itertools.pairwise(edges)):
        raise at["edges"].wrong("a rising row of two or more numbers")
    if not len(real) == len(decoys) == len(edges) - 1:
        raise at.wrong("a count of people and of decoys for each step between two edges")
    return Scores(edges, real, decoys)


def _rates(at: At) -> tuple[Rate, ...]:
    rates = []
    for point in at.items():
        threshold, rate = point["threshold"].fraction(), point["false_match_rate"].number()
        if threshold is not None and rate is not None:
            rates.append(Rate(threshold, point["found"].count(), min(1, max(0, rate))))
    return tuple(sorted(rates, key=lambda point: -point.threshold))


def _confirm(at: At) -> Confirm:
    at["share"].fraction()
    compared, agree = at["compared"].count(), at["agree"].count()
    if compared is not None and agree is not None and agree > compared:
        raise at["agree"].wrong("at most the number compared")
    return Confirm(
        field=needed(at["field"].text(), at["field"], "a text"),
        compared=compared,
        agree=agree,
        chance=at["chance"].fraction(),
        p=at["p"].p(),
        higher=at["higher"].count(),
        lower=at["lower"].count(),
    )


def _eligibility(at: At) -> Eligibility | None:
    if not at.given:
        return None
    return Eligibility(
        at["registry_as_of"].text(), at["eligible"].group(), at["unknown"].group(), at["ineligible"].group()
    )


def _controls(at: At) -> Controls | None:
    if not at.given:
        return None
    return Controls(at["people"].count(), at["found"].count(), at["expected"].count(), at["p"].p(), at["flat"].flag())


def _copy_check(at: At) -> CopyCheck | None:
    if not at.given:
        return None
    at["share"].fraction()
    return CopyCheck(at["pairs"].count(), at["identical"].count(), at["natural"].flag(), at["rank_drift"].fraction())


def _decoys(at: At) -> Decoys | None:
    if not at.given:
        return None
    return Decoys(
        made=at["made"].count(),
        a_person=at["a_person"].count(),
        fallbacks=at["fallbacks"].count(),
        harsh=at["harsh"].count(),
        auc_weight=at["auc_weight"].fraction(),
        auc_similarity=at["auc_similarity"].fraction(),
        sound=at["sound"].flag(),
    )


def _choice(at: At) -> Choice:
    value = at["value"].plain()
    return Choice(
        what=needed(at["what"].text(), at["what"], "a text"),
        value=str(value).lower() if isinstance(value, bool) else value,
        found=at["found"].count(),
        net_found=at["net_found"].estimate(),
    )


def _completeness(at: At) -> Completeness:
    return Completeness(
        name=needed(at["name"].text(), at["name"], "a text"),
        people=at["people"].count(),
        found=at["found"].count(),
        threshold=at["threshold"].fraction(),
        matchable_share=at["matchable_share"].fraction(),
    )
