"""Every message of an exchange in one table: its kind and form, who signs it, who may read it, and in which file.

A **statement kind** says what a signed statement looks like. A **hand-over** is a file that one party gives to others;
it holds statements, or it is a sealed package. ``docs/protocol.md`` §1 and §2 show the same tables to people, and a
test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pprl.core import container
from pprl.exchange.protocol.roles import OWNERS, PARTIES, ROLES, OwnerRole, Role

# What a field of a body holds. HASH is 32 bytes in hexadecimal; other values in hexadecimal are TEXT.
TEXT, NUMBER, LIST, TABLE, HASH = str, int, list, dict, bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class StatementKind:
    """What a statement of one kind looks like, who signs it and who may read it.

    ``attachment`` is the field that names the attachment by its hash, or "" where a statement has none. ``readers`` are
    the parties that get the statement in one of the files below; nobody else ever sees it.
    """

    tag: bytes
    signers: tuple[Role, ...]
    readers: tuple[Role, ...]
    fields: Mapping[str, type]
    attachment: str = ""

    @property
    def title(self) -> str:
        return container.KINDS[self.tag]


CARD = StatementKind(
    tag=b"pprl-crd",
    signers=ROLES,
    readers=ROLES,
    fields={
        "expires": TEXT,
        "kem": TEXT,
        "matter": TEXT,
        "name": TEXT,
        "role": TEXT,
        "signing": TEXT,
        "x25519": TEXT,
    },
)
PROPOSAL = StatementKind(
    tag=b"pprl-prp",
    signers=("list",),
    readers=("registry", "unit", "auditor"),
    fields={"answers": LIST, "nonce": HASH, "share": HASH, "terms": TABLE},
    attachment="share",
)
ACCEPTANCE = StatementKind(
    tag=b"pprl-acc",
    signers=("registry",),
    readers=("list", "unit", "auditor"),
    fields={"answers": LIST, "nonce": HASH, "share": HASH},
    attachment="share",
)
COMMITMENT = StatementKind(
    tag=b"pprl-com",
    signers=OWNERS,
    readers=ROLES,
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT, "root": HASH, "stage": TEXT},
)
RECEIPT = StatementKind(
    tag=b"pprl-rcp",
    signers=("unit",),
    readers=("list", "registry", "auditor"),
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT},
)
HEADER = StatementKind(
    tag=b"pprl-hdr",
    signers=OWNERS,
    readers=("unit", "auditor"),
    fields={
        "agreement": TEXT,
        "answers": LIST,
        "decoys": NUMBER,
        "preamble": TEXT,
        "recipient": TEXT,
        "role": TEXT,
        "root": HASH,
        "rows": NUMBER,
        "rows_read": NUMBER,
        "stamp": TEXT,
    },
)
SCORE_TABLE = StatementKind(
    tag=b"pprl-tab",
    signers=("unit",),
    readers=("list", "registry", "auditor"),
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT, "scores": HASH},
    attachment="scores",
)
QUERY = StatementKind(
    tag=b"pprl-ask",
    signers=("unit",),
    readers=("list", "auditor"),
    fields={"agreement": TEXT, "answers": LIST, "ids": HASH, "role": TEXT},
    attachment="ids",
)
ACKNOWLEDGEMENT = StatementKind(
    tag=b"pprl-ack",
    signers=("registry",),
    readers=("list", "unit", "auditor"),
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT},
)
REVEAL = StatementKind(
    tag=b"pprl-rev",
    signers=("list",),
    readers=("unit", "auditor"),
    fields={
        "agreement": TEXT,
        "answers": LIST,
        "fallbacks": NUMBER,
        "labels": HASH,
        "role": TEXT,
        "rows_read": NUMBER,
    },
    attachment="labels",
)
ANSWERS = StatementKind(
    tag=b"pprl-ans",
    signers=("list",),
    readers=("unit", "auditor"),
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT, "tags": HASH},
    attachment="tags",
)
RESULT = StatementKind(
    tag=b"pprl-res",
    signers=("unit",),
    readers=("list", "registry", "auditor"),
    fields={"agreement": TEXT, "answers": LIST, "evidence_and_audit": HASH, "report": HASH, "role": TEXT},
    attachment="report",
)
RELEASE = StatementKind(
    tag=b"pprl-rel",
    signers=("unit",),
    readers=("list",),
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT, "sealed": HASH},
    attachment="sealed",
)
EVIDENCE = StatementKind(
    tag=b"pprl-evi",
    signers=("unit",),
    readers=("auditor",),
    fields={"agreement": TEXT, "answers": LIST, "evidence": HASH, "nonce": HASH, "role": TEXT},
    attachment="evidence",
)
TRANSCRIPT = StatementKind(
    tag=b"pprl-trn",
    signers=("unit",),
    readers=("auditor",),
    fields={"agreement": TEXT, "answers": LIST, "role": TEXT, "sealed": HASH},
    attachment="sealed",
)

#: In the order of the exchange.
STATEMENT_KINDS = (
    *(CARD, PROPOSAL, ACCEPTANCE, COMMITMENT, RECEIPT, HEADER, SCORE_TABLE, QUERY),
    *(ACKNOWLEDGEMENT, REVEAL, ANSWERS, RESULT, RELEASE, EVIDENCE, TRANSCRIPT),
)
BY_TAG = {kind.tag: kind for kind in STATEMENT_KINDS}
#: What anybody may read; every other statement crosses sealed for its reader. The shares of the key that a proposal and
#: an acceptance carry are sealed by themselves.
PUBLIC = (CARD, PROPOSAL, ACCEPTANCE, COMMITMENT, RECEIPT)

#: Who commits at which stage, and which further values the body then holds, in hexadecimal: their sizes in bytes.
COMMITMENT_VALUES: dict[tuple[OwnerRole, str], Mapping[str, int]] = {
    ("list", "rows"): {"key_check": 16, "seed": 32},
    ("registry", "rows"): {"key_check": 16, "random": 32},
    ("list", "package"): {"planted": 32},
}


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """A file that ``maker`` gives to ``readers``, and to nobody else.

    ``holds`` are its statements in order; a sealed package holds none. ``detached`` are the kinds whose attachment
    stays behind. An auditor among the readers gets the file where one takes part from the beginning.
    """

    name: str
    maker: Role
    readers: tuple[Role, ...]
    holds: tuple[StatementKind, ...] = ()
    detached: tuple[StatementKind, ...] = ()

    @property
    def sealed(self) -> bool:
        """Whether the file holds a statement that is not public; then it has one reader."""
        return any(kind not in PUBLIC for kind in self.holds)


CARD_FILES: dict[Role, HandOver] = {
    role: HandOver(
        name=f"{role}-1-card.pprl",
        maker=role,
        readers=tuple(other for other in ROLES if other != role),
        holds=(CARD,),
    )
    for role in ROLES
}
PROPOSAL_FILE = HandOver(name="list-2-proposal.pprl", maker="list", readers=("registry",), holds=(PROPOSAL,))
ACCEPTANCE_FILE = HandOver(name="registry-2-acceptance.pprl", maker="registry", readers=("list",), holds=(ACCEPTANCE,))
LIST_COMMITMENT_FILE = HandOver(
    name="list-3-commitment.pprl",
    maker="list",
    readers=("registry", "unit"),
    holds=(PROPOSAL, ACCEPTANCE, COMMITMENT),
    detached=(PROPOSAL, ACCEPTANCE),  # the linkage unit must not see the shares of the key, not even sealed
)
REGISTRY_COMMITMENT_FILE = HandOver(
    name="registry-3-commitment.pprl", maker="registry", readers=("list", "unit"), holds=(COMMITMENT,)
)
PACKAGE_COMMITMENT_FILE = HandOver(name="list-4-commitment.pprl", maker="list", readers=("unit",), holds=(COMMITMENT,))
RECEIPT_FILE = HandOver(
    name="unit-2-receipt.pprl", maker="unit", readers=("list", "registry"), holds=(RECEIPT, COMMITMENT)
)
PACKAGE_FILES: dict[OwnerRole, HandOver] = {
    "list": HandOver(name="list-5-package.pprl", maker="list", readers=("unit",)),
    "registry": HandOver(name="registry-4-package.pprl", maker="registry", readers=("unit",)),
}
QUERY_FILE = HandOver(
    name="unit-3-query.pprl",
    maker="unit",
    readers=("list",),
    holds=(SCORE_TABLE, QUERY),
    detached=(SCORE_TABLE,),  # scores stay with the linkage unit: they hold near misses
)
SCORES_FILE = HandOver(
    name="unit-3-scores.pprl", maker="unit", readers=("registry",), holds=(SCORE_TABLE,), detached=(SCORE_TABLE,)
)
ACKNOWLEDGEMENT_FILE = HandOver(
    name="registry-5-acknowledgement.pprl", maker="registry", readers=("list",), holds=(ACKNOWLEDGEMENT,)
)
REVEAL_FILE = HandOver(
    name="list-6-reveal.pprl", maker="list", readers=("unit",), holds=(ACKNOWLEDGEMENT, REVEAL, ANSWERS)
)
RESULT_FILES: dict[OwnerRole, HandOver] = {
    "list": HandOver(name="unit-4-result-for-the-list.pprl", maker="unit", readers=("list",), holds=(RESULT, RELEASE)),
    "registry": HandOver(
        name="unit-4-result-for-the-registry.pprl", maker="unit", readers=("registry",), holds=(RESULT,)
    ),
}
TRANSCRIPT_FILE = HandOver(
    name="unit-5-transcript-for-the-auditor.pprl", maker="unit", readers=("auditor",), holds=(TRANSCRIPT,)
)

#: In the order of the exchange.
HAND_OVERS = (
    *(*CARD_FILES.values(), PROPOSAL_FILE, ACCEPTANCE_FILE),
    *(LIST_COMMITMENT_FILE, REGISTRY_COMMITMENT_FILE, PACKAGE_COMMITMENT_FILE, RECEIPT_FILE),
    *(*PACKAGE_FILES.values(), QUERY_FILE, SCORES_FILE, ACKNOWLEDGEMENT_FILE, REVEAL_FILE),
    *(*RESULT_FILES.values(), TRANSCRIPT_FILE),
)


def readers_present(file: HandOver, *, auditor: bool) -> tuple[Role, ...]:
    """To whom a file goes in an exchange with or without an auditor."""
    return tuple(role for role in file.readers if auditor or role in PARTIES)


#: The statements of a transcript: which kinds are in which file, in order. The first holds a card of each party.
TRANSCRIPT_STATEMENTS: dict[str, tuple[StatementKind, ...]] = {
    "01-cards.pprl": (CARD,),
    "02-agreement.pprl": (PROPOSAL, ACCEPTANCE),
    "03-commitments.pprl": (COMMITMENT, COMMITMENT, COMMITMENT, RECEIPT),
    "04-packages.pprl": (HEADER, HEADER),
    "05-scores.pprl": (SCORE_TABLE, QUERY),
    "06-labels.pprl": (ACKNOWLEDGEMENT, REVEAL, ANSWERS),
    "07-result.pprl": (RESULT,),
    "08-evidence.pprl": (EVIDENCE,),
}
#: What can be read without pprl: the exact figures, the disclosed ones, and the page made of them.
TRANSCRIPT_FIGURES = ("audit.json", "report.json", "report.html")
TRANSCRIPT_NAMES = (*TRANSCRIPT_STATEMENTS, *TRANSCRIPT_FIGURES)
