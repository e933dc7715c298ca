"""The labels opened: scores and the owner's private rows joined, here and nowhere before."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.encodings import Encodings
from pprl.core.errors import FileError, PprlError
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import RandomStream
from pprl.core.schema import ten_thousandths
from pprl.core.scores import Scores
from pprl.judge import diagnostics
from pprl.judge.assignment import NONE, Candidates
from pprl.judge.cohort import Cohort, cohort_of
from pprl.judge.error_rates import MIN_DECOYS, Strangers

Ints = NDArray[np.int64]
Handles = NDArray[np.void]


def open_labels(
    scores: Scores, rows: PrivateRows, registry_rows: PrivateRows | None = None, rate: float | str | None = None
) -> tuple[PrivateRows, Cohort, Handles]:
    """The private rows in an order that is the same for every judge, the cohort, and the registry handles by their
    numbers in the cohort's candidates.

    FileError: the rows are not those of these scores. PprlError: ``rate`` is not a false-match rate.
    """
    positions = _rows_of_scores(scores, rows)
    # Synthetic records follow their person, in the order of the scores.
    order = np.lexsort((positions, rows.person, rows.kind))
    rows, positions = rows.reorder(order), positions[order]
    if registry_rows is not None:
        scores.parameters.require_same(registry_rows.parameters)
    asked = rows.rate / 10_000 if rate is None else asked_rate(rate)
    handles, numbers = _numbered(scores.theirs, scores.total > 0)
    if registry_rows is not None and len(np.unique(registry_rows.person)) < len(registry_rows):
        numbers = _one_per_person(numbers, registry_rows.person[positions_of(handles, registry_rows.handles)])
    candidates = Candidates(numbers[positions], scores.dice()[positions]).best_of(rows.stands_for())
    draws = RandomStream(seed_of(scores), "judge")
    return rows, cohort_of(rows, candidates, strangers_of(scores), draws, asked), handles


def strangers_of(scores: Scores) -> Strangers | None:
    """The registry's own decoys; None where there are too few for a test."""
    enough = len(scores.decoys) >= MIN_DECOYS
    return Strangers(scores.decoy_dice(), scores.decoys[:, 2]) if enough else None


def asked_rate(rate: float | str) -> float:
    """A false-match rate such as 0.05 or "5%", as a number; PprlError for anything else."""
    try:
        return ten_thousandths(rate) / 10_000
    except ValueError as error:
        raise PprlError(f"the false-match rate is not {error}", hint='say 0.05 or "5%"') from None


def decoys_of_judged(rows: PrivateRows, cohort: Cohort) -> tuple[Ints, Ints]:
    """Positions of the decoys beside judged people, and the indices of these among the judged."""
    decoys = rows.of_kind(RecordKind.DECOY)
    owner = rows.of_kind(RecordKind.REAL)[rows.person[decoys]]
    judged = np.isin(owner, cohort.records)
    return decoys[judged], np.searchsorted(cohort.records, owner[judged])


def diagnose_decoys(scores: Scores, rows: PrivateRows, encodings: Encodings) -> diagnostics.DecoyDiagnostics | None:
    """How the records of a list look by their encodings; None where nobody can be judged.

    FileError: the rows are not those of these scores or encodings.
    """
    rows, cohort, _ = open_labels(scores, rows)
    return diagnose(scores, rows, cohort, encodings) if len(cohort.real) else None


def diagnose(scores: Scores, rows: PrivateRows, cohort: Cohort, encodings: Encodings) -> diagnostics.DecoyDiagnostics:
    """`diagnose_decoys` with labels that are open already."""
    words = encodings.bits.words[positions_of(rows.handles, encodings.handles)]
    decoys, owner = decoys_of_judged(rows, cohort)
    return diagnostics.diagnose(words, cohort.records, decoys, owner, RandomStream(seed_of(scores), "looks"))


def positions_of(wanted: Handles, known: Handles) -> Ints:
    """The position of each wanted handle among the known ones. FileError: one is missing."""
    order = np.argsort(known)
    nearest = np.searchsorted(known[order], wanted)
    found = order[np.minimum(nearest, len(known) - 1)] if len(known) else np.zeros(0, dtype=np.int64)
    if len(found) != len(wanted) or not bool((known[found] == wanted).all()):
        raise _other_rows()
    return found.astype(np.int64)


def _rows_of_scores(scores: Scores, rows: PrivateRows) -> Ints:
    """The position in the scores of each private row, so that the shuffled order is left behind."""
    scores.parameters.require_same(rows.parameters)
    if len(scores) != len(rows):
        raise _other_rows()
    return positions_of(rows.handles, scores.handles)


def _other_rows() -> FileError:
    return FileError(
        "the private rows are not those of these scores", hint="use the .rows file written with the encodings"
    )


def _numbered(handles: Handles, present: NDArray[np.bool_]) -> tuple[Handles, Ints]:
    """Distinct registry handles in the order of their bytes, and each candidate's index among them (−1 for none)."""
    known = handles[present]
    halves = known.view(">u8").reshape(-1, 2).astype(np.uint64)
    number = pd.DataFrame(halves).groupby([0, 1], sort=True).ngroup().to_numpy()
    distinct = np.empty(int(number.max(initial=NONE)) + 1, dtype=handles.dtype)
    distinct[number] = known
    numbers = np.full(handles.shape, NONE, dtype=np.int64)
    numbers[present] = number
    return distinct, numbers


def _one_per_person(numbers: Ints, person: NDArray[np.int32]) -> Ints:
    """The number of the first spelling of each candidate's person."""
    first, index = np.unique(person, return_index=True, return_inverse=True)[1:]
    return np.where(numbers == NONE, NONE, np.append(first[index], NONE)[numbers])


def seed_of(scores: Scores) -> bytes:
    """The seed of a judgement: from the scores, so that judging twice gives the same interval."""
    return hashlib.sha256(b"pprl/1/bootstrap\0" + scores.common.tobytes() + scores.total.tobytes()).digest()
