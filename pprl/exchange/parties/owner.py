"""The owners' side of the exchange: a roster in, commitments and a sealed package out.

All that is random in an owner's rows comes from the seed of his keystore and from the agreement, so a step that is done
again after a crash gives the same bytes, and nobody gets a second throw of the dice. Decoys come from the seed and from
bytes that the other owner sends only when the real rows are fixed (docs/protocol.md §7).
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.encodings import Encodings
from pprl.core.errors import FileError, ForgedError, MismatchError, OrderError, RefusedError
from pprl.core.key import LinkageKey
from pprl.core.private_rows import UNKNOWN, Label, PrivateRows, RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Field, Schema
from pprl.core.schema_file import to_toml
from pprl.encode.bloom import key_check, parameters_of
from pprl.encode.labels import filled_shapes
from pprl.encode.list import encode_list, unused_controls
from pprl.encode.registry import encode_registry_parts
from pprl.exchange.folder import PART, Matter, commit, package_name, say
from pprl.exchange.protocol.agreement import Agreement, Terms
from pprl.exchange.protocol.cards import TITLES, Role
from pprl.exchange.protocol.commitments import HANDLE, NONCE, TAG, Opening, RowLayout, Tree, root_of
from pprl.exchange.protocol.crypto import WrongError, derive, digest, mac
from pprl.exchange.protocol.package import write_package
from pprl.exchange.protocol.reveal import ASKED, MADE_UP_SPELLING, RELEASE
from pprl.exchange.protocol.statements import AGAIN, Statement, bytes_of, parse_canonical
from pprl.judge.diagnostics import eligibility
from pprl.normalize.text import folding_hash, read_table
from pprl.roster.people import People

SMALLEST_CELL = 10  # people of a joint stratum that is told apart
ROWS_AT_A_TIME = 4_096
PAD = 1 << 14  # rows to a multiple of which packages are filled up
LIST_ROWS = "PRIVATE-list.rows"
Step = Literal["rows", "package", "seal"]


@dataclass(frozen=True)
class Secrets:
    """What an owner derives from his keystore for one agreement."""

    key: LinkageKey
    seed: bytes
    confirm: bytes

    @classmethod
    def of(cls, matter: Matter, agreement: Agreement) -> Secrets:
        """OrderError: the keystore holds no key of this agreement."""
        state = matter.keystore.state
        if state.get("agreement") != agreement.hash.hex() or "linkage_key" not in state:
            raise OrderError("the linkage key of this agreement is not in the keystore", hint="pprl agree FOLDER")
        key = LinkageKey(bytes_of(state["linkage_key"], 32, "the keystore"), repeatable=False)
        return cls(
            key,
            derive(matter.keystore.seed, agreement.hash, b"pprl/1/owner"),
            derive(key.secret, agreement.hash, b"pprl/1/confirm"),
        )

    def __repr__(self) -> str:
        return "Secrets(…)"


def step_due(matter: Matter) -> Step:
    """What `pprl encode` does next for an owner. OrderError: nothing now; the message says what is waited for."""
    matter.ready()
    package = matter.folder / package_name(matter.role)
    if package.exists() and not (matter.folder / PART).exists():  # else a run was killed before it had cleared up
        raise OrderError(f"{package.name} is made already", hint="send it to the linkage unit")
    if matter.role not in ("list", "registry"):
        raise OrderError(f"this is the folder of the {TITLES[matter.role]}, who has no roster", hint="pprl next FOLDER")
    if matter.role == "list":
        if matter.list_rows is None:
            return "rows"
        if matter.registry_rows is None:
            raise _waiting("the commitment of the registry owner", "registry-3-commitment.pprl")
        if matter.list_package is None:
            return "package"
    elif matter.registry_rows is None:
        if matter.list_rows is None:
            raise _waiting("the commitment of the list owner", "list-3-commitment.pprl")
        return "rows"
    if matter.receipt is None:
        raise _waiting("the receipt of the linkage unit", "unit-2-receipt.pprl")
    return "seal"


def _waiting(what: str, name: str) -> OrderError:
    return OrderError(f"{what} has not come: {name}", hint="put it into the folder and repeat the command")


def schema_of(terms: Terms) -> Schema:
    """The agreed schema. MismatchError: this version of pprl folds names otherwise than was agreed."""
    # (7) what is agreed is what is installed
    schema, folding = terms.schema, folding_hash()
    if folding != terms.folding or schema.fingerprint(folding) != terms.fingerprint:
        raise MismatchError(
            "this version of pprl folds names otherwise than the one that made the agreement",
            hint="install the same version on both sides",
        )
    return schema


def terms_of(
    schema: Schema,
    *,
    expires: datetime.date,
    list_people: tuple[int, int],
    registry_rows: tuple[int, int],
    labels: Iterable[tuple[str, tuple[str, ...]]] = (),
    pairs: bool = True,
    earlier_runs: int = 0,
    unit_is: str = "neither",
    plain: bool = False,
) -> Terms:
    """Terms for a proposal. SchemaError or RefusedError: what no agreement can hold."""
    strata = {field.name: closed_labels(field) for field in schema.fields if field.role == "stratum"}
    strata |= dict(labels)
    folding = folding_hash()
    outputs = {"list": ("report", "pairs") if pairs else ("report",), "registry": ("report",), "auditor": ("audit",)}
    terms = Terms(
        to_toml(schema),
        folding,
        schema.fingerprint(folding),
        strata,
        list_people,
        registry_rows,
        PAD,
        outputs,
        1,
        earlier_runs,
        unit_is,
        plain,
        expires,
    )
    terms.check()
    return terms


def closed_labels(field: Field) -> tuple[str, ...]:
    """The values of a field that are known without looking at anybody's roster."""
    match field.type:
        case "category":
            return tuple(sorted({row["service"] for row in read_table("services.tsv")}))
        case "sex":
            return ("f", "m")
        case "rank":
            return tuple(sorted({row["order"] for row in read_table("ranks.tsv")} - {"-"}, key=int))
        case _:
            return ()


