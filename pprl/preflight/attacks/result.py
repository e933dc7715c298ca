"""The result of an attack, with everything needed to judge how much it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pprl.core.intervals import wilson

SUCCESS = 0.05  # an attack succeeds when it names this share


@dataclass(frozen=True, kw_only=True)
class AttackResult:
    """``named`` of ``attacked`` people had their own name ranked first among ``candidates``; for ``top_ten`` it was
    among the first ten.

    ``known`` is how many pairs of a person and an encoding the attacker was given, if the attack needs any. ``partial``
    marks graph matching by an attacker who has more people in clear than were encoded, or only some of them.
    """

    attack: str
    tried: str
    assumes: str
    source: str
    attacked: int
    named: int
    candidates: int
    top_ten: int | None = None
    known: int | None = None
    partial: bool = False

    @property
    def rate(self) -> float:
        """The share of attacked people who were named."""
        return self.named / self.attacked if self.attacked else 0.0

    @property
    def succeeded(self) -> bool:
        """Whether it named 5% of the people, and more than chance alone would."""
        return self.rate >= SUCCESS and self.interval[0] > self.chance

    @property
    def interval(self) -> tuple[float, float]:
        """95%, treating the attacked people as independent."""
        return wilson(self.named, self.attacked)

    @property
    def chance(self) -> float:
        """The rate expected from naming candidates at random."""
        return 1 / self.candidates if self.candidates else 0.0

    def to_dict(self) -> dict[str, Any]:
        low, high = self.interval
        shares = {"rate": self.rate, "low": low, "high": high, "chance": self.chance}
        return {**vars(self), **{name: round(share, 6) for name, share in shares.items()}}
