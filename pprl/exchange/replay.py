"""Every figure of an exchange again, from signed scores, opened labels and the evidence of the linkage unit.

The linkage unit and an auditor run the same code over the same bytes: `figures_of` is all that lies between what was
signed and what is published. No name, key or encoding goes in, and no handle that an owner holds.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.encodings import EncodingParameters
from pprl.core.errors import FileError
from pprl.core.private_rows import UNKNOWN, Label, LabelRole, Policy, PrivateRows, RecordKind
from pprl.core.scores import Scores
from pprl.exchange.protocol.agreement import Terms
from pprl.exchange.protocol.commitments import TAG, Opening
from pprl.exchange.protocol.reveal import ASKED, SYNTHETIC_SPELLING
from pprl.exchange.protocol.statements import AGAIN, bytes_of, canonical, parse_canonical
from pprl.judge.assessment import Assessment, Provenance, judge
from pprl.judge.confirmation import Agreement, PartnerEvidence
from pprl.judge.diagnostics import DecoyDiagnostics

NOT_ASKED = 255
ALARM = 0.2  # share of rows with a near double in their own file from which on a warning stands in the report
_SIZE = struct.Struct("<Q")
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Evidence:
    """What only the linkage unit saw, in the form in which an auditor can count with it.

    ``best`` is the place of the best candidate's id among the five that were asked for a row (255: it has none),
    ``tags`` the registry's own tags of all asked ids, shape (rows, fields, 5, 16), ``filled`` how full the linked
    fields of candidates are, by pseudonym, ``near`` of each side how many rows have a near double among how many looked
    at.
    """

    looks: DecoyDiagnostics | None
    best: Bytes
    tags: Bytes
    filled: Mapping[bytes, str]
    near: Mapping[str, tuple[int, int]]

    def to_bytes(self) -> bytes:
        looks = self.looks or DecoyDiagnostics(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
        names = sorted(self.filled)
        head = {
            "fields": int(self.tags.shape[1]),
            "filled": [[name.hex(), self.filled[name]] for name in names],
            "looks": [len(looks.weights), len(looks.near_real), len(looks.near_decoys)],
            "near": {side: list(counts) for side, counts in self.near.items()},
            "rows": len(self.best),
        }
        text = canonical(head)
        arrays = (
            looks.weights.astype("<u4"),
            looks.near_real.astype("<f8"),
            looks.near_decoys.astype("<f8"),
            self.best.astype("u1"),
            self.tags.astype("u1"),
        )
        return _SIZE.pack(len(text)) + text + b"".join(array.tobytes() for array in arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Evidence:
        """FileError: not evidence."""
        try:
            (size,) = _SIZE.unpack_from(data)
            head = parse_canonical(data[_SIZE.size : _SIZE.size + size], "the evidence")
            at = _SIZE.size + size

            def take(kind: str, *shape: int) -> NDArray[Any]:
                nonlocal at
                count = int(np.prod(shape))
                array = np.frombuffer(data, dtype=kind, count=count, offset=at).reshape(shape)
                at += array.nbytes
                return array

            weights, real, decoys = head["looks"]
            looks = DecoyDiagnostics(take("<u4", weights).astype(np.int64), take("<f8", real), take("<f8", decoys))
            best, tags = take("u1", head["rows"]), take("u1", head["rows"], head["fields"], ASKED, TAG)
            filled = {bytes_of(name, 16, "the evidence"): str(text) for name, text in head["filled"]}
            near = {side: (int(some), int(of)) for side, (some, of) in head["near"].items()}
        except (struct.error, KeyError, TypeError, ValueError, AttributeError):
            raise FileError("the evidence is not written as evidence is", hint=AGAIN) from None
        if at != len(data):
            raise FileError("the evidence has bytes behind its end", hint=AGAIN)
        finite = np.isfinite(looks.near_real).all() and np.isfinite(looks.near_decoys).all()
        placed = ((best < ASKED) | (best == NOT_ASKED)).all()
        if not finite or not placed or len(looks.weights) not in (0, len(best)):
            raise FileError("the evidence is not written as evidence is", hint=AGAIN)
        return cls(looks if len(looks.weights) else None, best, tags, filled, near)


def figures_of(
    terms: Terms,
    scores: Scores,
    opened: Sequence[Opening],
    said: Mapping[str, Any],
    answers: bytes,
    evidence: Evidence,
    *,
    version: str | None = None,
) -> Assessment:
    """All figures. ``said`` is the body of the reveal, ``answers`` the list owner's tags for what was asked;
    ``version`` is that of the pprl that judged first, where another repeats it.

    FileError: the parts do not fit together.
    """
    rows = home_rows(terms, scores.parameters, opened, said)
    confirm = sum(field.role == "confirm" for field in terms.schema.fields)
    if len(answers) != evidence.tags.size or len(evidence.best) != len(opened) or evidence.tags.shape[1] != confirm:
        raise FileError("the answers are not those to what was asked", hint=AGAIN)
    own = np.frombuffer(answers, dtype=np.uint8).reshape(evidence.tags.shape)
    provenance = Provenance() if version is None else Provenance(version=version)
    return judge(scores, rows, evidence=_partner_evidence(terms, scores, own, evidence), provenance=provenance)


def home_rows(
    terms: Terms, parameters: EncodingParameters, opened: Sequence[Opening], said: Mapping[str, Any]
) -> PrivateRows:
    """The list's records from their opened labels: a row is called by its number in the package."""
    schema, number = terms.schema, np.arange(len(opened), dtype=np.int64)
    kind = np.array([label.kind for label in opened], dtype=np.uint8)
    person = np.array([label.person for label in opened], dtype=np.int32)
    order = np.lexsort((number, person, kind))
    made_up = kind == SYNTHETIC_SPELLING  # the others are spellings of people, who stand first and by their numbers
    person[made_up], kind[made_up] = np.argsort(order)[person[made_up]], RecordKind.SPELLING
    in_order = [opened[at] for at in order.tolist()]

    def label(name: str, role: LabelRole, values: Sequence[str], codes: Sequence[int]) -> Label:
        return Label(name=name, type="text", role=role, values=tuple(values), codes=np.array(codes, dtype=np.int32))

    labels = [
        label(name, "stratum", terms.strata[name], [each.strata[at] for each in in_order])
        for at, name in enumerate(sorted(terms.strata))
    ]
    eligible = [each.eligible for each in in_order]
    if any(field.role == "joined" for field in schema.fields) or any(eligible):
        codes = {0: UNKNOWN, 1: 0, 2: 1}
        labels.append(label("joined", "joined", ("0001-01-01", "9999-12-31"), [codes[each] for each in eligible]))
    shapes = sorted({each.filled for each in in_order})
    place = {shape: at for at, shape in enumerate(shapes)}
    labels.append(label("filled", "filled", shapes, [place[each.filled] for each in in_order]))
    handles = np.zeros((len(opened), 2), dtype="<u8")
    handles[:, 0] = number[order]
    return PrivateRows(
        side="list",
        parameters=parameters,
        rows_read=int(said["rows_read"]),
        rate=schema.false_match_rate,
        fallbacks=int(said["fallbacks"]),
        repeatable=False,
        handles=handles.view("V16").ravel(),
        rows=number[order],
        person=person[order],
        kind=kind[order],
        completeness=np.array([each.completeness for each in in_order], dtype=np.int8),
        ids=np.array([b""] * len(opened), dtype="S1"),
        labels=tuple(labels),
        policy=Policy.from_schema(schema),
    )


