"""`pprl judge` in one call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pprl.core.encodings import Encodings
from pprl.core.private_rows import PrivateRows
from pprl.core.scores import Scores

if TYPE_CHECKING:
    from pprl.judge.assessment import Assessment


def judge(
    scores: Scores | Path | str,
    rows: PrivateRows | Path | str,
    registry_rows: PrivateRows | Path | str | None = None,
    *,
    encodings: Encodings | Path | str | None = None,
    rate: float | str | None = None,
) -> Assessment:
    """Open the labels of a list and judge its scores; every argument is a file, or an object read from one.

    ``registry_rows`` name the registry records of the pairs, for somebody who has both rosters; with the list's
    ``encodings`` the decoys are checked against people. ``rate`` is the false-match rate asked for; by default the
    schema's.

    FileError or MismatchError: a file is damaged, or the files do not belong together.
    """
    if isinstance(scores, Path | str):
        scores = Scores.read(Path(scores))
    if isinstance(rows, Path | str):
        rows = PrivateRows.read(Path(rows), "list")
    if isinstance(registry_rows, Path | str):
        registry_rows = PrivateRows.read(Path(registry_rows), "registry")
    if isinstance(encodings, Path | str):
        encodings = Encodings.read(Path(encodings), "list")
    from pprl.judge import assessment  # here, so that a missing file is reported before scipy is imported

    return assessment.judge(scores, rows, registry_rows, rate=rate, encodings=encodings)