def layout_of(terms: Terms, side: Literal["list", "registry"]) -> RowLayout:
    schema = terms.schema
    return RowLayout(side, schema.length, len(confirm_fields(schema)), len(schema.linked()))


def confirm_fields(schema: Schema) -> list[Field]:
    return sorted((field for field in schema.fields if field.role == "confirm"), key=lambda field: field.name)


def commit_list(matter: Matter, people: People, *, controls: People | None) -> tuple[Statement, tuple[str, ...]]:
    """The commitment to the list's real rows or, when the registry's has come, to the whole package; and a line where
    controls were left out.

    RefusedError: too few or too many people for the terms. ForgedError: another roster than the one committed to.
    """
    agreement = matter.ready()
    terms, own = agreement.terms, Secrets.of(matter, agreement)
    schema, layout = schema_of(terms), layout_of(terms, "list")
    first, other = matter.list_rows, matter.registry_rows
    made_root = bytes(32)  # the first commitment holds real rows only; those that are made up come later
    if first and other:
        matter.parameters()
        made_root = derive(own.seed, other.random, b"pprl/1/decoys\0" + first.statement.hash + other.statement.hash)
    encodings, rows = encode_list(
        people, schema, own.key, controls=controls, randomness=Randomness(own.seed, made_root)
    )
    _refuse_size("list", rows.people, terms.list_people, "people")
    unused = tuple(unused_controls(controls, rows))
    packed = _list_rows(encodings, rows, terms, layout, own, made_root)
    of_roster = _in_order(rows, encodings, rows.of_roster())
    leaves = list(layout.leaves(packed))
    root = root_of(sorted(leaf for leaf, real in zip(leaves, of_roster.tolist(), strict=True) if real))
    if first is None:
        seed = digest(b"pprl/1/seed\0", own.seed)
        check = key_check(own.key.secret, schema)
        return commit(matter, agreement, "rows", root, [], key_check=check, seed=seed), unused
    # (11) the real rows are those committed to before the decoys were known
    if root != first.root:
        raise ForgedError(
            "this is not the roster, or not with the columns and options, that you committed to",
            hint="repeat the command exactly as you gave it first, with the same file",
        )
    assert other is not None
    statement = commit(matter, agreement, "package", root_of(leaves), [first, other])
    rows.write(matter.folder / LIST_ROWS, force=True)
    _write_part(matter.folder / PART, [packed])
    matter.save(matter.keystore.holding(rows_read=0))
    return statement, unused


