"""Whose turn it is, what he does, and which file goes to whom: the order of the exchange as one table.

docs/protocol.md §1 has the same table with its hand-overs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pprl.core.container import called
from pprl.exchange.folder import PART, Matter, package_name
from pprl.exchange.protocol.cards import NEEDED, ROLES, TITLES, Role

#: Every file that is handed over: its name, who makes it, and for whom it is.
HAND_OVERS: dict[str, tuple[Role, tuple[Role, ...]]] = {
    "list-1-card.pprl": ("list", ("registry", "unit")),
    "registry-1-card.pprl": ("registry", ("list", "unit")),
    "unit-1-card.pprl": ("unit", ("list", "registry")),
    "list-2-proposal.pprl": ("list", ("registry",)),
    "registry-2-acceptance.pprl": ("registry", ("list",)),
    "list-3-commitment.pprl": ("list", ("registry", "unit")),
    "registry-3-commitment.pprl": ("registry", ("list", "unit")),
    "list-4-commitment.pprl": ("list", ("unit",)),
    "unit-2-receipt.pprl": ("unit", ("list", "registry")),
    "list-5-package.pprl": ("list", ("unit",)),
    "registry-4-package.pprl": ("registry", ("unit",)),
    "unit-3-query.pprl": ("unit", ("list",)),
    "unit-3-scores.pprl": ("unit", ("registry",)),
    "registry-5-acknowledgement.pprl": ("registry", ("list",)),
    "list-6-reveal.pprl": ("list", ("unit",)),
    "unit-4-result-for-the-list.pprl": ("unit", ("list",)),
    "unit-4-result-for-the-registry.pprl": ("unit", ("registry",)),
}
#: And where an auditor takes part from the beginning.
WITH_AUDITOR: dict[str, tuple[Role, tuple[Role, ...]]] = {
    "auditor-1-card.pprl": ("auditor", NEEDED),
    "unit-5-transcript-for-the-auditor.pprl": ("unit", ("auditor",)),
}

CARDS = ("list-1-card.pprl", "registry-1-card.pprl", "unit-1-card.pprl")
SCORES = ("unit-3-query.pprl", "unit-3-scores.pprl")
RESULTS = ("unit-4-result-for-the-list.pprl", "unit-4-result-for-the-registry.pprl")
TRANSCRIPT = "unit-5-transcript-for-the-auditor.pprl"
RESULT, PAGE = "result", "report.html"  # the folder in which an owner finds the report, and its last file


@dataclass(frozen=True)
class Turn:
    """What is due. ``command`` is what this party types, or "" when it waits; ``send`` are files not yet answered;
    ``alone`` names a step that `pprl next` does unasked."""

    what: str
    command: str = ""
    send: tuple[str, ...] = field(default=())
    alone: str = ""

    @property
    def ours(self) -> bool:
        return bool(self.command)


def turn_of(matter: Matter) -> Turn:
    """The one step that is due in a folder."""
    folder, own_card = called(matter.folder), f"{matter.role}-1-card.pprl"
    if not matter.complete:
        missing = " and ".join(TITLES[role] for role in NEEDED if role not in matter.cards)
        return Turn(f"waiting for the card of the {missing}", send=(own_card,))
    if not matter.heard:
        return Turn("compare the words on a call with the others", f"pprl agree {folder}", (own_card,))
    match matter.role:
        case "list":
            return _of_list(matter, folder)
        case "registry":
            return _of_registry(matter, folder)
        case "unit":
            return _of_unit(matter, folder)
        case _ if not matter.transcripts:
            return Turn(f"waiting for {TRANSCRIPT}", send=(own_card,))
        case _:
            return Turn("check the exchange", f"pprl verify {folder}")


def _of_list(matter: Matter, folder: str) -> Turn:
    if matter.proposal is None:
        return Turn("propose the terms", f"pprl agree {folder} --schema schema.toml")
    if matter.agreement is None:
        return Turn("waiting for the acceptance of the registry owner", send=("list-2-proposal.pprl",))
    if matter.list_rows is None:
        return Turn("commit to the list", f"pprl encode LIST --agreement {folder}")
    if matter.registry_rows is None:
        return Turn("waiting for the commitment of the registry owner", send=("list-3-commitment.pprl",))
    if matter.list_package is None:
        return Turn(
            "commit to the package, decoys included",
            f"pprl encode LIST --agreement {folder}",
            ("list-3-commitment.pprl",),
        )
    return _end(matter, folder, "list-4-commitment.pprl")


def _of_registry(matter: Matter, folder: str) -> Turn:
    if matter.proposal is None:
        return Turn("waiting for the proposal of the list owner")
    if matter.agreement is None:
        return Turn("read the terms, and accept them or not", f"pprl agree {folder}")
    if matter.list_rows is None:
        return Turn("waiting for the commitment of the list owner", send=("registry-2-acceptance.pprl",))
    if matter.registry_rows is None:
        return Turn("commit to the registry", f"pprl encode REGISTRY --agreement {folder}")
    return _end(matter, folder, "registry-3-commitment.pprl")


def _end(matter: Matter, folder: str, last: str) -> Turn:
    """Both owners' last steps."""
    end = matter.ending
    if matter.receipt is None:
        return Turn("waiting for the receipt of the linkage unit", send=(last,))
    package = package_name(matter.role)
    if not (matter.folder / package).exists() or (matter.folder / PART).exists():
        return Turn("seal the package", f"pprl encode --agreement {folder}", alone="seal")
    if matter.table is None:
        return Turn("waiting for the scores of the linkage unit", send=(package,))
    if end.result is not None:
        if not (matter.folder / RESULT / PAGE).exists():
            return Turn("look at the result", f"pprl next {folder}", alone="result")
        return Turn(
            f"done: the result is in {folder}/{RESULT}; when you need the matter no more: pprl destroy {folder}"
        )
    if matter.role == "registry":
        if end.acknowledgement is None:
            return Turn("acknowledge the scores", f"pprl next {folder}", alone="acknowledge")
        return Turn("waiting for the result of the linkage unit", send=("registry-5-acknowledgement.pprl",))
    if end.acknowledgement is None or end.query is None:
        return Turn("waiting for the acknowledgement of the registry owner and the query of the linkage unit")
    if end.reveal is None:
        return Turn("reveal which rows are made up", f"pprl reveal {folder}")
    return Turn("waiting for the result of the linkage unit", send=("list-6-reveal.pprl",))


