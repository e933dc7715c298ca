"""The labels of the list, opened after the scores are signed, and how they are checked.

Every label is checked against the commitments: the halves of the leaves that the linkage unit signed with the scores,
together with the labels that the list owner reveals, must give the committed roots (docs/protocol.md §10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pprl.core.errors import FileError, ForgedError, RefusedError
from pprl.exchange.protocol.agreement import Agreement, Terms
from pprl.exchange.protocol.commitments import LABEL_HASH, NONCE, Opening, leaf_of, root_of
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.statements import AGAIN

#: The kinds of rows, numbered as in `pprl.core.private_rows`, which `exchange.protocol` must not import.
REAL, DECOY, RELATIVE, CONTROL, SPELLING = range(5)
SYNTHETIC_SPELLING = 5  # another spelling of a decoy or relative
OF_ROSTER = (REAL, CONTROL, SPELLING)
MOST_SPELLINGS = 8  # of one person
COMPLETENESS_CLASSES = 9
ASKED = 5  # ids for each row: that of its best candidate and four random ones
MOST_CONTROLS = 10_000
#: What a seal binds, before the hash of the result: for the list owner, and for an auditor.
RELEASE_PURPOSE, TRANSCRIPT_PURPOSE = b"pprl/1/release\0", b"pprl/1/transcript\0"


def label_size(terms: Terms) -> int:
    """Bytes of one revealed label with its nonce."""
    return NONCE + Opening.size(len(terms.strata), len(terms.schema.linked()))


def split_reveal(attachment: bytes, halves: bytes, terms: Terms) -> tuple[bytes, bytes]:
    """The labels of all rows of the list's package, and the table of planted decoys behind them."""
    end = label_size(terms) * (len(halves) // LABEL_HASH)
    return attachment[:end], attachment[end:]


def check_reveal(
    attachment: bytes, halves: bytes, agreement: Agreement, *, list_root: bytes, package_root: bytes, planted: bytes
) -> list[Opening]:
    """The labels of all rows of the list's package, in the order of the package.

    FileError: of the wrong size, or impossible. ForgedError: not what was committed to, the table of ``planted`` decoys
    included. RefusedError: more synthetic records or controls than were agreed.
    """
    terms = agreement.terms
    labels, table = split_reveal(attachment, halves, terms)
    size, count = label_size(terms), len(halves) // LABEL_HASH
    if len(labels) != size * count:
        raise FileError("a reveal: does not have one label for each row of the package", hint=AGAIN)
    pieces = [labels[start : start + size] for start in range(0, len(labels), size)]
    leaves = [
        leaf_of(halves[LABEL_HASH * row : LABEL_HASH * (row + 1)], digest(piece)) for row, piece in enumerate(pieces)
    ]
    # (13) all labels are those under the root of the package
    if root_of(leaves) != package_root:
        raise ForgedError(
            "a reveal: its labels are not those that were committed to",
            hint="they were changed after the scores were signed: do not use this run",
        )
    if digest(table) != planted:
        raise ForgedError(
            "a reveal: its planted decoys are not those that were committed to",
            hint="they were changed after the scores were signed: do not use this run",
        )
    opened = [Opening.from_bytes(piece[NONCE:], len(terms.strata)) for piece in pieces]
    # (14) the rows of the roster are those that were fixed before the decoys were known
    real = sorted(leaf for leaf, label in zip(leaves, opened, strict=True) if label.kind in OF_ROSTER)
    if root_of(real) != list_root:
        raise ForgedError(
            "a reveal: its people are not those of the first commitment",
            hint="rows were relabelled after the decoys were known: do not use this run",
        )
    _refuse_nonsense(opened, terms)
    _refuse_excess(opened, terms)
    return opened


def _refuse_nonsense(opened: Sequence[Opening], terms: Terms) -> None:
    """(15) Every label holds possible values, and synthetic records have as many spellings as their people."""
    people = sum(label.kind == REAL for label in opened)
    sizes = [len(terms.strata[name]) for name in sorted(terms.strata)]
    linked = len(terms.schema.linked())
    for label in opened:
        fits = all(-1 <= index < size for index, size in zip(label.strata, sizes, strict=True))
        if (
            label.kind > SYNTHETIC_SPELLING
            or label.completeness >= COMPLETENESS_CLASSES
            or label.eligible > 2
            or label.person >= (len(opened) if label.kind == SYNTHETIC_SPELLING else max(1, people))
            or not fits
            or len(label.filled) != linked
            or set(label.filled) - set("012")
        ):
            raise FileError("a reveal: a label holds impossible values", hint=AGAIN)
    if sorted(label.person for label in opened if label.kind == REAL) != list(range(people)):
        raise FileError("a reveal: its people are not numbered consecutively", hint=AGAIN)
    of_people = Counter(label.person for label in opened if label.kind == SPELLING)
    of_synthetic = Counter(label.person for label in opened if label.kind == SYNTHETIC_SPELLING)
    # A synthetic record has as many spellings as the person it was made from; otherwise the comparison is not fair.
    for row, label in enumerate(opened):
        wanted = of_people[label.person] if label.kind in (DECOY, RELATIVE) else 0
        if of_synthetic[row] != wanted:
            raise FileError("a reveal: a synthetic record does not have as many spellings as its person", hint=AGAIN)
    if max(of_people.values(), default=0) >= MOST_SPELLINGS:
        raise FileError(f"a reveal: a person has more than {MOST_SPELLINGS} spellings", hint=AGAIN)


def _refuse_excess(opened: Sequence[Opening], terms: Terms) -> None:
    """(16) No more people, synthetic records and controls than were agreed: the rest could be probes."""
    people, decoys, relatives, controls = (
        sum(label.kind == kind for label in opened) for kind in (REAL, DECOY, RELATIVE, CONTROL)
    )
    low, high = terms.list_people
    most = people * max(terms.schema.decoys, -(-1_000 // max(1, people)))
    if not low <= people <= high or decoys > most or relatives > most or controls > MOST_CONTROLS:
        raise RefusedError(
            "the list does not have the agreed numbers of people, synthetic records or negative controls",
            hint="a row labelled as synthetic may be a probe: do not use this run",
        )