def commit_registry(matter: Matter, parts: Iterable[People], *, progress: Callable[[int], None] | None) -> Statement:
    """The commitment to a registry that is read part by part; its rows wait in a private file until they are sealed.

    RefusedError: too few or too many rows for the terms.
    """
    agreement = matter.ready()
    terms, own = agreement.terms, Secrets.of(matter, agreement)
    schema, layout = schema_of(terms), layout_of(terms, "registry")
    unsorted = matter.folder / f".{PART}"
    count, read = 0, 0
    with _new_private(unsorted) as file:
        nonces, ids = RandomStream(own.seed, "registry nonces"), RandomStream(own.seed, "confirm ids")
        for part in encode_registry_parts(parts, schema, own.key, own.seed):
            read += part.read
            count += len(part.people)
            _refuse_more("registry", count, terms.registry_rows)
            file.write(_registry_rows(part.words, part.handles, part.people, schema, layout, own, nonces, ids))
            if progress:
                progress(part.read)
        file.flush()
        _refuse_size("registry", count, terms.registry_rows, "rows")
        tree = Tree()
        order = RandomStream(own.seed, "registry order").permutation(count)
        _write_part(matter.folder / PART, _shuffled(unsorted, order, layout, tree))
    matter.save(matter.keystore.holding(rows_read=read))
    assert matter.list_rows is not None
    random = derive(own.seed, b"", b"pprl/1/random")
    check = key_check(own.key.secret, schema)
    return commit(matter, agreement, "rows", tree.root(), [matter.list_rows], key_check=check, random=random)


def seal(matter: Matter, *, progress: Callable[[int], None] | None = None) -> Path:
    """The package, sealed for the linkage unit now that it has signed for all commitments.

    OrderError: the rows are not there. ForgedError: they are not what was committed to.
    """
    agreement = matter.ready()
    side: Literal["list", "registry"] = "list" if matter.role == "list" else "registry"
    committed = matter.list_package if side == "list" else matter.registry_rows
    layout, part = layout_of(agreement.terms, side), matter.folder / PART
    if not part.exists():
        raise OrderError(f"{PART} is not in the folder any more", hint="a new agreement is needed: pprl agree")
    container.refuse_shared(part)
    assert committed is not None
    assert matter.receipt is not None
    rows, rest = divmod(part.stat().st_size, layout.width)
    tree = Tree()
    for chunk in _pieces(part, layout):
        for leaf in layout.leaves(chunk):
            tree.add(leaf)
    if rest or tree.root() != committed.root:
        raise ForgedError(f"{PART} does not hold the rows that you committed to", hint="somebody changed it")
    path = matter.folder / package_name(side)
    write_package(
        path,
        _pieces(part, layout),
        layout=layout,
        rows=rows,
        rows_read=matter.keystore.state.get("rows_read", 0),
        pad=agreement.terms.pad,
        root=committed.root,
        parameters=parameters_of(schema_of(agreement.terms), Secrets.of(matter, agreement).key),
        agreement=agreement.hash,
        receipt=matter.receipt.hash,
        sender=matter.keystore.keys,
        recipient=matter.cards["unit"],
        force=True,  # a package beside rows that are still there is of a run that was killed
        progress=progress,
    )
    part.unlink()
    return path


def _refuse_size(side: Role, count: int, limits: tuple[int, int], what: str) -> None:
    if count < limits[0]:
        raise RefusedError(
            f"the {side} has fewer than the {limits[0]:,} {what} that were agreed as the least",
            hint="in a roster of few people each answer is about somebody; agree on other limits if both want it",
        )
    _refuse_more(side, count, limits)


def _refuse_more(side: Role, count: int, limits: tuple[int, int]) -> None:
    if count > limits[1]:
        raise RefusedError(
            f"the {side} has more than the {limits[1]:,} rows that were agreed as the most",
            hint="the limit is in the agreement: make a new one if both want it",
        )


