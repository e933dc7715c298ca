"""Scores and the owner's own rows to an answer: who is found, how many of them falsely, and the net of it.

The labels are opened here and nowhere before. Rows of a different completeness are judged apart, each class against
its own decoys: a row without a birth date meets strangers more easily.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.draws import Draws
from pprl.errors import FileError, PprlError
from pprl.estimate.errors import MIN_DECOYS, Curve, Sample, fewest_findable, p_value
from pprl.estimate.partners import NONE, Candidates, ambiguous, arrivals, assign, prices
from pprl.match.scores import Scores
from pprl.places import LIST_STEP
from pprl.rows import HomeRows
from pprl.schema import ten_thousandths

FORMAT = 1
PARTNER_RULE = "arrivals"
FLOOR = 0.002  # partners are looked for above this quantile of the decoys' best similarities
SMALL_CLASS = 50
REPLICATES = 400
LEVEL = 0.95
SMALLEST_P = 1e-300  # what lies below is rounding, and no p is 0
PAIR_COLUMNS = ("list_row", "registry_row", "list_id", "registry_id", "score", "q_value")


@dataclass(frozen=True)
class Assessment:
    """The answer. Counts are people of the list, not rows; shares are of the encoded people.

    ``found`` are people whose partner reaches the threshold of their class; ``net_found`` is found minus the expected
    false matches, with a 95 % interval; ``threshold`` is the lowest of the classes' thresholds. None stands for
    "cannot tell". ``lists`` are people and found of each part, where the list has several; ``run`` is what the ledger
    of runs said.
    """

    list_rows: int
    registry_rows: int
    list_encoded: int
    registry_encoded: int
    hardening: int
    kernel: str
    false_match_rate_asked: float
    repeatable: bool
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
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """The matched pairs: one row a pair, columns list_row, registry_row, list_id, registry_id, score, q_value;
        before them ``list``, the part, where the list has several."""
        return self.pairs.copy()

    def to_dict(self) -> dict[str, Any]:
        """The result as ``--json`` prints it."""

        def share(count: float | None) -> dict[str, float | None]:
            return {
                "count": count,
                "share": None if count is None else round(count / max(1, self.list_encoded), 6),
            }

        net = dict(zip(("value", "low", "high"), self.net_found or (None, None, None), strict=True))
        return {
            "format": FORMAT,
            "list_rows": self.list_rows,
            "registry_rows": self.registry_rows,
            "list_encoded": self.list_encoded,
            "registry_encoded": self.registry_encoded,
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
            "run": self.run or None,
            "secret": not self.repeatable,
            "warnings": list(self.warnings),
            "seconds": dict(self.seconds),
        }


def judge(
    scores: Scores, rows: HomeRows, registry_rows: HomeRows | None = None, *, rate: float | str | None = None
) -> Assessment:
    """Open the labels and judge.

    ``rate`` is the false-match rate asked, such as 0.05 or "5%"; without it the schema's. With the registry's own rows
    the pairs name its rows and ids, else its handles stand in ``registry_id``.

    FileError: the rows are not those of these scores.
    """
    at = _find(scores, rows)
    if registry_rows is not None:
        scores.stamp.require_same(registry_rows.stamp)
    asked = rows.rate / 10_000 if rate is None else asked_rate(rate)
    ids, numbers = _number(scores.theirs, scores.total > 0)
    everyone = Candidates(numbers[at], scores.dice()[at])
    real, decoys = everyone.take(np.flatnonzero(~rows.decoy)), everyone.take(np.flatnonzero(rows.decoy))
    warnings = _warnings(rows, scores, len(real), len(decoys))
    base = Assessment(
        list_rows=rows.rows_read,
        registry_rows=scores.registry_read,
        list_encoded=len(real),
        registry_encoded=scores.registry_encoded,
        hardening=scores.stamp.hardening,
        kernel=scores.kernel,
        false_match_rate_asked=asked,
        repeatable=rows.repeatable,
    )
    if len(decoys) < MIN_DECOYS or not len(real):
        warnings.append(
            f"cannot tell: only {len(decoys)} decoys could be made from this list, "
            f"{MIN_DECOYS} are needed for an error rate"
        )
        return replace(base, warnings=tuple(warnings))
    return _judge(base, real, decoys, rows, registry_rows, ids, asked, warnings, _bootstrap_seed(scores))


def asked_rate(rate: float | str) -> float:
    """A false-match rate such as 0.05 or "5%", as a number; PprlError for what is none."""
    try:
        return ten_thousandths(rate) / 10_000
    except ValueError as error:
        raise PprlError(f"the false-match rate is not {error}", hint='say 0.05 or "5%"') from None


def _judge(
    base: Assessment,
    real: Candidates,
    decoys: Candidates,
    rows: HomeRows,
    registry_rows: HomeRows | None,
    ids: NDArray[np.void],
    asked: float,
    warnings: list[str],
    seed: bytes,
) -> Assessment:
    person = rows.person[rows.decoy].astype(np.int64)
    classes = merged_classes(rows.completeness[~rows.decoy])
    decoy_classes = classes[person]
    floors = np.zeros(len(real)), np.zeros(len(decoys))
    for each in np.unique(classes):
        here = decoys.best()[decoy_classes == each]
        floor = float(np.quantile(here, FLOOR)) if len(here) else 0.0
        floors[0][classes == each], floors[1][decoy_classes == each] = floor, floor
    partners = assign(real, floors[0])
    price = prices(real, floors[0], partners)
    reached = arrivals(decoys, floors[1], price)
    one_each = np.unique(person, return_index=True)[1]
    nobody_present = assign(decoys.take(one_each), floors[1][one_each])

    found = np.zeros(len(real), dtype=bool)
    q_values = np.ones(len(real))
    samples: list[tuple[Sample, NDArray[np.int64], NDArray[np.int64]]] = []
    false = matchable = alone = 0.0
    fewest: list[int] = []
    thresholds: list[float] = []
    for each in np.unique(classes):
        ours, theirs = np.flatnonzero(classes == each), np.flatnonzero(decoy_classes == each)
        if len(theirs) < MIN_DECOYS:
            warnings.append(
                f"{len(ours)} people of one completeness have fewer than {MIN_DECOYS} decoys: none of them is counted"
            )
            continue
        sample = Sample(partners.dice[ours], real.best()[ours], reached[theirs], decoys.best()[theirs])
        samples.append((sample, ours, person[theirs]))
        pi0 = sample.share_without_partner(np.ones(len(ours)), np.ones(len(theirs)))
        line = sample.curve(np.ones(len(ours)), np.ones(len(theirs)), pi0)
        matchable += (1 - pi0) * len(ours)
        fewest.append(fewest_findable(pi0, asked, len(ours), len(theirs)))
        if (cut := line.at_rate(asked)) == NONE:
            continue
        threshold = float(line.threshold[cut])
        thresholds.append(threshold)
        found[ours] = partners.dice[ours] >= threshold
        q_values[ours] = _q_of(line, partners.dice[ours])
        false += float(line.false[cut])
        alone += float((nobody_present.dice[decoy_classes[one_each] == each] >= threshold).mean()) * len(ours)
    count = int(found.sum())
    unsure = found & ambiguous(real, floors[0], partners, price)
    low, high = _bootstrap(samples, len(real), asked, Draws(seed, "bootstrap"))
    net = max(0.0, count - false)
    return replace(
        base,
        threshold=round(min(thresholds), 6) if thresholds else None,
        found=count,
        net_found=(round(net, 1), round(min(low, net), 1), round(max(high, net), 1)),
        expected_by_chance=round(alone, 2) if thresholds else None,
        false_match_rate=round(false / count, 6) if count else None,
        p_value=float(f"{max(p_value(real.best(), decoys.best()), SMALLEST_P):.3g}"),
        matchable_share=round(matchable / len(real), 6),
        fewest_findable=min(fewest) if fewest else None,
        ambiguous=int(unsure.sum()),
        lists=_parts(rows.rows[~rows.decoy] // LIST_STEP, found),
        pairs=_pairs(np.flatnonzero(found & ~unsure), partners.ids, partners.dice, q_values, rows, registry_rows, ids),
        warnings=tuple(warnings),
    )


def _parts(part: NDArray[np.int64], found: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """People and found of each part of a list that was read in several."""
    numbers = range(1, int(part.max(initial=0)) + 1)
    return tuple((int((part == number).sum()), int(found[part == number].sum())) for number in numbers)


def merged_classes(completeness: NDArray[np.int8]) -> NDArray[np.int64]:
    """Classes of fewer than 50 people are judged as one, and with the largest class if they are still fewer."""
    classes = completeness.astype(np.int64)
    values, counts = np.unique(classes, return_counts=True)
    small = np.isin(classes, values[counts < SMALL_CLASS])
    if small.all():
        return np.zeros_like(classes)
    rest = values[np.argmax(counts)] if small.sum() < SMALL_CLASS else classes.max() + 1
    return np.where(small, rest, classes)


def _q_of(line: Curve, similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """The q-value at each similarity; 1 where there is no partner."""
    place = np.searchsorted(-line.threshold, -similarity, side="left")
    return np.append(line.q_values(), 1.0)[np.minimum(place, len(line.threshold))]


def _bootstrap(
    samples: list[tuple[Sample, NDArray[np.int64], NDArray[np.int64]]],
    people: int,
    asked: float,
    draws: Draws,
) -> tuple[float, float]:
    """The middle 95 % of net found when people are drawn with their decoys, and π0, threshold and rate are found
    anew."""
    nets = np.zeros(REPLICATES)
    for replicate in range(REPLICATES):
        weight = np.bincount(draws.below(people, people), minlength=people).astype(np.float64)
        for sample, ours, owners in samples:
            real_weight, decoy_weight = weight[ours], weight[owners]
            if not decoy_weight.sum():
                continue
            line = sample.curve(real_weight, decoy_weight, sample.share_without_partner(real_weight, decoy_weight))
            if (cut := line.at_rate(asked)) != NONE:
                nets[replicate] += max(0.0, line.found[cut] - line.false[cut])
    low, high = np.quantile(nets, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _pairs(
    chosen: NDArray[np.int64],
    partner: NDArray[np.int64],
    similarity: NDArray[np.float64],
    q_values: NDArray[np.float64],
    rows: HomeRows,
    registry_rows: HomeRows | None,
    ids: NDArray[np.void],
) -> pd.DataFrame:
    people = np.flatnonzero(~rows.decoy)[chosen]
    handles = ids[partner[chosen]]
    own_ids = rows.id_texts()
    if registry_rows is None:
        their_rows: list[int | None] = [None] * len(chosen)
        their_ids = [handle.tobytes().hex() for handle in handles]
    else:
        place = _places(registry_rows.handles, handles)
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
            "score": np.round(similarity[chosen], 6),
            "q_value": np.round(q_values[chosen], 6),
        },
        columns=list(PAIR_COLUMNS),
    )
    if part.any():
        pairs.insert(0, "list", part)
    return pairs


def _warnings(rows: HomeRows, scores: Scores, people: int, decoys: int) -> list[str]:
    warnings = []
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


def _bootstrap_seed(scores: Scores) -> bytes:
    """From the scores themselves, so that judging twice gives the same interval."""
    return hashlib.sha256(b"pprl/1/bootstrap\0" + scores.common.tobytes() + scores.total.tobytes()).digest()


def _number(handles: NDArray[np.void], there: NDArray[np.bool_]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Distinct registry handles, and the place in them of each candidate (−1 for none)."""
    numbers = np.full(handles.shape, NONE, dtype=np.int64)
    distinct, inverse = np.unique(handles[there], return_inverse=True)
    numbers[there] = inverse
    return distinct, numbers


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


def _find(scores: Scores, rows: HomeRows) -> NDArray[np.int64]:
    """The place in the scores of each of the owner's rows, so that the shuffled order is left behind."""
    scores.stamp.require_same(rows.stamp)
    if len(scores) != len(rows):
        raise FileError(
            "the private rows are not those of these scores",
            hint="use the .rows file written with the encodings",
        )
    return _places(scores.handles, rows.handles)
