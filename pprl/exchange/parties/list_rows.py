"""The rows of a list's package, and the labels that open them later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pprl.core.encodings import Encodings
from pprl.core.private_rows import UNKNOWN, Label, PrivateRows, RecordKind
from pprl.core.randomness import RandomStream
from pprl.core.schema import Field
from pprl.exchange.parties.owners import Secrets, confirm_fields, confirm_tag
from pprl.exchange.protocol.agreement import Terms
from pprl.exchange.protocol.commitments import NONCE, Opening, RowLayout
from pprl.exchange.protocol.reveal import SYNTHETIC_SPELLING
from pprl.judge.diagnostics import eligibility

SMALLEST_CELL = 10  # people of a joint stratum that is revealed

Ints = NDArray[np.int64]


def pack_rows(
    encodings: Encodings, rows: PrivateRows, terms: Terms, layout: RowLayout, secrets: Secrets, synthetic_seed: bytes
) -> bytes:
    """The rows of a list's package, in the order of the encodings."""
    record_of = {handle.tobytes(): record for record, handle in enumerate(rows.handles)}
    nonces = _drawn(rows, secrets.seed, synthetic_seed, "list nonces")
    labels = label_nonces(rows, secrets.seed, synthetic_seed)
    fields = confirm_fields(terms.schema)
    tag_nonces = _drawn(rows, secrets.seed, synthetic_seed, "confirm nonces", len(fields)) if fields else []
    values = confirm_values(rows.labels, fields, len(rows))
    order = [record_of[handle.tobytes()] for handle in encodings.handles]
    openings = openings_of(rows, np.array(order, dtype=np.int64), terms)
    words = np.ascontiguousarray(encodings.bits.words, dtype="<u8")
    packed = bytearray()
    for handle, bits, record in zip(encodings.handles, words, order, strict=True):
        packed += handle.tobytes() + bits.tobytes() + nonces[record]
        for number, (field, field_values) in enumerate(zip(fields, values, strict=True)):
            nonce = tag_nonces[record][number * NONCE : (number + 1) * NONCE]
            packed += confirm_tag(secrets.confirm, field.name, nonce, field_values[record])
        packed += openings[record].hash(labels[record])
    assert len(packed) == layout.width * len(encodings)
    return bytes(packed)


def openings_of(rows: PrivateRows, order: Ints, terms: Terms) -> list[Opening]:
    """What is revealed about each record of a list. ``order`` is the order of the package.

    Joint strata of fewer than ten people become "other" in every field, so that nobody is alone in what is revealed. A
    spelling of a person has the number of that person, a spelling of a synthetic record the position of that record in
    the package.
    """
    cells = _joint_strata(rows, terms)
    of_people = Counter(cells[record] for record in rows.of_kind(RecordKind.REAL).tolist())
    other = (UNKNOWN,) * len(terms.strata)
    (shapes,) = rows.with_role("filled")
    filled = [shapes.values[code] for code in shapes.codes.tolist()]
    synthetic = (rows.kind == RecordKind.SPELLING) & ~rows.of_roster()
    kinds, people = np.where(synthetic, SYNTHETIC_SPELLING, rows.kind), rows.person.copy()
    people[synthetic] = np.argsort(order)[people[synthetic]]
    columns = (kinds.tolist(), rows.completeness.tolist(), _eligible(rows).tolist(), people.tolist(), cells, filled)
    return [
        Opening(
            kind=kind,
            completeness=completeness,
            eligible=eligible,
            person=person,
            strata=cell if of_people[cell] >= SMALLEST_CELL else other,
            filled=shape,
        )
        for kind, completeness, eligible, person, cell, shape in zip(*columns, strict=True)
    ]


def _joint_strata(rows: PrivateRows, terms: Terms) -> list[tuple[int, ...]]:
    """For each record the index of its label in every stratum field, by the names of the fields."""
    by_name = {label.name: label for label in rows.with_role("stratum")}
    columns = [_label_indices(by_name.get(name), terms.strata[name], len(rows)) for name in sorted(terms.strata)]
    return list(zip(*(column.tolist() for column in columns), strict=True)) if columns else [()] * len(rows)


def _label_indices(label: Label | None, agreed: tuple[str, ...], count: int) -> Ints:
    """For each record the index of its label among the agreed ones."""
    if label is None:
        return np.full(count, UNKNOWN, dtype=np.int64)
    index_of = {value: index for index, value in enumerate(agreed)}
    indices = [*(index_of.get(value, UNKNOWN) for value in label.values), UNKNOWN]
    return np.array(indices, dtype=np.int64)[label.codes]


def _eligible(rows: PrivateRows) -> Ints:
    """Whether each person could be in the registry, as in `Opening.eligible`."""
    eligible = np.zeros(len(rows), dtype=np.int64)
    people = rows.of_kind(RecordKind.REAL)
    if known := eligibility(rows.labels, rows.policy, people):
        can, cannot = known
        eligible[people] = np.where(can, 1, np.where(cannot, 2, 0))
    return eligible


def label_nonces(rows: PrivateRows, own_seed: bytes, synthetic_seed: bytes) -> list[bytes]:
    """The nonce that hides the label of each record: secret until the reveal."""
    return _drawn(rows, own_seed, synthetic_seed, "label nonces")


def _drawn(rows: PrivateRows, own_seed: bytes, synthetic_seed: bytes, label: str, count: int = 1) -> list[bytes]:
    """``count`` times 16 bytes for each record: from the owner's seed for the roster, else from the joint seed."""
    streams = {True: RandomStream(own_seed, label), False: RandomStream(synthetic_seed, label)}
    return [streams[real].bytes(NONCE * count) for real in rows.of_roster().tolist()]


def confirm_values(labels: Iterable[Label], fields: list[Field], count: int) -> list[list[str | None]]:
    """For each confirm field the value of each record, None where it is missing."""
    by_name = {label.name: label for label in labels if label.role == "confirm"}
    columns: list[list[str | None]] = []
    for field in fields:
        label = by_name.get(field.name)
        if label is None:
            columns.append([None] * count)
        else:
            values = [*label.values, None]
            columns.append([values[code] for code in label.codes.tolist()])
    return columns


def in_package_order(rows: PrivateRows, encodings: Encodings, of_record: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A value for each record, in the order of the encodings."""
    known = dict(zip((handle.tobytes() for handle in rows.handles), of_record.tolist(), strict=True))
    return np.array([known[handle.tobytes()] for handle in encodings.handles], dtype=bool)
