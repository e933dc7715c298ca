"""Scores and the owner's own rows to an answer: who is found, how many of them falsely, and what may be said of it.

The labels are opened here and nowhere before. `finding` finds, `checks` looks for what could make that wrong, `verdict`
chooses the words; this module puts them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.encodings import Encodings
from pprl.core.errors import FileError, PprlError
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import RandomStream
from pprl.core.row_labels import LIST_STEP
from pprl.core.schema import ten_thousandths
from pprl.core.scores import Scores
from pprl.judge import diagnostics
from pprl.judge.assignment import NONE, Candidates
from pprl.judge.audit import PARTNER_RULE, Known, exact
from pprl.judge.cohort import Case
from pprl.judge.error_rates import MIN_DECOYS, p_harsh, p_value
from pprl.judge.matches import Finding, Meeting, find, intervals, meet
from pprl.judge.verdict import Verdict, cannot_tell, decide_verdict

FORMAT = 1
PLAYED = 5
RATE_OF_VERDICT = 0.05
SMALLEST_P = 1e-300  # what lies below is rounding, and no p is 0
PAIR_COLUMNS = ("list_row", "registry_row", "list_id", "registry_id", "score", "q_value")

Ints = NDArray[np.int64]
Handles = NDArray[np.void]


@dataclass(frozen=True)
class PartnerEvidence:
    """What can be told of pairs where the registry's rows are not at hand. Both are asked with the handles of partners,
    the first also with the rows of the list, in the same order."""

    agreements: Callable[[Ints, Handles], list[diagnostics.Agreement]]
    filled: Callable[[Handles], NDArray[np.str_]]


@dataclass(frozen=True)
class Assessment:
    """The answer. Counts are people of the list who could be in the registry, not rows.

    ``found`` are people whose partner reaches the threshold of their class; ``net_found`` is found minus the expected
    false matches, with a 95 % interval; ``threshold`` is the lowest of the classes' thresholds. None stands for
    "cannot tell". ``people`` could be in the registry; people of the list who cannot are judged apart. ``lists`` are
    people and found of each part, where the list has several; ``run`` is what the ledger of runs said; ``audit`` holds
    everything, as docs/report.md describes it, and ``disclosure`` and ``small_cells`` say how it is to be published.
    """

    list_rows: int
    registry_rows: int
    list_encoded: int
    registry_encoded: int
    hardening: int
    kernel: str
    false_match_rate_asked: float
    repeatable: bool
    disclosure: int = 5
    small_cells: str = "round"
    people: int = 0
    verdict: Verdict = field(default_factory=lambda: cannot_tell("nobody"))
    threshold: float | None = None
    found: int | None = None
    net_found: tuple[float, float, float] | None = None
    expected_by_chance: float | None = None
    false_match_rate: float | None = None
    p_value: float | None = None
    matchable_share: float | None = None
    fewest_findable: int | None = None
    ambiguous: int = 0
    pairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PAIR_COLUMNS)))
    lists: tuple[tuple[int, int], ...] = ()
    run: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    looks: diagnostics.DecoyDiagnostics | None = field(
        default=None, repr=False
    )  # of which an auditor repeats the check of the decoys

    def to_frame(self) -> pd.DataFrame:
        """The matched pairs: one row a pair, columns list_row, registry_row, list_id, registry_id, score, q_value;
        before them ``list``, the part, where the list has several."""
        return self.pairs.copy()

    def to_dict(self) -> dict[str, Any]:
        """The result as ``--json`` prints it."""

        def share(count: float | None) -> dict[str, float | None]:
            return {
                "count": count,
                "share": None if count is None else round(count / max(1, self.people), 6),
            }

        net = dict(zip(("value", "low", "high"), self.net_found or (None, None, None), strict=True))
        return {
            "format": FORMAT,
            "verdict": asdict(self.verdict),
            "list_rows": self.list_rows,
            "registry_rows": self.registry_rows,
            "list_encoded": self.list_encoded,
            "registry_encoded": self.registry_encoded,
            "people": self.people,
            "hardening": self.hardening,
            "kernel": self.kernel,
            "partner_rule": PARTNER_RULE,
            "threshold": self.threshold,
            "found": share(self.found),
            "net_found": net,
            "expected_by_chance": share(self.expected_by_chance),
            "false_match_rate": self.false_match_rate,
            "false_match_rate_asked": self.false_match_rate_asked,
            "p_value": self.p_value,
            "matchable_share": self.matchable_share,
            "fewest_findable": self.fewest_findable,
            "pairs": len(self.pairs),
            "ambiguous": self.ambiguous,
            "lists": [{"people": people, "found": found} for people, found in self.lists],
            **{
                key: self.audit.get(key)
                for key in ("strata", "confirm", "eligibility", "controls", "copy_check", "sensitivity")
            },
            "run": self.run or None,
            "secret": not self.repeatable,
            "warnings": list(self.warnings),
            "seconds": dict(self.seconds),
        }


def judge(
    scores: Scores,
    rows: PrivateRows,
    registry_rows: PrivateRows | None = None,
    *,
    rate: float | str | None = None,
    encodings: Encodings | None = None,
    looks: diagnostics.DecoyDiagnostics | None = None,
    witness: PartnerEvidence | None = None,
) -> Assessment:
    """Open the labels and judge.

    ``rate`` is the false-match rate asked, such as 0.05 or "5%"; without it the schema's. With the registry's own rows
    the pairs name its rows and ids and confirm fields are compared, else its handles stand in ``registry_id``. With
    the list's ``encodings``, or with ``looks`` that were taken of them, decoys are held against rows. ``witness`` says
    how pairs agree on confirm fields where the registry's rows are not at hand.

    FileError: the rows are not those of these scores.
    """
    rows, case, ids = opened(scores, rows, registry_rows, rate)
    base = Assessment(
        list_rows=rows.rows_read,
        registry_rows=scores.registry_read,
        list_encoded=rows.people,
        registry_encoded=scores.registry_encoded,
        hardening=scores.parameters.hardening,
        kernel=scores.kernel,
        false_match_rate_asked=case.asked,
        repeatable=rows.repeatable,
        disclosure=rows.policy.disclosure,
        small_cells=rows.policy.small_cells,
        people=len(case.real) + case.left_out,
        warnings=tuple(_warnings(rows, scores)),
    )
    if not len(case.real):
        made = len(rows.of_kind(RecordKind.DECOY))
        reason, text = "nobody", "cannot tell: nobody of this list could be in the registry"
        if case.left_out or not rows.people:
            reason = "few_decoys" if rows.people else "nobody"
            text = f"cannot tell: only {made} decoys could be made from this list, an error rate needs {MIN_DECOYS}"
        told = replace(base, verdict=cannot_tell(reason), warnings=(*base.warnings, text))
        return replace(told, audit=exact(told, case, None, rows, scores))
    if encodings is not None:
        looks = _looks(encodings, rows, case, RandomStream(_seed(scores), "looks"))
    return _judge(base, case, rows, registry_rows, ids, looks, witness, scores)


def opened(
    scores: Scores, rows: PrivateRows, registry_rows: PrivateRows | None = None, rate: float | str | None = None
) -> tuple[PrivateRows, Case, Handles]:
    """The labels opened: the rows in one order, the case, and the registry's handles that its candidates number."""
    at = _find(scores, rows)
    # Records in one order, whoever judges: what is made up stands under its person, in the order of the scores.
    order = np.lexsort((at, rows.person, rows.kind))
    rows, at = rows.reorder(order), at[order]
    if registry_rows is not None:
        scores.parameters.require_same(registry_rows.parameters)
    asked = rows.rate / 10_000 if rate is None else asked_rate(rate)
    ids, numbers = _number(scores.theirs, scores.total > 0)
    if registry_rows is not None and "further spellings" in registry_rows.counts():
        numbers = _one_a_person(numbers, registry_rows.person[_places(registry_rows.handles, ids)])
    everyone = Candidates(numbers[at], scores.dice()[at]).best_of(rows.stands_for())
    return rows, Case.of(rows, everyone, RandomStream(_seed(scores), "judge"), asked), ids


