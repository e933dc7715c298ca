"""From scores and the owner's private rows to an answer: who matches, how many matches are false, what may be said.

`labels` opens the labels, `findings` examines everything, `verdict` chooses the rung, `audit` makes the record; this
module puts them together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import pprl
from pprl.core import container
from pprl.core.encodings import Encodings
from pprl.core.private_rows import Policy, PrivateRows, RecordKind
from pprl.core.row_labels import LIST_STEP
from pprl.core.scores import Scores
from pprl.judge.audit import can_count, parts_of_list, record_of
from pprl.judge.cohort import Cohort
from pprl.judge.confirmation import PartnerEvidence
from pprl.judge.error_rates import MIN_DECOYS
from pprl.judge.findings import Findings, examine
from pprl.judge.labels import diagnose, open_labels
from pprl.judge.missed import Planted
from pprl.judge.verdict import cannot_tell, decide_verdict, is_withheld
from pprl.report import REPORT_FILES
from pprl.report.fields import Estimate, Number
from pprl.report.record import ListPart, Record, Verdict

FORMAT = 1
PAIR_COLUMNS = ("list_row", "registry_row", "list_id", "registry_id", "registry_repeats", "score", "q_value")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a result says about its run besides its figures.

    ``warnings`` come from the steps before the judgement. ``run`` gives the ledger's line and ``seconds`` the seconds
    of each step; both are called once, when the figures are known. ``version`` is the version of pprl that judged
    first, where a judgement is repeated. ``own_decoys``: the decoys were made in the same run, so that
    nothing need show that they are of the list.
    """

    warnings: tuple[str, ...] = ()
    run: Callable[[], str] = str
    seconds: Callable[[], Mapping[str, float]] = dict
    version: str = pprl.__version__
    own_decoys: bool = False


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The answer: the exact `Record`, and the matched pairs.

    Counts are people on the list who could be in the registry, not rows. None means "cannot tell".
    """

    record: Record
    pairs: pd.DataFrame = field(repr=False)
    lists: tuple[ListPart, ...]  # where the list has several parts
    policy: Policy
    seconds: Mapping[str, float]

    @property
    def verdict(self) -> Verdict:
        return self.record.verdict

    @property
    def people(self) -> Number:
        """People on the list who could be in the registry."""
        return self.record.headline.people or 0

    @property
    def found(self) -> Number | None:
        """People matched one to one with a registry record."""
        return self.record.headline.found.count

    @property
    def net_found(self) -> Estimate | None:
        """Estimated true matches: the matches minus the expected false ones, with a 95% interval."""
        return self.record.headline.net_found

    @property
    def expected_by_chance(self) -> Number | None:
        """People who would match if nobody on the list were in the registry."""
        return self.record.headline.expected_by_chance

    @property
    def false_match_rate(self) -> Number | None:
        """The expected share of the matches that are false: 1 − precision, the false discovery rate."""
        return self.record.headline.false_match_rate

    @property
    def false_match_rate_asked(self) -> Number:
        return self.record.headline.false_match_rate_asked or 0

    @property
    def false_at_most(self) -> Number | None:
        """With 95% confidence at most so many of the matches are false."""
        return self.record.headline.false_at_most

    @property
    def missed_match_rate(self) -> Estimate | None:
        """The share of the people in the registry who would not be matched, with a 95% interval; None if not known."""
        return self.record.headline.missed_match_rate

    @property
    def p_value(self) -> float | None:
        """The one test, fixed in advance."""
        p = self.record.headline.p
        return None if p is None else float(p)

    @property
    def threshold(self) -> Number | None:
        """The lowest of the classes' thresholds."""
        return self.record.headline.threshold

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.record.warnings

    @property
    def run(self) -> str:
        """The ledger's line about this run, or "" where it was not counted."""
        return self.record.run or ""

    @property
    def audit(self) -> dict[str, Any]:
        """The record as audit.json holds it."""
        return self.record.to_json()

    def audit_json(self) -> bytes:
        return _as_json(self.audit)

    def report_json(self) -> bytes:
        return _as_json(self.report())

    def report(self) -> dict[str, Any]:
        """The record as report.json holds it: disclosed as the schema's policy says."""
        from pprl.report.disclosure import disclose

        return disclose(self.audit, self.policy.disclosure, small_cells=self.policy.small_cells)

    def to_html(self, language: str = "en") -> str:
        """The page of the report."""
        from pprl.report import render

        return render(self.report(), language)

    def to_frame(self) -> pd.DataFrame:
        """The matched pairs, one per row: list_row, registry_row, list_id, registry_id, registry_repeats (how many
        further rows of the registry are the same in everything compared), score and q_value; before them ``list``, the
        number of the part, where the list has several."""
        return self.pairs.copy()

    def to_dict(self) -> dict[str, Any]:
        """The result as ``--json`` prints it."""
        audit, head = self.audit, self.record.headline
        rosters, parameters = self.record.rosters, self.record.parameters
        kept = ("strata", "confirm", "eligibility", "controls", "copy_check", "sensitivity")
        return {
            "format": FORMAT,
            "verdict": audit["verdict"],
            "list_rows": rosters.list_rows,
            "registry_rows": rosters.registry_rows,
            "list_encoded": rosters.list_people,
            "registry_encoded": rosters.registry_encoded,
            "people": self.people,
            "hardening": parameters["hardening"],
            "kernel": parameters["kernel"],
            "partner_rule": parameters["partner_rule"],
            "threshold": self.threshold,
            "found": self._share(self.found),
            "net_found": audit["headline"]["net_found"],
            "expected_by_chance": self._share(self.expected_by_chance),
            "false_match_rate": self.false_match_rate,
            "false_match_rate_asked": self.false_match_rate_asked,
            "false_at_most": self.false_at_most,
            "missed_match_rate": audit["headline"]["missed_match_rate"],
            "missed_match_basis": head.missed_match_basis,
            "p_value": self.p_value,
            "p_registry": self.record.headline.p_registry,
            "matchable_share": head.matchable_share,
            "fewest_findable": head.fewest_findable,
            "pairs": None if self.found is None else len(self.pairs),
            "ambiguous": head.ambiguous,
            "lists": [part.to_json() for part in self.lists],
            **{key: audit[key] for key in kept},
            "run": self.record.run,
            "secret": parameters["secret"],
            "warnings": list(self.warnings),
            "seconds": dict(self.seconds),
        }

    def _share(self, count: Number | None) -> dict[str, Number | None]:
        return {"count": count, "share": None if count is None else round(count / max(1, self.people), 6)}

    def files(self, language: str = "en") -> dict[str, bytes]:
        """The contents of `REPORT_FILES`."""
        contents = (self.audit_json(), self.report_json(), self.to_html(language).encode())
        return dict(zip(REPORT_FILES, contents, strict=True))

    def write(self, folder: Path | str, language: str = "en", *, force: bool = False) -> None:
        """audit.json (exact, mode 0600), report.json (disclosed) and its page, into a folder."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, data in self.files(language).items():
            container.write_new(Path(folder) / name, [data], private=name == "audit.json", force=force)


def _as_json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def judge(
    scores: Scores,
    rows: PrivateRows,
    registry_rows: PrivateRows | None = None,
    *,
    rate: float | str | None = None,
    encodings: Encodings | None = None,
    evidence: PartnerEvidence | None = None,
    planted: Planted | None = None,
    provenance: Provenance | None = None,
) -> Assessment:
    """Open the labels and judge.

    ``rate`` is the false-match rate asked for, such as 0.05 or "5%"; by default the schema's. With the registry's own
    private rows, the pairs name its rows and ids and further fields are compared; without them, its handles take the
    place of ids. With the list's ``encodings``, decoys are compared with people. ``evidence`` says the same about
    pairs and decoys where neither file is at hand. The missed-match rate rests on ``planted`` people, or else on the
    decoys planted among the ``rows``.

    FileError: the rows are not those of these scores.
    """
    provenance = provenance or Provenance()
    rows, cohort, handles = open_labels(scores, rows, registry_rows, rate)
    findings, planted = None, planted or Planted.of_table(rows.planted, scores)
    if len(cohort.real):
        diagnosis = evidence.decoys if evidence else None
        if encodings is not None:
            diagnosis = diagnose(scores, rows, cohort, encodings)
            diagnosis = replace(diagnosis, resemblance=None) if provenance.own_decoys else diagnosis
        findings = examine(rows, cohort, handles, registry_rows, evidence, diagnosis, planted)
    verdict = decide_verdict(findings.grounds) if findings else _nobody_judged(rows, cohort)
    shown = None if is_withheld(verdict) else findings
    record = record_of(
        scores,
        rows,
        cohort,
        findings,
        verdict=verdict,
        warnings=_warnings(provenance, scores, rows, cohort, evidence),
        version=provenance.version,
        run=provenance.run(),
    )
    return Assessment(
        record=record,
        pairs=_pairs(rows, cohort, registry_rows, shown) if shown else _frame({}),
        lists=parts_of_list(rows, cohort, shown.matches, told=can_count(verdict, findings)) if shown else (),
        policy=rows.policy,
        seconds=provenance.seconds(),
    )


def _nobody_judged(rows: PrivateRows, cohort: Cohort) -> Verdict:
    few_decoys = rows.people and cohort.left_out
    return cannot_tell("few_decoys" if few_decoys else "nobody")


def _pairs(rows: PrivateRows, cohort: Cohort, registry_rows: PrivateRows | None, findings: Findings) -> pd.DataFrame:
    matches, pairs = findings.matches, findings.pairs
    records = cohort.records[pairs.people]
    list_ids = rows.id_texts()
    if registry_rows is None or pairs.positions is None:
        registry_rows_of: list[int | None] = [None] * len(records)
        registry_ids = [handle.tobytes().hex() for handle in pairs.handles]
        repeats: list[int | None] = [None] * len(records)
    else:
        ids = registry_rows.id_texts()
        positions, further = first_rows(registry_rows, pairs.positions)
        repeats = further.tolist()
        registry_rows_of = registry_rows.rows[positions].tolist()
        registry_ids = [ids[position] for position in positions]
    frame = _frame(
        {
            "list_row": rows.rows[records] % LIST_STEP,
            "registry_row": pd.array(registry_rows_of, dtype="Int64"),
            "list_id": [list_ids[record] for record in records],
            "registry_id": registry_ids,
            "registry_repeats": pd.array(repeats, dtype="Int64"),
            "score": np.round(matches.partners.dice[pairs.people], 6),
            "q_value": np.round(matches.q_values[pairs.people], 6),
        }
    )
    part = rows.rows[records] // LIST_STEP
    if part.any():
        frame.insert(0, "list", part)
    return frame


def first_rows(registry_rows: PrivateRows, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first record of each person at ``positions`` in the registry's order, and how many further rows they have."""
    _, first, person = np.unique(registry_rows.person, return_index=True, return_inverse=True)
    rows_of = np.unique(np.stack([person, registry_rows.rows]), axis=1)[0]
    return first[person[positions]].astype(np.int64), np.bincount(rows_of)[person[positions]] - 1


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns, columns=list(PAIR_COLUMNS))


