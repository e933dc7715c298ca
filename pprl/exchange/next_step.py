"""The order of the exchange: which step is due in a folder, and who must do it.

Each party has a table of steps. The first step whose condition holds is due. docs/protocol.md §1 has the same order as
a table of files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pprl.core.container import called
from pprl.exchange.folder import PART, ExchangeFolder
from pprl.exchange.protocol.messages import (
    ACCEPTANCE_FILE,
    ACKNOWLEDGEMENT_FILE,
    CARD_FILES,
    LIST_COMMITMENT_FILE,
    PACKAGE_COMMITMENT_FILE,
    PACKAGE_FILES,
    PROPOSAL_FILE,
    QUERY_FILE,
    RECEIPT_FILE,
    REGISTRY_COMMITMENT_FILE,
    RESULT_FILES,
    REVEAL_FILE,
    SCORES_FILE,
    TRANSCRIPT_FILE,
    HandOver,
    readers_present,
)
from pprl.exchange.protocol.roles import OWNERS, PARTIES, Role, titles_of

RESULT, PAGE = "result", "report.html"  # the folder in which an owner finds the report, and the last file in it
Automatic = Literal["", "conclude", "seal", "match", "acknowledge", "judge", "receive result", "seal transcript"]
Condition = Callable[[ExchangeFolder], bool]


@dataclass(frozen=True)
class Step:
    """What is due in a folder.

    ``command`` is what this party types, or "" while it waits. ``send`` are the files that the others need now.
    ``automatic`` names a step that `pprl next` does without being asked.
    """

    what: str
    command: str = ""
    send: tuple[HandOver, ...] = ()
    automatic: Automatic = ""


def waiting(what: str, *send: HandOver) -> Step:
    return Step(f"waiting for {what}", send=send)


def next_step(folder: ExchangeFolder) -> Step:
    """The one step that is due in a folder."""
    own_card = CARD_FILES[folder.role]
    if not folder.complete:
        return waiting(f"the card of {titles_of(role for role in PARTIES if role not in folder.cards)}", own_card)
    if not folder.words_compared:
        return _in_folder(Step("compare the words on a call with the others", "pprl agree {}", (own_card,)), folder)
    return _in_folder(next(step for due, step in STEPS[folder.role] if due(folder)), folder)


def _in_folder(step: Step, folder: ExchangeFolder) -> Step:
    name = called(folder.path)
    return Step(step.what.replace("{}", name), step.command.replace("{}", name), step.send, step.automatic)


def _always(_: ExchangeFolder) -> bool:
    return True


def _not_sealed(folder: ExchangeFolder) -> bool:
    """The package is not there, or a run was killed before it had removed the rows."""
    (package,) = (PACKAGE_FILES[owner].name for owner in OWNERS if owner == folder.role)
    return not folder.holds(package) or folder.holds(PART)


def _lacks(*files: HandOver) -> Condition:
    """A run that was killed may have left only some of its files."""
    return lambda folder: not all(folder.holds(file.name) for file in files)


_SCORES = (QUERY_FILE, SCORES_FILE)
_RESULTS = tuple(RESULT_FILES.values())
_RESULT_STEPS: tuple[tuple[Condition, Step], ...] = (
    (
        lambda folder: folder.result is not None and not folder.holds(f"{RESULT}/{PAGE}"),
        Step("look at the result", "pprl next {}", automatic="receive result"),
    ),
    (
        lambda folder: folder.result is not None,
        Step(f"done: the result is in {{}}/{RESULT}; when you no longer need the exchange: pprl destroy {{}}"),
    ),
)

#: The steps of each party, in order, once the words have been compared.
STEPS: dict[Role, tuple[tuple[Condition, Step], ...]] = {
    "list": (
        (lambda folder: folder.proposal is None, Step("propose the terms", "pprl agree {} --schema schema.toml")),
        (lambda folder: folder.agreement is None, waiting("the acceptance of the registry owner", PROPOSAL_FILE)),
        (
            lambda folder: folder.list_rows is None and "linkage_key" not in folder.keystore.state,
            Step("take the linkage key from the acceptance", "pprl next {}", automatic="conclude"),
        ),
        (lambda folder: folder.list_rows is None, Step("commit to the list", "pprl encode LIST --agreement {}")),
        (
            lambda folder: folder.registry_rows is None,
            waiting("the commitment of the registry owner", LIST_COMMITMENT_FILE),
        ),
        (
            lambda folder: folder.list_package is None,
            Step(
                "commit to the package, decoys included",
                "pprl encode LIST --agreement {}",
                (LIST_COMMITMENT_FILE,),
            ),
        ),
        (lambda folder: folder.receipt is None, waiting("the receipt of the linkage unit", PACKAGE_COMMITMENT_FILE)),
        (_not_sealed, Step("seal the package", "pprl next {}", automatic="seal")),
        (lambda folder: folder.table is None, waiting("the scores of the linkage unit", PACKAGE_FILES["list"])),
        *_RESULT_STEPS,
        (
            lambda folder: folder.acknowledgement is None or folder.query is None,
            waiting("the acknowledgement of the registry owner and the query of the linkage unit"),
        ),
        (lambda folder: folder.reveal is None, Step("reveal which rows are synthetic", "pprl reveal {}")),
        (_always, waiting("the result of the linkage unit", REVEAL_FILE)),
    ),
    "registry": (
        (lambda folder: folder.proposal is None, waiting("the proposal of the list owner")),
        (lambda folder: folder.agreement is None, Step("read the terms, and accept them or not", "pprl agree {}")),
        (lambda folder: folder.list_rows is None, waiting("the commitment of the list owner", ACCEPTANCE_FILE)),
        (
            lambda folder: folder.registry_rows is None,
            Step("commit to the registry", "pprl encode REGISTRY --agreement {}"),
        ),
        (lambda folder: folder.receipt is None, waiting("the receipt of the linkage unit", REGISTRY_COMMITMENT_FILE)),
        (_not_sealed, Step("seal the package", "pprl next {}", automatic="seal")),
        (lambda folder: folder.table is None, waiting("the scores of the linkage unit", PACKAGE_FILES["registry"])),
        *_RESULT_STEPS,
        (
            lambda folder: folder.acknowledgement is None,
            Step("acknowledge the scores", "pprl next {}", automatic="acknowledge"),
        ),
        (_always, waiting("the result of the linkage unit", ACKNOWLEDGEMENT_FILE)),
    ),
    "unit": (
        (
            lambda folder: folder.agreement is None or folder.list_rows is None,
            waiting("the commitments of both owners"),
        ),
        (lambda folder: folder.registry_rows is None, waiting("the commitment of the registry owner")),
        (lambda folder: folder.list_package is None, waiting("the second commitment of the list owner")),
        (
            lambda folder: folder.receipt is None,
            Step("read the terms, and sign for what the owners committed to", "pprl agree {}"),
        ),
        (lambda folder: not folder.packages, waiting("the packages of both owners", RECEIPT_FILE)),
        (lambda folder: "list" not in folder.packages, waiting("the package of the list owner", RECEIPT_FILE)),
        (lambda folder: "registry" not in folder.packages, waiting("the package of the registry owner", RECEIPT_FILE)),
        (
            lambda folder: folder.reveal is None and _lacks(*_SCORES)(folder),
            Step("compare the packages", "pprl match {}", automatic="match"),
        ),
        (lambda folder: folder.reveal is None, waiting("the reveal of the list owner", *_SCORES)),
        (_lacks(*_RESULTS), Step("judge", "pprl judge {}", automatic="judge")),
        (
            lambda folder: "auditor" not in folder.cards,
            Step("done; for an auditor: pprl transcript {} -o auditor", send=_RESULTS),
        ),
        (
            _lacks(TRANSCRIPT_FILE),
            Step("seal the transcript for the auditor", "pprl transcript {}", _RESULTS, automatic="seal transcript"),
        ),
        (_always, Step("done", send=(*_RESULTS, TRANSCRIPT_FILE))),
    ),
    "auditor": (
        (lambda folder: not folder.transcripts, waiting("the transcript of the linkage unit", CARD_FILES["auditor"])),
        (_always, Step("check the exchange", "pprl verify {}")),
    ),
}


def send_lines(folder: ExchangeFolder, files: tuple[HandOver, ...]) -> list[str]:
    """Lines that say which file goes to whom. Cards also go to the auditor, if there is one."""
    auditor = "auditor" in folder.cards
    return [
        f"send {called(folder.path)}/{file.name} to {titles_of(readers_present(file, auditor=auditor))}"
        for file in files
    ]


def step_lines(folder: ExchangeFolder) -> list[str]:
    """What to send to whom, and what is due."""
    step = next_step(folder)
    return [
        *send_lines(folder, step.send),
        f"next: {step.what}" + (f" — {step.command}" if step.command else ""),
    ]