def _looks(encodings: Encodings, rows: PrivateRows, case: Case, draws: RandomStream) -> diagnostics.DecoyDiagnostics:
    at = _places(encodings.handles, rows.handles)
    judged, owner = _judged_decoys(rows, case)
    return diagnostics.looks_of(encodings.bits.words[at], case.records, judged, owner, draws)


def _judged_decoys(rows: PrivateRows, case: Case) -> tuple[Ints, Ints]:
    """Records of the decoys of judged people, and the places of those among the judged."""
    decoys = rows.of_kind(RecordKind.DECOY)
    base = rows.of_kind(RecordKind.REAL)[rows.person[decoys]]
    judged = np.isin(base, case.records)
    return decoys[judged], np.searchsorted(case.records, base[judged])


def asked_rate(rate: float | str) -> float:
    """A false-match rate such as 0.05 or "5%", as a number; PprlError for what is none."""
    try:
        return ten_thousandths(rate) / 10_000
    except ValueError as error:
        raise PprlError(f"the false-match rate is not {error}", hint='say 0.05 or "5%"') from None


def _judge(
    base: Assessment,
    case: Case,
    rows: PrivateRows,
    registry_rows: PrivateRows | None,
    ids: NDArray[np.void],
    looks: diagnostics.DecoyDiagnostics | None,
    witness: PartnerEvidence | None,
    scores: Scores,
) -> Assessment:
    finding = find(case.meeting(), case.asked)
    warnings = list(base.warnings)
    if case.left_out:
        warnings.append(
            f"{case.left_out} people of one completeness have fewer than {MIN_DECOYS} decoys: none is counted"
        )
    given = len(rows.of_kind(RecordKind.CONTROL))
    if unjudged := given - len(case.controls):
        warnings.append(f"{unjudged:,} of {given:,} controls are of a completeness that nobody judged has: left out")
    strata = rows.with_role("stratum")
    groups = [label.codes[case.records].astype(np.int64) for label in strata]
    if case.unknown is not None:
        groups.append(case.unknown.astype(np.int64))
    ranges = intervals(finding, groups, case.draws)
    low, high = ranges[0]
    thresholds = [each.threshold for each in finding.classes if each.threshold is not None]
    count = int(finding.found.sum())
    net = (round(finding.net, 1), round(min(low, finding.net), 1), round(max(high, finding.net), 1))
    sure = np.flatnonzero(finding.found & ~finding.unsure)
    partners = ids[finding.partners.ids[sure]]
    place = _places(registry_rows.handles, partners) if registry_rows is not None else None
    if witness is None:
        confirm = _confirm(case, rows, registry_rows, sure, place)
        known = _filled_of(registry_rows, place) if registry_rows is not None and place is not None else None
    else:
        confirm = witness.agreements(rows.rows[case.records[sure]], partners)
        known = witness.filled(partners)
    ranks = next((each for each in confirm if each.higher is not None), None)
    false_match_rate = round(finding.false / count, 6) if count else None
    alike = _filled_alike(rows, case.records[sure], known)
    copied = diagnostics.copy_check(finding.partners.dice[sure], finding.q_values[sure], alike, ranks)
    controls, ineligible = (
        diagnostics.absent(group, classes, finding, case.decoys) if len(group) else None
        for group, classes in ((case.controls, case.control_classes), (case.ineligible, case.ineligible_classes))
    )
    sound = diagnostics.soundness(looks, case.records, _judged_decoys(rows, case)[0]) if looks is not None else None
    p, harsh = _told(p_value(case.real.best(), case.decoys.best())), None
    if len(case.relatives) >= MIN_DECOYS:
        harsh = _told(p_harsh(case.real.best(), case.decoys.best(), case.relatives.best()))
    verdict = decide_verdict(
        p=p,
        p_harsh=harsh,
        low=net[1] if case.asked == RATE_OF_VERDICT else _low(finding.meeting, case.draws),
        decoys=sound,
        known_absent=[group for group in (controls, ineligible) if group is not None],
        confirm=confirm,
        copied=copied,
        controls=controls,
        public=rows.policy.public,
    )
    told = replace(
        base,
        verdict=verdict,
        threshold=round(min(thresholds), 6) if thresholds else None,
        found=count,
        net_found=net,
        expected_by_chance=_nobody_present(case),
        false_match_rate=false_match_rate,
        p_value=p,
        matchable_share=round(finding.matchable / len(case.real), 6),
        fewest_findable=min((each.fewest for each in finding.classes), default=None),
        ambiguous=int(finding.unsure.sum()),
        lists=_parts(rows, case, finding),
        pairs=_pairs(sure, case, finding, rows, registry_rows, partners, place),
        warnings=tuple(warnings),
        looks=looks,
    )
    told_of = Known(finding, harsh, confirm, copied, controls, ineligible, sound, strata, groups, ranges)
    return replace(told, audit=exact(told, case, told_of, rows, scores))