def _of_unit(matter: Matter, folder: str) -> Turn:
    waiting = {
        "list-3-commitment.pprl": matter.list_rows if matter.agreement else None,
        "registry-3-commitment.pprl": matter.registry_rows,
        "list-4-commitment.pprl": matter.list_package,
    }
    missing = [name for name, there in waiting.items() if there is None]
    if missing:
        return Turn("waiting for " + ", ".join(missing))
    if matter.receipt is None:
        return Turn("read the terms, and sign for what the owners committed to", f"pprl agree {folder}")
    owners: tuple[Role, ...] = ("list", "registry")
    if packages := [package_name(role) for role in owners if role not in matter.packages]:
        return Turn("waiting for " + ", ".join(packages), send=("unit-2-receipt.pprl",))
    if matter.ending.reveal is None and not _laid_ready(matter, SCORES):  # or a run was killed between the two
        return Turn("compare the packages", f"pprl match {folder}", alone="match")
    if matter.ending.reveal is None:
        return Turn("waiting for list-6-reveal.pprl", send=SCORES)
    if not _laid_ready(matter, RESULTS):
        return Turn("judge", f"pprl judge {folder}", alone="judge")
    if "auditor" not in matter.cards:
        return Turn(f"done; for an auditor: pprl transcript {folder} -o auditor", send=RESULTS)
    if not (matter.folder / TRANSCRIPT).exists():
        return Turn("seal the transcript for the auditor", f"pprl transcript {folder}", RESULTS, alone="transcript")
    return Turn("done", send=(*RESULTS, TRANSCRIPT))


def _laid_ready(matter: Matter, names: tuple[str, ...]) -> bool:
    return all((matter.folder / name).exists() for name in names)


def send_lines(folder: Path, names: tuple[str, ...], *, auditor: bool = False) -> list[str]:
    """Which file goes to whom, in words; cards go to the auditor too, where there is one."""
    lines = []
    for name in names:
        roles = {*{**HAND_OVERS, **WITH_AUDITOR}[name][1], *(("auditor",) if auditor and name in CARDS else ())}
        to = " and to the ".join(TITLES[role] for role in ROLES if role in roles)
        lines.append(f"send {called(folder)}/{name} to the {to}")
    return lines