def openings(rows: PrivateRows, order: NDArray[np.int64], terms: Terms) -> list[Opening]:
    """What is revealed of each record of a list, when its time comes; ``order`` is that of the package.

    Joint strata of fewer than ten people become "other" in every field: nobody stands alone in what is revealed. A
    spelling of a person bears his number, one of a made-up row that row's place in the package.
    """
    names = sorted(terms.strata)
    by_name = {label.name: label for label in rows.with_role("stratum")}
    columns = [_places(by_name.get(name), terms.strata[name], len(rows)) for name in names]
    cells = list(zip(*(column.tolist() for column in columns), strict=True)) if columns else [()] * len(rows)
    of_people = Counter(cells[at] for at in rows.of_kind(RecordKind.REAL).tolist())
    other = (UNKNOWN,) * len(names)
    eligible = np.zeros(len(rows), dtype=np.int64)
    people = rows.of_kind(RecordKind.REAL)
    if may_be := eligibility(rows.labels, rows.policy, people):
        can, cannot = may_be
        eligible[people] = np.where(can, 1, np.where(cannot, 2, 0))
    (shapes,) = rows.with_role("filled")
    filled = [shapes.values[code] for code in shapes.codes.tolist()]
    made_up = (rows.kind == RecordKind.SPELLING) & ~rows.of_roster()
    kind, person = np.where(made_up, MADE_UP_SPELLING, rows.kind), rows.person.copy()
    person[made_up] = np.argsort(order)[person[made_up]]
    told = (kind.tolist(), rows.completeness.tolist(), eligible.tolist(), person.tolist(), cells, filled)
    return [
        Opening(kind, completeness, may, person, cell if of_people[cell] >= SMALLEST_CELL else other, full)
        for kind, completeness, may, person, cell, full in zip(*told, strict=True)
    ]


def _places(label: Label | None, closed: tuple[str, ...], count: int) -> NDArray[np.int64]:
    if label is None:
        return np.full(count, UNKNOWN, dtype=np.int64)
    place = {value: at for at, value in enumerate(closed)}
    return np.array([*(place.get(value, UNKNOWN) for value in label.values), UNKNOWN], dtype=np.int64)[label.codes]


def label_nonces(rows: PrivateRows, own_seed: bytes, made_root: bytes) -> list[bytes]:
    """The nonce under the label of each record: secret until the reveal."""
    return _drawn(rows, own_seed, made_root, "label nonces")


def _drawn(rows: PrivateRows, own_seed: bytes, made_root: bytes, label: str, each: int = 1) -> list[bytes]:
    """16 bytes, or ``each`` times 16, for each record: real people's from the owner's seed, others' from the joint."""
    of_roster = rows.of_roster().tolist()
    streams = {True: RandomStream(own_seed, label), False: RandomStream(made_root, label)}
    return [streams[real].bytes(NONCE * each) for real in of_roster]


def _list_rows(
    encodings: Encodings, rows: PrivateRows, terms: Terms, layout: RowLayout, own: Secrets, made_root: bytes
) -> bytes:
    """The rows of a list's package, in the order of the encodings."""
    record = {handle.tobytes(): at for at, handle in enumerate(rows.handles)}
    nonces = _drawn(rows, own.seed, made_root, "list nonces")
    labels = label_nonces(rows, own.seed, made_root)
    confirm = confirm_fields(terms.schema)
    tag_nonces = _drawn(rows, own.seed, made_root, "confirm nonces", len(confirm)) if confirm else []
    values = _confirm_values(rows.labels, confirm, len(rows))
    order = [record[handle.tobytes()] for handle in encodings.handles]
    opened = openings(rows, np.array(order, dtype=np.int64), terms)
    words = np.ascontiguousarray(encodings.bits.words, dtype="<u8")
    out = bytearray()
    for handle, bits, at in zip(encodings.handles, words, order, strict=True):
        out += handle.tobytes() + bits.tobytes() + nonces[at]
        for number, (field, of_field) in enumerate(zip(confirm, values, strict=True)):
            nonce = tag_nonces[at][number * NONCE : (number + 1) * NONCE]
            out += confirm_tag(own.confirm, field.name, nonce, of_field[at])
        out += opened[at].hash(labels[at])
    assert len(out) == layout.width * len(encodings)
    return bytes(out)


