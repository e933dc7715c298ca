# ruff: noqa: RUF009  the functions of `fields` return dataclass fields
"""The record: everything that a judgement found, as audit.json and report.json hold it.

The dataclasses below are the one description of it. An audit is a `Record` with exact counts; a report is the same
record, disclosed. `check` reads either and refuses what contradicts itself. None means *cannot tell* or *not asked*; in
the parts, a missing key means the same.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pprl.core.errors import FileError
from pprl.report import fields
from pprl.report.fields import CODE, HINT, Estimate, FieldSpec, Kind, Number, Part, Plain, Value

AUDIT, REPORT = "pprl-audit/1", "pprl-report/1"
LADDER = ("not_beyond_chance", "beyond_chance", "confirmed", "confirmed_and_controlled")
CANNOT_TELL = "cannot_tell"
UNTRUSTED = ("unsound_decoys", "weak_decoys", "registry_decoys")  # they withhold all figures with the verdict
EVERYONE, FOUND = "headline.people", "headline.found.count"


@dataclass(frozen=True, kw_only=True)
class Disclosure(Part):
    base: int = fields.number("published counts are multiples of it; 1 in an audit", required=True)
    small_cells: str | None = fields.text('`"round"` or `"suppress"`; in a report', pattern=CODE, omitted=True)
    list_exempt: bool | None = fields.flag("the list's own composition is published exactly; in a report", omitted=True)


@dataclass(frozen=True, kw_only=True)
class Verdict(Part):
    """``rung`` is None where nothing can be concluded; ``reasons`` are codes for what held the verdict back."""

    rung: int | None = fields.number("0 to 3, or null where nothing can be told")
    code: str = fields.text("the rung's name, see *The ladder*", pattern=CODE, required=True)
    reasons: tuple[str, ...] = fields.special(Kind.CODES, "what held the verdict back")

    @classmethod
    def read(cls, value: Value) -> Self:
        code, rung = value["code"], value["rung"]
        if not isinstance(code.value, str) or code.value not in (CANNOT_TELL, *LADDER):
            raise code.wrong("a rung of the ladder")
        if rung.number() != (None if code.value == CANNOT_TELL else LADDER.index(code.value)):
            raise rung.wrong("the rung that its code names")
        return super().read(value)


@dataclass(frozen=True, kw_only=True)
class Share(Part):
    """A count of a total. Shares are shown from these two, never from a third number that could disagree."""

    count: Number | None = fields.count("people matched one to one with a registry record")
    of: Number | None = fields.special(Kind.TOTAL, f"`{EVERYONE}`")
    share: Number | None = fields.share("count ÷ of", part="count", whole="of")


@dataclass(frozen=True, kw_only=True)
class Headline(Part):
    people: Number | None = fields.count("people on the list who could be in the registry", composition=True)
    found: Share = fields.part(Share)
    net_found: Estimate | None = fields.estimate(
        "estimated true matches: found less the expected false ones; null where none can be told from chance",
        spelled_out=True,
    )
    expected_by_chance: Number | None = fields.expected(
        "people who would match if nobody on the list were in the registry"
    )
    false_match_rate: Number | None = fields.rate("expected share of the matches that are false")
    false_match_rate_asked: Number | None = fields.number("the rate that was asked for")
    false_at_most: Number | None = fields.special(
        Kind.BOUND,
        "with 95% confidence at most so many of the matches are false; as many as found where no less can be told",
        whole=FOUND,
    )
    missed_match_rate: Estimate | None = fields.span(
        "expected share of the people in the registry who are not matched with their record; null where not known"
    )
    missed_match_basis: str | None = fields.text(
        "how often the two sides write a person differently: `measured` in these rosters, or `assumed`", pattern=CODE
    )
    p: str | Number | None = fields.p_value("the one test, against decoys")
    p_harsh: str | Number | None = fields.p_value(
        "the same test against relatives, invented members of the same families"
    )
    p_registry: str | Number | None = fields.p_value(
        "the same test against the registry's own decoys, whom the list's owner cannot shape; null where there are none"
    )
    fewest_findable: Number | None = fields.expected(
        "how many people must be in the registry, written alike, to be seen by the test and to match"
    )
    matchable_share: Number | None = fields.proportion("people closer to the registry than decoys are", whole=EVERYONE)
    auc: Number | None = fields.proportion(
        "how well similarity separates people from decoys (½ not at all)", whole=EVERYONE
    )
    ambiguous: Number | None = fields.count("matched people with several equally good partners; they are in no pair")
    threshold: Number | None = fields.similarity("the lowest similarity of a match")

    @classmethod
    def read(cls, value: Value) -> Self:
        head = super().read(value)
        if head.false_at_most is not None and head.false_at_most > (head.found.count or 0):
            raise value["false_at_most"].wrong("at most the number found")
        return head


@dataclass(frozen=True, kw_only=True)
class ListPart(Part):
    people: Number | None = fields.count("people in this part of the list", composition=True)
    found: Number | None = fields.count("of these, matched")


@dataclass(frozen=True, kw_only=True)
class Rosters(Part):
    list_rows: Number | None = fields.count("rows of the list", composition=True)
    list_people: Number | None = fields.count("people on the list", composition=True)
    duplicates: Number | None = fields.count("rows that repeat a person", composition=True)
    registry_rows: Number | None = fields.count("rows of the registry")
    registry_encoded: Number | None = fields.count("registry records that were compared")
    lists: tuple[ListPart, ...] = fields.parts(ListPart, "one entry for each part, where the list has several")


@dataclass(frozen=True, kw_only=True)
class Scores(Part):
    """Two histograms over the same edges."""

    edges: tuple[Number, ...] = fields.number("similarities, rising", many=True)
    real: tuple[Number, ...] = fields.count("people by their best similarity", many=True)
    decoys: tuple[Number, ...] = fields.expected("decoys, scaled to as many as there are people", many=True)

    @classmethod
    def read(cls, value: Value) -> Self:
        scores = super().read(value)
        if len(scores.edges) < 2 or any(left >= right for left, right in itertools.pairwise(scores.edges)):
            raise value["edges"].wrong("a rising list of two or more numbers")
        if not len(scores.real) == len(scores.decoys) == len(scores.edges) - 1:
            raise value.wrong("a count of people and of decoys for each step between two edges")
        return scores


@dataclass(frozen=True, kw_only=True)
class Rate(Part):
    threshold: Number | None = fields.similarity("a threshold, from high to low")
    found: Number | None = fields.count("matches at it")
    false_match_rate: Number | None = fields.rate("expected share of these that are false")


@dataclass(frozen=True, kw_only=True)
class StratumValue(Part):
    label: str | None = fields.text("a value of the field; null stands for people without one")
    rest: bool | None = fields.flag("true for the line of all labels that almost nobody has; in a report", omitted=True)
    people: Number | None = fields.count("people with this value", composition=True)
    found: Number | None = fields.count("of these, matched")
    net_found: Estimate | None = fields.estimate("estimated true matches; null below 20 people")


@dataclass(frozen=True, kw_only=True)
class Stratum(Part):
    field: str = fields.text("name of the field", pattern=r"\w+", required=True)
    values: tuple[StratumValue, ...] = fields.parts(StratumValue)


@dataclass(frozen=True, kw_only=True)
class Confirm(Part):
    field: str = fields.text("name of a field that was not linked", pattern=r"\w+", required=True)
    compared: Number | None = fields.count("pairs in which both sides have a value")
    missing: Number | None = fields.count("pairs in which a side has none")
    agree: Number | None = fields.count("of these, pairs that agree")
    chance: Number | None = fields.proportion(
        "expected agreement of pairs made at random: partners permuted, or in an exchange random registry rows",
        whole="compared",
    )
    p: str | Number | None = fields.p_value("the test of agreement against pairs made at random")
    higher: Number | None = fields.count("for ranks: pairs in which the list has the higher one, else null")
    lower: Number | None = fields.count("for ranks: pairs in which the list has the lower one, else null")
    share: Number | None = fields.share("agree ÷ compared", part="agree", whole="compared")

    @classmethod
    def read(cls, value: Value) -> Self:
        confirm = super().read(value)
        if confirm.compared is not None and confirm.agree is not None and confirm.agree > confirm.compared:
            raise value["agree"].wrong("at most the number compared")
        return confirm


@dataclass(frozen=True, kw_only=True)
class EligibilityGroup(Part):
    people: Number | None = fields.count("people in this group", composition=True)
    found: Number | None = fields.count("of these, matched")
    net_found: Estimate | None = fields.estimate("estimated true matches; null below 20 people")


@dataclass(frozen=True, kw_only=True)
class KnownAbsent(Part):
    """People known to be absent from the registry, who match by chance only."""

    people: Number | None = fields.count("people in this group", composition=True)
    found: Number | None = fields.count("of these, how many reach the threshold")
    expected: Number | None = fields.expected("how many decoys in their place would")
    p: str | Number | None = fields.p_value("the test that they come closer than decoys", omitted=True)
    flat: bool | None = fields.flag("they come no closer than decoys", omitted=True)


@dataclass(frozen=True, kw_only=True)
class Eligibility(Part):
    registry_as_of: str | None = fields.text("the day the registry shows", pattern=r"\d{4}-\d\d-\d\d")
    eligible: EligibilityGroup | None = fields.part(
        EligibilityGroup, "people who could be in the registry", optional=True
    )
    unknown: EligibilityGroup | None = fields.part(
        EligibilityGroup, "people whose eligibility is unknown", optional=True
    )
    ineligible: KnownAbsent | None = fields.part(KnownAbsent, "people who cannot be in the registry", optional=True)


@dataclass(frozen=True, kw_only=True)
class CopyCheck(Part):
    pairs: Number | None = fields.count("pairs")
    identical: Number | None = fields.count("of these, identical in everything compared")
    natural: bool | None = fields.flag("the pairs differ as independent records of the same people do")
    rank_drift: Number | None = fields.proportion("pairs whose rank differs", whole="pairs")
    share: Number | None = fields.share("identical ÷ pairs", part="identical", whole="pairs")


@dataclass(frozen=True, kw_only=True)
class Decoys(Part):
    made: Number | None = fields.special(Kind.DECOY_COUNT, "decoys made")
    a_person: Number | None = fields.special(Kind.DECOYS_A_PERSON, "decoys per person on the list")
    fallbacks: Number | None = fields.special(Kind.DECOY_COUNT, "decoys that took a surname from outside their group")
    harsh: Number | None = fields.special(Kind.DECOY_COUNT, "relatives made")
    registry: Number | None = fields.special(Kind.DECOY_COUNT, "decoys that the registry's owner made")
    effective: Number | None = fields.special(
        Kind.DECOY_COUNT, "independent decoys that would say as much; of the classes with a threshold"
    )
    auc_weight: Number | None = fields.proportion("how well length separates people from decoys", whole=EVERYONE)
    auc_similarity: Number | None = fields.proportion("how well similarity to the list separates them", whole=EVERYONE)
    p_unlike: str | Number | None = fields.p_value("of decoys that resemble nobody on the list; `link` asks none")
    sound: bool | None = fields.flag("decoys look like people on the list")


@dataclass(frozen=True, kw_only=True)
class Choice(Part):
    """The headline under another choice."""

    what: str = fields.text(
        "`lambda` (share of the lowest ranks by which π0 is estimated), `decoys` (per person), `partner_rule`, or "
        "`harsh_decoys` (relatives per person, in place of decoys)",
        pattern=CODE,
        required=True,
    )
    value: str | Number | None = fields.special(Kind.CHOICE, "the choice")
    found: Number | None = fields.count("matched people")
    net_found: Estimate | None = fields.estimate("estimated true matches, without an interval")


@dataclass(frozen=True, kw_only=True)
class CompletenessClass(Part):
    name: str = fields.text("the class in words", pattern=r"[^\W\d]+(?:[ ,·-]+[^\W\d]+)*", required=True)
    people: Number | None = fields.count("people in the class", composition=True)
    found: Number | None = fields.count("of these, matched")
    threshold: Number | None = fields.similarity("the threshold of the class")
    matchable_share: Number | None = fields.proportion("people closer to the registry than decoys are", whole="people")


def _spec(kind: Kind, sentence: str, pattern: str = "") -> FieldSpec:
    return FieldSpec(kind=kind, text=sentence, pattern=pattern)


PARAMETERS = {
    "hardening": _spec(Kind.TEXT, "the parameter set", CODE),
    "length": _spec(Kind.NUMBER, "bits of an encoding"),
    "decoys": _spec(Kind.NUMBER, "decoys per person"),
    "false_match_rate": _spec(Kind.NUMBER, "the rate asked for"),
    "kernel": _spec(Kind.TEXT, "the arithmetic that ran", CODE),
    "partner_rule": _spec(Kind.TEXT, "how partners are assigned", CODE),
    "secret": _spec(Kind.FLAG, "false where key and decoys come from a seed"),
    "registry_public_before_list": _spec(Kind.TEXT, '`"yes"`, `"no"` or `"unknown"`', CODE),
}
FINGERPRINTS = {
    "schema": _spec(Kind.TEXT, "of the schema, hexadecimal", r"[0-9a-f]{0,64}"),
    "folding": _spec(Kind.TEXT, "of the folding tables, hexadecimal", r"[0-9a-f]{0,64}"),
}


@dataclass(frozen=True, kw_only=True)
class Record(Part):
    format: str = fields.special(Kind.FORMAT, f'`"{REPORT}"` or `"{AUDIT}"`')
    version: str | None = fields.text("of pprl", pattern=r"\d+(\.\w+)*")
    matter: str | None = fields.text("name of the schema")
    disclosure: Disclosure = fields.special(Kind.DISCLOSURE, "how counts are published", record=Disclosure)
    verdict: Verdict = fields.part(Verdict)
    headline: Headline = fields.part(Headline)
    rosters: Rosters = fields.part(Rosters)
    scores: Scores | None = fields.part(Scores, "the distribution of best similarities", optional=True)
    rates: tuple[Rate, ...] = fields.parts(Rate, "the false-match rate by threshold")
    strata: tuple[Stratum, ...] = fields.parts(Stratum, "groups of people")
    confirm: tuple[Confirm, ...] = fields.parts(Confirm, "agreement of pairs on further fields that were not linked")
    eligibility: Eligibility | None = fields.part(
        Eligibility, "who could be in the registry at its date", optional=True
    )
    controls: KnownAbsent | None = fields.part(KnownAbsent, "negative controls", optional=True)
    copy_check: CopyCheck | None = fields.part(CopyCheck, "was the list copied from the registry?", optional=True)
    decoys: Decoys | None = fields.part(Decoys, optional=True)
    sensitivity: tuple[Choice, ...] = fields.parts(Choice, "the headline under other choices")
    completeness: tuple[CompletenessClass, ...] = fields.parts(CompletenessClass, "classes of equally complete rows")
    parameters: Mapping[str, Plain] = fields.special(Kind.SETTINGS, "how the run was set up", keys=PARAMETERS)
    fingerprints: Mapping[str, Plain] = fields.special(Kind.SETTINGS, "of what both sides agreed on", keys=FINGERPRINTS)
    run: str | None = fields.special(Kind.RUN, "how many times this list has been linked here, and what changed since")
    warnings: tuple[str, ...] = fields.special(
        Kind.WARNINGS, "sentences; codes (`a–z`, `_`) where the report may repeat them"
    )

    @property
    def exact(self) -> bool:
        """Are these exact figures, which are not for publication?"""
        return self.format == AUDIT

    @property
    def base(self) -> int:
        return int(self.disclosure.base)


def load(data: bytes) -> dict[str, Any]:
    """The object in a JSON file. FileError: it holds none; the file is not named, since it may be a roster."""
    hint = "name report.json or audit.json, as `pprl link … -o DIR` writes them"
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        raise FileError("not a report of pprl", hint=hint) from None
    if not isinstance(report, dict) or "format" not in report:
        raise FileError("not a report of pprl", hint=hint)
    return report


def check(report: Mapping[str, Any]) -> Record:
    """The record in a file, with every figure checked. FileError names the part that cannot be used."""
    top = Value(dict(report))
    name = top["format"].value
    if not isinstance(name, str) or name not in (AUDIT, REPORT):
        raise FileError(
            f"report: its format is not {REPORT} or {AUDIT}", hint="a newer pprl may read it; or is it another file?"
        )
    if missing := [key for key in Record.specs() if key not in report]:
        raise FileError(f"report: {', '.join(missing)} is missing", hint=HINT)
    base = top["disclosure"]["base"]
    rounded = base.needed(base.count(), "a count")
    if rounded != int(rounded) or rounded < 1 or (rounded == 1) != (name == AUDIT):
        raise base.wrong("1 in an audit and more in a report")
    return Record.read(top)
