"""Every figure of an exchange, computed from signed scores, opened labels and the evidence of the linkage unit.

The linkage unit and an auditor run the same code over the same bytes: `figures_of` is all there is between what was
signed and what is published. No name, key or encoding goes in, and no handle that an owner has.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pprl.core.encodings import EncodingParameters
from pprl.core.errors import FileError
from pprl.core.planted import PlantedTable
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
ALARM = 0.2  # the report warns when more than this share of a side's rows have a near double in their own file
_SIZE = struct.Struct("<Q")
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Evidence:
    """What only the linkage unit saw, in a form that an auditor can compute with.

    ``best`` is the position of the best candidate's id among the five that were asked for each row (255: there is
    none), ``tags`` the registry's tags of all ids asked for, shape (rows, fields, 5, 16), ``filled`` the linked fields
    that candidates have filled, by pseudonym, and ``near`` for each side how many rows have a near double, of how many
    examined.
    """

    decoys: DecoyDiagnostics | None
    best: Bytes
    tags: Bytes
    filled: Mapping[bytes, str]
    near: Mapping[str, tuple[int, int]]

    def to_bytes(self) -> bytes:
        decoys = self.decoys or DecoyDiagnostics(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), 0.0)
        names = sorted(self.filled)
        head = {
            "fields": int(self.tags.shape[1]),
            "filled": [[name.hex(), self.filled[name]] for name in names],
            "looks": [len(decoys.weights), len(decoys.near_real), len(decoys.near_decoys)],
            "near": {side: list(counts) for side, counts in self.near.items()},
            "rows": len(self.best),
        }
        text = canonical(head)
        arrays = (
            decoys.weights.astype("<u4"),
            decoys.near_real.astype("<f8"),
            decoys.near_decoys.astype("<f8"),
            np.array([decoys.resemblance or 0.0], dtype="<f8"),
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
            position = _SIZE.size + size

            def take(kind: str, *shape: int) -> NDArray[Any]:
                nonlocal position
                count = int(np.prod(shape))
                array = np.frombuffer(data, dtype=kind, count=count, offset=position).reshape(shape)
                position += array.nbytes
                return array

            sizes = head["looks"]
            weights, real, near = (take(kind, size) for kind, size in zip(("<u4", "<f8", "<f8"), sizes, strict=True))
            decoys = DecoyDiagnostics(weights.astype(np.int64), real, near, float(take("<f8", 1)[0]))
            best, tags = take("u1", head["rows"]), take("u1", head["rows"], head["fields"], ASKED, TAG)
            filled = {bytes_of(name, 16, "the evidence"): str(text) for name, text in head["filled"]}
            near_doubles = {side: (int(doubles), int(examined)) for side, (doubles, examined) in head["near"].items()}
        except (struct.error, KeyError, TypeError, ValueError, AttributeError):
            raise FileError("the evidence is damaged", hint=AGAIN) from None
        if position != len(data):
            raise FileError("the evidence has bytes behind its end", hint=AGAIN)
        looks = (decoys.near_real, decoys.near_decoys, np.array(decoys.resemblance))
        finite = all(np.isfinite(part).all() for part in looks)
        in_range = ((best < ASKED) | (best == NOT_ASKED)).all()
        if not finite or not in_range or len(decoys.weights) not in (0, len(best)):
            raise FileError("the evidence is damaged", hint=AGAIN)
        return cls(decoys if len(decoys.weights) else None, best, tags, filled, near_doubles)


def figures_of(
    terms: Terms,
    scores: Scores,
    opened: Sequence[Opening],
    reveal: Mapping[str, Any],
    answers: bytes,
    evidence: Evidence,
    *,
    planted: PlantedTable | None,
    version: str | None = None,
) -> Assessment:
    """All figures. ``reveal`` is the body of the reveal, ``answers`` the list owner's tags for what was asked,
    ``planted`` their decoys as a registry may spell them; ``version`` is that of the pprl that judged, where another
    repeats the figures.

    FileError: the parts do not fit together.
    """
    rows = replace(private_rows(terms, scores.parameters, opened, reveal), planted=planted)
    confirm = sum(field.role == "confirm" for field in terms.schema.fields)
    if len(answers) != evidence.tags.size or len(evidence.best) != len(opened) or evidence.tags.shape[1] != confirm:
        raise FileError("the answers do not belong to the query", hint=AGAIN)
    list_tags = np.frombuffer(answers, dtype=np.uint8).reshape(evidence.tags.shape)
    provenance = Provenance() if version is None else Provenance(version=version)
    return judge(scores, rows, evidence=_partner_evidence(terms, scores, list_tags, evidence), provenance=provenance)


def private_rows(
    terms: Terms, parameters: EncodingParameters, opened: Sequence[Opening], reveal: Mapping[str, Any]
) -> PrivateRows:
    """The list's records, from their opened labels. A row is known by its number in the package."""
    number = np.arange(len(opened), dtype=np.int64)
    kind = np.array([label.kind for label in opened], dtype=np.uint8)
    person = np.array([label.person for label in opened], dtype=np.int32)
    order = np.lexsort((number, person, kind))
    synthetic = kind == SYNTHETIC_SPELLING  # spellings of decoys; those of people already have their person's number
    person[synthetic], kind[synthetic] = np.argsort(order)[person[synthetic]], RecordKind.SPELLING
    in_order = [opened[position] for position in order.tolist()]
    handles = np.zeros((len(opened), 2), dtype="<u8")
    handles[:, 0] = number[order]
    return PrivateRows(
        side="list",
        parameters=parameters,
        rows_read=int(reveal["rows_read"]),
        rate=terms.schema.false_match_rate,
        fallbacks=int(reveal["fallbacks"]),
        repeatable=False,
        handles=handles.view("V16").ravel(),
        rows=number[order],
        person=person[order],
        kind=kind[order],
        completeness=np.array([opening.completeness for opening in in_order], dtype=np.int8),
        ids=np.array([b""] * len(opened), dtype="S1"),
        labels=_labels(terms, in_order),
        policy=Policy.from_schema(terms.schema),
    )


