"""The ladder: what may be said about a list, and what holds the verdict back.

Every rung has a rule that was fixed in advance (`docs/report.md`). The word *authentic* is on none of them:
a list can match beyond chance and be confirmed, and still have been copied by somebody who held the registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pprl.judge.confirmation import Agreement
from pprl.judge.diagnostics import Absent, CopyCheck, Soundness
from pprl.report.record import CANNOT_TELL, LADDER, UNTRUSTED, Verdict

BEYOND = 0.001
MARGIN = 2  # how many times as often as decoys absent people may come close, where no match can be told from chance
SEEN = 0.1  # where more of the list would have to be present to be seen, nothing follows from seeing nobody


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What a verdict rests on. ``p``, ``p_relatives`` and ``p_registry`` are the fixed tests against decoys, relatives
    and the registry's own decoys; ``p_with_margin`` is the larger of the first two if absent people come close `MARGIN`
    times as often. ``low`` is the lower end of the interval of the estimated true matches, None where no threshold
    keeps the rate asked for.

    Fewer than ``needed`` of the ``people`` would not be seen if they were present. ``public`` is the policy's answer
    about the registry.
    """

    p: float
    p_relatives: float | None
    p_registry: float | None
    p_with_margin: float
    low: float | None
    needed: int
    people: int
    decoys: Soundness | None
    confirm: Sequence[Agreement]
    copied: CopyCheck
    controls: Absent | None
    ineligible: Absent | None
    public: str


def cannot_tell(*reasons: str) -> Verdict:
    return Verdict(rung=None, code=CANNOT_TELL, reasons=reasons)


def is_withheld(verdict: Verdict) -> bool:
    """Whether the figures are withheld together with the verdict, since nothing supports them."""
    return verdict.rung is None and any(reason in UNTRUSTED for reason in verdict.reasons)


def decide_verdict(grounds: Grounds) -> Verdict:
    """The highest rung whose rule is met, and the rules of all rungs below it.

    A test that could not have been passed without much of the list being present says nothing by failing. A list that
    is closer than its own decoys and no closer than the registry's has decoys that are worth nothing. A test that is
    passed where no match can be told from chance must leave a margin: by their names alone, absent people of a
    registry's population come a little nearer to it than decoys.
    """
    if grounds.decoys is not None and not grounds.decoys.sound:
        return cannot_tell("unsound_decoys")
    if any(not group.flat for group in (grounds.controls, grounds.ineligible) if group is not None):
        return cannot_tell("weak_decoys")
    tested = not tuple(_beyond_chance(grounds))
    if tested and grounds.p_registry is not None and grounds.p_registry >= BEYOND:
        return cannot_tell("registry_decoys")
    if tested and grounds.low is None and grounds.p_with_margin >= BEYOND:
        return cannot_tell("margin")
    for rung, missing in enumerate((_beyond_chance, _confirmed, _controlled)):
        if reasons := tuple(missing(grounds)):
            if "test" in reasons and grounds.needed > SEEN * grounds.people:
                return cannot_tell("power")
            return Verdict(rung=rung, code=LADDER[rung], reasons=reasons)
    return Verdict(rung=3, code=LADDER[3], reasons=())


def _beyond_chance(grounds: Grounds) -> Iterator[str]:
    """What is missing for rung 1."""
    if grounds.p >= BEYOND:
        yield "test"
    if grounds.p_relatives is not None and grounds.p_relatives >= BEYOND:
        yield "harsh_test"
    if grounds.low is not None and grounds.low <= 0:
        yield "interval"


def _confirmed(grounds: Grounds) -> Iterator[str]:
    """What is missing for rung 2."""
    if grounds.low is None:
        yield "no_pairs"
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
