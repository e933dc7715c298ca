"""The ladder of words: what may be said of a list, and what holds it back.

Every rung has a rule that is fixed before anybody looks (`docs/report.md`). The word *authentic* is on none of them: a
list can be found beyond chance and confirmed, and still be copied by whoever held the registry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pprl.judge.diagnostics import Absent, Agreement, CopyCheck, Soundness

BEYOND = 0.001
CODES = ("not_beyond_chance", "beyond_chance", "confirmed", "confirmed_and_controlled")
CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Verdict:
    """``rung`` is None where nothing can be told; ``reasons`` say what held it back or down."""

    rung: int | None
    code: str
    reasons: tuple[str, ...]


def cannot_tell(*reasons: str) -> Verdict:
    return Verdict(None, CANNOT_TELL, reasons)


def decide_verdict(
    *,
    p: float,
    p_harsh: float | None,
    low: float,
    decoys: Soundness | None,
    known_absent: Iterable[Absent],
    confirm: Iterable[Agreement],
    copied: CopyCheck,
    controls: Absent | None,
    public: str,
) -> Verdict:
    """The highest rung whose rule, and the rules of all below it, are met.

    ``p`` and ``p_harsh`` are the fixed tests against decoys and relatives, ``low`` the lower end of the interval of net
    found, ``known_absent`` controls and people who cannot be in the registry.
    """
    if decoys is not None and not decoys.sound:
        return cannot_tell("unsound_decoys")
    if any(not group.flat for group in known_absent):
        return cannot_tell("weak_decoys")
    held_down = [
        reason
        for reason, holds in (
            ("test", p >= BEYOND),
            ("harsh_test", p_harsh is not None and p_harsh >= BEYOND),
            ("interval", low <= 0),
        )
        if holds
    ]
    if held_down:
        return Verdict(0, CODES[0], tuple(held_down))
    agreements = [each for each in confirm if each.compared]
    if p_harsh is None:
        held_down.append("no_harsh_test")
    if decoys is None:
        held_down.append("decoys_unchecked")
    if not copied.natural:
        held_down.append("copying_not_excluded")
    if not agreements:
        held_down.append("no_confirm_field")
    elif not any(each.confirms(len(agreements)) for each in agreements):
        held_down.append("confirm_disagrees")
    if held_down:
        return Verdict(1, CODES[1], tuple(held_down))
    if controls is None or not controls.enough:
        held_down.append("few_controls" if controls else "no_controls")
    if public != "no":
        held_down.append("registry_public" if public == "yes" else "registry_obtainable_unknown")
    return Verdict(2, CODES[2], tuple(held_down)) if held_down else Verdict(3, CODES[3], ())
