"""After the scores: the registry owner acknowledges them, the list owner opens its labels, the linkage unit judges.

What is opened is held against what was committed to, row by row: the halves of the leaves that the linkage unit signed
with the scores and the labels that the list owner reveals must give the committed roots (docs/protocol.md §10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pprl.core.errors import FileError, ForgedError, RefusedError
from pprl.exchange.protocol.agreement import Agreement, Terms
from pprl.exchange.protocol.commitments import LABEL_HASH, NONCE, Opening, leaf_of, root_of
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.statements import AGAIN, Statement

REAL, DECOY, RELATIVE, CONTROL, SPELLING = range(5)  # as in pprl.core.private_rows, which is not for this side
MADE_UP_SPELLING = 5
MOST_SPELLINGS = 8  # of one person
OF_ROSTER = (REAL, CONTROL, SPELLING)
CLASSES = 9
ASKED = 5  # ids a row: its best candidate's and four random ones
MOST_CONTROLS = 10_000
# What is sealed, before the hash of the result: for the list owner, and for an auditor.
RELEASE, TRANSCRIPT = b"pprl/1/release\0", b"pprl/1/transcript\0"


@dataclass(frozen=True)
class Ending:
    """The statements after the scores; what is missing, or not for this party, is None."""

    query: Statement | None = None
    acknowledgement: Statement | None = None
    reveal: Statement | None = None
    answers: Statement | None = None
    result: Statement | None = None
    release: Statement | None = None
    evidence: Statement | None = None


def label_size(terms: Terms) -> int:
    """Bytes of one revealed label with its nonce."""
    return NONCE + Opening.size(len(terms.strata), len(terms.schema.linked()))


def check_reveal(
    labels: bytes, halves: bytes, agreement: Agreement, *, list_root: bytes, package_root: bytes
) -> list[Opening]:
    """The labels of all rows of the list's package, in its order.

    FileError: of the wrong size, or saying what no label says. ForgedError: not what was committed to. RefusedError:
    more made-up rows or controls than were agreed.
    """
    terms = agreement.terms
    size, count = label_size(terms), len(halves) // LABEL_HASH
    if len(labels) != size * count:
        raise FileError("a reveal: does not have one label for each row of the package", hint=AGAIN)
    pieces = [labels[at : at + size] for at in range(0, len(labels), size)]
    leaves = [
        leaf_of(halves[LABEL_HASH * at : LABEL_HASH * (at + 1)], digest(piece)) for at, piece in enumerate(pieces)
    ]
    # (13) all labels are those under the root of the package
    if root_of(leaves) != package_root:
        raise ForgedError(
            "a reveal: its labels are not those that were committed to",
            hint="somebody chose labels after the scores: nothing can be told from this run",
        )
    opened = [Opening.of(piece[NONCE:], len(terms.strata)) for piece in pieces]
    # (14) the real rows are those that were fixed before the decoys were known
    real = sorted(leaf for leaf, label in zip(leaves, opened, strict=True) if label.kind in OF_ROSTER)
    if root_of(real) != list_root:
        raise ForgedError(
            "a reveal: its people are not those of the first commitment",
            hint="rows were relabelled after the decoys were known: nothing can be told from this run",
        )
    _refuse_nonsense(opened, terms)
    _refuse_excess(opened, terms)
    return opened


def _refuse_nonsense(opened: Sequence[Opening], terms: Terms) -> None:
    """(15) Labels say what labels can say."""
    people = sum(label.kind == REAL for label in opened)
    sizes = [len(terms.strata[name]) for name in sorted(terms.strata)]
    linked = len(terms.schema.linked())
    for label in opened:
        fits = all(-1 <= place < size for place, size in zip(label.strata, sizes, strict=True))
        if (
            label.kind > MADE_UP_SPELLING
            or label.completeness >= CLASSES
            or label.eligible > 2
            or label.person >= (len(opened) if label.kind == MADE_UP_SPELLING else max(1, people))
            or not fits
            or len(label.filled) != linked
            or set(label.filled) - set("012")
        ):
            raise FileError("a reveal: a label says what none can say", hint=AGAIN)
    if sorted(label.person for label in opened if label.kind == REAL) != list(range(people)):
        raise FileError("a reveal: its people are not numbered one by one", hint=AGAIN)
    of_people = Counter(label.person for label in opened if label.kind == SPELLING)
    of_made_up = Counter(label.person for label in opened if label.kind == MADE_UP_SPELLING)
    # What is made up is tried in as many spellings as the person it was made from: else the odds are not even.
    for place, label in enumerate(opened):
        wanted = of_people[label.person] if label.kind in (DECOY, RELATIVE) else 0
        if of_made_up[place] != wanted:
            raise FileError("a reveal: made-up rows have other spellings than their people", hint=AGAIN)
    if max(of_people.values(), default=0) >= MOST_SPELLINGS:
        raise FileError(f"a reveal: somebody has more than {MOST_SPELLINGS} spellings", hint=AGAIN)


def _refuse_excess(opened: Sequence[Opening], terms: Terms) -> None:
    """(16) As many people and made-up rows as were agreed: more could be probes under another label."""
    people, decoys, relatives, controls = (
        sum(label.kind == kind for label in opened) for kind in (REAL, DECOY, RELATIVE, CONTROL)
    )
    low, high = terms.list_people
    each = max(terms.schema.decoys, -(-1_000 // max(1, people)))
    if not low <= people <= high or decoys > people * each or relatives > people * each or controls > MOST_CONTROLS:
        raise RefusedError(
            "the list has other numbers of people, made-up rows or controls than were agreed",
            hint="what is labelled as made up may be a probe: nothing is told from this run",
        )