def _low(meeting: Meeting, draws: RandomStream) -> float:
    """The lower end of net found at the rate of the verdict, where another is asked for the pairs."""
    return intervals(find(meeting, RATE_OF_VERDICT), [], draws)[0][0]


def _told(p: float) -> float:
    return float(f"{max(p, SMALLEST_P):.3g}")


def _nobody_present(case: Case) -> float | None:
    """How many would be found if nobody of the list were in the registry: a decoy of each person takes the list's
    place and is judged as it is against the other decoys; the mean of `PLAYED` such lists, None where there are too
    few decoys to play one."""
    turn, found = case.cumcount(), []
    for number in range(PLAYED):
        chosen = np.flatnonzero(turn == number)
        chosen = chosen[np.argsort(case.owner[chosen], kind="stable")]
        others = np.flatnonzero((turn != number) & np.isin(case.owner, case.owner[chosen]))
        if len(others) < MIN_DECOYS:
            break
        place = np.searchsorted(case.owner[chosen], case.owner[others])
        classes = case.classes[case.owner[chosen]]
        played = find(meet(case.decoys.take(chosen), case.decoys.take(others), place, classes), case.asked)
        found.append(int(played.found.sum()) * len(case.real) / len(chosen))
    return round(sum(found) / len(found), 2) if found else None


