"""The parties of an exchange."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

OwnerRole = Literal["list", "registry"]
Role = Literal["list", "registry", "unit", "auditor"]

OWNERS: tuple[OwnerRole, ...] = ("list", "registry")
PARTIES: tuple[Role, ...] = ("list", "registry", "unit")  # every exchange has these three
ROLES: tuple[Role, ...] = (*PARTIES, "auditor")  # in the order in which cards are hashed
TITLES: dict[Role, str] = {
    "list": "list owner",
    "registry": "registry owner",
    "unit": "linkage unit",
    "auditor": "auditor",
}


def titles_of(roles: Iterable[Role]) -> str:
    """``the list owner, the registry owner and the linkage unit``."""
    wanted = set(roles)
    *others, last = [f"the {TITLES[role]}" for role in ROLES if role in wanted]
    return f"{', '.join(others)} and {last}" if others else last


def other_owner(role: OwnerRole) -> OwnerRole:
    return "registry" if role == "list" else "list"