def _partner_evidence(terms: Terms, scores: Scores, own: Bytes, evidence: Evidence) -> PartnerEvidence:
    fields = sorted(field.name for field in terms.schema.fields if field.role == "confirm")
    # Which tags agree, without a path that depends on where they differ.
    alike = (own ^ evidence.tags).max(axis=-1, initial=0) == 0

    def agreements(rows: NDArray[np.int64], partners: NDArray[np.void]) -> list[Agreement]:
        """Of the pairs whose partner is the candidate that was asked about; the four random ones are chance."""
        asked = (scores.theirs[rows, 0] == partners) & (evidence.best[rows] != NOT_ASKED)
        at = rows[asked]
        return [_agreement(name, alike[at, field], evidence.best[at]) for field, name in enumerate(fields)]

    def filled(partners: NDArray[np.void]) -> NDArray[np.str_]:
        return np.array([evidence.filled.get(handle.tobytes(), "") for handle in partners] or [""])[: len(partners)]

    return PartnerEvidence(evidence.looks, agreements, filled, tuple(alarms(evidence.near)))


def _agreement(name: str, alike: NDArray[np.bool_], best: Bytes) -> Agreement:
    """Agreement of best candidates against four random rows of the registry each.

    p is exact: if the best candidate were one of the five like any other, it would be among the k that agree with
    probability k / 5, row by row; the sum of such rows is Poisson-binomial.
    """
    count = len(best)
    if not count:
        return Agreement(name, 0, 0, 0.0, None, None, None)
    hits = alike[np.arange(count), best]
    total = alike.sum(axis=1)
    agree = int(hits.sum())
    chances = np.array([1.0])
    for share in (total / ASKED).tolist():
        chances = np.append(chances * (1 - share), 0.0) + np.append(0.0, chances * share)
    chance = float((total - hits).sum()) / (ASKED - 1) / count
    p = float(f"{min(1.0, max(chances[agree:].sum(), 1e-300)):.3g}")
    return Agreement(name, count, agree, round(chance, 4), p, None, None)


def alarms(near: Mapping[str, tuple[int, int]]) -> list[str]:
    """When one side's rows resemble each other as no roster's do: a sentence with the share for the audit, and a code
    for the report, which tells no share."""
    told = []
    for side, (some, of) in sorted(near.items()):
        if of and some > ALARM * of:
            told.append(
                f"{some / of:.0%} of the rows looked at of the {side} have a near double there: variants of people may "
                "have been put in to probe"
            )
            told.append(f"near_doubles_{side}")
    return told