def confirm_tag(key: bytes, field: str, nonce: bytes, value: str | None) -> bytes:
    """16 bytes that say of a value whether it equals another one, to whoever has both and not the key.

    A missing value gets a tag that no value has; it looks like any other.
    """
    name = field.encode()
    said = b"\x00" if value is None else b"\x01" + value.encode()
    return mac(key, len(name).to_bytes(2, "little") + name + nonce + said)[:TAG]


def _confirm_values(labels: Iterable[Label], confirm: list[Field], count: int) -> list[list[str | None]]:
    by_name = {label.name: label for label in labels if label.role == "confirm"}
    told: list[list[str | None]] = []
    for field in confirm:
        label = by_name.get(field.name)
        values = [*label.values, None] if label else []
        told.append([values[code] for code in label.codes.tolist()] if label else [None] * count)
    return told


def _registry_rows(
    words: NDArray[np.uint64],
    handles: NDArray[np.void],
    people: People,
    schema: Schema,
    layout: RowLayout,
    own: Secrets,
    nonces: RandomStream,
    ids: RandomStream,
) -> bytes:
    """Some rows of a registry's package, in the order of the roster."""
    count, confirm = len(people), confirm_fields(schema)
    rows = np.empty((count, layout.width), dtype=np.uint8)
    rows[:, :HANDLE] = handles.view(np.uint8).reshape(count, HANDLE)
    rows[:, HANDLE : layout.record] = np.ascontiguousarray(words, dtype="<u8").view(np.uint8).reshape(count, -1)
    at = layout.record
    rows[:, at : at + NONCE] = np.frombuffer(nonces.bytes(NONCE * count), dtype=np.uint8).reshape(count, NONCE)
    at += NONCE
    tag_ids = np.frombuffer(ids.bytes(TAG * count * len(confirm)), dtype=np.uint8).reshape(count, len(confirm), TAG)
    for number, field in enumerate(confirm):
        column = people.columns[field.name]
        values = [*column.values, None]
        own_ids = np.ascontiguousarray(tag_ids[:, number])
        tags = b"".join(
            confirm_tag(own.confirm, field.name, each.tobytes(), values[code])
            for each, code in zip(own_ids, column.codes.tolist(), strict=True)
        )
        rows[:, at : at + TAG] = own_ids
        rows[:, at + TAG : at + 2 * TAG] = np.frombuffer(tags, dtype=np.uint8).reshape(count, TAG)
        at += 2 * TAG
    shapes = "".join(filled_shapes(people, schema)).encode()
    rows[:, at:] = np.frombuffer(shapes, dtype=np.uint8).reshape(count, layout.linked)
    return rows.tobytes()