def _filled_of(registry_rows: PrivateRows, place: Ints) -> NDArray[np.str_] | None:
    """How full the linked fields of registry rows are; None where their owner's file does not say it."""
    labels = registry_rows.with_role("filled")
    return np.array([*labels[0].values, ""])[labels[0].codes[place]] if labels else None


def _filled_alike(rows: PrivateRows, records: Ints, theirs: NDArray[np.str_] | None) -> NDArray[np.bool_]:
    """The pairs in which both sides say as much in every linked field; none where that is not known of the registry."""
    ours = rows.with_role("filled")
    if theirs is None or not ours or not len(records):
        return np.zeros(len(records), dtype=bool)
    alike: NDArray[np.bool_] = np.array([*ours[0].values, "-"])[ours[0].codes[records]] == theirs
    return alike


def _confirm(
    case: Case, rows: PrivateRows, registry_rows: PrivateRows | None, sure: Ints, place: Ints | None
) -> list[diagnostics.Agreement]:
    """Agreement on every confirm field that both rosters have, permuted within class, birth decade and strata."""
    if registry_rows is None or place is None or not len(sure):
        return []
    theirs = {label.name: label for label in registry_rows.with_role("confirm")}
    ours = [label for label in rows.with_role("confirm") if label.name in theirs]
    if not ours:
        return []
    decade, strata = rows.with_role("decade"), rows.with_role("stratum")
    groups = np.zeros(0, dtype=np.int64)
    for kinds in ((*decade, *strata), decade):  # where strata leave too few to permute, decades must do
        keys = np.stack([case.classes[sure], *(label.codes[case.records[sure]] for label in kinds)], axis=1)
        groups = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
        if 2 * (np.bincount(groups)[groups] > 1).sum() >= len(groups):
            break
    pairs = case.records[sure], place
    return [diagnostics.agreement(label, theirs[label.name], pairs, groups, case.draws) for label in ours]