def _warnings(
    provenance: Provenance, scores: Scores, rows: PrivateRows, cohort: Cohort, evidence: PartnerEvidence | None
) -> tuple[str, ...]:
    return (
        *provenance.warnings,
        *_warnings_of_rows(scores, rows, own_decoys=provenance.own_decoys),
        *_warnings_of_cohort(rows, cohort),
        *(evidence.warnings if evidence else ()),
    )


def _warnings_of_rows(scores: Scores, rows: PrivateRows, *, own_decoys: bool) -> list[str]:
    warnings = []
    if len(scores.decoys) < MIN_DECOYS and not own_decoys:
        warnings.append(
            "nobody but the list's owner vouches for the decoys: the registry came without decoys of its own"
        )
    people, decoys = rows.people, len(rows.of_kind(RecordKind.DECOY))
    if rows.repeatable:
        warnings.append("the key and the decoys come from --seed: this run can be repeated and is not secret")
    if people and decoys and rows.fallbacks > 0.1 * decoys:
        warnings.append(
            f"{rows.fallbacks / decoys:.0%} of the decoys took a surname from outside their group: "
            "the error rate is less certain"
        )
    if people > scores.registry_encoded:
        warnings.append("the list is larger than the registry")
    return warnings


def _warnings_of_cohort(rows: PrivateRows, cohort: Cohort) -> list[str]:
    if not len(cohort.real):
        decoys = len(rows.of_kind(RecordKind.DECOY))
        if cohort.left_out or not rows.people:
            return [
                f"cannot tell: only {decoys} decoys could be made from this list, and an error rate needs {MIN_DECOYS}"
            ]
        return ["cannot tell: nobody on this list could be in the registry"]
    warnings = []
    if cohort.left_out:
        warnings.append(
            f"{cohort.left_out} people are in classes of rows with fewer than {MIN_DECOYS} decoys and do not count"
        )
    controls = len(rows.of_kind(RecordKind.CONTROL))
    if unjudged := controls - len(cohort.controls):
        warnings.append(
            f"{unjudged:,} of {controls:,} negative controls are in classes of rows without judged people: left out"
        )
    return warnings
