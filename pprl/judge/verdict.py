"""The ladder: what may be said about a list, and what holds the verdict back.

Every rung has a rule that was fixed in advance (`docs/report.md`). The word *authentic* is on none of them:
a list can match beyond chance and be confirmed, and still have been copied by somebody who held the registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pprl.judge.confirmation import Agreement
from pprl.judge.diagnostics import Absent, CopyCheck, Soundness
from pprl.report.record import CANNOT_TELL, LADDER, Verdict

BEYOND = 0.001


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What a verdict rests on. ``p`` and ``p_relatives`` are the fixed tests against decoys and relatives, ``low`` is
    the lower end of the interval of the estimated true matches, ``public`` the policy's answer about the registry."""

    p: float
    p_relatives: float | None
    low: float
    decoys: Soundness | None
    confirm: Sequence[Agreement]
    copied: CopyCheck
    controls: Absent | None
    ineligible: Absent | None
    public: str


def cannot_tell(*reasons: str) -> Verdict:
    return Verdict(rung=None, code=CANNOT_TELL, reasons=reasons)


def decide_verdict(grounds: Grounds) -> Verdict:
    """The highest rung whose rule is met, and the rules of all rungs below it."""
    if grounds.decoys is not None and not grounds.decoys.sound:
        return cannot_tell("unsound_decoys")
    if any(not group.flat for group in (grounds.controls, grounds.ineligible) if group is not None):
        return cannot_tell("weak_decoys")
    for rung, missing in enumerate((_beyond_chance, _confirmed, _controlled)):
        if reasons := tuple(missing(grounds)):
            return Verdict(rung=rung, code=LADDER[rung], reasons=reasons)
    return Verdict(rung=3, code=LADDER[3], reasons=())


def _beyond_chance(grounds: Grounds) -> Iterator[str]:
    """What is missing for rung 1."""
    if grounds.p >= BEYOND:
        yield "test"
    if grounds.p_relatives is not None and grounds.p_relatives >= BEYOND:
        yield "harsh_test"
    if grounds.low <= 0:
        yield "interval"


def _confirmed(grounds: Grounds) -> Iterator[str]:
    """What is missing for rung 2."""
    agreements = [agreement for agreement in grounds.confirm if agreement.compared]
    if grounds.p_relatives is None:
        yield "no_harsh_test"
    if grounds.decoys is None:
        yield "decoys_unchecked"
    if not grounds.copied.natural:
        yield "copying_not_excluded"
    if not agreements:
        yield "no_confirm_field"
    elif not any(agreement.confirms(len(agreements)) for agreement in agreements):
        yield "confirm_disagrees"


def _controlled(grounds: Grounds) -> Iterator[str]:
    """What is missing for rung 3."""
    if grounds.controls is None or not grounds.controls.enough:
        yield "few_controls" if grounds.controls else "no_controls"
    if grounds.public != "no":
        yield "registry_public" if grounds.public == "yes" else "registry_obtainable_unknown"