def _in_order(rows: PrivateRows, encodings: Encodings, of_record: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What holds of records, in the order of the encodings."""
    known = dict(zip((handle.tobytes() for handle in rows.handles), of_record.tolist(), strict=True))
    return np.array([known[handle.tobytes()] for handle in encodings.handles], dtype=bool)


def _shuffled(path: Path, order: NDArray[np.int64], layout: RowLayout, tree: Tree) -> Iterator[bytes]:
    """The rows of a file in another order; the file is mapped, not held."""
    rows = np.memmap(path, dtype=np.uint8, mode="r").reshape(-1, layout.width) if len(order) else None
    for start in range(0, len(order), ROWS_AT_A_TIME):
        assert rows is not None
        piece = rows[order[start : start + ROWS_AT_A_TIME]].tobytes()
        for leaf in layout.leaves(piece):
            tree.add(leaf)
        yield piece


def _pieces(path: Path, layout: RowLayout) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(ROWS_AT_A_TIME * layout.width):
            yield piece


def _write_part(path: Path, chunks: Iterable[bytes]) -> None:
    container.write_new(path, chunks, private=True, force=True)


@contextlib.contextmanager
def _new_private(path: Path) -> Iterator[BinaryIO]:
    """A file of encodings that nobody else may read and that is gone afterwards, whatever happens."""
    path.unlink(missing_ok=True)  # of a run that was killed
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def acknowledge(matter: Matter) -> Statement:
    """The registry owner's word that these scores were signed before he knew of any label. OrderError: out of turn."""
    agreement = matter.ready()
    if matter.role != "registry" or matter.table is None:
        raise _waiting("the signed scores of the linkage unit", "unit-3-scores.pprl")
    return say(matter, b"pprl-ack", agreement, [matter.table])


def reveal(matter: Matter) -> tuple[Statement, Statement]:
    """The list owner's labels, and his tags for what was asked of confirm fields.

    OrderError: before the scores and their acknowledgement have come, or a second time.
    """
    agreement, end = matter.ready(), matter.ending
    if matter.role != "list":
        raise OrderError(f"this is the folder of the {TITLES[matter.role]}", hint="only the list owner has labels")
    if end.reveal is not None:
        raise OrderError("the labels are revealed already: list-6-reveal.pprl", hint="send it to the linkage unit")
    if matter.table is None or end.query is None:
        raise _waiting("the signed scores of the linkage unit with its query", "unit-3-query.pprl")
    if end.acknowledgement is None:
        raise _waiting("the acknowledgement of the registry owner", "registry-5-acknowledgement.pprl")
    assert matter.list_rows
    assert matter.registry_rows
    own, terms = Secrets.of(matter, agreement), agreement.terms
    hashes = matter.list_rows.statement.hash + matter.registry_rows.statement.hash
    made_root = derive(own.seed, matter.registry_rows.random, b"pprl/1/decoys\0" + hashes)
    rows = PrivateRows.read(matter.folder / LIST_ROWS, "list")
    order = RandomStream(made_root, "list order").permutation(len(rows))
    nonces, opened = label_nonces(rows, own.seed, made_root), openings(rows, order, terms)
    labels = b"".join(nonces[at] + opened[at].to_bytes() for at in order.tolist())
    upon = [matter.table, end.acknowledgement]
    said = {"rows_read": rows.rows_read, "fallbacks": rows.fallbacks}
    told = say(matter, b"pprl-rev", agreement, upon, labels, **said)
    return told, say(
        matter, b"pprl-ans", agreement, [end.query], _answers_to(end.query, rows, order.tolist(), terms, own)
    )


def _answers_to(query: Statement, rows: PrivateRows, order: list[int], terms: Terms, own: Secrets) -> bytes:
    """For every row of the package, field and id asked, the tag that this row's own value gives; a missing value gives
    chance, so that nobody sees that it is missing. FileError: not one query for each row."""
    confirm = confirm_fields(terms.schema)
    ids = query.attachment
    if len(ids) != len(order) * len(confirm) * ASKED * TAG:
        raise FileError("the query does not ask five times for each row and field", hint=AGAIN)
    values = _confirm_values(rows.labels, confirm, len(rows))
    chance = RandomStream(own.seed, "missing answers")
    out, at = bytearray(), 0
    for record in order:
        for field, of_field in zip(confirm, values, strict=True):
            value = of_field[record]
            for _ in range(ASKED):
                one = ids[at : at + TAG]
                out += chance.bytes(TAG) if value is None else confirm_tag(own.confirm, field.name, one, value)
                at += TAG
    return bytes(out)


def open_release(matter: Matter) -> list[tuple[int, str, str]]:
    """Row of the list, the owner's id of it, and the name of the pair, for every pair that was released.

    OrderError: nothing was. ForgedError: not sealed for us, or of rows that are not ours.
    """
    end = matter.ending
    if end.release is None or end.result is None:
        raise OrderError("no pairs were released", hint="the terms say whether they are")
    try:
        text = matter.keystore.keys.open(end.release.attachment, RELEASE + end.result.hash)
    except WrongError:
        raise ForgedError("a release: does not open", hint="it was sealed for somebody else, or changed") from None
    rows = PrivateRows.read(matter.folder / LIST_ROWS, "list")
    ids = rows.id_texts()
    place = {handle.tobytes().hex(): at for at, handle in enumerate(rows.handles)}
    pairs = parse_canonical(text, "a release").get("pairs")
    if not isinstance(pairs, list) or any(
        not isinstance(pair, list) or len(pair) != 2 or place.get(str(pair[0])) is None for pair in pairs
    ):
        raise ForgedError("a release: names rows that are not of this list", hint=AGAIN)
    told = [(int(rows.rows[place[handle]]), ids[place[handle]], str(name)) for handle, name in pairs]
    return sorted(told)