def _parts(rows: PrivateRows, case: Case, finding: Finding) -> tuple[tuple[int, int], ...]:
    """Judged people and found of each part of a list that was read in several."""
    parts = range(1, int((rows.rows[rows.of_kind(RecordKind.REAL)] // LIST_STEP).max(initial=0)) + 1)
    part = rows.rows[case.records] // LIST_STEP
    return tuple((int((part == number).sum()), int(finding.found[part == number].sum())) for number in parts)


def _pairs(
    chosen: Ints,
    case: Case,
    finding: Finding,
    rows: PrivateRows,
    registry_rows: PrivateRows | None,
    handles: NDArray[np.void],
    place: Ints | None,
) -> pd.DataFrame:
    people = case.records[chosen]
    own_ids = rows.id_texts()
    if registry_rows is None or place is None:
        their_rows: list[int | None] = [None] * len(chosen)
        their_ids = [handle.tobytes().hex() for handle in handles]
    else:
        all_ids = registry_rows.id_texts()
        their_rows = registry_rows.rows[place].tolist()
        their_ids = [all_ids[at] for at in place]
    part = rows.rows[people] // LIST_STEP
    pairs = pd.DataFrame(
        {
            "list_row": rows.rows[people] % LIST_STEP,
            "registry_row": pd.array(their_rows, dtype="Int64"),
            "list_id": [own_ids[at] for at in people],
            "registry_id": their_ids,
            "score": np.round(finding.partners.dice[chosen], 6),
            "q_value": np.round(finding.q_values[chosen], 6),
        },
        columns=list(PAIR_COLUMNS),
    )
    if part.any():
        pairs.insert(0, "list", part)
    return pairs


def _warnings(rows: PrivateRows, scores: Scores) -> list[str]:
    warnings = []
    people, decoys = rows.people, len(rows.of_kind(RecordKind.DECOY))
    if rows.repeatable:
        warnings.append("the key and the decoys come from --seed: this run can be repeated and is not secret")
    if people and decoys and rows.fallbacks > 0.1 * decoys:
        warnings.append(
            f"{rows.fallbacks / decoys:.0%} of the decoys took their surname from a row that is not akin: "
            "the error rate is less sure"
        )
    if people > scores.registry_encoded:
        warnings.append("the list is larger than the registry")
    return warnings


def _seed(scores: Scores) -> bytes:
    """From the scores themselves, so that judging twice gives the same interval."""
    return hashlib.sha256(b"pprl/1/bootstrap\0" + scores.common.tobytes() + scores.total.tobytes()).digest()


def _number(handles: NDArray[np.void], there: NDArray[np.bool_]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Distinct registry handles, and the place in them of each candidate (−1 for none)."""
    known = handles[there]
    halves = known.view(">u8").reshape(-1, 2).astype(np.uint64)
    of = pd.DataFrame(halves).groupby([0, 1], sort=True).ngroup().to_numpy()  # in the order of their bytes
    distinct = np.empty(int(of.max(initial=NONE)) + 1, dtype=handles.dtype)
    distinct[of] = known
    numbers = np.full(handles.shape, NONE, dtype=np.int64)
    numbers[there] = of
    return distinct, numbers


def _one_a_person(numbers: Ints, person: NDArray[np.int32]) -> Ints:
    """The number of the first spelling of each candidate's person."""
    first, of = np.unique(person, return_index=True, return_inverse=True)[1:]
    return np.where(numbers == NONE, NONE, np.append(first[of], NONE)[numbers])


def _places(known: NDArray[np.void], wanted: NDArray[np.void]) -> NDArray[np.int64]:
    """Where each wanted handle stands among the known ones; FileError when one is not there."""
    order = np.argsort(known)
    place = np.searchsorted(known[order], wanted)
    found = order[np.minimum(place, len(known) - 1)] if len(known) else np.zeros(0, dtype=np.int64)
    if len(found) != len(wanted) or not bool((known[found] == wanted).all()):
        raise FileError(
            "the private rows are not those of these scores",
            hint="use the .rows file written with the encodings",
        )
    return found.astype(np.int64)


def _find(scores: Scores, rows: PrivateRows) -> NDArray[np.int64]:
    """The place in the scores of each of the owner's rows, so that the shuffled order is left behind."""
    scores.parameters.require_same(rows.parameters)
    if len(scores) != len(rows):
        raise FileError(
            "the private rows are not those of these scores",
            hint="use the .rows file written with the encodings",
        )
    return _places(scores.handles, rows.handles)