def _labels(terms: Terms, openings: Sequence[Opening]) -> tuple[Label, ...]:
    labels = [
        _label(name, "stratum", terms.strata[name], [opening.strata[index] for opening in openings])
        for index, name in enumerate(sorted(terms.strata))
    ]
    eligible = [opening.eligible for opening in openings]
    if any(field.role == "joined" for field in terms.schema.fields) or any(eligible):
        codes = {0: UNKNOWN, 1: 0, 2: 1}
        days = ("0001-01-01", "9999-12-31")
        labels.append(_label("joined", "joined", days, [codes[state] for state in eligible]))
    shapes = sorted({opening.filled for opening in openings})
    code_of = {shape: code for code, shape in enumerate(shapes)}
    return (*labels, _label("filled", "filled", shapes, [code_of[opening.filled] for opening in openings]))


def _label(name: str, role: LabelRole, values: Sequence[str], codes: Sequence[int]) -> Label:
    return Label(name=name, type="text", role=role, values=tuple(values), codes=np.array(codes, dtype=np.int32))


def _partner_evidence(terms: Terms, scores: Scores, list_tags: Bytes, evidence: Evidence) -> PartnerEvidence:
    fields = sorted(field.name for field in terms.schema.fields if field.role == "confirm")
    # A side without a value shows zeroes.
    both: NDArray[np.bool_] = (list_tags.max(axis=-1, initial=0) > 0) & (evidence.tags.max(axis=-1, initial=0) > 0)
    # Which tags are equal, without a path that depends on where they differ.
    alike = both & ((list_tags ^ evidence.tags).max(axis=-1, initial=0) == 0)

    def agreements(rows: NDArray[np.int64], partners: NDArray[np.void]) -> list[Agreement]:
        """Counted where the partner is the candidate that was asked about; the four random rows show chance."""
        asked = (scores.theirs[rows, 0] == partners) & (evidence.best[rows] != NOT_ASKED)
        chosen = rows[asked]
        best = evidence.best[chosen]
        return [agreement_of_asked(name, alike[chosen, i], both[chosen, i], best) for i, name in enumerate(fields)]

    def filled(partners: NDArray[np.void]) -> NDArray[np.str_]:
        return np.array([evidence.filled.get(handle.tobytes(), "") for handle in partners] or [""])[: len(partners)]

    return PartnerEvidence(evidence.decoys, agreements, filled, tuple(alarms(evidence.near)))


def agreement_of_asked(name: str, alike: NDArray[np.bool_], both: NDArray[np.bool_], best: Bytes) -> Agreement:
    """Agreement of best candidates, compared with four random registry rows each.

    ``alike`` and ``both`` have shape (pairs, 5): which of the rows asked about agree, and which have a value, as the
    list does. p is exact: if the best candidate were like any other of the m rows with a value, it would be among the
    k that agree with probability k / m, pair by pair; the sum over pairs is Poisson-binomial.
    """
    pair = np.arange(len(best))
    compared = both[pair, best]
    hits, total = alike[pair, best][compared], alike.sum(axis=1)[compared]
    rows, agree = both.sum(axis=1)[compared], int(hits.sum())
    chances = np.array([1.0])
    for share in (total / rows).tolist():
        chances = np.append(chances * (1 - share), 0.0) + np.append(0.0, chances * share)
    p = float(f"{min(1.0, max(chances[agree:].sum(), 1e-300)):.3g}") if len(hits) else None
    return Agreement(
        field=name,
        compared=len(hits),
        missing=len(best) - len(hits),
        agree=agree,
        chance=round(float((total - hits).sum()) / max(1, int((rows - 1).sum())), 4),
        p=p,
    )


def alarms(near: Mapping[str, tuple[int, int]]) -> list[str]:
    """Warnings where a side's rows resemble each other more than any roster's do: a sentence with the share for the
    audit, and a code for the report, which discloses no share."""
    warnings = []
    for side, (doubles, examined) in sorted(near.items()):
        if examined and doubles > ALARM * examined:
            warnings.append(
                f"{doubles / examined:.0%} of the examined rows of the {side} have a near double there: "
                "somebody may have added variants of people to probe"
            )
            warnings.append(f"near_doubles_{side}")
    return warnings
